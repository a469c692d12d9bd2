/*
 * fuse_activation.c: RELU, RELU6 and RELU_N1_TO_1 become the fused_activation_function of the operator before, when that one has
 * none yet and nobody else reads its output, be there a RESHAPE between them or not. TANH stays an operator of its own: LiteRT's kernels do not fuse it.
 */
#include "pass/rewrite.h"

/* The fused activation that equals an activation operator; NONE when there is none. */
static int8_t fused_form(int32_t op) {
    static const struct {
        int32_t op;
        int8_t activation;
    } forms[] = {
        {LC_OP_RELU, LC_ActivationFunctionType_RELU},
        {LC_OP_RELU6, LC_ActivationFunctionType_RELU6},
        {LC_OP_RELU_N1_TO_1, LC_ActivationFunctionType_RELU_N1_TO_1},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].op == op) return forms[i].activation;
    return LC_ActivationFunctionType_NONE;
}

lc_status lc_pass_fuse_activation(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        const int8_t activation = fused_form(node->op);
        if (activation == LC_ActivationFunctionType_NONE) continue;
        lc_node *last = lc_rewrite_sole_producer(rw, node->inputs[0]), *before = last;
        if (lc_node_is(before, LC_OP_RESHAPE)) before = lc_rewrite_sole_producer(rw, before->inputs[0]);
        if (!before || !(lc_op_get(before->op)->flags & LC_OPF_FUSED_ACT)) continue;
        int8_t *fused = lc_op_fused_act(before);
        if (!fused || *fused != LC_ActivationFunctionType_NONE) continue;
        if (lc_rewrite_tensor(rw, node->inputs[0])->type != LC_FLOAT32) continue;
        *fused = activation;
        lc_rewrite_absorb(rw, last, node);
    }
    return LC_OK;
}
