/*
 * folder.h: making folders, and writing a folder of files whole or not at all.
 *
 *     lc_folder *f;
 *     lc_folder_create("export", entries, &f, err)          a new folder beside it, which nobody looks for
 *     lc_folder_join(f, "saved_model.pb") ...               paths in it, written with lc_file_create
 *     lc_folder_commit(f, err)                              it takes the place of the old one
 */
#ifndef LC_BASE_FOLDER_H
#define LC_BASE_FOLDER_H

#include "litec/runtime.h"

/* Makes a folder and those it lies in; no error when it is there. */
lc_status lc_folder_make(const char *path, lc_error *err);

typedef struct lc_folder lc_folder;
/* Starts a folder that will become `path`. What lies there already is replaced only when it is a folder in which every entry is one of
 * `entries` (NULL at the end): so no file is lost that this is not a new form of. Caller ends it with lc_folder_commit or lc_folder_abort. */
lc_status lc_folder_create(const char *path, const char *const *entries, lc_folder **folder, lc_error *err);
/* Path of an entry while it is written; valid until the next call. NULL when memory is out. */
const char *lc_folder_join(lc_folder *folder, const char *entry);
/* Puts it in place: one step, so that `path` is the old or the new one at any time. Frees `folder` also on failure. */
lc_status lc_folder_commit(lc_folder *folder, lc_error *err);
/* Drops everything. NULL is fine. */
void lc_folder_abort(lc_folder *folder);

/* Removes a file of litec's own; no error when it is not there. */
void lc_file_remove(const char *path);

#endif
