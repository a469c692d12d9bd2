/*
 * graph_build.h: a graph of TensorFlow while it is made: the main graph, or the body of a function.
 *
 *     lc_gd_ref y = LC_GD(b, MatMul, x, w);          a node and its output 0
 *     lc_gd_bool(b, "transpose_b", true);            an attribute of the node that was put last
 *     y = LC_GD(b, Relu, y);
 *     lc_gd_name(b, LC_STR("dense"), y);             names what was put since the last name: "dense", "dense/MatMul"
 *
 * After a failure (b->status) every call gives LC_GD_NONE and does nothing: check once in the end. All of it lies in an arena.
 */
#ifndef LC_GRAPH_BUILD_H
#define LC_GRAPH_BUILD_H

#include "ir/ir.h"
#include "proto/proto.h"

/* Output of a node. type: TensorFlow's DataType. */
typedef struct lc_gd_ref {
    int32_t node, output, type;
} lc_gd_ref;
#define LC_GD_NONE ((lc_gd_ref){-1, 0, LC_DT_INVALID})

/* LC_GD_MatMul ... */
typedef enum lc_gd_op_id {
#define LC_GD_OP(Name, outputs, types, out) LC_GD_##Name,
#include "emit/graph_ops.def"
    LC_GD_OP_COUNT
} lc_gd_op_id;

typedef struct lc_gd_node {
    lc_gd_op_id op;
    lc_str name; /* data NULL: none yet */
    lc_gd_ref *inputs;
    uint32_t input_count;
    int32_t *controls; /* nodes that run before it */
    uint32_t control_count;
    lc_pb_NodeDef_AttrEntry *attrs;
    size_t attr_count, attr_capacity;
    bool wanted;   /* is written; else only when something that is written needs it */
    bool argument; /* of the function: a Placeholder that is not written */
} lc_gd_node;

typedef struct lc_gd_body {
    lc_arena *arena;
    lc_error *err;
    lc_status status;
    bool function; /* a function's body: its nodes are spoken of as "node:output_name:0" */
    lc_gd_node **nodes;
    size_t count, capacity;
    size_t named;  /* nodes before this one have names */
    lc_str *names; /* a hash table of those that are taken */
    size_t name_count, name_capacity;
} lc_gd_body;

void lc_gd_body_init(lc_gd_body *b, lc_arena *arena, bool function, lc_error *err);
/* Fails, if nothing has failed before. Returns the status. */
lc_status lc_gd_fail_memory(lc_gd_body *b);

/* What names are made of, whatever the locale. */
static inline bool lc_gd_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool lc_gd_is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static inline bool lc_gd_is_word(char c) { return lc_gd_is_letter(c) || lc_gd_is_digit(c) || c == '_'; }

/* ---- nodes */

lc_gd_ref lc_gd_put(lc_gd_body *b, lc_gd_op_id op, const lc_gd_ref *inputs, uint32_t n);
#define LC_GD(b, Name, ...) \
    lc_gd_put(b, LC_GD_##Name, (const lc_gd_ref[]){__VA_ARGS__}, sizeof((const lc_gd_ref[]){__VA_ARGS__}) / sizeof(lc_gd_ref))
/* Another output of the same node. */
static inline lc_gd_ref lc_gd_output(lc_gd_ref r, int32_t output, int32_t type) { return (lc_gd_ref){r.node, output, type}; }
/* Node `r` runs after these nodes. */
void lc_gd_after(lc_gd_body *b, lc_gd_ref r, const lc_gd_ref *before, uint32_t n);
/* It is written though nobody uses it. */
void lc_gd_keep(lc_gd_body *b, lc_gd_ref r);
/* Gives the nodes without a name theirs: that of `main` the name itself, made one that TensorFlow takes and that nobody has, the others
 * "name/Op". What was already named keeps its name. */
void lc_gd_name(lc_gd_body *b, lc_str name, lc_gd_ref main);
/* The name of a node that has one. */
lc_str lc_gd_name_of(const lc_gd_body *b, lc_gd_ref r);

/* ---- attributes of the node that was put last */

void lc_gd_attr(lc_gd_body *b, const char *name, const lc_pb_AttrValue *value);
void lc_gd_int(lc_gd_body *b, const char *name, int64_t value);
void lc_gd_ints(lc_gd_body *b, const char *name, const int64_t *values, uint32_t n);
void lc_gd_float(lc_gd_body *b, const char *name, float value);
void lc_gd_floats(lc_gd_body *b, const char *name, const float *values, uint32_t n);
void lc_gd_bool(lc_gd_body *b, const char *name, bool value);
void lc_gd_type(lc_gd_body *b, const char *name, int32_t type);
void lc_gd_types(lc_gd_body *b, const char *name, const lc_gd_ref *of, uint32_t n);
void lc_gd_text(lc_gd_body *b, const char *name, lc_str value);
void lc_gd_shape(lc_gd_body *b, const char *name, const int32_t *dims, int32_t rank);
void lc_gd_function(lc_gd_body *b, const char *name, lc_str function);

/* -1 is an open dimension. NULL when memory is out. */
lc_pb_TensorShapeProto *lc_gd_make_shape(lc_arena *arena, const int32_t *dims, int32_t rank);

/* ---- constants */

/* data is borrowed. */
lc_gd_ref lc_gd_const(lc_gd_body *b, int32_t type, const int32_t *dims, int32_t rank, const void *data, size_t size);
lc_gd_ref lc_gd_const_ints(lc_gd_body *b, const int32_t *values, int32_t n);
lc_gd_ref lc_gd_const_int(lc_gd_body *b, int32_t value);
/* A number of a floating-point type. */
lc_gd_ref lc_gd_const_float(lc_gd_body *b, int32_t type, double value);
/* n < 0: a scalar, one string. */
lc_gd_ref lc_gd_const_strings(lc_gd_body *b, const lc_str *strings, int32_t n);

/* ---- forms that undo each other */

/* Transposed; of what is a transposition already, one of both, or none when both together do nothing. */
lc_gd_ref lc_gd_transpose(lc_gd_body *b, lc_gd_ref x, const int32_t *perm, int32_t n);
/* With these dimensions; a reshape before it falls away. */
lc_gd_ref lc_gd_reshape(lc_gd_body *b, lc_gd_ref x, const int32_t *dims, int32_t n);

/* ---- writing */

/* "node", "node:1"; in a function "node:product:0" or the name of an argument. Data NULL when memory is out. */
lc_str lc_gd_spell(const lc_gd_body *b, lc_gd_ref r);
/* The nodes that are wanted, and what they need, as they are written, each after what it uses. */
lc_status lc_gd_finish(lc_gd_body *b, const lc_pb_NodeDef **nodes, uint32_t *count);

#endif
