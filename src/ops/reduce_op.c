/*
 * reduce_op.c: MEAN, SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL over a list of axes.
 *
 * An axis may be negative or named twice; no axis at all reduces nothing; a scalar stays a scalar whatever the axes say; the axes may lie
 * in a tensor of any rank (LiteRT).
 */
#include "ops/infer.h"

static lc_status infer_reduce(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    bool keep = LC_OP_ATTRS(ctx->node, ReducerOptions)->keep_dims;
    const lc_infer_tensor *list = &ctx->in[1];
    uint64_t count;
    if (list->type != LC_INT32 && list->type != LC_INT64)
        return LC_OP_FAIL(ctx, "axes is %s, needs int32 or int64", lc_dtype_name(list->type));
    if (lc_shape_elements(&list->shape, &count) && count > 64)
        return LC_OP_FAIL(ctx, "names %llu axes of a tensor with %d dimensions", (unsigned long long)count, in->rank);
    int64_t axes[64];
    uint32_t n = 64;
    if (in->rank == 0) return lc_infer_same(ctx);
    if (!lc_infer_ints(&ctx->in[1], axes, &n)) {
        lc_shape open = keep ? lc_infer_open(in->rank) : (lc_shape){.rank = LC_RANK_UNKNOWN};
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

/* REDUCE_WINDOW: a window of any rank slides over the input; inputs are the tensor, what a sum starts from, and the window's size, strides
 * and dilations, int64 each. A dimension the window does not fit into has no outputs. */
lc_status lc_infer_REDUCE_WINDOW(lc_infer_ctx *ctx) {
    static const char *const names[] = {"", "", "window shape", "window strides", "window dilations"};
    const lc_shape *in = &ctx->in[0].shape;
    int64_t v[3][LC_MAX_RANK];
    uint64_t one;
    bool known = true;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    if (in->rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    if (lc_shape_elements(&ctx->in[1].shape, &one) && one != 1)
        return LC_OP_FAIL(ctx, "init_value has %llu elements, needs 1", (unsigned long long)one);
    for (uint32_t i = 2; i < 5; i++) {
        int32_t count;
        uint32_t n = LC_MAX_RANK;
        LC_TRY(lc_infer_index_vector(ctx, i, names[i], &count));
        if (count >= 0 && count != in->rank)
            return LC_OP_FAIL(ctx, "%s has %d entries, the input %d dimensions", names[i], count, in->rank);
        if (!lc_infer_ints(&ctx->in[i], v[i - 2], &n)) known = false;
        for (uint32_t d = 0; known && d < n; d++)
            if (v[i - 2][d] < 1 || v[i - 2][d] > INT32_MAX)
                return LC_OP_FAIL(ctx, "%s has %lld, needs 1 or more", names[i], (long long)v[i - 2][d]);
    }
    lc_shape out = lc_infer_open(in->rank);
    for (int32_t d = 0; known && d < in->rank; d++) {
        const int64_t span = (v[0][d] - 1) * v[2][d] + 1;
        if (in->dims[d] >= 0) out.dims[d] = in->dims[d] < span ? 0 : (int32_t)((in->dims[d] - span) / v[1][d] + 1);
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
