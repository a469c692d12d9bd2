/*
 * binary_op.c: arithmetic on two tensors of one type that broadcast to each other as in numpy, some with a fused activation.
 */
#include "ops/infer.h"

static lc_status infer_binary(lc_infer_ctx *ctx, int8_t activation) {
    lc_shape out;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    LC_TRY(lc_infer_activation(ctx, activation));
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[0].shape, &ctx->in[1].shape, &out));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

#define FUSED(ID, Options) \
    lc_status lc_infer_##ID(lc_infer_ctx *ctx) { return infer_binary(ctx, LC_OP_ATTRS(ctx->node, Options)->fused_activation_function); }
#define PLAIN(ID) \
    lc_status lc_infer_##ID(lc_infer_ctx *ctx) { return infer_binary(ctx, LC_ActivationFunctionType_NONE); }
FUSED(ADD, AddOptions)
FUSED(SUB, SubOptions)
FUSED(DIV, DivOptions)
PLAIN(MAXIMUM)
PLAIN(MINIMUM)
PLAIN(POW)
PLAIN(SQUARED_DIFFERENCE)
PLAIN(FLOOR_DIV)
PLAIN(FLOOR_MOD)
PLAIN(ATAN2)
PLAIN(BITWISE_XOR)
PLAIN(RIGHT_SHIFT)

/* int16 times int16 may give an 8-bit tensor. */
lc_status lc_infer_MUL(lc_infer_ctx *ctx) {
    const lc_dtype declared = ctx->out[0].type;
    LC_TRY(infer_binary(ctx, LC_OP_ATTRS(ctx->node, MulOptions)->fused_activation_function));
    if (ctx->in[0].type == LC_INT16 && (declared == LC_INT8 || declared == LC_UINT8)) ctx->out[0].type = declared;
    return LC_OK;
}
