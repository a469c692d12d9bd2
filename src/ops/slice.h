/*
 * slice.h: what SLICE and STRIDED_SLICE mean in numbers. The shape rule and the kernel resolve the same operands through the same
 * function, so the elements a kernel touches are those the shapes were made from.
 */
#ifndef LC_OPS_SLICE_H
#define LC_OPS_SLICE_H

#include "ops/op.h"

#define LC_SLICE_MAX 32 /* entries of begin, end and strides: one bit each in the masks */

/* For each input dimension: `count` elements from `start` on, `step` apart. */
typedef struct lc_slice {
    int32_t rank; /* of the input */
    int32_t start[LC_MAX_RANK];
    int64_t step[LC_MAX_RANK];
    int32_t count[LC_MAX_RANK]; /* -1: not known */
} lc_slice;

/* SLICE: sizes of -1 mean "the rest". begin or size NULL: not known yet. */
lc_status lc_slice_resolve(const lc_shape *in, const int64_t *begin, const int64_t *size, lc_slice *slice, lc_error *err);

/* STRIDED_SLICE with n entries; begin, end or strides NULL: not known yet. *out: the output's shape, new axes added and shrunk ones
 * gone. Open input dimensions give open counts. */
lc_status lc_slice_resolve_strided(const lc_StridedSliceOptions *o, const lc_shape *in, int32_t n, const int64_t *begin, const int64_t *end,
                                   const int64_t *strides, lc_slice *slice, lc_shape *out, lc_error *err);

#endif
