/*
 * depthwise_op.c: DEPTHWISE_CONV_2D.
 *
 *   input [n, h, w, ci]   filter [1, kh, kw, ci * m]   bias [ci * m]   output [n, oh, ow, ci * m]
 *
 * Output channel c * m + k is the window of input channel c with filter plane c * m + k. The multiplier m is read from the
 * shapes, as LiteRT does; the option depth_multiplier may be wrong or missing in a file.
 */
#include "ops/infer.h"

lc_status lc_infer_DEPTHWISE_CONV_2D(lc_infer_ctx *ctx) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(ctx->node, DepthwiseConv2DOptions);
    LC_TRY(lc_infer_rank(ctx, 0, 4, "input"));
    LC_TRY(lc_infer_rank(ctx, 1, 4, "filter"));
    LC_TRY(lc_infer_activation(ctx, o->fused_activation_function));
    const int32_t *in = ctx->in[0].shape.dims, *filter = ctx->in[1].shape.dims;
    if (filter[0] != 1 || filter[1] < 1 || filter[2] < 1 || filter[3] < 1) {
        char text[LC_SHAPE_TEXT];
        return LC_OP_FAIL(ctx, "filter is %s, needs [1, height, width, channels] with sizes of 1 or more",
                          lc_shape_text(&ctx->in[1].shape, text));
    }
    if (in[3] == 0 || (in[3] > 0 && filter[3] % in[3]))
        return LC_OP_FAIL(ctx, "input has %d channels, the filter %d: not a multiple", in[3], filter[3]);
    LC_TRY(lc_infer_bias(ctx, 2, filter[3]));
    lc_shape out = {4, {in[0], 0, 0, filter[3]}};
    int32_t pad;
    LC_TRY(lc_infer_window(ctx, in[1], filter[1], o->stride_h, o->dilation_h_factor, o->padding, &out.dims[1], &pad));
    LC_TRY(lc_infer_window(ctx, in[2], filter[2], o->stride_w, o->dilation_w_factor, o->padding, &out.dims[2], &pad));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
