/*
 * variable_op.c: VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE. A variable has the type and shape of what was assigned to it last, so what is
 * read has the shape the model declares for it where it declares one (a rank of 0 declares nothing: LiteRT's reading), and the kernel
 * checks that it has.
 */
#include "ops/infer.h"

#include <string.h>

lc_status lc_infer_VAR_HANDLE(lc_infer_ctx *ctx) {
    if (ctx->out[0].type != LC_RESOURCE && ctx->out[0].type != LC_INT32)
        return LC_OP_FAIL(ctx, "gives a resource, its output is %s", lc_dtype_name(ctx->out[0].type));
    ctx->out[0].shape = (lc_shape){0};
    const lc_tensor *def = ctx->out[0].def;
    if (def && def->rank == 1 && def->dims[0] == 1) ctx->out[0].shape = (lc_shape){.rank = 1, .dims = {1}};
    return LC_OK;
}

lc_status lc_infer_READ_VARIABLE(lc_infer_ctx *ctx) {
    LC_TRY(lc_infer_handle(ctx, 0));
    const lc_tensor *def = ctx->out[0].def;
    ctx->out[0].shape.rank = LC_RANK_UNKNOWN;
    if (!def || def->rank <= 0 || def->rank > LC_MAX_RANK || def->signature) return LC_OK;
    ctx->out[0].shape.rank = def->rank;
    memcpy(ctx->out[0].shape.dims, def->dims, (size_t)def->rank * sizeof *def->dims);
    return LC_OK;
}

lc_status lc_infer_ASSIGN_VARIABLE(lc_infer_ctx *ctx) { return lc_infer_handle(ctx, 0); }
