/*
 * Weights: from Keras's layout to TFLite's. A weight is compared with the shape the config and the input call for before
 * anything is made of it.
 *
 *   Dense  [in, out] -> [out, in]      Conv2D  [h, w, in, out] -> [out, h, w, in]
 *
 * are one and the same operation: a matrix whose last dimension comes first. Such a constant is deferred (ir/constant.h): it is
 * made when it is written or run. What needs no change stays borrowed from the file.
 */
#include "lower/lower.h"

#include "ir/constant.h"
#include "lower/rounding.h"
#include "lower/training.h"

#include <string.h>

double lc_weight_at(const lc_keras_weight *w, size_t k) {
    if (w->type == LC_FLOAT64) {
        double v;
        memcpy(&v, (const uint8_t *)w->data + k * sizeof v, sizeof v);
        return v;
    }
    float f;
    lc_floats_load(w->type, w->data, k, 1, &f);
    return f;
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
    lc_training_make(c, i, name, dims, rank);
    if (c->b->status != LC_OK) return NULL;
    const lc_keras_weight *w = &c->layer->weights[i];
    const char *stored = w->name ? w->name : name;
    if (!lc_floats_can_load(w->type)) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "its %s \"%.200s\" is %s, needs float32, float16, bfloat16 or float64", name, stored,
                      lc_dtype_name(w->type));
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

/* RESHAPE, where the shape is another. */
int32_t lc_weight_shaped(lc_call *c, int32_t t, const int32_t *dims, int32_t rank) {
    lc_shape s;
    if (!lc_build_shape(c->b, t, &s)) return -1;
    if (s.rank == rank && memcmp(s.dims, dims, (size_t)rank * sizeof *dims) == 0) return t;
    return lc_build_reshape(c->b, t, dims, rank);
}

int32_t lc_weight_slice(lc_call *c, int32_t t, const int32_t *begin, const int32_t *size, int32_t rank) {
    const int32_t in[3] = {t, lc_build_ints(c->b, "begin", begin, (uint32_t)rank), lc_build_ints(c->b, "size", size, (uint32_t)rank)};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

int32_t lc_weight_turned(lc_call *c, int32_t t, int32_t rows, int32_t cols) {
    const int32_t perm[2] = {1, 0};
    return lc_build_transpose(c->b, lc_weight_shaped(c, t, (int32_t[]){rows, cols}, 2), perm, 2);
}

int32_t lc_weight_const(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, const int32_t *out,
                        int32_t out_rank) {
    const lc_keras_weight *w = lc_weight(c, i, name, dims, rank);
    if (!w) return -1;
    if (kept(c, slot) >= 0) return kept(c, slot);
    if (lc_trains(c)) return keep(c, slot, lc_weight_shaped(c, lc_training_input(c, w, name, true), out, out_rank));
    if (w->type == LC_FLOAT32 && w->data && (uintptr_t)w->data % sizeof(float) == 0)
        return keep(c, slot, lc_build_const(c->b, name, LC_FLOAT32, out, out_rank, w->data, w->size, false));
    size_t n = product(dims, rank);
    float *data = lc_build_data(c->b, n * sizeof *data);
    if (!data) return -1;
    lc_floats_load(w->type, w->data, 0, n, data);
    return keep(c, slot, lc_build_const(c->b, name, LC_FLOAT32, out, out_rank, data, n * sizeof *data, true));
}

int32_t lc_weight_transposed(lc_call *c, uint32_t slot, uint32_t i, const char *name, const int32_t *dims, int32_t rank, const int32_t *out,
                             int32_t out_rank) {
    const lc_keras_weight *w = lc_weight(c, i, name, dims, rank);
    if (!w) return -1;
    if (kept(c, slot) >= 0) return kept(c, slot);
    const size_t cols = (size_t)dims[rank - 1], n = product(dims, rank);
    if (lc_trains(c)) {
        int32_t perm[LC_MAX_RANK] = {rank - 1};
        for (int32_t k = 1; k < rank; k++) perm[k] = k - 1;
        const int32_t turned = lc_build_transpose(c->b, lc_training_input(c, w, name, true), perm, rank);
        return keep(c, slot, lc_round_weights(c, lc_weight_shaped(c, turned, out, out_rank), 0));
    }
    const lc_deferred made = {.type = w->type, .data = w->data, .rows = cols ? n / cols : 0, .cols = cols};
    return keep(c, slot, lc_build_deferred(c->b, name, out, out_rank, &made));
}

int32_t lc_weight_bias(lc_call *c, uint32_t slot, uint32_t i, int32_t n, bool given) {
    if (given) return lc_weight_const(c, slot, i, "bias", &n, 1, &n, 1);
    if (c->b->status != LC_OK || kept(c, slot) >= 0) return kept(c, slot);
    size_t bytes = (size_t)n * sizeof(float);
    void *zeros = lc_build_data(c->b, bytes); /* arenas are zeroed */
    return keep(c, slot, lc_build_const(c->b, "bias", LC_FLOAT32, &n, 1, zeros, bytes, true));
}
