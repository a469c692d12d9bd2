/*
 * fuse_lstm.c: a WHILE whose body is one step of an LSTM over a tensor's rows becomes UNIDIRECTIONAL_SEQUENCE_LSTM. Here it is recognised,
 * fuse_lstm_build.c makes the operator.
 *
 *     z  = x[t] W + h U + b              FULLY_CONNECTED each, or one of [x[t], h]; biases anywhere in the sum
 *     c' = sigmoid(f) c + sigmoid(i) act(g)        i, f, g, o: the quarters of z in any order, each with a number of its own added
 *     h' = sigmoid(o) act(c')                      act: TANH or RELU
 *     ys[t] = h', or ys[0] = h'                    lists
 *
 * and h' = act(x[t] W + h U + b) becomes UNIDIRECTIONAL_SEQUENCE_RNN          act: TANH, RELU, RELU6, RELU_N1_TO_1 or none
 *
 * Nothing else may be in the loop: every value is one of these, a counter from 0 by 1, or passed on; the condition is that counters are
 * less than the length of x; and no counter is read behind the loop. So the recogniser sees what is computed, not who wrote it: Keras 2
 * and 3, TensorFlow 1's cells, or by hand. A mask stays a loop: the operator has none.
 */
#include "pass/fuse_lstm.h"

#include "ir/constant.h"

/* ---- asking --------------------------------------------------------------------------------------------------------------- */

static bool plain(const lc_node *n) {
    const int8_t *act = lc_op_fused_act(n);
    return !act || *act == LC_ActivationFunctionType_NONE;
}

/* The node that writes a tensor of the body when it is this operator. */
static const lc_node *body_node(const lc_lstm_match *m, int32_t tensor, lc_op_id op) {
    const lc_node *n = lc_loop_producer(m->loop.body, m->body, tensor);
    return lc_node_is(n, op) && plain(n) ? n : NULL;
}

static bool is_int(const lc_tensor *t, int32_t value) {
    int32_t v;
    return lc_lstm_ints(t, &v, 1) && v == value;
}

static int32_t body_in(const lc_lstm_match *m, uint32_t i) { return m->loop.body->inputs[i]; }
static int32_t body_out(const lc_lstm_match *m, uint32_t i) { return m->loop.body->outputs[i]; }

static bool is_counter(const lc_lstm_match *m, uint32_t i) {
    const lc_node *add = body_node(m, body_out(m, i), LC_OP_ADD);
    return add && is_int(lc_lstm_outer(m, m->loop.node->inputs[i]), 0) &&
           ((add->inputs[0] == body_in(m, i) && is_int(lc_lstm_body_tensor(m, add->inputs[1]), 1)) ||
            (add->inputs[1] == body_in(m, i) && is_int(lc_lstm_body_tensor(m, add->inputs[0]), 1)));
}

static bool is_round(const lc_lstm_match *m, int32_t tensor) {
    const int32_t i = lc_loop_value(m->loop.body, tensor);
    return i >= 0 && m->roles[i] == LC_LSTM_COUNTER;
}

/* ---- lengths -------------------------------------------------------------------------------------------------------------- */

/* Dimension *axis of tensor *t, followed to the tensor that TRANSPOSE and REVERSE_V2 took it from. */
static void follow(const lc_lstm_match *m, int32_t *t, int32_t *axis) {
    for (;;) {
        const lc_node *turn = lc_lstm_outer_node(m, *t, LC_OP_TRANSPOSE), *reverse = lc_lstm_outer_node(m, *t, LC_OP_REVERSE_V2);
        const int32_t rank = lc_lstm_outer(m, *t)->rank;
        int32_t perm[LC_MAX_RANK];
        if (turn && rank <= LC_MAX_RANK && lc_lstm_ints(lc_lstm_outer(m, turn->inputs[1]), perm, (uint32_t)rank)) {
            if (perm[*axis] < 0 || perm[*axis] >= rank) return;
            *axis = perm[*axis];
            *t = turn->inputs[0];
        } else if (reverse) *t = reverse->inputs[0];
        else return;
    }
}

/* A scalar outside the loop is the number of rows of x. */
static bool is_length(const lc_lstm_match *m, int32_t t) {
    int32_t x = m->loop.node->inputs[m->x], axis = 0, value, begin, end, stride;
    if (lc_lstm_ints(lc_lstm_outer(m, t), &value, 1)) return lc_tensor_dim(lc_lstm_outer(m, x), 0) == value;
    const lc_node *pick = lc_lstm_outer_node(m, t, LC_OP_STRIDED_SLICE),
                  *shape = pick ? lc_lstm_outer_node(m, pick->inputs[0], LC_OP_SHAPE) : NULL;
    if (!shape || !lc_lstm_ints(lc_lstm_outer(m, pick->inputs[1]), &begin, 1) ||
        !lc_lstm_ints(lc_lstm_outer(m, pick->inputs[2]), &end, 1) || !lc_lstm_ints(lc_lstm_outer(m, pick->inputs[3]), &stride, 1))
        return false;
    const lc_StridedSliceOptions *o = LC_OP_ATTRS(pick, StridedSliceOptions);
    if (o->begin_mask || o->end_mask || o->ellipsis_mask || o->new_axis_mask || o->offset || o->shrink_axis_mask != 1 || begin < 0)
        return false;
    int32_t y = shape->inputs[0];
    if (begin >= lc_lstm_outer(m, y)->rank) return false;
    follow(m, &y, &begin);
    follow(m, &x, &axis);
    return x == y && axis == begin;
}

/* A bound of the condition: at least the number of rows; *exact: just that. */
static bool is_bound(const lc_lstm_match *m, int32_t t, bool *exact) {
    const int32_t i = lc_loop_value(m->loop.cond, t);
    int32_t value;
    if (i >= 0) {
        if (m->roles[i] != LC_LSTM_PASSED || !is_length(m, m->loop.node->inputs[i])) return false;
        return *exact = true;
    }
    const int32_t rows = lc_tensor_dim(lc_lstm_outer(m, m->loop.node->inputs[m->x]), 0);
    if (!lc_lstm_ints(&m->loop.cond->tensors[t], &value, 1) || rows < 0 || value < rows) return false;
    *exact |= value == rows;
    return true;
}

static bool is_less(const lc_lstm_match *m, int32_t t, bool *exact, int depth) {
    const lc_node *n = lc_loop_producer(m->loop.cond, m->cond, t);
    if (lc_node_is(n, LC_OP_LOGICAL_AND) && depth < 4)
        return is_less(m, n->inputs[0], exact, depth + 1) && is_less(m, n->inputs[1], exact, depth + 1);
    const bool less = lc_node_is(n, LC_OP_LESS);
    if (!less && !lc_node_is(n, LC_OP_GREATER)) return false;
    const int32_t i = lc_loop_value(m->loop.cond, n->inputs[!less]);
    return i >= 0 && m->roles[i] == LC_LSTM_COUNTER && is_bound(m, n->inputs[less], exact);
}

static bool runs_all_rows(const lc_lstm_match *m) {
    bool exact = false;
    return is_less(m, m->loop.cond->outputs[0], &exact, 0) && exact;
}

/* The first dimension of a list as it begins is the number of rows. */
static bool has_all_rows(const lc_lstm_match *m, int32_t list) {
    int32_t x = m->loop.node->inputs[m->x];
    if (lc_tensor_dim(lc_lstm_outer(m, list), 0) >= 0)
        return lc_tensor_dim(lc_lstm_outer(m, list), 0) == lc_tensor_dim(lc_lstm_outer(m, x), 0);
    const lc_node *fill = lc_lstm_outer_node(m, list, LC_OP_FILL), *dims = fill ? lc_lstm_outer_node(m, fill->inputs[0], LC_OP_PACK) : NULL;
    return dims && dims->input_count == 3 && is_length(m, dims->inputs[0]);
}

/* ---- the step ----------------------------------------------------------------------------------------------------------------- */

static bool is_row(lc_lstm_match *m, int32_t tensor) {
    const lc_node *n = body_node(m, tensor, LC_OP_GATHER);
    if (!n || LC_OP_ATTRS(n, GatherOptions)->axis || LC_OP_ATTRS(n, GatherOptions)->batch_dims || !is_round(m, n->inputs[1])) return false;
    const int32_t i = lc_loop_value(m->loop.body, n->inputs[0]);
    if (i < 0 || m->roles[i] != LC_LSTM_PASSED || (m->x >= 0 && m->x != i) || lc_lstm_body_tensor(m, n->inputs[1])->rank) return false;
    m->x = i;
    return true;
}

static bool is_float_constant(const lc_tensor *t, int32_t rank) {
    return lc_tensor_is_const(t) && t->type == LC_FLOAT32 && !t->quant && !t->sparsity && t->rank == rank && !t->external_buffer;
}

/* Columns of all gates. */
static int32_t width_of(const lc_lstm_match *m) { return m->rnn ? m->units : m->units * 4; }

static bool add_bias(lc_lstm_match *m, int32_t t) {
    const lc_tensor *b = lc_lstm_body_tensor(m, t);
    uint64_t n;
    if (!lc_tensor_is_const(b) || !is_float_constant(b, b->rank) || !lc_tensor_elements(b, &n)) return false;
    if (n != 1 && (n != (uint64_t)width_of(m) || b->rank < 1 || b->dims[b->rank - 1] != width_of(m))) return false;
    if (m->bias_count == LC_LSTM_TERMS) return false;
    m->biases[m->bias_count++] = t;
    return true;
}

static bool add_product(lc_lstm_match *m, const lc_node *fc) {
    const lc_tensor *w = lc_lstm_body_tensor(m, fc->inputs[1]);
    const int32_t in = fc->inputs[0], h = body_in(m, m->h);
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(fc, FullyConnectedOptions);
    if (!is_float_constant(w, 2) || w->dims[0] != width_of(m) || o->weights_format) return false;
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
    if (!both || both->input_count != 2 || (axis != 1 && axis != -1) || m->wx || m->wh || m->wboth || lc_lstm_body_tensor(m, h)->rank != 2)
        return false;
    m->x_first = both->inputs[1] == h;
    if (!is_row(m, both->inputs[!m->x_first]) || both->inputs[m->x_first] != h) return false;
    m->wboth = fc;
    m->depth = w->dims[1] - m->units;
    return true;
}

static bool add_terms(lc_lstm_match *m, int32_t t, int depth) {
    const lc_node *add = body_node(m, t, LC_OP_ADD), *fc = body_node(m, t, LC_OP_FULLY_CONNECTED);
    if (fc) return add_product(m, fc);
    if (lc_tensor_is_const(lc_lstm_body_tensor(m, t))) return add_bias(m, t);
    return add && depth < LC_LSTM_TERMS && add_terms(m, add->inputs[0], depth + 1) && add_terms(m, add->inputs[1], depth + 1);
}

/* A quarter of z, perhaps with a number added. */
static bool is_gate(lc_lstm_match *m, int32_t t, int gate) {
    const lc_node *add = body_node(m, t, LC_OP_ADD);
    m->shift[gate] = 0;
    if (add) {
        const bool second = lc_tensor_is_const(lc_lstm_body_tensor(m, add->inputs[1]));
        const lc_tensor *number = lc_lstm_body_tensor(m, add->inputs[second]);
        if (!is_float_constant(number, 0) || !number->data || number->size != sizeof(float)) return false;
        memcpy(&m->shift[gate], number->data, sizeof(float));
        t = add->inputs[!second];
    }
    const lc_node *split = body_node(m, t, LC_OP_SPLIT);
    int32_t axis;
    if (!split || split->output_count != 4 || (m->split && m->split != split) ||
        !lc_lstm_ints(lc_lstm_body_tensor(m, split->inputs[0]), &axis, 1))
        return false;
    const lc_tensor *z = lc_lstm_body_tensor(m, split->inputs[1]);
    if (z->rank != 2 || (axis != 1 && axis != -1)) return false;
    m->split = split;
    m->z = split->inputs[1];
    for (int32_t k = 0; k < 4; k++)
        if (split->outputs[k] == t) m->gates[gate] = k;
    return true;
}

/* One factor of a product; *other: the other one. */
static bool is_sigmoid_gate(lc_lstm_match *m, const lc_node *mul, int which, int gate, int32_t *other) {
    const lc_node *sigmoid = body_node(m, mul->inputs[which], LC_OP_LOGISTIC);
    *other = mul->inputs[!which];
    return sigmoid && is_gate(m, sigmoid->inputs[0], gate);
}

static const lc_node *activated(lc_lstm_match *m, int32_t t) {
    const lc_node *tanh = body_node(m, t, LC_OP_TANH), *n = tanh ? tanh : body_node(m, t, LC_OP_RELU);
    if (!n || (m->activation && m->activation != n->op)) return NULL;
    m->activation = n->op;
    return n;
}

/* sigmoid(f) c */
static bool is_kept_part(lc_lstm_match *m, int32_t t) {
    const lc_node *mul = body_node(m, t, LC_OP_MUL);
    int32_t other;
    for (int k = 0; mul && k < 2; k++)
        if (mul->inputs[!k] == body_in(m, m->c) && is_sigmoid_gate(m, mul, k, LC_LSTM_FORGET, &other)) return true;
    return false;
}

/* sigmoid(i) act(g) */
static bool is_new_part(lc_lstm_match *m, int32_t t) {
    const lc_node *mul = body_node(m, t, LC_OP_MUL), *act;
    int32_t other;
    for (int k = 0; mul && k < 2; k++)
        if (is_sigmoid_gate(m, mul, k, LC_LSTM_INPUT, &other) && (act = activated(m, other)) && is_gate(m, act->inputs[0], LC_LSTM_CELL))
            return true;
    return false;
}

static bool is_step(lc_lstm_match *m) {
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
    const lc_tensor *z = lc_lstm_body_tensor(m, m->z);
    const int32_t width = lc_tensor_dim(z, 1);
    if (met != 15 || width < 4 || width % 4) return false;
    m->units = width / 4;
    return add_terms(m, m->z, 0) && m->x >= 0 && (m->wboth || (m->wx && m->wh)) && m->depth > 0;
}

/* h' = act(x[t] W + h U + b) */
static bool is_rnn_step(lc_lstm_match *m) {
    const lc_node *n = lc_loop_producer(m->loop.body, m->body, body_out(m, m->h));
    static const struct {
        lc_op_id op;
        int8_t fused;
    } acts[] = {{LC_OP_TANH, LC_ActivationFunctionType_TANH},
                {LC_OP_RELU, LC_ActivationFunctionType_RELU},
                {LC_OP_RELU6, LC_ActivationFunctionType_RELU6},
                {LC_OP_RELU_N1_TO_1, LC_ActivationFunctionType_RELU_N1_TO_1}};
    int32_t z = body_out(m, m->h);
    m->rnn = true;
    m->wx = m->wh = m->wboth = NULL;
    m->bias_count = 0;
    m->x = -1;
    m->fused = LC_ActivationFunctionType_NONE;
    m->gates[0] = 0;
    m->shift[0] = 0;
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
        if (lc_node_is(n, acts[i].op)) {
            m->fused = acts[i].fused;
            z = n->inputs[0];
            break;
        }
    const lc_tensor *t = lc_lstm_body_tensor(m, z);
    const lc_node *sum = lc_loop_producer(m->loop.body, m->body, z);
    if (t->rank != 2 || lc_tensor_dim(t, 1) < 1) return false;
    m->units = lc_tensor_dim(t, 1);
    bool fine = add_terms(m, z, 0);
    if (!fine && lc_node_is(sum, LC_OP_ADD) && !plain(sum) &&
        m->fused == LC_ActivationFunctionType_NONE) { /* the activation is in the sum */
        m->fused = *lc_op_fused_act(sum);
        fine = add_terms(m, sum->inputs[0], 0) && add_terms(m, sum->inputs[1], 0);
    }
    return fine && m->x >= 0 && (m->wboth || (m->wx && m->wh)) && m->depth > 0;
}

/* ys[t] = h' or ys[0] = h'. */
static bool is_list(lc_lstm_match *m, uint32_t i) {
    const lc_node *update = body_node(m, body_out(m, i), LC_OP_DYNAMIC_UPDATE_SLICE);
    if (!update || update->inputs[0] != body_in(m, i)) return false;
    const lc_node *row = lc_loop_producer(m->loop.body, m->body, update->inputs[1]);
    const lc_tensor *t = lc_lstm_body_tensor(m, update->inputs[1]), *start = lc_lstm_body_tensor(m, update->inputs[2]);
    if ((!lc_node_is(row, LC_OP_RESHAPE) && !lc_node_is(row, LC_OP_EXPAND_DIMS)) || row->inputs[0] != body_out(m, m->h) || t->rank != 3 ||
        lc_tensor_dim(t, 0) != 1 || lc_tensor_dim(t, 2) != m->units || lc_lstm_outer(m, m->loop.node->inputs[i])->rank != 3)
        return false;
    int32_t at[3];
    if (lc_lstm_ints(start, at, 3)) {
        m->roles[i] = LC_LSTM_LIST_LAST;
        return !at[0] && !at[1] && !at[2] && lc_tensor_dim(lc_lstm_outer(m, m->loop.node->inputs[i]), 0) == 1;
    }
    const lc_node *pack = body_node(m, update->inputs[2], LC_OP_PACK);
    m->roles[i] = LC_LSTM_LIST_EACH;
    return pack && pack->input_count == 3 && is_round(m, pack->inputs[0]) && is_int(lc_lstm_body_tensor(m, pack->inputs[1]), 0) &&
           is_int(lc_lstm_body_tensor(m, pack->inputs[2]), 0) && has_all_rows(m, m->loop.node->inputs[i]);
}

/* What the operator does not give is read by nobody, and the lists hold what it gives. */
static bool gives_enough(lc_lstm_match *m) {
    m->each = -1;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        const int32_t out = m->loop.node->outputs[i];
        const bool read = m->rw->uses[out] || m->rw->is_output[out];
        if (m->roles[i] == LC_LSTM_LIST_EACH || m->roles[i] == LC_LSTM_LIST_LAST) {
            if (!is_list(m, i)) return false;
            if (read && m->roles[i] == LC_LSTM_LIST_EACH && m->each >= 0) return false;
            if (read && m->roles[i] == LC_LSTM_LIST_EACH) m->each = out;
        } else if (read && m->roles[i] != LC_LSTM_HIDDEN && m->roles[i] != LC_LSTM_CELLS) return false;
    }
    return true;
}

static bool recognise(lc_lstm_match *m) {
    uint32_t states[2], count = 0;
    if (m->loop.n > LC_LSTM_VALUES) return false;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        m->roles[i] = LC_LSTM_PASSED;
        if (body_out(m, i) == body_in(m, i)) continue;
        if (is_counter(m, i)) m->roles[i] = LC_LSTM_COUNTER;
        else if (body_node(m, body_out(m, i), LC_OP_DYNAMIC_UPDATE_SLICE)) m->roles[i] = LC_LSTM_LIST_EACH;
        else if (count < 2) states[count++] = i;
        else return false;
    }
    bool found = false;
    for (int k = 0; count == 2 && k < 2 && !found; k++) {
        m->h = states[k];
        m->c = states[!k];
        found = is_step(m);
    }
    if (count == 1) {
        m->h = m->c = states[0];
        found = is_rnn_step(m);
    }
    if (!found) return false;
    m->roles[m->c] = LC_LSTM_CELLS;
    m->roles[m->h] = LC_LSTM_HIDDEN;
    const lc_tensor *x = lc_lstm_outer(m, m->loop.node->inputs[m->x]);
    return x->type == LC_FLOAT32 && x->rank == 3 && x->has_rank && lc_tensor_dim(x, 2) == m->depth && runs_all_rows(m) && gives_enough(m);
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
        lc_lstm_match m = {.rw = rw};
        if (node->op != LC_OP_WHILE) continue;
        lc_rewrite_resolve(rw, node);
        if (!lc_loop_of(rw, node, &m.loop)) continue;
        m.body = lc_loop_producers(rw, m.loop.body);
        m.cond = lc_loop_producers(rw, m.loop.cond);
        if (!m.body || !m.cond) return lc_fail_memory(rw->err, "loop");
        if (recognise(&m)) LC_TRY(lc_lstm_build(&m, n, &done));
    }
    return LC_OK;
}
