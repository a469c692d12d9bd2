/*
 * lower_dropout.c: layers that do something in training alone: what their inverse keeps the mean of is gone in inference.
 *
 *   Dropout            each element with probability `rate` is 0, the others are divided by 1 - rate
 *   SpatialDropout     whole channels; noise_shape of Dropout says along which dimensions one number counts for all
 *
 * Facts: keras/src/layers/regularization.
 */
#include "lower/lower.h"
#include "lower/training.h"

#include "grad/own.h"
#include <string.h>

static int32_t drop(lc_call *c, const bool *shared, const lc_shape *s, int32_t x) {
    const double rate = lc_opt_num(c, "rate", lc_opt_num(c, "p", 0.5));
    lc_dropout_options o = {.rate = (float)rate};
    if (!(rate >= 0 && rate <= 1)) return lc_opt_fail(c, "rate", "is %g, needs 0 to 1", rate);
    if (rate == 0) return x;
    if (rate == 1) return lc_build_unary(c->b, LC_OP_ZEROS_LIKE, x);
    for (int32_t i = 0; i < s->rank; i++) o.noise[i] = !shared[i];
    const int32_t counter = lc_training_counter(c, &o.stream), in[2] = {x, counter};
    return lc_build_own_one(c->b, &lc_own_DROPOUT, &o, sizeof o, in, 2);
}

int32_t lc_lower_dropout(lc_call *c) {
    if (!lc_training_mode(c)) return lc_lower_identity(c);
    const int32_t x = lc_call_float(c, 0);
    const lc_json *noise = lc_opt(c, "noise_shape");
    bool shared[LC_MAX_RANK] = {false};
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (lc_json_is(noise, LC_JSON_ARRAY)) {
        if (noise->count != (uint32_t)s.rank)
            return lc_opt_fail(c, "noise_shape", "has %u sizes, its input %d dimensions", noise->count, s.rank);
        for (uint32_t i = 0; i < noise->count; i++) {
            const lc_json *d = lc_json_at(noise, i);
            shared[i] = lc_json_is(d, LC_JSON_INT) && d->integer == 1;
        }
    }
    return drop(c, shared, &s, x);
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
