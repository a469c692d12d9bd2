/*
 * expand.c: the walk over the graph, and the operators that go element by element. The idea is in expand.h.
 *
 * Stays true: an own operator's outputs keep their tensors, written now by the last of the builtin operators, so nobody else changes.
 */
#include "grad/expand.h"

#include "kernels/resize.h"

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

/* Back to where they were taken from: zeros between (a step), zeros around; a negative step is a positive one of what is turned around. */
static void slice(lc_expansion *e) {
    const lc_slice_grad_options *o = LC_OWN_OPTIONS(e->node, lc_slice_grad_options);
    int32_t pads[2 * LC_MAX_RANK], size[LC_MAX_RANK], begin[LC_MAX_RANK] = {0};
    int32_t part = lc_build_reshape(e->b, e->node->inputs[0], o->slice.count, o->slice.rank);
    bool longer = false;
    for (int32_t i = 0; i < o->slice.rank; i++) {
        const int32_t n = o->slice.count[i];
        int64_t step = n > 1 ? o->slice.step[i] : 1;
        int32_t start = o->slice.start[i];
        if (step < 0) {
            const int32_t in[2] = {part, lc_build_ints(e->b, "axis", &i, 1)};
            part = lc_build_op(e->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, in, 2);
            start += (int32_t)((n - 1) * step);
            step = -step;
        }
        part = lc_expand_spread(e, part, i, (int32_t)step);
        const int32_t behind = o->dims[i] - start - n * (int32_t)step;
        longer |= behind < 0; /* the zeros behind the last one */
        pads[2 * i] = start;
        pads[2 * i + 1] = behind > 0 ? behind : 0;
        size[i] = o->dims[i];
    }
    part = lc_expand_pad(e, part, pads, o->slice.rank);
    e->out[0] = longer ? lc_expand_slice(e, part, begin, size, o->slice.rank) : part;
}

/* What each of n indices is moved by so that batch b's rows follow those of b - 1. */
static int32_t offsets(lc_expansion *e, int32_t batch, int32_t n, int32_t rows) {
    int32_t *v = lc_build_data(e->b, (size_t)batch * (size_t)n * sizeof *v);
    if (!v) return -1;
    const int32_t dims[1] = {batch * n};
    for (int32_t i = 0; i < batch * n; i++) v[i] = i / n * rows;
    return lc_build_const(e->b, "offsets", LC_INT32, dims, 1, v, (size_t)dims[0] * sizeof *v, true);
}

/* SCATTER_ND adds what falls on one row; rows come first for it. */
static void gather(lc_expansion *e) {
    static const int32_t swapped[4] = {0, 2, 1, 3};
    const lc_gather_grad_options *o = LC_OWN_OPTIONS(e->node, lc_gather_grad_options);
    lc_shape s;
    int32_t n = 1, batch = 1, outer = 1, inner = 1;
    if (!lc_build_shape(e->b, e->node->inputs[1], &s)) return;
    for (int32_t i = 0; i < s.rank; i++) n *= s.dims[i];
    for (int32_t i = 0; i < o->rank; i++) {
        if (i < o->batch_dims) batch *= o->dims[i];
        else if (i < o->axis) outer *= o->dims[i];
        else if (i > o->axis) inner *= o->dims[i];
    }
    n /= batch ? batch : 1;
    const int32_t rows = o->dims[o->axis];
    int32_t indices = lc_build_cast(e->b, lc_build_reshape(e->b, e->node->inputs[1], (const int32_t[]){batch * n}, 1), LC_INT32);
    if (batch > 1) indices = lc_expand_binary(e, LC_OP_ADD, indices, offsets(e, batch, n, rows));
    indices = lc_build_reshape(e->b, indices, (const int32_t[]){batch * n, 1}, 2);
    int32_t dy = lc_build_reshape(e->b, e->node->inputs[0], (const int32_t[]){batch, outer, n, inner}, 4);
    if (outer > 1) dy = lc_build_transpose(e->b, dy, swapped, 4);
    dy = lc_build_reshape(e->b, dy, (const int32_t[]){batch * n, outer, inner}, 3);
    const int32_t in[3] = {indices, dy, lc_build_ints(e->b, "shape", (const int32_t[]){batch * rows, outer, inner}, 3)};
    int32_t table = lc_build_op(e->b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, in, 3);
    if (outer > 1) {
        table = lc_build_reshape(e->b, table, (const int32_t[]){batch, rows, outer, inner}, 4);
        table = lc_build_transpose(e->b, table, swapped, 4);
    }
    e->out[0] = lc_build_reshape(e->b, table, o->dims, o->rank);
}

/* [from, to]: how much of output cell `to` is input cell `from`. */
static int32_t resize_matrix(lc_expansion *e, int32_t from, int32_t to) {
    const lc_resize_grad_options *o = LC_OWN_OPTIONS(e->node, lc_resize_grad_options);
    const float scale = lc_resize_scale(from, to, o->align_corners);
    const int32_t dims[2] = {from, to};
    const size_t bytes = (size_t)from * (size_t)to * sizeof(float);
    float *m = lc_build_data(e->b, bytes);
    if (!m) return -1;
    for (int32_t i = 0; i < to; i++) {
        const lc_resize_spot spot = lc_resize_cells(o->nearest, i, scale, o->align_corners, o->half_pixel_centers, from);
        m[spot.low * to + i] += 1 - spot.part;
        m[spot.high * to + i] += spot.part;
    }
    return lc_build_const(e->b, "shares", LC_FLOAT32, dims, 2, m, bytes, true);
}

/* Rows and columns are scaled one after the other, each by a matrix: A dy B^T. */
static void resize(lc_expansion *e) {
    static const int32_t columns_last[4] = {0, 1, 3, 2}, rows_last[4] = {0, 2, 3, 1}, back[4] = {0, 3, 2, 1};
    const lc_resize_grad_options *o = LC_OWN_OPTIONS(e->node, lc_resize_grad_options);
    lc_shape s;
    if (!lc_build_shape(e->b, e->node->inputs[0], &s)) return;
    const lc_FullyConnectedOptions keep = {.keep_num_dims = true};
    const int32_t x = lc_build_transpose(e->b, e->node->inputs[0], columns_last, 4); /* [n, H, c, W] */
    const int32_t narrow[3] = {x, resize_matrix(e, o->dims[2], s.dims[2]), LC_ABSENT};
    int32_t y = lc_build_op(e->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &keep, narrow, 3); /* [n, H, c, w] */
    y = lc_build_transpose(e->b, y, rows_last, 4);                                                          /* [n, c, w, H] */
    const int32_t low[3] = {y, resize_matrix(e, o->dims[1], s.dims[1]), LC_ABSENT};
    y = lc_build_op(e->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &keep, low, 3); /* [n, c, w, h] */
    e->out[0] = lc_build_transpose(e->b, y, back, 4);                                            /* [n, h, w, c] */
}

static void random_numbers(lc_expansion *e) {
    const lc_random_options *o = LC_OWN_OPTIONS(e->node, lc_random_options);
    const lc_RandomOptions seeds = {.seed = 1 + (int64_t)o->stream, .seed2 = 0x6c64};
    const int32_t dims = lc_build_ints(e->b, "shape", o->dims, (uint32_t)o->rank);
    e->out[0] =
        lc_build_op(e->b, o->normal ? LC_OP_RANDOM_STANDARD_NORMAL : LC_OP_RANDOM_UNIFORM, LC_TABLE_RandomOptions, &seeds, &dims, 1);
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
    {&lc_own_RESIZE_GRAD, resize},
    {&lc_own_RANDOM, random_numbers},
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

/* LiteRT's convolutions want a bias, which gradients have none of: zeros. */
static void give_biases(lc_builder *b) {
    for (size_t i = 0; i < b->graph->node_count && b->status == LC_OK; i++) {
        lc_node *node = &b->graph->nodes[i];
        if ((node->op != LC_OP_CONV_2D && node->op != LC_OP_DEPTHWISE_CONV_2D) || (node->input_count > 2 && node->inputs[2] >= 0)) continue;
        const lc_tensor *y = lc_build_tensor(b, node->outputs[0]);
        const int32_t n = y->dims[y->rank - 1];
        float *zeros = lc_build_data(b, (size_t)n * sizeof *zeros);
        int32_t *in = lc_arena_array(&b->model->arena, 3, sizeof *in);
        if (!in) lc_build_check(b, lc_fail_memory(b->err, "gradients"));
        if (!in || !zeros) return;
        b->layer = node->layer;
        in[0] = node->inputs[0], in[1] = node->inputs[1];
        in[2] = lc_build_const(b, "bias", LC_FLOAT32, &n, 1, zeros, (size_t)n * sizeof *zeros, true);
        node->inputs = in;
        node->input_count = 3;
    }
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
        give_biases(b);
    }
    b->layer = layer;
    lc_arena_deinit(&arena);
    return b->status;
}
