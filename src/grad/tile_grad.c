/*
 * tile_grad.c: what was repeated is added up.
 */
#include "grad/grad.h"

void lc_grad_BROADCAST_TO(lc_grad *g) { g->d_in[0] = lc_grad_sum_to(g, g->d_out[0], g->in[0]); }

/* One dimension after the other: [before, times, the rest] summed over the middle. */
void lc_grad_TILE(lc_grad *g) {
    lc_shape in, out;
    int32_t times[LC_MAX_RANK], n, d = g->d_out[0], before = 1;
    if (!lc_build_shape(g->b, g->in[0], &in) || !lc_build_shape(g->b, g->out[0], &out) || !lc_grad_ints(g, 1, times, &n)) return;
    for (int32_t i = 0; i < in.rank; i++) {
        if (times[i] != 1) {
            const int32_t axis = 1, dims[3] = {before, times[i], -1};
            d = lc_build_reduce(g->b, LC_OP_SUM, lc_build_reshape(g->b, d, dims, 3), &axis, 1, false);
        }
        before *= in.dims[i];
    }
    g->d_in[0] = lc_grad_reshape_like(g, d, g->in[0]);
}
