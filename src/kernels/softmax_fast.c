/*
 * softmax_fast.c: SOFTMAX in float32 over the last dimension, row by row. out may be in's memory.
 */
#include "kernels/fast.h"

enum { PIECE = 8 << 10 }; /* elements of one work item, about */

typedef struct job {
    const lc_simd *simd;
    const float *in;
    float *out;
    size_t depth;
    float beta;
} job;

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0];
    if (!lc_fast_is_float(in) || in->shape.rank < 1 || lc_fast_elements(&in->shape) == 0) return LC_UNSUPPORTED;
    ctx->label = "softmax";
    return LC_OK;
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (size_t i = (size_t)begin; i < (size_t)end; i++) j->simd->softmax(j->out + i * j->depth, j->in + i * j->depth, j->depth, j->beta);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_shape *shape = &ctx->in[0]->shape;
    const size_t depth = (size_t)shape->dims[shape->rank - 1], rows = lc_fast_elements(shape) / depth;
    job j = {ctx->simd, ctx->in[0]->data, ctx->out[0]->data, depth, LC_OP_ATTRS(ctx->node, SoftmaxOptions)->beta};
    lc_pool_run(ctx->pool, (int64_t)rows, (int64_t)(1 + PIECE / depth), work, &j);
    return LC_OK;
}

const lc_kernel lc_fast_SOFTMAX = {.prepare = prepare, .run = run};
