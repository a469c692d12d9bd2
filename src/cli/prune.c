/*
 * prune.c: from the words of the command line to lc_model_prune, and what came of it.
 */
#include "cli/prune.h"

#include <stdlib.h>
#include <string.h>

static int replace(lc_model **model, const lc_prune_options *how) {
    lc_model *other;
    lc_error err;
    if (lc_model_prune(*model, how, &other, &err)) return lc_cli_fail(&err);
    lc_model_destroy(*model);
    *model = other;
    return LC_EXIT_OK;
}

int lc_cli_prune_model(const lc_cli_prune *prune, lc_model **model, lc_cli_pruned *pruned) {
    lc_error err;
    *pruned = (lc_cli_pruned){0};
    if (prune->global && !prune->sparsity) return lc_cli_usage("add --prune 0.8", "--prune-global does nothing without --prune");
    if (!prune->sparsity && !prune->layers.count && !prune->clusters && !prune->sparse) return LC_EXIT_OK;
    pruned->done = true;
    if (lc_model_gzip_size(*model, NULL, &pruned->gzip_before, &err)) return lc_cli_fail(&err);
    if (!prune->sparsity && !prune->layers.count && !prune->clusters) return LC_EXIT_OK;
    char *layers;
    if (!lc_cli_join(&prune->layers, ';', &layers)) return lc_cli_failed(NULL, "out of memory (options)");
    const lc_prune_options how = {.sparsity = prune->sparsity,
                                  .global = prune->global,
                                  .layers = layers,
                                  .clusters = (uint32_t)prune->clusters,
                                  .stats = &pruned->stats};
    const int code = replace(model, &how);
    free(layers);
    return code;
}

int lc_cli_prune_finish(const lc_cli_prune *prune, lc_model **model, lc_cli_pruned *pruned) {
    lc_prune_stats stats = {0};
    lc_error err;
    if (!pruned->done) return LC_EXIT_OK;
    if (prune->sparse) {
        const int code = replace(model, &(lc_prune_options){.sparse = true, .stats = &stats});
        if (code) return code;
        pruned->stats.sparse = stats.sparse;
        pruned->sparse = true;
    }
    return lc_model_gzip_size(*model, NULL, &pruned->gzip_after, &err) ? lc_cli_fail(&err) : LC_EXIT_OK;
}

void lc_cli_pruned_print(const lc_cli_pruned *p, bool json) {
    const lc_prune_stats *s = &p->stats;
    if (!p->done) return;
    if (json) {
        printf(",\"pruning\":{\"constants\":%u,\"weights\":%llu,\"zeros\":%llu,\"relative_error\":%.6g,\"sparse_constants\":%u,"
               "\"gzip_bytes_before\":%llu,\"gzip_bytes\":%llu}",
               s->constants, (unsigned long long)s->weights, (unsigned long long)s->zeros, s->error, s->sparse,
               (unsigned long long)p->gzip_before, (unsigned long long)p->gzip_after);
        return;
    }
    if (s->constants)
        printf("%llu weights in %u constant%s: %.1f %% are zero; the change is %.1f %% of them (root mean square)\n",
               (unsigned long long)s->weights, s->constants, s->constants == 1 ? "" : "s", 100 * (double)s->zeros / (double)s->weights,
               100 * s->error);
    if (p->sparse && !s->sparse) puts("no constant stored sparsely: none is float32 and smaller so");
    if (s->sparse) printf("%u constant%s stored sparsely\n", s->sparse, s->sparse == 1 ? "" : "s");
    printf("gzip: %s -> %s (%.1f %%)\n", lc_cli_bytes(p->gzip_before).text, lc_cli_bytes(p->gzip_after).text,
           100 * (double)p->gzip_after / (double)p->gzip_before);
}
