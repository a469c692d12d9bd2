/*
 * table.h: the sorted table of keys and values that TensorFlow's checkpoints are made of (an SSTable in LevelDB's form), in a mapped file.
 */
#ifndef LC_SOURCE_TABLE_H
#define LC_SOURCE_TABLE_H

#include "base/base.h"

typedef struct lc_table_item {
    lc_str key;   /* in the arena */
    lc_str value; /* in the map, or in the arena when its block was compressed */
} lc_table_item;

typedef struct lc_table_block {
    lc_str last;           /* no key of the block is behind it, none of the next one is before it */
    uint64_t offset, size; /* of what is stored, in the map; a byte for the compression and a checksum follow */
    lc_table_item *items;  /* NULL: not read yet */
    size_t count;
} lc_table_block;

typedef struct lc_table {
    lc_map map;       /* borrowed */
    const char *path; /* for messages; borrowed */
    lc_budget *budget;
    lc_arena *arena;
    lc_table_block *blocks;
    size_t count;
} lc_table;

/* True when the file ends as tables do. */
bool lc_table_probe(const lc_map *map);
/* Reads the index of blocks. Keys, and values that were compressed, go into `arena`. */
lc_status lc_table_open(const lc_map *map, const char *path, lc_budget *budget, lc_arena *arena, lc_table *table, lc_error *err);
/* The entries of block i < table->count, at least one, their keys rising; checked and read once. */
lc_status lc_table_read(lc_table *table, size_t i, const lc_table_item **items, size_t *count, lc_error *err);
/* The value of a key; value->data is NULL when there is none. Reads at most one block. */
lc_status lc_table_find(lc_table *table, lc_str key, lc_str *value, lc_error *err);
/* Gives an error the hint that damaged files get. Returns LC_INVALID. */
lc_status lc_table_damaged(lc_error *err);

#endif
