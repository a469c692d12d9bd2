/*
 * tf_activation.c: activations, softmax, and the losses that old graphs keep. What TFLite lacks is written in the form that stays finite:
 *
 *   selu        1.0507 leaky_relu(elu(x), 1.6733)          elu keeps the sign, so the slope acts on its exp part alone
 *   softplus    max(x, log(1 + exp(min(x, 80))))           the plain form overflows from 89 on; absolute error below 1e-7
 *   relu, relu6 of integers                                MAXIMUM and MINIMUM
 *
 * float16, bfloat16 and float64 go through float32.
 */
#include "lower/tf_math.h"
#include "lower/tf_nn.h"

#include <string.h>

static bool is_float(lc_dtype t) { return t == LC_FLOAT32 || t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_FLOAT64; }

static int32_t leaky(lc_tf_call *c, int32_t x, float alpha) {
    const lc_LeakyReluOptions o = {.alpha = alpha};
    return lc_build_op(c->b, LC_OP_LEAKY_RELU, LC_TABLE_LeakyReluOptions, &o, &x, 1);
}

static int32_t softplus(lc_tf_call *c, int32_t x) {
    const int32_t e = lc_tf_unary(c, LC_OP_EXP, lc_tf_with(c, LC_OP_MINIMUM, x, 80));
    return lc_tf_binary(c, LC_OP_MAXIMUM, x, lc_tf_unary(c, LC_OP_LOG, lc_tf_with(c, LC_OP_ADD, e, 1)));
}

static int32_t selu(lc_tf_call *c, int32_t x) {
    return lc_tf_with(c, LC_OP_MUL, leaky(c, lc_tf_unary(c, LC_OP_ELU, x), 1.6732632423543772848170429916717f),
                      1.0507009873554804934193349852946);
}

static int32_t gelu(lc_tf_call *c, int32_t x, bool approximate) {
    const lc_GeluOptions o = {.approximate = approximate};
    return lc_build_op(c->b, LC_OP_GELU, LC_TABLE_GeluOptions, &o, &x, 1);
}

/* x is float32. */
int32_t lc_tf_activation(lc_tf_call *c, lc_str name, int32_t x, float leaky_alpha, bool *known) {
    static const struct {
        const char *name;
        int32_t op;
    } plain[] = {{"Relu", LC_OP_RELU}, {"Relu6", LC_OP_RELU6},      {"Elu", LC_OP_ELU},
                 {"Tanh", LC_OP_TANH}, {"Sigmoid", LC_OP_LOGISTIC}, {"_FusedHardSwish", LC_OP_HARD_SWISH}};
    *known = true;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (lc_str_is(name, plain[i].name)) return lc_tf_unary(c, plain[i].op, x);
    if (lc_str_is(name, "LeakyRelu")) return leaky(c, x, leaky_alpha);
    if (lc_str_is(name, "Selu")) return selu(c, x);
    if (lc_str_is(name, "Softplus")) return softplus(c, x);
    if (lc_str_is(name, "GeluExact")) return gelu(c, x, false);
    if (lc_str_is(name, "GeluApproximate")) return gelu(c, x, true);
    if (lc_str_is(name, "_FusedSwish") || lc_str_is(name, "_MklSwish"))
        return lc_tf_binary(c, LC_OP_MUL, x, lc_tf_unary(c, LC_OP_LOGISTIC, x));
    if (lc_str_is(name, "Softsign")) return lc_tf_binary(c, LC_OP_DIV, x, lc_tf_with(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_ABS, x), 1));
    if (lc_str_is(name, "Identity")) return x;
    *known = false;
    return x;
}

/* Every operator whose name lc_tf_activation knows. */
void lc_tf_op_activation(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const float alpha = lc_str_is(c->node->op, "LeakyRelu") ? lc_tf_attr_float(c, "alpha", 0.2f) : 0;
    bool known;
    if (!lc_tf_ok(c)) return;
    if (lc_tf_is_complex(type)) {
        lc_tf_complex_op(c);
        return;
    }
    if (!is_float(type)) {
        lc_tf_missing(c, "TFLite has it for floating-point tensors only, this is %s", lc_dtype_name(type));
        return;
    }
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_activation(c, c->node->op, lc_tf_float32(c, x), alpha, &known), type));
}

/* Relu and Relu6 of any number type. */
void lc_tf_op_relu(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const bool six = lc_str_is(c->node->op, "Relu6");
    if (!lc_tf_ok(c)) return;
    if (is_float(type)) {
        lc_tf_op_activation(c);
        return;
    }
    const bool is_unsigned = type == LC_UINT8 || type == LC_UINT16 || type == LC_UINT32 || type == LC_UINT64;
    if (is_unsigned && !six) {
        lc_tf_give(c, 0, x);
        return;
    }
    int32_t y = lc_tf_widen(c, x, LC_TF_ARITHMETIC);
    if (y < 0) return;
    y = lc_tf_with(c, LC_OP_MAXIMUM, y, 0);
    if (six) y = lc_tf_with(c, LC_OP_MINIMUM, y, 6);
    lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}

/* ---- softmax ------------------------------------------------------------------------------------------------------- */

/* Of the last dimension; a vector is a row of its own, for TFLite's operator wants a batch in old runtimes. */
static int32_t softmax(lc_tf_call *c, int32_t op, int32_t x) {
    const lc_SoftmaxOptions o = {.beta = 1};
    return op == LC_OP_SOFTMAX ? lc_build_op(c->b, op, LC_TABLE_SoftmaxOptions, &o, &x, 1) : lc_tf_unary(c, op, x);
}

void lc_tf_op_softmax(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    lc_tf_give(c, 0, lc_tf_back(c, softmax(c, c->row->op, lc_tf_float32(c, x)), lc_tf_type(c, x)));
}

/* loss = -sum(labels log softmax(x)), backprop = softmax(x) - labels */
static void cross_entropy(lc_tf_call *c, int32_t x, int32_t labels, lc_dtype type) {
    const int32_t axis = 1, log = softmax(c, LC_OP_LOG_SOFTMAX, x);
    const int32_t loss = lc_build_reduce(c->b, LC_OP_SUM, lc_tf_binary(c, LC_OP_MUL, log, labels), &axis, 1, false);
    lc_tf_give(c, 0, lc_tf_back(c, lc_tf_unary(c, LC_OP_NEG, loss), type));
    lc_tf_give(c, 1, lc_tf_back(c, lc_tf_binary(c, LC_OP_SUB, softmax(c, LC_OP_SOFTMAX, x), labels), type));
}

void lc_tf_op_cross_entropy(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    lc_tf_rank_of(c, x, 2);
    const int32_t logits = lc_tf_float32(c, x);
    cross_entropy(c, logits, lc_tf_float32(c, lc_tf_in(c, 1)), lc_tf_type(c, x));
}

/* Input 1, numbers of classes, as rows with a one among as many as x [rows, classes] has. -1: failed or missing. */
static int32_t classes_hot(lc_tf_call *c, int32_t x) {
    const lc_shape s = lc_tf_rank_of(c, x, 2);
    if (!lc_tf_ok(c)) return -1;
    if (s.dims[1] < 0) {
        lc_tf_missing(c, "the number of classes is not known");
        return -1;
    }
    const lc_OneHotOptions o = {.axis = -1};
    const int32_t in[4] = {lc_tf_in(c, 1), lc_tf_scalar(c, s.dims[1], LC_INT32), lc_tf_scalar(c, 1, LC_FLOAT32),
                           lc_tf_scalar(c, 0, LC_FLOAT32)};
    return lc_build_op(c->b, LC_OP_ONE_HOT, LC_TABLE_OneHotOptions, &o, in, 4);
}

void lc_tf_op_sparse_cross_entropy(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const int32_t labels = classes_hot(c, x);
    if (labels < 0) return;
    cross_entropy(c, lc_tf_float32(c, x), labels, lc_tf_type(c, x));
}

/* Is the target among the k largest? As many as k - 1 classes may be larger; a target or prediction that is no number is not. */
void lc_tf_op_in_top_k(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), axis = 1;
    const int64_t k = lc_str_is(c->node->op, "InTopK") ? lc_tf_attr_int(c, "k", 1) : 0;
    const int32_t hot = classes_hot(c, x);
    if (hot < 0) return;
    const int32_t target = lc_build_reduce(c->b, LC_OP_SUM, lc_tf_binary(c, LC_OP_MUL, x, hot), &axis, 1, true);
    const int32_t larger = lc_build_cast(c->b, lc_tf_binary(c, LC_OP_GREATER, x, target), LC_INT32);
    const int32_t count = lc_build_reduce(c->b, LC_OP_SUM, larger, &axis, 1, false);
    const int32_t most = k ? lc_tf_scalar(c, (double)k, LC_INT32) : lc_tf_int32(c, lc_tf_in(c, 2));
    const int32_t row = lc_tf_binary(c, LC_OP_LESS, count, most);
    /* no such class: the one-hot row is all zeros */
    const int32_t there = lc_tf_with(c, LC_OP_GREATER, lc_build_reduce(c->b, LC_OP_SUM, hot, &axis, 1, false), 0.5);
    lc_tf_give(c, 0, lc_tf_binary(c, LC_OP_LOGICAL_AND, row, there));
}
