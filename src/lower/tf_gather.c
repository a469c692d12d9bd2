/*
 * tf_gather.c: reading by index (Gather, GatherV2, ResourceGather, GatherNd, XlaGather, OneHot), writing by index (ScatterNd,
 * TensorScatter*, Inplace*, SparseToDense), and rows sent to where numbers say (DynamicPartition, DynamicStitch).
 *
 * Several updates of one place: additions are SCATTER_ND, which adds; all else is STABLEHLO_SCATTER, which takes them one after another, so
 * the last wins as in TensorFlow.
 */
#include "lower/tf_array.h"

#define GATHERS (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL))
#define ONE_HOTS (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(BOOL))
#define SCATTER_NDS (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(BOOL))
#define SUMS (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64))
#define SPARSES (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(INT8) | LC_TF_T(UINT8))
#define LITERT_SPARSE_RANK 4 /* dimensions that LiteRT's SPARSE_TO_DENSE takes */

/* Indices as int32 or int64, which every gathering kernel takes. */
static int32_t indices_in(lc_tf_call *c, uint32_t i) {
    const int32_t x = lc_tf_in(c, i);
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c) || type == LC_INT64) return x;
    if (type != LC_INT32 && type != LC_INT16 && type != LC_INT8 && type != LC_UINT8)
        return lc_tf_fail(c, LC_INVALID, "its indices are %s, needs int32 or int64", lc_dtype_name(type));
    return lc_tf_int32(c, x);
}

/* ---- gather --------------------------------------------------------------------------------------------------------- */

static void gather(lc_tf_call *c, int64_t axis, int64_t batch) {
    const int32_t x = lc_tf_in(c, 0), indices = indices_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape p = lc_tf_ranked(c, x), i = lc_tf_ranked(c, indices);
    const int32_t d = lc_tf_axis(c, axis, p.rank);
    if (!lc_tf_ok(c)) return;
    if (batch < 0) batch += i.rank;
    if (batch < 0 || batch > d || batch > i.rank) {
        lc_tf_fail(c, LC_INVALID, "its batch_dims is %lld for axis %d and indices of %d dimensions", (long long)batch, d, i.rank);
        return;
    }
    if (type == LC_STRING && p.rank > 1) { /* GATHER takes strings from a vector only */
        if (d != 0) lc_tf_missing(c, "strings are gathered along the first dimension only");
        else lc_tf_give(c, 0, lc_tf_gather_nd(c, x, lc_tf_expand(c, indices, i.rank)));
        return;
    }
    const int32_t v = lc_tf_movable(c, x, GATHERS | LC_TF_T(STRING));
    if (v < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_gather(c, v, indices, d, (int32_t)batch), type));
}

void lc_tf_op_gather(lc_tf_call *c) { gather(c, 0, lc_tf_attr_int(c, "batch_dims", 0)); }

void lc_tf_op_gather_v2(lc_tf_call *c) {
    const int64_t axis = lc_tf_need_int(c, lc_tf_in(c, 2), "axis");
    const int64_t batch = lc_tf_attr_int(c, "batch_dims", 0);
    if (lc_tf_ok(c)) gather(c, axis, batch);
}

void lc_tf_op_gather_nd(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const int32_t indices = indices_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape i = lc_tf_ranked(c, indices);
    lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (i.rank < 1) {
        lc_tf_fail(c, LC_INVALID, "its indices are a scalar, need 1 dimension or more");
        return;
    }
    const int32_t v = lc_tf_movable(c, x, GATHERS | LC_TF_T(STRING));
    if (v < 0) return;
    if (i.dims[i.rank - 1] == 0) { /* no index at all: all of x, for each of them */
        const int32_t head = lc_tf_cut_at(c, lc_tf_shape_tensor(c, indices), 0, 0, -1);
        const int32_t parts[2] = {head, lc_tf_shape_tensor(c, v)};
        lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_broadcast(c, v, lc_tf_concat(c, parts, 2, 0)), type));
        return;
    }
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_gather_nd(c, v, indices), type));
}

/* Numbers of a repeated field of GatherDimensionNumbers, packed or one by one. */
static bool add_number(lc_tf_call *c, lc_vec_i64 *v, int64_t *values, uint64_t x) {
    if (v->n >= LC_MAX_RANK || x > INT32_MAX) {
        lc_tf_fail(c, LC_INVALID, "attribute \"dimension_numbers\" makes no sense");
        return false;
    }
    values[v->n++] = (int64_t)x;
    v->data = values;
    return true;
}

static bool varint(lc_str s, size_t *at, uint64_t *v) {
    *v = 0;
    for (uint32_t shift = 0; shift < 64 && *at < s.size; shift += 7) {
        const uint8_t byte = (uint8_t)s.data[(*at)++];
        *v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

/* GatherDimensionNumbers of XLA's xla_data.proto in wire form: offset_dims 1, collapsed_slice_dims 2, start_index_map 3,
 * index_vector_dim 4. */
static bool read_dimension_numbers(lc_tf_call *c, lc_str s, lc_StablehloGatherOptions *o) {
    int64_t *values = lc_build_data(c->b, 3 * LC_MAX_RANK * sizeof *values);
    lc_vec_i64 *fields[3] = {&o->offset_dims, &o->collapsed_slice_dims, &o->start_index_map};
    if (!values) return false;
    for (size_t at = 0; at < s.size;) {
        uint64_t key, v, size;
        if (!varint(s, &at, &key)) break;
        const uint64_t field = key >> 3, wire = key & 7;
        if (wire == 0 && varint(s, &at, &v)) {
            if (field == 4) o->index_vector_dim = v <= INT32_MAX ? (int64_t)v : -1;
            if (field >= 1 && field <= 3 && !add_number(c, fields[field - 1], values + (field - 1) * LC_MAX_RANK, v)) return false;
            continue;
        }
        if (wire != 2 || !varint(s, &at, &size) || size > s.size - at) {
            lc_tf_fail(c, LC_INVALID, "attribute \"dimension_numbers\" is damaged");
            return false;
        }
        const lc_str inner = {s.data, at + (size_t)size};
        while (field >= 1 && field <= 3 && at < inner.size) {
            if (!varint(inner, &at, &v)) {
                lc_tf_fail(c, LC_INVALID, "attribute \"dimension_numbers\" is damaged");
                return false;
            }
            if (!add_number(c, fields[field - 1], values + (field - 1) * LC_MAX_RANK, v)) return false;
        }
        at = inner.size;
    }
    return true;
}

void lc_tf_op_xla_gather(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), indices = indices_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    int64_t *sizes = lc_build_data(c->b, LC_MAX_RANK * sizeof *sizes);
    lc_StablehloGatherOptions o = {.indices_are_sorted = lc_tf_attr_bool(c, "indices_are_sorted", false)};
    if (!sizes || !read_dimension_numbers(c, lc_tf_attr_str(c, "dimension_numbers", ""), &o)) return;
    o.slice_sizes = (lc_vec_i64){sizes, lc_tf_need_ints(c, lc_tf_in(c, 2), "slice_sizes", sizes, LC_MAX_RANK)};
    lc_tf_ranked(c, x);
    const lc_shape s = lc_tf_ranked(c, indices); /* LiteRT ends the process over a vector dimension that is only implied */
    const int32_t spelt = o.index_vector_dim == s.rank ? lc_tf_expand(c, indices, s.rank) : indices;
    const int32_t in[2] = {lc_tf_movable(c, x, LC_TF_WIDTHS & ~LC_TF_T(BFLOAT16)), spelt};
    if (!lc_tf_ok(c) || in[0] < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_STABLEHLO_GATHER, LC_TABLE_StablehloGatherOptions, &o, in, 2), type));
}

void lc_tf_op_one_hot(lc_tf_call *c) {
    const int32_t x = indices_in(c, 0), depth = lc_tf_int32(c, lc_tf_in(c, 1)), on = lc_tf_in(c, 2), off = lc_tf_in(c, 3);
    const lc_dtype type = lc_tf_type(c, on);
    const lc_shape s = lc_tf_ranked(c, x);
    const int64_t axis = lc_tf_attr_int(c, "axis", -1);
    if (!lc_tf_ok(c)) return;
    const lc_OneHotOptions o = {.axis = axis == -1 ? -1 : lc_tf_axis(c, axis, s.rank + 1)};
    const int32_t in[4] = {x, depth, lc_tf_movable(c, on, ONE_HOTS), lc_tf_movable(c, off, ONE_HOTS)};
    if (in[2] < 0 || in[3] < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_ONE_HOT, LC_TABLE_OneHotOptions, &o, in, 4), type));
}

/* ---- scatter --------------------------------------------------------------------------------------------------------- */

/* One index vector and one update become a list of one, which every kernel takes. */
static void make_list(lc_tf_call *c, int32_t *indices, int32_t *updates) {
    if (lc_tf_ranked(c, *indices).rank != 1) return;
    *indices = lc_tf_expand(c, *indices, 0);
    *updates = lc_tf_expand(c, *updates, 0);
}

/* Zeros of this shape with the updates added. */
static int32_t scatter_sum(lc_tf_call *c, int32_t indices, int32_t updates, int32_t shape) {
    const lc_dtype type = lc_tf_type(c, updates);
    if (!lc_tf_ok(c)) return -1;
    if (type == LC_STRING || type == LC_COMPLEX64 || type == LC_COMPLEX128) {
        lc_tf_missing(c, "no builtin adds %s at indices", lc_dtype_name(type));
        return LC_ABSENT;
    }
    if (SCATTER_NDS >> type & 1) return lc_tf_scatter_nd(c, indices, updates, shape);
    if (LC_TF_SCATTERS >> type & 1)
        return lc_tf_scatter(c, LC_TF_FOLD_ADD, lc_tf_fill(c, lc_tf_int32(c, shape), lc_tf_scalar(c, 0, type)), indices, updates);
    const int32_t v = lc_tf_widen(c, updates, SCATTER_NDS);
    return v < 0 ? v : lc_tf_narrow(c, lc_tf_scatter_nd(c, indices, v, shape), type);
}

void lc_tf_op_scatter_nd(lc_tf_call *c) {
    int32_t indices = indices_in(c, 0), updates = lc_tf_in(c, 1);
    const int32_t shape = lc_tf_in(c, 2);
    make_list(c, &indices, &updates);
    const int32_t y = scatter_sum(c, indices, updates, shape);
    if (y >= 0) lc_tf_give(c, 0, y);
}

static void fold_into(lc_tf_call *c, lc_tf_fold fold, int32_t x, int32_t indices, int32_t updates) {
    make_list(c, &indices, &updates);
    const int32_t y = lc_tf_scatter(c, fold, x, indices, updates);
    if (y >= 0) lc_tf_give(c, 0, y);
}

void lc_tf_op_tensor_scatter_update(lc_tf_call *c) { fold_into(c, LC_TF_FOLD_UPDATE, lc_tf_in(c, 0), indices_in(c, 1), lc_tf_in(c, 2)); }

/* MAX and MIN compare; what is carried as another type would compare wrongly. */
static void order_into(lc_tf_call *c, lc_tf_fold fold) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t v = lc_tf_widen(c, x, LC_TF_SCATTERS & ~LC_TF_T(BOOL));
    int32_t indices = indices_in(c, 1), updates = v < 0 ? v : lc_tf_widen(c, lc_tf_in(c, 2), LC_TF_SCATTERS & ~LC_TF_T(BOOL));
    if (v < 0 || updates < 0) return;
    make_list(c, &indices, &updates);
    const int32_t y = lc_tf_scatter(c, fold, v, indices, updates);
    if (y >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}

void lc_tf_op_tensor_scatter_max(lc_tf_call *c) { order_into(c, LC_TF_FOLD_MAX); }
void lc_tf_op_tensor_scatter_min(lc_tf_call *c) { order_into(c, LC_TF_FOLD_MIN); }

/* x + or - what is scattered. */
static void sum_into(lc_tf_call *c, int32_t op, int32_t x, int32_t indices, int32_t updates) {
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c)) return;
    if (op == LC_OP_ADD && !(SUMS >> type & 1) && (LC_TF_SCATTERS & ~LC_TF_T(BOOL)) >> type & 1) {
        fold_into(c, LC_TF_FOLD_ADD, x, indices, updates);
        return;
    }
    const int32_t v = lc_tf_widen(c, x, SUMS);
    if (v < 0) return;
    updates = lc_tf_widen(c, updates, SUMS);
    make_list(c, &indices, &updates);
    const int32_t sums = lc_tf_scatter_nd(c, indices, updates, lc_tf_shape_tensor(c, v));
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_binary(c, op, v, sums), type));
}

void lc_tf_op_tensor_scatter_add(lc_tf_call *c) { sum_into(c, LC_OP_ADD, lc_tf_in(c, 0), indices_in(c, 1), lc_tf_in(c, 2)); }
void lc_tf_op_tensor_scatter_sub(lc_tf_call *c) { sum_into(c, LC_OP_SUB, lc_tf_in(c, 0), indices_in(c, 1), lc_tf_in(c, 2)); }

/* Inplace*: rows x[i] for a vector i; v whole for all of x when i is empty is not a form TensorFlow's converters write. */
static int32_t rows_in(lc_tf_call *c) {
    const int32_t i = indices_in(c, 1);
    const lc_shape s = lc_tf_rank_of(c, i, 1);
    return lc_tf_ok(c) ? lc_tf_expand(c, i, s.rank) : -1;
}
void lc_tf_op_inplace_update(lc_tf_call *c) { fold_into(c, LC_TF_FOLD_UPDATE, lc_tf_in(c, 0), rows_in(c), lc_tf_in(c, 2)); }
void lc_tf_op_inplace_add(lc_tf_call *c) { sum_into(c, LC_OP_ADD, lc_tf_in(c, 0), rows_in(c), lc_tf_in(c, 2)); }
void lc_tf_op_inplace_sub(lc_tf_call *c) { sum_into(c, LC_OP_SUB, lc_tf_in(c, 0), rows_in(c), lc_tf_in(c, 2)); }

/* Indices: a scalar, a vector (places in a vector), or [n, rank]; values: one for each, or one for all. */
void lc_tf_op_sparse_to_dense(lc_tf_call *c) {
    int32_t indices = indices_in(c, 0), values = lc_tf_in(c, 2);
    const int32_t shape = lc_tf_int32(c, lc_tf_in(c, 1)), otherwise = lc_tf_in(c, 3);
    const lc_dtype type = lc_tf_type(c, values);
    const lc_shape i = lc_tf_ranked(c, indices), s = lc_tf_rank_of(c, shape, 1), v = lc_tf_ranked(c, values);
    if (!lc_tf_ok(c)) return;
    if (i.rank > 2 || v.rank > 1) {
        lc_tf_fail(c, LC_INVALID, "its indices have %d dimensions and its values %d, at most 2 and 1", i.rank, v.rank);
        return;
    }
    const int32_t most = i.rank == 2 ? LITERT_SPARSE_RANK : 1;
    if (s.dims[0] >= 0 && s.dims[0] <= most && (SPARSES | LC_TF_T(BOOL)) >> type & 1) {
        const int32_t in[4] = {indices, shape, lc_tf_movable(c, values, SPARSES), lc_tf_movable(c, otherwise, SPARSES)};
        const lc_SparseToDenseOptions o = {.validate_indices = lc_tf_attr_bool(c, "validate_indices", true)};
        if (in[2] < 0 || in[3] < 0) return;
        lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_SPARSE_TO_DENSE, LC_TABLE_SparseToDenseOptions, &o, in, 4), type));
        return;
    }
    if (i.rank < 2) indices = lc_tf_split_dim(c, lc_tf_flat(c, indices), 0, (const int32_t[]){i.rank ? i.dims[0] : 1, 1}, 2);
    values = lc_tf_movable(c, values, LC_TF_SCATTERS);
    const int32_t filler = values < 0 ? values : lc_tf_movable(c, otherwise, LC_TF_SCATTERS);
    if (filler < 0) return;
    if (v.rank == 0) values = lc_tf_broadcast(c, values, lc_tf_cut_at(c, lc_tf_shape_tensor(c, indices), 0, 0, 1));
    const int32_t y = lc_tf_scatter(c, LC_TF_FOLD_UPDATE, lc_tf_fill(c, shape, filler), indices, values);
    if (y >= 0) lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

/* ---- rows to where numbers say ---------------------------------------------------------------------------------------------- */

/* Output k: the rows whose number is k, in their order. */
void lc_tf_op_dynamic_partition(lc_tf_call *c) {
    int32_t x = lc_tf_in(c, 0), numbers = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x), p = lc_tf_ranked(c, numbers);
    if (!lc_tf_ok(c)) return;
    if (p.rank == 0) {
        x = lc_tf_expand(c, x, 0);
        numbers = lc_tf_expand(c, numbers, 0);
    }
    if (p.rank > s.rank) {
        lc_tf_fail(c, LC_INVALID, "its partitions have %d dimensions, its data %d", p.rank, s.rank);
        return;
    }
    const int32_t v = lc_tf_movable(c, x, GATHERS | LC_TF_T(STRING));
    if (v < 0) return;
    for (uint32_t k = 0; k < c->out_count && lc_tf_ok(c); k++) {
        const int32_t is = lc_tf_with(c, LC_OP_EQUAL, numbers, k);
        lc_tf_give(c, k, lc_tf_moved(c, lc_tf_gather_nd(c, v, lc_tf_unary(c, LC_OP_WHERE, is)), type));
    }
}

/* Row indices[i] of the result is row i of the data; of several the last. For each row of the result: which row of the data comes there? */
void lc_tf_op_dynamic_stitch(lc_tf_call *c) {
    const uint32_t n = c->in_count / 2;
    if (n == 0) lc_tf_fail(c, LC_INVALID, "it has nothing to stitch");
    int32_t *parts = lc_build_data(c->b, (size_t)n * 2 * sizeof *parts);
    if (!parts) return;
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, n));
    for (uint32_t k = 0; k < n; k++) {
        const int32_t indices = lc_tf_in(c, k), data = lc_tf_in(c, n + k);
        const lc_shape i = lc_tf_ranked(c, indices), d = lc_tf_ranked(c, data);
        if (lc_tf_ok(c) && d.rank < i.rank) lc_tf_fail(c, LC_INVALID, "its indices have %d dimensions, its data %d", i.rank, d.rank);
        if (!lc_tf_ok(c)) return;
        parts[k] = lc_tf_flat(c, indices);
        parts[n + k] = lc_tf_merge_dims(c, data, 0, i.rank);
        parts[n + k] = lc_tf_movable(c, parts[n + k], GATHERS);
        if (parts[n + k] < 0) return;
    }
    const int32_t axis = 0, places = lc_tf_concat(c, parts, n, 0), rows = lc_tf_concat(c, parts + n, n, 0);
    int32_t size = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, places, &axis, 1, false);
    size = lc_tf_with(c, LC_OP_ADD, lc_tf_with(c, LC_OP_MAXIMUM, size, -1), 1);
    const int32_t from = lc_tf_segment(c, LC_TF_FOLD_MAX, lc_tf_range(c, lc_tf_dim(c, places, 0)), places, size, true);
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_gather(c, rows, lc_tf_with(c, LC_OP_MAXIMUM, from, 0), 0, 0), type));
}
