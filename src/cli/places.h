/*
 * places.h: whether what is to be written at the end of long work can be written at all.
 */
#ifndef LC_CLI_PLACES_H
#define LC_CLI_PLACES_H

#include "litec/litec.h"

/* That a file, or the folder that a saved model is, can be made at this path. makes_folders: the folders it lies in are made when they are
 * missing. LC_NOT_FOUND, LC_IO, LC_ARGUMENT: it cannot. */
lc_status lc_cli_place_file(const char *path, bool makes_folders, lc_error *err);
/* That a folder can be made at this path, or written into. */
lc_status lc_cli_place_folder(const char *path, lc_error *err);
/* Whether a path ends so, in letters of either case. */
bool lc_cli_ends(const char *path, const char *ending);

#endif
