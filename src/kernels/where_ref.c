/*
 * where_ref.c: WHERE: positions, row by row, of elements that are not zero. UNIQUE: the elements' numbers are sorted by value (by number
 * among equals), so equal ones are neighbours and the first of them comes first: n log n, whatever the data. NaNs are one value here, which
 * sorts last.
 */
#include "kernels/ref.h"

#include <math.h>
#include <string.h>

/* ---- WHERE ------------------------------------------------------------------------------------------------------- */

static bool is_set(const lc_value *v, int64_t i) {
    switch (v->type) {
    case LC_FLOAT32: return ((const float *)v->data)[i] != 0;
    case LC_INT64: return ((const int64_t *)v->data)[i] != 0;
    case LC_INT32:
    case LC_UINT32: return ((const uint32_t *)v->data)[i] != 0;
    default: return ((const uint8_t *)v->data)[i] != 0;
    }
}

static lc_status prepare_where(lc_kernel_ctx *ctx) {
    return lc_ref_input(ctx, 0, LC_T(BOOL) | LC_T(FLOAT32) | LC_T(INT64) | LC_T(INT32) | LC_T(INT8) | LC_T(UINT8) | LC_T(UINT32));
}

static lc_status run_where(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    int64_t count = 0, index[LC_MAX_RANK] = {0};
    for (int64_t i = 0; i < n; i++) count += is_set(in, i);
    LC_TRY(lc_kernel_resize(ctx, 0, &(lc_shape){2, {(int32_t)count, in->shape.rank}}, 0));
    int64_t *to = ctx->out[0]->data;
    for (int64_t i = 0; i < n; i++) {
        for (int32_t d = 0; is_set(in, i) && d < in->shape.rank; d++) *to++ = index[d];
        for (int32_t d = in->shape.rank - 1; d >= 0 && ++index[d] == in->shape.dims[d]; d--) index[d] = 0;
    }
    return LC_OK;
}

/* ---- UNIQUE ------------------------------------------------------------------------------------------------------ */

/* <0, 0, >0: element a against b. */
static int compare(const lc_value *v, int32_t a, int32_t b) {
#define BY(T) (((const T *)v->data)[a] > ((const T *)v->data)[b]) - (((const T *)v->data)[a] < ((const T *)v->data)[b])
    switch (v->type) {
    case LC_FLOAT32: {
        const float x = ((const float *)v->data)[a], y = ((const float *)v->data)[b];
        if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
        return BY(float);
    }
    case LC_INT8: return BY(int8_t);
    case LC_INT16: return BY(int16_t);
    case LC_INT32: return BY(int32_t);
    case LC_INT64: return BY(int64_t);
    default: return BY(uint8_t);
    }
}

/* Merge sort of the numbers 0..n-1, stable; the result is in the array that is returned. */
static int32_t *sorted(const lc_value *v, int32_t n, int32_t *order, int32_t *other) {
    for (int32_t i = 0; i < n; i++) order[i] = i;
    for (int64_t width = 1; width < n; width *= 2) {
        for (int64_t from = 0; from < n; from += 2 * width) {
            const int64_t middle = from + width < n ? from + width : n, end = middle + width < n ? middle + width : n;
            int64_t a = from, b = middle;
            for (int64_t to = from; to < end; to++)
                other[to] = b == end || (a < middle && compare(v, order[a], order[b]) <= 0) ? order[a++] : order[b++];
        }
        int32_t *swap = order;
        order = other;
        other = swap;
    }
    return order;
}

static lc_status prepare_unique(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(INT8) | LC_T(UINT8) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64)));
    if (!lc_mul_size((size_t)ctx->in[0]->shape.dims[0], 3 * sizeof(int32_t), &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "UNIQUE: input is too large");
    if (!ctx->scratch_size) ctx->scratch_size = sizeof(int32_t);
    return LC_OK;
}

static lc_status run_unique(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0];
    const int32_t n = in->shape.dims[0];
    int32_t *first = ctx->scratch, *numbers = first + n, count = 0; /* first[i]: the first element equal to i, then which value it is */
    const int32_t *order = sorted(in, n, numbers, numbers + n);
    for (int32_t i = 0, leader = 0; i < n; i++) {
        if (i == 0 || compare(in, order[i - 1], order[i]) != 0) leader = order[i];
        first[order[i]] = leader;
    }
    for (int32_t i = 0; i < n; i++) first[i] = first[i] == i ? count++ : first[first[i]];
    LC_TRY(lc_kernel_resize(ctx, 0, &(lc_shape){1, {count}}, 0));
    const size_t width = lc_ref_width(in);
    for (int32_t i = 0, seen = 0; i < n; i++) {
        if (first[i] == seen) {
            memcpy((char *)ctx->out[0]->data + (size_t)seen * width, (const char *)in->data + (size_t)i * width, width);
            seen++;
        }
        if (ctx->out[1]->type == LC_INT64) ((int64_t *)ctx->out[1]->data)[i] = first[i];
        else ((int32_t *)ctx->out[1]->data)[i] = first[i];
    }
    return LC_OK;
}

const lc_kernel lc_kernel_WHERE = {.prepare = prepare_where, .run = run_where};
const lc_kernel lc_kernel_UNIQUE = {.prepare = prepare_unique, .run = run_unique};
