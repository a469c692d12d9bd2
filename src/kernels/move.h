/*
 * move.h: operators that move elements and never look at them take any type. Their kernel knows elements of whole bytes; here are the
 * others: integers of 4 or 2 bits are moved as bytes, strings as their numbers.
 *
 *   LC_MOVER(SLICE, slice, LC_MOVES(0))   makes lc_kernel_SLICE from the kernel `slice`, which moves elements of input 0
 */
#ifndef LC_KERNELS_MOVE_H
#define LC_KERNELS_MOVE_H

#include "kernels/ref.h"

#define LC_MOVES(i) (1u << (i)) /* input i is moved; of more than 32 inputs all are, or those behind are not */
#define LC_MOVES_ALL UINT32_MAX

/* The elements that `inputs` move are of 4 or 2 bits, or strings. */
bool lc_move_is_odd(const lc_kernel_ctx *ctx, uint32_t inputs);
lc_status lc_move_prepare(lc_kernel_ctx *ctx, const lc_kernel *plain, uint32_t inputs);
lc_status lc_move_run(lc_kernel_ctx *ctx, uint32_t inputs);

#define LC_MOVER(ID, plain, inputs) \
    static lc_status ID##_prepare_odd(lc_kernel_ctx *ctx) { return lc_move_prepare(ctx, &plain, inputs); } \
    static lc_status ID##_run_odd(lc_kernel_ctx *ctx) { return lc_move_run(ctx, inputs); } \
    static const lc_kernel ID##_odd = {.prepare = ID##_prepare_odd, .run = ID##_run_odd}; \
    static const lc_kernel *ID##_choose(const lc_kernel_ctx *ctx) { return lc_move_is_odd(ctx, inputs) ? &ID##_odd : &plain; } \
    const lc_kernel lc_kernel_##ID = {.choose = ID##_choose};

#endif
