/*
 * gemm_fast.h: one engine for everything that is a matrix product: FULLY_CONNECTED, CONV_2D with any kernel, stride, dilation and
 * groups, DEPTHWISE_CONV_2D with a depth multiplier, BATCH_MATMUL, TRANSPOSE_CONV. Private to src/kernels.
 */
#ifndef LC_KERNELS_GEMM_FAST_H
#define LC_KERNELS_GEMM_FAST_H

#include "kernels/fast.h"

/* out[b, y, x, o] = clamp(bias[o] + sum over ky, kx, c of in[b, y*stride_h - pad_h + ky*dilation_h, ..., c] * w(o, ky*kw+kx, c)),
 * o's group reading its own `group_in` of the in_c channels. A dense layer is a 1x1 convolution over `batch` pixels. */
typedef struct lc_gemm_problem {
    int32_t batch, in_h, in_w, in_c, out_h, out_w, out_c;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_h, pad_w, groups;
    const float *weights; /* w(o, tap, c) = weights[o * out_step + tap * tap_step + c * in_step], o within its group, whose weights are
                           * group_step after those of the one before; NULL: known when it runs, and packed into scratch then */
    size_t out_step, in_step;
    ptrdiff_t tap_step;
    size_t group_step; /* 0: as many times out_step as a group has outputs */
    const float *bias; /* [out_c] or NULL */
    float low, high;
} lc_gemm_problem;

/* Makes ctx->state, packed weights (slot 0) and the wish for scratch. LC_UNSUPPORTED (err untouched) when a size is 0. */
lc_status lc_gemm_prepare(lc_kernel_ctx *ctx, const lc_gemm_problem *problem);
/* Input, weights, bias and output are in[0], in[1], in[2] and out[0] of ctx. */
lc_status lc_gemm_run(lc_kernel_ctx *ctx);
/* The same for a caller whose operands lie elsewhere, in two steps: weights for the products to come (nothing to do where they were
 * known to prepare), then any number of products. */
void lc_gemm_use(lc_kernel_ctx *ctx, const float *weights, const float *bias);
void lc_gemm_product(lc_kernel_ctx *ctx, const float *in, float *out);

#endif
