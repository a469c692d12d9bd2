/*
 * svdf_ref.c: SVDF in float32, with float32 weights or (hybrid) int8 ones. The state keeps, for each row of the batch and filter, the
 * products of the last `memory` inputs with the filter's features, oldest first:
 *
 *   state[b][f] moves one to the left and gets feature[f] . input[b] at its end
 *   out[b][u] = act(bias[u] + sum over the `rank` filters f of u of time[f] . state[b][f])
 */
#include "kernels/recurrent.h"
#include "kernels/svdf.h"

#include <string.h>

enum { INPUT, FEATURE, TIME, BIAS, STATE };

typedef struct state {
    bool hybrid, asymmetric;
    float feature, time; /* scales; hybrid */
} state;

static lc_status prepare(lc_kernel_ctx *ctx, bool hybrid) {
    const uint32_t real = LC_T(FLOAT32), weights = hybrid ? LC_T(INT8) | LC_T(UINT8) : real;
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    size_t at;
    s->hybrid = hybrid;
    s->asymmetric = LC_OP_ATTRS(ctx->node, SVDFOptions)->asymmetric_quantize_inputs;
    LC_TRY(lc_ref_input(ctx, INPUT, real));
    LC_TRY(lc_ref_input(ctx, BIAS, real));
    LC_TRY(lc_recurrent_operand(ctx, FEATURE, weights, "feature weights", &s->feature));
    LC_TRY(lc_recurrent_operand(ctx, TIME, weights, "time weights", &s->time));
    LC_TRY(lc_recurrent_state(ctx, STATE, LC_FLOAT32));
    if (hybrid && !lc_recurrent_reserve(&ctx->scratch_size, &at, ctx->in[INPUT]->shape.dims[1], sizeof(int16_t)))
        return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->label = hybrid ? "hybrid" : NULL;
    return LC_OK;
}

static lc_status prepare_float(lc_kernel_ctx *ctx) { return prepare(ctx, false); }
static lc_status prepare_hybrid(lc_kernel_ctx *ctx) { return prepare(ctx, true); }

static double time_product(const state *s, const lc_value *time, int64_t filter, int64_t memory, const float *x) {
    double sum = 0;
    for (int64_t i = 0; i < memory; i++) {
        const int64_t at = filter * memory + i;
        const float w = s->hybrid ? (float)((const int8_t *)time->data)[at] * s->time : ((const float *)time->data)[at];
        sum += (double)w * (double)x[i];
    }
    return sum;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_SVDFOptions *o = LC_OP_ATTRS(ctx->node, SVDFOptions);
    const lc_value *feature = ctx->in[FEATURE], *time = ctx->in[TIME];
    const int64_t batch = ctx->in[INPUT]->shape.dims[0], depth = feature->shape.dims[1], filters = feature->shape.dims[0],
                  memory = time->shape.dims[1];
    const float *in = ctx->in[INPUT]->data, *bias = ctx->in[BIAS] ? ctx->in[BIAS]->data : NULL;
    float *x = ctx->in[STATE]->data, *out = ctx->out[0]->data;
    for (int64_t b = 0; b < batch; b++) {
        const lc_vector v = lc_vector_of(in + b * depth, depth, s->hybrid ? ctx->scratch : NULL, s->asymmetric);
        double sum = 0;
        for (int64_t f = 0; f < filters; f++, x += memory) {
            memmove(x, x + 1, (size_t)(memory - 1) * sizeof *x);
            x[memory - 1] = (float)lc_vector_product(feature, s->feature, f, &v);
            sum += time_product(s, time, f, memory, x);
            if ((f + 1) % o->rank) continue;
            *out++ = (float)(sum + (bias ? (double)bias[f / o->rank] : 0));
            sum = 0;
        }
    }
    lc_ref_activate(ctx->out[0]->data, lc_ref_elements(ctx->out[0]), o->fused_activation_function);
    return LC_OK;
}

static const lc_kernel real = {.prepare = prepare_float, .run = run};
static const lc_kernel hybrid = {.prepare = prepare_hybrid, .run = run};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[INPUT]->type, weights = ctx->in[FEATURE]->type;
    if (in == LC_INT8) return weights == LC_INT8 ? &lc_svdf_quant : NULL;
    if (in != LC_FLOAT32) return NULL;
    return weights == LC_FLOAT32 ? &real : weights == LC_INT8 || weights == LC_UINT8 ? &hybrid : NULL;
}

const lc_kernel lc_kernel_SVDF = {.choose = choose};
