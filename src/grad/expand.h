/*
 * expand.h: a graph with operators of own.def as one of builtin operators alone, so that it can be written to a .tflite file and trained on a
 * device by any TFLite runtime. What the own operators do in one pass the builtin ones do in several.
 *
 *   expand.c        the walk, and what is element by element
 *   expand_conv.c   convolutions
 *   expand_pool.c   pools
 *
 * The values are those of the own operators but for rounding.
 */
#ifndef LC_GRAD_EXPAND_H
#define LC_GRAD_EXPAND_H

#include "grad/grad.h"

/* One own operator: in, and what it must give. It appends builtin operators and says which tensors are its outputs. */
typedef struct lc_expansion {
    lc_builder *b;
    const lc_node *node; /* a copy */
    int32_t out[3];
} lc_expansion;

/* Replaces every own operator of the graph. Fails the builder: LC_UNSUPPORTED for one that has no such form, with the layer. */
lc_status lc_grad_expand(lc_builder *b);

/* ---- inside expand_*.c ---------------------------------------------------------------------------------------------------- */

void lc_expand_conv_filter(lc_expansion *e);
void lc_expand_conv_input(lc_expansion *e);
void lc_expand_depthwise_filter(lc_expansion *e);
void lc_expand_depthwise_input(lc_expansion *e);
void lc_expand_max_pool(lc_expansion *e);
void lc_expand_average_pool(lc_expansion *e);

int32_t lc_expand_binary(lc_expansion *e, int32_t op, int32_t x, int32_t y);
/* PAD; pads [rank][2]. x itself when there is nothing to add. */
int32_t lc_expand_pad(lc_expansion *e, int32_t x, const int32_t *pads, int32_t rank);
int32_t lc_expand_slice(lc_expansion *e, int32_t x, const int32_t *begin, const int32_t *size, int32_t rank);
/* 1 where the comparison holds, else 0. */
int32_t lc_expand_mask(lc_expansion *e, int32_t compare, int32_t x, int32_t y);
/* What is added around x [n, h, w, c] so that a VALID window gives y's places: before and behind; behind may be negative, then it is cut off. */
void lc_expand_margins(const lc_window_options *o, const lc_shape *x, const lc_shape *y, int32_t top[2], int32_t left[2]);
int32_t lc_expand_frame(lc_expansion *e, int32_t x, const int32_t *top, const int32_t *left);
/* step - 1 zeros behind each element along the axis. */
int32_t lc_expand_spread(lc_expansion *e, int32_t x, int32_t axis, int32_t step);
/* dy with zeros between and around, so that the window, turned around, moved by one pixel without padding, gives the input's gradient. */
int32_t lc_expand_before(lc_expansion *e, int32_t dy, const lc_window_options *o);
/* What tap (ky, kx) of the window saw: a strided slice of the framed input of shape xs, of y's shape. */
int32_t lc_expand_tap(lc_expansion *e, int32_t x, const lc_shape *xs, const lc_shape *ys, const lc_window_options *o, int32_t ky,
                      int32_t kx);
/* This case has no form in builtin operators. */
void lc_expand_refuse(lc_expansion *e, const char *what);

#endif
