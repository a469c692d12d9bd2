/*
 * table_emit.h: writes the sorted table of keys and values that checkpoints are made of; source/table.h reads it.
 */
#ifndef LC_TABLE_EMIT_H
#define LC_TABLE_EMIT_H

#include "base/base.h"

/* A table being written: zeroed but for `file`. */
typedef struct lc_table_writer {
    lc_file *file;
    uint64_t at;                  /* bytes in the file */
    lc_text block, index;         /* entries that wait */
    lc_text starts, index_starts; /* of entries whose keys stand whole: their offsets, 4 bytes each */
    lc_text key;                  /* of the last entry */
    uint32_t entries;             /* in the block */
} lc_table_writer;

/* Keys must rise as bytes. */
lc_status lc_table_put(lc_table_writer *w, lc_str key, lc_str value, lc_error *err);
/* The last block, the index and the end; the file is still to be committed. */
lc_status lc_table_end(lc_table_writer *w, lc_error *err);
void lc_table_writer_deinit(lc_table_writer *w);

#endif
