/*
 * qat.h: what fake_quant.c and fake_quant_const.c share: the steps of an int8 tensor and constants in them.
 */
#ifndef LC_PASS_QAT_H
#define LC_PASS_QAT_H

#include "pass/rewrite.h"

/* real = (q - zero) scale */
typedef struct lc_steps {
    float scale;
    int32_t zero;
} lc_steps;

static inline bool lc_steps_equal(lc_steps a, lc_steps b) { return a.scale == b.scale && a.zero == b.zero; }

/* Quantisation parameters of a tensor: n scales (1: one for all) along dimension `axis`. zero NULL: all 0. NULL when memory is out. */
const lc_QuantizationParameters *lc_qat_params(lc_rewrite *rw, const float *scale, const int64_t *zero, uint32_t n, int32_t axis);
/* *made: the float32 constant as int8 weights, symmetric: on the steps it is annotated with, else on steps of its own, one for each slice of
 * `axis` (-1: one for all). */
lc_status lc_qat_weights(lc_rewrite *rw, int32_t tensor, int32_t axis, int32_t *made);
/* *made: the float32 bias as int32 on the product of the input's and the weights' steps. */
lc_status lc_qat_bias(lc_rewrite *rw, int32_t tensor, float input_scale, int32_t weights, int32_t *made);
/* *made: the float32 constant as an int8 operand over its own range, which holds zero; *s: its steps. */
lc_status lc_qat_operand(lc_rewrite *rw, int32_t tensor, int32_t *made, lc_steps *s);

#endif
