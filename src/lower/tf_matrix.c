/*
 * tf_matrix.c: diagonals and bands: MatrixDiag, MatrixDiagPart, MatrixSetDiag (all versions), MatrixBandPart, Diag, DiagPart, and their
 * Batch forms of old graphs.
 *
 * The main diagonal is MATRIX_DIAG and MATRIX_SET_DIAG, for open sizes too. All else is one GATHER by a constant table that says for every
 * element of the result where it lies in the flat input: sizes of matrices must be fixed, what stands before them may be open. Bands of
 * diagonals are laid out as tf.linalg.diag says: row m holds diagonal k1 - m, shorter ones are aligned left or right.
 */
#include "lower/tf_array.h"

#include <string.h>

#define MATRICES LC_TF_NUMBERS
#define GATHERS (LC_TF_NUMBERS | LC_TF_HALVES | LC_TF_T(BOOL))
#define MOST ((int64_t)1 << 24) /* entries of a table */

/* ---- bands of diagonals -------------------------------------------------------------------------------------------- */

typedef struct band {
    int64_t k0, k1;            /* lowest and highest diagonal */
    int64_t rows, cols;        /* of the matrices */
    int64_t length;            /* of the longest diagonal */
    bool super_left, sub_left; /* how shorter ones are aligned */
} band;

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t diagonal_length(const band *b, int64_t d) { return least(b->rows + least(d, 0), b->cols - most(d, 0)); }

/* Where diagonal d begins in its row. */
static int64_t diagonal_offset(const band *b, int64_t d) {
    const bool left = (d >= 0 && b->super_left) || (d <= 0 && b->sub_left);
    return left ? 0 : b->length - diagonal_length(b, d);
}

/* Reads k (input i) and the alignment. i < 0: the main diagonal. */
static bool read_band(lc_tf_call *c, int32_t i, band *b) {
    int64_t k[2] = {0, 0};
    *b = (band){0};
    if (i >= 0) {
        const uint32_t n = lc_tf_need_ints(c, lc_tf_in(c, (uint32_t)i), "k", k, 2);
        if (lc_tf_ok(c) && n == 0) lc_tf_fail(c, LC_INVALID, "its k is empty");
        if (n == 1) k[1] = k[0];
    }
    /* what has no attribute (V2) aligns left */
    const lc_str align = lc_tf_attr_str(c, "align",
                                        lc_str_is(c->node->op, "MatrixDiagV3") || lc_str_is(c->node->op, "MatrixDiagPartV3") ||
                                                lc_str_is(c->node->op, "MatrixSetDiagV3")
                                            ? "RIGHT_LEFT"
                                            : "LEFT_LEFT");
    b->super_left = lc_str_is(align, "LEFT_RIGHT") || lc_str_is(align, "LEFT_LEFT");
    b->sub_left = lc_str_is(align, "RIGHT_LEFT") || lc_str_is(align, "LEFT_LEFT");
    b->k0 = k[0];
    b->k1 = k[1];
    if (lc_tf_ok(c) && (k[0] > k[1] || k[0] < -INT32_MAX || k[1] > INT32_MAX))
        lc_tf_fail(c, LC_INVALID, "its k goes from %lld to %lld", (long long)k[0], (long long)k[1]);
    return lc_tf_ok(c);
}

/* The band lies in matrices of these sizes; its longest diagonal. */
static bool fit_band(lc_tf_call *c, band *b, int64_t rows, int64_t cols) {
    b->rows = rows;
    b->cols = cols;
    b->length = least(rows + least(b->k1, 0), cols - most(b->k0, 0));
    if (b->length > 0 && rows * cols <= MOST && (b->k1 - b->k0 + 1) * b->length <= MOST) return true;
    if (b->length <= 0)
        lc_tf_fail(c, LC_INVALID, "diagonals %lld to %lld lie outside of matrices [%lld,%lld]", (long long)b->k0, (long long)b->k1,
                   (long long)rows, (long long)cols);
    else lc_tf_fail(c, LC_UNSUPPORTED, "matrices [%lld,%lld] are too large for this", (long long)rows, (long long)cols);
    return false;
}

/* The element of the diagonals [m, length] that lies at row i, column j of the matrix; -1: none. */
static int64_t in_band(const band *b, int64_t i, int64_t j) {
    const int64_t d = j - i;
    if (d < b->k0 || d > b->k1) return -1;
    return (b->k1 - d) * b->length + least(i, j) + diagonal_offset(b, d);
}

/* x [..., a, b] as [..., a * b] read through a table [rows, cols] (rows 0: [cols]). `value` (LC_ABSENT: none) is one element more of x, the
 * last. */
static int32_t read_table(lc_tf_call *c, int32_t flat, const int32_t *table, int64_t rows, int64_t cols, int32_t value) {
    lc_shape s = lc_tf_ranked(c, flat);
    int32_t pads[2 * LC_MAX_RANK] = {0};
    if (!lc_tf_ok(c)) return -1;
    if (value != LC_ABSENT) {
        pads[2 * s.rank - 1] = 1;
        flat = lc_tf_padv2(c, flat, pads, s.rank, value);
    }
    const int32_t dims[2] = {(int32_t)(rows ? rows : cols), (int32_t)cols};
    const int32_t where =
        lc_build_const(c->b, "diagonals", LC_INT32, dims, rows ? 2 : 1, table, (size_t)((rows ? rows : 1) * cols) * sizeof *table, true);
    return lc_tf_gather(c, flat, where, s.rank - 1, 0);
}

static int32_t *new_table(lc_tf_call *c, int64_t n) { return lc_tf_table_data(c, (uint64_t)n, sizeof(int32_t)); }

/* The constant 0 of any number type, or something else? */
static bool is_zero(lc_tf_call *c, int32_t value) {
    const lc_tensor *t = lc_build_tensor(c->b, value);
    if (!t || !t->data) return false;
    for (size_t i = 0; i < t->size; i++)
        if (((const uint8_t *)t->data)[i]) return false;
    return true;
}

/* ---- to a matrix ------------------------------------------------------------------------------------------------------- */

static void main_diagonal(lc_tf_call *c, int32_t x) {
    const lc_dtype type = lc_tf_type(c, x);
    lc_tf_ranked(c, x);
    const int32_t v = lc_tf_movable(c, x, MATRICES);
    if (v >= 0) lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_unary(c, LC_OP_MATRIX_DIAG, v), type));
}

void lc_tf_op_matrix_diag(lc_tf_call *c) { main_diagonal(c, lc_tf_in(c, 0)); }

void lc_tf_op_matrix_diag_v2(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    int64_t rows = lc_tf_need_int(c, lc_tf_in(c, 2), "num_rows"), cols = lc_tf_need_int(c, lc_tf_in(c, 3), "num_cols");
    const int32_t value = lc_tf_in(c, 4);
    const lc_dtype type = lc_tf_type(c, x);
    lc_shape s = lc_tf_ranked(c, x);
    band b;
    if (!read_band(c, 1, &b)) return;
    const int64_t length = s.rank ? s.dims[s.rank - 1] : 1;
    const bool square = (rows < 0 || rows == length) && (cols < 0 || cols == length);
    if (b.k0 == 0 && b.k1 == 0 && square && is_zero(c, value)) {
        main_diagonal(c, x);
        return;
    }
    const int32_t wanted = b.k0 == b.k1 ? 1 : 2, m = s.rank >= 2 && wanted == 2 ? s.dims[s.rank - 2] : 1;
    if (s.rank < wanted || (wanted == 2 && m >= 0 && m != b.k1 - b.k0 + 1)) {
        lc_tf_fail(c, LC_INVALID, "its diagonals do not belong to k from %lld to %lld", (long long)b.k0, (long long)b.k1);
        return;
    }
    if (length < 0 || m < 0) {
        lc_tf_fixed(c, x, "diagonal");
        return;
    }
    const int64_t most_rows = length - least(b.k1, 0), most_cols = length + most(b.k0, 0);
    if (rows < 0 && cols < 0) rows = cols = most(most_rows, most_cols);
    else if (rows < 0) rows = most_rows;
    else if (cols < 0) cols = most_cols;
    if (rows > MOST || cols > MOST || !fit_band(c, &b, rows, cols)) {
        lc_tf_fail(c, LC_UNSUPPORTED, "matrices of %lld rows and %lld columns are too large for this", (long long)rows, (long long)cols);
        return;
    }
    if (b.length != length) {
        lc_tf_fail(c, LC_INVALID, "its diagonals are %lld long, matrices [%lld,%lld] need %lld", (long long)length, (long long)rows,
                   (long long)cols, (long long)b.length);
        return;
    }
    int32_t *table = new_table(c, rows * cols);
    bool pads = false;
    for (int64_t i = 0; table && i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const int64_t at = in_band(&b, i, j);
            pads = pads || at < 0;
            table[i * cols + j] = (int32_t)(at < 0 ? (b.k1 - b.k0 + 1) * length : at);
        }
    int32_t v = lc_tf_movable(c, x, GATHERS);
    const int32_t filler = v < 0 ? v : lc_tf_movable(c, value, GATHERS);
    if (!table || filler < 0) return;
    if (wanted == 2) v = lc_tf_merge_dims(c, v, s.rank - 2, s.rank);
    lc_tf_give(c, 0, lc_tf_moved(c, read_table(c, v, table, rows, cols, pads ? filler : LC_ABSENT), type));
}

/* ---- from a matrix ------------------------------------------------------------------------------------------------------ */

/* The main diagonal of matrices of open sizes: every (columns + 1)-th element of the flat matrix. */
static void open_diagonal(lc_tf_call *c, int32_t x, int32_t rank) {
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t v = lc_tf_movable(c, x, GATHERS);
    if (v < 0) return;
    const int32_t rows = lc_tf_dim(c, v, rank - 2), cols = lc_tf_dim(c, v, rank - 1);
    const int32_t n = lc_tf_range(c, lc_tf_binary(c, LC_OP_MINIMUM, rows, cols));
    const int32_t at = lc_tf_binary(c, LC_OP_MUL, n, lc_tf_with(c, LC_OP_ADD, cols, 1));
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_gather(c, lc_tf_merge_dims(c, v, rank - 2, rank), at, rank - 2, 0), type));
}

static void diag_part(lc_tf_call *c, int32_t k, int32_t value) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    band b;
    if (!read_band(c, k, &b)) return;
    if (s.rank < 2) {
        lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, matrices have 2 or more", s.rank);
        return;
    }
    const int64_t rows = s.dims[s.rank - 2], cols = s.dims[s.rank - 1];
    if (rows < 0 || cols < 0) {
        if (b.k0 == 0 && b.k1 == 0) open_diagonal(c, x, s.rank);
        else lc_tf_fixed(c, x, "matrix");
        return;
    }
    if (!fit_band(c, &b, rows, cols)) return;
    const int64_t m = b.k1 - b.k0 + 1;
    int32_t *table = new_table(c, m * b.length);
    bool pads = false;
    for (int64_t r = 0; table && r < m; r++) {
        const int64_t d = b.k1 - r, n = diagonal_length(&b, d), offset = diagonal_offset(&b, d);
        for (int64_t j = 0; j < b.length; j++) {
            const int64_t i = j - offset;
            const bool inside = i >= 0 && i < n;
            pads = pads || !inside;
            table[r * b.length + j] = (int32_t)(inside ? (i + most(-d, 0)) * cols + i + most(d, 0) : rows * cols);
        }
    }
    const int32_t v = lc_tf_movable(c, x, GATHERS);
    if (!table || v < 0) return;
    const int32_t filler = !pads || value == LC_ABSENT ? LC_ABSENT : lc_tf_movable(c, value, GATHERS);
    if (!lc_tf_ok(c) || (pads && filler < 0)) return;
    lc_tf_give(c, 0,
               lc_tf_moved(c, read_table(c, lc_tf_merge_dims(c, v, s.rank - 2, s.rank), table, m == 1 ? 0 : m, b.length, filler), type));
}

void lc_tf_op_matrix_diag_part(lc_tf_call *c) { diag_part(c, -1, LC_ABSENT); }
void lc_tf_op_matrix_diag_part_v2(lc_tf_call *c) { diag_part(c, 1, lc_tf_in(c, 2)); }

/* ---- into a matrix ----------------------------------------------------------------------------------------------------------- */

static void set_main(lc_tf_call *c, int32_t x, int32_t diagonal) {
    const lc_dtype type = lc_tf_type(c, x);
    const int32_t in[2] = {lc_tf_movable(c, x, MATRICES), lc_tf_movable(c, diagonal, MATRICES)};
    if (in[0] < 0 || in[1] < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_op(c->b, LC_OP_MATRIX_SET_DIAG, LC_TABLE_MatrixSetDiagOptions, NULL, in, 2), type));
}

void lc_tf_op_matrix_set_diag(lc_tf_call *c) { set_main(c, lc_tf_in(c, 0), lc_tf_in(c, 1)); }

void lc_tf_op_matrix_set_diag_v2(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), diagonal = lc_tf_in(c, 1);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x), d = lc_tf_ranked(c, diagonal);
    band b;
    if (!read_band(c, 2, &b)) return;
    if (s.rank < 2 || d.rank != s.rank - (b.k0 == b.k1 ? 1 : 0)) {
        lc_tf_fail(c, LC_INVALID, "diagonals of %d dimensions do not belong to an input of %d", d.rank, s.rank);
        return;
    }
    if (b.k0 == 0 && b.k1 == 0) {
        set_main(c, x, diagonal);
        return;
    }
    const int64_t rows = s.dims[s.rank - 2], cols = s.dims[s.rank - 1], m = b.k1 - b.k0 + 1;
    if (rows < 0 || cols < 0) {
        lc_tf_fixed(c, x, "matrix");
        return;
    }
    if (!fit_band(c, &b, rows, cols)) return;
    if ((b.k0 != b.k1 && d.dims[d.rank - 2] >= 0 && d.dims[d.rank - 2] != m) ||
        (d.dims[d.rank - 1] >= 0 && d.dims[d.rank - 1] != b.length)) {
        lc_tf_fail(c, LC_INVALID, "its diagonals must be %lld of %lld elements", (long long)m, (long long)b.length);
        return;
    }
    int32_t *table = new_table(c, rows * cols);
    for (int64_t i = 0; table && i < rows; i++)
        for (int64_t j = 0; j < cols; j++) {
            const int64_t at = in_band(&b, i, j);
            table[i * cols + j] = (int32_t)(at < 0 ? i * cols + j : rows * cols + at);
        }
    int32_t parts[2] = {lc_tf_movable(c, x, GATHERS), lc_tf_movable(c, diagonal, GATHERS)};
    if (!table || parts[0] < 0 || parts[1] < 0) return;
    parts[0] = lc_tf_merge_dims(c, parts[0], s.rank - 2, s.rank);
    if (b.k0 != b.k1) parts[1] = lc_tf_merge_dims(c, parts[1], d.rank - 2, d.rank);
    lc_tf_give(c, 0, lc_tf_moved(c, read_table(c, lc_tf_concat(c, parts, 2, s.rank - 2), table, rows, cols, LC_ABSENT), type));
}

/* ---- bands of a matrix --------------------------------------------------------------------------------------------------------- */

/* A constant [rows, cols] that is true in the band; -1 counts as all. */
static int32_t fixed_band(lc_tf_call *c, int64_t rows, int64_t cols, int64_t lower, int64_t upper) {
    if (rows * cols > MOST)
        return lc_tf_fail(c, LC_UNSUPPORTED, "matrices [%lld,%lld] are too large for this", (long long)rows, (long long)cols);
    const size_t n = (size_t)(rows * cols);
    uint8_t *mask = lc_tf_table_data(c, n, 1);
    for (int64_t i = 0; mask && i < rows; i++)
        for (int64_t j = 0; j < cols; j++) mask[i * cols + j] = (lower < 0 || i - j <= lower) && (upper < 0 || j - i <= upper);
    return lc_build_const(c->b, "band", LC_BOOL, (const int32_t[]){(int32_t)rows, (int32_t)cols}, 2, mask, n, true);
}

/* distance <= limit, or limit < 0. */
static int32_t within(lc_tf_call *c, int32_t distance, int32_t limit) {
    return lc_tf_binary(c, LC_OP_LOGICAL_OR, lc_tf_with(c, LC_OP_LESS, limit, 0), lc_tf_binary(c, LC_OP_LESS_EQUAL, distance, limit));
}

void lc_tf_op_matrix_band_part(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0), lower = lc_tf_int32(c, lc_tf_in(c, 1)), upper = lc_tf_int32(c, lc_tf_in(c, 2));
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    int64_t l = 0, u = 0;
    uint32_t n;
    if (!lc_tf_ok(c)) return;
    if (s.rank < 2) {
        lc_tf_fail(c, LC_INVALID, "its input has %d dimensions, matrices have 2 or more", s.rank);
        return;
    }
    const bool known = lc_tf_ints(c, lower, &l, 1, &n) && n == 1 && lc_tf_ints(c, upper, &u, 1, &n) && n == 1;
    if (known && l < 0 && u < 0) {
        lc_tf_give(c, 0, x);
        return;
    }
    const int32_t rows = s.dims[s.rank - 2], cols = s.dims[s.rank - 1];
    int32_t mask;
    if (known && rows >= 0 && cols >= 0) {
        mask = fixed_band(c, rows, cols, l, u);
    } else {
        const int32_t i = lc_tf_expand(c, lc_tf_range(c, lc_tf_dim(c, x, s.rank - 2)), 1);
        const int32_t below = lc_tf_binary(c, LC_OP_SUB, i, lc_tf_range(c, lc_tf_dim(c, x, s.rank - 1)));
        mask = lc_tf_binary(c, LC_OP_LOGICAL_AND, within(c, below, lower), within(c, lc_tf_unary(c, LC_OP_NEG, below), upper));
    }
    const int32_t v = lc_tf_movable(c, x, LC_TF_WIDTHS & ~LC_TF_T(COMPLEX64));
    if (v < 0) return;
    lc_tf_give(c, 0, lc_tf_moved(c, lc_build_select(c->b, mask, v, lc_tf_scalar(c, 0, lc_tf_type(c, v))), type));
}

/* ---- tensors as matrices ----------------------------------------------------------------------------------------------------------- */

/* A tensor of rank r on the diagonal of one of rank 2 r. */
void lc_tf_op_diag(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_ranked(c, x);
    if (!lc_tf_ok(c)) return;
    if (2 * s.rank > LC_MAX_RANK) {
        lc_tf_missing(c, "the result has %d dimensions; litec runs up to %d", 2 * s.rank, LC_MAX_RANK);
        return;
    }
    const int32_t v = lc_tf_movable(c, x, MATRICES);
    if (v < 0) return;
    int32_t y = lc_tf_unary(c, LC_OP_MATRIX_DIAG, lc_tf_flat(c, v));
    if (s.rank != 1) {
        const int32_t shape = lc_tf_shape_tensor(c, v), parts[2] = {shape, shape};
        y = lc_tf_reshape_like(c, y, lc_tf_concat(c, parts, 2, 0));
    }
    lc_tf_give(c, 0, lc_tf_moved(c, y, type));
}

void lc_tf_op_diag_part(lc_tf_call *c) {
    const int32_t x = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, x);
    const lc_shape s = lc_tf_fixed(c, x, "input");
    int64_t n = 1;
    if (!lc_tf_ok(c)) return;
    bool fits = s.rank % 2 == 0;
    for (int32_t d = 0; fits && d < s.rank / 2; d++) {
        fits = s.dims[d] == s.dims[d + s.rank / 2];
        n *= s.dims[d];
    }
    if (!fits || n * n > MOST) {
        char text[LC_SHAPE_TEXT];
        lc_tf_fail(c, fits ? LC_UNSUPPORTED : LC_INVALID, "its input is %s, needs the same dimensions twice%s", lc_shape_text(&s, text),
                   fits ? ", and fewer" : "");
        return;
    }
    int32_t *table = new_table(c, n ? n : 1);
    for (int64_t i = 0; table && i < n; i++) table[i] = (int32_t)(i * (n + 1));
    const int32_t v = lc_tf_movable(c, x, GATHERS);
    if (!table || v < 0) return;
    const int32_t y = read_table(c, lc_tf_flat(c, v), table, 0, n, LC_ABSENT);
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_reshape(c, y, s.dims, s.rank / 2), type));
}
