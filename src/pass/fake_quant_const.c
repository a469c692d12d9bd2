/*
 * fake_quant_const.c: float32 constants as integers, the way TFLite's int8 operators want them (tensorflow.org/lite, "8-bit quantization
 * specification"): weights symmetric in [-127, 127], biases int32 on the steps input x weights, operands of elementwise operators over
 * their own range.
 *
 * Weights that were fake-quantised carry their steps (lower/tf_quant.c); rounding to them loses nothing. Asymmetric ones get
 * symmetric steps of their own.
 */
#include "pass/qat.h"

#include "ir/constant.h"

#include <math.h>
#include <string.h>

const lc_QuantizationParameters *lc_qat_params(lc_rewrite *rw, const float *scale, const int64_t *zero, uint32_t n, int32_t axis) {
    lc_QuantizationParameters *q = lc_arena_alloc(rw->arena, sizeof *q);
    float *scales = lc_arena_array(rw->arena, n, sizeof *scales);
    int64_t *zeros = lc_arena_array(rw->arena, n, sizeof *zeros);
    if (!q || !scales || !zeros) return NULL;
    lc_schema_init(LC_TABLE_QuantizationParameters, q);
    memcpy(scales, scale, n * sizeof *scales);
    if (zero) memcpy(zeros, zero, n * sizeof *zeros);
    q->scale.data = scales;
    q->scale.n = n;
    q->zero_point.data = zeros;
    q->zero_point.n = n;
    q->quantized_dimension = n > 1 ? axis : 0;
    return q;
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

static int32_t rounded(double v, int32_t low, int32_t high) {
    v = nearbyint(v);
    return !(v > low) ? low : v > high ? high : (int32_t)v;
}

/* The tensor's floats: in the model's arena when it is deferred. */
static lc_status floats(lc_rewrite *rw, int32_t tensor, const float **f, size_t *n) {
    LC_TRY(lc_tensor_make(rw->graph->model, lc_rewrite_tensor(rw, tensor), rw->err));
    const lc_tensor *t = lc_rewrite_tensor(rw, tensor);
    *f = t->data;
    *n = t->size / sizeof **f;
    return LC_OK;
}

/* One scale a slice: from the annotation when it fits, else from the largest value. */
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

lc_status lc_qat_weights(lc_rewrite *rw, int32_t tensor, int32_t axis, int32_t *made) {
    const float *f;
    size_t n;
    void *data;
    LC_TRY(floats(rw, tensor, &f, &n));
    const lc_tensor t = *lc_rewrite_tensor(rw, tensor);
    slices s = slices_of(&t, axis);
    float *scale = lc_arena_array(&rw->temporary, s.n, sizeof *scale);
    if (!scale) return lc_fail_memory(rw->err, "quantisation");
    if (!annotated(&t, axis, &s, scale)) {
        for (size_t i = 0; i < n; i++) scale[slice_at(s, i)] = fmaxf(scale[slice_at(s, i)], fabsf(f[i]));
        for (size_t i = 0; i < s.n; i++) scale[i] = scale[i] > 0 ? scale[i] / 127 : 1;
    }
    LC_TRY(lc_rewrite_add_constant(rw, t.name, LC_INT8, t.dims, t.rank, made, &data));
    for (size_t i = 0; i < n; i++) ((int8_t *)data)[i] = (int8_t)rounded((double)f[i] / scale[slice_at(s, i)], -127, 127);
    const lc_QuantizationParameters *q = lc_qat_params(rw, scale, NULL, (uint32_t)s.n, axis);
    if (!q) return lc_fail_memory(rw->err, "quantisation");
    lc_rewrite_tensor(rw, *made)->quant = q;
    return LC_OK;
}

lc_status lc_qat_bias(lc_rewrite *rw, int32_t tensor, float input_scale, int32_t weights, int32_t *made) {
    const float *f;
    size_t n;
    void *data;
    LC_TRY(floats(rw, tensor, &f, &n));
    const lc_tensor t = *lc_rewrite_tensor(rw, tensor);
    const lc_QuantizationParameters *w = lc_rewrite_tensor(rw, weights)->quant;
    float *scale = lc_arena_array(&rw->temporary, w->scale.n, sizeof *scale);
    if (!scale) return lc_fail_memory(rw->err, "quantisation");
    for (uint32_t i = 0; i < w->scale.n; i++) scale[i] = input_scale * w->scale.data[i];
    LC_TRY(lc_rewrite_add_constant(rw, t.name, LC_INT32, t.dims, t.rank, made, &data));
    for (size_t i = 0; i < n; i++)
        ((int32_t *)data)[i] = rounded((double)f[i] / scale[w->scale.n == 1 ? 0 : i % w->scale.n], INT32_MIN, INT32_MAX);
    const lc_QuantizationParameters *q = lc_qat_params(rw, scale, NULL, w->scale.n, 0);
    if (!q) return lc_fail_memory(rw->err, "quantisation");
    lc_rewrite_tensor(rw, *made)->quant = q;
    return LC_OK;
}

lc_status lc_qat_operand(lc_rewrite *rw, int32_t tensor, int32_t *made, lc_steps *s) {
    const float *f;
    size_t n;
    void *data;
    LC_TRY(floats(rw, tensor, &f, &n));
    const lc_tensor t = *lc_rewrite_tensor(rw, tensor);
    const lc_QuantizationParameters *q = t.quant;
    if (q && q->scale.n == 1 && q->zero_point.n == 1) {
        *s = (lc_steps){q->scale.data[0], (int32_t)q->zero_point.data[0]};
    } else {
        float low = 0, high = 0;
        for (size_t i = 0; i < n; i++) {
            low = fminf(low, f[i]);
            high = fmaxf(high, f[i]);
        }
        s->scale = high > low ? (high - low) / 255 : 1;
        s->zero = rounded(-128 - (double)low / s->scale, -128, 127);
    }
    LC_TRY(lc_rewrite_add_constant(rw, t.name, LC_INT8, t.dims, t.rank, made, &data));
    for (size_t i = 0; i < n; i++) ((int8_t *)data)[i] = (int8_t)rounded((double)f[i] / s->scale + s->zero, -128, 127);
    const int64_t zero = s->zero;
    if (!(q = lc_qat_params(rw, &s->scale, &zero, 1, 0))) return lc_fail_memory(rw->err, "quantisation");
    lc_rewrite_tensor(rw, *made)->quant = q;
    return LC_OK;
}
