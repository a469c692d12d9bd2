/*
 * affine.h: y = x * scale + shift with constants per channel, as MUL, ADD, SUB and DIV spell it, and the operators with weights
 * that can take it in. Shared by fold_affine_after.c and fold_affine_before.c.
 */
#ifndef LC_PASS_AFFINE_H
#define LC_PASS_AFFINE_H

#include "pass/rewrite.h"

/* An operator with constant float32 weights, and where they keep what. */
typedef struct lc_weighted {
    lc_node *node;
    int32_t out_axis;    /* of the filter: output channels */
    int32_t in_axis;     /* of the filter: input channels; -1: DEPTHWISE_CONV_2D, whose output channels come from one input each */
    uint32_t data_input; /* which input is x */
    uint32_t bias_input;
    int32_t out_channels, in_channels; /* in_channels: of x, as the filter needs it (one group) */
} lc_weighted;

/* True when `node` is CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV, CONV_3D or CONV_3D_TRANSPOSE with constant float32 filter
 * and bias. */
bool lc_weighted_of(const lc_rewrite *rw, lc_node *node, lc_weighted *w);
/* What the weights' steps (of quantisation-aware training, lower/tf_quant.c) are when output channel c is scale[c] times as large; *q NULL: they
 * have none that can be said so. */
lc_status lc_weighted_steps(lc_rewrite *rw, const lc_weighted *w, const float *scale, const lc_QuantizationParameters **q);
/* The bias as floats that may be changed; made of zeros when there is none. */
lc_status lc_weighted_bias(lc_rewrite *rw, const lc_weighted *w, float **bias);
bool lc_weighted_has_bias(const lc_weighted *w);

typedef struct lc_affine {
    float *scale, *shift; /* [channels], in rw->temporary */
    bool scales, shifts;  /* scale is not all ones, shift is not all zeros, by the kind of operator */
} lc_affine;

/* True when `node` is MUL, ADD, SUB or DIV of a tensor, input *x, by a constant with one value or one a channel of the last
 * dimension (`channels`, 0: take it from the tensor), and does not change the tensor's shape. c / x is none. */
bool lc_affine_is(const lc_rewrite *rw, const lc_node *node, int32_t channels, uint32_t *x);
lc_status lc_affine_read(lc_rewrite *rw, const lc_node *node, uint32_t x, int32_t channels, lc_affine *a);

#endif
