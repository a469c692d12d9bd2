/*
 * arena.h: memory that is freed all at once. A model, a parsed file, a conversion each own one.
 *
 *   chunk ─▶ chunk ─▶ chunk      small allocations are carved from chunks that double in size (4 KiB to 1 MiB);
 *                                large ones get a chunk of their own, so that no big block is copied or wasted; once there
 *                                are many megabytes of them they are carved from 32 MiB chunks, which the kernel
 *                                backs with huge pages: a page fault for 2 MiB instead of one for 4 KiB
 *
 * All memory is zeroed. A zeroed lc_arena is a valid empty arena.
 */
#ifndef LC_BASE_ARENA_H
#define LC_BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct lc_arena {
    struct lc_arena_chunk *chunks; /* newest first; owned */
    struct lc_arena_chunk *wide;   /* of these, the one large blocks are carved from; NULL: none yet */
    size_t used;                   /* bytes handed out */
} lc_arena;

/* `size` bytes, zeroed, aligned to 16; size 0 gives a valid unique pointer. NULL when memory is out. */
void *lc_arena_alloc(lc_arena *arena, size_t size);
/* count * size, overflow-checked. */
void *lc_arena_array(lc_arena *arena, size_t count, size_t size);
/* A block aligned to 64, for tensor data. */
void *lc_arena_data(lc_arena *arena, size_t size);
/* Grows an array kept in an arena so that it can hold `need` elements (geometric growth; the old block stays behind in
 * the arena). *items and *capacity are updated. Returns 0 when memory is out. */
int lc_arena_grow(lc_arena *arena, void **items, size_t *capacity, size_t need, size_t item_size);
/* Copy of n bytes with a NUL behind. */
char *lc_arena_strndup(lc_arena *arena, const char *s, size_t n);
/* printf into the arena. NULL when memory is out. */
char *lc_arena_printf(lc_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Frees every chunk; the arena is empty and usable again. */
void lc_arena_deinit(lc_arena *arena);

#endif
