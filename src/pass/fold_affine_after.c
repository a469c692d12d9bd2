/*
 * fold_affine_after.c: y = conv(x) * s + t, with constants s and t per output channel, is a convolution with scaled filters and
 * another bias. Batch normalisation arrives as such a MUL and ADD. The convolution must have no activation of its own and
 * nobody else may read its output; an activation of the MUL or ADD moves along. A RESHAPE between them that keeps the last dimension, the
 * channels, stays behind: a convolution in one dimension is one of height 1, reshaped.
 */
#include "pass/affine.h"

#include "ir/constant.h"

/* filter[... channel ...] *= scale[channel] */
static lc_status scale_filter(lc_rewrite *rw, const lc_weighted *w, const float *scale) {
    const lc_tensor *filter = lc_rewrite_tensor(rw, w->node->inputs[1]);
    if (filter->deferred && w->out_axis == 0 && filter->deferred->cols == (size_t)w->out_channels)
        return lc_rewrite_scale_deferred(rw, w->node, 1, scale);
    size_t outer = 1, inner = 1;
    for (int32_t d = 0; d < w->out_axis; d++) outer *= (size_t)filter->dims[d];
    for (int32_t d = w->out_axis + 1; d < filter->rank; d++) inner *= (size_t)filter->dims[d];
    float *f;
    LC_TRY(lc_rewrite_own_floats(rw, w->node, 1, &f));
    for (size_t o = 0; o < outer; o++)
        for (int32_t c = 0; c < w->out_channels; c++, f += inner)
            for (size_t i = 0; i < inner; i++) f[i] *= scale[c];
    return LC_OK;
}

/* last: the convolution, or the RESHAPE behind it */
static lc_status fold(lc_rewrite *rw, lc_node *op, uint32_t x, const lc_weighted *w, lc_node *last) {
    lc_affine a;
    LC_TRY(lc_affine_read(rw, op, x, w->out_channels, &a));
    if (a.scales) {
        const lc_QuantizationParameters *steps;
        LC_TRY(lc_weighted_steps(rw, w, a.scale, &steps));
        LC_TRY(scale_filter(rw, w, a.scale));
        lc_rewrite_tensor(rw, w->node->inputs[1])->quant = steps;
    }
    if (a.shifts || lc_weighted_has_bias(w)) {
        float *bias;
        LC_TRY(lc_weighted_bias(rw, w, &bias));
        for (int32_t i = 0; i < w->out_channels; i++) bias[i] = bias[i] * a.scale[i] + a.shift[i];
    }
    *lc_op_fused_act(w->node) = *lc_op_fused_act(op);
    lc_rewrite_absorb(rw, last, op);
    return LC_OK;
}

/* The node that computes a tensor nobody else reads, behind a RESHAPE that keeps the last dimension. *last: that, or the node itself. */
static lc_node *find_producer(const lc_rewrite *rw, int32_t tensor, lc_node **last) {
    lc_node *node = *last = lc_rewrite_sole_producer(rw, tensor);
    if (!lc_node_is(node, LC_OP_RESHAPE)) return node;
    const lc_tensor *in = lc_rewrite_tensor(rw, node->inputs[0]), *out = lc_rewrite_tensor(rw, node->outputs[0]);
    if (in->rank < 1 || out->rank < 1 || lc_tensor_dim(in, in->rank - 1) < 0) return NULL;
    return lc_tensor_dim(in, in->rank - 1) == lc_tensor_dim(out, out->rank - 1) ? lc_rewrite_sole_producer(rw, node->inputs[0]) : NULL;
}

lc_status lc_pass_fold_affine_after(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *op = &rw->graph->nodes[n], *last;
        uint32_t x;
        lc_weighted w;
        if (!lc_affine_is(rw, op, 0, &x) || !lc_weighted_of(rw, find_producer(rw, op->inputs[x], &last), &w)) continue;
        if (*lc_op_fused_act(w.node) != LC_ActivationFunctionType_NONE || !lc_affine_is(rw, op, w.out_channels, &x)) continue;
        LC_TRY(fold(rw, op, x, &w, last));
    }
    return LC_OK;
}
