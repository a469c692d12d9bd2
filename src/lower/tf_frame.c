/*
 * tf_frame.c: the control flow of TensorFlow 1 as If and While. There it is spelt with nodes that let a value pass or not:
 *
 *   loop    Enter ─▶ Merge ─▶ Switch ─(true)▶ body ─▶ NextIteration ─▶ back to Merge        cond   value ─▶ Switch ─(true)▶ then ─▶ Merge
 *                      └▶ condition ─▶ LoopCond ┘ └(false)▶ Exit                                             └─(false)▶ else ─┘
 *
 * A loop is a frame, named by its Enter nodes. Frames become While nodes, the innermost first; then Merges become If nodes, those first
 * that others wait for, in the graph and in what became the loops' functions. A function is made by copying the nodes between its ends: it
 * begins at the frame's Merges or Switches (or the Switches of one predicate), which become its arguments, and keeps the nodes' names.
 *
 * The nodes that were copied stay behind in the graph, where nothing leads to them. Refused: frames without a condition. Merges whose two
 * sides no predicate tells apart stay as they are, and are refused where an output needs them.
 */
#include "lower/tf_impl.h"

#include <stdlib.h>
#include <string.h>

typedef struct edge {
    int32_t node, output; /* output -1: control */
} edge;

/* One node while it is being rewritten. */
typedef struct knot {
    const lc_pb_NodeDef *def;
    edge *in; /* data inputs, then control inputs */
    uint32_t in_count, data_count;
    int32_t replaced; /* outputs are those of this node from `first` on; -1: not replaced */
    int32_t first;
    int32_t place; /* in an order where each follows what it reads */
} knot;

typedef struct weave {
    lc_tf_lower *l;
    knot *knots;
    size_t count, capacity;
    lc_names names;
    lc_pb_FunctionDef *functions; /* made */
    size_t function_count, function_capacity;
    int32_t *mark; /* [capacity of marks] scratch for walks */
    int32_t *stack;
    size_t mark_capacity;
    int32_t round;
} weave;

static bool is(const knot *k, const char *op) {
    const lc_str s = k->def->op;
    return lc_str_is(s, op) || (s.size > 3 && !memcmp(s.data, "Ref", 3) && lc_str_is((lc_str){s.data + 3, s.size - 3}, op));
}

static lc_status no_memory(const weave *w) { return lc_fail_memory(w->l->err, "control flow"); }

/* ---- nodes and edges ------------------------------------------------------------------------------------------------------ */

static lc_status parse(weave *w, lc_str text, edge *e) {
    const bool control = text.size && text.data[0] == '^';
    if (control) text = (lc_str){text.data + 1, text.size - 1};
    const char *colon = memchr(text.data ? text.data : "", ':', text.size);
    const lc_str name = {text.data, colon ? (size_t)(colon - text.data) : text.size};
    int64_t output = 0;
    for (const char *p = colon ? colon + 1 : text.data + text.size; p < text.data + text.size; p++) {
        if (*p < '0' || *p > '9' || output > 1 << 20) return lc_fail(w->l->err, LC_INVALID, "\"%.*s\" is no reference", LC_TF_NAME(text));
        output = output * 10 + (*p - '0');
    }
    *e = (edge){lc_names_find(&w->names, name), control ? -1 : (int32_t)output};
    if (e->node >= 0) return LC_OK;
    return lc_fail(w->l->err, LC_INVALID, "there is no node \"%.*s\" in the graph", LC_TF_NAME(name));
}

static lc_status add_knot(weave *w, const lc_pb_NodeDef *def, uint32_t in_count) {
    void *items = w->knots;
    if (!lc_arena_grow(&w->l->scratch, &items, &w->capacity, w->count + 1, sizeof *w->knots)) return no_memory(w);
    w->knots = items;
    knot *k = &w->knots[w->count++];
    *k = (knot){.def = def, .replaced = -1};
    k->in = lc_arena_array(&w->l->scratch, in_count ? in_count : 1, sizeof *k->in);
    return k->in ? LC_OK : no_memory(w);
}

static lc_status read_nodes(weave *w, const lc_pb_NodeDef *defs, uint32_t n) {
    LC_TRY(lc_budget_tables(&w->l->budget, n, "nodes", w->l->err));
    if (!lc_names_init(&w->names, &w->l->scratch, n)) return no_memory(w);
    for (uint32_t i = 0; i < n; i++) {
        if (lc_names_add(&w->names, defs[i].name, NULL) < 0)
            return lc_fail(w->l->err, LC_INVALID, "two nodes are called \"%.*s\"", LC_TF_NAME(defs[i].name));
        LC_TRY(add_knot(w, &defs[i], defs[i].input.n));
    }
    for (uint32_t i = 0; i < n; i++) {
        knot *k = &w->knots[i];
        for (uint32_t pass = 0; pass < 2; pass++) /* data inputs first */
            for (uint32_t e = 0; e < defs[i].input.n; e++) {
                edge x;
                LC_TRY(parse(w, defs[i].input.data[e], &x));
                if ((x.output < 0) != (pass == 1)) continue;
                k->in[k->in_count++] = x;
                k->data_count += pass == 0;
            }
    }
    return LC_OK;
}

/* Where an edge leads now. */
static edge follow(const weave *w, edge e) {
    while (w->knots[e.node].replaced >= 0) {
        const knot *k = &w->knots[e.node];
        e = (edge){k->replaced, e.output < 0 ? -1 : k->first + e.output};
    }
    return e;
}

static lc_status room_for_walks(weave *w) {
    if (w->mark_capacity >= w->count) return LC_OK;
    w->mark_capacity = w->count * 2;
    w->mark = lc_arena_array(&w->l->scratch, w->mark_capacity, sizeof *w->mark);
    w->stack = lc_arena_array(&w->l->scratch, w->mark_capacity, 2 * sizeof *w->stack);
    w->round = 0;
    return w->mark && w->stack ? LC_OK : no_memory(w);
}

/* Numbers the nodes so that each follows what it reads; the way back of a loop does not count. */
static lc_status number(weave *w) {
    int32_t place = 0;
    LC_TRY(room_for_walks(w));
    for (size_t i = 0; i < w->count; i++) w->knots[i].place = -1;
    for (size_t root = 0; root < w->count; root++) {
        size_t depth = 0;
        if (w->knots[root].place != -1) continue;
        w->stack[0] = (int32_t)root;
        w->stack[1] = 0;
        depth = 1;
        w->knots[root].place = -2;
        while (depth) {
            knot *k = &w->knots[w->stack[depth * 2 - 2]];
            const uint32_t e = (uint32_t)w->stack[depth * 2 - 1]++;
            if (e >= k->in_count) {
                k->place = place++;
                depth--;
                continue;
            }
            const int32_t to = k->in[e].node;
            if (w->knots[to].place != -1 || (is(k, "Merge") && is(&w->knots[to], "NextIteration"))) continue;
            w->knots[to].place = -2;
            w->stack[depth * 2] = to;
            w->stack[depth * 2 + 1] = 0;
            depth++;
        }
    }
    return LC_OK;
}

/* ---- making functions --------------------------------------------------------------------------------------------------------- */

/* A function being cut out. */
typedef struct cut {
    int32_t *nodes; /* copied, ascending */
    size_t count, capacity;
    edge *args; /* what the function takes: these edges of the graph */
    size_t arg_count, arg_capacity;
} cut;

static lc_status push_node(weave *w, cut *c, int32_t node) {
    void *items = c->nodes;
    if (!lc_arena_grow(&w->l->scratch, &items, &c->capacity, c->count + 1, sizeof *c->nodes)) return no_memory(w);
    c->nodes = items;
    c->nodes[c->count++] = node;
    return LC_OK;
}

/* Number of the argument that stands for this edge, new when there is none yet. */
static lc_status argument(weave *w, cut *c, edge e, bool may_add, int32_t *number_out) {
    for (size_t i = 0; i < c->arg_count; i++)
        if (c->args[i].node == e.node && c->args[i].output == e.output) return *number_out = (int32_t)i, LC_OK;
    *number_out = -1;
    if (!may_add) return LC_OK;
    void *items = c->args;
    if (!lc_arena_grow(&w->l->scratch, &items, &c->arg_capacity, c->arg_count + 1, sizeof *c->args)) return no_memory(w);
    c->args = items;
    c->args[c->arg_count] = e;
    *number_out = (int32_t)c->arg_count++;
    return LC_OK;
}

/* "name:n", or "^name" for n < 0. */
static char *text_of(weave *w, lc_str name, int32_t n) {
    return n < 0 ? lc_arena_printf(&w->l->scratch, "^%.*s", (int)name.size, name.data)
                 : lc_arena_printf(&w->l->scratch, "%.*s:%d", (int)name.size, name.data, n);
}

/* What an edge is called in a function: an argument's name, or the node's. stand_in: what the edge becomes before arguments are looked up.
 */
typedef edge (*stand_in)(const weave *w, const void *user, edge e);

static lc_status reference(weave *w, cut *c, edge e, stand_in as, const void *user, lc_str *out) {
    int32_t arg;
    const edge x = as(w, user, follow(w, e));
    LC_TRY(argument(w, c, x, false, &arg));
    const char *text = arg >= 0 ? lc_arena_printf(&w->l->scratch, "arg_%d", arg) : text_of(w, w->knots[x.node].def->name, x.output);
    if (!text) return no_memory(w);
    *out = lc_str_of(text);
    return LC_OK;
}

/* Makes a function of the cut: its nodes with their inputs renamed, and these results. *name: what it is called. */
static lc_status make_function(weave *w, cut *c, const edge *rets, uint32_t ret_count, stand_in as, const void *user, const char *kind,
                               lc_str of, lc_str *name) {
    lc_arena *a = &w->l->scratch;
    void *items = w->functions;
    if (!lc_arena_grow(a, &items, &w->function_capacity, w->function_count + 1, sizeof *w->functions)) return no_memory(w);
    w->functions = items;
    lc_pb_FunctionDef *f = &w->functions[w->function_count];
    memset(f, 0, sizeof *f);
    f->signature = lc_arena_alloc(a, sizeof *f->signature);
    f->node_def.data = lc_arena_array(a, c->count + 1, sizeof *f->node_def.data);
    f->ret.data = lc_arena_array(a, ret_count + 1, sizeof *f->ret.data);
    char *title = lc_arena_printf(a, "%.*s/%s#%zu", (int)(of.size < 200 ? of.size : 200), of.data, kind, w->function_count);
    if (!f->signature || !f->node_def.data || !f->ret.data || !title) return no_memory(w);
    f->signature->name = *name = lc_str_of(title);
    f->signature->input_arg.data = lc_arena_array(a, c->arg_count + 1, sizeof *f->signature->input_arg.data);
    f->signature->output_arg.data = lc_arena_array(a, ret_count + 1, sizeof *f->signature->output_arg.data);
    if (!f->signature->input_arg.data || !f->signature->output_arg.data) return no_memory(w);
    for (size_t i = 0; i < c->arg_count; i++) {
        char *arg = lc_arena_printf(a, "arg_%zu", i);
        if (!arg) return no_memory(w);
        f->signature->input_arg.data[f->signature->input_arg.n++].name = lc_str_of(arg);
    }
    LC_TRY(room_for_walks(w));
    const int32_t inside = ++w->round;
    for (size_t i = 0; i < c->count; i++) w->mark[c->nodes[i]] = inside;
    for (size_t i = 0; i < c->count; i++) {
        const knot *k = &w->knots[c->nodes[i]];
        lc_pb_NodeDef *copy = &f->node_def.data[f->node_def.n++];
        *copy = *k->def;
        copy->input.data = lc_arena_array(a, k->in_count + 1, sizeof *copy->input.data);
        copy->input.n = 0;
        if (!copy->input.data) return no_memory(w);
        for (uint32_t e = 0; e < k->in_count; e++) {
            if (k->in[e].output < 0 && w->mark[follow(w, k->in[e]).node] != inside) continue; /* control from outside */
            LC_TRY(reference(w, c, k->in[e], as, user, &copy->input.data[copy->input.n]));
            copy->input.n++;
        }
    }
    for (uint32_t i = 0; i < ret_count; i++) {
        char *ret = lc_arena_printf(a, "ret_%u", i);
        if (!ret) return no_memory(w);
        f->signature->output_arg.data[f->signature->output_arg.n++].name = lc_str_of(ret);
        f->ret.data[i].key = lc_str_of(ret);
        LC_TRY(reference(w, c, rets[i], as, user, &f->ret.data[i].value));
        f->ret.n++;
    }
    w->function_count++;
    return LC_OK;
}

static lc_status add_attr_func(weave *w, lc_pb_NodeDef *def, const char *key, lc_str function) {
    lc_pb_AttrValue *v = lc_arena_alloc(&w->l->scratch, sizeof *v);
    lc_pb_NameAttrList *f = lc_arena_alloc(&w->l->scratch, sizeof *f);
    if (!v || !f) return no_memory(w);
    f->name = function;
    v->func = f;
    lc_pb_set(v, AttrValue, func);
    def->attr.data[def->attr.n].key = lc_str_of(key);
    def->attr.data[def->attr.n++].value = v;
    return LC_OK;
}

/* A list of n types, which say how many outputs the node has; what they are is not asked for. */
static lc_status add_attr_types(weave *w, lc_pb_NodeDef *def, const char *key, uint32_t n) {
    lc_pb_AttrValue *v = lc_arena_alloc(&w->l->scratch, sizeof *v);
    lc_pb_AttrValue_ListValue *list = lc_arena_alloc(&w->l->scratch, sizeof *list);
    if (!v || !list || !(list->type.data = lc_arena_array(&w->l->scratch, n + 1, sizeof *list->type.data))) return no_memory(w);
    list->type.n = n;
    v->list = list;
    lc_pb_set(v, AttrValue, list);
    def->attr.data[def->attr.n].key = lc_str_of(key);
    def->attr.data[def->attr.n++].value = v;
    return LC_OK;
}

/* A new node of the graph that calls two functions. */
static lc_status call_node(weave *w, const char *op, lc_str name, const char *key0, lc_str f0, const char *key1, lc_str f1,
                           const char *types, uint32_t outs, const edge *in, size_t in_count, int32_t *index) {
    lc_pb_NodeDef *def = lc_arena_alloc(&w->l->scratch, sizeof *def);
    char *title = lc_arena_printf(&w->l->scratch, "%.*s/%s", (int)(name.size < 500 ? name.size : 500), name.data, op);
    if (!def || !title || !(def->attr.data = lc_arena_array(&w->l->scratch, 3, sizeof *def->attr.data))) return no_memory(w);
    def->op = lc_str_of(op);
    def->name = lc_str_of(title);
    LC_TRY(add_attr_func(w, def, key0, f0));
    LC_TRY(add_attr_func(w, def, key1, f1));
    LC_TRY(add_attr_types(w, def, types, outs));
    LC_TRY(add_knot(w, def, (uint32_t)in_count));
    knot *k = &w->knots[w->count - 1];
    for (size_t i = 0; i < in_count; i++) k->in[k->in_count++] = in[i];
    k->data_count = k->in_count;
    k->place = (int32_t)w->count;
    *index = (int32_t)w->count - 1;
    return LC_OK;
}

static int by_number(const void *a, const void *b) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return x < y ? -1 : x > y;
}

/* ---- loops ------------------------------------------------------------------------------------------------------------------------ */

/* One value that a loop carries. gate: its Switch, -1: the body does not use it. */
typedef struct carried {
    int32_t merge, enter, next, gate;
} carried;

typedef struct frame {
    lc_str name;
    int32_t cond;  /* LoopCond */
    int32_t place; /* of that: a frame inside another comes after it */
    carried *values;
    size_t count, capacity;
    int32_t *constant; /* Enters of what is the same in each round */
    size_t constants, constant_capacity;
} frame;

static lc_str frame_name(const knot *k) {
    const lc_pb_AttrValue *a = lc_tf_node_attr(k->def, "frame_name");
    return a && a->s.data ? a->s : LC_STR("");
}

/* What a gate or Merge of the frame lets in is the argument that stands at its Enter. */
static edge loop_argument(const weave *w, const void *user, edge e) {
    const frame *f = user;
    (void)w;
    if (e.output < 0) return e;
    for (size_t i = 0; i < f->count; i++)
        if (e.node == f->values[i].merge || e.node == f->values[i].gate) return (edge){f->values[i].enter, 0};
    return e;
}

/* Collects the nodes that `from` stands on, up to those that are marked with the returned round already. */
static lc_status walk(weave *w, int32_t seen, const edge *from, size_t n, cut *c) {
    size_t depth = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t to = follow(w, from[i]).node;
        if (w->mark[to] == seen) continue;
        w->mark[to] = seen;
        w->stack[depth++] = to;
    }
    while (depth) {
        const int32_t i = w->stack[--depth];
        const knot *k = &w->knots[i];
        LC_TRY(push_node(w, c, i));
        for (uint32_t e = 0; e < k->in_count; e++) {
            const int32_t to = follow(w, k->in[e]).node;
            if (w->mark[to] == seen) continue;
            w->mark[to] = seen;
            w->stack[depth++] = to;
        }
    }
    if (c->count) qsort(c->nodes, c->count, sizeof *c->nodes, by_number);
    return LC_OK;
}

static lc_status walk_frame(weave *w, const frame *f, const edge *from, size_t n, cut *c) {
    LC_TRY(room_for_walks(w));
    const int32_t seen = ++w->round;
    for (size_t i = 0; i < f->count; i++) {
        w->mark[f->values[i].merge] = w->mark[f->values[i].enter] = seen;
        if (f->values[i].gate >= 0) w->mark[f->values[i].gate] = seen;
    }
    for (size_t i = 0; i < f->constants; i++) w->mark[f->constant[i]] = seen;
    w->mark[f->cond] = seen;
    LC_TRY(walk(w, seen, from, n, c));
    for (size_t i = 0; i < c->count; i++) {
        const knot *k = &w->knots[c->nodes[i]];
        if (!is(k, "Enter") && !is(k, "Exit") && !is(k, "NextIteration")) continue;
        lc_fail(w->l->err, LC_INVALID, "the loop of \"%.*s\" runs into another loop at \"%.*s\"", LC_TF_NAME(f->name),
                LC_TF_NAME(k->def->name));
        lc_error_hint(w->l->err, "the graph was cut inside a loop; export it whole");
        return LC_INVALID;
    }
    return LC_OK;
}

static lc_status replace_loop(weave *w, frame *f) {
    const size_t n = f->count + f->constants;
    lc_arena *a = &w->l->scratch;
    if (f->cond < 0 || w->knots[f->cond].data_count < 1)
        return lc_fail(w->l->err, LC_INVALID, "the loop of \"%.*s\" has no condition", LC_TF_NAME(f->name));
    edge *in = lc_arena_array(a, n + 1, sizeof *in), *rets = lc_arena_array(a, n + 1, sizeof *rets);
    if (!in || !rets) return no_memory(w);
    cut cond = {0}, body = {0};
    int32_t number_of, node;
    for (size_t i = 0; i < n; i++) {
        const int32_t enter = i < f->count ? f->values[i].enter : f->constant[i - f->count];
        if (w->knots[enter].data_count < 1)
            return lc_fail(w->l->err, LC_INVALID, "\"%.*s\" has no input", LC_TF_NAME(w->knots[enter].def->name));
        LC_TRY(argument(w, &cond, (edge){enter, 0}, true, &number_of));
        LC_TRY(argument(w, &body, (edge){enter, 0}, true, &number_of));
        in[i] = w->knots[enter].in[0];
        rets[i] = (edge){enter, 0};
        if (i < f->count && w->knots[f->values[i].next].data_count) rets[i] = w->knots[f->values[i].next].in[0];
    }
    lc_str cond_name, body_name;
    const edge goes_on = w->knots[f->cond].in[0];
    LC_TRY(walk_frame(w, f, &goes_on, 1, &cond));
    LC_TRY(make_function(w, &cond, &goes_on, 1, loop_argument, f, "cond", f->name, &cond_name));
    LC_TRY(walk_frame(w, f, rets, f->count, &body));
    LC_TRY(make_function(w, &body, rets, (uint32_t)n, loop_argument, f, "body", f->name, &body_name));
    LC_TRY(call_node(w, "While", f->name, "cond", cond_name, "body", body_name, "T", (uint32_t)n, in, n, &node));
    w->knots[node].place = w->knots[f->cond].place;
    /* whoever reads an Exit reads the loop's result */
    for (size_t k = 0; k < w->count; k++) {
        if (!is(&w->knots[k], "Exit") || w->knots[k].data_count < 1) continue;
        const int32_t gate = w->knots[k].in[0].node;
        for (size_t i = 0; i < f->count; i++)
            if (f->values[i].gate == gate) {
                w->knots[k].replaced = node;
                w->knots[k].first = (int32_t)i;
            }
    }
    return LC_OK;
}

static lc_status add_value(weave *w, frame *f, carried v) {
    void *items = f->values;
    if (!lc_arena_grow(&w->l->scratch, &items, &f->capacity, f->count + 1, sizeof *f->values)) return no_memory(w);
    f->values = items;
    f->values[f->count++] = v;
    return LC_OK;
}

static lc_status add_constant(weave *w, frame *f, int32_t enter) {
    void *items = f->constant;
    if (!lc_arena_grow(&w->l->scratch, &items, &f->constant_capacity, f->constants + 1, sizeof *f->constant)) return no_memory(w);
    f->constant = items;
    f->constant[f->constants++] = enter;
    return LC_OK;
}

static int inner_first(const void *a, const void *b) {
    const frame *x = a, *y = b;
    return x->place > y->place ? -1 : x->place < y->place;
}

/* Every frame with what belongs to it. */
static lc_status find_frames(weave *w, frame **frames, uint32_t *frame_count) {
    lc_arena *a = &w->l->scratch;
    uint32_t enters = 0;
    for (size_t i = 0; i < w->count; i++) enters += is(&w->knots[i], "Enter");
    lc_names names;
    int32_t *used =
        lc_arena_array(a, w->count + 1, sizeof *used); /* Enter: 1 when a Merge reads it; Merge: place among its frame's values + 1 */
    int32_t *owner = lc_arena_array(a, w->count + 1, sizeof *owner);
    *frames = lc_arena_array(a, enters + 1, sizeof **frames);
    if (!used || !owner || !*frames || !lc_names_init(&names, a, enters)) return no_memory(w);
    for (size_t i = 0; i < w->count; i++) {
        const knot *k = &w->knots[i];
        if (!is(k, "Enter")) continue;
        int32_t at = lc_names_add(&names, frame_name(k), &at);
        if (at < 0) at = lc_names_find(&names, frame_name(k));
        (*frames)[at].name = frame_name(k);
        (*frames)[at].cond = -1;
        owner[i] = at;
    }
    *frame_count = names.count;
    for (size_t i = 0; i < w->count; i++) {
        const knot *k = &w->knots[i];
        if (!is(k, "Merge") || k->data_count != 2) continue;
        int32_t enter = k->in[0].node, next = k->in[1].node;
        if (is(&w->knots[next], "Enter")) {
            const int32_t other = enter;
            enter = next;
            next = other;
        }
        if (!is(&w->knots[enter], "Enter") || !is(&w->knots[next], "NextIteration")) continue;
        frame *f = &(*frames)[owner[enter]];
        used[enter] = 1;
        LC_TRY(add_value(w, f, (carried){(int32_t)i, enter, next, -1}));
        used[i] = (int32_t)f->count;
        owner[i] = owner[enter];
    }
    for (size_t i = 0; i < w->count; i++) {
        const knot *k = &w->knots[i];
        if (is(k, "Enter") && !used[i]) LC_TRY(add_constant(w, &(*frames)[owner[i]], (int32_t)i));
        if (!is(k, "Switch") || k->data_count != 2 || !is(&w->knots[k->in[1].node], "LoopCond")) continue;
        const int32_t merge = k->in[0].node;
        if (!is(&w->knots[merge], "Merge") || !used[merge]) continue;
        frame *f = &(*frames)[owner[merge]];
        f->values[used[merge] - 1].gate = (int32_t)i;
        f->cond = k->in[1].node;
        f->place = w->knots[f->cond].place;
    }
    return LC_OK;
}

static lc_status replace_loops(weave *w) {
    frame *frames = NULL;
    uint32_t n = 0;
    LC_TRY(find_frames(w, &frames, &n));
    if (n) qsort(frames, n, sizeof *frames, inner_first);
    for (uint32_t i = 0; i < n; i++) LC_TRY(replace_loop(w, &frames[i]));
    return LC_OK;
}

/* ---- conditions -------------------------------------------------------------------------------------------------------------------- */

/* What belongs to one side of a Merge. */
typedef struct side {
    edge from;
    cut nodes;         /* between the Switches and here */
    int32_t predicate; /* node and output that all its Switches ask; -1: it meets none */
    int32_t predicate_output;
    int port;     /* which way it goes: 0 or 1 */
    bool unclear; /* several predicates, or both ways of one */
    bool waits;   /* for a Merge that is still there */
} side;

/* A predicate is handed around by Identity nodes. */
static edge source_of(const weave *w, edge e) {
    for (e = follow(w, e); is(&w->knots[e.node], "Identity") && w->knots[e.node].data_count; e = follow(w, w->knots[e.node].in[0])) {}
    return e;
}

/* Walks back from one input of a Merge to the Switches it passes. */
static lc_status walk_side(weave *w, side *s) {
    LC_TRY(room_for_walks(w));
    const int32_t seen = ++w->round;
    size_t depth = 0;
    s->predicate = -1;
    s->port = -1;
    edge e = follow(w, s->from);
    const knot *k = NULL;
    uint32_t next = 0;
    for (;;) { /* first the edge itself, then those of the nodes on the stack */
        const knot *to = &w->knots[e.node];
        if (is(to, "Switch") && to->data_count == 2) {
            const edge p = source_of(w, to->in[1]);
            const int port = e.output < 0 ? -1 : e.output != 0;
            if (s->predicate >= 0 && (s->predicate != p.node || s->predicate_output != p.output)) s->unclear = true;
            if (port >= 0 && s->port >= 0 && s->port != port) s->unclear = true;
            s->predicate = p.node;
            s->predicate_output = p.output;
            if (port >= 0) s->port = port;
        } else if (w->mark[e.node] != seen) {
            w->mark[e.node] = seen;
            if (is(to, "Merge")) s->waits = true;
            LC_TRY(push_node(w, &s->nodes, e.node));
            w->stack[depth * 2] = e.node;
            w->stack[depth * 2 + 1] = 0;
            depth++;
        }
        for (; depth; depth--) {
            k = &w->knots[w->stack[depth * 2 - 2]];
            next = (uint32_t)w->stack[depth * 2 - 1]++;
            if (next < k->in_count) break;
        }
        if (!depth) return LC_OK;
        e = follow(w, k->in[next]);
    }
}

/* Keeps of a side's nodes those that its Switches lead to, and constants: what does not depend on them is computed outside. */
static lc_status keep_inside(weave *w, side *s) {
    if (s->nodes.count == 0) return LC_OK; /* the Switch itself */
    qsort(s->nodes.nodes, s->nodes.count, sizeof *s->nodes.nodes, by_number);
    const int32_t inside = ++w->round;
    /* in the order of the graph, so that inputs are judged first */
    size_t kept = 0;
    bool more = true;
    while (more) { /* rarely more than twice: numbers mostly ascend */
        more = false;
        for (size_t i = 0; i < s->nodes.count; i++) {
            const int32_t node = s->nodes.nodes[i];
            const knot *k = &w->knots[node];
            bool in = k->data_count == 0;
            for (uint32_t e = 0; e < k->in_count && !in; e++) {
                const edge x = follow(w, k->in[e]);
                in = w->mark[x.node] == inside || (is(&w->knots[x.node], "Switch") && w->knots[x.node].data_count == 2);
                if (in && w->knots[x.node].data_count == 0 && w->mark[x.node] == inside && x.output >= 0)
                    in = false; /* a constant does not make it ours */
            }
            if (in && w->mark[node] != inside) {
                w->mark[node] = inside;
                more = true;
            }
        }
    }
    for (size_t i = 0; i < s->nodes.count; i++)
        if (w->mark[s->nodes.nodes[i]] == inside && !is(&w->knots[s->nodes.nodes[i]], "Placeholder"))
            s->nodes.nodes[kept++] = s->nodes.nodes[i];
        else w->mark[s->nodes.nodes[i]] = 0;
    s->nodes.count = kept;
    return LC_OK;
}

/* A Switch inside lets in what it is given. */
static edge through_switch(const weave *w, const void *user, edge e) {
    (void)user;
    while (e.output >= 0 && is(&w->knots[e.node], "Switch") && w->knots[e.node].data_count == 2) e = follow(w, w->knots[e.node].in[0]);
    return e;
}

/* Arguments: everything the nodes read that is not among them. */
static lc_status find_arguments(weave *w, const cut *nodes, edge ret, cut *args) {
    const int32_t inside = ++w->round;
    int32_t at;
    for (size_t i = 0; i < nodes->count; i++) w->mark[nodes->nodes[i]] = inside;
    for (size_t i = 0; i <= nodes->count; i++) {
        const knot *k = i < nodes->count ? &w->knots[nodes->nodes[i]] : NULL;
        for (uint32_t e = 0; e < (k ? k->data_count : 1); e++) {
            const edge x = through_switch(w, NULL, follow(w, k ? k->in[e] : ret));
            if (w->mark[x.node] != inside) LC_TRY(argument(w, args, x, true, &at));
        }
    }
    return LC_OK;
}

static lc_status replace_merge(weave *w, int32_t merge) {
    const knot *k = &w->knots[merge];
    side s[2] = {{.from = k->in[0]}, {.from = k->in[1]}};
    lc_str names[2];
    int32_t node;
    for (int i = 0; i < 2; i++) LC_TRY(walk_side(w, &s[i]));
    /* one side may know nothing (a constant that an optimiser has cut loose): then it is the other way */
    for (int i = 0; i < 2; i++)
        if (s[i].predicate < 0 || s[i].port < 0) {
            s[i].predicate = s[1 - i].predicate;
            s[i].predicate_output = s[1 - i].predicate_output;
            s[i].port = s[1 - i].port < 0 ? -1 : 1 - s[1 - i].port;
        }
    const lc_str name = k->def->name;
    /* It may belong to training: one that is needed is refused when it is lowered (lc_tf_op_merge). */
    if (s[0].unclear || s[1].unclear || s[0].predicate < 0 || s[0].port < 0 || s[0].predicate != s[1].predicate || s[0].port == s[1].port)
        return LC_OK;
    cut args = {0};
    for (int i = 0; i < 2; i++) {
        LC_TRY(keep_inside(w, &s[i]));
        LC_TRY(find_arguments(w, &s[i].nodes, follow(w, s[i].from), &args));
    }
    for (int i = 0; i < 2; i++) { /* both take the same arguments */
        s[i].nodes.args = args.args;
        s[i].nodes.arg_count = args.arg_count;
        const edge ret = follow(w, s[i].from);
        LC_TRY(make_function(w, &s[i].nodes, &ret, 1, through_switch, NULL, s[i].port ? "then" : "else", name, &names[s[i].port]));
    }
    edge *in = lc_arena_array(&w->l->scratch, args.arg_count + 1, sizeof *in);
    if (!in) return no_memory(w);
    in[0] = (edge){s[0].predicate, s[0].predicate_output};
    for (size_t i = 0; i < args.arg_count; i++) in[i + 1] = args.args[i];
    LC_TRY(call_node(w, "If", name, "then_branch", names[1], "else_branch", names[0], "Tout", 1, in, args.arg_count + 1, &node));
    w->knots[merge].replaced = node;
    w->knots[merge].first = 0;
    return LC_OK;
}

typedef struct waiting {
    int32_t place, node;
} waiting;

static int by_place(const void *a, const void *b) {
    const waiting *x = a, *y = b;
    return x->place < y->place ? -1 : x->place > y->place;
}

/* The Merges that are left, each after those it waits for. */
static lc_status replace_merges(weave *w) {
    const size_t n = w->count;
    waiting *list = lc_arena_array(&w->l->scratch, n + 1, sizeof *list);
    size_t count = 0;
    if (!list) return no_memory(w);
    for (size_t i = 0; i < n; i++) {
        const knot *k = &w->knots[i];
        if (!is(k, "Merge") || k->replaced >= 0 || k->data_count != 2) continue;
        const knot *a = &w->knots[k->in[0].node], *b = &w->knots[k->in[1].node];
        if (is(a, "NextIteration") || is(b, "NextIteration")) continue; /* a loop's, which has gone */
        list[count++] = (waiting){k->place, (int32_t)i};
    }
    if (count) qsort(list, count, sizeof *list, by_place);
    for (size_t i = 0; i < count; i++) LC_TRY(replace_merge(w, list[i].node));
    return LC_OK;
}

/* ---- the graph again ------------------------------------------------------------------------------------------------------------------
 */

static lc_status write_nodes(weave *w, lc_pb_NodeDef **out, uint32_t *n) {
    lc_pb_NodeDef *defs = lc_arena_array(&w->l->scratch, w->count + 1, sizeof *defs);
    if (!defs) return no_memory(w);
    for (size_t i = 0; i < w->count; i++) {
        const knot *k = &w->knots[i];
        defs[i] = *k->def;
        defs[i].input.data = lc_arena_array(&w->l->scratch, k->in_count + 1, sizeof *defs[i].input.data);
        defs[i].input.n = 0;
        if (!defs[i].input.data) return no_memory(w);
        for (uint32_t e = 0; e < k->in_count; e++) {
            const edge x = follow(w, k->in[e]);
            const char *text = text_of(w, w->knots[x.node].def->name, x.output);
            if (!text) return no_memory(w);
            defs[i].input.data[defs[i].input.n++] = lc_str_of(text);
        }
    }
    /* Who asks for an Exit or Merge by name gets what it became. */
    for (size_t i = 0; i < w->count; i++) {
        if (w->knots[i].replaced < 0) continue;
        const edge x = follow(w, (edge){(int32_t)i, 0});
        char *text = text_of(w, w->knots[x.node].def->name, x.output);
        lc_str *input = lc_arena_alloc(&w->l->scratch, sizeof *input);
        if (!text || !input) return no_memory(w);
        *input = lc_str_of(text);
        defs[i].op = LC_STR("Identity");
        defs[i].input.data = input;
        defs[i].input.n = 1;
    }
    *out = defs;
    *n = (uint32_t)w->count;
    return LC_OK;
}

static bool has_control_flow(const lc_pb_NodeDef *defs, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const knot k = {.def = &defs[i]};
        if (is(&k, "Merge")) return true;
    }
    return false;
}

/* One graph's nodes; the functions it makes are added to w's. */
static lc_status unweave(lc_tf_lower *l, const lc_pb_NodeDef *defs, uint32_t n, bool loops, weave *functions, lc_pb_NodeDef **out,
                         uint32_t *out_count) {
    weave w = {.l = l,
               .functions = functions->functions,
               .function_count = functions->function_count,
               .function_capacity = functions->function_capacity};
    LC_TRY(read_nodes(&w, defs, n));
    LC_TRY(number(&w));
    if (loops) LC_TRY(replace_loops(&w));
    LC_TRY(replace_merges(&w));
    LC_TRY(write_nodes(&w, out, out_count));
    functions->functions = w.functions;
    functions->function_count = w.function_count;
    functions->function_capacity = w.function_capacity;
    return LC_OK;
}

/* A function's: its arguments stand in as nodes, which are gone again after. Results that were Merges keep their names. */
static lc_status unweave_function(lc_tf_lower *l, const lc_pb_FunctionDef *f, weave *functions, lc_pb_NodeDef **out, uint32_t *n) {
    const uint32_t args = f->signature->input_arg.n, nodes = f->node_def.n;
    lc_pb_NodeDef *all = lc_arena_array(&l->scratch, (size_t)args + nodes + 1, sizeof *all);
    if (!all) return lc_fail_memory(l->err, "control flow");
    for (uint32_t i = 0; i < args; i++) all[i] = (lc_pb_NodeDef){.name = f->signature->input_arg.data[i].name, .op = LC_STR("Placeholder")};
    if (nodes) memcpy(all + args, f->node_def.data, nodes * sizeof *all);
    LC_TRY(unweave(l, all, args + nodes, false, functions, out, n));
    *out += args;
    *n -= args;
    for (uint32_t i = 0; i < *n; i++) /* an argument is "arg_0", not "arg_0:0" */
        for (uint32_t e = 0; e < (*out)[i].input.n; e++) {
            lc_str *s = &(*out)[i].input.data[e];
            if (lc_str_has_prefix(*s, "arg_") && s->size > 2 && !memcmp(s->data + s->size - 2, ":0", 2)) s->size -= 2;
        }
    return LC_OK;
}

lc_status lc_tf_structure(lc_tf_lower *l) {
    const lc_pb_GraphDef *g = l->tf->graph;
    weave functions = {.l = l};
    l->graph = g;
    if (!has_control_flow(g->node.data, g->node.n)) return LC_OK;
    lc_pb_GraphDef *copy = lc_arena_alloc(&l->scratch, sizeof *copy);
    lc_pb_FunctionDefLibrary *library = lc_arena_alloc(&l->scratch, sizeof *library);
    if (!copy || !library) return lc_fail_memory(l->err, "control flow");
    *copy = *g;
    LC_TRY(unweave(l, g->node.data, g->node.n, true, &functions, &copy->node.data, &copy->node.n));
    /* conditions inside of what became functions of loops */
    for (size_t i = 0; i < functions.function_count; i++) {
        lc_pb_NodeDef *nodes;
        uint32_t n;
        const lc_pb_FunctionDef f = functions.functions[i];
        if (!has_control_flow(f.node_def.data, f.node_def.n)) continue;
        LC_TRY(unweave_function(l, &f, &functions, &nodes, &n));
        functions.functions[i].node_def.data = nodes;
        functions.functions[i].node_def.n = n;
    }
    const uint32_t had = g->library ? g->library->function.n : 0;
    if (g->library) *library = *g->library;
    library->function.n = had + (uint32_t)functions.function_count;
    library->function.data = lc_arena_array(&l->scratch, (size_t)library->function.n + 1, sizeof *library->function.data);
    if (!library->function.data) return lc_fail_memory(l->err, "control flow");
    if (had) memcpy(library->function.data, g->library->function.data, had * sizeof *library->function.data);
    if (functions.function_count)
        memcpy(library->function.data + had, functions.functions, functions.function_count * sizeof *functions.functions);
    copy->library = library;
    l->graph = copy;
    return LC_OK;
}
