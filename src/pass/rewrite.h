/*
 * rewrite.h: what every pass works with: who writes and how many read each tensor, kept true while the pass rewrites.
 *
 * A pass walks graph->nodes in order and uses the calls below; it never touches inputs, outputs or ops by hand, so producer
 * and uses stay right. Removed nodes become LC_NODE_DEAD; lc_rewrite_end drops them.
 */
#ifndef LC_PASS_REWRITE_H
#define LC_PASS_REWRITE_H

#include "ops/op.h"

typedef struct lc_rewrite {
    lc_graph *graph;
    lc_arena *arena;    /* the model's: for what stays */
    lc_arena temporary; /* for what goes with the pass */
    int32_t *producer;  /* [tensor_capacity] node that writes it, -1: none */
    uint32_t *uses;     /* readers, graph outputs included */
    uint8_t *is_output; /* graph output */
    int32_t *forward;   /* tensor that readers of this one shall read instead; itself when none */
    size_t known;       /* tensors the arrays hold */
    bool changed;
    lc_error *err;
} lc_rewrite;

lc_status lc_rewrite_begin(lc_rewrite *rw, lc_graph *graph, lc_error *err);
/* Drops dead nodes and unused tensors; frees temporary memory. */
lc_status lc_rewrite_end(lc_rewrite *rw);

/* Node that writes `tensor` when it is the only reader's to change: one writer, one use, no graph output. NULL otherwise. */
lc_node *lc_rewrite_sole_producer(const lc_rewrite *rw, int32_t tensor);
/* Input i of a node now reads `tensor`. */
void lc_rewrite_set_input(lc_rewrite *rw, lc_node *node, uint32_t i, int32_t tensor);
/* Appends an input. */
lc_status lc_rewrite_append_input(lc_rewrite *rw, lc_node *node, int32_t tensor);
/* Removes a node; its inputs lose a use. */
void lc_rewrite_kill(lc_rewrite *rw, lc_node *node);
/* `last` follows `first` and is its only reader: first now writes last's output and last is removed. */
void lc_rewrite_absorb(lc_rewrite *rw, lc_node *first, lc_node *last);
/* Makes the node's inputs name what earlier bypasses of this pass put in their place. Call it on reaching a node. */
void lc_rewrite_resolve(const lc_rewrite *rw, lc_node *node);
/* Removes `node`, whose output equals its input `input`. False (nothing done) when both are needed as a graph input and output, and when the
 * output is a variable. */
bool lc_rewrite_bypass(lc_rewrite *rw, lc_node *node, int32_t input);
/* A new tensor, as lc_graph_add_tensor. */
lc_status lc_rewrite_add_tensor(lc_rewrite *rw, const lc_tensor *proto, int32_t *tensor);
/* A new constant in the model's arena: copies type, rank and dims given; *data is zeroed memory to fill. */
lc_status lc_rewrite_add_constant(lc_rewrite *rw, lc_str name, lc_dtype type, const int32_t *dims, int32_t rank, int32_t *tensor,
                                  void **data);
/* The floats of a constant float32 tensor that the caller may change in place: the tensor itself when only `node` reads it and
 * its memory is the model's own, else a copy that input i of `node` then reads. */
lc_status lc_rewrite_own_floats(lc_rewrite *rw, lc_node *node, uint32_t i, float **data);
/* Input i of `node`, a deferred constant, becomes one whose row c is scale[c] times as large; nothing is made yet. */
lc_status lc_rewrite_scale_deferred(lc_rewrite *rw, lc_node *node, uint32_t i, const float *scale);

static inline lc_tensor *lc_rewrite_tensor(const lc_rewrite *rw, int32_t t) { return &rw->graph->tensors[t]; }
/* Equal rank and dimensions; an open dimension equals an open one. */
bool lc_same_dims(const lc_tensor *a, const lc_tensor *b);
/* True for a node that still exists and is `op`. */
static inline bool lc_node_is(const lc_node *node, lc_op_id op) { return node && node->op == (int32_t)op; }

/* The passes. Each rewrites one graph; rw->changed is set when it did anything. */
#define LC_PASS(name, what) lc_status lc_pass_##name(lc_rewrite *rw);
#include "pass/passes.def"

#endif
