/*
 * Every rule of gradients (grad.def) against finite differences: for an operator y = f(x...) and random numbers r the scalar L = sum(r y) is
 * taken; (L(x + h) - L(x - h)) / 2h must be what the rule computes, with plain and with SIMD kernels, with one thread and with three. A rule
 * without a case fails the test.
 */
#include "grad/grad.h"
#include "kernels/kernel.h"
#include "litec/runtime.h"
#include "ops/build.h"
#include "ops/op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 4 };

typedef struct shape {
    int32_t rank, dims[LC_MAX_RANK];
} shape;

/* One case: inputs by shape, what makes the output of them, and where their values lie. */
typedef struct sample {
    const char *name;
    int32_t op;
    int32_t (*make)(lc_builder *b, const int32_t *in, const void *with);
    const void *with;
    shape in[MOST];
    float low, high; /* of the inputs; both 0: -1 and 1 */
    float apart;     /* numbers are multiples of this, for functions with corners: no two equal, none at a corner; 0: any */
} sample;

static bool seen[LC_OP_COUNT];
static float data[MOST][4096], gradient[MOST][4096];

static uint32_t state = 1;
static float number(float low, float high) {
    state = state * 1664525u + 1013904223u;
    return low + (high - low) * (float)(state >> 8) / 16777216.0f;
}

static size_t elements(const shape *s) {
    size_t n = 1;
    for (int32_t i = 0; i < s->rank; i++) n *= (size_t)s->dims[i];
    return n;
}

static void fill(const sample *c, uint32_t i) {
    const float low = c->low == c->high ? -1 : c->low, high = c->low == c->high ? 1 : c->high;
    const size_t n = elements(&c->in[i]);
    for (size_t k = 0; k < n; k++) data[i][k] = number(low, high);
    if (c->apart == 0) return;
    for (size_t k = 0; k < n; k++) data[i][k] = ((float)k - (float)n / 2 + 0.37f + 0.11f * (float)i) * c->apart;
    for (size_t k = n; k > 1; k--) { /* in any order */
        state = state * 1664525u + 1013904223u;
        const size_t other = (state >> 8) % k;
        const float t = data[i][k - 1];
        data[i][k - 1] = data[i][other], data[i][other] = t;
    }
}

/* The graph: inputs, f, times r, sum; and with `grads` the gradients, bound to gradient[]. */
static lc_model *graph_of(const sample *c, bool grads, lc_error *err) {
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], err);
    int32_t in[MOST], d[MOST];
    uint32_t n = 0;
    for (; n < MOST && c->in[n].rank; n++) {
        in[n] = lc_build_placeholder(&b, "x", LC_FLOAT32, c->in[n].dims, c->in[n].rank);
        b.graph->tensors[in[n]].bound = data[n];
        lc_graph_add_input(b.graph, in[n], err);
    }
    const int32_t y = c->make(&b, in, c->with);
    lc_shape s;
    assert_true(lc_build_shape(&b, y, &s));
    uint64_t count;
    assert_true(lc_shape_elements(&s, &count));
    float *r = lc_build_data(&b, (size_t)count * sizeof *r);
    for (uint64_t i = 0; i < count; i++) r[i] = sinf((float)i * 1.7f + 1) + 0.3f;
    const int32_t weights = lc_build_const(&b, "r", LC_FLOAT32, s.dims, s.rank, r, (size_t)count * sizeof *r, true);
    if (grads) {
        const lc_grad_seed seed = {y, weights};
        lc_grad_append(&b, &seed, 1, in, n, d);
        for (uint32_t i = 0; i < n && b.status == LC_OK; i++) {
            assert_true(d[i] >= 0);
            if (lc_tensor_is_const(&b.graph->tensors[d[i]]) || b.graph->tensors[d[i]].bound)
                d[i] = lc_build_reshape(&b, d[i], c->in[i].dims, c->in[i].rank);
            b.graph->tensors[d[i]].bound = gradient[i];
            lc_graph_add_output(b.graph, d[i], err);
        }
    } else {
        const int32_t product = lc_build_binary(&b, LC_OP_MUL, y, weights, LC_ActivationFunctionType_NONE);
        int32_t axes[LC_MAX_RANK];
        for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
        lc_graph_add_output(b.graph, lc_build_reduce(&b, LC_OP_SUM, product, axes, (uint32_t)s.rank, false), err);
    }
    if (b.status != LC_OK) fail_msg("%s: %s", c->name, err->message);
    return model;
}

static void check(const sample *c, const char *isa, int32_t threads) {
    lc_error err = {0};
    lc_session *forward = NULL, *backward = NULL;
    uint32_t n = 0;
    if (c->op >= 0) seen[c->op] = true;
    for (; n < MOST && c->in[n].rank; n++) fill(c, n);
    lc_model *f = graph_of(c, false, &err), *b = graph_of(c, true, &err);
    const lc_session_options o = {.isa = isa, .threads = threads};
    if (lc_session_create(f, &o, &forward, &err) || lc_session_create(b, &o, &backward, &err)) fail_msg("%s: %s", c->name, err.message);
    memset(gradient, 0xff, sizeof gradient);
    assert_int_equal(lc_session_run(backward, &err), LC_OK);
    const float h = c->apart ? c->apart / 12 : 1e-2f;
    for (uint32_t i = 0; i < n; i++)
        for (size_t k = 0, m = elements(&c->in[i]), step = m > 40 ? m / 40 : 1; k < m; k += step) {
            const float x = data[i][k];
            double l[2];
            for (int side = 0; side < 2; side++) {
                data[i][k] = side ? x + h : x - h;
                assert_int_equal(lc_session_run(forward, &err), LC_OK);
                l[side] = *(const float *)lc_session_output(forward, 0).data;
            }
            data[i][k] = x;
            const double wanted = (l[1] - l[0]) / (2 * (double)h), got = (double)gradient[i][k];
            if (!(fabs(got - wanted) <= 2e-2 * (1 + fabs(wanted))))
                fail_msg("%s (%s): d input %u [%zu] is %g, finite differences say %g", c->name, isa, i, k, got, wanted);
        }
    lc_session_destroy(forward);
    lc_session_destroy(backward);
    lc_model_destroy(f);
    lc_model_destroy(b);
}

/* ---- makers --------------------------------------------------------------------------------------------------------- */

static int32_t unary(lc_builder *b, const int32_t *in, const void *with) { return lc_build_unary(b, *(const int32_t *)with, in[0]); }
static int32_t binary(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_binary(b, *(const int32_t *)with, in[0], in[1], LC_ActivationFunctionType_NONE);
}
static int32_t binary_relu(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_binary(b, *(const int32_t *)with, in[0], in[1], LC_ActivationFunctionType_RELU);
}
static int32_t add_n(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_ADD_N, LC_TABLE_AddNOptions, NULL, in, 3);
}
static int32_t power(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_POW, LC_TABLE_PowOptions, NULL, in, 2);
}
static int32_t leaky(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_LEAKY_RELU, LC_TABLE_LeakyReluOptions, &(lc_LeakyReluOptions){.alpha = 0.3f}, in, 1);
}
static int32_t prelu(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_PRELU, LC_TABLE_NONE, NULL, in, 2);
}
static int32_t gelu(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_op(b, LC_OP_GELU, LC_TABLE_GeluOptions, &(lc_GeluOptions){.approximate = with != NULL}, in, 1);
}
static int32_t softmax(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1.5f}, in, 1);
}
static int32_t reduce(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_reduce(b, *(const int32_t *)with, in[0], (const int32_t[]){0, 2}, 2, false);
}
static int32_t reduce_kept(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_reduce(b, *(const int32_t *)with, in[0], (const int32_t[]){-1}, 1, true);
}
static int32_t reshape(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_unary(b, LC_OP_SQUARE, lc_build_reshape(b, in[0], (const int32_t[]){4, 6}, 2));
}
static int32_t squeeze(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_unary(b, LC_OP_SQUARE, lc_build_op(b, LC_OP_SQUEEZE, LC_TABLE_SqueezeOptions, NULL, in, 1));
}
static int32_t expand(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t axis = 1, of[2] = {in[0], lc_build_ints(b, "axis", &axis, 1)};
    return lc_build_unary(b, LC_OP_SQUARE, lc_build_op(b, LC_OP_EXPAND_DIMS, LC_TABLE_ExpandDimsOptions, NULL, of, 2));
}
static int32_t transpose(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_transpose(b, in[0], (const int32_t[]){2, 0, 1}, 3);
}
static int32_t concat(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &(lc_ConcatenationOptions){.axis = -2}, in, 3);
}
static int32_t pack(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_op(b, LC_OP_PACK, LC_TABLE_PackOptions, &(lc_PackOptions){.axis = 1, .values_count = 2}, in, 2);
}
static int32_t unpack(lc_builder *b, const int32_t *in, const void *with) {
    int32_t out[3];
    (void)with;
    lc_build_op_multi(b, LC_OP_UNPACK, LC_TABLE_UnpackOptions, &(lc_UnpackOptions){.axis = 1, .num = 3}, in, 1, out, 3);
    return lc_build_binary(b, LC_OP_MUL, out[0], out[2], LC_ActivationFunctionType_NONE); /* nothing comes from the second */
}
static int32_t split(lc_builder *b, const int32_t *in, const void *with) {
    int32_t out[2];
    (void)with;
    const int32_t axis = -1, of[2] = {lc_build_ints(b, "axis", &axis, 1), in[0]};
    lc_build_op_multi(b, LC_OP_SPLIT, LC_TABLE_SplitOptions, &(lc_SplitOptions){.num_splits = 2}, of, 2, out, 2);
    return lc_build_binary(b, LC_OP_MUL, out[0], out[1], LC_ActivationFunctionType_NONE);
}
static int32_t split_v(lc_builder *b, const int32_t *in, const void *with) {
    int32_t out[2];
    (void)with;
    const int32_t axis = 1, of[3] = {in[0], lc_build_ints(b, "sizes", (const int32_t[]){1, 2}, 2), lc_build_ints(b, "axis", &axis, 1)};
    lc_build_op_multi(b, LC_OP_SPLIT_V, LC_TABLE_SplitVOptions, &(lc_SplitVOptions){.num_splits = 2}, of, 3, out, 2);
    return lc_build_binary(b, LC_OP_MUL, out[0], out[1], LC_ActivationFunctionType_NONE);
}
static int32_t slice(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[3] = {in[0], lc_build_ints(b, "begin", (const int32_t[]){0, 1, 1}, 3),
                           lc_build_ints(b, "size", (const int32_t[]){2, 2, -1}, 3)};
    return lc_build_op(b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, of, 3);
}
static int32_t strided(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[4] = {in[0], lc_build_ints(b, "begin", (const int32_t[]){0, 2, 3}, 3),
                           lc_build_ints(b, "end", (const int32_t[]){2, 0, 0}, 3),
                           lc_build_ints(b, "strides", (const int32_t[]){1, -1, -2}, 3)};
    return lc_build_op(b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &(lc_StridedSliceOptions){.shrink_axis_mask = 1}, of, 4);
}
static int32_t pad(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[2] = {in[0], lc_build_int_matrix(b, "pads", (const int32_t[]){0, 1, 2, 0, 1, 1}, 3, 2)};
    return lc_build_op(b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, of, 2);
}
static int32_t pad_v2(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[3] = {in[0], lc_build_int_matrix(b, "pads", (const int32_t[]){0, 1, 2, 0, 1, 1}, 3, 2), lc_build_scalar(b, "v", 3)};
    return lc_build_op(b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, of, 3);
}
static int32_t gather(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[2] = {in[0], lc_build_ints(b, "rows", (const int32_t[]){2, 0, 2, 1}, 4)};
    return lc_build_op(b, LC_OP_GATHER, LC_TABLE_GatherOptions, &(lc_GatherOptions){.axis = 1}, of, 2);
}
static int32_t lookup(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[2] = {lc_build_ints(b, "rows", (const int32_t[]){1, 1, 0, 3}, 4), in[0]};
    return lc_build_op(b, LC_OP_EMBEDDING_LOOKUP, LC_TABLE_NONE, NULL, of, 2);
}
static int32_t select_(lc_builder *b, const int32_t *in, const void *with) {
    const int32_t zero = lc_build_scalar(b, "zero", 0);
    const int32_t mask = lc_build_op(b, LC_OP_GREATER, LC_TABLE_NONE, NULL, (const int32_t[]){in[0], zero}, 2);
    const int32_t y = lc_build_op(b, *(const int32_t *)with, LC_TABLE_NONE, NULL, (const int32_t[]){mask, in[0], in[1]}, 3);
    return y;
}
static int32_t cast(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    return lc_build_typed(b, LC_OP_CAST, LC_TABLE_CastOptions, &(lc_CastOptions){.in_data_type = LC_FLOAT32, .out_data_type = LC_FLOAT32},
                          in, 1, LC_FLOAT32);
}
static int32_t dense(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const lc_FullyConnectedOptions o = {.keep_num_dims = true};
    return lc_build_op(b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
}
static int32_t matmul(lc_builder *b, const int32_t *in, const void *with) {
    const int32_t how = *(const int32_t *)with;
    const lc_BatchMatMulOptions o = {.adj_x = how & 1, .adj_y = (how & 2) != 0};
    return lc_build_op(b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2);
}
static int32_t conv(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, with, in, 3);
}
static int32_t depthwise(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_op(b, LC_OP_DEPTHWISE_CONV_2D, LC_TABLE_DepthwiseConv2DOptions, with, in, 3);
}
static int32_t max_pool(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_op(b, LC_OP_MAX_POOL_2D, LC_TABLE_Pool2DOptions, with, in, 1);
}
static int32_t average_pool(lc_builder *b, const int32_t *in, const void *with) {
    return lc_build_op(b, LC_OP_AVERAGE_POOL_2D, LC_TABLE_Pool2DOptions, with, in, 1);
}
/* Any operator of floats, and of whole numbers that are known: vectors or matrices, before the floats or behind them. */
typedef struct made {
    int32_t op;
    lc_table_id table;
    const void *options;
    struct {
        const int32_t *values;
        int32_t n, cols;
    } ints[2];
    bool first;
} made;
static int32_t make(lc_builder *b, const int32_t *in, const void *with) {
    const made *m = with;
    int32_t of[MOST + 2], known[2];
    uint32_t n = 0, n_known = 0, floats = b->graph->input_count < MOST ? (uint32_t)b->graph->input_count : MOST;
    for (uint32_t i = 0; i < 2 && m->ints[i].values; i++)
        known[n_known++] = m->ints[i].cols ? lc_build_int_matrix(b, "n", m->ints[i].values, m->ints[i].n, m->ints[i].cols)
                                           : lc_build_ints(b, "n", m->ints[i].values, (uint32_t)m->ints[i].n);
    for (uint32_t i = 0; m->first && i < n_known; i++) of[n++] = known[i];
    for (uint32_t i = 0; i < floats; i++) of[n++] = in[i];
    for (uint32_t i = 0; !m->first && i < n_known; i++) of[n++] = known[i];
    return lc_build_op(b, m->op, m->table, m->options, of, n);
}
static int32_t scatter(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[3] = {lc_build_int_matrix(b, "at", (const int32_t[]){2, 0, 2}, 3, 1), in[0],
                           lc_build_ints(b, "shape", (const int32_t[]){4, 2}, 2)};
    return lc_build_op(b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, of, 3);
}
static int32_t dilate(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t of[3] = {in[0], lc_build_ints(b, "by", (const int32_t[]){1, 2, 3}, 3), lc_build_scalar(b, "between", 4)};
    return lc_build_op(b, LC_OP_DILATE, LC_TABLE_DilateOptions, NULL, of, 3);
}
static int32_t top(lc_builder *b, const int32_t *in, const void *with) {
    int32_t out[2];
    const int32_t k = 2, of[2] = {in[0], lc_build_const(b, "k", LC_INT32, NULL, 0, with, sizeof k, false)};
    lc_build_op_multi(b, LC_OP_TOPK_V2, LC_TABLE_TopKV2Options, NULL, of, 2, out, 2);
    return out[0];
}
/* Some numbers are 0: one of a product, two of another. */
static int32_t product_with_zeros(lc_builder *b, const int32_t *in, const void *with) {
    static const float keep[] = {1, 1, 1, 1, 0, 1, 0, 1, 0};
    const int32_t mask = lc_build_const(b, "keep", LC_FLOAT32, (const int32_t[]){3, 3}, 2, keep, sizeof keep, false);
    (void)with;
    return reduce_kept(b, (const int32_t[]){lc_build_binary(b, LC_OP_MUL, in[0], mask, LC_ActivationFunctionType_NONE)},
                       &(const int32_t){LC_OP_REDUCE_PROD});
}
static int32_t batch_norm(lc_builder *b, const int32_t *in, const void *with) {
    int32_t out[3];
    (void)with;
    lc_build_own(b, &lc_own_BATCH_NORM, &(lc_batch_norm_options){0.1f}, sizeof(lc_batch_norm_options), in, 3, out, 3);
    return out[0];
}
/* One tensor read by several operators: what they give is added. */
static int32_t shared(lc_builder *b, const int32_t *in, const void *with) {
    (void)with;
    const int32_t a = lc_build_unary(b, LC_OP_TANH, in[0]), c = lc_build_binary(b, LC_OP_MUL, a, in[0], LC_ActivationFunctionType_NONE);
    return lc_build_binary(b, LC_OP_ADD, lc_build_binary(b, LC_OP_MUL, c, a, LC_ActivationFunctionType_NONE), a,
                           LC_ActivationFunctionType_NONE);
}

#define OP(ID) #ID, LC_OP_##ID
#define WITH(ID) \
    &(const int32_t) { LC_OP_##ID }
#define S(...) \
    { \
        sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t), { __VA_ARGS__ } \
    }
#define CONV(...) \
    &(const lc_Conv2DOptions) { __VA_ARGS__ }
#define DEPTHWISE(...) \
    &(const lc_DepthwiseConv2DOptions) { __VA_ARGS__ }
#define POOL(...) \
    &(const lc_Pool2DOptions) { __VA_ARGS__ }
#define INTS(...) \
    { (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t), 0 }
#define PAIRS(...) \
    { (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t) / 2, 2 }
#define MADE(ID, id, set, ...) \
#ID, LC_OP_##ID, make, &(const made) { .op = LC_OP_##ID, .table = LC_TABLE_##id, .options = set, __VA_ARGS__ }
#define O(T, ...) \
    &(const lc_##T) { __VA_ARGS__ }
#define SAME LC_Padding_SAME
#define VALID LC_Padding_VALID
#define RELU LC_ActivationFunctionType_RELU

/* clang-format off */
static const sample cases[] = {
    {OP(ADD), binary, WITH(ADD), .in = {S(2, 3, 4), S(3, 1)}},
    {OP(ADD), binary_relu, WITH(ADD), .in = {S(2, 12), S(2, 12)}, .apart = 0.09f},
    {OP(SUB), binary, WITH(SUB), .in = {S(3, 4), S(2, 1, 4)}},
    {OP(MUL), binary, WITH(MUL), .in = {S(2, 3, 4), S(1)}},
    {OP(MUL), binary, WITH(MUL), .in = {S(4), S(2, 3, 4)}},
    {OP(DIV), binary, WITH(DIV), .in = {S(2, 5), S(5)}, .low = 0.5f, .high = 2},
    {OP(MAXIMUM), binary, WITH(MAXIMUM), .in = {S(2, 6), S(6)}, .apart = 0.2f},
    {OP(MINIMUM), binary, WITH(MINIMUM), .in = {S(2, 6), S(6)}, .apart = 0.2f},
    {OP(SQUARED_DIFFERENCE), binary, WITH(SQUARED_DIFFERENCE), .in = {S(2, 6), S(2, 1)}},
    {OP(POW), power, NULL, .in = {S(2, 3), S(3)}, .low = 0.4f, .high = 2},
    {OP(ADD_N), add_n, NULL, .in = {S(2, 3), S(2, 3), S(2, 3)}},
    {OP(RELU), unary, WITH(RELU), .in = {S(5, 5)}, .apart = 0.1f},
    {OP(RELU6), unary, WITH(RELU6), .in = {S(5, 8)}, .apart = 0.4f},
    {OP(RELU_N1_TO_1), unary, WITH(RELU_N1_TO_1), .in = {S(5, 8)}, .apart = 0.1f},
    {OP(RELU_0_TO_1), unary, WITH(RELU_0_TO_1), .in = {S(5, 8)}, .apart = 0.1f},
    {OP(LOGISTIC), unary, WITH(LOGISTIC), .in = {S(3, 5)}, .low = -4, .high = 4},
    {OP(TANH), unary, WITH(TANH), .in = {S(3, 5)}, .low = -2, .high = 2},
    {OP(ELU), unary, WITH(ELU), .in = {S(3, 5)}, .apart = 0.2f},
    {OP(LEAKY_RELU), leaky, NULL, .in = {S(3, 5)}, .apart = 0.2f},
    {OP(PRELU), prelu, NULL, .in = {S(2, 3, 4), S(3, 4)}, .apart = 0.1f},
    {OP(HARD_SWISH), unary, WITH(HARD_SWISH), .in = {S(5, 8)}, .apart = 0.21f},
    {OP(GELU), gelu, NULL, .in = {S(3, 5)}, .low = -3, .high = 3},
    {OP(GELU), gelu, "", .in = {S(3, 5)}, .low = -3, .high = 3},
    {OP(ABS), unary, WITH(ABS), .in = {S(3, 5)}, .apart = 0.2f},
    {OP(NEG), unary, WITH(NEG), .in = {S(3, 5)}},
    {OP(EXP), unary, WITH(EXP), .in = {S(3, 5)}},
    {OP(LOG), unary, WITH(LOG), .in = {S(3, 5)}, .low = 0.5f, .high = 3},
    {OP(SQRT), unary, WITH(SQRT), .in = {S(3, 5)}, .low = 0.5f, .high = 3},
    {OP(RSQRT), unary, WITH(RSQRT), .in = {S(3, 5)}, .low = 0.5f, .high = 3},
    {OP(SQUARE), unary, WITH(SQUARE), .in = {S(3, 5)}},
    {OP(SIN), unary, WITH(SIN), .in = {S(3, 5)}},
    {OP(COS), unary, WITH(COS), .in = {S(3, 5)}},
    {OP(SOFTMAX), softmax, NULL, .in = {S(3, 5)}, .low = -2, .high = 2},
    {OP(LOG_SOFTMAX), unary, WITH(LOG_SOFTMAX), .in = {S(3, 5)}, .low = -2, .high = 2},
    {OP(SUM), reduce, WITH(SUM), .in = {S(2, 3, 4)}},
    {OP(MEAN), reduce, WITH(MEAN), .in = {S(2, 3, 4)}},
    {OP(MEAN), reduce_kept, WITH(MEAN), .in = {S(2, 3, 4)}},
    {OP(REDUCE_MAX), reduce, WITH(REDUCE_MAX), .in = {S(2, 3, 4)}, .apart = 0.2f},
    {OP(REDUCE_MIN), reduce_kept, WITH(REDUCE_MIN), .in = {S(2, 3, 4)}, .apart = 0.2f},
    {OP(RESHAPE), reshape, NULL, .in = {S(2, 3, 4)}},
    {OP(SQUEEZE), squeeze, NULL, .in = {S(2, 1, 4)}},
    {OP(EXPAND_DIMS), expand, NULL, .in = {S(2, 4)}},
    {OP(TRANSPOSE), transpose, NULL, .in = {S(2, 3, 4)}},
    {OP(CONCATENATION), concat, NULL, .in = {S(2, 3, 4), S(2, 1, 4), S(2, 2, 4)}},
    {OP(PACK), pack, NULL, .in = {S(2, 3), S(2, 3)}},
    {OP(UNPACK), unpack, NULL, .in = {S(2, 3, 4)}},
    {OP(SPLIT), split, NULL, .in = {S(2, 3, 4)}},
    {OP(SPLIT_V), split_v, NULL, .in = {S(2, 3, 4)}},
    {OP(SLICE), slice, NULL, .in = {S(2, 3, 4)}},
    {OP(STRIDED_SLICE), strided, NULL, .in = {S(2, 3, 4)}},
    {OP(PAD), pad, NULL, .in = {S(2, 3, 4)}},
    {OP(PADV2), pad_v2, NULL, .in = {S(2, 3, 4)}},
    {OP(GATHER), gather, NULL, .in = {S(2, 3, 4)}},
    {OP(EMBEDDING_LOOKUP), lookup, NULL, .in = {S(4, 3)}},
    {OP(SELECT), select_, WITH(SELECT), .in = {S(3, 4), S(3, 4)}, .apart = 0.2f},
    {OP(SELECT_V2), select_, WITH(SELECT_V2), .in = {S(3, 4), S(4)}, .apart = 0.2f},
    {OP(CAST), cast, NULL, .in = {S(3, 4)}},
    {OP(FULLY_CONNECTED), dense, NULL, .in = {S(5, 7), S(3, 7), S(3)}},
    {OP(FULLY_CONNECTED), dense, NULL, .in = {S(2, 5, 7), S(20, 7), S(20)}},
    {OP(BATCH_MATMUL), matmul, &(const int32_t){0}, .in = {S(2, 3, 4), S(2, 4, 5)}},
    {OP(BATCH_MATMUL), matmul, &(const int32_t){1}, .in = {S(2, 4, 3), S(2, 4, 5)}},
    {OP(BATCH_MATMUL), matmul, &(const int32_t){2}, .in = {S(2, 3, 4), S(5, 4)}},
    {OP(BATCH_MATMUL), matmul, &(const int32_t){3}, .in = {S(1, 4, 3), S(2, 5, 4)}},
    {"CONV_2D same", LC_OP_CONV_2D, conv, CONV(.padding = SAME, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1),
     .in = {S(2, 5, 6, 3), S(4, 3, 3, 3), S(4)}},
    {"CONV_2D valid, relu", LC_OP_CONV_2D, conv, CONV(.padding = VALID, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1),
     .in = {S(1, 6, 5, 2), S(35, 2, 3, 2), S(35)}},
    {"CONV_2D strides", LC_OP_CONV_2D, conv, CONV(.padding = SAME, .stride_w = 2, .stride_h = 3, .dilation_w_factor = 1, .dilation_h_factor = 1),
     .in = {S(2, 7, 6, 3), S(4, 3, 2, 3), S(4)}},
    {"CONV_2D 1x1, strides", LC_OP_CONV_2D, conv, CONV(.padding = VALID, .stride_w = 2, .stride_h = 2, .dilation_w_factor = 1, .dilation_h_factor = 1),
     .in = {S(2, 6, 6, 3), S(4, 1, 1, 3), S(4)}},
    {"CONV_2D dilated", LC_OP_CONV_2D, conv, CONV(.padding = SAME, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 2, .dilation_h_factor = 3),
     .in = {S(1, 8, 7, 2), S(3, 3, 3, 2), S(3)}},
    {"CONV_2D groups", LC_OP_CONV_2D, conv, CONV(.padding = SAME, .stride_w = 2, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1),
     .in = {S(2, 4, 5, 6), S(4, 3, 3, 3), S(4)}},
    {"DEPTHWISE same", LC_OP_DEPTHWISE_CONV_2D, depthwise,
     DEPTHWISE(.padding = SAME, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1, .depth_multiplier = 1),
     .in = {S(2, 5, 6, 3), S(1, 3, 3, 3), S(3)}},
    {"DEPTHWISE multiplier, strides", LC_OP_DEPTHWISE_CONV_2D, depthwise,
     DEPTHWISE(.padding = VALID, .stride_w = 2, .stride_h = 2, .dilation_w_factor = 1, .dilation_h_factor = 1, .depth_multiplier = 2),
     .in = {S(2, 7, 6, 3), S(1, 3, 2, 6), S(6)}},
    {"DEPTHWISE dilated", LC_OP_DEPTHWISE_CONV_2D, depthwise,
     DEPTHWISE(.padding = SAME, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 2, .dilation_h_factor = 2, .depth_multiplier = 1),
     .in = {S(1, 6, 6, 2), S(1, 3, 3, 2), S(2)}},
    {"MAX_POOL valid", LC_OP_MAX_POOL_2D, max_pool, POOL(.padding = VALID, .stride_w = 2, .stride_h = 2, .filter_width = 2, .filter_height = 2),
     .in = {S(2, 4, 6, 3)}, .apart = 0.05f},
    {"MAX_POOL same, overlapping", LC_OP_MAX_POOL_2D, max_pool, POOL(.padding = SAME, .stride_w = 2, .stride_h = 2, .filter_width = 3, .filter_height = 3),
     .in = {S(2, 5, 6, 2)}, .apart = 0.05f},
    {"AVERAGE_POOL same", LC_OP_AVERAGE_POOL_2D, average_pool, POOL(.padding = SAME, .stride_w = 2, .stride_h = 1, .filter_width = 3, .filter_height = 2),
     .in = {S(2, 5, 6, 2)}},
    {OP(FLOOR_MOD), binary, WITH(FLOOR_MOD), .in = {S(2, 5), S(5)}, .low = 1.1f, .high = 1.9f},
    {OP(ATAN2), binary, WITH(ATAN2), .in = {S(2, 5), S(5)}, .low = 0.3f, .high = 2},
    {OP(REDUCE_PROD), reduce, WITH(REDUCE_PROD), .in = {S(2, 3, 2)}, .low = 0.5f, .high = 1.5f},
    {"REDUCE_PROD zeros", LC_OP_REDUCE_PROD, product_with_zeros, NULL, .in = {S(3, 3)}},
    {MADE(REVERSE_V2, ReverseV2Options, NULL, .ints = {INTS(0, 2)}), .in = {S(2, 3, 4)}},
    {MADE(REVERSE_SEQUENCE, ReverseSequenceOptions, O(ReverseSequenceOptions, .seq_dim = 1), .ints = {INTS(2, 3)}), .in = {S(2, 3, 4)}},
    {MADE(CUMSUM, CumsumOptions, NULL, .ints = {INTS(1)}), .in = {S(2, 3, 4)}},
    {MADE(CUMSUM, CumsumOptions, O(CumsumOptions, .exclusive = true, .reverse = true), .ints = {INTS(-1)}), .in = {S(2, 3, 4)}},
    {MADE(TILE, TileOptions, NULL, .ints = {INTS(2, 1, 3)}), .in = {S(2, 3, 4)}},
    {MADE(BROADCAST_TO, BroadcastToOptions, NULL, .ints = {INTS(2, 5, 4)}), .in = {S(5, 1)}},
    {MADE(SPACE_TO_DEPTH, SpaceToDepthOptions, O(SpaceToDepthOptions, .block_size = 2), .ints = {{0}}), .in = {S(1, 4, 6, 2)}},
    {MADE(DEPTH_TO_SPACE, DepthToSpaceOptions, O(DepthToSpaceOptions, .block_size = 2), .ints = {{0}}), .in = {S(1, 2, 3, 8)}},
    {MADE(SPACE_TO_BATCH_ND, SpaceToBatchNDOptions, NULL, .ints = {INTS(2, 2), PAIRS(1, 0, 0, 1)}), .in = {S(2, 3, 5, 2)}},
    {MADE(BATCH_TO_SPACE_ND, BatchToSpaceNDOptions, NULL, .ints = {INTS(2, 2), PAIRS(1, 0, 0, 1)}), .in = {S(8, 2, 3, 2)}},
    {OP(L2_NORMALIZATION), unary, WITH(L2_NORMALIZATION), .in = {S(3, 5)}},
    {MADE(LOCAL_RESPONSE_NORMALIZATION, LocalResponseNormalizationOptions,
          O(LocalResponseNormalizationOptions, .radius = 1, .bias = 1.5f, .alpha = 0.7f, .beta = 0.6f), .ints = {{0}}), .in = {S(1, 2, 2, 5)}},
    {MADE(MIRROR_PAD, MirrorPadOptions, O(MirrorPadOptions, .mode = LC_MirrorPadMode_REFLECT), .ints = {PAIRS(0, 0, 2, 1, 1, 3)}), .in = {S(2, 3, 4)}},
    {MADE(MIRROR_PAD, MirrorPadOptions, O(MirrorPadOptions, .mode = LC_MirrorPadMode_SYMMETRIC), .ints = {PAIRS(1, 0, 3, 1, 0, 4)}), .in = {S(2, 3, 4)}},
    {"DILATE", LC_OP_DILATE, dilate, NULL, .in = {S(2, 3, 4)}},
    {MADE(GATHER_ND, GatherNdOptions, NULL, .ints = {PAIRS(1, 2, 0, 0, 1, 2)}), .in = {S(2, 3, 4)}},
    {OP(SCATTER_ND), scatter, NULL, .in = {S(3, 2)}},
    {OP(TOPK_V2), top, &(const int32_t){2}, .in = {S(3, 5)}, .apart = 0.1f},
    {MADE(DYNAMIC_UPDATE_SLICE, DynamicUpdateSliceOptions, NULL, .ints = {INTS(1, 9)}), .in = {S(4, 5), S(2, 3)}},
    {MADE(SEGMENT_SUM, SegmentSumOptions, NULL, .ints = {INTS(0, 0, 1, 2)}), .in = {S(4, 3)}},
    {MADE(UNSORTED_SEGMENT_SUM, UnsortedSegmentSumOptions, NULL, .ints = {INTS(2, 0, -1, 2), INTS(3)}), .in = {S(4, 3)}},
    {MADE(UNSORTED_SEGMENT_MAX, UnsortedSegmentMaxOptions, NULL, .ints = {INTS(1, 0, 0, 1), INTS(2)}), .in = {S(4, 3)}, .apart = 0.1f},
    {MADE(UNSORTED_SEGMENT_MIN, UnsortedSegmentMinOptions, NULL, .ints = {INTS(1, 0, 0, 1), INTS(2)}), .in = {S(4, 3)}, .apart = 0.1f},
    {MADE(TRANSPOSE_CONV, TransposeConvOptions, O(TransposeConvOptions, .padding = SAME, .stride_w = 2, .stride_h = 2), .ints = {INTS(2, 6, 7, 3)}, .first = true),
     .in = {S(3, 3, 3, 2), S(2, 3, 4, 2), S(3)}},
    {MADE(TRANSPOSE_CONV, TransposeConvOptions, O(TransposeConvOptions, .padding = VALID, .stride_w = 1, .stride_h = 3),
          .ints = {INTS(1, 8, 5, 2)}, .first = true), .in = {S(2, 2, 3, 4), S(1, 3, 3, 4), S(2)}},
    {MADE(CONV_3D, Conv3DOptions, O(Conv3DOptions, .padding = SAME, .stride_d = 1, .stride_w = 1, .stride_h = 1, .dilation_d_factor = 1,
          .dilation_h_factor = 1, .dilation_w_factor = 1), .ints = {{0}}), .in = {S(2, 3, 4, 3, 2), S(2, 3, 2, 2, 3), S(3)}},
    {MADE(CONV_3D, Conv3DOptions, O(Conv3DOptions, .padding = VALID, .stride_d = 2, .stride_w = 1, .stride_h = 2, .dilation_d_factor = 1,
          .dilation_h_factor = 1, .dilation_w_factor = 2), .ints = {{0}}), .in = {S(1, 6, 5, 5, 2), S(3, 2, 2, 2, 3)}},
    {MADE(CONV_3D, Conv3DOptions, O(Conv3DOptions, .padding = SAME, .stride_d = 2, .stride_w = 2, .stride_h = 1, .dilation_d_factor = 1,
          .dilation_h_factor = 1, .dilation_w_factor = 1), .ints = {{0}}), .in = {S(1, 5, 4, 4, 1), S(3, 2, 3, 1, 2), S(2)}},
    {MADE(CONV_3D_TRANSPOSE, Conv3DOptions, O(Conv3DOptions, .padding = SAME, .stride_d = 2, .stride_w = 2, .stride_h = 1, .dilation_d_factor = 1,
          .dilation_h_factor = 1, .dilation_w_factor = 1), .ints = {INTS(1, 4, 3, 4, 2)}, .first = true), .in = {S(3, 2, 3, 2, 3), S(1, 2, 3, 2, 3), S(2)}},
    {MADE(RESIZE_BILINEAR, ResizeBilinearOptions, O(ResizeBilinearOptions, .half_pixel_centers = true), .ints = {INTS(6, 3)}), .in = {S(2, 3, 5, 2)}},
    {MADE(RESIZE_BILINEAR, ResizeBilinearOptions, O(ResizeBilinearOptions, .align_corners = true), .ints = {INTS(5, 7)}), .in = {S(1, 3, 4, 3)}},
    {MADE(RESIZE_NEAREST_NEIGHBOR, ResizeNearestNeighborOptions, O(ResizeNearestNeighborOptions, .half_pixel_centers = true), .ints = {INTS(6, 3)}), .in = {S(2, 3, 5, 2)}},
    {MADE(FAKE_QUANT, FakeQuantOptions, O(FakeQuantOptions, .min = -0.9f, .max = 1.1f, .num_bits = 16), .ints = {{0}}), .in = {S(3, 5)}, .apart = 0.3f},
    {"BATCH_NORM", -1, batch_norm, NULL, .in = {S(5, 2, 3), S(3), S(3)}},
    {"read by several", -1, shared, NULL, .in = {S(3, 5)}},
};
/* clang-format on */

static void against_finite_differences(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check(&cases[i], "ref", 1);
        check(&cases[i], NULL, 1);
        check(&cases[i], NULL, 3);
    }
}

/* Runs last: every operator of grad.def was met. */
static void every_rule_has_a_case(void **unused) {
    (void)unused;
    for (int32_t op = 0; op < LC_OP_COUNT; op++)
        if (lc_grad_rule(op) && !seen[op]) fail_msg("no case for the gradient of %s", lc_op_name(op));
}

/* Threads change who computes, not what. */
static void bits_do_not_depend_on_threads(void **unused) {
    (void)unused;
    static float once[MOST][4096];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_error err = {0};
        const sample *c = &cases[i];
        state = 5;
        for (uint32_t k = 0; k < MOST && c->in[k].rank; k++) fill(c, k);
        for (int32_t threads = 1; threads <= 4; threads++) {
            lc_model *b = graph_of(c, true, &err);
            lc_session *s;
            assert_int_equal(lc_session_create(b, &(lc_session_options){.threads = threads}, &s, &err), LC_OK);
            memset(gradient, 0, sizeof gradient);
            assert_int_equal(lc_session_run(s, &err), LC_OK);
            if (threads == 1) memcpy(once, gradient, sizeof once);
            else if (memcmp(once, gradient, sizeof once) != 0) fail_msg("%s: other bits with %d threads", c->name, threads);
            lc_session_destroy(s);
            lc_model_destroy(b);
        }
    }
}

static void an_operator_without_a_rule_is_named(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_model *model;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder b;
    lc_builder_init(&b, model, model->graphs[0], &err);
    b.layer = "sums";
    const int32_t dims[2] = {2, 3};
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, dims, 2);
    const int32_t y = lc_build_op(&b, LC_OP_MATRIX_DIAG, LC_TABLE_MatrixDiagOptions, NULL, &x, 1);
    const lc_grad_seed seed = {y, x};
    int32_t d;
    assert_int_equal(lc_grad_append(&b, &seed, 1, &x, 1, &d), LC_UNSUPPORTED);
    assert_non_null(strstr(err.message, "MATRIX_DIAG"));
    assert_non_null(strstr(err.message, "sums"));
    assert_non_null(strstr(err.hint, "freeze"));
    lc_model_destroy(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_finite_differences),
        cmocka_unit_test(every_rule_has_a_case),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(an_operator_without_a_rule_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
