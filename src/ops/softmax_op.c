/*
 * softmax_op.c: SOFTMAX and LOG_SOFTMAX over the last dimension. The shape stays, and the type, but an 8-bit SOFTMAX may give int16.
 */
#include "ops/infer.h"

static lc_status infer_last(lc_infer_ctx *ctx) {
    if (ctx->in[0].shape.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    return lc_infer_same(ctx);
}

lc_status lc_infer_SOFTMAX(lc_infer_ctx *ctx) {
    bool wider = (ctx->in[0].type == LC_INT8 || ctx->in[0].type == LC_UINT8) && ctx->out[0].type == LC_INT16;
    LC_TRY(infer_last(ctx));
    if (wider) ctx->out[0].type = LC_INT16;
    return LC_OK;
}

lc_status lc_infer_LOG_SOFTMAX(lc_infer_ctx *ctx) { return infer_last(ctx); }
