/*
 * tf_resize.c: images of other sizes.
 *
 * Bilinear and nearest-neighbour are TFLite's operators, with any size. The others are linear in the image and work on rows and columns apart:
 *
 *     y = R x C'        R [out h, h], C [out w, w]: which share of each row, column goes into each of the result
 *
 * so they are two products with constant matrices, where the sizes are fixed; bicubic ones of open sizes work their weights out at run time
 * and gather. The matrices hold what TensorFlow's kernels do:
 *
 *   ResizeBicubic      Keys' cubic convolution (1981) with a = -0.75 (half_pixel_centers: -0.5 and weights outside dropped), from a table of
 *                      1024 steps
 *   ResizeArea         the share of each cell that the result's cell covers
 *   ScaleAndTranslate  Lanczos, Gaussian, box, triangle, Keys and Mitchell-Netravali kernels, widened when it shrinks (antialias)
 */
#include "lower/tf_nn.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define CELLS_MOST ((uint64_t)1 << 24) /* of a matrix */

/* ---- the operators TFLite has ------------------------------------------------------------------------------------------- */

static int32_t size_of(lc_tf_call *c) {
    const int32_t size = lc_tf_int32(c, lc_tf_in(c, 1));
    const lc_shape s = lc_tf_rank_of(c, size, 1);
    if (lc_tf_ok(c) && s.dims[0] != 2 && s.dims[0] >= 0) lc_tf_fail(c, LC_INVALID, "its size has %d numbers, needs 2", s.dims[0]);
    return size;
}

/* A whole number's image becomes float32; the result is float32 whatever the image was. */
static int32_t float_image(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    lc_tf_rank_of(c, x, 4);
    return lc_tf_ok(c) ? lc_build_cast(c->b, x, LC_FLOAT32) : -1;
}

void lc_tf_op_resize_bilinear(lc_tf_call *c) {
    const lc_ResizeBilinearOptions o = {.align_corners = lc_tf_attr_bool(c, "align_corners", false),
                                        .half_pixel_centers = lc_tf_attr_bool(c, "half_pixel_centers", false)};
    const int32_t x = float_image(c), in[2] = {x, size_of(c)};
    lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_RESIZE_BILINEAR, LC_TABLE_ResizeBilinearOptions, &o, in, 2));
}

static int32_t bitcast(lc_tf_call *c, int32_t x, lc_dtype type) {
    return lc_build_typed(c->b, LC_OP_BITCAST, LC_TABLE_BitcastOptions, NULL, &x, 1, type);
}

void lc_tf_op_resize_nearest(lc_tf_call *c) {
    const lc_ResizeNearestNeighborOptions o = {.align_corners = lc_tf_attr_bool(c, "align_corners", false),
                                               .half_pixel_centers = lc_tf_attr_bool(c, "half_pixel_centers", false)};
    const int32_t input = lc_tf_in(c, 0);
    const lc_shape s = lc_tf_rank_of(c, input, 4);
    const lc_dtype type = lc_tf_type(c, input);
    int32_t x = input;
    /* the kernel moves int32, uint8, int8, int16 and float32; eight bytes are two int32 channels */
    const bool wide = type == LC_INT64 || type == LC_UINT64 || type == LC_FLOAT64;
    if (wide) {
        x = lc_tf_merge_dims(c, bitcast(c, input, LC_INT32), 3, 5);
    } else {
        x = lc_tf_movable(c, input, LC_TF_T(FLOAT32) | LC_TF_T(INT32) | LC_TF_T(UINT8) | LC_TF_T(INT8) | LC_TF_T(INT16));
        if (x < 0) return;
    }
    const int32_t in[2] = {x, size_of(c)};
    int32_t y = lc_build_op(c->b, LC_OP_RESIZE_NEAREST_NEIGHBOR, LC_TABLE_ResizeNearestNeighborOptions, &o, in, 2);
    if (wide) {
        const int32_t pair[2] = {s.dims[3], 2};
        y = bitcast(c, lc_tf_split_dim(c, y, 3, pair, 2), type);
        lc_tf_give(c, 0, y);
        return;
    }
    lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

/* ---- matrices ------------------------------------------------------------------------------------------------------------ */

/* rows: [out, in] of one dimension, filled by the operators below. */
typedef struct resampling {
    int32_t in, out;
    float *rows;
} resampling;

static bool begin(lc_tf_call *c, resampling *r, int32_t in, int64_t out) {
    if (!lc_tf_ok(c)) return false;
    if (in < 1 || out < 1 || out > INT32_MAX || (uint64_t)in * (uint64_t)out > CELLS_MOST) {
        lc_tf_fail(c, in < 1 || out < 1 ? LC_INVALID : LC_UNSUPPORTED, "it resizes %d to %lld; litec needs a product from 1 to %llu", in,
                   (long long)out, (unsigned long long)CELLS_MOST);
        return false;
    }
    *r = (resampling){.in = in, .out = (int32_t)out, .rows = lc_build_data(c->b, (size_t)in * (size_t)out * sizeof *r->rows)};
    return r->rows != NULL;
}

static void add(resampling *r, int32_t row, int64_t at, float weight) {
    if (at < 0) at = 0;
    if (at >= r->in) at = r->in - 1;
    r->rows[(size_t)row * (size_t)r->in + (size_t)at] += weight;
}

static bool changes(const resampling *r) {
    if (r->in != r->out) return true;
    for (int32_t i = 0; i < r->out; i++)
        for (int32_t k = 0; k < r->in; k++)
            if (r->rows[(size_t)i * (size_t)r->in + (size_t)k] != (i == k)) return true;
    return false;
}

static int32_t matrix(lc_tf_call *c, const resampling *r) {
    const int32_t dims[2] = {r->out, r->in};
    return lc_build_const(c->b, "resampling", LC_FLOAT32, dims, 2, r->rows, (size_t)r->in * (size_t)r->out * sizeof *r->rows, true);
}

/* x [n, h, w, c] by both matrices. */
static int32_t apply(lc_tf_call *c, int32_t x, const resampling *h, const resampling *w) {
    const lc_shape s = lc_tf_rank_of(c, x, 4);
    if (!lc_tf_ok(c)) return -1;
    const int32_t n = lc_tf_size(c, x, 0), channels = lc_tf_size(c, x, 3);
    const int32_t height = lc_tf_size_const(c, h->out), width = lc_tf_size_const(c, s.dims[2]), out_width = lc_tf_size_const(c, w->out);
    if (changes(h)) {
        const int32_t rows = matrix(c, h);
        x = lc_tf_batch_matmul(c, rows, lc_tf_merge_dims(c, x, 2, 4), false, false);
        const int32_t image[4] = {n, height, width, channels};
        x = lc_tf_reshape_sizes(c, x, image, 4);
    }
    if (!changes(w)) return x;
    const int32_t columns = matrix(c, w);
    x = lc_tf_batch_matmul(c, columns, lc_tf_merge_dims(c, x, 0, 2), false, false);
    const int32_t image[4] = {n, height, out_width, channels};
    return lc_tf_reshape_sizes(c, x, image, 4);
}

/* Fixed height and width of the image, and the constant size. */
static bool sizes(lc_tf_call *c, resampling *h, resampling *w) {
    int64_t size[2];
    const lc_shape s = lc_tf_rank_of(c, lc_tf_in(c, 0), 4);
    const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, 1), "size", size, 2);
    if (!lc_tf_ok(c)) return false;
    if (n != 2) {
        lc_tf_fail(c, LC_INVALID, "its size has %u numbers, needs 2", n);
        return false;
    }
    if (s.dims[1] < 0 || s.dims[2] < 0) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the height and width of its image are open, this way of resizing needs them");
        lc_tf_hint(c, "give the input a fixed size with --input-shape, or resize with \"bilinear\" or \"nearest\"");
        return false;
    }
    return begin(c, h, s.dims[1], size[0]) && begin(c, w, s.dims[2], size[1]);
}

static float step_of(const resampling *r, bool align_corners) {
    return align_corners && r->out > 1 ? (float)(r->in - 1) / (float)(r->out - 1) : (float)r->in / (float)r->out;
}

/* ---- bicubic ---------------------------------------------------------------------------------------------------------------- */

enum { STEPS = 1024 };

/* The kernel at distance i / STEPS, and at one more. */
static float near_weight(int64_t i, float a) {
    const float x = (float)i / STEPS;
    return ((a + 2) * x - (a + 3)) * x * x + 1;
}
static float far_weight(int64_t i, float a) {
    const float x = (float)i / STEPS + 1.0f;
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

static void cubic(resampling *r, bool align_corners, bool half_pixel) {
    const float a = half_pixel ? -0.5f : -0.75f, scale = step_of(r, align_corners);
    for (int32_t i = 0; i < r->out; i++) {
        const float at = half_pixel ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale, cell = floorf(at);
        const int64_t first = (int64_t)cell - 1, offset = lrintf((at - cell) * STEPS);
        float w[4] = {far_weight(offset, a), near_weight(offset, a), near_weight(STEPS - offset, a), far_weight(STEPS - offset, a)},
              sum = 0;
        for (int k = 0; k < 4; k++) {
            if (half_pixel && (first + k < 0 || first + k >= r->in)) w[k] = 0;
            sum += w[k];
        }
        for (int k = 0; k < 4; k++) add(r, i, first + k, half_pixel && fabsf(sum) >= 1000 * FLT_MIN ? w[k] / sum : w[k]);
    }
}

/* The same weights worked out at run time: of one dimension whose old or new size is open. size: the new one, an int32 vector of one. */
typedef struct cubic_weights {
    int32_t index[4], weight[4]; /* [out]: which cells of the old image, how much of each */
} cubic_weights;

static int32_t polynomial(lc_tf_call *c, int32_t x, const float *a, int n) {
    int32_t y = lc_tf_with(c, LC_OP_MUL, x, a[0]);
    for (int i = 1; i < n; i++) {
        y = lc_tf_with(c, LC_OP_ADD, y, a[i]);
        if (i + 1 < n) y = lc_tf_binary(c, LC_OP_MUL, y, x);
    }
    return y;
}

static cubic_weights cubic_at_run_time(lc_tf_call *c, int32_t old, int32_t size, bool align, bool half) {
    const float a = half ? -0.5f : -0.75f, near[4] = {a + 2, -(a + 3), 0, 1}, far[4] = {a, -5 * a, 8 * a, -4 * a};
    const int32_t in = lc_build_cast(c->b, old, LC_FLOAT32), out = lc_build_cast(c->b, size, LC_FLOAT32),
                  last = lc_tf_with(c, LC_OP_SUB, in, 1);
    const int32_t gaps = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_with(c, LC_OP_SUB, out, 1), 1);
    const int32_t step = align ? lc_tf_binary(c, LC_OP_DIV, last, gaps) : lc_tf_binary(c, LC_OP_DIV, in, out);
    int32_t at = lc_build_cast(c->b, lc_tf_range(c, lc_tf_reshape(c, size, NULL, 0)), LC_FLOAT32);
    if (half) at = lc_tf_with(c, LC_OP_ADD, at, 0.5);
    at = lc_tf_binary(c, LC_OP_MUL, at, step);
    if (half) at = lc_tf_with(c, LC_OP_SUB, at, 0.5);
    const int32_t cell = lc_tf_unary(c, LC_OP_FLOOR, at);
    const int32_t steps = lc_tf_unary(c, LC_OP_ROUND, lc_tf_with(c, LC_OP_MUL, lc_tf_binary(c, LC_OP_SUB, at, cell), STEPS));
    const int32_t d = lc_tf_with(c, LC_OP_MUL, steps, 1.0 / STEPS), e = lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_NEG, d), 1);
    cubic_weights w;
    w.weight[0] = polynomial(c, lc_tf_with(c, LC_OP_ADD, d, 1), far, 4);
    w.weight[1] = polynomial(c, d, near, 4);
    w.weight[2] = polynomial(c, e, near, 4);
    w.weight[3] = polynomial(c, lc_tf_with(c, LC_OP_ADD, e, 1), far, 4);
    int32_t sum = -1;
    for (int k = 0; k < 4; k++) {
        const int32_t from = lc_tf_with(c, LC_OP_ADD, cell, k - 1),
                      bound = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_MINIMUM, from, last), 0);
        w.index[k] = lc_build_cast(c->b, bound, LC_INT32);
        if (!half) continue;
        const int32_t inside = lc_tf_binary(c, LC_OP_EQUAL, from, bound);
        w.weight[k] = lc_build_select(c->b, inside, w.weight[k], lc_tf_scalar(c, 0, LC_FLOAT32));
        sum = sum < 0 ? w.weight[k] : lc_tf_binary(c, LC_OP_ADD, sum, w.weight[k]);
    }
    for (int k = 0; k < 4 && half; k++) w.weight[k] = lc_tf_binary(c, LC_OP_DIV, w.weight[k], sum);
    return w;
}

static int32_t cubic_along(lc_tf_call *c, int32_t x, int32_t axis, int32_t size, bool align, bool half) {
    const int32_t dims[3] = {-1, 1, 1};
    const cubic_weights w = cubic_at_run_time(c, lc_tf_size(c, x, axis), size, align, half);
    int32_t y = -1;
    for (int k = 0; k < 4; k++) {
        const int32_t cells = lc_tf_gather(c, x, w.index[k], axis, 0), weight = lc_tf_reshape(c, w.weight[k], dims, 4 - axis);
        const int32_t part = lc_tf_binary(c, LC_OP_MUL, cells, weight);
        y = y < 0 ? part : lc_tf_binary(c, LC_OP_ADD, y, part);
    }
    return y;
}

static bool fixed_sizes(lc_tf_call *c) {
    const lc_shape s = lc_tf_rank_of(c, lc_tf_in(c, 0), 4);
    int64_t size[2];
    uint32_t n;
    return lc_tf_ok(c) && s.dims[1] >= 0 && s.dims[2] >= 0 && lc_tf_ints(c, lc_tf_in(c, 1), size, 2, &n);
}

void lc_tf_op_resize_bicubic(lc_tf_call *c) {
    const bool align = lc_tf_attr_bool(c, "align_corners", false), half = lc_tf_attr_bool(c, "half_pixel_centers", false);
    resampling h, w;
    if (!fixed_sizes(c)) {
        const int32_t x = float_image(c), size = size_of(c);
        int32_t side[2];
        if (!lc_tf_ok(c) || !lc_tf_split(c, size, 0, 2, side)) return;
        const int32_t y = cubic_along(c, x, 1, side[0], align, half);
        lc_tf_give(c, 0, cubic_along(c, y, 2, side[1], align, half));
        return;
    }
    if (!sizes(c, &h, &w)) return;
    cubic(&h, align, half);
    cubic(&w, align, half);
    lc_tf_give(c, 0, apply(c, float_image(c), &h, &w));
}

/* ---- area -------------------------------------------------------------------------------------------------------------------- */

static void area(resampling *r, bool align_corners) {
    const float scale = step_of(r, align_corners);
    for (int32_t i = 0; i < r->out; i++) {
        const float from = (float)i * scale, to = ((float)i + 1) * scale;
        for (int64_t k = (int64_t)floorf(from); k < (int64_t)ceilf(to); k++) {
            const float start = (float)k > from ? (float)k : from, end = (float)k + 1 < to ? (float)k + 1 : to;
            add(r, i, k, (end - start) / scale);
        }
    }
}

void lc_tf_op_resize_area(lc_tf_call *c) {
    const bool align = lc_tf_attr_bool(c, "align_corners", false);
    resampling h, w;
    if (!sizes(c, &h, &w)) return;
    area(&h, align);
    area(&w, align);
    lc_tf_give(c, 0, apply(c, float_image(c), &h, &w));
}

/* ---- scale and translate -------------------------------------------------------------------------------------------------------- */

#define PI 3.14159265358979323846f

static float lanczos(float x, float radius) {
    if (x > radius) return 0;
    if (x <= 1e-3f) return 1;
    return radius * sinf(PI * x) * sinf(PI * x / radius) / (PI * PI * x * x);
}
static float kernel_lanczos1(float x) { return lanczos(x, 1); }
static float kernel_lanczos3(float x) { return lanczos(x, 3); }
static float kernel_lanczos5(float x) { return lanczos(x, 5); }
static float kernel_gaussian(float x) { return x >= 1.5f ? 0 : expf(-x * x / (2 * 0.5f * 0.5f)); } /* sigma: a third of the radius */
static float kernel_box(float x) { return x < 0.5f ? 1 : x == 0.5f ? 0.5f : 0; }
static float kernel_triangle(float x) { return x < 1 ? 1 - x : 0; }
static float kernel_keyscubic(float x) {
    if (x >= 2) return 0;
    if (x >= 1) return ((-0.5f * x + 2.5f) * x - 4) * x + 2;
    return ((1.5f * x - 2.5f) * x) * x + 1;
}
static float kernel_mitchellcubic(float x) {
    if (x >= 2) return 0;
    if (x >= 1) return (((-7.0f / 18) * x + 2) * x - 10.0f / 3) * x + 16.0f / 9;
    return (((7.0f / 6) * x - 2) * x) * x + 8.0f / 9;
}

static const struct kernel {
    const char *name;
    float (*at)(float x);
    float radius;
} kernels[] = {{"lanczos1", kernel_lanczos1, 1},
               {"lanczos3", kernel_lanczos3, 3},
               {"lanczos5", kernel_lanczos5, 5},
               {"gaussian", kernel_gaussian, 1.5f},
               {"box", kernel_box, 1},
               {"triangle", kernel_triangle, 1},
               {"keyscubic", kernel_keyscubic, 2},
               {"mitchellcubic", kernel_mitchellcubic, 2}};

static void scale_dim(resampling *r, const struct kernel *k, float scale, float translation, bool antialias) {
    const float inverse = 1.0f / scale, shift = -inverse * translation, wide = antialias && inverse > 1 ? inverse : 1;
    for (int32_t i = 0; i < r->out; i++) {
        const float at = ((float)i + 0.5f) * inverse + shift;
        if (!(at >= 0 && at <= (float)r->in)) continue; /* outside: zeros */
        float from = ceilf(at - k->radius * wide - 0.5f), to = floorf(at + k->radius * wide - 0.5f), sum = 0;
        from = fminf(fmaxf(from, 0), (float)(r->in - 1));
        to = fminf(fmaxf(to, 0), (float)(r->in - 1));
        for (int32_t s = (int32_t)from; s <= (int32_t)to; s++) sum += k->at(fabsf(((float)s + 0.5f - at) / wide));
        const float norm = fabsf(sum) >= 1000 * FLT_MIN ? 1 / sum : 0;
        for (int32_t s = (int32_t)from; norm != 0 && s <= (int32_t)to; s++)
            add(r, i, s, k->at(fabsf(((float)s + 0.5f - at) / wide)) * norm);
    }
}

void lc_tf_op_scale_and_translate(lc_tf_call *c) {
    const lc_str name = lc_tf_attr_str(c, "kernel_type", "lanczos3");
    const bool antialias = lc_tf_attr_bool(c, "antialias", true);
    const struct kernel *k = NULL;
    float scale[2], translation[2];
    uint32_t n = 0, m = 0;
    resampling h, w;
    for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++)
        if (lc_str_is(name, kernels[i].name)) k = &kernels[i];
    if (!lc_tf_ok(c)) return;
    if (!k) {
        lc_tf_missing(c, "its kernel_type is none that litec knows");
        return;
    }
    const int32_t by = lc_tf_in(c, 2), move = lc_tf_in(c, 3);
    if (!lc_tf_floats(c, by, scale, 2, &n) || !lc_tf_floats(c, move, translation, 2, &m) || n != 2 || m != 2) {
        if (lc_tf_ok(c)) lc_tf_missing(c, "its scale and translation are not constants of 2 numbers");
        return;
    }
    if (!(scale[0] > 0 && scale[1] > 0 && isfinite(translation[0]) && isfinite(translation[1]))) {
        lc_tf_fail(c, LC_INVALID, "its scale is %g, %g", (double)scale[0], (double)scale[1]);
        return;
    }
    if (!sizes(c, &h, &w)) return;
    scale_dim(&h, k, scale[0], translation[0], antialias);
    scale_dim(&w, k, scale[1], translation[1], antialias);
    lc_tf_give(c, 0, apply(c, float_image(c), &h, &w));
}
