/*
 * rnn.c: UNIDIRECTIONAL_SEQUENCE_RNN, which has no integer form, as a loop of operators that have one. It is done where only integers are wanted,
 * before the model is calibrated; else the operator keeps float activations, and its weights alone become int8 (weights.c).
 *
 *   z = FULLY_CONNECTED(x, W, b)               all rows at once
 *   y = z - z                                  zeros of the output's shape, whatever the batch and the length are
 *   WHILE i < rows of z:                       i, h, y, z
 *       h = act(z[i] + FULLY_CONNECTED(h, R))
 *       y = DYNAMIC_UPDATE_SLICE(y, h, i)
 *
 * Stays what it is: an operator whose state goes on from run to run (nothing writes it in front) or is read behind it, whose weights are not
 * constant floats, or whose activation is none of RELU, RELU6, RELU_N1_TO_1 and TANH.
 */
#include "quant/quant.h"

#include "ops/build.h"
#include "ops/rnn.h"

enum { COUNT, HIDDEN, ROWS, SUMS, VALUES }; /* what the loop carries */

typedef struct work {
    lc_builder b;
    lc_graph *graph;
    lc_node node; /* a copy */
    lc_rnn_slots slot;
    lc_shape shape[VALUES];
    bool time_major;
    int8_t activation;
} work;

static const lc_tensor *operand(const lc_graph *g, const lc_node *n, int32_t slot) {
    return slot >= 0 && (uint32_t)slot < n->input_count && n->inputs[slot] >= 0 ? &g->tensors[n->inputs[slot]] : NULL;
}

static bool is_weights(const lc_tensor *t, int32_t rank) {
    return t && t->type == LC_FLOAT32 && lc_tensor_is_const(t) && !t->sparsity && t->rank == rank;
}

static bool is_written(const lc_graph *g, size_t before, int32_t tensor) {
    for (size_t i = 0; i < before; i++)
        for (uint32_t k = 0; k < g->nodes[i].output_count; k++)
            if (g->nodes[i].op != LC_NODE_DEAD && g->nodes[i].outputs[k] == tensor) return true;
    return false;
}

static bool can_be_loop(const lc_graph *g, size_t at) {
    const lc_node *n = &g->nodes[at];
    if (n->op != LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN || n->output_count != 1 || n->outputs[0] < 0) return false;
    const lc_rnn_slots s = lc_rnn_slots_of(n, false, false, false);
    const lc_tensor *x = operand(g, n, s.input), *h = operand(g, n, s.hidden);
    const int8_t act = LC_OP_ATTRS(n, SequenceRNNOptions)->fused_activation_function;
    return x && x->type == LC_FLOAT32 && !lc_tensor_is_const(x) && x->rank == 3 && h && h->rank == 2 && act >= 0 &&
           act <= LC_ActivationFunctionType_TANH && is_weights(operand(g, n, s.weights), 2) && is_weights(operand(g, n, s.recurrent), 2) &&
           is_weights(operand(g, n, s.bias), 1) && is_written(g, at, n->inputs[s.hidden]) &&
           lc_quant_use_count(g, n->inputs[s.hidden]) == 1;
}

/* ---- the loop -------------------------------------------------------------------------------------------------------------- */

static int32_t dense(lc_builder *b, int32_t x, int32_t weights, int32_t bias, bool rows) {
    const lc_FullyConnectedOptions o = {.keep_num_dims = rows};
    return lc_build_op(b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, (int32_t[]){x, weights, bias}, 3);
}

static void begin(const work *w, lc_builder *b, lc_graph *g, int32_t values[VALUES]) {
    static const char *const names[] = {"i", "h", "y", "z"};
    lc_builder_init(b, w->b.model, g, w->b.err);
    b->layer = w->node.layer;
    for (int i = 0; i < VALUES; i++) {
        values[i] = lc_build_placeholder(b, names[i], i == COUNT ? LC_INT32 : LC_FLOAT32, w->shape[i].dims, w->shape[i].rank);
        if (b->status == LC_OK) lc_build_check(b, lc_graph_add_input(g, values[i], b->err));
    }
}

static lc_status finish(lc_builder *b, const int32_t *outputs, int count) {
    for (int i = 0; i < count && b->status == LC_OK; i++) lc_build_check(b, lc_graph_add_output(b->graph, outputs[i], b->err));
    return b->status;
}

static lc_status make_condition(const work *w, lc_graph *g) {
    lc_builder b;
    int32_t values[VALUES];
    begin(w, &b, g, values);
    const int32_t axis = w->time_major ? 0 : 1, rows = b.status == LC_OK ? w->shape[SUMS].dims[axis] : 0;
    int32_t end;
    if (rows >= 0) {
        end = lc_build_ints(&b, "rows", &rows, 1);
    } else {
        const lc_StridedSliceOptions o = {0};
        const int32_t to = axis + 1, by = 1;
        const int32_t shape =
            lc_build_op(&b, LC_OP_SHAPE, LC_TABLE_ShapeOptions, &(lc_ShapeOptions){.out_type = LC_INT32}, &values[SUMS], 1);
        const int32_t in[] = {shape, lc_build_ints(&b, "begin", &axis, 1), lc_build_ints(&b, "end", &to, 1),
                              lc_build_ints(&b, "by", &by, 1)};
        end = lc_build_op(&b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
    }
    const int32_t less = lc_build_op(&b, LC_OP_LESS, LC_TABLE_NONE, NULL, (int32_t[]){values[COUNT], end}, 2);
    return finish(&b, &less, 1);
}

/* The constant of the outer graph, in the body. */
static int32_t recurrent_weights(const work *w, lc_builder *b) {
    int32_t at = LC_ABSENT;
    const lc_tensor copy = *operand(w->graph, &w->node, w->slot.recurrent);
    lc_build_check(b, lc_graph_add_tensor(b->graph, &copy, &at, b->err));
    return at;
}

static lc_status make_body(const work *w, lc_graph *g) {
    lc_builder b;
    int32_t values[VALUES];
    begin(w, &b, g, values);
    const int32_t axis = w->time_major ? 0 : 1, one = 1, zero = 0;
    const lc_GatherOptions gather = {.axis = axis};
    const bool tanh = w->activation == LC_ActivationFunctionType_TANH;
    const int32_t z = lc_build_op(&b, LC_OP_GATHER, LC_TABLE_GatherOptions, &gather, (int32_t[]){values[SUMS], values[COUNT]}, 2);
    /* the index has a dimension, which the row keeps: it is that of the time */
    const int32_t flat[] = {-1, w->shape[HIDDEN].dims[1]}, row[] = {w->time_major ? 1 : -1, w->time_major ? -1 : 1, flat[1]};
    const int32_t r = dense(&b, values[HIDDEN], recurrent_weights(w, &b), LC_ABSENT, false);
    int32_t h = lc_build_binary(&b, LC_OP_ADD, lc_build_reshape(&b, z, flat, 2), r, tanh ? LC_ActivationFunctionType_NONE : w->activation);
    if (tanh) h = lc_build_unary(&b, LC_OP_TANH, h);
    const int32_t first = lc_build_ints(&b, "zero", &zero, 1), i = values[COUNT];
    const int32_t where = lc_build_op(&b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &(lc_ConcatenationOptions){.axis = 0},
                                      w->time_major ? (int32_t[]){i, first, first} : (int32_t[]){first, i, first}, 3);
    const int32_t y = lc_build_op(&b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_DynamicUpdateSliceOptions, NULL,
                                  (int32_t[]){values[ROWS], lc_build_reshape(&b, h, row, 3), where}, 3);
    const int32_t next = lc_build_binary(&b, LC_OP_ADD, i, lc_build_ints(&b, "one", &one, 1), LC_ActivationFunctionType_NONE);
    return finish(&b, (int32_t[]){next, h, y, values[SUMS]}, VALUES);
}

/* ---- in place of the operator ----------------------------------------------------------------------------------------------- */

static lc_status make_loop(lc_model *m, lc_graph *g, size_t at, lc_error *err) {
    const size_t first = g->node_count;
    work w = {.graph = g, .node = g->nodes[at], .slot = lc_rnn_slots_of(&g->nodes[at], false, false, false)};
    const lc_SequenceRNNOptions *o = LC_OP_ATTRS(&w.node, SequenceRNNOptions);
    const int32_t *in = w.node.inputs, zero = 0;
    lc_builder *b = &w.b;
    lc_builder_init(b, m, g, err);
    b->layer = w.node.layer;
    w.time_major = o->time_major;
    w.activation = o->fused_activation_function;
    g->tensors[in[w.slot.hidden]].is_variable = false;
    const int32_t z = dense(b, in[w.slot.input], in[w.slot.weights], in[w.slot.bias], true);
    const int32_t start[VALUES] = {lc_build_ints(b, "start", &zero, 1), in[w.slot.hidden],
                                   lc_build_binary(b, LC_OP_SUB, z, z, LC_ActivationFunctionType_NONE), z};
    for (int i = 0; i < VALUES && b->status == LC_OK; i++) lc_build_shape(b, start[i], &w.shape[i]);
    LC_TRY(b->status);
    lc_WhileOptions call = {.cond_subgraph_index = (int32_t)m->graph_count, .body_subgraph_index = (int32_t)m->graph_count + 1};
    lc_graph *condition = lc_model_add_graph(m, LC_STR("rnn_condition")), *body = lc_model_add_graph(m, LC_STR("rnn_step"));
    if (!condition || !body) return lc_fail_memory(err, "graphs");
    LC_TRY(make_condition(&w, condition));
    LC_TRY(make_body(&w, body));
    int32_t end[VALUES];
    for (int i = 0; i < VALUES; i++)
        end[i] = i == ROWS ? w.node.outputs[0]
                           : lc_build_placeholder(b, "end", i == COUNT ? LC_INT32 : LC_FLOAT32, w.shape[i].dims, w.shape[i].rank);
    LC_TRY(b->status);
    lc_node *made;
    LC_TRY(lc_graph_add_node(g, LC_OP_WHILE, LC_TABLE_WhileOptions, &call, start, VALUES, end, VALUES, &made, err));
    made->layer = w.node.layer;
    return lc_quant_replace_node(g, at, first, err);
}

lc_status lc_quant_rnn_loops(lc_model *model, lc_error *err) {
    for (size_t k = 0, graphs = model->graph_count; k < graphs; k++)
        for (size_t i = 0; i < model->graphs[k]->node_count; i++)
            if (can_be_loop(model->graphs[k], i)) LC_TRY(make_loop(model, model->graphs[k], i, err));
    return LC_OK;
}
