/*
 * expand.c: the walk over the graph, and the operators that go element by element. The idea is in expand.h.
 *
 * Stays true: an own operator's outputs keep their tensors, written now by the last of the builtin operators, so nobody else changes.
 */
#include "grad/expand.h"

#include <string.h>

/* ---- helpers ---------------------------------------------------------------------------------------------------------- */

int32_t lc_expand_binary(lc_expansion *e, int32_t op, int32_t x, int32_t y) {
    return lc_build_binary(e->b, op, x, y, LC_ActivationFunctionType_NONE);
}

int32_t lc_expand_pad(lc_expansion *e, int32_t x, const int32_t *pads, int32_t rank) {
    bool any = false;
    for (int32_t i = 0; i < 2 * rank; i++) any |= pads[i] != 0;
    if (!any) return x;
    const int32_t in[2] = {x, lc_build_int_matrix(e->b, "paddings", pads, rank, 2)};
    return lc_build_op(e->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
}

int32_t lc_expand_slice(lc_expansion *e, int32_t x, const int32_t *begin, const int32_t *size, int32_t rank) {
    const int32_t in[3] = {x, lc_build_ints(e->b, "begin", begin, (uint32_t)rank), lc_build_ints(e->b, "size", size, (uint32_t)rank)};
    return lc_build_op(e->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

int32_t lc_expand_mask(lc_expansion *e, int32_t compare, int32_t x, int32_t y) {
    return lc_build_cast(e->b, lc_build_op(e->b, compare, LC_TABLE_NONE, NULL, (const int32_t[]){x, y}, 2), LC_FLOAT32);
}

void lc_expand_refuse(lc_expansion *e, const char *what) {
    lc_build_fail(e->b, LC_UNSUPPORTED, "training it on a device would need %s of %s, which has no form in builtin operators", what,
                  e->node->own->name);
    lc_build_hint(e->b, "freeze this layer and all before it (trainable = false): a device then trains what comes behind");
}

static int32_t scalar(lc_expansion *e, float v) { return lc_build_scalar(e->b, "constant", v); }
static int32_t with(lc_expansion *e, int32_t op, int32_t x, float v) { return lc_build_with_scalar(e->b, op, x, "constant", v); }

/* ---- one function an operator ----------------------------------------------------------------------------------------- */

/* 1 between the limits. */
static int32_t between(lc_expansion *e, int32_t v, float low, float high) {
    return lc_expand_binary(e, LC_OP_MUL, lc_expand_mask(e, LC_OP_GREATER, v, scalar(e, low)),
                            lc_expand_mask(e, LC_OP_LESS, v, scalar(e, high)));
}

/* sqrt(2 / pi) (x + 0.044715 x^3): y = x (1 + tanh u) / 2 */
static int32_t gelu_tanh_slope(lc_expansion *e, int32_t x) {
    const float c = 0.7978845608f;
    const int32_t square = lc_build_unary(e->b, LC_OP_SQUARE, x);
    const int32_t u =
        with(e, LC_OP_MUL, lc_expand_binary(e, LC_OP_MUL, x, with(e, LC_OP_ADD, with(e, LC_OP_MUL, square, 0.044715f), 1)), c);
    const int32_t t = lc_build_unary(e->b, LC_OP_TANH, u),
                  rest = with(e, LC_OP_ADD, lc_build_unary(e->b, LC_OP_NEG, lc_build_unary(e->b, LC_OP_SQUARE, t)), 1);
    const int32_t du = with(e, LC_OP_MUL, with(e, LC_OP_ADD, with(e, LC_OP_MUL, square, 3 * 0.044715f), 1), c);
    const int32_t second = lc_expand_binary(e, LC_OP_MUL, lc_expand_binary(e, LC_OP_MUL, x, rest), du);
    return with(e, LC_OP_MUL, lc_expand_binary(e, LC_OP_ADD, with(e, LC_OP_ADD, t, 1), second), 0.5f);
}

/* The normal distribution's P(x) + x p(x): GELU(x) / x is P(x), and near 0 it is 1/2 + x p(0). */
static int32_t gelu_slope(lc_expansion *e, int32_t x) {
    const float p0 = 0.3989422804f;
    const int32_t small =
        lc_build_op(e->b, LC_OP_LESS, LC_TABLE_NONE, NULL, (const int32_t[]){lc_build_unary(e->b, LC_OP_ABS, x), scalar(e, 1e-2f)}, 2);
    const int32_t divisor = lc_build_select(e->b, small, scalar(e, 1), x), line = with(e, LC_OP_ADD, with(e, LC_OP_MUL, x, p0), 0.5f);
    const lc_GeluOptions exact = {.approximate = false};
    const int32_t gelu = lc_build_op(e->b, LC_OP_GELU, LC_TABLE_GeluOptions, &exact, &x, 1);
    const int32_t below = lc_build_select(e->b, small, line, lc_expand_binary(e, LC_OP_DIV, gelu, divisor));
    const int32_t density =
        with(e, LC_OP_MUL, lc_build_unary(e->b, LC_OP_EXP, with(e, LC_OP_MUL, lc_build_unary(e->b, LC_OP_SQUARE, x), -0.5f)), p0);
    return lc_expand_binary(e, LC_OP_ADD, below, lc_expand_binary(e, LC_OP_MUL, x, density));
}

static void activation(lc_expansion *e) {
    const lc_activation_options *o = LC_OWN_OPTIONS(e->node, lc_activation_options);
    const int32_t v = e->node->inputs[1];
    int32_t slope = -1;
    switch (o->kind) {
    case LC_ACT_RELU: slope = lc_expand_mask(e, LC_OP_GREATER, v, scalar(e, 0)); break;
    case LC_ACT_RELU6: slope = between(e, v, 0, 6); break;
    case LC_ACT_RELU_N1_TO_1: slope = between(e, v, -1, 1); break;
    case LC_ACT_RELU_0_TO_1: slope = between(e, v, 0, 1); break;
    case LC_ACT_LOGISTIC: slope = lc_expand_binary(e, LC_OP_SUB, v, lc_build_unary(e->b, LC_OP_SQUARE, v)); break;
    case LC_ACT_TANH: slope = with(e, LC_OP_ADD, lc_build_unary(e->b, LC_OP_NEG, lc_build_unary(e->b, LC_OP_SQUARE, v)), 1); break;
    case LC_ACT_ELU: /* y > 0 ? 1 : y + 1 */ slope = with(e, LC_OP_ADD, lc_expand_binary(e, LC_OP_MINIMUM, v, scalar(e, 0)), 1); break;
    case LC_ACT_LEAKY_RELU: /* alpha + (1 - alpha) [x > 0] */
        slope = with(e, LC_OP_ADD, with(e, LC_OP_MUL, lc_expand_mask(e, LC_OP_GREATER, v, scalar(e, 0)), 1 - o->alpha), o->alpha);
        break;
    case LC_ACT_HARD_SWISH: { /* (2 x + 3) / 6 inside -3 ... 3, 1 above */
        const int32_t line = with(e, LC_OP_MUL, with(e, LC_OP_ADD, with(e, LC_OP_MUL, v, 2), 3), 1.0f / 6);
        const int32_t above = lc_expand_mask(e, LC_OP_GREATER_EQUAL, v, scalar(e, 3));
        slope = lc_expand_binary(e, LC_OP_ADD, lc_expand_binary(e, LC_OP_MUL, line, between(e, v, -3, 3)), above);
        break;
    }
    case LC_ACT_GELU_TANH: slope = gelu_tanh_slope(e, v); break;
    case LC_ACT_GELU: slope = gelu_slope(e, v); break;
    }
    e->out[0] = lc_expand_binary(e, LC_OP_MUL, e->node->inputs[0], slope);
}

static void slice(lc_expansion *e) {
    const lc_slice_grad_options *o = LC_OWN_OPTIONS(e->node, lc_slice_grad_options);
    int32_t pads[2 * LC_MAX_RANK];
    for (int32_t i = 0; i < o->slice.rank; i++) {
        if (o->slice.step[i] != 1 && o->slice.count[i] > 1) {
            lc_expand_refuse(e, "a step other than 1");
            return;
        }
        pads[2 * i] = o->slice.start[i];
        pads[2 * i + 1] = o->dims[i] - o->slice.start[i] - o->slice.count[i];
    }
    const int32_t part = lc_build_reshape(e->b, e->node->inputs[0], o->slice.count, o->slice.rank);
    e->out[0] = lc_expand_pad(e, part, pads, o->slice.rank);
}

/* SCATTER_ND adds what falls on one row; rows come first for it. */
static void gather(lc_expansion *e) {
    const lc_gather_grad_options *o = LC_OWN_OPTIONS(e->node, lc_gather_grad_options);
    static const int32_t swapped[3] = {1, 0, 2};
    lc_shape s;
    int32_t n = 1, outer = 1, inner = 1;
    if (!lc_build_shape(e->b, e->node->inputs[1], &s)) return;
    if (o->batch_dims != 0) {
        lc_expand_refuse(e, "batch dimensions");
        return;
    }
    for (int32_t i = 0; i < s.rank; i++) n *= s.dims[i];
    for (int32_t i = 0; i < o->rank; i++) {
        if (i < o->axis) outer *= o->dims[i];
        if (i > o->axis) inner *= o->dims[i];
    }
    const int32_t indices = lc_build_cast(e->b, lc_build_reshape(e->b, e->node->inputs[1], (const int32_t[]){n, 1}, 2), LC_INT32);
    int32_t rows = lc_build_reshape(e->b, e->node->inputs[0], (const int32_t[]){outer, n, inner}, 3);
    if (outer > 1) rows = lc_build_transpose(e->b, rows, swapped, 3);
    rows = lc_build_reshape(e->b, rows, (const int32_t[]){n, outer, inner}, 3);
    const int32_t in[3] = {indices, rows, lc_build_ints(e->b, "shape", (const int32_t[]){o->dims[o->axis], outer, inner}, 3)};
    int32_t table = lc_build_op(e->b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, in, 3);
    if (outer > 1) table = lc_build_transpose(e->b, table, swapped, 3);
    e->out[0] = lc_build_reshape(e->b, table, o->dims, o->rank);
}

/* All axes but the last. */
static uint32_t rows_axes(lc_expansion *e, int32_t x, int32_t *axes) {
    lc_shape s;
    if (!lc_build_shape(e->b, x, &s)) return 0;
    for (int32_t i = 0; i + 1 < s.rank; i++) axes[i] = i;
    return (uint32_t)s.rank - 1;
}

static void batch_norm(lc_expansion *e) {
    const int32_t x = e->node->inputs[0], gamma = e->node->inputs[1], beta = e->node->inputs[2];
    int32_t axes[LC_MAX_RANK];
    const uint32_t n = rows_axes(e, x, axes);
    const int32_t mean = lc_build_reduce(e->b, LC_OP_MEAN, x, axes, n, false);
    const int32_t variance = lc_build_reduce(e->b, LC_OP_MEAN, lc_expand_binary(e, LC_OP_SQUARED_DIFFERENCE, x, mean), axes, n, false);
    const float epsilon = LC_OWN_OPTIONS(e->node, lc_batch_norm_options)->epsilon;
    int32_t by = lc_build_unary(e->b, LC_OP_RSQRT, with(e, LC_OP_ADD, variance, epsilon));
    if (gamma >= 0) by = lc_expand_binary(e, LC_OP_MUL, by, gamma);
    int32_t y = lc_expand_binary(e, LC_OP_MUL, lc_expand_binary(e, LC_OP_SUB, x, mean), by);
    if (beta >= 0) y = lc_expand_binary(e, LC_OP_ADD, y, beta);
    e->out[0] = y, e->out[1] = mean, e->out[2] = variance;
}

static void batch_norm_grad(lc_expansion *e) {
    const int32_t dy = e->node->inputs[0], x = e->node->inputs[1], gamma = e->node->inputs[2], mean = e->node->inputs[3],
                  variance = e->node->inputs[4];
    int32_t axes[LC_MAX_RANK];
    const uint32_t n = rows_axes(e, x, axes);
    const float epsilon = LC_OWN_OPTIONS(e->node, lc_batch_norm_options)->epsilon;
    const int32_t inverse = lc_build_unary(e->b, LC_OP_RSQRT, with(e, LC_OP_ADD, variance, epsilon));
    const int32_t h = lc_expand_binary(e, LC_OP_MUL, lc_expand_binary(e, LC_OP_SUB, x, mean), inverse),
                  product = lc_expand_binary(e, LC_OP_MUL, dy, h);
    const int32_t inner =
        lc_expand_binary(e, LC_OP_SUB, lc_expand_binary(e, LC_OP_SUB, dy, lc_build_reduce(e->b, LC_OP_MEAN, dy, axes, n, false)),
                         lc_expand_binary(e, LC_OP_MUL, h, lc_build_reduce(e->b, LC_OP_MEAN, product, axes, n, false)));
    e->out[0] = lc_expand_binary(e, LC_OP_MUL, inner, gamma >= 0 ? lc_expand_binary(e, LC_OP_MUL, inverse, gamma) : inverse);
    e->out[1] = lc_build_reduce(e->b, LC_OP_SUM, product, axes, n, false);
    e->out[2] = lc_build_reduce(e->b, LC_OP_SUM, dy, axes, n, false);
}

/* ---- the walk --------------------------------------------------------------------------------------------------------- */

static const struct {
    const lc_op_own *own;
    void (*expand)(lc_expansion *e);
} forms[] = {
    {&lc_own_ACTIVATION_GRAD, activation},
    {&lc_own_CONV_FILTER_GRAD, lc_expand_conv_filter},
    {&lc_own_CONV_INPUT_GRAD, lc_expand_conv_input},
    {&lc_own_DEPTHWISE_FILTER_GRAD, lc_expand_depthwise_filter},
    {&lc_own_DEPTHWISE_INPUT_GRAD, lc_expand_depthwise_input},
    {&lc_own_MAX_POOL_GRAD, lc_expand_max_pool},
    {&lc_own_AVERAGE_POOL_GRAD, lc_expand_average_pool},
    {&lc_own_SLICE_GRAD, slice},
    {&lc_own_GATHER_GRAD, gather},
    {&lc_own_BATCH_NORM, batch_norm},
    {&lc_own_BATCH_NORM_GRAD, batch_norm_grad},
};

/* Dropout and its gradient share one mask, of RANDOM_UNIFORM, known by the layer's stream. */
typedef struct masks {
    uint32_t streams[256];
    int32_t tensors[256];
    uint32_t count;
} masks;

static void dropout(lc_expansion *e, masks *m) {
    const lc_dropout_options *o = LC_OWN_OPTIONS(e->node, lc_dropout_options);
    lc_shape s;
    int32_t mask = -1;
    if (!lc_build_shape(e->b, e->node->inputs[0], &s)) return;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->streams[i] == o->stream) mask = m->tensors[i];
    if (mask < 0) {
        for (int32_t i = 0; i < s.rank; i++)
            if (!o->noise[i]) s.dims[i] = 1;
        const lc_RandomOptions seeds = {.seed = 1 + (int64_t)o->stream, .seed2 = 0x6c63};
        const int32_t dims = lc_build_ints(e->b, "shape", s.dims, (uint32_t)s.rank);
        const int32_t random = lc_build_op(e->b, LC_OP_RANDOM_UNIFORM, LC_TABLE_RandomOptions, &seeds, &dims, 1);
        mask = with(e, LC_OP_MUL, lc_expand_mask(e, LC_OP_GREATER_EQUAL, random, scalar(e, o->rate)), 1 / (1 - o->rate));
        if (m->count < 256) m->streams[m->count] = o->stream, m->tensors[m->count++] = mask;
    }
    e->out[0] = lc_expand_binary(e, LC_OP_MUL, e->node->inputs[0], mask);
}

/* The tensor `made` was written for output `out`: its writer writes that one now. */
static void take(lc_builder *b, size_t first, int32_t made, int32_t out) {
    if (b->status != LC_OK || made == out) return;
    for (size_t n = b->graph->node_count; n-- > first;) {
        lc_node *node = &b->graph->nodes[n];
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] == made) {
                for (size_t k = first; k < b->graph->node_count; k++) /* others of the group may read it, too */
                    for (uint32_t j = 0; j < b->graph->nodes[k].input_count; j++)
                        if (b->graph->nodes[k].inputs[j] == made) b->graph->nodes[k].inputs[j] = out;
                node->outputs[i] = out;
                return;
            }
    }
    lc_build_op(b, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, NULL, &made, 1); /* it is an input: a copy (never met: every form computes) */
}

static void expand_one(lc_builder *b, const lc_node *node, masks *m) {
    lc_expansion e = {.b = b, .node = node, .out = {-1, -1, -1}};
    const size_t first = b->graph->node_count;
    b->layer = node->layer;
    bool found = node->own == &lc_own_DROPOUT;
    if (found) dropout(&e, m);
    for (size_t i = 0; !found && i < sizeof forms / sizeof *forms; i++)
        if (forms[i].own == node->own) {
            forms[i].expand(&e);
            found = true;
        }
    if (!found) lc_expand_refuse(&e, "what it computes");
    for (uint32_t i = 0; i < node->output_count; i++) take(b, first, e.out[i], node->outputs[i]);
}

lc_status lc_grad_expand(lc_builder *b) {
    lc_graph *g = b->graph;
    const size_t n = g->node_count;
    lc_arena arena = {0};
    lc_node *old = lc_arena_array(&arena, n + 1, sizeof *old);
    masks *m = lc_arena_alloc(&arena, sizeof *m);
    const char *layer = b->layer;
    if (b->status == LC_OK && (!old || !m)) lc_build_check(b, lc_fail_memory(b->err, "gradients"));
    if (b->status == LC_OK) {
        memcpy(old, g->nodes, n * sizeof *old);
        g->node_count = 0;
        for (size_t i = 0; i < n && b->status == LC_OK; i++) {
            if (old[i].own) {
                expand_one(b, &old[i], m);
                continue;
            }
            lc_node *node;
            if (!lc_build_check(b, lc_graph_add_node(g, old[i].op, LC_TABLE_NONE, NULL, NULL, 0, NULL, 0, &node, b->err))) break;
            *node = old[i];
        }
    }
    b->layer = layer;
    lc_arena_deinit(&arena);
    return b->status;
}
