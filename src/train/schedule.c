/*
 * Learning rate schedules, in float32 as Keras computes them, so that step for step the same rate comes out; and each as operators of a graph
 * (graph.h), for which the step is a number like any other.
 */
#include "train/schedule.h"
#include "train/config.h"
#include "train/graph.h"

#include <math.h>
#include <string.h>

static const float pi = 3.14159265358979f;

static float periods(const lc_schedule *s, int64_t step) {
    const float p = (float)step / s->steps;
    return s->staircase ? floorf(p) : p;
}

static float exponential(const lc_schedule *s, int64_t step) { return s->initial * powf(s->decay, periods(s, step)); }
static float inverse_time(const lc_schedule *s, int64_t step) { return s->initial / (1 + s->decay * periods(s, step)); }

static float piecewise(const lc_schedule *s, int64_t step) {
    uint32_t i = 0;
    while (i + 1 < s->count && step > (int64_t)s->boundaries[i]) i++;
    return (float)s->values[i];
}

static float polynomial(const lc_schedule *s, int64_t step) {
    float at = (float)step, steps = s->steps;
    if (s->cycle) steps *= at == 0 ? 1 : ceilf(at / steps);
    else at = fminf(at, steps);
    return (s->initial - s->end) * powf(1 - at / steps, s->power) + s->end;
}

static float cosine(const lc_schedule *s, int64_t step) {
    float at = (float)step, from = s->initial;
    if (!isnan(s->target)) {
        at = fminf(at, s->steps + s->warmup);
        if (at < s->warmup) return (s->target - s->initial) * (at / s->warmup) + s->initial;
        at -= s->warmup;
        from = s->target;
    } else at = fminf(at, s->steps);
    const float shape = 0.5f * (1 + cosf(pi * (at / s->steps)));
    return from * ((1 - s->alpha) * shape + s->alpha);
}

/* Each period is `decay` times as long as the one before it, and begins `power` times as high. */
static float restarts(const lc_schedule *s, int64_t step) {
    float done = (float)step / s->steps, restart;
    if (s->decay == 1) {
        restart = floorf(done);
        done -= restart;
    } else {
        restart = floorf(logf(1 - done * (1 - s->decay)) / logf(s->decay));
        const float grown = powf(s->decay, restart);
        done = (done - (1 - grown) / (1 - s->decay)) / grown;
    }
    const float shape = 0.5f * powf(s->power, restart) * (1 + cosf(pi * done));
    return s->initial * ((1 - s->alpha) * shape + s->alpha);
}

/* ---- as operators ----------------------------------------------------------------------------------------------------- */

static int32_t floor_of(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_FLOOR, x); }

static int32_t append_periods(const lc_schedule *s, lc_builder *b, int32_t step) {
    const int32_t p = lc_gr_with(b, LC_OP_DIV, step, (double)s->steps);
    return s->staircase ? floor_of(b, p) : p;
}

static int32_t append_exponential(const lc_schedule *s, lc_builder *b, int32_t step) {
    return lc_gr_times(b, lc_gr_power_of(b, (double)s->decay, append_periods(s, b, step)), (double)s->initial);
}

static int32_t append_inverse_time(const lc_schedule *s, lc_builder *b, int32_t step) {
    const int32_t below = lc_gr_plus(b, lc_gr_times(b, append_periods(s, b, step), (double)s->decay), 1);
    return lc_gr_div(b, lc_gr_number(b, (double)s->initial), below);
}

/* The first value, and from each boundary on what the next differs by. */
static int32_t append_piecewise(const lc_schedule *s, lc_builder *b, int32_t step) {
    int32_t rate = lc_gr_number(b, s->values[0]);
    for (uint32_t i = 0; i + 1 < s->count; i++) {
        const int32_t later =
            lc_build_op(b, LC_OP_GREATER, LC_TABLE_NONE, NULL, (const int32_t[]){step, lc_gr_number(b, floor(s->boundaries[i]))}, 2);
        rate = lc_build_select(b, later, lc_gr_number(b, s->values[i + 1]), rate);
    }
    return rate;
}

static int32_t append_polynomial(const lc_schedule *s, lc_builder *b, int32_t step) {
    int32_t done;
    if (s->cycle) {
        const int32_t p = lc_gr_with(b, LC_OP_DIV, step, (double)s->steps);
        done = lc_gr_div(b, p, lc_gr_max(b, lc_build_unary(b, LC_OP_CEIL, p), lc_gr_number(b, 1)));
    } else {
        done = lc_gr_with(b, LC_OP_DIV, lc_gr_min(b, step, lc_gr_number(b, (double)s->steps)), (double)s->steps);
    }
    const int32_t rest = lc_gr_from(b, 1, done), shape = s->power == 1 ? rest : lc_gr_with(b, LC_OP_POW, rest, (double)s->power);
    return lc_gr_plus(b, lc_gr_times(b, shape, (double)(s->initial - s->end)), (double)s->end);
}

/* from ((1 - alpha) times + alpha), of times (1 + cos(pi done)) / 2 */
static int32_t append_half_wave(const lc_schedule *s, lc_builder *b, int32_t done, int32_t height, double from) {
    int32_t shape = lc_gr_times(b, lc_gr_plus(b, lc_build_unary(b, LC_OP_COS, lc_gr_times(b, done, (double)pi)), 1), 0.5);
    if (height >= 0) shape = lc_gr_mul(b, shape, height);
    return lc_gr_times(b, lc_gr_plus(b, lc_gr_times(b, shape, 1 - (double)s->alpha), (double)s->alpha), from);
}

static int32_t append_cosine(const lc_schedule *s, lc_builder *b, int32_t step) {
    const bool warms = !isnan(s->target);
    const int32_t at = warms ? lc_gr_plus(b, step, -(double)s->warmup) : step;
    const int32_t done = lc_gr_with(b, LC_OP_DIV, lc_gr_within(b, at, 0, (double)s->steps), (double)s->steps);
    const int32_t wave = append_half_wave(s, b, done, -1, (double)(warms ? s->target : s->initial));
    if (!warms || s->warmup == 0) return wave;
    const int32_t line = lc_gr_plus(b, lc_gr_times(b, step, (double)((s->target - s->initial) / s->warmup)), (double)s->initial);
    const int32_t cold = lc_build_op(b, LC_OP_LESS, LC_TABLE_NONE, NULL, (const int32_t[]){step, lc_gr_number(b, (double)s->warmup)}, 2);
    return lc_build_select(b, cold, line, wave);
}

static int32_t append_restarts(const lc_schedule *s, lc_builder *b, int32_t step) {
    const double grows = (double)s->decay;
    int32_t done = lc_gr_with(b, LC_OP_DIV, step, (double)s->steps), restart;
    if (s->decay == 1) {
        restart = floor_of(b, done);
        done = lc_gr_sub(b, done, restart);
    } else {
        const int32_t inside = lc_gr_from(b, 1, lc_gr_times(b, done, 1 - grows));
        restart = floor_of(b, lc_gr_with(b, LC_OP_DIV, lc_build_unary(b, LC_OP_LOG, inside), log(grows)));
        const int32_t grown = lc_gr_power_of(b, grows, restart);
        done = lc_gr_div(b, lc_gr_sub(b, done, lc_gr_times(b, lc_gr_from(b, 1, grown), 1 / (1 - grows))), grown);
    }
    const int32_t height = s->power == 1 ? -1 : lc_gr_power_of(b, (double)s->power, restart);
    return append_half_wave(s, b, done, height, (double)s->initial);
}

int32_t lc_schedule_append(const lc_schedule *s, lc_builder *b, int32_t step) { return s->append(s, b, step); }

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static void become(lc_schedule *s, float (*rate)(const lc_schedule *s, int64_t step),
                   int32_t (*append)(const lc_schedule *s, lc_builder *b, int32_t step)) {
    s->rate = rate;
    s->append = append;
}

static void read_piecewise(lc_config *c, lc_schedule *s) {
    const uint32_t boundaries = lc_config_numbers(c, "boundaries", LC_SCHEDULE_VALUES - 1, s->boundaries);
    s->count = lc_config_numbers(c, "values", LC_SCHEDULE_VALUES, s->values);
    if (s->count != boundaries + 1) lc_config_fail(c, "%u boundaries and %u values; there must be one value more", boundaries, s->count);
    for (uint32_t i = 1; i < boundaries; i++)
        if (s->boundaries[i] < s->boundaries[i - 1])
            lc_config_fail(c, "its boundaries do not grow: %g after %g", s->boundaries[i], s->boundaries[i - 1]);
    become(s, piecewise, append_piecewise);
}

lc_status lc_schedule_read(const lc_json *object, lc_schedule *s, lc_error *err) {
    *s = (lc_schedule){0};
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_SCHEDULE, object, &c, err));
    if (strcmp(c.class.name, "PiecewiseConstantDecay") == 0) {
        read_piecewise(&c, s);
        return c.status;
    }
    const bool again = strcmp(c.class.name, "CosineDecayRestarts") == 0;
    const char *length = again ? "first_decay_steps" : "decay_steps";
    s->initial = (float)lc_config_number(&c, "initial_learning_rate");
    s->steps = (float)lc_config_number(&c, length);
    if (!(s->steps > 0)) lc_config_fail(&c, "%s is %g, it must be over 0", length, (double)s->steps);
    if (strcmp(c.class.name, "PolynomialDecay") == 0) {
        s->end = (float)lc_config_number(&c, "end_learning_rate");
        s->power = (float)lc_config_number(&c, "power");
        s->cycle = lc_config_flag(&c, "cycle");
        become(s, polynomial, append_polynomial);
    } else if (again) {
        s->decay = (float)lc_config_number(&c, "t_mul");
        s->power = (float)lc_config_number(&c, "m_mul");
        s->alpha = (float)lc_config_number(&c, "alpha");
        become(s, restarts, append_restarts);
    } else if (strcmp(c.class.name, "CosineDecay") == 0) {
        s->alpha = (float)lc_config_number(&c, "alpha");
        s->target = (float)lc_config_number(&c, "warmup_target");
        s->warmup = (float)lc_config_number(&c, "warmup_steps");
        become(s, cosine, append_cosine);
    } else {
        s->decay = (float)lc_config_number(&c, "decay_rate");
        s->staircase = lc_config_flag(&c, "staircase");
        if (strcmp(c.class.name, "ExponentialDecay") == 0) become(s, exponential, append_exponential);
        else become(s, inverse_time, append_inverse_time);
    }
    return c.status;
}

float lc_schedule_rate(const lc_schedule *s, int64_t step) { return s->rate(s, step); }
