/*
 * hadamard_op.c: aeq.hadamard_rotation: the last dimension of a [features, n] or [batch, features, n] tensor in runs of hadamard_size, each
 * multiplied with the Hadamard matrix of that size. (The option random_binary_vector is in models too; nobody reads it.)
 */
#include "ops/infer.h"
#include "schema/flex.h"

lc_status lc_infer_custom_HADAMARD(lc_infer_ctx *ctx) {
    const lc_dtype type = ctx->in[0].type;
    lc_flex map;
    LC_TRY(lc_flex_open(ctx->node->custom_options, &map, ctx->err));
    const int64_t size = lc_flex_int(&map, "hadamard_size", 0);
    LC_TRY(lc_flex_check(&map, ctx->err));
    if (size < 1 || size > INT32_MAX || (size & (size - 1)))
        return LC_OP_FAIL(ctx, "hadamard_size is %lld, needs a power of two", (long long)size);
    if (type != LC_FLOAT32) return LC_OP_UNSUPPORTED(ctx, "its input is %s, needs float32", lc_dtype_name(type));
    if (ctx->in[0].shape.rank != 2 && ctx->in[0].shape.rank != 3)
        return LC_OP_FAIL(ctx, "its input has %d dimensions, needs 2 or 3", ctx->in[0].shape.rank);
    return lc_infer_same(ctx);
}
