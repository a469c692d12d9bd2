/*
 * warp.h: pictures that are turned, moved and zoomed: each pixel of the result is looked up where a linear map of its place says, between the
 * four pixels around. The layers of a model and the transformations of a pipeline share it.
 */
#ifndef LC_GRAD_WARP_H
#define LC_GRAD_WARP_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* What stands beyond the edge: the picture mirrored, its edge, itself again, one value. */
typedef enum lc_warp_fill { LC_WARP_REFLECT, LC_WARP_NEAREST, LC_WARP_WRAP, LC_WARP_CONSTANT } lc_warp_fill;

typedef struct lc_warp_picture {
    const float *data; /* [height, width, channels] */
    int32_t height, width, channels;
    lc_warp_fill fill;
    float value; /* of LC_WARP_CONSTANT */
} lc_warp_picture;

/* Where a pixel of the result (x, y) is taken from: (x * of[0] + y * of[1] + of[2], x * of[3] + y * of[4] + of[5]). */
typedef struct lc_warp_map {
    double of[6];
} lc_warp_map;

/* A linear map that fixes the centre of the picture. */
static inline lc_warp_map lc_warp_about_centre(int32_t height, int32_t width, double xx, double xy, double yx, double yy) {
    const double cx = (width - 1) / 2.0, cy = (height - 1) / 2.0;
    return (lc_warp_map){{xx, xy, cx - xx * cx - xy * cy, yx, yy, cy - yx * cx - yy * cy}};
}

/* Counter-clockwise, by an angle in radians. */
static inline lc_warp_map lc_warp_turn(int32_t height, int32_t width, double angle) {
    return lc_warp_about_centre(height, width, cos(angle), -sin(angle), sin(angle), cos(angle));
}

static inline lc_warp_map lc_warp_move(double down, double right) { return (lc_warp_map){{1, 0, -right, 0, 1, -down}}; }

/* Which pixel stands at `place` of a side of n; -1: none. */
static inline int64_t lc_warp_beyond(double place, int32_t n, lc_warp_fill fill) {
    if (place >= 0 && place < n) return (int64_t)place;
    if (fill == LC_WARP_CONSTANT) return -1;
    if (fill == LC_WARP_NEAREST) return place < 0 ? 0 : n - 1;
    const int64_t period = fill == LC_WARP_WRAP ? n : (int64_t)n * 2;
    int64_t i = (int64_t)fmod(place, (double)period);
    if (i < 0) i += period;
    return i < n ? i : period - 1 - i;
}

/* The pixel of the result in column k of row i. */
static inline void lc_warp_pixel(const lc_warp_picture *p, const lc_warp_map *m, int32_t i, int32_t k, bool nearest, float *out) {
    double x = k * m->of[0] + i * m->of[1] + m->of[2], y = k * m->of[3] + i * m->of[4] + m->of[5];
    if (nearest) x = round(x), y = round(y);
    const double left = floor(x), top = floor(y);
    const float u = (float)(x - left), v = (float)(y - top);
    const int64_t columns[2] = {lc_warp_beyond(left, p->width, p->fill), lc_warp_beyond(left + 1, p->width, p->fill)};
    const int64_t rows[2] = {lc_warp_beyond(top, p->height, p->fill), lc_warp_beyond(top + 1, p->height, p->fill)};
    for (int32_t c = 0; c < p->channels; c++) {
        float at[4];
        for (int n = 0; n < 4; n++) {
            const int64_t row = rows[n / 2], column = columns[n % 2];
            at[n] = row < 0 || column < 0 ? p->value : p->data[(row * p->width + column) * p->channels + c];
        }
        const float above = at[0] + (at[1] - at[0]) * u, below = at[2] + (at[3] - at[2]) * u;
        out[c] = above + (below - above) * v;
    }
}

#endif
