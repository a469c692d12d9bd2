/*
 * budget.c: the smallest form of a model whose score falls by no more than a budget.
 *
 *   1. The whole scheme that was asked for: if that is within the budget, there is nothing to look for.
 *   2. The mildest form, float16 weights everywhere: if that is not, nothing is.
 *   3. Steps from the one to the other, the layers whose error costs the fewest bytes to avoid first (budget_step.c). How many of them are needed
 *      is found by bisection on samples kept in memory, then checked on all samples and moved up until it holds there.
 *   4. Layers that turn out not to matter, the largest first, go back to the scheme that was asked for; a smaller recipe met on the way wins.
 *
 * The model is calibrated once; each form is a fork of it. What is handed out was judged on all samples.
 */
#include "api/budget.h"
#include "base/pool.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEARCH_SAMPLES = 512, MOST_BACK = 12 /* layers that are tried to go back */, MOST_THREADS = 64 };
#define MOST_DB 150.0 /* no error is taken for this */
#define WORTH 0.99    /* a file that is hardly smaller is not worth its layers without integer arithmetic */

void lc_bud_progress(const lc_bud_job *j, const char *stage, uint64_t done, uint64_t all) {
    if (j->budget->progress) j->budget->progress(j->budget->progress_user, stage, done, all);
}

/* ---- one form ------------------------------------------------------------------------------------------------------------ */

/* The recipe of the units' schemes, where it was tried before; NULL: it was not. */
static lc_bud_tried *find_tried(const lc_bud_job *j) {
    for (size_t i = 0; i < j->tried_count; i++) {
        size_t same = 0;
        while (same < j->unit_count && j->tried[i].schemes[same] == j->units[same].scheme) same++;
        if (same == j->unit_count) return &j->tried[i];
    }
    return NULL;
}

static lc_status add_tried(lc_bud_job *j, lc_bud_tried **tried) {
    void *items = j->tried;
    lc_scheme *schemes = lc_arena_array(&j->kept, j->unit_count, sizeof *schemes);
    if (!schemes || !lc_arena_grow(&j->kept, &items, &j->tried_capacity, j->tried_count + 1, sizeof *j->tried))
        return lc_fail_memory(j->err, "the table");
    j->tried = items;
    *tried = &j->tried[j->tried_count];
    **tried = (lc_bud_tried){.schemes = schemes, .order = j->tried_count++};
    for (size_t i = 0; i < j->unit_count; i++) schemes[i] = j->units[i].scheme;
    return LC_OK;
}

static void take_tried(lc_bud_job *j, const lc_scheme *schemes) {
    for (size_t i = 0; i < j->unit_count; i++) j->units[i].scheme = schemes[i];
}

static lc_status make_form(lc_bud_job *j, bool whole, lc_tradeoff_row *row, lc_model **m) {
    lc_quantize_options how = *j->options;
    lc_quant_report did = {0};
    char *recipe;
    LC_TRY(lc_bud_recipe(j, j->options->scheme, &recipe));
    how.recipe = recipe;
    if (!whole) how.input_type = how.output_type = LC_FLOAT32; /* the samples kept are floats */
    const lc_status status = lc_quant_make(j->source, &how, &did, m, j->err);
    lc_free(recipe);
    *row = (lc_tradeoff_row){.integer = did.integer, .weights = did.weights, .others = did.operators - did.integer - did.weights};
    for (size_t i = 0; i < j->unit_count; i++) row->layers += j->units[i].scheme != j->options->scheme;
    lc_arena_deinit(&did.arena);
    return status;
}

/* Judges the form of the units' schemes, if that was not done before. row: valid until the next one is tried. */
static lc_status try_form(lc_bud_job *j, bool whole, const lc_tradeoff_row **out) {
    lc_bud_tried *tried = find_tried(j);
    lc_tradeoff_row row;
    lc_bud_score score;
    lc_model *m;
    if (tried && tried->whole >= whole) return *out = &tried->row, LC_OK;
    LC_TRY(make_form(j, whole, &row, &m));
    lc_status status = lc_quant_file_size(m, &row.bytes, j->err);
    if (status == LC_OK) status = whole ? lc_bud_score_whole(j, m, &score) : lc_bud_score_kept(j, m, 1, &score);
    lc_model_destroy(m);
    if (status == LC_OK && !tried) status = add_tried(j, &tried);
    if (status) return status;
    lc_bud_grade(j, &score, whole, &row.score, &row.drop);
    row.samples = score.samples;
    row.within = row.drop <= j->budget->max_drop + 1e-9; /* 0.1 points of 1000 samples are one, whatever doubles make of it */
    tried->row = row;
    tried->whole = whole;
    *out = &tried->row;
    return LC_OK;
}

/* The first `count` steps are taken; one more than there are: every layer is at its mildest. */
static void take_steps(lc_bud_job *j, size_t count) {
    for (size_t i = 0; i < j->unit_count; i++)
        j->units[i].scheme = count > j->step_count ? lc_bud_mildest(j, &j->units[i]) : j->options->scheme;
    for (size_t k = 0; k < count && count <= j->step_count; k++) j->units[j->steps[k].unit].scheme = j->steps[k].scheme;
}

static lc_status try_steps(lc_bud_job *j, size_t count, bool whole, bool *within) {
    const lc_tradeoff_row *row = NULL;
    take_steps(j, count);
    LC_TRY(try_form(j, whole, &row));
    *within = row->within;
    return LC_OK;
}

/* ---- the search -------------------------------------------------------------------------------------------------------------- */

/* Takes as few steps as are enough: said first on the samples kept, then on all. */
static lc_status find_count(lc_bud_job *j) {
    size_t low = 0, high = j->step_count + 1, tries = 0; /* of these it is known: too few, enough */
    bool within;
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        lc_bud_progress(j, "searching", ++tries, 0);
        LC_TRY(try_steps(j, middle, false, &within));
        if (within) high = middle;
        else low = middle;
    }
    const size_t all = j->step_count + 1;
    size_t next = high;
    for (size_t jump = 1; next < all; jump *= 2) {
        LC_TRY(try_steps(j, next, true, &within));
        if (within) break;
        low = next;
        next = all - next > jump ? next + jump : all;
    }
    for (high = next; high - low > 1;) {
        const size_t middle = low + (high - low) / 2;
        LC_TRY(try_steps(j, middle, true, &within));
        if (within) high = middle;
        else low = middle;
    }
    take_steps(j, high);
    return LC_OK;
}

static int by_weights(const void *a, const void *b) {
    const lc_bud_unit *const *x = a, *const *y = b;
    if ((*x)->weights != (*y)->weights) return (*x)->weights > (*y)->weights ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

/* Layers whose step was not needed go back. */
static lc_status go_back(lc_bud_job *j) {
    lc_bud_unit **changed = lc_arena_array(&j->kept, j->unit_count, sizeof(lc_bud_unit *));
    lc_scheme *held = lc_arena_array(&j->kept, j->unit_count, sizeof *held);
    size_t count = 0, back = 0;
    const lc_tradeoff_row *row = NULL;
    if (!changed || !held) return lc_fail_memory(j->err, "layers");
    for (size_t i = 0; i < j->unit_count; i++) {
        held[i] = j->units[i].scheme;
        if (held[i] != j->options->scheme) changed[count++] = &j->units[i];
    }
    qsort(changed, count, sizeof *changed, by_weights);
    for (size_t i = 0; i < count && i < MOST_BACK; i++) {
        const lc_scheme was = changed[i]->scheme;
        changed[i]->scheme = j->options->scheme;
        lc_bud_progress(j, "taking back what was not needed", i + 1, count < MOST_BACK ? count : MOST_BACK);
        LC_TRY(try_form(j, false, &row));
        if (row->within) back++;
        else changed[i]->scheme = was;
    }
    if (!back) return LC_OK;
    LC_TRY(try_form(j, true, &row));
    if (!row->within) take_tried(j, held);
    return LC_OK;
}

static int by_size(const void *a, const void *b) {
    const lc_bud_tried *x = a, *y = b;
    if (x->row.bytes != y->row.bytes) return x->row.bytes < y->row.bytes ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

/* Sizes do not always fall with the steps: QUANTIZE and DEQUANTIZE between layers take bytes, too. A smaller recipe that was within the budget
 * on the way is taken instead. */
static lc_status take_smaller(lc_bud_job *j) {
    const lc_tradeoff_row *row = NULL;
    LC_TRY(try_form(j, true, &row));
    const double enough = (double)row->bytes * WORTH;
    lc_scheme *held = find_tried(j)->schemes;
    qsort(j->tried, j->tried_count, sizeof *j->tried, by_size);
    for (size_t i = 0; i < j->tried_count && (double)j->tried[i].row.bytes <= enough; i++) {
        if (!j->tried[i].row.within) continue;
        take_tried(j, j->tried[i].schemes);
        LC_TRY(try_form(j, true, &row));
        if (row->within) return LC_OK;
    }
    take_tried(j, held);
    return LC_OK;
}

static lc_status nothing_within(const lc_bud_job *j, double drop) {
    const char *unit = j->kind == LC_SCORE_SNR ? "dB" : "points";
    lc_fail(j->err, LC_UNSUPPORTED, "no form of the model is within the budget: the mildest, %s, loses %.3g %s of %g that may be lost",
            j->options->only_integer ? "int16x8 wherever there is a form of it" : "float16 weights in every layer that may be chosen for",
            drop, unit, j->budget->max_drop);
    lc_error_hint(j->err, "%s",
                  j->options->only_integer ? "allow floats (leave out --int8-only), or a larger --max-drop"
                                           : "allow a larger --max-drop, or look for the layer at fault with litec compare");
    return LC_UNSUPPORTED;
}

/* Of float16 weights everywhere, whatever was fixed: what decibels are counted from. */
static lc_status find_reference(lc_bud_job *j, bool whole, double *db) {
    lc_quantize_options how = *j->options;
    lc_quant_report did = {0};
    lc_bud_score score;
    lc_model *m;
    how.recipe = NULL;
    how.scheme = LC_SCHEME_FLOAT16;
    how.input_type = how.output_type = LC_FLOAT32;
    how.only_integer = false;
    lc_status status = lc_quant_make(j->source, &how, &did, &m, j->err);
    lc_arena_deinit(&did.arena);
    if (status == LC_OK) status = whole ? lc_bud_score_whole(j, m, &score) : lc_bud_score_kept(j, m, 1, &score);
    lc_model_destroy(m);
    if (status) return status;
    *db = fmin(score.db, MOST_DB);
    if (*db >= -MOST_DB) return LC_OK;
    lc_fail(j->err, LC_INVALID, "the outputs of the float model are not finite, or those with float16 weights");
    lc_error_hint(j->err, "litec compare shows where: look at the samples, and at weights beyond the range of float16");
    return LC_INVALID;
}

/* The units' schemes become those of the result. */
static lc_status search(lc_bud_job *j) {
    const lc_tradeoff_row *row = NULL;
    if (j->kind == LC_SCORE_SNR) LC_TRY(find_reference(j, true, &j->whole_db));
    take_steps(j, 0);
    LC_TRY(try_form(j, true, &row));
    j->result->reference = j->kind == LC_SCORE_SNR ? j->whole_db : row->score + row->drop / 100;
    if (row->within) return LC_OK;
    take_steps(j, j->step_count + 1);
    LC_TRY(try_form(j, true, &row));
    if (!row->within) return nothing_within(j, row->drop);
    LC_TRY(lc_bud_keep(j, j->budget->search_samples ? j->budget->search_samples : SEARCH_SAMPLES));
    if (j->kind == LC_SCORE_SNR) LC_TRY(find_reference(j, false, &j->kept_db));
    take_steps(j, 0);
    LC_TRY(lc_bud_find_steps(j));
    LC_TRY(find_count(j));
    LC_TRY(go_back(j));
    return take_smaller(j);
}

/* ---- the result ---------------------------------------------------------------------------------------------------------------- */

static lc_status fill_result(lc_bud_job *j) {
    lc_tradeoff *r = j->result;
    lc_tradeoff_layer *layers = lc_arena_array(j->arena, j->unit_count, sizeof *layers);
    lc_tradeoff_row *rows = lc_arena_array(j->arena, j->tried_count + 1, sizeof *rows);
    char *recipe;
    LC_TRY(lc_bud_recipe(j, j->options->scheme, &recipe));
    r->recipe = lc_arena_strndup(j->arena, recipe, strlen(recipe));
    lc_free(recipe);
    if (!layers || !rows || !r->recipe) return lc_fail_memory(j->err, "the table");
    for (size_t i = 0; i < j->unit_count; i++) {
        const lc_bud_unit *u = &j->units[i];
        const double noise = u->noise[j->options->scheme];
        layers[i] = (lc_tradeoff_layer){.name = u->name, .scheme = u->scheme, .weights = u->weights};
        layers[i].snr = noise < 0 ? NAN : noise >= LC_BUD_MOST_NOISE ? -INFINITY : noise > 0 ? -10 * log10(noise) : INFINITY;
    }
    qsort(j->tried, j->tried_count, sizeof *j->tried, by_size);
    for (size_t i = 0; i < j->tried_count; i++) {
        rows[i + 1] = j->tried[i].row;
        if (&j->tried[i] == find_tried(j)) r->chosen = i + 1;
    }
    rows[0] = (lc_tradeoff_row){.others = rows[r->chosen].integer + rows[r->chosen].weights + rows[r->chosen].others,
                                .samples = rows[r->chosen].samples,
                                .score = j->kind == LC_SCORE_SNR ? INFINITY : r->reference,
                                .within = true};
    LC_TRY(lc_quant_file_size(j->source->model, &rows[0].bytes, j->err));
    r->samples = rows[0].samples;
    r->rows = rows;
    r->row_count = j->tried_count + 1;
    r->layers = layers;
    r->layer_count = j->unit_count;
    return LC_OK;
}

/* ---- the call ---------------------------------------------------------------------------------------------------------------------- */

static lc_status check_budget(const lc_quantize_options *o, const lc_tradeoff_options *b, lc_error *err) {
    if (!(b->max_drop >= 0 && b->max_drop <= (b->decibels ? MOST_DB : 100))) {
        lc_fail(err, LC_ARGUMENT, "a budget of %g %s", b->max_drop, b->decibels ? "dB" : "percentage points");
        lc_error_hint(err, "for example 0.5 percentage points, or 20 dB");
        return LC_ARGUMENT;
    }
    if (o->scheme == LC_SCHEME_FLOAT || (size_t)o->scheme >= LC_BUD_SCHEMES) {
        lc_fail(err, LC_ARGUMENT, "a budget needs a scheme to be spent on");
        lc_error_hint(err, "ask for int8 (--quantize int8), dynamic, float16, int16x8 or int4");
        return LC_ARGUMENT;
    }
    for (size_t i = 0; i < b->eval_count; i++) {
        if (lc_data_count(b->eval[i]) == UINT64_MAX)
            return lc_fail(err, LC_ARGUMENT, "the number of samples to judge by is not known: they come from a function");
        if (b->decibels || lc_data_has_labels(b->eval[i]) == lc_data_has_labels(b->eval[0])) continue;
        const char *without = lc_data_signature(b->eval[lc_data_has_labels(b->eval[i]) ? 0 : i]);
        lc_fail(err, LC_ARGUMENT, "the samples of signature %.200s have no labels, those of another have",
                without ? without : "(the first)");
        lc_error_hint(err, "give labels for all of them or for none, or a budget in decibels");
        return LC_ARGUMENT;
    }
    return LC_OK;
}

/* A model that gives one number need not be a classifier; with labels it is one. */
static lc_status check_classes(const lc_bud_job *j, const lc_data *eval) {
    const lc_session_options how = {.signature = lc_data_signature(eval)};
    lc_session *s;
    if (j->kind != LC_SCORE_AGREEMENT) return LC_OK;
    LC_TRY(lc_session_create(j->source->model, &how, &s, j->err));
    const int32_t at = j->budget->output ? lc_session_find_output(s, j->budget->output) : 0;
    const lc_tensor_view v = lc_session_output(s, at < 0 ? 0 : (size_t)at);
    uint64_t wide = 1;
    for (int32_t d = 1; d < v.rank; d++) wide *= v.dims[d] > 0 ? (uint64_t)v.dims[d] : 1;
    const bool one = v.name && v.rank >= 0 && wide == 1;
    if (one) {
        lc_fail(j->err, LC_INVALID, "output %.200s is one number a sample: without labels nobody knows of what classes", v.name);
        lc_error_hint(j->err, "give labels (--labels), or a budget in decibels such as --max-drop 20dB");
    }
    lc_session_destroy(s);
    return one ? LC_INVALID : LC_OK;
}

static lc_status run(lc_bud_job *j, lc_model **quantized) {
    lc_quantize_options how = *j->options;
    j->judged = lc_arena_array(&j->kept, j->budget->eval_count, sizeof *j->judged);
    if (!j->judged) return lc_fail_memory(j->err, "samples");
    for (size_t i = 0; i < j->budget->eval_count; i++) LC_TRY(check_classes(j, j->budget->eval[i]));
    if (how.only_integer) { /* what cannot be is told before the search */
        LC_TRY(lc_quant_finish(j->source, &how, quantized, NULL, j->err));
        lc_model_destroy(*quantized);
        *quantized = NULL;
    }
    LC_TRY(lc_bud_find_units(j));
    LC_TRY(search(j));
    LC_TRY(fill_result(j));
    how.recipe = j->result->recipe;
    lc_quant_forget(j->source->model); /* it lives on behind the quantised one */
    return lc_quant_finish(j->source, &how, quantized, how.report, j->err);
}

static lc_status quantize(lc_model *model, const lc_quantize_options *o, const lc_tradeoff_options *b, lc_model **quantized,
                          lc_tradeoff *result, lc_error *err) {
    lc_quant_source source;
    LC_TRY(check_budget(o, b, err));
    LC_TRY(lc_quant_prepare(model, o, &source, err));
    lc_arena *arena = lc_calloc(1, sizeof *arena);
    lc_bud_job j = {.source = &source,
                    .options = o,
                    .budget = b,
                    .arena = arena,
                    .err = err,
                    .threads = lc_pool_wanted(o->threads, MOST_THREADS),
                    .kind = b->decibels                      ? LC_SCORE_SNR
                            : lc_data_has_labels(b->eval[0]) ? LC_SCORE_TOP1
                                                             : LC_SCORE_AGREEMENT,
                    .result = result};
    *result = (lc_tradeoff){.score = j.kind, .scheme = o->scheme, .max_drop = b->max_drop, .memory = arena};
    const lc_status status = arena ? run(&j, quantized) : lc_fail_memory(err, "the table");
    lc_arena_deinit(&j.kept);
    lc_quant_source_deinit(&source);
    return status;
}

lc_status lc_model_quantize_budget(lc_model *model, const lc_quantize_options *options, const lc_tradeoff_options *budget,
                                   lc_model **quantized, lc_tradeoff *tradeoff, lc_error *err) {
    lc_error local;
    lc_tradeoff result = {0};
    if (!err) err = &local;
    lc_error_clear(err);
    if (tradeoff) *tradeoff = (lc_tradeoff){0};
    if (quantized) *quantized = NULL;
    if (!model || !options || !quantized) return lc_fail(err, LC_ARGUMENT, "lc_model_quantize_budget needs a model, options and a place");
    if (!budget || !budget->eval || !budget->eval_count) {
        lc_fail(err, LC_ARGUMENT, "a budget needs samples to judge by");
        lc_error_hint(err, "lc_tradeoff_options.eval; --eval DATA");
        return LC_ARGUMENT;
    }
    const lc_status status = quantize(model, options, budget, quantized, &result, err);
    if (status || !tradeoff) lc_tradeoff_deinit(&result);
    else *tradeoff = result;
    return status;
}

void lc_tradeoff_deinit(lc_tradeoff *t) {
    if (t && t->memory) {
        lc_arena_deinit(t->memory);
        lc_free(t->memory);
    }
    if (t) *t = (lc_tradeoff){0};
}
