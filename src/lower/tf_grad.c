/*
 * tf_grad.c: gradients that a graph may keep when it was cut out of a training graph. All of float32; formulas are those of TensorFlow's
 * kernels. A relu's gradient also takes integers.
 */
#include "lower/tf_math.h"

typedef int32_t (*grad_fn)(lc_tf_call *c, int32_t a, int32_t b);

static void grad_op(lc_tf_call *c, grad_fn f) {
    const int32_t a = lc_tf_in(c, 0), b = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, a);
    if (!lc_tf_ok(c)) return;
    if (!lc_tf_is_real(type)) {
        lc_tf_missing(c, "no TFLite operator does this for %s", lc_dtype_name(type));
        return;
    }
    const int32_t x = lc_tf_float32(c, a), y = lc_tf_float32(c, b);
    lc_tf_give(c, 0, lc_tf_back(c, f(c, x, y), type));
}

/* ---- of y = f(x): from y and the gradient dy --------------------------------------------------------------------------- */

static int32_t sigmoid_grad(lc_tf_call *c, int32_t y, int32_t dy) {
    const int32_t rest = lc_tf_from(c, LC_OP_SUB, 1, y);
    return lc_tf_mul(c, lc_tf_mul(c, dy, y), rest);
}
static int32_t tanh_grad(lc_tf_call *c, int32_t y, int32_t dy) {
    return lc_tf_mul(c, dy, lc_tf_from(c, LC_OP_SUB, 1, lc_tf_unary(c, LC_OP_SQUARE, y)));
}
static int32_t sqrt_grad(lc_tf_call *c, int32_t y, int32_t dy) { return lc_tf_div(c, lc_tf_mul_with(c, dy, 0.5), y); }
static int32_t rsqrt_grad(lc_tf_call *c, int32_t y, int32_t dy) {
    const int32_t cube = lc_tf_mul(c, lc_tf_unary(c, LC_OP_SQUARE, y), y);
    return lc_tf_mul(c, lc_tf_mul_with(c, dy, -0.5), cube);
}
static int32_t reciprocal_grad(lc_tf_call *c, int32_t y, int32_t dy) {
    const int32_t square = lc_tf_unary(c, LC_OP_SQUARE, y);
    return lc_tf_mul(c, lc_tf_unary(c, LC_OP_NEG, dy), square);
}
void lc_tf_op_sigmoid_grad(lc_tf_call *c) { grad_op(c, sigmoid_grad); }
void lc_tf_op_tanh_grad(lc_tf_call *c) { grad_op(c, tanh_grad); }
void lc_tf_op_sqrt_grad(lc_tf_call *c) { grad_op(c, sqrt_grad); }
void lc_tf_op_rsqrt_grad(lc_tf_call *c) { grad_op(c, rsqrt_grad); }
void lc_tf_op_reciprocal_grad(lc_tf_call *c) { grad_op(c, reciprocal_grad); }

/* ---- of activations: from the gradient g and the feature or output f ------------------------------------------------------ */

#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_BOTH 1.7580993408473768599402175208123 /* scale times alpha */

static int32_t elu_grad(lc_tf_call *c, int32_t g, int32_t f) {
    const int32_t below = lc_tf_mul(c, g, lc_tf_add_with(c, f, 1));
    return lc_tf_choose(c, lc_tf_less_with(c, f, 0), below, g);
}
static int32_t selu_grad(lc_tf_call *c, int32_t g, int32_t f) {
    const int32_t below = lc_tf_mul(c, g, lc_tf_add_with(c, f, SELU_BOTH)), above = lc_tf_mul_with(c, g, SELU_SCALE);
    return lc_tf_choose(c, lc_tf_less_with(c, f, 0), below, above);
}
static int32_t softplus_grad(lc_tf_call *c, int32_t g, int32_t f) { return lc_tf_mul(c, g, lc_tf_unary(c, LC_OP_LOGISTIC, f)); }
static int32_t softsign_grad(lc_tf_call *c, int32_t g, int32_t f) {
    const int32_t d = lc_tf_add_with(c, lc_tf_unary(c, LC_OP_ABS, f), 1);
    return lc_tf_div(c, g, lc_tf_unary(c, LC_OP_SQUARE, d));
}
static int32_t leaky_relu_grad(lc_tf_call *c, int32_t g, int32_t f) {
    const int32_t below = lc_tf_mul_with(c, g, lc_tf_attr_float(c, "alpha", 0.2f));
    return lc_tf_choose(c, lc_tf_more_with(c, f, 0), g, below);
}
void lc_tf_op_elu_grad(lc_tf_call *c) { grad_op(c, elu_grad); }
void lc_tf_op_selu_grad(lc_tf_call *c) { grad_op(c, selu_grad); }
void lc_tf_op_softplus_grad(lc_tf_call *c) { grad_op(c, softplus_grad); }
void lc_tf_op_softsign_grad(lc_tf_call *c) { grad_op(c, softsign_grad); }
void lc_tf_op_leaky_relu_grad(lc_tf_call *c) { grad_op(c, leaky_relu_grad); }

/* g where the feature lies in (0, high), else 0; high 0: no end. */
static void relu_grad(lc_tf_call *c, double high) {
    const int32_t g = lc_tf_in(c, 0), f = lc_tf_in(c, 1);
    if (!lc_tf_can(c, 1, LC_TF_COMMON)) return;
    const int32_t x = lc_tf_carried(c, f, LC_TF_COMMON);
    int32_t inside = lc_tf_more_with(c, x, 0);
    if (high > 0) inside = lc_tf_binary(c, LC_OP_LOGICAL_AND, inside, lc_tf_less_with(c, x, high));
    lc_tf_give(c, 0, lc_tf_choose_else(c, inside, g, 0));
}
void lc_tf_op_relu_grad(lc_tf_call *c) { relu_grad(c, 0); }
void lc_tf_op_relu6_grad(lc_tf_call *c) { relu_grad(c, 6); }
