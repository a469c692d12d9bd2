/*
 * tf_reduce.c: sums, products and extremes along axes, and where an extreme is. What stays true: no axis reduces nothing; an axis that is
 * no constant goes to the run; narrow integers sum in int32 and wrap when they land, means of integers drop their fraction.
 */
#include "lower/tf_math.h"

typedef struct axes {
    int32_t tensor; /* int32, for the builtin */
    bool none;      /* known to be empty */
} axes;

/* The axes of a reduction (input 1). Constant ones are checked. */
static axes axes_of(lc_tf_call *c, int32_t x) {
    axes a = {.tensor = lc_tf_in(c, 1)};
    int64_t v[64];
    uint32_t n;
    int32_t list[64];
    const lc_shape s = lc_tf_shape(c, x);
    if (!lc_tf_ints(c, a.tensor, v, 64, &n)) {
        if (lc_tf_ok(c) && lc_tf_is_const(c, a.tensor)) lc_tf_need_ints(c, a.tensor, "axis", v, 64);
        a.tensor = lc_tf_int32(c, a.tensor);
        return a;
    }
    for (uint32_t i = 0; i < n && lc_tf_ok(c); i++) {
        const bool ranked = s.rank != LC_RANK_UNKNOWN;
        list[i] = lc_tf_axis(c, v[i], ranked ? s.rank : LC_MAX_RANK);
        if (!ranked && lc_tf_ok(c)) list[i] = (int32_t)v[i]; /* a negative axis stays so */
    }
    a.none = n == 0;
    if (n && lc_tf_ok(c)) a.tensor = lc_build_ints(c->b, "axes", list, n);
    return a;
}

static int32_t reduce(lc_tf_call *c, int32_t op, int32_t x, const axes *a) {
    if (a->none) return x;
    const lc_ReducerOptions o = {.keep_dims = lc_tf_attr_bool(c, "keep_dims", false)};
    const int32_t in[2] = {x, a->tensor};
    return lc_build_op(c->b, op, LC_TABLE_ReducerOptions, &o, in, 2);
}

static void reduce_op(lc_tf_call *c, uint32_t types) {
    const int32_t x = lc_tf_in(c, 0);
    if (!lc_tf_ok(c) || !lc_tf_can(c, 0, types)) return;
    const axes a = axes_of(c, x);
    if (a.none) lc_tf_give(c, 0, x);
    else lc_tf_give(c, 0, lc_tf_land(c, reduce(c, c->row->op, lc_tf_carried(c, x, types), &a), lc_tf_type(c, x)));
}

/* Of complex numbers the parts. */
static void reduce_parts(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const axes a = axes_of(c, x);
    const lc_tf_pair z = lc_tf_parts(c, x);
    const int32_t re = reduce(c, c->row->op, z.re, &a), im = reduce(c, c->row->op, z.im, &a);
    lc_tf_give(c, 0, lc_tf_joined(c, (lc_tf_pair){re, im}, lc_tf_type(c, x)));
}

void lc_tf_op_sum(lc_tf_call *c) { /* Sum, Mean */
    if (lc_tf_is_complex(lc_tf_type(c, lc_tf_in(c, 0)))) reduce_parts(c);
    else reduce_op(c, LC_TF_COMMON | (c->row->op == LC_OP_SUM ? LC_TF_WRAPS : 0));
}

void lc_tf_op_prod(lc_tf_call *c) { reduce_op(c, LC_TF_COMMON | LC_TF_WRAPS); }

#define EXTREMUM_TYPES (LC_TF_COMMON | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT16))

void lc_tf_op_reduce_extremum(lc_tf_call *c) { /* Max, Min */
    const int32_t x = lc_tf_in(c, 0);
    if (lc_tf_type(c, x) != LC_UINT64) {
        reduce_op(c, EXTREMUM_TYPES);
        return;
    }
    const axes a = axes_of(c, x);
    const int32_t y = reduce(c, c->row->op, lc_tf_flip(c, lc_tf_bits_as(c, x, LC_INT64)), &a);
    lc_tf_give(c, 0, lc_tf_bits_as(c, lc_tf_flip(c, y), LC_UINT64));
}

void lc_tf_op_reduce_bool(lc_tf_call *c) { reduce_op(c, LC_TF_T(BOOL)); } /* All, Any */

void lc_tf_op_euclidean_norm(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c)) return;
    if (lc_tf_is_complex(type)) {
        lc_tf_missing(c, "no TFLite operator does this for %s", lc_dtype_name(type));
        return;
    }
    if (!lc_tf_is_real(type) && !lc_tf_can(c, 0, LC_TF_COMMON)) return;
    const axes a = axes_of(c, x);
    const int32_t square = lc_tf_unary(c, LC_OP_SQUARE, lc_build_cast(c->b, x, LC_FLOAT32));
    lc_tf_give(c, 0, lc_build_cast(c->b, lc_tf_unary(c, LC_OP_SQRT, reduce(c, LC_OP_SUM, square, &a)), type));
}

/* ---- where the extreme is --------------------------------------------------------------------------------------------- */

static int32_t arg(lc_tf_call *c, int32_t op, int32_t x, int32_t axis, lc_dtype type) {
    const int32_t in[2] = {x, axis};
    const lc_ArgMaxOptions largest = {.output_type = (int8_t)type};
    const lc_ArgMinOptions smallest = {.output_type = (int8_t)type};
    if (op == LC_OP_ARG_MAX) return lc_build_op(c->b, op, LC_TABLE_ArgMaxOptions, &largest, in, 2);
    return lc_build_op(c->b, op, LC_TABLE_ArgMinOptions, &smallest, in, 2);
}

/* ArgMax, ArgMin. The builtin has no int64: there it is the first element that equals the extreme. */
void lc_tf_op_arg(lc_tf_call *c) {
    const uint32_t types = LC_TF_T(FLOAT32) | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT32) | LC_TF_T(BOOL);
    int32_t x = lc_tf_in(c, 0), axis = lc_tf_in(c, 1);
    const lc_dtype wanted = lc_tf_made_type(c, "output_type", LC_INT64);
    if (!lc_tf_ok(c)) return;
    const lc_dtype type = lc_tf_type(c, x), made = wanted == LC_INT64 ? LC_INT64 : LC_INT32;
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t k;
    uint32_t n;
    if (lc_tf_ints(c, axis, &k, 1, &n) && n == 1) axis = lc_tf_scalar(c, lc_tf_axis(c, k, s.rank), LC_INT32);
    else axis = lc_tf_int32(c, axis);
    if (type == LC_INT64 || type == LC_UINT32 || type == LC_UINT64) {
        x = type == LC_UINT64 ? lc_tf_flip(c, lc_tf_bits_as(c, x, LC_INT64)) : lc_build_cast(c->b, x, LC_INT64);
        const lc_ReducerOptions keep = {.keep_dims = true};
        const int32_t in[2] = {x, axis};
        const int32_t op = c->row->op == LC_OP_ARG_MAX ? LC_OP_REDUCE_MAX : LC_OP_REDUCE_MIN;
        const int32_t extreme = lc_build_op(c->b, op, LC_TABLE_ReducerOptions, &keep, in, 2);
        x = arg(c, LC_OP_ARG_MAX, lc_tf_equal(c, x, extreme), axis, made);
    } else {
        if (!lc_tf_can(c, 0, types)) return;
        x = arg(c, c->row->op, lc_tf_carried(c, x, types), axis, made);
    }
    lc_tf_give(c, 0, lc_build_cast(c->b, x, wanted));
}
