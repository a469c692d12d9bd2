/*
 * transpose_ref.c: TRANSPOSE of elements of whole bytes: a walk over the output that steps through the input with permuted strides;
 * REVERSE_V2: with strides that go back.
 */
#include "kernels/ref.h"

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64));
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_shape *in = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    int64_t perm[LC_MAX_RANK], stride[LC_MAX_RANK], step = 1;
    uint32_t n = LC_MAX_RANK;
    bool seen[LC_MAX_RANK] = {false};
    if (!lc_ref_ints(ctx->in[1], perm, &n) || n != (uint32_t)in->rank) return lc_ref_changed(ctx);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= in->dims[d];
    }
    lc_nd nd;
    lc_nd_init(&nd, out);
    lc_nd_operand(&nd, 0, out);
    for (int32_t d = 0; d < in->rank; d++) {
        int64_t p = perm[d] < 0 ? perm[d] + in->rank : perm[d];
        if (p < 0 || p >= in->rank || seen[p] || in->dims[p] != out->dims[d]) return lc_ref_changed(ctx);
        seen[p] = true;
        nd.stride[1][d] = stride[p];
    }
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
    return LC_OK;
}

static lc_status run_reverse(lc_kernel_ctx *ctx) {
    const lc_shape *in = &ctx->in[0]->shape;
    int64_t axes[LC_MAX_RANK], step = 1;
    uint32_t n = LC_MAX_RANK;
    bool back[LC_MAX_RANK] = {false};
    if (!lc_ref_ints(ctx->in[1], axes, &n)) return lc_ref_changed(ctx);
    for (uint32_t i = 0; i < n; i++) {
        int64_t a = axes[i] < 0 ? axes[i] + in->rank : axes[i];
        if (a < 0 || a >= in->rank) return lc_ref_changed(ctx);
        back[a] = true;
    }
    lc_nd nd;
    lc_nd_init(&nd, in);
    lc_nd_operand(&nd, 0, in);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        nd.stride[1][d] = back[d] ? -step : step;
        if (back[d] && in->dims[d] > 0) nd.base[1] += (in->dims[d] - 1) * step;
        step *= in->dims[d];
    }
    lc_nd_simplify(&nd);
    lc_nd_copy(&nd, ctx->out[0]->data, ctx->in[0]->data, lc_ref_width(ctx->in[0]));
    return LC_OK;
}

const lc_kernel lc_kernel_REVERSE_V2 = {prepare, run_reverse};
const lc_kernel lc_kernel_TRANSPOSE = {prepare, run};
