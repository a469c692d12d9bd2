/*
 * array_idx.c: the IDX format of the MNIST files (two zero bytes, element type, rank, big-endian dimensions, big-endian elements),
 * and gzip around it or around .npy.
 */
#include "source/array_npy.h"
#include "source/rules.h"
#include "source/stream.h"

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

lc_status lc_idx_read_header(lc_cursor *c, lc_npy *h, lc_error *err) {
    *h = (lc_npy){.swap = true};
    lc_cursor_skip(c, 2);
    const uint8_t code = lc_read_u8(c), rank = lc_read_u8(c);
    if (c->failed || !idx_type(code, &h->type) || rank > LC_MAX_RANK)
        return LC_SOURCE_FAIL(err, LC_INVALID, IDX_HEADER, 2, "not an IDX file: element type 0x%02x, %u dimensions", (unsigned)code,
                              (unsigned)rank);
    h->item = lc_dtype_bits(h->type) / 8;
    h->rank = rank;
    for (uint8_t d = 0; d < rank; d++) {
        const uint32_t dim = lc_read_u32_be(c);
        if (c->failed || dim > INT32_MAX)
            return LC_SOURCE_FAIL(err, LC_INVALID, IDX_HEADER, lc_cursor_at(c), "IDX dimension %u is missing or above 2^31", (unsigned)d);
        h->dims[d] = (int32_t)dim;
    }
    return LC_OK;
}

static lc_status idx_short(uint64_t at, lc_error *err) {
    return LC_SOURCE_FAIL(err, LC_INVALID, IDX_DATA, at, "IDX file is cut short: its shape needs more bytes than the file has");
}

lc_status lc_array_read_idx(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor c = lc_cursor_make(data, size);
    lc_npy h;
    uint64_t bytes;
    LC_TRY(lc_idx_read_header(&c, &h, err));
    LC_TRY(lc_npy_size(&h, &bytes, err));
    if (bytes > lc_cursor_left(&c)) return idx_short(size, err);
    return lc_npy_read(&h, &c, budget, array, err);
}

/* ---- gzip -------------------------------------------------------------------------------------------------------- */

#define STEP ((size_t)1 << 16)

/* Elements as they stand in the file, big-endian, to those of the machine, in place. */
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

/* The elements of an IDX file straight to their place: those of a training set are worth not holding twice. What follows the elements is
 * read as well, because the checksum comes last. */
static lc_status inflate_idx(lc_stream *s, lc_cursor head, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_npy h;
    uint64_t got;
    LC_TRY(lc_idx_read_header(&head, &h, err));
    LC_TRY(lc_array_make(array, h.type, h.dims, h.rank, budget, err));
    LC_TRY(lc_stream_read(s, NULL, lc_cursor_at(&head), &got, err));
    LC_TRY(lc_stream_read(s, array->data, array->size, &got, err));
    if (got < array->size) return idx_short(got, err);
    do {
        LC_TRY(lc_stream_read(s, NULL, STEP, &got, err));
        LC_TRY(lc_budget_memory(budget, got, "what follows the data in the gzip file", err));
    } while (got);
    idx_order(array);
    return LC_OK;
}

/* Each step is charged before it is allocated, so that a bomb stops at the budget. */
static lc_status inflate_text(lc_stream *s, lc_budget *budget, lc_text *text, lc_error *err) {
    static const char zeros[STEP];
    uint64_t got = STEP;
    while (got == STEP) {
        const size_t had = text->size;
        LC_TRY(lc_budget_memory(budget, STEP, "the unpacked gzip data", err));
        lc_text_add_n(text, zeros, STEP);
        if (text->failed) return lc_fail_memory(err, "gzip");
        LC_TRY(lc_stream_read(s, text->data + had, STEP, &got, err));
        text->size = had + (size_t)got;
    }
    return LC_OK;
}

lc_status lc_array_read_gzip(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_stream s;
    lc_text text = {0};
    lc_array made = {0};
    lc_cursor head;
    LC_TRY(lc_stream_open(&s, lc_cursor_make(data, size), err));
    lc_status status = lc_stream_head(&s, &head, err);
    lc_cursor magic = head;
    if (status == LC_OK && lc_read_u8(&magic) == 0 && lc_read_u8(&magic) == 0 && !magic.failed) {
        status = inflate_idx(&s, head, budget, &made, err);
    } else if (status == LC_OK) {
        status = inflate_text(&s, budget, &text, err);
        if (status == LC_OK) status = lc_array_read(text.data, text.size, false, budget, &made, err);
    }
    lc_stream_close(&s);
    lc_text_deinit(&text);
    if (status == LC_OK) *array = made;
    else lc_array_deinit(&made);
    return status;
}
