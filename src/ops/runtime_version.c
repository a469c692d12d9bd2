/*
 * runtime_version.c: which TensorFlow release first runs an operator of a given version (runtime_version.def).
 */
#include "ops/op.h"

static const uint32_t *const releases[LC_OP_COUNT] = {
#define LC_RUNTIME(OP, ...) [LC_OP_##OP] = (const uint32_t[]){__VA_ARGS__},
#include "ops/runtime_version.def"
};

static const uint8_t counts[LC_OP_COUNT] = {
#define LC_RUNTIME(OP, ...) [LC_OP_##OP] = sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t),
#include "ops/runtime_version.def"
};

uint32_t lc_op_runtime_version(int32_t op, int32_t version) {
    if (op < 0 || op >= LC_OP_COUNT || version < 1 || version > counts[op]) return 0;
    return releases[op][version - 1];
}
