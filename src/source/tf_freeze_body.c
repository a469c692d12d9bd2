/*
 * tf_freeze_body.c: nodes of a graph or function, rewritten for variables that have become constants.
 *
 *   VariableV2, VarHandleOp            ─▶ Const
 *   ReadVariableOp(handle)             ─▶ Identity(value)
 *   ResourceGather, ResourceGatherNd   ─▶ GatherV2, GatherNd
 *   VariableShape, VarIsInitializedOp  ─▶ Shape, Const true
 *   a call with handles                ─▶ a call with values, of a copy of the function that takes values
 *
 * A handle is followed through Identity, Switch, Merge, Enter, IdentityN and loops, whose types change with it. A function called with
 * other handles than before gets another copy; one that only ever sees the same keeps its name. Functions that no kept node needs are left
 * out.
 */
#include "source/tf_freeze.h"

#include <string.h>

#define DEPTH 50 /* functions in functions */

typedef struct variant {
    int32_t *types; /* per argument: DataType of the value it gets for a handle, 0: stays */
    int32_t next;   /* of the same function; -1: none */
    lc_str name;    /* of the copy */
    lc_pb_FunctionDef *def;
} variant;

typedef struct lc_tf_freezer {
    lc_tf_reading *r;
    lc_tf_freeze_value value;
    void *user;
    lc_names library; /* functions by name */
    int32_t *positions;
    int32_t *newest; /* per function of the library: its variant made last, -1: none */
    variant *variants;
    size_t variant_count, variant_capacity;
    lc_pb_NodeDef *extra; /* constants that a rewritten node needs beside it */
    size_t extra_count, extra_capacity;
    int32_t *main_types; /* per node of the main graph: type of the frozen value, 0: none, -1: not asked */
    lc_pb_TensorProto **main_values;
    uint32_t depth;
} freezer;

/* What is being rewritten. */
typedef struct body {
    freezer *f;
    const lc_pb_NodeDef *nodes;
    uint32_t count;
    const lc_names *names;
    const int32_t *positions;
    const lc_names *arguments; /* NULL: the main graph */
    const int32_t *argument_types;
    int32_t *types;
    lc_pb_TensorProto **values;
} body;

static bool is(const lc_pb_NodeDef *node, const char *op) { return lc_str_is(node->op, op); }
static bool is_handle(const lc_pb_NodeDef *node) { return is(node, "VarHandleOp") || is(node, "VariableV2") || is(node, "Variable"); }

bool lc_tf_assigns(const lc_pb_NodeDef *node) {
    return lc_str_has_prefix(node->op, "Assign") || lc_str_has_prefix(node->op, "Apply") || lc_str_has_prefix(node->op, "ResourceApply") ||
           lc_str_has_prefix(node->op, "ResourceScatter") || is(node, "ScatterUpdate") || is(node, "ScatterAdd") ||
           is(node, "ScatterSub") || is(node, "CountUpTo") || is(node, "ResourceCountUpTo");
}

/* ---- references ---- */

static int32_t find(const body *b, lc_str name) {
    const int32_t number = name.data ? lc_names_find(b->names, name) : -1;
    return number < 0 ? -1 : b->positions[number];
}

/* Splits a reference; *list is what stands between name and number in functions. */
static void parse(const body *b, lc_str text, lc_str *name, lc_str *list, int32_t *output) {
    lc_tf_graph_ref(text, name, output);
    *list = (lc_str){NULL, 0};
    if (!b->arguments) return;
    size_t n = 0;
    while (n < name->size && name->data[n] != ':') n++;
    if (n < name->size) *list = (lc_str){name->data + n + 1, name->size - n - 1};
    name->size = n;
}

/* ---- what is frozen ---- */

static lc_status ask(const body *b, int32_t at) {
    if (b->types[at] >= 0) return LC_OK;
    b->types[at] = 0;
    if (!is_handle(&b->nodes[at])) return LC_OK;
    LC_TRY(b->f->value(b->f->user, &b->nodes[at], &b->values[at]));
    if (b->values[at]) b->types[at] = b->values[at]->dtype;
    return LC_OK;
}

static bool carries_resource(const lc_pb_NodeDef *node) {
    const lc_pb_AttrValue *t = lc_tf_attribute(node, "T");
    return t && t->type == LC_DT_RESOURCE;
}

/* The type of the value a reference becomes; 0: it is no frozen handle. */
static lc_status frozen_type(const body *b, lc_str text, int32_t *type) {
    static const char *const passes[] = {"Identity", "Switch", "Merge", "Enter", "RefEnter", "Exit", "RefIdentity", "NextIteration", NULL};
    *type = 0;
    for (;;) {
        lc_str name, list;
        int32_t output;
        parse(b, text, &name, &list, &output);
        if (output < 0) return LC_OK;
        const int32_t at = find(b, name);
        if (at < 0) {
            const int32_t argument = b->arguments ? lc_names_find(b->arguments, text) : -1;
            if (argument >= 0) *type = b->argument_types[argument];
            return LC_OK;
        }
        const lc_pb_NodeDef *node = &b->nodes[at];
        if (is_handle(node)) {
            LC_TRY(ask(b, at));
            /* A reference variable is its value already: only handles change the types of those who read them. */
            *type = is(node, "VarHandleOp") ? b->types[at] : 0;
            return LC_OK;
        }
        uint32_t from = 0;
        if (is(node, "IdentityN") || is(node, "While") || is(node, "StatelessWhile")) from = (uint32_t)output;
        else {
            size_t k = 0;
            while (passes[k] && !is(node, passes[k])) k++;
            if (!passes[k] || !carries_resource(node)) return LC_OK;
        }
        if (from >= node->input.n) return LC_OK;
        LC_TRY(lc_budget_tables(b->f->r->budget, 1, "handles of variables", b->f->r->err)); /* a circle ends here */
        text = node->input.data[from];
    }
}

/* ---- attributes ---- */

static lc_status put(freezer *f, lc_pb_NodeDef *node, const char *key, const lc_pb_AttrValue *value) {
    lc_pb_AttrValue *copy = lc_arena_alloc(f->r->arena, sizeof *copy);
    lc_pb_NodeDef_AttrEntry *list = lc_arena_array(f->r->arena, (size_t)node->attr.n + 1, sizeof *list);
    uint32_t n = 0;
    if (!copy || !list) return lc_fail_memory(f->r->err, "freezing");
    *copy = *value;
    for (uint32_t i = 0; i < node->attr.n; i++)
        if (!lc_str_is(node->attr.data[i].key, key)) list[n++] = node->attr.data[i];
    list[n++] = (lc_pb_NodeDef_AttrEntry){.key = lc_str_of(key), .value = copy};
    node->attr.data = list;
    node->attr.n = n;
    return LC_OK;
}

static lc_status put_type(freezer *f, lc_pb_NodeDef *node, const char *key, int32_t type) {
    lc_pb_AttrValue v = {.type = type};
    lc_pb_set(&v, AttrValue, type);
    return put(f, node, key, &v);
}

static lc_status put_tensor(freezer *f, lc_pb_NodeDef *node, lc_pb_TensorProto *tensor) {
    lc_pb_AttrValue v = {.tensor = tensor};
    return put(f, node, "value", &v);
}

/* The attribute under another name; left out when there is none. */
static lc_status rename_attribute(freezer *f, lc_pb_NodeDef *node, const lc_pb_NodeDef *from, const char *was, const char *is_now) {
    const lc_pb_AttrValue *v = lc_tf_attribute(from, was);
    return v ? put(f, node, is_now, v) : LC_OK;
}

static void become(lc_pb_NodeDef *node, const char *op) {
    node->op = lc_str_of(op);
    node->attr.n = 0;
    node->experimental_type = NULL;
}

static lc_status become_const(freezer *f, lc_pb_NodeDef *node, lc_pb_TensorProto *value) {
    become(node, "Const");
    node->input.n = 0;
    LC_TRY(put_type(f, node, "dtype", value->dtype));
    return put_tensor(f, node, value);
}

/* ---- functions ---- */

static lc_status variant_of(freezer *f, lc_str name, const int32_t *types, uint32_t count, lc_str *copy);

/* The types of a call's arguments, from input `from` on. */
static lc_status argument_types(const body *b, const lc_pb_NodeDef *node, uint32_t from, int32_t **types, uint32_t *count) {
    *count = 0;
    *types = lc_arena_array(b->f->r->arena, (size_t)node->input.n + 1, sizeof **types);
    if (!*types) return lc_fail_memory(b->f->r->err, "freezing");
    for (uint32_t i = from; i < node->input.n; i++) {
        if (node->input.data[i].size && node->input.data[i].data[0] == '^') break;
        LC_TRY(frozen_type(b, node->input.data[i], &(*types)[(*count)++]));
    }
    return LC_OK;
}

/* A list of types with those of frozen handles put in. */
static lc_status replace_types(freezer *f, lc_pb_NodeDef *node, const char *key, const int32_t *types, uint32_t count) {
    const lc_pb_AttrValue *old = lc_tf_attribute(node, key);
    if (!old || !old->list || old->list->type.n < count) return LC_OK;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) any |= types[i] != 0;
    if (!any) return LC_OK;
    lc_pb_AttrValue v = *old;
    v.list = lc_arena_alloc(f->r->arena, sizeof *v.list);
    if (!v.list) return lc_fail_memory(f->r->err, "freezing");
    *v.list = *old->list;
    v.list->type.data = lc_arena_array(f->r->arena, old->list->type.n, sizeof(int32_t));
    if (!v.list->type.data) return lc_fail_memory(f->r->err, "freezing");
    for (uint32_t i = 0; i < old->list->type.n; i++) v.list->type.data[i] = i < count && types[i] ? types[i] : old->list->type.data[i];
    return put(f, node, key, &v);
}

static lc_status copy_func(freezer *f, const lc_pb_NameAttrList *old, const int32_t *types, uint32_t count, lc_pb_NameAttrList *copy) {
    *copy = *old;
    return variant_of(f, old->name, types, count, &copy->name);
}

/* Every function that a node's attributes name takes the call's types; what a branch chooses by comes before them. */
static lc_status rewrite_functions(const body *b, lc_pb_NodeDef *node) {
    freezer *f = b->f;
    const bool branches = is(node, "If") || is(node, "StatelessIf") || is(node, "Case") || is(node, "StatelessCase");
    int32_t *types;
    uint32_t count;
    LC_TRY(argument_types(b, node, branches ? 1 : 0, &types, &count));
    for (uint32_t i = 0; i < node->attr.n; i++) {
        const lc_pb_AttrValue *old = node->attr.data[i].value;
        if (!old || (!old->func && !(old->list && old->list->func.n))) continue;
        lc_pb_AttrValue v = *old;
        if (old->func) {
            v.func = lc_arena_alloc(f->r->arena, sizeof *v.func);
            if (!v.func) return lc_fail_memory(f->r->err, "freezing");
            LC_TRY(copy_func(f, old->func, types, count, v.func));
        } else {
            v.list = lc_arena_alloc(f->r->arena, sizeof *v.list);
            if (!v.list) return lc_fail_memory(f->r->err, "freezing");
            *v.list = *old->list;
            v.list->func.data = lc_arena_array(f->r->arena, old->list->func.n, sizeof *v.list->func.data);
            if (!v.list->func.data) return lc_fail_memory(f->r->err, "freezing");
            for (uint32_t k = 0; k < old->list->func.n; k++)
                LC_TRY(copy_func(f, &old->list->func.data[k], types, count, &v.list->func.data[k]));
        }
        lc_pb_NodeDef_AttrEntry *list = lc_arena_array(f->r->arena, node->attr.n, sizeof *list);
        lc_pb_AttrValue *kept = lc_arena_alloc(f->r->arena, sizeof *kept);
        if (!list || !kept) return lc_fail_memory(f->r->err, "freezing");
        memcpy(list, node->attr.data, node->attr.n * sizeof *list);
        *kept = v;
        list[i].value = kept;
        node->attr.data = list;
    }
    if (lc_names_find(&f->library, node->op.data ? node->op : LC_STR("")) >= 0) LC_TRY(variant_of(f, node->op, types, count, &node->op));
    LC_TRY(replace_types(f, node, "Tin", types, count));
    const lc_pb_AttrValue *t = lc_tf_attribute(node, "T");
    return t && t->list ? replace_types(f, node, "T", types, count) : LC_OK;
}

/* ---- nodes ---- */

/* GatherV2 wants an axis, which ResourceGather has not. */
static lc_status gather(freezer *f, lc_pb_NodeDef *node, const lc_pb_NodeDef *from, bool function, lc_pb_NodeDef *axis) {
    lc_pb_TensorProto *zero = lc_arena_alloc(f->r->arena, sizeof *zero);
    lc_pb_TensorShapeProto *scalar = lc_arena_alloc(f->r->arena, sizeof *scalar);
    int32_t *number = lc_arena_array(f->r->arena, 1, sizeof *number);
    const char *name = lc_arena_printf(f->r->arena, "%.*s/frozen_axis", (int)from->name.size, from->name.data);
    const char *ref = name ? lc_arena_printf(f->r->arena, "%s%s", name, function ? ":output:0" : "") : NULL;
    lc_str *inputs = lc_arena_array(f->r->arena, (size_t)from->input.n + 1, sizeof *inputs);
    if (!zero || !scalar || !number || !ref || !inputs) return lc_fail_memory(f->r->err, "freezing");
    *zero = (lc_pb_TensorProto){.dtype = LC_DT_INT32, .tensor_shape = scalar, .int_val = {number, 1}};
    *axis = (lc_pb_NodeDef){.name = lc_str_of(name), .device = from->device};
    LC_TRY(become_const(f, axis, zero));
    become(node, "GatherV2");
    LC_TRY(rename_attribute(f, node, from, "dtype", "Tparams"));
    LC_TRY(rename_attribute(f, node, from, "Tindices", "Tindices"));
    LC_TRY(rename_attribute(f, node, from, "batch_dims", "batch_dims"));
    LC_TRY(put_type(f, node, "Taxis", LC_DT_INT32));
    uint32_t n = 0;
    for (uint32_t i = 0; i < from->input.n; i++) {
        if (i == 2) inputs[n++] = lc_str_of(ref);
        inputs[n++] = from->input.data[i];
    }
    if (from->input.n <= 2) inputs[n++] = lc_str_of(ref);
    node->input.data = inputs;
    node->input.n = n;
    return LC_OK;
}

/* The names of outputs differ between what a node was and what it becomes; references in functions use them. */
static lc_status rewrite_reference(const body *b, lc_str *ref) {
    lc_str name, list;
    int32_t output, type = 0;
    if (!b->arguments || !ref->size || ref->data[0] == '^') return LC_OK;
    parse(b, *ref, &name, &list, &output);
    const int32_t at = find(b, name);
    if (at < 0 || !list.data) return LC_OK;
    const lc_pb_NodeDef *node = &b->nodes[at];
    if (is(node, "ReadVariableOp") || is(node, "VarIsInitializedOp")) {
        if (node->input.n) LC_TRY(frozen_type(b, node->input.data[0], &type));
    } else if (is_handle(node)) {
        LC_TRY(ask(b, at));
        type = b->types[at];
    }
    if (!type) return LC_OK;
    const char *text = lc_arena_printf(b->f->r->arena, "%.*s:output:%d", (int)name.size, name.data, output);
    if (!text) return lc_fail_memory(b->f->r->err, "freezing");
    *ref = lc_str_of(text);
    return LC_OK;
}

/* `axis`: a node that comes with it, its name absent when there is none. */
static lc_status rewrite(const body *b, int32_t at, lc_pb_NodeDef *out, lc_pb_NodeDef *axis) {
    freezer *f = b->f;
    const lc_pb_NodeDef *node = &b->nodes[at];
    int32_t type = 0;
    *out = *node;
    *axis = (lc_pb_NodeDef){0};
    if (is_handle(node)) {
        LC_TRY(ask(b, at));
        return b->values[at] ? become_const(f, out, b->values[at]) : LC_OK;
    }
    if (node->input.n) LC_TRY(frozen_type(b, node->input.data[0], &type));
    if (type && lc_tf_assigns(node)) {
        lc_fail(f->r->err, LC_UNSUPPORTED, "node \"%.*s\" (%.*s) changes a variable, which cannot be once it is a constant",
                LC_NAMED(node->name), LC_NAMED(node->op));
        lc_error_hint(f->r->err, "name outputs that do not need this node, or leave the variable out: --variable_names_denylist");
        return LC_UNSUPPORTED;
    }
    if (type && is(node, "ReadVariableOp")) {
        become(out, "Identity");
        LC_TRY(put_type(f, out, "T", type));
    } else if (type && is(node, "ResourceGather")) {
        LC_TRY(gather(f, out, node, b->arguments != NULL, axis));
    } else if (type && is(node, "ResourceGatherNd")) {
        become(out, "GatherNd");
        LC_TRY(rename_attribute(f, out, node, "dtype", "Tparams"));
        LC_TRY(rename_attribute(f, out, node, "Tindices", "Tindices"));
    } else if (type && is(node, "VariableShape")) {
        become(out, "Shape");
        LC_TRY(put_type(f, out, "T", type));
        LC_TRY(rename_attribute(f, out, node, "out_type", "out_type"));
    } else if (type && is(node, "VarIsInitializedOp")) {
        lc_pb_TensorProto *yes = lc_arena_alloc(f->r->arena, sizeof *yes);
        lc_pb_TensorShapeProto *scalar = lc_arena_alloc(f->r->arena, sizeof *scalar);
        bool *value = lc_arena_array(f->r->arena, 1, sizeof *value);
        if (!yes || !scalar || !value) return lc_fail_memory(f->r->err, "freezing");
        *value = true;
        *yes = (lc_pb_TensorProto){.dtype = LC_DT_BOOL, .tensor_shape = scalar, .bool_val = {value, 1}};
        LC_TRY(become_const(f, out, yes));
    } else if (type && carries_resource(node)) {
        LC_TRY(put_type(f, out, "T", type));
        out->experimental_type = NULL;
    } else {
        LC_TRY(rewrite_functions(b, out));
    }
    if (!b->arguments) return LC_OK;
    lc_str *inputs = lc_arena_array(f->r->arena, (size_t)out->input.n + 1, sizeof *inputs);
    if (!inputs) return lc_fail_memory(f->r->err, "freezing");
    for (uint32_t i = 0; i < out->input.n; i++) {
        inputs[i] = out->input.data[i];
        LC_TRY(rewrite_reference(b, &inputs[i]));
    }
    out->input.data = inputs;
    return LC_OK;
}

/* ---- a function's copy ---- */

static lc_status index_names(freezer *f, const lc_pb_NodeDef *nodes, uint32_t n, lc_names *names, int32_t **positions) {
    *positions = lc_arena_array(f->r->arena, (size_t)n + 1, sizeof **positions);
    if (!*positions || !lc_names_init(names, f->r->arena, n)) return lc_fail_memory(f->r->err, "freezing");
    for (uint32_t i = 0; i < n; i++) {
        const int32_t number = lc_names_add(names, nodes[i].name.data ? nodes[i].name : LC_STR(""), NULL);
        if (number >= 0) (*positions)[number] = (int32_t)i;
    }
    return LC_OK;
}

static lc_status copy_signature(const body *b, const lc_pb_FunctionDef *from, lc_str name, lc_pb_FunctionDef *to) {
    lc_arena *arena = b->f->r->arena;
    lc_pb_OpDef *s = lc_arena_alloc(arena, sizeof *s);
    const uint32_t in = from->signature->input_arg.n, outs = from->signature->output_arg.n;
    lc_pb_OpDef_ArgDef *args = lc_arena_array(arena, (size_t)in + 1, sizeof *args),
                       *rets = lc_arena_array(arena, (size_t)outs + 1, sizeof *rets);
    lc_pb_FunctionDef_RetEntry *map = lc_arena_array(arena, (size_t)from->ret.n + 1, sizeof *map);
    if (!s || !args || !rets || !map) return lc_fail_memory(b->f->r->err, "freezing");
    *s = *from->signature;
    s->name = name;
    for (uint32_t i = 0; i < in; i++) {
        args[i] = from->signature->input_arg.data[i];
        if (!b->argument_types[i]) continue;
        args[i].type = b->argument_types[i];
        args[i].handle_data.n = 0;
        args[i].experimental_full_type = NULL;
    }
    for (uint32_t i = 0; i < outs; i++) rets[i] = from->signature->output_arg.data[i];
    for (uint32_t i = 0; i < from->ret.n; i++) {
        int32_t type = 0;
        map[i] = from->ret.data[i];
        if (!map[i].value.data) continue;
        LC_TRY(frozen_type(b, map[i].value, &type));
        for (uint32_t k = 0; type && k < outs; k++)
            if (lc_str_eq(rets[k].name, map[i].key)) {
                rets[k].type = type;
                rets[k].handle_data.n = 0;
                rets[k].experimental_full_type = NULL;
            }
        LC_TRY(rewrite_reference(b, &map[i].value));
    }
    s->input_arg.data = args;
    s->output_arg.data = rets;
    to->signature = s;
    to->ret.data = map;
    return LC_OK;
}

static lc_status copy_function(freezer *f, const lc_pb_FunctionDef *from, const int32_t *types, lc_str name, lc_pb_FunctionDef *to) {
    lc_names names, arguments;
    body b = {
        .f = f, .nodes = from->node_def.data, .count = from->node_def.n, .names = &names, .arguments = &arguments, .argument_types = types};
    int32_t *positions;
    const uint32_t in = from->signature->input_arg.n;
    LC_TRY(index_names(f, b.nodes, b.count, &names, &positions));
    b.positions = positions;
    b.types = lc_arena_array(f->r->arena, (size_t)b.count + 1, sizeof *b.types);
    b.values = lc_arena_array(f->r->arena, (size_t)b.count + 1, sizeof *b.values);
    /* Two places for each node: a gather brings its axis. */
    lc_pb_NodeDef *nodes = lc_arena_array(f->r->arena, (size_t)b.count * 2 + 1, sizeof *nodes);
    if (!b.types || !b.values || !nodes || !lc_names_init(&arguments, f->r->arena, in)) return lc_fail_memory(f->r->err, "freezing");
    for (uint32_t i = 0; i < b.count; i++) b.types[i] = -1;
    for (uint32_t i = 0; i < in; i++) {
        const lc_str arg = from->signature->input_arg.data[i].name;
        if (lc_names_add(&arguments, arg.data ? arg : LC_STR(""), NULL) < 0)
            return lc_fail(f->r->err, LC_INVALID, "function \"%.*s\" has an argument twice", LC_NAMED(from->signature->name));
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < b.count; i++) {
        lc_pb_NodeDef axis;
        LC_TRY(rewrite(&b, (int32_t)i, &nodes[n++], &axis));
        if (axis.name.data) nodes[n++] = axis;
    }
    *to = *from;
    to->node_def.data = nodes;
    to->node_def.n = n;
    to->resource_arg_unique_id.n = 0;
    return copy_signature(&b, from, name, to);
}

static lc_status variant_of(freezer *f, lc_str name, const int32_t *types, uint32_t count, lc_str *copy) {
    const int32_t number = name.data ? lc_names_find(&f->library, name) : -1;
    *copy = name;
    if (number < 0) return LC_OK; /* an operator of its own: whoever loads the graph knows it, or says so */
    const int32_t at = f->positions[number];
    const lc_pb_FunctionDef *from = &f->r->graph->library->function.data[at];
    const uint32_t in = from->signature->input_arg.n;
    int32_t *wanted = lc_arena_array(f->r->arena, (size_t)in + 1, sizeof *wanted);
    uint32_t others = 0;
    if (!wanted) return lc_fail_memory(f->r->err, "freezing");
    for (uint32_t i = 0; i < in && i < count; i++) wanted[i] = types[i];
    for (int32_t i = f->newest[at]; i >= 0; i = f->variants[i].next) {
        const variant *v = &f->variants[i];
        others++;
        if (memcmp(v->types, wanted, in * sizeof *wanted) != 0) continue;
        if (!v->def) return lc_fail(f->r->err, LC_INVALID, "function \"%.*s\" calls itself", LC_NAMED(name));
        *copy = v->name;
        return LC_OK;
    }
    LC_TRY(lc_budget_tables(f->r->budget, (uint64_t)from->node_def.n + others + 1, "functions", f->r->err));
    if (++f->depth > DEPTH) return lc_fail(f->r->err, LC_LIMIT, "functions call each other more than %d deep", DEPTH);
    void *items = f->variants;
    if (!lc_arena_grow(f->r->arena, &items, &f->variant_capacity, f->variant_count + 1, sizeof *f->variants))
        return lc_fail_memory(f->r->err, "freezing");
    f->variants = items;
    const size_t index = f->variant_count++;
    lc_pb_FunctionDef *def = lc_arena_alloc(f->r->arena, sizeof *def);
    if (others) name = lc_str_of(lc_arena_printf(f->r->arena, "%.*s_frozen_%u", (int)name.size, name.data, others + 1));
    if (!def || !name.data) return lc_fail_memory(f->r->err, "freezing");
    f->variants[index] = (variant){.types = wanted, .next = f->newest[at], .name = name};
    f->newest[at] = (int32_t)index;
    LC_TRY(copy_function(f, from, wanted, name, def));
    f->variants[index].def = def; /* the list may have moved while the body was copied */
    f->depth--;
    *copy = name;
    return LC_OK;
}

/* ---- all ---- */

lc_status lc_tf_freezer_new(lc_tf_reading *r, lc_tf_freeze_value value, void *user, freezer **out) {
    freezer *f = lc_arena_alloc(r->arena, sizeof *f);
    const lc_pb_FunctionDefLibrary *library = r->graph->library;
    const uint32_t n = library ? library->function.n : 0;
    if (!f) return lc_fail_memory(r->err, "freezing");
    *f = (freezer){.r = r, .value = value, .user = user};
    f->positions = lc_arena_array(r->arena, (size_t)n + 1, sizeof *f->positions);
    f->newest = lc_arena_array(r->arena, (size_t)n + 1, sizeof *f->newest);
    f->main_types = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *f->main_types);
    f->main_values = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *f->main_values);
    if (!f->positions || !f->newest || !f->main_types || !f->main_values || !lc_names_init(&f->library, r->arena, n))
        return lc_fail_memory(r->err, "freezing");
    for (uint32_t i = 0; i < r->index.node_count; i++) f->main_types[i] = -1;
    for (uint32_t i = 0; i < n; i++) {
        const lc_pb_FunctionDef *def = &library->function.data[i];
        f->newest[i] = -1;
        if (!def->signature || !def->signature->name.data) return lc_fail(r->err, LC_INVALID, "function %u of the library has no name", i);
        const int32_t number = lc_names_add(&f->library, def->signature->name, NULL);
        if (number >= 0) f->positions[number] = (int32_t)i;
    }
    *out = f;
    return LC_OK;
}

lc_status lc_tf_freeze_node(freezer *f, uint32_t at, lc_pb_NodeDef *out) {
    const body b = {.f = f,
                    .nodes = f->r->graph->node.data,
                    .count = f->r->index.node_count,
                    .names = &f->r->index.names,
                    .positions = f->r->index.positions,
                    .types = f->main_types,
                    .values = f->main_values};
    lc_pb_NodeDef axis;
    LC_TRY(rewrite(&b, (int32_t)at, out, &axis));
    if (!axis.name.data) return LC_OK;
    void *items = f->extra;
    if (!lc_arena_grow(f->r->arena, &items, &f->extra_capacity, f->extra_count + 1, sizeof *f->extra))
        return lc_fail_memory(f->r->err, "freezing");
    f->extra = items;
    f->extra[f->extra_count++] = axis;
    return LC_OK;
}

lc_status lc_tf_freezer_end(freezer *f, const lc_pb_NodeDef **extra, uint32_t *extra_count, lc_pb_FunctionDef **functions,
                            uint32_t *function_count) {
    *functions = lc_arena_array(f->r->arena, f->variant_count + 1, sizeof **functions);
    if (!*functions) return lc_fail_memory(f->r->err, "freezing");
    for (size_t i = 0; i < f->variant_count; i++) (*functions)[i] = *f->variants[i].def;
    *function_count = (uint32_t)f->variant_count;
    *extra = f->extra;
    *extra_count = (uint32_t)f->extra_count;
    return LC_OK;
}
