/*
 * net_save.c: a model that learns into files: those of Keras with everything that training goes on from, and .tflite.
 */
#include "api/api.h"
#include "api/net_graph.h"

#include "emit/keras_emit.h"
#include "emit/meta_graph_emit.h"
#include "emit/saved_model_emit.h"
#include "ir/constant.h"
#include "lower/rounding.h"
#include "lower/training.h"
#include "train/config.h"
#include "train/state_names.h"

#include <ctype.h>
#include <string.h>

static lc_keras_weight array_of(const lc_slot *slot, const char *name) {
    lc_keras_weight w = {.name = name, .type = slot->type, .rank = slot->rank, .data = slot->data};
    memcpy(w.dims, slot->dims, sizeof w.dims);
    w.size = slot->n * (lc_dtype_bits(slot->type) / 8);
    return w;
}

/* The momenta of Keras 2's SGD, which it has even where it does not use them: zeros. */
static lc_status idle_momenta(lc_net *net, lc_arena *arena, lc_keras_file *file, lc_keras_weight *list, lc_error *err) {
    for (uint32_t i = 0; i < net->variable_count; i++) {
        const lc_variable *v = &net->variables[i];
        if (!v->trainable) continue;
        const lc_slot slot = {.type = LC_FLOAT32, .n = v->n, .rank = v->rank, .data = lc_arena_array(arena, v->n + 1, sizeof(float))};
        lc_keras_weight *w = &list[file->optimizer_count];
        *w = array_of(&slot, lc_arena_printf(arena, "SGD/m/%s:0", v->path));
        memcpy(w->dims, v->dims, sizeof w->dims);
        if (!w->name || !w->data) return lc_fail_memory(err, "the optimizer's state");
        file->optimizer_count++;
    }
    return LC_OK;
}

/* The optimizer's state as Keras 2 has it: without the learning rate and what Nadam keeps behind the arrays. */
static lc_status list_keras2_state(lc_net *net, lc_arena *arena, lc_keras_file *file, lc_error *err) {
    uint32_t n;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
    const char *class_name = lc_optimizer_class(net->optimizer);
    lc_keras_weight *list = lc_arena_array(arena, (size_t)n + net->variable_count + 1, sizeof *list);
    if (!list) return lc_fail_memory(err, "the optimizer's state");
    file->optimizer = list;
    file->optimizer_class = class_name;
    file->learning_rate = (double)lc_optimizer_learning_rate(net->optimizer);
    list[file->optimizer_count++] = array_of(&slots[0], "iteration:0");
    for (uint32_t i = 1; i < n; i++) {
        const lc_state_name *as = slots[i].state ? lc_state_name_of(class_name, slots[i].state) : NULL;
        if (!as || !as->keras2) continue;
        const char *name = lc_arena_printf(arena, "%s/%s/%s:0", class_name, as->keras2, slots[i].variable->path);
        if (!name) return lc_fail_memory(err, "the optimizer's state");
        list[file->optimizer_count++] = array_of(&slots[i], name);
    }
    return strcmp(class_name, "SGD") == 0 && !(n > 1 && slots[n - 1].state && strcmp(slots[n - 1].state, "momentum") == 0)
               ? idle_momenta(net, arena, file, list, err)
               : LC_OK;
}

/* The optimizer's state as Keras's arrays. */
static lc_status list_state(lc_net *net, lc_arena *arena, lc_keras_file *file, lc_error *err) {
    uint32_t n;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
    lc_keras_weight *list = lc_arena_array(arena, n + 1, sizeof *list);
    if (!list) return lc_fail_memory(err, "the optimizer's state");
    for (uint32_t i = 0; i < n; i++) list[i] = array_of(&slots[i], slots[i].name);
    file->optimizer = list;
    file->optimizer_count = n;
    const char *name = lc_json_str(lc_json_get(net->compiled, "optimizer"), "class_name", "optimizer");
    char *small = lc_arena_strndup(arena, name, strlen(name));
    if (!small) return lc_fail_memory(err, "the optimizer's state");
    for (char *c = small; *c; c++) *c = (char)tolower((unsigned char)*c);
    file->optimizer_name = small;
    return LC_OK;
}

static lc_status save_tflite(lc_net *net, const char *path, lc_error *err) {
    lc_model *model;
    LC_TRY(lc_net_convert(net, NULL, &model, err));
    const lc_status status = lc_model_save(model, path, NULL, err);
    lc_model_destroy(model);
    return status;
}

/* ---- TensorFlow's files --------------------------------------------------------------------------------------------------- */

const char *lc_net_unique_path(const lc_net *net, const lc_variable *v, lc_arena *arena) {
    for (const lc_variable *other = net->variables; other < v; other++)
        if (strcmp(other->path, v->path) == 0) return lc_arena_printf(arena, "%s_%u", v->path, (uint32_t)(v - net->variables));
    return v->path;
}

/* A variable is called by its path in the net: the lowering's own name for it is that of the layer around it, which is one for both directions of a
 * Bidirectional layer. */
static lc_status name_variable(lc_net *net, lc_trained *t, lc_arena *arena, lc_error *err) {
    const lc_variable *v = lc_net_variable_of(net, t->data);
    if (v) t->name = lc_net_unique_path(net, v, arena);
    return t->name ? LC_OK : lc_fail_memory(err, "names of variables");
}

/* The model for inference with its arrays as inputs of the graph, which become variables. Recurrent layers over an open number of steps are loops,
 * which take no such inputs: then the arrays are constants, and the list is empty. */
static lc_status with_variables(lc_net *net, lc_model **out, lc_emit_variable **list, uint32_t *n, lc_error *err) {
    lc_training training = {.counter = -1, .everything = true, .inference = true};
    const lc_lower_options lower = {.unroll = true, .training = &training};
    lc_model *model;
    lc_error first = {0};
    *n = 0;
    LC_TRY(lc_model_new(&net->limits, &model, err));
    lc_status status = lc_lower_keras(net->keras, &lower, model, &first);
    if (status != LC_OK && status != LC_NO_MEMORY) {
        lc_model_destroy(model);
        LC_TRY(lc_model_new(&net->limits, &model, err));
        status = lc_lower_keras(net->keras, NULL, model, err);
        training.count = 0;
    } else if (status != LC_OK && err) {
        *err = first;
    }
    *list = status == LC_OK ? lc_arena_array(&model->arena, training.count + 1, sizeof **list) : NULL;
    if (status == LC_OK && !*list) status = lc_fail_memory(err, "variables");
    for (uint32_t i = 0; status == LC_OK && i < training.count; i++) {
        lc_trained *t = &training.list[i];
        lc_emit_variable *v = &(*list)[(*n)++];
        status = name_variable(net, t, &model->arena, err);
        *v = (lc_emit_variable){
            .name = t->name, .type = LC_FLOAT32, .rank = t->rank, .dims = t->dims, .data = t->data, .size = sizeof(float)};
        for (int32_t d = 0; d < t->rank; d++) v->size *= (size_t)t->dims[d];
        v->tensor = t->tensor;
        v->trainable = t->learns;
        model->graphs[0]->tensors[t->tensor].bound = NULL;
    }
    if (status == LC_OK) *out = model;
    else lc_model_destroy(model);
    return status;
}

/* state: a checkpoint has the optimizer's, too. */
static lc_status save_tensorflow(lc_net *net, const char *path, bool saved_model, bool state, lc_error *err) {
    lc_model *model;
    lc_emit_variable *list;
    uint32_t n;
    LC_TRY(with_variables(net, &model, &list, &n, err));
    lc_status status = state && n && !saved_model ? lc_net_list_slots(net, &model->arena, &list, &n, err) : LC_OK;
    if (status == LC_OK)
        status = saved_model ? lc_emit_saved_model(model, path, list, n, err) : lc_emit_meta_graph(model, path, list, n, err);
    lc_model_destroy(model);
    return status;
}

/* A folder's name: it ends with a slash, or has no ending. */
static bool is_folder(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return !*name || !strchr(name, '.');
}

lc_status lc_net_can_save(const char *path, lc_error *err) {
    static const char *const formats[] = {".keras", ".h5", ".hdf5", ".tflite", ".ckpt"};
    bool known = is_folder(path);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) known |= lc_path_ends(path, formats[i]);
    if (known) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "%.200s: the name's end says no format", path);
    lc_error_hint(
        err,
        "litec saves .keras, .h5, .weights.h5, .tflite, a SavedModel (a name without ending) and a checkpoint of TensorFlow 1 (.ckpt)");
    return LC_ARGUMENT;
}

/* A model of another generation within, as a layer of this one. */
static bool is_mixed(const lc_keras_model *m) {
    for (uint32_t i = 0; i < m->layer_count; i++)
        for (const lc_keras_layer *l = &m->layers[i]; l; l = l->inner) {
            const char *a = m->keras_version, *b = l->model ? l->model->keras_version : a;
            if ((a != b && a && b && strcmp(a, b) != 0) || (l->model && is_mixed(l->model))) return true;
        }
    return false;
}

lc_status lc_net_can_save_as(lc_net *net, const char *path, lc_error *err) {
    LC_TRY(lc_net_can_save(path, err));
    LC_TRY(lc_net_build(net, err));
    if (lc_path_ends(path, ".weights.h5") || !(lc_path_ends(path, ".keras") || lc_path_ends(path, ".h5"))) return LC_OK;
    const bool graph = lc_net_has_graph(net->keras);
    if (!graph && !is_mixed(net->keras)) return LC_OK;
    lc_fail(err, LC_UNSUPPORTED, "%.200s: %s, which no file of Keras can hold", path,
            graph ? "the model has the graph of a TensorFlow or .tflite file in it"
                  : "a model of Keras 2 is a layer of this one of Keras 3");
    lc_error_hint(err, "save a SavedModel (a name without ending), .tflite or .ckpt, which are opened to train on; or .weights.h5");
    return LC_UNSUPPORTED;
}

lc_status lc_net_save_more(lc_net *net, const char *path, const lc_net_save_options *options, lc_str more, lc_error *err) {
    LC_TRY(lc_net_build(net, err));
    LC_TRY(lc_net_can_save_as(net, path, err));
    if (lc_path_ends(path, ".tflite")) return save_tflite(net, path, err);
    const bool state = net->optimizer && !(options && options->no_optimizer);
    if (lc_path_ends(path, ".ckpt")) return save_tensorflow(net, path, false, state, err);
    if (is_folder(path)) return save_tensorflow(net, path, true, false, err);
    lc_arena arena = {0};
    lc_keras_file file = {.model = net->keras, .config = net->config, .more = more, .keras2 = lc_net_is_keras2(net)};
    lc_status status = LC_OK;
    if (state) {
        file.compile_config = net->compiled;
        status = (file.keras2 ? list_keras2_state : list_state)(net, &arena, &file, err);
    }
    if (status == LC_OK)
        status = lc_path_ends(path, ".weights.h5") ? lc_emit_keras_weights(&file, path, err)
                 : lc_path_ends(path, ".keras")    ? lc_emit_keras(&file, path, err)
                                                   : lc_emit_keras_h5(&file, path, err);
    lc_arena_deinit(&arena);
    return status;
}

lc_status lc_net_save(lc_net *net, const char *path, const lc_net_save_options *options, lc_error *err) {
    return lc_net_save_more(net, path, options, (lc_str){0}, err);
}

/* Copies what the model borrows of the net, so that it is on its own. */
static lc_status own_constants(lc_net *net, lc_model *model, lc_error *err) {
    (void)net;
    for (size_t g = 0; g < model->graph_count; g++)
        for (size_t i = 0; i < model->graphs[g]->tensor_count; i++) {
            lc_tensor *t = &model->graphs[g]->tensors[i];
            if (t->deferred) {
                LC_TRY(lc_tensor_make(model, t, err));
                t->deferred = NULL;
            } else if (t->data && t->size && !t->data_owned) {
                void *data = lc_arena_data(&model->arena, t->size);
                if (!data) return lc_fail_memory(err, "weights");
                memcpy(data, t->data, t->size);
                t->data = data;
                t->data_owned = true;
            }
        }
    return LC_OK;
}

lc_status lc_net_convert(lc_net *net, const lc_convert_options *options, lc_model **out, lc_error *err) {
    static const lc_convert_options defaults = {0};
    const lc_convert_options *o = options ? options : &defaults;
    lc_model *model;
    *out = NULL;
    LC_TRY(lc_net_build(net, err));
    LC_TRY(lc_model_new(&net->limits, &model, err));
    lc_rounding rounding;
    const lc_lower_options lower = {.allow_custom_ops = o->allow_custom_ops,
                                    .unroll = o->unroll,
                                    .note = o->note,
                                    .note_user = o->note_user,
                                    .rounding = lc_net_rounding(net, &rounding)};
    lc_status status = lc_lower_keras(net->keras, &lower, model, err);
    if (status == LC_OK && !o->no_optimize) status = lc_convert_rewrite(model, err);
    if (status == LC_OK) status = own_constants(net, model, err);
    if (status == LC_OK) *out = model;
    else lc_model_destroy(model);
    return status;
}
