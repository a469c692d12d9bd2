/*
 * net.c: a model that learns, from a description or a file to variables.
 *
 * Arrays that no file gave are made by a lowering (lower/training.h): a layer asks for the arrays it needs by name and shape, and what it gets
 * is filled by the initialiser of that name in its configuration. The stream of random numbers is the variable's number, so that values do not
 * depend on anything but the seed and the model.
 */
#include "api/net_graph.h"

#include "base/checked.h"
#include "ir/constant.h"
#include "lower/keras_place.h"
#include "lower/training.h"
#include "source/keras_state.h"
#include "train/initializer.h"
#include "train/model_text.h"

#include <stdio.h>
#include <string.h>

/* ---- life ----------------------------------------------------------------------------------------------------------- */

static lc_status net_new(const lc_net_options *o, lc_net **out, lc_error *err) {
    lc_net *net = *out = lc_calloc(1, sizeof *net);
    if (!net) return lc_fail_memory(err, "a model");
    if (o) net->limits = o->limits;
    net->seed = o && o->seed ? o->seed : 1;
    lc_budget_init(&net->budget, &net->limits);
    return LC_OK;
}

void lc_net_destroy(lc_net *net) {
    if (!net) return;
    lc_net_steps_forget(net);
    lc_net_ranges_free(net);
    lc_net_given_end(net);
    lc_net_drop_graphs(net);
    lc_net_compiled_deinit(net);
    for (uint32_t i = 0; i < net->variable_count; i++) {
        lc_free_aligned(net->variables[i].value);
        lc_free_aligned(net->variables[i].grad);
    }
    lc_free(net->variables);
    lc_free(net->shown);
    lc_free(net->logs);
    lc_pool_destroy(net->pool);
    if (net->is_described) lc_describe_end(&net->described);
    lc_map_close(&net->map);
    lc_keras_maps_close(&net->maps);
    lc_arena_deinit(&net->arena);
    lc_free(net);
}

static lc_net *described(bool sequential, const char *name) {
    lc_net *net;
    if (net_new(NULL, &net, NULL) != LC_OK) return NULL;
    net->is_described = true;
    lc_describe_begin(&net->described, sequential, name);
    return net;
}

lc_net *lc_sequential(const char *name) { return described(true, name); }
lc_net *lc_functional(const char *name) { return described(false, name); }

void lc_net_seed(lc_net *net, uint64_t seed) {
    if (net && !net->keras) net->seed = seed ? seed : 1;
}

/* ---- describing ------------------------------------------------------------------------------------------------------- */

/* What is described; NULL, and an error that stays, once the model is built. */
static lc_description *open_description(lc_net *net) {
    if (!net || !net->is_described) return NULL;
    if (net->keras) lc_describe_fail(&net->described, LC_ARGUMENT, "the model is built already: no layer can be added");
    return &net->described;
}

void lc_add(lc_net *net, lc_object layer) {
    lc_description *d = open_description(net);
    if (d) lc_describe_layer(d, &layer);
}

void lc_add_model(lc_net *net, const lc_net *model) {
    lc_description *d = open_description(net);
    if (d && model) lc_net_put_model(net, d, model);
}

lc_symbol lc_input(lc_net *net, lc_object layer) {
    lc_description *d = open_description(net);
    return d ? lc_describe_input(d, &layer) : (lc_symbol){0};
}

int32_t lc_layer_make(lc_net *net, lc_object layer) {
    lc_description *d = open_description(net);
    return d ? lc_describe_layer(d, &layer) : -1;
}

int32_t lc_layer_make_model(lc_net *net, const lc_net *model) {
    lc_description *d = open_description(net);
    return d && model ? lc_net_put_model(net, d, model) : -1;
}

lc_symbol lc_apply(lc_net *net, int32_t layer, const lc_symbol *inputs, size_t count) {
    lc_description *d = open_description(net);
    return d ? lc_describe_call(d, layer, inputs, count) : (lc_symbol){0};
}

lc_symbol lc_call_many(lc_net *net, lc_object layer, const lc_symbol *inputs, size_t count) {
    return lc_apply(net, lc_layer_make(net, layer), inputs, count);
}

lc_symbol lc_call(lc_net *net, lc_object layer, lc_symbol input) { return lc_call_many(net, layer, &input, 1); }

void lc_outputs(lc_net *net, const lc_symbol *outputs, size_t count) {
    lc_description *d = open_description(net);
    if (d) lc_describe_outputs(d, outputs, count);
}

/* ---- variables ---------------------------------------------------------------------------------------------------------- */

static lc_variable *add_variable(lc_net *net, const char *path, const int32_t *dims, int32_t rank, lc_error *err) {
    if (net->variable_count == net->variable_capacity) {
        const uint32_t capacity = net->variable_capacity ? 2 * net->variable_capacity : 64;
        lc_variable *more = lc_realloc(net->variables, capacity * sizeof *more);
        if (!more) return lc_fail_memory(err, "variables") ? NULL : NULL;
        net->variables = more;
        net->variable_capacity = capacity;
    }
    lc_variable v = {.path = path, .n = 1, .rank = rank};
    for (int32_t i = 0; i < rank; i++) {
        v.dims[i] = dims[i];
        if (dims[i] < 0 || !lc_mul_size(v.n, (size_t)dims[i], &v.n) || v.n > SIZE_MAX / sizeof(float)) v.n = SIZE_MAX / sizeof(float);
    }
    if (lc_budget_memory(&net->budget, v.n * sizeof *v.value, "a variable", err) != LC_OK) return NULL;
    v.value = lc_calloc_aligned((v.n ? v.n : 1) * sizeof *v.value);
    if (!v.value) return lc_fail_memory(err, "a variable") ? NULL : NULL;
    net->variables[net->variable_count] = v;
    return &net->variables[net->variable_count++];
}

/* "kernel" of "query/kernel". */
static const char *last_part(const char *what) {
    const char *slash = strrchr(what, '/');
    return slash ? slash + 1 : what;
}

/* What the configuration says of an array: argument "recurrent_initializer" of "recurrent_kernel" (kind: "initializer"), "depthwise_initializer"
 * of the kernel of a DepthwiseConv2D. NULL: nothing. */
static const lc_json *argument_of(const lc_json *config, const char *what, const char *kind) {
    char key[80];
    const char *last = last_part(what), *tail = strstr(last, "_kernel");
    snprintf(key, sizeof key, "%.40s_%s", last, kind);
    const lc_json *given = lc_json_get(config, key);
    if (!given && tail) snprintf(key, sizeof key, "%.*s_%s", (int)(tail - last), last, kind);
    if (!given && !tail && strcmp(last, "kernel") == 0) snprintf(key, sizeof key, "depthwise_%s", kind);
    return given ? given : lc_json_get(config, key);
}

/* What Keras gives an array whose layer has no argument for it; `of` is one that tells layers apart. */
static lc_json default_initializer(const char *what, const lc_json *config) {
    static const struct {
        const char *what, *of, *name;
    } names[] = {{"bias", NULL, "zeros"},
                 {"beta", NULL, "zeros"},
                 {"gamma", NULL, "ones"},
                 {"moving_mean", NULL, "zeros"},
                 {"mean", NULL, "zeros"},
                 {"count", NULL, "zeros"},
                 {"variance", NULL, "ones"},
                 {"alpha", NULL, "zeros"},
                 {"moving_variance", NULL, "ones"},
                 {"embeddings", NULL, "uniform"},
                 {"recurrent_kernel", NULL, "orthogonal"},
                 {"scale", "score_mode", "ones"},
                 {"concat_score_weight", NULL, "ones"},
                 {"scale", "axis", "ones"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(what, names[i].what) == 0 && (!names[i].of || lc_json_get(config, names[i].of)))
            return (lc_json){.kind = LC_JSON_STRING, .string = names[i].name};
    return (lc_json){.kind = LC_JSON_STRING, .string = "glorot_uniform"};
}

/* The forget gate of an LSTM starts open. */
static void open_forget_gate(const lc_made *array, const char *last, float *value) {
    const lc_json *flag = lc_json_get(array->config, "unit_forget_bias"), *units = lc_json_get(array->config, "units");
    if (!units) units = lc_json_get(array->config, "filters"); /* ConvLSTM */
    if (strcmp(last, "bias") != 0 || array->rank != 1 || !lc_json_is(flag, LC_JSON_BOOL) || !flag->boolean ||
        !lc_json_is(units, LC_JSON_INT))
        return;
    for (int64_t i = units->integer; i < 2 * units->integer && i < array->dims[0]; i++) value[i] = 1;
}

static void *make(void *user, const lc_made *array, lc_error *err) {
    lc_net *net = user;
    const char *last = last_part(array->what);
    const lc_json *object = argument_of(array->config, array->what, "initializer"), otherwise = default_initializer(last, array->config);
    const char *path = lc_arena_printf(&net->arena, "%s/%s", array->layer, array->what);
    if (!path) return lc_fail_memory(err, "a variable") ? NULL : NULL;
    lc_variable *v = add_variable(net, path, array->dims, array->rank, err);
    if (!v) return NULL;
    if (lc_initializer_fill(object ? object : &otherwise, array->dims, array->rank, array->fan_in, net->seed, net->made++, v->value, err) !=
        LC_OK) {
        lc_error_prefix(err, "variable \"%.200s\"", path);
        return NULL;
    }
    open_forget_gate(array, last, v->value);
    return v->value;
}

/* The layers of a model and of those in it, each with its path: "inner/dense"; a graph has that of the model it is in. Calls fn for each in Keras's order, until one fails. */
typedef lc_status (*layer_fn)(void *user, lc_net *net, lc_keras_layer *layer, const char *path, lc_error *err);
static lc_status each_layer(lc_net *net, const lc_keras_model *m, const char *prefix, layer_fn fn, void *user, lc_error *err) {
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const char *path = prefix;
        for (lc_keras_layer *l = &m->layers[i]; l; l = l->inner) {
            if (!l->graph) path = lc_arena_printf(&net->arena, "%s%s%s", path, *path ? "/" : "", l->name ? l->name : "");
            if (!path) return lc_fail_memory(err, "variables");
            if (l->model) LC_TRY(each_layer(net, l->model, path, fn, user, err));
            LC_TRY(fn(user, net, l, path, err));
        }
    }
    return LC_OK;
}

/* Arrays of a file become variables of ours; a layer without has those to be made. */
static lc_status own_weights(void *user, lc_net *net, lc_keras_layer *l, const char *layer, lc_error *err) {
    (void)user;
    for (uint32_t k = 0; k < l->weight_count; k++) {
        lc_keras_weight *w = &l->weights[k];
        if (!lc_floats_can_load(w->type)) continue;                /* counters, tables of words: nothing learns them */
        if (w->data && lc_net_variable_of(net, w->data)) continue; /* a layer that a file has in two places */
        const char *path = lc_arena_printf(&net->arena, "%s%s%s", layer, *layer ? "/" : "", w->name ? w->name : "");
        if (!path) return lc_fail_memory(err, "variables");
        lc_variable *v = add_variable(net, path, w->dims, w->rank, err);
        if (!v) return err && err->status ? err->status : LC_NO_MEMORY;
        lc_floats_load(w->type, w->data, 0, v->n, v->value);
        w->type = LC_FLOAT32;
        w->data = v->value;
        w->size = v->n * sizeof *v->value;
    }
    return l->weight_count || l->model || l->inner || l->graph ? LC_OK : lc_keras_expect(l, &net->arena, err);
}

/* ---- build -------------------------------------------------------------------------------------------------------------- */

lc_variable *lc_net_variable_of(lc_net *net, const void *data) {
    for (uint32_t i = 0; i < net->variable_count; i++)
        if (net->variables[i].value == data) return &net->variables[i];
    return NULL;
}

typedef struct listing {
    lc_variable *out;
    uint32_t count;
} listing;

/* The variables of a layer in the order in which Keras makes them, with Keras's names for them, appended to the list. */
static lc_status list_layer(void *user, lc_net *net, lc_keras_layer *l, const char *layer, lc_error *err) {
    listing *list = user;
    lc_keras_place *places;
    LC_TRY(lc_keras_places(l, &net->arena, &places, err));
    for (uint32_t k = 0; k < l->weight_count; k++) {
        lc_variable *v = lc_net_variable_of(net, places[k].weight->data);
        if (!places[k].weight->data)
            return lc_fail(err, LC_UNSUPPORTED, "layer \"%.100s\" (%.60s): litec does not make its %.100s", layer, l->class_name,
                           places[k].h5);
        bool listed = false; /* a layer in two places is listed where it comes first */
        for (uint32_t i = 0; v && i < list->count; i++) listed |= list->out[i].value == v->value;
        if (!v || listed || list->count == net->variable_count) continue;
        if (!l->graph) v->path = lc_arena_printf(&net->arena, "%s/%s", layer, places[k].h5); /* a graph has its names already */
        if (!v->path) return lc_fail_memory(err, "variables");
        list->out[list->count++] = *v;
    }
    return LC_OK;
}

/* Layers may have been lowered in another order. */
static lc_status sort_variables(lc_net *net, lc_error *err) {
    listing list = {.out = lc_calloc(net->variable_capacity + 1, sizeof *list.out)};
    if (!list.out) return lc_fail_memory(err, "variables");
    const lc_status status = each_layer(net, net->keras, "", list_layer, &list, err);
    if (status != LC_OK || list.count != net->variable_count) { /* an array in two places: as they came */
        lc_free(list.out);
        return status;
    }
    lc_free(net->variables);
    net->variables = list.out;
    return LC_OK;
}

static lc_status lower_once(lc_net *net, lc_training *training, lc_error *err) {
    lc_model *model;
    LC_TRY(lc_model_new(&net->limits, &model, err));
    const lc_lower_options lower = {.described = net->is_described, .unroll = true, .training = training};
    lc_status status = lc_lower_keras(net->keras, &lower, model, err);
    for (uint32_t i = 0; status == LC_OK && i < training->count; i++) {
        const lc_trained *t = &training->list[i];
        lc_variable *v = lc_net_variable_of(net, t->data);
        if (!v) continue;
        v->trainable = t->learns;
        status = lc_regularizer_read(argument_of(t->config, t->what, "regularizer"), &v->regularizer, err);
        if (status == LC_OK) status = lc_constraint_read(argument_of(t->config, t->what, "constraint"), &v->constraint, err);
        if (status == LC_OK) status = lc_variable_check(v, err);
        if (status != LC_OK) lc_error_prefix(err, "variable \"%.200s\"", v->path);
    }
    lc_model_destroy(model);
    return status;
}

/* Which variables learn. Arrays depend on no size that the model leaves open, but layers want one: the first of a few that
 * all of them can take. */
lc_status lc_net_roles(lc_net *net, lc_error *err) {
    static const int32_t sizes[] = {64, 256, 1024};
    for (uint32_t i = 0; i < net->variable_count; i++) net->variables[i].trainable = false;
    lc_status status = LC_OK;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        lc_training training = {.batch = 2, .open = sizes[i], .counter = -1, .make = make, .user = net};
        lc_error first = {0};
        status = lower_once(net, &training, i ? &first : err);
        if (status == LC_OK || status == LC_NO_MEMORY) break;
    }
    if (status == LC_OK) lc_error_clear(err);
    return status;
}

static lc_status show(lc_net *net, lc_error *err) {
    lc_free(net->shown);
    net->shown = lc_calloc(net->variable_count ? net->variable_count : 1, sizeof *net->shown);
    if (!net->shown) return lc_fail_memory(err, "variables");
    for (uint32_t i = 0; i < net->variable_count; i++) {
        const lc_variable *v = &net->variables[i];
        net->shown[i] = (lc_net_variable){.path = v->path, .rank = v->rank, .value = v->value, .count = v->n, .trainable = v->trainable};
        memcpy(net->shown[i].dims, v->dims, sizeof v->dims);
    }
    return LC_OK;
}

static lc_status parse(lc_net *net, const char *text, size_t size, lc_error *err) {
    const lc_json *root;
    LC_TRY(lc_json_parse(text, size, &net->budget, &net->arena, &root, err));
    if (root->kind == LC_JSON_STRING) LC_TRY(lc_json_parse(root->string, strlen(root->string), &net->budget, &net->arena, &root, err));
    net->config = root;
    return lc_keras_config(root, lc_json_str(root, "keras_version", "3"), &net->budget, &net->arena, &net->keras, err);
}

/* The model stands; arrays are made where it has none. */
static lc_status finish(lc_net *net, lc_error *err) {
    LC_TRY(lc_net_attach_graphs(net, net->keras, err));
    LC_TRY(each_layer(net, net->keras, "", own_weights, NULL, err));
    LC_TRY(lc_net_roles(net, err));
    LC_TRY(sort_variables(net, err));
    LC_TRY(lc_net_given_take(net, err));
    return show(net, err);
}

/* Keras finds the shape in the data; here the model says it. */
static lc_status check_input(const lc_description *d, lc_error *err) {
    const lc_described_layer *first = d->layer_count ? &d->layers[0] : NULL;
    if (!d->sequential || !first || first->is_input || first->is_sequential || first->is_functional) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "model '%.100s' does not say the shape of its input", d->name);
    lc_error_hint(err, "begin it with its input: lc_add(net, LC_INPUT({28, 28})), in a text: input 28 28");
    return LC_ARGUMENT;
}

lc_status lc_net_build(lc_net *net, lc_error *err) {
    if (!net) return lc_fail(err, LC_ARGUMENT, "there is no model (memory was out when it was made)");
    if (net->keras && net->is_described && net->described.status != LC_OK) { /* something was added to it since */
        if (err) *err = net->described.error;
        return net->described.status;
    }
    if (net->keras) return LC_OK;
    lc_text json = {0};
    lc_status status = lc_describe_json(&net->described, NULL, &json, err);
    if (status == LC_OK) status = check_input(&net->described, err);
    if (status == LC_OK && json.failed) status = lc_fail_memory(err, "a configuration");
    if (status == LC_OK) {
        char *text = lc_arena_strndup(&net->arena, json.data, json.size);
        status = text ? parse(net, text, json.size, err) : lc_fail_memory(err, "a configuration");
    }
    lc_text_deinit(&json);
    if (status == LC_OK) status = finish(net, err);
    if (status != LC_OK) net->keras = NULL;
    return lc_net_blame(net, status, err);
}

lc_status lc_net_from_json_with(const char *json, size_t size, const lc_net_options *options, const lc_net *other, lc_net **out,
                                lc_error *err) {
    lc_net *net;
    *out = NULL;
    LC_TRY(net_new(options, &net, err));
    const char *text = lc_arena_strndup(&net->arena, json, size);
    lc_status status = text ? parse(net, text, size, err) : lc_fail_memory(err, "a configuration");
    if (status == LC_OK && other) status = lc_net_share_graphs(net, other, err);
    if (status == LC_OK && options && options->weights) {
        lc_zip_check check = {0};
        const lc_keras_reading r = {&net->map, &net->budget, &net->arena, &net->arena, &check, options->weights, &net->maps};
        status = lc_keras_read_weights(&r, net->keras, err);
        const lc_status checked = lc_zip_check_end(&check, err);
        if (checked != LC_OK) status = checked;
    }
    if (status == LC_OK) status = finish(net, err);
    if (status == LC_OK) *out = net;
    else lc_net_destroy(net);
    return status;
}

lc_status lc_net_from_json(const char *json, size_t size, const lc_net_options *options, lc_net **out, lc_error *err) {
    return lc_net_from_json_with(json, size, options, NULL, out, err);
}

/* What the file says of how it was trained. What litec does not know of it leaves the model uncompiled: lc_net_is_compiled says why. */
static lc_status take_state(lc_net *net, const lc_keras_state *state, lc_error *err) {
    lc_error other = {0};
    if (!state->compile_config) return LC_OK;
    const lc_status status = lc_net_make_compiled(net, state->compile_config, &other);
    if (status == LC_NO_MEMORY && err) *err = other;
    if (status != LC_OK) net->uncompiled = other;
    if (status != LC_OK) return status == LC_NO_MEMORY ? status : LC_OK;
    const char *why;
    LC_TRY(lc_net_take_slots(net, state, &why, err));
    if (!why) return LC_OK;
    lc_net_compiled_deinit(net); /* to go on with a fresh optimizer is another training: it is to be asked for */
    lc_fail(&net->uncompiled, LC_INVALID, "the optimizer's state in the file is of another kind: %s", why);
    lc_error_hint(&net->uncompiled, "the optimizer can begin anew");
    return LC_OK;
}

static lc_status read_file(lc_net *net, const char *path, const lc_net_options *o, lc_keras_state *state, lc_error *err) {
    LC_TRY(lc_map_open(&net->map, path, &net->limits, err));
    lc_zip_check check = {0};
    const lc_keras_reading r = {&net->map, &net->budget, &net->arena, &net->arena, &check, o ? o->weights : NULL, &net->maps};
    lc_status status;
    /* zip first: a member of it may be an HDF5 file that begins where one may begin */
    if (lc_zip_probe(net->map.data, net->map.size)) status = lc_keras_read_zip(&r, &net->keras, err);
    else if (lc_h5_probe(net->map.data, net->map.size)) status = lc_keras_read_h5(&r, &net->keras, err);
    else if (lc_keras_json_probe(net->map.data, net->map.size)) status = lc_keras_read_json(&r, &net->keras, err);
    else {
        status = lc_fail(err, LC_UNSUPPORTED, "%.200s is no Keras model", path);
        lc_error_hint(err,
                      "training goes on from .keras, .h5 and .json files and models as text (docs/training.md); others can be converted");
    }
    const bool whole = status == LC_OK && !lc_keras_json_probe(net->map.data, net->map.size);
    if (whole) status = lc_keras_state_of(&r, state, err);
    const lc_status checked = lc_zip_check_end(&check, err);
    return checked == LC_OK ? status : checked;
}

/* A text of ours (train/model_text.h) is a description. */
static lc_status from_text(const char *path, const lc_net_options *o, lc_net **out, lc_error *err) {
    lc_net *net = NULL;
    lc_map map;
    LC_TRY(lc_map_open(&map, path, o ? &o->limits : NULL, err));
    lc_status status = lc_net_from_text((const char *)map.data, map.size, o ? &o->limits : NULL, &net, err);
    lc_map_close(&map);
    if (status == LC_OK) {
        lc_net_seed(net, o ? o->seed : 0);
        status = lc_net_build(net, err);
    }
    if (status == LC_OK && o && o->weights) status = lc_net_load_weights(net, o->weights, err);
    if (status == LC_OK) *out = net;
    else lc_net_destroy(net);
    return status;
}

/* Whether it is a file that lc_convert reads and that is none of Keras's. What nobody reads is told as before. */
static lc_status find_graph(const char *path, const lc_limits *limits, bool *graph, lc_error *err) {
    lc_source_input input;
    const lc_source *source = NULL;
    const lc_status status = lc_source_open(path, limits, &input, &source, NULL);
    *graph = false;
    if (status != LC_OK) return status == LC_NO_MEMORY ? lc_fail_memory(err, "a model") : LC_OK;
    lc_source_close(&input);
    *graph = strncmp(source->name, "keras", strlen("keras")) != 0;
    return LC_OK;
}

static bool is_text(const char *path, const lc_limits *limits) {
    lc_map map;
    if (lc_map_open(&map, path, limits, NULL) != LC_OK) return false;
    const bool keras = lc_h5_probe(map.data, map.size) || lc_zip_probe(map.data, map.size) || lc_keras_json_probe(map.data, map.size);
    const bool text = !keras && lc_model_text_probe((const char *)map.data, map.size);
    lc_map_close(&map);
    return text;
}

lc_status lc_net_open(const char *path, const lc_net_options *options, lc_net **out, lc_error *err) {
    lc_net *net;
    bool graph;
    *out = NULL;
    if (is_text(path, options ? &options->limits : NULL)) return from_text(path, options, out, err);
    LC_TRY(find_graph(path, options ? &options->limits : NULL, &graph, err));
    if (graph) return lc_net_open_graph(path, options, out, err);
    LC_TRY(net_new(options, &net, err));
    lc_keras_state state = {0};
    lc_status status = read_file(net, path, options, &state, err);
    if (status == LC_OK) net->config = net->keras->root;
    if (status == LC_OK) status = finish(net, err);
    if (status == LC_OK) status = take_state(net, &state, err);
    if (status == LC_OK) *out = net;
    else lc_net_destroy(net);
    return status;
}

/* ---- asking --------------------------------------------------------------------------------------------------------------- */

size_t lc_net_variable_count(const lc_net *net) { return net && net->shown ? net->variable_count : 0; }

lc_net_variable lc_net_variable_at(const lc_net *net, size_t index) {
    return index < lc_net_variable_count(net) ? net->shown[index] : (lc_net_variable){0};
}

lc_net_variable lc_net_variable_find(const lc_net *net, const char *path) {
    for (size_t i = 0; i < lc_net_variable_count(net); i++)
        if (path && strcmp(net->shown[i].path, path) == 0) return net->shown[i];
    return (lc_net_variable){0};
}

const char *lc_net_output_name(const lc_net *net, uint32_t k) {
    const lc_keras_model *m = net->keras;
    if (m->output_names && m->output_names[k]) return m->output_names[k];
    return m->layers[m->outputs[k].layer].name;
}

lc_status lc_net_pool(lc_net *net, int32_t threads, lc_error *err) {
    if (threads <= 0) threads = lc_pool_wanted(0, 64);
    if (net->pool && net->threads == threads) return LC_OK;
    if (net->threads == threads) return LC_OK;
    lc_net_steps_forget(net);
    lc_pool_destroy(net->pool);
    net->pool = NULL;
    net->threads = threads;
    return threads > 1 ? lc_pool_create(threads, &net->pool, err) : LC_OK;
}

/* ---- what learns ---------------------------------------------------------------------------------------------------------- */

/* Writes the member "trainable" of a layer's configuration: the model's own tree, which is read-only to everybody else. */
static lc_status write_trainable(lc_net *net, lc_keras_layer *l, bool trainable, lc_error *err) {
    lc_json *config = (lc_json *)(uintptr_t)l->config;
    lc_json *member = (lc_json *)(uintptr_t)lc_json_get(config, "trainable");
    if (!config || config->kind != LC_JSON_OBJECT) return LC_OK;
    if (!member) {
        lc_json *items = lc_arena_array(&net->arena, (size_t)config->count + 1, sizeof *items);
        if (!items) return lc_fail_memory(err, "a configuration");
        if (config->count) memcpy(items, config->items, config->count * sizeof *items);
        config->items = items;
        member = &items[config->count++];
    }
    *member = (lc_json){.kind = LC_JSON_BOOL, .key = "trainable", .boolean = trainable};
    return LC_OK;
}

/* "conv*" of "base/conv*" in the model "base"; other patterns are for all models. */
static const char *within(const char *pattern, const char *name) {
    const size_t n = pattern && name ? strlen(name) : 0;
    return n && strncmp(pattern, name, n) == 0 && pattern[n] == '/' ? pattern + n + 1 : pattern;
}

/* A model in a model is frozen with all its layers, and so is a layer in a wrapper. */
static lc_status set_all(lc_net *net, lc_keras_model *m, const char *pattern, bool trainable, uint32_t *found, lc_error *err) {
    for (uint32_t i = 0; i < m->layer_count; i++) {
        lc_keras_layer *l = &m->layers[i];
        const bool chosen = !pattern || lc_str_fits(lc_str_of(l->name), pattern);
        if (l->model) LC_TRY(set_all(net, l->model, chosen ? NULL : within(pattern, l->name), trainable, found, err));
        if (l->graph) LC_TRY(lc_net_set_graph_trainable(net, l, chosen ? NULL : pattern, trainable, found, err));
        for (; l && chosen && !l->graph; l = l->inner, ++*found) LC_TRY(write_trainable(net, l, trainable, err));
    }
    return LC_OK;
}

lc_status lc_net_set_trainable(lc_net *net, const char *pattern, bool trainable, lc_error *err) {
    uint32_t found = 0;
    LC_TRY(lc_net_build(net, err));
    LC_TRY(set_all(net, net->keras, pattern, trainable, &found, err));
    if (!found) {
        lc_fail(err, LC_ARGUMENT, "no layer of the model has a name that fits \"%.100s\"", pattern ? pattern : "*");
        if (lc_net_has_graph(net->keras) && net->variable_count)
            lc_error_hint(err,
                          "weights of a graph have names like \"%.80s\" and \"%.80s\" (lc_net_variable_at; litec inspect --tensors "
                          "--no-optimize); * stands for any letters, ? for one",
                          net->variables[0].path, net->variables[net->variable_count - 1].path);
        else lc_error_hint(err, "* stands for any letters, ? for one; lc_net_summary (litec train --summary) lists the layers");
        return LC_ARGUMENT;
    }
    lc_net_steps_forget(net);
    LC_TRY(lc_net_roles(net, err));
    LC_TRY(show(net, err));
    if (!net->compiled) return LC_OK;
    const lc_json *compiled = net->compiled; /* another set of variables: the optimizer begins anew, as compile does in Keras */
    return lc_net_make_compiled(net, compiled, err);
}

/* ---- weights of a file ---------------------------------------------------------------------------------------------------- */

lc_status lc_net_load_weights(lc_net *net, const char *path, lc_error *err) {
    lc_net *other = NULL;
    LC_TRY(lc_net_build(net, err));
    if (lc_net_is_checkpoint(path)) return lc_net_load_checkpoint(net, path, err);
    /* The file's arrays go into a second model of the same architecture, so that a file that does not fit changes nothing. */
    lc_text json = {0};
    lc_json_write(net->config, &json);
    lc_status status = json.failed || !json.data ? lc_fail_memory(err, "a configuration") : LC_OK;
    if (status == LC_OK)
        status = lc_net_from_json_with(json.data, json.size, &(lc_net_options){.limits = net->limits, .weights = path}, net, &other, err);
    lc_text_deinit(&json);
    if (status == LC_OK && other->variable_count != net->variable_count)
        status = lc_fail(err, LC_INVALID, "%.200s has %u arrays, the model has %u", path, other->variable_count, net->variable_count);
    for (uint32_t i = 0; status == LC_OK && i < net->variable_count; i++)
        if (other->variables[i].n != net->variables[i].n)
            status = lc_fail(err, LC_INVALID, "%.200s: \"%.200s\" has another size than in the model", path, net->variables[i].path);
    for (uint32_t i = 0; status == LC_OK && i < net->variable_count; i++)
        memcpy(net->variables[i].value, other->variables[i].value, net->variables[i].n * sizeof *net->variables[i].value);
    lc_net_destroy(other);
    return status;
}
