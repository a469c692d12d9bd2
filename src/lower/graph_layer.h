/*
 * graph_layer.h: a graph as a layer of a Keras model: what a SavedModel, a frozen graph or a .tflite file becomes when it is trained on
 * (api/net_graph.c). It exists in memory only: no file has such a layer, its class "litec>Graph" is in no list.
 *
 * Weights are the layer's arrays, under the names that they have in the source; everything else of the graph stays as it is. Lowering the layer
 * (lower_graph.c) copies the operators, so that shapes follow the batch.
 */
#ifndef LC_LOWER_GRAPH_LAYER_H
#define LC_LOWER_GRAPH_LAYER_H

#include "lower/keras.h"

#define LC_GRAPH_LAYER_CLASS "Graph"
#define LC_GRAPH_LAYER_NAME "litec>Graph" /* as its registered_name says */

/* Read-only once it is made: several nets use it. */
typedef struct lc_graph_layer {
    int32_t references;        /* atomic */
    int32_t id;                /* how configurations name it: unique in the process */
    lc_model *model;           /* owned; weights are no constants of it any more but arrays below */
    lc_graph *graph;           /* the one of the model that counts */
    int32_t *inputs, *outputs; /* tensors of the graph, in the order of its signature */
    const char **input_names, **output_names;
    uint32_t input_count, output_count;
    int32_t batch;            /* the first dimension of all inputs in the file; 0: open */
    int32_t *weight_of;       /* [tensors] which weight the tensor is; -1: none */
    bool *from_data;          /* [tensors] its value depends on an input */
    lc_keras_weight *weights; /* [weight_count] float32 */
    bool *learns;             /* [weight_count] it meets data where an operator learns */
    uint32_t weight_count;
} lc_graph_layer;

/* The row of the class, for layers that have a graph. */
struct lc_lower_row;
const struct lc_lower_row *lc_lower_graph_row(void);
/* The layer's configuration says of each weight whether it learns: "learns": "1101". NULL: all that can. */
const char *lc_graph_layer_learning(const lc_json *config, uint32_t weight_count);

#endif
