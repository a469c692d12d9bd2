/*
 * lstm_quant.c: LSTM and UNIDIRECTIONAL_SEQUENCE_LSTM in integers: int8 input, weights, hidden state and output, int16 cell state, gates
 * and norms. The formulas are those of lstm_ref.c; numbers inside are
 *
 *   sums     int16: Q3 (4096 is 1), or with layer norm on the scale of intermediate tensors 0 to 3; the norm makes them Q3
 *   gates    int16 Q0 by fixed-point logistic and tanh     cell   int16 with a power of two as scale
 *   y        int8 on the scale of intermediate tensor 4 when a projection follows, else the hidden state itself
 *
 * Every product of a matrix is rounded and saturated by itself before the next is added, as LiteRT does. A cell whose scale is outside
 * 2^-15 to 2^-9 has no tanh there: LiteRT's kernel then multiplies with what lies in that memory, the input gate. Converters write such
 * scales (2^-16, when cells stayed below 1/2), so this does the same; without an input gate what lies there is nobody's, and the model is
 * refused.
 */
#include "kernels/fixed.h"
#include "kernels/fixed16.h"
#include "kernels/lstm.h"

#include <string.h>

typedef struct lstm_gate {
    lc_multiplier weights, recurrent, peephole, norm;
    int32_t guard;                                /* least variance of the norm */
    const int32_t *weights_bias, *recurrent_bias; /* bias and what zero points make of the weights, one a cell */
} lstm_gate;

typedef struct state {
    lc_lstm_cell c;
    lstm_gate gates[LC_LSTM_GATES];
    int32_t cell_log2; /* scale of the cell state */
    bool has_tanh;     /* for cells of that scale */
    int32_t hidden_zero, y_zero, cell_clip, proj_clip;
    lc_multiplier y, projection;
    const int32_t *projection_bias;
    size_t y_at;
} state;

/* ---- preparing ------------------------------------------------------------------------------------------------------ */

/* Scale and zero point of intermediate tensor i. */
static lc_status intermediate(lc_kernel_ctx *ctx, uint32_t i, float *scale, int32_t *zero) {
    const lc_node *node = ctx->node;
    if (!ctx->graph || i >= node->intermediate_count || node->intermediates[i] < 0) {
        lc_fail(ctx->err, LC_INVALID, "has no intermediate tensor %u, whose scale an integer LSTM needs", i);
        lc_error_hint(ctx->err, "the model's quantisation is damaged: convert it again");
        return LC_INVALID;
    }
    const lc_tensor *t = &ctx->graph->tensors[node->intermediates[i]];
    const lc_value v = {.type = t->type, .def = t};
    return lc_quant_of(ctx, &v, "intermediate tensor", scale, zero);
}

static lc_status operand_scale(lc_kernel_ctx *ctx, int32_t slot, lc_dtype type, const char *what, float *scale) {
    int32_t zero;
    LC_TRY(lc_ref_input(ctx, (uint32_t)slot, 1u << type));
    return lc_quant_of(ctx, ctx->in[slot], what, scale, &zero);
}

/* For each row of a matrix: bias + factor * the sum of its elements. */
static lc_status add_row_sums(lc_kernel_ctx *ctx, int32_t matrix, int32_t bias, int32_t factor, const int32_t **sums) {
    const lc_value *m = ctx->in[matrix], *b = lc_lstm_value(ctx, bias);
    const int64_t rows = m->shape.dims[0], columns = m->shape.dims[1];
    int32_t *to = lc_arena_array(ctx->arena, (size_t)rows, sizeof *to);
    if (!to) return lc_fail_memory(ctx->err, "weights");
    if (!m->constant || (b && !b->constant)) {
        lc_fail(ctx->err, LC_UNSUPPORTED, "its weights are computed (input %d); an integer LSTM needs constants",
                m->constant ? bias : matrix);
        return LC_UNSUPPORTED;
    }
    for (int64_t r = 0; r < rows; r++) {
        const int8_t *row = (const int8_t *)m->data + r * columns;
        uint32_t sum = 0;
        for (int64_t i = 0; i < columns; i++) sum += (uint32_t)row[i];
        to[r] = (int32_t)((b ? (uint32_t)((const int32_t *)b->data)[r] : 0) + sum * (uint32_t)factor);
    }
    *sums = to;
    return LC_OK;
}

static lc_status prepare_gate(lc_kernel_ctx *ctx, state *s, int32_t g, float in, int32_t in_zero, float hidden) {
    const lc_lstm_cell *c = &s->c;
    lstm_gate *to = &s->gates[g];
    float sums = 0x1p-12f, scale;
    int32_t zero;
    if (c->norm) LC_TRY(intermediate(ctx, (uint32_t)g, &sums, &zero));
    LC_TRY(operand_scale(ctx, c->slot.weights[g], LC_INT8, "weights", &scale));
    to->weights = lc_multiplier_of((double)(scale * in / sums));
    if (ctx->in[c->slot.recurrent[g]]->shape.rank != 2)
        return lc_fail(ctx->err, LC_UNSUPPORTED, "its recurrent weights (input %d) are diagonal; an integer LSTM needs whole matrices",
                       c->slot.recurrent[g]);
    LC_TRY(operand_scale(ctx, c->slot.recurrent[g], LC_INT8, "recurrent weights", &scale));
    to->recurrent = lc_multiplier_of((double)(scale * hidden / sums));
    if (c->peephole && c->slot.peephole[g] >= 0) {
        LC_TRY(operand_scale(ctx, c->slot.peephole[g], LC_INT16, "peephole weights", &scale));
        to->peephole = lc_multiplier_of((double)(float)(ldexp(1, s->cell_log2) * (double)scale / (double)sums));
    }
    LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.bias[g], LC_T(INT32)));
    if (c->norm) {
        LC_TRY(operand_scale(ctx, c->slot.norm[g], LC_INT16, "layer norm", &scale));
        to->norm = lc_multiplier_of((double)scale);
        to->norm.shift += 12;
        const float guard = 10000 * scale;
        to->guard = guard >= 2147483648.0f ? INT32_MAX : guard < 1 ? 1 : (int32_t)guard;
    }
    LC_TRY(add_row_sums(ctx, c->slot.weights[g], c->norm ? LC_ABSENT : c->slot.bias[g], -in_zero, &to->weights_bias));
    return add_row_sums(ctx, c->slot.recurrent[g], LC_ABSENT, -s->hidden_zero, &to->recurrent_bias);
}

static lc_status prepare_cell_scale(lc_kernel_ctx *ctx, state *s, float *scale) {
    int32_t zero;
    LC_TRY(lc_quant_of(ctx, ctx->in[s->c.slot.cell], "cell state", scale, &zero));
    const float log = log2f(*scale);
    s->cell_log2 = (int32_t)roundf(log);
    s->has_tanh = s->cell_log2 >= -15 && s->cell_log2 <= -9;
    if (fabsf(log - roundf(log)) > 1e-3f || s->cell_log2 < -30 || s->cell_log2 > 1 || (!s->has_tanh && s->c.coupled)) {
        lc_fail(ctx->err, LC_UNSUPPORTED, "its cell state has a scale of %g, an integer LSTM needs a power of two from 2^-15 to 2^-9",
                (double)*scale);
        lc_error_hint(ctx->err, "convert again with data that makes the cells larger");
        return LC_UNSUPPORTED;
    }
    return LC_OK;
}

static int32_t quantised_clip(float clip, float scale, float most) {
    const float q = clip / scale;
    return clip > 0 ? (int32_t)(q > most ? most : q) : 0;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    lc_lstm_cell *c = &s->c;
    float in, hidden, cell, out, y, scale;
    int32_t in_zero, zero;
    lc_lstm_cell_of(ctx, false, c);
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8)));
    LC_TRY(lc_recurrent_state(ctx, c->slot.hidden, LC_INT8));
    LC_TRY(lc_recurrent_state(ctx, c->slot.cell, LC_INT16));
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input", &in, &in_zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[c->slot.hidden], "hidden state", &hidden, &s->hidden_zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output", &out, &zero));
    LC_TRY(intermediate(ctx, 4, &y, &s->y_zero));
    LC_TRY(prepare_cell_scale(ctx, s, &cell));
    for (int32_t g = lc_lstm_first(c); g < LC_LSTM_GATES; g++) LC_TRY(prepare_gate(ctx, s, g, in, in_zero, hidden));
    s->cell_clip = quantised_clip(c->cell_clip, cell, 32767);
    s->proj_clip = quantised_clip(c->proj_clip, out, 127);
    s->y = lc_multiplier_of((double)(float)(0x1p-15 / (double)y * 0x1p-15));
    if (c->projected) {
        LC_TRY(operand_scale(ctx, c->slot.projection, LC_INT8, "projection", &scale));
        if (lc_lstm_value(ctx, c->slot.projection_bias)) LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.projection_bias, LC_T(INT32)));
        LC_TRY(add_row_sums(ctx, c->slot.projection, c->slot.projection_bias, s->y_zero, &s->projection_bias));
        s->projection = lc_multiplier_of((double)(scale * y / hidden));
    }
    s->y_at = (size_t)LC_LSTM_GATES * (size_t)c->cells * sizeof(int16_t);
    if ((size_t)c->cells > SIZE_MAX / 16) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = s->y_at + (size_t)c->cells;
    ctx->label = "integer";
    return LC_OK;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

static int16_t clip16(int64_t x) { return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x); }

/* Row k of a matrix times x, plus bias, on the scale of m. */
static int32_t product(const int8_t *matrix, int64_t k, const int8_t *x, int64_t n, int32_t bias, lc_multiplier m) {
    const int8_t *row = matrix + k * n;
    int64_t sum = bias;
    for (int64_t i = 0; i < n; i++) sum += row[i] * x[i];
    return lc_scale_i32((int32_t)sum, m);
}

/* The mean goes, the deviation becomes 1 (with 10 bits more than the numbers have), then norm and bias make it Q3. */
static void normalise(int16_t *x, int32_t n, const int16_t *norm, const int32_t *bias, const lstm_gate *g) {
    int64_t sum = 0, squares = 0;
    for (int32_t k = 0; k < n; k++) {
        sum += x[k];
        squares += x[k] * x[k];
    }
    const int32_t mean = (int32_t)(sum * 1024 / n);
    const int64_t variance = squares * ((1 << 20) / n) - (int64_t)mean * mean;
    int32_t whole = (int32_t)(variance / (1 << 20));
    if (whole < 1) whole = g->guard;
    const lc_multiplier inverse = lc_fixed_inverse_sqrt(whole);
    for (int32_t k = 0; k < n; k++) {
        const int32_t scaled = lc_scale_i32(1024 * x[k] - mean, inverse);
        const int64_t y = (int32_t)((uint32_t)scaled * (uint32_t)norm[k] + (uint32_t)bias[k]);
        x[k] = lc_fixed16_clip(lc_scale_i32((int32_t)((y > 0 ? y + 512 : y - 512) / 1024), g->norm));
    }
}

/* LiteRT counts the peephole weights by units, not by cells, and through the whole batch of a step (of one row when the batch comes first).
 * With a projection these differ; models give the answers they were made with, so this counts as LiteRT does. */
static void add_peephole(const lc_lstm_cell *c, const lstm_gate *g, const int16_t *weights, const int16_t *cell, int64_t b, int16_t *sums) {
    const int64_t first = c->time_major ? b * c->cells : 0, end = (int64_t)(c->time_major ? c->batch : 1) * c->units;
    for (int64_t k = 0; k < c->cells && first + k < end; k++) {
        const int64_t at = c->units < c->cells ? (first + k) % c->units : k;
        sums[k] = clip16((int64_t)sums[k] + lc_scale_i32(weights[at] * cell[k], g->peephole));
    }
}

static void compute_gate(const lc_kernel_ctx *ctx, const state *s, int32_t g, int64_t b, const int8_t *x, const int8_t *h,
                         const int16_t *cell, int16_t *to) {
    const lc_lstm_cell *c = &s->c;
    const lstm_gate *gate = &s->gates[g];
    const int8_t *w = ctx->in[c->slot.weights[g]]->data, *r = ctx->in[c->slot.recurrent[g]]->data;
    for (int64_t k = 0; k < c->cells; k++) {
        const int16_t first = clip16(product(w, k, x, c->depth, gate->weights_bias[k], gate->weights));
        to[k] = clip16((int64_t)first + product(r, k, h, c->units, gate->recurrent_bias[k], gate->recurrent));
    }
    if (c->peephole && c->slot.peephole[g] >= 0) add_peephole(c, gate, ctx->in[c->slot.peephole[g]]->data, cell, b, to);
    if (c->norm) normalise(to, c->cells, ctx->in[c->slot.norm[g]]->data, ctx->in[c->slot.bias[g]]->data, gate);
    for (int64_t k = 0; k < c->cells; k++) to[k] = g == LC_LSTM_CELL ? lc_fixed16_tanh(to[k], 3) : lc_fixed16_logistic(to[k]);
}

static int16_t mul_shift(int16_t a, int16_t b, int32_t shift) { return (int16_t)(uint16_t)(uint32_t)lc_shift_right_round(a * b, shift); }

static void update_cell(const state *s, const int16_t *gates, int16_t *cell) {
    const lc_lstm_cell *c = &s->c;
    const int16_t *in = gates, *forget = gates + c->cells, *new = gates + 2 * (int64_t)c->cells;
    for (int64_t k = 0; k < c->cells; k++) {
        const int16_t old = mul_shift(forget[k], cell[k], 15), share = c->coupled ? (int16_t)(32767 - forget[k]) : in[k];
        const int16_t sum = lc_fixed16_clip(old + mul_shift(share, new[k], 30 + s->cell_log2));
        cell[k] = s->cell_clip ? (int16_t)lc_clamp_i32(sum, -s->cell_clip, s->cell_clip) : sum;
    }
}

static int8_t clip8(int64_t x) { return (int8_t)(x < -128 ? -128 : x > 127 ? 127 : x); }

static void put_hidden(const lc_kernel_ctx *ctx, const state *s, const int16_t *gates, const int16_t *cell, int8_t *y, int8_t *h) {
    const lc_lstm_cell *c = &s->c;
    const int64_t zero = c->projected ? -(int64_t)s->y_zero : s->y_zero;
    const int16_t *out = gates + (int64_t)LC_LSTM_OUTPUT * c->cells;
    int8_t *to = c->projected ? y : h;
    for (int64_t k = 0; k < c->cells; k++) {
        const int16_t active = s->has_tanh ? lc_fixed16_tanh(cell[k], 15 + s->cell_log2) : gates[k];
        to[k] = clip8(lc_scale_i32(out[k] * active, s->y) + zero);
    }
    if (!c->projected) return;
    const int8_t *p = ctx->in[c->slot.projection]->data;
    for (int64_t u = 0; u < c->units; u++) {
        h[u] = clip8((int64_t)product(p, u, y, c->cells, s->projection_bias[u], s->projection) + s->hidden_zero);
        if (s->proj_clip) h[u] = (int8_t)lc_clamp_i32(h[u], -s->proj_clip, s->proj_clip);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_lstm_cell *c = &s->c;
    int16_t *gates = ctx->scratch, *out = gates + (int64_t)LC_LSTM_OUTPUT * c->cells;
    int8_t *y = (int8_t *)ctx->scratch + s->y_at;
    for (int64_t b = 0; b < c->batch; b++) {
        int8_t *h = (int8_t *)ctx->in[c->slot.hidden]->data + b * c->units;
        int16_t *cell = (int16_t *)ctx->in[c->slot.cell]->data + b * c->cells;
        for (int64_t t = 0; t < c->time; t++) {
            const int64_t row = lc_lstm_row(c, b, t);
            const int8_t *x = (const int8_t *)ctx->in[0]->data + row * c->depth;
            for (int32_t g = lc_lstm_first(c); g < LC_LSTM_OUTPUT; g++)
                compute_gate(ctx, s, g, b, x, h, cell, gates + (int64_t)g * c->cells);
            update_cell(s, gates, cell);
            compute_gate(ctx, s, LC_LSTM_OUTPUT, b, x, h, cell, out);
            put_hidden(ctx, s, gates, cell, y, h);
            memcpy((int8_t *)ctx->out[0]->data + row * c->units, h, (size_t)c->units);
        }
    }
    return LC_OK;
}

const lc_kernel lc_lstm_int16 = {.prepare = prepare, .run = run};
