/*
 * net_feed.c: from the arrays of a batch to inputs and outputs of the model: which goes where, and whether it fits.
 */
#include "api/net.h"

#include "ir/constant.h"
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

lc_array lc_net_input_shape(const lc_net *net, uint32_t i) {
    lc_array a = {0};
    const lc_json *shape = net && net->keras && i < net->keras->input_count ? shape_of(net, i) : NULL;
    if (!lc_json_is(shape, LC_JSON_ARRAY) || shape->count > LC_MAX_RANK) return a;
    const char *name = lc_json_str(net->keras->layers[net->keras->inputs[i].layer].config, "dtype", "float32");
    a.type = LC_FLOAT32;
    for (lc_dtype t = 0; t < LC_DTYPE_COUNT; t++)
        if (strcmp(name, lc_dtype_name(t)) == 0) a.type = t;
    a.rank = (int32_t)shape->count;
    for (int32_t d = 0; d < a.rank; d++) {
        const lc_json *size = lc_json_at(shape, (uint32_t)d);
        a.dims[d] = lc_json_is(size, LC_JSON_INT) && size->integer >= 0 && size->integer <= INT32_MAX ? (int32_t)size->integer : -1;
    }
    return a;
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
        lc_error_hint(
            err, "give pictures the model's size (.height, .width, .channels; litec train: --height, --width, --channels), reshape the "
                 "data, or change the model's input");
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
    if (from_type == LC_FLOAT16 || from_type == LC_BFLOAT16) { /* by float32, some at a time */
        float some[256];
        for (size_t i = 0, k; i < n; i += k) {
            k = n - i < 256 ? n - i : 256;
            lc_floats_load(from_type, from, i, k, some);
            LC_TRY(lc_net_copy(to_type, (char *)to + i * (lc_dtype_bits(to_type) / 8), LC_FLOAT32, some, k, err));
        }
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
    case LC_UINT32: TO_TYPES(uint32_t)
    case LC_UINT64: TO_TYPES(uint64_t)
    case LC_BOOL: TO_TYPES(bool)
    default: break;
    }
    return lc_fail(err, LC_INVALID, "the model takes %s, the data is %s", lc_dtype_name(to_type), lc_dtype_name(from_type));
}

/* ---- validation ----------------------------------------------------------------------------------------------------------- */

/* Numbers of one sample. */
static size_t sample_numbers(const lc_array *batch) {
    size_t n = 1;
    for (int32_t d = 1; d < batch->rank; d++) n *= (size_t)batch->dims[d]; /* checked: the pipeline has a batch of them in memory */
    return n;
}

static lc_status fits_validation(const lc_net *net, const lc_pipeline *data, const lc_pipeline *validation, lc_error *err) {
    uint32_t x[LC_NET_MOST], y[LC_NET_MOST], from[LC_NET_MOST];
    lc_array parts[LC_NET_MOST];
    lc_net_fitted fitted;
    LC_TRY(lc_net_match(net, validation, false, x, err));
    LC_TRY(lc_net_match(net, validation, true, y, err));
    LC_TRY(lc_net_match(net, data, true, from, err));
    for (uint32_t i = 0; i < LC_NET_MOST; i++) parts[i] = lc_pipeline_part(validation, i);
    LC_TRY(lc_net_fit_inputs(net, &(lc_batch){.x = parts}, x, &fitted, err));
    for (uint32_t k = 0; k < net->keras->output_count; k++) {
        const lc_array a = lc_pipeline_part(validation, lc_pipeline_x_count(validation) + y[k]);
        const lc_array b = lc_pipeline_part(data, lc_pipeline_x_count(data) + from[k]);
        char found[LC_MAX_RANK * 14 + 3], wanted[LC_MAX_RANK * 14 + 3];
        if (!is_compared(net, k) || sample_numbers(&a) == sample_numbers(&b)) continue;
        lc_fail(err, LC_INVALID, "targets of shape %s for output \"%.100s\", those to train on have %s", lc_array_shape(&a, found),
                lc_net_output_name(net, k), lc_array_shape(&b, wanted));
        lc_error_hint(err, "give both the same form: classes, or one-hot rows");
        return LC_INVALID;
    }
    return LC_OK;
}

lc_status lc_net_fit_validation(const lc_net *net, const lc_pipeline *data, const lc_pipeline *validation, lc_error *err) {
    const lc_status status = fits_validation(net, data, validation, err);
    if (status != LC_OK) lc_error_prefix(err, "validation data");
    return status;
}
