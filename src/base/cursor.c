/*
 * cursor.c: bounded reading of an input file: the only place that moves a pointer through one.
 *
 * Stays true: base <= p <= end. Every move is checked against the bytes that are left, by comparison and never by adding
 * to a pointer first. Once a cursor has failed, every later read fails too and gives zeros, so that a record read after a
 * broken one is not made of whatever bytes happened to fit.
 */
#include "base/cursor.h"

#include "base/checked.h"
#include <string.h>

/* Moves past n bytes and returns where they start; NULL (and failed) when they are not all there. */
static const uint8_t *step(lc_cursor *c, uint64_t n) {
    if (c->failed || n > lc_cursor_left(c)) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->p;
    if (n) c->p += n;
    return p;
}

static lc_cursor failed_window(const lc_cursor *c) { return (lc_cursor){c->base, c->base, c->base, true}; }

lc_cursor lc_cursor_window(const lc_cursor *c, uint64_t offset, uint64_t size) {
    if (c->failed || !lc_range_ok(offset, size, (uint64_t)(c->end - c->base))) return failed_window(c);
    if (!c->base) return *c; /* empty block without an address */
    return (lc_cursor){c->base, c->base + offset, c->base + offset + size, false};
}

lc_cursor lc_cursor_take(lc_cursor *c, uint64_t size) {
    const uint8_t *p = step(c, size);
    if (c->failed) return failed_window(c);
    return (lc_cursor){c->base, p, c->p, false};
}

const uint8_t *lc_read_bytes(lc_cursor *c, uint64_t size) {
    const uint8_t *p = step(c, size);
    if (c->failed) return NULL;
    return p ? p : (const uint8_t *)""; /* no bytes of an empty block: still not a failure */
}

void lc_cursor_skip(lc_cursor *c, uint64_t size) { step(c, size); }

void lc_cursor_seek(lc_cursor *c, uint64_t offset) {
    if (c->failed || offset > (uint64_t)(c->end - c->base)) {
        c->failed = true;
        return;
    }
    if (c->base) c->p = c->base + offset;
}

/* Numbers are put together byte by byte: right on any machine, and compilers make one load of it. */
uint64_t lc_read_uint(lc_cursor *c, unsigned bytes) {
    if (bytes < 1 || bytes > 8) {
        c->failed = true;
        return 0;
    }
    const uint8_t *p = step(c, bytes);
    uint64_t v = 0;
    if (p)
        for (unsigned i = bytes; i-- > 0;) v = v << 8 | p[i];
    return v;
}

uint8_t lc_read_u8(lc_cursor *c) {
    const uint8_t *p = step(c, 1);
    return p ? p[0] : 0;
}

uint16_t lc_read_u16(lc_cursor *c) {
    const uint8_t *p = step(c, 2);
    return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

uint32_t lc_read_u32(lc_cursor *c) {
    const uint8_t *p = step(c, 4);
    return p ? (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

uint64_t lc_read_u64(lc_cursor *c) { return lc_read_uint(c, 8); }

uint32_t lc_read_u32_be(lc_cursor *c) {
    const uint8_t *p = step(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3] : 0;
}

uint64_t lc_read_varint_long(lc_cursor *c) {
    uint64_t v = 0;
    const size_t left = c->failed ? 0 : lc_cursor_left(c);
    for (size_t i = 0; i < left && i < 10; i++) {
        const uint8_t byte = c->p[i];
        if (i == 9 && byte > 1) break; /* the tenth has room for one bit */
        v |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            c->p += i + 1;
            return v;
        }
    }
    c->failed = true;
    return 0;
}

const char *lc_read_cstr(lc_cursor *c, size_t *length) {
    if (length) *length = 0;
    size_t left = lc_cursor_left(c);
    const uint8_t *nul = c->failed || !left ? NULL : memchr(c->p, 0, left);
    if (!nul) {
        c->failed = true;
        return NULL;
    }
    size_t n = (size_t)(nul - c->p);
    if (length) *length = n;
    return (const char *)step(c, n + 1);
}
