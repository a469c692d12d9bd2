/*
 * fake_quant.c: a graph of quantisation-aware training becomes an int8 graph. FAKE_QUANT says with what steps a tensor is to be kept; an
 * operator whose inputs have steps, and whose output has them by qat.def or by a FAKE_QUANT behind it, becomes an integer operator
 * (Jacob et al. 2018). What lacks a range stays float32; QUANTIZE and DEQUANTIZE stand where the two meet. Inputs and outputs of the graph
 * stay float32.
 *
 *   x -> FAKE_QUANT a -> CONV_2D(w, b) -> RELU6 -> FAKE_QUANT c -> SOFTMAX
 *   x -> QUANTIZE a   -> CONV_2D int8 with steps c                -> SOFTMAX int8 -> DEQUANTIZE
 *
 * It runs once, when everything else is done: first it decides for every operator, in order, then writes the operators anew. FAKE_QUANT
 * of other widths than 8 bits, or that no integer operator reads, stays what it is: a float operator that rounds.
 */
#include "pass/qat.h"

#include <math.h>
#include <string.h>

enum kind { KIND_NONE, KIND_SAME, KIND_JOIN, KIND_FIXED, KIND_ARITH };
enum { IN_NONE = -1, IN_ALL = -2 };

typedef struct rule {
    int16_t op;
    int8_t kind, data, weights, axis, bias;
} rule;

static const rule rules[] = {
#define LC_QAT(op, kind, data, weights, axis, bias) \
    {LC_OP_##op, KIND_##kind, LC_QAT_##data, LC_QAT_##weights, LC_QAT_##axis, LC_QAT_##bias},
#define LC_QAT_NONE IN_NONE
#define LC_QAT_ALL IN_ALL
#define LC_QAT_0 0
#define LC_QAT_1 1
#define LC_QAT_2 2
#define LC_QAT_3 3
#include "pass/qat.def"
};

static const rule *rule_of(int32_t op) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].op == op) return &rules[i];
    return NULL;
}

typedef struct tensor {
    lc_steps steps;
    bool has;          /* it is kept in these steps */
    bool needs_float;  /* something reads it as float32 */
    int32_t integer;   /* the int8 tensor; -1 while there is none */
    int32_t quantizer; /* the first FAKE_QUANT that reads it; -1: none */
    uint32_t quantizers;
} tensor;

typedef struct work {
    lc_rewrite *rw;
    lc_graph *graph;
    tensor *t;
    const rule **chosen; /* per node: it becomes an integer operator */
    lc_node *nodes;      /* the new ones */
    size_t count, capacity;
} work;

/* ---- deciding ---------------------------------------------------------------------------------------------------------- */

static bool is_quantizer(const lc_node *n) {
    return n->op == LC_OP_FAKE_QUANT && n->attrs && LC_OP_ATTRS(n, FakeQuantOptions)->num_bits == 8;
}

/* min is -zero scale, max 255 steps above; in int8 everything is 128 lower. */
static lc_steps steps_of(const lc_node *n) {
    const lc_FakeQuantOptions *o = LC_OP_ATTRS(n, FakeQuantOptions);
    lc_steps s = {.scale = (o->max - o->min) / 255};
    const float zero = roundf(-o->min / s.scale);
    s.zero = (int32_t)(zero < 0 ? 0 : zero > 255 ? 255 : zero) - 128;
    return s;
}

static bool fixed_steps(int32_t op, lc_steps *s) {
    static const struct {
        int32_t op;
        lc_steps s;
    } fixed[] = {{LC_OP_LOGISTIC, {1.0f / 256, -128}},
                 {LC_OP_SOFTMAX, {1.0f / 256, -128}},
                 {LC_OP_TANH, {1.0f / 128, 0}},
                 {LC_OP_L2_NORMALIZATION, {1.0f / 128, 0}},
                 {LC_OP_LOG_SOFTMAX, {16.0f / 256, 127}}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (fixed[i].op == op) return *s = fixed[i].s, true;
    return false;
}

static lc_tensor *def(const work *w, int32_t t) { return &w->graph->tensors[t]; }
static bool is_float(const work *w, int32_t t) { return t >= 0 && def(w, t)->type == LC_FLOAT32; }

/* A constant of float32, which may be annotated. */
static bool is_constant(const work *w, int32_t t) { return is_float(w, t) && lc_tensor_is_const(def(w, t)) && !def(w, t)->sparsity; }

/* The steps of the FAKE_QUANTs that are the only readers of `t`. */
static bool asked_steps(const work *w, int32_t t, lc_steps *s) {
    if (w->t[t].quantizers == 0 || w->t[t].quantizers != w->rw->uses[t]) return false;
    *s = steps_of(&w->graph->nodes[w->t[t].quantizer]);
    return true;
}

/* Every input that the rule calls data is kept in steps, or constant; at least one flows. *first: its steps. *same: all have those. */
static bool inputs_fit(const work *w, const lc_node *n, const rule *r, lc_steps *first, bool *same) {
    bool any = false;
    *same = true;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const int32_t in = n->inputs[i];
        const bool data = r->data == IN_ALL ? is_float(w, in) : i == (uint32_t)r->data;
        if (in >= 0 && ((int32_t)i == r->weights || (int32_t)i == r->bias)) {
            if (!is_constant(w, in)) return false;
            continue;
        }
        if (!data) continue;
        if (in < 0) return false;
        if (is_constant(w, in)) {
            if (r->kind != KIND_ARITH) return false;
            continue;
        }
        if (!w->t[in].has) return false;
        if (!any) *first = w->t[in].steps;
        else *same = *same && lc_steps_equal(*first, w->t[in].steps);
        any = true;
    }
    return any;
}

static void decide(work *w, size_t index) {
    const lc_node *n = &w->graph->nodes[index];
    const rule *r = n->op == LC_NODE_DEAD ? NULL : rule_of(n->op);
    lc_steps in, out;
    bool same;
    if (!r || !inputs_fit(w, n, r, &in, &same) || !is_float(w, n->outputs[0]) || (r->kind == KIND_SAME && !same)) return;
    if (r->weights >= 0 && (n->input_count <= (uint32_t)r->weights || n->inputs[r->weights] < 0)) return;
    out = in;
    if (r->kind == KIND_FIXED && !fixed_steps(n->op, &out)) return;
    if (r->kind == KIND_ARITH && !asked_steps(w, n->outputs[0], &out)) return;
    if (r->kind == KIND_JOIN && !asked_steps(w, n->outputs[0], &out) && !same) return;
    for (uint32_t i = 0; i < n->output_count; i++) {
        if (n->outputs[i] < 0) continue;
        w->t[n->outputs[i]].has = true;
        w->t[n->outputs[i]].steps = out;
    }
    w->chosen[index] = r;
}

/* Readers, decisions, and who needs floats. False when there is nothing to do. */
static bool plan(work *w) {
    lc_graph *g = w->graph;
    bool any = false;
    for (size_t t = 0; t < g->tensor_count; t++) w->t[t] = (tensor){.integer = -1, .quantizer = -1};
    for (size_t n = 0; n < g->node_count; n++) {
        if (!is_quantizer(&g->nodes[n])) continue;
        tensor *x = &w->t[g->nodes[n].inputs[0]], *y = &w->t[g->nodes[n].outputs[0]];
        if (x->quantizer < 0) x->quantizer = (int32_t)n;
        x->quantizers++;
        y->has = true;
        y->steps = steps_of(&g->nodes[n]);
        any = true;
    }
    for (size_t n = 0; any && n < g->node_count; n++)
        if (!is_quantizer(&g->nodes[n])) decide(w, n);
    /* a FAKE_QUANT of a float tensor that no integer operator reads stays */
    bool *read = lc_arena_array(&w->rw->temporary, g->tensor_count + 1, sizeof *read);
    if (!read) return false;
    for (size_t n = 0; n < g->node_count; n++)
        for (uint32_t i = 0; w->chosen[n] && i < g->nodes[n].input_count; i++)
            if (g->nodes[n].inputs[i] >= 0) read[g->nodes[n].inputs[i]] = true;
    for (size_t n = 0; n < g->node_count; n++)
        if (is_quantizer(&g->nodes[n]) && !w->t[g->nodes[n].inputs[0]].has && !read[g->nodes[n].outputs[0]])
            w->t[g->nodes[n].outputs[0]].has = false;
    for (size_t n = 0; n < g->node_count; n++) {
        const lc_node *node = &g->nodes[n];
        if (node->op == LC_NODE_DEAD || w->chosen[n]) continue;
        if (is_quantizer(node) && w->t[node->outputs[0]].has) continue;
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] >= 0) w->t[node->inputs[i]].needs_float = true;
    }
    for (size_t i = 0; i < g->output_count; i++) w->t[g->outputs[i]].needs_float = true;
    return any;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------- */

static lc_status append(work *w, const lc_node *node) {
    void *items = w->nodes;
    if (!lc_arena_grow(w->rw->arena, &items, &w->capacity, w->count + 1, sizeof *w->nodes)) return lc_fail_memory(w->rw->err, "operators");
    w->nodes = items;
    w->nodes[w->count++] = *node;
    return LC_OK;
}

/* QUANTIZE or DEQUANTIZE from one tensor to another. */
static lc_status convert(work *w, int32_t op, int32_t from, int32_t to, const char *layer) {
    const lc_table_id table = lc_op_get(op)->options;
    lc_node n = {.op = op, .input_count = 1, .output_count = 1, .attrs_table = table, .layer = layer, .debug_metadata_index = -1};
    n.inputs = lc_arena_array(w->rw->arena, 2, sizeof *n.inputs);
    n.attrs = table == LC_TABLE_NONE ? NULL : lc_arena_alloc(w->rw->arena, lc_schema_tables[table].size);
    if (!n.inputs || (table != LC_TABLE_NONE && !n.attrs)) return lc_fail_memory(w->rw->err, "operators");
    if (n.attrs) lc_schema_init(table, n.attrs);
    n.outputs = n.inputs + 1;
    n.inputs[0] = from;
    n.outputs[0] = to;
    return append(w, &n);
}

/* Makes t int8 with these steps. */
static lc_status make_int8(work *w, int32_t t, lc_steps s) {
    const int64_t zero = s.zero;
    const lc_QuantizationParameters *q = lc_qat_params(w->rw, &s.scale, &zero, 1, 0);
    if (!q) return lc_fail_memory(w->rw->err, "quantisation");
    def(w, t)->type = LC_INT8;
    def(w, t)->quant = q;
    return LC_OK;
}

/* *made: an int8 tensor for t in steps s: t itself when nobody needs its floats. */
static lc_status int8_for(work *w, int32_t t, lc_steps s, bool own, int32_t *made) {
    *made = t;
    if (!own) {
        lc_tensor copy = *def(w, t);
        const char *name = lc_arena_printf(w->rw->arena, "%.*s_int8", (int)(copy.name.size > 4096 ? 4096 : copy.name.size),
                                           copy.name.data ? copy.name.data : "");
        if (!name) return lc_fail_memory(w->rw->err, "a tensor's name");
        copy.name = lc_str_of(name);
        LC_TRY(lc_rewrite_add_tensor(w->rw, &copy, made));
    }
    return make_int8(w, *made, s);
}

/* *out: an int8 tensor of `t`, which has one, in steps s. */
static lc_status in_steps(work *w, int32_t t, lc_steps s, const char *layer, int32_t *out) {
    *out = w->t[t].integer;
    if (lc_steps_equal(w->t[t].steps, s)) return LC_OK;
    LC_TRY(int8_for(w, t, s, false, out));
    return convert(w, LC_OP_QUANTIZE, w->t[t].integer, *out, layer);
}

static lc_status write_quantizer(work *w, const lc_node *n) {
    const int32_t x = n->inputs[0], y = n->outputs[0];
    tensor *t = &w->t[y];
    if (w->t[x].has) {
        LC_TRY(in_steps(w, x, t->steps, n->layer, &t->integer));
    } else {
        LC_TRY(int8_for(w, y, t->steps, !t->needs_float, &t->integer));
        LC_TRY(convert(w, LC_OP_QUANTIZE, x, t->integer, n->layer));
    }
    return t->needs_float ? convert(w, LC_OP_DEQUANTIZE, t->integer, y, n->layer) : LC_OK;
}

static lc_status write_integer(work *w, lc_node n, const rule *r) {
    const lc_steps out = w->t[n.outputs[0]].steps;
    int32_t *inputs = lc_arena_array(w->rw->arena, n.input_count, sizeof *inputs),
            *outputs = lc_arena_array(w->rw->arena, n.output_count, sizeof *outputs);
    if (!inputs || !outputs) return lc_fail_memory(w->rw->err, "operators");
    memcpy(inputs, n.inputs, n.input_count * sizeof *inputs);
    for (uint32_t i = 0; i < n.input_count; i++) {
        const int32_t in = n.inputs[i];
        lc_steps s;
        if (in < 0 || (int32_t)i == r->weights || (int32_t)i == r->bias) continue;
        if (w->t[in].has) LC_TRY(in_steps(w, in, r->kind == KIND_JOIN ? out : w->t[in].steps, n.layer, &inputs[i]));
        else if (r->data == IN_ALL && is_constant(w, in)) LC_TRY(lc_qat_operand(w->rw, in, &inputs[i], &s));
    }
    if (r->weights >= 0) {
        const int32_t weights = n.inputs[r->weights];
        /* older runtimes take one scale for a dense layer's weights */
        const int32_t axis = n.op == LC_OP_FULLY_CONNECTED && !def(w, weights)->quant ? -1 : r->axis;
        LC_TRY(lc_qat_weights(w->rw, weights, axis, &inputs[r->weights]));
        if (n.input_count > (uint32_t)r->bias && n.inputs[r->bias] >= 0)
            LC_TRY(lc_qat_bias(w->rw, n.inputs[r->bias], w->t[n.inputs[r->data]].steps.scale, inputs[r->weights], &inputs[r->bias]));
    }
    for (uint32_t i = 0; i < n.output_count; i++) {
        const int32_t t = n.outputs[i];
        outputs[i] = t;
        if (t >= 0) LC_TRY(int8_for(w, t, out, !w->t[t].needs_float, &w->t[t].integer));
        if (t >= 0) outputs[i] = w->t[t].integer;
    }
    const int32_t *old = n.outputs;
    n.inputs = inputs;
    n.outputs = outputs;
    n.version = 0;
    LC_TRY(append(w, &n));
    for (uint32_t i = 0; i < n.output_count; i++)
        if (old[i] >= 0 && w->t[old[i]].needs_float) LC_TRY(convert(w, LC_OP_DEQUANTIZE, outputs[i], old[i], n.layer));
    return LC_OK;
}

lc_status lc_pass_fake_quant(lc_rewrite *rw) {
    lc_graph *g = rw->graph;
    work w = {.rw = rw, .graph = g};
    w.t = lc_arena_array(&rw->temporary, g->tensor_count + 1, sizeof *w.t);
    w.chosen = lc_arena_array(&rw->temporary, g->node_count + 1, sizeof *w.chosen);
    if (!w.t || !w.chosen) return lc_fail_memory(rw->err, "quantisation");
    const size_t tensors = g->tensor_count;
    if (plan(&w)) {
        for (size_t n = 0; n < g->node_count; n++) {
            const lc_node node = g->nodes[n];
            if (node.op == LC_NODE_DEAD) continue;
            if (w.chosen[n]) LC_TRY(write_integer(&w, node, w.chosen[n]));
            else if (is_quantizer(&node) && w.t[node.outputs[0]].has) LC_TRY(write_quantizer(&w, &node));
            else LC_TRY(append(&w, &node));
        }
        g->nodes = w.nodes;
        g->node_count = w.count;
        g->node_capacity = w.capacity;
        rw->changed = true;
    }
    for (size_t t = 0; t < tensors; t++) { /* annotations of weights that stay float32 */
        lc_tensor *p = &g->tensors[t];
        if (p->type != LC_FLOAT32 || !p->quant || !lc_tensor_is_const(p) || p->quant->scale.n == 0) continue;
        p->quant = NULL;
        rw->changed = true;
    }
    return LC_OK;
}
