/*
 * variables.h: weights of a model turned into variables behind inputs, as a model that is trained has them.
 */
#ifndef TESTS_SUPPORT_VARIABLES_H
#define TESTS_SUPPORT_VARIABLES_H

#include "emit/bundle_emit.h"
#include "ir/ir.h"

/* Every array of floats in the main graph becomes an input, its values those of a variable, every other of which is trainable. *v lies in the
 * arena. */
lc_status variables_take(lc_model *m, lc_arena *arena, lc_emit_variable **v, size_t *n, lc_error *err);

#endif
