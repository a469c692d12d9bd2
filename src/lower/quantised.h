/*
 * quantised.h: Keras 3's quantised dense layers (model.quantize("int8"), dtype policy "int8_from_float32"). (lower_quantised.c)
 */
#ifndef LC_LOWER_QUANTISED_H
#define LC_LOWER_QUANTISED_H

#include "lower/lower.h"

/* Which dimensions of input, kernel and result are the same: labels below 52. */
typedef struct lc_equation {
    uint8_t x[LC_MAX_RANK], w[LC_MAX_RANK], y[LC_MAX_RANK];
    int32_t x_n, w_n, y_n;
    int32_t left, right; /* dimensions of x and y that the equation's dots stand for */
} lc_equation;

/* When the layer's dtype policy is a quantised one, or the file keeps a LoRA apart: c->layer becomes a layer with the same kernel dims[e->w_n] (and bias) in float32, and x
 * is rounded as Keras rounds it; the caller goes on as if nothing were quantised. Returns x. */
int32_t lc_quantised_input(lc_call *c, const lc_equation *e, const int32_t *dims, bool has_bias, int32_t x);

/* The rows of a quantised Embedding, or of one with a LoRA, dims [rows, width]; -1 and nothing failed: it is neither. */
int32_t lc_quantised_embedding(lc_call *c, const int32_t *dims, int32_t index);

#endif
