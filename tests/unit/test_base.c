/*
 * Tests of src/base but files and threads: errors, heap, arenas, budgets, the cursor, checked arithmetic, strings, JSON getters,
 * names of types and status codes.
 */
#include "base/base.h"
#include "base/json.h"
#include "support/fault.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- errors ---- */

static void error_message_and_hint(void **state) {
    (void)state;
    lc_error err;
    assert_int_equal(lc_fail(&err, LC_INVALID, "node %d \"%s\"", 12, "conv1"), LC_INVALID);
    assert_int_equal(err.status, LC_INVALID);
    assert_string_equal(err.message, "node 12 \"conv1\"");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.rule, "");
    assert_true(err.offset == LC_NO_OFFSET);
    lc_error_hint(&err, "use %d dims", 4);
    assert_string_equal(err.hint, "use 4 dims");
    lc_error_prefix(&err, "%s", "m.tflite");
    assert_string_equal(err.message, "m.tflite: node 12 \"conv1\"");
    assert_string_equal(err.hint, "use 4 dims");
    assert_int_equal(lc_fail_rule(&err, LC_INVALID, "TFL-INDEX", 77, "tensor %d", 3), LC_INVALID);
    assert_string_equal(err.rule, "TFL-INDEX");
    assert_true(err.offset == 77);
    assert_string_equal(err.hint, "");
    lc_error_clear(&err);
    assert_int_equal(err.status, LC_OK);
    assert_string_equal(err.message, "");
    assert_true(err.offset == LC_NO_OFFSET);
}

static void error_null_is_fine(void **state) {
    (void)state;
    assert_int_equal(lc_fail(NULL, LC_IO, "x"), LC_IO);
    assert_int_equal(lc_fail_rule(NULL, LC_LIMIT, "R", 1, "x"), LC_LIMIT);
    assert_int_equal(lc_fail_memory(NULL, "x"), LC_NO_MEMORY);
    lc_error_hint(NULL, "x");
    lc_error_prefix(NULL, "x");
    lc_error_clear(NULL);
}

static void error_of_its_own_message(void **state) {
    (void)state;
    lc_error err;
    lc_fail(&err, LC_IO, "inner");
    lc_fail(&err, LC_INVALID, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
    assert_int_equal(lc_fail_memory(&err, "weights"), LC_NO_MEMORY);
    assert_string_equal(err.message, "out of memory (weights)");
    lc_fail_memory(&err, NULL);
    assert_string_equal(err.message, "out of memory");
}

static void error_is_one_printable_line(void **state) {
    (void)state;
    lc_error err;
    lc_fail(&err, LC_INVALID, "layer \"%s\"", "a\nb\x1b[31mc\x7f");
    assert_string_equal(err.message, "layer \"a?b?[31mc?\"");
    /* Too long, and the cut falls inside a two-byte character: it is dropped whole. */
    char name[2 * sizeof err.message];
    memset(name, 'x', sizeof name);
    for (size_t i = 1; i + 1 < sizeof name; i += 2) memcpy(name + i, "\xC3\xA4", 2);
    name[sizeof name - 1] = 0;
    lc_fail(&err, LC_INVALID, "%s", name);
    size_t n = strlen(err.message);
    assert_true(n <= sizeof err.message - 1 && n >= sizeof err.message - 4);
    assert_int_equal((unsigned char)err.message[n - 1], 0xA4);
    lc_error_hint(&err, "%s", name);
    assert_true(strlen(err.hint) < sizeof err.hint);
    lc_error_prefix(&err, "%s", name);
    assert_true(strlen(err.message) < sizeof err.message);
    /* Prefixes without end: the last one stands first, what happened stands last. */
    lc_fail(&err, LC_INVALID, "the reason");
    for (int i = 0; i < 300; i++) lc_error_prefix(&err, "caller %d", i);
    n = strlen(err.message);
    assert_true(n < sizeof err.message && n > sizeof err.message - 20);
    assert_memory_equal(err.message, "caller 299: ...", 15);
    assert_string_equal(err.message + n - 10, "the reason");
    lc_fail(&err, LC_INVALID, "the reason");
    lc_error_prefix(&err, "%s", name);
    assert_non_null(strstr(err.message, "\xC3\xA4: the reason"));
}

static lc_status tries(lc_error *err) {
    LC_TRY(LC_OK);
    LC_TRY(lc_fail(err, LC_UNSUPPORTED, "no"));
    return LC_OK;
}
static void error_try_passes_on(void **state) {
    (void)state;
    lc_error err;
    assert_int_equal(tries(&err), LC_UNSUPPORTED);
    assert_string_equal(err.message, "no");
}

/* ---- names ---- */

static void names_of_types_and_status(void **state) {
    (void)state;
    assert_string_equal(lc_version(), LC_VERSION);
    assert_string_equal(lc_status_name(LC_OK), "LC_OK");
    assert_string_equal(lc_status_name(LC_IO), "LC_IO");
    assert_string_equal(lc_status_name((lc_status)99), "?");
    assert_string_equal(lc_dtype_name(LC_FLOAT32), "float32");
    assert_string_equal(lc_dtype_name(LC_FLOAT8_E5M2), "float8_e5m2");
    assert_string_equal(lc_dtype_name((lc_dtype)-1), "?");
    assert_string_equal(lc_dtype_name(LC_DTYPE_COUNT), "?");
    assert_int_equal(lc_dtype_bits(LC_INT4), 4);
    assert_int_equal(lc_dtype_bits(LC_COMPLEX128), 128);
    assert_int_equal(lc_dtype_bits(LC_STRING), 0);
    assert_int_equal(lc_dtype_bits((lc_dtype)1000), 0);
    for (int i = 0; i < LC_DTYPE_COUNT; i++) assert_string_not_equal(lc_dtype_name((lc_dtype)i), "?");
    assert_int_equal(LC_DTYPE_COUNT, 23);
}

/* ---- heap ---- */

static void heap_goes_through_the_hook(void **state) {
    (void)state;
    fault_install();
    void *a = lc_malloc(0), *b = lc_calloc(3, 5), *c = lc_malloc_aligned(100);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_true(a != b);
    assert_int_equal((uintptr_t)c % 64, 0);
    memset(c, 1, 100);
    for (int i = 0; i < 15; i++) assert_int_equal(((unsigned char *)b)[i], 0);
    assert_int_equal(fault_live(), 3);
    memcpy(b, "hello", 6);
    b = lc_realloc(b, 4000);
    assert_string_equal((char *)b, "hello");
    fault_fail_at(1, false);
    assert_null(lc_realloc(b, 8000));
    assert_string_equal((char *)b, "hello");
    assert_non_null(b = lc_realloc(b, 9000));
    fault_fail_at(1, true);
    assert_null(lc_malloc(1));
    assert_null(lc_calloc(1, 1));
    assert_null(lc_malloc_aligned(1));
    assert_true(fault_injected());
    fault_fail_at(0, false);
    lc_free(a);
    lc_free(b);
    lc_free_aligned(c);
    lc_free(NULL);
    lc_free_aligned(NULL);
    assert_int_equal(fault_live(), 0);
    assert_int_equal(fault_live_bytes(), 0);
    assert_true(fault_peak_bytes() >= 9000);
    fault_remove();
}

static void heap_refuses_absurd_sizes(void **state) {
    (void)state;
    assert_null(lc_malloc(SIZE_MAX));
    assert_null(lc_calloc(SIZE_MAX / 2, 3));
    assert_null(lc_calloc(SIZE_MAX, 1));
    assert_null(lc_malloc_aligned(SIZE_MAX - 8));
    assert_null(lc_realloc(NULL, (size_t)PTRDIFF_MAX + 1));
}

/* ---- arena ---- */

static bool zeros(const void *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)p)[i]) return false;
    return true;
}

static void arena_blocks_are_zeroed_apart_and_aligned(void **state) {
    (void)state;
    lc_arena arena = {0};
    enum { N = 3000 };
    static struct {
        unsigned char *p;
        size_t n;
    } blocks[N];
    size_t sum = 0;
    for (size_t i = 0; i < N; i++) {
        /* sizes around every border: empty, small, near a chunk's end, larger than any chunk */
        size_t n = i % 97 == 0 ? 70000 + i : i % 31 == 0 ? 3000 + i : i % 40;
        bool data = i % 5 == 0;
        unsigned char *p = data ? lc_arena_data(&arena, n) : lc_arena_alloc(&arena, n);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % (data ? 64 : 16), 0);
        assert_true(zeros(p, n));
        memset(p, (int)(i & 0xFF), n);
        blocks[i].p = p;
        blocks[i].n = n;
        sum += n;
    }
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < blocks[i].n; j++) assert_int_equal(blocks[i].p[j], i & 0xFF);
    assert_true(arena.used >= sum);
    lc_arena_deinit(&arena);
    assert_null(arena.chunks);
    assert_non_null(lc_arena_alloc(&arena, 8));
    lc_arena_deinit(&arena);
}

static void arena_strings_and_arrays(void **state) {
    (void)state;
    lc_arena arena = {0};
    assert_string_equal(lc_arena_strndup(&arena, "hello world", 5), "hello");
    assert_string_equal(lc_arena_strndup(&arena, "", 0), "");
    assert_string_equal(lc_arena_printf(&arena, "%s/%d", "conv", 7), "conv/7");
    assert_null(lc_arena_array(&arena, SIZE_MAX / 2, 4));
    assert_null(lc_arena_alloc(&arena, SIZE_MAX - 4));
    assert_null(lc_arena_data(&arena, SIZE_MAX - 40));
    int *items = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        void *p = items;
        assert_true(lc_arena_grow(&arena, &p, &capacity, (size_t)i + 1, sizeof *items));
        items = p;
        items[i] = i;
    }
    for (int i = 0; i < 1000; i++) assert_int_equal(items[i], i);
    void *p = items;
    assert_false(lc_arena_grow(&arena, &p, &capacity, SIZE_MAX / 2, sizeof *items));
    assert_ptr_equal(p, items);
    lc_arena_deinit(&arena);
}

static lc_status arena_work(void *arg, lc_error *err) {
    (void)arg;
    lc_arena arena = {0};
    bool fine = true;
    for (size_t i = 0; fine && i < 20; i++) fine = lc_arena_alloc(&arena, i * 1000) && lc_arena_data(&arena, i * 10000);
    fine = fine && lc_arena_printf(&arena, "%0*d", 5000, 1);
    lc_arena_deinit(&arena);
    return fine ? LC_OK : lc_fail_memory(err, "arena test");
}
static void arena_without_memory(void **state) {
    (void)state;
    assert_true(fault_check(arena_work, NULL, NULL) > 5);
}

static lc_status text_work(void *arg, lc_error *err) {
    (void)arg;
    lc_text t = {0};
    for (int i = 0; i < 1000; i++) lc_text_printf(&t, "%d ", i);
    char *s = lc_text_take(&t);
    if (!s) return lc_fail_memory(err, "text test");
    lc_free(s);
    return LC_OK;
}
static void text_without_memory(void **state) {
    (void)state;
    assert_true(fault_check(text_work, NULL, NULL) > 3);
}

/* ---- budget ---- */

static void budget_counts_the_sum(void **state) {
    (void)state;
    lc_budget b;
    lc_error err;
    lc_budget_init(&b, NULL);
    assert_true(b.limits.max_memory == 8ull << 30);
    assert_int_equal(b.limits.max_depth, 64);
    assert_int_equal(lc_budget_memory(&b, UINT64_MAX, "dataset 'a'", &err), LC_LIMIT);
    assert_non_null(strstr(err.message, "dataset 'a'"));
    assert_non_null(strstr(err.hint, "--max-memory"));
    lc_budget_init(&b, &(lc_limits){.max_memory = 1000, .max_tables = 3});
    for (int i = 0; i < 10; i++) assert_int_equal(lc_budget_memory(&b, 100, "x", &err), LC_OK);
    assert_int_equal(lc_budget_memory(&b, 1, "x", &err), LC_LIMIT);
    assert_int_equal(lc_budget_memory(&b, UINT64_MAX, "x", &err), LC_LIMIT); /* the sum would wrap */
    assert_int_equal(lc_budget_memory(&b, 0, "x", NULL), LC_OK);
    assert_int_equal(lc_budget_tables(&b, 3, "tables", &err), LC_OK);
    assert_int_equal(lc_budget_tables(&b, 1, "tables", &err), LC_LIMIT);
    assert_int_equal(err.status, LC_LIMIT);
}

/* ---- checked arithmetic ---- */

static void checked_arithmetic(void **state) {
    (void)state;
    uint64_t u = 5;
    assert_false(lc_add_u64(UINT64_MAX, 1, &u));
    assert_false(lc_mul_u64(1ull << 32, 1ull << 32, &u));
    assert_true(lc_mul_u64(1ull << 31, 1ull << 32, &u) && u == 1ull << 63);
    assert_true(lc_range_ok(10, 0, 10) && lc_range_ok(0, 10, 10));
    assert_false(lc_range_ok(11, 0, 10) || lc_range_ok(5, 6, 10) || lc_range_ok(5, UINT64_MAX, 10));
    assert_true(lc_align_u64(17, 16, &u) && u == 32);
    assert_true(lc_align_u64(32, 16, &u) && u == 32);
    assert_false(lc_align_u64(UINT64_MAX - 3, 16, &u));
    int64_t i;
    int32_t s;
    assert_false(lc_mul_i64(INT64_MIN, -1, &i));
    assert_false(lc_mul_i32(65536, 65536, &s));
}

/* ---- cursor ---- */

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 'h', 'i', 0, 9};

static void cursor_reads_numbers(void **state) {
    (void)state;
    lc_cursor c = lc_cursor_make(bytes, sizeof bytes);
    assert_int_equal(lc_read_u8(&c), 1);
    assert_int_equal(lc_read_u16(&c), 0x0302);
    assert_int_equal(lc_read_u32(&c), 0x07060504);
    lc_cursor_seek(&c, 0);
    assert_true(lc_read_u64(&c) == 0x0807060504030201ull);
    size_t n;
    assert_string_equal(lc_read_cstr(&c, &n), "hi");
    assert_int_equal(n, 2);
    assert_int_equal(lc_cursor_at(&c), 11);
    lc_cursor_seek(&c, 0);
    assert_int_equal(lc_read_u32_be(&c), 0x01020304);
    lc_cursor_seek(&c, 1);
    assert_int_equal(lc_read_uint(&c, 3), 0x040302);
    assert_false(c.failed);
}

static void cursor_reads_varints(void **state) {
    (void)state;
    static const uint8_t good[] = {0x00, 0x7f, 0x80, 0x01, 0x80, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x05};
    static const uint64_t want[] = {0, 127, 128, 0, UINT64_MAX, 5};
    lc_cursor c = lc_cursor_make(good, sizeof good);
    for (size_t i = 0; i < 6; i++) assert_true(lc_read_varint(&c) == want[i] && !c.failed);
    assert_int_equal(lc_cursor_left(&c), 0);
    assert_int_equal(lc_read_varint(&c), 0); /* nothing is left */
    assert_true(c.failed);
    c = lc_cursor_make(good, 0);
    lc_read_varint(&c);
    assert_true(c.failed);
    c = lc_cursor_make(good, 3); /* cut: it fails and stays where it was */
    lc_cursor_seek(&c, 2);
    assert_int_equal(lc_read_varint(&c), 0);
    assert_true(c.failed);
    assert_int_equal(lc_cursor_at(&c), 2);
    assert_int_equal(lc_read_varint(&c), 0);
    assert_int_equal(lc_cursor_at(&c), 2);
    static const uint8_t large[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}; /* 65 bits */
    static const uint8_t longer[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    c = lc_cursor_make(large, sizeof large);
    lc_read_varint(&c);
    assert_true(c.failed);
    c = lc_cursor_make(longer, sizeof longer);
    lc_read_varint(&c);
    assert_true(c.failed);
}

static void cursor_fails_and_stays_failed(void **state) {
    (void)state;
    lc_cursor c = lc_cursor_make(bytes, sizeof bytes);
    lc_cursor_seek(&c, 9);
    assert_int_equal(lc_read_u32(&c), 0);
    assert_true(c.failed);
    assert_int_equal(lc_cursor_at(&c), 9);
    assert_int_equal(lc_read_u8(&c), 0); /* it would fit, but the record is broken */
    assert_null(lc_read_bytes(&c, 0));
    assert_null(lc_read_cstr(&c, NULL));
    lc_cursor_seek(&c, 0);
    assert_true(c.failed);
    assert_true(lc_cursor_window(&c, 0, 1).failed);
    assert_true(lc_cursor_take(&c, 0).failed);

    c = lc_cursor_make(bytes, sizeof bytes);
    lc_cursor_skip(&c, UINT64_MAX);
    assert_true(c.failed && lc_cursor_at(&c) == 0);
    c = lc_cursor_make(bytes, sizeof bytes);
    lc_cursor_seek(&c, sizeof bytes);
    assert_false(c.failed);
    lc_cursor_seek(&c, sizeof bytes + 1);
    assert_true(c.failed);
    c = lc_cursor_make(bytes, 8);
    assert_null(lc_read_cstr(&c, NULL)); /* the NUL is behind the window */
    assert_true(c.failed);
    c = lc_cursor_make(bytes, sizeof bytes);
    assert_true(lc_read_uint(&c, 9) == 0 && c.failed);
}

static void cursor_windows(void **state) {
    (void)state;
    lc_cursor c = lc_cursor_make(bytes, sizeof bytes);
    lc_cursor w = lc_cursor_window(&c, 4, 2);
    assert_int_equal(lc_cursor_left(&w), 2);
    assert_int_equal(lc_cursor_at(&w), 4);
    assert_int_equal(lc_read_u16(&w), 0x0605);
    assert_int_equal(lc_read_u8(&w), 0);
    assert_true(w.failed && !c.failed);
    assert_true(lc_cursor_window(&c, 12, 1).failed);
    assert_false(lc_cursor_window(&c, 12, 0).failed);
    assert_true(lc_cursor_window(&c, UINT64_MAX, 2).failed);
    w = lc_cursor_window(&c, 2, 4);
    assert_true(lc_cursor_window(&w, 5, 2).failed); /* a window cannot reach out of the window it is made from */
    lc_cursor t = lc_cursor_take(&c, 3);
    assert_int_equal(lc_cursor_left(&t), 3);
    assert_int_equal(lc_cursor_at(&c), 3);
    assert_int_equal(lc_read_u8(&c), 4);
    assert_int_equal(lc_read_u8(&t), 1);
    t = lc_cursor_take(&c, 100);
    assert_true(t.failed && c.failed);
}

static void cursor_of_nothing(void **state) {
    (void)state;
    lc_cursor c = lc_cursor_make(NULL, 0);
    assert_int_equal(lc_cursor_left(&c), 0);
    assert_non_null(lc_read_bytes(&c, 0));
    assert_false(lc_cursor_window(&c, 0, 0).failed);
    assert_false(lc_cursor_take(&c, 0).failed);
    lc_cursor_seek(&c, 0);
    assert_false(c.failed);
    assert_int_equal(lc_read_u8(&c), 0);
    assert_true(c.failed);
}

/* ---- strings ---- */

static void strings(void **state) {
    (void)state;
    lc_str none = lc_str_of(NULL), empty = lc_str_of("");
    assert_null(none.data);
    assert_non_null(empty.data);
    assert_false(lc_str_eq(none, empty));
    assert_true(lc_str_eq(none, none) && lc_str_eq(empty, LC_STR("")));
    assert_true(lc_str_is(LC_STR("abc"), "abc"));
    assert_false(lc_str_is(LC_STR("abc"), "abcd") || lc_str_is(none, "") || lc_str_is(LC_STR("a\0b"), "a"));
    assert_true(lc_str_has_prefix(LC_STR("conv2d_1"), "conv2d") && lc_str_has_prefix(empty, ""));
    assert_false(lc_str_has_prefix(LC_STR("con"), "conv") || lc_str_has_prefix(none, ""));
    assert_true(lc_str_has_suffix(LC_STR("kernel_min"), "_min") && lc_str_has_suffix(LC_STR("_min"), "_min") &&
                lc_str_has_suffix(empty, ""));
    assert_false(lc_str_has_suffix(LC_STR("min"), "_min") || lc_str_has_suffix(LC_STR("kernel_min:0"), "_min") ||
                 lc_str_has_suffix(none, ""));
    assert_true(lc_path_ends("a.h5", ".h5") && lc_path_ends("x/a.weights.h5", ".h5"));
    assert_false(lc_path_ends(".h5", ".h5") || lc_path_ends("a.h5x", ".h5") || lc_path_ends("h5", ".h5"));
}

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *text, *pattern;
        bool fits;
    } cases[] = {
        {"", "", true},
        {"", "*", true},
        {"", "?", false},
        {"a", "", false},
        {"abc", "abc", true},
        {"abc", "ab", false},
        {"ab", "abc", false},
        {"abc", "a?c", true},
        {"abc", "a*", true},
        {"abc", "*c", true},
        {"abc", "**", true},
        {"abc", "*?*?*?*", true},
        {"abc", "????", false},
        {"abcabd", "*abd", true},
        {"abcabd", "a*b*c", false},
        {"abcabd", "*b?", true},
        {"block_3/a", "block_*/a", true},
        {"block_3/ab", "block_*/a", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (lc_str_fits(lc_str_of(cases[i].text), cases[i].pattern) != cases[i].fits)
            fail_msg("\"%s\" and the pattern \"%s\"", cases[i].text, cases[i].pattern);
    assert_false(lc_str_fits(lc_str_of(NULL), "*"));
    assert_true(lc_str_fits((lc_str){"a\0b", 3}, "a?b"));
    /* a matcher that goes back to each * would take 2^40 steps */
    assert_false(lc_str_fits(LC_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                             "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"));
}

static void text(void **state) {
    (void)state;
    lc_text t = {0};
    char *s = lc_text_take(&t);
    assert_string_equal(s, "");
    lc_free(s);
    for (int i = 0; i < 500; i++) lc_text_printf(&t, "%d,", i);
    lc_text_add(&t, "end");
    lc_text_add_n(&t, "xyz", 1);
    assert_int_equal(t.data[t.size], 0);
    assert_non_null(strstr(t.data, "499,endx"));
    s = lc_text_take(&t);
    assert_int_equal(strlen(s), 10 * 2 + 90 * 3 + 400 * 4 + 4);
    assert_null(t.data);
    lc_free(s);
    lc_text_add(&t, "a");
    lc_text_deinit(&t);
    t.failed = true;
    lc_text_add(&t, "a");
    assert_int_equal(t.size, 0);
    assert_null(lc_text_take(&t));
}

static void nearest_name(void **state) {
    (void)state;
    static const char *const names[] = {"--output", "--input", "--quantize", "--help", NULL};
    assert_string_equal(lc_nearest("--ouptut", names), "--output");
    assert_string_equal(lc_nearest("--quantise", names), "--quantize");
    assert_string_equal(lc_nearest("--inputs", names), "--input");
    assert_null(lc_nearest("--verbose", names));
    assert_null(lc_nearest("", names));
    assert_null(lc_nearest(NULL, names));
    assert_null(lc_nearest("x", names));
    assert_string_equal(lc_nearest("ll", (const char *const[]){"orthogonal", "l1", NULL}), "l1");
    char longest[200];
    memset(longest, 'a', sizeof longest);
    longest[199] = 0;
    assert_null(lc_nearest(longest, names));
}

static void hash(void **state) {
    (void)state;
    /* Every length up to a few rounds, and every single changed bit, gives another number; the seed matters. */
    unsigned char data[100];
    uint64_t seen[101];
    for (size_t i = 0; i < sizeof data; i++) data[i] = 0;
    for (size_t n = 0; n <= sizeof data; n++) {
        seen[n] = lc_hash(data, n, 0);
        for (size_t m = 0; m < n; m++) assert_true(seen[m] != seen[n]);
    }
    uint64_t whole = lc_hash(data, sizeof data, 0);
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_true(lc_hash(data, sizeof data, 0) != whole);
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    assert_true(lc_hash(data, sizeof data, 1) != whole);
    assert_true(lc_hash(data, sizeof data, 0) == whole);
    assert_true(lc_hash(NULL, 0, 0) == seen[0]);
}

/* ---- JSON ---- */

static void json_getters(void **state) {
    (void)state;
    const lc_json list[] = {{.kind = LC_JSON_INT, .integer = 3, .real = 3}, {.kind = LC_JSON_REAL, .real = 0.5}};
    const lc_json members[] = {
        {.kind = LC_JSON_STRING, .key = "name", .string = "dense"},        {.kind = LC_JSON_INT, .key = "units", .integer = 10, .real = 10},
        {.kind = LC_JSON_BOOL, .key = "use_bias", .boolean = true},        {.kind = LC_JSON_NULL, .key = "activation"},
        {.kind = LC_JSON_ARRAY, .key = "list", .items = list, .count = 2}, {.kind = LC_JSON_INT, .key = "units", .integer = 11, .real = 11},
    };
    const lc_json o = {.kind = LC_JSON_OBJECT, .items = members, .count = 6};
    assert_string_equal(lc_json_str(&o, "name", "?"), "dense");
    assert_string_equal(lc_json_str(&o, "units", "?"), "?");
    assert_string_equal(lc_json_str(&o, "activation", "linear"), "linear");
    assert_string_equal(lc_json_str(&o, "missing", "?"), "?");
    assert_int_equal(lc_json_get(&o, "units")->integer, 10); /* the first of two */
    const lc_json *a = lc_json_get(&o, "list");
    assert_true(lc_json_at(a, 1)->real == 0.5);
    assert_null(lc_json_at(a, 2));
    assert_null(lc_json_at(&o, 0));
    assert_null(lc_json_get(a, "x"));
    assert_null(lc_json_get(NULL, "x"));
    assert_null(lc_json_get(&o, NULL));
    assert_false(lc_json_is(NULL, LC_JSON_NULL));
    assert_true(lc_json_is(lc_json_get(&o, "activation"), LC_JSON_NULL));
    assert_string_equal(lc_json_str(lc_json_at(lc_json_get(lc_json_get(&o, "nothing"), "x"), 5), "y", "?"), "?");
}

static void json_strings(void **state) {
    (void)state;
    static const struct {
        const char *in;
        size_t size;
        const char *out;
    } cases[] = {
        {"", 0, "\"\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\n\t\r\x7f", 4, "\"\\n\\t\\u000d\\u007f\""},
        {"\xc2\x9b"
         "2J",
         4, "\"\\u009b2J\""}, /* C1: an escape sequence to some terminals */
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xe2\x82\xac", 3, "\"\xe2\x82\xac\""},         /* U+20AC */
        {"\xf0\x9f\x98\x80", 4, "\"\xf0\x9f\x98\x80\""}, /* U+1F600 */
        {"\xe2\x82", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* cut */
        {"\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
        {"\xf8\x88\x80\x80\x80", 5, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_text t = {0};
        lc_text_add_json(&t, cases[i].in, cases[i].size);
        assert_string_equal(t.data, cases[i].out);
        lc_text_deinit(&t);
    }
}

static void utf8_and_digits(void **unused) {
    (void)unused;
    static const struct {
        const char *bytes;
        size_t n, length;
        uint32_t code;
    } cases[] = {
        {"a", 1, 1, 'a'},
        {"", 1, 1, 0},
        {"\xc3\xa4", 2, 2, 0xe4},
        {"\xe2\x82\xac", 3, 3, 0x20ac},
        {"\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"\xc3", 1, 0, 0},
        {"\xc3(", 2, 0, 0},
        {"\x80", 1, 0, 0},
        {"\xc1\x81", 2, 0, 0},
        {"\xe0\x9f\xbf", 3, 0, 0},
        {"\xf0\x8f\xbf\xbf", 4, 0, 0},
        {"\xed\xa0\x80", 3, 0, 0},
        {"\xf4\x90\x80\x80", 4, 0, 0},
        {"\xf8\x88\x80\x80\x80", 5, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint32_t code = 0;
        assert_int_equal(lc_utf8_length(cases[i].bytes, cases[i].n, &code), cases[i].length);
        assert_int_equal(code, cases[i].code);
        char back[4];
        if (cases[i].length == 0) continue;
        assert_int_equal(lc_utf8_put(code, back), cases[i].length);
        assert_memory_equal(back, cases[i].bytes, cases[i].length);
    }
    char buffer[32];
    assert_string_equal(lc_grouped(0, buffer), "0");
    assert_string_equal(lc_grouped(999, buffer), "999");
    assert_string_equal(lc_grouped(1000, buffer), "1,000");
    assert_string_equal(lc_grouped(102042, buffer), "102,042");
    assert_string_equal(lc_grouped(UINT64_MAX, buffer), "18,446,744,073,709,551,615");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_message_and_hint),
        cmocka_unit_test(error_null_is_fine),
        cmocka_unit_test(error_of_its_own_message),
        cmocka_unit_test(error_is_one_printable_line),
        cmocka_unit_test(error_try_passes_on),
        cmocka_unit_test(names_of_types_and_status),
        cmocka_unit_test(heap_goes_through_the_hook),
        cmocka_unit_test(heap_refuses_absurd_sizes),
        cmocka_unit_test(arena_blocks_are_zeroed_apart_and_aligned),
        cmocka_unit_test(arena_strings_and_arrays),
        cmocka_unit_test(arena_without_memory),
        cmocka_unit_test(text_without_memory),
        cmocka_unit_test(budget_counts_the_sum),
        cmocka_unit_test(checked_arithmetic),
        cmocka_unit_test(cursor_reads_numbers),
        cmocka_unit_test(cursor_reads_varints),
        cmocka_unit_test(cursor_fails_and_stays_failed),
        cmocka_unit_test(cursor_windows),
        cmocka_unit_test(cursor_of_nothing),
        cmocka_unit_test(strings),
        cmocka_unit_test(patterns),
        cmocka_unit_test(text),
        cmocka_unit_test(nearest_name),
        cmocka_unit_test(hash),
        cmocka_unit_test(json_getters),
        cmocka_unit_test(json_strings),
        cmocka_unit_test(utf8_and_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
