/*
 * tf_graph.h: a GraphDef whose nodes are found by name and whose data edges can be walked. Duplicate names and edges that lead nowhere are
 * left to the lowering, which says what is wrong with them: here the first of a name counts and such an edge does not exist.
 */
#ifndef LC_SOURCE_TF_GRAPH_H
#define LC_SOURCE_TF_GRAPH_H

#include "lower/tf_names.h"
#include "ops/op.h"
#include "proto/proto.h"

/* Names from files in messages: at most 120 bytes of them. */
#define LC_NAMED(s) (int)((s).size < 120 ? (s).size : 120), (s).data ? (s).data : ""

typedef struct lc_tf_edge {
    int32_t node, output;
} lc_tf_edge;

typedef struct lc_tf_graph_index {
    lc_pb_GraphDef *graph;
    lc_names names;
    int32_t *positions;   /* [names.count] of the node in the graph */
    lc_tf_edge *edges;    /* data inputs of all nodes, one after the other */
    uint32_t *first_edge; /* [node count + 1] */
    uint32_t node_count;
} lc_tf_graph_index;

lc_status lc_tf_graph_init(lc_tf_graph_index *x, lc_pb_GraphDef *graph, lc_arena *arena, lc_error *err);
/* Position of the node called `name`, -1 when there is none. */
int32_t lc_tf_graph_find(const lc_tf_graph_index *x, lc_str name);
/* "a/b:1" into "a/b" and 1, "a/b" into "a/b" and 0, "^a" into "a" and -1. */
void lc_tf_graph_ref(lc_str text, lc_str *node, int32_t *output);
/* The nodes that `node` needs get a true in `seen`, itself too; the walk ends at nodes that have one. stack: [node count]. */
void lc_tf_graph_mark(const lc_tf_graph_index *x, int32_t node, bool *seen, int32_t *stack);

/* An attribute of a node, NULL when there is none. */
const lc_pb_AttrValue *lc_tf_attribute(const lc_pb_NodeDef *node, const char *name);
/* Type of a node's output, LC_DTYPE_COUNT when its attributes do not tell. */
lc_dtype lc_tf_output_type(const lc_pb_NodeDef *node, int32_t output);
/* Shape of a node's output as far as its attributes say; rank LC_RANK_UNKNOWN when they do not. */
lc_status lc_tf_output_shape(const lc_pb_NodeDef *node, int32_t output, lc_shape *shape, lc_error *err);
/* A shape; NULL: not known. */
lc_status lc_tf_shape_of(const lc_pb_TensorShapeProto *proto, lc_shape *shape, lc_error *err);
/* A node that has no data inputs and is given its value from outside: a placeholder, an iterator's or queue's element. */
bool lc_tf_is_placeholder(const lc_pb_NodeDef *node);
bool lc_tf_is_feed(const lc_pb_NodeDef *node);

#endif
