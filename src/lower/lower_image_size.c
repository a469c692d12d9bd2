/*
 * Images of another size, before a net: Resizing, CenterCrop, RandomCrop.
 *
 *   crop    a SLICE of the middle
 *   pad     PADV2
 *   resize  RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR with half-pixel centres; other interpolations as tf_resize.c has them
 *
 * Boxes are worked out with operators, from the shape of the image; where that is fixed they are constants (tf_known.c). Integers become
 * float32, as Keras makes them. RandomCrop of Keras 3 does nothing when the model runs, that of Keras 2 resizes.
 *
 * Facts: keras/src/layers/preprocessing/image_preprocessing, keras/src/backend/tensorflow/image.py, tf_keras image_preprocessing.py.
 */
#include "lower/eager.h"
#include "lower/image.h"
#include "lower/tf_nn.h"

#include <string.h>

typedef struct target {
    int32_t height, width;
    const char *way;
    bool antialias, first, single; /* first: channels first; single: no batch */
    int32_t raw;                   /* the image as it comes, in a batch */
} target;

static int32_t ints(lc_tf_call *m, int32_t op, int32_t x, double value) { return lc_tf_with(m, op, x, value); }

/* The image [batch, h, w, channels] of input 0, and what is to become of it. */
static int32_t image(lc_call *c, target *t) {
    lc_shape s;
    const lc_json *policy = lc_opt(c, "dtype");
    const char *type = lc_json_is(policy, LC_JSON_STRING) ? policy->string : lc_json_str(lc_json_get(policy, "config"), "name", "float32");
    if (!strstr(type, "float")) return lc_opt_fail(c, "dtype", "litec converts images as floats only");
    t->height = lc_opt_size(c, "height");
    t->width = lc_opt_size(c, "width");
    t->first = !c->lower->keras2 && lc_opt_channels_first(c);
    t->way = "bilinear";
    int32_t x = lc_call_float(c, 0);
    if (!lc_call_shape(c, x, &s)) return -1;
    t->single = s.rank == 3;
    if (t->single) x = lc_tf_expand(lc_eager_maker(c), x, 0);
    else if (s.rank != 4) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs 4: images in a batch", s.rank);
    t->raw = x;
    return lc_call_channels_last(c, x, t->first);
}

static int32_t unbatched(lc_call *c, const target *t, int32_t y) { return t->single ? lc_tf_squeeze(lc_eager_maker(c), y, 0) : y; }
static int32_t finish(lc_call *c, const target *t, int32_t y) { return unbatched(c, t, lc_call_channels_back(c, y, t->first)); }

/* ---- parts ------------------------------------------------------------------------------------------------------------- */

typedef struct box {
    int32_t top, left, height, width; /* int32 scalars */
} box;

/* The part of an image whose height is dimension `at`. */
static int32_t slice(lc_tf_call *m, int32_t x, int32_t at, box b) {
    const int32_t zeros[4] = {0}, rest[4] = {-1, -1, -1, -1};
    int32_t begins[4] = {LC_ABSENT, LC_ABSENT, LC_ABSENT, LC_ABSENT}, sizes[4] = {LC_ABSENT, LC_ABSENT, LC_ABSENT, LC_ABSENT};
    begins[at] = b.top;
    begins[at + 1] = b.left;
    sizes[at] = b.height;
    sizes[at + 1] = b.width;
    const int32_t begin = lc_tf_vector_of(m, begins, zeros, 4), size = lc_tf_vector_of(m, sizes, rest, 4);
    const int32_t in[3] = {x, begin, size};
    return lc_build_op(m->b, LC_OP_SLICE, LC_TABLE_SliceOptions, NULL, in, 3);
}

/* int(float(a times) / by): how long a side is for the other one and the aspect ratio. */
static int32_t side(lc_tf_call *m, int32_t a, int32_t times, int32_t by) {
    const int32_t product = lc_build_cast(m->b, ints(m, LC_OP_MUL, a, times), LC_FLOAT32);
    return lc_build_cast(m->b, lc_tf_with(m, LC_OP_DIV, product, by), LC_INT32);
}

static int32_t half(lc_tf_call *m, int32_t a, int32_t b) { return ints(m, LC_OP_FLOOR_DIV, lc_tf_binary(m, LC_OP_SUB, a, b), 2); }

/* The largest box in the middle with the target's aspect ratio. */
static box middle(lc_tf_call *m, int32_t x, const target *t) {
    const int32_t h = lc_tf_dim(m, x, 1), w = lc_tf_dim(m, x, 2);
    box b;
    b.height = ints(m, LC_OP_MAXIMUM, lc_tf_binary(m, LC_OP_MINIMUM, h, side(m, w, t->height, t->width)), 1);
    b.width = ints(m, LC_OP_MAXIMUM, lc_tf_binary(m, LC_OP_MINIMUM, w, side(m, h, t->width, t->height)), 1);
    b.top = half(m, h, b.height);
    b.left = half(m, w, b.width);
    return b;
}

static int32_t pad(lc_tf_call *m, int32_t x, const target *t, double value) {
    const int32_t h = lc_tf_dim(m, x, 1), w = lc_tf_dim(m, x, 2);
    int32_t above = lc_tf_binary(m, LC_OP_MAXIMUM, h, side(m, w, t->height, t->width)),
            beside = lc_tf_binary(m, LC_OP_MAXIMUM, w, side(m, h, t->width, t->height));
    above = half(m, above, h);
    beside = half(m, beside, w);
    const int32_t zeros[8] = {0}, pads[8] = {LC_ABSENT, LC_ABSENT, above, above, beside, beside, LC_ABSENT, LC_ABSENT}, dims[2] = {4, 2};
    const int32_t list = lc_tf_reshape(m, lc_tf_vector_of(m, pads, zeros, 8), dims, 2);
    const int32_t in[3] = {x, list, lc_tf_scalar(m, value, LC_FLOAT32)};
    return lc_build_op(m->b, LC_OP_PADV2, LC_TABLE_PadV2Options, NULL, in, 3);
}

static int32_t resize(lc_call *c, int32_t x, const target *t) {
    lc_tf_call *m = lc_eager_maker(c);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const lc_resize_way *way = lc_resize_way_of(t->way);
    if (!way || way->operation) return lc_opt_fail(c, "interpolation", "Keras does not know it");
    if (s.dims[1] == t->height && s.dims[2] == t->width) return x;
    const int64_t sizes[2] = {t->height, t->width};
    return lc_resize(m, way, x, lc_tf_const_ints(m, sizes, 2, LC_INT32), t->antialias);
}

/* ---- layers -------------------------------------------------------------------------------------------------------------- */

/* Keras 3 gives whole numbers back as such: rounded, and the nearest that the type has. */
static int32_t as_given(lc_call *c, int32_t y, const char *way) {
    const lc_dtype type = lc_build_type(c->b, c->in[0]);
    const bool narrow = type == LC_UINT8 || type == LC_INT8 || type == LC_INT16 || type == LC_UINT16;
    if (c->lower->keras2 || (!narrow && type != LC_INT32 && type != LC_INT64)) return y;
    if (strcmp(way, "nearest") != 0) y = lc_build_unary(c->b, LC_OP_ROUND, y);
    if (narrow && strcmp(way, "nearest") != 0 && strcmp(way, "bilinear") != 0) {
        const bool sign = type == LC_INT8 || type == LC_INT16, byte = type == LC_UINT8 || type == LC_INT8;
        const float most = (float)((byte ? 255 : 65535) >> sign);
        y = lc_build_with_scalar(c->b, LC_OP_MINIMUM, lc_build_with_scalar(c->b, LC_OP_MAXIMUM, y, "least", sign ? -most - 1 : 0), "most",
                                 most);
    }
    return lc_build_cast(c->b, y, type);
}

int32_t lc_lower_resizing(lc_call *c) {
    lc_tf_call *m = lc_eager_maker(c);
    target t = {0};
    int32_t x = image(c, &t);
    const bool crop = lc_opt_bool(c, "crop_to_aspect_ratio", false), fill = lc_opt_bool(c, "pad_to_aspect_ratio", false);
    t.way = lc_opt_str(c, "interpolation", "bilinear");
    t.antialias = lc_opt_bool(c, "antialias", false);
    if (crop && fill) return lc_opt_fail(c, "pad_to_aspect_ratio", "stands beside crop_to_aspect_ratio, only one of them may");
    if (fill && strcmp(lc_opt_str(c, "fill_mode", "constant"), "constant") != 0)
        return lc_opt_fail(c, "fill_mode", "Keras takes \"constant\" only");
    if (crop) {
        const box b = middle(m, x, &t);
        x = slice(m, x, 1, b);
    } else if (fill) x = pad(m, x, &t, lc_opt_num(c, "fill_value", 0));
    return finish(c, &t, as_given(c, resize(c, x, &t), t.way));
}

/* A SLICE where the image is large enough in both directions, else resized from its middle; decided in the run where that is open. */
static int32_t crop(lc_call *c, bool may_cut) {
    lc_tf_call *m = lc_eager_maker(c);
    target t = {0};
    int32_t x = image(c, &t);
    lc_shape s;
    if (!lc_call_shape(c, x, &s)) return -1;
    const bool fixed = s.dims[1] >= 0 && s.dims[2] >= 0;
    const int32_t h = lc_tf_dim(m, x, 1), w = lc_tf_dim(m, x, 2);
    const int32_t height = lc_tf_scalar(m, t.height, LC_INT32), width = lc_tf_scalar(m, t.width, LC_INT32);
    const box cut = {half(m, h, height), half(m, w, width), height, width};
    if (may_cut && (fixed ? s.dims[1] >= t.height && s.dims[2] >= t.width : !c->lower->keras2))
        return unbatched(c, &t, slice(m, t.raw, t.first ? 2 : 1, cut));
    box b = middle(m, x, &t);
    if (may_cut && !fixed) {
        const int32_t high = lc_tf_binary(m, LC_OP_GREATER_EQUAL, h, height), wide = lc_tf_binary(m, LC_OP_GREATER_EQUAL, w, width);
        const int32_t fits = lc_tf_binary(m, LC_OP_LOGICAL_AND, high, wide);
        b.top = lc_build_select(c->b, fits, cut.top, b.top);
        b.left = lc_build_select(c->b, fits, cut.left, b.left);
        b.height = lc_build_select(c->b, fits, cut.height, b.height);
        b.width = lc_build_select(c->b, fits, cut.width, b.width);
    }
    return finish(c, &t, resize(c, slice(m, x, 1, b), &t));
}

int32_t lc_lower_center_crop(lc_call *c) { return crop(c, true); }

/* RandomCrop where nothing is random. */
int32_t lc_lower_fixed_crop(lc_call *c) {
    if (!lc_call_inference(c)) return -1;
    return c->lower->keras2 ? crop(c, false) : lc_call_float(c, 0);
}
