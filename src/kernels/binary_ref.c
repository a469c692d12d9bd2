/*
 * binary_ref.c: arithmetic on two tensors that broadcast, a fused activation after it. One row of `rows` a type and operator.
 *
 * Integers wrap. Integer division rounds towards zero and refuses a zero divisor at run time, as LiteRT does; so does an integer
 * power with a negative exponent. FLOOR_DIV and FLOOR_MOD round down; the remainder has the divisor's sign.
 * RIGHT_SHIFT keeps the sign and takes a count below 0 as 0, one of the type's width or more as width - 1 (LiteRT).
 */
#include "kernels/ref.h"
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
/* Integer arithmetic in the unsigned type: wraps instead of being undefined. */
#define WRAP32(e) ((int32_t)(uint32_t)(e))
#define WRAP64(e) ((int64_t)(uint64_t)(e))
#define U(x) ((uint64_t)(x))

static int64_t floor_div(int64_t a, int64_t b) {
    int64_t q = b == -1 ? WRAP64(0 - U(a)) : a / b;
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
static float float_floor_mod(float a, float b) {
    float r = fmodf(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

ROW(add, float, a + b)
ROW(sub, float, a - b)
ROW(mul, float, a * b)
ROW(div, float, a / b)
ROW(max, float, a > b ? a : b)
ROW(min, float, a < b ? a : b)
ROW(pow, float, powf(a, b))
ROW(sqd, float, (a - b) * (a - b))
ROW(fdiv, float, floorf(a / b))
ROW(fmod, float, float_floor_mod(a, b))
#define INTEGER_ROWS(T, WRAP) \
    ROW(add, T, WRAP(U(a) + U(b))) \
    ROW(sub, T, WRAP(U(a) - U(b))) \
    ROW(mul, T, WRAP(U(a) * U(b))) \
    ROW(div, T, b == -1 ? WRAP(0 - U(a)) : a / b) \
    ROW(max, T, a > b ? a : b) \
    ROW(min, T, a < b ? a : b) \
    ROW(pow, T, WRAP(power(U(a), U(b)))) \
    ROW(sqd, T, WRAP((U(a) - U(b)) * (U(a) - U(b)))) \
    ROW(fdiv, T, WRAP(U(floor_div(a, b)))) \
    ROW(fmod, T, (T)floor_mod(a, b))
INTEGER_ROWS(int32_t, WRAP32)
INTEGER_ROWS(int64_t, WRAP64)

ROW(atan2, float, atan2f(a, b))
static int shift_by(int64_t by, int width) { return by < 0 ? 0 : by >= width ? width - 1 : (int)by; }
#define BIT_ROWS(T) ROW(xor, T, (T)(a ^ b)) ROW(shift, T, (T)(a >> shift_by(b, 8 * (int)sizeof(T))))
BIT_ROWS(int8_t)
BIT_ROWS(uint8_t)
BIT_ROWS(int16_t)
BIT_ROWS(uint16_t)
BIT_ROWS(int32_t)
BIT_ROWS(uint32_t)

/* What the second operand of an integer operation must not hold. */
typedef enum guard { ANY_NUMBER, NO_ZERO, NO_NEGATIVE } guard;

static const struct {
    int32_t op;
    lc_dtype type;
    row_fn row;
    guard guard;
} rows[] = {
#define OP(ID, name, g) \
    {LC_OP_##ID, LC_FLOAT32, name##_float, ANY_NUMBER}, {LC_OP_##ID, LC_INT32, name##_int32_t, g}, \
    {LC_OP_##ID, LC_INT64, name##_int64_t, g},
    OP(ADD, add, ANY_NUMBER) OP(SUB, sub, ANY_NUMBER) OP(MUL, mul, ANY_NUMBER) OP(DIV, div, NO_ZERO)
    OP(MAXIMUM, max, ANY_NUMBER) OP(MINIMUM, min, ANY_NUMBER) OP(POW, pow, NO_NEGATIVE) OP(SQUARED_DIFFERENCE, sqd, ANY_NUMBER)
    OP(FLOOR_DIV, fdiv, NO_ZERO) OP(FLOOR_MOD, fmod, NO_ZERO)
    {LC_OP_ATAN2, LC_FLOAT32, atan2_float, ANY_NUMBER},
#define BITS(ID, name) \
    {LC_OP_##ID, LC_INT8, name##_int8_t, ANY_NUMBER}, {LC_OP_##ID, LC_UINT8, name##_uint8_t, ANY_NUMBER}, \
    {LC_OP_##ID, LC_INT16, name##_int16_t, ANY_NUMBER}, {LC_OP_##ID, LC_UINT16, name##_uint16_t, ANY_NUMBER}, \
    {LC_OP_##ID, LC_INT32, name##_int32_t, ANY_NUMBER}, {LC_OP_##ID, LC_UINT32, name##_uint32_t, ANY_NUMBER}
    BITS(BITWISE_XOR, xor), BITS(RIGHT_SHIFT, shift),
};

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
    if (!s->row) return lc_ref_refuse(ctx, ctx->in[0]->type);
    LC_TRY(lc_ref_inputs(ctx, 0, 1u << ctx->in[0]->type));
    const int8_t *activation = lc_op_fused_act(ctx->node);
    s->activation = activation ? *activation : LC_ActivationFunctionType_NONE;
    float low, high;
    if (ctx->in[0]->type != LC_FLOAT32 && !lc_activation_range(s->activation, &low, &high))
        return LC_FAIL(ctx->err, LC_UNSUPPORTED, "fused activation %d on %s", s->activation, lc_dtype_name(ctx->in[0]->type));
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
    for (int64_t i = 0; g != ANY_NUMBER && i < n; i++) {
        int64_t v = b->type == LC_INT32 ? ((const int32_t *)b->data)[i] : ((const int64_t *)b->data)[i];
        if (g == NO_ZERO && v == 0)
            return LC_FAIL(ctx->err, LC_INVALID, "%s by zero (element %lld)", lc_op_name(ctx->node->op), (long long)i);
        if (g == NO_NEGATIVE && v < 0)
            return LC_FAIL(ctx->err, LC_INVALID, "POW of %s with a negative exponent (element %lld)", lc_dtype_name(b->type),
                           (long long)i);
    }
    return LC_OK;
}

#define CLAMP(T) \
    for (int64_t i = 0; i < n; i++) { \
        T *x = (T *)out + i; \
        if (*x < low) *x = low; \
        if (high > 0 && *x > high) *x = high; \
    }
static void activate_integers(void *out, int64_t n, lc_dtype type, int8_t activation) {
    int32_t low = activation == LC_ActivationFunctionType_RELU_N1_TO_1 ? -1 : 0; /* high 0: none */
    int32_t high = activation == LC_ActivationFunctionType_RELU_N1_TO_1 ? 1
                   : activation == LC_ActivationFunctionType_RELU6      ? 6
                                                                        : 0;
    if (activation == LC_ActivationFunctionType_NONE) return;
    if (type == LC_INT32) CLAMP(int32_t)
    else CLAMP(int64_t)
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
    if (a->type == LC_FLOAT32) lc_ref_activate((float *)(void *)out, lc_ref_elements(ctx->out[0]), s->activation);
    else activate_integers(out, lc_ref_elements(ctx->out[0]), a->type, s->activation);
    return LC_OK;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {prepare, run};
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
