/*
 * The core layers: Dense, the ones that only change a shape, Rescaling, and those that do nothing when a model runs. Shapes are
 * changed by RESHAPE alone; the batch stays open as the one -1 it allows.
 */
#include "lower/image.h"
#include "lower/quantised.h"

#include <string.h>

/* Dropout and friends: the input itself. */
int32_t lc_lower_identity(lc_call *c) { return lc_call_inference(c) ? c->in[0] : -1; }

/* x from [a, b] to [c, d]. */
static int32_t to_range(lc_call *c, int32_t x, const double *from, const double *to) {
    if (from[0] == to[0] && from[1] == to[1]) return x;
    x = lc_build_with_scalar(c->b, LC_OP_SUB, x, "least", (float)from[0]);
    x = lc_build_with_scalar(c->b, LC_OP_DIV, x, "range", (float)(from[1] - from[0]));
    x = lc_build_with_scalar(c->b, LC_OP_MUL, x, "range", (float)(to[1] - to[0]));
    return lc_build_with_scalar(c->b, LC_OP_ADD, x, "least", (float)to[0]);
}

/* Not only in training: each channel of each image is stretched to the whole range; a channel of one value stays. */
int32_t lc_lower_auto_contrast(lc_call *c) {
    static const double whole[2] = {0, 255};
    const int32_t axes[2] = {1, 2};
    const double *range = whole;
    lc_shape s;
    const int32_t given = lc_call_ranked(c, 0, 4, &s);
    if (lc_opt(c, "value_range") && lc_opt_floats(c, "value_range", &range) != 2) return lc_opt_fail(c, "value_range", "needs two numbers");
    if (c->b->status != LC_OK) return -1;
    if (!(range[0] < range[1])) return lc_opt_fail(c, "value_range", "needs a number and a larger one");
    const int32_t x = to_range(c, given, range, whole), low = lc_build_reduce(c->b, LC_OP_REDUCE_MIN, x, axes, 2, true),
                  high = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, x, axes, 2, true);
    const int32_t span = lc_build_binary(c->b, LC_OP_SUB, high, low, LC_LOWER_ACT(NONE)),
                  scale = lc_build_binary(c->b, LC_OP_DIV, lc_build_scalar(c->b, "most", 255), span, LC_LOWER_ACT(NONE));
    int32_t y = lc_build_binary(c->b, LC_OP_MUL, lc_build_binary(c->b, LC_OP_SUB, x, low, LC_LOWER_ACT(NONE)), scale, LC_LOWER_ACT(NONE));
    y = lc_build_with_scalar(c->b, LC_OP_MINIMUM, lc_build_with_scalar(c->b, LC_OP_MAXIMUM, y, "least", 0), "most", 255);
    y = to_range(c, y, whole, range);
    return lc_build_select(c->b, lc_build_with_scalar(c->b, LC_OP_GREATER, span, "none", 0), y, given);
}

/* act(x W + b) over the last dimension; more than two dimensions are kept by keep_num_dims. */
int32_t lc_lower_dense(lc_call *c) {
    int32_t units = lc_opt_size(c, "units");
    bool use_bias = lc_opt_bool(c, "use_bias", true);
    const lc_json *activation = lc_opt(c, "activation");
    int32_t x = lc_call_float(c, 0);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 2", s.rank);
    int32_t depth = lc_call_known(c, &s, s.rank - 1, "the number of features");
    int32_t stored[2] = {depth, units}, wanted[2] = {units, depth};
    lc_equation e = {.w = {LC_MAX_RANK, LC_MAX_RANK + 1}, .x_n = s.rank, .w_n = 2, .y_n = s.rank};
    for (int32_t i = 0; i < s.rank; i++) e.x[i] = e.y[i] = (uint8_t)i;
    e.x[s.rank - 1] = LC_MAX_RANK;
    e.y[s.rank - 1] = LC_MAX_RANK + 1;
    x = lc_quantised_input(c, &e, stored, use_bias, x);
    if (!lc_weights(c, use_bias ? 2 : 1, use_bias ? "kernel, bias" : "kernel")) return -1;
    int32_t in[3] = {x, lc_weight_transposed(c, 0, 0, "kernel", stored, 2, wanted, 2),
                     use_bias ? lc_weight_bias(c, 1, 1, units, true) : LC_ABSENT};
    lc_FullyConnectedOptions o = {.keep_num_dims = s.rank > 2};
    bool fused = lc_lower_fusable(activation, &o.fused_activation_function);
    int32_t y = lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
    return fused ? y : lc_lower_activation(c, "activation", activation, y);
}

/* All but the batch in one dimension. channels_first data is brought to channels_last first, as Keras does. */
int32_t lc_lower_flatten(lc_call *c) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    bool first = lc_opt_channels_first(c);
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "its input has no batch dimension");
    int32_t x = lc_call_channels_last(c, c->in[0], first && s.rank > 2);
    if (s.rank == 2 && c->b->status == LC_OK) return x;
    int64_t n = 1;
    bool open = false;
    for (int32_t i = 1; i < s.rank; i++) {
        open = open || s.dims[i] < 0;
        if (s.dims[i] >= 0 && (!lc_mul_i64(n, s.dims[i], &n) || n > INT32_MAX))
            return lc_build_fail(c->b, LC_LIMIT, "its input has more than 2147483647 elements");
    }
    const int32_t dims[2] = {s.dims[0], open ? -1 : (int32_t)n};
    if (!open || dims[0] >= 0) return lc_build_reshape(c->b, x, dims, 2);
    const int32_t sizes[2] = {lc_tf_size(m, x, 0), lc_tf_size_const(m, -1)};
    return lc_tf_reshape_like(m, x, lc_tf_concat(m, sizes, 2, 0));
}

/* target_shape without the batch; one -1 in it is what is left. */
int32_t lc_lower_reshape(lc_call *c) {
    const lc_json *target = lc_opt(c, "target_shape");
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    if (!lc_json_is(target, LC_JSON_ARRAY) || target->count + 1 > LC_MAX_RANK)
        return lc_opt_fail(c, "target_shape", "needs a list of up to %d sizes", LC_MAX_RANK - 1);
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "its input has no batch dimension");
    int32_t dims[LC_MAX_RANK] = {s.dims[0]}, open = -1, free_dims = 0;
    const int32_t rank = (int32_t)target->count + 1;
    int64_t have = 1, want = 1;
    for (uint32_t i = 0; i < target->count; i++) {
        const lc_json *d = lc_json_at(target, i);
        if (!lc_json_is(d, LC_JSON_INT) || d->integer < -1 || d->integer == 0 || d->integer > INT32_MAX || (d->integer < 0 && open >= 0))
            return lc_opt_fail(c, "target_shape", "needs whole numbers of at least 1, and -1 at most once");
        dims[i + 1] = (int32_t)d->integer;
        if (d->integer < 0) open = (int32_t)i + 1;
        else if (!lc_mul_i64(want, d->integer, &want)) return lc_opt_fail(c, "target_shape", "the product of its sizes overflows");
    }
    for (int32_t i = 1; i < s.rank; i++) {
        free_dims += s.dims[i] < 0;
        if (s.dims[i] >= 0 && !lc_mul_i64(have, s.dims[i], &have)) return lc_build_fail(c->b, LC_LIMIT, "the size of its input overflows");
    }
    if (!free_dims && (open >= 0 ? have % want != 0 || have / want > INT32_MAX : have != want))
        return lc_opt_fail(c, "target_shape", "its input has %lld elements an example", (long long)have);
    if (open >= 0 && !free_dims) dims[open] = (int32_t)(have / want);
    if (open < 0 || !free_dims || dims[0] >= 0) return lc_build_reshape(c->b, c->in[0], dims, rank);
    int32_t sizes[LC_MAX_RANK]; /* batch and -1 are both open: the batch comes from the input */
    for (int32_t i = 0; i < rank; i++) sizes[i] = i ? lc_tf_size_const(m, dims[i]) : lc_tf_size(m, c->in[0], 0);
    return lc_tf_reshape_like(m, c->in[0], lc_tf_concat(m, sizes, (uint32_t)rank, 0));
}

/* [n, c] as n times the same row. */
int32_t lc_lower_repeat_vector(lc_call *c) {
    const int32_t times[3] = {1, lc_opt_size(c, "n"), 1};
    lc_shape s;
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    if (s.rank != 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs 2", s.rank);
    const int32_t in[2] = {lc_tf_expand(lc_eager_maker(c), c->in[0], 1), lc_build_ints(c->b, "times", times, 3)};
    return times[1] == 1 ? in[0] : lc_build_op(c->b, LC_OP_TILE, LC_TABLE_TileOptions, NULL, in, 2);
}

/* dims counts from 1: the batch stays first. */
int32_t lc_lower_permute(lc_call *c) {
    lc_shape s;
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    int32_t perm[LC_MAX_RANK] = {0};
    uint32_t seen = 0;
    if (s.rank < 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 2", s.rank);
    lc_opt_sizes(c, "dims", 1, 0, perm + 1, (uint32_t)s.rank - 1);
    for (int32_t i = 1; i < s.rank && c->b->status == LC_OK; i++) {
        if (perm[i] >= s.rank || (seen & (1u << perm[i])) != 0) return lc_opt_fail(c, "dims", "needs each of 1 to %d once", s.rank - 1);
        seen |= 1u << perm[i];
    }
    return lc_build_transpose(c->b, c->in[0], perm, s.rank);
}

/* A scalar, or an array that broadcasts with the input, mostly one number a channel. */
static int32_t numbers(lc_call *c, uint32_t slot, const char *key, const double *values, uint32_t n, const lc_shape *s) {
    int32_t dims[LC_MAX_RANK];
    const int32_t rank = lc_opt_list_rank(c, key, dims);
    int64_t count = 1;
    if (c->b->status != LC_OK) return -1;
    if (n == 1) return lc_build_scalar(c->b, key, (float)values[0]);
    for (int32_t i = 0; i < rank; i++) {
        const int32_t size = i < s->rank ? s->dims[s->rank - 1 - i] : 1, own = dims[rank - 1 - i];
        if (size >= 0 && size != own && size != 1 && own != 1)
            return lc_opt_fail(c, key, "has %d numbers along a dimension where its input has %d", own, size);
        if (!lc_mul_i64(count, own, &count)) count = -1;
    }
    if (count != (int64_t)n) return lc_opt_fail(c, key, "has rows of different length");
    if (c->slots[slot]) return c->slots[slot] - 1;
    float *data = lc_build_data(c->b, n * sizeof *data);
    for (uint32_t i = 0; data && i < n; i++) data[i] = (float)values[i];
    const int32_t t = lc_build_const(c->b, key, LC_FLOAT32, dims, rank, data, n * sizeof *data, true);
    c->slots[slot] = t + 1;
    return t;
}

/* x * scale + offset */
int32_t lc_lower_rescaling(lc_call *c) {
    const double *scale, *offset, zero = 0;
    uint32_t n_scale = lc_opt_floats(c, "scale", &scale), n_offset = 1;
    if (lc_opt(c, "offset")) n_offset = lc_opt_floats(c, "offset", &offset);
    else offset = &zero;
    int32_t x = lc_call_float(c, 0);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    bool shift = false;
    for (uint32_t i = 0; i < n_offset; i++) shift = shift || offset[i] != 0;
    x = lc_build_binary(c->b, LC_OP_MUL, x, numbers(c, 0, "scale", scale, n_scale, &s), LC_LOWER_ACT(NONE));
    return shift ? lc_build_binary(c->b, LC_OP_ADD, x, numbers(c, 1, "offset", offset, n_offset, &s), LC_LOWER_ACT(NONE)) : x;
}

/* x * gamma over the last dimension: ConvNeXt's own layer in keras.applications. */
int32_t lc_lower_layer_scale(lc_call *c) {
    int32_t x = lc_call_float(c, 0);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "its input has no dimensions");
    const int32_t depth = lc_call_known(c, &s, s.rank - 1, "the number of channels");
    if (!lc_weights(c, 1, "gamma")) return -1;
    return lc_build_binary(c->b, LC_OP_MUL, x, lc_weight_const(c, 0, 0, "gamma", &depth, 1, &depth, 1), LC_LOWER_ACT(NONE));
}
