/*
 * tf_complex.c: complex numbers. TFLite stores them (complex64) but computes little with them: parts, magnitude, product, a Fourier
 * transform. So every operator works on the two parts, and joins them with PACK and BITCAST, as [re, im] are the bytes of a complex number.
 * Whoever takes parts of what was joined a little before gets those parts; the joining is dead then and goes. A graph in which complex
 * numbers only pass through becomes one of real numbers.
 *
 * complex128 is computed in float32, as float64 is. Formulas are those of Abramowitz and Stegun (3.7, 4.3, 4.5); magnitudes whose square
 * overflows float32 are infinite.
 */
#include "lower/tf_math.h"
#include "lower/tf_nn.h"

#include <string.h>

typedef lc_tf_pair pair;

/* The parts that z was joined from. */
static bool joined_from(lc_tf_call *c, int32_t z, pair *parts) {
    const lc_node *n = lc_tf_maker(c, z);
    if (!n || n->op != LC_OP_BITCAST) return false;
    n = lc_tf_maker(c, n->inputs[0]);
    if (n && n->op == LC_OP_CAST) n = lc_tf_maker(c, n->inputs[0]); /* complex128 */
    if (!n || n->op != LC_OP_PACK || n->input_count != 2 || lc_tf_type(c, n->inputs[0]) != LC_FLOAT32) return false;
    *parts = (pair){n->inputs[0], n->inputs[1]};
    return true;
}

lc_tf_pair lc_tf_parts(lc_tf_call *c, int32_t z) {
    pair parts = {-1, -1};
    if (!lc_tf_ok(c) || joined_from(c, z, &parts)) return parts;
    parts.re = lc_build_cast(c->b, lc_tf_unary(c, LC_OP_REAL, z), LC_FLOAT32);
    parts.im = lc_build_cast(c->b, lc_tf_unary(c, LC_OP_IMAG, z), LC_FLOAT32);
    return parts;
}

int32_t lc_tf_joined(lc_tf_call *c, lc_tf_pair z, lc_dtype type) {
    lc_tf_match(c, &z.re, &z.im);
    const int32_t in[2] = {z.re, z.im}, rank = lc_tf_shape(c, z.re).rank;
    if (lc_tf_ok(c) && rank >= LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "complex numbers of %d dimensions need one more, litec runs up to %d", rank, LC_MAX_RANK);
    const int32_t both = lc_tf_pack(c, in, 2, rank == LC_RANK_UNKNOWN ? -1 : rank);
    return lc_tf_bits_as(c, type == LC_COMPLEX128 ? lc_build_cast(c->b, both, LC_FLOAT64) : both, type);
}

/* ---- arithmetic ---------------------------------------------------------------------------------------------------------- */

static pair add(lc_tf_call *c, pair a, pair b) {
    const int32_t re = lc_tf_add(c, a.re, b.re);
    return (pair){re, lc_tf_add(c, a.im, b.im)};
}
static pair sub(lc_tf_call *c, pair a, pair b) {
    const int32_t re = lc_tf_sub(c, a.re, b.re);
    return (pair){re, lc_tf_sub(c, a.im, b.im)};
}
static pair mul(lc_tf_call *c, pair a, pair b) {
    const int32_t rr = lc_tf_mul(c, a.re, b.re), ii = lc_tf_mul(c, a.im, b.im), ri = lc_tf_mul(c, a.re, b.im),
                  ir = lc_tf_mul(c, a.im, b.re);
    const int32_t re = lc_tf_sub(c, rr, ii);
    return (pair){re, lc_tf_add(c, ri, ir)};
}
static int32_t norm(lc_tf_call *c, pair a) { /* |a|^2 */
    const int32_t re = lc_tf_unary(c, LC_OP_SQUARE, a.re);
    return lc_tf_add(c, re, lc_tf_unary(c, LC_OP_SQUARE, a.im));
}
static pair scaled(lc_tf_call *c, pair a, int32_t op, int32_t by) {
    const int32_t re = lc_tf_binary(c, op, a.re, by);
    return (pair){re, lc_tf_binary(c, op, a.im, by)};
}
static pair conjugate(lc_tf_call *c, pair a) { return (pair){a.re, lc_tf_unary(c, LC_OP_NEG, a.im)}; }
static pair quotient(lc_tf_call *c, pair a, pair b) {
    const pair up = mul(c, a, conjugate(c, b));
    return scaled(c, up, LC_OP_DIV, norm(c, b));
}
static pair negative(lc_tf_call *c, pair a) {
    const int32_t re = lc_tf_unary(c, LC_OP_NEG, a.re);
    return (pair){re, lc_tf_unary(c, LC_OP_NEG, a.im)};
}
static int32_t is_zero(lc_tf_call *c, pair a) {
    const int32_t re = lc_tf_equal_with(c, a.re, 0), im = lc_tf_equal_with(c, a.im, 0);
    return lc_tf_binary(c, LC_OP_LOGICAL_AND, re, im);
}
/* a, but `value` where the condition holds. */
static pair unless(lc_tf_call *c, int32_t condition, double value, pair a) {
    const int32_t re = lc_tf_choose_value(c, condition, value, a.re);
    return (pair){re, lc_tf_choose_value(c, condition, 0, a.im)};
}
static pair divide_no_nan(lc_tf_call *c, pair a, pair b) {
    const pair y = quotient(c, a, b);
    return unless(c, is_zero(c, b), 0, y);
}
static pair multiply_no_nan(lc_tf_call *c, pair a, pair b) {
    const pair y = mul(c, a, b);
    return unless(c, is_zero(c, b), 0, y);
}
static pair xdivy(lc_tf_call *c, pair a, pair b) {
    const pair y = quotient(c, a, b);
    return unless(c, is_zero(c, a), 0, y);
}
static pair square(lc_tf_call *c, pair a) {
    const int32_t rr = lc_tf_unary(c, LC_OP_SQUARE, a.re), re = lc_tf_sub(c, rr, lc_tf_unary(c, LC_OP_SQUARE, a.im));
    const int32_t ri = lc_tf_mul(c, a.re, a.im);
    return (pair){re, lc_tf_add(c, ri, ri)};
}
/* conj(a - b) (a - b) */
static pair squared_difference(lc_tf_call *c, pair a, pair b) {
    const int32_t re = norm(c, sub(c, a, b));
    return (pair){re, lc_tf_filled_like(c, re, 0, LC_FLOAT32)};
}
static pair reciprocal(lc_tf_call *c, pair a) {
    const pair up = conjugate(c, a);
    return scaled(c, up, LC_OP_DIV, norm(c, a));
}

int32_t lc_tf_conjugate(lc_tf_call *c, int32_t z) { return lc_tf_joined(c, conjugate(c, lc_tf_parts(c, z)), lc_tf_type(c, z)); }

int32_t lc_tf_complex_product(lc_tf_call *c, int32_t x, int32_t y, bool turn_x, bool turn_y) {
    const pair a = lc_tf_parts(c, x), b = lc_tf_parts(c, y);
    const int32_t rr = lc_tf_product(c, a.re, b.re, turn_x, turn_y), ii = lc_tf_product(c, a.im, b.im, turn_x, turn_y);
    const int32_t ri = lc_tf_product(c, a.re, b.im, turn_x, turn_y), ir = lc_tf_product(c, a.im, b.re, turn_x, turn_y);
    const int32_t re = lc_tf_sub(c, rr, ii);
    return lc_tf_joined(c, (pair){re, lc_tf_add(c, ri, ir)}, lc_tf_type(c, x));
}

/* ---- functions -------------------------------------------------------------------------------------------------------------- */

static int32_t magnitude(lc_tf_call *c, pair a) { return lc_tf_unary(c, LC_OP_SQRT, norm(c, a)); }

static pair exponential(lc_tf_call *c, pair a) {
    const int32_t e = lc_tf_unary(c, LC_OP_EXP, a.re), cosine = lc_tf_unary(c, LC_OP_COS, a.im);
    const pair turn = {cosine, lc_tf_unary(c, LC_OP_SIN, a.im)};
    return scaled(c, turn, LC_OP_MUL, e);
}
static pair logarithm(lc_tf_call *c, pair a) {
    const int32_t re = lc_tf_unary(c, LC_OP_LOG, magnitude(c, a));
    return (pair){re, lc_tf_atan2(c, a.im, a.re)};
}
static pair power(lc_tf_call *c, pair a, pair b) {
    const pair y = exponential(c, mul(c, b, logarithm(c, a)));
    const pair rest = unless(c, is_zero(c, a), 0, y);
    return unless(c, is_zero(c, b), 1, rest);
}
static pair xlogy(lc_tf_call *c, pair a, pair b) {
    const pair y = mul(c, a, logarithm(c, b));
    return unless(c, is_zero(c, a), 0, y);
}

/* With t = sqrt((|a| + |re|) / 2): t + i im / (2 t) in the right half of the plane, |im| / (2 t) + i t with im's sign in the left. */
static pair root(lc_tf_call *c, pair a) {
    const int32_t size = magnitude(c, a), sum = lc_tf_add(c, size, lc_tf_unary(c, LC_OP_ABS, a.re));
    const int32_t t = lc_tf_unary(c, LC_OP_SQRT, lc_tf_mul_with(c, sum, 0.5)), zero = lc_tf_equal_with(c, t, 0);
    const int32_t half = lc_tf_mul_with(c, a.im, 0.5), other = lc_tf_choose_value(c, zero, 0, lc_tf_div(c, half, t));
    const int32_t left = lc_tf_less_with(c, a.re, 0), below = lc_tf_less_with(c, a.im, 0);
    const int32_t signed_t = lc_tf_choose(c, below, lc_tf_unary(c, LC_OP_NEG, t), t);
    const int32_t re = lc_tf_choose(c, left, lc_tf_unary(c, LC_OP_ABS, other), t);
    return (pair){re, lc_tf_choose(c, left, signed_t, other)};
}
static pair inverse_root(lc_tf_call *c, pair a) { return reciprocal(c, root(c, a)); }

static pair sine(lc_tf_call *c, pair a) {
    const int32_t up = lc_tf_unary(c, LC_OP_SIN, a.re), re = lc_tf_mul(c, up, lc_tf_cosh(c, a.im));
    const int32_t along = lc_tf_unary(c, LC_OP_COS, a.re);
    return (pair){re, lc_tf_mul(c, along, lc_tf_sinh(c, a.im))};
}
static pair cosine(lc_tf_call *c, pair a) {
    const int32_t size = lc_tf_cosh(c, a.im), re = lc_tf_mul(c, lc_tf_unary(c, LC_OP_COS, a.re), size);
    const int32_t turn = lc_tf_unary(c, LC_OP_SIN, a.re), im = lc_tf_mul(c, turn, lc_tf_sinh(c, a.im));
    return (pair){re, lc_tf_unary(c, LC_OP_NEG, im)};
}
static pair tangent(lc_tf_call *c, pair a) {
    const pair up = sine(c, a);
    return quotient(c, up, cosine(c, a));
}
/* sinh(a) = sin(i a) / i, cosh(a) = cos(i a), i a = -im + i re */
static pair turned(lc_tf_call *c, pair a) { return (pair){lc_tf_unary(c, LC_OP_NEG, a.im), a.re}; }
static pair turned_back(lc_tf_call *c, pair a) { return (pair){a.im, lc_tf_unary(c, LC_OP_NEG, a.re)}; }
static pair hyperbolic_sine(lc_tf_call *c, pair a) { return turned_back(c, sine(c, turned(c, a))); }
static pair hyperbolic_cosine(lc_tf_call *c, pair a) { return cosine(c, turned(c, a)); }
static pair hyperbolic_tangent(lc_tf_call *c, pair a) { return turned_back(c, tangent(c, turned(c, a))); }
static pair plus_one(lc_tf_call *c, pair a) { return (pair){lc_tf_add_with(c, a.re, 1), a.im}; }
static pair exponential_less_one(lc_tf_call *c, pair a) {
    const pair e = exponential(c, a);
    return (pair){lc_tf_sub_with(c, e.re, 1), e.im};
}
static pair logarithm_of_one_more(lc_tf_call *c, pair a) { return logarithm(c, plus_one(c, a)); }
static pair sigmoid(lc_tf_call *c, pair a) { return reciprocal(c, plus_one(c, exponential(c, negative(c, a)))); }
static pair direction(lc_tf_call *c, pair a) {
    const pair y = scaled(c, a, LC_OP_DIV, magnitude(c, a));
    return unless(c, is_zero(c, a), 0, y);
}
static pair rounded(lc_tf_call *c, pair a) {
    const int32_t re = lc_tf_unary(c, LC_OP_ROUND, a.re);
    return (pair){re, lc_tf_unary(c, LC_OP_ROUND, a.im)};
}
static pair zero_like(lc_tf_call *c, pair a) {
    const int32_t z = lc_tf_filled_like(c, a.re, 0, LC_FLOAT32);
    return (pair){z, z};
}
static pair one_like(lc_tf_call *c, pair a) {
    const int32_t re = lc_tf_filled_like(c, a.re, 1, LC_FLOAT32);
    return (pair){re, lc_tf_filled_like(c, a.re, 0, LC_FLOAT32)};
}

static const struct {
    const char *name;
    pair (*one)(lc_tf_call *c, pair a);
    pair (*two)(lc_tf_call *c, pair a, pair b);
} functions[] = {
    {"Neg", negative, NULL},
    {"Conj", conjugate, NULL},
    {"Square", square, NULL},
    {"Reciprocal", reciprocal, NULL},
    {"Inv", reciprocal, NULL},
    {"Sign", direction, NULL},
    {"Round", rounded, NULL},
    {"Exp", exponential, NULL},
    {"Expm1", exponential_less_one, NULL},
    {"Log", logarithm, NULL},
    {"Log1p", logarithm_of_one_more, NULL},
    {"Sqrt", root, NULL},
    {"Rsqrt", inverse_root, NULL},
    {"Sin", sine, NULL},
    {"Cos", cosine, NULL},
    {"Tan", tangent, NULL},
    {"Sinh", hyperbolic_sine, NULL},
    {"Cosh", hyperbolic_cosine, NULL},
    {"Tanh", hyperbolic_tangent, NULL},
    {"Sigmoid", sigmoid, NULL},
    {"ZerosLike", zero_like, NULL},
    {"OnesLike", one_like, NULL},
    {"Add", NULL, add},
    {"AddV2", NULL, add},
    {"AddN", NULL, add},
    {"AccumulateNV2", NULL, add},
    {"Sub", NULL, sub},
    {"Mul", NULL, mul},
    {"Div", NULL, quotient},
    {"RealDiv", NULL, quotient},
    {"DivNoNan", NULL, divide_no_nan},
    {"MulNoNan", NULL, multiply_no_nan},
    {"Xdivy", NULL, xdivy},
    {"Xlogy", NULL, xlogy},
    {"Pow", NULL, power},
    {"SquaredDifference", NULL, squared_difference},
};

/* MUL takes complex64; of numbers that were joined here the parts are nearer. */
static bool mul_as_it_is(lc_tf_call *c, int32_t a, int32_t b) {
    pair p;
    return !strcmp(c->row->name, "Mul") && lc_tf_type(c, a) == LC_COMPLEX64 && !joined_from(c, a, &p) && !joined_from(c, b, &p);
}

void lc_tf_complex_op(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    size_t k = 0;
    while (k < sizeof functions / sizeof *functions && strcmp(functions[k].name, c->row->name) != 0) k++;
    if (k == sizeof functions / sizeof *functions) {
        lc_tf_missing(c, "litec computes it of real numbers only, these are %s", lc_dtype_name(type));
        return;
    }
    if (functions[k].one) {
        lc_tf_give(c, 0, lc_tf_joined(c, functions[k].one(c, lc_tf_parts(c, x)), type));
        return;
    }
    for (uint32_t i = 1; i < c->in_count && lc_tf_ok(c); i++)
        if (lc_tf_type(c, lc_tf_in(c, i)) != type)
            lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs one type", lc_dtype_name(type),
                       lc_dtype_name(lc_tf_type(c, lc_tf_in(c, i))));
    if (lc_tf_ok(c) && c->in_count == 2 && mul_as_it_is(c, x, lc_tf_in(c, 1))) {
        lc_tf_give(c, 0, lc_tf_mul(c, x, lc_tf_in(c, 1)));
        return;
    }
    pair y = lc_tf_parts(c, x);
    if (c->in_count < 2) lc_tf_in(c, strcmp(c->row->name, "AddN") == 0 ? 0 : 1); /* fails where two are needed */
    for (uint32_t i = 1; i < c->in_count && lc_tf_ok(c); i++) y = functions[k].two(c, y, lc_tf_parts(c, lc_tf_in(c, i)));
    lc_tf_give(c, 0, lc_tf_joined(c, y, type));
}

/* ---- operators of their own -------------------------------------------------------------------------------------------------- */

static bool needs_complex(lc_tf_call *c, int32_t z) {
    const lc_dtype type = lc_tf_type(c, z);
    if (lc_tf_ok(c) && !lc_tf_is_complex(type)) lc_tf_fail(c, LC_INVALID, "its input is %s, needs a complex type", lc_dtype_name(type));
    return lc_tf_ok(c);
}

void lc_tf_op_complex(lc_tf_call *c) {
    const int32_t re = lc_tf_in(c, 0), im = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_made_type(c, "Tout", LC_COMPLEX64);
    if (lc_tf_ok(c) && !(lc_tf_is_complex(type) && lc_tf_is_real(lc_tf_type(c, re)) && lc_tf_is_real(lc_tf_type(c, im))))
        lc_tf_fail(c, LC_INVALID, "it makes %s of %s and %s, needs floating-point types and a complex one", lc_dtype_name(type),
                   lc_dtype_name(lc_tf_type(c, re)), lc_dtype_name(lc_tf_type(c, im)));
    pair z = {lc_tf_float32(c, re), -1};
    z.im = lc_tf_float32(c, im);
    lc_tf_give(c, 0, lc_tf_joined(c, z, type));
}

/* Real, Imag. TensorFlow's Python calls them of real numbers too. */
void lc_tf_op_part(lc_tf_call *c) {
    const int32_t z = lc_tf_in(c, 0);
    if (!needs_complex(c, z)) return;
    const pair p = lc_tf_parts(c, z);
    const lc_dtype type = lc_tf_made_type(c, "Tout", LC_FLOAT32);
    lc_tf_give(c, 0, lc_build_cast(c->b, c->row->op == LC_OP_REAL ? p.re : p.im, type));
}

void lc_tf_op_complex_abs(lc_tf_call *c) {
    const int32_t z = lc_tf_in(c, 0);
    pair p;
    if (!needs_complex(c, z)) return;
    const bool parts = joined_from(c, z, &p) || lc_tf_type(c, z) == LC_COMPLEX128;
    const int32_t y = parts ? magnitude(c, lc_tf_parts(c, z)) : lc_tf_unary(c, LC_OP_COMPLEX_ABS, z);
    lc_tf_give(c, 0, lc_build_cast(c->b, y, lc_tf_made_type(c, "Tout", LC_FLOAT32)));
}

void lc_tf_op_angle(lc_tf_call *c) {
    const int32_t z = lc_tf_in(c, 0);
    if (!needs_complex(c, z)) return;
    const pair p = lc_tf_parts(c, z);
    lc_tf_give(c, 0, lc_build_cast(c->b, lc_tf_atan2(c, p.im, p.re), lc_tf_made_type(c, "Tout", LC_FLOAT32)));
}

void lc_tf_op_conj(lc_tf_call *c) {
    if (needs_complex(c, lc_tf_in(c, 0))) lc_tf_complex_op(c);
}
