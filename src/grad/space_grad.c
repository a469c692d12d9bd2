/*
 * space_grad.c: pixels moved between dimensions, moved back: the gradient of each is the opposite operator.
 */
#include "grad/grad.h"

void lc_grad_SPACE_TO_DEPTH(lc_grad *g) {
    const lc_DepthToSpaceOptions o = {.block_size = LC_OP_ATTRS(g->node, SpaceToDepthOptions)->block_size};
    g->d_in[0] = lc_build_op(g->b, LC_OP_DEPTH_TO_SPACE, LC_TABLE_DepthToSpaceOptions, &o, g->d_out, 1);
}

void lc_grad_DEPTH_TO_SPACE(lc_grad *g) {
    const lc_SpaceToDepthOptions o = {.block_size = LC_OP_ATTRS(g->node, DepthToSpaceOptions)->block_size};
    g->d_in[0] = lc_build_op(g->b, LC_OP_SPACE_TO_DEPTH, LC_TABLE_SpaceToDepthOptions, &o, g->d_out, 1);
}

/* The paddings of one are the crops of the other. */
void lc_grad_SPACE_TO_BATCH_ND(lc_grad *g) {
    const int32_t in[3] = {g->d_out[0], g->in[1], g->in[2]};
    g->d_in[0] = lc_build_op(g->b, LC_OP_BATCH_TO_SPACE_ND, LC_TABLE_BatchToSpaceNDOptions, NULL, in, 3);
}

void lc_grad_BATCH_TO_SPACE_ND(lc_grad *g) {
    const int32_t in[3] = {g->d_out[0], g->in[1], g->in[2]};
    g->d_in[0] = lc_build_op(g->b, LC_OP_SPACE_TO_BATCH_ND, LC_TABLE_SpaceToBatchNDOptions, NULL, in, 3);
}
