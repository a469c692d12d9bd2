/*
 * graph_emit.c: a graph of TFLite's operators as a graph of TensorFlow.
 *
 * The idea: one walk over the nodes; each is said by its row of graph_rules.def, its inputs are references to what was put before. Constants are
 * put when the first node asks for them and stay where they lie. Graphs that loops and branches call become functions of the library, each
 * once.
 *
 * A weight that was not yet rearranged for TFLite (ir/constant.h) is written as the framework had it, with a transposition behind it that falls
 * away where the operator of TensorFlow wants it like that: no weight is copied.
 *
 * Refused: quantised tensors, operators without a row, calls in circles.
 */
#include "emit/graph_emit.h"

#include "emit/graph_rules.h"
#include "ir/constant.h"
#include "ir/strings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PRODUCER 1087 /* version of GraphDefs that TensorFlow 2.x reads without adapting them */

static const struct {
    lc_gd_rule_fn rule;
    lc_gd_op_id op;
    uint32_t scalars;
} rules[LC_OP_COUNT] = {
#define LC_GD_RULE(ID, rule, Name, scalars) [LC_OP_##ID] = {lc_gd_rule_##rule, LC_GD_##Name, scalars},
#include "emit/graph_rules.def"
};

/* ---- what rules ask for ------------------------------------------------------------------------------------------------- */

void lc_gd_rule_fail(lc_gd_rule *e, const char *format, ...) {
    if (e->b->status != LC_OK) return;
    char text[200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    e->b->status = lc_fail(e->b->err, LC_UNSUPPORTED, "%s has no form in TensorFlow: %s", lc_op_name(e->node->op), text);
}

const lc_graph *lc_gd_graph(const lc_gd_rule *e, int32_t i) { return e->emitter->model->graphs[i]; }
const lc_tensor *lc_gd_rule_in(const lc_gd_rule *e, uint32_t i) { return &e->graph->tensors[e->node->inputs[i]]; }
const lc_tensor *lc_gd_rule_out(const lc_gd_rule *e, uint32_t i) { return &e->graph->tensors[e->node->outputs[i]]; }

bool lc_gd_dims(const lc_tensor *t, int32_t dims[LC_MAX_RANK]) {
    if (t->rank > LC_MAX_RANK) return false;
    for (int32_t i = 0; i < t->rank; i++) dims[i] = lc_tensor_dim(t, i);
    return true;
}

/* ---- constants ---------------------------------------------------------------------------------------------------------- */

/* A matrix [rows, cols] of the source stands for the tensor [cols, rows...]. */
static lc_gd_ref put_deferred(lc_gd_body *b, const lc_tensor *t) {
    int32_t dims[LC_MAX_RANK], perm[LC_MAX_RANK];
    for (int32_t i = 0; i < t->rank; i++) {
        dims[i] = t->dims[(i + 1) % t->rank];
        perm[i] = (i + t->rank - 1) % t->rank;
    }
    const lc_gd_ref c = lc_gd_const(b, LC_DT_FLOAT, dims, t->rank, t->deferred->data, t->size);
    lc_gd_name(b, t->name, c);
    return lc_gd_transpose(b, c, perm, t->rank);
}

static lc_gd_ref put_strings(lc_gd_emitter *e, lc_gd_body *b, const lc_tensor *t) {
    uint64_t n = 0;
    const char *wrong = lc_tensor_elements(t, &n) ? lc_strings_check(t->data, t->size, n) : "it has too many elements";
    if (wrong) {
        b->status = lc_fail(e->err, LC_INVALID, "tensor '%s': %s", t->name.data, wrong);
        return LC_GD_NONE;
    }
    if (t->rank > 1 || n > INT32_MAX) {
        b->status = lc_fail(e->err, LC_UNSUPPORTED, "tensor '%s' holds strings in %d dimensions", t->name.data, t->rank);
        return LC_GD_NONE;
    }
    lc_str *strings = lc_arena_array(e->arena, (size_t)n, sizeof *strings);
    if (!strings) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    const lc_strings all = {t->data, (size_t)n};
    for (size_t i = 0; i < all.count; i++) strings[i] = lc_strings_at(&all, i);
    return lc_gd_const_strings(b, strings, t->rank ? (int32_t)n : -1);
}

static lc_gd_ref put_constant(lc_gd_emitter *e, lc_gd_body *b, lc_tensor *t) {
    const lc_deferred *d = t->deferred;
    const bool as_it_is = d && !t->data && d->type == LC_FLOAT32 && !d->scale && t->rank >= 2 && t->rank <= LC_MAX_RANK &&
                          d->cols == (size_t)t->dims[0] && t->size == d->rows * d->cols * sizeof(float);
    if (as_it_is) return put_deferred(b, t);
    b->status = lc_tensor_make(e->model, t, e->err);
    if (b->status != LC_OK) return LC_GD_NONE;
    const lc_gd_ref c =
        t->type == LC_STRING ? put_strings(e, b, t) : lc_gd_const(b, lc_pb_data_type(t->type), t->dims, t->rank, t->data, t->size);
    lc_gd_name(b, t->name, c);
    return c;
}

/* ---- nodes -------------------------------------------------------------------------------------------------------------- */

static lc_status check_tensor(const lc_tensor *t, lc_error *err) {
    if (t->quant && t->quant->scale.n) {
        lc_fail(err, LC_UNSUPPORTED, "tensor '%s' is quantised, TensorFlow's graphs are not", t->name.data);
        lc_error_hint(err, "write the float model and quantise what is converted from it");
        return LC_UNSUPPORTED;
    }
    if (t->sparsity) {
        lc_fail(err, LC_UNSUPPORTED, "tensor '%s' is stored sparse, TensorFlow's graphs hold all of it", t->name.data);
        lc_error_hint(err, "write the model that was not made sparse");
        return LC_UNSUPPORTED;
    }
    const uint32_t bits = lc_dtype_bits(t->type);
    if (lc_pb_data_type(t->type) == LC_DT_INVALID || (bits && bits < 8))
        return lc_fail(err, LC_UNSUPPORTED, "tensor '%s' has the type %s, which TensorFlow lacks", t->name.data, lc_dtype_name(t->type));
    return LC_OK;
}

/* The reference of a tensor that a node reads. */
static lc_gd_ref read_tensor(lc_gd_emitter *e, lc_gd_body *b, const lc_graph *graph, lc_gd_ref *refs, int32_t index) {
    if (index == LC_ABSENT || b->status != LC_OK) return LC_GD_NONE;
    lc_tensor *t = &graph->tensors[index];
    if (refs[index].node >= 0) return refs[index];
    b->status = check_tensor(t, e->err);
    if (b->status != LC_OK) return LC_GD_NONE;
    if (!lc_tensor_is_const(t)) {
        b->status = lc_fail(e->err, LC_UNSUPPORTED, "tensor '%s' keeps its value between runs, which has no form here", t->name.data);
        return LC_GD_NONE;
    }
    return refs[index] = put_constant(e, b, t);
}

static lc_status emit_node(lc_gd_emitter *e, lc_gd_body *b, const lc_graph *graph, const lc_node *node, lc_gd_ref *refs) {
    if (node->op < 0 || node->op >= LC_OP_COUNT || !rules[node->op].rule) {
        lc_fail(e->err, LC_UNSUPPORTED, "the operator %s has no form in TensorFlow that litec writes",
                node->op == LC_OP_CUSTOM ? node->custom_code.data : lc_op_name(node->op));
        lc_error_hint(e->err, "save the model as .tflite or .keras instead");
        return b->status = LC_UNSUPPORTED;
    }
    lc_gd_ref *in = lc_arena_array(e->arena, node->input_count, sizeof *in);
    lc_gd_ref *out = lc_arena_array(e->arena, (size_t)node->output_count + 1, sizeof *out);
    if (!in || !out) return lc_gd_fail_memory(b);
    for (uint32_t i = 0; i < node->input_count; i++) {
        in[i] = read_tensor(e, b, graph, refs, node->inputs[i]);
        const bool flatten = i < 32 && (rules[node->op].scalars >> i & 1) && in[i].node >= 0;
        if (flatten && graph->tensors[node->inputs[i]].rank) in[i] = lc_gd_reshape(b, in[i], NULL, 0);
    }
    for (uint32_t i = 0; i <= node->output_count; i++) out[i] = LC_GD_NONE;
    lc_gd_rule r = {e, b, graph, node, rules[node->op].op, in, node->input_count, out, node->output_count};
    if (b->status == LC_OK) rules[node->op].rule(&r);
    if (b->status == LC_OK) out[0] = lc_gd_activation(&r, out[0]);
    if (b->status != LC_OK) return b->status;
    for (uint32_t i = 0; i < node->output_count; i++) {
        const int32_t index = node->outputs[i];
        if (index == LC_ABSENT) continue;
        LC_TRY(b->status = check_tensor(&graph->tensors[index], e->err));
        if (out[i].node < 0) out[i] = lc_gd_output(out[0], (int32_t)i, 0);
        out[i].type = lc_pb_data_type(graph->tensors[index].type);
        refs[index] = out[i];
    }
    if (node->output_count && node->outputs[0] != LC_ABSENT) lc_gd_name(b, graph->tensors[node->outputs[0]].name, out[0]);
    return b->status;
}

lc_gd_ref *lc_gd_make_refs(lc_gd_emitter *e, const lc_graph *graph) {
    lc_gd_ref *refs = lc_arena_array(e->arena, graph->tensor_count, sizeof *refs);
    for (size_t i = 0; refs && i < graph->tensor_count; i++) refs[i] = LC_GD_NONE;
    return refs;
}

lc_status lc_gd_emit_nodes(lc_gd_emitter *e, lc_gd_body *b, const lc_graph *graph, lc_gd_ref *refs) {
    for (size_t i = 0; i < graph->node_count; i++)
        if (emit_node(e, b, graph, &graph->nodes[i], refs) != LC_OK) {
            const lc_node *node = &graph->nodes[i];
            const lc_op_def *def = lc_op_of(node);
            const bool calls = def && (def->flags & LC_OPF_CALLS); /* then it was said where it failed */
            if (calls) return b->status;
            if (node->layer) lc_error_prefix(e->err, "layer '%s'", node->layer);
            else if (node->output_count && node->outputs[0] >= 0)
                lc_error_prefix(e->err, "'%s'", graph->tensors[node->outputs[0]].name.data);
            return b->status;
        }
    for (size_t i = 0; i < graph->output_count; i++) read_tensor(e, b, graph, refs, graph->outputs[i]); /* one may be a constant */
    return b->status;
}

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

void lc_gd_function_begin(lc_gd_function_maker *f, lc_gd_emitter *e, lc_str name) {
    *f = (lc_gd_function_maker){.signature = {.name = name}};
    lc_gd_body_init(&f->body, e->arena, true, e->err);
}

/* Room for one more; zeroed. NULL when memory is out. */
static void *add(lc_gd_body *b, void *items, uint32_t *n, size_t *capacity, size_t size) {
    void *p;
    memcpy(&p, items, sizeof p);
    if (b->status != LC_OK || !lc_arena_grow(b->arena, &p, capacity, *n + 1, size)) {
        lc_gd_fail_memory(b);
        return NULL;
    }
    memcpy(items, &p, sizeof p);
    return (char *)p + size * (*n)++;
}
#define ADD(b, list, capacity) add(b, &(list)->data, &(list)->n, capacity, sizeof *(list)->data)

/* Names of arguments are of small letters, digits and "_". */
static lc_str argument_name(lc_gd_body *b, lc_str name) {
    const bool letter = name.size && lc_gd_is_letter(name.data[0]);
    char *text = lc_arena_printf(b->arena, "%s%.*s", letter ? "" : "x", (int)name.size, name.size ? name.data : "");
    if (!text) {
        lc_gd_fail_memory(b);
        return (lc_str){"", 0};
    }
    for (char *p = text; *p; p++) *p = (char)(!lc_gd_is_word(*p) ? '_' : *p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
    return lc_str_of(text);
}

static void state_shape(lc_gd_function_maker *f, const lc_pb_TensorShapeProto *shape) {
    lc_arena *arena = f->body.arena;
    lc_pb_FunctionDef_ArgAttrEntry *entry = ADD(&f->body, &f->def.arg_attr, &f->attr_capacity);
    lc_pb_FunctionDef_ArgAttrs *attrs = lc_arena_alloc(arena, sizeof *attrs);
    lc_pb_FunctionDef_ArgAttrs_AttrEntry *shapes = lc_arena_alloc(arena, sizeof *shapes);
    lc_pb_AttrValue *value = lc_arena_alloc(arena, sizeof *value);
    lc_pb_AttrValue_ListValue *list = lc_arena_alloc(arena, sizeof *list);
    if (!entry || !attrs || !shapes || !value || !list) {
        lc_gd_fail_memory(&f->body);
        return;
    }
    list->shape.data = (lc_pb_TensorShapeProto *)(uintptr_t)shape;
    list->shape.n = 1;
    value->list = list;
    *shapes = (lc_pb_FunctionDef_ArgAttrs_AttrEntry){.key = LC_STR("_output_shapes"), .value = value};
    attrs->attr.data = shapes;
    attrs->attr.n = 1;
    *entry = (lc_pb_FunctionDef_ArgAttrEntry){.key = f->signature.input_arg.n - 1, .value = attrs};
}

lc_gd_ref lc_gd_function_argument(lc_gd_function_maker *f, lc_str name, int32_t type, const int32_t *dims, int32_t rank) {
    lc_gd_body *b = &f->body;
    lc_gd_ref r = lc_gd_put(b, LC_GD_Placeholder, NULL, 0);
    lc_pb_OpDef_ArgDef *arg = ADD(b, &f->signature.input_arg, &f->argument_capacity);
    if (!arg) return LC_GD_NONE;
    r.type = type;
    b->nodes[r.node]->argument = true;
    lc_gd_name(b, argument_name(b, name), r);
    *arg = (lc_pb_OpDef_ArgDef){.name = lc_gd_name_of(b, r), .type = type};
    if (!dims) return r;
    lc_pb_TensorShapeProto *shape = lc_gd_make_shape(b->arena, dims, rank);
    if (!shape) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    lc_gd_shape(b, "shape", dims, rank);
    if (type != LC_DT_RESOURCE) state_shape(f, shape);
    return r;
}

void lc_gd_function_result(lc_gd_function_maker *f, lc_gd_ref r) {
    lc_gd_body *b = &f->body;
    const uint32_t i = f->signature.output_arg.n;
    const lc_gd_ref out = LC_GD(b, Identity, r);
    lc_pb_OpDef_ArgDef *arg = ADD(b, &f->signature.output_arg, &f->result_capacity);
    lc_pb_FunctionDef_RetEntry *ret = ADD(b, &f->def.ret, &f->ret_capacity);
    const char *name = lc_arena_printf(b->arena, "output_%u", i);
    if (!arg || !ret || !name) {
        lc_gd_fail_memory(b);
        return;
    }
    lc_gd_keep(b, out);
    lc_gd_name(b, LC_STR("Identity"), out);
    *arg = (lc_pb_OpDef_ArgDef){.name = lc_str_of(name), .type = r.type};
    *ret = (lc_pb_FunctionDef_RetEntry){.key = arg->name, .value = lc_gd_spell(b, out)};
}

lc_status lc_gd_function_end(lc_gd_function_maker *f, lc_gd_emitter *e) {
    const lc_pb_NodeDef *nodes;
    uint32_t n;
    LC_TRY(lc_gd_finish(&f->body, &nodes, &n));
    f->def.node_def.data = (lc_pb_NodeDef *)(uintptr_t)nodes;
    f->def.node_def.n = n;
    f->def.signature = lc_arena_alloc(e->arena, sizeof f->signature);
    if (!f->def.signature ||
        !lc_arena_grow(e->arena, (void **)&e->functions, &e->function_capacity, e->function_count + 1, sizeof *e->functions))
        return lc_fail_memory(e->err, "library of functions");
    *f->def.signature = f->signature;
    e->functions[e->function_count++] = f->def;
    return LC_OK;
}

static lc_status write_called(lc_gd_emitter *e, const lc_graph *graph, lc_str name, bool scalar) {
    lc_gd_function_maker f;
    lc_gd_function_begin(&f, e, name);
    lc_gd_ref *refs = lc_gd_make_refs(e, graph);
    if (!refs) return lc_fail_memory(e->err, "function");
    for (size_t i = 0; i < graph->input_count; i++) {
        const lc_tensor *t = &graph->tensors[graph->inputs[i]];
        LC_TRY(check_tensor(t, e->err));
        refs[graph->inputs[i]] = lc_gd_function_argument(&f, t->name, lc_pb_data_type(t->type), NULL, 0);
    }
    LC_TRY(lc_gd_emit_nodes(e, &f.body, graph, refs));
    for (size_t i = 0; i < graph->output_count; i++) {
        lc_gd_ref r = refs[graph->outputs[i]];
        if (scalar && graph->tensors[graph->outputs[i]].rank) r = lc_gd_reshape(&f.body, r, NULL, 0);
        lc_gd_function_result(&f, r);
    }
    return lc_gd_function_end(&f, e);
}

lc_str lc_gd_graph_function(lc_gd_rule *r, int32_t graph, bool scalar) {
    lc_gd_emitter *e = r->emitter;
    lc_str *called = &e->called[2 * graph + scalar];
    if (called->data || r->b->status != LC_OK) return *called;
    const char *name = lc_arena_printf(e->arena, "__inference_%s_%d", scalar ? "cond" : "body", graph);
    if (!name) lc_gd_fail_memory(r->b);
    else if ((r->b->status = write_called(e, e->model->graphs[graph], lc_str_of(name), scalar)) == LC_OK) *called = lc_str_of(name);
    return *called;
}

/* ---- the whole graph ---------------------------------------------------------------------------------------------------- */

lc_status lc_gd_emitter_init(lc_gd_emitter *e, lc_model *model, lc_arena *arena, lc_error *err) {
    *e = (lc_gd_emitter){.model = model, .arena = arena, .err = err};
    e->called = lc_arena_array(arena, 2 * model->graph_count, sizeof *e->called);
    return e->called ? LC_OK : lc_fail_memory(err, "graph of TensorFlow");
}

lc_gd_ref lc_gd_placeholder(lc_gd_body *b, const lc_tensor *t, lc_str name) {
    int32_t dims[LC_MAX_RANK];
    if (b->status == LC_OK) b->status = check_tensor(t, b->err);
    if (b->status == LC_OK && !lc_gd_dims(t, dims))
        b->status = lc_fail(b->err, LC_UNSUPPORTED, "input '%s' has %d dimensions", t->name.data, t->rank);
    if (b->status != LC_OK) return LC_GD_NONE;
    lc_gd_ref r = lc_gd_put(b, LC_GD_Placeholder, NULL, 0);
    r.type = lc_pb_data_type(t->type);
    lc_gd_type(b, "dtype", r.type);
    lc_gd_shape(b, "shape", dims, t->rank);
    lc_gd_keep(b, r);
    lc_gd_name(b, name, r);
    return r;
}

lc_status lc_gd_emitter_end(lc_gd_emitter *e, lc_gd_body *b, lc_pb_GraphDef **graph) {
    const lc_pb_NodeDef *nodes;
    uint32_t n;
    LC_TRY(lc_gd_finish(b, &nodes, &n));
    lc_pb_GraphDef *g = lc_arena_alloc(e->arena, sizeof *g);
    lc_pb_VersionDef *versions = lc_arena_alloc(e->arena, sizeof *versions);
    lc_pb_FunctionDefLibrary *library = lc_arena_alloc(e->arena, sizeof *library);
    if (!g || !versions || !library) return lc_fail_memory(e->err, "graph of TensorFlow");
    g->node.data = (lc_pb_NodeDef *)(uintptr_t)nodes;
    g->node.n = n;
    versions->producer = PRODUCER;
    g->versions = versions;
    library->function.data = e->functions;
    library->function.n = (uint32_t)e->function_count;
    if (e->function_count) g->library = library;
    *graph = g;
    return LC_OK;
}
