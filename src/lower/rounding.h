/*
 * rounding.h: quantisation-aware training: which tensors are rounded. The same calls stand in the lowering for training and in that for inference, so
 * both round the same tensors, known by a name:
 *
 *   training    ROUND and ROUND_WEIGHTS (grad/own.h); the ranges follow the data in the memory that their owner gives
 *   inference   FAKE_QUANT with these ranges, of which quant/qat.c makes integers; weights stay as they are: the quantiser rounds them alike
 *
 * Rounded are the inputs of layers, each tensor once, and what an activation with operators of its own reads. A layer that only moves numbers
 * (Flatten, MaxPooling2D) hands their steps on; one that is joined with the layer before it (BatchNormalization, ReLU) reads what is not rounded.
 */
#ifndef LC_LOWER_ROUNDING_H
#define LC_LOWER_ROUNDING_H

#include "litec/litec.h"

typedef struct lc_rounded {
    int32_t from, to;
} lc_rounded;

typedef struct lc_rounding {
    /* Memory for minimum, maximum and the number of batches seen, zeros at first; NULL and err filled: it failed. */
    float *(*range)(void *user, const char *name, lc_error *err);
    void *user;
    int32_t bits; /* of activations; weights have 8 */
    float decay;  /* of the moving averages */

    /* What the lowering fills in, in the arena of the graph's model: which tensor is which one on steps. */
    lc_rounded *list;
    uint32_t count;
    size_t capacity;
} lc_rounding;

struct lc_call;
/* The call's inputs, before its layer is lowered. */
void lc_round_inputs(struct lc_call *c);
/* The call's output is on steps where its layer only moves what is. */
void lc_round_moved(struct lc_call *c, int32_t out);
/* x rounded; itself where nothing is, or it is already. */
int32_t lc_round(struct lc_call *c, int32_t x, const char *what);
/* Before an activation of this name. */
int32_t lc_round_before(struct lc_call *c, int32_t x, const char *activation);
/* A kernel that learns, on the steps of each slice along the axis. */
int32_t lc_round_weights(struct lc_call *c, int32_t w, int32_t axis);

#endif
