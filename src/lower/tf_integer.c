/*
 * tf_integer.c: int64 arithmetic that no builtin has: quotients and powers. Exact over the whole range, from what LiteRT's kernels take:
 * ADD, SUB, MUL, FLOOR_MOD, comparisons of int64 and arithmetic of float32.
 *
 * A quotient n / b without remainder comes from float32 quotients: d = round(float(n) / float(b)) is wrong by at most 3 2^-24 of itself,
 * and n - d b, which may wrap on the way, is the rest to divide next. |n / b| <= 2^63 leaves 2^41, then 2^18, then nothing: three rounds.
 */
#include "lower/tf_math.h"

enum { QUOTIENT_ROUNDS = 3, POWER_BITS = 6 };

static int32_t truth_as(lc_tf_call *c, int32_t condition, lc_dtype type) { return lc_build_cast(c->b, condition, type); }

int32_t lc_tf_div_int64(lc_tf_call *c, int32_t a, int32_t b, bool floor) {
    const int32_t rest = lc_tf_binary(c, LC_OP_FLOOR_MOD, a, b); /* has b's sign */
    const int32_t some = lc_tf_differ_with(c, rest, 0), a_negative = lc_tf_less_with(c, a, 0), b_negative = lc_tf_less_with(c, b, 0);
    const int32_t apart = lc_tf_binary(c, LC_OP_LOGICAL_AND, some, lc_tf_differ(c, a_negative, b_negative));
    /* a less its remainder towards zero: that does not overflow */
    int32_t n = lc_tf_sub(c, a, lc_tf_choose(c, apart, lc_tf_sub(c, rest, b), rest)), q = -1;
    const int32_t divisor = lc_build_cast(c->b, b, LC_FLOAT32);
    for (int i = 0; i < QUOTIENT_ROUNDS; i++) {
        const int32_t real = lc_tf_div(c, lc_build_cast(c->b, n, LC_FLOAT32), divisor);
        const int32_t d = lc_build_cast(c->b, lc_tf_unary(c, LC_OP_ROUND, real), LC_INT64);
        q = i ? lc_tf_add(c, q, d) : d;
        if (i + 1 < QUOTIENT_ROUNDS) n = lc_tf_sub(c, n, lc_tf_mul(c, d, b));
    }
    return floor ? lc_tf_sub(c, q, truth_as(c, apart, LC_INT64)) : q;
}

/* x^e by squaring for an exponent that is known. */
int32_t lc_tf_power_of(lc_tf_call *c, int32_t x, uint64_t e) {
    int32_t y = -1;
    if (e == 0) return lc_tf_filled_like(c, x, 1, lc_tf_type(c, x));
    for (; e; e >>= 1) {
        if (e & 1) y = y < 0 ? x : lc_tf_mul(c, y, x);
        if (e > 1) x = lc_tf_mul(c, x, x);
    }
    return y;
}

/* x^e for exponents from 0 on. From 64 on only 0, 1 and -1 have a power in the range, which is that of 62 or 63. */
int32_t lc_tf_power_int64(lc_tf_call *c, int32_t x, int32_t e) {
    const int32_t last = lc_tf_add_with(c, lc_tf_with(c, LC_OP_FLOOR_MOD, e, 2), 62);
    int32_t rest = lc_build_cast(c->b, lc_tf_least(c, e, last), LC_INT32), y = -1;
    for (int i = 0; i < POWER_BITS; i++) {
        const int32_t odd = lc_build_cast(c->b, lc_tf_with(c, LC_OP_FLOOR_MOD, rest, 2), LC_BOOL);
        const int32_t factor = lc_tf_choose_else(c, odd, x, 1);
        y = i ? lc_tf_mul(c, y, factor) : factor;
        if (i + 1 == POWER_BITS) break;
        rest = lc_tf_with(c, LC_OP_FLOOR_DIV, rest, 2);
        x = lc_tf_mul(c, x, x);
    }
    return y;
}
