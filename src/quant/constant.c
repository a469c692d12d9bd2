/*
 * constant.c: float32 constants as integers, the way TFLite's integer operators want them (tensorflow.org/lite, "8-bit quantization
 * specification"): weights symmetric with the lowest step left out, biases on the steps input x weights, operands on the steps they are given.
 *
 * Weights that were fake-quantised carry their steps (lower/tf_quant.c); rounding to them loses nothing. Asymmetric ones get symmetric
 * steps of their own. Ties round to even, as the arithmetic of the machine does.
 */
#include "quant/quant.h"

#include "ir/constant.h"

#include <float.h>
#include <math.h>
#include <string.h>

lc_steps lc_steps_over(lc_dtype type, float low, float high) {
    low = fminf(low, 0);
    high = fmaxf(high, 0);
    lc_steps s = {.type = type, .scale = 1};
    const double width = (double)high - low; /* may be more than a float holds */
    /* int8: half way between two steps of 255, zero would be rounded to one of them and every value moved by half a step, as 8-bit pictures
     * in -1 ... 1 lie half way throughout. Of 254 steps it is one. */
    const bool symmetric = type == LC_INT16 || fabs((double)high + low) < width / 255 / 16;
    if (symmetric && width > 0) {
        s.scale = fmaxf(-low, high) / (type == LC_INT16 ? 32767 : 127);
    } else if (width > 0) {
        s.scale = (float)(width / 255);
        const float zero = nearbyintf(-128 - low / s.scale);
        s.zero = (int32_t)(zero < -128 ? -128 : zero > 127 ? 127 : zero);
    }
    /* a range whose steps are no normal number holds nothing that could be told apart */
    if (!(s.scale >= 1e-30f)) s = (lc_steps){.type = type, .scale = 1};
    return s;
}

lc_status lc_quant_annotate(lc_graph *graph, int32_t tensor, lc_steps s, lc_error *err) {
    const int64_t zero = s.zero;
    lc_tensor *t = &graph->tensors[tensor];
    t->type = s.type;
    t->quant = s.type == LC_FLOAT32 ? NULL : lc_tensor_steps(&graph->model->arena, &s.scale, &zero, 1, 0);
    return t->quant || s.type == LC_FLOAT32 ? LC_OK : lc_fail_memory(err, "quantisation");
}

const float *lc_quant_floats(const lc_tensor *t, lc_arena *temporary) {
    if (t->data) return t->data;
    const lc_deferred *d = t->deferred;
    float *f = lc_arena_array(temporary, d->rows * d->cols, sizeof *f);
    if (f) lc_deferred_fill(d, 0, d->cols, f);
    return f;
}

static size_t count_of(const lc_tensor *t) {
    uint64_t n;
    return lc_tensor_elements(t, &n) ? (size_t)n : 0;
}

/* Slices of a dimension: element i belongs to slice i / inner % n. */
typedef struct slices {
    size_t n, inner;
} slices;

static slices slices_of(const lc_tensor *t, int32_t axis) {
    slices s = {1, 1};
    if (axis < 0 || axis >= t->rank) return s;
    s.n = (size_t)t->dims[axis];
    for (int32_t d = axis + 1; d < t->rank; d++) s.inner *= (size_t)t->dims[d];
    return s;
}

static size_t slice_at(slices s, size_t i) { return s.n == 1 ? 0 : i / s.inner % s.n; }

static int64_t rounded(double v, int64_t low, int64_t high) {
    v = nearbyint(v);
    return !(v > (double)low) ? low : v >= (double)high ? high : (int64_t)v;
}

/* The steps that the tensor is annotated with, when they fit. */
static bool annotated(const lc_tensor *t, int32_t axis, slices *s, float *scale) {
    const lc_QuantizationParameters *q = t->quant;
    if (!q || q->scale.n == 0 || q->zero_point.n != q->scale.n) return false;
    for (uint32_t i = 0; i < q->scale.n; i++)
        if (q->zero_point.data[i] != 0 || !(q->scale.data[i] > 0)) return false;
    if (q->scale.n == 1) {
        *s = (slices){1, 1};
        scale[0] = q->scale.data[0];
        return true;
    }
    if (axis < 0 || q->quantized_dimension != axis || q->scale.n != (uint32_t)t->dims[axis]) return false;
    *s = slices_of(t, axis);
    memcpy(scale, q->scale.data, q->scale.n * sizeof *scale);
    return true;
}

/* The scale of a slice of 4-bit weights, the largest of which is `most`. Training for 4 bits leaves them on few steps: of these, where they are
 * all on them. */
static float scale_of_few(const float *f, size_t n, slices s, size_t slice, float most, int64_t limit) {
    for (int64_t steps = limit; steps > 1 && most > 0; steps--) {
        const float scale = most / (float)steps;
        bool on = true;
        for (size_t first = slice * s.inner; on && first < n; first += s.n * s.inner)
            for (size_t i = first; on && i < first + s.inner; i++) on = fabsf(f[i] / scale - nearbyintf(f[i] / scale)) <= 1e-3f;
        if (on) return scale;
    }
    return most / (float)limit;
}

/* A constant of another type with the shape of `like`, its bytes zeroed. */
static lc_status new_constant(lc_graph *graph, const lc_tensor *like, lc_dtype type, const lc_QuantizationParameters *quant, int32_t *made,
                              void **data, lc_error *err) {
    uint64_t bytes;
    if (!quant) return lc_fail_memory(err, "quantisation");
    if (!lc_dtype_bytes(type, count_of(like), &bytes)) return lc_fail(err, LC_LIMIT, "a constant is too large");
    *data = lc_arena_array(&graph->model->arena, bytes ? (size_t)bytes : 1, 1);
    if (!*data) return lc_fail_memory(err, "a constant");
    const lc_tensor t = {.name = like->name,
                         .type = type,
                         .rank = like->rank,
                         .dims = like->dims,
                         .has_rank = true,
                         .data = *data,
                         .size = (size_t)bytes,
                         .data_at = LC_NO_OFFSET,
                         .data_owned = true,
                         .quant = quant};
    return lc_graph_add_tensor(graph, &t, made, err);
}

lc_status lc_quant_weights(lc_graph *graph, int32_t tensor, lc_dtype type, int32_t axis, const float *least, lc_arena *temporary,
                           int32_t *made, lc_error *err) {
    const lc_tensor t = graph->tensors[tensor];
    const size_t n = count_of(&t);
    const int64_t limit = type == LC_INT4 ? 7 : 127;
    slices s = slices_of(&t, axis);
    const float *f = lc_quant_floats(&t, temporary);
    float *scale = lc_arena_array(temporary, s.n, sizeof *scale);
    if (!f || !scale) return lc_fail_memory(err, "quantisation");
    if (type == LC_INT4 || !annotated(&t, axis, &s, scale)) { /* steps of 8 bits would cut what 4 bits hold */
        for (size_t i = 0; i < n; i++) scale[slice_at(s, i)] = fmaxf(scale[slice_at(s, i)], fabsf(f[i]));
        for (size_t i = 0; i < s.n; i++) {
            scale[i] = type == LC_INT4 ? scale_of_few(f, n, s, i, scale[i], limit) : scale[i] / (float)limit;
            if (least) scale[i] = fmaxf(scale[i], least[i]);
            if (!(scale[i] >= 1e-30f)) scale[i] = 1;
        }
    }
    void *data;
    LC_TRY(new_constant(graph, &t, type, lc_tensor_steps(&graph->model->arena, scale, NULL, (uint32_t)s.n, axis), made, &data, err));
    for (size_t i = 0; i < n; i++) {
        const int64_t q = rounded((double)f[i] / scale[slice_at(s, i)], -limit, limit);
        if (type == LC_INT4) ((uint8_t *)data)[i / 2] |= (uint8_t)((q & 15) << (i % 2 * 4));
        else ((int8_t *)data)[i] = (int8_t)q;
    }
    return LC_OK;
}

lc_status lc_quant_bias(lc_graph *graph, int32_t tensor, lc_steps input, int32_t weights, lc_arena *temporary, int32_t *made,
                        lc_error *err) {
    const lc_tensor t = graph->tensors[tensor];
    const size_t n = count_of(&t);
    const lc_QuantizationParameters *w = graph->tensors[weights].quant;
    const float *f = lc_quant_floats(&t, temporary);
    float *scale = lc_arena_array(temporary, w->scale.n, sizeof *scale);
    if (!f || !scale) return lc_fail_memory(err, "quantisation");
    for (uint32_t i = 0; i < w->scale.n; i++) scale[i] = fminf(input.scale * w->scale.data[i], FLT_MAX);
    const bool wide = input.type == LC_INT16;
    void *data;
    LC_TRY(new_constant(graph, &t, wide ? LC_INT64 : LC_INT32, lc_tensor_steps(&graph->model->arena, scale, NULL, w->scale.n, 0), made,
                        &data, err));
    for (size_t i = 0; i < n; i++) {
        const double v = (double)f[i] / scale[w->scale.n == 1 ? 0 : i % w->scale.n];
        if (wide) ((int64_t *)data)[i] = rounded(v, -((int64_t)1 << 40), (int64_t)1 << 40);
        else ((int32_t *)data)[i] = (int32_t)rounded(v, INT32_MIN, INT32_MAX);
    }
    return LC_OK;
}

lc_status lc_quant_operand(lc_graph *graph, int32_t tensor, lc_steps steps, lc_arena *temporary, int32_t *made, lc_error *err) {
    const lc_tensor t = graph->tensors[tensor];
    const size_t n = count_of(&t);
    const int64_t zero = steps.zero;
    const float *f = lc_quant_floats(&t, temporary);
    void *data;
    if (!f) return lc_fail_memory(err, "quantisation");
    LC_TRY(new_constant(graph, &t, steps.type, lc_tensor_steps(&graph->model->arena, &steps.scale, &zero, 1, 0), made, &data, err));
    for (size_t i = 0; i < n; i++) {
        const double v = (double)f[i] / steps.scale + steps.zero;
        if (steps.type == LC_INT16) ((int16_t *)data)[i] = (int16_t)rounded(v, -32767, 32767);
        else ((int8_t *)data)[i] = (int8_t)rounded(v, -128, 127);
    }
    return LC_OK;
}

lc_steps lc_quant_constant_steps(const lc_tensor *t, lc_dtype type, lc_arena *temporary) {
    const lc_QuantizationParameters *q = t->quant;
    if (q && q->scale.n == 1 && q->zero_point.n == 1 && type == LC_INT8)
        return (lc_steps){.type = type, .scale = q->scale.data[0], .zero = (int32_t)q->zero_point.data[0]};
    const lc_range r = lc_quant_constant_range(t, temporary);
    return lc_steps_over(type, r.low, r.high);
}

lc_range lc_quant_constant_range(const lc_tensor *t, lc_arena *temporary) {
    const lc_QuantizationParameters *q = t->quant;
    if (q && q->scale.n == 1 && q->zero_point.n == 1) {
        const float scale = q->scale.data[0], zero = (float)q->zero_point.data[0];
        return (lc_range){(-128 - zero) * scale, (127 - zero) * scale, true};
    }
    const float *f = lc_quant_floats(t, temporary);
    const size_t n = f ? count_of(t) : 0;
    lc_range r = {.seen = n > 0};
    for (size_t i = 0; i < n; i++) {
        r.low = i ? fminf(r.low, f[i]) : f[0];
        r.high = i ? fmaxf(r.high, f[i]) : f[0];
    }
    return r;
}
