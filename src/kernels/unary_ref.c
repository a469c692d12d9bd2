/*
 * unary_ref.c: one number in, one number out; output and input may be the same memory. One row of `rows` an operator and type;
 * quantised int8 and int16 are in unary_quant.c. The 16-bit floats are computed in float32.
 * ROUND goes to the nearest even number at a half, whatever the floating-point mode; integers wrap.
 */
#include "kernels/elementwise.h"
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
MAP(abs, int16_t, (int16_t)(x < 0 ? -x : x))
MAP(neg, int16_t, (int16_t)-x)
MAP(neg, int8_t, (int8_t)-x)
MAP(sign, double, isnan(x) ? x : (double)SIGN_OF(x))

static const struct {
    int32_t op;
    lc_dtype type;
    map_fn map;
} rows[] = {
#define FLOAT(ID, name) \
    { LC_OP_##ID, LC_FLOAT32, name##_float }
#define ALL(ID, name) \
    FLOAT(ID, name), {LC_OP_##ID, LC_INT32, name##_int32_t}, { LC_OP_##ID, LC_INT64, name##_int64_t }
    ALL(ABS, abs),
    ALL(NEG, neg),
    ALL(SQUARE, square),
    ALL(SIGN, sign),
    FLOAT(SQRT, sqrt),
    FLOAT(RSQRT, rsqrt),
    FLOAT(EXP, exp),
    FLOAT(LOG, log),
    FLOAT(SIN, sin),
    FLOAT(COS, cos),
    FLOAT(FLOOR, floor),
    FLOAT(CEIL, ceil),
    FLOAT(ROUND, round),
    {LC_OP_SIGN, LC_FLOAT64, sign_double},
    {LC_OP_ABS, LC_INT16, abs_int16_t},
    {LC_OP_NEG, LC_INT16, neg_int16_t},
    {LC_OP_NEG, LC_INT8, neg_int8_t},
};

/* The operators that have a kernel for a 16-bit float: the float32 one, on parts. */
static const struct {
    int32_t op;
    lc_dtype type;
} halves[] = {
#define HALVES(ID) \
    {LC_OP_##ID, LC_FLOAT16}, { LC_OP_##ID, LC_BFLOAT16 }
    HALVES(NEG), HALVES(FLOOR), HALVES(ROUND), {LC_OP_SIN, LC_FLOAT16}, {LC_OP_COS, LC_FLOAT16},
};

static map_fn find(int32_t op, lc_dtype type) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == op && rows[i].type == type) return rows[i].map;
    return NULL;
}

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_input(ctx, 0, 1u << ctx->in[0]->type); }

static lc_status run(lc_kernel_ctx *ctx) {
    find(ctx->node->op, ctx->in[0]->type)(ctx->out[0]->data, ctx->in[0]->data, lc_ref_elements(ctx->in[0]));
    return LC_OK;
}

static lc_status run_half(lc_kernel_ctx *ctx) {
    const map_fn map = find(ctx->node->op, LC_FLOAT32);
    const lc_value *in = ctx->in[0];
    const int64_t n = lc_ref_elements(in);
    float part[LC_REAL_PART];
    for (int64_t at = 0; at < n; at += LC_REAL_PART) {
        const int64_t m = n - at < LC_REAL_PART ? n - at : LC_REAL_PART;
        lc_real_load(in->data, in->type, at, 1, m, part);
        map(part, part, m);
        lc_real_store(ctx->out[0]->data, in->type, at, m, part);
    }
    return LC_OK;
}

static const lc_kernel plain = {.prepare = prepare, .run = run}, half = {.prepare = prepare, .run = run_half};

/* Of the integers of up to 16 bits NEG takes the numbers as they are, and ABS those of an int16 tensor without scale. */
static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const int32_t op = ctx->node->op;
    const lc_dtype type = ctx->in[0]->type;
    const bool scaled = op == LC_OP_ABS || op == LC_OP_SQRT || op == LC_OP_RSQRT || op == LC_OP_EXP || op == LC_OP_LOG;
    if (scaled && (type == LC_INT8 || (type == LC_INT16 && (op != LC_OP_ABS || lc_quant_has(ctx->in[0]))))) return &lc_unary_quant;
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        if (halves[i].op == op && halves[i].type == type) return &half;
    return find(op, type) ? &plain : NULL;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {.choose = choose};
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
