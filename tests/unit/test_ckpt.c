/*
 * test_ckpt.c: checkpoints that TensorFlow wrote (tests/data/ckpt, by tests/oracle/make_checkpoints.py): element k of each variable is k
 * + 1. What a bad one must say is in test_ckpt_bad.c; tests/oracle/check_checkpoints.py compares many more with what TensorFlow reads.
 */
#include "base/half.h"
#include "ir/strings.h"
#include "proto/proto.h"
#include "source/ckpt_impl.h"
#include "support/ckpt_cases.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DATA LC_TEST_DIR "/data/ckpt/"

typedef struct opened {
    lc_budget budget;
    lc_arena arena;
    lc_error err;
    lc_ckpt *ckpt;
} opened;

static void open_ckpt(opened *o, const char *path) {
    *o = (opened){0};
    lc_budget_init(&o->budget, NULL);
    if (lc_ckpt_open(path, &o->budget, &o->arena, &o->ckpt, &o->err) != LC_OK) fail_msg("%s", o->err.message);
}
static void close_ckpt(opened *o) {
    lc_ckpt_close(o->ckpt);
    lc_arena_deinit(&o->arena);
}

static const lc_ckpt_entry *get(opened *o, const char *name) {
    const lc_ckpt_entry *e;
    if (lc_ckpt_get(o->ckpt, lc_str_of(name), &e, &o->err) != LC_OK) fail_msg("%s", o->err.message);
    return e;
}
static const void *read_variable(opened *o, const lc_ckpt_entry *e, size_t *size) {
    const void *data;
    if (lc_ckpt_read(o->ckpt, e, &data, size, &o->err) != LC_OK) fail_msg("%s: %s", e->name.data, o->err.message);
    return data;
}

/* Element k of any type of numbers, its real part; bool counts as 0 and 1. */
static double element(lc_dtype type, const uint8_t *data, size_t k) {
    const size_t bits = lc_dtype_bits(type);
    const uint8_t *p = data + k * bits / 8;
    union {
        int64_t i;
        uint64_t u;
        float f;
        double d;
    } v = {0};
    memcpy(&v, p, bits < 64 ? (bits + 7) / 8 : 8);
    if (type == LC_FLOAT32 || type == LC_COMPLEX64) return memcpy(&v.f, p, 4), v.f;
    if (type == LC_FLOAT64 || type == LC_COMPLEX128) return v.d;
    if (type == LC_FLOAT16) return lc_half_to_float((uint16_t)v.u);
    if (type == LC_BFLOAT16) return lc_bfloat_to_float((uint16_t)v.u);
    if (type == LC_FLOAT8_E5M2) return lc_half_to_float((uint16_t)(v.u << 8));
    if (type == LC_FLOAT8_E4M3FN) return ldexp(1 + (double)(v.u & 7) / 8, (int)(v.u >> 3 & 15) - 7);
    if (type == LC_INT4 || type == LC_UINT4) return (double)(k % 2 ? v.u >> 4 & 15 : v.u & 15);
    return (double)v.u;
}

static void check_counting(opened *o, const lc_ckpt_entry *e) {
    size_t size;
    const uint8_t *data = read_variable(o, e, &size);
    assert_int_equal(size, (e->elements * lc_dtype_bits(e->type) + 7) / 8);
    for (size_t k = 0; k < e->elements; k++) {
        const double wanted = e->type == LC_BOOL ? k % 2 : (double)k + 1;
        if (element(e->type, data, k) != wanted) fail_msg("%s: element %zu is %g", e->name.data, k, element(e->type, data, k));
    }
}

static void check_texts(opened *o, const lc_ckpt_entry *e, const lc_str *wanted, size_t count) {
    size_t size;
    const void *data = read_variable(o, e, &size);
    assert_null(lc_strings_check(data, size, count));
    const lc_strings strings = {data, count};
    for (size_t i = 0; i < count; i++) assert_true(lc_str_eq(lc_strings_at(&strings, i), wanted[i]));
}

static void check_type_texts(opened *o) {
    char many[300];
    memset(many, 'x', sizeof many);
    const lc_str texts[] = {LC_STR(""), LC_STR("one"), LC_STR("z\303\274rich"), LC_STR("a\0b"), {many, 300}, LC_STR("last")};
    const lc_ckpt_entry *e = get(o, "type/string");
    assert_int_equal(e->rank, 2);
    assert_int_equal(e->dims[1], 3);
    check_texts(o, e, texts, 6);
}

static void test_types(void **state) {
    (void)state;
    static const struct {
        const char *name;
        lc_dtype type;
        int32_t data_type;
    } types[] = {
        {"float32", LC_FLOAT32, LC_DT_FLOAT},
        {"float64", LC_FLOAT64, LC_DT_DOUBLE},
        {"int32", LC_INT32, LC_DT_INT32},
        {"uint8", LC_UINT8, LC_DT_UINT8},
        {"int16", LC_INT16, LC_DT_INT16},
        {"int8", LC_INT8, LC_DT_INT8},
        {"int64", LC_INT64, LC_DT_INT64},
        {"uint16", LC_UINT16, LC_DT_UINT16},
        {"uint32", LC_UINT32, LC_DT_UINT32},
        {"uint64", LC_UINT64, LC_DT_UINT64},
        {"float16", LC_FLOAT16, LC_DT_HALF},
        {"bfloat16", LC_BFLOAT16, LC_DT_BFLOAT16},
        {"complex64", LC_COMPLEX64, LC_DT_COMPLEX64},
        {"complex128", LC_COMPLEX128, LC_DT_COMPLEX128},
        {"bool", LC_BOOL, LC_DT_BOOL},
        {"float8_e5m2", LC_FLOAT8_E5M2, LC_DT_FLOAT8_E5M2},
        {"float8_e4m3fn", LC_FLOAT8_E4M3FN, LC_DT_FLOAT8_E4M3FN},
        {"int4", LC_INT4, LC_DT_INT4},
        {"uint4", LC_UINT4, LC_DT_UINT4},
        {"qint8", LC_INT8, LC_DT_QINT8},
        {"quint8", LC_UINT8, LC_DT_QUINT8},
        {"qint16", LC_INT16, LC_DT_QINT16},
        {"quint16", LC_UINT16, LC_DT_QUINT16},
        {"qint32", LC_INT32, LC_DT_QINT32},
    };
    opened o;
    open_ckpt(&o, DATA "types");
    assert_int_equal(lc_ckpt_version(o.ckpt), 2);
    assert_int_equal(lc_ckpt_count(o.ckpt), sizeof types / sizeof *types + 5);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[40];
        snprintf(name, sizeof name, "type/%s", types[i].name);
        const lc_ckpt_entry *e = get(&o, name);
        assert_int_equal(e->type, types[i].type);
        assert_int_equal(e->data_type, types[i].data_type);
        assert_int_equal(e->rank, 2);
        assert_int_equal(e->dims[0], 2);
        assert_int_equal(e->dims[1], 3);
        assert_int_equal(e->slices, 1);
        check_counting(&o, e);
    }
    assert_int_equal(get(&o, "scalar/float32")->rank, 0);
    check_counting(&o, get(&o, "scalar/float32"));
    check_counting(&o, get(&o, "empty/float32"));
    assert_int_equal(get(&o, "empty/float32")->dims[1], 3);
    check_texts(&o, get(&o, "scalar/string"), &LC_STR("text"), 1);
    check_texts(&o, get(&o, "empty/string"), NULL, 0);
    check_type_texts(&o);
    close_ckpt(&o);
}

static void test_v1(void **state) {
    (void)state;
    static const char *const files[] = {DATA "v1", DATA "v1_snappy"};
    for (size_t f = 0; f < 2; f++) {
        opened o;
        size_t size, numbers = 0;
        open_ckpt(&o, files[f]);
        assert_int_equal(lc_ckpt_version(o.ckpt), 1);
        assert_int_equal(lc_ckpt_count(o.ckpt), 16);
        for (size_t i = 0; i < lc_ckpt_count(o.ckpt); i++) {
            const lc_ckpt_entry *e = lc_ckpt_at(o.ckpt, i);
            if (e->type == LC_STRING || lc_str_has_prefix(e->name, "negative/")) continue;
            check_counting(&o, e);
            numbers++;
        }
        assert_int_equal(numbers, 13);
        check_type_texts(&o);
        assert_memory_equal(read_variable(&o, get(&o, "negative/int8"), &size), ((int8_t[]){-1, -128, 127}), 3);
        assert_memory_equal(read_variable(&o, get(&o, "negative/int64"), &size), ((int64_t[]){-1, INT64_MIN, INT64_MAX}), 24);
        close_ckpt(&o);
    }
}

static void check_counting_in(const char *path, size_t count) {
    opened o;
    open_ckpt(&o, path);
    assert_int_equal(lc_ckpt_count(o.ckpt), count);
    for (size_t i = 0; i < count; i++) check_counting(&o, lc_ckpt_at(o.ckpt, i));
    close_ckpt(&o);
}

static void test_slices(void **state) {
    (void)state;
    opened o;
    check_counting_in(DATA "grid", 3);
    check_counting_in(DATA "v1_shards", 3);
    check_counting_in(DATA "v1_shards-00001-of-00002", 3);
    check_counting_in(DATA "v1_shards-?"
                           "?"
                           "?"
                           "?"
                           "?"
                           "-of-00002",
                      3);
    check_counting_in(DATA "shards", 3);
    check_counting_in(DATA "snappy", 1);
    open_ckpt(&o, DATA "grid");
    assert_int_equal(get(&o, "cut")->slices, 6);
    assert_int_equal(get(&o, "cut")->bytes, 240);
    assert_int_equal(get(&o, "far")->slices, 3);
    close_ckpt(&o);
}

/* TensorFlow's own Saver with a partitioner, in both formats. */
static void test_saver(void **state) {
    (void)state;
    static const char *const files[] = {DATA "saver", DATA "saver_v1"};
    for (size_t f = 0; f < 2; f++) {
        opened o;
        size_t size;
        open_ckpt(&o, files[f]);
        assert_int_equal(lc_ckpt_count(o.ckpt), 4);
        assert_int_equal(get(&o, "embedding")->slices, 3);
        check_counting(&o, get(&o, "embedding"));
        check_counting(&o, get(&o, "dense/kernel"));
        check_counting(&o, get(&o, "dense/bias"));
        assert_memory_equal(read_variable(&o, get(&o, "global_step"), &size), "\0\0\0\0\0\0\0\0", 8);
        close_ckpt(&o);
    }
}

static void test_specs(void **state) {
    (void)state;
    opened o;
    open_ckpt(&o, DATA "grid");
    const lc_ckpt_entry *cut = get(&o, "cut"), *rows = get(&o, "rows"), *far = get(&o, "far");
    const void *data, *whole;
    size_t size;
    int64_t dims[3];
    /* over four of the six pieces: [1:3, 3:5, 1:3] of [4, 5, 3] */
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, cut, LC_STR("4 5 3 0,2:3,2:1,2"), dims, &data, &size, &o.err), LC_OK);
    assert_int_equal(dims[0], 2);
    assert_int_equal(dims[1], 2);
    assert_int_equal(dims[2], 2);
    assert_memory_equal(data, ((float[]){11, 12, 14, 15, 26, 27, 29, 30}), 32);
    assert_int_equal(size, 32);
    /* "" and all of it are what lc_ckpt_read gives */
    whole = read_variable(&o, cut, &size);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, cut, LC_STR(""), dims, &data, &size, &o.err), LC_OK);
    assert_ptr_equal(data, whole);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, cut, LC_STR("4 5 3 -:0,5:-"), dims, &data, &size, &o.err), LC_OK);
    assert_ptr_equal(data, whole);
    /* rows in one piece are borrowed */
    whole = read_variable(&o, rows, &size);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, rows, LC_STR("4 2 1,2:-"), dims, &data, &size, &o.err), LC_OK);
    assert_ptr_equal(data, (const char *)whole + 8);
    assert_int_equal(size, 16);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, rows, LC_STR("4 2 2,1:1,1"), dims, &data, &size, &o.err), LC_OK);
    assert_ptr_equal(data, (const char *)whole + 20);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, rows, LC_STR("4 2 0,2:1,1"), dims, &data, &size, &o.err), LC_OK);
    assert_memory_equal(data, ((float[]){2, 4}), 8);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, far, LC_STR("300 1 169,2:-"), dims, &data, &size, &o.err), LC_OK);
    assert_memory_equal(data, ((float[]){170, 171}), 8);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, far, LC_STR("300 1 300,0:-"), dims, &data, &size, &o.err), LC_OK);
    assert_int_equal(size, 0);
    static const char *const bad[] = {"4 2",
                                      "4 2 ",
                                      "4 2 -",
                                      "4 2 -:-:-",
                                      "4 2 -:-x",
                                      "4 2 -,-",
                                      "4 2 0,1:a",
                                      "4 2 0:-",
                                      "4 2 0,5:-",
                                      "4 2 4,1:-",
                                      "4 2 -1,1:-",
                                      "5 2 -:-",
                                      "2 4 -:-",
                                      "4  2 -:-",
                                      " 4 2 -:-",
                                      "4 2 0,99999999999999999999:-",
                                      "4 2 3,9223372036854775807:-",
                                      "99999999999999999999 2 -:-"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const lc_status status = lc_ckpt_read_slice(o.ckpt, rows, lc_str_of(bad[i]), dims, &data, &size, &o.err);
        if (status != LC_INVALID || strcmp(o.err.rule, "CKPT-SPEC") || !o.err.hint[0] || data) fail_msg("%s: %s", bad[i], o.err.message);
    }
    close_ckpt(&o);
    open_ckpt(&o, DATA "types");
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, get(&o, "scalar/float32"), LC_STR("-"), dims, &data, &size, &o.err), LC_INVALID);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, get(&o, "scalar/float32"), LC_STR(""), dims, &data, &size, &o.err), LC_OK);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, get(&o, "type/string"), LC_STR("2 3 0,1:-"), dims, &data, &size, &o.err), LC_UNSUPPORTED);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, get(&o, "type/string"), LC_STR("2 3 -:-"), dims, &data, &size, &o.err), LC_OK);
    assert_int_equal(lc_ckpt_read_slice(o.ckpt, get(&o, "type/int4"), LC_STR("2 3 1,1:-"), dims, &data, &size, &o.err), LC_OK);
    assert_memory_equal(data, "\x54\x06", 2); /* 4, 5, 6 */
    close_ckpt(&o);
}

/* Every pair of parts of a row: what is shared is seen, wherever in its bytes it begins and ends. */
static void test_overlap(void **state) {
    (void)state;
    enum { N = 40 };
    const lc_ckpt_box row = {.start = {0}, .length = {N}, .elements = N};
    uint8_t from[N], to[N];
    for (int i = 0; i < N; i++) from[i] = (uint8_t)i;
    for (int64_t a = 0; a < N; a++)
        for (int64_t end = a + 1; end <= N; end++) {
            const lc_ckpt_box first = {.start = {a}, .length = {end - a}, .elements = (uint64_t)(end - a)};
            for (int64_t one = 0; one < N; one++) {
                const lc_ckpt_box second = {.start = {one}, .length = {1}, .elements = 1},
                                  rest = {.start = {one}, .length = {N - one}, .elements = (uint64_t)(N - one)};
                uint8_t done[N / 8 + 1] = {0}, again[N / 8 + 1] = {0};
                uint64_t elements = 0;
                assert_true(lc_ckpt_box_copy(1, 1, &first, from, &row, to, done, &elements));
                assert_int_equal(elements, end - a);
                assert_int_equal(lc_ckpt_box_copy(1, 1, &second, from, &row, to, done, &elements), one < a || one >= end);
                assert_true(lc_ckpt_box_copy(1, 1, &second, from, &row, to, again, &elements));
                assert_int_equal(lc_ckpt_box_copy(1, 1, &first, from, &row, to, again, &elements), one < a || one >= end);
                memset(again, 0, sizeof again);
                assert_true(lc_ckpt_box_copy(1, 1, &first, from, &row, to, again, &elements));
                assert_int_equal(lc_ckpt_box_copy(1, 1, &rest, from, &row, to, again, &elements), one >= end);
            }
        }
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *file, *name, *hint;
    } names[] = {
        {DATA "saver", "dense/kernl", "did you mean 'dense/kernel'?"},
        {DATA "saver", "dense/kernel:0", "did you mean 'dense/kernel'?"},
        {DATA "objects", "step", "did you mean 'step/.ATTRIBUTES/VARIABLE_VALUE'?"},
        {DATA "saver", "something else entirely", "lists what it has, for example 'global_step'"},
        {DATA "saver", "", "lists what it has"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        opened o;
        const lc_ckpt_entry *e;
        open_ckpt(&o, names[i].file);
        assert_int_equal(lc_ckpt_get(o.ckpt, lc_str_of(names[i].name), &e, &o.err), LC_NOT_FOUND);
        assert_null(e);
        assert_string_equal(o.err.rule, "CKPT-MISSING");
        if (!strstr(o.err.hint, names[i].hint)) fail_msg("%s: %s", names[i].name, o.err.hint);
        close_ckpt(&o);
    }
    opened o;
    open_ckpt(&o, DATA "objects/");
    assert_string_equal(lc_ckpt_prefix(o.ckpt), DATA "objects/ckpt-1");
    check_counting(&o, get(&o, "layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"));
    assert_non_null(lc_ckpt_find(o.ckpt, LC_STR("_CHECKPOINTABLE_OBJECT_GRAPH")));
    assert_null(lc_ckpt_find(o.ckpt, LC_STR("")));
    close_ckpt(&o);
}

/* Weights stay where they are in the file, and outlive the checkpoint. */
static void test_borrowed(void **state) {
    (void)state;
    static const struct {
        const char *file, *name;
    } borrowed[] = {{DATA "types", "type/float32"},
                    {DATA "types", "type/int64"},
                    {DATA "shards", "b/second"},
                    {DATA "v1", "type/float32"},
                    {DATA "v1", "type/complex128"}};
    for (size_t i = 0; i < sizeof borrowed / sizeof *borrowed; i++) {
        opened o;
        size_t size, count;
        lc_map *maps;
        open_ckpt(&o, borrowed[i].file);
        const lc_ckpt_entry *e = get(&o, borrowed[i].name);
        const uint8_t *data = read_variable(&o, e, &size);
        lc_ckpt_take_maps(o.ckpt, &maps, &count);
        assert_int_equal(count, 1); /* shards that nobody asked for are not opened */
        assert_true((uintptr_t)data - (uintptr_t)maps[0].data < maps[0].size);
        lc_ckpt_close(o.ckpt);
        assert_true(element(e->type, data, 3) == 4);
        lc_map_close(&maps[0]);
        lc_arena_deinit(&o.arena);
    }
    lc_ckpt_close(NULL);
}

static void copy(ckpt_folder *f, const char *name) {
    char path[300];
    lc_map map;
    snprintf(path, sizeof path, DATA "%s", name);
    assert_int_equal(lc_map_open(&map, path, NULL, NULL), LC_OK);
    ckpt_folder_write(f, name, map.data, map.size);
    lc_map_close(&map);
}

static void test_lazy(void **state) {
    (void)state;
    ckpt_folder f;
    opened o;
    const void *data;
    size_t size;
    assert_true(ckpt_folder_make(&f));
    copy(&f, "shards.index");
    copy(&f, "shards.data-00002-of-00003");
    open_ckpt(&o, ckpt_folder_path(&f, "shards"));
    check_counting(&o, get(&o, "c/third"));
    assert_int_equal(lc_ckpt_read(o.ckpt, get(&o, "a/first"), &data, &size, &o.err), LC_NOT_FOUND);
    assert_null(data);
    assert_non_null(strstr(o.err.message, "shards.data-00000-of-00003: is missing: variable 'a/first' lies in it"));
    copy(&f, "shards.data-00000-of-00003");
    copy(&f, "shards.data-00001-of-00003");
    check_counting(&o, get(&o, "b/second")); /* files come in any order */
    check_counting(&o, get(&o, "a/first"));
    check_counting(&o, get(&o, "c/third"));
    close_ckpt(&o);
    ckpt_folder_clean(&f);
}

/* What may be given where a checkpoint is wanted, beside what test_ckpt_bad gives. */
static void test_paths(void **state) {
    (void)state;
    ckpt_folder f;
    opened o;
    lc_map map;
    assert_true(ckpt_folder_make(&f));
    const struct {
        const char *path;
        lc_status status;
        const char *rule, *message;
    } bad[] = {
        {NULL, LC_ARGUMENT, "", "no checkpoint given"},
        {"", LC_ARGUMENT, "", "no checkpoint given"},
        {"no-such-checkpoint", LC_NOT_FOUND, "CKPT-FIND", "no-such-checkpoint: there is no checkpoint of this name"},
        {ckpt_folder_path(&f, ""), LC_NOT_FOUND, "CKPT-FIND", "there is no checkpoint in this directory"},
        {DATA, LC_NOT_FOUND, "CKPT-FIND", "has 5 checkpoints"},
        {DATA "types.data", LC_NOT_FOUND, "CKPT-FIND", "there is no checkpoint of this name"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = (opened){0};
        lc_budget_init(&o.budget, NULL);
        const lc_status status = lc_ckpt_open(bad[i].path, &o.budget, &o.arena, &o.ckpt, &o.err);
        if (status != bad[i].status || strcmp(o.err.rule, bad[i].rule) || !strstr(o.err.message, bad[i].message) || !o.err.hint[0] ||
            o.ckpt)
            fail_msg("%s: %s", bad[i].path, o.err.message);
        close_ckpt(&o);
    }
    /* a prefix that ends with a slash: saver.save(session, "model/") */
    static const struct {
        const char *from, *to;
    } files[] = {{"snappy.index", ".index"}, {"snappy.data-00000-of-00001", ".data-00000-of-00001"}};
    for (size_t i = 0; i < 2; i++) {
        char path[300];
        snprintf(path, sizeof path, DATA "%s", files[i].from);
        assert_int_equal(lc_map_open(&map, path, NULL, NULL), LC_OK);
        ckpt_folder_write(&f, files[i].to, map.data, map.size);
        lc_map_close(&map);
    }
    check_counting_in(ckpt_folder_path(&f, ""), 1);
    /* a state file that is none */
    ckpt_folder_write(&f, "checkpoint", "model_checkpoint_path: [\n", 25);
    o = (opened){0};
    lc_budget_init(&o.budget, NULL);
    assert_int_equal(lc_ckpt_open(ckpt_folder_path(&f, "checkpoint"), &o.budget, &o.arena, &o.ckpt, &o.err), LC_INVALID);
    assert_non_null(strstr(o.err.message, "/checkpoint: "));
    close_ckpt(&o);
    ckpt_folder_clean(&f);
}

static void test_limits(void **state) {
    (void)state;
    static const struct {
        const char *file;
        lc_limits limits;
    } small[] = {
        {DATA "types", {.max_memory = 1000}}, {DATA "types", {.max_tables = 10}}, {DATA "v1", {.max_memory = 1000}},
        {DATA "v1", {.max_tables = 10}},      {DATA "types", {.max_file = 500}},  {DATA "v1_snappy", {.max_memory = 3000}},
    };
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        lc_error err;
        lc_error_clear(&err);
        assert_int_equal(ckpt_read_all(small[i].file, &small[i].limits, &err), LC_LIMIT);
    }
}

/* What is not there is looked for in memory too. */
static lc_status look_up(void *path, lc_error *err) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_ckpt *ckpt;
    const lc_ckpt_entry *e;
    lc_budget_init(&budget, NULL);
    lc_status status = lc_ckpt_open(path, &budget, &arena, &ckpt, err);
    if (status == LC_OK) status = lc_ckpt_get(ckpt, LC_STR("dense/kernl"), &e, err);
    lc_ckpt_close(ckpt);
    lc_arena_deinit(&arena);
    return status;
}
static lc_status read_all(void *path, lc_error *err) { return ckpt_read_all(path, NULL, err); }

static void test_allocations(void **state) {
    (void)state;
    static const char *const files[] = {DATA "types",     DATA "grid",     DATA "v1",     DATA "v1_snappy",
                                        DATA "v1_shards", DATA "saver_v1", DATA "objects"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) fault_check(read_all, (void *)(uintptr_t)files[i], NULL);
    fault_check(look_up, (void *)(uintptr_t)(DATA "saver"), &(fault_options){.want = LC_NOT_FOUND, .may_return_other = true});
}

/* Keys of slices, byte for byte: the numbers are those in TensorFlow's description of its ordered code, and around where lengths change. */
static void test_keys(void **state) {
    (void)state;
    static const struct {
        int64_t v;
        const char *bytes;
        size_t size;
    } numbers[] = {
        {0, "\x80", 1},
        {63, "\xbf", 1},
        {64, "\xc0\x40", 2},
        {-1, "\x7f", 1},
        {-64, "\x40", 1},
        {-65, "\x3f\xbf", 2},
        {8191, "\xdf\xff", 2},
        {8192, "\xe0\x20\x00", 3},
        {0x424242, "\xf0\x42\x42\x42", 4},
        {-0x800, "\x38\x00", 2},
        {((int64_t)1 << 55) - 1, "\xff\x7f\xff\xff\xff\xff\xff\xff", 8},
        {(int64_t)1 << 55, "\xff\x80\x80\x00\x00\x00\x00\x00\x00", 9},
        {((int64_t)1 << 62) - 1, "\xff\xbf\xff\xff\xff\xff\xff\xff\xff", 9},
        {(int64_t)1 << 62, "\xff\xc0\x40\x00\x00\x00\x00\x00\x00\x00", 10},
        {INT64_MIN, "\x00\x3f\x80\x00\x00\x00\x00\x00\x00\x00", 10},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const int64_t length = -1;
        lc_text key = {0};
        lc_ckpt_slice_key(&(lc_ckpt_entry){.name = LC_STR("a\xff\0b"), .rank = 1},
                          &(lc_ckpt_piece){.start = &numbers[i].v, .length = &length}, &key);
        assert_int_equal(key.size, 12 + numbers[i].size);
        assert_memory_equal(key.data,
                            "\0a\xff\0\0\xff"
                            "b\0\1\1\1",
                            11);
        assert_memory_equal(key.data + 11, numbers[i].bytes, numbers[i].size);
        assert_int_equal(key.data[key.size - 1], 0x7f);
        lc_text_deinit(&key);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types), cmocka_unit_test(test_v1),      cmocka_unit_test(test_slices), cmocka_unit_test(test_saver),
        cmocka_unit_test(test_specs), cmocka_unit_test(test_overlap), cmocka_unit_test(test_names),  cmocka_unit_test(test_borrowed),
        cmocka_unit_test(test_lazy),  cmocka_unit_test(test_paths),   cmocka_unit_test(test_limits), cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
