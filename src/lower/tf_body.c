/*
 * tf_body.c: the main graph and the functions of the library as bodies: nodes by name, references as numbers, and the order to run in.
 *
 * References: "node:1" and "node" in a graph; "node:output_name:1" and "argument" in a function, where an output's place is known from
 * the operator's list of outputs (tf.def) and its attributes; "^node" everywhere for a control edge. A function is resolved when it is
 * first called, so an unused one may be broken.
 *
 * Order: depth first from what is wanted, through data and control edges, without recursion; kept are the nodes that data edges lead to,
 * and those that change a variable or a table, wherever control edges lead to them. So dead code, assertions and prints are gone.
 */
#include "lower/tf_impl.h"

#include <string.h>

/* ---- attributes and outputs of a node ------------------------------------------------------------------------------- */

const lc_pb_AttrValue *lc_tf_node_attr(const lc_pb_NodeDef *def, const char *name) {
    for (uint32_t i = 0; i < def->attr.n; i++)
        if (lc_str_is(def->attr.data[i].key, name)) return def->attr.data[i].value;
    return NULL;
}

/* Outputs that the list `name:attribute` stands for: a number, or one for each of a list of types. */
static uint32_t list_length(const lc_pb_NodeDef *def, const char *attribute, size_t n) {
    char name[64];
    if (n >= sizeof name) return 1;
    memcpy(name, attribute, n);
    name[n] = 0;
    const lc_pb_AttrValue *a = lc_tf_node_attr(def, name);
    if (!a) return 0;
    if (a->list) return a->list->type.n;
    return a->i > 0 && a->i < 1 << 20 ? (uint32_t)a->i : 0;
}

/* Walks the list "values indices output:N". Returns the outputs before `wanted` (absent: all there are); false when it is not there. */
static bool outputs_before(const char *spec, const lc_pb_NodeDef *def, lc_str wanted, uint32_t *before) {
    uint32_t n = 0;
    for (const char *p = spec; *p;) {
        const size_t word = strcspn(p, " "), name = strcspn(p, " :");
        if (wanted.data && wanted.size == name && !memcmp(wanted.data, p, name)) return *before = n, true;
        n += name < word ? list_length(def, p + name + 1, word - name - 1) : 1;
        p += word;
        while (*p == ' ') p++;
    }
    *before = n;
    return !wanted.data;
}

uint32_t lc_tf_output_count(const lc_tf_row *row, const lc_pb_NodeDef *def) {
    uint32_t n = 1;
    if (row && row->outputs[0]) outputs_before(row->outputs, def, (lc_str){0}, &n);
    return n;
}

/* ---- references ---------------------------------------------------------------------------------------------------- */

static bool number(lc_str s, int32_t *value) {
    int64_t v = 0;
    if (s.size == 0 || s.size > 7) return false;
    for (size_t i = 0; i < s.size; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') return false;
        v = v * 10 + (s.data[i] - '0');
    }
    *value = (int32_t)v;
    return true;
}

static lc_str before_colon(lc_str s, lc_str *rest) {
    const char *colon = memchr(s.data, ':', s.size);
    *rest = colon ? (lc_str){colon + 1, s.size - (size_t)(colon + 1 - s.data)} : (lc_str){0};
    return (lc_str){s.data, colon ? (size_t)(colon - s.data) : s.size};
}

static lc_status not_there(const lc_tf_lower *l, const lc_tf_body *body, lc_str name) {
    char near[200];
    lc_fail(l->err, LC_INVALID, "there is no node \"%.*s\" in %s%.*s", LC_TF_NAME(name), body->function ? "function " : "the graph",
            LC_TF_NAME(body->name));
    if (lc_names_nearest(&body->names, name, near, sizeof near)) lc_error_hint(l->err, "did you mean \"%s\"?", near);
    else lc_error_hint(l->err, "litec inspect lists the graph's inputs and outputs");
    return LC_INVALID;
}

/* *control: it is "^node". */
static lc_status resolve(const lc_tf_lower *l, const lc_tf_body *body, lc_str text, lc_tf_ref *ref, bool *control) {
    *control = text.size > 0 && text.data[0] == '^';
    if (*control) text = (lc_str){text.data + 1, text.size - 1};
    lc_str rest;
    const lc_str name = before_colon(text, &rest);
    const int32_t found = lc_names_find(&body->names, name);
    if (found < 0) return not_there(l, body, name);
    *ref = (lc_tf_ref){found - (int32_t)body->arg_count, 0};
    if (found < (int32_t)body->arg_count) {
        *ref = (lc_tf_ref){LC_TF_ARGUMENT, found};
        return LC_OK;
    }
    if (*control || !rest.data || number(rest, &ref->output)) return LC_OK;
    lc_str index;
    const lc_str output = before_colon(rest, &index);
    const lc_tf_node *node = &body->nodes[ref->node];
    uint32_t before = 0;
    int32_t at = 0;
    if (index.data && !number(index, &at)) return lc_fail(l->err, LC_INVALID, "\"%.*s\" is no reference", LC_TF_NAME(text));
    if (node->row && node->row->outputs[0] && !outputs_before(node->row->outputs, node->def, output, &before))
        return lc_fail(l->err, LC_INVALID, "node \"%.*s\" (%.*s) has no output \"%.*s\"", LC_TF_NAME(name), LC_TF_NAME(node->def->op),
                       LC_TF_NAME(output));
    ref->output = (int32_t)before + at;
    return LC_OK;
}

lc_status lc_tf_reference(const lc_tf_lower *l, lc_str text, lc_tf_ref *ref) {
    bool control;
    return resolve(l, &l->main, text, ref, &control);
}

lc_status lc_tf_reach(lc_tf_lower *l, lc_tf_node *node, int32_t output) {
    if ((uint32_t)output < node->output_count) return LC_OK;
    LC_TRY(lc_budget_tables(&l->budget, (uint64_t)output + 1 - node->output_count, "outputs of nodes", l->err));
    node->output_count = (uint32_t)output + 1;
    return LC_OK;
}

/* Names of arguments and nodes, then every node's inputs. */
static lc_status link_body(lc_tf_lower *l, lc_tf_body *body, const lc_pb_NodeDef *defs, uint32_t count) {
    const lc_pb_OpDef *op = body->function ? body->function->signature : NULL;
    body->arg_count = op ? op->input_arg.n : 0;
    body->node_count = count;
    LC_TRY(lc_budget_tables(&l->budget, (uint64_t)count + body->arg_count, "nodes", l->err));
    body->nodes = lc_arena_array(&l->scratch, count ? count : 1, sizeof *body->nodes);
    if (!body->nodes || !lc_names_init(&body->names, &l->scratch, count + body->arg_count)) return lc_fail_memory(l->err, "graph");
    for (uint32_t i = 0; i < body->arg_count + count; i++) {
        const lc_str name = i < body->arg_count ? op->input_arg.data[i].name : defs[i - body->arg_count].name;
        if (!name.size) return lc_fail(l->err, LC_INVALID, "node %u has no name", i);
        if (lc_names_add(&body->names, name, NULL) < 0)
            return lc_fail(l->err, LC_INVALID, "two nodes are called \"%.*s\"", LC_TF_NAME(name));
    }
    for (uint32_t i = 0; i < count; i++) {
        lc_tf_node *node = &body->nodes[i];
        node->def = &defs[i];
        if (!defs[i].op.size) return lc_fail(l->err, LC_INVALID, "node \"%.*s\" has no operator (field op)", LC_TF_NAME(defs[i].name));
        node->row = lc_tf_find(l, defs[i].op);
        node->output_count = lc_tf_output_count(node->row, node->def);
    }
    for (uint32_t i = 0; i < count; i++) {
        lc_tf_node *node = &body->nodes[i];
        const lc_pb_strings *in = &node->def->input;
        LC_TRY(lc_budget_tables(&l->budget, in->n, "inputs of nodes", l->err));
        node->inputs = lc_arena_array(&l->scratch, in->n ? in->n : 1, sizeof *node->inputs + sizeof *node->controls);
        if (!node->inputs) return lc_fail_memory(l->err, "graph");
        node->controls = (int32_t *)(void *)(node->inputs + in->n);
        for (uint32_t k = 0; k < in->n; k++) {
            lc_tf_ref ref;
            bool control;
            lc_status status = resolve(l, body, in->data[k], &ref, &control);
            if (status) {
                lc_error_prefix(l->err, "input %u of node \"%.*s\"", k, LC_TF_NAME(node->def->name));
                return status;
            }
            if (!control) node->inputs[node->input_count++] = ref;
            else if (ref.node != LC_TF_ARGUMENT) node->controls[node->control_count++] = ref.node;
            if (!control && ref.node != LC_TF_ARGUMENT && (uint32_t)ref.output >= body->nodes[ref.node].output_count) {
                lc_tf_node *from = &body->nodes[ref.node];
                if (from->row)
                    return lc_fail(l->err, LC_INVALID, "node \"%.*s\" reads output %d of \"%.*s\" (%.*s), which has %u",
                                   LC_TF_NAME(node->def->name), ref.output, LC_TF_NAME(from->def->name), LC_TF_NAME(from->def->op),
                                   from->output_count);
                LC_TRY(lc_tf_reach(l, from, ref.output)); /* an operator we do not know */
            }
        }
    }
    body->linked = true;
    return LC_OK;
}

/* ---- effects ------------------------------------------------------------------------------------------------------------ */

static bool has_effect(lc_tf_lower *l, lc_tf_body *body, uint32_t depth, lc_status *status);

static bool node_has_effect(lc_tf_lower *l, const lc_tf_node *node, uint32_t depth, lc_status *status) {
    if (node->row && node->row->effect) return true;
    bool effect = false;
    for (uint32_t i = 0; i < node->def->attr.n && !*status; i++) {
        const lc_pb_AttrValue *a = node->def->attr.data[i].value;
        const uint32_t n = !a ? 0 : a->func ? 1 : a->list ? a->list->func.n : 0;
        for (uint32_t k = 0; k < n && !*status; k++) {
            const lc_str name = a->func ? a->func->name : a->list->func.data[k].name;
            if (lc_names_find(&l->function_names, name) < 0) continue; /* said when it is called */
            lc_tf_body *called = lc_tf_function(l, name, status);
            if (called && has_effect(l, called, depth + 1, status)) effect = true;
        }
    }
    return effect;
}

static bool has_effect(lc_tf_lower *l, lc_tf_body *body, uint32_t depth, lc_status *status) {
    if (body->effect >= 0 || *status) return body->effect > 0;
    if (body->busy) {
        *status = lc_fail(l->err, LC_UNSUPPORTED, "function \"%.*s\" calls itself", LC_TF_NAME(body->name));
        lc_error_hint(l->err, "TFLite has no recursion; write it as a loop");
        return false;
    }
    if (depth > LC_TF_DEPTH) {
        *status = lc_fail(l->err, LC_LIMIT, "functions call each other more than %d deep", LC_TF_DEPTH);
        return false;
    }
    body->busy = true;
    bool effect = false;
    for (uint32_t i = 0; i < body->node_count && !*status; i++)
        if (node_has_effect(l, &body->nodes[i], depth, status)) effect = true;
    body->busy = false;
    if (!*status) body->effect = effect;
    return effect;
}

/* ---- order ---------------------------------------------------------------------------------------------------------------- */

enum { NEW, OPEN, DONE };

typedef struct visit {
    int32_t node;
    uint32_t next; /* edge to follow next: data edges, then control edges */
} visit;

typedef struct walk {
    lc_tf_lower *l;
    lc_tf_body *body;
    const bool *given;
    uint8_t *state;
    visit *stack;
    int32_t *order;
    uint32_t count;
} walk;

static lc_status cycle(const walk *w, int32_t from, int32_t to) {
    const lc_str a = w->body->nodes[from].def->name, b = w->body->nodes[to].def->name;
    lc_fail(w->l->err, LC_INVALID, "the graph has a cycle: node \"%.*s\" needs \"%.*s\", which needs it", LC_TF_NAME(a), LC_TF_NAME(b));
    return LC_INVALID;
}

/* Appends everything that `root` stands on, then root itself. */
static lc_status visit_from(walk *w, int32_t root) {
    uint32_t depth = 0;
    if (w->state[root] == DONE) return LC_OK;
    w->stack[depth++] = (visit){root, 0};
    w->state[root] = OPEN;
    while (depth) {
        visit *v = &w->stack[depth - 1];
        const lc_tf_node *n = &w->body->nodes[v->node];
        const uint32_t edges = w->given && w->given[v->node] ? 0 : n->input_count + n->control_count;
        if (v->next == edges) {
            w->state[v->node] = DONE;
            w->order[w->count++] = v->node;
            depth--;
            continue;
        }
        const uint32_t e = v->next++;
        const int32_t to = e < n->input_count ? n->inputs[e].node : n->controls[e - n->input_count];
        if (to == LC_TF_ARGUMENT || w->state[to] == DONE) continue;
        if (w->state[to] == OPEN) return cycle(w, v->node, to);
        w->state[to] = OPEN;
        w->stack[depth++] = (visit){to, 0};
    }
    return LC_OK;
}

lc_status lc_tf_order(lc_tf_lower *l, lc_tf_body *body, const lc_tf_ref *roots, uint32_t root_count, const int32_t *ends,
                      uint32_t end_count, const bool *given, int32_t **order, uint32_t *count) {
    const uint32_t n = body->node_count ? body->node_count : 1;
    walk w = {.l = l, .body = body, .given = given};
    w.state = lc_arena_array(&l->scratch, n, 1);
    w.stack = lc_arena_array(&l->scratch, n, sizeof *w.stack);
    w.order = lc_arena_array(&l->scratch, n, sizeof *w.order);
    bool *wanted = lc_arena_array(&l->scratch, n, 1);
    if (!w.state || !w.stack || !w.order || !wanted) return lc_fail_memory(l->err, "order of the graph");
    for (uint32_t i = 0; i < root_count; i++) {
        if (roots[i].node == LC_TF_ARGUMENT) continue;
        LC_TRY(visit_from(&w, roots[i].node));
        wanted[roots[i].node] = true;
    }
    for (uint32_t i = 0; i < end_count; i++) LC_TRY(visit_from(&w, ends[i]));
    /* Backwards: who is wanted wants its data inputs; an effect is wanted by itself. */
    lc_status status = LC_OK;
    for (uint32_t k = w.count; k-- > 0;) {
        const int32_t i = w.order[k];
        const lc_tf_node *node = &body->nodes[i];
        if (given && given[i]) {
            wanted[i] = false;
            continue;
        }
        if (!wanted[i]) wanted[i] = node_has_effect(l, node, 0, &status);
        if (status) return status;
        for (uint32_t e = 0; wanted[i] && e < node->input_count; e++)
            if (node->inputs[e].node != LC_TF_ARGUMENT) wanted[node->inputs[e].node] = true;
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < w.count; k++)
        if (wanted[w.order[k]]) w.order[kept++] = w.order[k];
    *order = w.order;
    *count = kept;
    return LC_OK;
}

/* ---- functions ------------------------------------------------------------------------------------------------------------- */

lc_status lc_tf_bodies(lc_tf_lower *l) {
    const lc_pb_FunctionDefLibrary *library = l->graph->library;
    l->function_count = library ? library->function.n : 0;
    l->functions = lc_arena_array(&l->scratch, l->function_count ? l->function_count : 1, sizeof *l->functions);
    if (!l->functions || !lc_names_init(&l->function_names, &l->scratch, l->function_count)) return lc_fail_memory(l->err, "functions");
    for (uint32_t i = 0; i < l->function_count; i++) {
        lc_tf_body *body = &l->functions[i];
        body->function = &library->function.data[i];
        body->effect = -1;
        body->name = body->function->signature ? body->function->signature->name : (lc_str){0};
        if (!body->name.size) return lc_fail(l->err, LC_INVALID, "function %u of the library has no name", i);
        if (lc_names_add(&l->function_names, body->name, NULL) < 0)
            return lc_fail(l->err, LC_INVALID, "two functions are called \"%.*s\"", LC_TF_NAME(body->name));
    }
    return link_body(l, &l->main, l->graph->node.data, l->graph->node.n);
}

/* rets in the order of the signature's output_arg; ends. */
static lc_status link_results(lc_tf_lower *l, lc_tf_body *body) {
    const lc_pb_FunctionDef *f = body->function;
    body->ret_count = f->signature->output_arg.n;
    body->rets = lc_arena_array(&l->scratch, body->ret_count ? body->ret_count : 1, sizeof *body->rets);
    body->ends = lc_arena_array(&l->scratch, (size_t)f->control_ret.n + body->node_count + 1, sizeof *body->ends);
    if (!body->rets || !body->ends) return lc_fail_memory(l->err, "function");
    bool control;
    for (uint32_t i = 0; i < body->ret_count; i++) {
        const lc_str name = f->signature->output_arg.data[i].name;
        lc_str from = {0};
        for (uint32_t k = 0; k < f->ret.n; k++)
            if (lc_str_eq(f->ret.data[k].key, name)) from = f->ret.data[k].value;
        if (!from.data) return lc_fail(l->err, LC_INVALID, "nothing gives its output \"%.*s\"", LC_TF_NAME(name));
        LC_TRY(resolve(l, body, from, &body->rets[i], &control));
        if (body->rets[i].node != LC_TF_ARGUMENT) LC_TRY(lc_tf_reach(l, &body->nodes[body->rets[i].node], body->rets[i].output));
    }
    for (uint32_t i = 0; i < f->control_ret.n; i++) {
        lc_tf_ref ref;
        LC_TRY(resolve(l, body, f->control_ret.data[i].value, &ref, &control));
        if (ref.node != LC_TF_ARGUMENT) body->ends[body->end_count++] = ref.node;
    }
    /* A function of TensorFlow 1 names none, but what changes something in it runs all the same. */
    for (uint32_t i = 0; !f->control_ret.n && i < body->node_count; i++)
        if (body->nodes[i].row && (body->nodes[i].row->effect || lc_str_is(body->nodes[i].def->op, "StatefulPartitionedCall")))
            body->ends[body->end_count++] = (int32_t)i;
    return LC_OK;
}

lc_tf_body *lc_tf_function(lc_tf_lower *l, lc_str name, lc_status *status) {
    const int32_t i = lc_names_find(&l->function_names, name);
    *status = LC_OK;
    if (i < 0) {
        char near[200];
        *status = lc_fail(l->err, LC_INVALID, "there is no function \"%.*s\" in the library", LC_TF_NAME(name));
        if (lc_names_nearest(&l->function_names, name, near, sizeof near)) lc_error_hint(l->err, "did you mean \"%s\"?", near);
        else lc_error_hint(l->err, "the file is incomplete; save the model again");
        return NULL;
    }
    lc_tf_body *body = &l->functions[i];
    if (!body->linked) {
        *status = link_body(l, body, body->function->node_def.data, body->function->node_def.n);
        if (!*status) *status = link_results(l, body);
        if (*status) lc_error_prefix(l->err, "function \"%.*s\"", LC_TF_NAME(name));
    }
    return *status ? NULL : body;
}
