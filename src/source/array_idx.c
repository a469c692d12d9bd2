/*
 * array_idx.c: the IDX format of the MNIST files (two zero bytes, element type, rank, big-endian dimensions, big-endian elements),
 * and gzip around it or around .npy.
 */
#include "source/array.h"
#include "source/rules.h"
#include "source/zlib_memory.h"

#include <string.h>

static bool idx_type(uint8_t code, lc_dtype *type) {
    static const struct {
        uint8_t code;
        lc_dtype type;
    } types[] = {{0x08, LC_UINT8}, {0x09, LC_INT8}, {0x0B, LC_INT16}, {0x0C, LC_INT32}, {0x0D, LC_FLOAT32}, {0x0E, LC_FLOAT64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].code != code) continue;
        *type = types[i].type;
        return true;
    }
    return false;
}

/* Reads the header and makes the array it declares. */
static lc_status idx_header(lc_cursor *c, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor_skip(c, 2);
    const uint8_t code = lc_read_u8(c), rank = lc_read_u8(c);
    lc_dtype type;
    int32_t dims[LC_MAX_RANK] = {0};
    if (c->failed || !idx_type(code, &type) || rank > LC_MAX_RANK)
        return LC_SOURCE_FAIL(err, LC_INVALID, IDX_HEADER, 2, "not an IDX file: element type 0x%02x, %u dimensions", (unsigned)code,
                              (unsigned)rank);
    for (uint8_t d = 0; d < rank; d++) {
        const uint32_t dim = lc_read_u32_be(c);
        if (dim > INT32_MAX)
            return LC_SOURCE_FAIL(err, LC_INVALID, IDX_HEADER, lc_cursor_at(c), "IDX dimension %u is %lu", (unsigned)d, (unsigned long)dim);
        dims[d] = (int32_t)dim;
    }
    return lc_array_make(array, type, dims, rank, budget, err);
}

static lc_status idx_short(uint64_t at, lc_error *err) {
    return LC_SOURCE_FAIL(err, LC_INVALID, IDX_DATA, at, "IDX file is cut short: its shape needs more bytes than the file has");
}

/* Elements as the file has them, big-endian, to those of the machine. */
static void idx_order(lc_array *array) {
    const size_t item = lc_dtype_bits(array->type) / 8;
    uint8_t *p = array->data;
    for (size_t i = 0; item > 1 && i < array->size; i += item)
        for (size_t k = 0; k < item / 2; k++) {
            const uint8_t t = p[i + k];
            p[i + k] = p[i + item - 1 - k];
            p[i + item - 1 - k] = t;
        }
}

lc_status lc_array_read_idx(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor c = lc_cursor_make(data, size);
    lc_array made;
    LC_TRY(idx_header(&c, budget, &made, err));
    const uint8_t *items = lc_read_bytes(&c, made.size);
    if (c.failed) {
        lc_array_deinit(&made);
        return idx_short(lc_cursor_at(&c), err);
    }
    if (made.size) memcpy(made.data, items, made.size);
    idx_order(&made);
    *array = made;
    return LC_OK;
}

/* ---- gzip -------------------------------------------------------------------------------------------------------- */

#define STEP ((size_t)1 << 16)

/* Inflates into `room`; *made says how many bytes came, *ended that there are no more. */
static lc_status inflate_into(z_stream *z, void *room, size_t size, size_t *made, bool *ended, lc_error *err) {
    const size_t step = size < UINT32_MAX ? size : UINT32_MAX;
    z->next_out = room;
    z->avail_out = (uInt)step;
    const int result = inflate(z, Z_NO_FLUSH);
    *made = step - z->avail_out;
    *ended = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR) return lc_fail_memory(err, "gzip");
    if (!*ended && (result != Z_OK || (z->avail_in == 0 && z->avail_out != 0)))
        return LC_SOURCE_FAIL(err, LC_INVALID, GZIP_DATA, z->total_in, "gzip data is damaged or cut short");
    return LC_OK;
}

/* Inflates into `text` until it ends or holds `enough`; each step is charged before it is allocated, so that a bomb stops at the
 * budget. */
static lc_status inflate_text(z_stream *z, lc_budget *budget, lc_text *text, size_t enough, bool *ended, lc_error *err) {
    static const char zeros[STEP];
    while (!*ended && text->size < enough) {
        const size_t had = text->size;
        size_t made;
        LC_TRY(lc_budget_memory(budget, STEP, "the unpacked gzip data", err));
        lc_text_add_n(text, zeros, STEP);
        if (text->failed) return lc_fail_memory(err, "gzip");
        LC_TRY(inflate_into(z, text->data + had, STEP, &made, ended, err));
        text->size = had + made;
    }
    return LC_OK;
}

/* The elements of an IDX file straight to their place: those of a training set are worth not holding twice. `head`: what is
 * inflated so far. What follows the elements is read as well, because the checksum comes last. */
static lc_status inflate_idx(z_stream *z, const lc_text *head, bool ended, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor c = lc_cursor_make(head->data, head->size);
    LC_TRY(idx_header(&c, budget, array, err));
    size_t have = lc_cursor_left(&c) < array->size ? lc_cursor_left(&c) : array->size, made;
    const uint8_t *first = lc_read_bytes(&c, have);
    if (first && have) memcpy(array->data, first, have);
    while (!ended && have < array->size) {
        LC_TRY(inflate_into(z, (uint8_t *)array->data + have, array->size - have, &made, &ended, err));
        have += made;
    }
    if (have < array->size) return idx_short(have, err);
    while (!ended) {
        uint8_t more[4096];
        LC_TRY(lc_budget_memory(budget, sizeof more, "what follows the data in the gzip file", err));
        LC_TRY(inflate_into(z, more, sizeof more, &made, &ended, err));
    }
    idx_order(array);
    return LC_OK;
}

lc_status lc_array_read_gzip(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    if (size > UINT32_MAX) return lc_fail(err, LC_UNSUPPORTED, "a gzip file of more than 4 GiB; unpack it first");
    z_stream z = {LC_ZLIB_MEMORY, .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return lc_fail_memory(err, "gzip");
    lc_text text = {0};
    lc_array made = {0};
    bool ended = false;
    lc_status status = inflate_text(&z, budget, &text, STEP, &ended, err);
    if (status == LC_OK && text.size >= 2 && !text.data[0] && !text.data[1]) {
        status = inflate_idx(&z, &text, ended, budget, &made, err);
    } else if (status == LC_OK) {
        status = inflate_text(&z, budget, &text, SIZE_MAX, &ended, err);
        if (status == LC_OK) status = lc_array_read(text.data, text.size, false, budget, &made, err);
    }
    inflateEnd(&z);
    lc_text_deinit(&text);
    if (status == LC_OK) *array = made;
    else lc_array_deinit(&made);
    return status;
}
