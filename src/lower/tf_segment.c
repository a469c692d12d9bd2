/*
 * tf_segment.c: rows folded into the row their segment id names: Segment*, UnsortedSegment*, SparseSegment*, Bincount, DenseBincount.
 *
 * TFLite's SEGMENT_SUM wants ids without gaps, TensorFlow's does not; so ids that are not known become an UNSORTED_SEGMENT of their largest
 * plus one rows. Types that UNSORTED_SEGMENT lacks (all but float32 and int32) are scattered into a tensor of the fold's neutral value.
 * A segment without rows is 0 (sum, mean, SegmentMax, SegmentMin), 1 (product), or the smallest or largest value (the unsorted and V2
 * forms).
 */
#include "lower/tf_array.h"

#include <string.h>

#define FOLDS (LC_TF_T(FLOAT32) | LC_TF_T(INT32))

/* ---- the fold ------------------------------------------------------------------------------------------------------- */

static int32_t neutral(lc_tf_call *c, lc_tf_fold fold, lc_dtype type) {
    switch (fold) {
    case LC_TF_FOLD_MAX: return lc_tf_limit(c, type, false);
    case LC_TF_FOLD_MIN: return lc_tf_limit(c, type, true);
    default: return lc_tf_scalar(c, fold == LC_TF_FOLD_MUL ? 1 : 0, type);
    }
}

int32_t lc_tf_segment(lc_tf_call *c, lc_tf_fold fold, int32_t data, int32_t ids, int32_t segments, bool checked) {
    static const int32_t ops[] = {[LC_TF_FOLD_ADD] = LC_OP_UNSORTED_SEGMENT_SUM,
                                  [LC_TF_FOLD_MUL] = LC_OP_UNSORTED_SEGMENT_PROD,
                                  [LC_TF_FOLD_MAX] = LC_OP_UNSORTED_SEGMENT_MAX,
                                  [LC_TF_FOLD_MIN] = LC_OP_UNSORTED_SEGMENT_MIN};
    const lc_dtype type = lc_tf_type(c, data);
    lc_shape d = lc_tf_ranked(c, data), i = lc_tf_ranked(c, ids);
    ids = lc_tf_int32(c, ids);
    if (!lc_tf_ok(c)) return -1;
    if (i.rank > d.rank) return lc_tf_fail(c, LC_INVALID, "its segment ids have %d dimensions, its data %d", i.rank, d.rank);
    if (i.rank == 0) {
        data = lc_tf_expand(c, data, 0);
        ids = lc_tf_expand(c, ids, 0);
        i = lc_tf_ranked(c, ids);
        d = lc_tf_ranked(c, data);
    }
    if (!checked) {
        const int32_t inside = lc_tf_binary(c, LC_OP_LESS, ids, segments);
        ids = lc_build_select(c->b, inside, ids, lc_tf_scalar(c, -1, LC_INT32));
    }
    if (!(FOLDS >> type & 1) && LC_TF_SCATTERS >> type & 1 && type != LC_BOOL) {
        const int32_t rows = lc_tf_merge_dims(c, data, 0, i.rank), one = 1;
        const int32_t rest = lc_tf_cut_at(c, lc_tf_shape_tensor(c, rows), 0, 1, 0);
        const int32_t parts[2] = {lc_tf_reshape(c, segments, &one, 1), rest};
        const int32_t start = lc_tf_fill(c, lc_tf_concat(c, parts, 2, 0), neutral(c, fold, type));
        return lc_tf_scatter(c, fold, start, lc_tf_expand(c, lc_tf_flat(c, ids), 1), rows);
    }
    const int32_t in[3] = {lc_tf_widen(c, data, FOLDS), ids, segments};
    if (in[0] < 0) return -1;
    const lc_op_def *def = lc_op_get(ops[fold]);
    return lc_tf_narrow(c, lc_build_op(c->b, ops[fold], (lc_table_id)def->options, NULL, in, 3), type);
}

/* How many rows each segment has, in a type that divides `data`. */
static int32_t counts(lc_tf_call *c, int32_t ids, int32_t segments, lc_dtype type) {
    const int32_t ones = lc_tf_fill(c, lc_tf_shape_tensor(c, ids), lc_tf_scalar(c, 1, type));
    return lc_tf_segment(c, LC_TF_FOLD_ADD, ones, ids, segments, true);
}

/* A vector [n] as [n, 1, 1 ...] of this rank. */
static int32_t column(lc_tf_call *c, int32_t vector, int32_t rank) {
    int32_t dims[LC_MAX_RANK] = {-1, 1, 1, 1, 1, 1, 1, 1};
    return rank > 1 ? lc_tf_reshape(c, vector, dims, rank) : vector;
}

typedef enum mean_kind { SUM_ONLY, MEAN, SQRT_N } mean_kind;

/* Sums divided by the number of rows, or its square root; nothing by nothing is 0. */
static int32_t mean(lc_tf_call *c, int32_t data, int32_t ids, int32_t segments, mean_kind kind) {
    const lc_dtype type = lc_tf_type(c, data);
    const int32_t v = lc_tf_widen(c, data, FOLDS);
    if (v < 0) return v;
    const int32_t sums = lc_tf_segment(c, LC_TF_FOLD_ADD, v, ids, segments, true);
    if (kind == SUM_ONLY) return lc_tf_narrow(c, sums, type);
    int32_t n = lc_tf_with(c, LC_OP_MAXIMUM, counts(c, ids, segments, lc_tf_type(c, v)), 1);
    if (kind == SQRT_N) n = lc_tf_unary(c, LC_OP_SQRT, n);
    return lc_tf_narrow(c, lc_tf_binary(c, LC_OP_DIV, sums, column(c, n, lc_tf_ranked(c, sums).rank)), type);
}

/* ---- sorted ids --------------------------------------------------------------------------------------------------------- */

/* Known ids: *gaps tells whether a number below the largest is missing; false when they are not known. */
static bool known_ids(lc_tf_call *c, int32_t ids, bool *gaps) {
    int64_t values[1024], next = 0;
    uint32_t n;
    if (!lc_tf_ints(c, ids, values, 1024, &n)) return false;
    *gaps = false;
    for (uint32_t i = 0; i < n; i++) {
        if (values[i] > next || values[i] < next - 1) *gaps = true;
        next = values[i] + 1;
    }
    return true;
}

/* The largest id plus one; 0 when there are none. */
static int32_t segments_of(lc_tf_call *c, int32_t ids) {
    const int32_t axis = 0, largest = lc_build_reduce(c->b, LC_OP_REDUCE_MAX, ids, &axis, 1, false);
    return lc_tf_with(c, LC_OP_ADD, lc_tf_with(c, LC_OP_MAXIMUM, largest, -1), 1);
}

/* Data and ids [n] of an operator with sorted ids; false after a failure. */
static bool sorted(lc_tf_call *c, int32_t *data, int32_t *ids) {
    *data = lc_tf_in(c, 0);
    *ids = lc_tf_int32(c, lc_tf_in(c, 1));
    lc_tf_rank_of(c, *ids, 1);
    if (lc_tf_ranked(c, *data).rank == 0) lc_tf_fail(c, LC_INVALID, "its data is a scalar, needs 1 dimension or more");
    return lc_tf_ok(c);
}

void lc_tf_op_segment_sum(lc_tf_call *c) {
    int32_t in[2];
    bool gaps;
    if (!sorted(c, &in[0], &in[1])) return;
    if (FOLDS >> lc_tf_type(c, in[0]) & 1 && known_ids(c, in[1], &gaps) && !gaps) {
        lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_SEGMENT_SUM, LC_TABLE_SegmentSumOptions, NULL, in, 2));
        return;
    }
    const int32_t y = lc_tf_segment(c, LC_TF_FOLD_ADD, in[0], in[1], segments_of(c, in[1]), true);
    if (y >= 0) lc_tf_give(c, 0, y);
}

void lc_tf_op_segment_mean(lc_tf_call *c) {
    int32_t data, ids;
    if (!sorted(c, &data, &ids)) return;
    const int32_t y = mean(c, data, ids, segments_of(c, ids), MEAN);
    if (y >= 0) lc_tf_give(c, 0, y);
}

static void segment_fold(lc_tf_call *c, lc_tf_fold fold) {
    int32_t data, ids;
    bool gaps = true;
    if (!sorted(c, &data, &ids)) return;
    const int32_t segments = segments_of(c, ids);
    const lc_dtype type = lc_tf_type(c, data);
    int32_t y = lc_tf_segment(c, fold, data, ids, segments, true);
    if (y < 0) return;
    known_ids(c, ids, &gaps);
    if (gaps && fold != LC_TF_FOLD_MUL) { /* a segment without rows is 0 here */
        const int32_t n = column(c, counts(c, ids, segments, LC_INT32), lc_tf_ranked(c, y).rank);
        y = lc_build_select(c->b, lc_tf_with(c, LC_OP_GREATER, n, 0), y, lc_tf_scalar(c, 0, type));
    }
    lc_tf_give(c, 0, y);
}

void lc_tf_op_segment_max(lc_tf_call *c) { segment_fold(c, LC_TF_FOLD_MAX); }
void lc_tf_op_segment_min(lc_tf_call *c) { segment_fold(c, LC_TF_FOLD_MIN); }
void lc_tf_op_segment_prod(lc_tf_call *c) { segment_fold(c, LC_TF_FOLD_MUL); }

/* ---- a given number of segments ---------------------------------------------------------------------------------------------- */

static int32_t number(lc_tf_call *c, uint32_t i) {
    const int32_t x = lc_tf_int32(c, lc_tf_in(c, i));
    return lc_tf_shape(c, x).rank == 0 ? x : lc_tf_reshape(c, x, NULL, 0);
}

static void unsorted(lc_tf_call *c, lc_tf_fold fold) {
    const int32_t data = lc_tf_in(c, 0), ids = lc_tf_in(c, 1), segments = number(c, 2);
    const int32_t y = lc_tf_segment(c, fold, data, ids, segments, true);
    if (y >= 0) lc_tf_give(c, 0, y);
}

void lc_tf_op_unsorted_segment_sum(lc_tf_call *c) { unsorted(c, LC_TF_FOLD_ADD); }
void lc_tf_op_unsorted_segment_prod(lc_tf_call *c) { unsorted(c, LC_TF_FOLD_MUL); }
void lc_tf_op_unsorted_segment_max(lc_tf_call *c) { unsorted(c, LC_TF_FOLD_MAX); }
void lc_tf_op_unsorted_segment_min(lc_tf_call *c) { unsorted(c, LC_TF_FOLD_MIN); }

/* Rows `indices` of the data, folded by sorted ids; input 3, if any, is the number of segments. */
static void sparse_segment(lc_tf_call *c, mean_kind kind) {
    const int32_t data = lc_tf_in(c, 0), indices = lc_tf_int32(c, lc_tf_in(c, 1)), ids = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_dtype type = lc_tf_type(c, data);
    lc_tf_rank_of(c, ids, 1);
    const int32_t segments = lc_tf_has(c, 3) ? number(c, 3) : segments_of(c, ids);
    const int32_t v = lc_tf_widen(c, data, FOLDS);
    if (v < 0) return;
    lc_tf_give(c, 0, lc_tf_narrow(c, mean(c, lc_tf_gather(c, v, indices, 0, 0), ids, segments, kind), type));
}

void lc_tf_op_sparse_segment_sum(lc_tf_call *c) { sparse_segment(c, SUM_ONLY); }
void lc_tf_op_sparse_segment_mean(lc_tf_call *c) { sparse_segment(c, MEAN); }
void lc_tf_op_sparse_segment_sqrt_n(lc_tf_call *c) { sparse_segment(c, SQRT_N); }

/* ---- counting ------------------------------------------------------------------------------------------------------------ */

/* Weights for each element of x, or ones of the weights' type when there are none (a tensor without elements). */
static int32_t weights_for(lc_tf_call *c, int32_t x, uint32_t input, bool *given) {
    const int32_t weights = lc_tf_in(c, input);
    const lc_dtype type = lc_tf_type(c, weights);
    const lc_shape s = lc_tf_ranked(c, weights);
    *given = true;
    for (int32_t d = 0; d < s.rank; d++)
        if (s.dims[d] == 0) *given = false;
    if (*given) return lc_tf_flat(c, weights);
    if (type == LC_STRING) return lc_tf_fail(c, LC_INVALID, "its weights are strings");
    return lc_tf_fill(c, lc_tf_shape_tensor(c, lc_tf_flat(c, x)), lc_tf_scalar(c, 1, type));
}

void lc_tf_op_bincount(lc_tf_call *c) {
    bool given;
    const int32_t x = lc_tf_int32(c, lc_tf_in(c, 0)), size = number(c, 1), weights = weights_for(c, x, 2, &given);
    const int32_t y = lc_tf_segment(c, LC_TF_FOLD_ADD, weights, lc_tf_flat(c, x), size, false);
    if (y >= 0) lc_tf_give(c, 0, y);
}

/* As Bincount, for each row of a matrix; binary_output: whether it is there at all. */
void lc_tf_op_dense_bincount(lc_tf_call *c) {
    bool given;
    const int32_t x = lc_tf_int32(c, lc_tf_in(c, 0)), size = number(c, 1), weights = weights_for(c, x, 2, &given);
    const lc_shape s = lc_tf_ranked(c, x);
    const bool binary = lc_tf_attr_bool(c, "binary_output", false);
    if (!lc_tf_ok(c)) return;
    if (s.rank != 1 && s.rank != 2) {
        lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, needs 1 or 2", s.rank);
        return;
    }
    int32_t ids = x, bins = size, y;
    if (s.rank == 2) { /* bin v of row r is r * size + v, as long as v is a bin */
        const int32_t rows = lc_tf_dim(c, x, 0), first = lc_tf_binary(c, LC_OP_MUL, lc_tf_range(c, rows), size);
        const int32_t inside = lc_tf_binary(c, LC_OP_LESS, x, size);
        ids = lc_tf_binary(c, LC_OP_ADD, x, lc_tf_expand(c, first, 1));
        ids = lc_tf_flat(c, lc_build_select(c->b, inside, ids, lc_tf_scalar(c, -1, LC_INT32)));
        bins = lc_tf_binary(c, LC_OP_MUL, rows, size);
    }
    y = lc_tf_segment(c, LC_TF_FOLD_ADD, weights, ids, bins, s.rank == 2);
    if (y < 0) return;
    if (binary) {
        const lc_dtype type = lc_tf_type(c, y);
        const int32_t v = lc_tf_widen(c, y, FOLDS | LC_TF_T(INT64));
        if (v < 0) return;
        y = lc_build_cast(c->b, lc_tf_with(c, LC_OP_NOT_EQUAL, v, 0), type);
    }
    if (s.rank == 2) {
        const int32_t tensors[2] = {lc_tf_dim(c, x, 0), size}, values[2] = {0, 0};
        y = lc_tf_reshape_like(c, y, lc_tf_vector_of(c, tensors, values, 2));
    }
    lc_tf_give(c, 0, y);
}
