/*
 * transpose_grad.c: the inverse permutation; what was turned round, turned round again.
 */
#include "grad/grad.h"

void lc_grad_TRANSPOSE(lc_grad *g) {
    int32_t perm[LC_MAX_RANK], rank = 0;
    if (!lc_grad_ints(g, 1, perm, &rank)) return;
    int32_t inverse[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) inverse[perm[i] < 0 ? perm[i] + rank : perm[i]] = i;
    g->d_in[0] = lc_build_transpose(g->b, g->d_out[0], inverse, rank);
}

/* Turned round twice is as before. */
static void again(lc_grad *g) {
    g->d_in[0] = lc_build_op(g->b, g->node->op, g->node->attrs_table, g->node->attrs, (const int32_t[]){g->d_out[0], g->in[1]}, 2);
}
void lc_grad_REVERSE_V2(lc_grad *g) { again(g); }
void lc_grad_REVERSE_SEQUENCE(lc_grad *g) { again(g); }
