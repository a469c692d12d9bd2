/*
 * tf_pool.c: pooling. Of two dimensions it is TFLite's operator. Of three it is two of them, first over height and width of every slice, then
 * over depth: exact for maxima, and for averages too, since TensorFlow leaves padding out of them and every slice of a window then has
 * equally many cells:
 *
 *     [n, d, h, w, c] -> [n d, h, w, c] -> pool -> [n, d, h' w', c] -> pool over d
 *
 * MaxPoolWithArgmax takes the window apart (tf_window.c): ARG_MAX over the packed taps says which one won.
 */
#include "lower/tf_nn.h"

#include <math.h>
#include <string.h>

static int32_t pool_op(lc_tf_call *c, int32_t op, const lc_tf_window *w, int32_t at, int32_t x) {
    const bool depth = at < 0; /* a window over height alone, which holds the depth */
    const lc_Pool2DOptions o = {.padding = w->padding,
                                .stride_h = w->stride[depth ? 0 : at],
                                .stride_w = depth ? 1 : w->stride[at + 1],
                                .filter_height = w->size[depth ? 0 : at],
                                .filter_width = depth ? 1 : w->size[at + 1]};
    return lc_build_op(c->b, op, LC_TABLE_Pool2DOptions, &o, &x, 1);
}

/* Windows of one cell and steps of one do nothing. */
static bool idle(const lc_tf_window *w, int32_t from, int32_t to) {
    for (int32_t i = from; i < to; i++)
        if (w->size[i] != 1 || w->stride[i] != 1) return false;
    return true;
}

/* x in a type that the pooling operator has: small integers go through float32, which holds all of them. */
static int32_t as_float(lc_tf_call *c, int32_t x) {
    switch (lc_tf_type(c, x)) {
    case LC_INT8:
    case LC_UINT8:
    case LC_INT16:
    case LC_UINT16: return lc_build_cast(c->b, x, LC_FLOAT32);
    default: return lc_tf_float32(c, x);
    }
}

/* The maximum of the taps, for integers that float32 does not hold. */
static int32_t max_of_taps(lc_tf_call *c, lc_tf_window *w, int32_t x) {
    int32_t y = -1, tap[LC_TF_SPATIAL];
    const uint32_t taps = lc_tf_taps(c, w, 1024);
    if (!lc_tf_window_explicit(c, w, x)) return -1;
    x = lc_tf_pad_spatial(c, x, w, lc_tf_lowest(lc_tf_type(c, x)));
    for (uint32_t k = 0; k < taps; k++) {
        lc_tf_tap_at(w, k, tap);
        const int32_t t = lc_tf_tap(c, x, w, tap);
        y = y < 0 ? t : lc_tf_binary(c, LC_OP_MAXIMUM, y, t);
    }
    return y;
}

static int32_t pool3d(lc_tf_call *c, int32_t op, const lc_tf_window *w, int32_t x) {
    if (!idle(w, 1, 3)) {
        int32_t flat = lc_tf_merge_dims(c, x, 0, 2);
        flat = pool_op(c, op, w, 1, flat);
        const int32_t sizes[5] = {lc_tf_size(c, x, 0), lc_tf_size(c, x, 1), lc_tf_size(c, flat, 1), lc_tf_size(c, flat, 2),
                                  lc_tf_size(c, flat, 3)};
        x = lc_tf_reshape_sizes(c, flat, sizes, 5);
    }
    if (idle(w, 0, 1)) return x;
    const int32_t y = pool_op(c, op, w, -1, lc_tf_merge_dims(c, x, 2, 4));
    const int32_t sizes[5] = {lc_tf_size(c, x, 0), lc_tf_size(c, y, 1), lc_tf_size(c, x, 2), lc_tf_size(c, x, 3), lc_tf_size(c, x, 4)};
    return lc_tf_reshape_sizes(c, y, sizes, 5);
}

static void pool(lc_tf_call *c, int32_t op, lc_tf_window *w) {
    const int32_t input = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, input);
    lc_tf_rank_of(c, input, w->n + 2);
    int32_t x = as_float(c, input);
    if (!lc_tf_ok(c)) return;
    const lc_dtype carried = lc_tf_type(c, x);
    if (carried != LC_FLOAT32 && carried != LC_INT32 && carried != LC_INT64) {
        lc_tf_missing(c, "TFLite pools no %s", lc_dtype_name(type));
        return;
    }
    x = lc_tf_to_last(c, x, w->channels_first);
    if (carried != LC_FLOAT32) {
        x = max_of_taps(c, w, x);
    } else if (op == LC_OP_MAX_POOL_2D && w->pads) {
        x = lc_tf_pad_spatial(c, x, w, -INFINITY);
        x = pool_op(c, op, w, 0, x);
    } else {
        x = w->n == 3 ? pool3d(c, op, w, x) : pool_op(c, op, w, 0, x);
    }
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_to_first(c, x, w->channels_first), type));
}

/* The largest of every k channels: a window over channels alone, which does not overlap. */
static bool depthwise(lc_tf_call *c, const int64_t *size, const int64_t *stride) {
    const int32_t x = lc_tf_in(c, 0), axis = 4;
    const lc_shape s = lc_tf_rank_of(c, x, 4);
    if (size[0] != 1 || size[1] != 1 || size[2] != 1 || size[3] < 2 || stride[0] != 1 || stride[3] != size[3] || size[3] > INT32_MAX)
        return false;
    if (!lc_tf_ok(c) || s.dims[3] < 0 || s.dims[3] % size[3] || stride[1] != 1 || stride[2] != 1) return false;
    const int32_t dims[2] = {(int32_t)(s.dims[3] / size[3]), (int32_t)size[3]};
    const int32_t y = lc_tf_widen(c, x, LC_TF_ARITHMETIC);
    if (y < 0) return true;
    const int32_t largest = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, lc_tf_split_dim(c, y, 3, dims, 2), &axis, 1, false);
    lc_tf_give(c, 0, lc_tf_narrow(c, largest, lc_tf_type(c, x)));
    return true;
}

static void pool_n(lc_tf_call *c, int32_t spatial, int32_t op) {
    lc_tf_window w;
    int64_t size[5] = {1, 1, 1, 1, 1}, stride[5] = {1, 1, 1, 1, 1};
    if (spatial == 2 && op == LC_OP_MAX_POOL_2D && lc_tf_attr_is(c, "data_format", "NHWC", "NHWC") &&
        lc_tf_attr_ints(c, "ksize", size, 5) == 4 && lc_tf_attr_ints(c, "strides", stride, 5) == 4 && depthwise(c, size, stride))
        return;
    if (lc_tf_window_read(c, &w, spatial, "ksize", NULL)) pool(c, op, &w);
}

void lc_tf_op_pool2d(lc_tf_call *c) { pool_n(c, 2, c->row->op); }
void lc_tf_op_max_pool3d(lc_tf_call *c) { pool_n(c, 3, LC_OP_MAX_POOL_2D); }
void lc_tf_op_avg_pool3d(lc_tf_call *c) { pool_n(c, 3, LC_OP_AVERAGE_POOL_2D); }

/* Window and steps are inputs, which must be constant. */
void lc_tf_op_max_pool_v2(lc_tf_call *c) {
    int64_t size[4], stride[4];
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 1), "ksize", size, 4), m = lc_tf_need_ints(c, lc_tf_in(c, 2), "strides", stride, 4);
    bool known;
    lc_tf_window w = {.n = 2, .size = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    w.channels_first = lc_tf_channels_first(c, &known);
    if (!known || !lc_tf_ok(c)) return;
    const bool same = lc_tf_attr_is(c, "padding", "", "SAME");
    if (!same && !lc_tf_attr_is(c, "padding", "", "VALID")) {
        lc_tf_fail(c, LC_INVALID, "its padding is neither SAME nor VALID");
        return;
    }
    w.padding = same ? LC_Padding_SAME : LC_Padding_VALID;
    if (n == 4 && m == 4 && !w.channels_first && depthwise(c, size, stride)) return;
    if (!lc_tf_window_numbers(c, &w, "ksize", size, n, w.size) || !lc_tf_window_numbers(c, &w, "strides", stride, m, w.stride)) return;
    pool(c, LC_OP_MAX_POOL_2D, &w);
}

/* ---- with the place of the maximum ------------------------------------------------------------------------------------ */

/* step * i + first for i in 0 ... n - 1 as an int32 tensor [n, 1, ...] of `rank` dimensions. */
static int32_t ramp(lc_tf_call *c, int32_t n, int64_t first, int64_t step, int32_t rank) {
    int32_t dims[LC_MAX_RANK] = {n, 1, 1, 1};
    int32_t *data = lc_build_data(c->b, (size_t)n * sizeof *data + 1);
    for (int32_t i = 0; data && i < n; i++) data[i] = (int32_t)(first + step * i);
    return lc_build_const(c->b, "index", LC_INT32, dims, rank, data, (size_t)n * sizeof *data, true);
}

/* output, argmax. Of the image [h, w, c]: ((y w) + x) c + channel of the cell that won, plus b h w c with include_batch_in_index. */
void lc_tf_op_max_pool_argmax(lc_tf_call *c) {
    lc_tf_window w;
    const int32_t input = lc_tf_in(c, 0);
    const bool batch = lc_tf_attr_bool(c, "include_batch_in_index", false);
    const lc_dtype index = lc_tf_attr_type(c, "Targmax") == LC_INT32 ? LC_INT32 : LC_INT64;
    const lc_dtype type = lc_tf_type(c, input);
    if (!lc_tf_window_read(c, &w, 2, "ksize", NULL)) return;
    const lc_shape s = lc_tf_rank_of(c, input, 4);
    int32_t x = lc_tf_widen(c, input, LC_TF_T(FLOAT32) | LC_TF_T(INT32)), parts[1024], offsets[1024], tap[LC_TF_SPATIAL];
    if (x < 0 || !lc_tf_ok(c)) return;
    if (s.dims[1] < 0 || s.dims[2] < 0 || s.dims[3] < 0) {
        lc_tf_missing(c, "the size of its images is open");
        return;
    }
    int64_t cells = s.dims[1];
    if (!lc_mul_i64(cells, s.dims[2], &cells) || !lc_mul_i64(cells, s.dims[3], &cells) || cells > INT32_MAX) {
        lc_tf_fail(c, LC_LIMIT, "an image of it has more than 2147483647 elements");
        return;
    }
    const uint32_t taps = lc_tf_taps(c, &w, 1024);
    if (!lc_tf_window_explicit(c, &w, x)) return;
    x = lc_tf_pad_spatial(c, x, &w, lc_tf_lowest(lc_tf_type(c, x)));
    for (uint32_t k = 0; k < taps; k++) {
        lc_tf_tap_at(&w, k, tap);
        parts[k] = lc_tf_tap(c, x, &w, tap);
        offsets[k] = (int32_t)(((int64_t)tap[0] * s.dims[2] + tap[1]) * s.dims[3]);
    }
    const int32_t all = lc_tf_pack(c, parts, taps, 4), axis = 4;
    const lc_ArgMaxOptions o = {.output_type = LC_INT32};
    const int32_t in[2] = {all, lc_tf_scalar(c, 4, LC_INT32)};
    const int32_t won = lc_build_op(c->b, LC_OP_ARG_MAX, LC_TABLE_ArgMaxOptions, &o, in, 2);
    const lc_shape y = lc_tf_rank_of(c, won, 4);
    if (!lc_tf_ok(c)) return;
    /* the cell where each window begins */
    const int64_t row = (int64_t)s.dims[2] * s.dims[3];
    int32_t at = ramp(c, y.dims[1], -w.before[0] * row, w.stride[0] * row, 3);
    const int32_t column = ramp(c, y.dims[2], -w.before[1] * (int64_t)s.dims[3], w.stride[1] * (int64_t)s.dims[3], 2);
    at = lc_tf_binary(c, LC_OP_ADD, at, column);
    at = lc_tf_binary(c, LC_OP_ADD, at, ramp(c, s.dims[3], 0, 1, 1));
    at = lc_tf_binary(c, LC_OP_ADD, lc_tf_gather(c, lc_tf_vector(c, offsets, (int32_t)taps), won, 0, 0), at);
    at = lc_build_cast(c->b, at, index);
    if (batch) {
        const int32_t image[4] = {-1, 1, 1, 1};
        int32_t n = lc_tf_reshape(c, lc_tf_range(c, lc_tf_dim(c, input, 0)), image, 4);
        n = lc_tf_with(c, LC_OP_MUL, lc_build_cast(c->b, n, index), (double)cells);
        at = lc_tf_binary(c, LC_OP_ADD, at, n);
    }
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, all, &axis, 1, false), type));
    lc_tf_give(c, 1, at);
}
