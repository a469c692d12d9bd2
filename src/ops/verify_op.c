/*
 * verify_op.c: NumericVerify, which converters put into models to find out how far quantisation is off: a quantised tensor minus its float
 * original.
 */
#include "ops/infer.h"

lc_status lc_infer_custom_VERIFY(lc_infer_ctx *ctx) {
    const lc_dtype type = ctx->in[0].type;
    uint64_t a, b;
    if (type != LC_UINT8 && type != LC_INT8 && type != LC_INT16 && type != LC_FLOAT16)
        return LC_OP_FAIL(ctx, "its input is %s, needs uint8, int8, int16 or float16", lc_dtype_name(type));
    if (ctx->in[1].type != LC_FLOAT32) return LC_OP_FAIL(ctx, "its reference is %s, needs float32", lc_dtype_name(ctx->in[1].type));
    if (lc_shape_elements(&ctx->in[0].shape, &a) && lc_shape_elements(&ctx->in[1].shape, &b) && a != b)
        return LC_OP_FAIL(ctx, "compares %llu elements with %llu", (unsigned long long)a, (unsigned long long)b);
    return lc_infer_give(ctx, LC_FLOAT32, &ctx->in[0].shape);
}
