/*
 * merge_nodes.c: two operators of one kind with equal options that read the same tensors compute the same; the later one goes and its
 * readers read the first (common subexpressions: a layer called twice on one tensor). Found by hash, decided by comparison.
 * Operators with side effects or several outputs, and those that write a graph output, are left alone.
 */
#include "pass/rewrite.h"

#include <string.h>

static bool eligible(const lc_rewrite *rw, const lc_node *node) {
    const lc_op_def *def = lc_op_get(node->op);
    return def && !(def->flags & LC_OPF_SIDE_EFFECT) && node->output_count == 1 && node->outputs[0] >= 0 && node->input_count > 0 &&
           !node->intermediate_count && !node->mutating.n && !rw->is_output[node->outputs[0]] && !node->custom_options.n &&
           !lc_rewrite_tensor(rw, node->outputs[0])->is_variable; /* a state is its reader's alone */
}

/* x + y and y + x. */
static bool commutes(const lc_node *node) { return node->input_count == 2 && (lc_op_get(node->op)->flags & LC_OPF_COMMUTES); }

static bool same_inputs(const lc_node *a, const lc_node *b) {
    if (memcmp(a->inputs, b->inputs, a->input_count * sizeof *a->inputs) == 0) return true;
    return commutes(a) && a->inputs[0] == b->inputs[1] && a->inputs[1] == b->inputs[0];
}

static uint64_t hash(const lc_node *node) {
    const bool swapped = commutes(node) && node->inputs[1] < node->inputs[0];
    const int32_t pair[2] = {swapped ? node->inputs[1] : 0, swapped ? node->inputs[0] : 0};
    return lc_hash(swapped ? pair : node->inputs, node->input_count * sizeof *node->inputs, (uint64_t)node->op);
}

static bool equal(const lc_rewrite *rw, const lc_node *a, const lc_node *b) {
    if (a->op != b->op || a->version != b->version || a->input_count != b->input_count || a->attrs_table != b->attrs_table) return false;
    if (!same_inputs(a, b)) return false;
    const lc_tensor *x = lc_rewrite_tensor(rw, a->outputs[0]), *y = lc_rewrite_tensor(rw, b->outputs[0]);
    if (x->type != y->type || x->quant || y->quant) return false;
    return a->attrs_table == LC_TABLE_NONE || lc_fb_equal(a->attrs_table, a->attrs, b->attrs);
}

lc_status lc_pass_merge_nodes(lc_rewrite *rw) {
    lc_graph *g = rw->graph;
    size_t buckets = 64;
    while (buckets < g->node_count * 2) buckets *= 2;
    int32_t *table = lc_arena_array(&rw->temporary, buckets, sizeof *table);
    if (!table) return lc_fail_memory(rw->err, "merging operators");
    for (size_t n = 0; n < g->node_count; n++) {
        lc_node *node = &g->nodes[n];
        if (node->op == LC_NODE_DEAD) continue;
        lc_rewrite_resolve(rw, node);
        if (!eligible(rw, node)) continue;
        size_t b = (size_t)hash(node) & (buckets - 1);
        while (table[b] && !equal(rw, &g->nodes[table[b] - 1], node)) b = (b + 1) & (buckets - 1);
        if (table[b]) lc_rewrite_bypass(rw, node, g->nodes[table[b] - 1].outputs[0]);
        else table[b] = (int32_t)n + 1;
    }
    return LC_OK;
}
