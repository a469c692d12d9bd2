/*
 * loss.h: the losses of keras.losses: their value over a batch and, in the same pass, its gradient with respect to what the model gave.
 */
#ifndef LC_TRAIN_LOSS_H
#define LC_TRAIN_LOSS_H

#include "base/json.h"
#include "base/pool.h"
#include "train/target.h"

typedef struct lc_loss lc_loss;

/* object: JSON of keras.losses, or a name; of "crossentropy" the shapes of y_true and y_pred say which it is (NULL: lc_loss_decide does, or
 * the first batch). LC_ARGUMENT, LC_UNSUPPORTED (an axis that is not the last), LC_NO_MEMORY. */
lc_status lc_loss_create(const lc_json *object, const lc_array *y_true, const lc_array *y_pred, lc_loss **loss, lc_error *err);
void lc_loss_destroy(lc_loss *loss);
/* Of "crossentropy" without shapes: which one it is. Does nothing to other losses, and nothing the second time. */
void lc_loss_decide(lc_loss *loss, const lc_array *y_true, const lc_array *y_pred);
const char *lc_loss_name(const lc_loss *loss);
/* Whether targets are classes, a number a row. */
bool lc_loss_is_sparse(const lc_loss *loss);
/* "softmax", "sigmoid" or NULL: the activation that a model for this loss ends with. */
const char *lc_loss_activation(const lc_loss *loss);
/* Whether Keras computes the loss from what went into this activation ("softmax", "sigmoid", other) when the model ends with it, which neither
 * saturates nor loses digits: the cross entropies take what went into either. lc_loss_take_logits: y_pred is that from now on. */
bool lc_loss_reads_behind(const lc_loss *loss, const char *activation);
void lc_loss_take_logits(lc_loss *loss);

/* The loss of a batch in *total, reduced as the loss says, times factor; gradient (NULL: not wanted) [elements of y_pred] receives its
 * gradient. The same whatever the number of threads. LC_ARGUMENT: shapes that do not fit, a class that is none; LC_NO_MEMORY. */
lc_status lc_loss_run(lc_loss *loss, const lc_target *target, float factor, lc_pool *pool, double *total, float *gradient, lc_error *err);
/* The loss of each row, [rows], neither weighted nor reduced; valid until the next call. For metrics. */
lc_status lc_loss_rows(lc_loss *loss, const lc_target *target, lc_pool *pool, const float **rows, lc_error *err);

#endif
