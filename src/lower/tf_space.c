/*
 * tf_space.c: blocks of space moved to the batch or to the channels.
 *
 * SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND run on [n, h, w, c] with blocks in both, or [n, h, c]. TensorFlow's operators take any number of
 * blocked dimensions. Since the last blocked dimension is the innermost part of the new batch, they are done two at a time from the
 * last on, everything before them being batch and everything behind them channels:
 *
 *     [n, d, h, w, c]   view [n d, h, w, c]     by (bh, bw)  ->  batch bh bw n d
 *                       view [bh bw n, d, h' w', c]   by bd  ->  batch bd bh bw n
 *
 * and undone from the first on.
 */
#include "lower/tf_nn.h"

#include <string.h>

#define MOVED (LC_TF_T(FLOAT32) | LC_TF_T(UINT8) | LC_TF_T(INT8) | LC_TF_T(INT32) | LC_TF_T(INT64))

static int32_t builtin(lc_tf_call *c, bool to_batch, int32_t x, int32_t block, int32_t margins) {
    const int32_t in[3] = {x, block, margins};
    if (to_batch) return lc_build_op(c->b, LC_OP_SPACE_TO_BATCH_ND, LC_TABLE_SpaceToBatchNDOptions, NULL, in, 3);
    return lc_build_op(c->b, LC_OP_BATCH_TO_SPACE_ND, LC_TABLE_BatchToSpaceNDOptions, NULL, in, 3);
}

/* Dimensions `at` and, when two, at + 1 of x (1 is the first after the batch). sizes[]: of x, kept up to date. */
static int32_t step(lc_tf_call *c, bool to_batch, int32_t x, int32_t *sizes, uint32_t rank, uint32_t at, uint32_t count,
                    const int64_t *block, const int64_t *margins) {
    int32_t view[4], n = 0, b[2] = {1, 1}, m[4] = {0}, blocks = 1;
    for (uint32_t i = 0; i < count; i++) {
        b[i] = (int32_t)block[at - 1 + i];
        m[2 * i] = (int32_t)margins[2 * (at - 1 + i)];
        m[2 * i + 1] = (int32_t)margins[2 * (at - 1 + i) + 1];
        if (!lc_mul_i32(blocks, b[i], &blocks)) return lc_tf_fail(c, LC_LIMIT, "its block_shape overflows");
    }
    int32_t before = sizes[0], behind = -1;
    for (uint32_t i = 1; i < at; i++) before = lc_tf_size_op(c, LC_OP_MUL, before, sizes[i]);
    for (uint32_t i = at + count; i < rank; i++) behind = behind < 0 ? sizes[i] : lc_tf_size_op(c, LC_OP_MUL, behind, sizes[i]);
    view[n++] = before;
    for (uint32_t i = 0; i < count; i++) view[n++] = sizes[at + i];
    view[n++] = behind < 0 ? lc_tf_size_const(c, 1) : behind;
    x = lc_tf_reshape_sizes(c, x, view, (uint32_t)n);
    const int32_t by = lc_build_ints(c->b, "block_shape", b, count),
                  around = lc_build_int_matrix(c->b, to_batch ? "paddings" : "crops", m, (int32_t)count, 2);
    x = builtin(c, to_batch, x, by, around);
    /* the batch is blocks times as large, or as small; before was n times others */
    sizes[0] = lc_tf_size_op(c, to_batch ? LC_OP_MUL : LC_OP_DIV, sizes[0], lc_tf_size_const(c, blocks));
    for (uint32_t i = 0; i < count; i++) sizes[at + i] = lc_tf_size(c, x, (int32_t)i + 1);
    return lc_tf_reshape_sizes(c, x, sizes, rank);
}

static void move(lc_tf_call *c, bool to_batch, int32_t block, int32_t margins) {
    const int32_t input = lc_tf_in(c, 0);
    const lc_dtype type = lc_tf_type(c, input);
    const lc_shape s = lc_tf_ranked(c, input), m = lc_tf_rank_of(c, block, 1);
    if (!lc_tf_ok(c)) return;
    if (m.dims[0] < 1 || m.dims[0] >= s.rank) {
        lc_tf_fail(c, LC_INVALID, "its block_shape has %d numbers, its input %d dimensions", m.dims[0], s.rank);
        return;
    }
    int32_t x = lc_tf_movable(c, input, MOVED);
    if (x < 0) return;
    const uint32_t count = (uint32_t)m.dims[0], rank = (uint32_t)s.rank;
    if ((rank == 3 || rank == 4) && count == rank - 2) {
        block = lc_tf_int32(c, block);
        x = builtin(c, to_batch, x, block, lc_tf_int32(c, margins));
        lc_tf_give(c, 0, lc_tf_moved(c, x, type));
        return;
    }
    int64_t by[LC_MAX_RANK], around[2 * LC_MAX_RANK];
    const uint32_t n = lc_tf_need_ints(c, block, "block_shape", by, LC_MAX_RANK);
    const uint32_t k = lc_tf_need_ints(c, margins, to_batch ? "paddings" : "crops", around, 2 * LC_MAX_RANK);
    if (!lc_tf_ok(c)) return;
    bool fine = n == count && k == 2 * count;
    for (uint32_t i = 0; fine && i < n; i++) fine = by[i] >= 1 && by[i] <= INT32_MAX;
    for (uint32_t i = 0; fine && i < k; i++) fine = around[i] >= 0 && around[i] <= INT32_MAX;
    if (!fine) {
        lc_tf_fail(c, LC_INVALID, "its block_shape and %s do not fit its input", to_batch ? "paddings" : "crops");
        return;
    }
    int32_t sizes[LC_MAX_RANK];
    for (uint32_t i = 0; i < rank; i++) sizes[i] = lc_tf_size(c, x, (int32_t)i);
    const uint32_t odd = count % 2; /* the first alone, then pairs */
    if (to_batch) {
        for (uint32_t i = count; i >= 2; i -= 2) x = step(c, true, x, sizes, rank, i - 1, 2, by, around);
        if (odd) x = step(c, true, x, sizes, rank, 1, 1, by, around);
    } else {
        if (odd) x = step(c, false, x, sizes, rank, 1, 1, by, around);
        for (uint32_t i = odd; i < count; i += 2) x = step(c, false, x, sizes, rank, i + 1, 2, by, around);
    }
    lc_tf_give(c, 0, lc_tf_moved(c, x, type));
}

void lc_tf_op_space_to_batch_nd(lc_tf_call *c) {
    const int32_t block = lc_tf_in(c, 1);
    move(c, true, block, lc_tf_in(c, 2));
}
void lc_tf_op_batch_to_space_nd(lc_tf_call *c) {
    const int32_t block = lc_tf_in(c, 1);
    move(c, false, block, lc_tf_in(c, 2));
}

/* The forms with one block_size for height and width. */
static void square(lc_tf_call *c, bool to_batch) {
    const int64_t size = lc_tf_attr_int(c, "block_size", 0);
    if (!lc_tf_ok(c)) return;
    if (size < 1 || size > INT32_MAX) {
        lc_tf_fail(c, LC_INVALID, "its block_size is %lld", (long long)size);
        return;
    }
    lc_tf_rank_of(c, lc_tf_in(c, 0), 4);
    const int32_t block[2] = {(int32_t)size, (int32_t)size}, by = lc_tf_vector(c, block, 2);
    move(c, to_batch, by, lc_tf_in(c, 1));
}

void lc_tf_op_space_to_batch(lc_tf_call *c) { square(c, true); }
void lc_tf_op_batch_to_space(lc_tf_call *c) { square(c, false); }

/* SpaceToDepth and DepthToSpace: the order within a block is y, x, channel in either layout. */
void lc_tf_op_space_depth(lc_tf_call *c) {
    bool known;
    const int64_t size = lc_tf_attr_int(c, "block_size", 0);
    const bool first = lc_tf_channels_first(c, &known), to_depth = c->row->op == LC_OP_SPACE_TO_DEPTH;
    if (!known || !lc_tf_ok(c)) return;
    if (size < 1 || size > 32768) {
        lc_tf_fail(c, LC_INVALID, "its block_size is %lld", (long long)size);
        return;
    }
    const int32_t input = lc_tf_in(c, 0);
    lc_tf_rank_of(c, input, 4);
    int32_t x = lc_tf_movable(c, input, MOVED);
    if (x < 0) return;
    x = lc_tf_to_last(c, x, first);
    const lc_SpaceToDepthOptions to = {.block_size = (int32_t)size};
    const lc_DepthToSpaceOptions from = {.block_size = (int32_t)size};
    x = to_depth ? lc_build_op(c->b, LC_OP_SPACE_TO_DEPTH, LC_TABLE_SpaceToDepthOptions, &to, &x, 1)
                 : lc_build_op(c->b, LC_OP_DEPTH_TO_SPACE, LC_TABLE_DepthToSpaceOptions, &from, &x, 1);
    lc_tf_give(c, 0, lc_tf_moved(c, lc_tf_to_first(c, x, first), lc_tf_type(c, input)));
}
