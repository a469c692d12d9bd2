/*
 * flex.h: looks a value up by name in a FlexBuffer whose root is a map: the options of custom operators; and writes such options.
 *
 *     lc_flex map;
 *     LC_TRY(lc_flex_open(node->custom_options, &map, err));
 *     const int64_t n = lc_flex_int(&map, "num_classes", 0);
 *     LC_TRY(lc_flex_check(&map, err));                       one check behind all reads
 *
 * A name that is not there, or is null, gives `otherwise`. A number of another kind is converted (a float loses its fraction and is clamped
 * to int64; a bool is 0 or 1). A value that is no number, or whose bytes lie outside the buffer, makes lc_flex_check fail.
 */
#ifndef LC_SCHEMA_FLEX_H
#define LC_SCHEMA_FLEX_H

#include "base/arena.h"
#include "base/cursor.h"
#include "base/str.h"
#include "schema/schema.h"

typedef struct lc_flex {
    lc_cursor all;   /* the buffer */
    uint64_t keys;   /* where the offsets of the keys begin */
    uint64_t values; /* where the values begin; their types lie behind them */
    uint64_t count;
    uint8_t key_width, value_width;
    const char *wrong; /* the first name whose value could not be read */
} lc_flex;

/* LC_INVALID when the bytes are no FlexBuffer, its root is no map, or its tables do not lie in the buffer. No bytes at all: an empty map.
 */
lc_status lc_flex_open(lc_vec_u8 bytes, lc_flex *map, lc_error *err);

bool lc_flex_has(const lc_flex *map, const char *name); /* present and not null */
int64_t lc_flex_int(lc_flex *map, const char *name, int64_t otherwise);
double lc_flex_float(lc_flex *map, const char *name, double otherwise);
bool lc_flex_bool(lc_flex *map, const char *name, bool otherwise);
/* Borrowed from the buffer. */
lc_str lc_flex_string(lc_flex *map, const char *name, lc_str otherwise);

/* LC_INVALID, naming it, when a value read so far was broken or of a wrong kind. */
lc_status lc_flex_check(const lc_flex *map, lc_error *err);

/* ---- writing (flex_write.c) --------------------------------------------------------------------------------------- */

typedef enum lc_flex_kind {
    LC_FLEX_KIND_INT,
    LC_FLEX_KIND_BOOL,
    LC_FLEX_KIND_FLOAT,
    LC_FLEX_KIND_STRING,
    LC_FLEX_KIND_INTS,
    LC_FLEX_KIND_FLOATS,
    LC_FLEX_KIND_STRINGS
} lc_flex_kind;

typedef struct lc_flex_value {
    lc_str key; /* without a NUL in it */
    lc_flex_kind kind;
    int64_t i; /* also a bool */
    float f;
    lc_str s;
    uint32_t n; /* of a list */
    const int64_t *ints;
    const float *floats;
    const lc_str *strings;
} lc_flex_value;

/* Into an empty text: a map of values, which are sorted by their keys. Out of memory: out->failed. */
void lc_flex_write_map(lc_text *out, const lc_flex_value *values, uint32_t n, lc_arena *scratch);
/* A vector of two strings: name and definition of an operator of the Flex delegate. */
void lc_flex_write_strings(lc_text *out, const lc_str strings[2]);

#endif
