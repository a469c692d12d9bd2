/*
 * tf_emit_tool.c: a model of any format that litec reads, written for TensorFlow; for tests/oracle/check_tf_emit.py.
 *
 *   tf_emit_tool graph MODEL OUT.pb             a frozen graph
 *   tf_emit_tool saved_model MODEL FOLDER       without variables
 *   tf_emit_tool variables MODEL FOLDER PREFIX  with every array of floats as a variable: the folder a SavedModel, the prefix a checkpoint
 *                                               with a MetaGraph
 *   tf_emit_tool events MODEL FOLDER            some scalars, a histogram, the graph
 */
#include "emit/meta_graph_emit.h"
#include "emit/saved_model_emit.h"
#include "emit/graph_emit.h"
#include "litec/litec.h"
#include "support/variables.h"
#include "train/events.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int fail(const lc_error *err) {
    fprintf(stderr, "%s\n  %s\n", err->message, err->hint);
    return 1;
}

static lc_status write_graph(lc_model *m, const char *path, lc_error *err) {
    lc_arena arena = {0};
    lc_pb_GraphDef *graph;
    lc_file *file;
    lc_status status = lc_emit_graph(m, NULL, 0, &arena, &graph, err);
    if (status == LC_OK) status = lc_emit_message(path, LC_PB_GraphDef, graph, &file, err);
    if (status == LC_OK) status = lc_file_commit(file, err);
    lc_arena_deinit(&arena);
    return status;
}

static lc_status write_variables(lc_model *m, const char *folder, const char *prefix, lc_error *err) {
    lc_arena arena = {0};
    lc_emit_variable *v;
    size_t n = 0;
    lc_status status = variables_take(m, &arena, &v, &n, err);
    if (status == LC_OK) status = lc_emit_saved_model(m, folder, v, n, err);
    if (status == LC_OK) status = lc_emit_meta_graph(m, prefix, v, n, err);
    lc_arena_deinit(&arena);
    return status;
}

static lc_status write_events(lc_model *m, const char *folder, lc_error *err) {
    lc_events *ev;
    lc_arena arena = {0};
    lc_pb_GraphDef *graph;
    lc_text bytes = {0};
    LC_TRY(lc_events_open(folder, NULL, &ev, err));
    lc_status status = LC_OK;
    for (int i = 0; i < 5 && status == LC_OK; i++) status = lc_events_scalar(ev, "loss", i, 1.6e9 + i, 1.0 / (i + 1), err);
    if (status == LC_OK) status = lc_events_histogram(ev, "weights", 3, 1.6e9, (const float[]){-1, 0, 0, 1e-13f, 2, 2.05f}, 6, err);
    if (status == LC_OK) status = lc_emit_graph(m, NULL, 0, &arena, &graph, err);
    if (status == LC_OK) lc_pb_write(LC_PB_GraphDef, graph, &bytes);
    if (status == LC_OK) status = lc_events_graph(ev, 1.6e9, (lc_str){bytes.data, bytes.size}, err);
    lc_text_deinit(&bytes);
    lc_arena_deinit(&arena);
    lc_events_close(ev);
    return status;
}

int main(int argc, char **argv) {
    lc_error err = {0};
    lc_model *m;
    if (argc < 4) return 2;
    if (lc_convert(argv[2], LC_CONVERT(.no_optimize = true), &m, &err) != LC_OK) return fail(&err);
    lc_status status = LC_ARGUMENT;
    if (!strcmp(argv[1], "graph")) status = write_graph(m, argv[3], &err);
    else if (!strcmp(argv[1], "saved_model")) status = lc_emit_saved_model(m, argv[3], NULL, 0, &err);
    else if (!strcmp(argv[1], "variables") && argc == 5) status = write_variables(m, argv[3], argv[4], &err);
    else if (!strcmp(argv[1], "events")) status = write_events(m, argv[3], &err);
    lc_model_destroy(m);
    return status == LC_OK ? 0 : fail(&err);
}
