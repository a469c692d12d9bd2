/*
 * Weights: from Keras's layout to TFLite's. A weight is compared with the shape the config and the input call for before
 * anything is allocated for it, so what is allocated is never more than a small multiple of what the file really holds.
 *
 *   Dense  [in, out] -> [out, in]      Conv2D  [h, w, in, out] -> [out, h, w, in]
 *
 * are one and the same operation: a matrix whose last dimension comes first. It goes tile by tile through a small buffer, so
 * that both sides are touched in whole cache lines, and hands the file's pages back as it goes: a big model costs its weights
 * once. What needs no change stays borrowed from the file.
 */
#include "lower/lower.h"

#include <string.h>
#include <unistd.h>

#define TILE_COLS    64 /* a tile is read in runs of 256 bytes, which keeps pages of memory open, */
#define TILE_ROWS    64 /* and written as many at a time */
#define RELEASE_STEP ((size_t)4 << 20)

/* ---- elements ------------------------------------------------------------------------------------------------- */

static float half_to_float(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 0x1Fu, mantissa = h & 0x3FFu, bits;
    if (exponent == 0x1F)
        bits = sign | 0x7F800000u | (mantissa << 13);
    else if (exponent)
        bits = sign | ((exponent + 112u) << 23) | (mantissa << 13);
    else { /* zero or subnormal: mantissa * 2^-24 is exact in float */
        float v = (float)mantissa * 0x1p-24f;
        return sign ? -v : v;
    }
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float bfloat_to_float(uint16_t h) {
    uint32_t bits = (uint32_t)h << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

#define LOAD(ctype, expr)                                                                                                      \
    {                                                                                                                          \
        for (size_t i = 0; i < n; i++) {                                                                                       \
            ctype v;                                                                                                           \
            memcpy(&v, p + i * sizeof v, sizeof v);                                                                            \
            out[i] = (expr);                                                                                                   \
        }                                                                                                                      \
        break;                                                                                                                 \
    }

/* Elements [first, first + n) as float32. The type is one that `convertible` knows. */
static void load_floats(const lc_keras_weight *w, size_t first, size_t n, float *out) {
    const uint8_t *p = (const uint8_t *)w->data + first * (lc_dtype_bits(w->type) / 8);
    switch (w->type) {
    case LC_FLOAT32: memcpy(out, p, n * sizeof *out); break;
    case LC_FLOAT16: LOAD(uint16_t, half_to_float(v))
    case LC_BFLOAT16: LOAD(uint16_t, bfloat_to_float(v))
    case LC_FLOAT64: LOAD(double, (float)v)
    case LC_INT8: LOAD(int8_t, (float)v)
    case LC_UINT8: LOAD(uint8_t, (float)v)
    case LC_INT32: LOAD(int32_t, (float)v)
    case LC_INT64: LOAD(int64_t, (float)v)
    default: memset(out, 0, n * sizeof *out); break;
    }
}

static bool convertible(lc_dtype type) {
    return type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64 || type == LC_INT8 ||
           type == LC_UINT8 || type == LC_INT32 || type == LC_INT64;
}

double lc_weight_at(const lc_keras_weight *w, size_t k) {
    if (w->type == LC_FLOAT64) {
        double v;
        memcpy(&v, (const uint8_t *)w->data + k * sizeof v, sizeof v);
        return v;
    }
    float f;
    load_floats(w, k, 1, &f);
    return f;
}

/* ---- the transpose ---------------------------------------------------------------------------------------------- */

static void release(const lc_map *map, const uint8_t *p, size_t size) {
    if (map && map->data && p >= map->data && size <= map->size && (size_t)(p - map->data) <= map->size - size)
        lc_map_release(map, p, size);
}

typedef float vec4 __attribute__((vector_size(16)));

/* dst[k * rows + r] = tile[r][k] for the whole tile, four by four. */
static void store_tile(float *dst, size_t rows, float tile[TILE_ROWS][TILE_COLS]) {
    for (size_t k = 0; k < TILE_COLS; k += 4) {
        float *d = dst + k * rows;
        for (size_t r = 0; r < TILE_ROWS; r += 4) {
            vec4 a, b, c, e;
            memcpy(&a, &tile[r][k], sizeof a);
            memcpy(&b, &tile[r + 1][k], sizeof b);
            memcpy(&c, &tile[r + 2][k], sizeof c);
            memcpy(&e, &tile[r + 3][k], sizeof e);
            vec4 ac_low = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac_high = __builtin_shufflevector(a, c, 2, 6, 3, 7);
            vec4 be_low = __builtin_shufflevector(b, e, 0, 4, 1, 5), be_high = __builtin_shufflevector(b, e, 2, 6, 3, 7);
            vec4 out[4] = {
                __builtin_shufflevector(ac_low, be_low, 0, 4, 1, 5), __builtin_shufflevector(ac_low, be_low, 2, 6, 3, 7),
                __builtin_shufflevector(ac_high, be_high, 0, 4, 1, 5), __builtin_shufflevector(ac_high, be_high, 2, 6, 3, 7)};
            for (size_t i = 0; i < 4; i++) memcpy(d + i * rows + r, &out[i], sizeof out[i]);
        }
    }
}

typedef struct transpose {
    const lc_map *map;
    float *dst;
    const lc_keras_weight *w;
    size_t rows, cols;
} transpose;

/* Rows [begin, end) in units of TILE_ROWS; then gives back the source's pages. */
static void transpose_rows(void *arg, int64_t begin, int64_t end, int32_t thread) {
    (void)thread;
    const transpose *t = arg;
    float tile[TILE_ROWS][TILE_COLS];
    const size_t first = (size_t)begin * TILE_ROWS, last = (size_t)end * TILE_ROWS < t->rows ? (size_t)end * TILE_ROWS : t->rows;
    for (size_t r0 = first; r0 < last; r0 += TILE_ROWS) {
        size_t nr = last - r0 < TILE_ROWS ? last - r0 : TILE_ROWS;
        for (size_t c0 = 0; c0 < t->cols; c0 += TILE_COLS) {
            size_t nc = t->cols - c0 < TILE_COLS ? t->cols - c0 : TILE_COLS;
            float *d = t->dst + c0 * t->rows + r0;
            for (size_t r = 0; r < nr; r++) load_floats(t->w, (r0 + r) * t->cols + c0, nc, tile[r]);
            if (nr == TILE_ROWS && nc == TILE_COLS)
                store_tile(d, t->rows, tile);
            else
                for (size_t k = 0; k < nc; k++)
                    for (size_t r = 0; r < nr; r++) d[k * t->rows + r] = tile[r][k];
        }
    }
    const size_t row_bytes = t->cols * (lc_dtype_bits(t->w->type) / 8), bytes = (last - first) * row_bytes;
    if (bytes >= RELEASE_STEP / 2) release(t->map, (const uint8_t *)t->w->data + first * row_bytes, bytes);
}

void lc_weight_transpose(lc_pool *pool, const lc_map *map, float *dst, const lc_keras_weight *w, size_t rows, size_t cols) {
    transpose t = {map, dst, w, rows, cols};
    const size_t band = TILE_ROWS * cols * (lc_dtype_bits(w->type) / 8), bands = (rows + TILE_ROWS - 1) / TILE_ROWS;
    size_t grain = band && band < RELEASE_STEP ? RELEASE_STEP / band : 1;
    const size_t share = bands / (size_t)lc_pool_threads(pool) + 1;
    lc_pool_run(pool, (int64_t)bands, (int64_t)(grain < share ? grain : share), transpose_rows, &t);
}

/* From this many bytes on a weight is worth two threads. */
#define POOL_FROM ((size_t)1 << 20)
#define POOL_THREADS 2

static lc_pool *pool_for(lc_lower *lower, size_t bytes) {
    if (!lower->pool && bytes >= POOL_FROM && sysconf(_SC_NPROCESSORS_ONLN) > 1)
        lc_pool_create(POOL_THREADS, &lower->pool, NULL); /* without one the caller does it all */
    return bytes >= POOL_FROM ? lower->pool : NULL;
}

/* ---- checks ----------------------------------------------------------------------------------------------------- */

bool lc_weights(lc_call *c, uint32_t n, const char *names) {
    if (c->b->status != LC_OK) return false;
    if (c->layer->weight_count == n) return true;
    lc_build_fail(c->b, LC_INVALID, "the file holds %u arrays for it, needs %u (%s)", c->layer->weight_count, n, names);
    lc_build_hint(c->b, "save the whole model again with model.save(), architecture and weights together");
    return false;
}

static void shape_text(const int32_t *dims, int32_t rank, lc_text *out) {
    lc_text_add(out, "[");
    for (int32_t i = 0; i < rank; i++) lc_text_printf(out, "%s%d", i ? ", " : "", dims[i]);
    lc_text_add(out, "]");
}

const lc_keras_weight *lc_weight(lc_call *c, uint32_t i, const char *name, const int32_t *dims, int32_t rank) {
    if (c->b->status != LC_OK) return NULL;
    if (i >= c->layer->weight_count) {
        lc_build_fail(c->b, LC_INVALID, "the file holds no %s for it (%u arrays)", name, c->layer->weight_count);
        return NULL;
    }
    const lc_keras_weight *w = &c->layer->weights[i];
    const char *stored = w->name ? w->name : name;
    if (!convertible(w->type)) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "its %s \"%.200s\" is %s, needs float32, float16, bfloat16 or float64", name,
                      stored, lc_dtype_name(w->type));
        return NULL;
    }
    bool same = w->rank == rank;
    uint64_t elements = 1, bytes;
    for (int32_t k = 0; same && k < rank; k++)
        same = w->dims[k] == dims[k] && dims[k] >= 0 && lc_mul_u64(elements, (uint64_t)dims[k], &elements);
    if (!same) {
        lc_text found = {0}, wanted = {0};
        shape_text(w->dims, w->rank < 0 ? 0 : w->rank > LC_MAX_RANK ? LC_MAX_RANK : w->rank, &found);
        shape_text(dims, rank, &wanted);
        lc_build_fail(c->b, LC_INVALID, "its %s \"%.200s\" has shape %s, the config and its input need %s", name, stored,
                      found.data ? found.data : "?", wanted.data ? wanted.data : "?");
        lc_text_deinit(&found);
        lc_text_deinit(&wanted);
        return NULL;
    }
    if (!lc_dtype_bytes(w->type, elements, &bytes) || bytes != w->size || (bytes && !w->data)) {
        lc_build_fail(c->b, LC_INVALID, "its %s \"%.200s\" holds %zu bytes, its shape needs %llu", name, stored, w->size,
                      (unsigned long long)(elements * (lc_dtype_bits(w->type) / 8)));
        return NULL;
    }
    return w;
}

static size_t product(const int32_t *dims, int32_t rank) { /* of a shape lc_weight has accepted */
    size_t n = 1;
    for (int32_t i = 0; i < rank; i++) n *= (size_t)dims[i];
    return n;
}

/* ---- constants ---------------------------------------------------------------------------------------------------- */

/* The constant of this slot, made at an earlier call; -1 when it is to be made now. */
static int32_t kept(const lc_call *c, uint32_t slot) { return c->slots[slot] - 1; }
static int32_t keep(lc_call *c, uint32_t slot, int32_t tensor) {
    if (c->b->status != LC_OK) return -1;
    c->slots[slot] = tensor + 1;
    return tensor;
}

int32_t lc_weight_const(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank,
                        const int32_t *out, int32_t out_rank) {
    const lc_keras_weight *w = lc_weight(c, i, name, dims, rank);
    if (!w) return -1;
    if (kept(c, slot) >= 0) return kept(c, slot);
    if (w->type == LC_FLOAT32 && w->data && (uintptr_t)w->data % sizeof(float) == 0)
        return keep(c, slot, lc_build_const(c->b, name, LC_FLOAT32, out, out_rank, w->data, w->size, false));
    size_t n = product(dims, rank);
    float *data = lc_build_data(c->b, n * sizeof *data);
    if (!data) return -1;
    load_floats(w, 0, n, data);
    return keep(c, slot, lc_build_const(c->b, name, LC_FLOAT32, out, out_rank, data, n * sizeof *data, true));
}

int32_t lc_weight_transposed(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank,
                             const int32_t *out, int32_t out_rank) {
    const lc_keras_weight *w = lc_weight(c, i, name, dims, rank);
    if (!w) return -1;
    if (kept(c, slot) >= 0) return kept(c, slot);
    size_t cols = (size_t)dims[rank - 1], n = product(dims, rank), rows = cols ? n / cols : 0;
    float *data = lc_build_data(c->b, n * sizeof *data);
    if (!data) return -1;
    lc_weight_transpose(pool_for(c->lower, n * sizeof *data), c->lower->options->map, data, w, rows, cols);
    return keep(c, slot, lc_build_const(c->b, name, LC_FLOAT32, out, out_rank, data, n * sizeof *data, true));
}

int32_t lc_weight_bias(lc_call *c, uint32_t slot, uint32_t i, int32_t n, bool given) {
    if (given) return lc_weight_const(c, slot, i, "bias", &n, 1, &n, 1);
    if (c->b->status != LC_OK || kept(c, slot) >= 0) return kept(c, slot);
    size_t bytes = (size_t)n * sizeof(float);
    void *zeros = lc_build_data(c->b, bytes); /* arenas are zeroed */
    return keep(c, slot, lc_build_const(c->b, "bias", LC_FLOAT32, &n, 1, zeros, bytes, true));
}
