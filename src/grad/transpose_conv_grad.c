/*
 * transpose_conv_grad.c: TRANSPOSE_CONV is the gradient of a convolution, which is its gradient in turn. Its filter W is [out, h, w, in].
 *
 *   dx   CONV_2D of dy with the filter [in, h, w, out]
 *   dW   CONV_FILTER_GRAD, with dy as what was seen and x as what came out: [in, h, w, out]
 */
#include "grad/grad.h"

void lc_grad_TRANSPOSE_CONV(lc_grad *g) {
    static const int32_t turn[4] = {3, 1, 2, 0};
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(g->node, TransposeConvOptions);
    const int32_t dy = g->d_out[0], x = g->in[2];
    lc_shape f;
    if (!lc_build_shape(g->b, g->in[1], &f)) return;
    if (g->wants[2]) {
        const lc_Conv2DOptions conv = {
            .padding = o->padding, .stride_h = o->stride_h, .stride_w = o->stride_w, .dilation_h_factor = 1, .dilation_w_factor = 1};
        const int32_t in[3] = {dy, lc_build_transpose(g->b, g->in[1], turn, 4), LC_ABSENT};
        g->d_in[2] = lc_build_op(g->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &conv, in, 3);
    }
    if (g->wants[1]) {
        const lc_window_options w = {.stride_h = o->stride_h,
                                     .stride_w = o->stride_w,
                                     .dilation_h = 1,
                                     .dilation_w = 1,
                                     .filter_h = f.dims[1],
                                     .filter_w = f.dims[2],
                                     .padding = o->padding,
                                     .dims = {f.dims[3], f.dims[1], f.dims[2], f.dims[0]},
                                     .rank = 4};
        const int32_t d = lc_build_own_one(g->b, &lc_own_CONV_FILTER_GRAD, &w, sizeof w, (const int32_t[]){dy, x}, 2);
        g->d_in[1] = lc_build_transpose(g->b, d, turn, 4);
    }
    if (g->in_count > 3 && g->wants[3]) g->d_in[3] = lc_grad_bias(g, dy);
}
