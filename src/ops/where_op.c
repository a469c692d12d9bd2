/*
 * where_op.c: operators whose output is as long as the data makes it: WHERE gives the positions of what is not zero, [count, rank]; UNIQUE
 * the values of a vector without repetition, in the order they first come, and for each element which one it is. The kernel says how long.
 */
#include "ops/infer.h"

lc_status lc_infer_WHERE(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape, out = {2, {-1, in->rank}};
    if (in->rank < 1) return LC_OP_FAIL(ctx, "the condition is a scalar, needs 1 dimension or more");
    return lc_infer_give(ctx, LC_INT64, &out);
}

lc_status lc_infer_UNIQUE(lc_infer_ctx *ctx) {
    const int8_t type = LC_OP_ATTRS(ctx->node, UniqueOptions)->idx_out_type;
    const lc_shape open = {1, {-1}};
    if (type != LC_INT32 && type != LC_INT64)
        return LC_OP_FAIL(ctx, "idx_out_type is %s, needs int32 or int64", lc_dtype_name((lc_dtype)type));
    LC_TRY(lc_infer_rank(ctx, 0, 1, "input"));
    ctx->out[1].type = (lc_dtype)type;
    ctx->out[1].shape = ctx->in[0].shape;
    return lc_infer_give(ctx, ctx->in[0].type, &open);
}
