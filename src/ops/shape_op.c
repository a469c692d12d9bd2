/*
 * shape_op.c: SHAPE gives the dimensions of its input as a vector, RANK how many there are; neither reads data, so the runtime knows
 * the answer while it plans. BROADCAST_ARGS works out the shape two shapes broadcast to.
 */
#include "ops/infer.h"

lc_status lc_infer_RANK(lc_infer_ctx *ctx) {
    lc_shape scalar = {0};
    return lc_infer_give(ctx, LC_INT32, &scalar);
}

lc_status lc_infer_BROADCAST_ARGS(lc_infer_ctx *ctx) {
    int32_t a, b;
    LC_TRY(lc_infer_index_vector(ctx, 0, "first shape", &a));
    LC_TRY(lc_infer_index_vector(ctx, 1, "second shape", &b));
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    if (ctx->in[0].shape.rank != 1 || ctx->in[1].shape.rank != 1) return LC_OP_FAIL(ctx, "shapes have 1 dimension");
    lc_shape out = {1, {a < 0 || b < 0 ? -1 : a > b ? a : b}};
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_SHAPE(lc_infer_ctx *ctx) {
    int8_t type = LC_OP_ATTRS(ctx->node, ShapeOptions)->out_type;
    if (type != LC_INT32 && type != LC_INT64) return LC_OP_FAIL(ctx, "out_type is %s, needs int32 or int64", lc_dtype_name((lc_dtype)type));
    lc_shape out = {1, {ctx->in[0].shape.rank}};
    return lc_infer_give(ctx, (lc_dtype)type, &out);
}
