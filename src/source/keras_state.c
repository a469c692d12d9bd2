/*
 * keras_state.c: how a model was compiled, and the state of its optimizer.
 *
 *   .keras   config.json: "compile_config"                     model.weights.h5: optimizer/vars/0 ...
 *   .h5      attribute training_config: "optimizer_config"     optimizer_weights: weight_names, and the arrays under these names
 *
 * Stays true: variables are in the order of their numbers or names; every one that is there is read; nothing is guessed for those that are not.
 * What they belong to is told by the optimizer and the model, which compares shapes.
 *
 * An optimizer of older Keras is put in the words of today where its file is read: "lr" is "learning_rate", and "decay" is a schedule.
 *
 * Refuses: numbers with gaps, names without an array, names that are there twice.
 *
 * Facts: keras/src/saving/saving_lib.py, keras/src/legacy/saving/legacy_h5_format.py.
 */
#include "source/keras_state.h"

#include <stdio.h>
#include <string.h>

static lc_status add(const lc_keras_reading *r, lc_keras_layer *held, lc_h5 *h5, lc_h5_object *dataset, lc_str name, lc_error *err) {
    lc_keras_weight weight;
    if (lc_h5_mark(dataset))
        return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "'%s': a variable of the optimizer is there twice",
                              lc_h5_path(dataset));
    LC_TRY(lc_keras_weight_read(r, h5, dataset, name, &weight, err));
    return lc_keras_weight_add(r, held, &weight, err);
}

/* "optimizer/vars": numbers from 0 on. */
static lc_status read_numbered(const lc_keras_reading *r, lc_h5 *h5, lc_keras_layer *held, lc_error *err) {
    lc_h5_object *vars, *dataset;
    const lc_h5_link *links;
    size_t count;
    char number[24];
    LC_TRY(lc_h5_find(h5, lc_h5_root(h5), LC_STR("optimizer/vars"), &vars, err));
    if (!vars) return LC_OK;
    LC_TRY(lc_h5_links(h5, vars, &links, &count, err));
    LC_TRY(lc_budget_tables(r->budget, count, "variables of the optimizer", err));
    for (size_t i = 0; i < count; i++) {
        snprintf(number, sizeof number, "%zu", i);
        LC_TRY(lc_h5_find(h5, vars, lc_str_of(number), &dataset, err));
        if (!dataset)
            return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "'%s' has %zu variables but none with number %zu",
                                  lc_h5_path(vars), count, i);
        LC_TRY(add(r, held, h5, dataset, lc_str_of(number), err));
    }
    return LC_OK;
}

/* "optimizer_weights": their names are "adam/iteration" ..., of which the first part is left out. */
static lc_status read_named(const lc_keras_reading *r, lc_h5 *h5, lc_keras_layer *held, lc_error *err) {
    lc_h5_object *group, *dataset;
    lc_str *names;
    size_t count;
    bool found;
    LC_TRY(lc_h5_find(h5, lc_h5_root(h5), LC_STR("optimizer_weights"), &group, err));
    if (!group) return LC_OK;
    LC_TRY(lc_keras_read_names(h5, group, "weight_names", r, &names, &count, &found, err));
    LC_TRY(lc_budget_tables(r->budget, count, "variables of the optimizer", err));
    for (size_t i = 0; i < count; i++) {
        LC_TRY(lc_h5_find(h5, group, names[i], &dataset, err));
        if (!dataset)
            return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_H5, LC_NO_OFFSET, "'%s' lists '%.*s', which is not there", lc_h5_path(group),
                                  (int)(names[i].size < 200 ? names[i].size : 200), names[i].data);
        const char *slash = names[i].size ? memchr(names[i].data, '/', names[i].size) : NULL;
        const size_t front = slash ? (size_t)(slash - names[i].data) + 1 : 0;
        const lc_str name = {names[i].data + front, names[i].size - front};
        LC_TRY(add(r, held, h5, dataset, name.size ? name : names[i], err));
    }
    return LC_OK;
}

static void take(const lc_keras_layer *held, lc_keras_state *out) {
    out->optimizer = held->weights;
    out->optimizer_count = held->weight_count;
    const lc_json *optimizer = lc_json_get(out->compile_config, "optimizer");
    out->optimizer_name = lc_json_str(lc_json_get(optimizer, "config"), "name", NULL);
}

static lc_status parse(const lc_keras_reading *r, const char *what, lc_str text, const lc_json **out, lc_error *err) {
    const lc_status status = lc_json_parse(text.data, text.size, r->budget, r->arena, out, err);
    if (status == LC_INVALID) lc_error_prefix(err, "%s", what);
    return status;
}

/* ---- optimizers of old --------------------------------------------------------------------------------------------------- */

static lc_json member(const lc_json *v, const char *key) {
    lc_json made = *v;
    made.key = key;
    return made;
}

/* The learning rate that falls with the steps as "decay" says, as a schedule: rate / (1 + decay * step). */
static lc_status decaying(const lc_keras_reading *r, const lc_json *rate, const lc_json *decay, lc_json *out, lc_error *err) {
    lc_json *items = lc_arena_array(r->arena, 8, sizeof *items);
    if (!items) return lc_fail_memory(err, "a configuration");
    items[0] = (lc_json){.kind = LC_JSON_STRING, .key = "module", .string = "keras.optimizers.schedules"};
    items[1] = (lc_json){.kind = LC_JSON_STRING, .key = "class_name", .string = "InverseTimeDecay"};
    items[2] = (lc_json){.kind = LC_JSON_OBJECT, .key = "config", .items = items + 4, .count = 4};
    items[3] = (lc_json){.kind = LC_JSON_NULL, .key = "registered_name"};
    items[4] = member(rate, "initial_learning_rate");
    items[5] = (lc_json){.kind = LC_JSON_INT, .key = "decay_steps", .integer = 1, .real = 1};
    items[6] = member(decay, "decay_rate");
    items[7] = (lc_json){.kind = LC_JSON_BOOL, .key = "staircase"};
    *out = (lc_json){.kind = LC_JSON_OBJECT, .key = "learning_rate", .items = items, .count = 4};
    return LC_OK;
}

static bool is_number(const lc_json *v) { return v && (v->kind == LC_JSON_INT || v->kind == LC_JSON_REAL); }

/* The configuration of an optimizer of older Keras: "lr" is its learning rate, "decay" lowers it. */
static lc_status modern_optimizer(const lc_keras_reading *r, const lc_json *config, bool nadam, const lc_json **out, lc_error *err) {
    const lc_json *decay = lc_json_get(config, "decay"), *lr = lc_json_get(config, "lr"), *rate = lc_json_get(config, "learning_rate");
    const bool decays = is_number(decay) && decay->real != 0;
    *out = config;
    if (!lc_json_is(config, LC_JSON_OBJECT) || (!decay && !lr)) return LC_OK;
    lc_json *made = lc_arena_alloc(r->arena, sizeof *made), *items = lc_arena_array(r->arena, (size_t)config->count + 1, sizeof *items);
    if (!made || !items) return lc_fail_memory(err, "a configuration");
    *made = *config;
    made->items = items;
    made->count = 0;
    if (!rate) rate = lr;
    if (decays && (nadam || !is_number(rate))) { /* refused by this name */
        items[made->count++] = member(decay, nadam ? "schedule_decay" : "decay with a schedule");
    } else if (decays) {
        LC_TRY(decaying(r, rate, decay, &items[made->count++], err));
        rate = NULL;
    }
    for (uint32_t i = 0; i < config->count; i++) {
        const lc_json *v = &config->items[i];
        if (v == decay || (v == lr && lr != rate) || (strcmp(v->key, "learning_rate") == 0 && v != rate)) continue;
        items[made->count++] = v == lr ? member(v, "learning_rate") : *v;
    }
    *out = made;
    return LC_OK;
}

/* What a model was compiled with in the same words. Nadam's "decay" was another thing, which no later Nadam has: it is refused by its name. */
static lc_status settle(const lc_keras_reading *r, const lc_json **compiled, lc_error *err) {
    const lc_json *optimizer = lc_json_get(*compiled, "optimizer"), *config = lc_json_get(optimizer, "config"), *now;
    const char *class_name = lc_json_str(optimizer, "class_name", "");
    LC_TRY(modern_optimizer(r, config, strcmp(class_name, "Nadam") == 0 || strcmp(class_name, "nadam") == 0, &now, err));
    if (now == config) return LC_OK;
    lc_json *made = lc_arena_array(r->arena, 2, sizeof *made), *members = lc_arena_array(r->arena, optimizer->count, sizeof *members),
            *items = lc_arena_array(r->arena, (*compiled)->count, sizeof *items);
    if (!made || !members || !items) return lc_fail_memory(err, "a configuration");
    for (uint32_t i = 0; i < optimizer->count; i++)
        members[i] = &optimizer->items[i] == config ? member(now, "config") : optimizer->items[i];
    made[1] = *optimizer;
    made[1].items = members;
    for (uint32_t i = 0; i < (*compiled)->count; i++) items[i] = &(*compiled)->items[i] == optimizer ? made[1] : (*compiled)->items[i];
    made[0] = **compiled;
    made[0].items = items;
    *compiled = made;
    return LC_OK;
}

/* ---- files ----------------------------------------------------------------------------------------------------------------- */

static lc_status of_zip(const lc_keras_reading *r, lc_keras_state *out, lc_error *err) {
    lc_zip zip;
    lc_h5 *h5;
    lc_keras_layer held = {.name = "optimizer"};
    const uint8_t *data;
    size_t size;
    LC_TRY(lc_zip_open(r->map, r->budget, r->arena, &zip, err));
    const lc_zip_member *config = lc_zip_find(&zip, "config.json"), *weights = lc_zip_find(&zip, "model.weights.h5");
    if (!config) return LC_SOURCE_FAIL(err, LC_INVALID, KERAS_ZIP, LC_NO_OFFSET, "a zip archive without config.json: it is no .keras file");
    LC_TRY(lc_zip_read(&zip, config, r->budget, r->arena, &data, &size, err));
    LC_TRY(parse(r, "config.json", (lc_str){(const char *)data, size}, &out->config, err));
    const lc_json *compiled = lc_json_get(out->config, "compile_config");
    if (lc_json_is(compiled, LC_JSON_OBJECT) && compiled->count) out->compile_config = compiled;
    if (weights) {
        LC_TRY(lc_zip_read(&zip, weights, r->budget, r->data, &data, &size, err));
        LC_TRY(lc_h5_open(data, size, weights->method == 0 ? weights->at : 0, r->budget, r->arena, r->data, &h5, err));
        LC_TRY(read_numbered(r, h5, &held, err));
    }
    if (out->compile_config) LC_TRY(settle(r, &out->compile_config, err));
    take(&held, out);
    return LC_OK;
}

/* Keras 2 does not say of which module a class is. */
static const struct {
    const char *key, *module;
} modules[] = {
    {"optimizer", "keras.optimizers"}, {"learning_rate", "keras.optimizers.schedules"}, {"loss", "keras.losses"},
    {"metrics", "keras.metrics"},      {"weighted_metrics", "keras.metrics"},
};

static const char *module_of(const char *key, const char *around) {
    for (size_t i = 0; key && i < sizeof modules / sizeof *modules; i++)
        if (strcmp(key, modules[i].key) == 0) return modules[i].module;
    return around;
}

/* A value of training_config in the words of today. Recursion is as deep as the JSON, which its reader has limited. */
static lc_status modern(const lc_keras_reading *r, const lc_json *v, const char *module, lc_json *out, lc_error *err) {
    *out = *v;
    if (v->kind != LC_JSON_ARRAY && v->kind != LC_JSON_OBJECT) return LC_OK;
    const bool nameless = lc_json_get(v, "class_name") && lc_json_get(v, "config") && !lc_json_get(v, "module");
    size_t n;
    uint64_t bytes;
    if (!lc_add_size(v->count, 2, &n) || !lc_mul_u64(n, sizeof *v, &bytes)) return lc_fail_memory(err, "a configuration");
    LC_TRY(lc_budget_memory(r->budget, bytes, "a configuration", err));
    lc_json *items = lc_arena_array(r->arena, n, sizeof *items);
    if (!items) return lc_fail_memory(err, "a configuration");
    out->items = items;
    out->count = 0;
    if (nameless) items[out->count++] = (lc_json){.kind = LC_JSON_STRING, .key = "module", .string = module};
    for (uint32_t i = 0; i < v->count; i++) {
        lc_json *item = &items[out->count++];
        LC_TRY(modern(r, &v->items[i], module_of(v->items[i].key, module), item, err));
    }
    if (nameless && !lc_json_get(v, "registered_name")) items[out->count++] = (lc_json){.kind = LC_JSON_NULL, .key = "registered_name"};
    return LC_OK;
}

/* training_config: its "optimizer_config" is "optimizer" today. */
static lc_status read_training(const lc_keras_reading *r, lc_str text, lc_keras_state *out, lc_error *err) {
    const lc_json *old;
    LC_TRY(parse(r, "attribute training_config", text, &old, err));
    if (!lc_json_is(old, LC_JSON_OBJECT) || !old->count) return LC_OK;
    lc_json *made = lc_arena_alloc(r->arena, sizeof *made), *items = lc_arena_array(r->arena, old->count, sizeof *items);
    if (!made || !items) return lc_fail_memory(err, "a configuration");
    for (uint32_t i = 0; i < old->count; i++) {
        const char *key = strcmp(old->items[i].key, "optimizer_config") == 0 ? "optimizer" : old->items[i].key;
        LC_TRY(modern(r, &old->items[i], module_of(key, "keras"), &items[i], err));
        items[i].key = key;
    }
    *made = *old;
    made->items = items;
    out->compile_config = made;
    return settle(r, &out->compile_config, err);
}

static lc_status of_h5(const lc_keras_reading *r, lc_keras_state *out, lc_error *err) {
    lc_h5 *h5;
    lc_keras_layer held = {.name = "optimizer"};
    lc_str config, training;
    LC_TRY(lc_h5_open(r->map->data, r->map->size, 0, r->budget, r->arena, r->data, &h5, err));
    LC_TRY(lc_keras_read_text(h5, lc_h5_root(h5), "model_config", &config, err));
    LC_TRY(lc_keras_read_text(h5, lc_h5_root(h5), "training_config", &training, err));
    if (config.data) LC_TRY(parse(r, "attribute model_config", config, &out->config, err));
    if (training.data) LC_TRY(read_training(r, training, out, err));
    LC_TRY(config.data ? read_named(r, h5, &held, err) : read_numbered(r, h5, &held, err));
    take(&held, out);
    return LC_OK;
}

lc_status lc_keras_state_of(const lc_keras_reading *r, lc_keras_state *out, lc_error *err) {
    *out = (lc_keras_state){0};
    if (lc_zip_probe(r->map->data, r->map->size)) return of_zip(r, out, err);
    if (lc_h5_probe(r->map->data, r->map->size)) return of_h5(r, out, err);
    LC_SOURCE_FAIL(err, LC_INVALID, SOURCE, LC_NO_OFFSET, "neither a .keras file nor an HDF5 file");
    lc_error_hint(err, "give a file of model.save(...) as .keras or .h5");
    return LC_INVALID;
}

/* Numbers that are borrowed from the map, moved to the arena. */
static lc_status keep(const lc_keras_reading *r, lc_keras_state *state, lc_error *err) {
    const uintptr_t from = (uintptr_t)r->map->data;
    lc_keras_weight *weights = lc_arena_array(r->arena, state->optimizer_count, sizeof *weights);
    if (!weights) return lc_fail_memory(err, "state of the optimizer");
    for (uint32_t i = 0; i < state->optimizer_count; i++) {
        weights[i] = state->optimizer[i];
        if (!weights[i].size || (uintptr_t)weights[i].data - from >= r->map->size) continue;
        LC_TRY(lc_budget_memory(r->budget, weights[i].size, "state of the optimizer", err));
        void *copy = lc_arena_data(r->arena, weights[i].size);
        if (!copy) return lc_fail_memory(err, "state of the optimizer");
        memcpy(copy, weights[i].data, weights[i].size);
        weights[i].data = copy;
    }
    state->optimizer = weights;
    return LC_OK;
}

lc_status lc_keras_state_read(const char *path, const lc_limits *limits, lc_arena *arena, lc_keras_state *out, lc_error *err) {
    lc_budget budget;
    lc_map map;
    *out = (lc_keras_state){0};
    lc_budget_init(&budget, limits);
    LC_TRY(lc_map_open(&map, path, limits, err));
    const lc_keras_reading r = {.map = &map, .budget = &budget, .arena = arena, .data = arena};
    lc_status status = lc_keras_state_of(&r, out, err);
    if (status == LC_OK) status = keep(&r, out, err);
    lc_map_close(&map);
    if (status == LC_OK) return LC_OK;
    if (status != LC_NO_MEMORY && err && !err->hint[0])
        lc_error_hint(err, "the file is damaged or was not written by Keras: save the model again with model.save(...)");
    if (status != LC_NO_MEMORY) lc_error_prefix(err, "%s", path);
    return status;
}
