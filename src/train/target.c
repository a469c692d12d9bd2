/*
 * Targets: types, shapes and weights of what is compared. A shape that does not fit is refused with both shapes, where NumPy's rules would
 * spread one over the other and train on nonsense.
 */
#include "train/target.h"

#include "ir/constant.h"

#include <stdio.h>
#include <string.h>

size_t lc_array_count(const lc_array *a) {
    size_t n = 1;
    for (int32_t i = 0; i < a->rank; i++) n *= (size_t)a->dims[i];
    return n;
}

size_t lc_array_width(const lc_array *a) { return a->rank > 1 ? (size_t)a->dims[a->rank - 1] : 1; }

const char *lc_array_shape(const lc_array *a, char buffer[LC_MAX_RANK * 14 + 3]) {
    size_t used = (size_t)snprintf(buffer, 2, "[");
    for (int32_t i = 0; i < a->rank; i++) used += (size_t)snprintf(buffer + used, 14, "%s%d", i ? ", " : "", a->dims[i]);
    memcpy(buffer + used, "]", 2);
    return buffer;
}

/* ---- numbers ------------------------------------------------------------------------------------------------------ */

lc_status lc_floats_reserve(lc_floats *floats, size_t n, lc_error *err) {
    if (n <= floats->capacity) return LC_OK;
    lc_floats_deinit(floats);
    floats->data = n <= SIZE_MAX / sizeof(float) ? lc_malloc(n * sizeof(float)) : NULL;
    if (!floats->data) return lc_fail_memory(err, "targets");
    floats->capacity = n;
    return LC_OK;
}

void lc_floats_deinit(lc_floats *floats) {
    lc_free(floats->data);
    *floats = (lc_floats){0};
}

#define LC_NUMBERS(X) \
    X(LC_FLOAT64, double) \
    X(LC_INT8, int8_t) \
    X(LC_UINT8, uint8_t) \
    X(LC_BOOL, uint8_t) \
    X(LC_INT16, int16_t) \
    X(LC_UINT16, uint16_t) \
    X(LC_INT32, int32_t) \
    X(LC_UINT32, uint32_t) \
    X(LC_INT64, int64_t) \
    X(LC_UINT64, uint64_t)

lc_status lc_floats_of(const lc_array *a, lc_floats *buffer, const float **out, lc_error *err) {
    const size_t n = lc_array_count(a);
    *out = a->data;
    if (a->type == LC_FLOAT32) return LC_OK;
    LC_TRY(lc_floats_reserve(buffer, n, err));
    *out = buffer->data;
    if (a->type == LC_FLOAT16 || a->type == LC_BFLOAT16) return lc_floats_load(a->type, a->data, 0, n, buffer->data), LC_OK;
    switch (a->type) {
#define LC_NUMBER(id, ctype) \
    case id: \
        for (size_t i = 0; i < n; i++) buffer->data[i] = (float)((const ctype *)a->data)[i]; \
        return LC_OK;
        LC_NUMBERS(LC_NUMBER)
#undef LC_NUMBER
    default: return lc_fail(err, LC_UNSUPPORTED, "targets of type %s cannot be learned from", lc_dtype_name(a->type));
    }
}

/* ---- shapes ------------------------------------------------------------------------------------------------------- */

lc_label_kind lc_label_kind_of(const lc_array *y_true, const lc_array *y_pred) {
    const int32_t last_true = y_true->rank ? y_true->dims[y_true->rank - 1] : 1,
                  last_pred = y_pred->rank ? y_pred->dims[y_pred->rank - 1] : 1;
    if (last_pred == 1) return LC_LABEL_BINARY;
    if (y_true->rank < y_pred->rank || (last_true == 1 && last_pred > 1)) return LC_LABEL_SPARSE;
    return LC_LABEL_CATEGORICAL;
}

lc_status lc_target_check(const lc_target *t, bool dense, const char *who, lc_error *err) {
    const lc_array *y = t->y_true, *p = t->y_pred;
    char a[LC_MAX_RANK * 14 + 3], b[LC_MAX_RANK * 14 + 3];
    if (p->type != LC_FLOAT32)
        return lc_fail(err, LC_UNSUPPORTED, "%s: an output of type %s; float32 is needed", who, lc_dtype_name(p->type));
    const size_t width = lc_array_width(p), rows = width ? lc_array_count(p) / width : 0, wanted = dense ? lc_array_count(p) : rows;
    /* all dimensions but the last ones, which may be 1 or missing */
    bool fits = lc_array_count(y) == wanted && y->rank <= p->rank + 1;
    for (int32_t i = 0; i < y->rank && i < p->rank - 1; i++) fits &= y->dims[i] == p->dims[i];
    if (!fits) {
        lc_fail(err, LC_ARGUMENT, "%s: targets of shape %s do not fit an output of shape %s", who, lc_array_shape(y, a),
                lc_array_shape(p, b));
        if (dense && lc_array_count(y) == rows && width > 1)
            lc_error_hint(err, "targets that are classes go with \"sparse_categorical_crossentropy\", or as one-hot rows with this");
        else if (!dense && lc_array_count(y) == lc_array_count(p))
            lc_error_hint(err, "targets that are one-hot rows go with \"categorical_crossentropy\"");
        else lc_error_hint(err, "look at the number of units of the last layer and at the targets of the data");
        return LC_ARGUMENT;
    }
    if (t->weights && t->weight_count != rows && t->weight_count != (size_t)(p->rank ? p->dims[0] : 1))
        return lc_fail(err, LC_ARGUMENT, "%s: %zu weights do not fit an output of shape %s", who, t->weight_count, lc_array_shape(p, b));
    if (t->mask.data && (!t->mask.count || rows % t->mask.count))
        return lc_fail(err, LC_UNSUPPORTED, "%s: a mask of %zu steps does not fit an output of shape %s", who, t->mask.count,
                       lc_array_shape(p, b));
    return LC_OK;
}

bool lc_target_counts(const lc_target *t, size_t row, size_t rows) {
    return !t->mask.data || t->mask.data[rows == t->mask.count ? row : row / (rows / t->mask.count)];
}

float lc_target_weight(const lc_target *t, size_t row, size_t rows) {
    if (!lc_target_counts(t, row, rows)) return 0;
    return t->weights ? t->weights[rows == t->weight_count ? row : row / (rows / t->weight_count)] : 1;
}
