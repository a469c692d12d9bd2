/*
 * eager.c: see eager.h. A lowering of Keras has a lowering of an empty TensorFlow graph beside it (lower->tf), whose builder it uses; each
 * operator is a NodeDef made on the spot. Operators are looked up in tf.def, which is indexed when the first is wanted.
 */
#include "lower/eager.h"
#include "lower/tf_impl.h"

#include <string.h>

enum { ATTRIBUTES = 24 };

struct lc_eager {
    lc_tf_call call;
    lc_pb_NodeDef def;
    lc_pb_NodeDef_AttrEntry attrs[ATTRIBUTES];
    lc_tf_value *in;
    size_t in_capacity;
};

static const lc_pb_GraphDef no_graph;
static const lc_tf_model no_model = {.graph = &no_graph};

lc_status lc_eager_begin(lc_lower *lower, lc_model *model, lc_error *err) {
    lc_tf_lower *l = lc_arena_alloc(&lower->scratch, sizeof *l);
    lc_tf_graph *g;
    if (!l) return lc_fail_memory(err, "the lowering");
    lower->tf = l;
    *l = (lc_tf_lower){.tf = &no_model, .options = lower->options, .model = model, .err = err};
    lc_budget_init(&l->budget, &model->limits);
    if (!err && !(l->err = lc_arena_alloc(&l->scratch, sizeof *err))) return LC_NO_MEMORY;
    if (!(g = lc_tf_graph_begin(l, model->graphs[0], NULL))) return lc_fail_memory(err, "the lowering");
    g->b.what = NULL;
    lower->b = &g->b;
    if (!(l->spare = lc_arena_alloc(&l->scratch, sizeof *l->spare))) return lc_fail_memory(err, "the lowering");
    *l->spare = (lc_tf_call){.lower = l, .b = lower->b};
    return LC_OK;
}

lc_status lc_eager_finish(lc_lower *lower) {
    lc_tf_lower *l = lower->tf;
    int32_t index;
    if (!lc_tf_tables_used(l)) return LC_OK;
    for (size_t i = 0; i < l->table_count; i++) l->tables[i].needed = l->tables[i].used;
    LC_TRY(lc_tf_init_graph(l, &index));
    return lc_tf_call_once(l->model->graphs[0], index, l->err);
}

void lc_eager_end(lc_lower *lower) {
    if (lower->tf) lc_arena_deinit(&lower->tf->scratch);
}

lc_tf_call *lc_eager_maker(lc_call *c) {
    if (c->maker) return c->maker;
    lc_tf_lower *l = c->lower->tf;
    lc_tf_call *maker = lc_arena_alloc(&l->scratch, sizeof *maker);
    lc_pb_NodeDef *def = lc_arena_alloc(&l->scratch, sizeof *def);
    lc_tf_scope *scope = lc_arena_alloc(&l->scratch, sizeof *scope);
    if (!maker || !def || !scope) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "the lowering"));
        return l->spare; /* its builder has failed: nothing is made with it */
    }
    def->name = lc_str_of(c->b->layer ? c->b->layer : "");
    scope->body = &l->main;
    *maker = (lc_tf_call){.lower = l, .scope = scope, .b = c->b, .node = def};
    return c->maker = maker;
}

static bool index_operators(lc_tf_call *maker) {
    return maker->lower->row_names.slots || lc_build_check(maker->b, lc_tf_begin(maker->lower));
}

lc_eager *lc_eager_make(lc_tf_call *maker, const char *op) {
    if (!lc_tf_ok(maker) || !index_operators(maker)) return NULL;
    lc_eager *e = lc_arena_alloc(&maker->lower->scratch, sizeof *e);
    if (!e) {
        lc_build_check(maker->b, lc_fail_memory(maker->b->err, op));
        return NULL;
    }
    e->call = *maker;
    e->def = (lc_pb_NodeDef){.name = maker->node->name, .op = lc_str_of(op), .attr = {e->attrs, 0}};
    e->call.node = &e->def;
    e->call.in_count = 0;
    return e;
}

void lc_eager_in(lc_eager *e, int32_t tensor) {
    if (!e || !lc_tf_ok(&e->call)) return;
    void *items = e->in;
    if (!lc_arena_grow(&e->call.lower->scratch, &items, &e->in_capacity, (size_t)e->call.in_count + 1, sizeof *e->in)) {
        lc_build_check(e->call.b, lc_fail_memory(e->call.b->err, "inputs"));
        return;
    }
    e->in = items;
    e->in[e->call.in_count++] = (lc_tf_value){LC_TF_TENSOR, tensor, 0};
}

static lc_pb_AttrValue *attribute(lc_eager *e, const char *name) {
    if (!e || !lc_tf_ok(&e->call)) return NULL;
    lc_pb_AttrValue *v = e->def.attr.n < ATTRIBUTES ? lc_arena_alloc(&e->call.lower->scratch, sizeof *v) : NULL;
    if (!v) {
        lc_build_check(e->call.b, lc_fail_memory(e->call.b->err, name));
        return NULL;
    }
    e->attrs[e->def.attr.n++] = (lc_pb_NodeDef_AttrEntry){.key = lc_str_of(name), .value = v};
    return v;
}

#define PUT(e, key, field, number) \
    lc_pb_AttrValue *v = attribute(e, key); \
    if (!v) return; \
    v->field = number; \
    lc_pb_set(v, AttrValue, field)

void lc_eager_int(lc_eager *e, const char *name, int64_t value) { PUT(e, name, i, value); }
void lc_eager_float(lc_eager *e, const char *name, float value) { PUT(e, name, f, value); }
void lc_eager_bool(lc_eager *e, const char *name, bool value) { PUT(e, name, b, value); }
void lc_eager_str(lc_eager *e, const char *name, const char *value) { PUT(e, name, s, lc_str_of(value)); }
void lc_eager_type(lc_eager *e, const char *name, lc_dtype value) { PUT(e, name, type, lc_pb_data_type(value)); }

/* A list attribute; *copy: n values of `size` bytes that lie as long as it. NULL after a failure. */
static lc_pb_AttrValue *list_attribute(lc_eager *e, const char *name, const void *values, uint32_t n, size_t size, void **copy) {
    lc_pb_AttrValue *v = attribute(e, name);
    if (!v) return NULL;
    v->list = lc_arena_alloc(&e->call.lower->scratch, sizeof *v->list);
    *copy = lc_arena_array(&e->call.lower->scratch, n ? n : 1, size);
    if (!v->list || !*copy) {
        lc_build_check(e->call.b, lc_fail_memory(e->call.b->err, name));
        return NULL;
    }
    if (n) memcpy(*copy, values, n * size);
    lc_pb_set(v, AttrValue, list);
    return v;
}

void lc_eager_ints(lc_eager *e, const char *name, const int64_t *values, uint32_t n) {
    void *copy;
    lc_pb_AttrValue *v = list_attribute(e, name, values, n, sizeof *values, &copy);
    if (!v) return;
    v->list->i.data = copy;
    v->list->i.n = n;
}

void lc_eager_floats(lc_eager *e, const char *name, const float *values, uint32_t n) {
    void *copy;
    lc_pb_AttrValue *v = list_attribute(e, name, values, n, sizeof *values, &copy);
    if (!v) return;
    v->list->f.data = copy;
    v->list->f.n = n;
}

int32_t lc_eager_run(lc_eager *e) {
    if (!e || !lc_tf_ok(&e->call)) return -1;
    lc_tf_call *c = &e->call;
    lc_tf_lower *l = c->lower;
    c->row = lc_tf_find(l, c->node->op);
    const uint32_t outs = c->row ? lc_tf_output_count(c->row, c->node) : 1;
    if (++l->calls > l->budget.limits.max_nodes)
        return lc_build_fail(c->b, LC_LIMIT, "the model makes more than %llu operators", (unsigned long long)l->budget.limits.max_nodes);
    c->out_count = outs ? outs : 1;
    c->out = lc_arena_array(&l->scratch, c->out_count, sizeof *c->out);
    if (!c->out) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "outputs"));
        return -1;
    }
    c->in = e->in;
    const char *why = NULL;
    c->why = &why;
    const size_t nodes = c->b->graph->node_count, graphs = l->model->graph_count;
    if (c->row) c->row->lower(c);
    else lc_tf_op_unknown(c);
    if (why && lc_tf_ok(c) && !lc_tf_keep(c, &why, nodes, graphs) && lc_tf_ok(c)) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "TensorFlow's %.*s has no TFLite form here: %s", LC_TF_NAME(c->node->op), why);
        lc_build_hint(c->b, "write this part of the model another way, or export it as SavedModel and convert with --select-tf-ops");
    }
    return lc_eager_out(e, 0);
}

int32_t lc_eager_out(lc_eager *e, uint32_t k) {
    if (!e || !lc_tf_ok(&e->call)) return -1;
    if (k >= e->call.out_count || e->call.out[k].kind != LC_TF_TENSOR)
        return lc_build_fail(e->call.b, LC_UNSUPPORTED, "output %u of TensorFlow's %.*s is no tensor", k, LC_TF_NAME(e->call.node->op));
    return e->call.out[k].tensor;
}

uint32_t lc_eager_outs(const lc_eager *e) { return e ? e->call.out_count : 0; }

int32_t lc_eager_3(lc_call *c, const char *op, int32_t x, int32_t y, int32_t z) {
    lc_eager *e = lc_eager_op(c, op);
    lc_eager_in(e, x);
    if (y >= 0) lc_eager_in(e, y);
    if (z >= 0) lc_eager_in(e, z);
    return lc_eager_run(e);
}

int32_t lc_eager_2(lc_call *c, const char *op, int32_t x, int32_t y) { return lc_eager_3(c, op, x, y, -1); }
int32_t lc_eager_1(lc_call *c, const char *op, int32_t x) { return lc_eager_3(c, op, x, -1, -1); }

lc_eager *lc_eager_node(lc_call *c, const lc_pb_NodeDef *def, const int32_t *in, uint32_t n) {
    const char *op = lc_arena_strndup(&c->lower->scratch, def->op.data ? def->op.data : "", def->op.size);
    if (!op) lc_build_check(c->b, lc_fail_memory(c->b->err, "an operator"));
    lc_eager *e = lc_eager_op(c, op ? op : "");
    if (!e) return NULL;
    const lc_str name = e->def.name;
    e->def = *def;
    e->def.name = name;
    for (uint32_t i = 0; i < n; i++) lc_eager_in(e, in[i]);
    return e;
}
