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
#include "kernels/resource.h"
#include "runtime/plan.h"

typedef struct lc_step {
    const lc_node *node;
    const lc_kernel *kernel; /* NULL: nothing to do (a view whose output is its input's memory, outputs without elements) */
    lc_kernel_ctx ctx;
    struct lc_late *late; /* inferred and prepared in the run (late.h); NULL: prepared once */
    bool once, done;      /* once: gives a variable its first value; done: it has */
    uint64_t nanoseconds; /* of the last run, when profiling */
} lc_step;

/* What an exec and those of the graphs it calls use together. */
typedef struct lc_exec_budget {
    uint64_t bytes;  /* of blocks, of values computed while planning, of dynamic values and of scratch */
    uint64_t loops;  /* iterations in this run */
    uint32_t graphs; /* prepared for calls */
} lc_exec_budget;

typedef struct lc_exec_options {
    const struct lc_simd *simd; /* NULL: reference kernels only */
    lc_pool *pool;
    uint64_t max_memory;
    uint64_t max_loops;
    lc_resources *resources;
    const lc_custom_op *custom;
    size_t custom_count;
    lc_exec_budget *budget; /* the caller's; NULL: a new one */
    bool profile;
    void (*watch)(void *user, const lc_watched *tensor); /* lc_session_options.watch */
    void *watch_user;
} lc_exec_options;

/* Something to undo when an exec ends: operators that own more than arena memory. */
typedef struct lc_exec_end {
    void (*undo)(void *arg);
    void *arg;
    struct lc_exec_end *next;
} lc_exec_end;

typedef struct lc_exec {
    const lc_graph *graph;
    lc_value *values;
    lc_step *steps;
    uint32_t step_count;
    lc_plan plan;
    void *block;                      /* lc_calloc_aligned */
    uint64_t charged;                 /* to the budget, for block and computed */
    uint64_t computed, computed_most; /* bytes of values computed while planning, and how many may be */
    lc_exec_options options;
    lc_exec_budget own; /* options.budget of an exec that no other called */
    lc_exec_end *ends;  /* newest first */
    void *scratch;
    size_t scratch_size; /* of late steps, one after the other */
    lc_arena arena;
} lc_exec;

/* Prepares `graph` for input shapes shapes[i] (all dimensions known). *exec is caller-owned memory and must not move afterwards; on failure
 * it is empty. */
lc_status lc_exec_init(lc_exec *exec, const lc_graph *graph, const lc_shape *shapes, const lc_exec_options *options, lc_error *err);
void lc_exec_deinit(lc_exec *exec);
/* Runs all steps. */
lc_status lc_exec_run(lc_exec *exec, lc_error *err);
/* Sets variable tensors to zero (int8: the zero point), those of called graphs too. */
void lc_exec_reset(lc_exec *exec);

/* Parts of preparation that late steps use as well. io: room for the node's inputs and outputs; with_data: all inputs have data now. */
lc_status lc_exec_infer(const lc_step *step, lc_infer_tensor *io, bool with_data, lc_error *err);
lc_status lc_exec_choose_kernel(lc_exec *exec, lc_step *step, lc_error *err);
/* Takes `more` bytes from the budget in place of `less` that were; false (and nothing is taken) when they would pass the memory limit
 * together with the model's packed weights. */
bool lc_exec_charge(lc_exec *exec, uint64_t less, uint64_t more);
/* Scratch of a late step. */
lc_status lc_exec_late_scratch(lc_exec *exec, size_t size, void **scratch, lc_error *err);
/* Puts "node 3 CONV_2D "name": " before the message. */
void lc_exec_prefix(lc_error *err, const lc_graph *graph, const lc_node *node);
/* Calls undo(arg) when the exec ends. */
lc_status lc_exec_at_end(lc_exec *exec, void (*undo)(void *arg), void *arg, lc_error *err);
/* A value as the public API shows it. */
lc_tensor_view lc_value_view(const lc_value *v);

/* Decides which tensors share memory, gives every tensor and scratch its place, allocates the block (memory.c). */
lc_status lc_exec_place(lc_exec *exec, lc_error *err);

/* Packed weights of a model: made by the first session that asks, kept until the model is destroyed (pack.c). This is
 * lc_kernel_ctx.pack; ctx->owner is the model. */
lc_status lc_pack_get(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                      const lc_packed **packed);
uint64_t lc_pack_bytes(const lc_model *model);
/* Makes every deferred constant (ir/constant.h) and the dense bytes of every sparse one (ir/sparse.h), once a model and under a lock:
 * before its first session reads them. A few stored elements can stand for gigabytes: no more than max_memory dense bytes. */
lc_status lc_model_make_constants(lc_model *model, uint64_t max_memory, lc_error *err);

#endif
