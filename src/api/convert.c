/*
 * convert.c: the one call that turns a file of any known format into a model: map, recognise by content, read and lower,
 * rewrite (lc_optimize; a model of quantisation-aware training becomes an int8 one). What stays true: the source file is only ever
 * mapped read-only; a failure leaves nothing behind; the model owns the map, so its constants may lie in the file. A .tflite source is
 * taken as it stands: its author's operators are not rewritten, so that convert of a .tflite is a clean copy.
 */
#include "api/api.h"
#include "ops/op.h"
#include "pass/pass.h"
#include "quant/quant.h"
#include "runtime/load.h"
#include "source/shape_list.h"

#include <string.h>

lc_status lc_convert_source_options(const lc_convert_options *o, const lc_source *source, lc_str *opdefs, lc_source_options *how,
                                    lc_error *err) {
    const lc_tf_choice choice = {.tags = o->tags,
                                 .signatures = o->signatures,
                                 .functions = o->functions,
                                 .input_arrays = o->input_arrays,
                                 .output_arrays = o->output_arrays,
                                 .input_shapes = o->input_shapes,
                                 .fix = o->fix,
                                 .checkpoint = o->checkpoint};
    uint32_t n = 0;
    for (; o->custom_opdefs && o->custom_opdefs[n]; n++) {
        if (n == LC_MOST_OPDEFS) return lc_fail(err, LC_ARGUMENT, "more than %d custom operators", LC_MOST_OPDEFS);
        opdefs[n] = lc_str_of(o->custom_opdefs[n]);
    }
    const bool tensorflow = choice.tags || choice.signatures || choice.functions || choice.input_arrays || choice.output_arrays ||
                            choice.fix || choice.checkpoint || o->select_tf_ops || n;
    if (tensorflow && !source->tensorflow) {
        lc_fail(err, LC_ARGUMENT, "signatures, arrays, checkpoints and the like are of TensorFlow's graphs; this is a %s", source->what);
        lc_error_hint(err, "leave these options out");
        return LC_ARGUMENT;
    }
    if (o->weights && strncmp(source->name, "keras", 5) != 0) {
        lc_fail(err, LC_ARGUMENT, "a file of weights goes with a Keras model; this is a %s", source->what);
        lc_error_hint(err, "leave weights out; the values of a TensorFlow graph's variables are in its checkpoint");
        return LC_ARGUMENT;
    }
    *how = (lc_source_options){.limits = o->limits,
                               .lower = {.allow_custom_ops = o->allow_custom_ops,
                                         .layer = o->layer ? lc_layer_ask : NULL,
                                         .layer_user = (void *)(uintptr_t)o, /* read only */
                                         .select_tf_ops = o->select_tf_ops,
                                         .unroll = o->unroll,
                                         .custom_opdefs = opdefs,
                                         .custom_opdef_count = n,
                                         .note = o->note,
                                         .note_user = o->note_user},
                               .tf = choice,
                               .weights = o->weights,
                               .note = o->note,
                               .note_user = o->note_user};
    return LC_OK;
}

static uint32_t count_operators(const lc_model *model) {
    size_t n = 0;
    for (size_t g = 0; g < model->graph_count; g++) n += model->graphs[g]->node_count;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

lc_status lc_convert_rewrite(lc_model *model, lc_error *err) {
    bool changed;
    LC_TRY(lc_optimize(model, err));
    LC_TRY(lc_quant_aware(model, &changed, err));
    return changed ? lc_optimize(model, err) : LC_OK;
}

static lc_status convert(const char *path, const lc_convert_options *options, struct lc_problems *problems, bool weights, lc_model **model,
                         lc_convert_stats *stats, lc_error *err) {
    lc_source_input input;
    const lc_source *source = NULL;
    LC_TRY(lc_source_open(path, &options->limits, &input, &source, err));
    const bool tflite = lc_tflite_probe(input.map.data, input.map.size), as_it_stands = options->no_optimize || tflite;
    lc_source_options how;
    lc_str opdefs[LC_MOST_OPDEFS];
    lc_status status = lc_convert_source_options(options, source, opdefs, &how, err);
    how.lower.problems = problems;
    how.lower.weights = weights;
    lc_source_stats read = {0};
    if (status == LC_OK) status = source->load(&input, &how, &read, model, err);
    lc_source_close(&input);
    if (status == LC_OK && options->input_shapes && tflite) status = lc_model_set_shapes(*model, options->input_shapes, err);
    if (status == LC_OK && !as_it_stands) status = lc_convert_rewrite(*model, err);
    if (status) {
        lc_model_destroy(*model);
        *model = NULL;
        lc_error_prefix(err, "%s", path);
        return status;
    }
    *stats = (lc_convert_stats){read.layers, count_operators(*model), read.parameters, source->name};
    return LC_OK;
}

lc_status lc_convert_with(const char *path, const lc_convert_options *options, struct lc_problems *problems, lc_model **model,
                          lc_convert_stats *stats, lc_error *err) {
    return convert(path, options, problems, false, model, stats, err);
}

lc_status lc_convert_to_train(const char *path, const lc_convert_options *options, bool weights, lc_model **model, bool *stated,
                              lc_error *err) {
    lc_convert_stats stats;
    const lc_status status = convert(path, options, NULL, weights, model, &stats, err);
    *stated = weights && status == LC_OK && strcmp(stats.format, "tflite") != 0;
    return status;
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
    LC_TRY(lc_convert_with(path, options, NULL, model, &stats, err));
    if (options->stats) *options->stats = stats;
    return LC_OK;
}
