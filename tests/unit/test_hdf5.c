/*
 * test_hdf5.c: the HDF5 reader against files that h5py wrote (tests/oracle/make_h5_cases.py says what is in them): every
 * dataset and attribute of every library version, what must be refused and by which rule, files cut short and bytes turned
 * around at every place, and allocations that fail.
 *
 * With LC_H5_BIG=DIR the large cases of that script (--big DIR) are read too.
 */
#include "source/hdf5_impl.h" /* lc_h5_lookup3 */
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA LC_TEST_DIR "/data/hdf5/"

typedef struct reading {
    lc_map map;
    lc_budget budget;
    lc_arena arena;
    lc_h5 *h5;
    lc_error err;
} reading;

static lc_status begin_bytes(reading *r, const void *data, size_t size) {
    lc_limits limits = {.max_memory = 64u << 20};
    lc_budget_init(&r->budget, &limits);
    r->arena = (lc_arena){0};
    lc_error_clear(&r->err);
    return lc_h5_open(data, size, 0, &r->budget, &r->arena, &r->arena, &r->h5, &r->err);
}

static void begin(reading *r, const char *path) {
    assert_int_equal(lc_map_open(&r->map, path, NULL, &r->err), LC_OK);
    if (begin_bytes(r, r->map.data, r->map.size) != LC_OK) fail_msg("%s: %s", path, r->err.message);
}

static void end(reading *r) {
    lc_arena_deinit(&r->arena);
    lc_map_close(&r->map);
}

static double number_at(const lc_h5_value *v, size_t i) {
    const uint8_t *p = v->data + i * v->type.size;
    uint64_t u = 0;
    memcpy(&u, p, v->type.size);
    switch (v->type.dtype) {
    case LC_FLOAT32: {
        float f;
        memcpy(&f, p, 4);
        return f;
    }
    case LC_FLOAT64: {
        double d;
        memcpy(&d, p, 8);
        return d;
    }
    case LC_FLOAT16: { /* small whole numbers only */
        double m = (double)(u & 0x3FF) / 1024 + 1;
        int e = (int)(u >> 10 & 31) - 15;
        if (!(u & 0x7FFF)) return 0;
        for (; e > 0; e--) m *= 2;
        for (; e < 0; e++) m /= 2;
        return u >> 15 ? -m : m;
    }
    case LC_INT8: return (int8_t)u;
    case LC_INT16: return (int16_t)u;
    case LC_INT32: return (int32_t)u;
    case LC_INT64: return (double)(int64_t)u;
    default: return (double)u;
    }
}

static void check_values(const char *name, const char *path, const lc_h5_value *v) {
    bool fill = strncmp(name, "fill", 4) == 0, some = strncmp(name, "fill_some", 9) == 0;
    bool is_unsigned = v->type.dtype == LC_UINT8 || v->type.dtype == LC_UINT16 || v->type.dtype == LC_UINT32 || v->type.dtype == LC_UINT64;
    assert_int_equal(v->size, v->count * v->type.size);
    for (size_t i = 0; i < v->count; i++) {
        double want = (double)(i * 7 % 101), got = number_at(v, i);
        if (v->type.dtype == LC_BOOL) want = (double)(i * 7 % 101 % 2);
        else if (!is_unsigned) want -= 50;
        if (fill && !(some && i < 10)) want = -3.5;
        if (got != want) fail_msg("%s[%zu] is %g, should be %g", path, i, got, want);
    }
}

static void check_strings(reading *r, lc_h5_object *o, const char *name, size_t n) {
    lc_h5_value v;
    bool found;
    lc_str *s;
    size_t count;
    assert_int_equal(lc_h5_attribute(r->h5, o, name, &v, &found, &r->err), LC_OK);
    if (!found) fail_msg("%s has no attribute %s", lc_h5_path(o), name);
    if (lc_h5_strings(r->h5, &v, name, &s, &count, &r->err) != LC_OK) fail_msg("%s: %s", name, r->err.message);
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++) {
        char want[80];
        snprintf(want, sizeof want, "%s %zu", name, i);
        if (!lc_str_has_prefix(s[i], want)) fail_msg("%s[%zu] is '%.*s'", name, i, (int)s[i].size, s[i].data);
    }
}

/* Reads everything below a group. Returns how many datasets there were. */
static size_t check_group(reading *r, lc_h5_object *group, int depth) {
    const lc_h5_link *links;
    size_t count, datasets = 0;
    if (lc_h5_links(r->h5, group, &links, &count, &r->err) != LC_OK) fail_msg("%s: %s", lc_h5_path(group), r->err.message);
    for (size_t i = 0; i < count; i++) {
        lc_h5_object *o;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)links[i].name.size, links[i].name.data);
        if (lc_h5_follow(r->h5, group, &links[i], &o, &r->err) != LC_OK) fail_msg("%s: %s", name, r->err.message);
        if (lc_h5_is_group(o)) {
            if (depth < 8) datasets += check_group(r, o, depth + 1);
            continue;
        }
        lc_h5_value v;
        if (lc_h5_read(r->h5, o, &v, &r->err) != LC_OK) fail_msg("%s: %s", lc_h5_path(o), r->err.message);
        check_values(name, lc_h5_path(o), &v);
        datasets++;
    }
    return datasets;
}

static void check_attributes(reading *r, const char *path, int many) {
    lc_h5_object *o;
    lc_h5_value v;
    bool found;
    lc_str *s;
    size_t n;
    assert_int_equal(lc_h5_get(r->h5, lc_h5_root(r->h5), lc_str_of(path), &o, &r->err), LC_OK);
    check_strings(r, o, "one", 1);
    check_strings(r, o, "bytes", 1);
    check_strings(r, o, "fixed", 5);
    check_strings(r, o, "long", 300);
    check_strings(r, o, "vlen", 40);
    for (int k = 0; k < many; k++) {
        char name[16];
        snprintf(name, sizeof name, "a%d", k);
        check_strings(r, o, name, 1);
    }
    assert_int_equal(lc_h5_attribute(r->h5, o, "number", &v, &found, &r->err), LC_OK);
    assert_true(found);
    assert_int_equal(v.type.dtype, LC_FLOAT32);
    assert_true(number_at(&v, 0) == 2.5);
    assert_int_equal(lc_h5_strings(r->h5, &v, "number", &s, &n, &r->err), LC_INVALID);
    assert_int_equal(lc_h5_attribute(r->h5, o, "empty", &v, &found, &r->err), LC_OK);
    assert_true(found);
    assert_int_equal(lc_h5_strings(r->h5, &v, "empty", &s, &n, &r->err), LC_OK);
    assert_int_equal(n, 0);
    assert_int_equal(lc_h5_attribute(r->h5, o, "absent", &v, &found, &r->err), LC_OK);
    assert_false(found);
}

static void test_versions(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t datasets;
    } files[] = {{DATA "earliest.h5", 0}, {DATA "v108.h5", 0}, {DATA "latest.h5", 0}, {DATA "userblock.h5", 1}};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        reading r;
        begin(&r, files[i].file);
        size_t n = check_group(&r, lc_h5_root(r.h5), 0);
        assert_int_equal(n, files[i].datasets ? 66 : 86);
        check_attributes(&r, "a/b/c/d", 0);
        check_attributes(&r, "/links", 30);
        end(&r);
    }
}

static void test_borrowed(void **state) {
    (void)state;
    reading r;
    lc_h5_object *o;
    lc_h5_value v;
    begin(&r, DATA "userblock.h5");
    assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("shapes/r4"), &o, &r.err), LC_OK);
    assert_int_equal(lc_h5_read(r.h5, o, &v, &r.err), LC_OK);
    assert_true(v.data > r.map.data && v.data < r.map.data + r.map.size); /* in place */
    assert_ptr_equal(v.data, r.map.data + v.at);
    assert_int_equal(v.rank, 4);
    assert_int_equal(v.dims[3], 4);
    assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("shapes/nothing"), &o, &r.err), LC_NOT_FOUND);
    assert_non_null(strstr(r.err.message, "has no 'shapes/nothing'"));
    assert_int_equal(lc_h5_find(r.h5, lc_h5_root(r.h5), LC_STR("shapes/nothing"), &o, &r.err), LC_OK);
    assert_null(o);
    assert_int_equal(lc_h5_find(r.h5, lc_h5_root(r.h5), LC_STR("shapes/r4/x"), &o, &r.err), LC_INVALID);
    end(&r);
}

static void test_long_attributes(void **state) {
    (void)state;
    reading r;
    begin(&r, DATA "long_old.h5");
    check_strings(&r, lc_h5_root(r.h5), "model_config", 1);
    end(&r);
    begin(&r, DATA "long_new.h5");
    check_strings(&r, lc_h5_root(r.h5), "model_config", 1);
    check_strings(&r, lc_h5_root(r.h5), "other", 1);
    check_strings(&r, lc_h5_root(r.h5), "small", 1);
    end(&r);
}

static void test_loop(void **state) {
    (void)state;
    reading r;
    lc_h5_object *o;
    lc_h5_value v;
    begin(&r, DATA "loop.h5");
    assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("a/self/self/up/a/x"), &o, &r.err), LC_OK);
    assert_int_equal(lc_h5_read(r.h5, o, &v, &r.err), LC_OK);
    check_values("x", "x", &v);
    end(&r);
}

static void test_refusals(void **state) {
    (void)state;
    static const struct {
        const char *name, *rule, *text;
        lc_status status;
    } bad[] = {
        {"soft_link", "H5-LINK", "'/bad' is a soft link", LC_UNSUPPORTED},
        {"external_link", "H5-LINK", "'/bad' is an external link", LC_UNSUPPORTED},
        {"external_storage", "H5-STORAGE", "external storage", LC_UNSUPPORTED},
        {"virtual", "H5-STORAGE", "virtual dataset", LC_UNSUPPORTED},
        {"lzf", "H5-FILTER", "(lzf)", LC_UNSUPPORTED},
        {"scaleoffset", "H5-FILTER", "(scaleoffset)", LC_UNSUPPORTED},
        {"compound", "H5-TYPE", "compound", LC_UNSUPPORTED},
        {"complex", "H5-TYPE", "'/bad' is of type", LC_UNSUPPORTED},
        {"committed_type", "H5-SHARED", "datatype is shared", LC_UNSUPPORTED},
        {"shape_bomb", "H5-BOMB", "more data than any compression", LC_LIMIT},
        {"chunk_bomb", "H5-BOMB", "more data than any compression", LC_LIMIT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char path[512];
        snprintf(path, sizeof path, DATA "bad_%s.h5", bad[i].name);
        reading r;
        lc_h5_object *o;
        lc_h5_value v;
        begin(&r, path);
        lc_status status = lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("bad"), &o, &r.err);
        if (status == LC_OK) status = lc_h5_read(r.h5, o, &v, &r.err);
        if (status != bad[i].status || strcmp(r.err.rule, bad[i].rule) || !strstr(r.err.message, bad[i].text))
            fail_msg("%s: %s %s %s", bad[i].name, lc_status_name(status), r.err.rule, r.err.message);
        end(&r);
    }
}

/* Walks all there is without looking at the values; errors are fine, crashes are not. Returns the first error. */
static lc_status walk(reading *r, lc_h5_object *group, int depth) {
    const lc_h5_link *links;
    size_t count;
    lc_status first = LC_OK;
    LC_TRY(lc_h5_links(r->h5, group, &links, &count, &r->err));
    for (size_t i = 0; i < count; i++) {
        lc_h5_object *o;
        lc_h5_value v;
        bool found;
        lc_str *s;
        size_t n;
        lc_status status = lc_h5_follow(r->h5, group, &links[i], &o, &r->err);
        if (status == LC_OK) {
            static const char *const names[] = {"one", "fixed", "long", "vlen", "model_config"};
            for (size_t k = 0; k < sizeof names / sizeof *names && status == LC_OK; k++) {
                status = lc_h5_attribute(r->h5, o, names[k], &v, &found, &r->err);
                if (status == LC_OK && found) status = lc_h5_strings(r->h5, &v, names[k], &s, &n, &r->err);
            }
            if (status == LC_OK && lc_h5_is_group(o)) status = depth < 6 ? walk(r, o, depth + 1) : LC_OK;
            else if (status == LC_OK) status = lc_h5_read(r->h5, o, &v, &r->err);
        }
        if (status == LC_NO_MEMORY) return status;
        if (first == LC_OK) first = status;
    }
    return first;
}

static lc_status walk_bytes(const void *data, size_t size, lc_error *err) {
    reading r = {0};
    lc_status status = begin_bytes(&r, data, size);
    if (status == LC_OK) status = walk(&r, lc_h5_root(r.h5), 0);
    if (err) *err = r.err;
    if (status != LC_OK && !r.err.message[0]) status = LC_ARGUMENT; /* an error without a message: never */
    lc_arena_deinit(&r.arena);
    return status;
}

static void test_truncated(void **state) {
    (void)state;
    static const char *const files[] = {DATA "latest.h5", DATA "earliest.h5", DATA "long_old.h5"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        lc_map map;
        assert_int_equal(lc_map_open(&map, files[f], NULL, NULL), LC_OK);
        size_t step = map.size > 10000 ? 997 : 7;
        for (size_t size = 0; size < map.size; size += step) {
            uint8_t *copy = malloc(size ? size : 1); /* so that a read past the end is seen */
            memcpy(copy, map.data, size);
            lc_error err;
            lc_status status = walk_bytes(copy, size, &err);
            if (status == LC_OK || status == LC_ARGUMENT) fail_msg("%s cut to %zu bytes: %s", files[f], size, lc_status_name(status));
            free(copy);
        }
        lc_map_close(&map);
    }
}

/* One byte after the other is changed. In a version 2 file every metadata byte is under a checksum. */
static void test_flipped(void **state) {
    (void)state;
    static const char *const files[] = {DATA "latest.h5", DATA "v108.h5", DATA "earliest.h5", DATA "loop.h5"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        lc_map map;
        assert_int_equal(lc_map_open(&map, files[f], NULL, NULL), LC_OK);
        uint8_t *copy = malloc(map.size);
        memcpy(copy, map.data, map.size);
        size_t step = map.size / 150 + 1;
        for (size_t i = 0; i < map.size; i += step) {
            copy[i] ^= (uint8_t)(1u << i % 8);
            lc_status status = walk_bytes(copy, map.size, NULL);
            if (status == LC_ARGUMENT) fail_msg("%s: no message with byte %zu turned", files[f], i);
            copy[i] = map.data[i];
        }
        free(copy);
        lc_map_close(&map);
    }
}

static void test_checksums(void **state) {
    (void)state;
    lc_map map;
    assert_int_equal(lc_map_open(&map, DATA "long_new.h5", NULL, NULL), LC_OK);
    uint8_t *copy = malloc(map.size);
    memcpy(copy, map.data, map.size);
    lc_error err;
    /* The superblock is 48 bytes with its checksum, and so is every block behind it. */
    for (size_t i = 8; i < 44; i++) {
        copy[i] ^= 1;
        lc_status status = walk_bytes(copy, map.size, &err);
        if (status == LC_OK) fail_msg("byte %zu of the superblock is not checked", i);
        copy[i] ^= 1;
    }
    static const char *const blocks[] = {"OHDR", "FRHP", "FHDB", "BTHD", "BTLF"};
    for (size_t b = 0; b < sizeof blocks / sizeof *blocks; b++) {
        uint8_t *p = memmem(copy, map.size, blocks[b], 4);
        assert_non_null(p);
        p[5] ^= 0x40; /* version or what follows */
        reading r = {0};
        lc_h5_value v;
        bool found;
        lc_status status = begin_bytes(&r, copy, map.size);
        if (status == LC_OK) status = lc_h5_attribute(r.h5, lc_h5_root(r.h5), "small", &v, &found, &r.err);
        if (status == LC_OK) fail_msg("a damaged %s block is accepted", blocks[b]);
        lc_arena_deinit(&r.arena);
        p[5] ^= 0x40;
    }
    free(copy);
    lc_map_close(&map);
}

/* ---- one wrong number at a time ---- */

static size_t from_hex(const char *hex, uint8_t *out) {
    size_t n = 0;
    for (const char *p = hex; *p; p += p[1] == ' ' ? 2 : 1) {
        unsigned v;
        if (*p == ' ') continue;
        assert_int_equal(sscanf(p, "%2x", &v), 1);
        out[n++] = (uint8_t)v;
        p++;
        if (!*p) break;
    }
    return n;
}

/* Puts the right checksum behind a block, for files of the new format. */
static void seal(uint8_t *block, size_t size) {
    uint32_t sum = lc_h5_lookup3(block, size - 4, SIZE_MAX);
    for (int i = 0; i < 4; i++) block[size - 4 + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

typedef struct patch {
    const char *file;       /* of the fuzzer's seeds */
    const char *path;       /* read (a dataset) or listed (a group), with its attributes */
    const char *find, *put; /* bytes in hex; the first place where `find` is gets `put` */
    size_t seal;            /* bytes of the block that begins at that place, whose checksum is made right; 0: none */
    lc_status status;
    const char *text; /* in the message, or the rule */
} patch;

static lc_status read_object(reading *r, const char *path) {
    lc_h5_object *o;
    lc_h5_value v;
    bool found;
    lc_str *strings;
    const lc_h5_link *links;
    size_t n;
    LC_TRY(lc_h5_get(r->h5, lc_h5_root(r->h5), lc_str_of(path), &o, &r->err));
    LC_TRY(lc_h5_attribute(r->h5, o, "nothing", &v, &found, &r->err));
    LC_TRY(lc_h5_attribute(r->h5, o, "vlen", &v, &found, &r->err));
    if (found) LC_TRY(lc_h5_strings(r->h5, &v, "vlen", &strings, &n, &r->err));
    return lc_h5_is_group(o) ? lc_h5_links(r->h5, o, &links, &n, &r->err) : lc_h5_read(r->h5, o, &v, &r->err);
}

#define TYPE "11201f00 04000000 00002000 17080017 7f000000"
#define TREE1 "03020278 05000000 00000002 00000004 000000"
static const patch patches[] = {
    /* layouts of versions 1 and 2, as files of HDF5 1.4 have them */
    {"few_old", "g/h", "0301 0018000000000000 0c00000000000000", "01010100 00000000 0018000000000000 03000000", 0, LC_OK, "h"},
    {"few_old", "b", "0301 0c18000000000000 0100000000000000", "02000000 00000000 01000000 00", 0, LC_OK, NULL},
    {"tree1_flat", "d", TREE1, "02020200 00000000 7805000000000000 02000000 04000000", 0, LC_OK, "d"},
    {"tree1_flat", "d", TREE1, "02020500 00000000 7805000000000000", 0, LC_UNSUPPORTED, "class 5"},
    /* layouts */
    {"tree1_flat", "d", TREE1, "0302027805000000000000020000000400000000", 0, LC_OK, "d"},
    {"tree1_flat", "d", TREE1, "09", 0, LC_UNSUPPORTED, "version 9"},
    {"tree1_flat", "d", TREE1, "0303", 0, LC_UNSUPPORTED, "virtual dataset"},
    {"tree1_flat", "d", TREE1, "030203", 0, LC_INVALID, "has 1 dimensions, its chunks have 2"},
    {"tree1_flat", "d", TREE1, "0302027805000000000000000000000400000000", 0, LC_INVALID, "chunks whose dimension 0 is 0"},
    {"tree1_flat", "d", TREE1, "0302027805000000000000020000000800000000", 0, LC_INVALID, "its chunks have elements of 8"},
    {"tree1_flat", "d", TREE1, "0302027805000000000000ffffffff0400000000", 0, LC_LIMIT, "H5-BOMB"},
    {"tree1_flat", "d", TREE1, "030202ffffff00000000000200000004000000", 0, LC_INVALID, "past the end of the file"},
    {"few_old", "g/h", "0301 0018000000000000 0c00000000000000", "0301 0018000000000000 0d00000000000000", 0, LC_INVALID,
     "needs 12 bytes, 13 are stored"},
    {"few_old", "g/h", "0301 0018000000000000 0c00000000000000", "0301 00f8000000000000 0c00000000000000", 0, LC_INVALID,
     "past the end of the file"},
    {"few_old", "g/h", "0301 0018000000000000 0c00000000000000", "0301 ffffffffffffffff 0c00000000000000", 0, LC_OK, NULL},
    /* datatypes */
    {"twins", "a", TYPE, "11201f00 00000000", 0, LC_INVALID, "has size 0"},
    {"twins", "a", TYPE, "1f", 0, LC_INVALID, "class 15"},
    {"twins", "a", TYPE, "01", 0, LC_INVALID, "version 0"},
    {"twins", "a", TYPE, "11203f00 04000000 00002000 17080017 7e", 0, LC_UNSUPPORTED, "of type float of unusual"},
    {"twins", "a", TYPE, "11601f", 0, LC_UNSUPPORTED, "of type float of unusual"},
    {"twins", "a", TYPE, "10000000 03000000 00001800", 0, LC_UNSUPPORTED, "of type integer of unusual"},
    {"twins", "a", TYPE, "13030000 04000000", 0, LC_INVALID, "string type with padding 3"},
    {"twins", "a", TYPE, "13010000 04000000", 0, LC_UNSUPPORTED, "of type string"},
    {"twins", "a", TYPE, "19010000 04000000", 0, LC_INVALID, "variable-length string of 4 bytes"},
    {"twins", "a", TYPE, "17", 0, LC_UNSUPPORTED, "of type reference"},
    {"twins", "a", TYPE, "15", 0, LC_OK, NULL}, /* bytes: for whoever knows what they are */
    {"few_old", "b", "54525545 00", "5452554500000000 0002", 0, LC_UNSUPPORTED, "of type enum"},
    /* dataspaces */
    {"twins", "a", "01010100 00000000 f4010000", "03", 0, LC_INVALID, "dataspace of version 3"},
    {"twins", "a", "01010100 00000000 f4010000", "0121", 0, LC_INVALID, "33 dimensions"},
    {"twins", "a", "01010100 00000000 f4010000", "010102", 0, LC_INVALID, "permutation"},
    {"twins", "a", "01010100 00000000 f4010000", "0103", 0, LC_INVALID, "H5-SPACE"},
    {"twins", "a", "01010100 00000000 f4010000", "01010100 00000000 f501000000000000", 0, LC_INVALID, "more than its maximum"},
    {"twins", "a", "01010100 00000000 f4010000 00000000 f4010000 00000000", "01020000 00000000 0000000001000000 0000000001000000", 0,
     LC_INVALID, "overflows"},
    {"twins", "a", "01010100 00000000 f4010000 00000000 f4010000 00000000", "01010100 00000000 0000000000000040 ffffffffffffffff", 0,
     LC_INVALID, "overflows"},
    {"twins", "a", "01010100 00000000 f4010000 00000000 f4010000 00000000", "01010100 00000000 0000000000000010 ffffffffffffffff", 0,
     LC_INVALID, "needs 4611686018427387904 bytes"},
    /* fill values */
    {"fill_old", "fill", "05001000 01000000 0202020104000000000060c0", "04001000 01000000 04000000000060c0", 0, LC_OK, "fill"},
    {"fill_old", "fill", "0202020104000000000060c0", "0102020104000000000060c0", 0, LC_OK, "fill"},
    {"fill_old", "fill", "0202020104000000000060c0", "0402020104000000000060c0", 0, LC_INVALID, "version 4"},
    {"fill_old", "fill", "0202020104000000000060c0", "0202020102000000", 0, LC_INVALID, "has 2 bytes, its elements have 4"},
    {"fill_old", "fill", "0202020104000000000060c0", "02020201f0000000", 0, LC_INVALID, "fill value of '/fill' is cut short"},
    {"fill_old", "fill", "0202020104000000000060c0", "0202020002000000", 0, LC_OK, NULL},
    {"fill_old", "fill", "0202020104000000000060c0", "02020201ffffffff", 0, LC_OK, NULL},
    /* object headers */
    {"twins", "a", "08001800 00000000 0301", "0800f000", 0, LC_INVALID, "does not fit into its block"},
    {"twins", "a", "08001800 00000000 0301", "00", 0, LC_INVALID, "expected"},
    {"twins", "a", "08001800 00000000 0301", "08001800 02", 0, LC_UNSUPPORTED, "layout is shared"},
    {"twins", "a", "08001800 00000000 0301", "99001800 80", 0, LC_UNSUPPORTED, "unknown type 0x99"},
    {"twins", "a", "03001800 01000000" TYPE, "00", 0, LC_INVALID, "has no datatype"},
    {"few_old", "/", "10001000 00000000 2003000000000000 c800000000000000", "10001000 00000000 7000000000000000 1800000000000000", 0,
     LC_INVALID, "circle"},
    {"few_old", "/", "10001000 00000000 2003000000000000 c800000000000000", "10001000 00000000 2003000000000000 c800000000000001", 0,
     LC_INVALID, "circle"},
    {"few_old", "/", "10001000 00000000 2003000000000000 c800000000000000", "10000800", 0, LC_INVALID, "H5-HEADER"},
    /* superblock */
    {"twins", "a", "894844460d0a1a0a 00", "894844460d0a1a0a 04", 0, LC_UNSUPPORTED, "superblock version 4"},
    {"twins", "a", "894844460d0a1a0a 00000000 000808", "894844460d0a1a0a 00000000 000308", 0, LC_INVALID, "addresses of 3 bytes"},
    {"twins", "a", "ffffffffffffffff a017000000000000", "ffffffffffffffff a117000000000000", 0, LC_INVALID, "cut short"},
    {"twins", "a", "a017000000000000 ffffffffffffffff", "a017000000000000 2000000000000000", 0, LC_UNSUPPORTED, "split over several files"},
    /* groups */
    {"few_old", "/", "54524545 00", "54524546", 0, LC_INVALID, "no 'TREE' block"},
    {"few_old", "/", "54524545 00", "54524545 01", 0, LC_INVALID, "H5-BTREE"},
    {"few_old", "/", "54524545 0000", "54524545 0021", 0, LC_INVALID, "level 33"},
    {"few_old", "/", "54524545 0000", "54524545 0001", 0, LC_INVALID, "no 'TREE' block"},
    {"few_old", "/", "54524545 0000 0100", "54524545 0000 ffff", 0, LC_INVALID, "H5-"},
    {"few_old", "/", "534e4f44 01", "534e4f44 02", 0, LC_INVALID, "symbol table node"},
    {"few_old", "/", "534e4f44 0100 0200", "534e4f44 0100 ffff", 0, LC_INVALID, "H5-"},
    {"few_old", "/", "48454150 00", "48454150 01", 0, LC_INVALID, "local heap"},
    {"few_old", "g", "11001000 00000000 2005000000000000", "11000800 00000000 2005000000000000", 0, LC_INVALID, "cut short"},
    /* attributes */
    {"few_old", "/", "01000500 14001800 766c656e", "04", 0, LC_INVALID, "version 4"},
    {"few_old", "/", "01000500 14001800 766c656e", "0100ff00", 0, LC_INVALID, "cut short or has no name"},
    {"few_old", "/", "01000500 14001800 766c656e 00000000", "01000500 14001800 766c656e 61", 0, LC_INVALID, "cut short or has no name"},
    {"few_old", "/", "01010100 00000000 02000000 00000000 02000000 00000000 06000000", "01010000 00000000 05000000", 0, LC_INVALID,
     "states more data"},
    {"few_old", "/", "6c617965725f6e616d657300", "766c656e00000000000000", 0, LC_INVALID, "two attributes named 'vlen'"},
    /* the global heap */
    {"few_old", "/", "47434f4c 01", "47434f4c 02", 0, LC_INVALID, "collection is malformed"},
    {"few_old", "/", "47434f4c 01000000 0010", "47434f4c 01000000 00f0", 0, LC_INVALID, "collection is malformed"},
    {"few_old", "/", "06000000 0008 000000000000 02000000", "06000000 0008 000000000000 09000000", 0, LC_INVALID,
     "heap object 9 is not there"},
    {"few_old", "/", "06000000 0008 000000000000 02000000", "06010000 0008 000000000000 02000000", 0, LC_INVALID, "string of 262 bytes"},
    {"few_old", "/", "0100 0000 00000000 0600000000000000 766c656e", "0100 0000 00000000 06f0000000000000", 0, LC_INVALID,
     "does not fit into its global heap"},
    /* chunks */
    {"tree1_flat", "d", "54524545 01", "54524545 00", 0, LC_INVALID, "chunk B-tree"},
    {"tree1_flat", "d", "54524545 0100", "54524545 0122", 0, LC_INVALID, "level 34"},
    {"tree1_flat", "d", "08000000 00000000 0200000000000000", "08000000 00000000 0300000000000000", 0, LC_INVALID,
     "does not lie on the grid"},
    {"tree1_flat", "d", "08000000 00000000 0200000000000000", "08000000 00000000 0000000000000000", 0, LC_INVALID,
     "two chunks for one place"},
    {"tree1_flat", "d", "08000000 00000000 0200000000000000", "07000000 00000000 0200000000000000", 0, LC_INVALID,
     "holds 7 bytes, 8 are expected"},
    {"tree1_flat", "d", "08000000 00000000 0200000000000000", "08000000 00000000 2000000000000000", 0, LC_OK, NULL}, /* outside: ignored */
    {"fixed", "d", "46414844 00", "46414844 01", 28, LC_INVALID, "fixed array's header"},
    {"fixed", "d", "46414844 0000", "46414844 0001", 28, LC_INVALID, "fixed array's header"},
    {"fixed", "d", "46414844 000008", "46414844 000009", 28, LC_INVALID, "fixed array's header"},
    {"fixed", "d", "46414844 0000080a 06", "46414844 0000080a 05", 28, LC_INVALID, "H5-CHECKSUM"},
    {"fixed", "d", "46414844 0000080a 06", "46414844 00000801 06", 28, LC_INVALID, "H5-"},
    {"extensible", "d", "45414844 00", "45414844 01", 72, LC_INVALID, "extensible array's header"},
    {"extensible", "d", "45414844 0000082004 10", "45414844 0000082004 11", 72, LC_INVALID, "extensible array's header"},
    {"extensible", "d", "45414844 0000082004 1004", "45414844 0000082004 1003", 72, LC_INVALID, "extensible array's header"},
    {"extensible", "d", "45414942 0000", "45414942 0001", 0, LC_INVALID, "index does not belong"},
    {"extensible", "d", "45414442 0000", "45414442 0100", 0, LC_INVALID, "data block does not belong"},
    /* the fractal heap and the B-tree of version 2 */
    {"dense", "/", "46524850 00 0700 0000", "46524850 00 0700 0100", 146, LC_UNSUPPORTED, "fractal heap with filters"},
    {"dense", "/", "46524850 00 0700", "46524850 01 0700", 146, LC_INVALID, "fractal heap version 1"},
    {"dense", "/", "46524850 00 0700", "46524850 00 0000", 146, LC_INVALID, "makes no sense"},
    {"dense", "/", "42544844 00", "42544844 01", 38, LC_INVALID, "B-tree's header is malformed"},
    {"dense", "/", "42544844 00 05", "42544844 00 06", 38, LC_INVALID, "B-tree of type 6 where type 5"},
    {"dense", "/", "42544844 00 05 00020000", "42544844 00 05 05000000", 38, LC_INVALID, "makes no sense"},
    {"dense", "/", "42544844 00 05 00020000 0b00 0000", "42544844 00 05 00020000 0b00 1100", 38, LC_INVALID, "makes no sense"},
    {"dense", "/", "42544c46 0005", "42544c46 0006", 0, LC_INVALID, "B-tree node with 12 records"},
    {"dense", "/", "46484442 00", "46484442 01", 0, LC_INVALID, "H5-"},
};

static void test_patched(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
        const patch *p = &patches[i];
        char path[512];
        uint8_t find[128], put[128];
        lc_map map;
        snprintf(path, sizeof path, LC_TEST_DIR "/fuzz/corpus/h5/%s.h5", p->file);
        assert_int_equal(lc_map_open(&map, path, NULL, NULL), LC_OK);
        uint8_t *copy = malloc(map.size);
        memcpy(copy, map.data, map.size);
        size_t n = from_hex(p->find, find), m = from_hex(p->put, put);
        uint8_t *at = memmem(copy, map.size, find, n);
        if (!at) fail_msg("patch %zu: %s is not in %s", i, p->find, p->file);
        memcpy(at, put, m);
        if (p->seal) seal(at, p->seal);
        reading r = {0};
        lc_status status = begin_bytes(&r, copy, map.size);
        if (status == LC_OK) status = read_object(&r, p->path);
        bool told = status == LC_OK || strstr(r.err.message, p->text) || strncmp(r.err.rule, p->text, strlen(p->text)) == 0;
        if (status != p->status || !told)
            fail_msg("patch %zu (%s, %s): %s %s %s", i, p->file, p->put, lc_status_name(status), r.err.rule, r.err.message);
        if (status == LC_OK && p->text) { /* still the right values */
            lc_h5_object *o;
            lc_h5_value v;
            assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), lc_str_of(p->path), &o, &r.err), LC_OK);
            assert_int_equal(lc_h5_read(r.h5, o, &v, &r.err), LC_OK);
            check_values(p->text, p->path, &v);
        }
        lc_arena_deinit(&r.arena);
        free(copy);
        lc_map_close(&map);
    }
}

/* Two datasets that lie on the same bytes of a file that has not enough for both. */
static void test_overlap(void **state) {
    (void)state;
    lc_map map;
    uint8_t find[32], put[32];
    assert_int_equal(lc_map_open(&map, LC_TEST_DIR "/fuzz/corpus/h5/twins.h5", NULL, NULL), LC_OK);
    uint8_t *copy = malloc(map.size);
    memcpy(copy, map.data, map.size);
    size_t n = from_hex("0301d00f000000000000d007", find), m = from_hex("03010008000000000000d007", put);
    uint8_t *at = memmem(copy, map.size, find, n);
    assert_non_null(at);
    memcpy(at, put, m);
    size_t size = 0xfd0; /* without the second one's own data: 4048 bytes that hold 2 x 2000 still */
    memcpy(copy + 40, (uint8_t[]){0xd0, 0x0f}, 2);
    for (int round = 0; round < 2; round++) {
        reading r = {0};
        lc_h5_object *o;
        lc_h5_value v;
        assert_int_equal(begin_bytes(&r, copy, size), LC_OK);
        r.h5->stored = round ? 60 : 0; /* as if a third one had been read before */
        assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("a"), &o, &r.err), LC_OK);
        assert_int_equal(lc_h5_read(r.h5, o, &v, &r.err), LC_OK);
        assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("b"), &o, &r.err), LC_OK);
        lc_status status = lc_h5_read(r.h5, o, &v, &r.err);
        assert_int_equal(status, round ? LC_INVALID : LC_OK);
        if (round) assert_string_equal(r.err.rule, "H5-OVERLAP");
        lc_arena_deinit(&r.arena);
    }
    free(copy);
    lc_map_close(&map);
}

static void test_not_hdf5(void **state) {
    (void)state;
    reading r = {0};
    assert_int_equal(begin_bytes(&r, "nothing of the kind", 19), LC_INVALID);
    assert_false(lc_h5_probe("", 0));
    assert_false(lc_h5_probe("\211HDF\r\n\032", 7));
    assert_true(lc_h5_probe("\211HDF\r\n\032\n", 8));
    assert_int_equal(begin_bytes(&r, "\211HDF\r\n\032\n", 8), LC_INVALID);
    lc_arena_deinit(&r.arena);
    assert_int_equal(begin_bytes(&r, "\211HDF\r\n\032\n\011", 9), LC_UNSUPPORTED);
    lc_arena_deinit(&r.arena);
}

static lc_status work(void *arg, lc_error *err) {
    reading r = {0};
    LC_TRY(lc_map_open(&r.map, arg, NULL, err));
    lc_status status = begin_bytes(&r, r.map.data, r.map.size);
    if (status == LC_OK) status = walk(&r, lc_h5_root(r.h5), 0);
    *err = r.err;
    end(&r);
    return status;
}

static void test_allocations(void **state) {
    (void)state;
    fault_check(work, (void *)(uintptr_t)(DATA "latest.h5"), &(fault_options){.step = 7});
    fault_check(work, (void *)(uintptr_t)(DATA "earliest.h5"), &(fault_options){.step = 7});
    fault_check(work, (void *)(uintptr_t)(DATA "long_new.h5"), NULL);
}

static void test_big(void **state) {
    (void)state;
    const char *dir = getenv("LC_H5_BIG");
    if (!dir) skip();
    static const char *const files[] = {"pages.h5", "links_earliest.h5", "links_latest.h5"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        reading r;
        begin(&r, path);
        assert_true(check_group(&r, lc_h5_root(r.h5), 0) >= 2);
        lc_h5_object *o;
        if (strcmp(files[i], "links_latest.h5") == 0) {
            assert_int_equal(lc_h5_get(r.h5, lc_h5_root(r.h5), LC_STR("attrs"), &o, &r.err), LC_OK);
            check_strings(&r, o, "attribute2999", 1);
        }
        end(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions), cmocka_unit_test(test_borrowed),  cmocka_unit_test(test_long_attributes),
        cmocka_unit_test(test_loop),     cmocka_unit_test(test_refusals),  cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),  cmocka_unit_test(test_checksums), cmocka_unit_test(test_patched),
        cmocka_unit_test(test_overlap),  cmocka_unit_test(test_not_hdf5),  cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_big),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
