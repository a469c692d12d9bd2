/*
 * fixed16.h: functions in 16-bit fixed point, on which the integer LSTM rests; the 16-bit twin of fixed.h.
 *
 * Qm is an int16 that stands for raw / 2^(15 - m). Bit for bit what LiteRT's kernels give: the same polynomial, the same Newton steps, the
 * same roundings. None is undefined for any input.
 */
#ifndef LC_KERNELS_FIXED16_H
#define LC_KERNELS_FIXED16_H

#include "kernels/quant.h"

/* a * b of two Q numbers: the integer bits add up. */
int16_t lc_fixed16_mul(int16_t a, int16_t b);
/* x * 2^n with saturation; n < 0: x / 2^-n to nearest, ties away from zero. -15 <= n <= 15. */
int16_t lc_fixed16_scale(int16_t x, int32_t n);
static inline int16_t lc_fixed16_clip(int32_t x) { return (int16_t)(x < INT16_MIN ? INT16_MIN : x > INT16_MAX ? INT16_MAX : x); }
/* 1 / (1 + exp(-x)) of a Q3 number as Q0. */
int16_t lc_fixed16_logistic(int16_t x);
/* tanh(x) of a number with `bits` integer bits, 0 to 6, as Q0. */
int16_t lc_fixed16_tanh(int16_t x, int32_t bits);

#endif
