/*
 * test_zip.c: zip archives made here byte by byte, so that each lie of a directory can be told on its own: every refusal has
 * its bad archive beside a good twin that differs in nothing else.
 */
#include "source/zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

typedef struct bytes {
    uint8_t data[4096];
    size_t size;
} bytes;

static void put(bytes *b, uint64_t v, int n) {
    for (int i = 0; i < n; i++) b->data[b->size++] = (uint8_t)(v >> 8 * i);
}
static void put_text(bytes *b, const char *s) {
    memcpy(b->data + b->size, s, strlen(s));
    b->size += strlen(s);
}

/* One member as it is told; zeros mean the truth. */
typedef struct member {
    const char *name, *text;
    uint16_t method, flags;
    bool deflate, descriptor, marked, zip64;
    const char *local_name;
    uint32_t size, stored, crc, local_size, descriptor_crc;
    int64_t begin_shift;
    /* set by make */
    uint32_t begin, true_stored, true_crc;
} member;

typedef struct archive {
    member members[4];
    size_t count;
    const char *front, *between, *behind, *comment;
    uint32_t entries_more, directory_size_more, disk;
    bool end64;
} archive;

static void make(archive *a, bytes *b) {
    b->size = 0;
    if (a->front) put_text(b, a->front);
    for (size_t i = 0; i < a->count; i++) {
        member *m = &a->members[i];
        uint8_t packed[512];
        uLongf n = (uLongf)strlen(m->text);
        memcpy(packed, m->text, n);
        if (m->deflate) {
            z_stream z = {0};
            assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
            z.next_in = (Bytef *)(uintptr_t)m->text;
            z.avail_in = (uInt)strlen(m->text);
            z.next_out = packed;
            z.avail_out = sizeof packed;
            assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
            n = z.total_out;
            deflateEnd(&z);
        }
        m->begin = (uint32_t)b->size;
        m->true_stored = (uint32_t)n;
        m->true_crc = (uint32_t)crc32(0, (const Bytef *)m->text, (uInt)strlen(m->text));
        uint16_t method = m->method ? m->method : m->deflate ? 8 : 0, flags = (uint16_t)(m->flags | (m->descriptor ? 8 : 0));
        const char *local = m->local_name ? m->local_name : m->name;
        put(b, 0x04034b50, 4), put(b, 20, 2), put(b, flags, 2), put(b, method, 2), put(b, 0, 4);
        put(b, m->descriptor ? 0 : m->true_crc, 4);
        if (m->zip64) put(b, UINT64_MAX, 8);
        else put(b, m->descriptor ? 0 : n, 4), put(b, m->descriptor ? 0 : m->local_size ? m->local_size : strlen(m->text), 4);
        put(b, strlen(local), 2), put(b, m->zip64 ? 20 : 0, 2);
        put_text(b, local);
        if (m->zip64) put(b, 1, 2), put(b, 16, 2), put(b, strlen(m->text), 8), put(b, n, 8);
        memcpy(b->data + b->size, packed, n);
        b->size += n;
        if (m->descriptor) {
            if (m->marked) put(b, 0x08074b50, 4);
            put(b, m->descriptor_crc ? m->descriptor_crc : m->true_crc, 4), put(b, n, 4), put(b, strlen(m->text), 4);
        }
        if (a->between) put_text(b, a->between);
    }
    size_t directory = b->size;
    for (size_t i = 0; i < a->count; i++) {
        member *m = &a->members[i];
        uint16_t method = m->method ? m->method : m->deflate ? 8 : 0, flags = (uint16_t)(m->flags | (m->descriptor ? 8 : 0));
        put(b, 0x02014b50, 4), put(b, 20, 2), put(b, 20, 2), put(b, flags, 2), put(b, method, 2), put(b, 0, 4);
        put(b, m->crc ? m->crc : m->true_crc, 4);
        if (m->zip64) put(b, UINT64_MAX, 8);
        else put(b, m->stored ? m->stored : m->true_stored, 4), put(b, m->size ? m->size : strlen(m->text), 4);
        put(b, strlen(m->name), 2), put(b, m->zip64 ? 20 : 0, 2), put(b, 0, 2), put(b, 0, 2), put(b, 0, 6);
        put(b, (uint64_t)((int64_t)m->begin + m->begin_shift), 4);
        put_text(b, m->name);
        if (m->zip64) put(b, 1, 2), put(b, 16, 2), put(b, strlen(m->text), 8), put(b, m->true_stored, 8);
    }
    size_t size = b->size - directory;
    if (a->end64) {
        size_t at = b->size;
        put(b, 0x06064b50, 4), put(b, 44, 8), put(b, 45, 2), put(b, 45, 2), put(b, 0, 4), put(b, 0, 4), put(b, a->count, 8),
            put(b, a->count, 8), put(b, size, 8), put(b, directory, 8);
        put(b, 0x07064b50, 4), put(b, 0, 4), put(b, at, 8), put(b, 1, 4);
    }
    put(b, 0x06054b50, 4), put(b, a->disk, 2), put(b, 0, 2);
    if (a->end64) put(b, UINT32_MAX, 4), put(b, UINT64_MAX, 8);
    else
        put(b, a->count + a->entries_more, 2), put(b, a->count + a->entries_more, 2), put(b, size + a->directory_size_more, 4),
            put(b, directory, 4);
    put(b, a->comment ? strlen(a->comment) : 0, 2);
    if (a->comment) put_text(b, a->comment);
    if (a->behind) put_text(b, a->behind);
}

typedef struct outcome {
    lc_status status;
    lc_error err;
    size_t count;
    char text[600];
    bool borrowed;
} outcome;

/* Opens, and reads the member "a". */
static outcome read_archive(const bytes *b, uint64_t max_memory) {
    outcome o = {0};
    uint8_t *exact = malloc(b->size ? b->size : 1);
    memcpy(exact, b->data, b->size);
    lc_map map = {.data = exact, .size = b->size};
    lc_budget budget;
    lc_arena arena = {0};
    lc_zip zip;
    const uint8_t *data;
    size_t size = 0;
    lc_budget_init(&budget, &(lc_limits){.max_memory = max_memory});
    lc_error_clear(&o.err);
    o.status = lc_zip_open(&map, &budget, &arena, &zip, &o.err);
    if (o.status == LC_OK) {
        o.count = zip.count;
        const lc_zip_member *m = lc_zip_find(&zip, "a");
        assert_null(lc_zip_find(&zip, "nothing"));
        if (m) o.status = lc_zip_read(&zip, m, &budget, &arena, &data, &size, &o.err);
        if (m && o.status == LC_OK) {
            memcpy(o.text, data, size < 599 ? size : 599);
            o.borrowed = data >= exact && data < exact + b->size;
        }
    }
    if (o.status != LC_OK) assert_true(o.err.message[0] != 0);
    lc_arena_deinit(&arena);
    free(exact);
    return o;
}

#define TEXT "some text that is some text that is some text that is text"
static archive good(void) { return (archive){.members = {{.name = "a", .text = TEXT}, {.name = "dir/b", .text = "other"}}, .count = 2}; }

static void expect(archive a, lc_status status, const char *text) {
    bytes b;
    make(&a, &b);
    outcome o = read_archive(&b, 1 << 20);
    if (o.status != status || (text && !strstr(o.err.message, text)))
        fail_msg("wanted %s '%s', got %s '%s'", lc_status_name(status), text ? text : "", lc_status_name(o.status), o.err.message);
    if (status == LC_OK && a.count) assert_string_equal(o.text, TEXT);
}

static void test_good(void **state) {
    (void)state;
    archive a = good();
    bytes b;
    make(&a, &b);
    assert_true(lc_zip_probe(b.data, b.size));
    outcome o = read_archive(&b, 1 << 20);
    assert_int_equal(o.status, LC_OK);
    assert_int_equal(o.count, 2);
    assert_true(o.borrowed);
    assert_string_equal(o.text, TEXT);
    a.members[0].deflate = true;
    make(&a, &b);
    o = read_archive(&b, 1 << 20);
    assert_int_equal(o.status, LC_OK);
    assert_false(o.borrowed);
    assert_string_equal(o.text, TEXT);
    a.members[0].descriptor = true;
    expect(a, LC_OK, NULL);
    a.members[0].marked = true;
    expect(a, LC_OK, NULL);
    a = good(), a.members[0].zip64 = true;
    expect(a, LC_OK, NULL);
    a.end64 = true;
    expect(a, LC_OK, NULL);
    a = good(), a.comment = "a comment";
    expect(a, LC_OK, NULL);
    a = good(), a.between = "xx"; /* gaps are allowed */
    expect(a, LC_OK, NULL);
    a = good(), a.members[1].name = "dir/", a.members[1].text = ""; /* a folder */
    expect(a, LC_OK, NULL);
    a = (archive){.count = 0};
    expect(a, LC_OK, NULL);
}

static void test_refused(void **state) {
    (void)state;
    archive a;
#define TRY(status, text, ...) a = good(), __VA_ARGS__, expect(a, status, text)
    TRY(LC_INVALID, "disagrees", a.members[0].local_name = "b");
    TRY(LC_INVALID, "disagrees", a.members[0].local_size = 7);
    TRY(LC_INVALID, "disagrees", a.members[0].crc = 7);
    TRY(LC_INVALID, "stored with", a.members[0].size = 1000);
    TRY(LC_INVALID, "stored with", a.members[0].stored = 1000);
    TRY(LC_INVALID, "cannot hold so much", a.members[0].deflate = true, a.members[0].size = 0x7FFFFFFF);
    TRY(LC_INVALID, "disagrees", a.members[0].deflate = true, a.members[0].size = 70);
    TRY(LC_INVALID, "does not unpack", a.members[0].deflate = true, a.members[0].size = 70, a.members[0].local_size = 70);
    TRY(LC_INVALID, "does not unpack", a.members[0].deflate = true, a.members[0].size = 40, a.members[0].local_size = 40);
    TRY(LC_INVALID, "what follows", a.members[0].descriptor = true, a.members[0].descriptor_crc = 5);
    TRY(LC_INVALID, "no local header", a.members[0].begin_shift = 1);
    TRY(LC_INVALID, "no local header", a.members[0].begin_shift = 0x70000000);
    TRY(LC_INVALID, "disagrees", a.members[1].begin_shift = -(int64_t)(30 + 1 + sizeof TEXT - 1));
    TRY(LC_INVALID, "two zip members are named 'a'", a.members[1].name = "a");
    TRY(LC_UNSUPPORTED, "encrypted", a.members[0].flags = 1);
    TRY(LC_UNSUPPORTED, "encrypted", a.members[0].flags = 1 << 13);
    TRY(LC_UNSUPPORTED, "method 12", a.members[0].method = 12);
    TRY(LC_INVALID, "not allowed", a.members[0].name = "/a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "../a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "x/../a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "x//a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "x\\a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "C:a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "./a");
    TRY(LC_INVALID, "not allowed", a.members[0].name = "");
    TRY(LC_INVALID, "directory", a.entries_more = 1);
    TRY(LC_INVALID, "more entries than", a.entries_more = 60000);
    TRY(LC_INVALID, "directory", a.entries_more = (uint32_t)-1);
    TRY(LC_INVALID, "directory", a.directory_size_more = 1);
    TRY(LC_INVALID, "directory", a.directory_size_more = (uint32_t)-1);
    TRY(LC_INVALID, "disks", a.disk = 1);
    TRY(LC_INVALID, "directory", a.behind = "more");
#undef TRY
    /* Data in front moves everything: the directory no longer lies where it says. */
    bytes b, moved;
    a = good();
    make(&a, &b);
    moved.size = b.size + 5;
    memcpy(moved.data, "front", 5);
    memcpy(moved.data + 5, b.data, b.size);
    assert_int_equal(read_archive(&moved, 1 << 20).status, LC_INVALID);
}

/* Two entries with one local header: they share their bytes. Built by hand, since their names must agree with the header. */
static void test_overlap(void **state) {
    (void)state;
    archive a = good();
    bytes b;
    make(&a, &b);
    /* Put a whole second local member inside the first one's data. */
    archive inner = {.members = {{.name = "c", .text = "x"}}, .count = 1};
    bytes in;
    make(&inner, &in);
    size_t length = 30 + 1 + 1; /* its local header, name and data */
    char hidden[64];
    memcpy(hidden, in.data, length);
    memset(b.data, 0, sizeof b.data);
    b.size = 0;
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)hidden, (uInt)length);
    put(&b, 0x04034b50, 4), put(&b, 20, 2), put(&b, 0, 2), put(&b, 0, 2), put(&b, 0, 4), put(&b, crc, 4), put(&b, length, 4),
        put(&b, length, 4), put(&b, 1, 2), put(&b, 0, 2), put_text(&b, "a");
    memcpy(b.data + b.size, hidden, length);
    b.size += length;
    size_t directory = b.size;
    for (int i = 0; i < 2; i++) {
        uint32_t n = i ? 1 : (uint32_t)length, sum = i ? (uint32_t)crc32(0, (const Bytef *)"x", 1) : crc;
        put(&b, 0x02014b50, 4), put(&b, 20, 2), put(&b, 20, 2), put(&b, 0, 2), put(&b, 0, 2), put(&b, 0, 4), put(&b, sum, 4), put(&b, n, 4),
            put(&b, n, 4);
        put(&b, 1, 2), put(&b, 0, 2), put(&b, 0, 2), put(&b, 0, 2), put(&b, 0, 6), put(&b, i ? 31 : 0, 4), put_text(&b, i ? "c" : "a");
    }
    size_t size = b.size - directory;
    put(&b, 0x06054b50, 4), put(&b, 0, 4), put(&b, 2, 2), put(&b, 2, 2), put(&b, size, 4), put(&b, directory, 4), put(&b, 0, 2);
    outcome o = read_archive(&b, 1 << 20);
    assert_int_equal(o.status, LC_INVALID);
    assert_non_null(strstr(o.err.message, "overlap"));
}

static void test_checksum_and_budget(void **state) {
    (void)state;
    archive a = good();
    bytes b;
    make(&a, &b);
    uint8_t *text = memmem(b.data, b.size, "some", 4);
    text[0] ^= 1;
    outcome o = read_archive(&b, 1 << 20);
    assert_int_equal(o.status, LC_INVALID);
    assert_non_null(strstr(o.err.message, "checksum of zip member 'a'"));
    a.members[0].deflate = true;
    make(&a, &b);
    assert_int_equal(read_archive(&b, 10).status, LC_LIMIT); /* less than the text */
    assert_int_equal(read_archive(&b, 1 << 20).status, LC_OK);
}

static void test_every_byte(void **state) {
    (void)state;
    archive a = good();
    a.members[0].deflate = true, a.members[1].zip64 = true;
    a.end64 = true;
    bytes b, c;
    make(&a, &b);
    for (size_t size = 0; size < b.size; size++) {
        c = b;
        c.size = size;
        assert_true(read_archive(&c, 1 << 20).status != LC_OK);
    }
    for (size_t i = 0; i < b.size; i++)
        for (int bit = 0; bit < 8; bit++) {
            c = b;
            c.data[i] ^= (uint8_t)(1 << bit);
            outcome o = read_archive(&c, 1 << 20);
            if (o.status == LC_OK && o.text[0] && strcmp(o.text, TEXT) != 0) fail_msg("byte %zu bit %d: other text '%s'", i, bit, o.text);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_overlap),    cmocka_unit_test(test_checksum_and_budget),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
