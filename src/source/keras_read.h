/*
 * keras_read.h: a Keras file to lc_keras_model, without lowering it.
 *
 *   .h5     hdf5 ──▶ attribute model_config ─▶ json_read ─▶ keras_config ──▶ layers and calls
 *           group model_weights ──────────────────────────▶ keras_h5 ──────▶ their weights
 *   .keras  zip ──▶ config.json ─▶ json_read ─▶ keras_config, model.weights.h5 ─▶ hdf5 ─▶ keras_zip
 */
#ifndef LC_SOURCE_KERAS_READ_H
#define LC_SOURCE_KERAS_READ_H

#include "lower/keras.h"
#include "source/hdf5.h"
#include "source/source.h"
#include "source/zip.h"

/* Where a reading puts things. Weights that are not borrowed from the map lie in `data`, which must live as long as they are
 * used; everything else in `arena`. */
typedef struct lc_keras_reading {
    const lc_map *map;
    lc_budget *budget;
    lc_arena *arena, *data;
    lc_zip_check *check; /* where a zip's checksum is still being computed; the caller ends it after the last use of the weights */
} lc_keras_reading;

/* Both fill *model with configuration and weights. */
lc_status lc_keras_read_h5(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);
lc_status lc_keras_read_zip(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);

/* The parts, for each other and for tests. */

/* A model's configuration (Sequential or Functional, of Keras 2 or 3), with nested models; no weights yet. `version` may be
 * NULL. Strings of the tree are borrowed. */
lc_status lc_keras_config(const lc_json *root, const char *version, lc_budget *budget, lc_arena *arena, lc_keras_model **model,
                          lc_error *err);
/* Reads one dataset as the weight called `name` (copied). */
lc_status lc_keras_weight_read(const lc_keras_reading *r, lc_h5 *h5, lc_h5_object *dataset, lc_str name, lc_keras_weight *weight,
                               lc_error *err);
/* Appends a weight to a layer. */
lc_status lc_keras_weight_add(const lc_keras_reading *r, lc_keras_layer *layer, const lc_keras_weight *weight, lc_error *err);
/* Layers of the model and of those inside it (the models themselves not counted), and numbers in their weights. */
lc_source_stats lc_keras_count(const lc_keras_model *model);

#endif
