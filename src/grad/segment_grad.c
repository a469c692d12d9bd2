/*
 * segment_grad.c: rows that were folded: each gets the gradient of the row it went into; of a largest or smallest one, those that were it, in
 * equal parts.
 */
#include "grad/grad.h"

/* Of each row what its segment has in t; zeros for a row that was dropped (a negative id). */
static int32_t of_segment(lc_grad *g, int32_t t, bool may_drop) {
    const lc_GatherOptions o = {.axis = 0};
    int32_t ids = g->in[1];
    if (may_drop) ids = lc_grad_binary(g, LC_OP_MAXIMUM, ids, lc_build_ints(g->b, "zero", (const int32_t[]){0}, 1));
    const int32_t rows = lc_build_op(g->b, LC_OP_GATHER, LC_TABLE_GatherOptions, &o, (const int32_t[]){t, ids}, 2);
    if (!may_drop) return rows;
    lc_shape x, s;
    if (!lc_build_shape(g->b, g->in[0], &x) || !lc_build_shape(g->b, g->in[1], &s)) return -1;
    for (int32_t i = s.rank; i < x.rank; i++) s.dims[i] = 1;
    const int32_t in[2] = {g->in[1], lc_build_ints(g->b, "zero", (const int32_t[]){0}, 1)};
    const int32_t kept = lc_build_reshape(g->b, lc_build_op(g->b, LC_OP_GREATER_EQUAL, LC_TABLE_NONE, NULL, in, 2), s.dims, x.rank);
    return lc_build_select(g->b, kept, rows, lc_build_scalar(g->b, "zero", 0));
}

void lc_grad_SEGMENT_SUM(lc_grad *g) { g->d_in[0] = of_segment(g, g->d_out[0], false); }
void lc_grad_UNSORTED_SEGMENT_SUM(lc_grad *g) { g->d_in[0] = of_segment(g, g->d_out[0], true); }

static void extreme(lc_grad *g) {
    const int32_t equal[2] = {g->in[0], of_segment(g, g->out[0], true)};
    const int32_t mask = lc_build_cast(g->b, lc_build_op(g->b, LC_OP_EQUAL, LC_TABLE_NONE, NULL, equal, 2), LC_FLOAT32);
    const int32_t count[3] = {mask, g->in[1], g->in[2]};
    const int32_t many = lc_build_op(g->b, LC_OP_UNSORTED_SEGMENT_SUM, LC_TABLE_UnsortedSegmentSumOptions, NULL, count, 3);
    const int32_t share = lc_grad_binary(g, LC_OP_DIV, g->d_out[0], lc_build_with_scalar(g->b, LC_OP_MAXIMUM, many, "one", 1));
    g->d_in[0] = lc_grad_binary(g, LC_OP_MUL, mask, of_segment(g, share, true));
}
void lc_grad_UNSORTED_SEGMENT_MAX(lc_grad *g) { extreme(g); }
void lc_grad_UNSORTED_SEGMENT_MIN(lc_grad *g) { extreme(g); }
