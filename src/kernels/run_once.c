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

const lc_kernel *lc_kernel_pick(const lc_kernel_ctx *ctx, const lc_kernel *kernel) {
    while (kernel && kernel->choose) kernel = kernel->choose(ctx);
    return kernel;
}

lc_status lc_kernel_choose(lc_kernel_ctx *ctx, const lc_kernel **kernel) {
    *kernel = lc_kernel_pick(ctx, *kernel);
    if (*kernel) return LC_OK;
    lc_text types = {0};
    for (uint32_t i = 0; i < ctx->in_count && i < 8; i++)
        if (ctx->in[i]) lc_text_printf(&types, "%s%s", i ? ", " : "", lc_dtype_name(ctx->in[i]->type));
    if (ctx->out_count && ctx->out[0]) lc_text_printf(&types, " -> %s", lc_dtype_name(ctx->out[0]->type));
    lc_fail(ctx->err, LC_UNSUPPORTED, "%s has no kernel for these types: %s", lc_op_name(ctx->node->op), types.data ? types.data : "?");
    lc_error_hint(ctx->err, "LiteRT has none either; docs/ops.md lists the operators litec runs");
    lc_text_deinit(&types);
    return LC_UNSUPPORTED;
}

/* An output that comes without data gets its shape and memory; one that has them must keep its shape. */
static lc_status resize_once(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, size_t bytes) {
    lc_value *v = out < ctx->out_count ? ctx->out[out] : NULL;
    uint64_t n, wide = bytes;
    size_t size;
    if (!v || (v->data && !lc_shape_equal(&v->shape, shape)))
        return lc_fail(ctx->err, LC_INVALID, "output %u has another shape than was planned", (unsigned)out);
    if (v->data) return LC_OK;
    if (!lc_shape_elements(shape, &n) || (v->type != LC_STRING && !lc_dtype_bytes(v->type, n, &wide)) || !lc_u64_to_size(wide, &size))
        return lc_fail(ctx->err, LC_LIMIT, "output %u is too large", (unsigned)out);
    v->data = lc_arena_data(ctx->arena, size ? size : 1);
    if (!v->data) return lc_fail_memory(ctx->err, "output");
    v->shape = *shape;
    v->size = size;
    return LC_OK;
}

lc_status lc_kernel_run_once(const lc_node *node, lc_value *const *in, uint32_t in_count, lc_value *const *out, uint32_t out_count,
                             const struct lc_simd *simd, lc_arena *arena, lc_error *err) {
    lc_kernel_ctx ctx = {.node = node,
                         .in = in,
                         .in_count = in_count,
                         .out = out,
                         .out_count = out_count,
                         .simd = simd,
                         .arena = arena,
                         .pack = pack_once,
                         .resize = resize_once,
                         .err = err};
    const lc_kernel *kernel = simd ? lc_kernel_pick(&ctx, lc_kernel_fast(node->op)) : NULL;
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
        kernel = lc_kernel_of(node);
        if (!kernel) {
            lc_fail(err, LC_UNSUPPORTED, "litec has no kernel for %s", lc_op_name(node->op));
            lc_error_hint(err, "%s", lc_op_left_out());
            return LC_UNSUPPORTED;
        }
        LC_TRY(lc_kernel_choose(&ctx, &kernel));
        if (kernel->prepare) LC_TRY(kernel->prepare(&ctx));
    }
    if (ctx.scratch_size) {
        ctx.scratch = lc_arena_data(arena, ctx.scratch_size);
        if (!ctx.scratch) return lc_fail_memory(err, "kernel scratch");
    }
    return kernel->run(&ctx);
}
