/*
 * expand_conv.c: gradients of convolutions and pools in builtin operators.
 *
 *   d filter of CONV_2D    a convolution of x, its channels as images, with dy as the filter, whose strides are the other's dilation
 *   d input of CONV_2D     TRANSPOSE_CONV, which is this by definition
 *   of DEPTHWISE_CONV_2D   tap by tap: what the tap saw times dy, summed; the input by the filter turned around
 *   of pools               dy spread over the windows by RESIZE_NEAREST_NEIGHBOR, where windows do not overlap
 */
#include "grad/expand.h"

static const lc_window_options *window(const lc_expansion *e) { return LC_OWN_OPTIONS(e->node, lc_window_options); }

/* What is added before and behind a dimension so that a VALID window of this stride gives `out` places; behind may be negative. */
static void margins(int32_t in, int32_t out, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *before,
                    int32_t *behind) {
    int32_t places;
    lc_op_window(in, filter, stride, dilation, padding, &places, before);
    *behind = (out - 1) * stride + (filter - 1) * dilation + 1 - in - *before;
}

/* x with its margins; a negative one behind is cut off. */
static int32_t framed(lc_expansion *e, int32_t x, const lc_shape *s, const int32_t *top, const int32_t *left) {
    const int32_t pads[8] = {0, 0, top[0], top[1] > 0 ? top[1] : 0, left[0], left[1] > 0 ? left[1] : 0, 0, 0};
    x = lc_expand_pad(e, x, pads, 4);
    if (top[1] >= 0 && left[1] >= 0) return x;
    const int32_t begin[4] = {0};
    const int32_t size[4] = {s->dims[0], s->dims[1] + top[0] + top[1], s->dims[2] + left[0] + left[1], s->dims[3]};
    return lc_expand_slice(e, x, begin, size, 4);
}

void lc_expand_conv_filter(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t x = e->node->inputs[0], dy = e->node->inputs[1];
    lc_shape xs, ds;
    if (!lc_build_shape(e->b, x, &xs) || !lc_build_shape(e->b, dy, &ds)) return;
    if (o->dims[3] != xs.dims[3]) {
        lc_expand_refuse(e, "groups");
        return;
    }
    int32_t top[2], left[2];
    margins(xs.dims[1], ds.dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &top[0], &top[1]);
    margins(xs.dims[2], ds.dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &left[0], &left[1]);
    const int32_t images = lc_build_transpose(e->b, framed(e, x, &xs, top, left), (const int32_t[]){3, 1, 2, 0}, 4); /* [in, h, w, batch] */
    const int32_t filter = lc_build_transpose(e->b, dy, (const int32_t[]){3, 1, 2, 0}, 4); /* [out, h, w, batch] */
    const lc_Conv2DOptions c = {.padding = LC_Padding_VALID,
                                .stride_h = o->dilation_h,
                                .stride_w = o->dilation_w,
                                .dilation_h_factor = o->stride_h,
                                .dilation_w_factor = o->stride_w};
    float *zeros = lc_build_data(e->b, (size_t)ds.dims[3] * sizeof *zeros); /* LiteRT's kernels want a bias */
    const int32_t bias =
        zeros ? lc_build_const(e->b, "bias", LC_FLOAT32, &ds.dims[3], 1, zeros, (size_t)ds.dims[3] * sizeof *zeros, true) : -1;
    const int32_t in[3] = {images, filter, bias};
    const int32_t dw = lc_build_op(e->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &c, in, 3); /* [in, h, w, out] */
    e->out[0] = lc_build_transpose(e->b, dw, (const int32_t[]){3, 1, 2, 0}, 4);
}

void lc_expand_conv_input(lc_expansion *e) {
    const lc_window_options *o = window(e);
    lc_shape f;
    if (!lc_build_shape(e->b, e->node->inputs[1], &f)) return;
    if (o->dims[3] != f.dims[3] || o->dilation_h != 1 || o->dilation_w != 1) {
        lc_expand_refuse(e, "dilation or groups");
        return;
    }
    const int32_t turned = lc_build_transpose(e->b, e->node->inputs[1], (const int32_t[]){3, 1, 2, 0}, 4);
    const lc_TransposeConvOptions t = {.padding = o->padding, .stride_h = o->stride_h, .stride_w = o->stride_w};
    const int32_t in[3] = {lc_build_ints(e->b, "shape", o->dims, 4), turned, e->node->inputs[0]};
    e->out[0] = lc_build_op(e->b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &t, in, 3);
}

/* What tap (ky, kx) saw: a strided slice of the framed input. */
static int32_t tap_of(lc_expansion *e, int32_t x, const lc_shape *xs, const lc_shape *ds, int32_t ky, int32_t kx) {
    const lc_window_options *o = window(e);
    const int32_t y = ky * o->dilation_h, w = kx * o->dilation_w;
    const int32_t begin[4] = {0, y, w, 0},
                  end[4] = {xs->dims[0], y + (ds->dims[1] - 1) * o->stride_h + 1, w + (ds->dims[2] - 1) * o->stride_w + 1, xs->dims[3]};
    const int32_t step[4] = {1, o->stride_h, o->stride_w, 1};
    const int32_t in[4] = {x, lc_build_ints(e->b, "begin", begin, 4), lc_build_ints(e->b, "end", end, 4),
                           lc_build_ints(e->b, "strides", step, 4)};
    return lc_build_op(e->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, NULL, in, 4);
}

void lc_expand_depthwise_filter(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t x = e->node->inputs[0], dy = e->node->inputs[1], taps = o->filter_h * o->filter_w;
    lc_shape xs, ds;
    int32_t top[2], left[2], parts[256];
    if (!lc_build_shape(e->b, x, &xs) || !lc_build_shape(e->b, dy, &ds)) return;
    if (o->multiplier != 1 || taps > 256) {
        lc_expand_refuse(e, "a depth multiplier");
        return;
    }
    margins(xs.dims[1], ds.dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &top[0], &top[1]);
    margins(xs.dims[2], ds.dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &left[0], &left[1]);
    const int32_t wide = framed(e, x, &xs, top, left);
    for (int32_t k = 0; k < taps; k++) {
        const int32_t seen = tap_of(e, wide, &xs, &ds, k / o->filter_w, k % o->filter_w);
        parts[k] = lc_build_reduce(e->b, LC_OP_SUM, lc_expand_binary(e, LC_OP_MUL, seen, dy), (const int32_t[]){0, 1, 2}, 3, false);
    }
    const lc_PackOptions p = {.axis = 0, .values_count = taps};
    const int32_t all = lc_build_op(e->b, LC_OP_PACK, LC_TABLE_PackOptions, &p, parts, (uint32_t)taps);
    e->out[0] = lc_build_reshape(e->b, all, o->dims, 4);
}

void lc_expand_depthwise_input(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t dy = e->node->inputs[0], w = e->node->inputs[1];
    lc_shape ds;
    if (!lc_build_shape(e->b, dy, &ds)) return;
    if (o->multiplier != 1 || o->stride_h != 1 || o->stride_w != 1) {
        lc_expand_refuse(e, "strides or a depth multiplier");
        return;
    }
    int32_t top[2], left[2], places;
    lc_op_window(o->dims[1], o->filter_h, 1, o->dilation_h, o->padding, &places, &top[0]);
    lc_op_window(o->dims[2], o->filter_w, 1, o->dilation_w, o->padding, &places, &left[0]);
    top[0] = (o->filter_h - 1) * o->dilation_h - top[0];
    left[0] = (o->filter_w - 1) * o->dilation_w - left[0];
    top[1] = o->dims[1] + (o->filter_h - 1) * o->dilation_h - ds.dims[1] - top[0];
    left[1] = o->dims[2] + (o->filter_w - 1) * o->dilation_w - ds.dims[2] - left[0];
    const int32_t axes = lc_build_ints(e->b, "axis", (const int32_t[]){1, 2}, 2);
    const int32_t turned = lc_build_op(e->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, (const int32_t[]){w, axes}, 2);
    const lc_DepthwiseConv2DOptions c = {.padding = LC_Padding_VALID,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .depth_multiplier = 1,
                                         .dilation_h_factor = o->dilation_h,
                                         .dilation_w_factor = o->dilation_w};
    float *zeros = lc_build_data(e->b, (size_t)ds.dims[3] * sizeof *zeros);
    const int32_t bias =
        zeros ? lc_build_const(e->b, "bias", LC_FLOAT32, &ds.dims[3], 1, zeros, (size_t)ds.dims[3] * sizeof *zeros, true) : -1;
    const int32_t in[3] = {framed(e, dy, &ds, top, left), turned, bias};
    e->out[0] = lc_build_op(e->b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &c, in, 3);
}

/* ---- pools -------------------------------------------------------------------------------------------------------------- */

/* Windows side by side: each pixel is in one window, or in none at the edge. */
static bool side_by_side(lc_expansion *e, const lc_shape *ds) {
    const lc_window_options *o = window(e);
    const bool fits = ds->dims[1] * o->stride_h <= o->dims[1] && ds->dims[2] * o->stride_w <= o->dims[2]; /* SAME without a margin */
    if (o->stride_h == o->filter_h && o->stride_w == o->filter_w && fits) return true;
    lc_expand_refuse(e, "windows that overlap");
    return false;
}

/* Every pixel of a window gets the window's number; what no window covers is 0. */
static int32_t over_windows(lc_expansion *e, int32_t x, const lc_shape *ds) {
    const lc_window_options *o = window(e);
    const int32_t h = ds->dims[1] * o->stride_h, w = ds->dims[2] * o->stride_w,
                  size = lc_build_ints(e->b, "size", (const int32_t[]){h, w}, 2);
    const int32_t wide =
        lc_build_op(e->b, LC_OP_RESIZE_NEAREST_NEIGHBOR, LC_TABLE_ResizeNearestNeighborOptions, NULL, (const int32_t[]){x, size}, 2);
    const int32_t pads[8] = {0, 0, 0, o->dims[1] - h, 0, o->dims[2] - w, 0, 0};
    return lc_expand_pad(e, wide, pads, 4);
}

void lc_expand_average_pool(lc_expansion *e) {
    const lc_window_options *o = window(e);
    lc_shape ds;
    if (!lc_build_shape(e->b, e->node->inputs[0], &ds) || !side_by_side(e, &ds)) return;
    const int32_t share = lc_build_with_scalar(e->b, LC_OP_MUL, e->node->inputs[0], "share", 1.0f / (float)(o->filter_h * o->filter_w));
    e->out[0] = lc_expand_binary(e, LC_OP_MUL, over_windows(e, share, &ds), lc_build_scalar(e->b, "one", 1));
}

void lc_expand_max_pool(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t dy = e->node->inputs[0], x = e->node->inputs[1], y = e->node->inputs[2];
    lc_shape ds;
    if (!lc_build_shape(e->b, dy, &ds) || !side_by_side(e, &ds)) return;
    const int32_t mask = lc_expand_mask(e, LC_OP_EQUAL, x, over_windows(e, y, &ds)); /* those that are the largest */
    const lc_Pool2DOptions p = {.padding = LC_Padding_VALID,
                                .stride_h = o->stride_h,
                                .stride_w = o->stride_w,
                                .filter_height = o->filter_h,
                                .filter_width = o->filter_w};
    const int32_t portion = lc_build_op(e->b, LC_OP_AVERAGE_POOL_2D, LC_TABLE_Pool2DOptions, &p, &mask, 1);
    const int32_t count = lc_build_with_scalar(e->b, LC_OP_MUL, portion, "window", (float)(o->filter_h * o->filter_w));
    const int32_t each = over_windows(e, lc_expand_binary(e, LC_OP_DIV, dy, count), &ds);
    e->out[0] = lc_expand_binary(e, LC_OP_MUL, mask, each);
}
