/*
 * fixed16.c: see fixed16.h. exp of x < 0: the rest of x to a quarter by Taylor's series around -1/8, then a factor exp(-2^k) for each bit
 * above. (1 - e) / (1 + e) and 1 / (1 + e) by Newton-Raphson from 48/17 - 32/17 d. Numbers of the field's usual 32-bit tables, cut to 16.
 */
#include "kernels/fixed16.h"

/* Of a 32-bit constant. */
#define CUT(x) ((int16_t)(((x) + (1 << 15)) >> 16))

static int16_t wrap(int32_t x) { return (int16_t)(uint16_t)(uint32_t)x; }

int16_t lc_fixed16_mul(int16_t a, int16_t b) {
    if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
    const int32_t product = a * b;
    return (int16_t)((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

int16_t lc_fixed16_scale(int16_t x, int32_t n) {
    if (n <= 0) return (int16_t)lc_shift_right_round(x, -n);
    const int32_t limit = (1 << (15 - n)) - 1;
    return x > limit ? INT16_MAX : x < -limit ? INT16_MIN : (int16_t)(x * (1 << n));
}

/* exp(a) of a in [-1/4, 0), Q0. */
static int16_t exp_quarter(int16_t a) {
    static const int16_t exp_eighth = CUT(1895147668), third = CUT(715827883);
    const int16_t x = wrap(a + (1 << 12)), x2 = lc_fixed16_mul(x, x), x3 = lc_fixed16_mul(x2, x), x4 = lc_fixed16_mul(x2, x2);
    const int16_t rest = lc_fixed16_scale(wrap(lc_fixed16_mul(wrap(lc_fixed16_scale(x4, -2) + x3), third) + x2), -1);
    return lc_fixed16_clip(exp_eighth + lc_fixed16_mul(exp_eighth, wrap(x + rest)));
}

/* exp(a) of a <= 0 with `bits` integer bits (3 to 7, or fewer), as Q0. */
static int16_t exp_negative(int16_t a, int32_t bits) {
    static const int16_t powers[] = {CUT(1672461947), CUT(1302514674), CUT(790015084), CUT(290630308),
                                     CUT(39332535),   CUT(720401),     CUT(242)};
    const int32_t fraction = 15 - bits, quarter = 1 << (fraction - 2);
    if (a == 0) return INT16_MAX;
    if (bits > 5 && a < -(1 << (20 - bits))) return 0;
    const int16_t rest = wrap((a & (quarter - 1)) - quarter);
    int16_t result = exp_quarter(lc_fixed16_scale(rest, bits));
    const uint16_t left = (uint16_t)(rest - a);
    for (int32_t k = 0; k < 7 && k - 2 < bits; k++)
        if (left >> (fraction - 2 + k) & 1) result = lc_fixed16_mul(result, powers[k]);
    return result;
}

/* 2 / (1 + e) of e in [0, 1] (Q0) as Q2. */
static int16_t two_over_one_plus(int16_t e) {
    const int32_t sum = e + INT16_MAX;
    const int16_t half = (int16_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
    int16_t x = wrap(CUT(1515870810) + lc_fixed16_mul(half, CUT(-1010580540)));
    for (int i = 0; i < 3; i++) x = wrap(x + lc_fixed16_scale(lc_fixed16_mul(x, wrap((1 << 13) - lc_fixed16_mul(half, x))), 2));
    return x;
}

int16_t lc_fixed16_logistic(int16_t x) {
    if (x == 0) return 1 << 14;
    const int16_t y = lc_fixed16_scale(two_over_one_plus(exp_negative(x > 0 ? wrap(-x) : x, 3)), 1);
    return x > 0 ? y : wrap(INT16_MAX - y);
}

int16_t lc_fixed16_tanh(int16_t x, int32_t bits) {
    if (x == 0) return 0;
    const int16_t e = exp_negative(x > 0 ? wrap(-x) : x, bits + 1);
    const int16_t y = lc_fixed16_scale(wrap(two_over_one_plus(e) - (1 << 13)), 2);
    return x > 0 ? y : wrap(-y);
}
