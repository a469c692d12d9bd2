/*
 * verify.c: the proof that a model has integers only, whatever the plan said: every operator of every graph is looked at.
 */
#include "quant/quant.h"

static bool is_float(const lc_graph *g, int32_t t) {
    if (t < 0) return false;
    const lc_dtype type = g->tensors[t].type;
    return type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64;
}

static bool touches_floats(const lc_graph *g, const lc_node *n) {
    bool any = false;
    for (uint32_t i = 0; i < n->input_count; i++) any |= is_float(g, n->inputs[i]);
    for (uint32_t i = 0; i < n->output_count; i++) any |= is_float(g, n->outputs[i]);
    return any;
}

lc_status lc_quant_check_integer(const lc_model *model, lc_error *err) {
    for (size_t k = 0; k < model->graph_count; k++)
        for (size_t i = 0; i < model->graphs[k]->node_count; i++) {
            const lc_graph *g = model->graphs[k];
            const lc_node *n = &g->nodes[i];
            if (n->op == LC_OP_QUANTIZE || n->op == LC_OP_DEQUANTIZE || n->op == LC_NODE_DEAD || !touches_floats(g, n)) continue;
            const lc_op_quant_def *rule = lc_op_quant(n->op);
            if (rule && rule->scales == LC_QUANT_ANY) continue; /* looks at no value */
            lc_fail(err, LC_UNSUPPORTED, "only integers were asked for, but node %zu %s \"%s\" of graph %zu has float tensors", i,
                    lc_op_name(n->op), n->layer ? n->layer : "", k);
            lc_error_hint(err, "allow floats where there is no integer form (leave out --int8-only), or change the model there");
            return LC_UNSUPPORTED;
        }
    return LC_OK;
}
