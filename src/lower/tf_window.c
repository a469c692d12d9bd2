/*
 * tf_window.c: what operators on images share (tf_nn.h): the two layouts, sizes that only the run knows, and windows.
 *
 * TFLite has channels last. An operator with channels first is lowered between two TRANSPOSEs; pass/sink_transpose.c lets those of
 * neighbours meet and cancel.
 *
 * A window that TFLite has no operator for (Dilation2D, ExtractImagePatches, MaxPoolWithArgmax) is taken apart into its taps: tap (dy, dx)
 * of every output cell is one STRIDED_SLICE of the padded image,
 *
 *     x[:, dy r : H - (span - 1 - dy r) : s, ...]         span = (k - 1) r + 1, so that each slice has floor((H - span) / s) + 1 rows
 *
 * which needs no height that only the run knows: the end counts from behind.
 */
#include "lower/tf_nn.h"

#include "ir/constant.h"

#include <math.h>

/* ---- layout -------------------------------------------------------------------------------------------------------- */

bool lc_tf_channels_first(lc_tf_call *c, bool *known) {
    const lc_str f = lc_tf_attr_str(c, "data_format", "NHWC");
    *known = true;
    if (lc_str_is(f, "NHWC") || lc_str_is(f, "NDHWC") || lc_str_is(f, "CHANNELS_LAST")) return false;
    if (lc_str_is(f, "NCHW") || lc_str_is(f, "NCDHW") || lc_str_is(f, "CHANNELS_FIRST")) return true;
    *known = false;
    lc_tf_missing(c, "its data_format is %.*s", f.size > 40 ? 40 : (int)f.size, f.data);
    return false;
}

static int32_t permuted(lc_tf_call *c, int32_t x, bool to_last) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t perm[LC_MAX_RANK] = {0};
    if (s.rank < 3) return x;
    for (int32_t i = 1; i < s.rank; i++) perm[i] = to_last ? (i + 1 < s.rank ? i + 1 : 1) : (i == 1 ? s.rank - 1 : i - 1);
    return lc_build_transpose(c->b, x, perm, s.rank);
}

int32_t lc_tf_to_last(lc_tf_call *c, int32_t x, bool first) { return first ? permuted(c, x, true) : x; }
int32_t lc_tf_to_first(lc_tf_call *c, int32_t x, bool first) { return first ? permuted(c, x, false) : x; }

int32_t lc_tf_recast(lc_tf_call *c, int32_t w, const int32_t *dims, int32_t rank) {
    const lc_tensor *t = lc_build_tensor(c->b, w);
    uint64_t have, want = 1;
    if (!t) return -1;
    bool same = lc_tensor_elements(t, &have);
    for (int32_t i = 0; i < rank; i++) same = same && dims[i] >= 0 && lc_mul_u64(want, (uint64_t)dims[i], &want);
    if (!same || have != want || (t->quant && t->type != LC_FLOAT32) || t->sparsity || !lc_tensor_is_const(t))
        return lc_tf_reshape(c, w, dims, rank);
    const lc_tensor copy = *t;
    if (copy.deferred) return lc_build_deferred(c->b, "weights", dims, rank, copy.deferred);
    return lc_build_const(c->b, "weights", copy.type, dims, rank, copy.data, copy.size, false);
}

int32_t lc_tf_along_channels(lc_tf_call *c, int32_t v, int32_t x, bool first) {
    if (!first) return v;
    const lc_shape s = lc_tf_ranked(c, x), n = lc_tf_rank_of(c, v, 1);
    int32_t dims[LC_MAX_RANK];
    if (!lc_tf_ok(c) || s.rank < 3) return v;
    for (int32_t i = 0; i < s.rank - 1; i++) dims[i] = i ? 1 : n.dims[0];
    return lc_tf_recast(c, v, dims, s.rank - 1);
}

bool lc_tf_split(lc_tf_call *c, int32_t x, int32_t axis, uint32_t count, int32_t *parts) {
    const int32_t in[2] = {lc_tf_scalar(c, axis, LC_INT32), x};
    const lc_SplitOptions o = {.num_splits = (int32_t)count};
    return lc_build_op_multi(c->b, LC_OP_SPLIT, LC_TABLE_SplitOptions, &o, in, 2, parts, count);
}

int32_t lc_tf_zeros(lc_tf_call *c, const char *name, int32_t n) {
    const size_t bytes = (size_t)(n < 0 ? 0 : n) * sizeof(float);
    void *data = lc_build_data(c->b, bytes ? bytes : 1); /* arenas are zeroed */
    return data ? lc_build_const(c->b, name, LC_FLOAT32, &n, 1, data, bytes, true) : -1;
}

double lc_tf_lowest(lc_dtype type) {
    switch (type) {
    case LC_INT8: return INT8_MIN;
    case LC_INT16: return INT16_MIN;
    case LC_INT32: return INT32_MIN;
    case LC_INT64: return (double)INT64_MIN;
    case LC_UINT8:
    case LC_UINT16:
    case LC_UINT32:
    case LC_UINT64:
    case LC_BOOL: return 0;
    default: return -INFINITY;
    }
}

/* ---- sizes that only the run knows -------------------------------------------------------------------------------------- */

int32_t lc_tf_size_const(lc_tf_call *c, int64_t size) {
    if (size < INT32_MIN || size > INT32_MAX) return lc_tf_fail(c, LC_LIMIT, "a size of %lld is over 2147483647", (long long)size);
    const int32_t v = (int32_t)size;
    return lc_build_ints(c->b, "size", &v, 1);
}

int32_t lc_tf_size(lc_tf_call *c, int32_t x, int32_t d) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return -1;
    if (d < 0 || d >= s.rank) return lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, needs more than %d", s.rank, d);
    return lc_tf_sizes(c, x, d, d + 1);
}

int32_t lc_tf_sizes(lc_tf_call *c, int32_t x, int32_t from, int32_t to) {
    const lc_shape s = lc_tf_ranked(c, x);
    bool open = false;
    if (!lc_tf_ok(c)) return -1;
    if (from < 0 || to > s.rank || from >= to) return lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, needs %d", s.rank, to);
    for (int32_t d = from; d < to; d++) open = open || s.dims[d] < 0;
    if (!open) return lc_build_ints(c->b, "size", s.dims + from, (uint32_t)(to - from));
    const int32_t length = to - from, begin = lc_build_ints(c->b, "begin", &from, 1);
    const int32_t in[3] = {lc_tf_shape_tensor(c, x), begin, lc_build_ints(c->b, "length", &length, 1)};
    return lc_build_op(c->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

int32_t lc_tf_size_op(lc_tf_call *c, int32_t op, int32_t a, int32_t b) { return lc_build_binary(c->b, op, a, b, LC_LOWER_ACT(NONE)); }

int32_t lc_tf_size_product(lc_tf_call *c, int32_t x, int32_t from, int32_t to) {
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t known = 1;
    int32_t open = -1;
    if (!lc_tf_ok(c)) return -1;
    for (int32_t d = from; d < to && d < s.rank; d++) {
        if (s.dims[d] >= 0) {
            if (!lc_mul_i64(known, s.dims[d], &known) || known > INT32_MAX)
                return lc_tf_fail(c, LC_LIMIT, "the size of its input overflows");
            continue;
        }
        const int32_t size = lc_tf_size(c, x, d);
        open = open < 0 ? size : lc_tf_size_op(c, LC_OP_MUL, open, size);
    }
    if (open < 0) return lc_tf_size_const(c, known);
    return known == 1 ? open : lc_tf_size_op(c, LC_OP_MUL, open, lc_tf_size_const(c, known));
}

int32_t lc_tf_reshape_sizes(lc_tf_call *c, int32_t x, const int32_t *sizes, uint32_t rank) {
    int32_t dims[LC_MAX_RANK], open = 0;
    if (!lc_tf_ok(c)) return -1;
    if (rank > LC_MAX_RANK)
        return lc_tf_fail(c, LC_UNSUPPORTED, "it needs a shape of %u dimensions; litec runs up to %d", rank, LC_MAX_RANK);
    for (uint32_t i = 0; i < rank; i++) {
        int64_t v;
        uint32_t n;
        dims[i] = lc_tf_ints(c, sizes[i], &v, 1, &n) && n == 1 && v >= 0 && v <= INT32_MAX ? (int32_t)v : -1;
        open += dims[i] < 0;
    }
    if (open <= 1) return lc_tf_reshape(c, x, dims, (int32_t)rank);
    return lc_tf_reshape_like(c, x, lc_tf_concat(c, sizes, rank, 0));
}

/* ---- windows --------------------------------------------------------------------------------------------------------------- */

bool lc_tf_window_numbers(lc_tf_call *c, const lc_tf_window *w, const char *what, const int64_t *numbers, uint32_t count, int32_t *out) {
    if (!lc_tf_ok(c)) return false;
    if (count != (uint32_t)w->n + 2) {
        lc_tf_fail(c, LC_INVALID, "its %s has %u numbers, needs %d", what, count, w->n + 2);
        return false;
    }
    const int32_t channels = w->channels_first ? 1 : w->n + 1, from = w->channels_first ? 2 : 1;
    for (uint32_t i = 0; i < count; i++)
        if (numbers[i] < 1 || numbers[i] > INT32_MAX) {
            lc_tf_fail(c, LC_INVALID, "its %s has %lld, needs 1 or more", what, (long long)numbers[i]);
            return false;
        }
    if (numbers[0] != 1 || numbers[channels] != 1) {
        lc_tf_missing(c, "its %s is %lld for the batch and %lld for the channels; only 1 has a TFLite form", what, (long long)numbers[0],
                      (long long)numbers[channels]);
        return false;
    }
    for (int32_t i = 0; i < w->n; i++) out[i] = (int32_t)numbers[from + i];
    return true;
}

static bool read_numbers(lc_tf_call *c, const lc_tf_window *w, const char *name, bool optional, int32_t *out) {
    int64_t v[LC_TF_SPATIAL + 2];
    for (int32_t i = 0; i < w->n; i++) out[i] = 1;
    const uint32_t n = lc_tf_attr_ints(c, name, v, LC_TF_SPATIAL + 2);
    if (n == 0 && optional) return lc_tf_ok(c);
    return lc_tf_window_numbers(c, w, name, v, n, out);
}

/* explicit_paddings: (before, after) of each dimension, in data_format's order. */
static bool read_paddings(lc_tf_call *c, lc_tf_window *w) {
    int64_t v[2 * (LC_TF_SPATIAL + 2)];
    const uint32_t n = lc_tf_attr_ints(c, "explicit_paddings", v, 2 * (LC_TF_SPATIAL + 2)), want = 2 * ((uint32_t)w->n + 2);
    if (!lc_tf_ok(c)) return false;
    if (n != want) {
        lc_tf_fail(c, LC_INVALID, "explicit_paddings has %u numbers, needs %u", n, want);
        return false;
    }
    const uint32_t from = w->channels_first ? 2 : 1;
    for (uint32_t i = 0; i < n; i++) {
        const bool spatial = i / 2 >= from && i / 2 < from + (uint32_t)w->n;
        if (v[i] < 0 || v[i] > INT32_MAX / 4 || (!spatial && v[i])) {
            lc_tf_fail(c, LC_INVALID, "explicit_paddings has %lld at %u", (long long)v[i], i);
            return false;
        }
        if (!spatial) continue;
        (i % 2 ? w->after : w->before)[i / 2 - from] = (int32_t)v[i];
        w->pads = w->pads || v[i];
    }
    return true;
}

bool lc_tf_window_read(lc_tf_call *c, lc_tf_window *w, int32_t n, const char *sizes, const char *dilations) {
    bool known;
    *w = (lc_tf_window){.n = n, .size = {1, 1, 1}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
    w->channels_first = lc_tf_channels_first(c, &known);
    if (!known || !lc_tf_ok(c) || !read_numbers(c, w, "strides", false, w->stride)) return false;
    if (sizes && !read_numbers(c, w, sizes, false, w->size)) return false;
    if (dilations && !read_numbers(c, w, dilations, true, w->dilation)) return false;
    const lc_str padding = lc_tf_attr_str(c, "padding", "");
    if (lc_str_is(padding, "SAME")) w->padding = LC_Padding_SAME;
    else if (lc_str_is(padding, "VALID")) w->padding = LC_Padding_VALID;
    else if (lc_str_is(padding, "EXPLICIT")) {
        w->padding = LC_Padding_VALID;
        return read_paddings(c, w);
    } else if (lc_tf_ok(c)) {
        lc_tf_fail(c, LC_INVALID, "its padding is \"%.*s\", needs SAME, VALID or EXPLICIT", padding.size > 40 ? 40 : (int)padding.size,
                   padding.data ? padding.data : "");
    }
    return lc_tf_ok(c);
}

int32_t lc_tf_pad_spatial(lc_tf_call *c, int32_t x, const lc_tf_window *w, double value) {
    int32_t pads[2 * LC_MAX_RANK] = {0};
    if (!w->pads) return x;
    for (int32_t i = 0; i < w->n; i++) {
        pads[2 * (i + 1)] = w->before[i];
        pads[2 * (i + 1) + 1] = w->after[i];
    }
    const int32_t in[3] = {x, lc_build_int_matrix(c->b, "paddings", pads, w->n + 2, 2),
                           value == 0 ? -1 : lc_tf_scalar(c, value, lc_tf_type(c, x))};
    if (value == 0) return lc_build_op(c->b, LC_OP_PAD, LC_TABLE_PadOptions, NULL, in, 2);
    return lc_build_op(c->b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
}

static int64_t span(const lc_tf_window *w, int32_t i) { return ((int64_t)w->size[i] - 1) * w->dilation[i] + 1; }

bool lc_tf_window_explicit(lc_tf_call *c, lc_tf_window *w, int32_t x) {
    const lc_shape s = lc_tf_rank_of(c, x, w->n + 2);
    if (!lc_tf_ok(c) || w->padding != LC_Padding_SAME) return lc_tf_ok(c);
    for (int32_t i = 0; i < w->n; i++) {
        const int64_t in = s.dims[i + 1], stride = w->stride[i];
        int64_t total = span(w, i) - 1;
        if (in < 0 && stride != 1) {
            lc_tf_fail(c, LC_UNSUPPORTED, "dimension %d of its input is open; SAME padding with a stride of %d depends on it", i + 1,
                       w->stride[i]);
            lc_tf_hint(c, "give the input a fixed size with --input-shape");
            return false;
        }
        if (stride != 1) total = ((in + stride - 1) / stride - 1) * stride + span(w, i) - in;
        if (total < 0) total = 0;
        if (total > INT32_MAX / 4) {
            lc_tf_fail(c, LC_LIMIT, "its window reaches over %lld cells", (long long)span(w, i));
            return false;
        }
        w->before[i] = (int32_t)(total / 2);
        w->after[i] = (int32_t)(total - total / 2);
        w->pads = w->pads || total;
    }
    w->padding = LC_Padding_VALID;
    return true;
}

uint32_t lc_tf_taps(lc_tf_call *c, const lc_tf_window *w, uint32_t most) {
    uint64_t n = 1;
    for (int32_t i = 0; i < w->n; i++) n = n > most ? n : n * (uint32_t)w->size[i];
    if (n > most) {
        lc_tf_fail(c, LC_UNSUPPORTED, "its window has %llu cells or more; litec takes it apart cell by cell, up to %u",
                   (unsigned long long)n, most);
        return 0;
    }
    return lc_tf_ok(c) ? (uint32_t)n : 0;
}

void lc_tf_tap_at(const lc_tf_window *w, uint32_t k, int32_t *tap) {
    for (int32_t i = w->n - 1; i >= 0; i--) {
        tap[i] = (int32_t)(k % (uint32_t)w->size[i]);
        k /= (uint32_t)w->size[i];
    }
}

int32_t lc_tf_tap(lc_tf_call *c, int32_t x, const lc_tf_window *w, const int32_t *tap) {
    int32_t begin[LC_MAX_RANK] = {0}, end[LC_MAX_RANK] = {0}, step[LC_MAX_RANK];
    const uint32_t rank = (uint32_t)w->n + 2;
    for (uint32_t i = 0; i < rank; i++) step[i] = 1;
    lc_StridedSliceOptions o = {.begin_mask = 1 | 1 << (rank - 1), .end_mask = 1 | 1 << (rank - 1)};
    for (int32_t i = 0; i < w->n; i++) {
        const int64_t left = span(w, i) - 1 - (int64_t)tap[i] * w->dilation[i];
        if (span(w, i) > INT32_MAX) return lc_tf_fail(c, LC_LIMIT, "its window reaches over %lld cells", (long long)span(w, i));
        begin[i + 1] = tap[i] * w->dilation[i];
        end[i + 1] = (int32_t)-left;
        step[i + 1] = w->stride[i];
        if (left == 0) o.end_mask |= 1 << (i + 1);
    }
    const int32_t in[4] = {x, lc_build_ints(c->b, "begin", begin, rank), lc_build_ints(c->b, "end", end, rank),
                           lc_build_ints(c->b, "strides", step, rank)};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
}
