/*
 * merge_constants.c: constants of equal type, shape and bytes become one tensor, so that a value shared in the source (a layer
 * used twice, a scalar written many times) is stored and shown once. Found by hash, decided by comparison. Graph outputs keep
 * their own tensor; quantised, sparse and variable tensors are left alone.
 */
#include "ir/constant.h"
#include "pass/rewrite.h"

#include <string.h>

static bool eligible(const lc_rewrite *rw, size_t t) {
    const lc_tensor *v = &rw->graph->tensors[t];
    return lc_tensor_is_const(v) && rw->uses[t] > 0 && !rw->is_output[t] && !v->quant && !v->sparsity && !v->is_variable && !v->signature &&
           !v->variant_count && !v->external_buffer;
}

static bool equal(const lc_tensor *a, const lc_tensor *b) {
    return a->type == b->type && a->rank == b->rank && (a->rank == 0 || memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0) &&
           lc_constant_equal(lc_constant_of(a), lc_constant_of(b));
}

static uint64_t hash_of(const lc_tensor *t) {
    return lc_hash(t->dims, (size_t)t->rank * sizeof *t->dims, lc_constant_key(lc_constant_of(t)) ^ (uint64_t)t->type);
}

lc_status lc_pass_merge_constants(lc_rewrite *rw) {
    lc_graph *g = rw->graph;
    const size_t n = g->tensor_count;
    size_t buckets = 64;
    while (buckets < n * 2) buckets *= 2;
    int32_t *table = lc_arena_array(&rw->temporary, buckets, sizeof *table);
    int32_t *merged = lc_arena_array(&rw->temporary, n ? n : 1, sizeof *merged);
    if (!table || !merged) return lc_fail_memory(rw->err, "merging constants");
    bool any = false;
    for (size_t t = 0; t < n; t++) {
        merged[t] = (int32_t)t;
        if (!eligible(rw, t)) continue;
        size_t b = (size_t)hash_of(&g->tensors[t]) & (buckets - 1);
        while (table[b] && !equal(&g->tensors[table[b] - 1], &g->tensors[t])) b = (b + 1) & (buckets - 1);
        if (!table[b]) table[b] = (int32_t)t + 1;
        else merged[t] = table[b] - 1, any = true;
    }
    if (!any) return LC_OK;
    for (size_t i = 0; i < g->node_count; i++) {
        lc_node *node = &g->nodes[i];
        if (node->op == LC_NODE_DEAD) continue;
        for (uint32_t k = 0; k < node->input_count; k++) {
            const int32_t t = node->inputs[k];
            if (t >= 0 && merged[t] != t) lc_rewrite_set_input(rw, node, k, merged[t]);
        }
    }
    return LC_OK;
}
