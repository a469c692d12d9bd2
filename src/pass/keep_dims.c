/*
 * keep_dims.c: a reduction whose result is only given its reduced dimensions back, as ones, keeps them itself:
 *
 *   RESHAPE(MEAN(x [n,h,w,c], [1,2]) [n,c], [n,1,1,c])  ->  MEAN(x, [1,2], keep_dims)         squeeze-and-excitation of EfficientNet
 *
 * One dimension may be open, in x and in the result at the same place.
 */
#include "pass/rewrite.h"

#include <string.h>

static bool reduces(const lc_node *node) {
    static const lc_op_id ops[] = {LC_OP_MEAN,       LC_OP_SUM,        LC_OP_REDUCE_PROD, LC_OP_REDUCE_MAX,
                                   LC_OP_REDUCE_MIN, LC_OP_REDUCE_ANY, LC_OP_REDUCE_ALL};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (lc_node_is(node, ops[i])) return true;
    return false;
}

/* Bit d: dimension d of x is reduced. False when the axes are not known, or are none of x's. */
static bool reduced(const lc_tensor *x, const lc_tensor *axes, uint32_t *bits) {
    *bits = 0;
    if (!axes->data || axes->type != LC_INT32 || !x->has_rank || x->rank > 31) return false;
    for (size_t i = 0; i < axes->size / sizeof(int32_t); i++) {
        int32_t a;
        memcpy(&a, (const char *)axes->data + i * sizeof a, sizeof a);
        if (a < 0) a += x->rank;
        if (a < 0 || a >= x->rank) return false;
        *bits |= 1u << a;
    }
    return *bits != 0;
}

/* The shape of x with ones where it is reduced. */
static bool only_ones(const lc_tensor *x, uint32_t bits, const lc_tensor *out) {
    int open = 0;
    if (!out->has_rank || out->rank != x->rank) return false;
    for (int32_t d = 0; d < x->rank; d++) {
        const int32_t want = bits >> d & 1 ? 1 : lc_tensor_dim(x, d);
        if (lc_tensor_dim(out, d) != want) return false;
        open += want < 0;
    }
    return open <= 1;
}

lc_status lc_pass_keep_dims(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *reshape = &rw->graph->nodes[n];
        uint32_t bits;
        if (!lc_node_is(reshape, LC_OP_RESHAPE)) continue;
        lc_node *node = lc_rewrite_sole_producer(rw, reshape->inputs[0]);
        if (!reduces(node) || LC_OP_ATTRS(node, ReducerOptions)->keep_dims || lc_rewrite_tensor(rw, reshape->outputs[0])->quant) continue;
        const lc_tensor *x = lc_rewrite_tensor(rw, node->inputs[0]);
        if (!reduced(x, lc_rewrite_tensor(rw, node->inputs[1]), &bits)) continue;
        if (!only_ones(x, bits, lc_rewrite_tensor(rw, reshape->outputs[0]))) continue;
        lc_ReducerOptions *o = lc_arena_alloc(rw->arena, sizeof *o);
        if (!o) return lc_fail_memory(rw->err, "operator options");
        lc_schema_init(LC_TABLE_ReducerOptions, o);
        o->keep_dims = true;
        node->attrs_table = LC_TABLE_ReducerOptions;
        node->attrs = o;
        lc_rewrite_absorb(rw, node, reshape);
    }
    return LC_OK;
}
