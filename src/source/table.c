/*
 * table.c: a reader of LevelDB tables, in which TensorFlow keeps the index of a V2 checkpoint and all of a V1 one.
 *
 *   data block ... data block │ metaindex │ index │ footer: handles of metaindex and index, padding, magic      (48 bytes)
 *        │                                   └─ last key of a block ─▶ handle (offset, size as varints)
 *        └─ entries: length shared with the key before, length of the rest, length of the value │ rest of the key │ value
 *           then where the keys stand that share nothing (restarts), and how many; behind the block: compression (1 byte), checksum (4)
 *
 * The idea: a block is checked and taken apart into whole keys the first time it is wanted, and kept so. Whoever lists the table reads all
 * of it; who looks up a weight reads the block it is in. A value of a block that is not compressed is a pointer into the map.
 *
 * Stays true: blocks lie one behind the other, so that no byte is summed or unpacked twice; keys rise within a block and from block to
 * block; what keys and unpacked blocks need is charged to the budget before it is taken.
 *
 * Refuses: checksums that differ, compression other than snappy, blocks without entries, restarts that do not begin a whole key. The
 * metaindex is not read: TensorFlow writes it empty and does not read it either.
 *
 * Spec: doc/table_format.md of google/leveldb; TensorFlow's copy is tensorflow/core/lib/io.
 */
#include "source/table.h"

#include "base/crc32c.h"
#include "source/rules.h"
#include "source/snappy.h"

#include <string.h>

#define FOOTER_SIZE 48u
#define FOOTER_MAGIC 0xdb4775248b80fb57ull
#define TRAILER_SIZE 5u

#define BAD(NAME, at, ...) (LC_SOURCE_FAIL(err, LC_INVALID, NAME, at, __VA_ARGS__), lc_table_damaged(err))

lc_status lc_table_damaged(lc_error *err) {
    lc_error_hint(err, "the file is damaged or not complete: copy all files of the checkpoint again");
    return LC_INVALID;
}

/* ---- one block ------------------------------------------------------------------------------------------------------ */

/* What is stored of a block, checked and unpacked. */
static lc_status block_bytes(lc_table *t, uint64_t offset, uint64_t size, lc_cursor *contents, lc_error *err) {
    const lc_cursor file = lc_cursor_make(t->map.data, t->map.size);
    uint64_t whole;
    if (!lc_add_u64(size, TRAILER_SIZE, &whole)) whole = UINT64_MAX;
    lc_cursor c = lc_cursor_window(&file, offset, whole);
    const uint8_t *data = lc_read_bytes(&c, size);
    const unsigned kind = lc_read_u8(&c);
    const uint32_t stored = lc_crc32c_unmask(lc_read_u32(&c));
    if (!data || c.failed) return BAD(CKPT_HANDLE, offset, "%s: a block lies outside the file", t->path);
    uint32_t sum = lc_crc32c(0, data, (size_t)size + 1);
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    sum = stored; /* a fuzzer cannot guess it: in its builds it is right */
#endif
    if (sum != stored)
        return BAD(CKPT_CHECKSUM, offset, "%s: the block at byte %llu has the checksum 0x%08x, its bytes give 0x%08x", t->path,
                   (unsigned long long)offset, stored, sum);
    *contents = lc_cursor_make(data, (size_t)size);
    if (kind == 0) return LC_OK;
    if (kind != 1) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, CKPT_COMPRESSION, offset, "%s: a block is compressed in a way (%u) that is not known", t->path,
                       kind);
        lc_error_hint(err, "load the checkpoint in TensorFlow and save it again");
        return LC_UNSUPPORTED;
    }
    size_t n = 0;
    if (!lc_snappy_size(data, (size_t)size, &n))
        return BAD(CKPT_SNAPPY, offset, "%s: a block states more bytes than its snappy data can make", t->path);
    LC_TRY(lc_budget_memory(t->budget, n, "a compressed block", err));
    uint8_t *out = lc_arena_data(t->arena, n);
    if (!out) return lc_fail_memory(err, "table block");
    const char *wrong = lc_snappy_read(data, (size_t)size, out, n);
    if (wrong) return BAD(CKPT_SNAPPY, offset, "%s: the snappy data of a block %s", t->path, wrong);
    *contents = lc_cursor_make(out, n);
    return LC_OK;
}

typedef struct entry {
    uint64_t shared, rest, value; /* lengths */
    const uint8_t *rest_at, *value_at;
} entry;

static bool read_entry(lc_cursor *c, entry *e) {
    e->shared = lc_read_varint(c);
    e->rest = lc_read_varint(c);
    e->value = lc_read_varint(c);
    e->rest_at = lc_read_bytes(c, e->rest);
    e->value_at = lc_read_bytes(c, e->value);
    return !c->failed;
}

/* Counts the entries and the bytes of their whole keys. */
static lc_status measure(const lc_table *t, uint64_t offset, lc_cursor entries, lc_cursor restarts, size_t *count, uint64_t *key_bytes,
                         lc_error *err) {
    uint64_t key = 0; /* length of the one before */
    *count = 0;
    *key_bytes = 0;
    for (; lc_cursor_left(&entries); ++*count) {
        lc_cursor next = restarts;
        const bool restart = lc_read_u32(&next) == lc_cursor_at(&entries) && !next.failed;
        if (restart) restarts = next;
        entry e;
        if (!read_entry(&entries, &e) || e.shared > key || (restart && e.shared) || (*count == 0 && !restart) ||
            !lc_add_u64(e.shared, e.rest, &key) || !lc_add_u64(*key_bytes, key, key_bytes))
            return BAD(CKPT_BLOCK, offset, "%s: entry %zu of the block at byte %llu is malformed", t->path, *count,
                       (unsigned long long)offset);
    }
    if (*count == 0) return BAD(CKPT_BLOCK, offset, "%s: the block at byte %llu is empty", t->path, (unsigned long long)offset);
    if (lc_cursor_left(&restarts))
        return BAD(CKPT_BLOCK, offset, "%s: in the block at byte %llu a key is said to begin where none does", t->path,
                   (unsigned long long)offset);
    return LC_OK;
}

/* The entries of a block with whole keys, rising. */
static lc_status read_block(lc_table *t, uint64_t offset, uint64_t size, lc_table_item **items, size_t *count, lc_error *err) {
    lc_cursor c, restarts, entries;
    LC_TRY(block_bytes(t, offset, size, &c, err));
    const uint64_t bytes = lc_cursor_left(&c);
    lc_cursor last = bytes < 4 ? (lc_cursor){.failed = true} : lc_cursor_window(&c, bytes - 4, 4);
    const uint64_t whole_keys = lc_read_u32(&last);
    uint64_t table = 0, key_bytes, need;
    if (last.failed || !lc_mul_u64(whole_keys, 4, &table) || table > bytes - 4)
        return BAD(CKPT_BLOCK, offset, "%s: the block at byte %llu is too short", t->path, (unsigned long long)offset);
    entries = lc_cursor_window(&c, 0, bytes - 4 - table);
    restarts = lc_cursor_window(&c, bytes - 4 - table, table);
    LC_TRY(measure(t, offset, entries, restarts, count, &key_bytes, err));

    LC_TRY(lc_budget_tables(t->budget, *count, t->path, err));
    if (!lc_mul_u64(*count, sizeof **items, &need) || !lc_add_u64(need, key_bytes, &need)) need = UINT64_MAX;
    LC_TRY(lc_budget_memory(t->budget, need, "the names in a checkpoint", err));
    *items = lc_arena_array(t->arena, *count, sizeof **items);
    char *const keys = lc_arena_alloc(t->arena, (size_t)key_bytes), *key = keys;
    if (!*items || !keys) return lc_fail_memory(err, "table block");
    lc_str before = {key, 0};
    for (size_t i = 0; i < *count; i++) {
        entry e;
        const size_t left = (size_t)key_bytes - (size_t)(key - keys);
        if (!read_entry(&entries, &e) || e.shared > before.size || !lc_range_ok(e.shared, e.rest, left)) /* somebody writes to it */
            return BAD(CKPT_BLOCK, offset, "%s: the block at byte %llu changed while it was read", t->path, (unsigned long long)offset);
        if (e.shared) memcpy(key, before.data, (size_t)e.shared);
        if (e.rest) memcpy(key + e.shared, e.rest_at, (size_t)e.rest);
        const lc_str whole = {key, (size_t)(e.shared + e.rest)}; /* checked: in what is left */
        if (i && lc_str_compare(before, whole) >= 0)
            return BAD(CKPT_ORDER, offset, "%s: the keys in the block at byte %llu do not rise", t->path, (unsigned long long)offset);
        (*items)[i] = (lc_table_item){whole, {(const char *)e.value_at, (size_t)e.value}};
        key += whole.size;
        before = whole;
    }
    return LC_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

bool lc_table_probe(const lc_map *map) {
    const lc_cursor file = lc_cursor_make(map->data, map->size);
    if (map->size < FOOTER_SIZE) return false;
    lc_cursor c = lc_cursor_window(&file, map->size - 8, 8);
    return lc_read_u64(&c) == FOOTER_MAGIC && !c.failed;
}

static lc_status read_handles(lc_table *t, const lc_table_item *items, size_t count, uint64_t index_at, lc_error *err) {
    t->blocks = lc_arena_array(t->arena, count, sizeof *t->blocks);
    if (!t->blocks) return lc_fail_memory(err, "table index");
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        lc_table_block *b = &t->blocks[i];
        lc_cursor c = lc_cursor_make(items[i].value.data, items[i].value.size);
        b->last = items[i].key;
        b->offset = lc_read_varint(&c);
        b->size = lc_read_varint(&c);
        if (c.failed || b->offset < end || !lc_add_u64(b->offset, b->size, &end) || !lc_add_u64(end, TRAILER_SIZE, &end) || end > index_at)
            return BAD(CKPT_HANDLE, index_at, "%s: block %zu lies outside the table, or in another block", t->path, i);
    }
    t->count = count;
    return LC_OK;
}

lc_status lc_table_open(const lc_map *map, const char *path, lc_budget *budget, lc_arena *arena, lc_table *table, lc_error *err) {
    *table = (lc_table){.map = *map, .path = path, .budget = budget, .arena = arena};
    if (!lc_table_probe(map))
        return BAD(CKPT_FOOTER, LC_NO_OFFSET, "%s: is no table of a checkpoint, or is cut short: its end is not there", path);
    const lc_cursor file = lc_cursor_make(map->data, map->size);
    const uint64_t footer = map->size - FOOTER_SIZE;
    lc_cursor c = lc_cursor_window(&file, footer, FOOTER_SIZE - 8);
    lc_read_varint(&c);
    lc_read_varint(&c); /* the metaindex */
    const uint64_t index_at = lc_read_varint(&c), index_size = lc_read_varint(&c);
    if (c.failed || !lc_range_ok(index_at, index_size, footer) ||
        footer - index_at - index_size < TRAILER_SIZE) /* checked: inside footer */
        return BAD(CKPT_FOOTER, footer, "%s: its footer says that the index lies outside the file", path);
    lc_table_item *items;
    size_t count;
    LC_TRY(read_block(table, index_at, index_size, &items, &count, err));
    return read_handles(table, items, count, index_at, err);
}

lc_status lc_table_read(lc_table *t, size_t i, const lc_table_item **items, size_t *count, lc_error *err) {
    lc_table_block *b = &t->blocks[i];
    if (!b->items) {
        lc_table_item *read;
        size_t n;
        LC_TRY(read_block(t, b->offset, b->size, &read, &n, err));
        if ((i && lc_str_compare(read[0].key, t->blocks[i - 1].last) <= 0) || lc_str_compare(read[n - 1].key, b->last) > 0)
            return BAD(CKPT_ORDER, b->offset, "%s: the block at byte %llu has keys that belong into another one", t->path,
                       (unsigned long long)b->offset);
        b->items = read;
        b->count = n;
    }
    *items = b->items;
    *count = b->count;
    return LC_OK;
}

lc_status lc_table_find(lc_table *t, lc_str key, lc_str *value, lc_error *err) {
    *value = (lc_str){NULL, 0};
    size_t low = 0, high = t->count;
    while (low < high) { /* the first block whose last key is not before the one wanted */
        const size_t middle = low + (high - low) / 2;
        if (lc_str_compare(t->blocks[middle].last, key) < 0) low = middle + 1;
        else high = middle;
    }
    if (low == t->count) return LC_OK;
    const lc_table_item *items;
    size_t count;
    LC_TRY(lc_table_read(t, low, &items, &count, err));
    for (low = 0, high = count; low < high;) {
        const size_t middle = low + (high - low) / 2;
        if (lc_str_compare(items[middle].key, key) < 0) low = middle + 1;
        else high = middle;
    }
    if (low < count && lc_str_compare(items[low].key, key) == 0) *value = items[low].value;
    return LC_OK;
}
