/*
 * slice_ref.c: SLICE and STRIDED_SLICE: the operands are resolved again by ops/slice.h, so that indices which are computed while the
 * model runs work as long as the sizes are those the run was planned with; then it is one strided copy.
 */
#include "kernels/ref.h"
#include "ops/slice.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_inputs(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status copy(lc_kernel_ctx *ctx, const lc_slice *slice) {
    const lc_shape *in = &ctx->in[0]->shape;
    lc_shape counts = {.rank = in->rank};
    int64_t stride = 1, elements = 1;
    for (int32_t d = 0; d < in->rank; d++) {
        counts.dims[d] = slice->count[d];
        elements *= slice->count[d];
    }
    if (elements != lc_ref_elements(ctx->out[0])) return lc_ref_changed(ctx);
    lc_nd nd;
    lc_nd_init(&nd, &counts);
    lc_nd_operand(&nd, 0, &counts);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        nd.stride[1][d] = slice->step[d] * stride;
        nd.base[1] += slice->start[d] * stride;
        stride *= in->dims[d];
    }
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
    return LC_OK;
}

static lc_status run_slice(lc_kernel_ctx *ctx) {
    int64_t begin[LC_MAX_RANK], size[LC_MAX_RANK];
    uint32_t nb = LC_MAX_RANK, ns = LC_MAX_RANK;
    lc_slice slice;
    if (!lc_ref_ints(ctx->in[1], begin, &nb) || !lc_ref_ints(ctx->in[2], size, &ns)) return lc_ref_changed(ctx);
    LC_TRY(lc_slice_resolve(&ctx->in[0]->shape, begin, size, &slice, ctx->err));
    return copy(ctx, &slice);
}

static lc_status run_strided(lc_kernel_ctx *ctx) {
    int64_t v[3][LC_SLICE_MAX];
    uint32_t n[3] = {LC_SLICE_MAX, LC_SLICE_MAX, LC_SLICE_MAX};
    lc_slice slice;
    lc_shape out;
    for (uint32_t i = 0; i < 3; i++)
        if (!lc_ref_ints(ctx->in[i + 1], v[i], &n[i])) return lc_ref_changed(ctx);
    LC_TRY(lc_slice_resolve_strided(LC_OP_ATTRS(ctx->node, StridedSliceOptions), &ctx->in[0]->shape, (int32_t)n[0], v[0], v[1],
                                    v[2], &slice, &out, ctx->err));
    return copy(ctx, &slice);
}

const lc_kernel lc_kernel_SLICE = {prepare, run_slice};
const lc_kernel lc_kernel_STRIDED_SLICE = {prepare, run_strided};
