/*
 * check.c: proves what ir.h promises of a model that was built or rewritten. For developers of passes and for tests: a file
 * is checked by runtime/tflite_check.c, whose messages name the file's rules.
 *
 *   - every index is in range; only inputs may be absent
 *   - a tensor has one writer at most, and none when it is constant or a graph input
 *   - what a node reads is constant, variable, a graph input, or written by a node before it
 *   - data is as long as type and shape say (dense tensors of a fixed-size type)
 *   - graphs call each other without cycles. Which graphs a node calls is told by its options: any field whose name has
 *     "subgraph" in it names one
 *
 * Both walks are loops over arrays: no recursion, memory linear in the model.
 */
#include "ir/ir.h"

#include <inttypes.h>
#include <string.h>

static bool in_range(const lc_graph *g, int32_t t) { return t >= 0 && (size_t)t < g->tensor_count; }

static lc_status check_tensor(const lc_graph *g, size_t i, lc_error *err) {
    const lc_tensor *t = &g->tensors[i];
    uint64_t n, bytes;
    if ((unsigned)t->type >= LC_DTYPE_COUNT) return lc_fail(err, LC_INVALID, "tensor %zu: type %d is none", i, (int)t->type);
    if (t->rank < -1 || (t->rank > 0 && !t->dims)) return lc_fail(err, LC_INVALID, "tensor %zu: rank %d without dimensions", i, t->rank);
    for (int32_t k = 0; t->signature && k < t->rank; k++)
        if (t->signature[k] != -1 && t->signature[k] != t->dims[k])
            return lc_fail(err, LC_INVALID, "tensor %zu: dimension %d is %d in the shape and %d in the signature", i, k, t->dims[k],
                           t->signature[k]);
    if (!lc_tensor_elements(t, &n)) return lc_fail(err, LC_INVALID, "tensor %zu: its shape is negative or too large", i);
    if (lc_tensor_is_const(t) && t->is_variable) return lc_fail(err, LC_INVALID, "tensor %zu: a variable cannot be constant", i);
    if (lc_tensor_is_const(t) && !t->sparsity && lc_dtype_bytes(t->type, n, &bytes) && bytes != t->size)
        return lc_fail(err, LC_INVALID, "tensor %zu: holds %zu bytes, its type and shape need %" PRIu64, i, t->size, bytes);
    return LC_OK;
}

/* written[t]: 0 not yet, 1 may be read, VARIABLE: may be read, and one node may write it. */
enum { VARIABLE = 2 };

static lc_status check_node(const lc_graph *g, size_t i, uint8_t *written, lc_error *err) {
    const lc_node *n = &g->nodes[i];
    if (n->op == LC_NODE_DEAD) return LC_OK;
    if ((n->attrs_table == LC_TABLE_NONE) != (n->attrs == NULL)) return lc_fail(err, LC_INVALID, "node %zu: options without a table", i);
    for (uint32_t k = 0; k < n->input_count; k++) {
        int32_t t = n->inputs[k];
        if (t == LC_ABSENT) continue;
        if (!in_range(g, t)) return lc_fail(err, LC_INVALID, "node %zu: input %u names tensor %d of %zu", i, k, t, g->tensor_count);
        /* a custom operator may name a scratch tensor among its inputs, as Ethos-U models do */
        if (!written[t] && !n->custom_code.size)
            return lc_fail(err, LC_INVALID, "node %zu: input %u reads tensor %d before anything writes it", i, k, t);
    }
    for (uint32_t k = 0; k < n->intermediate_count; k++)
        if (n->intermediates[k] != LC_ABSENT && !in_range(g, n->intermediates[k]))
            return lc_fail(err, LC_INVALID, "node %zu: intermediate %u names tensor %d of %zu", i, k, n->intermediates[k], g->tensor_count);
    for (uint32_t k = 0; k < n->output_count; k++) {
        int32_t t = n->outputs[k];
        if (!in_range(g, t)) return lc_fail(err, LC_INVALID, "node %zu: output %u names tensor %d of %zu", i, k, t, g->tensor_count);
        if (lc_tensor_is_const(&g->tensors[t])) return lc_fail(err, LC_INVALID, "node %zu: output %u is tensor %d, a constant", i, k, t);
        if (written[t] && written[t] != VARIABLE) return lc_fail(err, LC_INVALID, "node %zu: tensor %d has two writers", i, t);
        written[t] = 1;
    }
    return LC_OK;
}

static lc_status check_graph(const lc_graph *g, lc_error *err) {
    uint8_t *written = lc_calloc(g->tensor_count ? g->tensor_count : 1, 1);
    if (!written) return lc_fail_memory(err, "checking a graph");
    lc_status s = LC_OK;
    for (size_t i = 0; s == LC_OK && i < g->tensor_count; i++) {
        s = check_tensor(g, i, err);
        written[i] = lc_tensor_is_const(&g->tensors[i]) || g->tensors[i].external_buffer ? 1 : g->tensors[i].is_variable ? VARIABLE : 0;
    }
    for (size_t i = 0; s == LC_OK && i < g->input_count; i++) {
        if (!in_range(g, g->inputs[i])) s = lc_fail(err, LC_INVALID, "input %zu names tensor %d of %zu", i, g->inputs[i], g->tensor_count);
        else written[g->inputs[i]] = 1;
    }
    for (size_t i = 0; s == LC_OK && i < g->node_count; i++) s = check_node(g, i, written, err);
    for (size_t i = 0; s == LC_OK && i < g->output_count; i++) {
        if (!in_range(g, g->outputs[i]))
            s = lc_fail(err, LC_INVALID, "output %zu names tensor %d of %zu", i, g->outputs[i], g->tensor_count);
        else if (!written[g->outputs[i]]) s = lc_fail(err, LC_INVALID, "output %zu is tensor %d, which nothing writes", i, g->outputs[i]);
    }
    lc_free(written);
    return s;
}

/* ---- calls -------------------------------------------------------------------------------------------------- */

/* The k-th graph a node calls; false when there are no more. */
static bool called_graph(const lc_node *n, uint32_t k, int32_t *graph) {
    if (n->attrs_table == LC_TABLE_NONE || !n->attrs || n->op == LC_NODE_DEAD) return false;
    for (LC_EACH_FIELD(f, n->attrs_table)) {
        if (!strstr(lc_field_name(f), "subgraph")) continue;
        const uint8_t *p = (const uint8_t *)n->attrs + f->offset;
        if (f->kind == LC_KIND_vec_i32) {
            lc_vec_i32 v;
            memcpy(&v, p, sizeof v);
            if (k < v.n) return *graph = v.data[k], true;
            k -= v.n;
        } else if (k-- == 0) {
            memcpy(graph, p, sizeof *graph);
            return true;
        }
    }
    return false;
}

typedef struct visit {
    size_t graph, node;
    uint32_t call;
} visit; /* where the walk goes on in a graph */

/* Depth first over calls, with a stack of our own; state 1: on the stack, 2: done. */
static lc_status walk_calls(const lc_model *m, size_t root, uint8_t *state, visit *stack, lc_error *err) {
    size_t depth = 0;
    stack[depth++] = (visit){root, 0, 0};
    state[root] = 1;
    while (depth) {
        visit *v = &stack[depth - 1];
        const lc_graph *g = m->graphs[v->graph];
        int32_t callee;
        if (v->node >= g->node_count) {
            state[v->graph] = 2;
            depth--;
        } else if (!called_graph(&g->nodes[v->node], v->call, &callee)) {
            v->node++;
            v->call = 0;
        } else {
            v->call++;
            if (callee < 0 || (size_t)callee >= m->graph_count)
                return lc_fail(err, LC_INVALID, "graph %zu: node %zu calls graph %d of %zu", v->graph, v->node, callee, m->graph_count);
            if (state[callee] == 1)
                return lc_fail(err, LC_INVALID, "graph %zu: node %zu calls graph %d, which calls it", v->graph, v->node, callee);
            if (state[callee] == 0) {
                state[callee] = 1;
                stack[depth++] = (visit){(size_t)callee, 0, 0};
            }
        }
    }
    return LC_OK;
}

static lc_status check_calls(const lc_model *m, lc_error *err) {
    uint8_t *state = lc_calloc(m->graph_count + 1, 1);
    visit *stack = lc_calloc(m->graph_count + 1, sizeof *stack);
    lc_status s = state && stack ? LC_OK : lc_fail_memory(err, "checking calls");
    for (size_t i = 0; s == LC_OK && i < m->graph_count; i++)
        if (state[i] == 0) s = walk_calls(m, i, state, stack, err);
    lc_free(stack);
    lc_free(state);
    return s;
}

static lc_status check_signature(const lc_model *m, const lc_signature *s, lc_error *err) {
    if (s->graph < 0 || (size_t)s->graph >= m->graph_count)
        return lc_fail(err, LC_INVALID, "names graph %d of %zu", s->graph, m->graph_count);
    const lc_graph *g = m->graphs[s->graph];
    for (uint32_t i = 0; i < s->input_count; i++)
        if (!in_range(g, s->inputs[i].tensor))
            return lc_fail(err, LC_INVALID, "input %u names tensor %d of %zu", i, s->inputs[i].tensor, g->tensor_count);
    for (uint32_t i = 0; i < s->output_count; i++)
        if (!in_range(g, s->outputs[i].tensor))
            return lc_fail(err, LC_INVALID, "output %u names tensor %d of %zu", i, s->outputs[i].tensor, g->tensor_count);
    return LC_OK;
}

lc_status lc_model_check(const lc_model *model, lc_error *err) {
    if (model->graph_count == 0) return lc_fail(err, LC_INVALID, "the model has no graph");
    for (size_t i = 0; i < model->graph_count; i++) {
        lc_status s = check_graph(model->graphs[i], err);
        if (s == LC_INVALID) lc_error_prefix(err, "graph %zu", i);
        if (s != LC_OK) return s;
    }
    for (size_t i = 0; i < model->signature_count; i++) {
        lc_status s = check_signature(model, &model->signatures[i], err);
        if (s != LC_OK) lc_error_prefix(err, "signature %zu", i);
        if (s != LC_OK) return s;
    }
    return check_calls(model, err);
}
