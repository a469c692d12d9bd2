/*
 * tf_scan.c: running sums, products and logarithms of sums along an axis. Sums are CUMSUM. The others are made of what there is:
 *
 *   short or open axis   every element beside every other, [n, n] of them, those that do not count replaced by the neutral number, reduced
 *   long axis            steps of 1, 2, 4 ...: y[i] = y[i] * y[i - step]  (Hillis and Steele, 1986): 3 operators a step
 *
 * Integers wrap and are exact both ways. An open axis costs n n elements in the run: it is not known to be long.
 */
#include "lower/tf_math.h"

#include <float.h>
#include <math.h>

enum { SHORT_AXIS = 64 };

typedef struct scan {
    int32_t axis;
    int32_t n; /* -1: open */
    int32_t rank;
    bool exclusive, reverse;
    double neutral;
    int32_t (*reduce)(lc_tf_call *c, int32_t x, int32_t axis);
    int32_t (*join)(lc_tf_call *c, int32_t a, int32_t b);
} scan;

void lc_tf_op_cumsum(lc_tf_call *c) {
    const uint32_t types = LC_TF_COMMON | LC_TF_WRAPS;
    const int32_t x = lc_tf_in(c, 0), axis = lc_tf_int32(c, lc_tf_in(c, 1));
    const lc_dtype type = lc_tf_type(c, x);
    const lc_CumsumOptions o = {.exclusive = lc_tf_attr_bool(c, "exclusive", false), .reverse = lc_tf_attr_bool(c, "reverse", false)};
    lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (lc_tf_is_complex(type)) {
        lc_tf_pair z = lc_tf_parts(c, x);
        const int32_t re[2] = {z.re, axis}, im[2] = {z.im, axis};
        z.re = lc_build_op(c->b, LC_OP_CUMSUM, LC_TABLE_CumsumOptions, &o, re, 2);
        z.im = lc_build_op(c->b, LC_OP_CUMSUM, LC_TABLE_CumsumOptions, &o, im, 2);
        lc_tf_give(c, 0, lc_tf_joined(c, z, type));
    } else if (lc_tf_can(c, 0, types)) {
        const int32_t in[2] = {lc_tf_carried(c, x, types), axis};
        lc_tf_give(c, 0, lc_tf_land(c, lc_build_op(c->b, LC_OP_CUMSUM, LC_TABLE_CumsumOptions, &o, in, 2), type));
    }
}

/* ---- every element beside every other -------------------------------------------------------------------------------- */

/* 0, 1 ... n - 1 along dimension `at` of `rank`. */
static int32_t places(lc_tf_call *c, int32_t range, int32_t at, int32_t rank) {
    int32_t dims[LC_MAX_RANK];
    for (int32_t d = 0; d < rank; d++) dims[d] = d == at ? -1 : 1;
    return lc_build_reshape(c->b, range, dims, rank);
}

static int32_t beside(lc_tf_call *c, const scan *s, int32_t x) {
    const int32_t range = lc_tf_range(c, lc_tf_dim(c, x, s->axis)), behind = s->rank - s->axis; /* dimensions from the axis on */
    const int32_t to = places(c, range, 0, behind + 1), from = places(c, range, 1, behind + 1);
    const int32_t op = s->exclusive ? (s->reverse ? LC_OP_GREATER : LC_OP_LESS) : (s->reverse ? LC_OP_GREATER_EQUAL : LC_OP_LESS_EQUAL);
    const int32_t counts = lc_tf_binary(c, op, from, to);
    const int32_t wide = lc_tf_expand(c, x, s->axis);
    return s->reduce(c, lc_tf_choose_else(c, counts, wide, s->neutral), s->axis + 1);
}

/* ---- by doubling ----------------------------------------------------------------------------------------------------------- */

/* x moved by `by` along the axis, the neutral number where nothing came. */
static int32_t moved(lc_tf_call *c, const scan *s, int32_t x, int32_t by) {
    int32_t pad[2 * LC_MAX_RANK] = {0};
    pad[2 * s->axis + (s->reverse ? 1 : 0)] = by;
    const int32_t part = s->reverse ? lc_tf_cut_at(c, x, s->axis, by, 0) : lc_tf_cut_at(c, x, s->axis, 0, s->n - by);
    return lc_tf_padv2(c, part, pad, s->rank, lc_tf_scalar(c, s->neutral, lc_tf_type(c, x)));
}

static int32_t doubling(lc_tf_call *c, const scan *s, int32_t x) {
    int32_t y = s->exclusive ? moved(c, s, x, 1) : x;
    for (int32_t step = 1; step < s->n && lc_tf_ok(c); step = step > INT32_MAX / 2 ? INT32_MAX : 2 * step)
        y = s->join(c, y, moved(c, s, y, step));
    return y;
}

static void scan_op(lc_tf_call *c, scan *s, uint32_t types) {
    int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c) || !lc_tf_can(c, 0, types)) return;
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape shape = lc_tf_ranked(c, x);
    s->axis = lc_tf_axis(c, lc_tf_need_int(c, lc_tf_in(c, 1), "axis"), shape.rank);
    s->exclusive = lc_tf_attr_bool(c, "exclusive", false);
    s->reverse = lc_tf_attr_bool(c, "reverse", false);
    if (!lc_tf_ok(c)) return;
    s->rank = shape.rank;
    s->n = shape.dims[s->axis];
    x = lc_tf_carried(c, x, types);
    if (s->n < 0 && s->rank == LC_MAX_RANK) lc_tf_missing(c, "an open axis of %d dimensions", s->rank);
    else lc_tf_give(c, 0, lc_tf_land(c, s->n > SHORT_AXIS || s->rank == LC_MAX_RANK ? doubling(c, s, x) : beside(c, s, x), type));
}

/* ---- products ---------------------------------------------------------------------------------------------------------------- */

static int32_t product_along(lc_tf_call *c, int32_t x, int32_t axis) {
    return lc_build_reduce(c->b, LC_OP_REDUCE_PROD, x, &axis, 1, false);
}
static int32_t product(lc_tf_call *c, int32_t a, int32_t b) { return lc_tf_mul(c, a, b); }

void lc_tf_op_cumprod(lc_tf_call *c) {
    scan s = {.neutral = 1, .reduce = product_along, .join = product};
    scan_op(c, &s, LC_TF_COMMON | LC_TF_WRAPS);
}

/* ---- logarithms of sums -------------------------------------------------------------------------------------------------------- */

/* log(sum(exp(x))), from differences to the largest, of which -infinity counts as the lowest number. */
static int32_t log_sum_along(lc_tf_call *c, int32_t x, int32_t axis) {
    const int32_t top = lc_tf_most_with(c, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, x, &axis, 1, true), -FLT_MAX);
    const int32_t e = lc_tf_unary(c, LC_OP_EXP, lc_tf_sub(c, x, top));
    const int32_t log = lc_tf_unary(c, LC_OP_LOG, lc_build_reduce(c->b, LC_OP_SUM, e, &axis, 1, true));
    return lc_tf_squeeze(c, lc_tf_add(c, log, top), axis);
}

static int32_t log_sum(lc_tf_call *c, int32_t a, int32_t b) {
    const int32_t top = lc_tf_most_with(c, lc_tf_most(c, a, b), -FLT_MAX);
    const int32_t ea = lc_tf_unary(c, LC_OP_EXP, lc_tf_sub(c, a, top)), eb = lc_tf_unary(c, LC_OP_EXP, lc_tf_sub(c, b, top));
    return lc_tf_add(c, lc_tf_unary(c, LC_OP_LOG, lc_tf_add(c, ea, eb)), top);
}

void lc_tf_op_cumulative_logsumexp(lc_tf_call *c) {
    scan s = {.neutral = -INFINITY, .reduce = log_sum_along, .join = log_sum};
    scan_op(c, &s, LC_TF_T(FLOAT32));
}
