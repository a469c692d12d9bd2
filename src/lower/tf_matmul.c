/*
 * tf_matmul.c: products of matrices.
 *
 *   a constant [k, n] on the right    FULLY_CONNECTED; its weights are [n, k]: the matrix transposed, deferred (ir/constant.h)
 *   anything else                     BATCH_MATMUL, whose adj_x and adj_y take transposed operands as they are
 *   integers                          MUL of [m, k, 1] and [1, k, n], SUM over k: exact modulo 2^n; TFLite multiplies no such matrices
 *
 * A dense layer on more than two dimensions is written by TensorFlow as RESHAPE to [-1, k], MatMul, RESHAPE back (tf.tensordot). Here
 * the product reads what was reshaped, with keep_num_dims, and a RESHAPE to [-1, n] follows, which meets the second one and goes with it.
 */
#include "lower/tf_math.h"
#include "lower/tf_nn.h"

#include <string.h>

/* BATCH_MATMUL runs matrices of up to 5 dimensions; leading dimensions beyond that are merged where both operands have the same. */
enum { MOST_RANK = 5 };

static int32_t fully_connected(lc_tf_call *c, int32_t x, int32_t filter, bool keep) {
    const int32_t in[3] = {x, filter, LC_ABSENT};
    const lc_FullyConnectedOptions o = {.keep_num_dims = keep};
    return lc_build_op(c->b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, &o, in, 3);
}

/* x [m, k] is a RESHAPE of something [..., k]: that; else x. */
static int32_t before_flattening(lc_tf_call *c, int32_t x) {
    const lc_node *n = lc_tf_made_by(c, x);
    const lc_shape s = lc_tf_shape(c, x);
    if (!n || n->op != LC_OP_RESHAPE || s.rank != 2) return x;
    const int32_t from = n->inputs[0];
    const lc_shape f = lc_tf_shape(c, from);
    return f.rank > 2 && lc_tf_same_dim(c, from, f.rank - 1, x, 1) && f.dims[f.rank - 1] > 0 ? from : x;
}

int32_t lc_tf_dense(lc_tf_call *c, int32_t x, int32_t w, bool transposed) {
    const lc_shape s = lc_tf_ranked(c, x), f = lc_tf_rank_of(c, w, 2);
    if (!lc_tf_ok(c)) return -1;
    const int32_t k = f.dims[transposed ? 1 : 0], n = f.dims[transposed ? 0 : 1], dims[2] = {n, k};
    const int32_t filter = transposed ? lc_tf_float32(c, w) : lc_tf_transposed(c, w, k, n, dims, 2);
    lc_tf_same_steps(c, w, filter, 1, 0, 1);
    const int32_t whole = before_flattening(c, x);
    if (whole != x) {
        const int32_t rows[2] = {-1, n};
        return n > 0 ? lc_tf_reshape(c, fully_connected(c, whole, filter, true), rows, 2) : fully_connected(c, x, filter, false);
    }
    return fully_connected(c, x, filter, s.rank != 2);
}

/* ---- batches --------------------------------------------------------------------------------------------------------- */

/* How many of the last leading dimensions of both are known to be the same, so that they can be merged. */
static int32_t same_batch(lc_tf_call *c, int32_t x, int32_t x_batch, int32_t y, int32_t y_batch) {
    int32_t n = 0;
    while (n < x_batch && n < y_batch && lc_tf_same_dim(c, x, x_batch - 1 - n, y, y_batch - 1 - n)) n++;
    return n;
}

int32_t lc_tf_batch_matmul(lc_tf_call *c, int32_t x, int32_t y, bool adj_x, bool adj_y) {
    const lc_shape a = lc_tf_ranked(c, x), b = lc_tf_ranked(c, y);
    const lc_BatchMatMulOptions o = {.adj_x = adj_x, .adj_y = adj_y};
    if (!lc_tf_ok(c)) return -1;
    if (a.rank < 2 || b.rank < 2) return lc_tf_fail(c, LC_INVALID, "its inputs have %d and %d dimensions, both need 2", a.rank, b.rank);
    const int32_t whole = a.rank > b.rank ? x : y, most = a.rank > b.rank ? a.rank : b.rank;
    if (most <= MOST_RANK) {
        const int32_t in[2] = {x, y};
        return lc_build_op(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2);
    }
    /* one of them may have no batch at all: then all of the other's is one */
    const int32_t n = a.rank == 2 ? b.rank - 2 : b.rank == 2 ? a.rank - 2 : same_batch(c, x, a.rank - 2, y, b.rank - 2);
    if (n < 2 || most - n + 1 > MOST_RANK) {
        lc_tf_missing(c, "BATCH_MATMUL takes up to %d dimensions", MOST_RANK);
        return -1;
    }
    int32_t in[2], sizes[LC_MAX_RANK];
    in[0] = a.rank == 2 ? x : lc_tf_merge_dims(c, x, a.rank - 2 - n, a.rank - 2);
    in[1] = b.rank == 2 ? y : lc_tf_merge_dims(c, y, b.rank - 2 - n, b.rank - 2);
    const int32_t z = lc_build_op(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2), rank = lc_tf_ranked(c, z).rank;
    for (int32_t d = 0; d < most; d++)
        sizes[d] = d < most - 2 - n ? lc_tf_size(c, z, d) : d < most - 2 ? lc_tf_size(c, whole, d) : lc_tf_size(c, z, rank - most + d);
    return lc_tf_reshape_sizes(c, z, sizes, (uint32_t)most);
}

static int32_t swap_last(lc_tf_call *c, int32_t x, bool swap) { return swap ? lc_tf_swap_last(c, x) : x; }

/* x [..., m, k] y [..., k, n] of whole numbers: [..., m, k, 1] * [..., 1, k, n], summed over k. */
static int32_t integer_matmul(lc_tf_call *c, int32_t x, int32_t y, bool adj_x, bool adj_y) {
    x = swap_last(c, x, adj_x);
    y = swap_last(c, y, adj_y);
    const lc_shape a = lc_tf_ranked(c, x), b = lc_tf_ranked(c, y);
    if (!lc_tf_ok(c)) return -1;
    if (a.rank < 2 || b.rank < 2) return lc_tf_fail(c, LC_INVALID, "its inputs have %d and %d dimensions, both need 2", a.rank, b.rank);
    const int32_t rows = lc_tf_expand(c, x, a.rank), cols = lc_tf_expand(c, y, b.rank - 2);
    const int32_t axis = (a.rank > b.rank ? a.rank : b.rank) - 1;
    return lc_build_reduce(c->b, LC_OP_SUM, lc_tf_binary(c, LC_OP_MUL, rows, cols), &axis, 1, false);
}

int32_t lc_tf_product(lc_tf_call *c, int32_t x, int32_t y, bool adj_x, bool adj_y) {
    const lc_dtype t = lc_tf_type(c, y);
    const bool real = t == LC_FLOAT32 || t == LC_FLOAT16 || t == LC_BFLOAT16 || t == LC_FLOAT64;
    const lc_shape w = lc_tf_ranked(c, y), s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return -1;
    const bool fixed = lc_tf_is_const(c, y) || c->b->graph->tensors[y].is_weight;
    if (lc_tf_is_complex(t) && lc_tf_is_complex(lc_tf_type(c, x))) return lc_tf_complex_product(c, x, y, adj_x, adj_y);
    if (real && w.rank == 2 && s.rank >= 2 && !adj_x && fixed && w.dims[0] > 0 && w.dims[1] > 0)
        return lc_tf_dense(c, lc_tf_float32(c, x), y, adj_y);
    x = lc_tf_widen(c, x, LC_TF_ARITHMETIC);
    if (x < 0) return -1;
    y = lc_tf_widen(c, y, LC_TF_ARITHMETIC);
    if (y < 0) return -1;
    if (lc_tf_type(c, x) != lc_tf_type(c, y)) { /* int8 times uint8 and the like, of BatchMatMulV3 */
        x = lc_build_cast(c->b, x, LC_INT32);
        y = lc_build_cast(c->b, y, LC_INT32);
    }
    return lc_tf_type(c, x) == LC_FLOAT32 ? lc_tf_batch_matmul(c, x, y, adj_x, adj_y) : integer_matmul(c, x, y, adj_x, adj_y);
}

/* ---- operators ---------------------------------------------------------------------------------------------------------- */

void lc_tf_op_matmul(lc_tf_call *c) {
    const bool ta = lc_tf_attr_bool(c, "transpose_a", false), tb = lc_tf_attr_bool(c, "transpose_b", false);
    const int32_t a = lc_tf_in(c, 0), b = lc_tf_in(c, 1);
    lc_tf_learn_rank(c, a, 2);
    lc_tf_learn_rank(c, b, 2);
    lc_tf_rank_of(c, a, 2);
    lc_tf_rank_of(c, b, 2);
    const int32_t y = lc_tf_product(c, a, b, ta, tb);
    if (y >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, y, lc_tf_type(c, a)));
}

/* Sums of bfloat16 rows are float32. */
void lc_tf_op_sparse_matmul(lc_tf_call *c) {
    const bool ta = lc_tf_attr_bool(c, "transpose_a", false), tb = lc_tf_attr_bool(c, "transpose_b", false);
    const int32_t a = lc_tf_in(c, 0), b = lc_tf_in(c, 1);
    lc_tf_rank_of(c, a, 2);
    lc_tf_rank_of(c, b, 2);
    const int32_t y = lc_tf_product(c, a, b, ta, tb);
    if (y >= 0) lc_tf_give(c, 0, y);
}

void lc_tf_op_fused_matmul(lc_tf_call *c) {
    const bool ta = lc_tf_attr_bool(c, "transpose_a", false), tb = lc_tf_attr_bool(c, "transpose_b", false);
    const int32_t a = lc_tf_in(c, 0), y = lc_tf_product(c, a, lc_tf_in(c, 1), ta, tb);
    if (y >= 0) lc_tf_finish_fused(c, y, 2, false, lc_tf_type(c, a));
}

/* BatchMatMul, V2 (which broadcasts) and V3 (whose result may be wider). */
void lc_tf_op_batch_matmul(lc_tf_call *c) {
    const bool ax = lc_tf_attr_bool(c, "adj_x", false), ay = lc_tf_attr_bool(c, "adj_y", false);
    const int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    const lc_dtype wanted = lc_tf_attr_type(c, "Tout"), type = wanted == LC_DTYPE_COUNT ? lc_tf_type(c, x) : wanted;
    if (type == LC_INT32 && lc_tf_type(c, x) == LC_INT8 && lc_tf_type(c, y) == LC_INT8 && lc_tf_ranked(c, x).rank <= MOST_RANK &&
        lc_tf_ranked(c, y).rank <= MOST_RANK) { /* int8 without a scale gives its plain sums */
        const int32_t in[2] = {x, y};
        const lc_BatchMatMulOptions o = {.adj_x = ax, .adj_y = ay};
        lc_tf_give(c, 0, lc_build_typed(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &o, in, 2, LC_INT32));
        return;
    }
    /* adj: of complex numbers the conjugates, too */
    const int32_t a = ax && lc_tf_is_complex(lc_tf_type(c, x)) ? lc_tf_conjugate(c, x) : x;
    const int32_t b = ay && lc_tf_is_complex(lc_tf_type(c, y)) ? lc_tf_conjugate(c, y) : y;
    const int32_t z = lc_tf_product(c, a, b, ax, ay);
    if (z >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, z, type));
}
