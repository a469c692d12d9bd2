/*
 * transpose_conv_op.c: TRANSPOSE_CONV, the gradient of CONV_2D used as a layer.
 *
 *   output_shape [4]   filter [co, kh, kw, ci]   input [n, h, w, ci]   bias [co]   output: output_shape
 *
 * h and w are what a convolution with the same stride and padding makes of the output's sizes; litec insists on it, because LiteRT's
 * behaviour where they are not is to drop input silently.
 */
#include "ops/infer.h"

lc_status lc_infer_TRANSPOSE_CONV(lc_infer_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const int32_t *filter = ctx->in[1].shape.dims, *in = ctx->in[2].shape.dims;
    int32_t n, pad, met;
    int64_t want[4];
    uint32_t count = 4;
    LC_TRY(lc_infer_index_vector(ctx, 0, "output_shape", &n));
    if (n >= 0 && n != 4) return LC_OP_FAIL(ctx, "output_shape has %d entries, needs 4", n);
    LC_TRY(lc_infer_rank(ctx, 1, 4, "filter"));
    LC_TRY(lc_infer_rank(ctx, 2, 4, "input"));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    for (int i = 0; i < 4; i++)
        if (filter[i] < 1) {
            char text[LC_SHAPE_TEXT];
            return LC_OP_FAIL(ctx, "filter is %s, its sizes must be known and 1 or more", lc_shape_text(&ctx->in[1].shape, text));
        }
    if (!lc_infer_meet(in[3], filter[3], &met)) return LC_OP_FAIL(ctx, "input has %d channels, the filter takes %d", in[3], filter[3]);
    LC_TRY(lc_infer_bias(ctx, 3, filter[0]));
    int32_t back[2];
    /* also checks strides and padding when the shape is not known */
    LC_TRY(lc_infer_window(ctx, -1, filter[1], o->stride_h, 1, o->padding, &back[0], &pad));
    LC_TRY(lc_infer_window(ctx, -1, filter[2], o->stride_w, 1, o->padding, &back[1], &pad));
    lc_shape out = {4, {in[0], -1, -1, filter[0]}};
    if (!lc_infer_ints(&ctx->in[0], want, &count)) return lc_infer_give(ctx, ctx->in[2].type, &out);
    for (int i = 0; i < 4; i++) {
        if (want[i] < 1 || want[i] > INT32_MAX) return LC_OP_FAIL(ctx, "output_shape has %lld, sizes are 1 or more", (long long)want[i]);
        if (!lc_infer_meet(out.dims[i], (int32_t)want[i], &out.dims[i]))
            return LC_OP_FAIL(ctx, "output_shape says %lld for dimension %d, input and filter say %d", (long long)want[i], i, out.dims[i]);
    }
    LC_TRY(lc_infer_window(ctx, out.dims[1], filter[1], o->stride_h, 1, o->padding, &back[0], &pad));
    LC_TRY(lc_infer_window(ctx, out.dims[2], filter[2], o->stride_w, 1, o->padding, &back[1], &pad));
    for (int i = 0; i < 2; i++)
        if (!lc_infer_meet(back[i], in[1 + i], &met))
            return LC_OP_FAIL(ctx, "an output of %d x %d comes from an input of %d x %d, the input is %d x %d", out.dims[1], out.dims[2],
                              back[0], back[1], in[1], in[2]);
    return lc_infer_give(ctx, ctx->in[2].type, &out);
}
