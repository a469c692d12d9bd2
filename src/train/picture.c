/*
 * picture.c: transformations of pictures, [height, width, channels] or [height, width].
 *
 * What only moves pixels (crop, flip) keeps their type, whatever it is; what mixes them gives float32. Turning, moving and zooming are one
 * thing (grad/warp.h). The maps are those of Keras: they fix the centre, and turn counter-clockwise.
 */
#include "grad/warp.h"
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

_Static_assert((int)LC_FILL_REFLECT == (int)LC_WARP_REFLECT && (int)LC_FILL_NEAREST == (int)LC_WARP_NEAREST &&
                   (int)LC_FILL_WRAP == (int)LC_WARP_WRAP && (int)LC_FILL_CONSTANT == (int)LC_WARP_CONSTANT,
               "the two lists are one");

static lc_warp_map draw(const lc_prepared *p, const shape *in, lc_dice *dice) {
    if (p->how.op == LC_TRANSFORM_ROTATE)
        return lc_warp_turn(in->height, in->width, lc_dice_between(dice, p->how.degrees) * (3.14159265358979323846 / 180));
    if (p->how.op == LC_TRANSFORM_ZOOM) {
        const double zoom = 1 + lc_dice_between(dice, p->how.amount);
        return lc_warp_about_centre(in->height, in->width, zoom, 0, 0, zoom);
    }
    const double up = lc_dice_between(dice, p->how.up) * in->height, across = lc_dice_between(dice, p->how.across) * in->width;
    return lc_warp_move(up, across);
}

lc_status lc_picture_warp(const lc_prepared *p, lc_sample *s, lc_error *err) {
    const lc_array a = lc_sample_get(s, p->part);
    shape in;
    lc_status status;
    LC_TRY(picture_shape(p, &a, &in, err));
    const lc_warp_map map = draw(p, &in, &s->dice);
    const float *from = lc_sample_floats(p, s, &status, err);
    if (!from) return status;
    float *out = make(s, p->part, LC_FLOAT32, &in, in.height, in.width);
    if (!out) return lc_fail_memory(err, "transformation");
    const lc_warp_picture picture = {from, in.height, in.width, in.channels, (lc_warp_fill)p->how.fill, (float)p->how.fill_value};
    for (int32_t i = 0; i < in.height; i++)
        for (int32_t k = 0; k < in.width; k++, out += in.channels) lc_warp_pixel(&picture, &map, i, k, false, out);
    return LC_OK;
}
