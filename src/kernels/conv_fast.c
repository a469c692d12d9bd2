/*
 * conv_fast.c: CONV_2D in float32, by the engine of gemm_fast.c; any kernel, stride, dilation, groups.
 * Refuses (the reference runs) other types and activations that are no clamp.
 */
#include "kernels/gemm_fast.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_Conv2DOptions *o = LC_OP_ATTRS(ctx->node, Conv2DOptions);
    const lc_value *in = ctx->in[0], *filter = ctx->in[1], *out = ctx->out[0];
    const float *weights, *bias;
    float low, high;
    if (!lc_fast_is_float(in) || !lc_fast_weights(ctx, &weights, &bias)) return LC_UNSUPPORTED;
    if (!lc_activation_range(o->fused_activation_function, &low, &high)) return LC_UNSUPPORTED;
    const int32_t *i = in->shape.dims, *f = filter->shape.dims;
    const size_t per_tap = (size_t)f[3], per_out = (size_t)f[1] * (size_t)f[2] * per_tap;
    lc_gemm_problem p = {.batch = i[0],
                         .in_h = i[1],
                         .in_w = i[2],
                         .in_c = i[3],
                         .out_c = f[0],
                         .kernel_h = f[1],
                         .kernel_w = f[2],
                         .stride_h = o->stride_h,
                         .stride_w = o->stride_w,
                         .dilation_h = o->dilation_h_factor,
                         .dilation_w = o->dilation_w_factor,
                         .groups = i[3] / f[3],
                         .weights = weights,
                         .out_step = per_out,
                         .tap_step = (ptrdiff_t)per_tap,
                         .in_step = 1,
                         .bias = bias,
                         .low = low,
                         .high = high};
    lc_op_window(i[1], f[1], p.stride_h, p.dilation_h, o->padding, &p.out_h, &p.pad_h);
    lc_op_window(i[2], f[2], p.stride_w, p.dilation_w, o->padding, &p.out_w, &p.pad_w);
    if (p.out_h != out->shape.dims[1] || p.out_w != out->shape.dims[2]) return LC_UNSUPPORTED;
    return lc_gemm_prepare(ctx, &p);
}

const lc_kernel lc_fast_CONV_2D = {.prepare = prepare, .run = lc_gemm_run};
