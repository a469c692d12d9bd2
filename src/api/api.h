/*
 * api.h: what the public calls of this folder share.
 */
#ifndef LC_API_API_H
#define LC_API_API_H

#include "litec/litec.h"
#include "source/source.h"

/* Maps a file and recognises its format. On success the caller closes *map (or a loader takes it). The message of a
 * failure names the file; err must not be NULL. */
lc_status lc_source_open(const char *path, const lc_limits *limits, lc_map *map, const lc_source **source, lc_error *err);

/* Text for people: control bytes and bytes that are not UTF-8 come out as \xNN, so that no name in a file can move the
 * cursor of a terminal or break a line. */
void lc_text_add_safe(lc_text *t, const char *s, size_t n);

#endif
