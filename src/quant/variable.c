/*
 * variable.c: variables that are integers. A variable has one type and one scale, so what READ_VARIABLE gives and ASSIGN_VARIABLE takes has the
 * same steps in all graphs and signatures: over all that was read and assigned, the constants of an initialisation included.
 *
 * Which variable a handle stands for: VAR_HANDLE says it by container and name; what a call hands into a graph and takes out of it is the same
 * on both sides. Variables whose handles meet in that way count as one.
 *
 * Stays float: a variable that also holds another type, whose readers and writers are not to have the same one, that no sample reached, and all
 * of them where a handle comes from elsewhere.
 */
#include "quant/plan.h"

#include <math.h>
#include <stdlib.h>

/* One tensor of the model that may be a handle; at the root of its set, what is known of the variable. */
typedef struct handle {
    struct handle *parent;
    lc_quant_variable is;
    lc_range range;
    bool named; /* a VAR_HANDLE is among the set */
} handle;

typedef struct name {
    lc_str container, shared_name;
    handle *of;
} name;

typedef struct work {
    const lc_quant_job *job;
    const lc_model *model;
    handle **of; /* [graph][tensor] */
    lc_arena *arena;
    bool stranger; /* a variable is read or assigned whose handle no VAR_HANDLE makes */
} work;

/* ---- which variable ----------------------------------------------------------------------------------------------------- */

static handle *root(handle *h) {
    while (h->parent != h) h = h->parent = h->parent->parent;
    return h;
}

static void join(handle *a, handle *b) { root(b)->parent = root(a); }

static int compare_names(const void *a, const void *b) {
    const name *x = a, *y = b;
    const int order = lc_str_compare(x->container, y->container);
    return order ? order : lc_str_compare(x->shared_name, y->shared_name);
}

/* Handles of one name are one variable. */
static lc_status join_names(work *w) {
    name *names = NULL;
    size_t count = 0, capacity = 0;
    for (size_t g = 0; g < w->model->graph_count; g++)
        for (size_t k = 0; k < w->model->graphs[g]->node_count; k++) {
            const lc_node *n = &w->model->graphs[g]->nodes[k];
            if (n->op != LC_OP_VAR_HANDLE || n->output_count != 1 || n->outputs[0] < 0) continue;
            const lc_VarHandleOptions *o = LC_OP_ATTRS(n, VarHandleOptions);
            void *items = names;
            if (!lc_arena_grow(w->arena, &items, &capacity, count + 1, sizeof *names)) return lc_fail_memory(w->job->err, "variables");
            names = items;
            names[count++] = (name){o->container, o->shared_name, &w->of[g][n->outputs[0]]};
        }
    if (count) qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (compare_names(&names[i - 1], &names[i]) == 0) join(names[i - 1].of, names[i].of);
    for (size_t i = 0; i < count; i++) root(names[i].of)->named = true;
    return LC_OK;
}

/* Handles on both sides of a call. */
static lc_status join_calls(work *w, size_t graph, const lc_node *n) {
    const uint32_t calls = lc_op_calls(n, NULL, 0);
    int32_t *called = calls ? lc_arena_array(w->arena, calls, sizeof *called) : NULL;
    if (calls && !called) return lc_fail_memory(w->job->err, "variables");
    lc_op_calls(n, called, calls);
    for (uint32_t c = 0; c < calls; c++) {
        int64_t inputs, outputs;
        lc_op_call_arity(n, c, &inputs, &outputs);
        if (called[c] < 0 || (size_t)called[c] >= w->model->graph_count) continue;
        const lc_graph *g = w->model->graphs[called[c]];
        for (int64_t i = 0; i < inputs && (size_t)i < g->input_count; i++) {
            const int32_t t = n->inputs[n->input_count - (uint32_t)inputs + (uint32_t)i];
            if (t >= 0) join(&w->of[graph][t], &w->of[called[c]][g->inputs[i]]);
        }
        for (int64_t i = 0; outputs == n->output_count && i < outputs && (size_t)i < g->output_count; i++)
            if (n->outputs[i] >= 0) join(&w->of[graph][n->outputs[i]], &w->of[called[c]][g->outputs[i]]);
    }
    const bool loop = n->op == LC_OP_WHILE || n->op == LC_OP_STABLEHLO_WHILE; /* one that never runs gives what it was given */
    for (uint32_t i = 0; loop && i < n->output_count && i < n->input_count; i++)
        if (n->inputs[i] >= 0 && n->outputs[i] >= 0) join(&w->of[graph][n->inputs[i]], &w->of[graph][n->outputs[i]]);
    return LC_OK;
}

/* ---- what it holds --------------------------------------------------------------------------------------------------------- */

/* The tensor that is read or assigned; LC_ABSENT: the operator does neither. */
static int32_t value_of(const lc_node *n) {
    if (n->op == LC_OP_READ_VARIABLE && n->input_count == 1 && n->output_count == 1 && n->inputs[0] >= 0) return n->outputs[0];
    return n->op == LC_OP_ASSIGN_VARIABLE && n->input_count == 2 && n->inputs[0] >= 0 ? n->inputs[1] : LC_ABSENT;
}

static const char *stays_float(const lc_tensor *t, lc_scheme scheme, lc_dtype type) {
    const bool integer = scheme == LC_SCHEME_INT8 || scheme == LC_SCHEME_INT16X8;
    if (t->type != LC_FLOAT32) return "the variable holds another type, too";
    if (t->is_variable) return "the variable begins or keeps the state of an operator";
    if (!integer || (type != LC_FLOAT32 && type != (scheme == LC_SCHEME_INT8 ? LC_INT8 : LC_INT16)))
        return "the variable is read or assigned by operators that are to have another type";
    return NULL;
}

static void widen(lc_range *to, lc_range by) {
    if (!by.seen) return;
    *to = to->seen ? (lc_range){fminf(to->low, by.low), fmaxf(to->high, by.high), true} : by;
}

/* One operator that reads or assigns. */
static void look_at(work *w, size_t graph, const lc_node *n) {
    const lc_graph *g = w->model->graphs[graph];
    const int32_t value = value_of(n);
    if (value < 0) return;
    handle *h = root(&w->of[graph][n->inputs[0]]);
    const lc_tensor *t = &g->tensors[value];
    const lc_scheme scheme = lc_recipe_scheme(w->job->recipe, g, n, w->job->options->scheme);
    const char *why = stays_float(t, scheme, h->is.steps.type);
    w->stranger |= !h->named;
    if (why) h->is.why = why;
    if (h->is.why) return;
    h->is.steps.type = scheme == LC_SCHEME_INT8 ? LC_INT8 : LC_INT16;
    lc_range range = w->job->ranges->of[graph][value];
    if (lc_tensor_is_const(t)) {
        lc_arena scratch = {0};
        range = lc_quant_constant_range(t, &scratch);
        lc_arena_deinit(&scratch);
        if (!isfinite(range.low) || !isfinite(range.high)) h->is.why = "the variable is assigned a constant that holds infinity or NaN";
    } else {
        h->is.seen |= range.seen;
    }
    widen(&h->range, range);
}

/* The set of a tensor has its steps, or says why not. */
static void decide(work *w, handle *h) {
    if (w->stranger) h->is.why = "the model's variables come from elsewhere";
    else if (!h->is.why && !h->is.seen) h->is.why = "no sample reached the variable";
    h->is.steps = h->is.why ? (lc_steps){.type = LC_FLOAT32} : lc_steps_over(h->is.steps.type, h->range.low, h->range.high);
}

static bool has_variables(const lc_model *m) {
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count; k++)
            if (value_of(&m->graphs[g]->nodes[k]) >= 0) return true;
    return false;
}

lc_status lc_quant_variables_find(const lc_quant_job *job, lc_arena *arena, lc_quant_ports *p) {
    work w = {.job = job, .model = job->model, .arena = arena};
    const lc_model *m = job->model;
    p->variable = lc_arena_array(arena, m->graph_count + 1, sizeof *p->variable);
    w.of = lc_arena_array(arena, m->graph_count + 1, sizeof *w.of);
    if (!p->variable || !w.of) return lc_fail_memory(job->err, "variables");
    if (!job->ranges || !has_variables(m)) return LC_OK;
    for (size_t g = 0; g < m->graph_count; g++) {
        const size_t n = m->graphs[g]->tensor_count;
        p->variable[g] = lc_arena_array(arena, n + 1, sizeof **p->variable);
        w.of[g] = lc_arena_array(arena, n + 1, sizeof **w.of);
        if (!p->variable[g] || !w.of[g]) return lc_fail_memory(job->err, "variables");
        for (size_t t = 0; t < n; t++) w.of[g][t].parent = &w.of[g][t];
    }
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count; k++) LC_TRY(join_calls(&w, g, &m->graphs[g]->nodes[k]));
    LC_TRY(join_names(&w));
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count; k++) look_at(&w, g, &m->graphs[g]->nodes[k]);
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t t = 0; t < m->graphs[g]->tensor_count; t++)
            if (w.of[g][t].parent == &w.of[g][t]) decide(&w, &w.of[g][t]);
    for (size_t g = 0; g < m->graph_count; g++)
        for (size_t k = 0; k < m->graphs[g]->node_count; k++) {
            const lc_node *n = &m->graphs[g]->nodes[k];
            const int32_t value = value_of(n);
            if (value < 0) continue;
            const lc_quant_variable *is = p->variable[g][n->inputs[0]] = &root(&w.of[g][n->inputs[0]])->is;
            if (n->op == LC_OP_READ_VARIABLE && !is->why) p->of[g][value] = is->steps;
        }
    return LC_OK;
}
