/*
 * image.h: what the layers on rows, images and volumes share: a row seen as an image of height 1, sizes that are known or open,
 * kernels, strides and paddings of one to three dimensions. Channels are last here: lc_call_channels_last came before.
 */
#ifndef LC_LOWER_IMAGE_H
#define LC_LOWER_IMAGE_H

#include "lower/eager.h"
#include "lower/tf_nn.h"

/* What the convolutions have in common: n dimensions; those of an image of one dimension lie in the second place, behind a height of 1. */
typedef struct lc_window {
    int32_t n;
    int32_t kernel[3], stride[3], dilation[3];
    int8_t padding;
    bool causal; /* n 1: padding is VALID, lc_image_of pads */
    bool channels_first, use_bias;
    const lc_json *activation;
} lc_window;

/* Reads kernel_size, strides, dilation_rate, padding, data_format, use_bias and activation. */
lc_window lc_window_read(lc_call *c, int32_t n, bool may_be_causal);
/* Input 0 as float32 of n + 2 dimensions, channels last, with a height of 1 when n is 1; *channels: how many it has. */
int32_t lc_image_of(lc_call *c, const lc_window *w, int32_t *channels);
/* A row of it again, when n is 1; then the layout that the layer was given, and the activation when it is not fused. */
int32_t lc_image_back(lc_call *c, const lc_window *w, int32_t y, bool fused);
/* [n, length, c] to [n, 1, length, c] and back. */
int32_t lc_image_of_row(lc_call *c, int32_t row);
int32_t lc_image_row(lc_call *c, int32_t image);
/* How many arrays the layer holds: those named, and the bias when it has one. */
bool lc_window_weights(lc_call *c, const lc_window *w, uint32_t n, const char *names);

/* x, channels last, of n dimensions of space pooled to out[n] cells: AVERAGE_POOL_2D or MAX_POOL_2D. (lower_pool.c) */
int32_t lc_lower_adaptive(lc_call *c, int32_t op, int32_t x, int32_t n, const int32_t *out);

/* A method of tf.image.resize. (resize.c) */
typedef struct lc_resize_way {
    const char *name, *op, *kernel; /* op: TensorFlow's without antialiasing; kernel: of ScaleAndTranslate; NULL: there is none */
    bool operation;                 /* a name that keras.ops knows, but no layer */
} lc_resize_way;
/* NULL for another name, and for NULL. */
const lc_resize_way *lc_resize_way_of(const char *name);
/* x [n, h, w, c] with height and width as in the int32 vector `size`. */
int32_t lc_resize(lc_tf_call *m, const lc_resize_way *way, int32_t x, int32_t size, bool antialias);

/* The axes of an option: a number, or a list of them in the order given; missing: the last. Returns how many, 0 when failed. (lower_norm.c) */
uint32_t lc_lower_axes(lc_call *c, const char *key, int32_t rank, int32_t *axes);
/* x over its length along the axes, as the generation of Keras computes it: Keras 2 takes at least 1e-6 for the length, Keras 3 `least`.
 * (lower_norm_more.c) */
int32_t lc_lower_unit(lc_call *c, int32_t x, const int32_t *axes, uint32_t n, double least);

/* RandomCrop in inference. (lower_image_size.c) */
int32_t lc_lower_fixed_crop(lc_call *c);

#endif
