/*
 * Merging layers: n inputs by a chain of binary operators. Inputs of different rank meet as in Keras: the smaller ones get
 * dimensions of 1 behind the batch, not in front of it ([n, c] with [n, h, w, c] becomes [n, 1, 1, c]); the rest is the
 * operator's broadcasting. Integers that meet floats become floats, as in Keras 3.
 *
 * Facts: keras/src/layers/merging, tf_keras/src/layers/merging.
 */
#include "lower/eager.h"
#include "lower/tf_array.h"

static int32_t expand(lc_call *c, int32_t x, int32_t rank) {
    lc_shape s;
    if (!lc_call_shape(c, x, &s) || s.rank == rank) return x;
    if (s.rank < 1) return lc_build_fail(c->b, LC_INVALID, "one of its inputs has no batch dimension");
    int32_t dims[LC_MAX_RANK], open = 0;
    dims[0] = s.dims[0] < 0 ? -1 : s.dims[0];
    for (int32_t i = 1; i < rank; i++) dims[i] = i <= rank - s.rank ? 1 : s.dims[i - (rank - s.rank)];
    for (int32_t i = 0; i < rank; i++) open += dims[i] < 0;
    if (open <= 1) return lc_build_reshape(c->b, x, dims, rank);
    for (int32_t i = s.rank; i < rank; i++) { /* RESHAPE has room for one open size; EXPAND_DIMS keeps any number */
        int32_t axis = 1, in[2] = {x, lc_build_ints(c->b, "axis", &axis, 1)};
        x = lc_build_op(c->b, LC_OP_EXPAND_DIMS, LC_TABLE_ExpandDimsOptions, NULL, in, 2);
    }
    return x;
}

/* The inputs in one type: their own when they share it, float32 when there are floats among them. NULL when failed. */
static const int32_t *of_one_type(lc_call *c) {
    bool floats = false, mixed = false;
    uint32_t other = 0;
    const lc_dtype first = lc_build_type(c->b, c->in[0]);
    for (uint32_t i = 0; i < c->in_count; i++) {
        const lc_dtype type = lc_build_type(c->b, c->in[i]);
        floats = floats || type == LC_FLOAT32;
        if (type != first && !mixed) mixed = true, other = i;
    }
    if (c->b->status != LC_OK) return NULL;
    if (!mixed) return c->in;
    if (!floats) {
        lc_build_fail(c->b, LC_UNSUPPORTED, "its input 0 is %s and its input %u is %s, it needs one type or floats among them",
                      lc_dtype_name(first), other, lc_dtype_name(lc_build_type(c->b, c->in[other])));
        lc_build_hint(c->b, "give the inputs of the model one dtype and save it again");
        return NULL;
    }
    int32_t *in = lc_arena_array(&c->lower->scratch, c->in_count, sizeof *in);
    if (!in) lc_build_check(c->b, lc_fail_memory(c->b->err, "the inputs of a layer"));
    for (uint32_t i = 0; in && i < c->in_count; i++) in[i] = lc_call_float(c, i);
    return c->b->status == LC_OK ? in : NULL;
}

static int32_t where(lc_call *c, int32_t mask, int32_t yes, int32_t no) { return mask < 0 ? yes : lc_build_select(c->b, mask, yes, no); }

static int32_t scalar(lc_call *c, int32_t like, double value) { return lc_tf_scalar(lc_eager_maker(c), value, lc_build_type(c->b, like)); }

/* The mask of input i with a dimension of 1 for the features; -1: none, or the input got dimensions, where Keras loses it. */
static int32_t column(lc_call *c, uint32_t i, int32_t rank) {
    const int32_t mask = lc_call_mask(c, i);
    lc_shape x, s;
    if (mask < 0 || !lc_call_shape(c, c->in[i], &x) || x.rank != rank || !lc_call_shape(c, mask, &s)) return -1;
    return lc_tf_expand(lc_eager_maker(c), mask, s.rank);
}

/* What a mask of Keras 3 excludes is left out of a product, a maximum and a minimum; where nothing is left a product is 0. */
static int32_t chain(lc_call *c, int32_t op) {
    const bool leaves_out = !c->lower->keras2 && (op == LC_OP_MUL || op == LC_OP_MAXIMUM || op == LC_OP_MINIMUM);
    int32_t rank = 0, y = -1, counts = -1; /* where y is something */
    const int32_t *in = of_one_type(c);
    if (!in) return -1;
    for (uint32_t i = 0; i < c->in_count; i++) {
        lc_shape s;
        if (!lc_call_shape(c, c->in[i], &s)) return -1;
        if (s.rank > rank) rank = s.rank;
    }
    for (uint32_t i = 0; i < c->in_count; i++) {
        int32_t x = expand(c, in[i], rank);
        const int32_t mask = leaves_out ? column(c, i, rank) : -1;
        if (mask >= 0 && op == LC_OP_MUL) x = where(c, mask, x, scalar(c, x, 1));
        else if (i > 0) {
            x = where(c, mask, x, y);
            if (op != LC_OP_MUL) y = where(c, counts, y, x);
        }
        y = i == 0 ? x : lc_build_binary(c->b, op, y, x, LC_LOWER_ACT(NONE));
        if (i == 0) counts = mask;
        else counts = counts < 0 || mask < 0 ? -1 : lc_tf_binary(lc_eager_maker(c), LC_OP_LOGICAL_OR, counts, mask);
    }
    if (op == LC_OP_MUL && counts >= 0) y = where(c, counts, y, scalar(c, y, 0));
    lc_mask_of_merge(c);
    return y;
}

int32_t lc_lower_add(lc_call *c) { return chain(c, LC_OP_ADD); }
int32_t lc_lower_subtract(lc_call *c) { return chain(c, LC_OP_SUB); }
int32_t lc_lower_multiply(lc_call *c) { return chain(c, LC_OP_MUL); }
int32_t lc_lower_maximum(lc_call *c) { return chain(c, LC_OP_MAXIMUM); }
int32_t lc_lower_minimum(lc_call *c) { return chain(c, LC_OP_MINIMUM); }

int32_t lc_lower_average(lc_call *c) {
    int32_t sum = chain(c, LC_OP_ADD);
    if (c->b->status != LC_OK) return -1;
    const lc_dtype type = lc_build_type(c->b, sum);
    if (type != LC_FLOAT32) { /* Keras 3 divides integers into floats; Keras 2 into what its backend likes */
        if (c->lower->keras2 || type != LC_INT32)
            return lc_build_fail(c->b, LC_UNSUPPORTED, "its inputs are %s, needs float32", lc_dtype_name(type));
        sum = lc_build_cast(c->b, sum, LC_FLOAT32);
    }
    return c->in_count > 1 ? lc_build_with_scalar(c->b, LC_OP_MUL, sum, "share", (float)(1.0 / c->in_count)) : sum;
}

int32_t lc_lower_concatenate(lc_call *c) {
    lc_shape s;
    if (c->in_count == 1) {
        lc_opt_known(c, "axis");
        lc_call_give_mask(c, lc_call_mask(c, 0));
        return c->in[0];
    }
    if (!lc_call_shape(c, c->in[0], &s)) return -1;
    lc_ConcatenationOptions o = {.axis = lc_call_axis(c, "axis", lc_opt_int(c, "axis", -LC_MAX_RANK, LC_MAX_RANK, -1), s.rank)};
    const int32_t *in = of_one_type(c);
    if (!in) return -1;
    lc_mask_of_concat(c, o.axis, s.rank);
    return lc_build_op(c->b, LC_OP_CONCATENATION, LC_TABLE_ConcatenationOptions, &o, in, c->in_count);
}

/* x + y * scale: InceptionResNetV2's own layer in keras.applications. */
int32_t lc_lower_custom_scale(lc_call *c) {
    const int32_t x = lc_call_float(c, 0), y = lc_call_float(c, 1);
    const int32_t scaled = lc_build_with_scalar(c->b, LC_OP_MUL, y, "scale", (float)lc_opt_num(c, "scale", 1));
    return lc_build_binary(c->b, LC_OP_ADD, x, scaled, LC_LOWER_ACT(NONE));
}
