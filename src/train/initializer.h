/*
 * initializer.h: the initialisers of keras.initializers: how a variable begins.
 */
#ifndef LC_TRAIN_INITIALIZER_H
#define LC_TRAIN_INITIALIZER_H

#include "base/json.h"
#include "litec/train.h"

/* Fills a variable of this shape. object: JSON of the class, or a name. fan_in: how many numbers of
 * it make one output; 0: as its shape says. Random numbers follow from seed and stream (one a variable); a seed of
 * the configuration counts instead of both. The same bits on any machine. LC_ARGUMENT: no such class, an argument or a shape it cannot have;
 * LC_NO_MEMORY (only Orthogonal). */
lc_status lc_initializer_fill(const lc_json *object, const int32_t *dims, int32_t rank, size_t fan_in, uint64_t seed, uint64_t stream,
                              float *out, lc_error *err);

#endif
