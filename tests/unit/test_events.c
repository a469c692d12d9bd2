/*
 * test_events.c: TensorBoard's event files, read again record by record. That TensorBoard itself reads them: tests/oracle/check_tf_emit.py.
 */
#include "train/events.h"

#include "base/crc32c.h"
#include "proto/proto.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

enum { MOST = 8 };
static lc_error err;
static struct {
    lc_map map;
    lc_arena arena;
    const lc_pb_Event *events[MOST];
    size_t count;
} file;

static void assert_ok(lc_status status) {
    if (status != LC_OK) fail_msg("[%s] %s", err.rule, err.message);
}

static bool take_name(void *user, const char *name) {
    const char **path = user;
    if (*path) fail_msg("two files");
    *path = ckpt_folder_path(&ckpt_test_folder, lc_arena_printf(&ckpt_test_folder.arena, "run/%s", name));
    return true;
}

static uint32_t u32(const uint8_t *p) { return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24; }

/* Reads the only file of the folder: every checksum must be right, and no byte be left over. */
static void read_events(void) {
    const char *path = NULL;
    lc_budget budget;
    lc_budget_init(&budget, NULL);
    lc_dir_each(ckpt_folder_path(&ckpt_test_folder, "run"), take_name, &path);
    assert_non_null(path);
    assert_non_null(strstr(path, "/events.out.tfevents."));
    assert_ok(lc_map_open(&file.map, path, NULL, &err));
    const uint8_t *p = file.map.data, *const end = p + file.map.size;
    for (file.count = 0; p < end; file.count++) {
        void *message;
        assert_true(end - p >= 16 && file.count < MOST);
        const size_t size = u32(p);
        assert_int_equal(lc_crc32c_mask(lc_crc32c(0, p, 8)), u32(p + 8));
        assert_true((size_t)(end - p) >= 16 + size);
        assert_int_equal(lc_crc32c_mask(lc_crc32c(0, p + 12, size)), u32(p + 12 + size));
        assert_ok(lc_pb_read(LC_PB_Event, p + 12, size, &budget, &file.arena, &message, &err));
        file.events[file.count] = message;
        p += 16 + size;
    }
    assert_true(lc_str_is(file.events[0]->file_version, "brain.Event:2"));
}

static void forget(void) {
    lc_map_close(&file.map);
    lc_arena_deinit(&file.arena);
}

static lc_events *begin(const char *name) {
    lc_events *ev;
    assert_ok(lc_events_open(ckpt_folder_path(&ckpt_test_folder, "run"), name, &ev, &err));
    return ev;
}

static void scalars_and_a_graph(void **state) {
    (void)state;
    lc_events *ev = begin("x");
    assert_ok(lc_events_scalar(ev, "loss", 7, 1.5e9, 0.25, &err));
    assert_ok(lc_events_scalar(ev, "zero", 0, 1.5e9, 0, &err));
    assert_ok(lc_events_scalar(ev, "nan", -1, 1.5e9, NAN, &err));
    assert_ok(lc_events_graph(ev, 2, LC_STR("graph"), &err));
    assert_ok(lc_events_flush(ev, &err));
    read_events(); /* while it is still open */
    lc_events_close(ev);
    assert_int_equal(file.count, 5);
    const lc_pb_Summary_Value *v = &file.events[1]->summary->value.data[0];
    assert_true(file.events[1]->step == 7 && file.events[1]->wall_time == 1.5e9);
    assert_true(lc_str_is(v->tag, "loss") && v->simple_value == 0.25f);
    v = &file.events[2]->summary->value.data[0];
    assert_true(lc_pb_has(v, Summary_Value, simple_value) && v->simple_value == 0);
    assert_true(isnan(file.events[3]->summary->value.data[0].simple_value) && file.events[3]->step == -1);
    assert_true(lc_str_is(file.events[4]->graph_def, "graph"));
    forget();
}

static const lc_pb_HistogramProto *histogram(const float *values, size_t n) {
    lc_events *ev = begin("h");
    assert_ok(lc_events_histogram(ev, "w", 1, 1, values, n, &err));
    lc_events_close(ev);
    read_events();
    assert_int_equal(file.count, 2);
    return file.events[1]->summary->value.data[0].histo;
}

/* Figures of TensorFlow 2.21: tf.compat.v1.summary.histogram of the same values. */
static void histograms(void **state) {
    (void)state;
    const float values[] = {-1, 0, 0, 1e-13f, 2, 2.05f};
    const lc_pb_HistogramProto *h = histogram(values, 6);
    static const double limits[] = {-1.0089710279437536, -0.917246389039776, 0, 1e-12, 1.9661990955585713, 2.1628190051144287, DBL_MAX};
    static const double counts[] = {0, 1, 0, 3, 0, 2, 0};
    assert_true(h->num == 6 && h->min == -1 && h->max == 2.05f && h->sum == 3.0499999523163841 && h->sum_squares == 9.2024998044967674);
    assert_true(h->bucket_limit.n == 7 && h->bucket.n == 7);
    assert_memory_equal(h->bucket_limit.data, limits, sizeof limits);
    assert_memory_equal(h->bucket.data, counts, sizeof counts);
    forget();
}

static void a_histogram_of_nothing(void **state) {
    (void)state;
    const lc_pb_HistogramProto *h = histogram(NULL, 0);
    assert_int_equal(h->bucket.n, 1);
    assert_true(h->bucket_limit.data[0] == DBL_MAX && h->bucket.data[0] == 0 && h->num == 0);
    forget();
}

static void values_without_a_place(void **state) {
    (void)state;
    const float bad[] = {1, INFINITY};
    lc_events *ev = begin("x");
    assert_int_equal(lc_events_histogram(ev, "dense/kernel", 40, 1, bad, 2, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "value 1 of 'dense/kernel' is inf at step 40"));
    lc_events_close(ev);
    lc_events *none;
    assert_int_equal(lc_events_open("", NULL, &none, &err), LC_ARGUMENT);
    ckpt_folder_write(&ckpt_test_folder, "file", "x", 1);
    assert_int_equal(lc_events_open(ckpt_folder_path(&ckpt_test_folder, "file/logs"), NULL, &none, &err), LC_IO);
    assert_non_null(strstr(err.hint, "in the way"));
}

/* A record that does not fit is taken back: what follows can be read when there is room again. */
static void a_full_disk(void **state) {
    (void)state;
    struct rlimit before;
    getrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_IGN);
    lc_events *ev = begin("x");
    assert_ok(lc_events_scalar(ev, "a", 1, 1, 1, &err));
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, before.rlim_max});
    const lc_status status = lc_events_scalar(ev, "a", 2, 1, 2, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, LC_IO);
    assert_ok(lc_events_scalar(ev, "a", 3, 1, 3, &err));
    lc_events_close(ev);
    read_events();
    assert_int_equal(file.count, 3);
    assert_true(file.events[2]->step == 3);
    forget();
}

static lc_status write_some(void *arg, lc_error *e) {
    lc_events *ev;
    LC_TRY(lc_events_open(arg, NULL, &ev, e));
    lc_status status = lc_events_scalar(ev, "loss", 1, 1, 1, e);
    if (status == LC_OK) status = lc_events_histogram(ev, "w", 1, 1, (const float[]){1, 2}, 2, e);
    lc_events_close(ev);
    return status;
}

static void every_allocation_fails(void **state) {
    (void)state;
    fault_check(write_some, (void *)(uintptr_t)ckpt_folder_path(&ckpt_test_folder, "run"), NULL);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, ckpt_test_folder_make, ckpt_test_folder_clean)
    const struct CMUnitTest tests[] = {
        EACH(scalars_and_a_graph),    EACH(histograms),  EACH(a_histogram_of_nothing),
        EACH(values_without_a_place), EACH(a_full_disk), EACH(every_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
