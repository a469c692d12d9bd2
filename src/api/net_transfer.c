/*
 * net_transfer.c: what a trained model lends to another: cut at a layer, put in as a layer, or as a fixed function whose results are worked out
 * once.
 *
 * A model that is cut or put in is its configuration and copies of its variables: neither changes with the other. Variables find their places by
 * the paths of their layers, which are those in the one model, behind the layer's name in the other.
 *
 * A model of Keras 2 as a layer of one that is described here, which is one of Keras 3, keeps its generation: "keras_version" in its entry, which
 * litec alone understands (lc_net_save says so). A graph goes along by its number (net_graph.h).
 */
#include "api/net_graph.h"

#include "emit/keras_config.h"

#include <stdlib.h>
#include <string.h>

/* ---- variables that wait for their model ------------------------------------------------------------------------------------ */

struct lc_net_given {
    lc_net_given *next;
    const char *layer; /* whose variables they are */
    uint32_t count;
    lc_variable *variables; /* [count] path, n, value: owned */
};

void lc_net_given_end(lc_net *net) {
    while (net->given) {
        lc_net_given *g = net->given;
        net->given = g->next;
        for (uint32_t i = 0; i < g->count; i++) lc_free_aligned(g->variables[i].value);
        lc_free(g->variables);
        lc_free(g);
    }
}

/* Notes copies of the model's variables for this layer. */
static lc_status give(lc_net *net, const char *layer, const lc_net *model, lc_error *err) {
    lc_net_given *g = lc_calloc(1, sizeof *g);
    if (!g) return lc_fail_memory(err, "a model as a layer");
    g->next = net->given;
    net->given = g;
    g->layer = layer;
    g->variables = lc_calloc(model->variable_count ? model->variable_count : 1, sizeof *g->variables);
    for (; g->variables && g->count < model->variable_count; g->count++) {
        const lc_variable *from = &model->variables[g->count];
        lc_variable *to = &g->variables[g->count];
        to->n = from->n;
        to->path = lc_arena_strndup(&net->arena, from->path, strlen(from->path));
        to->value = to->path ? lc_calloc_aligned((from->n ? from->n : 1) * sizeof *to->value) : NULL;
        if (!to->value) return lc_fail_memory(err, "a model as a layer");
        memcpy(to->value, from->value, from->n * sizeof *to->value);
    }
    return g->variables ? LC_OK : lc_fail_memory(err, "a model as a layer");
}

/* Whether two variables are of the same part of a layer: "mha/query/kernel", "mha/query/bias". */
static bool same_part(const char *a, const char *b) {
    const char *ends[2] = {strrchr(a, '/'), strrchr(b, '/')};
    const size_t n = ends[0] ? (size_t)(ends[0] - a) : 0, m = ends[1] ? (size_t)(ends[1] - b) : 0;
    return n == m && memcmp(a, b, n) == 0;
}

/* Where the variable of this path is in the list, looked for from `from` on; n: it is not there. */
static uint32_t find_path(const lc_variable *list, uint32_t n, uint32_t from, const char *path) {
    for (uint32_t k = 0; k < n; k++)
        if (strcmp(list[(from + k) % n].path, path) == 0) return (from + k) % n;
    return n;
}

/* The variables below `layer` (NULL: all) get the values of those in the list, by their paths. Where there is no such path, those of a part lie together, in the same order in both; their own
 * names may differ: files of Keras 2 have other ones. */
static lc_status take(lc_net *net, const char *layer, const lc_variable *list, uint32_t n, lc_error *err) {
    const size_t skip = layer ? strlen(layer) + 1 : 0;
    const char *before = NULL;
    uint32_t at = 0;
    for (uint32_t i = 0; i < net->variable_count; i++) {
        const lc_variable *v = &net->variables[i];
        if (layer && (strncmp(v->path, layer, skip - 1) != 0 || v->path[skip - 1] != '/')) continue;
        const char *path = v->path + skip;
        const uint32_t same = find_path(list, n, at, path);
        if (same < n) at = same;
        else if (before && same_part(before, path)) at++;
        else
            for (uint32_t k = 0, from = at; k < n; k++) { /* the same order: the search begins where the last one ended */
                at = (from + k) % n;
                if (same_part(list[at].path, path)) break;
            }
        before = path;
        if (at >= n || !same_part(list[at].path, path))
            return lc_fail(err, LC_INVALID, "variable \"%.200s\" is not in the model it should come from", v->path);
        if (list[at].n != v->n) {
            lc_fail(err, LC_INVALID, "variable \"%.200s\" has %zu numbers here, in the model it comes from %zu", v->path, v->n, list[at].n);
            lc_error_hint(err, "the model is called with another shape than it was built for");
            return LC_INVALID;
        }
        memcpy(v->value, list[at].value, v->n * sizeof *v->value);
    }
    return LC_OK;
}

lc_status lc_net_given_take(lc_net *net, lc_error *err) {
    for (const lc_net_given *g = net->given; g; g = g->next) LC_TRY(take(net, g->layer, g->variables, g->count, err));
    lc_net_given_end(net);
    return LC_OK;
}

/* ---- a model as a layer -------------------------------------------------------------------------------------------------------- */

static bool is_keras3(const lc_keras_model *m) { return !lc_keras_is_keras2(m); }

/* Of a model that is only described, with models in it: their variables wait here now. */
static lc_status give_again(lc_net *net, const char *layer, const lc_net *model, lc_error *err) {
    for (const lc_net_given *g = model->given; g; g = g->next) {
        const char *path = lc_arena_printf(&net->arena, "%s/%s", layer, g->layer);
        const lc_net within = {.variables = g->variables, .variable_count = g->count};
        if (!path) return lc_fail_memory(err, "a model as a layer");
        LC_TRY(give(net, path, &within, err));
    }
    return LC_OK;
}

int32_t lc_net_put_model(lc_net *net, lc_description *d, const lc_net *model) {
    const char *stated = model->keras ? model->keras->keras_version : NULL;
    const char *version = !model->keras || is_keras3(model->keras) ? NULL : stated ? stated : "2.0.0";
    lc_status status = d->status == LC_OK ? lc_net_share_graphs(net, model, &d->error) : d->status;
    if (!model->keras) {
        const int32_t put = lc_describe_model(d, &model->described);
        if (put >= 0 && status == LC_OK) status = give_again(net, d->layers[put].name, model, &d->error);
        if (status != LC_OK) d->status = status;
        return d->status == LC_OK ? put : -1;
    }
    if (version && (strtol(version, NULL, 10) < 2 || !lc_json_is(lc_json_get(model->config, "config"), LC_JSON_OBJECT))) {
        lc_describe_fail(d, LC_UNSUPPORTED, "model '%.100s' was written by Keras %.20s: it cannot be a layer of a model of Keras 3",
                         model->keras->name ? model->keras->name : "?", version);
        lc_error_hint(&d->error, "train a head on what it gives (lc_features_of_net), or save it with Keras 3 first");
        return -1;
    }
    const int32_t layer = lc_describe_config(d, model->config, version);
    if (status != LC_OK) d->status = status;
    if (layer >= 0 && give(net, d->layers[layer].name, model, &d->error) != LC_OK) d->status = LC_NO_MEMORY;
    return d->status == LC_OK ? layer : -1;
}

/* ---- cutting ---------------------------------------------------------------------------------------------------------------- */

static lc_json text_of(const char *s) { return (lc_json){.kind = LC_JSON_STRING, .string = s}; }

/* ["name", call, 0] */
static lc_json *reference(lc_arena *arena, const char *name, int32_t call) {
    lc_json *r = lc_arena_array(arena, 4, sizeof *r);
    if (!r) return NULL;
    for (int i = 2; i < 4; i++) r[i] = (lc_json){.kind = LC_JSON_INT};
    r[1] = text_of(name);
    r[2].integer = call;
    r[0] = (lc_json){.kind = LC_JSON_ARRAY, .items = r + 1, .count = 3};
    return r;
}

typedef struct cutting {
    const lc_keras_model *model;
    lc_arena *arena;
    uint32_t *calls; /* [layers] how many calls of each are needed, from the first on */
    int32_t *open;   /* layers whose inputs are to be looked at */
    size_t open_count;
    int32_t last;           /* where the model ends */
    const lc_json *instead; /* its entry, where that was cut itself; NULL: as it is */
    bool keras3;
} cutting;

static void need(cutting *c, int32_t layer, uint32_t calls) {
    if (c->calls[layer] >= calls) return;
    c->calls[layer] = calls;
    c->open[c->open_count++] = layer;
}

/* What the layer's first call stands on. */
static lc_status find_needed(cutting *c, int32_t layer, lc_error *err) {
    size_t most = 1;
    for (uint32_t i = 0; i < c->model->layer_count; i++) most += c->model->layers[i].call_count + 1u;
    c->calls = lc_arena_array(c->arena, c->model->layer_count, sizeof *c->calls);
    c->open = lc_arena_array(c->arena, most, sizeof *c->open);
    if (!c->calls || !c->open) return lc_fail_memory(err, "a model");
    need(c, layer, 1);
    while (c->open_count) {
        const int32_t at = c->open[--c->open_count];
        const lc_keras_layer *l = &c->model->layers[at];
        for (uint32_t k = 0; k < c->calls[at] && k < l->call_count; k++)
            for (uint32_t i = 0; i < l->calls[k].input_count; i++) {
                const lc_keras_ref *r = &l->calls[k].inputs[i];
                need(c, r->layer, (uint32_t)r->node + 1);
            }
    }
    return LC_OK;
}

/* The layers that are needed, as serialised, each with the calls that are; a Sequential: all up to this one. */
static lc_status cut_layers(const cutting *c, bool sequential, lc_json *out, lc_error *err) {
    lc_json *items = lc_arena_array(c->arena, (size_t)c->model->layer_count + 1, sizeof *items);
    uint32_t n = 0;
    if (!items) return lc_fail_memory(err, "a model");
    for (uint32_t i = 0; i < c->model->layer_count; i++) {
        const bool ends = i == (uint32_t)c->last && c->instead;
        const lc_json *entry = ends ? c->instead : c->model->layers[i].entry, *nodes = lc_json_get(entry, "inbound_nodes");
        if (!entry || !(sequential ? i <= (uint32_t)c->last : c->calls[i] > 0)) continue;
        if (!sequential && lc_json_is(nodes, LC_JSON_ARRAY) && nodes->count > c->calls[i]) {
            lc_json fewer = *nodes;
            fewer.count = c->calls[i];
            entry = lc_config_with(c->arena, entry, "inbound_nodes", &fewer);
            if (!entry) return lc_fail_memory(err, "a model");
        }
        items[n] = *entry;
        items[n++].key = NULL;
    }
    *out = (lc_json){.kind = LC_JSON_ARRAY, .items = items, .count = n};
    return LC_OK;
}

/* References to these layers: Keras 3 writes a single one without a list around it. */
static lc_status list_of(const lc_json *references, uint32_t n, bool keras3, lc_json *out, lc_error *err) {
    if (!n) return lc_fail(err, LC_INVALID, "no input of the model leads there");
    *out = n == 1 && keras3 ? references[0] : (lc_json){.kind = LC_JSON_ARRAY, .items = (lc_json *)(uintptr_t)references, .count = n};
    return LC_OK;
}

static lc_status cut_ends(const cutting *c, const lc_json **config, lc_error *err) {
    const int32_t last = c->last;
    const bool keras3 = c->keras3;
    const lc_keras_model *m = c->model;
    lc_json *inputs = lc_arena_array(c->arena, (size_t)m->input_count + 1, sizeof *inputs), list;
    uint32_t n = 0;
    const lc_keras_model *within = m->layers[last].model; /* its own making is its call 0, as far as Keras counts here */
    const lc_json *output = reference(c->arena, m->layers[last].name, within && !(keras3 && strcmp(within->class_name, "Sequential") == 0));
    if (!inputs || !output) return lc_fail_memory(err, "a model");
    for (uint32_t i = 0; i < m->input_count; i++) {
        const int32_t layer = m->inputs[i].layer;
        if (!c->calls[layer]) continue;
        const lc_json *r = reference(c->arena, m->layers[layer].name, 0);
        if (!r) return lc_fail_memory(err, "a model");
        inputs[n++] = *r;
    }
    LC_TRY(list_of(inputs, n, keras3, &list, err));
    *config = lc_config_with(c->arena, *config, "input_layers", &list);
    LC_TRY(list_of(output, 1, keras3, &list, err));
    *config = *config ? lc_config_with(c->arena, *config, "output_layers", &list) : NULL;
    return *config ? LC_OK : lc_fail_memory(err, "a model");
}

/* The configuration of a model that ends at this layer; instead: what stands for its entry, NULL: itself. */
static lc_status cut(const lc_keras_model *m, const lc_json *config, int32_t last, const lc_json *instead, lc_arena *arena,
                     const lc_json **out, lc_error *err) {
    cutting c = {.model = m, .arena = arena, .last = last, .instead = instead, .keras3 = is_keras3(m)};
    const bool sequential = strcmp(m->class_name, "Sequential") == 0;
    lc_json layers, *list;
    if (!sequential) LC_TRY(find_needed(&c, last, err));
    LC_TRY(cut_layers(&c, sequential, &layers, err));
    if (lc_json_is(config, LC_JSON_OBJECT)) { /* the first Sequential of Keras was a list */
        config = lc_config_with(arena, config, "layers", &layers);
        if (config && !sequential) LC_TRY(cut_ends(&c, &config, err));
    } else {
        list = lc_arena_alloc(arena, sizeof *list);
        if (list) *list = layers;
        config = list;
    }
    *out = config;
    return config ? LC_OK : lc_fail_memory(err, "a model");
}

/* Where the cut goes. */
typedef struct place {
    lc_net *net; /* knows the graphs of the new configuration */
    lc_arena *arena;
    const char *name; /* all of it, for messages */
} place;

/* A layer that is a graph ends earlier: its new entry. */
static lc_status cut_graph(const place *p, const lc_keras_layer *l, const char *name, const lc_json **entry, lc_error *err) {
    const lc_graph_layer *from = l->graph;
    const char *before = lc_graph_layer_learning(l->config, from->weight_count);
    lc_graph_layer *g;
    LC_TRY(lc_graph_layer_cut(from, name, &g, err));
    lc_status status = lc_net_add_graph(p->net, g, err);
    char *learns = lc_arena_alloc(p->arena, (size_t)g->weight_count + 1);
    if (status == LC_OK && !learns) status = lc_fail_memory(err, "a graph");
    for (size_t i = 0; status == LC_OK && i < g->graph->tensor_count; i++)
        if (g->weight_of[i] >= 0) learns[g->weight_of[i]] = before ? before[from->weight_of[i]] : '1';
    const lc_json id = {.kind = LC_JSON_INT, .integer = g->id}, flags = {.kind = LC_JSON_STRING, .string = learns};
    const lc_json *config = status == LC_OK ? lc_config_with(p->arena, l->config, "graph", &id) : NULL;
    if (config) config = lc_config_with(p->arena, config, "learns", &flags);
    *entry = config ? lc_config_with(p->arena, l->entry, "config", config) : NULL;
    lc_graph_layer_drop(g);
    return *entry ? LC_OK : status != LC_OK ? status : lc_fail_memory(err, "a graph");
}

/* "base/conv" of the layer "conv" somewhere within; in the arena. NULL: there is none. */
static const char *find_within(lc_arena *arena, const lc_keras_model *m, const char *name, const char *around) {
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        if (*around && l->name && strcmp(l->name, name) == 0) return lc_arena_printf(arena, "%s%s", around, name);
        const char *path = l->model ? lc_arena_printf(arena, "%s%s/", around, l->name) : NULL;
        const char *found = path ? find_within(arena, l->model, name, path) : NULL;
        if (found) return found;
    }
    return NULL;
}

static lc_status no_layer(const place *p, const lc_keras_model *m, const char *name, lc_error *err) {
    const char **names = lc_arena_array(p->arena, (size_t)m->layer_count + 1, sizeof *names);
    uint32_t n = 0;
    if (!names) return lc_fail_memory(err, "names");
    for (uint32_t i = 0; i < m->layer_count; i++)
        if (m->layers[i].name) names[n++] = m->layers[i].name;
    const char *within = find_within(p->arena, m, name, ""), *near = lc_nearest(name, names);
    lc_fail(err, LC_ARGUMENT, "the model has no layer \"%.100s\"", p->name);
    if (within) lc_error_hint(err, "it is in a model within: \"%.200s\"", within);
    else if (near) lc_error_hint(err, "did you mean \"%.200s\"?", near);
    else lc_error_hint(err, "lc_net_summary (litec train --summary) lists the layers; one in a model within is \"model/layer\"");
    return LC_ARGUMENT;
}

/* The configuration of a model that ends at a layer of it, at "layer/..." within one that is a model, or at a place in its graph. */
static lc_status cut_at(const place *p, const lc_keras_model *m, const lc_json *config, const char *name, const lc_json **out,
                        lc_error *err) {
    const lc_json *entry = NULL, *within;
    int32_t graph = -1;
    for (uint32_t i = 0; i < m->layer_count; i++)
        if (m->layers[i].name && strcmp(m->layers[i].name, name) == 0) return cut(m, config, (int32_t)i, NULL, p->arena, out, err);
    for (uint32_t i = 0; i < m->layer_count; i++) {
        const lc_keras_layer *l = &m->layers[i];
        const size_t n = l->model && l->name ? strlen(l->name) : 0;
        if (l->graph) graph = (int32_t)i;
        if (!n || strncmp(name, l->name, n) != 0 || name[n] != '/') continue;
        LC_TRY(cut_at(p, l->model, lc_json_get(l->entry, "config"), name + n + 1, &within, err));
        entry = lc_config_with(p->arena, l->entry, "config", within);
        return entry ? cut(m, config, (int32_t)i, entry, p->arena, out, err) : lc_fail_memory(err, "a model");
    }
    if (graph < 0) return no_layer(p, m, name, err);
    LC_TRY(cut_graph(p, &m->layers[graph], name, &entry, err));
    return cut(m, config, graph, entry, p->arena, out, err);
}

/* {"class_name", "config", "keras_version"} of it. */
static lc_status cut_net(const lc_net *net, const place *p, const lc_json **out, lc_error *err) {
    const lc_json *config;
    lc_json members[2];
    LC_TRY(cut_at(p, net->keras, lc_json_get(net->config, "config"), p->name, &config, err));
    members[0] = text_of(net->keras->class_name);
    members[0].key = "class_name";
    members[1] = text_of(net->keras->keras_version ? net->keras->keras_version : "3.0.0");
    members[1].key = "keras_version";
    const lc_json root = {.kind = LC_JSON_OBJECT, .items = members, .count = 2};
    *out = lc_config_with(p->arena, &root, "config", config);
    return *out ? LC_OK : lc_fail_memory(err, "a model");
}

lc_status lc_net_cut(lc_net *net, const char *layer, lc_net **out, lc_error *err) {
    *out = NULL;
    LC_TRY(lc_net_build(net, err));
    lc_arena arena = {0};
    const lc_json *config;
    lc_text text = {0};
    lc_net graphs = {0}; /* those of the net, and what is left of one that was cut */
    const place p = {&graphs, &arena, layer ? layer : ""};
    lc_status status = lc_net_share_graphs(&graphs, net, err);
    if (status == LC_OK) status = cut_net(net, &p, &config, err);
    if (status == LC_OK) lc_json_write(config, &text);
    if (status == LC_OK && text.failed) status = lc_fail_memory(err, "a model");
    const lc_net_options o = {.limits = net->limits, .seed = net->seed};
    if (status == LC_OK) status = lc_net_from_json_with(text.data, text.size, &o, &graphs, out, err);
    if (status == LC_OK) status = take(*out, NULL, net->variables, net->variable_count, err);
    if (status != LC_OK) {
        lc_net_destroy(*out);
        *out = NULL;
    }
    lc_net_drop_graphs(&graphs);
    lc_text_deinit(&text);
    lc_arena_deinit(&arena);
    return status;
}
