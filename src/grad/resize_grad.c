/*
 * resize_grad.c: each pixel of the result gives its gradient to those it was made of, in the same shares: RESIZE_GRAD (resize_own.c).
 */
#include "grad/grad.h"

static void rule(lc_grad *g, lc_resize_grad_options o) {
    lc_shape s;
    if (!lc_build_shape(g->b, g->in[0], &s)) return;
    for (int32_t i = 0; i < 4; i++) o.dims[i] = s.dims[i];
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_RESIZE_GRAD, &o, sizeof o, g->d_out, 1);
}

void lc_grad_RESIZE_BILINEAR(lc_grad *g) {
    const lc_ResizeBilinearOptions *o = LC_OP_ATTRS(g->node, ResizeBilinearOptions);
    rule(g, (lc_resize_grad_options){.align_corners = o->align_corners, .half_pixel_centers = o->half_pixel_centers});
}

void lc_grad_RESIZE_NEAREST_NEIGHBOR(lc_grad *g) {
    const lc_ResizeNearestNeighborOptions *o = LC_OP_ATTRS(g->node, ResizeNearestNeighborOptions);
    rule(g, (lc_resize_grad_options){.nearest = true, .align_corners = o->align_corners, .half_pixel_centers = o->half_pixel_centers});
}
