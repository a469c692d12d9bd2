/*
 * kernel.h: what a kernel is. prepare runs once per shape: it has complete, checked shapes (lc_op_infer has run), may refuse a
 * type, chooses a variant, packs constant weights and asks for scratch. run allocates nothing and cannot fail on sizes.
 *
 *   lc_kernel_<ID>   <family>_ref.c    plain truth, no intrinsics, any host; every type the op has
 *   lc_fast_<ID>     <family>_fast.c   chooses among the micro-kernels of the session's instruction set (simd.h); prepare
 *                                      returns LC_UNSUPPORTED (err untouched) when the case is not its own: the reference runs
 */
#ifndef LC_KERNEL_H
#define LC_KERNEL_H

#include "base/pool.h"
#include "ops/op.h"

/* A tensor at run time: shape complete, data placed by the plan, or `dynamic`: its shape is known only in the run, and its data lies
 * in a block of its own. A tensor of type STRING is always dynamic (string_value.h says what its data looks like); one of type
 * RESOURCE holds an int32, the handle of a resource (resource.h). */
typedef struct lc_value {
    lc_dtype type;
    lc_shape shape; /* rank -1: not known (yet) */
    void *data;     /* 64-byte aligned (constants: as aligned as the file has them, at least to the element) */
    size_t size;    /* bytes */
    bool dynamic;
    bool constant;        /* data is known in prepare already and never changes: from the file, or computed when planning */
    const lc_tensor *def; /* name, quantisation, sparsity */
    size_t capacity;      /* of a dynamic value's block; the runtime's */
} lc_value;

/* Weights rearranged for a kernel; made once per model, node and kernel, shared read-only by all sessions. */
typedef struct lc_packed {
    void *data; /* 64-byte aligned */
    size_t size;
} lc_packed;

typedef struct lc_kernel_ctx {
    const lc_node *node;
    lc_value *const *in;
    uint32_t in_count; /* entry NULL: absent */
    lc_value *const *out;
    uint32_t out_count;
    lc_pool *pool;              /* NULL: run in the caller */
    const struct lc_simd *simd; /* micro-kernels of the session's instruction set; NULL for "ref" */

    /* prepare sets */
    void *state;
    size_t state_size;   /* plain bytes kept between prepare and run: lc_kernel_state() */
    size_t scratch_size; /* bytes of scratch wanted; run finds them in `scratch` */
    const char *label;   /* static string for profiles, e.g. "gemm"; NULL: "ref" */

    /* run reads */
    void *scratch; /* 64-byte aligned, contents undefined, shared by nodes: nothing survives a run */

    /* services, set by the session */
    lc_arena *arena; /* for state; freed when the session plans again */
    lc_status (*pack)(struct lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const struct lc_kernel_ctx *ctx, void *data),
                      const lc_packed **packed);
    void *owner; /* the model, for pack */
    lc_status (*resize)(struct lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, size_t bytes);
    struct lc_exec *exec;           /* the graph being run; NULL outside a session */
    const lc_graph *graph;          /* the node's, for its intermediate tensors; NULL outside a session */
    struct lc_resources *resources; /* variables and tables of the session; NULL outside one */
    lc_error *err;
} lc_kernel_ctx;

/* In run, for an output whose shape infer left open (WHERE, UNIQUE ...) and for every STRING output: gives it its shape and memory; data
 * is ctx->out[out]->data afterwards. bytes: 0 for what type and shape say, the size of the buffer for strings. Such an output has no data
 * before. */
static inline lc_status lc_kernel_resize(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, size_t bytes) {
    return ctx->resize(ctx, out, shape, bytes);
}

/* Zeroed state of `size` bytes that run will find in ctx->state. NULL (and err set) when memory is out. */
void *lc_kernel_state(lc_kernel_ctx *ctx, size_t size);
/* Packed constant weights: the first caller's `fill` writes them, later sessions get the same block. `slot` tells several
 * blocks of one node apart (0, 1 ...). The same slot must always mean the same layout for a given ctx->simd. */
static inline lc_status lc_kernel_pack(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                                       const lc_packed **packed) {
    return ctx->pack(ctx, slot, size, fill, packed);
}

typedef struct lc_kernel {
    lc_status (*prepare)(lc_kernel_ctx *ctx); /* NULL: nothing to prepare (types were checked by infer) */
    lc_status (*run)(lc_kernel_ctx *ctx);
    /* For an operator with a kernel for each kind of types: the one for these inputs, NULL when there is none (the caller says so). prepare
     * and run are then those of the chosen kernel. NULL: this kernel is the one. */
    const struct lc_kernel *(*choose)(const lc_kernel_ctx *ctx);
} lc_kernel;

/* The kernel that `choose` leads to; NULL when none takes the types, and for NULL. */
const lc_kernel *lc_kernel_pick(const lc_kernel_ctx *ctx, const lc_kernel *kernel);
/* The same with an error that names the types. */
lc_status lc_kernel_choose(lc_kernel_ctx *ctx, const lc_kernel **kernel);

/* Reference kernel of an op; NULL when there is none. */
const lc_kernel *lc_kernel_ref(int32_t op);
/* Reference kernel of a node: as lc_kernel_ref, and those of the custom operators litec has (ops/custom.def). */
const lc_kernel *lc_kernel_of(const lc_node *node);
/* SIMD kernel of an op; NULL when there is none. */
const lc_kernel *lc_kernel_fast(int32_t op);

/* ---- instruction sets (dispatch.c) ---------------------------------------------------------------------------- */

/* Micro-kernels by name ("avx512", "avx2", "neon", "portable"), NULL for one this build or CPU has not. name NULL: $LC_ISA,
 * else the best. "ref" gives LC_OK with *simd NULL. Unknown name: LC_ARGUMENT with the list of names. */
lc_status lc_simd_get(const char *name, const struct lc_simd **simd, lc_error *err);
const char *lc_simd_name(const struct lc_simd *simd); /* "ref" for NULL */

/* Runs one node outside a session, all inputs constant or given (constant folding, op tests). Inputs and outputs have data
 * and shapes already. scratch and state are taken from `arena`. simd NULL: reference. */
lc_status lc_kernel_run_once(const lc_node *node, lc_value *const *in, uint32_t in_count, lc_value *const *out, uint32_t out_count,
                             const struct lc_simd *simd, lc_arena *arena, lc_error *err);

/* [low, high] of a fused activation in float; NONE is -inf..inf. TANH and SIGN_BIT: false (not a clamp). */
bool lc_activation_range(int8_t activation, float *low, float *high);

#endif
