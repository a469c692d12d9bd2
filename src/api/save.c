/*
 * save.c: a model as .tflite, into a file or into memory. The bytes go from the writer straight to their place; a file
 * appears under its name whole or not at all (base/file.h). Refused: writing over the file that the model's constants lie
 * in, because they would be read from what is being written.
 */
#include "api/api.h"
#include "emit/emit.h"

#include <string.h>

static lc_status to_file(void *user, const void *data, size_t size, lc_error *err) { return lc_file_write(user, data, size, err); }

lc_status lc_model_save(const lc_model *model, const char *path, uint64_t *size, lc_error *err) {
    lc_error_clear(err);
    if (size) *size = 0;
    if (!model || !path) return lc_fail(err, LC_ARGUMENT, "lc_model_save needs a model and a path");
    if (lc_model_reads(model, path)) {
        lc_fail(err, LC_ARGUMENT, "%s: the output is a file the model was read from", path);
        lc_error_hint(err, "write to another file and move it over the old one afterwards");
        return LC_ARGUMENT;
    }
    lc_file *file = NULL;
    LC_TRY(lc_file_create(path, &file, err));
    const lc_sink sink = {.write = to_file, .user = file};
    uint64_t written = 0;
    const lc_status status = lc_emit_tflite(model, &sink, &written, err);
    if (status) {
        lc_file_abort(file);
        return status;
    }
    LC_TRY(lc_file_commit(file, err));
    if (size) *size = written;
    return LC_OK;
}

typedef struct block {
    uint8_t *data; /* NULL: only count */
    size_t size, used;
} block;

static lc_status to_block(void *user, const void *data, size_t size, lc_error *err) {
    block *b = user;
    size_t end;
    if (!lc_add_size(b->used, size, &end)) return lc_fail(err, LC_LIMIT, "the model does not fit in memory");
    if (b->data) {
        if (end > b->size) return lc_fail(err, LC_INVALID, "the model changed while it was written");
        if (size) memcpy(b->data + b->used, data, size);
    }
    b->used = end;
    return LC_OK;
}

lc_status lc_model_to_memory(const lc_model *model, void **data, size_t *size, lc_error *err) {
    lc_error_clear(err);
    if (!model || !data || !size) return lc_fail(err, LC_ARGUMENT, "lc_model_to_memory needs a model and places for data and size");
    *data = NULL;
    *size = 0;
    /* Written twice: once to count, once into a block of just that size; the writer is deterministic. */
    block b = {0};
    const lc_sink sink = {.write = to_block, .user = &b};
    LC_TRY(lc_emit_tflite(model, &sink, NULL, err));
    b.size = b.used;
    b.used = 0;
    b.data = lc_malloc(b.size);
    if (!b.data) return lc_fail_memory(err, "the written model");
    const lc_status status = lc_emit_tflite(model, &sink, NULL, err);
    if (status) {
        lc_free(b.data);
        return status;
    }
    *data = b.data;
    *size = b.used;
    return LC_OK;
}
