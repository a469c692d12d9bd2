/*
 * string_value.h: STRING values in kernels: opened once, with every check (ir/strings.h says what their bytes are), and put out.
 */
#ifndef LC_KERNELS_STRING_VALUE_H
#define LC_KERNELS_STRING_VALUE_H

#include "ir/strings.h"
#include "kernels/kernel.h"

/* Checks the buffer of a STRING value: counts, offsets, and that it has as many strings as its shape has elements. */
lc_status lc_strings_open(lc_kernel_ctx *ctx, const lc_value *v, const char *what, lc_strings *strings);
/* Gives STRING output `out` this shape and these strings (as many as the shape has elements). They may come from any value but `out`. */
lc_status lc_strings_put(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, const lc_str *strings, size_t count);

#endif
