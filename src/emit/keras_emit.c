/*
 * keras_emit.c: a model as .keras and as .weights.h5.
 *
 * The idea: the tree of models, layers and parts of layers is a tree of groups; each of them has a group "vars", with its name as an
 * attribute, for variables "0", "1" ... Layers without any have an empty one, as Keras writes it. The state of the optimizer lies beside
 * the layers; seeds of random numbers are not saved.
 *
 * A layer that is in the model twice (also in a nested model) is written at each place: readers look at the first and pass over the others.
 *
 * Facts: keras/src/saving/saving_lib.py.
 */
#include "emit/keras_emit.h"

#include "emit/hdf5_write.h"
#include "emit/keras_config.h"
#include "emit/zip_write.h"
#include "lower/keras_place.h"

#include <stdio.h>
#include <string.h>

#define MAX_PATH 4000

typedef struct asset {
    struct asset *next;
    const char *path;
    lc_str text;
} asset;

typedef struct writing {
    lc_arena arena;
    lc_h5_writer *h5;
    asset *assets, **last;
    bool keras2;
    lc_error *err;
} writing;

/* ---- weights ------------------------------------------------------------------------------------------------------------- */

/* The group of variables of what is at this path ("" for the whole). */
static lc_status put_vars(writing *w, const char *path, const char *name, lc_h5_node **vars) {
    char below[MAX_PATH + 16];
    snprintf(below, sizeof below, "%s%svars", path, *path ? "/" : "");
    LC_TRY(lc_h5_put_group(w->h5, lc_h5_writer_root(w->h5), below, vars, w->err));
    return name ? lc_h5_put_text(w->h5, *vars, "name", lc_str_of(name), w->err) : LC_OK;
}

static lc_status too_long(writing *w, const char *name) {
    return lc_fail(w->err, LC_ARGUMENT, "'%.100s': names of classes or models are too long for a .keras file", name);
}

static lc_status put_model(writing *w, const lc_keras_model *m, const char *path);

/* The parts of attention are hidden attributes in Keras 2. */
static const char *place_of(writing *w, const lc_keras_layer *l, const char *place) {
    const bool hidden = w->keras2 && strcmp(l->class_name, "MultiHeadAttention") == 0 && *place != '_';
    return hidden ? lc_arena_printf(&w->arena, "_%s", place) : place;
}

static lc_status put_layer(writing *w, const lc_keras_layer *l, const char *path) {
    char below[MAX_PATH + 1];
    lc_keras_place *places;
    lc_h5_node *vars, *group;
    if (l->model) return put_model(w, l->model, path);
    LC_TRY(put_vars(w, path, l->name, &vars));
    if (l->vocabulary.data) {
        asset *a = lc_arena_alloc(&w->arena, sizeof *a);
        if (!a || !(a->path = lc_arena_printf(&w->arena, "assets/%s/vocabulary.txt", path))) return lc_fail_memory(w->err, "assets");
        a->text = l->vocabulary;
        *w->last = a;
        w->last = &a->next;
    }
    if (l->inner) return lc_keras_path(below, sizeof below, path, "layer", 0) ? put_layer(w, l->inner, below) : too_long(w, l->name);
    LC_TRY(lc_keras_places(l, &w->arena, &places, w->err));
    LC_TRY(lc_h5_put_group(w->h5, lc_h5_writer_root(w->h5), path, &group, w->err));
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const char *place = place_of(w, l, places[i].zip);
        if (!place) return lc_fail_memory(w->err, "places of weights");
        const lc_status status = lc_h5_put_array(w->h5, group, place, places[i].weight, w->err);
        if (status == LC_ARGUMENT) lc_error_prefix(w->err, "layer '%s' (%s)", l->name, l->class_name);
        if (status != LC_OK) return status;
    }
    return LC_OK;
}

static lc_status put_model(writing *w, const lc_keras_model *m, const char *path) {
    lc_keras_names classes;
    lc_h5_node *vars;
    char container[MAX_PATH + 1], class_name[600], below[MAX_PATH + 1];
    LC_TRY(put_vars(w, path, m->name, &vars));
    LC_TRY(lc_keras_names_init(&classes, &w->arena, m->layer_count, w->err));
    const int n = snprintf(container, sizeof container, "%s%slayers", path, *path ? "/" : "");
    if (n < 0 || (size_t)n >= sizeof container) return too_long(w, m->name);
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        lc_keras_name *class;
        if (!lc_keras_in_container(m, l)) continue;
        if (!lc_keras_snake_case(l->class_name, class_name, sizeof class_name)) return too_long(w, l->class_name);
        LC_TRY(lc_keras_names_get(&classes, class_name, &class, w->err));
        if (!lc_keras_path(below, sizeof below, container, class_name, class->number++)) return too_long(w, l->name);
        LC_TRY(put_layer(w, l, below));
    }
    return LC_OK;
}

static lc_status put_optimizer(writing *w, const lc_keras_file *f) {
    lc_h5_node *vars;
    char number[24];
    if (!f->optimizer_count) return LC_OK;
    LC_TRY(put_vars(w, "optimizer", f->optimizer_name, &vars));
    for (uint32_t i = 0; i < f->optimizer_count; i++) {
        snprintf(number, sizeof number, "%u", i);
        LC_TRY(lc_h5_put_array(w->h5, vars, number, &f->optimizer[i], w->err));
    }
    return LC_OK;
}

/* The tree of groups; what it needs lives in w->arena. */
static lc_status put_weights(writing *w, const lc_keras_file *f) {
    w->last = &w->assets;
    w->keras2 = f->keras2;
    w->h5 = lc_h5_writer_new(&w->arena);
    if (!w->h5) return lc_fail_memory(w->err, "weights");
    LC_TRY(put_model(w, f->model, ""));
    return put_optimizer(w, f);
}

static lc_status write_weights(void *user, const lc_sink *sink, lc_error *err) { return lc_h5_write(user, sink, NULL, err); }

lc_status lc_emit_keras_weights_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err) {
    writing w = {.err = err};
    lc_status status = put_weights(&w, file);
    if (status == LC_OK) status = write_weights(w.h5, sink, err);
    lc_arena_deinit(&w.arena);
    return status;
}

/* ---- .keras -------------------------------------------------------------------------------------------------------------- */

static lc_status put_text(writing *w, lc_zip_writer *z, const lc_json *config) {
    lc_text text = {0};
    lc_json_write(config, &text);
    const lc_status status =
        text.failed ? lc_fail_memory(w->err, "configuration") : lc_zip_put_data(z, "config.json", text.data, text.size, w->err);
    lc_text_deinit(&text);
    return status;
}

static lc_status put_keras2_config(writing *w, lc_zip_writer *z, const lc_keras_file *f) {
    const lc_json *config, *compiled = NULL;
    const lc_keras2_optimizer o = {f->optimizer_class, f->learning_rate};
    LC_TRY(lc_config_keras2_model(&w->arena, f->config, true, &config, w->err));
    if (f->compile_config) LC_TRY(lc_config_keras2_training(&w->arena, f->compile_config, &o, true, &compiled, w->err));
    if (compiled && !(config = lc_config_with(&w->arena, config, "compile_config", compiled)))
        return lc_fail_memory(w->err, "configuration");
    return put_text(w, z, config);
}

static lc_status put_config(writing *w, lc_zip_writer *z, const lc_keras_file *f) {
    if (f->keras2) return put_keras2_config(w, z, f);
    /* A configuration from an .h5 file has no module, without which Keras 3 finds no class. */
    const bool functional = strcmp(f->model->class_name, "Functional") == 0;
    const lc_json module = {.kind = LC_JSON_STRING, .string = functional ? "keras.src.models.functional" : "keras"};
    const lc_json *config = lc_config_with(&w->arena, f->config, "compile_config", f->compile_config);
    if (!f->config) return lc_fail(w->err, LC_ARGUMENT, "a model without configuration cannot be saved");
    if (config && !lc_json_get(config, "module")) config = lc_config_with(&w->arena, config, "module", &module);
    if (config && !lc_json_get(config, "registered_name")) config = lc_config_with(&w->arena, config, "registered_name", NULL);
    if (!config) return lc_fail_memory(w->err, "configuration");
    return put_text(w, z, config);
}

static lc_status put_members(writing *w, const lc_keras_file *f, const lc_sink *sink) {
    static const char newer[] = "{\"keras_version\": \"" LC_KERAS_VERSION "\"}", older[] = "{\"keras_version\": \"" LC_KERAS2_VERSION "\"}";
    const char *metadata = f->keras2 ? older : newer;
    lc_zip_writer z = {.sink = sink, .arena = &w->arena};
    LC_TRY(put_weights(w, f));
    LC_TRY(lc_zip_put_data(&z, "metadata.json", metadata, strlen(metadata), w->err));
    LC_TRY(put_config(w, &z, f));
    LC_TRY(lc_zip_put(&z, "model.weights.h5", write_weights, w->h5, w->err));
    for (const asset *a = w->assets; a; a = a->next) LC_TRY(lc_zip_put_data(&z, a->path, a->text.data, a->text.size, w->err));
    if (f->more.data) LC_TRY(lc_zip_put_data(&z, LC_KERAS_MORE, f->more.data, f->more.size, w->err));
    return lc_zip_end(&z, w->err);
}

lc_status lc_emit_keras_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err) {
    writing w = {.err = err};
    const lc_status status = put_members(&w, file, sink);
    lc_arena_deinit(&w.arena);
    return status;
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static lc_status to_file(void *user, const void *data, size_t size, lc_error *err) { return lc_file_write(user, data, size, err); }

static lc_status save(const lc_keras_file *file, const char *path,
                      lc_status (*emit)(const lc_keras_file *file, const lc_sink *sink, lc_error *err), lc_error *err) {
    lc_file *out;
    LC_TRY(lc_file_create(path, &out, err));
    const lc_status status = emit(file, &(lc_sink){.write = to_file, .user = out}, err);
    if (status == LC_OK) return lc_file_commit(out, err);
    lc_file_abort(out);
    return status;
}

lc_status lc_emit_keras(const lc_keras_file *file, const char *path, lc_error *err) { return save(file, path, lc_emit_keras_to, err); }
lc_status lc_emit_keras_h5(const lc_keras_file *file, const char *path, lc_error *err) {
    return save(file, path, lc_emit_keras_h5_to, err);
}
lc_status lc_emit_keras_weights(const lc_keras_file *file, const char *path, lc_error *err) {
    return save(file, path, lc_emit_keras_weights_to, err);
}
