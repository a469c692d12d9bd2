/*
 * Metrics of how well numbers follow others: the share of the variance that is explained, and correlations.
 *
 * R2Score gathers over the batches how many numbers there were and, of each output, the sums of the targets, of their squares, of the squared errors
 * and of the weights. The correlations are of the numbers of a row, and averaged over the rows; by Keras's formulas, which have NaN where a row does
 * not vary, and in the concordance the mean of the predictions where the target's would be looked for.
 */
#include "train/metric_impl.h"

/* ---- R2 ----------------------------------------------------------------------------------------------------------- */

enum { SUM, SQUARES, ERRORS, COUNT, SUMS };
enum { MEAN, BY_VARIANCE, EACH };

void lc_r2_setup(lc_metric *m, lc_config *c) {
    const bool none = lc_json_is(lc_json_get(c->json, "class_aggregation"), LC_JSON_NULL);
    m->average =
        none ? EACH
             : lc_config_word(c, "class_aggregation", (const char *const[]){"uniform_average", "variance_weighted_average", "none", NULL});
    m->regressors = lc_config_integer(c, "num_regressors");
    if (m->regressors < 0) lc_config_fail(c, "num_regressors is %lld, needs at least 0", (long long)m->regressors);
}

lc_status lc_r2_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    LC_TRY(lc_target_check(t, true, m->name, err));
    if (t->y_pred->rank != 2)
        return lc_fail(err, LC_ARGUMENT, "%s: an output of %d dimensions, it is of those with 2, [batch, numbers]", m->name,
                       t->y_pred->rank);
    const size_t width = lc_array_width(t->y_pred), rows = width ? lc_array_count(t->y_pred) / width : 0;
    LC_TRY(lc_metric_state(m, 1 + SUMS * width, err));
    const float *labels, *pred = t->y_pred->data;
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &labels, err));
    double *sums = m->state + 1;
    for (size_t row = 0; row < rows; row++) {
        const double weight = (double)lc_target_weight(t, row, rows);
        for (size_t i = 0; i < width; i++) {
            const double y = (double)labels[row * width + i], e = y - (double)pred[row * width + i];
            sums[SUM * width + i] += y * weight;
            sums[SQUARES * width + i] += y * y * weight;
            sums[ERRORS * width + i] += e * e * weight;
            sums[COUNT * width + i] += weight;
        }
    }
    m->state[0] += (double)(rows * width);
    return LC_OK;
}

/* For the number of inputs that the model had to explain with. */
static double adjusted(const lc_metric *m, double score) {
    const double n = m->state[0], p = (double)m->regressors;
    return p == 0 || p >= n - 1 ? score : 1 - (1 - score) * (n - 1) / (n - p - 1);
}

double lc_r2_result(const lc_metric *m) {
    const size_t width = (m->state_count - 1) / SUMS;
    const double *sums = m->state + 1;
    double all = 0, weights = 0;
    for (size_t i = 0; i < width; i++) {
        const double sum = sums[SUM * width + i], total = sums[SQUARES * width + i] - sum * (sum / sums[COUNT * width + i]);
        double score = 1 - sums[ERRORS * width + i] / total;
        if (isinf(score)) score = 0;
        const double weight = m->average == BY_VARIANCE ? total : 1;
        all += weight * (m->average == EACH ? adjusted(m, score) : score);
        weights += weight;
    }
    return m->average == EACH ? all / weights : adjusted(m, all / weights);
}

/* ---- correlations ------------------------------------------------------------------------------------------------- */

void lc_correlation_setup(lc_metric *m, lc_config *c) {
    (void)m;
    if (lc_config_integer(c, "axis") != -1) lc_config_fail(c, "litec correlates along the last axis");
}

typedef struct moments {
    double mean, variance;
} moments;

static moments moments_of(const float *v, size_t n) {
    moments m = {0};
    for (size_t i = 0; i < n; i++) m.mean += (double)v[i] / (double)n;
    for (size_t i = 0; i < n; i++) m.variance += ((double)v[i] - m.mean) * ((double)v[i] - m.mean) / (double)n;
    return m;
}

static lc_status update(lc_metric *m, const lc_target *t, double (*of_row)(const float *x, const float *y, size_t n), lc_error *err) {
    LC_TRY(lc_metric_state(m, 2, err));
    LC_TRY(lc_target_check(t, true, m->name, err));
    const float *labels, *pred = t->y_pred->data;
    LC_TRY(lc_floats_of(t->y_true, &m->labels, &labels, err));
    const size_t width = lc_array_width(t->y_pred), rows = width ? lc_array_count(t->y_pred) / width : 0;
    for (size_t row = 0; row < rows; row++) {
        const double weight = (double)lc_target_weight(t, row, rows);
        m->state[0] += weight * of_row(labels + row * width, pred + row * width, width);
        m->state[1] += weight;
    }
    return LC_OK;
}

static double pearson(const float *x, const float *y, size_t n) {
    const moments a = moments_of(x, n), b = moments_of(y, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)x[i] - a.mean) * ((double)y[i] - b.mean);
    return sum / (double)n / (sqrt(a.variance) * sqrt(b.variance));
}

static double concordance(const float *x, const float *y, size_t n) {
    const moments a = moments_of(x, n), b = moments_of(y, n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ((double)x[i] - b.mean) * ((double)y[i] - b.mean);
    return 2 * sum / (double)n / (a.variance + b.variance + (a.mean - b.mean) * (a.mean - b.mean) + LC_KERAS_EPSILON);
}

lc_status lc_pearson_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    return update(m, t, pearson, err);
}

lc_status lc_concordance_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    (void)pool;
    return update(m, t, concordance, err);
}
