/*
 * Convolutions of one to three dimensions. TFLite wants channels last and filters [out, h, w, in]; Keras stores [h, w, in, out]. A
 * depthwise filter [h, w, in, multiplier] is TFLite's [1, h, w, in * multiplier] as it lies, and so is a filter of three dimensions: they
 * stay borrowed from the file. As the official converter does, a convolution without bias gets one of zeros (delegates ask for it, and
 * batch normalisation folds into it). channels_first data is transposed around the operator; two such neighbours cancel in src/pass.
 *
 * A row is an image of height 1. "causal" pads it in front so that no output sees what comes after it. An open length stays open.
 */
#include "lower/image.h"
#include "lower/rounding.h"

#include <stdio.h>
#include <string.h>

/* ---- windows, rows (image.h) ---------------------------------------------------------------------------------------- */

lc_window lc_window_read(lc_call *c, int32_t n, bool may_be_causal) {
    static const char *const paddings[] = {"valid", "same", NULL}, *const with_causal[] = {"valid", "same", "causal", NULL};
    lc_window w = {.n = n, .kernel = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    const int32_t at = n == 1 ? 1 : 0;
    lc_opt_sizes(c, "kernel_size", 1, 0, w.kernel + at, (uint32_t)n);
    lc_opt_sizes(c, "strides", 1, 1, w.stride + at, (uint32_t)n);
    lc_opt_sizes(c, "dilation_rate", 1, 1, w.dilation + at, (uint32_t)n);
    const int32_t padding = lc_opt_choice(c, "padding", may_be_causal ? with_causal : paddings);
    w.padding = padding == 1 ? LC_Padding_SAME : LC_Padding_VALID;
    w.causal = padding == 2;
    w.channels_first = lc_opt_channels_first(c);
    w.use_bias = lc_opt_bool(c, "use_bias", true);
    w.activation = lc_opt(c, "activation");
    return w;
}

int32_t lc_image_of_row(lc_call *c, int32_t row) { return lc_tf_expand(lc_eager_maker(c), row, 1); }

int32_t lc_image_row(lc_call *c, int32_t image) {
    lc_shape s;
    if (!lc_call_shape(c, image, &s)) return -1;
    const int32_t row[3] = {s.dims[0], s.dims[2], s.dims[3]}, height = 1;
    if ((row[0] < 0) + (row[1] < 0) <= 1) return lc_build_reshape(c->b, image, row, 3);
    int32_t *dims = lc_build_data(c->b, sizeof *dims);
    if (!dims) return -1;
    *dims = height;
    const lc_SqueezeOptions o = {.squeeze_dims = {dims, 1}};
    return lc_build_op(c->b, LC_OP_SQUEEZE, LC_TABLE_SqueezeOptions, &o, &image, 1);
}

int32_t lc_image_of(lc_call *c, const lc_window *w, int32_t *channels) {
    lc_shape s;
    *channels = 1;
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, w->n + 2, &s), w->channels_first);
    if (!lc_call_shape(c, x, &s)) return -1;
    *channels = lc_call_known(c, &s, w->n + 1, "the number of channels");
    if (w->causal) {
        const int64_t before = (int64_t)w->dilation[1] * (w->kernel[1] - 1);
        if (before > INT32_MAX - (s.dims[1] < 0 ? 0 : s.dims[1])) return lc_opt_fail(c, "dilation_rate", "the padding overflows");
        const int32_t pads[6] = {0, 0, (int32_t)before, 0, 0, 0};
        if (before) x = lc_build_binary(c->b, LC_OP_PAD, x, lc_build_int_matrix(c->b, "paddings", pads, 3, 2), LC_LOWER_ACT(NONE));
    }
    return w->n == 1 ? lc_image_of_row(c, x) : x;
}

int32_t lc_image_back(lc_call *c, const lc_window *w, int32_t y, bool fused) {
    if (w->n == 1) y = lc_image_row(c, y);
    y = lc_call_channels_back(c, y, w->channels_first);
    return fused ? y : lc_lower_activation(c, "activation", w->activation, y);
}

bool lc_window_weights(lc_call *c, const lc_window *w, uint32_t n, const char *names) {
    char all[96];
    snprintf(all, sizeof all, "%s%s", names, w->use_bias ? ", bias" : "");
    return lc_weights(c, n + (w->use_bias ? 1u : 0u), all);
}

/* ---- operators ------------------------------------------------------------------------------------------------------ */

static int32_t conv_op(lc_call *c, const lc_window *w, int32_t x, int32_t filter, int32_t bias, int8_t fused) {
    int32_t in[3] = {x, filter, bias};
    lc_Conv2DOptions o = {.padding = w->padding,
                          .stride_h = w->stride[0],
                          .stride_w = w->stride[1],
                          .dilation_h_factor = w->dilation[0],
                          .dilation_w_factor = w->dilation[1],
                          .fused_activation_function = fused};
    return lc_build_op(c->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, in, 3);
}

static int32_t depthwise_op(lc_call *c, const lc_window *w, int32_t x, int32_t filter, int32_t bias, int32_t multiplier, int8_t fused) {
    int32_t in[3] = {x, filter, bias};
    lc_DepthwiseConv2DOptions o = {.padding = w->padding,
                                   .stride_h = w->stride[0],
                                   .stride_w = w->stride[1],
                                   .depth_multiplier = multiplier,
                                   .dilation_h_factor = w->dilation[0],
                                   .dilation_w_factor = w->dilation[1],
                                   .fused_activation_function = fused};
    return lc_build_op(c->b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o, in, 3);
}

/* ---- convolutions --------------------------------------------------------------------------------------------------- */

/* groups > 1: each group of filters sees its share of the channels; TFLite reads it from the filter's shape. */
static int32_t conv_groups(lc_call *c, int32_t channels, int32_t filters) {
    int32_t groups = lc_opt_int(c, "groups", 1, INT32_MAX, 1);
    if (c->b->status != LC_OK) return 1;
    if (channels % groups != 0 || filters % groups != 0) {
        lc_opt_fail(c, "groups", "needs a divisor of the %d channels of its input and of its %d filters", channels, filters);
        return 1;
    }
    return groups;
}

static int32_t conv(lc_call *c, int32_t n) {
    const int32_t filters = lc_opt_size(c, "filters");
    const lc_window w = lc_window_read(c, n, n == 1);
    int32_t channels;
    const int32_t x = lc_image_of(c, &w, &channels), depth = channels / conv_groups(c, channels, filters);
    if (!lc_window_weights(c, &w, 1, "kernel")) return -1;
    const int32_t stored[4] = {w.kernel[0], w.kernel[1], depth, filters}, wanted[4] = {filters, w.kernel[0], w.kernel[1], depth};
    const int32_t filter = lc_weight_transposed(c, 0, 0, "kernel", n == 1 ? stored + 1 : stored, n + 2, wanted, 4);
    int8_t act;
    const bool fused = lc_lower_fusable(w.activation, &act);
    return lc_image_back(c, &w, conv_op(c, &w, x, filter, lc_weight_bias(c, 1, 1, filters, w.use_bias), act), fused);
}

int32_t lc_lower_conv1d(lc_call *c) { return conv(c, 1); }
int32_t lc_lower_conv2d(lc_call *c) { return conv(c, 2); }

/* CONV_3D has no groups: TensorFlow's operator is lowered to one for each. */
static int32_t grouped_volumes(lc_call *c, const lc_window *w, int32_t x, int32_t filter, int32_t bias) {
    lc_tf_window t = {.n = 3, .padding = w->padding};
    memcpy(t.stride, w->stride, sizeof t.stride);
    memcpy(t.dilation, w->dilation, sizeof t.dilation);
    x = lc_tf_convolve(lc_eager_maker(c), &t, x, filter);
    return bias < 0 ? x : lc_build_binary(c->b, LC_OP_ADD, x, bias, LC_LOWER_ACT(NONE));
}

int32_t lc_lower_conv3d(lc_call *c) {
    const int32_t filters = lc_opt_size(c, "filters");
    const lc_window w = lc_window_read(c, 3, false);
    int32_t channels;
    const int32_t x = lc_image_of(c, &w, &channels), groups = conv_groups(c, channels, filters), depth = channels / groups;
    if (!lc_window_weights(c, &w, 1, "kernel")) return -1;
    const int32_t stored[5] = {w.kernel[0], w.kernel[1], w.kernel[2], depth, filters};
    const int32_t filter = lc_weight_const(c, 0, 0, "kernel", stored, 5, stored, 5);
    const int32_t bias = groups > 1 && !w.use_bias ? -1 : lc_weight_bias(c, 1, 1, filters, w.use_bias);
    if (groups > 1) return lc_image_back(c, &w, grouped_volumes(c, &w, x, filter, bias), false);
    int8_t act;
    const bool fused = lc_lower_fusable(w.activation, &act);
    const int32_t in[3] = {x, filter, bias};
    lc_Conv3DOptions o = lc_tf_volumes(w.padding, w.stride, w.dilation);
    o.fused_activation_function = act;
    return lc_image_back(c, &w, lc_build_op(c->b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, in, 3), fused);
}

/* ---- depthwise, separable -------------------------------------------------------------------------------------------- */

/* The depthwise step of both layers; weight 0. Returns the output, *out: its channels. */
static int32_t depthwise(lc_call *c, const lc_window *w, int32_t x, int32_t channels, const char *name, int32_t bias_at, int8_t fused,
                         int32_t *out) {
    *out = 1;
    int32_t multiplier = lc_opt_int(c, "depth_multiplier", 1, INT32_MAX, 1);
    if (c->b->status != LC_OK) return -1;
    if (!lc_mul_i32(channels, multiplier, out)) return lc_opt_fail(c, "depth_multiplier", "times %d channels is over 2147483647", channels);
    const int32_t stored[4] = {w->kernel[0], w->kernel[1], channels, multiplier}, wanted[4] = {1, w->kernel[0], w->kernel[1], *out};
    int32_t filter = lc_weight_const(c, 0, 0, name, w->n == 1 ? stored + 1 : stored, w->n + 2, wanted, 4);
    int32_t bias = lc_weight_bias(c, 1, (uint32_t)(bias_at < 0 ? 0 : bias_at), *out, bias_at >= 0);
    return depthwise_op(c, w, x, lc_round_weights(c, filter, 3), bias, multiplier, fused);
}

static int32_t depthwise_layer(lc_call *c, int32_t n) {
    const lc_window w = lc_window_read(c, n, false);
    int32_t channels, out;
    const int32_t x = lc_image_of(c, &w, &channels);
    if (!lc_window_weights(c, &w, 1, "kernel")) return -1;
    int8_t act;
    const bool fused = lc_lower_fusable(w.activation, &act);
    return lc_image_back(c, &w, depthwise(c, &w, x, channels, "kernel", w.use_bias ? 1 : -1, act, &out), fused);
}

int32_t lc_lower_depthwise_conv1d(lc_call *c) { return depthwise_layer(c, 1); }
int32_t lc_lower_depthwise_conv2d(lc_call *c) { return depthwise_layer(c, 2); }

/* Depthwise, then a 1x1 convolution that mixes the channels and carries bias and activation. */
static int32_t separable(lc_call *c, int32_t n) {
    const int32_t filters = lc_opt_size(c, "filters");
    const lc_window w = lc_window_read(c, n, n == 1), point = {.stride = {1, 1}, .dilation = {1, 1}, .padding = LC_Padding_VALID};
    int32_t channels, out;
    int32_t x = lc_image_of(c, &w, &channels);
    if (!lc_window_weights(c, &w, 2, "depthwise_kernel, pointwise_kernel")) return -1;
    x = depthwise(c, &w, x, channels, "depthwise_kernel", -1, LC_LOWER_ACT(NONE), &out);
    const int32_t stored[4] = {1, 1, out, filters}, wanted[4] = {filters, 1, 1, out};
    const int32_t filter = lc_weight_transposed(c, 2, 1, "pointwise_kernel", n == 1 ? stored + 1 : stored, n + 2, wanted, 4);
    int8_t act;
    const bool fused = lc_lower_fusable(w.activation, &act);
    return lc_image_back(c, &w, conv_op(c, &point, x, filter, lc_weight_bias(c, 3, 2, filters, w.use_bias), act), fused);
}

int32_t lc_lower_separable_conv1d(lc_call *c) { return separable(c, 1); }
int32_t lc_lower_separable_conv2d(lc_call *c) { return separable(c, 2); }
