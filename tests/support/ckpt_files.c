/*
 * ckpt_files.c: see ckpt_files.h. The writer is as simple as the format: it shares no code with the reader but the checksum.
 */
#include "support/ckpt_files.h"

#include "base/crc32c.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ------------------------------------------------------------------------------------------------------------- */

bool ckpt_folder_make(ckpt_folder *f) {
    const char *tmp = getenv("TMPDIR");
    *f = (ckpt_folder){0};
    snprintf(f->path, sizeof f->path, "%s/litec-ckpt-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(f->path) != NULL;
}

const char *ckpt_folder_path(ckpt_folder *f, const char *name) { return lc_arena_printf(&f->arena, "%s/%s", f->path, name); }

void ckpt_folder_write(ckpt_folder *f, const char *name, const void *data, size_t size) {
    FILE *file = fopen(ckpt_folder_path(f, name), "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file)) abort();
}

static void clean(const char *path, int depth) {
    char inside[600];
    DIR *d = opendir(path);
    for (const struct dirent *e; d && (e = readdir(d)) != NULL;) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        snprintf(inside, sizeof inside, "%s/%s", path, e->d_name);
        if (unlink(inside) != 0 && depth < 2) clean(inside, depth + 1);
    }
    if (d) closedir(d);
    rmdir(path);
}

void ckpt_folder_clean(ckpt_folder *f) {
    clean(f->path, 0);
    lc_arena_deinit(&f->arena);
}

ckpt_folder ckpt_test_folder;

int ckpt_test_folder_make(void **state) {
    (void)state;
    return ckpt_folder_make(&ckpt_test_folder) ? 0 : 1;
}

int ckpt_test_folder_clean(void **state) {
    (void)state;
    ckpt_folder_clean(&ckpt_test_folder);
    return 0;
}

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

void table_put_varint(lc_text *t, uint64_t v) {
    for (; v > 127; v >>= 7) lc_text_add_n(t, &(char){(char)(v | 128)}, 1);
    lc_text_add_n(t, &(char){(char)v}, 1);
}

void table_put_u32(lc_text *t, uint32_t v) {
    for (int i = 0; i < 4; i++) lc_text_add_n(t, &(char){(char)(v >> 8 * i)}, 1);
}

void table_put_block(lc_text *out, lc_str contents, uint8_t kind, lc_text *handle) {
    text_clear(handle);
    table_put_varint(handle, out->size);
    table_put_varint(handle, contents.size);
    text_put(out, contents);
    lc_text_add_n(out, (const char *)&kind, 1);
    table_put_u32(out, lc_crc32c_mask(lc_crc32c(0, out->data + out->size - contents.size - 1, contents.size + 1)));
}

void table_put_footer(lc_text *out, lc_str meta_handle, lc_str index_handle) {
    static const char padding[40] = {0};
    const size_t at = out->size;
    text_put(out, meta_handle);
    text_put(out, index_handle);
    lc_text_add_n(out, padding, 40 - (out->size - at));
    table_put_u32(out, 0x8b80fb57u);
    table_put_u32(out, 0xdb477524u);
}

static void put_entry(lc_text *block, size_t shared, lc_str key, lc_str value) {
    table_put_varint(block, shared);
    table_put_varint(block, key.size - shared);
    table_put_varint(block, value.size);
    lc_text_add_n(block, key.data + shared, key.size - shared);
    text_put(block, value);
}

static void end_block(table_maker *m) {
    lc_text handle = {0}, packed = {0};
    if (!m->entries) return;
    for (uint32_t i = 0; i < m->restart_count; i++) table_put_u32(&m->block, m->restarts[i]);
    table_put_u32(&m->block, m->restart_count);
    if (m->snappy) { /* a literal whose length takes two bytes */
        table_put_varint(&packed, m->block.size);
        lc_text_add_n(&packed, &(char){(char)(61 << 2)}, 1);
        lc_text_add_n(&packed, (char[2]){(char)(m->block.size - 1), (char)((m->block.size - 1) >> 8)}, 2);
        text_put(&packed, text_view(&m->block));
    }
    table_put_block(&m->out, m->snappy ? text_view(&packed) : text_view(&m->block), m->snappy, &handle);
    put_entry(&m->index, 0, text_view(&m->last), text_view(&handle));
    text_clear(&m->block);
    m->entries = m->restart_count = 0;
    lc_text_deinit(&handle);
    lc_text_deinit(&packed);
}

void table_add(table_maker *m, lc_str key, lc_str value) {
    size_t shared = 0;
    const bool restart = m->entries % (m->restart_every ? m->restart_every : 16) == 0;
    while (!restart && shared < key.size && shared < m->last.size && key.data[shared] == m->last.data[shared]) shared++;
    if (restart) m->restarts[m->restart_count++] = (uint32_t)m->block.size;
    put_entry(&m->block, shared, key, value);
    text_clear(&m->last);
    text_put(&m->last, key);
    m->entries++;
    if (m->block.size > (m->block_size ? m->block_size : 4096)) end_block(m);
}

void table_end(table_maker *m) {
    static const char nothing[8] = {0, 0, 0, 0, 1, 0, 0, 0}; /* no entry, one restart */
    lc_text meta = {0}, index = {0};
    end_block(m);
    size_t at = 0, restarts = 0;
    lc_cursor c = lc_cursor_make(m->index.data, m->index.size);
    lc_text where = {0};
    while (lc_cursor_left(&c)) { /* every entry of the index is a restart */
        at = (size_t)lc_cursor_at(&c);
        table_put_u32(&where, (uint32_t)at);
        restarts++;
        lc_read_varint(&c);
        const uint64_t key = lc_read_varint(&c), value = lc_read_varint(&c);
        lc_cursor_skip(&c, key + value);
    }
    text_put(&m->index, text_view(&where));
    table_put_u32(&m->index, (uint32_t)restarts);
    table_put_block(&m->out, (lc_str){nothing, sizeof nothing}, 0, &meta);
    table_put_block(&m->out, text_view(&m->index), 0, &index);
    table_put_footer(&m->out, text_view(&meta), text_view(&index));
    lc_text_deinit(&meta);
    lc_text_deinit(&index);
    lc_text_deinit(&where);
}

void table_free(table_maker *m) {
    lc_text_deinit(&m->out);
    lc_text_deinit(&m->block);
    lc_text_deinit(&m->index);
    lc_text_deinit(&m->last);
}
