/*
 * bucketize_op.c: BUCKETIZE: an int32 for each number. The boundaries must rise.
 */
#include "ops/infer.h"

lc_status lc_infer_BUCKETIZE(lc_infer_ctx *ctx) {
    const lc_vec_f32 *b = &LC_OP_ATTRS(ctx->node, BucketizeOptions)->boundaries;
    if (b->n > INT32_MAX) return LC_OP_FAIL(ctx, "has %u boundaries, needs at most %d", b->n, INT32_MAX);
    for (uint32_t i = 0; i < b->n; i++)
        if (b->data[i] != b->data[i] || (i && b->data[i] < b->data[i - 1]))
            return LC_OP_FAIL(ctx, "boundary %u is below the one before it or no number", i);
    return lc_infer_give(ctx, LC_INT32, &ctx->in[0].shape);
}
