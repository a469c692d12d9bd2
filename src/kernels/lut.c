/*
 * lut.c: see lut.h. A point of a 16-bit table is moved by half of the error that the straight line has in the middle of its piece, so that
 * the error is spread.
 */
#include "kernels/lut.h"

#include <limits.h>
#include <math.h>

lc_status lc_lut_quant_of(lc_kernel_ctx *ctx, lc_lut_quant *q) {
    LC_TRY(lc_quant_of(ctx, ctx->in[0], "input 0", &q->in_scale, &q->in_zero));
    return lc_quant_of(ctx, ctx->out[0], "output 0", &q->out_scale, &q->out_zero);
}

void lc_lut8_fill(uint8_t table[256], lc_dtype type, const lc_lut_quant *q, float (*function)(float x, const void *more),
                  const void *more) {
    const float inverse = 1 / q->out_scale;
    int32_t low, high;
    lc_int_limits(type, &low, &high);
    for (int32_t x = low; x <= high; x++) {
        const float y = roundf(function(q->in_scale * (float)(x - q->in_zero), more) * inverse) + (float)q->out_zero;
        const int32_t out = !(y > (float)low) ? low : y > (float)high ? high : (int32_t)y; /* NaN: low */
        table[(uint8_t)x] = (uint8_t)out;
    }
}

/* No number (infinity less infinity, where a function leaves the type's range) becomes 0, as in LiteRT. */
#define LIMIT(y) (int16_t)((y) != (y) ? 0 : (y) < INT16_MIN ? INT16_MIN : (y) > INT16_MAX ? INT16_MAX : (y))

#define FILL(T, ROUND) \
    const T in_min = (T)in_scale * (T)(INT16_MIN - in_zero), in_max = (T)in_scale * (T)(INT16_MAX - in_zero); \
    const T out_min = (T)out_scale * (T)(INT16_MIN - out_zero), out_max = (T)out_scale * (T)(INT16_MAX - out_zero); \
    const T step = (in_max - in_min) / (LC_LUT16 - 1), half = step / 2, scale = (T)65536 / (out_max - out_min); \
    for (int32_t i = 0; i < LC_LUT16 - 1; i++) { \
        const T here = CALL(in_min + (T)i * step), middle = CALL(in_min + (T)i * step + half), next = CALL(in_min + (T)(i + 1) * step); \
        const T sample = ROUND(here * scale), line = ROUND((next * scale + ROUND(here * scale)) / 2); \
        const T y = sample - ROUND((line - ROUND(middle * scale)) / 2); \
        table[i] = LIMIT(y); \
    } \
    const T last = ROUND(CALL(in_max) * scale); \
    table[LC_LUT16 - 1] = LIMIT(last)

void lc_lut16_fill(int16_t table[LC_LUT16], const lc_lut_quant *q, float (*function)(float x, const void *more), const void *more) {
    const float in_scale = q->in_scale, out_scale = q->out_scale;
    const int32_t in_zero = q->in_zero, out_zero = q->out_zero;
#define CALL(x) function(x, more)
    FILL(float, roundf);
#undef CALL
}

void lc_lut16_fill_double(int16_t table[LC_LUT16], double in_scale, int32_t in_zero, double out_scale, int32_t out_zero,
                          double (*function)(double x)) {
#define CALL(x) function(x)
    FILL(double, round);
#undef CALL
}
