/*
 * compare_sums.c: the arithmetic of a comparison: quantised numbers as real ones, and sums over two arrays of them, from which all that
 * is reported follows. Nothing is kept but the sums. A value that is not finite on one side alone would drown the rest: it is counted and
 * left out.
 */
#include "api/compare.h"

#include "base/half.h"

#include <math.h>
#include <string.h>

uint64_t lc_cmp_numbers(lc_dtype *type, uint64_t elements) {
    if (*type == LC_COMPLEX64 || *type == LC_COMPLEX128) {
        *type = *type == LC_COMPLEX64 ? LC_FLOAT32 : LC_FLOAT64;
        return 2 * elements;
    }
    return lc_dtype_bits(*type) > 0 && *type != LC_FLOAT8_E4M3FN && *type != LC_FLOAT8_E5M2 ? elements : 0;
}

/* Blocks of inputs with a scale each, which are kept in a tensor of their own. */
static lc_status block_steps(const lc_graph *graph, const lc_BlockwiseQuantization *q, lc_arena *arena, lc_cmp_steps *steps,
                             lc_error *err) {
    const lc_tensor *t = q->scales >= 0 && (size_t)q->scales < graph->tensor_count ? &graph->tensors[q->scales] : NULL;
    uint64_t n;
    if (!t || t->type != LC_FLOAT16 || !t->data || q->block_size <= 0 || !lc_tensor_elements(t, &n) || n == 0 || n > t->size / 2)
        return LC_OK;
    float *scale = lc_arena_array(arena, (size_t)n, sizeof *scale);
    if (!scale) return lc_fail_memory(err, "comparison");
    for (uint64_t i = 0; i < n; i++) scale[i] = lc_half_to_float(((const uint16_t *)t->data)[i]);
    *steps = (lc_cmp_steps){.scale = scale, .n = (uint32_t)n, .inner = (uint64_t)q->block_size, .channels = n};
    return LC_OK;
}

lc_status lc_cmp_steps_of(const lc_graph *graph, const lc_tensor *t, lc_arena *arena, lc_cmp_steps *steps, lc_error *err) {
    const lc_QuantizationParameters *q = t->quant;
    int64_t first, last;
    *steps = (lc_cmp_steps){.inner = 1, .channels = 1};
    if (!q || (t->type != LC_INT32 && t->type != LC_INT64 && !lc_cmp_step_range(t->type, &first, &last))) return LC_OK;
    if (q->details.type == LC_QuantizationDetails_BlockwiseQuantization && q->details.value)
        return block_steps(graph, q->details.value, arena, steps, err);
    const int32_t axis = q->quantized_dimension;
    if (q->scale.n > 1 && (axis < 0 || axis >= t->rank || (uint64_t)t->dims[axis] != q->scale.n)) return LC_OK;
    *steps = (lc_cmp_steps){.scale = q->scale.data,
                            .n = (uint32_t)q->scale.n,
                            .zero = q->zero_point.data,
                            .zero_n = q->zero_point.n == q->scale.n ? (uint32_t)q->zero_point.n : q->zero_point.n > 0,
                            .inner = 1,
                            .channels = q->scale.n};
    for (int32_t d = axis + 1; q->scale.n > 1 && d < t->rank; d++) steps->inner *= (uint64_t)t->dims[d]; /* checked: a constant's shape */
    return LC_OK;
}

bool lc_cmp_step_range(lc_dtype type, int64_t *first, int64_t *last) {
    const bool is_signed = type == LC_INT8 || type == LC_INT16 || type == LC_INT4 || type == LC_INT2;
    if (!is_signed && type != LC_UINT8 && type != LC_UINT16 && type != LC_UINT4) return false;
    const int64_t steps = (int64_t)1 << lc_dtype_bits(type);
    *first = is_signed ? -steps / 2 : 0;
    *last = *first + steps - 1;
    return true;
}

void lc_cmp_reals(lc_dtype type, const void *data, const lc_cmp_steps *steps, uint64_t first, size_t n, double *out) {
    if (!lc_reals_load(type, data, first, n, out) || !steps || steps->n == 0) return;
    if (steps->n == 1) {
        const double scale = (double)steps->scale[0], zero = steps->zero_n ? (double)steps->zero[0] : 0;
        for (size_t i = 0; i < n; i++) out[i] = (out[i] - zero) * scale;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const uint64_t c = (first + i) / steps->inner % steps->channels;
        const double zero = steps->zero_n > 1 ? (double)steps->zero[c] : steps->zero_n ? (double)steps->zero[0] : 0;
        out[i] = (out[i] - zero) * (double)steps->scale[c];
    }
}

/* ---- sums ------------------------------------------------------------------------------------------------------------ */

static void add_finite(lc_cmp_sums *s, double a, double b) {
    const double e = b - a, size = fabs(e);
    if (s->count == 0) {
        s->low_a = s->high_a = a;
        s->low_b = s->high_b = b;
    }
    s->count++;
    s->error += e;
    s->abs_error += size;
    s->square += e * e;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
    if (size > s->max) s->max = size;
    if (a < s->low_a) s->low_a = a;
    if (a > s->high_a) s->high_a = a;
    if (b < s->low_b) s->low_b = b;
    if (b > s->high_b) s->high_b = b;
}

void lc_cmp_sums_add(lc_cmp_sums *s, const double *a, const double *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (isfinite(a[i]) && isfinite(b[i])) {
            add_finite(s, a[i], b[i]);
            continue;
        }
        s->bad_a += !isfinite(a[i]);
        s->bad_b += !isfinite(b[i]);
        s->bad_apart += !(isnan(a[i]) && isnan(b[i])) && a[i] != b[i];
    }
}

void lc_cmp_sums_join(lc_cmp_sums *s, const lc_cmp_sums *o) {
    if (o->count && s->count == 0) {
        s->low_a = o->low_a, s->high_a = o->high_a;
        s->low_b = o->low_b, s->high_b = o->high_b;
    }
    if (o->count) {
        s->low_a = fmin(s->low_a, o->low_a), s->high_a = fmax(s->high_a, o->high_a);
        s->low_b = fmin(s->low_b, o->low_b), s->high_b = fmax(s->high_b, o->high_b);
    }
    s->count += o->count;
    s->bad_a += o->bad_a;
    s->bad_b += o->bad_b;
    s->bad_apart += o->bad_apart;
    s->error += o->error;
    s->abs_error += o->abs_error;
    s->square += o->square;
    s->max = fmax(s->max, o->max);
    s->aa += o->aa;
    s->bb += o->bb;
    s->ab += o->ab;
}

static double snr_of(double signal, double noise) {
    if (noise == 0) return (double)INFINITY;
    return signal == 0 ? -(double)INFINITY : 10 * log10(signal / noise);
}

lc_difference lc_cmp_difference(const lc_cmp_sums *s) {
    const double n = s->count ? (double)s->count : 1, mean = s->error / n, both = sqrt(s->aa) * sqrt(s->bb);
    return (lc_difference){.count = s->count,
                           .bad_a = s->bad_a,
                           .bad_b = s->bad_b,
                           .bad_apart = s->bad_apart,
                           .snr = snr_of(s->aa, s->square),
                           .cosine = both > 0         ? fmin(s->ab / both, 1)
                                     : s->aa == s->bb ? 1
                                                      : 0,
                           .mean_error = mean,
                           .mean_abs_error = s->abs_error / n,
                           .max_abs_error = s->max,
                           .mean_squared_error = s->square / n,
                           .stddev = sqrt(fmax(s->square / n - mean * mean, 0)),
                           .low_a = s->low_a,
                           .high_a = s->high_a,
                           .low_b = s->low_b,
                           .high_b = s->high_b};
}
