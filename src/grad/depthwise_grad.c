/*
 * depthwise_grad.c: y = x * W + b, channel by channel, W [1, h, w, in multiplier].
 */
#include "grad/grad.h"

static lc_window_options window(lc_grad *g, const lc_DepthwiseConv2DOptions *o, int32_t like) {
    lc_window_options w = {.stride_h = o->stride_h,
                           .stride_w = o->stride_w,
                           .dilation_h = o->dilation_h_factor,
                           .dilation_w = o->dilation_w_factor,
                           .padding = o->padding};
    lc_shape f, x;
    if (!lc_build_shape(g->b, g->in[1], &f) || !lc_build_shape(g->b, g->in[0], &x)) return w;
    w.multiplier = f.dims[3] / x.dims[3];
    lc_grad_window(g, like, g->in[1], &w);
    return w;
}

void lc_grad_DEPTHWISE_CONV_2D(lc_grad *g) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(g->node, DepthwiseConv2DOptions);
    if (g->wants[0]) {
        const lc_window_options w = window(g, o, g->in[0]);
        g->d_in[0] = lc_build_own_one(g->b, &lc_own_DEPTHWISE_INPUT_GRAD, &w, sizeof w, (const int32_t[]){g->d_out[0], g->in[1]}, 2);
    }
    if (g->wants[1]) {
        const lc_window_options w = window(g, o, g->in[1]);
        g->d_in[1] = lc_build_own_one(g->b, &lc_own_DEPTHWISE_FILTER_GRAD, &w, sizeof w, (const int32_t[]){g->in[0], g->d_out[0]}, 2);
    }
    if (g->in_count > 2 && g->wants[2]) g->d_in[2] = lc_grad_bias(g, g->d_out[0]);
}
