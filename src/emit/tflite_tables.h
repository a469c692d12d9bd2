/*
 * tflite_tables.h: the two lists of a .tflite file that its other tables refer to by number: buffers and operator codes, each
 * entry written once. Internal to src/emit.
 */
#ifndef LC_EMIT_TFLITE_TABLES_H
#define LC_EMIT_TFLITE_TABLES_H

#include "ir/constant.h"

/* Numbers found again by hash: open addressing. Equal keys may stand for different things, so the caller compares. */
typedef struct lc_emit_index {
    uint64_t *keys;
    uint32_t *values; /* number + 1; 0 marks a free place */
    size_t mask;
} lc_emit_index;

typedef struct lc_emit_tables {
    lc_arena *arena;
    lc_Buffer *buffers;
    size_t buffer_count, buffer_capacity;
    lc_constant *contents;
    size_t content_capacity; /* [buffer_count] what each buffer holds */
    lc_deferred *made;
    size_t made_count; /* the deferred ones among them */
    lc_OperatorCode *codes;
    size_t code_count, code_capacity;
    lc_emit_index buffer_index, code_index;
} lc_emit_tables;

/* Room for at most `constants` different buffers and `nodes` different codes to be found again; buffer 0 is made: empty. */
lc_status lc_emit_tables_init(lc_emit_tables *t, lc_arena *arena, size_t constants, size_t nodes, lc_error *err);
/* Number of the buffer with these bytes, made when there is none yet; 0 for no constant. A deferred one is written through
 * tflite_stream.h: its data.data points into t->made. */
lc_status lc_emit_buffer(lc_emit_tables *t, lc_constant bytes, uint32_t *number, lc_error *err);
/* The entry of t->made at this address; NULL when it is none. */
const lc_deferred *lc_emit_deferred(const lc_emit_tables *t, const void *data);
/* Number of the operator code, made when there is none yet. custom_code may be absent. */
lc_status lc_emit_code(lc_emit_tables *t, int32_t op, int32_t version, lc_str custom_code, uint32_t *number, lc_error *err);
/* Appends a code as it is, without looking for an equal one. */
lc_status lc_emit_code_add(lc_emit_tables *t, const lc_OperatorCode *code, lc_error *err);

#endif
