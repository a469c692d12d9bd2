/*
 * widen.c: weights that a .tflite keeps small in the file and makes floats when it runs (a constant behind DEQUANTIZE: float16, or int8 with a
 * scale a tensor or a channel; int8 weights of an operator with float activations) become float constants again, so that the model can be
 * quantised another way.
 */
#include "quant/quant.h"

#include "base/half.h"

#include <string.h>

/* Whether `t` is a constant whose elements widen_one can read. */
static bool readable(const lc_tensor *t) {
    const lc_QuantizationParameters *q = t->quant;
    if (!t->data || t->sparsity) return false;
    if (t->type == LC_FLOAT16) return true;
    if (t->type != LC_INT8 || !q || q->scale.n == 0 || q->zero_point.n != q->scale.n) return false;
    return q->scale.n == 1 ||
           (q->quantized_dimension >= 0 && q->quantized_dimension < t->rank && q->scale.n == (uint32_t)t->dims[q->quantized_dimension]);
}

static void widen_int8(const lc_tensor *t, uint64_t n, float *out) {
    const lc_QuantizationParameters *q = t->quant;
    uint64_t inner = 1;
    if (q->scale.n > 1)
        for (int32_t d = q->quantized_dimension + 1; d < t->rank; d++) inner *= (uint64_t)t->dims[d];
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t c = q->scale.n > 1 ? i / inner % q->scale.n : 0;
        out[i] = (float)(((const int8_t *)t->data)[i] - q->zero_point.data[c]) * q->scale.data[c];
    }
}

/* *floats: the constant as floats. NULL: it is none that can be. */
static lc_status widened(lc_graph *g, const lc_tensor *from, float **floats, size_t *bytes, lc_error *err) {
    uint64_t count;
    *floats = NULL;
    if (!readable(from) || !lc_tensor_elements(from, &count) || from->size != count * (lc_dtype_bits(from->type) / 8)) return LC_OK;
    if (!lc_mul_size((size_t)count, sizeof(float), bytes)) return lc_fail(err, LC_LIMIT, "a constant is too large");
    float *data = *floats = lc_arena_array(&g->model->arena, (size_t)count + 1, sizeof *data);
    if (!data) return lc_fail_memory(err, "weights");
    if (from->type == LC_INT8) widen_int8(from, count, data);
    else
        for (uint64_t i = 0; i < count; i++) data[i] = lc_half_to_float(((const uint16_t *)from->data)[i]);
    return LC_OK;
}

static void set_floats(lc_tensor *t, float *data, size_t bytes) {
    t->type = LC_FLOAT32;
    t->data = data;
    t->size = bytes;
    t->data_at = LC_NO_OFFSET;
    t->data_owned = true;
    t->quant = NULL;
}

/* The DEQUANTIZE of a constant goes. */
static lc_status widen_output(lc_graph *g, lc_node *n, bool *any, lc_error *err) {
    float *data;
    size_t bytes;
    if (n->inputs[0] < 0 || n->outputs[0] < 0 || g->tensors[n->outputs[0]].type != LC_FLOAT32) return LC_OK;
    LC_TRY(widened(g, &g->tensors[n->inputs[0]], &data, &bytes, err));
    if (!data) return LC_OK;
    set_floats(&g->tensors[n->outputs[0]], data, bytes);
    n->op = LC_NODE_DEAD;
    *any = true;
    return LC_OK;
}

/* int8 weights of an operator whose activations are floats. */
static lc_status widen_weights(lc_graph *g, lc_node *n, bool *any, lc_error *err) {
    const lc_op_quant_def *rule = lc_op_quant(n->op);
    float *data;
    size_t bytes;
    if (!rule || rule->weights < 0 || (uint32_t)rule->weights >= n->input_count || n->inputs[rule->weights] < 0) return LC_OK;
    if (n->outputs[0] < 0 || g->tensors[n->outputs[0]].type != LC_FLOAT32) return LC_OK;
    lc_tensor t = g->tensors[n->inputs[rule->weights]];
    LC_TRY(widened(g, &t, &data, &bytes, err));
    if (!data) return LC_OK;
    set_floats(&t, data, bytes);
    n->version = 0;
    *any = true;
    return lc_graph_add_tensor(g, &t, &n->inputs[rule->weights], err);
}

lc_status lc_quant_widen(lc_model *model, lc_error *err) {
    for (size_t k = 0; k < model->graph_count; k++) {
        lc_graph *g = model->graphs[k];
        bool any = false;
        for (size_t i = 0; i < g->node_count; i++)
            LC_TRY(g->nodes[i].op == LC_OP_DEQUANTIZE ? widen_output(g, &g->nodes[i], &any, err)
                                                      : widen_weights(g, &g->nodes[i], &any, err));
        if (any) LC_TRY(lc_graph_compact(g, err));
    }
    return LC_OK;
}
