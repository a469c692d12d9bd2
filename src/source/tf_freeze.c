/*
 * tf_freeze.c: see tf_freeze.h. The graph is cut down to what the outputs need, over data and control edges as TensorFlow does it; control
 * edges to what changes a variable are dropped, since nothing does any more. The rest is rewritten node by node (tf_freeze_body.c).
 *
 * A variable's value is what an initializer node assigns to it, when it is a constant there, else what the checkpoint has. What stays true:
 * values are borrowed from the checkpoint's mapped files, so a frozen graph of any size costs no memory for them.
 */
#include "source/tf_freeze.h"

#include "ir/strings.h"

#include <string.h>

typedef struct freeze {
    lc_tf_reading *r;
    const lc_tf_freeze_options *o;
    lc_str *only, *but;
    uint32_t only_count, but_count;
    lc_pb_TensorProto **initial; /* per node of the main graph: what an initializer assigns to it; NULL: nothing */
    uint32_t variables;
    bool *keep;
} freeze;

static bool in_list(lc_str name, const lc_str *list, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (lc_str_eq(list[i], name)) return true;
    return false;
}

/* ---- values ---- */

static lc_status make_tensor(lc_tf_reading *r, const lc_tf_array *a, lc_pb_TensorProto *t) {
    lc_pb_TensorShapeProto *shape = lc_arena_alloc(r->arena, sizeof *shape);
    lc_pb_TensorShapeProto_Dim *dims = lc_arena_array(r->arena, (size_t)a->rank + 1, sizeof *dims);
    if (!shape || !dims) return lc_fail_memory(r->err, "freezing");
    for (int32_t d = 0; d < a->rank; d++) {
        dims[d].size = a->dims[d];
        lc_pb_set(&dims[d], TensorShapeProto_Dim, size);
    }
    shape->dim.data = dims;
    shape->dim.n = (uint32_t)a->rank;
    *t = (lc_pb_TensorProto){.dtype = lc_pb_data_type(a->type), .tensor_shape = shape};
    if (a->type != LC_STRING) {
        t->tensor_content = (lc_str){a->data, a->size};
        return LC_OK;
    }
    uint64_t elements = 1;
    for (int32_t d = 0; d < a->rank; d++)
        if (!lc_mul_u64(elements, (uint64_t)a->dims[d], &elements)) elements = UINT64_MAX;
    if (lc_strings_check(a->data, a->size, elements) || elements > UINT32_MAX)
        return lc_fail(r->err, LC_INVALID, "a variable of strings is damaged");
    const lc_strings strings = {a->data, (size_t)elements};
    t->string_val.data = lc_arena_array(r->arena, (size_t)elements + 1, sizeof *t->string_val.data);
    if (!t->string_val.data) return lc_fail_memory(r->err, "freezing");
    for (; t->string_val.n < elements; t->string_val.n++) t->string_val.data[t->string_val.n] = lc_strings_at(&strings, t->string_val.n);
    return LC_OK;
}

static lc_status value_of(void *user, const lc_pb_NodeDef *handle, lc_pb_TensorProto **value) {
    freeze *f = user;
    lc_tf_array array;
    *value = NULL;
    const int32_t at = lc_tf_graph_find(&f->r->index, handle->name);
    if (f->only_count && !in_list(handle->name, f->only, f->only_count)) return LC_OK;
    if (in_list(handle->name, f->but, f->but_count)) return LC_OK;
    f->variables++;
    if (at >= 0 && f->initial[at]) {
        *value = f->initial[at];
        return LC_OK;
    }
    LC_TRY(lc_tf_variable(f->r, handle, &array, f->r->err));
    *value = lc_arena_alloc(f->r->arena, sizeof **value);
    return *value ? make_tensor(f->r, &array, *value) : lc_fail_memory(f->r->err, "freezing");
}

/* ---- initializers ---- */

static lc_status no_such(lc_tf_reading *r, const char *option, lc_str name) {
    lc_fail(r->err, LC_NOT_FOUND, "%s: the graph has no node \"%.*s\"", option, LC_NAMED(name));
    lc_tf_suggest(&r->index, name, r->err);
    return LC_NOT_FOUND;
}

/* The constant an assignment gives, through identities; NULL when it is computed. */
static lc_pb_TensorProto *assigned(const lc_tf_reading *r, lc_str ref) {
    for (int depth = 0; depth < 20; depth++) {
        lc_str name;
        int32_t output;
        lc_tf_graph_ref(ref, &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        const lc_pb_NodeDef *node = at < 0 ? NULL : &r->graph->node.data[at];
        if (!node) return NULL;
        if (lc_str_is(node->op, "Const")) {
            const lc_pb_AttrValue *value = lc_tf_attribute(node, "value");
            return value ? value->tensor : NULL;
        }
        if (!lc_str_is(node->op, "Identity") || !node->input.n) return NULL;
        ref = node->input.data[0];
    }
    return NULL;
}

static lc_status run_initializers(freeze *f) {
    lc_tf_reading *r = f->r;
    lc_str *names;
    uint32_t n;
    bool *seen = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *seen);
    int32_t *stack = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *stack);
    uint32_t depth = 0;
    if (!seen || !stack) return lc_fail_memory(r->err, "freezing");
    LC_TRY(lc_tf_split_list(f->o->initializer_nodes, ',', r->arena, &names, &n, r->err));
    for (uint32_t i = 0; i < n; i++) {
        lc_str name;
        int32_t output;
        lc_tf_graph_ref(names[i], &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        if (at < 0) return no_such(r, "initializer_nodes", names[i]);
        if (!seen[at]) stack[depth++] = at;
        seen[at] = true;
    }
    while (depth) {
        const lc_pb_NodeDef *node = &r->graph->node.data[stack[--depth]];
        if ((lc_str_is(node->op, "Assign") || lc_str_is(node->op, "AssignVariableOp")) && node->input.n >= 2) {
            lc_str name;
            int32_t output;
            lc_tf_graph_ref(node->input.data[0], &name, &output);
            const int32_t variable = lc_tf_graph_find(&r->index, name);
            lc_pb_TensorProto *value = assigned(r, node->input.data[1]);
            if (variable >= 0 && !value) {
                lc_fail(r->err, LC_UNSUPPORTED, "initializer \"%.*s\" computes the value of \"%.*s\", litec takes constants only",
                        LC_NAMED(node->name), LC_NAMED(name));
                lc_error_hint(r->err, "give a checkpoint that has the value, and leave this node out of the initializers");
                return LC_UNSUPPORTED;
            }
            if (variable >= 0) f->initial[variable] = value;
        }
        for (uint32_t i = 0; i < node->input.n; i++) {
            lc_str name;
            int32_t output;
            lc_tf_graph_ref(node->input.data[i], &name, &output);
            const int32_t at = lc_tf_graph_find(&r->index, name);
            if (at < 0 || seen[at]) continue;
            seen[at] = true;
            stack[depth++] = at;
        }
    }
    return LC_OK;
}

/* ---- what is kept ---- */

static lc_status likely_outputs(const lc_tf_reading *r) {
    int32_t *nodes;
    uint32_t n;
    lc_text list = {0};
    lc_error own = *r->err;
    lc_fail(r->err, LC_ARGUMENT, "no output nodes are named");
    if (lc_tf_guess_outputs(r, &nodes, &n) == LC_OK)
        for (uint32_t i = 0; i < n && i < 10; i++)
            lc_text_printf(&list, "%s%.*s", i ? "," : "", LC_NAMED(r->graph->node.data[nodes[i]].name));
    *r->err = own;
    lc_fail(r->err, LC_ARGUMENT, "no output nodes are named");
    if (list.size) lc_error_hint(r->err, "add --output_node_names NAME,...; these look like it: %s", list.data);
    else lc_error_hint(r->err, "add --output_node_names NAME,...; `litec inspect` lists likely ones");
    lc_text_deinit(&list);
    return LC_ARGUMENT;
}

/* A control edge to what only changes variables: gone with them. */
static bool is_dropped_control(const lc_tf_reading *r, lc_str input) {
    lc_str name;
    int32_t output;
    lc_tf_graph_ref(input, &name, &output);
    const int32_t at = output < 0 ? lc_tf_graph_find(&r->index, name) : -1;
    return at >= 0 && lc_tf_assigns(&r->graph->node.data[at]);
}

static lc_status mark_kept(freeze *f) {
    lc_tf_reading *r = f->r;
    lc_str *names;
    uint32_t n = 0, depth = 0;
    int32_t *stack = lc_arena_array(r->arena, (size_t)r->index.node_count + 1, sizeof *stack);
    if (!stack) return lc_fail_memory(r->err, "freezing");
    if (f->o->output_nodes) LC_TRY(lc_tf_split_list(f->o->output_nodes, ',', r->arena, &names, &n, r->err));
    if (!n) return likely_outputs(r);
    for (uint32_t i = 0; i < n; i++) {
        lc_str name;
        int32_t output;
        lc_tf_graph_ref(names[i], &name, &output);
        const int32_t at = lc_tf_graph_find(&r->index, name);
        if (at < 0) return no_such(r, "output_node_names", names[i]);
        if (!f->keep[at]) stack[depth++] = at;
        f->keep[at] = true;
    }
    while (depth) {
        const lc_pb_NodeDef *node = &r->graph->node.data[stack[--depth]];
        for (uint32_t i = 0; i < node->input.n; i++) {
            lc_str name;
            int32_t output;
            if (is_dropped_control(r, node->input.data[i])) continue;
            lc_tf_graph_ref(node->input.data[i], &name, &output);
            const int32_t at = lc_tf_graph_find(&r->index, name);
            if (at < 0) {
                lc_fail(r->err, LC_INVALID, "node \"%.*s\" reads \"%.*s\", which the graph does not have", LC_NAMED(node->name),
                        LC_NAMED(name));
                lc_tf_suggest(&r->index, name, r->err);
                return LC_INVALID;
            }
            if (f->keep[at]) continue;
            f->keep[at] = true;
            stack[depth++] = at;
        }
    }
    return LC_OK;
}

/* ---- a kept node ---- */

/* Drops control edges that lead nowhere, and the wish to stand with a node that is not kept. */
static lc_status tidy(freeze *f, lc_pb_NodeDef *node) {
    lc_tf_reading *r = f->r;
    lc_str *inputs = lc_arena_array(r->arena, (size_t)node->input.n + 1, sizeof *inputs);
    uint32_t n = 0;
    if (!inputs) return lc_fail_memory(r->err, "freezing");
    for (uint32_t i = 0; i < node->input.n; i++)
        if (!is_dropped_control(r, node->input.data[i])) inputs[n++] = node->input.data[i];
    node->input.data = inputs;
    node->input.n = n;
    if (!f->o->keep_devices) {
        node->device = (lc_str){NULL, 0};
        node->has &= ~((uint64_t)1 << LC_PB_ROW_NodeDef_device);
    }
    uint32_t kept = 0;
    lc_pb_NodeDef_AttrEntry *list = lc_arena_array(r->arena, (size_t)node->attr.n + 1, sizeof *list);
    if (!list) return lc_fail_memory(r->err, "freezing");
    for (uint32_t i = 0; i < node->attr.n; i++) {
        const lc_pb_NodeDef_AttrEntry *a = &node->attr.data[i];
        bool stays = true;
        for (uint32_t k = 0; lc_str_is(a->key, "_class") && a->value && a->value->list && k < a->value->list->s.n; k++) {
            const lc_str s = a->value->list->s.data[k];
            const int32_t at = lc_str_has_prefix(s, "loc:@") ? lc_tf_graph_find(&r->index, (lc_str){s.data + 5, s.size - 5}) : -1;
            stays &= at >= 0 && f->keep[at];
        }
        if (stays) list[kept++] = *a;
    }
    node->attr.data = list;
    node->attr.n = kept;
    return LC_OK;
}

lc_status lc_tf_freeze(lc_tf_reading *r, const lc_tf_freeze_options *options, lc_tf_frozen *frozen) {
    freeze f = {.r = r, .o = options};
    struct lc_tf_freezer *freezer;
    const uint32_t nodes = r->index.node_count;
    const lc_pb_NodeDef *extra;
    lc_pb_FunctionDef *functions;
    uint32_t extra_count, function_count, n = 0, kept = 0;
    f.initial = lc_arena_array(r->arena, (size_t)nodes + 1, sizeof *f.initial);
    f.keep = lc_arena_array(r->arena, (size_t)nodes + 1, sizeof *f.keep);
    if (!f.initial || !f.keep) return lc_fail_memory(r->err, "freezing");
    if (options->only) LC_TRY(lc_tf_split_list(options->only, ',', r->arena, &f.only, &f.only_count, r->err));
    if (options->but) LC_TRY(lc_tf_split_list(options->but, ',', r->arena, &f.but, &f.but_count, r->err));
    for (uint32_t i = 0; i < f.only_count; i++)
        if (lc_tf_graph_find(&r->index, f.only[i]) < 0) return no_such(r, "variable_names_whitelist", f.only[i]);
    for (uint32_t i = 0; i < f.but_count; i++)
        if (lc_tf_graph_find(&r->index, f.but[i]) < 0) return no_such(r, "variable_names_denylist", f.but[i]);
    if (options->initializer_nodes) LC_TRY(run_initializers(&f));
    LC_TRY(mark_kept(&f));
    LC_TRY(lc_tf_freezer_new(r, value_of, &f, &freezer));
    for (uint32_t i = 0; i < nodes; i++) kept += f.keep[i];
    lc_pb_NodeDef *list = lc_arena_array(r->arena, (size_t)kept * 2 + 1, sizeof *list);
    if (!list) return lc_fail_memory(r->err, "freezing");
    for (uint32_t i = 0; i < nodes; i++) {
        if (!f.keep[i]) continue;
        LC_TRY(lc_tf_freeze_node(freezer, i, &list[n]));
        LC_TRY(tidy(&f, &list[n++]));
    }
    LC_TRY(lc_tf_freezer_end(freezer, &extra, &extra_count, &functions, &function_count));
    for (uint32_t i = 0; i < extra_count && n < kept * 2 + 1; i++) {
        list[n] = extra[i];
        LC_TRY(tidy(&f, &list[n++]));
    }
    for (uint32_t i = 0; i < function_count && !options->keep_devices; i++)
        for (uint32_t k = 0; k < functions[i].node_def.n; k++) {
            functions[i].node_def.data[k].device = (lc_str){NULL, 0};
            functions[i].node_def.data[k].has &= ~((uint64_t)1 << LC_PB_ROW_NodeDef_device);
        }
    lc_pb_FunctionDefLibrary *library = NULL;
    if (function_count) {
        library = lc_arena_alloc(r->arena, sizeof *library);
        if (!library) return lc_fail_memory(r->err, "freezing");
        library->function.data = functions;
        library->function.n = function_count;
    }
    *frozen = (lc_tf_frozen){.variables = f.variables};
    frozen->graph.node.data = list;
    frozen->graph.node.n = n;
    frozen->graph.library = library;
    frozen->graph.versions = r->graph->versions;
    return LC_OK;
}
