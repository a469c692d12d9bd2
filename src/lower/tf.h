/*
 * tf.h: a TensorFlow graph as every TensorFlow file states it, and the one call that lowers it to a model of TFLite operators.
 *
 * source/saved_model.c, source/graph_def.c and source/meta_graph.c fill lc_tf_model: the GraphDef with its function library, what to
 * make (signatures), and where the values of variables are. lower/tf.c walks it and calls one function an operator, found in tf.def.
 */
#ifndef LC_LOWER_TF_H
#define LC_LOWER_TF_H

#include "lower/keras.h"
#include "ops/op.h"
#include "proto/proto.h"

/* A dense array, row-major, little-endian. Strings: a TFLite string buffer (kernels/string_value.h). */
typedef struct lc_tf_array {
    lc_dtype type;
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
    const void *data; /* lives as long as the model that is made; may be unaligned */
    size_t size;
} lc_tf_array;

/* One input or output of a signature. */
typedef struct lc_tf_port {
    lc_str name;    /* its name in the signature and in the .tflite file: "x", "dense_1", "keras_tensor" */
    lc_str tensor;  /* main graph: "node:0" (":0" may be missing). In a function: unused, its position counts */
    lc_dtype type;  /* as declared; LC_DTYPE_COUNT: not declared */
    lc_shape shape; /* inputs: as declared or as the user fixed it, -1 open; rank LC_RANK_UNKNOWN: not known or not declared */
} lc_tf_port;

/* One thing to make: becomes a signature of the model with a graph of its own. */
typedef struct lc_tf_signature {
    lc_str key;      /* "serving_default" */
    lc_str function; /* name of a function of the library whose arguments are inputs, then captures; absent: ports name tensors of the main
                        graph */
    lc_tf_port *inputs;
    uint32_t input_count;
    lc_tf_port *outputs;
    uint32_t output_count;
    lc_str *captures; /* tensors of the main graph that the function takes behind its inputs */
    uint32_t capture_count;
} lc_tf_signature;

/* A placeholder that is a constant here: keep_prob = 1. */
typedef struct lc_tf_fix {
    lc_str node;
    lc_tf_array value; /* its type is the placeholder's */
} lc_tf_fix;

typedef struct lc_tf_model {
    const lc_pb_GraphDef *graph;
    const lc_tf_signature *signatures;
    uint32_t signature_count;
    const lc_tf_fix *fixes;
    uint32_t fix_count;
    lc_str init; /* node of the main graph that initialises tables (main_op, legacy_init_op, saved_model_init_op); absent: none */
    /* Value of the variable that `handle` makes (VarHandleOp, VariableV2, Variable); NULL: the source has no values. LC_NOT_FOUND with a
     * hint when it is not there. */
    lc_status (*variable)(void *user, const lc_pb_NodeDef *handle, lc_tf_array *value, lc_error *err);
    /* Bytes of an asset file, by the file name a string constant of the graph holds. NULL: there are none. */
    lc_status (*asset)(void *user, lc_str name, lc_str *bytes, lc_error *err);
    void *user;
} lc_tf_model;

/* Lowers every signature into a graph of its own: model->graphs[0] (which is empty) is the first. Constants are shared. stats->layers
 * becomes the number of nodes. Signature names, order of inputs and outputs are those of `tf`. Errors: LC_UNSUPPORTED lists each operator
 * that litec lacks once; LC_INVALID names the node. */
lc_status lc_lower_tf(const lc_tf_model *tf, const lc_lower_options *options, lc_model *model, lc_error *err);

#endif
