/*
 * callback.c: the callbacks of Keras that watch a number, and what all have. What is watched may be missing in an epoch: then who watches it does
 * nothing, and says so once, because a callback that watches nothing would be silence.
 */
#include "api/callback.h"
#include "base/base.h"
#include "train/object.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- what is watched -------------------------------------------------------------------------------------------------- */

char *lc_watch_text(const char *text) {
    char *copy = lc_malloc(strlen(text) + 1);
    if (copy) memcpy(copy, text, strlen(text) + 1);
    return copy;
}

void *lc_watch_make(size_t size, const lc_monitor *monitor, void (*deinit)(void *user), lc_status *status, lc_error *err) {
    static const lc_monitor nothing = {0};
    if (!monitor) monitor = &nothing;
    const char *mode = monitor->mode ? monitor->mode : "auto";
    if (strcmp(mode, "auto") != 0 && strcmp(mode, "min") != 0 && strcmp(mode, "max") != 0) {
        *status = lc_fail(err, LC_ARGUMENT, "a callback's mode is \"%.40s\"", mode);
        lc_error_hint(err, "it is \"min\", \"max\" or \"auto\"");
        return NULL;
    }
    lc_watch *w = lc_calloc(1, size);
    char *name = lc_watch_text(monitor->name ? monitor->name : "val_loss");
    lc_tally *tally = lc_calloc(1, sizeof *tally);
    *status = LC_OK;
    if (!w || !name || !tally) {
        lc_free(w);
        lc_free(name);
        lc_free(tally);
        *status = lc_fail_memory(err, "a callback");
        return NULL;
    }
    w->monitor = *monitor;
    w->name = name;
    w->tally = tally;
    w->tally_size = sizeof *tally;
    w->monitor.min_delta = fabs(monitor->min_delta);
    w->decided = *mode != 'a';
    w->high = mode[2] == 'x';
    w->deinit = deinit;
    return w;
}

void lc_callback_deinit(lc_callback *callback) {
    lc_watch *w = callback ? callback->user : NULL;
    if (w) {
        if (w->deinit) w->deinit(w);
        lc_free(w->name);
        lc_free(w->tally);
        lc_free(w);
    }
    if (callback) *callback = (lc_callback){0};
}

void *lc_watch_memory(void *user, size_t *size) {
    const lc_watch *w = user;
    *size = w->tally_size;
    return w->tally;
}

void lc_watch_say(const lc_watch *w, const char *format, ...) {
    if (!w->monitor.print) return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    w->monitor.print(w->monitor.print_user, text);
}

static void list_names(const lc_progress *p, lc_text *text) {
    for (size_t i = 0; i < p->log_count; i++) lc_text_printf(text, "%s%s", i ? ", " : "", p->logs[i].name);
}

/* Which way is better: less of a loss, and of a metric what its class says. */
static lc_status decide(lc_watch *w, const lc_progress *p, lc_error *err) {
    const lc_net *net = p->net;
    if (w->decided) return LC_OK;
    const char *name = strncmp(w->name, "val_", 4) == 0 ? w->name + 4 : w->name;
    const size_t n = strlen(name);
    w->decided = strcmp(name, "loss") == 0 || (n > 5 && strcmp(name + n - 5, "_loss") == 0);
    for (uint32_t i = 0; net && i < net->metric_count; i++) { /* of several outputs the name of one stands before it */
        const char *metric = lc_metric_name(net->metrics[i]);
        const size_t m = strlen(metric);
        if (m > n || strcmp(name + n - m, metric) != 0 || (m < n && name[n - m - 1] != '_')) continue;
        w->high = lc_metric_is_better_high(net->metrics[i]);
        w->decided = true;
    }
    if (w->decided) return LC_OK;
    lc_text names = {0};
    const char *near[33];
    size_t count = 0;
    for (; count < p->log_count && count < 32; count++) near[count] = p->logs[count].name;
    near[count] = NULL;
    const char *nearest = lc_nearest(w->name, near);
    list_names(p, &names);
    lc_fail(err, LC_ARGUMENT, "a callback watches \"%.100s\", which is not measured; there are: %.300s", w->name,
            names.data ? names.data : "");
    if (nearest) lc_error_hint(err, "did you mean \"%s\"?", nearest);
    else lc_error_hint(err, "watch one of these, or add the metric to lc_compile");
    lc_text_deinit(&names);
    return LC_ARGUMENT;
}

static bool is_better(const lc_watch *w, double value, double than) {
    return w->high ? value - w->monitor.min_delta > than : value + w->monitor.min_delta < than;
}

bool lc_watch_improves(lc_watch *w, double value) {
    lc_tally *t = w->tally;
    if (t->has_best && !is_better(w, value, t->best)) return false;
    t->has_best = true;
    t->best = value;
    return true;
}

const double *lc_watch_find(const lc_progress *p, const char *name) {
    for (size_t i = 0; i < p->log_count; i++)
        if (strcmp(p->logs[i].name, name) == 0) return &p->logs[i].value;
    return NULL;
}

lc_status lc_watch_value(lc_watch *w, const lc_progress *p, const double **value, lc_error *err) {
    *value = lc_watch_find(p, w->name);
    LC_TRY(decide(w, p, err));
    if (*value) w->tally->seen = true;
    if (w->tally->seen || !p->print) return LC_OK;
    w->tally->seen = true; /* said once */
    lc_text text = {0};
    lc_text_printf(&text, "note: a callback watches \"%.100s\", which is not measured; there are: ", w->name);
    list_names(p, &text);
    lc_text_add(&text, "\n");
    if (!text.failed) p->print(p->print_user, text.data);
    lc_text_deinit(&text);
    return LC_OK;
}

/* A number of the options: 0 is the default, -0.0 is zero. */
static double or_default(double v, double otherwise) { return v == 0 && !signbit(v) ? otherwise : v == 0 ? 0 : v; }

/* ---- EarlyStopping ---------------------------------------------------------------------------------------------------- */

typedef struct stopping {
    lc_watch watch; /* tally->kept: all variables of the best epoch */
    uint32_t patience, from;
    bool has_baseline, restore;
    double baseline;
} stopping;

static void copy_variables(lc_net *net, float *kept, bool back) {
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        memcpy(back ? v.value : kept, back ? kept : v.value, v.count * sizeof(float));
        kept += v.count;
    }
}

static void keep(const stopping *s, const lc_progress *p) {
    lc_tally *t = s->watch.tally;
    t->best_epoch = p->epoch;
    t->has_kept = s->restore;
    if (s->restore) copy_variables(p->net, t->kept, false);
}

static lc_status stopping_begin(void *user, lc_progress *p, lc_error *err) {
    stopping *s = user;
    size_t n = 0, size;
    for (size_t i = 0; s->restore && i < lc_net_variable_count(p->net); i++) n += lc_net_variable_at(p->net, i).count;
    lc_tally *tally = lc_mul_size(n, sizeof(float), &size) && lc_add_size(size, sizeof *tally, &size) ? lc_calloc(1, size) : NULL;
    if (!tally) return lc_fail_memory(err, "the best weights");
    lc_free(s->watch.tally);
    s->watch.tally = tally;
    s->watch.tally_size = size;
    return LC_OK;
}

static lc_status stopping_epoch(void *user, lc_progress *p, lc_error *err) {
    stopping *s = user;
    const double *value;
    LC_TRY(lc_watch_value(&s->watch, p, &value, err));
    lc_tally *t = s->watch.tally;
    if (!value || p->epoch < s->from) return LC_OK;
    if (!t->has_kept) keep(s, p); /* also of an epoch that is no number */
    t->waited++;
    if (lc_watch_improves(&s->watch, *value)) {
        if (!s->has_baseline || is_better(&s->watch, *value, s->baseline)) t->waited = 0;
        keep(s, p);
        return LC_OK;
    }
    if (t->waited < s->patience || p->epoch == 0) return LC_OK;
    t->stopped = 1;
    p->stop = true;
    return LC_OK;
}

static lc_status stopping_end(void *user, lc_progress *p, lc_error *err) {
    const stopping *s = user;
    const lc_tally *t = s->watch.tally;
    (void)err;
    if (t->stopped) lc_watch_say(&s->watch, "Epoch %u: early stopping\n", p->epoch);
    if (!t->has_kept) return LC_OK;
    lc_watch_say(&s->watch, "Restoring model weights from the end of the best epoch: %u.\n", (unsigned)t->best_epoch + 1);
    copy_variables(p->net, s->watch.tally->kept, true);
    return LC_OK;
}

lc_status lc_early_stopping(const lc_early_stopping_options *options, lc_callback *callback, lc_error *err) {
    static const lc_early_stopping_options defaults = {0};
    const lc_early_stopping_options *o = options ? options : &defaults;
    *callback = (lc_callback){0};
    lc_status status;
    stopping *s = lc_watch_make(sizeof *s, &o->monitor, NULL, &status, err);
    if (!s) return status;
    s->patience = o->patience;
    s->from = o->start_from_epoch;
    s->restore = o->restore_best_weights;
    s->has_baseline = o->baseline != NULL;
    if (o->baseline) s->baseline = *o->baseline;
    *callback = (lc_callback){.on_train_begin = stopping_begin,
                              .on_epoch_end = stopping_epoch,
                              .on_train_end = stopping_end,
                              .memory = lc_watch_memory,
                              .user = s};
    return LC_OK;
}

/* ---- ReduceLROnPlateau ------------------------------------------------------------------------------------------------ */

typedef struct plateau {
    lc_watch watch;
    double factor, least;
    uint32_t patience, cooldown;
} plateau;

static lc_status plateau_begin(void *user, lc_progress *p, lc_error *err) {
    plateau *s = user;
    (void)err;
    p->show_learning_rate = true;
    s->watch.tally->cooling = s->watch.tally->waited = s->watch.tally->has_best = 0;
    return LC_OK;
}

static lc_status plateau_epoch(void *user, lc_progress *p, lc_error *err) {
    plateau *s = user;
    const double *value;
    LC_TRY(lc_watch_value(&s->watch, p, &value, err));
    lc_tally *t = s->watch.tally;
    if (!value) return LC_OK;
    if (t->cooling) {
        t->cooling--;
        t->waited = 0;
    }
    if (lc_watch_improves(&s->watch, *value)) {
        t->waited = 0;
        return LC_OK;
    }
    if (t->cooling || ++t->waited < s->patience) return LC_OK;
    const double rate = lc_net_learning_rate(p->net);
    if (!(rate > (double)(float)s->least)) return LC_OK;
    const double lower = fmax(rate * s->factor, s->least);
    LC_TRY(lc_net_set_learning_rate(p->net, lower, err));
    lc_text shown = {0};
    lc_text_add_number(&shown, lower);
    lc_watch_say(&s->watch, "\nEpoch %u: ReduceLROnPlateau reducing learning rate to %s.\n", p->epoch + 1,
                 shown.failed ? "less" : shown.data);
    lc_text_deinit(&shown);
    t->cooling = s->cooldown;
    t->waited = 0;
    return LC_OK;
}

lc_status lc_reduce_on_plateau(const lc_reduce_on_plateau_options *options, lc_callback *callback, lc_error *err) {
    static const lc_reduce_on_plateau_options defaults = {0};
    const lc_reduce_on_plateau_options *o = options ? options : &defaults;
    *callback = (lc_callback){0};
    const double factor = or_default(o->factor, 0.1);
    if (!(factor < 1))
        return lc_fail(err, LC_ARGUMENT, "a learning rate cannot be reduced with a factor of %g; it must be below 1", factor);
    lc_monitor monitor = o->monitor;
    monitor.min_delta = or_default(monitor.min_delta, 1e-4);
    lc_status status;
    plateau *s = lc_watch_make(sizeof *s, &monitor, NULL, &status, err);
    if (!s) return status;
    s->factor = factor;
    s->least = o->min_lr;
    s->patience = o->patience ? o->patience : 10;
    s->cooldown = o->cooldown;
    *callback = (lc_callback){.on_train_begin = plateau_begin, .on_epoch_end = plateau_epoch, .memory = lc_watch_memory, .user = s};
    return LC_OK;
}

/* ---- LearningRateScheduler -------------------------------------------------------------------------------------------- */

typedef struct scheduler {
    lc_watch watch;
    lc_rate_function rate;
    void *user;
} scheduler;

static lc_status scheduler_begin(void *user, lc_progress *p, lc_error *err) {
    (void)user;
    (void)err;
    p->show_learning_rate = true;
    return LC_OK;
}

static lc_status scheduler_epoch(void *user, lc_progress *p, lc_error *err) {
    const scheduler *s = user;
    const double rate = s->rate(s->user, p->epoch, lc_net_learning_rate(p->net));
    if (!isfinite(rate) || rate < 0)
        return lc_fail(err, LC_ARGUMENT, "epoch %u: the scheduler gives a learning rate of %g", p->epoch + 1, rate);
    return lc_net_set_learning_rate(p->net, rate, err);
}

lc_status lc_learning_rate_scheduler(lc_rate_function rate, void *user, lc_callback *callback, lc_error *err) {
    *callback = (lc_callback){0};
    if (!rate) return lc_fail(err, LC_ARGUMENT, "no function is given for the learning rate");
    lc_status status;
    scheduler *s = lc_watch_make(sizeof *s, NULL, NULL, &status, err);
    if (!s) return status;
    s->rate = rate;
    s->user = user;
    *callback = (lc_callback){.on_train_begin = scheduler_begin, .on_epoch_begin = scheduler_epoch, .user = s};
    return LC_OK;
}
