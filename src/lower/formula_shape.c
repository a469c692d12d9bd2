/*
 * formula_shape.c: functions of formulas (formula.h) about what a value is and where its elements stand: conversions, axes, reshapes,
 * slices, lists of tensors. They are written with TensorFlow's operators, whose lowerings know the types; what is known of sizes folds.
 */
#include "lower/formula_make.h"

#include <string.h>


/* ---- what it is --------------------------------------------------------------------------------------------------------- */

lc_arg lc_formula_i(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, give(lc_arg_to(f, a[0], LC_INT32)); }
lc_arg lc_formula_t(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, give(lc_arg_any(f, a[0])); }
lc_arg lc_formula_like(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[1]);
    return give(lc_formula_ok(f) ? lc_arg_to(f, a[0], lc_build_type(f->c->b, x)) : -1);
}
/* cast(x, type, otherwise): a type that is None is `otherwise`, that of x when this is not given either. */
lc_arg lc_formula_cast(lc_formula *f, const lc_arg *a, uint32_t n) {
    const lc_arg type = !lc_arg_is_none(a[1]) ? a[1] : n > 2 ? a[2] : lc_arg_none();
    if (lc_arg_is_none(type)) return give(lc_arg_any(f, a[0]));
    const lc_dtype t = lc_arg_is_tensor(type) ? lc_build_type(f->c->b, type.tensor) : lc_arg_dtype(f, type);
    return lc_formula_ok(f) ? give(lc_arg_to(f, a[0], t)) : lc_arg_none();
}
/* saturate(x, type) */
lc_arg lc_formula_saturate(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const lc_dtype to = lc_arg_dtype(f, a[1]);
    int32_t x = lc_arg_any(f, a[0]);
    if (!lc_formula_ok(f)) return lc_arg_none();
    static const struct {
        lc_dtype type;
        double low, high;
    } limits[] = {{LC_INT8, -128, 127},
                  {LC_UINT8, 0, 255},
                  {LC_INT16, -32768, 32767},
                  {LC_UINT16, 0, 65535},
                  {LC_INT32, -2147483648.0, 2147483520.0},
                  {LC_UINT32, 0, 4294967040.0}};
    const lc_dtype from = lc_build_type(f->c->b, x);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (limits[i].type != to || from == to) continue;
        const bool narrow = from != LC_FLOAT32 && from != LC_FLOAT64 && from != LC_INT32 && from != LC_INT64;
        if (narrow) x = lc_arg_to(f, give(x), LC_FLOAT32);
        const lc_dtype mid = narrow ? LC_FLOAT32 : from;
        double high = limits[i].high;
        if (mid == LC_INT32 && high > 2147483647.0) high = 2147483647.0;
        x = op2(f, "Maximum", op2(f, "Minimum", x, lc_tf_scalar(f->maker, high, mid)), lc_tf_scalar(f->maker, limits[i].low, mid));
    }
    return give(lc_arg_to(f, give(x), to));
}
static bool among(lc_formula *f, lc_arg a, const lc_dtype *types, uint32_t n) {
    const int32_t x = lc_arg_any(f, a);
    for (uint32_t i = 0; i < n && lc_formula_ok(f); i++)
        if (lc_build_type(f->c->b, x) == types[i]) return true;
    return false;
}
lc_arg lc_formula_isfloat(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    static const lc_dtype types[] = {LC_FLOAT32, LC_FLOAT16, LC_BFLOAT16, LC_FLOAT64};
    return lc_arg_int(f, among(f, a[0], types, 4));
}
lc_arg lc_formula_isbool(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    static const lc_dtype types[] = {LC_BOOL};
    return lc_arg_int(f, among(f, a[0], types, 1));
}
/* The type of TensorFlow's quotients of integers. */
lc_arg lc_formula_quotients(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    static const lc_dtype wide[] = {LC_INT32, LC_INT64, LC_UINT32, LC_UINT64};
    static const lc_json names[2] = {{.kind = LC_JSON_STRING, .string = "float32"}, {.kind = LC_JSON_STRING, .string = "float64"}};
    return (lc_arg){.tensor = -1, .json = &names[among(f, a[0], wide, 4)]};
}
lc_arg lc_formula_iscomplex(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    static const lc_dtype types[] = {LC_COMPLEX64, LC_COMPLEX128};
    return lc_arg_int(f, among(f, a[0], types, 2));
}
lc_arg lc_formula_istensor(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_arg_int(f, lc_arg_is_tensor(a[0])); }
lc_arg lc_formula_islist(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_arg_int(f, lc_arg_is_list(a[0])); }
lc_arg lc_formula_isnone(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_arg_int(f, lc_arg_is_none(a[0])); }
lc_arg lc_formula_len(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_arg_int(f, lc_arg_count(a[0])); }
lc_arg lc_formula_rank(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_arg_int(f, lc_arg_rank(f, a[0])); }
/* What sums and products of narrow integers are made in. */
lc_arg lc_formula_total(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    static const lc_dtype small[] = {LC_BOOL, LC_INT8, LC_INT16}, positive[] = {LC_UINT8, LC_UINT16};
    if (among(f, a[0], small, 3)) return give(lc_arg_to(f, a[0], LC_INT32));
    if (among(f, a[0], positive, 2)) return give(lc_arg_to(f, a[0], LC_UINT32));
    return a[0];
}
/* The items, in one type. */
lc_arg lc_formula_same(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (lc_arg_is_tensor(a[0])) return a[0];
    const uint32_t count = lc_arg_count(a[0]);
    lc_formula_kind *kinds = lc_arena_array(&f->c->lower->scratch, count + 1, sizeof *kinds);
    lc_arg *items = lc_arena_array(&f->c->lower->scratch, count + 1, sizeof *items);
    if (!kinds || !items) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an argument"));
        return lc_arg_none();
    }
    for (uint32_t i = 0; i < count; i++) {
        items[i] = lc_arg_item(f, a[0], i);
        kinds[i] = lc_formula_kind_of(f, items[i]);
    }
    const lc_dtype type = lc_formula_common(kinds, count, false);
    for (uint32_t i = 0; i < count; i++) items[i] = give(lc_arg_to(f, items[i], type));
    return lc_arg_list(f, items, count);
}
/* A dimension: a number when it is fixed, else an int32 scalar. */
lc_arg lc_formula_dim(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    const int32_t axis = lc_arg_axis(f, a[1], s.rank);
    if (!lc_formula_ok(f)) return lc_arg_none();
    return s.dims[axis] >= 0 ? lc_arg_int(f, s.dims[axis]) : give(lc_tf_dim(f->maker, x, axis));
}

/* ---- axes ---------------------------------------------------------------------------------------------------------------- */

/* axes(x, axis): a vector for reductions; None is all of them. */
lc_arg lc_formula_axes(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t rank = lc_arg_rank(f, a[0]);
    int32_t all[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) all[i] = i;
    uint32_t count = (uint32_t)rank;
    if (lc_arg_is_tensor(a[1])) return a[1];
    if (!lc_arg_is_none(a[1])) {
        count = lc_arg_wholes(f, a[1], all, LC_MAX_RANK, "axis");
        for (uint32_t i = 0; i < count; i++) all[i] = lc_arg_axis(f, lc_arg_int(f, all[i]), rank);
    }
    return give(lc_formula_ok(f) ? ints(f, all, (int32_t)count) : -1);
}
lc_arg lc_formula_flat(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t all = -1;
    const int32_t x = lc_arg_any(f, a[0]);
    if (shape(f, x).rank == 1) return give(x);
    return give(op2(f, "Reshape", x, ints(f, &all, 1)));
}
/* restore(y, x, axis, keepdims): y lacks the dimension `axis` of x; None: all of them. */
lc_arg lc_formula_restore(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (!lc_arg_true(a[3])) return a[0];
    const int32_t rank = lc_arg_rank(f, a[1]);
    int32_t ones[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) ones[i] = 1;
    if (lc_arg_is_none(a[2])) return give(op2(f, "Reshape", lc_arg_any(f, a[0]), ints(f, ones, rank)));
    return give(op2(f, "ExpandDims", lc_arg_any(f, a[0]), whole(f, lc_arg_axis(f, a[2], rank))));
}
static int32_t permuted(lc_formula *f, int32_t x, const int32_t *perm, int32_t rank) {
    bool same = true;
    for (int32_t i = 0; i < rank; i++) same &= perm[i] == i;
    return same ? x : op2(f, "Transpose", x, ints(f, perm, rank));
}
/* perm(x, axes): axes None: backwards. */
lc_arg lc_formula_perm(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank;
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) perm[i] = rank - 1 - i;
    if (!lc_arg_is_none(a[1])) {
        if ((int32_t)lc_arg_wholes(f, a[1], perm, LC_MAX_RANK, "axes") != rank)
            return lc_formula_fail(f, "axes are %u, its input has %d dimensions", lc_arg_count(a[1]), rank);
        for (int32_t i = 0; i < rank; i++) perm[i] = lc_arg_axis(f, lc_arg_int(f, perm[i]), rank);
    }
    return give(lc_formula_ok(f) ? permuted(f, x, perm, rank) : -1);
}
lc_arg lc_formula_swap(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank, i = lc_arg_axis(f, a[1], rank), j = lc_arg_axis(f, a[2], rank);
    int32_t perm[LC_MAX_RANK];
    for (int32_t k = 0; k < rank; k++) perm[k] = k == i ? j : k == j ? i : k;
    return give(lc_formula_ok(f) ? permuted(f, x, perm, rank) : -1);
}
/* move(x, from, to): numbers or lists of equally many. */
lc_arg lc_formula_move(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank;
    int32_t from[LC_MAX_RANK], to[LC_MAX_RANK], perm[LC_MAX_RANK];
    const uint32_t count = lc_arg_wholes(f, a[1], from, LC_MAX_RANK, "source"),
                   other = lc_arg_wholes(f, a[2], to, LC_MAX_RANK, "destination");
    if (lc_formula_ok(f) && count != other) return lc_formula_fail(f, "source has %u axes, destination %u", count, other);
    bool used[LC_MAX_RANK] = {false};
    for (int32_t i = 0; i < rank; i++) perm[i] = -1;
    for (uint32_t i = 0; i < count; i++) {
        const int32_t s = lc_arg_axis(f, lc_arg_int(f, from[i]), rank), d = lc_arg_axis(f, lc_arg_int(f, to[i]), rank);
        if (!lc_formula_ok(f)) return lc_arg_none();
        perm[d] = s;
        used[s] = true;
    }
    for (int32_t i = 0, next = 0; i < rank; i++) {
        if (perm[i] >= 0) continue;
        while (next < rank && used[next]) next++;
        if (next >= rank) return lc_formula_fail(f, "an axis is named twice");
        perm[i] = next++;
    }
    return give(permuted(f, x, perm, rank));
}
static int compare(int32_t a, int32_t b) { return a < b ? -1 : a > b; }
static void sort(int32_t *v, uint32_t n) {
    for (uint32_t i = 1; i < n; i++)
        for (uint32_t j = i; j && compare(v[j - 1], v[j]) > 0; j--) {
            const int32_t t = v[j];
            v[j] = v[j - 1];
            v[j - 1] = t;
        }
}
/* expand(x, axis): one or several axes of the result. */
lc_arg lc_formula_expand(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), axes[LC_MAX_RANK];
    const uint32_t count = lc_arg_wholes(f, a[1], axes, LC_MAX_RANK, "axis");
    const int32_t rank = shape(f, x).rank + (int32_t)count;
    if (rank > LC_MAX_RANK) return lc_formula_fail(f, "the result has %d dimensions, at most %d are possible", rank, LC_MAX_RANK);
    for (uint32_t i = 0; i < count; i++) axes[i] = lc_arg_axis(f, lc_arg_int(f, axes[i]), rank);
    sort(axes, count);
    for (uint32_t i = 0; i < count; i++) x = op2(f, "ExpandDims", x, whole(f, axes[i]));
    return give(x);
}
/* squeeze(x, axis): None: every dimension that is 1. */
lc_arg lc_formula_squeeze(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    int32_t axes[LC_MAX_RANK];
    int64_t wide[LC_MAX_RANK];
    uint32_t count = 0;
    if (!lc_arg_is_none(a[1])) count = lc_arg_wholes(f, a[1], axes, LC_MAX_RANK, "axis");
    else
        for (int32_t i = 0; i < s.rank; i++)
            if (s.dims[i] == 1) axes[count++] = i;
    if (!count) return give(x);
    for (uint32_t i = 0; i < count; i++) wide[i] = lc_arg_axis(f, lc_arg_int(f, axes[i]), s.rank);
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, "Squeeze") : NULL;
    lc_eager_in(e, x);
    lc_eager_ints(e, "squeeze_dims", wide, count);
    return give(lc_eager_run(e));
}
/* reshape(x, shape): None and open dimensions are -1; a dimension that is a tensor stays one. */
lc_arg lc_formula_reshape(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    if (!lc_arg_is_list(a[1])) {
        const int32_t to = lc_arg_to(f, a[1], LC_INT32);
        const int32_t one = 1, size = lc_arg_is_tensor(a[1]) ? 0 : 1;
        return give(op2(f, "Reshape", x, size ? op2(f, "Reshape", to, ints(f, &one, 1)) : to));
    }
    lc_arg dims[LC_MAX_RANK];
    const uint32_t count = lc_arg_count(a[1]);
    if (count > LC_MAX_RANK) return lc_formula_fail(f, "the shape has %u dimensions, at most %d are possible", count, LC_MAX_RANK);
    for (uint32_t i = 0; i < count; i++) {
        dims[i] = lc_arg_item(f, a[1], i);
        if (lc_arg_is_none(dims[i])) dims[i] = lc_arg_int(f, -1);
    }
    if (!count) {
        const int32_t scalar = 0;
        return give(op2(f, "Reshape", x, ints(f, &scalar, 0)));
    }
    return give(op2(f, "Reshape", x, lc_arg_to(f, lc_arg_list(f, dims, count), LC_INT32)));
}

/* ---- slices ----------------------------------------------------------------------------------------------------------------- */

static const lc_json *bound(const lc_json *slice, const char *name) {
    const lc_json *config = lc_json_get(slice, "config"), *v = lc_json_get(config ? config : slice, name);
    return lc_json_is(v, LC_JSON_NULL) ? NULL : v;
}
static bool is_slice(const lc_json *v) {
    return lc_json_is(v, LC_JSON_OBJECT) && (strcmp(lc_json_str(v, "class_name", ""), "__slice__") == 0 || lc_json_get(v, "stop") != NULL ||
                                             lc_json_get(v, "start") != NULL);
}

/* getitem(x, key): a slice, a number, None, Ellipsis, a tensor, or a list of them (NumPy's basic indexing). One list of numbers or one
 * vector among full slices gathers. */
lc_arg lc_formula_getitem(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    const uint32_t count = lc_arg_is_list(a[1]) ? lc_arg_count(a[1]) : 1;
    lc_arg begin[2 * LC_MAX_RANK], end[2 * LC_MAX_RANK], stride[2 * LC_MAX_RANK];
    int64_t begin_mask = 0, end_mask = 0, ellipsis = 0, fresh = 0, shrink = 0;
    int32_t dim = 0;
    uint32_t entries = 0, used = 0, gathers = 0;
    int32_t gather_axis = 0;
    bool strided = false;
    lc_arg gather = lc_arg_none();
    if (count > LC_MAX_RANK * 2) return lc_formula_fail(f, "%u indices are too many", count);
    for (uint32_t i = 0; i < count; i++) { /* dimensions that are named, for the place of what follows an Ellipsis */
        const lc_arg k = lc_arg_is_list(a[1]) ? lc_arg_item(f, a[1], i) : a[1];
        if (!lc_arg_is_none(k) && !(k.json && strcmp(lc_json_str(k.json, "class_name", ""), "__ellipsis__") == 0)) used++;
    }
    for (uint32_t i = 0; i < count && lc_formula_ok(f); i++, entries++) {
        const lc_arg k = lc_arg_is_list(a[1]) ? lc_arg_item(f, a[1], i) : a[1];
        const int64_t bit = (int64_t)1 << entries;
        begin[entries] = end[entries] = lc_arg_int(f, 0);
        stride[entries] = lc_arg_int(f, 1);
        if (lc_arg_is_none(k)) fresh |= bit;
        else if (k.json && strcmp(lc_json_str(k.json, "class_name", ""), "__ellipsis__") == 0) {
            ellipsis |= bit;
            dim = s.rank - (int32_t)used + dim;
        } else if (is_slice(k.json)) {
            const lc_json *from = bound(k.json, "start"), *to = bound(k.json, "stop"), *step = bound(k.json, "step");
            if (from) begin[entries] = lc_arg_of(f, from);
            else begin_mask |= bit;
            if (to) end[entries] = lc_arg_of(f, to);
            else end_mask |= bit;
            if (step) {
                stride[entries] = lc_arg_of(f, step);
                strided = true;
            }
            dim++;
        } else if (lc_arg_is_list(k) || (k.json && k.json->kind == LC_JSON_OBJECT) ||
                   (lc_arg_is_tensor(k) && shape(f, k.tensor).rank > 0)) {
            if (shrink || fresh) return lc_formula_fail(f, "a list of indices among numbers or None");
            gathers++;
            gather = k;
            gather_axis = dim++;
            begin_mask |= bit;
            end_mask |= bit;
        } else {
            shrink |= bit;
            begin[entries] = k;
            if (lc_arg_is_tensor(k)) end[entries] = give(op2(f, "AddV2", lc_arg_to(f, k, LC_INT32), whole(f, 1)));
            else {
                const int32_t at = lc_arg_whole(f, k, INT32_MIN, INT32_MAX - 1, "index");
                end[entries] = lc_arg_int(f, (int64_t)at + 1);
                if (at == -1) end_mask |= bit;
            }
            if (lc_formula_ok(f) && dim >= s.rank) return lc_formula_fail(f, "%u indices for %d dimensions", used, s.rank);
            dim++;
        }
    }
    if ((int32_t)used > s.rank) return lc_formula_fail(f, "%u indices for %d dimensions", used, s.rank);
    if (gathers > 1) return lc_formula_fail(f, "several lists of indices");
    if (gathers && (shrink || fresh)) return lc_formula_fail(f, "a list of indices among numbers or None");
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (fresh && !shrink && !gathers && !strided && (begin_mask & end_mask) == begin_mask && begin_mask == end_mask &&
        (begin_mask | ellipsis | fresh) == ((int64_t)1 << entries) - 1) { /* nothing but new dimensions */
        for (uint32_t i = 0, at = 0; i < entries; i++) {
            if (fresh >> i & 1) x = op2(f, "ExpandDims", x, whole(f, (int32_t)at++));
            else at += ellipsis >> i & 1 ? (uint32_t)s.rank - used : 1;
        }
        return give(x);
    }
    lc_eager *e = lc_eager_make(f->maker, "StridedSlice");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, begin, entries), LC_INT32));
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, end, entries), LC_INT32));
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, stride, entries), LC_INT32));
    lc_eager_int(e, "begin_mask", begin_mask);
    lc_eager_int(e, "end_mask", end_mask);
    lc_eager_int(e, "ellipsis_mask", ellipsis);
    lc_eager_int(e, "new_axis_mask", fresh);
    lc_eager_int(e, "shrink_axis_mask", shrink);
    x = lc_eager_run(e);
    if (!gathers) return give(x);
    const lc_arg take[3] = {give(x), gather, lc_arg_int(f, gather_axis)};
    return lc_formula_take(f, take, 3);
}
/* cut(x, axis, from, to): numbers, negative ones from the end; None: the end. */
lc_arg lc_formula_cut(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank, axis = lc_arg_axis(f, a[1], rank);
    const lc_arg zero = lc_arg_int(f, 0), one = lc_arg_int(f, 1);
    lc_arg begin[LC_MAX_RANK], end[LC_MAX_RANK], stride[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) begin[i] = end[i] = zero, stride[i] = one;
    if (!lc_formula_ok(f)) return lc_arg_none();
    begin[axis] = a[2];
    if (!lc_arg_is_none(a[3])) end[axis] = a[3];
    lc_eager *e = lc_eager_make(f->maker, "StridedSlice");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, begin, (uint32_t)axis + 1), LC_INT32));
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, end, (uint32_t)axis + 1), LC_INT32));
    lc_eager_in(e, lc_arg_to(f, lc_arg_list(f, stride, (uint32_t)axis + 1), LC_INT32));
    const int64_t others = ((int64_t)1 << axis) - 1;
    lc_eager_int(e, "begin_mask", others);
    lc_eager_int(e, "end_mask", others | (lc_arg_is_none(a[3]) ? (int64_t)1 << axis : 0));
    return give(lc_eager_run(e));
}
/* take(x, indices, axis): NumPy's: negative indices count from the end; axis None: of the flat x. */
lc_arg lc_formula_take(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const lc_arg x = lc_arg_is_none(a[2]) ? lc_formula_flat(f, a, 1) : give(lc_arg_any(f, a[0]));
    const int32_t axis = lc_arg_is_none(a[2]) ? 0 : lc_arg_axis(f, a[2], lc_arg_rank(f, x));
    int32_t at = lc_arg_any(f, a[1]);
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (lc_build_type(f->c->b, at) != LC_INT32 && lc_build_type(f->c->b, at) != LC_INT64) at = lc_arg_to(f, give(at), LC_INT32);
    const lc_dtype type = lc_build_type(f->c->b, at);
    const lc_arg where[2] = {x, lc_arg_int(f, axis)};
    const int32_t size = lc_arg_to(f, lc_formula_dim(f, where, 2), type), zero = lc_tf_scalar(f->maker, 0, type);
    const int32_t in[3] = {op2(f, "Less", at, zero), op2(f, "AddV2", at, size), at};
    const int32_t gather[3] = {x.tensor, lc_formula_op(f, "SelectV2", in, 3), whole(f, axis)};
    return give(lc_formula_op(f, "GatherV2", gather, 3));
}
/* takealong(x, indices, axis): NumPy's take_along_axis. */
lc_arg lc_formula_takealong(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (lc_arg_is_none(a[2])) {
        const lc_arg flat[3] = {lc_formula_flat(f, a, 1), lc_formula_flat(f, a + 1, 1), lc_arg_int(f, 0)};
        return lc_formula_take(f, flat, 3);
    }
    int32_t x = lc_arg_any(f, a[0]), at = lc_arg_any(f, a[1]);
    const int32_t rank = shape(f, x).rank, axis = lc_arg_axis(f, a[2], rank);
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (shape(f, at).rank != rank) return lc_formula_fail(f, "x has %d dimensions, indices %d", rank, shape(f, at).rank);
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) perm[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
    x = permuted(f, x, perm, rank);
    at = permuted(f, lc_arg_to(f, give(at), LC_INT32), perm, rank);
    /* both have the dimensions before the last in common, where one may be 1 */
    const lc_arg whole_x[2] = {give(x), lc_arg_int(f, -1)}, whole_at[2] = {give(at), lc_arg_int(f, -1)};
    const lc_arg size_x = lc_formula_dim(f, whole_x, 2), size_at = lc_formula_dim(f, whole_at, 2);
    const int32_t in[3] = {op2(f, "Less", at, whole(f, 0)), op2(f, "AddV2", at, lc_arg_to(f, size_x, LC_INT32)), at};
    at = lc_formula_op(f, "SelectV2", in, 3);
    bool same = true;
    for (int32_t i = 0; i + 1 < rank && lc_formula_ok(f); i++) same &= lc_tf_same_dim(f->maker, x, i, at, i);
    if (!same && lc_formula_ok(f)) {
        lc_arg dims_x[LC_MAX_RANK], dims_at[LC_MAX_RANK];
        for (int32_t i = 0; i + 1 < rank; i++) {
            const lc_arg of_x[2] = {give(x), lc_arg_int(f, i)}, of_at[2] = {give(at), lc_arg_int(f, i)};
            const int32_t both =
                op2(f, "Maximum", lc_arg_to(f, lc_formula_dim(f, of_x, 2), LC_INT32), lc_arg_to(f, lc_formula_dim(f, of_at, 2), LC_INT32));
            dims_x[i] = dims_at[i] = give(both);
        }
        dims_x[rank - 1] = size_x;
        dims_at[rank - 1] = size_at;
        x = op2(f, "BroadcastTo", x, lc_arg_to(f, lc_arg_list(f, dims_x, (uint32_t)rank), LC_INT32));
        at = op2(f, "BroadcastTo", at, lc_arg_to(f, lc_arg_list(f, dims_at, (uint32_t)rank), LC_INT32));
    }
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, "GatherV2") : NULL;
    lc_eager_in(e, x);
    lc_eager_in(e, at);
    lc_eager_in(e, whole(f, rank - 1));
    lc_eager_int(e, "batch_dims", rank - 1);
    return give(permuted(f, lc_eager_run(e), perm, rank));
}
lc_arg lc_formula_in_parts(lc_formula *f, int32_t x, int32_t axis, const int32_t *sizes, uint32_t count) {
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, sizes ? "SplitV" : "Split") : NULL;
    if (!sizes) lc_eager_in(e, e ? whole(f, axis) : -1);
    lc_eager_in(e, x);
    if (sizes) {
        lc_eager_in(e, e ? ints(f, sizes, (int32_t)count) : -1);
        lc_eager_in(e, e ? whole(f, axis) : -1);
    }
    lc_eager_int(e, "num_split", count);
    lc_eager_run(e);
    lc_arg out[LC_FORMULA_PARTS];
    for (uint32_t i = 0; i < count && lc_formula_ok(f); i++) out[i] = give(lc_eager_out(e, i));
    return lc_formula_ok(f) ? lc_arg_list(f, out, count) : lc_arg_none();
}

/* split(x, parts or where to cut, axis, uneven) */
lc_arg lc_formula_split(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    const int32_t axis = lc_arg_axis(f, a[2], s.rank);
    if (!lc_formula_ok(f)) return lc_arg_none();
    int32_t sizes[256];
    uint32_t count = 0;
    if (!lc_arg_is_list(a[1])) {
        const int32_t parts = lc_arg_whole(f, a[1], 1, 255, "sections");
        const bool even = !lc_arg_true(a[3]);
        if (lc_formula_ok(f) && s.dims[axis] < 0) return lc_formula_fail(f, "dimension %d is not known", axis);
        if (lc_formula_ok(f) && even && s.dims[axis] % parts)
            return lc_formula_fail(f, "%d cannot be cut into %d equal parts", s.dims[axis], parts);
        for (int32_t i = 0; lc_formula_ok(f) && i < parts; i++) sizes[count++] = s.dims[axis] / parts + (i < s.dims[axis] % parts);
        if (lc_formula_ok(f) && even) return lc_formula_in_parts(f, x, axis, NULL, (uint32_t)parts);
    } else {
        count = lc_arg_wholes(f, a[1], sizes, 255, "indices");
        if (lc_formula_ok(f) && s.dims[axis] < 0) return lc_formula_fail(f, "dimension %d is not known", axis);
        sizes[count] = s.dims[axis];
        for (uint32_t i = 0; i < count; i++)
            if (sizes[i] < 0) sizes[i] += s.dims[axis];
        for (uint32_t i = count; i > 0; i--) sizes[i] -= sizes[i - 1];
        count++;
        for (uint32_t i = 0; i < count; i++)
            if (sizes[i] < 0) return lc_formula_fail(f, "the indices must rise and be at most %d", s.dims[axis]);
    }
    return lc_formula_in_parts(f, x, axis, sizes, count);
}
/* unstack(x, axis) */
lc_arg lc_formula_unstack(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    const int32_t axis = lc_arg_axis(f, a[1], s.rank);
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (s.dims[axis] < 1 || s.dims[axis] > 256)
        return lc_formula_fail(f, "dimension %d cannot be unstacked: 1 to 256 parts are possible", axis);
    lc_eager *e = lc_eager_make(f->maker, "Unpack");
    lc_eager_in(e, x);
    lc_eager_int(e, "axis", axis);
    lc_eager_int(e, "num", s.dims[axis]);
    lc_eager_run(e);
    lc_arg out[256];
    for (int32_t i = 0; i < s.dims[axis] && lc_formula_ok(f); i++) out[i] = give(lc_eager_out(e, (uint32_t)i));
    return lc_formula_ok(f) ? lc_arg_list(f, out, (uint32_t)s.dims[axis]) : lc_arg_none();
}

/* ---- more of the same ------------------------------------------------------------------------------------------------------- */

/* repeat(x, times, axis): times a number, or one for each element. */
lc_arg lc_formula_repeat(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const lc_arg x = lc_arg_is_none(a[2]) ? lc_formula_flat(f, a, 1) : give(lc_arg_any(f, a[0]));
    const lc_shape s = shape(f, x.tensor);
    const int32_t axis = lc_arg_is_none(a[2]) ? 0 : lc_arg_axis(f, a[2], s.rank);
    int32_t times[256];
    if (lc_arg_is_list(a[1]) && lc_arg_count(a[1]) > 1) {
        const uint32_t count = lc_arg_wholes(f, a[1], times, 256, "repeats");
        int32_t at[1024];
        int32_t total = 0;
        for (uint32_t i = 0; i < count && lc_formula_ok(f); i++)
            for (int32_t k = 0; k < times[i]; k++) {
                if (total == 1024) return lc_formula_fail(f, "\"repeats\" makes more than 1024 elements");
                at[total++] = (int32_t)i;
            }
        const int32_t in[3] = {x.tensor, lc_formula_ok(f) ? ints(f, at, total) : -1, whole(f, axis)};
        return give(lc_formula_op(f, "GatherV2", in, 3));
    }
    const int32_t k = lc_arg_whole(f, a[1], 0, INT32_MAX, "repeats");
    if (!lc_formula_ok(f)) return lc_arg_none();
    /* [.., d, ..] to [.., d, 1, ..], tiled, and joined again */
    int32_t y = op2(f, "ExpandDims", x.tensor, whole(f, axis + 1)), reps[LC_MAX_RANK + 1];
    for (int32_t i = 0; i <= s.rank; i++) reps[i] = i == axis + 1 ? k : 1;
    y = op2(f, "Tile", y, ints(f, reps, s.rank + 1));
    lc_arg dims[LC_MAX_RANK];
    for (int32_t i = 0; i < s.rank; i++) {
        const lc_arg of[2] = {x, lc_arg_int(f, i)};
        dims[i] = lc_formula_dim(f, of, 2);
        if (i == axis)
            dims[i] = lc_arg_is_tensor(dims[i]) ? give(op2(f, "Mul", dims[i].tensor, whole(f, k))) : lc_arg_int(f, (int64_t)s.dims[i] * k);
    }
    return give(op2(f, "Reshape", y, lc_arg_to(f, lc_arg_list(f, dims, (uint32_t)s.rank), LC_INT32)));
}
/* tile(x, repeats): NumPy's: as many dimensions as the longer of both. */
lc_arg lc_formula_tile(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), reps[LC_MAX_RANK];
    const int32_t rank = shape(f, x).rank, count = (int32_t)lc_arg_wholes(f, a[1], reps, LC_MAX_RANK, "repeats");
    for (int32_t i = rank; i < count; i++) x = op2(f, "ExpandDims", x, whole(f, 0));
    if (count < rank) {
        memmove(reps + (rank - count), reps, (size_t)count * sizeof *reps);
        for (int32_t i = 0; i < rank - count; i++) reps[i] = 1;
    }
    return give(lc_formula_ok(f) ? op2(f, "Tile", x, ints(f, reps, count > rank ? count : rank)) : -1);
}
/* pad(x, widths, mode, value): widths a number, a pair, or a pair for each dimension. */
lc_arg lc_formula_pad(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank;
    int32_t width[LC_MAX_RANK][2];
    if (!lc_formula_ok(f)) return lc_arg_none();
    const bool pairs = lc_arg_is_list(a[1]) && lc_arg_count(a[1]) > 0 && lc_arg_is_list(lc_arg_item(f, a[1], 0));
    if (pairs && (int32_t)lc_arg_count(a[1]) != rank && lc_arg_count(a[1]) != 1)
        return lc_formula_fail(f, "pad widths for %u dimensions of %d", lc_arg_count(a[1]), rank);
    for (int32_t i = 0; i < rank; i++) {
        const lc_arg w = pairs ? lc_arg_item(f, a[1], lc_arg_count(a[1]) == 1 ? 0 : (uint32_t)i) : a[1];
        if (lc_arg_wholes(f, w, width[i], 2, "pad_width") == 1) width[i][1] = width[i][0];
    }
    if (!lc_formula_ok(f)) return lc_arg_none();
    const int32_t widths = lc_build_int_matrix(f->c->b, "widths", width[0], rank, 2);
    if (lc_arg_is_none(a[2]) || lc_arg_is_text(a[2], "constant") || lc_arg_is_text(a[2], "CONSTANT")) {
        if (lc_arg_is_none(a[3]) || (lc_arg_is_number(a[3]) && a[3].json->real == 0)) return give(op2(f, "Pad", x, widths));
        const int32_t in[3] = {x, widths, lc_arg_to(f, a[3], lc_build_type(f->c->b, x))};
        return give(lc_formula_op(f, "PadV2", in, 3));
    }
    const bool reflect = lc_arg_is_text(a[2], "reflect") || lc_arg_is_text(a[2], "REFLECT");
    if (!reflect && !lc_arg_is_text(a[2], "symmetric") && !lc_arg_is_text(a[2], "SYMMETRIC"))
        return lc_formula_fail(f, "mode is none of constant, reflect and symmetric");
    lc_eager *e = lc_eager_make(f->maker, "MirrorPad");
    lc_eager_in(e, x);
    lc_eager_in(e, widths);
    lc_eager_str(e, "mode", reflect ? "REFLECT" : "SYMMETRIC");
    return give(lc_eager_run(e));
}

/* ---- order -------------------------------------------------------------------------------------------------------------------- */

/* Both of sorted x, smallest first or largest first, along an axis; None: of the flat x. */
static lc_arg sorted(lc_formula *f, const lc_arg *a, uint32_t k) {
    const lc_arg flat = lc_arg_is_none(a[1]) ? lc_formula_flat(f, a, 1) : give(lc_arg_any(f, a[0]));
    const int32_t rank = shape(f, flat.tensor).rank, axis = lc_arg_is_none(a[1]) ? rank - 1 : lc_arg_axis(f, a[1], rank);
    if (!lc_formula_ok(f)) return lc_arg_none();
    const bool down = lc_arg_true(a[2]);
    int32_t perm[LC_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) perm[i] = i == axis ? rank - 1 : i == rank - 1 ? axis : i;
    int32_t x = permuted(f, flat.tensor, perm, rank);
    const lc_dtype type = lc_build_type(f->c->b, x);
    bool integer = type != LC_FLOAT32 && type != LC_FLOAT16 && type != LC_BFLOAT16 && type != LC_FLOAT64;
    if (integer && type != LC_INT64) x = lc_arg_to(f, give(x), LC_INT32);
    const char *turn = integer ? "Invert" : "Neg"; /* -1 - x: every integer has one */
    if (!down) x = op1(f, turn, x);
    const lc_arg last[2] = {give(x), lc_arg_int(f, -1)};
    const int32_t in[2] = {x, lc_arg_to(f, lc_formula_dim(f, last, 2), LC_INT32)};
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, "TopKV2") : NULL;
    lc_eager_in(e, in[0]);
    lc_eager_in(e, in[1]);
    lc_eager_run(e);
    int32_t y = lc_eager_out(e, k);
    if (k == 0) {
        if (!down) y = op1(f, turn, y);
        y = lc_formula_ok(f) ? lc_arg_to(f, give(y), type) : -1;
    }
    return give(permuted(f, y, perm, rank));
}
/* sort(x, axis, descending), argsort(...) */
lc_arg lc_formula_sort(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, sorted(f, a, 0); }
lc_arg lc_formula_argsort(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, sorted(f, a, 1); }
