/*
 * load.h: .tflite bytes to a graph. The only door: verify structure (schema/fb_verify.c), read tables, check meaning
 * (tflite_check.c, rules.def), build lc_model with constants borrowed from the bytes.
 */
#ifndef LC_RUNTIME_LOAD_H
#define LC_RUNTIME_LOAD_H

#include "ir/ir.h"

/* True when the bytes look like a .tflite file ("TFL3" at 4). */
bool lc_tflite_probe(const void *data, size_t size);
/* Builds *model from bytes that stay valid as long as the model. `limits` may be NULL. Caller owns *model. */
lc_status lc_tflite_load(const void *data, size_t size, const lc_limits *limits, lc_model **model, lc_error *err);
/* Verifies, reads and checks a whole file into structs of `arena`, which borrow `data`, without building a model. */
lc_status lc_tflite_read(const void *data, size_t size, lc_budget *budget, lc_arena *arena, lc_Model **model, lc_error *err);
/* Checks the meaning of the tables of a structurally valid file: every rule of rules.def. */
lc_status lc_tflite_check(const lc_Model *model, const void *data, size_t size, lc_budget *budget, lc_error *err);

#endif
