/*
 * strings.h: the bytes of a STRING tensor, as TFLite lays them out: int32 n, int32 offsets[n + 1] from the start of the buffer, the
 * characters. A buffer may come from a file or a caller, so it is checked once when it is opened; strings may hold any bytes, zero too.
 */
#ifndef LC_IR_STRINGS_H
#define LC_IR_STRINGS_H

#include "base/base.h"

typedef struct lc_strings {
    const uint8_t *data;
    size_t count; /* as many as the tensor's shape has elements */
} lc_strings;

/* Checks a buffer of `size` bytes that shall hold `elements` strings; NULL when it is right, else what is wrong. */
const char *lc_strings_check(const void *buffer, size_t size, uint64_t elements);
/* The same for string i alone, which it gives: whoever wants one of many need not pay for the others. False when it is not there. */
bool lc_strings_find(const void *buffer, size_t size, uint64_t elements, uint64_t i, lc_str *string);
/* String i of a checked buffer (borrowed; no NUL behind it). i < count. */
lc_str lc_strings_at(const lc_strings *strings, size_t i);
/* Bytes of the buffer of `count` strings, false when offsets could not reach them; and the buffer. */
bool lc_strings_size(const lc_str *strings, size_t count, size_t *bytes);
void lc_strings_write(const lc_str *strings, size_t count, void *buffer);

#endif
