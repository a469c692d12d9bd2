/*
 * tf_image.c: patches and crops of images, and their geometry.
 *
 *   ExtractImagePatches        one STRIDED_SLICE a cell of the window (tf_window.c), side by side in the channels; SPACE_TO_DEPTH when the
 *                              windows tile the image
 *   CropAndResize              boxes are sampled on a grid: rows and columns are worked out apart, cells are taken with GATHER from the
 *                              image as a list of pixels, and mixed
 *   ImageProjectiveTransform   each cell of the result asks the image at (a x + b y + c) / (g x + h y + 1)
 *
 * A cell outside an image is never gathered: indices are clamped first and the result is chosen after.
 */
#include "lower/tf_nn.h"

#include <math.h>
#include <string.h>

static int32_t add(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_ADD, x, y); }
static int32_t sub(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_SUB, x, y); }
static int32_t mul(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_MUL, x, y); }

/* ---- patches --------------------------------------------------------------------------------------------------------- */

#define MOVED (LC_TF_T(FLOAT32) | LC_TF_T(UINT8) | LC_TF_T(INT8) | LC_TF_T(INT32) | LC_TF_T(INT64))

static void patches(lc_tf_call *c, int32_t spatial, const char *dilations) {
    lc_tf_window w;
    const int32_t input = lc_tf_in(c, 0);
    if (!lc_tf_window_read(c, &w, spatial, "ksizes", dilations)) return;
    const lc_shape s = lc_tf_rank_of(c, input, spatial + 2);
    int32_t x = lc_tf_movable(c, input, MOVED), parts[4096];
    if (x < 0 || !lc_tf_ok(c)) return;
    bool tiles = spatial == 2 && w.size[0] == w.size[1] && w.size[0] <= 32768;
    for (int32_t i = 0; i < spatial; i++)
        tiles = tiles && w.stride[i] == w.size[i] && w.dilation[i] == 1 && s.dims[i + 1] > 0 && s.dims[i + 1] % w.size[i] == 0;
    if (tiles) {
        const lc_SpaceToDepthOptions o = {.block_size = w.size[0]};
        lc_tf_give(c, 0,
                   lc_tf_moved(c, lc_build_op(c->b, LC_OP_SPACE_TO_DEPTH, LC_TABLE_SpaceToDepthOptions, &o, &x, 1), lc_tf_type(c, input)));
        return;
    }
    const uint32_t taps = lc_tf_taps(c, &w, 4096);
    if (!lc_tf_window_explicit(c, &w, x)) return;
    x = lc_tf_pad_spatial(c, x, &w, 0);
    for (uint32_t k = 0; k < taps; k++) {
        int32_t tap[LC_TF_SPATIAL];
        lc_tf_tap_at(&w, k, tap);
        parts[k] = lc_tf_tap(c, x, &w, tap);
    }
    if (taps) lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_concat(c, parts, taps, spatial + 1), lc_tf_type(c, input)));
}

void lc_tf_op_extract_patches(lc_tf_call *c) { patches(c, 2, "rates"); }
void lc_tf_op_extract_volumes(lc_tf_call *c) { patches(c, 3, NULL); }

/* ---- pixels --------------------------------------------------------------------------------------------------------------- */

/* An image as a list of pixels [b h w, channels]. Sizes are int32 vectors of one element and floats of the same. */
typedef struct pixels {
    int32_t list, height, width, last_row, last_column; /* the last two: float32, height - 1 and width - 1 */
} pixels;

static pixels list_pixels(lc_tf_call *c, int32_t x) {
    pixels p = {.list = lc_tf_merge_dims(c, x, 0, 3), .height = lc_tf_size(c, x, 1), .width = lc_tf_size(c, x, 2)};
    p.last_row = lc_tf_with(c, LC_OP_SUB, lc_build_cast(c->b, p.height, LC_FLOAT32), 1);
    p.last_column = lc_tf_with(c, LC_OP_SUB, lc_build_cast(c->b, p.width, LC_FLOAT32), 1);
    return p;
}

/* Whole coordinates as float32, brought into [0, last], as int32. */
static int32_t index_in(lc_tf_call *c, int32_t at, int32_t last) {
    at = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_MINIMUM, at, last), 0);
    return lc_build_cast(c->b, at, LC_INT32);
}

/* 0 <= at <= last */
static int32_t inside(lc_tf_call *c, int32_t at, int32_t last) {
    const int32_t low = lc_tf_with(c, LC_OP_GREATER_EQUAL, at, 0), high = lc_tf_binary(c, LC_OP_LESS_EQUAL, at, last);
    return lc_tf_binary(c, LC_OP_LOGICAL_AND, low, high);
}

/* image: first pixel of each image; rows and columns broadcast to the shape wanted. */
static int32_t take(lc_tf_call *c, const pixels *p, int32_t image, int32_t rows, int32_t columns) {
    const int32_t row = add(c, image, mul(c, rows, p->width));
    return lc_tf_gather(c, p->list, add(c, row, columns), 0, 0);
}

/* a + (b - a) t */
static int32_t mix(lc_tf_call *c, int32_t a, int32_t b, int32_t t) { return add(c, a, mul(c, sub(c, b, a), t)); }

/* 0 ... n - 1 as float32 under a shape with one dimension of n. */
static int32_t ramp(lc_tf_call *c, int32_t n, const int32_t *dims, int32_t rank) {
    float *data = lc_build_data(c->b, (size_t)n * sizeof *data);
    for (int32_t i = 0; data && i < n; i++) data[i] = (float)i;
    return lc_build_const(c->b, "grid", LC_FLOAT32, dims, rank, data, (size_t)n * sizeof *data, true);
}

/* Two sizes of at least 1 and not absurd. */
static bool read_size(lc_tf_call *c, int32_t tensor, const char *what, int32_t size[2]) {
    int64_t v[2];
    const uint32_t n = lc_tf_need_ints(c, tensor, what, v, 2);
    if (!lc_tf_ok(c)) return false;
    if (n != 2 || v[0] < 1 || v[1] < 1 || v[0] > 1 << 20 || v[1] > 1 << 20) {
        lc_tf_fail(c, LC_INVALID, "its %s is not two sizes from 1 to 1048576", what);
        return false;
    }
    size[0] = (int32_t)v[0];
    size[1] = (int32_t)v[1];
    return true;
}

/* ---- crops ------------------------------------------------------------------------------------------------------------------ */

/* Where `count` samples lie along one side of the boxes: from low to high [n, 1] times last, or their middle. [n, count] */
static int32_t samples(lc_tf_call *c, int32_t low, int32_t high, int32_t last, int32_t count) {
    if (count == 1) return mul(c, lc_tf_with(c, LC_OP_MUL, add(c, low, high), 0.5), last);
    const int32_t dims[2] = {1, count}, step = lc_tf_with(c, LC_OP_DIV, mul(c, sub(c, high, low), last), count - 1);
    const int32_t along = mul(c, ramp(c, count, dims, 2), step);
    return add(c, mul(c, low, last), along);
}

/* A [n, count] of rows as [n, count, 1] or columns as [n, 1, count], with `more` dimensions of 1 behind. */
static int32_t spread(lc_tf_call *c, int32_t x, int32_t count, bool rows, int32_t more) {
    const int32_t dims[4] = {-1, rows ? count : 1, rows ? 1 : count, 1};
    return lc_tf_reshape(c, x, dims, 3 + more);
}

void lc_tf_op_crop_and_resize(lc_tf_call *c) {
    const int32_t input = lc_tf_in(c, 0), boxes = lc_tf_in(c, 1), owner = lc_tf_in(c, 2);
    const bool nearest = lc_tf_attr_is(c, "method", "bilinear", "nearest");
    const float outside = lc_tf_attr_float(c, "extrapolation_value", 0);
    const int32_t column[3] = {-1, 1, 1};
    int32_t size[2], side[4];
    lc_tf_rank_of(c, input, 4);
    lc_tf_rank_of(c, boxes, 2);
    lc_tf_rank_of(c, owner, 1);
    if (!read_size(c, lc_tf_in(c, 3), "crop_size", size)) return;
    const pixels p = list_pixels(c, lc_build_cast(c->b, input, LC_FLOAT32));
    if (!lc_tf_split(c, boxes, 1, 4, side)) return; /* y1, x1, y2, x2 */
    const int32_t y = samples(c, side[0], side[2], p.last_row, size[0]), x = samples(c, side[1], side[3], p.last_column, size[1]);
    const int32_t valid_y = spread(c, inside(c, y, p.last_row), size[0], true, 1),
                  valid_x = spread(c, inside(c, x, p.last_column), size[1], false, 1);
    const int32_t area = lc_tf_size_op(c, LC_OP_MUL, p.height, p.width);
    const int32_t image = lc_tf_reshape(c, mul(c, owner, area), column, 3);
    int32_t crop;
    if (nearest) {
        const int32_t row = index_in(c, lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, y, 0.5)), p.last_row);
        const int32_t col = index_in(c, lc_tf_unary(c, LC_OP_FLOOR, lc_tf_with(c, LC_OP_ADD, x, 0.5)), p.last_column);
        const int32_t rows = spread(c, row, size[0], true, 0);
        crop = take(c, &p, image, rows, spread(c, col, size[1], false, 0));
    } else {
        const int32_t top = lc_tf_unary(c, LC_OP_FLOOR, y), left = lc_tf_unary(c, LC_OP_FLOOR, x);
        const int32_t ty = spread(c, sub(c, y, top), size[0], true, 1), tx = spread(c, sub(c, x, left), size[1], false, 1);
        const int32_t rows[2] = {spread(c, index_in(c, top, p.last_row), size[0], true, 0),
                                 spread(c, index_in(c, lc_tf_unary(c, LC_OP_CEIL, y), p.last_row), size[0], true, 0)};
        const int32_t cols[2] = {spread(c, index_in(c, left, p.last_column), size[1], false, 0),
                                 spread(c, index_in(c, lc_tf_unary(c, LC_OP_CEIL, x), p.last_column), size[1], false, 0)};
        int32_t edge[2];
        for (int i = 0; i < 2; i++) {
            const int32_t a = take(c, &p, image, rows[i], cols[0]), b = take(c, &p, image, rows[i], cols[1]);
            edge[i] = mix(c, a, b, tx);
        }
        crop = mix(c, edge[0], edge[1], ty);
    }
    const int32_t valid = lc_tf_binary(c, LC_OP_LOGICAL_AND, valid_y, valid_x);
    lc_tf_give(c, 0, lc_build_select(c->b, valid, crop, lc_tf_scalar(c, outside, LC_FLOAT32)));
}

/* ---- projective transforms ------------------------------------------------------------------------------------------------------ */

/* x towards zero, as a whole number in float32. */
static int32_t truncated(lc_tf_call *c, int32_t x) { return lc_build_cast(c->b, lc_build_cast(c->b, x, LC_INT32), LC_FLOAT32); }

static int32_t clamped(lc_tf_call *c, int32_t at, int32_t last) {
    return lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_MINIMUM, at, last), 0);
}

/* [abcd] goes on as [dcba|abcd|dcba]: with u the distance from the left edge along the doubled row, u or 2 n - 1 - u. */
static int32_t reflected(lc_tf_call *c, int32_t at, int32_t last) {
    const int32_t n = lc_tf_with(c, LC_OP_ADD, last, 1), twice = lc_tf_with(c, LC_OP_MUL, n, 2);
    const int32_t turns = truncated(c, lc_tf_binary(c, LC_OP_DIV, at, twice));
    int32_t u = sub(c, at, mul(c, twice, turns)); /* in (-2 n, 2 n), with the sign of at */
    const int32_t below = lc_tf_with(c, LC_OP_LESS, at, 0), flipped = lc_tf_with(c, LC_OP_SUB, lc_tf_unary(c, LC_OP_NEG, u), 1);
    const int32_t far = lc_tf_binary(c, LC_OP_LESS, u, lc_tf_unary(c, LC_OP_NEG, n));
    const int32_t left = lc_build_select(c->b, far, add(c, u, twice), flipped);
    const int32_t over = lc_tf_binary(c, LC_OP_GREATER_EQUAL, u, n);
    const int32_t right = lc_build_select(c->b, over, lc_tf_with(c, LC_OP_SUB, sub(c, twice, u), 1), u);
    u = lc_build_select(c->b, below, left, right);
    return clamped(c, u, last);
}

/* [abcd] goes on as [abcd|abcd|abcd]. */
static int32_t wrapped(lc_tf_call *c, int32_t at, int32_t last) {
    const int32_t n = lc_tf_with(c, LC_OP_ADD, last, 1), gap = lc_tf_with(c, LC_OP_MAXIMUM, last, 1);
    const int32_t turns = truncated(c, lc_tf_binary(c, LC_OP_DIV, at, gap));
    const int32_t left = add(c, at, mul(c, n, lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_NEG, turns), 1)));
    const int32_t right = sub(c, at, mul(c, n, turns));
    const int32_t beyond = lc_build_select(c->b, lc_tf_binary(c, LC_OP_GREATER, at, last), right, at);
    return clamped(c, lc_build_select(c->b, lc_tf_with(c, LC_OP_LESS, at, 0), left, beyond), last);
}

static int32_t filled(lc_tf_call *c, lc_str mode, int32_t at, int32_t last) {
    if (lc_str_is(mode, "REFLECT")) return reflected(c, at, last);
    if (lc_str_is(mode, "WRAP")) return wrapped(c, at, last);
    return lc_str_is(mode, "NEAREST") ? clamped(c, at, last) : at;
}

/* The pixels at whole coordinates y, x [n, h, w]; `fill` outside. */
static int32_t pixel(lc_tf_call *c, const pixels *p, int32_t image, int32_t y, int32_t x, int32_t fill) {
    const int32_t in_y = inside(c, y, p->last_row), in_x = inside(c, x, p->last_column);
    const int32_t valid = lc_tf_expand(c, lc_tf_binary(c, LC_OP_LOGICAL_AND, in_y, in_x), 3);
    const int32_t rows = index_in(c, y, p->last_row), columns = index_in(c, x, p->last_column);
    return lc_build_select(c->b, valid, take(c, p, image, rows, columns), fill);
}

void lc_tf_op_projective_transform(lc_tf_call *c) {
    const int32_t input = lc_tf_in(c, 0), transforms = lc_tf_in(c, 1);
    const lc_str mode = lc_tf_attr_str(c, "fill_mode", "CONSTANT");
    const bool nearest = lc_tf_attr_is(c, "interpolation", "NEAREST", "NEAREST");
    const lc_dtype type = lc_tf_type(c, input);
    int32_t size[2], a[8];
    const lc_shape t = lc_tf_rank_of(c, transforms, 2);
    lc_tf_rank_of(c, input, 4);
    if (!lc_tf_ok(c) || !read_size(c, lc_tf_in(c, 2), "output_shape", size)) return;
    if (t.dims[1] != 8) {
        lc_tf_fail(c, LC_INVALID, "its transforms have %d numbers, need 8", t.dims[1]);
        return;
    }
    if (type == LC_INT64) {
        lc_tf_missing(c, "float32 does not hold its int64 image");
        return;
    }
    const pixels p = list_pixels(c, lc_build_cast(c->b, input, LC_FLOAT32));
    if (!lc_tf_split(c, transforms, 1, 8, a)) return;
    const int32_t one[3] = {-1, 1, 1}, rows[3] = {1, size[0], 1}, columns[3] = {1, 1, size[1]};
    for (int i = 0; i < 8; i++) a[i] = lc_tf_reshape(c, a[i], one, 3);
    const int32_t v = ramp(c, size[0], rows, 3), u = ramp(c, size[1], columns, 3);
    int32_t line[3]; /* numerators of x and y, denominator */
    for (int i = 0; i < 3; i++) {
        const int32_t along = mul(c, a[3 * i], u), both = add(c, along, mul(c, a[3 * i + 1], v));
        line[i] = i < 2 ? add(c, both, a[3 * i + 2]) : lc_tf_with(c, LC_OP_ADD, both, 1);
    }
    const int32_t none = lc_tf_with(c, LC_OP_EQUAL, line[2], 0);
    const int32_t by = lc_build_select(c->b, none, lc_tf_scalar(c, 1, LC_FLOAT32), line[2]);
    const int32_t x = filled(c, mode, lc_tf_binary(c, LC_OP_DIV, line[0], by), p.last_column);
    const int32_t y = filled(c, mode, lc_tf_binary(c, LC_OP_DIV, line[1], by), p.last_row);
    /* the first pixel of each image; one transform may serve all of them */
    const int32_t area = lc_tf_size_op(c, LC_OP_MUL, p.height, p.width);
    const int32_t image = lc_tf_reshape(c, mul(c, lc_tf_range(c, lc_tf_dim(c, input, 0)), area), one, 3);
    const int32_t fill = lc_tf_has(c, 3) ? lc_tf_float32(c, lc_tf_in(c, 3)) : lc_tf_scalar(c, 0, LC_FLOAT32);
    int32_t out;
    if (nearest) { /* half away from zero */
        const int32_t sign_y = lc_tf_with(c, LC_OP_MUL, lc_tf_unary(c, LC_OP_SIGN, y), 0.5), near_y = truncated(c, add(c, y, sign_y));
        const int32_t sign_x = lc_tf_with(c, LC_OP_MUL, lc_tf_unary(c, LC_OP_SIGN, x), 0.5), near_x = truncated(c, add(c, x, sign_x));
        out = pixel(c, &p, image, near_y, near_x, fill);
    } else {
        const int32_t top = lc_tf_unary(c, LC_OP_FLOOR, y), left = lc_tf_unary(c, LC_OP_FLOOR, x);
        const int32_t ty = lc_tf_expand(c, sub(c, y, top), 3), tx = lc_tf_expand(c, sub(c, x, left), 3);
        int32_t edge[2];
        for (int i = 0; i < 2; i++) {
            const int32_t row = i ? lc_tf_with(c, LC_OP_ADD, top, 1) : top;
            const int32_t first = pixel(c, &p, image, row, left, fill),
                          second = pixel(c, &p, image, row, lc_tf_with(c, LC_OP_ADD, left, 1), fill);
            edge[i] = mix(c, first, second, tx);
        }
        out = mix(c, edge[0], edge[1], ty);
    }
    out = lc_build_select(c->b, lc_tf_expand(c, none, 3), fill, out);
    lc_tf_give(c, 0, lc_tf_narrow(c, out, type));
}
