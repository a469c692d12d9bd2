/*
 * alloc.c: the only place of the library that touches the system's heap.
 *
 * One hook of the shape of realloc serves everything, so that a caller's allocator is one function and a test that makes
 * the Nth allocation fail sees every one. The hook is the library's only mutable global; it is set before anything else
 * runs and only read after that.
 *
 * An aligned block is a larger plain block; the plain pointer is kept just below the aligned address.
 */
#include "base/alloc.h"

#include "base/checked.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT 64u

static lc_allocator hook; /* reallocate NULL: the system's heap */

void lc_set_allocator(const lc_allocator *allocator) { hook = allocator ? *allocator : (lc_allocator){NULL, NULL}; }

/* No object may be larger than PTRDIFF_MAX: pointer differences inside it would be undefined. */
static bool sane(size_t size) { return size <= PTRDIFF_MAX; }

/* Blocks from here on ask for 2 MiB pages where the kernel leaves the choice to the program: a hundred megabytes of weights then
 * cost fifty page faults instead of 25,000, and kernels that stream through them miss the TLB less. Only a hint. */
#define HUGE ((size_t)2 << 20)

static void *hint_huge(void *p, size_t size) {
#ifdef MADV_HUGEPAGE
    if (p && size >= 2 * HUGE) {
        const size_t past = (size_t)((uintptr_t)p % HUGE), skip = past ? HUGE - past : 0;
        madvise((unsigned char *)p + skip, (size - skip) / HUGE * HUGE, MADV_HUGEPAGE);
    }
#else
    (void)size;
#endif
    return p;
}

void *lc_malloc(size_t size) {
    if (!sane(size)) return NULL;
    if (size == 0) size = 1;
    return hook.reallocate ? hook.reallocate(hook.user, NULL, size) : hint_huge(malloc(size), size);
}

void *lc_calloc(size_t count, size_t size) {
    size_t bytes;
    if (!lc_mul_size(count, size, &bytes) || !sane(bytes)) return NULL;
    if (bytes == 0) bytes = 1;
    /* The system's calloc knows which pages are fresh from the kernel and does not touch those. */
    if (!hook.reallocate) return hint_huge(calloc(1, bytes), bytes);
    void *p = hook.reallocate(hook.user, NULL, bytes);
    if (p) memset(p, 0, bytes);
    return p;
}

void *lc_realloc(void *p, size_t size) {
    if (!sane(size)) return NULL;
    if (size == 0) size = 1;
    return hook.reallocate ? hook.reallocate(hook.user, p, size) : realloc(p, size);
}

void lc_free(void *p) {
    if (!p) return;
    if (hook.reallocate) hook.reallocate(hook.user, p, 0);
    else free(p);
}

static void *aligned(size_t size, bool zeroed) {
    size_t bytes;
    if (!lc_add_size(size, ALIGNMENT + sizeof(void *), &bytes)) return NULL;
    unsigned char *raw = zeroed ? lc_calloc(1, bytes) : lc_malloc(bytes);
    if (!raw) return NULL;
    size_t past = (size_t)((uintptr_t)(raw + sizeof(void *)) % ALIGNMENT);
    unsigned char *p = raw + sizeof(void *) + (past ? ALIGNMENT - past : 0);
    memcpy(p - sizeof(void *), &raw, sizeof raw);
    return p;
}

void *lc_malloc_aligned(size_t size) { return aligned(size, false); }
void *lc_calloc_aligned(size_t size) { return aligned(size, true); }

void lc_free_aligned(void *p) {
    if (!p) return;
    void *raw;
    memcpy(&raw, (unsigned char *)p - sizeof(void *), sizeof raw);
    lc_free(raw);
}
