/*
 * tf_array.h: what the lowerings of TensorFlow's array operators share: moving data of any type through operators that know only some,
 * and makers of the operators they are built from. Everything is sticky, as in tf_lower.h; constants are folded by the builder's listener,
 * so shape arithmetic is written as if nothing were known and vanishes where it is.
 */
#ifndef LC_LOWER_TF_ARRAY_H
#define LC_LOWER_TF_ARRAY_H

#include "lower/tf_lower.h"

/* ---- types ------------------------------------------------------------------------------------------------------ */

/* A set of types. */
typedef uint32_t lc_tf_types;
#define LC_TF_T(name) (1u << LC_##name)
#define LC_TF_INTS (LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT16) | LC_TF_T(INT32) | LC_TF_T(INT64))
#define LC_TF_NUMBERS (LC_TF_INTS | LC_TF_T(FLOAT32))
#define LC_TF_HALVES (LC_TF_T(FLOAT16) | LC_TF_T(BFLOAT16))
/* Everything of 1 to 8 bytes: for kernels that copy elements by their width. */
#define LC_TF_WIDTHS \
    (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL) | LC_TF_T(UINT16) | LC_TF_T(UINT32) | LC_TF_T(UINT64) | LC_TF_T(FLOAT64) | \
     LC_TF_T(COMPLEX64))

/* x as a type of `types`, for an operator that moves elements: x itself, its bytes as an integer of the same width (BITCAST: nothing is
 * lost, 0 stays 0), else a wider type that has all its values. LC_ABSENT, and the operator goes to the missing ones, when there is none
 * (strings). */
int32_t lc_tf_movable(lc_tf_call *c, int32_t x, lc_tf_types types);
/* What came out, as `type` again. */
int32_t lc_tf_moved(lc_tf_call *c, int32_t y, lc_dtype type);
/* x as a type of `types`, for an operator that orders or adds elements: itself, a wider integer, float32 for the other floating types
 * (float64 is rounded to it). LC_ABSENT and missing when none fits. */
int32_t lc_tf_widen(lc_tf_call *c, int32_t x, lc_tf_types types);
static inline int32_t lc_tf_narrow(lc_tf_call *c, int32_t y, lc_dtype type) { return y < 0 ? y : lc_build_cast(c->b, y, type); }

/* ---- makers ------------------------------------------------------------------------------------------------------- */

/* Room for a table that a few bytes of the graph may make large: counted as memory the graph asks for. NULL and failed when that is too
 * much. */
void *lc_tf_table_data(lc_tf_call *c, uint64_t count, size_t size);
/* A constant vector of int32. */
int32_t lc_tf_vector(lc_tf_call *c, const int32_t *values, int32_t n);
/* x [rank] of a shape vector: one entry as an int32 scalar; the size of a dimension likewise, constant where it is fixed. */
int32_t lc_tf_entry(lc_tf_call *c, int32_t vector, int32_t i);
int32_t lc_tf_dim(lc_tf_call *c, int32_t x, int32_t axis);
/* An int32 vector of scalars and constants: entry i is tensors[i] (int32 scalar), or values[i] where tensors[i] is LC_ABSENT. */
int32_t lc_tf_vector_of(lc_tf_call *c, const int32_t *tensors, const int32_t *values, int32_t n);
/* Product of the dimensions [from, to) of x, an int32 scalar. */
int32_t lc_tf_count(lc_tf_call *c, int32_t x, int32_t from, int32_t to);

/* The operators' plain forms; types are the caller's care. */
int32_t lc_tf_gather(lc_tf_call *c, int32_t params, int32_t indices, int32_t axis, int32_t batch_dims);
int32_t lc_tf_gather_nd(lc_tf_call *c, int32_t params, int32_t indices);
int32_t lc_tf_concat(lc_tf_call *c, const int32_t *parts, uint32_t n, int32_t axis);
int32_t lc_tf_pack(lc_tf_call *c, const int32_t *parts, uint32_t n, int32_t axis);
int32_t lc_tf_range(lc_tf_call *c, int32_t limit); /* 0 ... limit - 1 for a scalar */
int32_t lc_tf_fill(lc_tf_call *c, int32_t dims, int32_t value);
int32_t lc_tf_scatter_nd(lc_tf_call *c, int32_t indices, int32_t updates, int32_t shape);        /* indices and shape become int32 */
int32_t lc_tf_padv2(lc_tf_call *c, int32_t x, const int32_t *pads, int32_t rank, int32_t value); /* pads: before, after of each dimension */
int32_t lc_tf_transpose(lc_tf_call *c, int32_t x, const int32_t *perm, int32_t rank);
/* The last two dimensions change places. */
int32_t lc_tf_swap_last(lc_tf_call *c, int32_t x);
int32_t lc_tf_cumsum(lc_tf_call *c, int32_t x, int32_t axis, bool exclusive, bool reverse);
int32_t lc_tf_broadcast(lc_tf_call *c, int32_t x, int32_t shape);
/* A new dimension of 1; one that is 1 goes. */
int32_t lc_tf_expand(lc_tf_call *c, int32_t x, int32_t axis);
int32_t lc_tf_squeeze(lc_tf_call *c, int32_t x, int32_t axis);
/* x as a vector. */
int32_t lc_tf_flat(lc_tf_call *c, int32_t x);
/* x with its dimensions [from, to) as one; the others stay. */
int32_t lc_tf_merge_dims(lc_tf_call *c, int32_t x, int32_t from, int32_t to);
/* x with dimension `axis` replaced by the entries of dims[n]; at most one open in all, else by run-time shapes. */
int32_t lc_tf_split_dim(lc_tf_call *c, int32_t x, int32_t axis, const int32_t *dims, int32_t n);
/* Elements [from, to) of a dimension (int32 scalars or LC_ABSENT: from the start, to the end), `step` apart. */
int32_t lc_tf_cut(lc_tf_call *c, int32_t x, int32_t axis, int32_t from, int32_t to, int32_t step);
/* The same for numbers; to < 0 counts from the end, 0 is the end. */
int32_t lc_tf_cut_at(lc_tf_call *c, int32_t x, int32_t axis, int32_t from, int32_t to);
/* Element i of a dimension, which goes; negative counts from the end. */
int32_t lc_tf_pick(lc_tf_call *c, int32_t x, int32_t axis, int32_t i);
/* Backwards along a dimension. */
int32_t lc_tf_reverse(lc_tf_call *c, int32_t x, int32_t axis);
/* The k largest of the last dimension (any number type) and where they were (int32). */
void lc_tf_top_k(lc_tf_call *c, int32_t x, int32_t k, int32_t *values, int32_t *indices);
/* Which order sorts the int32 vector x, smallest first, equal ones as they are. */
int32_t lc_tf_sort_order(lc_tf_call *c, int32_t x);

/* What a scatter does where it meets a value. */
typedef enum lc_tf_fold { LC_TF_FOLD_UPDATE, LC_TF_FOLD_ADD, LC_TF_FOLD_MUL, LC_TF_FOLD_MAX, LC_TF_FOLD_MIN } lc_tf_fold;
/* x with rows of `updates` folded in, one after another, where the vectors in the last dimension of `indices` say, as TensorFlow's scatters
 * read them; what lies outside is left out. Types of 1 to 8 bytes. (STABLEHLO_SCATTER) */
int32_t lc_tf_scatter(lc_tf_call *c, lc_tf_fold fold, int32_t x, int32_t indices, int32_t updates);
/* Rows of data folded into `segments` (int32 scalar) rows; ids have the shape data begins with, negative ones and those of `segments` or
 * more drop out (`checked`: there are none of the latter). A row that gets nothing: 0, 1, the type's smallest, its largest. Any number
 * type. (tf_segment.c) */
int32_t lc_tf_segment(lc_tf_call *c, lc_tf_fold fold, int32_t data, int32_t ids, int32_t segments, bool checked);
/* The smallest or the largest finite value of a number type, as a scalar. */
int32_t lc_tf_limit(lc_tf_call *c, lc_dtype type, bool largest);

/* Every type that STABLEHLO_SCATTER takes. */
#define LC_TF_SCATTERS (LC_TF_WIDTHS & ~(LC_TF_T(BFLOAT16) | LC_TF_T(COMPLEX64)))

#endif
