/*
 * space_op.c: moving blocks of an image between its sides and its channels or its batch.
 *
 *   SPACE_TO_DEPTH     [n, h, w, c] to [n, h/b, w/b, c b b]      DEPTH_TO_SPACE the other way
 *   SPACE_TO_BATCH_ND  [n, spatial..., rest...], padded, block by block to [n prod(block), spatial/block..., rest...]
 *   BATCH_TO_SPACE_ND  the other way, cropped
 */
#include "ops/infer.h"

static lc_status divide(lc_infer_ctx *ctx, int32_t dim, int64_t by, const char *what, int32_t *out) {
    *out = -1;
    if (dim < 0) return LC_OK;
    if (dim % by) return LC_OP_FAIL(ctx, "%s of %d is not a multiple of %lld", what, dim, (long long)by);
    *out = (int32_t)(dim / by);
    return LC_OK;
}

static lc_status check_block(lc_infer_ctx *ctx, int32_t block) {
    if (block < 1 || block > 32768) return LC_OP_FAIL(ctx, "block_size is %d, needs 1 to 32768", block);
    return lc_infer_rank(ctx, 0, 4, "input");
}

lc_status lc_infer_SPACE_TO_DEPTH(lc_infer_ctx *ctx) {
    int32_t block = LC_OP_ATTRS(ctx->node, SpaceToDepthOptions)->block_size;
    LC_TRY(check_block(ctx, block));
    lc_shape out = ctx->in[0].shape;
    LC_TRY(divide(ctx, out.dims[1], block, "height", &out.dims[1]));
    LC_TRY(divide(ctx, out.dims[2], block, "width", &out.dims[2]));
    LC_TRY(lc_infer_dim_mul(ctx, out.dims[3], (int64_t)block * block, &out.dims[3]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_DEPTH_TO_SPACE(lc_infer_ctx *ctx) {
    int32_t block = LC_OP_ATTRS(ctx->node, DepthToSpaceOptions)->block_size;
    LC_TRY(check_block(ctx, block));
    lc_shape out = ctx->in[0].shape;
    LC_TRY(lc_infer_dim_mul(ctx, out.dims[1], block, &out.dims[1]));
    LC_TRY(lc_infer_dim_mul(ctx, out.dims[2], block, &out.dims[2]));
    LC_TRY(divide(ctx, out.dims[3], (int64_t)block * block, "depth", &out.dims[3]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

/* Reads block [m] and margins [m, 2]; *known false when one is not constant. */
static lc_status read_blocks(lc_infer_ctx *ctx, int32_t *m, int64_t *block, int64_t *margin, bool *known) {
    int32_t rank = ctx->in[0].shape.rank;
    const lc_shape *p = &ctx->in[2].shape;
    char text[LC_SHAPE_TEXT];
    LC_TRY(lc_infer_index_vector(ctx, 1, "block_shape", m));
    if (*m < 1 || *m >= rank) return LC_OP_FAIL(ctx, "block_shape has %d entries, the input %d dimensions", *m, rank);
    if (ctx->in[2].type != LC_INT32 && ctx->in[2].type != LC_INT64)
        return LC_OP_FAIL(ctx, "input 2 is %s, needs int32 or int64", lc_dtype_name(ctx->in[2].type));
    if (p->rank != 2 || (p->dims[0] >= 0 && p->dims[0] != *m) || (p->dims[1] >= 0 && p->dims[1] != 2))
        return LC_OP_FAIL(ctx, "input 2 is %s, needs [%d,2]", lc_shape_text(p, text), *m);
    uint32_t nb = LC_MAX_RANK, nm = 2 * LC_MAX_RANK;
    *known = lc_infer_ints(&ctx->in[1], block, &nb) && lc_infer_ints(&ctx->in[2], margin, &nm);
    for (int32_t i = 0; *known && i < *m; i++) {
        if (block[i] < 1 || block[i] > INT32_MAX) return LC_OP_FAIL(ctx, "block_shape has %lld, needs 1 or more", (long long)block[i]);
        if (margin[2 * i] < 0 || margin[2 * i + 1] < 0 || margin[2 * i] > INT32_MAX || margin[2 * i + 1] > INT32_MAX)
            return LC_OP_FAIL(ctx, "input 2 has a negative or too large entry for dimension %d", i + 1);
    }
    return LC_OK;
}

lc_status lc_infer_SPACE_TO_BATCH_ND(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    int32_t m;
    int64_t block[LC_MAX_RANK], pad[2 * LC_MAX_RANK];
    bool known;
    LC_TRY(read_blocks(ctx, &m, block, pad, &known));
    for (int32_t i = 0; i < m; i++) {
        int32_t *d = &out.dims[i + 1];
        if (!known) {
            *d = out.dims[0] = -1;
            continue;
        }
        LC_TRY(lc_infer_dim_add(ctx, *d, pad[2 * i] + pad[2 * i + 1], d));
        LC_TRY(divide(ctx, *d, block[i], "padded dimension", d));
        LC_TRY(lc_infer_dim_mul(ctx, out.dims[0], block[i], &out.dims[0]));
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_BATCH_TO_SPACE_ND(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    int32_t m;
    int64_t block[LC_MAX_RANK], crop[2 * LC_MAX_RANK];
    bool known;
    LC_TRY(read_blocks(ctx, &m, block, crop, &known));
    for (int32_t i = 0; i < m; i++) {
        int32_t *d = &out.dims[i + 1];
        if (!known) {
            *d = out.dims[0] = -1;
            continue;
        }
        LC_TRY(divide(ctx, out.dims[0], block[i], "batch", &out.dims[0]));
        LC_TRY(lc_infer_dim_mul(ctx, *d, block[i], d));
        if (*d >= 0 && crop[2 * i] + crop[2 * i + 1] > *d)
            return LC_OP_FAIL(ctx, "crops %lld of dimension %d, which has %d", (long long)(crop[2 * i] + crop[2 * i + 1]), i + 1, *d);
        if (*d >= 0) *d -= (int32_t)(crop[2 * i] + crop[2 * i + 1]);
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
