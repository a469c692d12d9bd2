/*
 * conv_grad.c: y = x * W + b, W [out, h, w, in].
 *
 *   dx   CONV_INPUT_GRAD: dy's pixels spread over what they saw
 *   dW   CONV_FILTER_GRAD: for each tap the product of dy and what the tap saw
 *   db   the sum over all pixels
 */
#include "grad/grad.h"

static lc_window_options window(lc_grad *g, const lc_Conv2DOptions *o, int32_t like) {
    lc_window_options w = {.stride_h = o->stride_h,
                           .stride_w = o->stride_w,
                           .dilation_h = o->dilation_h_factor,
                           .dilation_w = o->dilation_w_factor,
                           .padding = o->padding};
    lc_grad_window(g, like, g->in[1], &w);
    return w;
}

void lc_grad_CONV_2D(lc_grad *g) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(g->node, Conv2DOptions);
    const int32_t dy = g->d_out[0];
    if (g->wants[0]) {
        const lc_window_options w = window(g, o, g->in[0]);
        g->d_in[0] = lc_build_own_one(g->b, &lc_own_CONV_INPUT_GRAD, &w, sizeof w, (const int32_t[]){dy, g->in[1]}, 2);
    }
    if (g->wants[1]) {
        const lc_window_options w = window(g, o, g->in[1]);
        g->d_in[1] = lc_build_own_one(g->b, &lc_own_CONV_FILTER_GRAD, &w, sizeof w, (const int32_t[]){g->in[0], dy}, 2);
    }
    if (g->in_count > 2 && g->wants[2]) g->d_in[2] = lc_grad_bias(g, dy);
}
