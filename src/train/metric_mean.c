/*
 * Metrics that are means over the rows: of a loss, or of whether a row was right. state: the weighted sum, the sum of the weights.
 */
#include "train/loss_impl.h"
#include "train/metric_impl.h"

#include <string.h>

static void add(lc_metric *m, const lc_target *t, size_t rows, size_t row, double value) {
    const double weight = (double)lc_target_weight(t, row, rows);
    m->state[0] += weight != 0 ? value * weight : 0;
    m->state[1] += weight;
}

double lc_mean_result(const lc_metric *m) { return lc_metric_ratio(m->state[0], m->state[1]); }
double lc_minus_mean_result(const lc_metric *m) { return -lc_mean_result(m); } /* the loss counts down, the metric up */
double lc_root_mean_result(const lc_metric *m) { return sqrt(lc_mean_result(m)); }

/* ---- of a loss ---------------------------------------------------------------------------------------------------- */

void lc_mean_loss_setup(lc_metric *m, lc_config *c) {
    if (c->status == LC_OK) c->status = lc_loss_of_metric(c, NULL, &m->loss);
}

lc_status lc_mean_loss_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    LC_TRY(lc_metric_state(m, 2, err));
    const float *values;
    LC_TRY(lc_loss_rows(m->loss, t, pool, &values, err));
    const size_t width = lc_array_width(t->y_pred), rows = width ? lc_array_count(t->y_pred) / width : 0;
    for (size_t row = 0; row < rows; row++) add(m, t, rows, row, (double)values[row]);
    return LC_OK;
}

/* ---- of what is right --------------------------------------------------------------------------------------------- */

void lc_accuracy_setup(lc_metric *m, lc_config *c) {
    if (lc_config_has(c, "threshold")) m->threshold = lc_config_number(c, "threshold");
    if (lc_config_has(c, "k")) m->k = lc_config_integer(c, "k");
    if (m->k != LC_NONE && m->k < 1) lc_config_fail(c, "k is %lld, at least 1 is wanted", (long long)m->k);
}

/* A batch as rows of floats. */
typedef struct rows {
    const float *labels, *pred;
    size_t count, width;
} rows;

static lc_status open_rows(lc_metric *m, const lc_target *t, bool dense, rows *r, lc_error *err) {
    LC_TRY(lc_metric_state(m, 2, err));
    LC_TRY(lc_target_check(t, dense, m->name, err));
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &r->labels, err));
    r->pred = t->y_pred->data;
    r->width = lc_array_width(t->y_pred);
    r->count = r->width ? lc_array_count(t->y_pred) / r->width : 0;
    return LC_OK;
}

/* Whether the class is the first of the largest or, with k, no more than k - 1 are larger. */
static bool is_right(const lc_metric *m, const float *pred, size_t width, float label) {
    if (m->k == LC_NONE) return (float)lc_metric_argmax(pred, width) == label;
    if (!(label >= 0 && label < (float)width) || !isfinite(pred[(size_t)label])) return false;
    int64_t larger = 0;
    for (size_t i = 0; i < width; i++) larger += pred[i] > pred[(size_t)label];
    return larger < m->k;
}

lc_status lc_sparse_accuracy_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    rows r;
    LC_TRY(open_rows(m, t, false, &r, err));
    for (size_t i = 0; i < r.count; i++) add(m, t, r.count, i, is_right(m, r.pred + i * r.width, r.width, r.labels[i]));
    return LC_OK;
}

lc_status lc_categorical_accuracy_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    rows r;
    LC_TRY(open_rows(m, t, true, &r, err));
    for (size_t i = 0; i < r.count; i++) {
        const float label = (float)lc_metric_argmax(r.labels + i * r.width, r.width);
        add(m, t, r.count, i, is_right(m, r.pred + i * r.width, r.width, label));
    }
    return LC_OK;
}

/* The share of the elements of a row that are equal; binary: with what the prediction is by the threshold. */
static lc_status equal_update(lc_metric *m, const lc_target *t, bool binary, lc_error *err) {
    rows r;
    LC_TRY(open_rows(m, t, true, &r, err));
    const float threshold = (float)m->threshold;
    for (size_t i = 0; i < r.count; i++) {
        size_t equal = 0;
        for (size_t j = i * r.width; j < (i + 1) * r.width; j++) {
            const float pred = binary ? (r.pred[j] > threshold ? 1.0f : 0.0f) : r.pred[j];
            equal += pred == r.labels[j];
        }
        add(m, t, r.count, i, (double)equal / (double)r.width);
    }
    return LC_OK;
}

lc_status lc_accuracy_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    return equal_update(m, t, false, err);
}

lc_status lc_binary_accuracy_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    return equal_update(m, t, true, err);
}
