/*
 * eval.c: how good models are on labelled data, several side by side on the same batches.
 *
 * Each round reads as many batches as there are threads, writes them into the sessions of every model, one after the other, and then runs all
 * these sessions at the same time. What comes of a sample goes into a record of its own; sums are made at the end, in the order of the samples,
 * so that the result does not depend on threads. Whether outputs are probabilities is known only when all have been seen: a record holds the
 * loss for either case.
 *
 * The loss is the cross entropy as Keras takes it: probabilities are kept 1e-7 away from 0 and divided by their sum. Equal outputs count in
 * the order of the classes, as numpy.argmax does it. Intervals: Wilson's for a share (Wilson 1927), that of paired samples for the difference of
 * two (McNemar 1947: only the samples count that one model has right and the other wrong).
 */
#include "api/api.h"

#include "base/pool.h"
#include "source/data.h"

#include <math.h>
#include <string.h>

#define Z95 1.959963984540054
#define LEAST 1e-7 /* a probability is taken for no less, in the loss */

/* What a model made of a sample. */
typedef struct record {
    double loss, logit_loss; /* if outputs are probabilities, if they are logits */
    float score;             /* of one output for two classes */
    int32_t predicted;       /* class; -1: outputs hold NaN */
    bool among_5, is_distribution;
} record;

typedef struct judged {
    lc_session **sessions; /* [workers] */
    int32_t output;
    record *records; /* [samples] */
    bool probabilities;
    lc_eval_model *result;
} judged;

typedef struct slot { /* a batch that is being run */
    uint64_t first;
    uint32_t samples;
} slot;

typedef struct job {
    lc_model *const *models;
    size_t count, workers;
    lc_data *data;
    const lc_eval_options *o;
    lc_arena *arena; /* of the result */
    lc_budget budget;
    judged *of;       /* [count] */
    slot *slots;      /* [workers] */
    lc_error *errors; /* [workers * count] */
    lc_status *statuses;
    double *numbers; /* a row of outputs */
    int64_t *labels; /* [samples] */
    uint64_t samples;
    uint32_t classes, width; /* width: outputs of a sample; 1 for two classes */
    bool labelled;           /* else every label is 0 */
} job;

/* ---- sessions --------------------------------------------------------------------------------------------------------------- */

static lc_status find_output(const job *j, judged *m, lc_error *err) {
    const lc_session *s = m->sessions[0];
    if (lc_session_output_count(s) == 0) return lc_fail(err, LC_INVALID, "the model has no outputs");
    m->output = j->o->output ? lc_session_find_output(s, j->o->output) : 0;
    if (m->output >= 0) return LC_OK;
    lc_text names = {0};
    for (size_t i = 0; i < lc_session_output_count(s) && names.size < 300; i++) {
        const char *name = lc_session_output(s, i).name;
        lc_text_add(&names, i ? ", " : "");
        lc_text_add_safe(&names, name, strlen(name) < 80 ? strlen(name) : 80);
    }
    lc_fail(err, LC_NOT_FOUND, "the model has no output named %.200s", j->o->output);
    lc_error_hint(err, "its outputs are: %s", names.data ? names.data : "?");
    lc_text_deinit(&names);
    return LC_NOT_FOUND;
}

static lc_status make_sessions(job *j, lc_error *err) {
    const lc_session_options how = {.signature = lc_data_signature(j->data), .max_memory = j->o->max_memory};
    for (size_t m = 0; m < j->count; m++) {
        if (!(j->of[m].sessions = lc_arena_array(j->arena, j->workers, sizeof(lc_session *)))) return lc_fail_memory(err, "sessions");
        for (size_t w = 0; w < j->workers; w++) LC_TRY(lc_session_create(j->models[m], &how, &j->of[m].sessions[w], err));
        LC_TRY(find_output(j, &j->of[m], err));
    }
    return LC_OK;
}

static void destroy_sessions(job *j) {
    for (size_t m = 0; m < j->count && j->of; m++)
        for (size_t w = 0; w < j->workers && j->of[m].sessions; w++) lc_session_destroy(j->of[m].sessions[w]);
}

static void run_one(void *arg, int64_t begin, int64_t end, int32_t thread) {
    job *j = arg;
    (void)thread;
    for (int64_t i = begin; i < end; i++) {
        const size_t w = (size_t)i / j->count, m = (size_t)i % j->count;
        j->statuses[i] = j->slots[w].samples ? lc_session_run(j->of[m].sessions[w], &j->errors[i]) : LC_OK;
    }
}

/* ---- outputs ------------------------------------------------------------------------------------------------------------------ */

/* Rounding to steps moves each of the values by half a step at most. */
static double slack(const lc_tensor_view *v, size_t n) { return 0.02 + (v->scale > 0 ? 0.5 * (double)v->scale * (double)n : 0); }

static double log_of_sum(const double *x, size_t n) {
    double most = x[0], sum = 0;
    for (size_t i = 1; i < n; i++) most = x[i] > most ? x[i] : most;
    for (size_t i = 0; i < n; i++) sum += exp(x[i] - most);
    return most + log(sum);
}

static double within(double p) { return p < LEAST ? LEAST : p > 1 - LEAST ? 1 - LEAST : p; }

/* One output for two classes. */
static void judge_score(record *r, double x, int64_t label, double room) {
    const double p = within(x);
    r->score = (float)x;
    r->is_distribution = x >= -room && x <= 1 + room;
    r->loss = label ? -log(p) : -log(1 - p);
    r->logit_loss = (x > 0 ? x : 0) - (label ? x : 0) + log1p(exp(-fabs(x)));
}

static void judge_row(record *r, const double *x, size_t n, int64_t label, double room) {
    double sum = 0, clipped = 0;
    size_t best = 0, above = 0;
    bool inside = true;
    for (size_t i = 0; i < n; i++) {
        if (x[i] > x[best]) best = i;
        above += x[i] > x[label] || (x[i] == x[label] && i < (size_t)label);
        inside = inside && x[i] >= -0.01 && x[i] <= 1.01;
        sum += x[i];
        clipped += within(x[i]);
    }
    r->predicted = (int32_t)best;
    r->among_5 = above < 5;
    r->is_distribution = inside && fabs(sum - 1) <= room;
    r->loss = log(clipped) - log(within(x[label]));
    r->logit_loss = log_of_sum(x, n) - x[label];
}

static lc_status no_classes(const lc_tensor_view *v, lc_error *err) {
    lc_fail(err, LC_INVALID, "output %.200s, %s, gives no numbers for classes", v->name, lc_data_shape(v->type, v->dims, v->rank).text);
    lc_error_hint(
        err, "evaluation is for classifiers: an output [samples,classes], or [samples,1] for two classes; choose another with --output");
    return LC_INVALID;
}

/* How many classes the outputs have: known with the first batch. */
static lc_status learn_width(job *j, const lc_tensor_view *v, uint32_t samples, lc_error *err) {
    const uint32_t bits = lc_dtype_bits(v->type);
    double x;
    if (bits < 8 || v->rank < 1 || v->dims[0] < 1 || (uint32_t)v->dims[0] < samples || !v->size || !lc_tensor_reals(v, 0, 1, &x))
        return no_classes(v, err);
    const size_t width = v->size / (bits / 8) / (size_t)v->dims[0];
    int wide = 0; /* [samples, classes], with dimensions of 1 between */
    for (int32_t d = 1; d < v->rank; d++) wide += v->dims[d] != 1;
    if (wide > 1 || width > INT32_MAX) return no_classes(v, err);
    if (j->width && j->width != width) {
        lc_fail(err, LC_INVALID, "output %.200s gives %zu numbers a sample, that of the first model %u", v->name, width,
                (unsigned)j->width);
        lc_error_hint(err, "compare models with the same classes");
        return LC_INVALID;
    }
    if (j->width) return LC_OK;
    j->width = (uint32_t)width;
    j->classes = width == 1 ? 2 : j->width;
    LC_TRY(lc_budget_memory(&j->budget, (uint64_t)width * sizeof *j->numbers, "outputs", err));
    return (j->numbers = lc_arena_array(j->arena, width, sizeof *j->numbers)) ? LC_OK : lc_fail_memory(err, "outputs");
}

static lc_status check_label(const job *j, uint64_t sample, lc_error *err) {
    const int64_t label = j->labels[sample];
    if (label >= 0 && label < (int64_t)j->classes) return LC_OK;
    const char *name = lc_data_class(j->data, label);
    lc_fail(err, LC_INVALID, "the label of sample %llu is %lld%s%.60s%s, but the model has %u classes", (unsigned long long)sample,
            (long long)label, name ? " (" : "", name ? name : "", name ? ")" : "", (unsigned)j->classes);
    lc_error_hint(err, "labels are counted from 0, in the order of the model's outputs%s",
                  label == (int64_t)j->classes ? "; these look as if they were counted from 1" : "");
    return LC_INVALID;
}

static lc_status judge_batch(job *j, size_t m, size_t w, lc_error *err) {
    const judged *of = &j->of[m];
    const lc_tensor_view v = lc_session_output(of->sessions[w], (size_t)of->output);
    const slot *b = &j->slots[w];
    LC_TRY(learn_width(j, &v, b->samples, err));
    const double room = slack(&v, j->width);
    for (uint32_t i = 0; i < b->samples; i++) {
        record *r = &of->records[b->first + i];
        bool broken = false;
        LC_TRY(check_label(j, b->first + i, err));
        lc_tensor_reals(&v, (uint64_t)i * j->width, j->width, j->numbers);
        for (size_t k = 0; k < j->width; k++) broken = broken || isnan(j->numbers[k]);
        r->predicted = -1;
        r->is_distribution = true;
        if (broken) continue;
        r->predicted = 0;
        if (j->width == 1) judge_score(r, j->numbers[0], j->labels[b->first + i], room);
        else judge_row(r, j->numbers, j->width, j->labels[b->first + i], room);
    }
    return LC_OK;
}

/* ---- all batches --------------------------------------------------------------------------------------------------------------- */

/* The next batches into the sessions; false in *more when there was none. */
static lc_status fill_round(job *j, uint64_t *done, bool *more, lc_error *err) {
    *more = false;
    for (size_t w = 0; w < j->workers; w++) {
        slot *b = &j->slots[w];
        b->samples = 0;
        b->first = *done;
        if (*done >= j->samples) continue;
        LC_TRY(lc_data_next(j->data, j->of[0].sessions[w], &b->samples, err));
        if (!b->samples) continue;
        for (size_t m = 1; m < j->count; m++) LC_TRY(lc_data_again(j->data, j->of[m].sessions[w], err));
        if (j->labelled) memcpy(j->labels + b->first, lc_data_labels(j->data), b->samples * sizeof *j->labels);
        *done += b->samples;
        *more = true;
    }
    return LC_OK;
}

static lc_status run_all(job *j, lc_pool *pool, lc_error *err) {
    uint64_t done = 0;
    bool more = true;
    LC_TRY(lc_data_rewind(j->data, err));
    while (true) {
        LC_TRY(fill_round(j, &done, &more, err));
        if (!more) return LC_OK;
        lc_pool_run(pool, (int64_t)(j->workers * j->count), 1, run_one, j);
        for (size_t w = 0; w < j->workers; w++)
            for (size_t m = 0; m < j->count && j->slots[w].samples; m++) {
                if (j->statuses[w * j->count + m]) {
                    *err = j->errors[w * j->count + m];
                    return err->status;
                }
                LC_TRY(judge_batch(j, m, w, err));
            }
        if (j->o->progress) j->o->progress(j->o->progress_user, done, j->samples);
    }
}

/* ---- sums ------------------------------------------------------------------------------------------------------------------------ */

static lc_share share(uint64_t part, uint64_t all) {
    const double n = (double)all, p = (double)part / n, z2 = Z95 * Z95;
    const double middle = (p + z2 / (2 * n)) / (1 + z2 / n), half = Z95 / (1 + z2 / n) * sqrt(p * (1 - p) / n + z2 / (4 * n * n));
    return (lc_share){p, part ? middle - half : 0, part < all ? middle + half : 1};
}

/* What a score for two classes means is known when all have been seen. */
static void decide(const job *j, judged *m) {
    m->probabilities = true;
    for (uint64_t i = 0; i < j->samples; i++) m->probabilities = m->probabilities && m->records[i].is_distribution;
    if (j->width != 1) return;
    const float middle = m->probabilities ? 0.5f : 0;
    for (uint64_t i = 0; i < j->samples; i++) {
        record *r = &m->records[i];
        if (r->predicted >= 0) r->predicted = r->score >= middle;
    }
}

static void sum_loss(const job *j, const judged *m, lc_eval_model *out) {
    double sum = 0, squares = 0;
    const double n = (double)(j->samples - out->broken);
    for (uint64_t i = 0; i < j->samples; i++)
        if (m->records[i].predicted >= 0) sum += m->probabilities ? m->records[i].loss : m->records[i].logit_loss;
    out->loss = sum / n;
    for (uint64_t i = 0; i < j->samples; i++) {
        const double off = (m->probabilities ? m->records[i].loss : m->records[i].logit_loss) - out->loss;
        if (m->records[i].predicted >= 0) squares += off * off;
    }
    out->loss_error = n > 1 ? sqrt(squares / (n - 1) / n) : 0;
}

static void sum_up(const job *j, const judged *m, lc_eval_class *of_class, uint64_t *confusion, lc_eval_model *out) {
    const record *first = j->of[0].records;
    const double n = (double)j->samples;
    for (uint64_t i = 0; i < j->samples; i++) {
        const record *r = &m->records[i];
        const int64_t label = j->labels[i];
        const bool right = r->predicted == label, first_right = first[i].predicted == label;
        out->right += right;
        out->right_of_5 += r->among_5;
        out->broken += r->predicted < 0;
        of_class[label].samples++;
        of_class[label].right += right;
        if (r->predicted >= 0) of_class[r->predicted].predicted++;
        if (r->predicted >= 0 && confusion) confusion[(size_t)label * j->classes + (size_t)r->predicted]++;
        if (m == &j->of[0]) continue;
        out->agree += r->predicted >= 0 && r->predicted == first[i].predicted;
        out->only_this += right && !first_right;
        out->only_first += first_right && !right;
    }
    const double b = (double)out->only_this, c = (double)out->only_first;
    out->top1 = share(out->right, j->samples);
    if (j->classes > 5) out->top5 = share(out->right_of_5, j->samples);
    else out->right_of_5 = 0;
    out->difference = (b - c) / n;
    out->difference_error = Z95 * sqrt(b + c - (b - c) * (b - c) / n) / n;
    sum_loss(j, m, out);
}

static lc_status make_result(job *j, lc_eval_model *models, lc_error *err) {
    for (size_t m = 0; m < j->count; m++) {
        uint64_t cells = 0, bytes = 0;
        if (j->o->confusion && (!lc_mul_u64(j->classes, j->classes, &cells) || !lc_mul_u64(cells, sizeof(uint64_t), &bytes)))
            return lc_fail_memory(err, "confusion matrix");
        LC_TRY(lc_budget_memory(&j->budget, bytes, "the confusion matrix", err));
        lc_eval_class *of_class = lc_arena_array(j->arena, j->classes, sizeof *of_class);
        uint64_t *confusion = cells ? lc_arena_array(j->arena, (size_t)cells, sizeof *confusion) : NULL;
        const char *output = lc_session_output(j->of[m].sessions[0], (size_t)j->of[m].output).name;
        models[m].output = lc_arena_strndup(j->arena, output, strlen(output));
        if (!of_class || (cells && !confusion) || !models[m].output) return lc_fail_memory(err, "result");
        for (uint32_t c = 0; c < j->classes; c++) {
            const char *name = lc_data_class(j->data, c);
            if (name && !(of_class[c].name = lc_arena_strndup(j->arena, name, strlen(name)))) return lc_fail_memory(err, "result");
        }
        decide(j, &j->of[m]);
        models[m].probabilities = j->of[m].probabilities;
        sum_up(j, &j->of[m], of_class, confusion, &models[m]);
        models[m].of_class = of_class;
        models[m].confusion = confusion;
    }
    return LC_OK;
}

/* ---- the call ---------------------------------------------------------------------------------------------------------------------- */

static lc_status make_room(job *j, lc_arena *scratch, lc_error *err) {
    const size_t all = j->workers * j->count;
    uint64_t records, bytes;
    if (!lc_mul_u64(j->samples, j->count, &records) || !lc_mul_u64(records, sizeof(record), &bytes)) return lc_fail_memory(err, "records");
    LC_TRY(lc_budget_memory(&j->budget, bytes, "a record for each sample and model", err));
    j->of = lc_arena_array(scratch, j->count, sizeof *j->of);
    j->slots = lc_arena_array(scratch, j->workers, sizeof *j->slots);
    j->errors = lc_arena_array(scratch, all, sizeof *j->errors);
    j->statuses = lc_arena_array(scratch, all, sizeof *j->statuses);
    j->labels = lc_arena_array(scratch, (size_t)j->samples, sizeof *j->labels);
    bool room = j->of && j->slots && j->errors && j->statuses && j->labels;
    for (size_t m = 0; m < j->count && room; m++)
        room = (j->of[m].records = lc_arena_array(scratch, (size_t)j->samples, sizeof(record))) != NULL;
    return room ? LC_OK : lc_fail_memory(err, "records");
}

static lc_status evaluate(job *j, lc_eval *result, lc_arena *scratch, lc_error *err) {
    lc_pool *pool = NULL;
    lc_eval_model *models = lc_arena_array(j->arena, j->count, sizeof *models);
    if (!models) return lc_fail_memory(err, "result");
    LC_TRY(make_room(j, scratch, err));
    lc_status status = make_sessions(j, err);
    if (status == LC_OK && j->workers > 1) status = lc_pool_create((int32_t)j->workers, &pool, err);
    if (status == LC_OK) status = run_all(j, pool, err);
    lc_pool_destroy(pool);
    if (status == LC_OK) status = make_result(j, models, err);
    destroy_sessions(j);
    *result = (lc_eval){j->samples, j->classes, j->count, models, NULL};
    return status;
}

static lc_status eval_models(lc_model *const *models, size_t count, lc_data *data, const lc_eval_options *options, bool labelled,
                             lc_eval *result, lc_error *err) {
    static const lc_eval_options defaults;
    if (!result) return lc_fail(err, LC_ARGUMENT, "lc_eval_models needs a place for the result");
    *result = (lc_eval){0};
    if (!models || !count || !data) return lc_fail(err, LC_ARGUMENT, "lc_eval_models needs models and data");
    const lc_eval_options *o = options ? options : &defaults;
    if (o->threads < 0 || o->threads > 256) return lc_fail(err, LC_ARGUMENT, "threads is %d, needs 1 to 256", (int)o->threads);
    if (lc_data_count(data) == UINT64_MAX || (labelled && !lc_data_has_labels(data))) {
        lc_fail(err, LC_ARGUMENT, "the data has no labels: nobody knows what is right");
        lc_error_hint(err, "give a file of labels (--labels), a folder for each class, or a column named label");
        return LC_ARGUMENT;
    }
    lc_arena scratch = {0}, *arena = lc_calloc(1, sizeof *arena);
    if (!arena) return lc_fail_memory(err, "result");
    job j = {.models = models,
             .count = count,
             .workers = o->threads ? (size_t)o->threads : 1,
             .data = data,
             .o = o,
             .arena = arena,
             .labelled = labelled};
    lc_budget_init(&j.budget, &(lc_limits){.max_memory = o->max_memory});
    j.samples = lc_data_count(data);
    const lc_status status = evaluate(&j, result, &scratch, err);
    lc_arena_deinit(&scratch);
    result->memory = arena;
    if (status) lc_eval_deinit(result);
    return status;
}

lc_status lc_eval_models(lc_model *const *models, size_t count, lc_data *data, const lc_eval_options *options, lc_eval *result,
                         lc_error *err) {
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    return eval_models(models, count, data, options, true, result, err);
}

lc_status lc_eval_agreement(lc_model *const *models, size_t count, lc_data *data, const lc_eval_options *options, lc_eval *result,
                            lc_error *err) {
    return eval_models(models, count, data, options, false, result, err);
}

void lc_eval_deinit(lc_eval *r) {
    if (r && r->memory) {
        lc_arena_deinit(r->memory);
        lc_free(r->memory);
    }
    if (r) *r = (lc_eval){0};
}
