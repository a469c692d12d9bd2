/*
 * unary_ref.c: one number in, one number out; output and input may be the same memory. One row of `rows` an operator and type.
 * ROUND goes to the nearest even number at a half, whatever the floating-point mode; integers wrap.
 */
#include "kernels/ref.h"
#include <math.h>

typedef void (*map_fn)(void *out, const void *in, int64_t n);

#define MAP(name, T, expr) \
    static void name##_##T(void *out_, const void *in_, int64_t n) { \
        for (int64_t i = 0; i < n; i++) { \
            T x = ((const T *)in_)[i]; \
            ((T *)out_)[i] = (expr); \
        } \
    }

static float half_even(float x) {
    float low = floorf(x), rest = x - low;
    if (rest < 0.5f) return copysignf(low, x);
    if (rest > 0.5f) return copysignf(low + 1, x);
    return copysignf(fmodf(low, 2) == 0 ? low : low + 1, x);
}

MAP(abs, float, fabsf(x))
MAP(neg, float, -x)
MAP(square, float, x *x)
MAP(sqrt, float, sqrtf(x))
MAP(rsqrt, float, 1 / sqrtf(x))
MAP(exp, float, expf(x))
MAP(log, float, logf(x))
MAP(sin, float, sinf(x))
MAP(cos, float, cosf(x))
MAP(floor, float, floorf(x))
MAP(ceil, float, ceilf(x))
MAP(round, float, isfinite(x) ? half_even(x) : x)
#define SIGN_OF(x) (x > 0 ? 1 : x < 0 ? -1 : 0)
MAP(sign, float, isnan(x) ? x : (float)SIGN_OF(x))
#define U(x) ((uint64_t)(x))
#define INTEGER(T) \
    MAP(abs, T, (T)(x < 0 ? 0 - U(x) : U(x))) \
    MAP(neg, T, (T)(0 - U(x))) \
    MAP(square, T, (T)(U(x) * U(x))) \
    MAP(sign, T, (T)SIGN_OF(x))
INTEGER(int32_t)
INTEGER(int64_t)

static const struct {
    int32_t op;
    lc_dtype type;
    map_fn map;
} rows[] = {
#define FLOAT(ID, name) {LC_OP_##ID, LC_FLOAT32, name##_float}
#define ALL(ID, name) FLOAT(ID, name), {LC_OP_##ID, LC_INT32, name##_int32_t}, {LC_OP_##ID, LC_INT64, name##_int64_t}
    ALL(ABS, abs), ALL(NEG, neg), ALL(SQUARE, square), ALL(SIGN, sign),
    FLOAT(SQRT, sqrt), FLOAT(RSQRT, rsqrt), FLOAT(EXP, exp), FLOAT(LOG, log), FLOAT(SIN, sin), FLOAT(COS, cos),
    FLOAT(FLOOR, floor), FLOAT(CEIL, ceil), FLOAT(ROUND, round),
};

static map_fn find(const lc_kernel_ctx *ctx) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) return rows[i].map;
    return NULL;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    if (!find(ctx)) return lc_ref_refuse(ctx, ctx->in[0]->type);
    return lc_ref_input(ctx, 0, 1u << ctx->in[0]->type);
}

static lc_status run(lc_kernel_ctx *ctx) {
    find(ctx)(ctx->out[0]->data, ctx->in[0]->data, lc_ref_elements(ctx->in[0]));
    return LC_OK;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {prepare, run};
KERNEL(ABS)
KERNEL(NEG)
KERNEL(SQUARE)
KERNEL(SQRT)
KERNEL(RSQRT)
KERNEL(EXP)
KERNEL(LOG)
KERNEL(SIN)
KERNEL(COS)
KERNEL(FLOOR)
KERNEL(CEIL)
KERNEL(ROUND)
KERNEL(SIGN)
