/*
 * zlib.h: zlib's gzopen, gzread and gzclose for files that are not compressed, which zlib itself reads too. tests/device inflates the
 * test data when it is built, so that the tests need no zlib for the machine they run on.
 */
#ifndef TESTS_DEVICE_ZLIB_H
#define TESTS_DEVICE_ZLIB_H

#include <stdio.h>

typedef FILE *gzFile;
#define gzopen fopen
#define gzclose fclose
static inline int gzread(gzFile file, void *data, unsigned size) {
    const size_t n = fread(data, 1, size, file);
    return ferror(file) ? -1 : (int)n;
}

#endif
