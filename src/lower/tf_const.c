/*
 * tf_const.c: constants. A TensorProto holds its elements as bytes (tensor_content), or as a list of numbers of which the last one
 * repeats to the end. Bytes are not copied: a weight lies in the mapped file until it is written. Since a protobuf aligns nothing, large
 * floats that lie at odd addresses become constants that are made when they are wanted (ir/constant.h); small ones are copied.
 */
#include "base/half.h"
#include "ir/constant.h"
#include "ir/strings.h"
#include "lower/tf_impl.h"

#include <string.h>

enum { COPY = 4096 }; /* bytes of a constant that is copied rather than borrowed */

int32_t lc_tf_constant(lc_builder *b, const char *name, const lc_tf_array *array) {
    if (b->status != LC_OK) return -1;
    const size_t width = lc_dtype_bits(array->type) / 8;
    const bool aligned = width == 0 ? (uintptr_t)array->data % 4 == 0 : (uintptr_t)array->data % width == 0;
    if (array->size > COPY && aligned)
        return lc_build_const(b, name, array->type, array->dims, array->rank, array->data, array->size, false);
    if (array->size > COPY && array->type == LC_FLOAT32) {
        const lc_deferred where = {.type = LC_FLOAT32, .data = array->data, .rows = 1, .cols = array->size / sizeof(float)};
        return lc_build_deferred(b, name, array->dims, array->rank, &where);
    }
    void *data = lc_build_data(b, array->size ? array->size : 1);
    if (data && array->size) memcpy(data, array->data, array->size);
    return lc_build_const(b, name, array->type, array->dims, array->rank, data, array->size, true);
}

/* ---- TensorProto ------------------------------------------------------------------------------------------------------ */

/* Element i of a list whose last one repeats. */
static uint32_t at(uint64_t i, uint32_t n) { return i < n ? (uint32_t)i : n - 1; }

#define FILL(list, ctype, expr) \
    { \
        ctype *out = data; \
        if (p->list.n > elements) \
            return lc_fail(err, LC_INVALID, "a tensor of %llu elements has %u values", (unsigned long long)elements, p->list.n); \
        for (uint64_t i = 0; p->list.n && i < elements; i++) { \
            const __typeof__(p->list.data[0]) v = p->list.data[at(i, p->list.n)]; \
            out[i] = (ctype)(expr); \
        } \
        return LC_OK; \
    }

/* Pairs (real, imaginary). */
#define FILL_PAIRS(list, ctype) \
    { \
        ctype *out = data; \
        if (p->list.n % 2 || p->list.n / 2 > elements) \
            return lc_fail(err, LC_INVALID, "a complex tensor of %llu elements has %u parts", (unsigned long long)elements, p->list.n); \
        for (uint64_t i = 0; p->list.n && i < elements; i++) { \
            const uint32_t k = at(i, p->list.n / 2) * 2; \
            out[i * 2] = p->list.data[k]; \
            out[i * 2 + 1] = p->list.data[k + 1]; \
        } \
        return LC_OK; \
    }

static lc_status fill(const lc_pb_TensorProto *p, lc_dtype type, void *data, uint64_t elements, lc_error *err) {
    switch (type) {
    case LC_FLOAT32: FILL(float_val, float, v)
    case LC_FLOAT64: FILL(double_val, double, v)
    case LC_INT8: FILL(int_val, int8_t, v)
    case LC_UINT8: FILL(int_val, uint8_t, v)
    case LC_INT16: FILL(int_val, int16_t, v)
    case LC_UINT16: FILL(int_val, uint16_t, v)
    case LC_INT32: FILL(int_val, int32_t, v)
    case LC_UINT32: FILL(uint32_val, uint32_t, v)
    case LC_INT64: FILL(int64_val, int64_t, v)
    case LC_UINT64: FILL(uint64_val, uint64_t, v)
    case LC_BOOL: FILL(bool_val, uint8_t, v)
    case LC_FLOAT16:
    case LC_BFLOAT16: FILL(half_val, uint16_t, v)
    case LC_COMPLEX64: FILL_PAIRS(scomplex_val, float)
    case LC_COMPLEX128: FILL_PAIRS(dcomplex_val, double)
    default: return lc_fail(err, LC_UNSUPPORTED, "constants of type %s are not supported", lc_pb_data_type_name(p->dtype));
    }
}

static lc_status fill_strings(const lc_pb_TensorProto *p, uint64_t elements, lc_budget *budget, lc_arena *arena, lc_tf_array *array,
                              lc_error *err) {
    size_t size;
    if (p->string_val.n > elements)
        return lc_fail(err, LC_INVALID, "a tensor of %llu elements has %u strings", (unsigned long long)elements, p->string_val.n);
    LC_TRY(lc_budget_memory(budget, elements * sizeof(lc_str), "strings", err));
    lc_str *list = lc_arena_array(arena, (size_t)elements + 1, sizeof *list);
    if (!list) return lc_fail_memory(err, "strings");
    for (uint64_t i = 0; i < elements; i++) list[i] = p->string_val.n ? p->string_val.data[at(i, p->string_val.n)] : LC_STR("");
    if (!lc_strings_size(list, (size_t)elements, &size)) return lc_fail(err, LC_LIMIT, "its strings are too long");
    LC_TRY(lc_budget_memory(budget, size, "strings", err));
    void *data = lc_arena_data(arena, size);
    if (!data) return lc_fail_memory(err, "strings");
    lc_strings_write(list, (size_t)elements, data);
    array->data = data;
    array->size = size;
    return LC_OK;
}

lc_status lc_tf_tensor_proto(const lc_pb_TensorProto *p, lc_budget *budget, lc_arena *arena, lc_tf_array *array, lc_error *err) {
    *array = (lc_tf_array){.type = lc_tf_dtype(p->dtype)};
    const lc_pb_TensorShapeProto *shape = p->tensor_shape;
    uint64_t elements = 1, bytes;
    if (array->type == LC_DTYPE_COUNT && lc_pb_data_type_name(p->dtype)[0] == '?')
        return lc_fail(err, LC_INVALID, "a constant has type %d, which is none of TensorFlow's", p->dtype);
    if (array->type == LC_DTYPE_COUNT)
        return lc_fail(err, LC_UNSUPPORTED, "a constant has type %s, which TFLite does not have", lc_pb_data_type_name(p->dtype));
    if (shape && (shape->unknown_rank || shape->dim.n > LC_MAX_RANK))
        return lc_fail(err, LC_UNSUPPORTED, "a constant has %u dimensions; litec runs up to %d", shape->dim.n, LC_MAX_RANK);
    array->rank = shape ? (int32_t)shape->dim.n : 0;
    for (int32_t d = 0; d < array->rank; d++) {
        const int64_t n = shape->dim.data[d].size;
        if (n < 0 || n > INT32_MAX || !lc_mul_u64(elements, (uint64_t)n, &elements) || elements > INT32_MAX)
            return lc_fail(err, LC_INVALID, "dimension %d of a constant is %lld", d, (long long)n);
        array->dims[d] = (int32_t)n;
    }
    if (array->type == LC_STRING) return fill_strings(p, elements, budget, arena, array, err);
    if (!lc_dtype_bytes(array->type, elements, &bytes))
        return lc_fail(err, LC_UNSUPPORTED, "constants of type %s are not supported", lc_pb_data_type_name(p->dtype));
    if (p->tensor_content.size) {
        if (p->tensor_content.size != bytes)
            return lc_fail(err, LC_INVALID, "a constant of %llu bytes holds %zu", (unsigned long long)bytes, p->tensor_content.size);
        array->data = p->tensor_content.data;
        array->size = (size_t)bytes;
        return LC_OK;
    }
    LC_TRY(lc_budget_memory(budget, bytes, "constants", err));
    void *data = lc_arena_data(arena, bytes ? (size_t)bytes : 1);
    if (!data) return lc_fail_memory(err, "constant");
    array->data = data;
    array->size = (size_t)bytes;
    return fill(p, array->type, data, elements, err);
}

/* ---- Const ---------------------------------------------------------------------------------------------------------------- */

void lc_tf_op_const(lc_tf_call *c) {
    const lc_pb_AttrValue *a = lc_tf_attr(c, "value");
    lc_tf_array array;
    if (!a || !lc_pb_has(a, AttrValue, tensor) || !a->tensor) {
        lc_tf_fail(c, LC_INVALID, "it has no value");
        return;
    }
    const lc_pb_AttrValue *type = lc_tf_attr(c, "dtype");
    if (type && lc_pb_has(type, AttrValue, type) && type->type != a->tensor->dtype) {
        lc_tf_fail(c, LC_INVALID, "its dtype is %s, but its value is %s", lc_pb_data_type_text(type->type),
                   lc_pb_data_type_text(a->tensor->dtype));
        return;
    }
    /* Values made from lists lie in the model's arena: constants may borrow them. */
    if (!lc_tf_take(c, lc_tf_tensor_proto(a->tensor, &c->lower->budget, &c->b->model->arena, &array, c->lower->err))) return;
    const int32_t t = lc_tf_constant(c->b, "value", &array);
    if (c->lower->weights_are_constants) lc_tf_weight(c->lower, c->b, t); /* under the node's own name */
    lc_tf_give(c, 0, t);
}
