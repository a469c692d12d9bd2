/*
 * convert.c: the one call that turns a file of any known format into a model: map, recognise by content, read and lower,
 * rewrite. What stays true: the source file is only ever mapped read-only; a failure leaves nothing behind; the model owns
 * the map, so its constants may lie in the file. A .tflite source is taken as it stands: its author's operators are not
 * rewritten, so that convert of a .tflite is a clean copy.
 */
#include "api/api.h"
#include "ops/op.h"
#include "pass/pass.h"
#include "runtime/load.h"
#include "source/source.h"

lc_status lc_source_open(const char *path, const lc_limits *limits, lc_map *map, const lc_source **source, lc_error *err) {
    LC_TRY(lc_source_check_path(path, err));
    LC_TRY(lc_map_open(map, path, limits, err));
    *source = lc_source_find(map, err);
    if (*source) return LC_OK;
    lc_map_close(map);
    lc_error_prefix(err, "%s", path);
    return err->status;
}

static uint32_t count_operators(const lc_model *model) {
    size_t n = 0;
    for (size_t g = 0; g < model->graph_count; g++) n += model->graphs[g]->node_count;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static lc_status convert(const char *path, const lc_convert_options *options, lc_model **model, lc_convert_stats *stats, lc_error *err) {
    lc_map map = {0};
    const lc_source *source = NULL;
    LC_TRY(lc_source_open(path, &options->limits, &map, &source, err));
    const bool as_it_stands = options->no_optimize || lc_tflite_probe(map.data, map.size);
    lc_source_options how = {.limits = options->limits, .lower = {.allow_custom_ops = options->allow_custom_ops}};
    lc_source_stats read = {0};
    lc_status status = source->load(&map, &how, &read, model, err);
    if (status) lc_map_close(&map);
    else if (!as_it_stands) status = lc_optimize(*model, err);
    if (status) {
        lc_model_destroy(*model);
        *model = NULL;
        lc_error_prefix(err, "%s", path);
        return status;
    }
    *stats = (lc_convert_stats){read.layers, count_operators(*model), read.parameters, source->name};
    return LC_OK;
}

lc_status lc_convert(const char *path, const lc_convert_options *options, lc_model **model, lc_error *err) {
    static const lc_convert_options defaults = {0};
    lc_convert_stats stats = {0};
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!model) return lc_fail(err, LC_ARGUMENT, "lc_convert needs a place for the model");
    *model = NULL;
    if (!path) return lc_fail(err, LC_ARGUMENT, "lc_convert needs the path of a model");
    if (!options) options = &defaults;
    LC_TRY(convert(path, options, model, &stats, err));
    if (options->stats) *options->stats = stats;
    return LC_OK;
}
