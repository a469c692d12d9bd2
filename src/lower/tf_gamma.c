/*
 * tf_gamma.c: the logarithm of the gamma function, its derivatives, and Hurwitz's zeta function.
 *
 * Arguments below 1/2 (1 for digamma) are lifted by 1, negative ones reflected: Abramowitz and Stegun 6.1.17, 6.3.7; large ones take
 * Stirling's series with fitted coefficients. Fits are made as in tf_special.c; each has its error beside it. Near the zeros of a function
 * at negative arguments the error is absolute, of about 1e-6.
 *
 * Zeta is Euler and Maclaurin's sum: 10 terms, the integral of the rest, and Bernoulli's corrections (23.1.30). Of q below 0, where
 * TensorFlow has values for whole s only, it is NaN (infinite at whole q, as there).
 */
#include "lower/tf_math.h"

#include <math.h>

#define PI 3.14159265358979323846
#define LOG_PI 1.14472988584940017414
#define HALF_LOG_2PI 0.91893853320467274178

/* ---- log |gamma(x)| ------------------------------------------------------------------------------------------------------ */

/* What Stirling's formula lacks, S(1 / x^2) / x from 3 on; error 2e-8 / x. */
int32_t lc_tf_stirling(lc_tf_call *c, int32_t x) {
    static const double S[] = {7.093722875e-04, -2.774474181e-03, 8.333331381e-02};
    const int32_t inverse = lc_tf_from(c, LC_OP_DIV, 1, x), series = LC_TF_POLYNOMIAL(c, lc_tf_unary(c, LC_OP_SQUARE, inverse), S);
    return lc_tf_mul(c, series, inverse);
}

/* From 1/2 up: (x - 1)(x - 2) P(x) / Q(x) to 3, error 8.1e-9; then (x - 1/2)(log(x) - 1) - 1/2 + log(2 pi) / 2 and Stirling's rest. */
static int32_t lgamma_from_half(lc_tf_call *c, int32_t x) {
    static const double P[] = {5.312034580e-02, 5.034175441e+00, 2.382740485e+01, 1.845379852e+01, 2.136844706e+00},
                        Q[] = {1.939982486e+00, 2.176247863e+01, 4.339281045e+01, 1.767049539e+01, 1};
    const int32_t up = LC_TF_POLYNOMIAL(c, x, P), ratio = lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, x, Q));
    const int32_t one = lc_tf_sub_with(c, x, 1), zeros = lc_tf_mul(c, one, lc_tf_sub_with(c, x, 2));
    const int32_t near = lc_tf_mul(c, zeros, ratio);
    const int32_t log = lc_tf_sub_with(c, lc_tf_unary(c, LC_OP_LOG, x), 1);
    const int32_t main = lc_tf_mul(c, lc_tf_sub_with(c, x, 0.5), log);
    const int32_t level = lc_tf_add_with(c, main, HALF_LOG_2PI - 0.5), far = lc_tf_add(c, level, lc_tf_stirling(c, x));
    return lc_tf_choose(c, lc_tf_less_with(c, x, 3), near, far);
}

/* x less the nearest whole number. */
static int32_t off_whole(lc_tf_call *c, int32_t x) { return lc_tf_sub(c, x, lc_tf_unary(c, LC_OP_ROUND, x)); }

int32_t lc_tf_lgamma_positive(lc_tf_call *c, int32_t x) {
    const int32_t small = lc_tf_less_with(c, x, 0.5), log = lc_tf_unary(c, LC_OP_LOG, x);
    const int32_t lifted = lgamma_from_half(c, lc_tf_choose(c, small, lc_tf_add_with(c, x, 1), x));
    return lc_tf_sub(c, lifted, lc_tf_choose_else(c, small, log, 0));
}

static int32_t lgamma_of(lc_tf_call *c, int32_t x) {
    x = lc_tf_from(c, LC_OP_MAXIMUM, -0x1p23, x); /* below, all are whole: poles */
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), y = lc_tf_lgamma_positive(c, a), log = lc_tf_unary(c, LC_OP_LOG, a);
    /* log(pi / (a |sin(pi a)|)) - y */
    const int32_t sine = lc_tf_unary(c, LC_OP_SIN, lc_tf_mul_with(c, off_whole(c, a), PI));
    const int32_t log_sine = lc_tf_unary(c, LC_OP_LOG, lc_tf_unary(c, LC_OP_ABS, sine));
    const int32_t mirrored = lc_tf_sub(c, lc_tf_from(c, LC_OP_SUB, LOG_PI, lc_tf_add(c, log, y)), log_sine);
    return lc_tf_choose(c, lc_tf_less_with(c, x, 0), mirrored, y);
}

void lc_tf_op_lgamma(lc_tf_call *c) { lc_tf_real_op(c, lgamma_of); }

/* ---- digamma ---------------------------------------------------------------------------------------------------------------- */

/* From 1 up: (x - x0) P(x) / Q(x) to 2.5, error 2.9e-9, x0 the zero in two parts; then log(x) - 1 / (2 x) + A(1 / x^2) / x^2, error
 * 6.9e-10. */
static int32_t digamma_from_one(lc_tf_call *c, int32_t x) {
    static const double P[] = {2.325204991e+00, 2.092630892e+02, 7.886078722e+02, 3.705648095e+02},
                        Q[] = {6.408014439e+01, 4.969119918e+02, 5.342832594e+02, 1},
                        A[] = {2.413640356e-03, -3.773441967e-03, 8.323982408e-03, -8.333318923e-02};
    const int32_t up = LC_TF_POLYNOMIAL(c, x, P), ratio = lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, x, Q));
    /* each part of x0 times the ratio: one after the other they would be joined to one that float32 rounds */
    const int32_t coarse = lc_tf_mul(c, lc_tf_sub_with(c, x, 1.4616321325302124), ratio);
    const int32_t near = lc_tf_sub(c, coarse, lc_tf_mul_with(c, ratio, 1.24381499389e-8));
    const int32_t inverse = lc_tf_from(c, LC_OP_DIV, 1, x), square = lc_tf_unary(c, LC_OP_SQUARE, inverse);
    const int32_t series = lc_tf_mul(c, LC_TF_POLYNOMIAL(c, square, A), square);
    const int32_t log = lc_tf_unary(c, LC_OP_LOG, x), main = lc_tf_sub(c, log, lc_tf_mul_with(c, inverse, 0.5));
    const int32_t far = lc_tf_add(c, main, series);
    return lc_tf_choose(c, lc_tf_less_with(c, x, 2.5), near, far);
}

static int32_t digamma_of(lc_tf_call *c, int32_t x) {
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), small = lc_tf_less_with(c, a, 1), inverse = lc_tf_from(c, LC_OP_DIV, 1, a);
    const int32_t lifted = digamma_from_one(c, lc_tf_choose(c, small, lc_tf_add_with(c, a, 1), a));
    const int32_t y = lc_tf_sub(c, lifted, lc_tf_choose_else(c, small, inverse, 0));
    /* y + 1 / a + pi / tan(pi a); no number at the poles */
    const int32_t off = off_whole(c, a), angle = lc_tf_mul_with(c, off, PI);
    const int32_t sine = lc_tf_unary(c, LC_OP_SIN, angle), cosine = lc_tf_unary(c, LC_OP_COS, angle);
    const int32_t cotangent = lc_tf_mul_with(c, lc_tf_div(c, cosine, sine), PI);
    const int32_t mirrored = lc_tf_add(c, lc_tf_add(c, y, inverse), cotangent);
    const int32_t value = lc_tf_choose_value(c, lc_tf_equal_with(c, off, 0), NAN, mirrored);
    return lc_tf_choose(c, lc_tf_with(c, LC_OP_LESS_EQUAL, x, 0), value, y);
}

void lc_tf_op_digamma(lc_tf_call *c) { lc_tf_real_op(c, digamma_of); }

/* ---- zeta, polygamma ----------------------------------------------------------------------------------------------------------- */

enum { ZETA_TERMS = 10 };

/* The sum of 1 / (q + k)^s over k = 0, 1 ... */
static int32_t zeta_of(lc_tf_call *c, int32_t s, int32_t q) {
    static const double ratios[] = {1.0 / 12, -1.0 / 60, -1.0 / 42, -1.0 / 40}; /* of B(2j) / (2j)! to the one before */
    const int32_t minus = lc_tf_unary(c, LC_OP_NEG, s);
    int32_t sum = lc_tf_binary(c, LC_OP_POW, q, minus);
    for (int k = 1; k < ZETA_TERMS; k++) sum = lc_tf_add(c, sum, lc_tf_binary(c, LC_OP_POW, lc_tf_add_with(c, q, k), minus));
    const int32_t w = lc_tf_add_with(c, q, ZETA_TERMS), term = lc_tf_binary(c, LC_OP_POW, w, minus);
    /* w / (s - 1) + 1/2 + s / (12 w) (1 - (s + 1)(s + 2) / (60 w w) (1 - ...)) */
    const int32_t square = lc_tf_unary(c, LC_OP_SQUARE, w);
    int32_t correction = -1;
    for (int j = 3; j > 0; j--) {
        const int32_t next = lc_tf_add_with(c, s, 2 * j - 1), product = lc_tf_mul(c, next, lc_tf_add_with(c, s, 2 * j));
        const int32_t step = lc_tf_mul_with(c, lc_tf_div(c, product, square), ratios[j]);
        correction = lc_tf_add_with(c, correction < 0 ? step : lc_tf_mul(c, step, correction), 1);
    }
    correction = lc_tf_mul(c, lc_tf_mul_with(c, lc_tf_div(c, s, w), ratios[0]), correction);
    const int32_t rest = lc_tf_add_with(c, lc_tf_div(c, w, lc_tf_sub_with(c, s, 1)), 0.5);
    sum = lc_tf_add(c, sum, lc_tf_mul(c, term, lc_tf_add(c, rest, correction)));
    sum = lc_tf_choose_value(c, lc_tf_less_with(c, s, 1), NAN, sum);
    const int32_t whole = lc_tf_equal(c, lc_tf_unary(c, LC_OP_FLOOR, q), q), yes = lc_tf_scalar(c, INFINITY, LC_FLOAT32);
    const int32_t pole = lc_tf_choose_else(c, whole, yes, NAN);
    return lc_tf_choose(c, lc_tf_with(c, LC_OP_LESS_EQUAL, q, 0), pole, sum);
}

static bool two_reals(lc_tf_call *c, int32_t *x, int32_t *y, lc_dtype *type) {
    *x = lc_tf_in(c, 0);
    *y = lc_tf_in(c, 1);
    *type = lc_tf_type(c, *x);
    if (lc_tf_ok(c) && (!lc_tf_is_real(*type) || !lc_tf_is_real(lc_tf_type(c, *y))))
        lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs floating-point types", lc_dtype_name(*type),
                   lc_dtype_name(lc_tf_type(c, *y)));
    *x = lc_tf_float32(c, *x);
    *y = lc_tf_float32(c, *y);
    return lc_tf_ok(c);
}

void lc_tf_op_zeta(lc_tf_call *c) {
    int32_t s, q;
    lc_dtype type;
    if (two_reals(c, &s, &q, &type)) lc_tf_give(c, 0, lc_tf_back(c, zeta_of(c, s, q), type));
}

/* (-1)^(n + 1) n! zeta(n + 1, x), digamma(x) for n = 0; no number for other n than whole ones. */
void lc_tf_op_polygamma(lc_tf_call *c) {
    int32_t n, x;
    lc_dtype type;
    float given;
    uint32_t count;
    if (!two_reals(c, &n, &x, &type)) return;
    if (lc_tf_floats(c, n, &given, 1, &count) && count == 1 && lc_tf_shape(c, n).rank == 0 && given == floorf(given) && given >= 0) {
        const double factor = (fmod(given, 2) == 1 ? 1 : -1) * tgamma(given + 1.0);
        const int32_t known =
            given == 0 ? digamma_of(c, x) : lc_tf_mul_with(c, zeta_of(c, lc_tf_scalar(c, given + 1.0, LC_FLOAT32), x), factor);
        lc_tf_give(c, 0, lc_tf_back(c, known, type));
        return;
    }
    const int32_t s = lc_tf_add_with(c, n, 1), size = lc_tf_unary(c, LC_OP_EXP, lgamma_of(c, s));
    const int32_t sign = lc_tf_sub_with(c, lc_tf_mul_with(c, lc_tf_with(c, LC_OP_FLOOR_MOD, n, 2), 2), 1);
    const int32_t factor = lc_tf_unary(c, LC_OP_ROUND, lc_tf_mul(c, sign, size)); /* n! is whole */
    const int32_t above = lc_tf_mul(c, zeta_of(c, s, x), factor), zeroth = digamma_of(c, x);
    const int32_t y = lc_tf_choose(c, lc_tf_equal_with(c, n, 0), zeroth, above);
    const int32_t whole = lc_tf_equal(c, lc_tf_unary(c, LC_OP_FLOOR, n), n), natural = lc_tf_with(c, LC_OP_GREATER_EQUAL, n, 0);
    const int32_t fits = lc_tf_binary(c, LC_OP_LOGICAL_AND, whole, natural);
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_choose_else(c, fits, y, NAN), type));
}
