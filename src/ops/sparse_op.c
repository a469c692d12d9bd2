/*
 * sparse_op.c: DENSIFY: a constant with sparsity tables as a dense tensor of the same type and shape.
 */
#include "ops/infer.h"

lc_status lc_infer_DENSIFY(lc_infer_ctx *ctx) {
    const lc_tensor *def = ctx->in[0].def;
    if (def && !def->sparsity) return LC_OP_FAIL(ctx, "its input has no sparsity tables");
    return lc_infer_same(ctx);
}
