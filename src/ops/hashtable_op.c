/*
 * hashtable_op.c: HASHTABLE_LOOKUP: lookup [n] and keys [rows], both int32, values [rows, ...]: output [n, ...] of the values' type, and
 * hits [n] of uint8.
 */
#include "ops/infer.h"

lc_status lc_infer_HASHTABLE_LOOKUP(lc_infer_ctx *ctx) {
    const lc_infer_tensor *values = &ctx->in[2];
    lc_shape out = values->shape;
    char text[LC_SHAPE_TEXT];
    int32_t rows;
    for (uint32_t i = 0; i < 2; i++) {
        LC_TRY(lc_infer_rank(ctx, i, 1, i ? "keys" : "lookup"));
        if (ctx->in[i].type != LC_INT32)
            return LC_OP_FAIL(ctx, "%s are %s, need int32", i ? "keys" : "lookups", lc_dtype_name(ctx->in[i].type));
    }
    if (out.rank < 1 || (values->type == LC_STRING && out.rank != 1))
        return LC_OP_FAIL(ctx, "values are %s, need %s", lc_shape_text(&out, text),
                          out.rank < 1 ? "a dimension of rows" : "1 dimension as they are strings");
    if (!lc_infer_meet(ctx->in[1].shape.dims[0], out.dims[0], &rows) || rows == 0)
        return LC_OP_FAIL(ctx, "has %d keys for %d values, must be as many, and 1 or more", ctx->in[1].shape.dims[0], out.dims[0]);
    out.dims[0] = ctx->in[0].shape.dims[0];
    ctx->out[1].type = LC_UINT8;
    ctx->out[1].shape = (lc_shape){1, {out.dims[0]}};
    return lc_infer_give(ctx, values->type, &out);
}
