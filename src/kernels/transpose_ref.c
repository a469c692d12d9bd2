/*
 * transpose_ref.c: TRANSPOSE: a walk over the output that steps through the input with permuted strides; REVERSE_V2: with strides that go
 * back; REVERSE_SEQUENCE: each entry of the batch dimension has its first elements along the sequence dimension turned round.
 */
#include "kernels/move.h"

#include <string.h>

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

/* Seen from the two dimensions the tensor is [outer, first, between, second, inner]. */
static lc_status run_sequence(lc_kernel_ctx *ctx) {
    const lc_ReverseSequenceOptions *o = LC_OP_ATTRS(ctx->node, ReverseSequenceOptions);
    const lc_shape *s = &ctx->in[0]->shape;
    const int32_t first = o->seq_dim < o->batch_dim ? o->seq_dim : o->batch_dim, second = o->seq_dim + o->batch_dim - first;
    const lc_value *lengths = ctx->in[1];
    size_t run = lc_ref_width(ctx->in[0]);
    int64_t outer = 1, between = 1;
    for (int32_t d = 0; d < s->rank; d++) {
        if (d < first) outer *= s->dims[d];
        else if (d > first && d < second) between *= s->dims[d];
        else if (d > second) run *= (size_t)s->dims[d];
    }
    const int64_t a = s->dims[first], b = s->dims[second];
    for (int64_t i = 0; i < s->dims[o->batch_dim]; i++) {
        const int64_t n = lengths->type == LC_INT64 ? ((const int64_t *)lengths->data)[i] : ((const int32_t *)lengths->data)[i];
        if (n < 0 || n > s->dims[o->seq_dim])
            return lc_fail(ctx->err, LC_INVALID, "REVERSE_SEQUENCE: length %lld of a dimension of %d", (long long)n, s->dims[o->seq_dim]);
    }
    for (int64_t u = 0; u < outer && run; u++)
        for (int64_t x = 0; x < a; x++)
            for (int64_t m = 0; m < between; m++)
                for (int64_t y = 0; y < b; y++) {
                    const int64_t entry = o->seq_dim == first ? y : x, at = o->seq_dim == first ? x : y;
                    const int64_t n =
                        lengths->type == LC_INT64 ? ((const int64_t *)lengths->data)[entry] : ((const int32_t *)lengths->data)[entry];
                    const int64_t from = at < n ? n - 1 - at : at, fx = o->seq_dim == first ? from : x, fy = o->seq_dim == first ? y : from;
                    memcpy((char *)ctx->out[0]->data + (size_t)(((u * a + x) * between + m) * b + y) * run,
                           (const char *)ctx->in[0]->data + (size_t)(((u * a + fx) * between + m) * b + fy) * run, run);
                }
    return LC_OK;
}

static const lc_kernel reverse = {.prepare = prepare, .run = run_reverse};
static const lc_kernel sequence = {.prepare = prepare, .run = run_sequence};
static const lc_kernel transpose = {.prepare = prepare, .run = run};
LC_MOVER(REVERSE_V2, reverse, LC_MOVES(0))
LC_MOVER(REVERSE_SEQUENCE, sequence, LC_MOVES(0))
LC_MOVER(TRANSPOSE, transpose, LC_MOVES(0))
