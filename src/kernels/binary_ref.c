/*
 * binary_ref.c: arithmetic on two tensors that broadcast, a fused activation after it. One row of `rows` a type and operator; quantised
 * integers are in binary_quant.c. The 16-bit floats are computed in float32 and rounded once.
 *
 * Integers wrap, but for DIV of the lowest by -1. Integer division rounds towards zero and refuses a zero divisor at run time, as LiteRT
 * does; so does an integer power with a negative exponent. FLOOR_DIV and FLOOR_MOD round down; the remainder has the divisor's sign.
 * RIGHT_SHIFT keeps the sign and takes a count below 0 as 0, one of the type's width or more as width - 1 (LiteRT).
 */
#include "kernels/elementwise.h"
#include <math.h>

typedef void (*row_fn)(void *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n);

#define ROW(name, T, expr) \
    static void name##_##T(void *out_, const void *a_, int64_t sa, const void *b_, int64_t sb, int64_t n) { \
        T *out = out_; \
        for (int64_t i = 0; i < n; i++) { \
            T a = ((const T *)a_)[i * sa], b = ((const T *)b_)[i * sb]; \
            out[i] = (expr); \
        } \
    }
/* The same for a 16-bit float. */
#define ROW16(name, KIND, expr) \
    static void name##_##KIND(void *out_, const void *a_, int64_t sa, const void *b_, int64_t sb, int64_t n) { \
        uint16_t *out = out_; \
        for (int64_t i = 0; i < n; i++) { \
            const float a = lc_##KIND##_to_float(((const uint16_t *)a_)[i * sa]), \
                        b = lc_##KIND##_to_float(((const uint16_t *)b_)[i * sb]); \
            out[i] = lc_float_to_##KIND(expr); \
        } \
    }
/* Integer arithmetic in the unsigned type: wraps instead of being undefined. */
#define U(x) ((uint64_t)(x))

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = b == -1 ? (int64_t)(0 - U(a)) : a / b;
    return b != -1 && a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
static int64_t floor_mod(int64_t a, int64_t b) {
    int64_t r = b == -1 ? 0 : a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
static uint64_t power(uint64_t x, uint64_t e) {
    uint64_t r = 1;
    for (; e; e >>= 1, x *= x)
        if (e & 1) r *= x;
    return r;
}
static float float_floor_div(float a, float b) { return (float)floor((double)a / (double)b); }
static float float_floor_mod(float a, float b) {
    float r = fmodf(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

ROW(add, float, a + b)
ROW(sub, float, a - b)
ROW(mul, float, a *b)
ROW(div, float, a / b)
ROW(max, float, a > b ? a : b)
ROW(min, float, a < b ? a : b)
ROW(pow, float, powf(a, b))
ROW(sqd, float, (a - b) * (a - b))
ROW(fdiv, float, float_floor_div(a, b))
ROW(fmod, float, float_floor_mod(a, b))
ROW(atan2, float, atan2f(a, b))
ROW(atan2, double, atan2(a, b))

ROW16(add, half, a + b)
ROW16(mul, half, a *b)
#define ROWS16(KIND) ROW16(max, KIND, a > b ? a : b) ROW16(min, KIND, a < b ? a : b) ROW16(atan2, KIND, atan2f(a, b))
ROWS16(half)
ROWS16(bfloat)

typedef struct complex_pair {
    float re, im;
} complex_pair;
static void mul_complex(void *out_, const void *a_, int64_t sa, const void *b_, int64_t sb, int64_t n) {
    complex_pair *out = out_;
    for (int64_t i = 0; i < n; i++) {
        const complex_pair a = ((const complex_pair *)a_)[i * sa], b = ((const complex_pair *)b_)[i * sb];
        out[i] = (complex_pair){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
    }
}

/* What the second operand of an integer operation must not hold. */
typedef enum guard { ANY_NUMBER, NO_ZERO, NO_NEGATIVE } guard;

static int shift_by(int64_t by, int width) { return by < 0 ? 0 : by >= width ? width - 1 : (int)by; }

/* The lowest number by -1 is the highest, as in LiteRT. */
#define LOWEST(T) (sizeof(T) == 4 ? INT32_MIN : INT64_MIN)

/* clang-format off */
#define SUMS(T) ROW(add, T, (T)(U(a) + U(b))) ROW(mul, T, (T)(U(a) * U(b)))
#define ORDER(T) ROW(max, T, a > b ? a : b) ROW(min, T, a < b ? a : b)
#define FLOORS(T) ROW(fdiv, T, (T)floor_div(a, b)) ROW(fmod, T, (T)floor_mod(a, b))
#define OTHERS(T) \
    ROW(sub, T, (T)(U(a) - U(b))) \
    ROW(div, T, b != -1 ? a / b : a == LOWEST(T) ? (T)(-1 - LOWEST(T)) : -a) \
    ROW(pow, T, (T)power(U(a), U(b))) \
    ROW(sqd, T, (T)((U(a) - U(b)) * (U(a) - U(b))))
#define BIT_ROWS(T) ROW(xor, T, (T)(a ^ b)) ROW(shift, T, (T)(a >> shift_by(b, 8 * (int)sizeof(T))))
SUMS(int16_t) SUMS(int32_t) SUMS(int64_t)
ROW(mul, uint32_t, (uint32_t)(U(a) * U(b)))
ORDER(int8_t) ORDER(uint8_t) ORDER(int16_t) ORDER(int32_t) ORDER(int64_t)
FLOORS(int8_t) FLOORS(int16_t) FLOORS(int32_t) FLOORS(int64_t)
OTHERS(int32_t) OTHERS(int64_t)
BIT_ROWS(int8_t) BIT_ROWS(uint8_t) BIT_ROWS(int16_t) BIT_ROWS(uint16_t) BIT_ROWS(int32_t) BIT_ROWS(uint32_t)

static const struct {
    int32_t op;
    lc_dtype type;
    row_fn row;
    guard guard;
} rows[] = {
#define FLOAT(ID, name) \
    { LC_OP_##ID, LC_FLOAT32, name##_float, ANY_NUMBER }
#define WIDE(ID, name, g) \
    FLOAT(ID, name), {LC_OP_##ID, LC_INT32, name##_int32_t, g}, { LC_OP_##ID, LC_INT64, name##_int64_t, g }
#define NARROW(ID, name, g) \
    {LC_OP_##ID, LC_INT8, name##_int8_t, g}, { LC_OP_##ID, LC_INT16, name##_int16_t, g }
#define HALVES(ID, name) \
    {LC_OP_##ID, LC_FLOAT16, name##_half, ANY_NUMBER}, { LC_OP_##ID, LC_BFLOAT16, name##_bfloat, ANY_NUMBER }
#define BITS(ID, name) \
    NARROW(ID, name, ANY_NUMBER), {LC_OP_##ID, LC_UINT8, name##_uint8_t, ANY_NUMBER}, \
        {LC_OP_##ID, LC_UINT16, name##_uint16_t, ANY_NUMBER}, {LC_OP_##ID, LC_INT32, name##_int32_t, ANY_NUMBER}, { \
        LC_OP_##ID, LC_UINT32, name##_uint32_t, ANY_NUMBER \
    }
    WIDE(ADD, add, ANY_NUMBER),
    {LC_OP_ADD, LC_INT16, add_int16_t, ANY_NUMBER},
    {LC_OP_ADD, LC_FLOAT16, add_half, ANY_NUMBER},
    WIDE(MUL, mul, ANY_NUMBER),
    {LC_OP_MUL, LC_INT16, mul_int16_t, ANY_NUMBER},
    {LC_OP_MUL, LC_FLOAT16, mul_half, ANY_NUMBER},
    {LC_OP_MUL, LC_UINT32, mul_uint32_t, ANY_NUMBER},
    {LC_OP_MUL, LC_COMPLEX64, mul_complex, ANY_NUMBER},
    WIDE(SUB, sub, ANY_NUMBER),
    WIDE(DIV, div, NO_ZERO),
    WIDE(POW, pow, NO_NEGATIVE),
    WIDE(SQUARED_DIFFERENCE, sqd, ANY_NUMBER),
    WIDE(MAXIMUM, max, ANY_NUMBER),
    NARROW(MAXIMUM, max, ANY_NUMBER),
    {LC_OP_MAXIMUM, LC_UINT8, max_uint8_t, ANY_NUMBER},
    HALVES(MAXIMUM, max),
    WIDE(MINIMUM, min, ANY_NUMBER),
    NARROW(MINIMUM, min, ANY_NUMBER),
    {LC_OP_MINIMUM, LC_UINT8, min_uint8_t, ANY_NUMBER},
    HALVES(MINIMUM, min),
    WIDE(FLOOR_DIV, fdiv, NO_ZERO),
    NARROW(FLOOR_DIV, fdiv, NO_ZERO),
    WIDE(FLOOR_MOD, fmod, NO_ZERO),
    NARROW(FLOOR_MOD, fmod, NO_ZERO),
    FLOAT(ATAN2, atan2),
    {LC_OP_ATAN2, LC_FLOAT64, atan2_double, ANY_NUMBER},
    HALVES(ATAN2, atan2),
    BITS(BITWISE_XOR, xor),
    BITS(RIGHT_SHIFT, shift),
};
/* clang-format on */

typedef struct state {
    row_fn row;
    guard guard;
    int8_t activation;
    lc_nd nd; /* operand 0: out, 1 and 2: inputs */
} state;

static lc_status prepare(lc_kernel_ctx *ctx) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) {
            s->row = rows[i].row;
            s->guard = rows[i].guard;
        }
    LC_TRY(lc_ref_inputs(ctx, 0, 1u << ctx->in[0]->type));
    const int8_t *activation = lc_op_fused_act(ctx->node);
    s->activation = activation ? *activation : LC_ActivationFunctionType_NONE;
    float low, high;
    const bool any = s->activation == LC_ActivationFunctionType_NONE || ctx->in[0]->type == LC_FLOAT32;
    if (!any && (ctx->in[0]->type == LC_COMPLEX64 || !lc_activation_range(s->activation, &low, &high)))
        return lc_fail(ctx->err, LC_UNSUPPORTED, "fused activation %d on %s", s->activation, lc_dtype_name(ctx->in[0]->type));
    lc_nd_init(&s->nd, &ctx->out[0]->shape);
    lc_nd_operand(&s->nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&s->nd, 1, &ctx->in[0]->shape);
    lc_nd_operand(&s->nd, 2, &ctx->in[1]->shape);
    lc_nd_simplify(&s->nd);
    return LC_OK;
}

static lc_status check_guard(lc_kernel_ctx *ctx, guard g) {
    const lc_value *b = ctx->in[1];
    int64_t n = lc_ref_elements(b);
    for (int64_t i = 0; g != ANY_NUMBER && b->type != LC_FLOAT32 && i < n; i++) {
        const int64_t v = b->type == LC_INT64 ? ((const int64_t *)b->data)[i] : lc_int_at(b->data, b->type, i);
        if (g == NO_ZERO && v == 0)
            return lc_fail(ctx->err, LC_INVALID, "%s by zero (element %lld)", lc_op_name(ctx->node->op), (long long)i);
        if (g == NO_NEGATIVE && v < 0)
            return lc_fail(ctx->err, LC_INVALID, "POW of %s with a negative exponent (element %lld)", lc_dtype_name(b->type), (long long)i);
    }
    return LC_OK;
}

#define CLAMP(T) \
    for (int64_t i = 0; i < n; i++) { \
        T *x = (T *)out + i; \
        if ((int64_t)*x < low) *x = (T)low; \
        if (high > 0 && (int64_t)*x > high) *x = (T)high; \
    }
static void activate_integers(void *out, int64_t n, lc_dtype type, int8_t activation) {
    const int64_t low = activation == LC_ActivationFunctionType_RELU_N1_TO_1 ? -1 : 0; /* high 0: none */
    const int64_t high = activation == LC_ActivationFunctionType_RELU_N1_TO_1 ? 1 : activation == LC_ActivationFunctionType_RELU6 ? 6 : 0;
    if (activation == LC_ActivationFunctionType_NONE) return;
    if (type == LC_INT16) CLAMP(int16_t)
    else if (type == LC_INT32) CLAMP(int32_t)
    else if (type == LC_INT64) CLAMP(int64_t)
    else if (type == LC_UINT32) CLAMP(uint32_t)
}

/* The fused activation of a finished output. */
static void activate(const lc_value *out, int8_t activation) {
    const int64_t n = lc_ref_elements(out);
    if (out->type == LC_FLOAT32) {
        lc_ref_activate(out->data, n, activation);
    } else if (out->type == LC_FLOAT16 || out->type == LC_BFLOAT16) {
        float part[LC_REAL_PART];
        for (int64_t at = 0; activation != LC_ActivationFunctionType_NONE && at < n; at += LC_REAL_PART) {
            const int64_t m = n - at < LC_REAL_PART ? n - at : LC_REAL_PART;
            lc_real_load(out->data, out->type, at, 1, m, part);
            lc_ref_activate(part, m, activation);
            lc_real_store(out->data, out->type, at, m, part);
        }
    } else {
        activate_integers(out->data, n, out->type, activation);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *a = ctx->in[0], *b = ctx->in[1];
    char *out = ctx->out[0]->data;
    size_t width = lc_ref_width(a);
    LC_TRY(check_guard(ctx, s->guard));
    for (lc_nd_walk w = lc_nd_begin(&s->nd); !w.done; lc_nd_next(&s->nd, &w))
        s->row(out + (size_t)w.at[0] * width, (const char *)a->data + (size_t)w.at[1] * width, lc_nd_step(&s->nd, 1),
               (const char *)b->data + (size_t)w.at[2] * width, lc_nd_step(&s->nd, 2), lc_nd_row(&s->nd));
    activate(ctx->out[0], s->activation);
    return LC_OK;
}

static const lc_kernel plain = {.prepare = prepare, .run = run};

/* int8 and uint8 arithmetic is quantised; int16 arithmetic is when a tensor says so. The operators that do not calculate take the numbers
 * as they are. */
static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_value *a = ctx->in[0], *b = ctx->in[1], *out = ctx->out[0];
    const bool narrow = a->type == LC_INT8 || a->type == LC_UINT8 || lc_quant_has(a) || lc_quant_has(b) || lc_quant_has(out);
    if (narrow && a->type == b->type && lc_binary_quant_has(ctx->node->op, a->type, out->type)) return &lc_binary_quant;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == a->type && out->type == a->type) return &plain;
    return NULL;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {.choose = choose};
KERNEL(ADD)
KERNEL(SUB)
KERNEL(MUL)
KERNEL(DIV)
KERNEL(MAXIMUM)
KERNEL(MINIMUM)
KERNEL(POW)
KERNEL(SQUARED_DIFFERENCE)
KERNEL(FLOOR_DIV)
KERNEL(FLOOR_MOD)
KERNEL(ATAN2)
KERNEL(BITWISE_XOR)
KERNEL(RIGHT_SHIFT)
