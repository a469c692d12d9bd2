/*
 * formula_make.h: short names for the functions of formulas (formula_math.c, formula_shape.c, formula_more.c), which build graphs with them.
 */
#ifndef LC_LOWER_FORMULA_MAKE_H
#define LC_LOWER_FORMULA_MAKE_H

#include "lower/formula.h"

static inline int32_t op1(lc_formula *f, const char *op, int32_t x) { return lc_formula_op(f, op, &x, 1); }
static inline int32_t op2(lc_formula *f, const char *op, int32_t x, int32_t y) {
    const int32_t in[2] = {x, y};
    return lc_formula_op(f, op, in, 2);
}
static inline int32_t op3(lc_formula *f, const char *op, int32_t x, int32_t y, int32_t z) {
    const int32_t in[3] = {x, y, z};
    return lc_formula_op(f, op, in, 3);
}
static inline int32_t whole(lc_formula *f, int32_t v) { return lc_tf_scalar(f->maker, v, LC_INT32); }
static inline int32_t real(lc_formula *f, double v) { return lc_tf_scalar(f->maker, v, LC_FLOAT32); }
static inline int32_t ints(lc_formula *f, const int32_t *v, int32_t n) { return lc_tf_vector(f->maker, v, n); }
/* Rank 0 when it is not known, and after a failure. */
static inline lc_shape shape(lc_formula *f, int32_t x) {
    lc_shape s = {0};
    if (!lc_formula_ok(f) || x < 0 || !lc_build_shape(f->c->b, x, &s) || s.rank < 0) s.rank = 0;
    return s;
}
static inline lc_arg give(int32_t t) { return lc_arg_tensor(t); }
static inline lc_arg dim(lc_formula *f, int32_t x, int32_t axis) {
    const lc_arg of[2] = {give(x), lc_arg_int(f, axis)};
    return lc_formula_dim(f, of, 2);
}

/* x cut along an axis: into `count` parts of these sizes (one may be -1; NULL: equal parts), at most LC_FORMULA_PARTS. A list of tensors.
 * (formula_shape.c) */
#define LC_FORMULA_PARTS 256
lc_arg lc_formula_in_parts(lc_formula *f, int32_t x, int32_t axis, const int32_t *sizes, uint32_t count);

#endif
