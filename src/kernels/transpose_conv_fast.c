/*
 * transpose_conv_fast.c: TRANSPOSE_CONV in float32 with constant weights: a matrix product gives what each pixel of an input line adds
 * to the outputs under its window, [w][out channel][tap], by the engine of gemm_fast.c; then that is added up, line by line.
 * Refuses (the reference runs) other types, weights known only at run time, activations that are no clamp.
 */
#include "kernels/gemm_fast.h"

#include "base/checked.h"
#include <math.h>

static size_t taps_of(const lc_kernel_ctx *ctx) {
    const int32_t *f = ctx->in[1]->shape.dims;
    return (size_t)f[1] * (size_t)f[2];
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const lc_value *filter = ctx->in[1], *in = ctx->in[2], *bias = ctx->in_count > 3 ? ctx->in[3] : NULL;
    float low, high;
    /* A shape that is not constant may change; the reference looks at it in every run. */
    if (!ctx->in[0]->constant || !lc_fast_is_float(in) || !lc_fast_is_weights(filter) || (bias && !lc_fast_is_float(bias)))
        return LC_UNSUPPORTED;
    if (!filter->def || !filter->def->data || !lc_activation_range(o->fused_activation_function, &low, &high)) return LC_UNSUPPORTED;
    if (lc_fast_elements(&ctx->out[0]->shape) == 0 || lc_fast_elements(&in->shape) == 0) return LC_UNSUPPORTED;
    const int32_t *i = in->shape.dims, *f = filter->shape.dims;
    const size_t taps = taps_of(ctx), wide = taps * (size_t)f[0];
    size_t line;
    if (wide > INT32_MAX || !lc_mul_size(wide * sizeof(float), (size_t)i[2], &line)) return LC_UNSUPPORTED;
    const lc_gemm_problem p = {.batch = i[2],
                               .in_h = 1,
                               .in_w = 1,
                               .in_c = i[3],
                               .out_h = 1,
                               .out_w = 1,
                               .out_c = (int32_t)wide,
                               .kernel_h = 1,
                               .kernel_w = 1,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .groups = 1,
                               .weights = filter->data,
                               .out_step = (size_t)i[3],
                               .in_step = 1,
                               .low = -INFINITY,
                               .high = INFINITY};
    LC_TRY(lc_gemm_prepare(ctx, &p));
    ctx->scratch_size = lc_fast_align(ctx->scratch_size);
    return lc_add_size(ctx->scratch_size, line, &ctx->scratch_size) ? LC_OK : LC_UNSUPPORTED;
}

/* Line y of an image has been multiplied; its products go where they belong. */
static void add_line(const lc_kernel_ctx *ctx, const float *line, int64_t top, int32_t pad_w, float *image) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const int32_t *f = ctx->in[1]->shape.dims, *is = ctx->in[2]->shape.dims, *os = ctx->out[0]->shape.dims;
    const size_t taps = taps_of(ctx), channels = (size_t)os[3];
    for (int64_t x = 0; x < is[2]; x++, line += taps * channels)
        for (int64_t ky = 0; ky < f[1]; ky++) {
            const int64_t oy = top + ky;
            if (oy < 0 || oy >= os[1]) continue;
            for (int64_t kx = 0; kx < f[2]; kx++) {
                const int64_t ox = x * o->stride_w - pad_w + kx;
                if (ox < 0 || ox >= os[2]) continue;
                const float *from = line + ky * f[2] + kx;
                float *to = image + (oy * os[2] + ox) * os[3];
                for (size_t c = 0; c < channels; c++) to[c] += from[c * taps];
            }
        }
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const int32_t *f = ctx->in[1]->shape.dims, *is = ctx->in[2]->shape.dims, *os = ctx->out[0]->shape.dims;
    const size_t channels = (size_t)os[3], line_in = (size_t)is[2] * (size_t)is[3], all = lc_fast_elements(&ctx->out[0]->shape);
    const float *bias = ctx->in_count > 3 && ctx->in[3] ? ctx->in[3]->data : NULL, *in = ctx->in[2]->data;
    float *out = ctx->out[0]->data, low, high;
    float *line = (float *)(void *)((char *)ctx->scratch + ctx->scratch_size - taps_of(ctx) * channels * (size_t)is[2] * sizeof(float));
    int32_t h, w, pad_h, pad_w;
    lc_op_window(os[1], f[1], o->stride_h, 1, o->padding, &h, &pad_h);
    lc_op_window(os[2], f[2], o->stride_w, 1, o->padding, &w, &pad_w);
    lc_activation_range(o->fused_activation_function, &low, &high);
    for (size_t i = 0; i < all; i += channels)
        for (size_t c = 0; c < channels; c++) out[i + c] = bias ? bias[c] : 0;
    for (int64_t n = 0; n < is[0]; n++)
        for (int64_t y = 0; y < is[1]; y++, in += line_in) {
            lc_gemm_product(ctx, in, line);
            add_line(ctx, line, y * o->stride_h - pad_h, pad_w, out + (size_t)n * (all / (size_t)os[0]));
        }
    for (size_t i = 0; i < all; i++) { /* written so that a NaN stays a NaN */
        if (out[i] < low) out[i] = low;
        if (out[i] > high) out[i] = high;
    }
    return LC_OK;
}

const lc_kernel lc_fast_TRANSPOSE_CONV = {.prepare = prepare, .run = run};
