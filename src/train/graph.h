/*
 * graph.h: what a training step does beside the gradients, as operators of a graph: for files that go on learning where litec is not. The
 * values are those of the code that trains here, but for rounding; what has no such form is refused by name.
 *
 *   loss_graph.c        losses.def, column `rows`
 *   optimizer_graph.c   optimizers.def, column `append`; clipping, weight decay
 *   variable_graph.c    regularisers and constraints
 *   schedule.c          the rate of a step
 */
#ifndef LC_TRAIN_GRAPH_H
#define LC_TRAIN_GRAPH_H

#include "ops/build.h"
#include "train/loss.h"
#include "train/optimizer.h"
#include "train/schedule.h"
#include <math.h>

/* The loss of a batch as a scalar, without sample weights. target: classes (int32, [batch, ...]) where lc_loss_is_sparse, else floats of pred's
 * shape. mask: bool, of pred's shape without its last dimension, false: the row does not count; -1: all do. Its gradient is found like any
 * other (grad/grad.h). */
int32_t lc_loss_append(const lc_loss *loss, lc_builder *b, int32_t target, int32_t pred, int32_t mask);

/* A trainable variable in a step. */
typedef struct lc_graph_variable {
    const char *name;        /* lives as long as the model */
    const void *data;        /* lc_variable.value: it is known by it */
    int32_t value, gradient; /* tensors; gradient -1: none, and it stays as it is */
    int32_t updated;         /* filled in: what it is after the step; -1: as before */
} lc_graph_variable;

/* Where the optimizer's state lives: the caller's. */
typedef struct lc_graph_state {
    void *user;
    /* The present value of a state, which begins as `first`; -1: failed. name lives as long as the model. */
    int32_t (*read)(void *user, lc_builder *b, const char *name, const float *first, const int32_t *dims, int32_t rank);
    void (*write)(void *user, lc_builder *b, const char *name, int32_t value);
} lc_graph_state;

/* One step of all variables. The state begins as the optimizer's is now. Fails the builder: LC_UNSUPPORTED. */
lc_status lc_optimizer_append(lc_optimizer *o, lc_builder *b, const lc_graph_state *state, lc_graph_variable *list, uint32_t n);

/* l1 sum |x| + l2 sum x^2, a scalar, and what x's gradient grows by: l1 sign(x) + 2 l2 x. Of r only l1 and l2 are looked at. */
int32_t lc_penalty_value(const lc_regularizer *r, lc_builder *b, int32_t x);
int32_t lc_penalty_slope(const lc_regularizer *r, lc_builder *b, int32_t x);
/* gradient with what the variable's regulariser adds to it; *loss, a scalar, grows by its value. */
int32_t lc_regularizer_append(const lc_variable *v, lc_builder *b, int32_t value, int32_t gradient, int32_t *loss);
/* The value where the constraint holds. */
int32_t lc_constraint_append(const lc_variable *v, lc_builder *b, int32_t value);
/* The rate of a step: a scalar counted from 0. */
int32_t lc_schedule_append(const lc_schedule *s, lc_builder *b, int32_t step);

/* ---- for these files: arithmetic that reads like the maths --------------------------------------------------------------- */

static inline int32_t lc_gr_add(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_ADD, x, y, 0); }
static inline int32_t lc_gr_sub(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_SUB, x, y, 0); }
static inline int32_t lc_gr_mul(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_MUL, x, y, 0); }
static inline int32_t lc_gr_div(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_DIV, x, y, 0); }
static inline int32_t lc_gr_max(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_MAXIMUM, x, y, 0); }
static inline int32_t lc_gr_min(lc_builder *b, int32_t x, int32_t y) { return lc_build_binary(b, LC_OP_MINIMUM, x, y, 0); }
static inline int32_t lc_gr_number(lc_builder *b, double v) { return lc_build_scalar(b, "constant", (float)v); }
/* x op v */
static inline int32_t lc_gr_with(lc_builder *b, int32_t op, int32_t x, double v) {
    return lc_build_with_scalar(b, op, x, "constant", (float)v);
}
static inline int32_t lc_gr_plus(lc_builder *b, int32_t x, double v) { return lc_gr_with(b, LC_OP_ADD, x, v); }
static inline int32_t lc_gr_times(lc_builder *b, int32_t x, double v) { return lc_gr_with(b, LC_OP_MUL, x, v); }
/* v - x */
static inline int32_t lc_gr_from(lc_builder *b, double v, int32_t x) { return lc_gr_plus(b, lc_build_unary(b, LC_OP_NEG, x), v); }
static inline int32_t lc_gr_root(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_SQRT, x); }
static inline int32_t lc_gr_square(lc_builder *b, int32_t x) { return lc_build_unary(b, LC_OP_SQUARE, x); }
/* v to the power x: exp(x log v) */
static inline int32_t lc_gr_power_of(lc_builder *b, double v, int32_t x) { return lc_build_unary(b, LC_OP_EXP, lc_gr_times(b, x, log(v))); }
/* x within [low, high] */
static inline int32_t lc_gr_within(lc_builder *b, int32_t x, double low, double high) {
    return lc_gr_min(b, lc_gr_max(b, x, lc_gr_number(b, low)), lc_gr_number(b, high));
}
/* 1 where x compares with y, else 0. */
static inline int32_t lc_gr_where(lc_builder *b, int32_t compare, int32_t x, int32_t y) {
    return lc_build_cast(b, lc_build_op(b, compare, LC_TABLE_NONE, NULL, (const int32_t[]){x, y}, 2), LC_FLOAT32);
}
/* Over all dimensions: a scalar. */
int32_t lc_gr_all(lc_builder *b, int32_t reduce, int32_t x);

#endif
