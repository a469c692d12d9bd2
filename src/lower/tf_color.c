/*
 * tf_color.c: colours. The last dimension is red, green, blue, or hue, saturation, value, each in [0, 1].
 *
 *   v = max, s = range / v, h by which of the three is the largest        (Foley et al., Computer Graphics, 13.3.4)
 *   back: red = (1 - s + s clip(|6 h - 3| - 1)) v, green with 2 - |6 h - 2|, blue with 2 - |6 h - 4|
 */
#include "lower/tf_nn.h"

#include <string.h>

static int32_t add(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_ADD, x, y); }
static int32_t sub(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_SUB, x, y); }
static int32_t mul(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_MUL, x, y); }
static int32_t with(lc_tf_call *c, int32_t op, int32_t x, double v) { return lc_tf_with(c, op, x, v); }

/* The three channels of x; false when it has not three. */
static bool channels(lc_tf_call *c, int32_t x, int32_t *parts) {
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return false;
    if (s.rank < 1 || (s.dims[s.rank - 1] != 3 && s.dims[s.rank - 1] >= 0)) {
        lc_tf_fail(c, LC_INVALID, "its images have %d channels, need 3", s.rank ? s.dims[s.rank - 1] : 0);
        return false;
    }
    return lc_tf_split(c, x, s.rank - 1, 3, parts);
}

static int32_t joined(lc_tf_call *c, const int32_t *parts) { return lc_tf_concat(c, parts, 3, lc_tf_ranked(c, parts[0]).rank - 1); }

static void to_hsv(lc_tf_call *c, const int32_t *rgb, int32_t *hsv) {
    const int32_t r = rgb[0], g = rgb[1], b = rgb[2];
    const int32_t v = lc_tf_binary(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_MAXIMUM, r, g), b);
    const int32_t low = lc_tf_binary(c, LC_OP_MINIMUM, lc_tf_binary(c, LC_OP_MINIMUM, r, g), b), range = sub(c, v, low);
    const int32_t lit = with(c, LC_OP_GREATER, v, 0), coloured = with(c, LC_OP_GREATER, range, 0), zero = lc_tf_scalar(c, 0, LC_FLOAT32);
    const int32_t one = lc_tf_scalar(c, 1, LC_FLOAT32);
    const int32_t s = lc_build_select(c->b, lit, lc_tf_binary(c, LC_OP_DIV, range, lc_build_select(c->b, lit, v, one)), zero);
    const int32_t six = with(c, LC_OP_MUL, lc_build_select(c->b, coloured, range, one), 6);
    const int32_t from_r = lc_tf_binary(c, LC_OP_DIV, sub(c, g, b), six);
    const int32_t from_g = with(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_DIV, sub(c, b, r), six), 2.0 / 6);
    const int32_t from_b = with(c, LC_OP_ADD, lc_tf_binary(c, LC_OP_DIV, sub(c, r, g), six), 4.0 / 6);
    int32_t h = lc_build_select(c->b, lc_tf_binary(c, LC_OP_EQUAL, g, v), from_g, from_b);
    h = lc_build_select(c->b, lc_tf_binary(c, LC_OP_EQUAL, r, v), from_r, h);
    h = lc_build_select(c->b, coloured, h, zero);
    const int32_t below = with(c, LC_OP_LESS, h, 0);
    hsv[0] = lc_build_select(c->b, below, with(c, LC_OP_ADD, h, 1), h);
    hsv[1] = s;
    hsv[2] = v;
}

static void to_rgb(lc_tf_call *c, const int32_t *hsv, int32_t *rgb) {
    static const double centre[3] = {3, 2, 4};
    const int32_t six = with(c, LC_OP_MUL, hsv[0], 6), grey = sub(c, lc_tf_scalar(c, 1, LC_FLOAT32), hsv[1]);
    for (int i = 0; i < 3; i++) {
        int32_t d = lc_tf_unary(c, LC_OP_ABS, with(c, LC_OP_SUB, six, centre[i]));
        d = i == 0 ? with(c, LC_OP_SUB, d, 1) : sub(c, lc_tf_scalar(c, 2, LC_FLOAT32), d);
        d = lc_tf_unary(c, LC_OP_RELU_0_TO_1, d);
        rgb[i] = mul(c, add(c, grey, mul(c, hsv[1], d)), hsv[2]);
    }
}

void lc_tf_op_rgb_to_hsv(lc_tf_call *c) {
    int32_t rgb[3], hsv[3];
    const int32_t x = lc_tf_in(c, 0);
    if (!channels(c, lc_tf_float32(c, x), rgb)) return;
    to_hsv(c, rgb, hsv);
    lc_tf_give(c, 0, lc_tf_back(c, joined(c, hsv), lc_tf_type(c, x)));
}

void lc_tf_op_hsv_to_rgb(lc_tf_call *c) {
    int32_t rgb[3], hsv[3];
    const int32_t x = lc_tf_in(c, 0);
    if (!channels(c, lc_tf_float32(c, x), hsv)) return;
    to_rgb(c, hsv, rgb);
    lc_tf_give(c, 0, lc_tf_back(c, joined(c, rgb), lc_tf_type(c, x)));
}

/* Hue turned by delta: the fraction of the sum. */
void lc_tf_op_adjust_hue(lc_tf_call *c) {
    int32_t rgb[3], hsv[3];
    const int32_t x = lc_tf_in(c, 0), delta = lc_tf_float32(c, lc_tf_in(c, 1));
    if (!channels(c, lc_tf_float32(c, x), rgb)) return;
    to_hsv(c, rgb, hsv);
    const int32_t turned = add(c, hsv[0], delta);
    hsv[0] = sub(c, turned, lc_tf_unary(c, LC_OP_FLOOR, turned));
    to_rgb(c, hsv, rgb);
    lc_tf_give(c, 0, lc_tf_back(c, joined(c, rgb), lc_tf_type(c, x)));
}

void lc_tf_op_adjust_saturation(lc_tf_call *c) {
    int32_t rgb[3], hsv[3];
    const int32_t x = lc_tf_in(c, 0), scale = lc_tf_float32(c, lc_tf_in(c, 1));
    if (!channels(c, lc_tf_float32(c, x), rgb)) return;
    to_hsv(c, rgb, hsv);
    hsv[1] = lc_tf_unary(c, LC_OP_RELU_0_TO_1, mul(c, hsv[1], scale));
    to_rgb(c, hsv, rgb);
    lc_tf_give(c, 0, lc_tf_back(c, joined(c, rgb), lc_tf_type(c, x)));
}

/* (x - mean) factor + mean, the mean of each channel of each image. The old form clamps to min_value and max_value and gives float32. */
void lc_tf_op_adjust_contrast(lc_tf_call *c) {
    const bool old = lc_str_is(c->node->op, "AdjustContrast");
    const int32_t input = lc_tf_in(c, 0), factor = lc_tf_float32(c, lc_tf_in(c, 1));
    int32_t x = old ? lc_build_cast(c->b, input, LC_FLOAT32) : lc_tf_float32(c, input);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (s.rank < 3) {
        lc_tf_fail(c, LC_INVALID, "its images have %d dimensions, need at least 3", s.rank);
        return;
    }
    const int32_t axes[2] = {s.rank - 3, s.rank - 2}, mean = lc_build_reduce(c->b, LC_OP_MEAN, x, axes, 2, true);
    x = add(c, mul(c, sub(c, x, mean), factor), mean);
    if (old) {
        x = lc_tf_binary(c, LC_OP_MAXIMUM, x, lc_tf_in(c, 2));
        lc_tf_give(c, 0, lc_tf_binary(c, LC_OP_MINIMUM, x, lc_tf_in(c, 3)));
        return;
    }
    lc_tf_give(c, 0, lc_tf_back(c, x, lc_tf_type(c, input)));
}
