/*
 * fixed.c: see fixed.h. The methods: exp by its Taylor series on [-1/4, 0) and the powers exp(-2^k) for the bits above; reciprocals by
 * Newton-Raphson from 48/17 - 32/17 d; the logarithm by a rational function around 2^(-1/4) after taking the power of two off twice (once
 * with a factor of sqrt(1/2)), of which the better fit counts; the inverse square root by five Newton-Raphson steps from 1.
 */
#include "kernels/fixed.h"

#include <limits.h>

static int32_t add(int32_t a, int32_t b) { return (int32_t)((uint32_t)a + (uint32_t)b); }
static int32_t sub(int32_t a, int32_t b) { return (int32_t)((uint32_t)a - (uint32_t)b); }
static int32_t clip(int64_t x) { return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x); }
/* Of x > 0. */
static int32_t leading_zeros(int32_t x) {
    int32_t n = 0;
    for (uint32_t u = (uint32_t)x; n < 32 && !(u & 0x80000000u); u <<= 1) n++;
    return n;
}
/* (a + b) / 2, ties away from zero. */
static int32_t half_sum(int32_t a, int32_t b) {
    const int64_t sum = (int64_t)a + b;
    return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

int32_t lc_fixed_shift_left(int32_t x, int32_t n) {
    if (n <= 0) return x;
    if (n > 31) n = 31;
    const int32_t limit = (int32_t)((1u << (31 - n)) - 1);
    return x > limit ? INT32_MAX : x < -limit ? INT32_MIN : lc_shift_left_wrap(x, n);
}

/* exp(x) of x in [-1/4, 0), Q0: Taylor's series to the fourth power around -1/8. */
static int32_t exp_quarter(int32_t a) {
    enum { EXP_EIGHTH = 1895147668 /* exp(-1/8) */, THIRD = 715827883 };
    const int32_t x = add(a, 1 << 28), x2 = lc_high_mul(x, x), x3 = lc_high_mul(x2, x), x4 = lc_high_mul(x2, x2);
    const int32_t rest = lc_shift_right_round(add(lc_high_mul(add(lc_shift_right_round(x4, 2), x3), THIRD), x2), 1);
    return add(EXP_EIGHTH, lc_high_mul(EXP_EIGHTH, add(x, rest)));
}

int32_t lc_fixed_exp(int32_t a) {
    enum { FRACTION = 26, QUARTER = 1 << (FRACTION - 2) };
    static const int32_t powers[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242}; /* exp(-2^k), k = -2 ... */
    if (a == 0) return INT32_MAX;
    const int32_t rest = (a & (QUARTER - 1)) - QUARTER;
    int32_t result = exp_quarter(lc_fixed_shift_left(rest, 5));
    const uint32_t left = (uint32_t)rest - (uint32_t)a;
    for (int32_t k = 0; k < 7; k++)
        if (left >> (FRACTION - 2 + k) & 1) result = lc_high_mul(result, powers[k]);
    return result;
}

/* 1 / (1 + a) of a in [0, 1], Q0. */
static int32_t one_over_one_plus(int32_t a) {
    const int32_t half_denominator = half_sum(a, INT32_MAX);
    int32_t x = add(1515870810, lc_high_mul(half_denominator, -1010580540)); /* 48/17 and -32/17 in Q2 */
    for (int i = 0; i < 3; i++) x = add(x, lc_fixed_shift_left(lc_high_mul(x, sub(1 << 29, lc_high_mul(half_denominator, x))), 2));
    return lc_fixed_shift_left(x, 1);
}

int32_t lc_fixed_reciprocal(int32_t x, int32_t digits, int32_t *over) {
    const int32_t zeros = leading_zeros(x);
    *over = digits - zeros;
    return one_over_one_plus((int32_t)(((uint32_t)x << (zeros > 31 ? 31 : zeros)) - 0x80000000u));
}

int32_t lc_fixed_log(int32_t input) {
    enum {
        IN = 12,
        ACCUMULATOR = 6,
        OUT = 5,
        LOG_2 = 1488522236,
        SQRT_SQRT_HALF = 1805811301,
        SQRT_HALF = 1518500250,
        ALPHA_N = 117049297,
        ALPHA_D = 127690142,
        ALPHA_I = 1057819769,
        ALPHA_F = 638450708,
        QUARTER = 1 << (29 - ACCUMULATOR)
    };
    const int32_t zeros = leading_zeros(input);
    const int32_t a = lc_fixed_shift_left(lc_high_mul(lc_fixed_shift_left(input, zeros - 1), SQRT_HALF), 1);
    const int32_t power_a = clip((int64_t)lc_fixed_shift_left(IN - zeros, 31 - ACCUMULATOR) + QUARTER);
    const int32_t zeros_b = leading_zeros(lc_high_mul(input, SQRT_HALF)) - 1;
    const int32_t b = lc_fixed_shift_left(input, zeros_b);
    const int32_t power_b = clip((int64_t)lc_fixed_shift_left(IN - zeros_b, 31 - ACCUMULATOR) - QUARTER);
    const int32_t r = a < b ? a : b, power = power_a > power_b ? power_a : power_b;

    const int32_t p = half_sum(r, SQRT_SQRT_HALF), q = add(sub(r, SQRT_SQRT_HALF), sub(r, SQRT_SQRT_HALF)), q2 = lc_high_mul(q, q);
    const int32_t numerator = add(lc_high_mul(q, r), lc_high_mul(lc_high_mul(q, q2), ALPHA_N));
    const int32_t denominator = add(lc_high_mul(p, add(add(ALPHA_I, q), lc_high_mul(ALPHA_D, q2))), lc_high_mul(ALPHA_F, q));
    const int32_t fraction = lc_high_mul(lc_shift_right_round(numerator, ACCUMULATOR), one_over_one_plus(denominator));
    return lc_fixed_shift_left(add(lc_high_mul(power, LOG_2), fraction), ACCUMULATOR - OUT);
}

lc_multiplier lc_fixed_inverse_sqrt(int32_t input) {
    enum { HALF_THREE = (1 << 28) + (1 << 27), HALF_SQRT_2 = 1518500250 };
    if (input <= 1) return (lc_multiplier){INT32_MAX, 0};
    int32_t right = 11;
    for (; input >= 1 << 29; right++) input /= 4;
    const int32_t pairs = (leading_zeros(input) - 1) / 2 - 1;
    right -= pairs;
    input = lc_shift_left_wrap(input, 2 * pairs); /* now in [2^27, 2^29): a Q3 number in [1/4, 1) after halving */
    const int32_t half_input = lc_shift_right_round(input >> 1, 1);
    int32_t x = 1 << 28;
    for (int i = 0; i < 5; i++) {
        const int32_t x3 = lc_fixed_shift_left(lc_high_mul(lc_high_mul(x, x), x), 6);
        x = lc_fixed_shift_left(sub(lc_high_mul(HALF_THREE, x), lc_high_mul(half_input, x3)), 3);
    }
    x = lc_high_mul(x, HALF_SQRT_2);
    if (right < 0) {
        x = lc_shift_left_wrap(x, -right);
        right = 0;
    }
    return (lc_multiplier){x, -right};
}
