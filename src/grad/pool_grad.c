/*
 * pool_grad.c: a window's gradient goes to the pixel that was its largest (the first one), or in equal parts to all that are in the image.
 */
#include "grad/grad.h"

static lc_window_options window(lc_grad *g) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(g->node, Pool2DOptions);
    lc_window_options w = {.stride_h = o->stride_h,
                           .stride_w = o->stride_w,
                           .dilation_h = 1,
                           .dilation_w = 1,
                           .filter_h = o->filter_height,
                           .filter_w = o->filter_width,
                           .padding = o->padding};
    lc_grad_window(g, g->in[0], -1, &w);
    return w;
}

void lc_grad_MAX_POOL_2D(lc_grad *g) {
    const lc_window_options w = window(g);
    const int32_t in[3] = {g->d_out[0], g->in[0], g->out[0]};
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_MAX_POOL_GRAD, &w, sizeof w, in, 3);
}

void lc_grad_AVERAGE_POOL_2D(lc_grad *g) {
    const lc_window_options w = window(g);
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_AVERAGE_POOL_GRAD, &w, sizeof w, &g->d_out[0], 1);
}
