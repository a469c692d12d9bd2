/*
 * cell.c: one step of LSTM, GRU and SimpleRNN. x and h are the step's input and the state before, W, U and b kernel, recurrent kernel and
 * bias; the input's share x W + b comes in as `x`, made for the whole sequence at once where that can be done.
 *
 *   LSTM        i, f, g, o = x + h U          c' = s(f) c + s(i) a(g)            h' = s(o) a(c')
 *   GRU         z, r = s(x + h U)             g = a(x + (r h) U)                 h' = g + z (h - g)
 *               reset_after: q = h U + b2     g = a(x + r q)
 *   SimpleRNN   h' = a(x + h U)
 *
 * An LSTM's step has the form that src/pass/fuse_lstm.c knows. In training parts of x and h may be dropped where they are multiplied with W and U,
 * and nowhere else: the state that a GRU mixes into its next one is whole.
 *
 * Facts: keras/src/layers/rnn/lstm.py, gru.py, simple_rnn.py.
 */
#include "lower/rnn.h"

#include "ir/constant.h"
#include "lower/training.h"

#include <string.h>

enum { KERNEL, RECURRENT, BIAS, RECURRENT_BIAS, RECURRENT_NEW, SPLIT_SIZES, GATE, RECURRENT_GATE = GATE + LC_CELL_GATES }; /* slots */

static int32_t add(lc_call *c, int32_t x, int32_t y) { return lc_build_binary(c->b, LC_OP_ADD, x, y, LC_LOWER_ACT(NONE)); }
static int32_t sub(lc_call *c, int32_t x, int32_t y) { return lc_build_binary(c->b, LC_OP_SUB, x, y, LC_LOWER_ACT(NONE)); }
static int32_t mul(lc_call *c, int32_t x, int32_t y) { return lc_build_binary(c->b, LC_OP_MUL, x, y, LC_LOWER_ACT(NONE)); }

/* ---- options -------------------------------------------------------------------------------------------------------- */

const char *lc_cell_key(lc_call *c, const char *key, const char *before) {
    return !lc_opt_given(c, key) && lc_opt_given(c, before) ? before : key;
}

static const char *recurrent_key(lc_call *c) { return lc_cell_key(c, "recurrent_activation", "inner_activation"); }

int32_t lc_cell_activation(lc_call *c, const char *key, const char *otherwise, int32_t x) {
    const lc_json *v = lc_opt_given(c, key);
    return v ? lc_lower_activation(c, key, v, x) : lc_lower_activation_name(c, key, otherwise, x);
}

static int32_t gate(lc_call *c, int32_t x) { return lc_cell_activation(c, recurrent_key(c), "sigmoid", x); }
static int32_t act(lc_call *c, int32_t x) { return lc_cell_activation(c, "activation", "tanh", x); }

/* The option is this activation; null is linear. */
static bool names(lc_call *c, const char *key, const char *otherwise, const char *name) {
    const lc_json *v = lc_opt_given(c, key);
    const char *given = !v                             ? otherwise
                        : v->kind == LC_JSON_NULL      ? "linear"
                        : v->kind == LC_JSON_STRING    ? v->string
                        : lc_json_get(v, "class_name") ? lc_json_str(v, "config", "")
                                                       : "";
    return strcmp(given, name) == 0;
}

/* ---- weights -------------------------------------------------------------------------------------------------------- */

static int32_t kept(const lc_call *c, uint32_t slot) { return c->b->status == LC_OK ? c->slots[slot] - 1 : -1; }

static int32_t keep_cell(lc_call *c, uint32_t slot, int32_t tensor) {
    if (c->b->status == LC_OK) c->slots[slot] = tensor + 1;
    return tensor;
}

int32_t lc_cell_columns(lc_call *c, uint32_t slot, uint32_t i, const char *name, int32_t rows, int32_t cols, int32_t from, int32_t to) {
    const int32_t dims[2] = {rows, cols}, out[2] = {to - from, rows};
    const lc_keras_weight *w = lc_weight(c, i, name, dims, 2);
    const size_t n = (size_t)rows, width = (size_t)(to - from);
    if (!w || kept(c, slot) >= 0) return kept(c, slot);
    if (lc_trains(c)) {
        const int32_t part = lc_weight_slice(c, lc_training_input(c, w, name, true), (int32_t[]){0, from}, (int32_t[]){rows, to - from}, 2);
        return keep_cell(c, slot, lc_weight_turned(c, part, rows, to - from));
    }
    float *data = lc_build_data(c->b, n * width * sizeof *data), one;
    for (size_t r = 0; data && r < n; r++)
        for (size_t k = 0; k < width; k++) {
            lc_floats_load(w->type, w->data, r * (size_t)cols + (size_t)from + k, 1, &one);
            data[k * n + r] = one;
        }
    const int32_t t = data ? lc_build_const(c->b, name, LC_FLOAT32, out, 2, data, n * width * sizeof *data, true) : -1;
    c->slots[slot] = t + 1;
    return t;
}

int32_t lc_cell_part(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, int32_t from, int32_t to) {
    const lc_keras_weight *w = lc_weight(c, i, name, dims, rank);
    const int32_t n = to - from;
    if (!w || kept(c, slot) >= 0) return kept(c, slot);
    if (lc_trains(c)) {
        int32_t all = 1;
        for (int32_t k = 0; k < rank; k++) all *= dims[k];
        const int32_t flat = lc_weight_shaped(c, lc_training_input(c, w, name, true), &all, 1);
        return keep_cell(c, slot, lc_weight_slice(c, flat, &from, &n, 1));
    }
    float *data = lc_build_data(c->b, (size_t)n * sizeof *data);
    if (data) lc_floats_load(w->type, w->data, (size_t)from, (size_t)n, data);
    const int32_t t = data ? lc_build_const(c->b, name, LC_FLOAT32, &n, 1, data, (size_t)n * sizeof *data, true) : -1;
    c->slots[slot] = t + 1;
    return t;
}

bool lc_cell_split(lc_call *c, int32_t x, int32_t n, int32_t *parts) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return false;
    const int32_t axis = s.rank - 1, in[2] = {lc_build_ints(c->b, "axis", &axis, 1), x};
    const lc_SplitOptions o = {.num_splits = n};
    return lc_build_op_multi(c->b, LC_OP_SPLIT, LC_TABLE_SplitOptions, &o, in, 2, parts, (uint32_t)n);
}

static int32_t dense(lc_call *c, int32_t x, int32_t weights, int32_t bias) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const int32_t in[3] = {x, weights, bias};
    const lc_FullyConnectedOptions o = {.keep_num_dims = s.rank > 2};
    return lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
}

/* The options and weights of a cell with `gates` gates. */
static void read_gates(lc_call *c, lc_cell *cell, const lc_shape *x, int32_t gates) {
    cell->units = lc_opt_size(c, lc_cell_key(c, "units", "output_dim"));
    cell->use_bias = lc_opt_bool(c, "use_bias", true);
    if (c->b->status != LC_OK) return;
    if (x->rank != 2) lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs 3", x->rank + 1);
    else cell->depth = lc_call_known(c, x, 1, "the number of features");
    if (cell->units > INT32_MAX / 8) lc_opt_fail(c, "units", "is too large");
    if (c->b->status != LC_OK) return;
    cell->state_rank = 1;
    cell->state_dims[0] = cell->units;
    const char *class_name = c->layer->class_name;
    const bool cudnn = class_name && strncmp(class_name, "CuDNN", 5) == 0;
    lc_cell_modernise(c, &cell->layer, cell->kind, cell->units, cell->depth, cudnn);
    if (!lc_weights(c, cell->use_bias ? 3 : 2, cell->use_bias ? "kernel, recurrent_kernel, bias" : "kernel, recurrent_kernel")) return;
    const int32_t width = gates * cell->units;
    lc_weight(c, 0, "kernel", (int32_t[]){cell->depth, width}, 2);
    lc_weight(c, 1, "recurrent_kernel", (int32_t[]){cell->units, width}, 2);
    if (cell->use_bias) lc_weight(c, 2, "bias", cell->reset_after ? (int32_t[]){2, width} : (int32_t[]){width}, cell->reset_after ? 2 : 1);
}

int32_t lc_cell_dropped(lc_call *c, const lc_cell *cell, int32_t h, int32_t gate) {
    const uint32_t mask = cell->masks == 1 ? 0 : (uint32_t)gate;
    return cell->recurrent_dropout > 0 ? lc_training_dropout(c, h, cell->recurrent_dropout, cell->recurrent_stream + mask, 0) : h;
}

int32_t lc_cell_join(lc_call *c, const int32_t *gates, int32_t n) {
    lc_shape s;
    if (n == 1 || !lc_call_shape(c, gates[0], &s)) return n == 1 ? gates[0] : -1;
    return lc_tf_concat(lc_eager_maker(c), gates, (uint32_t)n, s.rank - 1);
}

/* Rows of w [gates * units, depth] that are those of a gate, kept in a slot. */
static int32_t gate_rows(lc_call *c, const lc_cell *cell, uint32_t first, int32_t w, int32_t depth, int32_t gate) {
    const uint32_t slot = first + (uint32_t)gate;
    if (kept(c, slot) >= 0) return kept(c, slot);
    return keep_cell(c, slot, lc_weight_slice(c, w, (int32_t[]){gate * cell->units, 0}, (int32_t[]){cell->units, depth}, 2));
}

/* h U of the first so many gates, of which each multiplies what is left of h after its own dropout. */
static int32_t dropped_product(lc_call *c, const lc_cell *cell, int32_t gates, int32_t w, int32_t h) {
    int32_t parts[LC_CELL_GATES];
    for (int32_t g = 0; g < gates; g++)
        parts[g] = dense(c, lc_cell_dropped(c, cell, h, g), gate_rows(c, cell, RECURRENT_GATE, w, cell->units, g), LC_ABSENT);
    return lc_cell_join(c, parts, gates);
}

/* x W + b of all gates or one, or h U + its bias. */
static int32_t product(lc_call *c, const lc_cell *cell, int32_t gates, bool recurrent, int32_t x, int32_t gate) {
    const int32_t width = gates * cell->units, depth = recurrent ? cell->units : cell->depth;
    const int32_t dims[2] = {depth, width}, out[2] = {width, depth}, both[2] = {2, width};
    int32_t bias = LC_ABSENT;
    if (cell->use_bias && cell->reset_after)
        bias = lc_cell_part(c, recurrent ? RECURRENT_BIAS : BIAS, 2, "bias", both, 2, recurrent ? width : 0, recurrent ? 2 * width : width);
    else if (cell->use_bias && !recurrent) bias = lc_weight_bias(c, BIAS, 2, width, true);
    const int32_t w = recurrent ? lc_weight_transposed(c, RECURRENT, 1, "recurrent_kernel", dims, 2, out, 2)
                                : lc_weight_transposed(c, KERNEL, 0, "kernel", dims, 2, out, 2);
    if (gate != LC_ALL_GATES) {
        const int32_t part = bias == LC_ABSENT ? bias : lc_weight_slice(c, bias, (int32_t[]){gate * cell->units}, &cell->units, 1);
        return dense(c, x, gate_rows(c, cell, GATE, w, depth, gate), part);
    }
    if (!recurrent || cell->recurrent_dropout <= 0) return dense(c, x, w, bias);
    if (cell->masks == 1) return dense(c, lc_cell_dropped(c, cell, x, 0), w, bias);
    const int32_t y = dropped_product(c, cell, gates, w, x);
    return bias == LC_ABSENT ? y : add(c, y, bias);
}

/* ---- LSTM ------------------------------------------------------------------------------------------------------------ */

static void lstm_read(lc_call *c, lc_cell *cell, const lc_shape *x) { read_gates(c, cell, x, 4); }
static int32_t lstm_project(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate) { return product(c, cell, 4, false, x, gate); }

static void lstm_step(lc_call *c, const lc_cell *cell, int32_t x, int32_t *states) {
    int32_t g[4];
    if (!lc_cell_split(c, add(c, x, product(c, cell, 4, true, states[0], LC_ALL_GATES)), 4, g)) return;
    const int32_t kept_part = mul(c, gate(c, g[1]), states[1]), new_part = mul(c, gate(c, g[0]), act(c, g[2]));
    states[1] = add(c, kept_part, new_part);
    states[0] = mul(c, gate(c, g[3]), act(c, states[1]));
}

/* ---- GRU ------------------------------------------------------------------------------------------------------------- */

/* Files from before there was reset_after, and CuDNN's: two biases say it. */
static bool resets_after(lc_call *c, const lc_keras_layer *l, int32_t units) {
    if (lc_opt(c, "reset_after")) return lc_opt_bool(c, "reset_after", true);
    if (l->class_name && strcmp(l->class_name, "CuDNNGRU") == 0) return true;
    if (l->weight_count == 3)
        return l->weights[2].rank == 2 || (l->weights[2].rank == 1 && units <= INT32_MAX / 8 && l->weights[2].dims[0] == 6 * units);
    return l->weight_count < 3 && !c->lower->keras2;
}

static void gru_read(lc_call *c, lc_cell *cell, const lc_shape *x) {
    cell->reset_after = resets_after(c, &cell->layer, lc_opt_size(c, lc_cell_key(c, "units", "output_dim")));
    read_gates(c, cell, x, 3);
}
static int32_t gru_project(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate) { return product(c, cell, 3, false, x, gate); }

/* [.., 3 units] to the first two gates and the third. */
static bool split_gates(lc_call *c, const lc_cell *cell, int32_t x, int32_t *parts) {
    const int32_t sizes[2] = {2 * cell->units, cell->units}, axis = 1;
    const int32_t in[3] = {x, lc_build_ints(c->b, "sizes", sizes, 2), lc_tf_scalar(lc_eager_maker(c), axis, LC_INT32)};
    const lc_SplitVOptions o = {.num_splits = 2};
    return lc_build_op_multi(c->b, LC_OP_SPLIT_V, LC_TABLE_SplitVOptions, &o, in, 3, parts, 2);
}

static void gru_step(lc_call *c, const lc_cell *cell, int32_t x, int32_t *states) {
    const int32_t h = states[0], n = cell->units;
    int32_t from_x[2], from_h[2], g[2], fresh;
    if (!split_gates(c, cell, x, from_x)) return;
    if (cell->reset_after) {
        if (!split_gates(c, cell, product(c, cell, 3, true, h, LC_ALL_GATES), from_h)) return;
    } else {
        const int32_t w = lc_cell_columns(c, RECURRENT, 1, "recurrent_kernel", n, 3 * n, 0, 2 * n);
        from_h[0] = cell->recurrent_dropout > 0 ? dropped_product(c, cell, 2, w, h) : dense(c, h, w, LC_ABSENT);
    }
    const int32_t both = add(c, from_x[0], from_h[0]);
    const bool elementwise = names(c, recurrent_key(c), "sigmoid", "sigmoid") || names(c, recurrent_key(c), "", "hard_sigmoid");
    if (!lc_cell_split(c, elementwise ? gate(c, both) : both, 2, g)) return;
    for (int k = 0; k < 2 && !elementwise; k++) g[k] = gate(c, g[k]);
    if (cell->reset_after) fresh = mul(c, g[1], from_h[1]);
    else {
        const int32_t reset = mul(c, g[1], lc_cell_dropped(c, cell, h, 2));
        fresh = dense(c, reset, lc_cell_columns(c, RECURRENT_NEW, 1, "recurrent_kernel", n, 3 * n, 2 * n, 3 * n), LC_ABSENT);
    }
    fresh = act(c, add(c, from_x[1], fresh));
    states[0] = add(c, fresh, mul(c, g[0], sub(c, h, fresh)));
}

/* ---- SimpleRNN --------------------------------------------------------------------------------------------------------- */

static void simple_read(lc_call *c, lc_cell *cell, const lc_shape *x) { read_gates(c, cell, x, 1); }
static int32_t simple_project(lc_call *c, const lc_cell *cell, int32_t x, int32_t gate) { return product(c, cell, 1, false, x, gate); }
static void simple_step(lc_call *c, const lc_cell *cell, int32_t x, int32_t *states) {
    states[0] = act(c, add(c, x, product(c, cell, 1, true, states[0], LC_ALL_GATES)));
}

/* ---- all ----------------------------------------------------------------------------------------------------------------- */

bool lc_cell_fuses(const lc_cell *cell) {
    lc_call c = cell->call;
    static const char *const acts[] = {"tanh", "relu", "relu6", "linear"};
    for (size_t i = 0; i < sizeof acts / sizeof *acts && cell->kind->step == simple_step; i++)
        if (names(&c, "activation", "tanh", acts[i])) return true;
    return cell->kind->step == lstm_step && names(&c, recurrent_key(&c), "sigmoid", "sigmoid") &&
           (names(&c, "activation", "tanh", "tanh") || names(&c, "activation", "tanh", "relu"));
}

static const lc_cell_kind kinds[] = {
    {"LSTMCell", "lstm_cell", 2, lstm_read, 4, lstm_project, lstm_step},
    {"GRUCell", "gru_cell", 1, gru_read, 3, gru_project, gru_step},
    {"SimpleRNNCell", "simple_rnn_cell", 1, simple_read, 1, simple_project, simple_step},
};

const lc_cell_kind *lc_cell_find(const char *class_name) {
    for (size_t i = 0; class_name && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].class_name, class_name) == 0) return &kinds[i];
    return NULL;
}
