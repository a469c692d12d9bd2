/*
 * snappy.c: a decompressor for raw Snappy data, as LevelDB's tables hold it.
 *
 * The data is the length of what comes out, then elements: literals, which are copied from the data, and copies, which repeat what came
 * out a stated distance before; a distance shorter than the length repeats a pattern. The lowest two bits of an element's first byte say
 * which, and how many bytes the length or the distance takes.
 *
 * Stays true: nothing is written past out_size, nothing read from before the start of what came out; the caller takes memory for a stated
 * length only when the bytes that are there could make it. Refuses: data that ends early, that is too much, or that is too little.
 *
 * libsnappy would do it, but it is C++: its support library would come into a static program in C (and the part needed is what follows).
 * Spec: format_description.txt of google/snappy (2011).
 */
#include "source/snappy.h"

#include <string.h>

bool lc_snappy_size(const void *data, size_t size, size_t *out_size) {
    lc_cursor c = lc_cursor_make(data, size);
    const uint64_t stated = lc_read_varint(&c);
    uint64_t most;
    if (c.failed || stated > UINT32_MAX || !lc_mul_u64(lc_cursor_left(&c), LC_SNAPPY_EXPANSION, &most)) return false;
    return stated <= most && lc_u64_to_size(stated, out_size);
}

/* Repeats what lies `distance` bytes back, byte by byte where it runs into itself. */
static void repeat(uint8_t *to, size_t distance, size_t length) {
    if (distance >= length) memcpy(to, to - distance, length);
    else
        for (size_t i = 0; i < length; i++) to[i] = (to - distance)[i];
}

const char *lc_snappy_read(const void *data, size_t size, uint8_t *out, size_t out_size) {
    lc_cursor c = lc_cursor_make(data, size);
    size_t done = 0;
    if (lc_read_varint(&c) != out_size || c.failed) return "states another length";
    while (lc_cursor_left(&c)) {
        const unsigned tag = lc_read_u8(&c), kind = tag & 3, upper = tag >> 2;
        uint64_t length = upper + 1, distance = 0;
        if (kind == 0 && upper >= 60) { /* the length, less one, in 1 to 4 bytes */
            const uint64_t less_one = lc_read_uint(&c, upper - 59);
            if (!lc_add_u64(less_one, 1, &length)) return "has a length that is too large";
        } else if (kind == 1) {
            length = (upper & 7) + 4;
            distance = (uint64_t)(upper >> 3) << 8 | lc_read_u8(&c);
        } else if (kind == 2) {
            distance = lc_read_u16(&c);
        } else if (kind == 3) {
            distance = lc_read_u32(&c);
        }
        if (!lc_range_ok(done, length, out_size)) return "makes more bytes than it states";
        if (kind == 0) {
            const uint8_t *literal = lc_read_bytes(&c, length);
            if (!literal) return "is cut short";
            memcpy(out + done, literal, (size_t)length);
        } else {
            if (c.failed) return "is cut short";
            if (distance == 0 || distance > done) return "copies from before its start";
            repeat(out + done, (size_t)distance, (size_t)length);
        }
        done += (size_t)length;
    }
    return done == out_size ? NULL : "makes fewer bytes than it states";
}
