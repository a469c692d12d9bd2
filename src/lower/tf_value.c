/*
 * tf_value.c: what every lowering function works with: its inputs as tensors, its outputs, shapes, and the makers that several share.
 */
#include "base/half.h"
#include "ir/constant.h"
#include "lower/tf_impl.h"

#include <string.h>

/* ---- inputs and outputs -------------------------------------------------------------------------------------------- */

int32_t lc_tf_in(lc_tf_call *c, uint32_t i) {
    if (!lc_tf_ok(c)) return -1;
    if (i >= c->in_count) return lc_tf_fail(c, LC_INVALID, "it has %u inputs, needs at least %u", c->in_count, i + 1);
    const lc_tf_value v = c->in[i];
    switch (v.kind) {
    case LC_TF_TENSOR: return v.tensor;
    case LC_TF_VARIABLE:
        return lc_tf_variable_read(c, v.object); /* a reference variable of TensorFlow 1 is its value, wherever it is read */
    case LC_TF_NOTHING: return lc_tf_fail(c, LC_INVALID, "its input %u is an output that was not made", i);
    case LC_TF_TABLE: return lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is a hash table, needs a tensor", i);
    case LC_TF_LIST: return lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is a list of tensors, needs a tensor", i);
    default: return lc_tf_fail(c, LC_UNSUPPORTED, "its input %u is missing", i);
    }
}

void lc_tf_give(lc_tf_call *c, uint32_t k, int32_t tensor) { lc_tf_give_value(c, k, (lc_tf_value){LC_TF_TENSOR, tensor, 0}); }

void lc_tf_give_value(lc_tf_call *c, uint32_t k, lc_tf_value value) {
    if (!lc_tf_ok(c) || k >= c->out_count) return; /* an output that nobody asked for */
    c->out[k] = value;
}

lc_dtype lc_tf_type(lc_tf_call *c, int32_t tensor) { return lc_build_type(c->b, tensor); }

lc_shape lc_tf_shape(lc_tf_call *c, int32_t tensor) {
    lc_shape s = {.rank = LC_RANK_UNKNOWN};
    const lc_tensor *t = lc_build_tensor(c->b, tensor);
    if (!t || !t->has_rank || t->rank > LC_MAX_RANK) return s;
    s.rank = t->rank;
    for (int32_t d = 0; d < s.rank; d++) s.dims[d] = lc_tensor_dim(t, d);
    return s;
}

lc_shape lc_tf_ranked(lc_tf_call *c, int32_t tensor) {
    const lc_shape s = lc_tf_shape(c, tensor);
    if (s.rank == LC_RANK_UNKNOWN && lc_tf_ok(c)) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the number of dimensions of its input \"%.*s\" is not known",
                   LC_TF_NAME(lc_build_tensor(c->b, tensor)->name));
        lc_tf_hint(c, "give the shape of the model's input: --input-shape NAME=1,224,224,3");
    }
    return s;
}

void lc_tf_learn_rank(lc_tf_call *c, int32_t tensor, int32_t rank) {
    if (lc_tf_shape(c, tensor).rank != LC_RANK_UNKNOWN || !lc_tf_ok(c)) return;
    lc_tf_known k = {.set = true};
    for (int32_t d = 0; d < rank; d++) {
        int32_t size[2];
        lc_tf_symbol(c->lower, d > 0, size);
        for (int w = 0; w < 2; w++) k.shape[w].dims[d] = size[w];
    }
    k.shape[0].rank = k.shape[1].rank = rank;
    lc_tf_know(c->b, tensor, &k);
}

lc_shape lc_tf_rank_of(lc_tf_call *c, int32_t tensor, int32_t rank) {
    const lc_shape s = lc_tf_ranked(c, tensor);
    if (lc_tf_ok(c) && s.rank != rank) {
        char text[LC_SHAPE_TEXT];
        lc_tf_fail(c, LC_INVALID, "its input \"%.*s\" is %s, needs %d dimensions", LC_TF_NAME(lc_build_tensor(c->b, tensor)->name),
                   lc_shape_text(&s, text), rank);
        return (lc_shape){.rank = LC_RANK_UNKNOWN};
    }
    return s;
}

lc_shape lc_tf_fixed(lc_tf_call *c, int32_t tensor, const char *what) {
    const lc_shape s = lc_tf_ranked(c, tensor);
    for (int32_t d = 0; d < s.rank && lc_tf_ok(c); d++)
        if (s.dims[d] < 0) {
            char text[LC_SHAPE_TEXT];
            lc_tf_fail(c, LC_UNSUPPORTED, "its %s is %s, TFLite needs all dimensions", what, lc_shape_text(&s, text));
            lc_tf_hint(c, "give the shape of the model's input: --input-shape NAME=1,224,224,3");
        }
    return s;
}

int32_t lc_tf_axis(lc_tf_call *c, int64_t axis, int32_t rank) {
    if (!lc_tf_ok(c)) return 0;
    if (axis < -rank || axis >= rank) {
        lc_tf_fail(c, LC_INVALID, "its axis is %lld, its input has %d dimensions", (long long)axis, rank);
        return 0;
    }
    return (int32_t)(axis < 0 ? axis + rank : axis);
}

bool lc_tf_take(lc_tf_call *c, lc_status status) {
    if (status == LC_OK || !lc_tf_ok(c)) return lc_tf_ok(c);
    c->b->status = status;
    lc_error_prefix(c->lower->err, "node \"%.*s\" (%.*s)", LC_TF_NAME(c->node->name), LC_TF_NAME(c->node->op));
    return false;
}

/* ---- makers ----------------------------------------------------------------------------------------------------------- */

/* One number as an element of `type`; what does not fit becomes the nearest that does. */
static bool put(lc_dtype type, void *at, double v) {
    switch (type) {
#define PUT(T, ctype, low, high) \
    case T: { \
        const ctype x = v >= (high) ? (ctype)(high) : v <= (low) ? (ctype)(low) : (ctype)v; \
        memcpy(at, &x, sizeof x); \
        return true; \
    }
        PUT(LC_INT8, int8_t, INT8_MIN, INT8_MAX)
        PUT(LC_UINT8, uint8_t, 0, UINT8_MAX)
        PUT(LC_INT16, int16_t, INT16_MIN, INT16_MAX)
        PUT(LC_UINT16, uint16_t, 0, UINT16_MAX)
        PUT(LC_INT32, int32_t, INT32_MIN, INT32_MAX)
        PUT(LC_UINT32, uint32_t, 0, UINT32_MAX)
        PUT(LC_INT64, int64_t, -0x1p63, 0x1.fffffffffffffp62)
        PUT(LC_UINT64, uint64_t, 0, 0x1.fffffffffffffp63)
#undef PUT
    case LC_FLOAT32: {
        const float x = (float)v;
        memcpy(at, &x, sizeof x);
        return true;
    }
    case LC_FLOAT64: memcpy(at, &v, sizeof v); return true;
    case LC_BOOL: return *(uint8_t *)at = v != 0, true;
    case LC_FLOAT16: {
        const uint16_t x = lc_float_to_half((float)v);
        memcpy(at, &x, sizeof x);
        return true;
    }
    case LC_BFLOAT16: {
        const uint16_t x = lc_float_to_bfloat((float)v);
        memcpy(at, &x, sizeof x);
        return true;
    }
    default: return false;
    }
}

int32_t lc_tf_scalar(lc_tf_call *c, double value, lc_dtype type) {
    uint8_t bytes[8] = {0};
    if (!lc_tf_ok(c)) return -1;
    if (!put(type, bytes, value)) return lc_tf_fail(c, LC_UNSUPPORTED, "%s constants are not supported here", lc_dtype_name(type));
    const size_t size = lc_dtype_bits(type) / 8;
    void *data = lc_build_data(c->b, size);
    if (data) memcpy(data, bytes, size);
    return lc_build_const(c->b, "const", type, NULL, 0, data, size, true);
}

int32_t lc_tf_const_ints(lc_tf_call *c, const int64_t *values, uint32_t n, lc_dtype type) {
    const size_t width = lc_dtype_bits(type) / 8;
    uint8_t *data = lc_build_data(c->b, n ? n * width : 1);
    for (uint32_t i = 0; data && i < n; i++) {
        if (type == LC_INT64) memcpy(data + i * width, &values[i], width);
        else if (!put(type, data + i * width, (double)values[i]))
            return lc_tf_fail(c, LC_UNSUPPORTED, "%s constants are not supported here", lc_dtype_name(type));
    }
    const int32_t dim = (int32_t)n;
    return lc_build_const(c->b, "const", type, &dim, 1, data, n * width, true);
}

int32_t lc_tf_shape_tensor(lc_tf_call *c, int32_t x) {
    const lc_ShapeOptions o = {.out_type = LC_INT32};
    return lc_build_op(c->b, LC_OP_SHAPE, LC_TABLE_ShapeOptions, &o, &x, 1);
}

/* Of a tensor whose rank is not known: no rule can check it before the run, and what comes out is what was asked for. */
static int32_t reshape_unknown(lc_tf_call *c, int32_t x, const lc_shape *wanted) {
    const int32_t in[2] = {x, lc_build_ints(c->b, "shape", wanted->dims, (uint32_t)wanted->rank)};
    const lc_tensor *t = lc_build_tensor(c->b, in[1]);
    if (!t) return -1;
    const lc_ReshapeOptions o = {.new_shape = {t->data, (uint32_t)wanted->rank}};
    const lc_dtype type = lc_tf_type(c, x);
    lc_tf_known known = {.set = true, .shape = {*wanted, *wanted}};
    int32_t out = -1;
    for (int32_t d = 0; d < wanted->rank; d++) {
        int32_t size[2];
        if (wanted->dims[d] >= 0) continue;
        lc_tf_symbol(c->lower, d > 0, size);
        known.shape[0].dims[d] = size[0];
        known.shape[1].dims[d] = size[1];
    }
    return lc_tf_emit(c->b, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, &o, in, 2, &type, &known, &out, 1) ? out : -1;
}

int32_t lc_tf_reshape(lc_tf_call *c, int32_t x, const int32_t *dims, int32_t rank) {
    const lc_shape s = lc_tf_shape(c, x);
    lc_shape wanted = {.rank = rank};
    int32_t open = 0;
    for (int32_t d = 0; d < rank; d++) {
        wanted.dims[d] = dims[d];
        open += dims[d] < 0;
    }
    if (!open && lc_shape_equal(&s, &wanted)) return x;
    if (open > 1) return lc_tf_fail(c, LC_UNSUPPORTED, "more than one dimension of the new shape is open");
    if (s.rank == LC_RANK_UNKNOWN && lc_tf_ok(c)) return reshape_unknown(c, x, &wanted);
    return lc_build_reshape(c->b, x, dims, rank);
}

const lc_node *lc_tf_made_by(lc_tf_call *c, int32_t tensor) {
    const lc_graph *g = c->b->graph;
    for (size_t i = g->node_count, k = 0; i-- > 0 && k < 32; k++)
        for (uint32_t o = 0; o < g->nodes[i].output_count; o++)
            if (g->nodes[i].outputs[o] == tensor) return &g->nodes[i];
    return NULL;
}

/* x, or what it was reshaped from: the one that has y's shape in every run; -1 when none has. */
static int32_t unreshaped(lc_tf_call *c, int32_t x, int32_t y) {
    const int32_t rank = lc_tf_shape(c, y).rank;
    for (int hop = 0; hop < 4 && lc_tf_ok(c) && rank != LC_RANK_UNKNOWN; hop++) {
        bool same = lc_tf_shape(c, x).rank == rank;
        for (int32_t d = 0; same && d < rank; d++) same = lc_tf_same_dim(c, x, d, y, d);
        if (same) return x;
        const lc_node *n = lc_tf_made_by(c, x);
        if (!n || n->op != LC_OP_RESHAPE) break;
        x = n->inputs[0];
    }
    return -1;
}

int32_t lc_tf_reshape_like(lc_tf_call *c, int32_t x, int32_t shape) {
    const lc_shape s = lc_tf_shape_value(c, shape);
    int32_t open = 0;
    for (int32_t d = 0; d < s.rank; d++) open += s.dims[d] < 0;
    if (s.rank != LC_RANK_UNKNOWN && open <= 1) return lc_tf_reshape(c, x, s.dims, s.rank);
    const int32_t in[2] = {x, lc_tf_int32(c, shape)}, y = lc_build_op(c->b, LC_OP_RESHAPE, LC_TABLE_ReshapeOptions, NULL, in, 2);
    const lc_shape is = lc_tf_shape(c, y);
    const int32_t before = lc_tf_is_const(c, y) ? -1 : unreshaped(c, x, y);
    if (before >= 0) return before;
    bool empty = false;
    open = 0;
    for (int32_t d = 0; d < is.rank; d++) {
        open += is.dims[d] < 0;
        empty = empty || is.dims[d] == 0;
    }
    /* what comes out may be known better than what was asked for: [batch, -1] of [?,4,3] is [?,12] */
    if (is.rank == LC_RANK_UNKNOWN || open > 1 || (open && empty) || lc_tf_is_const(c, y)) return y;
    return lc_tf_reshape(c, x, is.dims, is.rank);
}

int32_t lc_tf_transposed(lc_tf_call *c, int32_t w, int32_t rows, int32_t cols, const int32_t *dims, int32_t rank) {
    const lc_tensor *t = lc_build_tensor(c->b, w);
    if (!t) return -1;
    uint64_t elements;
    const bool plain =
        t->deferred && t->deferred->rows == 1 && !t->deferred->scale; /* a constant that lies where it may not be read as floats */
    const void *data = t->data ? t->data : plain ? t->deferred->data : NULL;
    const lc_dtype type = t->data ? t->type : plain ? t->deferred->type : t->type;
    if (data && lc_floats_can_load(type) && rows > 0 && cols > 0 && lc_tensor_elements(t, &elements) &&
        elements == (uint64_t)rows * (uint64_t)cols) {
        const lc_deferred made = {.type = type, .data = data, .rows = (size_t)rows, .cols = (size_t)cols};
        return lc_build_deferred(c->b, "weights", dims, rank, &made);
    }
    const int32_t matrix[2] = {rows, cols}, perm[2] = {1, 0};
    if (rows == 1 || cols == 1) return lc_tf_reshape(c, lc_tf_float32(c, w), dims, rank); /* the elements stay in order */
    return lc_tf_reshape(c, lc_build_transpose(c->b, lc_tf_reshape(c, lc_tf_float32(c, w), matrix, 2), perm, 2), dims, rank);
}

static bool is_wide_float(lc_dtype t) { return t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_FLOAT64; }

int32_t lc_tf_float32(lc_tf_call *c, int32_t x) { return is_wide_float(lc_tf_type(c, x)) ? lc_build_cast(c->b, x, LC_FLOAT32) : x; }

int32_t lc_tf_back(lc_tf_call *c, int32_t y, lc_dtype type) { return is_wide_float(type) ? lc_build_cast(c->b, y, type) : y; }

int32_t lc_tf_int32(lc_tf_call *c, int32_t x) {
    const lc_dtype t = lc_tf_type(c, x);
    return t == LC_INT64 || t == LC_INT16 || t == LC_INT8 || t == LC_UINT8 ? lc_build_cast(c->b, x, LC_INT32) : x;
}

int32_t lc_tf_binary(lc_tf_call *c, int32_t op, int32_t x, int32_t y) {
    return lc_build_binary(c->b, op, x, y, LC_ActivationFunctionType_NONE);
}

int32_t lc_tf_with(lc_tf_call *c, int32_t op, int32_t x, double value) {
    return lc_tf_binary(c, op, x, lc_tf_scalar(c, value, lc_tf_type(c, x)));
}
