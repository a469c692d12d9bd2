/*
 * svdf_quant.c: SVDF in integers (svdf_ref.c has the formulas): int8 input, feature weights and output, int32 bias; state and time weights
 * are both int16, or both int8 as microcontrollers have them. Feature products are rounded and saturated to the state's type, the sum over
 * time to int8. The activation must be RELU: the output's range says it, so nothing more is done.
 */
#include "kernels/recurrent.h"
#include "kernels/svdf.h"

#include <string.h>

enum { INPUT, FEATURE, TIME, BIAS, STATE };

typedef struct state {
    lc_multiplier feature, output;
    int32_t in_zero, out_zero, low, high; /* low, high: of the state */
} state;

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_dtype type = ctx->in[STATE]->type;
    float in, feature, time, memory, out;
    int32_t zero;
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    if (type != LC_INT16 && type != LC_INT8) return lc_ref_refuse(ctx, type);
    LC_TRY(lc_ref_input(ctx, INPUT, LC_T(INT8)));
    LC_TRY(lc_ref_input(ctx, FEATURE, LC_T(INT8)));
    LC_TRY(lc_ref_input(ctx, TIME, 1u << type));
    LC_TRY(lc_ref_input(ctx, BIAS, LC_T(INT32)));
    LC_TRY(lc_recurrent_state(ctx, STATE, type));
    LC_TRY(lc_quant_of(ctx, ctx->in[INPUT], "input", &in, &s->in_zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[FEATURE], "feature weights", &feature, &zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[TIME], "time weights", &time, &zero));
    LC_TRY(lc_quant_of(ctx, ctx->in[STATE], "state", &memory, &zero));
    LC_TRY(lc_quant_of(ctx, ctx->out[0], "output", &out, &s->out_zero));
    if (LC_OP_ATTRS(ctx->node, SVDFOptions)->fused_activation_function != LC_ActivationFunctionType_RELU)
        return lc_fail(ctx->err, LC_UNSUPPORTED, "its fused activation is not RELU, which an integer SVDF needs");
    s->feature = lc_multiplier_of((double)(in * feature / memory));
    s->output = lc_multiplier_of((double)(memory * time / out));
    lc_int_limits(type, &s->low, &s->high);
    ctx->label = "integer";
    return LC_OK;
}

/* The filter's memory moves on by one product; returns its sum with the time weights, which wraps at 32 bits. */
static uint32_t step(const lc_value *time, int64_t filter, int64_t memory, int32_t product, const lc_value *kept, int64_t at) {
    const size_t width = lc_ref_width(kept);
    char *x = (char *)kept->data + (size_t)at * width;
    memmove(x, x + width, (size_t)(memory - 1) * width);
    lc_int_put(kept->data, kept->type, at + memory - 1, product);
    uint32_t sum = 0;
    for (int64_t i = 0; i < memory; i++)
        sum += (uint32_t)(lc_int_at(time->data, time->type, filter * memory + i) * lc_int_at(kept->data, kept->type, at + i));
    return sum;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const int64_t rank = LC_OP_ATTRS(ctx->node, SVDFOptions)->rank;
    const lc_value *feature = ctx->in[FEATURE], *time = ctx->in[TIME];
    const int64_t batch = ctx->in[INPUT]->shape.dims[0], depth = feature->shape.dims[1], filters = feature->shape.dims[0],
                  memory = time->shape.dims[1];
    const int8_t *in = ctx->in[INPUT]->data;
    const int32_t *bias = ctx->in[BIAS] ? ctx->in[BIAS]->data : NULL;
    int8_t *out = ctx->out[0]->data;
    for (int64_t b = 0; b < batch; b++) {
        uint32_t sum = 0;
        for (int64_t f = 0; f < filters; f++) {
            const int8_t *w = (const int8_t *)feature->data + f * depth;
            int64_t product = 0;
            for (int64_t i = 0; i < depth; i++) product += w[i] * (in[b * depth + i] - s->in_zero);
            const int32_t scaled = lc_clamp_i32(lc_scale_i32((int32_t)product, s->feature), s->low, s->high);
            sum += step(time, f, memory, scaled, ctx->in[STATE], (b * filters + f) * memory);
            if ((f + 1) % rank) continue;
            if (bias) sum += (uint32_t)bias[f / rank];
            const int64_t y = (int64_t)lc_scale_i32((int32_t)sum, s->output) + s->out_zero;
            *out++ = (int8_t)(y < -128 ? -128 : y > 127 ? 127 : y);
            sum = 0;
        }
    }
    return LC_OK;
}

const lc_kernel lc_svdf_quant = {.prepare = prepare, .run = run};
