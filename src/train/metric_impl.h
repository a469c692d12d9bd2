/*
 * metric_impl.h: what a family of metrics sees.
 */
#ifndef LC_TRAIN_METRIC_IMPL_H
#define LC_TRAIN_METRIC_IMPL_H

#include "train/config.h"
#include "train/loss.h"
#include "train/metric.h"

#include <math.h>

struct lc_metric {
    const struct lc_metric_kind *kind;
    char name[64];
    /* what is gathered: state_count numbers, zero after a reset; NULL until the first batch says how many */
    double *state;
    size_t state_count;
    lc_loss *loss; /* of those that are the mean of one */
    lc_floats labels;
    int64_t k; /* top k; LC_NONE: none */
    double threshold, beta, held;
    int64_t class_id, ignore; /* LC_NONE: all, none */
    float *thresholds;
    uint32_t threshold_count;
    bool even, around; /* thresholds divide [0, 1] evenly; the outer ones lie outside of it */
    bool from_logits, dense_true, dense_pred;
    int curve, summation, average;
    uint32_t width;  /* classes */
    double list[16]; /* target classes; weights of labels */
    uint32_t list_count;
    bool multi_label, thresholded;
    int64_t labels_wanted, regressors;
};

/* Reads options; adds a batch; gives the result. */
typedef struct lc_metric_kind {
    const char *name;
    void (*setup)(lc_metric *m, lc_config *c);
    lc_status (*update)(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err);
    double (*result)(const lc_metric *m);
    bool better_high;
} lc_metric_kind;

#define LC_METRIC(class, setup, update, result, high) \
    void setup(lc_metric *m, lc_config *c); \
    lc_status update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err); \
    double result(const lc_metric *m);
#include "train/metrics.def"

/* Room for so many numbers, all zero; nothing when there is some already. */
lc_status lc_metric_state(lc_metric *m, size_t count, lc_error *err);
/* Numbers for each threshold that a confusion matrix keeps: four counts, and two to add them up with. */
enum { LC_CONFUSION_NUMBERS = 6 };
/* The first of the largest. */
size_t lc_metric_argmax(const float *v, size_t n);
static inline double lc_metric_ratio(double a, double b) { return b != 0 ? a / b : 0; }

#endif
