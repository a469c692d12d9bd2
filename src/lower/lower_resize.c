/*
 * Upsampling. Of an image nearest and bilinear are TFLite's operators (with half pixel centers, as tf.image.resize has them: whole factors
 * have no ties there); other interpolations are TensorFlow's operators, lowered to products with matrices (tf_resize.c). Rows and volumes
 * repeat each cell. Open sizes stay open.
 */
#include "lower/image.h"

#include <string.h>

/* The image's height and width times the factors: an int32 vector of two. */
static int32_t new_size(lc_call *c, int32_t x, const int32_t *factor) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    for (int i = 0; i < 2; i++)
        if (s.dims[i + 1] >= 0 && (int64_t)s.dims[i + 1] * factor[i] > INT32_MAX)
            return lc_opt_fail(c, "size", "makes its output too large");
    return lc_tf_size_op(m, LC_OP_MUL, lc_tf_sizes(m, x, 1, 3), lc_build_ints(c->b, "factors", factor, 2));
}

static int32_t nearest(lc_call *c, int32_t x, const int32_t *factor) {
    if (factor[0] == 1 && factor[1] == 1) return x;
    const int32_t in[2] = {x, new_size(c, x, factor)};
    const lc_ResizeNearestNeighborOptions o = {.half_pixel_centers = true};
    return lc_build_op(c->b, LC_OP_RESIZE_NEAREST_NEIGHBOR, LC_TABLE_ResizeNearestNeighborOptions, &o, in, 2);
}

/* By one of TensorFlow's operators; kernel: of ScaleAndTranslate. */
static int32_t resize_by(lc_call *c, const char *op, const char *kernel, int32_t x, const int32_t *factor) {
    lc_eager *e = lc_eager_op(c, op);
    lc_eager_in(e, x);
    lc_eager_in(e, new_size(c, x, factor));
    if (kernel) {
        const float scale[2] = {(float)factor[0], (float)factor[1]}, none[2] = {0, 0};
        lc_eager_in(e, lc_build_floats(c->b, "scale", scale, 2));
        lc_eager_in(e, lc_build_floats(c->b, "translation", none, 2));
        lc_eager_str(e, "kernel_type", kernel);
        lc_eager_bool(e, "antialias", false);
    } else if (strcmp(op, "ResizeBicubic") == 0) lc_eager_bool(e, "half_pixel_centers", true);
    return lc_eager_run(e);
}

int32_t lc_lower_up_sampling2d(lc_call *c) {
    static const char *const ways[] = {"nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic", NULL};
    int32_t factor[2];
    const bool first = lc_opt_channels_first(c);
    const int32_t way = lc_opt_choice(c, "interpolation", ways);
    lc_shape s;
    lc_opt_sizes(c, "size", 1, 2, factor, 2);
    int32_t x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, &s), first);
    if (c->b->status != LC_OK) return -1;
    if (way == 0) {
        x = nearest(c, x, factor);
    } else if (way == 1) {
        const int32_t in[2] = {x, new_size(c, x, factor)};
        const lc_ResizeBilinearOptions o = {.half_pixel_centers = true};
        x = lc_build_op(c->b, LC_OP_RESIZE_BILINEAR, LC_TABLE_ResizeBilinearOptions, &o, in, 2);
    } else if (way == 2) x = resize_by(c, "ResizeBicubic", NULL, x, factor);
    else if (way == 3) x = resize_by(c, "ResizeArea", NULL, x, factor);
    else x = resize_by(c, "ScaleAndTranslate", ways[way], x, factor);
    return lc_call_channels_back(c, x, first);
}

#define CELLS_MOST (1 << 24) /* of a table of indices */

/* Each cell along a dimension `factor` times: gathered where the size is known, else repeated along a new dimension behind it. */
static int32_t repeat(lc_call *c, int32_t x, int32_t axis, int32_t factor) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    int32_t by[LC_MAX_RANK + 1], size;
    if (factor == 1 || !lc_call_shape(c, x, &s)) return x;
    if (s.dims[axis] >= 0 && !lc_mul_i32(s.dims[axis], factor, &size)) return lc_opt_fail(c, "size", "makes its output too large");
    if (s.dims[axis] >= 0 && size <= CELLS_MOST) {
        int32_t *cells = lc_tf_table_data(m, (uint64_t)size, sizeof *cells);
        for (int32_t i = 0; cells && i < size; i++) cells[i] = i / factor;
        if (!cells) return -1;
        return lc_tf_gather(m, x, lc_build_const(c->b, "cells", LC_INT32, &size, 1, cells, (size_t)size * sizeof *cells, true), axis, 0);
    }
    for (int32_t i = 0; i <= s.rank; i++) by[i] = i == axis + 1 ? factor : 1;
    const int32_t in[2] = {lc_tf_expand(m, x, axis + 1), lc_build_ints(c->b, "times", by, (uint32_t)s.rank + 1)};
    by[axis] = factor;
    by[axis + 1] = 1;
    const int32_t shape = lc_tf_size_op(m, LC_OP_MUL, lc_tf_shape_tensor(m, x), lc_build_ints(c->b, "factors", by, (uint32_t)s.rank));
    return lc_tf_reshape_like(m, lc_build_op(c->b, LC_OP_TILE, LC_TABLE_TileOptions, NULL, in, 2), shape);
}

int32_t lc_lower_up_sampling1d(lc_call *c) {
    lc_shape s;
    const int32_t factor = lc_opt_int(c, "size", 1, INT32_MAX, 2), x = lc_call_ranked(c, 0, 3, &s);
    return c->b->status == LC_OK ? repeat(c, x, 1, factor) : -1;
}

int32_t lc_lower_up_sampling3d(lc_call *c) {
    int32_t factor[3];
    const int32_t first = lc_opt_channels_first(c) ? 2 : 1;
    lc_shape s;
    lc_opt_sizes(c, "size", 1, 2, factor, 3);
    int32_t x = lc_call_ranked(c, 0, 5, &s);
    for (int32_t i = 0; i < 3 && c->b->status == LC_OK; i++) x = repeat(c, x, first + i, factor[i]);
    return x;
}
