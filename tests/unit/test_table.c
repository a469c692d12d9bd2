/*
 * test_table.c: tables of many blocks, and snappy data. (What a bad table must say is in test_ckpt_bad.)
 */
#include "source/snappy.h"
#include "source/table.h"
#include "support/ckpt_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { KEYS = 3000 };

static lc_str key_of(char *buffer, size_t i) {
    return (lc_str){buffer, (size_t)snprintf(buffer, 40, "layer/%zu%zu/key%05zu", i / 1000, i / 100 % 10, i * 2)};
}
static lc_str value_of(char *buffer, size_t i) {
    return (lc_str){buffer, (size_t)snprintf(buffer, 40, "%.*s", (int)(i % 37), "0123456789012345678901234567890123456789")};
}

static void check_table(unsigned restart_every, size_t block_size, bool snappy) {
    char key[40], value[40];
    table_maker m = {.restart_every = restart_every, .block_size = block_size, .snappy = snappy};
    for (size_t i = 0; i < KEYS; i++) table_add(&m, key_of(key, i), value_of(value, i));
    table_end(&m);
    lc_map map = {.data = (const uint8_t *)m.out.data, .size = m.out.size};
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_table t;
    lc_str found;
    const lc_table_item *items;
    size_t n, all = 0;
    lc_budget_init(&budget, NULL);
    assert_true(lc_table_probe(&map));
    assert_int_equal(lc_table_open(&map, "made", &budget, &arena, &t, &err), LC_OK);
    assert_true(block_size > 100000 || t.count > 10);
    for (size_t i = 0; i < KEYS; i += 7) { /* in no order of blocks, and once again in the end */
        const size_t k = i * 331 % KEYS;
        assert_int_equal(lc_table_find(&t, key_of(key, k), &found, &err), LC_OK);
        assert_non_null(found.data);
        assert_true(lc_str_eq(found, value_of(value, k)));
    }
    static const char *const absent[] = {
        "", "a", "layer/00/key00001", "layer/29/key05999", "zzz", "layer/00/key0000", "layer/00/key000000"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_int_equal(lc_table_find(&t, lc_str_of(absent[i]), &found, &err), LC_OK);
        assert_null(found.data);
    }
    for (size_t i = 0; i < t.count; i++) {
        assert_int_equal(lc_table_read(&t, i, &items, &n, &err), LC_OK);
        for (size_t k = 0; k < n; k++, all++) {
            assert_true(lc_str_eq(items[k].key, key_of(key, all)));
            assert_true(lc_str_eq(items[k].value, value_of(value, all)));
            const uintptr_t at = (uintptr_t)items[k].value.data - (uintptr_t)map.data;
            assert_true(snappy || at < map.size); /* borrowed */
        }
    }
    assert_int_equal(all, KEYS);
    lc_arena_deinit(&arena);
    table_free(&m);
}

static void test_tables(void **state) {
    (void)state;
    check_table(16, 4096, false);
    check_table(16, 4096, true);
    check_table(1, 300, false);
    check_table(1000, 3000, true);
    check_table(100, 1000000, false);
}

/* A name that grows by a byte with each of 60,000 entries of 5 bytes would need 1.8 GB. */
static void test_limits(void **state) {
    (void)state;
    lc_text block = {0}, handle = {0}, out = {0}, index = {0};
    for (int i = 0; i < 60000; i++) {
        table_put_varint(&block, (uint64_t)i);
        lc_text_add_n(&block, "\1\0k", 3);
    }
    table_put_u32(&block, 0);
    table_put_u32(&block, 1);
    table_put_block(&out, (lc_str){block.data, block.size}, 0, &handle);
    lc_text_add_n(&index, "\0\1", 2);
    table_put_varint(&index, handle.size);
    lc_text_add(&index, "z");
    lc_text_add_n(&index, handle.data, handle.size);
    table_put_u32(&index, 0);
    table_put_u32(&index, 1);
    table_put_block(&out, (lc_str){index.data, index.size}, 0, &handle);
    table_put_footer(&out, LC_STR("\0\0"), (lc_str){handle.data, handle.size});
    lc_map map = {.data = (const uint8_t *)out.data, .size = out.size};
    const lc_limits limits[2] = {{.max_memory = 100u << 20}, {.max_tables = 1000}};
    for (int i = 0; i < 2; i++) {
        lc_budget budget;
        lc_arena arena = {0};
        lc_error err;
        lc_table t;
        const lc_table_item *items;
        size_t n;
        lc_budget_init(&budget, &limits[i]);
        assert_int_equal(lc_table_open(&map, "made", &budget, &arena, &t, &err), LC_OK);
        assert_int_equal(lc_table_read(&t, 0, &items, &n, &err), LC_LIMIT);
        assert_true(arena.used < 100000);
        lc_arena_deinit(&arena);
    }
    lc_text_deinit(&block);
    lc_text_deinit(&handle);
    lc_text_deinit(&out);
    lc_text_deinit(&index);
}

/* ---- snappy ------------------------------------------------------------------------------------------------------------ */

static void check_snappy(const char *packed, size_t size, const char *wanted, size_t wanted_size) {
    size_t n = 0;
    uint8_t *exact = malloc(size), *out;
    memcpy(exact, packed, size); /* so that a read behind the end is seen */
    assert_true(lc_snappy_size(exact, size, &n));
    assert_int_equal(n, wanted_size);
    out = malloc(n ? n : 1);
    const char *wrong = lc_snappy_read(exact, size, out, n);
    if (wrong) fail_msg("%s", wrong);
    assert_memory_equal(out, wanted, n);
    free(out);
    free(exact);
}
#define SNAPPY(packed, wanted) check_snappy(packed, sizeof packed - 1, wanted, sizeof wanted - 1)

static void test_snappy(void **state) {
    (void)state;
    SNAPPY("\0", "");
    SNAPPY("\3\10abc", "abc");
    SNAPPY("\13\0a\31\1", "aaaaaaaaaaa");       /* a, then 10 from 1 back: the first kind takes 4 to 11 */
    SNAPPY("\13\0a\46\1\0", "aaaaaaaaaaa");     /* the second kind */
    SNAPPY("\13\0a\47\1\0\0\0", "aaaaaaaaaaa"); /* the third */
    SNAPPY("\14\10abc\42\3\0", "abcabcabcabc"); /* a pattern of three */
    SNAPPY("\10\14abcd\16\4\0", "abcdabcd");    /* what is repeated ends where it began */
    SNAPPY("\2\360\1ab", "ab");                 /* lengths in 1, 2, 3, 4 bytes */
    SNAPPY("\2\364\1\0ab", "ab");
    SNAPPY("\2\370\1\0\0ab", "ab");
    SNAPPY("\2\374\1\0\0\0ab", "ab");
    /* Copies from up to 297 back, where the first kind has the upper bits of the distance in its tag. */
    char packed[320] = "\254\2\360\247", wanted[300];
    size_t n = 4, at = 0;
    for (; at < 168; at++) packed[n++] = wanted[at] = (char)('a' + at % 23);
    while (at < 300) {
        const size_t length = at == 168 ? 64 : 4, distance = at - 3;
        if (length == 4) packed[n++] = (char)((distance >> 8) << 5 | (length - 4) << 2 | 1);
        else packed[n++] = (char)((length - 1) << 2 | 2);
        packed[n++] = (char)distance;
        if (length != 4) packed[n++] = (char)(distance >> 8);
        for (size_t i = 0; i < length; i++, at++) wanted[at] = wanted[at - distance];
    }
    check_snappy(packed, n, wanted, sizeof wanted);
    /* what cannot be */
    size_t size;
    assert_false(lc_snappy_size("", 0, &size));
    assert_false(lc_snappy_size("\200", 1, &size));
    assert_false(lc_snappy_size("\27\0", 2, &size)); /* 23 bytes from one */
    assert_true(lc_snappy_size("\26\0", 2, &size));
    assert_false(lc_snappy_size("\377\377\377\377\37\0\0\0", 8, &size)); /* over 2^32 */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables), cmocka_unit_test(test_limits), cmocka_unit_test(test_snappy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
