/*
 * cursor.h: the one way to read an input file. A cursor is a window [p, end) of a larger block that starts at `base`;
 * it never moves past `end`. A read past the end returns zeros, does not move, and sets `failed`, which stays set: a
 * parser may read a whole record and check once.
 *
 * All numbers are little-endian, as in every format litec reads; the _be form is for IDX headers.
 */
#ifndef LC_BASE_CURSOR_H
#define LC_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lc_cursor {
    const uint8_t *base; /* start of the whole block: offsets in messages count from here */
    const uint8_t *p;
    const uint8_t *end;
    bool failed;
} lc_cursor;

/* Whole block. */
static inline lc_cursor lc_cursor_make(const void *data, size_t size) {
    const uint8_t *b = (const uint8_t *)data;
    return (lc_cursor){b, b, b ? b + size : b, false}; /* adding 0 to NULL is undefined */
}
static inline size_t lc_cursor_left(const lc_cursor *c) { return (size_t)(c->end - c->p); }
static inline uint64_t lc_cursor_at(const lc_cursor *c) { return (uint64_t)(c->p - c->base); }

/* Window [offset, offset+size) of the block [c->base, c->end), read from its start; failed when it does not fit. */
lc_cursor lc_cursor_window(const lc_cursor *c, uint64_t offset, uint64_t size);
/* The next `size` bytes as a window of their own; *c moves past them. */
lc_cursor lc_cursor_take(lc_cursor *c, uint64_t size);
/* Pointer to the next `size` bytes and moves past them; NULL and failed when fewer are left. */
const uint8_t *lc_read_bytes(lc_cursor *c, uint64_t size);
void lc_cursor_skip(lc_cursor *c, uint64_t size);
/* Moves to `offset` from base. */
void lc_cursor_seek(lc_cursor *c, uint64_t offset);

uint8_t lc_read_u8(lc_cursor *c);
uint16_t lc_read_u16(lc_cursor *c);
uint32_t lc_read_u32(lc_cursor *c);
uint64_t lc_read_u64(lc_cursor *c);
uint32_t lc_read_u32_be(lc_cursor *c);
/* Unsigned little-endian number of 1 to 8 bytes. */
uint64_t lc_read_uint(lc_cursor *c, unsigned bytes);
/* A number of 7 bits a byte, lowest first, the top bit of a byte saying that another follows (protocol buffers, LevelDB tables): at most 10
 * bytes and 64 bits. Failed, without moving, when it is cut or larger. */
uint64_t lc_read_varint_long(lc_cursor *c);
static inline uint64_t lc_read_varint(lc_cursor *c) {
    return !c->failed && c->p != c->end && *c->p < 0x80 ? *c->p++ : lc_read_varint_long(c); /* most are one byte */
}
/* A string that must end with NUL inside the window; returns it (borrowed) and moves past the NUL. NULL and failed
 * when there is no NUL. *length (may be NULL) excludes the NUL. */
const char *lc_read_cstr(lc_cursor *c, size_t *length);

#endif
