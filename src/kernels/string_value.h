/*
 * string_value.h: the data of a STRING tensor, as TFLite lays it out: int32 n, int32 offsets[n + 1] from the start of the buffer, the
 * bytes. A buffer may come from a file or a caller, so it is checked once when it is opened; strings may hold any bytes.
 */
#ifndef LC_KERNELS_STRING_VALUE_H
#define LC_KERNELS_STRING_VALUE_H

#include "kernels/kernel.h"

typedef struct lc_strings {
    const uint8_t *data;
    size_t count; /* as many as the tensor's shape has elements */
} lc_strings;

/* Checks the buffer of a STRING value: counts, offsets, and that it has as many strings as its shape has elements. */
lc_status lc_strings_open(lc_kernel_ctx *ctx, const lc_value *v, const char *what, lc_strings *strings);
/* String i (borrowed; no NUL behind it). i < count. */
lc_str lc_strings_at(const lc_strings *strings, size_t i);
/* Gives STRING output `out` this shape and these strings (as many as the shape has elements). They may come from any value but `out`. */
lc_status lc_strings_put(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, const lc_str *strings, size_t count);
/* Bytes of the buffer of `count` strings, false on overflow; and the buffer. */
bool lc_strings_size(const lc_str *strings, size_t count, size_t *bytes);
void lc_strings_write(const lc_str *strings, size_t count, void *buffer);
/* Checks a buffer of `size` bytes that shall hold `elements` strings; NULL when it is right, else what is wrong. */
const char *lc_strings_check(const void *buffer, size_t size, uint64_t elements);

#endif
