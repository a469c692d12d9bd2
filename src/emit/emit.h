/*
 * emit.h: a model to bytes.
 */
#ifndef LC_EMIT_H
#define LC_EMIT_H

#include "ir/ir.h"

/* Writes a model as a .tflite flatbuffer. Equal constants are written once; op codes are listed in order of first use. */
lc_status lc_emit_tflite(const lc_model *model, const lc_sink *sink, uint64_t *size, lc_error *err);

#endif
