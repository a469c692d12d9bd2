/*
 * pass.c: runs the list of passes.def on each graph until a round changes nothing. Every pass only removes or simplifies, so rounds end by
 * themselves; the cap is a guard against a pass that would undo another.
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

static lc_status run_list(lc_graph *graph, bool *changed, lc_error *err) {
    bool again = true;
    for (int round = 0; again && round < MAX_ROUNDS; round++) {
        again = false;
        for (size_t p = 0; p < sizeof passes / sizeof *passes; p++) LC_TRY(run_pass(passes[p], graph, &again, err));
        *changed |= again;
    }
    return LC_OK;
}

/* ---- graphs that lost their caller ------------------------------------------------------------------------------------ */

/* used[g]: the main graph, a signature's, one that stays anyway because it was not used before (NULL: none), or called by one that is used.
 */
static lc_status find_used(const lc_model *m, const bool *before, bool *used, lc_arena *temporary, lc_error *err) {
    for (size_t g = 0; g < m->graph_count; g++) used[g] = before && !before[g];
    if (m->graph_count) used[0] = true;
    for (size_t i = 0; i < m->signature_count; i++)
        if (m->signatures[i].graph >= 0 && (size_t)m->signatures[i].graph < m->graph_count) used[m->signatures[i].graph] = true;
    for (bool news = true; news;) {
        news = false;
        for (size_t g = 0; g < m->graph_count; g++)
            for (size_t n = 0; used[g] && n < m->graphs[g]->node_count; n++) {
                const uint32_t count = lc_op_calls(&m->graphs[g]->nodes[n], NULL, 0);
                int32_t *called = count ? lc_arena_array(temporary, count, sizeof *called) : NULL;
                if (count && !called) return lc_fail_memory(err, "graphs");
                lc_op_calls(&m->graphs[g]->nodes[n], called, count);
                for (uint32_t i = 0; i < count; i++)
                    if (called[i] >= 0 && (size_t)called[i] < m->graph_count && !used[called[i]]) used[called[i]] = news = true;
            }
    }
    return LC_OK;
}

/* Drops the graphs that were used and are not any more. */
static lc_status drop_graphs(lc_model *m, const bool *before, lc_arena *temporary, lc_error *err) {
    bool *used = lc_arena_array(temporary, m->graph_count + 1, sizeof *used);
    int32_t *map = lc_arena_array(temporary, m->graph_count + 1, sizeof *map), next = 0;
    if (!used || !map) return lc_fail_memory(err, "graphs");
    LC_TRY(find_used(m, before, used, temporary, err));
    for (size_t g = 0; g < m->graph_count; g++) map[g] = before[g] && !used[g] ? -1 : next++;
    if ((size_t)next == m->graph_count) return LC_OK;
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t n = 0; map[g] >= 0 && n < m->graphs[g]->node_count; n++)
            if (!lc_op_renumber_calls(&m->graphs[g]->nodes[n], map, &m->arena)) return lc_fail_memory(err, "graphs");
    for (size_t i = 0; i < m->signature_count; i++) m->signatures[i].graph = map[m->signatures[i].graph];
    for (size_t g = 0; g < m->graph_count; g++)
        if (map[g] >= 0) m->graphs[map[g]] = m->graphs[g];
    m->graph_count = (size_t)next;
    return LC_OK;
}

/* The graphs that others call come behind them in what we lower, so from the last to the first a caller sees what it calls as it will be;
 * again as long as a loop's change leaves something to do in its body. */
static lc_status optimize(lc_model *model, lc_arena *temporary, lc_error *err) {
    bool *before = lc_arena_array(temporary, model->graph_count + 1, sizeof *before), changed = true;
    if (!before) return lc_fail_memory(err, "graphs");
    LC_TRY(find_used(model, NULL, before, temporary, err));
    for (int round = 0; changed && round < MAX_ROUNDS; round++) {
        changed = false;
        for (size_t g = model->graph_count; g-- > 0;) LC_TRY(run_list(model->graphs[g], &changed, err));
        changed &= model->graph_count > 1;
    }
    return drop_graphs(model, before, temporary, err);
}

lc_status lc_optimize(lc_model *model, lc_error *err) {
    lc_arena temporary = {0};
    const lc_status status = optimize(model, &temporary, err);
    lc_arena_deinit(&temporary);
    return status;
}
