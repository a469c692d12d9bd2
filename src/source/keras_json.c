/*
 * keras_json.c: the architecture of a Keras model as model.to_json() writes it, of Keras 1, 2 and 3. It has no weights: they are in a file of
 * their own (keras_weights.c), which the caller names.
 *
 *   Keras 1, 2   {"class_name": "Sequential", "config": ..., "keras_version": "2.2.4", "backend": "tensorflow"}
 *   Keras 3      {"module": "keras", "class_name": "Functional", "config": ..., "registered_name": ..., "build_config": ...}
 *
 * json.dump(model.to_json(), f) makes of it a string in JSON, which is common and read as well.
 *
 * Refuses: TensorFlow.js models, the index of weights in shards, both of which hold JSON like this.
 */
#include "source/keras_read.h"

#include <string.h>

#define LOOK_SIZE 65536

bool lc_keras_json_probe(const void *data, size_t size) {
    static const char *const signs[] = {"\"class_name\"", "\\\"class_name\\\"", "\"weight_map\""};
    const char *text = data;
    size_t at = 0, end = size < LOOK_SIZE ? size : LOOK_SIZE;
    while (at < end && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) at++;
    if (at == end || (text[at] != '{' && text[at] != '"')) return false;
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++)
        for (size_t i = at, n = strlen(signs[k]); i + n <= end; i++)
            if (text[i] == signs[k][0] && memcmp(text + i, signs[k], n) == 0) return true;
    return false;
}

static lc_status refuse(lc_error *err, const char *what, const char *hint) {
    LC_SOURCE_FAIL(err, LC_INVALID, KERAS_CONFIG, LC_NO_OFFSET, "%s", what);
    lc_error_hint(err, "%s", hint);
    return LC_INVALID;
}

lc_status lc_keras_read_json(const lc_keras_reading *r, lc_keras_model **model, lc_error *err) {
    *model = NULL;
    const lc_json *root;
    lc_keras_model *m;
    LC_TRY(lc_json_parse((const char *)r->map->data, r->map->size, r->budget, r->arena, &root, err));
    if (root->kind == LC_JSON_STRING) LC_TRY(lc_json_parse(root->string, strlen(root->string), r->budget, r->arena, &root, err));
    if (lc_json_get(root, "modelTopology") || lc_json_get(root, "weightsManifest"))
        return refuse(
            err, "a model of TensorFlow.js, which litec does not read",
            "turn it into Keras: tensorflowjs_converter --input_format tfjs_layers_model --output_format keras model.json model.h5");
    if (lc_json_get(root, "weight_map"))
        return refuse(
            err, "the index of weights in shards, not a model",
            "give the model's architecture, as model.to_json() writes it, and this file with --weights (lc_convert_options.weights)");
    const char *version = lc_json_str(root, "keras_version", NULL);
    if (!version && lc_json_get(root, "module")) version = "3";
    LC_TRY(lc_keras_config(root, version, r->budget, r->arena, &m, err));
    if (r->weights) LC_TRY(lc_keras_read_weights(r, m, err));
    *model = m;
    return LC_OK;
}
