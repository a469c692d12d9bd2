/*
 * test_crc32c.c: the values of RFC 3720 (appendix B.4), and that the processor's instruction, the tables and the sum of parts agree.
 */
#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_known(void **state) {
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    memset(ones, 255, sizeof ones);
    for (int i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *data;
        size_t size;
        uint32_t crc;
    } known[] = {{zeros, 32, 0x8a9136aa}, {ones, 32, 0x62a8ab43},       {up, 32, 0x46dd794e},
                 {down, 32, 0x113fdb5c},  {"123456789", 9, 0xe3069283}, {"", 0, 0}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(lc_crc32c(0, known[i].data, known[i].size), known[i].crc);
        assert_int_equal(lc_crc32c_plain(0, known[i].data, known[i].size), known[i].crc);
        assert_int_equal(lc_crc32c_unmask(lc_crc32c_mask(known[i].crc)), known[i].crc);
    }
    assert_int_equal(lc_crc32c_mask(0), 0xa282ead8);
}

/* Sizes around those where the code changes its way: 8, 3 * 1024, 3 * 16384. */
static void test_paths(void **state) {
    (void)state;
    enum { SIZE = 400000 };
    uint8_t *data = malloc(SIZE);
    uint32_t random = 1;
    assert_non_null(data);
    for (size_t i = 0; i < SIZE; i++) data[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    const size_t around[] = {0, 8, 64, 3072, 6144, 49152, 52224, 98304, 300000};
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        for (size_t size = around[i] > 20 ? around[i] - 20 : 0; size < around[i] + 20; size++) {
            const uint8_t *from = data + size % 13;
            const uint32_t whole = lc_crc32c(7, from, size);
            assert_int_equal(whole, lc_crc32c_plain(7, from, size));
            const size_t first = size / 3;
            assert_int_equal(whole, lc_crc32c(lc_crc32c(7, from, first), from + first, size - first));
            assert_int_equal(whole, lc_crc32c_combine(lc_crc32c(7, from, first), lc_crc32c(0, from + first, size - first), size - first));
        }
    free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known), cmocka_unit_test(test_paths)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
