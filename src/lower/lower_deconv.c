/*
 * Transposed convolutions of one to three dimensions. Keras stores a filter as [h, w, out, in]; TRANSPOSE_CONV wants [out, h, w, in],
 * CONV_3D_TRANSPOSE takes [d, h, w, out, in] as it lies. TRANSPOSE_CONV has no dilation: the filter is spread with zeros. The size of the
 * result is an input of the operator: what is open in it, the batch at least, is worked out when the model runs. Each dimension is
 *
 *   input * stride + extra      extra: valid  max(k - stride, 0)         same  0
 *                                      with output_padding p:  k + p - stride    k % 2 + p - stride        (k: of the spread filter)
 */
#include "lower/image.h"

/* What is added to the size of each dimension of the image; false when failed. */
static bool extra_sizes(lc_call *c, const lc_window *w, int64_t *extra) {
    const bool given = lc_opt(c, "output_padding") != NULL;
    const int32_t at = w->n == 1 ? 1 : 0;
    int32_t padding[3] = {0};
    if (given) lc_opt_sizes(c, "output_padding", 0, 0, padding + at, (uint32_t)w->n);
    for (int32_t i = at; i < at + w->n && c->b->status == LC_OK; i++) {
        const int64_t k = (int64_t)(w->kernel[i] - 1) * w->dilation[i] + 1;
        if (given && padding[i] >= w->stride[i]) lc_opt_fail(c, "output_padding", "needs less than strides");
        if (given) extra[i] = (w->padding == LC_Padding_SAME ? k % 2 : k) + padding[i] - w->stride[i];
        else extra[i] = w->padding == LC_Padding_SAME || k < w->stride[i] ? 0 : k - w->stride[i];
    }
    return c->b->status == LC_OK;
}

/* Sizes of the result of the image x [n, spatial..., c]: an int32 vector. */
static int32_t output_sizes(lc_call *c, const lc_window *w, const int64_t *extra, int32_t x, int32_t filters) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    int32_t parts[5];
    if (!lc_call_shape(c, x, &s)) return -1;
    const int32_t last = s.rank - 1;
    parts[0] = lc_tf_size(m, x, 0);
    parts[last] = lc_tf_size_const(m, filters);
    for (int32_t i = 1; i < last; i++) {
        const int32_t stride = w->stride[i - 1];
        const int64_t more = extra[i - 1], size = (int64_t)s.dims[i] * stride + more;
        if (s.dims[i] >= 0) {
            if (size < 1) return lc_opt_fail(c, "strides", "its output is empty along dimension %d", i);
            parts[i] = lc_tf_size_const(m, size);
            continue;
        }
        parts[i] = lc_tf_size(m, x, i);
        if (stride != 1) parts[i] = lc_tf_size_op(m, LC_OP_MUL, parts[i], lc_tf_size_const(m, stride));
        if (more) parts[i] = lc_tf_size_op(m, LC_OP_ADD, parts[i], lc_tf_size_const(m, more));
    }
    return lc_tf_concat(m, parts, (uint32_t)s.rank, 0);
}

/* The filter of weight 0 for TRANSPOSE_CONV, kept in slot 0. */
static int32_t image_filter(lc_call *c, const lc_window *w, int32_t filters, int32_t channels) {
    const int32_t stored[4] = {w->kernel[0], w->kernel[1], filters, channels}, perm[4] = {2, 0, 1, 3};
    if (c->slots[0]) return c->slots[0] - 1;
    int32_t filter = lc_weight_const(c, 2, 0, "kernel", w->n == 1 ? stored + 1 : stored, w->n + 2, stored, 4);
    filter = lc_build_transpose(c->b, filter, perm, 4);
    if (w->dilation[0] != 1 || w->dilation[1] != 1) {
        const int32_t by[4] = {1, w->dilation[0], w->dilation[1], 1};
        const int32_t in[3] = {filter, lc_build_ints(c->b, "dilations", by, 4), lc_build_scalar(c->b, "zero", 0)};
        filter = lc_build_op(c->b, LC_OP_DILATE, LC_TABLE_DilateOptions, NULL, in, 3);
    }
    c->slots[0] = filter + 1;
    return filter;
}

static int32_t deconv(lc_call *c, int32_t n) {
    const int32_t filters = lc_opt_size(c, "filters");
    const lc_window w = lc_window_read(c, n, false);
    int64_t extra[3] = {0};
    int32_t channels;
    const int32_t x = lc_image_of(c, &w, &channels);
    if (!extra_sizes(c, &w, extra) || !lc_window_weights(c, &w, 1, "kernel")) return -1;
    const int32_t sizes = output_sizes(c, &w, extra, x, filters), bias = w.use_bias ? lc_weight_bias(c, 1, 1, filters, true) : LC_ABSENT;
    int8_t act;
    const bool fused = lc_lower_fusable(w.activation, &act);
    if (n == 3) {
        const int32_t stored[5] = {w.kernel[0], w.kernel[1], w.kernel[2], filters, channels};
        const int32_t in[4] = {sizes, lc_weight_const(c, 0, 0, "kernel", stored, 5, stored, 5), x, bias};
        lc_Conv3DOptions o = lc_tf_volumes(w.padding, w.stride, w.dilation);
        o.fused_activation_function = act;
        return lc_image_back(c, &w, lc_build_op(c->b, LC_OP_CONV_3D_TRANSPOSE, LC_TABLE_Conv3DOptions, &o, in, w.use_bias ? 4 : 3), fused);
    }
    const int32_t in[4] = {sizes, image_filter(c, &w, filters, channels), x, bias};
    const lc_TransposeConvOptions o = {
        .padding = w.padding, .stride_h = w.stride[0], .stride_w = w.stride[1], .fused_activation_function = act};
    const int32_t y = lc_build_op(c->b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &o, in, w.use_bias ? 4 : 3);
    return lc_image_back(c, &w, y, fused);
}

int32_t lc_lower_conv1d_transpose(lc_call *c) { return deconv(c, 1); }
int32_t lc_lower_conv2d_transpose(lc_call *c) { return deconv(c, 2); }
int32_t lc_lower_conv3d_transpose(lc_call *c) { return deconv(c, 3); }
