/*
 * Convolutions. TFLite wants channels last and filters [out, h, w, in]; Keras stores [h, w, in, out]. A depthwise filter
 * [h, w, in, multiplier] is TFLite's [1, h, w, in * multiplier] as it lies: it stays borrowed from the file. As the official
 * converter does, a convolution without bias gets one of zeros (delegates ask for it, and batch normalisation folds into it).
 * channels_first data is transposed around the operator; two such neighbours cancel in src/pass.
 */
#include "lower/lower.h"

static const char *const paddings[] = {"valid", "same", NULL};

/* What the convolutions have in common. */
typedef struct window {
    int32_t kernel[2], stride[2], dilation[2];
    int8_t padding;
    bool channels_first;
    bool use_bias;
    const lc_json *activation;
} window;

static window read_window(lc_call *c, uint32_t rank) {
    window w = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    uint32_t at = 2 - rank; /* one dimension: a row, in the second place */
    lc_opt_sizes(c, "kernel_size", 1, 0, w.kernel + at, rank);
    lc_opt_sizes(c, "strides", 1, 1, w.stride + at, rank);
    lc_opt_sizes(c, "dilation_rate", 1, 1, w.dilation + at, rank);
    w.padding = lc_opt_choice(c, "padding", paddings) ? LC_Padding_SAME : LC_Padding_VALID;
    w.channels_first = lc_opt_channels_first(c);
    w.use_bias = lc_opt_bool(c, "use_bias", true);
    w.activation = lc_opt(c, "activation");
    return w;
}

static int32_t conv_op(lc_call *c, const window *w, int32_t x, int32_t filter, int32_t bias, int8_t fused) {
    int32_t in[3] = {x, filter, bias};
    lc_Conv2DOptions o = {.padding = w->padding,
                          .stride_h = w->stride[0],
                          .stride_w = w->stride[1],
                          .dilation_h_factor = w->dilation[0],
                          .dilation_w_factor = w->dilation[1],
                          .fused_activation_function = fused};
    return lc_build_op(c->b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, in, 3);
}

static int32_t depthwise_op(lc_call *c, const window *w, int32_t x, int32_t filter, int32_t bias, int32_t multiplier, int8_t fused) {
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

/* Back to the layout the layer was given, then what was not fused. */
static int32_t finish(lc_call *c, const window *w, int32_t y, bool fused) {
    y = lc_call_channels_back(c, y, w->channels_first);
    return fused ? y : lc_lower_activation(c, "activation", w->activation, y);
}

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

int32_t lc_lower_conv2d(lc_call *c) {
    lc_shape s;
    int32_t filters = lc_opt_size(c, "filters");
    window w = read_window(c, 2);
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, &s), w.channels_first);
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t channels = lc_call_known(c, &s, 3, "the number of channels");
    int32_t depth = channels / conv_groups(c, channels, filters);
    if (!lc_weights(c, w.use_bias ? 2 : 1, w.use_bias ? "kernel, bias" : "kernel")) return -1;
    int32_t stored[4] = {w.kernel[0], w.kernel[1], depth, filters}, wanted[4] = {filters, w.kernel[0], w.kernel[1], depth};
    int32_t filter = lc_weight_transposed(c, 0, 0, "kernel", stored, 4, wanted, 4);
    int8_t act;
    bool fused = lc_lower_fusable(w.activation, &act);
    return finish(c, &w, conv_op(c, &w, x, filter, lc_weight_bias(c, 1, 1, filters, w.use_bias), act), fused);
}

/* A row is an image of height 1. "causal" pads on the left so that no output sees what comes after it. */
int32_t lc_lower_conv1d(lc_call *c) {
    static const char *const paddings_1d[] = {"valid", "same", "causal", NULL};
    lc_shape s;
    int32_t filters = lc_opt_size(c, "filters");
    window w = {.kernel = {1, 1},
                .stride = {1, 1},
                .dilation = {1, 1},
                .channels_first = lc_opt_channels_first(c),
                .use_bias = lc_opt_bool(c, "use_bias", true),
                .activation = lc_opt(c, "activation")};
    int32_t padding = lc_opt_choice(c, "padding", paddings_1d);
    w.padding = padding == 1 ? LC_Padding_SAME : LC_Padding_VALID;
    lc_opt_sizes(c, "kernel_size", 1, 0, &w.kernel[1], 1);
    lc_opt_sizes(c, "strides", 1, 1, &w.stride[1], 1);
    lc_opt_sizes(c, "dilation_rate", 1, 1, &w.dilation[1], 1);
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 3, &s), w.channels_first);
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t channels = lc_call_known(c, &s, 2, "the number of channels"), length = lc_call_known(c, &s, 1, "the length");
    int32_t depth = channels / conv_groups(c, channels, filters);
    if (!lc_weights(c, w.use_bias ? 2 : 1, w.use_bias ? "kernel, bias" : "kernel")) return -1;
    int32_t stored[3] = {w.kernel[1], depth, filters}, wanted[4] = {filters, 1, w.kernel[1], depth};
    int32_t filter = lc_weight_transposed(c, 0, 0, "kernel", stored, 3, wanted, 4), bias = lc_weight_bias(c, 1, 1, filters, w.use_bias);
    if (padding == 2) {
        int64_t before = (int64_t)w.dilation[1] * (w.kernel[1] - 1);
        if (before > INT32_MAX - length) return lc_opt_fail(c, "dilation_rate", "the padding overflows");
        int32_t pads[6] = {0, 0, (int32_t)before, 0, 0, 0};
        x = lc_build_binary(c->b, LC_OP_PAD, x, lc_build_int_matrix(c->b, "paddings", pads, 3, 2), LC_LOWER_ACT(NONE));
        length += (int32_t)before;
    }
    int32_t image[4] = {-1, 1, length, channels};
    int8_t act;
    bool fused = lc_lower_fusable(w.activation, &act);
    int32_t y = conv_op(c, &w, lc_build_reshape(c->b, x, image, 4), filter, bias, act);
    if (!lc_call_shape(c, y, &s)) return -1;
    int32_t row[3] = {-1, s.dims[2], filters};
    return finish(c, &w, lc_build_reshape(c->b, y, row, 3), fused);
}

/* The depthwise step of both layers; weight 0. Returns the output, *out: its channels. */
static int32_t depthwise(lc_call *c, const window *w, int32_t x, const char *name, int32_t bias_at, int8_t fused, int32_t *out) {
    lc_shape s;
    *out = 1;
    int32_t multiplier = lc_opt_int(c, "depth_multiplier", 1, INT32_MAX, 1);
    if (!lc_call_shape(c, x, &s)) return -1;
    int32_t channels = lc_call_known(c, &s, 3, "the number of channels");
    if (!lc_mul_i32(channels, multiplier, out)) return lc_opt_fail(c, "depth_multiplier", "times %d channels is over 2147483647", channels);
    int32_t stored[4] = {w->kernel[0], w->kernel[1], channels, multiplier}, wanted[4] = {1, w->kernel[0], w->kernel[1], *out};
    int32_t filter = lc_weight_const(c, 0, 0, name, stored, 4, wanted, 4);
    int32_t bias = lc_weight_bias(c, 1, (uint32_t)(bias_at < 0 ? 0 : bias_at), *out, bias_at >= 0);
    return depthwise_op(c, w, x, filter, bias, multiplier, fused);
}

int32_t lc_lower_depthwise_conv2d(lc_call *c) {
    lc_shape s;
    window w = read_window(c, 2);
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, &s), w.channels_first), channels;
    if (!lc_weights(c, w.use_bias ? 2 : 1, w.use_bias ? "kernel, bias" : "kernel")) return -1;
    int8_t act;
    bool fused = lc_lower_fusable(w.activation, &act);
    return finish(c, &w, depthwise(c, &w, x, "kernel", w.use_bias ? 1 : -1, act, &channels), fused);
}

/* Depthwise, then a 1x1 convolution that mixes the channels and carries bias and activation. */
int32_t lc_lower_separable_conv2d(lc_call *c) {
    lc_shape s;
    int32_t filters = lc_opt_size(c, "filters"), channels;
    window w = read_window(c, 2), point = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .padding = LC_Padding_VALID};
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, &s), w.channels_first);
    if (!lc_weights(c, w.use_bias ? 3 : 2, w.use_bias ? "depthwise_kernel, pointwise_kernel, bias" : "depthwise_kernel, pointwise_kernel"))
        return -1;
    x = depthwise(c, &w, x, "depthwise_kernel", -1, LC_LOWER_ACT(NONE), &channels);
    int32_t stored[4] = {1, 1, channels, filters}, wanted[4] = {filters, 1, 1, channels};
    int32_t filter = lc_weight_transposed(c, 2, 1, "pointwise_kernel", stored, 4, wanted, 4);
    int8_t act;
    bool fused = lc_lower_fusable(w.activation, &act);
    return finish(c, &w, conv_op(c, &point, x, filter, lc_weight_bias(c, 3, 2, filters, w.use_bias), act), fused);
}
