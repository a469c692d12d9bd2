/*
 * budget.c: from --max-drop and --eval to lc_model_quantize_budget.
 */
#include "cli/budget.h"

#include "cli/sets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

/* Samples a batch where the model does not say: few, so that some batches are many places of the data. */
enum { BATCH = 8 };

/* "0.5%" or "0.5": percentage points; "20dB". Exit code. */
static int read_drop(const char *text, lc_tradeoff_options *b) {
    char *end;
    const bool starts = (text[0] >= '0' && text[0] <= '9') || text[0] == '.'; /* no blank, sign, nan or inf */
    b->max_drop = starts ? strtod(text, &end) : -1;
    if (starts && (strcmp(end, "dB") == 0 || strcmp(end, "db") == 0)) b->decibels = true;
    else if (!starts || (*end && strcmp(end, "%") != 0) || b->max_drop > 100)
        return lc_cli_usage("percentage points of the score, such as 0.5%, or decibels of signal to noise, such as 20dB", "--max-drop %s",
                            text);
    if (b->decibels && b->max_drop > 150) return lc_cli_usage("it is 150 dB at most", "--max-drop %s", text);
    return LC_EXIT_OK;
}

int lc_cli_budget_check(const lc_cli_budget *b) {
    lc_tradeoff_options how = {0};
    const char *alone = b->eval.count    ? "--eval"
                        : b->labels      ? "--labels"
                        : b->save_recipe ? "--save-recipe"
                        : b->search      ? "--search-samples"
                                         : NULL;
    if (!b->max_drop) return alone ? lc_cli_usage("add --max-drop 0.5%", "%s does nothing without --max-drop", alone) : LC_EXIT_OK;
    const int code = read_drop(b->max_drop, &how);
    if (code) return code;
    if (!b->eval.count)
        return lc_cli_usage("for example --eval test.npz, or --eval images.idx --labels labels.idx",
                            "--max-drop needs --eval, samples to judge by");
    if (how.decibels && b->labels)
        return lc_cli_usage("give the budget as %, or leave out --labels", "a budget in decibels looks at no labels");
    return LC_EXIT_OK;
}

static void progress(void *user, const char *stage, uint64_t done, uint64_t all) {
    double *told = user;
    const double now = lc_cli_now();
    if (now - *told < 0.1) return;
    *told = now;
    fprintf(stderr, "\r\033[K%s", stage);
    if (all) fprintf(stderr, ": %llu of %llu", (unsigned long long)(done < all ? done : all), (unsigned long long)all);
    else if (done) fprintf(stderr, ": %llu", (unsigned long long)done);
}

/* As many samples in a run as a model of fixed size has. */
static uint32_t choose_batch(const lc_model *model) {
    const lc_tensor_view v = lc_model_input(model, 0);
    return v.name && !v.any_rank && v.rank > 0 && v.signature[0] > 0 ? (uint32_t)v.signature[0] : BATCH;
}

static int save(const lc_cli_budget *b, const lc_tradeoff *t) {
    lc_error err;
    return b->save_recipe && lc_recipe_save(t->recipe, b->save_recipe, &err) ? lc_cli_fail(&err) : LC_EXIT_OK;
}

int lc_cli_budget_quantize(const lc_cli_budget *b, const lc_preprocess *pixels, const lc_quantize_options *how, lc_model *model, bool quiet,
                           lc_model **smaller, lc_tradeoff *tradeoff) {
    lc_cli_sets eval;
    const bool shown = !quiet && isatty(2);
    double told = lc_cli_now();
    lc_tradeoff_options budget = {.search_samples = (uint32_t)b->search, .progress = shown ? progress : NULL, .progress_user = &told};
    lc_error err;
    int code = read_drop(b->max_drop, &budget);
    const lc_data_options from = {.pixels = pixels, .labels = b->labels, .batch = choose_batch(model)};
    if (code || (code = lc_cli_sets_open(&b->eval, &from, model, &eval))) return code;
    budget.eval = eval.data;
    budget.eval_count = eval.count;
    const lc_status status = lc_model_quantize_budget(model, how, &budget, smaller, tradeoff, &err);
    lc_cli_sets_close(&eval);
    if (shown) fputs("\r\033[K", stderr);
    return status ? lc_cli_fail(&err) : save(b, tradeoff);
}

void lc_cli_budget_print(const lc_tradeoff *t, bool json) {
    char *text;
    if (!t->row_count || lc_tradeoff_report(t, json ? LC_REPORT_JSON : LC_REPORT_TEXT, &text, NULL)) return;
    if (json) fputs(",\"budget\":", stdout);
    fputs(text, stdout);
    lc_free(text);
}
