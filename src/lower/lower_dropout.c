/*
 * lower_dropout.c: layers that do something in training alone: what their inverse keeps the mean of is gone in inference.
 *
 *   Dropout            each element with probability `rate` is 0, the others are divided by 1 - rate
 *   SpatialDropout     whole channels; noise_shape of Dropout says along which dimensions one number counts for all
 *   AlphaDropout       what is dropped is SELU's least value, and the rest is moved so that mean and variance stay
 *   GaussianDropout    x times numbers of mean 1 and variance rate / (1 - rate)
 *   GaussianNoise      x and numbers of deviation `stddev`
 *
 * Facts: keras/src/layers/regularization.
 */
#include "lower/lower.h"
#include "lower/training.h"

#include <math.h>

/* The option as a part of all; false: nothing is dropped, or it failed. */
static bool rate_of(lc_call *c, double *rate) {
    *rate = lc_opt_num(c, "rate", lc_opt_num(c, "p", 0.5));
    if (!(*rate >= 0 && *rate <= 1)) lc_opt_fail(c, "rate", "is %g, needs 0 to 1", *rate);
    return *rate > 0 && c->b->status == LC_OK;
}

static int32_t drop(lc_call *c, const bool *shared, const lc_shape *s, int32_t x) {
    double rate;
    uint32_t stream, bits = 0;
    if (!rate_of(c, &rate)) return x;
    if (rate == 1) return lc_build_unary(c->b, LC_OP_ZEROS_LIKE, x);
    for (int32_t i = 0; i < s->rank; i++) bits |= (uint32_t)shared[i] << i;
    lc_training_counter(c, &stream);
    return lc_training_dropout(c, x, (float)rate, stream, bits);
}

/* Along which dimensions one number counts for all. */
static bool read_noise_shape(lc_call *c, const lc_shape *s, bool *shared) {
    const lc_json *noise = lc_opt(c, "noise_shape");
    if (!lc_json_is(noise, LC_JSON_ARRAY)) return true;
    if (noise->count != (uint32_t)s->rank) {
        lc_opt_fail(c, "noise_shape", "has %u sizes, its input %d dimensions", noise->count, s->rank);
        return false;
    }
    for (uint32_t i = 0; i < noise->count; i++) {
        const lc_json *d = lc_json_at(noise, i);
        shared[i] = lc_json_is(d, LC_JSON_INT) && d->integer == 1;
    }
    return true;
}

int32_t lc_lower_dropout(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    bool shared[LC_MAX_RANK] = {false};
    lc_shape s;
    return lc_call_shape(c, x, &s) && read_noise_shape(c, &s, shared) ? drop(c, shared, &s, x) : -1;
}

int32_t lc_lower_spatial_dropout(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    const bool first = lc_opt_channels_first(c);
    bool shared[LC_MAX_RANK] = {false};
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    for (int32_t i = 1; i < s.rank; i++) shared[i] = i != (first ? 1 : s.rank - 1);
    return drop(c, shared, &s, x);
}

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }
static int32_t scalar(lc_call *c, int32_t op, int32_t x, double v) { return lc_build_with_scalar(c->b, op, x, "by", (float)v); }

/* Keeps x where a number is at least the rate; where not, -alpha scale of SELU. */
int32_t lc_lower_alpha_dropout(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    const double least = -1.6732632423543772 * 1.0507009873554805;
    bool shared[LC_MAX_RANK] = {false};
    double rate;
    lc_shape s;
    if (!lc_call_shape(c, x, &s) || !read_noise_shape(c, &s, shared) || !rate_of(c, &rate)) return x;
    if (rate == 1) return lc_opt_fail(c, "rate", "is 1: nothing would be left");
    for (int32_t i = 0; i < s.rank; i++)
        if (shared[i]) s.dims[i] = 1;
    const int32_t in[2] = {lc_training_random(c, s.dims, s.rank, false), lc_build_scalar(c->b, "rate", (float)rate)};
    const int32_t kept = lc_build_cast(c->b, lc_build_op(c->b, LC_OP_GREATER_EQUAL, LC_TABLE_NONE, NULL, in, 2), LC_FLOAT32);
    const int32_t lost = scalar(c, LC_OP_MUL, scalar(c, LC_OP_SUB, kept, 1), -least); /* least where it is dropped */
    const double a = 1 / sqrt((1 - rate) * (1 + rate * least * least));
    const int32_t y = binary(c, LC_OP_ADD, binary(c, LC_OP_MUL, x, kept), lost);
    return scalar(c, LC_OP_ADD, scalar(c, LC_OP_MUL, y, a), -a * least * rate);
}

/* mean + numbers of this deviation, of x's shape. */
static int32_t normal(lc_call *c, int32_t x, double mean, double deviation) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const int32_t y = scalar(c, LC_OP_MUL, lc_training_random(c, s.dims, s.rank, true), deviation);
    return mean != 0 ? scalar(c, LC_OP_ADD, y, mean) : y;
}

int32_t lc_lower_gaussian_dropout(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    double rate;
    if (!rate_of(c, &rate)) return x;
    if (rate == 1) return lc_opt_fail(c, "rate", "is 1: the deviation would be infinite");
    return binary(c, LC_OP_MUL, x, normal(c, x, 1, sqrt(rate / (1 - rate))));
}

int32_t lc_lower_gaussian_noise(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    const double deviation = lc_opt_num(c, "stddev", lc_opt_num(c, "sigma", 0));
    if (!(deviation >= 0)) return lc_opt_fail(c, "stddev", "is %g, needs 0 or more", deviation);
    return deviation == 0 ? x : binary(c, LC_OP_ADD, x, normal(c, x, 0, deviation));
}
