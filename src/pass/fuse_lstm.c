/*
 * fuse_lstm.c: a WHILE whose body is one step of an LSTM over a tensor's rows becomes UNIDIRECTIONAL_SEQUENCE_LSTM.
 *
 *     z  = x[t] W + h U + b              FULLY_CONNECTED each, or one of [x[t], h]; biases anywhere in the sum
 *     c' = sigmoid(f) c + sigmoid(i) act(g)        i, f, g, o: the quarters of z in any order, each with a number of its own added
 *     h' = sigmoid(o) act(c')                      act: TANH or RELU
 *     ys[t] = h', or ys[0] = h'                    lists
 *
 * Nothing else may be in the loop: every value is one of these, a counter from 0 by 1, or passed on; the condition is that counters are
 * less than the length of x; and neither the last cells nor a counter is read behind the loop (the operator does not give them). So the
 * recogniser sees what is computed, not who wrote it: Keras 2 and 3, TensorFlow 1's cells, or by hand.
 *
 * The operator's state is a pair of variables, which keep their values from run to run: a second run would go on where the first ended,
 * and a variable has the batch it was made for. Both is wrong for a loop that begins anew. So an operator in front writes what the loop
 * began with into them, in each run and for the batch that runs:
 *
 *     SUM(ZEROS_LIKE(x)) [.,B,.] + (h0, c0) ─▶ SPLIT ─▶ h, c (variables)           a fixed batch: SPLIT of a constant
 *
 * Only in graphs that no other calls: LiteRT gives the variables of a called graph a life of their own. And an open batch only where every
 * operator that leads to x has its shape before the run: LiteRT makes room for variables then, and a batch that comes out of the run
 * itself (WHERE, another loop) would not fit it. A sequence without elements is no case of TFLite's.
 */
#include "pass/loop.h"

#include "ir/constant.h"
#include "ops/lstm.h"

#include <string.h>

enum { VALUES = 64, TERMS = 16, LSTM_INPUTS = 20 };

typedef enum role { PASSED, COUNTER, LIST_LAST, LIST_EACH, HIDDEN, CELL } role;

typedef struct match {
    lc_rewrite *rw;
    lc_loop loop;
    const int32_t *body, *cond; /* producers */
    role roles[VALUES];
    uint32_t h, c; /* values */
    int32_t x;     /* value; -1: not met yet */
    int32_t z;     /* tensor of the body: what is split */
    const lc_node *split;
    int32_t units, depth;
    int32_t gates[LC_LSTM_GATES];   /* output of the split */
    float shift[LC_LSTM_GATES];     /* added to it */
    int32_t activation;             /* the operator */
    const lc_node *wx, *wh, *wboth; /* FULLY_CONNECTED */
    bool x_first;                   /* in wboth */
    int32_t biases[TERMS];          /* tensors of the body */
    uint32_t bias_count;
    bool rows_first; /* x is [time, batch, depth] of `input`; else [batch, time, depth], which the loop saw transposed */
    int32_t input;
    int32_t each; /* the loop's result with all rows; -1: nobody reads it */
} match;

/* ---- asking --------------------------------------------------------------------------------------------------------------- */

static bool plain(const lc_node *n) {
    const int8_t *act = lc_op_fused_act(n);
    return !act || *act == LC_ActivationFunctionType_NONE;
}

/* The node that writes a tensor of the body when it is this operator. */
static const lc_node *body_node(const match *m, int32_t tensor, lc_op_id op) {
    const lc_node *n = lc_loop_producer(m->loop.body, m->body, tensor);
    return lc_node_is(n, op) && plain(n) ? n : NULL;
}

static const lc_node *outer_node(const match *m, int32_t tensor, lc_op_id op) {
    const lc_node *n = lc_loop_producer(m->rw->graph, m->rw->producer, tensor);
    return lc_node_is(n, op) ? n : NULL;
}

static bool int_constant(const lc_tensor *t, int32_t *values, uint32_t n) {
    if (!t->data || t->type != LC_INT32 || t->size != n * sizeof *values) return false;
    memcpy(values, t->data, t->size);
    return true;
}

static bool is_int(const lc_tensor *t, int32_t value) {
    int32_t v;
    return int_constant(t, &v, 1) && v == value;
}

static const lc_tensor *body_tensor(const match *m, int32_t t) { return &m->loop.body->tensors[t]; }
static int32_t body_in(const match *m, uint32_t i) { return m->loop.body->inputs[i]; }
static int32_t body_out(const match *m, uint32_t i) { return m->loop.body->outputs[i]; }
static const lc_tensor *outer(const match *m, int32_t t) { return lc_rewrite_tensor(m->rw, t); }

static bool is_counter(const match *m, uint32_t i) {
    const lc_node *add = body_node(m, body_out(m, i), LC_OP_ADD);
    return add && is_int(outer(m, m->loop.node->inputs[i]), 0) &&
           ((add->inputs[0] == body_in(m, i) && is_int(body_tensor(m, add->inputs[1]), 1)) ||
            (add->inputs[1] == body_in(m, i) && is_int(body_tensor(m, add->inputs[0]), 1)));
}

static bool is_round(const match *m, int32_t tensor) {
    const int32_t i = lc_loop_value(m->loop.body, tensor);
    return i >= 0 && m->roles[i] == COUNTER;
}

/* ---- lengths -------------------------------------------------------------------------------------------------------------- */

/* Dimension *axis of tensor *t, followed to the tensor that TRANSPOSE and REVERSE_V2 took it from. */
static void follow(const match *m, int32_t *t, int32_t *axis) {
    for (;;) {
        const lc_node *turn = outer_node(m, *t, LC_OP_TRANSPOSE), *reverse = outer_node(m, *t, LC_OP_REVERSE_V2);
        const int32_t rank = outer(m, *t)->rank;
        int32_t perm[LC_MAX_RANK];
        if (turn && rank <= LC_MAX_RANK && int_constant(outer(m, turn->inputs[1]), perm, (uint32_t)rank)) {
            if (perm[*axis] < 0 || perm[*axis] >= rank) return;
            *axis = perm[*axis];
            *t = turn->inputs[0];
        } else if (reverse) *t = reverse->inputs[0];
        else return;
    }
}

/* A scalar outside the loop is the number of rows of x. */
static bool is_length(const match *m, int32_t t) {
    int32_t x = m->loop.node->inputs[m->x], axis = 0, value, begin, end, stride;
    if (int_constant(outer(m, t), &value, 1)) return lc_tensor_dim(outer(m, x), 0) == value;
    const lc_node *pick = outer_node(m, t, LC_OP_STRIDED_SLICE), *shape = pick ? outer_node(m, pick->inputs[0], LC_OP_SHAPE) : NULL;
    if (!shape || !int_constant(outer(m, pick->inputs[1]), &begin, 1) || !int_constant(outer(m, pick->inputs[2]), &end, 1) ||
        !int_constant(outer(m, pick->inputs[3]), &stride, 1))
        return false;
    const lc_StridedSliceOptions *o = LC_OP_ATTRS(pick, StridedSliceOptions);
    if (o->begin_mask || o->end_mask || o->ellipsis_mask || o->new_axis_mask || o->offset || o->shrink_axis_mask != 1 || begin < 0)
        return false;
    int32_t y = shape->inputs[0];
    if (begin >= outer(m, y)->rank) return false;
    follow(m, &y, &begin);
    follow(m, &x, &axis);
    return x == y && axis == begin;
}

/* A bound of the condition: at least the number of rows; *exact: just that. */
static bool is_bound(const match *m, int32_t t, bool *exact) {
    const int32_t i = lc_loop_value(m->loop.cond, t);
    int32_t value;
    if (i >= 0) {
        if (m->roles[i] != PASSED || !is_length(m, m->loop.node->inputs[i])) return false;
        return *exact = true;
    }
    const int32_t rows = lc_tensor_dim(outer(m, m->loop.node->inputs[m->x]), 0);
    if (!int_constant(&m->loop.cond->tensors[t], &value, 1) || rows < 0 || value < rows) return false;
    *exact |= value == rows;
    return true;
}

static bool is_less(const match *m, int32_t t, bool *exact, int depth) {
    const lc_node *n = lc_loop_producer(m->loop.cond, m->cond, t);
    if (lc_node_is(n, LC_OP_LOGICAL_AND) && depth < 4)
        return is_less(m, n->inputs[0], exact, depth + 1) && is_less(m, n->inputs[1], exact, depth + 1);
    const bool less = lc_node_is(n, LC_OP_LESS);
    if (!less && !lc_node_is(n, LC_OP_GREATER)) return false;
    const int32_t i = lc_loop_value(m->loop.cond, n->inputs[!less]);
    return i >= 0 && m->roles[i] == COUNTER && is_bound(m, n->inputs[less], exact);
}

static bool runs_all_rows(const match *m) {
    bool exact = false;
    return is_less(m, m->loop.cond->outputs[0], &exact, 0) && exact;
}

/* The first dimension of a list as it begins is the number of rows. */
static bool has_all_rows(const match *m, int32_t list) {
    int32_t x = m->loop.node->inputs[m->x];
    if (lc_tensor_dim(outer(m, list), 0) >= 0) return lc_tensor_dim(outer(m, list), 0) == lc_tensor_dim(outer(m, x), 0);
    const lc_node *fill = outer_node(m, list, LC_OP_FILL), *dims = fill ? outer_node(m, fill->inputs[0], LC_OP_PACK) : NULL;
    return dims && dims->input_count == 3 && is_length(m, dims->inputs[0]);
}

/* ---- the step ----------------------------------------------------------------------------------------------------------------- */

static bool is_row(match *m, int32_t tensor) {
    const lc_node *n = body_node(m, tensor, LC_OP_GATHER);
    if (!n || LC_OP_ATTRS(n, GatherOptions)->axis || LC_OP_ATTRS(n, GatherOptions)->batch_dims || !is_round(m, n->inputs[1])) return false;
    const int32_t i = lc_loop_value(m->loop.body, n->inputs[0]);
    if (i < 0 || m->roles[i] != PASSED || (m->x >= 0 && m->x != i) || body_tensor(m, n->inputs[1])->rank) return false;
    m->x = i;
    return true;
}

static bool is_float_constant(const lc_tensor *t, int32_t rank) {
    return lc_tensor_is_const(t) && t->type == LC_FLOAT32 && !t->quant && !t->sparsity && t->rank == rank && !t->external_buffer;
}

static bool add_bias(match *m, int32_t t) {
    const lc_tensor *b = body_tensor(m, t);
    uint64_t n;
    if (!lc_tensor_is_const(b) || !is_float_constant(b, b->rank) || !lc_tensor_elements(b, &n)) return false;
    if (n != 1 && (n != (uint64_t)m->units * 4 || b->rank < 1 || b->dims[b->rank - 1] != m->units * 4)) return false;
    if (m->bias_count == TERMS) return false;
    m->biases[m->bias_count++] = t;
    return true;
}

static bool add_product(match *m, const lc_node *fc) {
    const lc_tensor *w = body_tensor(m, fc->inputs[1]);
    const int32_t in = fc->inputs[0], h = body_in(m, m->h);
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(fc, FullyConnectedOptions);
    if (!is_float_constant(w, 2) || w->dims[0] != m->units * 4 || o->weights_format) return false;
    if (fc->input_count > 2 && fc->inputs[2] >= 0 && !add_bias(m, fc->inputs[2])) return false;
    if (in == h) {
        if (m->wh || m->wboth || w->dims[1] != m->units) return false;
        m->wh = fc;
        return true;
    }
    if (is_row(m, in)) {
        if (m->wx || m->wboth) return false;
        m->wx = fc;
        m->depth = w->dims[1];
        return true;
    }
    const lc_node *both = body_node(m, in, LC_OP_CONCATENATION);
    const int32_t axis = both ? LC_OP_ATTRS(both, ConcatenationOptions)->axis : 0;
    if (!both || both->input_count != 2 || (axis != 1 && axis != -1) || m->wx || m->wh || m->wboth || body_tensor(m, h)->rank != 2)
        return false;
    m->x_first = both->inputs[1] == h;
    if (!is_row(m, both->inputs[!m->x_first]) || both->inputs[m->x_first] != h) return false;
    m->wboth = fc;
    m->depth = w->dims[1] - m->units;
    return true;
}

static bool add_terms(match *m, int32_t t, int depth) {
    const lc_node *add = body_node(m, t, LC_OP_ADD), *fc = body_node(m, t, LC_OP_FULLY_CONNECTED);
    if (fc) return add_product(m, fc);
    if (lc_tensor_is_const(body_tensor(m, t))) return add_bias(m, t);
    return add && depth < TERMS && add_terms(m, add->inputs[0], depth + 1) && add_terms(m, add->inputs[1], depth + 1);
}

/* A quarter of z, perhaps with a number added. */
static bool is_gate(match *m, int32_t t, int gate) {
    const lc_node *add = body_node(m, t, LC_OP_ADD);
    m->shift[gate] = 0;
    if (add) {
        const bool second = lc_tensor_is_const(body_tensor(m, add->inputs[1]));
        const lc_tensor *number = body_tensor(m, add->inputs[second]);
        if (!is_float_constant(number, 0) || !number->data || number->size != sizeof(float)) return false;
        memcpy(&m->shift[gate], number->data, sizeof(float));
        t = add->inputs[!second];
    }
    const lc_node *split = body_node(m, t, LC_OP_SPLIT);
    int32_t axis;
    if (!split || split->output_count != 4 || (m->split && m->split != split) || !int_constant(body_tensor(m, split->inputs[0]), &axis, 1))
        return false;
    const lc_tensor *z = body_tensor(m, split->inputs[1]);
    if (z->rank != 2 || (axis != 1 && axis != -1)) return false;
    m->split = split;
    m->z = split->inputs[1];
    for (int32_t k = 0; k < 4; k++)
        if (split->outputs[k] == t) m->gates[gate] = k;
    return true;
}

/* One factor of a product; *other: the other one. */
static bool is_sigmoid_gate(match *m, const lc_node *mul, int which, int gate, int32_t *other) {
    const lc_node *sigmoid = body_node(m, mul->inputs[which], LC_OP_LOGISTIC);
    *other = mul->inputs[!which];
    return sigmoid && is_gate(m, sigmoid->inputs[0], gate);
}

static const lc_node *activated(match *m, int32_t t) {
    const lc_node *tanh = body_node(m, t, LC_OP_TANH), *n = tanh ? tanh : body_node(m, t, LC_OP_RELU);
    if (!n || (m->activation && m->activation != n->op)) return NULL;
    m->activation = n->op;
    return n;
}

/* sigmoid(f) c */
static bool is_kept_part(match *m, int32_t t) {
    const lc_node *mul = body_node(m, t, LC_OP_MUL);
    int32_t other;
    for (int k = 0; mul && k < 2; k++)
        if (mul->inputs[!k] == body_in(m, m->c) && is_sigmoid_gate(m, mul, k, LC_LSTM_FORGET, &other)) return true;
    return false;
}

/* sigmoid(i) act(g) */
static bool is_new_part(match *m, int32_t t) {
    const lc_node *mul = body_node(m, t, LC_OP_MUL), *act;
    int32_t other;
    for (int k = 0; mul && k < 2; k++)
        if (is_sigmoid_gate(m, mul, k, LC_LSTM_INPUT, &other) && (act = activated(m, other)) && is_gate(m, act->inputs[0], LC_LSTM_CELL))
            return true;
    return false;
}

static bool is_step(match *m) {
    const lc_node *out = body_node(m, body_out(m, m->h), LC_OP_MUL), *sum = body_node(m, body_out(m, m->c), LC_OP_ADD);
    int32_t other;
    bool fine = false;
    m->split = NULL;
    m->wx = m->wh = m->wboth = NULL;
    m->bias_count = 0;
    m->x = -1;
    m->activation = 0;
    if (!out || !sum) return false;
    for (int k = 0; k < 2 && !fine; k++) {
        if (!is_sigmoid_gate(m, out, k, LC_LSTM_OUTPUT, &other)) continue;
        const lc_node *act = activated(m, other);
        fine = act && act->inputs[0] == body_out(m, m->c);
    }
    if (!fine) return false;
    if (!(is_kept_part(m, sum->inputs[0]) && is_new_part(m, sum->inputs[1])) &&
        !(is_kept_part(m, sum->inputs[1]) && is_new_part(m, sum->inputs[0])))
        return false;
    uint32_t met = 0;
    for (int g = 0; g < LC_LSTM_GATES; g++) met |= 1u << m->gates[g];
    const lc_tensor *z = body_tensor(m, m->z);
    const int32_t width = lc_tensor_dim(z, 1);
    if (met != 15 || width < 4 || width % 4) return false;
    m->units = width / 4;
    return add_terms(m, m->z, 0) && m->x >= 0 && (m->wboth || (m->wx && m->wh)) && m->depth > 0;
}

/* ys[t] = h' or ys[0] = h'. */
static bool is_list(match *m, uint32_t i) {
    const lc_node *update = body_node(m, body_out(m, i), LC_OP_DYNAMIC_UPDATE_SLICE);
    if (!update || update->inputs[0] != body_in(m, i)) return false;
    const lc_node *row = lc_loop_producer(m->loop.body, m->body, update->inputs[1]);
    const lc_tensor *t = body_tensor(m, update->inputs[1]), *start = body_tensor(m, update->inputs[2]);
    if ((!lc_node_is(row, LC_OP_RESHAPE) && !lc_node_is(row, LC_OP_EXPAND_DIMS)) || row->inputs[0] != body_out(m, m->h) || t->rank != 3 ||
        lc_tensor_dim(t, 0) != 1 || lc_tensor_dim(t, 2) != m->units || outer(m, m->loop.node->inputs[i])->rank != 3)
        return false;
    int32_t at[3];
    if (int_constant(start, at, 3)) {
        m->roles[i] = LIST_LAST;
        return !at[0] && !at[1] && !at[2] && lc_tensor_dim(outer(m, m->loop.node->inputs[i]), 0) == 1;
    }
    const lc_node *pack = body_node(m, update->inputs[2], LC_OP_PACK);
    m->roles[i] = LIST_EACH;
    return pack && pack->input_count == 3 && is_round(m, pack->inputs[0]) && is_int(body_tensor(m, pack->inputs[1]), 0) &&
           is_int(body_tensor(m, pack->inputs[2]), 0) && has_all_rows(m, m->loop.node->inputs[i]);
}

/* What the operator does not give is read by nobody, and the lists hold what it gives. */
static bool gives_enough(match *m) {
    m->each = -1;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        const int32_t out = m->loop.node->outputs[i];
        const bool read = m->rw->uses[out] || m->rw->is_output[out];
        if (m->roles[i] == LIST_EACH || m->roles[i] == LIST_LAST) {
            if (!is_list(m, i)) return false;
            if (read && m->roles[i] == LIST_EACH && m->each >= 0) return false;
            if (read && m->roles[i] == LIST_EACH) m->each = out;
        } else if (read && m->roles[i] != HIDDEN) return false;
    }
    return true;
}

static bool recognise(match *m) {
    uint32_t states[2], count = 0;
    if (m->loop.n > VALUES) return false;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        m->roles[i] = PASSED;
        if (body_out(m, i) == body_in(m, i)) continue;
        if (is_counter(m, i)) m->roles[i] = COUNTER;
        else if (body_node(m, body_out(m, i), LC_OP_DYNAMIC_UPDATE_SLICE)) m->roles[i] = LIST_EACH;
        else if (count < 2) states[count++] = i;
        else return false;
    }
    bool found = false;
    for (int k = 0; count == 2 && k < 2 && !found; k++) {
        m->h = states[k];
        m->c = states[!k];
        found = is_step(m);
    }
    if (!found) return false;
    m->roles[m->h] = HIDDEN;
    m->roles[m->c] = CELL;
    const lc_tensor *x = outer(m, m->loop.node->inputs[m->x]);
    return x->type == LC_FLOAT32 && x->rank == 3 && x->has_rank && lc_tensor_dim(x, 2) == m->depth && runs_all_rows(m) && gives_enough(m);
}

/* ---- what LiteRT knows before the run ------------------------------------------------------------------------------------- */

/* The shape of the output follows from those of the inputs ... */
static const int32_t by_shapes[] = {LC_OP_GATHER,
                                    LC_OP_EMBEDDING_LOOKUP,
                                    LC_OP_FULLY_CONNECTED,
                                    LC_OP_BATCH_MATMUL,
                                    LC_OP_CONV_2D,
                                    LC_OP_DEPTHWISE_CONV_2D,
                                    LC_OP_AVERAGE_POOL_2D,
                                    LC_OP_MAX_POOL_2D,
                                    LC_OP_CONCATENATION,
                                    LC_OP_PACK,
                                    LC_OP_UNPACK,
                                    LC_OP_SOFTMAX,
                                    LC_OP_CAST,
                                    LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM,
                                    LC_OP_GELU,
                                    LC_OP_ZEROS_LIKE,
                                    LC_OP_L2_NORMALIZATION,
                                    LC_OP_ADD,
                                    LC_OP_SUB,
                                    LC_OP_MUL,
                                    LC_OP_DIV};
/* ... and from the values of the others, which must be constant. */
static const int32_t by_values[] = {LC_OP_RESHAPE,    LC_OP_TRANSPOSE,   LC_OP_REVERSE_V2, LC_OP_STRIDED_SLICE,
                                    LC_OP_SLICE,      LC_OP_PAD,         LC_OP_PADV2,      LC_OP_EXPAND_DIMS,
                                    LC_OP_SQUEEZE,    LC_OP_SUM,         LC_OP_MEAN,       LC_OP_REDUCE_MAX,
                                    LC_OP_REDUCE_MIN, LC_OP_REDUCE_PROD, LC_OP_TILE,       LC_OP_SPLIT_V};

static bool is_among(int32_t op, const int32_t *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (list[i] == op) return true;
    return false;
}

static bool follows(const lc_rewrite *rw, const lc_node *n, const bool *known) {
    const lc_op_def *def = lc_op_get(n->op);
    if (!def || (def->flags & (LC_OPF_SIDE_EFFECT | LC_OPF_CALLS))) return false;
    const bool shapes = (def->flags & LC_OPF_ELEMENTWISE) || is_among(n->op, by_shapes, sizeof by_shapes / sizeof *by_shapes);
    const bool split = n->op == LC_OP_SPLIT, values = split || is_among(n->op, by_values, sizeof by_values / sizeof *by_values);
    if (!shapes && !values) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (t < 0) continue;
        if (!known[t]) return false;
        if (!shapes && i != (split ? 1 : 0) && !lc_tensor_is_const(lc_rewrite_tensor(rw, t))) return false;
    }
    return true;
}

static lc_status is_known(const match *m, int32_t tensor, bool *yes) {
    lc_rewrite *rw = m->rw;
    const lc_graph *g = rw->graph;
    bool *known = lc_arena_array(&rw->temporary, g->tensor_count + 1, sizeof *known);
    if (!known) return lc_fail_memory(rw->err, "shapes");
    for (size_t i = 0; i < g->tensor_count; i++) known[i] = lc_tensor_is_const(&g->tensors[i]) || g->tensors[i].is_variable;
    for (size_t i = 0; i < g->input_count; i++) known[g->inputs[i]] = true;
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_node *node = &g->nodes[n];
        if (node->op == LC_NODE_DEAD) continue;
        lc_rewrite_resolve(rw, &g->nodes[n]);
        const bool will = follows(rw, node, known);
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0) known[node->outputs[i]] = will;
    }
    *yes = known[tensor];
    return LC_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

typedef struct made {
    match *m;
    const char *layer;
    lc_str name;
    lc_status status;
} made;

static int32_t add_tensor(made *d, const int32_t *dims, int32_t rank, bool variable) {
    int32_t known[3], t = -1;
    bool open = false;
    for (int32_t i = 0; i < rank; i++) {
        open |= dims[i] < 0;
        known[i] = dims[i] < 0 ? 1 : dims[i];
    }
    const lc_tensor proto = {.name = d->name,
                             .type = LC_FLOAT32,
                             .rank = rank,
                             .dims = known,
                             .signature = open ? (int32_t *)(uintptr_t)dims : NULL,
                             .has_rank = true,
                             .is_variable = variable,
                             .data_at = LC_NO_OFFSET};
    if (!d->status) d->status = lc_rewrite_add_tensor(d->m->rw, &proto, &t);
    return t;
}

static int32_t add_ints(made *d, const int32_t *values, int32_t n) {
    int32_t t = -1;
    void *data;
    if (!d->status) d->status = lc_rewrite_add_constant(d->m->rw, d->name, LC_INT32, &n, n == 1 ? 0 : 1, &t, &data);
    if (!d->status) memcpy(data, values, (size_t)n * sizeof *values);
    return t;
}

static float *add_floats(made *d, const int32_t *dims, int32_t rank, int32_t *t) {
    void *data = NULL;
    *t = -1;
    if (!d->status) d->status = lc_rewrite_add_constant(d->m->rw, d->name, LC_FLOAT32, dims, rank, t, &data);
    return d->status ? NULL : data;
}

static void add_node(made *d, lc_op_id op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t n_in, const int32_t *out,
                     uint32_t n_out) {
    lc_node *node;
    if (!d->status) d->status = lc_graph_add_node(d->m->rw->graph, op, table, attrs, in, n_in, out, n_out, &node, d->m->rw->err);
    if (!d->status) node->layer = d->layer;
}

/* Elements of a constant of the body. */
static void read_floats(const match *m, int32_t tensor, size_t first, size_t n, float *out) {
    const lc_tensor *t = body_tensor(m, tensor);
    if (t->data) memcpy(out, (const char *)t->data + first * sizeof *out, n * sizeof *out);
    else lc_deferred_read(t->deferred, first, n, out);
}

/* The rows of a weight that make this gate, columns [from, from + n). */
static int32_t gate_weights(made *d, const lc_node *fc, int gate, int32_t from, int32_t n) {
    const match *m = d->m;
    const size_t width = (size_t)body_tensor(m, fc->inputs[1])->dims[1], first = (size_t)m->gates[gate] * (size_t)m->units;
    int32_t t;
    float *to = add_floats(d, (int32_t[]){m->units, n}, 2, &t);
    for (int32_t r = 0; to && r < m->units; r++)
        read_floats(m, fc->inputs[1], (first + (size_t)r) * width + (size_t)from, (size_t)n, to + (size_t)r * (size_t)n);
    return t;
}

static int32_t gate_bias(made *d, int gate) {
    const match *m = d->m;
    int32_t t;
    float *to = add_floats(d, &m->units, 1, &t), one;
    for (int32_t r = 0; to && r < m->units; r++) {
        to[r] = m->shift[gate];
        for (uint32_t k = 0; k < m->bias_count; k++) {
            uint64_t n = 0;
            lc_tensor_elements(body_tensor(m, m->biases[k]), &n);
            read_floats(m, m->biases[k], n == 1 ? 0 : (size_t)m->gates[gate] * (size_t)m->units + (size_t)r, 1, &one);
            to[r] += one;
        }
    }
    return t;
}

/* What a state begins with is zeros (*data NULL), or constant, one row or as many as the batch. False: neither. */
static bool first_value(const match *m, int32_t t, int32_t batch, const lc_tensor **data) {
    const lc_node *fill = outer_node(m, t, LC_OP_FILL);
    const lc_tensor *c = fill ? outer(m, fill->inputs[1]) : outer(m, t);
    float v = 1;
    *data = NULL;
    if (outer_node(m, t, LC_OP_ZEROS_LIKE)) return true;
    if (!c->data || c->type != LC_FLOAT32 || c->quant || c->sparsity) return false;
    if (fill) return c->size == sizeof v && (memcpy(&v, c->data, sizeof v), v == 0);
    *data = c;
    return c->rank == 2 && c->dims[1] == m->units && (c->dims[0] == 1 || c->dims[0] == batch);
}

/* [rows, 2 units] of both states. */
static void fill_states(const match *m, const lc_tensor *h, const lc_tensor *c, int32_t rows, float *to) {
    const size_t n = (size_t)m->units;
    for (int32_t b = 0; b < rows; b++, to += 2 * n) {
        if (h) memcpy(to, (const float *)h->data + (h->dims[0] == 1 ? 0 : (size_t)b * n), n * sizeof *to);
        if (c) memcpy(to + n, (const float *)c->data + (c->dims[0] == 1 ? 0 : (size_t)b * n), n * sizeof *to);
    }
}

/* Writes what the loop begins with into two variables. */
static void make_states(made *d, int32_t batch, const lc_tensor *h, const lc_tensor *c, int32_t out[2]) {
    const match *m = d->m;
    const int32_t rows = batch < 0 ? 1 : batch, axis2 = 2, at = m->rows_first ? 1 : 0;
    int32_t both, dims[3] = {1, 1, 2 * m->units};
    dims[at] = rows;
    float *data = add_floats(d, dims, 3, &both);
    if (data) fill_states(m, h, c, rows, data);
    dims[at] = batch;
    if (batch < 0) {
        const lc_tensor *x = outer(m, m->input);
        const int32_t like[3] = {lc_tensor_dim(x, 0), lc_tensor_dim(x, 1), lc_tensor_dim(x, 2)};
        int32_t zero[3] = {1, 1, 1};
        zero[at] = batch;
        const int32_t zeros = add_tensor(d, like, 3, false), sum = add_tensor(d, zero, 3, false), spread = add_tensor(d, dims, 3, false);
        const lc_ReducerOptions keep = {.keep_dims = true};
        const lc_AddOptions add = {.fused_activation_function = LC_ActivationFunctionType_NONE};
        const lc_ZerosLikeOptions none = {0};
        add_node(d, LC_OP_ZEROS_LIKE, LC_TABLE_ZerosLikeOptions, &none, &m->input, 1, &zeros, 1);
        add_node(d, LC_OP_SUM, LC_TABLE_ReducerOptions, &keep, (int32_t[]){zeros, add_ints(d, (int32_t[]){m->rows_first ? 0 : 1, 2}, 2)}, 2,
                 &sum, 1);
        add_node(d, LC_OP_ADD, LC_TABLE_AddOptions, &add, (int32_t[]){sum, both}, 2, &spread, 1);
        both = spread;
    }
    dims[2] = m->units;
    out[0] = add_tensor(d, dims, 3, true);
    out[1] = add_tensor(d, dims, 3, true);
    const lc_SplitOptions split = {.num_splits = 2};
    add_node(d, LC_OP_SPLIT, LC_TABLE_SplitOptions, &split, (int32_t[]){add_ints(d, &axis2, 1), both}, 2, out, 2);
}

/* The last row of y, without its dimension. */
static void make_last(made *d, int32_t y, int32_t out) {
    const bool first = d->m->rows_first;
    const int32_t begin[3] = {first ? -1 : 0, first ? 0 : -1, 0}, end[3] = {0, 0, 0}, stride[3] = {1, 1, 1};
    const lc_StridedSliceOptions o = {.begin_mask = first ? 6 : 5, .end_mask = first ? 6 : 5, .shrink_axis_mask = first ? 1 : 2};
    add_node(d, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o,
             (int32_t[]){y, add_ints(d, begin, 3), add_ints(d, end, 3), add_ints(d, stride, 3)}, 4, &out, 1);
}

/* The loop's results from y, into the tensors they were. */
static void make_results(made *d, int32_t y, int32_t batch) {
    const match *m = d->m;
    const lc_node *node = m->loop.node;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        const int32_t out = node->outputs[i];
        if (!m->rw->uses[out] && !m->rw->is_output[out]) continue;
        if (m->roles[i] == HIDDEN) make_last(d, y, out);
        else if (m->roles[i] == LIST_EACH) {
            const int32_t swap[3] = {1, 0, 2};
            const lc_TransposeOptions none = {0};
            if (!m->rows_first)
                add_node(d, LC_OP_TRANSPOSE, LC_TABLE_TransposeOptions, &none, (int32_t[]){y, add_ints(d, swap, 3)}, 2, &out, 1);
        } else if (m->roles[i] == LIST_LAST) {
            const int32_t row = add_tensor(d, (int32_t[]){batch, m->units}, 2, false), like[3] = {1, batch, m->units};
            const lc_ReshapeOptions o = {0};
            make_last(d, y, row);
            add_node(d, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, &o, (int32_t[]){row, add_ints(d, like, 3)}, 2, &out, 1);
        }
    }
}

/* The nodes from `first` on take the place of node `at`. */
static lc_status move_nodes(lc_rewrite *rw, size_t at, size_t first) {
    lc_graph *g = rw->graph;
    const size_t n = g->node_count - first;
    lc_node *copy = lc_arena_array(&rw->temporary, n, sizeof *copy);
    if (!copy) return lc_fail_memory(rw->err, "operators");
    memcpy(copy, g->nodes + first, n * sizeof *copy);
    memmove(g->nodes + at + 1 + n, g->nodes + at + 1, (first - at - 1) * sizeof *g->nodes);
    memcpy(g->nodes + at + 1, copy, n * sizeof *copy);
    g->nodes[at].op = LC_NODE_DEAD;
    rw->changed = true;
    return LC_OK;
}

/* *done: the loop is an operator now, and what the rewrite knows of nodes is out of date. */
static lc_status make(match *m, size_t at, bool *done) {
    lc_rewrite *rw = m->rw;
    const int32_t xs = m->loop.node->inputs[m->x];
    const lc_node *turn = outer_node(m, xs, LC_OP_TRANSPOSE);
    int32_t perm[3];
    m->rows_first = !turn || !int_constant(outer(m, turn->inputs[1]), perm, 3) || perm[0] != 1 || perm[1] != 0 || perm[2] != 2;
    m->input = m->rows_first ? xs : turn->inputs[0];
    const int32_t batch = lc_tensor_dim(outer(m, xs), 1), rows = lc_tensor_dim(outer(m, xs), 0);
    const lc_tensor *first[2];
    bool fits = true;
    if (batch < 0) LC_TRY(is_known(m, m->input, &fits));
    if (!fits) return LC_OK;
    if (!first_value(m, m->loop.node->inputs[m->h], batch, &first[0]) || !first_value(m, m->loop.node->inputs[m->c], batch, &first[1]))
        return LC_OK;
    lc_tensor h0, c0; /* the list of tensors will move */
    if (first[0]) h0 = *first[0];
    if (first[1]) c0 = *first[1];
    const size_t before = rw->graph->node_count;
    made d = {.m = m, .layer = m->loop.node->layer, .name = outer(m, m->loop.node->outputs[m->h])->name};
    int32_t in[LSTM_INPUTS], states[2];
    for (uint32_t i = 0; i < LSTM_INPUTS; i++) in[i] = LC_ABSENT;
    const lc_lstm_slots s = lc_lstm_slots_of(LSTM_INPUTS);
    in[s.input] = m->input;
    for (int g = 0; g < LC_LSTM_GATES; g++) {
        const lc_node *wx = m->wboth ? m->wboth : m->wx, *wh = m->wboth ? m->wboth : m->wh;
        in[s.weights[g]] = gate_weights(&d, wx, g, m->wboth && !m->x_first ? m->units : 0, m->depth);
        in[s.recurrent[g]] = gate_weights(&d, wh, g, m->wboth && m->x_first ? m->depth : 0, m->units);
        in[s.bias[g]] = gate_bias(&d, g);
    }
    make_states(&d, batch, first[0] ? &h0 : NULL, first[1] ? &c0 : NULL, states);
    in[s.hidden] = states[0];
    in[s.cell] = states[1];
    const int32_t dims[3] = {m->rows_first ? rows : batch, m->rows_first ? batch : rows, m->units};
    const int32_t y = m->rows_first && m->each >= 0 ? m->each : add_tensor(&d, dims, 3, false);
    const lc_UnidirectionalSequenceLSTMOptions o = {
        .fused_activation_function = m->activation == LC_OP_TANH ? LC_ActivationFunctionType_TANH : LC_ActivationFunctionType_RELU,
        .time_major = m->rows_first};
    add_node(&d, LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, LC_TABLE_UnidirectionalSequenceLSTMOptions, &o, in, LSTM_INPUTS, &y, 1);
    m->loop.node = &rw->graph->nodes[at]; /* the list may have moved */
    make_results(&d, y, batch);
    *done = true;
    return d.status ? d.status : move_nodes(rw, at, before);
}

static bool is_called(const lc_rewrite *rw) {
    const lc_model *m = rw->graph->model;
    bool own = m->graphs[0] == rw->graph;
    for (size_t i = 0; i < m->signature_count && !own; i++) own = m->graphs[m->signatures[i].graph] == rw->graph;
    return !own;
}

lc_status lc_pass_fuse_lstm(lc_rewrite *rw) {
    bool done = false, called = is_called(rw);
    for (size_t n = 0; n < rw->graph->node_count && !done && !called; n++) { /* one a time */
        lc_node *node = &rw->graph->nodes[n];
        match m = {.rw = rw};
        if (node->op != LC_OP_WHILE) continue;
        lc_rewrite_resolve(rw, node);
        if (!lc_loop_of(rw, node, &m.loop)) continue;
        m.body = lc_loop_producers(rw, m.loop.body);
        m.cond = lc_loop_producers(rw, m.loop.cond);
        if (!m.body || !m.cond) return lc_fail_memory(rw->err, "loop");
        if (recognise(&m)) LC_TRY(make(&m, n, &done));
    }
    return LC_OK;
}
