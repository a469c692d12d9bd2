/*
 * Metrics: making one, and what all have. Each gathers a few numbers in double, in the order of the rows, so that neither threads nor the size
 * of the batches change the result by more than rounding.
 */
#include "train/metric_impl.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const lc_metric_kind kinds[] = {
#define LC_METRIC(class, setup, update, result, high) {#class, setup, update, result, high},
#include "train/metrics.def"
};

static const lc_metric_kind *kind_of(const char *class) {
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, class) == 0) return &kinds[i];
    return NULL;
}

/* What "accuracy" may be, by lc_label_kind_of. */
static const char *const accuracies[] = {"BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"};

static void decide(lc_metric *m, const lc_array *y_true, const lc_array *y_pred) {
    m->kind = kind_of(accuracies[lc_label_kind_of(y_true, y_pred)]);
}

static const lc_metric_kind *accuracy_of(const char *class) {
    for (size_t i = 0; i < sizeof accuracies / sizeof *accuracies; i++)
        if (strcmp(accuracies[i], class) == 0) return kind_of(class);
    return NULL;
}

lc_status lc_metric_create(const lc_json *object, const lc_array *y_true, const lc_array *y_pred, lc_metric **metric, lc_error *err) {
    *metric = NULL;
    lc_config c;
    LC_TRY(lc_config_open(LC_CLASS_METRIC, object, &c, err));
    lc_metric *m = lc_calloc(1, sizeof *m);
    if (!m) return lc_fail_memory(err, "a metric");
    /* by a name alone it is called as it was asked for; "accuracy" is of no kind yet */
    const char *asked = lc_json_is(object, LC_JSON_STRING) ? object->string : NULL;
    const bool open = asked && (strcasecmp(asked, "accuracy") == 0 || strcasecmp(asked, "acc") == 0);
    char buffer[64];
    snprintf(m->name, sizeof m->name, "%s", asked ? asked : lc_config_name(&c, buffer));
    m->class_id = m->ignore = m->k = LC_NONE;
    m->threshold = 0.5;
    m->kind = open ? NULL : kind_of(c.class.name);
    if (m->kind) m->kind->setup(m, &c);
    else if (y_true && y_pred) decide(m, y_true, y_pred);
    if (c.status == LC_OK) *metric = m;
    else lc_metric_destroy(m);
    return c.status;
}

void lc_metric_destroy(lc_metric *m) {
    if (!m) return;
    lc_loss_destroy(m->loss);
    lc_floats_deinit(&m->labels);
    lc_free(m->state);
    lc_free(m->thresholds);
    lc_free(m);
}

const char *lc_metric_name(const lc_metric *m) { return m->name; }
bool lc_metric_is_better_high(const lc_metric *m) { return !m->kind || m->kind->better_high; }

lc_status lc_metric_state(lc_metric *m, size_t count, lc_error *err) {
    if (m->state && m->state_count != count)
        return lc_fail(err, LC_ARGUMENT, "%s: it has gathered %zu numbers, and now there are %zu", m->name, m->state_count, count);
    if (m->state) return LC_OK;
    m->state = lc_calloc(count, sizeof *m->state);
    if (!m->state) return lc_fail_memory(err, "a metric");
    m->state_count = count;
    return LC_OK;
}

size_t lc_metric_argmax(const float *v, size_t n) {
    size_t most = 0;
    for (size_t i = 1; i < n; i++)
        if (v[i] > v[most]) most = i;
    return most;
}

lc_status lc_metric_update(lc_metric *m, const lc_target *t, lc_pool *pool, lc_error *err) {
    if (!m->kind) decide(m, t->y_true, t->y_pred);
    return m->kind->update(m, t, pool, err);
}

bool lc_metric_takes_mask(const lc_metric *m) {
    return !m->kind || (m->kind->result == lc_mean_result || m->kind->result == lc_minus_mean_result);
}

double lc_metric_result(const lc_metric *m) { return m->kind && m->state ? m->kind->result(m) : 0; }

void lc_metric_reset(lc_metric *m) {
    if (m->state) memset(m->state, 0, m->state_count * sizeof *m->state);
}

const double *lc_metric_gathered(const lc_metric *m, size_t *count, const char **class) {
    *count = m->state ? m->state_count : 0;
    *class = m->kind ? m->kind->name : NULL;
    return m->state;
}

/* How many numbers a result reads at least; a state from a file may have fewer. */
static size_t least_of(const lc_metric *m) {
    if (m->threshold_count) return (size_t)LC_CONFUSION_NUMBERS * m->threshold_count;
    return m->width ? (size_t)m->width * m->width : 2;
}

lc_status lc_metric_gather(lc_metric *m, const double *numbers, size_t count, const char *class, lc_error *err) {
    if (!m->kind && class) m->kind = accuracy_of(class);
    if (class && (!m->kind || strcmp(m->kind->name, class) != 0)) return lc_fail(err, LC_ARGUMENT, "%s: it is no %.60s", m->name, class);
    lc_free(m->state);
    m->state = NULL;
    if (!count) return LC_OK;
    if (count < least_of(m)) return lc_fail(err, LC_ARGUMENT, "%s: %zu numbers are fewer than it gathers", m->name, count);
    LC_TRY(lc_metric_state(m, count, err));
    memcpy(m->state, numbers, count * sizeof *numbers);
    return LC_OK;
}
