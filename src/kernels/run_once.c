/*
 * run_once.c: one node outside a session: constant folding and the operator tests. Everything it needs comes from the caller's
 * arena, packed weights too: nothing is shared, nothing stays behind.
 */
#include "kernels/kernel.h"

void *lc_kernel_state(lc_kernel_ctx *ctx, size_t size) {
    ctx->state = lc_arena_alloc(ctx->arena, size);
    ctx->state_size = ctx->state ? size : 0;
    if (!ctx->state) lc_fail_memory(ctx->err, "kernel state");
    return ctx->state;
}

static lc_status pack_once(lc_kernel_ctx *ctx, uint32_t slot, size_t size, void (*fill)(const lc_kernel_ctx *ctx, void *data),
                           const lc_packed **packed) {
    (void)slot; /* nobody else asks for it again */
    lc_packed *p = lc_arena_alloc(ctx->arena, sizeof *p);
    if (p) p->data = lc_arena_data(ctx->arena, size ? size : 1);
    if (!p || !p->data) return lc_fail_memory(ctx->err, "packed weights");
    p->size = size;
    fill(ctx, p->data);
    *packed = p;
    return LC_OK;
}

lc_status lc_kernel_run_once(const lc_node *node, lc_value *const *in, uint32_t in_count, lc_value *const *out,
                             uint32_t out_count, const struct lc_simd *simd, lc_arena *arena, lc_error *err) {
    lc_kernel_ctx ctx = {.node = node, .in = in, .in_count = in_count, .out = out, .out_count = out_count, .simd = simd,
                         .arena = arena, .pack = pack_once, .err = err};
    const lc_kernel *kernel = simd ? lc_kernel_fast(node->op) : NULL;
    if (kernel) {
        lc_status status = kernel->prepare ? kernel->prepare(&ctx) : LC_OK;
        if (status != LC_OK && status != LC_UNSUPPORTED) return status;
        if (status == LC_UNSUPPORTED) {
            kernel = NULL;
            ctx.state = NULL;
            ctx.state_size = ctx.scratch_size = 0;
        }
    }
    if (!kernel) {
        kernel = lc_kernel_ref(node->op);
        if (!kernel) {
            LC_FAIL(err, LC_UNSUPPORTED, "litec has no kernel for %s", lc_op_name(node->op));
            lc_error_hint(err, "the model can be read, inspected and written; this operator cannot be run yet");
            return LC_UNSUPPORTED;
        }
        if (kernel->prepare) LC_TRY(kernel->prepare(&ctx));
    }
    if (ctx.scratch_size) {
        ctx.scratch = lc_arena_data(arena, ctx.scratch_size);
        if (!ctx.scratch) return lc_fail_memory(err, "kernel scratch");
    }
    return kernel->run(&ctx);
}
