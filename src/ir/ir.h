/*
 * ir.h: the one graph type, from a framework's file to the kernels.
 *
 *   lc_model ─┬─ graphs[0] (main), graphs[1] ... (bodies of IF, WHILE, CALL_ONCE ...)
 *             │     tensors[]   what flows: type, shape, name, constant data, quantisation
 *             │     nodes[]     operators in execution order; inputs and outputs are tensor indices (-1: absent)
 *             │     inputs[], outputs[]
 *             ├─ signatures[], metadata[], external buffers
 *             └─ arena: owns all of the above; constants borrow the mapped source file or lie in the arena
 *
 * What always holds (lc_model_check proves it): indices are in range; a tensor has one writer at most, and is constant,
 * variable, a graph input or written before it is read; the graphs call each other without cycles. Once a session has been
 * made from it a model does not change. Everything of the .tflite format has a place here, so reading and writing lose nothing.
 */
#ifndef LC_IR_H
#define LC_IR_H

#include "base/base.h"
#include "schema/schema.h"

#define LC_ABSENT (-1) /* tensor index of an optional input that is not given */

typedef struct lc_tensor {
    lc_str name; /* a NUL follows it, as after every lc_str of a model */
    lc_dtype type;
    int32_t rank;                       /* 0 also for an unknown rank, which has_rank tells apart as the file does */
    int32_t *dims;                      /* [rank]; an open dimension is 1 here and -1 in signature, as TFLite has it */
    int32_t *signature;                 /* [rank], or NULL when no dimension is open */
    const void *data;                   /* constant bytes, or NULL. May be non-NULL with size 0 (a constant without elements) */
    const struct lc_deferred *deferred; /* how to make the bytes of a constant whose data is (still) NULL (constant.h); NULL: none */
    size_t size;                        /* bytes of the constant */
    uint64_t data_at;                   /* offset of data in the source file, LC_NO_OFFSET when it is not there */
    bool data_owned;                    /* data lies in the model's arena and this tensor alone uses it: a pass may write it in place */
    bool is_variable, has_rank;
    bool is_weight; /* a constant that is a variable of the source, which training may change (lower/tf_weights.c). No file has it */
    const lc_QuantizationParameters *quant; /* NULL: none */
    const lc_SparsityParameters *sparsity;  /* NULL: dense */
    const void *dense;                 /* of a sparse constant: its bytes spread out, made before the first session reads them (sparse.h) */
    const lc_VariantSubType *variants; /* [variant_count] */
    uint32_t variant_count;
    uint32_t external_buffer; /* id of an ExternalBuffer, 0: none */
    void *bound;              /* memory of whoever built the graph that the tensor lives in instead of a session's: what training reads and
                               * writes, its variables and their gradients. NULL: none. No file has it */
} lc_tensor;

typedef struct lc_node {
    int32_t op;         /* lc_op_id of ops/op.h: the builtin code; CUSTOM for custom operators */
    int32_t version;    /* operator version as read; 0: the writer chooses the lowest that fits (ops/version.c) */
    lc_str custom_code; /* name of a custom operator */
    int32_t *inputs, *outputs, *intermediates;
    uint32_t input_count, output_count, intermediate_count;
    lc_table_id attrs_table; /* which options struct; LC_TABLE_NONE: none */
    void *attrs;             /* struct of that table, e.g. lc_Conv2DOptions; owned by the arena; NULL with LC_TABLE_NONE */
    lc_vec_u8 custom_options;
    bool large_custom_options; /* custom options lie behind the flatbuffer */
    lc_vec_bool mutating;      /* mutating_variable_inputs */
    int32_t debug_metadata_index;
    const char *layer;           /* name of the source layer or node, for messages; NULL: none */
    const struct lc_op_own *own; /* of an operator that exists in memory only (ops/op.h); its op is CUSTOM. NULL: none */
} lc_node;

/* An array and its counts stand on one line. */
/* clang-format off */

typedef struct lc_graph {
    lc_str name;
    struct lc_model *model;
    lc_tensor *tensors; size_t tensor_count, tensor_capacity;
    lc_node *nodes; size_t node_count, node_capacity;
    int32_t *inputs; size_t input_count, input_capacity;
    int32_t *outputs; size_t output_count, output_capacity;
    int32_t debug_metadata_index;
} lc_graph;

typedef struct lc_signature_entry { lc_str name; int32_t tensor; } lc_signature_entry;
typedef struct lc_signature {
    lc_str key;
    int32_t graph;
    lc_signature_entry *inputs; uint32_t input_count;
    lc_signature_entry *outputs; uint32_t output_count;
    lc_str deprecated_tag;     /* as read; nobody uses it */
} lc_signature;

typedef struct lc_metadata { lc_str name; lc_vec_u8 data; } lc_metadata;

struct lc_model {
    lc_arena arena;
    lc_map map;                /* source file, mapped until the model is destroyed */
    lc_map *side_maps; size_t side_map_count; /* the other files its constants lie in: the shards of a checkpoint; lc_malloc'ed */
    void *buffer;              /* aligned copy of the bytes the model was read from, or NULL; lc_free_aligned with the model */
    lc_limits limits;
    lc_graph **graphs; size_t graph_count, graph_capacity;
    lc_signature *signatures; size_t signature_count;
    lc_metadata *metadata; size_t metadata_count;
    lc_vec_u8 *metadata_buffers; size_t metadata_buffer_count; /* what the old field metadata_buffer lists, as read */
    const lc_ExternalBufferGroup *external_groups; uint32_t external_group_count;
    const lc_ExternalBuffer *external_buffers; uint32_t external_buffer_count;
    const lc_OperatorCode *unused_op_codes; uint32_t unused_op_code_count; /* listed in the file, used by no operator */
    const void *tail; size_t tail_size; /* bytes that follow the structure, e.g. the zip of associated files */
    uint64_t tail_at;          /* where in the source file; the writer keeps the place when it is free */
    /* A field in the file that our schema lacks, so that the model cannot be written whole; unknown_table NULL: none. */
    const char *unknown_table; uint16_t unknown_field;
    lc_str description;
    uint32_t schema_version;
    void *runtime;             /* packed weights shared by sessions; runtime/ owns it and sets runtime_deinit */
    void (*runtime_deinit)(void *runtime);
    int32_t references;        /* atomic: the caller's and one a session */
    struct lc_model *origin;   /* of a fork: the model whose constants it uses, a reference is held; NULL: none */
};

/* clang-format on */

/* ---- model ------------------------------------------------------------------------------------------------- */

/* An empty model with one graph named "main". Caller owns *model (lc_model_destroy). */
lc_status lc_model_new(const lc_limits *limits, lc_model **model, lc_error *err);
/* The model takes maps over, also on failure (then they are closed); they and its own are closed with it. */
lc_status lc_model_take_maps(lc_model *model, lc_map *maps, size_t count, lc_error *err);
/* Tells the kernel that these bytes of a mapped file are not needed again soon; bytes elsewhere are left alone. */
void lc_model_release(const lc_model *model, const void *data, size_t size);
/* A second form of the model, to be changed, that shares the constants of the first (fork.c). Caller owns *model. */
lc_status lc_model_fork(lc_model *from, lc_model **model, lc_error *err);
/* True when `path` names a file that the model's constants lie in. */
bool lc_model_reads(const lc_model *model, const char *path);
/* Adds a reference; lc_model_destroy drops one. */
void lc_model_retain(lc_model *model);
/* Appends an empty graph; its address stays. NULL when memory is out. */
lc_graph *lc_model_add_graph(lc_model *model, lc_str name);

/* ---- building (all: LC_NO_MEMORY is the only failure unless stated) ------------------------------------------ */

/* Appends a copy of *proto (its dims, signature and name are copied; data, quant, sparsity are borrowed). *index: its index. */
lc_status lc_graph_add_tensor(lc_graph *graph, const lc_tensor *proto, int32_t *index, lc_error *err);
/* Appends a node; inputs and outputs are copied; attrs is a struct of `attrs_table`, copied shallowly (NULL: none). */
lc_status lc_graph_add_node(lc_graph *graph, int32_t op, lc_table_id attrs_table, const void *attrs, const int32_t *inputs,
                            uint32_t input_count, const int32_t *outputs, uint32_t output_count, lc_node **node, lc_error *err);
lc_status lc_graph_add_input(lc_graph *graph, int32_t tensor, lc_error *err);
lc_status lc_graph_add_output(lc_graph *graph, int32_t tensor, lc_error *err);
/* Readers of each tensor (nodes and graph outputs counted). counts has tensor_count entries. */
void lc_graph_count_uses(const lc_graph *graph, uint32_t *counts);
/* producer[t]: index of the node that writes tensor t, or -1. */
void lc_graph_producers(const lc_graph *graph, int32_t *producer);
/* Drops tensors nobody names and renumbers; nodes whose op is LC_NODE_DEAD are dropped too. Keeps order. */
lc_status lc_graph_compact(lc_graph *graph, lc_error *err);
#define LC_NODE_DEAD (-1)

/* ---- asking ------------------------------------------------------------------------------------------------- */

/* Dimension i as known while building: -1 when open. */
static inline int32_t lc_tensor_dim(const lc_tensor *t, int32_t i) { return t->signature ? t->signature[i] : t->dims[i]; }
/* Number of elements of dims, false on overflow or a negative dimension. */
bool lc_tensor_elements(const lc_tensor *t, uint64_t *n);
/* Bytes a dense tensor of this type and shape needs (4- and 2-bit types packed, rounded up); false on overflow or a type
 * without fixed size. */
bool lc_dtype_bytes(lc_dtype type, uint64_t elements, uint64_t *bytes);
/* Per-tensor quantisation: scale and zero point; 0 and 0 when the tensor is not quantised with exactly one scale. */
static inline void lc_tensor_scale(const lc_tensor *t, float *scale, int64_t *zero_point) {
    const lc_QuantizationParameters *q = t->quant;
    const bool one = q && q->scale.n == 1;
    *scale = one ? q->scale.data[0] : 0.0f;
    *zero_point = one && q->zero_point.n == 1 ? q->zero_point.data[0] : 0;
}
/* Has bytes, there or still to be made. */
static inline bool lc_tensor_is_const(const lc_tensor *t) { return t->deferred || t->data; }
/* Whether the model says which of its tensors have a rank. Files of before 2023 do not (has_rank is false everywhere): there a tensor without
 * dimensions is a scalar. (model.c) */
bool lc_model_states_ranks(const lc_model *model);
/* A tensor of unknown rank. stated: lc_model_states_ranks. */
static inline bool lc_tensor_any_rank(const lc_tensor *t, bool stated) {
    return stated && !t->has_rank && t->rank == 0 && !lc_tensor_is_const(t) && !t->is_variable;
}

/* Proves the invariants of ir.h on a model that was built or rewritten (not on a file: runtime/tflite_check.c does that with
 * rule ids). For debugging passes and for tests. */
lc_status lc_model_check(const lc_model *model, lc_error *err);
/* Same structure, names, types, shapes, constants, options, signatures, metadata. On a difference says which in err. */
bool lc_model_equal(const lc_model *a, const lc_model *b, lc_error *err);

#endif
