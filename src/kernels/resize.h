/*
 * resize.h: where an output pixel of RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR looks, for floats; the kernel and its gradient share it.
 *
 * Output pixel i looks at input position i * scale with scale = in / out, or (in - 1) / (out - 1) with align_corners; with
 * half_pixel_centers at (i + 0.5) * scale - 0.5 (nearest: without the -0.5). Positions are computed in float, as TensorFlow does: a double
 * would choose another neighbour here and there.
 */
#ifndef LC_KERNELS_RESIZE_H
#define LC_KERNELS_RESIZE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

static inline float lc_resize_scale(int32_t in, int32_t out, bool align) {
    return align && out > 1 ? (float)(in - 1) / (float)(out - 1) : (float)in / (float)out;
}

/* Between two input cells, `part` of the way. */
typedef struct lc_resize_spot {
    int64_t low, high;
    float part;
} lc_resize_spot;

static inline lc_resize_spot lc_resize_between(int64_t i, float scale, bool half, int32_t size) {
    const float at = half ? ((float)i + 0.5f) * scale - 0.5f : (float)i * scale, low = floorf(at), high = ceilf(at);
    lc_resize_spot s = {low < 0 ? 0 : (int64_t)low, high > (float)(size - 1) ? size - 1 : (int64_t)high, 0};
    if (s.low > size - 1) s.low = size - 1;
    if (s.high < 0) s.high = 0;
    s.part = at - (float)s.low;
    return s;
}

static inline int64_t lc_resize_nearest(int64_t i, float scale, bool align, bool half, int32_t size) {
    const float at = ((float)i + (half ? 0.5f : 0)) * scale;
    const int64_t k = align ? (int64_t)roundf(at) : (int64_t)floorf(at);
    return k > size - 1 ? size - 1 : k < 0 ? 0 : k;
}

/* What output cell i is made of by either operator. */
static inline lc_resize_spot lc_resize_cells(bool nearest, int64_t i, float scale, bool align, bool half, int32_t size) {
    if (!nearest) return lc_resize_between(i, scale, half, size);
    const int64_t k = lc_resize_nearest(i, scale, align, half, size);
    return (lc_resize_spot){k, k, 0};
}

#endif
