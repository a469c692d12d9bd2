/*
 * target.h: what the outputs of a model are compared with, for losses and metrics: any numeric type, as floats or as classes, row by row.
 */
#ifndef LC_TRAIN_TARGET_H
#define LC_TRAIN_TARGET_H

#include "base/base.h"
#include "litec/train.h"

/* Which rows count: one number for count / rows of them in turn, 0: they do not. NULL: all do. */
typedef struct lc_mask {
    const uint8_t *data;
    size_t count;
} lc_mask;

/* A batch. Shapes are those of Keras: y_pred [batch, ..., n]; y_true the same, or without the last dimension, or with 1 there. */
typedef struct lc_target {
    const lc_array *y_true, *y_pred; /* y_pred: float32 */
    const float *weights;            /* of the samples, or of each row; NULL: all are 1 */
    size_t weight_count;             /* batch, or rows */
    lc_mask mask;
} lc_target;

/* Floats that grow: where numbers of another type are turned into. A zeroed one is empty. */
typedef struct lc_floats {
    float *data;
    size_t capacity;
} lc_floats;
/* Room for n; what was there is lost. LC_NO_MEMORY. */
lc_status lc_floats_reserve(lc_floats *floats, size_t n, lc_error *err);
void lc_floats_deinit(lc_floats *floats);
/* The elements of an array as floats: its own, or those that are turned into the buffer. LC_UNSUPPORTED: not numbers; LC_NO_MEMORY. */
lc_status lc_floats_of(const lc_array *a, lc_floats *buffer, const float **out, lc_error *err);

size_t lc_array_count(const lc_array *a);
/* "[32, 10]" */
const char *lc_array_shape(const lc_array *a, char buffer[LC_MAX_RANK * 14 + 3]);
/* Width of a row: the last dimension, 1 where there is but one (or none). */
size_t lc_array_width(const lc_array *a);
/* What Keras takes "accuracy" and "crossentropy" for. */
typedef enum lc_label_kind { LC_LABEL_BINARY, LC_LABEL_SPARSE, LC_LABEL_CATEGORICAL } lc_label_kind;
lc_label_kind lc_label_kind_of(const lc_array *y_true, const lc_array *y_pred);
/* Do the shapes fit: a number for each of y_pred (dense), or one for each of its rows? who: for the message. LC_ARGUMENT. */
lc_status lc_target_check(const lc_target *t, bool dense, const char *who, lc_error *err);
/* Whether a row counts. */
bool lc_target_counts(const lc_target *t, size_t row, size_t rows);
/* The weight of a row. rows: how many there are. */
float lc_target_weight(const lc_target *t, size_t row, size_t rows);

#endif
