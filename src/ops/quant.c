/*
 * quant.c: questions to quant.def.
 */
#include "ops/op.h"

static const lc_op_quant_def rules[LC_OP_COUNT] = {
#define LC_QUANT(OP, scales, int16, weights, axis, bias) \
    [LC_OP_##OP] = {LC_QUANT_##scales, QUANT_##int16, QUANT_INPUT_##weights, QUANT_INPUT_##axis, QUANT_INPUT_##bias},
#define QUANT_yes true
#define QUANT_no false
#define QUANT_INPUT_NONE -1
#define QUANT_INPUT_0 0
#define QUANT_INPUT_1 1
#define QUANT_INPUT_2 2
#define QUANT_INPUT_3 3
#include "ops/quant.def"
};

const lc_op_quant_def *lc_op_quant(int32_t op) {
    return op >= 0 && op < LC_OP_COUNT && rules[op].scales != LC_QUANT_FLOAT ? &rules[op] : NULL;
}

bool lc_op_fixed_scale(int32_t op, lc_dtype type, float *scale, int32_t *zero) {
    static const struct {
        int32_t op;
        float scale;
        int32_t zero;
        float wide; /* of int16, whose zero point is 0; 0: there is no such form */
    } fixed[] = {{LC_OP_LOGISTIC, 1.0f / 256, -128, 1.0f / 32768},
                 {LC_OP_SOFTMAX, 1.0f / 256, -128, 1.0f / 32768},
                 {LC_OP_TANH, 1.0f / 128, 0, 1.0f / 32768},
                 {LC_OP_L2_NORMALIZATION, 1.0f / 128, 0, 0},
                 {LC_OP_LOG_SOFTMAX, 16.0f / 256, 127, 0}};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        if (fixed[i].op != op) continue;
        *scale = type == LC_INT16 ? fixed[i].wide : fixed[i].scale;
        *zero = type == LC_INT16 ? 0 : fixed[i].zero;
        return *scale > 0;
    }
    return false;
}

float lc_op_least_scale(int32_t op) {
    switch (op) {
    /* they round values to parts of 256 and compare these */
    case LC_OP_EQUAL:
    case LC_OP_NOT_EQUAL:
    case LC_OP_LESS:
    case LC_OP_LESS_EQUAL:
    case LC_OP_GREATER:
    case LC_OP_GREATER_EQUAL: return 1.0f / 1024;
    /* they abort where the scale times 2^26 is not above 1; all classes are alike long before */
    case LC_OP_SOFTMAX:
    case LC_OP_LOG_SOFTMAX: return 1.0f / (1 << 20);
    default: return 0;
    }
}
