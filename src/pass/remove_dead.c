/*
 * remove_dead.c: operators whose outputs nobody reads, from the last to the first so that whole chains go at once. Operators
 * with side effects stay, but for random numbers that nobody reads.
 */
#include "pass/rewrite.h"

lc_status lc_pass_remove_dead(lc_rewrite *rw) {
    for (size_t n = rw->graph->node_count; n-- > 0;) {
        lc_node *node = &rw->graph->nodes[n];
        const lc_op_def *def = lc_op_get(node->op);
        if (!def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_ALONE)) == LC_OPF_SIDE_EFFECT || node->output_count == 0) continue;
        bool used = false;
        for (uint32_t i = 0; i < node->output_count; i++) used |= node->outputs[i] >= 0 && rw->uses[node->outputs[i]] > 0;
        if (!used) lc_rewrite_kill(rw, node);
    }
    return LC_OK;
}
