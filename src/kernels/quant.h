/*
 * quant.h: the arithmetic of quantised kernels, as the TFLite 8-bit quantisation specification has it (ai.google.dev/edge/litert,
 * "quantization spec"): real = scale * (q - zero_point).
 *
 * A real factor is kept as a multiplier in [2^30, 2^31) and a shift: factor = multiplier * 2^(shift - 31). Products are rounded as
 * LiteRT's reference kernels round them, bit for bit: first the high half of the doubled product, to nearest with ties away from zero, then
 * the right shift, to nearest with ties away from zero. Integers wrap where LiteRT's wrap; nothing here is undefined for any input.
 */
#ifndef LC_KERNELS_QUANT_H
#define LC_KERNELS_QUANT_H

#include "kernels/kernel.h"

typedef struct lc_multiplier {
    int32_t factor; /* [2^30, 2^31), or 0 */
    int32_t shift;  /* > 0: to the left */
} lc_multiplier;

/* Of a real factor >= 0; zero for one that is too small to matter (below 2^-32), not finite or negative. */
lc_multiplier lc_multiplier_of(double real);

/* x * factor * 2^shift, rounded as above. */
int32_t lc_scale_i32(int32_t x, lc_multiplier m);
/* As above for a sum of 64 bits (int16 kernels): the factor is cut to 16 bits and there is one rounding, half up. */
int32_t lc_scale_i64(int64_t x, lc_multiplier m);

/* (a * b * 2 + 2^31) / 2^32 to nearest, saturating for a = b = INT32_MIN. */
int32_t lc_high_mul(int32_t a, int32_t b);
/* x / 2^n to nearest, ties away from zero; 0 <= n <= 31. */
int32_t lc_shift_right_round(int32_t x, int32_t n);
/* x * 2^n with wrap-around, 0 <= n <= 31. */
static inline int32_t lc_shift_left_wrap(int32_t x, int32_t n) { return (int32_t)((uint32_t)x << n); }

/* Scale and zero point of a per-tensor quantised value. LC_INVALID (in ctx->err) when the tensor has none, more than one, a scale that is
 * not finite and > 0, or a zero point outside its type. `what` names the tensor in the message: "input 0". */
lc_status lc_quant_of(lc_kernel_ctx *ctx, const lc_value *v, const char *what, float *scale, int32_t *zero);
/* The scales of a weight: one, or one a channel along `axis` (then *channels is their number, else 1). Checked: finite, > 0, as many as
 * the axis is long, all zero points 0 when `symmetric`. *scales is borrowed from the model. */
lc_status lc_quant_channels(lc_kernel_ctx *ctx, const lc_value *v, const char *what, int32_t axis, bool symmetric, const float **scales,
                            int32_t *channels);
/* The tensor of the node's graph that a quantisation names by its number (scales of blocks); NULL when there is none. */
const lc_tensor *lc_quant_tensor(const lc_kernel_ctx *ctx, int32_t number);
/* [low, high] of a quantised output with a fused activation. LC_UNSUPPORTED for one that is no clamp. */
lc_status lc_quant_range(lc_kernel_ctx *ctx, int8_t activation, lc_dtype type, float scale, int32_t zero, int32_t *low, int32_t *high);
/* The tensor has quantisation parameters (good or bad). */
static inline bool lc_quant_has(const lc_value *v) { return v->def && v->def->quant && v->def->quant->scale.n; }
/* Limits of an integer type of up to 32 bits. */
void lc_int_limits(lc_dtype type, int32_t *low, int32_t *high);

static inline int32_t lc_clamp_i32(int32_t x, int32_t low, int32_t high) { return x < low ? low : x > high ? high : x; }

/* Element i of an int8, uint8, int16, int32, int4 (packed, signed, first element in the low half), int2 or uint4 tensor. */
static inline int32_t lc_int_at(const void *data, lc_dtype type, int64_t i) {
    const uint8_t *bytes = (const uint8_t *)data;
    switch (type) {
    case LC_INT8: return ((const int8_t *)data)[i];
    case LC_UINT8: return bytes[i];
    case LC_INT16: return ((const int16_t *)data)[i];
    case LC_INT32: return ((const int32_t *)data)[i];
    case LC_INT4: return ((bytes[i / 2] >> (i % 2 * 4) & 15) ^ 8) - 8;
    case LC_UINT4: return bytes[i / 2] >> (i % 2 * 4) & 15;
    case LC_INT2: return ((bytes[i / 4] >> (i % 4 * 2) & 3) ^ 2) - 2;
    default: return 0;
    }
}
/* Stores a value that fits: int8, uint8, int16, int32. */
static inline void lc_int_put(void *data, lc_dtype type, int64_t i, int32_t x) {
    switch (type) {
    case LC_INT8: ((int8_t *)data)[i] = (int8_t)x; break;
    case LC_UINT8: ((uint8_t *)data)[i] = (uint8_t)x; break;
    case LC_INT16: ((int16_t *)data)[i] = (int16_t)x; break;
    case LC_INT32: ((int32_t *)data)[i] = x; break;
    default: break;
    }
}

#endif
