/*
 * budget.h: options of `litec convert --max-drop`, the smallest form of a model that loses no more than this, and doing it.
 */
#ifndef LC_CLI_BUDGET_H
#define LC_CLI_BUDGET_H

#include "cli/args.h"

typedef struct lc_cli_budget {
    const char *max_drop, *labels, *save_recipe;
    lc_cli_list eval;
    int32_t search;
} lc_cli_budget;

/* Rows of an option table: T is the command's struct, `field` its lc_cli_budget. */
/* clang-format off */
#define LC_CLI_BUDGET_OPTIONS(T, field) \
    {"max-drop", 0, LC_CLI_STRING, offsetof(T, field.max_drop), "N%|NdB", "layers give way until the score falls by no more than this", 0, 0}, \
    {"eval", 0, LC_CLI_LIST, offsetof(T, field.eval), "[SIG:][NAME=]DATA", "--max-drop: samples to judge by, as --representative", 0, 0}, \
    {"labels", 0, LC_CLI_STRING, offsetof(T, field.labels), "FILE", "their classes (those in the data; none: the float model's)", 0, 0}, \
    {"search-samples", 0, LC_CLI_COUNT, offsetof(T, field.search), "N", "of these, that the search looks at (512)", 1, INT32_MAX}, \
    {"save-recipe", 0, LC_CLI_STRING, offsetof(T, field.save_recipe), "FILE.json", "write what became of each layer, for --recipe", 0, 0}
/* clang-format on */

/* Whether the options go together and say something: exit code. */
int lc_cli_budget_check(const lc_cli_budget *budget);
/* lc_model_quantize_budget; pixels NULL: pictures to 0 ... 1. quiet: no progress. Exit code. */
int lc_cli_budget_quantize(const lc_cli_budget *budget, const lc_preprocess *pixels, const lc_quantize_options *how, lc_model *model,
                           bool quiet, lc_model **smaller, lc_tradeoff *tradeoff);
/* The table as text, or as a member of a JSON object; nothing when there is none. */
void lc_cli_budget_print(const lc_tradeoff *tradeoff, bool json);

#endif
