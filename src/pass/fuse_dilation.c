/*
 * fuse_dilation.c: SPACE_TO_BATCH_ND, a convolution, BATCH_TO_SPACE_ND is how a dilated convolution was written before convolutions had
 * dilation (tf.nn.atrous_conv2d, old Keras). With blocks b the convolution meets every b-th cell, so it is one with dilation b:
 *
 *     padded by p before and q behind, cropped by c and d  =  padded by p - c and q - d, VALID
 *
 * The padding becomes SAME or VALID where that is the same, else a PAD in front. A row (one dimension) has reshapes between, to an image of
 * height 1 and back; they move to the outside.
 */
#include "pass/rewrite.h"

#include <string.h>

typedef struct space {
    int32_t dims; /* 1 or 2 */
    int64_t block[2], before[2], after[2];
} space;

/* Constant integers of a tensor. */
static bool integers(const lc_tensor *t, int64_t *v, size_t n) {
    const size_t width = t->type == LC_INT64 ? 8 : 4;
    if (!t->data || (t->type != LC_INT32 && t->type != LC_INT64) || t->size != n * width) return false;
    for (size_t i = 0; i < n; i++) {
        int32_t narrow;
        if (width == 8) memcpy(&v[i], (const char *)t->data + i * 8, 8);
        else memcpy(&narrow, (const char *)t->data + i * 4, 4), v[i] = narrow;
    }
    return true;
}

static bool read_space(const lc_rewrite *rw, const lc_node *node, space *s) {
    const lc_tensor *block = lc_rewrite_tensor(rw, node->inputs[1]), *margin = lc_rewrite_tensor(rw, node->inputs[2]);
    int64_t m[4];
    s->dims = block->rank == 1 ? block->dims[0] : 0;
    if (s->dims < 1 || s->dims > 2 || !integers(block, s->block, (size_t)s->dims) || !integers(margin, m, (size_t)s->dims * 2))
        return false;
    for (int32_t i = 0; i < s->dims; i++) {
        s->before[i] = m[2 * i];
        s->after[i] = m[2 * i + 1];
        if (s->block[i] < 1 || s->block[i] > INT32_MAX || s->before[i] < 0 || s->after[i] < 0 || s->before[i] > INT32_MAX ||
            s->after[i] > INT32_MAX)
            return false;
    }
    return true;
}

/* Where a convolution keeps its window. */
typedef struct conv {
    lc_node *node;
    int8_t *padding;
    int32_t stride[2], *dilation[2], filter[2];
} conv;

static bool read_conv(const lc_rewrite *rw, lc_node *node, conv *c) {
    const bool depthwise = lc_node_is(node, LC_OP_DEPTHWISE_CONV_2D);
    if ((!depthwise && !lc_node_is(node, LC_OP_CONV_2D)) || !node->attrs) return false;
    const lc_tensor *filter = lc_rewrite_tensor(rw, node->inputs[1]);
    if (filter->rank != 4) return false;
    *c = (conv){.node = node, .filter = {filter->dims[1], filter->dims[2]}};
    if (depthwise) {
        lc_DepthwiseConv2DOptions *o = node->attrs;
        c->padding = &o->padding;
        c->stride[0] = o->stride_h, c->stride[1] = o->stride_w;
        c->dilation[0] = &o->dilation_h_factor, c->dilation[1] = &o->dilation_w_factor;
    } else {
        lc_Conv2DOptions *o = node->attrs;
        c->padding = &o->padding;
        c->stride[0] = o->stride_h, c->stride[1] = o->stride_w;
        c->dilation[0] = &o->dilation_h_factor, c->dilation[1] = &o->dilation_w_factor;
    }
    return *c->padding == LC_Padding_VALID && c->stride[0] == 1 && c->stride[1] == 1 && *c->dilation[0] == 1 && *c->dilation[1] == 1;
}

/* A RESHAPE that only puts a height of 1 behind the batch of `row` [n, w, c], or takes it away from `image` [n, 1, w, c]. */
static bool is_row(const lc_rewrite *rw, const lc_node *node, int32_t row, int32_t image) {
    if (!lc_node_is(node, LC_OP_RESHAPE) && !lc_node_is(node, LC_OP_EXPAND_DIMS) && !lc_node_is(node, LC_OP_SQUEEZE)) return false;
    const lc_tensor *r = lc_rewrite_tensor(rw, row), *i = lc_rewrite_tensor(rw, image);
    if (r->rank != 3 || i->rank != 4 || lc_tensor_dim(i, 1) != 1) return false;
    return lc_tensor_dim(r, 2) > 0 && lc_tensor_dim(r, 2) == lc_tensor_dim(i, 3) && lc_tensor_dim(r, 1) == lc_tensor_dim(i, 2);
}

/* With a stride of 1, SAME pads by exactly these. */
static bool same_pads(int64_t span, int64_t before, int64_t after) {
    return before == (span - 1) / 2 && after == span - 1 - (span - 1) / 2;
}

typedef struct chain {
    lc_node *to_batch, *in, *out, *from_batch; /* in, out: the reshapes of a row, NULL for an image */
    conv c;
    space pad, crop;
} chain;

static bool find(const lc_rewrite *rw, lc_node *last, chain *k) {
    *k = (chain){.from_batch = last};
    if (!lc_node_is(last, LC_OP_BATCH_TO_SPACE_ND) || !read_space(rw, last, &k->crop)) return false;
    const bool row = k->crop.dims == 1;
    lc_node *node = lc_rewrite_sole_producer(rw, last->inputs[0]);
    if (row) {
        k->out = node;
        if (!node || !is_row(rw, node, node->outputs[0], node->inputs[0])) return false;
        node = lc_rewrite_sole_producer(rw, node->inputs[0]);
    }
    if (!node || !read_conv(rw, node, &k->c)) return false;
    node = lc_rewrite_sole_producer(rw, node->inputs[0]);
    if (row) {
        k->in = node;
        if (!node || !is_row(rw, node, node->inputs[0], node->outputs[0])) return false;
        node = lc_rewrite_sole_producer(rw, node->inputs[0]);
    }
    k->to_batch = node;
    if (!lc_node_is(node, LC_OP_SPACE_TO_BATCH_ND) || !read_space(rw, node, &k->pad) || k->pad.dims != k->crop.dims) return false;
    const lc_tensor *x = lc_rewrite_tensor(rw, node->inputs[0]);
    if (x->type != LC_FLOAT32 || x->quant || x->rank != k->pad.dims + 2 || (row && k->c.filter[0] != 1)) return false;
    for (int32_t i = 0; i < k->pad.dims; i++)
        if (k->pad.block[i] > 1 << 16 || k->pad.block[i] != k->crop.block[i] || k->pad.before[i] < k->crop.before[i] ||
            k->pad.after[i] < k->crop.after[i])
            return false;
    return true;
}

/* A PAD in place of the SPACE_TO_BATCH_ND, with what is left of its padding. */
static lc_status pad_instead(lc_rewrite *rw, const chain *k) {
    lc_node *node = k->to_batch;
    const int32_t rank = k->pad.dims + 2, dims[2] = {rank, 2};
    int32_t tensor;
    void *data;
    LC_TRY(lc_rewrite_add_constant(rw, lc_rewrite_tensor(rw, node->inputs[2])->name, LC_INT32, dims, 2, &tensor, &data));
    for (int32_t i = 0; i < k->pad.dims; i++) {
        ((int32_t *)data)[2 * (i + 1)] = (int32_t)(k->pad.before[i] - k->crop.before[i]);
        ((int32_t *)data)[2 * (i + 1) + 1] = (int32_t)(k->pad.after[i] - k->crop.after[i]);
    }
    lc_PadOptions *o = lc_arena_alloc(rw->arena, sizeof *o);
    if (!o) return lc_fail_memory(rw->err, "operator options");
    lc_schema_init(LC_TABLE_PadOptions, o);
    lc_rewrite_set_input(rw, node, 2, LC_ABSENT);
    node->input_count = 2;
    lc_rewrite_set_input(rw, node, 1, tensor);
    node->op = LC_OP_PAD;
    node->version = 0;
    node->attrs_table = LC_TABLE_PadOptions;
    node->attrs = o;
    return LC_OK;
}

/* The tensors between have other batches and sides now. */
static lc_status infer(lc_rewrite *rw, lc_node *node) {
    return node ? lc_graph_infer_node(rw->graph, (size_t)(node - rw->graph->nodes), rw->err) : LC_OK;
}

/* A RESHAPE's constant shape: [-1, 1, w, c] or [-1, w, c] for what it is given now. */
static lc_status reshape_row(lc_rewrite *rw, lc_node *node, int32_t width, int32_t channels, bool image) {
    const int32_t rank = image ? 4 : 3;
    int32_t tensor;
    void *data;
    LC_TRY(lc_rewrite_add_constant(rw, lc_rewrite_tensor(rw, node->outputs[0])->name, LC_INT32, &rank, 1, &tensor, &data));
    int32_t *dims = data, n = 0;
    dims[n++] = -1;
    if (image) dims[n++] = 1;
    dims[n++] = width;
    dims[n++] = channels;
    lc_ReshapeOptions *o = lc_arena_alloc(rw->arena, sizeof *o);
    if (!o) return lc_fail_memory(rw->err, "operator options");
    lc_schema_init(LC_TABLE_ReshapeOptions, o);
    o->new_shape.data = dims;
    o->new_shape.n = (uint32_t)rank;
    while (node->input_count > 1) lc_rewrite_set_input(rw, node, --node->input_count, LC_ABSENT);
    node->op = LC_OP_RESHAPE;
    node->version = 0;
    node->attrs_table = LC_TABLE_ReshapeOptions;
    node->attrs = o;
    return lc_rewrite_append_input(rw, node, tensor);
}

static lc_status fuse(lc_rewrite *rw, const chain *k) {
    const int32_t x = k->to_batch->inputs[0], first = 2 - k->pad.dims; /* a row is the second side */
    bool same = true, none = true;
    for (int32_t i = 0; i < k->pad.dims; i++) {
        const int64_t span = ((int64_t)k->c.filter[first + i] - 1) * k->pad.block[i] + 1;
        const int64_t before = k->pad.before[i] - k->crop.before[i], after = k->pad.after[i] - k->crop.after[i];
        same = same && same_pads(span, before, after);
        none = none && before == 0 && after == 0;
        *k->c.dilation[first + i] = (int32_t)k->pad.block[i];
    }
    *k->c.padding = same && !none ? LC_Padding_SAME : LC_Padding_VALID;
    int32_t from = x;
    if (!same && !none) {
        LC_TRY(pad_instead(rw, k));
        LC_TRY(infer(rw, k->to_batch));
        from = k->to_batch->outputs[0];
    }
    if (k->in) {
        const lc_tensor *row = lc_rewrite_tensor(rw, from);
        const int32_t width = lc_tensor_dim(row, 1), channels = lc_tensor_dim(row, 2);
        lc_rewrite_set_input(rw, k->in, 0, from);
        LC_TRY(reshape_row(rw, k->in, width, channels, true));
        LC_TRY(infer(rw, k->in));
        from = k->in->outputs[0];
    }
    lc_rewrite_set_input(rw, k->c.node, 0, from);
    if (same || none) lc_rewrite_kill(rw, k->to_batch);
    LC_TRY(infer(rw, k->c.node));
    if (k->out) {
        const lc_tensor *image = lc_rewrite_tensor(rw, k->c.node->outputs[0]);
        const int32_t width = lc_tensor_dim(image, 2), channels = lc_tensor_dim(image, 3);
        LC_TRY(reshape_row(rw, k->out, width, channels, false));
    }
    lc_rewrite_absorb(rw, k->out ? k->out : k->c.node, k->from_batch);
    return infer(rw, k->out ? k->out : k->c.node);
}

lc_status lc_pass_fuse_dilation(lc_rewrite *rw) {
    for (size_t n = 0; n < rw->graph->node_count; n++) {
        chain k;
        if (!find(rw, &rw->graph->nodes[n], &k)) continue;
        /* an open width of a row cannot be written beside an open batch */
        if (k.in && lc_tensor_dim(lc_rewrite_tensor(rw, k.to_batch->inputs[0]), 1) < 0) continue;
        LC_TRY(fuse(rw, &k));
    }
    return LC_OK;
}
