/*
 * meta_graph_emit.c: TensorFlow 1's checkpoint with its MetaGraph.
 *
 * The MetaGraph is written to the end before the checkpoint takes its place, and gets its name after it: so a full disk leaves the
 * older files as they were.
 */
#include "emit/meta_graph_emit.h"

#include "emit/graph_emit.h"

#define MOST_BYTES INT32_MAX /* of a message that protobuf reads */

static lc_status put_piece(void *user, const void *data, size_t size, lc_error *err) { return lc_file_write(user, data, size, err); }

lc_status lc_emit_message(const char *path, lc_pb_id id, const void *message, lc_file **file, lc_error *err) {
    uint64_t size;
    *file = NULL;
    LC_TRY(lc_pb_size(id, message, &size, err));
    if (size > MOST_BYTES) {
        lc_fail(err, LC_LIMIT, "%s: the graph would have %llu bytes, TensorFlow reads no more than %d", path, (unsigned long long)size,
                MOST_BYTES);
        lc_error_hint(err, "keep the weights as variables: they go into a file of their own");
        return LC_LIMIT;
    }
    LC_TRY(lc_file_create(path, file, err));
    const lc_status status = lc_pb_write_to(id, message, put_piece, *file, err);
    if (status != LC_OK) {
        lc_file_abort(*file);
        *file = NULL;
    }
    return status;
}

static lc_status make_graph(lc_model *model, lc_gd_variables *v, lc_arena *arena, lc_pb_SaverDef *saver, lc_pb_MetaGraphDef *meta,
                            lc_error *err) {
    lc_gd_emitter e;
    lc_gd_body b;
    lc_gd_body_init(&b, arena, false, err);
    lc_str *keys = lc_arena_array(arena, v->n, sizeof *keys);
    if (!keys) return lc_fail_memory(err, "names of variables");
    for (size_t i = 0; i < v->n; i++) keys[i] = lc_str_of(v->variables[i].name);
    v->keys = keys;
    LC_TRY(lc_gd_emitter_init(&e, model, arena, err));
    LC_TRY(lc_gd_variables_put(v, model, &b));
    LC_TRY(lc_gd_emit_main(&e, &b, v));
    if (v->n) { /* to save nothing is no operator of TensorFlow */
        LC_TRY(lc_gd_saver_put(v, &b, saver));
        LC_TRY(lc_gd_variables_collect(v, &b, meta));
        meta->saver_def = saver;
    }
    return lc_gd_emitter_end(&e, &b, &meta->graph_def);
}

static lc_status write_all(lc_model *model, const char *prefix, const lc_emit_variable *variables, size_t n, lc_arena *arena,
                           lc_error *err) {
    lc_gd_variables v = {.variables = variables, .n = n, .kind = LC_GD_REF};
    lc_pb_MetaGraphDef_MetaInfoDef info = {.tensorflow_version = LC_STR("2.21.0")};
    lc_pb_SaverDef saver;
    lc_pb_MetaGraphDef meta = {.meta_info_def = &info};
    LC_TRY(make_graph(model, &v, arena, &saver, &meta, err));
    const char *path = lc_arena_printf(arena, "%s.meta", prefix);
    if (!path) return lc_fail_memory(err, "path of a MetaGraph");
    lc_file *file;
    LC_TRY(lc_emit_message(path, LC_PB_MetaGraphDef, &meta, &file, err));
    lc_status status = lc_emit_checkpoint(prefix, variables, n, err);
    if (status != LC_OK) {
        lc_file_abort(file);
        return status;
    }
    LC_TRY(lc_file_commit(file, err));
    return lc_emit_checkpoint_state(prefix, NULL, 0, err);
}

lc_status lc_emit_meta_graph(lc_model *model, const char *prefix, const lc_emit_variable *v, size_t n, lc_error *err) {
    if (!prefix || !*prefix) return lc_fail(err, LC_ARGUMENT, "no prefix given for the checkpoint");
    lc_arena arena = {0};
    const lc_status status = write_all(model, prefix, v, n, &arena, err);
    lc_arena_deinit(&arena);
    return status;
}
