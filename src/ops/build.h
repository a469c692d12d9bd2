/*
 * build.h: making graph nodes without a check behind every line. A builder remembers its first failure ("sticky"): from then on
 * every call does nothing and returns -1, so a lowering reads like the maths and is checked once, at its end.
 *
 *     int32_t y = lc_build_binary(b, LC_OP_MUL, x, lc_build_scalar(b, "scale", 0.5f), LC_ActivationFunctionType_NONE);
 *     y = lc_build_unary(b, LC_OP_LOGISTIC, y);
 *     if (b->status != LC_OK) ...
 *
 * Every output's type and shape come from the operator's rule (lc_graph_infer_node): what cannot run is refused here already.
 * Names: constants are "<layer>/<name>", outputs "<layer>/<OP>"; lc_build_rename gives an output a name of its own.
 */
#ifndef LC_OPS_BUILD_H
#define LC_OPS_BUILD_H

#include "ops/op.h"

typedef struct lc_builder {
    lc_model *model;
    lc_graph *graph;
    const char *layer; /* source layer of the nodes being made, in model->arena: node.layer and names; NULL: none */
    const char *kind;  /* its class, for messages: layer "conv1" (Conv2D): ... */
    const char *what;  /* what stands before the name in messages; NULL: "layer" */
    lc_status status;  /* LC_OK until the first failure */
    lc_error *err;     /* may be NULL */
    /* Told of each operator that was made, the last node of the graph, with its outputs inferred; it may take the node away again when
     * it gives the outputs their values itself. NULL: nobody listens. */
    void (*built)(struct lc_builder *b);
    void *user; /* the listener's */
} lc_builder;

void lc_builder_init(lc_builder *b, lc_model *model, lc_graph *graph, lc_error *err);
/* Fails the builder (the first failure stays): 'layer "name" (kind): <message>'. Returns -1. */
int32_t lc_build_fail(lc_builder *b, lc_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Hint of a failure that was just made. Returns -1. */
int32_t lc_build_hint(lc_builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Takes over the result of a call that filled b->err. Returns true when the builder is (still) fine. */
bool lc_build_check(lc_builder *b, lc_status status);

/* ---- tensors ------------------------------------------------------------------------------------------------ */

/* The tensor at `index`; NULL when the builder has failed. Valid until the next tensor is added. */
const lc_tensor *lc_build_tensor(lc_builder *b, int32_t index);
/* Rank and dimensions with -1 for open ones. False (builder failed) when the rank is over LC_MAX_RANK. */
bool lc_build_shape(lc_builder *b, int32_t index, lc_shape *shape);
lc_dtype lc_build_type(lc_builder *b, int32_t index);
/* A tensor without data: a graph input. dims of -1 are open. */
int32_t lc_build_placeholder(lc_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank);
/* A constant over bytes that live as long as the model. owned: they lie in model->arena and no other tensor uses them. */
int32_t lc_build_const(lc_builder *b, const char *name, lc_dtype type, const int32_t *dims, int32_t rank, const void *data, size_t size,
                       bool owned);
/* A float32 constant that is made from a matrix of the source when it is wanted (ir/constant.h); *made is copied. */
int32_t lc_build_deferred(lc_builder *b, const char *name, const int32_t *dims, int32_t rank, const struct lc_deferred *made);
/* `size` bytes for constant data in model->arena, aligned to 64; NULL and failed when memory is out. */
void *lc_build_data(lc_builder *b, size_t size);
/* Constants that are copied: a vector [n], a scalar, a vector of int32. */
int32_t lc_build_floats(lc_builder *b, const char *name, const float *values, uint32_t n);
int32_t lc_build_scalar(lc_builder *b, const char *name, float value);
int32_t lc_build_ints(lc_builder *b, const char *name, const int32_t *values, uint32_t n);
/* As lc_build_ints, as a matrix [rows, cols]. */
int32_t lc_build_int_matrix(lc_builder *b, const char *name, const int32_t *values, int32_t rows, int32_t cols);
/* Names a tensor. `name` must live as long as the model. */
void lc_build_rename(lc_builder *b, int32_t index, const char *name);

/* ---- operators ---------------------------------------------------------------------------------------------- */

/* Appends an operator with one output and returns that output. attrs is copied shallowly; NULL with a table: the schema's
 * defaults. Inputs may be LC_ABSENT where the operator allows it. */
int32_t lc_build_op(lc_builder *b, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs, uint32_t n_in);
/* The same for an operator whose output type is what the output is declared as: CAST, BITCAST. */
int32_t lc_build_typed(lc_builder *b, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                       lc_dtype type);
/* The form with several outputs: fills outputs[n_out]. False when failed. */
bool lc_build_op_multi(lc_builder *b, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                       int32_t *outputs, uint32_t n_out);
/* The form whose rule takes type and shape of the outputs as they are declared (STABLEHLO_RNG_BIT_GENERATOR). */
typedef struct lc_build_output {
    lc_dtype type;
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
} lc_build_output;
bool lc_build_op_declared(lc_builder *b, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs, uint32_t n_in,
                          const lc_build_output *declared, int32_t *outputs, uint32_t n_out);
/* A CUSTOM operator; its one output has the type and shape of `like`. options are copied. */
int32_t lc_build_custom(lc_builder *b, const char *code, const void *options, uint32_t option_bytes, const int32_t *inputs, uint32_t n_in,
                        int32_t like);

/* An operator that exists in memory only (op.h), with float32 outputs. options are copied. False when failed. */
bool lc_build_own(lc_builder *b, const lc_op_own *own, const void *options, uint32_t option_bytes, const int32_t *inputs, uint32_t n_in,
                  int32_t *outputs, uint32_t n_out);
/* The same with one output, which is returned. */
int32_t lc_build_own_one(lc_builder *b, const lc_op_own *own, const void *options, uint32_t option_bytes, const int32_t *inputs,
                         uint32_t n_in);
#define LC_OWN_OPTIONS(node, T) ((const T *)(const void *)(node)->custom_options.data)

/* Operators by arity, with the options table of their row at its defaults. */
int32_t lc_build_unary(lc_builder *b, int32_t op, int32_t x);
int32_t lc_build_binary(lc_builder *b, int32_t op, int32_t x, int32_t y, int8_t fused_activation);
int32_t lc_build_select(lc_builder *b, int32_t condition, int32_t yes, int32_t no);
/* x and a scalar: x op value. */
int32_t lc_build_with_scalar(lc_builder *b, int32_t op, int32_t x, const char *name, float value);

/* RESHAPE to dims, of which one may be -1; an open batch stays open through it. The shape is a constant int32 input and in
 * ReshapeOptions.new_shape, as the official converter writes it. */
int32_t lc_build_reshape(lc_builder *b, int32_t x, const int32_t *dims, int32_t rank);
int32_t lc_build_transpose(lc_builder *b, int32_t x, const int32_t *perm, int32_t rank);
/* MEAN, SUM, REDUCE_MAX ... over axes. */
int32_t lc_build_reduce(lc_builder *b, int32_t op, int32_t x, const int32_t *axes, uint32_t n, bool keep_dims);
/* CAST; x itself when it has the type already. */
int32_t lc_build_cast(lc_builder *b, int32_t x, lc_dtype type);

#endif
