/*
 * split_ref.c: SPLIT, SPLIT_V, UNPACK: the counterpart of concat_ref.c: seen from the axis the input is `outer` runs of bytes, each output
 * takes one of every run in turn. How long its runs are is what the planned output shapes say.
 */
#include "kernels/move.h"
#include <string.h>

static lc_status part(lc_kernel_ctx *ctx, uint32_t from, int32_t axis) {
    const lc_value *in = ctx->in[from];
    int64_t outer = 1, total = 0;
    for (int32_t d = 0; d < axis; d++) outer *= in->shape.dims[d];
    for (uint32_t i = 0; i < ctx->out_count; i++) total += lc_ref_elements(ctx->out[i]);
    if (total != lc_ref_elements(in)) return lc_ref_changed(ctx);
    const char *p = in->data;
    for (int64_t o = 0; o < outer; o++)
        for (uint32_t i = 0; i < ctx->out_count; i++) {
            size_t run = (size_t)(lc_ref_elements(ctx->out[i]) / outer) * lc_ref_width(in);
            if (run) memcpy((char *)ctx->out[i]->data + (size_t)o * run, p, run);
            p += run;
        }
    return LC_OK;
}

/* The axis from an operand; the outputs were planned with this one if they fit. */
static lc_status part_by(lc_kernel_ctx *ctx, uint32_t from, uint32_t operand) {
    int64_t axis;
    uint32_t n = 1;
    int32_t rank = ctx->in[from]->shape.rank;
    if (!lc_ref_ints(ctx->in[operand], &axis, &n) || axis < -rank || axis >= rank) return lc_ref_changed(ctx);
    return part(ctx, from, (int32_t)(axis < 0 ? axis + rank : axis));
}

static lc_status run_split(lc_kernel_ctx *ctx) { return part_by(ctx, 1, 0); }
static lc_status run_split_v(lc_kernel_ctx *ctx) { return part_by(ctx, 0, 2); }
static lc_status run_unpack(lc_kernel_ctx *ctx) {
    int32_t axis = LC_OP_ATTRS(ctx->node, UnpackOptions)->axis;
    return part(ctx, 0, axis < 0 ? axis + ctx->in[0]->shape.rank : axis);
}

static const lc_kernel split = {.prepare = lc_ref_prepare_whole, .run = run_split};
static const lc_kernel split_v = {.prepare = lc_ref_prepare_whole, .run = run_split_v};
static const lc_kernel unpack = {.prepare = lc_ref_prepare_whole, .run = run_unpack};
LC_MOVER(SPLIT, split, LC_MOVES(1))
LC_MOVER(SPLIT_V, split_v, LC_MOVES(0))
LC_MOVER(UNPACK, unpack, LC_MOVES(0))
