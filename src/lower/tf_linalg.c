/*
 * tf_linalg.c: linear algebra by elimination: Cholesky, Lu, MatrixDeterminant, LogMatrixDeterminant, MatrixInverse, MatrixSolve,
 * MatrixTriangularSolve, TridiagonalSolve, Qr. Each is a WHILE over the columns, with a body of builtins for all matrices of the batch at
 * once, so any size works, open ones too.
 *
 * What a step must not touch is masked out by comparing row or column numbers with the step's. Pivots are the largest of their column,
 * as LAPACK chooses them; the signs of Qr are Householder's, as TensorFlow's. float32 inside; float64 is rounded to it.
 * A matrix that is not invertible or not positive definite gives NaN or Inf, where TensorFlow fails. Golub, Van Loan: Matrix Computations.
 */
#include "lower/tf_loop.h"

/* ---- batches of matrices --------------------------------------------------------------------------------------------- */

bool lc_tf_matrices(lc_tf_call *c, int32_t x, bool square, lc_tf_matrix *m) {
    const lc_shape s = lc_tf_ranked(c, x);
    *m = (lc_tf_matrix){.as = x, .type = lc_tf_type(c, x)};
    if (!lc_tf_ok(c)) return false;
    if (s.rank < 2 || (square && s.dims[s.rank - 1] >= 0 && s.dims[s.rank - 2] >= 0 && s.dims[s.rank - 1] != s.dims[s.rank - 2])) {
        char text[LC_SHAPE_TEXT];
        lc_tf_fail(c, LC_INVALID, "its input is %s, needs %s", lc_shape_text(&s, text), square ? "square matrices" : "matrices");
        return false;
    }
    const int32_t v = lc_tf_widen(c, x, LC_TF_T(FLOAT32));
    if (v < 0) return false;
    m->x = lc_tf_merge_dims(c, v, 0, s.rank - 2);
    m->rows = lc_tf_dim(c, m->x, 1);
    m->cols = lc_tf_dim(c, m->x, 2);
    return lc_tf_ok(c);
}

int32_t lc_tf_matrices_back(lc_tf_call *c, const lc_tf_matrix *m, int32_t y, lc_dtype type) {
    const lc_shape s = lc_tf_ranked(c, m->as), r = lc_tf_ranked(c, y);
    y = lc_tf_narrow(c, y, type);
    if (!lc_tf_ok(c)) return -1;
    if (s.rank == 3) return y;
    if (s.rank == 2) return lc_tf_squeeze(c, y, 0);
    int32_t shape = lc_tf_cut_at(c, lc_tf_shape_tensor(c, m->as), 0, 0, s.rank - 2);
    if (r.rank > 1) {
        const int32_t parts[2] = {shape, lc_tf_cut_at(c, lc_tf_shape_tensor(c, y), 0, 1, 0)};
        shape = lc_tf_concat(c, parts, 2, 0);
    }
    return lc_tf_reshape_like(c, y, shape);
}

static void give(lc_tf_call *c, uint32_t k, const lc_tf_matrix *m, int32_t y) { lc_tf_give(c, k, lc_tf_matrices_back(c, m, y, m->type)); }

/* ---- inside a step ------------------------------------------------------------------------------------------------------ */

static int32_t add(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_ADD, x, y); }
static int32_t sub(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_SUB, x, y); }
static int32_t mul(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_MUL, x, y); }
static int32_t divide(lc_tf_call *c, int32_t x, int32_t y) { return lc_tf_binary(c, LC_OP_DIV, x, y); }
static int32_t zero(lc_tf_call *c) { return lc_tf_scalar(c, 0, LC_FLOAT32); }

/* Numbers of the rows (axis 1) or columns (2) of x [batch, rows, cols] compared with i: [n]. */
static int32_t numbered(lc_tf_call *c, int32_t op, int32_t x, int32_t axis, int32_t i) {
    return lc_tf_binary(c, op, lc_tf_range(c, lc_tf_dim(c, x, axis)), i);
}
/* The same as [n, 1], for rows. */
static int32_t rows_where(lc_tf_call *c, int32_t op, int32_t x, int32_t i) { return lc_tf_expand(c, numbered(c, op, x, 1, i), 1); }
/* Column i as [batch, rows]; row i as [batch, 1, cols]. */
static int32_t column(lc_tf_call *c, int32_t x, int32_t i) { return lc_tf_gather(c, x, i, 2, 0); }
static int32_t row(lc_tf_call *c, int32_t x, int32_t i) { return lc_tf_gather(c, x, lc_tf_expand(c, i, 0), 1, 0); }
/* Element i of vectors [batch, n], as [batch, 1]. */
static int32_t element(lc_tf_call *c, int32_t x, int32_t i) { return lc_tf_gather(c, x, lc_tf_expand(c, i, 0), 1, 0); }
static int32_t pick(lc_tf_call *c, int32_t where, int32_t yes, int32_t no) { return lc_build_select(c->b, where, yes, no); }
/* a [batch, n] and b [batch, m] as the matrices a b^T. */
static int32_t outer(lc_tf_call *c, int32_t a, int32_t b) { return mul(c, lc_tf_expand(c, a, 2), lc_tf_expand(c, b, 1)); }

/* Zeros of x's shape. */
static int32_t zeros_like(lc_tf_call *c, int32_t x) { return lc_tf_fill(c, lc_tf_shape_tensor(c, x), zero(c)); }

/* The identity [n, n] for every matrix of x's batch; n: an int32 scalar. */
static int32_t identities(lc_tf_call *c, int32_t x, int32_t n) {
    const int32_t tensors[2] = {lc_tf_dim(c, x, 0), n}, none[2] = {0, 0};
    return lc_tf_unary(c, LC_OP_MATRIX_DIAG, lc_tf_fill(c, lc_tf_vector_of(c, tensors, none, 2), lc_tf_scalar(c, 1, LC_FLOAT32)));
}

/* ---- Cholesky -------------------------------------------------------------------------------------------------------------- */

/* values: what is left of the matrix, L. Column i of what is left gives column i of L, whose square is taken away. */
static void cholesky_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    (void)user;
    const int32_t left = column(c, v[0], i), root = lc_tf_unary(c, LC_OP_SQRT, element(c, left, i));
    const int32_t below = numbered(c, LC_OP_GREATER_EQUAL, v[0], 1, i);
    const int32_t l = pick(c, below, divide(c, left, root), zero(c));
    v[1] = pick(c, numbered(c, LC_OP_EQUAL, v[0], 2, i), lc_tf_expand(c, l, 2), v[1]);
    v[0] = sub(c, v[0], outer(c, l, l));
}

void lc_tf_op_cholesky(lc_tf_call *c) {
    lc_tf_matrix m;
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m)) return;
    int32_t v[2] = {m.x, zeros_like(c, m.x)};
    if (lc_tf_loop(c, m.rows, v, 2, cholesky_step, NULL)) give(c, 0, &m, v[1]);
}

/* ---- elimination --------------------------------------------------------------------------------------------------------------- */

/* The row of column i's largest element, at i or below: [batch]. */
static int32_t pivot_row(lc_tf_call *c, int32_t x, int32_t i) {
    const int32_t above = numbered(c, LC_OP_LESS, x, 1, i), size = lc_tf_unary(c, LC_OP_ABS, column(c, x, i));
    const int32_t in[2] = {pick(c, above, lc_tf_scalar(c, -1, LC_FLOAT32), size), lc_tf_scalar(c, 1, LC_INT32)};
    const lc_ArgMaxOptions o = {.output_type = LC_INT32};
    return lc_build_op(c->b, LC_OP_ARG_MAX, LC_TABLE_ArgMaxOptions, &o, in, 2);
}

/* Rows i and p [batch] of x change places; *at receives the row that is now row i [batch, 1, cols]. */
static int32_t swap_rows(lc_tf_call *c, int32_t x, int32_t i, int32_t p, int32_t *at) {
    const int32_t up = lc_tf_expand(c, p, 1), down = row(c, x, i);
    *at = lc_tf_gather(c, x, up, 1, 1);
    const int32_t is_p = lc_tf_binary(c, LC_OP_EQUAL, lc_tf_range(c, lc_tf_dim(c, x, 1)), up); /* [batch, rows] */
    x = pick(c, lc_tf_expand(c, is_p, 2), down, x);
    return pick(c, rows_where(c, LC_OP_EQUAL, x, i), *at, x);
}

/* values: [A | B]. Row i becomes 1 in column i, all others 0: at the end [1 | A^-1 B]. */
static void gauss_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    (void)user;
    int32_t at;
    const int32_t x = swap_rows(c, v[0], i, pivot_row(c, v[0], i), &at);
    const int32_t unit = divide(c, at, lc_tf_expand(c, column(c, at, i), 2));
    const int32_t others = sub(c, x, mul(c, lc_tf_expand(c, column(c, x, i), 2), unit));
    v[0] = pick(c, rows_where(c, LC_OP_EQUAL, x, i), unit, others);
}

/* A^-1 B for [batch, n, n] and [batch, n, k]. */
static int32_t solve(lc_tf_call *c, int32_t a, int32_t b, int32_t n) {
    const int32_t parts[2] = {a, b};
    int32_t v = lc_tf_concat(c, parts, 2, 2);
    if (!lc_tf_loop(c, n, &v, 1, gauss_step, NULL)) return -1;
    return lc_tf_cut(c, v, 2, n, LC_ABSENT, 1);
}

void lc_tf_op_matrix_inverse(lc_tf_call *c) {
    lc_tf_matrix m;
    const bool adjoint = lc_tf_attr_bool(c, "adjoint", false);
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m)) return;
    const int32_t a = adjoint ? lc_tf_swap_last(c, m.x) : m.x;
    give(c, 0, &m, solve(c, a, identities(c, a, m.rows), m.rows));
}

/* Both inputs with the batch dimensions of both. */
static bool same_batch(lc_tf_call *c, int32_t *a, int32_t *b) {
    int32_t *const both[2] = {a, b};
    int32_t heads[2], tails[2];
    const lc_shape s = lc_tf_ranked(c, *a), t = lc_tf_ranked(c, *b);
    if (!lc_tf_ok(c)) return false;
    if (s.rank < 2 || t.rank < 2)
        return lc_tf_fail(c, LC_INVALID, "its inputs have %d and %d dimensions, matrices have 2 or more", s.rank, t.rank) > 0;
    bool same = s.rank == t.rank; /* two open dimensions are taken to be one */
    for (int32_t d = 0; same && d < s.rank - 2; d++) same = s.dims[d] == t.dims[d];
    if (same) return true;
    for (int k = 0; k < 2; k++) {
        const int32_t shape = lc_tf_shape_tensor(c, *both[k]), rank = k ? t.rank : s.rank;
        heads[k] = lc_tf_cut(c, shape, 0, LC_ABSENT, lc_tf_scalar(c, rank - 2, LC_INT32), 1);
        tails[k] = lc_tf_cut_at(c, shape, 0, rank - 2, 0);
    }
    const int32_t head = lc_build_op(c->b, LC_OP_BROADCAST_ARGS, LC_TABLE_NONE, NULL, heads, 2);
    for (int k = 0; k < 2; k++) {
        const int32_t parts[2] = {head, tails[k]};
        const int32_t v = lc_tf_movable(c, *both[k], LC_TF_WIDTHS);
        *both[k] = v < 0 ? v : lc_tf_broadcast(c, v, lc_tf_concat(c, parts, 2, 0));
    }
    return lc_tf_ok(c);
}

/* Matrices and right-hand sides of the same batch. */
static bool system_of(lc_tf_call *c, lc_tf_matrix *a, lc_tf_matrix *b) {
    int32_t x = lc_tf_in(c, 0), y = lc_tf_in(c, 1);
    return same_batch(c, &x, &y) && lc_tf_matrices(c, x, true, a) && lc_tf_matrices(c, y, false, b);
}

void lc_tf_op_matrix_solve(lc_tf_call *c) {
    lc_tf_matrix a, b;
    const bool adjoint = lc_tf_attr_bool(c, "adjoint", false);
    if (!system_of(c, &a, &b)) return;
    give(c, 0, &b, solve(c, adjoint ? lc_tf_swap_last(c, a.x) : a.x, b.x, a.rows));
}

/* values: the matrix, the sign [batch, 1], the product or the sum of logarithms of the pivots' sizes [batch, 1]. user: not NULL for the
 * sum. */
static void determinant_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    int32_t at;
    const int32_t p = pivot_row(c, v[0], i), x = swap_rows(c, v[0], i, p, &at), pivot = column(c, at, i); /* [batch, 1] */
    const int32_t one = lc_tf_scalar(c, 1, LC_FLOAT32), size = lc_tf_unary(c, LC_OP_ABS, pivot);
    const int32_t nothing = lc_tf_with(c, LC_OP_EQUAL, pivot, 0); /* then the determinant is 0, and what follows must not be NaN */
    const int32_t unit = divide(c, at, lc_tf_expand(c, pick(c, nothing, one, pivot), 2));
    const int32_t below = rows_where(c, LC_OP_GREATER, x, i);
    const int32_t factors = pick(c, below, lc_tf_expand(c, column(c, x, i), 2), zero(c));
    const int32_t kept = lc_tf_expand(c, lc_tf_binary(c, LC_OP_EQUAL, p, i), 1), minus = lc_tf_scalar(c, -1, LC_FLOAT32);
    const int32_t negative = lc_tf_with(c, LC_OP_LESS, pivot, 0);
    const int32_t sign = mul(c, pick(c, kept, one, minus), pick(c, nothing, zero(c), pick(c, negative, minus, one)));
    v[0] = sub(c, x, mul(c, factors, unit));
    v[1] = mul(c, v[1], sign);
    v[2] = user ? add(c, v[2], lc_tf_unary(c, LC_OP_LOG, size)) : mul(c, v[2], size);
}

static void determinant(lc_tf_call *c, bool logarithm) {
    lc_tf_matrix m;
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m)) return;
    const int32_t tensors[2] = {lc_tf_dim(c, m.x, 0), LC_ABSENT}, one[2] = {0, 1};
    const int32_t shape = lc_tf_vector_of(c, tensors, one, 2), ones = lc_tf_fill(c, shape, lc_tf_scalar(c, 1, LC_FLOAT32));
    int32_t v[3] = {m.x, ones, logarithm ? lc_tf_fill(c, shape, zero(c)) : ones};
    if (!lc_tf_loop(c, m.rows, v, 3, determinant_step, logarithm ? &m : NULL)) return;
    const int32_t sign = lc_tf_squeeze(c, v[1], 1), size = lc_tf_squeeze(c, v[2], 1);
    if (logarithm) {
        give(c, 0, &m, sign);
        give(c, 1, &m, size);
    } else {
        give(c, 0, &m, mul(c, sign, size));
    }
}

void lc_tf_op_matrix_determinant(lc_tf_call *c) { determinant(c, false); }
void lc_tf_op_log_matrix_determinant(lc_tf_call *c) { determinant(c, true); }

/* values: L and U in one matrix, the order of the rows [batch, n, 1] as numbers. */
static void lu_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    (void)user;
    int32_t at, ignored;
    const int32_t p = pivot_row(c, v[0], i), x = swap_rows(c, v[0], i, p, &at);
    const int32_t below = rows_where(c, LC_OP_GREATER, x, i), right = numbered(c, LC_OP_GREATER, x, 2, i);
    const int32_t l = divide(c, lc_tf_expand(c, column(c, x, i), 2), lc_tf_expand(c, column(c, at, i), 2)); /* [batch, n, 1] */
    const int32_t less = mul(c, pick(c, below, l, zero(c)), pick(c, right, at, zero(c)));
    const int32_t here = lc_tf_binary(c, LC_OP_LOGICAL_AND, below, numbered(c, LC_OP_EQUAL, x, 2, i)); /* [n, n] */
    v[0] = pick(c, here, l, sub(c, x, less));
    v[1] = swap_rows(c, v[1], i, p, &ignored);
}

void lc_tf_op_lu(lc_tf_call *c) {
    lc_tf_matrix m;
    const lc_dtype wanted = lc_tf_attr_type(c, "output_idx_type");
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), true, &m)) return;
    const int32_t tensors[2] = {lc_tf_dim(c, m.x, 0), m.rows}, none[2] = {0, 0};
    const int32_t order = lc_tf_broadcast(c, lc_tf_range(c, m.rows), lc_tf_vector_of(c, tensors, none, 2));
    int32_t v[2] = {m.x, lc_tf_expand(c, order, 2)};
    if (!lc_tf_loop(c, m.rows, v, 2, lu_step, NULL)) return;
    give(c, 0, &m, v[0]);
    lc_tf_give(c, 1, lc_tf_matrices_back(c, &m, lc_tf_squeeze(c, v[1], 2), wanted == LC_INT64 ? LC_INT64 : LC_INT32));
}

/* ---- triangles ----------------------------------------------------------------------------------------------------------------- */

typedef struct triangle {
    bool lower;
} triangle;

/* values: the matrix, what is left of the right-hand sides, with the solutions of the rows that are done. Rows from the first (lower) or
 * from the last on. */
static void triangle_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    const triangle *t = user;
    if (!t->lower) i = sub(c, lc_tf_with(c, LC_OP_SUB, lc_tf_dim(c, v[0], 1), 1), i);
    const int32_t factors = column(c, v[0], i);
    const int32_t x = divide(c, row(c, v[1], i), lc_tf_expand(c, element(c, factors, i), 2)); /* [batch, 1, k] */
    const int32_t left = rows_where(c, t->lower ? LC_OP_GREATER : LC_OP_LESS, v[0], i);
    const int32_t rest = sub(c, v[1], mul(c, pick(c, left, lc_tf_expand(c, factors, 2), zero(c)), x));
    v[1] = pick(c, rows_where(c, LC_OP_EQUAL, v[0], i), x, rest);
}

void lc_tf_op_triangular_solve(lc_tf_call *c) {
    lc_tf_matrix a, b;
    triangle t = {lc_tf_attr_bool(c, "lower", true)};
    const bool adjoint = lc_tf_attr_bool(c, "adjoint", false);
    if (!system_of(c, &a, &b)) return;
    if (adjoint) t.lower = !t.lower;
    int32_t v[2] = {adjoint ? lc_tf_swap_last(c, a.x) : a.x, b.x};
    if (lc_tf_loop(c, a.rows, v, 2, triangle_step, &t)) give(c, 0, &b, v[1]);
}

/* diagonals [..., 3, n]: above (its last element counts for nothing), main, below (its first likewise). */
void lc_tf_op_tridiagonal_solve(lc_tf_call *c) {
    lc_tf_matrix d, b;
    const int32_t x = lc_tf_in(c, 0);
    if (lc_tf_attr_bool(c, "perturb_singular", false)) {
        lc_tf_missing(c, "perturb_singular");
        return;
    }
    if (!lc_tf_matrices(c, x, false, &d) || !lc_tf_matrices(c, lc_tf_in(c, 1), false, &b)) return;
    const lc_shape s = lc_tf_ranked(c, d.x);
    if (s.dims[1] != 3) {
        lc_tf_fail(c, LC_INVALID, "its diagonals have %d rows, needs 3", s.dims[1]);
        return;
    }
    /* diagonal k of row r lies in column r + k: number of the column less that of the row */
    const int32_t columns = lc_tf_range(c, d.cols), away = sub(c, columns, lc_tf_expand(c, columns, 1));
    int32_t a = zero(c);
    for (int32_t k = 0; k < 3; k++) a = pick(c, lc_tf_with(c, LC_OP_EQUAL, away, 1 - k), lc_tf_expand(c, lc_tf_pick(c, d.x, 1, k), 2), a);
    give(c, 0, &b, solve(c, a, b.x, d.cols));
}

/* ---- Qr -------------------------------------------------------------------------------------------------------------------------- */

/* values: R, Q. Householder's reflection that makes column i of R zero below row i; its sign is the opposite of the element's. */
static void householder_step(lc_tf_call *c, int32_t i, int32_t *v, void *user) {
    (void)user;
    const int32_t x = column(c, v[0], i), head = element(c, x, i), axis = 1; /* [batch, 1] */
    const int32_t tail = pick(c, numbered(c, LC_OP_GREATER, v[0], 1, i), x, zero(c));
    const int32_t rest = lc_build_reduce(c->b, LC_OP_SUM, mul(c, tail, tail), &axis, 1, true);
    const int32_t size = lc_tf_unary(c, LC_OP_SQRT, add(c, mul(c, head, head), rest));
    const int32_t beta = pick(c, lc_tf_with(c, LC_OP_LESS, head, 0), size, lc_tf_unary(c, LC_OP_NEG, size));
    const int32_t first = sub(c, head, beta);
    const int32_t w = pick(c, numbered(c, LC_OP_EQUAL, v[0], 1, i), first, tail); /* [batch, m] */
    const int32_t square = add(c, mul(c, first, first), rest), nothing = lc_tf_with(c, LC_OP_EQUAL, rest, 0);
    const int32_t scale =
        pick(c, nothing, zero(c), divide(c, lc_tf_scalar(c, 2, LC_FLOAT32), pick(c, nothing, lc_tf_scalar(c, 1, LC_FLOAT32), square)));
    const int32_t up = lc_tf_expand(c, w, 1), down = lc_tf_expand(c, mul(c, w, scale), 2); /* [batch, 1, m], [batch, m, 1] */
    const lc_BatchMatMulOptions plain = {0};
    const int32_t on_r[2] = {up, v[0]}, on_q[2] = {v[1], lc_tf_expand(c, w, 2)};
    v[0] = sub(c, v[0], mul(c, down, lc_build_op(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &plain, on_r, 2)));
    const int32_t qw = lc_build_op(c->b, LC_OP_BATCH_MATMUL, LC_TABLE_BatchMatMulOptions, &plain, on_q, 2); /* [batch, m, 1] */
    v[1] = sub(c, v[1], mul(c, qw, lc_tf_expand(c, mul(c, w, scale), 1)));
}

void lc_tf_op_qr(lc_tf_call *c) {
    lc_tf_matrix m;
    const bool full = lc_tf_attr_bool(c, "full_matrices", false);
    if (!lc_tf_matrices(c, lc_tf_in(c, 0), false, &m)) return;
    const int32_t least = lc_tf_binary(c, LC_OP_MINIMUM, m.rows, m.cols);
    int32_t v[2] = {m.x, identities(c, m.x, m.rows)};
    if (!lc_tf_loop(c, least, v, 2, householder_step, NULL)) return;
    if (!full) {
        v[0] = lc_tf_cut(c, v[0], 1, LC_ABSENT, least, 1);
        v[1] = lc_tf_cut(c, v[1], 2, LC_ABSENT, least, 1);
    }
    const int32_t rows = lc_tf_expand(c, lc_tf_range(c, lc_tf_dim(c, v[0], 1)), 1);
    const int32_t below = lc_tf_binary(c, LC_OP_GREATER, rows, lc_tf_range(c, m.cols)); /* rounding leaves traces there */
    give(c, 0, &m, v[1]);
    give(c, 1, &m, pick(c, below, zero(c), v[0]));
}
