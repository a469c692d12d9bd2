/*
 * fully_connected_grad.c: y = x Wᵀ + b, W [units, depth], all dimensions of x before its depth being rows:
 *
 *   dx = dy W        dW = dyᵀ x        db = sum of dy's rows
 */
#include "grad/grad.h"

void lc_grad_FULLY_CONNECTED(lc_grad *g) {
    lc_shape w, y;
    if (g->out_count != 1) {
        lc_grad_refuse(g, "shuffled weights");
        return;
    }
    if (!lc_build_shape(g->b, g->in[1], &w) || !lc_build_shape(g->b, g->out[0], &y)) return;
    int64_t rows = 1;
    for (int32_t i = 0; i < y.rank; i++) rows *= y.dims[i];
    rows /= w.dims[0] ? w.dims[0] : 1;
    const int32_t dims_y[2] = {(int32_t)rows, w.dims[0]}, dims_x[2] = {(int32_t)rows, w.dims[1]};
    const int32_t dy = lc_build_reshape(g->b, g->d_out[0], dims_y, 2);
    if (g->wants[0]) g->d_in[0] = lc_grad_reshape_like(g, lc_grad_matmul(g, dy, false, g->in[1], false), g->in[0]);
    if (g->wants[1]) g->d_in[1] = lc_grad_matmul(g, dy, true, lc_build_reshape(g->b, g->in[0], dims_x, 2), false);
    if (g->in_count > 2 && g->wants[2]) g->d_in[2] = lc_grad_bias(g, dy);
}
