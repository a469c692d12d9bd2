/*
 * reshape_grad.c: the same elements under another shape, back under theirs.
 */
#include "grad/grad.h"

void lc_grad_RESHAPE(lc_grad *g) { g->d_in[0] = lc_grad_reshape_like(g, g->d_out[0], g->in[0]); }
void lc_grad_SQUEEZE(lc_grad *g) { lc_grad_RESHAPE(g); }
void lc_grad_EXPAND_DIMS(lc_grad *g) { lc_grad_RESHAPE(g); }
