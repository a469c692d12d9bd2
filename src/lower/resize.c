/*
 * resize.c: tf.image.resize by the name of its method, for the layer Resizing and the operations that resize: TensorFlow's own operator of
 * that name where it does not antialias, else ScaleAndTranslate with the method's kernel.
 */
#include "lower/image.h"

#include <string.h>

static const lc_resize_way ways[] = {{"bilinear", "ResizeBilinear", "triangle", false},
                                     {"nearest", "ResizeNearestNeighbor", NULL, false},
                                     {"bicubic", "ResizeBicubic", "keyscubic", false},
                                     {"area", "ResizeArea", NULL, false},
                                     {"lanczos3", NULL, "lanczos3", false},
                                     {"lanczos5", NULL, "lanczos5", false},
                                     {"gaussian", NULL, "gaussian", false},
                                     {"mitchellcubic", NULL, "mitchellcubic", false},
                                     {"cubic", NULL, "keyscubic", true},
                                     {"linear", NULL, "triangle", true}};

const lc_resize_way *lc_resize_way_of(const char *name) {
    for (size_t i = 0; name && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, name) == 0) return &ways[i];
    return NULL;
}

static int32_t by_kernel(lc_tf_call *m, const lc_resize_way *way, int32_t x, int32_t size, bool antialias) {
    const int32_t dims[2] = {lc_tf_dim(m, x, 1), lc_tf_dim(m, x, 2)};
    const int32_t old = lc_build_cast(m->b, lc_tf_pack(m, dims, 2, 0), LC_FLOAT32);
    const int32_t scale = lc_tf_binary(m, LC_OP_DIV, lc_build_cast(m->b, size, LC_FLOAT32), old);
    const float none[2] = {0, 0};
    lc_eager *e = lc_eager_make(m, "ScaleAndTranslate");
    lc_eager_in(e, x);
    lc_eager_in(e, size);
    lc_eager_in(e, scale);
    lc_eager_in(e, lc_build_floats(m->b, "translation", none, 2));
    lc_eager_str(e, "kernel_type", way->kernel);
    lc_eager_bool(e, "antialias", antialias);
    return lc_eager_run(e);
}

int32_t lc_resize(lc_tf_call *m, const lc_resize_way *way, int32_t x, int32_t size, bool antialias) {
    if (!way->op || (antialias && way->kernel)) return by_kernel(m, way, x, size, antialias);
    lc_eager *e = lc_eager_make(m, way->op);
    lc_eager_in(e, x);
    lc_eager_in(e, size);
    if (strcmp(way->op, "ResizeArea") != 0) lc_eager_bool(e, "half_pixel_centers", true);
    return lc_eager_run(e);
}
