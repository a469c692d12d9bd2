/*
 * fold_affine_before.c: conv(x * s + t), with constants s and t per input channel, is a convolution whose filter is scaled along its
 * input channels and whose bias grows by the filter's sum over t. Rescaling and Normalization in front of a network arrive so.
 *
 * A shift needs every tap to see the shifted value: with SAME padding the border sees zeros instead, so ADD and SUB are
 * folded only where nothing is padded (VALID, a 1 x 1 filter, dense). A scale is folded always.
 */
#include "pass/affine.h"

static bool pads_nothing(const lc_rewrite *rw, const lc_weighted *w) {
    if (w->node->op == LC_OP_FULLY_CONNECTED) return true;
    const lc_tensor *filter = lc_rewrite_tensor(rw, w->node->inputs[1]);
    if (filter->dims[1] == 1 && filter->dims[2] == 1) return true;
    if (w->node->op == LC_OP_CONV_2D) return ((const lc_Conv2DOptions *)w->node->attrs)->padding == LC_Padding_VALID;
    if (w->node->op == LC_OP_DEPTHWISE_CONV_2D) return ((const lc_DepthwiseConv2DOptions *)w->node->attrs)->padding == LC_Padding_VALID;
    return false;
}

/* Channels of x that index scale and shift, 1 when one value serves all (a group or a flattened row then does not matter). */
static int32_t input_channels(const lc_rewrite *rw, const lc_node *op, uint32_t x, const lc_weighted *w) {
    const lc_tensor *t = lc_rewrite_tensor(rw, op->inputs[x]), *c = lc_rewrite_tensor(rw, op->inputs[1 - x]);
    if (c->size == sizeof(float)) return 1;
    const int32_t last = lc_tensor_dim(t, t->rank - 1);
    if (w->in_axis < 0) return last > 0 && w->out_channels % last == 0 ? last : 0;
    return last == w->in_channels ? last : 0;
}

static lc_status fold(lc_rewrite *rw, lc_node *op, uint32_t x, const lc_weighted *w, int32_t channels) {
    lc_affine a;
    float *f, *bias = NULL;
    LC_TRY(lc_affine_read(rw, op, x, channels, &a));
    if (a.shifts) LC_TRY(lc_weighted_bias(rw, w, &bias));
    LC_TRY(lc_rewrite_own_floats(rw, w->node, 1, &f));
    const lc_tensor *filter = lc_rewrite_tensor(rw, w->node->inputs[1]);
    const size_t count = filter->size / sizeof *f, outs = (size_t)w->out_channels;
    const size_t per_out = count / outs, ins = w->in_axis < 0 ? 0 : (size_t)w->in_channels;
    for (size_t i = 0; i < count; i++) {
        /* out channel first, in channel last; depthwise: out channel last, each from one in channel */
        const size_t out = w->in_axis < 0 ? i % outs : i / per_out;
        const size_t in = channels == 1 ? 0 : w->in_axis < 0 ? out / (outs / (size_t)channels) : i % ins;
        if (bias) bias[out] += f[i] * a.shift[in];
        f[i] *= a.scale[in];
    }
    lc_rewrite_tensor(rw, w->node->inputs[1])->quant =
        NULL; /* the steps of quantisation-aware training are others along each input channel */
    lc_rewrite_set_input(rw, w->node, w->data_input, op->inputs[x]);
    lc_rewrite_kill(rw, op);
    return LC_OK;
}

lc_status lc_pass_fold_affine_before(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_weighted w;
        uint32_t x;
        if (!lc_weighted_of(rw, &rw->graph->nodes[n], &w)) continue;
        if (w.in_axis >= 0 && w.out_axis != 0) continue; /* weights of three dimensions lie otherwise */
        /* a chain such as MUL, ADD goes from its end to its start */
        for (;;) {
            lc_node *op = lc_rewrite_sole_producer(rw, w.node->inputs[w.data_input]);
            if (!op || !lc_affine_is(rw, op, 0, &x) || *lc_op_fused_act(op) != LC_ActivationFunctionType_NONE) break;
            const bool shifts = op->op == LC_OP_ADD || op->op == LC_OP_SUB;
            const int32_t channels = input_channels(rw, op, x, &w);
            if (channels < 1 || (shifts && !pads_nothing(rw, &w))) break;
            LC_TRY(fold(rw, op, x, &w, channels));
        }
    }
    return LC_OK;
}
