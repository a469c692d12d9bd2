/*
 * pad_op.c: PAD, PADV2, MIRROR_PAD: paddings [rank, 2] says how many cells go before and after each dimension; PADV2 brings the value;
 * MIRROR_PAD repeats the tensor backwards, without its edge (REFLECT) or with it (SYMMETRIC). DILATE pulls the elements apart.
 */
#include "ops/infer.h"

static lc_status infer_pad(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape, *p = &ctx->in[1].shape;
    char text[LC_SHAPE_TEXT];
    const lc_dtype type = ctx->in[1].type;
    if (type != LC_INT32 && type != LC_INT64 && type != LC_INT16 && type != LC_INT8)
        return LC_OP_FAIL(ctx, "paddings is %s, needs int8, int16, int32 or int64", lc_dtype_name(type));
    if (p->rank != 2 || (p->dims[0] != in->rank && p->dims[0] >= 0) || (p->dims[1] != 2 && p->dims[1] >= 0))
        return LC_OP_FAIL(ctx, "paddings is %s, needs [%d,2]", lc_shape_text(p, text), in->rank);
    int64_t values[2 * LC_MAX_RANK];
    uint32_t n = 2 * LC_MAX_RANK;
    lc_shape out = lc_infer_open(in->rank);
    if (lc_infer_ints(&ctx->in[1], values, &n))
        for (int32_t i = 0; i < in->rank; i++) {
            int64_t before = values[2 * i], after = values[2 * i + 1];
            if (before < 0 || after < 0)
                return LC_OP_FAIL(ctx, "dimension %d is padded by %lld and %lld, paddings are 0 or more", i, (long long)before,
                                  (long long)after);
            LC_TRY(lc_infer_dim_add(ctx, in->dims[i], before, &out.dims[i]));
            LC_TRY(lc_infer_dim_add(ctx, out.dims[i], after, &out.dims[i]));
        }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_MIRROR_PAD(lc_infer_ctx *ctx) {
    int8_t mode = LC_OP_ATTRS(ctx->node, MirrorPadOptions)->mode;
    if (mode != LC_MirrorPadMode_REFLECT && mode != LC_MirrorPadMode_SYMMETRIC)
        return LC_OP_FAIL(ctx, "mode is %d, needs 0 (REFLECT) or 1 (SYMMETRIC)", mode);
    LC_TRY(infer_pad(ctx));
    int64_t pads[2 * LC_MAX_RANK];
    uint32_t n = 2 * LC_MAX_RANK;
    if (!lc_infer_ints(&ctx->in[1], pads, &n)) return LC_OK;
    for (int32_t i = 0; i < ctx->in[0].shape.rank; i++) {
        int64_t dim = ctx->in[0].shape.dims[i], most = mode == LC_MirrorPadMode_REFLECT ? dim - 1 : dim;
        if (dim >= 0 && (pads[2 * i] > (most < 0 ? 0 : most) || pads[2 * i + 1] > (most < 0 ? 0 : most)))
            return LC_OP_FAIL(ctx, "dimension %d of %lld is padded by %lld and %lld, there is too little to mirror", i, (long long)dim,
                              (long long)pads[2 * i], (long long)pads[2 * i + 1]);
    }
    return LC_OK;
}

lc_status lc_infer_PAD(lc_infer_ctx *ctx) { return infer_pad(ctx); }

lc_status lc_infer_PADV2(lc_infer_ctx *ctx) {
    uint64_t n;
    LC_TRY(lc_infer_same_type(ctx, 0, 2));
    if (lc_shape_elements(&ctx->in[2].shape, &n) && n != 1)
        return LC_OP_FAIL(ctx, "constant_values has %llu elements, needs 1", (unsigned long long)n);
    return infer_pad(ctx);
}

lc_status lc_infer_DILATE(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    int32_t count;
    int64_t by[LC_MAX_RANK];
    uint32_t n = LC_MAX_RANK;
    uint64_t one;
    LC_TRY(lc_infer_same_type(ctx, 0, 2));
    LC_TRY(lc_infer_index_vector(ctx, 1, "dilations", &count));
    if (out.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    if (count >= 0 && count != out.rank) return LC_OP_FAIL(ctx, "dilations has %d entries, the input %d dimensions", count, out.rank);
    if (lc_shape_elements(&ctx->in[2].shape, &one) && one != 1)
        return LC_OP_FAIL(ctx, "padding value has %llu elements, needs 1", (unsigned long long)one);
    const bool known = lc_infer_ints(&ctx->in[1], by, &n);
    for (int32_t d = 0; d < out.rank; d++) {
        if (known && (by[d] < 1 || by[d] > INT32_MAX))
            return LC_OP_FAIL(ctx, "dilation of dimension %d is %lld, needs 1 or more", d, (long long)by[d]);
        if (!known) out.dims[d] = -1;
        if (out.dims[d] > 0) {
            LC_TRY(lc_infer_dim_mul(ctx, out.dims[d] - 1, by[d], &out.dims[d]));
            LC_TRY(lc_infer_dim_add(ctx, out.dims[d], 1, &out.dims[d]));
        }
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
