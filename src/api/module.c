/*
 * module.c: free form: a C function traced into a graph, once for each set of types and shapes it is called with.
 *
 *   lc_module ─┬─ variables[]  name, shape, numbers (owned)
 *              ├─ functions[]  name, the caller's function
 *              └─ concrete[]   one a trace: model, session; variables are bound tensors, so that calls read and write the module's numbers
 *
 * What is assigned last is copied into the variables by the last operators of the graph. Before that, a read of a variable is the input of the graph
 * or, behind an assignment, what was assigned: the function sees what tf.function would, and tensors it read before keep their values.
 */
#include "api/api.h"
#include "api/module.h"

#include "grad/grad.h"
#include "lower/lower.h"

#include <math.h>
#include <string.h>

/* ---- the module ---------------------------------------------------------------------------------------------------------- */

lc_status lc_module_create(const lc_limits *limits, lc_module **module, lc_error *err) {
    lc_module *m = *module = lc_calloc(1, sizeof *m);
    if (!m) return lc_fail_memory(err, "a module");
    if (limits) m->limits = *limits;
    lc_budget_init(&m->budget, &m->limits);
    return LC_OK;
}

static void concrete_free(lc_concrete *c) {
    lc_session_destroy(c->session);
    lc_model_destroy(c->model);
}

void lc_module_destroy(lc_module *m) {
    if (!m) return;
    for (size_t i = 0; i < m->concrete_count; i++) concrete_free(&m->concrete[i]);
    for (size_t i = 0; i < m->variable_count; i++) lc_free_aligned(m->variables[i].value);
    lc_arena_deinit(&m->arena);
    lc_free(m);
}

lc_module_variable_ *lc_module_find(const lc_module *m, const char *name) {
    for (size_t i = 0; name && i < m->variable_count; i++)
        if (strcmp(m->variables[i].name, name) == 0) return &m->variables[i];
    return NULL;
}

static lc_module_function_ *find_function(const lc_module *m, const char *name) {
    for (size_t i = 0; name && i < m->function_count; i++)
        if (strcmp(m->functions[i].name, name) == 0) return &m->functions[i];
    return NULL;
}

lc_status lc_module_variable(lc_module *m, const char *name, const int32_t *dims, int32_t rank, const float *values, bool trainable,
                             lc_error *err) {
    if (!name || !*name || lc_module_find(m, name))
        return lc_fail(err, LC_ARGUMENT, "a variable needs a name of its own; \"%.100s\" is %s", name ? name : "",
                       name && *name ? "taken" : "none");
    if (rank < 0 || rank > LC_MAX_RANK || (rank && !dims))
        return lc_fail(err, LC_ARGUMENT, "variable \"%.100s\" has %d dimensions", name, rank);
    lc_module_variable_ v = {.rank = rank, .count = 1, .trainable = trainable};
    for (int32_t i = 0; i < rank; i++) {
        if (dims[i] < 0 || !lc_mul_size(v.count, (size_t)dims[i], &v.count) || v.count > INT32_MAX)
            return lc_fail(err, LC_ARGUMENT, "dimension %d of variable \"%.100s\" is %d", i, name, dims[i]);
        v.dims[i] = dims[i];
    }
    LC_TRY(lc_budget_memory(&m->budget, v.count * sizeof(float), "a variable", err));
    void *list = m->variables;
    v.name = lc_arena_strndup(&m->arena, name, strlen(name));
    if (!v.name || !lc_arena_grow(&m->arena, &list, &m->variable_capacity, m->variable_count + 1, sizeof v))
        return lc_fail_memory(err, "a variable");
    m->variables = list;
    v.value = lc_calloc_aligned((v.count ? v.count : 1) * sizeof(float));
    if (!v.value) return lc_fail_memory(err, "a variable");
    if (values) memcpy(v.value, values, v.count * sizeof(float));
    m->variables[m->variable_count++] = v;
    return LC_OK;
}

float *lc_module_get(lc_module *m, const char *name, size_t *count) {
    const lc_module_variable_ *v = lc_module_find(m, name);
    if (count) *count = v ? v->count : 0;
    return v ? v->value : NULL;
}

lc_status lc_module_function(lc_module *m, const char *name, lc_trace_fn body, void *user, lc_error *err) {
    if (!name || !*name || !body || find_function(m, name))
        return lc_fail(err, LC_ARGUMENT, "a function needs a body and a name of its own");
    void *list = m->functions;
    const lc_module_function_ f = {.name = lc_arena_strndup(&m->arena, name, strlen(name)), .body = body, .user = user};
    if (!f.name || !lc_arena_grow(&m->arena, &list, &m->function_capacity, m->function_count + 1, sizeof f))
        return lc_fail_memory(err, "a function");
    m->functions = list;
    m->functions[m->function_count++] = f;
    return LC_OK;
}

/* ---- tracing ------------------------------------------------------------------------------------------------------------- */

struct lc_trace {
    lc_module *module;
    lc_traced *out;
    lc_builder b;
    lc_lower lower;
    lc_call call; /* what lc_layer_op and its like write with */
    lc_layer_builder layer;
    lc_lower_options options;
};

lc_status lc_module_trace_into(lc_module *m, const lc_concrete *c, lc_model *model, lc_graph *graph, lc_traced *out, lc_error *err) {
    lc_trace t = {.module = m, .out = out};
    int32_t in[LC_MODULE_INPUTS];
    lc_builder_init(&t.b, model, graph, err);
    t.b.layer = c->function->name;
    t.b.what = "function";
    t.lower.b = &t.b;
    t.lower.options = &t.options;
    lc_budget_init(&t.lower.budget, &m->limits);
    t.call = (lc_call){.lower = &t.lower, .b = &t.b, .mask = -1};
    t.layer = (lc_layer_builder){.c = &t.call, .out = -1};
    *out = (lc_traced){0};
    for (uint32_t i = 0; i < c->input_count; i++) {
        const char *name = lc_arena_printf(&model->arena, "x%u", i);
        if (!name) return lc_fail_memory(err, "a function");
        in[i] = lc_build_placeholder(&t.b, name, c->inputs[i].type, c->inputs[i].dims, c->inputs[i].rank);
        if (in[i] >= 0) lc_build_check(&t.b, lc_graph_add_input(graph, in[i], err));
    }
    if (t.b.status == LC_OK) c->function->body(c->function->user, &t, in, c->input_count);
    if (t.b.status == LC_OK && !out->output_count && !out->assign_count)
        lc_build_fail(&t.b, LC_INVALID, "it gives no output and assigns no variable");
    for (uint32_t i = 0; i < out->output_count && t.b.status == LC_OK; i++)
        lc_build_check(&t.b, lc_graph_add_output(graph, out->outputs[i], err));
    lc_arena_deinit(&t.lower.scratch);
    return t.b.status;
}

/* How well a trace serves these inputs: -1: not at all; else how many of its dimensions are open. */
static int32_t serves(const lc_concrete *c, const lc_module_function_ *f, const lc_array *inputs, uint32_t n) {
    int32_t open = 0;
    if (c->function != f || c->input_count != n) return -1;
    for (uint32_t i = 0; i < n; i++) {
        if (c->inputs[i].type != inputs[i].type || c->inputs[i].rank != inputs[i].rank) return -1;
        for (int32_t d = 0; d < inputs[i].rank; d++) {
            if (c->inputs[i].dims[d] == inputs[i].dims[d]) continue;
            if (c->inputs[i].dims[d] >= 0) return -1;
            open++;
        }
    }
    return open;
}

/* A copy of the tensor, where it is a variable as it was before the call. */
static int32_t aside(const lc_module *m, lc_builder *b, const lc_traced *t, int32_t tensor) {
    for (uint32_t i = 0; i < t->read_count; i++) {
        const lc_module_variable_ *v = &m->variables[t->reads[i].variable];
        if (t->reads[i].tensor == tensor) return lc_build_reshape(b, tensor, v->dims, v->rank);
    }
    return tensor;
}

/* The graph for calls: variables and what is assigned to them are the module's memory. */
static lc_status bind(lc_module *m, lc_concrete *c, lc_traced *t, lc_error *err) {
    lc_graph *g = c->model->graphs[0];
    lc_builder b;
    lc_builder_init(&b, c->model, g, err);
    /* what is the memory of a variable itself is copied before any of it changes */
    for (uint32_t i = 0; i < t->assign_count; i++) t->assigns[i].tensor = aside(m, &b, t, t->assigns[i].tensor);
    for (uint32_t i = 0; i < t->output_count && b.status == LC_OK && t->assign_count; i++) g->outputs[i] = aside(m, &b, t, t->outputs[i]);
    LC_TRY(b.status);
    for (uint32_t i = 0; i < t->read_count; i++) g->tensors[t->reads[i].tensor].bound = m->variables[t->reads[i].variable].value;
    for (uint32_t i = 0; i < t->assign_count; i++) {
        const lc_module_variable_ *v = &m->variables[t->assigns[i].variable];
        const int32_t copy = lc_build_reshape(&b, t->assigns[i].tensor, v->dims, v->rank);
        if (b.status == LC_OK) g->tensors[copy].bound = v->value;
    }
    return b.status;
}

static const char *unique_name(lc_module *m, const char *name) {
    const char *text = name;
    for (uint32_t n = 1;; n++) {
        bool taken = false;
        for (size_t i = 0; i < m->concrete_count; i++) taken |= strcmp(m->concrete[i].name, text) == 0;
        if (!taken) return text;
        text = lc_arena_printf(&m->arena, "%s_%u", name, n);
        if (!text) return NULL;
    }
}

static lc_status concrete_of(lc_module *m, const char *function, const lc_array *inputs, uint32_t n, lc_concrete **out, lc_error *err) {
    lc_module_function_ *f = find_function(m, function);
    *out = NULL;
    if (!f) {
        lc_fail(err, LC_NOT_FOUND, "the module has no function \"%.100s\"", function ? function : "");
        return LC_NOT_FOUND;
    }
    if (n > LC_MODULE_INPUTS) return lc_fail(err, LC_LIMIT, "a function has at most %d inputs", LC_MODULE_INPUTS);
    int32_t least = INT32_MAX; /* as tf.function: the trace that fits most closely, before a new one */
    for (size_t i = 0; i < m->concrete_count; i++) {
        const int32_t open = serves(&m->concrete[i], f, inputs, n);
        if (open >= 0 && open < least) least = open, *out = &m->concrete[i];
    }
    if (*out) return LC_OK;
    lc_concrete c = {.function = f, .input_count = n, .name = unique_name(m, f->name)};
    void *list = m->concrete;
    c.inputs = lc_arena_array(&m->arena, n + 1, sizeof *c.inputs);
    if (!c.name || !c.inputs || !lc_arena_grow(&m->arena, &list, &m->concrete_capacity, m->concrete_count + 1, sizeof c))
        return lc_fail_memory(err, "a function");
    m->concrete = list;
    for (uint32_t i = 0; i < n; i++) {
        c.inputs[i] = inputs[i];
        c.inputs[i].data = NULL;
    }
    LC_TRY(lc_model_new(&m->limits, &c.model, err));
    lc_traced t;
    lc_status status = lc_module_trace_into(m, &c, c.model, c.model->graphs[0], &t, err);
    c.output_count = t.output_count;
    c.assigns = t.assign_count > 0;
    if (status == LC_OK) status = bind(m, &c, &t, err);
    if (status == LC_OK) status = lc_session_create(c.model, &(lc_session_options){.max_memory = m->limits.max_memory}, &c.session, err);
    if (status == LC_OK) m->concrete[m->concrete_count] = c, *out = &m->concrete[m->concrete_count++];
    else concrete_free(&c);
    return status;
}

lc_status lc_module_trace(lc_module *m, const char *function, const lc_array *inputs, uint32_t n, lc_error *err) {
    lc_concrete *c;
    return concrete_of(m, function, inputs, n, &c, err);
}

/* Of a trace with open sizes: the session becomes one for inputs of these. */
static lc_status take_shapes(lc_session *session, const lc_array *inputs, uint32_t n, lc_error *err) {
    enum { MOST = LC_MODULE_INPUTS + LC_MODULE_VARIABLES };
    lc_tensor_view views[MOST];
    const int32_t *dims[MOST];
    int32_t ranks[MOST];
    bool same = true;
    const size_t count = lc_session_input_count(session);
    for (size_t i = 0; i < count && i < MOST; i++) {
        views[i] = lc_session_input(session, i);
        dims[i] = i < n ? inputs[i].dims : views[i].dims;
        ranks[i] = views[i].rank;
        for (int32_t d = 0; d < ranks[i]; d++) same &= dims[i][d] == views[i].dims[d];
    }
    return same ? LC_OK : lc_session_resize_inputs(session, dims, ranks, err);
}

lc_status lc_module_call(lc_module *m, const char *function, const lc_array *inputs, uint32_t n, lc_array *outputs, uint32_t room,
                         lc_error *err) {
    lc_concrete *c;
    for (uint32_t k = 0; k < room; k++) outputs[k] = (lc_array){0};
    LC_TRY(concrete_of(m, function, inputs, n, &c, err));
    LC_TRY(take_shapes(c->session, inputs, n, err));
    for (uint32_t i = 0; i < n; i++) {
        const lc_tensor_view to = lc_session_input(c->session, i);
        if (inputs[i].size != to.size)
            return lc_fail(err, LC_ARGUMENT, "input %u has %zu bytes, its type and shape need %zu", i, inputs[i].size, to.size);
        if (to.size) memcpy(to.data, inputs[i].data, to.size);
    }
    lc_status status = lc_session_run(c->session, err);
    for (uint32_t k = 0; status == LC_OK && k < room && k < c->output_count; k++) {
        const lc_tensor_view v = lc_session_output(c->session, k);
        outputs[k] = (lc_array){.type = v.type, .rank = v.rank, .size = v.size};
        memcpy(outputs[k].dims, v.dims, sizeof v.dims);
        outputs[k].data = lc_malloc(v.size ? v.size : 1);
        if (!outputs[k].data) status = lc_fail_memory(err, "an output");
        else if (v.size) memcpy(outputs[k].data, v.data, v.size);
    }
    for (uint32_t k = 0; status != LC_OK && k < room; k++) lc_array_deinit(&outputs[k]);
    return status;
}

size_t lc_module_concrete_count(const lc_module *m) { return m->concrete_count; }
const char *lc_module_concrete_name(const lc_module *m, size_t i) { return i < m->concrete_count ? m->concrete[i].name : NULL; }
size_t lc_module_concrete_inputs(const lc_module *m, size_t i) { return i < m->concrete_count ? m->concrete[i].input_count : 0; }
lc_tensor_view lc_module_concrete_input(const lc_module *m, size_t i, size_t input) {
    if (input >= lc_module_concrete_inputs(m, i)) return (lc_tensor_view){0};
    lc_tensor_view v = lc_model_input(m->concrete[i].model, input);
    return v;
}

/* ---- while tracing --------------------------------------------------------------------------------------------------------- */

/* What was assigned, as a tensor of its own, so that it stands for this variable alone. */
static int32_t read_again(lc_trace *t, const lc_module_variable_ *v, lc_traced_variable assigned) {
    lc_traced *o = t->out;
    if (o->later_count == LC_MODULE_READS)
        return lc_build_fail(&t->b, LC_LIMIT, "it reads variables after assigning them more than %d times", LC_MODULE_READS);
    const int32_t tensor = lc_build_reshape(&t->b, assigned.tensor, v->dims, v->rank);
    if (t->b.status == LC_OK) o->later[o->later_count++] = (lc_traced_variable){assigned.variable, tensor};
    return tensor;
}

int32_t lc_trace_variable(lc_trace *t, const char *name) {
    if (t->b.status != LC_OK) return -1;
    const lc_module_variable_ *v = lc_module_find(t->module, name);
    if (!v) return lc_build_fail(&t->b, LC_NOT_FOUND, "the module has no variable \"%.100s\"", name ? name : "");
    const uint32_t index = (uint32_t)(v - t->module->variables);
    lc_traced *o = t->out;
    for (uint32_t i = 0; i < o->assign_count; i++)
        if (o->assigns[i].variable == index) return read_again(t, v, o->assigns[i]);
    for (uint32_t i = 0; i < o->read_count; i++)
        if (o->reads[i].variable == index) return o->reads[i].tensor;
    if (o->read_count == LC_MODULE_VARIABLES) return lc_build_fail(&t->b, LC_LIMIT, "it uses more than %d variables", LC_MODULE_VARIABLES);
    const char *layer = t->b.layer;
    const int32_t tensor = lc_build_placeholder(&t->b, v->name, LC_FLOAT32, v->dims, v->rank);
    t->b.layer = layer;
    if (tensor >= 0) lc_build_check(&t->b, lc_graph_add_input(t->b.graph, tensor, t->b.err));
    o->reads[o->read_count++] = (lc_traced_variable){index, tensor};
    return tensor;
}

void lc_trace_output(lc_trace *t, const char *name, int32_t tensor) {
    lc_traced *o = t->out;
    if (t->b.status != LC_OK) return;
    if (tensor < 0 || (size_t)tensor >= t->b.graph->tensor_count) lc_build_fail(&t->b, LC_ARGUMENT, "%d is no tensor", tensor);
    else if (o->output_count == LC_MODULE_INPUTS) lc_build_fail(&t->b, LC_LIMIT, "it has more than %d outputs", LC_MODULE_INPUTS);
    else {
        const char *own = name              ? lc_arena_printf(&t->b.model->arena, "%s", name)
                          : o->output_count ? lc_arena_printf(&t->b.model->arena, "output_%u", o->output_count)
                                            : "output";
        if (!own) lc_build_check(&t->b, lc_fail_memory(t->b.err, "a function"));
        for (uint32_t i = 0; own && i < o->output_count; i++)
            if (strcmp(o->names[i], own) == 0) {
                lc_build_fail(&t->b, LC_ARGUMENT, "two outputs are called \"%.100s\"", own);
                lc_build_hint(&t->b, "give each output of a function a name of its own: a signature finds them by it");
                return;
            }
        o->names[o->output_count] = own;
        o->outputs[o->output_count++] = tensor;
    }
}

lc_layer_builder *lc_trace_builder(lc_trace *t) { return &t->layer; }
void lc_trace_fail(lc_trace *t, const char *message) { lc_build_fail(&t->b, LC_INVALID, "%s", message ? message : "it failed"); }

int32_t lc_unary(lc_trace *t, const char *op, int32_t x) {
    return lc_layer_op(&t->layer, op, op && strcmp(op, "SOFTMAX") == 0 ? "{\"beta\": 1.0}" : NULL, &x, 1);
}
static int32_t two(lc_trace *t, const char *op, int32_t x, int32_t y) {
    return lc_layer_op(&t->layer, op, NULL, (const int32_t[]){x, y}, 2);
}

int32_t lc_number(lc_trace *t, float value) { return lc_layer_constant(&t->layer, "number", LC_FLOAT32, NULL, 0, &value); }
int32_t lc_add_to(lc_trace *t, int32_t x, int32_t y) { return two(t, "ADD", x, y); }
int32_t lc_subtract(lc_trace *t, int32_t x, int32_t y) { return two(t, "SUB", x, y); }
int32_t lc_multiply(lc_trace *t, int32_t x, int32_t y) { return two(t, "MUL", x, y); }
int32_t lc_divide(lc_trace *t, int32_t x, int32_t y) { return two(t, "DIV", x, y); }
int32_t lc_times(lc_trace *t, int32_t x, float by) { return two(t, "MUL", x, lc_number(t, by)); }
int32_t lc_matmul(lc_trace *t, int32_t x, int32_t y) { return two(t, "BATCH_MATMUL", x, y); }

static int32_t reduce(lc_trace *t, int32_t op, int32_t x, const int32_t *axes, uint32_t n) {
    int32_t all[LC_MAX_RANK];
    lc_shape s;
    if (!axes && lc_build_shape(&t->b, x, &s)) {
        for (int32_t i = 0; i < s.rank; i++) all[i] = i;
        axes = all, n = (uint32_t)s.rank;
    }
    return lc_build_reduce(&t->b, op, x, axes, n, false);
}
int32_t lc_reduce_sum(lc_trace *t, int32_t x, const int32_t *axes, uint32_t n) { return reduce(t, LC_OP_SUM, x, axes, n); }
int32_t lc_reduce_mean(lc_trace *t, int32_t x, const int32_t *axes, uint32_t n) { return reduce(t, LC_OP_MEAN, x, axes, n); }
int32_t lc_reshape(lc_trace *t, int32_t x, const int32_t *dims, int32_t rank) { return lc_build_reshape(&t->b, x, dims, rank); }

int32_t lc_softmax_cross_entropy(lc_trace *t, int32_t logits, int32_t labels) {
    const int32_t last = -1, each = lc_reduce_sum(t, lc_multiply(t, labels, lc_unary(t, "LOG_SOFTMAX", logits)), &last, 1);
    return lc_unary(t, "NEG", lc_reduce_mean(t, each, NULL, 0));
}

int32_t lc_same_largest(lc_trace *t, int32_t x, int32_t y) {
    const int32_t axis = -1;
    int32_t at[2];
    for (int i = 0; i < 2; i++) {
        const int32_t in[2] = {i ? y : x, lc_layer_constant(&t->layer, "axis", LC_INT32, NULL, 0, &axis)};
        at[i] = lc_layer_op(&t->layer, "ARG_MAX", "{\"output_type\": \"INT64\"}", in, 2);
    }
    return lc_reduce_mean(t, lc_layer_cast(&t->layer, two(t, "EQUAL", at[0], at[1]), LC_FLOAT32), NULL, 0);
}

void lc_gradients(lc_trace *t, int32_t scalar, const int32_t *wrt, uint32_t n, int32_t *gradients) {
    lc_shape s;
    uint64_t elements = 0;
    for (uint32_t i = 0; i < n; i++) gradients[i] = -1;
    if (!lc_build_shape(&t->b, scalar, &s)) return;
    if (!lc_shape_elements(&s, &elements) || elements != 1) {
        lc_build_fail(&t->b, LC_ARGUMENT, "gradients are of one number, not of %llu", (unsigned long long)elements);
        return;
    }
    const char *layer = t->b.layer;
    const int32_t one = lc_number(t, 1), seed_of = s.rank ? lc_build_reshape(&t->b, one, s.dims, s.rank) : one;
    const lc_grad_seed seed = {scalar, seed_of};
    lc_grad_append(&t->b, &seed, 1, wrt, n, gradients);
    t->b.layer = layer;
    for (uint32_t i = 0; i < n && t->b.status == LC_OK; i++)
        if (gradients[i] < 0) gradients[i] = lc_build_unary(&t->b, LC_OP_ZEROS_LIKE, wrt[i]);
}

/* The variable that the function was given this tensor for; -1: none. */
static int64_t variable_of(const lc_traced *o, int32_t tensor) {
    for (uint32_t i = 0; i < o->read_count; i++)
        if (o->reads[i].tensor == tensor) return o->reads[i].variable;
    for (uint32_t i = 0; i < o->later_count; i++)
        if (o->later[i].tensor == tensor) return o->later[i].variable;
    return -1;
}

void lc_assign(lc_trace *t, int32_t variable, int32_t value) {
    lc_traced *o = t->out;
    lc_shape a, s;
    char wanted[LC_SHAPE_TEXT], found[LC_SHAPE_TEXT];
    if (!lc_build_shape(&t->b, variable, &a) || !lc_build_shape(&t->b, value, &s)) return;
    const int64_t index = variable_of(o, variable);
    if (index < 0) {
        lc_build_fail(&t->b, LC_ARGUMENT, "what is assigned to is no variable (lc_trace_variable)");
        return;
    }
    if (!lc_shape_equal(&a, &s) || lc_build_type(&t->b, value) != LC_FLOAT32) {
        lc_build_fail(&t->b, LC_INVALID, "variable \"%.100s\" of shape %s is assigned %s of shape %s", t->module->variables[index].name,
                      lc_shape_text(&a, wanted), lc_dtype_name(lc_build_type(&t->b, value)), lc_shape_text(&s, found));
        return;
    }
    uint32_t k = 0;
    while (k < o->assign_count && o->assigns[k].variable != index) k++;
    o->assigns[k] = (lc_traced_variable){(uint32_t)index, value}; /* no more than there are reads */
    if (k == o->assign_count) o->assign_count++;
}

void lc_assign_sub(lc_trace *t, int32_t variable, int32_t by) {
    const lc_traced *o = t->out;
    const int64_t index = variable_of(o, variable);
    int32_t now = variable;
    for (uint32_t i = 0; i < o->read_count; i++)
        if (o->reads[i].variable == index) now = o->reads[i].tensor;
    for (uint32_t i = 0; i < o->assign_count; i++)
        if (o->assigns[i].variable == index) now = o->assigns[i].tensor;
    lc_assign(t, variable, lc_subtract(t, now, by));
}
