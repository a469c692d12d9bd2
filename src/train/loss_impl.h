/*
 * loss_impl.h: what a loss sees: one row of a batch.
 */
#ifndef LC_TRAIN_LOSS_IMPL_H
#define LC_TRAIN_LOSS_IMPL_H

#include "ops/build.h"
#include "train/config.h"
#include "train/loss.h"

#include <math.h>

#define LC_EPSILON (float)LC_KERAS_EPSILON
#define LC_BELOW_ONE (float)(1 - LC_KERAS_EPSILON)

typedef struct lc_loss_options {
    bool from_logits, balance;
    float smoothing, alpha, beta, gamma, delta, q;
    const float *alphas; /* one a class, instead of alpha; NULL: none */
    uint32_t alpha_count;
    bool samples; /* of Dice: each sample is a row, not the whole batch */
    bool signs;   /* of hinges: labels are 0 and 1, and become -1 and 1 */
} lc_loss_options;

/* The loss that a metric of this configuration is the mean of; NULL: it is none of these. */
lc_status lc_loss_of_metric(lc_config *c, const lc_array *y_pred, lc_loss **loss);

/* Of a loss that sums over axes: whether they are those of a sample of this rank. LC_UNSUPPORTED. */
lc_status lc_loss_check_axes(const lc_loss *l, int32_t rank, lc_error *err);

/* The loss of a row: targets t[n], or the class `label`; p[n] what the model gave; g[n], where it is not NULL, receives the gradient. */
typedef float (*lc_loss_row)(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n);

/* The losses of the rows, pred's shape without its last dimension (a scalar where the batch is one row): t as floats of p's shape. */
typedef int32_t (*lc_loss_rows_graph)(const lc_loss_options *o, lc_builder *b, int32_t t, int32_t p);

#define LC_LOSS(class, row, targets, activation, rows) \
    float row(const lc_loss_options *o, const float *t, int64_t label, const float *p, float *g, size_t n); \
    int32_t rows(const lc_loss_options *o, lc_builder *b, int32_t t, int32_t p);
#include "train/losses.def"

typedef enum lc_loss_reduction {
    LC_SUM_OVER_BATCH_SIZE,
    LC_MEAN_OF_ROWS,
    LC_SUM,
    LC_MEAN_WITH_SAMPLE_WEIGHT,
    LC_NO_REDUCTION
} lc_loss_reduction;
typedef enum lc_loss_targets { LC_TARGETS_DENSE, LC_TARGETS_CLASSES, LC_TARGETS_SIGNS, LC_TARGETS_WHOLE } lc_loss_targets;

struct lc_loss {
    lc_loss_row row;
    lc_loss_rows_graph rows;
    lc_loss_options options;
    lc_loss_targets targets;
    bool undecided;
    const char *activation;
    lc_loss_reduction reduction;
    int64_t ignore; /* LC_NONE: no class is ignored */
    char name[64];
    int32_t axes[LC_MAX_RANK]; /* of Dice: what it sums over; none: everything */
    uint32_t axis_count;
    lc_floats labels, values, alphas;
};

#endif
