/*
 * stablehlo.h: what the StableHLO kernels share: a function of two numbers over any type, found from an operator or from the region of
 * SCATTER and REDUCE_WINDOW (a graph of one node), and padding.
 */
#ifndef LC_KERNELS_STABLEHLO_H
#define LC_KERNELS_STABLEHLO_H

#include "kernels/ref.h"

typedef enum lc_hlo_function {
    LC_HLO_SECOND, /* the second of the two: SCATTER that overwrites */
    LC_HLO_ADD,
    LC_HLO_MULTIPLY,
    LC_HLO_MAXIMUM,
    LC_HLO_MINIMUM, /* of equals and NaN: the first */
    LC_HLO_ALL,
    LC_HLO_ANY, /* 1 or 0 */
    LC_HLO_AND, /* bits */
    LC_HLO_LARGEST,
    LC_HLO_SMALLEST, /* a NaN in the first gives the second */
    LC_HLO_FUNCTIONS
} lc_hlo_function;

/* out[i * out_step] = f(a[i * a_step], b[i * b_step]), one after the other, so that out and a may be one accumulator with step 0. */
typedef void (*lc_hlo_loop)(void *out, int64_t out_step, const void *a, int64_t a_step, const void *b, int64_t b_step, int64_t n);
/* NULL: the function has no such type. */
lc_hlo_loop lc_hlo_loop_of(lc_hlo_function f, lc_dtype type);

/* Graph `index` of the node's model: a region. LC_UNSUPPORTED outside a session, where nobody knows the model. */
lc_status lc_hlo_region(lc_kernel_ctx *ctx, int32_t index, const lc_graph **graph);

/* A walk that copies the elements of `in` into a padded tensor; what it leaves out is padding. step: 1 + padding between elements. */
void lc_hlo_pad_walk(const lc_shape *in, const int64_t *low, const int64_t *step, const lc_shape *out, lc_nd *nd);

#endif
