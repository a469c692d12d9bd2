/*
 * hdf5_filter.c: undoing what was done to a chunk before it was stored.
 *
 * The idea: the filters of a dataset form a pipeline; reading goes through it backwards. The size before and after each
 * filter is known before it runs, since only deflate changes it by an amount the file decides, and what deflate must give
 * back is what went in: the chunk's bytes, plus 4 for each fletcher32 in front of it. So inflate gets exactly that much room
 * and must fill it; it never sees a buffer that grows.
 *
 * Refuses: every filter other than deflate, shuffle and fletcher32, by name.
 *
 * Spec: HDF5 File Format Specification Version 3.0, section IV.A.2.l; RFC 1950; J. Fletcher, "An Arithmetic Checksum for
 * Serial Transmissions", 1982 (over big-endian 16-bit words, modulo 65535).
 */
#include "source/hdf5_impl.h"
#include "source/zlib_memory.h"

#include <string.h>

enum { DEFLATE = 1, SHUFFLE = 2, FLETCHER32 = 3 };

static const char *filter_name(uint16_t id) {
    switch (id) {
    case 4: return "szip";
    case 5: return "nbit";
    case 6: return "scaleoffset";
    case 305: return "lzo";
    case 307: return "bzip2";
    case 32000: return "lzf";
    case 32001: return "blosc";
    case 32004: return "lz4";
    case 32008: return "bitshuffle";
    case 32013: return "zfp";
    case 32015: return "zstd";
    case 32026: return "blosc2";
    default: return "unknown";
    }
}

lc_status lc_h5_parse_filters(const lc_h5 *h5, lc_cursor *c, const lc_h5_object *object, lc_h5_pipeline *pipeline, lc_error *err) {
    *pipeline = (lc_h5_pipeline){.count = 0};
    uint8_t version = lc_read_u8(c), count = lc_read_u8(c);
    if (c->failed || version < 1 || version > 2 || count > LC_H5_MAX_FILTERS)
        return LC_H5_BAD(h5, c, H5_FILTER, "the filters of '%s' are malformed (version %u, %u filters)", object->path, version, count);
    if (version == 1) lc_cursor_skip(c, 6);
    for (uint8_t i = 0; i < count; i++) {
        lc_h5_filter f = {.id = lc_read_u16(c), .element = 1};
        uint16_t name = version == 1 || f.id >= 256 ? lc_read_u16(c) : 0;
        lc_cursor_skip(c, 2); /* flags: optional or not does not matter to a reader */
        uint16_t values = lc_read_u16(c);
        if (version == 1 && name % 8) name = (uint16_t)(name + 8 - name % 8);
        lc_cursor_skip(c, name);
        for (uint16_t k = 0; k < values; k++) {
            uint32_t value = lc_read_u32(c);
            if (k == 0 && f.id == SHUFFLE) f.element = value;
        }
        if (version == 1 && values % 2) lc_cursor_skip(c, 4);
        if (c->failed) return LC_H5_BAD(h5, c, H5_FILTER, "the filters of '%s' are cut short", object->path);
        if (f.id < DEFLATE || f.id > FLETCHER32) {
            LC_SOURCE_FAIL(err, LC_UNSUPPORTED, H5_FILTER, lc_h5_at(h5, c),
                           "'%s' is stored with filter %u (%s); known are deflate, shuffle and fletcher32", object->path, f.id,
                           filter_name(f.id));
            lc_error_hint(err, "store it without compression or with gzip, e.g. h5repack -f GZIP=4 IN OUT");
            return LC_UNSUPPORTED;
        }
        if (f.element == 0) return LC_H5_BAD(h5, c, H5_FILTER, "'%s' shuffles elements of 0 bytes", object->path);
        pipeline->filters[pipeline->count++] = f;
    }
    return LC_OK;
}

bool lc_h5_filter_room(const lc_h5_pipeline *pipeline, uint64_t size, uint64_t *room) {
    return lc_add_u64(size, (uint64_t)pipeline->count * 4, room);
}

static lc_status inflate_exactly(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, lc_error *err) {
    z_stream z = {LC_ZLIB_MEMORY};
    int r = inflateInit(&z);
    if (r != Z_OK) return lc_fail_memory(err, "zlib");
    const size_t most = 1u << 30; /* zlib counts in 32 bits */
    size_t fed = 0, made = 0;
    z.next_in = (Bytef *)(uintptr_t)in;
    z.next_out = out;
    while (r == Z_OK) {
        if (!z.avail_in && fed < in_size) z.avail_in = (uInt)(in_size - fed < most ? in_size - fed : most), fed += z.avail_in;
        if (!z.avail_out && made < out_size) z.avail_out = (uInt)(out_size - made < most ? out_size - made : most), made += z.avail_out;
        r = inflate(&z, Z_NO_FLUSH);
    }
    size_t missing = out_size - made + z.avail_out;
    inflateEnd(&z);
    if (r == Z_MEM_ERROR) return lc_fail_memory(err, "zlib");
    if (r == Z_STREAM_END && missing == 0) return LC_OK;
    const char *why = r == Z_STREAM_END  ? "ends too early"
                      : r == Z_BUF_ERROR ? (missing ? "is cut short" : "is longer than its chunk")
                                         : "is damaged";
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_FILTER, LC_NO_OFFSET, "a compressed chunk of %zu bytes %s (it must give %zu bytes)", in_size,
                          why, out_size);
}

static uint32_t fletcher32(const uint8_t *p, size_t size) {
    uint32_t low = 0, high = 0;
    for (size_t i = 0; i < size; i += 2) {
        uint32_t word = (uint32_t)p[i] << 8 | (i + 1 < size ? p[i + 1] : 0u);
        low = (low + word) % 65535u;
        high = (high + low) % 65535u;
    }
    return high << 16 | low;
}

/* HDF5 folds its sums instead of dividing, which leaves 65535 where the remainder is 0: both are the same number. */
static bool same_sum(uint32_t a, uint32_t b) {
    return (a & 0xFFFF) % 65535u == (b & 0xFFFF) % 65535u && (a >> 16) % 65535u == (b >> 16) % 65535u;
}

static lc_status check_fletcher32(lc_cursor *c, size_t size, lc_error *err) {
    const uint8_t *p = lc_read_bytes(c, size);
    uint32_t want = lc_read_u32(c);
    if (c->failed) return LC_SOURCE_FAIL(err, LC_INVALID, H5_FILTER, LC_NO_OFFSET, "a chunk has no room for its checksum");
    uint32_t found = fletcher32(p, size);
    if (same_sum(found, want)) return LC_OK;
    /* Files of HDF5 1.6.2 and before hold it with the bytes of each half swapped. */
    uint32_t swapped = (found & 0x00FF00FFu) << 8 | (found >> 8 & 0x00FF00FFu);
    if (!LC_H5_SUMS_DIFFER(swapped, want)) return LC_OK;
    return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHECKSUM, LC_NO_OFFSET, "the fletcher32 checksum of a chunk is 0x%08x, its bytes give 0x%08x",
                          want, found);
}

static void unshuffle(const uint8_t *in, uint8_t *out, size_t size, size_t element) {
    size_t count = size / element;
    if (element <= 1 || count <= 1) {
        memcpy(out, in, size);
        return;
    }
    for (size_t b = 0; b < element; b++)
        for (size_t i = 0; i < count; i++) out[i * element + b] = *in++;
    memcpy(out + count * element, in, size - count * element); /* what does not fill an element is not shuffled */
}

/* Is the size of what filter `i` was given known? Not behind deflate. */
static bool size_known(const lc_h5_pipeline *pipeline, uint32_t mask, uint32_t i) {
    while (i-- > 0)
        if (!(mask >> i & 1) && pipeline->filters[i].id == DEFLATE) return false;
    return true;
}

lc_status lc_h5_unfilter(const lc_h5 *h5, const lc_h5_pipeline *pipeline, uint32_t mask, lc_cursor stored, size_t size, uint8_t *scratch[2],
                         const uint8_t **result, lc_error *err) {
    (void)h5;
    lc_cursor c = stored;
    uint64_t room;
    if (!lc_h5_filter_room(pipeline, size, &room)) return lc_fail(err, LC_INVALID, "a chunk is too large");
    size_t sums = 0; /* checksums in front of the filter that is undone, counted from the front of the pipeline */
    for (uint32_t i = 0; i < pipeline->count; i++) sums += !(mask >> i & 1) && pipeline->filters[i].id == FLETCHER32;
    for (uint32_t i = pipeline->count; i-- > 0;) {
        if (mask >> i & 1) continue;
        const lc_h5_filter *f = &pipeline->filters[i];
        sums -= f->id == FLETCHER32;
        size_t want = size + sums * 4, have = lc_cursor_left(&c);
        if (f->id == FLETCHER32) {
            if (have < 4 || (have - 4 != want && size_known(pipeline, mask, i)))
                return LC_SOURCE_FAIL(err, LC_INVALID, H5_FILTER, LC_NO_OFFSET, "a chunk with its checksum has %zu bytes, %zu are expected",
                                      have, want + 4);
            lc_cursor sum = c;
            LC_TRY(check_fletcher32(&sum, have - 4, err));
            c = lc_cursor_take(&c, have - 4);
            continue;
        }
        const uint8_t *in = lc_read_bytes(&c, have);
        if (!in) return lc_fail(err, LC_INVALID, "a chunk is cut short");
        uint8_t *out = in == scratch[0] ? scratch[1] : scratch[0];
        if (f->id == DEFLATE) {
            LC_TRY(inflate_exactly(in, have, out, want, err));
        } else {
            if (!size_known(pipeline, mask, i)) want = have;
            if (have != want || have > room)
                return LC_SOURCE_FAIL(err, LC_INVALID, H5_FILTER, LC_NO_OFFSET, "a shuffled chunk has %zu bytes, %zu are expected", have,
                                      size + sums * 4);
            unshuffle(in, out, want, f->element);
        }
        c = lc_cursor_make(out, want);
    }
    if (lc_cursor_left(&c) != size)
        return LC_SOURCE_FAIL(err, LC_INVALID, H5_CHUNK, LC_NO_OFFSET, "a chunk holds %zu bytes, %zu are expected", lc_cursor_left(&c),
                              size);
    *result = lc_read_bytes(&c, size);
    return LC_OK;
}
