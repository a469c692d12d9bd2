/*
 * split_grad.c: what was taken apart is put together; a part that nothing was learned from is zeros.
 */
#include "grad/grad.h"

static int32_t or_zeros(lc_grad *g, uint32_t i) {
    return g->d_out[i] >= 0 ? g->d_out[i] : lc_build_unary(g->b, LC_OP_ZEROS_LIKE, g->out[i]);
}

/* Concatenation of the outputs' gradients along the axis, as input `to`. */
static void join(lc_grad *g, uint32_t to, int32_t axis) {
    int32_t *parts = lc_arena_array(&g->b->model->arena, g->out_count, sizeof *parts);
    if (!parts) {
        lc_build_check(g->b, lc_fail_memory(g->b->err, "gradients"));
        return;
    }
    for (uint32_t i = 0; i < g->out_count; i++) parts[i] = or_zeros(g, i);
    const lc_ConcatenationOptions o = {.axis = axis};
    g->d_in[to] = lc_build_op(g->b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, parts, g->out_count);
}

void lc_grad_SPLIT(lc_grad *g) {
    int32_t axis[LC_MAX_RANK], n;
    if (lc_grad_ints(g, 0, axis, &n)) join(g, 1, axis[0]);
}

void lc_grad_SPLIT_V(lc_grad *g) {
    int32_t axis[LC_MAX_RANK], n;
    if (lc_grad_ints(g, 2, axis, &n)) join(g, 0, axis[0]);
}

void lc_grad_UNPACK(lc_grad *g) {
    int32_t *parts = lc_arena_array(&g->b->model->arena, g->out_count, sizeof *parts);
    if (!parts) {
        lc_build_check(g->b, lc_fail_memory(g->b->err, "gradients"));
        return;
    }
    for (uint32_t i = 0; i < g->out_count; i++) parts[i] = or_zeros(g, i);
    const lc_PackOptions o = {.axis = LC_OP_ATTRS(g->node, UnpackOptions)->axis, .values_count = (int32_t)g->out_count};
    g->d_in[0] = lc_build_op(g->b, LC_OP_PACK, LC_TABLE_PackOptions, &o, parts, g->out_count);
}
