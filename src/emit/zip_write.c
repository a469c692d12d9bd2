/*
 * zip_write.c: a zip archive whose members are stored, not compressed, as Keras writes it: so the weights can be read where they lie.
 *
 *   each member: header, contents │ directory: an entry a member │ [where the directory lies, in 64 bits] │ end
 *
 * Stays true: size and checksum stand in the header of a member, none follows it: readers need not look ahead; the time of all members is the
 * first of 1980, so that equal contents give equal bytes; numbers are 64 bits wide only where 32 are too few (zip64).
 *
 * Spec: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3.
 */
#include "emit/zip_write.h"

#include <string.h>
#include <zlib.h>

#define FULL32 0xffffffffu
#define FULL16 0xffffu
enum { STEP = 1 << 30, DATE = 1 << 5 | 1, PLAIN = 20, WIDE = 45 /* versions that a reader needs */ };

typedef struct lc_zip_entry {
    const char *name;
    uint64_t size, at; /* at: of its header */
    uint32_t crc;
} lc_zip_entry;

/* ---- bytes --------------------------------------------------------------------------------------------------------------- */

/* Records are short: they are put together here. */
typedef struct record {
    unsigned char bytes[128];
    size_t size;
} record;

static void number(record *r, uint64_t v, int size) {
    for (int i = 0; i < size; i++) r->bytes[r->size++] = (unsigned char)(v >> 8 * i);
}
static void u16(record *r, uint64_t v) { number(r, v, 2); }
static void u32(record *r, uint64_t v) { number(r, v, 4); }
static void u64(record *r, uint64_t v) { number(r, v, 8); }

static lc_status write_bytes(lc_zip_writer *z, const void *data, size_t size, lc_error *err) {
    z->at += size;
    return size ? z->sink->write(z->sink->user, data, size, err) : LC_OK;
}

static bool is_wide(const lc_zip_writer *z, uint64_t v) { return v >= (z->wide ? z->wide : FULL32); }

/* What headers and entries have in common, from the version on. */
static void common(record *r, const lc_zip_entry *e, bool wide, bool wide_size, size_t extra) {
    u16(r, wide ? WIDE : PLAIN);
    u16(r, 1u << 11); /* the name is UTF-8 */
    u16(r, 0);
    u16(r, 0);
    u16(r, DATE);
    u32(r, e->crc);
    u32(r, wide_size ? FULL32 : e->size);
    u32(r, wide_size ? FULL32 : e->size);
    u16(r, strlen(e->name));
    u16(r, extra);
}

/* ---- members ------------------------------------------------------------------------------------------------------------- */

typedef struct passing {
    lc_zip_writer *z; /* NULL: counting only */
    uint64_t size;
    uint32_t crc;
} passing;

static lc_status pass(void *user, const void *data, size_t size, lc_error *err) {
    passing *p = user;
    for (size_t i = 0; i < size; i += STEP)
        p->crc = (uint32_t)crc32(p->crc, (const unsigned char *)data + i, (uInt)(size - i < STEP ? size - i : STEP));
    p->size += size;
    return p->z ? write_bytes(p->z, data, size, err) : LC_OK;
}

lc_status lc_zip_put(lc_zip_writer *z, const char *name, lc_zip_contents contents, void *user, lc_error *err) {
    passing counted = {0}, written = {.z = z};
    if (strlen(name) >= FULL16) return lc_fail(err, LC_ARGUMENT, "a name in a zip archive has %zu bytes", strlen(name));
    LC_TRY(contents(user, &(lc_sink){.write = pass, .user = &counted}, err));
    void *items = z->entries;
    const char *copy = lc_arena_strndup(z->arena, name, strlen(name));
    if (!copy || !lc_arena_grow(z->arena, &items, &z->capacity, z->count + 1, sizeof *z->entries))
        return lc_fail_memory(err, "zip archive");
    z->entries = items;
    lc_zip_entry *e = &z->entries[z->count++];
    *e = (lc_zip_entry){copy, counted.size, z->at, counted.crc};
    const bool wide = is_wide(z, e->size);
    record r = {.size = 0};
    u32(&r, 0x04034b50);
    common(&r, e, wide, wide, wide ? 20 : 0);
    LC_TRY(write_bytes(z, r.bytes, r.size, err));
    LC_TRY(write_bytes(z, name, strlen(name), err));
    r.size = 0;
    if (wide) {
        u16(&r, 1);
        u16(&r, 16);
        u64(&r, e->size);
        u64(&r, e->size);
    }
    LC_TRY(write_bytes(z, r.bytes, r.size, err));
    LC_TRY(contents(user, &(lc_sink){.write = pass, .user = &written}, err));
    if (written.size == counted.size && written.crc == counted.crc) return LC_OK;
    lc_fail(err, LC_ARGUMENT, "'%.200s' changed while it was written", name);
    lc_error_hint(err, "do not train a model while it is being saved");
    return LC_ARGUMENT;
}

static lc_status give_block(void *user, const lc_sink *sink, lc_error *err) {
    const lc_str *block = user;
    return block->size ? sink->write(sink->user, block->data, block->size, err) : LC_OK;
}

lc_status lc_zip_put_data(lc_zip_writer *z, const char *name, const void *data, size_t size, lc_error *err) {
    lc_str block = {data, size};
    return lc_zip_put(z, name, give_block, &block, err);
}

/* ---- the directory ------------------------------------------------------------------------------------------------------- */

static lc_status put_entry(lc_zip_writer *z, const lc_zip_entry *e, lc_error *err) {
    const bool wide_size = is_wide(z, e->size), wide_at = is_wide(z, e->at);
    const size_t fields = (wide_size ? 16 : 0) + (wide_at ? 8 : 0);
    record r = {.size = 0};
    u32(&r, 0x02014b50);
    u16(&r, 3 << 8 | WIDE); /* made on Unix, whose rights stand at the end: rw------- */
    common(&r, e, fields, wide_size, fields ? 4 + fields : 0);
    u16(&r, 0);
    u16(&r, 0);
    u16(&r, 0);
    u32(&r, (uint32_t)0600 << 16);
    u32(&r, wide_at ? FULL32 : e->at);
    LC_TRY(write_bytes(z, r.bytes, r.size, err));
    LC_TRY(write_bytes(z, e->name, strlen(e->name), err));
    r.size = 0;
    if (fields) {
        u16(&r, 1);
        u16(&r, fields);
    }
    if (wide_size) {
        u64(&r, e->size);
        u64(&r, e->size);
    }
    if (wide_at) u64(&r, e->at);
    return write_bytes(z, r.bytes, r.size, err);
}

lc_status lc_zip_end(lc_zip_writer *z, lc_error *err) {
    const uint64_t begin = z->at;
    for (size_t i = 0; i < z->count; i++) LC_TRY(put_entry(z, &z->entries[i], err));
    const uint64_t end = z->at, size = end - begin;
    const bool wide_at = is_wide(z, begin), wide_size = is_wide(z, size), wide_count = z->count >= FULL16;
    record r = {.size = 0};
    if (wide_at || wide_size || wide_count) {
        u32(&r, 0x06064b50);
        u64(&r, 44);
        u16(&r, 3 << 8 | WIDE);
        u16(&r, WIDE);
        u32(&r, 0);
        u32(&r, 0);
        u64(&r, z->count);
        u64(&r, z->count);
        u64(&r, size);
        u64(&r, begin);
        u32(&r, 0x07064b50);
        u32(&r, 0);
        u64(&r, end);
        u32(&r, 1);
    }
    u32(&r, 0x06054b50);
    u16(&r, 0);
    u16(&r, 0);
    u16(&r, wide_count ? FULL16 : z->count);
    u16(&r, wide_count ? FULL16 : z->count);
    u32(&r, wide_size ? FULL32 : size);
    u32(&r, wide_at ? FULL32 : begin);
    u16(&r, 0);
    return write_bytes(z, r.bytes, r.size, err);
}
