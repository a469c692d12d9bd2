/*
 * cast_ref.c: CAST among the types of TYPES, each number by way of a double or an int64; and between float32 and the packed integers of 4
 * and 2 bits.
 *
 * Float to integer drops the fraction; what does not fit becomes the nearest number that does, NaN the highest one (C leaves both
 * undefined; this is LiteRT's choice). Integers to narrower integers keep the low bits. Anything not zero is true. Of a complex number
 * the real part is taken; a real number becomes a complex one without imaginary part.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include <math.h>

#define TYPES \
    (LC_T(FLOAT32) | LC_T(FLOAT64) | LC_T(FLOAT16) | LC_T(BOOL) | LC_T(INT8) | LC_T(UINT8) | LC_T(INT16) | LC_T(UINT16) | LC_T(INT32) | \
     LC_T(UINT32) | LC_T(INT64) | LC_T(UINT64) | LC_T(BFLOAT16) | LC_T(COMPLEX64))
#define PACKED (LC_T(INT4) | LC_T(UINT4) | LC_T(INT2))

/* A number on its way: a double when the source is a float, else an integer (uint64 keeps its bits). One loop over a part of the tensor
 * brings the source's type to this, another takes it to the target's. */
typedef union number {
    double real;
    int64_t whole;
} number;

static bool is_float(lc_dtype t) { return t == LC_FLOAT32 || t == LC_FLOAT64 || t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_COMPLEX64; }
typedef struct complex_pair {
    float re, im;
} complex_pair;

#define LOAD(T, member, expr) \
    for (int64_t i = 0; i < n; i++) { \
        const T x = ((const T *)p)[from + i]; \
        v[i].member = (expr); \
    } \
    break
static void load(const void *p, lc_dtype type, int64_t from, int64_t n, number *v) {
    switch (type) {
    case LC_FLOAT32: LOAD(float, real, x);
    case LC_FLOAT64: LOAD(double, real, x);
    case LC_FLOAT16: LOAD(uint16_t, real, lc_half_to_float(x));
    case LC_BFLOAT16: LOAD(uint16_t, real, lc_bfloat_to_float(x));
    case LC_COMPLEX64: LOAD(complex_pair, real, x.re);
    case LC_INT4:
    case LC_UINT4:
    case LC_INT2:
        for (int64_t i = 0; i < n; i++) v[i].whole = lc_int_at(p, type, from + i);
        break;
    case LC_BOOL: LOAD(uint8_t, whole, x != 0);
    case LC_INT8: LOAD(int8_t, whole, x);
    case LC_UINT8: LOAD(uint8_t, whole, x);
    case LC_INT16: LOAD(int16_t, whole, x);
    case LC_UINT16: LOAD(uint16_t, whole, x);
    case LC_INT32: LOAD(int32_t, whole, x);
    case LC_UINT32: LOAD(uint32_t, whole, x);
    case LC_INT64: LOAD(int64_t, whole, x);
    default: LOAD(uint64_t, whole, (int64_t)x);
    }
}

static int64_t to_signed(double x, int bits) {
    double limit = ldexp(1, bits - 1);
    if (isnan(x) || x >= limit) return (int64_t)((UINT64_C(1) << (bits - 1)) - 1);
    if (x <= -limit) return -(int64_t)((UINT64_C(1) << (bits - 1)) - 1) - 1;
    return (int64_t)x;
}

static uint64_t to_unsigned(double x, int bits) {
    if (x <= 0) return 0;
    if (isnan(x) || x >= ldexp(1, bits)) return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    return (uint64_t)x;
}

/* Straight from the integer: by way of double a float32 would round twice. */
#define STORE(T, from_real, from_whole) \
    for (int64_t i = 0; i < n; i++) ((T *)p)[to + i] = real ? (T)(from_real) : (T)(from_whole); \
    break
#define NUMBER(T) (from == LC_UINT64 ? (T)(uint64_t)v[i].whole : (T)v[i].whole)
#define WHOLE(T, bits) STORE(T, to_signed(v[i].real, bits), v[i].whole)
#define NATURAL(T, bits) STORE(T, to_unsigned(v[i].real, bits), (uint64_t)v[i].whole)
static void store(void *p, lc_dtype type, int64_t to, int64_t n, const number *v, lc_dtype from) {
    const bool real = is_float(from);
    switch (type) {
    case LC_FLOAT32: STORE(float, v[i].real, NUMBER(float));
    case LC_FLOAT64: STORE(double, v[i].real, NUMBER(double));
    case LC_FLOAT16: STORE(uint16_t, lc_float_to_half((float)v[i].real), lc_float_to_half(NUMBER(float)));
    case LC_BFLOAT16: STORE(uint16_t, lc_float_to_bfloat((float)v[i].real), lc_float_to_bfloat(NUMBER(float)));
    case LC_COMPLEX64:
        for (int64_t i = 0; i < n; i++) ((complex_pair *)p)[to + i] = (complex_pair){real ? (float)v[i].real : NUMBER(float), 0};
        break;
    case LC_INT4:
    case LC_UINT4:
    case LC_INT2: /* `to` is a multiple of the numbers in a byte */
        for (int64_t i = 0; i < n; i++) {
            const uint32_t bits = lc_dtype_bits(type), per = 8 / bits;
            const double low = type == LC_INT4 ? -8 : type == LC_INT2 ? -2 : 0, high = type == LC_INT4 ? 7 : type == LC_INT2 ? 1 : 15;
            const int32_t x = !(v[i].real < high) ? (int32_t)high : v[i].real < low ? (int32_t)low : (int32_t)v[i].real;
            uint8_t *byte = (uint8_t *)p + (to + i) / per;
            const uint32_t shift = (uint32_t)((to + i) % per) * bits;
            *byte = (uint8_t)((shift ? *byte : 0) | ((uint32_t)x & ((1u << bits) - 1)) << shift);
        }
        break;
    case LC_BOOL: STORE(uint8_t, v[i].real != 0, v[i].whole != 0);
    case LC_INT8: WHOLE(int8_t, 8);
    case LC_UINT8: NATURAL(uint8_t, 8);
    case LC_INT16: WHOLE(int16_t, 16);
    case LC_UINT16: NATURAL(uint16_t, 16);
    case LC_INT32: WHOLE(int32_t, 32);
    case LC_UINT32: NATURAL(uint32_t, 32);
    case LC_INT64: WHOLE(int64_t, 64);
    default: NATURAL(uint64_t, 64);
    }
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_dtype from = ctx->in[0]->type, to = ctx->out[0]->type;
    if (to < 0 || to >= LC_DTYPE_COUNT || !((from == LC_FLOAT32 ? TYPES | PACKED : TYPES) >> to & 1)) return lc_ref_refuse(ctx, to);
    return lc_ref_input(ctx, 0, to == LC_FLOAT32 ? TYPES | PACKED : TYPES);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t n = lc_ref_elements(in);
    enum { PART = 256 };
    if (in->type == LC_COMPLEX64 && out->type == LC_COMPLEX64) { /* the one pair of types with imaginary parts on both sides */
        lc_copy_elements(out->data, 1, in->data, 1, n, sizeof(complex_pair));
        return LC_OK;
    }
    number part[PART];
    for (int64_t at = 0; at < n; at += PART) {
        const int64_t m = n - at < PART ? n - at : PART;
        load(in->data, in->type, at, m, part);
        store(out->data, out->type, at, m, part, in->type);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_CAST = {.prepare = prepare, .run = run};
