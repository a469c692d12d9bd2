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
    uint64_t expected; /* bytes */
    uint64_t most;     /* more are refused: as expected, or above it where the file may be packed otherwise */
    const lc_dataset_options *options;
} lc_download;

/* How a transfer ended. */
typedef struct lc_download_end {
    uint64_t resumed; /* bytes that were there already */
    bool whole;       /* the server said where its file ends, and it ended there */
} lc_download_end;

/* Writes what is behind an address (http, https) into the part file, from where that ends. It may have another size than expected. LC_IO: the
 * part stays. */
lc_status lc_download_run(const lc_download *d, const char *url, lc_download_end *end, lc_error *err);
/* Bytes of a part file; 0: there is none. */
uint64_t lc_part_size(const char *part);
/* Gives the part its name, after all of it is on the disk. */
lc_status lc_part_commit(const char *part, const char *path, lc_error *err);
void lc_part_drop(const char *part);

#endif
