/*
 * loop.c: see loop.h. A pass may change the graphs of a loop only when nothing else calls them and they are no signature's.
 */
#include "pass/loop.h"

#include "ir/constant.h"

enum { MOST_CALLS = 64 };

/* How often a graph is named: by operators, signatures, and as the main graph. */
static uint32_t times_named(const lc_model *m, int32_t graph) {
    uint32_t n = graph == 0;
    for (size_t i = 0; i < m->signature_count; i++) n += m->signatures[i].graph == graph;
    for (size_t g = 0; g < m->graph_count && n < 2; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count && n < 2; k++) {
            const lc_op_def *def = lc_op_get(m->graphs[g]->nodes[k].op);
            int32_t called[MOST_CALLS];
            if (!def || !(def->flags & LC_OPF_CALLS)) continue;
            const uint32_t count = lc_op_calls(&m->graphs[g]->nodes[k], called, MOST_CALLS);
            if (count > MOST_CALLS) return 2;
            for (uint32_t i = 0; i < count; i++) n += called[i] == graph;
        }
    return n;
}

bool lc_loop_of(const lc_rewrite *rw, lc_node *node, lc_loop *loop) {
    const lc_model *m = rw->graph->model;
    if (node->op != LC_OP_WHILE || !node->attrs) return false;
    const lc_WhileOptions *o = LC_OP_ATTRS(node, WhileOptions);
    const int32_t c = o->cond_subgraph_index, b = o->body_subgraph_index;
    if (c < 0 || b < 0 || c == b || (size_t)c >= m->graph_count || (size_t)b >= m->graph_count) return false;
    *loop = (lc_loop){.node = node, .cond = m->graphs[c], .body = m->graphs[b], .n = node->input_count};
    const uint32_t n = loop->n;
    if (node->output_count != n || loop->body->input_count != n || loop->body->output_count != n || loop->cond->input_count != n ||
        loop->cond->output_count != 1 || loop->cond == rw->graph || loop->body == rw->graph)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (node->inputs[i] < 0 || node->outputs[i] < 0) return false;
    return times_named(m, c) == 1 && times_named(m, b) == 1;
}

int32_t lc_loop_value(const lc_graph *graph, int32_t tensor) {
    for (size_t i = 0; i < graph->input_count; i++)
        if (graph->inputs[i] == tensor) return (int32_t)i;
    return -1;
}

const lc_node *lc_loop_producer(const lc_graph *graph, const int32_t *producer, int32_t tensor) {
    const int32_t p = tensor < 0 ? -1 : producer[tensor];
    return p < 0 || graph->nodes[p].op == LC_NODE_DEAD ? NULL : &graph->nodes[p];
}

int32_t *lc_loop_producers(lc_rewrite *rw, const lc_graph *graph) {
    int32_t *p = lc_arena_array(&rw->temporary, graph->tensor_count + 1, sizeof *p);
    if (p) lc_graph_producers(graph, p);
    return p;
}

bool lc_loop_same_constant(const lc_tensor *a, const lc_tensor *b) {
    return lc_tensor_is_const(a) && lc_tensor_is_const(b) && a->type == b->type && !a->quant && !b->quant && lc_same_dims(a, b) &&
           lc_constant_equal(lc_constant_of(a), lc_constant_of(b));
}

bool lc_loop_same_options(const lc_node *a, const lc_node *b) {
    return a->op == b->op && a->op != LC_OP_CUSTOM && a->attrs_table == b->attrs_table &&
           (a->attrs_table == LC_TABLE_NONE || lc_fb_equal(a->attrs_table, a->attrs, b->attrs));
}
