/*
 * graph_emit.h: a graph of TFLite's operators as a graph of TensorFlow (GraphDef): frozen, or with variables. The files:
 *
 *   graph_ops.def, graph_build.c     a graph of TensorFlow while it is made
 *   graph_rules.def, graph_rules_*.c how each operator is said
 *   graph_emit.c               a model's graphs, operator by operator; the functions that loops and branches call
 *   graph_variable.c              variables, and the nodes that save and restore them
 *   meta_graph_emit.c          a checkpoint with a MetaGraph beside it, as TensorFlow 1 writes it
 *   saved_model_emit.c         a SavedModel; saved_model_objects.c is its graph of objects
 */
#ifndef LC_GRAPH_EMIT_H
#define LC_GRAPH_EMIT_H

#include "emit/bundle_emit.h"
#include "emit/graph_build.h"

/* The graph with constants for weights, its variables too: what freeze_graph makes. Inputs are placeholders, and nodes are named as the
 * tensors of the model are. *graph lies in the arena and borrows the model's constants. */
lc_status lc_emit_graph(lc_model *model, const lc_emit_variable *variables, size_t n, lc_arena *arena, lc_pb_GraphDef **graph,
                        lc_error *err);

/* ---- inside emit ---------------------------------------------------------------------------------------------------------- */

/* A model on its way into a GraphDef. */
typedef struct lc_gd_emitter {
    lc_model *model;
    lc_arena *arena;
    lc_error *err;
    lc_pb_FunctionDef *functions; /* of the library */
    size_t function_count, function_capacity;
    lc_str *called; /* [2 * graph_count], the functions of graphs: as it is, and one that gives a scalar; data NULL: not written yet */
} lc_gd_emitter;

lc_status lc_gd_emitter_init(lc_gd_emitter *e, lc_model *model, lc_arena *arena, lc_error *err);
/* Puts the nodes of a graph. refs [graph->tensor_count]: those of its inputs are set; the others will be, of what was put. */
lc_status lc_gd_emit_nodes(lc_gd_emitter *e, lc_gd_body *b, const lc_graph *graph, lc_gd_ref *refs);
/* One reference a tensor, none set. NULL when memory is out. */
lc_gd_ref *lc_gd_make_refs(lc_gd_emitter *e, const lc_graph *graph);

/* A function while it is made: its arguments first, then nodes, then its results. */
typedef struct lc_gd_function_maker {
    lc_gd_body body;
    lc_pb_FunctionDef def;
    lc_pb_OpDef signature;
    size_t argument_capacity, result_capacity, ret_capacity, attr_capacity;
} lc_gd_function_maker;

void lc_gd_function_begin(lc_gd_function_maker *f, lc_gd_emitter *e, lc_str name);
/* dims NULL: no shape is stated. */
lc_gd_ref lc_gd_function_argument(lc_gd_function_maker *f, lc_str name, int32_t type, const int32_t *dims, int32_t rank);
void lc_gd_function_result(lc_gd_function_maker *f, lc_gd_ref r);
/* It goes into the library. */
lc_status lc_gd_function_end(lc_gd_function_maker *f, lc_gd_emitter *e);

/* The dimensions of a tensor with -1 for open ones. False for more than LC_MAX_RANK. */
bool lc_gd_dims(const lc_tensor *t, int32_t dims[LC_MAX_RANK]);
/* An input of the main graph as a Placeholder of that name. */
lc_gd_ref lc_gd_placeholder(lc_gd_body *b, const lc_tensor *t, lc_str name);
/* The finished graph. */
lc_status lc_gd_emitter_end(lc_gd_emitter *e, lc_gd_body *b, lc_pb_GraphDef **graph);

/* ---- variables (graph_variable.c) */

typedef enum lc_gd_variable_kind {
    LC_GD_FROZEN,   /* constants */
    LC_GD_RESOURCE, /* TensorFlow 2 */
    LC_GD_REF       /* TensorFlow 1 */
} lc_gd_variable_kind;

typedef struct lc_gd_variables {
    const lc_emit_variable *variables;
    size_t n;
    const lc_str *keys; /* [n], in the checkpoint */
    lc_gd_variable_kind kind;
    lc_gd_ref *handles, *values; /* [n]; of constants the same */
} lc_gd_variables;

/* Puts the variables. */
lc_status lc_gd_variables_put(lc_gd_variables *v, const lc_model *model, lc_gd_body *b);
/* Puts the nodes that save and restore them, and says their names. */
lc_status lc_gd_saver_put(const lc_gd_variables *v, lc_gd_body *b, lc_pb_SaverDef *saver);
/* The collections `variables` and `trainable_variables` of a MetaGraph: VariableDefs. */
lc_status lc_gd_variables_collect(const lc_gd_variables *v, lc_gd_body *b, lc_pb_MetaGraphDef *meta);
/* The variable that stands behind input `tensor` of the main graph; NULL: none. */
const lc_emit_variable *lc_gd_variable_of(const lc_emit_variable *v, size_t n, int32_t tensor);
/* Puts the main graph with its inputs, reading variables for some of them; its outputs bear the names of their tensors. */
lc_status lc_gd_emit_main(lc_gd_emitter *e, lc_gd_body *b, const lc_gd_variables *v);

#endif
