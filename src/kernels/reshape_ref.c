/*
 * reshape_ref.c: RESHAPE, SQUEEZE, EXPAND_DIMS: the bytes stay as they are, packed 4-bit types too. The planner usually lets
 * output and input share memory; then there is nothing to do.
 */
#include "kernels/ref.h"
#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    uint32_t bits = lc_dtype_bits(in->type);
    if (!bits) return lc_ref_refuse(ctx, in->type);
    LC_TRY(lc_ref_input(ctx, 0, 1u << in->type));
    if (lc_ref_elements(in) != lc_ref_elements(out) || in->type != out->type) return lc_ref_changed(ctx);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    if (ctx->out[0]->data != ctx->in[0]->data && ctx->out[0]->size)
        memmove(ctx->out[0]->data, ctx->in[0]->data, ctx->out[0]->size);
    return LC_OK;
}

const lc_kernel lc_kernel_RESHAPE = {prepare, run};
const lc_kernel lc_kernel_SQUEEZE = {prepare, run};
const lc_kernel lc_kernel_EXPAND_DIMS = {prepare, run};
