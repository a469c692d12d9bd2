/*
 * tile_ref.c: TILE, BROADCAST_TO, FILL, ZEROS_LIKE, RANGE. The first three are one walk over the output with an input that repeats. The
 * shapes are those that were planned; operands that say otherwise at run time are refused.
 */
#include "kernels/ref.h"
#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_inputs(ctx, 1, LC_T_WHOLE);
}

/* The operand's values are the output's shape, or its multiples of `in`. */
static bool matches(const lc_value *operand, const lc_shape *out, const lc_shape *in) {
    int64_t v[LC_MAX_RANK];
    uint32_t n = LC_MAX_RANK;
    if (!lc_ref_ints(operand, v, &n) || n != (uint32_t)out->rank) return false;
    for (int32_t d = 0; d < out->rank; d++)
        if (v[d] < 0 || v[d] > INT32_MAX || (in ? v[d] * in->dims[d] : v[d]) != out->dims[d]) return false;
    return true;
}

static lc_status run_tile(lc_kernel_ctx *ctx) {
    const lc_shape *in = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    if (!matches(ctx->in[1], out, in)) return lc_ref_changed(ctx);
    if (lc_ref_elements(ctx->out[0]) == 0) return LC_OK;
    size_t width = lc_ref_width(ctx->in[0]);
    /* Element by element, with a counter per dimension: dimension d of the input is index % its size. */
    int64_t index[LC_MAX_RANK] = {0}, n = lc_ref_elements(ctx->out[0]);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = 0;
        for (int32_t d = 0; d < in->rank; d++) at = at * in->dims[d] + index[d] % in->dims[d];
        lc_copy_elements((char *)ctx->out[0]->data + (size_t)i * width, 1, (const char *)ctx->in[0]->data + (size_t)at * width,
                         1, 1, width);
        for (int32_t d = in->rank - 1; d >= 0 && ++index[d] == out->dims[d]; d--) index[d] = 0;
    }
    return LC_OK;
}

static lc_status run_broadcast(lc_kernel_ctx *ctx) {
    lc_nd nd;
    if (!matches(ctx->in[1], &ctx->out[0]->shape, NULL)) return lc_ref_changed(ctx);
    lc_nd_init(&nd, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 1, &ctx->in[0]->shape);
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
    return LC_OK;
}

static lc_status run_fill(lc_kernel_ctx *ctx) {
    if (!matches(ctx->in[0], &ctx->out[0]->shape, NULL)) return lc_ref_changed(ctx);
    lc_copy_elements(ctx->out[0]->data, 1, ctx->in[1]->data, 0, lc_ref_elements(ctx->out[0]), lc_ref_width(ctx->in[1]));
    return LC_OK;
}

static lc_status run_zeros(lc_kernel_ctx *ctx) {
    if (ctx->out[0]->size) memset(ctx->out[0]->data, 0, ctx->out[0]->size);
    return LC_OK;
}

static lc_status prepare_range(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(FLOAT32) | LC_T(INT32) | LC_T(INT64)); }

/* The length was planned; so were the operands, for they must be known to plan it. */
static lc_status run_range(lc_kernel_ctx *ctx) {
    const void *start = ctx->in[0]->data, *delta = ctx->in[2]->data;
    void *out = ctx->out[0]->data;
    int64_t n = lc_ref_elements(ctx->out[0]);
    for (int64_t i = 0; i < n; i++) {
        if (ctx->out[0]->type == LC_FLOAT32) ((float *)out)[i] = *(const float *)start + (float)i * *(const float *)delta;
        else if (ctx->out[0]->type == LC_INT32)
            ((int32_t *)out)[i] =
                (int32_t)((uint32_t) * (const int32_t *)start + (uint32_t)i * (uint32_t) * (const int32_t *)delta);
        else
            ((int64_t *)out)[i] =
                (int64_t)((uint64_t) * (const int64_t *)start + (uint64_t)i * (uint64_t) * (const int64_t *)delta);
    }
    return LC_OK;
}

const lc_kernel lc_kernel_TILE = {prepare, run_tile};
const lc_kernel lc_kernel_BROADCAST_TO = {prepare, run_broadcast};
const lc_kernel lc_kernel_FILL = {prepare, run_fill};
const lc_kernel lc_kernel_ZEROS_LIKE = {prepare, run_zeros};
const lc_kernel lc_kernel_RANGE = {prepare_range, run_range};
