/*
 * formula.h: what an operation of keras.ops, or a function of TensorFlow in a model of Keras 2, computes, written in one line of
 * operation.def or function.def. A row has a name, the parameters of its Python function, and the formula:
 *
 *     "Hypot", "x1 x2",                  "@f x1 x2; Sqrt(Square(x1) + Square(x2))"
 *     "Sum",   "x | axis keepdims",      "Sum(total(x), axes(x, axis), keep_dims: keepdims)"
 *
 * Parameters: those before the bar are the call's, by place or name; those behind it lie in the configuration (Keras 3). "axis=-1" has a
 * default, "filters/filter" two names.
 *
 *     formula     statements between semicolons; the last one's value is the result, a list has one output an item
 *     name = e    gives a name to a value
 *     @ a b       converts the values to the type that Keras gives a result of both (formula_type.c); @f: at least a floating-point type;
 *                 @s: a Python number is an int32 or float32 like any other
 *     Name(...)   TensorFlow's operator; an attribute is "key: e", "key.: e" a float, "key#: e" a type, "key[]: e" a list of sizes,
 *                 "key.[]: e" one of floats. Lists
 *                 among the inputs give an input an item; a Python number or list takes the type of the first tensor. Several outputs: a list
 *     name(...)   a function of formula_*.c (formula.def)
 *     + - * /     of tensors (a number takes the tensor's type) or of numbers; < > <= >= == != likewise
 *     c ? a : b   decided here where c is no tensor (None, False, 0, "" and [] are false), by SelectV2 where it is; !c, a & b, a | b
 *     v.1         item of a list;  [a, b]  a list;  'text', 1, .5, None, True
 *
 * Sticky as everything in this directory.
 */
#ifndef LC_LOWER_FORMULA_H
#define LC_LOWER_FORMULA_H

#include "lower/eager.h"
#include "lower/tf_array.h"

/* A value: None when all is empty. */
typedef struct lc_arg {
    int32_t tensor;             /* -1: none */
    const lc_json *json;        /* what Python knows: number, text, list of such; an array that Keras serialised */
    const struct lc_arg *items; /* [count] a list with tensors in it */
    uint32_t count;
    bool list;
} lc_arg;

enum { LC_FORMULA_NAMES = 24, LC_FORMULA_ARGS = 16 };

typedef struct lc_formula {
    lc_call *c;
    lc_tf_call *maker;
    const char *signature;
    const char *at;
    struct {
        const char *name;
        size_t size;
        lc_arg value;
    } names[LC_FORMULA_NAMES];
    uint32_t name_count;
} lc_formula;

/* One row. */
typedef struct lc_formula_row {
    const char *name, *signature, *formula;
} lc_formula_row;

/* Works out a row for a call and gives its outputs; output 0 is returned. */
int32_t lc_formula_run(lc_call *c, const lc_formula_row *row);

/* ---- for the functions (formula.def) ------------------------------------------------------------------------------------- */

typedef lc_arg (*lc_formula_fn)(lc_formula *f, const lc_arg *a, uint32_t n);
#define LC_FORMULA(name, min, max) lc_arg lc_formula_##name(lc_formula *f, const lc_arg *a, uint32_t n);
#include "lower/formula.def"

static inline lc_arg lc_arg_tensor(int32_t t) { return (lc_arg){.tensor = t}; }
static inline lc_arg lc_arg_none(void) { return (lc_arg){.tensor = -1}; }
static inline bool lc_arg_is_none(lc_arg a) { return a.tensor < 0 && !a.json && !a.list; }
static inline bool lc_arg_is_tensor(lc_arg a) { return a.tensor >= 0; }
/* A number of Python. */
bool lc_arg_is_number(lc_arg a);
bool lc_arg_is_text(lc_arg a, const char *text);
/* A string; NULL for anything else. */
const char *lc_arg_text(lc_arg a);
bool lc_arg_true(lc_arg a);
/* Lists of Python, whether or not tensors are in them. */
bool lc_arg_is_list(lc_arg a);
uint32_t lc_arg_count(lc_arg a);
lc_arg lc_arg_item(lc_formula *f, lc_arg a, uint32_t i);
lc_arg lc_arg_int(lc_formula *f, int64_t v);
lc_arg lc_arg_real(lc_formula *f, double v);
lc_arg lc_arg_list(lc_formula *f, const lc_arg *items, uint32_t n);
lc_arg lc_arg_ints(lc_formula *f, const int32_t *values, uint32_t n);
/* A value as it was serialised; None for NULL. */
lc_arg lc_arg_of(lc_formula *f, const lc_json *json);
/* A whole number in [low, high]; failed otherwise. what: its name for the message. */
int32_t lc_arg_whole(lc_formula *f, lc_arg a, int32_t low, int32_t high, const char *what);
/* Whole numbers from a number or a list into out[max]; how many. */
uint32_t lc_arg_wholes(lc_formula *f, lc_arg a, int32_t *out, uint32_t max, const char *what);
/* A value as a tensor: of `type`, or of the type it has (LC_DTYPE_COUNT: int32 or float32 for what Python wrote). */
int32_t lc_arg_to(lc_formula *f, lc_arg a, lc_dtype type);
static inline int32_t lc_arg_any(lc_formula *f, lc_arg a) { return lc_arg_to(f, a, LC_DTYPE_COUNT); }
/* A type by its name ("float32", <dtype: 'float32'> ...); LC_DTYPE_COUNT and failed when there is none. */
lc_dtype lc_arg_dtype(lc_formula *f, lc_arg a);
/* Rank of a tensor, 0 after a failure. */
int32_t lc_arg_rank(lc_formula *f, lc_arg a);
/* axis of a tensor in [-rank, rank) to [0, rank). */
int32_t lc_arg_axis(lc_formula *f, lc_arg a, int32_t rank);
lc_arg lc_formula_fail(lc_formula *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline bool lc_formula_ok(const lc_formula *f) { return f->c->b->status == LC_OK; }
/* TensorFlow's operator on tensors alone. */
int32_t lc_formula_op(lc_formula *f, const char *op, const int32_t *in, uint32_t n);

/* The type of a result of values of these types; the weak ones are Python's numbers. (formula_type.c) */
typedef struct lc_formula_kind {
    lc_dtype type; /* LC_DTYPE_COUNT: a Python number */
    bool real;     /* the number is a float */
} lc_formula_kind;
lc_formula_kind lc_formula_kind_of(lc_formula *f, lc_arg a);
lc_dtype lc_formula_common(const lc_formula_kind *kinds, uint32_t n, bool real);

#endif
