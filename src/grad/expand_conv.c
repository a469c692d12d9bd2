/*
 * expand_conv.c: gradients of convolutions in builtin operators.
 *
 *   d filter of CONV_2D    a convolution of x, its channels as images, with dy as the filter, whose strides are the other's dilation
 *   d input of CONV_2D     TRANSPOSE_CONV, which is this by definition; with dilation by what follows
 *   d input, in general    dy with zeros between its pixels (the strides), convolved with the filter turned around
 *   d filter of DEPTHWISE_CONV_2D   tap by tap: what the tap saw times dy, summed
 *
 * Groups go one by one, and are put together again.
 */
#include "grad/expand.h"

static const lc_window_options *window(const lc_expansion *e) { return LC_OWN_OPTIONS(e->node, lc_window_options); }

/* ---- what pools use, too ------------------------------------------------------------------------------------------------- */

/* What is added before and behind a dimension so that a VALID window of this stride gives `out` places; behind may be negative. */
static void margins(int32_t in, int32_t out, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *before,
                    int32_t *behind) {
    int32_t places;
    lc_op_window(in, filter, stride, dilation, padding, &places, before);
    *behind = (out - 1) * stride + (filter - 1) * dilation + 1 - in - *before;
}

void lc_expand_margins(const lc_window_options *o, const lc_shape *x, const lc_shape *y, int32_t top[2], int32_t left[2]) {
    margins(x->dims[1], y->dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &top[0], &top[1]);
    margins(x->dims[2], y->dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &left[0], &left[1]);
}

int32_t lc_expand_frame(lc_expansion *e, int32_t x, const int32_t *top, const int32_t *left) {
    lc_shape s;
    const int32_t pads[8] = {0, 0, top[0], top[1] > 0 ? top[1] : 0, left[0], left[1] > 0 ? left[1] : 0, 0, 0};
    if (!lc_build_shape(e->b, x, &s)) return -1;
    x = lc_expand_pad(e, x, pads, 4);
    if (top[1] >= 0 && left[1] >= 0) return x;
    const int32_t begin[4] = {0};
    const int32_t size[4] = {s.dims[0], s.dims[1] + top[0] + top[1], s.dims[2] + left[0] + left[1], s.dims[3]};
    return lc_expand_slice(e, x, begin, size, 4);
}

int32_t lc_expand_spread(lc_expansion *e, int32_t x, int32_t axis, int32_t step) {
    lc_shape s;
    int32_t outer = 1, inner = 1, dims[LC_MAX_RANK];
    if (step == 1 || !lc_build_shape(e->b, x, &s)) return x;
    for (int32_t i = 0; i < s.rank; i++) {
        dims[i] = s.dims[i] * (i == axis ? step : 1);
        if (i < axis) outer *= s.dims[i];
        if (i > axis) inner *= s.dims[i];
    }
    const int32_t pads[8] = {0, 0, 0, 0, 0, step - 1, 0, 0};
    x = lc_build_reshape(e->b, x, (const int32_t[]){outer, s.dims[axis], 1, inner}, 4);
    return lc_build_reshape(e->b, lc_expand_pad(e, x, pads, 4), dims, s.rank);
}

int32_t lc_expand_before(lc_expansion *e, int32_t dy, const lc_window_options *o) {
    const int32_t y = lc_expand_spread(e, lc_expand_spread(e, dy, 1, o->stride_h), 2, o->stride_w);
    const int32_t high = (o->filter_h - 1) * o->dilation_h, wide = (o->filter_w - 1) * o->dilation_w;
    int32_t top[2], left[2], places;
    lc_shape s;
    if (!lc_build_shape(e->b, y, &s)) return -1;
    lc_op_window(o->dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &places, &top[0]);
    lc_op_window(o->dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &places, &left[0]);
    top[0] = high - top[0];
    left[0] = wide - left[0];
    top[1] = o->dims[1] + high - s.dims[1] - top[0];
    left[1] = o->dims[2] + wide - s.dims[2] - left[0];
    return lc_expand_frame(e, y, top, left);
}

int32_t lc_expand_tap(lc_expansion *e, int32_t x, const lc_shape *xs, const lc_shape *ys, const lc_window_options *o, int32_t ky,
                      int32_t kx) {
    const int32_t y = ky * o->dilation_h, w = kx * o->dilation_w;
    const int32_t begin[4] = {0, y, w, 0},
                  end[4] = {xs->dims[0], y + (ys->dims[1] - 1) * o->stride_h + 1, w + (ys->dims[2] - 1) * o->stride_w + 1, xs->dims[3]};
    const int32_t step[4] = {1, o->stride_h, o->stride_w, 1};
    const int32_t in[4] = {x, lc_build_ints(e->b, "begin", begin, 4), lc_build_ints(e->b, "end", end, 4),
                           lc_build_ints(e->b, "strides", step, 4)};
    return lc_build_op(e->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, NULL, in, 4);
}

/* ---- helpers ------------------------------------------------------------------------------------------------------------ */

/* The filter [., h, w, .] turned around. */
static int32_t turned(lc_expansion *e, int32_t w) {
    const int32_t in[2] = {w, lc_build_ints(e->b, "axis", (const int32_t[]){1, 2}, 2)};
    return lc_build_op(e->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, in, 2);
}

/* Part `g` of n along an axis of x. */
static int32_t part(lc_expansion *e, int32_t x, int32_t axis, int32_t g, int32_t n) {
    lc_shape s;
    int32_t begin[4] = {0};
    if (n == 1 || !lc_build_shape(e->b, x, &s)) return x;
    s.dims[axis] /= n;
    begin[axis] = g * s.dims[axis];
    return lc_expand_slice(e, x, begin, s.dims, 4);
}

static int32_t together(lc_expansion *e, const int32_t *parts, int32_t n, int32_t axis) {
    const lc_ConcatenationOptions o = {.axis = axis};
    return n == 1 ? parts[0] : lc_build_op(e->b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, parts, (uint32_t)n);
}

static int32_t *parts_of(lc_expansion *e, int32_t n) {
    int32_t *parts = lc_arena_array(&e->b->model->arena, (size_t)n, sizeof *parts);
    if (!parts) lc_build_check(e->b, lc_fail_memory(e->b->err, "gradients"));
    return parts;
}

/* ---- CONV_2D -------------------------------------------------------------------------------------------------------------- */

void lc_expand_conv_filter(lc_expansion *e) {
    static const int32_t images_of[4] = {3, 1, 2, 0};
    const lc_window_options *o = window(e);
    const int32_t x = e->node->inputs[0], dy = e->node->inputs[1];
    lc_shape xs, ds;
    int32_t top[2], left[2];
    if (!lc_build_shape(e->b, x, &xs) || !lc_build_shape(e->b, dy, &ds)) return;
    lc_expand_margins(o, &xs, &ds, top, left);
    const int32_t groups = xs.dims[3] / o->dims[3];
    const int32_t framed = lc_expand_frame(e, x, top, left);
    const lc_Conv2DOptions c = {.padding = LC_Padding_VALID,
                                .stride_h = o->dilation_h,
                                .stride_w = o->dilation_w,
                                .dilation_h_factor = o->stride_h,
                                .dilation_w_factor = o->stride_w};
    int32_t *parts = parts_of(e, groups);
    for (int32_t g = 0; parts && g < groups; g++) {
        const int32_t images = lc_build_transpose(e->b, part(e, framed, 3, g, groups), images_of, 4); /* [in, h, w, batch] */
        const int32_t filter = lc_build_transpose(e->b, part(e, dy, 3, g, groups), images_of, 4);     /* [out, h, w, batch] */
        const int32_t in[2] = {images, filter};
        parts[g] = lc_build_op(e->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &c, in, 2); /* [in, h, w, out] */
        parts[g] = lc_build_transpose(e->b, parts[g], images_of, 4);
    }
    if (parts) e->out[0] = together(e, parts, groups, 0);
}

void lc_expand_conv_input(lc_expansion *e) {
    static const int32_t changed_over[4] = {3, 1, 2, 0};
    const lc_window_options *o = window(e);
    const int32_t dy = e->node->inputs[0], w = e->node->inputs[1];
    lc_shape f;
    if (!lc_build_shape(e->b, w, &f)) return;
    const int32_t groups = o->dims[3] / f.dims[3];
    if (groups == 1 && o->dilation_h == 1 && o->dilation_w == 1) {
        const lc_TransposeConvOptions t = {.padding = o->padding, .stride_h = o->stride_h, .stride_w = o->stride_w};
        const int32_t in[3] = {lc_build_ints(e->b, "shape", o->dims, 4), lc_build_transpose(e->b, w, changed_over, 4), dy};
        e->out[0] = lc_build_op(e->b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &t, in, 3);
        return;
    }
    const lc_Conv2DOptions c = {
        .padding = LC_Padding_VALID, .stride_h = 1, .stride_w = 1, .dilation_h_factor = o->dilation_h, .dilation_w_factor = o->dilation_w};
    const int32_t before = lc_expand_before(e, dy, o), filter = turned(e, w);
    int32_t *parts = parts_of(e, groups);
    for (int32_t g = 0; parts && g < groups; g++) {
        const int32_t in[2] = {part(e, before, 3, g, groups), lc_build_transpose(e->b, part(e, filter, 0, g, groups), changed_over, 4)};
        parts[g] = lc_build_op(e->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &c, in, 2);
    }
    if (parts) e->out[0] = together(e, parts, groups, 3);
}

/* ---- DEPTHWISE_CONV_2D ------------------------------------------------------------------------------------------------------ */

/* The sum over all pixels of what a tap saw times dy: [channels * multiplier]. dy as [pixels, channels, multiplier] where that is over 1: one
 * RESHAPE for all taps, as with one a tap LiteRT 2.3 was seen to write over dy, whose memory its RESHAPEs share. */
static int32_t tap_times(lc_expansion *e, int32_t seen, int32_t dy, int32_t multiplier) {
    static const int32_t pixels[3] = {0, 1, 2};
    lc_shape s;
    if (multiplier == 1) return lc_build_reduce(e->b, LC_OP_SUM, lc_expand_binary(e, LC_OP_MUL, seen, dy), pixels, 3, false);
    if (!lc_build_shape(e->b, dy, &s)) return -1;
    const int32_t x = lc_build_reshape(e->b, seen, (const int32_t[]){s.dims[0], s.dims[1], 1}, 3);
    const int32_t sum = lc_build_reduce(e->b, LC_OP_SUM, lc_expand_binary(e, LC_OP_MUL, x, dy), pixels, 1, false);
    return lc_build_reshape(e->b, sum, (const int32_t[]){s.dims[1] * s.dims[2]}, 1);
}

void lc_expand_depthwise_filter(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const int32_t x = e->node->inputs[0], dy = e->node->inputs[1], taps = o->filter_h * o->filter_w;
    lc_shape xs, ds;
    int32_t top[2], left[2];
    if (!lc_build_shape(e->b, x, &xs) || !lc_build_shape(e->b, dy, &ds)) return;
    lc_expand_margins(o, &xs, &ds, top, left);
    const int32_t wide = lc_expand_frame(e, x, top, left);
    int32_t *parts = parts_of(e, taps);
    if (!parts) return;
    const int32_t pixels = ds.dims[0] * ds.dims[1] * ds.dims[2], shape[3] = {pixels, xs.dims[3], o->multiplier};
    const int32_t y = o->multiplier > 1 ? lc_build_reshape(e->b, dy, shape, 3) : dy;
    for (int32_t k = 0; k < taps; k++) {
        const int32_t seen = lc_expand_tap(e, wide, &xs, &ds, o, k / o->filter_w, k % o->filter_w);
        parts[k] = tap_times(e, seen, y, o->multiplier);
    }
    const lc_PackOptions p = {.axis = 0, .values_count = taps};
    const int32_t all = lc_build_op(e->b, LC_OP_PACK, LC_TABLE_PackOptions, &p, parts, (uint32_t)taps);
    e->out[0] = lc_build_reshape(e->b, all, o->dims, 4);
}

void lc_expand_depthwise_input(lc_expansion *e) {
    const lc_window_options *o = window(e);
    const lc_DepthwiseConv2DOptions c = {.padding = LC_Padding_VALID,
                                         .stride_h = 1,
                                         .stride_w = 1,
                                         .depth_multiplier = 1,
                                         .dilation_h_factor = o->dilation_h,
                                         .dilation_w_factor = o->dilation_w};
    const int32_t in[2] = {lc_expand_before(e, e->node->inputs[0], o), turned(e, e->node->inputs[1])};
    const int32_t each = lc_build_op(e->b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &c, in, 2);
    e->out[0] = each;
    if (o->multiplier == 1) return;
    const int32_t last = 1, pairs = lc_build_reshape(e->b, each, (const int32_t[]){-1, o->multiplier}, 2);
    e->out[0] = lc_build_reshape(e->b, lc_build_reduce(e->b, LC_OP_SUM, pairs, &last, 1, false), o->dims, 4);
}
