/*
 * variants.h: kernels that the `choose` of <family>_ref.c leads to and another file of the family defines: integer arithmetic
 * (<family>_quant.c), float results from integer tables (<family>_hybrid.c).
 */
#ifndef LC_KERNELS_VARIANTS_H
#define LC_KERNELS_VARIANTS_H

#include "kernels/quant.h"

extern const lc_kernel lc_pool_quant_average, lc_pool_quant_max;
extern const lc_kernel lc_reduce_quant_mean, lc_reduce_quant_sum, lc_reduce_quant_prod;
extern const lc_kernel lc_resize_quant_bilinear;
extern const lc_kernel lc_concat_quant;
extern const lc_kernel lc_gather_hybrid_lookup;

/* Int8, uint8 or int16: what LiteRT's 8-bit and 16x8 kernels calculate with. */
static inline bool lc_is_quant_type(lc_dtype t) { return t == LC_INT8 || t == LC_UINT8 || t == LC_INT16; }

#endif
