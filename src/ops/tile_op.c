/*
 * tile_op.c: making tensors larger or anew: TILE, BROADCAST_TO, FILL, ZEROS_LIKE, RANGE. Shapes come from operands; one that is not
 * constant leaves dimensions open.
 */
#include "ops/infer.h"
#include <math.h>
#include <string.h>

/* Reads a wanted shape from input i. *known: false when it is not constant, then *out has its rank and open dimensions. */
static lc_status wanted(lc_infer_ctx *ctx, uint32_t i, const char *what, lc_shape *out, bool *known) {
    int32_t n;
    int64_t values[LC_MAX_RANK];
    uint32_t count = LC_MAX_RANK;
    LC_TRY(lc_infer_index_vector(ctx, i, what, &n));
    if (n > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "%s has %d entries, litec runs at most %d dimensions", what, n, LC_MAX_RANK);
    *known = false;
    *out = n < 0 ? (lc_shape){.rank = LC_RANK_UNKNOWN} : lc_infer_open(n);
    if (n < 0) return LC_OK;
    *known = lc_infer_ints(&ctx->in[i], values, &count);
    for (int32_t d = 0; *known && d < n; d++) {
        if (values[d] < 0 || values[d] > INT32_MAX)
            return LC_OP_FAIL(ctx, "%s has entry %d of %lld, needs 0 or more", what, d, (long long)values[d]);
        out->dims[d] = (int32_t)values[d];
    }
    return LC_OK;
}

lc_status lc_infer_TILE(lc_infer_ctx *ctx) {
    lc_shape out;
    bool known;
    LC_TRY(wanted(ctx, 1, "multiples", &out, &known));
    if (out.rank == LC_RANK_UNKNOWN) out = lc_infer_open(ctx->in[0].shape.rank);
    if (out.rank != ctx->in[0].shape.rank)
        return LC_OP_FAIL(ctx, "multiples has %d entries, the input has %d dimensions", out.rank, ctx->in[0].shape.rank);
    for (int32_t d = 0; known && d < out.rank; d++) LC_TRY(lc_infer_dim_mul(ctx, ctx->in[0].shape.dims[d], out.dims[d], &out.dims[d]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_BROADCAST_TO(lc_infer_ctx *ctx) {
    const lc_shape *in = &ctx->in[0].shape;
    lc_shape out;
    bool known;
    LC_TRY(wanted(ctx, 1, "shape", &out, &known));
    if (out.rank < in->rank && out.rank != LC_RANK_UNKNOWN)
        return LC_OP_FAIL(ctx, "the shape has %d dimensions, the input %d", out.rank, in->rank);
    for (int32_t d = 0; known && d < in->rank; d++) {
        int32_t from = in->dims[d], to = out.dims[d + out.rank - in->rank];
        if (from >= 0 && from != 1 && from != to) return LC_OP_FAIL(ctx, "dimension %d of %d does not broadcast to %d", d, from, to);
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_FILL(lc_infer_ctx *ctx) {
    lc_shape out;
    bool known;
    uint64_t n;
    LC_TRY(wanted(ctx, 0, "dims", &out, &known));
    if (lc_shape_elements(&ctx->in[1].shape, &n) && n != 1)
        return LC_OP_FAIL(ctx, "value has %llu elements, needs 1", (unsigned long long)n);
    return lc_infer_give(ctx, ctx->in[1].type, &out);
}

lc_status lc_infer_ZEROS_LIKE(lc_infer_ctx *ctx) { return lc_infer_same(ctx); }

lc_status lc_infer_RANGE(lc_infer_ctx *ctx) {
    lc_shape out = {1, {-1}};
    uint64_t n;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    LC_TRY(lc_infer_same_type(ctx, 0, 2));
    for (uint32_t i = 0; i < 3; i++)
        if (lc_shape_elements(&ctx->in[i].shape, &n) && n != 1)
            return LC_OP_FAIL(ctx, "input %u has %llu elements, needs 1", i, (unsigned long long)n);
    lc_dtype type = ctx->in[0].type;
    if (type == LC_FLOAT32) {
        float v[3];
        for (uint32_t i = 0; i < 3; i++) {
            if (!ctx->in[i].data || ctx->in[i].size < 4) return lc_infer_give(ctx, type, &out);
            memcpy(&v[i], ctx->in[i].data, 4);
        }
        const float steps =
            v[2] != 0 ? ceilf(fabsf((v[1] - v[0]) / v[2])) : 0; /* in float, as TensorFlow: a double gives one more here and there */
        if (v[2] == 0 || (v[0] < v[1] && v[2] < 0) || (v[0] > v[1] && v[2] > 0) || !((double)steps <= INT32_MAX))
            return LC_OP_FAIL(ctx, "from %g to %g in steps of %g", (double)v[0], (double)v[1], (double)v[2]);
        out.dims[0] = (int32_t)steps;
    } else if (type == LC_INT32 || type == LC_INT64) {
        int64_t v[3];
        for (uint32_t i = 0; i < 3; i++) {
            uint32_t one = 1;
            if (!lc_infer_ints(&ctx->in[i], &v[i], &one)) return lc_infer_give(ctx, type, &out);
        }
        uint64_t way = v[1] > v[0] ? (uint64_t)v[1] - (uint64_t)v[0] : (uint64_t)v[0] - (uint64_t)v[1];
        uint64_t pace = v[2] < 0 ? 0 - (uint64_t)v[2] : (uint64_t)v[2];
        uint64_t steps = pace ? way / pace + (way % pace != 0) : 0;
        if (v[2] == 0 || (v[0] < v[1] && v[2] < 0) || (v[0] > v[1] && v[2] > 0) || steps > INT32_MAX)
            return LC_OP_FAIL(ctx, "from %lld to %lld in steps of %lld", (long long)v[0], (long long)v[1], (long long)v[2]);
        out.dims[0] = (int32_t)steps;
    } else {
        return LC_OP_FAIL(ctx, "inputs are %s, need int32, int64 or float32", lc_dtype_name(type));
    }
    return lc_infer_give(ctx, type, &out);
}
