/*
 * fully_connected_ref.c: out[b][u] = act(bias[u] + sum over d of in[b][d] * filter[u][d]).
 */
#include "kernels/integer.h"

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

static const lc_kernel f32 = {.prepare = lc_ref_prepare_float, .run = run};

static bool is_blockwise(const lc_value *filter) {
    const lc_QuantizationParameters *q = filter->def ? filter->def->quant : NULL;
    return filter->type == LC_INT4 && q && q->details.type == LC_QuantizationDetails_BlockwiseQuantization && q->details.value &&
           filter->shape.dims[1] > 0;
}

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type, filter = ctx->in[1]->type, out = ctx->out[0]->type;
    const bool small = filter == LC_INT8 || filter == LC_INT4 || filter == LC_INT2;
    if (LC_OP_ATTRS(ctx->node, FullyConnectedOptions)->weights_format != LC_FullyConnectedOptionsWeightsFormat_DEFAULT)
        return in == LC_UINT8 && filter == LC_UINT8 && out == LC_INT16 ? &lc_fully_connected_shuffled : NULL;
    if (in == LC_FLOAT32 && filter == LC_FLOAT32) return &f32;
    if (lc_is_hybrid(ctx->in[0], ctx->in[1])) return is_blockwise(ctx->in[1]) ? &lc_fully_connected_blockwise : &lc_fully_connected_hybrid;
    if (in == LC_UINT8) return filter == LC_UINT8 && (out == LC_UINT8 || out == LC_INT16) ? &lc_fully_connected_quant : NULL;
    if (in == LC_INT16 && filter == LC_INT16) return &lc_fully_connected_int16;
    return (in == LC_INT8 || in == LC_INT16) && small && out == in ? &lc_fully_connected_quant : NULL;
}

const lc_kernel lc_kernel_FULLY_CONNECTED = {.choose = choose};
