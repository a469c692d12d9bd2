/*
 * release.c: whether a runtime of some release has an operator in the form that quantisation would give it. Versions of operators follow from
 * types, scales and options (ops/version.c), so an operator is tried with the tensors it would have; the graph stays as it is.
 */
#include "quant/quant.h"

#include <string.h>

uint32_t lc_quant_release(const lc_graph *graph, const lc_node *node, const lc_quant_form *form) {
    enum { IN = LC_QUANT_FORM_IN, OUT = LC_QUANT_FORM_OUT };
    static float one[] = {1}; /* of a product of scales: that which asks for the later version */
    lc_tensor tensors[IN + OUT];
    lc_QuantizationParameters steps[IN + OUT];
    int32_t at[IN + OUT];
    lc_node n = *node;
    lc_AddOptions any;
    const lc_graph g = {.tensors = tensors, .tensor_count = IN + OUT};
    n.input_count = n.input_count < IN ? n.input_count : IN;
    n.output_count = n.output_count < OUT ? n.output_count : OUT;
    n.inputs = at;
    n.outputs = at + IN;
    for (uint32_t i = 0; i < IN + OUT; i++) {
        const bool out = i >= IN;
        const uint32_t k = out ? i - IN : i;
        at[i] = LC_ABSENT;
        if (k >= (out ? n.output_count : n.input_count)) continue;
        const int32_t t = out ? node->outputs[k] : node->inputs[k];
        const lc_dtype type = out ? form->out[k] : form->in[k];
        if (t < 0) continue;
        at[i] = (int32_t)i;
        tensors[i] = graph->tensors[t];
        if (type == LC_FLOAT32) continue;
        lc_schema_init(LC_TABLE_QuantizationParameters, &steps[i]);
        steps[i].scale.data = one;
        steps[i].scale.n = out || !form->scales[k] ? 1 : form->scales[k];
        tensors[i].type = type;
        tensors[i].quant = &steps[i];
    }
    if (n.op == LC_OP_ADD && n.attrs && form->out[0] == LC_INT16) { /* as integer.c writes it */
        any = *LC_OP_ATTRS(node, AddOptions);
        any.pot_scale_int16 = false;
        n.attrs = &any;
    }
    return lc_op_runtime_version(n.op, lc_op_version(&g, &n));
}
