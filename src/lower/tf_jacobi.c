/*
 * tf_jacobi.c: eigenvalues and singular values: SelfAdjointEig, SelfAdjointEigV2, Svd, by Jacobi's rotations, half of all pairs of columns
 * at a time: in each step every column has a partner, as players of a tournament have, and after as many steps as there are columns each
 * has met each. Ten tournaments are enough for float32 (they converge quadratically). Golub, Van Loan, Matrix Computations, 8.5 and 8.6.
 *
 * Singular values come from the matrix itself, not from its square (Hestenes): small ones stay as exact as large ones. Eigenvectors have
 * a sign that nobody defines; it may differ from TensorFlow's. A singular value of 0 gives a column of zeros in U (or V).
 */
#include "lower/tf_loop.h"

enum { TOURNAMENTS = 10, MOST_COLUMNS = 512 };

/* Who meets whom: [rounds, n]; without a partner (n odd) one is one's own. Round r: i meets j when i + j = r modulo the number of rounds;
 * who would meet himself meets the last. */
static int32_t partners(lc_tf_call *c, int32_t n, int32_t *rounds) {
    const int32_t players = n + n % 2;
    *rounds = players - 1 > 0 ? players - 1 : 1;
    int32_t *table = lc_tf_table_data(c, (uint64_t)*rounds * (uint64_t)n, sizeof *table);
    if (!table) return -1;
    for (int32_t r = 0; r < *rounds; r++)
        for (int32_t i = 0; i < n; i++) {
            int32_t j = i;
            if (i == players - 1) {
                for (int32_t k = 0; k < players - 1; k++)
                    if (2 * k % (players - 1) == r) j = k;
            } else if (players > 1) {
                j = (r - i + players - 1) % (players - 1);
                if (j == i) j = players - 1 < n ? players - 1 : i;
            }
            table[r * n + i] = j;
        }
    return lc_build_const(c->b, "partners", LC_INT32, (const int32_t[]){*rounds, n}, 2, table, (size_t)*rounds * (size_t)n * sizeof *table,
                          true);
}

static int32_t mul(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_MUL, x, y); }
static int32_t sub(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_SUB, x, y); }
static int32_t scalar(lc_tf_call *c, double v) { return lc_tf_scalar(c, v, LC_FLOAT32); }
static int32_t sum(lc_tf_call *c, int32_t x, int32_t axis) { return lc_build_reduce(c->b, LC_OP_SUM, x, &axis, 1, false); }

/* The partners of this step: [n]. */
static int32_t partners_now(lc_tf_call *c, int32_t n, int32_t i) {
    int32_t rounds;
    const int32_t table = partners(c, n, &rounds);
    return lc_tf_gather(c, table, lc_tf_with(c, LC_OP_FLOOR_MOD, i, rounds), 0, 0);
}

/* Cosines and sines [batch, n] of the rotations that make `product` (of a column and its partner) zero; `ahead`: by how much the partner's
 * own exceeds the column's. Of two partners one turns the other way: for equal ones the first of the two goes forward. */
static void rotations(lc_tf_call *c, int32_t n, int32_t who, int32_t ahead, int32_t product, int32_t *cosine, int32_t *sine) {
    const int32_t me = lc_tf_range(c, lc_tf_scalar(c, n, LC_INT32)), one = scalar(c, 1), minus = scalar(c, -1);
    const int32_t tie = lc_build_select(c->b, lc_tf_binary(c, LC_OP_LESS, me, who), one, minus);
    const int32_t behind = lc_build_select(c->b, lc_tf_with(c, LC_OP_LESS, ahead, 0), minus, tie);
    const int32_t sign = lc_build_select(c->b, lc_tf_with(c, LC_OP_GREATER, ahead, 0), one, behind);
    const int32_t twice = lc_tf_binary(c, LC_OP_ADD, product, product);
    const int32_t length = lc_tf_unary(c, LC_OP_SQRT, lc_tf_binary(c, LC_OP_ADD, mul(c, ahead, ahead), mul(c, twice, twice)));
    const int32_t below = lc_tf_with(c, LC_OP_MAXIMUM, lc_tf_binary(c, LC_OP_ADD, lc_tf_unary(c, LC_OP_ABS, ahead), length), 1e-30);
    const int32_t tangent = lc_tf_binary(c, LC_OP_DIV, mul(c, sign, twice), below);
    const int32_t t = lc_build_select(c->b, lc_tf_binary(c, LC_OP_EQUAL, me, who), scalar(c, 0), tangent);
    *cosine = lc_tf_unary(c, LC_OP_RSQRT, lc_tf_with(c, LC_OP_ADD, mul(c, t, t), 1));
    *sine = mul(c, t, *cosine);
}

/* Columns (axis 2) or rows (1) of x turned against their partners. */
static int32_t turn(lc_tf_call *c, int32_t x, int32_t who, int32_t cosine, int32_t sine, int32_t axis) {
    const int32_t other = lc_tf_gather(c, x, who, axis, 0);
    const int32_t cs = lc_tf_expand(c, cosine, 3 - axis), sn = lc_tf_expand(c, sine, 3 - axis);
    return sub(c, mul(c, x, cs), mul(c, other, sn));
}

typedef struct size {
    int32_t n; /* columns */
    bool vectors;
} size;

/* The diagonals of matrices. */
static int32_t diagonal(lc_tf_call *c, int32_t x, int32_t n) {
    const int32_t ones = lc_tf_fill(c, lc_tf_vector(c, &n, 1), scalar(c, 1));
    return sum(c, mul(c, x, lc_tf_unary(c, LC_OP_MATRIX_DIAG, ones)), 2);
}

/* values: A, V */
static void eigen_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    const size *s = user;
    int32_t cosine, sine;
    const int32_t who = partners_now(c, s->n, i), own = diagonal(c, v[0], s->n);
    const int32_t ahead = sub(c, lc_tf_gather(c, own, who, 1, 0), own), product = diagonal(c, lc_tf_gather(c, v[0], who, 2, 0), s->n);
    rotations(c, s->n, who, ahead, product, &cosine, &sine);
    v[0] = turn(c, turn(c, v[0], who, cosine, sine, 2), who, cosine, sine, 1);
    if (s->vectors) v[1] = turn(c, v[1], who, cosine, sine, 2);
}

/* values: U times the singular values, V */
static void svd_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    const size *s = user;
    int32_t cosine, sine;
    const int32_t who = partners_now(c, s->n, i), own = sum(c, mul(c, v[0], v[0]), 1);
    const int32_t ahead = sub(c, lc_tf_gather(c, own, who, 1, 0), own), product = sum(c, mul(c, v[0], lc_tf_gather(c, v[0], who, 2, 0)), 1);
    rotations(c, s->n, who, ahead, product, &cosine, &sine);
    v[0] = turn(c, v[0], who, cosine, sine, 2);
    if (s->vectors) v[1] = turn(c, v[1], who, cosine, sine, 2);
}

static bool run(lc_tf_call *c, int32_t n, bool vectors, int32_t *v, lc_tf_step step) {
    size s = {n, vectors};
    const int32_t rounds = n + n % 2 - 1;
    if (n == 1) return true;
    return lc_tf_loop(c, lc_tf_scalar(c, (double)TOURNAMENTS * rounds, LC_INT32), v, vectors ? 2 : 1, step, &s);
}

/* The identity for each matrix of x's batch. */
static int32_t identities(lc_tf_call *c, int32_t x, int32_t n) {
    const int32_t tensors[2] = {lc_tf_dim(c, x, 0), LC_ABSENT}, values[2] = {0, n};
    return lc_tf_unary(c, LC_OP_MATRIX_DIAG, lc_tf_fill(c, lc_tf_vector_of(c, tensors, values, 2), scalar(c, 1)));
}

/* Rows and columns, fixed and not too many. */
static bool fixed_sizes(lc_tf_call *c, const lc_tf_matrix *m, int32_t *rows, int32_t *cols) {
    const lc_shape s = lc_tf_ranked(c, m->x);
    if (!lc_tf_ok(c)) return false;
    *rows = s.dims[1];
    *cols = s.dims[2];
    if (*rows < 0 || *cols < 0) {
        lc_tf_fail(c, LC_UNSUPPORTED, "the size of its matrices is not known");
        lc_tf_hint(c, "give the shape of the model's input: --input-shape NAME=1,4,4");
    } else if (*rows < 1 || *cols < 1 || *rows > MOST_COLUMNS || *cols > MOST_COLUMNS) {
        lc_tf_fail(c, LC_UNSUPPORTED, "matrices [%d,%d]; litec decomposes up to %d rows and columns", *rows, *cols, MOST_COLUMNS);
    }
    return lc_tf_ok(c);
}

/* Output k is nothing: [0]. */
static void give_nothing(lc_tf_call *c, uint32_t k) { lc_tf_give(c, k, lc_build_floats(c->b, "none", NULL, 0)); }

/* Eigenvalues, smallest first, and eigenvectors of m. */
static bool eigen(lc_tf_call *c, const lc_tf_matrix *m, bool vectors, int32_t *values, int32_t *columns) {
    int32_t n, order;
    if (!fixed_sizes(c, m, &n, &n)) return false;
    /* the upper half is taken to be the lower one's mirror */
    const int32_t range = lc_tf_range(c, lc_tf_scalar(c, n, LC_INT32)),
                  lower = lc_tf_binary(c, LC_OP_GREATER_EQUAL, lc_tf_expand(c, range, 1), range);
    int32_t v[2] = {lc_build_select(c->b, lower, m->x, lc_tf_swap_last(c, m->x)), -1};
    if (vectors) v[1] = identities(c, m->x, n);
    if (!run(c, n, vectors, v, eigen_step)) return false;
    lc_tf_top_k(c, lc_tf_unary(c, LC_OP_NEG, diagonal(c, v[0], n)), lc_tf_scalar(c, n, LC_INT32), values, &order);
    *values = lc_tf_unary(c, LC_OP_NEG, *values);
    if (vectors) *columns = lc_tf_gather(c, v[1], order, 2, 1);
    return lc_tf_ok(c);
}

void lc_tf_op_self_adjoint_eig_v2(lc_tf_call *c) {
    lc_tf_matrix m;
    int32_t values, columns = -1;
    const bool vectors = lc_tf_attr_bool(c, "compute_v", true);
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m) || !eigen(c, &m, vectors, &values, &columns)) return;
    lc_tf_give(c, 0, lc_tf_matrices_back(c, &m, values, m.type));
    if (vectors) lc_tf_give(c, 1, lc_tf_matrices_back(c, &m, columns, m.type));
    else give_nothing(c, 1);
}

/* The eigenvalues as a row above the eigenvectors. */
void lc_tf_op_self_adjoint_eig(lc_tf_call *c) {
    lc_tf_matrix m;
    int32_t values, columns = -1;
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m) || !eigen(c, &m, true, &values, &columns)) return;
    const int32_t parts[2] = {lc_tf_expand(c, values, 1), columns};
    lc_tf_give(c, 0, lc_tf_matrices_back(c, &m, lc_tf_concat(c, parts, 2, 1), m.type));
}

void lc_tf_op_svd(lc_tf_call *c) {
    lc_tf_matrix m;
    int32_t rows, cols, order, values;
    const bool vectors = lc_tf_attr_bool(c, "compute_uv", true), full = lc_tf_attr_bool(c, "full_matrices", false);
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), false, &m) || !fixed_sizes(c, &m, &rows, &cols)) return;
    if (vectors && full && rows != cols) {
        lc_tf_missing(c, "full_matrices of matrices that are not square");
        return;
    }
    const bool wide = cols > rows;
    const int32_t n = wide ? rows : cols;
    int32_t v[2] = {wide ? lc_tf_swap_last(c, m.x) : m.x, -1};
    if (vectors) v[1] = identities(c, m.x, n);
    if (!run(c, n, vectors, v, svd_step)) return;
    const int32_t lengths = lc_tf_unary(c, LC_OP_SQRT, sum(c, mul(c, v[0], v[0]), 1));
    lc_tf_top_k(c, lengths, lc_tf_scalar(c, n, LC_INT32), &values, &order);
    lc_tf_give(c, 0, lc_tf_matrices_back(c, &m, values, m.type));
    if (!vectors) {
        give_nothing(c, 1);
        give_nothing(c, 2);
        return;
    }
    const int32_t divisors = lc_tf_expand(c, lc_tf_with(c, LC_OP_MAXIMUM, lengths, 1e-30), 1);
    const int32_t u = lc_tf_gather(c, lc_tf_binary(c, LC_OP_DIV, v[0], divisors), order, 2, 1), w = lc_tf_gather(c, v[1], order, 2, 1);
    lc_tf_give(c, 1, lc_tf_matrices_back(c, &m, wide ? w : u, m.type));
    lc_tf_give(c, 2, lc_tf_matrices_back(c, &m, wide ? u : w, m.type));
}
