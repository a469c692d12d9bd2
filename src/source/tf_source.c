/*
 * tf_source.c: TensorFlow's files as sources: SavedModels, MetaGraphs, graphs, in wire form or text, and checkpoints, which lead to the
 * MetaGraph beside them. All are read to lc_tf_model (tf_read.h) and lowered by lower/tf.c.
 *
 * Stays true: the model owns every file its constants lie in. Of the wire form names and structures are given back as soon as the graph
 * stands; of text everything stays, because constants lie among it.
 */
#include "source/tf_probe.h"
#include "source/tf_read.h"
#include "source/tf_report.h"

#include <stdarg.h>
#include <string.h>

void lc_tf_note(const lc_tf_reading *r, const char *format, ...) {
    if (!r->options->note) return;
    char text[600];
    va_list args;
    va_start(args, format);
    const int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n > 0) r->options->note(r->options->note_user, text);
}

/* Every error says what to do next, also those that only know that something is wrong. */
static lc_status give_hint(lc_status status, lc_error *err) {
    if (status == LC_OK || !err || err->hint[0]) return status;
    if (status == LC_INVALID) lc_error_hint(err, "the file is damaged, or a program other than TensorFlow wrote it: export it again");
    else if (status == LC_UNSUPPORTED)
        lc_error_hint(err, "leave that part out: --output-arrays names what is wanted, --input-arrays where it begins");
    else if (status == LC_LIMIT) lc_error_hint(err, "if the file is what it should be, raise the limit (lc_limits, --max-memory)");
    return status;
}

/* ---- reading ---- */

/* Until version 21 of the format a placeholder's unknown shape was written as that of a scalar. */
static void forget_scalars(lc_pb_GraphDef *graph) {
    if (graph->versions && graph->versions->producer > 21) return;
    for (uint32_t i = 0; i < graph->node.n; i++) {
        if (!lc_tf_is_placeholder(&graph->node.data[i])) continue;
        const lc_pb_NodeDef *node = &graph->node.data[i];
        for (uint32_t k = 0; k < node->attr.n; k++) {
            lc_pb_AttrValue *v = node->attr.data[k].value;
            if (v && v->shape && !v->shape->dim.n && lc_str_is(node->attr.data[k].key, "shape")) v->shape->unknown_rank = true;
        }
    }
}

lc_status lc_tf_read_file(lc_tf_reading *r) {
    const lc_map *map = &r->input->map;
    bool text;
    void *message;
    const lc_tf_content content = lc_tf_probe(map->data, map->size, &text);
    const lc_pb_id id = content == LC_TF_SAVED_MODEL ? LC_PB_SavedModel : content == LC_TF_META_GRAPH ? LC_PB_MetaGraphDef : LC_PB_GraphDef;
    const lc_str bytes = {(const char *)map->data, map->size};
    const lc_status status = text ? lc_pb_read_text(id, bytes, r->budget, r->data, &message, r->err)
                                  : lc_pb_read(id, map->data, map->size, r->budget, r->arena, &message, r->err);
    if (status == LC_INVALID) {
        if (text) lc_error_hint(r->err, "correct the text there, or write the file again with tf.io.write_graph");
        else lc_error_hint(r->err, "the file is damaged or cut short: copy, download or export it again");
    }
    if (status) return status;
    if (content == LC_TF_SAVED_MODEL) {
        r->saved = message;
        LC_TRY(lc_tf_saved_meta(r, r->options->tf.tags, &r->meta));
    } else if (content == LC_TF_META_GRAPH) {
        r->meta = message;
    } else {
        r->graph = message;
    }
    if (r->meta) r->graph = r->meta->graph_def;
    if (!r->graph) {
        lc_fail(r->err, LC_INVALID, "there is no graph in it");
        lc_error_hint(r->err, "it was probably not written to the end: export or copy it again");
        return LC_INVALID;
    }
    forget_scalars(r->graph);
    LC_TRY(lc_tf_graph_init(&r->index, r->graph, r->arena, r->err));
    return lc_tf_values_init(r);
}

lc_status lc_tf_read_choice(lc_tf_reading *r) {
    const lc_tf_choice *c = &r->options->tf;
    lc_tf_signature *signatures = NULL;
    uint32_t count = 0;
    LC_TRY(lc_tf_set_fixes(r));
    if ((c->signatures != NULL) + (c->functions != NULL) + (c->input_arrays || c->output_arrays) > 1) {
        lc_fail(r->err, LC_ARGUMENT, "signatures, functions and arrays are three ways to say what is wanted: give one");
        lc_error_hint(r->err, "leave out two of --signature, --function and --input-arrays with --output-arrays");
        return LC_ARGUMENT;
    }
    if (c->functions) LC_TRY(lc_tf_functions(r, c->functions, &signatures, &count));
    else if (c->input_arrays || c->output_arrays) LC_TRY(lc_tf_arrays(r, &signatures, &count));
    else LC_TRY(lc_tf_signatures(r, c->signatures, &signatures, &count));
    if (!count && r->saved) LC_TRY(lc_tf_only_function(r, &signatures, &count));
    if (!count) LC_TRY(lc_tf_arrays(r, &signatures, &count));
    for (uint32_t i = 0; i < count; i++)
        if (lc_tf_settle(r, &signatures[i])) {
            if (count > 1) lc_error_prefix(r->err, "signature \"%.*s\"", LC_NAMED(signatures[i].key));
            return r->err->status;
        }
    LC_TRY(lc_tf_set_shapes(r, signatures, count));
    r->tf.graph = r->graph;
    r->tf.signatures = signatures;
    r->tf.signature_count = count;
    r->tf.init = lc_tf_init_node(r);
    r->tf.variable = lc_tf_variable;
    r->tf.asset = lc_tf_asset;
    r->tf.user = r;
    return LC_OK;
}

/* ---- loading ---- */

/* Numbers in the variables that were read and in the graph's own floating-point constants, which a frozen graph has in their place. */
static uint64_t count_parameters(const lc_tf_reading *r) {
    uint64_t all = r->values.numbers;
    for (uint32_t i = 0; i < r->graph->node.n; i++) {
        const lc_pb_AttrValue *v = lc_str_is(r->graph->node.data[i].op, "Const") ? lc_tf_attribute(&r->graph->node.data[i], "value") : NULL;
        const lc_pb_TensorShapeProto *shape = v && v->tensor ? v->tensor->tensor_shape : NULL;
        const lc_dtype type = v && v->tensor ? lc_pb_dtype(v->tensor->dtype) : LC_DTYPE_COUNT;
        uint64_t n = 1;
        bool right = type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_BFLOAT16 || type == LC_FLOAT64;
        for (uint32_t d = 0; shape && right && d < shape->dim.n; d++)
            right = shape->dim.data[d].size >= 0 && lc_mul_u64(n, (uint64_t)shape->dim.data[d].size, &n);
        if (right && !lc_add_u64(all, n, &all)) all = UINT64_MAX;
    }
    return all;
}

static lc_status load(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **out, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_model *model;
    *out = NULL;
    lc_budget_init(&budget, &options->limits);
    LC_TRY(lc_model_new(&options->limits, &model, err));
    lc_tf_reading r = {
        .input = input, .options = options, .budget = &budget, .arena = &arena, .data = &model->arena, .err = err, .path = input->path};
    lc_status status = lc_tf_read_file(&r);
    if (status == LC_OK) status = lc_tf_read_choice(&r);
    if (status == LC_OK) {
        status = lc_lower_tf(&r.tf, &options->lower, model, err);
        if (status && r.values.asset_error.status) lc_error_hint(err, "%s", r.values.asset_error.message);
    }
    if (status == LC_OK && stats) *stats = (lc_source_stats){r.index.node_count, count_parameters(&r)};
    if (status == LC_OK) status = lc_tf_values_give(&r, model);
    lc_tf_values_close(&r);
    lc_arena_deinit(&arena);
    if (status) {
        lc_model_destroy(model);
        return give_hint(status, err);
    }
    model->map = input->map;
    input->map = (lc_map){0};
    *out = model;
    return LC_OK;
}

lc_status lc_tf_meta_beside(const lc_source_input *checkpoint, lc_budget *budget, lc_arena *arena, lc_source_input *meta,
                            const char **prefix, lc_error *err) {
    lc_ckpt *ckpt;
    bool text;
    *meta = (lc_source_input){0};
    LC_TRY(lc_ckpt_open(checkpoint->path ? checkpoint->path : "", budget, arena, &ckpt, err));
    *prefix = lc_arena_printf(arena, "%s", lc_ckpt_prefix(ckpt));
    lc_ckpt_close(ckpt);
    char *path = *prefix ? lc_arena_printf(arena, "%s.meta", *prefix) : NULL;
    if (!path) return lc_fail_memory(err, "path");
    if (!lc_path_is_file(path)) {
        static const char inside[] = "variables/variables";
        const size_t n = strlen(*prefix), m = strlen(inside);
        const bool part = n >= m && strcmp(*prefix + n - m, inside) == 0;
        const int above = (int)(n - (part ? m : 0));
        const char *saved = lc_arena_printf(arena, "%.*ssaved_model.pb", above, *prefix);
        lc_fail(err, LC_INVALID, "a checkpoint holds the values of variables, but no graph; there is no %s", path);
        if (part && saved && lc_path_is_file(saved))
            lc_error_hint(err, "it is a part of a SavedModel: give that, %.*s", above ? above : 1, above ? *prefix : ".");
        else lc_error_hint(err, "give the graph and name the checkpoint: litec convert GRAPH.pb --checkpoint %s -o OUT.tflite", *prefix);
        return LC_INVALID;
    }
    LC_TRY(lc_map_open(&meta->map, path, &budget->limits, err));
    meta->path = path;
    if (lc_tf_probe(meta->map.data, meta->map.size, &text) == LC_TF_META_GRAPH) return LC_OK;
    lc_map_close(&meta->map);
    return lc_fail(err, LC_INVALID, "%s is no MetaGraph of TensorFlow", path);
}

/* A checkpoint alone has no graph: the one beside it is taken. */
static lc_status load_checkpoint(lc_source_input *input, const lc_source_options *options, lc_source_stats *stats, lc_model **out,
                                 lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_source_input meta;
    lc_source_options with = *options;
    const char *prefix;
    *out = NULL;
    lc_budget_init(&budget, &options->limits);
    lc_status status = lc_tf_meta_beside(input, &budget, &arena, &meta, &prefix, err);
    if (status == LC_OK) {
        if (!with.tf.checkpoint) with.tf.checkpoint = prefix;
        status = load(&meta, &with, stats, out, err);
        lc_map_close(&meta.map); /* nothing, when the model has it */
    }
    lc_arena_deinit(&arena);
    return status;
}

/* ---- verifying ---- */

/* Adds "1 signature", "3 signatures". */
static void add_count(lc_text *t, const char *before, uint64_t n, const char *what) {
    char digits[32];
    lc_text_printf(t, "%s%s %s%s", before, lc_grouped(n, digits), what, n == 1 ? "" : "s");
}

/* Every value of a checkpoint, and with it every checksum. */
static lc_status verify_values(lc_ckpt *ckpt, uint64_t *variables, uint64_t *numbers, lc_error *err) {
    *variables = *numbers = 0;
    for (size_t i = 0; i < lc_ckpt_count(ckpt); i++) {
        const lc_ckpt_entry *e = lc_ckpt_at(ckpt, i);
        const void *data;
        size_t size;
        if (e->type == LC_DTYPE_COUNT) continue; /* TensorFlow has types that litec has not */
        LC_TRY(lc_ckpt_read(ckpt, e, &data, &size, err));
        if (lc_str_is(e->name, LC_TF_OBJECTS)) continue;
        ++*variables;
        if (!lc_add_u64(*numbers, e->elements, numbers)) *numbers = UINT64_MAX;
    }
    return LC_OK;
}

static lc_status verify_graph(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    const lc_source_options options = {.limits = limits ? *limits : (lc_limits){0}};
    lc_budget budget;
    lc_arena arena = {0};
    lc_budget_init(&budget, limits);
    lc_tf_reading r = {
        .input = input, .options = &options, .budget = &budget, .arena = &arena, .data = &arena, .err = err, .path = input->path};
    const lc_pb_MetaGraphDef_SignatureDefEntry **list;
    uint32_t signatures = 0;
    uint64_t count = 0, numbers = 0;
    lc_status status = lc_tf_read_file(&r);
    if (status == LC_OK) status = lc_tf_visible_signatures(&r, &list, &signatures);
    bool variables = false;
    for (uint32_t i = 0; status == LC_OK && i < r.index.node_count; i++) {
        const lc_str op = r.graph->node.data[i].op;
        variables |= lc_str_is(op, "VarHandleOp") || lc_str_is(op, "VariableV2") || lc_str_is(op, "Variable");
    }
    if (status == LC_OK && variables && r.values.prefix) {
        status = lc_tf_values_open(&r, err);
        if (status == LC_OK) status = verify_values(r.values.ckpt, &count, &numbers, err);
    }
    if (status == LC_OK && summary) {
        lc_text t = {0};
        lc_text_printf(&t, "valid %s: ", r.saved ? "SavedModel" : r.meta ? "MetaGraph" : "TensorFlow graph");
        add_count(&t, "", r.index.node_count, "node");
        add_count(&t, ", ", r.graph->library ? r.graph->library->function.n : 0, "function");
        if (r.meta) add_count(&t, ", ", signatures, "signature");
        if (r.values.ckpt) add_count(&t, ", ", count, "variable"), add_count(&t, " with ", numbers, "number");
        *summary = lc_text_take(&t);
        if (!*summary) status = lc_fail_memory(err, "summary");
    }
    lc_tf_values_close(&r);
    lc_arena_deinit(&arena);
    return give_hint(status, err);
}

static lc_status verify_checkpoint(const lc_source_input *input, const lc_limits *limits, char **summary, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_ckpt *ckpt = NULL;
    uint64_t count = 0, numbers = 0;
    lc_budget_init(&budget, limits);
    lc_status status = lc_ckpt_open(input->path ? input->path : "", &budget, &arena, &ckpt, err);
    if (status == LC_OK) status = verify_values(ckpt, &count, &numbers, err);
    if (status == LC_OK && summary) {
        lc_text t = {0};
        lc_text_printf(&t, "valid checkpoint of version %d: ", lc_ckpt_version(ckpt));
        add_count(&t, "", count, "variable");
        add_count(&t, " with ", numbers, "number");
        *summary = lc_text_take(&t);
        if (!*summary) status = lc_fail_memory(err, "summary");
    }
    lc_ckpt_close(ckpt);
    lc_arena_deinit(&arena);
    return give_hint(status, err);
}

/* ---- reporting ---- */

static lc_status report_graph(const lc_source_input *input, const lc_source_options *options, bool json, lc_text *out, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_budget_init(&budget, &options->limits);
    lc_tf_reading r = {
        .input = input, .options = options, .budget = &budget, .arena = &arena, .data = &arena, .err = err, .path = input->path};
    lc_status status = lc_tf_read_file(&r);
    if (status == LC_OK) status = lc_tf_report_graph(&r, r.saved ? "SavedModel" : r.meta ? "MetaGraph" : "graph", json, out);
    lc_tf_values_close(&r);
    lc_arena_deinit(&arena);
    return give_hint(status, err);
}

static lc_status report_checkpoint(const lc_source_input *input, const lc_source_options *options, bool json, lc_text *out, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_ckpt *ckpt = NULL;
    lc_budget_init(&budget, &options->limits);
    const lc_status status = lc_ckpt_open(input->path ? input->path : "", &budget, &arena, &ckpt, err);
    if (status == LC_OK) lc_tf_report_checkpoint(ckpt, json, out);
    lc_ckpt_close(ckpt);
    lc_arena_deinit(&arena);
    return give_hint(status, err);
}

/* ---- the sources ---- */

static bool probe_as(const lc_map *map, lc_tf_content content) {
    bool text;
    return lc_tf_probe(map->data, map->size, &text) == content;
}
static bool probe_saved_model(const lc_map *map) { return probe_as(map, LC_TF_SAVED_MODEL); }
static bool probe_meta_graph(const lc_map *map) { return probe_as(map, LC_TF_META_GRAPH); }
static bool probe_graph(const lc_map *map) { return probe_as(map, LC_TF_GRAPH); }
static bool probe_checkpoint(const lc_map *map) { return probe_as(map, LC_TF_TABLE) || probe_as(map, LC_TF_STATE); }

extern const lc_source lc_source_saved_model, lc_source_meta_graph, lc_source_graph_def, lc_source_checkpoint;
const lc_source lc_source_saved_model = {"saved-model", "TensorFlow SavedModel", true, probe_saved_model, load, verify_graph, report_graph};
const lc_source lc_source_meta_graph = {"meta-graph", "TensorFlow MetaGraph (.meta)", true, probe_meta_graph, load, verify_graph,
                                        report_graph};
const lc_source lc_source_graph_def = {"graph-def", "TensorFlow graph (.pb, .pbtxt)", true, probe_graph, load, verify_graph, report_graph};
const lc_source lc_source_checkpoint = {"checkpoint",      "TensorFlow checkpoint", true, probe_checkpoint, load_checkpoint,
                                        verify_checkpoint, report_checkpoint};
