/*
 * test_ckpt_bad.c: each bad checkpoint of support/ckpt_cases.c is refused by its rule, with its message and hint; the good ones are read.
 */
#include "support/ckpt_cases.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_cases(void **state) {
    (void)state;
    size_t failed = 0;
    for (size_t i = 0; i < ckpt_case_count; i++) {
        const ckpt_case *c = &ckpt_cases[i];
        lc_error err;
        lc_error_clear(&err);
        const lc_status status = ckpt_case_run(c, &(lc_limits){.max_memory = 16u << 20}, &err);
        if (status == c->status && !strcmp(err.rule, c->rule) && strstr(err.message, c->message) && strstr(err.hint, c->hint)) continue;
        print_error("%s: %s [%s] %s\n  hint: %s\n  wanted: %s [%s] ... %s ...\n", c->name, lc_status_name(status), err.rule, err.message,
                    err.hint, lc_status_name(c->status), c->rule, c->message);
        failed++;
    }
    assert_int_equal(failed, 0);
}

/* The allocations of each case fail in turn: also on the ways out. */
static lc_status work(void *path, lc_error *err) { return ckpt_read_all(path, NULL, err); }

static void test_allocations(void **state) {
    (void)state;
    for (size_t i = 0; i < ckpt_case_count; i++) {
        const ckpt_case *c = &ckpt_cases[i];
        ckpt_folder f;
        assert_true(ckpt_folder_make(&f));
        c->make(&f, c);
        const char *path = ckpt_folder_path(&f, c->open ? c->open : "m");
        char copy[300];
        snprintf(copy, sizeof copy, "%s", path); /* the heap is the test's from here on */
        fault_check(work, copy, &(fault_options){.want = c->status});
        ckpt_folder_clean(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_allocations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
