/*
 * lstm.c: LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM as integer operators, the one form that TFLite has of them (kernels/lstm_quant.c):
 *
 *   input, output, hidden state   int8; the hidden state has the output's steps
 *   weights, projection           int8, symmetric, one scale for all
 *   cell state                    int16, symmetric, the scale a power of two
 *   bias                          int32 on input x weights; of a layer norm on norm / 1024; of a projection on projection x y
 *   peephole weights, norm        int16, symmetric
 *   intermediate 0 to 3           what each gate sums up, int16, where a norm follows (else Q3.12, always)
 *   intermediate 4                y, which a projection reads, int8, symmetric; without one the hidden state itself
 *
 * Stays float: another activation than tanh, weights that are computed or diagonal, a state that others use, and peephole weights beside a
 * projection to another size, by which the integer kernels count them. What is left in the cell state may be read behind the operator, in its steps.
 */
#include "quant/cell.h"

#include "ir/constant.h"

#include <math.h>

/* ---- can it be? ------------------------------------------------------------------------------------------------- */

/* Input `slot` of a node; NULL: it has none. */
static const lc_tensor *operand(const lc_graph *g, const lc_node *n, int32_t slot) {
    return slot >= 0 && (uint32_t)slot < n->input_count && n->inputs[slot] >= 0 ? &g->tensors[n->inputs[slot]] : NULL;
}

/* Constant floats of this shape (columns -1: a vector), or nothing where that is allowed. */
static bool is_weight(const lc_tensor *t, int32_t rows, int32_t columns, bool needed) {
    if (!t) return !needed;
    return t->type == LC_FLOAT32 && lc_tensor_is_const(t) && !t->sparsity && t->rank == (columns < 0 ? 1 : 2) && t->dims[0] == rows &&
           (columns < 0 || t->dims[1] == columns);
}

static bool weights_fit(const lc_graph *g, const lc_node *n, const lc_lstm_slots *s) {
    const lc_tensor *x = operand(g, n, s->input), *w = operand(g, n, s->weights[LC_LSTM_OUTPUT]);
    const lc_tensor *r = operand(g, n, s->recurrent[LC_LSTM_OUTPUT]), *p = operand(g, n, s->projection);
    if (!x || !w || !r || x->rank != (n->op == LC_OP_LSTM ? 2 : 3) || w->rank != 2 || r->rank != 2) return false;
    const int32_t cells = w->dims[0], depth = w->dims[1], units = r->dims[1];
    if (cells < 1 || depth < 1 || units < 1 || x->dims[x->rank - 1] != depth || (!p && units != cells)) return false;
    const bool coupled = !operand(g, n, s->weights[LC_LSTM_INPUT]), norm = operand(g, n, s->norm[LC_LSTM_FORGET]);
    const bool peephole = operand(g, n, s->peephole[LC_LSTM_OUTPUT]);
    for (int32_t k = coupled ? LC_LSTM_FORGET : LC_LSTM_INPUT; k < LC_LSTM_GATES; k++) {
        if (!is_weight(operand(g, n, s->weights[k]), cells, depth, true)) return false;
        if (!is_weight(operand(g, n, s->recurrent[k]), cells, units, true)) return false;
        if (!is_weight(operand(g, n, s->bias[k]), cells, -1, true)) return false;
        if (!is_weight(operand(g, n, s->norm[k]), cells, -1, norm) || (!norm && operand(g, n, s->norm[k]))) return false;
        if (!is_weight(operand(g, n, s->peephole[k]), cells, -1, peephole && s->peephole[k] >= 0)) return false;
        if (!peephole && operand(g, n, s->peephole[k])) return false;
    }
    return is_weight(p, units, cells, false) && is_weight(operand(g, n, s->projection_bias), units, -1, false);
}

/* The operator that writes tensor t; NULL: none. */
static const lc_node *writer(const lc_graph *g, int32_t t) {
    for (size_t i = 0; i < g->node_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].output_count; k++)
            if (g->nodes[i].outputs[k] == t) return &g->nodes[i];
    return NULL;
}

size_t lc_quant_lstm_reader(const lc_graph *g, const lc_node *n) {
    const lc_lstm_slots s = lc_lstm_slots_of(n->input_count);
    for (size_t i = (size_t)(n - g->nodes) + 1; i < g->node_count; i++) {
        const lc_node *reader = &g->nodes[i];
        if (reader->op == LC_OP_SELECT_V2 && reader->inputs[1] == n->inputs[s.cell] && operand(g, reader, 0) &&
            lc_tensor_is_const(operand(g, reader, 0)))
            return i;
    }
    return SIZE_MAX;
}

/* A variable that no other operator reads, but for the one that gives out what is left in it. One that begins with some value at each run has a
 * writer. */
static bool own_state(const lc_graph *g, const lc_node *n, int32_t slot, bool read) {
    const lc_tensor *t = operand(g, n, slot);
    return t && t->type == LC_FLOAT32 && !lc_tensor_is_const(t) && (t->is_variable || writer(g, n->inputs[slot])) &&
           lc_quant_use_count(g, n->inputs[slot]) == (read ? 2 : 1);
}

const char *lc_quant_lstm_hindrance(const lc_graph *g, const lc_node *n) {
    const bool one = n->op == LC_OP_LSTM;
    if (!one && n->op != LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM) return "its integer form is another operator";
    if (n->input_count < 20 || n->output_count != 1 || n->outputs[0] < 0) return "the oldest form of LSTM has no int8 form";
    const lc_lstm_slots s = lc_lstm_slots_of(n->input_count);
    const int8_t activation = one ? LC_OP_ATTRS(n, LSTMOptions)->fused_activation_function
                                  : LC_OP_ATTRS(n, UnidirectionalSequenceLSTMOptions)->fused_activation_function;
    if (activation != LC_ActivationFunctionType_TANH) return "an integer LSTM has tanh as its activation";
    if (operand(g, n, s.input) && lc_tensor_is_const(operand(g, n, s.input))) return "its input is constant";
    if (!weights_fit(g, n, &s)) return "its weights are not constant float matrices";
    const lc_tensor *projection = operand(g, n, s.projection);
    if (operand(g, n, s.peephole[LC_LSTM_OUTPUT]) && projection && projection->dims[0] != projection->dims[1])
        return "integer kernels count peephole weights by the units of the projection, of which there are not as many as cells";
    if (!own_state(g, n, s.hidden, false) || !own_state(g, n, s.cell, lc_quant_lstm_reader(g, n) != SIZE_MAX))
        return "its state is used elsewhere, too";
    return NULL;
}

void lc_quant_lstm_states(const lc_node *n, int32_t states[2]) {
    const lc_lstm_slots s = lc_lstm_slots_of(n->input_count);
    states[LC_LSTM_HIDDEN_STATE] = n->inputs[s.hidden];
    states[LC_LSTM_CELL_STATE] = n->inputs[s.cell];
}

void lc_quant_lstm_free_states(lc_graph *g, const lc_node *n) {
    int32_t states[2];
    lc_quant_lstm_states(n, states);
    for (int k = 0; k < 2; k++) {
        if (writer(g, states[k])) g->tensors[states[k]].is_variable = false;
    }
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

typedef struct work {
    lc_graph *graph;
    lc_node *node;
    lc_lstm_slots slot;
    const lc_range_state *state;
    lc_arena *temporary;
    lc_error *err;
} work;

static int32_t *place(const work *w, int32_t slot) {
    int32_t *at = slot >= 0 && (uint32_t)slot < w->node->input_count ? &w->node->inputs[slot] : NULL;
    return at && *at >= 0 ? at : NULL;
}

static lc_steps steps_of(const work *w, int32_t tensor) {
    int64_t zero;
    lc_steps s = {.type = w->graph->tensors[tensor].type};
    lc_tensor_scale(&w->graph->tensors[tensor], &s.scale, &zero);
    s.zero = (int32_t)zero;
    return s;
}

/* The range becomes 2^n, so that shifting is all that the kernels do to a cell. They have a tanh for scales of 2^-15 to 2^-9 alone; beyond
 * 64 a cell is cut, where its tanh has long been 1. */
static lc_steps cell_steps(lc_range r) {
    const float most = r.seen ? fmaxf(-r.low, r.high) : 8; /* not seen: ranges came with the model; 8 is what gates have, too */
    const int32_t log = most > 1 ? (int32_t)ceilf(log2f(most)) : 0;
    return (lc_steps){.type = LC_INT16, .scale = ldexpf(1, (log < 6 ? log : 6) - 15)};
}

/* Of what a projection reads. With a zero point: LiteRT moves the numbers the wrong way by it before it clips them, so there is none. */
static lc_steps projected_steps(lc_range r) {
    const float most = r.seen ? fmaxf(-r.low, r.high) : 1;
    return (lc_steps){.type = LC_INT8, .scale = most > 1e-30f ? most / 127 : 1};
}

void lc_quant_lstm_state_steps(lc_steps output, const lc_range_state *state, lc_steps steps[2]) {
    steps[LC_LSTM_HIDDEN_STATE] = output;
    steps[LC_LSTM_CELL_STATE] = cell_steps(state->cell);
}

static lc_status put_int16(const work *w, int32_t slot) {
    int32_t *at = place(w, slot);
    if (!at) return LC_OK;
    const lc_range r = lc_quant_constant_range(&w->graph->tensors[*at], w->temporary);
    return lc_quant_operand(w->graph, *at, lc_steps_over(LC_INT16, r.low, r.high), w->temporary, at, w->err);
}

/* Weights, on steps so large that their bias on input x weights fits int32 (slot ABSENT: it lies on other steps). */
static lc_status put_weights(const work *w, int32_t slot, int32_t bias, lc_steps input) {
    int32_t *at = place(w, slot), *with = place(w, bias);
    float least = 0;
    if (with) {
        const lc_range r = lc_quant_constant_range(&w->graph->tensors[*with], w->temporary);
        least = fmaxf(-r.low, r.high) / (input.scale * 1073741824.0f);
    }
    return lc_quant_weights(w->graph, *at, LC_INT8, -1, &least, w->temporary, at, w->err);
}

static lc_status put_bias(const work *w, int32_t slot, lc_steps input, int32_t weights) {
    int32_t *at = place(w, slot);
    return at ? lc_quant_bias(w->graph, *at, input, *place(w, weights), w->temporary, at, w->err) : LC_OK;
}

static lc_status put_gate(const work *w, int32_t g, lc_steps input) {
    const lc_lstm_slots *s = &w->slot;
    const bool norm = place(w, s->norm[g]);
    LC_TRY(put_weights(w, s->weights[g], norm ? LC_ABSENT : s->bias[g], input));
    LC_TRY(put_weights(w, s->recurrent[g], LC_ABSENT, input));
    LC_TRY(put_int16(w, s->peephole[g]));
    LC_TRY(put_int16(w, s->norm[g]));
    if (norm) input.scale = 0x1p-10f; /* the kernels' steps of what was normalised */
    return put_bias(w, s->bias[g], input, norm ? s->norm[g] : s->weights[g]);
}

/* Tensors that carry nothing but the steps of values inside. */
static lc_status put_intermediates(const work *w, lc_steps y) {
    enum { COUNT = LC_LSTM_GATES + 1 };
    lc_arena *arena = &w->graph->model->arena;
    int32_t *list = lc_arena_array(arena, COUNT, sizeof *list);
    if (!list) return lc_fail_memory(w->err, "LSTM");
    for (int32_t i = 0; i < COUNT; i++) {
        const lc_str of = w->graph->tensors[w->node->outputs[0]].name;
        const char *name = lc_arena_printf(arena, "%.*s_inside_%d", (int)(of.size > 4096 ? 4096 : of.size), of.data ? of.data : "", (int)i);
        lc_steps s = i == LC_LSTM_GATES ? y : (lc_steps){.type = LC_INT16, .scale = 0x1p-12f};
        if (i < LC_LSTM_GATES && place(w, w->slot.norm[i]) && w->state->sums[i].seen)
            s = lc_steps_over(LC_INT16, w->state->sums[i].low, w->state->sums[i].high);
        if (!name) return lc_fail_memory(w->err, "LSTM");
        const int32_t dims[] = {w->graph->tensors[*place(w, w->slot.weights[LC_LSTM_OUTPUT])].dims[0]};
        const lc_tensor t = {.name = lc_str_of(name), .rank = 1, .dims = (int32_t *)dims, .has_rank = true, .data_at = LC_NO_OFFSET};
        LC_TRY(lc_graph_add_tensor(w->graph, &t, &list[i], w->err));
        LC_TRY(lc_quant_annotate(w->graph, list[i], s, w->err));
    }
    w->node->intermediates = list;
    w->node->intermediate_count = COUNT;
    return LC_OK;
}

lc_status lc_quant_lstm(lc_graph *graph, lc_node *node, const lc_range_state *state, lc_arena *temporary, lc_error *err) {
    const work w = {graph, node, lc_lstm_slots_of(node->input_count), state, temporary, err};
    const lc_steps input = steps_of(&w, node->inputs[w.slot.input]), output = steps_of(&w, node->outputs[0]);
    const bool projected = place(&w, w.slot.projection);
    const lc_steps y = projected ? projected_steps(state->hidden) : output;
    for (int32_t g = 0; g < LC_LSTM_GATES; g++)
        if (place(&w, w.slot.weights[g])) LC_TRY(put_gate(&w, g, input));
    if (projected) {
        LC_TRY(put_weights(&w, w.slot.projection, w.slot.projection_bias, y));
        LC_TRY(put_bias(&w, w.slot.projection_bias, y, w.slot.projection));
    }
    lc_steps steps[2];
    lc_quant_lstm_state_steps(output, state, steps);
    LC_TRY(lc_quant_annotate(graph, *place(&w, w.slot.hidden), steps[LC_LSTM_HIDDEN_STATE], err));
    LC_TRY(lc_quant_annotate(graph, *place(&w, w.slot.cell), steps[LC_LSTM_CELL_STATE], err));
    node->version = 0;
    return put_intermediates(&w, y);
}
