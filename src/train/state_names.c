/*
 * What the arrays of an optimizer's state are called in files that were not written by Keras 3: the list, and two ways to look into it.
 */
#include "train/state_names.h"

#include <string.h>

static const lc_state_name names[] = {
#define LC_STATE_NAME(class, state, keras2, older, tensorflow) {#class, state, keras2, older, tensorflow},
#include "train/state_names.def"
};

const lc_state_name *lc_state_names(const char *class_name, uint32_t i) {
    for (uint32_t k = 0; k < sizeof names / sizeof *names; k++) {
        const char *of = names[k].class_name;
        if (strcmp(of, "any") != 0 && strcmp(of, class_name) != 0) continue;
        if (i-- == 0) return &names[k];
    }
    return NULL;
}

const lc_state_name *lc_state_name_of(const char *class_name, const char *state) {
    const lc_state_name *n;
    for (uint32_t i = 0; (n = lc_state_names(class_name, i)); i++)
        if (strcmp(n->state, state) == 0) return n;
    return NULL;
}
