/*
 * fixed.h: functions in 32-bit fixed point, on which the int8 SOFTMAX, LOG_SOFTMAX, L2_NORMALIZATION, DIV and RSQRT rest.
 *
 * Qm.n is an int32 that stands for raw / 2^n, with m integer bits (m + n = 31). A product of Qa and Qb is Q(a + b), by lc_high_mul. All
 * functions give the bits that LiteRT's reference kernels give: the same polynomials and Newton steps with the same roundings. None is
 * undefined for any input.
 */
#ifndef LC_KERNELS_FIXED_H
#define LC_KERNELS_FIXED_H

#include "kernels/quant.h"

/* x * 2^n, saturating; 0 <= n <= 31. */
int32_t lc_fixed_shift_left(int32_t x, int32_t n);
/* exp(x) as Q0 of a Q5 number x <= 0. */
int32_t lc_fixed_exp(int32_t x);
/* 1 / x of x > 0 in Q(digits) as Q0, times 2^*over: x = 2^*over * m with m in [1, 2), and 1 / m is returned. */
int32_t lc_fixed_reciprocal(int32_t x, int32_t digits, int32_t *over);
/* log(x) as Q5 of x >= 1 in Q12. */
int32_t lc_fixed_log(int32_t x);
/* 1 / sqrt(x) of an integer; 0 counts as 1. */
lc_multiplier lc_fixed_inverse_sqrt(int32_t x);

#endif
