/*
 * graph.c: see graph.h. An option may be given several times or hold a list: both come out as one list.
 */
#include "cli/graph.h"

#include <stdlib.h>
#include <string.h>

int lc_cli_graph_use(const lc_cli_graph *g, lc_convert_options *how, lc_cli_graph_texts *t) {
    const bool room = lc_cli_join(&g->signatures, ',', &t->lists[0]) && lc_cli_join(&g->functions, ',', &t->lists[1]) &&
                      lc_cli_join(&g->input_arrays, ',', &t->lists[2]) && lc_cli_join(&g->output_arrays, ',', &t->lists[3]) &&
                      lc_cli_join(&g->input_shapes, ';', &t->lists[4]) && lc_cli_join(&g->fixes, ';', &t->lists[5]);
    if (!room) {
        lc_cli_graph_free(t);
        return lc_cli_failed(NULL, "out of memory (options)");
    }
    how->signatures = t->lists[0];
    how->functions = t->lists[1];
    how->input_arrays = t->lists[2];
    how->output_arrays = t->lists[3];
    how->input_shapes = t->lists[4];
    how->fix = t->lists[5];
    how->tags = g->tags;
    how->checkpoint = g->checkpoint;
    how->select_tf_ops = g->select_tf_ops;
    for (size_t i = 0; i < g->custom_opdefs.count; i++) t->opdefs[i] = g->custom_opdefs.items[i];
    how->custom_opdefs = g->custom_opdefs.count ? t->opdefs : NULL;
    how->note = lc_cli_hear;
    return LC_EXIT_OK;
}

void lc_cli_graph_free(lc_cli_graph_texts *t) {
    for (size_t i = 0; i < sizeof t->lists / sizeof *t->lists; i++) {
        free(t->lists[i]);
        t->lists[i] = NULL;
    }
}
