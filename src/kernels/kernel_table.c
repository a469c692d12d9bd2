/*
 * kernel_table.c: which kernels there are, by builtin code, made from ops.def.
 */
#include "kernels/kernel_list.h"
#include "kernels/simd.h"
#include "ops/select.h"

#define REF_yes(ID) &lc_kernel_##ID
#define REF_no(ID) NULL
#define REF_graph(ID) NULL /* runtime/control.c runs it */
#if LC_SIMD_ANY
#define FAST_yes(ID) &lc_fast_##ID
#else
#define FAST_yes(ID) NULL
#endif
#define FAST_no(ID) NULL

/* Comparisons, not a table: of the operators a build leaves out (ops/select.h) nothing remains. The compiler makes a switch of them. */
const lc_kernel *lc_kernel_ref(int32_t op) {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    if (LC_HAS(ID) && op == code) return REF_##kernel(ID);
#include "ops/ops.def"
    return NULL;
}

const lc_kernel *lc_kernel_fast(int32_t op) {
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    if (LC_HAS(ID) && op == code) return FAST_##fast(ID);
#include "ops/ops.def"
    return NULL;
}

static const struct {
    const char *code;
    const lc_kernel *kernel;
} custom[] = {
#define LC_CUSTOM(ID, code_, family, in_min, in_max, out_min, out_max, absent) {#code_, LC_WITH(CUSTOM_##code_, &lc_kernel_custom_##ID)},
#include "ops/custom.def"
    {NULL, NULL}};

const lc_kernel *lc_kernel_of(const lc_node *node) {
    if (node->own) return node->own->kernel;
    if (node->op == LC_OP_CUSTOM)
        for (size_t i = 0; custom[i].code; i++)
            if (lc_str_is(node->custom_code, custom[i].code)) return custom[i].kernel;
    return lc_kernel_ref(node->op);
}
