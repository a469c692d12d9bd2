/*
 * warp_own.c: WARP(x, numbers): each picture turned, moved or zoomed by amounts that its two numbers in [0, 1) choose. It has no rule of gradients:
 * it stands before everything that learns.
 */
#include "grad/own.h"

#include "grad/warp.h"
#include "kernels/ref.h"

lc_status lc_own_infer_WARP(lc_infer_ctx *ctx);
lc_status lc_own_infer_WARP(lc_infer_ctx *ctx) {
    const lc_shape *x = &ctx->in[0].shape, *n = &ctx->in[1].shape;
    LC_TRY(lc_own_floats(ctx, 0, 2));
    if (x->rank != 4 || n->rank != 2 || n->dims[0] != x->dims[0] || n->dims[1] != 2)
        return LC_OP_FAIL(ctx, "needs pictures [batch, height, width, channels] and two numbers for each");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = *x;
    return LC_OK;
}

typedef struct job {
    const lc_warp_options *o;
    const float *x, *numbers;
    float *y;
    int32_t h, w, c;
} job;

static lc_warp_map map_of(const job *j, int64_t picture) {
    double v[2];
    for (int k = 0; k < 2; k++) v[k] = j->o->low[k] + (double)j->numbers[picture * 2 + k] * (j->o->high[k] - j->o->low[k]);
    if (j->o->kind == LC_WARP_TURN) return lc_warp_turn(j->h, j->w, v[0] * 6.283185307179586);
    if (j->o->kind == LC_WARP_ZOOM) return lc_warp_about_centre(j->h, j->w, 1 + (j->o->alike ? v[0] : v[1]), 0, 0, 1 + v[0]);
    return lc_warp_move(v[0] * j->h, v[1] * j->w);
}

static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const int64_t size = (int64_t)j->h * j->w * j->c;
    (void)thread;
    for (int64_t b = begin; b < end; b++) {
        const lc_warp_map map = map_of(j, b);
        const lc_warp_picture from = {j->x + b * size, j->h, j->w, j->c, (lc_warp_fill)j->o->fill, j->o->value};
        float *to = j->y + b * size;
        for (int32_t i = 0; i < j->h; i++)
            for (int32_t k = 0; k < j->w; k++, to += j->c) lc_warp_pixel(&from, &map, i, k, j->o->nearest, to);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const int32_t *d = ctx->in[0]->shape.dims;
    job j = {LC_OWN_OPTIONS(ctx->node, lc_warp_options), ctx->in[0]->data, ctx->in[1]->data, ctx->out[0]->data, d[1], d[2], d[3]};
    lc_pool_run(ctx->pool, d[0], 1, work, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_WARP;
const lc_kernel lc_own_kernel_WARP = {.run = run};
