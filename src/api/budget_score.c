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
        void *data = lc_arena_data(&j->kept, views[i].size);
        if (!data) return lc_fail_memory(j->err, "samples");
        if (views[i].size) memcpy(data, views[i].data, views[i].size);
        views[i].data = data;
        views[i].name = NULL; /* the session's */
    }
    *out = views;
    return LC_OK;
}

static lc_status keep_batch(lc_bud_job *j, size_t eval, lc_session *s, uint32_t samples, size_t at) {
    const int64_t *labels = j->kind == LC_SCORE_TOP1 ? lc_data_labels(j->budget->eval[eval]) : NULL;
    void *items = j->batches;
    if (!lc_arena_grow(&j->kept, &items, &j->batch_capacity, j->batch_count + 1, sizeof *j->batches))
        return lc_fail_memory(j->err, "samples");
    j->batches = items;
    lc_bud_batch *b = &j->batches[j->batch_count];
    *b = (lc_bud_batch){.samples = samples, .eval = eval, .at = at};
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

static lc_status keep_some(lc_bud_job *j, size_t eval, lc_session *s, uint64_t wanted) {
    lc_data *data = j->budget->eval[eval];
    const uint64_t all = lc_data_count(data), most = MOST_BYTES / j->budget->eval_count * (eval + 1);
    uint64_t every = 1, kept = 0;
    size_t batch = 0;
    LC_TRY(lc_data_rewind(data, j->err));
    for (uint64_t k = 0;; k++) {
        uint32_t samples;
        LC_TRY(lc_data_next(data, s, &samples, j->err));
        if (!samples) return LC_OK;
        const uint64_t batches = wanted / samples ? wanted / samples : 1;
        if (k == 0 && all / samples > batches) every = all / samples / batches;
        if (k % every == 0) {
            LC_TRY(keep_batch(j, eval, s, samples, batch++));
            kept += samples;
        }
        lc_bud_progress(j, "reading samples", kept, wanted);
        if (kept >= wanted || j->kept.used / j->batch_count * (j->batch_count + 1) > most) return LC_OK;
    }
}

static lc_status session_for(const lc_bud_job *j, lc_model *m, size_t eval, lc_session **s) {
    const lc_session_options how = {.threads = j->threads, .signature = lc_data_signature(j->budget->eval[eval])};
    return lc_session_create(m, &how, s, j->err);
}

lc_status lc_bud_keep(lc_bud_job *j, uint64_t samples) {
    const size_t n = j->budget->eval_count;
    for (size_t i = 0; i < n; i++) {
        lc_session *s;
        LC_TRY(session_for(j, j->source->model, i, &s));
        /* that it is there is known: all were judged before */
        if (j->budget->output) j->judged[i].output = lc_session_find_output(s, j->budget->output);
        const lc_status status = keep_some(j, i, s, samples / n ? samples / n : 1);
        lc_session_destroy(s);
        LC_TRY(status);
    }
    return LC_OK;
}

/* ---- judging ------------------------------------------------------------------------------------------------------------- */

/* The class a row of numbers stands for; -1: it holds NaN. */
static int64_t class_of(const lc_bud_judged *j, const double *x, size_t n) {
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) return -1;
        if (x[i] > x[best]) best = i;
    }
    return n == 1 ? x[0] >= (j->probabilities ? 0.5 : 0) : (int64_t)best;
}

static lc_status judge(const lc_bud_job *j, const lc_bud_batch *b, const lc_tensor_view *got, lc_arena *temporary, lc_bud_score *score) {
    const lc_bud_judged *judged = &j->judged[b->eval];
    const lc_tensor_view *want = &b->outputs[judged->output];
    const size_t n = want->rank > 0 && want->dims[0] > 0 ? want->size / (lc_dtype_bits(want->type) / 8) / (size_t)want->dims[0] : 0;
    double *x = lc_arena_array(temporary, 2 * n, sizeof *x);
    if (!x) return lc_fail_memory(j->err, "outputs");
    for (uint32_t i = 0; i < b->samples; i++) {
        lc_tensor_reals(want, (uint64_t)i * n, n, x);
        lc_tensor_reals(got, (uint64_t)i * n, n, x + n);
        const int64_t first = class_of(judged, x, n), second = class_of(judged, x + n, n);
        score->agree += first == second;
        score->float_right += b->labels && b->labels[i] == first;
        score->right += b->labels && b->labels[i] == second;
    }
    return LC_OK;
}

/* The strings of a view, as another session had them. */
static lc_status copy_strings(const lc_bud_job *j, lc_session *s, size_t input, const lc_tensor_view *text, lc_arena *temporary) {
    size_t n = 1;
    for (int32_t d = 0; d < text->rank; d++) n *= (size_t)text->dims[d];
    const char **strings = lc_arena_array(temporary, n + 1, sizeof *strings);
    size_t *lengths = lc_arena_array(temporary, n + 1, sizeof *lengths);
    if (!strings || !lengths) return lc_fail_memory(j->err, "strings");
    for (size_t i = 0; i < n; i++) strings[i] = lc_tensor_string(text, i, &lengths[i]);
    return lc_session_set_strings(s, input, strings, lengths, n, j->err);
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
    for (size_t i = 0; i < n; i++) {
        if (b->inputs[i].type == LC_STRING) LC_TRY(copy_strings(j, s, i, &b->inputs[i], temporary));
        else if (b->inputs[i].size) memcpy(lc_session_input(s, i).data, b->inputs[i].data, b->inputs[i].size);
    }
    return LC_OK;
}

/* The score of one signature among those of others: the classes are those of which it loses most, errors add up. */
static void add_score(const lc_bud_job *j, lc_bud_score *all, const lc_bud_score *one) {
    const lc_bud_score before = *all;
    const bool labels = j->kind == LC_SCORE_TOP1;
    const double lost = labels ? (double)before.float_right - (double)before.right : (double)before.judged - (double)before.agree;
    const double loses = labels ? (double)one->float_right - (double)one->right : (double)one->judged - (double)one->agree;
    if (!before.samples) {
        *all = *one;
        return;
    }
    if (loses * (double)before.judged > lost * (double)one->judged) *all = *one;
    all->samples = before.samples + one->samples;
    all->db = fmin(before.db, one->db);
    all->noise = before.noise + one->noise;
}

static lc_status run_kept(const lc_bud_job *j, size_t eval, lc_session *s, size_t every, lc_arena *temporary, lc_bud_score *score) {
    const size_t outputs = lc_session_output_count(s);
    lc_output_error *errors = lc_arena_array(temporary, outputs, sizeof *errors);
    if (!errors) return lc_fail_memory(j->err, "outputs");
    for (size_t k = 0; k < j->batch_count; k++) {
        const lc_bud_batch *b = &j->batches[k];
        if (b->eval != eval || b->at % every) continue;
        LC_TRY(fill(j, s, b, temporary));
        LC_TRY(lc_session_run(s, j->err));
        for (size_t i = 0; i < outputs; i++) {
            const lc_tensor_view got = lc_session_output(s, i);
            lc_output_error_add(&errors[i], &b->outputs[i], &got);
            if (j->kind != LC_SCORE_SNR && (int32_t)i == j->judged[eval].output) LC_TRY(judge(j, b, &got, temporary, score));
        }
        score->judged += b->samples;
    }
    score->samples = score->judged;
    finish_noise(errors, outputs, score);
    return LC_OK;
}

lc_status lc_bud_score_kept(const lc_bud_job *j, lc_model *model, size_t every, lc_bud_score *score) {
    *score = (lc_bud_score){0};
    for (size_t i = 0; i < j->budget->eval_count; i++) {
        lc_bud_score one = {0};
        lc_arena temporary = {0};
        lc_session *s;
        LC_TRY(session_for(j, model, i, &s));
        const lc_status status = run_kept(j, i, s, every, &temporary, &one);
        lc_session_destroy(s);
        lc_arena_deinit(&temporary);
        LC_TRY(status);
        add_score(j, score, &one);
    }
    return LC_OK;
}

static void hear(void *user, uint64_t done, uint64_t all) { lc_bud_progress(user, "judging all samples", done, all); }

static lc_status judge_whole(lc_bud_job *j, size_t eval, lc_model *model, lc_bud_score *score) {
    lc_model *const both[] = {j->source->model, model};
    const lc_eval_options how = {.output = j->budget->output, .threads = j->threads, .progress = hear, .progress_user = j};
    lc_eval e;
    LC_TRY(j->kind == LC_SCORE_TOP1 ? lc_eval_models(both, 2, j->budget->eval[eval], &how, &e, j->err)
                                    : lc_eval_agreement(both, 2, j->budget->eval[eval], &how, &e, j->err));
    *score = (lc_bud_score){.samples = e.samples,
                            .judged = e.samples,
                            .right = e.models[1].right,
                            .float_right = e.models[0].right,
                            .agree = e.models[1].agree};
    j->judged[eval].probabilities = e.models[0].probabilities;
    lc_eval_deinit(&e);
    return LC_OK;
}

static lc_status compare_whole(lc_bud_job *j, size_t eval, lc_model *model, lc_bud_score *score) {
    lc_output_error *errors;
    lc_arena temporary = {0};
    size_t count;
    lc_bud_progress(j, "judging all samples", 0, 0);
    const lc_status status =
        lc_quant_compare(j->source->model, model, j->budget->eval[eval], UINT64_MAX, j->threads, &temporary, &errors, &count, j->err);
    if (status == LC_OK) finish_noise(errors, count, score);
    score->samples = lc_data_count(j->budget->eval[eval]);
    lc_arena_deinit(&temporary);
    return status;
}

lc_status lc_bud_score_whole(lc_bud_job *j, lc_model *model, lc_bud_score *score) {
    *score = (lc_bud_score){0};
    for (size_t i = 0; i < j->budget->eval_count; i++) {
        lc_bud_score one = {0};
        LC_TRY(j->kind == LC_SCORE_SNR ? compare_whole(j, i, model, &one) : judge_whole(j, i, model, &one));
        add_score(j, score, &one);
    }
    return LC_OK;
}

/* ---- grades ---------------------------------------------------------------------------------------------------------------- */

void lc_bud_grade(const lc_bud_job *j, const lc_bud_score *s, bool whole, double *value, double *drop) {
    const double n = (double)s->judged;
    if (j->kind == LC_SCORE_SNR) {
        *value = s->db;
        *drop = (whole ? j->whole_db : j->kept_db) - s->db;
        if (isinf(s->db) && s->db > 0) *drop = 0; /* no error at all */
        return;
    }
    const uint64_t now = j->kind == LC_SCORE_TOP1 ? s->right : s->agree, before = j->kind == LC_SCORE_TOP1 ? s->float_right : s->judged;
    *value = (double)now / n;
    *drop = 100 * ((double)before - (double)now) / n;
}
