/*
 * tf_control.c: If, Case and While. A branch or a loop's condition and body become graphs of their own, called by IF and WHILE.
 *
 * A graph of TFLite sees nothing of its caller's but its inputs. So a constant that goes in becomes a constant there, handles of
 * variables and tables go in as what they are, and only what is left is an input. A loop carries what its body changes, and what it
 * passes on unchanged without being constant.
 *
 * Shapes: a branch's inputs are known as well as what is given to them. A loop's are known as well as what is given to them and what its
 * body gives back agree; where they differ, the dimension is open, and the body is lowered again with that.
 */
#include "lower/tf_impl.h"

#include <string.h>

enum { ROUNDS = 8 }; /* how often a body is lowered until its shapes stand; then they are all open */

/* ---- graphs ----------------------------------------------------------------------------------------------------------- */

lc_tf_graph *lc_tf_enter(lc_tf_lower *l, lc_builder *outer, lc_str name) {
    if (outer->status != LC_OK) return NULL;
    char *copy = lc_arena_strndup(&l->model->arena, name.data ? name.data : "", name.size < 200 ? name.size : 200);
    lc_graph *graph = copy ? lc_model_add_graph(l->model, lc_str_of(copy)) : NULL;
    lc_tf_graph *g = graph ? lc_tf_graph_begin(l, graph, lc_tf_graph_of(outer)) : NULL;
    if (!g) lc_build_check(outer, lc_fail_memory(l->err, "graph"));
    else {
        g->b.layer = outer->layer;
        g->b.kind = outer->kind;
    }
    return g;
}

int32_t lc_tf_import(lc_tf_graph *inner, lc_builder *outer, int32_t tensor) {
    int32_t index = -1;
    lc_tensor *t = &outer->graph->tensors[tensor];
    t->data_owned = false; /* two tensors use it now */
    const lc_tensor copy = *t;
    return lc_build_check(&inner->b, lc_graph_add_tensor(inner->b.graph, &copy, &index, inner->b.err)) ? index : -1;
}

/* What goes from graph to graph: a tensor, or the tensor of a list. */
static bool has_tensor(lc_tf_value v) { return v.kind == LC_TF_TENSOR || (v.kind == LC_TF_LIST && v.tensor >= 0); }

lc_tf_value lc_tf_carry(lc_tf_graph *inner, lc_builder *outer, lc_tf_value v, bool *carried) {
    *carried = false;
    if (!has_tensor(v) || outer->status != LC_OK || inner->b.status != LC_OK) return v;
    if (lc_tensor_is_const(&outer->graph->tensors[v.tensor])) return (lc_tf_value){v.kind, lc_tf_import(inner, outer, v.tensor), v.object};
    const lc_tf_known known = *lc_tf_known_of(outer, v.tensor);
    const lc_tensor *t = &outer->graph->tensors[v.tensor];
    const int32_t in = lc_build_placeholder(&inner->b, t->name.data, t->type, NULL, 0);
    if (in < 0) return v;
    lc_tf_know(&inner->b, in, &known);
    lc_build_check(&inner->b, lc_graph_add_input(inner->b.graph, in, inner->b.err));
    *carried = true;
    return (lc_tf_value){v.kind, in, v.object};
}

/* ---- If ------------------------------------------------------------------------------------------------------------------ */

/* What both may be: dimensions in which they differ are open. */
static lc_tf_known either(lc_tf_lower *l, const lc_tf_known *x, const lc_tf_known *y) {
    lc_tf_known k = {.set = true, .shape = {x->shape[0], x->shape[1]}};
    for (int w = 0; w < 2; w++)
        if (x->shape[w].rank != y->shape[w].rank)
            return (lc_tf_known){.set = true, .shape = {{.rank = LC_RANK_UNKNOWN}, {.rank = LC_RANK_UNKNOWN}}};
    for (int32_t d = 0; d < k.shape[0].rank; d++) {
        if (x->shape[0].dims[d] == y->shape[0].dims[d] && x->shape[1].dims[d] == y->shape[1].dims[d]) continue;
        int32_t size[2];
        lc_tf_symbol(l, d > 0, size);
        k.shape[0].dims[d] = size[0];
        k.shape[1].dims[d] = size[1];
    }
    return k;
}

typedef struct branch {
    lc_tf_graph *graph;
    lc_tf_value *rets;
} branch;

typedef struct choice {
    lc_tf_call *c;
    lc_tf_value *args; /* of the branches; of a Case with the index behind them */
    uint32_t arg_count, ret_count;
    bool indexed;    /* a Case */
    int32_t *inputs; /* of the IF: condition, then the arguments that are carried */
    uint32_t input_count;
} choice;

static const lc_pb_NameAttrList *function_attr(lc_tf_call *c, const char *name) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, name);
    if (a && a->func) return a->func;
    lc_tf_fail(c, LC_INVALID, "attribute \"%s\" is no function", name);
    return NULL;
}

/* Sets the graph's outputs: those of its results that are tensors. */
static void end_branch(lc_tf_call *c, branch *br, uint32_t n) {
    for (uint32_t i = 0; i < n && br->graph->b.status == LC_OK; i++) {
        if (br->rets[i].kind == LC_TF_NOTHING) lc_tf_fail(c, LC_INVALID, "result %u of a branch was not made", i);
        if (!has_tensor(br->rets[i]) || !lc_tf_ok(c)) continue;
        lc_build_check(&br->graph->b, lc_graph_add_output(br->graph->b.graph, br->rets[i].tensor, br->graph->b.err));
    }
}

/* A graph that begins with the arguments as inputs. *args: what they are there. */
static lc_tf_graph *begin_branch(choice *h, lc_str name, lc_tf_value **args) {
    lc_tf_lower *l = h->c->lower;
    lc_tf_graph *g = lc_tf_enter(l, h->c->b, name);
    *args = g ? lc_arena_array(&l->scratch, h->arg_count ? h->arg_count : 1, sizeof **args) : NULL;
    if (!g || !*args) return lc_build_check(h->c->b, lc_fail_memory(l->err, "branch")) ? NULL : NULL;
    h->input_count = 1;
    for (uint32_t i = 0; i < h->arg_count; i++) {
        bool carried;
        (*args)[i] = lc_tf_carry(g, h->c->b, h->args[i], &carried);
        if (carried) h->inputs[h->input_count++] = h->args[i].tensor;
    }
    return g;
}

static bool take_status(lc_tf_call *c, const lc_builder *inner) {
    if (inner->status != LC_OK && c->b->status == LC_OK) c->b->status = inner->status;
    return c->b->status == LC_OK;
}

/* IF over two graphs that are ready; rets of `c`. */
static void join(choice *h, const branch *yes, const branch *no, lc_tf_value *out) {
    lc_tf_call *c = h->c;
    lc_tf_lower *l = c->lower;
    const uint32_t n = h->ret_count;
    lc_tf_known *known = lc_arena_array(&l->scratch, n ? n : 1, sizeof *known);
    lc_dtype *types = lc_arena_array(&l->scratch, n ? n : 1, sizeof *types);
    int32_t *outs = lc_arena_array(&l->scratch, n ? n : 1, sizeof *outs), *place = lc_arena_array(&l->scratch, n ? n : 1, sizeof *place);
    if (!known || !types || !outs || !place) {
        lc_build_check(c->b, lc_fail_memory(l->err, "branch"));
        return;
    }
    uint32_t k = 0;
    for (uint32_t i = 0; i < n; i++) {
        const lc_tf_value a = yes->rets[i], b = no->rets[i];
        out[i] = a;
        place[i] = -1;
        if (a.kind == LC_TF_MISSING || b.kind == LC_TF_MISSING) {
            out[i].kind = LC_TF_MISSING;
            continue;
        }
        if (a.kind != b.kind || has_tensor(a) != has_tensor(b) || (!has_tensor(a) && a.object != b.object)) {
            lc_tf_fail(c, LC_UNSUPPORTED, "result %u is not the same kind of thing in both branches", i);
            return;
        }
        if (!has_tensor(a)) continue;
        types[k] = lc_build_type(&yes->graph->b, a.tensor);
        if (types[k] != lc_build_type(&no->graph->b, b.tensor)) {
            lc_tf_fail(c, LC_INVALID, "result %u is %s in one branch and %s in the other", i, lc_dtype_name(types[k]),
                       lc_dtype_name(lc_build_type(&no->graph->b, b.tensor)));
            return;
        }
        const lc_tf_known x = *lc_tf_known_of(&yes->graph->b, a.tensor), y = *lc_tf_known_of(&no->graph->b, b.tensor);
        known[k] = either(l, &x, &y);
        place[i] = (int32_t)k++;
    }
    int32_t numbers[2] = {-1, -1};
    for (size_t g = 0; g < l->model->graph_count; g++) {
        if (l->model->graphs[g] == yes->graph->b.graph) numbers[0] = (int32_t)g;
        if (l->model->graphs[g] == no->graph->b.graph) numbers[1] = (int32_t)g;
    }
    const lc_IfOptions o = {.then_subgraph_index = numbers[0], .else_subgraph_index = numbers[1]};
    if (!lc_tf_emit(c->b, LC_OP_IF, LC_TABLE_IfOptions, &o, h->inputs, h->input_count, types, known, outs, k)) return;
    for (uint32_t i = 0; i < n; i++)
        if (place[i] >= 0) out[i].tensor = outs[place[i]];
}

/* A condition of any type as a bool scalar, as TensorFlow reads it: not zero. */
static int32_t truth(lc_tf_call *c, int32_t x) {
    const lc_dtype t = lc_tf_type(c, x);
    if (t == LC_BOOL || !lc_tf_ok(c)) return x;
    if (t == LC_STRING) return lc_tf_fail(c, LC_UNSUPPORTED, "its condition is a string");
    return lc_tf_binary(c, LC_OP_NOT_EQUAL, x, lc_tf_scalar(c, 0, t));
}

static void choose(choice *h, int32_t condition, const lc_pb_NameAttrList *const *f, uint32_t n, lc_tf_value *out);

/* A branch that is one function, or the rest of a Case: a choice of its own. */
static void run_branch(choice *h, branch *br, const lc_pb_NameAttrList *const *f, uint32_t n) {
    lc_tf_call *c = h->c;
    lc_tf_lower *l = c->lower;
    lc_tf_value *args;
    br->rets = lc_arena_array(&l->scratch, h->ret_count ? h->ret_count : 1, sizeof *br->rets);
    br->graph = begin_branch(h, f[0]->name, &args);
    if (!br->graph || !br->rets) {
        lc_build_check(c->b, lc_fail_memory(l->err, "branch"));
        return;
    }
    if (n == 1)
        lc_tf_run_function(l, c->scope, &br->graph->b, c->node, f[0], f[0]->name, args, h->arg_count - h->indexed, br->rets, h->ret_count);
    else {
        lc_tf_call inner = *c;
        inner.b = &br->graph->b;
        choice rest = {.c = &inner, .args = args, .arg_count = h->arg_count, .ret_count = h->ret_count, .indexed = true};
        rest.inputs = lc_arena_array(&l->scratch, h->arg_count + 1, sizeof *rest.inputs);
        if (!rest.inputs) lc_build_check(inner.b, lc_fail_memory(l->err, "branch"));
        else choose(&rest, -1, f, n, br->rets);
    }
    if (take_status(c, &br->graph->b)) end_branch(c, br, h->ret_count);
    take_status(c, &br->graph->b);
}

/* Pending lists that the branches wrote to are made before the IF, now that the shape of their elements is known; the branches are lowered
 * again then, for what they wrote is nowhere. Each round makes one list at least. */
static bool lists_came(choice *h) {
    bool came = false;
    for (uint32_t i = 0; i < h->arg_count && lc_tf_ok(h->c); i++) {
        lc_tf_value *v = &h->args[i];
        if (v->kind != LC_TF_LIST || v->tensor >= 0 || !h->c->lower->lists[v->object].known) continue;
        if (lc_tf_list_make(h->c, v)) came = true;
        else if (lc_tf_ok(h->c) && h->c->lower->lists[v->object].graph == lc_tf_graph_of(h->c->b)) {
            lc_tf_fail(h->c, LC_UNSUPPORTED, "the shape of the elements that a branch writes to list %u cannot be known before it", i);
            lc_tf_hint(h->c, "fix the model's input shapes with --input-shape");
        }
    }
    return came && lc_tf_ok(h->c);
}

/* out[ret_count] = condition ? f[0](args) : the rest. In a Case the condition is that the index is 0, and the rest counts from 1. */
static void choose(choice *h, int32_t condition, const lc_pb_NameAttrList *const *f, uint32_t n, lc_tf_value *out) {
    lc_tf_call *c = h->c;
    branch yes = {0}, no = {0};
    if (h->indexed) {
        lc_tf_value *index = &h->args[h->arg_count - 1];
        condition = lc_tf_binary(c, LC_OP_EQUAL, index->tensor, lc_tf_scalar(c, 0, lc_tf_type(c, index->tensor)));
        index->tensor = lc_tf_with(c, LC_OP_SUB, index->tensor, 1);
    }
    if (!lc_tf_ok(c)) return;
    h->inputs[0] = condition;
    const size_t graphs = c->lower->model->graph_count, missing = c->lower->missing_count;
    do {
        c->lower->model->graph_count = graphs; /* those of a round before are forgotten */
        c->lower->missing_count = missing;
        run_branch(h, &yes, f, 1);
        if (lc_tf_ok(c)) run_branch(h, &no, f + 1, n - 1);
    } while (lists_came(h));
    if (lc_tf_ok(c)) join(h, &yes, &no, out);
}

static bool choice_begin(choice *h, lc_tf_call *c, bool indexed) {
    *h = (choice){.c = c, .arg_count = c->in_count - 1 + indexed, .ret_count = c->out_count, .indexed = indexed};
    h->args = lc_arena_array(&c->lower->scratch, h->arg_count + 1, sizeof *h->args);
    h->inputs = lc_arena_array(&c->lower->scratch, h->arg_count + 2, sizeof *h->inputs);
    if (!h->args || !h->inputs) return lc_build_check(c->b, lc_fail_memory(c->lower->err, "branch"));
    if (c->in_count > 1) memcpy(h->args, c->in + 1, (c->in_count - 1) * sizeof *h->args);
    if (indexed) h->args[h->arg_count - 1] = c->in[0];
    return lc_tf_ok(c);
}

void lc_tf_op_if(lc_tf_call *c) {
    choice h;
    const lc_pb_NameAttrList *f[2] = {function_attr(c, "then_branch"), function_attr(c, "else_branch")};
    const int32_t condition = truth(c, lc_tf_in(c, 0));
    int64_t value;
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    if (lc_tf_ints(c, condition, &value, 1, &n) && n == 1) {
        const lc_pb_NameAttrList *taken = f[value == 0];
        lc_tf_run_function(c->lower, c->scope, c->b, c->node, taken, taken->name, c->in + 1, c->in_count - 1, c->out, c->out_count);
        return;
    }
    if (choice_begin(&h, c, false)) choose(&h, condition, f, 2, c->out);
}

/* The control flow of TensorFlow 1 has become If and While (tf_frame.c); a Switch whose value is asked for itself lets it pass. */
void lc_tf_op_switch(lc_tf_call *c) {
    if (c->in_count == 0) lc_tf_fail(c, LC_INVALID, "it has no input");
    for (uint32_t k = 0; k < 2 && lc_tf_ok(c); k++)
        if (lc_tf_is_ref(c, c->in[0])) lc_tf_give(c, k, lc_tf_in(c, 0));
        else lc_tf_give_value(c, k, c->in[0]);
}

/* One that is still there. */
void lc_tf_op_merge(lc_tf_call *c) {
    lc_tf_fail(c, LC_UNSUPPORTED, "no predicate tells its %u inputs apart: it passes on whichever comes first", c->in_count);
    lc_tf_hint(c, "export the graph without control flow that depends on training, or cut it: --output-arrays");
}

void lc_tf_op_case(lc_tf_call *c) {
    choice h;
    const lc_pb_AttrValue *a = lc_tf_attr(c, "branches");
    const uint32_t n = a && a->list ? a->list->func.n : 0;
    const int32_t index = lc_tf_in(c, 0);
    int64_t value;
    uint32_t count;
    if (!lc_tf_ok(c)) return;
    if (n == 0 || n > LC_TF_DEPTH) {
        lc_tf_fail(c, n ? LC_UNSUPPORTED : LC_INVALID, "it has %u branches, 1 to %d can be lowered", n, LC_TF_DEPTH);
        return;
    }
    const bool fixed = lc_tf_ints(c, index, &value, 1, &count) && count == 1;
    if (n == 1 || fixed) {
        const lc_pb_NameAttrList *taken = &a->list->func.data[fixed && value >= 0 && value < n ? value : n - 1];
        lc_tf_run_function(c->lower, c->scope, c->b, c->node, taken, taken->name, c->in + 1, c->in_count - 1, c->out, c->out_count);
        return;
    }
    const lc_pb_NameAttrList **f = lc_arena_array(&c->lower->scratch, n, sizeof *f);
    if (!f) {
        lc_build_check(c->b, lc_fail_memory(c->lower->err, "branches"));
        return;
    }
    for (uint32_t i = 0; i < n; i++) f[i] = &a->list->func.data[i];
    if (choice_begin(&h, c, true)) choose(&h, -1, f, n, c->out);
}

/* ---- While --------------------------------------------------------------------------------------------------------------------- */

int32_t lc_tf_passes(const lc_tf_body *body, uint32_t i) {
    lc_tf_ref r = body->rets[i];
    for (uint32_t k = 0; k < body->node_count && r.node != LC_TF_ARGUMENT; k++) {
        const lc_tf_node *n = &body->nodes[r.node];
        if (!n->row || n->input_count == 0) return -1;
        if (n->row->lower == lc_tf_op_pass) r = n->inputs[0];
        else if (n->row->lower == lc_tf_op_pass_all && (uint32_t)r.output < n->input_count) r = n->inputs[r.output];
        else return -1;
    }
    return r.node == LC_TF_ARGUMENT ? r.output : -1;
}

typedef struct loop {
    lc_tf_call *c;
    const lc_pb_NameAttrList *cond, *body;
    uint32_t n;         /* values */
    lc_tf_value *in;    /* as it begins: c->in, but for lists that were pending */
    bool *bound;        /* not carried: the same in every round */
    bool *unchanged;    /* by the body */
    lc_tf_known *known; /* of each carried value, at the beginning of a round */
    uint32_t *opened;   /* its dimensions that differ from round to round, as bits */
    lc_dtype *types;
    lc_tf_value *args, *rets;
} loop;

/* A graph that begins with the carried values as inputs. */
static lc_tf_graph *begin_round(loop *p, lc_str name) {
    lc_tf_graph *g = lc_tf_enter(p->c->lower, p->c->b, name);
    for (uint32_t i = 0; g && i < p->n; i++) {
        bool carried;
        if (p->bound[i]) {
            p->args[i] = lc_tf_carry(g, p->c->b, p->in[i], &carried);
            continue;
        }
        const int32_t in = lc_build_placeholder(&g->b, p->c->b->graph->tensors[p->in[i].tensor].name.data, p->types[i], NULL, 0);
        if (in < 0) break;
        lc_tf_know(&g->b, in, &p->known[i]);
        lc_build_check(&g->b, lc_graph_add_input(g->b.graph, in, g->b.err));
        p->args[i] = (lc_tf_value){p->in[i].kind, in, p->in[i].object};
    }
    return g;
}

/* What a round gives back is what the next begins with: dimensions in which they differ become open. Returns whether nothing changed. */
static bool widen(loop *p, uint32_t i, const lc_tf_known *end, bool last) {
    lc_tf_known *k = &p->known[i];
    bool same = true, ranked = true;
    for (int w = 0; w < 2; w++) ranked = ranked && k->shape[w].rank == end->shape[w].rank;
    if (k->shape[0].rank == LC_RANK_UNKNOWN) return true;
    if (!ranked || last) {
        *k = (lc_tf_known){.set = true, .shape = {{.rank = LC_RANK_UNKNOWN}, {.rank = LC_RANK_UNKNOWN}}};
        return false;
    }
    for (int32_t d = 0; d < k->shape[0].rank; d++) {
        if (p->opened[i] >> d & 1 || (k->shape[0].dims[d] == end->shape[0].dims[d] && k->shape[1].dims[d] == end->shape[1].dims[d]))
            continue;
        int32_t size[2];
        lc_tf_symbol(p->c->lower, d > 0, size);
        for (int w = 0; w < 2; w++) k->shape[w].dims[d] = size[w];
        p->opened[i] |= UINT32_C(1) << d;
        same = false;
    }
    return same;
}

static void carry_from_now(loop *p, uint32_t i) {
    p->bound[i] = false;
    p->types[i] = lc_build_type(p->c->b, p->in[i].tensor);
    p->known[i] = *lc_tf_known_of(p->c->b, p->in[i].tensor);
    if (!p->unchanged[i]) memset(p->known[i].value, 0, sizeof p->known[i].value); /* true of the first round only */
}

/* After a round that was given a pending list: what the body wrote says its shape, and the list is made before the loop. A list of a graph
 * further out stays pending; the loop there will come back. *waits: its shape is not known, perhaps in the next round, when others of the
 * lists are there. False: failed. */
static bool list_ready(loop *p, uint32_t i, bool *waits) {
    lc_tf_call *c = p->c;
    *waits = false;
    if (p->in[i].kind != LC_TF_LIST || p->in[i].tensor >= 0) {
        if (!p->unchanged[i]) return lc_tf_fail(c, LC_UNSUPPORTED, "its value %u is no tensor, and the loop changes it", i) > 0;
        return true;
    }
    if (!c->lower->lists[p->in[i].object].known) return true; /* nothing was written */
    if (lc_tf_list_make(c, &p->in[i])) carry_from_now(p, i);
    else *waits = c->lower->lists[p->in[i].object].graph == lc_tf_graph_of(c->b);
    return lc_tf_ok(c);
}

/* Lowers the body; *stable: it gives back what it gets. */
static lc_tf_graph *lower_body(loop *p, bool *stable, bool last) {
    lc_tf_call *c = p->c;
    lc_tf_lower *l = c->lower;
    lc_tf_graph *g = begin_round(p, p->body->name);
    uint32_t waiting = p->n;
    *stable = true;
    if (!g) return NULL;
    lc_tf_run_function(l, c->scope, &g->b, c->node, p->body, p->body->name, p->args, p->n, p->rets, p->n);
    for (uint32_t i = 0; i < p->n && g->b.status == LC_OK; i++) {
        if (p->rets[i].kind == LC_TF_MISSING) continue;
        if (p->bound[i]) {
            bool waits;
            if (!list_ready(p, i, &waits)) return NULL;
            if (waits) waiting = i;
            if (!p->bound[i]) *stable = false;
            continue;
        }
        if (p->rets[i].kind != p->in[i].kind || !has_tensor(p->rets[i])) {
            lc_tf_fail(c, LC_UNSUPPORTED, "value %u of the loop is no tensor at its end", i);
            return NULL;
        }
        if (lc_build_type(&g->b, p->rets[i].tensor) != p->types[i]) {
            lc_tf_fail(c, LC_INVALID, "value %u of the loop is %s at its beginning and %s at its end", i, lc_dtype_name(p->types[i]),
                       lc_dtype_name(lc_build_type(&g->b, p->rets[i].tensor)));
            return NULL;
        }
        const lc_tf_known end = *lc_tf_known_of(&g->b, p->rets[i].tensor);
        if (!widen(p, i, &end, last)) *stable = false;
    }
    if (*stable && waiting < p->n && g->b.status == LC_OK) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the shape of the elements that the loop writes to list %u cannot be known before the loop", waiting);
        lc_tf_hint(c, "fix the model's input shapes with --input-shape");
        return NULL;
    }
    return take_status(c, &g->b) ? g : NULL;
}

static bool loop_begin(loop *p, lc_tf_call *c) {
    lc_tf_lower *l = c->lower;
    lc_status status;
    *p = (loop){.c = c, .cond = function_attr(c, "cond"), .body = function_attr(c, "body"), .n = c->in_count};
    const size_t n = p->n ? p->n : 1;
    p->in = lc_arena_array(&l->scratch, n, sizeof *p->in);
    p->bound = lc_arena_array(&l->scratch, n, sizeof *p->bound);
    p->unchanged = lc_arena_array(&l->scratch, n, sizeof *p->unchanged);
    p->known = lc_arena_array(&l->scratch, n, sizeof *p->known);
    p->types = lc_arena_array(&l->scratch, n, sizeof *p->types);
    p->opened = lc_arena_array(&l->scratch, n, sizeof *p->opened);
    p->args = lc_arena_array(&l->scratch, n, sizeof *p->args);
    p->rets = lc_arena_array(&l->scratch, n, sizeof *p->rets);
    if (!p->in || !p->bound || !p->unchanged || !p->known || !p->types || !p->opened || !p->args || !p->rets)
        return lc_build_check(c->b, lc_fail_memory(l->err, "loop"));
    if (!lc_tf_ok(c)) return false;
    lc_tf_body *body = lc_tf_function(l, p->body->name, &status);
    if (!body) return lc_build_check(c->b, status);
    if (body->arg_count != p->n || body->ret_count != p->n)
        return lc_tf_fail(c, LC_INVALID, "its body takes %u values and gives %u, the loop has %u", body->arg_count, body->ret_count, p->n) >
               0;
    for (uint32_t i = 0; i < p->n; i++) {
        const lc_tf_value v = p->in[i] = c->in[i];
        p->unchanged[i] = lc_tf_passes(body, i) == (int32_t)i;
        p->bound[i] = !has_tensor(v) || (p->unchanged[i] && lc_tensor_is_const(&c->b->graph->tensors[v.tensor]));
        if (!p->bound[i]) carry_from_now(p, i);
    }
    return true;
}

static int32_t number_of(const lc_model *m, const lc_graph *g) {
    for (size_t i = 0; i < m->graph_count; i++)
        if (m->graphs[i] == g) return (int32_t)i;
    return -1;
}

void lc_tf_op_while(lc_tf_call *c) {
    loop p;
    lc_tf_lower *l = c->lower;
    if (!loop_begin(&p, c)) return;
    lc_tf_graph *body = NULL;
    bool stable = false;
    for (int round = 0; !stable && lc_tf_ok(c); round++) {
        const size_t graphs = l->model->graph_count, missing = l->missing_count;
        body = lower_body(&p, &stable, round >= ROUNDS);
        if (!body) return;
        if (!stable) {
            l->model->graph_count = graphs; /* that body is forgotten */
            l->missing_count = missing;
        }
    }
    uint32_t k = 0;
    int32_t *in = lc_arena_array(&l->scratch, p.n ? p.n : 1, sizeof *in), *outs = lc_arena_array(&l->scratch, p.n ? p.n : 1, sizeof *outs);
    lc_tf_known *known = lc_arena_array(&l->scratch, p.n ? p.n : 1, sizeof *known);
    lc_dtype *types = lc_arena_array(&l->scratch, p.n ? p.n : 1, sizeof *types);
    if (!in || !outs || !known || !types) {
        lc_build_check(c->b, lc_fail_memory(l->err, "loop"));
        return;
    }
    bool missing = false;
    for (uint32_t i = 0; i < p.n; i++) {
        if (p.bound[i]) continue;
        missing |= p.rets[i].kind == LC_TF_MISSING;
        in[k] = p.in[i].tensor;
        types[k] = p.types[i];
        known[k] = p.known[i];
        memset(known[k].value, 0, sizeof known[k].value);
        if (!missing) lc_build_check(&body->b, lc_graph_add_output(body->b.graph, p.rets[i].tensor, body->b.err));
        k++;
    }
    lc_tf_value truth_value;
    lc_tf_graph *cond = take_status(c, &body->b) ? begin_round(&p, p.cond->name) : NULL;
    if (!cond) return;
    lc_tf_run_function(l, c->scope, &cond->b, c->node, p.cond, p.cond->name, p.args, p.n, &truth_value, 1);
    if (!take_status(c, &cond->b)) return;
    if (missing || truth_value.kind == LC_TF_MISSING) {
        for (uint32_t i = 0; i < c->out_count; i++) c->out[i] = (lc_tf_value){LC_TF_MISSING, -1, 0};
        return;
    }
    lc_tf_call inner = {.lower = l, .scope = c->scope, .b = &cond->b, .node = c->node, .in = &truth_value, .in_count = 1};
    const int32_t t = truth(&inner, lc_tf_in(&inner, 0));
    if (t >= 0) lc_build_check(&cond->b, lc_graph_add_output(cond->b.graph, t, cond->b.err));
    const lc_WhileOptions o = {.cond_subgraph_index = number_of(l->model, cond->b.graph),
                               .body_subgraph_index = number_of(l->model, body->b.graph)};
    if (!take_status(c, &cond->b) || !lc_tf_emit(c->b, LC_OP_WHILE, LC_TABLE_WhileOptions, &o, in, k, types, known, outs, k)) return;
    k = 0;
    for (uint32_t i = 0; i < p.n; i++) {
        lc_tf_value v = p.in[i];
        if (!p.bound[i]) v.tensor = outs[k++];
        lc_tf_give_value(c, i, v);
    }
}
