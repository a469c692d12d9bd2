/*
 * tf_bits.c: bitwise operators, exact for every integer type. TFLite has BITWISE_XOR and RIGHT_SHIFT up to 32 bits, and STABLEHLO_AND of
 * equal shapes, also in 64 bits; the others follow from the arithmetic of two's complement, which wraps:
 *
 *   a | b = a + b - (a & b)        a ^ b = a + b - 2 (a & b)        ~a = -1 - a        a << n = a 2^n
 *   a & (2^n - 1) = a mod 2^n      a >> n of 64 bits from its halves: (high >> n - 32) 2^(32 - n) + (low >> n), counts below 0 as 0
 *
 * Shift counts below 0 count as 0 and counts of the width or more as the width less 1: that is what TensorFlow's kernels do, and
 * RIGHT_SHIFT.
 */
#include "lower/tf_math.h"

/* Input 0 (and 1) are integers of one type. */
static bool integers(lc_tf_call *c, uint32_t count, lc_dtype *type) {
    *type = lc_tf_type(c, lc_tf_in(c, 0));
    for (uint32_t i = 0; i < count && lc_tf_ok(c); i++) {
        const lc_dtype t = lc_tf_type(c, lc_tf_in(c, i));
        if (!lc_tf_ok(c)) break;
        if (!lc_tf_is_integer(t)) lc_tf_fail(c, LC_INVALID, "its input %u is %s, needs integers", i, lc_dtype_name(t));
        else if (t != *type) lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, needs one type", lc_dtype_name(*type), lc_dtype_name(t));
    }
    return lc_tf_ok(c);
}

static bool wide(lc_dtype type) { return lc_dtype_bits(type) == 64; }

/* The bits in int32 or int64; bits above a narrow type's are whatever its sign says. */
static int32_t words(lc_tf_call *c, int32_t x) {
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_dtype_bits(type) < 32) return lc_build_cast(c->b, x, LC_INT32);
    return lc_tf_bits_as(c, x, wide(type) ? LC_INT64 : LC_INT32);
}

static int32_t unwords(lc_tf_call *c, int32_t y, lc_dtype type) {
    return lc_dtype_bits(type) < 32 ? lc_build_cast(c->b, y, type) : lc_tf_bits_as(c, y, type);
}

/* ---- and, or, xor, not -------------------------------------------------------------------------------------------------- */

/* x is a single constant 2^n - 1 below the sign: *modulus = 2^n. */
static bool low_bits(lc_tf_call *c, int32_t x, double *modulus) {
    int64_t v;
    uint32_t n;
    const int64_t most = wide(lc_tf_type(c, x)) ? INT64_C(1) << 52 : INT64_C(1) << 30;
    if (!lc_tf_ints(c, x, &v, 1, &n) || n != 1 || lc_tf_shape(c, x).rank != 0 || v < 1 || v >= most || (v & (v + 1))) return false;
    *modulus = (double)(v + 1);
    return true;
}

static int32_t and_of_words(lc_tf_call *c, int32_t a, int32_t b) {
    double modulus;
    if (low_bits(c, b, &modulus)) return lc_tf_with(c, LC_OP_FLOOR_MOD, a, modulus);
    if (low_bits(c, a, &modulus)) return lc_tf_with(c, LC_OP_FLOOR_MOD, b, modulus);
    lc_tf_match(c, &a, &b);
    return lc_tf_binary(c, LC_OP_STABLEHLO_AND, a, b);
}

void lc_tf_op_bitwise_and(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 2, &type)) return;
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    if (lc_tf_same_shape(c, x, y)) {
        lc_tf_give(c, 0, lc_tf_binary(c, LC_OP_STABLEHLO_AND, x, y));
        return;
    }
    const int32_t a = words(c, x), b = words(c, y);
    lc_tf_give(c, 0, unwords(c, and_of_words(c, a, b), type));
}

/* a + b - k (a & b) */
static void sum_less_and(lc_tf_call *c, lc_dtype type, double k) {
    const int32_t a = words(c, lc_tf_in(c, 0)), b = words(c, lc_tf_in(c, 1));
    const int32_t sum = lc_tf_add(c, a, b), both = and_of_words(c, a, b);
    lc_tf_give(c, 0, unwords(c, lc_tf_sub(c, sum, k == 1 ? both : lc_tf_mul_with(c, both, k)), type));
}

void lc_tf_op_bitwise_or(lc_tf_call *c) {
    lc_dtype type;
    if (integers(c, 2, &type)) sum_less_and(c, type, 1);
}

void lc_tf_op_bitwise_xor(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 2, &type)) return;
    if (wide(type)) sum_less_and(c, type, 2);
    else lc_tf_give(c, 0, lc_tf_binary(c, LC_OP_BITWISE_XOR, lc_tf_in(c, 0), lc_tf_in(c, 1)));
}

void lc_tf_op_invert(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 1, &type)) return;
    const int32_t x = lc_tf_in(c, 0), bits = (int32_t)lc_dtype_bits(type);
    const bool is_signed = type == LC_INT8 || type == LC_INT16 || type == LC_INT32;
    if (wide(type)) lc_tf_give(c, 0, unwords(c, lc_tf_from(c, LC_OP_SUB, -1, words(c, x)), type));
    else lc_tf_give(c, 0, lc_tf_with(c, LC_OP_BITWISE_XOR, x, is_signed ? -1 : (double)((INT64_C(1) << bits) - 1)));
}

/* ---- shifts --------------------------------------------------------------------------------------------------------------- */

/* The count as int32 in [0, width). */
static int32_t count_of(lc_tf_call *c, int32_t y, lc_dtype type) {
    const int32_t most = (int32_t)lc_dtype_bits(type) - 1;
    const bool is_signed = type == LC_INT8 || type == LC_INT16 || type == LC_INT32 || type == LC_INT64;
    y = type == LC_UINT32 ? lc_build_cast(c->b, y, LC_INT64) : words(c, y);
    int32_t n = lc_tf_least_with(c, y, most);
    if (type == LC_UINT64) n = lc_tf_choose_value(c, lc_tf_less_with(c, y, 0), most, n); /* a count of 2^63 or more */
    else if (is_signed) n = lc_tf_most_with(c, n, 0);
    return lc_build_cast(c->b, n, LC_INT32);
}

/* 2^n of int32 counts, in a type whose top bit is the sign. */
static int32_t power_of_two(lc_tf_call *c, int32_t n, lc_dtype type) {
    int64_t table[64];
    const uint32_t width = lc_dtype_bits(type);
    for (uint32_t i = 0; i < width; i++) table[i] = (int64_t)(UINT64_C(1) << i);
    if (width == 32) table[31] = INT32_MIN;
    return lc_tf_gather(c, lc_tf_const_ints(c, table, width, type), n, 0, 0);
}

void lc_tf_op_left_shift(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 2, &type)) return;
    const int32_t x = words(c, lc_tf_in(c, 0)), n = count_of(c, lc_tf_in(c, 1), type);
    lc_tf_give(c, 0, unwords(c, lc_tf_mul(c, x, power_of_two(c, n, lc_tf_type(c, x))), type));
}

/* Half k (0: the low one) of int64s as int32. */
static int32_t half(lc_tf_call *c, int32_t halves, int32_t k) { return lc_tf_gather(c, halves, lc_tf_scalar(c, k, LC_INT32), -1, 0); }

/* max(n - by, 0) as a count for words of `type`. */
static int32_t beyond(lc_tf_call *c, int32_t n, int32_t by, lc_dtype type) {
    return lc_build_cast(c->b, lc_tf_most_with(c, lc_tf_sub_with(c, n, by), 0), type);
}

static int32_t shift_right_64(lc_tf_call *c, int32_t x, int32_t y, lc_dtype type) {
    const lc_dtype top = type == LC_UINT64 ? LC_UINT32 : LC_INT32;
    const int32_t n = count_of(c, y, type), halves = lc_tf_bits_as(c, x, LC_INT32);
    /* in two steps, as one cannot be 32 */
    int32_t low = lc_tf_bits_as(c, half(c, halves, 0), LC_UINT32), high = lc_tf_bits_as(c, half(c, halves, 1), top);
    low = lc_tf_binary(c, LC_OP_RIGHT_SHIFT, low, lc_build_cast(c->b, lc_tf_least_with(c, n, 16), LC_UINT32));
    low = lc_tf_binary(c, LC_OP_RIGHT_SHIFT, low, beyond(c, n, 16, LC_UINT32));
    high = lc_tf_binary(c, LC_OP_RIGHT_SHIFT, high, beyond(c, n, 32, top));
    const int32_t up = lc_tf_most_with(c, lc_tf_from(c, LC_OP_SUB, 32, n), 0), wide_high = lc_build_cast(c->b, high, LC_INT64);
    const int32_t placed = lc_tf_mul(c, wide_high, power_of_two(c, up, LC_INT64));
    return lc_tf_bits_as(c, lc_tf_add(c, placed, lc_build_cast(c->b, low, LC_INT64)), type);
}

void lc_tf_op_right_shift(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 2, &type)) return;
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    lc_tf_give(c, 0, wide(type) ? shift_right_64(c, x, y, type) : lc_tf_binary(c, LC_OP_RIGHT_SHIFT, x, y));
}

/* ---- counting bits ---------------------------------------------------------------------------------------------------------- */

/* Of each byte from a table, then summed. */
void lc_tf_op_population_count(lc_tf_call *c) {
    lc_dtype type;
    if (!integers(c, 1, &type)) return;
    int64_t table[256];
    for (int i = 0; i < 256; i++) {
        table[i] = 0;
        for (int k = i; k; k >>= 1) table[i] += k & 1;
    }
    const int32_t bytes = lc_build_cast(c->b, lc_tf_bits_as(c, lc_tf_in(c, 0), LC_UINT8), LC_INT32), last = -1;
    int32_t n = lc_tf_gather(c, lc_tf_const_ints(c, table, 256, LC_INT32), bytes, 0, 0);
    if (lc_dtype_bits(type) > 8) n = lc_build_reduce(c->b, LC_OP_SUM, n, &last, 1, false);
    lc_tf_give(c, 0, lc_build_cast(c->b, n, LC_UINT8));
}

/* ---- the next number ---------------------------------------------------------------------------------------------------------- */

/* Bits of floats as integers in the order of the numbers, both zeros 0: the lowest integer less the bits of a negative one. Its own
 * inverse. */
static int32_t ordered(lc_tf_call *c, int32_t bits, double lowest) {
    const int32_t negative = lc_tf_less_with(c, bits, 0);
    return lc_tf_choose(c, negative, lc_tf_from(c, LC_OP_SUB, lowest, bits), bits);
}

/* NextAfter: x1's neighbour in x2's direction. float64 too, exactly: everything happens in the bits. */
void lc_tf_op_next_after(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c)) return;
    if (type != LC_FLOAT32 && type != LC_FLOAT64) {
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs float32 or float64", lc_dtype_name(type));
        return;
    }
    const bool single = type == LC_FLOAT32;
    const lc_dtype integer = single ? LC_INT32 : LC_INT64;
    const double lowest = single ? -0x1p31 : -0x1p63, infinity = single ? 0x7f8p20 : 0x7ffp52, nan = single ? 0x7fcp20 : 0x7ff8p48;
    const int32_t a = ordered(c, lc_tf_bits_as(c, x, integer), lowest), b = ordered(c, lc_tf_bits_as(c, y, integer), lowest);
    const int32_t up = lc_build_cast(c->b, lc_tf_more(c, b, a), integer), down = lc_build_cast(c->b, lc_tf_less(c, b, a), integer);
    const int32_t moved = ordered(c, lc_tf_add(c, a, lc_tf_sub(c, up, down)), lowest);
    /* either is no number */
    const int32_t high = lc_tf_more_with(c, lc_tf_most(c, a, b), infinity), low = lc_tf_less_with(c, lc_tf_least(c, a, b), -infinity);
    const int32_t none = lc_tf_binary(c, LC_OP_LOGICAL_OR, high, low);
    lc_tf_give(c, 0, lc_tf_bits_as(c, lc_tf_choose_value(c, none, nan, moved), type));
}
