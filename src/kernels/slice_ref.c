/*
 * slice_ref.c: SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE. The first two: the operands are resolved again by ops/slice.h, so that indices
 * which are computed while the model runs work as long as the sizes are those the run was planned with; then it is one strided copy. An
 * update goes where its start says, moved so that it lies inside (LiteRT, XLA).
 */
#include "kernels/move.h"
#include "ops/slice.h"

#include <string.h>

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_inputs(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status copy(lc_kernel_ctx *ctx, const lc_slice *what) {
    const lc_shape *in = &ctx->in[0]->shape;
    lc_shape counts = {.rank = in->rank};
    int64_t stride = 1, elements = 1;
    for (int32_t d = 0; d < in->rank; d++) {
        counts.dims[d] = what->count[d];
        elements *= what->count[d];
    }
    if (elements != lc_ref_elements(ctx->out[0])) return lc_ref_changed(ctx);
    lc_nd nd;
    lc_nd_init(&nd, &counts);
    lc_nd_operand(&nd, 0, &counts);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        nd.stride[1][d] = what->step[d] * stride;
        nd.base[1] += what->start[d] * stride;
        stride *= in->dims[d];
    }
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
    return LC_OK;
}

static lc_status run_slice(lc_kernel_ctx *ctx) {
    int64_t begin[LC_MAX_RANK], size[LC_MAX_RANK];
    uint32_t nb = LC_MAX_RANK, ns = LC_MAX_RANK;
    lc_slice what;
    if (!lc_ref_ints(ctx->in[1], begin, &nb) || !lc_ref_ints(ctx->in[2], size, &ns)) return lc_ref_changed(ctx);
    LC_TRY(lc_slice_resolve(&ctx->in[0]->shape, begin, size, &what, ctx->err));
    return copy(ctx, &what);
}

static lc_status run_strided(lc_kernel_ctx *ctx) {
    int64_t v[3][LC_SLICE_MAX];
    uint32_t n[3] = {LC_SLICE_MAX, LC_SLICE_MAX, LC_SLICE_MAX};
    lc_slice what;
    lc_shape out;
    for (uint32_t i = 0; i < 3; i++)
        if (!lc_ref_ints(ctx->in[i + 1], v[i], &n[i])) return lc_ref_changed(ctx);
    LC_TRY(lc_slice_resolve_strided(LC_OP_ATTRS(ctx->node, StridedSliceOptions), &ctx->in[0]->shape, (int32_t)n[0], v[0], v[1], v[2], &what,
                                    &out, ctx->err));
    return copy(ctx, &what);
}

static lc_status prepare_update(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    LC_TRY(lc_ref_input(ctx, 1, LC_T_WHOLE));
    return lc_ref_input(ctx, 2, LC_T(INT32) | LC_T(INT64));
}

static lc_status run_update(lc_kernel_ctx *ctx) {
    const lc_value *out = ctx->out[0], *part = ctx->in[1];
    const int32_t *os = out->shape.dims, *us = part->shape.dims;
    int64_t start[LC_MAX_RANK], stride = 1;
    uint32_t n = LC_MAX_RANK;
    if (!lc_ref_ints(ctx->in[2], start, &n) || n != (uint32_t)out->shape.rank) return lc_ref_changed(ctx);
    if (out->size && out->data != ctx->in[0]->data) memcpy(out->data, ctx->in[0]->data, out->size);
    lc_nd nd;
    lc_nd_init(&nd, &part->shape);
    lc_nd_operand(&nd, 1, &part->shape);
    for (int32_t d = out->shape.rank - 1; d >= 0; d--) {
        const int64_t last = os[d] - us[d], at = start[d] < 0 ? 0 : start[d] > last ? last : start[d];
        nd.stride[0][d] = stride;
        nd.base[0] += at * stride;
        stride *= os[d];
    }
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, out->data, part->data, lc_ref_width(out));
    return LC_OK;
}

static const lc_kernel slice = {.prepare = prepare, .run = run_slice};
static const lc_kernel strided = {.prepare = prepare, .run = run_strided};
static const lc_kernel update = {.prepare = prepare_update, .run = run_update};
LC_MOVER(SLICE, slice, LC_MOVES(0))
LC_MOVER(STRIDED_SLICE, strided, LC_MOVES(0))
LC_MOVER(DYNAMIC_UPDATE_SLICE, update, LC_MOVES(0) | LC_MOVES(1))
