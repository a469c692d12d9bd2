/*
 * net_feed.c: from the arrays of a batch to inputs and outputs of the model: which goes where, and whether it fits.
 */
#include "api/net.h"

#include "train/target.h"

#include <string.h>

static const char *wanted_name(const lc_net *net, bool targets, uint32_t i) {
    const lc_keras_model *m = net->keras;
    return targets ? lc_net_output_name(net, i) : m->layers[m->inputs[i].layer].name;
}

lc_status lc_net_ports_fit(const lc_net *net, lc_error *err) {
    const uint32_t in = net->keras->input_count, out = net->keras->output_count;
    if (in > LC_NET_MOST || out > LC_NET_MOST)
        return lc_fail(err, LC_LIMIT, "the model has %u inputs and %u outputs, more than %d", in, out, LC_NET_MOST);
    return LC_OK;
}

/* Whether a target is needed for output k: it has a loss or a metric. */
static bool is_compared(const lc_net *net, uint32_t k) {
    bool compared = !net->losses || net->losses[k];
    for (uint32_t i = 0; i < net->metric_count; i++) compared |= net->metric_output[i] == k;
    return compared;
}

lc_status lc_net_match(const lc_net *net, const lc_pipeline *data, bool targets, uint32_t *places, lc_error *err) {
    const uint32_t all = targets ? net->keras->output_count : net->keras->input_count;
    const uint32_t have = targets ? lc_pipeline_y_count(data) : lc_pipeline_x_count(data), first = targets ? lc_pipeline_x_count(data) : 0;
    const char *what = targets ? "output" : "input";
    uint32_t need = 0;
    LC_TRY(lc_net_ports_fit(net, err));
    for (uint32_t i = 0; i < all; i++) need += !targets || is_compared(net, i);
    if (have < need) {
        lc_fail(err, LC_INVALID, "the data has %u %s a sample, the model has %u %s%s", have, targets ? "targets" : "inputs", need, what,
                need == 1 ? "" : "s");
        if (targets) lc_error_hint(err, "give the data its labels (y)");
        return LC_INVALID;
    }
    for (uint32_t i = 0, next = 0; i < all; i++) {
        places[i] = have >= all ? i : next; /* targets for all outputs, or for those that need one */
        if (targets && !is_compared(net, i)) {
            places[i] = 0;
            continue;
        }
        next++;
        bool named = false;
        for (uint32_t k = 0; k < have; k++) {
            const char *name = lc_pipeline_part_name(data, first + k);
            named |= name != NULL;
            if (name && strcmp(name, wanted_name(net, targets, i)) == 0) places[i] = k;
        }
        if (named && need > 1) { /* with several, a name that fits none is a mistake */
            const char *name = lc_pipeline_part_name(data, first + places[i]);
            if (!name || strcmp(name, wanted_name(net, targets, i)) != 0) {
                lc_fail(err, LC_INVALID, "the data has nothing named \"%.100s\", an %s of the model", wanted_name(net, targets, i), what);
                return LC_INVALID;
            }
        }
    }
    return LC_OK;
}

/* The shape of input i as the model states it: sizes, null where any will do. */
static const lc_json *shape_of(const lc_net *net, uint32_t i) {
    const lc_json *config = net->keras->layers[net->keras->inputs[i].layer].config, *shape = lc_json_get(config, "batch_shape");
    return shape ? shape : lc_json_get(config, "batch_input_shape");
}

/* As Keras does: a last dimension of 1 is added where the model has it and the data has not, or taken away. */
static void adjust_rank(lc_array *a, const lc_json *shape) {
    const uint32_t rank = lc_json_is(shape, LC_JSON_ARRAY) ? shape->count : (uint32_t)a->rank;
    const lc_json *last = rank ? lc_json_at(shape, rank - 1) : NULL;
    if ((uint32_t)a->rank + 1 == rank && rank <= LC_MAX_RANK && lc_json_is(last, LC_JSON_INT) && last->integer == 1) a->dims[a->rank++] = 1;
    else if (a->rank > 1 && (uint32_t)a->rank == rank + 1 && a->dims[a->rank - 1] == 1) a->rank--;
}

lc_status lc_net_fit_inputs(const lc_net *net, const lc_batch *batch, const uint32_t *places, lc_net_fitted *f, lc_error *err) {
    f->batch = *batch;
    f->batch.x = f->x;
    for (uint32_t i = 0; i < net->keras->input_count; i++) {
        if (places[i] >= LC_NET_MOST) return lc_fail(err, LC_LIMIT, "the data has more than %d inputs", LC_NET_MOST);
        lc_array *a = &f->x[places[i]];
        *a = batch->x[places[i]];
        const lc_json *shape = shape_of(net, i);
        adjust_rank(a, shape);
        bool fits = lc_json_is(shape, LC_JSON_ARRAY) && (uint32_t)a->rank == shape->count;
        for (int32_t d = 1; fits && d < a->rank; d++) {
            const lc_json *size = lc_json_at(shape, (uint32_t)d);
            fits = !lc_json_is(size, LC_JSON_INT) || size->integer == a->dims[d];
        }
        if (fits) continue;
        lc_text wanted = {0};
        char found[LC_MAX_RANK * 14 + 3];
        lc_text_add(&wanted, "[");
        for (uint32_t d = 0; shape && d < shape->count; d++) {
            const lc_json *size = lc_json_at(shape, d);
            if (d) lc_text_add(&wanted, ", ");
            if (lc_json_is(size, LC_JSON_INT)) lc_text_printf(&wanted, "%lld", (long long)size->integer);
            else lc_text_add(&wanted, d ? "?" : "batch");
        }
        lc_text_add(&wanted, "]");
        lc_fail(err, LC_INVALID, "input \"%.100s\" of the model needs %s, the data gives %s", wanted_name(net, false, i),
                wanted.data ? wanted.data : "?", lc_array_shape(a, found));
        lc_error_hint(err, "reshape the data (a channel of its own: [28, 28, 1]), or the model's first layer");
        lc_text_deinit(&wanted);
        return LC_INVALID;
    }
    return LC_OK;
}

#define EACH(FROM, TO) \
    for (size_t i = 0; i < n; i++) ((TO *)to)[i] = (TO)((const FROM *)from)[i]; \
    return LC_OK;
#define TO_TYPES(FROM) \
    switch (to_type) { \
    case LC_FLOAT32: EACH(FROM, float) \
    case LC_INT32: EACH(FROM, int32_t) \
    case LC_INT64: EACH(FROM, int64_t) \
    case LC_UINT8: EACH(FROM, uint8_t) \
    case LC_INT8: EACH(FROM, int8_t) \
    default: break; \
    } \
    break;

lc_status lc_net_copy(lc_dtype to_type, void *to, lc_dtype from_type, const void *from, size_t n, lc_error *err) {
    if (to_type == from_type) {
        memcpy(to, from, n * (lc_dtype_bits(to_type) / 8));
        return LC_OK;
    }
    switch (from_type) {
    case LC_FLOAT32: TO_TYPES(float)
    case LC_FLOAT64: TO_TYPES(double)
    case LC_UINT8: TO_TYPES(uint8_t)
    case LC_INT8: TO_TYPES(int8_t)
    case LC_INT16: TO_TYPES(int16_t)
    case LC_UINT16: TO_TYPES(uint16_t)
    case LC_INT32: TO_TYPES(int32_t)
    case LC_INT64: TO_TYPES(int64_t)
    case LC_BOOL: TO_TYPES(bool)
    default: break;
    }
    return lc_fail(err, LC_INVALID, "the model takes %s, the data is %s", lc_dtype_name(to_type), lc_dtype_name(from_type));
}
