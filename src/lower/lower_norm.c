/*
 * Normalisation. When a model runs, batch normalisation is a multiplication and an addition with constants:
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta  =  x a + (beta - mean a),   a = gamma / sqrt(variance + epsilon)
 *
 * computed in double. src/pass folds the pair into a convolution or a dense layer before it.
 */
#include "lower/image.h"
#include "lower/training.h"

#include "grad/own.h"
#include <math.h>
#include <string.h>

/* The axes of an option: a number, or a list of them; missing: the last. Returns how many, 0 when failed. Fills axes in the order given. */
uint32_t lc_lower_axes(lc_call *c, const char *key, int32_t rank, int32_t *axes) {
    const lc_json *v = lc_opt(c, key);
    const bool list = lc_json_is(v, LC_JSON_ARRAY);
    const uint32_t n = list ? v->count : 1;
    if (c->b->status != LC_OK) return 0;
    if (n < 1 || n > (uint32_t)rank) {
        lc_opt_fail(c, key, "needs from 1 to %d axes", rank);
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *one = list ? lc_json_at(v, i) : v;
        if (one && one->kind != LC_JSON_INT) {
            lc_opt_fail(c, key, "needs whole numbers");
            return 0;
        }
        axes[i] = lc_call_axis(c, key, one ? one->integer : -1, rank);
        for (uint32_t k = 0; k < i; k++)
            if (axes[k] == axes[i]) lc_opt_fail(c, key, "names axis %d twice", axes[i]);
    }
    return c->b->status == LC_OK ? n : 0;
}

/* Statistics along some axes of an input: how they are stored, and the shape that broadcasts to the input from its first such axis on. */
typedef struct along {
    int32_t axes[LC_MAX_RANK], stored[LC_MAX_RANK], dims[LC_MAX_RANK], rank;
    uint32_t n;
    size_t count; /* of numbers */
} along;

static bool along_axes(lc_call *c, along *a, const lc_shape *s) {
    int32_t first = s->rank;
    int64_t count = 1;
    a->n = lc_lower_axes(c, "axis", s->rank, a->axes);
    for (uint32_t i = 0; i < a->n; i++) {
        a->stored[i] = lc_call_known(c, s, a->axes[i], "a size to normalise");
        if (!lc_mul_i64(count, a->stored[i], &count) || count > INT32_MAX) lc_opt_fail(c, "axis", "covers too many numbers");
        if (a->axes[i] < first) first = a->axes[i];
    }
    a->rank = s->rank - first;
    for (int32_t i = first; i < s->rank; i++) a->dims[i - first] = 1;
    for (uint32_t i = 0; i < a->n; i++) a->dims[a->axes[i] - first] = a->stored[i];
    a->count = (size_t)count;
    return c->b->status == LC_OK;
}

/* The array in the shape that broadcasts to the input, as an input of the graph. */
static int32_t trained_along(lc_call *c, const along *a, const lc_keras_weight *w, const char *name, bool learns) {
    return lc_weight_shaped(c, lc_training_input(c, w, name, learns), a->dims, a->rank);
}

/* moving = moving momentum + batch (1 - momentum), where it lies. */
static void move(lc_call *c, const lc_keras_weight *moving, const char *name, int32_t batch, float momentum) {
    const int32_t t = lc_training_input(c, moving, name, false);
    const int32_t before = lc_training_latest(c, t);
    const int32_t sum = lc_build_binary(c->b, LC_OP_ADD, lc_build_with_scalar(c->b, LC_OP_MUL, before, "momentum", momentum),
                                        lc_build_with_scalar(c->b, LC_OP_MUL, batch, "rest", 1 - momentum), LC_LOWER_ACT(NONE));
    lc_training_update(c, t, sum);
}

/* Keras 2 has the fused operator of TensorFlow for pictures and volumes with channels first or last; its moving variance follows that of a sample,
 * divided by one less than the number of values. 1: as Keras 3 has it. */
static float sample_correction(const lc_call *c, const lc_shape *s, int32_t axis) {
    const bool fused = c->lower->keras2 && strcmp(c->layer->class_name, "BatchNormalization") == 0 && (s->rank == 4 || s->rank == 5) &&
                       (axis == 1 || axis == s->rank - 1) && !lc_json_get(c->config, "virtual_batch_size");
    double n = 1;
    for (int32_t i = 0; fused && i < s->rank; i++) n *= i == axis ? 1 : s->dims[i];
    return n > 1 ? (float)(n / (n - 1)) : 1;
}

/* By the statistics of the batch; the moving ones follow them. */
static int32_t by_batch(lc_call *c, int32_t x, const along *a, const lc_keras_weight *const w[4], float epsilon, float momentum) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (a->n != 1) return lc_opt_fail(c, "axis", "litec trains it over one axis");
    const int32_t axis = a->axes[0], last = s.rank - 1;
    const float correction = sample_correction(c, &s, axis);
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i <= last; i++) perm[i] = i == axis ? last : i == last ? axis : i;
    if (axis != last) x = lc_build_transpose(c->b, x, perm, s.rank);
    const int32_t in[3] = {x, w[0] ? lc_training_input(c, w[0], "gamma", true) : LC_ABSENT,
                           w[1] ? lc_training_input(c, w[1], "beta", true) : LC_ABSENT};
    const lc_batch_norm_options o = {epsilon};
    int32_t out[3];
    if (!lc_build_own(c->b, &lc_own_BATCH_NORM, &o, sizeof o, in, 3, out, 3)) return -1;
    move(c, w[2], "moving_mean", out[1], momentum);
    if (correction > 1) out[2] = lc_build_with_scalar(c->b, LC_OP_MUL, out[2], "correction", correction);
    move(c, w[3], "moving_variance", out[2], momentum);
    return axis == last ? out[0] : lc_build_transpose(c->b, out[0], perm, s.rank);
}

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }

/* The mean of x over all but the last dimension, of what the mask lets through; Keras's epsilon keeps it from 0 / 0. */
static int32_t masked_mean(lc_call *c, int32_t x, int32_t weights, int32_t rank) {
    int32_t axes[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) axes[i] = i;
    const uint32_t n = (uint32_t)rank - 1;
    const int32_t sum = lc_build_reduce(c->b, LC_OP_SUM, binary(c, LC_OP_MUL, x, weights), axes, n, false);
    const int32_t count = lc_build_reduce(c->b, LC_OP_SUM, weights, axes, n, false);
    return binary(c, LC_OP_DIV, sum, lc_build_with_scalar(c->b, LC_OP_ADD, count, "epsilon", 1e-7f));
}

/* By the statistics of what the mask lets through; all is normalised. */
static int32_t by_masked_batch(lc_call *c, int32_t x, const along *a, const lc_keras_weight *const w[4], float epsilon, float momentum) {
    lc_shape s;
    int32_t mask = lc_call_mask(c, 0);
    if (!lc_call_shape(c, x, &s)) return -1;
    if (a->n != 1 || a->axes[0] != s.rank - 1) return lc_opt_fail(c, "axis", "litec trains it with a mask over the last axis only");
    s.dims[s.rank - 1] = 1;
    mask = lc_build_reshape(c->b, lc_build_cast(c->b, mask, LC_FLOAT32), s.dims, s.rank);
    const int32_t mean = masked_mean(c, x, mask, s.rank), centred = binary(c, LC_OP_SUB, x, mean);
    const int32_t variance = masked_mean(c, lc_build_unary(c->b, LC_OP_SQUARE, centred), mask, s.rank);
    move(c, w[2], "moving_mean", mean, momentum);
    move(c, w[3], "moving_variance", variance, momentum);
    int32_t by = lc_build_unary(c->b, LC_OP_RSQRT, lc_build_with_scalar(c->b, LC_OP_ADD, variance, "epsilon", epsilon));
    if (w[0]) by = binary(c, LC_OP_MUL, by, lc_training_input(c, w[0], "gamma", true));
    x = binary(c, LC_OP_MUL, centred, by);
    return w[1] ? binary(c, LC_OP_ADD, x, lc_training_input(c, w[1], "beta", true)) : x;
}

/* By the moving statistics, which are inputs of the graph like gamma and beta. */
static int32_t by_inputs(lc_call *c, int32_t x, const along *a, const lc_keras_weight *const w[4], float epsilon) {
    lc_builder *b = c->b;
    const int32_t mean = trained_along(c, a, w[2], "moving_mean", false), variance = trained_along(c, a, w[3], "moving_variance", false);
    int32_t by = lc_build_unary(b, LC_OP_RSQRT, lc_build_with_scalar(b, LC_OP_ADD, variance, "epsilon", epsilon));
    if (w[0]) by = lc_build_binary(b, LC_OP_MUL, by, trained_along(c, a, w[0], "gamma", true), LC_LOWER_ACT(NONE));
    x = lc_build_binary(b, LC_OP_MUL, lc_build_binary(b, LC_OP_SUB, x, mean, LC_LOWER_ACT(NONE)), by, LC_LOWER_ACT(NONE));
    return w[1] ? lc_build_binary(b, LC_OP_ADD, x, trained_along(c, a, w[1], "beta", true), LC_LOWER_ACT(NONE)) : x;
}

static int32_t numbers_along(lc_call *c, const char *name, const along *a, float *data) {
    return data ? lc_build_const(c->b, name, LC_FLOAT32, a->dims, a->rank, data, a->count * sizeof *data, true) : -1;
}

/* x scale + offset, both kept in slots 0 and 1. */
static int32_t affine(lc_call *c, int32_t x) {
    x = lc_build_binary(c->b, LC_OP_MUL, x, c->slots[0] - 1, LC_LOWER_ACT(NONE));
    return lc_build_binary(c->b, LC_OP_ADD, x, c->slots[1] - 1, LC_LOWER_ACT(NONE));
}

/* Mode 1 of Keras 1: each example by its own mean and deviation over the last dimension. Its moving statistics are not used. */
static int32_t by_sample(lc_call *c, int32_t x, double epsilon, const lc_shape *s) {
    const int32_t last = s->rank - 1, n = lc_call_known(c, s, last, "the number of channels");
    const int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, x, &last, 1, true);
    int32_t deviation = lc_build_binary(c->b, LC_OP_SQUARED_DIFFERENCE, x, mean, LC_LOWER_ACT(NONE));
    deviation =
        lc_build_with_scalar(c->b, LC_OP_ADD, lc_build_reduce(c->b, LC_OP_MEAN, deviation, &last, 1, true), "epsilon", (float)epsilon);
    deviation = lc_build_with_scalar(c->b, LC_OP_ADD, lc_build_unary(c->b, LC_OP_SQRT, deviation), "epsilon", (float)epsilon);
    x = lc_build_binary(c->b, LC_OP_DIV, lc_build_binary(c->b, LC_OP_SUB, x, mean, LC_LOWER_ACT(NONE)), deviation, LC_LOWER_ACT(NONE));
    x = lc_build_binary(c->b, LC_OP_MUL, x, lc_weight_const(c, 0, 0, "gamma", &n, 1, &n, 1), LC_LOWER_ACT(NONE));
    return lc_build_binary(c->b, LC_OP_ADD, x, lc_weight_const(c, 1, 1, "beta", &n, 1, &n, 1), LC_LOWER_ACT(NONE));
}

int32_t lc_lower_batch_normalization(lc_call *c) {
    double epsilon = lc_opt_num(c, "epsilon", 1e-3);
    bool scale = lc_opt_bool(c, "scale", true), center = lc_opt_bool(c, "center", true), renorm = lc_opt_bool(c, "renorm", false);
    const int32_t mode = lc_opt_int(c, "mode", 0, 2, 0); /* of Keras 1 */
    int32_t x = lc_call_float(c, 0);
    along a;
    lc_shape s;
    /* the mask is for statistics in training */
    if (!lc_call_inference(c) || !lc_call_single(c, 2) || !lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "its input has no dimensions");
    if (mode == 2) return lc_opt_fail(c, "mode", "litec has no statistics over the batch that runs");
    if (mode == 1) return by_sample(c, x, epsilon, &s);
    uint32_t own = 2u + scale + center; /* renorm keeps statistics of its own behind these; they matter in training only */
    if (!along_axes(c, &a, &s)) return -1;
    if (!(renorm && c->layer->weight_count > own) && !lc_weights(c, own, "gamma if scale, beta if center, moving_mean, moving_variance"))
        return -1;
    if (a.n > 1) { /* over several axes they have the input's rank */
        for (int32_t i = 0; i < s.rank; i++) a.stored[i] = i < s.rank - a.rank ? 1 : a.dims[i - (s.rank - a.rank)];
        a.n = (uint32_t)s.rank;
    }
    uint32_t at = 0;
    const int32_t rank = (int32_t)a.n;
    const lc_keras_weight *gamma = scale ? lc_weight(c, at++, "gamma", a.stored, rank) : NULL,
                          *beta = center ? lc_weight(c, at++, "beta", a.stored, rank) : NULL;
    const lc_keras_weight *mean = lc_weight(c, at, "moving_mean", a.stored, rank),
                          *variance = lc_weight(c, at + 1, "moving_variance", a.stored, rank);
    if (c->b->status != LC_OK) return -1;
    if (lc_trains(c)) {
        const lc_keras_weight *const w[4] = {gamma, beta, mean, variance};
        if (!lc_training_now(c)) return by_inputs(c, x, &a, w, (float)epsilon);
        const bool masked = lc_call_mask(c, 0) >= 0;
        return (masked ? by_masked_batch : by_batch)(c, x, &a, w, (float)epsilon, (float)lc_opt_num(c, "momentum", 0.99));
    }
    if (!c->slots[0]) {
        float *mul = lc_build_data(c->b, a.count * sizeof *mul), *add = lc_build_data(c->b, a.count * sizeof *add);
        for (size_t i = 0; mul && add && i < a.count; i++) {
            double by = (gamma ? lc_weight_at(gamma, i) : 1) / sqrt(lc_weight_at(variance, i) + epsilon);
            mul[i] = (float)by;
            add[i] = (float)((beta ? lc_weight_at(beta, i) : 0) - lc_weight_at(mean, i) * by);
        }
        c->slots[0] = numbers_along(c, "scale", &a, mul) + 1;
        c->slots[1] = numbers_along(c, "offset", &a, add) + 1;
    }
    return affine(c, x);
}

/* (x - mean) / sqrt(variance + epsilon) of each example over `axis`, then gamma and beta. rms_scaling: the mean stays, and there is no
 * beta. */
int32_t lc_lower_layer_normalization(lc_call *c) {
    const double epsilon = lc_opt_num(c, "epsilon", 1e-3);
    const bool rms = lc_opt_bool(c, "rms_scaling", false), scale = lc_opt_bool(c, "scale", true) || rms,
               center = lc_opt_bool(c, "center", true) && !rms;
    const int32_t x = lc_call_float(c, 0);
    lc_shape s;
    along a;
    if (!lc_call_shape(c, x, &s) || !along_axes(c, &a, &s)) return -1;
    if (!lc_weights(c, 0u + scale + center, "gamma if scale, beta if center")) return -1;
    const int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, x, a.axes, a.n, true),
                  variance = lc_build_reduce(c->b, LC_OP_MEAN, binary(c, LC_OP_SQUARED_DIFFERENCE, x, mean), a.axes, a.n, true);
    const int32_t inverse = lc_build_unary(c->b, LC_OP_RSQRT, lc_build_with_scalar(c->b, LC_OP_ADD, variance, "epsilon", (float)epsilon));
    int32_t y = binary(c, LC_OP_MUL, rms ? x : binary(c, LC_OP_SUB, x, mean), inverse);
    const int32_t n = (int32_t)a.n;
    if (scale) y = binary(c, LC_OP_MUL, y, lc_weight_const(c, 0, 0, "gamma", a.stored, n, a.dims, a.rank));
    if (center) y = binary(c, LC_OP_ADD, y, lc_weight_const(c, 1, scale, "beta", a.stored, n, a.dims, a.rank));
    return y;
}

/* (x - mean) / max(sqrt(variance), 1e-7), or its inverse; statistics are weights, or were given in the config. axis: which they lie along,
 * null or []: one for all. */
int32_t lc_lower_normalization(lc_call *c) {
    int32_t x = lc_call_float(c, 0);
    const bool invert = lc_opt_bool(c, "invert", false), given = lc_opt(c, "mean") != NULL;
    const lc_json *axis = lc_opt(c, "axis");
    lc_shape s;
    along a = {.count = 1};
    if (!lc_call_shape(c, x, &s)) return -1;
    const bool missing = !lc_opt_given(c, "axis");
    if ((missing || axis) && !(lc_json_is(axis, LC_JSON_ARRAY) && axis->count == 0) && !along_axes(c, &a, &s)) return -1;
    for (uint32_t i = 1; i < a.n; i++) /* stored in rising order */
        for (uint32_t k = i; k > 0 && a.axes[k] < a.axes[k - 1]; k--) {
            const int32_t t = a.axes[k], d = a.stored[k];
            a.axes[k] = a.axes[k - 1], a.stored[k] = a.stored[k - 1];
            a.axes[k - 1] = t, a.stored[k - 1] = d;
        }
    if (c->b->status != LC_OK) return -1;
    const double *given_mean = NULL, *given_variance = NULL;
    const lc_keras_weight *mean = NULL, *variance = NULL;
    uint32_t n_mean = 0, n_variance = 0; /* each fills the shape, or is one number */
    if (given) {
        n_mean = lc_opt_floats(c, "mean", &given_mean), n_variance = lc_opt_floats(c, "variance", &given_variance);
        if (c->b->status != LC_OK) return -1;
        if (n_mean != 1 && n_mean != a.count) return lc_opt_fail(c, "mean", "needs %zu numbers", a.count);
        if (n_variance != 1 && n_variance != a.count) return lc_opt_fail(c, "variance", "needs %zu numbers", a.count);
        if (n_mean == 1 && n_variance == 1) a = (along){.count = 1};
    } else { /* mean, variance and a count; a scalar is stored without dimensions */
        if (c->layer->weight_count != 2 && !lc_weights(c, 3, "mean, variance, count")) return -1;
        mean = lc_weight(c, 0, "mean", a.stored, (int32_t)a.n);
        variance = lc_weight(c, 1, "variance", a.stored, (int32_t)a.n);
        if (!mean || !variance) return -1;
        if (c->layer->weight_count == 3) lc_training_make(c, 2, "count", NULL, 0);
    }
    if (!a.rank) a.dims[0] = a.rank = 1;
    if (!c->slots[0]) {
        float *mul = lc_build_data(c->b, a.count * sizeof *mul), *add = lc_build_data(c->b, a.count * sizeof *add);
        for (size_t i = 0; mul && add && i < a.count; i++) {
            double m = given ? given_mean[n_mean == 1 ? 0 : i] : lc_weight_at(mean, i),
                   sigma = fmax(sqrt(given ? given_variance[n_variance == 1 ? 0 : i] : lc_weight_at(variance, i)), 1e-7);
            mul[i] = (float)(invert ? sigma : 1 / sigma);
            add[i] = (float)(invert ? m : -m / sigma);
        }
        c->slots[0] = numbers_along(c, "scale", &a, mul) + 1;
        c->slots[1] = numbers_along(c, "offset", &a, add) + 1;
    }
    return affine(c, x);
}
