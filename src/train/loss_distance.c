/*
 * Losses that compare numbers: the mean over a row of a function of each pair, those that take a row as a vector, and the overlap of a batch. Values and slopes are in
 * float32, sums over a row in double. Where a maximum has a corner the slope is that of its first argument, as in TensorFlow.
 */
#include "train/loss_impl.h"

/* A mean over the row of `value`, whose slope is `slope`; x: target, y: what the model gave. */
#define LC_MEAN(name, value, slope) \
    float name(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) { \
        (void)o; \
        (void)label; \
        double sum = 0; \
        const float count = (float)n; \
        for (size_t i = 0; i < n; i++) { \
            const float x = t[i], y = p[i]; \
            sum += (double)(value); \
            if (g) g[i] = (slope) / count; \
        } \
        return (float)(sum / (double)n); \
    }

/* NaN stays NaN: whoever trains wants to see it. */
static inline float at_least(float v, float least) { return v < least ? least : v; }
static inline float at_most(float v, float most) { return v > most ? most : v; }
static inline float sign(float v) { return v > 0 ? 1.0f : v < 0 ? -1.0f : v; }
static inline float log_cosh(float v) { /* v + softplus(-2v) - log 2, without overflow */
    return fabsf(v) + log1pf(expf(-2 * fabsf(v))) - 0.69314718f;
}
static inline float signs_of(const lc_loss_options *o, float label) { return o->signs ? 2 * label - 1 : label; }
static inline float hinge(const lc_loss_options *o, float x, float y) { return at_least(1 - signs_of(o, x) * y, 0); }

LC_MEAN(lc_row_squared, (x - y) * (x - y), 2 * (y - x))
LC_MEAN(lc_row_absolute, fabsf(x - y), sign(y - x))
LC_MEAN(lc_row_percentage, 100 * fabsf((x - y) / at_least(fabsf(x), LC_EPSILON)), 100 * sign(y - x) / at_least(fabsf(x), LC_EPSILON))
static inline float log_of(float v) { return logf(at_least(v, LC_EPSILON) + 1); }
LC_MEAN(lc_row_logarithmic, (log_of(y) - log_of(x)) * (log_of(y) - log_of(x)), y >= LC_EPSILON ? 2 * (log_of(y) - log_of(x)) / (y + 1) : 0)
static inline float huber(float e, float delta) { return fabsf(e) <= delta ? 0.5f * e * e : delta * fabsf(e) - 0.5f * delta * delta; }
LC_MEAN(lc_row_huber, huber(y - x, o->delta), fabsf(y - x) <= o->delta ? y - x : o->delta * sign(y - x))
LC_MEAN(lc_row_log_cosh, log_cosh(y - x), tanhf(y - x))
LC_MEAN(lc_row_poisson, y - x * logf(y + LC_EPSILON), 1 - x / (y + LC_EPSILON))
LC_MEAN(lc_row_hinge, hinge(o, x, y), 1 - signs_of(o, x) * y >= 0 ? -signs_of(o, x) : 0)
LC_MEAN(lc_row_squared_hinge, hinge(o, x, y) * hinge(o, x, y), -2 * signs_of(o, x) * hinge(o, x, y))

float lc_row_categorical_hinge(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)o;
    (void)label;
    double right = 0;
    float wrong = -INFINITY;
    size_t ties = 0; /* of the strongest wrong one: they share its slope */
    for (size_t i = 0; i < n; i++) {
        right += (double)(t[i] * p[i]);
        const float v = (1 - t[i]) * p[i];
        if (v > wrong) ties = 0;
        wrong = fmaxf(wrong, v);
        ties += v == wrong;
    }
    const float value = wrong - (float)right + 1;
    for (size_t i = 0; g && i < n; i++) {
        const float strongest = (1 - t[i]) * p[i] == wrong ? (1 - t[i]) / (float)ties : 0;
        g[i] = value >= 0 ? strongest - t[i] : 0;
    }
    return at_least(value, 0);
}

float lc_row_divergence(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)o;
    (void)label;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float x = at_most(at_least(t[i], LC_EPSILON), 1), y = at_most(at_least(p[i], LC_EPSILON), 1);
        sum += (double)(x * logf(x / y));
        if (g) g[i] = p[i] < LC_EPSILON || p[i] > 1 ? 0 : -x / y;
    }
    return (float)sum;
}

/* 1 / |v|, but no more than Keras lets it be. */
static float inverse_norm(const float *v, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)v[i] * v[i];
    const float inverse = (float)(1 / sqrt(sum));
    return inverse > 1 / LC_EPSILON ? 1 / LC_EPSILON : inverse;
}

float lc_row_cosine(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)o;
    (void)label;
    const float of_t = inverse_norm(t, n), of_p = inverse_norm(p, n);
    double cosine = 0;
    for (size_t i = 0; i < n; i++) cosine += (double)(t[i] * of_t) * (double)(p[i] * of_p);
    const bool capped = of_p >= 1 / LC_EPSILON; /* too short to have a direction: only scaled */
    for (size_t i = 0; g && i < n; i++) {
        const double along = capped ? 0 : cosine * (double)(p[i] * of_p);
        g[i] = (float)((along - (double)(t[i] * of_t)) * (double)of_p);
    }
    return (float)-cosine;
}

/* ---- overlap of a whole batch ------------------------------------------------------------------------------------------ */

float lc_row_dice(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)o;
    (void)label;
    double both = 0, all = LC_KERAS_EPSILON;
    for (size_t i = 0; i < n; i++) {
        both += (double)(t[i] * p[i]);
        all += (double)t[i] + (double)p[i];
    }
    for (size_t i = 0; g && i < n; i++) g[i] = (float)(2 * (both / all - (double)t[i]) / all);
    return (float)(1 - 2 * both / all);
}

float lc_row_tversky(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)label;
    /* Keras up to 3.15 weighs what is missed by alpha and what is wrongly found by beta; 3.16 turns them round */
    const double wrong = (double)o->beta, missed = (double)o->alpha;
    double both = 0, all = LC_KERAS_EPSILON;
    for (size_t i = 0; i < n; i++) {
        both += (double)(t[i] * p[i]);
        all += (double)(t[i] * p[i]) + wrong * (double)((1 - t[i]) * p[i]) + missed * (double)(t[i] * (1 - p[i]));
    }
    for (size_t i = 0; g && i < n; i++) {
        const double x = (double)t[i], of_all = x + wrong * (1 - x) - missed * x;
        g[i] = (float)((both / all * of_all - x) / all);
    }
    return (float)(1 - both / all);
}
