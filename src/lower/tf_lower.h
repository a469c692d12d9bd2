/*
 * tf_lower.h: what the tf_<x>.c files share. An operator of TensorFlow is lowered by one function of this shape, named in tf.def:
 *
 *     void lc_tf_op_top_k(lc_tf_call *c);       reads c's attributes and inputs, makes nodes with c->b, sets its outputs with lc_tf_give
 *
 * Everything is sticky like the builder (ops/build.h): after a failure getters return their default and makers return -1, so a function
 * checks nothing and its caller checks once.
 *
 * What is known of each tensor (tf_known.c): the builder tells us of every operator it makes. Its shape is worked out twice more, in two
 * worlds: in each, every open dimension of the inputs has another size. A dimension that comes out the same in both is fixed, whatever
 * shape arithmetic it went through; a small tensor whose elements come out the same is a constant, and becomes one at once: its
 * operator goes. So a lowering sees plain constants and fixed dimensions wherever TensorFlow's own inference would, and more:
 *
 *     x [?,28,28] ─▶ Shape ─▶ StridedSlice[0] ─▶ Pack(·, 784) ─▶ Reshape       worlds: 128 and 192 ─▶ [128,784], [192,784]: RESHAPE
 * [-1,784]
 *
 * Two open dimensions with equal sizes in both worlds are the same dimension (lc_tf_same_dim).
 */
#ifndef LC_LOWER_TF_LOWER_H
#define LC_LOWER_TF_LOWER_H

#include "lower/lower.h"
#include "lower/tf.h"

enum { LC_OP_NONE = -1 };

typedef enum lc_tf_kind {
    LC_TF_NOTHING = 0, /* not made: a control output, or an output that does not exist */
    LC_TF_TENSOR,      /* a tensor of the graph being made */
    LC_TF_VARIABLE,    /* handle of a variable: object is its number in lower->variables (tf_variable.c) */
    LC_TF_TABLE,       /* handle of a hash table: number in lower->tables (tf_table.c) */
    LC_TF_LIST, /* a TensorList or TensorArray (tf_list.c): tensor holds its elements [n, ...], -1 while it is not known; object: number in
                   lower->lists */
    LC_TF_MISSING, /* what an operator would have given that litec lacks: everything behind it is skipped, the end lists them */
} lc_tf_kind;

typedef struct lc_tf_value {
    lc_tf_kind kind;
    int32_t tensor;
    int32_t object;
} lc_tf_value;

typedef struct lc_tf_call lc_tf_call;
typedef void (*lc_tf_fn)(lc_tf_call *c);

typedef struct lc_tf_row {
    const char *name; /* TensorFlow's operator */
    lc_tf_fn lower;
    int32_t op;          /* the TFLite operator of a one-line map, LC_OP_NONE */
    const char *outputs; /* names of the outputs, see tf.def; "": one */
    bool effect;         /* changes a variable or table: runs also when only control edges lead to it */
} lc_tf_row;

struct lc_tf_lower; /* tf_impl.h: the whole lowering; operators need not look inside */
struct lc_tf_scope; /* tf_impl.h: the function body being lowered */

/* One node being lowered. */
struct lc_tf_call {
    struct lc_tf_lower *lower;
    struct lc_tf_scope *scope;
    lc_builder *b;
    const lc_pb_NodeDef *node;
    const lc_tf_row *row;  /* NULL: no row has this operator (Flex, custom) */
    const lc_tf_value *in; /* data inputs; control inputs are not among them */
    uint32_t in_count;
    lc_tf_value *out;   /* NOTHING until given */
    uint32_t out_count; /* outputs that exist, from the row and the attributes */
    const char **why;   /* where lc_tf_missing leaves its reason; NULL: it lists the operator at once */
};

#define LC_TF(name, function, builtin, outputs) void lc_tf_op_##function(lc_tf_call *c);
#include "lower/tf.def"

/* A node whose operator is the name of a function of the library. (tf_function.c) */
void lc_tf_op_named_call(lc_tf_call *c);
/* A node whose operator nobody knows. (tf_missing.c) */
void lc_tf_op_unknown(lc_tf_call *c);

/* NULL when tf.def has no such operator. (tf.c) */
const lc_tf_row *lc_tf_find(const struct lc_tf_lower *lower, lc_str op);

/* ---- failures ------------------------------------------------------------------------------------------------- */

/* 'node "a/b" (TopKV2): <message>'. Returns -1. LC_UNSUPPORTED: valid TensorFlow that litec cannot do; LC_INVALID: the graph is wrong. */
#define lc_tf_fail(c, status, ...) lc_build_fail((c)->b, status, __VA_ARGS__)
#define lc_tf_hint(c, ...) lc_build_hint((c)->b, __VA_ARGS__)
static inline bool lc_tf_ok(const lc_tf_call *c) { return c->b->status == LC_OK; }
/* This operator, with these attributes or types, has no builtin form: it goes to the list of what is missing (or becomes Flex or CUSTOM,
 * as the options say), with the reason. Outputs are set; just return. (tf_missing.c) */
void lc_tf_missing(lc_tf_call *c, const char *why, ...) __attribute__((format(printf, 2, 3)));

/* ---- attributes (tf_attr.c): of the node; placeholders are looked up in the function's caller ------------------------ */

const lc_pb_AttrValue *lc_tf_attr(lc_tf_call *c, const char *name); /* NULL when not there */
int64_t lc_tf_attr_int(lc_tf_call *c, const char *name, int64_t otherwise);
float lc_tf_attr_float(lc_tf_call *c, const char *name, float otherwise);
bool lc_tf_attr_bool(lc_tf_call *c, const char *name, bool otherwise);
lc_str lc_tf_attr_str(lc_tf_call *c, const char *name, const char *otherwise);
bool lc_tf_attr_is(lc_tf_call *c, const char *name, const char *otherwise, const char *value); /* the string equals value */
/* A type; LC_DTYPE_COUNT when missing or one that TFLite does not have. */
lc_dtype lc_tf_attr_type(lc_tf_call *c, const char *name);
/* TensorFlow's DataType as a type of ours: references are what they refer to, qint8 ... plain integers; LC_DTYPE_COUNT: TFLite lacks it. */
lc_dtype lc_tf_dtype(int32_t data_type);
/* LC_RANK_UNKNOWN for NULL, an unknown rank and one over LC_MAX_RANK. */
lc_shape lc_tf_shape_proto(const lc_pb_TensorShapeProto *proto);
/* A list of integers into values[max]; returns how many (missing: 0); failed when more. */
uint32_t lc_tf_attr_ints(lc_tf_call *c, const char *name, int64_t *values, uint32_t max);
/* A shape attribute; rank LC_RANK_UNKNOWN when missing or unknown. */
lc_shape lc_tf_attr_shape(lc_tf_call *c, const char *name);
/* A function attribute: its name; absent when there is none. */
lc_str lc_tf_attr_func(lc_tf_call *c, const char *name);

/* ---- inputs and outputs ----------------------------------------------------------------------------------------- */

/* Input i as a tensor of c->b->graph. Failed when it does not exist or is no tensor. */
int32_t lc_tf_in(lc_tf_call *c, uint32_t i);
/* True when input i is given (some operators have any number). */
static inline bool lc_tf_has(const lc_tf_call *c, uint32_t i) { return i < c->in_count && c->in[i].kind != LC_TF_NOTHING; }
/* Output k is this tensor (-1 after a failure: nothing happens). */
void lc_tf_give(lc_tf_call *c, uint32_t k, int32_t tensor);
/* Output k is a value of any kind. */
void lc_tf_give_value(lc_tf_call *c, uint32_t k, lc_tf_value value);

lc_dtype lc_tf_type(lc_tf_call *c, int32_t tensor);
/* Shape, -1 for open dimensions; rank LC_RANK_UNKNOWN when not known. Returns by value; rank unknown after a failure. */
lc_shape lc_tf_shape(lc_tf_call *c, int32_t tensor);
/* Shape with a known rank (of dimensions that may be open); failed (LC_UNSUPPORTED, with a hint about --input-shape) when it is not. */
lc_shape lc_tf_ranked(lc_tf_call *c, int32_t tensor);
/* Shape of exactly this rank. */
lc_shape lc_tf_rank_of(lc_tf_call *c, int32_t tensor, int32_t rank);
/* The operator takes nothing but this rank, so a tensor of unknown rank has it, with open dimensions. */
void lc_tf_learn_rank(lc_tf_call *c, int32_t tensor, int32_t rank);
/* All dimensions fixed; failed otherwise. what: "filter". */
lc_shape lc_tf_fixed(lc_tf_call *c, int32_t tensor, const char *what);
/* axis in [-rank, rank) to [0, rank); failed otherwise. */
int32_t lc_tf_axis(lc_tf_call *c, int64_t axis, int32_t rank);

/* ---- what is known (tf_known.c) ----------------------------------------------------------------------------------- */

bool lc_tf_is_const(lc_tf_call *c, int32_t tensor);
/* The integers of a constant tensor (int8 ... int64, uint8, bool) into values[max]; false (nothing failed) when it is not constant, no
 * integer or longer. *n: how many. */
bool lc_tf_ints(lc_tf_call *c, int32_t tensor, int64_t *values, uint32_t max, uint32_t *n);
/* The same for something that must be constant: failed otherwise, what names it ("axis"). Returns how many. */
uint32_t lc_tf_need_ints(lc_tf_call *c, int32_t tensor, const char *what, int64_t *values, uint32_t max);
/* One integer that must be constant. */
int64_t lc_tf_need_int(lc_tf_call *c, int32_t tensor, const char *what);
/* Floating-point elements (float16, bfloat16, float32, float64) of a constant; false as above. */
bool lc_tf_floats(lc_tf_call *c, int32_t tensor, float *values, uint32_t max, uint32_t *n);
/* A shape given as a tensor of integers: fixed elements as numbers, open ones -1; rank unknown when not even its length is known. */
lc_shape lc_tf_shape_value(lc_tf_call *c, int32_t tensor);
/* Both dimensions are the same number, known or open. */
bool lc_tf_same_dim(lc_tf_call *c, int32_t a, int32_t dim_a, int32_t b, int32_t dim_b);
/* An int32 tensor [rank] with the shape of x at run time: a constant when it is fixed. */
int32_t lc_tf_shape_tensor(lc_tf_call *c, int32_t x);

/* ---- makers used by many -------------------------------------------------------------------------------------------- */

/* Constants. type of the second: any number type; the value is converted. */
int32_t lc_tf_const_ints(lc_tf_call *c, const int64_t *values, uint32_t n, lc_dtype type); /* a vector */
int32_t lc_tf_scalar(lc_tf_call *c, double value, lc_dtype type);
/* RESHAPE to a shape with at most one open dimension, or to one given by a tensor (int32 or int64): constant where what is known allows. */
int32_t lc_tf_reshape(lc_tf_call *c, int32_t x, const int32_t *dims, int32_t rank);
int32_t lc_tf_reshape_like(lc_tf_call *c, int32_t x, int32_t shape);
/* The node of the graph that makes a tensor, among the last ones made; NULL when it is further back or there is none. */
const lc_node *lc_tf_made_by(lc_tf_call *c, int32_t tensor);
/* w seen as a matrix [rows, cols], transposed to [cols, rows], under the shape dims: how convolutions and dense layers want their weights.
 * A constant of any floating type stays where it is and is rearranged when it is written (ir/constant.h), as float32; else operators. */
int32_t lc_tf_transposed(lc_tf_call *c, int32_t w, int32_t rows, int32_t cols, const int32_t *dims, int32_t rank);
/* float16, bfloat16 and float64 tensors are kept as TensorFlow has them; this gives float32 for an operator that has only that, and
 * lc_tf_back the first input's type again. Integers are left alone. */
int32_t lc_tf_float32(lc_tf_call *c, int32_t x);
int32_t lc_tf_back(lc_tf_call *c, int32_t y, lc_dtype type);
/* int64 index and axis tensors as int32 where a TFLite operator wants that. */
int32_t lc_tf_int32(lc_tf_call *c, int32_t x);
/* Reduction over axes kept in an array, unary and binary of the builder under their short names. */
#define lc_tf_unary(c, op, x) lc_build_unary((c)->b, op, x)
int32_t lc_tf_binary(lc_tf_call *c, int32_t op, int32_t x,
                     int32_t y); /* no fused activation; broadcasts of more dimensions than the operator takes are worked around */
/* x op value, the scalar in x's type. */
int32_t lc_tf_with(lc_tf_call *c, int32_t op, int32_t x, double value);

/* ---- functions (tf_function.c, tf_control.c) -------------------------------------------------------------------------- */

/* Lowers a function of the library here, in place: args in, rets out (out_count of them). */
void lc_tf_inline(lc_tf_call *c, lc_str function, const lc_tf_value *args, uint32_t arg_count, lc_tf_value *rets, uint32_t ret_count);

#endif
