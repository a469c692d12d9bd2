/*
 * tf_math.h: what the mathematical operators share.
 *
 * A builtin has kernels for some types, TensorFlow's operator for more. An operator says which types its builtins take, and its inputs are
 * carried there: narrow integers in int32 (uint32 in int64), every float in float32. The result lands in the operator's own type: integers
 * modulo 2^width, which is TensorFlow's wrapping; float64 keeps float32's precision.
 *
 * Two arguments of one call never both make nodes: C leaves their order open, and the same input must give the same bytes.
 */
#ifndef LC_LOWER_TF_MATH_H
#define LC_LOWER_TF_MATH_H

#include "lower/tf_array.h"

/* ---- types (tf_carry.c) ------------------------------------------------------------------------------------------ */

enum {
    LC_TF_REALS = 1 << LC_FLOAT32 | 1 << LC_FLOAT16 | 1 << LC_BFLOAT16 | 1 << LC_FLOAT64,
    LC_TF_COMPLEX = 1 << LC_COMPLEX64 | 1 << LC_COMPLEX128,
    LC_TF_WRAPS = 1 << 30, /* with INT64: uint64 too, as the same bits; for what does not ask which of two is larger */
    LC_TF_COMMON = 1 << LC_FLOAT32 | 1 << LC_INT32 | 1 << LC_INT64, /* what nearly every builtin takes */
};
static inline bool lc_tf_among(lc_dtype type, uint32_t types) { return (unsigned)type < LC_DTYPE_COUNT && (types >> type & 1); }
static inline bool lc_tf_is_real(lc_dtype type) { return lc_tf_among(type, LC_TF_REALS); }
static inline bool lc_tf_is_complex(lc_dtype type) { return lc_tf_among(type, LC_TF_COMPLEX); }
bool lc_tf_is_integer(lc_dtype type);
/* A type attribute of the result; failed when it is a type without numbers. */
lc_dtype lc_tf_made_type(lc_tf_call *c, const char *name, lc_dtype otherwise);

/* Where values of `type` are carried when the builtin takes `types`; LC_DTYPE_COUNT: nowhere. */
lc_dtype lc_tf_carrier(lc_dtype type, uint32_t types);
/* True when input i can be carried; otherwise the operator went to what is missing: return then. */
bool lc_tf_can(lc_tf_call *c, uint32_t i, uint32_t types);
int32_t lc_tf_carried(lc_tf_call *c, int32_t x, uint32_t types);
int32_t lc_tf_land(lc_tf_call *c, int32_t y, lc_dtype type);
/* The same bytes as another type (BITCAST); x itself when it has it. */
int32_t lc_tf_bits_as(lc_tf_call *c, int32_t x, lc_dtype type);
/* uint64, and float64's bits in order, as int64 that compare as they do: the top bit is flipped. */
int32_t lc_tf_flip(lc_tf_call *c, int32_t x);

/* ---- shapes (tf_carry.c) ------------------------------------------------------------------------------------------- */

/* Both shapes are known to be equal in every run. */
bool lc_tf_same_shape(lc_tf_call *c, int32_t a, int32_t b);
/* Broadcasting b to a leaves a's shape as it is, in every run. */
bool lc_tf_covers(lc_tf_call *c, int32_t a, int32_t b);
/* Gives both the shape they broadcast to, for builtins that do not broadcast. float32, int32, int64. */
void lc_tf_match(lc_tf_call *c, int32_t *a, int32_t *b);
/* A tensor of x's shape, every element `value`. */
int32_t lc_tf_filled_like(lc_tf_call *c, int32_t x, double value, lc_dtype type);

/* ---- short forms -------------------------------------------------------------------------------------------------------- */

#define LC_TF_SHORT(name, OP) \
    static inline int32_t lc_tf_##name(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_##OP, x, y); } \
    static inline int32_t lc_tf_##name##_with(lc_tf_call *c, int32_t x, double value) { return lc_tf_with(c, LC_OP_##OP, x, value); }
LC_TF_SHORT(add, ADD)
LC_TF_SHORT(sub, SUB)
LC_TF_SHORT(mul, MUL)
LC_TF_SHORT(div, DIV)
LC_TF_SHORT(less, LESS)
LC_TF_SHORT(more, GREATER)
LC_TF_SHORT(equal, EQUAL)
LC_TF_SHORT(differ, NOT_EQUAL)
LC_TF_SHORT(least, MINIMUM)
LC_TF_SHORT(most, MAXIMUM)
#undef LC_TF_SHORT
/* value op x */
int32_t lc_tf_from(lc_tf_call *c, int32_t op, double value, int32_t x);
/* Where the condition holds yes, else no; with a number for one of them. */
static inline int32_t lc_tf_choose(lc_tf_call *c, int32_t condition, int32_t yes, int32_t no) {
    return lc_build_select(c->b, condition, yes, no);
}
int32_t lc_tf_choose_value(lc_tf_call *c, int32_t condition, double yes, int32_t no);
int32_t lc_tf_choose_else(lc_tf_call *c, int32_t condition, int32_t yes, double no);
/* a[0] x^(n-1) + ... + a[n-1], by Horner. */
int32_t lc_tf_polynomial(lc_tf_call *c, int32_t x, const double *a, uint32_t n);
#define LC_TF_POLYNOMIAL(c, x, a) lc_tf_polynomial(c, x, a, (uint32_t)(sizeof(a) / sizeof *(a)))

/* ---- what random numbers do not change (tf_uniform.c) ------------------------------------------------------------------------ */

/* FLOOR of x (y is not read), or a comparison of x and y, when it is the same for all numbers that x can be; -1 when it is not. */
int32_t lc_tf_decided(lc_tf_call *c, int32_t op, int32_t x, int32_t y);
/* x as an operand beside `other`: the number it is filled with, where the result has the shape anyway. */
int32_t lc_tf_unfilled(lc_tf_call *c, int32_t x, int32_t other);
/* A FILL of a constant as another type; -1: x is none. */
int32_t lc_tf_cast_filling(lc_tf_call *c, int32_t x, lc_dtype type);
/* x is a constant scalar of this value. */
bool lc_tf_is_number(lc_tf_call *c, int32_t x, int value);

/* ---- elementary functions of float32 (tf_elementary.c) ----------------------------------------------------------------------- */

int32_t lc_tf_log1p(lc_tf_call *c, int32_t x);
int32_t lc_tf_expm1(lc_tf_call *c, int32_t x);
int32_t lc_tf_cosh(lc_tf_call *c, int32_t x);
int32_t lc_tf_sinh(lc_tf_call *c, int32_t x);
int32_t lc_tf_atan2(lc_tf_call *c, int32_t y, int32_t x);
int32_t lc_tf_lgamma_positive(lc_tf_call *c, int32_t x); /* log(gamma(x)) of x > 0 (tf_gamma.c) */
int32_t lc_tf_stirling(lc_tf_call *c, int32_t x);        /* log(gamma(x)) - ((x - 1/2) log(x) - x + log(2 pi) / 2), x >= 3 */
int32_t lc_tf_ndtri(lc_tf_call *c, int32_t p);           /* the normal distribution's quantiles (tf_special.c) */

/* A function of float32 as an operator: floats of other widths go through float32, complex ones to tf_complex.c. */
typedef int32_t (*lc_tf_real_fn)(lc_tf_call *c, int32_t x);
void lc_tf_real_op(lc_tf_call *c, lc_tf_real_fn f);

/* ---- integers (tf_integer.c) ----------------------------------------------------------------------------------------------------- */

/* int64 quotients, exact over the whole range: no builtin divides int64. floor: rounded down, else towards zero. */
int32_t lc_tf_div_int64(lc_tf_call *c, int32_t a, int32_t b, bool floor);
/* x to a power that is known, by squaring. */
int32_t lc_tf_power_of(lc_tf_call *c, int32_t x, uint64_t e);
/* int64 powers with exponents from 0 on. */
int32_t lc_tf_power_int64(lc_tf_call *c, int32_t x, int32_t e);

/* ---- what was built before (tf_carry.c) --------------------------------------------------------------------------------------------- */

/* The operator that made a tensor, when it is one of the last few hundred; NULL. */
const lc_node *lc_tf_maker(lc_tf_call *c, int32_t tensor);

/* ---- complex numbers (tf_complex.c) ----------------------------------------------------------------------------------------------------
 */

/* Real and imaginary part of a complex64 or complex128 tensor, float32 and not yet joined where they come from lc_tf_joined. */
typedef struct lc_tf_pair {
    int32_t re, im;
} lc_tf_pair;
lc_tf_pair lc_tf_parts(lc_tf_call *c, int32_t z);
int32_t lc_tf_joined(lc_tf_call *c, lc_tf_pair z, lc_dtype type);
int32_t lc_tf_conjugate(lc_tf_call *c, int32_t z);
/* Matrix product of complex tensors, with either transposed: four real ones. */
int32_t lc_tf_complex_product(lc_tf_call *c, int32_t x, int32_t y, bool turn_x, bool turn_y);
/* This operator on complex inputs, by its name; missing when there is no such. */
void lc_tf_complex_op(lc_tf_call *c);

#endif
