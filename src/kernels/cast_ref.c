/*
 * cast_ref.c: CAST among the types of TYPES, each number by way of a double or an int64.
 *
 * Float to integer drops the fraction; what does not fit becomes the nearest number that does, NaN becomes 0 (C leaves both
 * undefined). Integers to narrower integers keep the low bits. Anything not zero is true.
 */
#include "kernels/ref.h"
#include <math.h>

#define TYPES \
    (LC_T(FLOAT32) | LC_T(FLOAT64) | LC_T(FLOAT16) | LC_T(BOOL) | LC_T(INT8) | LC_T(UINT8) | LC_T(INT16) | LC_T(UINT16) | LC_T(INT32) | \
     LC_T(UINT32) | LC_T(INT64) | LC_T(UINT64))

/* A number on its way: a double when the source is a float, else an integer (uint64 keeps its bits). */
typedef struct number {
    double real;
    int64_t whole;
} number;

static bool is_float(lc_dtype t) { return t == LC_FLOAT32 || t == LC_FLOAT64 || t == LC_FLOAT16; }

static number load(const void *p, lc_dtype type, int64_t i) {
    number v = {0, 0};
    switch (type) {
    case LC_FLOAT32: v.real = ((const float *)p)[i]; break;
    case LC_FLOAT64: v.real = ((const double *)p)[i]; break;
    case LC_FLOAT16: v.real = lc_half_to_float(((const uint16_t *)p)[i]); break;
    case LC_BOOL: v.whole = ((const uint8_t *)p)[i] != 0; break;
    case LC_INT8: v.whole = ((const int8_t *)p)[i]; break;
    case LC_UINT8: v.whole = ((const uint8_t *)p)[i]; break;
    case LC_INT16: v.whole = ((const int16_t *)p)[i]; break;
    case LC_UINT16: v.whole = ((const uint16_t *)p)[i]; break;
    case LC_INT32: v.whole = ((const int32_t *)p)[i]; break;
    case LC_UINT32: v.whole = ((const uint32_t *)p)[i]; break;
    case LC_INT64: v.whole = ((const int64_t *)p)[i]; break;
    default: v.whole = (int64_t)((const uint64_t *)p)[i]; break;
    }
    return v;
}

static int64_t to_signed(double x, int bits) {
    double limit = ldexp(1, bits - 1);
    if (isnan(x)) return 0;
    if (x >= limit) return (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
    if (x <= -limit) return -(int64_t)((UINT64_C(1) << (bits - 1)) - 1) - 1;
    return (int64_t)x;
}

static uint64_t to_unsigned(double x, int bits) {
    if (isnan(x) || x <= 0) return 0;
    if (x >= ldexp(1, bits)) return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    return (uint64_t)x;
}

static void store(void *p, lc_dtype type, int64_t i, number v, lc_dtype from) {
    bool real = is_float(from);
    double x = real ? v.real : from == LC_UINT64 ? (double)(uint64_t)v.whole : (double)v.whole;
#define WHOLE(bits) (real ? to_signed(v.real, bits) : v.whole)
#define NATURAL(bits) (real ? to_unsigned(v.real, bits) : (uint64_t)v.whole)
    switch (type) {
    /* straight from the integer: by way of double it would round twice */
    case LC_FLOAT32: ((float *)p)[i] = real ? (float)x : from == LC_UINT64 ? (float)(uint64_t)v.whole : (float)v.whole; break;
    case LC_FLOAT64: ((double *)p)[i] = x; break;
    case LC_FLOAT16: ((uint16_t *)p)[i] = lc_float_to_half((float)x); break;
    case LC_BOOL: ((uint8_t *)p)[i] = real ? v.real != 0 : v.whole != 0; break;
    case LC_INT8: ((int8_t *)p)[i] = (int8_t)WHOLE(8); break;
    case LC_UINT8: ((uint8_t *)p)[i] = (uint8_t)NATURAL(8); break;
    case LC_INT16: ((int16_t *)p)[i] = (int16_t)WHOLE(16); break;
    case LC_UINT16: ((uint16_t *)p)[i] = (uint16_t)NATURAL(16); break;
    case LC_INT32: ((int32_t *)p)[i] = (int32_t)WHOLE(32); break;
    case LC_UINT32: ((uint32_t *)p)[i] = (uint32_t)NATURAL(32); break;
    case LC_INT64: ((int64_t *)p)[i] = WHOLE(64); break;
    default: ((uint64_t *)p)[i] = NATURAL(64); break;
    }
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, TYPES));
    lc_dtype to = ctx->out[0]->type;
    return to >= 0 && to < LC_DTYPE_COUNT && (TYPES >> to & 1) ? LC_OK : lc_ref_refuse(ctx, to);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t n = lc_ref_elements(in);
    for (int64_t i = 0; i < n; i++) store(out->data, out->type, i, load(in->data, in->type, i), in->type);
    return LC_OK;
}

const lc_kernel lc_kernel_CAST = {prepare, run};
