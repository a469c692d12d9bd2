/*
 * graph_variable.c: variables of a graph of TensorFlow, and the nodes that save and restore them.
 *
 *   w/Initializer/zeros ─▶ w/Assign                        TensorFlow 1: VariableV2 "w", read by the Identity "w/read"
 *   save/Const (the prefix) ─▶ save/SaveV2, save/RestoreV2 ─▶ save/Assign ... ─▶ save/restore_all
 *
 * Their values are in the checkpoint: who runs the initialisers instead gets zeros. The names are those that TensorFlow's Saver gives, since
 * programs know them.
 */
#include "emit/graph_emit.h"

#include <string.h>

static lc_gd_ref put_zeros(lc_gd_body *b, const lc_emit_variable *v, int32_t type) {
    static const uint8_t zero[16];
    lc_gd_ref r = LC_GD(b, Fill, lc_gd_const_ints(b, v->dims, v->rank), lc_gd_const(b, type, NULL, 0, zero, lc_dtype_bits(v->type) / 8));
    return r;
}

/* "base/part" as the name of the node, and of the ones put before it. */
static void name_part(lc_gd_body *b, lc_str base, const char *part, lc_gd_ref r) {
    const char *name = lc_arena_printf(b->arena, "%s/%s", base.data, part);
    if (name) lc_gd_name(b, lc_str_of(name), r);
    else lc_gd_fail_memory(b);
}

static void put_ref(lc_gd_body *b, const lc_emit_variable *v, int32_t type, lc_gd_ref *handle, lc_gd_ref *value) {
    *handle = lc_gd_put(b, LC_GD_VariableV2, NULL, 0);
    handle->type = type;
    lc_gd_type(b, "dtype", type);
    lc_gd_shape(b, "shape", v->dims, v->rank);
    lc_gd_name(b, lc_str_of(v->name), *handle);
    const lc_str name = lc_gd_name_of(b, *handle);
    const lc_gd_ref zeros = put_zeros(b, v, type);
    name_part(b, name, "Initializer/zeros", zeros);
    const lc_gd_ref assign = LC_GD(b, Assign, *handle, zeros);
    lc_gd_keep(b, assign);
    name_part(b, name, "Assign", assign);
    *value = LC_GD(b, Identity, *handle);
    lc_gd_keep(b, *value);
    name_part(b, name, "read", *value);
}

static void put_resource(lc_gd_body *b, const lc_emit_variable *v, int32_t type, lc_gd_ref *handle, lc_gd_ref *value) {
    *handle = lc_gd_put(b, LC_GD_VarHandleOp, NULL, 0);
    lc_gd_type(b, "dtype", type);
    lc_gd_shape(b, "shape", v->dims, v->rank);
    lc_gd_name(b, lc_str_of(v->name), *handle);
    lc_gd_text(b, "shared_name", lc_gd_name_of(b, *handle));
    *value = LC_GD(b, ReadVariableOp, *handle);
    value->type = type;
    lc_gd_type(b, "dtype", type);
    name_part(b, lc_gd_name_of(b, *handle), "Read/ReadVariableOp", *value);
}

/* A variable stands behind an input of the main graph that looks like it: a number of another graph's tensor would put weights where they do
 * not belong, and nobody would notice. */
static lc_status check_place(const lc_emit_variable *v, const lc_graph *graph, lc_error *err) {
    if (v->tensor < 0) return LC_OK;
    bool input = false;
    for (size_t i = 0; i < graph->input_count; i++) input = input || graph->inputs[i] == v->tensor;
    const lc_tensor *t = input ? &graph->tensors[v->tensor] : NULL;
    bool fits = t && t->type == v->type && t->rank == v->rank;
    for (int32_t i = 0; fits && i < v->rank; i++) fits = t->dims[i] == v->dims[i];
    if (fits) return LC_OK;
    return lc_fail(err, LC_ARGUMENT, "variable '%s' is said to stand behind tensor %d of the main graph, which is %s", v->name, v->tensor,
                   t ? "of another type or shape" : "no input of it");
}

lc_status lc_gd_variables_put(lc_gd_variables *v, const lc_model *model, lc_gd_body *b) {
    v->handles = lc_arena_array(b->arena, v->n, sizeof *v->handles);
    v->values = lc_arena_array(b->arena, v->n, sizeof *v->values);
    if (!v->handles || !v->values) return lc_gd_fail_memory(b);
    for (size_t i = 0; i < v->n && b->status == LC_OK; i++) {
        const lc_emit_variable *one = &v->variables[i];
        const int32_t type = lc_pb_data_type(one->type);
        LC_TRY(b->status = check_place(one, model->graphs[0], b->err));
        if (type == LC_DT_INVALID || lc_dtype_bits(one->type) < 8)
            return b->status = lc_fail(b->err, LC_UNSUPPORTED, "variable '%s' has the type %s, which TensorFlow's variables do not have",
                                       one->name, lc_dtype_name(one->type));
        if (v->kind == LC_GD_REF) {
            put_ref(b, one, type, &v->handles[i], &v->values[i]);
        } else if (v->kind == LC_GD_RESOURCE) {
            put_resource(b, one, type, &v->handles[i], &v->values[i]);
        } else {
            v->handles[i] = v->values[i] = lc_gd_const(b, type, one->dims, one->rank, one->data, one->size);
            lc_gd_name(b, lc_str_of(one->name), v->handles[i]);
        }
    }
    return b->status;
}

/* ---- the saver ---------------------------------------------------------------------------------------------------------- */

static lc_gd_ref put_name_list(const lc_gd_variables *v, lc_gd_body *b, const char *name, bool slices) {
    lc_str *list = lc_arena_array(b->arena, v->n, sizeof *list);
    if (!list) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    for (size_t i = 0; i < v->n; i++) list[i] = slices ? LC_STR("") : v->keys[i];
    const lc_gd_ref r = lc_gd_const_strings(b, list, (int32_t)v->n);
    lc_gd_name(b, lc_str_of(name), r);
    return r;
}

/* The prefix of the checkpoint: fed by who saves or restores. */
static lc_gd_ref put_prefix(lc_gd_body *b) {
    const lc_str model = LC_STR("model");
    lc_gd_ref r = lc_gd_const_strings(b, &model, -1);
    lc_gd_name(b, LC_STR("save/filename/input"), r);
    static const char *const names[] = {"save/filename", "save/Const"};
    for (int i = 0; i < 2; i++) {
        r = LC_GD(b, PlaceholderWithDefault, r);
        lc_gd_shape(b, "shape", NULL, 0);
        lc_gd_name(b, lc_str_of(names[i]), r);
    }
    return r;
}

static lc_gd_ref put_save(const lc_gd_variables *v, lc_gd_body *b, lc_gd_ref prefix) {
    lc_gd_ref *in = lc_arena_array(b->arena, v->n + 3, sizeof *in);
    if (!in) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    in[0] = prefix;
    in[1] = put_name_list(v, b, "save/SaveV2/tensor_names", false);
    in[2] = put_name_list(v, b, "save/SaveV2/shape_and_slices", true);
    for (size_t i = 0; i < v->n; i++) in[3 + i] = v->kind == LC_GD_REF ? v->handles[i] : v->values[i];
    const lc_gd_ref save = lc_gd_put(b, LC_GD_SaveV2, in, (uint32_t)v->n + 3);
    lc_gd_types(b, "dtypes", in + 3, (uint32_t)v->n);
    lc_gd_name(b, LC_STR("save/SaveV2"), save);
    const lc_gd_ref done = LC_GD(b, Identity, prefix);
    lc_gd_after(b, done, &save, 1);
    lc_gd_keep(b, done);
    lc_gd_name(b, LC_STR("save/control_dependency"), done);
    return done;
}

static lc_gd_ref put_restore(const lc_gd_variables *v, lc_gd_body *b, lc_gd_ref prefix) {
    const lc_gd_ref names = put_name_list(v, b, "save/RestoreV2/tensor_names", false);
    const lc_gd_ref slices = put_name_list(v, b, "save/RestoreV2/shape_and_slices", true);
    const lc_gd_ref restore = LC_GD(b, RestoreV2, prefix, names, slices);
    lc_gd_types(b, "dtypes", v->values, (uint32_t)v->n);
    lc_gd_name(b, LC_STR("save/RestoreV2"), restore);
    lc_gd_ref *assigns = lc_arena_array(b->arena, v->n, sizeof *assigns);
    if (!assigns) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    for (size_t i = 0; i < v->n; i++) {
        const lc_gd_ref value = lc_gd_output(restore, (int32_t)i, v->values[i].type);
        assigns[i] =
            lc_gd_put(b, v->kind == LC_GD_REF ? LC_GD_Assign : LC_GD_AssignVariableOp, (const lc_gd_ref[]){v->handles[i], value}, 2);
        lc_gd_name(b, LC_STR("save/Assign"), assigns[i]);
    }
    const lc_gd_ref all = lc_gd_put(b, LC_GD_NoOp, NULL, 0);
    lc_gd_after(b, all, assigns, (uint32_t)v->n);
    lc_gd_keep(b, all);
    lc_gd_name(b, LC_STR("save/restore_all"), all);
    return all;
}

static lc_str with_output(lc_gd_body *b, lc_gd_ref r) {
    const char *text = b->status == LC_OK ? lc_arena_printf(b->arena, "%s:0", lc_gd_name_of(b, r).data) : "";
    if (!text) lc_gd_fail_memory(b);
    return lc_str_of(text ? text : "");
}

lc_status lc_gd_saver_put(const lc_gd_variables *v, lc_gd_body *b, lc_pb_SaverDef *saver) {
    const lc_gd_ref prefix = put_prefix(b), save = put_save(v, b, prefix), restore = put_restore(v, b, prefix);
    *saver = (lc_pb_SaverDef){.filename_tensor_name = with_output(b, prefix),
                              .save_tensor_name = with_output(b, save),
                              .restore_op_name = lc_gd_name_of(b, restore),
                              .max_to_keep = 5,
                              .keep_checkpoint_every_n_hours = 10000,
                              .version = LC_PB_SaverDef_CheckpointFormatVersion_V2};
    return b->status;
}

/* ---- collections -------------------------------------------------------------------------------------------------------- */

/* A VariableDef as bytes: what the nodes of put_ref are named. */
static lc_status collect_one(const lc_gd_variables *v, lc_gd_body *b, size_t i, lc_str *bytes) {
    const lc_str name = lc_gd_name_of(b, v->handles[i]);
    lc_pb_VariableDef def = {.variable_name = with_output(b, v->handles[i]),
                             .initializer_name = lc_str_of(lc_arena_printf(b->arena, "%s/Assign", name.data)),
                             .snapshot_name = with_output(b, v->values[i]),
                             .initial_value_name = lc_str_of(lc_arena_printf(b->arena, "%s/Initializer/zeros:0", name.data)),
                             .trainable = v->variables[i].trainable};
    if (!def.initializer_name.data || !def.initial_value_name.data) return lc_gd_fail_memory(b);
    lc_text text = {0};
    lc_pb_write(LC_PB_VariableDef, &def, &text);
    *bytes = (lc_str){text.failed ? NULL : lc_arena_strndup(b->arena, text.data, text.size), text.size};
    lc_text_deinit(&text);
    return bytes->data ? b->status : lc_gd_fail_memory(b);
}

lc_status lc_gd_variables_collect(const lc_gd_variables *v, lc_gd_body *b, lc_pb_MetaGraphDef *meta) {
    static const char *const keys[] = {"trainable_variables", "variables"};
    lc_pb_MetaGraphDef_CollectionDefEntry *entries = lc_arena_array(b->arena, 2, sizeof *entries);
    if (!entries) return lc_gd_fail_memory(b);
    for (int k = 0; k < 2; k++) {
        lc_pb_CollectionDef *collection = lc_arena_alloc(b->arena, sizeof *collection);
        lc_pb_CollectionDef_BytesList *list = lc_arena_alloc(b->arena, sizeof *list);
        if (!collection || !list) return lc_gd_fail_memory(b);
        list->value.data = lc_arena_array(b->arena, v->n, sizeof(lc_str));
        if (!list->value.data) return lc_gd_fail_memory(b);
        for (size_t i = 0; i < v->n; i++)
            if (k == 1 || v->variables[i].trainable) LC_TRY(collect_one(v, b, i, &list->value.data[list->value.n++]));
        collection->bytes_list = list;
        entries[k] = (lc_pb_MetaGraphDef_CollectionDefEntry){.key = lc_str_of(keys[k]), .value = collection};
    }
    meta->collection_def.data = entries;
    meta->collection_def.n = 2;
    return LC_OK;
}

/* ---- the main graph ----------------------------------------------------------------------------------------------------- */

const lc_emit_variable *lc_gd_variable_of(const lc_emit_variable *v, size_t n, int32_t tensor) {
    for (size_t i = 0; i < n; i++)
        if (v[i].tensor == tensor) return &v[i];
    return NULL;
}

/* A name of its own for each output: what is no node of its own becomes one. */
static void name_outputs(lc_gd_body *b, const lc_graph *graph, const lc_gd_ref *refs) {
    for (size_t i = 0; i < graph->output_count && b->status == LC_OK; i++) {
        const int32_t tensor = graph->outputs[i];
        lc_gd_ref r = refs[tensor];
        const lc_gd_op_id op = b->nodes[r.node]->op;
        if (r.output || op == LC_GD_Placeholder || op == LC_GD_Const || op == LC_GD_ReadVariableOp || op == LC_GD_Identity) {
            r = LC_GD(b, Identity, r);
            lc_gd_name(b, graph->tensors[tensor].name, r);
        }
        lc_gd_keep(b, r);
    }
}

lc_status lc_gd_emit_main(lc_gd_emitter *e, lc_gd_body *b, const lc_gd_variables *v) {
    const lc_graph *graph = e->model->graphs[0];
    lc_gd_ref *refs = lc_gd_make_refs(e, graph);
    if (!refs) return lc_gd_fail_memory(b);
    for (size_t i = 0; i < graph->input_count; i++) {
        const int32_t tensor = graph->inputs[i];
        const lc_emit_variable *one = lc_gd_variable_of(v->variables, v->n, tensor);
        refs[tensor] = one ? v->values[one - v->variables] : lc_gd_placeholder(b, &graph->tensors[tensor], graph->tensors[tensor].name);
    }
    LC_TRY(lc_gd_emit_nodes(e, b, graph, refs));
    name_outputs(b, graph, refs);
    return b->status;
}

lc_status lc_emit_graph(lc_model *model, const lc_emit_variable *variables, size_t n, lc_arena *arena, lc_pb_GraphDef **graph,
                        lc_error *err) {
    lc_gd_emitter e;
    lc_gd_body b;
    lc_gd_variables v = {.variables = variables, .n = n, .kind = LC_GD_FROZEN};
    lc_gd_body_init(&b, arena, false, err);
    LC_TRY(lc_gd_emitter_init(&e, model, arena, err));
    LC_TRY(lc_gd_variables_put(&v, model, &b));
    LC_TRY(lc_gd_emit_main(&e, &b, &v));
    return lc_gd_emitter_end(&e, &b, graph);
}
