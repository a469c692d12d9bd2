/*
 * formula_more.c: functions of formulas (formula.h) that need a loop over axes, lists or numbers. What a formula can say itself is at the
 * end of formula.def.
 */
#include "lower/formula_make.h"
#include "lower/tf_loop.h"

#include <math.h>
#include <string.h>

/* along(x, v, axis): a vector v as it stands beside dimension `axis` of x; what has as many dimensions as x stays. */
lc_arg lc_formula_along(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const lc_arg pair[2] = {a[1], a[0]};
    int32_t v = lc_formula_like(f, pair, 2).tensor;
    const int32_t rank = lc_arg_rank(f, a[0]);
    int32_t axes[LC_MAX_RANK];
    if (!lc_formula_ok(f) || lc_arg_rank(f, give(v)) != 1 || lc_arg_wholes(f, a[2], axes, LC_MAX_RANK, "axis") != 1) return give(v);
    for (int32_t i = lc_arg_axis(f, lc_arg_int(f, axes[0]), rank); i + 1 < rank && lc_formula_ok(f); i++)
        v = op2(f, "ExpandDims", v, whole(f, -1));
    return give(v);
}
/* power(a, b) of numbers */
lc_arg lc_formula_power(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (!lc_arg_is_number(a[0]) || !lc_arg_is_number(a[1])) return lc_formula_fail(f, "a size that is not known");
    return lc_arg_real(f, pow(a[0].json->real, a[1].json->real));
}
/* gelu(x, approximate) */
lc_arg lc_formula_gelu(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_to(f, a[0], LC_FLOAT32);
    const lc_GeluOptions o = {.approximate = lc_arg_true(a[1])};
    return give(lc_formula_ok(f) ? lc_build_op(f->c->b, LC_OP_GELU, LC_TABLE_GeluOptions, &o, &x, 1) : -1);
}
/* norm(x, ord, axis, keepdims): of vectors, or of matrices where axis names two. */
lc_arg lc_formula_norm(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    const bool euclid = lc_arg_is_none(a[1]) || lc_arg_is_text(a[1], "euclidean") || lc_arg_is_text(a[1], "fro");
    const int32_t over = lc_formula_axes(f, (const lc_arg[2]){give(x), a[2]}, 2).tensor;
    const lc_arg both = lc_arg_is_none(a[2]) ? lc_arg_none() : a[2];
    const uint32_t axes = lc_arg_is_none(both) ? 0 : lc_arg_is_list(both) ? lc_arg_count(both) : 1;
    const bool matrix = axes == 2 || (axes == 0 && lc_arg_rank(f, give(x)) == 2 && !lc_arg_is_none(a[1]) && !euclid);
    double p = 2;
    bool top = false, bottom = false;
    if (!euclid) {
        if (lc_arg_is_number(a[1])) p = a[1].json->real;
        else if (lc_arg_is_text(a[1], "inf") || lc_arg_is_text(a[1], "Infinity")) p = (double)INFINITY;
        else if (lc_arg_is_text(a[1], "-inf") || lc_arg_is_text(a[1], "-Infinity")) p = -(double)INFINITY;
        else if (a[1].json && lc_arg_is_number(lc_arg_of(f, lc_json_get(lc_json_get(a[1].json, "config"), "value"))))
            p = lc_json_get(lc_json_get(a[1].json, "config"), "value")->real;
        else return lc_formula_fail(f, "litec does not know this \"ord\"");
        top = isinf(p) && p > 0;
        bottom = isinf(p) && p < 0;
        if (matrix) return lc_formula_fail(f, "\"ord\" of a matrix is neither None nor \"fro\"");
    }
    if (!lc_formula_ok(f)) return lc_arg_none();
    const lc_dtype type = lc_build_type(f->c->b, x);
    const int32_t size = op1(f, "Abs", x);
    const char *op = top ? "Max" : bottom ? "Min" : "Sum";
    if (top || bottom || p == 1) x = size;
    else if (p == 2) x = op1(f, "Square", x);
    else if (p == 0) x = lc_arg_to(f, give(op2(f, "NotEqual", x, lc_tf_scalar(f->maker, 0, type))), type);
    else x = op2(f, "Pow", size, lc_tf_scalar(f->maker, p, type));
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, op) : NULL;
    lc_eager_in(e, x);
    lc_eager_in(e, over);
    lc_eager_bool(e, "keep_dims", lc_arg_true(a[3]));
    x = lc_eager_run(e);
    if (p == 2) return give(op1(f, "Sqrt", x));
    return give(top || bottom || p == 1 || p == 0 ? x : op2(f, "Pow", x, lc_tf_scalar(f->maker, 1 / p, type)));
}
/* padlast(x, n): n mirrored samples on both sides of the last dimension. */
lc_arg lc_formula_padlast(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = lc_arg_rank(f, give(x)), by = lc_arg_whole(f, a[1], 0, 1 << 20, "padding");
    int32_t widths[LC_MAX_RANK][2] = {{0}};
    if (!lc_formula_ok(f) || rank < 1) return lc_arg_none();
    widths[rank - 1][0] = widths[rank - 1][1] = by;
    lc_eager *e = lc_eager_make(f->maker, "MirrorPad");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_build_int_matrix(f->c->b, "widths", widths[0], rank, 2));
    lc_eager_str(e, "mode", "REFLECT");
    return give(lc_eager_run(e));
}
/* select(conditions, choices, default): the first that holds. */
lc_arg lc_formula_select(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const uint32_t count = lc_arg_count(a[0]);
    if (!count || lc_arg_count(a[1]) != count) return lc_formula_fail(f, "%u conditions for %u choices", count, lc_arg_count(a[1]));
    lc_formula_kind *kinds = lc_arena_array(&f->c->lower->scratch, count + 1, sizeof *kinds);
    if (!kinds) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
        return lc_arg_none();
    }
    for (uint32_t i = 0; i < count; i++) kinds[i] = lc_formula_kind_of(f, lc_arg_item(f, a[1], i));
    kinds[count] = lc_formula_kind_of(f, a[2]);
    const lc_dtype type = lc_formula_common(kinds, count + 1, false);
    int32_t y = lc_arg_to(f, a[2], type);
    for (uint32_t i = count; i-- > 0 && lc_formula_ok(f);) {
        const int32_t condition = lc_arg_to(f, lc_arg_item(f, a[0], i), LC_BOOL), choice = lc_arg_to(f, lc_arg_item(f, a[1], i), type);
        y = op3(f, "SelectV2", condition, choice, y);
    }
    return give(y);
}
/* unravel(indices, shape) */
lc_arg lc_formula_unravel(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t sizes[LC_MAX_RANK], x = lc_arg_any(f, a[0]);
    const uint32_t count = lc_arg_wholes(f, a[1], sizes, LC_MAX_RANK, "shape");
    if (!lc_formula_ok(f)) return lc_arg_none();
    const lc_dtype type = lc_build_type(f->c->b, x);
    for (uint32_t i = 0; i < count; i++)
        if (sizes[i] < 1) return lc_formula_fail(f, "\"shape\" needs sizes of at least 1");
    /* Keras takes the sizes of anything but a vector from the front: the file's program did so, too */
    const bool vector = lc_arg_rank(f, give(x)) == 1;
    lc_arg out[LC_MAX_RANK];
    for (uint32_t i = count; i-- > 0 && lc_formula_ok(f);) {
        const int32_t size = lc_tf_scalar(f->maker, sizes[vector ? i : count - 1 - i], type);
        out[i] = give(op2(f, "FloorMod", x, size));
        x = op2(f, "FloorDiv", x, size);
    }
    return lc_formula_ok(f) ? lc_arg_list(f, out, count) : lc_arg_none();
}
/* atleast(list, k): each with k dimensions at least, as numpy.vstack and dstack want them. */
lc_arg lc_formula_atleast(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const uint32_t count = lc_arg_count(a[0]);
    const int32_t k = lc_arg_whole(f, a[1], 1, 3, "rank");
    lc_arg *items = lc_arena_array(&f->c->lower->scratch, count + 1, sizeof *items);
    if (!items) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
        return lc_arg_none();
    }
    for (uint32_t i = 0; i < count && lc_formula_ok(f); i++) {
        int32_t x = lc_arg_any(f, lc_arg_item(f, a[0], i));
        for (int32_t rank = lc_arg_rank(f, give(x)); rank < k && lc_formula_ok(f); rank++)
            x = op2(f, "ExpandDims", x, whole(f, rank == 2 ? 2 : 0));
        items[i] = give(x);
    }
    return lc_arg_list(f, items, count);
}
/* diff(x, n, axis) */
lc_arg lc_formula_diff(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    lc_arg x = give(lc_arg_any(f, a[0]));
    const int32_t times = lc_arg_whole(f, a[1], 0, 64, "n");
    for (int32_t i = 0; i < times && lc_formula_ok(f); i++) {
        const lc_arg late[4] = {x, a[2], lc_arg_int(f, 1), lc_arg_none()}, early[4] = {x, a[2], lc_arg_int(f, 0), lc_arg_int(f, -1)};
        const int32_t to = lc_formula_cut(f, late, 4).tensor, from = lc_formula_cut(f, early, 4).tensor;
        const bool logical = lc_formula_ok(f) && lc_build_type(f->c->b, to) == LC_BOOL;
        x = give(op2(f, logical ? "NotEqual" : "Sub", to, from));
    }
    return x;
}
lc_arg lc_formula_empty(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)a, (void)n;
    const int32_t none = 0;
    return give(lc_tf_vector(f->maker, &none, 0));
}
/* gcd(x, y): Euclid's steps; 48 do for int32, 93 for int64. */
static void euclid(lc_tf_call *c, int32_t i, int32_t *values, void *user) {
    (void)i, (void)user;
    const lc_dtype type = lc_build_type(c->b, values[1]);
    const int32_t zero = lc_tf_scalar(c, 0, type), one = lc_tf_scalar(c, 1, type),
                  done = lc_build_binary(c->b, LC_OP_EQUAL, values[1], zero, LC_LOWER_ACT(NONE));
    const int32_t divisor = lc_tf_binary(c, LC_OP_MAXIMUM, values[1], one);
    const int32_t rest = lc_tf_binary(c, LC_OP_FLOOR_MOD, values[0], divisor);
    const int32_t a = lc_build_select(c->b, done, values[0], values[1]);
    values[1] = lc_build_select(c->b, done, values[1], rest);
    values[0] = a;
}
lc_arg lc_formula_gcd(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t v[2] = {lc_arg_any(f, a[0]), lc_arg_any(f, a[1])};
    if (!lc_formula_ok(f)) return lc_arg_none();
    const lc_dtype type = lc_build_type(f->c->b, v[0]);
    for (int i = 0; i < 2; i++) v[i] = op1(f, "Abs", lc_arg_to(f, give(v[i]), type == LC_INT64 ? LC_INT64 : LC_INT32));
    const int32_t nothing = op2(f, "Mul", op1(f, "ZerosLike", v[0]), op1(f, "ZerosLike", v[1]));
    for (int i = 0; i < 2; i++) v[i] = op2(f, "AddV2", v[i], nothing); /* of one shape */
    if (!lc_formula_ok(f)) return lc_arg_none();
    lc_tf_loop(f->maker, whole(f, type == LC_INT64 ? 93 : 48), v, 2, euclid, NULL);
    return give(lc_formula_ok(f) ? lc_arg_to(f, give(v[0]), type) : -1);
}
/* kron(x, y) */
lc_arg lc_formula_kron(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), y = lc_arg_any(f, a[1]);
    int32_t rank_x = lc_arg_rank(f, give(x)), rank_y = lc_arg_rank(f, give(y));
    for (; rank_x < rank_y && lc_formula_ok(f); rank_x++) x = op2(f, "ExpandDims", x, whole(f, 0));
    for (; rank_y < rank_x && lc_formula_ok(f); rank_y++) y = op2(f, "ExpandDims", y, whole(f, 0));
    if (rank_x * 2 > LC_MAX_RANK) return lc_formula_fail(f, "tensors of %d dimensions are too many for this product", rank_x);
    lc_arg dims[LC_MAX_RANK];
    for (int32_t i = 0; i < rank_x && lc_formula_ok(f); i++) {
        const lc_arg p = dim(f, x, i), q = dim(f, y, i);
        dims[i] = lc_arg_is_tensor(p) || lc_arg_is_tensor(q) ? give(op2(f, "Mul", lc_arg_to(f, p, LC_INT32), lc_arg_to(f, q, LC_INT32)))
                                                             : lc_arg_int(f, p.json->integer * q.json->integer);
    }
    for (int32_t i = 0; i < rank_x && lc_formula_ok(f); i++) {
        x = op2(f, "ExpandDims", x, whole(f, 2 * i + 1));
        y = op2(f, "ExpandDims", y, whole(f, 2 * i));
    }
    const lc_arg to[2] = {give(op2(f, "Mul", x, y)), lc_arg_list(f, dims, (uint32_t)rank_x)};
    return lc_formula_reshape(f, to, 2);
}
/* meshgrid(vectors, 'xy' or 'ij') */
lc_arg lc_formula_meshgrid(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t count = (int32_t)lc_arg_count(a[0]);
    if (count < 1 || count > LC_MAX_RANK) return lc_formula_fail(f, "%d vectors, 1 to %d are possible", count, LC_MAX_RANK);
    lc_arg dims[LC_MAX_RANK], out[LC_MAX_RANK];
    int32_t v[LC_MAX_RANK];
    const bool turned = !lc_arg_is_text(a[1], "ij") && count > 1;
    for (int32_t i = 0; i < count && lc_formula_ok(f); i++) {
        const lc_arg item = lc_arg_item(f, a[0], (uint32_t)i);
        v[i] = lc_formula_flat(f, &item, 1).tensor;
        dims[turned && i < 2 ? 1 - i : i] = lc_formula_ok(f) ? dim(f, v[i], 0) : item;
    }
    const int32_t to = lc_arg_to(f, lc_arg_list(f, dims, (uint32_t)count), LC_INT32);
    for (int32_t i = 0; i < count && lc_formula_ok(f); i++) {
        const int32_t at = turned && i < 2 ? 1 - i : i;
        for (int32_t k = at + 1; k < count; k++) v[i] = op2(f, "ExpandDims", v[i], whole(f, -1)); /* those in front come by themselves */
        out[i] = give(op2(f, "BroadcastTo", v[i], to));
    }
    return lc_formula_ok(f) ? lc_arg_list(f, out, (uint32_t)count) : lc_arg_none();
}
/* aspect(x, size, pad, fill): the largest part, or the smallest frame, of the image that has the sides' ratio of `size`. */
lc_arg lc_formula_aspect(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const lc_arg x = give(lc_arg_any(f, a[0]));
    int32_t to[2];
    if (lc_arg_wholes(f, a[1], to, 2, "size") != 2 || to[0] < 1 || to[1] < 1) return lc_formula_fail(f, "\"size\" needs height and width");
    const int32_t rank = lc_arg_rank(f, x);
    if (rank < 3) return lc_formula_fail(f, "its input has %d dimensions, needs 3 or 4", rank);
    const lc_arg h = dim(f, x.tensor, rank - 3), w = dim(f, x.tensor, rank - 2);
    if (!lc_arg_is_number(h) || !lc_arg_is_number(w)) return lc_formula_fail(f, "the size of the image is not known");
    const double height = h.json->real, width = w.json->real;
    if (width * to[0] / to[1] > 1e9 || height * to[1] / to[0] > 1e9)
        return lc_formula_fail(f, "\"size\" is out of all proportion to the image");
    int32_t new_h = (int32_t)(width * to[0] / to[1]), new_w = (int32_t)(height * to[1] / to[0]);
    if (lc_arg_true(a[2])) {
        if (new_h < height) new_h = (int32_t)height;
        if (new_w < width) new_w = (int32_t)width;
        const int32_t top = (new_h - (int32_t)height) / 2, left = (new_w - (int32_t)width) / 2;
        int32_t widths[LC_MAX_RANK][2] = {{0}};
        widths[rank - 3][0] = top, widths[rank - 3][1] = new_h - (int32_t)height - top;
        widths[rank - 2][0] = left, widths[rank - 2][1] = new_w - (int32_t)width - left;
        return give(op3(f, "PadV2", x.tensor, lc_build_int_matrix(f->c->b, "widths", widths[0], rank, 2),
                        lc_arg_to(f, a[3], lc_build_type(f->c->b, x.tensor))));
    }
    if (new_h > height) new_h = (int32_t)height;
    if (new_w > width) new_w = (int32_t)width;
    const lc_arg crop[5] = {x, lc_arg_int(f, ((int32_t)height - new_h) / 2), lc_arg_int(f, ((int32_t)width - new_w) / 2),
                            lc_arg_int(f, new_h), lc_arg_int(f, new_w)};
    return lc_formula_crop(f, crop, 5);
}
/* splitsizes(x, sizes, axis): tf.split; one size may be -1. */
lc_arg lc_formula_splitsizes(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t sizes[256];
    const uint32_t count = lc_arg_wholes(f, a[1], sizes, 256, "num_or_size_splits");
    const int32_t axis = lc_arg_axis(f, a[2], lc_arg_rank(f, a[0]));
    return lc_formula_in_parts(f, lc_arg_any(f, a[0]), axis, sizes, count);
}
/* polyval(coefficients, x): highest power first. */
lc_arg lc_formula_polyval(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[1]);
    const uint32_t count = lc_arg_count(a[0]);
    if (!lc_formula_ok(f) || !count) return lc_formula_fail(f, "it has no coefficients");
    const lc_dtype type = lc_build_type(f->c->b, x);
    int32_t y = lc_arg_to(f, lc_arg_item(f, a[0], 0), type);
    if (count == 1) return give(op2(f, "AddV2", y, op1(f, "ZerosLike", x)));
    for (uint32_t i = 1; i < count && lc_formula_ok(f); i++)
        y = op2(f, "AddV2", op2(f, "Mul", y, x), lc_arg_to(f, lc_arg_item(f, a[0], i), type));
    return give(y);
}
/* mapped(x, coordinates [rank, ...], order, fill_mode, fill_value): the values between the elements. */
lc_arg lc_formula_mapped(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_to(f, a[0], LC_FLOAT32), rank = lc_arg_rank(f, give(x)), order = lc_arg_whole(f, a[2], 0, 1, "order");
    const lc_arg parts[2] = {a[1], lc_arg_int(f, 0)};
    const lc_arg at = lc_formula_unstack(f, parts, 2);
    if (!lc_formula_ok(f)) return lc_arg_none();
    if ((int32_t)lc_arg_count(at) != rank || rank < 1 || rank > 4)
        return lc_formula_fail(f, "%u rows of coordinates for %d dimensions, 1 to 4 are possible", lc_arg_count(at), rank);
    const bool fill = lc_arg_is_text(a[3], "constant"), nearest = lc_arg_is_text(a[3], "nearest"), wrap = lc_arg_is_text(a[3], "wrap");
    if (!fill && !nearest && !wrap) return lc_formula_fail(f, "fill_mode is none of constant, nearest and wrap");
    int32_t index[4][2], inside[4][2], weight[4][2];
    for (int32_t d = 0; d < rank; d++) {
        const int32_t c = lc_arg_item(f, at, (uint32_t)d).tensor, low = op1(f, "Floor", order ? c : op1(f, "Round", c)),
                      size = lc_arg_to(f, dim(f, x, d), LC_INT32);
        for (int32_t k = 0; k <= order; k++) {
            int32_t i = lc_arg_to(f, give(low), LC_INT32);
            if (k) i = op2(f, "AddV2", i, whole(f, 1));
            const int32_t part = op2(f, "Sub", c, low);
            weight[d][k] = k ? part : order ? op2(f, "Sub", lc_tf_scalar(f->maker, 1, LC_FLOAT32), part) : -1;
            inside[d][k] = fill ? op2(f, "LogicalAnd", op2(f, "GreaterEqual", i, whole(f, 0)), op2(f, "Less", i, size)) : -1;
            index[d][k] =
                wrap ? op2(f, "FloorMod", i, size) : op2(f, "Maximum", op2(f, "Minimum", i, op2(f, "Sub", size, whole(f, 1))), whole(f, 0));
        }
    }
    int32_t sum = -1;
    for (int32_t corner = 0; corner < (order ? 1 << rank : 1) && lc_formula_ok(f); corner++) {
        int32_t good = -1, w = -1;
        lc_eager *e = lc_eager_make(f->maker, "Pack");
        for (int32_t d = 0; d < rank; d++) {
            const int32_t k = corner >> d & 1;
            lc_eager_in(e, index[d][k]);
            if (fill) good = good < 0 ? inside[d][k] : op2(f, "LogicalAnd", good, inside[d][k]);
            if (order) w = w < 0 ? weight[d][k] : op2(f, "Mul", w, weight[d][k]);
        }
        lc_eager_int(e, "axis", -1);
        int32_t v = op2(f, "GatherNd", x, lc_eager_run(e));
        if (fill) v = op3(f, "SelectV2", good, v, lc_arg_to(f, a[4], LC_FLOAT32));
        if (order) v = op2(f, "Mul", v, w);
        sum = sum < 0 ? v : op2(f, "AddV2", sum, v);
    }
    return give(sum);
}
