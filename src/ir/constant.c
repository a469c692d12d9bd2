/*
 * constant.c: see constant.h. The transpose goes tile by tile through a small buffer, so that both sides are touched in whole
 * cache lines: a tile is read in runs of 256 bytes and written as many at a time.
 */
#include "ir/constant.h"

#include "base/half.h"
#include "base/transpose4.h"

#include <string.h>

enum { TILE_COLS = 64, TILE_ROWS = 64, AHEAD = 16 };

/* ---- elements ------------------------------------------------------------------------------------------------- */

#define LOAD(ctype, expr) \
    { \
        for (size_t i = 0; i < n; i++) { \
            ctype v; \
            memcpy(&v, p + i * sizeof v, sizeof v); \
            out[i] = (expr); \
        } \
        break; \
    }

void lc_floats_load(lc_dtype type, const void *data, size_t first, size_t n, float *out) {
    const uint8_t *p = (const uint8_t *)data + first * (lc_dtype_bits(type) / 8);
    switch (type) {
    case LC_FLOAT32: memcpy(out, p, n * sizeof *out); break;
    case LC_FLOAT16: LOAD(uint16_t, lc_half_to_float(v))
    case LC_BFLOAT16: LOAD(uint16_t, lc_bfloat_to_float(v))
    case LC_FLOAT64: LOAD(double, (float)v)
    case LC_INT8: LOAD(int8_t, (float)v)
    case LC_UINT8: LOAD(uint8_t, (float)v)
    case LC_INT32: LOAD(int32_t, (float)v)
    case LC_INT64: LOAD(int64_t, (float)v)
    default: memset(out, 0, n * sizeof *out); break;
    }
}

bool lc_floats_can_load(lc_dtype type) {
    return type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64 || type == LC_INT8 || type == LC_UINT8 ||
           type == LC_INT32 || type == LC_INT64;
}

/* ---- the transpose ---------------------------------------------------------------------------------------------- */

/* dst[k * rows + r] = tile[r][k] for the whole tile, four by four. */
static void store_tile(float *dst, size_t rows, float tile[TILE_ROWS][TILE_COLS]) {
    for (size_t k = 0; k < TILE_COLS; k += 4)
        for (size_t r = 0; r < TILE_ROWS; r += 4) lc_transpose4(&tile[r][k], TILE_COLS, dst + k * rows + r, rows);
}

/* The next rows' runs: no hardware guesses a stride of a whole row. */
static void prefetch(const lc_deferred *d, size_t r, size_t c, size_t n) {
    const size_t width = lc_dtype_bits(d->type) / 8;
    if (r >= d->rows) return;
    const uint8_t *p = (const uint8_t *)d->data + (r * d->cols + c) * width;
    for (size_t at = 0; at < n * width; at += 64) __builtin_prefetch(p + at);
}

void lc_deferred_fill(const lc_deferred *d, size_t first, size_t count, float *out) {
    float tile[TILE_ROWS][TILE_COLS];
    for (size_t r0 = 0; r0 < d->rows; r0 += TILE_ROWS) {
        const size_t nr = d->rows - r0 < TILE_ROWS ? d->rows - r0 : TILE_ROWS;
        for (size_t c0 = 0; c0 < count; c0 += TILE_COLS) {
            const size_t nc = count - c0 < TILE_COLS ? count - c0 : TILE_COLS;
            float *dst = out + c0 * d->rows + r0;
            for (size_t r = 0; r < nr; r++) {
                prefetch(d, r0 + r + AHEAD, first + c0, nc);
                lc_floats_load(d->type, d->data, (r0 + r) * d->cols + first + c0, nc, tile[r]);
                if (d->scale)
                    for (size_t k = 0; k < nc; k++) tile[r][k] *= d->scale[first + c0 + k];
            }
            if (nr == TILE_ROWS && nc == TILE_COLS) store_tile(dst, d->rows, tile);
            else
                for (size_t k = 0; k < nc; k++)
                    for (size_t r = 0; r < nr; r++) dst[k * d->rows + r] = tile[r][k];
        }
    }
}

void lc_deferred_read(const lc_deferred *d, size_t first, size_t n, float *out) {
    for (size_t i = 0; i < n; i++) {
        const size_t c = (first + i) / d->rows, r = (first + i) % d->rows;
        lc_floats_load(d->type, d->data, r * d->cols + c, 1, &out[i]);
        if (d->scale) out[i] *= d->scale[c];
    }
}

static size_t matrix_bytes(const lc_deferred *d) { return d->rows * d->cols * (lc_dtype_bits(d->type) / 8); }

void lc_deferred_release(const lc_deferred *d, const lc_model *model) { lc_model_release(model, d->data, matrix_bytes(d)); }

lc_status lc_tensor_make(lc_model *model, lc_tensor *t, lc_error *err) {
    if (!t->deferred || t->data) return LC_OK;
    float *data = lc_arena_data(&model->arena, t->size);
    if (!data) return lc_fail_memory(err, "constant");
    lc_deferred_fill(t->deferred, 0, t->deferred->cols, data);
    lc_deferred_release(t->deferred, model);
    t->data = data;
    t->data_owned = true;
    return LC_OK;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

lc_constant lc_constant_of(const lc_tensor *t) { return (lc_constant){t->deferred, t->data, t->size}; }

enum { SAMPLE = 64, STRIP = 256 };

/* Bytes [at, at + n) of a constant; at and n are multiples of 4 for a deferred one. */
static const void *bytes_of(lc_constant c, size_t at, size_t n, float *space) {
    if (!c.deferred) return (const uint8_t *)c.data + at;
    lc_deferred_read(c.deferred, at / sizeof *space, n / sizeof *space, space);
    return space;
}

uint64_t lc_constant_key(lc_constant c) {
    float space[3 * SAMPLE / sizeof(float)];
    uint64_t key = lc_hash(&c.size, sizeof c.size, 0);
    if (c.size <= 3 * SAMPLE) return lc_hash(bytes_of(c, 0, c.size, space), c.size, key);
    const size_t at[3] = {0, (c.size / 2 - SAMPLE / 2) & ~(size_t)3, c.size - SAMPLE};
    for (int i = 0; i < 3; i++) key = lc_hash(bytes_of(c, at[i], SAMPLE, space), SAMPLE, key);
    return key;
}

uint64_t lc_constant_hash(lc_constant c) {
    float space[STRIP];
    uint64_t key = lc_hash(&c.size, sizeof c.size, 0);
    for (size_t at = 0; at < c.size; at += sizeof space) { /* strip by strip, made or not: equal constants have equal hashes */
        const size_t n = c.size - at < sizeof space ? c.size - at : sizeof space;
        key = lc_hash(bytes_of(c, at, n, space), n, key);
    }
    return key;
}

bool lc_constant_equal(lc_constant a, lc_constant b) {
    if (a.size != b.size) return false;
    const lc_deferred *x = a.deferred, *y = b.deferred;
    if (!x && !y) return a.data == b.data || a.size == 0 || memcmp(a.data, b.data, a.size) == 0;
    if (x && y && x->type == y->type && x->rows == y->rows && x->cols == y->cols && !x->scale == !y->scale)
        return (!x->scale || x->scale == y->scale || memcmp(x->scale, y->scale, x->cols * sizeof *x->scale) == 0) &&
               (x->data == y->data || memcmp(x->data, y->data, matrix_bytes(x)) == 0);
    float p[STRIP], q[STRIP];
    for (size_t at = 0; at < a.size; at += sizeof p) {
        const size_t n = a.size - at < sizeof p ? a.size - at : sizeof p;
        if (memcmp(bytes_of(a, at, n, p), bytes_of(b, at, n, q), n) != 0) return false;
    }
    return true;
}

const lc_QuantizationParameters *lc_tensor_steps(lc_arena *arena, const float *scale, const int64_t *zero, uint32_t n, int32_t axis) {
    lc_QuantizationParameters *q = lc_arena_alloc(arena, sizeof *q);
    float *scales = lc_arena_array(arena, n, sizeof *scales);
    int64_t *zeros = lc_arena_array(arena, n, sizeof *zeros);
    if (!q || !scales || !zeros) return NULL;
    lc_schema_init(LC_TABLE_QuantizationParameters, q);
    memcpy(scales, scale, n * sizeof *scales);
    if (zero) memcpy(zeros, zero, n * sizeof *zeros);
    q->scale.data = scales;
    q->scale.n = n;
    q->zero_point.data = zeros;
    q->zero_point.n = n;
    q->quantized_dimension = n > 1 ? axis : 0;
    return q;
}
