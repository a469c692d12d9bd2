/*
 * unary_grad.c: functions of one tensor, element by element.
 */
#include "grad/grad.h"

static void times(lc_grad *g, int32_t slope) { g->d_in[0] = lc_grad_binary(g, LC_OP_MUL, g->d_out[0], slope); }

void lc_grad_ABS(lc_grad *g) { times(g, lc_build_unary(g->b, LC_OP_SIGN, g->in[0])); }
void lc_grad_NEG(lc_grad *g) { g->d_in[0] = lc_build_unary(g->b, LC_OP_NEG, g->d_out[0]); }
void lc_grad_EXP(lc_grad *g) { times(g, g->out[0]); }
void lc_grad_LOG(lc_grad *g) { g->d_in[0] = lc_grad_binary(g, LC_OP_DIV, g->d_out[0], g->in[0]); }
/* 1 / (2 sqrt x) */
void lc_grad_SQRT(lc_grad *g) {
    g->d_in[0] = lc_build_with_scalar(g->b, LC_OP_MUL, lc_grad_binary(g, LC_OP_DIV, g->d_out[0], g->out[0]), "half", 0.5f);
}
/* -1/2 y^3 */
void lc_grad_RSQRT(lc_grad *g) {
    const int32_t cube = lc_grad_binary(g, LC_OP_MUL, lc_build_unary(g->b, LC_OP_SQUARE, g->out[0]), g->out[0]);
    times(g, lc_build_with_scalar(g->b, LC_OP_MUL, cube, "half", -0.5f));
}
void lc_grad_SQUARE(lc_grad *g) { times(g, lc_build_with_scalar(g->b, LC_OP_MUL, g->in[0], "two", 2)); }
void lc_grad_SIN(lc_grad *g) { times(g, lc_build_unary(g->b, LC_OP_COS, g->in[0])); }
void lc_grad_COS(lc_grad *g) { times(g, lc_build_unary(g->b, LC_OP_NEG, lc_build_unary(g->b, LC_OP_SIN, g->in[0]))); }
