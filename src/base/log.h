/*
 * log.h: a file that grows while others read it: what a training says of itself. The only files that are not written whole or not at
 * all, since they are never whole.
 */
#ifndef LC_BASE_LOG_H
#define LC_BASE_LOG_H

#include "litec/runtime.h"

typedef struct lc_logfile lc_logfile;
/* Opens a file to write behind what it holds; makes it when it is not there. `empty` begins it anew. */
lc_status lc_logfile_open(const char *path, bool empty, lc_logfile **log, lc_error *err);
/* Appends a piece with one call of the system, so that a reader sees it whole; who is killed in it leaves its beginning at most. */
lc_status lc_logfile_write(lc_logfile *log, const void *data, size_t size, lc_error *err);
/* Waits until all is on the disk. */
lc_status lc_logfile_flush(lc_logfile *log, lc_error *err);
/* NULL is fine. */
void lc_logfile_close(lc_logfile *log);

#endif
