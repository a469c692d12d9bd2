/*
 * Metrics that count true and false positives and negatives at thresholds, and what follows from the counts. Thresholds that divide [0, 1]
 * evenly are counted in one pass: each prediction falls between two of them, and is positive for all below; the rounding of that is Keras's.
 *
 * state: true positives, false positives, true negatives, false negatives, each [thresholds]; then two of scratch. With multi_label all of that
 * for each number of the output.
 */
#include "base/alloc.h"
#include "train/metric_impl.h"

#include <stdlib.h>
#include <string.h>

#define LC_MOST_THRESHOLDS 100000
#define LC_NOTHING_IS_BELOW (-1e10f) /* the threshold of the top k */

enum { TP, FP, TN, FN, COUNTS };
_Static_assert(COUNTS + 2 == LC_CONFUSION_NUMBERS, "counts and what adds them up");

static const double *counts_of(const lc_metric *m, int which) { return m->state + (size_t)which * m->threshold_count; }

/* ---- options ------------------------------------------------------------------------------------------------------ */

static bool make_thresholds(lc_metric *m, lc_config *c, uint32_t count) {
    m->threshold_count = count;
    m->thresholds = lc_calloc(count, sizeof *m->thresholds);
    if (!m->thresholds && c->status == LC_OK) c->status = lc_fail_memory(c->err, "a metric");
    return m->thresholds != NULL;
}

static bool is_even(const double *v, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const double even = (double)i / (n - 1);
        if (fabs(v[i] - even) > LC_KERAS_EPSILON + 1e-5 * fabs(even)) return false;
    }
    return n >= 3;
}

/* The argument thresholds, checked; 0: none are given. */
static uint32_t read_thresholds(lc_config *c, double out[64]) {
    const uint32_t n = lc_config_numbers(c, "thresholds", 64, out);
    for (uint32_t i = 0; i < n; i++)
        if (out[i] < 0 || out[i] > 1) lc_config_fail(c, "a threshold of %g; they lie in [0, 1]", out[i]);
    return n;
}

void lc_confusion_setup(lc_metric *m, lc_config *c) {
    if (lc_config_has(c, "top_k")) m->k = lc_config_integer(c, "top_k");
    if (lc_config_has(c, "class_id")) m->class_id = lc_config_integer(c, "class_id");
    if (m->k != LC_NONE && m->k < 1) lc_config_fail(c, "top_k is %lld, at least 1 is wanted", (long long)m->k);
    double given[64] = {m->k == LC_NONE ? 0.5 : (double)LC_NOTHING_IS_BELOW};
    const uint32_t n = read_thresholds(c, given);
    if (c->status != LC_OK || !make_thresholds(m, c, n ? n : 1)) return;
    for (uint32_t i = 0; i < m->threshold_count; i++) m->thresholds[i] = (float)given[i];
    m->even = is_even(given, m->threshold_count);
}

/* So many thresholds from 0 to 1. */
static void make_even(lc_metric *m, lc_config *c) {
    const int64_t n = lc_config_integer(c, "num_thresholds");
    if (n < 2 || n > LC_MOST_THRESHOLDS)
        lc_config_fail(c, "num_thresholds is %lld, it must lie in [2, %d]", (long long)n, LC_MOST_THRESHOLDS);
    if (c->status != LC_OK || !make_thresholds(m, c, (uint32_t)n)) return;
    for (uint32_t i = 0; i < m->threshold_count; i++) m->thresholds[i] = (float)((double)i / (m->threshold_count - 1));
    m->even = true;
}

void lc_at_setup(lc_metric *m, lc_config *c) {
    m->class_id = lc_config_integer(c, "class_id");
    m->held = lc_config_between(c, c->class.fields[0].argument, 0, 1); /* "recall" ...: what is held is the first argument */
    make_even(m, c);
}

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void lc_auc_setup(lc_metric *m, lc_config *c) {
    m->curve = lc_config_word(c, "curve", (const char *const[]){"ROC", "PR", NULL});
    m->summation = lc_config_word(c, "summation_method", (const char *const[]){"interpolation", "minoring", "majoring", NULL});
    m->from_logits = lc_config_flag(c, "from_logits");
    m->multi_label = lc_config_flag(c, "multi_label");
    m->labels_wanted = lc_config_integer(c, "num_labels");
    m->list_count = lc_config_numbers(c, "label_weights", 16, m->list);
    for (uint32_t i = 0; i < m->list_count; i++)
        if (m->list[i] < 0) lc_config_fail(c, "a weight of %g among label_weights", m->list[i]);
    double given[66] = {0};
    const uint32_t n = read_thresholds(c, given + 1);
    if (n) {
        qsort(given + 1, n, sizeof *given, by_size);
        given[n + 1] = 1;
        if (c->status != LC_OK || !make_thresholds(m, c, n + 2)) return;
        for (uint32_t i = 0; i < n + 2; i++) m->thresholds[i] = (float)given[i];
        m->even = is_even(given, n + 2);
    } else make_even(m, c);
    if (!m->thresholds) return;
    m->thresholds[0] = (float)-LC_KERAS_EPSILON; /* 0 and 1 lie between them */
    m->thresholds[m->threshold_count - 1] = (float)(1 + LC_KERAS_EPSILON);
    m->around = true;
}

/* ---- a batch ------------------------------------------------------------------------------------------------------ */

/* Which of the counts a pair at a threshold belongs to. */
static int outcome(bool label, bool positive) { return positive ? (label ? TP : FP) : (label ? FN : TN); }

/* Adds a pair. With even thresholds it goes into the last one it is above, and suffixes are summed at the end of the batch. */
static void add(lc_metric *m, bool label, float pred, double weight) {
    const uint32_t n = m->threshold_count;
    if (!m->even) {
        for (uint32_t i = 0; i < n; i++) m->state[(size_t)outcome(label, pred > m->thresholds[i]) * n + i] += weight;
        return;
    }
    double *scratch = m->state + (size_t)COUNTS * n;
    const float clipped = pred > 0 ? (pred < 1 ? pred : 1) : 0; /* NaN is above nothing */
    const float above = ceilf(clipped * (float)(n - 1)) - 1;
    if (above >= 0 || m->around) scratch[(label ? 0 : n) + (above > 0 ? (uint32_t)above : 0)] += weight;
    for (uint32_t i = 0; i < n; i++) m->state[(size_t)(label ? FN : TN) * n + i] += weight; /* less those above, below */
}

static void sum_suffixes(lc_metric *m) {
    const uint32_t n = m->threshold_count;
    double *scratch = m->state + (size_t)COUNTS * n;
    for (int false_ones = 0; false_ones < 2; false_ones++) {
        double sum = 0;
        double *positive = m->state + (size_t)(false_ones ? FP : TP) * n, *negative = m->state + (size_t)(false_ones ? TN : FN) * n;
        for (uint32_t i = n; i-- > 0;) {
            sum += scratch[false_ones * n + i];
            positive[i] += sum;
            negative[i] -= sum;
        }
    }
    memset(scratch, 0, (size_t)2 * n * sizeof *scratch);
}

/* Whether an element is among the k largest of its row; of equal ones the first. */
static bool in_top(const float *row, size_t width, size_t at, int64_t k) {
    int64_t before = 0;
    for (size_t i = 0; i < width; i++) before += row[i] > row[at] || (row[i] == row[at] && i < at);
    return before < k;
}

lc_status lc_confusion_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    LC_TRY(lc_target_check(t, true, m->name, err));
    const size_t width = lc_array_width(t->y_pred), rows = width ? lc_array_count(t->y_pred) / width : 0;
    const size_t one = (size_t)LC_CONFUSION_NUMBERS * m->threshold_count;
    size_t all = one;
    if (m->list_count && m->list_count != width)
        return lc_fail(err, LC_ARGUMENT, "%s: label_weights has %u numbers, the output %zu", m->name, m->list_count, width);
    if (m->multi_label && m->labels_wanted != LC_NONE && m->labels_wanted && (size_t)m->labels_wanted != width)
        return lc_fail(err, LC_ARGUMENT, "%s: num_labels is %lld, the output has %zu", m->name, (long long)m->labels_wanted, width);
    if (m->multi_label && !lc_mul_size(one, width, &all)) return lc_fail(err, LC_LIMIT, "%s: too many labels", m->name);
    LC_TRY(lc_metric_state(m, all, err));
    const float *labels, *pred = t->y_pred->data;
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &labels, err));
    if (m->class_id != LC_NONE && (m->class_id < 0 || (size_t)m->class_id >= width))
        return lc_fail(err, LC_ARGUMENT, "%s: class_id is %lld, the output has %zu classes", m->name, (long long)m->class_id, width);
    for (size_t row = 0; row < rows; row++) {
        const double weight = (double)lc_target_weight(t, row, rows);
        for (size_t i = 0; i < width; i++) {
            if (m->class_id != LC_NONE && i != (size_t)m->class_id) continue;
            float p = pred[row * width + i];
            if (m->from_logits) p = 1 / (1 + expf(-p));
            if (m->k != LC_NONE && !in_top(pred + row * width, width, i, m->k)) p = LC_NOTHING_IS_BELOW;
            lc_metric of = *m;
            if (m->multi_label) of.state += i * one;
            add(&of, labels[row * width + i] != 0, p, m->list_count && !m->multi_label ? weight * m->list[i] : weight);
        }
    }
    for (size_t i = 0; m->even && i < (m->multi_label ? width : 1); i++) {
        lc_metric of = *m;
        of.state += i * one;
        sum_suffixes(&of);
    }
    return LC_OK;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

static double mean_of(const lc_metric *m, double (*value)(const lc_metric *m, uint32_t i)) {
    double sum = 0;
    for (uint32_t i = 0; i < m->threshold_count; i++) sum += value(m, i);
    return sum / m->threshold_count;
}

#define LC_COUNT(name, which) \
    static double name##_at(const lc_metric *m, uint32_t i) { return counts_of(m, which)[i]; } \
    double lc_##name##_result(const lc_metric *m) { return mean_of(m, name##_at); }
LC_COUNT(true_positives, TP)
LC_COUNT(false_positives, FP)
LC_COUNT(true_negatives, TN)
LC_COUNT(false_negatives, FN)

#define LC_RATE(name, of, with) \
    static double name##_at(const lc_metric *m, uint32_t i) { \
        return lc_metric_ratio(counts_of(m, of)[i], counts_of(m, of)[i] + counts_of(m, with)[i]); \
    }
LC_RATE(precision, TP, FP)
LC_RATE(recall, TP, FN)
LC_RATE(specificity, TN, FP)
LC_RATE(false_rate, FP, TN)

double lc_precision_result(const lc_metric *m) { return mean_of(m, precision_at); }
double lc_recall_result(const lc_metric *m) { return mean_of(m, recall_at); }

/* The most of one where the other is at least what is held. */
static double most_where(const lc_metric *m, double (*value)(const lc_metric *m, uint32_t i),
                         double (*held)(const lc_metric *m, uint32_t i)) {
    double most = 0;
    for (uint32_t i = 0; i < m->threshold_count; i++)
        if ((float)held(m, i) >= (float)m->held) most = fmax(most, value(m, i));
    return most;
}

double lc_sensitivity_at_result(const lc_metric *m) { return most_where(m, recall_at, specificity_at); }
double lc_specificity_at_result(const lc_metric *m) { return most_where(m, specificity_at, recall_at); }
double lc_precision_at_result(const lc_metric *m) { return most_where(m, precision_at, recall_at); }
double lc_recall_at_result(const lc_metric *m) { return most_where(m, recall_at, precision_at); }

/* Between two points of a precision-recall curve the true positives are interpolated, not the precision (Davis and Goadrich 2006). */
static double interpolated_precision_recall(const lc_metric *m) {
    const double *tp = counts_of(m, TP), *fp = counts_of(m, FP), *fn = counts_of(m, FN);
    double area = 0;
    for (uint32_t i = 0; i + 1 < m->threshold_count; i++) {
        const double here = tp[i] + fp[i], next = tp[i + 1] + fp[i + 1], more = tp[i] - tp[i + 1];
        const double slope = lc_metric_ratio(more, fmax(here - next, 0)), intercept = tp[i + 1] - slope * next;
        const double ratio = here > 0 && next > 0 ? here / next : 1;
        area += lc_metric_ratio(slope * (more + intercept * log(ratio)), fmax(tp[i + 1] + fn[i + 1], 0));
    }
    return area;
}

static double area_of(const lc_metric *m) {
    if (m->curve == 1 && m->summation == 0) return interpolated_precision_recall(m);
    double area = 0;
    for (uint32_t i = 0; i + 1 < m->threshold_count; i++) {
        double x[2], y[2];
        for (uint32_t k = 0; k < 2; k++) {
            x[k] = m->curve == 0 ? false_rate_at(m, i + k) : recall_at(m, i + k);
            y[k] = m->curve == 0 ? recall_at(m, i + k) : precision_at(m, i + k);
        }
        area += (x[0] - x[1]) * (m->summation == 0 ? (y[0] + y[1]) / 2 : m->summation == 1 ? fmin(y[0], y[1]) : fmax(y[0], y[1]));
    }
    return area;
}

/* The mean of the labels' own, by their weights. */
double lc_auc_result(const lc_metric *m) {
    const size_t one = (size_t)LC_CONFUSION_NUMBERS * m->threshold_count, labels = m->multi_label ? m->state_count / one : 1;
    double sum = 0, weights = 0;
    for (size_t i = 0; i < labels; i++) {
        lc_metric of = *m;
        of.state += i * one;
        const double weight = m->multi_label && i < m->list_count ? m->list[i] : 1;
        sum += weight * area_of(&of);
        weights += weight;
    }
    return lc_metric_ratio(sum, weights);
}
