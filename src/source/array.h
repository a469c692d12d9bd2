/*
 * array.h: data files to lc_array. One reader a file kind, found by content (array.c).
 */
#ifndef LC_SOURCE_ARRAY_H
#define LC_SOURCE_ARRAY_H

#include "base/base.h"
#include "litec/litec.h"

/* Elements of an array of this shape; LC_INVALID when there are more than 64 bits count, LC_UNSUPPORTED for too many dimensions. */
lc_status lc_array_elements(const int32_t *dims, int32_t rank, uint64_t *elements, lc_error *err);
/* A zeroed array of this type and shape; its bytes are charged to the budget first. */
lc_status lc_array_make(lc_array *array, lc_dtype type, const int32_t *dims, int32_t rank, lc_budget *budget, lc_error *err);

/* Each reads a whole file from memory; `array` is made new on success and untouched on failure. */
lc_status lc_array_read_npy(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
lc_status lc_array_read_idx(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
lc_status lc_array_read_png(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
lc_status lc_array_read_jpeg(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
/* Reads what a gzip file holds; nested gzip is refused. */
lc_status lc_array_read_gzip(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
/* Finds the kind of the bytes and reads them; gzip only when allow_gzip. */
lc_status lc_array_read(const void *data, size_t size, bool allow_gzip, lc_budget *budget, lc_array *array, lc_error *err);

#endif
