/*
 * fold_pad.c: PAD with zeros on height and width, followed by a VALID convolution, is the same convolution with SAME padding when
 * SAME would pad by exactly these amounts (MobileNet's ZeroPadding2D(((0,1),(0,1))) before a stride-2 convolution is one).
 * SAME pads floor(total/2) before and the rest after. Height and width must be fixed, for the amounts depend on them.
 */
#include "pass/rewrite.h"

#include <string.h>

typedef struct window {
    int32_t stride, dilation, filter;
} window;

static int8_t *padding_of(lc_node *node, const lc_tensor *filter, window *h, window *w) {
    if (node->op == LC_OP_CONV_2D) {
        lc_Conv2DOptions *o = node->attrs;
        *h = (window){o->stride_h, o->dilation_h_factor, filter->dims[1]};
        *w = (window){o->stride_w, o->dilation_w_factor, filter->dims[2]};
        return &o->padding;
    }
    lc_DepthwiseConv2DOptions *o = node->attrs;
    *h = (window){o->stride_h, o->dilation_h_factor, filter->dims[1]};
    *w = (window){o->stride_w, o->dilation_w_factor, filter->dims[2]};
    return &o->padding;
}

/* SAME on `in` pads exactly (before, after). */
static bool same_pads(int32_t in, window k, int64_t before, int64_t after) {
    if (in <= 0 || k.stride <= 0 || k.dilation <= 0 || k.filter <= 0) return false;
    const int64_t reach = ((int64_t)k.filter - 1) * k.dilation + 1;
    const int64_t out = ((int64_t)in + k.stride - 1) / k.stride;
    int64_t total = (out - 1) * k.stride + reach - in;
    if (total < 0) total = 0;
    return before == total / 2 && after == total - total / 2;
}

static bool read_paddings(const lc_tensor *t, int64_t pads[4][2]) {
    if (!t->data || t->rank != 2 || t->dims[0] != 4 || t->dims[1] != 2) return false;
    for (int i = 0; i < 8; i++) {
        if (t->type == LC_INT32) {
            int32_t v;
            memcpy(&v, (const char *)t->data + (size_t)i * sizeof v, sizeof v);
            pads[i / 2][i % 2] = v;
        } else if (t->type == LC_INT64) {
            memcpy(&pads[i / 2][i % 2], (const char *)t->data + (size_t)i * sizeof(int64_t), sizeof(int64_t));
        } else {
            return false;
        }
    }
    return pads[0][0] == 0 && pads[0][1] == 0 && pads[3][0] == 0 && pads[3][1] == 0;
}

lc_status lc_pass_fold_pad(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        lc_node *node = &rw->graph->nodes[n];
        if (!lc_node_is(node, LC_OP_CONV_2D) && !lc_node_is(node, LC_OP_DEPTHWISE_CONV_2D)) continue;
        lc_node *pad = lc_rewrite_sole_producer(rw, node->inputs[0]);
        if (!lc_node_is(pad, LC_OP_PAD)) continue;
        const lc_tensor *in = lc_rewrite_tensor(rw, pad->inputs[0]), *filter = lc_rewrite_tensor(rw, node->inputs[1]);
        int64_t pads[4][2];
        window h, w;
        if (in->type != LC_FLOAT32 || in->rank != 4 || filter->rank != 4 || !node->attrs) continue;
        if (!read_paddings(lc_rewrite_tensor(rw, pad->inputs[1]), pads)) continue;
        int8_t *padding = padding_of(node, filter, &h, &w);
        if (*padding != LC_Padding_VALID || !same_pads(lc_tensor_dim(in, 1), h, pads[1][0], pads[1][1]) ||
            !same_pads(lc_tensor_dim(in, 2), w, pads[2][0], pads[2][1]))
            continue;
        *padding = LC_Padding_SAME;
        lc_rewrite_set_input(rw, node, 0, pad->inputs[0]);
        lc_rewrite_kill(rw, pad);
    }
    return LC_OK;
}
