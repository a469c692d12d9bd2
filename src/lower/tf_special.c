/*
 * tf_special.c: the error function and its family, quantiles of the normal distribution, Bessel functions of imaginary argument.
 *
 * The coefficients are litec's own: least-squares fits, reweighted until the largest error is spread evenly (Lawson, 1961), against values
 * of 40 digits. The error of a fit stands beside it; with float32's rounding the results are within 4 units in the last place, so a
 * relative error under 4e-7. In branches that are not taken anything may come out, infinities and NaN too: SELECT_V2 only moves.
 */
#include "lower/tf_math.h"

#include <math.h>

#define SQRT_HALF 0.70710678118654752440

#define OPERATOR(name, f) \
    void lc_tf_op_##name(lc_tf_call *c) { lc_tf_real_op(c, f); }

/* ---- erf, erfc ------------------------------------------------------------------------------------------------------------- */

/* tanh(x R(x x)), R(s) = atanh(erf(sqrt(s))) / sqrt(s) on [0, 15.5]; error 9.5e-8. Beyond that the argument keeps growing, so that the
 * result is 1. */
static int32_t erf_of(lc_tf_call *c, int32_t x) {
    static const double R[] = {1.418543391e-07,  -5.668508294e-06, 8.763749853e-05, -6.197850299e-04,
                               -1.918304783e-04, 1.027690557e-01,  1.128379274e+00};
    const int32_t r = LC_TF_POLYNOMIAL(c, lc_tf_unary(c, LC_OP_SQUARE, x), R);
    return lc_tf_unary(c, LC_OP_TANH, lc_tf_mul(c, r, x));
}

/* exp(-a a) of a >= 0 without the square's rounding error: with h = a cut after its sixteenths, exp(-h h) exp((h - a)(h + a)). */
static int32_t gauss(lc_tf_call *c, int32_t a) {
    const int32_t h = lc_tf_mul_with(c, lc_tf_unary(c, LC_OP_FLOOR, lc_tf_mul_with(c, a, 16)), 1.0 / 16);
    const int32_t high = lc_tf_unary(c, LC_OP_EXP, lc_tf_unary(c, LC_OP_NEG, lc_tf_unary(c, LC_OP_SQUARE, h)));
    const int32_t below = lc_tf_sub(c, h, a), both = lc_tf_add(c, h, a);
    return lc_tf_mul(c, high, lc_tf_unary(c, LC_OP_EXP, lc_tf_mul(c, below, both)));
}

/* exp(-a a) t G(t) with t = 1 / (1 + a / 2), t G(t) = exp(a a) erfc(a); error 4.3e-8 up to 10.2, where erfc is less than any float32. Of
 * negative x what is missing to 2. */
static int32_t erfc_of(lc_tf_call *c, int32_t x) {
    static const double G[] = {-5.912463566e-02, 2.848471858e-01, -4.877648823e-01, 2.787151739e-01, -2.707331478e-02,
                               2.028768500e-01,  2.430555881e-01, 2.823819543e-01,  2.820860375e-01};
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x);
    const int32_t t = lc_tf_from(c, LC_OP_DIV, 1, lc_tf_add_with(c, lc_tf_mul_with(c, a, 0.5), 1));
    const int32_t scaled = lc_tf_mul(c, LC_TF_POLYNOMIAL(c, t, G), t);
    const int32_t y = lc_tf_mul(c, scaled, gauss(c, lc_tf_least_with(c, a, 12)));
    const int32_t negative = lc_tf_less_with(c, x, 0);
    return lc_tf_choose(c, negative, lc_tf_from(c, LC_OP_SUB, 2, y), y);
}

OPERATOR(erf, erf_of)
OPERATOR(erfc, erfc_of)

/* ---- quantiles -------------------------------------------------------------------------------------------------------------- */

/* The normal distribution's quantile of p, given q = p - 1/2 and the tail y = min(p, 1 - p). Near the middle q P(r) / Q(r) with
 * r = 0.425^2 - q^2, error 4.6e-8; in the tails P(r) / Q(r) with r = sqrt(-log(y)), error 1.1e-8 down to the smallest float32. The
 * variables are those of Wichura's AS 241 (1988). */
static int32_t quantile(lc_tf_call *c, int32_t q, int32_t y) {
    static const double P[] = {5.910796068e+01, 1.592890963e+02, 5.043402168e+01, 3.387132718e+00},
                        Q[] = {6.718625938e+01, 7.875693558e+01, 1.789509557e+01, 1};
    static const double TP[] = {5.376351377e-01, 4.753285654e+00, 5.180495589e+00, -4.469493410e+00, -2.869732403e+00},
                        TQ[] = {3.800852906e-01, 3.368314312e+00, 4.531474465e+00, 1};
    const int32_t r = lc_tf_from(c, LC_OP_SUB, 0.180625, lc_tf_unary(c, LC_OP_SQUARE, q));
    const int32_t up = LC_TF_POLYNOMIAL(c, r, P), middle = lc_tf_mul(c, q, lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, r, Q)));
    const int32_t depth = lc_tf_unary(c, LC_OP_SQRT, lc_tf_unary(c, LC_OP_NEG, lc_tf_unary(c, LC_OP_LOG, y)));
    const int32_t far = LC_TF_POLYNOMIAL(c, depth, TP), ratio = lc_tf_div(c, far, LC_TF_POLYNOMIAL(c, depth, TQ));
    const int32_t tail = lc_tf_choose_value(c, lc_tf_equal_with(c, y, 0), INFINITY, ratio);
    const int32_t negative = lc_tf_less_with(c, q, 0), signed_tail = lc_tf_choose(c, negative, lc_tf_unary(c, LC_OP_NEG, tail), tail);
    const int32_t inside = lc_tf_with(c, LC_OP_LESS_EQUAL, lc_tf_unary(c, LC_OP_ABS, q), 0.425);
    return lc_tf_choose(c, inside, middle, signed_tail);
}

int32_t lc_tf_ndtri(lc_tf_call *c, int32_t p) {
    const int32_t q = lc_tf_sub_with(c, p, 0.5), other = lc_tf_from(c, LC_OP_SUB, 1, p);
    return quantile(c, q, lc_tf_least(c, p, other));
}

static int32_t erfinv_of(lc_tf_call *c, int32_t x) {
    const int32_t q = lc_tf_mul_with(c, x, 0.5), y = lc_tf_from(c, LC_OP_SUB, 0.5, lc_tf_unary(c, LC_OP_ABS, q));
    return lc_tf_mul_with(c, quantile(c, q, y), SQRT_HALF);
}

OPERATOR(ndtri, lc_tf_ndtri)
OPERATOR(erfinv, erfinv_of)

/* ---- Bessel functions ----------------------------------------------------------------------------------------------------------- */

/* exp(-a) I0(a) of a = |x|: P(a) / Q(a) up to 8, error 5.3e-8; then A(1 / a) / sqrt(a), error 5.8e-8. */
static int32_t i0e_of(lc_tf_call *c, int32_t x) {
    static const double P[] = {1.248624104e-04, 6.757394871e-03, 1.722397193e-02, 2.115332126e-01, 9.285043072e-02, 9.999999467e-01},
                        Q[] = {3.789537738e-03, 3.266417637e-02, 1.686062813e-01, 5.543999401e-01, 1.092847920e+00, 1},
                        A[] = {1.091356298e-01, 2.008816741e-02, 2.852482015e-02, 4.985948940e-02, 3.989423034e-01};
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), up = LC_TF_POLYNOMIAL(c, a, P);
    const int32_t near = lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, a, Q));
    const int32_t series = LC_TF_POLYNOMIAL(c, lc_tf_from(c, LC_OP_DIV, 1, a), A);
    const int32_t far = lc_tf_mul(c, series, lc_tf_unary(c, LC_OP_RSQRT, a));
    return lc_tf_choose(c, lc_tf_less_with(c, a, 8), near, far);
}

/* exp(-a) I1(x): x P(a) / Q(a) up to 6, error 1.6e-8; then A(1 / a) / sqrt(a) with x's sign, error 4.4e-8. */
static int32_t i1e_of(lc_tf_call *c, int32_t x) {
    static const double P[] = {-4.327752787e-06, 2.695268979e-04, 3.261196158e-03, 3.984068362e-02, 4.914985745e-02, 5.000000081e-01},
                        Q[] = {3.287173662e-03, 3.052901685e-02, 1.647803904e-01, 5.529691187e-01, 1.098300845e+00, 1},
                        A[] = {-6.737902032e-01, 8.029603688e-02, -5.399044871e-02, -4.622348053e-02, -1.496109427e-01, 3.989422980e-01};
    const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), up = LC_TF_POLYNOMIAL(c, a, P);
    const int32_t near = lc_tf_mul(c, x, lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, a, Q)));
    const int32_t series = LC_TF_POLYNOMIAL(c, lc_tf_from(c, LC_OP_DIV, 1, a), A);
    const int32_t size = lc_tf_mul(c, series, lc_tf_unary(c, LC_OP_RSQRT, a));
    const int32_t far = lc_tf_mul(c, size, lc_tf_unary(c, LC_OP_SIGN, x));
    return lc_tf_choose(c, lc_tf_less_with(c, a, 6), near, far);
}

/* y exp(|x|), in two steps: exp(|x|) alone overflows first. */
static int32_t unscaled(lc_tf_call *c, int32_t x, int32_t y) {
    const int32_t e = lc_tf_unary(c, LC_OP_EXP, lc_tf_mul_with(c, lc_tf_unary(c, LC_OP_ABS, x), 0.5));
    return lc_tf_mul(c, lc_tf_mul(c, y, e), e);
}
static int32_t i0_of(lc_tf_call *c, int32_t x) { return unscaled(c, x, i0e_of(c, x)); }
static int32_t i1_of(lc_tf_call *c, int32_t x) { return unscaled(c, x, i1e_of(c, x)); }

OPERATOR(bessel_i0e, i0e_of)
OPERATOR(bessel_i1e, i1e_of)
OPERATOR(bessel_i0, i0_of)
OPERATOR(bessel_i1, i1_of)
