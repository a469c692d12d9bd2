/*
 * category.h: what the layers share that turn categories into vectors: CategoryEncoding, Discretization, the lookups. (lower_category.c)
 */
#ifndef LC_LOWER_CATEGORY_H
#define LC_LOWER_CATEGORY_H

#include "lower/eager.h"

typedef enum lc_category_mode {
    LC_CATEGORY_INT,
    LC_CATEGORY_ONE_HOT,
    LC_CATEGORY_MULTI_HOT,
    LC_CATEGORY_COUNT,
    LC_CATEGORY_TF_IDF
} lc_category_mode;

/* Option "output_mode", with the names that it had once. */
lc_category_mode lc_category_output(lc_call *c, lc_category_mode otherwise);
/* The type a layer's config names (floats are float32 here); `otherwise` without one. */
lc_dtype lc_category_type(lc_call *c, lc_dtype otherwise);
/* Indices as the mode says, of `depth` categories and in this type; those outside [0, depth) count nowhere. weights: of each index for
 * LC_CATEGORY_COUNT, float32; -1: all 1. */
int32_t lc_category_encode(lc_call *c, lc_category_mode mode, int32_t indices, int32_t depth, int32_t weights, lc_dtype type);

#endif
