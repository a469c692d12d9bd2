/*
 * bucketize_ref.c: BUCKETIZE: how many of the rising boundaries are not above a number, by bisection. Integers are compared as float32,
 * float64 as itself; NaN is above all boundaries (LiteRT).
 */
#include "kernels/ref.h"

static int32_t bucket(const lc_vec_f32 *boundaries, double x) {
    uint32_t low = 0, high = boundaries->n;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (x < (double)boundaries->data[middle]) high = middle;
        else low = middle + 1;
    }
    return (int32_t)low;
}

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(FLOAT64) | LC_T(INT32) | LC_T(INT64)); }

#define EACH(T, expr) \
    for (int64_t i = 0; i < n; i++) { \
        const T x = ((const T *)in->data)[i]; \
        out[i] = bucket(boundaries, (expr)); \
    } \
    break
static lc_status run(lc_kernel_ctx *ctx) {
    const lc_vec_f32 *boundaries = &LC_OP_ATTRS(ctx->node, BucketizeOptions)->boundaries;
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    int32_t *out = ctx->out[0]->data;
    switch (in->type) {
    case LC_FLOAT32: EACH(float, x);
    case LC_FLOAT64: EACH(double, x);
    case LC_INT32: EACH(int32_t, (float)x);
    default: EACH(int64_t, (float)x);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_BUCKETIZE = {.prepare = prepare, .run = run};
