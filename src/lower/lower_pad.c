/*
 * Zero padding (PAD) and cropping (STRIDED_SLICE, whose masks leave an open size open). Sizes come as one number, one a
 * dimension, or a pair (before, after) a dimension.
 */
#include "lower/lower.h"

#include <string.h>

/* The amounts before and after each of n dimensions. */
static void amounts(lc_call *c, const char *key, int32_t otherwise, int32_t out[][2], uint32_t n) {
    const lc_json *v = lc_opt(c, key);
    for (uint32_t i = 0; i < n; i++) out[i][0] = out[i][1] = otherwise;
    if (!v) return;
    if (n == 1 && v->kind == LC_JSON_ARRAY && v->count == 2) { /* one dimension: the pair itself */
        lc_opt_sizes(c, key, 0, 0, out[0], 2);
        return;
    }
    if (v->kind == LC_JSON_ARRAY && v->count != n) {
        lc_opt_fail(c, key, "needs a whole number, or a number or a pair for each of %u dimensions", n);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *item = v->kind == LC_JSON_ARRAY ? lc_json_at(v, i) : v;
        const lc_json *pair[2] = {item, item};
        if (lc_json_is(item, LC_JSON_ARRAY) && item->count == 2) pair[0] = &item->items[0], pair[1] = &item->items[1];
        for (int k = 0; k < 2; k++) {
            if (!lc_json_is(pair[k], LC_JSON_INT) || pair[k]->integer < 0 || pair[k]->integer > INT32_MAX) {
                lc_opt_fail(c, key, "needs whole numbers from 0 to 2147483647");
                return;
            }
            out[i][k] = (int32_t)pair[k]->integer;
        }
    }
}

static int32_t pad(lc_call *c, uint32_t n) {
    bool first = lc_opt_channels_first(c);
    int32_t by[3][2], pads[LC_MAX_RANK][2] = {{0}};
    lc_shape s;
    amounts(c, "padding", 1, by, n);
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    if (s.rank != (int32_t)n + 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs %u", s.rank, n + 2);
    memcpy(pads[first ? 2 : 1], by, n * sizeof *by);
    return lc_build_binary(c->b, LC_OP_PAD, c->in[0], lc_build_int_matrix(c->b, "paddings", pads[0], s.rank, 2), LC_LOWER_ACT(NONE));
}

static int32_t crop(lc_call *c, uint32_t n) {
    bool first = lc_opt_channels_first(c);
    int32_t by[3][2], begin[LC_MAX_RANK] = {0}, end[LC_MAX_RANK] = {0}, stride[LC_MAX_RANK];
    lc_shape s;
    amounts(c, "cropping", n == 2 ? 0 : 1, by, n);
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    if (s.rank != (int32_t)n + 2) return lc_build_fail(c->b, LC_INVALID, "its input has %d dimensions, needs %u", s.rank, n + 2);
    lc_StridedSliceOptions o = {0};
    for (int32_t i = 0; i < s.rank; i++) {
        int32_t k = i - (first ? 2 : 1);
        bool cropped = k >= 0 && k < (int32_t)n;
        stride[i] = 1;
        if (cropped && s.dims[i] >= 0 && (int64_t)by[k][0] + by[k][1] >= s.dims[i])
            return lc_opt_fail(c, "cropping", "takes all of dimension %d, which is %d", i, s.dims[i]);
        if (cropped) begin[i] = by[k][0], end[i] = -by[k][1];
        if (!cropped || by[k][0] == 0) o.begin_mask |= 1 << i;
        if (!cropped || by[k][1] == 0) o.end_mask |= 1 << i;
    }
    uint32_t rank = (uint32_t)s.rank;
    int32_t in[4] = {c->in[0], lc_build_ints(c->b, "begin", begin, rank), lc_build_ints(c->b, "end", end, rank),
                     lc_build_ints(c->b, "strides", stride, rank)};
    return lc_build_op(c->b, LC_OP_STRIDED_SLICE, LC_TABLE_StridedSliceOptions, &o, in, 4);
}

int32_t lc_lower_zero_padding1d(lc_call *c) { return pad(c, 1); }
int32_t lc_lower_zero_padding2d(lc_call *c) { return pad(c, 2); }
int32_t lc_lower_zero_padding3d(lc_call *c) { return pad(c, 3); }
int32_t lc_lower_cropping1d(lc_call *c) { return crop(c, 1); }
int32_t lc_lower_cropping2d(lc_call *c) { return crop(c, 2); }
int32_t lc_lower_cropping3d(lc_call *c) { return crop(c, 3); }
