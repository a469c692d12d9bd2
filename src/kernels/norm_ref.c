/*
 * norm_ref.c: L2_NORMALIZATION: x / max(sqrt(sum of x^2), 1e-6) over the last dimension; 8-bit integers are in norm_quant.c.
 * LOCAL_RESPONSE_NORMALIZATION: x * (bias + alpha * sum of x^2 over the channels within radius)^-beta.
 */
#include "kernels/elementwise.h"
#include <math.h>

static lc_status run_l2(lc_kernel_ctx *ctx) {
    const float *in = ctx->in[0]->data;
    float *out = ctx->out[0]->data;
    int64_t depth = ctx->in[0]->shape.dims[ctx->in[0]->shape.rank - 1], n = lc_ref_elements(ctx->in[0]);
    for (int64_t at = 0; at < n; at += depth) {
        double sum = 0;
        for (int64_t i = 0; i < depth; i++) sum += (double)in[at + i] * in[at + i];
        double norm = sqrt(sum) > 1e-6 ? sqrt(sum) : 1e-6;
        for (int64_t i = 0; i < depth; i++) out[at + i] = (float)(in[at + i] / norm);
    }
    return LC_OK;
}

static lc_status run_lrn(lc_kernel_ctx *ctx) {
    const lc_LocalResponseNormalizationOptions *o = LC_OP_ATTRS(ctx->node, LocalResponseNormalizationOptions);
    const float *in = ctx->in[0]->data;
    float *out = ctx->out[0]->data;
    int64_t depth = ctx->in[0]->shape.dims[3], n = lc_ref_elements(ctx->in[0]);
    for (int64_t at = 0; at < n; at += depth)
        for (int64_t c = 0; c < depth; c++) {
            int64_t from = c - o->radius < 0 ? 0 : c - o->radius, to = c + o->radius >= depth ? depth - 1 : c + o->radius;
            double sum = 0;
            for (int64_t k = from; k <= to; k++) sum += (double)in[at + k] * in[at + k];
            out[at + c] = (float)(in[at + c] * pow(o->bias + o->alpha * sum, -(double)o->beta));
        }
    return LC_OK;
}

static const lc_kernel l2_floats = {.prepare = lc_ref_prepare_float, .run = run_l2};
static const lc_kernel *choose_l2(const lc_kernel_ctx *ctx) {
    const lc_dtype type = ctx->in[0]->type;
    return type == LC_FLOAT32 ? &l2_floats : type == LC_INT8 || type == LC_UINT8 ? &lc_l2_norm_quant : NULL;
}
const lc_kernel lc_kernel_L2_NORMALIZATION = {.choose = choose_l2};
const lc_kernel lc_kernel_LOCAL_RESPONSE_NORMALIZATION = {.prepare = lc_ref_prepare_float, .run = run_lrn};
