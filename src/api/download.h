/*
 * download.h: a file from the network, which goes on where an earlier try ended.
 */
#ifndef LC_API_DOWNLOAD_H
#define LC_API_DOWNLOAD_H

#include "base/base.h"
#include "litec/litec.h"

/* One file. */
typedef struct lc_download {
    const char *part;  /* path of the file that grows; kept when the download ends early */
    const char *name;  /* for progress */
    uint64_t expected; /* bytes; more are refused */
    const lc_dataset_options *options;
} lc_download;

/* Writes what is behind an address (http, https) into the part file, from where that ends. It may be shorter than expected. *resumed: bytes
 * that were there already. LC_IO: the part stays. */
lc_status lc_download_run(const lc_download *d, const char *url, uint64_t *resumed, lc_error *err);
/* Bytes of a part file; 0: there is none. */
uint64_t lc_part_size(const char *part);
/* Gives the part its name, after all of it is on the disk. */
lc_status lc_part_commit(const char *part, const char *path, lc_error *err);
void lc_part_drop(const char *part);

#endif
