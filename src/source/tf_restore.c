/*
 * tf_restore.c: which name in the checkpoint belongs to which variable of the graph. The graph says so itself, in the part that loads a
 * checkpoint, which saver_def names:
 *
 *   TensorFlow 1    RestoreV2(file, ["w", "b"], ["", "10 20 0,5:-"]) ─▶ Identity ─▶ Assign(variable, value)
 *   TensorFlow 2    StatefulPartitionedCall(file, handles) of a function with RestoreV2 ─▶ Identity ─▶ AssignVariableOp(argument, value)
 *
 * Restore and RestoreSlice are older forms for one variable. What is left out of that part (copies that Keras 3 makes while saving) the
 * object graph tells: each call of a function in the main graph gives handles for the objects which the function captures, and the
 * checkpoint has the names of the objects' values.
 */
#include "source/tf_read.h"

#include <string.h>

#define DEPTH 10 /* identities between the value and the variable */

/* ---- strings of constants ---- */

static const lc_pb_TensorProto *constant_of(const lc_pb_NodeDef *node) {
    const lc_pb_AttrValue *a = node && lc_str_is(node->op, "Const") ? lc_tf_attribute(node, "value") : NULL;
    return a ? a->tensor : NULL;
}

/* String i of a constant; the last one is repeated when the list is shorter than the shape. */
static lc_str string_at(const lc_pb_TensorProto *t, int32_t i) {
    if (!t || i < 0 || !t->string_val.n) return (lc_str){NULL, 0};
    const uint32_t at = (uint32_t)i < t->string_val.n ? (uint32_t)i : t->string_val.n - 1;
    return t->string_val.data[at].data ? t->string_val.data[at] : LC_STR("");
}

/* ---- one body: the main graph, or a function ---- */

typedef struct body {
    lc_tf_reading *r;
    const lc_pb_NodeDef *nodes;
    const lc_names *names;
    const int32_t *positions;  /* NULL: number = position */
    const lc_names *arguments; /* of the function; NULL: the main graph */
    const lc_pb_NodeDef *call; /* of the function */
} body;

/* "node:output:index", "node:index", "node" */
static const lc_pb_NodeDef *node_of(const body *b, lc_str text, int32_t *output) {
    lc_str name;
    lc_tf_graph_ref(text, &name, output);
    if (b->arguments) { /* the name of the output list is between */
        size_t n = 0;
        while (n < name.size && name.data[n] != ':') n++;
        name.size = n;
    }
    const int32_t number = name.data ? lc_names_find(b->names, name) : -1;
    if (number < 0) return NULL;
    return &b->nodes[b->positions ? b->positions[number] : number];
}

static bool is_one_of(const lc_pb_NodeDef *node, const char *const *ops) {
    for (; *ops; ops++)
        if (lc_str_is(node->op, *ops)) return true;
    return false;
}

/* The handle a variable's assignment means: the node itself, or what the caller gives for the function's argument. */
static lc_str handle_of(const body *b, lc_str text) {
    static const char *const pass[] = {"Identity", "Enter", NULL};
    for (int depth = 0; depth < DEPTH; depth++) {
        int32_t output;
        lc_str name;
        const lc_pb_NodeDef *node = node_of(b, text, &output);
        if (!node && b->arguments) {
            const int32_t i = lc_names_find(b->arguments, text);
            if (i < 0 || (uint32_t)i >= b->call->input.n) break;
            lc_tf_graph_ref(b->call->input.data[i], &name, &output);
            return output == 0 ? name : (lc_str){NULL, 0};
        }
        if (!node) break;
        if (!is_one_of(node, pass) || !node->input.n) return b->arguments ? (lc_str){NULL, 0} : node->name;
        text = node->input.data[0];
    }
    return (lc_str){NULL, 0};
}

/* The name and part a restored value has in the checkpoint; false when `text` is no restored value. */
static bool restored(const body *b, lc_str text, lc_str *key, lc_str *spec) {
    static const char *const pass[] = {"Identity", "Cast", "Reshape", NULL};
    int32_t output = 0, ignored;
    const lc_pb_NodeDef *node = node_of(b, text, &output);
    for (int depth = 0; node && is_one_of(node, pass) && node->input.n && depth < DEPTH; depth++)
        node = node_of(b, node->input.data[0], &output);
    if (!node || node->input.n < 2) return false;
    const bool v2 = lc_str_is(node->op, "RestoreV2"), slice = lc_str_is(node->op, "RestoreSlice"), one = lc_str_is(node->op, "Restore");
    if (!v2 && !slice && !one) return false;
    *key = string_at(constant_of(node_of(b, node->input.data[1], &ignored)), v2 ? output : 0);
    *spec = LC_STR("");
    if (!one && node->input.n > 2) *spec = string_at(constant_of(node_of(b, node->input.data[2], &ignored)), v2 ? output : 0);
    if (!spec->data) *spec = LC_STR("");
    return key->data != NULL;
}

static void add(lc_tf_reading *r, lc_str handle, lc_str key, lc_str spec) {
    lc_tf_values *v = &r->values;
    if (!handle.data || v->handles.count >= r->index.node_count) return;
    const int32_t number = lc_names_add(&v->handles, handle, NULL);
    if (number < 0) return; /* the first saver counts */
    v->keys[number] = key;
    v->specs[number] = spec;
}

static void add_assignment(const body *b, const lc_pb_NodeDef *node) {
    static const char *const assigns[] = {"Assign", "AssignVariableOp", NULL};
    lc_str key, spec;
    if (node->input.n < 2 || !is_one_of(node, assigns) || !restored(b, node->input.data[1], &key, &spec)) return;
    add(b->r, handle_of(b, node->input.data[0]), key, spec);
}

/* ---- functions ---- */

static const lc_pb_FunctionDef *function_called(const lc_tf_reading *r, const lc_pb_NodeDef *call) {
    const lc_pb_AttrValue *f = lc_tf_attribute(call, "f");
    if (!f || !f->func || !r->graph->library) return NULL;
    for (uint32_t i = 0; i < r->graph->library->function.n; i++) {
        const lc_pb_FunctionDef *def = &r->graph->library->function.data[i];
        if (def->signature && lc_str_eq(def->signature->name, f->func->name)) return def;
    }
    return NULL;
}

static lc_status add_function(lc_tf_reading *r, const lc_pb_NodeDef *call) {
    const lc_pb_FunctionDef *f = function_called(r, call);
    lc_names names, arguments;
    if (!f) return LC_OK;
    const uint32_t argument_count = f->signature ? f->signature->input_arg.n : 0;
    if (!lc_names_init(&names, r->arena, f->node_def.n) || !lc_names_init(&arguments, r->arena, argument_count))
        return lc_fail_memory(r->err, "restoring");
    for (uint32_t i = 0; i < argument_count; i++) {
        const lc_str name = f->signature->input_arg.data[i].name;
        if (lc_names_add(&arguments, name.data ? name : LC_STR(""), NULL) < 0) return LC_OK; /* the lowering says what is wrong with it */
    }
    int32_t *positions = lc_arena_array(r->arena, (size_t)f->node_def.n + 1, sizeof *positions);
    if (!positions) return lc_fail_memory(r->err, "restoring");
    for (uint32_t i = 0; i < f->node_def.n; i++) {
        const int32_t number = lc_names_add(&names, f->node_def.data[i].name.data ? f->node_def.data[i].name : LC_STR(""), NULL);
        if (number >= 0) positions[number] = (int32_t)i;
    }
    const body b = {r, f->node_def.data, &names, positions, &arguments, call};
    for (uint32_t i = 0; i < f->node_def.n; i++) add_assignment(&b, &f->node_def.data[i]);
    return LC_OK;
}

/* ---- the main graph ---- */

/* Nodes that the restoring operation needs, control edges too. */
static lc_status mark_restore(lc_tf_reading *r, bool *seen) {
    const lc_pb_SaverDef *saver = r->meta ? r->meta->saver_def : NULL;
    lc_str name;
    int32_t output;
    if (!saver || !saver->restore_op_name.size) return LC_OK;
    lc_tf_graph_ref(saver->restore_op_name, &name, &output);
    const int32_t root = lc_tf_graph_find(&r->index, name);
    int32_t *stack = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *stack);
    if (!stack) return lc_fail_memory(r->err, "restoring");
    if (root < 0) return LC_OK;
    uint32_t depth = 0;
    seen[root] = true;
    stack[depth++] = root;
    while (depth) {
        const lc_pb_NodeDef *node = &r->graph->node.data[stack[--depth]];
        for (uint32_t i = 0; i < node->input.n; i++) {
            lc_tf_graph_ref(node->input.data[i], &name, &output);
            const int32_t below = lc_tf_graph_find(&r->index, name);
            if (below < 0 || seen[below]) continue;
            seen[below] = true;
            stack[depth++] = below;
        }
    }
    return LC_OK;
}

static bool is_call(const lc_pb_NodeDef *node) {
    static const char *const calls[] = {"StatefulPartitionedCall", "PartitionedCall", NULL};
    return is_one_of(node, calls);
}

lc_status lc_tf_restore_map(lc_tf_reading *r) {
    const uint32_t n = r->index.node_count;
    lc_tf_values *v = &r->values;
    bool *seen = lc_arena_array(r->arena, (size_t)n + 1, sizeof *seen);
    v->keys = lc_arena_array(r->arena, (size_t)n + 1, sizeof *v->keys);
    v->specs = lc_arena_array(r->arena, (size_t)n + 1, sizeof *v->specs);
    if (!seen || !v->keys || !v->specs || !lc_names_init(&v->handles, r->arena, n)) return lc_fail_memory(r->err, "restoring");
    LC_TRY(mark_restore(r, seen));
    const body b = {r, r->graph->node.data, &r->index.names, r->index.positions, NULL, NULL};
    /* The part the saver names first, then any other: a graph may be saved without saver_def, or have several savers. */
    for (int named = 1; named >= 0; named--) {
        for (uint32_t i = 0; i < n; i++) {
            const lc_pb_NodeDef *node = &r->graph->node.data[i];
            if (seen[i] != (named == 1)) continue;
            add_assignment(&b, node);
            if (named && is_call(node)) LC_TRY(add_function(r, node));
        }
    }
    return LC_OK;
}

/* ---- the object graph ---- */

lc_status lc_tf_object_map(lc_tf_reading *r) {
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    if (!objects || r->values.objects) return LC_OK;
    lc_names names;
    int32_t *map = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *map);
    if (!map || !lc_names_init(&names, r->arena, objects->concrete_functions.n)) return lc_fail_memory(r->err, "objects");
    for (uint32_t i = 0; i < r->index.node_count; i++) map[i] = -1;
    for (uint32_t i = 0; i < objects->concrete_functions.n; i++)
        if (lc_names_add(&names, objects->concrete_functions.data[i].key.data ? objects->concrete_functions.data[i].key : LC_STR(""),
                         NULL) < 0)
            return lc_fail(r->err, LC_INVALID, "the object graph has a function twice"); /* a map cannot, so numbers are positions */
    for (uint32_t i = 0; i < r->index.node_count; i++) {
        const lc_pb_NodeDef *node = &r->graph->node.data[i];
        const lc_pb_AttrValue *f = is_call(node) ? lc_tf_attribute(node, "f") : NULL;
        const int32_t number = f && f->func && f->func->name.data ? lc_names_find(&names, f->func->name) : -1;
        const lc_pb_SavedConcreteFunction *concrete = number < 0 ? NULL : objects->concrete_functions.data[number].value;
        if (!concrete) continue;
        uint32_t inputs = 0;
        while (inputs < node->input.n && !(node->input.data[inputs].size && node->input.data[inputs].data[0] == '^')) inputs++;
        for (uint32_t k = 0; k < concrete->bound_inputs.n && k < inputs; k++) {
            lc_str name;
            int32_t output;
            lc_tf_graph_ref(node->input.data[inputs - 1 - k], &name, &output);
            const int32_t handle = lc_tf_graph_find(&r->index, name);
            const int32_t object = concrete->bound_inputs.data[concrete->bound_inputs.n - 1 - k];
            if (handle >= 0 && output == 0 && object >= 0 && (uint32_t)object < objects->nodes.n) map[handle] = object;
        }
    }
    r->values.objects = map;
    return LC_OK;
}
