/*
 * zlib_memory.h: a z_stream whose memory comes from our allocator, so that the tests that make allocations fail see it.
 */
#ifndef LC_SOURCE_ZLIB_MEMORY_H
#define LC_SOURCE_ZLIB_MEMORY_H

#include "base/alloc.h"
#include <zlib.h>

static inline void *lc_zlib_alloc(void *user, unsigned items, unsigned size) {
    (void)user;
    return lc_calloc(items, size);
}
static inline void lc_zlib_free(void *user, void *p) {
    (void)user;
    lc_free(p);
}
#define LC_ZLIB_MEMORY .zalloc = lc_zlib_alloc, .zfree = lc_zlib_free

#endif
