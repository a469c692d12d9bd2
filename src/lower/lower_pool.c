/*
 * Pooling: MAX_POOL_2D and AVERAGE_POOL_2D over channels-last images (padding is not counted in an average, in Keras as in
 * TFLite); global pooling is MEAN or REDUCE_MAX over the dimensions between batch and channels.
 */
#include "lower/lower.h"

static const char *const paddings[] = {"valid", "same", NULL};

static int32_t pool_op(lc_call *c, int32_t op, int32_t x, const int32_t *size, const int32_t *stride) {
    lc_Pool2DOptions o = {.padding = lc_opt_choice(c, "padding", paddings) ? LC_Padding_SAME : LC_Padding_VALID,
                          .filter_height = size[0],
                          .filter_width = size[1],
                          .stride_h = stride[0],
                          .stride_w = stride[1]};
    return lc_build_op(c->b, op, LC_TABLE_Pool2DOptions, &o, &x, 1);
}

static int32_t pool2d(lc_call *c, int32_t op) {
    int32_t size[2], stride[2];
    bool first = lc_opt_channels_first(c);
    lc_shape s;
    lc_opt_sizes(c, "pool_size", 1, 2, size, 2);
    if (lc_opt(c, "strides")) lc_opt_sizes(c, "strides", 1, 1, stride, 2);
    else stride[0] = size[0], stride[1] = size[1];
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, &s), first);
    return lc_call_channels_back(c, pool_op(c, op, x, size, stride), first);
}

/* A row is an image of height 1. */
static int32_t pool1d(lc_call *c, int32_t op) {
    int32_t size[2] = {1, 2}, stride[2] = {1, 2};
    bool first = lc_opt_channels_first(c);
    lc_shape s;
    lc_opt_sizes(c, "pool_size", 1, 2, &size[1], 1);
    if (lc_opt(c, "strides")) lc_opt_sizes(c, "strides", 1, 1, &stride[1], 1);
    else stride[1] = size[1];
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 3, &s), first);
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t image[4] = {-1, 1, lc_call_known(c, &s, 1, "the length"), lc_call_known(c, &s, 2, "the number of channels")};
    int32_t y = pool_op(c, op, lc_build_reshape(c->b, x, image, 4), size, stride);
    if (!lc_call_shape(c, y, &s)) return -1;
    int32_t row[3] = {-1, s.dims[2], s.dims[3]};
    return lc_call_channels_back(c, lc_build_reshape(c->b, y, row, 3), first);
}

static int32_t global(lc_call *c, int32_t op) {
    bool first = lc_opt_channels_first(c), keep = lc_opt_bool(c, "keepdims", false);
    int32_t x = lc_call_float(c, 0), axes[LC_MAX_RANK];
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    if (s.rank < 3) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs at least 3", s.rank);
    if (lc_call_arg(c, "mask")) return lc_build_fail(c->b, LC_UNSUPPORTED, "it is called with a mask, which litec cannot convert");
    for (int32_t i = 0; i < s.rank - 2; i++) axes[i] = i + (first ? 2 : 1);
    return lc_build_reduce(c->b, op, x, axes, (uint32_t)s.rank - 2, keep);
}

int32_t lc_lower_max_pooling1d(lc_call *c) { return pool1d(c, LC_OP_MAX_POOL_2D); }
int32_t lc_lower_max_pooling2d(lc_call *c) { return pool2d(c, LC_OP_MAX_POOL_2D); }
int32_t lc_lower_average_pooling1d(lc_call *c) { return pool1d(c, LC_OP_AVERAGE_POOL_2D); }
int32_t lc_lower_average_pooling2d(lc_call *c) { return pool2d(c, LC_OP_AVERAGE_POOL_2D); }
int32_t lc_lower_global_max_pooling(lc_call *c) { return global(c, LC_OP_REDUCE_MAX); }
int32_t lc_lower_global_average_pooling(lc_call *c) { return global(c, LC_OP_MEAN); }
