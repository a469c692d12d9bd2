/*
 * test_pass.c: every rewrite. A case builds a graph; it is built twice, one of the two is optimised. The optimised one must have
 * exactly the operators the case names, keep the output's name, hold the invariants of ir.h, and compute the same.
 */
#include "kernels/kernel.h"
#include "ops/build.h"
#include "pass/pass.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONE LC_ActivationFunctionType_NONE

/* Deterministic values around 0.5, so that scales are never near 0. */
static float value(uint32_t i) { return 0.25f + 0.5f * (float)((i * 2654435761u) >> 20) / 4096.0f; }

static int32_t constant(lc_builder *b, const char *name, const int32_t *dims, int32_t rank) {
    size_t n = 1;
    for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
    float *data = lc_build_data(b, n * sizeof *data);
    if (!data) return -1;
    for (size_t i = 0; i < n; i++) data[i] = value((uint32_t)i + (uint32_t)name[0] * 131u);
    return lc_build_const(b, name, LC_FLOAT32, dims, rank, data, n * sizeof *data, true);
}

static int32_t vector(lc_builder *b, const char *name, int32_t n) { return constant(b, name, &n, 1); }

static int32_t conv(lc_builder *b, int32_t x, int32_t in, int32_t out, int32_t kernel, int32_t stride, int8_t padding, bool bias) {
    const lc_Conv2DOptions o = {.padding = padding, .stride_w = stride, .stride_h = stride, .dilation_w_factor = 1, .dilation_h_factor = 1};
    const int32_t dims[] = {out, kernel, kernel, in};
    const int32_t inputs[] = {x, constant(b, "filter", dims, 4), bias ? vector(b, "bias", out) : LC_ABSENT};
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, inputs, bias ? 3 : 2);
}

static int32_t depthwise(lc_builder *b, int32_t x, int32_t channels, int32_t kernel, int32_t stride, int8_t padding) {
    const lc_DepthwiseConv2DOptions o = {
        .padding = padding, .stride_w = stride, .stride_h = stride, .depth_multiplier = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    const int32_t dims[] = {1, kernel, kernel, channels};
    const int32_t inputs[] = {x, constant(b, "filter", dims, 4), vector(b, "bias", channels)};
    return lc_build_op(b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, &o, inputs, 3);
}

static int32_t dense(lc_builder *b, int32_t x, int32_t in, int32_t out, bool bias) {
    const int32_t dims[] = {out, in};
    const int32_t inputs[] = {x, constant(b, "kernel", dims, 2), bias ? vector(b, "bias", out) : LC_ABSENT};
    return lc_build_op(b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, inputs, bias ? 3 : 2);
}

static int32_t batch_norm(lc_builder *b, int32_t x, int32_t channels) {
    const int32_t y = lc_build_binary(b, LC_OP_MUL, x, vector(b, "scale", channels), NONE);
    return lc_build_binary(b, LC_OP_ADD, y, vector(b, "offset", channels), NONE);
}

static int32_t pad(lc_builder *b, int32_t x, int32_t top, int32_t bottom, int32_t left, int32_t right) {
    const int32_t pads[] = {0, 0, top, bottom, left, right, 0, 0};
    const int32_t inputs[] = {x, lc_build_int_matrix(b, "pads", pads, 4, 2)};
    return lc_build_op(b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, inputs, 2);
}

/* ---- cases: name, input shape, what is built, what must remain -------------------------------------------------- */

static int32_t conv_bn_relu(lc_builder *b, int32_t x) {
    return lc_build_unary(b, LC_OP_RELU, batch_norm(b, conv(b, x, 3, 5, 3, 1, LC_Padding_SAME, false), 5));
}
static int32_t conv_bias_bn_relu6(lc_builder *b, int32_t x) {
    return lc_build_unary(b, LC_OP_RELU6, batch_norm(b, conv(b, x, 3, 5, 3, 2, LC_Padding_VALID, true), 5));
}
/* A reshape between them: one that keeps the channels, one that does not. */
static int32_t conv_reshape_bn_relu(lc_builder *b, int32_t x) {
    const int32_t rows[] = {-1, 64, 5};
    const int32_t y = lc_build_reshape(b, conv(b, x, 3, 5, 3, 1, LC_Padding_SAME, true), rows, 3);
    return lc_build_unary(b, LC_OP_RELU, batch_norm(b, y, 5));
}
static int32_t conv_flatten_bn(lc_builder *b, int32_t x) {
    const int32_t flat[] = {-1, 320};
    return batch_norm(b, lc_build_reshape(b, conv(b, x, 3, 5, 3, 1, LC_Padding_SAME, true), flat, 2), 320);
}
static int32_t conv_reshape_read_twice(lc_builder *b, int32_t x) {
    const int32_t rows[] = {-1, 64, 5}, y = conv(b, x, 3, 5, 3, 1, LC_Padding_SAME, true);
    const int32_t z = batch_norm(b, lc_build_reshape(b, y, rows, 3), 5);
    const int32_t other = lc_build_reshape(b, lc_build_unary(b, LC_OP_TANH, y), rows, 3);
    return lc_build_binary(b, LC_OP_ADD, z, other, NONE);
}
static int32_t depthwise_bn(lc_builder *b, int32_t x) { return batch_norm(b, depthwise(b, x, 3, 3, 1, LC_Padding_SAME), 3); }
static int32_t dense_bn(lc_builder *b, int32_t x) { return batch_norm(b, dense(b, x, 6, 4, true), 4); }
static int32_t dense_scalar(lc_builder *b, int32_t x) {
    int32_t y = lc_build_with_scalar(b, LC_OP_MUL, dense(b, x, 6, 4, false), "half", 0.5f);
    y = lc_build_with_scalar(b, LC_OP_DIV, y, "three", 3.0f);
    return lc_build_with_scalar(b, LC_OP_SUB, y, "two", 2.0f);
}
static int32_t minus_dense(lc_builder *b, int32_t x) {
    return lc_build_binary(b, LC_OP_SUB, vector(b, "c", 4), dense(b, x, 6, 4, true), NONE);
}
static int32_t constant_over_dense(lc_builder *b, int32_t x) {
    return lc_build_binary(b, LC_OP_DIV, vector(b, "c", 4), dense(b, x, 6, 4, true), NONE);
}
/* The convolution's output is read twice: neither batch norm nor relu may go into it. */
static int32_t conv_read_twice(lc_builder *b, int32_t x) {
    const int32_t y = conv(b, x, 3, 5, 1, 1, LC_Padding_SAME, true);
    const int32_t relu = lc_build_unary(b, LC_OP_RELU, y), norm = batch_norm(b, y, 5);
    return lc_build_binary(b, LC_OP_ADD, relu, norm, NONE);
}
/* An activation between convolution and batch norm keeps them apart. */
static int32_t conv_relu_bn(lc_builder *b, int32_t x) {
    return batch_norm(b, lc_build_unary(b, LC_OP_RELU, conv(b, x, 3, 5, 1, 1, LC_Padding_SAME, true)), 5);
}
static int32_t relu_after_add(lc_builder *b, int32_t x) {
    return lc_build_unary(b, LC_OP_RELU, lc_build_binary(b, LC_OP_ADD, x, lc_build_unary(b, LC_OP_TANH, x), NONE));
}
static int32_t tanh_stays(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_TANH, dense(b, x, 6, 4, true)); }
static int32_t one_weight_two_convs(lc_builder *b, int32_t x) {
    const lc_Conv2DOptions o = {.padding = LC_Padding_SAME, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    const int32_t dims[] = {3, 1, 1, 3};
    const int32_t filter = constant(b, "filter", dims, 4);
    const int32_t first[] = {x, filter};
    const int32_t y = batch_norm(b, lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, first, 2), 3);
    const int32_t second[] = {y, filter};
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, second, 2);
}
/* channels_first: convolutions between transposes, with a batch norm per channel of dimension 1 in the middle. */
static int32_t to_last(lc_builder *b, int32_t x) { return lc_build_transpose(b, x, (const int32_t[]){0, 2, 3, 1}, 4); }
static int32_t to_first(lc_builder *b, int32_t x) { return lc_build_transpose(b, x, (const int32_t[]){0, 3, 1, 2}, 4); }
static int32_t first_bn(lc_builder *b, int32_t x, int32_t channels) {
    const int32_t dims[] = {channels, 1, 1};
    const int32_t y = lc_build_binary(b, LC_OP_MUL, x, constant(b, "scale", dims, 3), NONE);
    return lc_build_binary(b, LC_OP_ADD, y, constant(b, "offset", dims, 3), NONE);
}
static int32_t channels_first(lc_builder *b, int32_t x) {
    int32_t y = to_first(b, conv(b, to_last(b, to_first(b, x)), 3, 5, 3, 1, LC_Padding_SAME, true));
    y = lc_build_unary(b, LC_OP_RELU, first_bn(b, y, 5));
    return conv(b, to_last(b, y), 5, 2, 1, 1, LC_Padding_SAME, true);
}
/* Two branches transposed alike meet in an ADD; a constant that differs along every dimension is turned with it. */
static int32_t transposed_branches(lc_builder *b, int32_t x) {
    const int32_t dims[] = {3, 8, 1};
    const int32_t p = to_first(b, lc_build_unary(b, LC_OP_TANH, x)), q = to_first(b, lc_build_unary(b, LC_OP_EXP, x));
    const int32_t y = lc_build_binary(b, LC_OP_SUB, constant(b, "c", dims, 3), lc_build_binary(b, LC_OP_ADD, p, q, NONE), NONE);
    return to_last(b, y);
}
/* The transposed tensor is read twice, or the operator makes it larger: nothing moves. */
static int32_t transpose_read_twice(lc_builder *b, int32_t x) {
    const int32_t t = to_first(b, x);
    const int32_t p = lc_build_unary(b, LC_OP_TANH, t), q = lc_build_unary(b, LC_OP_EXP, t);
    return lc_build_binary(b, LC_OP_ADD, p, q, NONE);
}
static int32_t transpose_grows(lc_builder *b, int32_t x) {
    const int32_t dims[] = {2, 1, 1, 1, 1};
    return lc_build_binary(b, LC_OP_ADD, to_first(b, x), constant(b, "c", dims, 5), NONE);
}
static int32_t mobilenet_pad(lc_builder *b, int32_t x) { return conv(b, pad(b, x, 0, 1, 0, 1), 3, 4, 3, 2, LC_Padding_VALID, true); }
static int32_t mobilenet_pad_depthwise(lc_builder *b, int32_t x) { return depthwise(b, pad(b, x, 0, 1, 0, 1), 3, 3, 2, LC_Padding_VALID); }
static int32_t symmetric_pad_stays(lc_builder *b, int32_t x) { return conv(b, pad(b, x, 1, 1, 1, 1), 3, 4, 3, 2, LC_Padding_VALID, true); }
static int32_t symmetric_pad_stride_1(lc_builder *b, int32_t x) {
    return conv(b, pad(b, x, 1, 1, 1, 1), 3, 4, 3, 1, LC_Padding_VALID, true);
}
/* SAME puts the odd row behind, this puts it in front. */
static int32_t pad_in_front_stays(lc_builder *b, int32_t x) { return conv(b, pad(b, x, 1, 0, 1, 0), 3, 4, 3, 2, LC_Padding_VALID, true); }
static int32_t transposes_cancel(lc_builder *b, int32_t x) {
    const int32_t there[] = {0, 3, 1, 2}, back[] = {0, 2, 3, 1};
    return lc_build_unary(b, LC_OP_RELU, lc_build_transpose(b, lc_build_transpose(b, x, there, 4), back, 4));
}
static int32_t transposes_join(lc_builder *b, int32_t x) {
    const int32_t there[] = {0, 3, 1, 2};
    return lc_build_transpose(b, lc_build_transpose(b, x, there, 4), there, 4);
}
static int32_t reshapes_join(lc_builder *b, int32_t x) {
    const int32_t flat[] = {-1, 192}, square[] = {-1, 8, 24};
    return lc_build_reshape(b, lc_build_reshape(b, x, flat, 2), square, 3);
}
static int32_t reshape_away_and_back(lc_builder *b, int32_t x) {
    const int32_t flat[] = {-1, 192}, image[] = {-1, 8, 8, 3};
    return lc_build_unary(b, LC_OP_RELU, lc_build_reshape(b, lc_build_reshape(b, x, flat, 2), image, 4));
}
static int32_t neutral_arithmetic(lc_builder *b, int32_t x) {
    int32_t y = lc_build_with_scalar(b, LC_OP_MUL, lc_build_unary(b, LC_OP_TANH, x), "one", 1.0f);
    y = lc_build_with_scalar(b, LC_OP_ADD, y, "zero", 0.0f);
    y = lc_build_with_scalar(b, LC_OP_SUB, y, "zero", 0.0f);
    return lc_build_unary(b, LC_OP_ABS, lc_build_with_scalar(b, LC_OP_DIV, y, "one", 1.0f));
}
static int32_t nothing_but_noop(lc_builder *b, int32_t x) { return lc_build_with_scalar(b, LC_OP_MUL, x, "one", 1.0f); }
static int32_t constant_branch(lc_builder *b, int32_t x) {
    const int32_t c = lc_build_unary(b, LC_OP_SQRT, lc_build_binary(b, LC_OP_ADD, vector(b, "a", 6), vector(b, "b", 6), NONE));
    return lc_build_binary(b, LC_OP_SUB, lc_build_unary(b, LC_OP_TANH, x), c, NONE);
}
static int32_t dead_branch(lc_builder *b, int32_t x) {
    lc_build_unary(b, LC_OP_EXP, lc_build_unary(b, LC_OP_NEG, x));
    return lc_build_unary(b, LC_OP_TANH, x);
}

static int32_t rescale_conv(lc_builder *b, int32_t x) {
    int32_t y = lc_build_with_scalar(b, LC_OP_MUL, x, "scale", 0.25f);
    y = lc_build_with_scalar(b, LC_OP_ADD, y, "offset", -0.5f);
    return conv(b, y, 3, 5, 3, 1, LC_Padding_VALID, false);
}
/* SAME padding puts zeros where the offset should be: the scale goes in, the offset stays. */
static int32_t rescale_conv_same(lc_builder *b, int32_t x) {
    int32_t y = lc_build_with_scalar(b, LC_OP_ADD, x, "offset", -0.5f);
    y = lc_build_with_scalar(b, LC_OP_MUL, y, "scale", 0.25f);
    return conv(b, y, 3, 5, 3, 1, LC_Padding_SAME, true);
}
static int32_t channels_conv(lc_builder *b, int32_t x) { return conv(b, batch_norm(b, x, 3), 3, 5, 1, 1, LC_Padding_SAME, true); }
static int32_t channels_depthwise(lc_builder *b, int32_t x) { return depthwise(b, batch_norm(b, x, 3), 3, 3, 1, LC_Padding_VALID); }
static int32_t channels_dense(lc_builder *b, int32_t x) { return dense(b, batch_norm(b, x, 6), 6, 4, false); }
static int32_t minus_before_dense(lc_builder *b, int32_t x) {
    return dense(b, lc_build_binary(b, LC_OP_SUB, vector(b, "c", 6), x, NONE), 6, 4, true);
}
/* With a relu between them, or another reader, the scale stays. */
static int32_t relu_before_dense(lc_builder *b, int32_t x) {
    return dense(b, lc_build_unary(b, LC_OP_RELU, lc_build_with_scalar(b, LC_OP_MUL, x, "scale", 0.25f)), 6, 4, true);
}
static int32_t scale_read_twice(lc_builder *b, int32_t x) {
    const int32_t y = lc_build_with_scalar(b, LC_OP_MUL, x, "scale", 0.25f);
    const int32_t z = dense(b, y, 6, 6, true);
    return lc_build_binary(b, LC_OP_MAXIMUM, z, y, NONE);
}
/* x + y and y + x are one; x - y and y - x are not. */
static int32_t operands_swapped(lc_builder *b, int32_t x) {
    const int32_t y = lc_build_unary(b, LC_OP_TANH, x);
    const int32_t sums =
        lc_build_binary(b, LC_OP_MUL, lc_build_binary(b, LC_OP_ADD, x, y, NONE), lc_build_binary(b, LC_OP_ADD, y, x, NONE), NONE);
    const int32_t away = lc_build_binary(b, LC_OP_SUB, x, y, NONE);
    return lc_build_binary(b, LC_OP_MAXIMUM, sums, lc_build_binary(b, LC_OP_DIV, away, lc_build_binary(b, LC_OP_SUB, y, x, NONE), NONE),
                           NONE);
}
static int32_t same_layer_twice(lc_builder *b, int32_t x) {
    const int32_t first = lc_build_unary(b, LC_OP_EXP, lc_build_unary(b, LC_OP_TANH, x));
    const int32_t second = lc_build_unary(b, LC_OP_EXP, lc_build_unary(b, LC_OP_TANH, x));
    return lc_build_binary(b, LC_OP_SUB, first, second, NONE);
}
static int32_t other_options_stay(lc_builder *b, int32_t x) {
    const lc_LeakyReluOptions one = {.alpha = 0.1f}, two = {.alpha = 0.2f};
    const int32_t first = lc_build_op(b, LC_OP_LEAKY_RELU, LC_TABLE_LeakyReluOptions, &one, &x, 1);
    const int32_t second = lc_build_op(b, LC_OP_LEAKY_RELU, LC_TABLE_LeakyReluOptions, &two, &x, 1);
    return lc_build_binary(b, LC_OP_SUB, first, second, NONE);
}

/* ---- functions known by what they compute ------------------------------------------------------------------------ */

static int32_t with(lc_builder *b, int32_t op, int32_t x, float v) { return lc_build_with_scalar(b, op, x, "c", v); }
static int32_t binary(lc_builder *b, int32_t op, int32_t x, int32_t y) { return lc_build_binary(b, op, x, y, NONE); }
static int32_t gelu_form(lc_builder *b, int32_t x, float factor) {
    x = lc_build_unary(b, LC_OP_TANH, x);
    const int32_t square = binary(b, LC_OP_MUL, x, x), cube = with(b, LC_OP_MUL, binary(b, LC_OP_MUL, square, x), 0.044715f);
    const int32_t inner = lc_build_unary(b, LC_OP_TANH, with(b, LC_OP_MUL, binary(b, LC_OP_ADD, x, cube), 0.7978845608f));
    const int32_t half = with(b, LC_OP_MUL, x, factor);
    return binary(b, LC_OP_MUL, half, with(b, LC_OP_ADD, inner, 1));
}
static int32_t gelu_tanh(lc_builder *b, int32_t x) { return gelu_form(b, x, 0.5f); }
/* The same with another constant is another function. */
static int32_t nearly_gelu(lc_builder *b, int32_t x) { return gelu_form(b, x, 0.501f); }
static int32_t hard_swish(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_MUL, x, with(b, LC_OP_DIV, lc_build_unary(b, LC_OP_RELU6, with(b, LC_OP_ADD, x, 3)), 6));
}
/* Somebody reads what would go. */
static int32_t hard_swish_and_gate(lc_builder *b, int32_t x) {
    const int32_t gate = with(b, LC_OP_DIV, lc_build_unary(b, LC_OP_RELU6, with(b, LC_OP_ADD, x, 3)), 6);
    const int32_t base = lc_build_unary(b, LC_OP_EXP, gate);
    return binary(b, LC_OP_POW, base, binary(b, LC_OP_MUL, x, gate));
}
static int32_t sigmoid_by_exp(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_DIV, lc_build_scalar(b, "one", 1),
                  with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_EXP, lc_build_unary(b, LC_OP_NEG, x)), 1));
}
static int32_t leaky_by_maximum(lc_builder *b, int32_t x) { return binary(b, LC_OP_MAXIMUM, x, with(b, LC_OP_MUL, x, 0.1f)); }
static int32_t leaky_by_where(lc_builder *b, int32_t x) {
    return lc_build_select(b, with(b, LC_OP_GREATER, x, 0), x, with(b, LC_OP_MUL, x, 0.3f));
}
static int32_t clipped(lc_builder *b, int32_t x) { return with(b, LC_OP_MINIMUM, with(b, LC_OP_MAXIMUM, x, 0), 6); }
static int32_t clipped_elsewhere(lc_builder *b, int32_t x) { return with(b, LC_OP_MINIMUM, with(b, LC_OP_MAXIMUM, x, 0), 5); }
static int32_t prelu(lc_builder *b, int32_t x) {
    const int32_t negative = lc_build_unary(b, LC_OP_RELU, lc_build_unary(b, LC_OP_NEG, x));
    return binary(b, LC_OP_SUB, lc_build_unary(b, LC_OP_RELU, x), binary(b, LC_OP_MUL, negative, vector(b, "slope", 3)));
}
/* facenet's: relu(x) + a (x - |x|) / 2 */
static int32_t prelu_by_abs(lc_builder *b, int32_t x) {
    const int32_t negative = binary(b, LC_OP_SUB, x, lc_build_unary(b, LC_OP_ABS, x));
    return binary(b, LC_OP_ADD, lc_build_unary(b, LC_OP_RELU, x),
                  with(b, LC_OP_MUL, binary(b, LC_OP_MUL, negative, vector(b, "slope", 3)), 0.5f));
}
/* The slope differs from the offset: no PRELU. */
static int32_t two_vectors(lc_builder *b, int32_t x) {
    const int32_t y = binary(b, LC_OP_ADD, lc_build_unary(b, LC_OP_RELU, x), vector(b, "a", 3));
    return binary(b, LC_OP_MAXIMUM, y, binary(b, LC_OP_MUL, x, vector(b, "slope", 3)));
}

/* ---- norms, dilation, chains --------------------------------------------------------------------------------------- */

static int32_t square_sum(lc_builder *b, int32_t x, int32_t axis, bool by_mul) {
    const int32_t square = by_mul ? binary(b, LC_OP_MUL, x, x) : lc_build_unary(b, LC_OP_SQUARE, x);
    return lc_build_reduce(b, LC_OP_SUM, square, &axis, 1, true);
}
static int32_t l2_by_rsqrt(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_MUL, x, lc_build_unary(b, LC_OP_RSQRT, with(b, LC_OP_MAXIMUM, square_sum(b, x, 1, false), 1e-12f)));
}
static int32_t l2_by_div(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_DIV, x, with(b, LC_OP_MAXIMUM, lc_build_unary(b, LC_OP_SQRT, square_sum(b, x, -1, true)), 1e-7f));
}
static int32_t l2_large_epsilon(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_MUL, x, lc_build_unary(b, LC_OP_RSQRT, with(b, LC_OP_MAXIMUM, square_sum(b, x, 1, false), 0.01f)));
}
static int32_t l2_other_axis(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_MUL, x, lc_build_unary(b, LC_OP_RSQRT, with(b, LC_OP_MAXIMUM, square_sum(b, x, 2, false), 1e-12f)));
}
static int32_t matmul(lc_builder *b, int32_t x, int32_t y, bool adj_x, bool adj_y) {
    const lc_BatchMatMulOptions o = {.adj_x = adj_x, .adj_y = adj_y};
    const int32_t in[] = {x, y};
    return lc_build_op(b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2);
}
static const int32_t swap_last[] = {0, 1, 3, 2}, swap_middle[] = {0, 2, 1, 3};
static int32_t matmul_turned(lc_builder *b, int32_t x) {
    return matmul(b, x, lc_build_transpose(b, lc_build_unary(b, LC_OP_TANH, x), swap_last, 4), false, false);
}
static int32_t matmul_both_turned(lc_builder *b, int32_t x) {
    return matmul(b, lc_build_transpose(b, x, swap_last, 4), lc_build_transpose(b, lc_build_unary(b, LC_OP_TANH, x), swap_last, 4), false,
                  true);
}
static int32_t matmul_other_turn(lc_builder *b, int32_t x) {
    return matmul(b, x, lc_build_transpose(b, lc_build_unary(b, LC_OP_TANH, x), swap_middle, 4), false, true);
}
static int32_t blocks(lc_builder *b, int32_t op, int32_t x, int32_t by, const int32_t *margins) {
    const int32_t block[] = {by, by};
    const int32_t in[] = {x, lc_build_ints(b, "block", block, 2), lc_build_int_matrix(b, "margins", margins, 2, 2)};
    const lc_table_id table = op == LC_OP_SPACE_TO_BATCH_ND ? LC_TABLE_SpaceToBatchNDOptions : LC_TABLE_BatchToSpaceNDOptions;
    return lc_build_op(b, op, table, NULL, in, 3);
}
static int32_t dilated(lc_builder *b, int32_t x, const int32_t *pads, const int32_t *crops, int8_t padding) {
    x = conv(b, blocks(b, LC_OP_SPACE_TO_BATCH_ND, x, 2, pads), 3, 4, 3, 1, padding, true);
    return lc_build_unary(b, LC_OP_RELU, blocks(b, LC_OP_BATCH_TO_SPACE_ND, x, 2, crops));
}
static int32_t dilated_same(lc_builder *b, int32_t x) {
    return dilated(b, x, (const int32_t[]){2, 2, 2, 2}, (const int32_t[]){0, 0, 0, 0}, LC_Padding_VALID);
}
static int32_t dilated_valid(lc_builder *b, int32_t x) {
    return dilated(b, x, (const int32_t[]){0, 2, 0, 0}, (const int32_t[]){0, 2, 0, 0}, LC_Padding_VALID);
}
static int32_t dilated_padded(lc_builder *b, int32_t x) {
    return dilated(b, x, (const int32_t[]){4, 2, 1, 3}, (const int32_t[]){1, 0, 0, 1}, LC_Padding_VALID);
}
/* Padding within the blocks is another thing, and so is cropping more than was padded. */
static int32_t not_dilated_same(lc_builder *b, int32_t x) {
    return dilated(b, x, (const int32_t[]){0, 0, 0, 0}, (const int32_t[]){0, 0, 0, 0}, LC_Padding_SAME);
}
static int32_t not_dilated_crop(lc_builder *b, int32_t x) {
    return dilated(b, x, (const int32_t[]){2, 2, 2, 2}, (const int32_t[]){3, 0, 0, 0}, LC_Padding_VALID);
}
static int32_t chain_of_shifts(lc_builder *b, int32_t x) {
    x = binary(b, LC_OP_SUB, with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_TANH, x), 2), vector(b, "a", 6));
    return with(b, LC_OP_ADD, x, -1);
}
static int32_t chain_of_scales(lc_builder *b, int32_t x) {
    return binary(b, LC_OP_MUL, with(b, LC_OP_MUL, lc_build_unary(b, LC_OP_TANH, x), 2), vector(b, "a", 6));
}
/* Squeeze and excitation; other ones; reduced over another dimension. */
static int32_t reduced_to(lc_builder *b, int32_t x, const int32_t *axes, uint32_t n, const int32_t *dims, int32_t rank) {
    return lc_build_reshape(b, lc_build_reduce(b, LC_OP_MEAN, x, axes, n, false), dims, rank);
}
static int32_t mean_kept(lc_builder *b, int32_t x) {
    lc_shape s;
    lc_build_shape(b, x, &s);
    return reduced_to(b, x, (int32_t[]){1, 2}, 2, (int32_t[]){-1, 1, 1, s.dims[3]}, 4);
}
static int32_t mean_elsewhere(lc_builder *b, int32_t x) {
    lc_shape s;
    lc_build_shape(b, x, &s);
    return reduced_to(b, x, (int32_t[]){1, 2}, 2, (int32_t[]){-1, 1, s.dims[3], 1}, 4);
}

/* 2^23 is added and taken away to round; a relu between; a division. */
static int32_t rounding_trick(lc_builder *b, int32_t x) { return with(b, LC_OP_SUB, with(b, LC_OP_ADD, x, 8388608.0f), 8388608.0f); }
static int32_t float8_trick(lc_builder *b, int32_t x) { return with(b, LC_OP_SUB, with(b, LC_OP_ADD, x, 24576.0f), 24576.0f); }
static int32_t far_and_back(lc_builder *b, int32_t x) { return with(b, LC_OP_ADD, with(b, LC_OP_SUB, x, 2000.0f), 500.0f); }
static int32_t relu_between(lc_builder *b, int32_t x) {
    return with(b, LC_OP_ADD, lc_build_unary(b, LC_OP_RELU, with(b, LC_OP_ADD, x, 2)), 1);
}
static int32_t division_stays(lc_builder *b, int32_t x) { return with(b, LC_OP_DIV, with(b, LC_OP_MUL, x, 2), 3); }
static int32_t conv3d(lc_builder *b, int32_t x) {
    const lc_Conv3DOptions o = {.padding = LC_Padding_SAME,
                                .stride_d = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_d_factor = 1,
                                .dilation_h_factor = 1,
                                .dilation_w_factor = 1};
    const int32_t cube[] = {-1, 2, 4, 8, 3}, dims[] = {2, 1, 2, 3, 5},
                  in[] = {lc_build_reshape(b, x, cube, 5), constant(b, "filter", dims, 5)};
    return lc_build_unary(b, LC_OP_RELU, batch_norm(b, lc_build_op(b, LC_OP_CONV_3D, LC_TABLE_Conv3DOptions, &o, in, 2), 5));
}
/* What is done before it stays: its weights lie otherwise. */
static int32_t rescale_conv3d(lc_builder *b, int32_t x) { return conv3d(b, with(b, LC_OP_MUL, x, 0.5f)); }

typedef struct pass_case {
    const char *name;
    int32_t (*build)(lc_builder *b, int32_t x);
    int32_t dims[4], rank;
    const char *remains; /* operators left, with @<activation> when fused */
} pass_case;

#define IMAGE {-1, 8, 8, 3}, 4
#define ROW {-1, 6}, 2

static const pass_case cases[] = {
    {"conv + batch norm + relu", conv_bn_relu, IMAGE, "CONV_2D@1"},
    {"conv with bias + batch norm + relu6", conv_bias_bn_relu6, IMAGE, "CONV_2D@3"},
    {"conv, reshape, batch norm + relu", conv_reshape_bn_relu, IMAGE, "CONV_2D@1 RESHAPE"},
    {"conv, flatten, batch norm", conv_flatten_bn, IMAGE, "CONV_2D RESHAPE MUL ADD"},
    {"conv read before the reshape", conv_reshape_read_twice, IMAGE, "CONV_2D RESHAPE MUL ADD TANH RESHAPE ADD"},
    {"depthwise + batch norm", depthwise_bn, IMAGE, "DEPTHWISE_CONV_2D"},
    {"dense + batch norm", dense_bn, ROW, "FULLY_CONNECTED"},
    {"dense, scalars", dense_scalar, ROW, "FULLY_CONNECTED"},
    {"constant - dense", minus_dense, ROW, "FULLY_CONNECTED"},
    {"constant / dense", constant_over_dense, ROW, "FULLY_CONNECTED DIV"},
    {"conv read twice", conv_read_twice, IMAGE, "CONV_2D RELU MUL ADD ADD"},
    {"conv, relu, batch norm", conv_relu_bn, IMAGE, "CONV_2D@1 MUL ADD"},
    {"add + relu", relu_after_add, ROW, "TANH ADD@1"},
    {"tanh is not fused", tanh_stays, ROW, "FULLY_CONNECTED TANH"},
    {"channels first", channels_first, IMAGE, "CONV_2D@1 CONV_2D"},
    {"transposed branches", transposed_branches, IMAGE, "TANH EXP ADD SUB"},
    {"transpose read twice", transpose_read_twice, IMAGE, "TRANSPOSE TANH EXP ADD"},
    {"transpose, then broadcast", transpose_grows, IMAGE, "TRANSPOSE ADD"},
    {"one filter, two convolutions", one_weight_two_convs, IMAGE, "CONV_2D CONV_2D"},
    {"pad before a stride-2 conv", mobilenet_pad, IMAGE, "CONV_2D"},
    {"pad before a stride-2 depthwise", mobilenet_pad_depthwise, IMAGE, "DEPTHWISE_CONV_2D"},
    {"symmetric pad, stride 2", symmetric_pad_stays, IMAGE, "PAD CONV_2D"},
    {"pad in front, stride 2", pad_in_front_stays, IMAGE, "PAD CONV_2D"},
    {"symmetric pad, stride 1", symmetric_pad_stride_1, IMAGE, "CONV_2D"},
    {"transposes cancel", transposes_cancel, IMAGE, "RELU"},
    {"transposes join", transposes_join, IMAGE, "TRANSPOSE"},
    {"reshapes join", reshapes_join, IMAGE, "RESHAPE"},
    {"reshape away and back", reshape_away_and_back, IMAGE, "RELU"},
    {"neutral arithmetic", neutral_arithmetic, ROW, "TANH ABS"},
    {"an output needs its operator", nothing_but_noop, ROW, "MUL"},
    {"constant branch", constant_branch, ROW, "TANH SUB"},
    {"rescaling before a conv", rescale_conv, IMAGE, "CONV_2D"},
    {"rescaling before a padded conv", rescale_conv_same, IMAGE, "ADD CONV_2D"},
    {"batch norm before a 1x1 conv", channels_conv, IMAGE, "CONV_2D"},
    {"batch norm before a depthwise", channels_depthwise, IMAGE, "DEPTHWISE_CONV_2D"},
    {"batch norm before a dense", channels_dense, ROW, "FULLY_CONNECTED"},
    {"constant - x before a dense", minus_before_dense, ROW, "FULLY_CONNECTED"},
    {"relu before a dense", relu_before_dense, ROW, "MUL@1 FULLY_CONNECTED"},
    {"scale read twice", scale_read_twice, ROW, "MUL FULLY_CONNECTED MAXIMUM"},
    {"one operator twice", same_layer_twice, ROW, "TANH EXP SUB"},
    {"operands swapped", operands_swapped, ROW, "TANH ADD MUL SUB SUB DIV MAXIMUM"},
    {"other options", other_options_stay, ROW, "LEAKY_RELU LEAKY_RELU SUB"},
    {"dead branch", dead_branch, ROW, "TANH"},
    {"gelu by tanh", gelu_tanh, ROW, "TANH GELU"},
    {"nearly gelu", nearly_gelu, ROW, "TANH MUL MUL MUL ADD MUL TANH MUL ADD MUL"},
    {"hard swish", hard_swish, ROW, "HARD_SWISH"},
    {"hard swish whose gate is read", hard_swish_and_gate, ROW, "ADD@3 DIV EXP MUL POW"},
    {"sigmoid by exp", sigmoid_by_exp, ROW, "LOGISTIC"},
    {"leaky relu by maximum", leaky_by_maximum, ROW, "LEAKY_RELU"},
    {"leaky relu by where", leaky_by_where, ROW, "LEAKY_RELU"},
    {"clipped to 6", clipped, ROW, "RELU6"},
    {"clipped to 5", clipped_elsewhere, ROW, "MAXIMUM MINIMUM"},
    {"prelu", prelu, IMAGE, "PRELU"},
    {"prelu by abs", prelu_by_abs, IMAGE, "PRELU"},
    {"two vectors", two_vectors, IMAGE, "RELU ADD MUL MAXIMUM"},
    {"matmul of a transpose", matmul_turned, IMAGE, "TANH BATCH_MATMUL"},
    {"matmul of two transposes", matmul_both_turned, IMAGE, "TANH BATCH_MATMUL"},
    {"matmul of another transpose", matmul_other_turn, IMAGE, "TANH TRANSPOSE BATCH_MATMUL"},
    {"l2 by rsqrt", l2_by_rsqrt, ROW, "L2_NORMALIZATION"},
    {"l2 by division", l2_by_div, ROW, "L2_NORMALIZATION"},
    {"l2, a large epsilon", l2_large_epsilon, ROW, "SQUARE SUM MAXIMUM RSQRT MUL"},
    {"l2 of another dimension", l2_other_axis, IMAGE, "SQUARE SUM MAXIMUM RSQRT MUL"},
    {"dilated, SAME", dilated_same, IMAGE, "CONV_2D@1"},
    {"dilated, VALID", dilated_valid, IMAGE, "CONV_2D@1"},
    {"dilated, padded", dilated_padded, IMAGE, "PAD CONV_2D@1"},
    {"blocks of a SAME convolution", not_dilated_same, IMAGE, "SPACE_TO_BATCH_ND CONV_2D BATCH_TO_SPACE_ND RELU"},
    {"blocks cropped more than padded", not_dilated_crop, IMAGE, "SPACE_TO_BATCH_ND CONV_2D BATCH_TO_SPACE_ND RELU"},
    {"shifts in a row", chain_of_shifts, ROW, "TANH ADD"},
    {"scales in a row", chain_of_scales, ROW, "TANH MUL"},
    {"a mean keeps its dimensions", mean_kept, IMAGE, "MEAN"},
    {"a mean among other ones", mean_elsewhere, IMAGE, "MEAN RESHAPE"},
    {"rounding by a large number", rounding_trick, ROW, "ADD SUB"},
    {"rounding to float8", float8_trick, ROW, "ADD SUB"},
    {"two large shifts that leave one", far_and_back, ROW, "ADD"},
    {"relu between shifts", relu_between, ROW, "ADD@1 ADD"},
    {"division after a scale", division_stays, ROW, "MUL DIV"},
    {"conv 3d + batch norm + relu", conv3d, IMAGE, "RESHAPE CONV_3D@1"},
    {"rescaling before a conv 3d", rescale_conv3d, IMAGE, "MUL RESHAPE CONV_3D@1"},
};

static lc_status build(const pass_case *c, lc_model **model, lc_error *err) {
    LC_TRY(lc_model_new(NULL, model, err));
    lc_builder b;
    lc_builder_init(&b, *model, (*model)->graphs[0], err);
    b.layer = "layer";
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, c->dims, c->rank);
    if (b.status == LC_OK) b.status = lc_graph_add_input(b.graph, x, err);
    const int32_t y = c->build(&b, x);
    lc_build_rename(&b, y, "the output");
    if (b.status == LC_OK) b.status = lc_graph_add_output(b.graph, y, err);
    if (b.status == LC_OK) return LC_OK;
    lc_model_destroy(*model);
    *model = NULL;
    return b.status;
}

static void run(lc_model *model, float *out, size_t *count) {
    lc_error err;
    lc_session *s;
    if (lc_session_create(model, &(lc_session_options){.isa = "ref"}, &s, &err) != LC_OK) fail_msg("%s", err.message);
    lc_tensor_view in = lc_session_input(s, 0);
    int32_t dims[LC_MAX_RANK];
    memcpy(dims, in.dims, sizeof dims);
    dims[0] = 2; /* the batch must still be open after the rewrites */
    if (lc_session_resize_input(s, 0, dims, in.rank, &err) != LC_OK) fail_msg("%s", err.message);
    in = lc_session_input(s, 0);
    for (size_t i = 0; i < in.size / sizeof(float); i++) ((float *)in.data)[i] = value((uint32_t)i + 77u) - 0.5f;
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
    const lc_tensor_view y = lc_session_output(s, 0);
    assert_string_equal(y.name, "the output");
    *count = y.size / sizeof(float);
    assert_true(*count <= 4096);
    memcpy(out, y.data, y.size);
    lc_session_destroy(s);
}

static void operators(const lc_model *model, char *text, size_t size) {
    const lc_graph *g = model->graphs[0];
    text[0] = 0;
    for (size_t i = 0; i < g->node_count; i++) {
        const int8_t *act = lc_op_fused_act(&g->nodes[i]);
        const size_t at = strlen(text);
        if (act && *act) snprintf(text + at, size - at, "%s%s@%d", i ? " " : "", lc_op_name(g->nodes[i].op), *act);
        else snprintf(text + at, size - at, "%s%s", i ? " " : "", lc_op_name(g->nodes[i].op));
    }
}

static void test_cases(void **unused) {
    (void)unused;
    static float before[4096], after[4096];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_error err;
        lc_model *plain, *optimised = NULL;
        size_t n, m;
        char text[512];
        if (build(&cases[i], &plain, &err) != LC_OK || build(&cases[i], &optimised, &err) != LC_OK)
            fail_msg("%s: %s", cases[i].name, err.message);
        if (lc_optimize(optimised, &err) != LC_OK) fail_msg("%s: %s", cases[i].name, err.message);
        if (lc_model_check(optimised, &err) != LC_OK) fail_msg("%s: %s", cases[i].name, err.message);
        operators(optimised, text, sizeof text);
        if (strcmp(text, cases[i].remains) != 0) fail_msg("%s: left \"%s\", wanted \"%s\"", cases[i].name, text, cases[i].remains);
        run(plain, before, &n);
        run(optimised, after, &m);
        assert_int_equal(n, m);
        for (size_t k = 0; k < n; k++)
            if (fabsf(before[k] - after[k]) > 1e-5f * (1.0f + fabsf(before[k])))
                fail_msg("%s: element %zu was %g, is %g", cases[i].name, k, (double)before[k], (double)after[k]);
        lc_model_destroy(plain);
        lc_model_destroy(optimised);
    }
}

/* Nothing may be taken for a no-op, or for the same, that is not: graphs with one operator more than meets the eye. */
static int32_t open_tensor(lc_graph *g, const char *name, lc_dtype type, bool open) {
    static int32_t dims[] = {1, 1}, signature[] = {-1, -1};
    int32_t index = LC_ABSENT;
    const lc_tensor t = {
        .name = lc_str_of(name), .type = type, .rank = 2, .dims = dims, .signature = open ? signature : NULL, .data_at = LC_NO_OFFSET};
    assert_int_equal(lc_graph_add_tensor(g, &t, &index, NULL), LC_OK);
    return index;
}

static void add(lc_graph *g, int32_t op, int32_t a, int32_t b, int32_t out) {
    const int32_t in[] = {a, b};
    assert_int_equal(lc_graph_add_node(g, op, LC_TABLE_NONE, NULL, in, b < 0 ? 1 : 2, &out, 1, NULL, NULL), LC_OK);
}

static void two_open_dimensions_may_change_places(lc_graph *g, int32_t x, int32_t y) {
    const int32_t shape = open_tensor(g, "shape", LC_INT32, false), z = open_tensor(g, "z", LC_FLOAT32, true);
    lc_graph_add_input(g, shape, NULL);
    add(g, LC_OP_RESHAPE, x, shape, z);
    add(g, LC_OP_TANH, z, LC_ABSENT, y);
}

static void another_scale_is_a_change(lc_graph *g, int32_t x, int32_t y) {
    static const float one = 1, two = 2;
    static const lc_QuantizationParameters scales[] = {{.scale = {&one, 1}}, {.scale = {&two, 1}}};
    const int32_t a = open_tensor(g, "a", LC_INT8, false), b = open_tensor(g, "b", LC_INT8, false);
    g->tensors[a].quant = &scales[0];
    g->tensors[b].quant = &scales[1];
    add(g, LC_OP_QUANTIZE, x, LC_ABSENT, a);
    add(g, LC_OP_CAST, a, LC_ABSENT, b);
    add(g, LC_OP_DEQUANTIZE, b, LC_ABSENT, y);
}

static void two_draws_are_two(lc_graph *g, int32_t x, int32_t y) {
    const int32_t a = open_tensor(g, "a", LC_FLOAT32, false), b = open_tensor(g, "b", LC_FLOAT32, false);
    add(g, LC_OP_RANDOM_UNIFORM, x, LC_ABSENT, a);
    add(g, LC_OP_RANDOM_UNIFORM, x, LC_ABSENT, b);
    add(g, LC_OP_SUB, a, b, y);
}

static void test_left_alone(void **unused) {
    (void)unused;
    static void (*const graphs[])(lc_graph *, int32_t x, int32_t y) = {two_open_dimensions_may_change_places, another_scale_is_a_change,
                                                                       two_draws_are_two};
    for (size_t i = 0; i < sizeof graphs / sizeof *graphs; i++) {
        lc_model *model;
        lc_error err;
        assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
        lc_graph *g = model->graphs[0];
        const int32_t x = open_tensor(g, "x", LC_FLOAT32, true), y = open_tensor(g, "y", LC_FLOAT32, true);
        lc_graph_add_input(g, x, &err);
        lc_graph_add_output(g, y, &err);
        graphs[i](g, x, y);
        const size_t before = g->node_count;
        if (lc_optimize(model, &err) != LC_OK) fail_msg("graph %zu: %s", i, err.message);
        if (g->node_count != before) fail_msg("graph %zu: %zu operators of %zu are left", i, g->node_count, before);
        lc_model_destroy(model);
    }
}

/* Equal constants of different operators become one tensor; different shapes stay apart. */
static void test_merge(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 6}, 2);
    int32_t y = lc_build_with_scalar(&b, LC_OP_MUL, x, "a", 0.5f);
    y = lc_build_with_scalar(&b, LC_OP_ADD, y, "b", 0.5f);
    y = lc_build_binary(&b, LC_OP_MAXIMUM, y, lc_build_floats(&b, "c", (float[]){0.5f}, 1), NONE);
    assert_int_equal(b.status, LC_OK);
    lc_graph_add_input(b.graph, x, &err);
    lc_graph_add_output(b.graph, y, &err);
    assert_int_equal(lc_optimize(model, &err), LC_OK);
    const lc_graph *g = model->graphs[0];
    assert_int_equal(g->node_count, 3);
    assert_int_equal(g->nodes[0].inputs[1], g->nodes[1].inputs[1]);
    assert_int_not_equal(g->nodes[0].inputs[1], g->nodes[2].inputs[1]);
    lc_model_destroy(model);
}

/* A long chain of neutral operators goes in one round: no search per operator. */
static void test_long_chain(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 6}, 2);
    const int32_t one = lc_build_scalar(&b, "one", 1.0f);
    int32_t y = lc_build_unary(&b, LC_OP_TANH, x);
    for (int i = 0; i < 20000; i++) y = lc_build_binary(&b, LC_OP_MUL, y, one, NONE);
    assert_int_equal(b.status, LC_OK);
    lc_graph_add_input(b.graph, x, &err);
    lc_graph_add_output(b.graph, y, &err);
    assert_int_equal(lc_optimize(model, &err), LC_OK);
    assert_int_equal(model->graphs[0]->node_count, 1);
    lc_model_destroy(model);
}

static lc_status optimise_all(void *unused, lc_error *err) {
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_model *model;
        LC_TRY(build(&cases[i], &model, err));
        const lc_status status = lc_optimize(model, err);
        lc_model_destroy(model);
        LC_TRY(status);
    }
    return LC_OK;
}

static void test_allocation_failures(void **unused) {
    (void)unused;
    fault_check(optimise_all, NULL, &(fault_options){.step = 7});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),      cmocka_unit_test(test_left_alone),          cmocka_unit_test(test_merge),
        cmocka_unit_test(test_long_chain), cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
