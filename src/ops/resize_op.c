/*
 * resize_op.c: RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR: image [n, h, w, c] and size [2] give [n, size0, size1, c].
 */
#include "ops/infer.h"

static lc_status infer_resize(lc_infer_ctx *ctx) {
    LC_TRY(lc_infer_rank(ctx, 0, 4, "input"));
    int32_t n;
    int64_t size[2];
    uint32_t count = 2;
    LC_TRY(lc_infer_index_vector(ctx, 1, "size", &n));
    if (n >= 0 && n != 2) return LC_OP_FAIL(ctx, "size has %d entries, needs 2", n);
    lc_shape out = ctx->in[0].shape;
    out.dims[1] = out.dims[2] = -1;
    if (lc_infer_ints(&ctx->in[1], size, &count))
        for (int i = 0; i < 2; i++) {
            if (size[i] < 1 || size[i] > INT32_MAX)
                return LC_OP_FAIL(ctx, "size is %lld x %lld, needs 1 or more", (long long)size[0], (long long)size[1]);
            if (ctx->in[0].shape.dims[1 + i] == 0) return LC_OP_FAIL(ctx, "the image is empty");
            out.dims[1 + i] = (int32_t)size[i];
        }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_RESIZE_BILINEAR(lc_infer_ctx *ctx) {
    const lc_ResizeBilinearOptions *o = LC_OP_ATTRS(ctx->node, ResizeBilinearOptions);
    if (o->align_corners && o->half_pixel_centers) return LC_OP_FAIL(ctx, "align_corners and half_pixel_centers exclude each other");
    return infer_resize(ctx);
}

lc_status lc_infer_RESIZE_NEAREST_NEIGHBOR(lc_infer_ctx *ctx) { return infer_resize(ctx); }
