/*
 * tf_uniform.c: what is decided before the run although random numbers are in it. Dropout whose keep_prob is fixed to 1 keeps everything:
 *
 *     floor(1 + RandomUniform) is 1        RandomUniform >= 0 is true        then x * 1, x / 1, and x where true is x
 *
 * TensorFlow's numbers are multiples of 2^-23 from 0 to 1 - 2^-23. Sums and products with constants are followed in float32, whose rounding
 * keeps the order, so what holds for both ends holds between them. A decided tensor is a FILL of one number (its shape may be all that
 * anybody asks for); an operand that is such a FILL is that number where the other operand has the shape anyway.
 */
#include "lower/tf_math.h"

#include <math.h>
#include <string.h>

enum { CHAIN = 6 }; /* operators between the random numbers and the question */

typedef struct range {
    float low, high;
    int32_t shape; /* the tensor that RANDOM_UNIFORM takes */
} range;

static bool number(lc_tf_call *c, int32_t x, float *value) {
    uint32_t n;
    return lc_tf_shape(c, x).rank == 0 && lc_tf_floats(c, x, value, 1, &n) && n == 1 && isfinite(*value);
}

static float apply(int32_t op, float a, float b) {
    return op == LC_OP_ADD ? a + b : op == LC_OP_SUB ? a - b : op == LC_OP_MUL ? a * b : a / b;
}

/* In what range x lies; false when it is not made of random numbers. */
static bool find_range(lc_tf_call *c, int32_t x, range *r, int depth) {
    const lc_node *n = lc_tf_ok(c) && lc_tf_type(c, x) == LC_FLOAT32 ? lc_tf_made_by(c, x) : NULL;
    if (!n || depth == CHAIN) return false;
    if (n->op == LC_OP_RANDOM_UNIFORM) {
        *r = (range){0, 1 - 0x1p-23f, n->inputs[0]};
        return true;
    }
    if (n->op != LC_OP_ADD && n->op != LC_OP_SUB && n->op != LC_OP_MUL && n->op != LC_OP_DIV) return false;
    const int32_t op = n->op, a = n->inputs[0], b = n->inputs[1];
    float v;
    const bool second = number(c, b, &v);
    if ((!second && !number(c, a, &v)) || !find_range(c, second ? a : b, r, depth + 1)) return false;
    if (op == LC_OP_DIV && (!second || v == 0)) return false;
    const float p = second ? apply(op, r->low, v) : apply(op, v, r->low), q = second ? apply(op, r->high, v) : apply(op, v, r->high);
    r->low = fminf(p, q);
    r->high = fmaxf(p, q);
    return isfinite(r->low) && isfinite(r->high);
}

/* -1: not for all of them the same */
static int answer(int32_t op, const range *r, float v) {
    if (op == LC_OP_GREATER_EQUAL) return r->low >= v ? 1 : r->high < v ? 0 : -1;
    if (op == LC_OP_GREATER) return r->low > v ? 1 : r->high <= v ? 0 : -1;
    if (op == LC_OP_LESS) return r->high < v ? 1 : r->low >= v ? 0 : -1;
    if (op == LC_OP_LESS_EQUAL) return r->high <= v ? 1 : r->low > v ? 0 : -1;
    return -1;
}

/* The same question with its sides exchanged. */
static int32_t turned(int32_t op) {
    return op == LC_OP_GREATER_EQUAL ? LC_OP_LESS_EQUAL
           : op == LC_OP_GREATER     ? LC_OP_LESS
           : op == LC_OP_LESS        ? LC_OP_GREATER
           : op == LC_OP_LESS_EQUAL  ? LC_OP_GREATER_EQUAL
                                     : op;
}

int32_t lc_tf_decided(lc_tf_call *c, int32_t op, int32_t x, int32_t y) {
    range r;
    float v;
    if (!lc_tf_ok(c)) return -1;
    if (op == LC_OP_FLOOR) {
        if (!find_range(c, x, &r, 0) || floorf(r.low) != floorf(r.high)) return -1;
        return lc_tf_fill(c, r.shape, lc_tf_scalar(c, (double)floorf(r.low), LC_FLOAT32));
    }
    const bool second = number(c, y, &v);
    if ((!second && !number(c, x, &v)) || !find_range(c, second ? x : y, &r, 0)) return -1;
    const int yes = answer(second ? op : turned(op), &r, v);
    return yes < 0 ? -1 : lc_tf_fill(c, r.shape, lc_tf_scalar(c, yes, LC_BOOL));
}

/* The number that x is filled with; -1. *shape: what it was filled to. */
static int32_t filling(lc_tf_call *c, int32_t x, int32_t *shape) {
    const lc_node *n = lc_tf_ok(c) && !lc_tf_is_const(c, x) ? lc_tf_made_by(c, x) : NULL;
    if (!n || n->op != LC_OP_FILL || !lc_tf_is_const(c, n->inputs[1])) return -1;
    *shape = n->inputs[0];
    return n->inputs[1];
}

int32_t lc_tf_unfilled(lc_tf_call *c, int32_t x, int32_t other) {
    int32_t shape;
    const int32_t value = filling(c, x, &shape);
    return value >= 0 && lc_tf_covers(c, other, x) ? value : x;
}

int32_t lc_tf_cast_filling(lc_tf_call *c, int32_t x, lc_dtype type) {
    int32_t shape;
    const int32_t value = filling(c, x, &shape);
    return value < 0 ? -1 : lc_tf_fill(c, shape, lc_build_cast(c->b, value, type));
}

bool lc_tf_is_number(lc_tf_call *c, int32_t x, int value) {
    float v;
    int64_t k;
    uint32_t n;
    if (!lc_tf_ok(c) || lc_tf_shape(c, x).rank != 0) return false;
    if (lc_tf_ints(c, x, &k, 1, &n)) return n == 1 && k == value;
    return number(c, x, &v) && v == (float)value;
}
