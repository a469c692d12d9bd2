/*
 * pass.h: the rewrites between lowering and writing. Each is one file with one function, listed in passes.def in the order it
 * runs; a group repeats until nothing changes. Every pass keeps the invariants of ir.h and the results within float rounding.
 */
#ifndef LC_PASS_H
#define LC_PASS_H

#include "ir/ir.h"

/* Runs every pass of passes.def on every graph of the model. */
lc_status lc_optimize(lc_model *model, lc_error *err);
/* Operators that the runtime of a TensorFlow release (20800: 2.8) lacks get forms that it has, where there is one. Shapes and results stay.
 * *changed: any did. (older.c) */
lc_status lc_pass_older(lc_model *model, uint32_t release, bool *changed, lc_error *err);

#endif
