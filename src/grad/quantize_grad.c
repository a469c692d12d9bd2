/*
 * quantize_grad.c: rounding is passed straight through (Bengio et al. 2013), cutting off is not: what lies outside the range does not learn.
 */
#include "grad/grad.h"

#include <math.h>

/* The range is moved so that zero is one of its steps, as the kernel does. */
void lc_grad_FAKE_QUANT(lc_grad *g) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(g->node, FakeQuantOptions);
    const float steps = (float)((1 << o->num_bits) - 1), scale = (o->max - o->min) / steps;
    const float nearest = fminf(fmaxf(roundf(-o->min / scale), 0), steps);
    const int32_t low[2] = {g->in[0], lc_build_scalar(g->b, "low", -nearest * scale)},
                  high[2] = {g->in[0], lc_build_scalar(g->b, "high", (steps - nearest) * scale)};
    const int32_t both[2] = {lc_build_op(g->b, LC_OP_GREATER_EQUAL, LC_TABLE_NONE, NULL, low, 2),
                             lc_build_op(g->b, LC_OP_LESS_EQUAL, LC_TABLE_NONE, NULL, high, 2)};
    const int32_t inside = lc_build_op(g->b, LC_OP_LOGICAL_AND, LC_TABLE_NONE, NULL, both, 2);
    g->d_in[0] = lc_build_select(g->b, inside, g->d_out[0], lc_build_scalar(g->b, "zero", 0));
}
