/*
 * keras_state.h: what a Keras file has beyond the model: how it was compiled, and the state of its optimizer, so that training goes on.
 */
#ifndef LC_SOURCE_KERAS_STATE_H
#define LC_SOURCE_KERAS_STATE_H

#include "source/keras_read.h"

typedef struct lc_keras_state {
    const lc_json *config;            /* of the model, as the file has it: {"class_name", "config", ...}; NULL: a file of weights */
    const lc_json *compile_config;    /* {"optimizer", "loss", "metrics", ...}; NULL: not compiled. In the words of Keras 3 */
    const lc_keras_weight *optimizer; /* its variables in Keras's order: iteration, learning_rate, then slots; names in an .h5 file:
                                       * "iteration", "dense_kernel_momentum"; in a .keras file their numbers */
    uint32_t optimizer_count;         /* 0: none is saved */
    const char *optimizer_name;       /* "adam"; NULL: not known */
} lc_keras_state;

/* Reads it from a .keras, .h5 or .weights.h5 file; everything lies in the arena. Limits may be NULL. */
lc_status lc_keras_state_read(const char *path, const lc_limits *limits, lc_arena *arena, lc_keras_state *out, lc_error *err);
/* The same from r->map; numbers that lie in one piece are borrowed from it. */
lc_status lc_keras_state_of(const lc_keras_reading *r, lc_keras_state *out, lc_error *err);

#endif
