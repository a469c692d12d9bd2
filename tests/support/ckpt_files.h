/*
 * ckpt_files.h: a temporary folder for the files of a checkpoint, and tables (SSTables) written key by key or byte by byte.
 */
#ifndef TESTS_SUPPORT_CKPT_FILES_H
#define TESTS_SUPPORT_CKPT_FILES_H

#include "base/base.h"

/* ---- files ------------------------------------------------------------------------------------------------------------- */

/* A folder in the temporary directory, empty at first; and what is written into it. Paths are valid until the folder is cleaned. */
typedef struct ckpt_folder {
    char path[200];
    lc_arena arena;
} ckpt_folder;

bool ckpt_folder_make(ckpt_folder *f);
const char *ckpt_folder_path(ckpt_folder *f, const char *name);
void ckpt_folder_write(ckpt_folder *f, const char *name, const void *data, size_t size);
void ckpt_folder_clean(ckpt_folder *f); /* also folders in it, one deep */
/* A folder for each test, for those that need no other: cmocka's set-up and tear-down. */
extern ckpt_folder ckpt_test_folder;
int ckpt_test_folder_make(void **state);
int ckpt_test_folder_clean(void **state);

/* ---- text as bytes ----------------------------------------------------------------------------------------------------- */

static inline void text_put(lc_text *t, lc_str s) { lc_text_add_n(t, s.data, s.size); }
static inline lc_str text_view(const lc_text *t) { return (lc_str){t->data ? t->data : "", t->size}; }
static inline void text_clear(lc_text *t) {
    t->size = 0;
    if (t->data) t->data[0] = 0;
}

/* ---- tables ------------------------------------------------------------------------------------------------------------ */

/* A table being made: zeroed, then keys in rising order, then the end. */
typedef struct table_maker {
    unsigned restart_every; /* 0: 16 */
    size_t block_size;      /* a block ends when it has more bytes; 0: 4096 */
    bool snappy;            /* blocks as one literal of snappy */
    lc_text out, block, index;
    lc_text last; /* key */
    unsigned entries;
    uint32_t restarts[4096], restart_count;
} table_maker;

void table_put_varint(lc_text *t, uint64_t v);
void table_put_u32(lc_text *t, uint32_t v);
/* Appends a block with its compression and checksum; its handle goes to `handle`. */
void table_put_block(lc_text *out, lc_str contents, uint8_t kind, lc_text *handle);
void table_put_footer(lc_text *out, lc_str meta_handle, lc_str index_handle);
void table_add(table_maker *m, lc_str key, lc_str value);
/* The bytes are in m->out. */
void table_end(table_maker *m);
void table_free(table_maker *m);

#endif
