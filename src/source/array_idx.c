/*
 * array_idx.c: the IDX format of the MNIST files (two zero bytes, element type, rank, big-endian dimensions, big-endian elements),
 * and gzip around it or around .npy.
 */
#include "source/array.h"
#include "source/zlib_memory.h"

#include <string.h>

static bool idx_type(uint8_t code, lc_dtype *type) {
    static const struct { uint8_t code; lc_dtype type; } types[] = {{0x08, LC_UINT8}, {0x09, LC_INT8},    {0x0B, LC_INT16},
                                                                    {0x0C, LC_INT32}, {0x0D, LC_FLOAT32}, {0x0E, LC_FLOAT64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].code != code) continue;
        *type = types[i].type;
        return true;
    }
    return false;
}

lc_status lc_array_read_idx(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    lc_cursor c = lc_cursor_make(data, size);
    lc_cursor_skip(&c, 2);
    const uint8_t code = lc_read_u8(&c), rank = lc_read_u8(&c);
    lc_dtype type;
    int32_t dims[LC_MAX_RANK] = {0};
    if (c.failed || !idx_type(code, &type) || rank > LC_MAX_RANK)
        return lc_fail_rule(err, LC_INVALID, "IDX-HEADER", 2, "not an IDX file: element type 0x%02x, %u dimensions", (unsigned)code, (unsigned)rank);
    for (uint8_t d = 0; d < rank; d++) {
        const uint32_t dim = lc_read_u32_be(&c);
        if (dim > INT32_MAX) return lc_fail_rule(err, LC_INVALID, "IDX-HEADER", lc_cursor_at(&c), "IDX dimension %u is %lu", (unsigned)d, (unsigned long)dim);
        dims[d] = (int32_t)dim;
    }
    lc_array made;
    LC_TRY(lc_array_make(&made, type, dims, rank, budget, err));
    const uint8_t *items = lc_read_bytes(&c, made.size);
    if (c.failed) {
        lc_array_deinit(&made);
        return lc_fail_rule(err, LC_INVALID, "IDX-DATA", lc_cursor_at(&c), "IDX file is cut short: its shape needs more bytes than the file has");
    }
    const size_t item = lc_dtype_bits(type) / 8;
    uint8_t *to = made.data;
    for (size_t i = 0; item > 1 && i < made.size; i++) to[i] = items[i - i % item + (item - 1 - i % item)];
    if (item == 1 && made.size) memcpy(to, items, made.size);
    *array = made;
    return LC_OK;
}

#define STEP ((size_t)1 << 16)

/* Inflates into `text`, each step charged before it is allocated, so that a bomb stops at the budget. */
static lc_status inflate_all(z_stream *z, lc_budget *budget, lc_text *text, lc_error *err) {
    static const char zeros[STEP];
    for (;;) {
        const size_t had = text->size;
        LC_TRY(lc_budget_memory(budget, STEP, "the unpacked gzip data", err));
        lc_text_add_n(text, zeros, STEP);
        if (text->failed) return lc_fail_memory(err, "gzip");
        z->next_out = (Bytef *)text->data + had;
        z->avail_out = (uInt)STEP;
        const int result = inflate(z, Z_NO_FLUSH);
        text->size = had + STEP - z->avail_out;
        if (result == Z_STREAM_END) return LC_OK;
        if (result == Z_MEM_ERROR) return lc_fail_memory(err, "gzip");
        if (result != Z_OK || (z->avail_in == 0 && z->avail_out != 0))
            return lc_fail_rule(err, LC_INVALID, "GZIP-DATA", z->total_in, "gzip data is damaged or cut short");
    }
}

lc_status lc_array_read_gzip(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err) {
    if (size > UINT32_MAX) return LC_FAIL(err, LC_UNSUPPORTED, "a gzip file of more than 4 GiB; unpack it first");
    z_stream z = {LC_ZLIB_MEMORY, .next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) return lc_fail_memory(err, "gzip");
    lc_text text = {0};
    lc_status status = inflate_all(&z, budget, &text, err);
    inflateEnd(&z);
    if (status == LC_OK) status = lc_array_read(text.data, text.size, false, budget, array, err);
    lc_text_deinit(&text);
    return status;
}
