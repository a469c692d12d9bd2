/*
 * alloc.h: the only way to the heap (tools/check_rules refuses malloc and friends elsewhere), so that a caller can
 * replace it (lc_set_allocator) and a test can make the Nth allocation fail.
 */
#ifndef LC_BASE_ALLOC_H
#define LC_BASE_ALLOC_H

#include "litec/runtime.h" /* lc_free, lc_set_allocator */
#include <stddef.h>

void *lc_malloc(size_t size);               /* size 0 gives a unique pointer; NULL when memory is out */
void *lc_calloc(size_t count, size_t size); /* zeroed, overflow-checked */
void *lc_realloc(void *p, size_t size);     /* NULL on failure, p stays valid */
/* Aligned to 64 bytes; contents are undefined. Freed with lc_free_aligned. */
void *lc_malloc_aligned(size_t size);
void *lc_calloc_aligned(size_t size); /* zeroed; memory fresh from the system is not touched for it */
void lc_free_aligned(void *p);

#endif
