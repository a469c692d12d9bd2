/*
 * Learning rate schedules, in float32 as Keras computes them, so that step for step the same rate comes out.
 */
#include "train/schedule.h"
#include "train/config.h"

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

static void read_piecewise(lc_config *c, lc_schedule *s) {
    const uint32_t boundaries = lc_config_numbers(c, "boundaries", LC_SCHEDULE_VALUES - 1, s->boundaries);
    s->count = lc_config_numbers(c, "values", LC_SCHEDULE_VALUES, s->values);
    if (s->count != boundaries + 1) lc_config_fail(c, "%u boundaries and %u values; there must be one value more", boundaries, s->count);
    for (uint32_t i = 1; i < boundaries; i++)
        if (s->boundaries[i] < s->boundaries[i - 1])
            lc_config_fail(c, "its boundaries do not grow: %g after %g", s->boundaries[i], s->boundaries[i - 1]);
    s->rate = piecewise;
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
        s->rate = polynomial;
    } else if (again) {
        s->decay = (float)lc_config_number(&c, "t_mul");
        s->power = (float)lc_config_number(&c, "m_mul");
        s->alpha = (float)lc_config_number(&c, "alpha");
        s->rate = restarts;
    } else if (strcmp(c.class.name, "CosineDecay") == 0) {
        s->alpha = (float)lc_config_number(&c, "alpha");
        s->target = (float)lc_config_number(&c, "warmup_target");
        s->warmup = (float)lc_config_number(&c, "warmup_steps");
        s->rate = cosine;
    } else {
        s->decay = (float)lc_config_number(&c, "decay_rate");
        s->staircase = lc_config_flag(&c, "staircase");
        s->rate = strcmp(c.class.name, "ExponentialDecay") == 0 ? exponential : inverse_time;
    }
    return c.status;
}

float lc_schedule_rate(const lc_schedule *s, int64_t step) { return s->rate(s, step); }
