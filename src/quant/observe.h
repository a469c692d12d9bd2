/*
 * observe.h: what calibration keeps of the values of a tensor, and how a range follows from it. A histogram has one width of bin on both
 * sides of zero: |x| in [i, i + 1) * most / LC_BINS falls into bin i of its side. Zeros are counted apart: every range of integer steps holds
 * zero exactly, so that they say nothing about where to clip (half of what a RELU gives would drown the rest).
 */
#ifndef LC_QUANT_OBSERVE_H
#define LC_QUANT_OBSERVE_H

#include "quant/quant.h"

enum { LC_BINS = 2048 };

typedef struct lc_histogram {
    float most;                                     /* the greatest |x|; > 0 */
    uint64_t zeros, below[LC_BINS], above[LC_BINS]; /* elements < 0, > 0, by |x| */
} lc_histogram;

/* Widens a range to hold n values. False, and the range is not to be used, when one is NaN or infinite. */
bool lc_observe_extremes(const float *x, size_t n, lc_range *range);
/* As lc_observe_extremes, of the values that are no masks (mask.c). */
#define LC_MASK_LEAST 5000.0f
void lc_observe_kept(const float *x, size_t n, lc_range *kept);
/* Takes masks in front of SOFTMAX out of the ranges of a graph's tensors and marks these. below: what is so much under all scores is
 * nothing. A constant that holds masks gets a range, too. (mask.c) */
lc_status lc_quant_unmask(const lc_graph *graph, lc_range *ranges, const lc_range *kept, float below, bool *masked, lc_error *err);
void lc_observe_count(const float *x, size_t n, lc_histogram *h);
/* to += from. */
void lc_observe_add(lc_histogram *to, const lc_histogram *from);

/* The range that holds `percent` of the values: what is left out is the outermost, half on each side of zero if there are values on both. */
lc_range lc_observe_percentile(const lc_histogram *h, lc_range extremes, double percent);
/* Where 8 bits tell most: the clip |x| <= t whose 128 steps (256 where zero is one end) have the least Kullback-Leibler divergence from
 * the values (Migacz, "8-bit Inference with TensorRT", 2017). */
lc_range lc_observe_entropy(const lc_histogram *h, lc_range extremes);
/* The range of least mean square error: rounding inside it against clipping outside. steps: of the type, 255 or 65534; symmetric: both
 * ends are equally far from zero. */
lc_range lc_observe_mse(const lc_histogram *h, lc_range extremes, double steps, bool symmetric);

#endif
