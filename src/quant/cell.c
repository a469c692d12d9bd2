/*
 * cell.c: a plain float LSTM that is run beside the model to see the values inside of its LSTM operators: the formulas of
 * kernels/lstm_ref.c, for tanh alone, which is all that integer LSTMs have. Of SVDF the products that go into its state.
 *
 * Sums are of floats in eight lanes: ranges need no more digits, and the order is fixed, so that the same bits come out each time.
 */
#include "quant/cell.h"

#include "base/alloc.h"
#include "base/checked.h"

#include <math.h>
#include <string.h>

/* ---- which they are --------------------------------------------------------------------------------------------- */

uint32_t lc_quant_use_count(const lc_graph *g, int32_t tensor) {
    uint32_t uses = 0;
    for (size_t i = 0; i < g->node_count; i++)
        for (uint32_t k = 0; k < g->nodes[i].input_count; k++) uses += g->nodes[i].inputs[k] == tensor;
    for (size_t i = 0; i < g->output_count; i++) uses += g->outputs[i] == tensor;
    return uses;
}

const char *lc_quant_cell_hindrance(const lc_graph *g, const lc_node *n) {
    return n->op == LC_OP_SVDF ? lc_quant_svdf_hindrance(g, n) : lc_quant_lstm_hindrance(g, n);
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

/* The floats of input `slot`; NULL: there is none. */
static lc_status floats(const lc_graph *g, const lc_node *n, int32_t slot, lc_arena *arena, const float **out, lc_error *err) {
    *out = NULL;
    if (slot < 0 || (uint32_t)slot >= n->input_count || n->inputs[slot] < 0) return LC_OK;
    *out = lc_quant_floats(&g->tensors[n->inputs[slot]], arena);
    return *out ? LC_OK : lc_fail_memory(err, "weights");
}

static lc_status svdf_of(const lc_graph *g, size_t node, lc_arena *arena, lc_cell *c, lc_error *err) {
    const lc_node *n = &g->nodes[node];
    c->node = node;
    c->input = n->inputs[0];
    c->states[0] = c->states[1] = LC_ABSENT;
    c->time_major = true;
    c->depth = g->tensors[n->inputs[1]].dims[1];
    c->cells = g->tensors[n->inputs[1]].dims[0];
    return floats(g, n, 1, arena, &c->features, err);
}

static lc_status cell_of(const lc_graph *g, size_t node, lc_arena *arena, lc_cell *c, lc_error *err) {
    const lc_node *n = &g->nodes[node];
    if (n->op == LC_OP_SVDF) return svdf_of(g, node, arena, c, err);
    const lc_lstm_slots s = lc_lstm_slots_of(n->input_count);
    const bool one = n->op == LC_OP_LSTM;
    const lc_tensor *w = &g->tensors[n->inputs[s.weights[LC_LSTM_OUTPUT]]], *r = &g->tensors[n->inputs[s.recurrent[LC_LSTM_OUTPUT]]];
    c->node = node;
    c->input = n->inputs[s.input];
    lc_quant_lstm_states(n, c->states);
    c->time_major = one || LC_OP_ATTRS(n, UnidirectionalSequenceLSTMOptions)->time_major;
    c->cell_clip = one ? LC_OP_ATTRS(n, LSTMOptions)->cell_clip : LC_OP_ATTRS(n, UnidirectionalSequenceLSTMOptions)->cell_clip;
    c->proj_clip = one ? LC_OP_ATTRS(n, LSTMOptions)->proj_clip : LC_OP_ATTRS(n, UnidirectionalSequenceLSTMOptions)->proj_clip;
    c->cells = w->dims[0];
    c->depth = w->dims[1];
    c->units = r->dims[1];
    for (int32_t k = 0; k < LC_LSTM_GATES; k++) {
        LC_TRY(floats(g, n, s.weights[k], arena, &c->weights[k], err));
        LC_TRY(floats(g, n, s.recurrent[k], arena, &c->recurrent[k], err));
        LC_TRY(floats(g, n, s.bias[k], arena, &c->bias[k], err));
        LC_TRY(floats(g, n, s.peephole[k], arena, &c->peephole[k], err));
        LC_TRY(floats(g, n, s.norm[k], arena, &c->norm[k], err));
    }
    c->coupled = !c->weights[LC_LSTM_INPUT];
    LC_TRY(floats(g, n, s.projection, arena, &c->projection, err));
    return floats(g, n, s.projection_bias, arena, &c->projection_bias, err);
}

lc_status lc_cells_find(const lc_model *model, lc_arena *arena, lc_cell **cells, size_t *count, lc_error *err) {
    size_t capacity = 0;
    void *items = NULL;
    *count = 0;
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t n = 0; n < model->graphs[g]->node_count; n++) {
            const lc_op_quant_def *rule = lc_op_quant(model->graphs[g]->nodes[n].op);
            if (!rule || rule->scales != LC_QUANT_CELL || lc_quant_cell_hindrance(model->graphs[g], &model->graphs[g]->nodes[n])) continue;
            if (!lc_arena_grow(arena, &items, &capacity, *count + 1, sizeof **cells)) return lc_fail_memory(err, "LSTM");
            lc_cell *c = (lc_cell *)items + (*count)++;
            *c = (lc_cell){.graph = g};
            LC_TRY(cell_of(model->graphs[g], n, arena, c, err));
        }
    *cells = items;
    return LC_OK;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

void lc_cell_deinit(lc_cell_run *run) {
    lc_free(run->x);
    lc_free(run->hidden);
    lc_free(run->cell);
    lc_free(run->gates);
    lc_free(run->begin[0]);
    lc_free(run->begin[1]);
    *run = (lc_cell_run){0};
}

void lc_cell_reset(const lc_cell *c, lc_cell_run *run) {
    if (!run->state_batch) return;
    memset(run->hidden, 0, (size_t)(run->state_batch * c->units) * sizeof(float));
    memset(run->cell, 0, (size_t)(run->state_batch * c->cells) * sizeof(float));
}

/* Room for n floats. */
static bool room(float **p, size_t n) {
    size_t bytes;
    float *q = lc_mul_size(n, sizeof **p, &bytes) ? lc_realloc(*p, bytes ? bytes : 1) : NULL;
    if (q) *p = q;
    return q;
}

/* A copy of the view's floats. */
static bool keep(float **to, size_t *capacity, const lc_tensor_view *v) {
    const size_t n = v->size / sizeof(float);
    if (n > *capacity) {
        if (!room(to, n)) return false;
        *capacity = n;
    }
    if (n) memcpy(*to, v->data, v->size);
    return true;
}

void lc_cell_take_state(lc_cell_run *run, int which, const lc_tensor_view *state) {
    run->failed |= !keep(&run->begin[which], &run->begin_room[which], state);
    run->begin_count[which] = run->failed ? 0 : state->size / sizeof(float);
}

void lc_cell_take_input(const lc_cell *c, lc_cell_run *run, const lc_tensor_view *x) {
    const bool one = x->rank == 2; /* LSTM: one step */
    run->batch = one || !c->time_major ? x->dims[0] : x->dims[1];
    run->time = one ? 1 : c->time_major ? x->dims[0] : x->dims[1];
    if (!keep(&run->x, &run->x_room, x)) {
        run->failed = true;
        return;
    }
    if (run->batch == run->state_batch) return;
    const size_t batch = (size_t)run->batch;
    run->state_batch = 0;
    run->failed |= !room(&run->hidden, batch * (size_t)c->units) || !room(&run->cell, batch * (size_t)c->cells) ||
                   !room(&run->gates, (LC_LSTM_GATES + 1) * (size_t)c->cells);
    if (run->failed) return;
    run->state_batch = run->batch;
    lc_cell_reset(c, run);
}

static float dot(const float *a, const float *b, int32_t n) {
    float lane[8] = {0};
    int32_t i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; l++) lane[l] += a[i + l] * b[i + l];
    for (; i < n; i++) lane[0] += a[i] * b[i];
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static void widen(lc_range *r, const float *x, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        r->low = r->seen ? fminf(r->low, x[i]) : x[i];
        r->high = r->seen ? fmaxf(r->high, x[i]) : x[i];
        r->seen = true;
    }
}

static void compute_gate(const lc_cell *c, int32_t g, const float *x, const float *h, const float *cell, float *gate, lc_range *sums) {
    for (int32_t k = 0; k < c->cells; k++) {
        gate[k] = (c->norm[g] ? 0 : c->bias[g][k]) + dot(c->weights[g] + (int64_t)k * c->depth, x, c->depth) +
                  dot(c->recurrent[g] + (int64_t)k * c->units, h, c->units);
        if (c->peephole[g]) gate[k] += c->peephole[g][k] * cell[k];
    }
    widen(sums, gate, c->cells);
    if (c->norm[g]) lc_lstm_normalise(gate, c->cells, c->norm[g], c->bias[g]);
    for (int32_t k = 0; k < c->cells; k++) gate[k] = g == LC_LSTM_CELL ? tanhf(gate[k]) : 1 / (1 + expf(-gate[k]));
}

static float clip(float x, float limit) { return limit > 0 ? fmaxf(-limit, fminf(limit, x)) : x; }

static void step(const lc_cell *c, const float *x, float *h, float *cell, float *gates, lc_range_state *ranges) {
    const int64_t n = c->cells;
    float *in = gates, *forget = gates + n, *new = gates + 2 * n, *out = gates + 3 * n, *y = gates + 4 * n;
    for (int32_t g = c->coupled ? LC_LSTM_FORGET : LC_LSTM_INPUT; g < LC_LSTM_OUTPUT; g++)
        compute_gate(c, g, x, h, cell, gates + g * n, &ranges->sums[g]);
    for (int64_t k = 0; k < n; k++) cell[k] = clip(forget[k] * cell[k] + (c->coupled ? 1 - forget[k] : in[k]) * new[k], c->cell_clip);
    compute_gate(c, LC_LSTM_OUTPUT, x, h, cell, out, &ranges->sums[LC_LSTM_OUTPUT]);
    for (int64_t k = 0; k < n; k++) y[k] = out[k] * tanhf(cell[k]);
    widen(&ranges->cell, cell, c->cells);
    widen(&ranges->hidden, y, c->cells);
    if (!c->projection) memcpy(h, y, (size_t)n * sizeof *h);
    for (int32_t u = 0; c->projection && u < c->units; u++)
        h[u] = clip((c->projection_bias ? c->projection_bias[u] : 0) + dot(c->projection + u * n, y, c->cells), c->proj_clip);
}

/* What SVDF's state gets of one row: a product for each filter. */
static void filter(const lc_cell *c, const float *x, float *products, lc_range_state *ranges) {
    for (int32_t k = 0; k < c->cells; k++) products[k] = dot(c->features + (int64_t)k * c->depth, x, c->depth);
    widen(&ranges->cell, products, c->cells);
}

/* The state becomes what was written, if something was. */
static void begin(const lc_cell *c, lc_cell_run *run) {
    float *const to[] = {run->hidden, run->cell};
    const size_t count[] = {(size_t)(run->state_batch * c->units), (size_t)(run->state_batch * c->cells)};
    for (int k = 0; k < 2; k++)
        if (run->begin_count[k] && run->begin_count[k] == count[k]) memcpy(to[k], run->begin[k], count[k] * sizeof(float));
}

void lc_cell_observe(const lc_cell *c, lc_cell_run *run, lc_range_state *ranges) {
    if (!run->failed) begin(c, run);
    if (!run->failed && !c->features) widen(&ranges->cell, run->cell, (int32_t)(run->state_batch * c->cells));
    for (int64_t b = 0; !run->failed && b < run->state_batch; b++)
        for (int64_t t = 0; t < run->time; t++) {
            const int64_t row = c->time_major ? t * run->batch + b : b * run->time + t;
            if (c->features) filter(c, run->x + row * c->depth, run->cell + b * c->cells, ranges);
            else step(c, run->x + row * c->depth, run->hidden + b * c->units, run->cell + b * c->cells, run->gates, ranges);
        }
}
