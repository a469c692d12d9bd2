/*
 * graph_rules_nn.c: layers and activations of TFLite, said in TensorFlow.
 *
 * The layouts differ: a filter of TFLite is [out, height, width, in], one of TensorFlow [height, width, in, out]. The transposition is
 * written as a node; where the filter is a variable that was transposed the other way both fall away (lc_gd_transpose).
 */
#include "emit/graph_rules.h"

#include <string.h>

lc_str lc_gd_padding(int8_t padding) { return padding == LC_Padding_SAME ? LC_STR("SAME") : LC_STR("VALID"); }

static lc_gd_ref number(lc_gd_rule *e, lc_gd_ref like, double value) { return lc_gd_const_float(e->b, like.type, value); }

static lc_gd_ref clip(lc_gd_rule *e, lc_gd_ref x, double low, double high) {
    return LC_GD(e->b, Minimum, LC_GD(e->b, Maximum, x, number(e, x, low)), number(e, x, high));
}

lc_gd_ref lc_gd_activation(lc_gd_rule *e, lc_gd_ref x) {
    const int8_t *fused = lc_op_fused_act(e->node);
    const int8_t activation = fused ? *fused : LC_ActivationFunctionType_NONE;
    switch (activation) {
    case LC_ActivationFunctionType_NONE: return x;
    case LC_ActivationFunctionType_RELU: return LC_GD(e->b, Relu, x);
    case LC_ActivationFunctionType_RELU6: return LC_GD(e->b, Relu6, x);
    case LC_ActivationFunctionType_TANH: return LC_GD(e->b, Tanh, x);
    case LC_ActivationFunctionType_RELU_N1_TO_1: return clip(e, x, -1, 1);
    default: lc_gd_rule_fail(e, "its fused activation %d is none of TensorFlow", activation); return LC_GD_NONE;
    }
}

/* x + bias, where input k is the bias, if there is one. */
static void add_bias(lc_gd_rule *e, lc_gd_ref x, uint32_t k) {
    if (e->in_count > k && e->in[k].node >= 0) x = LC_GD(e->b, BiasAdd, x, e->in[k]);
    e->out[0] = x;
}

/* ---- products ----------------------------------------------------------------------------------------------------------- */

void lc_gd_rule_fully_connected(lc_gd_rule *e) {
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(e->node, FullyConnectedOptions);
    const lc_tensor *x = lc_gd_rule_in(e, 0), *w = lc_gd_rule_in(e, 1);
    static const int32_t swapped[] = {1, 0};
    lc_gd_ref a = e->in[0], y;
    /* A weight that was transposed for TFLite is taken as it was. */
    const lc_gd_ref turned = lc_gd_transpose(e->b, e->in[1], swapped, 2);
    const bool as_it_was = e->b->status == LC_OK && turned.node < e->in[1].node;
    const lc_gd_ref weight = as_it_was ? turned : e->in[1];
    if (w->rank != 2) {
        lc_gd_rule_fail(e, "its weights have %d dimensions, not 2", w->rank);
        return;
    }
    if (o->keep_num_dims && x->rank > 2) {
        y = LC_GD(e->b, BatchMatMulV2, a, weight);
        if (!as_it_was) lc_gd_bool(e->b, "adj_y", true);
    } else {
        if (x->rank != 2 || lc_tensor_dim(x, 1) != lc_tensor_dim(w, 1))
            a = lc_gd_reshape(e->b, a, (const int32_t[]){-1, lc_tensor_dim(w, 1)}, 2);
        y = LC_GD(e->b, MatMul, a, weight);
        if (!as_it_was) lc_gd_bool(e->b, "transpose_b", true);
    }
    add_bias(e, y, 2);
}

void lc_gd_rule_batch_matmul(lc_gd_rule *e) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(e->node, BatchMatMulOptions);
    lc_gd_rule_plain(e);
    lc_gd_bool(e->b, "adj_x", o->adj_x);
    lc_gd_bool(e->b, "adj_y", o->adj_y);
}

/* ---- convolutions ------------------------------------------------------------------------------------------------------- */

/* Attributes of four numbers: of the batch and the channels 1. */
static void put_strides(lc_gd_rule *e, const char *name, int32_t height, int32_t width) {
    lc_gd_ints(e->b, name, (const int64_t[]){1, height, width, 1}, 4);
}

void lc_gd_rule_conv(lc_gd_rule *e) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(e->node, Conv2DOptions);
    const lc_gd_ref filter = lc_gd_transpose(e->b, e->in[1], (const int32_t[]){1, 2, 3, 0}, 4);
    const lc_gd_ref y = LC_GD(e->b, Conv2D, e->in[0], filter);
    put_strides(e, "strides", o->stride_h, o->stride_w);
    put_strides(e, "dilations", o->dilation_h_factor, o->dilation_w_factor);
    lc_gd_text(e->b, "padding", lc_gd_padding(o->padding));
    add_bias(e, y, 2);
}

/* A filter [1, height, width, channels * multiplier]. TensorFlow's depthwise kernel steps as far down as right and knows no dilation: what
 * does otherwise becomes a convolution in groups of one channel, whose filter has the same order. */
void lc_gd_rule_depthwise(lc_gd_rule *e) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(e->node, DepthwiseConv2DOptions);
    const lc_tensor *x = lc_gd_rule_in(e, 0), *w = lc_gd_rule_in(e, 1);
    if (x->rank != 4 || w->rank != 4 || lc_tensor_dim(x, 3) < 1 || lc_tensor_dim(w, 3) % lc_tensor_dim(x, 3)) {
        lc_gd_rule_fail(e, "the number of its channels is not known");
        return;
    }
    const int32_t channels = lc_tensor_dim(x, 3), out = lc_tensor_dim(w, 3), height = lc_tensor_dim(w, 1), width = lc_tensor_dim(w, 2);
    const bool grouped = o->stride_h != o->stride_w || o->dilation_h_factor > 1 || o->dilation_w_factor > 1;
    const int32_t dims[] = {height, width, grouped ? 1 : channels, grouped ? out : out / channels};
    const lc_gd_ref filter = lc_gd_reshape(e->b, e->in[1], dims, 4);
    const lc_gd_ref y = lc_gd_put(e->b, grouped ? LC_GD_Conv2D : LC_GD_DepthwiseConv2dNative, (const lc_gd_ref[]){e->in[0], filter}, 2);
    put_strides(e, "strides", o->stride_h, o->stride_w);
    put_strides(e, "dilations", o->dilation_h_factor, o->dilation_w_factor);
    lc_gd_text(e->b, "padding", lc_gd_padding(o->padding));
    add_bias(e, y, 2);
}

void lc_gd_rule_transpose_conv(lc_gd_rule *e) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(e->node, TransposeConvOptions);
    const lc_gd_ref filter = lc_gd_transpose(e->b, e->in[1], (const int32_t[]){1, 2, 0, 3}, 4);
    const lc_gd_ref y = LC_GD(e->b, Conv2DBackpropInput, e->in[0], filter, e->in[2]);
    put_strides(e, "strides", o->stride_h, o->stride_w);
    lc_gd_text(e->b, "padding", lc_gd_padding(o->padding));
    add_bias(e, y, 3);
}

static void finish_conv3d(lc_gd_rule *e, lc_gd_ref y, uint32_t bias) {
    const lc_Conv3DOptions *o = LC_OP_ATTRS(e->node, Conv3DOptions);
    lc_gd_ints(e->b, "strides", (const int64_t[]){1, o->stride_d, o->stride_h, o->stride_w, 1}, 5);
    lc_gd_ints(e->b, "dilations", (const int64_t[]){1, o->dilation_d_factor, o->dilation_h_factor, o->dilation_w_factor, 1}, 5);
    lc_gd_text(e->b, "padding", lc_gd_padding(o->padding));
    add_bias(e, y, bias);
}

void lc_gd_rule_conv3d(lc_gd_rule *e) { finish_conv3d(e, LC_GD(e->b, Conv3D, e->in[0], e->in[1]), 2); }

void lc_gd_rule_conv3d_transpose(lc_gd_rule *e) { finish_conv3d(e, LC_GD(e->b, Conv3DBackpropInputV2, e->in[0], e->in[1], e->in[2]), 3); }

static void put_pool(lc_gd_rule *e, const lc_gd_ref *x) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(e->node, Pool2DOptions);
    if (e->op == LC_GD_AvgPool && x->type != LC_DT_FLOAT && x->type != LC_DT_HALF && x->type != LC_DT_DOUBLE && x->type != LC_DT_BFLOAT16) {
        lc_gd_rule_fail(e, "TensorFlow's averages are of floating-point numbers");
        return;
    }
    e->out[0] = lc_gd_put(e->b, e->op, x, 1);
    put_strides(e, "ksize", o->filter_height, o->filter_width);
    put_strides(e, "strides", o->stride_h, o->stride_w);
    lc_gd_text(e->b, "padding", lc_gd_padding(o->padding));
}

void lc_gd_rule_pool(lc_gd_rule *e) { put_pool(e, e->in); }

/* The root of the mean square. */
void lc_gd_rule_l2_pool(lc_gd_rule *e) {
    const lc_gd_ref square = LC_GD(e->b, Square, e->in[0]);
    put_pool(e, &square);
    e->out[0] = LC_GD(e->b, Sqrt, e->out[0]);
}

/* ---- activations -------------------------------------------------------------------------------------------------------- */

void lc_gd_rule_softmax(lc_gd_rule *e) {
    const float beta = LC_OP_ATTRS(e->node, SoftmaxOptions)->beta;
    const lc_gd_ref x = beta == 1 ? e->in[0] : LC_GD(e->b, Mul, e->in[0], number(e, e->in[0], beta));
    e->out[0] = LC_GD(e->b, Softmax, x);
}

void lc_gd_rule_leaky_relu(lc_gd_rule *e) {
    lc_gd_rule_plain(e);
    lc_gd_float(e->b, "alpha", LC_OP_ATTRS(e->node, LeakyReluOptions)->alpha);
}

/* relu(x) - alpha relu(-x) */
void lc_gd_rule_prelu(lc_gd_rule *e) {
    const lc_gd_ref negative = LC_GD(e->b, Relu, LC_GD(e->b, Neg, e->in[0]));
    e->out[0] = LC_GD(e->b, Sub, LC_GD(e->b, Relu, e->in[0]), LC_GD(e->b, Mul, e->in[1], negative));
}

/* x / 2 (1 + erf(x / sqrt 2)), or with tanh in place of erf. */
void lc_gd_rule_gelu(lc_gd_rule *e) {
    const lc_gd_ref x = e->in[0];
    lc_gd_ref s;
    if (LC_OP_ATTRS(e->node, GeluOptions)->approximate) {
        const lc_gd_ref cube = LC_GD(e->b, Mul, LC_GD(e->b, Mul, LC_GD(e->b, Square, x), x), number(e, x, 0.044715));
        s = LC_GD(e->b, Tanh, LC_GD(e->b, Mul, LC_GD(e->b, AddV2, x, cube), number(e, x, 0.7978845608028654)));
    } else {
        s = LC_GD(e->b, Erf, LC_GD(e->b, Mul, x, number(e, x, 0.7071067811865476)));
    }
    e->out[0] = LC_GD(e->b, Mul, LC_GD(e->b, Mul, x, number(e, x, 0.5)), LC_GD(e->b, AddV2, s, number(e, x, 1)));
}

/* x relu6(x + 3) / 6 */
void lc_gd_rule_hard_swish(lc_gd_rule *e) {
    const lc_gd_ref x = e->in[0], gate = LC_GD(e->b, Relu6, LC_GD(e->b, AddV2, x, number(e, x, 3)));
    e->out[0] = LC_GD(e->b, Mul, LC_GD(e->b, Mul, x, gate), number(e, x, 1.0 / 6));
}

void lc_gd_rule_clip(lc_gd_rule *e) { e->out[0] = clip(e, e->in[0], e->op == LC_GD_Maximum ? -1 : 0, 1); }

/* ---- normalisation ------------------------------------------------------------------------------------------------------ */

void lc_gd_rule_l2_norm(lc_gd_rule *e) {
    const lc_gd_ref x = e->in[0], square = LC_GD(e->b, Square, x);
    const lc_gd_ref sum = LC_GD(e->b, Sum, square, lc_gd_const_int(e->b, -1));
    lc_gd_bool(e->b, "keep_dims", true);
    const lc_gd_ref length = LC_GD(e->b, Rsqrt, LC_GD(e->b, Maximum, sum, number(e, x, 1e-12)));
    e->out[0] = LC_GD(e->b, Mul, x, length);
}

void lc_gd_rule_lrn(lc_gd_rule *e) {
    const lc_LocalResponseNormalizationOptions *o = LC_OP_ATTRS(e->node, LocalResponseNormalizationOptions);
    lc_gd_rule_plain(e);
    lc_gd_int(e->b, "depth_radius", o->radius);
    lc_gd_float(e->b, "bias", o->bias);
    lc_gd_float(e->b, "alpha", o->alpha);
    lc_gd_float(e->b, "beta", o->beta);
}

/* ---- pictures ----------------------------------------------------------------------------------------------------------- */

static void put_resize(lc_gd_rule *e, bool align_corners, bool half_pixel_centers) {
    if (align_corners && half_pixel_centers) {
        lc_gd_rule_fail(e, "it aligns corners and takes half pixels, TensorFlow does one of both");
        return;
    }
    lc_gd_rule_plain(e);
    lc_gd_bool(e->b, "align_corners", align_corners);
    lc_gd_bool(e->b, "half_pixel_centers", half_pixel_centers);
}

void lc_gd_rule_resize_bilinear(lc_gd_rule *e) {
    const lc_ResizeBilinearOptions *o = LC_OP_ATTRS(e->node, ResizeBilinearOptions);
    if (e->in[0].type == LC_DT_FLOAT) put_resize(e, o->align_corners, o->half_pixel_centers);
    else lc_gd_rule_fail(e, "TensorFlow gives float32, whatever it is given");
}

void lc_gd_rule_resize_nearest(lc_gd_rule *e) {
    const lc_ResizeNearestNeighborOptions *o = LC_OP_ATTRS(e->node, ResizeNearestNeighborOptions);
    put_resize(e, o->align_corners, o->half_pixel_centers);
}

/* ---- training and chance ------------------------------------------------------------------------------------------------ */

void lc_gd_rule_fake_quant(lc_gd_rule *e) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(e->node, FakeQuantOptions);
    lc_gd_rule_plain(e);
    lc_gd_float(e->b, "min", o->min);
    lc_gd_float(e->b, "max", o->max);
    lc_gd_int(e->b, "num_bits", o->num_bits);
    lc_gd_bool(e->b, "narrow_range", o->narrow_range);
}

void lc_gd_rule_random(lc_gd_rule *e) {
    const lc_RandomOptions *o = LC_OP_ATTRS(e->node, RandomOptions);
    lc_gd_rule_plain(e);
    lc_gd_type(e->b, "dtype", lc_pb_data_type(lc_gd_rule_out(e, 0)->type));
    lc_gd_int(e->b, "seed", o->seed);
    lc_gd_int(e->b, "seed2", o->seed2);
}
