/*
 * compare_local.c: one operator of a model as a model of its own, so that it can be run on inputs that are free of the errors made before
 * it. Its tensors have the same types, steps and constants (which are borrowed); what it read from others becomes its inputs. An operator
 * with effects or state, or one that calls graphs, makes no sense alone and is left out.
 */
#include "api/compare.h"

#define MOST_INPUTS 64

/* A weight, in whatever form the operator reads it. */
static bool is_constant(const lc_cmp_side *s, int32_t graph, int32_t tensor) {
    const int32_t value = s->value_of[graph][tensor];
    return value >= 0 && s->values[value].constant;
}

static bool can_stand_alone(const lc_graph *g, const lc_node *n) {
    const lc_op_def *def = lc_op_of(n);
    bool reads = false;
    if (!def || n->op == LC_OP_CUSTOM || (def->flags & (LC_OPF_CALLS | LC_OPF_SIDE_EFFECT)) || n->intermediate_count) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        const lc_tensor *t = n->inputs[i] < 0 ? NULL : &g->tensors[n->inputs[i]];
        if (t && (t->is_variable || (!lc_tensor_is_const(t) && lc_dtype_bits(t->type) == 0))) return false;
        if (t && t->quant && t->quant->details.value) return false; /* it names other tensors of its graph */
        reads |= t && !lc_tensor_is_const(t);
    }
    for (uint32_t i = 0; i < n->output_count; i++)
        if (n->outputs[i] < 0 || lc_dtype_bits(g->tensors[n->outputs[i]].type) == 0) return false;
    return reads;
}

typedef struct copied {
    const lc_graph *from;
    lc_graph *to;
    int32_t *old, *made; /* [count] tensors that were copied, and what they are now */
    uint32_t count;
} copied;

/* Tensor `old` in the new graph, the same one when it was there before. */
static lc_status take(copied *c, int32_t old, int32_t *index, bool *fresh, lc_error *err) {
    *fresh = false;
    for (uint32_t i = 0; i < c->count; i++)
        if (c->old[i] == old) return *index = c->made[i], LC_OK;
    *fresh = true;
    lc_tensor t = c->from->tensors[old];
    t.data_owned = false;
    LC_TRY(lc_graph_add_tensor(c->to, &t, index, err));
    c->old[c->count] = old;
    c->made[c->count++] = *index;
    return LC_OK;
}

/* An input of the operator: of the new graph, or a weight, which a DEQUANTIZE may stand before. */
static lc_status take_input(copied *c, const lc_cmp_side *s, int32_t graph, int32_t old, int32_t *index, lc_error *err) {
    bool fresh;
    LC_TRY(take(c, old, index, &fresh, err));
    if (!fresh || lc_tensor_is_const(&c->from->tensors[old])) return LC_OK;
    if (!is_constant(s, graph, old)) return lc_graph_add_input(c->to, *index, err);
    int32_t stored;
    LC_TRY(take(c, s->values[s->value_of[graph][old]].first, &stored, &fresh, err));
    return lc_graph_add_node(c->to, LC_OP_DEQUANTIZE, LC_TABLE_NONE, NULL, &stored, 1, index, 1, NULL, err);
}

static lc_status build(lc_model *m, const lc_cmp_side *s, int32_t graph, const lc_node *n, lc_error *err) {
    const lc_graph *g = s->model->graphs[graph];
    const uint32_t total = 2 * n->input_count + n->output_count;
    copied c = {.from = g,
                .to = m->graphs[0],
                .old = lc_arena_array(&m->arena, total, sizeof *c.old),
                .made = lc_arena_array(&m->arena, total, sizeof *c.made)};
    int32_t *in = lc_arena_array(&m->arena, n->input_count, sizeof *in), *out = lc_arena_array(&m->arena, n->output_count, sizeof *out);
    bool fresh;
    lc_node *node;
    if (!c.old || !c.made || !in || !out) return lc_fail_memory(err, "comparison");
    for (uint32_t i = 0; i < n->input_count; i++) {
        in[i] = LC_ABSENT;
        if (n->inputs[i] >= 0) LC_TRY(take_input(&c, s, graph, n->inputs[i], &in[i], err));
    }
    for (uint32_t i = 0; i < n->output_count; i++) {
        LC_TRY(take(&c, n->outputs[i], &out[i], &fresh, err));
        LC_TRY(lc_graph_add_output(c.to, out[i], err));
    }
    LC_TRY(lc_graph_add_node(c.to, n->op, n->attrs_table, n->attrs, in, n->input_count, out, n->output_count, &node, err));
    node->version = n->version;
    node->custom_options = n->custom_options;
    return LC_OK;
}

static lc_status local_init(lc_cmp_local *local, const lc_cmp_side *s, int32_t graph, const lc_node *node, const lc_session_options *how,
                            lc_error *err) {
    const lc_model *of = s->model;
    lc_error why;
    *local = (lc_cmp_local){0};
    if (!can_stand_alone(of->graphs[graph], node)) return LC_OK;
    lc_status status = lc_model_new(&of->limits, &local->model, err);
    if (status == LC_OK) status = build(local->model, s, graph, node, err);
    if (status == LC_OK) {
        status = lc_session_create(local->model, how, &local->session, &why);
        if (status == LC_NO_MEMORY) *err = why;
        else if (status) lc_cmp_local_deinit(local), status = LC_OK;
    }
    if (status) lc_cmp_local_deinit(local);
    return status;
}

void lc_cmp_local_deinit(lc_cmp_local *local) {
    lc_session_destroy(local->session);
    lc_model_destroy(local->model);
    *local = (lc_cmp_local){0};
}

/* ---- B's operators on A's inputs --------------------------------------------------------------------------------------- */

/* The values of A that belong to the inputs of a node of B, in the order of the inputs of the node alone: false: one is not there. */
static bool feed_local(lc_comparing *c, const lc_cmp_value *v, const lc_node *n, lc_session *s, bool write) {
    const int32_t *dims[MOST_INPUTS] = {0};
    int32_t ranks[MOST_INPUTS] = {0};
    size_t inputs = 0;
    if (n->input_count > MOST_INPUTS || lc_session_input_count(s) > MOST_INPUTS) return false;
    for (uint32_t i = 0; i < n->input_count; i++) {
        bool again = n->inputs[i] < 0 || is_constant(&c->b, v->graph, n->inputs[i]);
        for (uint32_t k = 0; k < i && !again; k++) again = n->inputs[k] == n->inputs[i];
        if (again) continue;
        const int32_t value = lc_cmp_input(&c->b, v, n, i);
        const int32_t pair = value < 0 ? -1 : c->b.values[value].pair;
        const lc_cmp_kept *k = pair < 0 ? NULL : &c->kept[pair];
        const lc_cmp_seen *from = pair < 0 ? NULL : &c->seen[value];
        if (!k || k->times != 1 || from->met != k->elements) return false;
        dims[inputs] = from->shape.dims;
        ranks[inputs] = from->shape.rank;
        const lc_tensor_view to = lc_session_input(s, inputs++);
        if (!write) continue;
        lc_dtype type = to.type;
        double block[LC_CMP_BLOCK];
        if (lc_cmp_numbers(&type, lc_cmp_elements(&to)) != k->elements || type != to.type) return false;
        for (uint64_t at = 0; at < k->elements; at += LC_CMP_BLOCK) {
            const size_t count = k->elements - at < LC_CMP_BLOCK ? (size_t)(k->elements - at) : LC_CMP_BLOCK;
            lc_cmp_reals(k->type, k->data, &from->steps_a, at, count, block);
            if (!lc_cmp_write(&to, at, count, block)) return false;
        }
    }
    return inputs == lc_session_input_count(s) &&
           (write || (lc_session_resize_inputs(s, dims, ranks, NULL) == LC_OK && lc_session_exec(s)));
}

static void compare_local(lc_comparing *c, const lc_cmp_value *v, const lc_node *n, lc_session *s) {
    for (uint32_t i = 0; i < n->output_count; i++) {
        const lc_cmp_value *out = &c->b.values[c->b.value_of[v->graph][n->outputs[i]]];
        lc_cmp_seen *to = &c->seen[out - c->b.values];
        const lc_cmp_kept *k = out->pair < 0 ? NULL : &c->kept[out->pair];
        const lc_tensor_view view = lc_session_output(s, i);
        lc_dtype type = view.type;
        double a[LC_CMP_BLOCK], b[LC_CMP_BLOCK];
        const lc_cmp_steps steps = {.scale = &view.scale, .zero = &view.zero_point, .n = view.scale > 0, .zero_n = 1};
        const uint64_t count = lc_cmp_numbers(&type, lc_cmp_elements(&view));
        if (!k || k->times != 1 || k->elements != count) continue;
        for (uint64_t at = 0; at < count; at += LC_CMP_BLOCK) {
            const size_t m = count - at < LC_CMP_BLOCK ? (size_t)(count - at) : LC_CMP_BLOCK;
            lc_cmp_reals(k->type, k->data, &to->steps_a, at, m, a);
            lc_cmp_reals(type, view.data, &steps, at, m, b);
            lc_cmp_sums_add(&to->local, a, b, m);
        }
        to->local_runs++;
    }
}

lc_status lc_cmp_locals_run(lc_comparing *c) {
    for (size_t i = 0; i < c->b.count; i++) {
        const lc_cmp_value *v = &c->b.values[i];
        const lc_node *n = lc_cmp_node(&c->b, v);
        lc_session *s = c->seen[i].alone.session;
        lc_error why;
        if (!s || !feed_local(c, v, n, s, false) || !feed_local(c, v, n, s, true)) continue;
        const lc_status status = lc_session_run(s, &why);
        if (status == LC_NO_MEMORY) return *c->err = why, status;
        if (status == LC_OK) compare_local(c, v, n, s);
    }
    return LC_OK;
}

lc_status lc_cmp_locals_make(lc_comparing *c) {
    const lc_session_options how = {.threads = 1, .max_memory = c->o->max_memory};
    for (size_t i = 0; i < c->b.count; i++) {
        const lc_cmp_value *v = &c->b.values[i];
        const lc_node *n = lc_cmp_node(&c->b, v);
        if (n && v->pair >= 0 && v->output == 0) LC_TRY(local_init(&c->seen[i].alone, &c->b, v->graph, n, &how, c->err));
    }
    return LC_OK;
}
