/*
 * budget_score.c: how good a form of a model is.
 *
 * The search asks this of dozens of forms, so it looks at samples that stay in memory, spread evenly over the data (files are often sorted
 * by class), and at what the float model made of them once. The last word has all samples: by lc_eval_models, or the signal to noise of all
 * outputs. A value that is not finite is a wrong answer, and an output that holds one has no signal.
 */
#include "api/budget.h"

#include <math.h>
#include <string.h>

/* Kept samples and outputs take at most this; large ones are then fewer. */
#define MOST_BYTES ((uint64_t)512 << 20)

/* ---- keeping ------------------------------------------------------------------------------------------------------------ */

static lc_status copy_views(lc_bud_job *j, const lc_session *s, bool inputs, lc_tensor_view **out) {
    const size_t n = inputs ? lc_session_input_count(s) : lc_session_output_count(s);
    lc_tensor_view *views = lc_arena_array(&j->kept, n, sizeof *views);
    if (!views) return lc_fail_memory(j->err, "samples");
    for (size_t i = 0; i < n; i++) {
        views[i] = inputs ? lc_session_input(s, i) : lc_session_output(s, i);
        if (views[i].type == LC_STRING) {
            lc_fail(j->err, LC_UNSUPPORTED, "%s %.200s is text", inputs ? "input" : "output", views[i].name);
            lc_error_hint(j->err, "models of text are not searched; choose the layers by --layer");
            return LC_UNSUPPORTED;
        }
        void *data = lc_arena_data(&j->kept, views[i].size);
        if (!data) return lc_fail_memory(j->err, "samples");
        if (views[i].size) memcpy(data, views[i].data, views[i].size);
        views[i].data = data;
        views[i].name = NULL; /* the session's */
    }
    *out = views;
    return LC_OK;
}

static lc_status keep_batch(lc_bud_job *j, lc_session *s, uint32_t samples) {
    const int64_t *labels = j->kind == LC_SCORE_TOP1 ? lc_data_labels(j->budget->eval) : NULL;
    void *items = j->batches;
    if (!lc_arena_grow(&j->kept, &items, &j->batch_capacity, j->batch_count + 1, sizeof *j->batches))
        return lc_fail_memory(j->err, "samples");
    j->batches = items;
    lc_bud_batch *b = &j->batches[j->batch_count];
    *b = (lc_bud_batch){.samples = samples};
    if (labels) {
        b->labels = lc_arena_array(&j->kept, samples, sizeof *b->labels);
        if (!b->labels) return lc_fail_memory(j->err, "samples");
        memcpy(b->labels, labels, samples * sizeof *labels);
    }
    LC_TRY(copy_views(j, s, true, &b->inputs));
    LC_TRY(lc_session_run(s, j->err));
    LC_TRY(copy_views(j, s, false, &b->outputs));
    j->batch_count++;
    j->result->search_samples += samples;
    return LC_OK;
}

static lc_status keep_some(lc_bud_job *j, lc_session *s, uint64_t wanted) {
    lc_data *data = j->budget->eval;
    const uint64_t all = lc_data_count(data);
    uint64_t every = 1;
    LC_TRY(lc_data_rewind(data, j->err));
    for (uint64_t k = 0;; k++) {
        uint32_t samples;
        LC_TRY(lc_data_next(data, s, &samples, j->err));
        if (!samples) return LC_OK;
        const uint64_t batches = wanted / samples ? wanted / samples : 1;
        if (k == 0 && all / samples > batches) every = all / samples / batches;
        if (k % every == 0) LC_TRY(keep_batch(j, s, samples));
        lc_bud_progress(j, "reading samples", j->result->search_samples, wanted);
        if (j->result->search_samples >= wanted || j->kept.used / j->batch_count * (j->batch_count + 1) > MOST_BYTES) return LC_OK;
    }
}

static lc_status session_for(const lc_bud_job *j, lc_model *m, lc_session **s) {
    const lc_session_options how = {.threads = j->threads, .signature = lc_data_signature(j->budget->eval)};
    return lc_session_create(m, &how, s, j->err);
}

lc_status lc_bud_keep(lc_bud_job *j, uint64_t samples) {
    lc_session *s;
    LC_TRY(session_for(j, j->source->model, &s));
    if (j->budget->output) j->output = lc_session_find_output(s, j->budget->output); /* that it is there is known: all were judged before */
    const lc_status status = keep_some(j, s, samples);
    lc_session_destroy(s);
    return status;
}

/* ---- judging ------------------------------------------------------------------------------------------------------------- */

/* The class a row of numbers stands for; -1: it holds NaN. */
static int64_t class_of(const lc_bud_job *j, const double *x, size_t n) {
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return -1;
        if (x[i] > x[best]) best = i;
    }
    return n == 1 ? x[0] >= (j->probabilities ? 0.5 : 0) : (int64_t)best;
}

static lc_status judge(const lc_bud_job *j, const lc_bud_batch *b, const lc_tensor_view *got, lc_arena *temporary, lc_bud_score *score) {
    const lc_tensor_view *want = &b->outputs[j->output];
    const size_t n = want->rank > 0 && want->dims[0] > 0 ? want->size / (lc_dtype_bits(want->type) / 8) / (size_t)want->dims[0] : 0;
    double *x = lc_arena_array(temporary, 2 * n, sizeof *x);
    if (!x) return lc_fail_memory(j->err, "outputs");
    for (uint32_t i = 0; i < b->samples; i++) {
        lc_tensor_reals(want, (uint64_t)i * n, n, x);
        lc_tensor_reals(got, (uint64_t)i * n, n, x + n);
        const int64_t first = class_of(j, x, n), second = class_of(j, x + n, n);
        score->agree += first == second;
        score->float_right += b->labels && b->labels[i] == first;
        score->right += b->labels && b->labels[i] == second;
    }
    return LC_OK;
}

/* The sums of all outputs. */
static void finish_noise(const lc_output_error *e, size_t count, lc_bud_score *score) {
    score->db = INFINITY;
    score->noise = 0;
    for (size_t i = 0; i < count; i++) {
        const double db = e[i].wrong ? -INFINITY : lc_output_error_db(&e[i]);
        score->db = fmin(score->db, db);
        score->noise += e[i].wrong ? HUGE_VAL : e[i].noise > 0 ? e[i].noise / fmax(e[i].signal, 1e-30) : 0;
    }
}

static lc_status fill(const lc_bud_job *j, lc_session *s, const lc_bud_batch *b, lc_arena *temporary) {
    const size_t n = lc_session_input_count(s);
    const int32_t **dims = lc_arena_array(temporary, n, sizeof *dims);
    int32_t *ranks = lc_arena_array(temporary, n, sizeof *ranks);
    bool other = false;
    if (!dims || !ranks) return lc_fail_memory(j->err, "inputs");
    for (size_t i = 0; i < n; i++) {
        const lc_tensor_view now = lc_session_input(s, i);
        ranks[i] = b->inputs[i].rank;
        dims[i] = b->inputs[i].dims;
        other |= now.rank != ranks[i] || memcmp(now.dims, dims[i], (size_t)ranks[i] * sizeof *now.dims) != 0;
    }
    if (other) LC_TRY(lc_session_resize_inputs(s, dims, ranks, j->err));
    for (size_t i = 0; i < n; i++)
        if (b->inputs[i].size) memcpy(lc_session_input(s, i).data, b->inputs[i].data, b->inputs[i].size);
    return LC_OK;
}

static lc_status run_kept(const lc_bud_job *j, lc_session *s, size_t every, lc_arena *temporary, lc_bud_score *score) {
    const size_t outputs = lc_session_output_count(s);
    lc_output_error *errors = lc_arena_array(temporary, outputs, sizeof *errors);
    if (!errors) return lc_fail_memory(j->err, "outputs");
    for (size_t k = 0; k < j->batch_count; k += every) {
        const lc_bud_batch *b = &j->batches[k];
        LC_TRY(fill(j, s, b, temporary));
        LC_TRY(lc_session_run(s, j->err));
        for (size_t i = 0; i < outputs; i++) {
            const lc_tensor_view got = lc_session_output(s, i);
            lc_output_error_add(&errors[i], &b->outputs[i], &got);
            if (j->kind != LC_SCORE_SNR && (int32_t)i == j->output) LC_TRY(judge(j, b, &got, temporary, score));
        }
        score->samples += b->samples;
    }
    finish_noise(errors, outputs, score);
    return LC_OK;
}

lc_status lc_bud_score_kept(const lc_bud_job *j, lc_model *model, size_t every, lc_bud_score *score) {
    lc_arena temporary = {0};
    lc_session *s;
    *score = (lc_bud_score){0};
    LC_TRY(session_for(j, model, &s));
    const lc_status status = run_kept(j, s, every, &temporary, score);
    lc_session_destroy(s);
    lc_arena_deinit(&temporary);
    return status;
}

static void hear(void *user, uint64_t done, uint64_t all) { lc_bud_progress(user, "judging all samples", done, all); }

static lc_status judge_whole(lc_bud_job *j, lc_model *model, lc_bud_score *score) {
    lc_model *const both[] = {j->source->model, model};
    const lc_eval_options how = {.output = j->budget->output, .threads = j->threads, .progress = hear, .progress_user = j};
    lc_eval e;
    LC_TRY(j->kind == LC_SCORE_TOP1 ? lc_eval_models(both, 2, j->budget->eval, &how, &e, j->err)
                                    : lc_eval_agreement(both, 2, j->budget->eval, &how, &e, j->err));
    *score = (lc_bud_score){.samples = e.samples, .right = e.models[1].right, .float_right = e.models[0].right, .agree = e.models[1].agree};
    j->probabilities = e.models[0].probabilities;
    lc_eval_deinit(&e);
    return LC_OK;
}

lc_status lc_bud_score_whole(lc_bud_job *j, lc_model *model, lc_bud_score *score) {
    lc_output_error *errors;
    lc_arena temporary = {0};
    size_t count;
    *score = (lc_bud_score){0};
    if (j->kind != LC_SCORE_SNR) return judge_whole(j, model, score);
    lc_bud_progress(j, "judging all samples", 0, 0);
    const lc_status status =
        lc_quant_compare(j->source->model, model, j->budget->eval, UINT64_MAX, j->threads, &temporary, &errors, &count, j->err);
    if (status == LC_OK) finish_noise(errors, count, score);
    score->samples = lc_data_count(j->budget->eval);
    lc_arena_deinit(&temporary);
    return status;
}

/* ---- grades ---------------------------------------------------------------------------------------------------------------- */

void lc_bud_grade(const lc_bud_job *j, const lc_bud_score *s, bool whole, double *value, double *drop) {
    const double n = (double)s->samples;
    if (j->kind == LC_SCORE_SNR) {
        *value = s->db;
        *drop = (whole ? j->whole_db : j->kept_db) - s->db;
        if (isinf(s->db) && s->db > 0) *drop = 0; /* no error at all */
        return;
    }
    const uint64_t now = j->kind == LC_SCORE_TOP1 ? s->right : s->agree, before = j->kind == LC_SCORE_TOP1 ? s->float_right : s->samples;
    *value = (double)now / n;
    *drop = 100 * ((double)before - (double)now) / n;
}
