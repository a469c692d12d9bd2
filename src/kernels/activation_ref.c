/*
 * activation_ref.c: the activations that are operators of their own, float32. One function of one number each; output and input
 * may be the same memory. Definitions: TensorFlow's tf.nn (GELU with and without the tanh approximation, HARD_SWISH = x relu6(x+3)/6).
 */
#include "kernels/ref.h"
#include <math.h>

typedef float (*map_fn)(float x, float alpha);

#define MAP(name, expr) \
    static float name(float x, float alpha) { return (void)alpha, (expr); }
MAP(relu, x < 0 ? 0 : x)
MAP(relu6, x < 0 ? 0 : x > 6 ? 6 : x)
MAP(relu_n1, x < -1 ? -1 : x > 1 ? 1 : x)
MAP(relu_01, x < 0 ? 0 : x > 1 ? 1 : x)
MAP(logistic, 1 / (1 + expf(-x)))
MAP(hyperbolic, tanhf(x))
MAP(elu, x < 0 ? expm1f(x) : x)
MAP(leaky, x > 0 ? x : x * alpha)
MAP(hard_swish, x * (x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6)
MAP(gelu, 0.5f * x * erfcf(-x * 0.707106781f))
MAP(gelu_tanh, 0.5f * x * (1 + tanhf(0.797884561f * (x + 0.044715f * x * x * x))))

static lc_status each(lc_kernel_ctx *ctx, map_fn map, float alpha) {
    const float *in = ctx->in[0]->data;
    float *out = ctx->out[0]->data;
    int64_t n = lc_ref_elements(ctx->in[0]);
    for (int64_t i = 0; i < n; i++) out[i] = map(in[i], alpha);
    return LC_OK;
}

#define KERNEL(ID, map) \
    static lc_status run_##ID(lc_kernel_ctx *ctx) { return each(ctx, map, 0); } \
    const lc_kernel lc_kernel_##ID = {lc_ref_prepare_float, run_##ID};
KERNEL(RELU, relu)
KERNEL(RELU6, relu6)
KERNEL(RELU_N1_TO_1, relu_n1)
KERNEL(RELU_0_TO_1, relu_01)
KERNEL(LOGISTIC, logistic)
KERNEL(TANH, hyperbolic)
KERNEL(ELU, elu)
KERNEL(HARD_SWISH, hard_swish)

static lc_status run_leaky(lc_kernel_ctx *ctx) { return each(ctx, leaky, LC_OP_ATTRS(ctx->node, LeakyReluOptions)->alpha); }
const lc_kernel lc_kernel_LEAKY_RELU = {lc_ref_prepare_float, run_leaky};

static lc_status run_gelu(lc_kernel_ctx *ctx) {
    return each(ctx, LC_OP_ATTRS(ctx->node, GeluOptions)->approximate ? gelu_tanh : gelu, 0);
}
const lc_kernel lc_kernel_GELU = {lc_ref_prepare_float, run_gelu};

static lc_status run_prelu(lc_kernel_ctx *ctx) {
    const float *in = ctx->in[0]->data, *alpha = ctx->in[1]->data;
    float *out = ctx->out[0]->data;
    lc_nd nd;
    lc_nd_init(&nd, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 1, &ctx->in[1]->shape);
    lc_nd_simplify(&nd);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&nd); i++) {
            float x = in[w.at[0] + i];
            out[w.at[0] + i] = x >= 0 ? x : x * alpha[w.at[1] + i * lc_nd_step(&nd, 1)];
        }
    return LC_OK;
}
const lc_kernel lc_kernel_PRELU = {lc_ref_prepare_float, run_prelu};
