/*
 * tf_carry.c: types and shapes for the mathematical operators (tf_math.h): the type in which a builtin computes what TensorFlow computes in
 * another, equal shapes for builtins that do not broadcast, and the short forms that formulas are written with.
 *
 * Carrying keeps every value: int8, uint8, int16, uint16 and bool fit int32 and float32, uint32 fits int64, uint64 keeps its bits in
 * int64. float16 and bfloat16 fit float32; float64 is rounded to it, which is all the precision a TFLite kernel has.
 */
#include "lower/tf_math.h"

#define NARROW (LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT16) | LC_TF_T(UINT16) | LC_TF_T(BOOL))
#define INTEGERS \
    (LC_TF_T(INT8) | LC_TF_T(UINT8) | LC_TF_T(INT16) | LC_TF_T(UINT16) | LC_TF_T(INT32) | LC_TF_T(UINT32) | LC_TF_T(INT64) | \
     LC_TF_T(UINT64))

bool lc_tf_is_integer(lc_dtype type) { return lc_tf_among(type, INTEGERS); }

lc_dtype lc_tf_made_type(lc_tf_call *c, const char *name, lc_dtype otherwise) {
    if (!lc_tf_attr(c, name)) return otherwise;
    const lc_dtype type = lc_tf_attr_type(c, name);
    if (lc_tf_is_real(type) || lc_tf_is_integer(type) || lc_tf_is_complex(type)) return type;
    lc_tf_fail(c, LC_INVALID, "attribute \"%s\" is %s, needs a type of numbers", name, lc_dtype_name(type));
    return otherwise;
}

lc_dtype lc_tf_carrier(lc_dtype type, uint32_t types) {
    if (lc_tf_among(type, types)) return type;
    if (lc_tf_is_real(type) && (types & LC_TF_T(FLOAT32))) return LC_FLOAT32;
    if (lc_tf_among(type, NARROW)) {
        if (types & LC_TF_T(INT32)) return LC_INT32;
        if (types & LC_TF_T(FLOAT32)) return LC_FLOAT32;
    }
    if (type == LC_UINT32 && (types & LC_TF_T(INT64))) return LC_INT64;
    if (type == LC_UINT64 && (types & LC_TF_WRAPS) && (types & LC_TF_T(INT64))) return LC_INT64;
    return LC_DTYPE_COUNT;
}

bool lc_tf_can(lc_tf_call *c, uint32_t i, uint32_t types) {
    const int32_t x = lc_tf_in(c, i);
    if (!lc_tf_ok(c)) return false;
    const lc_dtype type = lc_tf_type(c, x);
    if (lc_tf_carrier(type, types) != LC_DTYPE_COUNT) return true;
    lc_tf_missing(c, "no TFLite operator does this for %s", lc_dtype_name(type));
    return false;
}

int32_t lc_tf_bits_as(lc_tf_call *c, int32_t x, lc_dtype type) {
    if (!lc_tf_ok(c) || lc_tf_type(c, x) == type) return x;
    return lc_build_typed(c->b, LC_OP_BITCAST, LC_TABLE_BitcastOptions, NULL, &x, 1, type);
}

int32_t lc_tf_carried(lc_tf_call *c, int32_t x, uint32_t types) {
    const lc_dtype type = lc_tf_type(c, x), carrier = lc_tf_carrier(type, types);
    if (!lc_tf_ok(c)) return -1;
    if (carrier == LC_DTYPE_COUNT) return lc_tf_fail(c, LC_UNSUPPORTED, "%s is not supported here", lc_dtype_name(type));
    return type == LC_UINT64 ? lc_tf_bits_as(c, x, carrier) : lc_build_cast(c->b, x, carrier);
}

int32_t lc_tf_land(lc_tf_call *c, int32_t y, lc_dtype type) {
    return type == LC_UINT64 ? lc_tf_bits_as(c, y, type) : lc_build_cast(c->b, y, type);
}

int32_t lc_tf_flip(lc_tf_call *c, int32_t x) { return lc_tf_add_with(c, x, -0x1p63); }

/* ---- shapes ----------------------------------------------------------------------------------------------------------- */

bool lc_tf_covers(lc_tf_call *c, int32_t a, int32_t b) {
    const lc_shape s = lc_tf_shape(c, a), t = lc_tf_shape(c, b);
    if (s.rank == LC_RANK_UNKNOWN || t.rank == LC_RANK_UNKNOWN || t.rank > s.rank) return false;
    for (int32_t d = 0; d < t.rank; d++)
        if (t.dims[d] != 1 && !lc_tf_same_dim(c, a, s.rank - t.rank + d, b, d)) return false;
    return true;
}

bool lc_tf_same_shape(lc_tf_call *c, int32_t a, int32_t b) {
    return a == b || (lc_tf_shape(c, a).rank == lc_tf_shape(c, b).rank && lc_tf_covers(c, a, b) && lc_tf_covers(c, b, a));
}

/* a - 0 in the shape of both; -0 stays what it is. */
static int32_t spread(lc_tf_call *c, int32_t a, int32_t over) { return lc_tf_sub(c, a, lc_tf_filled_like(c, over, 0, lc_tf_type(c, a))); }

void lc_tf_match(lc_tf_call *c, int32_t *a, int32_t *b) {
    if (!lc_tf_ok(c) || lc_tf_same_shape(c, *a, *b)) return;
    const int32_t x = *a, y = *b;
    const bool a_covers = lc_tf_covers(c, x, y), b_covers = lc_tf_covers(c, y, x);
    if (!a_covers) *a = spread(c, x, y);
    if (!b_covers) *b = spread(c, y, x);
}

int32_t lc_tf_filled_like(lc_tf_call *c, int32_t x, double value, lc_dtype type) {
    if (value == 0 && type == lc_tf_type(c, x) && lc_tf_among(type, LC_TF_COMMON)) return lc_tf_unary(c, LC_OP_ZEROS_LIKE, x);
    const int32_t shape = lc_tf_shape_tensor(c, x);
    return lc_tf_fill(c, shape, lc_tf_scalar(c, value, type));
}

/* ---- what was built before ------------------------------------------------------------------------------------------ */

enum { LOOK_BACK = 400 }; /* operators: what belongs together is near, and a long graph is not searched for each of its nodes */

const lc_node *lc_tf_maker(lc_tf_call *c, int32_t tensor) {
    const lc_graph *g = c->b->graph;
    const size_t from = g->node_count > LOOK_BACK ? g->node_count - LOOK_BACK : 0;
    for (size_t i = g->node_count; i > from && lc_tf_ok(c); i--)
        if (g->nodes[i - 1].output_count == 1 && g->nodes[i - 1].outputs[0] == tensor) return &g->nodes[i - 1];
    return NULL;
}

/* ---- short forms -------------------------------------------------------------------------------------------------------- */

int32_t lc_tf_from(lc_tf_call *c, int32_t op, double value, int32_t x) {
    return lc_tf_binary(c, op, lc_tf_scalar(c, value, lc_tf_type(c, x)), x);
}

int32_t lc_tf_choose_value(lc_tf_call *c, int32_t condition, double yes, int32_t no) {
    return lc_build_select(c->b, condition, lc_tf_scalar(c, yes, lc_tf_type(c, no)), no);
}

int32_t lc_tf_choose_else(lc_tf_call *c, int32_t condition, int32_t yes, double no) {
    return lc_build_select(c->b, condition, yes, lc_tf_scalar(c, no, lc_tf_type(c, yes)));
}

int32_t lc_tf_polynomial(lc_tf_call *c, int32_t x, const double *a, uint32_t n) {
    int32_t y = lc_tf_with(c, LC_OP_MUL, x, a[0]);
    for (uint32_t i = 1; i < n; i++) {
        y = lc_tf_with(c, LC_OP_ADD, y, a[i]);
        if (i + 1 < n) y = lc_tf_binary(c, LC_OP_MUL, y, x);
    }
    return y;
}
