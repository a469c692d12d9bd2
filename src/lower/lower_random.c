/*
 * lower_random.c: layers that change pictures by chance, in training only: each picture of a batch in its own way.
 *
 *   RandomFlip            mirrored with probability 1/2         RandomBrightness   a number added, cut to value_range
 *   RandomContrast        pulled from or to its mean, cut       RandomCrop         the same place in all pictures of a batch
 *   RandomRotation, RandomTranslation, RandomZoom               WARP (grad/own.h)
 *
 * The other kinds do nothing in inference, and are refused in a step of training, where doing nothing would be another training than was asked for.
 *
 * Facts: keras/src/layers/preprocessing/image_preprocessing.
 */
#include "lower/image.h"
#include "lower/training.h"

#include "grad/own.h"
#include <math.h>
#include <string.h>

/* Augmentation of images passes them on in inference, as the floats Keras makes of them. */
int32_t lc_lower_random_image(lc_call *c) {
    if (!lc_call_inference(c) || lc_training_refused(c, "litec has its random change of pictures for inference only")) return -1;
    return lc_call_float(c, 0);
}

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }

/* The pictures of a training, channels last; false: the layer does nothing here (*x as it is), or failed. */
static bool pictures(lc_call *c, int32_t *x, lc_shape *s, bool *first) {
    *first = false;
    *x = -1;
    if (!lc_training_now(c)) {
        if (lc_call_inference(c)) *x = lc_call_float(c, 0);
        return false;
    }
    *first = lc_opt_channels_first(c);
    *x = lc_call_channels_last(c, lc_call_ranked(c, 0, 4, s), *first);
    return lc_call_shape(c, *x, s);
}

/* A number f as [-f, f] or, where it is a list, its two numbers; false: failed. */
static bool factor(lc_call *c, const char *key, float *low, float *high) {
    const double *v = NULL;
    const uint32_t n = lc_opt_floats(c, key, &v);
    if (c->b->status != LC_OK) return false;
    if (n != 1 && n != 2) return lc_opt_fail(c, key, "needs a number, or two") > 0;
    *low = (float)(n == 2 ? fmin(v[0], v[1]) : -fabs(v[0]));
    *high = (float)(n == 2 ? fmax(v[0], v[1]) : fabs(v[0]));
    return true;
}

/* One number for each picture, between low and high: [batch, 1, 1, 1]. */
static int32_t one_each(lc_call *c, const lc_shape *s, double low, double high) {
    const int32_t dims[4] = {s->dims[0], 1, 1, 1};
    const int32_t u = lc_build_with_scalar(c->b, LC_OP_MUL, lc_training_random(c, dims, 4, false), "span", (float)(high - low));
    return lc_build_with_scalar(c->b, LC_OP_ADD, u, "low", (float)low);
}

/* x cut to value_range, and back in the layout it came in. */
static int32_t finish(lc_call *c, int32_t x, const double *range, bool first) {
    x = lc_build_with_scalar(c->b, LC_OP_MAXIMUM, x, "least", (float)range[0]);
    return lc_call_channels_back(c, lc_build_with_scalar(c->b, LC_OP_MINIMUM, x, "most", (float)range[1]), first);
}

static bool value_range(lc_call *c, const double **range) {
    static const double usual[2] = {0, 255};
    *range = usual;
    if (lc_opt(c, "value_range") && lc_opt_floats(c, "value_range", range) != 2) lc_opt_fail(c, "value_range", "needs two numbers");
    return c->b->status == LC_OK;
}

static int32_t flipped(lc_call *c, int32_t x, const lc_shape *s, int32_t axis) {
    const int32_t in[2] = {x, lc_build_ints(c->b, "axis", &axis, 1)};
    const int32_t turned = lc_build_op(c->b, LC_OP_REVERSE_V2, LC_TABLE_ReverseV2Options, NULL, in, 2);
    const int32_t half[2] = {one_each(c, s, 0, 1), lc_build_scalar(c->b, "half", 0.5f)};
    return lc_build_select(c->b, lc_build_op(c->b, LC_OP_LESS, LC_TABLE_NONE, NULL, half, 2), turned, x);
}

int32_t lc_lower_random_flip(lc_call *c) {
    static const char *const modes[] = {"horizontal_and_vertical", "horizontal", "vertical", NULL};
    int32_t x;
    bool first;
    lc_shape s;
    if (!pictures(c, &x, &s, &first)) return x;
    const int32_t mode = lc_opt_choice(c, "mode", modes);
    if (mode != 2) x = flipped(c, x, &s, 2);
    if (mode != 1) x = flipped(c, x, &s, 1);
    return lc_call_channels_back(c, x, first);
}

int32_t lc_lower_random_brightness(lc_call *c) {
    const double *range;
    float low = 0, high = 0;
    int32_t x;
    bool first;
    lc_shape s;
    if (!pictures(c, &x, &s, &first)) return x;
    if (!factor(c, "factor", &low, &high) || !value_range(c, &range)) return -1;
    const double span = range[1] - range[0];
    return finish(c, binary(c, LC_OP_ADD, x, one_each(c, &s, (double)low * span, (double)high * span)), range, first);
}

int32_t lc_lower_random_contrast(lc_call *c) {
    static const int32_t axes[2] = {1, 2};
    const double *range, *by;
    int32_t x;
    bool first;
    lc_shape s;
    if (!pictures(c, &x, &s, &first)) return x;
    const uint32_t n = lc_opt_floats(c, "factor", &by);
    if (!value_range(c, &range)) return -1;
    if (n != 1 && n != 2) return lc_opt_fail(c, "factor", "needs a number, or two");
    const int32_t mean = lc_build_reduce(c->b, LC_OP_MEAN, x, axes, 2, true);
    const int32_t apart = binary(c, LC_OP_MUL, binary(c, LC_OP_SUB, x, mean), one_each(c, &s, 1 - by[0], 1 + by[n - 1]));
    return finish(c, binary(c, LC_OP_ADD, apart, mean), range, first);
}

static int32_t warp(lc_call *c, lc_warp_kind kind, const char *first_key, const char *second_key) {
    static const char *const fills[] = {"reflect", "nearest", "wrap", "constant", NULL}, *const ways[] = {"bilinear", "nearest", NULL};
    int32_t x;
    bool first;
    lc_shape s;
    if (!pictures(c, &x, &s, &first)) return x;
    lc_warp_options o = {.kind = kind, .fill = lc_opt_choice(c, "fill_mode", fills), .value = (float)lc_opt_num(c, "fill_value", 0)};
    o.nearest = lc_opt_choice(c, "interpolation", ways) == 1;
    if (!factor(c, first_key, &o.low[0], &o.high[0])) return -1;
    o.alike = !second_key || !lc_opt(c, second_key);
    if (!o.alike && !factor(c, second_key, &o.low[1], &o.high[1])) return -1;
    const int32_t dims[2] = {s.dims[0], 2}, in[2] = {x, lc_training_random(c, dims, 2, false)};
    return lc_call_channels_back(c, lc_build_own_one(c->b, &lc_own_WARP, &o, sizeof o, in, 2), first);
}

int32_t lc_lower_random_rotation(lc_call *c) { return warp(c, LC_WARP_TURN, "factor", NULL); }
int32_t lc_lower_random_translation(lc_call *c) { return warp(c, LC_WARP_SHIFT, "height_factor", "width_factor"); }
int32_t lc_lower_random_zoom(lc_call *c) { return warp(c, LC_WARP_ZOOM, "height_factor", "width_factor"); }

/* `size` of x's places along the axis, from a random one on. */
static int32_t cut(lc_call *c, int32_t x, const lc_shape *s, int32_t axis, int32_t size) {
    static const int32_t one = 1;
    const lc_GatherOptions o = {.axis = axis};
    int32_t *steps = lc_build_data(c->b, (size_t)size * sizeof *steps);
    if (!steps) return -1;
    for (int32_t i = 0; i < size; i++) steps[i] = i;
    const int32_t places = s->dims[axis] - size + 1;
    const int32_t u = lc_build_with_scalar(c->b, LC_OP_MUL, lc_training_random(c, &one, 1, false), "places", (float)places);
    const int32_t begin = lc_build_with_scalar(c->b, LC_OP_MINIMUM, lc_build_unary(c->b, LC_OP_FLOOR, u), "last", (float)(places - 1));
    const int32_t at = lc_build_const(c->b, "steps", LC_INT32, &size, 1, steps, (size_t)size * sizeof *steps, true);
    const int32_t in[2] = {x, binary(c, LC_OP_ADD, at, lc_build_cast(c->b, begin, LC_INT32))};
    return lc_build_op(c->b, LC_OP_GATHER, LC_TABLE_GatherOptions, &o, in, 2);
}

int32_t lc_lower_random_crop(lc_call *c) {
    const int32_t height = lc_opt_size(c, "height"), width = lc_opt_size(c, "width");
    int32_t x;
    bool first;
    lc_shape s;
    if (!lc_training_now(c)) return lc_lower_fixed_crop(c);
    if (!pictures(c, &x, &s, &first)) return x;
    if (s.dims[1] < height || s.dims[2] < width) return lc_lower_fixed_crop(c);
    x = cut(c, cut(c, x, &s, 1, height), &s, 2, width);
    return lc_call_channels_back(c, x, first);
}
