/*
 * cast_op.c: CAST keeps the shape; the type is that of the output tensor, which is what LiteRT goes by (files leave the options
 * in_data_type and out_data_type out or get them wrong).
 */
#include "ops/infer.h"

lc_status lc_infer_CAST(lc_infer_ctx *ctx) { return lc_infer_give(ctx, ctx->out[0].type, &ctx->in[0].shape); }
