/*
 * tf_sparse.c: sparse and ragged tensors, which TFLite has not: they stay what they are in the graph, lists of places and of values, and
 * their operators become arithmetic on these lists. SparseReorder, SparseReshape, SparseFillEmptyRows, SparseTensorDenseMatMul,
 * SparseTensorDenseAdd, SparseReduceSum; RaggedTensorToTensor, RaggedTensorToSparse, RaggedRange, RaggedGather.
 *
 * Places are counted in int32: up to 2^31 - 1 elements of the dense tensor. Their int64 form is restored at the outputs.
 */
#include "lower/tf_array.h"

#define PRODUCTS (LC_TF_T(FLOAT32) | LC_TF_T(INT32))
#define VALUES LC_TF_NUMBERS
#define MOST_LEVELS (LC_MAX_RANK - 1)

static int32_t int64_of(lc_tf_call *c, int32_t x) { return lc_build_cast(c->b, x, LC_INT64); }
static int32_t pair(lc_tf_call *c, int32_t a, int32_t b, int32_t axis) {
    const int32_t parts[2] = {a, b};
    return lc_tf_concat(c, parts, 2, axis);
}

/* Input i: places [n, rank] as int32; *rank becomes what it must be known to be. */
static int32_t places_in(lc_tf_call *c, uint32_t i, int32_t *rank) {
    const int32_t x = lc_tf_int32(c, lc_tf_in(c, i));
    const lc_shape s = lc_tf_rank_of(c, x, 2);
    *rank = 0;
    if (!lc_tf_ok(c)) return -1;
    if (s.dims[1] < 1 || s.dims[1] > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "the number of dimensions of its sparse tensor is not known, or over %d", LC_MAX_RANK);
    *rank = s.dims[1];
    return x;
}

/* Entry k of a shape vector of `rank` entries, times those behind it (from k on). */
static int32_t tail_product(lc_tf_call *c, int32_t shape, int32_t k, int32_t rank) {
    int32_t product = lc_tf_scalar(c, 1, LC_INT32);
    for (int32_t i = k; i < rank; i++) product = lc_tf_binary(c, LC_OP_MUL, product, lc_tf_entry(c, shape, i));
    return product;
}

/* The number of each place in row-major order. */
static int32_t numbers_of(lc_tf_call *c, int32_t places, int32_t shape, int32_t rank) {
    int32_t sum = lc_tf_pick(c, places, 1, rank - 1);
    for (int32_t k = rank - 2; k >= 0; k--) {
        const int32_t stride = tail_product(c, shape, k + 1, rank);
        sum = lc_tf_binary(c, LC_OP_ADD, sum, lc_tf_binary(c, LC_OP_MUL, lc_tf_pick(c, places, 1, k), stride));
    }
    return sum;
}

/* ---- sparse -------------------------------------------------------------------------------------------------------- */

void lc_tf_op_sparse_reorder(lc_tf_call *c) {
    int32_t rank;
    const int32_t places = places_in(c, 0, &rank), values = lc_tf_in(c, 1), shape = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_dtype type = lc_tf_type(c, values);
    const int32_t v = lc_tf_ok(c) ? lc_tf_movable(c, values, VALUES | LC_TF_T(STRING)) : -1;
    if (v < 0) return;
    const int32_t order = lc_tf_sort_order(c, numbers_of(c, places, shape, rank));
    lc_tf_give(c, 0, int64_of(c, lc_tf_gather(c, places, order, 0, 0)));
    lc_tf_give(c, 1, lc_tf_moved(c, lc_tf_gather(c, v, order, 0, 0), type));
}

void lc_tf_op_sparse_reshape(lc_tf_call *c) {
    int32_t rank, axis = 0;
    const int32_t places = places_in(c, 0, &rank), shape = lc_tf_int32(c, lc_tf_in(c, 1)), wanted = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_shape s = lc_tf_rank_of(c, wanted, 1);
    int32_t columns[LC_MAX_RANK];
    if (!lc_tf_ok(c)) return;
    if (s.dims[0] < 1 || s.dims[0] > LC_MAX_RANK) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the number of dimensions of the new shape is not known, or over %d", LC_MAX_RANK);
        return;
    }
    /* a dimension of -1 is what is left */
    const int32_t one = lc_tf_scalar(c, 1, LC_INT32), free = lc_tf_with(c, LC_OP_LESS, wanted, 0);
    const int32_t fixed = lc_build_reduce(c->b, LC_OP_REDUCE_PROD, lc_build_select(c->b, free, one, wanted), &axis, 1, false);
    const int32_t all = lc_build_reduce(c->b, LC_OP_REDUCE_PROD, shape, &axis, 1, false);
    const int32_t rest = lc_tf_binary(c, LC_OP_FLOOR_DIV, all, lc_tf_with(c, LC_OP_MAXIMUM, fixed, 1));
    const int32_t becomes = lc_build_select(c->b, free, rest, wanted), number = numbers_of(c, places, shape, rank);
    for (int32_t k = 0; k < s.dims[0]; k++) {
        const int32_t stride = lc_tf_with(c, LC_OP_MAXIMUM, tail_product(c, becomes, k + 1, s.dims[0]), 1);
        columns[k] = lc_tf_binary(c, LC_OP_FLOOR_DIV, number, stride);
        if (k) columns[k] = lc_tf_binary(c, LC_OP_FLOOR_MOD, columns[k], lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_entry(c, becomes, k), 1));
    }
    lc_tf_give(c, 0, int64_of(c, lc_tf_pack(c, columns, (uint32_t)s.dims[0], 1)));
    lc_tf_give(c, 1, int64_of(c, becomes));
}

/* Rows without a value get one, at column 0. */
void lc_tf_op_sparse_fill_empty_rows(lc_tf_call *c) {
    int32_t rank;
    const int32_t places = places_in(c, 0, &rank), values = lc_tf_in(c, 1), shape = lc_tf_int32(c, lc_tf_in(c, 2)), given = lc_tf_in(c, 3);
    const lc_dtype type = lc_tf_type(c, values);
    const int32_t v = lc_tf_ok(c) ? lc_tf_movable(c, values, VALUES) : -1, filler = v < 0 ? v : lc_tf_movable(c, given, VALUES);
    if (filler < 0) return;
    const int32_t rows = lc_tf_pick(c, places, 1, 0), n = lc_tf_dim(c, rows, 0);
    const int32_t ones = lc_tf_fill(c, lc_tf_shape_tensor(c, rows), lc_tf_scalar(c, 1, LC_INT32));
    const int32_t count = lc_tf_segment(c, LC_TF_FOLD_ADD, ones, rows, lc_tf_entry(c, shape, 0), true);
    const int32_t empty = lc_tf_with(c, LC_OP_EQUAL, count, 0);
    int32_t more = lc_tf_int32(c, lc_tf_unary(c, LC_OP_WHERE, empty)); /* [m, 1] */
    const int32_t fills = lc_tf_fill(c, lc_tf_cut_at(c, lc_tf_shape_tensor(c, more), 0, 0, 1), filler);
    if (rank > 1) {
        const int32_t in[2] = {more, lc_build_int_matrix(c->b, "paddings", (const int32_t[]){0, 0, 0, rank - 1}, 2, 2)};
        more = lc_build_op(c->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
    }
    const int32_t all = pair(c, places, more, 0), order = lc_tf_sort_order(c, lc_tf_pick(c, all, 1, 0));
    const int32_t shape_of = lc_tf_shape_tensor(c, order), count_all = lc_tf_entry(c, shape_of, 0);
    const int32_t back = lc_tf_scatter_nd(c, lc_tf_expand(c, order, 1), lc_tf_range(c, count_all), shape_of);
    lc_tf_give(c, 0, int64_of(c, lc_tf_gather(c, all, order, 0, 0)));
    lc_tf_give(c, 1, lc_tf_moved(c, lc_tf_gather(c, pair(c, v, fills, 0), order, 0, 0), type));
    lc_tf_give(c, 2, empty);
    lc_tf_give(c, 3, int64_of(c, lc_tf_cut(c, back, 0, LC_ABSENT, n, 1)));
}

/* Row r of the product: values of row r of a, each times the row of b that its column names. */
void lc_tf_op_sparse_mat_mul(lc_tf_call *c) {
    int32_t rank;
    const int32_t places = places_in(c, 0, &rank), values = lc_tf_in(c, 1), shape = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_dtype type = lc_tf_type(c, values);
    const bool flip = lc_tf_attr_bool(c, "adjoint_a", false);
    int32_t b = lc_tf_in(c, 3);
    lc_tf_rank_of(c, b, 2);
    if (lc_tf_ok(c) && rank != 2) lc_tf_fail(c, LC_INVALID, "its sparse tensor has %d dimensions, needs 2", rank);
    const int32_t v = lc_tf_ok(c) ? lc_tf_widen(c, values, PRODUCTS) : -1;
    if (v < 0 || (b = lc_tf_widen(c, b, PRODUCTS)) < 0) return;
    if (lc_tf_attr_bool(c, "adjoint_b", false)) b = lc_tf_swap_last(c, b);
    const int32_t row = lc_tf_pick(c, places, 1, flip), column = lc_tf_pick(c, places, 1, !flip);
    const int32_t terms = lc_tf_binary(c, LC_OP_MUL, lc_tf_gather(c, b, column, 0, 0), lc_tf_expand(c, v, 1));
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_segment(c, LC_TF_FOLD_ADD, terms, row, lc_tf_entry(c, shape, flip), true), type));
}

#define SUMS (LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64))

void lc_tf_op_sparse_dense_add(lc_tf_call *c) {
    int32_t rank;
    const int32_t places = places_in(c, 0, &rank), values = lc_tf_in(c, 1), shape = lc_tf_in(c, 2), b = lc_tf_in(c, 3);
    const lc_dtype type = lc_tf_type(c, b);
    const int32_t v = lc_tf_ok(c) ? lc_tf_widen(c, values, SUMS) : -1, dense = v < 0 ? v : lc_tf_widen(c, b, SUMS);
    if (dense < 0) return;
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_binary(c, LC_OP_ADD, dense, lc_tf_scatter_nd(c, places, v, shape)), type));
}

void lc_tf_op_sparse_reduce_sum(lc_tf_call *c) {
    int32_t rank, axes[LC_MAX_RANK];
    int64_t named[LC_MAX_RANK];
    const int32_t places = places_in(c, 0, &rank), values = lc_tf_in(c, 1), shape = lc_tf_in(c, 2);
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 3), "axis", named, LC_MAX_RANK);
    const bool keep = lc_tf_attr_bool(c, "keep_dims", false);
    const lc_dtype type = lc_tf_type(c, values);
    const int32_t v = lc_tf_ok(c) ? lc_tf_widen(c, values, SUMS) : -1;
    if (v < 0) return;
    for (int32_t d = 0; d < LC_MAX_RANK; d++) axes[d] = d;
    for (uint32_t i = 0; i < n; i++) axes[i] = lc_tf_axis(c, named[i], rank);
    const int32_t dense = lc_tf_scatter_nd(c, places, v, shape);
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_build_reduce(c->b, LC_OP_SUM, dense, axes, n ? n : (uint32_t)rank, keep), type));
}

/* ---- ragged -------------------------------------------------------------------------------------------------------------- */

/* Which row each of n values is of, from the rows' splits [rows + 1]: how many rows have ended before it. */
static int32_t rows_of(lc_tf_call *c, int32_t splits, int32_t n) {
    const int32_t ends = lc_tf_cut_at(c, splits, 0, 1, -1);
    const int32_t ones = lc_tf_fill(c, lc_tf_shape_tensor(c, ends), lc_tf_scalar(c, 1, LC_INT32));
    return lc_tf_cumsum(c, lc_tf_segment(c, LC_TF_FOLD_ADD, ones, ends, n, false), 0, false, false);
}

/* Splits of rows of these lengths. */
static int32_t splits_of(lc_tf_call *c, int32_t lengths) {
    const int32_t zero = 0;
    return pair(c, lc_tf_vector(c, &zero, 1), lc_tf_cumsum(c, lengths, 0, false, false), 0);
}

/* How far value i is from the first of its row. */
static int32_t within_row(lc_tf_call *c, int32_t starts, int32_t rows, int32_t n) {
    return lc_tf_binary(c, LC_OP_SUB, lc_tf_range(c, n), lc_tf_gather(c, starts, rows, 0, 0));
}

/* The places of the values of a ragged tensor, level by level. */
typedef struct places {
    int32_t columns[LC_MAX_RANK]; /* vectors, one for each dimension so far */
    int32_t sizes[LC_MAX_RANK];   /* of the dimensions: scalars */
    int32_t rank, count;          /* count: of the values so far, a scalar */
} places;

static void first_level(lc_tf_call *c, places *p, int32_t rows) {
    *p = (places){.rank = 1, .count = rows};
    p->columns[0] = lc_tf_range(c, rows);
    p->sizes[0] = rows;
}

/* One more dimension: each value so far is a row of `starts` and `lengths`; value i of the next level is of row rows[i]. */
static void next_level(lc_tf_call *c, places *p, int32_t starts, int32_t lengths, int32_t rows, int32_t count) {
    const int32_t axis = 0;
    if (p->rank == LC_MAX_RANK) lc_tf_fail(c, LC_UNSUPPORTED, "the ragged tensor has over %d dimensions", LC_MAX_RANK);
    for (int32_t k = 0; k < p->rank && lc_tf_ok(c); k++) p->columns[k] = lc_tf_gather(c, p->columns[k], rows, 0, 0);
    if (!lc_tf_ok(c)) return;
    p->columns[p->rank] = within_row(c, starts, rows, count);
    p->sizes[p->rank++] = lc_tf_with(c, LC_OP_MAXIMUM, lc_build_reduce(c->b, LC_OP_REDUCE_MAX, lengths, &axis, 1, false), 0);
    p->count = count;
}

static int32_t lengths_of(lc_tf_call *c, int32_t splits) {
    return lc_tf_binary(c, LC_OP_SUB, lc_tf_cut_at(c, splits, 0, 1, 0), lc_tf_cut_at(c, splits, 0, 0, -1));
}

static void next_level_splits(lc_tf_call *c, places *p, int32_t splits) {
    const int32_t count = lc_tf_entry(c, splits, -1);
    next_level(c, p, lc_tf_cut_at(c, splits, 0, 0, -1), lengths_of(c, splits), rows_of(c, splits, count), count);
}

static void next_level_rows(lc_tf_call *c, places *p, int32_t rows) {
    const int32_t ones = lc_tf_fill(c, lc_tf_shape_tensor(c, rows), lc_tf_scalar(c, 1, LC_INT32));
    const int32_t lengths = lc_tf_segment(c, LC_TF_FOLD_ADD, ones, rows, p->count, true);
    next_level(c, p, lc_tf_cumsum(c, lengths, 0, true, false), lengths, rows, lc_tf_dim(c, rows, 0));
}

/* Partition tensors from input `first` on, of the types the attribute lists. */
static bool read_partitions(lc_tf_call *c, uint32_t first, places *p) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, "row_partition_types");
    const uint32_t n = a && a->list ? a->list->s.n : 0;
    bool begun = false;
    if (n == 0 || n > MOST_LEVELS + 1 || c->in_count != first + n) {
        lc_tf_fail(c, LC_INVALID, "it has %u inputs and %u row_partition_types", c->in_count, n);
        return false;
    }
    for (uint32_t i = 0; i < n && lc_tf_ok(c); i++) {
        const lc_str kind = a->list->s.data[i];
        const int32_t t = lc_tf_int32(c, lc_tf_in(c, first + i));
        if (lc_str_is(kind, "FIRST_DIM_SIZE") && i == 0) {
            first_level(c, p, lc_tf_shape(c, t).rank == 0 ? t : lc_tf_reshape(c, t, NULL, 0));
        } else if (lc_str_is(kind, "ROW_SPLITS")) {
            if (!begun && i == 0) first_level(c, p, lc_tf_with(c, LC_OP_SUB, lc_tf_dim(c, t, 0), 1));
            next_level_splits(c, p, t);
        } else if (lc_str_is(kind, "VALUE_ROWIDS") && i > 0) {
            next_level_rows(c, p, t);
        } else {
            lc_tf_missing(c, "rows given by %.*s", (int)(kind.size < 40 ? kind.size : 40), kind.data ? kind.data : "");
            return false;
        }
        begun = true;
    }
    return lc_tf_ok(c);
}

void lc_tf_op_ragged_to_tensor(lc_tf_call *c) {
    const int32_t values = lc_tf_in(c, 1), given = lc_tf_in(c, 2);
    const lc_dtype type = lc_tf_type(c, values);
    const lc_shape wanted = lc_tf_shape_value(c, lc_tf_in(c, 0)), s = lc_tf_ranked(c, values), d = lc_tf_ranked(c, given);
    places p;
    int32_t tensors[LC_MAX_RANK], fixed[LC_MAX_RANK] = {0};
    if (!lc_tf_ok(c) || !read_partitions(c, 3, &p)) return;
    const int32_t rank = p.rank + s.rank - 1;
    if (rank > LC_MAX_RANK) {
        lc_tf_fail(c, LC_UNSUPPORTED, "would have %d dimensions; litec runs up to %d", rank, LC_MAX_RANK);
        return;
    }
    for (int32_t k = 0; k < rank; k++) {
        tensors[k] = k < p.rank ? p.sizes[k] : lc_tf_dim(c, values, k - p.rank + 1);
        if (wanted.rank != rank || wanted.dims[k] < 0 || k >= p.rank) continue;
        tensors[k] = LC_ABSENT;
        fixed[k] = wanted.dims[k];
    }
    const int32_t v = lc_tf_movable(c, values, LC_TF_SCATTERS), filler = v < 0 ? v : lc_tf_movable(c, given, LC_TF_SCATTERS);
    if (filler < 0) return;
    const int32_t shape = lc_tf_vector_of(c, tensors, fixed, rank);
    const int32_t start = d.rank == 0 ? lc_tf_fill(c, shape, filler) : lc_tf_broadcast(c, filler, shape);
    const int32_t at = lc_tf_pack(c, p.columns, (uint32_t)p.rank, 1); /* what lies outside of a given shape is left out */
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_scatter(c, LC_TF_FOLD_UPDATE, start, at, v), type));
}

void lc_tf_op_ragged_to_sparse(lc_tf_call *c) {
    const int64_t levels = lc_tf_attr_int(c, "RAGGED_RANK", 0);
    const int32_t values = lc_tf_in(c, c->in_count ? c->in_count - 1 : 0);
    places p;
    lc_tf_rank_of(c, values, 1);
    if (lc_tf_ok(c) && (levels < 1 || levels > MOST_LEVELS || c->in_count != levels + 1))
        lc_tf_fail(c, LC_UNSUPPORTED, "a ragged rank of %lld with %u inputs", (long long)levels, c->in_count);
    for (int64_t i = 0; i < levels && lc_tf_ok(c); i++) {
        const int32_t splits = lc_tf_int32(c, lc_tf_in(c, (uint32_t)i));
        if (i == 0) first_level(c, &p, lc_tf_with(c, LC_OP_SUB, lc_tf_dim(c, splits, 0), 1));
        next_level_splits(c, &p, splits);
    }
    if (!lc_tf_ok(c)) return;
    lc_tf_give(c, 0, int64_of(c, lc_tf_pack(c, p.columns, (uint32_t)p.rank, 1)));
    lc_tf_give(c, 1, values);
    lc_tf_give(c, 2, int64_of(c, lc_tf_pack(c, p.sizes, (uint32_t)p.rank, 0)));
}

/* Entries of x for each value: x itself when it is one for all. */
static int32_t for_rows(lc_tf_call *c, int32_t x, int32_t rows) { return lc_tf_shape(c, x).rank == 0 ? x : lc_tf_gather(c, x, rows, 0, 0); }

void lc_tf_op_ragged_range(lc_tf_call *c) {
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0)), splits_type = lc_tf_attr_type(c, "Tsplits");
    int32_t in[3], vector = LC_ABSENT;
    for (uint32_t i = 0; i < 3; i++) {
        const int32_t x = lc_tf_in(c, i);
        in[i] = lc_tf_type(c, x) == LC_INT64 ? lc_tf_int32(c, x) : lc_tf_widen(c, x, PRODUCTS);
        if (in[i] < 0) return;
        if (lc_tf_ranked(c, in[i]).rank > 0) vector = in[i];
    }
    int32_t size = lc_tf_binary(c, LC_OP_SUB, in[1], in[0]);
    if (lc_tf_type(c, size) == LC_INT32) { /* rounded up */
        size = lc_tf_unary(c, LC_OP_NEG, lc_tf_binary(c, LC_OP_FLOOR_DIV, lc_tf_unary(c, LC_OP_NEG, size), in[2]));
    } else {
        size = lc_build_cast(c->b, lc_tf_unary(c, LC_OP_CEIL, lc_tf_binary(c, LC_OP_DIV, size, in[2])), LC_INT32);
    }
    size = lc_tf_with(c, LC_OP_MAXIMUM, size, 0);
    if (vector == LC_ABSENT) size = lc_tf_expand(c, size, 0);
    else if (lc_tf_ranked(c, size).rank == 0) size = lc_tf_broadcast(c, size, lc_tf_shape_tensor(c, vector));
    const int32_t splits = splits_of(c, size), n = lc_tf_entry(c, splits, -1), rows = rows_of(c, splits, n);
    const int32_t step = lc_build_cast(c->b, within_row(c, lc_tf_cut_at(c, splits, 0, 0, -1), rows, n), lc_tf_type(c, in[0]));
    const int32_t way = lc_tf_binary(c, LC_OP_MUL, step, for_rows(c, in[2], rows));
    lc_tf_give(c, 0, lc_build_cast(c->b, splits, splits_type == LC_INT32 ? LC_INT32 : LC_INT64));
    lc_tf_give(c, 1, lc_tf_narrow(c, lc_tf_binary(c, LC_OP_ADD, for_rows(c, in[0], rows), way), type));
}

/* Rows of a ragged tensor of one ragged dimension. */
void lc_tf_op_ragged_gather(lc_tf_call *c) {
    const bool one = lc_tf_attr_int(c, "PARAMS_RAGGED_RANK", 0) == 1 && lc_tf_attr_int(c, "OUTPUT_RAGGED_RANK", 0) == 1;
    if (!lc_tf_ok(c)) return;
    if (!one) {
        lc_tf_missing(c, "only rows of a ragged tensor with one ragged dimension are gathered");
        return;
    }
    const int32_t given = lc_tf_in(c, 0), splits = lc_tf_int32(c, given), values = lc_tf_in(c, 1), indices = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_dtype type = lc_tf_type(c, values);
    lc_tf_rank_of(c, indices, 1);
    const int32_t v = lc_tf_ok(c) ? lc_tf_movable(c, values, VALUES | LC_TF_HALVES | LC_TF_T(BOOL)) : -1;
    if (v < 0) return;
    const int32_t starts = lc_tf_gather(c, lc_tf_cut_at(c, splits, 0, 0, -1), indices, 0, 0);
    const int32_t becomes = splits_of(c, lc_tf_gather(c, lengths_of(c, splits), indices, 0, 0));
    const int32_t n = lc_tf_entry(c, becomes, -1), rows = rows_of(c, becomes, n);
    const int32_t at =
        lc_tf_binary(c, LC_OP_ADD, lc_tf_gather(c, starts, rows, 0, 0), within_row(c, lc_tf_cut_at(c, becomes, 0, 0, -1), rows, n));
    lc_tf_give(c, 0, lc_build_cast(c->b, becomes, lc_tf_type(c, given)));
    lc_tf_give(c, 1, lc_tf_moved(c, lc_tf_gather(c, v, at, 0, 0), type));
}
