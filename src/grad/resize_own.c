/*
 * resize_own.c: RESIZE_GRAD(dy). An image is one thread's work: what lands on a pixel is added in one order.
 */
#include "grad/own.h"

#include "kernels/ref.h"
#include "kernels/resize.h"
#include <string.h>

lc_status lc_own_infer_RESIZE_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_RESIZE_GRAD(lc_infer_ctx *ctx) {
    const lc_resize_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_resize_grad_options);
    const lc_shape *dy = &ctx->in[0].shape;
    LC_TRY(lc_own_floats(ctx, 0, 1));
    if (dy->rank != 4 || dy->dims[0] != o->dims[0] || dy->dims[3] != o->dims[3])
        return LC_OP_FAIL(ctx, "its gradient does not fit the images that were scaled");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape.rank = 4;
    for (int32_t i = 0; i < 4; i++) ctx->out[0].shape.dims[i] = o->dims[i];
    return LC_OK;
}

typedef struct job {
    const lc_resize_grad_options *o;
    const float *dy;
    float *dx;
    int32_t h, w; /* of dy */
    float scale_h, scale_w;
} job;

static lc_resize_spot cells(const lc_resize_grad_options *o, int64_t i, float scale, int32_t size) {
    return lc_resize_cells(o->nearest, i, scale, o->align_corners, o->half_pixel_centers, size);
}

static void give(float *to, const float *dy, float share, int32_t n) {
    if (share == 0) return;
    for (int32_t c = 0; c < n; c++) to[c] += dy[c] * share;
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const int32_t h = j->o->dims[1], w = j->o->dims[2], n = j->o->dims[3];
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        float *dx = j->dx + b * h * w * n;
        const float *dy = j->dy + b * j->h * j->w * n;
        memset(dx, 0, (size_t)h * (size_t)w * (size_t)n * sizeof *dx);
        for (int64_t y = 0; y < j->h; y++) {
            const lc_resize_spot v = cells(j->o, y, j->scale_h, h);
            for (int64_t x = 0; x < j->w; x++, dy += n) {
                const lc_resize_spot u = cells(j->o, x, j->scale_w, w);
                give(dx + (v.low * w + u.low) * n, dy, (1 - v.part) * (1 - u.part), n);
                give(dx + (v.high * w + u.low) * n, dy, v.part * (1 - u.part), n);
                give(dx + (v.low * w + u.high) * n, dy, (1 - v.part) * u.part, n);
                give(dx + (v.high * w + u.high) * n, dy, v.part * u.part, n);
            }
        }
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_resize_grad_options *o = LC_OWN_OPTIONS(ctx->node, lc_resize_grad_options);
    const int32_t *dims = ctx->in[0]->shape.dims;
    job j = {.o = o, .dy = ctx->in[0]->data, .dx = ctx->out[0]->data, .h = dims[1], .w = dims[2]};
    j.scale_h = lc_resize_scale(o->dims[1], dims[1], o->align_corners);
    j.scale_w = lc_resize_scale(o->dims[2], dims[2], o->align_corners);
    lc_pool_run(ctx->pool, o->dims[0], 1, work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_RESIZE_GRAD;
const lc_kernel lc_own_kernel_RESIZE_GRAD = {.run = run};
