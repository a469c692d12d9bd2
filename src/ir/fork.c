/*
 * fork.c: a second form of a model that shares the first one's constants. Tensors, operators, options, inputs, outputs and signatures are
 * copies that a rewrite may change as it likes; bytes of constants, names and what else never changes in place are borrowed. The fork
 * holds a reference to the model it came from, so it may outlive its owner's interest in that.
 */
#include "ir/ir.h"

#include <string.h>

/* n items copied into the arena; an empty list is a valid pointer. */
static bool copy(lc_arena *arena, const void *items, size_t n, size_t size, void *out) {
    void *p = lc_arena_array(arena, n, size);
    if (!p) return false;
    if (n) memcpy(p, items, n * size);
    memcpy(out, &p, sizeof p);
    return true;
}

static bool copy_tensor(lc_arena *arena, lc_tensor *t) {
    const size_t rank = t->rank > 0 ? (size_t)t->rank : 0;
    t->data_owned = false; /* two models use it */
    return copy(arena, t->dims, rank, sizeof *t->dims, &t->dims) &&
           (!t->signature || copy(arena, t->signature, rank, sizeof *t->signature, &t->signature));
}

static bool copy_node(lc_arena *arena, lc_node *n) {
    return copy(arena, n->inputs, n->input_count, sizeof *n->inputs, &n->inputs) &&
           copy(arena, n->outputs, n->output_count, sizeof *n->outputs, &n->outputs) &&
           copy(arena, n->intermediates, n->intermediate_count, sizeof *n->intermediates, &n->intermediates) &&
           (!n->attrs || copy(arena, n->attrs, 1, lc_schema_tables[n->attrs_table].size, &n->attrs));
}

static bool copy_graph(lc_model *model, lc_graph *g) {
    lc_arena *arena = &model->arena;
    g->model = model;
    g->tensor_capacity = g->tensor_count;
    g->node_capacity = g->node_count;
    g->input_capacity = g->input_count;
    g->output_capacity = g->output_count;
    bool ok = copy(arena, g->tensors, g->tensor_count, sizeof *g->tensors, &g->tensors) &&
              copy(arena, g->nodes, g->node_count, sizeof *g->nodes, &g->nodes) &&
              copy(arena, g->inputs, g->input_count, sizeof *g->inputs, &g->inputs) &&
              copy(arena, g->outputs, g->output_count, sizeof *g->outputs, &g->outputs);
    for (size_t i = 0; ok && i < g->tensor_count; i++) ok = copy_tensor(arena, &g->tensors[i]);
    for (size_t i = 0; ok && i < g->node_count; i++) ok = copy_node(arena, &g->nodes[i]);
    return ok;
}

static bool copy_model(const lc_model *from, lc_model *m) {
    m->graph_capacity = m->graph_count;
    bool ok = copy(&m->arena, from->graphs, from->graph_count, sizeof *from->graphs, &m->graphs) &&
              copy(&m->arena, from->signatures, from->signature_count, sizeof *from->signatures, &m->signatures) &&
              copy(&m->arena, from->metadata, from->metadata_count, sizeof *from->metadata, &m->metadata);
    for (size_t i = 0; ok && i < m->graph_count; i++)
        ok = copy(&m->arena, from->graphs[i], 1, sizeof *from->graphs[i], &m->graphs[i]) && copy_graph(m, m->graphs[i]);
    for (size_t i = 0; ok && i < m->signature_count; i++) {
        lc_signature *s = &m->signatures[i];
        ok = copy(&m->arena, s->inputs, s->input_count, sizeof *s->inputs, &s->inputs) &&
             copy(&m->arena, s->outputs, s->output_count, sizeof *s->outputs, &s->outputs);
    }
    return ok;
}

lc_status lc_model_fork(lc_model *from, lc_model **model, lc_error *err) {
    *model = NULL;
    lc_model *m = lc_calloc(1, sizeof *m);
    if (!m) return lc_fail_memory(err, "model");
    *m = *from;
    m->arena = (lc_arena){0};
    m->map = (lc_map){0};
    m->side_maps = NULL;
    m->side_map_count = 0;
    m->buffer = NULL;
    m->runtime = NULL;
    m->runtime_deinit = NULL;
    m->references = 1;
    m->origin = from;
    lc_model_retain(from);
    if (!copy_model(from, m)) {
        lc_model_destroy(m);
        return lc_fail_memory(err, "model");
    }
    *model = m;
    return LC_OK;
}
