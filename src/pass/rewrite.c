/*
 * rewrite.c: see rewrite.h. The arrays are sized once per pass with room for the constants a pass may add, and grow with the
 * graph. Nothing here searches the graph: a bypass only notes where readers shall look, and lc_rewrite_end moves them all at once.
 */
#include "pass/rewrite.h"

#include "ir/constant.h"

#include <string.h>

static lc_status grow(lc_rewrite *rw) {
    const size_t n = rw->graph->tensor_count;
    if (n <= rw->known) return LC_OK;
    const size_t room = n + n / 2 + 16;
    int32_t *producer = lc_arena_array(&rw->temporary, room, sizeof *producer);
    uint32_t *uses = lc_arena_array(&rw->temporary, room, sizeof *uses);
    uint8_t *is_output = lc_arena_array(&rw->temporary, room, sizeof *is_output);
    int32_t *forward = lc_arena_array(&rw->temporary, room, sizeof *forward);
    if (!producer || !uses || !is_output || !forward) return lc_fail_memory(rw->err, "optimisation");
    for (size_t i = 0; i < room; i++) {
        producer[i] = -1;
        forward[i] = (int32_t)i;
    }
    if (rw->known) {
        memcpy(producer, rw->producer, rw->known * sizeof *producer);
        memcpy(uses, rw->uses, rw->known * sizeof *uses);
        memcpy(is_output, rw->is_output, rw->known * sizeof *is_output);
        memcpy(forward, rw->forward, rw->known * sizeof *forward);
    }
    rw->producer = producer;
    rw->uses = uses;
    rw->is_output = is_output;
    rw->forward = forward;
    rw->known = room;
    return LC_OK;
}

bool lc_same_dims(const lc_tensor *a, const lc_tensor *b) {
    bool same = a->rank == b->rank;
    for (int32_t d = 0; same && d < a->rank; d++) same = lc_tensor_dim(a, d) == lc_tensor_dim(b, d);
    return same;
}

lc_status lc_rewrite_begin(lc_rewrite *rw, lc_graph *graph, lc_error *err) {
    *rw = (lc_rewrite){.graph = graph, .arena = &graph->model->arena, .err = err};
    LC_TRY(grow(rw));
    if (graph->tensor_count == 0) return LC_OK;
    lc_graph_producers(graph, rw->producer);
    lc_graph_count_uses(graph, rw->uses);
    for (size_t i = 0; i < graph->output_count; i++) rw->is_output[graph->outputs[i]] = 1;
    return LC_OK;
}

void lc_rewrite_resolve(const lc_rewrite *rw, lc_node *node) {
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0) continue;
        while (rw->forward[node->inputs[i]] != node->inputs[i]) node->inputs[i] = rw->forward[node->inputs[i]];
    }
}

lc_status lc_rewrite_end(lc_rewrite *rw) {
    if (rw->changed)
        for (size_t n = 0; n < rw->graph->node_count; n++)
            if (rw->graph->nodes[n].op != LC_NODE_DEAD) lc_rewrite_resolve(rw, &rw->graph->nodes[n]);
    lc_arena_deinit(&rw->temporary);
    return rw->changed ? lc_graph_compact(rw->graph, rw->err) : LC_OK;
}

lc_node *lc_rewrite_sole_producer(const lc_rewrite *rw, int32_t tensor) {
    if (tensor < 0 || rw->uses[tensor] != 1 || rw->producer[tensor] < 0) return NULL;
    lc_node *node = &rw->graph->nodes[rw->producer[tensor]];
    return node->op == LC_NODE_DEAD || node->output_count != 1 ? NULL : node;
}

void lc_rewrite_set_input(lc_rewrite *rw, lc_node *node, uint32_t i, int32_t tensor) {
    if (node->inputs[i] >= 0) rw->uses[node->inputs[i]]--;
    node->inputs[i] = tensor;
    if (tensor >= 0) rw->uses[tensor]++;
    rw->changed = true;
}

lc_status lc_rewrite_append_input(lc_rewrite *rw, lc_node *node, int32_t tensor) {
    int32_t *inputs = lc_arena_array(rw->arena, (size_t)node->input_count + 1, sizeof *inputs);
    if (!inputs) return lc_fail_memory(rw->err, "operator");
    memcpy(inputs, node->inputs, node->input_count * sizeof *inputs);
    inputs[node->input_count++] = LC_ABSENT;
    node->inputs = inputs;
    lc_rewrite_set_input(rw, node, node->input_count - 1, tensor);
    return LC_OK;
}

void lc_rewrite_kill(lc_rewrite *rw, lc_node *node) {
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] >= 0) rw->uses[node->inputs[i]]--;
    for (uint32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0 && rw->producer[node->outputs[i]] == (int32_t)(node - rw->graph->nodes))
            rw->producer[node->outputs[i]] = -1;
    node->op = LC_NODE_DEAD;
    rw->changed = true;
}

void lc_rewrite_absorb(lc_rewrite *rw, lc_node *first, lc_node *last) {
    const int32_t out = last->outputs[0];
    rw->producer[first->outputs[0]] = -1;
    lc_rewrite_kill(rw, last);
    first->outputs[0] = out;
    rw->producer[out] = (int32_t)(first - rw->graph->nodes);
}

bool lc_rewrite_bypass(lc_rewrite *rw, lc_node *node, int32_t input) {
    lc_graph *g = rw->graph;
    const int32_t out = node->outputs[0];
    if (g->tensors[out].is_variable) return false; /* it is written to, `input` must not be */
    if (rw->is_output[out]) {
        /* The output's name must stay, so the input takes it: possible when a node computes the input and it is no output itself. */
        if (rw->is_output[input] || rw->producer[input] < 0) return false;
        lc_node *writer = &g->nodes[rw->producer[input]];
        lc_rewrite_kill(rw, node);
        for (uint32_t i = 0; i < writer->output_count; i++)
            if (writer->outputs[i] == input) writer->outputs[i] = out;
        rw->producer[out] = rw->producer[input];
        rw->producer[input] = -1;
        rw->forward[input] = out;
        rw->uses[out] += rw->uses[input];
        rw->uses[input] = 0;
    } else {
        lc_rewrite_kill(rw, node);
        rw->forward[out] = input;
        rw->uses[input] += rw->uses[out];
        rw->uses[out] = 0;
    }
    return true;
}

lc_status lc_rewrite_add_tensor(lc_rewrite *rw, const lc_tensor *proto, int32_t *tensor) {
    LC_TRY(lc_graph_add_tensor(rw->graph, proto, tensor, rw->err));
    return grow(rw);
}

lc_status lc_rewrite_add_constant(lc_rewrite *rw, lc_str name, lc_dtype type, const int32_t *dims, int32_t rank, int32_t *tensor,
                                  void **data) {
    uint64_t n = 1, bytes;
    size_t size;
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] < 0 || !lc_mul_u64(n, (uint64_t)dims[d], &n)) return lc_fail(rw->err, LC_LIMIT, "a constant is too large");
    if (!lc_dtype_bytes(type, n, &bytes) || !lc_u64_to_size(bytes, &size)) return lc_fail(rw->err, LC_LIMIT, "a constant is too large");
    *data = lc_arena_data(rw->arena, size ? size : 1);
    if (!*data) return lc_fail_memory(rw->err, "constant");
    lc_tensor t = {.name = name,
                   .type = type,
                   .rank = rank,
                   .dims = (int32_t *)(uintptr_t)dims,
                   .data = *data,
                   .size = size,
                   .data_at = LC_NO_OFFSET,
                   .data_owned = true};
    return lc_rewrite_add_tensor(rw, &t, tensor);
}

lc_status lc_rewrite_own_floats(lc_rewrite *rw, lc_node *node, uint32_t i, float **data) {
    const int32_t index = node->inputs[i];
    const bool alone = rw->uses[index] == 1;
    if (alone) LC_TRY(lc_tensor_make(rw->graph->model, lc_rewrite_tensor(rw, index), rw->err));
    const lc_tensor t = *lc_rewrite_tensor(rw, index);
    if (t.data_owned && alone) {
        lc_rewrite_tensor(rw, index)->deferred = NULL;
        *data = (float *)(uintptr_t)t.data;
        rw->changed = true;
        return LC_OK;
    }
    int32_t copy;
    void *floats;
    LC_TRY(lc_rewrite_add_constant(rw, t.name, t.type, t.dims, t.rank, &copy, &floats));
    if (t.deferred) lc_deferred_fill(t.deferred, 0, t.deferred->cols, floats);
    else memcpy(floats, t.data, t.size);
    lc_rewrite_set_input(rw, node, i, copy);
    *data = floats;
    return LC_OK;
}

lc_status lc_rewrite_scale_deferred(lc_rewrite *rw, lc_node *node, uint32_t i, const float *scale) {
    const int32_t index = node->inputs[i];
    lc_tensor t = *lc_rewrite_tensor(rw, index);
    lc_deferred *d = lc_arena_alloc(rw->arena, sizeof *d);
    float *product = lc_arena_array(rw->arena, t.deferred->cols, sizeof *product);
    if (!d || !product) return lc_fail_memory(rw->err, "folding");
    *d = *t.deferred;
    for (size_t c = 0; c < d->cols; c++) product[c] = d->scale ? d->scale[c] * scale[c] : scale[c];
    d->scale = product;
    t.deferred = d;
    t.data = NULL;
    if (rw->uses[index] == 1) {
        *lc_rewrite_tensor(rw, index) = t;
        rw->changed = true;
        return LC_OK;
    }
    int32_t scaled;
    LC_TRY(lc_rewrite_add_tensor(rw, &t, &scaled));
    lc_rewrite_set_input(rw, node, i, scaled);
    return LC_OK;
}
