/*
 * keras_read.h: a Keras file to lc_keras_model, without lowering it.
 *
 *   .h5     hdf5 ──▶ attribute model_config ─▶ json_read ─▶ keras_config ──▶ layers and calls
 *           group model_weights ──────────────────────────▶ keras_h5 ──────▶ their weights
 *   .keras  zip ──▶ config.json ─▶ json_read ─▶ keras_config, model.weights.h5 ─▶ hdf5 ─▶ keras_zip
 *   .json   model.to_json() ─▶ json_read ─▶ keras_config, without weights
 *   weights in a file of their own, for any of the three ──▶ keras_weights, which knows them by content
 */
#ifndef LC_SOURCE_KERAS_READ_H
#define LC_SOURCE_KERAS_READ_H

#include "lower/keras.h"
#include "source/hdf5.h"
#include "source/source.h"
#include "source/zip.h"

/* Other files that weights lie in. */
typedef struct lc_keras_maps {
    lc_map *items; /* lc_malloc'ed */
    size_t count;
} lc_keras_maps;
void lc_keras_maps_close(lc_keras_maps *maps);

/* Where a reading puts things. Weights that are not borrowed from the map lie in `data`, which must live as long as they are
 * used; everything else in `arena`. */
typedef struct lc_keras_reading {
    const lc_map *map;
    lc_budget *budget;
    lc_arena *arena, *data;
    lc_zip_check *check; /* where a zip's checksum is still being computed; the caller ends it after the last use of the weights */
    const char *weights; /* path of the file that has the weights; NULL: the same one */
    lc_keras_maps *maps; /* of that file and its shards, which must live as long as the weights; needed when `weights` is given */
} lc_keras_reading;

/* All fill *model with configuration and weights; a .json has none itself. */
lc_status lc_keras_read_h5(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);
lc_status lc_keras_read_zip(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);
lc_status lc_keras_read_json(const lc_keras_reading *r, lc_keras_model **model, lc_error *err);
/* JSON text that describes a Keras model, or weights of one, by its first 64 KB. */
bool lc_keras_json_probe(const void *data, size_t size);

/* Gives inputs these shapes ("NAME=1,224,224,3;..."), where the file leaves them open. */
lc_status lc_keras_set_shapes(lc_keras_model *model, const char *text, lc_arena *arena, lc_error *err);

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
/* The strings of an attribute that may be split ("weight_names", "weight_names0" ...); *count 0 and *found false when there is none. */
lc_status lc_keras_read_names(lc_h5 *h5, lc_h5_object *o, const char *name, const lc_keras_reading *r, lc_str **names, size_t *count,
                              bool *found, lc_error *err);
/* The one string of an attribute; absent when there is no such attribute. */
lc_status lc_keras_read_text(lc_h5 *h5, lc_h5_object *o, const char *name, lc_str *text, lc_error *err);
/* The weights in r->weights into a model that has none yet. */
lc_status lc_keras_read_weights(const lc_keras_reading *r, lc_keras_model *m, lc_error *err);
/* Those of a .keras file in r->map. */
lc_status lc_keras_zip_weights(const lc_keras_reading *r, lc_keras_model *m, lc_error *err);
/* Those in groups by the names of layers. */
lc_status lc_keras_h5_weights(const lc_keras_reading *r, lc_h5 *h5, lc_keras_model *m, lc_error *err);
/* Those in a tree of classes and numbers, over one or more files. */
typedef struct lc_keras_store {
    lc_h5 *const *files;
    size_t count;
    const lc_zip *zip; /* its assets; NULL: none */
} lc_keras_store;
lc_status lc_keras_read_store(const lc_keras_reading *r, const lc_keras_store *store, lc_keras_model *m, lc_error *err);
/* Opens what the index of a store in shards names; `open` one of them by its name. */
typedef lc_status (*lc_keras_open_fn)(void *user, const lc_keras_reading *r, const char *name, lc_h5 **h5, lc_error *err);
lc_status lc_keras_open_shards(const lc_keras_reading *r, const lc_json *index, lc_keras_open_fn open, void *user, lc_keras_store *store,
                               lc_error *err);
/* Layers of the model and of those inside it (the models themselves not counted), and numbers in their weights. */
lc_source_stats lc_keras_count(const lc_keras_model *model);

#endif
