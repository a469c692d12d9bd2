/*
 * Two dense layers of Keras 1 that Keras 2 reads still.
 *
 *   MaxoutDense   the largest of nb_feature dense layers                  W [nb_feature, in, out], b [nb_feature, out]
 *   Highway       t act(x W + b) + (1 - t) x,  t = sigmoid(x Wc + bc)     W, Wc [in, in], b, bc [in]
 */
#include "lower/lower.h"

static int32_t dense_op(lc_call *c, int32_t x, int32_t filter, int32_t bias) {
    const int32_t in[3] = {x, filter, bias};
    const lc_FullyConnectedOptions o = {0};
    return lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
}

static int32_t binary(lc_call *c, int32_t op, int32_t x, int32_t y) { return lc_build_binary(c->b, op, x, y, LC_LOWER_ACT(NONE)); }

int32_t lc_lower_maxout_dense(lc_call *c) {
    const int32_t units = lc_opt_size(c, "units"), features = lc_opt_int(c, "nb_feature", 1, INT32_MAX, 4), axis = 1;
    const bool bias = lc_opt_bool(c, "use_bias", true);
    lc_shape s;
    int32_t x = lc_call_ranked(c, 0, 2, &s), all;
    const int32_t depth = lc_call_known(c, &s, 1, "the number of features");
    if (!lc_weights(c, bias ? 2 : 1, bias ? "W, b" : "W")) return -1;
    if (!lc_mul_i32(units, features, &all)) return lc_opt_fail(c, "nb_feature", "times %d units is over 2147483647", units);
    const int32_t stored[3] = {features, depth, units}, perm[3] = {0, 2, 1}, matrix[2] = {all, depth}, stored_bias[2] = {features, units};
    if (!c->slots[1]) {
        const int32_t w = lc_build_transpose(c->b, lc_weight_const(c, 0, 0, "W", stored, 3, stored, 3), perm, 3);
        c->slots[1] = lc_build_reshape(c->b, w, matrix, 2) + 1;
    }
    const int32_t each[3] = {-1, features, units};
    x = dense_op(c, x, c->slots[1] - 1, bias ? lc_weight_const(c, 2, 1, "b", stored_bias, 2, &all, 1) : LC_ABSENT);
    return lc_build_reduce(c->b, LC_OP_REDUCE_MAX, lc_build_reshape(c->b, x, each, 3), &axis, 1, false);
}

int32_t lc_lower_highway(lc_call *c) {
    const bool bias = lc_opt_bool(c, "use_bias", true);
    lc_shape s;
    const int32_t x = lc_call_ranked(c, 0, 2, &s), n = lc_call_known(c, &s, 1, "the number of features"), square[2] = {n, n};
    if (!lc_weights(c, bias ? 4 : 2, bias ? "W, W_carry, b, b_carry" : "W, W_carry")) return -1;
    int32_t y = dense_op(c, x, lc_weight_transposed(c, 0, 0, "W", square, 2, square, 2),
                         bias ? lc_weight_const(c, 2, 2, "b", &n, 1, &n, 1) : LC_ABSENT);
    y = lc_lower_activation(c, "activation", lc_opt(c, "activation"), y);
    int32_t t = dense_op(c, x, lc_weight_transposed(c, 1, 1, "W_carry", square, 2, square, 2),
                         bias ? lc_weight_const(c, 3, 3, "b_carry", &n, 1, &n, 1) : LC_ABSENT);
    t = lc_build_unary(c->b, LC_OP_LOGISTIC, t);
    const int32_t rest = binary(c, LC_OP_SUB, lc_build_scalar(c->b, "one", 1), t);
    return binary(c, LC_OP_ADD, binary(c, LC_OP_MUL, t, y), binary(c, LC_OP_MUL, rest, x));
}
