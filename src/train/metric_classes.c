/*
 * Metrics that count for each class: F-beta scores, and the intersection over union, the mean of all classes or some.
 */
#include "train/metric_impl.h"

/* ---- F-beta ------------------------------------------------------------------------------------------------------- */

enum { EACH, MICRO, MACRO, WEIGHTED };

/* state: true positives, false positives, false negatives, weight of the labels; each [width], or one of all with MICRO */
void lc_fbeta_setup(lc_metric *m, lc_config *c) {
    m->beta = lc_config_has(c, "beta") ? lc_config_number(c, "beta") : 1;
    if (!(m->beta > 0)) lc_config_fail(c, "beta is %g, it must be over 0", m->beta);
    if (lc_config_json(c, "average"))
        m->average = 1 + lc_config_word(c, "average", (const char *const[]){"micro", "macro", "weighted", NULL});
    m->threshold = lc_config_number(c, "threshold"); /* NaN: the largest of a row is the positive */
    if (m->threshold <= 0 || m->threshold > 1) lc_config_fail(c, "threshold is %g, it must lie in (0, 1]", m->threshold);
}

lc_status lc_fbeta_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    LC_TRY(lc_target_check(t, true, m->name, err));
    const size_t width = lc_array_width(t->y_pred), rows = width ? lc_array_count(t->y_pred) / width : 0;
    const size_t groups = m->average == MICRO ? 1 : width;
    if (m->state && m->state_count != 4 * groups)
        return lc_fail(err, LC_ARGUMENT, "%s: a row of %zu classes after rows of %zu", m->name, width, m->state_count / 4);
    LC_TRY(lc_metric_state(m, 4 * groups, err));
    const float *labels, *pred = t->y_pred->data;
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &labels, err));
    for (size_t row = 0; row < rows; row++) {
        const double weight = (double)lc_target_weight(t, row, rows);
        const float *p = pred + row * width, most = p[lc_metric_argmax(p, width)];
        for (size_t i = 0; i < width; i++) {
            const double label = (double)labels[row * width + i];
            const bool positive = isnan(m->threshold) ? p[i] >= most && fabsf(p[i]) > 1e-9f : p[i] > (float)m->threshold;
            double *state = m->state + (m->average == MICRO ? 0 : i);
            state[0] += positive ? label * weight : 0;
            state[groups] += positive ? (1 - label) * weight : 0;
            state[2 * groups] += positive ? 0 : label * weight;
            state[3 * groups] += label * weight;
        }
    }
    return LC_OK;
}

double lc_fbeta_result(const lc_metric *m) {
    const size_t groups = m->state_count / 4;
    const double square = m->beta * m->beta;
    double all = 0, sum = 0;
    for (size_t i = 0; i < groups; i++) all += m->state[3 * groups + i];
    for (size_t i = 0; i < groups; i++) {
        const double right = m->state[i];
        const double precision = right / (right + m->state[groups + i] + LC_KERAS_EPSILON),
                     recall = right / (right + m->state[2 * groups + i] + LC_KERAS_EPSILON);
        const double score = precision * recall / (square * precision + recall + LC_KERAS_EPSILON) * (1 + square);
        sum += score * (m->average == WEIGHTED ? m->state[3 * groups + i] / (all + LC_KERAS_EPSILON) : 1 / (double)groups);
    }
    return sum;
}

/* ---- intersection over union -------------------------------------------------------------------------------------- */

/* The classes that count; none: all. */
static void read_targets(lc_metric *m, lc_config *c) {
    if (!lc_config_has(c, "target_class_ids")) return;
    m->list_count = lc_config_numbers(c, "target_class_ids", 16, m->list);
    if (!m->list_count && m->thresholded) m->list_count = 2, m->list[1] = 1;
    if (!m->list_count) lc_config_fail(c, "needs target_class_ids");
    for (uint32_t i = 0; i < m->list_count; i++)
        if (!(m->list[i] >= 0 && m->list[i] < m->width && m->list[i] == floor(m->list[i])))
            lc_config_fail(c, "%g is none of its %u classes", m->list[i], m->width);
}

/* state: [width][width], row: label, column: prediction; weights are whole numbers, as in Keras */
void lc_mean_iou_setup(lc_metric *m, lc_config *c) {
    m->thresholded = !lc_config_has(c, "num_classes");
    const int64_t classes = m->thresholded ? 2 : lc_config_integer(c, "num_classes");
    if (classes < 1 || classes > 65536) lc_config_fail(c, "num_classes is %lld, it must lie in [1, 65536]", (long long)classes);
    m->width = (uint32_t)classes;
    read_targets(m, c);
    if (m->thresholded) {
        m->threshold = lc_config_number(c, "threshold");
        return;
    }
    m->ignore = lc_config_integer(c, "ignore_class");
    m->dense_true = !lc_config_has(c, "sparse_y_true") || !lc_config_flag(c, "sparse_y_true"); /* OneHot... */
    m->dense_pred = !lc_config_flag(c, "sparse_y_pred");
    if (lc_config_integer(c, "axis") != -1) lc_config_fail(c, "classes must lie along the last axis");
}

/* The class of an element: a number, or the largest of a row. */
static int64_t class_of(const float *v, bool dense, size_t width, size_t i) {
    if (dense) return (int64_t)lc_metric_argmax(v + i * width, width);
    return v[i] > -1 && v[i] < 65536 ? (int64_t)v[i] : -1;
}

lc_status lc_mean_iou_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    LC_TRY(lc_metric_state(m, (size_t)m->width * m->width, err));
    const float *labels, *pred = t->y_pred->data;
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &labels, err));
    const size_t true_width = m->dense_true ? lc_array_width(t->y_true) : 1, pred_width = m->dense_pred ? lc_array_width(t->y_pred) : 1;
    const size_t n = true_width ? lc_array_count(t->y_true) / true_width : 0;
    char a[LC_MAX_RANK * 14 + 3], b[LC_MAX_RANK * 14 + 3];
    if (t->y_pred->type != LC_FLOAT32 || n * pred_width != lc_array_count(t->y_pred) || (t->weights && n % t->weight_count != 0)) {
        lc_fail(err, LC_ARGUMENT, "%s: targets of shape %s do not fit an output of shape %s", m->name, lc_array_shape(t->y_true, a),
                lc_array_shape(t->y_pred, b));
        lc_error_hint(err, "a model that gives a number for each class needs sparse_y_pred = false (.dense_pred = true)");
        return LC_ARGUMENT;
    }
    for (size_t i = 0; i < n; i++) {
        const int64_t label = class_of(labels, m->dense_true, true_width, i),
                      guess = m->thresholded ? pred[i] >= (float)m->threshold : class_of(pred, m->dense_pred, pred_width, i);
        if (label < 0 || label >= m->width || guess < 0 || guess >= m->width || label == m->ignore) continue;
        m->state[(size_t)label * m->width + (size_t)guess] += trunc((double)lc_target_weight(t, i, n));
    }
    return LC_OK;
}

double lc_mean_iou_result(const lc_metric *m) {
    double sum = 0, valid = 0;
    for (size_t i = 0; i < (m->list_count ? m->list_count : m->width); i++) {
        const size_t k = m->list_count ? (size_t)m->list[i] : i;
        double all = -m->state[k * m->width + k];
        for (size_t j = 0; j < m->width; j++) all += m->state[k * m->width + j] + m->state[j * m->width + k];
        if (all <= 1e-9) continue; /* neither label nor guess: the class does not count */
        sum += m->state[k * m->width + k] / (all + LC_KERAS_EPSILON);
        valid++;
    }
    return sum / (valid + LC_KERAS_EPSILON);
}
