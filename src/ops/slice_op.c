/*
 * slice_op.c: SLICE, STRIDED_SLICE, DYNAMIC_UPDATE_SLICE.
 *
 * STRIDED_SLICE is numpy's x[a:b:c, ..., newaxis, k]: one entry of begin, end, strides for each position; bit i of a mask speaks of
 * entry i. begin_mask, end_mask: from, to the very end. ellipsis_mask: stands for all dimensions not named. new_axis_mask: a new
 * dimension of 1. shrink_axis_mask: one index, and the dimension goes. `offset`: end counts from begin. An entry with several bits
 * is an ellipsis before a new axis before a shrink, as in TensorFlow. Ranges are clamped to the dimension; a single index that
 * lies outside is refused.
 */
#include "ops/infer.h"
#include "ops/slice.h"

lc_status lc_slice_resolve(const lc_shape *in, const int64_t *begin, const int64_t *size, lc_slice *slice, lc_error *err) {
    slice->rank = in->rank;
    for (int32_t i = 0; i < in->rank; i++) {
        slice->start[i] = 0;
        slice->step[i] = 1;
        slice->count[i] = -1;
        int64_t dim = in->dims[i];
        if (size && (size[i] < -1 || size[i] > INT32_MAX))
            return lc_fail(err, LC_INVALID, "size of dimension %d is %lld, needs -1 or more", i, (long long)size[i]);
        if (begin && (begin[i] < 0 || (dim >= 0 && begin[i] > dim) || begin[i] > INT32_MAX))
            return lc_fail(err, LC_INVALID, "begin of dimension %d is %lld, the dimension has %lld", i, (long long)begin[i],
                           (long long)dim);
        if (begin) slice->start[i] = (int32_t)begin[i];
        if (!size) continue;
        if (size[i] >= 0) slice->count[i] = (int32_t)size[i];
        else if (begin && dim >= 0) slice->count[i] = (int32_t)(dim - begin[i]);
        if (size[i] >= 0 && dim >= 0 && size[i] > dim - (begin ? begin[i] : 0))
            return lc_fail(err, LC_INVALID, "takes %lld of dimension %d from %lld on, which has %lld", (long long)size[i], i,
                           (long long)(begin ? begin[i] : 0), (long long)dim);
    }
    return LC_OK;
}

/* One dimension: entry i of the operands on input dimension d. */
static lc_status resolve_range(const lc_StridedSliceOptions *o, int64_t size, int32_t i, int32_t d, const int64_t *begin,
                               const int64_t *end, const int64_t *strides, bool shrink, lc_slice *s, lc_error *err) {
    bool from = o->begin_mask >> i & 1, to = o->end_mask >> i & 1;
    s->count[d] = shrink ? 1 : -1;
    if (strides && strides[i] == 0) return lc_fail(err, LC_INVALID, "stride of entry %d is 0", i);
    if (strides && (strides[i] > INT32_MAX || strides[i] < INT32_MIN))
        return lc_fail(err, LC_INVALID, "stride of entry %d is %lld", i, (long long)strides[i]);
    if (!strides || size < 0) return LC_OK;
    int64_t step = shrink ? 1 : strides[i];
    s->step[d] = step;
    if (shrink && strides[i] < 0) return lc_fail(err, LC_INVALID, "entry %d is a single index with stride %lld", i, (long long)strides[i]);
    if (o->offset && !shrink && !begin && end && !to && end[i] >= 0 && step > 0 && end[i] <= size) {
        s->count[d] = (int32_t)((end[i] + step - 1) / step); /* the length does not depend on where it begins */
        return LC_OK;
    }
    if (!from && !begin) return LC_OK;
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;
    int64_t a = from ? (step > 0 ? low : high) : begin[i];
    if (!from) {
        if (shrink && (a >= size || a < -size))
            return lc_fail(err, LC_INVALID, "entry %d takes index %lld of a dimension of %lld", i, (long long)a, (long long)size);
        if (a < -size) a = low;
        else if (a < 0) a += size;
        if (a < low) a = low;
        if (a > high) a = high;
    }
    s->start[d] = (int32_t)a;
    if (shrink) {
        if (size == 0) return lc_fail(err, LC_INVALID, "entry %d takes an index of an empty dimension", i);
        return LC_OK;
    }
    if (!to && !end) return LC_OK;
    int64_t b = to ? (step > 0 ? high : low) : end[i];
    if (!to) {
        if (o->offset && !lc_add_i64(b, a, &b)) return lc_fail(err, LC_INVALID, "end of entry %d is %lld", i, (long long)end[i]);
        if (b < -size) b = low;
        else if (b < 0) b += size;
        if (b < low) b = low;
        if (b > high) b = high;
    }
    int64_t way = step > 0 ? b - a : a - b, pace = step > 0 ? step : -step;
    s->count[d] = way > 0 ? (int32_t)((way + pace - 1) / pace) : 0;
    return LC_OK;
}

lc_status lc_slice_resolve_strided(const lc_StridedSliceOptions *o, const lc_shape *in, int32_t n, const int64_t *begin, const int64_t *end,
                                   const int64_t *strides, lc_slice *slice, lc_shape *out, lc_error *err) {
    uint32_t ellipsis = (uint32_t)o->ellipsis_mask, fresh = (uint32_t)o->new_axis_mask & ~ellipsis;
    uint32_t shrink = (uint32_t)o->shrink_axis_mask & ~ellipsis & ~fresh;
    int32_t d = 0, named = 0;
    for (int32_t i = 0; i < n; i++) named += !((ellipsis | fresh) >> i & 1);
    if (named > in->rank) return lc_fail(err, LC_INVALID, "names %d dimensions of an input with %d", named, in->rank);
    if (ellipsis & (ellipsis - 1)) return lc_fail(err, LC_INVALID, "ellipsis_mask 0x%x has more than one ellipsis", ellipsis);
    slice->rank = in->rank;
    for (int32_t i = 0; i < in->rank; i++) {
        slice->start[i] = 0;
        slice->step[i] = 1;
        slice->count[i] = in->dims[i];
    }
    out->rank = 0;
    int32_t rank = 0;
    for (int32_t i = 0; i <= n; i++) {
        bool rest = i == n || (ellipsis >> i & 1);
        int32_t stop = d + 1;
        if (rest) { /* an ellipsis takes what the entries behind it leave; the end takes all */
            int32_t behind = 0;
            for (int32_t k = i + 1; k < n; k++) behind += !((ellipsis | fresh) >> k & 1);
            stop = in->rank - behind;
        } else if (fresh >> i & 1) {
            if (rank < LC_MAX_RANK) out->dims[rank] = 1;
            rank++;
            continue;
        } else {
            LC_TRY(resolve_range(o, in->dims[d], i, d, begin, end, strides, shrink >> i & 1, slice, err));
            if (shrink >> i & 1) {
                d++;
                continue;
            }
        }
        for (; d < stop; d++, rank++)
            if (rank < LC_MAX_RANK) out->dims[rank] = slice->count[d];
    }
    if (rank > LC_MAX_RANK) return lc_fail(err, LC_UNSUPPORTED, "would have %d dimensions, litec runs at most %d", rank, LC_MAX_RANK);
    out->rank = rank;
    return LC_OK;
}

lc_status lc_infer_SLICE(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    int64_t begin[LC_MAX_RANK], size[LC_MAX_RANK];
    uint32_t nb = LC_MAX_RANK, ns = LC_MAX_RANK;
    int32_t count;
    LC_TRY(lc_infer_index_vector(ctx, 1, "begin", &count));
    if (count >= 0 && count != in->rank) return LC_OP_FAIL(ctx, "begin has %d entries, the input has %d dimensions", count, in->rank);
    LC_TRY(lc_infer_index_vector(ctx, 2, "size", &count));
    if (count >= 0 && count != in->rank) return LC_OP_FAIL(ctx, "size has %d entries, the input has %d dimensions", count, in->rank);
    LC_TRY(lc_infer_same_type(ctx, 1, 2));
    bool has_begin = lc_infer_ints(&ctx->in[1], begin, &nb), has_size = lc_infer_ints(&ctx->in[2], size, &ns);
    lc_slice slice;
    LC_TRY(lc_slice_resolve(in, has_begin ? begin : NULL, has_size ? size : NULL, &slice, ctx->err));
    lc_shape out = {.rank = in->rank};
    for (int32_t i = 0; i < in->rank; i++) out.dims[i] = slice.count[i];
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_STRIDED_SLICE(lc_infer_ctx *ctx) {
    static const char *const names[] = {"", "begin", "end", "strides"};
    int64_t values[4][LC_SLICE_MAX];
    bool known[4];
    int32_t n = -1;
    for (uint32_t i = 1; i < 4; i++) {
        int32_t count, met;
        uint32_t got = LC_SLICE_MAX;
        LC_TRY(lc_infer_index_vector(ctx, i, names[i], &count));
        if (!lc_infer_meet(n, count, &met)) return LC_OP_FAIL(ctx, "%s has %d entries, begin has %d", names[i], count, n);
        n = met;
        known[i] = lc_infer_ints(&ctx->in[i], values[i], &got);
    }
    if (n < 0) return lc_infer_give(ctx, ctx->in[0].type, &(lc_shape){.rank = LC_RANK_UNKNOWN});
    if (n > LC_SLICE_MAX - 1) return LC_OP_FAIL(ctx, "begin has %d entries, at most %d", n, LC_SLICE_MAX - 1);
    lc_slice slice;
    lc_shape out;
    LC_TRY(lc_slice_resolve_strided(LC_OP_ATTRS(ctx->node, StridedSliceOptions), &ctx->in[0].shape, n, known[1] ? values[1] : NULL,
                                    known[2] ? values[2] : NULL, known[3] ? values[3] : NULL, &slice, &out, ctx->err));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

/* The operand with `update` laid into it at a start that is moved to fit. */
lc_status lc_infer_DYNAMIC_UPDATE_SLICE(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape, *update = &ctx->in[1].shape;
    char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
    int32_t n;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    LC_TRY(lc_infer_index_vector(ctx, 2, "start_indices", &n));
    if (n >= 0 && n != in->rank) return LC_OP_FAIL(ctx, "start_indices has %d entries, the operand %d dimensions", n, in->rank);
    bool fits = update->rank == in->rank;
    for (int32_t d = 0; fits && d < in->rank; d++) fits = in->dims[d] < 0 || update->dims[d] <= in->dims[d];
    if (!fits) return LC_OP_FAIL(ctx, "an update of %s does not fit into %s", lc_shape_text(update, ta), lc_shape_text(in, tb));
    return lc_infer_same(ctx);
}
