/*
 * select_op.c: SELECT_V2: where the condition holds x, else y; all three broadcast. SELECT, its forerunner: x and y
 * of one shape, the condition of the same, or a scalar, or one bool for each entry of the first dimension.
 *
 * Where all three have one element and the output is declared with one, it keeps the shape it is declared with ([], [1], [1,1] ...), as in
 * LiteRT: loops carry such a value in the shape they declare.
 */
#include "ops/infer.h"

static bool keeps_shape(const lc_infer_ctx *ctx, lc_shape *out) {
    const lc_tensor *t = ctx->out[0].def;
    uint64_t n;
    for (uint32_t i = 0; i < 3; i++)
        if (!lc_shape_elements(&ctx->in[i].shape, &n) || n != 1) return false;
    if (!t || !t->has_rank || t->rank > LC_MAX_RANK) return false;
    *out = (lc_shape){.rank = t->rank};
    for (int32_t d = 0; d < t->rank; d++)
        if ((out->dims[d] = lc_tensor_dim(t, d)) != 1) return false;
    return true;
}

lc_status lc_infer_SELECT(lc_infer_ctx *ctx) {
    const lc_shape *c = &ctx->in[0].shape;
    lc_shape out = ctx->in[1].shape;
    bool fits = out.rank == ctx->in[2].shape.rank;
    if (ctx->in[0].type != LC_BOOL) return LC_OP_FAIL(ctx, "condition is %s, needs bool", lc_dtype_name(ctx->in[0].type));
    LC_TRY(lc_infer_same_type(ctx, 1, 2));
    if (keeps_shape(ctx, &out)) return lc_infer_give(ctx, ctx->in[1].type, &out);
    for (int32_t i = 0; fits && i < out.rank; i++) fits = lc_infer_meet(out.dims[i], ctx->in[2].shape.dims[i], &out.dims[i]);
    if (!fits) return LC_OP_FAIL(ctx, "x and y must be of one shape (SELECT_V2 broadcasts)");
    const bool row = c->rank == 1 && out.rank > 1, one = out.rank == 0 && c->rank == 1 && c->dims[0] == 1;
    if (one) return lc_infer_give(ctx, ctx->in[1].type, &out); /* a scalar by another name */
    fits = c->rank == 0 || c->rank == out.rank || row;
    for (int32_t i = 0; fits && i < c->rank; i++) fits = lc_infer_meet(out.dims[i], c->dims[i], &out.dims[i]);
    if (!fits) return LC_OP_FAIL(ctx, "the condition is a scalar, a vector over the first dimension, or of the shape of x and y");
    return lc_infer_give(ctx, ctx->in[1].type, &out);
}

lc_status lc_infer_SELECT_V2(lc_infer_ctx *ctx) {
    lc_shape out;
    if (ctx->in[0].type != LC_BOOL) return LC_OP_FAIL(ctx, "condition is %s, needs bool", lc_dtype_name(ctx->in[0].type));
    LC_TRY(lc_infer_same_type(ctx, 1, 2));
    if (keeps_shape(ctx, &out)) return lc_infer_give(ctx, ctx->in[1].type, &out);
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[1].shape, &ctx->in[2].shape, &out));
    LC_TRY(lc_infer_broadcast(ctx, &ctx->in[0].shape, &out, &out));
    return lc_infer_give(ctx, ctx->in[1].type, &out);
}
