/*
 * pass.c: runs the list of passes.def on each graph until a round changes nothing. Every pass only removes or simplifies, so
 * rounds end by themselves; the cap is a guard against a pass that would undo another.
 */
#include "pass/pass.h"

#include "pass/rewrite.h"

#define MAX_ROUNDS 64

typedef lc_status (*pass_fn)(lc_rewrite *rw);

static const pass_fn passes[] = {
#define LC_PASS(name, what) lc_pass_##name,
#include "pass/passes.def"
};

static lc_status run_pass(pass_fn pass, lc_graph *graph, bool *changed, lc_error *err) {
    lc_rewrite rw;
    lc_status status = lc_rewrite_begin(&rw, graph, err);
    if (status == LC_OK) status = pass(&rw);
    *changed |= rw.changed;
    if (status != LC_OK) {
        lc_arena_deinit(&rw.temporary);
        return status;
    }
    return lc_rewrite_end(&rw);
}

lc_status lc_optimize(lc_model *model, lc_error *err) {
    for (size_t g = 0; g < model->graph_count; g++) {
        bool changed = true;
        for (int round = 0; changed && round < MAX_ROUNDS; round++) {
            changed = false;
            for (size_t p = 0; p < sizeof passes / sizeof *passes; p++) LC_TRY(run_pass(passes[p], model->graphs[g], &changed, err));
        }
    }
    return LC_OK;
}
