/*
 * gather_grad.c: rows of a table: what came from a row is added up in it.
 */
#include "grad/grad.h"

static void rule(lc_grad *g, uint32_t table, uint32_t indices, int32_t axis, int32_t batch_dims) {
    lc_shape s;
    if (!lc_build_shape(g->b, g->in[table], &s)) return;
    lc_gather_grad_options o = {.rank = s.rank, .axis = axis < 0 ? axis + s.rank : axis, .batch_dims = batch_dims};
    for (int32_t i = 0; i < s.rank; i++) o.dims[i] = s.dims[i];
    const int32_t in[2] = {g->d_out[0], g->in[indices]};
    if (g->wants[table]) g->d_in[table] = lc_build_own_one(g->b, &lc_own_GATHER_GRAD, &o, sizeof o, in, 2);
}

void lc_grad_GATHER(lc_grad *g) {
    const lc_GatherOptions *o = LC_OP_ATTRS(g->node, GatherOptions);
    rule(g, 0, 1, o->axis, o->batch_dims);
}

void lc_grad_EMBEDDING_LOOKUP(lc_grad *g) { rule(g, 1, 0, 0, 0); }

void lc_grad_GATHER_ND(lc_grad *g) {
    lc_shape s;
    if (!lc_build_shape(g->b, g->in[0], &s)) return;
    const int32_t in[3] = {g->in[1], g->d_out[0], lc_build_ints(g->b, "shape", s.dims, (uint32_t)s.rank)};
    g->d_in[0] = lc_build_op(g->b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, in, 3);
}

void lc_grad_SCATTER_ND(lc_grad *g) {
    const int32_t in[2] = {g->d_out[0], g->in[0]};
    g->d_in[1] = lc_build_op(g->b, LC_OP_GATHER_ND, LC_TABLE_GatherNdOptions, NULL, in, 2);
}

/* The largest of each row, gathered. */
void lc_grad_TOPK_V2(lc_grad *g) {
    lc_shape s;
    if (g->d_out[0] < 0 || !lc_build_shape(g->b, g->in[0], &s)) return;
    lc_gather_grad_options o = {.rank = s.rank, .axis = s.rank - 1, .batch_dims = s.rank - 1};
    for (int32_t i = 0; i < s.rank; i++) o.dims[i] = s.dims[i];
    g->d_in[0] = lc_build_own_one(g->b, &lc_own_GATHER_GRAD, &o, sizeof o, (const int32_t[]){g->d_out[0], g->out[1]}, 2);
}
