/*
 * tf_nn.h: what the operators on images and features share: data_format, windows, sizes that only the run knows, and the small operators
 * that grappler fuses into big ones.
 */
#ifndef LC_LOWER_TF_NN_H
#define LC_LOWER_TF_NN_H

#include "lower/tf_array.h"

#define LC_TF_SPATIAL 3 /* depth, height, width at most */

/* ---- layout (tf_window.c) ------------------------------------------------------------------------------------------ */

/* data_format: true for channels first (NCHW, NCDHW), false for channels last. Any other (NCHW_VECT_C) goes to what is missing:
 * *known is false then. */
bool lc_tf_channels_first(lc_tf_call *c, bool *known);
/* [n, c, spatial...] to [n, spatial..., c] and back; x itself when `first` is false. */
int32_t lc_tf_to_last(lc_tf_call *c, int32_t x, bool first);
int32_t lc_tf_to_first(lc_tf_call *c, int32_t x, bool first);
/* A constant of equally many elements under another shape: the same bytes, nothing is copied. Another tensor is reshaped. */
int32_t lc_tf_recast(lc_tf_call *c, int32_t w, const int32_t *dims, int32_t rank);
/* A constant vector for the channels of `x`: [n], or [n, 1, 1] when they come first. */
int32_t lc_tf_along_channels(lc_tf_call *c, int32_t v, int32_t x, bool first);
/* One of SPLIT's `count` equal parts along an axis: fills parts[count]. False when failed. */
bool lc_tf_split(lc_tf_call *c, int32_t x, int32_t axis, uint32_t count, int32_t *parts);

/* ---- sizes that only the run knows ------------------------------------------------------------------------------------- */

/* Dimension d of x as an int32 vector of one element; a constant when it is fixed. */
int32_t lc_tf_size(lc_tf_call *c, int32_t x, int32_t d);
int32_t lc_tf_size_const(lc_tf_call *c, int64_t size);
/* Dimensions [from, to) of x as an int32 vector. */
int32_t lc_tf_sizes(lc_tf_call *c, int32_t x, int32_t from, int32_t to);
/* a * b, a + b of such sizes. */
int32_t lc_tf_size_op(lc_tf_call *c, int32_t op, int32_t a, int32_t b);
/* The product of dimensions [from, to) of x. */
int32_t lc_tf_size_product(lc_tf_call *c, int32_t x, int32_t from, int32_t to);
/* RESHAPE to these sizes. */
int32_t lc_tf_reshape_sizes(lc_tf_call *c, int32_t x, const int32_t *sizes, uint32_t rank);

/* ---- windows ------------------------------------------------------------------------------------------------------------- */

typedef struct lc_tf_window {
    int32_t n;                                                                   /* spatial dimensions */
    int32_t size[LC_TF_SPATIAL], stride[LC_TF_SPATIAL], dilation[LC_TF_SPATIAL]; /* size: filled in by who knows the filter */
    int32_t before[LC_TF_SPATIAL], after[LC_TF_SPATIAL];                         /* padding that EXPLICIT gives; padding is VALID then */
    int8_t padding;
    bool channels_first, pads;
} lc_tf_window;

/* Options of CONV_3D and CONV_3D_TRANSPOSE, from depth to width. */
static inline lc_Conv3DOptions lc_tf_volumes(int8_t padding, const int32_t stride[3], const int32_t dilation[3]) {
    return (lc_Conv3DOptions){.padding = padding,
                              .stride_d = stride[0],
                              .stride_h = stride[1],
                              .stride_w = stride[2],
                              .dilation_d_factor = dilation[0],
                              .dilation_h_factor = dilation[1],
                              .dilation_w_factor = dilation[2]};
}

/* Reads strides, padding, explicit_paddings, data_format and, where the names are given, ksize and dilations of an operator with n
 * spatial dimensions. False when the operator failed or is missing something: return then. */
bool lc_tf_window_read(lc_tf_call *c, lc_tf_window *w, int32_t n, const char *sizes, const char *dilations);
/* The same from numbers in data_format's order (n + 2 of them): `what` names them. Batch and channels must be 1. */
bool lc_tf_window_numbers(lc_tf_call *c, const lc_tf_window *w, const char *what, const int64_t *numbers, uint32_t count, int32_t *out);
/* x [n, spatial..., c] with w->before and w->after of `value` around it; x itself when w->pads is false. */
int32_t lc_tf_pad_spatial(lc_tf_call *c, int32_t x, const lc_tf_window *w, double value);
/* Turns SAME into before and after, which needs fixed sizes where the stride is not 1. False when failed. */
bool lc_tf_window_explicit(lc_tf_call *c, lc_tf_window *w, int32_t x);
/* The cells that tap[0..n) of the window meets, of x that is padded already: [n, out..., c]. */
int32_t lc_tf_tap(lc_tf_call *c, int32_t x, const lc_tf_window *w, const int32_t *tap);
/* How many taps the window has; failed when that is over `most`. */
uint32_t lc_tf_taps(lc_tf_call *c, const lc_tf_window *w, uint32_t most);
/* Tap k in row-major order. */
void lc_tf_tap_at(const lc_tf_window *w, uint32_t k, int32_t *tap);

/* x convolved with a filter [spatial..., in, out] of 2 or 3 dimensions: channels last. x lies as w->channels_first says. (tf_conv.c) */
int32_t lc_tf_convolve(lc_tf_call *c, lc_tf_window *w, int32_t x, int32_t filter);
/* x and y, whose dimensions are named by labels below 52, multiplied and summed over what `out` does not name, as Einsum does.
 * (tf_einsum.c) */
int32_t lc_tf_contract(lc_tf_call *c, int32_t x, const uint8_t *x_labels, int32_t y, const uint8_t *y_labels, const uint8_t *out,
                       uint32_t out_count);

/* ---- parts of fused operators ----------------------------------------------------------------------------------------------- */

/* x + bias along the channels. (tf_norm.c) */
int32_t lc_tf_bias(lc_tf_call *c, int32_t x, int32_t bias, bool first);
/* (x - mean) / sqrt(variance + epsilon) * scale + offset along the channels. (tf_norm.c) */
int32_t lc_tf_batch_norm(lc_tf_call *c, int32_t x, int32_t scale, int32_t offset, int32_t mean, int32_t variance, float epsilon,
                         bool first);
/* An activation by TensorFlow's operator name. *known: false when there is no such. (tf_activation.c) */
int32_t lc_tf_activation(lc_tf_call *c, lc_str name, int32_t x, float leaky_alpha, bool *known);
/* What the node's fused_ops say, on y: args begin at input `first_arg`. Gives output 0 in `type`, or puts the node to what is missing. (tf_norm.c) */
void lc_tf_finish_fused(lc_tf_call *c, int32_t y, uint32_t first_arg, bool channels_first, lc_dtype type);
/* A row of rows times a matrix: x [..., k] w [k, n] (transposed: [n, k]); w constant: FULLY_CONNECTED. (tf_matmul.c) */
int32_t lc_tf_dense(lc_tf_call *c, int32_t x, int32_t w, bool transposed);
/* x [..., m, k] times y [..., k, n], of any number type; adj_x, adj_y: their last two dimensions are swapped. The result has the type that
 * was multiplied in: float32, int32 or int64. -1 when the node failed or is missing something. (tf_matmul.c) */
int32_t lc_tf_product(lc_tf_call *c, int32_t x, int32_t y, bool adj_x, bool adj_y);
/* BATCH_MATMUL of float32, its ranks brought into what it takes. (tf_matmul.c) */
int32_t lc_tf_batch_matmul(lc_tf_call *c, int32_t x, int32_t y, bool adj_x, bool adj_y);

/* The lowest value of a type, minus infinity of floating-point ones. (tf_window.c) */
double lc_tf_lowest(lc_dtype type);
/* The types that TFLite's arithmetic has unquantised. */
#define LC_TF_ARITHMETIC (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64))
/* ---- quantisation-aware training (tf_quant.c) --------------------------------------------------------------------------------- */

/* A float32 constant whose values lie on the steps of a quantisation says so: scale and zero point of an int8 form, one or one a slice of
 * dimension `axis`. */
void lc_tf_annotate(lc_tf_call *c, int32_t tensor, const float *scale, const int64_t *zero, uint32_t n, int32_t axis);
/* `to` is `from` in another layout: its steps are the same. Those of dimension from_axis are those of to_axis, all of them `repeat` times;
 * steps of another dimension are forgotten. */
void lc_tf_same_steps(lc_tf_call *c, int32_t from, int32_t to, int32_t from_axis, int32_t to_axis, uint32_t repeat);

/* Zeros [n]. */
int32_t lc_tf_zeros(lc_tf_call *c, const char *name, int32_t n);

#endif
