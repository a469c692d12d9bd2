/*
 * resize_quant.c: RESIZE_BILINEAR of int8 and int16 in integers only: positions and weights have 10 fractional bits, the weighted sum of
 * four pixels 20, which are rounded to nearest, ties away from zero (LiteRT). The scale's rounding may carry the last positions of a very
 * wide output past the image: they are kept inside.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"

enum { ONE = 1 << 10 };

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(INT16)));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static int64_t scale_of(int64_t in, int64_t out, bool align) {
    return align && out > 1 ? (ONE * (in - 1) + (out - 1) / 2) / (out - 1) : (ONE * in + out / 2) / out;
}

typedef struct spot {
    int64_t low, high, part; /* between two cells, part / 1024 of the way */
} spot;

static spot between(int64_t i, int64_t scale, bool half, int64_t size) {
    const int64_t at = half ? i * scale + scale / 2 - ONE / 2 : i * scale;
    spot s = {at / ONE < 0 ? 0 : at / ONE, (at + ONE - 1) / ONE, 0};
    if (s.low > size - 1) s.low = size - 1;
    if (s.high > size - 1) s.high = size - 1;
    s.part = at - s.low * ONE;
    if (s.part > ONE) s.part = ONE;
    return s;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_ResizeBilinearOptions *o = LC_OP_ATTRS(ctx->node, ResizeBilinearOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *os = ctx->out[0]->shape.dims;
    const lc_dtype type = ctx->in[0]->type;
    int64_t size[2], to = 0, low, high, sum;
    uint32_t two = 2;
    if (!lc_ref_ints(ctx->in[1], size, &two) || two != 2 || size[0] != os[1] || size[1] != os[2]) return lc_ref_changed(ctx);
    const int64_t sy = scale_of(is[1], os[1], o->align_corners), sx = scale_of(is[2], os[2], o->align_corners);
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++) {
            const spot v = between(y, sy, o->half_pixel_centers, is[1]);
            const int64_t top = (n * is[1] + v.low) * is[2], bottom = (n * is[1] + v.high) * is[2];
            for (int64_t x = 0; x < os[2]; x++) {
                const spot u = between(x, sx, o->half_pixel_centers, is[2]);
                for (int64_t c = 0; c < os[3]; c++, to++) {
#define PIXEL(row, column) (int64_t) lc_int_at(ctx->in[0]->data, type, ((row) + (column)) * is[3] + c)
                    low = PIXEL(top, u.low) * (ONE - v.part) + PIXEL(bottom, u.low) * v.part;
                    high = PIXEL(top, u.high) * (ONE - v.part) + PIXEL(bottom, u.high) * v.part;
                    sum = low * (ONE - u.part) + high * u.part;
                    lc_int_put(ctx->out[0]->data, type, to, (int32_t)((sum + (sum > 0 ? ONE * ONE / 2 : -(ONE * ONE / 2))) / (ONE * ONE)));
                }
            }
        }
    return LC_OK;
}

const lc_kernel lc_resize_quant_bilinear = {.prepare = prepare, .run = run};
