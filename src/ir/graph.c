/*
 * graph.c: what rewrites begin and end with: who uses what, and compact.
 *
 * A rewrite marks nodes dead and re-points inputs (pass/rewrite.c); compact then drops what is left over and renumbers, keeping the
 * order of tensors and nodes, so that the same graph always comes out the same. Nothing is freed: the arena keeps what was dropped.
 */
#include "ir/ir.h"

#include <string.h>

/* Index of the graph in its model: signatures name graphs by it. */
static int32_t graph_index(const lc_graph *graph) {
    for (size_t i = 0; i < graph->model->graph_count; i++)
        if (graph->model->graphs[i] == graph) return (int32_t)i;
    return -1;
}

static bool known(const lc_graph *graph, int32_t tensor) { return tensor >= 0 && (size_t)tensor < graph->tensor_count; }

void lc_graph_count_uses(const lc_graph *graph, uint32_t *counts) {
    memset(counts, 0, graph->tensor_count * sizeof *counts);
    for (size_t i = 0; i < graph->node_count; i++) {
        const lc_node *n = &graph->nodes[i];
        for (uint32_t k = 0; n->op != LC_NODE_DEAD && k < n->input_count; k++)
            if (known(graph, n->inputs[k])) counts[n->inputs[k]]++;
    }
    for (size_t i = 0; i < graph->output_count; i++)
        if (known(graph, graph->outputs[i])) counts[graph->outputs[i]]++;
}

void lc_graph_producers(const lc_graph *graph, int32_t *producer) {
    for (size_t i = 0; i < graph->tensor_count; i++) producer[i] = -1;
    for (size_t i = 0; i < graph->node_count; i++) {
        const lc_node *n = &graph->nodes[i];
        for (uint32_t k = 0; n->op != LC_NODE_DEAD && k < n->output_count; k++)
            if (known(graph, n->outputs[k])) producer[n->outputs[k]] = (int32_t)i;
    }
}

/* ---- compact ------------------------------------------------------------------------------------------------ */

/* Calls visit for every place that names a tensor of the graph. */
static void each_index(lc_graph *graph, void (*visit)(int32_t *index, int32_t *map), int32_t *map) {
    for (size_t i = 0; i < graph->node_count; i++) {
        lc_node *n = &graph->nodes[i];
        for (uint32_t k = 0; k < n->input_count; k++) visit(&n->inputs[k], map);
        for (uint32_t k = 0; k < n->output_count; k++) visit(&n->outputs[k], map);
        for (uint32_t k = 0; k < n->intermediate_count; k++) visit(&n->intermediates[k], map);
    }
    for (size_t i = 0; i < graph->input_count; i++) visit(&graph->inputs[i], map);
    for (size_t i = 0; i < graph->output_count; i++) visit(&graph->outputs[i], map);
    int32_t self = graph_index(graph);
    for (size_t i = 0; i < graph->model->signature_count; i++) {
        lc_signature *s = &graph->model->signatures[i];
        if (s->graph != self) continue;
        for (uint32_t k = 0; k < s->input_count; k++) visit(&s->inputs[k].tensor, map);
        for (uint32_t k = 0; k < s->output_count; k++) visit(&s->outputs[k].tensor, map);
    }
}

static void mark(int32_t *index, int32_t *map) {
    if (*index >= 0) map[*index] = 1;
}

static void renumber(int32_t *index, int32_t *map) {
    if (*index >= 0) *index = map[*index];
}

/* Scales in blocks are tensors that another's quantisation names. */
static const lc_BlockwiseQuantization *blocks_of(const lc_tensor *t) {
    return t->quant && t->quant->details.type == LC_QuantizationDetails_BlockwiseQuantization ? t->quant->details.value : NULL;
}

static void mark_scales(const lc_graph *graph, int32_t *map) {
    for (size_t i = 0; i < graph->tensor_count; i++) {
        const lc_BlockwiseQuantization *b = map[i] ? blocks_of(&graph->tensors[i]) : NULL;
        if (b && known(graph, b->scales)) map[b->scales] = 1;
        if (b && known(graph, b->zero_points)) map[b->zero_points] = 1;
    }
}

/* The quantisation may be another model's, too (fork.c): it is copied. */
static lc_status renumber_scales(lc_graph *graph, size_t before, const int32_t *map, lc_error *err) {
    for (size_t i = 0; i < graph->tensor_count; i++) {
        lc_tensor *t = &graph->tensors[i];
        const lc_BlockwiseQuantization *b = blocks_of(t);
        if (!b) continue;
        lc_QuantizationParameters *q = lc_arena_alloc(&graph->model->arena, sizeof *q);
        lc_BlockwiseQuantization *copy = lc_arena_alloc(&graph->model->arena, sizeof *copy);
        if (!q || !copy) return lc_fail_memory(err, "compacting a graph");
        *q = *t->quant;
        *copy = *b;
        if (b->scales >= 0 && (size_t)b->scales < before) copy->scales = map[b->scales];
        if (b->zero_points >= 0 && (size_t)b->zero_points < before) copy->zero_points = map[b->zero_points];
        q->details.value = copy;
        t->quant = q;
    }
    return LC_OK;
}

static void drop_dead(lc_graph *graph) {
    size_t kept = 0;
    for (size_t i = 0; i < graph->node_count; i++) {
        if (graph->nodes[i].op == LC_NODE_DEAD) continue;
        if (kept != i) graph->nodes[kept] = graph->nodes[i];
        kept++;
    }
    graph->node_count = kept;
}

lc_status lc_graph_compact(lc_graph *graph, lc_error *err) {
    drop_dead(graph);
    if (graph->tensor_count == 0) return LC_OK;
    int32_t *map = lc_calloc(graph->tensor_count, sizeof *map);
    if (!map) return lc_fail_memory(err, "compacting a graph");
    each_index(graph, mark, map);
    mark_scales(graph, map);
    const size_t before = graph->tensor_count;
    size_t kept = 0;
    for (size_t i = 0; i < graph->tensor_count; i++) {
        if (!map[i]) continue;
        if (kept != i) graph->tensors[kept] = graph->tensors[i];
        map[i] = (int32_t)kept++;
    }
    graph->tensor_count = kept;
    each_index(graph, renumber, map);
    const lc_status status = renumber_scales(graph, before, map, err);
    lc_free(map);
    return status;
}
