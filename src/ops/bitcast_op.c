/*
 * bitcast_op.c: BITCAST: the same bytes as another type, that of the output tensor. To a type k times narrower there is a new last
 * dimension of k; to one k times wider the last dimension must be k, and goes.
 */
#include "ops/infer.h"

lc_status lc_infer_BITCAST(lc_infer_ctx *ctx) {
    const lc_dtype from = ctx->in[0].type, to = ctx->out[0].type;
    const uint32_t a = lc_dtype_bits(from), b = lc_dtype_bits(to);
    lc_shape out = ctx->in[0].shape;
    if (a < 8 || b < 8 || a % 8 || b % 8)
        return LC_OP_UNSUPPORTED(ctx, "from %s to %s: both must have elements of whole bytes", lc_dtype_name(from), lc_dtype_name(to));
    if (a > b) {
        if (a % b) return LC_OP_FAIL(ctx, "an element of %s is not a whole number of %s", lc_dtype_name(from), lc_dtype_name(to));
        if (out.rank >= LC_MAX_RANK)
            return LC_OP_UNSUPPORTED(ctx, "the output has %d dimensions, litec runs at most %d", out.rank + 1, LC_MAX_RANK);
        out.dims[out.rank++] = (int32_t)(a / b);
    } else if (a < b) {
        if (b % a || out.rank < 1 || (out.dims[out.rank - 1] >= 0 && out.dims[out.rank - 1] != (int32_t)(b / a)))
            return LC_OP_FAIL(ctx, "from %s to %s the last dimension must be %u", lc_dtype_name(from), lc_dtype_name(to), b / a);
        out.rank--;
    }
    return lc_infer_give(ctx, to, &out);
}
