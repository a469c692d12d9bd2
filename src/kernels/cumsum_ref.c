/*
 * cumsum_ref.c: CUMSUM. Integers wrap; floats are summed in float, in order, which is what the definition rounds to.
 */
#include "kernels/ref.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(INT32) | LC_T(INT64)));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

#define SUM(T, A) \
    static void sum_##T(void *out_, const void *in_, int64_t n, int64_t step, bool exclusive) { \
        T *out = out_; \
        const T *in = in_; \
        A sum = 0; \
        for (int64_t i = 0; i < n; i++) { \
            A next = sum + (A)in[i * step]; \
            out[i * step] = (T)(exclusive ? sum : next); \
            sum = next; \
        } \
    }
SUM(float, float)
SUM(int32_t, uint32_t)
SUM(int64_t, uint64_t)

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_CumsumOptions *o = LC_OP_ATTRS(ctx->node, CumsumOptions);
    const lc_value *in = ctx->in[0];
    int64_t axis, outer = 1, inner = 1, width = (int64_t)lc_ref_width(in);
    uint32_t one = 1;
    if (!lc_ref_ints(ctx->in[1], &axis, &one)) return lc_ref_changed(ctx);
    if (axis < 0) axis += in->shape.rank;
    if (axis < 0 || axis >= in->shape.rank) return lc_ref_changed(ctx);
    for (int32_t d = 0; d < in->shape.rank; d++) {
        if (d < axis) outer *= in->shape.dims[d];
        if (d > axis) inner *= in->shape.dims[d];
    }
    int64_t n = in->shape.dims[axis];
    for (int64_t k = 0; n > 0 && k < outer * inner; k++) {
        int64_t at = (k / inner * n + (o->reverse ? n - 1 : 0)) * inner + k % inner, step = o->reverse ? -inner : inner;
        void *to = (char *)ctx->out[0]->data + at * width;
        const void *from = (const char *)in->data + at * width;
        if (in->type == LC_FLOAT32) sum_float(to, from, n, step, o->exclusive);
        else if (in->type == LC_INT32) sum_int32_t(to, from, n, step, o->exclusive);
        else sum_int64_t(to, from, n, step, o->exclusive);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_CUMSUM = {.prepare = prepare, .run = run};
