/*
 * Locally connected layers of Keras 2: a convolution whose filter is another one at each place. The patches are gathered, one product
 * of matrices takes them all:
 *
 *   x [n, size] ─GATHER [places, 1, taps]─▶ [n, places, 1, taps] ─BATCH_MATMUL [places, taps, filters]─▶ [n, places, 1, filters]
 *
 * Keras stores the filters in three ways, one for each `implementation`; all become the form above:
 *
 *   1  [places, taps, filters]                                    as it is used; padding is valid
 *   2  [in size..., channels, out size..., filters]               all pairs of cells, of which only neighbours count
 *   3  the pairs that count, in a row: sorted by output cell, then by input cell
 *
 * With data_format channels_first, channels come before the sizes (in implementation 2 and 3 filters, too). Cells that same-padding would
 * add are given weight 0. The bias is added as it lies, whatever the layout, as Keras does.
 */
#include "lower/image.h"
#include "lower/training.h"

#include <string.h>

typedef struct local {
    int32_t n; /* 1 or 2; rows are images of height 1 */
    int32_t size[2], out[2], kernel[2], stride[2], before[2];
    int32_t channels, filters, implementation;
    int32_t places, taps; /* of the result; of a patch, with its channels */
    bool same, first, use_bias;
} local;

static bool begin(lc_call *c, local *l, const lc_shape *s) {
    static const char *const paddings[] = {"valid", "same", NULL};
    const int32_t at = 2 - l->n;
    l->filters = lc_opt_size(c, "filters");
    l->kernel[0] = l->stride[0] = 1;
    lc_opt_sizes(c, "kernel_size", 1, 0, l->kernel + at, (uint32_t)l->n);
    lc_opt_sizes(c, "strides", 1, 1, l->stride + at, (uint32_t)l->n);
    l->same = lc_opt_choice(c, "padding", paddings) == 1;
    l->first = lc_opt_channels_first(c);
    l->use_bias = lc_opt_bool(c, "use_bias", true);
    l->implementation = lc_opt_int(c, "implementation", 1, 3, 1);
    l->channels = lc_call_known(c, s, l->first ? 1 : l->n + 1, "the number of channels");
    l->size[0] = 1;
    int64_t places = 1, taps = l->channels;
    for (int32_t i = 0; i < l->n; i++) l->size[at + i] = lc_call_known(c, s, i + (l->first ? 2 : 1), "the size");
    if (c->b->status != LC_OK) return false;
    if (l->same && l->implementation == 1) lc_opt_fail(c, "padding", "implementation 1 takes \"valid\" only");
    for (int i = 0; i < 2; i++) {
        const int32_t size = l->size[i], k = l->kernel[i], stride = l->stride[i];
        l->out[i] = l->same ? (int32_t)(((int64_t)size + stride - 1) / stride) : size < k ? 0 : (size - k) / stride + 1;
        l->before[i] = l->same ? k / 2 : 0; /* the middle of the filter is on the cell, whatever the stride */
        if (l->out[i] < 1) {
            lc_opt_fail(c, "kernel_size", "is larger than its input");
            return false;
        }
        if (!lc_mul_i64(places, l->out[i], &places) || !lc_mul_i64(taps, k, &taps) || places > INT32_MAX || taps > INT32_MAX) {
            lc_opt_fail(c, "kernel_size", "makes too many connections");
            return false;
        }
    }
    if (!lc_mul_i64(places, taps, &taps) || taps > 1 << 28) lc_opt_fail(c, "kernel_size", "makes too many connections");
    taps /= places;
    l->places = (int32_t)places;
    l->taps = (int32_t)taps;
    return c->b->status == LC_OK;
}

/* Which element of an example tap j of place p meets; -1: it lies outside. Taps count (row, column, channel), or the channel first. */
static int32_t cell(const local *l, int32_t p, int32_t j) {
    const int32_t area = l->kernel[0] * l->kernel[1], ch = l->first ? j / area : j % l->channels, k = l->first ? j % area : j / l->channels;
    const int64_t y = (int64_t)(p / l->out[1]) * l->stride[0] + k / l->kernel[1] - l->before[0],
                  x = (int64_t)(p % l->out[1]) * l->stride[1] + k % l->kernel[1] - l->before[1];
    if (y < 0 || x < 0 || y >= l->size[0] || x >= l->size[1]) return -1;
    const int32_t at = (int32_t)y * l->size[1] + (int32_t)x;
    return l->first ? ch * l->size[0] * l->size[1] + at : at * l->channels + ch;
}

static int32_t indices(lc_call *c, const local *l) {
    lc_tf_call *m = lc_eager_maker(c);
    const int32_t dims[3] = {l->places, 1, l->taps};
    const size_t n = (size_t)l->places * (size_t)l->taps;
    int32_t *at = lc_tf_table_data(m, n, sizeof *at);
    if (!at) return -1;
    for (size_t i = 0; i < n; i++) {
        const int32_t k = cell(l, (int32_t)(i / (size_t)l->taps), (int32_t)(i % (size_t)l->taps));
        at[i] = k < 0 ? 0 : k;
    }
    return lc_build_const(c->b, "patches", LC_INT32, dims, 3, at, n * sizeof *at, true);
}

/* Implementation 2: where the weight of a pair of cells lies. */
static int32_t pair(const local *l, int32_t from, int32_t p, int32_t f) {
    const int64_t to = l->first ? (int64_t)f * l->places + p : (int64_t)p * l->filters + f;
    return (int32_t)((int64_t)from * l->places * l->filters + to);
}

/* Of each weight [places, taps, filters] where it lies among those stored; -1: its tap lies outside. In implementation 3 they lie in their order,
 * and within a patch, rising input cells are rising taps. */
static void places_of(const local *l, int32_t *at) {
    const size_t taps = (size_t)l->taps, filters = (size_t)l->filters;
    int32_t next = 0;
    for (size_t i = 0; i < (size_t)l->places * filters; i++) {
        const size_t p = l->first ? i % (size_t)l->places : i / filters, f = l->first ? i / (size_t)l->places : i % filters;
        for (size_t j = 0; j < taps; j++) {
            const int32_t k = cell(l, (int32_t)p, (int32_t)j);
            at[(p * taps + j) * filters + f] = k < 0 ? -1 : l->implementation == 2 ? pair(l, k, (int32_t)p, (int32_t)f) : next++;
        }
    }
}

/* As an input of the graph: taken from the stored ones, with a zero behind them for the taps outside. */
static int32_t trained_filters(lc_call *c, const lc_keras_weight *w, const int32_t *dims, int32_t *at, size_t n) {
    int32_t count = 1;
    for (int32_t i = 0; i < w->rank; i++) count *= w->dims[i];
    for (size_t i = 0; i < n; i++)
        if (at[i] < 0) at[i] = count;
    const float zero = 0;
    const int32_t parts[2] = {lc_weight_shaped(c, lc_training_input(c, w, "kernel", true), &count, 1),
                              lc_build_floats(c->b, "outside", &zero, 1)};
    lc_tf_call *m = lc_eager_maker(c);
    return lc_tf_gather(m, lc_tf_concat(m, parts, 2, 0), lc_build_const(c->b, "cells", LC_INT32, dims, 3, at, n * sizeof *at, true), 0, 0);
}

static int32_t filters_of(lc_call *c, const local *l) {
    const int32_t dims[3] = {l->places, l->taps, l->filters};
    if (l->implementation == 1) return lc_weight_const(c, 0, 0, "kernel", dims, 3, dims, 3);
    uint64_t n;
    if (!lc_mul_u64((uint64_t)l->places * (uint64_t)l->taps, (uint64_t)l->filters, &n))
        return lc_opt_fail(c, "filters", "makes too many connections");
    const lc_keras_weight *w;
    int64_t pairs = 1;
    if (l->implementation == 2) {
        int32_t stored[6], at = 0;
        bool fits = true;
        for (int side = 0; side < 2; side++) {
            const int32_t depth = side ? l->filters : l->channels, *size = side ? l->out : l->size;
            if (l->first) stored[at++] = depth;
            for (int32_t i = 2 - l->n; i < 2; i++) stored[at++] = size[i];
            if (!l->first) stored[at++] = depth;
        }
        for (int32_t i = 0; i < at && fits; i++) fits = lc_mul_i64(pairs, stored[i], &pairs);
        if (!fits || pairs >= INT32_MAX) return lc_opt_fail(c, "filters", "makes too many connections");
        w = lc_weight(c, 0, "kernel", stored, at);
    } else {
        pairs = 0;
        for (int32_t p = 0; p < l->places; p++)
            for (int32_t j = 0; j < l->taps && pairs < INT32_MAX; j++) pairs += cell(l, p, j) >= 0;
        if (!lc_mul_i64(pairs, l->filters, &pairs) || pairs >= INT32_MAX) return lc_opt_fail(c, "filters", "makes too many connections");
        const int32_t count = (int32_t)pairs;
        w = lc_weight(c, 0, "kernel", &count, 1);
    }
    if (!w || c->slots[0]) return c->slots[0] - 1;
    int32_t *at = lc_tf_table_data(lc_eager_maker(c), n, sizeof *at);
    if (!at) return -1;
    places_of(l, at);
    if (lc_trains(c)) {
        c->slots[0] = trained_filters(c, w, dims, at, (size_t)n) + 1;
        return c->slots[0] - 1;
    }
    float *data = lc_tf_table_data(lc_eager_maker(c), n, sizeof *data);
    if (!data) return -1;
    for (size_t i = 0; i < (size_t)n; i++)
        if (at[i] >= 0) data[i] = (float)lc_weight_at(w, (size_t)at[i]);
    c->slots[0] = lc_build_const(c->b, "kernel", LC_FLOAT32, dims, 3, data, (size_t)n * sizeof *data, true) + 1;
    return c->slots[0] - 1;
}

static int32_t locally_connected(lc_call *c, int32_t n) {
    local l = {.n = n};
    lc_shape s;
    int32_t x = lc_call_ranked(c, 0, n + 2, &s);
    if (c->b->status != LC_OK || !begin(c, &l, &s) || !lc_weights(c, l.use_bias ? 2 : 1, l.use_bias ? "kernel, bias" : "kernel")) return -1;
    int64_t all;
    if (!lc_mul_i64((int64_t)l.size[0] * l.size[1], l.channels, &all) || all > INT32_MAX)
        return lc_build_fail(c->b, LC_LIMIT, "its input has more than 2147483647 elements");
    const int32_t row[2] = {-1, (int32_t)all};
    if (!c->slots[2]) c->slots[2] = indices(c, &l) + 1; /* charges places times taps, which the filters count through */
    if (c->b->status != LC_OK) return -1;
    const int32_t filters = filters_of(c, &l);
    x = lc_tf_gather(lc_eager_maker(c), lc_build_reshape(c->b, x, row, 2), c->slots[2] - 1, 1, 0);
    const int32_t in[2] = {x, filters};
    const lc_BatchMatMulOptions o = {0};
    x = lc_build_op(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2);
    if (l.first) {
        const int32_t matrix[3] = {-1, l.places, l.filters}, perm[3] = {0, 2, 1};
        x = lc_build_transpose(c->b, lc_build_reshape(c->b, x, matrix, 3), perm, 3);
    }
    int32_t dims[4], stored[3], at = 0, k = 0;
    dims[at++] = -1;
    if (l.first) dims[at++] = l.filters;
    for (int32_t i = 2 - n; i < 2; i++) dims[at++] = stored[k++] = l.out[i];
    if (!l.first) dims[at++] = l.filters;
    stored[k++] = l.filters;
    x = lc_build_reshape(c->b, x, dims, n + 2);
    if (l.use_bias)
        x = lc_build_binary(c->b, LC_OP_ADD, x, lc_weight_const(c, 1, 1, "bias", stored, k, dims + 1, n + 1), LC_LOWER_ACT(NONE));
    return lc_lower_activation(c, "activation", lc_opt(c, "activation"), x);
}

int32_t lc_lower_locally_connected1d(lc_call *c) { return locally_connected(c, 1); }
int32_t lc_lower_locally_connected2d(lc_call *c) { return locally_connected(c, 2); }
