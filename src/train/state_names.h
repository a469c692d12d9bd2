/*
 * state_names.h: what the arrays of an optimizer's state are called in the files of others (state_names.def).
 */
#ifndef LC_TRAIN_STATE_NAMES_H
#define LC_TRAIN_STATE_NAMES_H

#include <stdint.h>

typedef struct lc_state_name {
    const char *class_name; /* "any": of all classes */
    const char *state;      /* lc_slot.state */
    const char *keras2, *older, *tensorflow;
} lc_state_name;

/* The i-th of a class, those of all classes first; NULL: there are no more. */
const lc_state_name *lc_state_names(const char *class_name, uint32_t i);
/* NULL: there is none. */
const lc_state_name *lc_state_name_of(const char *class_name, const char *state);

#endif
