/*
 * batch_norm_own.c: BATCH_NORM and its gradient, over all dimensions but the last ("rows" of channels). Ioffe and Szegedy, 2015.
 *
 *   mean, variance over the rows; h = (x - mean) / sqrt(variance + epsilon); y = gamma h + beta
 *   dbeta = sum dy; dgamma = sum dy h; dx = gamma / sqrt(variance + epsilon) (dy - dbeta / rows - h dgamma / rows)
 *
 * Sums are taken in double over a number of pieces that depends on the shape alone, and the pieces are added in order.
 */
#include "grad/grad.h"

#include "base/checked.h"
#include "base/clones.h"
#include "kernels/ref.h"
#include <math.h>
#include <string.h>

enum { PIECES = 16 };

lc_status lc_own_infer_BATCH_NORM(lc_infer_ctx *ctx);
lc_status lc_own_infer_BATCH_NORM_GRAD(lc_infer_ctx *ctx);

/* Inputs from `first` on are vectors of x's channels; the outputs have the shapes of x and of two such vectors. */
static lc_status channel_vectors(lc_infer_ctx *ctx, const lc_shape *x, uint32_t first, uint32_t end) {
    const int32_t channels = x->dims[x->rank - 1];
    for (uint32_t i = first; i < end; i++) {
        const lc_infer_tensor *t = &ctx->in[i];
        if (t->present && (t->shape.rank != 1 || t->shape.dims[0] != channels)) return LC_OP_FAIL(ctx, "input %u is not [%d]", i, channels);
    }
    for (uint32_t i = 0; i < 3; i++) ctx->out[i].type = LC_FLOAT32;
    ctx->out[0].shape = *x;
    ctx->out[1].shape = ctx->out[2].shape = (lc_shape){.rank = 1, .dims = {channels}};
    return LC_OK;
}

lc_status lc_own_infer_BATCH_NORM(lc_infer_ctx *ctx) {
    const lc_shape *x = &ctx->in[0].shape;
    LC_TRY(lc_own_floats(ctx, 0, 3));
    if (x->rank < 2) return LC_OP_FAIL(ctx, "needs rows of channels");
    return channel_vectors(ctx, x, 1, 3);
}

lc_status lc_own_infer_BATCH_NORM_GRAD(lc_infer_ctx *ctx) {
    const lc_shape *x = &ctx->in[1].shape;
    LC_TRY(lc_own_floats(ctx, 0, 5));
    if (x->rank < 2 || !lc_shape_equal(x, &ctx->in[0].shape)) return LC_OP_FAIL(ctx, "its gradient has another shape than its input");
    return channel_vectors(ctx, x, 2, 5);
}

typedef struct job {
    const float *x, *dy, *a, *b, *mean;
    float *out;
    double *sums; /* [PIECES][2][channels] */
    int64_t rows, channels;
} job;

static void range(const job *j, int64_t piece, int64_t *from, int64_t *to) {
    *from = j->rows * piece / PIECES;
    *to = j->rows * (piece + 1) / PIECES;
}

LC_CLONES static void sum(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (int64_t piece = begin; piece < end; piece++) {
        double *restrict s = j->sums + piece * 2 * j->channels;
        int64_t from, to;
        range(j, piece, &from, &to);
        memset(s, 0, (size_t)j->channels * 2 * sizeof *s);
        for (int64_t r = from; r < to; r++) {
            const float *x = j->x + r * j->channels;
            for (int64_t c = 0; c < j->channels; c++) s[c] += x[c];
        }
    }
}

LC_CLONES static void squares(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (int64_t piece = begin; piece < end; piece++) {
        double *restrict s = j->sums + piece * 2 * j->channels;
        int64_t from, to;
        range(j, piece, &from, &to);
        memset(s, 0, (size_t)j->channels * 2 * sizeof *s);
        for (int64_t r = from; r < to; r++) {
            const float *x = j->x + r * j->channels;
            for (int64_t c = 0; c < j->channels; c++) {
                const float d = x[c] - j->mean[c];
                s[c] += (double)d * d;
            }
        }
    }
}

/* sum of dy, sum of dy (x - mean) */
LC_CLONES static void products(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (int64_t piece = begin; piece < end; piece++) {
        double *restrict s = j->sums + piece * 2 * j->channels, *restrict p = s + j->channels;
        int64_t from, to;
        range(j, piece, &from, &to);
        memset(s, 0, (size_t)j->channels * 2 * sizeof *s);
        for (int64_t r = from; r < to; r++) {
            const float *x = j->x + r * j->channels, *dy = j->dy + r * j->channels;
            for (int64_t c = 0; c < j->channels; c++) {
                s[c] += dy[c];
                p[c] += (double)dy[c] * (x[c] - j->mean[c]);
            }
        }
    }
}

/* Adds the pieces up into the first. */
static void gather(const job *j) {
    for (int64_t piece = 1; piece < PIECES; piece++)
        for (int64_t c = 0; c < 2 * j->channels; c++) j->sums[c] += j->sums[piece * 2 * j->channels + c];
}

/* y = a x + b */
LC_CLONES static void affine(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    for (int64_t piece = begin; piece < end; piece++) {
        int64_t from, to;
        range(j, piece, &from, &to);
        for (int64_t r = from; r < to; r++) {
            const float *x = j->x + r * j->channels;
            float *restrict out = j->out + r * j->channels;
            const float *mean = j->mean, *a = j->a, *b = j->b;
            for (int64_t c = 0; c < j->channels; c++) out[c] = (x[c] - mean[c]) * a[c] + b[c];
        }
    }
}

/* dx = a dy - b (x - mean) - mean of dy times a, which comes as the third vector */
LC_CLONES static void differential(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    (void)thread;
    const float *a = j->a, *b = j->b, *mean = j->mean, *third = b + j->channels;
    for (int64_t piece = begin; piece < end; piece++) {
        int64_t from, to;
        range(j, piece, &from, &to);
        for (int64_t r = from; r < to; r++) {
            const float *x = j->x + r * j->channels, *dy = j->dy + r * j->channels;
            float *restrict out = j->out + r * j->channels;
            for (int64_t c = 0; c < j->channels; c++) out[c] = a[c] * dy[c] - b[c] * (x[c] - mean[c]) - third[c];
        }
    }
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_shape *x = &ctx->out[0]->shape;
    size_t n = (size_t)x->dims[x->rank - 1];
    if (!lc_mul_size(n, PIECES * 2 * sizeof(double) + 3 * sizeof(float), &ctx->scratch_size))
        return lc_fail(ctx->err, LC_LIMIT, "too many channels");
    return LC_OK;
}

static job job_of(const lc_kernel_ctx *ctx, const lc_value *x) {
    job j = {.x = x->data, .channels = x->shape.dims[x->shape.rank - 1]};
    j.rows = j.channels ? lc_ref_elements(x) / j.channels : 0;
    j.sums = ctx->scratch;
    j.a = (const float *)(j.sums + PIECES * 2 * j.channels);
    j.b = j.a + j.channels;
    return j;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const float epsilon = LC_OWN_OPTIONS(ctx->node, lc_batch_norm_options)->epsilon;
    const lc_value *x = ctx->in[0], *gamma = ctx->in[1], *beta = ctx->in[2];
    float *mean = ctx->out[1]->data, *variance = ctx->out[2]->data;
    job j = job_of(ctx, x);
    float *a = (float *)(uintptr_t)j.a, *b = (float *)(uintptr_t)j.b;
    if (!j.rows) return LC_OK;
    lc_pool_run(ctx->pool, PIECES, 1, sum, &j);
    gather(&j);
    for (int64_t c = 0; c < j.channels; c++) mean[c] = (float)(j.sums[c] / (double)j.rows);
    j.mean = mean;
    lc_pool_run(ctx->pool, PIECES, 1, squares, &j);
    gather(&j);
    for (int64_t c = 0; c < j.channels; c++) {
        variance[c] = (float)(j.sums[c] / (double)j.rows);
        a[c] = (gamma ? ((const float *)gamma->data)[c] : 1) / sqrtf(variance[c] + epsilon);
        b[c] = beta ? ((const float *)beta->data)[c] : 0;
    }
    j.out = ctx->out[0]->data;
    lc_pool_run(ctx->pool, PIECES, 1, affine, &j);
    return LC_OK;
}

static lc_status run_grad(lc_kernel_ctx *ctx) {
    const float epsilon = LC_OWN_OPTIONS(ctx->node, lc_batch_norm_options)->epsilon;
    const lc_value *gamma = ctx->in[2];
    const float *variance = ctx->in[4]->data;
    float *dgamma = ctx->out[1]->data, *dbeta = ctx->out[2]->data;
    job j = job_of(ctx, ctx->in[1]);
    float *a = (float *)(uintptr_t)j.a, *b = (float *)(uintptr_t)j.b, *third = b + j.channels;
    if (!j.rows) return LC_OK;
    j.dy = ctx->in[0]->data;
    j.mean = ctx->in[3]->data;
    lc_pool_run(ctx->pool, PIECES, 1, products, &j);
    gather(&j);
    for (int64_t c = 0; c < j.channels; c++) {
        const double inverse = 1 / sqrt((double)variance[c] + epsilon), g = gamma ? ((const float *)gamma->data)[c] : 1;
        const double dy = j.sums[c], dyh = j.sums[j.channels + c] * inverse;
        dbeta[c] = (float)dy;
        dgamma[c] = (float)dyh;
        a[c] = (float)(g * inverse);
        b[c] = (float)(g * inverse * inverse * dyh / (double)j.rows);
        third[c] = (float)(g * inverse * dy / (double)j.rows);
    }
    j.out = ctx->out[0]->data;
    lc_pool_run(ctx->pool, PIECES, 1, differential, &j);
    return LC_OK;
}

extern const lc_kernel lc_own_kernel_BATCH_NORM, lc_own_kernel_BATCH_NORM_GRAD;
const lc_kernel lc_own_kernel_BATCH_NORM = {.prepare = prepare, .run = run};
const lc_kernel lc_own_kernel_BATCH_NORM_GRAD = {.prepare = prepare, .run = run_grad};

/* Mean and variance as outputs are for the moving statistics, which nothing is learned from. */
void lc_own_grad_BATCH_NORM(lc_grad *g);
void lc_own_grad_BATCH_NORM(lc_grad *g) {
    const lc_batch_norm_options *o = LC_OWN_OPTIONS(g->node, lc_batch_norm_options);
    if (g->d_out[0] < 0) return;
    const int32_t in[5] = {g->d_out[0], g->in[0], g->in[1], g->out[1], g->out[2]};
    int32_t d[3];
    if (!lc_build_own(g->b, &lc_own_BATCH_NORM_GRAD, o, sizeof *o, in, 5, d, 3)) return;
    for (uint32_t i = 0; i < 3; i++)
        if (g->wants[i]) g->d_in[i] = d[i];
}
