/*
 * Normalisation. When a model runs, batch normalisation is a multiplication and an addition with constants:
 *
 *   y = gamma (x - mean) / sqrt(variance + epsilon) + beta  =  x a + (beta - mean a),   a = gamma / sqrt(variance + epsilon)
 *
 * computed in double. src/pass folds the pair into a convolution or a dense layer before it.
 */
#include "lower/lower.h"

#include <math.h>

/* An axis option: a number, or the list of one that some Keras versions write. */
static int32_t one_axis(lc_call *c, int32_t rank) {
    const lc_json *axis = lc_opt(c, "axis");
    if (lc_json_is(axis, LC_JSON_ARRAY) && axis->count == 1) axis = lc_json_at(axis, 0);
    if (axis && axis->kind != LC_JSON_INT) {
        lc_opt_fail(c, "axis", "litec takes one axis");
        return 0;
    }
    return lc_call_axis(c, "axis", axis ? axis->integer : -1, rank);
}

/* A constant of n numbers along `axis` of a rank: [n] for the last axis, else [n, 1, 1 ...]. */
static int32_t along(lc_call *c, const char *name, float *data, int32_t n, int32_t axis, int32_t rank) {
    int32_t dims[LC_MAX_RANK] = {n, 1, 1, 1, 1, 1, 1, 1};
    return data ? lc_build_const(c->b, name, LC_FLOAT32, dims, rank - axis, data, (size_t)n * sizeof *data, true) : -1;
}

int32_t lc_lower_batch_normalization(lc_call *c) {
    double epsilon = lc_opt_num(c, "epsilon", 1e-3);
    bool scale = lc_opt_bool(c, "scale", true), center = lc_opt_bool(c, "center", true), renorm = lc_opt_bool(c, "renorm", false);
    int32_t x = lc_call_float(c, 0);
    lc_shape s;
    if (!lc_call_inference(c) || !lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "its input has no dimensions");
    int32_t axis = one_axis(c, s.rank), n = lc_call_known(c, &s, axis, "the number of channels");
    uint32_t own = 2u + scale + center; /* renorm keeps statistics of its own behind these; they matter in training only */
    if (!(renorm && c->layer->weight_count > own) && !lc_weights(c, own, "gamma if scale, beta if center, moving_mean, moving_variance"))
        return -1;
    uint32_t at = 0;
    const lc_keras_weight *gamma = scale ? lc_weight(c, at++, "gamma", &n, 1) : NULL,
                          *beta = center ? lc_weight(c, at++, "beta", &n, 1) : NULL;
    const lc_keras_weight *mean = lc_weight(c, at, "moving_mean", &n, 1), *variance = lc_weight(c, at + 1, "moving_variance", &n, 1);
    if (c->b->status != LC_OK) return -1;
    if (!c->slots[0]) {
        float *mul = lc_build_data(c->b, (size_t)n * sizeof *mul), *add = lc_build_data(c->b, (size_t)n * sizeof *add);
        for (size_t i = 0; mul && add && i < (size_t)n; i++) {
            double a = (gamma ? lc_weight_at(gamma, i) : 1) / sqrt(lc_weight_at(variance, i) + epsilon);
            mul[i] = (float)a;
            add[i] = (float)((beta ? lc_weight_at(beta, i) : 0) - lc_weight_at(mean, i) * a);
        }
        c->slots[0] = along(c, "scale", mul, n, axis, s.rank) + 1;
        c->slots[1] = along(c, "offset", add, n, axis, s.rank) + 1;
    }
    x = lc_build_binary(c->b, LC_OP_MUL, x, c->slots[0] - 1, LC_LOWER_ACT(NONE));
    return lc_build_binary(c->b, LC_OP_ADD, x, c->slots[1] - 1, LC_LOWER_ACT(NONE));
}

/* (x - mean) / sqrt(variance + epsilon) of each example over `axis`, then gamma and beta. */
int32_t lc_lower_layer_normalization(lc_call *c) {
    double epsilon = lc_opt_num(c, "epsilon", 1e-3);
    bool scale = lc_opt_bool(c, "scale", true), center = lc_opt_bool(c, "center", true);
    if (lc_opt_bool(c, "rms_scaling", false)) return lc_opt_fail(c, "rms_scaling", "litec takes false only");
    int32_t x = lc_call_float(c, 0), axes[LC_MAX_RANK];
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const lc_json *axis = lc_opt(c, "axis");
    uint32_t n = !axis ? 1 : axis->kind == LC_JSON_ARRAY ? axis->count : 1;
    int32_t shape[LC_MAX_RANK], weight[LC_MAX_RANK]; /* of gamma: as stored, and to broadcast from its first axis on */
    if (n < 1 || n > (uint32_t)s.rank) return lc_opt_fail(c, "axis", "needs from 1 to %d axes", s.rank);
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *a = !axis ? NULL : axis->kind == LC_JSON_ARRAY ? lc_json_at(axis, i) : axis;
        if (a && a->kind != LC_JSON_INT) return lc_opt_fail(c, "axis", "needs whole numbers");
        axes[i] = lc_call_axis(c, "axis", a ? a->integer : -1, s.rank);
        if (i && axes[i] <= axes[i - 1]) return lc_opt_fail(c, "axis", "litec takes axes in rising order");
        shape[i] = lc_call_known(c, &s, axes[i], "a size to normalise");
    }
    for (int32_t i = axes[0]; i < s.rank; i++) weight[i - axes[0]] = 1;
    for (uint32_t i = 0; i < n; i++) weight[axes[i] - axes[0]] = shape[i];
    if (!lc_weights(c, 0u + scale + center, "gamma if scale, beta if center")) return -1;
    int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, x, axes, n, true);
    int32_t variance =
        lc_build_reduce(c->b, LC_OP_MEAN, lc_build_binary(c->b, LC_OP_SQUARED_DIFFERENCE, x, mean, LC_LOWER_ACT(NONE)), axes, n, true);
    int32_t inverse = lc_build_unary(c->b, LC_OP_RSQRT, lc_build_with_scalar(c->b, LC_OP_ADD, variance, "epsilon", (float)epsilon));
    int32_t y =
        lc_build_binary(c->b, LC_OP_MUL, lc_build_binary(c->b, LC_OP_SUB, x, mean, LC_LOWER_ACT(NONE)), inverse, LC_LOWER_ACT(NONE));
    int32_t rank = s.rank - axes[0];
    if (scale)
        y = lc_build_binary(c->b, LC_OP_MUL, y, lc_weight_const(c, 0, 0, "gamma", shape, (int32_t)n, weight, rank), LC_LOWER_ACT(NONE));
    if (center)
        y = lc_build_binary(c->b, LC_OP_ADD, y, lc_weight_const(c, 1, scale, "beta", shape, (int32_t)n, weight, rank), LC_LOWER_ACT(NONE));
    return y;
}

/* (x - mean) / max(sqrt(variance), 1e-7), or its inverse; statistics are weights, or were given in the config. */
int32_t lc_lower_normalization(lc_call *c) {
    int32_t x = lc_call_float(c, 0);
    bool invert = lc_opt_bool(c, "invert", false);
    const lc_json *axis = lc_opt(c, "axis");
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t at = -1, n = 1;
    if (axis && !(axis->kind == LC_JSON_ARRAY && axis->count == 0)) {
        at = one_axis(c, s.rank);
        n = lc_call_known(c, &s, at, "the number of features");
    }
    if (c->b->status != LC_OK) return -1;
    const double *given_mean = NULL, *given_variance = NULL;
    const lc_keras_weight *mean = NULL, *variance = NULL;
    bool given = lc_opt(c, "mean") != NULL;
    if (given) {
        uint32_t n_mean = lc_opt_floats(c, "mean", &given_mean), n_variance = lc_opt_floats(c, "variance", &given_variance);
        if (c->b->status != LC_OK) return -1;
        if (n_mean != n_variance || (n_mean != 1 && n_mean != (uint32_t)n))
            return lc_opt_fail(c, "mean", "needs %d numbers, as many as variance", n);
        if (n_mean != (uint32_t)n) n = 1, at = -1;
    } else { /* mean, variance and a count; a scalar is stored without dimensions */
        if (c->layer->weight_count != 2 && !lc_weights(c, 3, "mean, variance, count")) return -1;
        mean = lc_weight(c, 0, "mean", &n, at < 0 ? 0 : 1);
        variance = lc_weight(c, 1, "variance", &n, at < 0 ? 0 : 1);
        if (!mean || !variance) return -1;
    }
    if (!c->slots[0]) {
        float *mul = lc_build_data(c->b, (size_t)n * sizeof *mul), *add = lc_build_data(c->b, (size_t)n * sizeof *add);
        for (size_t i = 0; mul && add && i < (size_t)n; i++) {
            double m = given ? given_mean[i] : lc_weight_at(mean, i),
                   sigma = fmax(sqrt(given ? given_variance[i] : lc_weight_at(variance, i)), 1e-7);
            mul[i] = (float)(invert ? sigma : 1 / sigma);
            add[i] = (float)(invert ? m : -m / sigma);
        }
        int32_t a = at < 0 ? s.rank - 1 : at;
        c->slots[0] = along(c, "scale", mul, n, a, s.rank) + 1;
        c->slots[1] = along(c, "offset", add, n, a, s.rank) + 1;
    }
    x = lc_build_binary(c->b, LC_OP_MUL, x, c->slots[0] - 1, LC_LOWER_ACT(NONE));
    return lc_build_binary(c->b, LC_OP_ADD, x, c->slots[1] - 1, LC_LOWER_ACT(NONE));
}
