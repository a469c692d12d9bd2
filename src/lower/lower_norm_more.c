/*
 * Normalisation by what an example itself has: groups of channels, root mean square, length. A group is a dimension of its own while it is
 * normalised:
 *
 *   [n, h, w, c] ─▶ [n, h w, groups, c / groups]     mean and variance over all but batch and groups
 *
 * with what comes before the axis and what comes behind it in one dimension each, so that four dimensions do, five for an axis in the
 * middle. SpectralNormalization changes its layer's kernel in training only: what is stored is what runs.
 */
#include "lower/image.h"
#include "lower/rnn.h"
#include "lower/training.h"

#include <string.h>

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }
static int32_t scalar(lc_call *c, int32_t op, int32_t x, const char *name, double v) {
    return lc_build_with_scalar(c->b, op, x, name, (float)v);
}

int32_t lc_lower_group_normalization(lc_call *c) {
    const double epsilon = lc_opt_num(c, "epsilon", 1e-3);
    const bool scale = lc_opt_bool(c, "scale", true), center = lc_opt_bool(c, "center", true);
    lc_tf_call *m = lc_eager_maker(c);
    int32_t x = lc_call_float(c, 0), sizes[5], group[LC_MAX_RANK] = {0}, reduce[4], n = 0, at = 0, back[LC_MAX_RANK];
    lc_shape s;
    if (lc_call_argument(c, 1, "mask")) return lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with a mask");
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 2", s.rank);
    const int32_t axis = lc_call_axis(c, "axis", lc_opt_int(c, "axis", -LC_MAX_RANK, LC_MAX_RANK - 1, -1), s.rank);
    const int32_t channels = lc_call_known(c, &s, axis, "the number of channels");
    if (axis == 0) return lc_opt_fail(c, "axis", "names the batch");
    int32_t groups = lc_opt_int(c, "groups", -1, INT32_MAX, 32);
    if (groups == -1) groups = channels;
    if (groups < 1 || channels % groups != 0) return lc_opt_fail(c, "groups", "needs a divisor of the %d channels, or -1", channels);
    if (!lc_weights(c, 0u + scale + center, "gamma if scale, beta if center")) return -1;
    sizes[n++] = lc_tf_size(m, x, 0);
    if (axis > 1) reduce[at++] = n, sizes[n++] = lc_tf_size_product(m, x, 1, axis);
    group[0] = groups;
    sizes[n++] = lc_tf_size_const(m, groups);
    reduce[at++] = n, sizes[n++] = lc_tf_size_const(m, channels / groups);
    if (axis + 1 < s.rank) reduce[at++] = n, sizes[n++] = lc_tf_size_product(m, x, axis + 1, s.rank);
    const int32_t rank = axis + 1 < s.rank ? 3 : 2;
    group[1] = channels / groups;
    group[2] = 1;
    for (int32_t i = 0; i < s.rank; i++) back[i] = lc_tf_size(m, x, i);
    x = lc_tf_reshape_sizes(m, x, sizes, (uint32_t)n);
    const int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, x, reduce, (uint32_t)at, true),
                  variance = lc_build_reduce(c->b, LC_OP_MEAN, binary(c, LC_OP_SQUARED_DIFFERENCE, x, mean), reduce, (uint32_t)at, true);
    const int32_t inverse = lc_build_unary(c->b, LC_OP_RSQRT, scalar(c, LC_OP_ADD, variance, "epsilon", epsilon));
    x = binary(c, LC_OP_MUL, binary(c, LC_OP_SUB, x, mean), inverse);
    if (scale) x = binary(c, LC_OP_MUL, x, lc_weight_const(c, 0, 0, "gamma", &channels, 1, group, rank));
    if (center) x = binary(c, LC_OP_ADD, x, lc_weight_const(c, 1, scale, "beta", &channels, 1, group, rank));
    return lc_tf_reshape_sizes(m, x, back, (uint32_t)s.rank);
}

/* x / sqrt(mean(x x) + epsilon) * scale; the scale is broadcast to the last dimensions, whichever the axes are, as Keras does. */
int32_t lc_lower_rms_normalization(lc_call *c) {
    const double epsilon = lc_opt_num(c, "epsilon", 1e-6);
    const int32_t x = lc_call_float(c, 0);
    int32_t axes[LC_MAX_RANK], shape[LC_MAX_RANK];
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const uint32_t n = lc_lower_axes(c, "axis", s.rank, axes);
    for (uint32_t i = 0; i < n; i++) shape[i] = lc_call_known(c, &s, axes[i], "a size to normalise");
    if (!n || !lc_weights(c, 1, "scale")) return -1;
    const int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, lc_build_unary(c->b, LC_OP_SQUARE, x), axes, n, true);
    const int32_t y = binary(c, LC_OP_MUL, x, lc_build_unary(c->b, LC_OP_RSQRT, scalar(c, LC_OP_ADD, mean, "epsilon", epsilon)));
    return binary(c, LC_OP_MUL, y, lc_weight_const(c, 0, 0, "scale", shape, (int32_t)n, shape, (int32_t)n));
}

int32_t lc_lower_unit(lc_call *c, int32_t x, const int32_t *axes, uint32_t n, double least) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (c->lower->keras2 && n == 1 && axes[0] == s.rank - 1) {
        const lc_L2NormOptions o = {0};
        return lc_build_op(c->b, LC_OP_L2_NORMALIZATION, LC_TABLE_L2NormOptions, &o, &x, 1);
    }
    const int32_t sum = lc_build_reduce(c->b, LC_OP_SUM, lc_build_unary(c->b, LC_OP_SQUARE, x), axes, n, true);
    if (c->lower->keras2) return binary(c, LC_OP_MUL, x, lc_build_unary(c->b, LC_OP_RSQRT, scalar(c, LC_OP_MAXIMUM, sum, "least", 1e-12)));
    return binary(c, LC_OP_MUL, x, scalar(c, LC_OP_MINIMUM, lc_build_unary(c->b, LC_OP_RSQRT, sum), "most", 1 / least));
}

int32_t lc_lower_unit_normalization(lc_call *c) {
    const int32_t x = lc_call_float(c, 0);
    int32_t axes[LC_MAX_RANK];
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const uint32_t n = lc_lower_axes(c, "axis", s.rank, axes);
    return n ? lc_lower_unit(c, x, axes, n, 1e-12) : -1;
}

/* .h5 files hold its vector_u before or behind the weights of its layer. */
int32_t lc_lower_spectral_normalization(lc_call *c) {
    const lc_json *layer = lc_opt(c, "layer");
    const uint32_t n = c->layer->weight_count;
    if (!layer) return lc_opt_fail(c, "layer", "needs a layer");
    if (!lc_call_inference(c)) return -1;
    if (lc_training_refused(c, "its layer's kernel is normalised anew in each step")) return -1;
    if (!n) {
        lc_weights(c, 1, "vector_u, and those of its layer");
        return -1;
    }
    const char *name = c->layer->weights[0].name;
    const uint32_t first = name && (strstr(name, "vector_u") || strstr(name, "/sn_u")) ? 1 : 0;
    lc_keras_layer *part = lc_arena_alloc(&c->lower->scratch, sizeof *part);
    int32_t *in = lc_arena_array(&c->lower->scratch, 2, sizeof *in);
    lc_call done;
    if (!part || !in) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "a layer"));
        return -1;
    }
    in[0] = c->in[0];
    in[1] = lc_call_mask(c, 0);
    if (!lc_part(c, layer, "layer/", first, n - 1, part)) return -1;
    return lc_part_call(c, part, in, in + 1, 1, &done);
}
