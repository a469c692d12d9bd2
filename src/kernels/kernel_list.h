/*
 * kernel_list.h: declares every kernel object ops.def promises: lc_kernel_<ID> where the kernel column says yes, lc_fast_<ID>
 * where the fast column does. A promise nobody keeps is a link error.
 */
#ifndef LC_KERNEL_LIST_H
#define LC_KERNEL_LIST_H

#include "kernels/kernel.h"

#define LC_KERNEL_DECLARE_REF_yes(ID) extern const lc_kernel lc_kernel_##ID;
#define LC_KERNEL_DECLARE_REF_no(ID)
#define LC_KERNEL_DECLARE_REF_graph(ID)
#define LC_KERNEL_DECLARE_FAST_yes(ID) extern const lc_kernel lc_fast_##ID;
#define LC_KERNEL_DECLARE_FAST_no(ID)
#define LC_OP(ID, code, family, options, version, in_min, in_max, out_min, out_max, absent, infer, kernel, fast, flags) \
    LC_KERNEL_DECLARE_REF_##kernel(ID) LC_KERNEL_DECLARE_FAST_##fast(ID)
#include "ops/ops.def"
#define LC_CUSTOM(ID, code, family, in_min, in_max, out_min, out_max, absent) extern const lc_kernel lc_kernel_custom_##ID;
#include "ops/custom.def"

#endif
