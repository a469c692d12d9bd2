/*
 * compare_op.c: two tensors of one type broadcast and give a bool for each element.
 */
#include "ops/infer.h"

static lc_status infer_compare(lc_infer_ctx *ctx) {
    lc_shape out;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[0].shape, &ctx->in[1].shape, &out));
    return lc_infer_give(ctx, LC_BOOL, &out);
}

lc_status lc_infer_LESS(lc_infer_ctx *ctx) { return infer_compare(ctx); }
lc_status lc_infer_LESS_EQUAL(lc_infer_ctx *ctx) { return infer_compare(ctx); }
lc_status lc_infer_GREATER(lc_infer_ctx *ctx) { return infer_compare(ctx); }
lc_status lc_infer_GREATER_EQUAL(lc_infer_ctx *ctx) { return infer_compare(ctx); }
lc_status lc_infer_EQUAL(lc_infer_ctx *ctx) { return infer_compare(ctx); }
lc_status lc_infer_NOT_EQUAL(lc_infer_ctx *ctx) { return infer_compare(ctx); }
