/*
 * rnn_state.c: states that last from run to run (stateful). An LSTM or SimpleRNN that TFLite's operator can do keeps them where
 * that operator keeps them: in variables of its own, zeros when the model is loaded. Every other layer has variables of TFLite's: read before the first step, written
 * behind the last, with a graph that gives them their zeros once.
 *
 *   CALL_ONCE(zeros)    VAR_HANDLE ─▶ READ_VARIABLE ─▶ steps ─▶ ASSIGN_VARIABLE
 */
#include "lower/rnn.h"
#include "lower/tf_impl.h"

#include "ops/lstm.h"

#include <string.h>

struct lc_rnn_variable {
    const char *name;
    int32_t dims[LC_MAX_RANK], rank;
};

/* ---- variables of their own --------------------------------------------------------------------------------------------- */

static const char *name_of(lc_call *c, uint32_t k) {
    const char *name = lc_arena_printf(&c->b->model->arena, "%.200s/%.200s/state_%u", c->b->layer ? c->b->layer : "rnn",
                                       c->layer->name ? c->layer->name : "", k);
    if (!name) lc_build_check(c->b, lc_fail_memory(c->b->err, "name"));
    return name;
}

static int32_t handle(lc_builder *b, const char *name) {
    const lc_VarHandleOptions o = {.container = LC_STR(""), .shared_name = lc_str_of(name)};
    const lc_dtype type = LC_RESOURCE;
    const lc_tf_known scalar = {.set = true};
    int32_t out;
    return lc_tf_emit(b, LC_OP_VAR_HANDLE, LC_TABLE_VarHandleOptions, &o, NULL, 0, &type, &scalar, &out, 1) ? out : -1;
}

static bool remember(lc_lower *lower, const char *name, const int32_t *dims, int32_t rank) {
    for (size_t i = 0; i < lower->state_count; i++)
        if (strcmp(lower->states[i].name, name) == 0) return true; /* the layer is called again */
    void *items = lower->states;
    if (!lc_arena_grow(&lower->scratch, &items, &lower->state_capacity, lower->state_count + 1, sizeof *lower->states))
        return lc_build_check(lower->b, lc_fail_memory(lower->b->err, "variables"));
    lower->states = items;
    struct lc_rnn_variable *v = &lower->states[lower->state_count++];
    *v = (struct lc_rnn_variable){.name = name, .rank = rank};
    memcpy(v->dims, dims, (size_t)rank * sizeof *dims);
    return true;
}

int32_t lc_rnn_read(lc_call *c, uint32_t k, const int32_t *dims, int32_t rank) {
    if (c->b->status != LC_OK) return -1;
    const char *name = name_of(c, k);
    if (!name || !remember(c->lower, name, dims, rank)) return -1;
    const int32_t in = handle(c->b, name);
    const lc_dtype type = LC_FLOAT32;
    lc_tf_known known = {.set = true, .shape = {{.rank = rank}, {.rank = rank}}};
    for (int w = 0; w < 2; w++) memcpy(known.shape[w].dims, dims, (size_t)rank * sizeof *dims);
    int32_t out;
    return lc_tf_emit(c->b, LC_OP_READ_VARIABLE, LC_TABLE_ReadVariableOptions, NULL, &in, 1, &type, &known, &out, 1) ? out : -1;
}

void lc_rnn_write(lc_call *c, uint32_t k, int32_t value) {
    const char *name = c->b->status == LC_OK ? name_of(c, k) : NULL;
    if (!name) return;
    const int32_t in[2] = {handle(c->b, name), value};
    lc_tf_emit(c->b, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, NULL, in, 2, NULL, NULL, NULL, 0);
}

static int32_t zeros(lc_lower *lower, lc_builder *b, const struct lc_rnn_variable *v) {
    uint64_t bytes = sizeof(float);
    for (int32_t d = 0; d < v->rank; d++)
        if (!lc_mul_u64(bytes, (uint64_t)v->dims[d], &bytes)) bytes = UINT64_MAX;
    if (!lc_build_check(b, lc_budget_memory(&lower->budget, bytes, "a state", b->err))) return -1;
    void *data = lc_build_data(b, (size_t)bytes); /* arenas are zeroed */
    return data ? lc_build_const(b, "zeros", LC_FLOAT32, v->dims, v->rank, data, (size_t)bytes, true) : -1;
}

lc_status lc_rnn_finish(lc_lower *lower, lc_error *err) {
    lc_model *m = lower->b->model;
    if (!lower->state_count) return LC_OK;
    lc_graph *graph = lc_model_add_graph(m, LC_STR("initialise"));
    lc_tf_graph *g = graph ? lc_tf_graph_begin(lower->tf, graph, NULL) : NULL;
    if (!g) return lc_fail_memory(err, "graph");
    for (size_t i = 0; i < lower->state_count && g->b.status == LC_OK; i++) {
        const int32_t in[2] = {handle(&g->b, lower->states[i].name), zeros(lower, &g->b, &lower->states[i])};
        if (in[0] >= 0 && in[1] >= 0)
            lc_tf_emit(&g->b, LC_OP_ASSIGN_VARIABLE, LC_TABLE_AssignVariableOptions, NULL, in, 2, NULL, NULL, NULL, 0);
    }
    LC_TRY(g->b.status);
    return lc_tf_call_once(m->graphs[0], (int32_t)m->graph_count - 1, err);
}

/* ---- the operator's own --------------------------------------------------------------------------------------------------- */

/* State k. Two calls of one layer share their states in Keras: its slots find the variable again. */
static int32_t variable(lc_call *c, uint32_t k, const int32_t *dims) {
    if (c->slots[k]) return c->slots[k] - 1;
    const char *name = name_of(c, k);
    const int32_t t = name ? lc_build_placeholder(c->b, name, LC_FLOAT32, dims, 2) : -1;
    if (t < 0) return -1;
    c->b->graph->tensors[t].is_variable = true;
    c->slots[k] = t + 1;
    return t;
}

static int8_t activation_of(const lc_cell *cell) {
    const lc_json *v = lc_json_get(cell->layer.config, "activation");
    const char *name = !v ? "tanh" : lc_json_is(v, LC_JSON_STRING) ? v->string : lc_json_str(v, "config", "linear");
    return strcmp(name, "tanh") == 0    ? LC_ActivationFunctionType_TANH
           : strcmp(name, "relu") == 0  ? LC_ActivationFunctionType_RELU
           : strcmp(name, "relu6") == 0 ? LC_ActivationFunctionType_RELU6
                                        : LC_ActivationFunctionType_NONE;
}

/* Gate k of weight i, a matrix. */
static int32_t gate(lc_call *c, uint32_t i, const char *name, int32_t rows, int32_t units, int32_t gates, int32_t k) {
    c->slots[i] = 0;
    return lc_cell_columns(c, i, i, name, rows, units * gates, k * units, (k + 1) * units);
}

static int32_t gate_bias(lc_call *c, const lc_cell *cell, int32_t gates, int32_t k) {
    const int32_t n = cell->units, width = n * gates;
    c->slots[2] = 0;
    return cell->use_bias ? lc_cell_part(c, 2, 2, "bias", &width, 1, k * n, (k + 1) * n) : lc_weight_bias(c, 2, 0, n, false);
}

static int32_t lstm(lc_call *c, lc_call *of, const lc_cell *cell, int32_t x, const int32_t *state) {
    enum { INPUTS = 20 };
    int32_t in[INPUTS];
    for (uint32_t i = 0; i < INPUTS; i++) in[i] = LC_ABSENT;
    const lc_lstm_slots at = lc_lstm_slots_of(INPUTS);
    in[at.input] = x;
    for (int g = 0; g < LC_LSTM_GATES; g++) { /* i, f, c, o: the order of Keras, too */
        in[at.weights[g]] = gate(of, 0, "kernel", cell->depth, cell->units, LC_LSTM_GATES, g);
        in[at.recurrent[g]] = gate(of, 1, "recurrent_kernel", cell->units, cell->units, LC_LSTM_GATES, g);
        in[at.bias[g]] = gate_bias(of, cell, LC_LSTM_GATES, g);
    }
    in[at.hidden] = variable(c, 0, state);
    in[at.cell] = variable(c, 1, state);
    const lc_UnidirectionalSequenceLSTMOptions o = {.fused_activation_function = activation_of(cell)};
    return lc_build_op(c->b, LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, LC_TABLE_UnidirectionalSequenceLSTMOptions, &o, in, INPUTS);
}

int32_t lc_rnn_stateful(lc_call *c, const lc_rnn *r, int32_t x) {
    lc_cell *cell = &r->cells[0];
    lc_call of = cell->call;
    lc_shape s;
    int32_t slots[LC_LOWER_SLOTS] = {0}, y;
    if (!lc_call_shape(c, x, &s)) return -1;
    const int32_t n = cell->units, state[2] = {s.dims[0], n};
    of.slots = slots;
    if (cell->kind->states == 2) y = lstm(c, &of, cell, x, state);
    else {
        const int32_t kernel = gate(&of, 0, "kernel", cell->depth, n, 1, 0), recurrent = gate(&of, 1, "recurrent_kernel", n, n, 1, 0);
        const int32_t in[5] = {x, kernel, recurrent, gate_bias(&of, cell, 1, 0), variable(c, 0, state)};
        const lc_SequenceRNNOptions o = {.fused_activation_function = activation_of(cell)};
        y = lc_build_op(c->b, LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN, LC_TABLE_SequenceRNNOptions, &o, in, 5);
    }
    return r->sequences ? y : lc_tf_pick(lc_eager_maker(c), y, 1, -1);
}
