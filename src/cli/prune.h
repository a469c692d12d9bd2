/*
 * prune.h: options of `litec convert` that make the file smaller when it is compressed, and doing it.
 */
#ifndef LC_CLI_PRUNE_H
#define LC_CLI_PRUNE_H

#include "cli/args.h"

typedef struct lc_cli_prune {
    const char *sparsity;
    lc_cli_list layers;
    bool global, sparse;
    int32_t clusters;
} lc_cli_prune;

/* Rows of an option table: T is the command's struct, `field` its lc_cli_prune. */
/* clang-format off */
#define LC_CLI_PRUNE_OPTIONS(T, field) \
    {"prune", 0, LC_CLI_STRING, offsetof(T, field.sparsity), "SPARSITY", "make the smallest weights zero: 0.8 of them, or all but 2:4 neighbours", 0, 0}, \
    {"prune-layers", 0, LC_CLI_LIST, offsetof(T, field.layers), "PATTERN=SPARSITY", "another sparsity, or 0, for layers of this name", 0, 0}, \
    {"prune-global", 0, LC_CLI_FLAG, offsetof(T, field.global), NULL, "the smallest of all layers together", 0, 0}, \
    {"cluster", 0, LC_CLI_COUNT, offsetof(T, field.clusters), "N", "few values a layer, by k-means: 16", 2, 256}, \
    {"sparse", 0, LC_CLI_FLAG, offsetof(T, field.sparse), NULL, "store zeros as such where the file gets smaller", 0, 0}
/* clang-format on */

/* What was done, for the summary. */
typedef struct lc_cli_pruned {
    bool done, sparse; /* anything was asked for; zeros stored as such */
    lc_prune_stats stats;
    uint64_t gzip_before, gzip_after; /* of the model as it came; of the file that is written */
} lc_cli_pruned;

/* Before the model is quantised: prunes and clusters. Exit code; *model is the other form, the former is let go. */
int lc_cli_prune_model(const lc_cli_prune *prune, lc_model **model, lc_cli_pruned *pruned);
/* After it: stores zeros sparsely, and measures. */
int lc_cli_prune_finish(const lc_cli_prune *prune, lc_model **model, lc_cli_pruned *pruned);
/* ", pruned ..." of the summary's JSON, and the lines of its text; nothing when nothing was done. */
void lc_cli_pruned_print(const lc_cli_pruned *pruned, bool json);

#endif
