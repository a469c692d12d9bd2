/*
 * remove_noops.c: operators that change nothing, and pairs that undo each other.
 *
 *   RESHAPE, SQUEEZE, EXPAND_DIMS to the same shape      RESHAPE of a RESHAPE: the first is skipped
 *   TRANSPOSE by the identity                            TRANSPOSE of a TRANSPOSE: one with the product of both
 *   CAST to the same type    PAD by zero    CONCATENATION of one input    MUL, DIV by 1, ADD, SUB of 0
 *   LOGICAL_AND with true, LOGICAL_OR with false, either of one tensor twice
 */
#include "pass/rewrite.h"

#include <string.h>

/* Equal type and dimensions; a shape with two open dimensions equals nothing, for their values might be swapped, nor does an unknown rank. */
static bool same_shape(const lc_tensor *a, const lc_tensor *b) {
    if (a->type != b->type || a->rank != b->rank || a->rank < 0 || (a->rank == 0 && a->has_rank != b->has_rank)) return false;
    int open = 0;
    for (int32_t d = 0; d < a->rank; d++) {
        if (lc_tensor_dim(a, d) != lc_tensor_dim(b, d)) return false;
        open += lc_tensor_dim(a, d) < 0;
    }
    return open <= 1;
}

static bool is_identity_perm(const lc_tensor *t) {
    if (!t->data || t->type != LC_INT32) return false;
    for (int32_t i = 0; (size_t)i < t->size / sizeof(int32_t); i++) {
        int32_t p;
        memcpy(&p, (const char *)t->data + (size_t)i * sizeof p, sizeof p);
        if (p != i) return false;
    }
    return true;
}

static bool all_zero(const lc_tensor *t) {
    if (!t->data) return false;
    for (size_t i = 0; i < t->size; i++)
        if (((const uint8_t *)t->data)[i]) return false;
    return true;
}

static bool all_floats_are(const lc_tensor *t, float value) {
    if (!t->data || t->type != LC_FLOAT32 || t->size == 0) return false;
    for (size_t i = 0; i < t->size / sizeof value; i++) {
        float v;
        memcpy(&v, (const char *)t->data + i * sizeof v, sizeof v);
        if (v != value) return false;
    }
    return true;
}

static bool all_bools_are(const lc_tensor *t, bool value) {
    if (!t->data || t->type != LC_BOOL || t->size == 0) return false;
    for (size_t i = 0; i < t->size; i++)
        if ((((const uint8_t *)t->data)[i] != 0) != value) return false;
    return true;
}

static bool has_activation(const lc_node *node) {
    const int8_t *act = lc_op_fused_act(node);
    return act && *act != LC_ActivationFunctionType_NONE;
}

/* The input that the node's output equals, or -1. */
static int32_t unchanged_input(const lc_rewrite *rw, const lc_node *node) {
    if (node->op == LC_NODE_DEAD || node->output_count != 1 || node->input_count == 0 || node->inputs[0] < 0) return -1;
    const lc_tensor *in = lc_rewrite_tensor(rw, node->inputs[0]), *out = lc_rewrite_tensor(rw, node->outputs[0]);
    const lc_tensor *second = node->input_count > 1 && node->inputs[1] >= 0 ? lc_rewrite_tensor(rw, node->inputs[1]) : NULL;
    if (in->quant || out->quant) return -1; /* a change of scale is a change */
    const uint32_t flags = lc_op_get(node->op)->flags;
    if (flags & LC_OPF_VIEW) return same_shape(in, out) ? node->inputs[0] : -1;
    if (node->op == LC_OP_CAST) return same_shape(in, out) ? node->inputs[0] : -1;
    if (node->op == LC_OP_TRANSPOSE) return second && is_identity_perm(second) ? node->inputs[0] : -1;
    if (node->op == LC_OP_PAD) return second && all_zero(second) ? node->inputs[0] : -1;
    if (node->op == LC_OP_CONCATENATION) return node->input_count == 1 && !has_activation(node) ? node->inputs[0] : -1;
    if (!second || has_activation(node)) return -1;
    const bool both = node->op == LC_OP_LOGICAL_AND;
    if (both || node->op == LC_OP_LOGICAL_OR) {
        if (node->inputs[0] == node->inputs[1]) return node->inputs[0];
        if (all_bools_are(second, both) && same_shape(in, out)) return node->inputs[0];
        return all_bools_are(in, both) && same_shape(second, out) ? node->inputs[1] : -1;
    }
    const bool add = node->op == LC_OP_ADD, mul = node->op == LC_OP_MUL;
    /* x - 0 and x + 0: -0 + 0 is 0, which compares equal to -0 */
    if ((add || node->op == LC_OP_SUB) && all_floats_are(second, 0.0f) && same_shape(in, out)) return node->inputs[0];
    if ((mul || node->op == LC_OP_DIV) && all_floats_are(second, 1.0f) && same_shape(in, out)) return node->inputs[0];
    if (add && all_floats_are(in, 0.0f) && same_shape(second, out)) return node->inputs[1];
    if (mul && all_floats_are(in, 1.0f) && same_shape(second, out)) return node->inputs[1];
    return -1;
}

/* A RESHAPE that reads a RESHAPE's output reads that one's input instead. */
static void skip_reshape(lc_rewrite *rw, lc_node *node) {
    const int32_t p = rw->producer[node->inputs[0]];
    if (p < 0 || !lc_node_is(&rw->graph->nodes[p], LC_OP_RESHAPE)) return;
    lc_rewrite_set_input(rw, node, 0, rw->graph->nodes[p].inputs[0]);
}

/* Element i of a permutation of `rank` dimensions; -1 when it names none. */
static int32_t perm_at(const lc_tensor *perm, int32_t rank, int32_t i) {
    int32_t v;
    memcpy(&v, (const char *)perm->data + (size_t)i * sizeof v, sizeof v);
    return v >= 0 && v < rank ? v : -1;
}

static lc_status join_transposes(lc_rewrite *rw, lc_node *node) {
    const int32_t p = rw->producer[node->inputs[0]];
    if (p < 0 || !lc_node_is(&rw->graph->nodes[p], LC_OP_TRANSPOSE)) return LC_OK;
    const lc_node *first = &rw->graph->nodes[p];
    const lc_tensor a = *lc_rewrite_tensor(rw, first->inputs[1]), b = *lc_rewrite_tensor(rw, node->inputs[1]);
    if (!a.data || !b.data || a.type != LC_INT32 || b.type != LC_INT32 || a.size != b.size || a.rank != 1) return LC_OK;
    const int32_t rank = a.dims[0];
    for (int32_t i = 0; i < rank; i++)
        if (perm_at(&b, rank, i) < 0) return LC_OK;
    int32_t tensor;
    void *data;
    LC_TRY(lc_rewrite_add_constant(rw, b.name, LC_INT32, &rank, 1, &tensor, &data));
    for (int32_t i = 0; i < rank; i++) ((int32_t *)data)[i] = perm_at(&a, rank, perm_at(&b, rank, i));
    lc_rewrite_set_input(rw, node, 1, tensor);
    lc_rewrite_set_input(rw, node, 0, first->inputs[0]);
    return LC_OK;
}

lc_status lc_pass_remove_noops(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        if (node->op == LC_NODE_DEAD) continue;
        lc_rewrite_resolve(rw, node);
        if (lc_node_is(node, LC_OP_RESHAPE)) skip_reshape(rw, node);
        if (lc_node_is(node, LC_OP_TRANSPOSE)) LC_TRY(join_transposes(rw, node));
        const int32_t input = unchanged_input(rw, node);
        if (input >= 0) lc_rewrite_bypass(rw, node, input);
    }
    return LC_OK;
}
