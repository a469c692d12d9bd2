/*
 * sha256.h: SHA-256 (FIPS 180-4), by which files from the network are known to be the right ones.
 */
#ifndef LC_SOURCE_SHA256_H
#define LC_SOURCE_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct lc_sha256 {
    uint32_t h[8];
    uint64_t size;
    uint8_t block[64]; /* size % 64 bytes that make no whole block yet */
} lc_sha256;

void lc_sha256_begin(lc_sha256 *s);
void lc_sha256_add(lc_sha256 *s, const void *data, size_t size);
/* 64 hexadecimal digits and a zero. */
void lc_sha256_end(lc_sha256 *s, char text[65]);

#endif
