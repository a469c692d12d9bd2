/*
 * batch_matmul_grad.c: z = X Y, each as it lies or transposed; leading dimensions broadcast.
 *
 *   X Y      dX = dZ Yᵀ      dY = Xᵀ dZ         X Yᵀ     dX = dZ Y       dY = dZᵀ X
 *   Xᵀ Y     dX = Y dZᵀ      dY = X dZ          Xᵀ Yᵀ    dX = Yᵀ dZᵀ     dY = dZᵀ Xᵀ
 */
#include "grad/grad.h"

void lc_grad_BATCH_MATMUL(lc_grad *g) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(g->node, BatchMatMulOptions);
    const int32_t x = g->in[0], y = g->in[1], d = g->d_out[0];
    if (g->wants[0])
        g->d_in[0] = lc_grad_sum_to(g, o->adj_x ? lc_grad_matmul(g, y, o->adj_y, d, true) : lc_grad_matmul(g, d, false, y, !o->adj_y), x);
    if (g->wants[1])
        g->d_in[1] = lc_grad_sum_to(g, o->adj_y ? lc_grad_matmul(g, d, true, x, o->adj_x) : lc_grad_matmul(g, x, !o->adj_x, d, false), y);
}
