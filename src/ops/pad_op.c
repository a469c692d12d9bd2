/*
 * pad_op.c: PAD, PADV2, MIRROR_PAD: paddings [rank, 2] says how many cells go before and after each dimension; PADV2 brings the value;
 * MIRROR_PAD repeats the tensor backwards, without its edge (REFLECT) or with it (SYMMETRIC).
 */
#include "ops/infer.h"

static lc_status infer_pad(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape, *p = &ctx->in[1].shape;
    char text[LC_SHAPE_TEXT];
    if (ctx->in[1].type != LC_INT32 && ctx->in[1].type != LC_INT64)
        return LC_OP_FAIL(ctx, "paddings is %s, needs int32 or int64", lc_dtype_name(ctx->in[1].type));
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
            return LC_OP_FAIL(ctx, "dimension %d of %lld is padded by %lld and %lld, there is too little to mirror", i,
                              (long long)dim, (long long)pads[2 * i], (long long)pads[2 * i + 1]);
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
