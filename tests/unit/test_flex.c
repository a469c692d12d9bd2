/*
 * test_flex.c: the reader of FlexBuffer maps: every kind of value, every width, and what is wrong with bytes that are none.
 */
#include "schema/flex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;

/* Made by the flatbuffers package for Python: values of 8 bytes; of 1 byte; a map of nothing; no map. */
static const uint8_t mixed[] = {
    115, 109, 97,  108, 108, 0,   119, 105, 100, 101, 0,   117, 110, 115, 105, 103, 110, 101, 100, 0,   104, 117, 103, 101, 0,   114,
    101, 97,  108, 0,   100, 111, 117, 98,  108, 101, 0,   121, 101, 115, 0,   110, 111, 0,   110, 111, 116, 104, 105, 110, 103, 0,
    116, 101, 120, 116, 0,   7,   72,  97,  109, 98,  117, 114, 103, 0,   101, 109, 112, 116, 121, 0,   0,   0,   102, 97,  114, 0,
    0,   0,   135, 214, 18,  0,   102, 97,  114, 95,  114, 101, 97,  108, 0,   0,   0,   0,   0,   0,   0,   191, 108, 105, 115, 116,
    0,   3,   1,   2,   3,   4,   4,   4,   14,  83,  48,  41,  32,  97,  18,  78,  76,  96,  122, 71,  113, 119, 89,  0,   15,  0,
    0,   0,   0,   0,   0,   0,   1,   0,   0,   0,   0,   0,   0,   0,   14,  0,   0,   0,   0,   0,   0,   0,   154, 153, 153, 153,
    153, 153, 185, 63,  87,  0,   0,   0,   0,   0,   0,   0,   88,  0,   0,   0,   0,   0,   0,   0,   80,  0,   0,   0,   0,   0,
    0,   0,   255, 255, 255, 255, 255, 255, 255, 255, 86,  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   6,   64,  251, 255, 255, 255, 255, 255, 255, 255, 174, 0,
    0,   0,   0,   0,   0,   0,   200, 0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   255, 255, 255, 1,   0,   0,   0,
    0,   0,   0,   0,   15,  20,  26,  34,  11,  40,  107, 3,   15,  7,   20,  11,  7,   107, 126, 39,  1};
static const uint8_t narrow[] = {97, 0, 98, 0, 99, 0, 3, 7, 6, 5, 3, 1, 3, 1, 255, 1, 4, 4, 104, 6, 36, 1};
static const uint8_t none[] = {0, 0, 1, 0, 0, 36, 1};
static const uint8_t number[] = {7, 4, 1};

#define OPEN(bytes, map) lc_flex_open((lc_vec_u8){bytes, sizeof bytes}, map, &err)

static void test_values(void **unused) {
    (void)unused;
    lc_flex m;
    assert_int_equal(OPEN(mixed, &m), LC_OK);
    assert_int_equal(lc_flex_int(&m, "small", 0), -5);
    assert_true(lc_flex_int(&m, "wide", 0) == -((int64_t)1 << 40));
    assert_int_equal(lc_flex_int(&m, "unsigned", 0), 200);
    assert_true(lc_flex_int(&m, "huge", 0) == INT64_MAX); /* the nearest there is */
    assert_true(lc_flex_float(&m, "huge", 0) == 0x1p64);
    assert_true(lc_flex_float(&m, "real", 0) == 2.75);
    assert_int_equal(lc_flex_int(&m, "real", 0), 2);
    assert_true(lc_flex_float(&m, "double", 0) == 0.1);
    assert_true(lc_flex_float(&m, "small", 0) == -5);
    assert_true(lc_flex_bool(&m, "yes", false));
    assert_false(lc_flex_bool(&m, "no", true));
    assert_true(lc_flex_bool(&m, "small", false)); /* not zero */
    assert_int_equal(lc_flex_int(&m, "yes", 0), 1);
    assert_int_equal(lc_flex_int(&m, "far", 0), 1234567);
    assert_true(lc_flex_float(&m, "far_real", 0) == -0.5);
    assert_true(lc_str_is(lc_flex_string(&m, "text", (lc_str){0}), "Hamburg"));
    assert_true(lc_str_is(lc_flex_string(&m, "empty", (lc_str){0}), ""));
    assert_int_equal(lc_flex_check(&m, &err), LC_OK);
    assert_int_equal(OPEN(narrow, &m), LC_OK);
    assert_int_equal(lc_flex_int(&m, "a", 0), 1);
    assert_int_equal(lc_flex_int(&m, "b", 0), -1);
    assert_true(lc_flex_bool(&m, "c", false));
    assert_int_equal(lc_flex_check(&m, &err), LC_OK);
}

static void test_absent(void **unused) {
    (void)unused;
    lc_flex m;
    const lc_vec_u8 nothing[] = {{NULL, 0}, {none, 0}, {none, sizeof none}};
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        assert_int_equal(lc_flex_open(nothing[i], &m, &err), LC_OK);
        assert_int_equal(lc_flex_int(&m, "small", 9), 9);
        assert_false(lc_flex_has(&m, ""));
        assert_int_equal(lc_flex_check(&m, &err), LC_OK);
    }
    assert_int_equal(OPEN(mixed, &m), LC_OK);
    assert_false(lc_flex_has(&m, "nothing")); /* null */
    assert_true(lc_flex_has(&m, "list"));
    assert_int_equal(lc_flex_int(&m, "nothing", 9), 9);
    assert_true(lc_flex_float(&m, "smal", 1.5) == 1.5); /* no name: a piece of one */
    assert_true(lc_flex_float(&m, "smalll", 1.5) == 1.5);
    assert_int_equal(lc_flex_check(&m, &err), LC_OK);
}

static void test_wrong_kind(void **unused) {
    (void)unused;
    static const char *const numbers[] = {"text", "list"};
    lc_flex m;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(OPEN(mixed, &m), LC_OK);
        assert_int_equal(lc_flex_int(&m, numbers[i], 4), 4);
        assert_int_equal(lc_flex_check(&m, &err), LC_INVALID);
        assert_non_null(strstr(err.message, numbers[i]));
    }
    assert_int_equal(OPEN(mixed, &m), LC_OK);
    assert_true(lc_str_is(lc_flex_string(&m, "small", LC_STR("x")), "x"));
    assert_int_equal(lc_flex_check(&m, &err), LC_INVALID);
}

static void test_broken(void **unused) {
    (void)unused;
    lc_flex m;
    assert_int_equal(OPEN(number, &m), LC_INVALID);
    assert_non_null(strstr(err.message, "type 1, needs a map"));
    assert_int_equal(lc_flex_open((lc_vec_u8){(const uint8_t *)"abc", 3}, &m, &err), LC_INVALID);
    assert_int_equal(lc_flex_open((lc_vec_u8){(const uint8_t *)"a", 1}, &m, &err), LC_INVALID);
    /* Cut at the front every length but a few is broken; none may be read outside of. The block is exact, for the sanitizer. */
    size_t refused = 0;
    for (size_t cut = 1; cut < sizeof mixed; cut++) {
        uint8_t *block = malloc(sizeof mixed - cut);
        memcpy(block, mixed + cut, sizeof mixed - cut);
        if (lc_flex_open((lc_vec_u8){block, (uint32_t)(sizeof mixed - cut)}, &m, &err) != LC_OK) refused++;
        else lc_flex_string(&m, "text", (lc_str){0});
        free(block);
    }
    assert_true(refused > sizeof mixed / 2);
    /* Each byte set to each of a few values: an answer or an error, nothing else. */
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    for (size_t i = 0; i < sizeof mixed; i++)
        for (size_t v = 0; v < sizeof values; v++) {
            uint8_t *block = malloc(sizeof mixed);
            memcpy(block, mixed, sizeof mixed);
            block[i] = values[v];
            if (lc_flex_open((lc_vec_u8){block, sizeof mixed}, &m, &err) == LC_OK) {
                lc_flex_int(&m, "small", 0);
                lc_flex_float(&m, "far_real", 0);
                lc_flex_string(&m, "text", (lc_str){0});
            } else if (!err.message[0]) {
                fail();
            }
            free(block);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_absent), cmocka_unit_test(test_wrong_kind),
                                       cmocka_unit_test(test_broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
