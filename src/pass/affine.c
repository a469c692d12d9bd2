/*
 * affine.c: see affine.h.
 *
 *   MUL c: scale c     DIV c: scale 1/c     ADD c: shift c     x - c: shift -c     c - x: scale -1, shift c
 */
#include "pass/affine.h"

#include "ir/constant.h"

#include <math.h>
#include <string.h>

bool lc_weighted_of(const lc_rewrite *rw, lc_node *node, lc_weighted *w) {
    if (!node || node->input_count < 2) return false;
    if (node->op == LC_OP_CONV_2D) *w = (lc_weighted){node, 0, 3, 0, 2, 0, 0};
    else if (node->op == LC_OP_FULLY_CONNECTED) *w = (lc_weighted){node, 0, 1, 0, 2, 0, 0};
    else if (node->op == LC_OP_DEPTHWISE_CONV_2D) *w = (lc_weighted){node, 3, -1, 0, 2, 0, 0};
    else if (node->op == LC_OP_TRANSPOSE_CONV) *w = (lc_weighted){node, 0, 3, 2, 3, 0, 0};
    else if (node->op == LC_OP_CONV_3D) *w = (lc_weighted){node, 4, 3, 0, 2, 0, 0};
    else if (node->op == LC_OP_CONV_3D_TRANSPOSE) *w = (lc_weighted){node, 3, 4, 2, 3, 0, 0};
    else return false;
    const int32_t rank = node->op == LC_OP_FULLY_CONNECTED ? 2 : node->op == LC_OP_CONV_3D || node->op == LC_OP_CONV_3D_TRANSPOSE ? 5 : 4;
    const lc_tensor *filter = lc_rewrite_tensor(rw, node->inputs[1]);
    if (filter->type != LC_FLOAT32 || !lc_tensor_is_const(filter) || filter->sparsity || filter->rank != rank) return false;
    if (lc_weighted_has_bias(w)) {
        const lc_tensor *bias = lc_rewrite_tensor(rw, node->inputs[w->bias_input]);
        if (!bias->data || bias->type != LC_FLOAT32 || bias->quant) return false;
    }
    w->out_channels = filter->dims[w->out_axis];
    w->in_channels = w->in_axis >= 0 ? filter->dims[w->in_axis] : 0;
    return w->out_channels > 0 && node->attrs;
}

bool lc_weighted_has_bias(const lc_weighted *w) { return w->node->input_count > w->bias_input && w->node->inputs[w->bias_input] >= 0; }

lc_status lc_weighted_steps(lc_rewrite *rw, const lc_weighted *w, const float *scale, const lc_QuantizationParameters **q) {
    const lc_QuantizationParameters *old = lc_rewrite_tensor(rw, w->node->inputs[1])->quant;
    const uint32_t n = (uint32_t)w->out_channels;
    *q = NULL;
    if (!old || old->scale.n != old->zero_point.n || (old->scale.n != 1 && (old->scale.n != n || old->quantized_dimension != w->out_axis)))
        return LC_OK;
    float *scales = lc_arena_array(&rw->temporary, n, sizeof *scales);
    if (!scales) return lc_fail_memory(rw->err, "folding");
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t from = old->scale.n == 1 ? 0 : i;
        if (old->zero_point.data[from] != 0) return LC_OK; /* a negative factor would turn it round */
        scales[i] = scale[i] == 0 ? 1 : old->scale.data[from] * fabsf(scale[i]);
    }
    *q = lc_tensor_steps(rw->arena, scales, NULL, n, w->out_axis);
    return *q ? LC_OK : lc_fail_memory(rw->err, "folding");
}

lc_status lc_weighted_bias(lc_rewrite *rw, const lc_weighted *w, float **bias) {
    lc_node *node = w->node;
    if (lc_weighted_has_bias(w)) return lc_rewrite_own_floats(rw, node, w->bias_input, bias);
    const lc_str of = lc_rewrite_tensor(rw, node->outputs[0])->name;
    const char *name = lc_arena_printf(rw->arena, "%.*s/bias", (int)of.size, of.data ? of.data : "");
    int32_t tensor;
    void *data;
    if (!name) return lc_fail_memory(rw->err, "bias");
    LC_TRY(lc_rewrite_add_constant(rw, lc_str_of(name), LC_FLOAT32, &w->out_channels, 1, &tensor, &data));
    *bias = data;
    while (node->input_count < w->bias_input) LC_TRY(lc_rewrite_append_input(rw, node, LC_ABSENT));
    if (node->input_count == w->bias_input) return lc_rewrite_append_input(rw, node, tensor);
    lc_rewrite_set_input(rw, node, w->bias_input, tensor);
    return LC_OK;
}

bool lc_affine_is(const lc_rewrite *rw, const lc_node *node, int32_t channels, uint32_t *x) {
    const bool kind = node->op == LC_OP_MUL || node->op == LC_OP_ADD || node->op == LC_OP_SUB || node->op == LC_OP_DIV;
    if (!kind || !node->attrs || node->input_count != 2 || node->output_count != 1) return false;
    const lc_tensor *out = lc_rewrite_tensor(rw, node->outputs[0]);
    for (*x = 0; *x < (node->op == LC_OP_DIV ? 1u : 2u); ++*x) {
        const lc_tensor *t = lc_rewrite_tensor(rw, node->inputs[*x]), *c = lc_rewrite_tensor(rw, node->inputs[1 - *x]);
        if (t->data || !c->data || c->type != LC_FLOAT32 || t->type != LC_FLOAT32 || c->quant || out->quant || !lc_same_dims(t, out))
            continue;
        bool fits = c->rank <= t->rank;
        for (int32_t d = 0; fits && d + 1 < c->rank; d++) fits = c->dims[d] == 1;
        if (!fits) continue;
        if (c->size == sizeof(float)) return true;
        const int32_t last = lc_tensor_dim(t, t->rank - 1);
        if (c->dims[c->rank - 1] == last && last > 0 && (!channels || channels == last)) return true;
    }
    return false;
}

lc_status lc_affine_read(lc_rewrite *rw, const lc_node *node, uint32_t x, int32_t channels, lc_affine *a) {
    const lc_tensor *c = lc_rewrite_tensor(rw, node->inputs[1 - x]);
    const bool negates = node->op == LC_OP_SUB && x == 1;
    *a = (lc_affine){.scale = lc_arena_array(&rw->temporary, (size_t)channels, sizeof(float)),
                     .shift = lc_arena_array(&rw->temporary, (size_t)channels, sizeof(float)),
                     .scales = node->op == LC_OP_MUL || node->op == LC_OP_DIV || negates,
                     .shifts = node->op == LC_OP_ADD || node->op == LC_OP_SUB};
    if (!a->scale || !a->shift) return lc_fail_memory(rw->err, "folding");
    for (int32_t i = 0; i < channels; i++) {
        float v;
        memcpy(&v, (const char *)c->data + (c->size == sizeof v ? 0 : (size_t)i * sizeof v), sizeof v);
        a->scale[i] = node->op == LC_OP_MUL ? v : node->op == LC_OP_DIV ? 1.0f / v : negates ? -1.0f : 1.0f;
        a->shift[i] = !a->shifts ? 0.0f : node->op == LC_OP_ADD || negates ? v : -v;
    }
    return LC_OK;
}
