/*
 * cumsum_op.c: CUMSUM along an axis: output i is the sum of the inputs up to i (exclusive: before i; reverse: from the other end).
 */
#include "ops/infer.h"

lc_status lc_infer_CUMSUM(lc_infer_ctx *ctx) {
    bool known;
    int64_t value;
    int32_t axis;
    LC_TRY(lc_infer_scalar(ctx, 1, "axis", &known, &value));
    if (known) LC_TRY(lc_infer_axis(ctx, value, ctx->in[0].shape.rank, &axis));
    return lc_infer_same(ctx);
}
