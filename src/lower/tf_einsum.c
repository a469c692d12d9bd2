/*
 * tf_einsum.c: Einsum, any equation ("...ij,jk->...ik"), as transposes, one product and a transpose back; more than two operands are
 * contracted from left to right, two at a time.
 *
 *   1. a label twice in one operand: its diagonal. A label in one operand alone and not in the result: summed.
 *   2. the labels of two operands are then of four kinds
 *
 *          batch: in both and in the result       rows: in the left one and in the result
 *          inner: in both, not in the result      columns: in the right one and in the result
 *
 *      and the result is left [batch, rows, inner] times right [batch, inner, columns]. An operand that lies so already, or with its last two
 *      kinds swapped, is not transposed (adj_x, adj_y). Without batch the rows may stay several dimensions, and a constant on the right is a
 *      dense layer. Without inner labels, or without rows and columns, it is a MUL.
 *
 * The operands change places when that saves the last transpose, or puts a constant on the right. An ellipsis is as many labels as it stands
 * for, counted from behind, which broadcast as a batch does.
 */
#include "lower/tf_nn.h"

#include <string.h>

enum { ELLIPSIS = 64, LABELS = ELLIPSIS + LC_MAX_RANK, OPERANDS = 8 };

typedef struct labels {
    uint8_t at[LC_MAX_RANK];
    uint32_t n;
} labels;

typedef struct operand {
    int32_t x;
    labels of;
} operand;

static int find(const labels *l, uint8_t label) {
    for (uint32_t i = 0; i < l->n; i++)
        if (l->at[i] == label) return (int)i;
    return -1;
}
static bool has(const labels *l, uint8_t label) { return find(l, label) >= 0; }
static bool push(labels *l, uint8_t label) {
    if (l->n == LC_MAX_RANK) return false;
    l->at[l->n++] = label;
    return true;
}
static labels join(const labels *a, const labels *b, const labels *third) {
    labels out = *a;
    for (uint32_t i = 0; i < b->n; i++) push(&out, b->at[i]);
    for (uint32_t i = 0; third && i < third->n; i++) push(&out, third->at[i]);
    return out;
}
static bool equal(const labels *a, const labels *b) { return a->n == b->n && !memcmp(a->at, b->at, a->n); }

/* One side of the equation; an ellipsis stands for `extra` dimensions. False when it is not well formed. */
static bool parse(lc_str text, int32_t extra, labels *out) {
    bool ellipsis = false;
    out->n = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char ch = text.data[i];
        if (ch == ' ') continue;
        if (ch == '.') {
            if (ellipsis || i + 2 >= text.size || text.data[i + 1] != '.' || text.data[i + 2] != '.') return false;
            ellipsis = true;
            i += 2;
            for (int32_t k = 0; k < extra; k++)
                if (!push(out, (uint8_t)(ELLIPSIS + extra - 1 - k))) return false;
        } else if (ch >= 'a' && ch <= 'z') {
            if (!push(out, (uint8_t)(ch - 'a'))) return false;
        } else if (ch >= 'A' && ch <= 'Z') {
            if (!push(out, (uint8_t)(ch - 'A' + 26))) return false;
        } else {
            return false;
        }
    }
    return true;
}

static bool letters_of(lc_str text, int32_t *count, bool *ellipsis) {
    labels l;
    *ellipsis = false;
    for (size_t i = 0; i < text.size; i++) *ellipsis |= text.data[i] == '.';
    const bool fine = parse(text, 0, &l);
    *count = fine ? (int32_t)l.n : 0;
    return fine;
}

/* ---- one operand ------------------------------------------------------------------------------------------------------- */

/* Transposed so that its labels are in this order (the same labels). */
static void arrange(lc_tf_call *c, operand *o, const labels *order) {
    if (equal(&o->of, order) || !lc_tf_ok(c)) return;
    int32_t perm[LC_MAX_RANK];
    for (uint32_t i = 0; i < order->n; i++) perm[i] = find(&o->of, order->at[i]);
    o->x = lc_build_transpose(c->b, o->x, perm, (int32_t)order->n);
    o->of = *order;
}

/* [..., n, n] to the diagonal [..., n]: every (n + 1)-th element of [..., n n]. */
static void diagonals(lc_tf_call *c, operand *o) {
    for (uint32_t i = 0; i < o->of.n; i++)
        for (uint32_t k = i + 1; k < o->of.n && lc_tf_ok(c); k++) {
            if (o->of.at[i] != o->of.at[k]) continue;
            int32_t perm[LC_MAX_RANK];
            uint32_t n = 0;
            labels left = {.n = 0};
            for (uint32_t d = 0; d < o->of.n; d++)
                if (d != i && d != k) {
                    perm[n++] = (int32_t)d;
                    push(&left, o->of.at[d]);
                }
            perm[n] = (int32_t)i;
            perm[n + 1] = (int32_t)k;
            const lc_shape s = lc_tf_ranked(c, o->x);
            if (!lc_tf_ok(c)) return;
            if (s.dims[i] < 0 || s.dims[i] != s.dims[k]) {
                lc_tf_fail(c, LC_UNSUPPORTED, "it takes the diagonal of dimensions of %d and %d", s.dims[i], s.dims[k]);
                return;
            }
            const int32_t x = lc_tf_merge_dims(c, lc_build_transpose(c->b, o->x, perm, (int32_t)o->of.n), (int32_t)n, (int32_t)n + 2);
            o->x = lc_tf_cut(c, x, (int32_t)n, LC_ABSENT, LC_ABSENT, s.dims[i] + 1);
            push(&left, o->of.at[i]);
            o->of = left;
            i = (uint32_t)-1; /* from the start again: the labels moved */
            break;
        }
}

/* Sums the labels that neither the other operand nor the result has. */
static void sum_own(lc_tf_call *c, operand *o, const labels *other, const labels *out) {
    int32_t axes[LC_MAX_RANK];
    uint32_t n = 0;
    labels left = {.n = 0};
    for (uint32_t i = 0; i < o->of.n; i++) {
        if (has(out, o->of.at[i]) || (other && has(other, o->of.at[i]))) push(&left, o->of.at[i]);
        else axes[n++] = (int32_t)i;
    }
    if (n) o->x = lc_build_reduce(c->b, LC_OP_SUM, o->x, axes, n, false);
    o->of = left;
}

/* ---- two operands -------------------------------------------------------------------------------------------------------- */

/* x with a dimension for each group of its dimensions: groups[] are their lengths, 0 for a new one of 1. Where several of them are open, the
 * new shape is the product of each group of the old one. */
static int32_t grouped(lc_tf_call *c, int32_t x, const uint32_t *groups, uint32_t count) {
    const lc_shape s = lc_tf_ranked(c, x);
    int32_t dims[LC_MAX_RANK], ids[LC_MAX_RANK], at = 0, open = 0;
    bool plain = true;
    if (!lc_tf_ok(c)) return -1;
    if (count > LC_MAX_RANK) return lc_tf_fail(c, LC_UNSUPPORTED, "it needs %u dimensions", count);
    for (uint32_t g = 0; g < count; g++) {
        int64_t size = 1;
        plain = plain && groups[g] == 1;
        for (uint32_t k = 0; k < groups[g] && at < s.rank; k++, at++) {
            ids[at] = (int32_t)g;
            size = size < 0 || s.dims[at] < 0 ? -1 : size * s.dims[at];
            if (size > INT32_MAX) return lc_tf_fail(c, LC_LIMIT, "the size of its input overflows");
        }
        dims[g] = (int32_t)size;
        open += size < 0;
    }
    if (plain) return x;
    if (open <= 1) return lc_tf_reshape(c, x, dims, (int32_t)count);
    const int32_t shape = lc_tf_shape_tensor(c, x), group = lc_tf_vector(c, ids, s.rank),
                  in[3] = {shape, group, lc_tf_scalar(c, count, LC_INT32)};
    return lc_tf_reshape_like(c, x, lc_build_op(c->b, LC_OP_UNSORTED_SEGMENT_PROD, LC_TABLE_UnsortedSegmentProdOptions, NULL, in, 3));
}

typedef struct kinds {
    labels batch, rows, inner, columns;
} kinds;

static kinds sort(const operand *a, const operand *b, const labels *out) {
    kinds k = {0};
    for (uint32_t i = 0; i < out->n; i++) {
        const bool left = has(&a->of, out->at[i]), right = has(&b->of, out->at[i]);
        push(left && right ? &k.batch : left ? &k.rows : &k.columns, out->at[i]);
    }
    for (uint32_t i = 0; i < a->of.n; i++)
        if (!has(out, a->of.at[i])) push(&k.inner, a->of.at[i]);
    return k;
}

/* A MUL: each operand has a dimension for every label of `all`, 1 where it lacks it. */
static int32_t elementwise(lc_tf_call *c, operand *a, operand *b, const labels *all) {
    operand *both[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        operand *o = both[i];
        labels own = {.n = 0};
        for (uint32_t k = 0; k < all->n; k++)
            if (has(&o->of, all->at[k])) push(&own, all->at[k]);
        arrange(c, o, &own);
        uint32_t first = 0; /* leading ones need not be written */
        while (first < all->n && !has(&own, all->at[first])) first++;
        int32_t sizes[LC_MAX_RANK];
        uint32_t n = 0, at = 0;
        for (uint32_t k = first; k < all->n; k++, n++)
            sizes[n] = has(&own, all->at[k]) ? lc_tf_size(c, o->x, (int32_t)at++) : lc_tf_size_const(c, 1);
        if (n != own.n) o->x = lc_tf_reshape_sizes(c, o->x, sizes, n);
    }
    return lc_tf_binary(c, LC_OP_MUL, a->x, b->x);
}

/* The operand as a factor: batch, then two groups; *adjoint: they lie the other way round, which the product takes as it is. */
static int32_t factor(lc_tf_call *c, operand *o, const labels *batch, const labels *first, const labels *second, bool several,
                      bool *adjoint) {
    const labels straight = join(batch, first, second), turned = join(batch, second, first);
    *adjoint = !equal(&o->of, &straight) && equal(&o->of, &turned) && !(several && first->n > 1);
    if (!*adjoint) arrange(c, o, &straight);
    uint32_t groups[LC_MAX_RANK + 2], n = 0;
    for (uint32_t i = 0; i < batch->n; i++) groups[n++] = 1;
    if (several && first->n > 1)
        for (uint32_t i = 0; i < first->n; i++) groups[n++] = 1; /* rows stay as many dimensions as they are */
    else groups[n++] = *adjoint ? second->n : first->n;
    groups[n++] = *adjoint ? first->n : second->n;
    return grouped(c, o->x, groups, n);
}

/* The sizes of all these labels as a vector: a run of them that lie side by side in one operand is one piece. */
static int32_t sizes_of(lc_tf_call *c, const operand *a, const operand *b, const labels *all) {
    int32_t pieces[LC_MAX_RANK];
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->n;) {
        const int left = find(&a->of, all->at[i]), right = find(&b->of, all->at[i]);
        if (left >= 0 && right >= 0 && all->at[i] >= ELLIPSIS) { /* it may broadcast */
            const int32_t x = lc_tf_size(c, a->x, left);
            pieces[n++] = lc_tf_size_op(c, LC_OP_MAXIMUM, x, lc_tf_size(c, b->x, right));
            i++;
            continue;
        }
        const operand *o = left >= 0 ? a : b;
        const int from = left >= 0 ? left : right;
        int to = from;
        while (i < all->n && find(&o->of, all->at[i]) == to &&
               !(all->at[i] >= ELLIPSIS && has(&a->of, all->at[i]) && has(&b->of, all->at[i])))
            i++, to++;
        pieces[n++] = lc_tf_sizes(c, o->x, from, to);
    }
    return lc_tf_concat(c, pieces, n, 0);
}

/* Result [batch, rows, columns] of what the product gave. */
static int32_t multiply(lc_tf_call *c, operand *a, operand *b, const kinds *k) {
    const operand left = *a, right = *b; /* their sizes are asked for after they have been rearranged */
    const bool several = k->batch.n == 0;
    bool adj_x, adj_y;
    const int32_t x = factor(c, a, &k->batch, &k->rows, &k->inner, several, &adj_x);
    const int32_t y = factor(c, b, &k->batch, &k->inner, &k->columns, false, &adj_y);
    const int32_t z = lc_tf_product(c, x, y, adj_x, adj_y);
    if (z < 0 || ((several ? k->rows.n >= 1 : k->rows.n == 1) && k->columns.n == 1)) return z;
    const labels all = join(&k->batch, &k->rows, &k->columns);
    return lc_tf_reshape_like(c, z, sizes_of(c, &left, &right, &all));
}

static int32_t pair(lc_tf_call *c, operand *a, operand *b, const labels *out) {
    sum_own(c, a, &b->of, out);
    sum_own(c, b, &a->of, out);
    if (!lc_tf_ok(c)) return -1;
    kinds k = sort(a, b, out);
    const bool constant_left = lc_tf_is_const(c, a->x) && !lc_tf_is_const(c, b->x),
               constant_right = lc_tf_is_const(c, b->x) && !constant_left;
    const bool turned = k.rows.n && k.columns.n && find(out, k.columns.at[0]) < find(out, k.rows.at[0]);
    if ((constant_left || (turned && !constant_right)) && k.inner.n) {
        const operand t = *a;
        *a = *b;
        *b = t;
        k = sort(a, b, out);
    }
    operand made = {.of = *out};
    if (k.inner.n == 0) return elementwise(c, a, b, out);
    if (!k.rows.n && !k.columns.n) {
        const labels all = join(&k.batch, &k.inner, NULL);
        const int32_t z = elementwise(c, a, b, &all);
        int32_t axes[LC_MAX_RANK];
        for (uint32_t i = 0; i < k.inner.n; i++) axes[i] = (int32_t)(k.batch.n + i);
        return lc_build_reduce(c->b, LC_OP_SUM, z, axes, k.inner.n, false);
    }
    made.of = join(&k.batch, &k.rows, &k.columns);
    made.x = multiply(c, a, b, &k);
    if (made.x < 0) return -1;
    arrange(c, &made, out);
    return made.x;
}

int32_t lc_tf_contract(lc_tf_call *c, int32_t x, const uint8_t *x_labels, int32_t y, const uint8_t *y_labels, const uint8_t *out,
                       uint32_t out_count) {
    const lc_shape a = lc_tf_ranked(c, x), b = lc_tf_ranked(c, y);
    operand o[2] = {{.x = x}, {.x = y}};
    labels result = {.n = 0};
    bool fine = lc_tf_ok(c);
    for (int32_t i = 0; fine && i < a.rank; i++) fine = push(&o[0].of, x_labels[i]);
    for (int32_t i = 0; fine && i < b.rank; i++) fine = push(&o[1].of, y_labels[i]);
    for (uint32_t i = 0; fine && i < out_count; i++) fine = push(&result, out[i]);
    if (!fine && lc_tf_ok(c)) return lc_tf_fail(c, LC_UNSUPPORTED, "its result has more than %d dimensions", LC_MAX_RANK);
    return fine ? pair(c, &o[0], &o[1], &result) : -1;
}

/* ---- the operator ------------------------------------------------------------------------------------------------------------ */

/* Labels that make no sense; the operands are checked against their shapes. */
static bool check(lc_tf_call *c, const operand *o, uint32_t n, const labels *out) {
    for (uint32_t i = 0; i < out->n; i++) {
        bool there = false;
        for (uint32_t k = 0; k < n; k++) there = there || has(&o[k].of, out->at[i]);
        for (uint32_t k = i + 1; k < out->n; k++) there = there && out->at[i] != out->at[k];
        if (!there) {
            lc_tf_fail(c, LC_INVALID, "the result of its equation has a label twice, or one that no operand has");
            return false;
        }
    }
    return true;
}

/* What is left of operands 0 and k: the labels that the result or an operand behind them has. */
static bool kept(const operand *o, uint32_t k, uint32_t n, const labels *out, labels *left) {
    *left = (labels){0};
    for (uint32_t i = 0; i <= k; i += k)
        for (uint32_t j = 0; j < o[i].of.n; j++) {
            const uint8_t label = o[i].of.at[j];
            bool wanted = has(out, label);
            for (uint32_t later = k + 1; later < n; later++) wanted = wanted || has(&o[later].of, label);
            if (wanted && !has(left, label) && !push(left, label)) return false;
        }
    return true;
}

/* From left to right, two at a time. */
static int32_t contract(lc_tf_call *c, operand *o, uint32_t n, const labels *out) {
    for (uint32_t k = 1; k < n && lc_tf_ok(c); k++) {
        labels left;
        if (k + 1 == n) left = *out;
        else if (!kept(o, k, n, out, &left)) {
            lc_tf_missing(c, "its operands meet in more than %d dimensions", LC_MAX_RANK);
            return -1;
        }
        o[0].x = pair(c, &o[0], &o[k], &left);
        o[0].of = left;
    }
    return o[0].x;
}

void lc_tf_op_einsum(lc_tf_call *c) {
    const lc_str equation = lc_tf_attr_str(c, "equation", "");
    operand o[OPERANDS];
    labels out;
    lc_str side[OPERANDS + 1] = {{0}};
    uint32_t sides = 0;
    size_t start = 0;
    bool fine = true, arrow = false, ellipsis = false;
    for (size_t i = 0; i <= equation.size && fine; i++) {
        const bool end = i == equation.size, comma = !end && equation.data[i] == ',';
        const bool to = !end && equation.data[i] == '-' && i + 1 < equation.size && equation.data[i + 1] == '>';
        if (!end && !comma && !to) continue;
        fine = sides <= OPERANDS && !(arrow && !end);
        if (fine) side[sides++] = (lc_str){equation.data ? equation.data + start : "", i - start};
        arrow = arrow || to;
        start = i + (to ? 2 : 1);
        i += to;
    }
    const uint32_t n = sides ? sides - 1 : 0;
    if (!lc_tf_ok(c)) return;
    if (!fine || !arrow || n < 1 || n != c->in_count) {
        if (c->in_count > OPERANDS) lc_tf_missing(c, "it has %u operands, litec takes up to %d", c->in_count, OPERANDS);
        else
            lc_tf_fail(c, LC_INVALID, "its equation \"%.*s\" is not for %u operands", equation.size > 60 ? 60 : (int)equation.size,
                       equation.data ? equation.data : "", c->in_count);
        return;
    }
    const lc_dtype type = lc_tf_type(c, lc_tf_in(c, 0));
    int32_t extra = 0;
    for (uint32_t k = 0; k < n && fine; k++) {
        int32_t letters;
        o[k].x = lc_tf_widen(c, lc_tf_in(c, k), LC_TF_ARITHMETIC);
        if (o[k].x < 0) return;
        const lc_shape s = lc_tf_ranked(c, o[k].x);
        if (!lc_tf_ok(c)) return;
        fine = letters_of(side[k], &letters, &ellipsis) && (ellipsis ? s.rank >= letters : s.rank == letters) &&
               parse(side[k], s.rank - letters, &o[k].of);
        if (ellipsis && s.rank - letters > extra) extra = s.rank - letters;
    }
    /* an ellipsis of the result stands for the longest of the operands' */
    if (!fine || !parse(side[n], extra, &out)) {
        lc_tf_fail(c, LC_INVALID, "its equation \"%.*s\" does not fit the dimensions of its operands",
                   equation.size > 60 ? 60 : (int)equation.size, equation.data);
        return;
    }
    if (!check(c, o, n, &out)) return;
    for (uint32_t k = 0; k < n; k++) diagonals(c, &o[k]);
    int32_t y;
    if (n == 1) {
        sum_own(c, &o[0], NULL, &out);
        arrange(c, &o[0], &out);
        y = o[0].x;
    } else {
        y = contract(c, o, n, &out);
    }
    if (y >= 0) lc_tf_give(c, 0, lc_tf_narrow(c, y, type));
}
