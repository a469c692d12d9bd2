/*
 * check_quant.c: the quantisation parameters of a tensor: real = scale * (q - zero_point), one pair for the tensor or one for
 * each index of quantized_dimension; or details (blockwise, multi-axis) that name other tensors of the subgraph.
 *
 * Measured against what is in use:
 *   - Counts are checked for every type, as in LiteRT; values only for integer types, because files in use carry leftovers
 *     (scale 0 on strings, ranges on floats) that nobody reads.
 *   - A tensor of rank 1 has one dimension to be quantised in, whatever quantized_dimension says: biases of the 2019
 *     converter have that of their filter (3). LiteRT refuses those, TensorFlow Lite Micro ships and runs one.
 *   - Scales must be above zero. LiteRT takes 0 and lets each kernel see to it; dividing by it is CVE material, and no
 *     converter since 2019 writes it.
 *   - Details do not excuse the plain fields: whoever reads those must find them sound.
 */
#include "runtime/check.h"
#include <math.h>

/* Smallest and largest value of an integer type; false for types that hold no quantised numbers. */
static bool type_range(int8_t type, int64_t *min, int64_t *max) {
    switch (type) {
    case LC_INT2:
        *min = -2;
        *max = 1;
        return true;
    case LC_INT4:
        *min = -8;
        *max = 7;
        return true;
    case LC_UINT4:
        *min = 0;
        *max = 15;
        return true;
    case LC_INT8:
        *min = INT8_MIN;
        *max = INT8_MAX;
        return true;
    case LC_UINT8:
        *min = 0;
        *max = UINT8_MAX;
        return true;
    case LC_INT16:
        *min = INT16_MIN;
        *max = INT16_MAX;
        return true;
    case LC_UINT16:
        *min = 0;
        *max = UINT16_MAX;
        return true;
    case LC_INT32:
        *min = INT32_MIN;
        *max = INT32_MAX;
        return true;
    case LC_UINT32:
        *min = 0;
        *max = UINT32_MAX;
        return true;
    case LC_INT64:
        *min = INT64_MIN;
        *max = INT64_MAX;
        return true;
    default: return false;
    }
}

static lc_status check_affine(const lc_check *c, size_t g, size_t i, const lc_Tensor *t, const lc_QuantizationParameters *q) {
    if (q->scale.n == 0) return LC_OK; /* only min and max, or nothing: not quantised yet */
    if (q->zero_point.n != q->scale.n) {
        return lc_check_fail_tensor(c, LC_RULE_QUANT_COUNT, g, i, "has %u scales and %u zero points", q->scale.n, q->zero_point.n);
    }
    uint32_t rank = t->shape.n;
    if (q->quantized_dimension < 0 || (rank > 1 && (uint32_t)q->quantized_dimension >= rank)) {
        return lc_check_fail_tensor(c, LC_RULE_QUANT_DIM, g, i, "quantized_dimension is %d, the tensor has %u dimensions",
                                    q->quantized_dimension, rank);
    }
    int32_t wanted = rank == 0 ? 1 : t->shape.data[rank == 1 ? 0 : q->quantized_dimension];
    if (q->scale.n != 1 && q->scale.n != (uint32_t)wanted) {
        return lc_check_fail_tensor(c, LC_RULE_QUANT_SCALES, g, i, "has %u scales, needs 1 or %d", q->scale.n, wanted);
    }
    int64_t min, max;
    if (!type_range(t->type, &min, &max)) return LC_OK;
    for (size_t k = 0; k < q->scale.n; k++) {
        float scale = q->scale.data[k];
        if (!isfinite(scale) || scale <= 0) {
            return lc_check_fail_tensor(c, LC_RULE_QUANT_SCALE, g, i, "scale %zu is %g", k, (double)scale);
        }
        int64_t zero = q->zero_point.data[k];
        if (zero < min || zero > max) {
            return lc_check_fail_tensor(c, LC_RULE_QUANT_ZERO_POINT, g, i, "zero point %zu is %lld, %s holds %lld to %lld", k,
                                        (long long)zero, lc_dtype_name((lc_dtype)t->type), (long long)min, (long long)max);
        }
    }
    return LC_OK;
}

/* The two tensors that blockwise and multi-axis details name; zero_points may be absent. */
static lc_status check_named(const lc_check *c, lc_rule rule, size_t g, size_t i, int32_t scales, int32_t zero_points) {
    uint32_t n = c->model->subgraphs.data[g].tensors.n;
    if (scales < 0 || (uint32_t)scales >= n) {
        return lc_check_fail_tensor(c, rule, g, i, "scales: tensor %d does not exist (there are %u)", scales, n);
    }
    if (zero_points != LC_ABSENT && (zero_points < 0 || (uint32_t)zero_points >= n)) {
        return lc_check_fail_tensor(c, rule, g, i, "zero_points: tensor %d does not exist (there are %u)", zero_points, n);
    }
    return LC_OK;
}

static lc_status check_multi_axis(const lc_check *c, size_t g, size_t i, const lc_Tensor *t, const lc_MultiAxisQuantization *d) {
    const lc_rule rule = LC_RULE_QUANT_MULTI_AXIS;
    LC_TRY(check_named(c, rule, g, i, d->scales, d->zero_points));
    if (d->block_size < 0) return lc_check_fail_tensor(c, rule, g, i, "block size is %d", d->block_size);
    if (d->quantized_dimensions.n == 0) return lc_check_fail_tensor(c, rule, g, i, "has no quantized dimension");
    uint8_t *seen = lc_arena_array(c->scratch, t->shape.n, 1);
    if (!seen) return lc_fail_memory(c->err, "checking quantisation");
    for (size_t k = 0; k < d->quantized_dimensions.n; k++) {
        int32_t dim = d->quantized_dimensions.data[k];
        if (dim < 0 || (t->shape.n != 0 && (uint32_t)dim >= t->shape.n)) {
            return lc_check_fail_tensor(c, rule, g, i, "quantized dimension %zu is %d, the tensor has %u dimensions", k, dim, t->shape.n);
        }
        if (t->shape.n == 0) continue; /* unknown rank */
        if (seen[dim]) return lc_check_fail_tensor(c, rule, g, i, "dimension %d is quantized twice", dim);
        seen[dim] = 1;
    }
    return LC_OK;
}

lc_status lc_check_quant(const lc_check *c, size_t g, size_t i) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    const lc_QuantizationParameters *q = t->quantization;
    LC_TRY(check_affine(c, g, i, t, q));
    if (q->details.type == LC_QuantizationDetails_NONE) return LC_OK;
    if (!q->details.value) {
        return lc_check_fail_tensor(c, LC_RULE_QUANT_DETAILS, g, i, "quantisation details of type %u are unknown", q->details.type);
    }
    if (q->details.type == LC_QuantizationDetails_BlockwiseQuantization) {
        const lc_BlockwiseQuantization *d = q->details.value;
        LC_TRY(check_named(c, LC_RULE_QUANT_BLOCKWISE, g, i, d->scales, d->zero_points));
        if (d->block_size < 0 || (d->block_size == 0 && d->block_shape.n == 0))
            return lc_check_fail_tensor(c, LC_RULE_QUANT_BLOCKWISE, g, i, "block size is %d", d->block_size);
    }
    if (q->details.type == LC_QuantizationDetails_MultiAxisQuantization) { return check_multi_axis(c, g, i, t, q->details.value); }
    return LC_OK;
}
