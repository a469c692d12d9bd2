/*
 * reshape_ref.c: RESHAPE, SQUEEZE, EXPAND_DIMS: the bytes stay as they are, packed 4-bit types too. The planner usually lets
 * output and input share memory; then there is nothing to do.
 */
#include "kernels/ref.h"
#include "kernels/string_value.h"
#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    uint32_t bits = lc_dtype_bits(in->type);
    if (in->type == LC_STRING && out->type == LC_STRING) return LC_OK;
    if (!bits) return lc_ref_refuse(ctx, in->type);
    LC_TRY(lc_ref_input(ctx, 0, 1u << in->type));
    if (lc_ref_elements(in) != lc_ref_elements(out) || in->type != out->type) return lc_ref_changed(ctx);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    if (ctx->in[0]->type == LC_STRING) { /* its buffer says nothing of the shape */
        lc_strings strings;
        const lc_shape shape = ctx->out[0]->shape;
        LC_TRY(lc_strings_open(ctx, ctx->in[0], "input 0", &strings));
        if (lc_ref_elements(ctx->out[0]) != (int64_t)strings.count) return lc_ref_changed(ctx);
        if (!strings.data) return lc_strings_put(ctx, 0, &shape, NULL, 0);
        LC_TRY(lc_kernel_resize(ctx, 0, &shape, ctx->in[0]->size));
        memcpy(ctx->out[0]->data, ctx->in[0]->data, ctx->in[0]->size);
        return LC_OK;
    }
    if (ctx->out[0]->data != ctx->in[0]->data && ctx->out[0]->size) memmove(ctx->out[0]->data, ctx->in[0]->data, ctx->out[0]->size);
    return LC_OK;
}

const lc_kernel lc_kernel_RESHAPE = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_SQUEEZE = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_EXPAND_DIMS = {.prepare = prepare, .run = run};
