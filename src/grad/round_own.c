/*
 * round_own.c: the rounding of quantisation-aware training (Jacob et al. 2018): what runs in integers later is rounded in training already, so that
 * the weights learn to bear it. Gradients pass straight through, but not where a value was cut off.
 */
#include "grad/grad.h"

#include "kernels/fake_quant.h"
#include "kernels/ref.h"
#include <math.h>

enum { CHUNK = 16384 };

lc_status lc_own_infer_ROUND(lc_infer_ctx *ctx);
lc_status lc_own_infer_ROUND_GRAD(lc_infer_ctx *ctx);
lc_status lc_own_infer_ROUND_WEIGHTS(lc_infer_ctx *ctx);

static lc_status check_range(lc_infer_ctx *ctx, uint32_t i) {
    const lc_shape *s = &ctx->in[i].shape;
    return s->rank == 1 && s->dims[0] == 3 ? LC_OK : LC_OP_FAIL(ctx, "its range is not float32[3]");
}

lc_status lc_own_infer_ROUND(lc_infer_ctx *ctx) {
    LC_TRY(lc_own_floats(ctx, 0, 2));
    LC_TRY(check_range(ctx, 1));
    ctx->out[0].type = ctx->out[1].type = LC_FLOAT32;
    ctx->out[0].shape = ctx->in[0].shape;
    ctx->out[1].shape = ctx->in[1].shape;
    return LC_OK;
}

lc_status lc_own_infer_ROUND_GRAD(lc_infer_ctx *ctx) {
    LC_TRY(lc_own_floats(ctx, 0, 3));
    LC_TRY(check_range(ctx, 2));
    if (!lc_shape_equal(&ctx->in[0].shape, &ctx->in[1].shape)) return LC_OP_FAIL(ctx, "its inputs have two shapes");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = ctx->in[0].shape;
    return LC_OK;
}

lc_status lc_own_infer_ROUND_WEIGHTS(lc_infer_ctx *ctx) {
    LC_TRY(lc_own_floats(ctx, 0, 1));
    if (LC_OWN_OPTIONS(ctx->node, lc_round_weights_options)->axis >= ctx->in[0].shape.rank) return LC_OP_FAIL(ctx, "has no such axis");
    ctx->out[0].type = LC_FLOAT32;
    ctx->out[0].shape = ctx->in[0].shape;
    return LC_OK;
}

typedef struct job {
    const float *x, *dy;
    float *y;
    int64_t n;
    lc_fake_grid grid;
    bool plain; /* no range yet: nothing is rounded */
} job;

static void round_chunks(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const int64_t to = end * CHUNK < j->n ? end * CHUNK : j->n;
    const float inverse = 1 / j->grid.scale;
    (void)thread;
    for (int64_t i = begin * CHUNK; i < to; i++) j->y[i] = j->plain ? j->x[i] : lc_fake_grid_round(&j->grid, inverse, j->x[i]);
}

static void pass_chunks(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const int64_t to = end * CHUNK < j->n ? end * CHUNK : j->n;
    (void)thread;
    for (int64_t i = begin * CHUNK; i < to; i++) j->y[i] = j->plain || (j->x[i] >= j->grid.low && j->x[i] <= j->grid.high) ? j->dy[i] : 0;
}

static void set_grid(job *j, const float *range, int32_t bits) {
    j->plain = !(range[1] > range[0]) || !isfinite(range[1] - range[0]);
    if (!j->plain) j->grid = lc_fake_grid_of(range[0], range[1], bits);
}

/* The range holds 0, as TensorFlow's do. Minimum and maximum do not depend on an order. */
static lc_status run_round(lc_kernel_ctx *ctx) {
    const lc_round_options *o = LC_OWN_OPTIONS(ctx->node, lc_round_options);
    job j = {.x = ctx->in[0]->data, .y = ctx->out[0]->data, .n = lc_ref_elements(ctx->in[0])};
    const float *was = ctx->in[1]->data;
    float *range = ctx->out[1]->data, low = 0, high = 0;
    for (int64_t i = 0; i < j.n; i++) {
        low = j.x[i] < low ? j.x[i] : low;
        high = j.x[i] > high ? j.x[i] : high;
    }
    const float by = was[2] > 0 ? 1 - o->decay : 1;
    range[0] = was[0] + (low - was[0]) * by;
    range[1] = was[1] + (high - was[1]) * by;
    range[2] = was[2] + 1;
    set_grid(&j, range, o->bits);
    lc_pool_run(ctx->pool, (j.n + CHUNK - 1) / CHUNK, 1, round_chunks, &j);
    return LC_OK;
}

static lc_status run_grad(lc_kernel_ctx *ctx) {
    const lc_round_options *o = LC_OWN_OPTIONS(ctx->node, lc_round_options);
    job j = {.dy = ctx->in[0]->data, .x = ctx->in[1]->data, .y = ctx->out[0]->data, .n = lc_ref_elements(ctx->in[0])};
    set_grid(&j, ctx->in[2]->data, o->bits);
    lc_pool_run(ctx->pool, (j.n + CHUNK - 1) / CHUNK, 1, pass_chunks, &j);
    return LC_OK;
}

static lc_status run_weights(lc_kernel_ctx *ctx) {
    const lc_round_weights_options *o = LC_OWN_OPTIONS(ctx->node, lc_round_weights_options);
    const lc_shape *s = &ctx->in[0]->shape;
    const float *w = ctx->in[0]->data, steps = (float)((1 << (o->bits - 1)) - 1);
    float *y = ctx->out[0]->data;
    int64_t outer = 1, inner = 1;
    for (int32_t i = 0; i < s->rank; i++) {
        if (i < o->axis) outer *= s->dims[i];
        if (i > o->axis) inner *= s->dims[i];
    }
    const int64_t slices = s->dims[o->axis];
    for (int64_t c = 0; c < slices; c++) {
        float most = 0;
        for (int64_t k = 0; k < outer; k++)
            for (int64_t i = 0; i < inner; i++) most = fmaxf(most, fabsf(w[(k * slices + c) * inner + i]));
        const float scale = most > 0 ? most / steps : 1;
        for (int64_t k = 0; k < outer; k++)
            for (int64_t i = 0, at = (k * slices + c) * inner; i < inner; i++) y[at + i] = roundf(w[at + i] / scale) * scale;
    }
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_ROUND, lc_own_kernel_ROUND_GRAD, lc_own_kernel_ROUND_WEIGHTS;
const lc_kernel lc_own_kernel_ROUND = {.run = run_round}, lc_own_kernel_ROUND_GRAD = {.run = run_grad},
                lc_own_kernel_ROUND_WEIGHTS = {.run = run_weights};

void lc_own_grad_ROUND(lc_grad *g);
void lc_own_grad_ROUND(lc_grad *g) {
    const lc_round_options *o = LC_OWN_OPTIONS(g->node, lc_round_options);
    const int32_t in[3] = {g->d_out[0], g->in[0], g->out[1]};
    if (g->d_out[0] >= 0) g->d_in[0] = lc_build_own_one(g->b, &lc_own_ROUND_GRAD, o, sizeof *o, in, 3);
}

/* No weight lies outside its range. */
void lc_own_grad_ROUND_WEIGHTS(lc_grad *g);
void lc_own_grad_ROUND_WEIGHTS(lc_grad *g) { g->d_in[0] = g->d_out[0]; }
