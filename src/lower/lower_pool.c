/*
 * Pooling: MAX_POOL_2D and AVERAGE_POOL_2D over channels-last images (padding is not counted in an average, in Keras as in
 * TFLite); a row is an image of height 1. TFLite has no pooling of volumes: TensorFlow's operator is lowered to pools along one
 * dimension after another (tf_pool.c). Global pooling is MEAN or REDUCE_MAX over the dimensions between batch and channels.
 */
#include "lower/image.h"

static const char *const paddings[] = {"valid", "same", NULL};

static int32_t pool_op(lc_call *c, int32_t op, int32_t x, const int32_t *size, const int32_t *stride) {
    lc_Pool2DOptions o = {.padding = lc_opt_choice(c, "padding", paddings) ? LC_Padding_SAME : LC_Padding_VALID,
                          .filter_height = size[0],
                          .filter_width = size[1],
                          .stride_h = stride[0],
                          .stride_w = stride[1]};
    return lc_build_op(c->b, op, LC_TABLE_Pool2DOptions, &o, &x, 1);
}

static int32_t pool_volume(lc_call *c, const char *op, int32_t x, const int32_t *size, const int32_t *stride) {
    const int64_t sizes[5] = {1, size[0], size[1], size[2], 1}, strides[5] = {1, stride[0], stride[1], stride[2], 1};
    lc_eager *e = lc_eager_op(c, op);
    lc_eager_in(e, x);
    lc_eager_ints(e, "ksize", sizes, 5);
    lc_eager_ints(e, "strides", strides, 5);
    lc_eager_str(e, "padding", lc_opt_choice(c, "padding", paddings) ? "SAME" : "VALID");
    return lc_eager_run(e);
}

static int32_t pool(lc_call *c, int32_t n, bool max) {
    int32_t size[3] = {1, 1, 1}, stride[3] = {1, 1, 1};
    const int32_t at = n == 1 ? 1 : 0, op = max ? LC_OP_MAX_POOL_2D : LC_OP_AVERAGE_POOL_2D;
    bool first = lc_opt_channels_first(c);
    lc_shape s;
    lc_opt_sizes(c, "pool_size", 1, 2, size + at, (uint32_t)n);
    if (lc_opt(c, "strides")) lc_opt_sizes(c, "strides", 1, 1, stride + at, (uint32_t)n);
    else
        for (int32_t i = at; i < at + n; i++) stride[i] = size[i];
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, n + 2, &s), first);
    if (n == 1) x = lc_image_row(c, pool_op(c, op, lc_image_of_row(c, x), size, stride));
    else if (n == 2) x = pool_op(c, op, x, size, stride);
    else x = pool_volume(c, max ? "MaxPool3D" : "AvgPool3D", x, size, stride);
    return lc_call_channels_back(c, x, first);
}

static int32_t global(lc_call *c, int32_t op, int32_t n) {
    bool first = lc_opt_channels_first(c), keep = lc_opt_bool(c, "keepdims", false);
    int32_t x, axes[LC_MAX_RANK];
    lc_shape s;
    x = lc_call_ranked(c, 0, n + 2, &s);
    if (c->b->status != LC_OK) return -1;
    for (int32_t i = 0; i < n; i++) axes[i] = i + (first ? 2 : 1);
    return lc_build_reduce(c->b, op, x, axes, (uint32_t)n, keep);
}

/* With a mask [n, steps] the steps that it holds true are averaged: 0 / 0 where there are none. */
static int32_t masked_average(lc_call *c, int32_t mask) {
    const bool first = lc_opt_channels_first(c), keep = lc_opt_bool(c, "keepdims", false);
    const int32_t steps = first ? 2 : 1;
    lc_shape s, m;
    int32_t x = lc_call_ranked(c, 0, 3, &s);
    if (!lc_call_shape(c, mask, &m)) return -1;
    if (m.rank != 2) return lc_build_fail(c->b, LC_INVALID, "its mask has %d dimensions, needs 2", m.rank);
    const int32_t which = lc_tf_expand(lc_eager_maker(c), lc_build_cast(c->b, mask, LC_BOOL), first ? 1 : 2);
    mask = lc_build_cast(c->b, which, LC_FLOAT32);
    if (c->lower->keras2) x = lc_build_binary(c->b, LC_OP_MUL, x, mask, LC_LOWER_ACT(NONE));
    else x = lc_build_select(c->b, which, x, lc_build_scalar(c->b, "zero", 0));
    x = lc_build_reduce(c->b, LC_OP_SUM, x, &steps, 1, keep);
    return lc_build_binary(c->b, LC_OP_DIV, x, lc_build_reduce(c->b, LC_OP_SUM, mask, &steps, 1, keep), LC_LOWER_ACT(NONE));
}

int32_t lc_lower_max_pooling1d(lc_call *c) { return pool(c, 1, true); }
int32_t lc_lower_max_pooling2d(lc_call *c) { return pool(c, 2, true); }
int32_t lc_lower_max_pooling3d(lc_call *c) { return pool(c, 3, true); }
int32_t lc_lower_average_pooling1d(lc_call *c) { return pool(c, 1, false); }
int32_t lc_lower_average_pooling2d(lc_call *c) { return pool(c, 2, false); }
int32_t lc_lower_average_pooling3d(lc_call *c) { return pool(c, 3, false); }
int32_t lc_lower_global_max_pooling1d(lc_call *c) { return global(c, LC_OP_REDUCE_MAX, 1); }
int32_t lc_lower_global_max_pooling2d(lc_call *c) { return global(c, LC_OP_REDUCE_MAX, 2); }
int32_t lc_lower_global_max_pooling3d(lc_call *c) { return global(c, LC_OP_REDUCE_MAX, 3); }
int32_t lc_lower_global_average_pooling2d(lc_call *c) { return global(c, LC_OP_MEAN, 2); }
int32_t lc_lower_global_average_pooling3d(lc_call *c) { return global(c, LC_OP_MEAN, 3); }

int32_t lc_lower_global_average_pooling1d(lc_call *c) {
    const int32_t given = lc_call_given_mask(c, 1), mask = given >= 0 ? given : lc_call_mask(c, 0);
    return mask >= 0 ? masked_average(c, mask) : global(c, LC_OP_MEAN, 1);
}

/* ---- adaptive pooling ------------------------------------------------------------------------------------------------ */

/*
 * Cell i of `out` is pooled from the cells [floor(i in / out), ceil((i + 1) in / out)): windows of one size, or of two that differ by
 * one. Equal windows at equal distances are a pool; else pools of stride 1 with both sizes stand one behind the other, and the windows
 * that are wanted are gathered. One dimension after another: a window is a product of ranges, so the average of averages is its average.
 */
static int32_t windows(lc_call *c, int32_t op, int32_t x, const int32_t size[2], const int32_t stride[2]) {
    const lc_Pool2DOptions o = {
        .padding = LC_Padding_VALID, .filter_height = size[0], .filter_width = size[1], .stride_h = stride[0], .stride_w = stride[1]};
    const bool one = size[0] == 1 && size[1] == 1 && stride[0] == 1 && stride[1] == 1;
    return one ? x : lc_build_op(c->b, op, LC_TABLE_Pool2DOptions, &o, &x, 1);
}

/* An image whose height (axis 1) or width (2) of `in` becomes `out`. */
static int32_t adapt(lc_call *c, int32_t op, int32_t x, int32_t axis, int32_t in, int32_t out) {
    const int32_t size = (int32_t)(((int64_t)in + out - 1) / out), k = axis - 1, ones[2] = {1, 1};
    lc_tf_call *m = lc_eager_maker(c);
    int32_t *at = c->b->status == LC_OK ? lc_tf_table_data(m, (uint64_t)out, sizeof *at) : NULL;
    if (!at) return -1;
    bool big = false, even = true;
    for (int64_t i = 0; i < out; i++) {
        const int64_t from = i * in / out, to = ((i + 1) * in + out - 1) / out;
        at[i] = (int32_t)from;
        if (to - from > size) at[i] += in - size + 1, big = true;
        even = even && from == i * (in / out);
    }
    int32_t sizes[2] = {1, 1}, strides[2] = {1, 1};
    sizes[k] = size;
    strides[k] = in / out;
    if (even && !big && in >= out && in / out * (out - 1) + size == in) return windows(c, op, x, sizes, strides);
    int32_t parts[2] = {windows(c, op, x, sizes, ones), -1};
    sizes[k] = size + 1;
    if (big) parts[1] = windows(c, op, x, sizes, ones);
    x = lc_tf_concat(m, parts, big ? 2 : 1, axis);
    return lc_tf_gather(m, x, lc_build_const(c->b, "windows", LC_INT32, &out, 1, at, (size_t)out * sizeof *at, true), axis, 0);
}

/* Height and width; both at once where that is a pool. */
static int32_t adapt_image(lc_call *c, int32_t op, int32_t x, const int32_t in[2], const int32_t out[2]) {
    if (c->b->status != LC_OK) return -1;
    if (in[0] % out[0] || in[1] % out[1] || !in[0] || !in[1]) return adapt(c, op, adapt(c, op, x, 1, in[0], out[0]), 2, in[1], out[1]);
    const int32_t size[2] = {in[0] / out[0], in[1] / out[1]};
    return windows(c, op, x, size, size);
}

int32_t lc_lower_adaptive(lc_call *c, int32_t op, int32_t x, int32_t n, const int32_t *out) {
    int32_t in[3];
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    for (int32_t i = 0; i < n; i++)
        if (out[i] < 1 || out[i] > 1 << 24) return lc_opt_fail(c, "output_size", "litec pools to 1 to %d cells", 1 << 24);
    const int32_t channels = lc_call_known(c, &s, n + 1, "the number of channels");
    for (int32_t i = 0; i < n; i++) in[i] = lc_call_known(c, &s, i + 1, "the size to pool");
    if (n == 1) return lc_image_row(c, adapt(c, op, lc_image_of_row(c, x), 2, in[0], out[0]));
    if (n == 2) return adapt_image(c, op, x, in, out);
    /* depth, of images whose rows are one long row; then height and width, of depth times as many images */
    int32_t area;
    if (c->b->status != LC_OK) return -1;
    if (!lc_mul_i32(in[1], in[2], &area)) return lc_build_fail(c->b, LC_LIMIT, "its input has more than 2147483647 elements");
    const int32_t long_rows[4] = {-1, in[0], area, channels}, images[4] = {-1, in[1], in[2], channels},
                  volume[5] = {-1, out[0], out[1], out[2], channels};
    x = adapt(c, op, lc_build_reshape(c->b, x, long_rows, 4), 1, in[0], out[0]);
    x = adapt_image(c, op, lc_build_reshape(c->b, x, images, 4), in + 1, out + 1);
    return lc_build_reshape(c->b, x, volume, 5);
}

static int32_t adaptive(lc_call *c, int32_t op, int32_t n) {
    int32_t out[3];
    const bool first = lc_opt_channels_first(c);
    lc_shape s;
    lc_opt_sizes(c, "output_size", 1, 0, out, (uint32_t)n);
    const int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, n + 2, &s), first);
    return c->b->status == LC_OK ? lc_call_channels_back(c, lc_lower_adaptive(c, op, x, n, out), first) : -1;
}

int32_t lc_lower_adaptive_average_pooling1d(lc_call *c) { return adaptive(c, LC_OP_AVERAGE_POOL_2D, 1); }
int32_t lc_lower_adaptive_average_pooling2d(lc_call *c) { return adaptive(c, LC_OP_AVERAGE_POOL_2D, 2); }
int32_t lc_lower_adaptive_average_pooling3d(lc_call *c) { return adaptive(c, LC_OP_AVERAGE_POOL_2D, 3); }
int32_t lc_lower_adaptive_max_pooling1d(lc_call *c) { return adaptive(c, LC_OP_MAX_POOL_2D, 1); }
int32_t lc_lower_adaptive_max_pooling2d(lc_call *c) { return adaptive(c, LC_OP_MAX_POOL_2D, 2); }
int32_t lc_lower_adaptive_max_pooling3d(lc_call *c) { return adaptive(c, LC_OP_MAX_POOL_2D, 3); }
