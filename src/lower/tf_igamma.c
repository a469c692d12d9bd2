/*
 * tf_igamma.c: the incomplete gamma and beta functions. Each is a factor of logarithms times an integral that falls from 1, taken by
 * Gauss and Legendre's rule of 24 nodes along a new last dimension:
 *
 *   P(a, x) = D (1 + x J)      x <= a + 1       D = x^a exp(-x) / gamma(a + 1)
 *   Q(a, x) = D a I            x > a + 1
 *   J = integral over v >= 0 of exp(-(a + 1 - x) v - x E(v))            E(v) = v - 1 + exp(-v)
 *   I = integral over u >= 0 of exp(-(x - a + 1) u - (a - 1) L(u))      L(u) = u - log(1 + u)
 *
 * E and L do not cancel near 0 the way they are computed here, and neither does D for large a: log(D) = -a L((x - a) / a) less Stirling's
 * terms. So P and Q keep 6 digits up to a of a million, where TensorFlow's own float32 kernels keep 2. Derived from Abramowitz and Stegun
 * 6.5.2, 6.5.3 by t = x exp(-v) and t = x (1 + u). The beta function's integral is E's and L's together:
 *
 *   I_x(a, b) = C (1 + r (a + b) G)      C = x^a (1 - x)^b / (a B(a, b)), r = x / (1 - x), where x <= (a + 1) / (a + b + 2), else mirrored
 *   G = integral over v >= 0 of exp(-(a + 1 - (b - 1) r) v - (b - 1)(r E(v) + L(r (1 - exp(-v)))))
 *
 * with C from lgamma: its relative error is about 1e-7 times lgamma(a + b).
 */
#include "lower/tf_math.h"

#include <math.h>

enum { NODES = 24 };
#define DEPTH 18.0 /* the integrand is followed down to exp(-18) */

/* Nodes in (0, 1) and their weights. */
static void gauss_legendre(double *node, double *weight) {
    for (int i = 0; i < NODES; i++) {
        double x = cos(3.14159265358979323846 * (i + 0.75) / (NODES + 0.5)), slope = 1;
        for (int round = 0; round < 20; round++) {
            double before = 1, now = x;
            for (int k = 2; k <= NODES; k++) {
                const double next = ((2 * k - 1) * x * now - (k - 1) * before) / k;
                before = now;
                now = next;
            }
            slope = NODES * (x * now - before) / (x * x - 1);
            x -= now / slope;
        }
        node[i] = (1 - x) / 2;
        weight[i] = 1 / ((1 - x * x) * slope * slope);
    }
}

typedef struct rule {
    int32_t nodes, weights; /* constants [NODES] */
    int32_t last;           /* the new dimension */
} rule;

static rule make_rule(lc_tf_call *c, int32_t x) {
    double node[NODES], weight[NODES];
    float at[NODES], by[NODES];
    rule r = {.last = lc_tf_ranked(c, x).rank};
    gauss_legendre(node, weight);
    for (int i = 0; i < NODES; i++) {
        at[i] = (float)node[i];
        by[i] = (float)weight[i];
    }
    r.nodes = lc_build_floats(c->b, "nodes", at, NODES);
    r.weights = lc_build_floats(c->b, "weights", by, NODES);
    return r;
}

static int32_t wide(lc_tf_call *c, const rule *r, int32_t x) { return lc_tf_expand(c, x, r->last); }

/* The integral from 0 to `end` of exp(-exponent), given at the nodes. */
static int32_t integral(lc_tf_call *c, const rule *r, int32_t exponent, int32_t end) {
    const int32_t e = lc_tf_unary(c, LC_OP_EXP, lc_tf_unary(c, LC_OP_NEG, exponent));
    return lc_tf_mul(c, lc_build_reduce(c->b, LC_OP_SUM, lc_tf_mul(c, e, r->weights), &r->last, 1, false), end);
}

/* E(v) of v >= 0: v v P(v) to 1, error 1.9e-8. */
static int32_t e_of(lc_tf_call *c, int32_t v) {
    static const double P[] = {-1.370075741e-04, 1.323765665e-03, -8.300237390e-03, 4.165891614e-02, -1.666659931e-01, 4.999999904e-01};
    const int32_t series = LC_TF_POLYNOMIAL(c, v, P), near = lc_tf_mul(c, lc_tf_unary(c, LC_OP_SQUARE, v), series);
    const int32_t less = lc_tf_sub_with(c, v, 1), far = lc_tf_add(c, less, lc_tf_unary(c, LC_OP_EXP, lc_tf_unary(c, LC_OP_NEG, v)));
    return lc_tf_choose(c, lc_tf_less_with(c, v, 1), near, far);
}

/* L(u), given 1 + u too: u u P(u) / Q(u) from -1/2 to 1, error 7.8e-8. */
static int32_t l_of(lc_tf_call *c, int32_t u, int32_t one_more) {
    static const double P[] = {8.228956497e-04, 1.610631404e-01, 6.064335448e-01, 4.999999970e-01},
                        Q[] = {1.786312491e-01, 1.075149570e+00, 1.879534562e+00, 1};
    const int32_t up = LC_TF_POLYNOMIAL(c, u, P), ratio = lc_tf_div(c, up, LC_TF_POLYNOMIAL(c, u, Q));
    const int32_t near = lc_tf_mul(c, lc_tf_unary(c, LC_OP_SQUARE, u), ratio), far = lc_tf_sub(c, u, lc_tf_unary(c, LC_OP_LOG, one_more));
    const int32_t above = lc_tf_more_with(c, u, -0.5), below = lc_tf_less_with(c, u, 1);
    return lc_tf_choose(c, lc_tf_binary(c, LC_OP_LOGICAL_AND, above, below), near, far);
}

/* How far the integrand is followed: to DEPTH by its slope at 0 or by its curve, whichever comes first. */
static int32_t span(lc_tf_call *c, int32_t slope, int32_t curve) {
    const int32_t k = lc_tf_most_with(c, curve, 1e-30), straight = lc_tf_from(c, LC_OP_DIV, DEPTH, slope);
    const int32_t near = lc_tf_from(c, LC_OP_DIV, 6, lc_tf_unary(c, LC_OP_SQRT, k));
    return lc_tf_least(c, straight, lc_tf_add(c, near, lc_tf_from(c, LC_OP_DIV, 1.5 * DEPTH, k)));
}

/* ---- gamma ---------------------------------------------------------------------------------------------------------------- */

/* D */
static int32_t factor(lc_tf_call *c, int32_t a, int32_t x) {
    const double two_pi = 6.28318530717958647693;
    const int32_t mu = lc_tf_div(c, lc_tf_sub(c, x, a), a), off = lc_tf_mul(c, a, l_of(c, mu, lc_tf_div(c, x, a)));
    const int32_t level = lc_tf_mul_with(c, lc_tf_unary(c, LC_OP_LOG, lc_tf_mul_with(c, a, two_pi)), 0.5);
    const int32_t high = lc_tf_add(c, off, level), large = lc_tf_unary(c, LC_OP_NEG, lc_tf_add(c, high, lc_tf_stirling(c, a)));
    const int32_t power = lc_tf_sub(c, lc_tf_mul(c, a, lc_tf_unary(c, LC_OP_LOG, x)), x);
    const int32_t small = lc_tf_sub(c, power, lc_tf_lgamma_positive(c, lc_tf_add_with(c, a, 1)));
    return lc_tf_unary(c, LC_OP_EXP, lc_tf_choose(c, lc_tf_less_with(c, a, 3), small, large));
}

/* Igamma: P, Igammac: Q = 1 - P. */
static void incomplete_gamma(lc_tf_call *c, bool upper) {
    int32_t a = lc_tf_in(c, 0), x = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, a);
    if (lc_tf_ok(c) && (!lc_tf_is_real(type) || !lc_tf_is_real(lc_tf_type(c, x))))
        lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs floating-point types", lc_dtype_name(type),
                   lc_dtype_name(lc_tf_type(c, x)));
    a = lc_tf_float32(c, a);
    x = lc_tf_float32(c, x);
    lc_tf_match(c, &a, &x);
    if (!lc_tf_ok(c)) return;
    const rule r = make_rule(c, x);
    const int32_t d = factor(c, a, x), a_more = lc_tf_add_with(c, a, 1), a_less = lc_tf_sub_with(c, a, 1);
    /* P */
    const int32_t fall = lc_tf_sub(c, a_more, x), v_end = span(c, fall, x), v = lc_tf_mul(c, wide(c, &r, v_end), r.nodes);
    const int32_t v_line = lc_tf_mul(c, wide(c, &r, fall), v), e = e_of(c, v), v_curve = lc_tf_mul(c, wide(c, &r, x), e);
    const int32_t j = integral(c, &r, lc_tf_add(c, v_line, v_curve), v_end);
    const int32_t p = lc_tf_mul(c, d, lc_tf_add_with(c, lc_tf_mul(c, x, j), 1));
    /* Q */
    const int32_t drop = lc_tf_add_with(c, lc_tf_sub(c, x, a), 1), u_end = span(c, lc_tf_least(c, drop, x), a_less);
    const int32_t u = lc_tf_mul(c, wide(c, &r, u_end), r.nodes), bent = l_of(c, u, lc_tf_add_with(c, u, 1));
    const int32_t u_line = lc_tf_mul(c, wide(c, &r, drop), u), u_curve = lc_tf_mul(c, wide(c, &r, a_less), bent);
    const int32_t i = integral(c, &r, lc_tf_add(c, u_line, u_curve), u_end), q = lc_tf_mul(c, lc_tf_mul(c, d, a), i);
    /* which of the two, and the ends */
    const int32_t low = lc_tf_binary(c, LC_OP_LESS_EQUAL, x, a_more);
    int32_t y = upper ? lc_tf_choose(c, low, lc_tf_from(c, LC_OP_SUB, 1, p), q) : lc_tf_choose(c, low, p, lc_tf_from(c, LC_OP_SUB, 1, q));
    y = lc_tf_choose_value(c, lc_tf_equal_with(c, x, INFINITY), upper ? 0 : 1, y);
    const int32_t no_a = lc_tf_with(c, LC_OP_LESS_EQUAL, a, 0), no_x = lc_tf_less_with(c, x, 0);
    y = lc_tf_choose_value(c, lc_tf_binary(c, LC_OP_LOGICAL_OR, no_a, no_x), NAN, y);
    lc_tf_give(c, 0, lc_tf_back(c, y, type));
}

void lc_tf_op_igamma(lc_tf_call *c) { incomplete_gamma(c, false); }
void lc_tf_op_igammac(lc_tf_call *c) { incomplete_gamma(c, true); }

/* ---- beta ------------------------------------------------------------------------------------------------------------------- */

void lc_tf_op_betainc(lc_tf_call *c) {
    int32_t in[3];
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    for (uint32_t i = 0; i < 3; i++) {
        const int32_t t = lc_tf_in(c, i);
        if (lc_tf_ok(c) && !lc_tf_is_real(lc_tf_type(c, t)))
            lc_tf_fail(c, LC_INVALID, "its input %u is %s, needs a floating-point type", i, lc_dtype_name(lc_tf_type(c, t)));
        in[i] = lc_tf_float32(c, t);
    }
    lc_tf_match(c, &in[0], &in[1]);
    lc_tf_match(c, &in[0], &in[2]);
    lc_tf_match(c, &in[1], &in[2]);
    if (!lc_tf_ok(c)) return;
    const int32_t a0 = in[0], b0 = in[1], x0 = in[2], both = lc_tf_add(c, a0, b0), rest = lc_tf_from(c, LC_OP_SUB, 1, x0);
    const int32_t up = lc_tf_add_with(c, a0, 1), turn = lc_tf_div(c, up, lc_tf_add_with(c, both, 2)), mirrored = lc_tf_more(c, x0, turn);
    const int32_t a = lc_tf_choose(c, mirrored, b0, a0), b = lc_tf_choose(c, mirrored, a0, b0);
    const int32_t x = lc_tf_choose(c, mirrored, rest, x0), z = lc_tf_choose(c, mirrored, x0, rest);
    const rule r = make_rule(c, x);
    const int32_t ratio = lc_tf_div(c, x, z), a_more = lc_tf_add_with(c, a, 1), b_less = lc_tf_sub_with(c, b, 1);
    const int32_t bend = lc_tf_mul(c, b_less, ratio), fall = lc_tf_sub(c, a_more, bend), end = span(c, lc_tf_least(c, fall, a_more), bend);
    const int32_t v = lc_tf_mul(c, wide(c, &r, end), r.nodes), e = e_of(c, v), wide_ratio = wide(c, &r, ratio);
    const int32_t rw = lc_tf_mul(c, wide_ratio, lc_tf_sub(c, v, e)), l = l_of(c, rw, lc_tf_add_with(c, rw, 1));
    const int32_t curve = lc_tf_add(c, lc_tf_mul(c, wide_ratio, e), l), line = lc_tf_mul(c, wide(c, &r, fall), v);
    const int32_t g = integral(c, &r, lc_tf_add(c, line, lc_tf_mul(c, wide(c, &r, b_less), curve)), end);
    const int32_t log_x = lc_tf_mul(c, a, lc_tf_unary(c, LC_OP_LOG, x)), log_z = lc_tf_mul(c, b, lc_tf_unary(c, LC_OP_LOG, z));
    const int32_t logs = lc_tf_add(c, log_x, log_z), powers = lc_tf_sub(c, logs, lc_tf_unary(c, LC_OP_LOG, a));
    const int32_t gamma_a = lc_tf_lgamma_positive(c, a), gamma_b = lc_tf_lgamma_positive(c, b), gamma_both = lc_tf_lgamma_positive(c, both);
    const int32_t beta = lc_tf_sub(c, lc_tf_sub(c, gamma_both, gamma_a), gamma_b);
    const int32_t size = lc_tf_unary(c, LC_OP_EXP, lc_tf_add(c, powers, beta));
    const int32_t sum = lc_tf_add_with(c, lc_tf_mul(c, lc_tf_mul(c, ratio, both), g), 1), part = lc_tf_mul(c, size, sum);
    int32_t y = lc_tf_choose(c, mirrored, lc_tf_from(c, LC_OP_SUB, 1, part), part);
    const int32_t no_a = lc_tf_with(c, LC_OP_LESS_EQUAL, lc_tf_least(c, a0, b0), 0), no_x = lc_tf_less_with(c, lc_tf_least(c, x0, rest), 0);
    y = lc_tf_choose_value(c, lc_tf_binary(c, LC_OP_LOGICAL_OR, no_a, no_x), NAN, y);
    lc_tf_give(c, 0, lc_tf_back(c, y, type));
}
