/*
 * reshape_op.c: RESHAPE, SQUEEZE, EXPAND_DIMS: the same bytes under another shape.
 *
 * RESHAPE takes the new shape from input 1 when that is an int32 vector, else from its options (LiteRT's order). One dimension
 * may be -1: it becomes what is left. An open input keeps exactly that dimension open, so [?,28,28,1] to [-1,784] stays a plain
 * RESHAPE for every batch.
 */
#include "ops/infer.h"

static lc_status wanted_shape(lc_infer_ctx *ctx, lc_shape *want, bool *known) {
    *known = true;
    if (ctx->in_count == 2 && ctx->in[1].present && ctx->in[1].shape.rank == 1 && ctx->in[1].type == LC_INT32) {
        int32_t n = ctx->in[1].shape.dims[0];
        if (n > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "the new shape has %d dimensions, litec runs at most %d", n, LC_MAX_RANK);
        *known = false;
        *want = (lc_shape){.rank = LC_RANK_UNKNOWN};
        if (n < 0) return LC_OK;
        int64_t values[LC_MAX_RANK];
        uint32_t count = LC_MAX_RANK;
        *want = lc_infer_open(n);
        *known = lc_infer_ints(&ctx->in[1], values, &count);
        if (*known)
            for (int32_t i = 0; i < n; i++) want->dims[i] = (int32_t)values[i];
        return LC_OK;
    }
    const lc_vec_i32 *v = &LC_OP_ATTRS(ctx->node, ReshapeOptions)->new_shape;
    if (v->n > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "the new shape has %u dimensions, litec runs at most %d", v->n, LC_MAX_RANK);
    if (!v->data && (ctx->in_count == 2 || !ctx->node->attrs))
        return LC_OP_FAIL(ctx, "has no new shape: neither an int32 vector as input 1 nor new_shape in its options");
    want->rank = (int32_t)v->n;
    for (uint32_t i = 0; i < v->n; i++) want->dims[i] = v->data[i];
    if (v->n == 1 && v->data[0] == 0) want->rank = 0; /* how old converters wrote a scalar */
    return LC_OK;
}

lc_status lc_infer_RESHAPE(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    lc_shape want = {0};
    bool known;
    LC_TRY(wanted_shape(ctx, &want, &known));
    if (!known) return lc_infer_give(ctx, ctx->in[0].type, &want);
    char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
    int32_t stretch = -1;
    uint64_t rest = 1; /* product of the wanted dimensions but the stretched one and zeros */
    bool zero = false;
    for (int32_t i = 0; i < want.rank; i++) {
        if (want.dims[i] == -1) {
            if (stretch >= 0) return LC_OP_FAIL(ctx, "new shape %s has two open dimensions, one may be -1", lc_shape_text(&want, tb));
            stretch = i;
        } else if (want.dims[i] < 0) {
            return LC_OP_FAIL(ctx, "new shape has dimension %d, sizes are 0 or more (one may be -1)", want.dims[i]);
        } else if (want.dims[i] == 0) {
            zero = true;
        } else if (!lc_mul_u64(rest, (uint64_t)want.dims[i], &rest) || rest > INT32_MAX) {
            return LC_OP_FAIL(ctx, "new shape %s has more than %d elements", lc_shape_text(&want, tb), INT32_MAX);
        }
    }
    uint64_t elements;
    /* Open input: any number of elements may come, so the wanted shape stands as it is. */
    if (!lc_shape_elements(in, &elements)) return lc_infer_give(ctx, ctx->in[0].type, &want);
    if (stretch >= 0) {
        uint64_t nonzero = 1;
        for (int32_t i = 0; i < in->rank; i++) nonzero *= in->dims[i] ? (uint64_t)in->dims[i] : 1;
        /* A zero elsewhere in the new shape leaves the open dimension to what the non-zero parts have, as in LiteRT. */
        uint64_t v = (zero ? nonzero : elements) / rest;
        if (v > INT32_MAX) return LC_OP_FAIL(ctx, "new shape %s is too large", lc_shape_text(&want, tb));
        want.dims[stretch] = (int32_t)v;
    }
    uint64_t got = zero ? 0 : rest * (stretch >= 0 ? (uint64_t)want.dims[stretch] : 1);
    if (got != elements)
        return LC_OP_FAIL(ctx, "%s has %llu elements, the new shape %s has %llu", lc_shape_text(in, ta), (unsigned long long)elements,
                          lc_shape_text(&want, tb), (unsigned long long)got);
    return lc_infer_give(ctx, ctx->in[0].type, &want);
}

lc_status lc_infer_SQUEEZE(lc_infer_ctx *ctx) {
    const lc_vec_i32 *v = &LC_OP_ATTRS(ctx->node, SqueezeOptions)->squeeze_dims;
    const lc_shape *in = &ctx->in[0].shape;
    bool drop[LC_MAX_RANK] = {false};
    if (!v->n)
        for (int32_t i = 0; i < in->rank; i++) drop[i] = in->dims[i] == 1;
    for (uint32_t i = 0; i < v->n; i++) {
        int32_t axis;
        LC_TRY(lc_infer_axis(ctx, v->data[i], in->rank, &axis));
        if (in->dims[axis] != 1 && in->dims[axis] != -1)
            return LC_OP_FAIL(ctx, "squeezes dimension %d, which is %d and not 1", axis, in->dims[axis]);
        drop[axis] = true;
    }
    lc_shape out = {0};
    for (int32_t i = 0; i < in->rank; i++)
        if (!drop[i]) out.dims[out.rank++] = in->dims[i];
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_EXPAND_DIMS(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    bool known;
    int64_t value = 0;
    int32_t axis;
    LC_TRY(lc_infer_scalar(ctx, 1, "axis", &known, &value));
    if (in->rank == LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "would have %d dimensions, litec runs at most %d", in->rank + 1, LC_MAX_RANK);
    lc_shape out = lc_infer_open(in->rank + 1);
    if (known) {
        LC_TRY(lc_infer_axis(ctx, value, in->rank + 1, &axis));
        for (int32_t i = 0; i <= in->rank; i++) out.dims[i] = i < axis ? in->dims[i] : i == axis ? 1 : in->dims[i - 1];
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}
