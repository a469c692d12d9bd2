/*
 * check_tensor.c: each tensor by itself: type, shape, shape_signature, the bytes of its data, variables, variant and external
 * tensors; then its strings, quantisation and sparsity (files of their own).
 *
 * Sizes. A tensor that the runtime allocates has at most INT32_MAX elements, counted without its zero dimensions, as LiteRT's
 * verifier has it; a constant may be larger (embedding tables of language models are), for its bytes must be there: exactly as
 * many as type and shape need. LiteRT's interpreter lets a longer buffer pass, its verifier does not, and no writer makes one.
 *
 * shape_signature: empty means "as shape" (files of 2020 have it so), else it has shape's rank and in each place shape's number
 * or -1. LiteRT compares neither and resizes by whichever it reads first.
 */
#include "runtime/check.h"

static lc_status check_shape(const lc_check *c, size_t g, size_t i, uint64_t *elements) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    bool empty = false, fits = true;
    uint64_t n = 1;
    for (size_t d = 0; d < t->shape.n; d++) {
        int32_t dim = t->shape.data[d];
        if (dim < 0) return lc_check_fail_tensor(c, LC_RULE_TENSOR_DIM, g, i, "dimension %zu is %d", d, dim);
        if (dim == 0) empty = true;
        else if (!lc_mul_u64(n, (uint64_t)dim, &n)) fits = false;
    }
    bool constant = c->marks[g][i] & LC_MARK_CONSTANT;
    if (!fits || (!constant && n > INT32_MAX)) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_SIZE, g, i, "the product of its %u dimensions overflows", t->shape.n);
    }
    *elements = empty ? 0 : n;
    if (t->shape_signature.n == 0) return LC_OK;
    /* A tensor of unknown rank has no shape and may say so with the signature [-1]. */
    if (!t->has_rank && t->shape.n == 0 && t->shape_signature.n == 1 && t->shape_signature.data[0] == -1) return LC_OK;
    if (t->shape_signature.n != t->shape.n) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_SIGNATURE, g, i, "shape_signature has %u dimensions, shape has %u",
                                    t->shape_signature.n, t->shape.n);
    }
    for (size_t d = 0; d < t->shape.n; d++) {
        int32_t s = t->shape_signature.data[d];
        if (s != -1 && s != t->shape.data[d]) {
            return lc_check_fail_tensor(c, LC_RULE_TENSOR_SIGNATURE, g, i, "dimension %zu is %d in shape_signature and %d in shape", d, s,
                                        t->shape.data[d]);
        }
    }
    return LC_OK;
}

static lc_status check_data(const lc_check *c, size_t g, size_t i, uint64_t elements) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    const lc_Buffer *b = lc_tflite_data(c->model, t);
    lc_rule rule = LC_RULE_TENSOR_BYTES;
    if (t->sparsity) {
        rule = LC_RULE_SPARSE_BYTES;
        LC_TRY(lc_check_sparsity(c, g, i, &elements));
    }
    if (!b) return LC_OK;
    if (t->type == LC_STRING) return lc_check_string(c, g, i, elements);
    uint64_t need, have = lc_buffer_size(b);
    if (!lc_dtype_bytes((lc_dtype)t->type, elements, &need)) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_SIZE, g, i, "the bytes of its %u dimensions overflow", t->shape.n);
    }
    if (need != have) {
        return lc_check_fail_tensor(c, rule, g, i, "its shape needs %llu bytes of %s, buffer %u has %llu", (unsigned long long)need,
                                    lc_dtype_name((lc_dtype)t->type), t->buffer, (unsigned long long)have);
    }
    return LC_OK;
}

static lc_status check_variants(const lc_check *c, size_t g, size_t i) {
    const lc_Tensor *t = &c->model->subgraphs.data[g].tensors.data[i];
    for (size_t k = 0; k < t->variant_tensors.n; k++) {
        const lc_VariantSubType *v = &t->variant_tensors.data[k];
        if (v->type < 0 || v->type >= LC_DTYPE_COUNT) {
            return lc_check_fail_tensor(c, LC_RULE_TENSOR_VARIANT, g, i, "variant %zu: type %d is unknown", k, v->type);
        }
        for (size_t d = 0; d < v->shape.n; d++) {
            if (v->shape.data[d] < -1) {
                return lc_check_fail_tensor(c, LC_RULE_TENSOR_VARIANT, g, i, "variant %zu: dimension %zu is %d", k, d, v->shape.data[d]);
            }
        }
    }
    return LC_OK;
}

static bool less_number(const void *context, uint32_t a, uint32_t b) {
    (void)context;
    return a < b;
}

static bool has_id(const uint32_t *ids, size_t n, uint32_t id) {
    size_t low = 0;
    for (size_t high = n; low < high;) {
        size_t mid = low + (high - low) / 2;
        if (ids[mid] < id) low = mid + 1;
        else high = mid;
    }
    return low < n && ids[low] == id;
}

static lc_status check_tensor(const lc_check *c, size_t g, size_t i, const uint32_t *ids) {
    const lc_Model *m = c->model;
    const lc_Tensor *t = &m->subgraphs.data[g].tensors.data[i];
    if (t->type < 0 || t->type >= LC_DTYPE_COUNT) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_TYPE, g, i, "type %d is unknown (litec knows 0 to %d)", t->type, LC_DTYPE_COUNT - 1);
    }
    bool data = lc_tflite_data(m, t), sized = lc_dtype_bits((lc_dtype)t->type) != 0;
    if (t->external_buffer) {
        if (!has_id(ids, m->external_buffers.n, t->external_buffer)) {
            return lc_check_fail_tensor(c, LC_RULE_EXTERNAL_TENSOR, g, i, "no external buffer has the id %u", t->external_buffer);
        }
        if (data) {
            return lc_check_fail_tensor(c, LC_RULE_EXTERNAL_TENSOR, g, i, "has both buffer %u and external buffer %u", t->buffer,
                                        t->external_buffer);
        }
    }
    if (t->is_variable && (data || t->external_buffer || !sized)) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_VARIABLE, g, i, "is a variable and %s",
                                    sized ? "has data" : "of a type without fixed size");
    }
    if (data && (t->type == LC_RESOURCE || t->type == LC_VARIANT)) {
        return lc_check_fail_tensor(c, LC_RULE_TENSOR_HANDLE, g, i, "is a %s with data in buffer %u", lc_dtype_name((lc_dtype)t->type),
                                    t->buffer);
    }
    uint64_t elements = 0;
    LC_TRY(check_shape(c, g, i, &elements));
    LC_TRY(check_data(c, g, i, elements));
    LC_TRY(check_variants(c, g, i));
    return t->quantization ? lc_check_quant(c, g, i) : LC_OK;
}

lc_status lc_check_tensors(const lc_check *c) {
    const lc_Model *m = c->model;
    size_t n = m->external_buffers.n;
    uint32_t *ids = lc_arena_array(c->scratch, n, sizeof *ids);
    if (!ids) return lc_fail_memory(c->err, "checking tensors");
    for (size_t i = 0; i < n; i++) ids[i] = m->external_buffers.data[i].id;
    lc_sort_indices(ids, n, less_number, NULL);
    for (size_t g = 0; g < m->subgraphs.n; g++) {
        for (size_t i = 0; i < m->subgraphs.data[g].tensors.n; i++) LC_TRY(check_tensor(c, g, i, ids));
    }
    return LC_OK;
}
