/*
 * freeze.c: a TensorFlow graph and its checkpoint become one file, the frozen graph: read (source/tf_read.h), rewritten
 * (source/tf_freeze.h), and written straight from where the values lie. Nothing is written before the whole graph stands.
 */
#include "api/api.h"
#include "source/tf_freeze.h"
#include "source/tf_probe.h"

#define MOST_BYTES ((uint64_t)INT32_MAX) /* that a protocol buffer may have */

static lc_status to_file(void *user, const void *data, size_t size, lc_error *err) { return lc_file_write(user, data, size, err); }

static lc_status write_graph(const lc_tf_reading *r, const lc_pb_GraphDef *graph, const char *output, uint64_t *bytes, lc_error *err) {
    lc_file *file;
    LC_TRY(lc_pb_size(LC_PB_GraphDef, graph, bytes, err));
    if (*bytes > MOST_BYTES) {
        lc_fail(err, LC_LIMIT, "the frozen graph would have %llu bytes, a protocol buffer can have %llu", (unsigned long long)*bytes,
                (unsigned long long)MOST_BYTES);
        lc_error_hint(err, "convert the graph as it is: litec convert reads the checkpoint beside it");
        return LC_LIMIT;
    }
    if (lc_map_is(&r->input->map, output)) {
        lc_fail(err, LC_ARGUMENT, "%s: the output is the file the graph is read from", output);
        lc_error_hint(err, "write to another file");
        return LC_ARGUMENT;
    }
    LC_TRY(lc_file_create(output, &file, err));
    const lc_status status = lc_pb_write_to(LC_PB_GraphDef, graph, to_file, file, err);
    if (status) lc_file_abort(file);
    return status ? status : lc_file_commit(file, err);
}

static lc_status freeze(lc_tf_reading *r, const lc_freeze_options *o, const char *output, lc_error *err) {
    const lc_tf_freeze_options how = {.output_nodes = o->output_nodes,
                                      .initializer_nodes = o->initializer_nodes,
                                      .only = o->only_variables,
                                      .but = o->but_variables,
                                      .keep_devices = o->keep_devices};
    lc_tf_frozen frozen;
    uint64_t bytes;
    LC_TRY(lc_tf_read_file(r));
    LC_TRY(lc_tf_freeze(r, &how, &frozen));
    LC_TRY(write_graph(r, &frozen.graph, output, &bytes, err));
    if (o->stats) *o->stats = (lc_freeze_stats){frozen.graph.node.n, frozen.variables, bytes};
    return LC_OK;
}

static lc_status freeze_input(const lc_source_input *input, const lc_source *source, const lc_freeze_options *o, const char *output,
                              lc_error *err) {
    lc_source_options options = {
        .limits = o->limits, .tf = {.tags = o->tags, .checkpoint = o->checkpoint}, .note = o->note, .note_user = o->note_user};
    lc_budget budget;
    lc_arena arena = {0};
    lc_source_input meta = {0};
    bool text;
    lc_status status = LC_OK;
    lc_budget_init(&budget, &o->limits);
    if (!source->tensorflow) {
        lc_fail(err, LC_ARGUMENT, "a %s is no graph of TensorFlow: there is nothing to freeze", source->what);
        lc_error_hint(err, "convert it: litec convert");
        return LC_ARGUMENT;
    }
    const lc_tf_content content = lc_tf_probe(input->map.data, input->map.size, &text);
    if (content == LC_TF_TABLE || content == LC_TF_STATE) {
        const char *prefix;
        status = lc_tf_meta_beside(input, &budget, &arena, &meta, &prefix, err);
        if (!options.tf.checkpoint) options.tf.checkpoint = prefix;
        input = &meta;
    }
    lc_tf_reading r = {
        .input = input, .options = &options, .budget = &budget, .arena = &arena, .data = &arena, .err = err, .path = input->path};
    if (status == LC_OK) status = freeze(&r, o, output, err);
    lc_tf_values_close(&r);
    lc_map_close(&meta.map);
    lc_arena_deinit(&arena);
    return status;
}

lc_status lc_freeze(const char *path, const char *output, const lc_freeze_options *options, lc_error *err) {
    static const lc_freeze_options defaults = {0};
    lc_source_input input;
    const lc_source *source;
    lc_error local;
    if (!err) err = &local;
    lc_error_clear(err);
    if (!path || !output) return lc_fail(err, LC_ARGUMENT, "lc_freeze needs the path of a graph and that of the file to write");
    if (!options) options = &defaults;
    LC_TRY(lc_source_open(path, &options->limits, &input, &source, err));
    const lc_status status = freeze_input(&input, source, options, output, err);
    lc_source_close(&input);
    if (status && status != LC_IO) lc_error_prefix(err, "%s", path);
    return status;
}
