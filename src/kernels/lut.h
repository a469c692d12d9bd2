/*
 * lut.h: functions of one quantised number as tables, with LiteRT's definition of them, bit for bit. An 8-bit input has all its 256 answers
 * in a table. A 16-bit input has the function at 513 points, between which it is a straight line.
 */
#ifndef LC_KERNELS_LUT_H
#define LC_KERNELS_LUT_H

#include "kernels/quant.h"

enum { LC_LUT16 = 513 };

/* Scales and zero points of a function's input and output. */
typedef struct lc_lut_quant {
    float in_scale, out_scale;
    int32_t in_zero, out_zero;
} lc_lut_quant;

/* Of input 0 and output 0; as lc_quant_of. */
lc_status lc_lut_quant_of(lc_kernel_ctx *ctx, lc_lut_quant *q);

/* table[(uint8_t)x] = the answer for x of `type` (INT8 or UINT8), as the low byte of an integer of that type. */
void lc_lut8_fill(uint8_t table[256], lc_dtype type, const lc_lut_quant *q, float (*function)(float x, const void *more), const void *more);
/* The 513 points of an int16 function over the whole range of its input. The spacing is computed in float32, or in float64 (SOFTMAX). */
void lc_lut16_fill(int16_t table[LC_LUT16], const lc_lut_quant *q, float (*function)(float x, const void *more), const void *more);
void lc_lut16_fill_double(int16_t table[LC_LUT16], double in_scale, int32_t in_zero, double out_scale, int32_t out_zero,
                          double (*function)(double x));

static inline int16_t lc_lut16_at(const int16_t table[LC_LUT16], int16_t x) {
    const int32_t i = 256 + (x >> 7), slope = (int16_t)(table[i + 1] - table[i]);
    return (int16_t)(table[i] + ((slope * (x & 0x7f) + 64) >> 7));
}

#endif
