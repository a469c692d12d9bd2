/*
 * segment_ref.c: SEGMENT_SUM and the UNSORTED_SEGMENT operators in float32 and int32 (which wraps). A segment nothing falls into keeps what
 * the fold starts from: 0, 1, the lowest or the highest finite number. Ids are checked when they arrive: before anything is written.
 */
#include "kernels/ref.h"

#include <float.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(INT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32)));
    return lc_ref_input(ctx, 2, LC_T(INT32) | LC_T(INT64));
}

#define FOLD(name, T, start, step) \
    static void name(void *out_, int64_t total, const void *data_, const int32_t *ids, int64_t n, int64_t run) { \
        T *out = out_; \
        const T *data = data_; \
        for (int64_t i = 0; i < total; i++) out[i] = (start); \
        for (int64_t i = 0; i < n; i++) { \
            if (ids[i] < 0) continue; \
            for (int64_t k = 0; k < run; k++) { \
                const T acc = out[ids[i] * run + k], x = data[i * run + k]; \
                out[ids[i] * run + k] = (T)(step); \
            } \
        } \
    }
FOLD(sum_f32, float, 0, acc + x)
FOLD(sum_i32, int32_t, 0, (uint32_t)acc + (uint32_t)x)
FOLD(prod_f32, float, 1, acc *x)
FOLD(prod_i32, int32_t, 1, (uint32_t)acc *(uint32_t)x)
FOLD(max_f32, float, -FLT_MAX, acc < x ? x : acc)
FOLD(max_i32, int32_t, INT32_MIN, acc < x ? x : acc)
FOLD(min_f32, float, FLT_MAX, x < acc ? x : acc)
FOLD(min_i32, int32_t, INT32_MAX, x < acc ? x : acc)

typedef void (*fold_fn)(void *out, int64_t total, const void *data, const int32_t *ids, int64_t n, int64_t run);

static lc_status fold(lc_kernel_ctx *ctx, fold_fn f32, fold_fn i32) {
    const lc_value *data = ctx->in[0], *out = ctx->out[0];
    const int32_t *ids = ctx->in[1]->data;
    const int64_t n = lc_ref_elements(ctx->in[1]);
    int64_t run = 1;
    for (int32_t d = 1; d < out->shape.rank; d++) run *= out->shape.dims[d];
    if (n * run != lc_ref_elements(data)) return lc_ref_changed(ctx);
    for (int64_t i = 0; i < n; i++)
        if (ids[i] >= out->shape.dims[0])
            return lc_fail(ctx->err, LC_INVALID, "%s: segment id %d is outside [0, %d)", lc_op_name(ctx->node->op), ids[i],
                           out->shape.dims[0]);
    (data->type == LC_FLOAT32 ? f32 : i32)(out->data, lc_ref_elements(out), data->data, ids, run ? n : 0, run);
    return LC_OK;
}

static lc_status run_sum(lc_kernel_ctx *ctx) { return fold(ctx, sum_f32, sum_i32); }
static lc_status run_prod(lc_kernel_ctx *ctx) { return fold(ctx, prod_f32, prod_i32); }
static lc_status run_max(lc_kernel_ctx *ctx) { return fold(ctx, max_f32, max_i32); }
static lc_status run_min(lc_kernel_ctx *ctx) { return fold(ctx, min_f32, min_i32); }

const lc_kernel lc_kernel_SEGMENT_SUM = {.prepare = prepare, .run = run_sum};
const lc_kernel lc_kernel_UNSORTED_SEGMENT_SUM = {.prepare = prepare, .run = run_sum};
const lc_kernel lc_kernel_UNSORTED_SEGMENT_PROD = {.prepare = prepare, .run = run_prod};
const lc_kernel lc_kernel_UNSORTED_SEGMENT_MAX = {.prepare = prepare, .run = run_max};
const lc_kernel lc_kernel_UNSORTED_SEGMENT_MIN = {.prepare = prepare, .run = run_min};
