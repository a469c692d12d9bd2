/*
 * constant.h: the bytes of a constant, there or still to be made.
 *
 * Keras keeps the weights of Dense and Conv2D as a matrix [rows, cols] whose last dimension comes first in TFLite: [cols, rows].
 * Rearranging a big model at once would cost its size in memory and most of the conversion's time, so such a constant stays
 * `deferred`: the tensor has no data but says which matrix of the source it is made from. The writer makes it piece by piece on
 * its way to the file; who must read or change the whole asks for it (lc_tensor_make).
 *
 * A tensor is constant when it has data or is deferred (lc_tensor_is_const). It may have both, once the runtime has made it:
 * they then say the same.
 */
#ifndef LC_IR_CONSTANT_H
#define LC_IR_CONSTANT_H

#include "ir/ir.h"

/* A float32 constant [cols, rows]: element (c, r) is matrix element (r, c), as float32, times scale[c]. */
typedef struct lc_deferred {
    lc_dtype type;    /* of the matrix: one that lc_floats_can_load knows */
    const void *data; /* [rows, cols], at any address; lives as long as the model */
    size_t rows, cols;
    const float *scale; /* [cols]; NULL: all ones */
} lc_deferred;

/* Types whose elements lc_floats_load turns into float32. */
bool lc_floats_can_load(lc_dtype type);
/* Elements [first, first + n) of an array of such a type; it may lie at any address. */
void lc_floats_load(lc_dtype type, const void *data, size_t first, size_t n, float *out);

/* Rows [first, first + count) of the constant (count * d->rows floats). */
void lc_deferred_fill(const lc_deferred *d, size_t first, size_t count, float *out);
/* Elements [first, first + n) of the constant, one by one: for samples. */
void lc_deferred_read(const lc_deferred *d, size_t first, size_t n, float *out);
/* Says that the matrix is not needed again soon: its pages of a mapped file are let go. */
void lc_deferred_release(const lc_deferred *d, const lc_model *model);

/* Gives a deferred constant its data in the model's arena; nothing to do for others. It stays deferred as well, so that who
 * writes the model at the same time is not disturbed; a caller that then changes the data sets t->deferred to NULL. */
lc_status lc_tensor_make(lc_model *model, lc_tensor *t, lc_error *err);

/* The bytes of a constant, wherever they are: a tensor's, or some other block. */
typedef struct lc_constant {
    const lc_deferred *deferred; /* NULL: at data */
    const void *data;
    size_t size;
} lc_constant;
lc_constant lc_constant_of(const lc_tensor *t);
/* A hash of the size and of three samples of the bytes; equal constants have equal keys. */
uint64_t lc_constant_key(lc_constant c);
/* A hash of all bytes, for constants whose samples agree and that are not equal. */
uint64_t lc_constant_hash(lc_constant c);
/* Byte for byte. Allocates nothing; matrices that were not made are compared where they lie. */
bool lc_constant_equal(lc_constant a, lc_constant b);

/* Quantisation parameters of a tensor: n scales (1: one for all) along `axis`. zero NULL: all 0. NULL when memory is out. */
const lc_QuantizationParameters *lc_tensor_steps(lc_arena *arena, const float *scale, const int64_t *zero, uint32_t n, int32_t axis);

#endif
