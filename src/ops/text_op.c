/*
 * text_op.c: SKIP_GRAM: the first string of the input gives a list of strings whose length the run decides. LSH_PROJECTION: hash [hashes,
 * bits] of float32 (bits <= 32), input [items, ...] of any type, weights [items]: int32 [hashes] (SPARSE) or [hashes * bits] (DENSE).
 */
#include "ops/infer.h"

lc_status lc_infer_SKIP_GRAM(lc_infer_ctx *ctx) {
    if (ctx->in[0].type != LC_STRING) return LC_OP_FAIL(ctx, "input is %s, needs string", lc_dtype_name(ctx->in[0].type));
    const lc_shape out = lc_infer_open(1);
    return lc_infer_give(ctx, LC_STRING, &out);
}

lc_status lc_infer_LSH_PROJECTION(lc_infer_ctx *ctx) {
    const int8_t type = LC_OP_ATTRS(ctx->node, LSHProjectionOptions)->type;
    LC_TRY(lc_infer_rank(ctx, 0, 2, "hash"));
    const int32_t *hash = ctx->in[0].shape.dims;
    const lc_shape *in = &ctx->in[1].shape;
    char text[LC_SHAPE_TEXT];
    int32_t met;
    if (hash[1] < 0 || hash[1] > 32) return LC_OP_FAIL(ctx, "hash is %s, needs at most 32 bits", lc_shape_text(&ctx->in[0].shape, text));
    if (in->rank < 1 || in->dims[0] == 0) return LC_OP_FAIL(ctx, "input is %s, needs 1 item or more", lc_shape_text(in, text));
    if (ctx->in_count > 2 && ctx->in[2].present) {
        LC_TRY(lc_infer_rank(ctx, 2, 1, "weights"));
        if (!lc_infer_meet(ctx->in[2].shape.dims[0], in->dims[0], &met))
            return LC_OP_FAIL(ctx, "has %d weights for %d items", ctx->in[2].shape.dims[0], in->dims[0]);
    }
    lc_shape out = {1, {hash[0]}};
    if (type == LC_LSHProjectionType_DENSE) LC_TRY(lc_infer_dim_mul(ctx, hash[0], hash[1], &out.dims[0]));
    else if (type != LC_LSHProjectionType_SPARSE) return LC_OP_FAIL(ctx, "type is %d, must be SPARSE (1) or DENSE (2)", type);
    return lc_infer_give(ctx, LC_INT32, &out);
}
