/*
 * saved_model_emit.c: a model as a SavedModel.
 *
 *   the graph:    serving_default_x ─▶ StatefulPartitionedCall ─▶ outputs        what TensorFlow Serving and tf.compat.v1 run
 *                 variables, save/...
 *   the library:  __inference_signature_wrapper_K: takes and gives tensors in the order of their names, and calls
 *                 __inference_K: the operators; variables come in as resources behind its inputs
 *   the objects:  saved_model_objects.c
 *
 * The idea: a signature is written once, as a function of its own; its wrapper and the function of the loaded object, which take the same tensors
 * in other orders, both lead there.
 */
#include "emit/saved_model_emit.h"

#include "base/folder.h"
#include "emit/meta_graph_emit.h"
#include "emit/saved_model_objects.h"
#include "ir/strings.h"

#include <stdlib.h>
#include <string.h>

typedef struct saver {
    lc_gd_emitter e;
    lc_gd_body main;
    lc_gd_variables v;
    lc_arena *arena;
    lc_error *err;
    lc_saved_signature *signatures;
    size_t n;
    lc_pb_MetaGraphDef meta;
    lc_pb_SaverDef saver_def;
    lc_pb_MetaGraphDef_MetaInfoDef info;
    lc_pb_SavedObjectGraph objects;
    lc_pb_TrackableObjectGraph tracked;
} saver;

static lc_status no_memory(saver *s) { return lc_fail_memory(s->err, "SavedModel"); }

/* ---- signatures --------------------------------------------------------------------------------------------------------- */

static bool is_identifier(lc_str s) {
    if (!s.size || lc_gd_is_digit(s.data[0])) return false;
    for (size_t i = 0; i < s.size; i++)
        if (!lc_gd_is_word(s.data[i])) return false;
    return true;
}

static bool has_name(const lc_saved_value *values, uint32_t n, lc_str name) {
    for (uint32_t i = 0; i < n; i++)
        if (lc_str_eq(values[i].name, name)) return true;
    return false;
}

/* A name that Python takes as an argument's, and that no other value of the signature has. */
static lc_str identifier(saver *s, lc_str name, const lc_saved_value *others, uint32_t n) {
    const char *prefix = !name.size || lc_gd_is_digit(name.data[0]) ? "x" : "";
    char *made = lc_arena_printf(s->arena, "%s%.*s", prefix, (int)name.size, name.size ? name.data : "");
    if (!made) return (lc_str){NULL, 0};
    for (char *p = made; *p; p++)
        if (!lc_gd_is_word(*p)) *p = '_';
    const char *unique = made;
    for (unsigned k = 1; unique && has_name(others, n, lc_str_of(unique)); k++) unique = lc_arena_printf(s->arena, "%s_%u", made, k);
    return lc_str_of(unique);
}

static int by_name(const void *a, const void *b) {
    const lc_saved_value *left = a, *right = b;
    return lc_str_compare(left->name, right->name);
}

static lc_status make_values(saver *s, const lc_graph *graph, const lc_signature_entry *entries, uint32_t n, bool outputs,
                             lc_saved_value **values, lc_saved_value **sorted) {
    *values = lc_arena_array(s->arena, n, sizeof **values);
    *sorted = lc_arena_array(s->arena, n, sizeof **sorted);
    if (!*values || !*sorted) return no_memory(s);
    for (uint32_t i = 0; i < n; i++) {
        const lc_tensor *t = &graph->tensors[entries[i].tensor];
        const lc_str name = identifier(s, entries[i].name, *values, i);
        if (!name.data) return no_memory(s);
        if (t->rank > LC_MAX_RANK) return lc_fail(s->err, LC_UNSUPPORTED, "'%s' has %d dimensions", t->name.data, t->rank);
        (*values)[i] = (lc_saved_value){name, t, entries[i].tensor, i, outputs};
    }
    if (n) memcpy(*sorted, *values, n * sizeof **sorted);
    qsort(*sorted, n, sizeof **sorted, by_name);
    return LC_OK;
}

/* The variable behind an input of a graph: its index, or -1. */
static int32_t variable_behind(const saver *s, int32_t graph, int32_t tensor) {
    for (size_t i = 0; i < s->v.n; i++) {
        const lc_emit_variable *v = &s->v.variables[i];
        if (graph == 0 ? v->tensor == tensor : lc_str_is(s->e.model->graphs[graph]->tensors[tensor].name, v->name)) return (int32_t)i;
    }
    return -1;
}

static bool reserved(lc_str key) {
    return lc_str_is(key, "signatures") || lc_str_is(key, "variables") || lc_str_is(key, "trainable_variables") ||
           lc_str_is(key, "non_trainable_variables") || lc_str_is(key, "serve");
}

static lc_status find_signature(saver *s, const lc_signature *from, lc_saved_signature *to) {
    const lc_graph *graph = s->e.model->graphs[from->graph];
    to->key = from->key;
    to->input_count = from->input_count;
    to->output_count = from->output_count;
    LC_TRY(make_values(s, graph, from->inputs, from->input_count, false, &to->inputs, &to->sorted_inputs));
    LC_TRY(make_values(s, graph, from->outputs, from->output_count, true, &to->outputs, &to->sorted_outputs));
    to->variables = lc_arena_array(s->arena, graph->input_count, sizeof *to->variables);
    const lc_str safe = identifier(s, from->key, NULL, 0);
    const char *body = safe.data ? lc_arena_printf(s->arena, "__inference_%s", safe.data) : NULL;
    const char *wrapper = safe.data ? lc_arena_printf(s->arena, "__inference_signature_wrapper_%s", safe.data) : NULL;
    if (!to->variables || !body || !wrapper) return no_memory(s);
    to->body = lc_str_of(body);
    to->wrapper = lc_str_of(wrapper);
    if (lc_str_is(from->key, "serving_default")) to->attribute = LC_STR("serve");
    else if (is_identifier(from->key) && !reserved(from->key)) to->attribute = from->key;
    for (size_t i = 0; i < graph->input_count; i++) {
        const int32_t tensor = graph->inputs[i], variable = variable_behind(s, from->graph, tensor);
        bool given = false;
        for (uint32_t k = 0; k < from->input_count; k++) given = given || from->inputs[k].tensor == tensor;
        if (given) continue;
        if (variable < 0) {
            lc_fail(s->err, LC_ARGUMENT, "input '%s' is no input of signature '%s', and no variable", graph->tensors[tensor].name.data,
                    from->key.data);
            return LC_ARGUMENT;
        }
        to->variables[to->variable_count++] = (uint32_t)variable;
    }
    return LC_OK;
}

/* What a model without signatures has in their place: all inputs that are no variables, and all outputs. */
static lc_status make_default(saver *s, lc_signature *made) {
    const lc_graph *graph = s->e.model->graphs[0];
    *made = (lc_signature){.key = LC_STR("serving_default")};
    made->inputs = lc_arena_array(s->arena, graph->input_count, sizeof *made->inputs);
    made->outputs = lc_arena_array(s->arena, graph->output_count, sizeof *made->outputs);
    if (!made->inputs || !made->outputs) return no_memory(s);
    for (size_t i = 0; i < graph->input_count; i++)
        if (variable_behind(s, 0, graph->inputs[i]) < 0)
            made->inputs[made->input_count++] = (lc_signature_entry){graph->tensors[graph->inputs[i]].name, graph->inputs[i]};
    for (size_t i = 0; i < graph->output_count; i++)
        made->outputs[made->output_count++] = (lc_signature_entry){graph->tensors[graph->outputs[i]].name, graph->outputs[i]};
    return LC_OK;
}

static lc_status find_signatures(saver *s, lc_signature *made) {
    const lc_model *model = s->e.model;
    const bool none = model->signature_count == 0;
    s->n = none ? 1 : model->signature_count;
    s->signatures = lc_arena_array(s->arena, s->n, sizeof *s->signatures);
    if (!s->signatures) return no_memory(s);
    if (none) LC_TRY(make_default(s, made));
    for (size_t i = 0; i < s->n; i++) LC_TRY(find_signature(s, none ? made : &model->signatures[i], &s->signatures[i]));
    return LC_OK;
}

/* ---- functions ---------------------------------------------------------------------------------------------------------- */

static lc_gd_ref argument(lc_gd_function_maker *f, const lc_saved_value *value) {
    int32_t dims[LC_MAX_RANK];
    lc_gd_dims(value->tensor, dims);
    return lc_gd_function_argument(f, value->name, lc_pb_data_type(value->tensor->type), dims, value->tensor->rank);
}

/* The k-th variable of the signature as an argument. */
static lc_gd_ref resource(saver *s, lc_gd_function_maker *f, const lc_saved_signature *sig, uint32_t k) {
    const lc_emit_variable *v = &s->v.variables[sig->variables[k]];
    return lc_gd_function_argument(f, lc_str_of(v->name), LC_DT_RESOURCE, v->dims, v->rank);
}

static lc_status write_body(saver *s, const lc_saved_signature *sig, int32_t graph_index) {
    const lc_graph *graph = s->e.model->graphs[graph_index];
    lc_gd_function_maker f;
    lc_gd_function_begin(&f, &s->e, sig->body);
    lc_gd_ref *refs = lc_gd_make_refs(&s->e, graph);
    lc_gd_ref *handles = lc_arena_array(s->arena, sig->variable_count, sizeof *handles);
    if (!refs || !handles) return no_memory(s);
    for (uint32_t i = 0; i < sig->input_count; i++) refs[sig->inputs[i].index] = argument(&f, &sig->inputs[i]);
    for (uint32_t i = 0; i < sig->variable_count; i++) handles[i] = resource(s, &f, sig, i);
    for (uint32_t i = 0, k = 0; i < graph->input_count; i++) { /* variables stand in the order of the inputs */
        const int32_t tensor = graph->inputs[i];
        if (refs[tensor].node >= 0 || k == sig->variable_count) continue;
        const lc_emit_variable *v = &s->v.variables[sig->variables[k]];
        refs[tensor] = LC_GD(&f.body, ReadVariableOp, handles[k++]);
        refs[tensor].type = lc_pb_data_type(v->type);
        lc_gd_type(&f.body, "dtype", refs[tensor].type);
        lc_gd_name(&f.body, lc_str_of(v->name), refs[tensor]);
    }
    LC_TRY(lc_gd_emit_nodes(&s->e, &f.body, graph, refs));
    for (uint32_t i = 0; i < sig->output_count; i++) lc_gd_function_result(&f, refs[sig->outputs[i].index]);
    return lc_gd_function_end(&f, &s->e);
}

/* Puts a call; in [n] are its arguments. Its outputs follow `outputs`. */
static lc_gd_ref put_call(lc_gd_body *b, lc_str function, const lc_gd_ref *in, uint32_t n, const lc_saved_value *outputs, uint32_t m) {
    lc_gd_ref *types = lc_arena_array(b->arena, m, sizeof *types);
    const lc_gd_ref call = lc_gd_put(b, LC_GD_StatefulPartitionedCall, in, n);
    if (!types) {
        lc_gd_fail_memory(b);
        return LC_GD_NONE;
    }
    for (uint32_t i = 0; i < m; i++) types[i].type = lc_pb_data_type(outputs[i].tensor->type);
    lc_gd_types(b, "Tin", in, n);
    lc_gd_types(b, "Tout", types, m);
    lc_gd_function(b, "f", function);
    lc_gd_name(b, LC_STR("StatefulPartitionedCall"), call);
    return call;
}

static lc_status write_wrapper(saver *s, const lc_saved_signature *sig) {
    lc_gd_function_maker f;
    lc_gd_function_begin(&f, &s->e, sig->wrapper);
    const uint32_t n = sig->input_count + sig->variable_count;
    lc_gd_ref *in = lc_arena_array(s->arena, n, sizeof *in);
    if (!in) return no_memory(s);
    for (uint32_t i = 0; i < sig->input_count; i++) in[sig->sorted_inputs[i].place] = argument(&f, &sig->sorted_inputs[i]);
    for (uint32_t i = 0; i < sig->variable_count; i++) in[sig->input_count + i] = resource(s, &f, sig, i);
    const lc_gd_ref call = put_call(&f.body, sig->body, in, n, sig->outputs, sig->output_count);
    for (uint32_t i = 0; i < sig->output_count; i++) {
        const lc_saved_value *out = &sig->sorted_outputs[i];
        lc_gd_function_result(&f, lc_gd_output(call, (int32_t)out->place, lc_pb_data_type(out->tensor->type)));
    }
    return lc_gd_function_end(&f, &s->e);
}

/* ---- the main graph ----------------------------------------------------------------------------------------------------- */

static lc_status tensor_info(saver *s, const lc_saved_value *value, lc_gd_ref r, lc_pb_TensorInfo **info) {
    *info = lc_arena_alloc(s->arena, sizeof **info);
    const char *name = s->main.status == LC_OK ? lc_arena_printf(s->arena, "%s:%d", lc_gd_name_of(&s->main, r).data, r.output) : "";
    if (!*info || !name) return no_memory(s);
    (*info)->name = lc_str_of(name);
    (*info)->dtype = lc_pb_data_type(value->tensor->type);
    (*info)->tensor_shape = lc_saved_shape(s->arena, value);
    return (*info)->tensor_shape ? s->main.status : no_memory(s);
}

static lc_status put_signature(saver *s, const lc_saved_signature *sig, lc_pb_MetaGraphDef_SignatureDefEntry *entry) {
    lc_pb_SignatureDef *def = lc_arena_alloc(s->arena, sizeof *def);
    const uint32_t n = sig->input_count + sig->variable_count;
    lc_gd_ref *in = lc_arena_array(s->arena, n, sizeof *in);
    if (!def || !in) return no_memory(s);
    def->inputs.data = lc_arena_array(s->arena, sig->input_count, sizeof *def->inputs.data);
    def->outputs.data = lc_arena_array(s->arena, sig->output_count, sizeof *def->outputs.data);
    if (!def->inputs.data || !def->outputs.data) return no_memory(s);
    def->inputs.n = sig->input_count;
    def->outputs.n = sig->output_count;
    def->method_name = LC_STR("tensorflow/serving/predict");
    for (uint32_t i = 0; i < sig->input_count; i++) {
        const lc_saved_value *value = &sig->sorted_inputs[i];
        const char *name = lc_arena_printf(s->arena, "%s_%s", sig->key.data, value->name.data);
        if (!name) return no_memory(s);
        in[i] = lc_gd_placeholder(&s->main, value->tensor, lc_str_of(name));
        def->inputs.data[i].key = value->name;
        LC_TRY(tensor_info(s, value, in[i], &def->inputs.data[i].value));
    }
    for (uint32_t i = 0; i < sig->variable_count; i++) in[sig->input_count + i] = s->v.handles[sig->variables[i]];
    const lc_gd_ref call = put_call(&s->main, sig->wrapper, in, n, sig->sorted_outputs, sig->output_count);
    lc_gd_keep(&s->main, call);
    for (uint32_t i = 0; i < sig->output_count; i++) {
        const lc_saved_value *value = &sig->sorted_outputs[i];
        def->outputs.data[i].key = value->name;
        LC_TRY(tensor_info(s, value, lc_gd_output(call, (int32_t)i, 0), &def->outputs.data[i].value));
    }
    *entry = (lc_pb_MetaGraphDef_SignatureDefEntry){.key = sig->key, .value = def};
    return s->main.status;
}

static lc_status name_keys(saver *s) {
    lc_str *keys = lc_arena_array(s->arena, s->v.n, sizeof *keys);
    if (!keys) return no_memory(s);
    for (size_t i = 0; i < s->v.n; i++) {
        keys[i] = lc_str_of(lc_arena_printf(s->arena, "variables/%zu/.ATTRIBUTES/VARIABLE_VALUE", i));
        if (!keys[i].data) return no_memory(s);
    }
    s->v.keys = keys;
    return LC_OK;
}

static lc_status make_meta(saver *s, lc_model *model) {
    lc_signature made;
    lc_str *serve = lc_arena_alloc(s->arena, sizeof *serve);
    lc_gd_body_init(&s->main, s->arena, false, s->err);
    LC_TRY(lc_gd_emitter_init(&s->e, model, s->arena, s->err));
    LC_TRY(name_keys(s));
    LC_TRY(lc_gd_variables_put(&s->v, model, &s->main));
    LC_TRY(find_signatures(s, &made));
    s->meta.signature_def.data = lc_arena_array(s->arena, s->n, sizeof *s->meta.signature_def.data);
    if (!s->meta.signature_def.data || !serve) return no_memory(s);
    s->meta.signature_def.n = (uint32_t)s->n;
    for (size_t i = 0; i < s->n; i++) {
        LC_TRY(write_body(s, &s->signatures[i], model->signature_count ? model->signatures[i].graph : 0));
        LC_TRY(write_wrapper(s, &s->signatures[i]));
        LC_TRY(put_signature(s, &s->signatures[i], &s->meta.signature_def.data[i]));
    }
    if (s->v.n) {
        LC_TRY(lc_gd_saver_put(&s->v, &s->main, &s->saver_def));
        s->meta.saver_def = &s->saver_def;
    }
    LC_TRY(lc_saved_objects(&s->v, s->signatures, s->n, s->arena, &s->objects, &s->tracked, s->err));
    *serve = LC_STR("serve");
    s->info = (lc_pb_MetaGraphDef_MetaInfoDef){.tags = {serve, 1}, .tensorflow_version = LC_STR("2.21.0"), .stripped_default_attrs = true};
    s->meta.meta_info_def = &s->info;
    s->meta.object_graph_def = &s->objects;
    return lc_gd_emitter_end(&s->e, &s->main, &s->meta.graph_def);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

/* The variables under the keys that the graph of objects states, and that graph. */
static lc_status write_variables(saver *s, const char *prefix) {
    lc_emit_variable *all = lc_arena_array(s->arena, s->v.n + 1, sizeof *all);
    if (!all) return no_memory(s);
    for (size_t i = 0; i < s->v.n; i++) {
        all[i] = s->v.variables[i];
        all[i].name = s->v.keys[i].data;
    }
    lc_text bytes = {0};
    size_t size = 0;
    lc_pb_write(LC_PB_TrackableObjectGraph, &s->tracked, &bytes);
    const lc_str one = {bytes.data, bytes.size};
    void *buffer = !bytes.failed && lc_strings_size(&one, 1, &size) ? lc_arena_alloc(s->arena, size) : NULL;
    if (buffer) lc_strings_write(&one, 1, buffer);
    lc_text_deinit(&bytes);
    if (!buffer) return no_memory(s);
    all[s->v.n] = (lc_emit_variable){.name = "_CHECKPOINTABLE_OBJECT_GRAPH", .type = LC_STRING, .data = buffer, .size = size, .tensor = -1};
    return lc_emit_checkpoint(prefix, all, s->v.n + 1, s->err);
}

static lc_status write_files(saver *s, lc_folder *folder) {
    static const char *const inner[] = {"assets", "variables"};
    const char *path;
    for (int i = 0; i < 2; i++) {
        path = lc_folder_join(folder, inner[i]);
        if (!path) return no_memory(s);
        LC_TRY(lc_folder_make(path, s->err));
    }
    path = lc_folder_join(folder, "variables/variables");
    if (!path) return no_memory(s);
    LC_TRY(write_variables(s, path));
    path = lc_folder_join(folder, "saved_model.pb");
    if (!path) return no_memory(s);
    lc_pb_SavedModel saved = {.saved_model_schema_version = 1};
    saved.meta_graphs.data = &s->meta;
    saved.meta_graphs.n = 1;
    lc_file *file;
    LC_TRY(lc_emit_message(path, LC_PB_SavedModel, &saved, &file, s->err));
    return lc_file_commit(file, s->err);
}

lc_status lc_emit_saved_model(lc_model *model, const char *folder, const lc_emit_variable *v, size_t n, lc_error *err) {
    static const char *const entries[] = {"saved_model.pb", "variables",         "assets", "assets.extra",
                                          "fingerprint.pb", "keras_metadata.pb", NULL};
    lc_arena arena = {0};
    lc_folder *made;
    saver s = {.v = {.variables = v, .n = n, .kind = LC_GD_RESOURCE}, .arena = &arena, .err = err};
    lc_status status = make_meta(&s, model);
    if (status == LC_OK) status = lc_folder_create(folder, entries, &made, err);
    if (status == LC_OK) {
        status = write_files(&s, made);
        if (status == LC_OK) status = lc_folder_commit(made, err);
        else lc_folder_abort(made);
    }
    lc_arena_deinit(&arena);
    return status;
}
