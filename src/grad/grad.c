/*
 * grad.c: the walk from the loss back to the variables. The idea is in grad.h.
 *
 *   1. forward, once: which tensors depend on a variable (`needs`); what does not needs no gradient and costs nothing
 *   2. backward, once: each operator whose outputs have a gradient and whose inputs need one appends its rule. A fused activation is taken off
 *      first, so rules see the plain operator
 *
 * A tensor that several operators read has as many gradients, which are added in the order the walk meets them: the same for every run.
 */
#include "grad/grad.h"

#include <string.h>

static const lc_grad_fn rules[LC_OP_COUNT] = {
#define LC_GRAD(ID) [LC_OP_##ID] = lc_grad_##ID,
#define LC_GRAD_ZERO(ID)
#include "grad/grad.def"
};
static const bool zero[LC_OP_COUNT] = {
#define LC_GRAD(ID)
#define LC_GRAD_ZERO(ID) [LC_OP_##ID] = true,
#include "grad/grad.def"
};

lc_grad_fn lc_grad_rule(int32_t op) { return op >= 0 && op < LC_OP_COUNT ? rules[op] : NULL; }

typedef struct walk {
    lc_builder *b;
    size_t tensors, nodes; /* of the forward graph */
    bool *needs;           /* [tensors] */
    int32_t *d;            /* [tensors] gradient, -1: none yet */
    lc_arena arena;
} walk;

static bool is_float(const lc_tensor *t) { return t->type == LC_FLOAT32; }

/* Gradients flow through this node at all: TensorFlow stops them at whole numbers and truth values too. */
static bool flows(const lc_node *node) { return !(node->op < LC_OP_COUNT && zero[node->op]); }

static void find_needs(walk *w, const int32_t *wrt, uint32_t n) {
    const lc_graph *g = w->b->graph;
    for (uint32_t i = 0; i < n; i++) w->needs[wrt[i]] = true;
    for (size_t k = 0; k < w->nodes; k++) {
        const lc_node *node = &g->nodes[k];
        bool any = false;
        for (uint32_t i = 0; i < node->input_count; i++) any |= node->inputs[i] >= 0 && w->needs[node->inputs[i]];
        if (!any || !flows(node)) continue;
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0 && is_float(&g->tensors[node->outputs[i]])) w->needs[node->outputs[i]] = true;
    }
}

static void add_to(walk *w, int32_t tensor, int32_t gradient) {
    if (gradient < 0 || w->b->status != LC_OK) return;
    int32_t *d = &w->d[tensor];
    *d = *d < 0 ? gradient : lc_build_binary(w->b, LC_OP_ADD, *d, gradient, LC_GRAD_NO_ACT);
}

static void refuse(walk *w, const lc_node *node) {
    lc_build_fail(w->b, LC_UNSUPPORTED, "litec knows no gradient of %s%s%.*s", lc_op_name(node->op), node->custom_code.size ? " " : "",
                  (int)(node->custom_code.size < 80 ? node->custom_code.size : 80), node->custom_code.size ? node->custom_code.data : "");
    lc_build_hint(w->b, "freeze this layer and all before it (trainable = false), so that nothing has to be learned through it");
}

/* One operator; `node` is a copy. */
static void step(walk *w, const lc_node *node) {
    bool any_in = false, any_out = false;
    const uint32_t n_in = node->input_count, n_out = node->output_count;
    for (uint32_t i = 0; i < n_in; i++) any_in |= node->inputs[i] >= 0 && w->needs[node->inputs[i]];
    for (uint32_t i = 0; i < n_out; i++) any_out |= node->outputs[i] >= 0 && w->d[node->outputs[i]] >= 0;
    if (!any_in || !any_out || !flows(node)) return;
    w->b->layer = node->layer;
    const lc_grad_fn rule = node->own ? node->own->grad : lc_grad_rule(node->op);
    if (!rule) {
        refuse(w, node);
        return;
    }
    int32_t *d_out = lc_arena_array(&w->arena, n_out, sizeof *d_out), *d_in = lc_arena_array(&w->arena, n_in, sizeof *d_in);
    bool *wants = lc_arena_array(&w->arena, n_in, sizeof *wants);
    if (!d_out || !d_in || !wants) {
        lc_build_check(w->b, lc_fail_memory(w->b->err, "gradients"));
        return;
    }
    lc_grad g = {.b = w->b, .node = node, .in = node->inputs, .out = node->outputs, .in_count = n_in, .out_count = n_out};
    for (uint32_t i = 0; i < n_out; i++) d_out[i] = node->outputs[i] < 0 ? -1 : w->d[node->outputs[i]];
    for (uint32_t i = 0; i < n_in; i++) d_in[i] = -1, wants[i] = node->inputs[i] >= 0 && w->needs[node->inputs[i]];
    g.d_out = d_out, g.d_in = d_in, g.wants = wants;
    const int8_t *fused = node->own ? NULL : lc_op_fused_act(node);
    if (fused) d_out[0] = lc_grad_activation(&g, *fused, d_out[0], node->outputs[0]);
    rule(&g);
    for (uint32_t i = 0; i < n_in; i++)
        if (wants[i]) add_to(w, node->inputs[i], d_in[i]);
}

lc_status lc_grad_append(lc_builder *b, const lc_grad_seed *seeds, uint32_t seed_count, const int32_t *wrt, uint32_t n, int32_t *grads) {
    for (uint32_t i = 0; i < n; i++) grads[i] = -1;
    if (b->status != LC_OK) return b->status;
    walk w = {.b = b, .tensors = b->graph->tensor_count, .nodes = b->graph->node_count};
    w.needs = lc_arena_array(&w.arena, w.tensors, sizeof *w.needs);
    w.d = lc_arena_array(&w.arena, w.tensors, sizeof *w.d);
    const char *layer = b->layer, *kind = b->kind;
    b->kind = NULL;
    if (!w.needs || !w.d) {
        lc_build_check(b, lc_fail_memory(b->err, "gradients"));
    } else {
        memset(w.d, -1, w.tensors * sizeof *w.d);
        find_needs(&w, wrt, n);
        for (uint32_t i = 0; i < seed_count; i++) add_to(&w, seeds[i].tensor, seeds[i].gradient);
        for (size_t k = w.nodes; k-- > 0 && b->status == LC_OK;) {
            const lc_node node = b->graph->nodes[k];
            step(&w, &node);
        }
        for (uint32_t i = 0; i < n; i++) grads[i] = w.d[wrt[i]];
    }
    b->layer = layer, b->kind = kind;
    lc_arena_deinit(&w.arena);
    return b->status;
}

/* ---- for rules ------------------------------------------------------------------------------------------------------ */

void lc_grad_refuse(lc_grad *g, const char *what) {
    lc_build_fail(g->b, LC_UNSUPPORTED, "litec knows no gradient of %s with %s", lc_op_name(g->node->op), what);
    lc_build_hint(g->b, "freeze this layer and all before it (trainable = false), so that nothing has to be learned through it");
}

void lc_grad_window(lc_grad *g, int32_t like, int32_t filter, lc_window_options *w) {
    lc_shape s, f;
    if (!lc_build_shape(g->b, like, &s)) return;
    w->rank = s.rank;
    memcpy(w->dims, s.dims, (size_t)s.rank * sizeof *s.dims);
    if (filter < 0 || !lc_build_shape(g->b, filter, &f)) return;
    w->filter_h = f.dims[1], w->filter_w = f.dims[2];
}

int32_t lc_grad_reshape_like(lc_grad *g, int32_t x, int32_t like) {
    lc_shape a, s;
    if (!lc_build_shape(g->b, x, &a) || !lc_build_shape(g->b, like, &s)) return -1;
    return lc_shape_equal(&a, &s) ? x : lc_build_reshape(g->b, x, s.dims, s.rank);
}

int32_t lc_grad_sum_to(lc_grad *g, int32_t dy, int32_t like) {
    lc_shape d, s;
    if (!lc_build_shape(g->b, dy, &d) || !lc_build_shape(g->b, like, &s)) return -1;
    if (lc_shape_equal(&d, &s)) return dy;
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    const int32_t shift = d.rank - s.rank;
    for (int32_t i = 0; i < d.rank; i++)
        if (i < shift || (s.dims[i - shift] == 1 && d.dims[i] != 1)) axes[n++] = i;
    if (n) dy = lc_build_reduce(g->b, LC_OP_SUM, dy, axes, n, true);
    return lc_grad_reshape_like(g, dy, like);
}

int32_t lc_grad_part(lc_grad *g, int32_t x, const int32_t *begin, const int32_t *size, int32_t rank) {
    const int32_t in[3] = {x, lc_build_ints(g->b, "begin", begin, (uint32_t)rank), lc_build_ints(g->b, "size", size, (uint32_t)rank)};
    return lc_build_op(g->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

int32_t lc_grad_matmul(lc_grad *g, int32_t x, bool adj_x, int32_t y, bool adj_y) {
    const lc_BatchMatMulOptions o = {.adj_x = adj_x, .adj_y = adj_y};
    return lc_build_op(g->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, (const int32_t[]){x, y}, 2);
}

int32_t lc_grad_bias(lc_grad *g, int32_t dy) {
    lc_shape s;
    if (!lc_build_shape(g->b, dy, &s)) return -1;
    int32_t axes[LC_MAX_RANK];
    for (int32_t i = 0; i < s.rank; i++) axes[i] = i;
    return s.rank > 1 ? lc_build_reduce(g->b, LC_OP_SUM, dy, axes, (uint32_t)s.rank - 1, false) : dy;
}

int32_t lc_grad_activation(lc_grad *g, int8_t fused, int32_t dy, int32_t y) {
    lc_activation_options o = {0};
    if (dy < 0) return dy;
    if (fused == LC_ActivationFunctionType_NONE) return dy;
    else if (fused == LC_ActivationFunctionType_RELU) o.kind = LC_ACT_RELU;
    else if (fused == LC_ActivationFunctionType_RELU6) o.kind = LC_ACT_RELU6;
    else if (fused == LC_ActivationFunctionType_RELU_N1_TO_1) o.kind = LC_ACT_RELU_N1_TO_1;
    else if (fused == LC_ActivationFunctionType_TANH) o.kind = LC_ACT_TANH;
    else return lc_grad_refuse(g, "its fused activation"), -1;
    return lc_build_own_one(g->b, &lc_own_ACTIVATION_GRAD, &o, sizeof o, (const int32_t[]){dy, y}, 2);
}

bool lc_grad_ints_max(lc_grad *g, uint32_t i, int32_t *values, uint32_t most, int32_t *n) {
    const lc_tensor *t = lc_build_tensor(g->b, g->in[i]);
    if (!t) return false;
    lc_infer_tensor in = {.present = true, .type = t->type, .data = t->data, .size = t->size};
    int64_t wide[2 * LC_MAX_RANK];
    uint32_t count = most;
    if (t->rank <= LC_MAX_RANK) {
        in.shape.rank = t->rank;
        for (int32_t d = 0; d < t->rank; d++) in.shape.dims[d] = t->dims[d];
        if (lc_infer_ints(&in, wide, &count)) {
            for (uint32_t k = 0; k < count; k++) values[k] = (int32_t)wide[k];
            *n = (int32_t)count;
            return true;
        }
    }
    lc_grad_refuse(g, "an axis or size that is computed");
    return false;
}

bool lc_grad_ints(lc_grad *g, uint32_t i, int32_t values[LC_MAX_RANK], int32_t *n) {
    return lc_grad_ints_max(g, i, values, LC_MAX_RANK, n);
}
