/*
 * keras_config.c: configurations of Keras 3 in the words of Keras 2, as .h5 files have them: Keras 3 still reads these, too.
 *
 *   Keras 3                                                      Keras 2
 *   a layer: {"module", "class_name", "config", ...}             {"class_name", "config"}
 *   "dtype": {"class_name": "DTypePolicy", ...}                  "dtype": "float32"
 *   "batch_shape" of an InputLayer                               "batch_input_shape"
 *   a call: {"args": [tensor], "kwargs": {}}                     [["layer", 0, 0, {}]]
 *   "optimizer" of a compiled model                              "optimizer_config"
 *
 * Arguments that Keras 2 does not have are left out where they say nothing. What it has no words for stays as it is, so that Keras 3 at least
 * reads it: calls with tensors among the named arguments or in more than one place, calls of what a nested model gives (the two count its
 * calls differently), layers that came with Keras 3.
 *
 * Trees are new where something changed and shared where nothing did; recursion is as deep as the JSON, which its reader has limited.
 */
#include "emit/keras_config.h"

#include "lower/keras_place.h"

#include <string.h>

typedef struct copier {
    lc_arena *arena;
    lc_keras_names nested; /* models in the model around a call, by their names */
    bool failed;
} copier;

static bool is(const char *a, const char *b) { return a && b && strcmp(a, b) == 0; }

static lc_json *room(copier *c, uint32_t n) {
    lc_json *items = lc_arena_array(c->arena, (size_t)n + 1, sizeof *items);
    c->failed = c->failed || !items;
    return items;
}

static lc_json object(const char *key, const lc_json *items, uint32_t count) {
    return (lc_json){.kind = LC_JSON_OBJECT, .key = key, .items = items, .count = count};
}

static lc_json text(const char *key, const char *string) { return (lc_json){.kind = LC_JSON_STRING, .key = key, .string = string}; }

const lc_json *lc_config_with(lc_arena *arena, const lc_json *old, const char *key, const lc_json *value) {
    const uint32_t n = lc_json_is(old, LC_JSON_OBJECT) ? old->count : 0;
    lc_json *made = lc_arena_array(arena, (size_t)n + 2, sizeof *made);
    if (!made) return NULL;
    lc_json *items = made + 1;
    uint32_t count = 0, at = n;
    for (uint32_t i = 0; i < n; i++) {
        if (is(old->items[i].key, key)) at = count;
        items[count++] = old->items[i];
    }
    items[at] = value ? *value : (lc_json){.kind = LC_JSON_NULL};
    items[at].key = key;
    *made = object(old ? old->key : NULL, items, at == count ? count + 1 : count);
    return made;
}

/* ---- arguments ----------------------------------------------------------------------------------------------------------- */

/* Arguments that only Keras 3 has, and the value that says nothing; class NULL: of any class. */
static const struct {
    const char *class_name, *key;
    lc_json_kind kind; /* NULL: none; BOOL: no; REAL: 0.99; STRING: "auto" */
} newer[] = {
    {NULL, "quantization_config", LC_JSON_NULL},
    {NULL, "loss_scale_factor", LC_JSON_NULL}, /* this and the following: of optimizers */
    {NULL, "gradient_accumulation_steps", LC_JSON_NULL},
    {NULL, "weight_decay", LC_JSON_NULL},
    {NULL, "clipnorm", LC_JSON_NULL},
    {NULL, "global_clipnorm", LC_JSON_NULL},
    {NULL, "clipvalue", LC_JSON_NULL},
    {NULL, "use_ema", LC_JSON_BOOL},
    {NULL, "ema_momentum", LC_JSON_REAL},
    {NULL, "ema_overwrite_frequency", LC_JSON_NULL},
    {NULL, "input_axes", LC_JSON_NULL}, /* of initialisers */
    {NULL, "output_axes", LC_JSON_NULL},
    {"InputLayer", "optional", LC_JSON_BOOL},
    {"MultiHeadAttention", "seed", LC_JSON_NULL},
    {"MultiHeadAttention", "flash_attention", LC_JSON_NULL},
    {"MultiHeadAttention", "use_gate", LC_JSON_BOOL},
    {"LayerNormalization", "rms_scaling", LC_JSON_BOOL},
    {"Dense", "lora_rank", LC_JSON_NULL},
    {"Embedding", "lora_rank", LC_JSON_NULL},
    {"Embedding", "weights", LC_JSON_NULL},
    {"LSTM", "seed", LC_JSON_NULL},
    {"GRU", "seed", LC_JSON_NULL},
    {"SimpleRNN", "seed", LC_JSON_NULL},
    {"LSTM", "zero_output_for_mask", LC_JSON_BOOL},
    {"GRU", "zero_output_for_mask", LC_JSON_BOOL},
    {"SimpleRNN", "zero_output_for_mask", LC_JSON_BOOL},
    {"RNN", "zero_output_for_mask", LC_JSON_BOOL},
    {"LSTM", "use_cudnn", LC_JSON_STRING},
    {"GRU", "use_cudnn", LC_JSON_STRING},
};

static bool says_nothing(const char *class_name, const lc_json *v) {
    if (is(class_name, "AdamW")) return false; /* it has other defaults, and Keras 2 does not know it */
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        if (!is(v->key, newer[i].key) || (newer[i].class_name && !is(class_name, newer[i].class_name))) continue;
        if (v->kind == LC_JSON_NULL) return true;
        if (v->kind != newer[i].kind) return false;
        return v->kind == LC_JSON_BOOL ? !v->boolean : v->kind == LC_JSON_REAL ? v->real == 0.99 : is(v->string, "auto");
    }
    return false;
}

static const char *old_name(const char *class_name, const char *key) {
    static const char *const renamed[][3] = {{"InputLayer", "batch_shape", "batch_input_shape"}, {"LeakyReLU", "negative_slope", "alpha"}};
    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (is(class_name, renamed[i][0]) && is(key, renamed[i][1])) return renamed[i][2];
    return key;
}

static lc_json value(copier *c, const lc_json *v);
static lc_json layers_of(copier *c, const lc_json *layers);

static void find_nested(copier *c, const lc_json *layers) {
    c->failed = c->failed || lc_keras_names_init(&c->nested, c->arena, layers->count, NULL) != LC_OK;
    for (uint32_t i = 0; i < layers->count && !c->failed; i++) {
        const lc_json *config = lc_json_get(&layers->items[i], "config");
        const char *name = lc_json_str(&layers->items[i], "name", lc_json_str(config, "name", NULL));
        lc_keras_name *made;
        if (name && lc_json_get(config, "layers")) c->failed = lc_keras_names_get(&c->nested, name, &made, NULL) != LC_OK;
    }
}

static bool is_nested(const copier *c, const char *name) {
    const lc_keras_name *n = name && c->nested.heads ? *lc_keras_names_head(&c->nested, name) : NULL;
    while (n && strcmp(n->name, name) != 0) n = n->next;
    return n != NULL;
}

static lc_json config_of(copier *c, const char *class_name, const lc_json *config) {
    lc_json *items = room(c, config->count);
    uint32_t n = 0;
    const lc_json *layers = lc_json_get(config, "layers");
    const lc_keras_names around = c->nested;
    if (!items) return *config;
    if (!lc_json_is(layers, LC_JSON_ARRAY)) layers = NULL;
    if (layers) find_nested(c, layers);
    for (uint32_t i = 0; i < config->count && !c->failed; i++) {
        const lc_json *v = &config->items[i];
        if (says_nothing(class_name, v)) continue;
        items[n] = v == layers ? layers_of(c, v) : value(c, v);
        items[n++].key = old_name(class_name, v->key);
    }
    c->nested = around;
    return object(config->key, items, n);
}

/* ---- calls --------------------------------------------------------------------------------------------------------------- */

/* The history of a tensor; NULL: it is none, or that of a nested model. */
static const lc_json *history(const copier *c, const lc_json *v) {
    const lc_json *h = lc_json_get(lc_json_get(v, "config"), "keras_history");
    if (!is(lc_json_str(v, "class_name", NULL), "__keras_tensor__") || !lc_json_is(h, LC_JSON_ARRAY) || h->count != 3) return NULL;
    return is_nested(c, h->items[0].string) ? NULL : h;
}

/* Whether there is a tensor anywhere in a value. */
static bool has_tensor(const lc_json *v) {
    if (is(lc_json_str(v, "class_name", NULL), "__keras_tensor__")) return true;
    for (uint32_t i = 0; (v->kind == LC_JSON_ARRAY || v->kind == LC_JSON_OBJECT) && i < v->count; i++)
        if (has_tensor(&v->items[i])) return true;
    return false;
}

/* A call as a list of [layer, call, tensor, {named arguments}]; false when it cannot be said so. */
static bool call_of(copier *c, const lc_json *call, lc_json *out) {
    const lc_json *args = lc_json_get(call, "args"), *kwargs = lc_json_get(call, "kwargs"), *first = lc_json_at(args, 0);
    if (!first || args->count != 1 || (kwargs && has_tensor(kwargs))) return false;
    const bool list = first->kind == LC_JSON_ARRAY;
    const uint32_t n = list ? first->count : 1;
    lc_json named = object(NULL, NULL, 0), *tensors = room(c, n);
    if (!tensors || !n) return false;
    if (lc_json_is(kwargs, LC_JSON_OBJECT)) {
        lc_json *given = room(c, kwargs->count);
        uint32_t k = 0;
        for (uint32_t i = 0; given && i < kwargs->count; i++)
            if (kwargs->items[i].kind != LC_JSON_NULL) given[k++] = value(c, &kwargs->items[i]);
        named = object(NULL, given, k);
    }
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *h = history(c, list ? &first->items[i] : first);
        lc_json *parts = h ? room(c, 4) : NULL;
        if (!parts) return false;
        memcpy(parts, h->items, 3 * sizeof *parts);
        parts[3] = named;
        tensors[i] = (lc_json){.kind = LC_JSON_ARRAY, .items = parts, .count = 4};
    }
    *out = (lc_json){.kind = LC_JSON_ARRAY, .items = tensors, .count = n};
    return true;
}

static lc_json calls_of(copier *c, const lc_json *calls) {
    lc_json *items = room(c, calls->count), out = *calls;
    for (uint32_t i = 0; items && i < calls->count; i++)
        if (!call_of(c, &calls->items[i], &items[i])) items[i] = calls->items[i];
    if (items) out.items = items;
    return out;
}

/* ---- objects ------------------------------------------------------------------------------------------------------------- */

/* A serialised object, its configuration in the old words. Its module stays, which Keras 3 wants of layers in layers. */
static lc_json object_of(copier *c, const lc_json *v, const char *class_name, const lc_json *config) {
    static const char *const dropped[] = {"build_config", "compile_config", "shared_object_id"};
    if (is(class_name, "DTypePolicy") && lc_json_str(config, "name", NULL)) return text(v->key, lc_json_str(config, "name", NULL));
    if (*class_name == '_') return *v; /* tensors, numbers, functions */
    lc_json *items = room(c, v->count);
    uint32_t n = 0;
    for (uint32_t i = 0; items && i < v->count; i++) {
        bool keep = true;
        for (size_t k = 0; k < sizeof dropped / sizeof *dropped; k++) keep = keep && !is(v->items[i].key, dropped[k]);
        if (keep) items[n++] = &v->items[i] == config ? config_of(c, class_name, config) : v->items[i];
    }
    return items ? object(v->key, items, n) : *v;
}

/* An object as Keras 2 has it: without module; the name of a class that was registered is its whole name. */
static lc_json plain_object_of(copier *c, const lc_json *v) {
    static const char *const kept[] = {"name", "inbound_nodes"};
    const lc_json *config = lc_json_get(v, "config");
    const char *class_name = lc_json_str(v, "class_name", NULL), *registered = lc_json_str(v, "registered_name", NULL);
    lc_json *items = room(c, 4);
    uint32_t n = 0;
    if (!items || !class_name || !lc_json_is(config, LC_JSON_OBJECT)) return *v;
    items[n++] = text("class_name", registered && strchr(registered, '>') ? registered : class_name);
    items[n++] = config_of(c, class_name, config);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const lc_json *member = lc_json_get(v, kept[i]);
        if (member) items[n++] = i == 1 && member->kind == LC_JSON_ARRAY ? calls_of(c, member) : *member;
    }
    return object(v->key, items, n);
}

/* The layers of a model; operations and what came with Keras 3 stay as they are. */
static lc_json layers_of(copier *c, const lc_json *layers) {
    lc_json *items = room(c, layers->count), out = *layers;
    for (uint32_t i = 0; items && i < layers->count; i++) {
        const lc_json *l = &layers->items[i];
        const char *module = lc_json_str(l, "module", "keras"), *registered = lc_json_str(l, "registered_name", "");
        const bool known = is(module, "keras") || is(module, "keras.layers") || strncmp(module, "keras.src.models", 16) == 0 ||
                           strchr(registered, '>') != NULL;
        items[i] = known && !is(lc_json_str(l, "class_name", NULL), "GroupQueryAttention") ? plain_object_of(c, l) : *l;
    }
    if (items) out.items = items;
    return out;
}

static lc_json value(copier *c, const lc_json *v) {
    if (v->kind != LC_JSON_ARRAY && v->kind != LC_JSON_OBJECT) return *v;
    const char *class_name = lc_json_str(v, "class_name", NULL);
    const lc_json *config = lc_json_get(v, "config");
    if (class_name && is(class_name, "function") && lc_json_is(config, LC_JSON_STRING)) return text(v->key, config->string);
    if (class_name && lc_json_is(config, LC_JSON_OBJECT)) return object_of(c, v, class_name, config);
    lc_json out = *v, *items = room(c, v->count);
    for (uint32_t i = 0; items && i < v->count; i++) items[i] = value(c, &v->items[i]);
    if (items) out.items = items;
    return out;
}

static lc_status result(copier *c, lc_json v, const lc_json **out, lc_error *err) {
    lc_json *made = room(c, 1);
    if (c->failed) return lc_fail_memory(err, "configuration");
    *made = v;
    *out = made;
    return LC_OK;
}

lc_status lc_config_legacy_model(lc_arena *arena, const lc_json *config, const lc_json **out, lc_error *err) {
    copier c = {.arena = arena};
    if (!config) return lc_fail(err, LC_ARGUMENT, "a model without configuration cannot be saved");
    return result(&c, plain_object_of(&c, config), out, err);
}

lc_status lc_config_legacy_training(lc_arena *arena, const lc_json *compile_config, const lc_json **out, lc_error *err) {
    static const char *const needed[] = {"loss", "metrics", "weighted_metrics", "loss_weights"}; /* readers ask for these */
    copier c = {.arena = arena};
    const uint32_t n = lc_json_is(compile_config, LC_JSON_OBJECT) ? compile_config->count : 0;
    lc_json *items = room(&c, n + 4);
    uint32_t count = 0;
    for (uint32_t i = 0; items && i < n; i++) {
        const bool optimizer = is(compile_config->items[i].key, "optimizer");
        items[count] = optimizer ? plain_object_of(&c, &compile_config->items[i]) : value(&c, &compile_config->items[i]);
        if (optimizer) items[count].key = "optimizer_config";
        count++;
    }
    for (size_t i = 0; items && i < sizeof needed / sizeof *needed; i++)
        if (!lc_json_get(compile_config, needed[i])) items[count++] = (lc_json){.kind = LC_JSON_NULL, .key = needed[i]};
    return result(&c, object(NULL, items, count), out, err);
}
