/*
 * quantize_grad.c: rounding is passed straight through (Bengio et al. 2013), cutting off is not: what lies outside the range does not learn.
 */
#include "grad/grad.h"

#include "kernels/fake_quant.h"

void lc_grad_FAKE_QUANT(lc_grad *g) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(g->node, FakeQuantOptions);
    const lc_fake_grid grid = lc_fake_grid_of(o->min, o->max, o->num_bits);
    const int32_t low[2] = {g->in[0], lc_build_scalar(g->b, "low", grid.low)},
                  high[2] = {g->in[0], lc_build_scalar(g->b, "high", grid.high)};
    const int32_t both[2] = {lc_build_op(g->b, LC_OP_GREATER_EQUAL, LC_TABLE_NONE, NULL, low, 2),
                             lc_build_op(g->b, LC_OP_LESS_EQUAL, LC_TABLE_NONE, NULL, high, 2)};
    const int32_t inside = lc_build_op(g->b, LC_OP_LOGICAL_AND, LC_TABLE_NONE, NULL, both, 2);
    g->d_in[0] = lc_build_select(g->b, inside, g->d_out[0], lc_build_scalar(g->b, "zero", 0));
}
