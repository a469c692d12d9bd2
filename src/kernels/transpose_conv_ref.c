/*
 * transpose_conv_ref.c: TRANSPOSE_CONV: out[n][y][x][o] = act(bias[o] + sum of in[n][iy][ix][c] * filter[o][ky][kx][c] over all iy, ix, ky,
 * kx with y = iy * sh - ph + ky and x = ix * sw - pw + kx). Gathered from the output's side, so each sum is kept in one double.
 */
#include "kernels/integer.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32) | LC_T(INT64)));
    return lc_ref_inputs(ctx, 1, LC_T(FLOAT32));
}

lc_status lc_transpose_conv_same(lc_kernel_ctx *ctx) {
    int64_t want[4];
    uint32_t count = 4;
    if (!lc_ref_ints(ctx->in[0], want, &count) || count != 4) return lc_ref_changed(ctx);
    for (int i = 0; i < 4; i++)
        if (want[i] != ctx->out[0]->shape.dims[i]) return lc_ref_changed(ctx);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_TransposeConvOptions *o = LC_OP_ATTRS(ctx->node, TransposeConvOptions);
    const int32_t *fs = ctx->in[1]->shape.dims, *is = ctx->in[2]->shape.dims, *os = ctx->out[0]->shape.dims;
    const float *filter = ctx->in[1]->data, *in = ctx->in[2]->data;
    const float *bias = ctx->in_count > 3 && ctx->in[3] ? ctx->in[3]->data : NULL;
    float *out = ctx->out[0]->data, *to = out;
    int32_t h, w, ph, pw;
    LC_TRY(lc_transpose_conv_same(ctx));
    lc_op_window(os[1], fs[1], o->stride_h, 1, o->padding, &h, &ph);
    lc_op_window(os[2], fs[2], o->stride_w, 1, o->padding, &w, &pw);
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++)
            for (int64_t x = 0; x < os[2]; x++)
                for (int64_t c = 0; c < os[3]; c++, to++) {
                    double sum = bias ? bias[c] : 0;
                    for (int64_t ky = 0; ky < fs[1]; ky++) {
                        int64_t iy = y + ph - ky;
                        if (iy < 0 || iy % o->stride_h || iy / o->stride_h >= is[1]) continue;
                        for (int64_t kx = 0; kx < fs[2]; kx++) {
                            int64_t ix = x + pw - kx;
                            if (ix < 0 || ix % o->stride_w || ix / o->stride_w >= is[2]) continue;
                            const float *a = in + ((n * is[1] + iy / o->stride_h) * is[2] + ix / o->stride_w) * is[3];
                            const float *f = filter + ((c * fs[1] + ky) * fs[2] + kx) * fs[3];
                            for (int64_t k = 0; k < is[3]; k++) sum += (double)a[k] * f[k];
                        }
                    }
                    *to = (float)sum;
                }
    lc_ref_activate(out, to - out, o->fused_activation_function);
    return LC_OK;
}

static const lc_kernel f32 = {.prepare = prepare, .run = run};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype filter = ctx->in[1]->type, in = ctx->in[2]->type;
    if (in == LC_FLOAT32 && filter == LC_FLOAT32) return &f32;
    if (in == LC_UINT8) return filter == LC_UINT8 ? &lc_transpose_conv_quant : NULL;
    return (in == LC_FLOAT32 || in == LC_INT8 || in == LC_INT16) && filter == LC_INT8 ? &lc_transpose_conv_quant : NULL;
}

const lc_kernel lc_kernel_TRANSPOSE_CONV = {.choose = choose};
