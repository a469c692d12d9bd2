/*
 * loss_impl.h: what a loss sees: one row of a batch.
 */
#ifndef LC_TRAIN_LOSS_IMPL_H
#define LC_TRAIN_LOSS_IMPL_H

#include "train/config.h"
#include "train/loss.h"

#include <math.h>

#define LC_EPSILON (float)LC_KERAS_EPSILON
#define LC_BELOW_ONE (float)(1 - LC_KERAS_EPSILON)

typedef struct lc_loss_options {
    bool from_logits, balance;
    float smoothing, alpha, beta, gamma, delta;
    bool signs; /* of hinges: labels are 0 and 1, and become -1 and 1 */
} lc_loss_options;

/* The loss that a metric of this configuration is the mean of; NULL: it is none of these. */
lc_status lc_loss_of_metric(lc_config *c, const lc_array *y_pred, lc_loss **loss);

/* The loss of a row: targets t[n], or the class `label`; p[n] what the model gave; g[n], where it is not NULL, receives the gradient. */
typedef float (*lc_loss_row)(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n);

#define LC_LOSS(class, row, targets, activation) \
    float row(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n);
#include "train/losses.def"

#endif
