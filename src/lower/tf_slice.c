/*
 * tf_slice.c: parts of a tensor: Slice, StridedSlice with all its masks, Split, SplitV, Unpack, XlaDynamicSlice; and a part replaced:
 * TensorStridedSliceUpdate, StridedSliceAssign, ResourceStridedSliceAssign, XlaDynamicUpdateSlice.
 *
 * TFLite's STRIDED_SLICE reads the masks as TensorFlow does (ops/slice_op.c has them in words), so they are handed on. A slice that takes
 * everything is no operator, or a RESHAPE where it only adds or drops dimensions of 1: x[:, tf.newaxis].
 */
#include "lower/tf_array.h"
#include "lower/tf_impl.h"
#include "ops/slice.h"

#include <string.h>

#define SLICES (LC_TF_WIDTHS | LC_TF_T(STRING))
#define LITERT_SLICE_RANK 5 /* LiteRT's SLICE takes no more dimensions; its STRIDED_SLICE does */

/* A vector of positions as int32: 2^63 - 1 stays "as far as it goes" instead of becoming -1. */
static int32_t positions(lc_tf_call *c, uint32_t i) {
    const int32_t v = lc_tf_in(c, i);
    int64_t values[LC_SLICE_MAX];
    uint32_t n;
    const lc_dtype type = lc_tf_type(c, v);
    if (!lc_tf_ok(c)) return -1;
    lc_tf_rank_of(c, v, 1);
    if (type == LC_INT64 && lc_tf_ints(c, v, values, LC_SLICE_MAX, &n)) return lc_tf_const_ints(c, values, n, LC_INT32);
    return lc_tf_int32(c, v);
}

/* ---- slice ------------------------------------------------------------------------------------------------------- */

/* As many elements of every dimension as `y` has, and no other dimensions. */
static bool same_shape(lc_tf_call *c, int32_t x, int32_t y, int32_t rank) {
    for (int32_t d = 0; d < rank; d++)
        if (!lc_tf_same_dim(c, x, d, y, d)) return false;
    return lc_tf_ok(c);
}

/* `size` elements of each dimension from `begin` on; -1: the rest. */
static int32_t slice(lc_tf_call *c, int32_t x, int32_t begin, int32_t size) {
    const lc_shape s = lc_tf_ranked(c, x);
    const int32_t in[3] = {x, begin, size};
    if (!lc_tf_ok(c)) return -1;
    if (s.rank <= LITERT_SLICE_RANK) return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
    int64_t sizes[LC_MAX_RANK];
    uint32_t n;
    int32_t ones[LC_MAX_RANK];
    lc_StridedSliceOptions o = {0};
    if (lc_tf_ints(c, size, sizes, LC_MAX_RANK, &n))
        for (uint32_t d = 0; d < n; d++)
            if (sizes[d] < 0) o.end_mask |= (int32_t)(1u << d);
    for (int32_t d = 0; d < s.rank; d++) ones[d] = 1;
    const int32_t strided[4] = {x, begin, lc_tf_binary(c, LC_OP_ADD, begin, size), lc_tf_vector(c, ones, s.rank)};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, strided, 4);
}

void lc_tf_op_slice(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), begin = positions(c, 1), size = positions(c, 2);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t from[LC_MAX_RANK];
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    if (s.rank == 0) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t v = lc_tf_movable(c, x, SLICES);
    if (v < 0) return;
    const int32_t y = slice(c, v, begin, size);
    bool all = lc_tf_ints(c, begin, from, LC_MAX_RANK, &n);
    for (uint32_t d = 0; all && d < n; d++) all = from[d] == 0;
    if (all && !lc_tf_is_const(c, y) && same_shape(c, x, y, s.rank)) lc_tf_give(c, 0, x);
    else lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

/* The start is moved so that the slice fits. */
void lc_tf_op_xla_dynamic_slice(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), size = positions(c, 2);
    int32_t start = positions(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    const int32_t v = s.rank ? lc_tf_movable(c, x, SLICES) : x;
    if (v < 0 || s.rank == 0) {
        if (v >= 0) lc_tf_give(c, 0, v);
        return;
    }
    start = lc_tf_binary(c, LC_OP_MINIMUM, start, lc_tf_binary(c, LC_OP_SUB, lc_tf_shape_tensor(c, x), size));
    start = lc_tf_with(c, LC_OP_MAXIMUM, start, 0);
    lc_tf_give(c, 0, lc_tf_moved(c, slice(c, v, start, size), type));
}

void lc_tf_op_xla_dynamic_update_slice(lc_tf_call *c) {
    const int32_t in[3] = {lc_tf_in(c, 0), lc_tf_in(c, 1), positions(c, 2)};
    lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_DynamicUpdateSliceOptions, NULL, in, 3));
}

/* ---- strided slice ---------------------------------------------------------------------------------------------------- */

typedef struct strided {
    int32_t x, begin, end, strides;
    lc_StridedSliceOptions o;
    int64_t b[LC_SLICE_MAX], e[LC_SLICE_MAX], s[LC_SLICE_MAX];
    bool known_b, known_s;
    int32_t n;                     /* entries */
    int32_t of_out[LC_MAX_RANK];   /* input dimension of each output dimension; LC_ABSENT: a new one */
    int32_t entry_of[LC_MAX_RANK]; /* entry of each input dimension, LC_ABSENT: none (all of it) */
    bool shrunk[LC_MAX_RANK];      /* input dimensions that go */
    int32_t out_rank;
} strided;

static int32_t without_bit(int32_t mask, int32_t i) {
    const uint32_t m = (uint32_t)mask, below = (1u << i) - 1;
    return (int32_t)((m & below) | (m >> 1 & ~below));
}

/* Takes entry i away: an ellipsis that stands for no dimension, which LiteRT takes for one all the same. */
static void without_ellipsis(lc_tf_call *c, strided *r, int32_t i) {
    int32_t kept[LC_SLICE_MAX], n = 0;
    int32_t *const operands[3] = {&r->begin, &r->end, &r->strides};
    int32_t *const masks[5] = {&r->o.begin_mask, &r->o.end_mask, &r->o.ellipsis_mask, &r->o.new_axis_mask, &r->o.shrink_axis_mask};
    for (int32_t k = 0; k < r->n; k++) {
        if (k == i) continue;
        r->b[n] = r->b[k];
        r->s[n] = r->s[k];
        kept[n++] = k;
    }
    const int32_t order = lc_tf_vector(c, kept, n);
    for (int k = 0; k < 3; k++) *operands[k] = lc_tf_gather(c, *operands[k], order, 0, 0);
    for (int k = 0; k < 5; k++) *masks[k] = without_bit(*masks[k], i);
    for (int32_t d = 0; d < LC_MAX_RANK; d++) r->entry_of[d] -= r->entry_of[d] > i;
    r->n = n;
}

/* Reads the operands and works out which dimension each entry speaks of. */
static bool read_strided(lc_tf_call *c, strided *r) {
    memset(r, 0, sizeof *r);
    r->x = lc_tf_in(c, 0);
    r->begin = positions(c, 1);
    r->end = positions(c, 2);
    r->strides = positions(c, 3);
    r->o.begin_mask = (int32_t)lc_tf_attr_int(c, "begin_mask", 0);
    r->o.end_mask = (int32_t)lc_tf_attr_int(c, "end_mask", 0);
    r->o.ellipsis_mask = (int32_t)lc_tf_attr_int(c, "ellipsis_mask", 0);
    r->o.new_axis_mask = (int32_t)lc_tf_attr_int(c, "new_axis_mask", 0);
    r->o.shrink_axis_mask = (int32_t)lc_tf_attr_int(c, "shrink_axis_mask", 0);
    const lc_shape in = lc_tf_ranked(c, r->x), v = lc_tf_shape(c, r->begin);
    if (!lc_tf_ok(c)) return false;
    r->n = v.dims[0];
    if (r->n < 0 || r->n >= LC_SLICE_MAX) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the number of dimensions it slices is %s", r->n < 0 ? "not known" : "over 31");
        return false;
    }
    uint32_t n;
    r->known_b = lc_tf_ints(c, r->begin, r->b, LC_SLICE_MAX, &n) && (int32_t)n == r->n;
    r->known_s = lc_tf_ints(c, r->strides, r->s, LC_SLICE_MAX, &n) && (int32_t)n == r->n;
    const uint32_t ellipsis = (uint32_t)r->o.ellipsis_mask, fresh = (uint32_t)r->o.new_axis_mask & ~ellipsis;
    const uint32_t shrink = (uint32_t)r->o.shrink_axis_mask & ~ellipsis & ~fresh;
    int32_t named = 0, d = 0;
    bool met = false;
    for (int32_t i = 0; i < r->n; i++) named += !((ellipsis | fresh) >> i & 1);
    for (int32_t i = 0; i < in.rank; i++) r->entry_of[i] = LC_ABSENT;
    for (int32_t i = 0; i <= r->n; i++) {
        const bool rest = i == r->n || (ellipsis >> i & 1);
        int32_t behind = 0;
        for (int32_t k = i + 1; k < r->n; k++) behind += !((ellipsis | fresh) >> k & 1);
        if (rest) {
            for (; d < in.rank - (met ? 0 : behind); d++)
                if (r->out_rank < LC_MAX_RANK) r->of_out[r->out_rank++] = d;
            met = true;
        } else if (fresh >> i & 1) {
            if (r->out_rank < LC_MAX_RANK) r->of_out[r->out_rank++] = LC_ABSENT;
        } else if (d < in.rank) {
            r->entry_of[d] = i;
            r->shrunk[d] = shrink >> i & 1;
            if (!r->shrunk[d] && r->out_rank < LC_MAX_RANK) r->of_out[r->out_rank++] = d;
            d++;
        }
    }
    if (named > in.rank) {
        lc_tf_fail(c, LC_INVALID, "names %d dimensions of an input with %d", named, in.rank);
        return false;
    }
    for (int32_t i = 0; i < r->n && named == in.rank; i++)
        if (ellipsis >> i & 1) {
            without_ellipsis(c, r, i);
            break;
        }
    return lc_tf_ok(c);
}

static int32_t build_strided(lc_tf_call *c, const strided *r, int32_t x) {
    const int32_t in[4] = {x, r->begin, r->end, r->strides};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &r->o, in, 4);
}

/* Every stride that counts is 1. */
static bool plain_strides(const strided *r, int32_t rank) {
    if (!r->known_s) return false;
    for (int32_t d = 0; d < rank; d++)
        if (r->entry_of[d] >= 0 && !r->shrunk[d] && r->s[r->entry_of[d]] != 1) return false;
    return true;
}

/* y is r->x sliced. True when it holds everything of it: another shape would do. */
static bool takes_all(lc_tf_call *c, const strided *r, int32_t y) {
    const lc_shape in = lc_tf_shape(c, r->x), out = lc_tf_shape(c, y);
    if (!plain_strides(r, in.rank) || out.rank != r->out_rank) return false;
    for (int32_t d = 0; d < in.rank; d++)
        if (r->shrunk[d] && in.dims[d] != 1) return false;
    for (int32_t d = 0; d < out.rank; d++)
        if (r->of_out[d] >= 0 && !lc_tf_same_dim(c, r->x, r->of_out[d], y, d)) return false;
    return true;
}

void lc_tf_op_strided_slice(lc_tf_call *c) {
    strided r;
    if (!read_strided(c, &r)) return;
    const lc_dtype type = lc_tf_type(c, r.x);
    const int32_t v = lc_tf_movable(c, r.x, SLICES);
    if (v < 0) return;
    const int32_t y = build_strided(c, &r, v);
    const lc_shape out = lc_tf_shape(c, y);
    if (!lc_tf_ok(c)) return;
    int32_t open = 0;
    bool empty = false, same = out.rank == lc_tf_shape(c, r.x).rank;
    for (int32_t d = 0; d < out.rank; d++) {
        open += out.dims[d] < 0;
        empty = empty || out.dims[d] == 0;
        same = same && r.of_out[d] == d;
    }
    if (!lc_tf_is_const(c, y) && takes_all(c, &r, y)) {
        if (same) {
            lc_tf_give(c, 0, r.x);
            return;
        }
        if (open == 0 || (open == 1 && !empty)) {
            lc_tf_give(c, 0, lc_tf_reshape(c, r.x, out.dims, out.rank));
            return;
        }
    }
    lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

/* Where the slice begins in each dimension of x, when that is known and its steps are 1. */
static bool starts(lc_tf_call *c, const strided *r, int32_t *start) {
    const lc_shape in = lc_tf_shape(c, r->x);
    if (!plain_strides(r, in.rank)) return false;
    for (int32_t d = 0; d < in.rank; d++) {
        const int32_t i = r->entry_of[d];
        start[d] = 0;
        if (i < 0 || (!r->shrunk[d] && (r->o.begin_mask >> i & 1))) continue;
        if (!r->known_b) return false;
        int64_t at = r->b[i];
        if (at < 0 && in.dims[d] < 0) return false;
        if (at < 0) at += in.dims[d];
        if (at < 0) at = 0;
        start[d] = (int32_t)(at > INT32_MAX ? INT32_MAX : at);
    }
    return true;
}

/* x with the slice replaced by value, which broadcasts to it. One block: DYNAMIC_UPDATE_SLICE. Else x's elements are numbered, the numbers
 * are sliced, and the values are scattered there. */
static int32_t slice_update(lc_tf_call *c) {
    strided r;
    int32_t start[LC_MAX_RANK], value = lc_tf_in(c, 4);
    if (!read_strided(c, &r)) return -1;
    const lc_dtype type = lc_tf_type(c, r.x);
    const lc_shape in = lc_tf_shape(c, r.x), given = lc_tf_ranked(c, value);
    const int32_t x = lc_tf_movable(c, r.x, LC_TF_SCATTERS);
    if (x < 0) return -1;
    value = lc_tf_movable(c, value, LC_TF_SCATTERS);
    if (value < 0) return -1;
    const int32_t part = build_strided(c, &r, x); /* for its shape; nobody reads it */
    const lc_shape out = lc_tf_ranked(c, part);
    if (!lc_tf_ok(c)) return -1;
    if (given.rank != out.rank || !same_shape(c, value, part, out.rank)) value = lc_tf_broadcast(c, value, lc_tf_shape_tensor(c, part));
    int32_t dims[LC_MAX_RANK], open = 0;
    for (int32_t d = 0, k = 0; d < in.rank; d++) {
        while (k < r.out_rank && r.of_out[k] == LC_ABSENT) k++;
        dims[d] = r.shrunk[d] ? 1 : out.dims[k++];
        open += dims[d] < 0;
    }
    bool same = out.rank == in.rank;
    for (int32_t d = 0; d < out.rank; d++) same = same && r.of_out[d] == d;
    if (in.rank > 0 && (same || open <= 1) && starts(c, &r, start)) {
        const int32_t operands[3] = {x, same ? value : lc_tf_reshape(c, value, dims, in.rank), lc_tf_vector(c, start, in.rank)};
        const int32_t y = lc_build_op(c->b, LC_OP_DYNAMIC_UPDATE_SLICE, LC_TABLE_DynamicUpdateSliceOptions, NULL, operands, 3);
        return lc_tf_moved(c, y, type);
    }
    const int32_t shape = lc_tf_shape_tensor(c, x);
    const int32_t numbers = lc_tf_reshape_like(c, lc_tf_range(c, lc_tf_count(c, x, 0, in.rank)), shape);
    const int32_t where = lc_tf_expand(c, lc_tf_flat(c, build_strided(c, &r, numbers)), 1);
    const int32_t y = lc_tf_scatter(c, LC_TF_FOLD_UPDATE, lc_tf_flat(c, x), where, lc_tf_flat(c, value));
    return lc_tf_moved(c, lc_tf_reshape_like(c, y, shape), type);
}

void lc_tf_op_strided_slice_update(lc_tf_call *c) {
    const int32_t y = slice_update(c);
    if (y >= 0) lc_tf_give(c, 0, y);
}

/* v[1:3].assign(x): the same, and the variable has that value from here on. */
void lc_tf_op_strided_slice_assign(lc_tf_call *c) {
    if (!c->in_count || c->in[0].kind != LC_TF_VARIABLE) {
        lc_tf_fail(c, LC_INVALID, "its input 0 is no variable");
        return;
    }
    const int32_t y = slice_update(c);
    if (y < 0) return;
    lc_tf_variable_assign(c, c->in[0].object, y);
    lc_tf_give_value(c, 0, c->in[0]);
}

/* ---- split --------------------------------------------------------------------------------------------------------------- */

#define SPLITS LC_TF_NUMBERS
#define UNPACKS ((LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL)) & ~LC_TF_T(INT64))

/* Gives the n outputs of an operator that takes v apart. */
static void give_parts(lc_tf_call *c, int32_t op, lc_table_id table, const void *attrs, const int32_t *in, uint32_t n_in, lc_dtype type) {
    const uint32_t n = c->out_count;
    int32_t *parts = lc_build_data(c->b, (size_t)n * sizeof *parts);
    if (!parts || !lc_build_op_multi(c->b, op, table, attrs, in, n_in, parts, n)) return;
    for (uint32_t i = 0; i < n; i++) lc_tf_give(c, i, lc_tf_moved(c, parts[i], type));
}

/* Attribute `name` is the number of outputs; 0 of them: nothing to do. */
static bool parts_wanted(lc_tf_call *c, const char *name) {
    const int64_t n = lc_tf_attr_int(c, name, -1);
    if (lc_tf_ok(c) && n != (int64_t)c->out_count) lc_tf_fail(c, LC_INVALID, "attribute \"%s\" is %lld", name, (long long)n);
    return lc_tf_ok(c) && n > 0;
}

/* x and the axis as the operators want them. -1: the one part is x itself, which was given, or it failed. */
static int32_t to_split(lc_tf_call *c, int32_t x, int32_t axis, int32_t *tensor_axis) {
    const int64_t wanted = lc_tf_need_int(c, axis, "axis");
    const lc_shape s = lc_tf_ranked(c, x);
    if (!parts_wanted(c, "num_split")) return -1;
    const int32_t d = lc_tf_axis(c, wanted, s.rank);
    if (c->out_count == 1) {
        lc_tf_give(c, 0, x);
        return -1;
    }
    *tensor_axis = lc_tf_scalar(c, d, LC_INT32);
    return lc_tf_movable(c, x, SPLITS);
}

void lc_tf_op_split(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 1);
    int32_t axis;
    const int32_t v = to_split(c, x, lc_tf_in(c, 0), &axis);
    if (v < 0) return;
    const int32_t in[2] = {axis, v};
    const lc_SplitOptions o = {.num_splits = (int32_t)c->out_count};
    give_parts(c, LC_OP_SPLIT, LC_TABLE_SplitOptions, &o, in, 2, lc_tf_type(c, x));
}

void lc_tf_op_split_v(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), sizes = lc_tf_in(c, 1);
    int32_t axis;
    const int32_t v = to_split(c, x, lc_tf_in(c, 2), &axis);
    if (v < 0) return;
    const int32_t in[3] = {v, lc_tf_int32(c, sizes), axis};
    const lc_SplitVOptions o = {.num_splits = (int32_t)c->out_count};
    give_parts(c, LC_OP_SPLIT_V, LC_TABLE_SplitVOptions, &o, in, 3, lc_tf_type(c, x));
}

void lc_tf_op_unpack(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const int64_t axis = lc_tf_attr_int(c, "axis", 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!parts_wanted(c, "num")) return;
    const int32_t d = lc_tf_axis(c, axis, s.rank);
    if (!lc_tf_ok(c)) return;
    if (s.dims[d] >= 0 && s.dims[d] != (int32_t)c->out_count) {
        lc_tf_fail(c, LC_INVALID, "takes %u parts of dimension %d, which has %d", c->out_count, d, s.dims[d]);
        return;
    }
    /* UNPACK knows no elements of 8 bytes and no strings; one part needs none */
    if (c->out_count == 1 || lc_dtype_bits(type) == 64 || type == LC_STRING) {
        for (uint32_t i = 0; i < c->out_count && lc_tf_ok(c); i++) lc_tf_give(c, i, lc_tf_pick(c, x, d, (int32_t)i));
        return;
    }
    const int32_t v = lc_tf_movable(c, x, UNPACKS);
    if (v < 0) return;
    const lc_UnpackOptions o = {.num = (int32_t)c->out_count, .axis = d};
    give_parts(c, LC_OP_UNPACK, LC_TABLE_UnpackOptions, &o, &v, 1, type);
}
