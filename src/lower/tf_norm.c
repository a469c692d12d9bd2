/*
 * tf_norm.c: biases and normalisation, and the tail of grappler's fused operators.
 *
 * Batch normalisation at inference is y = x * m + a with m = scale / sqrt(variance + epsilon), a = offset - mean m. Constants are worked out
 * here, in double precision; pass/fold_affine_after.c then takes MUL and ADD into the convolution before. With statistics of the batch
 * (is_training) they are operators, the variance of the outputs with Bessel's correction as TensorFlow gives it.
 *
 * LRN (Krizhevsky et al. 2012) is TFLite's LOCAL_RESPONSE_NORMALIZATION: x / (bias + alpha sum x^2)^beta.
 */
#include "lower/tf_nn.h"

#include <math.h>
#include <string.h>

int32_t lc_tf_bias(lc_tf_call *c, int32_t x, int32_t bias, bool first) {
    lc_tf_rank_of(c, bias, 1);
    return lc_tf_binary(c, LC_OP_ADD, x, lc_tf_along_channels(c, bias, x, first));
}

/* Adding is exact modulo 2^n, so small integers go through wider ones. */
static void add_bias(lc_tf_call *c, bool first) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t value = lc_tf_widen(c, x, LC_TF_ARITHMETIC), bias = lc_tf_widen(c, lc_tf_in(c, 1), LC_TF_ARITHMETIC);
    if (value < 0 || bias < 0) return;
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_bias(c, value, bias, first), type));
}

void lc_tf_op_bias_add(lc_tf_call *c) {
    bool known;
    const bool first = lc_tf_channels_first(c, &known);
    if (known) add_bias(c, first);
}
void lc_tf_op_bias_add_v1(lc_tf_call *c) { add_bias(c, false); }

/* ---- batch normalisation --------------------------------------------------------------------------------------------- */

/* n floats of a constant into values; t of -1: `otherwise`. */
static bool floats_of(lc_tf_call *c, int32_t t, uint32_t n, float otherwise, float *values) {
    uint32_t have;
    for (uint32_t i = 0; t < 0 && i < n; i++) values[i] = otherwise;
    return t < 0 || (lc_tf_floats(c, t, values, n, &have) && have == n);
}

/* m and a as constants, when everything they are made of is; scale or offset of -1 are ones and zeros. */
static bool constants(lc_tf_call *c, int32_t scale, int32_t offset, int32_t mean, int32_t variance, double epsilon, int32_t dim,
                      int32_t *mul, int32_t *add) {
    if (dim < 1 || !lc_tf_is_const(c, mean) || !lc_tf_is_const(c, variance)) return false;
    const uint32_t n = (uint32_t)dim;
    lc_arena temporary = {0};
    float *in = lc_arena_array(&temporary, (size_t)n * 4, sizeof *in);
    if (!in) lc_build_check(c->b, lc_fail_memory(c->b->err, "batch normalisation"));
    const bool known = in && floats_of(c, scale, n, 1, in) && floats_of(c, offset, n, 0, in + n) &&
                       floats_of(c, mean, n, 0, in + 2 * (size_t)n) && floats_of(c, variance, n, 1, in + 3 * (size_t)n);
    float *m = known ? lc_build_data(c->b, n * sizeof *m) : NULL, *a = known ? lc_build_data(c->b, n * sizeof *a) : NULL;
    for (size_t i = 0; m && a && i < n; i++) {
        const double factor = in[i] / sqrt(in[i + 3 * (size_t)n] + epsilon);
        m[i] = (float)factor;
        a[i] = (float)(in[i + n] - in[i + 2 * (size_t)n] * factor);
    }
    lc_arena_deinit(&temporary);
    if (!known) return false;
    *mul = lc_build_const(c->b, "scale", LC_FLOAT32, &dim, 1, m, n * sizeof *m, true);
    *add = lc_build_const(c->b, "offset", LC_FLOAT32, &dim, 1, a, n * sizeof *a, true);
    return lc_tf_ok(c);
}

/* The same by operators; all of them broadcast to x. */
static int32_t normalised(lc_tf_call *c, int32_t scale, int32_t offset, int32_t mean, int32_t variance, float epsilon, int32_t *add) {
    int32_t mul = lc_tf_unary(c, LC_OP_RSQRT, lc_tf_with(c, LC_OP_ADD, variance, epsilon));
    if (scale >= 0) mul = lc_tf_binary(c, LC_OP_MUL, mul, scale);
    *add = lc_tf_binary(c, LC_OP_MUL, mean, mul);
    *add = offset >= 0 ? lc_tf_binary(c, LC_OP_SUB, offset, *add) : lc_tf_unary(c, LC_OP_NEG, *add);
    return mul;
}

static int32_t affine(lc_tf_call *c, int32_t x, int32_t mul, int32_t add) {
    return lc_tf_binary(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_MUL, x, mul), add);
}

int32_t lc_tf_batch_norm(lc_tf_call *c, int32_t x, int32_t scale, int32_t offset, int32_t mean, int32_t variance, float epsilon,
                         bool first) {
    const lc_shape s = lc_tf_rank_of(c, mean, 1);
    int32_t mul = -1, add = -1;
    if (!lc_tf_ok(c)) return -1;
    if (!constants(c, scale, offset, mean, variance, epsilon, s.dims[0], &mul, &add))
        mul = normalised(c, scale, offset, mean, variance, epsilon, &add);
    mul = lc_tf_along_channels(c, mul, x, first);
    return affine(c, x, mul, lc_tf_along_channels(c, add, x, first));
}

/* Statistics of the batch: mean and variance as they broadcast to x; *corrected: n / (n - 1). */
static void batch_statistics(lc_tf_call *c, int32_t x, bool first, int32_t *mean, int32_t *variance, int32_t *corrected) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    if (!lc_tf_ok(c) || s.rank < 2) {
        if (lc_tf_ok(c)) lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, needs 4 or 5", s.rank);
        return;
    }
    const int32_t channels = first ? 1 : s.rank - 1;
    int32_t count = lc_tf_size_const(c, 1);
    for (int32_t d = 0; d < s.rank; d++) {
        if (d == channels) continue;
        axes[n++] = d;
        count = lc_tf_size_op(c, LC_OP_MUL, count, lc_tf_size(c, x, d));
    }
    *mean = lc_build_reduce(c->b, LC_OP_MEAN, x, axes, n, first);
    *variance = lc_build_reduce(c->b, LC_OP_MEAN, lc_tf_binary(c, LC_OP_SQUARED_DIFFERENCE, x, *mean), axes, n, first);
    const int32_t size = lc_build_cast(c->b, count, LC_FLOAT32);
    *corrected = lc_tf_binary(c, LC_OP_DIV, size, lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_with(c, LC_OP_SUB, size, 1), 1));
}

/* New statistics from the old and those of the batch: old + factor (batch - old). */
static int32_t average(lc_tf_call *c, int32_t old, int32_t batch, float factor) {
    if (factor == 1) return batch;
    return lc_tf_binary(c, LC_OP_ADD, old, lc_tf_with(c, LC_OP_MUL, lc_tf_binary(c, LC_OP_SUB, batch, old), factor));
}

/* y, batch_mean, batch_variance, reserve_space_1 and 2 (what the gradient wants: here mean and variance again). */
void lc_tf_op_fused_batch_norm(lc_tf_call *c) {
    bool known;
    const bool first = lc_tf_channels_first(c, &known);
    if (!known) return;
    const int32_t input = lc_tf_in(c, 0), x = lc_tf_float32(c, input), scale = lc_tf_float32(c, lc_tf_in(c, 1)),
                  offset = lc_tf_float32(c, lc_tf_in(c, 2));
    const float epsilon = lc_tf_attr_float(c, "epsilon", 1e-4f), factor = lc_tf_attr_float(c, "exponential_avg_factor", 1);
    const bool training = lc_tf_attr_bool(c, "is_training", true);
    int32_t mean = lc_tf_float32(c, lc_tf_in(c, 3)), variance = lc_tf_float32(c, lc_tf_in(c, 4)), used_mean = mean,
            used_variance = variance, y;
    if (training) {
        const int32_t flat = -1;
        int32_t add, corrected = -1, centre = -1, spread = -1;
        batch_statistics(c, x, first, &centre, &spread, &corrected);
        const int32_t by = lc_tf_along_channels(c, scale, x, first), plus = lc_tf_along_channels(c, offset, x, first);
        const int32_t mul = normalised(c, by, plus, centre, spread, epsilon, &add);
        y = affine(c, x, mul, add);
        used_mean = first ? lc_tf_reshape(c, centre, &flat, 1) : centre;
        used_variance = first ? lc_tf_reshape(c, spread, &flat, 1) : spread;
        mean = average(c, mean, used_mean, factor);
        variance = average(c, variance, lc_tf_binary(c, LC_OP_MUL, used_variance, corrected), factor);
    } else {
        y = lc_tf_batch_norm(c, x, scale, offset, mean, variance, epsilon, first);
    }
    if (lc_tf_has(c, 5) && lc_tf_attr_int(c, "num_side_inputs", 0) > 0) y = lc_tf_binary(c, LC_OP_ADD, y, lc_tf_float32(c, lc_tf_in(c, 5)));
    y = lc_tf_activation(c, lc_tf_attr_str(c, "activation_mode", "Identity"), y, 0, &known);
    if (!known) {
        lc_tf_missing(c, "its activation_mode is none that litec knows");
        return;
    }
    lc_tf_give(c, 0, lc_tf_back(c, y, lc_tf_type(c, input)));
    lc_tf_give(c, 1, mean);
    lc_tf_give(c, 2, variance);
    lc_tf_give(c, 3, used_mean);
    lc_tf_give(c, 4, used_variance);
}

/* t, m, v, beta, gamma; gamma counts when scale_after_normalization. */
void lc_tf_op_global_batch_norm(lc_tf_call *c) {
    int32_t in[5];
    for (uint32_t i = 0; i < 5; i++) in[i] = lc_tf_float32(c, lc_tf_in(c, i));
    const bool scaled = lc_tf_attr_bool(c, "scale_after_normalization", true);
    const int32_t y =
        lc_tf_batch_norm(c, in[0], scaled ? in[4] : -1, in[3], in[1], in[2], lc_tf_attr_float(c, "variance_epsilon", 1e-3f), false);
    if (lc_tf_ok(c)) lc_tf_give(c, 0, lc_tf_back(c, y, lc_tf_type(c, lc_tf_in(c, 0))));
}

/* ---- others ------------------------------------------------------------------------------------------------------------ */

void lc_tf_op_lrn(lc_tf_call *c) {
    const int64_t radius = lc_tf_attr_int(c, "depth_radius", 5);
    const int32_t input = lc_tf_in(c, 0), x = lc_tf_float32(c, input);
    lc_tf_rank_of(c, x, 4);
    if (!lc_tf_ok(c)) return;
    if (radius < 0 || radius > INT32_MAX) {
        lc_tf_fail(c, LC_INVALID, "its depth_radius is %lld", (long long)radius);
        return;
    }
    const lc_LocalResponseNormalizationOptions o = {.radius = (int32_t)radius,
                                                    .bias = lc_tf_attr_float(c, "bias", 1),
                                                    .alpha = lc_tf_attr_float(c, "alpha", 1),
                                                    .beta = lc_tf_attr_float(c, "beta", 0.5f)};
    const int32_t y = lc_build_op(c->b, LC_OP_LOCAL_RESPONSE_NORMALIZATION, LC_TABLE_LocalResponseNormalizationOptions, &o, &x, 1);
    lc_tf_give(c, 0, lc_tf_back(c, y, lc_tf_type(c, input)));
}

/* sum(x^2) / 2 of everything. */
void lc_tf_op_l2_loss(lc_tf_call *c) {
    const int32_t input = lc_tf_in(c, 0), row = -1;
    int32_t x = lc_tf_float32(c, input), axes[LC_MAX_RANK];
    lc_shape s = lc_tf_shape(c, x);
    if (s.rank == LC_RANK_UNKNOWN) {
        x = lc_tf_reshape(c, x, &row, 1);
        s.rank = 1;
    }
    for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
    const int32_t square = lc_tf_unary(c, LC_OP_SQUARE, x);
    const int32_t sum = s.rank ? lc_build_reduce(c->b, LC_OP_SUM, square, axes, (uint32_t)s.rank, false) : square;
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_with(c, LC_OP_MUL, sum, 0.5), lc_tf_type(c, input)));
}

/* ---- what grappler fused -------------------------------------------------------------------------------------------------- */

/* fused_ops is a list such as BiasAdd, Add, Relu; each takes its arguments in turn. */
void lc_tf_finish_fused(lc_tf_call *c, int32_t y, uint32_t arg, bool first, lc_dtype type) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, "fused_ops");
    const float epsilon = lc_tf_attr_float(c, "epsilon", 1e-4f), alpha = lc_tf_attr_float(c, "leakyrelu_alpha", 0.2f);
    const uint32_t n = a && a->list ? a->list->s.n : 0;
    for (uint32_t i = 0; i < n && lc_tf_ok(c); i++) {
        const lc_str op = a->list->s.data[i];
        bool known = true;
        if (lc_str_is(op, "BiasAdd")) {
            y = lc_tf_bias(c, y, lc_tf_float32(c, lc_tf_in(c, arg)), first);
            arg++;
        } else if (lc_str_is(op, "FusedBatchNorm")) {
            int32_t p[4];
            for (uint32_t k = 0; k < 4; k++) p[k] = lc_tf_float32(c, lc_tf_in(c, arg + k));
            y = lc_tf_batch_norm(c, y, p[0], p[1], p[2], p[3], epsilon, first);
            arg += 4;
        } else if (lc_str_is(op, "Add")) {
            y = lc_tf_binary(c, LC_OP_ADD, y, lc_tf_float32(c, lc_tf_in(c, arg)));
            arg++;
        } else {
            y = lc_tf_activation(c, op, y, alpha, &known);
        }
        if (!known) {
            lc_tf_missing(c, "it has \"%.*s\" fused into it", op.size > 60 ? 60 : (int)op.size, op.data);
            return;
        }
    }
    lc_tf_give(c, 0, lc_tf_back(c, y, type));
}
