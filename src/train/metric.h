/*
 * metric.h: the metrics of keras.metrics: numbers that are gathered batch by batch.
 */
#ifndef LC_TRAIN_METRIC_H
#define LC_TRAIN_METRIC_H

#include "base/json.h"
#include "base/pool.h"
#include "train/target.h"

typedef struct lc_metric lc_metric;

/* object: JSON of keras.metrics, or a name; of "accuracy" the shapes of y_true and y_pred say which it is (NULL: those of the first batch).
 * LC_ARGUMENT, LC_NO_MEMORY. */
lc_status lc_metric_create(const lc_json *object, const lc_array *y_true, const lc_array *y_pred, lc_metric **metric, lc_error *err);
void lc_metric_destroy(lc_metric *metric);
/* As Keras prints it: "accuracy", "auc". */
const char *lc_metric_name(const lc_metric *metric);
/* Adds a batch. LC_ARGUMENT: shapes that do not fit, labels that are no classes; LC_NO_MEMORY. */
lc_status lc_metric_update(lc_metric *metric, const lc_target *target, lc_pool *pool, lc_error *err);
/* The result since the last reset; of several thresholds or classes without an average, their mean. 0 when there was nothing. */
/* Whether rows that Keras's mask of the output leaves out do not count: of those that are means over rows. */
bool lc_metric_takes_mask(const lc_metric *metric);
double lc_metric_result(const lc_metric *metric);
void lc_metric_reset(lc_metric *metric);
/* What it has gathered, to be saved: *count numbers, NULL: nothing yet; class: what "accuracy" turned out to be, of all metrics their class, NULL:
 * it is open. And back: LC_ARGUMENT: no such class; LC_NO_MEMORY. Where the numbers are not as many as it gathers, the next update fails. */
const double *lc_metric_gathered(const lc_metric *metric, size_t *count, const char **class);
lc_status lc_metric_gather(lc_metric *metric, const double *numbers, size_t count, const char *class, lc_error *err);
/* Whether more is better: what "auto" of EarlyStopping and others goes by. */
bool lc_metric_is_better_high(const lc_metric *metric);

#endif
