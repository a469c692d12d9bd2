/*
 * zip.c: a reader of zip archives over the mapped file.
 *
 * The idea: the directory at the end says everything, and everything it says is checked against the rest before a member is
 * read: each local header must agree with its entry, names are unique and stay inside, and no two members share a byte. What
 * is stored is borrowed where it lies, which is how the weights of a .keras file are read in place; what is deflated is
 * inflated to exactly the stated size. DESIGN.md lists libminizip for this; it reads through its own file calls, cannot
 * lend bytes of a mapped file, and makes none of the checks above.
 *
 * Stays true: sizes are charged to the budget before memory is taken; a member larger than deflate can make from its bytes
 * (1032 from one) is refused when the directory is read, so neither one member nor the sum of all can be a bomb.
 *
 * Refuses: encrypted members, methods other than stored and deflated, several disks, data in front of the archive or
 * behind it, names that are absolute or lead upwards, members that overlap, directories that disagree.
 *
 * Spec: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3 (zip64); RFC 1951.
 */
#include "source/rules.h"
#include "source/zip.h"
#include "source/zlib_memory.h"

#include <stdlib.h>
#include <string.h>

#define ENTRY_MAGIC 0x02014b50u
#define LOCAL_MAGIC 0x04034b50u
#define END_MAGIC 0x06054b50u
#define END64_MAGIC 0x06064b50u
#define LOCATOR_MAGIC 0x07064b50u
#define DESCRIPTOR_MAGIC 0x08074b50u
#define END_SIZE 22u
#define EXPANSION 1032u
#define STEP (16u << 20) /* bytes given to zlib at a time: it counts in 32 bits */

#define BAD(NAME, at, ...) LC_SOURCE_FAIL(err, LC_INVALID, NAME, at, __VA_ARGS__)
#define SHOWN(m) (int)((m)->name.size < 200 ? (m)->name.size : 200), (m)->name.data

bool lc_zip_probe(const void *data, size_t size) {
    lc_cursor c = lc_cursor_make(data, size);
    uint32_t magic = lc_read_u32(&c);
    return !c.failed && (magic == LOCAL_MAGIC || magic == END_MAGIC);
}

/* ---- the end of the directory ---- */

typedef struct ending {
    uint64_t entries, size, offset; /* of the directory */
    uint64_t behind;                /* where what follows the directory begins */
} ending;

static lc_status damaged(uint64_t at, const char *what, lc_error *err) {
    BAD(ZIP_END, at, "the zip archive %s", what);
    lc_error_hint(err, "copy or download the file again, or save the model again");
    return LC_INVALID;
}

/* With 64-bit numbers there is a second record in front, found through a locator. */
static lc_status read_end64(const lc_cursor *file, uint64_t end_at, ending *e, lc_error *err) {
    lc_cursor c = end_at < 20 ? (lc_cursor){.failed = true} : lc_cursor_window(file, end_at - 20, 20);
    uint32_t magic = lc_read_u32(&c), disk = lc_read_u32(&c);
    uint64_t at = lc_read_u64(&c);
    uint32_t disks = lc_read_u32(&c);
    if (c.failed || magic != LOCATOR_MAGIC || disk != 0 || disks != 1)
        return damaged(end_at, "has no zip64 locator where one is needed", err);
    c = lc_cursor_window(file, at, 56);
    magic = lc_read_u32(&c);
    uint64_t size = lc_read_u64(&c), whole;
    lc_cursor_skip(&c, 4); /* versions */
    uint32_t this_disk = lc_read_u32(&c), directory_disk = lc_read_u32(&c);
    uint64_t here = lc_read_u64(&c);
    e->entries = lc_read_u64(&c);
    e->size = lc_read_u64(&c);
    e->offset = lc_read_u64(&c);
    if (c.failed || magic != END64_MAGIC || this_disk || directory_disk || here != e->entries || size < 44 ||
        !lc_add_u64(size, 12, &whole) || !lc_add_u64(whole, at, &whole) || whole != end_at - 20)
        return damaged(at, "has a malformed zip64 record", err);
    e->behind = at;
    return LC_OK;
}

static lc_status read_end(const lc_cursor *file, ending *e, lc_error *err) {
    uint64_t size = lc_cursor_left(file), at = size;
    lc_cursor c = {.failed = true};
    if (size < END_SIZE) return damaged(LC_NO_OFFSET, "is cut short", err);
    /* A comment of up to 65535 bytes may follow; the record whose comment ends with the file is the one. */
    uint64_t lowest = size - END_SIZE > 65535 ? size - END_SIZE - 65535 : 0;
    for (at = size - END_SIZE;; at--) {
        c = lc_cursor_window(file, at, END_SIZE);
        if (lc_read_u32(&c) == END_MAGIC) {
            lc_cursor comment = c;
            lc_cursor_skip(&comment, 16);
            if (lc_read_u16(&comment) == size - at - END_SIZE) break;
        }
        if (at == lowest) return damaged(LC_NO_OFFSET, "has no directory at its end: it is cut short", err);
    }
    uint16_t disk = lc_read_u16(&c), directory_disk = lc_read_u16(&c), here = lc_read_u16(&c);
    e->entries = lc_read_u16(&c);
    e->size = lc_read_u32(&c);
    e->offset = lc_read_u32(&c);
    e->behind = at;
    if (e->entries == 0xFFFF || e->size == UINT32_MAX || e->offset == UINT32_MAX) {
        if (at >= 20) {
            lc_cursor locator = lc_cursor_window(file, at - 20, 4);
            if (lc_read_u32(&locator) == LOCATOR_MAGIC) return read_end64(file, at, e, err);
        }
        if (e->offset == UINT32_MAX) return damaged(at, "has no zip64 record where one is needed", err);
    }
    if (disk || directory_disk || here != e->entries) return damaged(at, "is one of several disks", err);
    return LC_OK;
}

/* ---- entries ---- */

/* Replaces numbers that are all ones by those of the zip64 field. `extra` is the whole extra data. */
static bool read_zip64(lc_cursor extra, uint64_t *size, uint64_t *stored, uint64_t *begin) {
    bool needed = *size == UINT32_MAX || *stored == UINT32_MAX || (begin && *begin == UINT32_MAX);
    while (needed && lc_cursor_left(&extra) >= 4) {
        uint16_t id = lc_read_u16(&extra), length = lc_read_u16(&extra);
        lc_cursor field = lc_cursor_take(&extra, length);
        if (extra.failed) return false;
        if (id != 1) continue;
        if (*size == UINT32_MAX) *size = lc_read_u64(&field);
        if (*stored == UINT32_MAX) *stored = lc_read_u64(&field);
        if (begin && *begin == UINT32_MAX) *begin = lc_read_u64(&field);
        return !field.failed;
    }
    return !needed;
}

/* Relative, no empty part, no "." or "..", nothing that another system takes for a separator or a drive. */
static bool name_ok(lc_str name) {
    if (!name.size || memchr(name.data, 0, name.size) || memchr(name.data, '\\', name.size)) return false;
    if (name.size >= 2 && name.data[1] == ':') return false;
    size_t i = 0;
    while (i < name.size) {
        const char *slash = memchr(name.data + i, '/', name.size - i);
        size_t n = slash ? (size_t)(slash - name.data) - i : name.size - i;
        if (n == 0 || (n == 1 && name.data[i] == '.') || (n == 2 && name.data[i] == '.' && name.data[i + 1] == '.')) return false;
        i += n + 1; /* a '/' at the end is a folder */
    }
    return true;
}

static lc_status check_member(const lc_zip_member *m, uint16_t flags, lc_error *err) {
    uint64_t most;
    if (!name_ok(m->name)) return BAD(ZIP_NAME, m->begin, "zip member '%.*s' has a name that is not allowed", SHOWN(m));
    if (flags & (1u | 1u << 6 | 1u << 13)) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, ZIP_METHOD, m->begin, "zip member '%.*s' is encrypted", SHOWN(m));
        lc_error_hint(err, "unpack the archive with its password and zip it again");
        return LC_UNSUPPORTED;
    }
    if (m->method != 0 && m->method != 8) {
        LC_SOURCE_FAIL(err, LC_UNSUPPORTED, ZIP_METHOD, m->begin,
                       "zip member '%.*s' is compressed with method %u (known: 0 stored, 8 deflated)", SHOWN(m), m->method);
        lc_error_hint(err, "zip it again with: zip -r -0 NEW.keras .");
        return LC_UNSUPPORTED;
    }
    if (m->method == 0 && m->size != m->stored)
        return BAD(ZIP_SIZE, m->begin, "zip member '%.*s' is stored with %llu bytes but states %llu", SHOWN(m),
                   (unsigned long long)m->stored, (unsigned long long)m->size);
    if (m->method == 8 && (!lc_mul_u64(m->stored, EXPANSION, &most) || m->size > most))
        return BAD(ZIP_SIZE, m->begin, "zip member '%.*s' states %llu bytes, its %llu bytes of data cannot hold so much", SHOWN(m),
                   (unsigned long long)m->size, (unsigned long long)m->stored);
    return LC_OK;
}

/* Compares the local header with the entry and finds the data. */
static lc_status read_local(const lc_cursor *file, lc_zip_member *m, uint16_t flags, uint64_t limit, uint64_t *finish, lc_error *err) {
    lc_cursor c = *file;
    lc_cursor_skip(&c, m->begin);
    uint32_t magic = lc_read_u32(&c);
    lc_cursor_skip(&c, 2);
    uint16_t local_flags = lc_read_u16(&c), method = lc_read_u16(&c);
    lc_cursor_skip(&c, 4); /* time */
    uint32_t crc = lc_read_u32(&c);
    uint64_t stored = lc_read_u32(&c), size = lc_read_u32(&c);
    uint16_t name_size = lc_read_u16(&c), extra_size = lc_read_u16(&c);
    const uint8_t *name = lc_read_bytes(&c, name_size);
    lc_cursor extra = lc_cursor_take(&c, extra_size);
    if (c.failed || magic != LOCAL_MAGIC)
        return BAD(ZIP_LOCAL, m->begin, "zip member '%.*s' has no local header where the directory says", SHOWN(m));
    bool later = flags & 8; /* sizes and checksum follow the data */
    bool ok = read_zip64(extra, &size, &stored, NULL) && method == m->method && (local_flags & ~6u) == (flags & ~6u) &&
              lc_str_eq((lc_str){(const char *)name, name_size}, m->name);
    if (!later || crc || size || stored) ok = ok && crc == m->crc && size == m->size && stored == m->stored;
    if (!ok) return BAD(ZIP_LOCAL, m->begin, "the local header of zip member '%.*s' disagrees with the directory", SHOWN(m));
    m->at = lc_cursor_at(&c);
    lc_cursor_skip(&c, m->stored);
    if (later && !c.failed) { /* with or without its mark, with 32 or 64 bits */
        lc_cursor start = c;
        bool found = false;
        for (int form = 0; form < 4 && !found; form++) {
            c = start;
            bool marked = form < 2, wide = form & 1;
            if (marked && lc_read_u32(&c) != DESCRIPTOR_MAGIC) continue;
            uint32_t after = lc_read_u32(&c);
            stored = lc_read_uint(&c, wide ? 8 : 4);
            size = lc_read_uint(&c, wide ? 8 : 4);
            found = !c.failed && after == m->crc && size == m->size && stored == m->stored;
        }
        if (!found) return BAD(ZIP_LOCAL, m->begin, "what follows zip member '%.*s' disagrees with the directory", SHOWN(m));
    }
    *finish = lc_cursor_at(&c);
    if (c.failed || *finish > limit) return BAD(ZIP_SIZE, m->begin, "zip member '%.*s' reaches past the end of its archive", SHOWN(m));
    return LC_OK;
}

static int compare_names(const void *a, const void *b) {
    lc_str x = ((const lc_zip_member *)a)->name, y = ((const lc_zip_member *)b)->name;
    size_t n = x.size < y.size ? x.size : y.size;
    int order = n ? memcmp(x.data, y.data, n) : 0;
    return order ? order : (x.size > y.size) - (x.size < y.size);
}

typedef struct extent {
    uint64_t begin, finish;
} extent;

static int compare_extents(const void *a, const void *b) {
    uint64_t x = ((const extent *)a)->begin, y = ((const extent *)b)->begin;
    return (x > y) - (x < y);
}

static lc_status read_entries(const lc_cursor *file, const ending *e, lc_zip *zip, extent *extents, lc_error *err) {
    lc_cursor c = lc_cursor_window(file, e->offset, e->size);
    for (size_t i = 0; i < zip->count; i++) {
        lc_zip_member *m = &zip->members[i];
        uint64_t at = lc_cursor_at(&c);
        uint32_t magic = lc_read_u32(&c);
        lc_cursor_skip(&c, 4); /* versions */
        uint16_t flags = lc_read_u16(&c);
        m->method = lc_read_u16(&c);
        lc_cursor_skip(&c, 4); /* time */
        m->crc = lc_read_u32(&c);
        m->stored = lc_read_u32(&c);
        m->size = lc_read_u32(&c);
        uint16_t name_size = lc_read_u16(&c), extra_size = lc_read_u16(&c), comment_size = lc_read_u16(&c), disk = lc_read_u16(&c);
        lc_cursor_skip(&c, 6); /* attributes */
        m->begin = lc_read_u32(&c);
        const uint8_t *name = lc_read_bytes(&c, name_size);
        lc_cursor extra = lc_cursor_take(&c, extra_size);
        lc_cursor_skip(&c, comment_size);
        if (c.failed || magic != ENTRY_MAGIC || (disk != 0 && disk != 0xFFFF)) return damaged(at, "has a malformed directory entry", err);
        m->name = (lc_str){(const char *)name, name_size};
        if (!read_zip64(extra, &m->size, &m->stored, &m->begin)) return damaged(at, "has a malformed zip64 field", err);
        LC_TRY(check_member(m, flags, err));
        extents[i].begin = m->begin;
        LC_TRY(read_local(file, m, flags, e->offset, &extents[i].finish, err));
    }
    if (lc_cursor_left(&c)) return damaged(lc_cursor_at(&c), "has more in its directory than it states", err);
    return LC_OK;
}

lc_status lc_zip_open(const lc_map *map, lc_budget *budget, lc_arena *arena, lc_zip *zip, lc_error *err) {
    *zip = (lc_zip){.map = *map};
    lc_cursor file = lc_cursor_make(map->data, map->size);
    ending e = {0};
    LC_TRY(read_end(&file, &e, err));
    uint64_t end_of_directory;
    if (!lc_add_u64(e.offset, e.size, &end_of_directory) || end_of_directory != e.behind)
        return damaged(e.behind, "has a directory that does not lie where it states", err);
    /* Every entry has at least 46 bytes: a count beyond that is a lie and gets no memory. */
    if (e.entries > e.size / 46) return damaged(e.behind, "states more entries than its directory can hold", err);
    LC_TRY(lc_budget_tables(budget, e.entries, "zip members", err));
    zip->count = (size_t)e.entries;
    zip->members = lc_arena_array(arena, zip->count, sizeof *zip->members);
    extent *extents = lc_calloc(zip->count, sizeof *extents);
    lc_status status = LC_OK;
    if (!zip->members || !extents) status = lc_fail_memory(err, "zip directory");
    if (status == LC_OK) status = read_entries(&file, &e, zip, extents, err);
    if (status == LC_OK && zip->count) {
        qsort(extents, zip->count, sizeof *extents, compare_extents);
        for (size_t i = 1; i < zip->count && status == LC_OK; i++)
            if (extents[i].begin < extents[i - 1].finish)
                status = BAD(ZIP_OVERLAP, extents[i].begin, "two zip members overlap at byte %llu", (unsigned long long)extents[i].begin);
        qsort(zip->members, zip->count, sizeof *zip->members, compare_names);
        for (size_t i = 1; i < zip->count && status == LC_OK; i++)
            if (compare_names(&zip->members[i - 1], &zip->members[i]) == 0)
                status = BAD(ZIP_NAME, zip->members[i].begin, "two zip members are named '%.*s'", SHOWN(&zip->members[i]));
    }
    lc_free(extents);
    return status;
}

const lc_zip_member *lc_zip_find(const lc_zip *zip, const char *name) {
    lc_zip_member key = {.name = lc_str_of(name)};
    return zip->count ? bsearch(&key, zip->members, zip->count, sizeof key, compare_names) : NULL;
}

/* ---- contents ---- */

/* The checksum of what is left, in steps that zlib can count. */
static uint32_t checksum(lc_cursor c) {
    uLong crc = crc32(0, NULL, 0);
    while (lc_cursor_left(&c)) {
        size_t n = lc_cursor_left(&c) < STEP ? lc_cursor_left(&c) : STEP;
        crc = crc32(crc, lc_read_bytes(&c, n), (uInt)n);
    }
    return (uint32_t)crc;
}

static lc_status inflate_member(const lc_zip_member *m, lc_cursor in, uint8_t *out, size_t size, lc_error *err) {
    z_stream z = {LC_ZLIB_MEMORY};
    if (inflateInit2(&z, -15) != Z_OK) return lc_fail_memory(err, "zlib");
    int r = Z_OK;
    size_t made = 0;
    uint8_t nothing[1];
    z.next_out = size ? out : nothing;
    while (r == Z_OK) {
        if (!z.avail_in && lc_cursor_left(&in)) {
            size_t n = lc_cursor_left(&in) < STEP ? lc_cursor_left(&in) : STEP;
            z.next_in = (Bytef *)(uintptr_t)lc_read_bytes(&in, n);
            z.avail_in = (uInt)n;
        }
        if (!z.avail_out && made < size) {
            size_t n = size - made < STEP ? size - made : STEP;
            z.avail_out = (uInt)n;
            made += n;
        }
        r = inflate(&z, Z_NO_FLUSH);
    }
    bool whole = r == Z_STREAM_END && made == size && !z.avail_out && !z.avail_in && !lc_cursor_left(&in);
    inflateEnd(&z);
    if (r == Z_MEM_ERROR) return lc_fail_memory(err, "zlib");
    if (!whole)
        return BAD(ZIP_DATA, m->begin, "zip member '%.*s' does not unpack to the %llu bytes it states", SHOWN(m),
                   (unsigned long long)m->size);
    return LC_OK;
}

/* The stored bytes of a member; LC_INVALID when they reach past the archive. */
static lc_status stored_bytes(const lc_zip *zip, const lc_zip_member *m, lc_cursor *stored, size_t *size, lc_error *err) {
    lc_cursor file = lc_cursor_make(zip->map.data, zip->map.size);
    *stored = lc_cursor_window(&file, m->at, m->stored);
    if (stored->failed || !lc_u64_to_size(m->size, size))
        return BAD(ZIP_SIZE, m->begin, "zip member '%.*s' reaches past the end of its archive", SHOWN(m));
    return LC_OK;
}

static lc_status compare_checksum(const lc_zip_member *m, uint32_t crc, lc_error *err) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
    crc = m->crc; /* a fuzzer cannot guess it: in its builds it is right */
#endif
    if (crc == m->crc) return LC_OK;
    BAD(ZIP_DATA, m->begin, "the checksum of zip member '%.*s' is 0x%08x, its bytes give 0x%08x", SHOWN(m), m->crc, crc);
    lc_error_hint(err, "copy or download the file again");
    return LC_INVALID;
}

static lc_status read_inflated(const lc_zip_member *m, lc_cursor stored, size_t n, lc_budget *budget, lc_arena *arena, const uint8_t **data,
                               lc_error *err) {
    LC_TRY(lc_budget_memory(budget, m->size, "zip member", err));
    uint8_t *out = lc_arena_data(arena, n);
    if (!out) return lc_fail_memory(err, "zip member");
    LC_TRY(inflate_member(m, stored, out, n, err));
    LC_TRY(compare_checksum(m, checksum(lc_cursor_make(out, n)), err));
    *data = out;
    return LC_OK;
}

/* Pages are not given back: who uses the contents would have to fault them in again. */
static void check_half(lc_zip_check *check, int k) { check->crc[k] = checksum(check->half[k]); }

static void *check_main(void *check) {
    check_half(check, 0);
    return NULL;
}

/* From here on a thread is worth its start. */
#define THREAD_FROM ((uint64_t)4 << 20)

lc_status lc_zip_read_checking(const lc_zip *zip, const lc_zip_member *m, lc_budget *budget, lc_arena *arena, const uint8_t **data,
                               size_t *size, lc_zip_check *check, lc_error *err) {
    *data = NULL;
    *size = 0;
    lc_cursor stored;
    size_t n = 0;
    LC_TRY(stored_bytes(zip, m, &stored, &n, err));
    if (m->method == 0) {
        *check = (lc_zip_check){.member = m, .half = {[1] = stored}};
        check->half[0] = lc_cursor_take(&check->half[1], n / 2);
        *data = lc_read_bytes(&stored, n);
        check->threaded = m->size >= THREAD_FROM && pthread_create(&check->thread, NULL, check_main, check) == 0;
    } else {
        LC_TRY(read_inflated(m, stored, n, budget, arena, data, err));
    }
    *size = n;
    return LC_OK;
}

lc_status lc_zip_check_end(lc_zip_check *check, lc_error *err) {
    if (!check->member) return LC_OK;
    check_half(check, 1);
    if (check->threaded) pthread_join(check->thread, NULL);
    else check_half(check, 0);
    const lc_zip_member *m = check->member;
    check->member = NULL;
    return compare_checksum(m, (uint32_t)crc32_combine(check->crc[0], check->crc[1], (z_off_t)lc_cursor_left(&check->half[1])), err);
}

lc_status lc_zip_read(const lc_zip *zip, const lc_zip_member *m, lc_budget *budget, lc_arena *arena, const uint8_t **data, size_t *size,
                      lc_error *err) {
    lc_zip_check check = {0};
    LC_TRY(lc_zip_read_checking(zip, m, budget, arena, data, size, &check, err));
    const lc_status status = lc_zip_check_end(&check, err);
    if (status != LC_OK) {
        *data = NULL;
        *size = 0;
    }
    return status;
}
