/*
 * zip.h: the members of a zip archive in memory.
 */
#ifndef LC_SOURCE_ZIP_H
#define LC_SOURCE_ZIP_H

#include "base/base.h"
#include <pthread.h>

typedef struct lc_zip_member {
    lc_str name;
    uint16_t method; /* 0 stored, 8 deflated */
    uint32_t crc;
    uint64_t size;   /* of the contents */
    uint64_t stored; /* bytes in the archive */
    uint64_t begin;  /* of the local header */
    uint64_t at;     /* of the stored bytes */
} lc_zip_member;

typedef struct lc_zip {
    lc_map map;             /* borrowed; a map of the whole archive */
    lc_zip_member *members; /* sorted by name */
    size_t count;
} lc_zip;

/* True when the bytes begin like a zip archive. */
bool lc_zip_probe(const void *data, size_t size);
/* Reads the directory and checks all of it; no member is read yet. Members lie in the arena. */
lc_status lc_zip_open(const lc_map *map, lc_budget *budget, lc_arena *arena, lc_zip *zip, lc_error *err);
/* NULL when there is none. */
const lc_zip_member *lc_zip_find(const lc_zip *zip, const char *name);
/* The contents of a member, with their checksum right: borrowed from the map when stored, else inflated into the arena. */
lc_status lc_zip_read(const lc_zip *zip, const lc_zip_member *member, lc_budget *budget, lc_arena *arena, const uint8_t **data,
                      size_t *size, lc_error *err);

/* The checksum of a member that is in use already: half of it is computed in a thread when that saves time. Zeroed: nothing to check. */
typedef struct lc_zip_check {
    const lc_zip_member *member; /* borrowed, like the archive's bytes; NULL: nothing to check */
    pthread_t thread;
    bool threaded;
    lc_cursor half[2]; /* the stored bytes, in two */
    uint32_t crc[2];   /* what each half gives */
} lc_zip_check;
/* As lc_zip_read, but the checksum of a stored member is left to `check`, which the caller must end. */
lc_status lc_zip_read_checking(const lc_zip *zip, const lc_zip_member *member, lc_budget *budget, lc_arena *arena, const uint8_t **data,
                               size_t *size, lc_zip_check *check, lc_error *err);
/* Waits for the checksum. On a difference returns LC_INVALID and overwrites *err: it is the cause of whatever went wrong meanwhile. */
lc_status lc_zip_check_end(lc_zip_check *check, lc_error *err);

#endif
