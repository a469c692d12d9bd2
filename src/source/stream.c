/*
 * stream.c: bytes in order, inflated on the way.
 *
 * What stays true: memory is one window, whatever the file declares; damage is found where it is reached, so a checksum, which comes last,
 * is known to be right only when everything has been read. The fuzzers' builds take every checksum for right, as they cannot guess it.
 *
 * Spec: RFC 1950, RFC 1951, RFC 1952.
 */
#include "source/stream.h"

#include "source/rules.h"

#include <string.h>

#define WINDOW ((size_t)1 << 16)
#define STEP ((size_t)16 << 20) /* bytes given to zlib at a time: it counts in 32 bits */
#define GZIP (16 + MAX_WBITS)
#define DEFLATE (-MAX_WBITS)
#define ZLIB MAX_WBITS

bool lc_gzip_probe(lc_cursor bytes) { return lc_read_u8(&bytes) == 0x1f && lc_read_u8(&bytes) == 0x8b && !bytes.failed; }

static lc_status begin(lc_stream *s, lc_error *err) {
    s->rest = s->packed;
    s->ended = s->form == 0;
    s->made = 0;
    s->crc = 0;
    s->window = s->form ? (lc_cursor){0} : s->packed;
    if (!s->form) return LC_OK;
    s->z.avail_in = 0;
    if (s->live) return inflateReset(&s->z) == Z_OK ? LC_OK : lc_fail_memory(err, "inflating");
    s->z = (z_stream){LC_ZLIB_MEMORY};
    if (!s->buffer && !(s->buffer = lc_malloc(WINDOW))) return lc_fail_memory(err, "inflating");
    if (inflateInit2(&s->z, s->form) != Z_OK) return lc_fail_memory(err, "inflating");
    s->live = true;
    return LC_OK;
}

static lc_status open_form(lc_stream *s, lc_cursor bytes, int form, const lc_zip_member *member, lc_error *err) {
    *s = (lc_stream){.packed = bytes, .form = form, .member = member};
    const lc_status status = begin(s, err);
    if (status) lc_stream_close(s);
    return status;
}

lc_status lc_stream_open(lc_stream *s, lc_cursor bytes, lc_error *err) {
    return open_form(s, bytes, lc_gzip_probe(bytes) ? GZIP : 0, NULL, err);
}

lc_status lc_stream_open_zlib(lc_stream *s, lc_cursor bytes, lc_error *err) { return open_form(s, bytes, ZLIB, NULL, err); }

lc_status lc_stream_open_member(lc_stream *s, const lc_zip *zip, const lc_zip_member *member, lc_error *err) {
    *s = (lc_stream){0};
    if (member->method == 0) { /* read where it lies, in any order: its checksum comes first */
        const uint8_t *data;
        size_t size;
        LC_TRY(lc_zip_read(zip, member, NULL, NULL, &data, &size, err)); /* takes memory only for members that are packed */
        return open_form(s, lc_cursor_make(data, size), 0, member, err);
    }
    const lc_cursor file = lc_cursor_make(zip->map.data, zip->map.size);
    const lc_cursor bytes = lc_cursor_window(&file, member->at, member->stored);
    if (bytes.failed) return LC_SOURCE_FAIL(err, LC_INVALID, ZIP_SIZE, member->begin, "a zip member reaches past the end of its archive");
    return open_form(s, bytes, DEFLATE, member, err);
}

void lc_stream_close(lc_stream *s) {
    if (s->live) inflateEnd(&s->z);
    lc_free(s->buffer);
    *s = (lc_stream){0};
}

lc_status lc_stream_rewind(lc_stream *s, lc_error *err) { return begin(s, err); }

static lc_status damaged(const lc_stream *s, lc_error *err) {
    if (s->member)
        LC_SOURCE_FAIL(err, LC_INVALID, ZIP_DATA, s->member->begin, "zip member '%.*s' does not unpack to what the archive states",
                       (int)(s->member->name.size < 200 ? s->member->name.size : 200), s->member->name.data);
    else
        LC_SOURCE_FAIL(err, LC_INVALID, GZIP_DATA, lc_cursor_at(&s->rest), "%s data is damaged or cut short",
                       s->form == ZLIB ? "zlib" : "gzip");
    lc_error_hint(err, "copy or download the file again");
    return LC_INVALID;
}

/* Size and checksum that the archive states. */
static bool as_stated(const lc_stream *s) {
    if (!s->member) return true;
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    return true;
#else
    return s->made == s->member->size && s->crc == s->member->crc;
#endif
}

/* At the end of a gzip member: another may follow, as when files are joined. Zeros behind it are padding. */
static lc_status end_member(lc_stream *s, lc_error *err) {
    lc_cursor more = s->rest;
    s->ended = true;
    if (s->form != GZIP) return s->z.avail_in || lc_cursor_left(&s->rest) || !as_stated(s) ? damaged(s, err) : LC_OK;
    if (s->z.avail_in) more = lc_cursor_make(s->z.next_in, s->z.avail_in);
    if (!lc_gzip_probe(more)) return LC_OK;
    s->ended = false;
    return inflateReset(&s->z) == Z_OK ? LC_OK : lc_fail_memory(err, "inflating");
}

lc_status lc_stream_fill(lc_stream *s, lc_error *err) {
    while (!lc_cursor_left(&s->window) && !s->ended) {
        if (!s->z.avail_in) {
            const size_t n = lc_cursor_left(&s->rest) < STEP ? lc_cursor_left(&s->rest) : STEP;
            if (n == 0) return damaged(s, err);
            s->z.next_in = (Bytef *)(uintptr_t)lc_read_bytes(&s->rest, n);
            s->z.avail_in = (uInt)n;
        }
        s->z.next_out = s->buffer;
        s->z.avail_out = (uInt)WINDOW;
        const int result = inflate(&s->z, Z_NO_FLUSH);
        if (result == Z_MEM_ERROR) return lc_fail_memory(err, "inflating");
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return damaged(s, err);
        const size_t got = WINDOW - s->z.avail_out;
        if (s->member) s->crc = (uint32_t)crc32(s->crc, s->buffer, (uInt)got);
        s->window = lc_cursor_make(s->buffer, got);
        s->made += got;
        if (s->member && s->made > s->member->size) return damaged(s, err);
        if (result == Z_STREAM_END) LC_TRY(end_member(s, err));
    }
    return LC_OK;
}

lc_status lc_stream_head(lc_stream *s, lc_cursor *head, lc_error *err) {
    LC_TRY(lc_stream_fill(s, err));
    *head = s->window;
    return LC_OK;
}

lc_status lc_stream_read(lc_stream *s, void *to, uint64_t size, uint64_t *got, lc_error *err) {
    *got = 0;
    while (*got < size) {
        LC_TRY(lc_stream_fill(s, err));
        const uint64_t left = size - *got, n = lc_cursor_left(&s->window) < left ? lc_cursor_left(&s->window) : left;
        if (n == 0) break;
        const uint8_t *from = lc_read_bytes(&s->window, n);
        if (from && to) memcpy((uint8_t *)to + *got, from, (size_t)n);
        *got += n;
    }
    return LC_OK;
}
