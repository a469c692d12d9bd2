/*
 * net_fit.c: training: epochs, steps, validation, callbacks, history. One step:
 *
 *     batch ─▶ forward, loss, backward (net_step.c) ─▶ are loss and gradients numbers? ─▶ optimizer ─▶ metrics ─▶ callbacks
 *
 * The order of the samples is the pipeline's, random operators read the number of the step, sums are taken in a fixed order: two runs with one
 * seed give equal bits, with any number of threads. A step that does not end in numbers changes no variable.
 */
#include "api/net.h"

#include "api/net_print.h"

#include <math.h>
#include <string.h>
#include <time.h>

/* ---- one step ------------------------------------------------------------------------------------------------------------- */

typedef struct fitting {
    lc_net *net;
    lc_pipeline *data;
    const lc_fit_options *o;
    uint32_t x[LC_NET_MOST], y[LC_NET_MOST]; /* which array of the batch goes where */
    float *weight;                           /* [rows] of samples and classes together */
    size_t weight_room;
    lc_net_sums sums;
    lc_progress p;
    lc_history *history;
    bool in_epoch; /* training goes on in the middle of an epoch */
    bool in_data;  /* and, where steps_per_epoch cuts them, an epoch in the middle of the data */
    lc_log *logs;
    const char **val_names; /* "val_loss" ..., as many as logs */
    lc_print print;
    double began;
} fitting;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Weights of the samples times those of their classes; NULL: all are 1. */
static lc_status weigh(fitting *f, const lc_batch *batch, const float **out, lc_error *err) {
    *out = batch->weight;
    if (!f->o->class_weight) return LC_OK;
    if (batch->rows > f->weight_room) {
        float *more = lc_realloc(f->weight, batch->rows * sizeof *more);
        if (!more) return lc_fail_memory(err, "weights");
        f->weight = more;
        f->weight_room = batch->rows;
    }
    const lc_array *y = &batch->y[f->y[0]];
    const size_t width = lc_array_count(y) / batch->rows;
    if (f->net->keras->output_count > 1 || y->rank > 2) {
        lc_fail(err, LC_ARGUMENT, "weights of classes need a model with one output, and one class a sample");
        lc_error_hint(err, "give the samples weights of their own (lc_pipeline_arrays.weights)");
        return LC_ARGUMENT;
    }
    float *buffer = lc_malloc((lc_array_count(y) + 1) * sizeof *buffer);
    if (!buffer) return lc_fail_memory(err, "weights");
    lc_status status = lc_net_copy(LC_FLOAT32, buffer, y->type, y->data, lc_array_count(y), err);
    for (uint32_t i = 0; status == LC_OK && i < batch->rows; i++) {
        size_t most = 0;
        for (size_t k = 1; k < width; k++)
            if (buffer[i * width + k] > buffer[i * width + most]) most = k;
        const double class = width == 1 ? nearbyint((double)buffer[i]) : (double)most;
        const double by = class >= 0 && class < f->o->class_count ? f->o->class_weight[(size_t) class] : 1;
        f->weight[i] = (float)((batch->weight ? batch->weight[i] : 1) * by);
    }
    lc_free(buffer);
    *out = f->weight;
    return status;
}

static lc_status not_a_number(fitting *f, double loss, const lc_variable *bad, lc_error *err) {
    const char *what = isfinite(loss) ? "a gradient is not finite" : isnan(loss) ? "the loss is NaN" : "the loss is infinite";
    lc_fail(err, LC_INVALID, "epoch %u, step %llu: %s%s%s", f->p.epoch + 1, (unsigned long long)f->p.step + 1, what,
            !bad             ? ""
            : isfinite(loss) ? ": that of "
                             : "; the first gradient that is not finite: that of ",
            bad ? bad->path : "");
    lc_error_hint(
        err, "a smaller learning rate, clipnorm, or inputs scaled to about -1 ... 1 help most often; the variables are those before the "
             "step");
    return LC_INVALID;
}

static lc_status one_step(fitting *f, const lc_batch *given, lc_error *err) {
    lc_net_fitted fitted;
    lc_net *net = f->net;
    const float *weight;
    lc_net_step *step;
    double loss;
    LC_TRY(lc_net_fit_inputs(net, given, f->x, &fitted, err));
    const lc_batch *batch = &fitted.batch;
    LC_TRY(weigh(f, batch, &weight, err));
    const lc_net_feed feed = {.batch = batch, .x = f->x, .y = f->y, .weight = weight};
    LC_TRY(lc_net_step_get(net, &feed, f->o->max_memory, &step, err));
    const lc_status status = lc_net_step_run(net, step, &feed, (uint64_t)lc_optimizer_iteration(net->optimizer), &loss, err);
    if (status != LC_OK) {
        if (f->data) lc_error_prefix(err, "epoch %u, step %llu", f->p.epoch + 1, (unsigned long long)f->p.step + 1);
        return status;
    }
    const lc_variable *bad = lc_optimizer_not_finite(net->optimizer, net->pool);
    if (!isfinite(loss) || bad) return not_a_number(f, loss, bad, err);
    lc_array pred[LC_NET_MOST];
    lc_target targets[LC_NET_MOST];
    double losses[LC_NET_MOST];
    for (uint32_t k = 0; k < net->keras->output_count; k++) {
        pred[k] = lc_net_step_prediction(step, k);
        targets[k] = (lc_target){.y_true = &batch->y[f->y[k]],
                                 .y_pred = &pred[k],
                                 .weights = weight,
                                 .weight_count = weight ? batch->rows : 0,
                                 .mask = lc_net_step_mask(step, k)};
        losses[k] = lc_net_step_loss(step, k);
    }
    LC_TRY(lc_net_sums_add(net, &f->sums, targets, batch->rows, loss, losses, err));
    lc_optimizer_step(net->optimizer, net->pool);
    return LC_OK;
}

/* ---- epochs --------------------------------------------------------------------------------------------------------------- */

typedef lc_status (*hook)(void *user, lc_progress *p, lc_error *err);

static lc_status call_all(fitting *f, size_t hook_at, lc_error *err) {
    for (size_t i = 0; i < f->o->callback_count; i++) {
        const lc_callback *c = &f->o->callbacks[i];
        const hook h = *(const hook *)(const void *)((const char *)c + hook_at);
        if (h) LC_TRY(h(c->user, &f->p, err));
    }
    return LC_OK;
}
#define CALL(f, name, err) call_all(f, offsetof(lc_callback, name), err)

static void take_logs(fitting *f) {
    f->p.log_count = lc_net_sums_logs(f->net, &f->sums, f->logs);
    f->p.logs = f->logs;
    f->p.seconds = now() - f->began;
    f->p.learning_rate = lc_optimizer_learning_rate(f->net->optimizer);
}

static lc_status validate(fitting *f, lc_error *err) {
    const uint32_t freq = f->o->validation_freq ? f->o->validation_freq : 1;
    if (!f->o->validation || (f->p.epoch + 1) % freq != 0) return LC_OK;
    const lc_evaluate_options o = {.steps = f->o->validation_steps, .threads = f->net->threads, .max_memory = f->o->max_memory};
    lc_net_sums sums;
    LC_TRY(lc_pipeline_seek_epoch(f->o->validation, 0, err));
    const lc_status status = lc_net_evaluate(f->net, f->o->validation, &o, &sums, err);
    if (status != LC_OK) lc_error_prefix(err, "validation data");
    LC_TRY(status);
    const size_t n = f->p.log_count, more = lc_net_sums_logs(f->net, &sums, f->logs + n);
    for (size_t i = 0; i < more; i++) {
        if (!f->val_names[i]) f->val_names[i] = lc_arena_printf(&f->net->arena, "val_%s", f->logs[n + i].name);
        if (!f->val_names[i]) return lc_fail_memory(err, "names");
        f->logs[n + i].name = f->val_names[i];
    }
    f->p.log_count = n + more;
    f->p.seconds = now() - f->began;
    return LC_OK;
}

static lc_net_course course_of(fitting *f, bool in_epoch) {
    return (lc_net_course){f->data,    f->o->callbacks, f->o->callback_count,      &f->p, &f->sums,
                           f->history, in_epoch,        f->o->steps_per_epoch != 0};
}

/* Where a callback has asked for it. */
static lc_status back_up(fitting *f, bool in_epoch, lc_error *err) {
    const char *path = f->p.backup;
    if (!path) return LC_OK;
    f->p.backup = NULL;
    const lc_net_course course = course_of(f, in_epoch);
    return lc_net_backup(f->net, &course, path, err);
}

/* An epoch goes once through the data; with steps_per_epoch it goes on where the one before it stopped, as in Keras. */
static lc_status begin_data(fitting *f, lc_error *err) {
    const bool goes_on = f->o->steps_per_epoch && f->in_data;
    const lc_pipeline_state place = lc_pipeline_tell(f->data);
    f->in_data = true;
    if (!goes_on) return lc_pipeline_seek_epoch(f->data, f->p.epoch, err);
    return place.batches >= lc_pipeline_batches(f->data) ? lc_pipeline_seek_epoch(f->data, place.epoch + 1, err) : LC_OK;
}

static lc_status begin_epoch(fitting *f, lc_error *err) {
    f->began = now();
    if (f->in_epoch) f->p.step++; /* that of the backup is done */
    else {
        f->p.step = 0;
        lc_net_sums_reset(f->net, &f->sums);
        LC_TRY(begin_data(f, err));
    }
    take_logs(f);
    if (!f->in_epoch) LC_TRY(CALL(f, on_epoch_begin, err));
    f->in_epoch = false;
    lc_print_epoch(&f->print, &f->p);
    return LC_OK;
}

static lc_status end_epoch(fitting *f, lc_error *err) {
    if (!f->sums.rows && f->p.stop) return LC_OK; /* a callback stopped before the first step */
    if (!f->sums.rows) {
        lc_fail(err, LC_INVALID, "the data is empty: there is nothing to learn from");
        return LC_INVALID;
    }
    const uint32_t epoch = f->p.epoch;
    const uint64_t step = f->p.step;
    if (!f->p.steps) f->p.steps = step;
    take_logs(f);
    LC_TRY(validate(f, err));
    if (f->p.show_learning_rate) f->logs[f->p.log_count++] = (lc_log){"learning_rate", f->p.learning_rate};
    LC_TRY(lc_history_add(f->history, f->logs, f->p.log_count, err));
    LC_TRY(CALL(f, on_epoch_end, err));
    lc_print_end(&f->print, &f->p);
    if (!f->p.backup) return LC_OK;
    f->p.epoch++; /* what comes next */
    f->p.step = 0;
    const lc_status status = back_up(f, false, err);
    f->p.epoch = epoch;
    f->p.step = step;
    return status;
}

static lc_status one_epoch(fitting *f, lc_error *err) {
    lc_batch batch;
    LC_TRY(begin_epoch(f, err));
    for (; !f->p.stop; f->p.step++) {
        if (f->o->steps_per_epoch && f->p.step == f->o->steps_per_epoch) break;
        LC_TRY(lc_pipeline_next(f->data, &batch, err));
        if (!batch.rows && f->o->steps_per_epoch && !f->p.step) LC_TRY(lc_pipeline_next(f->data, &batch, err)); /* it had just ended */
        if (!batch.rows) break;
        LC_TRY(one_step(f, &batch, err));
        if (f->o->callback_count || lc_print_due(&f->print, f->p.step)) {
            take_logs(f);
            LC_TRY(CALL(f, on_batch_end, err));
            lc_print_step(&f->print, &f->p);
            LC_TRY(back_up(f, true, err));
        }
    }
    return end_epoch(f, err);
}

static lc_status run(fitting *f, lc_error *err) {
    const lc_fit_options *o = f->o;
    const uint64_t batches = lc_pipeline_batches(f->data);
    LC_TRY(lc_net_match(f->net, f->data, false, f->x, err));
    LC_TRY(lc_net_match(f->net, f->data, true, f->y, err));
    if (o->validation) LC_TRY(lc_net_fit_validation(f->net, f->data, o->validation, err));
    f->p = (lc_progress){.net = f->net, .epoch = o->initial_epoch, .epochs = o->epochs ? o->epochs : 1};
    f->p.print = o->print;
    f->p.print_user = o->print_user;
    f->p.steps = o->steps_per_epoch ? o->steps_per_epoch : batches == UINT64_MAX ? 0 : batches;
    LC_TRY(CALL(f, on_train_begin, err));
    if (f->p.resume && lc_path_is_file(f->p.resume)) {
        lc_net_course course = course_of(f, false);
        LC_TRY(lc_net_resume(f->net, &course, f->p.resume, err));
        f->in_epoch = course.in_epoch;
        f->in_data = true;
    }
    for (; f->p.epoch < f->p.epochs && (f->in_epoch || !f->p.stop); f->p.epoch++) LC_TRY(one_epoch(f, err));
    lc_optimizer_finalize(f->net->optimizer);
    return CALL(f, on_train_end, err);
}

lc_status lc_fit(lc_net *net, lc_pipeline *data, const lc_fit_options *options, lc_history **history, lc_error *err) {
    static const lc_fit_options defaults = {0};
    const lc_fit_options *o = options ? options : &defaults;
    if (history) *history = NULL;
    LC_TRY(lc_net_is_compiled(net, err));
    LC_TRY(lc_net_pool(net, o->threads, err));
    fitting f = {
        .net = net, .data = data, .o = o, .print = {.print = o->print, .user = o->print_user, .verbose = o->verbose, .color = o->color}};
    const size_t most = 2 * lc_net_log_most(net) + 1;
    lc_history *h = f.history = lc_calloc(1, sizeof *h);
    f.logs = lc_calloc(most, sizeof *f.logs);
    f.val_names = lc_calloc(most, sizeof *f.val_names);
    lc_status status = h && f.logs && f.val_names ? LC_OK : lc_fail_memory(err, "training");
    if (status == LC_OK) {
        h->capacity = (o->epochs ? o->epochs : 1) - (o->initial_epoch < o->epochs ? o->initial_epoch : 0);
        status = run(&f, err);
    }
    lc_free(f.logs);
    lc_free(f.val_names);
    lc_free(f.weight);
    if (status == LC_OK && history) *history = h;
    else lc_history_destroy(h);
    return status;
}

uint64_t lc_net_step_count(const lc_net *net) { return net->optimizer ? (uint64_t)lc_optimizer_iteration(net->optimizer) : 0; }

lc_status lc_train_on_batch(lc_net *net, const lc_batch *batch, double *loss, lc_error *err) {
    LC_TRY(lc_net_is_compiled(net, err));
    LC_TRY(lc_net_pool(net, 0, err));
    static const lc_fit_options defaults = {0};
    fitting f = {.net = net, .o = &defaults};
    LC_TRY(lc_net_ports_fit(net, err));
    for (uint32_t i = 0; i < LC_NET_MOST; i++) f.x[i] = f.y[i] = i;
    const lc_status status = one_step(&f, batch, err);
    lc_free(f.weight);
    if (loss) *loss = f.sums.rows ? f.sums.loss / (double)f.sums.rows : NAN;
    return status;
}
