/*
 * conv_op.c: CONV_2D.
 *
 *   input [n, h, w, ci]   filter [co, kh, kw, cf]   bias [co]   output [n, oh, ow, co]
 *
 * ci = groups * cf and co is a multiple of groups: output channel o reads the input channels of group o / (co / groups). Padding is
 * TensorFlow's SAME or VALID, with dilation.
 */
#include "ops/infer.h"

lc_status lc_infer_CONV_2D(lc_infer_ctx *ctx) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(ctx->node, Conv2DOptions);
    LC_TRY(lc_infer_rank(ctx, 0, 4, "input"));
    LC_TRY(lc_infer_rank(ctx, 1, 4, "filter"));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    const int32_t *in = ctx->in[0].shape.dims, *filter = ctx->in[1].shape.dims;
    for (int i = 0; i < 4; i++)
        if (filter[i] < 1) {
            char text[LC_SHAPE_TEXT];
            return LC_OP_FAIL(ctx, "filter is %s, its sizes must be known and 1 or more", lc_shape_text(&ctx->in[1].shape, text));
        }
    if (in[3] == 0 || (in[3] > 0 && in[3] % filter[3]))
        return LC_OP_FAIL(ctx, "input has %d channels, the filter takes %d: not a multiple", in[3], filter[3]);
    int32_t groups = in[3] > 0 ? in[3] / filter[3] : 1;
    if (filter[0] % groups) return LC_OP_FAIL(ctx, "%d output channels do not divide into %d groups", filter[0], groups);
    LC_TRY(lc_infer_bias(ctx, 2, filter[0]));
    lc_shape out = {4, {in[0], 0, 0, filter[0]}};
    int32_t pad;
    LC_TRY(lc_infer_window(ctx, in[1], filter[1], o->stride_h, o->dilation_h_factor, o->padding, &out.dims[1], &pad));
    LC_TRY(lc_infer_window(ctx, in[2], filter[2], o->stride_w, o->dilation_w_factor, o->padding, &out.dims[2], &pad));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
