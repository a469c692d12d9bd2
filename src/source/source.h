/*
 * source.h: what litec can read. sources.def lists the formats; each is a probe by content and a loader.
 */
#ifndef LC_SOURCE_H
#define LC_SOURCE_H

#include "lower/keras.h"
#include "source/rules.h"

typedef struct lc_source_options {
    lc_limits limits;
    lc_lower_options lower;
} lc_source_options;

typedef struct lc_source_stats {
    uint32_t layers;
    uint64_t parameters;
} lc_source_stats;

typedef struct lc_source {
    const char *name; /* "keras-h5" */
    const char *what; /* "Keras HDF5 model (.h5)" for messages */
    /* Looks at the content only. */
    bool (*probe)(const lc_map *map);
    /* Reads and lowers. On success *model owns *map (which is zeroed); on failure the caller still owns it. */
    lc_status (*load)(lc_map *map, const lc_source_options *options, lc_source_stats *stats, lc_model **model, lc_error *err);
    /* Checks the whole file without lowering; *summary: a line in lc_malloc'ed memory, caller frees. */
    lc_status (*verify)(const lc_map *map, const lc_limits *limits, char **summary, lc_error *err);
} lc_source;

/* The format of a mapped file, NULL when none fits (err says what the content looks like, with a hint). */
const lc_source *lc_source_find(const lc_map *map, lc_error *err);
/* LC_OK for a file. For a directory that holds a model of a form litec does not read (SavedModel, unpacked .keras): an error that says
 * so; for any other directory LC_OK too (lc_map_open refuses it). To be asked before lc_map_open. */
lc_status lc_source_check_path(const char *path, lc_error *err);
/* All formats, NULL at the end. */
extern const lc_source *const lc_sources[];

/* Parses JSON text into a tree in `arena`; depth, size and NUL bytes are checked. */
lc_status lc_json_parse(const char *text, size_t size, lc_budget *budget, lc_arena *arena, const lc_json **root, lc_error *err);

#endif
