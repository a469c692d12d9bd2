/*
 * wire.h: protocol buffers put together by hand, field by field, right or wrong.
 *
 *     wire w = {0};
 *     wire_string(&w, 1, "name");
 *     wire_open(&w, 5);            a message in field 5
 *     wire_varint(&w, 3, 7);
 *     wire_close(&w);
 *     ... w.bytes, w.size
 */
#ifndef TESTS_WIRE_H
#define TESTS_WIRE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct wire {
    uint8_t bytes[8192];
    size_t size;
    size_t open[200]; /* where the payloads of open messages begin */
    size_t depth;
} wire;

static inline void wire_raw(wire *w, const void *data, size_t n) {
    if (n > sizeof w->bytes - w->size) abort();
    if (n) memcpy(w->bytes + w->size, data, n);
    w->size += n;
}
static inline void wire_number(wire *w, uint64_t v) {
    for (; v >= 0x80; v >>= 7) wire_raw(w, &(uint8_t){(uint8_t)(v | 0x80)}, 1);
    wire_raw(w, &(uint8_t){(uint8_t)v}, 1);
}
static inline void wire_tag(wire *w, uint64_t number, unsigned type) { wire_number(w, number << 3 | type); }
static inline void wire_varint(wire *w, uint64_t number, uint64_t v) {
    wire_tag(w, number, 0);
    wire_number(w, v);
}
static inline void wire_64(wire *w, uint64_t number, const void *eight) {
    wire_tag(w, number, 1);
    wire_raw(w, eight, 8);
}
static inline void wire_32(wire *w, uint64_t number, const void *four) {
    wire_tag(w, number, 5);
    wire_raw(w, four, 4);
}
static inline void wire_bytes(wire *w, uint64_t number, const void *data, size_t n) {
    wire_tag(w, number, 2);
    wire_number(w, n);
    wire_raw(w, data, n);
}
static inline void wire_string(wire *w, uint64_t number, const char *s) { wire_bytes(w, number, s, strlen(s)); }
static inline void wire_open(wire *w, uint64_t number) {
    wire_tag(w, number, 2);
    w->open[w->depth++] = w->size;
}
static inline void wire_close(wire *w) {
    const size_t at = w->open[--w->depth], n = w->size - at;
    uint8_t length[10];
    size_t k = 0;
    for (size_t v = n; k == 0 || v; v >>= 7) length[k++] = (uint8_t)((v & 0x7f) | (v >> 7 ? 0x80 : 0));
    wire_raw(w, length, k); /* makes room */
    memmove(w->bytes + at + k, w->bytes + at, n);
    memcpy(w->bytes + at, length, k);
}

#endif
