/*
 * runtime_version.c: which TensorFlow release first runs an operator of a given version (runtime_version.def).
 */
#include "ops/op.h"

#include <inttypes.h>
#include <stdio.h>

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

const char *lc_op_release_text(uint32_t release, char text[16]) {
    const int n = snprintf(text, 16, "%" PRIu32 ".%" PRIu32, release / 10000 % 1000, release / 100 % 100);
    if (release % 100) snprintf(text + n, (size_t)(16 - n), ".%" PRIu32, release % 100);
    return text;
}
