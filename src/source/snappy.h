/*
 * snappy.h: decompressing what Snappy made of one block of a table (raw format, without frames).
 */
#ifndef LC_SOURCE_SNAPPY_H
#define LC_SOURCE_SNAPPY_H

#include "base/base.h"

/* No element makes more bytes of one: a copy of 64 bytes is stated in three. */
#define LC_SNAPPY_EXPANSION 22u

/* The number of bytes that `data` states it decompresses to; false when it states none, or more than its bytes can make. */
bool lc_snappy_size(const void *data, size_t size, size_t *out_size);
/* Decompresses into exactly `out_size` bytes; NULL when that is what was in it, else what is wrong. */
const char *lc_snappy_read(const void *data, size_t size, uint8_t *out, size_t out_size);

#endif
