/*
 * gather_op.c: reading by index: GATHER, GATHER_ND, EMBEDDING_LOOKUP, ONE_HOT.
 *
 *   GATHER     out = params[..., indices, ...] along `axis`; the first batch_dims dimensions of both go together
 *   GATHER_ND  the last dimension of indices is an index into the first dimensions of params
 *   ONE_HOT    a new dimension of `depth` at `axis` (-1: last): on_value where it equals the index, off_value elsewhere
 */
#include "ops/infer.h"

static lc_status need_index(lc_infer_ctx *ctx, uint32_t i, const char *what) {
    lc_dtype t = ctx->in[i].type;
    if (t == LC_INT32 || t == LC_INT64 || t == LC_INT16) return LC_OK;
    return LC_OP_FAIL(ctx, "%s is %s, needs int16, int32 or int64", what, lc_dtype_name(t));
}

static lc_status push(lc_infer_ctx *ctx, lc_shape *out, int32_t dim) {
    if (out->rank == LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "would have more than %d dimensions", LC_MAX_RANK);
    out->dims[out->rank++] = dim;
    return LC_OK;
}

lc_status lc_infer_GATHER(lc_infer_ctx *ctx) {
    const lc_GatherOptions *o = LC_OP_ATTRS(ctx->node, GatherOptions);
    const lc_shape *p = &ctx->in[0].shape, *x = &ctx->in[1].shape;
    int32_t axis, batch;
    LC_TRY(need_index(ctx, 1, "indices"));
    LC_TRY(lc_infer_axis(ctx, o->axis, p->rank, &axis));
    batch = o->batch_dims < 0 ? o->batch_dims + x->rank : o->batch_dims;
    if (batch < 0 || batch > x->rank || batch > axis)
        return LC_OP_FAIL(ctx, "batch_dims is %d, needs 0 to the smaller of the axis %d and the rank of the indices %d",
                          o->batch_dims, axis, x->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i < axis; i++) {
        int32_t dim = p->dims[i];
        if (i < batch && !lc_infer_meet(dim, x->dims[i], &dim))
            return LC_OP_FAIL(ctx, "batch dimension %d is %d in params and %d in indices", i, p->dims[i], x->dims[i]);
        LC_TRY(push(ctx, &out, dim));
    }
    for (int32_t i = batch; i < x->rank; i++) LC_TRY(push(ctx, &out, x->dims[i]));
    for (int32_t i = axis + 1; i < p->rank; i++) LC_TRY(push(ctx, &out, p->dims[i]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_GATHER_ND(lc_infer_ctx *ctx) {
    const lc_shape *p = &ctx->in[0].shape, *x = &ctx->in[1].shape;
    LC_TRY(need_index(ctx, 1, "indices"));
    if (x->rank < 1 || p->rank < 1) return LC_OP_FAIL(ctx, "params and indices need 1 dimension or more");
    int32_t depth = x->dims[x->rank - 1];
    if (depth < 0) return LC_OP_UNSUPPORTED(ctx, "the length of an index is not known");
    if (depth > p->rank) return LC_OP_FAIL(ctx, "an index has %d numbers, params has %d dimensions", depth, p->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i + 1 < x->rank; i++) LC_TRY(push(ctx, &out, x->dims[i]));
    for (int32_t i = depth; i < p->rank; i++) LC_TRY(push(ctx, &out, p->dims[i]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_EMBEDDING_LOOKUP(lc_infer_ctx *ctx) {
    const lc_shape *rows = &ctx->in[0].shape, *table = &ctx->in[1].shape;
    if (ctx->in[0].type != LC_INT32) return LC_OP_FAIL(ctx, "lookup is %s, needs int32", lc_dtype_name(ctx->in[0].type));
    LC_TRY(lc_infer_rank(ctx, 0, 1, "lookup"));
    if (table->rank < 2) return LC_OP_FAIL(ctx, "the table has %d dimensions, needs 2 or more", table->rank);
    lc_shape out = *table;
    out.dims[0] = rows->dims[0];
    return lc_infer_give(ctx, ctx->in[1].type == LC_FLOAT32 ? LC_FLOAT32 : ctx->out[0].type, &out);
}

lc_status lc_infer_ONE_HOT(lc_infer_ctx *ctx) {
    int32_t axis = LC_OP_ATTRS(ctx->node, OneHotOptions)->axis;
    const lc_shape *x = &ctx->in[0].shape;
    bool known;
    int64_t depth = -1;
    uint64_t n;
    LC_TRY(need_index(ctx, 0, "indices"));
    LC_TRY(lc_infer_scalar(ctx, 1, "depth", &known, &depth));
    LC_TRY(lc_infer_same_type(ctx, 2, 3));
    for (uint32_t i = 2; i < 4; i++)
        if (lc_shape_elements(&ctx->in[i].shape, &n) && n != 1)
            return LC_OP_FAIL(ctx, "input %u has %llu elements, needs 1", i, (unsigned long long)n);
    if (known && (depth < 0 || depth > INT32_MAX)) return LC_OP_FAIL(ctx, "depth is %lld", (long long)depth);
    if (axis == -1) axis = x->rank;
    if (axis < 0 || axis > x->rank) return LC_OP_FAIL(ctx, "axis %d is outside [-1, %d]", axis, x->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i <= x->rank; i++) {
        if (i == axis) LC_TRY(push(ctx, &out, known ? (int32_t)depth : -1));
        if (i < x->rank) LC_TRY(push(ctx, &out, x->dims[i]));
    }
    return lc_infer_give(ctx, ctx->in[2].type, &out);
}
