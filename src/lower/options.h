/*
 * options.h: what a caller may choose about operators that have no builtin form. Zero: an error that lists them.
 */
#ifndef LC_LOWER_OPTIONS_H
#define LC_LOWER_OPTIONS_H

#include "base/base.h"

struct lc_call;

typedef struct lc_lower_options {
    bool allow_custom_ops; /* Keras: an unknown layer -> CUSTOM operator with its config (JSON) as custom options, weights as inputs.
                            * TensorFlow: an unknown operator -> CUSTOM with its attributes as the official converter writes them */
    bool select_tf_ops;    /* TensorFlow: an operator of TensorFlow's own kernels (tf_flex.def) -> Flex<Op>, which the Flex delegate runs */
    const lc_str *custom_opdefs; /* text OpDefs of operators that are CUSTOM by intention (allow_custom_ops is then implied for them) */
    uint32_t custom_opdef_count;
    bool described; /* Keras: the model is one that the caller has written down, not a file: hints say what is to be written otherwise */
    bool unroll;    /* Keras: recurrent layers over a known number of steps become these steps, without a loop */
    bool weights; /* TensorFlow: variables stay tensors of their own, in their own layout: nothing is worked out from them (tf_weights.c) */
    /* Keras: asked for a layer of a class nobody knows. True: it is made, or failed; *out is its output 0. NULL: nobody. */
    bool (*layer)(void *user, struct lc_call *c, int32_t *out);
    void *layer_user;
    /* Hears of arguments of layers that have no effect; NULL: nobody. */
    void (*note)(void *user, const char *text);
    void *note_user;
    struct lc_training *training;   /* training.h: the graph is for training; NULL: for inference */
    struct lc_rounding *rounding;   /* rounding.h: of quantisation-aware training; NULL: nothing is rounded */
    struct lc_penalties *penalties; /* penalty.h: activity regularisers are listed there; NULL: nobody asks */
    int32_t *
        masks; /* Keras: [outputs] the graph's output that Keras's mask of output k is, behind the model's own; -1: it has none. NULL: nobody asks */
    struct lc_problems *problems; /* problems.h: all that is wrong goes there; NULL: the first thing ends the lowering */
} lc_lower_options;

#endif
