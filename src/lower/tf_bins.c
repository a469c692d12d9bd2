/*
 * tf_bins.c: numbers into bins, and evenly spaced ones: Bucketize, HistogramFixedWidth, LinSpace.
 */
#include "lower/tf_math.h"

#include <string.h>

void lc_tf_op_bucketize(lc_tf_call *c) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, "boundaries");
    const int32_t x = lc_tf_in(c, 0);
    const uint32_t types = LC_TF_COMMON | LC_TF_T(FLOAT64);
    if (!lc_tf_ok(c) || !lc_tf_can(c, 0, types)) return;
    const uint32_t n = a && a->list ? a->list->f.n : 0;
    float *boundaries = lc_build_data(c->b, n ? n * sizeof *boundaries : 1);
    if (!boundaries) return;
    if (n) memcpy(boundaries, a->list->f.data, n * sizeof *boundaries);
    const lc_BucketizeOptions o = {.boundaries = {boundaries, n}};
    const int32_t in = lc_tf_carried(c, x, types);
    lc_tf_give(c, 0, lc_build_op(c->b, LC_OP_BUCKETIZE, LC_TABLE_BucketizeOptions, &o, &in, 1));
}

/* Element k of a vector, as a scalar. */
static int32_t element(lc_tf_call *c, int32_t v, int32_t k) { return lc_tf_gather(c, v, lc_tf_scalar(c, k, LC_INT32), 0, 0); }

/* How many values lie in each of nbins equal parts of value_range; what lies outside counts in the part next to it. */
void lc_tf_op_histogram_fixed_width(lc_tf_call *c) {
    int32_t range = lc_tf_in(c, 1);
    const int32_t bins = lc_tf_in(c, 2);
    const lc_dtype wanted = lc_tf_made_type(c, "dtype", LC_INT32);
    if (!lc_tf_ok(c)) return;
    int32_t x = lc_build_cast(c->b, lc_tf_flat(c, lc_tf_in(c, 0)), LC_FLOAT32);
    range = lc_build_cast(c->b, range, LC_FLOAT32);
    const int32_t low = element(c, range, 0), high = element(c, range, 1), count = lc_build_cast(c->b, bins, LC_FLOAT32);
    const int32_t step = lc_tf_div(c, lc_tf_sub(c, high, low), count);
    x = lc_tf_most_with(c, lc_tf_div(c, lc_tf_sub(c, x, low), step), 0);
    x = lc_build_cast(c->b, lc_tf_least(c, x, lc_tf_sub_with(c, count, 1)), LC_INT32); /* the fraction goes: rounded down */
    const int32_t in[3] = {lc_tf_filled_like(c, x, 1, LC_INT32), x, bins};
    const int32_t y = lc_build_op(c->b, LC_OP_UNSORTED_SEGMENT_SUM, LC_TABLE_UnsortedSegmentSumOptions, NULL, in, 3);
    lc_tf_give(c, 0, lc_build_cast(c->b, y, wanted));
}

/* start + i (stop - start) / (num - 1); the last is stop itself, a single one start. */
void lc_tf_op_lin_space(lc_tf_call *c) {
    int32_t start = lc_tf_in(c, 0), stop = lc_tf_in(c, 1), num = lc_tf_in(c, 2);
    const lc_dtype type = lc_tf_type(c, start);
    int64_t n;
    uint32_t one;
    if (!lc_tf_ok(c)) return;
    if (lc_tf_ints(c, num, &n, 1, &one) && (n < 1 || n > INT32_MAX)) {
        lc_tf_fail(c, LC_INVALID, "its num is %lld, needs at least 1", (long long)n);
        return;
    }
    start = lc_tf_float32(c, start);
    stop = lc_tf_float32(c, stop);
    num = lc_tf_int32(c, num);
    const int32_t places = lc_tf_range(c, num);
    const int32_t last = lc_tf_most_with(c, lc_tf_sub_with(c, num, 1), 1);
    const int32_t way = lc_tf_sub(c, stop, start), step = lc_tf_div(c, way, lc_build_cast(c->b, last, LC_FLOAT32));
    const int32_t x = lc_tf_add(c, start, lc_tf_mul(c, lc_build_cast(c->b, places, LC_FLOAT32), step));
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_choose(c, lc_tf_equal(c, places, last), stop, x), type));
}
