/*
 * quant.c: questions to quant.def.
 */
#include "ops/op.h"

static const bool integer[LC_OP_COUNT] = {
#define LC_QUANT(OP, scales, int16) [LC_OP_##OP] = true,
#include "ops/quant.def"
};

bool lc_op_quantizes(int32_t op) { return op >= 0 && op < LC_OP_COUNT && integer[op]; }
