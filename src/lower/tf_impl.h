/*
 * tf_impl.h: the lowering of a TensorFlow graph from the inside.
 *
 *   lc_tf_lower ─┬─ main, functions[]   bodies: nodes with their references resolved, made when first needed (tf_body.c)
 *                ├─ graphs[]            one lc_tf_graph for each graph of the model being made: its builder and what is known of its
 * tensors ├─ variables[], tables[], lists[] └─ missing[]           operators without a row, for the error at the end
 *
 *   lc_tf_scope                         a body being lowered: values of its arguments and of what its nodes gave
 *
 * A function is lowered anew wherever it is called, into the graph of its caller or, for a branch or a loop, into one of its own. The
 * number of lowered nodes is charged against limits.max_nodes, and calls nest LC_TF_DEPTH deep at most.
 */
#ifndef LC_LOWER_TF_IMPL_H
#define LC_LOWER_TF_IMPL_H

#include "lower/tf_lower.h"
#include "lower/tf_names.h"

#define LC_TF_DEPTH 50 /* calls within calls */
/* A name from a file for "%.*s", cut where it would fill the message. */
#define LC_TF_NAME(s) (int)((s).size < 200 ? (s).size : 200), (s).data
#define LC_TF_ARGUMENT -1 /* as lc_tf_ref.node: argument `output` of the function */

typedef struct lc_tf_ref {
    int32_t node, output;
} lc_tf_ref;

typedef struct lc_tf_node {
    const lc_pb_NodeDef *def;
    const lc_tf_row *row; /* NULL: tf.def has no such operator */
    lc_tf_ref *inputs;
    int32_t *controls; /* nodes */
    uint32_t input_count, control_count, output_count;
} lc_tf_node;

typedef struct lc_tf_body {
    lc_str name; /* of the function; "the graph" in messages when absent */
    const lc_pb_FunctionDef *function;
    lc_tf_node *nodes;
    uint32_t node_count;
    lc_names names;
    uint32_t arg_count;
    lc_tf_ref *rets;
    uint32_t ret_count;
    int32_t *ends; /* nodes that run for their effect (control_ret) */
    uint32_t end_count;
    int32_t *order; /* of a function: the nodes that its rets and effects need, each after what it needs */
    uint32_t order_count;
    int8_t effect; /* 1: something in it changes a variable or table; 0: nothing does; -1: not looked at yet */
    bool busy;     /* being looked at: a function that calls itself */
    bool linked;
} lc_tf_body;

typedef struct lc_tf_scope {
    const struct lc_tf_scope *outer; /* of the call */
    lc_tf_body *body;
    const lc_pb_NodeDef *call;         /* the calling node; NULL: the main graph or a signature's function */
    const lc_pb_NameAttrList *binding; /* what placeholders among the attributes stand for; NULL: none */
    const lc_tf_value *args;
    uint32_t arg_count;
    lc_tf_value **outs; /* [node_count]; NULL: not lowered (yet) */
    uint32_t depth;
} lc_tf_scope;

/* What is known of one tensor in the two worlds, and in the third that may contradict them (tf_known.c). rank LC_RANK_UNKNOWN: nothing. */
typedef struct lc_tf_known {
    bool set, third; /* third: shape[2] is there, and value[2] when it is not NULL */
    lc_shape shape[3];
    const void *value[3]; /* NULL: not known */
    size_t size[3];
} lc_tf_known;

/* One graph being made. b.user points back here. */
typedef struct lc_tf_graph {
    lc_builder b;
    struct lc_tf_lower *lower;
    lc_tf_known *known;
    size_t known_capacity;
    int32_t *variable_tensors; /* per variable: its value as a constant of this graph + 1, or its handle when it is assigned; 0: none yet */
    size_t variable_capacity;
    struct lc_tf_graph *outer; /* of the IF or WHILE; NULL: a signature's */
} lc_tf_graph;

typedef struct lc_tf_variable {
    const lc_pb_NodeDef *handle;
    lc_str name;
    bool ref;      /* of TensorFlow 1: its handle is its value, wherever that is read */
    bool read;     /* value is there */
    bool assigned; /* by some signature: it stays a variable */
    bool used;     /* by the signature being lowered */
    lc_tf_array value;
    lc_dtype type;
    lc_tf_known known; /* of its value */
} lc_tf_variable;

/* A hash table (tf_table.c). */
typedef struct lc_tf_table {
    lc_str name;
    lc_dtype key, value;
    bool filled;  /* keys and values are known */
    bool changes; /* a mutable one */
    bool places;  /* TFLite's table holds where a string stands, the values lie in a tensor */
    bool used;    /* as a table of TFLite, by the signature being lowered */
    bool needed;  /* ... by some signature */
    lc_tf_array keys, values;
} lc_tf_table;

/* A TensorList or TensorArray (tf_list.c). */
typedef struct lc_tf_list {
    lc_dtype type;
    lc_shape element;          /* as declared; LC_RANK_UNKNOWN, or open dimensions */
    bool known;                /* something was written: */
    lc_shape item[2];          /* the shape of that in the two worlds */
    bool grows;                /* a TensorArray with dynamic_size: a write behind its end makes it longer */
    int32_t length;            /* int32 scalar of `graph`, how many it begins with; -1: as many as its tensor has */
    struct lc_tf_graph *graph; /* where it was made */
} lc_tf_list;

/* An open dimension that is as large as the largest of others (tf_meet.c). */
enum { LC_TF_MEETING = 8, LC_TF_WIDE = 64 /* times as large where windows slide */ };
typedef struct lc_tf_meeting {
    int32_t size[2], parts[LC_TF_MEETING][2]; /* their sizes in the two worlds */
    uint32_t count;
} lc_tf_meeting;

typedef struct lc_tf_missing_op {
    lc_str op;
    const char *node, *types, *why; /* of the first */
    uint32_t count;
} lc_tf_missing_op;

typedef struct lc_tf_lower {
    const lc_tf_model *tf;
    const lc_pb_GraphDef *graph; /* tf->graph, with the control flow of TensorFlow 1 as If and While */
    const lc_lower_options *options;
    lc_model *model;
    lc_error *err;
    lc_budget budget;
    lc_arena scratch;         /* freed when the lowering ends */
    uint64_t calls;           /* nodes lowered, charged against limits.max_nodes */
    uint32_t symbols, growth; /* of open dimensions so far: sizes, and by how much they differ between the worlds (tf_known.c) */
    lc_names row_names, fact_names, own_names; /* of tf.def, of tf_flex.def, of the user's operators */
    struct lc_tf_fact *own_facts;
    lc_tf_row *own_rows;
    lc_tf_body main;
    lc_tf_body *functions; /* [library functions] */
    uint32_t function_count;
    lc_names function_names;
    struct lc_tf_call *spare; /* of a Keras lowering: what lc_eager_maker gives when memory is out */
    lc_tf_scope *main_scope;  /* of the signature being lowered: captures of functions lie there */
    lc_tf_variable *variables;
    size_t variable_count, variable_capacity;
    lc_names variable_names;
    bool again; /* a variable that was taken for a constant is assigned: everything is lowered again */
    lc_tf_table *tables;
    size_t table_count, table_capacity;
    bool filling; /* the initialiser is being walked */
    lc_tf_list *lists;
    size_t list_count, list_capacity;
    lc_tf_meeting *meetings;
    size_t meeting_count, meeting_capacity;
    lc_tf_missing_op *missing;
    size_t missing_count, missing_capacity;
    struct lc_tf_weight *weights; /* kept as they are (tf_weights.c) */
    size_t weight_count, weight_capacity;
    bool weights_are_constants; /* of a frozen graph */
} lc_tf_lower;

/* ---- weights (tf_weights.c): where options->weights asks for it ------------------------------------------------------ */

/* This constant is one, if it can be: until the lowering ends nobody knows its value. */
void lc_tf_weight(lc_tf_lower *l, lc_builder *b, int32_t tensor);
/* Gives all of them their values back. */
void lc_tf_weights_end(lc_tf_lower *l);

/* Before anything else: indexes operators and functions. (tf.c) */
lc_status lc_tf_begin(lc_tf_lower *l);
/* Sets l->graph. (tf_frame.c) */
lc_status lc_tf_structure(lc_tf_lower *l);

/* ---- bodies (tf_body.c) ------------------------------------------------------------------------------------------ */

/* Indexes the library; prepares the main graph. */
lc_status lc_tf_bodies(lc_tf_lower *l);
/* The function's body with its references resolved; NULL and *status when there is none or it is wrong. */
lc_tf_body *lc_tf_function(lc_tf_lower *l, lc_str name, lc_status *status);
/* "a/b:1", "a/b", "^c" of the main graph. */
lc_status lc_tf_reference(const lc_tf_lower *l, lc_str text, lc_tf_ref *ref);
/* The nodes that `roots` and the effects before them need, in the order to run, without those whose `given` is set. *order lies in the
 * scratch arena. A cycle is an error. */
lc_status lc_tf_order(lc_tf_lower *l, lc_tf_body *body, const lc_tf_ref *roots, uint32_t root_count, const int32_t *ends,
                      uint32_t end_count, const bool *given, int32_t **order, uint32_t *count);
/* Length of output `k` of the row's list for this node; how many outputs the node has. */
uint32_t lc_tf_output_count(const lc_tf_row *row, const lc_pb_NodeDef *def);
/* Somebody reads this output: a node of which nothing else is known has as many as are read. */
lc_status lc_tf_reach(lc_tf_lower *l, lc_tf_node *node, int32_t output);
const lc_pb_AttrValue *lc_tf_node_attr(const lc_pb_NodeDef *def, const char *name);

/* ---- walking (tf.c) ------------------------------------------------------------------------------------------------ */

/* Lowers the nodes of `order` in this scope into the builder's graph. Sticky. */
void lc_tf_walk(lc_tf_lower *l, lc_tf_scope *scope, lc_builder *b, const int32_t *order, uint32_t count);
/* What a reference gives in a scope. */
lc_tf_value lc_tf_look(const lc_tf_scope *scope, lc_tf_ref ref);
/* Lowers a function of the library with these arguments into the builder's graph; rets has ret_count entries. `call` and `binding` may be
 * NULL. Sticky. (tf_function.c) */
void lc_tf_run_function(lc_tf_lower *l, const lc_tf_scope *outer, lc_builder *b, const lc_pb_NodeDef *call,
                        const lc_pb_NameAttrList *binding, lc_str name, const lc_tf_value *args, uint32_t arg_count, lc_tf_value *rets,
                        uint32_t ret_count);

/* ---- graphs and what is known (tf_known.c) --------------------------------------------------------------------------- */

/* Begins to build into `graph`. The result lies in the scratch arena and its builder reports to it; NULL when memory is out. */
lc_tf_graph *lc_tf_graph_begin(lc_tf_lower *l, lc_graph *graph, lc_tf_graph *outer);
static inline lc_tf_graph *lc_tf_graph_of(lc_builder *b) { return (lc_tf_graph *)b->user; }
/* Never NULL; valid until the next tensor is made. */
lc_tf_known *lc_tf_known_of(lc_builder *b, int32_t tensor);
/* Says what is known of an input (a branch's or loop's argument: what is known of what is given to it). */
void lc_tf_know(lc_builder *b, int32_t tensor, const lc_tf_known *known);
/* An operator whose outputs no shape rule can tell (IF, READ_VARIABLE ...): outs are made, of these types and with what is known of them.
 */
bool lc_tf_emit(lc_builder *b, int32_t op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t n_in, const lc_dtype *types,
                const lc_tf_known *known, int32_t *outs, uint32_t n_out);
/* A dimension of its own: its sizes in the two worlds. wide: one that windows slide over, so it should be large and divisible. */
void lc_tf_symbol(lc_tf_lower *l, bool wide, int32_t size[2]);

/* The operator's rule refused the worlds' sizes: where open dimensions of its inputs must fit, both worlds' inputs get one that is the largest
 * of them. False: there is nothing like that. (tf_meet.c) */
bool lc_tf_meet(lc_tf_graph *g, const lc_node *n, struct lc_infer_tensor *a, struct lc_infer_tensor *b);
/* What the open dimension of these sizes was made of so; NULL: it is a dimension of a tensor. */
const lc_tf_meeting *lc_tf_meeting_of(const lc_tf_lower *l, int32_t a, int32_t b);

/* Takes over the result of a call that filled the error: the node's name is put before it. Returns true when all is (still) well.
 * (tf_value.c) */
bool lc_tf_take(lc_tf_call *c, lc_status status);

/* ---- branches and loops (tf_control.c) ------------------------------------------------------------------------------- */

/* A graph for a branch or a loop, the last of the model. NULL and `outer` failed when memory is out. */
lc_tf_graph *lc_tf_enter(lc_tf_lower *l, lc_builder *outer, lc_str name);
/* A value of `outer` as a value of `inner`: a constant as a constant, another tensor as an input of the graph (*carried true) of which the
 * same is known, what is no tensor as it is. */
lc_tf_value lc_tf_carry(lc_tf_graph *inner, lc_builder *outer, lc_tf_value v, bool *carried);
/* A constant of one graph as one of another that is being made: the bytes are shared. */
int32_t lc_tf_import(lc_tf_graph *inner, lc_builder *outer, int32_t tensor);
/* What argument a body's result i is, when it is one unchanged; -1 otherwise. */
int32_t lc_tf_passes(const lc_tf_body *body, uint32_t i);

/* ---- variables (tf_variable.c) ----------------------------------------------------------------------------------------- */

/* Number of the variable whose handle this node makes. -1 and the builder failed when memory is out. */
int32_t lc_tf_variable_of(lc_tf_call *c);
/* The variable's value as it is now: a constant, when nothing assigns it. */
int32_t lc_tf_variable_read(lc_tf_call *c, int32_t variable);
/* It has another value from here on. */
void lc_tf_variable_assign(lc_tf_call *c, int32_t variable, int32_t value);
/* Whether a value is a reference variable of TensorFlow 1. */
bool lc_tf_is_ref(const lc_tf_call *c, lc_tf_value v);
/* Nodes that give the variables their first values go into `b`, a graph that runs once (CALL_ONCE). */
void lc_tf_variables_init(lc_tf_lower *l, lc_builder *b);
/* Whether the signature being lowered needs what such a graph does. */
bool lc_tf_variables_used(const lc_tf_lower *l);

/* ---- tables (tf_table.c) ------------------------------------------------------------------------------------------------------ */

/* As lc_tf_variables_init and lc_tf_variables_used. */
void lc_tf_tables_init(lc_tf_lower *l, lc_builder *b);
bool lc_tf_tables_used(const lc_tf_lower *l);
/* What stands under x in a table whose constant keys and values are given, `otherwise` (a scalar of the values' type) where nothing does.
 * id: -1 and -1 at first, then the table and its handle for further calls in the same graph. */
int32_t lc_tf_table_look_up(lc_tf_call *c, const lc_tf_array *keys, const lc_tf_array *values, int32_t id[2], int32_t x, int32_t otherwise);
/* A graph "initialise" that gives variables and tables their first values; *index is its number. (tf.c) */
lc_status lc_tf_init_graph(lc_tf_lower *l, int32_t *index);
/* A CALL_ONCE of that graph becomes the first node of `user`. */
lc_status lc_tf_call_once(lc_graph *user, int32_t index, lc_error *err);

/* ---- lists (tf_list.c) ------------------------------------------------------------------------------------------------------ */

/* Gives a pending list its tensor, in the graph it was made in, now that its element shape is known. False, and nothing failed, when it
 * still is not, or this is another graph. */
bool lc_tf_list_make(lc_tf_call *c, lc_tf_value *v);

/* ---- constants (tf_const.c) ---------------------------------------------------------------------------------------------- */

/* A constant of this array: where it lies if it may, else copied. name: behind the node's name. */
int32_t lc_tf_constant(lc_builder *b, const char *name, const lc_tf_array *array);
/* Elements of a TensorProto. Bytes are borrowed where the message has them as they are, else made in `arena`. */
lc_status lc_tf_tensor_proto(const lc_pb_TensorProto *proto, lc_budget *budget, lc_arena *arena, lc_tf_array *array, lc_error *err);

/* ---- what is missing (tf_missing.c) ---------------------------------------------------------------------------------------- */

/* Behind the lowering of a node that has no builtin form (why), or failed: keeps it as the options allow, or puts it on the list. What it
 * had made since there were so many nodes and graphs goes. */
void lc_tf_without_builtin(lc_tf_call *c, const char *why, size_t nodes, size_t graphs);
/* Keeps a node as a CUSTOM or Flex operator; false: it cannot be, or the options do not allow it. (tf_flex.c) */
bool lc_tf_keep(lc_tf_call *c, const char **why, size_t nodes, size_t graphs);
/* The error that lists all of it; LC_OK when nothing is missing. */
lc_status lc_tf_missing_report(lc_tf_lower *l);

#endif
