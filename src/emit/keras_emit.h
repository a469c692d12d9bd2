/*
 * keras_emit.h: a Keras model to the three files that Keras has for it; source/keras_read.h and source/keras_state.h read them.
 *
 *   .keras        zip: metadata.json, config.json, model.weights.h5, assets        keras_emit.c
 *   .weights.h5   layers/dense/vars/0 ...                                          keras_emit.c
 *   .h5           all in one, of the form that Keras 2 has, too                    keras_emit_h5.c, keras_config.c
 *
 * The state of an optimizer in an .h5 file is for litec and for older Keras: 3.15 loads such a file, also one of its own, but does not train it
 * on before it is compiled again. From .keras it goes on.
 *
 * A model of Keras 2 stays one (keras2_config.c): tf_keras, or Keras before 3, opens what is written and trains it on. Its optimizer is always one of
 * those since 2.11, whatever kind it was read from.
 *
 * Paths are those of lower/keras_place.h; below are hdf5_write.h and zip_write.h. Files are written whole or not at all, and equal contents
 * give equal bytes: no date is in them.
 */
#ifndef LC_EMIT_KERAS_EMIT_H
#define LC_EMIT_KERAS_EMIT_H

#include "lower/keras.h"

typedef struct lc_keras_file {
    const lc_keras_model *model; /* layers with their weights, nested models too */
    const lc_json *config; /* of the model, as Keras 3 serialises it: {"module", "class_name", "config", ...}; not for weights alone */
    const lc_json *compile_config;    /* {"optimizer", "loss", "metrics", ...} as Keras 3 serialises it; NULL: not compiled */
    const lc_keras_weight *optimizer; /* its variables in Keras's order: iteration, learning_rate, then slots; names as in an .h5 file:
                                       * "iteration", "dense_kernel_momentum" */
    uint32_t optimizer_count;         /* 0: no state */
    const char *optimizer_name;       /* "adam" */
    const char *optimizer_class;      /* of a model of Keras 2: "Adam" */
    double learning_rate;             /* of a model of Keras 2, which keeps it in the configuration */
    bool keras2; /* the configuration is one of Keras 2: written as Keras 2 writes it; names of optimizer[] are whole */
    lc_str more; /* of a .keras file: what only litec reads, its member LC_KERAS_MORE; data NULL: none */
} lc_keras_file;

/* What the files say they were written by. */
#define LC_KERAS_VERSION "3.15.0"
#define LC_KERAS2_VERSION "2.15.0"
#define LC_KERAS_MORE "training.litec"

lc_status lc_emit_keras(const lc_keras_file *file, const char *path, lc_error *err);
lc_status lc_emit_keras_h5(const lc_keras_file *file, const char *path, lc_error *err);
lc_status lc_emit_keras_weights(const lc_keras_file *file, const char *path, lc_error *err);

/* The same to a sink. */
lc_status lc_emit_keras_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err);
lc_status lc_emit_keras_h5_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err);
lc_status lc_emit_keras_weights_to(const lc_keras_file *file, const lc_sink *sink, lc_error *err);

#endif
