/*
 * concat_ref.c: CONCATENATION, PACK and ADD_N. Seen from the axis a tensor is `outer` runs of bytes: the output takes one run of each input
 * in turn.
 */
#include "kernels/move.h"
#include "kernels/variants.h"
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

static lc_status prepare_add(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(FLOAT32) | LC_T(INT32)); }

static lc_status run_add(lc_kernel_ctx *ctx) {
    enum { PART = 256 };
    int64_t n = lc_ref_elements(ctx->out[0]);
    for (int64_t at = 0; at < n; at += PART) {
        const int64_t m = n - at < PART ? n - at : PART;
        double sum[PART] = {0};
        uint32_t wrapped[PART] = {0};
        for (uint32_t i = 0; i < ctx->in_count; i++) {
            const float *f = (const float *)ctx->in[i]->data + at;
            const uint32_t *u = (const uint32_t *)ctx->in[i]->data + at;
            if (ctx->out[0]->type == LC_FLOAT32)
                for (int64_t k = 0; k < m; k++) sum[k] += f[k];
            else
                for (int64_t k = 0; k < m; k++) wrapped[k] += u[k];
        }
        if (ctx->out[0]->type == LC_FLOAT32)
            for (int64_t k = 0; k < m; k++) ((float *)ctx->out[0]->data)[at + k] = (float)sum[k];
        else memcpy((uint32_t *)ctx->out[0]->data + at, wrapped, (size_t)m * sizeof *wrapped);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_ADD_N = {.prepare = prepare_add, .run = run_add};

static const lc_kernel concat = {.prepare = lc_ref_prepare_whole, .run = run_concat};
static const lc_kernel pack = {.prepare = lc_ref_prepare_whole, .run = run_pack};

/* Int8 and uint8 inputs may come with scales of their own. */
static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype type = ctx->in[0]->type;
    return (type == LC_INT8 || type == LC_UINT8) && lc_quant_has(ctx->out[0]) ? &lc_concat_quant : &concat;
}
static const lc_kernel choice = {.choose = choose};

LC_MOVER(CONCATENATION, choice, LC_MOVES_ALL)
LC_MOVER(PACK, pack, LC_MOVES_ALL)
