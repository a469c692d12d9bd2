/*
 * cast_grad.c: between floats; through whole numbers nothing is learned.
 */
#include "grad/grad.h"

void lc_grad_CAST(lc_grad *g) {
    if (lc_build_type(g->b, g->in[0]) == LC_FLOAT32) g->d_in[0] = g->d_out[0];
}
