/*
 * arena.c: memory that is freed all at once.
 *
 * A chunk is one heap block: this header, then the bytes handed out. Chunks come zeroed from lc_calloc, which takes
 * fresh pages from the kernel for the large ones, so a big block costs nothing until it is touched.
 *
 * Stays true: small blocks are carved from the newest chunk alone. A chunk made for large blocks, of its own or wide, is put
 * behind it, so that the room left in the newest one is not lost. Under AddressSanitizer every block is a chunk of its own: a
 * write past the end of an arena block is then found like one past the end of a heap block.
 */
#include "base/arena.h"

#include "base/alloc.h"
#include "base/checked.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define EACH_ALONE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EACH_ALONE 1
#endif
#endif
#ifndef EACH_ALONE
#define EACH_ALONE 0
#endif

#define SMALL_ALIGN 16u
#define DATA_ALIGN 64u
#define FIRST_CHUNK 4096u
#define LAST_CHUNK (1u << 20)
#define LARGE (64u << 10) /* from here on a block of its own */
#define WIDE_CHUNK ((size_t)32 << 20)
#define WIDE_FROM ((size_t)8 << 20) /* bytes an arena has handed out before it takes wide chunks */
#define WIDE_MOST ((size_t)8 << 20) /* largest block that is carved from one: what is left over stays untouched, so costs nothing */

struct lc_arena_chunk {
    struct lc_arena_chunk *next;
    size_t used, size; /* bytes behind the header */
    size_t next_size;  /* whole size of the next chunk to carve from */
};
_Static_assert(sizeof(struct lc_arena_chunk) % SMALL_ALIGN == 0, "the first block behind the header is aligned");

static unsigned char *chunk_bytes(struct lc_arena_chunk *c) { return (unsigned char *)(c + 1); }

/* Bytes to skip so that chunk_bytes(c) + c->used is a multiple of align. */
static size_t chunk_pad(struct lc_arena_chunk *c, size_t align) {
    size_t past = (size_t)((uintptr_t)(chunk_bytes(c) + c->used) % align);
    return past ? align - past : 0;
}

/* Carves `size` bytes from c, or NULL when they do not fit. */
static void *carve(lc_arena *arena, struct lc_arena_chunk *c, size_t size, size_t align) {
    size_t pad = chunk_pad(c, align), left = c->size - c->used;
    if (pad > left || size > left - pad) return NULL;
    void *p = chunk_bytes(c) + c->used + pad;
    c->used += pad + size;
    arena->used += size;
    return p;
}

static struct lc_arena_chunk *chunk_new(size_t size) {
    size_t bytes;
    if (!lc_add_size(size, sizeof(struct lc_arena_chunk), &bytes)) return NULL;
    struct lc_arena_chunk *c = lc_calloc(1, bytes);
    if (c) {
        c->size = size;
        c->next_size = FIRST_CHUNK;
    }
    return c;
}

/* Puts c behind the newest chunk, which small blocks go on being carved from. */
static void link_behind(lc_arena *arena, struct lc_arena_chunk *c) {
    if (arena->chunks) {
        c->next = arena->chunks->next;
        arena->chunks->next = c;
    } else {
        arena->chunks = c;
    }
}

static void *alloc_wide(lc_arena *arena, size_t size, size_t align) {
    void *p = arena->wide ? carve(arena, arena->wide, size, align) : NULL;
    if (p) return p;
    struct lc_arena_chunk *c = chunk_new(WIDE_CHUNK);
    if (!c) return NULL;
    link_behind(arena, c);
    arena->wide = c;
    return carve(arena, c, size, align);
}

static void *alloc_alone(lc_arena *arena, size_t size, size_t align) {
    size_t room;
    /* lc_calloc aligns to 16; a wider alignment needs room to move up. */
    if (!lc_add_size(size, align - SMALL_ALIGN, &room)) return NULL;
    struct lc_arena_chunk *c = chunk_new(room);
    if (!c) return NULL;
    link_behind(arena, c);
    void *p = carve(arena, c, size, align);
    c->used = c->size;
    return p;
}

static void *alloc(lc_arena *arena, size_t size, size_t align) {
    if (size == 0) size = 1;
    if (!EACH_ALONE && size >= LARGE && size <= WIDE_MOST && arena->used >= WIDE_FROM) return alloc_wide(arena, size, align);
    if (EACH_ALONE || size >= LARGE) return alloc_alone(arena, size, align);
    if (arena->chunks) {
        void *p = carve(arena, arena->chunks, size, align);
        if (p) return p;
    }
    size_t whole = arena->chunks ? arena->chunks->next_size : FIRST_CHUNK;
    while (whole < size + align + sizeof(struct lc_arena_chunk)) whole *= 2; /* size < LARGE: ends at 128 KiB */
    struct lc_arena_chunk *c = chunk_new(whole - sizeof(struct lc_arena_chunk));
    if (!c) return NULL;
    c->next_size = whole < LAST_CHUNK ? whole * 2 : LAST_CHUNK;
    c->next = arena->chunks;
    arena->chunks = c;
    return carve(arena, c, size, align);
}

void *lc_arena_alloc(lc_arena *arena, size_t size) { return alloc(arena, size, SMALL_ALIGN); }

void *lc_arena_array(lc_arena *arena, size_t count, size_t size) {
    size_t bytes;
    return lc_mul_size(count, size, &bytes) ? alloc(arena, bytes, SMALL_ALIGN) : NULL;
}

void *lc_arena_data(lc_arena *arena, size_t size) { return alloc(arena, size, DATA_ALIGN); }

int lc_arena_grow(lc_arena *arena, void **items, size_t *capacity, size_t need, size_t item_size) {
    if (need <= *capacity) return 1;
    size_t wider = *capacity < 8 ? 8 : *capacity;
    while (wider < need)
        if (!lc_mul_size(wider, 2, &wider)) return 0;
    void *p = lc_arena_array(arena, wider, item_size);
    if (!p) return 0;
    if (*items) memcpy(p, *items, *capacity * item_size);
    *items = p;
    *capacity = wider;
    return 1;
}

char *lc_arena_strndup(lc_arena *arena, const char *s, size_t n) {
    size_t bytes;
    if (!lc_add_size(n, 1, &bytes)) return NULL;
    char *p = lc_arena_alloc(arena, bytes);
    if (p && n) memcpy(p, s, n);
    return p;
}

char *lc_arena_printf(lc_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) return NULL;
    char *p = lc_arena_alloc(arena, (size_t)n + 1);
    if (!p) return NULL;
    va_start(args, format);
    vsnprintf(p, (size_t)n + 1, format, args);
    va_end(args);
    return p;
}

void lc_arena_deinit(lc_arena *arena) {
    struct lc_arena_chunk *c = arena->chunks;
    while (c) {
        struct lc_arena_chunk *next = c->next;
        lc_free(c);
        c = next;
    }
    *arena = (lc_arena){0};
}
