/*
 * segment_op.c: SEGMENT_SUM, UNSORTED_SEGMENT_SUM, _PROD, _MAX, _MIN: rows of data are folded into the output row their segment id names.
 *
 * SEGMENT_SUM has rising ids without gaps, from 0; their last says how many segments there are. The unsorted ones are told the number; an
 * id may have the shape of any leading dimensions of data, and a negative one drops its row.
 */
#include "ops/infer.h"

#include <string.h>

static lc_status check_types(lc_infer_ctx *ctx) {
    const lc_dtype type = ctx->in[0].type;
    if (type != LC_FLOAT32 && type != LC_INT32) return LC_OP_UNSUPPORTED(ctx, "data is %s, needs float32 or int32", lc_dtype_name(type));
    if (ctx->in[1].type != LC_INT32) return LC_OP_FAIL(ctx, "segment_ids is %s, needs int32", lc_dtype_name(ctx->in[1].type));
    return LC_OK;
}

lc_status lc_infer_SEGMENT_SUM(lc_infer_ctx *ctx) {
    lc_shape out = ctx->in[0].shape;
    const lc_infer_tensor *ids = &ctx->in[1];
    LC_TRY(check_types(ctx));
    if (out.rank < 1) return LC_OP_FAIL(ctx, "data is a scalar, needs 1 dimension or more");
    LC_TRY(lc_infer_rank(ctx, 1, 1, "segment_ids"));
    const int32_t n = ids->shape.dims[0];
    if (n >= 0 && out.dims[0] >= 0 && n != out.dims[0]) return LC_OP_FAIL(ctx, "%d segment_ids for %d rows", n, out.dims[0]);
    out.dims[0] = -1;
    if (n < 0 || !ids->data || ids->size < (size_t)n * 4) return lc_infer_give(ctx, ctx->in[0].type, &out);
    int32_t last = -1, id;
    for (int32_t i = 0; i < n; i++) {
        memcpy(&id, (const char *)ids->data + (size_t)i * 4, 4);
        if (id < 0 || (id != last && (int64_t)id != (int64_t)last + 1))
            return LC_OP_FAIL(ctx, "segment id %d follows %d: ids start at 0 and rise by 1 or not at all", id, last);
        last = id;
    }
    out.dims[0] = last + 1; /* at most n */
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

static lc_status infer_unsorted(lc_infer_ctx *ctx) {
    const lc_shape *data = &ctx->in[0].shape, *ids = &ctx->in[1].shape;
    bool known;
    int64_t segments = -1;
    LC_TRY(check_types(ctx));
    LC_TRY(lc_infer_scalar(ctx, 2, "num_segments", &known, &segments));
    if (known && (segments < 0 || segments > INT32_MAX)) return LC_OP_FAIL(ctx, "num_segments is %lld", (long long)segments);
    bool fits = ids->rank <= data->rank;
    for (int32_t d = 0; fits && d < ids->rank; d++) fits = ids->dims[d] < 0 || data->dims[d] < 0 || ids->dims[d] == data->dims[d];
    if (!fits) {
        char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
        return LC_OP_FAIL(ctx, "segment_ids is %s, data %s: the first must be what the second begins with", lc_shape_text(ids, ta),
                          lc_shape_text(data, tb));
    }
    lc_shape out = {.rank = data->rank - ids->rank + 1};
    if (out.rank > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "would have %d dimensions, litec runs at most %d", out.rank, LC_MAX_RANK);
    out.dims[0] = known ? (int32_t)segments : -1;
    for (int32_t d = 1; d < out.rank; d++) out.dims[d] = data->dims[ids->rank + d - 1];
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_UNSORTED_SEGMENT_SUM(lc_infer_ctx *ctx) { return infer_unsorted(ctx); }
lc_status lc_infer_UNSORTED_SEGMENT_PROD(lc_infer_ctx *ctx) { return infer_unsorted(ctx); }
lc_status lc_infer_UNSORTED_SEGMENT_MAX(lc_infer_ctx *ctx) { return infer_unsorted(ctx); }
lc_status lc_infer_UNSORTED_SEGMENT_MIN(lc_infer_ctx *ctx) { return infer_unsorted(ctx); }
