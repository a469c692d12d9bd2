/*
 * gather_scatter_ref.c: writing by index: SCATTER_ND adds rows (of one place, all of them: integers wrap, bools are or-ed), SPARSE_TO_DENSE
 * writes values, EMBEDDING_LOOKUP_SPARSE folds rows of a table. An index outside its dimension ends the run with an error.
 */
#include "kernels/ref.h"

#include <math.h>
#include <string.h>

static int64_t index_at(const lc_value *v, int64_t i) {
    return v->type == LC_INT64 ? ((const int64_t *)v->data)[i] : ((const int32_t *)v->data)[i];
}

/* The place in the first `depth` dimensions of `shape` that index i of x names, as a number. */
static lc_status place_of(lc_kernel_ctx *ctx, const lc_value *x, int64_t i, int32_t depth, const int32_t *dims, int64_t *place) {
    *place = 0;
    for (int32_t d = 0; d < depth; d++) {
        const int64_t k = index_at(x, i * depth + d);
        if (k < 0 || k >= dims[d])
            return lc_fail(ctx->err, LC_INVALID, "%s: index %lld is outside [0, %d)", lc_op_name(ctx->node->op), (long long)k, dims[d]);
        *place = *place * dims[d] + k;
    }
    return LC_OK;
}

static int64_t product(const lc_shape *s, int32_t from, int32_t to) {
    int64_t n = 1;
    for (int32_t i = from; i < to; i++) n *= s->dims[i];
    return n;
}

/* ---- SCATTER_ND ---------------------------------------------------------------------------------------------------- */

static lc_status prepare_scatter(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(FLOAT32) | LC_T(UINT8) | LC_T(BOOL) | LC_T(INT8) | LC_T(INT16) | LC_T(INT32) | LC_T(INT64)));
    return lc_ref_input(ctx, 2, LC_T(INT32) | LC_T(INT64));
}

#define ADD(T, U) \
    for (int64_t k = 0; k < n; k++) ((T *)to)[k] = (T)((U)((T *)to)[k] + (U)((const T *)from)[k])
static void add(void *to, const void *from, int64_t n, lc_dtype type) {
    switch (type) {
    case LC_FLOAT32: ADD(float, float); break;
    case LC_INT64: ADD(int64_t, uint64_t); break;
    case LC_INT32: ADD(int32_t, uint32_t); break;
    case LC_INT16: ADD(int16_t, uint32_t); break;
    case LC_BOOL:
        for (int64_t k = 0; k < n; k++) ((uint8_t *)to)[k] |= ((const uint8_t *)from)[k];
        break;
    default: ADD(uint8_t, uint32_t); break; /* int8 too: the same bits */
    }
}

static lc_status run_scatter(lc_kernel_ctx *ctx) {
    const lc_value *x = ctx->in[0], *updates = ctx->in[1], *out = ctx->out[0];
    const int32_t depth = x->shape.dims[x->shape.rank - 1];
    const int64_t n = product(&x->shape, 0, x->shape.rank - 1), run = product(&out->shape, depth, out->shape.rank);
    const size_t width = lc_ref_width(out);
    int64_t place;
    if (n * run != lc_ref_elements(updates)) return lc_ref_changed(ctx);
    if (out->size) memset(out->data, 0, out->size);
    for (int64_t i = 0; i < n; i++) {
        LC_TRY(place_of(ctx, x, i, depth, out->shape.dims, &place));
        add((char *)out->data + (size_t)(place * run) * width, (const char *)updates->data + (size_t)(i * run) * width, run, out->type);
    }
    return LC_OK;
}

/* ---- SPARSE_TO_DENSE ----------------------------------------------------------------------------------------------- */

static lc_status prepare_dense(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32) | LC_T(INT64)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    return lc_ref_inputs(ctx, 2, LC_T_WHOLE);
}

static lc_status run_dense(lc_kernel_ctx *ctx) {
    const lc_value *x = ctx->in[0], *values = ctx->in[2], *out = ctx->out[0];
    const int32_t depth = x->shape.rank < 2 ? 1 : x->shape.dims[1];
    const int64_t n = x->shape.rank ? x->shape.dims[0] : 1, step = values->shape.rank ? 1 : 0;
    const size_t width = lc_ref_width(out);
    int64_t place;
    lc_copy_elements(out->data, 1, ctx->in[3]->data, 0, lc_ref_elements(out), width);
    for (int64_t i = 0; i < n; i++) {
        LC_TRY(place_of(ctx, x, i, depth, out->shape.dims, &place));
        memcpy((char *)out->data + (size_t)place * width, (const char *)values->data + (size_t)(i * step) * width, width);
    }
    return LC_OK;
}

/* ---- EMBEDDING_LOOKUP_SPARSE ------------------------------------------------------------------------------------------ */

static lc_status prepare_lookup(lc_kernel_ctx *ctx) {
    for (uint32_t i = 0; i < 3; i++) LC_TRY(lc_ref_input(ctx, i, LC_T(INT32)));
    return lc_ref_inputs(ctx, 3, LC_T(FLOAT32));
}

/* Divides a finished sum by what its weights come to. */
static void finish(float *sum, int64_t run, int8_t combiner, int64_t entries, float total, float squares) {
    if (combiner == LC_CombinerType_SUM || entries == 0) return;
    const float by = combiner == LC_CombinerType_MEAN ? total : sqrtf(squares);
    for (int64_t k = 0; k < run; k++) sum[k] /= by;
}

/* Entries of one place are neighbours: LiteRT divides whenever the place changes, and so does litec. */
static lc_status run_lookup(lc_kernel_ctx *ctx) {
    const lc_value *ids = ctx->in[0], *indices = ctx->in[1], *table = ctx->in[4], *out = ctx->out[0];
    const int8_t combiner = LC_OP_ATTRS(ctx->node, EmbeddingLookupSparseOptions)->combiner;
    const int32_t depth = indices->shape.dims[1], rows = table->shape.dims[0];
    const int64_t run = product(&table->shape, 1, table->shape.rank);
    const float *weights = ctx->in[3]->data;
    float total = 0, squares = 0, *sums = out->data;
    int64_t current = 0, entries = 0;
    if (out->size) memset(sums, 0, out->size);
    for (int64_t i = 0; i < ids->shape.dims[0]; i++) {
        const int64_t row = index_at(ids, i);
        int64_t place = 0;
        if (row < 0 || row >= rows)
            return lc_fail(ctx->err, LC_INVALID, "EMBEDDING_LOOKUP_SPARSE: id %lld is outside [0, %d)", (long long)row, rows);
        for (int32_t d = 0; d + 1 < depth; d++) {
            const int64_t k = index_at(indices, i * depth + d);
            if (k < 0 || k >= out->shape.dims[d])
                return lc_fail(ctx->err, LC_INVALID, "EMBEDDING_LOOKUP_SPARSE: index %lld is outside [0, %d)", (long long)k,
                               out->shape.dims[d]);
            place = place * out->shape.dims[d] + k;
        }
        if (place != current) {
            finish(sums + current * run, run, combiner, entries, total, squares);
            entries = 0;
            total = squares = 0;
            current = place;
        }
        entries++;
        total += weights[i];
        squares += weights[i] * weights[i];
        for (int64_t k = 0; k < run; k++) sums[place * run + k] += ((const float *)table->data)[row * run + k] * weights[i];
    }
    finish(sums + current * run, run, combiner, entries, total, squares);
    return LC_OK;
}

const lc_kernel lc_kernel_SCATTER_ND = {.prepare = prepare_scatter, .run = run_scatter};
const lc_kernel lc_kernel_SPARSE_TO_DENSE = {.prepare = prepare_dense, .run = run_dense};
const lc_kernel lc_kernel_EMBEDDING_LOOKUP_SPARSE = {.prepare = prepare_lookup, .run = run_lookup};
