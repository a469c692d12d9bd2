/*
 * unary_op.c: one number in, one number out. Type and shape stay.
 */
#include "ops/infer.h"

#define SAME(ID) \
    lc_status lc_infer_##ID(lc_infer_ctx *ctx) { return lc_infer_same(ctx); }
SAME(ABS)
SAME(NEG)
SAME(SQUARE)
SAME(SQRT)
SAME(RSQRT)
SAME(EXP)
SAME(LOG)
SAME(SIN)
SAME(COS)
SAME(FLOOR)
SAME(CEIL)
SAME(ROUND)
SAME(SIGN)
