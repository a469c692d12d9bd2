/*
 * activation_grad.c: activations: one operator, ACTIVATION_GRAD, for all of them (activation_own.c).
 */
#include "grad/grad.h"

static void rule(lc_grad *g, lc_own_activation kind, float alpha, int32_t from) {
    const lc_activation_options o = {kind, alpha};
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_ACTIVATION_GRAD, &o, sizeof o, (const int32_t[]){g->d_out[0], from}, 2);
}

void lc_grad_RELU(lc_grad *g) { rule(g, LC_ACT_RELU, 0, g->out[0]); }
void lc_grad_RELU6(lc_grad *g) { rule(g, LC_ACT_RELU6, 0, g->out[0]); }
void lc_grad_RELU_N1_TO_1(lc_grad *g) { rule(g, LC_ACT_RELU_N1_TO_1, 0, g->out[0]); }
void lc_grad_RELU_0_TO_1(lc_grad *g) { rule(g, LC_ACT_RELU_0_TO_1, 0, g->out[0]); }
void lc_grad_LOGISTIC(lc_grad *g) { rule(g, LC_ACT_LOGISTIC, 0, g->out[0]); }
void lc_grad_TANH(lc_grad *g) { rule(g, LC_ACT_TANH, 0, g->out[0]); }
void lc_grad_ELU(lc_grad *g) { rule(g, LC_ACT_ELU, 0, g->out[0]); }
void lc_grad_LEAKY_RELU(lc_grad *g) { rule(g, LC_ACT_LEAKY_RELU, LC_OP_ATTRS(g->node, LeakyReluOptions)->alpha, g->in[0]); }
void lc_grad_HARD_SWISH(lc_grad *g) { rule(g, LC_ACT_HARD_SWISH, 0, g->in[0]); }
void lc_grad_GELU(lc_grad *g) { rule(g, LC_OP_ATTRS(g->node, GeluOptions)->approximate ? LC_ACT_GELU_TANH : LC_ACT_GELU, 0, g->in[0]); }

/* x where it is not negative, else alpha x. */
void lc_grad_PRELU(lc_grad *g) {
    const int32_t zero = lc_build_scalar(g->b, "zero", 0), one = lc_build_scalar(g->b, "one", 1);
    const int32_t negative = lc_build_op(g->b, LC_OP_LESS, LC_TABLE_NONE, NULL, (const int32_t[]){g->in[0], zero}, 2);
    if (g->wants[0]) g->d_in[0] = lc_grad_binary(g, LC_OP_MUL, g->d_out[0], lc_build_select(g->b, negative, g->in[1], one));
    if (g->wants[1]) {
        const int32_t part = lc_build_select(g->b, negative, g->in[0], zero);
        g->d_in[1] = lc_grad_sum_to(g, lc_grad_binary(g, LC_OP_MUL, g->d_out[0], part), g->in[1]);
    }
}
