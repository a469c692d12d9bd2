/*
 * tf_elementary.c: functions of one number: those that are a builtin, and those made of a few of them. What stays true: a relative error of
 * a few units in the last place over the whole range of float32, also where the obvious formula cancels (expm1, log1p, asinh, acosh near
 * their zeros) or overflows (sinh, cosh, asinh for arguments whose result still fits); NaN, infinities and ends of ranges as TensorFlow.
 *
 * Formulas are the usual ones (Abramowitz and Stegun, chapter 4); where they come from elsewhere it says so.
 */
#include "lower/tf_math.h"

#include <math.h>

#define LN2 0.69314718055994530942
#define HUGE_ENOUGH 1e9 /* from here on x x + 1 is x x in float32 */

void lc_tf_real_op(lc_tf_call *c, lc_tf_real_fn f) {
    const int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_is_complex(type)) {
        lc_tf_complex_op(c);
    } else if (!lc_tf_is_real(type)) {
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a floating-point type", lc_dtype_name(type));
    } else {
        const int32_t y = f(c, lc_tf_float32(c, x));
        lc_tf_give(c, 0, lc_tf_back(c, y, type));
    }
}

static int32_t builtin(lc_tf_call *c, int32_t x) { return lc_tf_unary(c, c->row->op, x); }

/* Exp, Log, Sqrt, Rsqrt, Sin, Cos, Floor, Ceil, Rint, Tanh: one operator. */
static int32_t perhaps_decided(lc_tf_call *c, int32_t x) {
    const int32_t y = lc_tf_decided(c, LC_OP_FLOOR, x, x);
    return y >= 0 ? y : builtin(c, x);
}
void lc_tf_op_real_builtin(lc_tf_call *c) { lc_tf_real_op(c, c->row->op == LC_OP_FLOOR ? perhaps_decided : builtin); }

#define OPERATOR(name, f) \
    void lc_tf_op_##name(lc_tf_call *c) { lc_tf_real_op(c, f); }

/* ---- exponential and logarithm ----------------------------------------------------------------------------------------- */

/* tanh(x / 2) (exp(x) + 1): each factor is good to a few units, and nothing is subtracted. */
int32_t lc_tf_expm1(lc_tf_call *c, int32_t x) {
    const int32_t t = lc_tf_unary(c, LC_OP_TANH, lc_tf_mul_with(c, x, 0.5));
    const int32_t e = lc_tf_add_with(c, lc_tf_unary(c, LC_OP_EXP, x), 1);
    return lc_tf_mul(c, t, e);
}

/* log(u) with u = x + 1 as it was rounded, and what the rounding lost, (x - (u - 1)) / u. Nothing was lost at infinity and at -1, where
 * that would be no number. */
int32_t lc_tf_log1p(lc_tf_call *c, int32_t x) {
    const int32_t u = lc_tf_add_with(c, x, 1), v = lc_tf_sub_with(c, u, 1), log = lc_tf_unary(c, LC_OP_LOG, u);
    const int32_t lost = lc_tf_div(c, lc_tf_sub(c, x, v), u), exact = lc_tf_equal(c, v, x);
    return lc_tf_choose(c, exact, log, lc_tf_add(c, log, lost));
}

OPERATOR(expm1, lc_tf_expm1)
OPERATOR(log1p, lc_tf_log1p)

/* ---- hyperbolic -------------------------------------------------------------------------------------------------------------- */

/* With p = exp(|x|) / 2, from two factors so that it overflows only where the result does: p + 1 / (4 p). */
int32_t lc_tf_cosh(lc_tf_call *c, int32_t x) {
    const int32_t half = lc_tf_mul_with(c, lc_tf_unary(c, LC_OP_ABS, x), 0.5), e = lc_tf_unary(c, LC_OP_EXP, half);
    const int32_t p = lc_tf_mul(c, lc_tf_mul_with(c, e, 0.5), e);
    return lc_tf_add(c, p, lc_tf_from(c, LC_OP_DIV, 0.25, p));
}

int32_t lc_tf_sinh(lc_tf_call *c, int32_t x) {
    const int32_t t = lc_tf_unary(c, LC_OP_TANH, x);
    return lc_tf_mul(c, t, lc_tf_cosh(c, x));
}

/* x's sign on a number that is not negative: -y where x < 0. */
static int32_t with_sign_of(lc_tf_call *c, int32_t x, int32_t y) {
    const int32_t negative = lc_tf_less_with(c, x, 0);
    return lc_tf_choose(c, negative, lc_tf_unary(c, LC_OP_NEG, y), y);
}

/* log1p(y), but log(x) + log(2) for large x, where y = 2 x would overflow. */
static int32_t log1p_or_log2x(lc_tf_call *c, int32_t y, int32_t x) {
    const int32_t near = lc_tf_log1p(c, y), far = lc_tf_add_with(c, lc_tf_unary(c, LC_OP_LOG, x), LN2);
    return lc_tf_choose(c, lc_tf_more_with(c, x, HUGE_ENOUGH), far, near);
}

/* log(a + sqrt(a a + 1)) of a = |x|, as log1p(a + a a / (1 + sqrt(a a + 1))). */
static int32_t asinh_of(lc_tf_call *c, int32_t x) {
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), square = lc_tf_unary(c, LC_OP_SQUARE, a);
    const int32_t root = lc_tf_unary(c, LC_OP_SQRT, lc_tf_add_with(c, square, 1));
    const int32_t more = lc_tf_div(c, square, lc_tf_add_with(c, root, 1));
    return with_sign_of(c, x, log1p_or_log2x(c, lc_tf_add(c, a, more), a));
}

/* log(x + sqrt(x x - 1)), as log1p(t + sqrt(t) sqrt(x + 1)) with t = x - 1. */
static int32_t acosh_of(lc_tf_call *c, int32_t x) {
    const int32_t t = lc_tf_sub_with(c, x, 1), low = lc_tf_unary(c, LC_OP_SQRT, t);
    const int32_t high = lc_tf_unary(c, LC_OP_SQRT, lc_tf_add_with(c, x, 1));
    return log1p_or_log2x(c, lc_tf_add(c, t, lc_tf_mul(c, low, high)), x);
}

/* log1p(2 a / (1 - a)) / 2 of a = |x|. */
static int32_t atanh_of(lc_tf_call *c, int32_t x) {
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), twice = lc_tf_add(c, a, a);
    const int32_t y = lc_tf_log1p(c, lc_tf_div(c, twice, lc_tf_from(c, LC_OP_SUB, 1, a)));
    return with_sign_of(c, x, lc_tf_mul_with(c, y, 0.5));
}

OPERATOR(cosh, lc_tf_cosh)
OPERATOR(sinh, lc_tf_sinh)
OPERATOR(asinh, asinh_of)
OPERATOR(acosh, acosh_of)
OPERATOR(atanh, atanh_of)

/* ---- trigonometric ------------------------------------------------------------------------------------------------------------- */

static int32_t tan_of(lc_tf_call *c, int32_t x) {
    const int32_t sin = lc_tf_unary(c, LC_OP_SIN, x);
    return lc_tf_div(c, sin, lc_tf_unary(c, LC_OP_COS, x));
}

/* ATAN2 wants both inputs in one shape. */
int32_t lc_tf_atan2(lc_tf_call *c, int32_t y, int32_t x) {
    lc_tf_match(c, &y, &x);
    return lc_tf_binary(c, LC_OP_ATAN2, y, x);
}

/* sqrt((1 - x) (1 + x)): the other leg where x is one and 1 the long side. */
static int32_t other_leg(lc_tf_call *c, int32_t x) {
    const int32_t low = lc_tf_from(c, LC_OP_SUB, 1, x), high = lc_tf_add_with(c, x, 1);
    return lc_tf_unary(c, LC_OP_SQRT, lc_tf_mul(c, low, high));
}

static int32_t asin_of(lc_tf_call *c, int32_t x) { return lc_tf_binary(c, LC_OP_ATAN2, x, other_leg(c, x)); }
static int32_t acos_of(lc_tf_call *c, int32_t x) { return lc_tf_binary(c, LC_OP_ATAN2, other_leg(c, x), x); }
/* x^0 is 1 in x's shape, whatever x is. */
static int32_t atan_of(lc_tf_call *c, int32_t x) { return lc_tf_binary(c, LC_OP_ATAN2, x, lc_tf_with(c, LC_OP_POW, x, 0)); }

OPERATOR(tan, tan_of)
OPERATOR(asin, asin_of)
OPERATOR(acos, acos_of)
OPERATOR(atan, atan_of)

/* ---- simple ones of any number --------------------------------------------------------------------------------------------------- */

/* A function of carried values: integers as they are. */
static void number_op(lc_tf_call *c, uint32_t types, lc_tf_real_fn f) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_ok(c) && lc_tf_is_complex(type)) {
        lc_tf_complex_op(c);
    } else if (lc_tf_can(c, 0, types)) {
        const int32_t y = f(c, lc_tf_carried(c, x, types));
        lc_tf_give(c, 0, lc_tf_land(c, y, type));
    }
}

/* ABS takes no int64: of two numbers one of which is the other's negative the larger one. */
static int32_t abs_of(lc_tf_call *c, int32_t x) {
    return lc_tf_type(c, x) == LC_INT64 ? lc_tf_most(c, x, lc_tf_unary(c, LC_OP_NEG, x)) : lc_tf_unary(c, LC_OP_ABS, x);
}
/* The square of a difference is one operator (variances). */
static int32_t square_of(lc_tf_call *c, int32_t x) {
    const lc_node *from = lc_tf_maker(c, x);
    if (lc_tf_type(c, x) != LC_FLOAT32) return lc_tf_mul(c, x, x);
    if (from && from->op == LC_OP_SUB && *lc_op_fused_act(from) == LC_ActivationFunctionType_NONE)
        return lc_tf_binary(c, LC_OP_SQUARED_DIFFERENCE, from->inputs[0], from->inputs[1]);
    return lc_tf_unary(c, LC_OP_SQUARE, x);
}
/* SIGN takes no int64: at most 1, at least -1. */
static int32_t sign_of(lc_tf_call *c, int32_t x) {
    return lc_tf_type(c, x) == LC_INT64 ? lc_tf_most_with(c, lc_tf_least_with(c, x, 1), -1) : lc_tf_unary(c, LC_OP_SIGN, x);
}
static int32_t round_of(lc_tf_call *c, int32_t x) { return lc_tf_type(c, x) == LC_FLOAT32 ? lc_tf_unary(c, LC_OP_ROUND, x) : x; }
static int32_t reciprocal_of(lc_tf_call *c, int32_t x) {
    if (lc_tf_type(c, x) != LC_INT64) return lc_tf_from(c, LC_OP_DIV, 1, x);
    return lc_tf_div_int64(c, lc_tf_scalar(c, 1, LC_INT64), x, false);
}

void lc_tf_op_abs(lc_tf_call *c) { number_op(c, LC_TF_COMMON, abs_of); }
void lc_tf_op_neg(lc_tf_call *c) { number_op(c, LC_TF_COMMON | LC_TF_WRAPS, builtin); }
void lc_tf_op_square(lc_tf_call *c) { number_op(c, LC_TF_COMMON | LC_TF_WRAPS, square_of); }
void lc_tf_op_sign(lc_tf_call *c) { number_op(c, LC_TF_COMMON, sign_of); }
void lc_tf_op_round(lc_tf_call *c) { number_op(c, LC_TF_COMMON, round_of); } /* to even at a half, as ROUND */
void lc_tf_op_reciprocal(lc_tf_call *c) { number_op(c, LC_TF_COMMON, reciprocal_of); }

/* ---- what kind of number ----------------------------------------------------------------------------------------------------------- */

/* float64's bits without the sign, as int64: a float32 would hide how large it is. */
static int32_t magnitude(lc_tf_call *c, int32_t x) {
    const int32_t bits = lc_tf_bits_as(c, x, LC_INT64), negative = lc_tf_less_with(c, bits, 0);
    return lc_tf_choose(c, negative, lc_tf_flip(c, bits), bits);
}
#define INFINITE_BITS 0x7ffp52 /* bits of float64's infinity; those of a NaN are more */

static void kind_op(lc_tf_call *c, int32_t op) {
    int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_is_real(type)) {
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a floating-point type", lc_dtype_name(type));
    } else if (type == LC_FLOAT64) {
        lc_tf_give(c, 0, lc_tf_with(c, op, magnitude(c, x), INFINITE_BITS));
    } else {
        x = lc_tf_float32(c, x);
        if (op == LC_OP_GREATER) lc_tf_give(c, 0, lc_tf_differ(c, x, x));
        else lc_tf_give(c, 0, lc_tf_with(c, op, lc_tf_unary(c, LC_OP_ABS, x), INFINITY));
    }
}

void lc_tf_op_is_nan(lc_tf_call *c) { kind_op(c, LC_OP_GREATER); }
void lc_tf_op_is_inf(lc_tf_call *c) { kind_op(c, LC_OP_EQUAL); }
void lc_tf_op_is_finite(lc_tf_call *c) { kind_op(c, LC_OP_LESS); }

/* ---- constants in a shape --------------------------------------------------------------------------------------------------------------
 */

static void filled_op(lc_tf_call *c, double value) {
    const int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_is_complex(type)) lc_tf_complex_op(c);
    else if (!lc_dtype_bits(type)) lc_tf_missing(c, "%s tensors have no zero", lc_dtype_name(type));
    else lc_tf_give(c, 0, lc_tf_filled_like(c, x, value, type));
}

void lc_tf_op_zeros_like(lc_tf_call *c) { filled_op(c, 0); }
void lc_tf_op_ones_like(lc_tf_call *c) { filled_op(c, 1); }
