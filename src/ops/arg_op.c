/*
 * arg_op.c: ARG_MAX and ARG_MIN give the index of the extreme along an axis, which goes; TOPK_V2 the k largest of the last dimension
 * and their indices.
 */
#include "ops/infer.h"

static lc_status infer_arg(lc_infer_ctx *ctx, int8_t type) {
    const lc_shape *in = &ctx->in[0].shape;
    bool known;
    int64_t value = 0;
    int32_t axis;
    LC_TRY(lc_infer_scalar(ctx, 1, "axis", &known, &value));
    if (type != LC_INT32 && type != LC_INT64)
        return LC_OP_FAIL(ctx, "output_type is %s, needs int32 or int64", lc_dtype_name((lc_dtype)type));
    if (in->rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, which has no axis");
    if (!known) {
        lc_shape open = lc_infer_open(in->rank - 1);
        return lc_infer_give(ctx, (lc_dtype)type, &open);
    }
    LC_TRY(lc_infer_axis(ctx, value, in->rank, &axis));
    if (in->dims[axis] == 0) return LC_OP_FAIL(ctx, "dimension %d is empty: it has no largest or smallest", axis);
    lc_shape out = {0};
    for (int32_t i = 0; i < in->rank; i++)
        if (i != axis) out.dims[out.rank++] = in->dims[i];
    return lc_infer_give(ctx, (lc_dtype)type, &out);
}

lc_status lc_infer_ARG_MAX(lc_infer_ctx *ctx) { return infer_arg(ctx, LC_OP_ATTRS(ctx->node, ArgMaxOptions)->output_type); }
lc_status lc_infer_ARG_MIN(lc_infer_ctx *ctx) { return infer_arg(ctx, LC_OP_ATTRS(ctx->node, ArgMinOptions)->output_type); }

lc_status lc_infer_TOPK_V2(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    bool known;
    int64_t k = -1;
    uint32_t one = 1;
    uint64_t n;
    if (ctx->in[1].type != LC_INT32 && ctx->in[1].type != LC_INT64 && ctx->in[1].type != LC_INT16)
        return LC_OP_FAIL(ctx, "k is %s, needs int16, int32 or int64", lc_dtype_name(ctx->in[1].type));
    if (lc_shape_elements(&ctx->in[1].shape, &n) && n != 1) return LC_OP_FAIL(ctx, "k has %llu elements, needs 1", (unsigned long long)n);
    known = lc_infer_ints(&ctx->in[1], &k, &one) && one == 1;
    if (out.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    int32_t *last = &out.dims[out.rank - 1];
    if (known && (k < 0 || (*last >= 0 && k > *last) || k > INT32_MAX))
        return LC_OP_FAIL(ctx, "k is %lld of a dimension of %d", (long long)k, *last);
    *last = known ? (int32_t)k : -1;
    ctx->out[1].type = ctx->out[1].type == LC_INT16 ? LC_INT16 : LC_INT32;
    ctx->out[1].shape = out;
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
