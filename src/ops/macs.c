/*
 * macs.c: multiply-accumulates of a node, for reports and profiles. Counted as a plain implementation would do them: padding cells
 * count, activations and bias do not. Open dimensions count as 1; a sum past 64 bits saturates.
 */
#include "ops/op.h"

#include <string.h>

static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t v;
    return lc_mul_u64(a, b, &v) ? v : UINT64_MAX;
}

/* 0: not known. */
static uint64_t elements(const lc_shape *s) {
    uint64_t n = s->rank >= 0;
    for (int32_t i = 0; i < s->rank; i++) n = times(n, s->dims[i] > 0 ? (uint64_t)s->dims[i] : 0);
    return n;
}

/* Product of the dimensions [from, to). */
static uint64_t span(const lc_shape *s, int32_t from, int32_t to) {
    uint64_t n = 1;
    for (int32_t i = from; i < to; i++) n = times(n, s->dims[i] > 0 ? (uint64_t)s->dims[i] : 0);
    return n;
}

uint64_t lc_op_shape_macs(const lc_node *node, const lc_shape *in, const lc_shape *out) {
    const lc_shape *a = in, *w = in + 1, *x = in + 2;
    if (a->rank < 0 || w->rank < 0) return 0;
    switch (node->op) {
    case LC_OP_CONV_2D: return w->rank == 4 ? times(elements(out), span(w, 1, 4)) : 0;
    case LC_OP_DEPTHWISE_CONV_2D: return w->rank == 4 ? times(elements(out), span(w, 1, 3)) : 0;
    case LC_OP_FULLY_CONNECTED: return w->rank == 2 ? times(elements(out), span(w, 1, 2)) : 0;
    case LC_OP_CONV_3D: return w->rank == 5 ? times(elements(out), span(w, 0, 4)) : 0;
    /* The transposed ones: each input cell meets the whole filter. Filter [co, kh, kw, ci], or [kd, kh, kw, co, ci]. */
    case LC_OP_TRANSPOSE_CONV: return w->rank == 4 ? times(elements(x), span(w, 0, 3)) : 0;
    case LC_OP_CONV_3D_TRANSPOSE: return w->rank == 5 ? times(elements(x), span(w, 0, 4)) : 0;
    case LC_OP_BATCH_MATMUL: {
        if (a->rank < 2) return 0;
        const bool adj = LC_OP_ATTRS(node, BatchMatMulOptions)->adj_x;
        return times(elements(out), span(a, a->rank - (adj ? 2 : 1), a->rank - (adj ? 1 : 0)));
    }
    default: return 0;
    }
}

static lc_shape shape(const lc_graph *graph, const int32_t *list, uint32_t n, uint32_t i) {
    lc_shape s = {.rank = LC_RANK_UNKNOWN};
    if (i >= n || list[i] < 0 || (size_t)list[i] >= graph->tensor_count) return s;
    const lc_tensor *t = &graph->tensors[list[i]];
    if (t->rank < 0 || t->rank > LC_MAX_RANK) return s;
    s.rank = t->rank;
    memcpy(s.dims, t->dims, (size_t)t->rank * sizeof *s.dims);
    return s;
}

uint64_t lc_op_macs(const lc_graph *graph, const lc_node *node) {
    lc_shape in[3];
    for (uint32_t i = 0; i < 3; i++) in[i] = shape(graph, node->inputs, node->input_count, i);
    const lc_shape out = shape(graph, node->outputs, node->output_count, 0);
    return lc_op_shape_macs(node, in, &out);
}
