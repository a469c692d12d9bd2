/*
 * conv_own.h: what the gradients of a convolution share: conv_own.c (of the input), conv_filter_own.c (of the filter).
 *
 * A filter lies as TFLite has it, [out, h, w, in], or as Keras has it (lc_window_options.keras), [h, w, in, out], where h may be left out.
 */
#ifndef LC_GRAD_CONV_OWN_H
#define LC_GRAD_CONV_OWN_H

#include "grad/own.h"

typedef struct lc_conv_sizes {
    const lc_window_options *o;
    int64_t batch, in_h, in_w, in_c, out_h, out_w, out_c, group_in, group_out, taps;
    int32_t pad_h, pad_w;
    int64_t out_step, tap_step, in_step; /* in the filter */
} lc_conv_sizes;

/* w: the filter's shape, as it lies. False: the inputs do not fit each other. */
bool lc_conv_measure(const lc_window_options *o, const lc_shape *x, const lc_shape *w, lc_conv_sizes *s);
lc_shape lc_conv_declared(const lc_infer_ctx *ctx);
/* Checks them, dy too; the output is as declared. */
lc_status lc_conv_infer(lc_infer_ctx *ctx, const lc_shape *x, const lc_shape *w, const lc_shape *dy);

/* Where tap (ky, kx) of output pixel (y, x) looks in its image; false when that is padding. */
static inline bool lc_conv_seen(const lc_conv_sizes *s, int64_t y, int64_t x, int64_t ky, int64_t kx, int64_t *at) {
    const int64_t iy = y * s->o->stride_h - s->pad_h + ky * s->o->dilation_h, ix = x * s->o->stride_w - s->pad_w + kx * s->o->dilation_w;
    if (iy < 0 || iy >= s->in_h || ix < 0 || ix >= s->in_w) return false;
    *at = (iy * s->in_w + ix) * s->in_c;
    return true;
}

#endif
