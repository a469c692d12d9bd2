/*
 * logical_op.c: AND, OR, NOT of bool tensors; the two-input ones broadcast.
 */
#include "ops/infer.h"

static lc_status need_bool(lc_infer_ctx *ctx, uint32_t i) {
    if (ctx->in[i].type == LC_BOOL) return LC_OK;
    return LC_OP_FAIL(ctx, "input %u is %s, needs bool", i, lc_dtype_name(ctx->in[i].type));
}

static lc_status infer_logical(lc_infer_ctx *ctx) {
    lc_shape out;
    LC_TRY(need_bool(ctx, 0));
    LC_TRY(need_bool(ctx, 1));
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[0].shape, &ctx->in[1].shape, &out));
    return lc_infer_give(ctx, LC_BOOL, &out);
}

lc_status lc_infer_LOGICAL_AND(lc_infer_ctx *ctx) { return infer_logical(ctx); }
lc_status lc_infer_LOGICAL_OR(lc_infer_ctx *ctx) { return infer_logical(ctx); }
lc_status lc_infer_LOGICAL_NOT(lc_infer_ctx *ctx) {
    LC_TRY(need_bool(ctx, 0));
    return lc_infer_same(ctx);
}
