/*
 * zip_write.h: writes a zip archive of stored members; source/zip.h reads it.
 *
 *     lc_zip_writer z = {.sink = &sink, .arena = &arena};
 *     lc_zip_put_data(&z, "config.json", text, size, err)
 *     lc_zip_put(&z, "model.weights.h5", write_weights, user, err)
 *     lc_zip_end(&z, err)
 */
#ifndef LC_EMIT_ZIP_WRITE_H
#define LC_EMIT_ZIP_WRITE_H

#include "ir/ir.h"

typedef struct lc_zip_writer {
    const lc_sink *sink;
    lc_arena *arena; /* for the directory */
    uint64_t wide;   /* sizes and offsets from here on are written as 64 bits; 0: as late as the format allows */
    struct lc_zip_entry *entries;
    size_t count, capacity;
    uint64_t at;
} lc_zip_writer;

/* Writes the contents of a member to a sink: the same bytes each time. */
typedef lc_status (*lc_zip_contents)(void *user, const lc_sink *sink, lc_error *err);
/* Adds a member. Its size and checksum stand in front of it, so `contents` is asked twice; nothing is kept in memory. */
lc_status lc_zip_put(lc_zip_writer *z, const char *name, lc_zip_contents contents, void *user, lc_error *err);
lc_status lc_zip_put_data(lc_zip_writer *z, const char *name, const void *data, size_t size, lc_error *err);
/* The directory; nothing may follow. */
lc_status lc_zip_end(lc_zip_writer *z, lc_error *err);

#endif
