/*
 * dtype.c: names and sizes of the tensor types, from the one list in runtime.h. A number that is no type (a file may
 * hold any) is "?" with 0 bits.
 */
#include "litec/runtime.h"

static const struct {
    const char *name;
    uint32_t bits;
} dtypes[LC_DTYPE_COUNT] = {
#define LC_DTYPE_ROW(name, value, bits, text) [value] = {text, bits},
    LC_DTYPE_LIST(LC_DTYPE_ROW)
#undef LC_DTYPE_ROW
};

/* Through unsigned: the enum may hold a negative number that was read from a file. */
static bool known(lc_dtype type) { return (unsigned)type < LC_DTYPE_COUNT && dtypes[type].name; }

const char *lc_dtype_name(lc_dtype type) { return known(type) ? dtypes[type].name : "?"; }

uint32_t lc_dtype_bits(lc_dtype type) { return known(type) ? dtypes[type].bits : 0; }
