/*
 * older.c: operators that a release's runtime lacks, in forms that it has. Not one of the passes: it runs once, last of all, on a model that is
 * to be written for that release, whose integer operators have been chosen for it already; what it rewrites has floats.
 *
 *   GELU               x LOGISTIC(x P(x x)): both of its kinds are such a product, with P of one degree or of six
 *   RELU_0_TO_1        RELU, then MINIMUM with 1
 *   TRANSPOSE_CONV     its activation, and for still older runtimes its bias, behind it
 *   SELECT_V2          SELECT, where nothing is broadcast
 *   BROADCAST_TO       times FILL(shape, 1)
 *
 * What has no older form stays, and is api/runtime_check.c's to name.
 */
#include "pass/pass.h"

#include "ops/build.h"

/* The output of what stands for the node; -1: nothing does, and nothing was built. */
typedef int32_t make(lc_builder *b, const lc_node *n, uint32_t release);

static const lc_tensor *in(const lc_builder *b, const lc_node *n, uint32_t k) {
    return k < n->input_count && n->inputs[k] >= 0 ? &b->graph->tensors[n->inputs[k]] : NULL;
}

static bool is(const lc_tensor *t, lc_dtype type) { return t && t->type == type; }

static bool lacks(const lc_graph *g, const lc_node *n, uint32_t release) {
    return lc_op_runtime_version(n->op, lc_op_version(g, n)) > release;
}

/* ---- forms ------------------------------------------------------------------------------------------------------------------- */

/* P of the exact kind: LOGISTIC(x P(x x)) is the normal distribution function within 2e-7, by a least-squares fit of litec's own; its last
 * coefficient is positive, so that beyond the fit the argument grows on. That of the other kind is sqrt(8 / pi) (1 + 0.044715 x x). */
static int32_t make_gelu(lc_builder *b, const lc_node *n, uint32_t release) {
    static const float exact[] = {1.595769286f,    7.266869396e-2f,  -6.782231503e-5f, -1.095635525e-4f,
                                  7.746133633e-6f, -2.505150292e-7f, 3.134567717e-9f};
    static const float tanh[] = {1.595769122f, 7.135481628e-2f};
    const bool approximate = LC_OP_ATTRS(n, GeluOptions)->approximate;
    const float *p = approximate ? tanh : exact;
    int degree = approximate ? 1 : 6;
    (void)release;
    if (!is(in(b, n, 0), LC_FLOAT32)) return -1;
    const int32_t x = n->inputs[0], square = lc_build_unary(b, LC_OP_SQUARE, x);
    const int32_t s = lc_build_with_scalar(b, LC_OP_MINIMUM, square, "far", 64); /* the polynomial of infinity is none */
    int32_t y = lc_build_with_scalar(b, LC_OP_MUL, s, "p", p[degree]);
    while (--degree > 0) y = lc_build_binary(b, LC_OP_MUL, lc_build_with_scalar(b, LC_OP_ADD, y, "p", p[degree]), s, 0);
    y = lc_build_binary(b, LC_OP_MUL, lc_build_with_scalar(b, LC_OP_ADD, y, "p", p[0]), x, 0);
    return lc_build_binary(b, LC_OP_MUL, lc_build_unary(b, LC_OP_LOGISTIC, y), x, 0);
}

static int32_t make_relu_01(lc_builder *b, const lc_node *n, uint32_t release) {
    (void)release;
    if (!is(in(b, n, 0), LC_FLOAT32)) return -1;
    return lc_build_with_scalar(b, LC_OP_MINIMUM, lc_build_unary(b, LC_OP_RELU, n->inputs[0]), "one", 1);
}

static int32_t make_transpose_conv(lc_builder *b, const lc_node *n, uint32_t release) {
    static const int16_t op_of[] = {[LC_ActivationFunctionType_RELU] = LC_OP_RELU,
                                    [LC_ActivationFunctionType_RELU_N1_TO_1] = LC_OP_RELU_N1_TO_1,
                                    [LC_ActivationFunctionType_RELU6] = LC_OP_RELU6,
                                    [LC_ActivationFunctionType_TANH] = LC_OP_TANH};
    const bool takes_bias = release >= lc_op_runtime_version(LC_OP_TRANSPOSE_CONV, 3);
    const int32_t bias = in(b, n, 3) ? n->inputs[3] : LC_ABSENT;
    lc_TransposeConvOptions o = *LC_OP_ATTRS(n, TransposeConvOptions);
    const int8_t act = o.fused_activation_function;
    if (!is(in(b, n, 1), LC_FLOAT32) || !is(in(b, n, 2), LC_FLOAT32) || act < 0 || act > LC_ActivationFunctionType_TANH) return -1;
    o.fused_activation_function = LC_ActivationFunctionType_NONE;
    const int32_t y = lc_build_op(b, LC_OP_TRANSPOSE_CONV, LC_TABLE_TransposeConvOptions, &o, n->inputs, takes_bias && bias >= 0 ? 4 : 3);
    if (bias >= 0 && !takes_bias) return lc_build_binary(b, LC_OP_ADD, y, bias, act);
    return act ? lc_build_unary(b, op_of[act], y) : y;
}

static int32_t make_select(lc_builder *b, const lc_node *n, uint32_t release) {
    (void)release;
    for (uint32_t k = 1; k < 3; k++) {
        const lc_tensor *a = in(b, n, 0), *c = in(b, n, k);
        if (!a || !c || a->rank != c->rank || !a->has_rank != !c->has_rank) return -1;
        for (int32_t d = 0; d < a->rank; d++)
            if (lc_tensor_dim(a, d) != lc_tensor_dim(c, d)) return -1;
    }
    return lc_build_op(b, LC_OP_SELECT, LC_TABLE_SelectOptions, NULL, n->inputs, 3);
}

static int32_t make_broadcast(lc_builder *b, const lc_node *n, uint32_t release) {
    enum { KERNEL_RANK = 4 }; /* that MUL's kernels broadcast */
    const lc_tensor *x = in(b, n, 0);
    const int32_t rank = n->outputs[0] >= 0 ? b->graph->tensors[n->outputs[0]].rank : 0;
    static const int32_t one = 1;
    (void)release;
    if (rank < 1 || rank > KERNEL_RANK || !is(in(b, n, 1), LC_INT32) || !(is(x, LC_FLOAT32) || is(x, LC_INT32))) return -1;
    const int32_t value =
        is(x, LC_FLOAT32) ? lc_build_scalar(b, "one", 1) : lc_build_const(b, "one", LC_INT32, NULL, 0, &one, sizeof one, false);
    const int32_t ones = lc_build_op(b, LC_OP_FILL, LC_TABLE_FillOptions, NULL, (int32_t[]){n->inputs[1], value}, 2);
    return lc_build_binary(b, LC_OP_MUL, n->inputs[0], ones, LC_ActivationFunctionType_NONE);
}

static const struct {
    int32_t op;
    make *make;
} forms[] = {{LC_OP_GELU, make_gelu},
             {LC_OP_RELU_0_TO_1, make_relu_01},
             {LC_OP_TRANSPOSE_CONV, make_transpose_conv},
             {LC_OP_SELECT_V2, make_select},
             {LC_OP_BROADCAST_TO, make_broadcast}};

/* ---- a graph ------------------------------------------------------------------------------------------------------------------- */

/* *made: nodes that stand for this one are the graph's last. */
static lc_status rewrite(lc_builder *b, const lc_node *n, uint32_t release, bool *made) {
    *made = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].op != n->op || n->output_count != 1 || !lacks(b->graph, n, release)) continue;
        b->layer = n->layer;
        const int32_t out = forms[i].make(b, n, release);
        if (b->status) return b->status;
        if (out < 0) return LC_OK;
        b->graph->nodes[b->graph->node_count - 1].outputs[0] = n->outputs[0];
        *made = true;
    }
    return LC_OK;
}

static lc_status rewrite_graph(lc_builder *b, const lc_node *nodes, size_t count, uint32_t release, bool *changed) {
    for (size_t i = 0; i < count; i++) {
        lc_node *copy;
        bool made;
        if (nodes[i].op == LC_NODE_DEAD) continue;
        LC_TRY(rewrite(b, &nodes[i], release, &made));
        *changed |= made;
        if (made) continue;
        LC_TRY(lc_graph_add_node(b->graph, nodes[i].op, LC_TABLE_NONE, NULL, NULL, 0, NULL, 0, &copy, b->err));
        *copy = nodes[i];
    }
    return LC_OK;
}

lc_status lc_pass_older(lc_model *model, uint32_t release, bool *changed, lc_error *err) {
    *changed = false;
    for (size_t i = 0; i < model->graph_count; i++) {
        lc_graph *g = model->graphs[i];
        lc_node *nodes = g->nodes;
        const size_t count = g->node_count, capacity = g->node_capacity;
        bool here = false;
        lc_builder b;
        lc_builder_init(&b, model, g, err);
        g->nodes = NULL;
        g->node_count = g->node_capacity = 0;
        const lc_status status = rewrite_graph(&b, nodes, count, release, &here);
        if (status || !here) {
            g->nodes = nodes;
            g->node_count = count;
            g->node_capacity = capacity;
        }
        LC_TRY(status);
        *changed |= here;
        if (here) LC_TRY(lc_graph_compact(g, err));
    }
    return LC_OK;
}
