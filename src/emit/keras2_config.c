/*
 * keras2_config.c: a model whose configuration is one of Keras 2, as Keras 2 writes it: nothing is translated, for no version of Keras 3 has all of
 * the old arguments.
 *
 *   .h5      layers are {"class_name", "config", "name", "inbound_nodes"}; "optimizer_config", its class by the name it is registered with
 *   .keras   layers have "module" and "registered_name", too; "optimizer"
 *
 * A model that came from one kind of file goes into the other: modules are put in or left out at the layers, which is where both kinds of reader
 * look. Objects in layers stay as they are: who reads them takes either form.
 *
 * The optimizer is written in full, with the learning rate that it has now: Keras 2 keeps that in the configuration, not among the state.
 *
 * Refuses: what optimizers of Keras 2 do not have (loss_scale_factor, gradient_accumulation_steps).
 *
 * Facts: tf_keras 2.21, src/saving/serialization_lib.py, src/saving/legacy/hdf5_format.py, src/optimizers/optimizer.py.
 */
#include "emit/keras_config.h"

#include <math.h>
#include <string.h>

typedef struct copier {
    lc_arena *arena;
    bool zip, failed;
} copier;

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static lc_json *room(copier *c, size_t n) {
    lc_json *items = lc_arena_array(c->arena, n + 1, sizeof *items);
    c->failed = c->failed || !items;
    return items;
}

static lc_json text(const char *key, const char *string) { return (lc_json){.kind = LC_JSON_STRING, .key = key, .string = string}; }
static lc_json flag(const char *key, bool value) { return (lc_json){.kind = LC_JSON_BOOL, .key = key, .boolean = value}; }

/* ---- the model ---------------------------------------------------------------------------------------------------------------- */

static lc_json layer_of(copier *c, const lc_json *v);

/* The configuration of a model: its layers are entries, too. The first Sequential was a list of them. */
static lc_json model_config(copier *c, const lc_json *config) {
    const bool list = config->kind == LC_JSON_ARRAY;
    const lc_json *layers = list ? config : lc_json_get(config, "layers");
    lc_json out = *config, all = *layers, *items = room(c, layers->count), *members = list ? NULL : room(c, config->count);
    if (c->failed) return out;
    for (uint32_t i = 0; i < layers->count; i++) items[i] = layer_of(c, &layers->items[i]);
    all.items = items;
    if (list) return all;
    for (uint32_t i = 0; i < config->count; i++) members[i] = &config->items[i] == layers ? all : config->items[i];
    out.items = members;
    return out;
}

/* A layer, or the model itself. */
static lc_json layer_of(copier *c, const lc_json *v) {
    static const char *const changed[] = {"module", "registered_name", "class_name", "build_config", "compile_config"};
    const lc_json *config = lc_json_get(v, "config"), *build = lc_json_get(v, "build_config");
    const char *class_name = lc_json_str(v, "class_name", NULL), *module = lc_json_str(v, "module", NULL);
    const char *registered = lc_json_str(v, "registered_name", NULL), *mark = class_name ? strchr(class_name, '>') : NULL;
    lc_json *items = class_name ? room(c, (size_t)v->count + 3) : NULL, out = *v;
    uint32_t n = 0;
    if (!items) return out;
    const lc_json *layers = lc_json_is(config, LC_JSON_ARRAY) ? config : lc_json_get(config, "layers");
    const bool model = lc_json_is(layers, LC_JSON_ARRAY), sequential = is(class_name, "Sequential");
    if (mark) registered = class_name, class_name = mark + 1;
    if (registered && !strchr(registered, '>')) registered = NULL;
    if (model && is(class_name, "Model")) class_name = "Functional"; /* what it was called before 2.4 */
    if (c->zip) {
        if (!module) module = !model ? "keras.layers" : sequential ? "keras" : "keras.src.engine.functional";
        items[n++] = registered ? (lc_json){.kind = LC_JSON_NULL, .key = "module"} : text("module", module);
        items[n++] = text("class_name", class_name);
        items[n++] = registered ? text("registered_name", registered) : (lc_json){.kind = LC_JSON_NULL, .key = "registered_name"};
        if (build) items[n++] = *build;
    } else {
        items[n++] = text("class_name", registered ? registered : class_name);
    }
    for (uint32_t i = 0; i < v->count; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof changed / sizeof *changed; k++) keep = keep && !is(v->items[i].key, changed[k]);
        if (keep) items[n++] = &v->items[i] == config && model ? model_config(c, config) : v->items[i];
    }
    out.items = items;
    out.count = n;
    return out;
}

static lc_status result(copier *c, lc_json v, const lc_json **out, lc_error *err) {
    lc_json *made = room(c, 1);
    if (c->failed) return lc_fail_memory(err, "configuration");
    *made = v;
    made->key = NULL;
    *out = made;
    return LC_OK;
}

lc_status lc_config_keras2_model(lc_arena *arena, const lc_json *config, bool zip, const lc_json **out, lc_error *err) {
    copier c = {.arena = arena, .zip = zip};
    if (!config) return lc_fail(err, LC_ARGUMENT, "a model without configuration cannot be saved");
    return result(&c, layer_of(&c, config), out, err);
}

/* ---- how it was compiled ------------------------------------------------------------------------------------------------------ */

/* An argument that only Keras 3 has: left out where it says nothing. */
static lc_status check_argument(const lc_json *v, bool *leave, lc_error *err) {
    static const char *const newer[] = {"loss_scale_factor", "gradient_accumulation_steps"};
    static const char *const set_here[] = {"learning_rate", "lr", "decay", "jit_compile", "is_legacy_optimizer"};
    *leave = false;
    for (size_t i = 0; i < sizeof set_here / sizeof *set_here; i++) *leave = *leave || is(v->key, set_here[i]);
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        if (!is(v->key, newer[i])) continue;
        *leave = true;
        if (v->kind == LC_JSON_NULL) continue;
        lc_fail(err, LC_UNSUPPORTED, "the optimizer's argument %s is not in Keras 2, which the model is of", v->key);
        lc_error_hint(err, "compile the model without it, or save it without the optimizer (lc_net_save_options.no_optimizer)");
        return LC_UNSUPPORTED;
    }
    *leave = *leave || (is(v->key, "epsilon") && v->kind == LC_JSON_NULL);
    return LC_OK;
}

static lc_status optimizer_of(copier *c, const lc_json *optimizer, const lc_keras2_optimizer *o, lc_json *out, lc_error *err) {
    const lc_json *config = lc_json_get(optimizer, "config"), *rate = lc_json_get(config, "learning_rate");
    const uint32_t count = lc_json_is(config, LC_JSON_OBJECT) ? config->count : 0;
    lc_json *items = room(c, (size_t)count + 3), *members = room(c, 4);
    uint32_t n = 0, m = 0;
    if (c->failed) return lc_fail_memory(err, "configuration");
    for (uint32_t i = 0; i < count; i++) {
        bool leave;
        LC_TRY(check_argument(&config->items[i], &leave, err));
        if (!leave) items[n++] = config->items[i];
    }
    items[n++] =
        lc_json_is(rate, LC_JSON_OBJECT) ? *rate : (lc_json){.kind = LC_JSON_REAL, .key = "learning_rate", .real = o->learning_rate};
    items[n++] = flag("jit_compile", false);
    items[n++] = flag("is_legacy_optimizer", false);
    const char *class_name = c->zip ? o->class_name : lc_arena_printf(c->arena, "Custom>%s", o->class_name);
    if (!class_name) return lc_fail_memory(err, "configuration");
    if (c->zip) members[m++] = text("module", "keras.optimizers");
    members[m++] = text("class_name", class_name);
    members[m++] = (lc_json){.kind = LC_JSON_OBJECT, .key = "config", .items = items, .count = n};
    if (c->zip) members[m++] = (lc_json){.kind = LC_JSON_NULL, .key = "registered_name"};
    *out = (lc_json){.kind = LC_JSON_OBJECT, .key = c->zip ? "optimizer" : "optimizer_config", .items = members, .count = m};
    return LC_OK;
}

/* A loss or metric, or a tree of them: without what only Keras 3 writes. Recursion is as deep as the JSON, which its reader has limited. */
static lc_json plain(copier *c, const lc_json *v, bool loss, bool arguments) {
    if (v->kind != LC_JSON_ARRAY && v->kind != LC_JSON_OBJECT) return *v;
    lc_json out = *v, *items = room(c, v->count);
    const bool object = lc_json_get(v, "class_name") && lc_json_get(v, "config");
    uint32_t n = 0;
    if (c->failed) return out;
    if (object && is(lc_json_str(v, "class_name", NULL), "DTypePolicy"))
        return text(v->key, lc_json_str(lc_json_get(v, "config"), "name", "float32"));
    for (uint32_t i = 0; i < v->count; i++) {
        const lc_json *item = &v->items[i];
        const bool newer = arguments && ((loss && is(item->key, "dtype")) || is(item->key, "from_sorted_ids") ||
                                         (loss && is(item->key, "axis") && item->kind == LC_JSON_INT && item->integer == -1));
        if (!newer) items[n++] = plain(c, item, loss, object && is(item->key, "config"));
    }
    out.items = items;
    out.count = n;
    return out;
}

lc_status lc_config_keras2_training(lc_arena *arena, const lc_json *compiled, const lc_keras2_optimizer *optimizer, bool zip,
                                    const lc_json **out, lc_error *err) {
    static const char *const kept[] = {"loss",       "metrics", "weighted_metrics", "loss_weights", "run_eagerly", "steps_per_execution",
                                       "jit_compile"};
    copier c = {.arena = arena, .zip = zip};
    lc_json *items = room(&c, 9);
    uint32_t n = 0;
    if (!items) return lc_fail_memory(err, "configuration");
    LC_TRY(optimizer_of(&c, lc_json_get(compiled, "optimizer"), optimizer, &items[n++], err));
    for (size_t i = 0; i < (zip ? 7u : 4u); i++) {
        const lc_json *v = lc_json_get(compiled, kept[i]);
        items[n++] = v ? plain(&c, v, i == 0, false) : (lc_json){.kind = LC_JSON_NULL, .key = kept[i]};
    }
    return result(&c, (lc_json){.kind = LC_JSON_OBJECT, .items = items, .count = n}, out, err);
}
