/*
 * bundle_emit.c: variables as a V2 checkpoint.
 *
 *   PREFIX.data-00000-of-00001   the values one behind the other, in the order of their names
 *   PREFIX.index                 a table: "" -> header, name -> entry: type, shape, offset, size, checksum
 *
 * The idea: TensorFlow opens the file of values that the index names, by the number of files it states. So an older checkpoint under the same
 * prefix needs no instant in which half of it is replaced: new values go into a file of another number, then the index is renamed over
 * the old one, and with that the old values are nobody's and are removed. Killed before it: the old checkpoint, whole; after it: the new
 * one. What a killed process leaves of values is removed by the next save.
 *
 * Values are written from where they lie; only the index is made in memory.
 *
 * Spec: tensorflow/core/protobuf/tensor_bundle.proto; tensorflow/core/util/tensor_bundle.
 */
#include "emit/bundle_emit.h"

#include "base/crc32c.h"
#include "base/folder.h"
#include "emit/table_emit.h"
#include "ir/strings.h"
#include "proto/proto.h"

#include <stdlib.h>
#include <string.h>

#define MOST_SHARDS 99999 /* five digits */
#define DATA_MARK ".data-"

typedef struct bundle {
    const char *prefix;
    const lc_emit_variable **sorted; /* [n] */
    size_t n;
    lc_arena arena;
    const char *data_path;
    uint32_t shards;                 /* as the index states them; all values lie in the first */
    lc_pb_BundleEntryProto *entries; /* [n] */
} bundle;

/* ---- the variables ------------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b) {
    const lc_emit_variable *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static lc_status check_variable(const lc_emit_variable *v, lc_error *err) {
    if (!v->name || !*v->name) return lc_fail(err, LC_ARGUMENT, "a variable of a checkpoint has no name");
    if (lc_pb_data_type(v->type) == LC_DT_INVALID || v->type == LC_RESOURCE || v->type == LC_VARIANT) {
        lc_fail(err, LC_UNSUPPORTED, "variable '%s' has the type %s, which checkpoints do not have", v->name, lc_dtype_name(v->type));
        lc_error_hint(err, "save it as float32 or an integer type");
        return LC_UNSUPPORTED;
    }
    uint64_t elements = 1, bytes;
    for (int32_t i = 0; i < v->rank; i++)
        if (v->dims[i] < 0 || !lc_mul_u64(elements, (uint64_t)v->dims[i], &elements))
            return lc_fail(err, LC_ARGUMENT, "variable '%s' has the dimension %d", v->name, v->dims[i]);
    if (v->type == LC_STRING) {
        const char *wrong = lc_strings_check(v->data, v->size, elements);
        return wrong ? lc_fail(err, LC_ARGUMENT, "variable '%s': %s", v->name, wrong) : LC_OK;
    }
    const uint32_t each = lc_dtype_bits(v->type) / 8;
    if (!each) return lc_fail(err, LC_UNSUPPORTED, "variable '%s' has a type smaller than a byte (%s)", v->name, lc_dtype_name(v->type));
    if (!lc_mul_u64(elements, each, &bytes) || bytes != v->size)
        return lc_fail(err, LC_ARGUMENT, "variable '%s' has %zu bytes, its type (%s) and shape need %llu", v->name, v->size,
                       lc_dtype_name(v->type), (unsigned long long)bytes);
    return LC_OK;
}

static lc_status sort(bundle *b, const lc_emit_variable *v, lc_error *err) {
    b->sorted = lc_arena_array(&b->arena, b->n, sizeof *b->sorted);
    b->entries = lc_arena_array(&b->arena, b->n, sizeof *b->entries);
    if (!b->sorted || !b->entries) return lc_fail_memory(err, "list of variables");
    for (size_t i = 0; i < b->n; i++) {
        LC_TRY(check_variable(&v[i], err));
        b->sorted[i] = &v[i];
    }
    qsort(b->sorted, b->n, sizeof *b->sorted, by_name);
    for (size_t i = 1; i < b->n; i++)
        if (by_name(&b->sorted[i - 1], &b->sorted[i]) == 0)
            return lc_fail(err, LC_ARGUMENT, "two variables of a checkpoint are named '%s'", b->sorted[i]->name);
    return LC_OK;
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

typedef struct value_writer {
    lc_file *file;
    uint64_t at;
    uint32_t crc; /* of the variable so far */
} value_writer;

static lc_status put_bytes(value_writer *w, const void *data, size_t size, lc_error *err) {
    w->at += size;
    return lc_file_write(w->file, data, size, err);
}

/* Lengths, their checksum, the strings; a length counts as 4 bytes in both checksums, 8 from 2^32 on. */
static lc_status put_strings(value_writer *w, const lc_emit_variable *v, lc_error *err) {
    uint64_t elements = 1;
    for (int32_t i = 0; i < v->rank; i++) elements *= (uint64_t)v->dims[i];
    const lc_strings strings = {v->data, (size_t)elements};
    for (size_t i = 0; i < strings.count; i++) {
        uint8_t varint[10], length[8];
        unsigned n = 0;
        const uint64_t size = lc_strings_at(&strings, i).size;
        for (unsigned k = 0; k < 8; k++) length[k] = (uint8_t)(size >> 8 * k);
        w->crc = lc_crc32c(w->crc, length, size <= UINT32_MAX ? 4 : 8);
        for (uint64_t left = size; n == 0 || left; left >>= 7) varint[n++] = (uint8_t)((left & 127) | (left > 127 ? 128 : 0));
        LC_TRY(put_bytes(w, varint, n, err));
    }
    const uint32_t masked = lc_crc32c_mask(w->crc);
    const uint8_t sum[4] = {(uint8_t)masked, (uint8_t)(masked >> 8), (uint8_t)(masked >> 16), (uint8_t)(masked >> 24)};
    w->crc = lc_crc32c(w->crc, sum, sizeof sum);
    LC_TRY(put_bytes(w, sum, sizeof sum, err));
    for (size_t i = 0; i < strings.count; i++) {
        const lc_str s = lc_strings_at(&strings, i);
        w->crc = lc_crc32c(w->crc, s.data, s.size);
        LC_TRY(put_bytes(w, s.data, s.size, err));
    }
    return LC_OK;
}

static lc_status put_variable(bundle *b, value_writer *w, size_t i, lc_error *err) {
    const lc_emit_variable *v = b->sorted[i];
    lc_pb_BundleEntryProto *e = &b->entries[i];
    e->dtype = lc_pb_data_type(v->type);
    e->shape = lc_arena_alloc(&b->arena, sizeof *e->shape);
    if (!e->shape) return lc_fail_memory(err, "index of a checkpoint");
    e->shape->dim.data = lc_arena_array(&b->arena, (size_t)v->rank, sizeof *e->shape->dim.data);
    if (!e->shape->dim.data) return lc_fail_memory(err, "index of a checkpoint");
    e->shape->dim.n = (uint32_t)v->rank;
    for (int32_t k = 0; k < v->rank; k++) e->shape->dim.data[k].size = v->dims[k];
    e->offset = (int64_t)w->at;
    w->crc = 0;
    if (v->type == LC_STRING) {
        LC_TRY(put_strings(w, v, err));
    } else {
        w->crc = lc_crc32c(0, v->data, v->size);
        LC_TRY(put_bytes(w, v->data, v->size, err));
    }
    e->size = (int64_t)(w->at - (uint64_t)e->offset);
    e->crc32c = lc_crc32c_mask(w->crc);
    return LC_OK;
}

static lc_status write_values(bundle *b, lc_error *err) {
    value_writer w = {0};
    LC_TRY(lc_file_create(b->data_path, &w.file, err));
    lc_status status = LC_OK;
    for (size_t i = 0; i < b->n && status == LC_OK; i++) status = put_variable(b, &w, i, err);
    if (status == LC_OK) return lc_file_commit(w.file, err);
    lc_file_abort(w.file);
    return status;
}

/* ---- the index ---------------------------------------------------------------------------------------------------------- */

static lc_status put_message(lc_table_writer *t, lc_str key, lc_pb_id id, const void *message, lc_error *err) {
    lc_text bytes = {0};
    lc_pb_write(id, message, &bytes);
    const lc_status status = bytes.failed ? lc_fail_memory(err, "index of a checkpoint")
                                          : lc_table_put(t, key, (lc_str){bytes.data ? bytes.data : "", bytes.size}, err);
    lc_text_deinit(&bytes);
    return status;
}

static lc_status write_entries(const bundle *b, lc_table_writer *t, lc_error *err) {
    lc_pb_VersionDef version = {.producer = 1};
    const lc_pb_BundleHeaderProto header = {.num_shards = (int32_t)b->shards, .version = &version};
    LC_TRY(put_message(t, LC_STR(""), LC_PB_BundleHeaderProto, &header, err));
    for (size_t i = 0; i < b->n; i++) LC_TRY(put_message(t, lc_str_of(b->sorted[i]->name), LC_PB_BundleEntryProto, &b->entries[i], err));
    return lc_table_end(t, err);
}

static lc_status write_index(bundle *b, lc_error *err) {
    lc_table_writer t = {0};
    const char *path = lc_arena_printf(&b->arena, "%s.index", b->prefix);
    if (!path) return lc_fail_memory(err, "path of a checkpoint");
    LC_TRY(lc_file_create(path, &t.file, err));
    const lc_status status = write_entries(b, &t, err);
    lc_table_writer_deinit(&t);
    if (status == LC_OK) return lc_file_commit(t.file, err);
    lc_file_abort(t.file);
    return status;
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

/* The folder of a prefix, and where its last part begins. */
static lc_status split(bundle *b, const char **folder, const char **name, lc_error *err) {
    const char *slash = strrchr(b->prefix, '/');
    *name = slash ? slash + 1 : b->prefix;
    if (!**name) {
        lc_fail(err, LC_ARGUMENT, "'%s' is no prefix of a checkpoint: it ends with a folder", b->prefix);
        lc_error_hint(err, "give a name behind it, e.g. %smodel.ckpt", b->prefix);
        return LC_ARGUMENT;
    }
    *folder = !slash ? "." : slash == b->prefix ? "/" : lc_arena_strndup(&b->arena, b->prefix, (size_t)(slash - b->prefix));
    return *folder ? LC_OK : lc_fail_memory(err, "path of a checkpoint");
}

/* A file of values that is not there yet. */
static lc_status choose_data(bundle *b, lc_error *err) {
    for (b->shards = 1; b->shards <= MOST_SHARDS; b->shards++) {
        b->data_path = lc_arena_printf(&b->arena, "%s" DATA_MARK "00000-of-%05u", b->prefix, b->shards);
        if (!b->data_path) return lc_fail_memory(err, "path of a checkpoint");
        if (!lc_path_is_file(b->data_path)) return LC_OK;
    }
    lc_fail(err, LC_IO, "%s: there are too many files of values", b->prefix);
    lc_error_hint(err, "remove those that %s.index does not name", b->prefix);
    return LC_IO;
}

typedef struct old_files {
    const char *folder, *name, *keep;
    lc_arena *arena;
} old_files;

static bool all_digits(const char *s, size_t n) { return strspn(s, "0123456789") >= n; }

/* The new index names one file of values: the others of that prefix are what the old one named. */
static bool remove_old(void *user, const char *entry) {
    const old_files *o = user;
    const size_t n = strlen(o->name), mark = strlen(DATA_MARK);
    if (strncmp(entry, o->name, n) != 0 || strncmp(entry + n, DATA_MARK, mark) != 0) return true;
    const char *numbers = entry + n + mark;
    if (strlen(numbers) != 14 || !all_digits(numbers, 5) || memcmp(numbers + 5, "-of-", 4) != 0 || !all_digits(numbers + 9, 5)) return true;
    const char *path = lc_arena_printf(o->arena, "%s/%s", o->folder, entry);
    if (path && strcmp(entry, o->keep) != 0) lc_file_remove(path);
    return true;
}

static lc_status write_all(bundle *b, const lc_emit_variable *v, lc_error *err) {
    const char *folder, *name;
    LC_TRY(split(b, &folder, &name, err));
    LC_TRY(sort(b, v, err));
    LC_TRY(choose_data(b, err));
    LC_TRY(write_values(b, err));
    const lc_status status = write_index(b, err);
    if (status != LC_OK) {
        lc_file_remove(b->data_path);
        return status;
    }
    const char *slash = strrchr(b->data_path, '/');
    old_files old = {folder, name, slash ? slash + 1 : b->data_path, &b->arena};
    lc_dir_each(folder, remove_old, &old);
    return LC_OK;
}

lc_status lc_emit_checkpoint(const char *prefix, const lc_emit_variable *v, size_t n, lc_error *err) {
    if (!prefix || !*prefix) return lc_fail(err, LC_ARGUMENT, "no prefix given for the checkpoint");
    bundle b = {.prefix = prefix, .n = n};
    const lc_status status = write_all(&b, v, err);
    lc_arena_deinit(&b.arena);
    return status;
}

/* ---- which is the newest ------------------------------------------------------------------------------------------------ */

static lc_str last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return lc_str_of(slash ? slash + 1 : path);
}

static lc_status write_state(bundle *b, const char *const *kept, size_t n, lc_error *err) {
    const char *folder, *name;
    LC_TRY(split(b, &folder, &name, err));
    lc_pb_CheckpointState state = {.model_checkpoint_path = lc_str_of(name)};
    state.all_model_checkpoint_paths.data = lc_arena_array(&b->arena, n + 1, sizeof(lc_str));
    const char *path = lc_arena_printf(&b->arena, "%s/checkpoint", folder);
    if (!state.all_model_checkpoint_paths.data || !path) return lc_fail_memory(err, "state of checkpoints");
    for (size_t i = 0; i < n; i++) state.all_model_checkpoint_paths.data[i] = last_part(kept[i]);
    state.all_model_checkpoint_paths.data[n] = state.model_checkpoint_path;
    state.all_model_checkpoint_paths.n = (uint32_t)n + 1;
    lc_text text = {0};
    lc_pb_print(LC_PB_CheckpointState, &state, &text);
    const lc_status status = text.failed ? lc_fail_memory(err, "state of checkpoints") : lc_file_save(path, text.data, text.size, err);
    lc_text_deinit(&text);
    return status;
}

lc_status lc_emit_checkpoint_state(const char *prefix, const char *const *kept, size_t n, lc_error *err) {
    if (!prefix || !*prefix) return lc_fail(err, LC_ARGUMENT, "no prefix given for the checkpoint");
    bundle b = {.prefix = prefix};
    const lc_status status = write_state(&b, kept, n, err);
    lc_arena_deinit(&b.arena);
    return status;
}
