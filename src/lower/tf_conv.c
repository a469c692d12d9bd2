/*
 * tf_conv.c: convolutions and their transposed forms, of two and three dimensions.
 *
 *   TensorFlow                                        TFLite
 *   Conv2D                 filter [h, w, ci, co]      CONV_2D            [co, h, w, ci]: a transposed matrix, deferred (ir/constant.h)
 *   DepthwiseConv2dNative         [h, w, ci, m]       DEPTHWISE_CONV_2D  [1, h, w, ci m]: as it lies
 *   Conv2DBackpropInput           [h, w, co, ci]      TRANSPOSE_CONV     [co, h, w, ci]
 *   Conv3D                        [d, h, w, ci, co]   CONV_3D            as it lies
 *   Conv3DBackpropInputV2         [d, h, w, co, ci]   CONV_3D_TRANSPOSE  as it lies
 *
 * Channels come first? Then transposes stand around. EXPLICIT padding is a PAD in front, or a SLICE behind a transposed one. Where
 * TFLite's operator lacks groups (CONV_3D and the transposed ones) each group is an operator of its own; where it lacks dilation
 * (TRANSPOSE_CONV) the filter is spread with zeros. A convolution of 2 dimensions with one filter a channel is a depthwise one.
 */
#include "lower/tf_nn.h"

#include <string.h>

/* A bias of zeros, as the official converter gives a convolution: delegates ask for one. */
static int32_t conv2d_op(lc_tf_call *c, const lc_tf_window *w, int32_t x, int32_t filter, int32_t filters) {
    const int32_t in[3] = {x, filter, lc_tf_zeros(c, "bias", filters)};
    const lc_Conv2DOptions o = {.padding = w->padding,
                                .stride_h = w->stride[0],
                                .stride_w = w->stride[1],
                                .dilation_h_factor = w->dilation[0],
                                .dilation_w_factor = w->dilation[1]};
    return lc_build_op(c->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, in, 3);
}

static int32_t depthwise_op(lc_tf_call *c, const lc_tf_window *w, int32_t x, int32_t filter, int32_t filters, int32_t multiplier) {
    const int32_t in[3] = {x, filter, lc_tf_zeros(c, "bias", filters)};
    const lc_DepthwiseConv2DOptions o = {.padding = w->padding,
                                         .stride_h = w->stride[0],
                                         .stride_w = w->stride[1],
                                         .depth_multiplier = multiplier,
                                         .dilation_h_factor = w->dilation[0],
                                         .dilation_w_factor = w->dilation[1]};
    return lc_build_op(c->b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o, in, 3);
}

static int32_t conv3d_op(lc_tf_call *c, const lc_tf_window *w, int32_t x, int32_t filter) {
    const int32_t in[2] = {x, filter};
    const lc_Conv3DOptions o = lc_tf_volumes(w->padding, w->stride, w->dilation);
    return lc_build_op(c->b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, in, 2);
}

/* Input channels over what the filter takes; 1 when open. 0: they do not divide (failed). */
static int32_t groups_of(lc_tf_call *c, int32_t channels, int32_t filter_channels, int32_t filters) {
    if (!lc_tf_ok(c)) return 0;
    if (channels < 0) return 1;
    if (filter_channels < 1 || channels % filter_channels || channels == 0 || filters % (channels / filter_channels)) {
        lc_tf_fail(c, LC_INVALID, "its input has %d channels, its %d filters take %d", channels, filters, filter_channels);
        return 0;
    }
    return channels / filter_channels;
}

/* ---- forward ------------------------------------------------------------------------------------------------------- */

/* x, in the node's layout, convolved with the filter: channels last. */
static int32_t conv2d(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter) {
    x = lc_tf_float32(c, x);
    const lc_shape f = lc_tf_fixed(c, filter, "filter"), s = lc_tf_rank_of(c, x, 4);
    if (!lc_tf_ok(c)) return -1;
    if (f.rank != 4) return lc_tf_fail(c, LC_INVALID, "its filter has %d dimensions, needs 4", f.rank);
    const int32_t ci = f.dims[2], co = f.dims[3], groups = groups_of(c, s.dims[w->channels_first ? 1 : 3], ci, co);
    if (!groups) return -1;
    w->size[0] = f.dims[0];
    w->size[1] = f.dims[1];
    x = lc_tf_pad_spatial(c, lc_tf_to_last(c, x, w->channels_first), w, 0);
    if (groups > 1 && ci == 1) {
        const int32_t lying[4] = {1, f.dims[0], f.dims[1], co}, weights = lc_tf_recast(c, lc_tf_float32(c, filter), lying, 4);
        lc_tf_same_steps(c, filter, weights, 3, 3, 1);
        return depthwise_op(c, w, x, weights, co, co / groups);
    }
    if (!lc_tf_is_const(c, filter)) {
        const int32_t perm[4] = {3, 0, 1, 2}, one[4] = {1, f.dims[0], f.dims[1], ci}, plain = lc_tf_float32(c, filter);
        return conv2d_op(c, w, x, co == 1 ? lc_tf_reshape(c, plain, one, 4) : lc_build_transpose(c->b, plain, perm, 4), co);
    }
    int64_t rows = 1;
    for (int i = 0; i < 3; i++)
        if (!lc_mul_i64(rows, f.dims[i], &rows) || rows > INT32_MAX) return lc_tf_fail(c, LC_LIMIT, "its filter is too large");
    const int32_t dims[4] = {co, f.dims[0], f.dims[1], ci}, weights = lc_tf_transposed(c, filter, (int32_t)rows, co, dims, 4);
    lc_tf_same_steps(c, filter, weights, 3, 0, 1);
    return conv2d_op(c, w, x, weights, co);
}

static int32_t depthwise(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter) {
    int32_t co;
    x = lc_tf_float32(c, x);
    filter = lc_tf_float32(c, filter);
    const lc_shape f = lc_tf_fixed(c, filter, "filter"), s = lc_tf_rank_of(c, x, 4);
    if (!lc_tf_ok(c)) return -1;
    if (f.rank != 4) return lc_tf_fail(c, LC_INVALID, "its filter has %d dimensions, needs 4", f.rank);
    const int32_t channels = s.dims[w->channels_first ? 1 : 3];
    if (channels >= 0 && channels != f.dims[2])
        return lc_tf_fail(c, LC_INVALID, "its input has %d channels, its filter takes %d", channels, f.dims[2]);
    if (!lc_mul_i32(f.dims[2], f.dims[3], &co)) return lc_tf_fail(c, LC_LIMIT, "its filter is too large");
    const int32_t lying[4] = {1, f.dims[0], f.dims[1], co};
    w->size[0] = f.dims[0];
    w->size[1] = f.dims[1];
    x = lc_tf_pad_spatial(c, lc_tf_to_last(c, x, w->channels_first), w, 0);
    const int32_t weights = lc_tf_recast(c, filter, lying, 4);
    lc_tf_same_steps(c, filter, weights, 3, 3, (uint32_t)f.dims[2]);
    return depthwise_op(c, w, x, weights, co, f.dims[3]);
}

static int32_t conv3d(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter) {
    x = lc_tf_float32(c, x);
    filter = lc_tf_float32(c, filter);
    const lc_shape f = lc_tf_fixed(c, filter, "filter"), s = lc_tf_rank_of(c, x, 5);
    if (!lc_tf_ok(c)) return -1;
    if (f.rank != 5) return lc_tf_fail(c, LC_INVALID, "its filter has %d dimensions, needs 5", f.rank);
    const int32_t groups = groups_of(c, s.dims[w->channels_first ? 1 : 4], f.dims[3], f.dims[4]);
    if (!groups) return -1;
    for (int i = 0; i < 3; i++) w->size[i] = f.dims[i];
    x = lc_tf_pad_spatial(c, lc_tf_to_last(c, x, w->channels_first), w, 0);
    if (groups == 1) return conv3d_op(c, w, x, filter);
    if (groups > 1024) return lc_tf_fail(c, LC_UNSUPPORTED, "its filter has %d groups, litec splits up to 1024", groups);
    int32_t xs[1024], fs[1024];
    if (!lc_tf_split(c, x, 4, (uint32_t)groups, xs) || !lc_tf_split(c, filter, 4, (uint32_t)groups, fs)) return -1;
    for (int32_t g = 0; g < groups; g++) xs[g] = conv3d_op(c, w, xs[g], fs[g]);
    return lc_tf_concat(c, xs, (uint32_t)groups, 4);
}

typedef int32_t (*conv_fn)(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter);

/* False when input i is no floating-point tensor: sums of whole numbers would be rounded. */
static bool floating(lc_tf_call *c, uint32_t i) {
    const lc_dtype t = lc_tf_type(c, lc_tf_in(c, i));
    if (t == LC_FLOAT32 || t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_FLOAT64) return lc_tf_ok(c);
    if (lc_tf_ok(c)) lc_tf_missing(c, "TFLite convolves no %s", lc_dtype_name(t));
    return false;
}

static void convolve(lc_tf_call *c, int32_t spatial, conv_fn make) {
    lc_tf_window w;
    if (!floating(c, 0) || !lc_tf_window_read(c, &w, spatial, NULL, "dilations")) return;
    const int32_t x = lc_tf_in(c, 0), y = make(c, &w, x, lc_tf_in(c, 1));
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_to_first(c, y, w.channels_first), lc_tf_type(c, x)));
}

int32_t lc_tf_convolve(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter) {
    return w->n == 3 ? conv3d(c, w, x, filter) : conv2d(c, w, x, filter);
}

void lc_tf_op_conv2d(lc_tf_call *c) { convolve(c, 2, conv2d); }
void lc_tf_op_depthwise_conv2d(lc_tf_call *c) { convolve(c, 2, depthwise); }
void lc_tf_op_conv3d(lc_tf_call *c) { convolve(c, 3, conv3d); }

/* Conv: of 2 or 3 dimensions by the rank of its input, batch_dims leading dimensions taken as one. */
void lc_tf_op_conv(lc_tf_call *c) {
    const lc_shape f = lc_tf_ranked(c, lc_tf_in(c, 1));
    if (!lc_tf_ok(c)) return;
    if (lc_tf_attr_int(c, "batch_dims", 1) != 1) lc_tf_missing(c, "it has more than one batch dimension");
    else if (f.rank == 4 || f.rank == 5) convolve(c, f.rank - 2, f.rank == 4 ? conv2d : conv3d);
    else lc_tf_missing(c, "its filter has %d dimensions", f.rank);
}

static void fused(lc_tf_call *c, int32_t spatial, conv_fn make) {
    lc_tf_window w;
    if (!floating(c, 0)) return;
    if (!lc_tf_attr_is(c, "filter_format", "HWIO", "HWIO")) {
        lc_tf_missing(c, "its filter_format is not HWIO");
        return;
    }
    if (!lc_tf_window_read(c, &w, spatial, NULL, "dilations")) return;
    const int32_t x = lc_tf_in(c, 0), y = make(c, &w, x, lc_tf_in(c, 1));
    lc_tf_finish_fused(c, lc_tf_to_first(c, y, w.channels_first), 2, w.channels_first, lc_tf_type(c, x));
}

/* What grappler makes of Conv2D, BiasAdd or FusedBatchNorm, and an activation. */
void lc_tf_op_fused_conv2d(lc_tf_call *c) { fused(c, 2, conv2d); }
void lc_tf_op_fused_depthwise_conv2d(lc_tf_call *c) { fused(c, 2, depthwise); }
void lc_tf_op_fused_conv3d(lc_tf_call *c) { fused(c, 3, conv3d); }

/* What a graph tool makes of ResizeBilinear, MirrorPad and Conv2D; channels last. pads, filter: which inputs. */
static void mirrored(lc_tf_call *c, int32_t x, uint32_t pads, uint32_t filter) {
    lc_tf_window w;
    if (!floating(c, 0) || !lc_tf_window_read(c, &w, 2, NULL, NULL)) return;
    const bool symmetric = lc_tf_attr_is(c, "mode", "", "SYMMETRIC");
    if (!symmetric && !lc_tf_attr_is(c, "mode", "", "REFLECT")) {
        lc_tf_fail(c, LC_INVALID, "its mode is neither REFLECT nor SYMMETRIC");
        return;
    }
    const lc_MirrorPadOptions o = {.mode = symmetric ? LC_MirrorPadMode_SYMMETRIC : LC_MirrorPadMode_REFLECT};
    const int32_t in[2] = {x, lc_tf_int32(c, lc_tf_in(c, pads))};
    const int32_t y = conv2d(c, &w, lc_build_op(c->b, LC_OP_MIRROR_PAD, LC_TABLE_MirrorPadOptions, &o, in, 2), lc_tf_in(c, filter));
    lc_tf_give(c, 0, lc_tf_back(c, y, lc_tf_type(c, lc_tf_in(c, 0))));
}

void lc_tf_op_fused_pad_conv2d(lc_tf_call *c) { mirrored(c, lc_tf_float32(c, lc_tf_in(c, 0)), 1, 2); }

void lc_tf_op_fused_resize_pad_conv2d(lc_tf_call *c) {
    const int32_t in[2] = {lc_tf_float32(c, lc_tf_in(c, 0)), lc_tf_int32(c, lc_tf_in(c, 1))};
    const lc_ResizeBilinearOptions o = {.align_corners = lc_tf_attr_bool(c, "resize_align_corners", false)};
    mirrored(c, lc_build_op(c->b, LC_OP_RESIZE_BILINEAR, LC_TABLE_ResizeBilinearOptions, &o, in, 2), 2, 3);
}

/* ---- transposed ------------------------------------------------------------------------------------------------------ */

/* Output sizes as an int32 vector in channels-last order: of all dimensions, or of the spatial ones alone (Conv2DBackpropInput
 * takes both): then batch and channels are the input's and the filter's. */
static int32_t output_sizes(lc_tf_call *c, const lc_tf_window *w, int32_t sizes, int32_t x, int32_t channels) {
    sizes = lc_tf_int32(c, sizes);
    const lc_shape v = lc_tf_rank_of(c, sizes, 1);
    if (!lc_tf_ok(c)) return -1;
    if (v.dims[0] == w->n) {
        const int32_t parts[3] = {lc_tf_size(c, x, 0), sizes, lc_tf_size_const(c, channels)};
        return lc_tf_concat(c, parts, 3, 0);
    }
    if (v.dims[0] != w->n + 2 && v.dims[0] >= 0)
        return lc_tf_fail(c, LC_INVALID, "its input_sizes has %d numbers, needs %d", v.dims[0], w->n + 2);
    if (!w->channels_first) return sizes;
    int32_t order[LC_TF_SPATIAL + 2] = {0};
    for (int32_t i = 1; i < w->n + 2; i++) order[i] = i == w->n + 1 ? 1 : i + 1;
    const int32_t in[2] = {sizes, lc_build_ints(c->b, "order", order, (uint32_t)w->n + 2)};
    return lc_build_op(c->b, LC_OP_GATHER, LC_TABLE_GatherOptions, NULL, in, 2);
}

/* TRANSPOSE_CONV has no dilation: the filter [co, h, w, ci] gets zeros between its taps. */
static int32_t spread(lc_tf_call *c, const lc_tf_window *w, int32_t filter) {
    if (w->dilation[0] == 1 && w->dilation[1] == 1) return filter;
    const int32_t by[4] = {1, w->dilation[0], w->dilation[1], 1};
    const int32_t in[3] = {filter, lc_build_ints(c->b, "dilations", by, 4), lc_tf_scalar(c, 0, LC_FLOAT32)};
    return lc_build_op(c->b, LC_OP_DILATE, LC_TABLE_DilateOptions, NULL, in, 3);
}

/* One group: filter in TensorFlow's layout. */
static int32_t transposed_op(lc_tf_call *c, const lc_tf_window *w, int32_t sizes, int32_t filter, int32_t x) {
    if (w->n == 3) {
        const int32_t in[3] = {sizes, filter, x};
        const lc_Conv3DOptions o = lc_tf_volumes(w->padding, w->stride, w->dilation);
        return lc_build_op(c->b, LC_OP_CONV_3D_TRANSPOSE, LC_TABLE_Conv3DOptions, &o, in, 3);
    }
    const int32_t perm[4] = {2, 0, 1, 3}, weights = spread(c, w, lc_build_transpose(c->b, filter, perm, 4)), in[3] = {sizes, weights, x};
    lc_tf_same_steps(c, filter, weights, 2, 0, 1);
    const lc_TransposeConvOptions o = {.padding = w->padding, .stride_h = w->stride[0], .stride_w = w->stride[1]};
    return lc_build_op(c->b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &o, in, 3);
}

/* With EXPLICIT padding the operator makes the padded output, of which the middle is taken. */
static int32_t cut(lc_tf_call *c, const lc_tf_window *w, int32_t y, int32_t sizes) {
    int32_t begin[LC_TF_SPATIAL + 2] = {0};
    if (!w->pads) return y;
    for (int32_t i = 0; i < w->n; i++) begin[i + 1] = w->before[i];
    const int32_t in[3] = {y, lc_build_ints(c->b, "begin", begin, (uint32_t)w->n + 2), sizes};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

static int32_t padded_sizes(lc_tf_call *c, const lc_tf_window *w, int32_t sizes, int32_t group_channels, int32_t groups) {
    int32_t more[LC_TF_SPATIAL + 2] = {0};
    bool any = w->pads;
    for (int32_t i = 0; i < w->n; i++) more[i + 1] = w->before[i] + w->after[i];
    if (groups > 1) {
        int64_t less = (int64_t)group_channels * (1 - groups);
        if (less < INT32_MIN) return lc_tf_fail(c, LC_LIMIT, "its filter is too large");
        more[w->n + 1] = (int32_t)less;
        any = true;
    }
    return any ? lc_tf_size_op(c, LC_OP_ADD, sizes, lc_build_ints(c->b, "padding", more, (uint32_t)w->n + 2)) : sizes;
}

/* x convolved backwards with the filter. sizes: the vector input_sizes, or the shape of a tensor. */
static void transposed(lc_tf_call *c, int32_t spatial, int32_t sizes) {
    lc_tf_window w;
    if (!floating(c, 2)) return;
    int32_t x = lc_tf_in(c, 2), filter = lc_tf_float32(c, lc_tf_in(c, 1));
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_window_read(c, &w, spatial, NULL, "dilations")) return;
    x = lc_tf_to_last(c, lc_tf_float32(c, x), w.channels_first);
    const lc_shape f = lc_tf_fixed(c, filter, "filter"), s = lc_tf_rank_of(c, x, spatial + 2), want = lc_tf_shape_value(c, sizes);
    if (!lc_tf_ok(c)) return;
    if (f.rank != spatial + 2) {
        lc_tf_fail(c, LC_INVALID, "its filter has %d dimensions, needs %d", f.rank, spatial + 2);
        return;
    }
    for (int32_t i = 0; i < spatial; i++) w.size[i] = f.dims[i];
    /* with groups the output has more channels than the filter says */
    const int32_t co = f.dims[spatial], ci = f.dims[spatial + 1];
    const int32_t out = want.rank == spatial + 2 ? want.dims[w.channels_first ? 1 : spatial + 1] : -1;
    const int32_t groups = out < 0 ? 1 : groups_of(c, out, co, ci);
    if (!groups || groups > 1024) {
        if (groups) lc_tf_fail(c, LC_UNSUPPORTED, "its filter has %d groups, litec splits up to 1024", groups);
        return;
    }
    if (s.dims[spatial + 1] >= 0 && s.dims[spatial + 1] != ci) {
        lc_tf_fail(c, LC_INVALID, "its input has %d channels, its filter takes %d", s.dims[spatial + 1], ci);
        return;
    }
    sizes = output_sizes(c, &w, sizes, x, co);
    const int32_t made = padded_sizes(c, &w, sizes, co, groups);
    int32_t xs[1024] = {x}, fs[1024] = {filter};
    if (groups > 1 && (!lc_tf_split(c, x, spatial + 1, (uint32_t)groups, xs) || !lc_tf_split(c, filter, spatial + 1, (uint32_t)groups, fs)))
        return;
    for (int32_t g = 0; g < groups; g++) xs[g] = transposed_op(c, &w, made, fs[g], xs[g]);
    const int32_t y = cut(c, &w, lc_tf_concat(c, xs, (uint32_t)groups, spatial + 1), sizes);
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_to_first(c, y, w.channels_first), type));
}

void lc_tf_op_conv2d_backprop(lc_tf_call *c) { transposed(c, 2, lc_tf_in(c, 0)); }
void lc_tf_op_conv3d_backprop(lc_tf_call *c) { transposed(c, 3, lc_tf_in(c, 0)); }
/* The old form: a tensor that has the output's shape. */
void lc_tf_op_conv3d_backprop_like(lc_tf_call *c) { transposed(c, 3, lc_tf_shape_tensor(c, lc_tf_in(c, 0))); }

/* ---- Dilation2D -------------------------------------------------------------------------------------------------------- */

/* y[., y, x, c] = max over taps of input[., s y + r dy, s x + r dx, c] + filter[dy, dx, c]; cells outside do not count. */
void lc_tf_op_dilation2d(lc_tf_call *c) {
    lc_tf_window w;
    int32_t x = lc_tf_in(c, 0), y = -1;
    const int32_t filter = lc_tf_widen(c, lc_tf_in(c, 1), LC_TF_ARITHMETIC);
    const lc_dtype type = lc_tf_type(c, x);
    x = lc_tf_widen(c, x, LC_TF_ARITHMETIC);
    if (x < 0 || filter < 0 || !lc_tf_window_read(c, &w, 2, NULL, "rates")) return;
    const lc_shape f = lc_tf_fixed(c, filter, "filter");
    lc_tf_rank_of(c, x, 4);
    if (!lc_tf_ok(c)) return;
    if (f.rank != 3) {
        lc_tf_fail(c, LC_INVALID, "its filter has %d dimensions, needs 3", f.rank);
        return;
    }
    w.size[0] = f.dims[0];
    w.size[1] = f.dims[1];
    const uint32_t taps = lc_tf_taps(c, &w, 1024);
    if (!lc_tf_window_explicit(c, &w, x)) return;
    x = lc_tf_pad_spatial(c, x, &w, lc_tf_lowest(lc_tf_type(c, x)));
    for (uint32_t k = 0; k < taps; k++) {
        int32_t tap[LC_TF_SPATIAL], row[3] = {0};
        lc_tf_tap_at(&w, k, tap);
        row[0] = tap[0];
        row[1] = tap[1];
        const int32_t one[3] = {1, 1, f.dims[2]}, channels = f.dims[2];
        const int32_t in[3] = {filter, lc_build_ints(c->b, "begin", row, 3), lc_build_ints(c->b, "size", one, 3)};
        const int32_t weight = lc_tf_recast(c, lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3), &channels, 1);
        const int32_t sum = lc_tf_binary(c, LC_OP_ADD, lc_tf_tap(c, x, &w, tap), weight);
        y = y < 0 ? sum : lc_tf_binary(c, LC_OP_MAXIMUM, y, sum);
    }
    lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}
