/*
 * batch_matmul_fast.c: BATCH_MATMUL in float32, by the engine of gemm_fast.c: y's matrix is the weights, x's rows are the pixels.
 *
 *   one y for all of x's batches   one product over all rows of x: a dense layer, packed once a model when y is constant
 *   else                           a product for each batch; y's matrix is packed when it is not the one before
 *
 * x that comes transposed (adj_x) is turned into scratch, a matrix at a time.
 */
#include "kernels/gemm_fast.h"

#include "base/checked.h"
#include <math.h>

typedef struct sizes {
    size_t m, k, n, batches; /* out: [batches][m][n] */
    bool whole;              /* one y, x as it lies */
} sizes;

static sizes measure(const lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const lc_shape *x = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    sizes s = {
        .m = (size_t)out->dims[out->rank - 2], .n = (size_t)out->dims[out->rank - 1], .k = (size_t)x->dims[x->rank - (o->adj_x ? 2 : 1)]};
    s.batches = lc_fast_elements(out) / (s.m * s.n);
    s.whole = !o->adj_x && lc_fast_elements(&ctx->in[1]->shape) == s.k * s.n && lc_fast_elements(x) == s.batches * s.m * s.k;
    return s;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const lc_value *x = ctx->in[0], *y = ctx->in[1];
    if (!lc_fast_is_float(x) || !lc_fast_is_float(y) || !lc_fast_is_float(ctx->out[0])) return LC_UNSUPPORTED;
    if (lc_fast_elements(&ctx->out[0]->shape) == 0 || lc_fast_elements(&x->shape) == 0) return LC_UNSUPPORTED;
    const sizes s = measure(ctx);
    const lc_gemm_problem p = {.batch = (int32_t)(s.whole ? s.batches * s.m : s.m),
                               .in_h = 1,
                               .in_w = 1,
                               .in_c = (int32_t)s.k,
                               .out_h = 1,
                               .out_w = 1,
                               .out_c = (int32_t)s.n,
                               .kernel_h = 1,
                               .kernel_w = 1,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .groups = 1,
                               .weights = s.whole && y->constant ? y->data : NULL,
                               .out_step = o->adj_y ? s.k : 1,
                               .in_step = o->adj_y ? 1 : s.n,
                               .low = -INFINITY,
                               .high = INFINITY};
    LC_TRY(lc_gemm_prepare(ctx, &p));
    if (!o->adj_x) return LC_OK;
    ctx->scratch_size = lc_fast_align(ctx->scratch_size); /* the turned matrix lies behind what the engine wants */
    return lc_add_size(ctx->scratch_size, s.m * s.k * sizeof(float), &ctx->scratch_size) ? LC_OK : LC_UNSUPPORTED;
}

/* Which matrix of an operand batch i of the output reads: the leading dimensions broadcast. */
static size_t matrix_of(const lc_shape *out, const lc_shape *s, size_t i) {
    size_t at = 0, step = 1;
    for (int32_t d = out->rank - 3, e = s->rank - 3; d >= 0; d--, e--) {
        const size_t index = i % (size_t)out->dims[d];
        i /= (size_t)out->dims[d];
        if (e < 0 || s->dims[e] == 1) continue;
        at += index * step;
        step *= (size_t)s->dims[e];
    }
    return at;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const lc_shape *x = &ctx->in[0]->shape, *y = &ctx->in[1]->shape, *out = &ctx->out[0]->shape;
    const sizes s = measure(ctx);
    if (s.whole) return lc_gemm_run(ctx);
    float *turned = (float *)(void *)((char *)ctx->scratch + ctx->scratch_size - s.m * s.k * sizeof(float));
    const float *used = NULL;
    for (size_t i = 0; i < s.batches; i++) {
        const float *in = (const float *)ctx->in[0]->data + matrix_of(out, x, i) * s.m * s.k;
        const float *weights = (const float *)ctx->in[1]->data + matrix_of(out, y, i) * s.k * s.n;
        if (weights != used) lc_gemm_use(ctx, weights, NULL);
        used = weights;
        if (o->adj_x) {
            for (size_t r = 0; r < s.m; r++)
                for (size_t c = 0; c < s.k; c++) turned[r * s.k + c] = in[c * s.m + r];
            in = turned;
        }
        lc_gemm_product(ctx, in, (float *)ctx->out[0]->data + i * s.m * s.n);
    }
    return LC_OK;
}

const lc_kernel lc_fast_BATCH_MATMUL = {.prepare = prepare, .run = run};
