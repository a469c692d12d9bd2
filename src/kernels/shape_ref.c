/*
 * shape_ref.c: SHAPE writes the dimensions of its input, RANK their number; neither looks at its data. BROADCAST_ARGS broadcasts two
 * shapes.
 */
#include "kernels/ref.h"

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_shape *s = &ctx->in[0]->shape;
    for (int32_t i = 0; i < s->rank; i++) {
        if (ctx->out[0]->type == LC_INT64) ((int64_t *)ctx->out[0]->data)[i] = s->dims[i];
        else ((int32_t *)ctx->out[0]->data)[i] = s->dims[i];
    }
    return LC_OK;
}

static lc_status run_rank(lc_kernel_ctx *ctx) {
    *(int32_t *)ctx->out[0]->data = ctx->in[0]->shape.rank;
    return LC_OK;
}

static lc_status prepare_args(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(INT32) | LC_T(INT64)); }

static int64_t entry(const lc_value *v, int64_t i) { /* entries are counted from the end; before the first they are 1 */
    int64_t at = v->shape.dims[0] - 1 - i;
    if (at < 0) return 1;
    return v->type == LC_INT64 ? ((const int64_t *)v->data)[at] : ((const int32_t *)v->data)[at];
}

static lc_status run_args(lc_kernel_ctx *ctx) {
    int64_t n = ctx->out[0]->shape.dims[0];
    for (int64_t i = 0; i < n; i++) {
        int64_t a = entry(ctx->in[0], i), b = entry(ctx->in[1], i);
        if (a != b && a != 1 && b != 1)
            return lc_fail(ctx->err, LC_INVALID, "BROADCAST_ARGS: %lld and %lld do not broadcast", (long long)a, (long long)b);
        if (ctx->out[0]->type == LC_INT64) ((int64_t *)ctx->out[0]->data)[n - 1 - i] = a == 1 ? b : a;
        else ((int32_t *)ctx->out[0]->data)[n - 1 - i] = (int32_t)(a == 1 ? b : a);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_RANK = {.prepare = NULL, .run = run_rank};
const lc_kernel lc_kernel_BROADCAST_ARGS = {.prepare = prepare_args, .run = run_args};
const lc_kernel lc_kernel_SHAPE = {.prepare = NULL, .run = run};
