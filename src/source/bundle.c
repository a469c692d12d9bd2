/*
 * bundle.c: V2 checkpoints, which TensorFlow calls tensor bundles.
 *
 *   PREFIX.index   a table:  ""                │ header: number of shards, byte order, version
 *                            "dense/kernel"    │ entry: type, shape, shard, offset, size, checksum
 *                            "embedding"       │ entry: type, shape, slices            (a partitioned variable)
 *                            00 "embedding" .. │ entry of one slice (ckpt_slice.c makes the key)
 *   PREFIX.data-00000-of-00003 ...             the bytes, little-endian, wherever the entries say
 *
 * The idea: the index is read whole and let go; what stays is where each value lies. A shard is mapped when the first value in it is
 * wanted, and values are borrowed from it. The names of shards are made of the prefix and two numbers, never taken from a file.
 *
 * Strings are lengths (varints), a checksum of the lengths, then the bytes; both checksums count a length as 4 bytes (8 from 2^32 on).
 *
 * Refuses: big-endian bundles, versions for newer readers, shards the header does not have, sizes that disagree with type and shape, values
 * outside their shard, wrong checksums, slices that are not there. Values may share bytes, though TensorFlow writes none that do; but not
 * so often that a small file takes hours to sum.
 *
 * Spec: tensorflow/core/protobuf/tensor_bundle.proto; tensorflow/core/util/tensor_bundle.
 */
#include "source/ckpt_impl.h"

#include "base/crc32c.h"

#include <string.h>

#define BAD LC_CKPT_BAD
#define BUNDLE_VERSION 1 /* of the format that we are readers of */
#define SHARED_MOST 8    /* values that lie in one byte, on the average */

/* ---- the index --------------------------------------------------------------------------------------------------------- */

typedef struct index_reader {
    lc_ckpt *ckpt;
    const char *path; /* of the index */
    lc_arena arena;   /* table and messages, until the index has been read */
    lc_table table;
    lc_table_item *items; /* all but the header */
    lc_pb_BundleEntryProto **entries;
    size_t count;
} index_reader;

static lc_status read_message(index_reader *r, lc_pb_id id, const lc_table_item *item, void **message, lc_error *err) {
    const lc_status status = lc_pb_read(id, item->value.data, item->value.size, r->ckpt->budget, &r->arena, message, err);
    if (status != LC_OK) lc_error_prefix(err, "%s: '%.*s'", r->path, LC_CKPT_SHOWN(item->key));
    return status;
}

static lc_status read_header(index_reader *r, const lc_table_item *item, lc_error *err) {
    void *message;
    if (item->key.size) return BAD(CKPT_HEADER, LC_NO_OFFSET, "%s: does not begin with a header: it is no index of a checkpoint", r->path);
    LC_TRY(read_message(r, LC_PB_BundleHeaderProto, item, &message, err));
    const lc_pb_BundleHeaderProto *h = message;
    if (h->endianness != LC_PB_BundleHeaderProto_Endianness_LITTLE) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_ENDIAN, LC_NO_OFFSET, "%s: was written on a big-endian machine", r->path);
        lc_error_hint(err, "load the checkpoint in TensorFlow on this machine and save it again");
        return LC_UNSUPPORTED;
    }
    LC_TRY(lc_ckpt_check_versions(r->path, h->version, BUNDLE_VERSION, err));
    if (h->num_shards < 1) return BAD(CKPT_HEADER, LC_NO_OFFSET, "%s: states %d files with values", r->path, h->num_shards);
    r->ckpt->stated_shards = (uint32_t)h->num_shards;
    return LC_OK;
}

/* All entries of all blocks, in one list. */
static lc_status read_items(index_reader *r, lc_error *err) {
    const lc_table_item *items;
    size_t n, all = 0;
    for (size_t i = 0; i < r->table.count; i++) {
        LC_TRY(lc_table_read(&r->table, i, &items, &n, err));
        if (i == 0) LC_TRY(read_header(r, &items[0], err));
        all += n; /* checked: of what is in memory */
    }
    LC_TRY(lc_budget_memory(r->ckpt->budget, (uint64_t)all * (sizeof *r->items + sizeof *r->entries), "the index of a checkpoint", err));
    r->items = lc_arena_array(&r->arena, all, sizeof *r->items);
    r->entries = lc_arena_array(&r->arena, all, sizeof(void *));
    if (!r->items || !r->entries) return lc_fail_memory(err, "index of a checkpoint");
    for (size_t i = 0; i < r->table.count; i++) {
        LC_TRY(lc_table_read(&r->table, i, &items, &n, err));
        const size_t skip = i == 0; /* the header */
        memcpy(r->items + r->count, items + skip, (n - skip) * sizeof *items);
        r->count += n - skip;
    }
    for (size_t i = 0; i < r->count; i++) {
        void *message;
        LC_TRY(read_message(r, LC_PB_BundleEntryProto, &r->items[i], &message, err));
        r->entries[i] = message;
    }
    return LC_OK;
}

static const lc_pb_BundleEntryProto *find(const index_reader *r, lc_str key) {
    size_t low = 0, high = r->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int d = lc_str_compare(r->items[middle].key, key);
        if (d == 0) return r->entries[middle];
        if (d < 0) low = middle + 1;
        else high = middle;
    }
    return NULL;
}

/* Where a value lies: `from` is its entry, `elements` what it must have. */
static lc_status place_piece(index_reader *r, const lc_ckpt_entry *e, const lc_pb_BundleEntryProto *from, uint64_t elements,
                             lc_ckpt_piece *piece, lc_error *err) {
    const uint32_t each = lc_ckpt_element_size(e->data_type);
    if ((uint32_t)from->shard_id >= r->ckpt->stated_shards) /* a negative one too */
        return BAD(CKPT_SHARD, LC_NO_OFFSET, "%s: variable '%.*s' lies in file %d of %u", r->path, LC_CKPT_SHOWN(e->name), from->shard_id,
                   r->ckpt->stated_shards);
    if (from->offset < 0 || from->size < 0)
        return BAD(CKPT_SHARD, LC_NO_OFFSET, "%s: variable '%.*s' has %lld bytes at %lld", r->path, LC_CKPT_SHOWN(e->name),
                   (long long)from->size, (long long)from->offset);
    if (each && (uint64_t)from->size != elements * each) /* checked: lc_ckpt_describe multiplied no less */
        return BAD(CKPT_SIZE, LC_NO_OFFSET, "%s: variable '%.*s' is stored in %lld bytes, its type (%s) and shape need %llu", r->path,
                   LC_CKPT_SHOWN(e->name), (long long)from->size, lc_pb_data_type_text(e->data_type),
                   (unsigned long long)(elements * each));
    piece->file = (uint32_t)from->shard_id;
    piece->at = (uint64_t)from->offset;
    piece->stored = (uint64_t)from->size;
    piece->crc = lc_crc32c_unmask(from->crc32c);
    return LC_OK;
}

static lc_status place_slice(index_reader *r, const lc_ckpt_entry *e, const lc_pb_TensorSliceProto *slice, lc_ckpt_piece *piece,
                             lc_error *err) {
    LC_TRY(lc_budget_memory(r->ckpt->budget, 2 * sizeof(int64_t) * (uint64_t)e->rank, "the list of slices", err));
    LC_TRY(lc_ckpt_slice_read(r->ckpt, r->path, e, slice, piece, err));
    lc_text key = {0};
    lc_ckpt_slice_key(e, piece, &key);
    const lc_pb_BundleEntryProto *from = key.failed ? NULL : find(r, (lc_str){key.data, key.size});
    const bool memory = !key.failed;
    lc_text_deinit(&key);
    if (!memory) return lc_fail_memory(err, "key of a slice");
    if (!from) return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: a slice of variable '%.*s' has no entry", r->path, LC_CKPT_SHOWN(e->name));
    lc_ckpt_box box;
    lc_ckpt_piece_box(e, piece, &box);
    if (from->dtype != e->data_type || !lc_ckpt_same_shape(from->shape, e->rank, box.length))
        return BAD(CKPT_SLICE, LC_NO_OFFSET, "%s: the entry of a slice of variable '%.*s' has another type or shape than the slice",
                   r->path, LC_CKPT_SHOWN(e->name));
    return place_piece(r, e, from, box.elements, piece, err);
}

static lc_status place_variable(index_reader *r, size_t i, lc_ckpt_variable *v, lc_error *err) {
    const lc_pb_BundleEntryProto *from = r->entries[i];
    lc_ckpt_entry *e = &v->entry;
    LC_TRY(lc_ckpt_describe(r->ckpt, r->path, r->items[i].key, from->dtype, from->shape, e, err));
    e->slices = from->slices.n ? from->slices.n : 1;
    LC_TRY(lc_ckpt_make_pieces(r->ckpt, e->slices, &v->pieces, err));
    if (!from->slices.n) LC_TRY(place_piece(r, e, from, e->elements, &v->pieces[0], err));
    for (uint32_t k = 0; k < from->slices.n; k++) LC_TRY(place_slice(r, e, &from->slices.data[k], &v->pieces[k], err));
    e->bytes = 0;
    for (uint32_t k = 0; k < e->slices; k++)
        if (!lc_add_u64(e->bytes, v->pieces[k].stored, &e->bytes))
            e->bytes = UINT64_MAX; /* slices that overlap: found when they are read */
    return LC_OK;
}

static bool is_slice(const lc_table_item *item) { return item->key.size && item->key.data[0] == 0; }

static lc_status read_index(index_reader *r, const lc_map *map, lc_error *err) {
    lc_ckpt *ckpt = r->ckpt;
    size_t variables = 0;
    LC_TRY(lc_table_open(map, r->path, ckpt->budget, &r->arena, &r->table, err));
    LC_TRY(read_items(r, err));
    for (size_t i = 0; i < r->count; i++) variables += !is_slice(&r->items[i]);
    ckpt->variables = lc_arena_array(ckpt->arena, variables, sizeof *ckpt->variables);
    if (!ckpt->variables) return lc_fail_memory(err, "list of variables");
    for (size_t i = 0; i < r->count; i++)
        if (!is_slice(&r->items[i])) LC_TRY(place_variable(r, i, &ckpt->variables[ckpt->count++], err));
    return LC_OK;
}

lc_status lc_ckpt_open_v2(lc_ckpt *ckpt, lc_error *err) {
    index_reader r = {.ckpt = ckpt};
    lc_map map;
    r.path = lc_arena_printf(ckpt->arena, "%s.index", ckpt->place.prefix);
    if (!r.path) return lc_fail_memory(err, "path");
    LC_TRY(lc_map_open(&map, r.path, &ckpt->budget->limits, err));
    const lc_status status = read_index(&r, &map, err);
    lc_arena_deinit(&r.arena);
    lc_map_close(&map);
    return status;
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

/* The file with that number, and its path for messages. */
static lc_status open_shard(lc_ckpt *ckpt, const lc_ckpt_entry *e, uint32_t id, const char **path, lc_cursor *file, lc_error *err) {
    size_t low = 0, high = ckpt->map_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (ckpt->files[middle].id < id) low = middle + 1;
        else high = middle;
    }
    if (low == ckpt->map_count || ckpt->files[low].id != id) {
        const char *name = lc_arena_printf(ckpt->arena, "%s.data-%05u-of-%05u", ckpt->place.prefix, id, ckpt->stated_shards);
        if (!name) return lc_fail_memory(err, "path");
        const lc_status status = lc_ckpt_add_map(ckpt, low, id, name, err);
        if (status == LC_NOT_FOUND) {
            LC_SOURCE_FAIL(err, LC_NOT_FOUND, CKPT_SHARD, LC_NO_OFFSET, "%s: is missing: variable '%.*s' lies in it", name,
                           LC_CKPT_SHOWN(e->name));
            lc_error_hint(err, "the checkpoint is %s.index and %u file%s %s.data-*: copy all of them", ckpt->place.prefix,
                          ckpt->stated_shards, ckpt->stated_shards == 1 ? "" : "s", ckpt->place.prefix);
        }
        LC_TRY(status);
    }
    *path = ckpt->files[low].path;
    *file = lc_cursor_make(ckpt->maps[low].data, ckpt->maps[low].size);
    return LC_OK;
}

static lc_status wrong_sum(const lc_ckpt_entry *e, const char *path, uint64_t at, uint32_t stored, uint32_t given, lc_error *err) {
    return BAD(CKPT_CHECKSUM, at, "%s: variable '%.*s' has the checksum 0x%08x, its bytes at %llu give 0x%08x", path,
               LC_CKPT_SHOWN(e->name), stored, (unsigned long long)at, given);
}

/* A fuzzer cannot guess checksums: in its builds they are right. */
static bool differs(uint32_t stored, uint32_t given) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    (void)stored;
    (void)given;
    return false;
#else
    return stored != given;
#endif
}

static uint32_t sum_length(uint32_t crc, uint64_t length) {
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(length >> 8 * i);
    return lc_crc32c(crc, bytes, length <= UINT32_MAX ? 4 : 8);
}

/* Takes the lengths at c, then their checksum, then the strings themselves, which end with c. *crc: of it all. */
static lc_status split_strings(const lc_ckpt_entry *e, const char *path, lc_cursor c, lc_str *strings, uint32_t *crc, lc_error *err) {
    const uint64_t at = lc_cursor_at(&c);
    *crc = 0;
    for (uint64_t i = 0; i < e->elements; i++) {
        const uint64_t length = lc_read_varint(&c);
        if (c.failed || !lc_u64_to_size(length, &strings[i].size))
            return BAD(CKPT_STRING, at, "%s: variable '%.*s' ends within the lengths of its strings", path, LC_CKPT_SHOWN(e->name));
        *crc = sum_length(*crc, length);
    }
    const uint64_t sum_at = lc_cursor_at(&c);
    const uint8_t *sum = lc_read_bytes(&c, 4);
    lc_cursor again = sum ? lc_cursor_make(sum, 4) : c;
    const uint32_t stored = lc_crc32c_unmask(lc_read_u32(&again));
    if (!sum) return BAD(CKPT_STRING, at, "%s: variable '%.*s' ends within the lengths of its strings", path, LC_CKPT_SHOWN(e->name));
    if (differs(stored, *crc)) return wrong_sum(e, path, sum_at, stored, *crc, err);
    *crc = lc_crc32c(*crc, sum, 4);
    for (uint64_t i = 0; i < e->elements; i++) {
        const uint8_t *bytes = lc_read_bytes(&c, strings[i].size);
        if (!bytes) return BAD(CKPT_STRING, at, "%s: variable '%.*s' ends within its strings", path, LC_CKPT_SHOWN(e->name));
        strings[i].data = (const char *)bytes;
        *crc = lc_crc32c(*crc, bytes, strings[i].size);
    }
    if (lc_cursor_left(&c))
        return BAD(CKPT_STRING, at, "%s: variable '%.*s' has %zu bytes behind its strings", path, LC_CKPT_SHOWN(e->name),
                   lc_cursor_left(&c));
    return LC_OK;
}

static lc_status read_strings(lc_ckpt *ckpt, const lc_ckpt_entry *e, const char *path, lc_cursor c, lc_ckpt_piece *piece, lc_error *err) {
    const uint64_t at = lc_cursor_at(&c);
    if (e->elements > lc_cursor_left(&c)) /* each has a length of at least a byte */
        return BAD(CKPT_STRING, at, "%s: variable '%.*s' has %zu bytes for %llu strings", path, LC_CKPT_SHOWN(e->name), lc_cursor_left(&c),
                   (unsigned long long)e->elements);
    lc_arena arena = {0};
    uint32_t crc = 0;
    lc_status status = lc_budget_memory(ckpt->budget, e->elements * sizeof(lc_str), "the strings of a checkpoint", err); /* checked: few */
    lc_str *strings = status == LC_OK ? lc_arena_array(&arena, (size_t)e->elements, sizeof *strings) : NULL;
    if (status == LC_OK && !strings) status = lc_fail_memory(err, "strings of a checkpoint");
    if (status == LC_OK) status = split_strings(e, path, c, strings, &crc, err);
    if (status == LC_OK && differs(piece->crc, crc)) status = wrong_sum(e, path, at, piece->crc, crc, err);
    if (status == LC_OK) status = lc_ckpt_make_strings(ckpt, e->name, strings, (size_t)e->elements, &piece->data, &piece->size, err);
    lc_arena_deinit(&arena);
    return status;
}

lc_status lc_ckpt_read_v2(lc_ckpt *ckpt, const lc_ckpt_entry *e, lc_ckpt_piece *piece, lc_error *err) {
    lc_cursor file = {.failed = true};
    const char *path = NULL;
    if (piece->stored == 0 && e->elements == 0 && e->type == LC_STRING)
        return lc_ckpt_make_strings(ckpt, e->name, NULL, 0, &piece->data, &piece->size, err);
    if (piece->stored == 0 && e->type != LC_STRING) return LC_OK; /* its shard may be empty, or not be there */
    LC_TRY(open_shard(ckpt, e, piece->file, &path, &file, err));
    lc_cursor c = lc_cursor_window(&file, piece->at, piece->stored);
    if (c.failed)
        return BAD(CKPT_SHARD, piece->at, "%s: variable '%.*s' (%llu bytes at %llu) lies outside the file, which has %zu bytes", path,
                   LC_CKPT_SHOWN(e->name), (unsigned long long)piece->stored, (unsigned long long)piece->at, lc_cursor_left(&file));
    if (!lc_add_u64(ckpt->summed, piece->stored, &ckpt->summed) || ckpt->summed / SHARED_MOST > ckpt->mapped)
        return BAD(CKPT_OVERLAP, piece->at, "%s: the values up to variable '%.*s' have %llu bytes, the files they lie in %llu", path,
                   LC_CKPT_SHOWN(e->name), (unsigned long long)ckpt->summed, (unsigned long long)ckpt->mapped);
    if (e->type == LC_STRING) return read_strings(ckpt, e, path, c, piece, err);
    const uint8_t *data = lc_read_bytes(&c, piece->stored);
    const uint32_t crc = lc_crc32c(0, data, (size_t)piece->stored);
    if (differs(piece->crc, crc)) return wrong_sum(e, path, piece->at, piece->crc, crc, err);
    piece->data = data;
    piece->size = (size_t)piece->stored;
    return LC_OK;
}
