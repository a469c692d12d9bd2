/*
 * lstm_quant8.c: LSTM in integers, the kind with 12 intermediate tensors: like lstm_quant.c, but the products of the matrices are kept in
 * int8 and the functions between them are computed in float32.
 *
 *   Wx    int8 on the scale of intermediate 1, 4, 7, 10 (by gate)      Rh    on that of 2, 5, 8, 11
 *   sum   int16 on the scale of 0, 3, 6, 9, layer norm makes it Q3     cell  int16 with scale 2^-15
 *
 * What LiteRT's kernel does with such a model this does: it always couples the input gate (1 - forget), ignores peephole weights, and takes
 * the output gate's recurrent part as nothing (it reads a multiplier that nobody sets). It needs norms, a projection and its bias.
 */
#include "kernels/fixed16.h"
#include "kernels/lstm.h"

#include <string.h>

typedef struct lstm_gate {
    lc_multiplier weights, recurrent, weights_sum, recurrent_sum;
    int32_t weights_zero, recurrent_zero; /* of Wx and Rh */
    float norm;                           /* scale */
} lstm_gate;

typedef struct state {
    lc_lstm_cell c;
    lstm_gate gates[LC_LSTM_GATES];
    int32_t in_zero, hidden_zero, cell_clip, proj_clip;
    lc_multiplier projection;
    size_t y_at;
} state;

/* ---- preparing ------------------------------------------------------------------------------------------------------ */

static lc_status intermediates(lc_kernel_ctx *ctx, float scales[12], int32_t zeros[12]) {
    const lc_node *node = ctx->node;
    for (uint32_t i = 0; i < 12; i++) {
        if (!ctx->graph || node->intermediates[i] < 0) return lc_fail(ctx->err, LC_INVALID, "has no intermediate tensor %u", i);
        const lc_tensor *t = &ctx->graph->tensors[node->intermediates[i]];
        const lc_value v = {.type = t->type, .def = t};
        LC_TRY(lc_quant_of(ctx, &v, "intermediate tensor", &scales[i], &zeros[i]));
    }
    return LC_OK;
}

static lc_status operand_scale(lc_kernel_ctx *ctx, int32_t slot, lc_dtype type, const char *what, float *scale) {
    int32_t zero;
    LC_TRY(lc_ref_input(ctx, (uint32_t)slot, 1u << type));
    return lc_quant_of(ctx, ctx->in[slot], what, scale, &zero);
}

static lc_status prepare_gate(lc_kernel_ctx *ctx, state *s, int32_t g, float in, float hidden, const float scales[12],
                              const int32_t zeros[12]) {
    const lc_lstm_cell *c = &s->c;
    lstm_gate *to = &s->gates[g];
    const float sum = scales[3 * g], x = scales[3 * g + 1], h = scales[3 * g + 2];
    float scale;
    LC_TRY(operand_scale(ctx, c->slot.weights[g], LC_INT8, "weights", &scale));
    to->weights = lc_multiplier_of((double)(scale * in / x));
    LC_TRY(operand_scale(ctx, c->slot.recurrent[g], LC_INT8, "recurrent weights", &scale));
    to->recurrent = lc_multiplier_of((double)(scale * hidden / h));
    to->weights_sum = lc_multiplier_of((double)(x / sum));
    if (g != LC_LSTM_OUTPUT) to->recurrent_sum = lc_multiplier_of((double)(h / sum));
    /* the output gate reads the zero point of another gate, which has no effect as its part is nothing */
    to->weights_zero = zeros[3 * g + 1];
    to->recurrent_zero = zeros[g == LC_LSTM_OUTPUT ? 7 : 3 * g + 2];
    LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.bias[g], LC_T(INT32)));
    LC_TRY(operand_scale(ctx, c->slot.norm[g], LC_INT16, "layer norm", &scale));
    const lc_multiplier m = lc_multiplier_of((double)scale);
    to->norm = (float)((double)m.factor * ldexp(1, m.shift - 31));
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
    float in, hidden, cell, out, scale, scales[12];
    int32_t zero, zeros[12];
    lc_lstm_cell_of(ctx, false, c);
    if (!c->norm || !c->projected || !lc_lstm_value(ctx, c->slot.projection_bias))
        return lc_fail(ctx->err, LC_UNSUPPORTED,
                       "has 12 intermediate tensors, this kind of LSTM needs layer norms, a projection and its bias");
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8)));
    LC_TRY(lc_recurrent_state(ctx, c->slot.hidden, LC_INT8));
    LC_TRY(lc_recurrent_state(ctx, c->slot.cell, LC_INT16));
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input", &in, &s->in_zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[c->slot.hidden], "hidden state", &hidden, &s->hidden_zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[c->slot.cell], "cell state", &cell, &zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output", &out, &zero));
    if (cell != 0x1p-15f)
        return lc_fail(ctx->err, LC_UNSUPPORTED, "its cell state has a scale of %g, this kind of LSTM needs 2^-15", (double)cell);
    LC_TRY(intermediates(ctx, scales, zeros));
    for (int32_t g = LC_LSTM_FORGET; g < LC_LSTM_GATES; g++) LC_TRY(prepare_gate(ctx, s, g, in, hidden, scales, zeros));
    LC_TRY(operand_scale(ctx, c->slot.projection, LC_INT8, "projection", &scale));
    LC_TRY(lc_ref_input(ctx, (uint32_t)c->slot.projection_bias, LC_T(INT32)));
    s->projection = lc_multiplier_of((double)(float)((double)scale * 0x1p-15 / (double)hidden));
    s->cell_clip = c->cell_clip < 1 ? quantised_clip(c->cell_clip, cell, 32767) : 0;
    s->proj_clip = quantised_clip(c->proj_clip, out, 127);
    if ((size_t)c->cells > SIZE_MAX / 16) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    s->y_at = (size_t)LC_LSTM_GATES * (size_t)c->cells * sizeof(int16_t);
    ctx->scratch_size = s->y_at + (size_t)c->cells * sizeof(int16_t);
    ctx->label = "integer";
    return LC_OK;
}

/* ---- running -------------------------------------------------------------------------------------------------------- */

static int32_t product8(const int8_t *row, const int8_t *x, int32_t x_zero, int64_t n, lc_multiplier m, int32_t zero) {
    int64_t sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (x[i] - x_zero) * row[i];
    const int64_t y = (int64_t)lc_scale_i32((int32_t)sum, m) + zero;
    return (int32_t)(y < -128 ? -128 : y > 127 ? 127 : y);
}

static int16_t clip16(int64_t x) { return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x); }

/* A real number in Q0, cut (not rounded). */
static int16_t q0(float x) { return clip16((int64_t)(x * 32768.0f)); }

static void normalise(int16_t *x, int32_t n, const int16_t *norm, const int32_t *bias, float scale) {
    const float bias_scale = 0x1p-10f * scale;
    float sum = 0, squares = 0;
    for (int32_t k = 0; k < n; k++) {
        sum += (float)x[k];
        squares += (float)x[k] * (float)x[k];
    }
    const float mean = sum / (float)n, variance = squares / (float)n - mean * mean;
    const float inverse = 1.0f / sqrtf(variance == 0 ? 1e-8f : variance);
    for (int32_t k = 0; k < n; k++) {
        const float y = ((float)x[k] - mean) * inverse * (float)norm[k] * scale + (float)bias[k] * bias_scale;
        const float q = roundf(y * 4096.0f);
        x[k] = q >= 32767 ? INT16_MAX : q >= -32768 ? (int16_t)q : INT16_MIN; /* a NaN, of a variance below 0, becomes the least */
    }
}

static void compute_gate(const lc_kernel_ctx *ctx, const state *s, int32_t g, const int8_t *x, const int8_t *h, int16_t *to) {
    const lc_lstm_cell *c = &s->c;
    const lstm_gate *gate = &s->gates[g];
    const int8_t *w = ctx->in[c->slot.weights[g]]->data, *r = ctx->in[c->slot.recurrent[g]]->data;
    for (int64_t k = 0; k < c->cells; k++) {
        const int32_t wx = product8(w + k * c->depth, x, s->in_zero, c->depth, gate->weights, gate->weights_zero) - gate->weights_zero;
        const int32_t rh =
            product8(r + k * c->units, h, s->hidden_zero, c->units, gate->recurrent, gate->recurrent_zero) - gate->recurrent_zero;
        to[k] = clip16((int64_t)lc_scale_i32(wx, gate->weights_sum) + lc_scale_i32(rh, gate->recurrent_sum));
    }
    normalise(to, c->cells, ctx->in[c->slot.norm[g]]->data, ctx->in[c->slot.bias[g]]->data, gate->norm);
    for (int64_t k = 0; k < c->cells; k++) {
        const float v = (float)to[k] * 0x1p-12f;
        to[k] = q0(g == LC_LSTM_CELL ? tanhf(v) : 1.0f / (1.0f + expf(-v)));
    }
}

static int16_t mul15(int16_t a, int16_t b) { return (int16_t)(uint16_t)(uint32_t)lc_shift_right_round(a * b, 15); }

static void update_cell(const state *s, const int16_t *gates, int16_t *cell) {
    const lc_lstm_cell *c = &s->c;
    const int16_t *forget = gates + c->cells, *new = gates + 2 * (int64_t)c->cells;
    for (int64_t k = 0; k < c->cells; k++) {
        const int16_t sum = lc_fixed16_clip(mul15(forget[k], cell[k]) + mul15((int16_t)(32767 - forget[k]), new[k]));
        cell[k] = s->cell_clip ? (int16_t)lc_clamp_i32(sum, -s->cell_clip, s->cell_clip) : sum;
    }
}

static void put_hidden(const lc_kernel_ctx *ctx, const state *s, const int16_t *out, const int16_t *cell, int16_t *y, int8_t *h) {
    const lc_lstm_cell *c = &s->c;
    const int8_t *p = ctx->in[c->slot.projection]->data;
    const int32_t *bias = ctx->in[c->slot.projection_bias]->data;
    for (int64_t k = 0; k < c->cells; k++) y[k] = mul15(out[k], q0(tanhf((float)cell[k] * 0x1p-15f)));
    for (int64_t u = 0; u < c->units; u++) {
        int64_t sum = bias[u];
        for (int64_t k = 0; k < c->cells; k++) sum += y[k] * p[u * c->cells + k];
        sum = (int64_t)lc_scale_i32((int32_t)sum, s->projection) + s->hidden_zero;
        h[u] = (int8_t)(sum < -128 ? -128 : sum > 127 ? 127 : sum);
        if (s->proj_clip) h[u] = (int8_t)lc_clamp_i32(h[u], -s->proj_clip, s->proj_clip);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_lstm_cell *c = &s->c;
    int16_t *gates = ctx->scratch, *out = gates + (int64_t)LC_LSTM_OUTPUT * c->cells;
    int16_t *y = (int16_t *)(void *)((char *)ctx->scratch + s->y_at);
    for (int64_t b = 0; b < c->batch; b++) {
        int8_t *h = (int8_t *)ctx->in[c->slot.hidden]->data + b * c->units;
        int16_t *cell = (int16_t *)ctx->in[c->slot.cell]->data + b * c->cells;
        const int8_t *x = (const int8_t *)ctx->in[0]->data + b * c->depth;
        compute_gate(ctx, s, LC_LSTM_FORGET, x, h, gates + c->cells);
        compute_gate(ctx, s, LC_LSTM_CELL, x, h, gates + 2 * (int64_t)c->cells);
        update_cell(s, gates, cell);
        compute_gate(ctx, s, LC_LSTM_OUTPUT, x, h, out);
        put_hidden(ctx, s, out, cell, y, h);
        memcpy((int8_t *)ctx->out[0]->data + b * c->units, h, (size_t)c->units);
    }
    return LC_OK;
}

const lc_kernel lc_lstm_int8 = {.prepare = prepare, .run = run};
