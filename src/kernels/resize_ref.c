/*
 * resize_ref.c: RESIZE_BILINEAR (float32, uint8; int8 and int16 in resize_quant.c) and RESIZE_NEAREST_NEIGHBOR (any type of whole bytes) of
 * [n, h, w, c].
 * Where an output pixel looks is in resize.h. uint8 is interpolated in float, too, and rounded half up.
 */
#include "kernels/ref.h"
#include "kernels/resize.h"
#include "kernels/variants.h"

static lc_status prepare_bilinear(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(UINT8)));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status prepare_nearest(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static bool planned(lc_kernel_ctx *ctx) {
    int64_t size[2];
    uint32_t n = 2;
    const int32_t *out = ctx->out[0]->shape.dims;
    return lc_ref_ints(ctx->in[1], size, &n) && n == 2 && size[0] == out[1] && size[1] == out[2];
}

static lc_status run_bilinear(lc_kernel_ctx *ctx) {
    const lc_ResizeBilinearOptions *o = LC_OP_ATTRS(ctx->node, ResizeBilinearOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *os = ctx->out[0]->shape.dims;
    const bool bytes = ctx->in[0]->type == LC_UINT8;
    const void *in = ctx->in[0]->data;
    int64_t to = 0;
    if (!planned(ctx)) return lc_ref_changed(ctx);
    float sy = lc_resize_scale(is[1], os[1], o->align_corners), sx = lc_resize_scale(is[2], os[2], o->align_corners);
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++) {
            lc_resize_spot v = lc_resize_between(y, sy, o->half_pixel_centers, is[1]);
            for (int64_t x = 0; x < os[2]; x++) {
                lc_resize_spot u = lc_resize_between(x, sx, o->half_pixel_centers, is[2]);
                const int64_t spots[4] = {v.low * is[2] + u.low, v.high * is[2] + u.low, v.low * is[2] + u.high, v.high * is[2] + u.high};
                for (int64_t c = 0; c < os[3]; c++, to++) {
                    float p[4];
                    for (int k = 0; k < 4; k++) {
                        const int64_t at = (n * is[1] * is[2] + spots[k]) * is[3] + c;
                        p[k] = bytes ? (float)((const uint8_t *)in)[at] : ((const float *)in)[at];
                    }
                    const float sum = p[0] * (1 - v.part) * (1 - u.part) + p[1] * v.part * (1 - u.part) + p[2] * (1 - v.part) * u.part +
                                      p[3] * v.part * u.part;
                    if (bytes) ((uint8_t *)ctx->out[0]->data)[to] = (uint8_t)(sum + 0.5f < 0 ? 0 : sum + 0.5f > 255 ? 255 : sum + 0.5f);
                    else ((float *)ctx->out[0]->data)[to] = sum;
                }
            }
        }
    return LC_OK;
}

static lc_status run_nearest(lc_kernel_ctx *ctx) {
    const lc_ResizeNearestNeighborOptions *o = LC_OP_ATTRS(ctx->node, ResizeNearestNeighborOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *os = ctx->out[0]->shape.dims;
    size_t pixel = lc_ref_width(ctx->in[0]) * (size_t)is[3];
    char *to = ctx->out[0]->data;
    if (!planned(ctx)) return lc_ref_changed(ctx);
    float sy = lc_resize_scale(is[1], os[1], o->align_corners), sx = lc_resize_scale(is[2], os[2], o->align_corners);
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++)
            for (int64_t x = 0; x < os[2]; x++, to += pixel) {
                int64_t iy = lc_resize_nearest(y, sy, o->align_corners, o->half_pixel_centers, is[1]);
                int64_t ix = lc_resize_nearest(x, sx, o->align_corners, o->half_pixel_centers, is[2]);
                lc_copy_elements(to, 1, (const char *)ctx->in[0]->data + (size_t)((n * is[1] + iy) * is[2] + ix) * pixel, 1, (int64_t)pixel,
                                 1);
            }
    return LC_OK;
}

static const lc_kernel bilinear = {.prepare = prepare_bilinear, .run = run_bilinear};
static const lc_kernel *choose_bilinear(const lc_kernel_ctx *ctx) {
    const lc_dtype type = ctx->in[0]->type;
    return type == LC_FLOAT32 || type == LC_UINT8 ? &bilinear : lc_is_quant_type(type) ? &lc_resize_quant_bilinear : NULL;
}

const lc_kernel lc_kernel_RESIZE_BILINEAR = {.choose = choose_bilinear};
const lc_kernel lc_kernel_RESIZE_NEAREST_NEIGHBOR = {.prepare = prepare_nearest, .run = run_nearest};
