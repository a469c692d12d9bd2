/*
 * tf_keras_order.c: the order in which Keras 2 has a model's outputs. The signature of its SavedModel is a map by the outputs' names; the
 * order is only in the configuration that Keras keeps for itself: JSON, in keras_metadata.pb beside the graph, in versions before 2.5 in
 * the object graph. (Keras 3 calls outputs output_0, output_1 ... and so keeps their order in the names.)
 *
 * All of it is a courtesy: what is not there or not understood leaves the order of the names.
 */
#include "source/tf_read.h"

#include <string.h>

/* The root object's configuration; absent when there is none. */
static lc_status root_metadata(lc_tf_reading *r, lc_str *json, lc_map *map) {
    const lc_pb_SavedObjectGraph *objects = r->meta ? r->meta->object_graph_def : NULL;
    *json = (lc_str){NULL, 0};
    if (!objects || !objects->nodes.n || !objects->nodes.data[0].user_object) return LC_OK;
    const lc_pb_SavedUserObject *root = objects->nodes.data[0].user_object;
    if (!lc_str_has_prefix(root->identifier, "_tf_keras")) return LC_OK;
    if (root->metadata.size) {
        *json = root->metadata;
        return LC_OK;
    }
    if (!r->path) return LC_OK;
    const char *slash = strrchr(r->path, '/');
    const char *path = lc_arena_printf(r->arena, "%.*skeras_metadata.pb", slash ? (int)(slash - r->path) + 1 : 0, r->path);
    lc_error ignored;
    void *message;
    if (!path) return lc_fail_memory(r->err, "path");
    if (!lc_path_is_file(path) || lc_map_open(map, path, &r->budget->limits, &ignored)) return LC_OK;
    const lc_status status = lc_pb_read(LC_PB_KerasSavedMetadata, map->data, map->size, r->budget, r->arena, &message, &ignored);
    if (status == LC_NO_MEMORY) return lc_fail_memory(r->err, "keras_metadata.pb");
    const lc_pb_KerasSavedMetadata *m = message;
    for (uint32_t i = 0; status == LC_OK && i < m->nodes.n; i++)
        if (m->nodes.data[i].node_id == 0) *json = m->nodes.data[i].metadata;
    return LC_OK;
}

/* Keras numbers outputs of one name: "lstm", "lstm_1". */
static lc_status add_name(lc_tf_reading *r, const char *name) {
    const char *unique = name;
    for (uint32_t number = 1; number < 100; number++) {
        bool taken = false;
        for (uint32_t i = 0; i < r->keras_output_count; i++) taken |= lc_str_is(r->keras_outputs[i], unique);
        if (!taken) break;
        unique = lc_arena_printf(r->arena, "%s_%u", name, number);
        if (!unique) return lc_fail_memory(r->err, "outputs");
    }
    const char *copy = lc_arena_strndup(r->arena, unique, strlen(unique));
    if (!copy) return lc_fail_memory(r->err, "outputs");
    r->keras_outputs[r->keras_output_count++] = lc_str_of(copy);
    return LC_OK;
}

static lc_status read_names(lc_tf_reading *r, lc_str json) {
    const lc_json *root;
    lc_error ignored;
    const lc_status status = lc_json_parse(json.data, json.size, r->budget, r->arena, &root, &ignored);
    if (status == LC_NO_MEMORY) return lc_fail_memory(r->err, "keras_metadata.pb");
    if (status) return LC_OK;
    const lc_json *layers = lc_json_get(lc_json_get(root, "config"), "output_layers");
    if (!lc_json_is(layers, LC_JSON_ARRAY) || layers->count < 2 || layers->count > 1000) return LC_OK;
    r->keras_outputs = lc_arena_array(r->arena, layers->count, sizeof *r->keras_outputs);
    if (!r->keras_outputs) return lc_fail_memory(r->err, "outputs");
    for (uint32_t i = 0; i < layers->count; i++) {
        const lc_json *name = lc_json_at(lc_json_at(layers, i), 0); /* [layer, call, tensor] */
        if (!lc_json_is(name, LC_JSON_STRING)) {
            r->keras_output_count = 0;
            return LC_OK;
        }
        LC_TRY(add_name(r, name->string));
    }
    return LC_OK;
}

lc_status lc_tf_keras_outputs(lc_tf_reading *r) {
    lc_str json;
    lc_map map = {0};
    if (r->keras_looked) return LC_OK;
    r->keras_looked = true;
    lc_status status = root_metadata(r, &json, &map);
    if (status == LC_OK && json.size) status = read_names(r, json);
    lc_map_close(&map);
    return status;
}
