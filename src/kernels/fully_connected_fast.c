/*
 * fully_connected_fast.c: FULLY_CONNECTED in float32: a 1x1 convolution over `batch` pixels.
 * Refuses (the reference runs) other types and activations that are no clamp.
 */
#include "kernels/gemm_fast.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_FullyConnectedOptions *o = LC_OP_ATTRS(ctx->node, FullyConnectedOptions);
    const lc_value *in = ctx->in[0], *filter = ctx->in[1];
    const float *weights, *bias;
    float low, high;
    if (!lc_fast_is_float(in) || !lc_fast_weights(ctx, &weights, &bias)) return LC_UNSUPPORTED;
    if (!lc_activation_range(o->fused_activation_function, &low, &high)) return LC_UNSUPPORTED;
    const int32_t units = filter->shape.dims[0], depth = filter->shape.dims[1];
    if (units < 1 || depth < 1) return LC_UNSUPPORTED;
    const size_t batch = lc_fast_elements(&in->shape) / (size_t)depth;
    if (batch > INT32_MAX) return LC_UNSUPPORTED;
    const lc_gemm_problem p = {.batch = (int32_t)batch,
                               .in_h = 1,
                               .in_w = 1,
                               .in_c = depth,
                               .out_h = 1,
                               .out_w = 1,
                               .out_c = units,
                               .kernel_h = 1,
                               .kernel_w = 1,
                               .stride_h = 1,
                               .stride_w = 1,
                               .dilation_h = 1,
                               .dilation_w = 1,
                               .groups = 1,
                               .weights = weights,
                               .out_step = (size_t)depth,
                               .tap_step = 0,
                               .in_step = 1,
                               .bias = bias,
                               .low = low,
                               .high = high};
    return lc_gemm_prepare(ctx, &p);
}

const lc_kernel lc_fast_FULLY_CONNECTED = {.prepare = prepare, .run = lc_gemm_run};
