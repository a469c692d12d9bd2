/*
 * fuse_function.c: elementwise operators that together are one function of one tensor, and that TFLite has an operator for, become it:
 * GELU (by erf, erfc or tanh), HARD_SWISH, LEAKY_RELU, PRELU, RELU6, LOGISTIC and others, whatever way a framework or a user spells them.
 *
 * They are recognised by what they compute. From a root the operators before it are taken together, the latest first, until all of them
 * hang on one tensor x; then they are run with our own kernels on some hundred values of x from -10,000 to 10,000 and compared with each
 * function of the list. A function that agrees on all of them within 1e-5 is what was meant: the nearest two of the list, GELU and its
 * tanh form, differ by 4.7e-4.
 *
 * PRELU has a constant slope a channel: constants of one shape may take part, and f(v) = v, f(-v) = v f(-1) must hold for each
 * element.
 *
 * Only where nobody else reads what goes away. The work is bounded: WORK elements for each node of the graph.
 */
#include "kernels/kernel.h"
#include "pass/rewrite.h"

#include <math.h>
#include <string.h>

enum {
    NODES = 96,      /* of a region */
    STAGES = 4,      /* single tensors x tried for a root */
    GRID = 256,      /* samples k / 16 */
    CHANNELS = 4096, /* of PRELU's slope */
    WORK = 1 << 15,
};

static const float extremes[] = {0.0f,   1e-6f,  1e-3f, 9.0f,   12.0f,  15.0f,  20.0f,  30.0f,  50.0f,   100.0f,   1000.0f, 1e4f,
                                 -1e-6f, -1e-3f, -9.0f, -12.0f, -15.0f, -20.0f, -30.0f, -50.0f, -100.0f, -1000.0f, -1e4f};
enum { SAMPLES = GRID + sizeof extremes / sizeof *extremes };

static float sample(size_t i) { return i < GRID ? ((float)i - GRID / 2 + 0.5f) / 16 : extremes[i - GRID]; }

/* ---- the functions ------------------------------------------------------------------------------------------------------- */

static double f_relu(double x) { return x > 0 ? x : 0; }
static double f_relu6(double x) { return fmin(fmax(x, 0), 6); }
static double f_relu_1(double x) { return fmin(fmax(x, -1), 1); }
static double f_relu_01(double x) { return fmin(fmax(x, 0), 1); }
static double f_elu(double x) { return x > 0 ? x : expm1(x); }
static double f_logistic(double x) { return 1 / (1 + exp(-x)); }
static double f_gelu(double x) { return 0.5 * x * erfc(-x * 0.70710678118654752440); }
static double f_gelu_tanh(double x) { return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))); }
static double f_hard_swish(double x) { return x * fmin(fmax(x + 3, 0), 6) / 6; }

static const struct function {
    double (*at)(double x);
    int32_t op;
    bool approximate; /* GELU's option */
} functions[] = {{f_relu, LC_OP_RELU, false},
                 {f_relu6, LC_OP_RELU6, false},
                 {f_relu_1, LC_OP_RELU_N1_TO_1, false},
                 {f_relu_01, LC_OP_RELU_0_TO_1, false},
                 {fabs, LC_OP_ABS, false},
                 {f_elu, LC_OP_ELU, false},
                 {f_logistic, LC_OP_LOGISTIC, false},
                 {tanh, LC_OP_TANH, false},
                 {f_gelu, LC_OP_GELU, false},
                 {f_gelu_tanh, LC_OP_GELU, true},
                 {f_hard_swish, LC_OP_HARD_SWISH, false}};

/* ---- a region ------------------------------------------------------------------------------------------------------------- */

typedef struct region {
    int32_t nodes[NODES]; /* indices; [0] is the root */
    uint32_t count;
    int32_t leaves[NODES]; /* tensors without data that nodes of the region read and none makes */
    uint32_t leaf_count;
    int32_t slope; /* a constant of several elements; -1: none */
} region;

static bool takes_part(const lc_rewrite *rw, const lc_node *node) {
    const lc_op_def *def = node->op == LC_NODE_DEAD ? NULL : lc_op_get(node->op);
    if (!def || node->output_count != 1 || node->outputs[0] < 0 || node->op == LC_OP_FAKE_QUANT) return false;
    if (!(def->flags & LC_OPF_ELEMENTWISE) && node->op != LC_OP_SELECT) return false;
    const lc_tensor *out = lc_rewrite_tensor(rw, node->outputs[0]);
    return !out->quant && !out->is_variable && (out->type == LC_FLOAT32 || out->type == LC_BOOL || out->type == LC_INT32);
}

static uint32_t readers(const lc_rewrite *rw, const region *r, int32_t tensor) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < r->count; i++) {
        const lc_node *node = &rw->graph->nodes[r->nodes[i]];
        for (uint32_t k = 0; k < node->input_count; k++) n += node->inputs[k] == tensor;
    }
    return n;
}

/* Adds a node; its inputs become leaves. False when a constant does not fit. */
static bool absorb(const lc_rewrite *rw, region *r, int32_t index) {
    const lc_node *node = &rw->graph->nodes[index];
    r->nodes[r->count++] = index;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const int32_t t = node->inputs[i];
        if (t < 0) return false;
        const lc_tensor *c = lc_rewrite_tensor(rw, t);
        if (c->data) {
            const size_t width = lc_dtype_bits(c->type) / 8;
            if (c->quant || width == 0 || c->size < width) return false;
            if (c->size == width) continue;
            if (c->type != LC_FLOAT32 || c->size > CHANNELS * sizeof(float)) return false;
            if (r->slope >= 0 && !lc_same_dims(c, lc_rewrite_tensor(rw, r->slope))) return false;
            r->slope = t;
            continue;
        }
        if (lc_tensor_is_const(c)) return false;
        bool there = false;
        for (uint32_t k = 0; k < r->leaf_count; k++) there = there || r->leaves[k] == t;
        if (!there && r->leaf_count == NODES) return false;
        if (!there) r->leaves[r->leaf_count++] = t;
    }
    return true;
}

/* Takes in the node that made the latest leaf. False when it must not be, or nothing made it. */
static bool extend(const lc_rewrite *rw, region *r) {
    uint32_t at = 0;
    for (uint32_t k = 1; k < r->leaf_count; k++)
        if (rw->producer[r->leaves[k]] > rw->producer[r->leaves[at]]) at = k;
    const int32_t leaf = r->leaves[at], made = rw->producer[leaf];
    if (made < 0 || r->count == NODES || !takes_part(rw, &rw->graph->nodes[made]) || rw->uses[leaf] != readers(rw, r, leaf)) return false;
    r->leaves[at] = r->leaves[--r->leaf_count];
    return absorb(rw, r, made);
}

/* ---- running it ------------------------------------------------------------------------------------------------------------- */

typedef struct trial {
    lc_arena arena;
    size_t rows, columns; /* samples of x, elements of the slope */
    int32_t tensors[NODES + 1];
    lc_value values[NODES + 1];
    uint32_t count;
    uint64_t *work;
} trial;

static lc_value *value_of(trial *t, int32_t tensor) {
    for (uint32_t i = 0; i < t->count; i++)
        if (t->tensors[i] == tensor) return &t->values[i];
    return NULL;
}

static lc_value *constant_of(trial *t, const lc_tensor *c) {
    lc_value *v = lc_arena_alloc(&t->arena, sizeof *v);
    if (!v) return NULL;
    const size_t n = c->size / (lc_dtype_bits(c->type) / 8);
    *v = (lc_value){.type = c->type,
                    .shape = {2, {1, (int32_t)n}},
                    .data = lc_arena_data(&t->arena, c->size),
                    .size = c->size,
                    .constant = true,
                    .def = c};
    if (!v->data) return NULL;
    memcpy(v->data, c->data, c->size);
    return v;
}

static bool run_node(const lc_rewrite *rw, trial *t, const lc_node *node) {
    lc_value *in[4], *out = &t->values[t->count];
    int32_t rows = 1, columns = 1;
    if (node->input_count > 4) return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const lc_tensor *c = lc_rewrite_tensor(rw, node->inputs[i]);
        in[i] = c->data ? constant_of(t, c) : value_of(t, node->inputs[i]);
        if (!in[i]) return false;
        rows = in[i]->shape.dims[0] > rows ? in[i]->shape.dims[0] : rows;
        columns = in[i]->shape.dims[1] > columns ? in[i]->shape.dims[1] : columns;
    }
    const lc_tensor *def = lc_rewrite_tensor(rw, node->outputs[0]);
    const size_t size = (size_t)rows * (size_t)columns * (lc_dtype_bits(def->type) / 8);
    *out = (lc_value){.type = def->type, .shape = {2, {rows, columns}}, .size = size, .data = lc_arena_data(&t->arena, size), .def = def};
    t->tensors[t->count] = node->outputs[0];
    t->count++;
    *t->work += (uint64_t)rows * (uint64_t)columns;
    if (!out->data) return false;
    if (node->op == LC_OP_SELECT) /* all of one shape */
        for (uint32_t i = 0; i < 3; i++)
            if (in[i]->shape.dims[0] != rows || in[i]->shape.dims[1] != columns) return false;
    return lc_kernel_run_once(node, in, node->input_count, &out, 1, NULL, &t->arena, NULL) == LC_OK;
}

/* Values of the root for the samples of x: [rows, columns] floats in the trial's arena; NULL when it cannot be run. */
static const float *run(const lc_rewrite *rw, const region *r, trial *t, const float *x) {
    int32_t order[NODES];
    t->tensors[0] = r->leaves[0];
    t->values[0] = (lc_value){.type = LC_FLOAT32,
                              .shape = {2, {(int32_t)t->rows, 1}},
                              .data = lc_arena_data(&t->arena, t->rows * sizeof *x),
                              .size = t->rows * sizeof *x,
                              .def = lc_rewrite_tensor(rw, r->leaves[0])};
    t->count = 1;
    if (!t->values[0].data) return NULL;
    memcpy(t->values[0].data, x, t->rows * sizeof *x);
    for (uint32_t i = 0; i < r->count; i++) { /* a graph is in execution order */
        uint32_t k = i;
        for (; k > 0 && order[k - 1] > r->nodes[i]; k--) order[k] = order[k - 1];
        order[k] = r->nodes[i];
    }
    for (uint32_t i = 0; i < r->count; i++)
        if (!run_node(rw, t, &rw->graph->nodes[order[i]])) return NULL;
    const lc_value *y = value_of(t, rw->graph->nodes[r->nodes[0]].outputs[0]);
    return y && y->type == LC_FLOAT32 && y->shape.dims[0] == (int32_t)t->rows && y->shape.dims[1] == (int32_t)t->columns ? y->data : NULL;
}

static bool near(double got, double want, double x) { return fabs(got - want) <= 1e-5 * fmax(1, fabs(x)); }

/* ---- what it is --------------------------------------------------------------------------------------------------------------- */

typedef struct meaning {
    int32_t op;
    bool approximate;
    float alpha;  /* LEAKY_RELU */
    float *slope; /* PRELU: [columns] in rw->temporary */
} meaning;

static bool is_leaky(const float *y, float *alpha) {
    double at = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        if (sample(i) == -1000.0f) at = -(double)y[i] / 1000;
    *alpha = (float)at;
    for (size_t i = 0; i < SAMPLES; i++) {
        const double x = sample(i);
        if (!near(y[i], x > 0 ? x : x * at, x)) return false;
    }
    return isfinite(at) && at != 0 && at != 1;
}

static bool is_function(const lc_rewrite *rw, const region *r, uint64_t *work, meaning *m) {
    trial t = {.rows = SAMPLES, .columns = 1, .work = work};
    float x[SAMPLES];
    bool found = false;
    for (size_t i = 0; i < SAMPLES; i++) x[i] = sample(i);
    const float *y = run(rw, r, &t, x);
    for (size_t f = 0; y && !found && f < sizeof functions / sizeof *functions; f++) {
        found = true;
        for (size_t i = 0; i < SAMPLES && found; i++) found = near(y[i], functions[f].at(x[i]), x[i]);
        if (found) *m = (meaning){.op = functions[f].op, .approximate = functions[f].approximate};
    }
    if (y && !found && is_leaky(y, &m->alpha)) {
        m->op = LC_OP_LEAKY_RELU;
        found = true;
    }
    lc_arena_deinit(&t.arena);
    return found;
}

static bool is_prelu(lc_rewrite *rw, const region *r, uint64_t *work, meaning *m) {
    static const float x[] = {-1, 0, -0.001f, -0.5f, -2, -7, -100, 0.001f, 0.5f, 1, 2, 7, 100};
    const size_t columns = lc_rewrite_tensor(rw, r->slope)->size / sizeof(float);
    trial t = {.rows = sizeof x / sizeof *x, .columns = columns, .work = work};
    const float *y = run(rw, r, &t, x);
    bool found = y != NULL;
    for (size_t i = 0; i < t.rows && found; i++)
        for (size_t k = 0; k < columns && found; k++) {
            const double want = x[i] > 0 ? x[i] : -(double)x[i] * y[k];
            found = isfinite(y[k]) && near(y[i * columns + k], want, x[i] * fmax(1, fabs((double)y[k])));
        }
    if (found) {
        *m = (meaning){.op = LC_OP_PRELU, .slope = lc_arena_array(&rw->temporary, columns, sizeof(float))};
        for (size_t k = 0; m->slope && k < columns; k++) m->slope[k] = -y[k];
        found = m->slope != NULL;
    }
    lc_arena_deinit(&t.arena);
    return found;
}

/* ---- the rewrite ----------------------------------------------------------------------------------------------------------------- */

static lc_status become(lc_rewrite *rw, const region *r, const meaning *m) {
    lc_node *root = &rw->graph->nodes[r->nodes[0]];
    const int32_t x = r->leaves[0];
    const lc_table_id table = lc_op_get(m->op)->options;
    int32_t slope = -1;
    void *attrs = NULL;
    if (m->slope) {
        const lc_tensor old = *lc_rewrite_tensor(rw, r->slope);
        void *data;
        LC_TRY(lc_rewrite_add_constant(rw, old.name, LC_FLOAT32, old.dims, old.rank, &slope, &data));
        memcpy(data, m->slope, old.size);
    }
    if (table != LC_TABLE_NONE) {
        attrs = lc_arena_alloc(rw->arena, lc_schema_tables[table].size);
        if (!attrs) return lc_fail_memory(rw->err, "operator options");
        lc_schema_init(table, attrs);
        if (m->op == LC_OP_GELU) ((lc_GeluOptions *)attrs)->approximate = m->approximate;
        if (m->op == LC_OP_LEAKY_RELU) ((lc_LeakyReluOptions *)attrs)->alpha = m->alpha;
    }
    for (uint32_t i = 1; i < r->count; i++) lc_rewrite_kill(rw, &rw->graph->nodes[r->nodes[i]]);
    while (root->input_count > 1) lc_rewrite_set_input(rw, root, --root->input_count, LC_ABSENT);
    lc_rewrite_set_input(rw, root, 0, x);
    root->op = m->op;
    root->version = 0;
    root->attrs_table = table;
    root->attrs = attrs;
    return slope < 0 ? LC_OK : lc_rewrite_append_input(rw, root, slope);
}

/* Operators that may end such an expression; a chain of others is none. */
static bool may_end(const lc_node *n) {
    return n->op == LC_OP_MUL || n->op == LC_OP_ADD || n->op == LC_OP_SUB || n->op == LC_OP_DIV || n->op == LC_OP_MAXIMUM ||
           n->op == LC_OP_MINIMUM || n->op == LC_OP_SELECT || n->op == LC_OP_SELECT_V2;
}

/* The slope does not make the tensor larger, and is no more than its trailing dimensions. */
static bool slope_fits(const lc_rewrite *rw, int32_t slope, const lc_tensor *x) {
    const lc_tensor *s = lc_rewrite_tensor(rw, slope);
    bool fits = s->rank >= 1 && s->rank <= x->rank;
    for (int32_t d = 0; fits && d < s->rank; d++) {
        const int32_t own = lc_tensor_dim(x, x->rank - s->rank + d);
        fits = s->dims[d] == 1 || s->dims[d] == own;
    }
    return fits;
}

static lc_status try_root(lc_rewrite *rw, int32_t index, uint64_t *work, uint64_t most) {
    const lc_node *root = &rw->graph->nodes[index];
    if (root->op == LC_NODE_DEAD || !may_end(root) || !takes_part(rw, root)) return LC_OK;
    const lc_tensor *out = lc_rewrite_tensor(rw, root->outputs[0]);
    region r = {.slope = -1};
    if (out->type != LC_FLOAT32 || !absorb(rw, &r, index)) return LC_OK;
    for (int stage = 0; stage < STAGES && *work < most;) {
        if (r.leaf_count == 1 && r.count > 1) {
            const lc_tensor *x = lc_rewrite_tensor(rw, r.leaves[0]);
            meaning m = {0};
            if (x->type == LC_FLOAT32 && !x->quant && lc_same_dims(x, out)) {
                const bool found = r.slope < 0 ? is_function(rw, &r, work, &m) : slope_fits(rw, r.slope, x) && is_prelu(rw, &r, work, &m);
                if (found) return become(rw, &r, &m);
            }
            stage++;
        }
        if (r.leaf_count == 0 || !extend(rw, &r)) break;
    }
    return LC_OK;
}

lc_status lc_pass_fuse_function(lc_rewrite *rw) {
    uint64_t work = 0;
    const uint64_t most = (uint64_t)WORK * (rw->graph->node_count + 64);
    for (size_t n = 0; n < rw->graph->node_count && work < most; n++) LC_TRY(try_root(rw, (int32_t)n, &work, most));
    return LC_OK;
}
