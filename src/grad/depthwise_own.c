/*
 * depthwise_own.c: DEPTHWISE_INPUT_GRAD(dy, W) and DEPTHWISE_FILTER_GRAD(x, dy). Channel c of the input makes channels c m .. c m + m - 1 of
 * the output (m: the multiplier).
 *
 * An image is one thread's work for the input. For the filter a line of the filter is: it sums over all images in their order.
 */
#include "grad/own.h"

#include "kernels/ref.h"
#include <string.h>

lc_status lc_own_infer_DEPTHWISE_INPUT_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_DEPTHWISE_FILTER_GRAD(lc_infer_ctx *ctx);

static lc_status infer(lc_infer_ctx *ctx, const lc_shape *x, const lc_shape *w, const lc_shape *dy) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    LC_TRY(lc_own_floats(ctx, 0, 2));
    if (x->rank != 4 || w->rank != 4 || dy->rank != 4) return LC_OP_FAIL(ctx, "needs images and a filter of 4 dimensions");
    int32_t h, wide, pad;
    lc_op_window(x->dims[1], o->filter_h, o->stride_h, o->dilation_h, o->padding, &h, &pad);
    lc_op_window(x->dims[2], o->filter_w, o->stride_w, o->dilation_w, o->padding, &wide, &pad);
    if (dy->dims[0] != x->dims[0] || dy->dims[1] != h || dy->dims[2] != wide || dy->dims[3] != w->dims[3] || w->dims[1] != o->filter_h ||
        w->dims[2] != o->filter_w || w->dims[3] != x->dims[3] * o->multiplier)
        return LC_OP_FAIL(ctx, "its inputs do not fit each other");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = 4;
    for (int32_t i = 0; i < 4; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    return LC_OK;
}

static lc_shape declared(const lc_infer_ctx *ctx) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    lc_shape s = {.rank = o->rank};
    for (int32_t i = 0; i < o->rank; i++) s.dims[i] = o->dims[i];
    return s;
}

lc_status lc_own_infer_DEPTHWISE_INPUT_GRAD(lc_infer_ctx *ctx) {
    const lc_shape x = declared(ctx);
    return infer(ctx, &x, &ctx->in[1].shape, &ctx->in[0].shape);
}
lc_status lc_own_infer_DEPTHWISE_FILTER_GRAD(lc_infer_ctx *ctx) {
    const lc_shape w = declared(ctx);
    return infer(ctx, &ctx->in[0].shape, &w, &ctx->in[1].shape);
}

typedef struct job {
    const float *x, *w, *dy; /* what is computed is NULL */
    float *out;
    const lc_window_options *o;
    int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, pad_h, pad_w;
} job;

static void input_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const lc_window_options *o = j->o;
    const int32_t m = o->multiplier;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        float *dx = j->out + b * j->in_h * j->in_w * j->in_c;
        memset(dx, 0, (size_t)(j->in_h * j->in_w * j->in_c) * sizeof *dx);
        for (int32_t oy = 0; oy < j->out_h; oy++)
            for (int32_t ky = 0; ky < o->filter_h; ky++) {
                const int32_t iy = oy * o->stride_h - j->pad_h + ky * o->dilation_h;
                if (iy < 0 || iy >= j->in_h) continue;
                for (int32_t ox = 0; ox < j->out_w; ox++) {
                    const float *dy = j->dy + ((b * j->out_h + oy) * j->out_w + ox) * j->out_c;
                    for (int32_t kx = 0; kx < o->filter_w; kx++) {
                        const int32_t ix = ox * o->stride_w - j->pad_w + kx * o->dilation_w;
                        if (ix < 0 || ix >= j->in_w) continue;
                        const float *w = j->w + (ky * o->filter_w + kx) * j->out_c;
                        float *to = dx + ((int64_t)iy * j->in_w + ix) * j->in_c;
                        if (m == 1)
                            for (int32_t c = 0; c < j->in_c; c++) to[c] += dy[c] * w[c];
                        else
                            for (int32_t c = 0; c < j->out_c; c++) to[c / m] += dy[c] * w[c];
                    }
                }
            }
    }
}

static void filter_lines(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const lc_window_options *o = j->o;
    const int32_t m = o->multiplier;
    (void)thread;
    for (int64_t tap = begin; tap < end; tap++) {
        const int32_t ky = (int32_t)tap / o->filter_w, kx = (int32_t)tap % o->filter_w;
        float *dw = j->out + tap * j->out_c;
        memset(dw, 0, (size_t)j->out_c * sizeof *dw);
        for (int64_t b = 0; b < j->batch; b++)
            for (int32_t oy = 0; oy < j->out_h; oy++) {
                const int32_t iy = oy * o->stride_h - j->pad_h + ky * o->dilation_h;
                if (iy < 0 || iy >= j->in_h) continue;
                for (int32_t ox = 0; ox < j->out_w; ox++) {
                    const int32_t ix = ox * o->stride_w - j->pad_w + kx * o->dilation_w;
                    if (ix < 0 || ix >= j->in_w) continue;
                    const float *dy = j->dy + ((b * j->out_h + oy) * j->out_w + ox) * j->out_c;
                    const float *x = j->x + ((b * j->in_h + iy) * j->in_w + ix) * j->in_c;
                    if (m == 1)
                        for (int32_t c = 0; c < j->out_c; c++) dw[c] += dy[c] * x[c];
                    else
                        for (int32_t c = 0; c < j->out_c; c++) dw[c] += dy[c] * x[c / m];
                }
            }
    }
}

static job job_of(const lc_kernel_ctx *ctx, const lc_shape *x, const lc_shape *dy) {
    job j = {.o = LC_OWN_OPTIONS(ctx->node, lc_window_options), .out = ctx->out[0]->data};
    j.batch = x->dims[0], j.in_h = x->dims[1], j.in_w = x->dims[2], j.in_c = x->dims[3], j.out_c = dy->dims[3];
    lc_op_window(j.in_h, j.o->filter_h, j.o->stride_h, j.o->dilation_h, j.o->padding, &j.out_h, &j.pad_h);
    lc_op_window(j.in_w, j.o->filter_w, j.o->stride_w, j.o->dilation_w, j.o->padding, &j.out_w, &j.pad_w);
    return j;
}

static lc_status run_input(lc_kernel_ctx *ctx) {
    job j = job_of(ctx, &ctx->out[0]->shape, &ctx->in[0]->shape);
    j.dy = ctx->in[0]->data, j.w = ctx->in[1]->data;
    lc_pool_run(ctx->pool, j.batch, 1, input_of_images, &j);
    return LC_OK;
}

static lc_status run_filter(lc_kernel_ctx *ctx) {
    job j = job_of(ctx, &ctx->in[0]->shape, &ctx->in[1]->shape);
    j.x = ctx->in[0]->data, j.dy = ctx->in[1]->data;
    lc_pool_run(ctx->pool, (int64_t)j.o->filter_h * j.o->filter_w, 1, filter_lines, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_DEPTHWISE_INPUT_GRAD, lc_own_kernel_DEPTHWISE_FILTER_GRAD;
const lc_kernel lc_own_kernel_DEPTHWISE_INPUT_GRAD = {.run = run_input}, lc_own_kernel_DEPTHWISE_FILTER_GRAD = {.run = run_filter};
