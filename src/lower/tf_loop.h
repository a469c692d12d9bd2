/*
 * tf_loop.h: a counted loop that a lowering makes itself, for algorithms whose number of steps is a size: WHILE with a body that is built
 * by a callback.
 */
#ifndef LC_LOWER_TF_LOOP_H
#define LC_LOWER_TF_LOOP_H

#include "lower/tf_array.h"

#define LC_TF_LOOP_VALUES 132

/* One step: c->b builds into the body, `i` is the step's number (an int32 scalar), values are replaced by those of the next step, of the
 * same types and shapes. Only tensors of the body may be used. */
typedef void (*lc_tf_step)(lc_tf_call *c, int32_t i, int32_t *values, void *user);

/* Runs `steps` (an int32 scalar) steps over n values, which are replaced by the results. False after a failure. (tf_loop.c) */
bool lc_tf_loop(lc_tf_call *c, int32_t steps, int32_t *values, uint32_t n, lc_tf_step step, void *user);

/* ---- batches of matrices (tf_linalg.c) ------------------------------------------------------------------------------ */

typedef struct lc_tf_matrix {
    int32_t x;          /* [batch, rows, cols] of float32 */
    int32_t as;         /* the input: what its shape has before the last two dimensions is the results' */
    int32_t rows, cols; /* int32 scalars */
    lc_dtype type;      /* of the input */
} lc_tf_matrix;

/* x as a batch of matrices. False after a failure or when it is missing. square: rows and columns must be as many. */
bool lc_tf_matrices(lc_tf_call *c, int32_t x, bool square, lc_tf_matrix *m);
/* A result [batch, ...] with the batch dimensions of the input, in this type. */
int32_t lc_tf_matrices_back(lc_tf_call *c, const lc_tf_matrix *m, int32_t y, lc_dtype type);

#endif
