/*
 * fuzz_graph.c: bytes as any file of TensorFlow that holds a graph: SavedModel, MetaGraph, GraphDef, in wire form or text. It is verified,
 * described, frozen, and converted; a model that comes out must be right. Nothing lies beside it, so variables have no values.
 */
#include "fuzz/fuzz.h"

#include "source/source.h"
#include "source/tf_freeze.h"
#include "source/tf_probe.h"

#include <stdlib.h>
#include <string.h>

static unsigned touched; /* bytes that a reader lent must be there */

static const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000, .max_nodes = 5000};

static void must_say(lc_status status, const lc_error *err) {
    if (status && (!err->message[0] || err->status != status)) abort();
}

static lc_status to_nowhere(void *user, const void *data, size_t size, lc_error *err) {
    (void)user;
    (void)err;
    for (size_t i = 0; i < size; i += 64) touched += ((const unsigned char *)data)[i];
    return LC_OK;
}

static void freeze(const lc_source_input *input, const lc_source_options *options) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_tf_frozen frozen;
    char names[200];
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    lc_tf_reading r = {.input = input, .options = options, .budget = &budget, .arena = &arena, .data = &arena, .err = &err};
    lc_status status = lc_tf_read_file(&r);
    if (status == LC_OK) {
        /* the last node is what the graph is for */
        const lc_str last = r.graph->node.n ? r.graph->node.data[r.graph->node.n - 1].name : LC_STR("");
        const size_t n = last.size < sizeof names ? last.size : sizeof names - 1;
        if (n) memcpy(names, last.data, n);
        names[n] = 0;
        const lc_tf_freeze_options how = {.output_nodes = names, .initializer_nodes = names};
        status = lc_tf_freeze(&r, &how, &frozen);
        if (status == LC_OK) status = lc_pb_write_to(LC_PB_GraphDef, &frozen.graph, to_nowhere, NULL, &err);
    }
    must_say(status, &err);
    lc_tf_values_close(&r);
    lc_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    lc_source_input input = {.map = {.data = data, .size = size}};
    const lc_source_options options = {.limits = limits, .lower = {.allow_custom_ops = size % 2, .select_tf_ops = size % 3 == 0}};
    lc_error err;
    lc_error_clear(&err);
    const lc_source *source = lc_source_find(&input.map, &err);
    if (!source || !source->tensorflow || strcmp(source->name, "checkpoint") == 0) return 0;
    char *summary = NULL;
    must_say(source->verify(&input, &limits, &summary, &err), &err);
    lc_free(summary);
    for (int json = 0; json < 2; json++) {
        lc_text text = {0};
        lc_error_clear(&err);
        must_say(source->report(&input, &options, json, &text, &err), &err);
        lc_text_deinit(&text);
    }
    freeze(&input, &options);
    lc_model *model;
    lc_source_stats stats;
    lc_error_clear(&err);
    const lc_status status = source->load(&input, &options, &stats, &model, &err);
    must_say(status, &err);
    if (status == LC_OK) {
        if (lc_model_check(model, &err)) abort();
        model->map = (lc_map){0}; /* the bytes are the fuzzer's */
        lc_model_destroy(model);
    }
    return 0;
}
