/*
 * real.c: the elements of a tensor as real numbers, whatever its type: quantised ones scaled, 16-bit floats widened, packed integers taken
 * apart. Whoever shows, compares or judges values asks here.
 */
#include "api/api.h"

#include "base/half.h"

#define LOAD(ctype) \
    do { \
        const ctype *p = (const ctype *)data + first; \
        for (size_t i = 0; i < n; i++) out[i] = (double)p[i]; \
    } while (0)

/* Integer i of 4 or 2 bits, the first in the lowest bits of a byte. */
static int packed(const uint8_t *data, uint64_t i, uint32_t bits, bool is_signed) {
    const uint32_t each = 8 / bits;
    const int x = data[i / each] >> (i % each * bits) & ((1 << bits) - 1);
    return is_signed && x >> (bits - 1) ? x - (1 << bits) : x;
}

bool lc_reals_load(lc_dtype type, const void *data, uint64_t first, size_t n, double *out) {
    switch (type) {
    case LC_FLOAT32: LOAD(float); break;
    case LC_FLOAT64: LOAD(double); break;
    case LC_INT8: LOAD(int8_t); break;
    case LC_BOOL:
    case LC_UINT8: LOAD(uint8_t); break;
    case LC_INT16: LOAD(int16_t); break;
    case LC_UINT16: LOAD(uint16_t); break;
    case LC_INT32: LOAD(int32_t); break;
    case LC_UINT32: LOAD(uint32_t); break;
    case LC_INT64: LOAD(int64_t); break;
    case LC_UINT64: LOAD(uint64_t); break;
    case LC_FLOAT16:
        for (size_t i = 0; i < n; i++) out[i] = (double)lc_half_to_float(((const uint16_t *)data)[first + i]);
        break;
    case LC_BFLOAT16:
        for (size_t i = 0; i < n; i++) out[i] = (double)lc_bfloat_to_float(((const uint16_t *)data)[first + i]);
        break;
    case LC_INT4:
    case LC_UINT4:
    case LC_INT2:
        for (size_t i = 0; i < n; i++) out[i] = packed(data, first + i, lc_dtype_bits(type), type != LC_UINT4);
        break;
    default: return false;
    }
    return true;
}

bool lc_tensor_reals(const lc_tensor_view *t, uint64_t first, size_t n, double *out) {
    if (!lc_reals_load(t->type, t->data, first, n, out)) return false;
    for (size_t i = 0; t->scale > 0 && i < n; i++) out[i] = (out[i] - (double)t->zero_point) * (double)t->scale;
    return true;
}
