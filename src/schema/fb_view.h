/*
 * fb_view.h: looking at flatbuffer bytes without trusting them. fb_verify.c walks a file with these and reports the rule that
 * is broken; fb_read.c walks it again with the same functions, so that even a mapped file that changes in between (another
 * process writes to it) is an error and never a wild read. Internal to src/schema.
 */
#ifndef LC_FB_VIEW_H
#define LC_FB_VIEW_H

#include "schema/schema.h"

typedef enum lc_fb_rule {
    LC_FB_OK,
#define LC_FB_RULE(NAME, id, text) LC_FB_##NAME,
#include "schema/fb_rules.def"
    LC_FB_RULE_COUNT
} lc_fb_rule;

/* "FB-VTABLE", and what it says. */
const char *lc_fb_rule_id(lc_fb_rule rule);
const char *lc_fb_rule_text(lc_fb_rule rule);

/* Flatbuffer offsets are signed 32-bit at heart: what they reach ends here, buffers of larger files lie behind. */
#define LC_FB_MAX ((uint64_t)INT32_MAX)

typedef struct lc_fb_bytes {
    lc_cursor all;   /* the whole file */
    lc_cursor front; /* its first LC_FB_MAX bytes, where tables, vectors and strings may lie */
    lc_fb_rule rule; /* first rule that was broken */
    uint64_t where;  /* offset of the bytes that break it */
    uint64_t found;  /* the number found there */
} lc_fb_bytes;

typedef struct lc_fb_table {
    uint64_t at, vtable;
    uint32_t vtable_size, size;
} lc_fb_table;
typedef struct lc_fb_span {
    uint64_t at;
    uint32_t n;
    const uint8_t *data;
} lc_fb_span; /* elements of a vector, bytes of a string */

lc_fb_bytes lc_fb_bytes_make(const void *data, size_t size);
/* All below: false with rule, where and found set when a rule is broken. */
bool lc_fb_broken(lc_fb_bytes *b, lc_fb_rule rule, uint64_t where, uint64_t found); /* sets them; returns false */
/* Size, identifier, root offset; *at: position of the root table. */
bool lc_fb_root(lc_fb_bytes *b, uint64_t *at);
bool lc_fb_table_at(lc_fb_bytes *b, uint64_t at, lc_fb_table *table);
/* Position of a field of `bytes` bytes (its alignment too); *at is 0 when the table does not have it. */
bool lc_fb_field_at(lc_fb_bytes *b, const lc_fb_table *table, uint16_t id, uint32_t bytes, uint64_t *at);
/* Little-endian number of 1 to 8 bytes. */
bool lc_fb_number(lc_fb_bytes *b, uint64_t at, uint32_t bytes, uint64_t *value);
/* Follows the offset stored at `at`. */
bool lc_fb_follow(lc_fb_bytes *b, uint64_t at, uint64_t *target);
/* Vector of elements of `bytes` bytes that starts (length first) at `at`. */
bool lc_fb_vector_at(lc_fb_bytes *b, uint64_t at, uint32_t bytes, lc_fb_span *span);
bool lc_fb_string_at(lc_fb_bytes *b, uint64_t at, lc_fb_span *span);
/* Position of element i of a vector of offsets. */
bool lc_fb_element_at(lc_fb_bytes *b, lc_fb_span span, uint32_t i, uint64_t *at);

/* ---- kinds ------------------------------------------------------------------------------------------------- */

/* Bytes a field of this kind takes inside its table (references: the offset; a union's value: the offset). */
uint32_t lc_kind_bytes(lc_kind kind);
/* Bytes of one element of a vector kind (vec_table: its offset); 0 for other kinds. */
uint32_t lc_kind_element(lc_kind kind);

/* Whether a scalar field holds its default, bit for bit; `value` points at the field. */
bool lc_fb_is_default(const lc_field *f, const void *value);

/* Any vector field of a struct as lc_vec: the element type is not part of the representation. */
lc_vec lc_vec_get(const void *field);
void lc_vec_set(void *field, const void *data, uint32_t n);

/* The two tables whose bytes may lie behind the flatbuffer (schema.h): offsets into the struct, and field ids. */
typedef struct lc_fb_behind {
    uint16_t vec, offset, size, vec_id, offset_id, size_id;
} lc_fb_behind;
const lc_fb_behind *lc_fb_behind_of(lc_table_id table); /* NULL: not one of them */
uint64_t lc_fb_u64(const void *value, uint16_t offset); /* uint64_t field of a struct */
/* Bytes of the vector of such a struct, wherever they lie; 0 when there is none. */
uint64_t lc_fb_behind_length(const lc_fb_behind *behind, const void *value);

#endif
