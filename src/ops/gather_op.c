/*
 * gather_op.c: reading by index: GATHER, GATHER_ND, EMBEDDING_LOOKUP, ONE_HOT; writing by index: SCATTER_ND, SPARSE_TO_DENSE.
 *
 *   GATHER     out = params[..., indices, ...] along `axis`; the first batch_dims dimensions of both go together
 *   GATHER_ND  the last dimension of indices is an index into the first dimensions of params
 *   SCATTER_ND rows of updates are added where the last dimension of indices says, in zeros of a given shape
 *   SPARSE_TO_DENSE  values are written there, in a tensor of one default value; indices may be a scalar or a vector, too
 *   EMBEDDING_LOOKUP_SPARSE  rows of a table, weighted and folded into the place of a sparse tensor's entries
 *   ONE_HOT    a new dimension of `depth` at `axis` (-1: last): on_value where it equals the index, off_value elsewhere
 */
#include "ops/infer.h"

static lc_status need_index(lc_infer_ctx *ctx, uint32_t i, const char *what) {
    lc_dtype t = ctx->in[i].type;
    if (t == LC_INT32 || t == LC_INT64 || t == LC_INT16) return LC_OK;
    return LC_OP_FAIL(ctx, "%s is %s, needs int16, int32 or int64", what, lc_dtype_name(t));
}

static lc_status push(lc_infer_ctx *ctx, lc_shape *out, int32_t dim) {
    if (out->rank == LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "would have more than %d dimensions", LC_MAX_RANK);
    out->dims[out->rank++] = dim;
    return LC_OK;
}

lc_status lc_infer_GATHER(lc_infer_ctx *ctx) {
    const lc_GatherOptions *o = LC_OP_ATTRS(ctx->node, GatherOptions);
    const lc_shape *p = &ctx->in[0].shape, *x = &ctx->in[1].shape;
    int32_t axis, batch;
    LC_TRY(need_index(ctx, 1, "indices"));
    LC_TRY(lc_infer_axis(ctx, o->axis, p->rank, &axis));
    batch = o->batch_dims < 0 ? o->batch_dims + x->rank : o->batch_dims;
    if (batch < 0 || batch > x->rank || batch > axis)
        return LC_OP_FAIL(ctx, "batch_dims is %d, needs 0 to the smaller of the axis %d and the rank of the indices %d", o->batch_dims,
                          axis, x->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i < axis; i++) {
        int32_t dim = p->dims[i];
        if (i < batch && !lc_infer_meet(dim, x->dims[i], &dim))
            return LC_OP_FAIL(ctx, "batch dimension %d is %d in params and %d in indices", i, p->dims[i], x->dims[i]);
        LC_TRY(push(ctx, &out, dim));
    }
    for (int32_t i = batch; i < x->rank; i++) LC_TRY(push(ctx, &out, x->dims[i]));
    for (int32_t i = axis + 1; i < p->rank; i++) LC_TRY(push(ctx, &out, p->dims[i]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_GATHER_ND(lc_infer_ctx *ctx) {
    const lc_shape *p = &ctx->in[0].shape, *x = &ctx->in[1].shape;
    LC_TRY(need_index(ctx, 1, "indices"));
    if (x->rank < 1 || p->rank < 1) return LC_OP_FAIL(ctx, "params and indices need 1 dimension or more");
    int32_t depth = x->dims[x->rank - 1];
    if (depth < 0) return LC_OP_UNSUPPORTED(ctx, "the length of an index is not known");
    if (depth > p->rank) return LC_OP_FAIL(ctx, "an index has %d numbers, params has %d dimensions", depth, p->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i + 1 < x->rank; i++) LC_TRY(push(ctx, &out, x->dims[i]));
    for (int32_t i = depth; i < p->rank; i++) LC_TRY(push(ctx, &out, p->dims[i]));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_EMBEDDING_LOOKUP(lc_infer_ctx *ctx) {
    const lc_shape *rows = &ctx->in[0].shape, *table = &ctx->in[1].shape;
    if (ctx->in[0].type != LC_INT32) return LC_OP_FAIL(ctx, "lookup is %s, needs int32", lc_dtype_name(ctx->in[0].type));
    LC_TRY(lc_infer_rank(ctx, 0, 1, "lookup"));
    if (table->rank < 2) return LC_OP_FAIL(ctx, "the table has %d dimensions, needs 2 or more", table->rank);
    lc_shape out = *table;
    out.dims[0] = rows->dims[0];
    /* an integer table may give floats: what the output is declared as */
    return lc_infer_give(ctx, ctx->in[1].type == LC_FLOAT32 ? LC_FLOAT32 : ctx->out[0].type, &out);
}

/* The shape input i holds; open dimensions while it is not known, LC_RANK_UNKNOWN when not even its length is. */
static lc_status shape_operand(lc_infer_ctx *ctx, uint32_t i, const char *what, lc_shape *out) {
    int32_t n;
    int64_t dims[LC_MAX_RANK];
    uint32_t count = LC_MAX_RANK;
    LC_TRY(lc_infer_index_vector(ctx, i, what, &n));
    LC_TRY(lc_infer_rank(ctx, i, 1, what));
    if (n > LC_MAX_RANK) return LC_OP_UNSUPPORTED(ctx, "%s has %d entries, litec runs at most %d dimensions", what, n, LC_MAX_RANK);
    *out = n < 0 ? (lc_shape){.rank = LC_RANK_UNKNOWN} : lc_infer_open(n);
    if (n < 0 || !lc_infer_ints(&ctx->in[i], dims, &count)) return LC_OK;
    for (int32_t d = 0; d < n; d++) {
        if (dims[d] < 0 || dims[d] > INT32_MAX)
            return LC_OP_FAIL(ctx, "%s has entry %d of %lld, needs 0 or more", what, d, (long long)dims[d]);
        out->dims[d] = (int32_t)dims[d];
    }
    return LC_OK;
}

lc_status lc_infer_SCATTER_ND(lc_infer_ctx *ctx) {
    const lc_shape *x = &ctx->in[0].shape, *updates = &ctx->in[1].shape;
    char ta[LC_SHAPE_TEXT], tb[LC_SHAPE_TEXT];
    lc_shape out;
    if (ctx->in[0].type != LC_INT32 && ctx->in[0].type != LC_INT64)
        return LC_OP_FAIL(ctx, "indices is %s, needs int32 or int64", lc_dtype_name(ctx->in[0].type));
    LC_TRY(lc_infer_same_type(ctx, 0, 2));
    LC_TRY(shape_operand(ctx, 2, "shape", &out));
    if (x->rank < 1 || updates->rank < 1) return LC_OP_FAIL(ctx, "indices and updates need 1 dimension or more");
    const int32_t outer = x->rank - 1, depth = x->dims[outer];
    bool fits = out.rank == LC_RANK_UNKNOWN || depth < 0 || (depth <= out.rank && updates->rank - outer == out.rank - depth);
    for (int32_t d = 0; fits && d < outer; d++)
        fits = d < updates->rank && (x->dims[d] < 0 || updates->dims[d] < 0 || x->dims[d] == updates->dims[d]);
    for (int32_t d = depth; fits && depth >= 0 && d < out.rank; d++) {
        const int32_t a = out.dims[d], b = updates->dims[outer + d - depth];
        fits = a < 0 || b < 0 || a == b;
    }
    if (!fits) return LC_OP_FAIL(ctx, "updates %s do not fit indices %s and the shape", lc_shape_text(updates, ta), lc_shape_text(x, tb));
    return lc_infer_give(ctx, ctx->in[1].type, &out);
}

lc_status lc_infer_SPARSE_TO_DENSE(lc_infer_ctx *ctx) {
    const lc_shape *x = &ctx->in[0].shape, *values = &ctx->in[2].shape;
    lc_shape out;
    uint64_t one;
    if (ctx->in[0].type != LC_INT32 && ctx->in[0].type != LC_INT64)
        return LC_OP_FAIL(ctx, "indices is %s, needs int32 or int64", lc_dtype_name(ctx->in[0].type));
    LC_TRY(shape_operand(ctx, 1, "output_shape", &out));
    LC_TRY(lc_infer_same_type(ctx, 2, 3));
    if (lc_shape_elements(&ctx->in[3].shape, &one) && one != 1)
        return LC_OP_FAIL(ctx, "default_value has %llu elements, needs 1", (unsigned long long)one);
    if (x->rank > 2 || values->rank > 1)
        return LC_OP_FAIL(ctx, "indices has %d dimensions, values %d: at most 2 and 1", x->rank, values->rank);
    const int32_t depth = x->rank < 2 ? 1 : x->dims[1], count = x->rank ? x->dims[0] : 1;
    if (out.rank >= 0 && depth >= 0 && out.rank != depth)
        return LC_OP_FAIL(ctx, "an index has %d numbers, the output %d dimensions", depth, out.rank);
    if (values->rank == 1 && values->dims[0] >= 0 && count >= 0 && values->dims[0] != count)
        return LC_OP_FAIL(ctx, "%d values for %d indices", values->dims[0], count);
    return lc_infer_give(ctx, ctx->in[2].type, &out);
}

lc_status lc_infer_EMBEDDING_LOOKUP_SPARSE(lc_infer_ctx *ctx) {
    static const char *const names[] = {"ids", "indices", "dense_shape", "weights"};
    const int8_t combiner = LC_OP_ATTRS(ctx->node, EmbeddingLookupSparseOptions)->combiner;
    const lc_shape *indices = &ctx->in[1].shape, *table = &ctx->in[4].shape;
    lc_shape dense, out = {0};
    if (combiner < 0 || combiner > 2) return LC_OP_FAIL(ctx, "combiner is %d, needs 0 (SUM), 1 (MEAN) or 2 (SQRTN)", combiner);
    for (uint32_t i = 0; i < 4; i++) {
        if (ctx->in[i].type != (i == 3 ? LC_FLOAT32 : LC_INT32))
            return LC_OP_FAIL(ctx, "%s is %s, needs %s", names[i], lc_dtype_name(ctx->in[i].type), i == 3 ? "float32" : "int32");
        LC_TRY(lc_infer_rank(ctx, i, i == 1 ? 2 : 1, names[i]));
    }
    int32_t lookups = ctx->in[0].shape.dims[0];
    if (!lc_infer_meet(lookups, indices->dims[0], &lookups) || !lc_infer_meet(lookups, ctx->in[3].shape.dims[0], &lookups))
        return LC_OP_FAIL(ctx, "ids, indices and weights are of different lengths");
    LC_TRY(shape_operand(ctx, 2, "dense_shape", &dense));
    if (table->rank < 2) return LC_OP_FAIL(ctx, "the table has %d dimensions, needs 2 or more", table->rank);
    if (dense.rank == LC_RANK_UNKNOWN) return lc_infer_give(ctx, LC_FLOAT32, &dense);
    if (dense.rank < 1 || (indices->dims[1] >= 0 && indices->dims[1] != dense.rank))
        return LC_OP_FAIL(ctx, "an index has %d numbers, dense_shape %d", indices->dims[1], dense.rank);
    for (int32_t d = 0; d + 1 < dense.rank; d++) LC_TRY(push(ctx, &out, dense.dims[d]));
    for (int32_t d = 1; d < table->rank; d++) LC_TRY(push(ctx, &out, table->dims[d]));
    return lc_infer_give(ctx, LC_FLOAT32, &out);
}

lc_status lc_infer_ONE_HOT(lc_infer_ctx *ctx) {
    int32_t axis = LC_OP_ATTRS(ctx->node, OneHotOptions)->axis;
    const lc_shape *x = &ctx->in[0].shape;
    bool known;
    int64_t depth = -1;
    uint64_t n;
    LC_TRY(need_index(ctx, 0, "indices"));
    LC_TRY(lc_infer_scalar(ctx, 1, "depth", &known, &depth));
    LC_TRY(lc_infer_same_type(ctx, 2, 3));
    for (uint32_t i = 2; i < 4; i++)
        if (lc_shape_elements(&ctx->in[i].shape, &n) && n != 1)
            return LC_OP_FAIL(ctx, "input %u has %llu elements, needs 1", i, (unsigned long long)n);
    if (known && (depth < 0 || depth > INT32_MAX)) return LC_OP_FAIL(ctx, "depth is %lld", (long long)depth);
    if (axis == -1) axis = x->rank;
    if (axis < 0 || axis > x->rank) return LC_OP_FAIL(ctx, "axis %d is outside [-1, %d]", axis, x->rank);
    lc_shape out = {0};
    for (int32_t i = 0; i <= x->rank; i++) {
        if (i == axis) LC_TRY(push(ctx, &out, known ? (int32_t)depth : -1));
        if (i < x->rank) LC_TRY(push(ctx, &out, x->dims[i]));
    }
    return lc_infer_give(ctx, ctx->in[2].type, &out);
}
