/*
 * depthwise_ref.c: DEPTHWISE_CONV_2D: output channel c * m + k is the window of input channel c with filter plane c * m + k.
 */
#include "kernels/integer.h"

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_DepthwiseConv2DOptions *o = LC_OP_ATTRS(ctx->node, DepthwiseConv2DOptions);
    const int32_t *is = ctx->in[0]->shape.dims, *fs = ctx->in[1]->shape.dims, *os = ctx->out[0]->shape.dims;
    const float *in = ctx->in[0]->data, *filter = ctx->in[1]->data;
    const float *bias = ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : NULL;
    float *out = ctx->out[0]->data, *to = out;
    int32_t oh, ow, ph, pw;
    lc_op_window(is[1], fs[1], o->stride_h, o->dilation_h_factor, o->padding, &oh, &ph);
    lc_op_window(is[2], fs[2], o->stride_w, o->dilation_w_factor, o->padding, &ow, &pw);
    int64_t multiplier = os[3] / is[3];
    for (int64_t n = 0; n < os[0]; n++)
        for (int64_t y = 0; y < os[1]; y++)
            for (int64_t x = 0; x < os[2]; x++)
                for (int64_t c = 0; c < os[3]; c++, to++) {
                    double sum = bias ? bias[c] : 0;
                    for (int64_t ky = 0; ky < fs[1]; ky++) {
                        int64_t iy = y * o->stride_h - ph + ky * o->dilation_h_factor;
                        if (iy < 0 || iy >= is[1]) continue;
                        for (int64_t kx = 0; kx < fs[2]; kx++) {
                            int64_t ix = x * o->stride_w - pw + kx * o->dilation_w_factor;
                            if (ix < 0 || ix >= is[2]) continue;
                            sum += (double)in[((n * is[1] + iy) * is[2] + ix) * is[3] + c / multiplier] *
                                   filter[(ky * fs[2] + kx) * fs[3] + c];
                        }
                    }
                    *to = (float)sum;
                }
    lc_ref_activate(out, to - out, o->fused_activation_function);
    return LC_OK;
}

static const lc_kernel f32 = {.prepare = lc_ref_prepare_float, .run = run};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type, filter = ctx->in[1]->type;
    if (in == LC_FLOAT32) return filter == LC_FLOAT32 ? &f32 : filter == LC_INT8 ? &lc_depthwise_hybrid : NULL;
    if (in == LC_UINT8) return filter == LC_UINT8 ? &lc_depthwise_quant : NULL;
    return (in == LC_INT8 || in == LC_INT16) && (filter == LC_INT8 || filter == LC_INT4) ? &lc_depthwise_quant : NULL;
}

const lc_kernel lc_kernel_DEPTHWISE_CONV_2D = {.choose = choose};
