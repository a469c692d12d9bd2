/*
 * depthwise_own.c: DEPTHWISE_INPUT_GRAD(dy, W) and DEPTHWISE_FILTER_GRAD(x, dy). Channel c of the input makes channels c m .. c m + m - 1 of
 * the output (m: the multiplier).
 *
 * An image is one thread's work for the input. For the filter the images are cut into PIECES, whose sums are added up in order.
 */
#include "grad/own.h"

#include "base/checked.h"
#include "base/clones.h"
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

enum { LANES = 16, PIECES = 16 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

typedef struct job {
    const float *x, *w, *dy; /* what is computed is NULL */
    float *out, *partial;    /* partial: [PIECES] of out */
    const lc_window_options *o;
    int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c, pad_h, pad_w;
} job;

LC_CLONES static void input_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
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
                        float *restrict to = dx + ((int64_t)iy * j->in_w + ix) * j->in_c;
                        if (m == 1)
                            for (int32_t c = 0; c < j->in_c; c++) to[c] += dy[c] * w[c];
                        else
                            for (int32_t c = 0; c < j->out_c; c++) to[c / m] += dy[c] * w[c];
                    }
                }
            }
    }
}

/* Adds to dw what tap kx of a line sees, for all channels: sums of LANES channels stay in registers along the line. */
static inline void line_of_tap(const job *j, const float *dy, const float *x, int32_t kx, float *restrict dw) {
    const lc_window_options *o = j->o;
    const int32_t m = o->multiplier, shift = kx * o->dilation_w - j->pad_w;
    int32_t from = shift < 0 ? (-shift + o->stride_w - 1) / o->stride_w : 0, to = j->out_w;
    while (to > from && (to - 1) * o->stride_w + shift >= j->in_w) to--;
    int32_t c = 0;
    for (; m == 1 && c + LANES <= j->out_c; c += LANES) {
        lanes sum = {0};
        for (int32_t ox = from; ox < to; ox++) {
            lanes a, b;
            memcpy(&a, dy + (int64_t)ox * j->out_c + c, sizeof a);
            memcpy(&b, x + ((int64_t)ox * o->stride_w + shift) * j->in_c + c, sizeof b);
            sum += a * b;
        }
        for (int32_t k = 0; k < LANES; k++) dw[c + k] += sum[k];
    }
    for (int32_t ox = from; ox < to; ox++)
        for (int32_t k = c; k < j->out_c; k++)
            dw[k] += dy[(int64_t)ox * j->out_c + k] * x[((int64_t)ox * o->stride_w + shift) * j->in_c + k / m];
}

/* Item: some images; their sums lie in `partial`. */
LC_CLONES static void filter_of_images(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const lc_window_options *o = j->o;
    const int64_t floats = (int64_t)o->filter_h * o->filter_w * j->out_c;
    (void)thread;
    for (int64_t piece = begin; piece < end; piece++) {
        float *dw = j->partial + piece * floats;
        memset(dw, 0, (size_t)floats * sizeof *dw);
        for (int64_t line = j->batch * piece / PIECES * j->out_h; line < j->batch * (piece + 1) / PIECES * j->out_h; line++)
            for (int32_t ky = 0; ky < o->filter_h; ky++) {
                const int64_t b = line / j->out_h, iy = line % j->out_h * o->stride_h - j->pad_h + (int64_t)ky * o->dilation_h;
                if (iy < 0 || iy >= j->in_h) continue;
                for (int32_t kx = 0; kx < o->filter_w; kx++)
                    line_of_tap(j, j->dy + line * j->out_w * j->out_c, j->x + (b * j->in_h + iy) * j->in_w * j->in_c, kx,
                                dw + (ky * o->filter_w + kx) * (int64_t)j->out_c);
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

static lc_status prepare_filter(lc_kernel_ctx *ctx) {
    return lc_mul_size((size_t)lc_ref_elements(ctx->out[0]), PIECES * sizeof(float), &ctx->scratch_size)
               ? LC_OK
               : lc_fail(ctx->err, LC_LIMIT, "the gradient of a filter needs too much memory");
}

static lc_status run_filter(lc_kernel_ctx *ctx) {
    job j = job_of(ctx, &ctx->in[0]->shape, &ctx->in[1]->shape);
    j.x = ctx->in[0]->data, j.dy = ctx->in[1]->data;
    j.partial = ctx->scratch;
    lc_pool_run(ctx->pool, PIECES, 1, filter_of_images, &j);
    const int64_t floats = (int64_t)j.o->filter_h * j.o->filter_w * j.out_c;
    memcpy(j.out, j.partial, (size_t)floats * sizeof *j.out);
    for (int64_t piece = 1; piece < PIECES; piece++)
        for (int64_t i = 0; i < floats; i++) j.out[i] += j.partial[piece * floats + i];
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_DEPTHWISE_INPUT_GRAD, lc_own_kernel_DEPTHWISE_FILTER_GRAD;
const lc_kernel lc_own_kernel_DEPTHWISE_INPUT_GRAD = {.run = run_input},
                lc_own_kernel_DEPTHWISE_FILTER_GRAD = {.prepare = prepare_filter, .run = run_filter};
