/*
 * keras_place.h: where a layer's weights are in the files of Keras, for who reads them (source/keras_zip.c) and who writes them
 * (emit/keras_emit.c).
 *
 * A .keras file knows a layer by its class and its number among the layers of that class in the model ("layers/dense_1"), and a weight by the
 * part of the layer that has it and its number there ("cell/vars/0"). An .h5 file knows both by name ("lstm/lstm_cell/kernel").
 */
#ifndef LC_LOWER_KERAS_PLACE_H
#define LC_LOWER_KERAS_PLACE_H

#include "lower/keras.h"

/* ---- names of layers --------------------------------------------------------------------------------------------------- */

/* Keras's to_snake_case: "Conv2DTranspose" is conv2d_transpose. False when it does not fit. */
bool lc_keras_snake_case(const char *name, char *out, size_t size);
/* container/class_name, or container/class_name_number. False when it does not fit. */
bool lc_keras_path(char *out, size_t size, const char *container, const char *class_name, uint32_t number);
/* Whether a layer has a place among the layers of a model: operations have none, nor has the InputLayer of a Sequential. */
bool lc_keras_in_container(const lc_keras_model *m, const lc_keras_layer *l);

/* What is known of a name: how often a class came in one container, which layer bears it. Found by a hash: a file decides how many there
 * are. */
typedef struct lc_keras_name {
    struct lc_keras_name *next;
    const char *name;
    uint32_t number;         /* of a class: the next one */
    uint32_t layers, groups; /* of a class: how many there are */
    lc_keras_layer *layer;
} lc_keras_name;
typedef struct lc_keras_names {
    lc_arena *arena;
    lc_keras_name **heads;
    size_t mask;
} lc_keras_names;
lc_status lc_keras_names_init(lc_keras_names *names, lc_arena *arena, size_t expected, lc_error *err);
/* The first of those that may have this name; the others are behind it. */
lc_keras_name **lc_keras_names_head(const lc_keras_names *names, const char *name);
lc_status lc_keras_names_add(lc_keras_names *names, const char *name, lc_keras_name **out, lc_error *err);
/* The one of this name, added when there is none. */
lc_status lc_keras_names_get(lc_keras_names *names, const char *name, lc_keras_name **out, lc_error *err);

/* ---- weights of a layer ------------------------------------------------------------------------------------------------- */

typedef struct lc_keras_place {
    const lc_keras_weight *weight;
    const char *zip; /* "cell/vars/0" */
    const char *h5;  /* "lstm_cell/kernel" */
    bool trainable;  /* as the layer makes it: a moving average is not */
} lc_keras_place;
/* The places of a layer's weights [layer->weight_count], in the order in which Keras makes them, whichever file they came from. */
lc_status lc_keras_places(const lc_keras_layer *layer, lc_arena *arena, lc_keras_place **places, lc_error *err);
/* Gives a layer that has no weights those that its class and configuration say, named by their places, without data, which the lowering makes
 * (training.h). */
lc_status lc_keras_expect(lc_keras_layer *layer, lc_arena *arena, lc_error *err);

#endif
