/*
 * stablehlo_op.c: the StableHLO operators LiteRT runs, as the StableHLO specification (openxla.org/stablehlo/spec) defines them: element by
 * element (ADD, MULTIPLY, MAXIMUM, MINIMUM, AND, SHIFT_LEFT: two inputs of one shape, nothing broadcasts), PAD (also between elements, and
 * negative: cropping), GATHER, SCATTER, REDUCE_WINDOW and RNG_BIT_GENERATOR. Every dimension number in the options is checked here to be in
 * range and named once, so that the kernels may index with it.
 */
#include "ops/infer.h"

/* ---- element by element ----------------------------------------------------------------------------------------- */

static lc_status infer_pair(lc_infer_ctx *ctx) {
    const lc_shape *a = &ctx->in[0].shape, *b = &ctx->in[1].shape;
    char x[LC_SHAPE_TEXT], y[LC_SHAPE_TEXT];
    lc_shape out = *a;
    LC_TRY(lc_infer_same_type(ctx, 0, 1));
    bool same = a->rank == b->rank;
    for (int32_t d = 0; same && d < a->rank; d++) same = lc_infer_meet(a->dims[d], b->dims[d], &out.dims[d]);
    if (!same) return LC_OP_FAIL(ctx, "its inputs have shapes %s and %s, which must be one", lc_shape_text(a, x), lc_shape_text(b, y));
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_STABLEHLO_ADD(lc_infer_ctx *ctx) { return infer_pair(ctx); }
lc_status lc_infer_STABLEHLO_MULTIPLY(lc_infer_ctx *ctx) { return infer_pair(ctx); }
lc_status lc_infer_STABLEHLO_MAXIMUM(lc_infer_ctx *ctx) { return infer_pair(ctx); }
lc_status lc_infer_STABLEHLO_MINIMUM(lc_infer_ctx *ctx) { return infer_pair(ctx); }
lc_status lc_infer_STABLEHLO_AND(lc_infer_ctx *ctx) { return infer_pair(ctx); }
lc_status lc_infer_STABLEHLO_SHIFT_LEFT(lc_infer_ctx *ctx) { return infer_pair(ctx); }

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* Every entry is a dimension in [0, rank) and named once. *set: bit d for dimension d. */
static lc_status check_dims(lc_infer_ctx *ctx, const char *name, lc_vec_i64 dims, int32_t rank, uint32_t *set) {
    *set = 0;
    for (uint32_t i = 0; i < dims.n; i++) {
        if (dims.data[i] < 0 || dims.data[i] >= rank)
            return LC_OP_FAIL(ctx, "%s names dimension %lld of %d", name, (long long)dims.data[i], rank);
        if (*set >> dims.data[i] & 1) return LC_OP_FAIL(ctx, "%s names dimension %lld twice", name, (long long)dims.data[i]);
        *set |= 1u << dims.data[i];
    }
    return LC_OK;
}

/* Every entry (as many as dimensions, or none: all are the default) lies in [low, INT32_MAX]. */
static lc_status check_numbers(lc_infer_ctx *ctx, const char *name, lc_vec_i64 v, uint32_t wanted, int64_t low) {
    if (v.n != 0 && v.n != wanted) return LC_OP_FAIL(ctx, "%s has %u numbers, needs %u", name, v.n, wanted);
    for (uint32_t i = 0; i < v.n; i++)
        if (v.data[i] < low || v.data[i] > INT32_MAX)
            return LC_OP_FAIL(ctx, "%s is %lld, needs %lld to %d", name, (long long)v.data[i], (long long)low, INT32_MAX);
    return LC_OK;
}

static int64_t number(lc_vec_i64 v, uint32_t i, int64_t otherwise) { return i < v.n ? v.data[i] : otherwise; }

static lc_status check_scalar(lc_infer_ctx *ctx, uint32_t i, const char *what) {
    uint64_t n;
    LC_TRY(lc_infer_same_type(ctx, 0, i));
    if (lc_shape_elements(&ctx->in[i].shape, &n) && n != 1)
        return LC_OP_FAIL(ctx, "its %s has %llu elements, needs one", what, (unsigned long long)n);
    return LC_OK;
}

static lc_status check_indices(lc_infer_ctx *ctx, uint32_t i) {
    const lc_dtype type = ctx->in[i].type;
    return type == LC_INT32 || type == LC_INT64 ? LC_OK : LC_OP_FAIL(ctx, "its indices are %s, needs int32 or int64", lc_dtype_name(type));
}

/* ---- pad -------------------------------------------------------------------------------------------------------- */

lc_status lc_infer_STABLEHLO_PAD(lc_infer_ctx *ctx) {
    const lc_StablehloPadOptions *o = LC_OP_ATTRS(ctx->node, StablehloPadOptions);
    lc_shape out = ctx->in[0].shape;
    bool empty = false;
    if (out.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    LC_TRY(check_numbers(ctx, "edge_padding_low", o->edge_padding_low, (uint32_t)out.rank, INT32_MIN));
    LC_TRY(check_numbers(ctx, "edge_padding_high", o->edge_padding_high, (uint32_t)out.rank, INT32_MIN));
    LC_TRY(check_numbers(ctx, "interior_padding", o->interior_padding, (uint32_t)out.rank, 0));
    LC_TRY(check_scalar(ctx, 1, "padding value"));
    for (int32_t d = 0; d < out.rank; d++) {
        const uint32_t i = (uint32_t)d;
        const int64_t n = out.dims[d];
        if (n < 0) continue;
        const int64_t wide = n + (n ? n - 1 : 0) * number(o->interior_padding, i, 0) + number(o->edge_padding_low, i, 0) +
                             number(o->edge_padding_high, i, 0);
        if (wide > INT32_MAX) return LC_OP_FAIL(ctx, "dimension %d would be %lld long", d, (long long)wide);
        empty |= wide <= 0;
        out.dims[d] = wide > 0 ? (int32_t)wide : 0;
    }
    for (int32_t d = 0; empty && d < out.rank; d++) out.dims[d] = 0; /* LiteRT's reading: nothing in one dimension is nothing in all */
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

/* ---- gather, scatter ---------------------------------------------------------------------------------------------- */

/* The dimensions of an index tensor without the one that holds the index vectors; that one may lie behind the last, and is 1 long then. */
static lc_status batch_dims(lc_infer_ctx *ctx, const lc_shape *indices, int64_t vector, lc_vec_i64 map, lc_shape *batch) {
    if (vector < 0 || vector > indices->rank)
        return LC_OP_FAIL(ctx, "index_vector_dim is %lld of %d dimensions", (long long)vector, indices->rank);
    const int32_t length = vector == indices->rank ? 1 : indices->dims[vector];
    if (length >= 0 && (uint32_t)length < map.n)
        return LC_OP_FAIL(ctx, "index vectors of %d numbers are mapped to %u dimensions", length, map.n);
    *batch = (lc_shape){0};
    for (int32_t d = 0; d < indices->rank; d++)
        if (d != vector) batch->dims[batch->rank++] = indices->dims[d];
    return LC_OK;
}

lc_status lc_infer_STABLEHLO_GATHER(lc_infer_ctx *ctx) {
    const lc_StablehloGatherOptions *o = LC_OP_ATTRS(ctx->node, StablehloGatherOptions);
    const lc_shape *in = &ctx->in[0].shape;
    uint32_t offset, collapsed, mapped;
    lc_shape batch, out = {0};
    LC_TRY(check_indices(ctx, 1));
    LC_TRY(batch_dims(ctx, &ctx->in[1].shape, o->index_vector_dim, o->start_index_map, &batch));
    if (o->slice_sizes.n != (uint32_t)in->rank)
        return LC_OP_FAIL(ctx, "slice_sizes has %u numbers for %d dimensions", o->slice_sizes.n, in->rank);
    LC_TRY(check_dims(ctx, "collapsed_slice_dims", o->collapsed_slice_dims, in->rank, &collapsed));
    LC_TRY(check_dims(ctx, "start_index_map", o->start_index_map, in->rank, &mapped));
    const uint32_t offsets = o->slice_sizes.n - o->collapsed_slice_dims.n;
    if (o->offset_dims.n != offsets)
        return LC_OP_FAIL(ctx, "offset_dims has %u numbers, the slices keep %u dimensions", o->offset_dims.n, offsets);
    if (batch.rank + (int32_t)offsets > LC_MAX_RANK)
        return LC_OP_UNSUPPORTED(ctx, "its result has %d dimensions; litec runs up to %d", batch.rank + (int32_t)offsets, LC_MAX_RANK);
    out.rank = batch.rank + (int32_t)offsets;
    LC_TRY(check_dims(ctx, "offset_dims", o->offset_dims, out.rank, &offset));
    for (int32_t d = 0; d < in->rank; d++) {
        const int64_t size = o->slice_sizes.data[d], least = collapsed >> d & 1;
        if (size < least || size > INT32_MAX || (in->dims[d] >= 0 && size > in->dims[d]))
            return LC_OP_FAIL(ctx, "slice_sizes is %lld in dimension %d, which is %d long", (long long)size, d, in->dims[d]);
    }
    for (int32_t d = 0, from = 0, slice = 0; d < out.rank; d++) {
        if (offset >> d & 1) {
            while (collapsed >> slice & 1) slice++;
            out.dims[d] = (int32_t)o->slice_sizes.data[slice++];
        } else {
            out.dims[d] = batch.dims[from++];
        }
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

lc_status lc_infer_STABLEHLO_SCATTER(lc_infer_ctx *ctx) {
    const lc_StablehloScatterOptions *o = LC_OP_ATTRS(ctx->node, StablehloScatterOptions);
    const lc_shape *in = &ctx->in[0].shape, *updates;
    uint32_t window, inserted, mapped;
    lc_shape batch;
    char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
    if (ctx->in_count != 3 || ctx->out_count != 1)
        return LC_OP_UNSUPPORTED(ctx, "scatters into %u tensors; litec, as LiteRT, into one", (ctx->in_count - 1) / 2);
    updates = &ctx->in[2].shape;
    LC_TRY(check_indices(ctx, 1));
    LC_TRY(lc_infer_same_type(ctx, 0, 2));
    LC_TRY(batch_dims(ctx, &ctx->in[1].shape, o->index_vector_dim, o->scatter_dims_to_operand_dims, &batch));
    LC_TRY(check_dims(ctx, "update_window_dims", o->update_window_dims, updates->rank, &window));
    LC_TRY(check_dims(ctx, "inserted_window_dims", o->inserted_window_dims, in->rank, &inserted));
    LC_TRY(check_dims(ctx, "scatter_dims_to_operand_dims", o->scatter_dims_to_operand_dims, in->rank, &mapped));
    if (o->update_window_dims.n + o->inserted_window_dims.n != (uint32_t)in->rank)
        return LC_OP_FAIL(ctx, "%u window dimensions and %u inserted ones for an input of %d", o->update_window_dims.n,
                          o->inserted_window_dims.n, in->rank);
    bool fits = updates->rank - (int32_t)o->update_window_dims.n == batch.rank;
    for (int32_t d = 0, from = 0, both; fits && d < updates->rank; d++)
        if (!(window >> d & 1)) fits = lc_infer_meet(updates->dims[d], batch.dims[from++], &both);
    if (!fits)
        return LC_OP_FAIL(ctx, "updates of shape %s do not belong to indices of shape %s", lc_shape_text(updates, a),
                          lc_shape_text(&ctx->in[1].shape, b));
    return lc_infer_same(ctx);
}

/* ---- reduce window ------------------------------------------------------------------------------------------------ */

lc_status lc_infer_STABLEHLO_REDUCE_WINDOW(lc_infer_ctx *ctx) {
    const lc_StablehloReduceWindowOptions *o = LC_OP_ATTRS(ctx->node, StablehloReduceWindowOptions);
    lc_shape out = ctx->in[0].shape;
    const uint32_t rank = (uint32_t)out.rank;
    if (ctx->in_count != 2 || ctx->out_count != 1)
        return LC_OP_UNSUPPORTED(ctx, "reduces %u tensors; litec, as LiteRT, one", ctx->in_count / 2);
    if (out.rank < 1) return LC_OP_FAIL(ctx, "input is a scalar, needs 1 dimension or more");
    if (o->window_dimensions.n != rank) return LC_OP_FAIL(ctx, "window_dimensions has %u numbers, needs %u", o->window_dimensions.n, rank);
    LC_TRY(check_numbers(ctx, "window_dimensions", o->window_dimensions, rank, 1));
    LC_TRY(check_numbers(ctx, "window_strides", o->window_strides, rank, 1));
    LC_TRY(check_numbers(ctx, "base_dilations", o->base_dilations, rank, 1));
    LC_TRY(check_numbers(ctx, "window_dilations", o->window_dilations, rank, 1));
    LC_TRY(check_numbers(ctx, "padding", o->padding, 2 * rank, INT32_MIN));
    LC_TRY(check_scalar(ctx, 1, "initial value"));
    for (uint32_t d = 0; d < rank; d++) {
        const int64_t n = out.dims[d];
        if (n < 0) continue;
        const int64_t spread = n ? (n - 1) * number(o->base_dilations, d, 1) + 1 : 0;
        const int64_t wide = spread + number(o->padding, 2 * d, 0) + number(o->padding, 2 * d + 1, 0);
        const int64_t window = (o->window_dimensions.data[d] - 1) * number(o->window_dilations, d, 1) + 1;
        if (wide <= 0 || wide > INT32_MAX)
            return LC_OP_FAIL(ctx, "dimension %u is %lld long with its padding, needs 1 to %d", d, (long long)wide, INT32_MAX);
        out.dims[d] = wide < window ? 0 : (int32_t)((wide - window) / number(o->window_strides, d, 1) + 1);
    }
    return lc_infer_give(ctx, ctx->in[0].type, &out);
}

/* ---- random bits --------------------------------------------------------------------------------------------------- */

lc_status lc_infer_STABLEHLO_RNG_BIT_GENERATOR(lc_infer_ctx *ctx) {
    const int8_t algorithm = LC_OP_ATTRS(ctx->node, StablehloRngBitGeneratorOptions)->algorithm;
    const lc_dtype type = ctx->out_count > 1 ? ctx->out[1].type : LC_FLOAT32;
    const int32_t words = ctx->in[0].shape.rank == 1 ? ctx->in[0].shape.dims[0] : 0;
    if (ctx->out_count != 2) return LC_OP_FAIL(ctx, "has %u outputs, needs the new state and the numbers", ctx->out_count);
    if (ctx->in[0].type != LC_UINT64) return LC_OP_FAIL(ctx, "its state is %s, needs uint64", lc_dtype_name(ctx->in[0].type));
    if (words != -1 && words != 2 && !(words == 3 && algorithm != 2))
        return LC_OP_FAIL(ctx, "its state has %d numbers, needs 2 (Philox: or 3)", words);
    if (type != LC_INT32 && type != LC_UINT32 && type != LC_INT64 && type != LC_UINT64)
        return LC_OP_FAIL(ctx, "makes integers of 32 or 64 bits, its output is %s", lc_dtype_name(type));
    const lc_tensor *def = ctx->out[1].def;
    if (!def || def->signature || def->rank < 0 || def->rank > LC_MAX_RANK) return LC_OP_FAIL(ctx, "needs an output of fixed shape");
    ctx->out[1].shape.rank = def->rank;
    for (int32_t d = 0; d < def->rank; d++) ctx->out[1].shape.dims[d] = def->dims[d];
    return lc_infer_give(ctx, LC_UINT64, &ctx->in[0].shape);
}
