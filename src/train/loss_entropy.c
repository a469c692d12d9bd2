/*
 * Cross entropies, from logits and from probabilities. Probabilities are cut to [1e-7, 1 - 1e-7] as Keras does, and have no slope where they
 * were cut; from logits nothing is cut: log(sum(exp)) is taken around the largest.
 */
#include "train/loss_impl.h"

static inline float cut(float p) { return p < LC_EPSILON ? LC_EPSILON : p > LC_BELOW_ONE ? LC_BELOW_ONE : p; }
static inline bool is_cut(float p) { return p < LC_EPSILON || p > LC_BELOW_ONE; }
static inline float sigmoid(float x) { return x >= 0 ? 1 / (1 + expf(-x)) : expf(x) / (1 + expf(x)); }

/* ---- two classes -------------------------------------------------------------------------------------------------- */

/* The cross entropy of one pair; *slope: with respect to y. */
static float binary(float t, float y, bool logits, float *slope) {
    if (logits) {
        *slope = sigmoid(y) - t;
        return (y > 0 ? y : isnan(y) ? y : 0) - y * t + log1pf(expf(-fabsf(y)));
    }
    const float p = cut(y);
    *slope = is_cut(y) ? 0 : (1 - t) / (1 - p) - t / p;
    return -(t * logf(p) + (1 - t) * logf(1 - p));
}

static inline float smoothed(const lc_loss_options *o, float t) {
    return o->smoothing != 0 ? t * (1 - o->smoothing) + 0.5f * o->smoothing : t;
}

float lc_row_binary(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)label;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float slope;
        sum += (double)binary(smoothed(o, t[i]), p[i], o->from_logits, &slope);
        if (g) g[i] = slope / (float)n;
    }
    return (float)(sum / (double)n);
}

float lc_row_binary_focal(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)label;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float x = smoothed(o, t[i]), y = o->from_logits ? sigmoid(p[i]) : p[i];
        float slope;
        const float entropy = binary(x, p[i], o->from_logits, &slope);
        const float missed = 1 - (x * y + (1 - x) * (1 - y)); /* by how much the right one was missed */
        const float focus = powf(missed, o->gamma), weight = o->balance ? x * o->alpha + (1 - x) * (1 - o->alpha) : 1;
        sum += (double)(weight * focus * entropy);
        if (!g) continue;
        const float inner = o->from_logits ? y * (1 - y) : 1; /* of the sigmoid */
        const float of_focus = o->gamma != 0 ? o->gamma * powf(missed, o->gamma - 1) * (1 - 2 * x) * inner : 0;
        g[i] = weight * (of_focus * entropy + focus * slope) / (float)n;
    }
    return (float)(sum / (double)n);
}

/* ---- many classes ------------------------------------------------------------------------------------------------- */

/* log(sum(exp(x))), and exp(x - that) in g where it is not NULL. */
static float log_sum(const float *x, float *g, size_t n) {
    float most = -INFINITY;
    for (size_t i = 0; i < n; i++) most = x[i] > most || isnan(x[i]) ? x[i] : most;
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const float e = expf(x[i] - most);
        if (g) g[i] = e;
        sum += (double)e;
    }
    for (size_t i = 0; g && i < n; i++) g[i] = (float)(g[i] / sum);
    return most + (float)log(sum);
}

static double sum_of(const float *p, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)p[i];
    return sum;
}

/* From slopes with respect to p / sum(p) to slopes with respect to p. */
static void through_quotient(const float *p, double sum, float *g, size_t n) {
    double along = 0;
    for (size_t i = 0; i < n; i++) along += (double)g[i] * p[i] / sum;
    for (size_t i = 0; i < n; i++) g[i] = (float)((g[i] - along) / sum);
}

static inline float spread(const lc_loss_options *o, float t, size_t n) {
    return o->smoothing != 0 ? t * (1 - o->smoothing) + o->smoothing / (float)n : t;
}

float lc_row_categorical(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)label;
    double loss = 0;
    if (o->from_logits) {
        const float all = log_sum(p, g, n);
        for (size_t i = 0; i < n; i++) {
            const float x = spread(o, t[i], n);
            if (x != 0) loss += (double)(x * (all - p[i])); /* 0 times infinity is nothing */
            if (g) g[i] -= x;
        }
        return isnan(all) ? all : (float)loss;
    }
    const double sum = sum_of(p, n);
    for (size_t i = 0; i < n; i++) {
        const float x = spread(o, t[i], n), q = (float)(p[i] / sum);
        loss -= (double)(x * logf(cut(q)));
        if (g) g[i] = is_cut(q) ? 0 : -x / q;
    }
    if (g) through_quotient(p, sum, g, n);
    return (float)loss;
}

float lc_row_sparse(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)t;
    if (o->from_logits) {
        const float all = log_sum(p, g, n);
        if (g) g[label] -= 1;
        return all - p[label];
    }
    double sum = 0; /* the logarithms of the probabilities are taken for logits: they are divided by their sum once more */
    for (size_t i = 0; i < n; i++) sum += (double)cut(p[i]);
    for (size_t i = 0; g && i < n; i++) {
        const double slope = cut(p[i]) / sum - (i == (size_t)label);
        g[i] = is_cut(p[i]) ? 0 : (float)(slope / p[i]);
    }
    return (float)(log(sum) - log((double)cut(p[label])));
}

/* (1 - p^q) / q of the class's probability. */
float lc_row_generalized(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)t;
    for (size_t i = 0; g && i < n; i++) g[i] = 0;
    if (g) g[label] = -powf(p[label], o->q - 1);
    return (1 - powf(p[label], o->q)) / o->q;
}

float lc_row_categorical_focal(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n) {
    (void)label;
    /* from logits, their softmax is used; it is made again for each element where there is no room for it */
    float all = 0;
    if (o->from_logits) all = log_sum(p, NULL, n);
    double sum = 0, loss = 0;
    for (size_t i = 0; i < n; i++) sum += (double)(o->from_logits ? expf(p[i] - all) : p[i]);
    for (size_t i = 0; i < n; i++) {
        const float x = spread(o, t[i], n), q = (float)((o->from_logits ? expf(p[i] - all) : p[i]) / sum), r = cut(q);
        const float entropy = -x * logf(r), focus = powf(1 - r, o->gamma);
        const float alpha = o->alphas ? o->alphas[i] : o->alpha;
        loss += (double)(alpha * focus * entropy);
        const float of_focus = o->gamma != 0 ? -o->gamma * powf(1 - r, o->gamma - 1) : 0;
        if (g) g[i] = is_cut(q) ? 0 : alpha * (of_focus * entropy - focus * x / r);
    }
    if (!g) return (float)loss;
    if (!o->from_logits) {
        through_quotient(p, sum, g, n);
        return (float)loss;
    }
    double along = 0;
    for (size_t i = 0; i < n; i++) along += (double)g[i] * (double)expf(p[i] - all);
    for (size_t i = 0; i < n; i++) g[i] = (float)((g[i] - along) * (double)expf(p[i] - all));
    return (float)loss;
}
