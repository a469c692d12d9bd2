/*
 * select_grad.c: to the one that was chosen.
 */
#include "grad/grad.h"

void lc_grad_SELECT_V2(lc_grad *g) {
    lc_shape s;
    if (!lc_build_shape(g->b, g->d_out[0], &s)) return;
    const int32_t zero = lc_build_unary(g->b, LC_OP_ZEROS_LIKE, g->d_out[0]);
    if (g->wants[1]) {
        const int32_t in[3] = {g->in[0], g->d_out[0], zero};
        g->d_in[1] = lc_grad_sum_to(g, lc_build_op(g->b, g->node->op, g->node->attrs_table, g->node->attrs, in, 3), g->in[1]);
    }
    if (g->wants[2]) {
        const int32_t in[3] = {g->in[0], zero, g->d_out[0]};
        g->d_in[2] = lc_grad_sum_to(g, lc_build_op(g->b, g->node->op, g->node->attrs_table, g->node->attrs, in, 3), g->in[2]);
    }
}
void lc_grad_SELECT(lc_grad *g) { lc_grad_SELECT_V2(g); }
