/*
 * call.c: what an operator that runs other graphs asks of them: how many inputs and outputs. Regions of StableHLO reductions
 * are left to their own rules: they take pairs of elements, not the operator's tensors.
 */
#include "ops/op.h"

void lc_op_call_arity(const lc_node *node, uint32_t call, int64_t *inputs, int64_t *outputs) {
    *inputs = node->input_count;
    *outputs = node->output_count;
    switch (node->op) {
    case LC_OP_CALL:
    case LC_OP_CALL_ONCE:
    case LC_OP_STABLEHLO_COMPOSITE: break;
    case LC_OP_IF:
    case LC_OP_STABLEHLO_CASE: --*inputs; break; /* the first input chooses the graph */
    case LC_OP_WHILE:
    case LC_OP_STABLEHLO_WHILE:
        if (call == 0) *outputs = 1; /* the condition */
        break;
    default: *inputs = *outputs = -1; break;
    }
}
