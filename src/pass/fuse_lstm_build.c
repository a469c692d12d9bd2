/*
 * fuse_lstm_build.c: the operator in place of the loop that fuse_lstm.c has recognised.
 *
 * The operator's state is a pair of variables, which keep their values from run to run: a second run would go on where the first ended,
 * and a variable has the batch it was made for. Both is wrong for a loop that begins anew. So an operator in front writes what the loop
 * began with into them, in each run and for the batch that runs:
 *
 *     ZEROS_LIKE(x[., 0, 0:1]) [B,1] + (h0, c0) ─▶ SPLIT ─▶ h, c (variables)           a fixed batch: SPLIT of (h0, c0)
 *
 * (h0, c0) is a constant, or a CONCATENATION of two tensors (states that come from an input, or from another LSTM). They have x's batch, or
 * a single row; a single sequence over the states of many is no case of the operator's, and an error of the run.
 *
 * The last cells are what is left in c. An operator that reads a variable after another has changed it must come later in every order that
 * a delegate may choose, so it reads the operator's output as well: SELECT_V2(true, c, last row of y).
 *
 * A SimpleRNN's operator has one variable, for h, which a SPLIT into one part writes: LiteRT lets ADD write where one of its inputs lies, which a
 * variable does not.
 *
 * Only in graphs that no other calls: LiteRT gives the variables of a called graph a life of their own. And an open batch only where every
 * operator that leads to x has its shape before the run: LiteRT makes room for variables then, and a batch that comes out of the run
 * itself (WHERE, a loop whose values grow) would not fit it. It makes that room when it meets the first operator whose shape comes out of the run, of
 * whatever kind, and writes past its end later: so those are put behind. A sequence without elements is no case of TFLite's.
 */
#include "pass/fuse_lstm.h"

#include "ir/constant.h"

enum { LSTM_INPUTS = 20, RNN_INPUTS = 5 };

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
                                    LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN,
                                    LC_OP_DYNAMIC_UPDATE_SLICE,
                                    LC_OP_SHAPE,
                                    LC_OP_SELECT_V2,
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

static bool follows(const lc_graph *g, const lc_node *n, const bool *known) {
    const lc_op_def *def = lc_op_get(n->op);
    if (!def || (def->flags & LC_OPF_CALLS)) return false;
    const bool shapes = (def->flags & LC_OPF_ELEMENTWISE) || is_among(n->op, by_shapes, sizeof by_shapes / sizeof *by_shapes);
    const bool split = n->op == LC_OP_SPLIT, values = split || is_among(n->op, by_values, sizeof by_values / sizeof *by_values);
    if (!shapes && !values) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t t = n->inputs[i];
        if (t < 0) continue;
        if (!known[t]) return false;
        if (!shapes && i != (split ? 1 : 0) && !lc_tensor_is_const(&g->tensors[t])) return false;
    }
    return true;
}

/* ---- a loop keeps its shapes ---------------------------------------------------------------------------------------------- */

/* What LiteRT finds when it prepares a WHILE: where the body's results have the shapes that its values begin with, they are the loop's. That is
 * tried with made-up sizes of the open dimensions, twice with different ones. */
typedef struct sizes {
    lc_rewrite *rw;
    const lc_graph *graph;
    lc_shape *shapes; /* [tensors] LC_RANK_UNKNOWN: not known */
} sizes;

/* Those of constants. */
static bool begin_sizes(lc_rewrite *rw, const lc_graph *g, sizes *s) {
    *s = (sizes){rw, g, lc_arena_array(&rw->temporary, g->tensor_count + 1, sizeof *s->shapes)};
    for (size_t i = 0; s->shapes && i < g->tensor_count; i++) {
        const lc_tensor *t = &g->tensors[i];
        s->shapes[i].rank = lc_tensor_is_const(t) && t->rank <= LC_MAX_RANK ? t->rank : LC_RANK_UNKNOWN;
        for (int32_t d = 0; d < s->shapes[i].rank; d++) s->shapes[i].dims[d] = t->dims[d];
    }
    return s->shapes != NULL;
}

/* Every open dimension of an input has a size of its own. */
static void open_input(sizes *s, size_t i, int32_t open) {
    const lc_tensor *t = &s->graph->tensors[s->graph->inputs[i]];
    lc_shape *shape = &s->shapes[s->graph->inputs[i]];
    if (!t->has_rank || t->rank > LC_MAX_RANK || i > 64) return;
    shape->rank = t->rank;
    for (int32_t d = 0; d < t->rank; d++)
        shape->dims[d] = lc_tensor_dim(t, d) >= 0 ? lc_tensor_dim(t, d) : open + 17 * (int32_t)i + 2 * d * (d + 5);
}

static void infer_sizes(sizes *s, const lc_node *n) {
    lc_infer_tensor *in = lc_arena_array(&s->rw->temporary, (size_t)n->input_count + n->output_count + 1, sizeof *in),
                    *out = in + n->input_count;
    bool known = in != NULL;
    lc_error ignored;
    for (uint32_t i = 0; known && i < n->input_count + n->output_count; i++) {
        const int32_t k = i < n->input_count ? n->inputs[i] : n->outputs[i - n->input_count];
        if (k < 0) continue;
        const lc_tensor *t = &s->graph->tensors[k];
        in[i] = (lc_infer_tensor){
            .present = true, .type = t->type, .shape = s->shapes[k], .data = t->data, .size = t->size, .quant = t->quant, .def = t};
        known = i >= n->input_count || s->shapes[k].rank != LC_RANK_UNKNOWN;
    }
    lc_infer_ctx ctx = {.node = n, .in = in, .in_count = n->input_count, .out = out, .out_count = n->output_count, .err = &ignored};
    known = known && lc_op_infer(&ctx) == LC_OK;
    for (uint32_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] >= 0) s->shapes[n->outputs[i]] = known ? out[i].shape : (lc_shape){.rank = LC_RANK_UNKNOWN};
}

/* The body's operators all have their shapes from these of its inputs, and its outputs the same. */
static bool keeps_shapes(sizes *outer, const lc_loop *l) {
    lc_rewrite *rw = outer->rw;
    const lc_graph *g = l->body;
    sizes s;
    bool *known = lc_arena_array(&rw->temporary, g->tensor_count + 1, sizeof *known);
    if (!known || !begin_sizes(rw, g, &s)) return false;
    for (size_t i = 0; i < g->tensor_count; i++) known[i] = lc_tensor_is_const(&g->tensors[i]);
    for (uint32_t i = 0; i < l->n; i++) {
        known[g->inputs[i]] = true;
        s.shapes[g->inputs[i]] = outer->shapes[l->node->inputs[i]];
    }
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_node *node = &g->nodes[n];
        if (node->op == LC_NODE_DEAD) continue;
        if (!follows(g, node, known)) return false;
        infer_sizes(&s, node);
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0) known[node->outputs[i]] = true;
    }
    for (uint32_t i = 0; i < l->n; i++) {
        const lc_shape *from = &s.shapes[g->inputs[i]], *to = &s.shapes[g->outputs[i]];
        if (from->rank == LC_RANK_UNKNOWN || !lc_shape_equal(from, to)) return false;
        outer->shapes[l->node->outputs[i]] = *to;
    }
    return true;
}

/* [tensors] whether each has its shape before the run. open: what sizes of open dimensions begin with; 0: no loops are looked into. */
static lc_status find_known_with(const lc_lstm_match *m, int32_t open, bool *known) {
    lc_rewrite *rw = m->rw;
    const lc_graph *g = rw->graph;
    sizes s = {0};
    for (size_t i = 0; i < g->tensor_count; i++) known[i] = lc_tensor_is_const(&g->tensors[i]) || g->tensors[i].is_variable;
    if (open && !begin_sizes(rw, g, &s)) return lc_fail_memory(rw->err, "shapes");
    for (size_t i = 0; i < g->input_count; i++) {
        known[g->inputs[i]] = true;
        if (open) open_input(&s, i, open);
    }
    for (size_t n = 0; n < g->node_count; n++) {
        lc_node *node = &g->nodes[n];
        lc_loop l;
        if (node->op == LC_NODE_DEAD) continue;
        lc_rewrite_resolve(rw, node);
        bool will = follows(g, node, known);
        if (open && node->op != LC_OP_WHILE) infer_sizes(&s, node);
        else if (open && lc_loop_of(rw, node, &l)) {
            will = true;
            for (uint32_t i = 0; i < l.n && will; i++) will = known[node->inputs[i]];
            will = will && keeps_shapes(&s, &l);
        }
        for (uint32_t i = 0; i < node->output_count; i++)
            if (node->outputs[i] >= 0) known[node->outputs[i]] = will;
    }
    return LC_OK;
}

static lc_status find_known(const lc_lstm_match *m, size_t at, bool **result) {
    const lc_graph *g = m->rw->graph;
    bool *known = lc_arena_array(&m->rw->temporary, 2 * g->tensor_count + 1, sizeof *known), *other = known + g->tensor_count,
         loops = false;
    if (!known) return lc_fail_memory(m->rw->err, "shapes");
    for (size_t n = 0; n < at; n++) loops |= g->nodes[n].op == LC_OP_WHILE;
    LC_TRY(find_known_with(m, loops ? 211 : 0, known));
    if (loops) LC_TRY(find_known_with(m, 307, other));
    for (size_t i = 0; loops && i < g->tensor_count; i++) known[i] &= other[i];
    *result = known;
    return LC_OK;
}

/* ---- making ------------------------------------------------------------------------------------------------------------------- */

typedef struct made {
    lc_lstm_match *m;
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
static void read_floats(const lc_lstm_match *m, int32_t tensor, size_t first, size_t n, float *out) {
    const lc_tensor *t = lc_lstm_body_tensor(m, tensor);
    if (t->data) memcpy(out, (const char *)t->data + first * sizeof *out, n * sizeof *out);
    else lc_deferred_read(t->deferred, first, n, out);
}

/* The rows of a weight that make this gate, columns [from, from + n). */
static int32_t gate_weights(made *d, const lc_node *fc, int gate, int32_t from, int32_t n) {
    const lc_lstm_match *m = d->m;
    const size_t width = (size_t)lc_lstm_body_tensor(m, fc->inputs[1])->dims[1], first = (size_t)m->gates[gate] * (size_t)m->units;
    int32_t t;
    float *to = add_floats(d, (int32_t[]){m->units, n}, 2, &t);
    for (int32_t r = 0; to && r < m->units; r++)
        read_floats(m, fc->inputs[1], (first + (size_t)r) * width + (size_t)from, (size_t)n, to + (size_t)r * (size_t)n);
    return t;
}

static int32_t gate_bias(made *d, int gate) {
    const lc_lstm_match *m = d->m;
    int32_t t;
    float *to = add_floats(d, &m->units, 1, &t), one;
    for (int32_t r = 0; to && r < m->units; r++) {
        to[r] = m->shift[gate];
        for (uint32_t k = 0; k < m->bias_count; k++) {
            uint64_t n = 0;
            lc_tensor_elements(lc_lstm_body_tensor(m, m->biases[k]), &n);
            read_floats(m, m->biases[k], n == 1 ? 0 : (size_t)m->gates[gate] * (size_t)m->units + (size_t)r, 1, &one);
            to[r] += one;
        }
    }
    return t;
}

static int state_count(const lc_lstm_match *m) { return m->rnn ? 1 : 2; }

/* What the states begin with. */
typedef struct start {
    bool computed;
    int32_t tensors[2];     /* computed */
    bool zeros[2];          /* else: zeros, or */
    lc_tensor constants[2]; /* a row, or as many as the batch */
} start;

static bool is_constant_start(const lc_lstm_match *m, int32_t t, int32_t batch, bool *zeros, lc_tensor *constant) {
    const lc_node *fill = lc_lstm_outer_node(m, t, LC_OP_FILL);
    const lc_tensor *c = fill ? lc_lstm_outer(m, fill->inputs[1]) : lc_lstm_outer(m, t);
    float v = 1;
    *zeros = fill || lc_lstm_outer_node(m, t, LC_OP_ZEROS_LIKE);
    if (*zeros && !fill) return true;
    if (!c->data || c->type != LC_FLOAT32 || c->quant || c->sparsity) return false;
    if (fill) return c->size == sizeof v && (memcpy(&v, c->data, sizeof v), v == 0);
    *constant = *c;
    return c->rank == 2 && c->dims[1] == m->units && (c->dims[0] == 1 || c->dims[0] == batch);
}

static bool is_computed_start(const lc_lstm_match *m, int32_t t, int32_t batch, const bool *known) {
    const lc_tensor *v = lc_lstm_outer(m, t);
    const int32_t rows = lc_tensor_dim(v, 0);
    return v->type == LC_FLOAT32 && !v->quant && v->has_rank && v->rank == 2 && lc_tensor_dim(v, 1) == m->units && (!known || known[t]) &&
           (rows == batch || (batch < 0 && rows == 1));
}

/* known: of an open batch. */
static bool find_start(const lc_lstm_match *m, int32_t batch, const bool *known, start *s) {
    const int32_t t[2] = {m->loop.node->inputs[m->h], m->loop.node->inputs[m->c]};
    *s = (start){.tensors = {t[0], t[1]}};
    if (is_constant_start(m, t[0], batch, &s->zeros[0], &s->constants[0]) &&
        (m->rnn || is_constant_start(m, t[1], batch, &s->zeros[1], &s->constants[1])))
        return true;
    s->computed = true;
    if (m->rnn) return is_computed_start(m, t[0], batch, known);
    return is_computed_start(m, t[0], batch, known) && is_computed_start(m, t[1], batch, known) &&
           lc_tensor_dim(lc_lstm_outer(m, t[0]), 0) == lc_tensor_dim(lc_lstm_outer(m, t[1]), 0);
}

/* [rows, 2 units] of both states, [rows, units] of one. */
static void fill_states(const lc_lstm_match *m, const start *s, int32_t rows, float *to) {
    const size_t n = (size_t)m->units;
    for (int32_t b = 0; b < rows; b++)
        for (int k = 0; k < state_count(m); k++, to += n) {
            const lc_tensor *c = &s->constants[k];
            if (!s->zeros[k]) memcpy(to, (const float *)c->data + (c->dims[0] == 1 ? 0 : (size_t)b * n), n * sizeof *to);
        }
}

/* x[., 0, 0:1], zeroed: [batch,1]. */
static int32_t make_zeros(made *d) {
    const bool first = d->m->rows_first;
    const int32_t begin[3] = {0, 0, 0}, end[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, dims[2] = {-1, 1};
    const lc_StridedSliceOptions o = {.begin_mask = first ? 2 : 1, .end_mask = first ? 2 : 1, .shrink_axis_mask = first ? 1 : 2};
    const lc_ZerosLikeOptions none = {0};
    const int32_t some = add_tensor(d, dims, 2, false), zeros = add_tensor(d, dims, 2, false);
    const int32_t from = add_ints(d, begin, 3), to = add_ints(d, end, 3), by = add_ints(d, stride, 3);
    add_node(d, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, (int32_t[]){d->m->input, from, to, by}, 4, &some, 1);
    add_node(d, LC_OP_ZEROS_LIKE, LC_TABLE_ZerosLikeOptions, &none, &some, 1, &zeros, 1);
    return zeros;
}

/* Writes what the loop begins with into the variables. */
static void make_states(made *d, int32_t batch, const start *s, int32_t out[2]) {
    const lc_lstm_match *m = d->m;
    const int32_t axis = 1;
    int32_t both, dims[2] = {batch < 0 ? 1 : batch, state_count(m) * m->units};
    if (s->computed && m->rnn) both = s->tensors[0];
    else if (s->computed) {
        const lc_ConcatenationOptions o = {.axis = 1};
        dims[0] = lc_tensor_dim(lc_lstm_outer(m, s->tensors[0]), 0);
        both = add_tensor(d, dims, 2, false);
        add_node(d, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, s->tensors, 2, &both, 1);
    } else {
        float *data = add_floats(d, dims, 2, &both);
        if (data) fill_states(m, s, dims[0], data);
    }
    dims[0] = batch;
    if (batch < 0) {
        const lc_AddOptions add = {.fused_activation_function = LC_ActivationFunctionType_NONE};
        const int32_t zeros = make_zeros(d), spread = add_tensor(d, dims, 2, false);
        add_node(d, LC_OP_ADD, LC_TABLE_AddOptions, &add, (int32_t[]){zeros, both}, 2, &spread, 1);
        both = spread;
    }
    dims[1] = m->units;
    const lc_SplitOptions split = {.num_splits = state_count(m)};
    for (int k = 0; k < state_count(m); k++) out[k] = add_tensor(d, dims, 2, true);
    add_node(d, LC_OP_SPLIT, LC_TABLE_SplitOptions, &split, (int32_t[]){add_ints(d, &axis, 1), both}, 2, out, (uint32_t)state_count(m));
}

/* The last row of y, without its dimension. */
static void make_last(made *d, int32_t y, int32_t out) {
    const bool first = d->m->rows_first;
    const int32_t begin[3] = {first ? -1 : 0, first ? 0 : -1, 0}, end[3] = {0, 0, 0}, stride[3] = {1, 1, 1};
    const lc_StridedSliceOptions o = {.begin_mask = first ? 6 : 5, .end_mask = first ? 6 : 5, .shrink_axis_mask = first ? 1 : 2};
    add_node(d, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o,
             (int32_t[]){y, add_ints(d, begin, 3), add_ints(d, end, 3), add_ints(d, stride, 3)}, 4, &out, 1);
}

/* What is left in the variable, once y is there. */
static void make_cells(made *d, int32_t y, int32_t cells, int32_t batch, int32_t out) {
    const int32_t last = add_tensor(d, (int32_t[]){batch, d->m->units}, 2, false);
    const lc_SelectV2Options none = {0};
    int32_t yes = -1;
    void *data;
    make_last(d, y, last);
    if (!d->status) d->status = lc_rewrite_add_constant(d->m->rw, d->name, LC_BOOL, NULL, 0, &yes, &data);
    if (!d->status) *(uint8_t *)data = 1;
    add_node(d, LC_OP_SELECT_V2, LC_TABLE_SelectV2Options, &none, (int32_t[]){yes, cells, last}, 3, &out, 1);
}

/* The loop's results from y, into the tensors they were. */
static void make_results(made *d, int32_t y, int32_t cells, int32_t batch) {
    const lc_lstm_match *m = d->m;
    const lc_node *node = m->loop.node;
    for (uint32_t i = 0; i < m->loop.n; i++) {
        const int32_t out = node->outputs[i];
        if (!m->rw->uses[out] && !m->rw->is_output[out]) continue;
        if (m->roles[i] == LC_LSTM_HIDDEN) make_last(d, y, out);
        else if (m->roles[i] == LC_LSTM_CELLS) make_cells(d, y, cells, batch, out);
        else if (m->roles[i] == LC_LSTM_LIST_EACH) {
            const int32_t swap[3] = {1, 0, 2};
            const lc_TransposeOptions none = {0};
            if (!m->rows_first)
                add_node(d, LC_OP_TRANSPOSE, LC_TABLE_TransposeOptions, &none, (int32_t[]){y, add_ints(d, swap, 3)}, 2, &out, 1);
        } else if (m->roles[i] == LC_LSTM_LIST_LAST) {
            const int32_t row = add_tensor(d, (int32_t[]){batch, m->units}, 2, false), like[3] = {1, batch, m->units};
            const lc_ReshapeOptions o = {0};
            make_last(d, y, row);
            add_node(d, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, &o, (int32_t[]){row, add_ints(d, like, 3)}, 2, &out, 1);
        }
    }
}

static bool is_early(const lc_node *n, const bool *known) {
    bool early = n->op != LC_NODE_DEAD && n->output_count > 0;
    for (uint32_t i = 0; early && i < n->output_count; i++) early = n->outputs[i] < 0 || known[n->outputs[i]];
    return early;
}

/* The nodes from `first` on take the place of node `at`. Nodes before it whose shapes come out of the run only go behind them: what has its
 * shape before needs none of those. known: NULL, all stay. */
static lc_status move_nodes(lc_rewrite *rw, size_t at, size_t first, const bool *known) {
    lc_graph *g = rw->graph;
    const size_t n = g->node_count - first;
    lc_node *copy = lc_arena_array(&rw->temporary, n + at + 1, sizeof *copy);
    size_t early = 0, late = 0;
    if (!copy) return lc_fail_memory(rw->err, "operators");
    g->nodes[at].op = LC_NODE_DEAD;
    for (size_t i = 0; i <= at; i++)
        if (!known || is_early(&g->nodes[i], known)) g->nodes[early++] = g->nodes[i];
        else copy[n + late++] = g->nodes[i];
    memcpy(copy, g->nodes + first, n * sizeof *copy);
    memmove(g->nodes + at + 1 + n, g->nodes + at + 1, (first - at - 1) * sizeof *g->nodes);
    memcpy(g->nodes + early, copy, (n + late) * sizeof *copy);
    rw->changed = true;
    return LC_OK;
}

/* The operator over what m->input holds, with its state in these variables. */
static void make_lstm(made *d, const int32_t states[2], int32_t y) {
    const lc_lstm_match *m = d->m;
    int32_t in[LSTM_INPUTS];
    for (uint32_t i = 0; i < LSTM_INPUTS; i++) in[i] = LC_ABSENT;
    const lc_lstm_slots s = lc_lstm_slots_of(LSTM_INPUTS);
    in[s.input] = m->input;
    for (int g = 0; g < LC_LSTM_GATES; g++) {
        const lc_node *wx = m->wboth ? m->wboth : m->wx, *wh = m->wboth ? m->wboth : m->wh;
        in[s.weights[g]] = gate_weights(d, wx, g, m->wboth && !m->x_first ? m->units : 0, m->depth);
        in[s.recurrent[g]] = gate_weights(d, wh, g, m->wboth && m->x_first ? m->depth : 0, m->units);
        in[s.bias[g]] = gate_bias(d, g);
    }
    in[s.hidden] = states[0];
    in[s.cell] = states[1];
    const lc_UnidirectionalSequenceLSTMOptions o = {
        .fused_activation_function = m->activation == LC_OP_TANH ? LC_ActivationFunctionType_TANH : LC_ActivationFunctionType_RELU,
        .time_major = m->rows_first};
    add_node(d, LC_OP_UNIDIRECTIONAL_SEQUENCE_LSTM, LC_TABLE_UnidirectionalSequenceLSTMOptions, &o, in, LSTM_INPUTS, &y, 1);
}

static void make_rnn(made *d, int32_t state, int32_t y) {
    const lc_lstm_match *m = d->m;
    const lc_node *wx = m->wboth ? m->wboth : m->wx, *wh = m->wboth ? m->wboth : m->wh;
    const int32_t weights = gate_weights(d, wx, 0, m->wboth && !m->x_first ? m->units : 0, m->depth),
                  recurrent = gate_weights(d, wh, 0, m->wboth && m->x_first ? m->depth : 0, m->units);
    const int32_t in[RNN_INPUTS] = {m->input, weights, recurrent, gate_bias(d, 0), state};
    const lc_SequenceRNNOptions o = {.fused_activation_function = m->fused, .time_major = m->rows_first};
    add_node(d, LC_OP_UNIDIRECTIONAL_SEQUENCE_RNN, LC_TABLE_SequenceRNNOptions, &o, in, RNN_INPUTS, &y, 1);
}

lc_status lc_lstm_build(lc_lstm_match *m, size_t at, bool *done) {
    lc_rewrite *rw = m->rw;
    const int32_t xs = m->loop.node->inputs[m->x];
    const lc_node *turn = lc_lstm_outer_node(m, xs, LC_OP_TRANSPOSE);
    int32_t perm[3];
    m->rows_first = !turn || !lc_lstm_ints(lc_lstm_outer(m, turn->inputs[1]), perm, 3) || perm[0] != 1 || perm[1] != 0 || perm[2] != 2;
    m->input = m->rows_first ? xs : turn->inputs[0];
    const int32_t batch = lc_tensor_dim(lc_lstm_outer(m, xs), 1), rows = lc_tensor_dim(lc_lstm_outer(m, xs), 0);
    start s0; /* a copy: the list of tensors will move */
    bool *known = NULL;
    if (batch < 0) LC_TRY(find_known(m, at, &known));
    if ((known && !known[m->input]) || !find_start(m, batch, known, &s0)) return LC_OK;
    const size_t before = rw->graph->node_count;
    made d = {.m = m, .layer = m->loop.node->layer, .name = lc_lstm_outer(m, m->loop.node->outputs[m->h])->name};
    int32_t states[2] = {-1, -1};
    make_states(&d, batch, &s0, states);
    const int32_t dims[3] = {m->rows_first ? rows : batch, m->rows_first ? batch : rows, m->units};
    const int32_t y = m->rows_first && m->each >= 0 ? m->each : add_tensor(&d, dims, 3, false);
    if (m->rnn) make_rnn(&d, states[0], y);
    else make_lstm(&d, states, y);
    m->loop.node = &rw->graph->nodes[at]; /* the list may have moved */
    make_results(&d, y, states[1], batch);
    *done = true;
    return d.status ? d.status : move_nodes(rw, at, before, known);
}
