/*
 * kernel_table.c: which kernels there are, by builtin code, made from ops.def.
 */
#include "kernels/kernel_list.h"

#define REF_yes(ID) &lc_kernel_##ID
#define REF_no(ID) NULL
#define FAST_yes(ID) &lc_fast_##ID
#define FAST_no(ID) NULL

static const struct {
    const lc_kernel *ref, *fast;
} table[LC_OP_COUNT] = {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast_, flags) \
    [code] = {REF_##kernel(ID), FAST_##fast_(ID)},
#include "ops/ops.def"
};

const lc_kernel *lc_kernel_ref(int32_t op) {
    return op >= 0 && op < LC_OP_COUNT ? table[op].ref : NULL;
}

const lc_kernel *lc_kernel_fast(int32_t op) {
    return op >= 0 && op < LC_OP_COUNT ? table[op].fast : NULL;
}
