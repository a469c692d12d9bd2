/*
 * tf_names.h: names to numbers: an open-addressing hash table over names that live elsewhere. 100,000 nodes are found as fast as ten.
 */
#ifndef LC_LOWER_TF_NAMES_H
#define LC_LOWER_TF_NAMES_H

#include "base/base.h"

typedef struct lc_names {
    lc_str *keys; /* by number */
    uint32_t count;
    int32_t *slots; /* number + 1, 0: empty */
    uint32_t mask;
} lc_names;

/* Room for `capacity` names in `arena`. False when memory is out. */
bool lc_names_init(lc_names *names, lc_arena *arena, uint32_t capacity);
/* Gives `name` the next number. -1: it has one already (which is *first). There must be room. */
int32_t lc_names_add(lc_names *names, lc_str name, int32_t *first);
/* The number, -1 when there is none. */
int32_t lc_names_find(const lc_names *names, lc_str name);
/* The nearest name for a hint, NULL when none is near; in a static form for the message: copied into text. */
const char *lc_names_nearest(const lc_names *names, lc_str name, char *text, size_t size);

#endif
