/*
 * softmax_ref.c: over the last dimension, with the row's maximum taken off first so that nothing overflows:
 * SOFTMAX exp(beta (x - max)) / sum, LOG_SOFTMAX x - max - log(sum of exp(x - max)). Output and input may be the same memory.
 */
#include "kernels/ref.h"
#include <math.h>

static lc_status softmax(lc_kernel_ctx *ctx, bool log_form) {
    double beta = log_form ? 1 : LC_OP_ATTRS(ctx->node, SoftmaxOptions)->beta;
    const lc_shape *s = &ctx->in[0]->shape;
    const float *in = ctx->in[0]->data;
    float *out = ctx->out[0]->data;
    int64_t depth = s->dims[s->rank - 1], n = lc_ref_elements(ctx->in[0]);
    for (int64_t at = 0; at < n; at += depth) {
        float max = in[at];
        double sum = 0;
        for (int64_t i = 1; i < depth; i++)
            if (in[at + i] > max) max = in[at + i];
        for (int64_t i = 0; i < depth; i++) sum += exp(((double)in[at + i] - max) * beta);
        double shift = log_form ? log(sum) : 0;
        for (int64_t i = 0; i < depth; i++) {
            double x = (double)in[at + i] - max;
            out[at + i] = (float)(log_form ? x - shift : exp(x * beta) / sum);
        }
    }
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) { return softmax(ctx, false); }
static lc_status run_log(lc_kernel_ctx *ctx) { return softmax(ctx, true); }

const lc_kernel lc_kernel_SOFTMAX = {lc_ref_prepare_float, run};
const lc_kernel lc_kernel_LOG_SOFTMAX = {lc_ref_prepare_float, run_log};
