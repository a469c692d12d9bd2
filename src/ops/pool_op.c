/*
 * pool_op.c: AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D: input [n, h, w, c] gives [n, oh, ow, c]. With SAME padding the cells
 * outside the image do not count.
 */
#include "ops/infer.h"

static lc_status infer_pool(lc_infer_ctx *ctx) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(ctx->node, Pool2DOptions);
    LC_TRY(lc_infer_rank(ctx, 0, 4, "input"));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    const int32_t *in = ctx->in[0].shape.dims;
    lc_shape out = {4, {in[0], 0, 0, in[3]}};
    int32_t pad;
    LC_TRY(lc_infer_window(ctx, in[1], o->filter_height, o->stride_h, 1, o->padding, &out.dims[1], &pad));
    LC_TRY(lc_infer_window(ctx, in[2], o->filter_width, o->stride_w, 1, o->padding, &out.dims[2], &pad));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_AVERAGE_POOL_2D(lc_infer_ctx *ctx) { return infer_pool(ctx); }
lc_status lc_infer_MAX_POOL_2D(lc_infer_ctx *ctx) { return infer_pool(ctx); }
lc_status lc_infer_L2_POOL_2D(lc_infer_ctx *ctx) { return infer_pool(ctx); }
