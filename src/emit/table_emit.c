/*
 * table_emit.c: a sorted table in LevelDB's form, as TensorFlow's checkpoints have it.
 *
 *   block block ... │ an empty block │ index: last key of each block -> where it lies │ footer
 *
 * A block is entries, then where keys stand whole, then their number; every 16th key stands whole, the others leave out what they share with
 * the one before. After each block follow a byte for its compression (none) and a masked checksum. Blocks go to the file as they fill up.
 *
 * Spec: github.com/google/leveldb, doc/table_format.md.
 */
#include "emit/table_emit.h"

#include "base/crc32c.h"

#include <string.h>

#define BLOCK_SIZE (256u << 10) /* TensorFlow's own */
#define WHOLE_EVERY 16
#define FOOTER_SIZE 48
#define MAGIC 0xdb4775248b80fb57u

static void put_varint(lc_text *t, uint64_t v) {
    for (; v > 127; v >>= 7) lc_text_add_n(t, &(char){(char)(v | 128)}, 1);
    lc_text_add_n(t, &(char){(char)v}, 1);
}

static void put_u32(lc_text *t, uint32_t v) {
    for (int i = 0; i < 4; i++) lc_text_add_n(t, &(char){(char)(v >> 8 * i)}, 1);
}

static void put_entry(lc_text *t, size_t shared, lc_str key, lc_str value) {
    put_varint(t, shared);
    put_varint(t, key.size - shared);
    put_varint(t, value.size);
    lc_text_add_n(t, key.data + shared, key.size - shared);
    lc_text_add_n(t, value.data, value.size);
}

/* Writes a block with what follows it and forgets it; its place is appended to `handle`. */
static lc_status write_block(lc_table_writer *w, lc_text *block, lc_text *starts, lc_text *handle, lc_error *err) {
    if (!starts->size) put_u32(starts, 0); /* of a block without entries, too */
    const uint32_t count = (uint32_t)(starts->size / 4);
    lc_text_add_n(block, starts->data ? starts->data : "", starts->size);
    put_u32(block, count);
    const size_t size = block->size;
    lc_text_add_n(block, "\0", 1); /* not compressed */
    put_u32(block, block->failed ? 0 : lc_crc32c_mask(lc_crc32c(0, block->data, block->size)));
    put_varint(handle, w->at);
    put_varint(handle, size);
    const bool failed = block->failed || starts->failed || handle->failed;
    const lc_status status = failed ? lc_fail_memory(err, "table of a checkpoint") : lc_file_write(w->file, block->data, block->size, err);
    w->at += block->size;
    lc_text_deinit(block);
    lc_text_deinit(starts);
    return status;
}

static lc_status end_block(lc_table_writer *w, lc_error *err) {
    lc_text handle = {0};
    const lc_status status = write_block(w, &w->block, &w->starts, &handle, err);
    if (status == LC_OK) {
        lc_str last = {w->key.data ? w->key.data : "", w->key.size};
        put_u32(&w->index_starts, (uint32_t)w->index.size); /* there every key stands whole: it is searched, not read through */
        put_entry(&w->index, 0, last, (lc_str){handle.data, handle.size});
    }
    lc_text_deinit(&handle);
    w->entries = 0;
    return status;
}

lc_status lc_table_put(lc_table_writer *w, lc_str key, lc_str value, lc_error *err) {
    size_t shared = 0;
    if (w->entries % WHOLE_EVERY == 0) {
        put_u32(&w->starts, (uint32_t)w->block.size);
    } else {
        const size_t most = key.size < w->key.size ? key.size : w->key.size;
        while (shared < most && key.data[shared] == w->key.data[shared]) shared++;
    }
    put_entry(&w->block, shared, key, value);
    w->entries++;
    w->key.size = 0;
    lc_text_add_n(&w->key, key.data, key.size);
    if (w->key.failed || w->block.failed || w->starts.failed) return lc_fail_memory(err, "table of a checkpoint");
    return w->block.size >= BLOCK_SIZE ? end_block(w, err) : LC_OK;
}

lc_status lc_table_end(lc_table_writer *w, lc_error *err) {
    if (w->block.size) LC_TRY(end_block(w, err));
    lc_text footer = {0}, none = {0}, no_starts = {0};
    lc_status status = write_block(w, &none, &no_starts, &footer, err);
    if (status == LC_OK) status = write_block(w, &w->index, &w->index_starts, &footer, err);
    while (status == LC_OK && !footer.failed && footer.size < FOOTER_SIZE - 8) lc_text_add_n(&footer, "\0", 1);
    put_u32(&footer, (uint32_t)(MAGIC & 0xffffffffu));
    put_u32(&footer, (uint32_t)(MAGIC >> 32));
    if (status == LC_OK)
        status = footer.failed ? lc_fail_memory(err, "table of a checkpoint") : lc_file_write(w->file, footer.data, footer.size, err);
    lc_text_deinit(&footer);
    return status;
}

void lc_table_writer_deinit(lc_table_writer *w) {
    lc_text_deinit(&w->block);
    lc_text_deinit(&w->index);
    lc_text_deinit(&w->starts);
    lc_text_deinit(&w->index_starts);
    lc_text_deinit(&w->key);
}
