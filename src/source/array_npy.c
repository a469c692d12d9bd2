/*
 * array_npy.c: NumPy's .npy, versions 1.0 to 3.0 (numpy.lib.format): magic, version, header length, a Python dict literal with
 * 'descr', 'fortran_order' and 'shape', then the elements.
 *
 * The dict is read by a parser for exactly these three keys; anything else is refused. Big-endian elements are swapped and Fortran
 * order is turned to row-major while copying. Text is read by array_text.c. Object and structured types are refused by name.
 */
#include "source/array_npy.h"
#include "source/rules.h"

#include <string.h>

/* ---- the header ---------------------------------------------------------------------------------------------- */

/* clang-format off */
/* X(kind and size as NumPy writes them, type) */
#define NPY_TYPE_LIST(X) \
    X("f4", LC_FLOAT32) X("f2", LC_FLOAT16) X("f8", LC_FLOAT64) \
    X("i1", LC_INT8) X("i2", LC_INT16) X("i4", LC_INT32) X("i8", LC_INT64) \
    X("u1", LC_UINT8) X("u2", LC_UINT16) X("u4", LC_UINT32) X("u8", LC_UINT64) \
    X("b1", LC_BOOL) X("c8", LC_COMPLEX64) X("c16", LC_COMPLEX128)
/* clang-format on */

static const struct {
    const char *name;
    lc_dtype type;
} npy_types[] = {
#define NPY_TYPE(name, type) {name, type},
    NPY_TYPE_LIST(NPY_TYPE)};

static void skip_space(lc_cursor *c) {
    while (lc_cursor_left(c) && (*c->p == ' ' || *c->p == '\n' || *c->p == '\t')) lc_cursor_skip(c, 1);
}

static bool accept(lc_cursor *c, char want) {
    skip_space(c);
    if (!lc_cursor_left(c) || *c->p != (uint8_t)want) return false;
    lc_cursor_skip(c, 1);
    return true;
}

/* 'text' or "text" of at most 31 bytes. */
static bool read_quoted(lc_cursor *c, char text[32]) {
    skip_space(c);
    const char quote = (char)lc_read_u8(c);
    if (quote != '\'' && quote != '"') return false;
    for (size_t n = 0; n < 32; n++) {
        const char ch = (char)lc_read_u8(c);
        if (c->failed) return false;
        text[n] = ch == quote ? 0 : ch;
        if (ch == quote) return true;
    }
    return false;
}

static bool read_word(lc_cursor *c, const char *word) {
    skip_space(c);
    const size_t n = strlen(word);
    if (lc_cursor_left(c) < n || memcmp(c->p, word, n) != 0) return false;
    lc_cursor_skip(c, n);
    return true;
}

/* 'S<bytes>' or 'U<characters>' */
static bool read_text_type(const char *name, lc_npy *h) {
    uint64_t width = 0;
    if ((name[0] != 'S' && name[0] != 'U') || !name[1]) return false;
    for (const char *p = name + 1; *p; p++) {
        if (*p < '0' || *p > '9' || !lc_mul_u64(width, 10, &width) || !lc_add_u64(width, (uint64_t)(*p - '0'), &width)) return false;
    }
    h->wide = name[0] == 'U';
    h->type = LC_STRING;
    if (!lc_mul_u64(width, h->wide ? 4 : 1, &width) || width > INT32_MAX) return false;
    h->item = (uint32_t)width;
    return true;
}

static lc_status read_descr(lc_cursor *c, lc_npy *h, lc_error *err) {
    char text[32];
    if (!read_quoted(c, text)) {
        lc_status status = lc_fail(err, LC_UNSUPPORTED, ".npy file with a structured element type");
        lc_error_hint(err, "save one plain array: numpy.save(file, array.astype('float32'))");
        return status;
    }
    h->swap = text[0] == '>';
    const char *name = strchr("<>|=", text[0]) && text[0] ? text + 1 : text;
    for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++) {
        if (strcmp(npy_types[i].name, name) != 0) continue;
        h->type = npy_types[i].type;
        h->item = lc_dtype_bits(h->type) / 8;
        return LC_OK;
    }
    if (read_text_type(name, h)) return LC_OK;
    lc_status status = lc_fail(err, LC_UNSUPPORTED, ".npy file with elements of type '%s', which no tensor has", text);
    lc_error_hint(err, "save the array as one of float32, float16, int8, uint8, int16, int32, int64, bool; text with array.astype('U')");
    return status;
}

static bool read_shape(lc_cursor *c, lc_npy *h) {
    if (!accept(c, '(')) return false;
    h->rank = 0;
    while (!accept(c, ')')) {
        uint64_t value = 0;
        size_t digits = 0;
        skip_space(c);
        for (; lc_cursor_left(c) && *c->p >= '0' && *c->p <= '9'; digits++) {
            const uint8_t digit = lc_read_u8(c);
            if (!lc_mul_u64(value, 10, &value) || !lc_add_u64(value, (uint64_t)(digit - '0'), &value)) return false;
        }
        if (!digits || value > INT32_MAX || h->rank == LC_MAX_RANK) return false;
        h->dims[h->rank++] = (int32_t)value;
        accept(c, 'L'); /* long integers as Python 2 wrote them */
        if (!accept(c, ',')) {
            if (!accept(c, ')')) return false;
            break;
        }
    }
    return true;
}

static lc_status read_dict(lc_cursor *c, lc_npy *h, lc_error *err) {
    bool descr = false, order = false, shape = false;
    bool good = accept(c, '{');
    while (good && !accept(c, '}')) {
        char key[32];
        good = read_quoted(c, key) && accept(c, ':');
        if (!good) break;
        if (strcmp(key, "descr") == 0 && !descr) {
            LC_TRY(read_descr(c, h, err));
            descr = true;
        } else if (strcmp(key, "fortran_order") == 0 && !order) {
            h->fortran = read_word(c, "True");
            order = good = h->fortran || read_word(c, "False");
        } else if (strcmp(key, "shape") == 0 && !shape) {
            shape = good = read_shape(c, h);
        } else {
            good = false;
        }
        accept(c, ',');
    }
    if (!good || !descr || !order || !shape || c->failed)
        return LC_SOURCE_FAIL(err, LC_INVALID, NPY_HEADER, lc_cursor_at(c), ".npy header is malformed or has more than %d dimensions",
                              LC_MAX_RANK);
    return LC_OK;
}

/* ---- the elements -------------------------------------------------------------------------------------------- */

static void copy_item(uint8_t *to, const uint8_t *from, uint32_t item, uint32_t part, bool swap) {
    for (uint32_t i = 0; i < item; i++) to[i] = from[swap ? i - i % part + (part - 1 - i % part) : i];
}

size_t lc_npy_next(lc_npy_walk *walk) {
    const lc_npy *h = walk->npy;
    size_t at = 0;
    if (!h->fortran) return walk->i++;
    for (int32_t d = h->rank - 1; d >= 0; d--) at = at * (size_t)h->dims[d] + (size_t)walk->index[d];
    for (int32_t d = h->rank - 1; d >= 0 && ++walk->index[d] == h->dims[d]; d--) walk->index[d] = 0;
    return at;
}

static void copy_items(const lc_npy *h, const uint8_t *from, uint8_t *to, size_t count) {
    const uint32_t part = h->type == LC_COMPLEX64 || h->type == LC_COMPLEX128 ? h->item / 2 : h->item;
    lc_npy_walk walk = {.npy = h};
    for (size_t i = 0; i < count; i++) copy_item(to + i * h->item, from + lc_npy_next(&walk) * h->item, h->item, part, h->swap);
}

lc_status lc_npy_has(const lc_cursor *c, uint64_t size, lc_error *err) {
    if (lc_cursor_left(c) >= size) return LC_OK;
    return LC_SOURCE_FAIL(err, LC_INVALID, NPY_DATA, lc_cursor_at(c),
                          ".npy file is cut short: its shape needs more bytes than the file has");
}

lc_status lc_npy_read_header(lc_cursor *c, lc_npy *h, lc_error *err) {
    *h = (lc_npy){0};
    lc_cursor_skip(c, 6);
    const uint8_t major = lc_read_u8(c);
    lc_cursor_skip(c, 1);
    const uint32_t length = major == 1 ? lc_read_u16(c) : lc_read_u32(c);
    if (major < 1 || major > 3) return lc_fail(err, LC_UNSUPPORTED, ".npy format version %u; litec reads 1 to 3", (unsigned)major);
    lc_cursor text = lc_cursor_take(c, length);
    if (c->failed || text.failed) return LC_SOURCE_FAIL(err, LC_INVALID, NPY_HEADER, lc_cursor_at(c), ".npy header is cut short");
    return read_dict(&text, h, err);
}

lc_status lc_npy_size(const lc_npy *h, uint64_t *size, lc_error *err) {
    uint64_t n;
    LC_TRY(lc_array_elements(h->dims, h->rank, &n, err));
    return lc_mul_u64(n, h->item, size) ? LC_OK : lc_fail(err, LC_INVALID, "the array's shape overflows");
}

lc_status lc_npy_read(const lc_npy *h, lc_cursor *c, lc_budget *budget, lc_array *array, lc_error *err) {
    if (h->type == LC_STRING) return lc_npy_read_text(h, c, budget, array, err);
    lc_array made;
    LC_TRY(lc_array_make(&made, h->type, h->dims, h->rank, budget, err));
    const lc_status status = lc_npy_has(c, made.size, err);
    if (status) {
        lc_array_deinit(&made);
        return status;
    }
    const uint8_t *items = lc_read_bytes(c, made.size);
    if (made.size && (!h->swap || h->item == 1) && (!h->fortran || h->rank < 2)) memcpy(made.data, items, made.size);
    else if (made.size) copy_items(h, items, made.data, made.size / h->item);
    *array = made;
    return LC_OK;
}

lc_status lc_array_read_npy(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor c = lc_cursor_make(data, size);
    lc_npy h;
    LC_TRY(lc_npy_read_header(&c, &h, err));
    return lc_npy_read(&h, &c, budget, array, err);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

/* The header ends at a multiple of 64, as NumPy pads it. */
#define NPY_ALIGN 64u

/* "<f4": the element type as NumPy writes it; *width receives the bytes of a text element. */
static lc_status descr_of(const lc_array *array, char descr[16], uint32_t *width, lc_error *err) {
    if (array->type == LC_STRING) {
        LC_TRY(lc_npy_text_width(array, width, err));
        snprintf(descr, 16, "|S%u", (unsigned)*width);
        return LC_OK;
    }
    for (size_t i = 0; i < sizeof npy_types / sizeof *npy_types; i++) {
        if (npy_types[i].type != array->type) continue;
        snprintf(descr, 16, "%s%s", lc_dtype_bits(array->type) == 8 ? "|" : "<", npy_types[i].name);
        return LC_OK;
    }
    return lc_fail(err, LC_UNSUPPORTED, "NumPy has no element type for %s", lc_dtype_name(array->type));
}

lc_status lc_array_save_npy(const lc_array *array, const char *path, lc_error *err) {
    char descr[16];
    uint32_t width = 0;
    LC_TRY(descr_of(array, descr, &width, err));
    char head[512] = "\x93NUMPY\x01";
    size_t n = 10; /* magic 6, version 2, header length 2 */
    n += (size_t)snprintf(head + n, sizeof head - n, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
    for (int32_t d = 0; d < array->rank; d++)
        n += (size_t)snprintf(head + n, sizeof head - n, "%d%s", (int)array->dims[d],
                              d + 1 < array->rank ? ", "
                              : array->rank == 1  ? ","
                                                  : "");
    n += (size_t)snprintf(head + n, sizeof head - n, "), }");
    while ((n + 1) % NPY_ALIGN) head[n++] = ' ';
    head[n++] = '\n';
    head[8] = (char)((n - 10) & 0xff);
    head[9] = (char)((n - 10) >> 8);
    lc_file *file;
    LC_TRY(lc_file_create(path, &file, err));
    lc_status status = lc_file_write(file, head, n, err);
    if (status == LC_OK && array->type == LC_STRING) status = lc_npy_write_text(array, width, file, err);
    else if (status == LC_OK && array->size) status = lc_file_write(file, array->data, array->size, err);
    if (status == LC_OK) return lc_file_commit(file, err);
    lc_file_abort(file);
    return status;
}
