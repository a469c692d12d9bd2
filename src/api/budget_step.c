/*
 * budget_step.c: what each layer costs, and which gives way first.
 *
 * The error of a layer is measured with everything but this layer float. Errors of layers are small and nearly independent, so their powers add up
 * to that of the whole, and each is seen for itself; with everything but this layer an integer one its share would drown in what
 * the others do, and the layer that spoils most would hide all others.
 *
 * A layer that gives way takes bytes (float16 weights are twice as large as int8) and speed, for which an average layer's bytes are counted: else
 * dozens of layers would be slowed down to save some hundred bytes in one. Each takes only steps that are worth it: from where it stands to the
 * choice with the most error less per cost, and on from there. All steps of all layers, the best first, are the way from the whole scheme to
 * the mildest; budget.c looks for the point on it.
 */
#include "api/budget.h"

#include <math.h>
#include <stdlib.h>

enum {
    MOST_MEASURED = 24, /* layers whose milder integer forms are measured, too: the worst */
    SAMPLE_RUNS = 2048,
    LEAST_RUNS = 8,
    MOST_RUNS = 64 /* samples a layer: as many as make that many runs for all layers */
};

/* What a layer may become instead, the smaller before the larger. */
static size_t milder(const lc_bud_job *j, const lc_bud_unit *u, lc_scheme out[3]) {
    const lc_scheme asked = j->options->scheme;
    size_t n = 0;
    if (asked == LC_SCHEME_INT8 && u->int16) out[n++] = LC_SCHEME_INT16X8;
    if (j->options->only_integer) return n;
    if (asked == LC_SCHEME_INT8 || asked == LC_SCHEME_INT4) out[n++] = LC_SCHEME_DYNAMIC;
    out[n++] = asked == LC_SCHEME_FLOAT16 ? LC_SCHEME_FLOAT : LC_SCHEME_FLOAT16;
    return n;
}

lc_scheme lc_bud_mildest(const lc_bud_job *j, const lc_bud_unit *u) {
    lc_scheme schemes[3];
    const size_t n = milder(j, u, schemes);
    if (!n) return j->options->scheme;
    return schemes[n - 1] == LC_SCHEME_FLOAT16 && u->weights == 0 ? LC_SCHEME_FLOAT : schemes[n - 1];
}

/* Of a weight in the file. */
static double bytes_each(lc_scheme s) { return s == LC_SCHEME_FLOAT ? 4 : s == LC_SCHEME_FLOAT16 ? 2 : s == LC_SCHEME_INT4 ? 0.5 : 1; }

static bool loses_nothing(lc_scheme s) { return s == LC_SCHEME_FLOAT || s == LC_SCHEME_FLOAT16; }

static lc_status measure(lc_bud_job *j, lc_bud_unit *u, lc_scheme scheme, size_t every) {
    lc_quantize_options alone = *j->options;
    lc_quant_report did = {0};
    lc_bud_score score = {0};
    lc_model *m = NULL;
    char *recipe;
    LC_TRY(lc_bud_recipe_of(j, u, scheme, &recipe));
    alone.recipe = recipe;
    alone.scheme = LC_SCHEME_FLOAT;
    alone.input_type = alone.output_type = LC_FLOAT32;
    alone.only_integer = false;
    lc_status status = lc_quant_make(j->source, &alone, &did, &m, j->err);
    lc_free(recipe);
    const bool changed = did.integer || did.weights;
    if (status == LC_OK && changed) status = lc_bud_score_kept(j, m, every, &score);
    /* with too few weights, or no such form, it stays float and is called so */
    if (changed || scheme == j->options->scheme) u->noise[scheme] = fmin(score.noise, LC_BUD_MOST_NOISE);
    else if (!j->options->only_integer) u->noise[LC_SCHEME_FLOAT] = 0;
    lc_model_destroy(m);
    lc_arena_deinit(&did.arena);
    return status;
}

static size_t sensitivity_stride(lc_bud_job *j) {
    size_t runs = SAMPLE_RUNS / (j->unit_count ? j->unit_count : 1), batches = 0, each = j->batch_count ? j->batches[0].samples : 1;
    runs = runs < LEAST_RUNS ? LEAST_RUNS : runs > MOST_RUNS ? MOST_RUNS : runs;
    batches = runs / each ? runs / each : 1;
    const size_t every = j->batch_count > batches ? j->batch_count / batches : 1;
    for (size_t k = 0; k < j->batch_count; k++)
        if (j->batches[k].at % every == 0) j->result->sensitivity_samples += j->batches[k].samples;
    return every;
}

static int by_noise(const void *a, const void *b) {
    const lc_bud_unit *const *x = a, *const *y = b;
    const lc_scheme s = (*x)->scheme; /* that was asked for: nothing is chosen yet */
    if ((*x)->noise[s] != (*y)->noise[s]) return (*x)->noise[s] > (*y)->noise[s] ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

static lc_status measure_all(lc_bud_job *j) {
    const lc_scheme asked = j->options->scheme;
    const size_t every = sensitivity_stride(j);
    lc_bud_unit **worst = lc_arena_array(&j->kept, j->unit_count, sizeof(lc_bud_unit *));
    if (!worst) return lc_fail_memory(j->err, "layers");
    for (size_t i = 0; i < j->unit_count; i++) {
        lc_bud_progress(j, "measuring layers", i, j->unit_count);
        LC_TRY(measure(j, &j->units[i], asked, every));
        worst[i] = &j->units[i];
    }
    qsort(worst, j->unit_count, sizeof *worst, by_noise);
    for (size_t i = 0; i < j->unit_count && worst[i]->noise[asked] > 0; i++) {
        lc_bud_unit *u = worst[i];
        lc_scheme schemes[3];
        const size_t n = milder(j, u, schemes);
        lc_bud_progress(j, "measuring milder forms", i, j->unit_count);
        for (size_t k = 0; k < n; k++) {
            if (loses_nothing(schemes[k])) u->noise[lc_bud_mildest(j, u)] = 0;
            else if (i < MOST_MEASURED && (u->weights || schemes[k] == LC_SCHEME_INT16X8)) LC_TRY(measure(j, u, schemes[k], every));
        }
    }
    return LC_OK;
}

/* ---- steps -------------------------------------------------------------------------------------------------------------- */

static lc_status add_steps(lc_bud_job *j, uint32_t index, double average) {
    const lc_bud_unit *u = &j->units[index];
    const lc_scheme asked = j->options->scheme;
    lc_scheme at = asked;
    double spent = 0;
    while (true) {
        lc_scheme best = at;
        double most = 0, cost_of_best = 0;
        for (int s = 0; s < LC_BUD_SCHEMES; s++) {
            if (u->noise[s] < 0 || u->noise[s] > 0.8 * u->noise[at]) continue; /* hardly better: chance */
            const double cost = average + (double)u->weights * (bytes_each((lc_scheme)s) - bytes_each(asked));
            const double gain = (u->noise[at] - u->noise[s]) / fmax(cost - spent, 1);
            if (gain > most) most = gain, best = (lc_scheme)s, cost_of_best = cost;
        }
        if (best == at) return LC_OK;
        void *items = j->steps;
        if (!lc_arena_grow(&j->kept, &items, &j->step_capacity, j->step_count + 1, sizeof *j->steps))
            return lc_fail_memory(j->err, "layers");
        j->steps = items;
        j->steps[j->step_count++] = (lc_bud_step){index, best, most};
        at = best;
        spent = cost_of_best;
    }
}

/* Equal ones in the order of the model; those of one layer fall in gain as they are made. */
static int by_gain(const void *a, const void *b) {
    const lc_bud_step *x = a, *y = b;
    if (x->gain != y->gain) return x->gain > y->gain ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

lc_status lc_bud_find_steps(lc_bud_job *j) {
    double weights = 0;
    LC_TRY(measure_all(j));
    for (size_t i = 0; i < j->unit_count; i++) weights += (double)j->units[i].weights;
    const double average = fmax(weights * bytes_each(j->options->scheme) / (double)(j->unit_count ? j->unit_count : 1), 64);
    for (size_t i = 0; i < j->unit_count; i++) LC_TRY(add_steps(j, (uint32_t)i, average));
    if (j->step_count) qsort(j->steps, j->step_count, sizeof *j->steps, by_gain);
    return LC_OK;
}
