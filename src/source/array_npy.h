/*
 * array_npy.h: the elements of .npy and IDX files: what their headers say, and reading elements by it, all of them or some samples.
 * Shared by array_npy.c (the format, numbers), array_text.c (text), array_idx.c and data_array.c.
 */
#ifndef LC_SOURCE_ARRAY_NPY_H
#define LC_SOURCE_ARRAY_NPY_H

#include "source/array.h"

/* What a header says; of an IDX file too, whose elements are always swapped. */
typedef struct lc_npy {
    lc_dtype type;
    uint32_t item; /* bytes of one element in the file */
    bool swap, fortran;
    bool wide; /* text of 4 bytes a character */
    int32_t rank;
    int32_t dims[LC_MAX_RANK];
} lc_npy;

/* Goes through the elements in row-major order; the file has the first dimension fastest when fortran. */
typedef struct lc_npy_walk {
    const lc_npy *npy;
    size_t i;
    int32_t index[LC_MAX_RANK];
} lc_npy_walk;
/* The place in the file of the next element. */
size_t lc_npy_next(lc_npy_walk *walk);

/* The header of a .npy file, from its first byte on; the cursor stands on the elements after it. */
lc_status lc_npy_read_header(lc_cursor *c, lc_npy *h, lc_error *err);
/* The same of an IDX file. */
lc_status lc_idx_read_header(lc_cursor *c, lc_npy *h, lc_error *err);
/* Bytes of the elements; LC_INVALID when their number overflows. */
lc_status lc_npy_size(const lc_npy *h, uint64_t *size, lc_error *err);
/* The elements from where the cursor is. */
lc_status lc_npy_read(const lc_npy *h, lc_cursor *c, lc_budget *budget, lc_array *array, lc_error *err);

/* That the file has `size` more bytes. */
lc_status lc_npy_has(const lc_cursor *c, uint64_t size, lc_error *err);
/* The elements of a STRING array, from where the cursor is. */
lc_status lc_npy_read_text(const lc_npy *h, lc_cursor *c, lc_budget *budget, lc_array *array, lc_error *err);
/* Bytes of an element when a STRING array is written, and the elements. */
lc_status lc_npy_text_width(const lc_array *array, uint32_t *width, lc_error *err);
lc_status lc_npy_write_text(const lc_array *array, uint32_t width, lc_file *file, lc_error *err);

#endif
