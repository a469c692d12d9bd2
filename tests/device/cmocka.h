/*
 * cmocka.h: the part of cmocka (https://cmocka.org, whose names and meanings these are) that litec's tests use, in one header, so that the
 * tests of the runtime need nothing but a C library on the machine they run on: a cross compiler's, an emulator's, a device's.
 * Only the builds of tests/device see it; all others use cmocka itself.
 *
 * A failed assertion says where and what, and leaves the test by longjmp; the next test runs. As in cmocka, the program's exit
 * code is the number of tests that failed. Mocks, expectations and leak checks are not here: what is missing does not compile.
 */
#ifndef TESTS_DEVICE_CMOCKA_H
#define TESTS_DEVICE_CMOCKA_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test_func)(void **state);
    int (*setup_func)(void **state);
    int (*teardown_func)(void **state);
    void *initial_state;
};
#define cmocka_unit_test_setup_teardown(f, setup, teardown) \
    { #f, f, setup, teardown, NULL }
#define cmocka_unit_test_teardown(f, teardown) \
    { #f, f, NULL, teardown, NULL }
#define cmocka_unit_test_setup(f, setup) \
    { #f, f, setup, NULL, NULL }
#define cmocka_unit_test(f) \
    { #f, f, NULL, NULL, NULL }

/* One program, one file with tests; support/fault.c asserts too, so the place to jump to is a common symbol, made by the linker. */
__attribute__((weak)) jmp_buf lc_test_failed;

__attribute__((format(printf, 1, 2), unused)) static void print_message(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

__attribute__((format(printf, 1, 2), unused)) static void print_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
}

__attribute__((format(printf, 3, 4), noreturn, unused)) static void lc_test_fail(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n%s:%d: error: the test fails here\n", file, line);
    longjmp(lc_test_failed, 1);
}

#define LC_TEST_CHECK(condition, ...) ((condition) ? (void)0 : lc_test_fail(__FILE__, __LINE__, __VA_ARGS__))

#define fail() lc_test_fail(__FILE__, __LINE__, "fail()")
#define fail_msg(...) lc_test_fail(__FILE__, __LINE__, __VA_ARGS__)
#define assert_true(c) LC_TEST_CHECK(c, "%s", #c)
#define assert_false(c) LC_TEST_CHECK(!(c), "not: %s", #c)
#define assert_null(p) LC_TEST_CHECK(!(p), "%s is not NULL", #p)
#define assert_non_null(p) LC_TEST_CHECK(!!(p), "%s is NULL", #p)
#define assert_ptr_equal(a, b) LC_TEST_CHECK((const void *)(a) == (const void *)(b), "%s != %s", #a, #b)
#define assert_ptr_not_equal(a, b) LC_TEST_CHECK((const void *)(a) != (const void *)(b), "%s == %s", #a, #b)
typedef const char *lc_test_text;
/* Each operand once, because it may be a call. */
#define LC_TEST_PAIR(T, a, b, relation, format) \
    do { \
        const T lc_a = (T)(a), lc_b = (T)(b); \
        LC_TEST_CHECK(relation, "%s = " format ", %s = " format, #a, lc_a, #b, lc_b); \
    } while (0)
#define assert_int_equal(a, b) LC_TEST_PAIR(long long, a, b, lc_a == lc_b, "%lld")
#define assert_int_not_equal(a, b) LC_TEST_PAIR(long long, a, b, lc_a != lc_b, "%lld")
#define assert_string_equal(a, b) LC_TEST_PAIR(lc_test_text, a, b, strcmp(lc_a, lc_b) == 0, "\"%s\"")
#define assert_string_not_equal(a, b) LC_TEST_PAIR(lc_test_text, a, b, strcmp(lc_a, lc_b) != 0, "\"%s\"")
#define assert_memory_equal(a, b, size) LC_TEST_CHECK(memcmp(a, b, size) == 0, "%s and %s differ", #a, #b)
#define assert_memory_not_equal(a, b, size) LC_TEST_CHECK(memcmp(a, b, size) != 0, "%s and %s are equal", #a, #b)
#define assert_in_range(v, low, high) /* low <= high; one comparison, which is right for v of any sign */ \
    LC_TEST_CHECK((unsigned long long)(v) - (unsigned long long)(low) <= (unsigned long long)(high) - (unsigned long long)(low), \
                  "%s is not in [%s, %s]", #v, #low, #high)
#define assert_float_equal(a, b, epsilon) LC_TEST_PAIR(double, a, b, fabs(lc_a - lc_b) <= (double)(epsilon), "%.9g")

__attribute__((unused)) static int lc_test_run_all(const struct CMUnitTest *tests, size_t count, int (*setup)(void **state),
                                                   int (*teardown)(void **state)) {
    volatile int failures = 0;
    void *group = NULL;
    if (setup && setup(&group) != 0) return (int)count;
    for (volatile size_t i = 0; i < count; i++) {
        const struct CMUnitTest *t = &tests[i];
        void *state = t->initial_state ? t->initial_state : group;
        volatile int failed = 0;
        print_message("[ RUN      ] %s\n", t->name);
        if (setjmp(lc_test_failed) == 0) {
            if (!t->setup_func || t->setup_func(&state) == 0) t->test_func(&state);
            else failed = 1;
        } else {
            failed = 1;
        }
        if (t->teardown_func && t->teardown_func(&state) != 0) failed = 1;
        failures += failed;
        print_message("%s %s\n", failed ? "[  FAILED  ]" : "[       OK ]", t->name);
    }
    if (teardown && teardown(&group) != 0) failures++;
    print_message("[==========] %zu tests, %d failed\n", count, failures);
    return failures;
}
#define cmocka_run_group_tests(tests, setup, teardown) lc_test_run_all(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#endif
