/*
 * complex_op.c: REAL, IMAG, COMPLEX_ABS: a float for each complex number, of the precision of its parts. The shape stays.
 */
#include "ops/infer.h"

static lc_status infer_part(lc_infer_ctx *ctx) {
    const lc_dtype type = ctx->in[0].type;
    if (type != LC_COMPLEX64 && type != LC_COMPLEX128)
        return LC_OP_FAIL(ctx, "input is %s, needs complex64 or complex128", lc_dtype_name(type));
    return lc_infer_give(ctx, type == LC_COMPLEX64 ? LC_FLOAT32 : LC_FLOAT64, &ctx->in[0].shape);
}

lc_status lc_infer_REAL(lc_infer_ctx *ctx) { return infer_part(ctx); }
lc_status lc_infer_IMAG(lc_infer_ctx *ctx) { return infer_part(ctx); }
lc_status lc_infer_COMPLEX_ABS(lc_infer_ctx *ctx) { return infer_part(ctx); }
