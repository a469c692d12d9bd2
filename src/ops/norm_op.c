/*
 * norm_op.c: L2_NORMALIZATION over the last dimension and LOCAL_RESPONSE_NORMALIZATION over neighbouring channels of [n, h, w, c]. Type
 * and shape stay. LiteRT refuses a fused activation on the first, and so does litec.
 */
#include "ops/infer.h"

lc_status lc_infer_L2_NORMALIZATION(lc_infer_ctx *ctx) {
    int8_t activation = LC_OP_ATTRS(ctx->node, L2NormOptions)->fused_activation_function;
    if (activation != LC_ActivationFunctionType_NONE)
        return LC_OP_UNSUPPORTED(ctx, "fused activation %d on L2_NORMALIZATION: no runtime runs that", activation);
    if (ctx->in[0].shape.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    return lc_infer_same(ctx);
}

lc_status lc_infer_LOCAL_RESPONSE_NORMALIZATION(lc_infer_ctx *ctx) {
    int32_t radius = LC_OP_ATTRS(ctx->node, LocalResponseNormalizationOptions)->radius;
    if (radius < 0) return LC_OP_FAIL(ctx, "radius is %d, needs 0 or more", radius);
    LC_TRY(lc_infer_rank(ctx, 0, 4, "input"));
    return lc_infer_same(ctx);
}
