/*
 * batch_matmul_op.c: BATCH_MATMUL: x [..., m, k] times y [..., k, n] gives [..., m, n]; the leading dimensions broadcast. adj_x and
 * adj_y say that the last two dimensions of that input come transposed.
 */
#include "ops/infer.h"

lc_status lc_infer_BATCH_MATMUL(lc_infer_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    lc_shape x = ctx->in[0].shape, y = ctx->in[1].shape, out;
    char tx[LC_SHAPE_TEXT], ty[LC_SHAPE_TEXT];
    lc_shape_text(&x, tx);
    lc_shape_text(&y, ty);
    if (x.rank < 2 || y.rank < 2) return LC_OP_FAIL(ctx, "inputs are %s and %s, both need 2 dimensions or more", tx, ty);
    int32_t m = x.dims[x.rank - (o->adj_x ? 1 : 2)], kx = x.dims[x.rank - (o->adj_x ? 2 : 1)];
    int32_t ky = y.dims[y.rank - (o->adj_y ? 1 : 2)], n = y.dims[y.rank - (o->adj_y ? 2 : 1)], met;
    if (!lc_infer_meet(kx, ky, &met)) return LC_OP_FAIL(ctx, "%s times %s: inner dimensions are %d and %d", tx, ty, kx, ky);
    x.rank -= 2;
    y.rank -= 2;
    LC_TRY(lc_infer_broadcast(ctx, &x, &y, &out));
    out.dims[out.rank++] = m;
    out.dims[out.rank++] = n;
    /* int8 may give its plain sums */
    const lc_dtype type = ctx->in[0].type == LC_INT8 && ctx->out[0].type == LC_INT32 ? LC_INT32 : ctx->in[0].type;
    return lc_infer_give(ctx, type, &out);
}
