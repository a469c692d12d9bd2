/*
 * activation_op.c: the activations that are operators of their own. All keep type and shape; PRELU has a slope tensor that
 * broadcasts to the input.
 */
#include "ops/infer.h"

#define SAME(ID) \
    lc_status lc_infer_##ID(lc_infer_ctx *ctx) { return lc_infer_same(ctx); }
SAME(RELU)
SAME(RELU6)
SAME(RELU_N1_TO_1)
SAME(RELU_0_TO_1)
SAME(LOGISTIC)
SAME(TANH)
SAME(ELU)
SAME(LEAKY_RELU)
SAME(HARD_SWISH)
SAME(GELU)

lc_status lc_infer_PRELU(lc_infer_ctx *ctx) {
    lc_shape out;
    if (ctx->in[0].type != LC_INT16 || ctx->in[1].type != LC_INT8) LC_TRY(lc_infer_same_type(ctx, 0, 1)); /* int16 has int8 slopes */
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[0].shape, &ctx->in[1].shape, &out));
    bool same = out.rank == ctx->in[0].shape.rank;
    for (int32_t i = 0; same && i < out.rank; i++) same = out.dims[i] == ctx->in[0].shape.dims[i] || ctx->in[0].shape.dims[i] < 0;
    if (!same) {
        char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
        return LC_OP_FAIL(ctx, "alpha %s does not broadcast to the input's shape %s", lc_shape_text(&ctx->in[1].shape, tb),
                          lc_shape_text(&ctx->in[0].shape, ta));
    }
    return lc_infer_give(ctx, ctx->in[0].type, &ctx->in[0].shape);
}
