/*
 * fully_connected_ref.c: out[b][u] = act(bias[u] + sum over d of in[b][d] * filter[u][d]).
 */
#include "kernels/ref.h"

static lc_status run(lc_kernel_ctx *ctx) {
    const float *in = ctx->in[0]->data, *filter = ctx->in[1]->data;
    const float *bias = ctx->in_count > 2 && ctx->in[2] ? ctx->in[2]->data : NULL;
    float *out = ctx->out[0]->data;
    int64_t units = ctx->in[1]->shape.dims[0], depth = ctx->in[1]->shape.dims[1];
    int64_t n = lc_ref_elements(ctx->out[0]);
    for (int64_t i = 0; i < n; i++) {
        int64_t b = i / units, u = i % units;
        double sum = bias ? bias[u] : 0;
        for (int64_t d = 0; d < depth; d++) sum += (double)in[b * depth + d] * filter[u * depth + d];
        out[i] = (float)sum;
    }
    lc_ref_activate(out, n, LC_OP_ATTRS(ctx->node, FullyConnectedOptions)->fused_activation_function);
    return LC_OK;
}

const lc_kernel lc_kernel_FULLY_CONNECTED = {lc_ref_prepare_float, run};
