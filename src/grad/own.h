/*
 * own.h: the operators of own.def and their options. A kernel here obeys the rules of kernels/kernel.h: prepare checks and asks for scratch,
 * run allocates nothing, and what it computes does not depend on the number of threads.
 */
#ifndef LC_GRAD_OWN_H
#define LC_GRAD_OWN_H

#include "kernels/kernel.h"
#include "ops/build.h"
#include "ops/slice.h"

#define LC_OWN(ID, in_min, in_max, out, absent, grad) extern const lc_op_own lc_own_##ID;
#include "grad/own.def"

/* y = f(x). OF_OUTPUT: the derivative is known from y, so that x need not be kept. */
typedef enum lc_own_activation {
    LC_ACT_RELU,         /* of y */
    LC_ACT_RELU6,        /* of y */
    LC_ACT_RELU_N1_TO_1, /* of y */
    LC_ACT_RELU_0_TO_1,  /* of y */
    LC_ACT_LOGISTIC,     /* of y */
    LC_ACT_TANH,         /* of y */
    LC_ACT_ELU,          /* of y */
    LC_ACT_LEAKY_RELU,   /* of x; alpha */
    LC_ACT_HARD_SWISH,   /* of x */
    LC_ACT_GELU,         /* of x */
    LC_ACT_GELU_TANH,    /* of x */
} lc_own_activation;
/* ACTIVATION_GRAD(dy, y or x) = dy f'(x) */
typedef struct lc_activation_options {
    lc_own_activation kind;
    float alpha;
} lc_activation_options;

/* The window of a convolution or pool, and what its result must look like. */
typedef struct lc_window_options {
    int32_t stride_h, stride_w, dilation_h, dilation_w, filter_h, filter_w;
    int8_t padding;                  /* lc_Padding */
    bool keras;                      /* a filter lies as [h, w, in, out] (conv_own.h) */
    int32_t multiplier;              /* of depthwise convolutions */
    int32_t dims[LC_MAX_RANK], rank; /* of the output */
} lc_window_options;

/* CONV(x, W, b): a convolution of x seen as `images`, or a dense layer of rows of one pixel; act: a clamp. */
typedef struct lc_conv_options {
    lc_window_options window;
    int32_t images[4];
    int8_t act; /* lc_ActivationFunctionType */
} lc_conv_options;

/* SLICE_GRAD(dy): zeros of the shape dims, and dy's elements where they were taken from. */
typedef struct lc_slice_grad_options {
    lc_slice slice;
    int32_t dims[LC_MAX_RANK];
} lc_slice_grad_options;

/* GATHER_GRAD(dy, indices): a table of zeros to whose rows dy's are added. */
typedef struct lc_gather_grad_options {
    int32_t dims[LC_MAX_RANK], rank, axis, batch_dims;
} lc_gather_grad_options;

/* RESIZE_GRAD(dy): of RESIZE_BILINEAR or RESIZE_NEAREST_NEIGHBOR, of the shape dims. */
typedef struct lc_resize_grad_options {
    int32_t dims[4];
    bool nearest, align_corners, half_pixel_centers;
} lc_resize_grad_options;

/* BATCH_NORM(x, gamma, beta) = (x - mean) / sqrt(variance + epsilon) gamma + beta over all dimensions but the last; outputs y, mean, variance
 * (divided by the number of values). BATCH_NORM_GRAD(dy, x, gamma, mean, variance): dx, dgamma, dbeta. */
typedef struct lc_batch_norm_options {
    float epsilon;
} lc_batch_norm_options;

/* DROPOUT(x, counter): x / (1 - rate) where the random number is at least rate, else 0. counter: int32[2], bound, which the caller changes from
 * step to step; `stream` tells the layers apart. noise: of each dimension, 0: one number for all along it. */
typedef struct lc_dropout_options {
    float rate;
    uint32_t stream;
    int32_t noise[LC_MAX_RANK];
} lc_dropout_options;

/* RANDOM(counter): numbers of this shape, uniform in [0, 1) or standard normal; counter and stream as DROPOUT's. */
typedef struct lc_random_options {
    uint32_t stream;
    bool normal;
    int32_t rank, dims[LC_MAX_RANK];
} lc_random_options;

/* ROUND(x, range) = x on the steps of its range, and the range after this batch; range: float32[3], bound: minimum, maximum, how many batches it
 * has seen. It begins with the first batch's and follows the later ones by moving averages. ROUND_GRAD(dy, x, range). */
typedef struct lc_round_options {
    int32_t bits;
    float decay;
} lc_round_options;
/* ROUND_WEIGHTS(w) = w on the symmetric steps of each slice along the axis, 2^bits - 1 of them, of which the largest weight is the last. */
typedef struct lc_round_weights_options {
    int32_t bits, axis;
} lc_round_weights_options;

/* WARP(x, numbers [batch, 2]): pictures turned (numbers[0], in whole turns), moved (down and right, in heights and widths) or zoomed (1 + the number
 * of pixels for one; height and width alike, or each by its own), by amounts between low and high. */
typedef enum lc_warp_kind { LC_WARP_TURN, LC_WARP_SHIFT, LC_WARP_ZOOM } lc_warp_kind;
typedef struct lc_warp_options {
    lc_warp_kind kind;
    float low[2], high[2];
    int32_t fill; /* lc_warp_fill (warp.h) */
    float value;
    bool nearest, alike;
} lc_warp_options;

/* Fails an own kernel's or rule's inputs that are not float32 of known shape. */
lc_status lc_own_floats(lc_infer_ctx *ctx, uint32_t first, uint32_t count);

#endif
