/*
 * macs.c: multiply-accumulates of a node, for reports and profiles. Counted as a plain implementation would do them: padding cells
 * count, activations and bias do not. Open dimensions count as 1; a sum past 64 bits saturates.
 */
#include "ops/op.h"

static uint64_t times(uint64_t a, uint64_t b) {
    uint64_t v;
    return lc_mul_u64(a, b, &v) ? v : UINT64_MAX;
}

static const lc_tensor *tensor(const lc_graph *graph, const int32_t *list, uint32_t n, uint32_t i) {
    if (i >= n || list[i] < 0 || (size_t)list[i] >= graph->tensor_count) return NULL;
    return &graph->tensors[list[i]];
}

static uint64_t elements(const lc_tensor *t) {
    uint64_t n;
    return t && lc_tensor_elements(t, &n) ? n : 0;
}

/* Product of the dimensions [from, to). */
static uint64_t span(const lc_tensor *t, int32_t from, int32_t to) {
    uint64_t n = 1;
    for (int32_t i = from; i < to; i++) n = times(n, t->dims[i] > 0 ? (uint64_t)t->dims[i] : 0);
    return n;
}

uint64_t lc_op_macs(const lc_graph *graph, const lc_node *node) {
    const lc_tensor *a = tensor(graph, node->inputs, node->input_count, 0);
    const lc_tensor *w = tensor(graph, node->inputs, node->input_count, 1);
    const lc_tensor *x = tensor(graph, node->inputs, node->input_count, 2);
    const lc_tensor *out = tensor(graph, node->outputs, node->output_count, 0);
    if (!a || !w || !out) return 0;
    switch (node->op) {
    case LC_OP_CONV_2D: return w->rank == 4 ? times(elements(out), span(w, 1, 4)) : 0;
    case LC_OP_DEPTHWISE_CONV_2D: return w->rank == 4 ? times(elements(out), span(w, 1, 3)) : 0;
    case LC_OP_FULLY_CONNECTED: return w->rank == 2 ? times(elements(out), span(w, 1, 2)) : 0;
    case LC_OP_CONV_3D: return w->rank == 5 ? times(elements(out), span(w, 0, 4)) : 0;
    /* The transposed ones: each input cell meets the whole filter. Filter [co, kh, kw, ci], or [kd, kh, kw, co, ci]. */
    case LC_OP_TRANSPOSE_CONV: return x && w->rank == 4 ? times(elements(x), span(w, 0, 3)) : 0;
    case LC_OP_CONV_3D_TRANSPOSE: return x && w->rank == 5 ? times(elements(x), span(w, 0, 4)) : 0;
    case LC_OP_BATCH_MATMUL: {
        if (a->rank < 2) return 0;
        bool adj = LC_OP_ATTRS(node, BatchMatMulOptions)->adj_x;
        int32_t inner = a->dims[a->rank - (adj ? 2 : 1)];
        return times(elements(out), inner > 0 ? (uint64_t)inner : 0);
    }
    default: return 0;
    }
}
