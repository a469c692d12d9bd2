/*
 * array_text.c: text in .npy files (numpy.dtypes 'S' and 'U') to STRING arrays, and back.
 *
 * NumPy gives each element the width of the longest and fills up with zeros: 'S<n>' has n bytes, 'U<n>' n characters of 4 bytes. Zeros at
 * the end are padding and go; those between stay. 'U' becomes UTF-8 and must hold characters; bytes of 'S' are taken as they are, as a
 * STRING tensor may hold any. Written are always 'S' elements: LiteRT hands strings out as bytes too, and text that is no UTF-8 is kept.
 * Padding can make much of little (one long string among many short ones), so what would be written has a limit.
 */
#include "source/array_npy.h"

#include "ir/strings.h"
#include "source/rules.h"

#include <string.h>

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* Characters of a 'U' element as UTF-8 into `out`, which has room for as many bytes as the element has. False: no character. */
static bool decode(const uint8_t *from, size_t characters, bool swap, char *out, lc_str *text) {
    lc_cursor c = lc_cursor_make(from, characters * 4); /* checked: the element lies in the file */
    size_t n = 0, end = 0;                              /* end: behind the last character that is no padding */
    for (size_t i = 0; i < characters; i++) {
        const uint32_t code = swap ? lc_read_u32_be(&c) : lc_read_u32(&c);
        if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
        n += lc_utf8_put(code, out + n);
        if (code) end = n;
    }
    *text = (lc_str){out, end};
    return true;
}

static lc_str without_padding(const uint8_t *from, size_t n) {
    while (n && from[n - 1] == 0) n--;
    return (lc_str){(const char *)from, n};
}

static lc_status find_all(const lc_npy *h, const uint8_t *items, lc_str *list, size_t count, char *decoded, lc_error *err) {
    lc_npy_walk walk = {.npy = h};
    for (size_t i = 0; i < count; i++) {
        const size_t at = lc_npy_next(&walk) * h->item;
        if (!decoded) {
            list[i] = without_padding(items + at, h->item);
            continue;
        }
        if (!decode(items + at, h->item / 4, h->swap, decoded, &list[i]))
            return LC_SOURCE_FAIL(err, LC_INVALID, NPY_TEXT, LC_NO_OFFSET, "element %zu of the .npy file holds what is no character", i);
        decoded += list[i].size;
    }
    return LC_OK;
}

/* `list` and `decoded` are scratch for the count elements. */
static lc_status make_array(const lc_npy *h, const uint8_t *items, lc_str *list, size_t count, char *decoded, lc_budget *budget,
                            lc_array *array, lc_error *err) {
    size_t bytes;
    LC_TRY(find_all(h, items, list, count, decoded, err));
    if (!lc_strings_size(list, count, &bytes)) return lc_fail(err, LC_LIMIT, "the strings of the .npy file take 2 GiB or more");
    LC_TRY(lc_budget_memory(budget, bytes, "the array", err));
    lc_array made = {.type = LC_STRING, .rank = h->rank, .data = lc_malloc(bytes), .size = bytes};
    if (!made.data) return lc_fail_memory(err, "array");
    memcpy(made.dims, h->dims, sizeof made.dims);
    lc_strings_write(list, count, made.data);
    *array = made;
    return LC_OK;
}

lc_status lc_npy_read_text(const lc_npy *h, lc_cursor *c, lc_budget *budget, lc_array *array, lc_error *err) {
    uint64_t n, size, table;
    size_t count, list_bytes;
    LC_TRY(lc_array_elements(h->dims, h->rank, &n, err));
    if (!lc_mul_u64(n, h->item, &size) || !lc_mul_u64(n + !n, sizeof(lc_str), &table) || !lc_u64_to_size(n, &count) ||
        !lc_u64_to_size(table, &list_bytes))
        return lc_fail(err, LC_INVALID, "the array's shape overflows");
    LC_TRY(lc_npy_has(c, size, err));
    LC_TRY(lc_budget_memory(budget, table, "the strings", err));
    if (h->wide) LC_TRY(lc_budget_memory(budget, size, "the strings", err));
    const uint8_t *items = lc_read_bytes(c, size);
    lc_str *list = lc_malloc(list_bytes);
    char *decoded = h->wide ? lc_malloc((size_t)size + 1) : NULL;
    const bool room = list && (decoded || !h->wide);
    const lc_status status = room ? make_array(h, items, list, count, decoded, budget, array, err) : lc_fail_memory(err, "strings");
    lc_free(list);
    lc_free(decoded);
    return status;
}

/* ---- writing -------------------------------------------------------------------------------------------------- */

lc_status lc_npy_text_width(const lc_array *array, uint32_t *width, lc_error *err) {
    uint64_t n, bytes = 0;
    size_t most = 1; /* NumPy has no elements of no bytes */
    LC_TRY(lc_array_elements(array->dims, array->rank, &n, err));
    const char *wrong = array->data ? lc_strings_check(array->data, array->size, n) : n ? "is missing" : NULL;
    if (wrong) return lc_fail(err, LC_ARGUMENT, "the array's string buffer %s", wrong);
    const lc_strings strings = {array->data, (size_t)n};
    for (size_t i = 0; i < n; i++) {
        const size_t size = lc_strings_at(&strings, i).size;
        if (size > most) most = size;
    }
    if (!lc_mul_u64(n, most, &bytes) || bytes > INT32_MAX) {
        lc_status status =
            lc_fail(err, LC_LIMIT, "%llu strings, the longest of %zu bytes, are too much for a .npy file: NumPy would pad each",
                    (unsigned long long)n, most);
        lc_error_hint(err, "from C, lc_tensor_string gives each string as it is");
        return status;
    }
    *width = (uint32_t)most;
    return LC_OK;
}

lc_status lc_npy_write_text(const lc_array *array, uint32_t width, lc_file *file, lc_error *err) {
    static const char zeros[64];
    uint64_t n;
    LC_TRY(lc_array_elements(array->dims, array->rank, &n, err));
    const lc_strings strings = {array->data, (size_t)n};
    for (size_t i = 0; i < n; i++) {
        const lc_str s = lc_strings_at(&strings, i);
        LC_TRY(lc_file_write(file, s.data, s.size, err));
        for (size_t left = width - s.size; left;) {
            const size_t part = left < sizeof zeros ? left : sizeof zeros;
            LC_TRY(lc_file_write(file, zeros, part, err));
            left -= part;
        }
    }
    return LC_OK;
}
