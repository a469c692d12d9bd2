/*
 * tf_shape.c: shapes as data (Shape, Size, Rank, BroadcastArgs), the same elements under another shape (Reshape, ExpandDims, Squeeze), and
 * tensors made from a shape (Fill, BroadcastTo, Tile, Range, Empty).
 *
 * What stays true: an operator whose answer is known disappears. A broadcast whose open dimensions are those of its input needs no shape
 * at run time: it is a TILE by constants.
 */
#include "lower/tf_array.h"

/* ---- shapes as data ---------------------------------------------------------------------------------------------- */

/* The type of attribute out_type: int32 or int64, in which a shape can be given. */
static lc_dtype index_type(lc_tf_call *c, const char *name) {
    if (!lc_tf_attr(c, name)) return LC_INT32;
    const lc_dtype type = lc_tf_attr_type(c, name);
    if (lc_tf_ok(c) && type != LC_INT32 && type != LC_INT64)
        lc_tf_fail(c, LC_INVALID, "attribute \"%s\" is %s, needs int32 or int64", name,
                   type < LC_DTYPE_COUNT ? lc_dtype_name(type) : "unknown");
    return type == LC_INT64 ? LC_INT64 : LC_INT32;
}

static int32_t shape_as(lc_tf_call *c, int32_t x, lc_dtype type) {
    const lc_ShapeOptions o = {.out_type = (int8_t)type};
    return lc_build_op(c->b, LC_OP_SHAPE, LC_TABLE_ShapeOptions, &o, &x, 1);
}

void lc_tf_op_shape(lc_tf_call *c) {
    const lc_dtype type = index_type(c, "out_type");
    for (uint32_t i = 0; i < c->in_count && lc_tf_ok(c); i++) lc_tf_give(c, i, shape_as(c, lc_tf_in(c, i), type));
    if (!c->in_count) lc_tf_in(c, 0);
}

void lc_tf_op_size(lc_tf_call *c) {
    const int32_t axis = 0;
    const lc_dtype type = index_type(c, "out_type");
    lc_tf_give(c, 0, lc_build_reduce(c->b, LC_OP_REDUCE_PROD, shape_as(c, lc_tf_in(c, 0), type), &axis, 1, false));
}

void lc_tf_op_rank(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_shape s = lc_tf_shape(c, x);
    if (s.rank == LC_RANK_UNKNOWN) lc_tf_give(c, 0, lc_build_unary(c->b, LC_OP_RANK, x));
    else lc_tf_give(c, 0, lc_tf_scalar(c, s.rank, LC_INT32));
}

void lc_tf_op_broadcast_args(lc_tf_call *c) {
    const int32_t in[2] = {lc_tf_in(c, 0), lc_tf_in(c, 1)};
    lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_BROADCAST_ARGS, LC_TABLE_NONE, NULL, in, 2));
}

/* ---- the same elements under another shape ---------------------------------------------------------------------------- */

void lc_tf_op_reshape(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), shape = lc_tf_in(c, 1);
    lc_tf_rank_of(c, shape, 1);
    lc_tf_give(c, 0, lc_tf_reshape_like(c, x, shape));
}

void lc_tf_op_expand_dims(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const int64_t axis = lc_tf_need_int(c, lc_tf_in(c, 1), "axis");
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    lc_tf_give(c, 0, lc_tf_expand(c, x, lc_tf_axis(c, axis, s.rank + 1)));
}

void lc_tf_op_squeeze(lc_tf_call *c) {
    int64_t axes[LC_MAX_RANK];
    int32_t x = lc_tf_in(c, 0), dims[LC_MAX_RANK], n = 0, open = 0;
    const uint32_t named = lc_tf_attr_ints(c, "squeeze_dims", axes, LC_MAX_RANK);
    const lc_shape s = lc_tf_ranked(c, x);
    bool drop[LC_MAX_RANK] = {false}, empty = false, guess = false;
    if (!lc_tf_ok(c)) return;
    for (int32_t d = 0; d < s.rank && !named; d++) drop[d] = s.dims[d] == 1;
    for (uint32_t i = 0; i < named; i++) {
        const int32_t d = lc_tf_axis(c, axes[i], s.rank);
        if (!lc_tf_ok(c)) return;
        if (s.dims[d] > 1 || s.dims[d] == 0) {
            lc_tf_fail(c, LC_INVALID, "squeezes dimension %d, which is %d and not 1", d, s.dims[d]);
            return;
        }
        drop[d] = true;
        guess = guess || s.dims[d] < 0;
    }
    for (int32_t d = 0; d < s.rank; d++) {
        if (drop[d]) continue;
        open += s.dims[d] < 0;
        empty = empty || s.dims[d] == 0;
        dims[n++] = s.dims[d];
    }
    if (n == s.rank) {
        lc_tf_give(c, 0, x);
    } else if (open == 0 || (open == 1 && !empty)) {
        lc_tf_give(c, 0, lc_tf_reshape(c, x, dims, n));
    } else if (guess) { /* an open dimension that the graph promises to be 1: its first element is all of it */
        for (int32_t d = s.rank - 1; d >= 0; d--)
            if (drop[d]) x = lc_tf_pick(c, x, d, 0);
        lc_tf_give(c, 0, x);
    } else {
        int32_t *squeezed = lc_build_data(c->b, sizeof dims);
        lc_SqueezeOptions o = {.squeeze_dims = {squeezed, 0}};
        for (int32_t d = 0; squeezed && d < s.rank; d++)
            if (drop[d]) squeezed[o.squeeze_dims.n++] = d;
        lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_SQUEEZE, LC_TABLE_SqueezeOptions, &o, &x, 1));
    }
}

/* ---- tensors from a shape ------------------------------------------------------------------------------------------------ */

#define FILLS (LC_TF_WIDTHS | LC_TF_T(STRING))

/* A vector of dimensions for FILL, BROADCAST_TO and TILE. */
static int32_t dims_of(lc_tf_call *c, uint32_t i) {
    const int32_t dims = lc_tf_in(c, i);
    const lc_shape s = lc_tf_rank_of(c, dims, 1);
    const lc_dtype type = lc_tf_type(c, dims);
    if (!lc_tf_ok(c)) return -1;
    if (s.dims[0] > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "its shape has %d dimensions; litec runs up to %d", s.dims[0], LC_MAX_RANK);
    if (type != LC_INT32 && type != LC_INT64)
        return lc_tf_fail(c, LC_INVALID, "its shape is %s, needs int32 or int64", lc_dtype_name(type));
    return lc_tf_int32(c, dims);
}

void lc_tf_op_fill(lc_tf_call *c) {
    const int32_t dims = dims_of(c, 0), value = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, value);
    const lc_shape s = lc_tf_shape(c, value);
    int32_t v = lc_tf_movable(c, value, FILLS);
    if (v < 0) return;
    if (s.rank == 1) v = lc_tf_reshape(c, v, NULL, 0); /* old graphs have a vector of one */
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_fill(c, dims, v), type));
}

void lc_tf_op_empty(lc_tf_call *c) {
    const int32_t dims = dims_of(c, 0);
    const lc_dtype type = lc_tf_attr_type(c, "dtype");
    if (!lc_tf_ok(c)) return;
    if (type == LC_DTYPE_COUNT || lc_dtype_bits(type) == 0 || type == LC_COMPLEX64 || type == LC_COMPLEX128)
        lc_tf_missing(c, "no builtin makes an empty tensor of this type");
    else lc_tf_give(c, 0, lc_tf_fill(c, dims, lc_tf_scalar(c, 0, type)));
}

/* Where every dimension of `to` is x's, or x has 1 there and it is known, constants say how often x is repeated; -1 otherwise. */
static int32_t tile_instead(lc_tf_call *c, int32_t x, int32_t to) {
    const lc_shape s = lc_tf_shape(c, x), out = lc_tf_shape(c, to);
    int32_t times[LC_MAX_RANK], dims[LC_MAX_RANK], open = 0;
    bool empty = false;
    if (!lc_tf_ok(c) || out.rank == LC_RANK_UNKNOWN || s.rank == LC_RANK_UNKNOWN || out.rank < s.rank) return -1;
    const int32_t ahead = out.rank - s.rank;
    for (int32_t d = 0; d < out.rank; d++) {
        const bool own = d >= ahead && lc_tf_same_dim(c, x, d - ahead, to, d);
        dims[d] = d < ahead ? 1 : s.dims[d - ahead];
        times[d] = own ? 1 : out.dims[d];
        if (!own && (dims[d] != 1 || out.dims[d] < 0)) return -1;
        open += dims[d] < 0;
        empty = empty || dims[d] == 0;
    }
    if (ahead && (open > 1 || (open && empty))) return -1;
    bool same = true;
    for (int32_t d = 0; d < out.rank; d++) same = same && times[d] == 1;
    if (ahead) x = lc_tf_reshape(c, x, dims, out.rank);
    if (same) return x;
    const int32_t in[2] = {x, lc_tf_vector(c, times, out.rank)};
    return lc_build_op(c->b, LC_OP_TILE, LC_TABLE_TileOptions, NULL, in, 2);
}

#define BROADCASTS LC_TF_WIDTHS

void lc_tf_op_broadcast_to(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), dims = dims_of(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x), fixed = lc_tf_shape_value(c, dims);
    if (!lc_tf_ok(c)) return;
    if (lc_shape_equal(&s, &fixed) && lc_tf_is_const(c, dims)) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t v = lc_tf_movable(c, x, BROADCASTS);
    if (v < 0) return;
    const int32_t plain = lc_tf_broadcast(c, v, dims);
    if (lc_tf_is_const(c, dims)) {
        lc_tf_give(c, 0, lc_tf_moved(c, plain, type));
        return;
    }
    const int32_t tiled = tile_instead(c, v, plain); /* then nobody reads the broadcast, and it goes with its shape */
    lc_tf_give(c, 0, lc_tf_moved(c, tiled >= 0 ? tiled : plain, type));
}

void lc_tf_op_tile(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), times = dims_of(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    int64_t values[LC_MAX_RANK];
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    if (lc_tf_ints(c, times, values, LC_MAX_RANK, &n)) {
        bool once = true;
        for (uint32_t i = 0; i < n; i++) once = once && values[i] == 1;
        if (once) {
            lc_tf_give(c, 0, x);
            return;
        }
    }
    const int32_t v = lc_tf_movable(c, x, FILLS);
    if (v < 0) return;
    const int32_t in[2] = {v, times};
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_TILE, LC_TABLE_TileOptions, NULL, in, 2), type));
}

/* Scalars of one type; float16, bfloat16 and float64 count in float32, small integers in int32. */
void lc_tf_op_range(lc_tf_call *c) {
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    int32_t in[3];
    for (uint32_t i = 0; i < 3; i++) {
        in[i] = lc_tf_widen(c, lc_tf_in(c, i), LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(INT64));
        if (in[i] < 0) return;
    }
    const int32_t y = lc_build_op(c->b, LC_OP_RANGE, LC_TABLE_RangeOptions, NULL, in, 3);
    lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}
