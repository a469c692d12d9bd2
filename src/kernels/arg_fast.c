/*
 * arg_fast.c: ARG_MAX and ARG_MIN of float32 along the last dimension: the row's extreme first, then where it is. What the reference gives
 * for rows with NaN comes out too: a NaN in front is never beaten, elsewhere it is never the extreme.
 */
#include "kernels/fast.h"

enum { PIECE = 16 << 10 }; /* input floats of one work item, about */

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *axis = ctx->in[1];
    int64_t last;
    uint32_t n = 1;
    const lc_infer_tensor operand = {.present = true, .type = axis->type, .shape = axis->shape, .data = axis->data, .size = axis->size};
    if (!lc_fast_is_float(in) || lc_fast_elements(&in->shape) == 0 || !axis->constant || !lc_infer_ints(&operand, &last, &n) || n != 1)
        return LC_UNSUPPORTED;
    if (last != -1 && last != in->shape.rank - 1) return LC_UNSUPPORTED;
    ctx->label = "arg";
    return LC_OK;
}

typedef struct job {
    const lc_simd *simd;
    const float *in;
    void *out;
    size_t depth;
    bool largest, wide; /* wide: int64 */
} job;

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const float *row = j->in + (size_t)i * j->depth;
        size_t at = 0;
        float extreme;
        (j->largest ? j->simd->rowmax : j->simd->rowmin)(&extreme, row, j->depth);
        if (row[0] == row[0])
            while (at < j->depth && row[at] != extreme) at++;
        if (j->wide) ((int64_t *)j->out)[i] = (int64_t)at;
        else ((int32_t *)j->out)[i] = (int32_t)at;
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_shape *shape = &ctx->in[0]->shape;
    const size_t depth = (size_t)shape->dims[shape->rank - 1];
    job j = {ctx->simd, ctx->in[0]->data, ctx->out[0]->data, depth, ctx->node->op == LC_OP_ARG_MAX, ctx->out[0]->type == LC_INT64};
    lc_pool_run(ctx->pool, (int64_t)(lc_fast_elements(shape) / depth), (int64_t)(1 + PIECE / depth), work, &j);
    return LC_OK;
}

const lc_kernel lc_fast_ARG_MAX = {.prepare = prepare, .run = run};
const lc_kernel lc_fast_ARG_MIN = {.prepare = prepare, .run = run};
