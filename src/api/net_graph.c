/*
 * net_graph.c: models that are no Keras files as nets: SavedModels, frozen graphs, checkpoints with their graph, .tflite files.
 *
 * Such a net is a functional model of one layer that has the graph (lower/graph_layer.h), so that all of training, transfer and saving works on it
 * as on others. Its configuration names the graph by a number; the net, and every net it is put into, holds the graph itself. What learns is a
 * member of the configuration, too: it goes along when the net becomes a layer of another.
 */
#include "api/net_graph.h"

#include "api/api.h"

#include <stdlib.h>
#include <string.h>

/* ---- graphs of a net --------------------------------------------------------------------------------------------------------- */

struct lc_net_graph {
    lc_net_graph *next;
    lc_graph_layer *graph;
};

void lc_net_drop_graphs(lc_net *net) {
    while (net->graphs) {
        lc_net_graph *one = net->graphs;
        net->graphs = one->next;
        lc_graph_layer_drop(one->graph);
        lc_free(one);
    }
}

lc_status lc_net_add_graph(lc_net *net, lc_graph_layer *graph, lc_error *err) {
    for (const lc_net_graph *one = net->graphs; one; one = one->next)
        if (one->graph == graph) return LC_OK;
    lc_net_graph *one = lc_calloc(1, sizeof *one);
    if (!one) return lc_fail_memory(err, "a graph");
    __atomic_add_fetch(&graph->references, 1, __ATOMIC_RELAXED);
    *one = (lc_net_graph){net->graphs, graph};
    net->graphs = one;
    return LC_OK;
}

lc_status lc_net_share_graphs(lc_net *net, const lc_net *other, lc_error *err) {
    for (const lc_net_graph *one = other->graphs; one; one = one->next) LC_TRY(lc_net_add_graph(net, one->graph, err));
    return LC_OK;
}

/* Weights of a file, "vars/12", under their numbers; else those of the graph. */
static lc_status take_weights(lc_net *net, lc_keras_layer *l, lc_error *err) {
    const lc_graph_layer *g = l->graph;
    lc_keras_weight *list = lc_arena_array(&net->arena, (size_t)g->weight_count + 1, sizeof *list);
    if (!list) return lc_fail_memory(err, "weights");
    if (g->weight_count) memcpy(list, g->weights, g->weight_count * sizeof *list);
    if (l->weight_count && l->weight_count != g->weight_count)
        return lc_fail(err, LC_INVALID, "layer \"%.100s\" has %u arrays in the file, %u in the model", l->name, l->weight_count,
                       g->weight_count);
    for (uint32_t i = 0; i < l->weight_count; i++) {
        const char *number = l->weights[i].name ? strrchr(l->weights[i].name, '/') : NULL;
        const unsigned long at = number && number[1] >= '0' && number[1] <= '9' ? strtoul(number + 1, NULL, 10) : i;
        if (at >= g->weight_count) return lc_fail(err, LC_INVALID, "layer \"%.100s\" has no array %lu", l->name, at);
        const lc_keras_weight *w = &l->weights[i];
        if (w->rank != list[at].rank || memcmp(w->dims, list[at].dims, (size_t)w->rank * sizeof *w->dims) != 0)
            return lc_fail(err, LC_INVALID, "\"%.200s\" has another shape in the file than in the model", list[at].name);
        list[at] = *w;
        list[at].name = g->weights[at].name;
    }
    l->weights = list;
    l->weight_count = g->weight_count;
    return LC_OK;
}

static lc_status attach(lc_net *net, lc_keras_layer *l, lc_error *err) {
    if (!l->registered_name || strcmp(l->registered_name, LC_GRAPH_LAYER_NAME) != 0) return LC_OK;
    const lc_json *id = lc_json_get(l->config, "graph");
    for (const lc_net_graph *one = net->graphs; one && !l->graph; one = one->next)
        if (lc_json_is(id, LC_JSON_INT) && id->integer == one->graph->id) l->graph = one->graph;
    if (l->graph) return take_weights(net, l, err);
    lc_fail(err, LC_UNSUPPORTED, "layer \"%.100s\" is a graph of a TensorFlow or .tflite file, which is not in this one", l->name);
    lc_error_hint(err, "open that file again: lc_net_open");
    return LC_UNSUPPORTED;
}

lc_status lc_net_attach_graphs(lc_net *net, lc_keras_model *m, lc_error *err) {
    for (uint32_t i = 0; i < m->layer_count; i++)
        for (lc_keras_layer *l = &m->layers[i]; l; l = l->inner) {
            LC_TRY(attach(net, l, err));
            if (l->model) LC_TRY(lc_net_attach_graphs(net, l->model, err));
        }
    if (m->output_names || !m->output_count) return LC_OK;
    const lc_graph_layer *g = m->layers[m->outputs[0].layer].graph; /* all outputs are those of one graph: they have its names */
    for (uint32_t k = 0; k < m->output_count; k++)
        if (!g || m->layers[m->outputs[k].layer].graph != g || (uint32_t)m->outputs[k].tensor >= g->output_count) return LC_OK;
    m->output_names = lc_arena_array(&net->arena, m->output_count, sizeof *m->output_names);
    if (!m->output_names) return lc_fail_memory(err, "names");
    for (uint32_t k = 0; k < m->output_count; k++) m->output_names[k] = g->output_names[m->outputs[k].tensor];
    return LC_OK;
}

bool lc_net_has_graph(const lc_keras_model *m) {
    for (uint32_t i = 0; i < m->layer_count; i++)
        for (const lc_keras_layer *l = &m->layers[i]; l; l = l->inner)
            if (l->graph || (l->model && lc_net_has_graph(l->model))) return true;
    return false;
}

/* ---- what learns ---------------------------------------------------------------------------------------------------------------- */

/* The name, or a scope that it is in: "a/b" and "a" of "a/b/kernel". */
static bool fits(const char *name, const char *pattern) {
    if (!pattern || lc_str_fits(lc_str_of(name), pattern)) return true;
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/'))
        if (lc_str_fits((lc_str){name, (size_t)(slash - name)}, pattern)) return true;
    return false;
}

lc_status lc_net_set_graph_trainable(lc_net *net, lc_keras_layer *l, const char *pattern, bool trainable, uint32_t *found, lc_error *err) {
    const lc_graph_layer *g = l->graph;
    const lc_json *before = lc_json_get(l->config, "learns");
    const char *now = lc_graph_layer_learning(l->config, g->weight_count);
    char *learns = lc_arena_alloc(&net->arena, (size_t)g->weight_count + 1);
    if (!learns || !before) return lc_fail_memory(err, "a configuration");
    for (uint32_t i = 0; i < g->weight_count; i++) {
        const bool chosen = fits(g->weights[i].name, pattern);
        learns[i] = (chosen ? trainable : !now || now[i] == '1') ? '1' : '0';
        *found += chosen;
    }
    if (!g->weight_count && !pattern) ++*found;
    ((lc_json *)(uintptr_t)before)->string = learns; /* the net's own tree */
    return LC_OK;
}

/* ---- making one ------------------------------------------------------------------------------------------------------------------ */

static void add_json(lc_text *out, const char *s) { lc_text_add_json(out, s, strlen(s)); }

static void add_shape(const lc_tensor *t, lc_text *out) {
    lc_text_add(out, "[null");
    for (int32_t d = 1; d < t->rank; d++)
        if (lc_tensor_dim(t, d) < 0) lc_text_add(out, ", null");
        else lc_text_printf(out, ", %d", lc_tensor_dim(t, d));
    lc_text_add(out, "]");
}

/* Inputs have names of their own, which no other layer has. */
static void add_input_name(const lc_graph_layer *g, uint32_t i, lc_text *out) {
    char name[160];
    uint32_t same = strcmp(g->input_names[i], "graph") == 0;
    for (uint32_t k = 0; k < i; k++) same += strcmp(g->input_names[k], g->input_names[i]) == 0;
    if (same) snprintf(name, sizeof name, "%.120s_%u", g->input_names[i], i);
    else snprintf(name, sizeof name, "%.120s", g->input_names[i]);
    add_json(out, name);
}

lc_status lc_net_graph_entry(lc_net *net, const lc_graph_layer *g, const char *learns, lc_text *out, lc_error *err) {
    (void)net;
    lc_text_printf(out, "{\"module\": null, \"class_name\": \"%s\", \"registered_name\": \"%s\", \"name\": \"graph\", ",
                   LC_GRAPH_LAYER_CLASS, LC_GRAPH_LAYER_NAME);
    lc_text_printf(out, "\"config\": {\"name\": \"graph\", \"graph\": %d, \"learns\": \"", g->id);
    for (uint32_t i = 0; i < g->weight_count; i++) lc_text_add(out, !learns || learns[i] == '1' ? "1" : "0");
    lc_text_add(out, "\"}, \"inbound_nodes\": [{\"args\": [");
    for (uint32_t i = 0; i < g->input_count; i++) {
        const lc_tensor *t = &g->graph->tensors[g->inputs[i]];
        lc_text_add(out, i ? ", {" : "{");
        lc_text_add(out, "\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": ");
        add_shape(t, out);
        lc_text_printf(out, ", \"dtype\": \"%s\", \"keras_history\": [", lc_dtype_name(t->type));
        add_input_name(g, i, out);
        lc_text_add(out, ", 0, 0]}}");
    }
    lc_text_add(out, "], \"kwargs\": {}}]}");
    return out->failed ? lc_fail_memory(err, "a configuration") : LC_OK;
}

static lc_status describe(lc_net *net, const lc_graph_layer *g, const char *name, lc_text *out, lc_error *err) {
    lc_text_add(out, "{\"module\": \"keras.src.models.functional\", \"class_name\": \"Functional\", \"registered_name\": \"Functional\", ");
    lc_text_add(out, "\"config\": {\"name\": ");
    add_json(out, name);
    lc_text_add(out, ", \"trainable\": true, \"layers\": [");
    for (uint32_t i = 0; i < g->input_count; i++) {
        const lc_tensor *t = &g->graph->tensors[g->inputs[i]];
        lc_text_add(out, "{\"module\": \"keras.layers\", \"class_name\": \"InputLayer\", \"registered_name\": null, \"name\": ");
        add_input_name(g, i, out);
        lc_text_add(out, ", \"config\": {\"batch_shape\": ");
        add_shape(t, out);
        lc_text_printf(out, ", \"dtype\": \"%s\", \"sparse\": false, \"name\": ", lc_dtype_name(t->type));
        add_input_name(g, i, out);
        lc_text_add(out, "}, \"inbound_nodes\": []}, ");
    }
    LC_TRY(lc_net_graph_entry(net, g, NULL, out, err));
    lc_text_add(out, "], \"input_layers\": [");
    for (uint32_t i = 0; i < g->input_count; i++) {
        lc_text_add(out, i ? ", [" : "[");
        add_input_name(g, i, out);
        lc_text_add(out, ", 0, 0]");
    }
    lc_text_add(out, "], \"output_layers\": [");
    for (uint32_t k = 0; k < g->output_count; k++) lc_text_printf(out, "%s[\"graph\", 0, %u]", k ? ", " : "", k);
    lc_text_add(out, "]}, \"keras_version\": \"3.0.0\"}");
    return out->failed ? lc_fail_memory(err, "a configuration") : LC_OK;
}

static lc_status from_model(lc_model *model, bool stated, const char *name, const lc_net_options *options, lc_net **out, lc_error *err) {
    lc_graph_layer *g;
    lc_net shared = {0};
    lc_text text = {0};
    *out = NULL;
    LC_TRY(lc_graph_layer_make(model, stated, &g, err));
    lc_status status = lc_net_add_graph(&shared, g, err);
    lc_graph_layer_drop(g);
    if (status == LC_OK) status = describe(&shared, g, name, &text, err);
    const lc_net_options o = {.limits = options ? options->limits : (lc_limits){0}, .seed = options ? options->seed : 0};
    if (status == LC_OK) status = lc_net_from_json_with(text.data, text.size, &o, &shared, out, err);
    if (status == LC_OK && options && options->weights) status = lc_net_load_weights(*out, options->weights, err);
    if (status != LC_OK) {
        lc_net_destroy(*out);
        *out = NULL;
    }
    lc_net_drop_graphs(&shared);
    lc_text_deinit(&text);
    return status;
}

lc_status lc_net_from_model(lc_model *model, const lc_net_options *options, lc_net **out, lc_error *err) {
    if (out) *out = NULL;
    if (!model || !out) return lc_fail(err, LC_ARGUMENT, "lc_net_from_model needs a model, and a place for the net");
    return from_model(model, false, "model", options, out, err);
}

/* "mobilenet" of "models/mobilenet.tflite". */
static void name_of(const char *path, char name[64]) {
    size_t size = strlen(path);
    while (size && path[size - 1] == '/') size--;
    size_t at = size;
    while (at && path[at - 1] != '/') at--;
    size_t n = 0;
    for (; at < size && n < 63 && path[at] != '.'; at++) {
        const char c = path[at];
        const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        name[n++] = word ? c : '_';
    }
    memcpy(name + n, n ? "" : "model", n ? 1 : 6);
}

lc_status lc_net_open_graph(const char *path, const lc_net_options *options, lc_net **out, lc_error *err) {
    const lc_convert_options o = {.limits = options ? options->limits : (lc_limits){0}, .no_optimize = true};
    lc_model *model = NULL;
    char name[64];
    *out = NULL;
    name_of(path, name);
    bool stated;
    lc_status status = lc_convert_to_train(path, &o, true, &model, &stated, NULL);
    if (status != LC_OK && status != LC_NO_MEMORY) status = lc_convert_to_train(path, &o, false, &model, &stated, err);
    else if (status != LC_OK) lc_fail_memory(err, "a model");
    if (status == LC_OK) status = from_model(model, stated, name, options, out, err);
    if (status != LC_OK && model && status != LC_NO_MEMORY) lc_error_prefix(err, "%s", path);
    lc_model_destroy(model);
    return status;
}
