/*
 * grad.h: gradients as operators of the same graph (reverse mode). For an operator y = f(x) there is one rule: it appends to the graph what
 * computes dL/dx from dL/dy, x and y. lc_grad_append walks the graph from its end to its start, once, and adds up what comes together.
 *
 *     x ──▶ f ──▶ y ──▶ ... ──▶ L            forward, as it was
 *     dx ◀── rule of f ◀── dy ◀── ...        appended behind it
 *
 *   grad.def            which operators have a rule; a missing one is a link error
 *   <family>_grad.c     the rules of a family, named as its other files are
 *   own.def, own.h      operators that only gradients need
 *
 * All shapes must be known, the batch too: a rule reads them as numbers.
 */
#ifndef LC_GRAD_GRAD_H
#define LC_GRAD_GRAD_H

#include "grad/own.h"

/* One operator under its rule. The rule may read all but writes only d_in, and only where `wants` says so; it appends operators with b. */
typedef struct lc_grad {
    lc_builder *b;
    const lc_node *node; /* a copy: it stays where it is while operators are appended */
    const int32_t *in, *out;
    uint32_t in_count, out_count;
    const int32_t *d_out; /* gradient of each output, of its shape; -1: the loss does not depend on it */
    const bool *wants;    /* of each input: its gradient is asked for */
    int32_t *d_in;        /* [in_count] -1 at first, and where there is none */
} lc_grad;

typedef void (*lc_grad_fn)(lc_grad *g);

/* dL/d tensor, given: where the walk begins. */
typedef struct lc_grad_seed {
    int32_t tensor, gradient;
} lc_grad_seed;

/* Appends what computes the gradients of L with respect to wrt[0..n): grads[i], of the tensor's shape; -1: L does not depend on it. L is known
 * by its gradients with respect to some tensors (seeds). Fails the builder: LC_UNSUPPORTED for an operator on the way that has no rule. */
lc_status lc_grad_append(lc_builder *b, const lc_grad_seed *seeds, uint32_t seed_count, const int32_t *wrt, uint32_t n, int32_t *grads);

/* In a graph with its gradients: filters are read and their gradients written as Keras has them, without a TRANSPOSE (layout.c). */
lc_status lc_grad_keep_layout(lc_graph *graph, lc_error *err);

/* The rule of a builtin operator; NULL when it has none. */
lc_grad_fn lc_grad_rule(int32_t op);

#define LC_GRAD(ID) void lc_grad_##ID(lc_grad *g);
#define LC_GRAD_ZERO(ID)
#include "grad/grad.def"

/* ---- for rules ------------------------------------------------------------------------------------------------------ */

#define LC_GRAD_NO_ACT LC_ActivationFunctionType_NONE

/* x op y, without activation. */
static inline int32_t lc_grad_binary(lc_grad *g, int32_t op, int32_t x, int32_t y) {
    return lc_build_binary(g->b, op, x, y, LC_GRAD_NO_ACT);
}
/* `dy` added up over the dimensions in which `like` was broadcast, of like's shape. */
int32_t lc_grad_sum_to(lc_grad *g, int32_t dy, int32_t like);
/* `x` under the shape of `like`, which has as many elements. */
int32_t lc_grad_reshape_like(lc_grad *g, int32_t x, int32_t like);
/* SLICE: what lies in x from `begin` on. */
int32_t lc_grad_part(lc_grad *g, int32_t x, const int32_t *begin, const int32_t *size, int32_t rank);
/* A matrix product with BatchMatMulOptions. */
int32_t lc_grad_matmul(lc_grad *g, int32_t x, bool adj_x, int32_t y, bool adj_y);
/* Sum over all dimensions but the last: the gradient of a bias. */
int32_t lc_grad_bias(lc_grad *g, int32_t dy);
/* The gradient before an activation, from the one behind it and the activation's output. */
int32_t lc_grad_activation(lc_grad *g, int8_t fused, int32_t dy, int32_t y);
/* Input i as whole numbers, which it must be known as: an axis, a permutation, paddings. False when it is not (failed). */
bool lc_grad_ints(lc_grad *g, uint32_t i, int32_t values[LC_MAX_RANK], int32_t *n);
bool lc_grad_ints_max(lc_grad *g, uint32_t i, int32_t *values, uint32_t most, int32_t *n);
/* The window of a gradient of the shape of `like`; the taps of filter [., h, w, .], where the operator has one (-1: none). */
void lc_grad_window(lc_grad *g, int32_t like, int32_t filter, lc_window_options *w);
/* Fails: this case of the operator has no rule. */
void lc_grad_refuse(lc_grad *g, const char *what);

#endif
