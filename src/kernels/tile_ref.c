/*
 * tile_ref.c: TILE, BROADCAST_TO, FILL, ZEROS_LIKE, RANGE. The first three are one walk over the output with an input that repeats. The
 * shapes are those that were planned; operands that say otherwise at run time are refused.
 */
#include "kernels/move.h"
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

/* Writes what dimensions d and on of the input become: their lines once, then the whole `times` - 1 times more. Returns the end. */
static char *repeat(const lc_shape *in, const lc_shape *out, int32_t d, const char **from, char *to, size_t width) {
    if (d == in->rank) {
        memcpy(to, *from, width);
        *from += width;
        return to + width;
    }
    const char *start = to;
    if (d == in->rank - 1) {
        const size_t line = (size_t)in->dims[d] * width;
        memcpy(to, *from, line);
        *from += line;
        to += line;
    } else {
        for (int32_t i = 0; i < in->dims[d]; i++) to = repeat(in, out, d + 1, from, to, width);
    }
    const size_t once = (size_t)(to - start);
    for (int32_t times = out->dims[d] / in->dims[d]; times > 1; times--, to += once) memcpy(to, start, once);
    return to;
}

static lc_status run_tile(lc_kernel_ctx *ctx) {
    const lc_shape *in = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    const char *from = ctx->in[0]->data;
    if (!matches(ctx->in[1], out, in)) return lc_ref_changed(ctx);
    if (lc_ref_elements(ctx->out[0])) repeat(in, out, 0, &from, ctx->out[0]->data, lc_ref_width(ctx->in[0]));
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
    float value = ctx->out[0]->type == LC_FLOAT32 ? *(const float *)start : 0; /* grows step by step, as LiteRT's: its rounding, too */
    for (int64_t i = 0; i < n; i++) {
        if (ctx->out[0]->type == LC_FLOAT32) ((float *)out)[i] = value, value += *(const float *)delta;
        else if (ctx->out[0]->type == LC_INT32)
            ((int32_t *)out)[i] = (int32_t)((uint32_t) * (const int32_t *)start + (uint32_t)i * (uint32_t) * (const int32_t *)delta);
        else ((int64_t *)out)[i] = (int64_t)((uint64_t) * (const int64_t *)start + (uint64_t)i * (uint64_t) * (const int64_t *)delta);
    }
    return LC_OK;
}

static const lc_kernel tile = {.prepare = prepare, .run = run_tile};
static const lc_kernel broadcast = {.prepare = prepare, .run = run_broadcast};
static const lc_kernel fill = {.prepare = prepare, .run = run_fill};
LC_MOVER(TILE, tile, LC_MOVES(0))
LC_MOVER(BROADCAST_TO, broadcast, LC_MOVES(0))
LC_MOVER(FILL, fill, LC_MOVES(1))
const lc_kernel lc_kernel_ZEROS_LIKE = {.prepare = prepare, .run = run_zeros};
const lc_kernel lc_kernel_RANGE = {.prepare = prepare_range, .run = run_range};
