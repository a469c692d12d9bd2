/*
 * calibrate.c: the range of every float32 tensor over samples. One thread reads batches, one for each worker; each worker runs its own
 * session of the model (they share the weights) and sees every value of the run; then what they saw is taken over in the order of the batches.
 * No more than one batch a worker is in memory.
 *
 * Methods that clip look at the samples twice: the first time for the extremes, the second for histograms between them.
 *
 * What stays true: the result has the same bits whatever the number of threads. Extremes and counts do not depend on an order, averages are
 * taken in the order of the batches, and each batch begins with the model's state at zero. A model that carries something else from run to run
 * (variables, random numbers) has one worker, and begins anew for the second look.
 *
 * Masks in front of SOFTMAX do not count (mask.c). LSTM operators are run a second time by cell.c, for what integer ones keep inside.
 *
 * Refused: no samples, NaN and infinity, named with the sample and the layer. Not ranged: constants, tensors of other types, empty ones.
 */
#include "quant/cell.h"
#include "quant/observe.h"

#include "base/pool.h"
#include "runtime/session.h"

#include <math.h>
#include <string.h>

enum { MOST_WORKERS = 64 };
static const double average_rate = 0.01; /* of a new batch in a moving average; TensorFlow's factor 0.99 for what was */

/* Of a tensor whose mean is wanted, by its last dimension. */
typedef struct channel_sums {
    uint32_t channels; /* 0: no mean of this one */
    uint64_t rows;
    double *of; /* [channels] */
} channel_sums;

/* What one worker saw in a run. */
typedef struct worker {
    struct look *look;
    lc_session *session;
    uint32_t samples;      /* of its batch */
    uint64_t first;        /* the number of the first of them */
    lc_range *ranges;      /* [look->count] of this run */
    lc_range *kept;        /* [look->tensors] of all runs, without masks */
    lc_histogram **counts; /* [look->tensors], of all runs; NULL: none for this tensor */
    channel_sums *sums;    /* [look->tensors] of this run; NULL: no means were asked for */
    lc_cell_run *cells;    /* [look->cell_count] */
    bool bad;              /* NaN or infinity: of which operator and where */
    lc_watched at;
    uint64_t bad_row; /* sample in the batch; UINT64_MAX: not known */
    float bad_value;
    lc_status status;
    lc_error err;
} worker;

/* One pass over the samples. Tensors of all graphs have one numbering: tensor t of graph g is start[g] + t. */
typedef struct look {
    lc_model *model;
    const lc_quantize_options *options;
    lc_arena arena;
    lc_pool *pool;
    worker *workers;
    int32_t worker_count;
    bool alone; /* state goes from run to run */
    size_t *start, count;
    lc_range *kept;     /* [tensors] of values that are no masks */
    bool *masked;       /* [tensors] whose range leaves masks out */
    channel_sums *sums; /* [tensors] of all runs; NULL: no means were asked for */
    lc_cell *cells;
    size_t cell_count, tensors; /* ranges[tensors] and on: an lc_range_state for each cell */
    lc_range *ranges;           /* [count] what is known so far */
    lc_histogram **counts;      /* [tensors] in the second pass; NULL: no histogram */
    bool counting;              /* this is the second pass */
    uint64_t samples, done, all;
} look;

_Static_assert(sizeof(lc_range_state) % sizeof(lc_range) == 0, "a state is an array of ranges");
enum { STATE_RANGES = sizeof(lc_range_state) / sizeof(lc_range) };

static lc_range_state *state_of(const look *l, lc_range *ranges, size_t cell) {
    return (lc_range_state *)(void *)(ranges + l->tensors) + cell;
}

static void widen(lc_range *to, lc_range by) {
    if (!by.seen) return;
    to->low = to->seen ? fminf(to->low, by.low) : by.low;
    to->high = to->seen ? fmaxf(to->high, by.high) : by.high;
    to->seen = true;
}

/* ---- watching --------------------------------------------------------------------------------------------------- */

static void note_bad(worker *w, const lc_watched *seen, const float *x, size_t n) {
    size_t i = 0;
    while (i + 1 < n && isfinite(x[i])) i++;
    const lc_tensor_view *v = &seen->view;
    const bool rows = w->samples && v->rank > 0 && (uint32_t)v->dims[0] == w->samples;
    w->bad = true;
    w->at = *seen;
    w->bad_value = x[i];
    w->bad_row = rows ? i / (n / w->samples) : w->samples == 1 ? 0 : UINT64_MAX;
}

static void watch_cells(worker *w, const lc_watched *seen) {
    const look *l = w->look;
    for (size_t i = 0; i < l->cell_count; i++) {
        const lc_cell *c = &l->cells[i];
        if (c->graph != seen->graph) continue;
        if (c->input == seen->tensor) lc_cell_take_input(c, &w->cells[i], &seen->view);
        for (int k = 0; k < 2; k++)
            if (c->states[k] == seen->tensor) lc_cell_take_state(&w->cells[i], k, &seen->view);
        if (c->node == seen->node) lc_cell_observe(c, &w->cells[i], state_of(l, w->ranges, i));
    }
}

static void add_sums(channel_sums *to, const float *x, size_t n) {
    const size_t c = to->channels;
    for (size_t i = 0; i + c <= n; i += c, to->rows++)
        for (size_t k = 0; k < c; k++) to->of[k] += (double)x[i + k];
}

static void watch(void *user, const lc_watched *seen) {
    worker *w = user;
    const look *l = w->look;
    const size_t n = seen->view.size / sizeof(float);
    if (seen->view.type != LC_FLOAT32 || n == 0 || !seen->view.data || w->bad || seen->graph >= l->model->graph_count) return;
    const size_t t = l->start[seen->graph] + (size_t)seen->tensor;
    if (!l->counting) {
        lc_range r = {0};
        if (lc_observe_extremes(seen->view.data, n, &r)) {
            widen(&w->ranges[t], r);
            if (r.low > -LC_MASK_LEAST && r.high < LC_MASK_LEAST) widen(&w->kept[t], r);
            else lc_observe_kept(seen->view.data, n, &w->kept[t]);
            watch_cells(w, seen);
        } else {
            note_bad(w, seen, seen->view.data, n);
        }
        if (l->sums && l->sums[t].channels && !w->bad) add_sums(&w->sums[t], seen->view.data, n);
    } else if (w->counts[t]) {
        lc_observe_count(seen->view.data, n, w->counts[t]);
    }
}

static lc_status bad_value(const worker *w, const char *signature, lc_error *err) {
    const lc_watched *s = &w->at;
    const lc_graph *g = w->look->model->graphs[s->graph];
    const bool input = s->node == LC_NO_NODE;
    const char *what = isnan(w->bad_value) ? "NaN" : w->bad_value < 0 ? "-infinity" : "infinity";
    const char *name = s->view.name ? s->view.name : "";
    const char *layer = !input && s->node < g->node_count && g->nodes[s->node].layer ? g->nodes[s->node].layer : name;
    if (input) lc_fail(err, LC_INVALID, "input %.80s holds %s", name, what);
    else lc_fail(err, LC_INVALID, "layer %.80s (%s) gives %s", layer, s->op, what);
    if (input) lc_error_hint(err, "leave such samples out or replace the values that are missing");
    else
        lc_error_hint(err, "the float model itself computes no number there, so there is no range to quantise; run it on this sample "
                           "with `litec run`, and look at how the sample is scaled");
    if (w->bad_row != UINT64_MAX) lc_error_prefix(err, "sample %llu", (unsigned long long)(w->first + w->bad_row));
    else lc_error_prefix(err, "samples %llu to %llu", (unsigned long long)w->first, (unsigned long long)(w->first + w->samples - 1));
    if (signature) lc_error_prefix(err, "signature %.80s", signature);
    return LC_INVALID;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

static void run_worker(void *arg, int64_t begin, int64_t end, int32_t thread) {
    look *l = arg;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        worker *w = &l->workers[i];
        if (!l->alone) lc_session_reset(w->session);
        for (size_t c = 0; c < l->cell_count && !l->alone; c++) lc_cell_reset(&l->cells[c], &w->cells[c]);
        w->status = lc_session_run(w->session, &w->err);
    }
}

static void move_sums(channel_sums *to, channel_sums *from) {
    for (uint32_t k = 0; k < to->channels; k++) {
        to->of[k] += from->of[k];
        from->of[k] = 0;
    }
    to->rows += from->rows;
    from->rows = 0;
}

/* Takes over what the first n workers saw, in the order of their batches. */
static lc_status take(look *l, int32_t n, const char *signature, lc_error *err) {
    for (int32_t i = 0; i < n; i++) {
        worker *w = &l->workers[i];
        if (w->bad) return bad_value(w, signature, err);
        for (size_t c = 0; c < l->cell_count; c++)
            if (w->cells[c].failed) return lc_fail_memory(err, "an LSTM's state");
        if (w->status != LC_OK) {
            if (err) *err = w->err;
            if (err && err->status == LC_INVALID && !err->hint[0])
                lc_error_hint(err,
                              "look whether that sample holds what the model takes (an index in range, say): `litec run` with it alone");
            lc_error_prefix(err, "sample %llu", (unsigned long long)w->first);
            return w->status;
        }
        for (size_t t = 0; !l->counting && t < l->count; t++) {
            lc_range *to = &l->ranges[t], from = w->ranges[t];
            if (!from.seen) continue;
            if (!to->seen) {
                *to = from;
            } else if (l->options->calibration == LC_CALIBRATE_AVERAGE) {
                to->low = (float)((double)to->low + average_rate * ((double)from.low - (double)to->low));
                to->high = (float)((double)to->high + average_rate * ((double)from.high - (double)to->high));
            } else {
                widen(to, from);
            }
        }
        memset(w->ranges, 0, l->count * sizeof *w->ranges);
        for (size_t t = 0; l->sums && t < l->tensors; t++) move_sums(&l->sums[t], &w->sums[t]);
        l->samples += w->samples;
        l->done += w->samples;
        if (l->options->progress) l->options->progress(l->options->progress_user, l->done, l->all);
    }
    return LC_OK;
}

/* One batch for each worker, as far as there are batches: *n of them. */
static lc_status read_batches(look *l, const lc_feed *feed, lc_session *share, uint64_t *next, int32_t *n, lc_error *err) {
    for (*n = 0; *n < l->worker_count; ++*n) {
        worker *w = &l->workers[*n];
        const lc_session_options o = {.signature = feed->signature, .watch = watch, .watch_user = w, .share = share};
        if (!w->session) LC_TRY(lc_session_create(l->model, &o, &w->session, err));
        w->samples = 0;
        LC_TRY(feed->next(feed->user, w->session, &w->samples, err));
        if (w->samples == 0) return LC_OK;
        w->first = *next;
        *next += w->samples;
    }
    return LC_OK;
}

static void close_sessions(look *l) {
    for (int32_t i = 0; i < l->worker_count; i++) {
        lc_session_destroy(l->workers[i].session);
        l->workers[i].session = NULL;
    }
}

static lc_status no_samples(const char *signature, lc_error *err) {
    lc_fail(err, LC_INVALID, "there is no sample to calibrate with");
    lc_error_hint(err, "the ranges of activations are measured over samples; a hundred typical ones are enough");
    if (signature) lc_error_prefix(err, "signature %.80s", signature);
    return LC_INVALID;
}

static lc_status look_at_feed(look *l, const lc_feed *feed, lc_error *err) {
    uint64_t next = 0;
    int32_t n = l->worker_count;
    while (n == l->worker_count) {
        LC_TRY(read_batches(l, feed, NULL, &next, &n, err));
        lc_pool_run(l->pool, n, 1, run_worker, l);
        LC_TRY(take(l, n, feed->signature, err));
    }
    return next ? LC_OK : no_samples(feed->signature, err);
}

/* Signatures that share variables take turns, a batch each, as they do when the model is used; l has one worker. */
static lc_status look_at_turns(look *l, const lc_feed *feeds, size_t count, lc_session **sessions, lc_error *err) {
    uint64_t *next = lc_arena_array(&l->arena, count, sizeof *next);
    bool *over = lc_arena_array(&l->arena, count, sizeof *over);
    if (!next || !over) return lc_fail_memory(err, "calibration");
    for (size_t left = count; left;)
        for (size_t i = 0; i < count; i++) {
            int32_t n;
            if (over[i]) continue;
            l->workers[0].session = sessions[i];
            const lc_status status = read_batches(l, &feeds[i], i ? sessions[0] : NULL, &next[i], &n, err);
            sessions[i] = l->workers[0].session;
            LC_TRY(status);
            over[i] = n == 0;
            left -= over[i];
            if (over[i] && !next[i]) return no_samples(feeds[i].signature, err);
            lc_pool_run(l->pool, n, 1, run_worker, l);
            LC_TRY(take(l, n, feeds[i].signature, err));
        }
    return LC_OK;
}

/* All samples once. */
static lc_status look_at_all(look *l, const lc_feed *feeds, size_t count, lc_error *err) {
    lc_status status = LC_OK;
    if (l->alone) {
        lc_session **sessions = lc_arena_array(&l->arena, count, sizeof *sessions);
        if (!sessions) return lc_fail_memory(err, "calibration");
        status = look_at_turns(l, feeds, count, sessions, err);
        for (size_t i = count; i-- > 0;) lc_session_destroy(sessions[i]);
        l->workers[0].session = NULL;
        return status;
    }
    for (size_t i = 0; status == LC_OK && i < count; i++) {
        status = look_at_feed(l, &feeds[i], err);
        close_sessions(l);
    }
    return status;
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

lc_status lc_ranges_init(const lc_model *model, lc_ranges *ranges, lc_error *err) {
    *ranges = (lc_ranges){.model = model};
    ranges->of = lc_arena_array(&ranges->arena, model->graph_count, sizeof *ranges->of);
    ranges->states = lc_arena_array(&ranges->arena, model->graph_count, sizeof *ranges->states);
    bool ok = ranges->of && ranges->states;
    for (size_t g = 0; ok && g < model->graph_count; g++)
        ok = (ranges->of[g] = lc_arena_array(&ranges->arena, model->graphs[g]->tensor_count, sizeof **ranges->of)) &&
             (ranges->states[g] = lc_arena_array(&ranges->arena, model->graphs[g]->node_count, sizeof **ranges->states));
    if (ok) return LC_OK;
    lc_ranges_deinit(ranges);
    return lc_fail_memory(err, "ranges");
}

void lc_ranges_deinit(lc_ranges *ranges) {
    lc_arena_deinit(&ranges->arena);
    *ranges = (lc_ranges){0};
}

/* Variables, random numbers and what SVDF remembers of the inputs before go on from run to run: the order of the runs counts. */
static bool keeps_state(const lc_model *model) {
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t n = 0; n < model->graphs[g]->node_count; n++) {
            const lc_node *node = &model->graphs[g]->nodes[n];
            const lc_op_def *def = lc_op_of(node);
            if (node->op == LC_OP_ASSIGN_VARIABLE || node->op == LC_OP_SVDF || (def && (def->flags & LC_OPF_ALONE))) return true;
        }
    return false;
}

static int32_t workers_of(const lc_quantize_options *o, const lc_feed *feeds, size_t count) {
    uint64_t most = 1;
    for (size_t i = 0; i < count; i++) {
        const uint64_t n = feeds[i].count ? feeds[i].count : UINT64_MAX;
        most = n > most ? n : most;
    }
    return lc_pool_wanted(o->threads, most < MOST_WORKERS ? (int32_t)most : MOST_WORKERS);
}

/* Which tensors meet weights, in the layers whose bias can be corrected. */
static lc_status find_sums(look *l, channel_sums **sums, lc_error *err) {
    *sums = lc_arena_array(&l->arena, l->tensors, sizeof **sums);
    if (!*sums) return lc_fail_memory(err, "means");
    for (size_t g = 0; g < l->model->graph_count; g++)
        for (size_t n = 0; n < l->model->graphs[g]->node_count; n++) {
            const lc_node *node = &l->model->graphs[g]->nodes[n];
            if (!lc_quant_has_bias(node) || node->inputs[0] < 0) continue;
            const lc_tensor *t = &l->model->graphs[g]->tensors[node->inputs[0]];
            channel_sums *s = &(*sums)[l->start[g] + (size_t)node->inputs[0]];
            if (s->channels || t->type != LC_FLOAT32 || t->rank < 1 || lc_tensor_dim(t, t->rank - 1) < 1) continue;
            s->of = lc_arena_array(&l->arena, (size_t)t->dims[t->rank - 1], sizeof *s->of);
            if (!s->of) return lc_fail_memory(err, "means");
            s->channels = (uint32_t)t->dims[t->rank - 1];
        }
    return LC_OK;
}

static lc_status look_init(look *l, lc_model *model, const lc_feed *feeds, size_t feed_count, const lc_quantize_options *options,
                           lc_error *err) {
    const bool twice = options->calibration >= LC_CALIBRATE_PERCENTILE;
    *l = (look){.model = model, .options = options, .alone = keeps_state(model)};
    l->worker_count = l->alone ? 1 : workers_of(options, feeds, feed_count);
    for (size_t i = 0; i < feed_count; i++) {
        const bool known = feeds[i].count && feeds[i].count != UINT64_MAX && l->all != UINT64_MAX;
        l->all = known ? l->all + feeds[i].count * (twice ? 2 : 1) : UINT64_MAX;
    }
    l->start = lc_arena_array(&l->arena, model->graph_count, sizeof *l->start);
    l->workers = lc_arena_array(&l->arena, (size_t)l->worker_count, sizeof *l->workers);
    if (!l->start || !l->workers) return lc_fail_memory(err, "calibration");
    for (size_t g = 0; g < model->graph_count; g++) {
        l->start[g] = l->tensors;
        l->tensors += model->graphs[g]->tensor_count;
    }
    LC_TRY(lc_cells_find(model, &l->arena, &l->cells, &l->cell_count, err));
    l->count = l->tensors + l->cell_count * STATE_RANGES;
    l->ranges = lc_arena_array(&l->arena, l->count, sizeof *l->ranges);
    l->kept = lc_arena_array(&l->arena, l->tensors, sizeof *l->kept);
    l->masked = lc_arena_array(&l->arena, l->tensors, sizeof *l->masked);
    bool ok = l->ranges && l->kept && l->masked;
    for (int32_t i = 0; ok && i < l->worker_count; i++) {
        l->workers[i].look = l;
        ok = (l->workers[i].ranges = lc_arena_array(&l->arena, l->count, sizeof *l->ranges)) &&
             (l->workers[i].kept = lc_arena_array(&l->arena, l->tensors, sizeof *l->kept)) &&
             (l->workers[i].cells = lc_arena_array(&l->arena, l->cell_count, sizeof *l->workers[i].cells));
    }
    if (!ok) return lc_fail_memory(err, "calibration");
    if (options->correct_bias) LC_TRY(find_sums(l, &l->sums, err));
    for (int32_t i = 0; options->correct_bias && i < l->worker_count; i++) LC_TRY(find_sums(l, &l->workers[i].sums, err));
    return lc_pool_create(l->worker_count, &l->pool, err);
}

static void look_deinit(look *l) {
    if (l->workers) close_sessions(l);
    for (int32_t i = 0; l->workers && i < l->worker_count; i++)
        for (size_t c = 0; l->workers[i].cells && c < l->cell_count; c++) lc_cell_deinit(&l->workers[i].cells[c]);
    lc_pool_destroy(l->pool);
    lc_arena_deinit(&l->arena);
}

static lc_status unmask(look *l, lc_error *err) {
    const float below = l->options->scheme == LC_SCHEME_INT16X8 ? 12 : 8; /* e^-12 is under a step of an int16 probability, too */
    for (int32_t i = 0; i < l->worker_count; i++)
        for (size_t t = 0; t < l->tensors; t++) widen(&l->kept[t], l->workers[i].kept[t]);
    for (size_t g = 0; g < l->model->graph_count; g++)
        LC_TRY(lc_quant_unmask(l->model->graphs[g], l->ranges + l->start[g], l->kept + l->start[g], below, l->masked + l->start[g], err));
    return LC_OK;
}

/* A histogram for each tensor that has a range, for each worker. A range that was made for masks is not to be clipped further. */
static lc_status make_histograms(look *l, lc_error *err) {
    for (int32_t i = 0; i < l->worker_count; i++) {
        lc_histogram **counts = lc_arena_array(&l->arena, l->tensors, sizeof *counts);
        if (!counts) return lc_fail_memory(err, "histograms");
        for (size_t t = 0; t < l->tensors; t++) {
            const float most = fmaxf(-l->ranges[t].low, l->ranges[t].high);
            if (!l->ranges[t].seen || l->masked[t] || !(most > 0)) continue;
            counts[t] = lc_arena_alloc(&l->arena, sizeof **counts);
            if (!counts[t]) return lc_fail_memory(err, "histograms");
            counts[t]->most = most;
        }
        l->workers[i].counts = counts;
    }
    l->counts = l->workers[0].counts;
    return LC_OK;
}

static void clip_tensors(void *arg, int64_t begin, int64_t end, int32_t thread) {
    look *l = arg;
    const lc_quantize_options *o = l->options;
    const bool wide = o->scheme == LC_SCHEME_INT16X8;
    (void)thread;
    for (int64_t t = begin; t < end; t++) {
        lc_histogram *h = l->counts[t];
        if (!h) continue;
        for (int32_t i = 1; i < l->worker_count; i++) lc_observe_add(h, l->workers[i].counts[t]);
        lc_range *r = &l->ranges[t];
        if (o->calibration == LC_CALIBRATE_PERCENTILE) *r = lc_observe_percentile(h, *r, o->percentile > 0 ? o->percentile : 99.99);
        if (o->calibration == LC_CALIBRATE_ENTROPY && !wide) *r = lc_observe_entropy(h, *r); /* 16 bits have more steps than it has bins */
        if (o->calibration == LC_CALIBRATE_MSE) *r = lc_observe_mse(h, *r, wide ? 65534 : 255, wide);
    }
}

static lc_status clip(look *l, const lc_feed *feeds, size_t feed_count, lc_error *err) {
    for (size_t i = 0; i < feed_count; i++) {
        if (!feeds[i].rewind) return lc_fail(err, LC_ARGUMENT, "this method looks at the samples twice, which their source cannot give");
        LC_TRY(feeds[i].rewind(feeds[i].user, err));
    }
    LC_TRY(make_histograms(l, err));
    l->counting = true;
    LC_TRY(look_at_all(l, feeds, feed_count, err));
    lc_pool_run(l->pool, (int64_t)l->tensors, 1, clip_tensors, l);
    return LC_OK;
}

static lc_status give_means(const look *l, lc_ranges *ranges, lc_error *err) {
    ranges->means = lc_arena_array(&ranges->arena, l->model->graph_count, sizeof *ranges->means);
    bool ok = ranges->means;
    for (size_t g = 0; ok && g < l->model->graph_count; g++) {
        const size_t n = l->model->graphs[g]->tensor_count;
        ok = (ranges->means[g] = lc_arena_array(&ranges->arena, n, sizeof **ranges->means));
        for (size_t t = 0; ok && t < n; t++) {
            const channel_sums *s = &l->sums[l->start[g] + t];
            lc_means *m = &ranges->means[g][t];
            if (!s->rows) continue;
            ok = (m->of = lc_arena_array(&ranges->arena, s->channels, sizeof *m->of));
            for (uint32_t k = 0; ok && k < s->channels; k++) m->of[k] = s->of[k] / (double)s->rows;
            m->channels = s->channels;
        }
    }
    return ok ? LC_OK : lc_fail_memory(err, "means");
}

static void give(const look *l, lc_ranges *ranges) {
    for (size_t g = 0; g < l->model->graph_count; g++)
        for (size_t t = 0; t < l->model->graphs[g]->tensor_count; t++) widen(&ranges->of[g][t], l->ranges[l->start[g] + t]);
    for (size_t i = 0; i < l->cell_count; i++) {
        lc_range *to = (lc_range *)(void *)&ranges->states[l->cells[i].graph][l->cells[i].node];
        const lc_range *by = (const lc_range *)(const void *)state_of(l, l->ranges, i);
        for (size_t k = 0; k < STATE_RANGES; k++) widen(&to[k], by[k]);
    }
}

lc_status lc_calibrate(lc_model *model, const lc_feed *feeds, size_t feed_count, const lc_quantize_options *options, lc_ranges *ranges,
                       uint64_t *samples, lc_error *err) {
    look l;
    if (feed_count == 0) return no_samples(NULL, err);
    if (!(options->percentile >= 0 && options->percentile <= 100))
        return lc_fail(err, LC_ARGUMENT, "percentile is %g, must be over 0 and at most 100", options->percentile);
    lc_status status = look_init(&l, model, feeds, feed_count, options, err);
    if (status == LC_OK) status = look_at_all(&l, feeds, feed_count, err);
    const uint64_t n = l.samples;
    if (status == LC_OK) status = unmask(&l, err);
    if (status == LC_OK && options->calibration >= LC_CALIBRATE_PERCENTILE) status = clip(&l, feeds, feed_count, err);
    if (status == LC_OK && l.sums) status = give_means(&l, ranges, err);
    if (status == LC_OK) {
        give(&l, ranges);
        if (samples) *samples = n;
    }
    look_deinit(&l);
    return status;
}
