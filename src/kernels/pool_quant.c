/*
 * pool_quant.c: AVERAGE_POOL_2D and MAX_POOL_2D in int8, uint8 and int16. Input and output share scale and zero point (the specification
 * demands it), so the mean of the numbers is the number of the mean: the sum is divided by the cells of the window that lie in the image,
 * to nearest with ties away from zero. Sums are 32 bits and wrap, as LiteRT's do.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"

#include <string.h>

typedef struct plan {
    int32_t low, high; /* of the output, with its fused activation */
} plan;

/* The cells of one window that lie in the image. */
typedef struct window {
    int64_t y0, y1, x0, x1;
    const void *image; /* of this batch entry */
    int64_t line, channels;
} window;

#define POOL(T, suffix) \
    static void average_##suffix(const window *w, const plan *p, void *out_, int32_t *acc) { \
        const int32_t count = (int32_t)((w->y1 - w->y0) * (w->x1 - w->x0)), half = count / 2; \
        T *out = out_; \
        memset(acc, 0, (size_t)w->channels * sizeof *acc); \
        for (int64_t y = w->y0; y < w->y1; y++) \
            for (int64_t x = w->x0; x < w->x1; x++) { \
                const T *in = (const T *)w->image + y * w->line + x * w->channels; \
                for (int64_t c = 0; c < w->channels; c++) acc[c] = (int32_t)((uint32_t)acc[c] + (uint32_t)(int32_t)in[c]); \
            } \
        for (int64_t c = 0; c < w->channels; c++) { \
            const int64_t sum = acc[c]; \
            out[c] = (T)lc_clamp_i32((int32_t)((sum > 0 ? sum + half : sum - half) / count), p->low, p->high); \
        } \
    } \
    static void max_##suffix(const window *w, const plan *p, void *out_, int32_t *acc) { \
        T *out = out_; \
        (void)acc; \
        for (int64_t y = w->y0; y < w->y1; y++) \
            for (int64_t x = w->x0; x < w->x1; x++) { \
                const T *in = (const T *)w->image + y * w->line + x * w->channels; \
                const bool first = y == w->y0 && x == w->x0; \
                for (int64_t c = 0; c < w->channels; c++) out[c] = first || in[c] > out[c] ? in[c] : out[c]; \
            } \
        for (int64_t c = 0; c < w->channels; c++) out[c] = (T)lc_clamp_i32(out[c], p->low, p->high); \
    }
POOL(int8_t, i8)
POOL(uint8_t, u8)
POOL(int16_t, i16)

typedef void (*window_fn)(const window *w, const plan *p, void *out, int32_t *acc);

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(ctx->node, Pool2DOptions);
    const lc_value *out = ctx->out[0];
    float scale;
    int32_t zero, oh, ow, pad;
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT8) | LC_T(UINT8) | LC_T(INT16)));
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    lc_int_limits(out->type, &p->low, &p->high);
    if (o->fused_activation_function != LC_ActivationFunctionType_NONE) {
        LC_TRY(lc_quant_of(ctx, out, "output 0", &scale, &zero));
        LC_TRY(lc_quant_range(ctx, o->fused_activation_function, out->type, scale, zero, &p->low, &p->high));
    }
    lc_op_window(ctx->in[0]->shape.dims[1], o->filter_height, o->stride_h, 1, o->padding, &oh, &pad);
    lc_op_window(ctx->in[0]->shape.dims[2], o->filter_width, o->stride_w, 1, o->padding, &ow, &pad);
    if (oh != out->shape.dims[1] || ow != out->shape.dims[2]) return lc_ref_changed(ctx);
    ctx->scratch_size = (size_t)out->shape.dims[3] * sizeof(int32_t);
    return LC_OK;
}

static lc_status pool(lc_kernel_ctx *ctx, window_fn i8, window_fn u8, window_fn i16) {
    const lc_Pool2DOptions *o = LC_OP_ATTRS(ctx->node, Pool2DOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *os = ctx->out[0]->shape.dims;
    const lc_dtype type = ctx->in[0]->type;
    const window_fn fn = type == LC_INT8 ? i8 : type == LC_UINT8 ? u8 : i16;
    const size_t width = lc_ref_width(ctx->in[0]), image = (size_t)is[1] * (size_t)is[2] * (size_t)is[3] * width;
    char *to = ctx->out[0]->data;
    int32_t oh, ow, ph, pw;
    lc_op_window(is[1], o->filter_height, o->stride_h, 1, o->padding, &oh, &ph);
    lc_op_window(is[2], o->filter_width, o->stride_w, 1, o->padding, &ow, &pw);
    window w = {.line = (int64_t)is[2] * is[3], .channels = is[3]};
    for (int64_t n = 0; n < os[0]; n++) {
        w.image = (const char *)ctx->in[0]->data + (size_t)n * image;
        for (int64_t y = 0; y < os[1]; y++)
            for (int64_t x = 0; x < os[2]; x++, to += (size_t)os[3] * width) {
                const int64_t top = y * o->stride_h - ph, left = x * o->stride_w - pw;
                w.y0 = top < 0 ? 0 : top;
                w.x0 = left < 0 ? 0 : left;
                w.y1 = top + o->filter_height < is[1] ? top + o->filter_height : is[1];
                w.x1 = left + o->filter_width < is[2] ? left + o->filter_width : is[2];
                if (w.y1 > w.y0 && w.x1 > w.x0) fn(&w, ctx->state, to, ctx->scratch);
                else memset(to, 0, (size_t)os[3] * width); /* neither SAME nor VALID has such a window */
            }
    }
    return LC_OK;
}

static lc_status run_average(lc_kernel_ctx *ctx) { return pool(ctx, average_i8, average_u8, average_i16); }
static lc_status run_max(lc_kernel_ctx *ctx) { return pool(ctx, max_i8, max_u8, max_i16); }

const lc_kernel lc_pool_quant_average = {.prepare = prepare, .run = run_average};
const lc_kernel lc_pool_quant_max = {.prepare = prepare, .run = run_max};
