/*
 * concat_ref.c: CONCATENATION, PACK and ADD_N. Seen from the axis a tensor is `outer` runs of bytes: the output takes one run of each input
 * in turn.
 */
#include "kernels/ref.h"
#include <string.h>

static lc_status join(lc_kernel_ctx *ctx, int32_t axis) {
    const lc_value *out = ctx->out[0];
    int64_t outer = 1;
    for (int32_t d = 0; d < axis; d++) outer *= out->shape.dims[d];
    char *to = out->data;
    size_t width = lc_ref_width(out);
    for (int64_t o = 0; o < outer; o++)
        for (uint32_t i = 0; i < ctx->in_count; i++) {
            const lc_shape *s = &ctx->in[i]->shape;
            size_t run = width;
            for (int32_t d = axis; d < s->rank; d++) run *= (size_t)s->dims[d];
            if (run) memcpy(to, (const char *)ctx->in[i]->data + (size_t)o * run, run);
            to += run;
        }
    return LC_OK;
}

static lc_status run_concat(lc_kernel_ctx *ctx) {
    int32_t axis = LC_OP_ATTRS(ctx->node, ConcatenationOptions)->axis;
    return join(ctx, axis < 0 ? axis + ctx->out[0]->shape.rank : axis);
}

static lc_status run_pack(lc_kernel_ctx *ctx) {
    int32_t axis = LC_OP_ATTRS(ctx->node, PackOptions)->axis;
    return join(ctx, axis < 0 ? axis + ctx->out[0]->shape.rank : axis);
}

static lc_status prepare_add(lc_kernel_ctx *ctx) {
    return lc_ref_inputs(ctx, 0, LC_T(FLOAT32) | LC_T(INT32));
}

static lc_status run_add(lc_kernel_ctx *ctx) {
    int64_t n = lc_ref_elements(ctx->out[0]);
    for (int64_t k = 0; k < n; k++) {
        double sum = 0;
        uint32_t wrapped = 0;
        for (uint32_t i = 0; i < ctx->in_count; i++) {
            if (ctx->out[0]->type == LC_FLOAT32) sum += ((const float *)ctx->in[i]->data)[k];
            else wrapped += (uint32_t)((const int32_t *)ctx->in[i]->data)[k];
        }
        if (ctx->out[0]->type == LC_FLOAT32) ((float *)ctx->out[0]->data)[k] = (float)sum;
        else ((int32_t *)ctx->out[0]->data)[k] = (int32_t)wrapped;
    }
    return LC_OK;
}

const lc_kernel lc_kernel_ADD_N = {prepare_add, run_add};

/* Quantised inputs of different scales would need requantising: they are refused. */
static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T_WHOLE));
    for (uint32_t i = 0; i < ctx->in_count; i++)
        if (ctx->in[i]->def && ctx->in[i]->def->quant && ctx->in[i]->def->quant->scale.n)
            return lc_ref_refuse(ctx, ctx->in[i]->type);
    return LC_OK;
}

const lc_kernel lc_kernel_CONCATENATION = {prepare, run_concat};
const lc_kernel lc_kernel_PACK = {prepare, run_pack};
