/*
 * keras_emit_h5.c: a whole model in one HDF5 file, of the form that Keras 2 and 3 both read.
 *
 *   /                    attributes model_config, training_config (JSON), keras_version, backend
 *   /model_weights       attribute layer_names; a group a layer: attribute weight_names, and the arrays under those names
 *   /optimizer_weights   attribute weight_names, and the arrays
 *
 * Readers take the weights of a layer in the order of weight_names: trainable ones first, those of a nested model, too, whose names tell
 * the layers in it ("inner/dense/kernel"). A list of names that is too long for one attribute goes on: weight_names0, weight_names1 ...
 *
 * Facts: keras/src/legacy/saving/legacy_h5_format.py.
 */
#include "emit/keras_emit.h"

#include "emit/hdf5_write.h"
#include "emit/keras_config.h"
#include "lower/keras_place.h"

#include <stdio.h>
#include <string.h>

/* A weight with its name. */
typedef struct named {
    const char *name; /* as Keras has it */
    const char *path; /* with the names of all models around it */
    const lc_keras_weight *weight;
    bool trainable;
} named;
typedef struct list {
    named *items;
    size_t count, capacity;
} list;

typedef struct writing {
    lc_arena arena;
    lc_h5_writer *h5;
    lc_str version; /* of Keras */
    lc_error *err;
} writing;

/* ---- lists of weights ---------------------------------------------------------------------------------------------------- */

static const char *join(writing *w, const char *a, const char *b) { return lc_arena_printf(&w->arena, "%s%s%s", a, *a ? "/" : "", b); }

static lc_status no_names(writing *w) { return lc_fail_memory(w->err, "names of weights"); }

static lc_status add(writing *w, list *l, named item) {
    void *items = l->items;
    if (!item.name || !item.path || !lc_arena_grow(&w->arena, &items, &l->capacity, l->count + 1, sizeof *l->items)) return no_names(w);
    l->items = items;
    l->items[l->count++] = item;
    return LC_OK;
}

static const char *scope_of(const lc_keras_model *m) { return strcmp(m->class_name, "Sequential") == 0 ? m->name : ""; }

static bool is_frozen(const lc_json *config) {
    const lc_json *trainable = lc_json_get(config, "trainable");
    return lc_json_is(trainable, LC_JSON_BOOL) && !trainable->boolean;
}

/* The weights of a layer and of all layers in it, in the order in which they were made. Keras builds a layer in the scope of the Sequential
 * around it, so names begin with that: `scope`. Nesting is limited where models are read. */
static lc_status collect(writing *w, const lc_keras_layer *l, const char *scope, const char *path, bool frozen, list *out) {
    lc_keras_place *places;
    const char *name = join(w, scope, l->name), *whole = join(w, path, l->name);
    if (!name || !whole) return no_names(w);
    frozen = frozen || is_frozen(l->config);
    if (l->inner) return collect(w, l->inner, name, whole, frozen, out);
    if (l->model) {
        const lc_keras_model *m = l->model;
        for (uint32_t i = 0; i < m->layer_count; i++)
            if (lc_keras_in_container(m, &m->layers[i])) LC_TRY(collect(w, &m->layers[i], scope_of(m), whole, frozen, out));
        return LC_OK;
    }
    LC_TRY(lc_keras_places(l, &w->arena, &places, w->err));
    for (uint32_t i = 0; i < l->weight_count; i++)
        LC_TRY(add(w, out,
                   (named){join(w, name, places[i].h5), join(w, whole, places[i].h5), places[i].weight, places[i].trainable && !frozen}));
    return LC_OK;
}

/* Those to train first; all of a frozen layer are in the order in which they were made. */
static lc_status trainable_first(writing *w, list *l) {
    named *sorted = lc_arena_array(&w->arena, l->count + 1, sizeof *sorted);
    size_t n = 0;
    if (!sorted) return no_names(w);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < l->count; i++)
            if (l->items[i].trainable == (pass == 0)) sorted[n++] = l->items[i];
    l->items = sorted;
    return LC_OK;
}

/* ---- groups -------------------------------------------------------------------------------------------------------------- */

static lc_status put_names(writing *w, lc_h5_node *group, const char *attribute, const lc_str *names, size_t count) {
    char part[64];
    if (count <= LC_H5_MOST_STRINGS) return lc_h5_put_strings(w->h5, group, attribute, names, count, w->err);
    for (size_t i = 0, k = 0; i < count; i += LC_H5_MOST_STRINGS, k++) {
        snprintf(part, sizeof part, "%s%zu", attribute, k);
        LC_TRY(lc_h5_put_strings(w->h5, group, part, names + i, count - i < LC_H5_MOST_STRINGS ? count - i : LC_H5_MOST_STRINGS, w->err));
    }
    return LC_OK;
}

/* The arrays under their names; under their paths where two have one name, and a number behind where even these are equal. */
static lc_status put_list(writing *w, lc_h5_node *group, const list *l) {
    lc_str *names = lc_arena_array(&w->arena, l->count + 1, sizeof *names);
    lc_keras_names all;
    bool unique = true;
    if (!names) return no_names(w);
    LC_TRY(lc_keras_names_init(&all, &w->arena, l->count, w->err));
    for (size_t i = 0; i < l->count && unique; i++) {
        lc_keras_name *name;
        LC_TRY(lc_keras_names_get(&all, l->items[i].name, &name, w->err));
        unique = name->number++ == 0;
    }
    for (size_t i = 0; i < l->count; i++) {
        const char *first = unique ? l->items[i].name : l->items[i].path, *name = first;
        lc_keras_name *times;
        LC_TRY(lc_keras_names_get(&all, first, &times, w->err));
        while (lc_h5_written(w->h5, group, name))
            if (!(name = lc_arena_printf(&w->arena, "%s_%u", first, times->number++))) return no_names(w);
        names[i] = lc_str_of(name);
        LC_TRY(lc_h5_put_array(w->h5, group, name, l->items[i].weight, w->err));
    }
    return put_names(w, group, "weight_names", names, l->count);
}

static lc_status put_layer(writing *w, const lc_keras_model *m, const lc_keras_layer *l, lc_h5_node *weights) {
    lc_h5_node *group;
    list all = {0};
    LC_TRY(lc_h5_put_group(w->h5, weights, l->name, &group, w->err));
    LC_TRY(collect(w, l, scope_of(m), scope_of(m), false, &all));
    if (!is_frozen(l->config)) LC_TRY(trainable_first(w, &all));
    const lc_status status = put_list(w, group, &all);
    if (status == LC_ARGUMENT) lc_error_prefix(w->err, "layer '%s' (%s)", l->name, l->class_name);
    return status;
}

static lc_status put_weights(writing *w, const lc_keras_model *m) {
    lc_h5_node *weights, *top;
    lc_str *names = lc_arena_array(&w->arena, (size_t)m->layer_count + 1, sizeof *names);
    size_t n = 0;
    if (!names) return no_names(w);
    LC_TRY(lc_h5_put_group(w->h5, lc_h5_writer_root(w->h5), "model_weights", &weights, w->err));
    for (uint32_t i = 0; i < m->layer_count; i++) {
        if (!lc_keras_in_container(m, &m->layers[i])) continue;
        names[n++] = lc_str_of(m->layers[i].name);
        LC_TRY(put_layer(w, m, &m->layers[i], weights));
    }
    LC_TRY(put_names(w, weights, "layer_names", names, n));
    LC_TRY(lc_h5_put_text(w->h5, weights, "backend", LC_STR("tensorflow"), w->err));
    LC_TRY(lc_h5_put_text(w->h5, weights, "keras_version", w->version, w->err));
    LC_TRY(lc_h5_put_group(w->h5, weights, "top_level_model_weights", &top, w->err));
    return lc_h5_put_strings(w->h5, top, "weight_names", NULL, 0, w->err);
}

static lc_status put_optimizer(writing *w, const lc_keras_file *f) {
    lc_h5_node *group;
    list all = {0};
    const char *front = f->optimizer_name ? f->optimizer_name : "optimizer";
    if (!f->optimizer_count) return LC_OK;
    LC_TRY(lc_h5_put_group(w->h5, lc_h5_writer_root(w->h5), "optimizer_weights", &group, w->err));
    for (uint32_t i = 0; i < f->optimizer_count; i++) {
        const char *name = f->optimizer[i].name, *path = f->keras2 ? name : join(w, front, name && *name ? name : "variable");
        LC_TRY(add(w, &all, (named){path, path, &f->optimizer[i], true}));
    }
    return put_list(w, group, &all);
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

static lc_status put_json(writing *w, const char *attribute, const lc_json *v) {
    lc_text text = {0};
    lc_json_write(v, &text);
    const lc_status status = text.failed
                                 ? lc_fail_memory(w->err, "configuration")
                                 : lc_h5_put_text(w->h5, lc_h5_writer_root(w->h5), attribute, (lc_str){text.data, text.size}, w->err);
    lc_text_deinit(&text);
    return status;
}

static lc_status put_configs(writing *w, const lc_keras_file *f) {
    const lc_json *config, *training;
    const lc_keras2_optimizer o = {f->optimizer_class, f->learning_rate};
    LC_TRY(f->keras2 ? lc_config_keras2_model(&w->arena, f->config, false, &config, w->err)
                     : lc_config_legacy_model(&w->arena, f->config, &config, w->err));
    LC_TRY(put_json(w, "model_config", config));
    if (!f->compile_config || !f->compile_config->count) return LC_OK;
    LC_TRY(f->keras2 ? lc_config_keras2_training(&w->arena, f->compile_config, &o, false, &training, w->err)
                     : lc_config_legacy_training(&w->arena, f->compile_config, &training, w->err));
    return put_json(w, "training_config", training);
}

static lc_status put_file(writing *w, const lc_keras_file *f) {
    w->version = f->keras2 ? LC_STR(LC_KERAS2_VERSION) : LC_STR(LC_KERAS_VERSION);
    w->h5 = lc_h5_writer_new(&w->arena);
    if (!w->h5) return lc_fail_memory(w->err, "HDF5 file");
    lc_h5_node *root = lc_h5_writer_root(w->h5);
    LC_TRY(lc_h5_put_text(w->h5, root, "backend", LC_STR("tensorflow"), w->err));
    LC_TRY(lc_h5_put_text(w->h5, root, "keras_version", w->version, w->err));
    LC_TRY(put_configs(w, f));
    LC_TRY(put_weights(w, f->model));
    return put_optimizer(w, f);
}

lc_status lc_emit_keras_h5_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err) {
    writing w = {.err = err};
    lc_status status = put_file(&w, file);
    if (status == LC_OK) status = lc_h5_write(w.h5, sink, NULL, err);
    lc_arena_deinit(&w.arena);
    return status;
}
