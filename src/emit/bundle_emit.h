/*
 * bundle_emit.h: variables as a TensorFlow checkpoint (V2, a "tensor bundle"); source/checkpoint.h reads it.
 */
#ifndef LC_BUNDLE_EMIT_H
#define LC_BUNDLE_EMIT_H

#include "base/base.h"

typedef struct lc_emit_variable {
    const char *name; /* key in the checkpoint */
    lc_dtype type;    /* LC_STRING: data as ir/strings.h lays it out */
    int32_t rank;
    const int32_t *dims;
    const void *data;
    size_t size;
    int32_t tensor; /* in the graph: its placeholder; -1: none (slots of an optimizer, a step counter) */
    bool trainable;
} lc_emit_variable;

/*
 * Writes PREFIX.index and PREFIX.data-00000-of-0000N. Whole or not at all: the values of an older checkpoint of that name stay until the
 * new index has taken the place of the old one, then they go; so N is 1 for a new checkpoint, and another number for one that replaces it.
 * Errors: LC_ARGUMENT (no name, a name twice, a size that does not fit), LC_UNSUPPORTED (a type that checkpoints do not have), LC_IO,
 * LC_NO_MEMORY.
 */
lc_status lc_emit_checkpoint(const char *prefix, const lc_emit_variable *v, size_t n, lc_error *err);
/* Writes the file `checkpoint` beside it, by which TensorFlow finds the newest. kept [n]: prefixes of the older ones that are still there, the
 * oldest first; NULL: none. */
lc_status lc_emit_checkpoint_state(const char *prefix, const char *const *kept, size_t n, lc_error *err);

#endif
