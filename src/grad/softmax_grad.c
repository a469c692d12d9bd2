/*
 * softmax_grad.c: along the last dimension.
 *
 *   y = softmax(beta x)      dx = beta (dy - sum(dy y)) y
 *   y = log softmax(x)       dx = dy - exp(y) sum(dy)
 */
#include "grad/grad.h"

static int32_t sum_last(lc_grad *g, int32_t x) {
    lc_shape s;
    if (!lc_build_shape(g->b, x, &s)) return -1;
    const int32_t last = s.rank - 1;
    return lc_build_reduce(g->b, LC_OP_SUM, x, &last, 1, true);
}

void lc_grad_SOFTMAX(lc_grad *g) {
    const float beta = LC_OP_ATTRS(g->node, SoftmaxOptions)->beta;
    const int32_t sum = sum_last(g, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], g->out[0]));
    int32_t d = lc_grad_binary(g, LC_OP_MUL, lc_grad_binary(g, LC_OP_SUB, g->d_out[0], sum), g->out[0]);
    if (beta != 1) d = lc_build_with_scalar(g->b, LC_OP_MUL, d, "beta", beta);
    g->d_in[0] = d;
}

void lc_grad_LOG_SOFTMAX(lc_grad *g) {
    const int32_t share = lc_grad_binary(g, LC_OP_MUL, lc_build_unary(g->b, LC_OP_EXP, g->out[0]), sum_last(g, g->d_out[0]));
    g->d_in[0] = lc_grad_binary(g, LC_OP_SUB, g->d_out[0], share);
}
