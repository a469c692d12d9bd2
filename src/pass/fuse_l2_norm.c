/*
 * fuse_l2_norm.c: x divided by its Euclidean norm over the last dimension becomes L2_NORMALIZATION:
 *
 *   MUL(x, RSQRT(m))   DIV(x, SQRT(m))   DIV(x, MAXIMUM(SQRT(s), e))      m: MAXIMUM(s, e e) or s      s: SUM(x x) over the last dimension
 *
 * TFLite divides by max(norm, 1e-6), so e may be at most that: the two then differ for norms below 1e-6 alone, and where there is no
 * MAXIMUM a row of zeros gives zeros, not NaN.
 */
#include "pass/rewrite.h"

#include <string.h>

#define NORM_LEAST 1e-6f

static const lc_node *producer(const lc_rewrite *rw, int32_t tensor) {
    const int32_t p = tensor < 0 ? -1 : rw->producer[tensor];
    return p < 0 || rw->graph->nodes[p].op == LC_NODE_DEAD ? NULL : &rw->graph->nodes[p];
}

static bool plain(const lc_node *node) {
    const int8_t *act = lc_op_fused_act(node);
    return !act || *act == LC_ActivationFunctionType_NONE;
}

/* One float32 constant at most `most`. */
static bool is_small(const lc_rewrite *rw, int32_t tensor, float most) {
    const lc_tensor *t = lc_rewrite_tensor(rw, tensor);
    float v;
    if (!t->data || t->type != LC_FLOAT32 || t->size != sizeof v) return false;
    memcpy(&v, t->data, sizeof v);
    return v >= 0 && v <= most * 1.0001f;
}

/* What MAXIMUM(t, small) is of; t itself for another tensor. */
static int32_t below(const lc_rewrite *rw, int32_t t, float most) {
    const lc_node *max = producer(rw, t);
    if (!lc_node_is(max, LC_OP_MAXIMUM)) return t;
    if (is_small(rw, max->inputs[1], most)) return max->inputs[0];
    return is_small(rw, max->inputs[0], most) ? max->inputs[1] : t;
}

/* t is the sum of squares of x over its last dimension, kept. */
static bool is_square_sum(const lc_rewrite *rw, int32_t t, int32_t x) {
    const lc_node *sum = producer(rw, t);
    if (!lc_node_is(sum, LC_OP_SUM) || !LC_OP_ATTRS(sum, ReducerOptions)->keep_dims) return false;
    const lc_node *square = producer(rw, sum->inputs[0]);
    const lc_tensor *axis = lc_rewrite_tensor(rw, sum->inputs[1]), *tx = lc_rewrite_tensor(rw, x);
    int32_t a;
    if (!axis->data || axis->type != LC_INT32 || axis->size != sizeof a) return false;
    memcpy(&a, axis->data, sizeof a);
    if (a != -1 && a != tx->rank - 1) return false;
    if (lc_node_is(square, LC_OP_SQUARE)) return square->inputs[0] == x;
    return lc_node_is(square, LC_OP_MUL) && plain(square) && square->inputs[0] == x && square->inputs[1] == x;
}

/* The root is x divided by its norm. */
static bool normalises(const lc_rewrite *rw, const lc_node *root, int32_t x, int32_t by) {
    const lc_node *root_of = producer(rw, root->op == LC_OP_DIV ? below(rw, by, NORM_LEAST) : by);
    if (!root_of || root_of->op != (root->op == LC_OP_DIV ? LC_OP_SQRT : LC_OP_RSQRT)) return false;
    return is_square_sum(rw, below(rw, root_of->inputs[0], NORM_LEAST * NORM_LEAST), x);
}

lc_status lc_pass_fuse_l2_norm(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *root = &rw->graph->nodes[n];
        if ((!lc_node_is(root, LC_OP_MUL) && !lc_node_is(root, LC_OP_DIV)) || !plain(root)) continue;
        for (uint32_t i = 0; i < (root->op == LC_OP_DIV ? 1u : 2u); i++) {
            const int32_t x = root->inputs[i];
            const lc_tensor *t = lc_rewrite_tensor(rw, x);
            if (t->type != LC_FLOAT32 || t->quant || t->rank < 1 || !normalises(rw, root, x, root->inputs[1 - i])) continue;
            lc_L2NormOptions *o = lc_arena_alloc(rw->arena, sizeof *o);
            if (!o) return lc_fail_memory(rw->err, "operator options");
            lc_schema_init(LC_TABLE_L2NormOptions, o);
            lc_rewrite_set_input(rw, root, 1, LC_ABSENT);
            lc_rewrite_set_input(rw, root, 0, x);
            root->input_count = 1;
            root->op = LC_OP_L2_NORMALIZATION;
            root->version = 0;
            root->attrs_table = LC_TABLE_L2NormOptions;
            root->attrs = o;
            break;
        }
    }
    return LC_OK;
}
