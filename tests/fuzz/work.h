/*
 * work.h: how long a model would take beyond its multiply-accumulates: cells of the windows that pooling goes through. A window as
 * large as its picture is legal and takes the square of the file's numbers, as a convolution does; time is not what the fuzzers look for.
 */
#ifndef TESTS_FUZZ_WORK_H
#define TESTS_FUZZ_WORK_H

#include "ops/op.h"

static inline uint64_t fuzz_window_cells(const lc_model *model) {
    double cells = 0;
    for (size_t k = 0; k < model->graph_count; k++) {
        const lc_graph *g = model->graphs[k];
        for (size_t i = 0; i < g->node_count; i++) {
            const lc_node *n = &g->nodes[i];
            uint64_t elements;
            if (!n->attrs || n->output_count == 0 || n->outputs[0] < 0) continue;
            const lc_tensor *out = &g->tensors[n->outputs[0]];
            if (!lc_tensor_elements(out, &elements)) elements = 1 << 20; /* not known before the run */
            double window = 1;
            if (n->attrs_table == LC_TABLE_Pool2DOptions) {
                const lc_Pool2DOptions *o = n->attrs;
                window = (double)o->filter_width * o->filter_height;
            } else if (n->attrs_table == LC_TABLE_StablehloReduceWindowOptions) {
                const lc_StablehloReduceWindowOptions *o = n->attrs;
                for (uint32_t d = 0; d < o->window_dimensions.n; d++) window *= (double)o->window_dimensions.data[d];
            }
            if (window > 1) cells += window * (double)elements;
        }
    }
    return cells < 1e15 ? (uint64_t)cells : 1000000000000000;
}

/* All that a run does, saturating. */
static inline uint64_t fuzz_work(const lc_model *model, const lc_session *s) {
    uint64_t all = fuzz_window_cells(model);
    for (size_t i = 0; i < lc_session_profile_count(s); i++) {
        const uint64_t here = lc_session_profile(s, i).macs;
        all = here > UINT64_MAX - all ? UINT64_MAX : all + here;
    }
    return all;
}

#endif
