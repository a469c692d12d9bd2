/*
 * norm_grad.c: normalisation over the last dimension.
 *
 *   L2   y = x / n, n = max(|x|, 1e-6)             dx = (dy - y sum(dy y)) / n, without the sum where n is the smallest it can be
 *   LRN  y = x s^-beta, s = bias + alpha W x^2     dx = dy s^-beta - 2 alpha beta x W(dy x s^(-beta - 1))
 *
 * W sums over the channels within a radius: a matrix of ones around its diagonal, which is its own transpose.
 */
#include "grad/grad.h"

static int32_t sum_last(lc_grad *g, int32_t x) {
    const int32_t last = -1;
    return lc_build_reduce(g->b, LC_OP_SUM, x, &last, 1, true);
}

void lc_grad_L2_NORMALIZATION(lc_grad *g) {
    const int32_t least = lc_build_scalar(g->b, "least", 1e-6f);
    const int32_t length = lc_build_unary(g->b, LC_OP_SQRT, sum_last(g, lc_build_unary(g->b, LC_OP_SQUARE, g->in[0])));
    const int32_t norm = lc_grad_binary(g, LC_OP_MAXIMUM, length, least);
    const int32_t moves =
        lc_build_cast(g->b, lc_build_op(g->b, LC_OP_GREATER, LC_TABLE_NONE, NULL, (const int32_t[]){length, least}, 2), LC_FLOAT32);
    const int32_t y = lc_grad_binary(g, LC_OP_DIV, g->in[0], norm);
    const int32_t sum = lc_grad_binary(g, LC_OP_MUL, sum_last(g, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], y)), moves);
    const int32_t d = lc_grad_binary(g, LC_OP_SUB, g->d_out[0], lc_grad_binary(g, LC_OP_MUL, y, sum));
    g->d_in[0] = lc_grad_binary(g, LC_OP_DIV, d, norm);
}

static int32_t power(lc_grad *g, int32_t x, float exponent) {
    const int32_t in[2] = {x, lc_build_scalar(g->b, "exponent", exponent)};
    return lc_build_op(g->b, LC_OP_POW, LC_TABLE_PowOptions, NULL, in, 2);
}

void lc_grad_LOCAL_RESPONSE_NORMALIZATION(lc_grad *g) {
    const lc_LocalResponseNormalizationOptions *o = LC_OP_ATTRS(g->node, LocalResponseNormalizationOptions);
    lc_shape s;
    if (!lc_build_shape(g->b, g->in[0], &s)) return;
    const int32_t n = s.dims[3], dims[2] = {n, n};
    const size_t bytes = (size_t)n * (size_t)n * sizeof(float);
    float *ones = lc_build_data(g->b, bytes);
    if (!ones) return;
    for (int32_t i = 0; i < n; i++)
        for (int32_t k = 0; k < n; k++) ones[(size_t)i * (size_t)n + (size_t)k] = k - i <= o->radius && i - k <= o->radius;
    const int32_t window = lc_build_const(g->b, "window", LC_FLOAT32, dims, 2, ones, bytes, true), x = g->in[0], dy = g->d_out[0];
    const int32_t sums = lc_grad_matmul(g, lc_build_unary(g->b, LC_OP_SQUARE, x), false, window, false);
    const int32_t base =
        lc_build_with_scalar(g->b, LC_OP_ADD, lc_build_with_scalar(g->b, LC_OP_MUL, sums, "alpha", o->alpha), "bias", o->bias);
    const int32_t inner = lc_grad_binary(g, LC_OP_MUL, lc_grad_binary(g, LC_OP_MUL, dy, x), power(g, base, -o->beta - 1));
    const int32_t others = lc_grad_binary(g, LC_OP_MUL, x, lc_grad_matmul(g, inner, false, window, false));
    g->d_in[0] = lc_grad_binary(g, LC_OP_SUB, lc_grad_binary(g, LC_OP_MUL, dy, power(g, base, -o->beta)),
                                lc_build_with_scalar(g->b, LC_OP_MUL, others, "by", 2 * o->alpha * o->beta));
}
