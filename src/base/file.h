/*
 * file.h: reading a file by mapping it, and the only way to write one: whole or not at all.
 *
 * Writing: bytes go to a nameless temporary in the target's directory (O_TMPFILE; a named one where the file system has
 * none), which is fsynced, linked and renamed over the target by commit. Killed at any point before that, nothing is left.
 */
#ifndef LC_BASE_FILE_H
#define LC_BASE_FILE_H

#include "litec/runtime.h"
#include <stdio.h>

/* What the system refused, in words, with a hint: "PATH: cannot read: no such file". `what`: "read", "write", "make". number: an errno. */
lc_status lc_fail_errno(lc_error *err, const char *what, const char *path, int number);

/* A whole file, mapped read-only. Zeroed: no file. */
typedef struct lc_map {
    const uint8_t *data; /* page-aligned; NULL for no file */
    size_t size;
    uint64_t device, inode; /* which file it is, to recognise "output equals input" */
} lc_map;

/* Maps a regular file. Missing, directory, FIFO, empty, too large: an error that says so, with a hint. */
lc_status lc_map_open(lc_map *map, const char *path, const lc_limits *limits, lc_error *err);
void lc_map_close(lc_map *map);
/* Tells the kernel that pages of [data, data+size) are no longer needed (they read again if touched). */
void lc_map_release(const lc_map *map, const void *data, size_t size);
/* True when `path` names the mapped file. */
bool lc_map_is(const lc_map *map, const char *path);
bool lc_path_is_dir(const char *path);
/* True for a regular file, also behind links. */
bool lc_path_is_file(const char *path);
/* True for a path that ends so (".keras", in letters of either case), with a name before. */
bool lc_path_ends(const char *path, const char *ending);
/* Gives each name in a directory ("." and ".." left out), in no order, until `each` returns false. Nothing when it cannot be read. */
void lc_dir_each(const char *path, bool (*each)(void *user, const char *name), void *user);

typedef struct lc_file lc_file;
/* Starts writing what will become `path`. Caller ends it with lc_file_commit or lc_file_abort. */
lc_status lc_file_create(const char *path, lc_file **file, lc_error *err);
/* Appends bytes (short writes and EINTR are handled). */
lc_status lc_file_write(lc_file *file, const void *data, size_t size, lc_error *err);
/* Makes the file appear under its name; frees `file` also on failure, which leaves the old target untouched. */
lc_status lc_file_commit(lc_file *file, lc_error *err);
/* Drops everything. NULL is fine. */
void lc_file_abort(lc_file *file);
/* Create, write, commit in one. */
lc_status lc_file_save(const char *path, const void *data, size_t size, lc_error *err);

#endif
