/*
 * op.h: what is known about each operator, from the one table ops.def, and shape and type inference over it.
 */
#ifndef LC_OP_H
#define LC_OP_H

#include "ir/ir.h"

typedef enum lc_op_id {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) LC_OP_##ID = code,
#include "ops/ops.def"
    LC_OP_COUNT
} lc_op_id;

enum {
    LC_OPF_ELEMENTWISE = 1 << 0, /* output element i depends on input elements i (after broadcasting) only */
    LC_OPF_INPLACE = 1 << 1,     /* the kernel works when output and an input of equal bytes are the same memory */
    LC_OPF_COMMUTES = 1 << 2,    /* inputs 0 and 1 may be swapped */
    LC_OPF_FUSED_ACT = 1 << 3,   /* options have fused_activation_function */
    LC_OPF_VIEW = 1 << 4,        /* output is input 0's bytes under another shape */
    LC_OPF_SIDE_EFFECT = 1 << 5, /* is not removed when its outputs are unused, never folded or merged */
    LC_OPF_CALLS = 1 << 6,       /* options name other graphs (lc_op_calls) */
    LC_OPF_ALONE = 1 << 7,       /* the effect is on a state of its own: it is removed when its outputs are unused all the same */
};

typedef struct lc_infer_ctx lc_infer_ctx;
typedef lc_status (*lc_infer_fn)(lc_infer_ctx *ctx);

typedef struct lc_op_def {
    lc_infer_fn infer; /* NULL: not written yet */
    uint32_t absent;   /* bit i: input i may be LC_ABSENT; all ones: any */
    uint16_t name;     /* lc_op_def_name */
    int16_t options;   /* lc_table_id; LC_TABLE_NONE: no options table */
    uint16_t flags;    /* LC_OPF_... */
    int8_t max_version;
    int8_t in_min, in_max, out_min, out_max; /* max -1: any */
} lc_op_def;

/* An operator that exists in memory only, like those that training adds to a graph (grad/own.def): whoever makes the node points at its
 * rule and its kernel. Its node has the op CUSTOM, its name as custom code, and options that only its own files know. */
struct lc_grad;
typedef struct lc_op_own {
    const char *name;
    lc_op_def def; /* def.name means nothing here */
    const struct lc_kernel *kernel;
    void (*grad)(struct lc_grad *g); /* its rule of gradients (grad/grad.h); NULL: none */
} lc_op_own;

/* NULL for a number that is no builtin operator. */
const lc_op_def *lc_op_get(int32_t op);
/* "CONV_2D"; of a custom operator its code. */
const char *lc_op_def_name(const lc_op_def *def);
/* The family of a builtin operator: the basename of its files. */
const char *lc_op_family(int32_t op);
/* Of a node: as lc_op_get(node->op), for a custom operator its own, or its row of custom.def, if it has one. */
const lc_op_def *lc_op_of(const lc_node *node);
/* A hint for an operator whose rule or kernel is not in this build (select.h). */
const char *lc_op_left_out(void);
/* "CONV_2D"; "CUSTOM" with a custom code is the caller's to print; "UNKNOWN" for a number that is none. */
const char *lc_op_name(int32_t op);
/* Graph indices the node calls; returns how many (at most max are stored). */
uint32_t lc_op_calls(const lc_node *node, int32_t *graphs, uint32_t max);
/* Graph i becomes graph map[i] in the node's options; all it calls must be in the map. False when memory is out. */
bool lc_op_renumber_calls(lc_node *node, const int32_t *map, lc_arena *arena);
/* Inputs and outputs that the graph of call k (lc_op_calls' order) must have for this node; -1: the operator does not say. */
void lc_op_call_arity(const lc_node *node, uint32_t call, int64_t *inputs, int64_t *outputs);
/* Pointer to the fused_activation_function of the node's options, NULL when it has none. */
int8_t *lc_op_fused_act(const lc_node *node);
/* Pointer to asymmetric_quantize_inputs of the node's options, NULL when it has none. */
bool *lc_op_asymmetric_inputs(const lc_node *node);
/* The node's options as a struct of `table`: node->attrs when it has that table; a block of zeros when the file gives the node no
 * options (LiteRT's reading of it). Use it as LC_OP_ATTRS(node, Conv2DOptions)->stride_w. Never NULL. */
const void *lc_op_attrs(const lc_node *node, lc_table_id table);
#define LC_OP_ATTRS(node, T) ((const lc_##T *)lc_op_attrs(node, LC_TABLE_##T))
/* Multiply-accumulates of a node whose shapes are known; open dimensions count as 1; 0 where the count has no meaning. */
uint64_t lc_op_macs(const lc_graph *graph, const lc_node *node);
/* The lowest operator version that expresses this node (TFLite's op_version rules). */
int32_t lc_op_version(const lc_graph *graph, const lc_node *node);
/* The one that is written: what a file said, else the lowest. */
static inline int32_t lc_op_written_version(const lc_graph *graph, const lc_node *node) {
    return node->version > 0 ? node->version : lc_op_version(graph, node);
}
/* The integer form of an operator in the TFLite quantisation specification: a row of quant.def, which explains the columns. */
typedef enum lc_quant_scales {
    LC_QUANT_FLOAT = 0,
    LC_QUANT_FREE,
    LC_QUANT_SAME,
    LC_QUANT_FIXED,
    LC_QUANT_NONE,
    LC_QUANT_ANY,
    LC_QUANT_ZERO,
    LC_QUANT_CELL,
    LC_QUANT_STATE
} lc_quant_scales;
typedef struct lc_op_quant_def {
    int8_t scales;
    bool int16;
    int8_t weights, axis, bias; /* -1: none */
} lc_op_quant_def;
/* NULL: it has none. */
const lc_op_quant_def *lc_op_quant(int32_t op);
/* Scale and zero point of the output of an operator whose scales are FIXED, in INT8 or INT16. False when it has none. */
bool lc_op_fixed_scale(int32_t op, lc_dtype type, float *scale, int32_t *zero);
/* What LiteRT's kernel of the operator can still compute with: the least scale of the coarsest of its inputs; 0: any. */
float lc_op_least_scale(int32_t op);
/* The first TensorFlow release whose TFLite runtime has this operator version: 1.13.1 is 11301; 0: not known. */
uint32_t lc_op_runtime_version(int32_t op, int32_t version);
/* 20800 as "2.8", 10105 as "1.1.5". Returns text. */
const char *lc_op_release_text(uint32_t release, char text[16]);

/* ---- inference ----------------------------------------------------------------------------------------------- */

/* A shape while inferring: a dimension of -1 is not known (open). */
#define LC_RANK_UNKNOWN (-1) /* of an output: the run decides (READ_VARIABLE ...) */
typedef struct lc_shape {
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
} lc_shape;
/* lc_op_macs with the shapes of the first three inputs (rank < 0: not known, or no such input) and of the first output. */
uint64_t lc_op_shape_macs(const lc_node *node, const lc_shape *in, const lc_shape *out);

/* What an infer function sees of one tensor. */
typedef struct lc_infer_tensor {
    bool present;
    lc_dtype type;
    lc_shape shape;
    const void *data; /* constant bytes (size `size`), NULL when not constant */
    size_t size;
    const lc_QuantizationParameters *quant;
    const lc_tensor *def; /* as declared in the model; NULL outside one */
} lc_infer_tensor;

/* One node under inference. The same function serves the converter (open dimensions, before running) and the runtime (all
 * dimensions known, every run-time shape), so whatever a kernel's loop relies on is checked here, once. */
struct lc_infer_ctx {
    const lc_node *node;
    const lc_infer_tensor *in;
    uint32_t in_count;
    lc_infer_tensor *out;
    uint32_t out_count; /* comes with the declared type (CAST, QUANTIZE, DEQUANTIZE keep it); the
                         * function fills type and shape */
    lc_error *err;
};
/* Messages come out as: node 12 CONV_2D "conv1": <message>; the caller of infer adds the prefix. */
#define LC_OP_FAIL(ctx, ...) lc_fail((ctx)->err, LC_INVALID, __VA_ARGS__)

/* Checks counts, presence and options of node against the table, then calls its infer. LC_UNSUPPORTED when it has none. */
lc_status lc_op_infer(lc_infer_ctx *ctx);
/* Infers node `index` of a graph from the graph's tensors (signature -1 is open) and writes the outputs' type, dims and
 * signature into the graph. */
lc_status lc_graph_infer_node(lc_graph *graph, size_t index, lc_error *err);

/* Helpers for the rules. */
lc_status lc_infer_broadcast(lc_infer_ctx *ctx, const lc_shape *a, const lc_shape *b, lc_shape *out);
/* Resolves a possibly negative axis; error when outside [-rank, rank). */
lc_status lc_infer_axis(lc_infer_ctx *ctx, int64_t axis, int32_t rank, int32_t *out);
/* Output size of a windowed dimension and the padding before it. in -1 gives out -1. stride, dilation, filter >= 1 are checked,
 * and that in + span + 8 * stride fits int32, so that kernels may count positions in int32. */
lc_status lc_infer_window(lc_infer_ctx *ctx, int32_t in, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *out,
                          int32_t *pad_before);
/* The arithmetic of lc_infer_window alone, for kernels: sizes are >= 0 and filter, stride, dilation >= 1 (infer has checked).
 * SAME: out = ceil(in / stride), the padding is split with the larger half behind; VALID: out = floor((in - span) / stride) + 1,
 * at least 0, with span = (filter - 1) * dilation + 1. */
void lc_op_window(int32_t in, int32_t filter, int32_t stride, int32_t dilation, int8_t padding, int32_t *out, int32_t *pad_before);
/* Reads a constant int8, int16, int32 or int64 tensor as int64 values; false when it is not constant or not integer. *n: in capacity,
 * out count. */
bool lc_infer_ints(const lc_infer_tensor *t, int64_t *values, uint32_t *n);
bool lc_shape_equal(const lc_shape *a, const lc_shape *b); /* -1 equals -1 only */
bool lc_shape_elements(const lc_shape *s, uint64_t *n);    /* false when open, of unknown rank or over INT32_MAX */
/* "[1,28,28,?]" into text; returns text. For messages. */
#define LC_SHAPE_TEXT 128
const char *lc_shape_text(const lc_shape *s, char text[LC_SHAPE_TEXT]);

#endif
