/*
 * binary_grad.c: arithmetic of two tensors. Where one was broadcast its gradient is summed over the dimensions it was repeated in.
 */
#include "grad/grad.h"

static void give(lc_grad *g, uint32_t i, int32_t d) { g->d_in[i] = lc_grad_sum_to(g, d, g->in[i]); }

void lc_grad_ADD(lc_grad *g) {
    for (uint32_t i = 0; i < 2; i++)
        if (g->wants[i]) give(g, i, g->d_out[0]);
}

void lc_grad_ADD_N(lc_grad *g) {
    for (uint32_t i = 0; i < g->in_count; i++)
        if (g->wants[i]) g->d_in[i] = g->d_out[0];
}

void lc_grad_SUB(lc_grad *g) {
    if (g->wants[0]) give(g, 0, g->d_out[0]);
    if (g->wants[1]) g->d_in[1] = lc_build_unary(g->b, LC_OP_NEG, lc_grad_sum_to(g, g->d_out[0], g->in[1]));
}

void lc_grad_MUL(lc_grad *g) {
    if (g->wants[0]) give(g, 0, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], g->in[1]));
    if (g->wants[1]) give(g, 1, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], g->in[0]));
}

/* d(x / y) = dx / y - x / y^2 dy; with a fused activation the output is not x / y, so it is not used. */
void lc_grad_DIV(lc_grad *g) {
    const int32_t by = lc_grad_binary(g, LC_OP_DIV, g->d_out[0], g->in[1]);
    if (g->wants[0]) give(g, 0, by);
    if (g->wants[1]) {
        const int32_t ratio = lc_grad_binary(g, LC_OP_DIV, g->in[0], g->in[1]);
        give(g, 1, lc_build_unary(g->b, LC_OP_NEG, lc_grad_binary(g, LC_OP_MUL, by, ratio)));
    }
}

/* TensorFlow gives the whole gradient to the first where both are equal. */
static void chosen(lc_grad *g, int32_t compare) {
    const int32_t first = lc_build_op(g->b, compare, LC_TABLE_NONE, NULL, (const int32_t[]){g->in[0], g->in[1]}, 2);
    const int32_t mask = lc_build_cast(g->b, first, LC_FLOAT32);
    const int32_t d = lc_grad_binary(g, LC_OP_MUL, g->d_out[0], mask);
    if (g->wants[0]) give(g, 0, d);
    if (g->wants[1]) give(g, 1, lc_grad_binary(g, LC_OP_SUB, g->d_out[0], d));
}

void lc_grad_MAXIMUM(lc_grad *g) { chosen(g, LC_OP_GREATER_EQUAL); }
void lc_grad_MINIMUM(lc_grad *g) { chosen(g, LC_OP_LESS_EQUAL); }

void lc_grad_SQUARED_DIFFERENCE(lc_grad *g) {
    const int32_t twice = lc_build_with_scalar(g->b, LC_OP_MUL, lc_grad_binary(g, LC_OP_SUB, g->in[0], g->in[1]), "two", 2);
    const int32_t d = lc_grad_binary(g, LC_OP_MUL, g->d_out[0], twice);
    if (g->wants[0]) give(g, 0, d);
    if (g->wants[1]) g->d_in[1] = lc_build_unary(g->b, LC_OP_NEG, lc_grad_sum_to(g, d, g->in[1]));
}

/* x^y: y x^(y-1), and x^y log x, which is 0 where x is not positive (TensorFlow's choice). */
void lc_grad_POW(lc_grad *g) {
    if (g->wants[0]) {
        const int32_t less = lc_build_with_scalar(g->b, LC_OP_SUB, g->in[1], "one", 1);
        const int32_t slope = lc_grad_binary(g, LC_OP_MUL, g->in[1],
                                             lc_build_op(g->b, LC_OP_POW, LC_TABLE_PowOptions, NULL, (const int32_t[]){g->in[0], less}, 2));
        give(g, 0, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], slope));
    }
    if (g->wants[1]) {
        const int32_t zero = lc_build_scalar(g->b, "zero", 0), one = lc_build_scalar(g->b, "one", 1);
        const int32_t positive = lc_build_op(g->b, LC_OP_GREATER, LC_TABLE_NONE, NULL, (const int32_t[]){g->in[0], zero}, 2);
        const int32_t log = lc_build_unary(g->b, LC_OP_LOG, lc_build_select(g->b, positive, g->in[0], one));
        give(g, 1, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], lc_grad_binary(g, LC_OP_MUL, g->out[0], log)));
    }
}

/* x - floor(x / y) y */
void lc_grad_FLOOR_MOD(lc_grad *g) {
    if (g->wants[0]) give(g, 0, g->d_out[0]);
    if (g->wants[1]) {
        const int32_t times = lc_build_unary(g->b, LC_OP_FLOOR, lc_grad_binary(g, LC_OP_DIV, g->in[0], g->in[1]));
        give(g, 1, lc_build_unary(g->b, LC_OP_NEG, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], times)));
    }
}

/* Of the angle of (x, y): x / r^2 by y, -y / r^2 by x. */
void lc_grad_ATAN2(lc_grad *g) {
    const int32_t y = g->in[0], x = g->in[1];
    const int32_t square = lc_grad_binary(g, LC_OP_ADD, lc_build_unary(g->b, LC_OP_SQUARE, x), lc_build_unary(g->b, LC_OP_SQUARE, y));
    const int32_t d = lc_grad_binary(g, LC_OP_DIV, g->d_out[0], square);
    if (g->wants[0]) give(g, 0, lc_grad_binary(g, LC_OP_MUL, d, x));
    if (g->wants[1]) give(g, 1, lc_build_unary(g->b, LC_OP_NEG, lc_grad_binary(g, LC_OP_MUL, d, y)));
}
