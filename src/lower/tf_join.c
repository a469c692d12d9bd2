/*
 * tf_join.c: tensors put together (Pack, Concat, ConcatV2, ParallelConcat, ConcatOffset), around (Pad, PadV2, MirrorPad, XlaPad) and in
 * another order (Transpose, InvertPermutation, Reverse, ReverseV2, ReverseSequence, Roll).
 *
 * LiteRT's REVERSE_V2 takes neighbouring axes only, so others get one operator for each run of neighbours.
 */
#include "lower/tf_array.h"

#define CONCATS (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL) | LC_TF_T(UINT32))
#define PACKS (LC_TF_NUMBERS | LC_TF_T(UINT32))
#define PADS (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL))
#define REVERSES (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL))
#define LITERT_PAD_RANK 5 /* dimensions that LiteRT's PAD takes */
#define SEQUENCES (LC_TF_T(FLOAT32) | LC_TF_T(INT16) | LC_TF_T(INT32) | LC_TF_T(INT64) | LC_TF_T(UINT8))

/* ---- together ------------------------------------------------------------------------------------------------------- */

/* Inputs [first, first + n) as a type of `types`, which is told; NULL when there are none or something failed. */
static int32_t *movable_all(lc_tf_call *c, uint32_t first, uint32_t n, lc_tf_types types, lc_dtype *type) {
    if (n == 0 || n > c->in_count) lc_tf_fail(c, LC_INVALID, "it has nothing to put together");
    int32_t *parts = lc_build_data(c->b, (size_t)n * sizeof *parts);
    *type = lc_tf_type(c, lc_tf_in(c, first));
    for (uint32_t i = 0; parts && i < n; i++) {
        const int32_t x = lc_tf_in(c, first + i);
        if (lc_tf_ok(c) && lc_tf_type(c, x) != *type)
            lc_tf_fail(c, LC_INVALID, "its inputs are %s and %s, they must be of one type", lc_dtype_name(*type),
                       lc_dtype_name(lc_tf_type(c, x)));
        parts[i] = lc_tf_movable(c, x, types);
        if (parts[i] < 0) return NULL;
    }
    return lc_tf_ok(c) ? parts : NULL;
}

void lc_tf_op_pack(lc_tf_call *c) {
    lc_dtype type;
    if (c->in_count == 1) {
        const int32_t x = lc_tf_in(c, 0);
        const lc_shape s = lc_tf_ranked(c, x);
        lc_tf_give(c, 0, lc_tf_expand(c, x, lc_tf_axis(c, lc_tf_attr_int(c, "axis", 0), s.rank + 1)));
        return;
    }
    const int32_t *parts = movable_all(c, 0, c->in_count, PACKS, &type);
    const int64_t axis = lc_tf_attr_int(c, "axis", 0);
    if (!parts) return;
    const lc_shape s = lc_tf_ranked(c, parts[0]);
    const int32_t d = lc_tf_axis(c, axis, s.rank + 1);
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_pack(c, parts, c->in_count, d), type));
}

/* Joins inputs [first, first + n) along an axis. */
static void concat(lc_tf_call *c, uint32_t first, uint32_t n, int64_t axis) {
    lc_dtype type;
    if (n == 1) {
        lc_tf_give(c, 0, lc_tf_in(c, first));
        return;
    }
    int32_t *parts = movable_all(c, first, n, CONCATS, &type);
    if (!parts) return;
    lc_shape s = lc_tf_ranked(c, parts[0]);
    const int32_t d = lc_tf_axis(c, axis, s.rank);
    if (!lc_tf_ok(c)) return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) { /* what is empty adds nothing */
        s = lc_tf_ranked(c, parts[i]);
        if (s.rank > d && s.dims[d] == 0 && (kept || i + 1 < n)) continue;
        parts[kept++] = parts[i];
    }
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_concat(c, parts, kept, d), type));
}

void lc_tf_op_concat(lc_tf_call *c) {
    const int64_t axis = lc_tf_need_int(c, lc_tf_in(c, 0), "axis");
    if (lc_tf_ok(c)) concat(c, 1, c->in_count - 1, axis);
}

void lc_tf_op_concat_v2(lc_tf_call *c) {
    const int64_t axis = lc_tf_need_int(c, lc_tf_in(c, c->in_count ? c->in_count - 1 : 0), "axis");
    if (lc_tf_ok(c)) concat(c, 0, c->in_count - 1, axis);
}

void lc_tf_op_parallel_concat(lc_tf_call *c) { concat(c, 0, c->in_count, 0); }

/* Where each of the tensors with these shapes begins in their concatenation: sums of the sizes before, 0 in the other dimensions. */
void lc_tf_op_concat_offset(lc_tf_call *c) {
    const int64_t axis = lc_tf_need_int(c, lc_tf_in(c, 0), "axis");
    const int32_t first = lc_tf_in(c, 1);
    const lc_shape s = lc_tf_rank_of(c, first, 1);
    const lc_dtype type = lc_tf_type(c, first);
    int64_t mask[LC_MAX_RANK] = {0};
    if (!lc_tf_ok(c)) return;
    if (s.dims[0] < 0 || s.dims[0] > LC_MAX_RANK) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the tensors have too many dimensions, or it is not known how many");
        return;
    }
    int32_t at = lc_tf_const_ints(c, mask, (uint32_t)s.dims[0], type);
    mask[lc_tf_axis(c, axis, s.dims[0])] = 1;
    const int32_t only = lc_tf_const_ints(c, mask, (uint32_t)s.dims[0], type);
    for (uint32_t i = 1; i < c->in_count && lc_tf_ok(c); i++) {
        lc_tf_give(c, i - 1, at);
        if (i + 1 < c->in_count) at = lc_tf_binary(c, LC_OP_ADD, at, lc_tf_binary(c, LC_OP_MUL, lc_tf_in(c, i), only));
    }
}

/* ---- around --------------------------------------------------------------------------------------------------------- */

/* The paddings are constants and all 0. */
static bool no_padding(lc_tf_call *c, int32_t pads) {
    int64_t values[2 * LC_MAX_RANK];
    uint32_t n;
    if (!lc_tf_ints(c, pads, values, 2 * LC_MAX_RANK, &n)) return false;
    for (uint32_t i = 0; i < n; i++)
        if (values[i]) return false;
    return true;
}

/* PAD or, with a value, PADV2. */
static int32_t build_pad(lc_tf_call *c, int32_t x, int32_t pads, int32_t value) {
    const int32_t in[3] = {x, pads, value};
    if (value == LC_ABSENT) return lc_build_op(c->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
    return lc_build_op(c->b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
}

/* More dimensions than LiteRT pads: up to three neighbours at a time, with those before them as one and those behind them as one. */
static int32_t pad_in_steps(lc_tf_call *c, int32_t x, const int64_t *pads, int32_t rank, int32_t value) {
    for (int32_t from = 0, to; from < rank && lc_tf_ok(c); from = to) {
        to = from + 1;
        if (!pads[2 * from] && !pads[2 * from + 1]) continue;
        to = from + 3 < rank ? from + 3 : rank;
        int32_t some[2 * LC_MAX_RANK] = {0}, added[LC_MAX_RANK] = {0};
        for (int32_t d = from; d < to; d++) {
            some[2 * (d - from) + 2] = (int32_t)pads[2 * d];
            some[2 * (d - from) + 3] = (int32_t)pads[2 * d + 1];
            added[d] = (int32_t)(pads[2 * d] + pads[2 * d + 1]);
        }
        const int32_t shape = lc_tf_binary(c, LC_OP_ADD, lc_tf_shape_tensor(c, x), lc_tf_vector(c, added, rank));
        const int32_t narrow = lc_tf_merge_dims(c, lc_tf_merge_dims(c, x, to, rank), 0, from);
        const int32_t y = build_pad(c, narrow, lc_build_int_matrix(c->b, "paddings", some, to - from + 2, 2), value);
        x = lc_tf_reshape_like(c, y, shape);
    }
    return x;
}

void lc_tf_op_pad(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), pads = lc_tf_int32(c, lc_tf_in(c, 1));
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t values[2 * LC_MAX_RANK];
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    if (no_padding(c, pads)) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t v = lc_tf_movable(c, x, PADS);
    if (v < 0) return;
    const int32_t value = lc_tf_has(c, 2) ? lc_tf_movable(c, lc_tf_in(c, 2), PADS) : LC_ABSENT;
    if (lc_tf_has(c, 2) && value < 0) return;
    const bool steps = s.rank > LITERT_PAD_RANK && lc_tf_ints(c, pads, values, 2 * LC_MAX_RANK, &n) && n == 2 * (uint32_t)s.rank;
    lc_tf_give(c, 0, lc_tf_moved(c, steps ? pad_in_steps(c, v, values, s.rank, value) : build_pad(c, v, pads, value), type));
}

void lc_tf_op_mirror_pad(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), pads = lc_tf_int32(c, lc_tf_in(c, 1));
    const lc_str mode = lc_tf_attr_str(c, "mode", "");
    const bool symmetric = lc_str_is(mode, "SYMMETRIC");
    const lc_dtype type = lc_tf_type(c, x);
    lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (!symmetric && !lc_str_is(mode, "REFLECT")) {
        lc_tf_fail(c, LC_INVALID, "attribute \"mode\" is \"%.*s\", needs REFLECT or SYMMETRIC", (int)(mode.size < 40 ? mode.size : 40),
                   mode.data ? mode.data : "");
        return;
    }
    if (no_padding(c, pads)) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t in[2] = {lc_tf_movable(c, x, LC_TF_WIDTHS), pads};
    if (in[0] < 0) return;
    const lc_MirrorPadOptions o = {.mode = symmetric ? LC_MirrorPadMode_SYMMETRIC : LC_MirrorPadMode_REFLECT};
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_MIRROR_PAD, LC_TABLE_MirrorPadOptions, &o, in, 2), type));
}

/* Also between elements, and negative: cropping. */
void lc_tf_op_xla_pad(lc_tf_call *c) {
    static const char *const names[] = {"padding_low", "padding_high", "padding_interior"};
    const int32_t x = lc_tf_in(c, 0), value = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t *amounts[3];
    bool plain = true;
    if (!lc_tf_ok(c)) return;
    for (uint32_t k = 0; k < 3; k++) {
        if (!(amounts[k] = lc_build_data(c->b, LC_MAX_RANK * sizeof **amounts))) return;
        const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 2 + k), names[k], amounts[k], LC_MAX_RANK);
        if (lc_tf_ok(c) && n != (uint32_t)s.rank)
            lc_tf_fail(c, LC_INVALID, "%s has %u numbers, its input %d dimensions", names[k], n, s.rank);
        for (uint32_t d = 0; d < n; d++) plain = plain && (k == 2 ? amounts[k][d] == 0 : amounts[k][d] >= 0 && amounts[k][d] <= INT32_MAX);
    }
    const int32_t in[2] = {lc_tf_movable(c, x, PADS), lc_tf_movable(c, value, PADS)};
    if (!lc_tf_ok(c) || in[0] < 0 || in[1] < 0) return;
    if (plain) {
        int32_t pads[2 * LC_MAX_RANK];
        for (int32_t d = 0; d < s.rank; d++) {
            pads[2 * d] = (int32_t)amounts[0][d];
            pads[2 * d + 1] = (int32_t)amounts[1][d];
        }
        lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_padv2(c, in[0], pads, s.rank, in[1]), type));
        return;
    }
    const uint32_t n = (uint32_t)s.rank;
    const lc_StablehloPadOptions o = {
        .edge_padding_low = {amounts[0], n}, .edge_padding_high = {amounts[1], n}, .interior_padding = {amounts[2], n}};
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_STABLEHLO_PAD, LC_TABLE_StablehloPadOptions, &o, in, 2), type));
}

/* ---- in another order ------------------------------------------------------------------------------------------------- */

void lc_tf_op_transpose(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), perm = lc_tf_int32(c, lc_tf_in(c, 1));
    const lc_dtype type = lc_tf_type(c, x);
    lc_tf_ranked(c, x);
    int64_t order[LC_MAX_RANK];
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    bool same = lc_tf_ints(c, perm, order, LC_MAX_RANK, &n) && n == (uint32_t)lc_tf_shape(c, x).rank;
    for (uint32_t i = 0; same && i < n; i++) same = order[i] == i;
    if (same) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t in[2] = {lc_tf_movable(c, x, LC_TF_WIDTHS), perm};
    if (in[0] < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_TRANSPOSE, LC_TABLE_TransposeOptions, NULL, in, 2), type));
}

void lc_tf_op_conjugate_transpose(lc_tf_call *c) {
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    if (type == LC_COMPLEX64 || type == LC_COMPLEX128) lc_tf_missing(c, "no builtin conjugates complex numbers");
    else lc_tf_op_transpose(c);
}

/* y[x[i]] = i */
void lc_tf_op_invert_permutation(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), narrow = lc_tf_int32(c, x);
    lc_tf_rank_of(c, x, 1);
    const int32_t y =
        lc_tf_scatter_nd(c, lc_tf_expand(c, narrow, 1), lc_tf_range(c, lc_tf_dim(c, narrow, 0)), lc_tf_shape_tensor(c, narrow));
    lc_tf_give(c, 0, lc_tf_narrow(c, y, lc_tf_type(c, x)));
}

/* The dimensions whose bit is set run backwards. */
static void reverse(lc_tf_call *c, int32_t x, uint32_t set) {
    const lc_dtype type = lc_tf_type(c, x);
    if (!lc_tf_ok(c)) return;
    int32_t y = set ? lc_tf_movable(c, x, REVERSES) : x;
    if (y < 0) return;
    for (int32_t d = 0; d < LC_MAX_RANK; d++) {
        int32_t axes[LC_MAX_RANK], n = 0;
        for (; d < LC_MAX_RANK && (set >> d & 1); d++) axes[n++] = d;
        if (!n) continue;
        const int32_t in[2] = {y, lc_tf_vector(c, axes, n)};
        y = lc_build_op(c->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, in, 2);
    }
    lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

/* A bool for each dimension. */
void lc_tf_op_reverse(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    int64_t flags[LC_MAX_RANK];
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 1), "list of dimensions", flags, LC_MAX_RANK);
    const lc_shape s = lc_tf_ranked(c, x);
    uint32_t set = 0;
    if (lc_tf_ok(c) && n != (uint32_t)s.rank) lc_tf_fail(c, LC_INVALID, "names %u dimensions of a tensor with %d", n, s.rank);
    for (uint32_t d = 0; d < n; d++)
        if (flags[d]) set |= 1u << d;
    reverse(c, x, set);
}

void lc_tf_op_reverse_v2(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    int64_t axes[LC_MAX_RANK];
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 1), "axis", axes, LC_MAX_RANK);
    const lc_shape s = lc_tf_ranked(c, x);
    uint32_t set = 0;
    for (uint32_t i = 0; i < n && lc_tf_ok(c); i++) {
        const uint32_t bit = 1u << lc_tf_axis(c, axes[i], s.rank);
        if (lc_tf_ok(c) && (set & bit)) lc_tf_fail(c, LC_INVALID, "names axis %lld twice", (long long)axes[i]);
        set |= bit;
    }
    reverse(c, x, set);
}

void lc_tf_op_reverse_sequence(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), lengths = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_attr(c, "seq_dim")) lc_tf_fail(c, LC_INVALID, "attribute \"seq_dim\" is missing");
    const lc_ReverseSequenceOptions o = {.seq_dim = lc_tf_axis(c, lc_tf_attr_int(c, "seq_dim", 0), s.rank),
                                         .batch_dim = lc_tf_axis(c, lc_tf_attr_int(c, "batch_dim", 0), s.rank)};
    const int32_t in[2] = {lc_tf_movable(c, x, SEQUENCES), lengths};
    if (!lc_tf_ok(c) || in[0] < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_REVERSE_SEQUENCE, LC_TABLE_ReverseSequenceOptions, &o, in, 2), type));
}

/* Along each axis the last `shift` elements come first: two slices joined. */
void lc_tf_op_roll(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), shifts = lc_tf_flat(c, lc_tf_int32(c, lc_tf_in(c, 1)));
    int64_t axes[LC_MAX_RANK];
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 2), "axis", axes, LC_MAX_RANK);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x), given = lc_tf_ranked(c, shifts);
    if (!lc_tf_ok(c)) return;
    if (given.dims[0] != (int32_t)n) {
        lc_tf_fail(c, LC_INVALID, "has %u axes, and not as many shifts", n);
        return;
    }
    int32_t y = lc_tf_movable(c, x, CONCATS & ~LC_TF_T(UINT32));
    if (y < 0) return;
    for (uint32_t i = 0; i < n && lc_tf_ok(c); i++) {
        const int32_t axis = lc_tf_axis(c, axes[i], s.rank), size = lc_tf_dim(c, y, axis);
        if (s.dims[axis] == 0) continue;
        /* an empty dimension that is open has size 0 at run time, which nothing divides by */
        const int32_t divisor = s.dims[axis] > 0 ? size : lc_tf_with(c, LC_OP_MAXIMUM, size, 1);
        const int32_t shift = lc_tf_binary(c, LC_OP_FLOOR_MOD, lc_tf_entry(c, shifts, (int32_t)i), divisor);
        int64_t known;
        uint32_t one;
        if (lc_tf_ints(c, shift, &known, 1, &one) && known == 0) continue;
        const int32_t from = lc_tf_binary(c, LC_OP_SUB, size, shift);
        const int32_t parts[2] = {lc_tf_cut(c, y, axis, from, LC_ABSENT, 1), lc_tf_cut(c, y, axis, LC_ABSENT, from, 1)};
        y = lc_tf_concat(c, parts, 2, axis);
    }
    lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}
