/*
 * fft_op.c: RFFT2D: input [..., h, w] of float32, fft_length [2] of int32, powers of two: output [..., length 0, length 1 / 2 + 1] of
 * complex64.
 */
#include "ops/infer.h"

lc_status lc_infer_RFFT2D(lc_infer_ctx *ctx) {
    const lc_infer_tensor *length = &ctx->in[1];
    lc_shape out = ctx->in[0].shape;
    char text[LC_SHAPE_TEXT];
    int64_t lengths[2];
    uint32_t n = 2;
    if (ctx->in[0].type != LC_FLOAT32) return LC_OP_UNSUPPORTED(ctx, "input is %s, needs float32", lc_dtype_name(ctx->in[0].type));
    if (out.rank < 2) return LC_OP_FAIL(ctx, "input is %s, needs 2 dimensions or more", lc_shape_text(&out, text));
    if (length->type != LC_INT32) return LC_OP_FAIL(ctx, "fft_length is %s, needs int32", lc_dtype_name(length->type));
    LC_TRY(lc_infer_rank(ctx, 1, 1, "fft_length"));
    if (length->shape.dims[0] != 2) return LC_OP_FAIL(ctx, "fft_length has %d elements, needs 2", length->shape.dims[0]);
    const bool known = length->data && lc_infer_ints(length, lengths, &n);
    for (int i = 0; known && i < 2; i++)
        if (lengths[i] < 1 || lengths[i] & (lengths[i] - 1))
            return LC_OP_FAIL(ctx, "fft_length[%d] is %lld, must be a power of two", i, (long long)lengths[i]);
    out.dims[out.rank - 2] = known ? (int32_t)lengths[0] : -1;
    out.dims[out.rank - 1] = known ? (int32_t)(lengths[1] / 2 + 1) : -1;
    return lc_infer_give(ctx, LC_COMPLEX64, &out);
}
