/*
 * memfile.h: bytes as a file with a path, for readers that take one. The file lives in memory (memfd) where the system has
 * /proc, else in the temporary directory. One at a time.
 */
#ifndef TESTS_SUPPORT_MEMFILE_H
#define TESTS_SUPPORT_MEMFILE_H

#include <stddef.h>

/* Path of a file with these bytes, valid until memfile_close; NULL when the system refuses. */
const char *memfile_open(const void *data, size_t size);
void memfile_close(void);

#endif
