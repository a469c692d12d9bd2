/*
 * tf_cast.c: Cast and Bitcast. CAST knows every pair of TFLite's number types but those with uint64, which goes by way of int64's bits, and
 * complex ones, which go by their parts. A float that does not fit an integer is undefined in TensorFlow; CAST gives the nearest that does.
 */
#include "lower/tf_math.h"

#define TWO_63 0x1p63
#define TWO_64 0x1p64

/* uint64, its bits in int64, to any other type. */
static int32_t from_uint64(lc_tf_call *c, int32_t bits, lc_dtype to) {
    if (!lc_tf_is_real(to)) return lc_build_cast(c->b, bits, to);
    const int32_t y = lc_build_cast(c->b, bits, LC_FLOAT32), large = lc_tf_less_with(c, bits, 0);
    return lc_build_cast(c->b, lc_tf_choose(c, large, lc_tf_add_with(c, y, TWO_64), y), to);
}

static int32_t to_uint64(lc_tf_call *c, int32_t x) {
    if (!lc_tf_is_real(lc_tf_type(c, x))) return lc_tf_bits_as(c, lc_build_cast(c->b, x, LC_INT64), LC_UINT64);
    x = lc_tf_float32(c, x);
    const int32_t large = lc_tf_with(c, LC_OP_GREATER_EQUAL, x, TWO_63);
    const int32_t low = lc_build_cast(c->b, x, LC_INT64), high = lc_build_cast(c->b, lc_tf_sub_with(c, x, TWO_63), LC_INT64);
    return lc_tf_bits_as(c, lc_tf_choose(c, large, lc_tf_flip(c, high), low), LC_UINT64);
}

/* Cast with Truncate to a shorter float: the digits that go are dropped, not rounded. */
static int32_t truncated(lc_tf_call *c, int32_t x, lc_dtype to) {
    const int32_t bits = lc_tf_bits_as(c, lc_tf_float32(c, x), LC_INT32);
    const int32_t dropped = lc_tf_with(c, LC_OP_FLOOR_MOD, bits, to == LC_BFLOAT16 ? 0x1p16 : 0x1p13);
    return lc_build_cast(c->b, lc_tf_bits_as(c, lc_tf_sub(c, bits, dropped), LC_FLOAT32), to);
}

static bool can_cast(lc_dtype type) { return lc_tf_is_real(type) || lc_tf_is_complex(type) || lc_tf_is_integer(type) || type == LC_BOOL; }

void lc_tf_op_cast(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype to = lc_tf_attr_type(c, "DstT");
    if (!lc_tf_ok(c)) return;
    const lc_dtype from = lc_tf_type(c, x);
    const bool shorter = (to == LC_BFLOAT16 || to == LC_FLOAT16) && (from == LC_FLOAT32 || from == LC_FLOAT64);
    if (from == to) {
        lc_tf_give(c, 0, x);
    } else if (!can_cast(from) || !can_cast(to)) {
        lc_tf_missing(c, "no TFLite operator casts %s to %s", lc_dtype_name(from), lc_dtype_name(to));
    } else if (lc_tf_is_complex(from)) {
        const lc_tf_pair z = lc_tf_parts(c, x);
        if (lc_tf_is_complex(to)) lc_tf_give(c, 0, lc_tf_joined(c, z, to));
        else lc_tf_give(c, 0, to == LC_UINT64 ? to_uint64(c, z.re) : lc_build_cast(c->b, z.re, to));
    } else if (lc_tf_is_complex(to)) {
        const int32_t re =
            from == LC_UINT64 ? from_uint64(c, lc_tf_bits_as(c, x, LC_INT64), LC_FLOAT32) : lc_build_cast(c->b, x, LC_FLOAT32);
        lc_tf_give(c, 0, lc_tf_joined(c, (lc_tf_pair){re, lc_tf_filled_like(c, re, 0, LC_FLOAT32)}, to));
    } else if (from == LC_UINT64) {
        lc_tf_give(c, 0, from_uint64(c, lc_tf_bits_as(c, x, LC_INT64), to));
    } else if (to == LC_UINT64) {
        lc_tf_give(c, 0, to_uint64(c, x));
    } else if (shorter && lc_tf_attr_bool(c, "Truncate", false)) {
        lc_tf_give(c, 0, truncated(c, x, to));
    } else {
        const int32_t filled = lc_tf_cast_filling(c, x, to);
        lc_tf_give(c, 0, filled >= 0 ? filled : lc_build_cast(c->b, x, to));
    }
}

void lc_tf_op_bitcast(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype to = lc_tf_attr_type(c, "type");
    if (!lc_tf_ok(c)) return;
    if (!lc_dtype_bits(to)) lc_tf_missing(c, "TFLite has no such type to look at bits as");
    else lc_tf_give(c, 0, lc_tf_bits_as(c, x, to));
}
