/*
 * keras_source.c: the Keras formats as sources: read (keras_h5.c, keras_zip.c, keras_json.c), then lower. Verifying is reading without
 * lowering: everything a conversion would look at is checked, and no graph is made. An architecture alone can be verified, not converted.
 *
 * Stays true: what the model borrows lives in its own maps and arena; configuration, names and HDF5 structures are given back as
 * soon as the graph stands.
 */
#include "source/keras_read.h"
#include "source/zip.h"

#include <string.h>

typedef lc_status (*read_fn)(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);

static bool probe_h5(const lc_map *map) { return lc_h5_probe(map->data, map->size); }
static bool probe_zip(const lc_map *map) { return lc_zip_probe(map->data, map->size); }
static bool probe_json(const lc_map *map) { return lc_keras_json_probe(map->data, map->size); }

/* Every error of a file says what to do next, also those that only know that something is wrong. */
static lc_status give_hint(lc_status status, lc_error *err) {
    if (status == LC_OK || !err || err->hint[0]) return status;
    if (status == LC_NO_MEMORY) lc_error_hint(err, "close other programs, or use a machine with more memory");
    else if (status == LC_LIMIT) lc_error_hint(err, "if the file is what it should be, raise the limit (lc_limits)");
    else lc_error_hint(err, "the file is damaged or was not written by Keras: save the model again with model.save(...)");
    return status;
}

/* The checksum decides last: wrong bytes explain any other failure. */
static lc_status end_check(lc_zip_check *check, lc_status status, lc_error *err) {
    const lc_status checked = lc_zip_check_end(check, err);
    return checked == LC_OK ? status : checked;
}

static lc_status no_weights(lc_error *err) {
    LC_SOURCE_FAIL(err, LC_INVALID, KERAS_CONFIG, LC_NO_OFFSET, "the architecture of a Keras model, without its weights");
    lc_error_hint(
        err, "name their file with --weights (lc_convert_options.weights): model.save_weights(\"x.weights.h5\") writes it; or save the "
             "whole model with model.save(...)");
    return LC_INVALID;
}

static lc_status load(read_fn read, lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **out,
                      lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_keras_model *keras;
    lc_model *model;
    *out = NULL;
    lc_budget_init(&budget, &options->limits);
    LC_TRY(lc_model_new(&options->limits, &model, err));
    lc_zip_check check = {0};
    lc_keras_maps maps = {0};
    lc_keras_reading r = {&input->map, &budget, &arena, &model->arena, &check, options->weights, &maps};
    lc_status status = give_hint(read(&r, &keras, err), err);
    if (status == LC_OK && read == lc_keras_read_json && !options->weights) status = no_weights(err);
    if (status == LC_OK) {
        if (stats) *stats = lc_keras_count(keras);
        if (options->tf.input_shapes) status = lc_keras_set_shapes(keras, options->tf.input_shapes, &arena, err);
    }
    if (status == LC_OK) status = lc_lower_keras(keras, &options->lower, model, err);
    status = end_check(&check, status, err);
    lc_arena_deinit(&arena);
    if (status == LC_OK && maps.count) status = lc_model_take_maps(model, maps.items, maps.count, err); /* closes them when it fails */
    if (status != LC_OK) {
        lc_model_destroy(model);
        lc_keras_maps_close(&maps);
        return status;
    }
    lc_free(maps.items);
    model->map = input->map;
    input->map = (lc_map){0};
    *out = model;
    return LC_OK;
}

static lc_status load_h5(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **model,
                         lc_error *err) {
    return load(lc_keras_read_h5, input, options, stats, model, err);
}
static lc_status load_zip(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **model,
                          lc_error *err) {
    return load(lc_keras_read_zip, input, options, stats, model, err);
}
static lc_status load_json(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **model,
                           lc_error *err) {
    return load(lc_keras_read_json, input, options, stats, model, err);
}

static lc_status verify(read_fn read, const char *what, const lc_source_input *input, const lc_limits *limits, char **summary,
                        lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_keras_model *keras;
    lc_budget_init(&budget, limits);
    lc_zip_check check = {0};
    lc_keras_reading r = {&input->map, &budget, &arena, &arena, &check, NULL, NULL};
    lc_status status = give_hint(read(&r, &keras, err), err);
    status = end_check(&check, status, err);
    if (status == LC_OK && summary) {
        lc_source_stats stats = lc_keras_count(keras);
        char digits[32];
        lc_text t = {0};
        lc_text_printf(&t, "valid %s: %s model%s%.32s, %u layers, ", what, keras->class_name, keras->keras_version ? " of Keras " : "",
                       keras->keras_version ? keras->keras_version : "", stats.layers);
        lc_text_add(&t, lc_grouped(stats.parameters, digits));
        lc_text_add(&t, " parameters, ");
        lc_text_add(&t, lc_grouped(input->map.size, digits));
        lc_text_add(&t, " bytes");
        *summary = lc_text_take(&t);
        if (!*summary) status = lc_fail_memory(err, "summary");
    }
    lc_arena_deinit(&arena);
    return status;
}

static lc_status verify_h5(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    return verify(lc_keras_read_h5, "Keras HDF5 file", input, limits, summary, err);
}
static lc_status verify_zip(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    return verify(lc_keras_read_zip, "Keras zip file", input, limits, summary, err);
}
static lc_status verify_json(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    return verify(lc_keras_read_json, "Keras architecture without weights", input, limits, summary, err);
}

extern const lc_source lc_source_keras_h5, lc_source_keras_zip, lc_source_keras_json;
const lc_source lc_source_keras_h5 = {"keras-h5", "Keras HDF5 model (.h5)", false, probe_h5, load_h5, verify_h5, NULL};
const lc_source lc_source_keras_zip = {"keras-zip", "Keras model (.keras)", false, probe_zip, load_zip, verify_zip, NULL};
const lc_source lc_source_keras_json = {"keras-json", "Keras architecture (.json)", false, probe_json, load_json, verify_json, NULL};
