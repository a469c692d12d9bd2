/*
 * test_source_rules.c: every rule of source/rules.def refuses something. The bad files of tests/data, then good files with single
 * bytes changed and cut short, are read with all that is in them; each id that comes out is ticked off, none may be left.
 * (What each bad file must say is tested where its reader is: test_hdf5, test_zip, test_keras_read, test_array, test_ckpt_bad.)
 */
#include "litec/litec.h"
#include "source/array.h"
#include "source/checkpoint.h"
#include "source/hdf5.h"
#include "source/keras_read.h"
#include "support/ckpt_cases.h"
#include "support/records.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool seen[LC_SOURCE_RULE_COUNT];

static void tick(lc_status status, const lc_error *err) {
    if (status == LC_OK || !err->rule[0]) return;
    for (size_t i = 0; i < LC_SOURCE_RULE_COUNT; i++)
        if (strcmp(lc_source_rule_ids[i], err->rule) == 0) {
            seen[i] = true;
            return;
        }
    fail_msg("[%s] %s: no such rule in rules.def", err->rule, err->message);
}

/* Objects below one, with their data and the strings of one attribute. */
static void walk(lc_h5 *h5, lc_h5_object *o, int depth) {
    lc_error err = {0};
    lc_h5_value v;
    bool found;
    lc_str *strings;
    const lc_h5_link *links;
    size_t n;
    if (depth > 8 || lc_h5_mark(o)) return;
    tick(lc_h5_attribute(h5, o, "vlen", &v, &found, &err), &err);
    if (found) tick(lc_h5_strings(h5, &v, "vlen", &strings, &n, &err), &err);
    if (!lc_h5_is_group(o)) {
        tick(lc_h5_read(h5, o, &v, &err), &err);
        return;
    }
    lc_status status = lc_h5_links(h5, o, &links, &n, &err);
    tick(status, &err);
    for (size_t i = 0; status == LC_OK && i < n; i++) {
        lc_h5_object *below;
        const lc_status followed = lc_h5_follow(h5, o, &links[i], &below, &err);
        tick(followed, &err);
        if (followed == LC_OK) walk(h5, below, depth + 1);
    }
}

static void read_h5(const void *data, size_t size) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err = {0};
    lc_h5 *h5;
    lc_h5_object *o;
    lc_budget_init(&budget, &(lc_limits){.max_memory = 16u << 20});
    lc_status status = lc_h5_open(data, size, 0, &budget, &arena, &arena, &h5, &err);
    tick(status, &err);
    if (status == LC_OK) {
        walk(h5, lc_h5_root(h5), 0);
        tick(lc_h5_get(h5, lc_h5_root(h5), LC_STR("nothing/here"), &o, &err), &err);
    }
    lc_arena_deinit(&arena);
}

static void read_model(const void *data, size_t size) {
    const lc_source_input in = {.map = {.data = data, .size = size}};
    lc_error err = {0};
    char *summary = NULL;
    const lc_source *source = lc_source_find(&in.map, &err);
    tick(source ? source->verify(&in, &(lc_limits){.max_memory = 16u << 20}, &summary, &err) : LC_INVALID, &err);
    lc_free(summary);
}

static void read_array(const void *data, size_t size) {
    lc_budget budget;
    lc_array array = {0};
    lc_error err = {0};
    lc_budget_init(&budget, &(lc_limits){.max_memory = 16u << 20});
    const lc_status status = lc_array_read(data, size, true, &budget, &array, &err);
    tick(status, &err);
    if (status == LC_OK) lc_array_deinit(&array);
}

/* Every bad checkpoint, a variable that is not there, and a slice that is none. */
static void read_checkpoints(void) {
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err = {0};
    lc_ckpt *ckpt;
    const lc_ckpt_entry *e;
    const void *bytes;
    int64_t dims[2];
    size_t size;
    for (size_t i = 0; i < ckpt_case_count; i++) tick(ckpt_case_run(&ckpt_cases[i], NULL, &err), &err);
    lc_budget_init(&budget, NULL);
    assert_int_equal(lc_ckpt_open(LC_TEST_DIR "/data/ckpt/saver", &budget, &arena, &ckpt, &err), LC_OK);
    tick(lc_ckpt_get(ckpt, LC_STR("nothing"), &e, &err), &err);
    tick(lc_ckpt_read_slice(ckpt, lc_ckpt_find(ckpt, LC_STR("dense/kernel")), LC_STR("4 3 5,1:-"), dims, &bytes, &size, &err), &err);
    lc_ckpt_close(ckpt);
    lc_arena_deinit(&arena);
}

/* One bad data set for each rule that a model has a say in. */
static void read_data_sets(void) {
    static const struct {
        const char *samples, *labels;
    } sets[] = {{"1,2,3,4\n1,2\n", NULL}, {"p,q,r,s\n1,2,3,four\n", NULL}, {"1,2,3\n", NULL},     {"p,q,r,s\n", NULL},
                {"1,2,nan,4\n", NULL},    {"1,2,3,4\n", "1\n2\n"},         {"1,2,3,4\n", "1.5\n"}};
    ckpt_folder folder;
    lc_error err = {0};
    lc_model *model;
    lc_session *session;
    lc_data *data;
    uint32_t n;
    assert_true(ckpt_folder_make(&folder));
    assert_int_equal(lc_model_open(LC_TEST_DIR "/data/cli/rows.tflite", NULL, &model, &err), LC_OK);
    assert_int_equal(lc_session_create(model, NULL, &session, &err), LC_OK);
    const char *files[] = {ckpt_folder_path(&folder, "x"), NULL};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        ckpt_folder_write(&folder, "x", sets[i].samples, strlen(sets[i].samples));
        if (sets[i].labels) ckpt_folder_write(&folder, "y", sets[i].labels, strlen(sets[i].labels));
        const lc_data_options o = {.labels = sets[i].labels ? ckpt_folder_path(&folder, "y") : NULL};
        lc_status status = lc_data_open(model, files, &o, &data, &err);
        if (status == LC_OK) status = lc_data_next(data, session, &n, &err);
        tick(status, &err);
        lc_data_close(data);
    }
    const uint8_t idx[] = {0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 1, 9};
    ckpt_folder_write(&folder, "x", idx, sizeof idx);
    tick(lc_data_open(model, files, NULL, &data, &err), &err);
    lc_text records = {0};
    record_example(&records, RECORD_FLOATS("x", 1, 2, 3, 4), RECORD_NONE);
    record_example(&records, RECORD_FLOATS("x", 1, 2, 3), RECORD_NONE);
    for (size_t cut = 0; cut < 2; cut++) { /* two forms of a feature; a record that is not whole */
        ckpt_folder_write(&folder, "x", records.data, cut ? records.size - 40 : records.size);
        tick(lc_data_open(model, files, NULL, &data, &err), &err);
    }
    ckpt_folder_write(&folder, "part-00000-of-00002", records.data, records.size);
    ckpt_folder_write(&folder, "a_batch.bin", records.data, records.size);
    lc_text_deinit(&records);
    tick(lc_data_open(model, (const char *const[]){ckpt_folder_path(&folder, "part-*"), NULL}, NULL, &data, &err), &err);
    tick(lc_data_open(model, (const char *const[]){ckpt_folder_path(&folder, "a_batch.bin"), NULL}, NULL, &data, &err), &err);
    lc_session_destroy(session);
    lc_model_destroy(model);
    ckpt_folder_clean(&folder);
}

/* As it is, then each byte with other values, and cut. */
static void read_varied(const uint8_t *data, size_t size, void (*read)(const void *data, size_t size)) {
    uint8_t *copy = malloc(size);
    read(data, size);
    memcpy(copy, data, size);
    for (size_t i = 0; i < size; i++) {
        if (i > 0 && i + 1 < size && !data[i - 1] && !data[i] && !data[i + 1]) continue; /* padding */
        const uint8_t others[] = {(uint8_t)(data[i] + 1), 255};
        for (size_t k = 0; k < sizeof others; k++) {
            copy[i] = others[k];
            read(copy, size);
        }
        copy[i] = data[i];
        if (i % 16 == 0) read(copy, i);
    }
    free(copy);
}

static void each_file(const char *folder, const char *part, bool varied, void (*read)(const void *data, size_t size)) {
    char path[600];
    DIR *d = opendir(folder);
    if (!d) fail_msg("%s cannot be read", folder);
    size_t n = 0;
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        if (e->d_name[0] == '.' || !strstr(e->d_name, part)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        lc_map map;
        if (lc_map_open(&map, path, NULL, NULL) != LC_OK) continue;
        if (varied) read_varied(map.data, map.size, read);
        else read(map.data, map.size);
        lc_map_close(&map);
        n++;
    }
    closedir(d);
    if (!n) fail_msg("%s holds no file with '%s' in its name", folder, part);
}

static void test_every_rule(void **state) {
    (void)state;
    each_file(LC_TEST_DIR "/data/bad", "", false, read_model);
    each_file(LC_TEST_DIR "/data/keras", "bad_", false, read_model);
    each_file(LC_TEST_DIR "/data/hdf5", "bad_", false, read_h5);
    each_file(LC_TEST_DIR "/fuzz/corpus/h5", "", true, read_h5);
    each_file(LC_TEST_DIR "/fuzz/corpus/array", "", true, read_array);
    each_file(LC_TEST_DIR "/data/bad", "good.keras", true, read_model);
    each_file(LC_TEST_DIR "/data/keras", "k3_deflated.keras", true, read_model);
    read_checkpoints();
    read_data_sets();
    char text[2000] = "";
    for (size_t i = 0; i < LC_SOURCE_RULE_COUNT; i++)
        if (!seen[i]) snprintf(text + strlen(text), sizeof text - strlen(text), " %s", lc_source_rule_ids[i]);
    if (text[0]) fail_msg("nothing is refused by:%s", text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
