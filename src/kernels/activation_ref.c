/*
 * activation_ref.c: the activations that are operators of their own, in float32; LOGISTIC, TANH and GELU of the 16-bit floats are computed
 * in float32 too. Quantised integers are in activation_quant.c. One function of one number each; output and input may be the same memory.
 * Definitions: TensorFlow's tf.nn (GELU with and without the tanh approximation, HARD_SWISH = x relu6(x+3)/6).
 */
#include "kernels/elementwise.h"
#include <math.h>

typedef float (*map_fn)(float x, float alpha);

#define MAP(name, expr) \
    static float name(float x, float alpha) { return (void)alpha, (expr); }
MAP(relu, x < 0 ? 0 : x)
MAP(relu6, x<0 ? 0 : x> 6 ? 6 : x)
MAP(relu_n1, x<-1 ? -1 : x> 1 ? 1 : x)
MAP(relu_01, x<0 ? 0 : x> 1 ? 1 : x)
MAP(logistic, 1 / (1 + expf(-x)))
MAP(hyperbolic, tanhf(x))
MAP(elu, x < 0 ? expm1f(x) : x)
MAP(leaky, x > 0 ? x : x * alpha)
MAP(hard_swish, x *(x + 3 < 0 ? 0 : x + 3 > 6 ? 6 : x + 3) / 6)
MAP(gelu, 0.5f * x * erfcf(-x * 0.707106781f))
MAP(gelu_tanh, 0.5f * x * (1 + tanhf(0.797884561f * (x + 0.044715f * x * x * x))))

static lc_status each(lc_kernel_ctx *ctx, map_fn map, float alpha) {
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    float part[LC_REAL_PART];
    for (int64_t at = 0; at < n; at += LC_REAL_PART) {
        const int64_t m = n - at < LC_REAL_PART ? n - at : LC_REAL_PART;
        lc_real_load(in->data, in->type, at, 1, m, part);
        for (int64_t i = 0; i < m; i++) part[i] = map(part[i], alpha);
        lc_real_store(ctx->out[0]->data, in->type, at, m, part);
    }
    return LC_OK;
}

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, 1u << ctx->in[0]->type); }

static const lc_kernel *choose(const lc_kernel_ctx *ctx, const lc_kernel *floats) {
    const int32_t op = ctx->node->op;
    const lc_dtype type = ctx->in[0]->type;
    const bool half = type == LC_FLOAT16 && (op == LC_OP_LOGISTIC || op == LC_OP_TANH || op == LC_OP_GELU);
    const bool bfloat = type == LC_BFLOAT16 && (op == LC_OP_LOGISTIC || op == LC_OP_TANH);
    if (type == LC_FLOAT32 || half || bfloat) return floats;
    return lc_activation_quant_has(op, type) ? op == LC_OP_PRELU ? &lc_prelu_quant : &lc_activation_quant : NULL;
}

#define KERNEL(ID, map, alpha) \
    static lc_status run_##ID(lc_kernel_ctx *ctx) { return each(ctx, map, alpha); } \
    static const lc_kernel floats_##ID = {.prepare = prepare, .run = run_##ID}; \
    static const lc_kernel *choose_##ID(const lc_kernel_ctx *ctx) { return choose(ctx, &floats_##ID); } \
    const lc_kernel lc_kernel_##ID = {.choose = choose_##ID};
KERNEL(RELU, relu, 0)
KERNEL(RELU6, relu6, 0)
KERNEL(RELU_N1_TO_1, relu_n1, 0)
KERNEL(RELU_0_TO_1, relu_01, 0)
KERNEL(LOGISTIC, logistic, 0)
KERNEL(TANH, hyperbolic, 0)
KERNEL(ELU, elu, 0)
KERNEL(HARD_SWISH, hard_swish, 0)
KERNEL(LEAKY_RELU, leaky, LC_OP_ATTRS(ctx->node, LeakyReluOptions)->alpha)
KERNEL(GELU, LC_OP_ATTRS(ctx->node, GeluOptions)->approximate ? gelu_tanh : gelu, 0)

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
static const lc_kernel floats_prelu = {.prepare = lc_ref_prepare_float, .run = run_prelu};
static const lc_kernel *choose_prelu(const lc_kernel_ctx *ctx) { return choose(ctx, &floats_prelu); }
const lc_kernel lc_kernel_PRELU = {.choose = choose_prelu};
