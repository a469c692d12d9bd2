/*
 * elementwise.h: the kernels that one file of an elementwise family has and another file's `choose` returns: <family>_ref.c names the
 * operators and chooses by types, <family>_quant.c has the quantised integers.
 */
#ifndef LC_KERNELS_ELEMENTWISE_H
#define LC_KERNELS_ELEMENTWISE_H

#include "kernels/quant.h"
#include "kernels/ref.h"

extern const lc_kernel lc_quantize_again;   /* QUANTIZE of integers */
extern const lc_kernel lc_unary_quant;      /* ABS, SQRT, RSQRT, EXP, LOG of int8 and int16 */
extern const lc_kernel lc_activation_quant; /* the activations of int8, uint8, int16; lc_activation_quant_has says which */
bool lc_activation_quant_has(int32_t op, lc_dtype type);
extern const lc_kernel lc_prelu_quant;
extern const lc_kernel lc_binary_quant; /* ADD, SUB, MUL, DIV, SQUARED_DIFFERENCE; lc_binary_quant_has says of which types */
bool lc_binary_quant_has(int32_t op, lc_dtype in, lc_dtype out);
extern const lc_kernel lc_compare_quant; /* comparisons of int8, uint8, int16 with scales */
extern const lc_kernel lc_softmax_quant, lc_softmax_quant16, lc_log_softmax_quant;
extern const lc_kernel lc_l2_norm_quant;

#endif
