/*
 * reduce_op.c: MEAN, SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL over a list of axes.
 *
 * An axis may be negative or named twice; no axis at all reduces nothing; a scalar stays a scalar whatever the axes say (LiteRT).
 */
#include "ops/infer.h"

static lc_status infer_reduce(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    bool keep = LC_OP_ATTRS(ctx->node, ReducerOptions)->keep_dims;
    int32_t count;
    LC_TRY(lc_infer_index_vector(ctx, 1, "axes", &count));
    if (count > 64) return LC_OP_FAIL(ctx, "names %d axes of a tensor with %d dimensions", count, in->rank);
    int64_t axes[64];
    uint32_t n = 64;
    if (in->rank == 0) return lc_infer_same(ctx);
    if (!lc_infer_ints(&ctx->in[1], axes, &n)) {
        if (!keep) {
            lc_status status =
                LC_OP_UNSUPPORTED(ctx, "the axes are computed while the model runs, so the output's rank is not known");
            lc_error_hint(ctx->err, "make the axes a constant");
            return status;
        }
        lc_shape open = lc_infer_open(in->rank);
        return lc_infer_give(ctx, ctx->in[0].type, &open);
    }
    bool gone[LC_MAX_RANK] = {false};
    for (uint32_t i = 0; i < n; i++) {
        int32_t axis;
        LC_TRY(lc_infer_axis(ctx, axes[i], in->rank, &axis));
        gone[axis] = true;
    }
    lc_shape out = {0};
    for (int32_t i = 0; i < in->rank; i++) {
        if (!gone[i]) out.dims[out.rank++] = in->dims[i];
        else if (keep) out.dims[out.rank++] = 1;
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

static lc_status infer_bool(lc_infer_ctx *ctx) {
    if (ctx->in[0].type != LC_BOOL) return LC_OP_FAIL(ctx, "input is %s, needs bool", lc_dtype_name(ctx->in[0].type));
    return infer_reduce(ctx);
}

lc_status lc_infer_MEAN(lc_infer_ctx *ctx) { return infer_reduce(ctx); }
lc_status lc_infer_SUM(lc_infer_ctx *ctx) { return infer_reduce(ctx); }
lc_status lc_infer_REDUCE_PROD(lc_infer_ctx *ctx) { return infer_reduce(ctx); }
lc_status lc_infer_REDUCE_MAX(lc_infer_ctx *ctx) { return infer_reduce(ctx); }
lc_status lc_infer_REDUCE_MIN(lc_infer_ctx *ctx) { return infer_reduce(ctx); }
lc_status lc_infer_REDUCE_ANY(lc_infer_ctx *ctx) { return infer_bool(ctx); }
lc_status lc_infer_REDUCE_ALL(lc_infer_ctx *ctx) { return infer_bool(ctx); }
