/*
 * tf_array.c: what the lowerings of array operators are built from (tf_array.h): types that an operator lacks, and makers of operators.
 *
 * A kernel that only moves elements is given them as integers of the same width: BITCAST out and back costs nothing and loses nothing, not
 * even the bits of a NaN. A kernel that computes is given a wider type, float32 for float16, bfloat16 and float64 (whose extra digits go).
 */
#include "lower/tf_array.h"
#include "lower/tf_impl.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

/* ---- types -------------------------------------------------------------------------------------------------------- */

static bool in_set(lc_tf_types types, lc_dtype type) { return (uint32_t)type < 32 && (types >> type & 1); }

static int32_t lacking(lc_tf_call *c, lc_dtype type) {
    lc_tf_missing(c, "no builtin does this for %s", lc_dtype_name(type));
    return LC_ABSENT;
}

static int32_t bitcast(lc_tf_call *c, int32_t x, lc_dtype type) {
    return lc_build_typed(c->b, LC_OP_BITCAST, LC_TABLE_BitcastOptions, NULL, &x, 1, type);
}

/* The first type of the list that is in the set, LC_DTYPE_COUNT when none is. */
static lc_dtype first_of(lc_tf_types types, const lc_dtype *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (in_set(types, list[i])) return list[i];
    return LC_DTYPE_COUNT;
}

/* A wider type with all values of `type`; float32 for the floats. */
static lc_dtype wider(lc_dtype type, lc_tf_types types) {
    static const lc_dtype small[] = {LC_INT16, LC_INT32, LC_INT64, LC_FLOAT32}, medium[] = {LC_INT32, LC_INT64, LC_FLOAT32},
                          large[] = {LC_INT64};
    switch (type) {
    case LC_BOOL:
    case LC_INT8:
    case LC_UINT8: return first_of(types, small, 4);
    case LC_INT16:
    case LC_UINT16: return first_of(types, medium, 3);
    case LC_INT32:
    case LC_UINT32: return first_of(types, large, 1);
    case LC_FLOAT16:
    case LC_BFLOAT16:
    case LC_FLOAT64: return in_set(types, LC_FLOAT32) ? LC_FLOAT32 : LC_DTYPE_COUNT;
    default: return LC_DTYPE_COUNT;
    }
}

int32_t lc_tf_movable(lc_tf_call *c, int32_t x, lc_tf_types types) {
    static const lc_dtype one[] = {LC_INT8, LC_UINT8}, two[] = {LC_INT16}, four[] = {LC_INT32, LC_UINT32}, eight[] = {LC_INT64};
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c) || in_set(types, type)) return x;
    lc_dtype as = LC_DTYPE_COUNT;
    switch (lc_dtype_bits(type)) {
    case 8: as = first_of(types, one, 2); break;
    case 16: as = first_of(types, two, 1); break;
    case 32: as = first_of(types, four, 2); break;
    case 64: as = first_of(types, eight, 1); break;
    default: break;
    }
    if (as != LC_DTYPE_COUNT) return bitcast(c, x, as);
    as = wider(type, types);
    return as == LC_DTYPE_COUNT ? lacking(c, type) : lc_build_cast(c->b, x, as);
}

int32_t lc_tf_moved(lc_tf_call *c, int32_t y, lc_dtype type) {
    if (y < 0 || !lc_tf_ok(c)) return y;
    const lc_dtype is = lc_tf_type(c, y);
    if (is == type) return y;
    return lc_dtype_bits(is) == lc_dtype_bits(type) ? bitcast(c, y, type) : lc_build_cast(c->b, y, type);
}

int32_t lc_tf_widen(lc_tf_call *c, int32_t x, lc_tf_types types) {
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c) || in_set(types, type)) return x;
    const lc_dtype as = wider(type, types);
    return as == LC_DTYPE_COUNT ? lacking(c, type) : lc_build_cast(c->b, x, as);
}

int32_t lc_tf_limit(lc_tf_call *c, lc_dtype type, bool largest) {
    switch (type) {
    case LC_INT64: {
        const int64_t v = largest ? INT64_MAX : INT64_MIN;
        int64_t *data = lc_build_data(c->b, sizeof v);
        if (!data) return -1;
        *data = v;
        return lc_build_const(c->b, "limit", LC_INT64, NULL, 0, data, sizeof v, true);
    }
    case LC_BOOL: return lc_tf_scalar(c, largest ? 1 : 0, type);
    case LC_INT8: return lc_tf_scalar(c, largest ? INT8_MAX : INT8_MIN, type);
    case LC_INT16: return lc_tf_scalar(c, largest ? INT16_MAX : INT16_MIN, type);
    case LC_INT32: return lc_tf_scalar(c, largest ? INT32_MAX : INT32_MIN, type);
    case LC_UINT8: return lc_tf_scalar(c, largest ? UINT8_MAX : 0, type);
    case LC_UINT16: return lc_tf_scalar(c, largest ? UINT16_MAX : 0, type);
    case LC_UINT32: return lc_tf_scalar(c, largest ? UINT32_MAX : 0, type);
    case LC_FLOAT16: return lc_tf_scalar(c, largest ? 65504 : -65504, type);
    case LC_FLOAT32: return lc_tf_scalar(c, largest ? (double)FLT_MAX : -(double)FLT_MAX, type);
    case LC_FLOAT64: return lc_tf_scalar(c, largest ? DBL_MAX : -DBL_MAX, type);
    default:
        return lc_tf_fail(c, LC_UNSUPPORTED, "litec does not write the %s value of %s", largest ? "largest" : "smallest",
                          lc_dtype_name(type));
    }
}

/* ---- vectors and sizes ------------------------------------------------------------------------------------------------ */

void *lc_tf_table_data(lc_tf_call *c, uint64_t count, size_t size) {
    uint64_t bytes = 0;
    if (!lc_tf_ok(c)) return NULL;
    if (!lc_mul_u64(count, size, &bytes) || bytes > SIZE_MAX / 2) {
        lc_tf_fail(c, LC_LIMIT, "it needs a table of %llu elements", (unsigned long long)count);
        return NULL;
    }
    if (!lc_tf_take(c, lc_budget_memory(&c->lower->budget, bytes, "tables of indices", c->lower->err))) return NULL;
    return lc_build_data(c->b, bytes ? (size_t)bytes : 1);
}

int32_t lc_tf_vector(lc_tf_call *c, const int32_t *values, int32_t n) { return lc_build_ints(c->b, "vector", values, (uint32_t)n); }

int32_t lc_tf_entry(lc_tf_call *c, int32_t vector, int32_t i) { return lc_tf_pick(c, vector, 0, i); }

int32_t lc_tf_dim(lc_tf_call *c, int32_t x, int32_t axis) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return -1;
    if (s.dims[axis] >= 0) return lc_tf_scalar(c, s.dims[axis], LC_INT32);
    return lc_tf_entry(c, lc_tf_shape_tensor(c, x), axis);
}

int32_t lc_tf_vector_of(lc_tf_call *c, const int32_t *tensors, const int32_t *values, int32_t n) {
    int32_t parts[2 * LC_MAX_RANK];
    bool fixed = true;
    if (n > 2 * LC_MAX_RANK) return lc_tf_fail(c, LC_UNSUPPORTED, "a shape of %d dimensions; litec runs up to %d", n, LC_MAX_RANK);
    for (int32_t i = 0; i < n; i++) fixed = fixed && tensors[i] == LC_ABSENT;
    if (fixed) return lc_tf_vector(c, values, n);
    for (int32_t i = 0; i < n; i++) parts[i] = tensors[i] == LC_ABSENT ? lc_tf_scalar(c, values[i], LC_INT32) : tensors[i];
    return lc_tf_pack(c, parts, (uint32_t)n, 0);
}

int32_t lc_tf_count(lc_tf_call *c, int32_t x, int32_t from, int32_t to) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return -1;
    int64_t known = 1;
    int32_t product = LC_ABSENT;
    for (int32_t d = from; d < to; d++) {
        if (s.dims[d] >= 0)
            known *= s.dims[d] <= INT32_MAX / (known ? known : 1) ? s.dims[d] : 1; /* what no tensor can have fails elsewhere */
        else if (product == LC_ABSENT) product = lc_tf_dim(c, x, d);
        else product = lc_tf_binary(c, LC_OP_MUL, product, lc_tf_dim(c, x, d));
    }
    if (product == LC_ABSENT) return lc_tf_scalar(c, (double)known, LC_INT32);
    return known == 1 ? product : lc_tf_with(c, LC_OP_MUL, product, (double)known);
}

/* ---- one operator each -------------------------------------------------------------------------------------------------- */

int32_t lc_tf_gather(lc_tf_call *c, int32_t params, int32_t indices, int32_t axis, int32_t batch_dims) {
    const int32_t in[2] = {params, indices};
    const lc_GatherOptions o = {.axis = axis, .batch_dims = batch_dims};
    return lc_build_op(c->b, LC_OP_GATHER, LC_TABLE_GatherOptions, &o, in, 2);
}

int32_t lc_tf_gather_nd(lc_tf_call *c, int32_t params, int32_t indices) {
    const int32_t in[2] = {params, indices};
    return lc_build_op(c->b, LC_OP_GATHER_ND, LC_TABLE_GatherNdOptions, NULL, in, 2);
}

int32_t lc_tf_concat(lc_tf_call *c, const int32_t *parts, uint32_t n, int32_t axis) {
    if (n == 1) return parts[0];
    const lc_ConcatenationOptions o = {.axis = axis};
    return lc_build_op(c->b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, parts, n);
}

int32_t lc_tf_pack(lc_tf_call *c, const int32_t *parts, uint32_t n, int32_t axis) {
    const lc_PackOptions o = {.values_count = (int32_t)n, .axis = axis};
    return lc_build_op(c->b, LC_OP_PACK, LC_TABLE_PackOptions, &o, parts, n);
}

int32_t lc_tf_range(lc_tf_call *c, int32_t limit) {
    const int32_t zero = lc_tf_scalar(c, 0, LC_INT32), in[3] = {zero, limit, lc_tf_scalar(c, 1, LC_INT32)};
    return lc_build_op(c->b, LC_OP_RANGE, LC_TABLE_RangeOptions, NULL, in, 3);
}

int32_t lc_tf_fill(lc_tf_call *c, int32_t dims, int32_t value) {
    const int32_t in[2] = {dims, value};
    return lc_build_op(c->b, LC_OP_FILL, LC_TABLE_FillOptions, NULL, in, 2);
}

int32_t lc_tf_scatter_nd(lc_tf_call *c, int32_t indices, int32_t updates, int32_t shape) {
    const int32_t in[3] = {lc_tf_int32(c, indices), updates, lc_tf_int32(c, shape)};
    return lc_build_op(c->b, LC_OP_SCATTER_ND, LC_TABLE_ScatterNdOptions, NULL, in, 3);
}

int32_t lc_tf_padv2(lc_tf_call *c, int32_t x, const int32_t *pads, int32_t rank, int32_t value) {
    const int32_t in[3] = {x, lc_build_int_matrix(c->b, "paddings", pads, rank, 2), value};
    return lc_build_op(c->b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
}

int32_t lc_tf_transpose(lc_tf_call *c, int32_t x, const int32_t *perm, int32_t rank) { return lc_build_transpose(c->b, x, perm, rank); }

int32_t lc_tf_swap_last(lc_tf_call *c, int32_t x) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t perm[LC_MAX_RANK];
    if (!lc_tf_ok(c)) return -1;
    if (s.rank < 2) return lc_tf_fail(c, LC_INVALID, "has %d dimensions, matrices have 2 or more", s.rank);
    for (int32_t d = 0; d < s.rank; d++) perm[d] = d < s.rank - 2 ? d : 2 * s.rank - 3 - d;
    return lc_tf_transpose(c, x, perm, s.rank);
}

int32_t lc_tf_cumsum(lc_tf_call *c, int32_t x, int32_t axis, bool exclusive, bool reverse) {
    const int32_t in[2] = {x, lc_tf_scalar(c, axis, LC_INT32)};
    const lc_CumsumOptions o = {.exclusive = exclusive, .reverse = reverse};
    return lc_build_op(c->b, LC_OP_CUMSUM, LC_TABLE_CumsumOptions, &o, in, 2);
}

int32_t lc_tf_broadcast(lc_tf_call *c, int32_t x, int32_t shape) {
    const int32_t in[2] = {x, shape};
    return lc_build_op(c->b, LC_OP_BROADCAST_TO, LC_TABLE_BroadcastToOptions, NULL, in, 2);
}

int32_t lc_tf_reverse(lc_tf_call *c, int32_t x, int32_t axis) {
    const int32_t in[2] = {x, lc_tf_vector(c, &axis, 1)};
    return lc_build_op(c->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, in, 2);
}

void lc_tf_top_k(lc_tf_call *c, int32_t x, int32_t k, int32_t *values, int32_t *indices) {
    const int32_t in[2] = {x, k};
    int32_t out[2];
    lc_build_op_multi(c->b, LC_OP_TOPK_V2, LC_TABLE_TopKV2Options, NULL, in, 2, out, 2);
    *values = out[0];
    *indices = out[1];
}

int32_t lc_tf_sort_order(lc_tf_call *c, int32_t x) {
    int32_t values, order;
    lc_tf_top_k(c, lc_tf_unary(c, LC_OP_NEG, x), lc_tf_dim(c, x, 0), &values, &order);
    return order;
}

/* ---- other shapes ----------------------------------------------------------------------------------------------------------- */

/* RESHAPE to dims, open where negative: those of x's dimensions from[i] (LC_ABSENT: none, then one of them may stay open). */
static int32_t reshape_to(lc_tf_call *c, int32_t x, const lc_shape *out, const int32_t *from) {
    int32_t open = 0, tensors[LC_MAX_RANK];
    bool empty = false;
    if (!lc_tf_ok(c)) return -1;
    if (out->rank > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "would have %d dimensions; litec runs up to %d", out->rank, LC_MAX_RANK);
    for (int32_t d = 0; d < out->rank; d++) {
        open += out->dims[d] < 0;
        empty = empty || out->dims[d] == 0;
    }
    if (open == 0 || (open == 1 && !empty)) return lc_tf_reshape(c, x, out->dims, out->rank);
    const int32_t shape = lc_tf_shape_tensor(c, x);
    for (int32_t d = 0; d < out->rank; d++) tensors[d] = out->dims[d] < 0 && from[d] >= 0 ? lc_tf_entry(c, shape, from[d]) : LC_ABSENT;
    return lc_tf_reshape_like(c, x, lc_tf_vector_of(c, tensors, out->dims, out->rank));
}

int32_t lc_tf_expand(lc_tf_call *c, int32_t x, int32_t axis) {
    const lc_shape s = lc_tf_ranked(c, x);
    lc_shape out = {.rank = s.rank + 1};
    int32_t open = 0;
    bool empty = false;
    if (!lc_tf_ok(c)) return -1;
    if (out.rank > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "would have %d dimensions; litec runs up to %d", out.rank, LC_MAX_RANK);
    for (int32_t d = 0; d < out.rank; d++) {
        out.dims[d] = d == axis ? 1 : s.dims[d < axis ? d : d - 1];
        open += out.dims[d] < 0;
        empty = empty || out.dims[d] == 0;
    }
    if (open == 0 || (open == 1 && !empty)) return lc_tf_reshape(c, x, out.dims, out.rank);
    const int32_t in[2] = {x, lc_tf_scalar(c, axis, LC_INT32)};
    return lc_build_op(c->b, LC_OP_EXPAND_DIMS, LC_TABLE_ExpandDimsOptions, NULL, in, 2);
}

int32_t lc_tf_squeeze(lc_tf_call *c, int32_t x, int32_t axis) { return lc_tf_pick(c, x, axis, 0); }

int32_t lc_tf_flat(lc_tf_call *c, int32_t x) {
    const lc_shape s = lc_tf_shape(c, x);
    const int32_t all = -1;
    if (s.rank == 1) return x;
    return lc_tf_reshape(c, x, &all, 1);
}

int32_t lc_tf_merge_dims(lc_tf_call *c, int32_t x, int32_t from, int32_t to) {
    const lc_shape s = lc_tf_ranked(c, x);
    lc_shape out = {0};
    int32_t source[LC_MAX_RANK];
    int64_t merged = 1;
    if (!lc_tf_ok(c) || to - from == 1) return x;
    if (s.rank - (to - from) + 1 > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "would have %d dimensions; litec runs up to %d", s.rank + 1, LC_MAX_RANK);
    for (int32_t d = from; d < to; d++) merged = merged < 0 || s.dims[d] < 0 ? -1 : merged * s.dims[d];
    for (int32_t d = 0; d < from; d++) {
        source[out.rank] = d;
        out.dims[out.rank++] = s.dims[d];
    }
    source[out.rank] = LC_ABSENT;           /* where another is open too, this one is what is left */
    out.dims[out.rank++] = (int32_t)merged; /* no tensor has over INT32_MAX elements */
    for (int32_t d = to; d < s.rank; d++) {
        source[out.rank] = d;
        out.dims[out.rank++] = s.dims[d];
    }
    return reshape_to(c, x, &out, source);
}

int32_t lc_tf_split_dim(lc_tf_call *c, int32_t x, int32_t axis, const int32_t *dims, int32_t n) {
    const lc_shape s = lc_tf_ranked(c, x);
    lc_shape out = {0};
    int32_t source[LC_MAX_RANK];
    if (!lc_tf_ok(c)) return -1;
    if (s.rank - 1 + n > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "would have %d dimensions; litec runs up to %d", s.rank - 1 + n, LC_MAX_RANK);
    for (int32_t d = 0; d < s.rank; d++) {
        for (int32_t i = 0; d == axis && i < n; i++) {
            source[out.rank] = LC_ABSENT;
            out.dims[out.rank++] = dims[i];
        }
        if (d == axis) continue;
        source[out.rank] = d;
        out.dims[out.rank++] = s.dims[d];
    }
    return reshape_to(c, x, &out, source);
}

/* ---- slices -------------------------------------------------------------------------------------------------------------------- */

/* STRIDED_SLICE of one dimension. */
static int32_t slice_one(lc_tf_call *c, int32_t x, int32_t axis, int32_t begin, int32_t end, int32_t step, bool from, bool to,
                         bool shrink) {
    int32_t strides[LC_MAX_RANK];
    const int32_t rest = (int32_t)((1u << axis) - 1), bit = (int32_t)(1u << axis);
    for (int32_t d = 0; d <= axis; d++) strides[d] = d == axis ? step : 1;
    const lc_StridedSliceOptions o = {
        .begin_mask = rest | (from ? bit : 0), .end_mask = rest | (to ? bit : 0), .shrink_axis_mask = shrink ? bit : 0};
    const int32_t in[4] = {x, begin, end, lc_tf_vector(c, strides, axis + 1)};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
}

/* A vector [axis + 1] that is 0 but for its last entry. */
static int32_t at_axis(lc_tf_call *c, int32_t axis, int32_t scalar, int32_t value) {
    int32_t tensors[LC_MAX_RANK], values[LC_MAX_RANK] = {0};
    for (int32_t d = 0; d < axis; d++) tensors[d] = LC_ABSENT;
    tensors[axis] = scalar;
    values[axis] = value;
    return lc_tf_vector_of(c, tensors, values, axis + 1);
}

static bool good_axis(lc_tf_call *c, int32_t x, int32_t axis) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return false;
    if (axis >= 0 && axis < s.rank) return true;
    lc_tf_fail(c, LC_INVALID, "dimension %d of a tensor with %d", axis, s.rank);
    return false;
}

int32_t lc_tf_cut(lc_tf_call *c, int32_t x, int32_t axis, int32_t from, int32_t to, int32_t step) {
    if (!good_axis(c, x, axis)) return -1;
    const int32_t first = at_axis(c, axis, from, 0), end = at_axis(c, axis, to, 0);
    return slice_one(c, x, axis, first, end, step, from == LC_ABSENT, to == LC_ABSENT, false);
}

int32_t lc_tf_cut_at(lc_tf_call *c, int32_t x, int32_t axis, int32_t from, int32_t to) {
    if (!good_axis(c, x, axis)) return -1;
    const int32_t first = at_axis(c, axis, LC_ABSENT, from),
                  end = at_axis(c, axis, LC_ABSENT, to); /* in this order: the same bytes everywhere */
    return slice_one(c, x, axis, first, end, 1, from == 0, to == 0, false);
}

int32_t lc_tf_pick(lc_tf_call *c, int32_t x, int32_t axis, int32_t i) {
    if (!good_axis(c, x, axis)) return -1;
    const lc_shape s = lc_tf_shape(c, x);
    int32_t open = 0;
    for (int32_t d = 0; d < s.rank; d++) open += s.dims[d] < 0;
    if (s.dims[axis] == 1 && open <= 1 && (i == 0 || i == -1)) { /* nothing is cut: another shape will do */
        int32_t dims[LC_MAX_RANK], n = 0;
        bool empty = false;
        for (int32_t d = 0; d < s.rank; d++) {
            empty = empty || s.dims[d] == 0;
            if (d != axis) dims[n++] = s.dims[d];
        }
        if (!empty || !open) return lc_tf_reshape(c, x, dims, n);
    }
    const int32_t first = at_axis(c, axis, LC_ABSENT, i), end = at_axis(c, axis, LC_ABSENT, i + 1);
    return slice_one(c, x, axis, first, end, 1, false, false, true);
}

/* ---- scatter ---------------------------------------------------------------------------------------------------------------------- */

/* The graph that says how STABLEHLO_SCATTER folds: two scalars in, one out. One for each fold and type in a model. */
static int32_t region(lc_tf_call *c, lc_tf_fold fold, lc_dtype type) {
    static const struct {
        const char *name;
        int32_t op;
    } rows[] = {[LC_TF_FOLD_UPDATE] = {"update", LC_OP_NONE},
                [LC_TF_FOLD_ADD] = {"add", LC_OP_STABLEHLO_ADD},
                [LC_TF_FOLD_MUL] = {"mul", LC_OP_STABLEHLO_MULTIPLY},
                [LC_TF_FOLD_MAX] = {"max", LC_OP_STABLEHLO_MAXIMUM},
                [LC_TF_FOLD_MIN] = {"min", LC_OP_STABLEHLO_MINIMUM}};
    lc_model *model = c->b->model;
    char name[48];
    if (!lc_tf_ok(c)) return -1;
    snprintf(name, sizeof name, "scatter_%s_%s", rows[fold].name, lc_dtype_name(type));
    for (size_t i = 0; i < model->graph_count; i++)
        if (lc_str_is(model->graphs[i]->name, name)) return (int32_t)i;
    const char *kept = lc_arena_strndup(&model->arena, name, strlen(name));
    lc_graph *g = kept ? lc_model_add_graph(model, lc_str_of(kept)) : NULL;
    if (!g) {
        lc_build_check(c->b, lc_fail_memory(c->b->err, "graph"));
        return -1;
    }
    static const char *const names[] = {"is", "update", "becomes"};
    int32_t t[3];
    for (int i = 0; i < (rows[fold].op == LC_OP_NONE ? 2 : 3); i++) {
        const lc_tensor proto = {.name = lc_str_of(names[i]), .type = type, .has_rank = true, .data_at = LC_NO_OFFSET};
        if (!lc_build_check(c->b, lc_graph_add_tensor(g, &proto, &t[i], c->b->err))) return -1;
        if (i < 2 && !lc_build_check(c->b, lc_graph_add_input(g, t[i], c->b->err))) return -1;
    }
    lc_node *node;
    if (rows[fold].op == LC_OP_NONE) t[2] = t[1];
    else if (!lc_build_check(c->b, lc_graph_add_node(g, rows[fold].op, LC_TABLE_NONE, NULL, t, 2, &t[2], 1, &node, c->b->err))) return -1;
    if (!lc_build_check(c->b, lc_graph_add_output(g, t[2], c->b->err))) return -1;
    return (int32_t)(model->graph_count - 1);
}

int32_t lc_tf_scatter(lc_tf_call *c, lc_tf_fold fold, int32_t x, int32_t indices, int32_t updates) {
    const lc_dtype type = lc_tf_type(c, x);
    x = lc_tf_movable(c, x, LC_TF_SCATTERS);
    updates = lc_tf_movable(c, updates, LC_TF_SCATTERS);
    const lc_shape i = lc_tf_ranked(c, indices), u = lc_tf_ranked(c, updates), s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c) || x < 0 || updates < 0) return -1;
    if (i.rank < 1) return lc_tf_fail(c, LC_INVALID, "its indices are a scalar, need 1 dimension or more");
    const int32_t outer = i.rank - 1, depth = i.dims[outer];
    if (depth < 0) return lc_tf_fail(c, LC_UNSUPPORTED, "the length of its index vectors is not known");
    if (depth > s.rank || u.rank != outer + s.rank - depth)
        return lc_tf_fail(c, LC_INVALID, "index vectors of %d numbers and updates of %d dimensions for a tensor of %d", depth, u.rank,
                          s.rank);
    int64_t *dims = lc_build_data(c->b, (size_t)3 * LC_MAX_RANK * sizeof *dims);
    if (!dims) return -1;
    lc_StablehloScatterOptions o = {.index_vector_dim = outer,
                                    .update_window_dims = {dims, (uint32_t)(u.rank - outer)},
                                    .inserted_window_dims = {dims + LC_MAX_RANK, (uint32_t)depth},
                                    .scatter_dims_to_operand_dims = {dims + 2 * LC_MAX_RANK, (uint32_t)depth}};
    for (int32_t d = outer; d < u.rank; d++) dims[d - outer] = d;
    for (int32_t d = 0; d < depth; d++) dims[LC_MAX_RANK + d] = dims[2 * LC_MAX_RANK + d] = d;
    o.update_computation_subgraph_index = region(c, fold, lc_tf_type(c, x));
    const int32_t in[3] = {x, lc_tf_int32(c, indices), updates};
    return lc_tf_moved(c, lc_build_op(c->b, LC_OP_STABLEHLO_SCATTER, LC_TABLE_StablehloScatterOptions, &o, in, 3), type);
}
