/*
 * fuse_matmul.c: a TRANSPOSE that only swaps the last two dimensions goes into the BATCH_MATMUL that reads it, as adj_x or adj_y:
 *
 *   BATCH_MATMUL(q, TRANSPOSE(k, [0,2,1]))  ->  BATCH_MATMUL(q, k, adj_y)         attention; x @ transpose(y)
 *
 * Of float32 only: the operator's other forms (hybrid, quantised) are left as their author wrote them.
 */
#include "pass/rewrite.h"

#include <string.h>

static bool swaps_last(const lc_tensor *perm, int32_t rank) {
    int32_t p[LC_MAX_RANK];
    if (!perm->data || perm->type != LC_INT32 || rank < 2 || rank > LC_MAX_RANK || perm->size != (size_t)rank * sizeof *p) return false;
    memcpy(p, perm->data, perm->size);
    for (int32_t d = 0; d < rank - 2; d++)
        if (p[d] != d) return false;
    return p[rank - 2] == rank - 1 && p[rank - 1] == rank - 2;
}

static const lc_node *swapped(const lc_rewrite *rw, int32_t tensor) {
    const int32_t at = rw->producer[tensor];
    const lc_node *n = at < 0 ? NULL : &rw->graph->nodes[at];
    const lc_tensor *t = lc_rewrite_tensor(rw, tensor);
    if (!lc_node_is(n, LC_OP_TRANSPOSE) || t->type != LC_FLOAT32 || !t->has_rank) return NULL;
    return swaps_last(lc_rewrite_tensor(rw, n->inputs[1]), t->rank) ? n : NULL;
}

lc_status lc_pass_fuse_matmul(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        if (node->op != LC_OP_BATCH_MATMUL) continue;
        lc_rewrite_resolve(rw, node);
        if (lc_rewrite_tensor(rw, node->inputs[0])->type != LC_FLOAT32 || lc_rewrite_tensor(rw, node->inputs[1])->type != LC_FLOAT32)
            continue;
        for (uint32_t i = 0; i < 2; i++) {
            const lc_node *turn = swapped(rw, node->inputs[i]);
            if (!turn) continue;
            lc_BatchMatMulOptions *o = lc_arena_alloc(rw->arena, sizeof *o);
            if (!o) return lc_fail_memory(rw->err, "operator options");
            *o = *LC_OP_ATTRS(node, BatchMatMulOptions);
            if (i) o->adj_y = !o->adj_y;
            else o->adj_x = !o->adj_x;
            node->attrs_table = LC_TABLE_BatchMatMulOptions;
            node->attrs = o;
            lc_rewrite_set_input(rw, node, i, turn->inputs[0]);
        }
    }
    return LC_OK;
}
