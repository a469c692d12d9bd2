/*
 * activation_fast.c: functions of one float32 element: the activations, and those of unary_ref.c that LC_SIMD_UNARY_LIST has. out may be
 * in's memory.
 */
#include "kernels/fast.h"

enum { PIECE = 8 << 10 }; /* elements of one work item */

typedef struct plan {
    lc_simd_unary op;
    float p;
    size_t n;
} plan;

static lc_status prepare(lc_kernel_ctx *ctx, lc_simd_unary op, float p) {
    if (!lc_fast_is_float(ctx->in[0]) || !lc_fast_is_float(ctx->out[0])) return LC_UNSUPPORTED;
    plan *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    *s = (plan){op, p, lc_fast_elements(&ctx->out[0]->shape)};
    ctx->label = "elementwise";
    return LC_OK;
}

typedef struct job {
    const plan *s;
    const lc_simd *simd;
    const float *in;
    float *out;
} job;

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const size_t from = (size_t)begin * PIECE, to = (size_t)end * PIECE < j->s->n ? (size_t)end * PIECE : j->s->n;
    (void)thread;
    j->simd->unary(j->s->op, j->out + from, j->in + from, to - from, j->s->p);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const plan *s = ctx->state;
    job j = {s, ctx->simd, ctx->in[0]->data, ctx->out[0]->data};
    lc_pool_run(ctx->pool, (int64_t)((s->n + PIECE - 1) / PIECE), 1, work, &j);
    return LC_OK;
}

#define UNARY_FAST(ID, op, p) \
    static lc_status prepare_##ID(lc_kernel_ctx *ctx) { return prepare(ctx, op, p); } \
    const lc_kernel lc_fast_##ID = {.prepare = prepare_##ID, .run = run};
UNARY_FAST(RELU, LC_SIMD_UNARY_RELU, 0)
UNARY_FAST(RELU6, LC_SIMD_UNARY_RELU6, 0)
UNARY_FAST(RELU_N1_TO_1, LC_SIMD_UNARY_RELU_N1_TO_1, 0)
UNARY_FAST(RELU_0_TO_1, LC_SIMD_UNARY_RELU_0_TO_1, 0)
UNARY_FAST(LEAKY_RELU, LC_SIMD_UNARY_LEAKY_RELU, LC_OP_ATTRS(ctx->node, LeakyReluOptions)->alpha)
UNARY_FAST(LOGISTIC, LC_SIMD_UNARY_LOGISTIC, 0)
UNARY_FAST(TANH, LC_SIMD_UNARY_TANH, 0)
UNARY_FAST(ELU, LC_SIMD_UNARY_ELU, 0)
UNARY_FAST(HARD_SWISH, LC_SIMD_UNARY_HARD_SWISH, 0)
UNARY_FAST(GELU, LC_OP_ATTRS(ctx->node, GeluOptions)->approximate ? LC_SIMD_UNARY_GELU_TANH : LC_SIMD_UNARY_GELU, 0)
UNARY_FAST(EXP, LC_SIMD_UNARY_EXP, 0)
UNARY_FAST(ABS, LC_SIMD_UNARY_ABS, 0)
UNARY_FAST(NEG, LC_SIMD_UNARY_NEG, 0)
UNARY_FAST(SQUARE, LC_SIMD_UNARY_SQUARE, 0)
UNARY_FAST(SQRT, LC_SIMD_UNARY_SQRT, 0)
UNARY_FAST(RSQRT, LC_SIMD_UNARY_RSQRT, 0)
UNARY_FAST(FLOOR, LC_SIMD_UNARY_FLOOR, 0)
UNARY_FAST(CEIL, LC_SIMD_UNARY_CEIL, 0)
UNARY_FAST(ROUND, LC_SIMD_UNARY_ROUND, 0)
