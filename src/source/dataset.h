/*
 * dataset.h: data sets by name: where their files lie once they were fetched (lc_dataset_fetch), and "mnist:test" as a path.
 */
#ifndef LC_SOURCE_DATASET_H
#define LC_SOURCE_DATASET_H

#include "base/base.h"
#include "litec/litec.h"

/* The folder of a set: in `dir`; NULL: in $LITEC_DATA, else $XDG_CACHE_HOME/litec, else ~/.cache/litec. LC_ARGUMENT when none is known. */
lc_status lc_dataset_place(const lc_dataset *set, const char *dir, lc_arena *arena, const char **folder, lc_error *err);
/* True when all files that are read later are there. */
bool lc_dataset_complete(const lc_dataset *set, const char *folder);

/* What "NAME:SPLIT" means; *set NULL: `text` is not the name of a set, or that of a file. *labels NULL: they lie in the data. */
lc_status lc_dataset_resolve(const char *text, lc_arena *arena, const lc_dataset **set, const char **path, const char **labels,
                             lc_error *err);

#endif
