/*
 * tf_compare.c: comparisons, logic and choice. Numbers compare as numbers whatever their type: uint64 after its top bit is flipped, complex
 * ones by their parts; float64 as float32, which is the widest that TFLite compares. Choice only moves: any type but strings.
 */
#include "lower/tf_impl.h"
#include "lower/tf_math.h"

#include <math.h>
#include <string.h>

/* The shapes cannot broadcast to each other in any run. */
static bool apart(lc_tf_call *c, int32_t x, int32_t y) {
    const lc_shape s = lc_tf_shape(c, x), t = lc_tf_shape(c, y);
    if (s.rank == LC_RANK_UNKNOWN || t.rank == LC_RANK_UNKNOWN) return false;
    for (int32_t i = 1; i <= s.rank && i <= t.rank; i++) {
        const int32_t a = s.dims[s.rank - i], b = t.dims[t.rank - i];
        if (a >= 0 && b >= 0 && a != b && a != 1 && b != 1) return true;
    }
    return false;
}

static void compare(lc_tf_call *c, uint32_t types) {
    int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_type(c, y) != type) {
        lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs one type", lc_dtype_name(type), lc_dtype_name(lc_tf_type(c, y)));
        return;
    }
    if (type == LC_UINT64) {
        x = lc_tf_flip(c, lc_tf_bits_as(c, x, LC_INT64));
        y = lc_tf_flip(c, lc_tf_bits_as(c, y, LC_INT64));
    } else {
        if (!lc_tf_can(c, 0, types)) return;
        x = lc_tf_carried(c, x, types);
        y = lc_tf_carried(c, y, types);
    }
    const int32_t decided = lc_tf_decided(c, c->row->op, x, y);
    lc_tf_give(c, 0, decided >= 0 ? decided : lc_tf_binary(c, c->row->op, x, y));
}

/* Less, LessEqual, Greater, GreaterEqual */
void lc_tf_op_order(lc_tf_call *c) { compare(c, LC_TF_COMMON); }

/* Equal, NotEqual. With incompatible_shape_error false, tensors of shapes that do not broadcast are one answer: not equal. */
void lc_tf_op_equality(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    if (!lc_tf_ok(c)) return;
    if (!lc_tf_attr_bool(c, "incompatible_shape_error", true) && apart(c, x, y)) {
        lc_tf_give(c, 0, lc_tf_scalar(c, c->row->op == LC_OP_NOT_EQUAL, LC_BOOL));
        return;
    }
    if (lc_tf_is_complex(lc_tf_type(c, x)) && lc_tf_is_complex(lc_tf_type(c, y))) {
        const lc_tf_pair a = lc_tf_parts(c, x), b = lc_tf_parts(c, y);
        const int32_t re = lc_tf_binary(c, c->row->op, a.re, b.re), im = lc_tf_binary(c, c->row->op, a.im, b.im);
        lc_tf_give(c, 0, lc_tf_binary(c, c->row->op == LC_OP_EQUAL ? LC_OP_LOGICAL_AND : LC_OP_LOGICAL_OR, re, im));
        return;
    }
    compare(c, LC_TF_COMMON | LC_TF_T(BOOL) | LC_TF_T(STRING));
}

/* |x - y| < tolerance */
void lc_tf_op_approximate_equal(lc_tf_call *c) {
    const float tolerance = lc_tf_attr_float(c, "tolerance", 1e-5f);
    int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    if (lc_tf_ok(c) && lc_tf_is_complex(lc_tf_type(c, x))) {
        lc_tf_complex_op(c);
        return;
    }
    if (!lc_tf_can(c, 0, LC_TF_COMMON) || !lc_tf_can(c, 1, LC_TF_COMMON)) return;
    x = lc_tf_carried(c, x, LC_TF_COMMON);
    y = lc_tf_carried(c, y, LC_TF_COMMON);
    const int32_t d = lc_build_cast(c->b, lc_tf_sub(c, x, y), LC_FLOAT32);
    lc_tf_give(c, 0, lc_tf_less_with(c, lc_tf_unary(c, LC_OP_ABS, d), tolerance));
}

/* ---- logic ------------------------------------------------------------------------------------------------------------ */

void lc_tf_op_logical(lc_tf_call *c) { /* LogicalAnd, LogicalOr */
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    lc_tf_give(c, 0, lc_tf_binary(c, c->row->op, x, y));
}

void lc_tf_op_logical_not(lc_tf_call *c) { lc_tf_give(c, 0, lc_tf_unary(c, LC_OP_LOGICAL_NOT, lc_tf_in(c, 0))); }

/* ToBool: a number is not zero; a tensor of more is not empty. */
void lc_tf_op_to_bool(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c)) return;
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (s.rank > 0) {
        const int32_t shape = lc_tf_shape_tensor(c, x), axis = 0;
        const int32_t size = lc_build_reduce(c->b, LC_OP_REDUCE_PROD, shape, &axis, 1, false);
        lc_tf_give(c, 0, lc_tf_differ_with(c, size, 0));
    } else if (lc_tf_type(c, x) == LC_BOOL) {
        lc_tf_give(c, 0, x);
    } else if (lc_tf_can(c, 0, LC_TF_COMMON | LC_TF_WRAPS)) {
        lc_tf_give(c, 0, lc_tf_differ_with(c, lc_tf_carried(c, x, LC_TF_COMMON | LC_TF_WRAPS), 0));
    }
}

/* ---- choice ------------------------------------------------------------------------------------------------------------ */

/* A type that LiteRT's SELECT moves: not strings. */
static bool can_move(lc_tf_call *c, lc_dtype type) {
    if (lc_dtype_bits(type) >= 8 && lc_dtype_bits(type) <= 64) return true;
    lc_tf_missing(c, "no TFLite operator chooses between tensors of %s", lc_dtype_name(type));
    return false;
}

/* Whether all of a condition is `value`: a constant, or one number spread. */
static bool is_all(lc_tf_call *c, int32_t condition, bool value) {
    int64_t values[1024];
    uint32_t n;
    bool all = lc_tf_ints(c, condition, values, 1024, &n) && n > 0;
    for (uint32_t i = 0; all && i < n; i++) all = (values[i] != 0) == value;
    return all;
}

/* What such a condition chooses, where the shape is that of the chosen anyway. -1: it does not. */
static int32_t chosen(lc_tf_call *c, int32_t condition, int32_t x, int32_t y) {
    for (int i = 0; i < 2 && lc_tf_ok(c); i++) {
        const int32_t one = i ? y : x, other = i ? x : y, plain = lc_tf_unfilled(c, condition, one);
        if (is_all(c, plain, i == 0) && lc_tf_covers(c, one, plain) && lc_tf_covers(c, one, other)) return one;
    }
    return -1;
}

void lc_tf_op_select_v2(lc_tf_call *c) {
    const int32_t condition = lc_tf_in(c, 0), x = lc_tf_in(c, 1), y = lc_tf_in(c, 2);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t one = chosen(c, condition, x, y);
    if (one >= 0 && type == lc_tf_type(c, y) && type != LC_STRING) {
        lc_tf_give(c, 0, one);
    } else if (lc_tf_is_complex(type)) {
        const lc_tf_pair a = lc_tf_parts(c, x), b = lc_tf_parts(c, y);
        const int32_t re = lc_tf_choose(c, condition, a.re, b.re), im = lc_tf_choose(c, condition, a.im, b.im);
        lc_tf_give(c, 0, lc_tf_joined(c, (lc_tf_pair){re, im}, type));
    } else if (can_move(c, type)) {
        lc_tf_give(c, 0, lc_tf_choose(c, condition, x, y));
    }
}

/* Select: x and y of one shape, the condition of the same, a scalar, or one bool for each entry of the first dimension. */
void lc_tf_op_select(lc_tf_call *c) {
    const int32_t condition = lc_tf_in(c, 0), x = lc_tf_in(c, 1), y = lc_tf_in(c, 2);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t rank = lc_tf_shape(c, condition).rank;
    if (rank == 0 || rank == lc_tf_shape(c, x).rank) {
        lc_tf_op_select_v2(c);
    } else if (lc_tf_is_complex(type)) {
        lc_tf_missing(c, "no TFLite operator chooses rows of complex tensors");
    } else if (can_move(c, type)) {
        const int32_t in[3] = {condition, x, y};
        const int32_t out = lc_build_op(c->b, LC_OP_SELECT, LC_TABLE_SelectOptions, NULL, in, 3);
        /* Whatever is known of the condition's length, the result is like x and y: "no more after sequence_length[b]" in a loop. */
        if (lc_tf_ok(c) && !lc_tf_is_const(c, out)) {
            lc_tf_known like = *lc_tf_known_of(c->b, lc_tf_shape(c, x).rank == LC_RANK_UNKNOWN ? y : x);
            memset(like.value, 0, sizeof like.value);
            lc_tf_know(c->b, out, &like);
        }
        lc_tf_give(c, 0, out);
    }
}
