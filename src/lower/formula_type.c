/*
 * formula_type.c: the type of a result of values of several types, as Keras 3 decides it (keras/src/backend/common/dtypes.py): the least
 * type above all of them in this order, Python's own numbers weaker than any tensor's of their kind:
 *
 *   bool ─▶ int ─▶ uint8 ─▶ uint16 ─▶ uint32 ─▶ int64 ─▶ float ─▶ float16, bfloat16 ─▶ float32 ─▶ float64
 *                  int8  ─▶ int16  ─▶ int32  ─▶ int64             uint8 ─▶ int16, uint16 ─▶ int32, uint32 ─▶ int64
 *
 * "float", what no tensor has, becomes float32. A type that is no number's (string, complex) is what it is.
 */
#include "lower/formula.h"

#include <string.h>

lc_formula_kind lc_formula_kind_of(lc_formula *f, lc_arg a) {
    if (!lc_formula_ok(f)) return (lc_formula_kind){LC_FLOAT32, true};
    if (lc_arg_is_tensor(a)) return (lc_formula_kind){lc_build_type(f->c->b, a.tensor), false};
    if (lc_arg_is_number(a)) return (lc_formula_kind){LC_DTYPE_COUNT, a.json->kind == LC_JSON_REAL};
    if (lc_arg_is_none(a)) return (lc_formula_kind){LC_DTYPE_COUNT, false};
    if (lc_arg_is_list(a) && !lc_arg_count(a)) return (lc_formula_kind){LC_DTYPE_COUNT, false};
    const int32_t t = lc_arg_any(f, a);
    return (lc_formula_kind){t >= 0 ? lc_build_type(f->c->b, t) : LC_FLOAT32, false};
}

static bool is_float(lc_dtype t) { return t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_FLOAT32 || t == LC_FLOAT64; }

/* Bits of an integer and whether it is signed; 0: none. */
static uint32_t bits(lc_dtype t, bool *sign) {
    *sign = t == LC_INT8 || t == LC_INT16 || t == LC_INT32 || t == LC_INT64;
    return *sign || t == LC_UINT8 || t == LC_UINT16 || t == LC_UINT32 || t == LC_UINT64 ? lc_dtype_bits(t) : 0;
}

static lc_dtype integer(uint32_t width, bool sign) {
    return sign          ? width <= 8    ? LC_INT8
                           : width <= 16 ? LC_INT16
                           : width <= 32 ? LC_INT32
                                         : LC_INT64
           : width <= 8  ? LC_UINT8
           : width <= 16 ? LC_UINT16
           : width <= 32 ? LC_UINT32
                         : LC_UINT64;
}

static lc_dtype join(lc_dtype a, lc_dtype b) {
    if (a == b || b == LC_DTYPE_COUNT) return a;
    if (a == LC_DTYPE_COUNT) return b;
    if (is_float(a) || is_float(b)) {
        if (!is_float(a)) return b;
        if (!is_float(b)) return a;
        return a == LC_FLOAT64 || b == LC_FLOAT64 ? LC_FLOAT64 : LC_FLOAT32;
    }
    bool sign_a, sign_b;
    const uint32_t wide_a = bits(a, &sign_a), wide_b = bits(b, &sign_b);
    if (!wide_a || !wide_b) return wide_b || b == LC_COMPLEX64 ? b : a; /* bool gives way */
    const uint32_t wide = wide_a > wide_b ? wide_a : wide_b;
    if (sign_a == sign_b) return integer(wide, sign_a);
    const uint32_t wide_unsigned = sign_a ? wide_b : wide_a;
    if (wide_unsigned == 64) return LC_FLOAT32; /* no integer holds both */
    return integer(wide_unsigned < wide ? wide : wide_unsigned * 2, true);
}

lc_dtype lc_formula_common(const lc_formula_kind *kinds, uint32_t n, bool real) {
    lc_dtype type = LC_DTYPE_COUNT;
    bool weak_int = false;
    for (uint32_t i = 0; i < n; i++) {
        if (kinds[i].type == LC_DTYPE_COUNT) {
            weak_int = true;
            real |= kinds[i].real;
        } else type = join(type, kinds[i].type);
    }
    if (type == LC_DTYPE_COUNT) return real ? LC_FLOAT32 : LC_INT32;
    bool sign;
    if (real && (type == LC_BOOL || bits(type, &sign))) return LC_FLOAT32;
    return weak_int && type == LC_BOOL ? LC_INT32 : type;
}
