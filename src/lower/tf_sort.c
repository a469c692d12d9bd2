/*
 * tf_sort.c: operators that order or search: TopK, TopKV2, ApproxTopK, NthElement, XlaSort, XlaKeyValueSort, LowerBound, UpperBound; and
 * those whose output is as long as the data makes it: Where, Unique, UniqueV2, UniqueWithCounts, ListDiff.
 *
 * TOPK_V2 is the only builtin that sorts. It puts equal values in the order they came, so the smallest-first order of floats is its order
 * of the negated values; of integers, whose smallest has no negative, it is its order backwards.
 */
#include "lower/tf_array.h"

#define SORTS LC_TF_NUMBERS
#define UNIQUES LC_TF_NUMBERS
#define WHERES (LC_TF_T(BOOL) | LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(UINT32))
#define COMPARES (LC_TF_NUMBERS | LC_TF_T(FLOAT16))

/* ---- top k --------------------------------------------------------------------------------------------------------- */

/* The k largest of x's last dimension. */
static void top_k(lc_tf_call *c, int32_t x, int32_t k, lc_dtype index_type) {
    const lc_dtype type = lc_tf_type(c, x);
    int32_t values, indices;
    lc_tf_ranked(c, x);
    const int32_t v = lc_tf_widen(c, x, SORTS);
    if (v < 0) return;
    lc_tf_top_k(c, v, k, &values, &indices);
    lc_tf_give(c, 0, lc_tf_narrow(c, values, type));
    lc_tf_give(c, 1, lc_build_cast(c->b, indices, index_type));
}

void lc_tf_op_top_k(lc_tf_call *c) {
    const int64_t k = lc_tf_attr_int(c, "k", 0);
    top_k(c, lc_tf_in(c, 0), lc_tf_scalar(c, (double)k, LC_INT32), LC_INT32);
}

void lc_tf_op_top_k_v2(lc_tf_call *c) {
    const lc_dtype wanted = lc_tf_attr_type(c, "index_type");
    const int32_t x = lc_tf_in(c, 0), k = lc_tf_int32(c, lc_tf_in(c, 1));
    top_k(c, x, k, wanted == LC_DTYPE_COUNT ? LC_INT32 : wanted);
}

/* x with `axis` last, and back. */
static int32_t last(lc_tf_call *c, int32_t x, int32_t axis, int32_t rank) {
    int32_t perm[LC_MAX_RANK];
    if (axis == rank - 1 || !lc_tf_ok(c)) return x;
    for (int32_t d = 0; d < rank; d++) perm[d] = d == axis ? rank - 1 : d == rank - 1 ? axis : d;
    return lc_tf_transpose(c, x, perm, rank);
}

/* Exact here: recall_target is a lower bound. */
void lc_tf_op_approx_top_k(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    const int32_t axis = lc_tf_axis(c, lc_tf_attr_int(c, "reduction_dimension", -1), s.rank);
    const bool largest = lc_tf_attr_bool(c, "is_max_k", true);
    const int64_t k = lc_tf_attr_int(c, "k", 0);
    int32_t values, indices;
    if (!lc_tf_ok(c)) return;
    if (!lc_tf_attr_bool(c, "aggregate_to_topk", true)) {
        lc_tf_missing(c, "aggregate_to_topk is false: the result depends on the device");
        return;
    }
    int32_t v = lc_tf_widen(c, x, LC_TF_T(FLOAT32));
    if (v < 0) return;
    v = last(c, v, axis, s.rank);
    if (!largest) v = lc_tf_unary(c, LC_OP_NEG, v);
    lc_tf_top_k(c, v, lc_tf_scalar(c, (double)k, LC_INT32), &values, &indices);
    if (!largest) values = lc_tf_unary(c, LC_OP_NEG, values);
    lc_tf_give(c, 0, lc_tf_narrow(c, last(c, values, axis, s.rank), type));
    lc_tf_give(c, 1, last(c, indices, axis, s.rank));
}

/* The n-th smallest (reverse: largest) of the last dimension: the last of the size - n (n + 1) largest. */
void lc_tf_op_nth_element(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), n = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t values, indices;
    if (!lc_tf_ok(c)) return;
    if (s.rank < 1) {
        lc_tf_fail(c, LC_INVALID, "its input is a scalar, needs 1 dimension or more");
        return;
    }
    const int32_t v = lc_tf_widen(c, x, SORTS);
    if (v < 0) return;
    const bool reverse = lc_tf_attr_bool(c, "reverse", false);
    const int32_t k = reverse ? lc_tf_with(c, LC_OP_ADD, n, 1) : lc_tf_binary(c, LC_OP_SUB, lc_tf_dim(c, v, s.rank - 1), n);
    lc_tf_top_k(c, v, k, &values, &indices);
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_pick(c, values, s.rank - 1, -1), type));
}

/* All of the last dimension, smallest first; where they were, when asked for. */
static int32_t ascending(lc_tf_call *c, int32_t x, int32_t *order) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t values, indices;
    if (!lc_tf_ok(c)) return -1;
    if (s.rank < 1) return lc_tf_fail(c, LC_INVALID, "its input is a scalar, needs 1 dimension or more");
    const bool floats = lc_tf_type(c, x) == LC_FLOAT32;
    if (floats) x = lc_tf_unary(c, LC_OP_NEG, x);
    lc_tf_top_k(c, x, lc_tf_dim(c, x, s.rank - 1), &values, &indices);
    if (order) *order = floats ? indices : lc_tf_reverse(c, indices, s.rank - 1);
    return floats ? lc_tf_unary(c, LC_OP_NEG, values) : lc_tf_reverse(c, values, s.rank - 1);
}

void lc_tf_op_xla_sort(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), v = lc_tf_widen(c, x, SORTS);
    if (v >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, ascending(c, v, NULL), lc_tf_type(c, x)));
}

void lc_tf_op_xla_key_value_sort(lc_tf_call *c) {
    const int32_t keys = lc_tf_in(c, 0), values = lc_tf_in(c, 1), k = lc_tf_widen(c, keys, SORTS);
    const lc_dtype type = lc_tf_type(c, values);
    const lc_shape s = lc_tf_ranked(c, keys);
    int32_t order = -1;
    if (k < 0) return;
    const int32_t v = lc_tf_movable(c, values, LC_TF_NUMBERS);
    if (v < 0 || !lc_tf_ok(c)) return;
    lc_tf_give(c, 0, lc_tf_narrow(c, ascending(c, k, &order), lc_tf_type(c, keys)));
    lc_tf_give(c, 1, lc_tf_moved(c, lc_tf_gather(c, v, order, s.rank - 1, s.rank - 1), type));
}

/* For each value the number of sorted inputs before it: those less than it (or not greater). */
static void bound(lc_tf_call *c, int32_t op) {
    const int32_t sorted = lc_tf_in(c, 0), values = lc_tf_in(c, 1), axis = 2;
    const lc_dtype wanted = lc_tf_attr_type(c, "out_type");
    lc_tf_rank_of(c, sorted, 2);
    lc_tf_rank_of(c, values, 2);
    const int32_t s = lc_tf_widen(c, sorted, COMPARES), v = s < 0 ? s : lc_tf_widen(c, values, COMPARES);
    if (v < 0) return;
    const int32_t before = lc_tf_binary(c, op, lc_tf_expand(c, s, 1), lc_tf_expand(c, v, 2));
    const int32_t n = lc_build_reduce(c->b, LC_OP_SUM, lc_build_cast(c->b, before, LC_INT32), &axis, 1, false);
    lc_tf_give(c, 0, lc_build_cast(c->b, n, wanted == LC_INT64 ? LC_INT64 : LC_INT32));
}

void lc_tf_op_lower_bound(lc_tf_call *c) { bound(c, LC_OP_LESS); }
void lc_tf_op_upper_bound(lc_tf_call *c) { bound(c, LC_OP_LESS_EQUAL); }

/* ---- as long as the data makes it ---------------------------------------------------------------------------------------- */

/* Positions of what is not zero, [count, rank], where all of x is known; -1 otherwise. */
static int32_t known_positions(lc_tf_call *c, int32_t x) {
    enum { MOST = 1024 };
    const lc_shape s = lc_tf_shape(c, x);
    int64_t ints[MOST];
    float floats[MOST];
    uint32_t n, count = 0;
    const bool whole = lc_tf_ints(c, x, ints, MOST, &n);
    if (!whole && !lc_tf_floats(c, x, floats, MOST, &n)) return -1;
    for (uint32_t i = 0; i < n; i++) count += whole ? ints[i] != 0 : floats[i] != 0;
    int64_t *at = lc_build_data(c->b, ((size_t)count * (size_t)s.rank + 1) * sizeof *at), *next = at;
    for (uint32_t i = 0; at && i < n; i++) {
        if (whole ? ints[i] == 0 : floats[i] == 0) continue;
        int64_t rest = i;
        for (int32_t d = s.rank - 1; d >= 0; d--) {
            next[d] = rest % s.dims[d];
            rest /= s.dims[d];
        }
        next += s.rank;
    }
    return lc_build_const(c->b, "positions", LC_INT64, (const int32_t[]){(int32_t)count, s.rank}, 2, at,
                          (size_t)count * (size_t)s.rank * sizeof *at, true);
}

void lc_tf_op_where(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    const int32_t known = known_positions(c, x);
    if (known >= 0) {
        lc_tf_give(c, 0, known);
        return;
    }
    const int32_t v = lc_tf_widen(c, s.rank ? x : lc_tf_expand(c, x, 0), WHERES);
    if (v < 0) return;
    const int32_t at = lc_tf_unary(c, LC_OP_WHERE, v);
    lc_tf_give(c, 0, s.rank ? at : lc_tf_cut_at(c, at, 1, 1, 0)); /* of a scalar: [1, 0] or [0, 0] */
}

/* UNIQUE of a vector of a type it has. */
static bool unique(lc_tf_call *c, int32_t x, int32_t out[2]) {
    const lc_UniqueOptions o = {.idx_out_type = lc_tf_attr_type(c, "out_idx") == LC_INT64 ? LC_INT64 : LC_INT32};
    return lc_build_op_multi(c->b, LC_OP_UNIQUE, LC_TABLE_UniqueOptions, &o, &x, 1, out, 2);
}

/* idx, and count where it is wanted, of n different values. */
static void give_places(lc_tf_call *c, int32_t idx, int32_t n) {
    lc_tf_give(c, 1, idx);
    if (c->out_count < 3) return;
    const int32_t at = lc_tf_int32(c, idx), ones = lc_tf_fill(c, lc_tf_shape_tensor(c, at), lc_tf_scalar(c, 1, LC_INT32));
    lc_tf_give(c, 2, lc_build_cast(c->b, lc_tf_segment(c, LC_TF_FOLD_ADD, ones, at, n, true), lc_tf_type(c, idx)));
}

void lc_tf_op_unique(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    int32_t out[2];
    lc_tf_rank_of(c, x, 1);
    const int32_t v = lc_tf_widen(c, x, UNIQUES);
    if (v < 0 || !unique(c, v, out)) return;
    lc_tf_give(c, 0, lc_tf_narrow(c, out[0], lc_tf_type(c, x)));
    give_places(c, out[1], lc_tf_dim(c, out[0], 0));
}

/* Slices along an axis. Each is known by the first that equals it; the numbers of these are a vector to make unique. */
void lc_tf_op_unique_v2(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), along = 2, first_axis = 1;
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t named = 0;
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 1), "axis", &named, 1);
    if (lc_tf_ok(c) && n == 0 && s.rank != 1) lc_tf_fail(c, LC_INVALID, "it has no axis, and its input %d dimensions", s.rank);
    const int32_t axis = lc_tf_axis(c, named, s.rank);
    if (!lc_tf_ok(c)) return;
    if (s.rank == 1) {
        lc_tf_op_unique(c);
        return;
    }
    const int32_t v = lc_tf_widen(c, x, LC_TF_NUMBERS);
    if (v < 0) return;
    int32_t perm[LC_MAX_RANK], out[2];
    for (int32_t d = 0; d < s.rank; d++) perm[d] = d == 0 ? axis : d == axis ? 0 : d;
    const int32_t turned = axis ? lc_tf_transpose(c, v, perm, s.rank) : v, rows = lc_tf_merge_dims(c, turned, 1, s.rank);
    const int32_t equal = lc_tf_binary(c, LC_OP_EQUAL, lc_tf_expand(c, rows, 1), lc_tf_expand(c, rows, 0));
    const int32_t same = lc_build_cast(c->b, lc_build_reduce(c->b, LC_OP_REDUCE_ALL, equal, &along, 1, false), LC_INT32);
    const int32_t in[2] = {same, lc_tf_vector(c, &first_axis, 1)}; /* of several largest, ARG_MAX gives the first */
    const lc_ArgMaxOptions o = {.output_type = LC_INT32};
    if (!unique(c, lc_build_op(c->b, LC_OP_ARG_MAX, LC_TABLE_ArgMaxOptions, &o, in, 2), out)) return;
    const int32_t y = lc_tf_gather(c, turned, out[0], 0, 0);
    lc_tf_give(c, 0, lc_tf_narrow(c, axis ? lc_tf_transpose(c, y, perm, s.rank) : y, lc_tf_type(c, x)));
    give_places(c, out[1], lc_tf_dim(c, out[0], 0));
}

/* What is in x and not in y, and where. */
void lc_tf_op_list_diff(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1), axis = 1;
    const lc_dtype type = lc_tf_type(c, x), wanted = lc_tf_attr_type(c, "out_idx");
    lc_tf_rank_of(c, x, 1);
    lc_tf_rank_of(c, y, 1);
    const int32_t a = lc_tf_widen(c, x, LC_TF_NUMBERS), b = a < 0 ? a : lc_tf_widen(c, y, LC_TF_NUMBERS);
    if (b < 0 || !lc_tf_ok(c)) return;
    const int32_t same = lc_tf_binary(c, LC_OP_EQUAL, lc_tf_expand(c, a, 1), lc_tf_expand(c, b, 0));
    const int32_t met = lc_build_reduce(c->b, LC_OP_REDUCE_ANY, same, &axis, 1, false);
    const int32_t at = lc_tf_pick(c, lc_tf_unary(c, LC_OP_WHERE, lc_tf_unary(c, LC_OP_LOGICAL_NOT, met)), 1, 0);
    lc_tf_give(c, 0, lc_tf_narrow(c, lc_tf_gather(c, a, at, 0, 0), type));
    lc_tf_give(c, 1, lc_build_cast(c->b, at, wanted == LC_INT64 ? LC_INT64 : LC_INT32));
}
