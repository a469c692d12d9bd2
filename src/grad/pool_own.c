/*
 * pool_own.c: MAX_POOL_GRAD(dy, x, y) and AVERAGE_POOL_GRAD(dy). An image is one thread's work: what lands on a pixel is added in one order.
 */
#include "grad/own.h"

#include "base/clones.h"
#include "kernels/ref.h"
#include <string.h>

static lc_status infer(lc_infer_ctx *ctx, uint32_t inputs) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    LC_TRY(lc_own_floats(ctx, 0, inputs));
    if (o->rank != 4 || ctx->in[0].shape.rank != 4) return LC_OP_FAIL(ctx, "needs images [batch, height, width, channels]");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = 4;
    for (int32_t i = 0; i < 4; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    int32_t h, w, pad;
    lc_op_window(o->dims[1], o->filter_h, o->stride_h, 1, o->padding, &h, &pad);
    lc_op_window(o->dims[2], o->filter_w, o->stride_w, 1, o->padding, &w, &pad);
    const int32_t *d = ctx->in[0].shape.dims;
    if (d[0] != o->dims[0] || d[1] != h || d[2] != w || d[3] != o->dims[3])
        return LC_OP_FAIL(ctx, "its gradient has another shape than the pool gave");
    return LC_OK;
}

lc_status lc_own_infer_MAX_POOL_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_AVERAGE_POOL_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_MAX_POOL_GRAD(lc_infer_ctx *ctx) {
    LC_TRY(infer(ctx, 3));
    if (!lc_shape_equal(&ctx->in[1].shape, &ctx->out[0].shape) || !lc_shape_equal(&ctx->in[2].shape, &ctx->in[0].shape))
        return LC_OP_FAIL(ctx, "its inputs do not fit each other");
    return LC_OK;
}
lc_status lc_own_infer_AVERAGE_POOL_GRAD(lc_infer_ctx *ctx) { return infer(ctx, 1); }

typedef struct job {
    const float *dy, *x, *y;
    float *dx;
    const lc_window_options *o;
    int32_t out_h, out_w, pad_h, pad_w;
} job;

static inline int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }
static inline int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }

enum { LANES = 64 };

/* What is left of dy goes to the elements that are the largest. */
static inline void give(float *restrict dx, const float *restrict x, const float *restrict y, float *restrict left, int32_t n) {
    for (int32_t c = 0; c < n; c++) {
        const bool largest = x[c] == y[c];
        const float d = left[c];
        dx[c] += largest ? d : 0;
        left[c] = largest ? 0 : d;
    }
}

LC_CLONES static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    const int32_t h = j->o->dims[1], w = j->o->dims[2], channels = j->o->dims[3];
    const int64_t in_image = (int64_t)h * w * channels, out_image = (int64_t)j->out_h * j->out_w * channels;
    for (int64_t b = begin; b < end; b++) {
        float *dx = j->dx + b * in_image;
        const float *x = j->x ? j->x + b * in_image : NULL;
        memset(dx, 0, (size_t)in_image * sizeof *dx);
        for (int32_t oy = 0; oy < j->out_h; oy++)
            for (int32_t ox = 0; ox < j->out_w; ox++) {
                const int64_t at = b * out_image + ((int64_t)oy * j->out_w + ox) * channels;
                const int32_t y0 = oy * j->o->stride_h - j->pad_h, x0 = ox * j->o->stride_w - j->pad_w;
                const int32_t from_y = most(y0, 0), to_y = least(y0 + j->o->filter_h, h), from_x = most(x0, 0),
                              to_x = least(x0 + j->o->filter_w, w);
                if (!x) {
                    const float share = 1.0f / (float)((to_y - from_y) * (to_x - from_x));
                    for (int32_t iy = from_y; iy < to_y; iy++)
                        for (int32_t ix = from_x; ix < to_x; ix++) {
                            float *to = dx + ((int64_t)iy * w + ix) * channels;
                            for (int32_t c = 0; c < channels; c++) to[c] += j->dy[at + c] * share;
                        }
                    continue;
                }
                for (int32_t c = 0; c < channels; c += LANES) {
                    const int32_t n = least(LANES, channels - c);
                    float left[LANES]; /* of dy: 0 once an element has got it */
                    memcpy(left, j->dy + at + c, (size_t)n * sizeof *left);
                    for (int32_t iy = from_y; iy < to_y; iy++)
                        for (int32_t ix = from_x; ix < to_x; ix++) {
                            const int64_t i = ((int64_t)iy * w + ix) * channels + c;
                            give(dx + i, x + i, j->y + at + c, left, n);
                        }
                }
            }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_window_options *o = LC_OWN_OPTIONS(ctx->node, lc_window_options);
    job j = {.dy = ctx->in[0]->data, .dx = ctx->out[0]->data, .o = o};
    if (ctx->in_count > 1) j.x = ctx->in[1]->data, j.y = ctx->in[2]->data;
    lc_op_window(o->dims[1], o->filter_h, o->stride_h, 1, o->padding, &j.out_h, &j.pad_h);
    lc_op_window(o->dims[2], o->filter_w, o->stride_w, 1, o->padding, &j.out_w, &j.pad_w);
    lc_pool_run(ctx->pool, o->dims[0], 1, work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_MAX_POOL_GRAD, lc_own_kernel_AVERAGE_POOL_GRAD;
const lc_kernel lc_own_kernel_MAX_POOL_GRAD = {.run = run}, lc_own_kernel_AVERAGE_POOL_GRAD = {.run = run};
