/*
 * string_value.c: see string_value.h. Offsets are those of LiteRT's string_util: they rise, start behind the table and end at or before the
 * buffer's end.
 */
#include "kernels/string_value.h"

#include <string.h>

static uint32_t word(const void *buffer, size_t i) {
    uint32_t v;
    memcpy(&v, (const uint8_t *)buffer + i * sizeof v, sizeof v);
    return v;
}

const char *lc_strings_check(const void *buffer, size_t size, uint64_t elements) {
    if (size < 4) return "is too short to hold a count";
    const uint64_t n = word(buffer, 0), table = (n + 2) * 4; /* n < 2^32: no overflow in 64 bits */
    if (n > INT32_MAX || table > size) return "has no room for the offsets of its strings";
    if (n != elements) return "does not hold as many strings as its shape says";
    uint64_t last = table;
    for (uint64_t i = 1; i <= n + 1; i++) {
        const uint64_t at = word(buffer, (size_t)i);
        if (at < last || at > size) return "has a string outside the buffer";
        last = at;
    }
    return NULL;
}

lc_status lc_strings_open(lc_kernel_ctx *ctx, const lc_value *v, const char *what, lc_strings *strings) {
    uint64_t n;
    *strings = (lc_strings){0};
    if (v->type != LC_STRING) return lc_fail(ctx->err, LC_INVALID, "%s is %s, needs string", what, lc_dtype_name(v->type));
    if (!lc_shape_elements(&v->shape, &n)) return lc_fail(ctx->err, LC_INVALID, "%s has an open shape", what);
    if (!v->data && n == 0) return LC_OK;
    const char *wrong = v->data ? lc_strings_check(v->data, v->size, n) : "was never set";
    if (wrong) return lc_fail(ctx->err, LC_INVALID, "%s: its string buffer %s", what, wrong);
    *strings = (lc_strings){v->data, (size_t)n};
    return LC_OK;
}

lc_str lc_strings_at(const lc_strings *s, size_t i) {
    const uint32_t from = word(s->data, i + 1), to = word(s->data, i + 2);
    return (lc_str){(const char *)s->data + from, to - from};
}

bool lc_strings_size(const lc_str *strings, size_t count, size_t *bytes) {
    if (count > INT32_MAX || !lc_add_size(count, 2, bytes) || !lc_mul_size(*bytes, 4, bytes)) return false;
    for (size_t i = 0; i < count; i++)
        if (!lc_add_size(*bytes, strings[i].size, bytes)) return false;
    return *bytes <= INT32_MAX;
}

void lc_strings_write(const lc_str *strings, size_t count, void *buffer) {
    uint8_t *to = buffer;
    uint32_t n = (uint32_t)count, at = (n + 2) * 4;
    memcpy(to, &n, 4);
    for (size_t i = 0; i < count; i++) {
        memcpy(to + (i + 1) * 4, &at, 4);
        if (strings[i].size) memcpy(to + at, strings[i].data, strings[i].size);
        at += (uint32_t)strings[i].size;
    }
    memcpy(to + (count + 1) * 4, &at, 4);
}

lc_status lc_strings_put(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, const lc_str *strings, size_t count) {
    size_t bytes;
    uint64_t n;
    if (!lc_shape_elements(shape, &n) || n != count) return lc_fail(ctx->err, LC_INVALID, "%zu strings for another shape", count);
    if (!lc_strings_size(strings, count, &bytes)) return lc_fail(ctx->err, LC_LIMIT, "the strings are larger than 2 GiB");
    LC_TRY(lc_kernel_resize(ctx, out, shape, bytes));
    lc_strings_write(strings, count, ctx->out[out]->data);
    return LC_OK;
}
