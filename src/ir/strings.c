/*
 * strings.c: see strings.h. Offsets are those of LiteRT's string_util: they rise, start behind the table and end at or before the
 * buffer's end. They are int32, so no buffer has 2 GiB.
 */
#include "ir/strings.h"

#include <string.h>

static uint32_t word(const void *buffer, size_t i) {
    uint32_t v;
    memcpy(&v, (const uint8_t *)buffer + i * sizeof v, sizeof v);
    return v;
}

/* Where the characters begin, 0 when the buffer has no table of `elements` strings; *wrong says why. */
static uint64_t table_end(const void *buffer, size_t size, uint64_t elements, const char **wrong) {
    *wrong = "is too short to hold a count";
    if (size < 4) return 0;
    const uint64_t n = word(buffer, 0), table = (n + 2) * 4; /* n < 2^32: no overflow in 64 bits */
    *wrong = "has no room for the offsets of its strings";
    if (n > INT32_MAX || table > size) return 0;
    *wrong = n == elements ? NULL : "does not hold as many strings as its shape says";
    return *wrong ? 0 : table;
}

const char *lc_strings_check(const void *buffer, size_t size, uint64_t elements) {
    const char *wrong;
    uint64_t last = table_end(buffer, size, elements, &wrong);
    for (uint64_t i = 1; !wrong && i <= elements + 1; i++) {
        const uint64_t at = word(buffer, (size_t)i);
        if (at < last || at > size) wrong = "has a string outside the buffer";
        last = at;
    }
    return wrong;
}

bool lc_strings_find(const void *buffer, size_t size, uint64_t elements, uint64_t i, lc_str *string) {
    const char *wrong;
    const uint64_t table = table_end(buffer, size, elements, &wrong);
    if (wrong || i >= elements) return false;
    const uint64_t from = word(buffer, (size_t)i + 1), to = word(buffer, (size_t)i + 2);
    if (from < table || to < from || to > size) return false;
    *string = (lc_str){(const char *)buffer + from, (size_t)(to - from)};
    return true;
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
