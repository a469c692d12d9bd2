/*
 * data_put.c: elements of a batch to those of an input.
 *
 *   of one type                    copied; floats must be finite
 *   real numbers to floats         nearest
 *   real numbers to steps          nearest step of the input's scale, those beyond the ends become the ends (as a quantised operator does it)
 *   integers to integers           must be in range
 *   real numbers to integers       must be whole and in range
 *   steps of the model's input     these, where the input has the same scale; else the real numbers they stand for
 *
 * An element that does not fit is an error that names the sample and the element, both counted from 0.
 */
#include "source/data.h"

#include "base/half.h"
#include "source/rules.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* An element: an integer, or else a real number. */
typedef struct element {
    bool is_integer, huge; /* huge: an unsigned integer above INT64_MAX, which `real` tells about */
    int64_t integer;
    double real;
} element;

static bool integer_range(lc_dtype type, int64_t *low, int64_t *high) {
    const uint32_t bits = lc_dtype_bits(type);
    switch (type) {
    case LC_INT8:
    case LC_INT16:
    case LC_INT32: *low = -((int64_t)1 << (bits - 1)), *high = ((int64_t)1 << (bits - 1)) - 1; return true;
    case LC_UINT8:
    case LC_UINT16:
    case LC_UINT32: *low = 0, *high = ((int64_t)1 << bits) - 1; return true;
    case LC_INT64: *low = INT64_MIN, *high = INT64_MAX; return true;
    case LC_UINT64: *low = 0, *high = INT64_MAX; return true;
    case LC_BOOL: *low = 0, *high = 1; return true;
    default: return false;
    }
}

static bool is_float(lc_dtype type) { return type == LC_FLOAT32 || type == LC_FLOAT16 || type == LC_FLOAT64 || type == LC_BFLOAT16; }

static element whole(int64_t i) { return (element){true, false, i, (double)i}; }
static element real(double x) { return (element){.real = x}; }

static element get(const lc_array *a, size_t i) {
    switch (a->type) {
    case LC_FLOAT32: return real((double)((const float *)a->data)[i]);
    case LC_FLOAT64: return real(((const double *)a->data)[i]);
    case LC_FLOAT16: return real((double)lc_half_to_float(((const uint16_t *)a->data)[i]));
    case LC_BFLOAT16: return real((double)lc_bfloat_to_float(((const uint16_t *)a->data)[i]));
    case LC_INT8: return whole(((const int8_t *)a->data)[i]);
    case LC_INT16: return whole(((const int16_t *)a->data)[i]);
    case LC_INT32: return whole(((const int32_t *)a->data)[i]);
    case LC_INT64: return whole(((const int64_t *)a->data)[i]);
    case LC_UINT16: return whole(((const uint16_t *)a->data)[i]);
    case LC_UINT32: return whole(((const uint32_t *)a->data)[i]);
    case LC_UINT64: {
        const uint64_t u = ((const uint64_t *)a->data)[i];
        return (element){true, u > INT64_MAX, u > INT64_MAX ? INT64_MAX : (int64_t)u, (double)u};
    }
    default: return whole(((const uint8_t *)a->data)[i]); /* uint8, bool */
    }
}

bool lc_data_is_number(lc_dtype type) {
    int64_t low, high;
    return is_float(type) || integer_range(type, &low, &high);
}

double lc_data_real(const lc_array *a, size_t i) { return get(a, i).real; }

static void put_integer(const lc_tensor_view *v, size_t i, int64_t x) {
    switch (lc_dtype_bits(v->type)) {
    case 8: ((uint8_t *)v->data)[i] = (uint8_t)x; break;
    case 16: ((uint16_t *)v->data)[i] = (uint16_t)x; break;
    case 32: ((uint32_t *)v->data)[i] = (uint32_t)x; break;
    default: ((uint64_t *)v->data)[i] = (uint64_t)x; break;
    }
}

static void put_float(const lc_tensor_view *v, size_t i, double x) {
    if (v->type == LC_FLOAT32) ((float *)v->data)[i] = (float)x;
    else if (v->type == LC_FLOAT64) ((double *)v->data)[i] = x;
    else if (v->type == LC_FLOAT16) ((uint16_t *)v->data)[i] = lc_float_to_half((float)x);
    else ((uint16_t *)v->data)[i] = lc_float_to_bfloat((float)x);
}

/* The nearest step of a quantised tensor, the nearest integer of another; the ends for what lies beyond them. */
static void put_nearest(const lc_tensor_view *v, size_t i, float x, int64_t low, int64_t high) {
    const float q = v->scale > 0 ? rintf(x / v->scale) + (float)v->zero_point : rintf(x);
    put_integer(v, i, !(q > (float)low) ? low : q >= (float)high ? high : (int64_t)q);
}

bool lc_tensor_put_reals(const lc_tensor_view *v, uint64_t first, size_t n, const float *in) {
    int64_t low = 0, high = 0;
    const bool floats = is_float(v->type);
    if (!floats && !integer_range(v->type, &low, &high)) return false;
    for (size_t i = 0; i < n; i++) {
        if (floats) put_float(v, (size_t)first + i, (double)in[i]);
        else put_nearest(v, (size_t)first + i, in[i], low, high);
    }
    return true;
}

/* ---- what does not fit ------------------------------------------------------------------------------------------------ */

static lc_status refuse(const lc_data_input *in, const lc_tensor_view *v, uint64_t first, size_t i, const element *e, lc_error *err) {
    const size_t rows = (size_t)in->batch.dims[0], each = in->batch.size / (lc_dtype_bits(in->batch.type) / 8) / (rows ? rows : 1);
    const unsigned long long sample = first + i / each, place = i % each;
    char number[40];
    if (e->is_integer && !e->huge) snprintf(number, sizeof number, "%" PRId64, e->integer);
    else snprintf(number, sizeof number, "%.9g", e->real);
    LC_SOURCE_FAIL(err, LC_INVALID, DATA_VALUE, LC_NO_OFFSET, "%s: element %llu of sample %llu is %s, input %.200s is %s%s",
                   in->series.path, place, sample, number, v->name, lc_dtype_name(v->type), v->scale > 0 ? " steps" : "");
    if (!e->is_integer && !isfinite(e->real))
        lc_error_hint(err, "samples are counted from 0: correct or leave out the one, numpy.isfinite finds all of them");
    else if (!e->is_integer && e->real != floor(e->real)) lc_error_hint(err, "the input takes whole numbers");
    else lc_error_hint(err, "the input takes numbers in the range of its type");
    return LC_INVALID;
}

static lc_status cannot(const lc_data_input *in, const lc_tensor_view *v, lc_error *err) {
    LC_SOURCE_FAIL(err, LC_UNSUPPORTED, DATA_SHAPE, LC_NO_OFFSET, "%s holds %s, input %.200s wants %s", in->series.path,
                   lc_dtype_name(in->batch.type), v->name, lc_dtype_name(v->type));
    lc_error_hint(err, v->type == LC_STRING ? "save text with array.astype('U')" : "save the array as the type that the input wants");
    return LC_UNSUPPORTED;
}

/* ---- all elements ------------------------------------------------------------------------------------------------------- */

static lc_status put_floats(const lc_data_input *in, const lc_tensor_view *v, size_t n, uint64_t first, lc_error *err) {
    const lc_array *a = &in->batch;
    const float *from = a->type == LC_FLOAT32 ? a->data : NULL;
    for (size_t i = 0; i < n; i++) {
        element e = from ? real((double)from[i]) : get(a, i);
        if (in->steps) e.real = (double)in->want.scale * (e.real - (double)in->want.zero_point);
        const double most = v->type == LC_FLOAT16 ? 65504 : v->type == LC_FLOAT64 ? INFINITY : (double)3.40282347e38f;
        if (!isfinite(e.real) || fabs(e.real) > most) return refuse(in, v, first, i, &e, err);
        put_float(v, i, e.real);
    }
    return LC_OK;
}

static lc_status put_steps(const lc_data_input *in, const lc_tensor_view *v, size_t n, uint64_t first, lc_error *err) {
    int64_t low, high;
    integer_range(v->type, &low, &high);
    for (size_t i = 0; i < n; i++) {
        element e = get(&in->batch, i);
        if (in->steps) e.real = (double)in->want.scale * (e.real - (double)in->want.zero_point);
        if (!isfinite(e.real)) return refuse(in, v, first, i, &e, err);
        put_nearest(v, i, (float)e.real, low, high);
    }
    return LC_OK;
}

static lc_status put_integers(const lc_data_input *in, const lc_tensor_view *v, size_t n, uint64_t first, lc_error *err) {
    int64_t low, high;
    integer_range(v->type, &low, &high);
    for (size_t i = 0; i < n; i++) {
        element e = get(&in->batch, i);
        if (in->raw > 0) { /* pixels, as they were */
            put_nearest(v, i, (float)e.real * in->raw, low, high);
            continue;
        }
        if (in->steps) { e = real((double)in->want.scale * (e.real - (double)in->want.zero_point)); }
        if (!e.is_integer && (!(fabs(e.real) < 0x1p63) || e.real != floor(e.real))) return refuse(in, v, first, i, &e, err);
        const int64_t x = e.is_integer ? e.integer : (int64_t)e.real;
        if (e.huge || x < low || x > high) return refuse(in, v, first, i, &e, err);
        put_integer(v, i, x);
    }
    return LC_OK;
}

/* `rows` of the input: those of the batch, then its last again. */
static lc_status put_strings(const lc_data_input *in, lc_session *session, size_t index, size_t rows, lc_error *err) {
    const lc_array *a = &in->batch;
    lc_tensor_view text = {.type = LC_STRING, .rank = a->rank, .data = a->data, .size = a->size};
    uint64_t n;
    size_t all;
    LC_TRY(lc_array_elements(a->dims, a->rank, &n, err));
    memcpy(text.dims, a->dims, sizeof a->dims);
    const size_t have = (size_t)a->dims[0], each = have ? (size_t)n / have : 0;
    if (!lc_mul_size(rows, each, &all)) return lc_fail_memory(err, "strings");
    const char **strings = lc_calloc(all + 1, sizeof *strings);
    size_t *lengths = lc_calloc(all + 1, sizeof *lengths);
    lc_status status = LC_OK;
    if (strings && lengths) {
        for (size_t i = 0; i < all; i++) {
            const size_t row = i / each < have ? i / each : have - 1;
            strings[i] = lc_tensor_string(&text, row * each + i % each, &lengths[i]);
        }
        status = lc_session_set_strings(session, index, strings, lengths, all, err);
    } else {
        status = lc_fail_memory(err, "strings");
    }
    lc_free((void *)strings);
    lc_free(lengths);
    return status;
}

lc_status lc_data_put(const lc_data_input *in, lc_session *session, size_t index, uint64_t first, lc_error *err) {
    const lc_tensor_view v = lc_session_input(session, index);
    const lc_array *a = &in->batch;
    const size_t have = (size_t)a->dims[0], rows = in->whole || v.rank < 1 ? have : (size_t)v.dims[0];
    int64_t low, high;
    if (v.type == LC_STRING && a->type == LC_STRING) return put_strings(in, session, index, rows, err);
    const bool number = lc_data_is_number(a->type);
    if (a->type == LC_STRING || v.type == LC_STRING || !(number || a->type == v.type)) return cannot(in, &v, err);
    const size_t n = a->size / (lc_dtype_bits(a->type) / 8);
    if (n > v.size / (lc_dtype_bits(v.type) / 8 + (lc_dtype_bits(v.type) < 8))) return cannot(in, &v, err);
    const bool same_steps = in->steps && in->want.scale == v.scale && in->want.zero_point == v.zero_point;
    lc_status status = LC_OK;
    if (a->type == v.type && (same_steps || !number)) { /* complex numbers, too */
        if (n) memcpy(v.data, a->data, a->size);
    } else if (number && is_float(v.type)) {
        status = put_floats(in, &v, n, first, err);
    } else if (number && integer_range(v.type, &low, &high)) {
        status = v.scale > 0 && lc_dtype_bits(v.type) <= 16 ? put_steps(in, &v, n, first, err) : put_integers(in, &v, n, first, err);
    } else {
        return cannot(in, &v, err);
    }
    if (status) return status;
    const size_t bytes = rows && v.data ? v.size / rows : 0;
    for (size_t i = have; i < rows && bytes; i++) memcpy((uint8_t *)v.data + i * bytes, (uint8_t *)v.data + (have - 1) * bytes, bytes);
    return LC_OK;
}
