/*
 * keras.h: a Keras model as every Keras file states it, and the one call that lowers it to a graph of TFLite operators.
 *
 * source/keras_h5.c and source/keras_zip.c fill lc_keras_model (keras_config.c reads the configuration of both generations);
 * lower/keras.c walks it and calls one function a layer class, found in keras.def.
 */
#ifndef LC_LOWER_KERAS_H
#define LC_LOWER_KERAS_H

#include "base/json.h"
#include "ir/ir.h"
#include "lower/options.h"

/* One array of a layer, as stored: row-major, in Keras's layout (Dense: [in, out]; Conv2D: [h, w, in, out]). Data is borrowed
 * from the mapped file, or lies in the model's arena when the file holds it compressed or chunked. Little-endian. */
typedef struct lc_keras_weight {
    const char *name; /* as in the file, e.g. "dense/kernel:0", "vars/0" */
    lc_dtype type;    /* FLOAT32, FLOAT16, BFLOAT16, FLOAT64, INT... as stored */
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
    const void *data; /* may be unaligned: memcpy elements */
    size_t size;
} lc_keras_weight;

/* Output `tensor` of the `node`-th call of layer `layer` (Keras's history triple). */
typedef struct lc_keras_ref {
    int32_t layer, node, tensor;
} lc_keras_ref;

/* One call of a layer: its positional tensor arguments, flattened in order. */
typedef struct lc_keras_call {
    lc_keras_ref *inputs;
    uint32_t input_count;
    const lc_json **leaves;       /* [input_count] where in args and kwargs each of them stands; NULL in a Sequential */
    const lc_json *args, *kwargs; /* call arguments as serialised. Keras 2: args is NULL, first its first argument (tensors) */
    const lc_json *first;
} lc_keras_call;

typedef struct lc_keras_layer {
    const char *name;            /* config.name */
    const char *class_name;      /* "Conv2D" */
    const char *registered_name; /* "package>Class" of a custom class, else NULL */
    const lc_json *config;
    lc_keras_weight *weights; /* in Keras's creation order: Dense kernel, bias; BatchNormalization gamma, beta, mean, variance */
    uint32_t weight_count;
    lc_keras_weight **homes;      /* [weight_count] what its weights are copies of, for a part of a layer (part.c); NULL: of none */
    struct lc_keras_model *model; /* the nested model when class is Sequential, Functional or Model; else NULL */
    struct lc_keras_layer *inner; /* the layer in a TimeDistributed, with its weights; else NULL */
    lc_keras_call *calls;
    uint32_t call_count;                /* InputLayer: none */
    const lc_json *entry;               /* the layer as serialised: "module" ("keras.src.ops.numpy" for an operation that is no layer),
                             "build_config", "shared_object_id"; NULL for a layer that was put in */
    const struct lc_graph_layer *graph; /* graph_layer.h; NULL: it is none */
    lc_str vocabulary;                  /* the text of vocabulary.txt among the file's assets; absent: it has none */
} lc_keras_layer;

typedef struct lc_keras_model {
    const char *name;
    const char *class_name;    /* "Sequential", "Functional" */
    const char *keras_version; /* "2.15.0", "3.9.2"; NULL: not stated */
    const lc_json *root;       /* the configuration it was read from; NULL in a nested model */
    lc_keras_layer *layers;
    uint32_t layer_count; /* a Sequential without InputLayer has one put in front */
    lc_keras_ref *inputs;
    uint32_t input_count;
    lc_keras_ref *outputs;
    uint32_t output_count;
    const char **output_names; /* dict outputs of Keras 3: their keys; NULL: named by the output layers */
} lc_keras_model;

/* True for an operation of Keras 3 (x + y, keras.ops.relu) in the list of layers: it has a name but no other configuration and no
 * weights, and may share its class name with a layer (Add, Multiply). Known by its module; .h5 files leave that out, so there
 * by a configuration that holds nothing but the name, which no layer has. */
bool lc_keras_is_operation(const lc_keras_layer *layer);

/* Whether Keras 2 (or 1) wrote the model: by the version, where that is not stated by the words of its inputs. */
bool lc_keras_is_keras2(const lc_keras_model *model);

/* Lowers `keras` into model->graphs[0] (which is empty), adds the signature "serving_default" with the Keras names of inputs
 * and outputs in Keras's order; the batch dimension stays open. Weights are laid out for TFLite in model->arena. */
lc_status lc_lower_keras(const lc_keras_model *keras, const lc_lower_options *options, lc_model *model, lc_error *err);

#endif
