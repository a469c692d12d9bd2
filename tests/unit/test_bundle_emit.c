/*
 * test_bundle_emit.c: checkpoints that litec writes, read again by its own reader; what stays of an older one when a save fails; folders
 * that are written whole or not at all. The judge of the files is TensorFlow: tests/oracle/check_tf_emit.py.
 */
#include "base/folder.h"
#include "emit/bundle_emit.h"
#include "ir/strings.h"
#include "source/checkpoint.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

static lc_error err;

#define IN(name) ckpt_folder_path(&ckpt_test_folder, name)
static void assert_ok(lc_status status) {
    if (status != LC_OK) fail_msg("[%s] %s", err.rule, err.message);
}

/* What a checkpoint holds must be these variables. */
static void assert_holds(const char *prefix, const lc_emit_variable *v, size_t n) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_ckpt *ckpt;
    lc_budget_init(&budget, NULL);
    assert_ok(lc_ckpt_open(prefix, &budget, &arena, &ckpt, &err));
    assert_int_equal(lc_ckpt_count(ckpt), n);
    assert_int_equal(lc_ckpt_version(ckpt), 2);
    for (size_t i = 0; i < n; i++) {
        const lc_ckpt_entry *e = lc_ckpt_find(ckpt, lc_str_of(v[i].name));
        const void *data;
        size_t size;
        assert_non_null(e);
        assert_int_equal(e->type, v[i].type);
        assert_int_equal(e->rank, v[i].rank);
        for (int32_t k = 0; k < e->rank; k++) assert_int_equal(e->dims[k], v[i].dims[k]);
        assert_ok(lc_ckpt_read(ckpt, e, &data, &size, &err));
        assert_int_equal(size, v[i].size);
        if (size) assert_memory_equal(data, v[i].data, size);
    }
    lc_ckpt_close(ckpt);
    lc_arena_deinit(&arena);
}

static const float kernel[6] = {1, -2, 3.5f, 0, 5, 6};
static const int64_t step[1] = {1234567890123};
static const bool flags[3] = {true, false, true};
static const int32_t two_three[] = {2, 3}, three[] = {3}, none[] = {0, 4};
static const lc_str words[3] = {
    {"", 0},
    {"a\0b", 3},
    {"\xff longer than a byte of length can say, so that its varint has two: 128 and more characters ...................................................",
     140}};
static uint8_t word_bytes[256];

/* Not in the order of their names; no elements at all; strings. */
static size_t some(lc_emit_variable v[6]) {
    size_t bytes;
    assert_true(lc_strings_size(words, 3, &bytes) && bytes <= sizeof word_bytes);
    lc_strings_write(words, 3, word_bytes);
    const lc_emit_variable all[] = {
        {"model/dense/kernel", LC_FLOAT32, 2, two_three, kernel, sizeof kernel, -1, true},
        {"global_step", LC_INT64, 0, NULL, step, sizeof step, -1, false},
        {"model/dense/bias", LC_FLOAT32, 2, none, "", 0, -1, true},
        {"flags", LC_BOOL, 1, three, flags, sizeof flags, -1, false},
        {"words", LC_STRING, 1, three, word_bytes, bytes, -1, false},
        {"A", LC_FLOAT32, 1, three, kernel, 12, -1, false},
    };
    memcpy(v, all, sizeof all);
    return sizeof all / sizeof *all;
}

static void what_is_written_is_read(void **state) {
    (void)state;
    lc_emit_variable v[6];
    const size_t n = some(v);
    assert_ok(lc_emit_checkpoint(IN("m.ckpt-1"), v, n, &err));
    assert_holds(IN("m.ckpt-1"), v, n);
    assert_true(lc_path_is_file(IN("m.ckpt-1.data-00000-of-00001")));
    assert_ok(lc_emit_checkpoint(IN("empty"), NULL, 0, &err));
    assert_holds(IN("empty"), NULL, 0);
    const char *const kept[] = {"elsewhere/empty"};
    assert_ok(lc_emit_checkpoint_state(IN("m.ckpt-1"), kept, 1, &err));
    lc_map map;
    assert_ok(lc_map_open(&map, IN("checkpoint"), NULL, &err));
    const char want[] =
        "model_checkpoint_path: \"m.ckpt-1\"\nall_model_checkpoint_paths: \"empty\"\nall_model_checkpoint_paths: \"m.ckpt-1\"\n";
    assert_int_equal(map.size, sizeof want - 1);
    assert_memory_equal(map.data, want, map.size);
    lc_map_close(&map);
    assert_holds(ckpt_test_folder.path, v, n); /* found by the state */
}

/* More than one block, and keys of which each shares much with the one before. */
static void many_variables(void **state) {
    (void)state;
    enum { MANY = 7000 };
    lc_arena arena = {0};
    lc_emit_variable *v = lc_arena_array(&arena, MANY, sizeof *v);
    for (size_t i = 0; i < MANY; i++) {
        int32_t *value = lc_arena_alloc(&arena, 4);
        *value = (int32_t)(i * 2654435761u);
        v[i] = (lc_emit_variable){
            lc_arena_printf(&arena, "a_long_name_of_a_model/layer_%zu/kernel_%zu", i / 100, i), LC_INT32, 0, NULL, value, 4, -1, true};
    }
    assert_ok(lc_emit_checkpoint(IN("many"), v, MANY, &err));
    assert_holds(IN("many"), v, MANY);
    lc_arena_deinit(&arena);
}

/* A save over an older checkpoint: one file of values is left, whatever the older one had. */
static void a_newer_one_replaces_an_older(void **state) {
    (void)state;
    lc_emit_variable v[6];
    const size_t n = some(v);
    ckpt_folder_write(&ckpt_test_folder, "m.data-00000-of-00003", "x", 1);
    ckpt_folder_write(&ckpt_test_folder, "m.data-00002-of-00003", "x", 1);
    ckpt_folder_write(&ckpt_test_folder, "m.data-0000x-of-00003", "x", 1); /* not one that a checkpoint has */
    ckpt_folder_write(&ckpt_test_folder, "mm.data-00000-of-00001", "x", 1);
    for (int round = 0; round < 3; round++) {
        assert_ok(lc_emit_checkpoint(IN("m"), v, n - (size_t)round, &err));
        assert_holds(IN("m"), v, n - (size_t)round);
        assert_int_equal(lc_path_is_file(IN("m.data-00000-of-00001")), round % 2 == 0);
        assert_int_equal(lc_path_is_file(IN("m.data-00000-of-00002")), round % 2 == 1);
    }
    assert_false(lc_path_is_file(IN("m.data-00000-of-00003")) || lc_path_is_file(IN("m.data-00002-of-00003")));
    assert_true(lc_path_is_file(IN("m.data-0000x-of-00003")) && lc_path_is_file(IN("mm.data-00000-of-00001")));
}

static bool count_one(void *user, const char *name) {
    (void)name;
    ++*(size_t *)user;
    return true;
}
static size_t files(void) {
    size_t n = 0;
    lc_dir_each(ckpt_test_folder.path, count_one, &n);
    return n;
}

/* Files may have so many bytes and no more, as on a full disk: the values do not fit, or they do and the index does not. */
static void a_full_disk_leaves_the_old_one(void **state) {
    (void)state;
    lc_emit_variable v[6];
    const size_t n = some(v);
    struct rlimit before, low;
    static float large[100];
    static const int32_t hundred[] = {100};
    const lc_emit_variable other[] = {{"w", LC_FLOAT32, 1, hundred, large, sizeof large, -1, true}};
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(lc_emit_checkpoint(IN("m"), v, n, &err));
    for (rlim_t most = 0;; most += 13) {
        low = (struct rlimit){most, before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &low);
        const lc_status status = lc_emit_checkpoint(IN("m"), other, 1, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        if (status == LC_OK) {
            assert_true(most >= sizeof large);
            break;
        }
        assert_int_equal(status, LC_IO);
        assert_holds(IN("m"), v, n);
        assert_int_equal(files(), 2);
    }
    assert_holds(IN("m"), other, 1);
    assert_int_equal(files(), 2);
}

static void bad_variables(void **state) {
    (void)state;
    static const int32_t minus[] = {-1};
    const struct {
        lc_emit_variable v[2];
        size_t n;
        lc_status status;
        const char *message;
    } cases[] = {
        {{{.name = "", .type = LC_FLOAT32}}, 1, LC_ARGUMENT, "no name"},
        {{{.name = NULL, .type = LC_FLOAT32}}, 1, LC_ARGUMENT, "no name"},
        {{{"a", LC_FLOAT32, 0, NULL, kernel, 4, -1, true}, {"a", LC_FLOAT32, 0, NULL, kernel, 4, -1, true}},
         2,
         LC_ARGUMENT,
         "two variables of a checkpoint are named 'a'"},
        {{{"a", LC_FLOAT32, 1, three, kernel, 4, -1, true}}, 1, LC_ARGUMENT, "has 4 bytes, its type (float32) and shape need 12"},
        {{{"a", LC_FLOAT32, 1, minus, kernel, 4, -1, true}}, 1, LC_ARGUMENT, "has the dimension -1"},
        {{{"a", LC_INT4, 1, three, kernel, 2, -1, true}}, 1, LC_UNSUPPORTED, "int4"},
        {{{"a", LC_RESOURCE, 0, NULL, kernel, 4, -1, true}}, 1, LC_UNSUPPORTED, "resource"},
        {{{"a", LC_STRING, 1, three, kernel, 4, -1, true}}, 1, LC_ARGUMENT, "variable 'a':"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(lc_emit_checkpoint(IN("bad"), cases[i].v, cases[i].n, &err), cases[i].status);
        if (!strstr(err.message, cases[i].message)) fail_msg("case %zu: %s", i, err.message);
        assert_int_equal(files(), 0);
    }
    assert_int_equal(lc_emit_checkpoint("", NULL, 0, &err), LC_ARGUMENT);
    assert_int_equal(lc_emit_checkpoint("folder/", NULL, 0, &err), LC_ARGUMENT);
    assert_int_equal(lc_emit_checkpoint(IN("missing/m"), NULL, 0, &err), LC_NOT_FOUND);
}

static lc_status save(void *arg, lc_error *e) {
    LC_TRY(lc_emit_checkpoint(arg,
                              (const lc_emit_variable[]){{"w", LC_FLOAT32, 2, two_three, kernel, sizeof kernel, -1, true},
                                                         {"b", LC_FLOAT32, 1, three, kernel, 12, -1, true}},
                              2, e));
    return lc_emit_checkpoint_state(arg, NULL, 0, e);
}

static void every_allocation_fails(void **state) {
    (void)state;
    fault_check(save, (void *)(uintptr_t)IN("m"), NULL);
}

/* ---- folders ------------------------------------------------------------------------------------------------------------ */

static const char *const entries[] = {"model.pb", "variables", NULL};

static lc_status make(const char *target, const char *text, bool commit, lc_error *e) {
    lc_folder *f;
    LC_TRY(lc_folder_create(target, entries, &f, e));
    const char *path = lc_folder_join(f, "variables");
    lc_status status = path ? lc_folder_make(path, e) : lc_fail_memory(e, "path");
    path = status == LC_OK ? lc_folder_join(f, "variables/inner") : NULL;
    if (path) status = lc_file_save(path, text, 2, e);
    else if (status == LC_OK) status = lc_fail_memory(e, "path");
    if (status == LC_OK && commit) return lc_folder_commit(f, e);
    lc_folder_abort(f);
    return status;
}

static void assert_export(const char *text) {
    lc_map map;
    assert_ok(lc_map_open(&map, IN("export/variables/inner"), NULL, &err));
    assert_memory_equal(map.data, text, 2);
    lc_map_close(&map);
    assert_int_equal(files(), 1);
}

static void folders_are_whole_or_not_at_all(void **state) {
    (void)state;
    assert_ok(make(IN("export"), "no", false, &err));
    assert_int_equal(files(), 0);
    assert_ok(make(IN("export"), "v1", true, &err));
    assert_export("v1");
    assert_ok(make(IN("export"), "v2", false, &err));
    assert_export("v1");
    assert_ok(make(IN("export"), "v2", true, &err));
    assert_export("v2");
    ckpt_folder_write(&ckpt_test_folder, "export/thesis.tex", "x", 1);
    assert_int_equal(make(IN("export"), "v3", true, &err), LC_IO);
    assert_non_null(strstr(err.message, "thesis.tex"));
    assert_export("v2");
    lc_file_remove(IN("export/thesis.tex"));
    assert_ok(make(IN("export"), "v3", true, &err));
    ckpt_folder_write(&ckpt_test_folder, "file", "x", 1);
    lc_folder *f;
    assert_int_equal(lc_folder_create(IN("file"), entries, &f, &err), LC_IO);
    assert_int_equal(lc_folder_create("", entries, &f, &err), LC_ARGUMENT);
    assert_int_equal(lc_folder_create(IN("missing/export"), entries, &f, &err), LC_NOT_FOUND);
}

static lc_status make_again(void *arg, lc_error *e) { return make(arg, "v1", true, e); }

static void every_allocation_of_a_folder_fails(void **state) {
    (void)state;
    fault_check(make_again, (void *)(uintptr_t)IN("export"), NULL);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, ckpt_test_folder_make, ckpt_test_folder_clean)
    const struct CMUnitTest tests[] = {
        EACH(what_is_written_is_read),
        EACH(many_variables),
        EACH(a_newer_one_replaces_an_older),
        EACH(a_full_disk_leaves_the_old_one),
        EACH(bad_variables),
        EACH(every_allocation_fails),
        EACH(folders_are_whole_or_not_at_all),
        EACH(every_allocation_of_a_folder_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
