/*
 * cumsum_grad.c: a number is in all sums behind it, so its gradient is the sum of theirs: CUMSUM the other way.
 */
#include "grad/grad.h"

void lc_grad_CUMSUM(lc_grad *g) {
    lc_CumsumOptions o = *LC_OP_ATTRS(g->node, CumsumOptions);
    o.reverse = !o.reverse;
    g->d_in[0] = lc_build_op(g->b, LC_OP_CUMSUM, LC_TABLE_CumsumOptions, &o, (const int32_t[]){g->d_out[0], g->in[1]}, 2);
}
