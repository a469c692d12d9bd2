/*
 * net_adapt.c: the mean and the variance of data for a Normalization layer (Keras's adapt), over all samples, in one pass (Welford 1962).
 *
 * The layer sees what the layers before it give: unless it stands at an input, the model is cut before it and run.
 */
#include "api/api.h"
#include "api/net.h"

#include "train/target.h"

#include <stdio.h>
#include <string.h>

typedef struct statistics {
    double *mean, *m2; /* [n] of each number that the layer keeps; m2: sum of squared distances */
    uint64_t *count;
    size_t n;
    bool kept[LC_MAX_RANK];
    int32_t rank, dims[LC_MAX_RANK]; /* of the first batch, which all others have, too, but for the first */
} statistics;

static void statistics_end(statistics *s) {
    lc_free(s->mean);
    lc_free(s->m2);
    lc_free(s->count);
}

/* Axes that the layer keeps, by the shape of its input: "axis" is a number, a list, or null. */
static lc_status begin(statistics *s, const lc_keras_layer *l, const lc_net_variable *mean, const lc_array *x, lc_error *err) {
    static const lc_json last = {.kind = LC_JSON_INT, .integer = -1};
    const lc_json *axis = lc_json_get(l->config, "axis");
    if (!axis) axis = &last;
    s->rank = x->rank;
    memcpy(s->dims, x->dims, sizeof s->dims);
    s->n = 1;
    const uint32_t n = lc_json_is(axis, LC_JSON_ARRAY) ? axis->count : axis->kind == LC_JSON_INT;
    for (uint32_t i = 0; i < n; i++) {
        const lc_json *one = lc_json_is(axis, LC_JSON_ARRAY) ? &axis->items[i] : axis;
        const int64_t at = lc_json_is(one, LC_JSON_INT) ? one->integer + (one->integer < 0 ? x->rank : 0) : -1;
        if (at < 0 || at >= x->rank || s->kept[at])
            return lc_fail(err, LC_INVALID, "layer \"%.100s\": its axis does not fit data of %d dimensions", l->name, x->rank);
        s->kept[at] = true;
        s->n *= (size_t)x->dims[at];
    }
    if (s->n != mean->count)
        return lc_fail(err, LC_INVALID, "layer \"%.100s\" has %zu means, the data has %zu", l->name, mean->count, s->n);
    s->mean = lc_calloc(s->n, sizeof *s->mean);
    s->m2 = lc_calloc(s->n, sizeof *s->m2);
    s->count = lc_calloc(s->n, sizeof *s->count);
    return s->mean && s->m2 && s->count ? LC_OK : lc_fail_memory(err, "statistics");
}

static lc_status add(statistics *s, const lc_keras_layer *l, const lc_array *x, lc_error *err) {
    bool same = x->rank == s->rank;
    for (int32_t d = 0; same && d < x->rank; d++) same = x->dims[d] == s->dims[d] || (d == 0 && !s->kept[0]);
    if (!same) return lc_fail(err, LC_INVALID, "layer \"%.100s\": samples of different shapes", l->name);
    const size_t n = lc_array_count(x);
    int32_t at[LC_MAX_RANK] = {0};
    double numbers[256];
    for (size_t i = 0; i < n; i++) {
        if (i % 256 == 0) {
            const size_t part = n - i < 256 ? n - i : 256;
            if (!lc_reals_load(x->type, x->data, i, part, numbers))
                return lc_fail(err, LC_UNSUPPORTED, "layer \"%.100s\": %s has no mean", l->name, lc_dtype_name(x->type));
        }
        size_t k = 0;
        for (int32_t d = 0; d < x->rank; d++)
            if (s->kept[d]) k = k * (size_t)x->dims[d] + (size_t)at[d];
        const double delta = numbers[i % 256] - s->mean[k];
        s->mean[k] += delta / (double)++s->count[k];
        s->m2[k] += delta * (numbers[i % 256] - s->mean[k]);
        for (int32_t d = x->rank - 1; d >= 0 && ++at[d] == x->dims[d]; d--) at[d] = 0;
    }
    return LC_OK;
}

/* What stands at an input of the model: batch by batch. */
static lc_status of_input(lc_net *net, uint32_t input, lc_pipeline *data, statistics *s, const lc_keras_layer *l,
                          const lc_net_variable *mean, lc_error *err) {
    uint32_t x[LC_NET_MOST];
    lc_batch batch;
    LC_TRY(lc_net_match(net, data, false, x, err));
    LC_TRY(lc_pipeline_seek_epoch(data, 0, err));
    for (;;) {
        LC_TRY(lc_pipeline_next(data, &batch, err));
        if (!batch.rows) return LC_OK;
        if (!s->n) LC_TRY(begin(s, l, mean, &batch.x[x[input]], err));
        LC_TRY(add(s, l, &batch.x[x[input]], err));
    }
}

/* What another layer gives: of all samples at once. */
static lc_status of_layer(lc_net *net, const char *before, lc_pipeline *data, statistics *s, const lc_keras_layer *l,
                          const lc_net_variable *mean, lc_error *err) {
    lc_net *base;
    lc_features *features = NULL;
    LC_TRY(lc_net_cut(net, before, &base, err));
    lc_status status = lc_features_of_net(base, data, NULL, &features, err);
    if (status == LC_OK) {
        const lc_pipeline_arrays arrays = lc_features_arrays(features);
        status = begin(s, l, mean, &arrays.x[0], err);
        if (status == LC_OK) status = add(s, l, &arrays.x[0], err);
    }
    lc_features_destroy(features);
    lc_net_destroy(base);
    return status;
}

static lc_status take(lc_net *net, const lc_keras_layer *l, lc_pipeline *data, statistics *s, lc_error *err) {
    char path[512];
    snprintf(path, sizeof path, "%.200s/mean", l->name);
    const lc_net_variable mean = lc_net_variable_find(net, path);
    snprintf(path, sizeof path, "%.200s/variance", l->name);
    const lc_net_variable variance = lc_net_variable_find(net, path);
    if (strcmp(l->class_name, "Normalization") != 0 || !mean.path || !variance.path || !l->call_count || !l->calls[0].input_count)
        return lc_fail(err, LC_ARGUMENT, "layer \"%.100s\" (%.60s) has no mean to find; Normalization without .mean has", l->name,
                       l->class_name);
    const lc_keras_ref *from = &l->calls[0].inputs[0];
    int64_t input = -1;
    for (uint32_t i = 0; i < net->keras->input_count; i++)
        if (net->keras->inputs[i].layer == from->layer) input = i;
    LC_TRY(input >= 0 ? of_input(net, (uint32_t)input, data, s, l, &mean, err)
                      : of_layer(net, net->keras->layers[from->layer].name, data, s, l, &mean, err));
    if (!s->n || !s->count[0]) return lc_fail(err, LC_INVALID, "there is no data to adapt to");
    for (size_t i = 0; i < s->n; i++) {
        mean.value[i] = (float)s->mean[i];
        variance.value[i] = (float)(s->m2[i] / (double)s->count[i]);
    }
    lc_net_steps_forget(net); /* their graphs have the numbers of before as constants */
    return LC_OK;
}

lc_status lc_net_adapt(lc_net *net, const char *layer, lc_pipeline *data, lc_error *err) {
    LC_TRY(lc_net_build(net, err));
    for (uint32_t i = 0; layer && i < net->keras->layer_count; i++) {
        const lc_keras_layer *l = &net->keras->layers[i];
        if (!l->name || strcmp(l->name, layer) != 0) continue;
        statistics s = {0};
        const lc_status status = take(net, l, data, &s, err);
        statistics_end(&s);
        return status;
    }
    return lc_fail(err, LC_ARGUMENT, "the model has no layer \"%.100s\"", layer ? layer : "");
}
