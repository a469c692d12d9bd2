/*
 * conv3d_op.c: CONV_3D and its gradient used as a layer, CONV_3D_TRANSPOSE.
 *
 *   CONV_3D             input [n, d, h, w, ci]   filter [kd, kh, kw, ci, co]   bias [co]   output [n, od, oh, ow, co]
 *   CONV_3D_TRANSPOSE   output_shape [5]   filter [kd, kh, kw, co, ci]   input [n, d, h, w, ci]   bias [co]   output: output_shape
 *
 * The transposed one's d, h and w must be what a convolution with its strides and padding makes of the output's sizes.
 */
#include "ops/infer.h"

static lc_status check_filter(lc_infer_ctx *ctx) {
    char text[LC_SHAPE_TEXT];
    LC_TRY(lc_infer_rank(ctx, 1, 5, "filter"));
    for (int i = 0; i < 5; i++)
        if (ctx->in[1].shape.dims[i] < 1)
            return LC_OP_FAIL(ctx, "filter is %s, its sizes must be known and 1 or more", lc_shape_text(&ctx->in[1].shape, text));
    return LC_OK;
}

/* What the window makes of sizes from[0..2]. */
static lc_status windows(lc_infer_ctx *ctx, const int32_t *from, int32_t *to) {
    const lc_Conv3DOptions *o = LC_OP_ATTRS(ctx->node, Conv3DOptions);
    const int32_t *filter = ctx->in[1].shape.dims;
    const int32_t stride[3] = {o->stride_d, o->stride_h, o->stride_w};
    const int32_t dilation[3] = {o->dilation_d_factor, o->dilation_h_factor, o->dilation_w_factor};
    for (int i = 0; i < 3; i++) {
        int32_t pad;
        LC_TRY(lc_infer_window(ctx, from[i], filter[i], stride[i], dilation[i], o->padding, &to[i], &pad));
    }
    return LC_OK;
}

lc_status lc_infer_CONV_3D(lc_infer_ctx *ctx) {
    LC_TRY(lc_infer_rank(ctx, 0, 5, "input"));
    LC_TRY(check_filter(ctx));
    LC_TRY(lc_infer_activation(ctx, LC_OP_ATTRS(ctx->node, Conv3DOptions)->fused_activation_function));
    const int32_t *in = ctx->in[0].shape.dims, *filter = ctx->in[1].shape.dims;
    int32_t met;
    if (!lc_infer_meet(in[4], filter[3], &met)) return LC_OP_FAIL(ctx, "input has %d channels, the filter takes %d", in[4], filter[3]);
    LC_TRY(lc_infer_bias(ctx, 2, filter[4]));
    lc_shape out = {5, {in[0], 0, 0, 0, filter[4]}};
    LC_TRY(windows(ctx, in + 1, out.dims + 1));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_CONV_3D_TRANSPOSE(lc_infer_ctx *ctx) {
    int32_t n, met, back[3];
    int64_t want[5];
    uint32_t count = 5;
    LC_TRY(lc_infer_index_vector(ctx, 0, "output_shape", &n));
    if (n >= 0 && n != 5) return LC_OP_FAIL(ctx, "output_shape has %d entries, needs 5", n);
    LC_TRY(lc_infer_rank(ctx, 2, 5, "input"));
    LC_TRY(check_filter(ctx));
    LC_TRY(lc_infer_activation(ctx, LC_OP_ATTRS(ctx->node, Conv3DOptions)->fused_activation_function));
    const int32_t *in = ctx->in[2].shape.dims, *filter = ctx->in[1].shape.dims;
    if (!lc_infer_meet(in[4], filter[4], &met)) return LC_OP_FAIL(ctx, "input has %d channels, the filter takes %d", in[4], filter[4]);
    LC_TRY(lc_infer_bias(ctx, 3, filter[3]));
    lc_shape out = {5, {in[0], -1, -1, -1, filter[3]}};
    LC_TRY(windows(ctx, out.dims + 1, back)); /* also checks strides and padding when the shape is not known */
    if (!lc_infer_ints(&ctx->in[0], want, &count) || count != 5) return lc_infer_give(ctx, ctx->in[2].type, &out);
    for (int i = 0; i < 5; i++) {
        if (want[i] < 1 || want[i] > INT32_MAX) return LC_OP_FAIL(ctx, "output_shape has %lld, sizes are 1 or more", (long long)want[i]);
        if (!lc_infer_meet(out.dims[i], (int32_t)want[i], &out.dims[i]))
            return LC_OP_FAIL(ctx, "output_shape says %lld for dimension %d, input and filter say %d", (long long)want[i], i, out.dims[i]);
    }
    LC_TRY(windows(ctx, out.dims + 1, back));
    for (int i = 0; i < 3; i++)
        if (!lc_infer_meet(back[i], in[1 + i], &met))
            return LC_OP_FAIL(ctx, "an output of %d x %d x %d comes from an input of %d x %d x %d, the input is %d x %d x %d", out.dims[1],
                              out.dims[2], out.dims[3], back[0], back[1], back[2], in[1], in[2], in[3]);
    return lc_infer_give(ctx, ctx->in[2].type, &out);
}
