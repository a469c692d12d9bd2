/*
 * keras_legacy.h: what files of Keras 1, and of Keras 2 on Theano, have in other words and another order. (keras_legacy.c)
 */
#ifndef LC_SOURCE_KERAS_LEGACY_H
#define LC_SOURCE_KERAS_LEGACY_H

#include "source/keras_read.h"

/* *out: the configuration in the words of Keras 2; `root` itself when it has no old ones. What is copied lies in the arena. */
lc_status lc_keras_modernise(const lc_json *root, lc_budget *budget, lc_arena *arena, const lc_json **out, lc_error *err);
/* Rearranges kernels of convolutions. old: the file states no keras_version of 2; theano: its backend turns kernels around. */
lc_status lc_keras_modernise_weights(const lc_keras_reading *r, lc_keras_model *m, bool old, bool theano, lc_error *err);

#endif
