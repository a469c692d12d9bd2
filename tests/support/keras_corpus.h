/*
 * keras_corpus.h: Keras models with Keras's own results, tests/data/layers/<family>.gz: one line of JSON a model, as
 * tests/oracle/make_keras_corpus.py describes it. Weights are not stored: they follow from a formula (fixture_value).
 */
#ifndef TESTS_SUPPORT_KERAS_CORPUS_H
#define TESTS_SUPPORT_KERAS_CORPUS_H

#include "lower/keras.h"

typedef struct keras_corpus {
    char *text, *next; /* of the file; where the next line begins */
    char *end;
} keras_corpus;

/* Opens a family of LC_TEST_DIR/data/layers; fails the test when it is not there. */
void keras_corpus_open(keras_corpus *c, const char *directory, const char *family);
void keras_corpus_close(keras_corpus *c);
/* The next model, in the arena; NULL behind the last. */
const lc_json *keras_corpus_next(keras_corpus *c, lc_arena *arena);

/* Layers in order, those inside a layer or a nested model behind it. Their numbers are the places of the corpus. */
typedef void keras_layer_fn(void *user, uint32_t place, lc_keras_layer *layer);
uint32_t keras_each_layer(lc_keras_model *m, uint32_t first, keras_layer_fn *each, void *user);

/* Gives the layers of a model the weights that the entry says; those of places that the model does not have are left out. */
void keras_corpus_weights(const lc_json *entry, lc_keras_model *m, lc_arena *arena);
/* Of text such as "float32"; LC_DTYPE_COUNT: none. */
lc_dtype keras_corpus_dtype(const char *name);
/* Element k as a number, and back. */
double keras_corpus_get(lc_dtype type, const void *data, size_t k);
void keras_corpus_put(lc_dtype type, void *data, size_t k, double v);
/* Writes input `number` for this many elements of the entry's: from its values or by the formula. */
void keras_corpus_input(const lc_json *input, uint32_t number, lc_dtype type, void *data, size_t n);

#endif
