/*
 * lstm_basic.c: LSTM of kernel type BASIC: one step of a cell whose four gates come from one matrix.
 *
 *   [input, new, forget, output] = W [x, y'] + bias       c = input * new + forget * c'       y = output * tanh(c)
 *
 * with logistic functions for input, forget and output and tanh for new. y' and c' are inputs that get y and c when the node is done, so
 * that the next run goes on; outputs are y, c, [x, y'] and the sums. The uint8 kind computes in 16-bit fixed point with one format for all
 * models: x and y in [-1, 1) around 128, sums with 3 integer bits, c with 4, which is what LiteRT runs.
 */
#include "kernels/fixed16.h"
#include "kernels/lstm.h"

#include <string.h>

enum { X, Y_BEFORE, WEIGHTS, BIAS, C_BEFORE, Y = 0, C = 1, JOINED = 2, SUMS = 3 };

typedef struct state {
    lc_multiplier sum;
    int32_t weights_zero;
} state;

/* Inputs that keep what is written to them: variables, and inputs of the graph that the caller does not set again. */
static bool is_kept(const lc_kernel_ctx *ctx, uint32_t i) {
    const lc_value *v = ctx->in[i];
    if (v->constant || !v->def) return false;
    for (size_t k = 0; ctx->graph && k < ctx->graph->input_count; k++)
        if (ctx->graph->inputs[k] == ctx->node->inputs[i]) return true;
    return v->def->is_variable;
}

static void keep(const lc_kernel_ctx *ctx) {
    if (is_kept(ctx, Y_BEFORE)) memcpy(ctx->in[Y_BEFORE]->data, ctx->out[Y]->data, ctx->out[Y]->size);
    if (is_kept(ctx, C_BEFORE)) memcpy(ctx->in[C_BEFORE]->data, ctx->out[C]->data, ctx->out[C]->size);
}

/* [x, y'] of every row; `width` bytes an element. */
static void join_inputs(const lc_kernel_ctx *ctx, size_t width) {
    const size_t depth = (size_t)ctx->in[X]->shape.dims[1] * width, units = (size_t)ctx->in[Y_BEFORE]->shape.dims[1] * width;
    char *to = ctx->out[JOINED]->data;
    for (int64_t b = 0; b < ctx->in[X]->shape.dims[0]; b++, to += depth + units) {
        memcpy(to, (const char *)ctx->in[X]->data + (size_t)b * depth, depth);
        memcpy(to + depth, (const char *)ctx->in[Y_BEFORE]->data + (size_t)b * units, units);
    }
}

/* ---- float32 -------------------------------------------------------------------------------------------------------- */

static float logistic(float x) { return 1 / (1 + expf(-x)); }

static lc_status run_float(lc_kernel_ctx *ctx) {
    const int64_t batch = ctx->in[X]->shape.dims[0], units = ctx->in[Y_BEFORE]->shape.dims[1], depth = ctx->in[WEIGHTS]->shape.dims[1];
    const float *weights = ctx->in[WEIGHTS]->data, *bias = ctx->in[BIAS]->data, *before = ctx->in[C_BEFORE]->data;
    float *y = ctx->out[Y]->data, *c = ctx->out[C]->data;
    join_inputs(ctx, sizeof(float));
    for (int64_t b = 0; b < batch; b++) {
        const float *x = (const float *)ctx->out[JOINED]->data + b * depth;
        float *sums = (float *)ctx->out[SUMS]->data + b * 4 * units;
        for (int64_t k = 0; k < 4 * units; k++) {
            double sum = (double)bias[k];
            for (int64_t i = 0; i < depth; i++) sum += (double)weights[k * depth + i] * (double)x[i];
            sums[k] = (float)sum;
        }
        for (int64_t u = 0; u < units; u++) {
            const int64_t at = b * units + u;
            c[at] = logistic(sums[u]) * tanhf(sums[units + u]) + logistic(sums[2 * units + u]) * before[at];
            y[at] = logistic(sums[3 * units + u]) * tanhf(c[at]);
        }
    }
    keep(ctx);
    return LC_OK;
}

const lc_kernel lc_lstm_basic_float = {.prepare = lc_ref_prepare_float, .run = run_float};

/* ---- uint8 ---------------------------------------------------------------------------------------------------------- */

static lc_status prepare_uint8(lc_kernel_ctx *ctx) {
    static const lc_dtype types[] = {LC_UINT8, LC_UINT8, LC_UINT8, LC_INT32, LC_INT16};
    float scale;
    int32_t zero;
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    for (uint32_t i = 0; i < 5; i++) LC_TRY(lc_ref_input(ctx, i, 1u << types[i]));
    LC_TRY(lc_quant_of(ctx, ctx->in[WEIGHTS], "weights", &scale, &s->weights_zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[C], "output 1", &scale, &zero));
    if (fabsf(log2f(scale) + 11) > 1e-3f)
        return lc_fail(ctx->err, LC_UNSUPPORTED, "its state has a scale of %g, the uint8 LSTM needs 1/2048", (double)scale);
    LC_TRY(lc_quant_of(ctx, ctx->in[BIAS], "bias", &scale, &zero));
    s->sum = lc_multiplier_of(4096 * (double)scale);
    ctx->label = "integer";
    return LC_OK;
}

static void sum_row(const state *s, const lc_kernel_ctx *ctx, const uint8_t *x, int64_t depth, int64_t n, int16_t *sums) {
    const uint8_t *w = ctx->in[WEIGHTS]->data;
    const int32_t *bias = ctx->in[BIAS]->data;
    for (int64_t k = 0; k < n; k++, w += depth) {
        int64_t sum = bias[k];
        for (int64_t i = 0; i < depth; i++) sum += (x[i] - 128) * (w[i] - s->weights_zero);
        sums[k] = lc_fixed16_clip(lc_scale_i32((int32_t)sum, s->sum));
    }
}

static lc_status run_uint8(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const int64_t batch = ctx->in[X]->shape.dims[0], units = ctx->in[Y_BEFORE]->shape.dims[1], depth = ctx->in[WEIGHTS]->shape.dims[1];
    const int16_t *before = ctx->in[C_BEFORE]->data;
    uint8_t *y = ctx->out[Y]->data;
    int16_t *c = ctx->out[C]->data;
    join_inputs(ctx, 1);
    for (int64_t b = 0; b < batch; b++) {
        int16_t *sums = (int16_t *)ctx->out[SUMS]->data + b * 4 * units;
        sum_row(s, ctx, (const uint8_t *)ctx->out[JOINED]->data + b * depth, depth, 4 * units, sums);
        for (int64_t u = 0; u < units; u++) {
            const int64_t at = b * units + u;
            const int16_t new = lc_fixed16_mul(lc_fixed16_logistic(sums[u]), lc_fixed16_tanh(sums[units + u], 3));
            const int16_t old = lc_fixed16_mul(lc_fixed16_logistic(sums[2 * units + u]), before[at]);
            c[at] = lc_fixed16_clip(lc_fixed16_scale(new, -4) + old);
            const int16_t full = lc_fixed16_mul(lc_fixed16_logistic(sums[3 * units + u]), lc_fixed16_tanh(lc_fixed16_scale(c[at], 1), 3));
            y[at] = (uint8_t)(128 + lc_clamp_i32(lc_fixed16_scale(full, -8), -128, 127));
        }
    }
    keep(ctx);
    return LC_OK;
}

const lc_kernel lc_lstm_basic_uint8 = {.prepare = prepare_uint8, .run = run_uint8};
