/*
 * join_affine.c: constants added, or multiplied with, one after another become one:
 *
 *   (x + a) - b  ->  x + (a - b)          (x * a) * b  ->  x * (a b)
 *
 * The constants are one value, or one a channel of the last dimension (affine.h); they are put together in double precision. Only where
 * nobody else reads what lies between. Left alone: a division, which is not the product with the inverse to the last bit, and a large number
 * that is added and taken away again: it rounds, and is meant to.
 */
#include "pass/affine.h"

#include <math.h>

#define LARGE 1e6f
#define CANCELS 1e3f /* from here on two that leave less than a thousandth of themselves are such a pair, too (rounding to 8-bit floats) */

/* The operator adds (or takes away), or multiplies with, a constant: *x is the input that flows, *channels of the constant. */
static bool takes_part(const lc_rewrite *rw, const lc_node *node, bool *shifts, uint32_t *x, int32_t *channels) {
    if (!node || !lc_affine_is(rw, node, 0, x) || node->op == LC_OP_DIV || (node->op == LC_OP_SUB && *x == 1)) return false;
    *shifts = node->op != LC_OP_MUL;
    *channels = (int32_t)(lc_rewrite_tensor(rw, node->inputs[1 - *x])->size / sizeof(float));
    return true;
}

/* Adding both is meant to round. */
static bool rounds(float a, float b) {
    const float most = fmaxf(fabsf(a), fabsf(b));
    return most > LARGE || (most > CANCELS && fabsf(a + b) < most / CANCELS);
}

/* What both do together, into values[channels]; false when it is no number, or too large. */
static bool together(const lc_affine *first, const lc_affine *second, bool shifts, int32_t channels, float *values) {
    for (int32_t i = 0; i < channels; i++) {
        const double v = shifts ? (double)first->shift[i] + second->shift[i] : (double)first->scale[i] * second->scale[i];
        values[i] = (float)v;
        if (!isfinite(values[i]) || (shifts && rounds(first->shift[i], second->shift[i]))) return false;
    }
    return true;
}

/* `node` does what `before` and it did. */
static lc_status join(lc_rewrite *rw, lc_node *node, uint32_t x, lc_node *before, uint32_t before_x, bool shifts, int32_t channels) {
    lc_affine first, second;
    LC_TRY(lc_affine_read(rw, before, before_x, channels, &first));
    LC_TRY(lc_affine_read(rw, node, x, channels, &second));
    float *values = lc_arena_array(&rw->temporary, (size_t)channels, sizeof *values);
    if (!values) return lc_fail_memory(rw->err, "folding");
    if (!together(&first, &second, shifts, channels, values)) return LC_OK;
    const int32_t op = shifts ? LC_OP_ADD : LC_OP_MUL, from = before->inputs[before_x];
    const lc_table_id table = lc_op_get(op)->options;
    const int8_t activation = *lc_op_fused_act(node);
    int32_t tensor;
    void *data, *attrs = lc_arena_alloc(rw->arena, lc_schema_tables[table].size);
    if (!attrs) return lc_fail_memory(rw->err, "operator options");
    LC_TRY(lc_rewrite_add_constant(rw, lc_rewrite_tensor(rw, node->inputs[1 - x])->name, LC_FLOAT32, &channels, channels == 1 ? 0 : 1,
                                   &tensor, &data));
    for (int32_t i = 0; i < channels; i++) ((float *)data)[i] = values[i];
    lc_schema_init(table, attrs);
    node->op = op;
    node->version = 0;
    node->attrs_table = table;
    node->attrs = attrs;
    *lc_op_fused_act(node) = activation;
    lc_rewrite_set_input(rw, node, 0, from);
    lc_rewrite_set_input(rw, node, 1, tensor);
    lc_rewrite_kill(rw, before);
    return LC_OK;
}

lc_status lc_pass_join_affine(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        uint32_t x, before_x;
        int32_t a, b;
        bool shifts, before_shifts;
        if (node->op == LC_NODE_DEAD || !takes_part(rw, node, &shifts, &x, &a)) continue;
        lc_node *before = lc_rewrite_sole_producer(rw, node->inputs[x]);
        if (!takes_part(rw, before, &before_shifts, &before_x, &b) || shifts != before_shifts) continue;
        if (*lc_op_fused_act(before) != LC_ActivationFunctionType_NONE || (a != b && a != 1 && b != 1)) continue;
        LC_TRY(join(rw, node, x, before, before_x, shifts, a > b ? a : b));
    }
    return LC_OK;
}
