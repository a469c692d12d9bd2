/*
 * keras_fixture.h: Keras models written down in C, for tests of src/lower. A fixture is a lc_keras_model in an arena:
 *
 *     fixture f;
 *     fixture_begin(&f, "3.9.0");
 *     int x = fixture_input(&f, "x", "[null, 4]");
 *     int d = fixture_layer(&f, "Dense", "d", "{\"units\": 3}", "4x3 3", 1, (int[]){x});
 *     fixture_output(&f, d);
 *     lc_model *m = fixture_lower(&f, NULL, &err);      NULL when it failed
 *
 * Weights are given by their shapes, their values follow from their position (fixture_value).
 */
#ifndef TESTS_SUPPORT_KERAS_FIXTURE_H
#define TESTS_SUPPORT_KERAS_FIXTURE_H

#include "lower/keras.h"

#define FIXTURE_LAYERS 128

typedef struct fixture {
    lc_arena arena;
    lc_keras_model keras;
    lc_keras_layer layers[FIXTURE_LAYERS];
    lc_keras_ref inputs[FIXTURE_LAYERS], outputs[FIXTURE_LAYERS];
    bool positive; /* weights are in [0.5, 1.5), not in [-1, 1) */
} fixture;

void fixture_begin(fixture *f, const char *keras_version);
void fixture_end(fixture *f);
/* The k-th value of weight w of the layers made in this fixture, in [-1, 1). */
float fixture_value(uint32_t seed, size_t k);
/* Parses JSON into the arena; fails the test when it is none. */
const lc_json *fixture_json(fixture *f, const char *text);
/* An InputLayer, among the model's inputs. Returns the layer's index. */
int fixture_input(fixture *f, const char *name, const char *batch_shape);
/* A layer that is called once on the layers `from` (their first calls). weights: shapes such as "3x4 4", "-" for a scalar, ""
 * for none. */
int fixture_layer(fixture *f, const char *class_name, const char *name, const char *config, const char *weights, uint32_t n,
                  const int *from);
/* One call more of a layer; a reference to it is (layer, call). Returns the number of the call. */
int fixture_call(fixture *f, int layer, uint32_t n, const lc_keras_ref *from);
void fixture_output(fixture *f, int layer);
void fixture_output_of(fixture *f, int layer, int node, int tensor);
/* A layer that is the model of another fixture, which must stay. */
int fixture_nested(fixture *f, const char *name, const fixture *inner, uint32_t n, const int *from);
lc_model *fixture_lower(const fixture *f, const lc_lower_options *options, lc_error *err);
const float *fixture_weight(const fixture *f, int layer, uint32_t i);

/* Operators of the first graph by name: "CONV_2D RELU". */
void fixture_ops(const lc_model *model, lc_text *out);
/* Runs the first graph with plain kernels on input i filled with fixture_value(100 + i, k) * scale, open dimensions 2.
 * Output 0 goes to out (room for *n, then how many), its shape to dims. */
void fixture_run(lc_model *model, float scale, float *out, size_t *n, int32_t *dims, int32_t *rank);

#endif
