/*
 * shrink.c: from the words of the command line to lc_model_quantize.
 */
#include "cli/shrink.h"

#include "cli/sets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- words ------------------------------------------------------------------------------------------------------------ */

typedef struct word {
    const char *name;
    int value;
} word;

static const word types[] = {{"float32", LC_FLOAT32}, {"float", LC_FLOAT32}, {"int8", LC_INT8},
                             {"uint8", LC_UINT8},     {"int16", LC_INT16},   {0}};
static const word methods[] = {
    {"minmax", LC_CALIBRATE_MINMAX},   {"average", LC_CALIBRATE_AVERAGE}, {"percentile", LC_CALIBRATE_PERCENTILE},
    {"entropy", LC_CALIBRATE_ENTROPY}, {"mse", LC_CALIBRATE_MSE},         {0}};
static const word schemes[] = {{"dynamic", LC_SCHEME_DYNAMIC}, {"float16", LC_SCHEME_FLOAT16}, {"int8", LC_SCHEME_INT8},
                               {"int16x8", LC_SCHEME_INT16X8}, {"int4", LC_SCHEME_INT4},       {0}};

/* The value of a word; text NULL leaves *value as it is. Exit code. */
static int find_word(const word *words, const char *option, const char *text, int *value) {
    char hint[256];
    const char *best = NULL;
    size_t distance = 0, n = 0;
    if (!text) return LC_EXIT_OK;
    for (const word *w = words; w->name; w++) {
        if (strcmp(w->name, text) == 0) return *value = w->value, LC_EXIT_OK;
        lc_cli_consider(text, w->name, &best, &distance);
        n += (size_t)snprintf(hint + n, n < sizeof hint ? sizeof hint - n : 0, "%s%s", n ? ", " : "it is one of ", w->name);
    }
    if (lc_cli_near_enough(text, best, distance)) snprintf(hint, sizeof hint, "did you mean %s?", best);
    return lc_cli_usage(hint, "--%s %s: there is no such one", option, text);
}

/* "2.8" or "2.8.1" as 20800; 0 for what is no release. */
static uint32_t release(const char *text) {
    uint32_t part[3] = {0};
    int n = 0;
    for (; n < 3 && *text >= '0' && *text <= '9'; n++) {
        for (; *text >= '0' && *text <= '9'; text++) {
            part[n] = part[n] * 10 + (uint32_t)(*text - '0');
            if (part[n] > 99) return 0;
        }
        if (*text == '.') text++;
    }
    return *text || n < 2 ? 0 : part[0] * 10000 + part[1] * 100 + part[2];
}

/* The patterns of --recipe and --layer as one text, those of the command line last; freed by the caller. */
static int join_layers(const lc_cli_shrink *s, char **text) {
    char *file = NULL, *layers = NULL;
    lc_error err;
    *text = NULL;
    if (s->recipe && lc_recipe_load(s->recipe, NULL, &file, &err)) return lc_cli_fail(&err);
    if (lc_cli_join(&s->layers, ';', &layers)) {
        const size_t size = (file ? strlen(file) : 0) + (layers ? strlen(layers) : 0) + 2;
        if ((*text = malloc(size))) snprintf(*text, size, "%s;%s", file ? file : "", layers ? layers : "");
    }
    lc_free(file);
    free(layers);
    return *text ? LC_EXIT_OK : lc_cli_failed(NULL, "out of memory (options)");
}

/* ---- progress ----------------------------------------------------------------------------------------------------------- */

static void progress(void *user, uint64_t done, uint64_t all) {
    int *shown = user;
    const int percent = all && all != UINT64_MAX ? (int)(100 * (done < all ? done : all) / all) : (int)(done % 100);
    if (percent == *shown) return;
    *shown = percent;
    if (all && all != UINT64_MAX) fprintf(stderr, "\rcalibrating: %llu of %llu samples", (unsigned long long)done, (unsigned long long)all);
    else fprintf(stderr, "\rcalibrating: %llu samples", (unsigned long long)done);
}

/* ---- doing it ------------------------------------------------------------------------------------------------------------- */

static int quantize(const lc_cli_shrink *s, lc_quantize_options *how, lc_model **model, bool quiet, lc_tradeoff *tradeoff) {
    lc_preprocess named;
    const lc_preprocess *pixels = s->preprocess ? &named : NULL;
    lc_cli_sets all = {.count = 0};
    lc_model *smaller = NULL;
    lc_error err;
    int shown = -1, code = LC_EXIT_OK;
    if (pixels && lc_preprocess_named(s->preprocess, &named, &err)) return lc_cli_fail(&err);
    const lc_data_options from = {.pixels = pixels, .most = (uint64_t)s->samples};
    if ((code = lc_cli_sets_open(&s->data, &from, *model, &all))) return code;
    how->data = all.data;
    how->data_count = all.count;
    if (!quiet && isatty(2)) {
        how->progress = progress;
        how->progress_user = &shown;
    }
    if (s->budget.max_drop) code = lc_cli_budget_quantize(&s->budget, pixels, how, *model, quiet, &smaller, tradeoff);
    else {
        const lc_status status = lc_model_quantize(*model, how, &smaller, &err);
        if (shown >= 0) fputs("\r\033[K", stderr);
        if (status) code = lc_cli_fail(&err);
    }
    lc_cli_sets_close(&all);
    if (smaller) lc_model_destroy(*model);
    if (smaller) *model = smaller;
    return code;
}

/* Options that say how to quantise, but nothing that says to do it. */
static const char *without_scheme(const lc_cli_shrink *s) {
    return s->data.count                  ? "--representative"
           : s->layers.count || s->recipe ? NULL
           : s->input_type                ? "--input-type"
           : s->output_type               ? "--output-type"
           : s->int8_only                 ? "--int8-only"
           : s->per_tensor                ? "--per-tensor"
           : s->weights_only              ? "--weights-only"
           : s->block                     ? "--block"
           : s->calibration               ? "--calibration"
           : s->equalize                  ? "--equalize"
           : s->correct_bias              ? "--correct-bias"
           : s->budget.max_drop           ? "--max-drop"
                                          : NULL;
}

/* An option that the scheme has no use for, when no layer can have another; *wants: schemes that have. */
static const char *unheard(const lc_cli_shrink *s, lc_scheme scheme, const char **wants) {
    const bool integer = scheme == LC_SCHEME_INT8 || scheme == LC_SCHEME_INT16X8;
    if (s->layers.count || s->recipe || s->budget.max_drop) return NULL;
    *wants = "int4";
    if (s->block && scheme != LC_SCHEME_INT4) return "--block";
    *wants = "dynamic and int4";
    if (s->weights_only && scheme != LC_SCHEME_INT4 && scheme != LC_SCHEME_DYNAMIC) return "--weights-only";
    *wants = "int8 and int16x8";
    if (s->correct_bias && !integer) return "--correct-bias";
    return s->calibration && !integer ? "--calibration" : NULL;
}

static int shrink(const lc_cli_shrink *s, lc_model **model, bool quiet, uint32_t runtime, lc_quantize_report **report,
                  lc_tradeoff *tradeoff) {
    int scheme = LC_SCHEME_FLOAT, in = LC_FLOAT32, out = LC_FLOAT32, method = LC_CALIBRATE_MINMAX, code;
    *report = NULL;
    *tradeoff = (lc_tradeoff){0};
    if ((code = lc_cli_budget_check(&s->budget))) return code;
    if (!s->scheme && !s->layers.count && !s->recipe) {
        const char *alone = without_scheme(s);
        return alone ? lc_cli_usage("add --quantize int8 (or dynamic, float16, int16x8, int4)", "%s does nothing without --quantize", alone)
                     : LC_EXIT_OK;
    }
    if ((code = find_word(schemes, "quantize", s->scheme, &scheme)) || (code = find_word(types, "input-type", s->input_type, &in)) ||
        (code = find_word(types, "output-type", s->output_type, &out)) ||
        (code = find_word(methods, "calibration", s->calibration, &method)))
        return code;
    if (s->percentile != 0 && method != LC_CALIBRATE_PERCENTILE)
        return lc_cli_usage("add --calibration percentile", "--percentile belongs to another calibration");
    const char *wants, *deaf = unheard(s, (lc_scheme)scheme, &wants);
    if (deaf) return lc_cli_usage("leave it out, or take another scheme", "%s goes with %s, not with %s", deaf, wants, s->scheme);
    lc_quantize_options how = {.scheme = (lc_scheme)scheme,
                               .input_type = (lc_dtype)in,
                               .output_type = (lc_dtype)out,
                               .only_integer = s->int8_only,
                               .per_tensor = s->per_tensor,
                               .weights_only = s->weights_only,
                               .block = (uint32_t)s->block,
                               .calibration = (lc_calibration)method,
                               .percentile = (double)s->percentile,
                               .equalize = s->equalize,
                               .correct_bias = s->correct_bias,
                               .threads = s->threads,
                               .target_runtime = runtime,
                               .input_mean = s->means,
                               .input_std = s->stds,
                               .input_stat_count = (uint32_t)s->stats,
                               .default_low = s->range[0],
                               .default_high = s->range[1],
                               .report = report};
    char *layers;
    if ((code = join_layers(s, &layers))) return code;
    how.recipe = layers;
    code = quantize(s, &how, model, quiet, tradeoff);
    free(layers);
    return code;
}

int lc_cli_shrink_model(const lc_cli_shrink *s, lc_model **model, bool quiet, lc_quantize_report **report, lc_tradeoff *tradeoff) {
    lc_error err;
    const uint32_t runtime = s->target_runtime ? release(s->target_runtime) : 0;
    if (s->target_runtime && !runtime)
        return lc_cli_usage("give a release of TensorFlow, such as 2.8", "--target-runtime %s is no release", s->target_runtime);
    const int code = shrink(s, model, quiet, runtime, report, tradeoff);
    if (code || !runtime || lc_model_fit_runtime(*model, runtime, &err) == LC_OK) return code;
    lc_quantize_report_destroy(*report);
    *report = NULL;
    return lc_cli_fail(&err);
}
