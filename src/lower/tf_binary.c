/*
 * tf_binary.c: arithmetic on two tensors that broadcast to each other. What stays true: integers wrap at their own width and divide as
 * TensorFlow's do (Div, TruncateDiv towards zero, FloorDiv down); a division of integers by zero is an error of the run, as there; what
 * the NoNan forms and Xlogy say about zero holds for -0, infinities and NaN too.
 */
#include "lower/tf_math.h"

#include <math.h>

typedef int32_t (*binary_fn)(lc_tf_call *c, int32_t x, int32_t y);

static void binary_op(lc_tf_call *c, uint32_t types, binary_fn f) {
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_ok(c) && lc_tf_is_complex(type)) {
        lc_tf_complex_op(c);
    } else if (lc_tf_can(c, 0, types) && lc_tf_can(c, 1, types)) {
        if (lc_tf_type(c, y) != type) {
            lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs one type", lc_dtype_name(type), lc_dtype_name(lc_tf_type(c, y)));
            return;
        }
        const int32_t a = lc_tf_carried(c, x, types), b = lc_tf_carried(c, y, types);
        lc_tf_give(c, 0, lc_tf_land(c, f(c, a, b), type));
    }
}

static bool whole(lc_tf_call *c, int32_t x) { return lc_tf_type(c, x) != LC_FLOAT32; }

static int32_t builtin(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, c->row->op, x, y); }

static int32_t arithmetic(lc_tf_call *c, int32_t x, int32_t y) {
    const bool product = c->row->op == LC_OP_MUL;
    const int32_t a = lc_tf_unfilled(c, x, y), b = lc_tf_unfilled(c, y, x);
    if (product && lc_tf_is_number(c, b, 1)) return x;
    if (product && lc_tf_is_number(c, a, 1)) return y;
    return a != x && b != y ? builtin(c, x, y) : builtin(c, a, b); /* one of them has the shape */
}

/* Add, AddV2, Sub, Mul */
void lc_tf_op_arithmetic(lc_tf_call *c) { binary_op(c, LC_TF_COMMON | LC_TF_WRAPS, arithmetic); }

/* ---- division ----------------------------------------------------------------------------------------------------------- */

static int32_t divide(lc_tf_call *c, int32_t x, int32_t y) {
    if (lc_tf_is_number(c, y, 1)) return x;
    return lc_tf_type(c, x) == LC_INT64 ? lc_tf_div_int64(c, x, y, false) : lc_tf_div(c, x, y);
}

/* Of float32 FLOOR_DIV is not it: it floors a double, 1 / 0.1 to 9. */
static int32_t divide_down(lc_tf_call *c, int32_t x, int32_t y) {
    if (!whole(c, x)) return lc_tf_unary(c, LC_OP_FLOOR, lc_tf_div(c, x, y));
    return lc_tf_type(c, x) == LC_INT64 ? lc_tf_div_int64(c, x, y, true) : lc_tf_binary(c, LC_OP_FLOOR_DIV, x, y);
}

static int32_t divide_to_zero(lc_tf_call *c, int32_t x, int32_t y) {
    if (whole(c, x)) return divide(c, x, y);
    const int32_t q = lc_tf_div(c, x, y), sign = lc_tf_unary(c, LC_OP_SIGN, q);
    return lc_tf_mul(c, sign, lc_tf_unary(c, LC_OP_FLOOR, lc_tf_unary(c, LC_OP_ABS, q)));
}

/* The remainder with the dividend's sign. FLOOR_MOD's has the divisor's: of integers that is put right by one divisor; of floats that
 * would round, so it is taken of magnitudes. */
static int32_t remainder_to_zero(lc_tf_call *c, int32_t x, int32_t y) {
    if (!whole(c, x)) {
        const int32_t a = lc_tf_unary(c, LC_OP_ABS, x), b = lc_tf_unary(c, LC_OP_ABS, y);
        const int32_t rest = lc_tf_binary(c, LC_OP_FLOOR_MOD, a, b);
        return lc_tf_mul(c, rest, lc_tf_unary(c, LC_OP_SIGN, x));
    }
    const int32_t rest = lc_tf_binary(c, LC_OP_FLOOR_MOD, x, y), some = lc_tf_differ_with(c, rest, 0);
    const int32_t x_negative = lc_tf_less_with(c, x, 0), rest_negative = lc_tf_less_with(c, rest, 0);
    const int32_t apart = lc_tf_binary(c, LC_OP_LOGICAL_AND, some, lc_tf_differ(c, x_negative, rest_negative));
    return lc_tf_choose(c, apart, lc_tf_sub(c, rest, y), rest);
}

void lc_tf_op_divide(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, divide); }         /* Div, RealDiv */
void lc_tf_op_floor_div(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, divide_down); } /* FloorDiv */
void lc_tf_op_truncate_div(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, divide_to_zero); }
void lc_tf_op_floor_mod(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, builtin); }
void lc_tf_op_truncate_mod(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, remainder_to_zero); } /* Mod, TruncateMod */

/* ---- larger, smaller ------------------------------------------------------------------------------------------------------ */

#define EXTREMUM_TYPES (LC_TF_COMMON | LC_TF_T(FLOAT16) | LC_TF_T(BFLOAT16) | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT16))

void lc_tf_op_extremum(lc_tf_call *c) { /* Maximum, Minimum */
    const int32_t x = lc_tf_in(c, 0);
    if (lc_tf_type(c, x) != LC_UINT64) {
        binary_op(c, EXTREMUM_TYPES, builtin);
        return;
    }
    const int32_t a = lc_tf_flip(c, lc_tf_bits_as(c, x, LC_INT64)), b = lc_tf_flip(c, lc_tf_bits_as(c, lc_tf_in(c, 1), LC_INT64));
    lc_tf_give(c, 0, lc_tf_bits_as(c, lc_tf_flip(c, builtin(c, a, b)), LC_UINT64));
}

/* The only element of a constant. */
static bool constant(lc_tf_call *c, int32_t x, float *value) {
    uint32_t n;
    return lc_tf_floats(c, x, value, 1, &n) && n == 1;
}

/* No less than low, then no more than high; the ranges of RELU6 and its like are one operator. */
void lc_tf_op_clip_by_value(lc_tf_call *c) {
    static const struct {
        float low, high;
        int32_t op;
    } known[] = {{0, 6, LC_OP_RELU6}, {0, 1, LC_OP_RELU_0_TO_1}, {-1, 1, LC_OP_RELU_N1_TO_1}};
    int32_t x = lc_tf_in(c, 0), low = lc_tf_in(c, 1), high = lc_tf_in(c, 2);
    if (!lc_tf_can(c, 0, EXTREMUM_TYPES)) return;
    const lc_dtype type = lc_tf_type(c, x);
    float a, b;
    if (type == LC_FLOAT32 && constant(c, low, &a) && constant(c, high, &b))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (known[i].low == a && known[i].high == b) {
                lc_tf_give(c, 0, lc_tf_unary(c, known[i].op, x));
                return;
            }
    x = lc_tf_carried(c, x, EXTREMUM_TYPES);
    low = lc_tf_carried(c, low, EXTREMUM_TYPES);
    high = lc_tf_carried(c, high, EXTREMUM_TYPES);
    lc_tf_give(c, 0, lc_tf_land(c, lc_tf_most(c, lc_tf_least(c, x, high), low), type));
}

/* ---- powers ------------------------------------------------------------------------------------------------------------------- */

static int32_t squared_difference(lc_tf_call *c, int32_t x, int32_t y) {
    if (lc_tf_type(c, x) != LC_INT64) return lc_tf_binary(c, LC_OP_SQUARED_DIFFERENCE, x, y);
    const int32_t d = lc_tf_sub(c, x, y);
    return lc_tf_mul(c, d, d);
}
void lc_tf_op_squared_difference(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, squared_difference); }

static int32_t power_of_int64(lc_tf_call *c, int32_t x, int32_t y) {
    int64_t e;
    uint32_t n;
    if (lc_tf_ints(c, y, &e, 1, &n) && n == 1 && e >= 0 && lc_tf_shape(c, y).rank == 0) return lc_tf_power_of(c, x, (uint64_t)e);
    return lc_tf_power_int64(c, x, y);
}

/* Powers by a constant that are an operator of their own; of integers POW is good to 53 bits only, so a square is a product. */
static int32_t power(lc_tf_call *c, int32_t x, int32_t y) {
    float e;
    int64_t k;
    uint32_t n;
    if (lc_tf_type(c, x) == LC_INT64) return power_of_int64(c, x, y);
    if (lc_tf_shape(c, y).rank == 0 && constant(c, y, &e)) {
        if (e == 1) return x;
        if (e == 2) return lc_tf_unary(c, LC_OP_SQUARE, x);
        if (e == 0.5f) return lc_tf_unary(c, LC_OP_SQRT, x);
        if (e == -0.5f) return lc_tf_unary(c, LC_OP_RSQRT, x);
        if (e == -1) return lc_tf_from(c, LC_OP_DIV, 1, x);
    }
    if (lc_tf_shape(c, y).rank == 0 && lc_tf_ints(c, y, &k, 1, &n) && n == 1 && k == 2) return lc_tf_mul(c, x, x);
    return lc_tf_binary(c, LC_OP_POW, x, y);
}
void lc_tf_op_power(lc_tf_call *c) { binary_op(c, LC_TF_COMMON, power); }

/* ---- of real numbers ------------------------------------------------------------------------------------------------------------ */

static void real_binary_op(lc_tf_call *c, binary_fn f) {
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    if (lc_tf_ok(c) && !lc_tf_is_real(type) && !lc_tf_is_complex(type))
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs a floating-point type", lc_dtype_name(type));
    else binary_op(c, LC_TF_T(FLOAT32), f);
}

/* y, but 0 where z is 0. */
static int32_t zero_where(lc_tf_call *c, int32_t z, int32_t y) { return lc_tf_choose_value(c, lc_tf_equal_with(c, z, 0), 0, y); }

static int32_t div_no_nan(lc_tf_call *c, int32_t x, int32_t y) { return zero_where(c, y, lc_tf_div(c, x, y)); }
static int32_t mul_no_nan(lc_tf_call *c, int32_t x, int32_t y) { return zero_where(c, y, lc_tf_mul(c, x, y)); }
static int32_t xdivy(lc_tf_call *c, int32_t x, int32_t y) { return zero_where(c, x, lc_tf_div(c, x, y)); }
static int32_t xlogy(lc_tf_call *c, int32_t x, int32_t y) { return zero_where(c, x, lc_tf_mul(c, x, lc_tf_unary(c, LC_OP_LOG, y))); }
static int32_t xlog1py(lc_tf_call *c, int32_t x, int32_t y) { return zero_where(c, x, lc_tf_mul(c, x, lc_tf_log1p(c, y))); }

void lc_tf_op_div_no_nan(lc_tf_call *c) { real_binary_op(c, div_no_nan); }
void lc_tf_op_mul_no_nan(lc_tf_call *c) { real_binary_op(c, mul_no_nan); }
void lc_tf_op_xdivy(lc_tf_call *c) { real_binary_op(c, xdivy); }
void lc_tf_op_xlogy(lc_tf_call *c) { real_binary_op(c, xlogy); }
void lc_tf_op_xlog1py(lc_tf_call *c) { real_binary_op(c, xlog1py); }
void lc_tf_op_atan2(lc_tf_call *c) { real_binary_op(c, lc_tf_atan2); }

/* ---- of any number of tensors ------------------------------------------------------------------------------------------------------- */

/* AddN, AccumulateNV2: all of one shape. */
void lc_tf_op_add_n(lc_tf_call *c) {
    const uint32_t types = LC_TF_COMMON | LC_TF_WRAPS;
    if (lc_tf_ok(c) && c->in_count == 0) lc_tf_fail(c, LC_INVALID, "it has no inputs, needs at least 1");
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    if (lc_tf_ok(c) && lc_tf_is_complex(type)) {
        lc_tf_complex_op(c);
        return;
    }
    if (!lc_tf_can(c, 0, types)) return;
    if (c->in_count > 2 && (type == LC_FLOAT32 || type == LC_INT32)) {
        int32_t *in = lc_build_data(c->b, c->in_count * sizeof *in);
        for (uint32_t i = 0; in && i < c->in_count; i++) in[i] = lc_tf_in(c, i);
        if (lc_tf_ok(c)) lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_ADD_N, LC_TABLE_AddNOptions, NULL, in, c->in_count));
        return;
    }
    int32_t sum = lc_tf_carried(c, lc_tf_in(c, 0), types);
    for (uint32_t i = 1; i < c->in_count; i++) sum = lc_tf_add(c, sum, lc_tf_carried(c, lc_tf_in(c, i), types));
    lc_tf_give(c, 0, lc_tf_land(c, sum, type));
}

/* The vector product along the last dimension, which is 3: (a1 b2 - a2 b1, ...) with the coordinates turned by one and by two. */
static int32_t turned(lc_tf_call *c, int32_t x, int32_t axis, int32_t by) {
    const int32_t order[3] = {by % 3, (by + 1) % 3, (by + 2) % 3};
    return lc_tf_gather(c, x, lc_tf_vector(c, order, 3), axis, 0);
}

void lc_tf_op_cross(lc_tf_call *c) {
    const uint32_t types = LC_TF_COMMON | LC_TF_WRAPS;
    if (!lc_tf_can(c, 0, types)) return;
    const int32_t a = lc_tf_carried(c, lc_tf_in(c, 0), types), b = lc_tf_carried(c, lc_tf_in(c, 1), types);
    const int32_t last = lc_tf_ranked(c, a).rank - 1;
    if (lc_tf_ok(c) && last < 0) lc_tf_fail(c, LC_INVALID, "its input is a single number, needs vectors of 3");
    const int32_t a1 = turned(c, a, last, 1), a2 = turned(c, a, last, 2), b1 = turned(c, b, last, 1), b2 = turned(c, b, last, 2);
    const int32_t plus = lc_tf_mul(c, a1, b2), minus = lc_tf_mul(c, a2, b1);
    lc_tf_give(c, 0, lc_tf_land(c, lc_tf_sub(c, plus, minus), lc_tf_type(c, lc_tf_in(c, 0))));
}
