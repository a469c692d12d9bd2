/*
 * exec.h: one graph made ready to run for one set of input shapes.
 *
 *   lc_exec ─┬─ values[]   one a tensor: shape and where its data lies
 *            ├─ steps[]    one an operator that runs: kernel, context
 *            ├─ plan       offsets of activations and scratch in the block
 *            ├─ block      the one allocation that activations live in
 *            └─ arena      all of the above, kernel states, values computed while planning
 *
 * Built whole or not at all; a session swaps its old one for the new one when an input is resized.
 */
#ifndef LC_RUNTIME_EXEC_H
#define LC_RUNTIME_EXEC_H

#include "kernels/kernel.h"
#include "runtime/plan.h"

typedef struct lc_step {
    const lc_node *node;
    const lc_kernel *kernel; /* NULL: nothing to do (a view whose output is its input's memory) */
    lc_kernel_ctx ctx;
    uint64_t nanoseconds;    /* of the last run, when profiling */
} lc_step;

typedef struct lc_exec {
    const lc_graph *graph;
    lc_value *values;
    lc_step *steps;
    uint32_t step_count;
    lc_plan plan;
    void *block;             /* lc_malloc_aligned */
    uint64_t computed;       /* bytes of values computed while planning */
    lc_arena arena;
} lc_exec;

typedef struct lc_exec_options {
    const struct lc_simd *simd; /* NULL: reference kernels only */
    lc_pool *pool;
    uint64_t max_memory;
} lc_exec_options;

/* Prepares `graph` for input shapes shapes[i] (all dimensions known). *exec is caller-owned memory; on failure it is empty. */
lc_status lc_exec_init(lc_exec *exec, const lc_graph *graph, const lc_shape *shapes, const lc_exec_options *options, lc_error *err);
void lc_exec_deinit(lc_exec *exec);

/* Decides which tensors share memory, gives every tensor and scratch its place, allocates the block (memory.c). */
lc_status lc_exec_place(lc_exec *exec, uint64_t max_memory, lc_error *err);

/* Packed weights of a model: made by the first session that asks, kept until the model is destroyed (pack.c). This is
 * lc_kernel_ctx.pack; ctx->owner is the model. */
lc_status lc_pack_get(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                      const lc_packed **packed);
uint64_t lc_pack_bytes(const lc_model *model);

#endif
