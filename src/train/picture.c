/*
 * picture.c: transformations of pictures, [height, width, channels] or [height, width].
 *
 * What only moves pixels (crop, flip) keeps their type, whatever it is; what mixes them gives float32. Turning, moving and zooming are one
 * thing: each pixel of the result is looked up where a linear map of its place says, between the four pixels around. The maps are those of
 * Keras: they fix the centre, and turn counter-clockwise.
 */
#include "train/transform.h"

#include <math.h>
#include <string.h>

typedef struct shape {
    int32_t rank, height, width, channels;
    size_t pixel; /* bytes */
} shape;

static lc_status picture_shape(const lc_prepared *p, const lc_array *a, shape *s, lc_error *err) {
    *s = (shape){0};
    const bool plain = a->rank == 2, deep = a->rank == 3;
    if ((!plain && !deep) || a->dims[0] < 1 || a->dims[1] < 1 || (deep && a->dims[2] < 1))
        return lc_transform_misfit(p, a, "it is for pictures [height, width, channels] or [height, width]", err);
    *s = (shape){a->rank, a->dims[0], a->dims[1], deep ? a->dims[2] : 1, 0};
    s->pixel = lc_dtype_bits(a->type) / 8 * (size_t)s->channels;
    return LC_OK;
}

/* The part becomes a picture of this size, with the channels it has. */
static void *make(lc_sample *s, uint32_t part, lc_dtype type, const shape *like, int32_t height, int32_t width) {
    return lc_sample_set(s, part, type, (int32_t[]){height, width, like->channels}, like->rank);
}

/* ---- moved ------------------------------------------------------------------------------------------------------------ */

lc_status lc_picture_crop(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    const int32_t h = p->how.height, w = p->how.width;
    shape in;
    LC_TRY(picture_shape(p, &a, &in, err));
    if (in.height < h || in.width < w) {
        char text[120];
        snprintf(text, sizeof text, "it is smaller than %d x %d: scale it first, or cut out less", (int)h, (int)w);
        return lc_transform_misfit(p, &a, text, err);
    }
    size_t top = (size_t)(in.height - h) / 2, left = (size_t)(in.width - w) / 2;
    if (p->how.op == LC_TRANSFORM_CROP) {
        top = (size_t)lc_dice_below(&s->dice, (uint64_t)(in.height - h) + 1);
        left = (size_t)lc_dice_below(&s->dice, (uint64_t)(in.width - w) + 1);
    }
    uint8_t *out = make(s, p->part, a.type, &in, h, w);
    if (!out) return lc_fail_memory(err, "transformation");
    const size_t row = (size_t)w * in.pixel;
    for (size_t y = 0; y < (size_t)h; y++)
        memcpy(out + y * row, (const uint8_t *)a.data + ((top + y) * (size_t)in.width + left) * in.pixel, row);
    return LC_OK;
}

lc_status lc_picture_flip(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    shape in;
    LC_TRY(picture_shape(p, &a, &in, err));
    const bool neither = !p->how.horizontal && !p->how.vertical;
    const bool across = (lc_dice_word(&s->dice) & 1) && (p->how.horizontal || neither);
    const bool down = (lc_dice_word(&s->dice) & 1) && p->how.vertical;
    if (!across && !down) return LC_OK;
    uint8_t *out = make(s, p->part, a.type, &in, in.height, in.width);
    if (!out) return lc_fail_memory(err, "transformation");
    const size_t width = (size_t)in.width, row = width * in.pixel;
    for (int32_t y = 0; y < in.height; y++, out += row) {
        const uint8_t *from = (const uint8_t *)a.data + (size_t)(down ? in.height - 1 - y : y) * row;
        if (!across) memcpy(out, from, row);
        for (size_t x = 0; x < width && across; x++) memcpy(out + x * in.pixel, from + (width - 1 - x) * in.pixel, in.pixel);
    }
    return LC_OK;
}

/* ---- mixed ------------------------------------------------------------------------------------------------------------ */

/* The two pixels around a place along one side and how much of the second. */
typedef struct between {
    int32_t a, b;
    float part;
} between;

static between around(int32_t i, int32_t to, int32_t from) {
    const float place = ((float)i + 0.5f) * ((float)from / (float)to) - 0.5f, low = floorf(place);
    const int32_t a = low < 0 ? 0 : (int32_t)low, b = (int32_t)low + 1;
    return (between){a > from - 1 ? from - 1 : a, b > from - 1 ? from - 1 : b, place - low};
}

lc_status lc_picture_resize(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    const int32_t h = p->how.height, w = p->how.width;
    shape in;
    lc_status status;
    LC_TRY(picture_shape(p, &a, &in, err));
    const float *x = lc_sample_floats(p, s, &status, err);
    if (!x) return status;
    float *out = make(s, p->part, LC_FLOAT32, &in, h, w);
    if (!out) return lc_fail_memory(err, "transformation");
    const size_t channels = (size_t)in.channels, row = (size_t)in.width * channels;
    for (int32_t i = 0; i < h; i++) {
        const between v = around(i, h, in.height);
        const float *top = x + (size_t)v.a * row, *bottom = x + (size_t)v.b * row;
        for (int32_t k = 0; k < w; k++) {
            const between u = around(k, w, in.width);
            const size_t left = (size_t)u.a * channels, right = (size_t)u.b * channels;
            for (size_t c = 0; c < channels; c++) {
                const float above = top[left + c] + (top[right + c] - top[left + c]) * u.part;
                const float below = bottom[left + c] + (bottom[right + c] - bottom[left + c]) * u.part;
                *out++ = above + (below - above) * v.part;
            }
        }
    }
    return LC_OK;
}

/* Which pixel stands at i of a side of n; -1: none. */
static int64_t beyond(double place, int32_t n, lc_fill fill) {
    if (place >= 0 && place < n) return (int64_t)place;
    if (fill == LC_FILL_CONSTANT) return -1;
    if (fill == LC_FILL_NEAREST) return place < 0 ? 0 : n - 1;
    const int64_t period = fill == LC_FILL_WRAP ? n : (int64_t)n * 2;
    int64_t i = (int64_t)fmod(place, (double)period);
    if (i < 0) i += period;
    return i < n ? i : period - 1 - i;
}

/* Where a pixel of the result (x, y) is taken from: (x * of[0] + y * of[1] + of[2], x * of[3] + y * of[4] + of[5]). */
typedef struct lookup {
    double of[6];
} lookup;

/* A linear map that fixes the centre of the picture. */
static lookup about_centre(const shape *in, double xx, double xy, double yx, double yy) {
    const double cx = (in->width - 1) / 2.0, cy = (in->height - 1) / 2.0;
    return (lookup){{xx, xy, cx - xx * cx - xy * cy, yx, yy, cy - yx * cx - yy * cy}};
}

static lookup draw(const lc_prepared *p, const shape *in, lc_dice *dice) {
    if (p->how.op == LC_TRANSFORM_ROTATE) {
        const double angle = lc_dice_between(dice, p->how.degrees) * (3.14159265358979323846 / 180);
        return about_centre(in, cos(angle), -sin(angle), sin(angle), cos(angle));
    }
    if (p->how.op == LC_TRANSFORM_ZOOM) {
        const double zoom = 1 + lc_dice_between(dice, p->how.amount);
        return about_centre(in, zoom, 0, 0, zoom);
    }
    const double up = lc_dice_between(dice, p->how.up) * in->height, across = lc_dice_between(dice, p->how.across) * in->width;
    return (lookup){{1, 0, -across, 0, 1, -up}};
}

lc_status lc_picture_warp(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    shape in;
    lc_status status;
    LC_TRY(picture_shape(p, &a, &in, err));
    const lookup l = draw(p, &in, &s->dice);
    const float *from = lc_sample_floats(p, s, &status, err);
    if (!from) return status;
    float *out = make(s, p->part, LC_FLOAT32, &in, in.height, in.width);
    if (!out) return lc_fail_memory(err, "transformation");
    const float fill = (float)p->how.fill_value;
    for (int32_t i = 0; i < in.height; i++)
        for (int32_t k = 0; k < in.width; k++) {
            const double x = k * l.of[0] + i * l.of[1] + l.of[2], y = k * l.of[3] + i * l.of[4] + l.of[5];
            const double left = floor(x), top = floor(y);
            const float u = (float)(x - left), v = (float)(y - top);
            const int64_t columns[2] = {beyond(left, in.width, p->how.fill), beyond(left + 1, in.width, p->how.fill)};
            const int64_t rows[2] = {beyond(top, in.height, p->how.fill), beyond(top + 1, in.height, p->how.fill)};
            for (int32_t c = 0; c < in.channels; c++) {
                float at[4];
                for (int n = 0; n < 4; n++) {
                    const int64_t row = rows[n / 2], column = columns[n % 2];
                    at[n] = row < 0 || column < 0 ? fill : from[(row * in.width + column) * in.channels + c];
                }
                const float above = at[0] + (at[1] - at[0]) * u, below = at[2] + (at[3] - at[2]) * u;
                *out++ = above + (below - above) * v;
            }
        }
    return LC_OK;
}
