/*
 * depthwise_quant.c: DEPTHWISE_CONV_2D with integer weights (see integer.h), quantised (int8 with int8 or int4 weights, uint8, int16 with
 * int8 or int4 weights) and hybrid (float32 with int8 weights: each image is quantised asymmetrically).
 *
 * Input and filter are centred in scratch; threads share the output lines, and a pixel's sums are kept for all channels at once.
 */
#include "kernels/integer.h"

#include "base/checked.h"

#include <string.h>

typedef struct state {
    lc_int_output output;
    size_t filter_at, scale_at, sums_at, taps_at, sums_size; /* in scratch; the centred input comes first */
    int32_t pad_h, pad_w;
    bool fast;              /* by simd->itaps: one channel in, one out, and sums of 32 bits */
    lc_int_factors factors; /* for simd->requant; factor NULL: output by output */
} state;

static bool add(size_t *total, int64_t elements, size_t width) {
    size_t bytes;
    return lc_mul_size((size_t)elements, width, &bytes) && lc_add_size(bytes, 63, &bytes) &&
           lc_add_size(*total, bytes & ~(size_t)63, total);
}

static lc_status prepare(lc_kernel_ctx *ctx, bool hybrid) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(ctx->node, DepthwiseConv2DOptions);
    const int32_t *i = ctx->in[0]->shape.dims, *f = ctx->in[1]->shape.dims;
    const bool old = ctx->in[0]->type == LC_UINT8;
    const lc_int_spec spec = {.in = 0,
                              .filter = 1,
                              .bias = 2,
                              .axis = 3,
                              .channels = f[3],
                              .activation = o->fused_activation_function,
                              .sum_type = LC_INT64,
                              .use_filter_zero = old,
                              .float_product = old};
    state *s = lc_kernel_state(ctx, sizeof *s);
    int32_t unused;
    if (!s) return LC_NO_MEMORY;
    LC_TRY(hybrid ? lc_int_hybrid_prepare(ctx, &spec, &s->output) : lc_int_output_prepare(ctx, &spec, &s->output));
    lc_op_window(i[1], f[1], o->stride_h, o->dilation_h_factor, o->padding, &unused, &s->pad_h);
    lc_op_window(i[2], f[2], o->stride_w, o->dilation_w_factor, o->padding, &unused, &s->pad_w);
    size_t scratch = 0;
    bool fits = add(&scratch, lc_ref_elements(ctx->in[0]), sizeof(int16_t));
    s->filter_at = scratch;
    fits = fits && add(&scratch, lc_ref_elements(ctx->in[1]), sizeof(int16_t));
    s->scale_at = scratch;
    fits = fits && add(&scratch, i[0], sizeof(float));
    s->sums_at = scratch;
    fits = fits && add(&s->sums_size, f[3], sizeof(int64_t));
    s->taps_at = s->sums_size; /* pointers to the inputs and weights of a window's taps */
    fits = fits && add(&s->sums_size, (int64_t)f[1] * f[2], 2 * sizeof(int16_t *));
    fits = fits && add(&scratch, lc_pool_threads(ctx->pool), s->sums_size);
    if (!fits) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = scratch;
    ctx->label = hybrid ? "hybrid" : "integer";
    s->fast = ctx->simd && f[3] == i[3] && ctx->in[0]->type != LC_INT16 && (int64_t)f[1] * f[2] <= INT32_MAX / (255 * 255);
    return s->fast && lc_int_is_requant(&s->output) ? lc_int_factors_prepare(ctx, &s->output, f[3], &s->factors) : LC_OK;
}

static lc_status prepare_quant(lc_kernel_ctx *ctx) { return prepare(ctx, false); }
static lc_status prepare_hybrid(lc_kernel_ctx *ctx) { return prepare(ctx, true); }

typedef struct job {
    const lc_kernel_ctx *ctx;
    lc_int_output output;
} job;

/* sums[c] += in[c / multiplier] * filter[c] */
static void add_tap(int64_t *sums, const int16_t *in, const int16_t *filter, int64_t channels, int64_t multiplier) {
    if (multiplier == 1) {
        for (int64_t c = 0; c < channels; c++) sums[c] += in[c] * filter[c];
        return;
    }
    for (int64_t c = 0; c < channels; in++)
        for (const int64_t end = c + multiplier; c < end; c++) sums[c] += *in * filter[c];
}

/* One output pixel: the taps of its window that lie inside the image are listed, then summed. */
typedef struct pixel {
    const int16_t **rows, **weights;
    int64_t taps;
} pixel;

static void list_taps(const lc_kernel_ctx *ctx, const state *s, int64_t n, int64_t y, int64_t x, pixel *p) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(ctx->node, DepthwiseConv2DOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *fs = ctx->in[1]->shape.dims;
    const int16_t *in = ctx->scratch, *filter = (const int16_t *)(const void *)((const unsigned char *)ctx->scratch + s->filter_at);
    p->taps = 0;
    for (int64_t ky = 0; ky < fs[1]; ky++) {
        const int64_t iy = y * o->stride_h - s->pad_h + ky * o->dilation_h_factor;
        if (iy < 0 || iy >= is[1]) continue;
        for (int64_t kx = 0; kx < fs[2]; kx++) {
            const int64_t ix = x * o->stride_w - s->pad_w + kx * o->dilation_w_factor;
            if (ix < 0 || ix >= is[2]) continue;
            p->rows[p->taps] = in + ((n * is[1] + iy) * is[2] + ix) * is[3];
            p->weights[p->taps++] = filter + (ky * fs[2] + kx) * fs[3];
        }
    }
}

/* Output lines [begin, end), counted over all images. */
static void work(void *arg, int64_t begin, int64_t end, int32_t thread) {
    const job *j = arg;
    const lc_kernel_ctx *ctx = j->ctx;
    const state *s = ctx->state;
    const int32_t *fs = ctx->in[1]->shape.dims, *os = ctx->out[0]->shape.dims;
    unsigned char *scratch = ctx->scratch, *own = scratch + s->sums_at + (size_t)thread * s->sums_size;
    const float *scales = (const float *)(const void *)(scratch + s->scale_at);
    const int64_t channels = os[3], multiplier = os[3] / ctx->in[0]->shape.dims[3];
    const lc_int_requant q = s->factors.factor ? lc_int_requant_at(&j->output, &s->factors, 0) : (lc_int_requant){0};
    int64_t *sums = (int64_t *)(void *)own;
    int32_t *narrow = (int32_t *)(void *)own;
    pixel p = {.rows = (const int16_t **)(void *)(own + s->taps_at)};
    p.weights = p.rows + (int64_t)fs[1] * fs[2];
    for (int64_t at = begin * os[2]; at < end * os[2]; at++) { /* pixels */
        const int64_t n = at / os[2] / os[1];
        const float scale = j->output.rounding == LC_INT_FLOAT ? scales[n] : 0;
        list_taps(ctx, s, n, at / os[2] % os[1], at % os[2], &p);
        if (s->fast) {
            ctx->simd->itaps(
                &(lc_int_taps){.rows = p.rows, .weights = p.weights, .taps = (size_t)p.taps, .n = (size_t)channels, .sums = narrow});
            if (s->factors.factor) ctx->simd->requant(&q, narrow, (size_t)channels, (uint8_t *)j->output.out + at * channels);
            for (int64_t c = 0; !s->factors.factor && c < channels; c++) lc_int_store(&j->output, narrow[c], c, scale, at * channels + c);
            continue;
        }
        memset(sums, 0, (size_t)channels * sizeof *sums);
        for (int64_t t = 0; t < p.taps; t++) add_tap(sums, p.rows[t], p.weights[t], channels, multiplier);
        for (int64_t c = 0; c < channels; c++) lc_int_store(&j->output, sums[c], c, scale, at * channels + c);
    }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const state *s = ctx->state;
    const lc_value *in = ctx->in[0], *filter = ctx->in[1], *out = ctx->out[0];
    const int64_t images = in->shape.dims[0], all = lc_ref_elements(in);
    unsigned char *scratch = ctx->scratch;
    job j = {.ctx = ctx, .output = s->output};
    lc_int_output_begin(ctx, &j.output);
    if (s->output.rounding == LC_INT_FLOAT) {
        float *scales = (float *)(void *)(scratch + s->scale_at);
        const int64_t image = images ? all / images : 0;
        for (int64_t n = 0; n < images; n++)
            scales[n] = lc_hybrid_asymmetric((const float *)in->data + n * image, image, (int16_t *)ctx->scratch + n * image);
    } else {
        lc_int_centre(ctx->simd, in->data, in->type, 0, all, s->output.in_zero, ctx->scratch);
    }
    lc_int_centre(ctx->simd, filter->data, filter->type, 0, lc_ref_elements(filter), s->output.filter_zero,
                  (int16_t *)(void *)(scratch + s->filter_at));
    lc_pool_run(ctx->pool, (int64_t)out->shape.dims[0] * out->shape.dims[1], 1, work, &j);
    if (s->output.rounding == LC_INT_FLOAT) lc_ref_activate(out->data, lc_ref_elements(out), s->output.activation);
    return LC_OK;
}

const lc_kernel lc_depthwise_quant = {.prepare = prepare_quant, .run = run};
const lc_kernel lc_depthwise_hybrid = {.prepare = prepare_hybrid, .run = run};
