/*
 * softmax_ref.c: over the last dimension, with the row's maximum taken off first so that nothing overflows:
 * SOFTMAX exp(beta (x - max)) / sum, LOG_SOFTMAX x - max - log(sum of exp(x - max)). Output and input may be the same memory.
 * float32, and SOFTMAX of float16; quantised integers are in softmax_quant.c.
 */
#include "kernels/elementwise.h"
#include <math.h>

static void row(float *out, const float *in, int64_t depth, double beta, bool log_form) {
    float max = in[0];
    double sum = 0;
    for (int64_t i = 1; i < depth; i++)
        if (in[i] > max) max = in[i];
    for (int64_t i = 0; i < depth; i++) sum += exp(((double)in[i] - max) * beta);
    const double shift = log_form ? log(sum) : 0;
    for (int64_t i = 0; i < depth; i++) {
        const double x = (double)in[i] - max;
        out[i] = (float)(log_form ? x - shift : exp(x * beta) / sum);
    }
}

static lc_status softmax(lc_kernel_ctx *ctx, bool log_form) {
    const double beta = log_form ? 1 : (double)LC_OP_ATTRS(ctx->node, SoftmaxOptions)->beta;
    const lc_value *in = ctx->in[0];
    const int64_t depth = in->shape.dims[in->shape.rank - 1], n = lc_ref_elements(in);
    for (int64_t at = 0; at < n; at += depth) {
        if (in->type == LC_FLOAT32) {
            row((float *)ctx->out[0]->data + at, (const float *)in->data + at, depth, beta, log_form);
            continue;
        }
        lc_real_load(in->data, in->type, at, 1, depth, ctx->scratch);
        row(ctx->scratch, ctx->scratch, depth, beta, log_form);
        lc_real_store(ctx->out[0]->data, in->type, at, depth, ctx->scratch);
    }
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) { return softmax(ctx, false); }
static lc_status run_log(lc_kernel_ctx *ctx) { return softmax(ctx, true); }

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_shape *s = &ctx->in[0]->shape;
    if (ctx->in[0]->type == LC_FLOAT16) ctx->scratch_size = (size_t)s->dims[s->rank - 1] * sizeof(float);
    return lc_ref_input(ctx, 0, LC_T(FLOAT32) | LC_T(FLOAT16));
}

static const lc_kernel floats = {.prepare = prepare, .run = run}, log_floats = {.prepare = lc_ref_prepare_float, .run = run_log};

static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type, out = ctx->out[0]->type;
    if (in == LC_FLOAT32 || in == LC_FLOAT16) return out == in ? &floats : NULL;
    if (in == LC_INT16) return out == in ? &lc_softmax_quant16 : NULL;
    return (in == LC_INT8 || in == LC_UINT8) && (out == in || out == LC_INT16) ? &lc_softmax_quant : NULL;
}

static const lc_kernel *choose_log(const lc_kernel_ctx *ctx) {
    const lc_dtype in = ctx->in[0]->type;
    return in == LC_FLOAT32 ? &log_floats : in == LC_INT8 || in == LC_UINT8 ? &lc_log_softmax_quant : NULL;
}

const lc_kernel lc_kernel_SOFTMAX = {.choose = choose};
const lc_kernel lc_kernel_LOG_SOFTMAX = {.choose = choose_log};
