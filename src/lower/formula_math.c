/*
 * formula_math.c: functions of formulas (formula.h) that compute: products, windows, activations, quantiles, resizing. Sizes and axes are
 * decided here; the arithmetic is TensorFlow's operators.
 */
#include "lower/formula_make.h"
#include "lower/image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { UNIT_ROWS = 512 /* of the matrix that copies windows: 1 MB */ };

/* ---- products ------------------------------------------------------------------------------------------------------------- */

/* matmul(x, y): NumPy's: vectors are rows and columns. */
lc_arg lc_formula_matmul(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), y = lc_arg_any(f, a[1]);
    const int32_t rank_x = shape(f, x).rank, rank_y = shape(f, y).rank;
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (!rank_x || !rank_y) return lc_formula_fail(f, "a product with a single number");
    if (rank_x == 1 && rank_y == 1) return give(op2(f, "Sum", op2(f, "Mul", x, y), whole(f, 0)));
    if (rank_x == 1) x = op2(f, "ExpandDims", x, whole(f, 0));
    if (rank_y == 1) y = op2(f, "ExpandDims", y, whole(f, -1));
    int32_t z;
    if (rank_y == 2 && rank_x >= 2 && lc_build_type(f->c->b, x) == LC_FLOAT32 && lc_tf_is_const(f->maker, y))
        z = lc_tf_dense(f->maker, x, y, false);
    else z = op2(f, rank_x <= 2 && rank_y <= 2 ? "MatMul" : "BatchMatMulV2", x, y);
    if (!lc_formula_ok(f)) return lc_arg_none();
    const int32_t rank = shape(f, z).rank;
    const lc_arg squeeze[2] = {give(z), lc_arg_int(f, rank_x == 1 ? rank - 2 : rank - 1)};
    return rank_x == 1 || rank_y == 1 ? lc_formula_squeeze(f, squeeze, 2) : give(z);
}
/* tensordot(x, y, axes): a number: as many of the last of x and the first of y; or a pair of lists. */
lc_arg lc_formula_tensordot(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), y = lc_arg_any(f, a[1]);
    const int32_t rank_x = shape(f, x).rank, rank_y = shape(f, y).rank;
    int32_t of_x[LC_MAX_RANK], of_y[LC_MAX_RANK], count = 0;
    if (!lc_arg_is_list(a[2])) {
        count = lc_arg_whole(f, a[2], 0, rank_x < rank_y ? rank_x : rank_y, "axes");
        for (int32_t i = 0; i < count; i++) of_x[i] = rank_x - count + i, of_y[i] = i;
    } else {
        count = (int32_t)lc_arg_wholes(f, lc_arg_item(f, a[2], 0), of_x, LC_MAX_RANK, "axes");
        const uint32_t other = lc_arg_wholes(f, lc_arg_item(f, a[2], 1), of_y, LC_MAX_RANK, "axes");
        if (lc_formula_ok(f) && other != (uint32_t)count) return lc_formula_fail(f, "%d axes of one side, %u of the other", count, other);
        for (int32_t i = 0; i < count && lc_formula_ok(f); i++) {
            of_x[i] = lc_arg_axis(f, lc_arg_int(f, of_x[i]), rank_x);
            of_y[i] = lc_arg_axis(f, lc_arg_int(f, of_y[i]), rank_y);
        }
    }
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (count == 1 && of_x[0] == rank_x - 1 && of_y[0] == 0 && rank_x >= 2 && rank_y == 2) return lc_formula_matmul(f, a, 2);
    char left[LC_MAX_RANK + 1] = {0}, right[LC_MAX_RANK + 1] = {0}, out[2 * LC_MAX_RANK + 1] = {0}, text[80];
    for (int32_t i = 0; i < rank_x; i++) left[i] = (char)('a' + i);
    for (int32_t i = 0; i < rank_y; i++) right[i] = (char)('A' + i);
    for (int32_t i = 0; i < count; i++) right[of_y[i]] = left[of_x[i]];
    size_t made = 0;
    for (int32_t i = 0; i < rank_x; i++)
        if (!strchr(right, left[i])) out[made++] = left[i];
    for (int32_t i = 0; i < rank_y; i++)
        if (!strchr(left, right[i])) out[made++] = right[i];
    snprintf(text, sizeof text, "%s,%s->%s", left, right, out);
    const char *equation = lc_arena_strndup(&f->c->lower->scratch, text, strlen(text));
    if (!equation) {
        lc_build_check(f->c->b, lc_fail_memory(f->c->b->err, "an equation"));
        return lc_arg_none();
    }
    lc_eager *e = lc_eager_make(f->maker, "Einsum");
    lc_eager_in(e, x);
    lc_eager_in(e, y);
    lc_eager_str(e, "equation", equation);
    return give(lc_eager_run(e));
}

/* ---- windows ------------------------------------------------------------------------------------------------------------------- */

typedef struct window {
    int32_t spatial;
    bool first;
    int64_t size[5], stride[5], dilation[5]; /* batch, spatial..., channels */
    const char *padding;
} window;

/* One number, one for each spatial dimension, or one for each dimension, in the order of data_format. */
static void sizes_of(lc_formula *f, const window *w, lc_arg v, int64_t *out, const char *what) {
    int32_t given[5];
    for (int32_t i = 0; i < w->spatial + 2; i++) out[i] = 1;
    if (lc_arg_is_none(v)) return;
    const int32_t count = (int32_t)lc_arg_wholes(f, v, given, 5, what);
    if (!lc_formula_ok(f)) return;
    const int32_t skip = count == w->spatial + 2 ? w->first ? 2 : 1 : 0;
    if (count != 1 && count != w->spatial && count != w->spatial + 2) {
        lc_formula_fail(f, "\"%s\" has %d values for %d dimensions of space", what, count, w->spatial);
        return;
    }
    for (int32_t i = 0; i < w->spatial; i++) {
        out[i + 1] = given[count == 1 ? 0 : i + skip];
        if (out[i + 1] < 1) lc_formula_fail(f, "\"%s\" needs sizes of at least 1", what);
    }
}

static bool window_of(lc_formula *f, window *w, int32_t x, lc_arg padding, lc_arg format) {
    w->spatial = shape(f, x).rank - 2;
    if (!lc_formula_ok(f)) return false;
    if (w->spatial < 1 || w->spatial > 3) return lc_formula_fail(f, "its input has %d dimensions, needs 3 to 5", w->spatial + 2), false;
    w->first = format.json && format.json->kind == LC_JSON_STRING &&
               (strncmp(format.json->string, "NC", 2) == 0 || strcmp(format.json->string, "channels_first") == 0);
    if (lc_arg_is_text(padding, "same") || lc_arg_is_text(padding, "SAME")) w->padding = "SAME";
    else if (lc_arg_is_none(padding) || lc_arg_is_text(padding, "valid") || lc_arg_is_text(padding, "VALID")) w->padding = "VALID";
    else return lc_formula_fail(f, "padding is neither \"same\" nor \"valid\""), false;
    return true;
}

/* A dimension of height 1 for operators that have no 1D form. */
static int32_t heighten(lc_formula *f, window *w, int32_t x) {
    if (w->spatial != 1) return x;
    for (int32_t i = 4; i > 1; i--) w->size[i] = w->size[i - 1], w->stride[i] = w->stride[i - 1], w->dilation[i] = w->dilation[i - 1];
    w->size[1] = w->stride[1] = w->dilation[1] = 1;
    return op2(f, "ExpandDims", x, whole(f, 1));
}
static int32_t lower_again(lc_formula *f, const window *w, int32_t x) {
    const lc_arg in[2] = {give(x), lc_arg_int(f, 1)};
    return w->spatial == 1 ? lc_formula_squeeze(f, in, 2).tensor : x;
}

static lc_arg convolve(lc_formula *f, const lc_arg *a, const char *flat, const char *deep) {
    int32_t x = lc_arg_any(f, a[0]);
    window w = {0};
    if (!window_of(f, &w, x, a[3], a[4])) return lc_arg_none();
    int32_t kernel = lc_arg_to(f, a[1], lc_build_type(f->c->b, x));
    sizes_of(f, &w, a[2], w.stride, "strides");
    sizes_of(f, &w, a[5], w.dilation, "dilation_rate");
    if (shape(f, kernel).rank != w.spatial + 2)
        return lc_formula_fail(f, "the kernel has %d dimensions, needs %d", shape(f, kernel).rank, w.spatial + 2);
    if (!lc_formula_ok(f)) return lc_arg_none();
    x = heighten(f, &w, lc_call_channels_last(f->c, x, w.first));
    if (w.spatial == 1) kernel = op2(f, "ExpandDims", kernel, whole(f, 0));
    if (w.spatial == 3 && !deep) return lc_formula_fail(f, "there is no such convolution of 3 dimensions");
    const uint32_t n = w.spatial == 3 ? 5 : 4;
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, w.spatial == 3 ? deep : flat) : NULL;
    lc_eager_in(e, x);
    lc_eager_in(e, kernel);
    lc_eager_ints(e, "strides", w.stride, n);
    lc_eager_ints(e, "dilations", w.dilation, n);
    lc_eager_str(e, "padding", w.padding);
    x = lower_again(f, &w, lc_eager_run(e));
    return give(lc_formula_ok(f) ? lc_call_channels_back(f->c, x, w.first) : -1);
}
/* conv(x, kernel, strides, padding, data_format, dilation) */
lc_arg lc_formula_conv(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, convolve(f, a, "Conv2D", "Conv3D"); }
lc_arg lc_formula_depthwise(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, convolve(f, a, "DepthwiseConv2dNative", NULL); }
/* deconv(x, kernel, strides, padding, data_format, dilation, output_shape, output_padding): the size is given, or Keras's. */
lc_arg lc_formula_deconv(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    window w = {0};
    if (!window_of(f, &w, x, a[3], a[4])) return lc_arg_none();
    int32_t kernel = lc_arg_to(f, a[1], lc_build_type(f->c->b, x));
    const lc_shape k = shape(f, kernel);
    sizes_of(f, &w, a[2], w.stride, "strides");
    sizes_of(f, &w, a[5], w.dilation, "dilation_rate");
    if (k.rank != w.spatial + 2) return lc_formula_fail(f, "the kernel has %d dimensions, needs %d", k.rank, w.spatial + 2);
    for (int32_t i = 0; i < w.spatial + 2 && i < k.rank; i++)
        if (k.dims[i] < 1) return lc_formula_fail(f, "the size of the kernel is not known");
    if (!lc_formula_ok(f)) return lc_arg_none();
    x = lc_call_channels_last(f->c, x, w.first);
    lc_arg sizes[5];
    int32_t given[5], extra[5];
    const uint32_t asked = lc_arg_is_none(a[6]) ? 0 : lc_arg_wholes(f, a[6], given, 5, "output_shape");
    const uint32_t extras = lc_arg_is_none(a[7]) ? 0 : lc_arg_wholes(f, a[7], extra, 5, "output_padding");
    if (lc_formula_ok(f) &&
        ((asked > 1 && (int32_t)asked != w.spatial && (int32_t)asked != w.spatial + 2) || (extras > 1 && (int32_t)extras != w.spatial)))
        return lc_formula_fail(f, "\"output_shape\" or \"output_padding\" does not fit %d dimensions of space", w.spatial);
    sizes[0] = dim(f, x, 0);
    sizes[w.spatial + 1] = lc_arg_int(f, k.dims[w.spatial]);
    for (int32_t i = 0; i < w.spatial && lc_formula_ok(f); i++) {
        const int64_t stride = w.stride[i + 1], reach = (k.dims[i] - 1) * w.dilation[i + 1] + 1;
        const bool same = strcmp(w.padding, "SAME") == 0;
        if (asked) {
            sizes[i + 1] = lc_arg_int(f, given[asked == (uint32_t)w.spatial ? i : asked == 1 ? 0 : w.first ? i + 2 : i + 1]);
            continue;
        }
        const int64_t pad = !extras ? (same             ? 0
                                       : reach > stride ? reach - stride
                                                        : 0)
                            : same  ? reach - stride + extra[extras == 1 ? 0 : i] - 2 * (reach / 2)
                                    : reach - stride + extra[extras == 1 ? 0 : i];
        const lc_arg d = dim(f, x, i + 1);
        sizes[i + 1] = lc_arg_is_tensor(d)
                           ? give(op2(f, "AddV2", op2(f, "Mul", d.tensor, whole(f, (int32_t)stride)), whole(f, (int32_t)pad)))
                       : lc_formula_ok(f) ? lc_arg_int(f, d.json->integer * stride + pad)
                                          : d;
    }
    if (w.spatial == 1) {
        sizes[3] = sizes[2];
        sizes[2] = sizes[1];
        sizes[1] = lc_arg_int(f, 1);
        kernel = op2(f, "ExpandDims", kernel, whole(f, 0));
    }
    x = heighten(f, &w, x);
    const uint32_t rank = w.spatial == 3 ? 5 : 4;
    const int32_t size = lc_arg_to(f, lc_arg_list(f, sizes, rank), LC_INT32);
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, w.spatial == 3 ? "Conv3DBackpropInputV2" : "Conv2DBackpropInput") : NULL;
    lc_eager_in(e, size);
    lc_eager_in(e, kernel);
    lc_eager_in(e, x);
    lc_eager_ints(e, "strides", w.stride, rank);
    lc_eager_ints(e, "dilations", w.dilation, rank);
    lc_eager_str(e, "padding", w.padding);
    x = lower_again(f, &w, lc_eager_run(e));
    return give(lc_formula_ok(f) ? lc_call_channels_back(f->c, x, w.first) : -1);
}
/* pool(x, size, strides, padding, data_format, 'Max' or 'Avg'): strides None: the size. */
lc_arg lc_formula_pool(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    window w = {0};
    if (!window_of(f, &w, x, a[3], a[4])) return lc_arg_none();
    sizes_of(f, &w, a[1], w.size, "pool_size");
    sizes_of(f, &w, lc_arg_is_none(a[2]) ? a[1] : a[2], w.stride, "strides");
    if (!lc_formula_ok(f)) return lc_arg_none();
    x = heighten(f, &w, lc_call_channels_last(f->c, x, w.first));
    const bool max = lc_arg_is_text(a[5], "Max");
    const uint32_t rank = w.spatial == 3 ? 5 : 4;
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, w.spatial == 3 ? max ? "MaxPool3D" : "AvgPool3D"
                                                             : max          ? "MaxPool"
                                                                            : "AvgPool")
                                   : NULL;
    lc_eager_in(e, x);
    lc_eager_ints(e, "ksize", w.size, rank);
    lc_eager_ints(e, "strides", w.stride, rank);
    lc_eager_str(e, "padding", w.padding);
    x = lower_again(f, &w, lc_eager_run(e));
    return give(lc_formula_ok(f) ? lc_call_channels_back(f->c, x, w.first) : -1);
}
/* adaptive(x, output_size, data_format, 'Max' or 'Avg') */
lc_arg lc_formula_adaptive(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), sizes[3];
    window w = {0};
    if (!window_of(f, &w, x, lc_arg_none(), a[2])) return lc_arg_none();
    const uint32_t count = lc_arg_wholes(f, a[1], sizes, 3, "output_size");
    if (lc_formula_ok(f) && count != 1 && (int32_t)count != w.spatial)
        return lc_formula_fail(f, "\"output_size\" has %u values for %d dimensions of space", count, w.spatial);
    if (!lc_formula_ok(f)) return lc_arg_none();
    for (int32_t i = 0; count == 1 && i < w.spatial; i++) sizes[i] = sizes[0];
    x = lc_call_channels_last(f->c, lc_arg_to(f, give(x), LC_FLOAT32), w.first);
    x = lc_lower_adaptive(f->c, lc_arg_is_text(a[3], "Max") ? LC_OP_MAX_POOL_2D : LC_OP_AVERAGE_POOL_2D, x, w.spatial, sizes);
    return give(lc_formula_ok(f) ? lc_call_channels_back(f->c, x, w.first) : -1);
}
/* last(x, data_format), back(x, data_format): images with their channels at the end. */
lc_arg lc_formula_last(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    return give(lc_formula_ok(f) ? lc_call_channels_last(f->c, x, lc_arg_is_text(a[1], "channels_first") || lc_arg_is_text(a[1], "NCHW"))
                                 : -1);
}
lc_arg lc_formula_back(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    return give(lc_formula_ok(f) ? lc_call_channels_back(f->c, x, lc_arg_is_text(a[1], "channels_first") || lc_arg_is_text(a[1], "NCHW"))
                                 : -1);
}
/* A convolution whose kernel is the unit matrix copies each window; -1 (nothing failed) where one operator does without or the matrix is large. */
static int32_t convolved_patches(lc_formula *f, const window *w, int32_t x) {
    const lc_shape s = shape(f, x);
    if (!lc_formula_ok(f) || s.dims[3] < 1 || lc_build_type(f->c->b, x) != LC_FLOAT32) return -1;
    bool blocks = w->size[1] == w->size[2]; /* SPACE_TO_DEPTH */
    for (int i = 1; i < 3; i++)
        blocks &= w->stride[i] == w->size[i] && (w->size[i] == 1 || w->dilation[i] == 1) && s.dims[i] > 0 && s.dims[i] % w->size[i] == 0;
    const int64_t depth = w->size[1] * w->size[2] <= UNIT_ROWS ? w->size[1] * w->size[2] * s.dims[3] : UNIT_ROWS + 1;
    if (blocks || depth > UNIT_ROWS) return -1;
    const int32_t dims[4] = {(int32_t)w->size[1], (int32_t)w->size[2], s.dims[3], (int32_t)depth};
    float *unit = lc_build_data(f->c->b, (size_t)(depth * depth) * sizeof *unit);
    if (!unit) return -1;
    for (int64_t i = 0; i < depth; i++) unit[i * depth + i] = 1;
    lc_eager *e = lc_eager_make(f->maker, "Conv2D");
    lc_eager_in(e, x);
    lc_eager_in(e, lc_build_const(f->c->b, "unit", LC_FLOAT32, dims, 4, unit, (size_t)(depth * depth) * sizeof *unit, true));
    lc_eager_ints(e, "strides", w->stride, 4);
    lc_eager_ints(e, "dilations", w->dilation, 4);
    lc_eager_str(e, "padding", w->padding);
    return lc_eager_run(e);
}
/* patches(x, size, strides, rates, padding, convolve): ExtractImagePatches; convolve: as Keras does it. */
lc_arg lc_formula_patches(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    window w = {0};
    if (!window_of(f, &w, x, a[4], lc_arg_none())) return lc_arg_none();
    if (w.spatial != 2) return lc_formula_fail(f, "its input has %d dimensions, needs 4", w.spatial + 2);
    sizes_of(f, &w, a[1], w.size, "size");
    sizes_of(f, &w, lc_arg_is_none(a[2]) ? a[1] : a[2], w.stride, "strides");
    sizes_of(f, &w, a[3], w.dilation, "dilation_rate");
    const int32_t y = lc_arg_true(a[5]) ? convolved_patches(f, &w, x) : -1;
    if (y >= 0) return give(y);
    lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, "ExtractImagePatches") : NULL;
    lc_eager_in(e, x);
    lc_eager_ints(e, "ksizes", w.size, 4);
    lc_eager_ints(e, "strides", w.stride, 4);
    lc_eager_ints(e, "rates", w.dilation, 4);
    lc_eager_str(e, "padding", w.padding);
    return give(lc_eager_run(e));
}

/* ---- activations ------------------------------------------------------------------------------------------------------------------ */

/* act('name', x): Keras's activation of that name. */
lc_arg lc_formula_act(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[1]);
    return give(lc_formula_ok(f) ? lc_lower_activation_name(f->c, "activation", a[0].json->string, lc_arg_to(f, give(x), LC_FLOAT32)) : -1);
}
/* softmax(x, axis, log): of several axes together, None: of all. */
lc_arg lc_formula_softmax(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    const int32_t op = lc_arg_true(a[2]) ? LC_OP_LOG_SOFTMAX : LC_OP_SOFTMAX, rank = shape(f, x).rank;
    int32_t axes[LC_MAX_RANK];
    if (lc_formula_ok(f) && !lc_arg_is_none(a[1]) && lc_arg_wholes(f, a[1], axes, LC_MAX_RANK, "axis") == 1) {
        const int32_t axis = lc_arg_axis(f, lc_arg_int(f, axes[0]), rank);
        return give(lc_formula_ok(f) ? lc_lower_softmax(f->c, op, x, axis) : -1);
    }
    const lc_arg both[2] = {give(x), a[1]};
    const int32_t over = lc_formula_axes(f, both, 2).tensor;
    int32_t parts[2];
    for (int i = 0; i < 2; i++) { /* exp(x - max) / sum, or x - max - log(sum) */
        lc_eager *e = lc_formula_ok(f) ? lc_eager_make(f->maker, i ? "Sum" : "Max") : NULL;
        lc_eager_in(e, i ? op1(f, "Exp", x) : x);
        lc_eager_in(e, over);
        lc_eager_bool(e, "keep_dims", true);
        parts[i] = lc_eager_run(e);
        if (!i) x = op2(f, "Sub", x, parts[0]);
    }
    return give(op == LC_OP_SOFTMAX ? op2(f, "RealDiv", op1(f, "Exp", x), parts[1]) : op2(f, "Sub", x, op1(f, "Log", parts[1])));
}

/* ---- statistics --------------------------------------------------------------------------------------------------------------------- */

/* quantile(x, q, axis, method, keepdims) of floats; q: a number or a vector, whose dimension comes first. */
lc_arg lc_formula_quantile(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]), axes[LC_MAX_RANK], perm[LC_MAX_RANK], count = 0;
    const int32_t rank = shape(f, x).rank;
    bool over[LC_MAX_RANK] = {false};
    if (!lc_arg_is_none(a[2])) count = (int32_t)lc_arg_wholes(f, a[2], axes, LC_MAX_RANK, "axis");
    else
        for (; count < rank; count++) axes[count] = count;
    for (int32_t i = 0; i < count; i++) {
        const int32_t axis = lc_arg_axis(f, lc_arg_int(f, axes[i]), rank);
        if (lc_formula_ok(f)) over[axis] = true;
    }
    if (!lc_formula_ok(f)) return lc_arg_none();
    lc_arg kept[LC_MAX_RANK], with_ones[LC_MAX_RANK + 1];
    int32_t left = 0, next = 0;
    for (int32_t i = 0; i < rank; i++) {
        if (!over[i]) {
            kept[left++] = dim(f, x, i);
            perm[next++] = i;
        }
        with_ones[i + 1] = over[i] ? lc_arg_int(f, 1) : dim(f, x, i);
    }
    for (int32_t i = 0; i < rank; i++)
        if (over[i]) perm[next++] = i;
    const lc_arg turned[2] = {give(x), lc_arg_ints(f, perm, (uint32_t)rank)};
    x = lc_formula_perm(f, turned, 2).tensor;
    if (count != 1) {
        kept[left] = lc_arg_int(f, -1);
        const lc_arg joined[2] = {give(x), lc_arg_list(f, kept, (uint32_t)left + 1)};
        x = lc_formula_reshape(f, joined, 2).tensor;
    }
    const lc_arg order[3] = {give(x), lc_arg_int(f, -1), lc_arg_int(f, 0)};
    x = lc_formula_sort(f, order, 3).tensor;
    const int32_t q = lc_arg_to(f, a[1], LC_FLOAT32), q_rank = shape(f, q).rank;
    if (lc_formula_ok(f) && q_rank > 1) return lc_formula_fail(f, "q has %d dimensions, at most 1 is possible", q_rank);
    const int32_t size = lc_arg_to(f, dim(f, x, -1), LC_FLOAT32);
    const int32_t at = op2(f, "Mul", q, op2(f, "Sub", size, real(f, 1)));
    const int32_t low = op1(f, "Floor", at), high = op1(f, "Ceil", at);
    const lc_arg method = a[3];
    int32_t y;
#define PICK(where) op3(f, "GatherV2", x, lc_arg_to(f, give(where), LC_INT32), whole(f, -1))
    if (lc_arg_is_text(method, "lower")) y = PICK(low);
    else if (lc_arg_is_text(method, "higher")) y = PICK(high);
    else if (lc_arg_is_text(method, "nearest")) y = PICK(op1(f, "Round", at));
    else if (lc_arg_is_text(method, "midpoint")) y = op2(f, "Mul", op2(f, "AddV2", PICK(low), PICK(high)), real(f, .5));
    else if (lc_arg_is_none(method) || lc_arg_is_text(method, "linear")) {
        const int32_t part = op2(f, "Sub", at, low), a_low = PICK(low), a_high = PICK(high);
        y = op2(f, "AddV2", op2(f, "Mul", a_low, op2(f, "Sub", real(f, 1), part)), op2(f, "Mul", a_high, part));
    } else return lc_formula_fail(f, "method is none of linear, lower, higher, nearest, midpoint");
#undef PICK
    if (q_rank == 1) {
        const lc_arg move[3] = {give(y), lc_arg_int(f, -1), lc_arg_int(f, 0)};
        y = lc_formula_move(f, move, 3).tensor;
    }
    if (!lc_arg_true(a[4])) return give(y);
    with_ones[0] = q_rank == 1 ? dim(f, q, 0) : lc_arg_none();
    const lc_arg keep[2] = {give(y), lc_arg_list(f, with_ones + (q_rank == 1 ? 0 : 1), (uint32_t)rank + (q_rank == 1))};
    return lc_formula_reshape(f, keep, 2);
}
/* linspace(start, stop, num, endpoint, axis): of floats. */
lc_arg lc_formula_linspace(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t num = lc_arg_whole(f, a[2], 1, 1 << 20, "num"), cells = lc_arg_true(a[3]) ? num - 1 : num;
    const int32_t start = lc_arg_any(f, a[0]), stop = lc_arg_any(f, a[1]);
    const int32_t span = op2(f, "Sub", stop, start), rank = shape(f, span).rank;
    const int32_t axis = lc_arg_axis(f, a[4], rank + 1);
    if (lc_formula_ok(f) && rank >= LC_MAX_RANK) return lc_formula_fail(f, "the result would have %d dimensions", rank + 1);
    if (!lc_formula_ok(f)) return lc_arg_none();
    float *at = lc_tf_table_data(f->maker, (uint64_t)num, sizeof *at);
    if (!at) return lc_arg_none();
    for (int32_t i = 0; i < num; i++) at[i] = cells ? (float)((double)i / cells) : 0;
    int32_t steps = lc_build_floats(f->c->b, "steps", at, (uint32_t)num), dims[LC_MAX_RANK + 1];
    for (int32_t i = 0; i <= rank; i++) dims[i] = i == axis ? num : 1;
    steps = lc_tf_reshape(f->maker, steps, dims, rank + 1);
    return give(
        op2(f, "AddV2", op2(f, "ExpandDims", start, whole(f, axis)), op2(f, "Mul", op2(f, "ExpandDims", span, whole(f, axis)), steps)));
}
/* constants('what', n, ...): tables of numbers. eye(n, m, k); hann(n), hamming(n), ones: windows of the periodic kind. */
lc_arg lc_formula_window(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t size = lc_arg_whole(f, a[1], 1, 1 << 20, "sequence_length"), total = lc_arg_whole(f, a[2], 1, 1 << 20, "fft_length");
    const bool hann = lc_arg_is_text(a[0], "hann"), hamming = lc_arg_is_text(a[0], "hamming");
    if (lc_formula_ok(f) && !hann && !hamming && !lc_arg_is_none(a[0])) {
        if (!lc_arg_is_list(a[0]) && !(a[0].json && a[0].json->kind == LC_JSON_OBJECT))
            return lc_formula_fail(f, "window is neither \"hann\" nor \"hamming\"");
        const int32_t w = lc_arg_to(f, a[0], LC_FLOAT32);
        const int32_t before = (total - size) / 2, pads[2] = {before, total - size - before};
        return give(total <= size ? w : op2(f, "Pad", w, lc_build_int_matrix(f->c->b, "widths", pads, 1, 2)));
    }
    if (lc_formula_ok(f) && size > total) return lc_formula_fail(f, "fft_length %d is less than sequence_length %d", total, size);
    float *w = lc_formula_ok(f) ? lc_tf_table_data(f->maker, (uint64_t)total, sizeof *w) : NULL;
    if (!w) return lc_arg_none();
    memset(w, 0, (size_t)total * sizeof *w);
    const int32_t before = (total - size) / 2;
    for (int32_t i = 0; i < size; i++) {
        const double turn = cos(2 * 3.14159265358979323846 * i / size);
        w[before + i] = (float)(hann ? .5 - .5 * turn : hamming ? .54 - .46 * turn : 1);
    }
    return give(lc_build_floats(f->c->b, "window", w, (uint32_t)total));
}
/* frames(x, length, step): [.., samples] to [.., frames, length]. */
lc_arg lc_formula_frames(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]), rank = shape(f, x).rank;
    const int32_t length = lc_arg_whole(f, a[1], 1, 1 << 20, "length"), step = lc_arg_whole(f, a[2], 1, 1 << 20, "step");
    if (!lc_formula_ok(f)) return lc_arg_none();
    const int32_t samples = shape(f, x).dims[rank - 1];
    if (samples < 0) return lc_formula_fail(f, "the number of samples is not known");
    if (samples < length) return lc_formula_fail(f, "a sequence of %d samples is shorter than a frame of %d", samples, length);
    const int32_t frames = 1 + (samples - length) / step;
    int32_t *at = lc_tf_table_data(f->maker, (uint64_t)frames * (uint64_t)length, sizeof *at);
    if (!at) return lc_arg_none();
    for (int32_t i = 0; i < frames; i++)
        for (int32_t k = 0; k < length; k++) at[(size_t)i * (size_t)length + (size_t)k] = i * step + k;
    const int32_t table = lc_build_int_matrix(f->c->b, "frames", at, frames, length);
    return give(op3(f, "GatherV2", x, table, whole(f, rank - 1)));
}

/* ---- images --------------------------------------------------------------------------------------------------------------------------- */

/* resize(x, size, method, antialias): tf.image.resize of 4 dimensions, channels last; 3 dimensions are one image. */
lc_arg lc_formula_resize(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    int32_t x = lc_arg_any(f, a[0]);
    const int32_t rank = shape(f, x).rank;
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (rank != 3 && rank != 4) return lc_formula_fail(f, "its input has %d dimensions, needs 3 or 4", rank);
    if (rank == 3) x = op2(f, "ExpandDims", x, whole(f, 0));
    const int32_t size = lc_arg_to(f, a[1], LC_INT32);
    const lc_resize_way *way = lc_resize_way_of(lc_arg_is_none(a[2]) ? "bilinear" : lc_arg_text(a[2]));
    if (!way)
        return lc_formula_fail(f, "the method is none of nearest, bilinear, bicubic, area, lanczos3, lanczos5, gaussian, mitchellcubic");
    x = lc_resize(f->maker, way, x, size, lc_arg_true(a[3]));
    const lc_arg one[2] = {give(x), lc_arg_int(f, 0)};
    return rank == 3 ? lc_formula_squeeze(f, one, 2) : give(x);
}
/* crop(x, top, left, height, width) of [.., h, w, c] */
lc_arg lc_formula_crop(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    lc_arg x = give(lc_arg_any(f, a[0]));
    const int32_t rank = lc_arg_rank(f, x);
    for (uint32_t i = 0; i < 2; i++) {
        const int32_t from = lc_arg_whole(f, a[1 + i], 0, INT32_MAX / 2, "offset"),
                      size = lc_arg_whole(f, a[3 + i], 1, INT32_MAX / 2, "size");
        const lc_arg cut[4] = {x, lc_arg_int(f, rank - 3 + (int32_t)i), lc_arg_int(f, from), lc_arg_int(f, (int64_t)from + size)};
        x = lc_formula_cut(f, cut, 4);
    }
    return x;
}
/* fit(x, top, left, height, width): the same with zeros around it. */
lc_arg lc_formula_fit(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    const int32_t x = lc_arg_any(f, a[0]);
    const lc_shape s = shape(f, x);
    int32_t widths[LC_MAX_RANK][2] = {{0}};
    if (!lc_formula_ok(f)) return lc_arg_none();
    if (s.rank < 3) return lc_formula_fail(f, "its input has %d dimensions, needs 3 or 4", s.rank);
    for (int32_t i = 0; i < 2; i++) {
        const int32_t axis = s.rank - 3 + i, from = lc_arg_whole(f, a[1 + i], 0, INT32_MAX / 2, "offset"),
                      size = lc_arg_whole(f, a[3 + i], 1, INT32_MAX / 2, "size");
        if (lc_formula_ok(f) && s.dims[axis] < 0) return lc_formula_fail(f, "the size of the image is not known");
        if (lc_formula_ok(f) && size - from < s.dims[axis])
            return lc_formula_fail(f, "an image of %d does not fit into %d from %d on", s.dims[axis], size, from);
        widths[axis][0] = from;
        widths[axis][1] = size - from - s.dims[axis];
    }
    return give(lc_formula_ok(f) ? op2(f, "Pad", x, lc_build_int_matrix(f->c->b, "widths", widths[0], s.rank, 2)) : -1);
}
/* floor(a / b) and the like of numbers: quotient(a, b) */
lc_arg lc_formula_quotient(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (!lc_arg_is_number(a[0]) || !lc_arg_is_number(a[1]) || a[1].json->real == 0 || fabs(a[0].json->real / a[1].json->real) > 1e15)
        return lc_formula_fail(f, "a size that is not known");
    return lc_arg_int(f, (int64_t)floor(a[0].json->real / a[1].json->real));
}
lc_arg lc_formula_most(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    if (!lc_arg_is_number(a[0]) || !lc_arg_is_number(a[1])) return lc_formula_fail(f, "a size that is not known");
    return a[0].json->real > a[1].json->real ? a[0] : a[1];
}
/* refuse('why') */
lc_arg lc_formula_refuse(lc_formula *f, const lc_arg *a, uint32_t n) { return (void)n, lc_formula_fail(f, "%s", a[0].json->string); }
/* range(n): 0 .. n - 1 as int32; n a number or a scalar. */
lc_arg lc_formula_range(lc_formula *f, const lc_arg *a, uint32_t n) {
    (void)n;
    return give(op3(f, "Range", whole(f, 0), lc_arg_to(f, a[0], LC_INT32), whole(f, 1)));
}
