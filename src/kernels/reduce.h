/*
 * reduce.h: how the reductions walk: the input's dimensions are split into those that stay and those that go.
 */
#ifndef LC_KERNELS_REDUCE_H
#define LC_KERNELS_REDUCE_H

#include "kernels/ref.h"

typedef struct lc_reduction {
    lc_nd stay, gone; /* operand 0: output, 1: input */
    int64_t count;    /* elements of one reduction */
} lc_reduction;

/* Of a node whose input 1 names the axes. LC_INVALID when they do not lead to the output that was planned. */
lc_status lc_reduction_of(lc_kernel_ctx *ctx, lc_reduction *r);

#endif
