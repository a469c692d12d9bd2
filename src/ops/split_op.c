/*
 * split_op.c: one tensor into several along an axis: SPLIT (equal parts), SPLIT_V (parts of given sizes, one may be -1: the rest),
 * UNPACK (parts of one, and the axis goes).
 */
#include "ops/infer.h"

#include <string.h>

static lc_status give_all(lc_infer_ctx *ctx, uint32_t from, const lc_shape *shape) {
    for (uint32_t i = 0; i < ctx->out_count; i++) {
        ctx->out[i].type = ctx->in[from].type;
        ctx->out[i].shape = *shape;
    }
    return LC_OK;
}

static lc_status check_outputs(lc_infer_ctx *ctx, int32_t n, const char *option) {
    if (n == (int32_t)ctx->out_count) return LC_OK;
    return LC_OP_FAIL(ctx, "%s is %d, there are %u outputs", option, n, ctx->out_count);
}

lc_status lc_infer_SPLIT(lc_infer_ctx *ctx) {
    int32_t n = LC_OP_ATTRS(ctx->node, SplitOptions)->num_splits, axis;
    lc_shape s = ctx->in[1].shape;
    bool known;
    int64_t value = 0;
    LC_TRY(lc_infer_scalar(ctx, 0, "axis", &known, &value));
    LC_TRY(check_outputs(ctx, n, "num_splits"));
    if (!known) {
        s = lc_infer_open(s.rank);
        return give_all(ctx, 1, &s);
    }
    LC_TRY(lc_infer_axis(ctx, value, s.rank, &axis));
    if (s.dims[axis] > 0 && s.dims[axis] % n)
        return LC_OP_FAIL(ctx, "dimension %d of %d does not split into %d equal parts", axis, s.dims[axis], n);
    if (s.dims[axis] > 0) s.dims[axis] /= n;
    return give_all(ctx, 1, &s);
}

/* Entry i of an int32 or int64 vector; any number of parts may be asked for. */
static int64_t entry(const lc_infer_tensor *t, int32_t i) {
    int64_t wide;
    int32_t narrow;
    if (t->type == LC_INT64) return memcpy(&wide, (const char *)t->data + (size_t)i * 8, 8), wide;
    return memcpy(&narrow, (const char *)t->data + (size_t)i * 4, 4), narrow;
}

lc_status lc_infer_SPLIT_V(lc_infer_ctx *ctx) {
    int32_t n = LC_OP_ATTRS(ctx->node, SplitVOptions)->num_splits, axis, count, rest = -1;
    lc_shape s = ctx->in[0].shape;
    bool known;
    int64_t value = 0, sum = 0;
    LC_TRY(lc_infer_index_vector(ctx, 1, "size_splits", &count));
    LC_TRY(lc_infer_scalar(ctx, 2, "axis", &known, &value));
    LC_TRY(check_outputs(ctx, n, "num_splits"));
    if (count >= 0 && count != n) return LC_OP_FAIL(ctx, "size_splits has %d entries, num_splits is %d", count, n);
    if (!known) {
        s = lc_infer_open(s.rank);
        return give_all(ctx, 0, &s);
    }
    LC_TRY(lc_infer_axis(ctx, value, s.rank, &axis));
    int32_t dim = s.dims[axis];
    s.dims[axis] = -1;
    LC_TRY(give_all(ctx, 0, &s));
    if (!ctx->in[1].data || ctx->in[1].size < (size_t)n * (lc_dtype_bits(ctx->in[1].type) / 8)) return LC_OK;
    for (int32_t i = 0; i < n; i++) {
        const int64_t size = entry(&ctx->in[1], i);
        if (size == -1 && rest < 0) rest = i;
        else if (size < 0) return LC_OP_FAIL(ctx, "part %d has size %lld; sizes are 0 or more, one may be -1", i, (long long)size);
        else if (!lc_add_i64(sum, size, &sum)) return LC_OP_FAIL(ctx, "sizes overflow");
    }
    if (dim >= 0 && (rest >= 0 ? sum > dim : sum != dim))
        return LC_OP_FAIL(ctx, "the parts sum to %lld, dimension %d has %d", (long long)sum, axis, dim);
    for (int32_t i = 0; i < n; i++) {
        int64_t v = i != rest ? entry(&ctx->in[1], i) : dim < 0 ? -1 : dim - sum;
        if (v > INT32_MAX) return LC_OP_FAIL(ctx, "part %d has size %lld", i, (long long)v);
        ctx->out[i].shape.dims[axis] = (int32_t)v;
    }
    return LC_OK;
}

lc_status lc_infer_UNPACK(lc_infer_ctx *ctx) {
    const lc_UnpackOptions *o = LC_OP_ATTRS(ctx->node, UnpackOptions);
    const lc_shape *in = &ctx->in[0].shape;
    lc_shape s = {0};
    int32_t axis;
    if (in->rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, which has no axis");
    LC_TRY(lc_infer_axis(ctx, o->axis, in->rank, &axis));
    LC_TRY(check_outputs(ctx, o->num, "num"));
    if (in->dims[axis] >= 0 && in->dims[axis] != o->num)
        return LC_OP_FAIL(ctx, "num is %d, dimension %d has %d", o->num, axis, in->dims[axis]);
    for (int32_t i = 0; i < in->rank; i++)
        if (i != axis) s.dims[s.rank++] = in->dims[i];
    return give_all(ctx, 0, &s);
}
