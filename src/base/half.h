/*
 * half.h: the 16-bit floats, IEEE binary16 ("float16", "half") and the upper half of a float32 ("bfloat16"), as their bits.
 */
#ifndef LC_BASE_HALF_H
#define LC_BASE_HALF_H

#include <stdint.h>

float lc_half_to_float(uint16_t h);
uint16_t lc_float_to_half(float f); /* nearest, ties to even */
float lc_bfloat_to_float(uint16_t b);
uint16_t lc_float_to_bfloat(float f); /* nearest, ties to even */

#endif
