/*
 * lstm_ref.c: LSTM, UNIDIRECTIONAL_SEQUENCE_LSTM and BIDIRECTIONAL_SEQUENCE_LSTM in float32, with float32 weights or (hybrid) int8 ones.
 *
 *   gate  = f(W x + A aux + R h + p * c + bias), or f(norm * normalise(W x + A aux + R h + p * c) + bias)
 *   c     = clip(forget * c + input * new)          input = 1 - forget when there is no input gate
 *   y     = output * act(c)                         f is the logistic function, for `new` it is act
 *   h     = y, or clip(P y + bias) with a projection; it is the output of the step
 *
 * h and c are variables: they stay from run to run. Peephole weights p act on the old c for input and forget, on the new one for the
 * output gate. Hybrid: x, aux, h and y are quantised to 8 bits, a scale (and a zero point) for each vector at each step.
 */
#include "kernels/lstm.h"

#include <string.h>

void lc_lstm_cell_of(const lc_kernel_ctx *ctx, bool backward, lc_lstm_cell *c) {
    const lc_node *node = ctx->node;
    *c = (lc_lstm_cell){.backward = backward};
    if (node->op == LC_OP_LSTM) {
        const lc_LSTMOptions *o = LC_OP_ATTRS(node, LSTMOptions);
        c->activation = o->fused_activation_function;
        c->cell_clip = o->cell_clip;
        c->proj_clip = o->proj_clip;
        c->asymmetric = o->asymmetric_quantize_inputs;
        c->time_major = true; /* one step of the whole batch */
        c->slot = lc_lstm_slots_of(ctx->in_count);
    } else if (node->op == LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM) {
        const lc_UnidirectionalSequenceLSTMOptions *o = LC_OP_ATTRS(node, UnidirectionalSequenceLSTMOptions);
        c->activation = o->fused_activation_function;
        c->cell_clip = o->cell_clip;
        c->proj_clip = o->proj_clip;
        c->asymmetric = o->asymmetric_quantize_inputs;
        c->time_major = o->time_major;
        c->slot = lc_lstm_slots_of(ctx->in_count);
    } else {
        const lc_BidirectionalSequenceLSTMOptions *o = LC_OP_ATTRS(node, BidirectionalSequenceLSTMOptions);
        c->activation = o->fused_activation_function;
        c->cell_clip = o->cell_clip;
        c->proj_clip = o->proj_clip;
        c->asymmetric = o->asymmetric_quantize_inputs;
        c->time_major = o->time_major;
        c->slot = lc_lstm_slots_bidirectional(backward, ctx->in[LC_LSTM_AUX] != NULL, ctx->in[LC_LSTM_AUX_WEIGHTS] != NULL);
        c->out = backward && !o->merge_outputs;
    }
    const lc_shape *in = &ctx->in[c->slot.input]->shape, *w = &ctx->in[c->slot.weights[LC_LSTM_OUTPUT]]->shape;
    const lc_shape *r = &ctx->in[c->slot.recurrent[LC_LSTM_OUTPUT]]->shape, *out = &ctx->out[c->out]->shape;
    c->time = in->rank == 2 ? 1 : in->dims[c->time_major ? 0 : 1];
    c->batch = in->rank == 2 ? in->dims[0] : in->dims[c->time_major ? 1 : 0];
    c->cells = w->dims[0];
    c->depth = w->dims[1];
    c->units = r->dims[r->rank - 1];
    c->aux_depth = c->slot.aux >= 0 ? ctx->in[c->slot.aux]->shape.dims[2] : 0;
    c->out_row = out->dims[out->rank - 1];
    c->out_at = backward && c->out == 0 ? c->out_row - c->units : 0;
    c->coupled = !lc_lstm_value(ctx, c->slot.weights[LC_LSTM_INPUT]);
    c->peephole = lc_lstm_value(ctx, c->slot.peephole[LC_LSTM_OUTPUT]) != NULL;
    c->norm = lc_lstm_value(ctx, c->slot.norm[LC_LSTM_FORGET]) != NULL;
    c->projected = lc_lstm_value(ctx, c->slot.projection) != NULL;
}

/* ---- preparing ------------------------------------------------------------------------------------------------------ */

typedef struct direction {
    lc_lstm_cell c;
    float weights[LC_LSTM_GATES], recurrent[LC_LSTM_GATES], aux_weights[LC_LSTM_GATES], peephole[LC_LSTM_GATES],
        projection; /* scales; hybrid */
    bool ledgers;   /* LiteRT takes its way for sparse weights: see compute_gate */
} direction;

typedef struct state {
    int directions;
    bool hybrid;
    size_t gates_at, y_at, x_at, aux_at, h_at; /* in scratch */
    direction d[2];
} state;

static bool is_sparse(const lc_value *v) { return v->def && v->def->sparsity; }

static lc_status prepare_direction(lc_kernel_ctx *ctx, direction *d, bool hybrid) {
    const lc_lstm_cell *c = &d->c;
    const uint32_t real = LC_T(FLOAT32), weights = hybrid ? LC_T(INT8) | LC_T(UINT8) : real;
    LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.input, real));
    if (c->slot.aux >= 0) LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.aux, real));
    for (int32_t g = lc_lstm_first(c); g < LC_LSTM_GATES; g++) {
        const lc_value *r = lc_lstm_value(ctx, c->slot.recurrent[g]);
        LC_TRY(lc_recurrent_operand(ctx, c->slot.weights[g], weights, "weights", &d->weights[g]));
        LC_TRY(lc_recurrent_operand(ctx, c->slot.recurrent[g], r->shape.rank == 1 ? real : weights, "recurrent weights", &d->recurrent[g]));
        LC_TRY(lc_recurrent_operand(ctx, c->slot.aux_weights[g], weights, "auxiliary weights", &d->aux_weights[g]));
        LC_TRY(lc_recurrent_operand(ctx, c->slot.peephole[g], weights, "peephole weights", &d->peephole[g]));
        LC_TRY(lc_recurrent_operand(ctx, c->slot.bias[g], real, "bias", NULL));
        LC_TRY(lc_recurrent_operand(ctx, c->slot.norm[g], real, "layer norm", NULL));
    }
    d->ledgers = hybrid && ctx->node->op == LC_OP_LSTM && c->projected && is_sparse(ctx->in[c->slot.weights[LC_LSTM_OUTPUT]]);
    LC_TRY(lc_recurrent_operand(ctx, c->slot.projection, weights, "projection", &d->projection));
    LC_TRY(lc_recurrent_operand(ctx, c->slot.projection_bias, real, "projection's bias", NULL));
    LC_TRY(lc_recurrent_state(ctx, c->slot.hidden, LC_FLOAT32));
    return lc_recurrent_state(ctx, c->slot.cell, LC_FLOAT32);
}

static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

static lc_status prepare(lc_kernel_ctx *ctx, bool hybrid) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    s->hybrid = hybrid;
    s->directions = ctx->node->op == LC_OP_BIDIRECTIONAL_SEQUENCE_LSTM ? 2 : 1;
    int32_t cells = 0, depth = 0, aux = 0, units = 0;
    for (int i = 0; i < s->directions; i++) {
        const lc_lstm_cell *c = &s->d[i].c;
        lc_lstm_cell_of(ctx, i == 1, &s->d[i].c);
        LC_TRY(prepare_direction(ctx, &s->d[i], hybrid));
        cells = most(cells, c->cells);
        depth = most(depth, c->depth);
        aux = most(aux, c->aux_depth);
        units = most(units, c->units);
    }
    size_t size = 0;
    bool fits = lc_recurrent_reserve(&size, &s->gates_at, (int64_t)LC_LSTM_GATES * cells, sizeof(float)) &&
                lc_recurrent_reserve(&size, &s->y_at, cells, sizeof(float));
    if (hybrid)
        fits = fits && lc_recurrent_reserve(&size, &s->x_at, depth, sizeof(int16_t)) &&
               lc_recurrent_reserve(&size, &s->aux_at, aux, sizeof(int16_t)) &&
               lc_recurrent_reserve(&size, &s->h_at, most(units, cells), sizeof(int16_t));
    if (!fits) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = size;
    ctx->label = hybrid ? "hybrid" : NULL;
    return LC_OK;
}

static lc_status prepare_float(lc_kernel_ctx *ctx) { return prepare(ctx, false); }
static lc_status prepare_hybrid(lc_kernel_ctx *ctx) { return prepare(ctx, true); }

/* ---- running -------------------------------------------------------------------------------------------------------- */

static double recurrent_product(const direction *d, const lc_value *matrix, int32_t g, int64_t k, const lc_vector *h) {
    if (matrix->shape.rank == 1) return (double)((const float *)matrix->data)[k] * (double)h->real[k];
    return lc_vector_product(matrix, d->recurrent[g], k, h);
}

static double peephole_at(const direction *d, const lc_value *p, int32_t g, int64_t k) {
    return p->type == LC_FLOAT32 ? (double)((const float *)p->data)[k] : (double)(d->peephole[g] * (float)((const int8_t *)p->data)[k]);
}

static void compute_gate(const lc_kernel_ctx *ctx, const direction *d, int32_t g, const lc_vector *x, const lc_vector *aux,
                         const lc_vector *h, const float *cell, float *gate) {
    const lc_lstm_cell *c = &d->c;
    const lc_value *w = ctx->in[c->slot.weights[g]], *r = ctx->in[c->slot.recurrent[g]], *a = lc_lstm_value(ctx, c->slot.aux_weights[g]);
    const lc_value *p = c->peephole ? lc_lstm_value(ctx, c->slot.peephole[g]) : NULL;
    const float *bias = ctx->in[c->slot.bias[g]]->data;
    /* LiteRT multiplies sparse recurrent weights by the scale of the input, not by that of the hidden state: models give the answers they
     * were made with. (Its way for sparse weights needs a projection; without one it crashes.) */
    lc_vector hidden = *h;
    if (d->ledgers && is_sparse(r)) hidden.scale = x->scale;
    for (int32_t k = 0; k < c->cells; k++) {
        double sum = c->norm ? 0 : (double)bias[k];
        sum += lc_vector_product(w, d->weights[g], k, x);
        if (a) sum += lc_vector_product(a, d->aux_weights[g], k, aux);
        sum += recurrent_product(d, r, g, k, &hidden);
        if (p) sum += peephole_at(d, p, g, k) * (double)cell[k];
        gate[k] = (float)sum;
    }
    if (c->norm) lc_lstm_normalise(gate, c->cells, lc_lstm_data(ctx, c->slot.norm[g]), bias);
    if (g == LC_LSTM_CELL) {
        lc_ref_activate(gate, c->cells, c->activation);
        return;
    }
    for (int32_t k = 0; k < c->cells; k++) gate[k] = 1 / (1 + expf(-gate[k]));
}

static float clip(float x, float limit) { return limit > 0 ? (x > limit ? limit : x < -limit ? -limit : x) : x; }

static void update_cell(const lc_lstm_cell *c, const float *gates, float *cell) {
    const float *in = gates, *forget = gates + c->cells, *new = gates + 2 * (int64_t)c->cells;
    for (int32_t k = 0; k < c->cells; k++)
        cell[k] = clip(forget[k] * cell[k] + (c->coupled ? 1 - forget[k] : in[k]) * new[k], c->cell_clip);
}

/* The hidden state from y. */
static void put_hidden(const lc_kernel_ctx *ctx, const direction *d, const float *y, float *h, int16_t *q) {
    const lc_lstm_cell *c = &d->c;
    const lc_value *p = lc_lstm_value(ctx, c->slot.projection);
    const float *bias = lc_lstm_data(ctx, c->slot.projection_bias);
    if (!p) {
        memcpy(h, y, (size_t)c->cells * sizeof *h);
        return;
    }
    const lc_vector v = lc_vector_of(y, c->cells, q, c->asymmetric);
    for (int32_t u = 0; u < c->units; u++)
        h[u] = clip((float)((bias ? (double)bias[u] : 0) + lc_vector_product(p, d->projection, u, &v)), c->proj_clip);
}

static void run_row(const lc_kernel_ctx *ctx, const state *s, const direction *d, int64_t b) {
    const lc_lstm_cell *c = &d->c;
    char *scratch = ctx->scratch;
    float *gates = (float *)(void *)(scratch + s->gates_at), *y = (float *)(void *)(scratch + s->y_at);
    float *h = (float *)ctx->in[c->slot.hidden]->data + b * c->units, *cell = (float *)ctx->in[c->slot.cell]->data + b * c->cells;
    const float *in = ctx->in[c->slot.input]->data, *aux = lc_lstm_data(ctx, c->slot.aux);
    int16_t *qx = s->hybrid ? (int16_t *)(void *)(scratch + s->x_at) : NULL,
            *qa = s->hybrid ? (int16_t *)(void *)(scratch + s->aux_at) : NULL;
    int16_t *qh = s->hybrid ? (int16_t *)(void *)(scratch + s->h_at) : NULL;
    for (int64_t t = 0; t < c->time; t++) {
        const int64_t row = lc_lstm_row(c, b, t);
        const lc_vector x = lc_vector_of(in + row * c->depth, c->depth, qx, c->asymmetric);
        const lc_vector a = aux ? lc_vector_of(aux + row * c->aux_depth, c->aux_depth, qa, c->asymmetric) : (lc_vector){0};
        const lc_vector v = lc_vector_of(h, c->units, qh, c->asymmetric);
        for (int32_t g = lc_lstm_first(c); g < LC_LSTM_OUTPUT; g++)
            compute_gate(ctx, d, g, &x, &a, &v, cell, gates + (int64_t)g * c->cells);
        update_cell(c, gates, cell);
        float *out = gates + (int64_t)LC_LSTM_OUTPUT * c->cells;
        compute_gate(ctx, d, LC_LSTM_OUTPUT, &x, &a, &v, cell, out);
        /* without an activation LiteRT leaves the new values where the activated cells should be: models give the answers they were made
         * with */
        const bool none = c->activation == LC_ActivationFunctionType_NONE;
        memcpy(y, none ? gates + (int64_t)LC_LSTM_CELL * c->cells : cell, (size_t)c->cells * sizeof *y);
        lc_ref_activate(y, c->cells, c->activation);
        for (int32_t k = 0; k < c->cells; k++) y[k] *= out[k];
        put_hidden(ctx, d, y, h, qh);
        memcpy((float *)ctx->out[c->out]->data + row * c->out_row + c->out_at, h, (size_t)c->units * sizeof *h);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    for (int i = 0; i < s->directions; i++)
        for (int64_t b = 0; b < s->d[i].c.batch; b++) run_row(ctx, s, &s->d[i], b);
    return LC_OK;
}

const lc_kernel lc_lstm_float = {.prepare = prepare_float, .run = run};
const lc_kernel lc_lstm_hybrid = {.prepare = prepare_hybrid, .run = run};

/* ---- choosing ------------------------------------------------------------------------------------------------------- */

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_node *node = ctx->node;
    const lc_dtype in = ctx->in[0]->type;
    if (node->op == LC_OP_LSTM && LC_OP_ATTRS(node, LSTMOptions)->kernel_type == LC_LSTMKernelType_BASIC)
        return in == LC_FLOAT32 ? &lc_lstm_basic_float : in == LC_UINT8 ? &lc_lstm_basic_uint8 : NULL;
    const lc_dtype weights = ctx->in[4]->type; /* the output gate's, in every operator */
    if (in == LC_FLOAT32)
        return weights == LC_FLOAT32 ? &lc_lstm_float : weights == LC_INT8 || weights == LC_UINT8 ? &lc_lstm_hybrid : NULL;
    if (in != LC_INT8 || node->op == LC_OP_BIDIRECTIONAL_SEQUENCE_LSTM) return NULL;
    return node->op == LC_OP_LSTM && node->intermediate_count == 12 ? &lc_lstm_int8 : &lc_lstm_int16;
}

const lc_kernel lc_kernel_LSTM = {.choose = choose};
const lc_kernel lc_kernel_UNIDIRECTIONAL_SEQUENCE_LSTM = {.choose = choose};
const lc_kernel lc_kernel_BIDIRECTIONAL_SEQUENCE_LSTM = {.choose = choose};
