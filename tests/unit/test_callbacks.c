/*
 * test_callbacks.c: the callbacks: early stopping and the reduction of the rate beside Keras's over given numbers; checkpoints and their names,
 * logs, backups that are whole or not there, events; what is refused, and what is only said.
 */
#include "api/net.h"
#include "base/base.h"
#include "emit/keras_emit.h"
#include "source/zip.h"
#include "support/fault.h"
#include "support/small_net.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- beside Keras ------------------------------------------------------------------------------------------------------- */

enum { EPOCHS = 12 };
typedef struct watching {
    int number, stopped, best;
    double rates[EPOCHS];
} watching;
static const watching cases[] = {
#define WATCHING
#include "support/keras_fit.inc"
#undef WATCHING
};

/* The same numbers and options as in tests/oracle/make_fit.py. */
static void test_watching(void **state) {
    (void)state;
    lc_error err = {0};
    const double baseline = 1.1;
    for (int k = 0; k < 16; k++) {
        lc_net *net = small_net(0, "sgd");
        const lc_monitor monitor = {.name = "loss", .mode = k & 1 ? "max" : "min", .min_delta = k & 2 ? 0.25 : -0.0};
        const lc_early_stopping_options stopping = {.monitor = monitor,
                                                    .patience = 1 + (uint32_t)k % 3,
                                                    .baseline = k & 4 ? &baseline : NULL,
                                                    .start_from_epoch = (uint32_t)k % 4,
                                                    .restore_best_weights = true};
        const lc_reduce_on_plateau_options reducing = {
            .monitor = monitor, .patience = 1 + (uint32_t)k % 3, .cooldown = k & 8 ? 1 : 0, .factor = 0.5, .min_lr = 0.01};
        lc_callback stop, reduce;
        GOES_WELL(lc_early_stopping(&stopping, &stop, &err));
        GOES_WELL(lc_reduce_on_plateau(&reducing, &reduce, &err));
        lc_progress p = {.net = net};
        GOES_WELL(stop.on_train_begin(stop.user, &p, &err));
        GOES_WELL(reduce.on_train_begin(reduce.user, &p, &err));
        assert_true(p.show_learning_rate);
        int stopped = -1;
        float *value = lc_net_variable_at(net, 0).value;
        for (int e = 0; e < EPOCHS; e++) {
            const lc_log log = {"loss", (k * 7919 + e * e * 31 + e * 17) % 23 / 10.0};
            p.epoch = (uint32_t)e;
            p.logs = &log;
            p.log_count = 1;
            *value = (float)e;
            if (stopped < 0) GOES_WELL(stop.on_epoch_end(stop.user, &p, &err));
            if (p.stop && stopped < 0) stopped = e;
            GOES_WELL(reduce.on_epoch_end(reduce.user, &p, &err));
            if (fabs(lc_net_learning_rate(net) - cases[k].rates[e]) > 1e-8)
                fail_msg("case %d, epoch %d: the rate is %g, Keras's %g", k, e, lc_net_learning_rate(net), cases[k].rates[e]);
        }
        GOES_WELL(stop.on_train_end(stop.user, &p, &err));
        if (stopped != cases[k].stopped || (int)*value != cases[k].best)
            fail_msg("case %d: stopped at %d (Keras %d), best was %d (Keras %d)", k, stopped, cases[k].stopped, (int)*value, cases[k].best);
        lc_callback_deinit(&stop);
        lc_callback_deinit(&reduce);
        lc_net_destroy(net);
    }
}

/* ---- in training ---------------------------------------------------------------------------------------------------------- */

static char folder[64];

static void gather(void *user, const char *text) {
    char *all = user;
    const size_t n = strlen(all);
    snprintf(all + n, 4096 - n, "%s", text);
}

typedef struct training {
    lc_fit_options o;
    bool validated;
    char *text;
    lc_history **history;
} training;

static lc_status fit(const training *t, lc_error *err) {
    lc_net *net = small_net(0, "sgd");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    lc_pipeline *validation = t->validated ? small_pipeline(0, 16, false, false, (lc_pipeline_options){.batch = BATCH}) : NULL;
    lc_fit_options o = t->o;
    o.validation = validation;
    o.verbose = 2;
    if (t->text) {
        o.print = gather;
        o.print_user = t->text;
    }
    const lc_status status = lc_fit(net, data, &o, t->history, err);
    lc_pipeline_close(data);
    lc_pipeline_close(validation);
    lc_net_destroy(net);
    return status;
}

static void expect_file(const char *name, bool there) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if ((access(path, F_OK) == 0) != there) fail_msg("%s is %s", name, there ? "missing" : "there");
    if (there) unlink(path);
}

static lc_status with_checkpoint(const char *name, lc_model_checkpoint_options o, uint32_t epochs, lc_error *err) {
    char path[128], text[4096] = "";
    lc_callback c;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    lc_status status = lc_model_checkpoint(path, &o, &c, err);
    if (status == LC_OK)
        status = fit(&(training){.o = {.epochs = epochs, .callbacks = &c, .callback_count = 1}, .validated = true, .text = text}, err);
    lc_callback_deinit(&c);
    return status;
}

/* Rates as Python prints them. */
static void test_what_plateau_says(void **state) {
    (void)state;
    static const struct {
        double rate, factor;
        const char *says;
    } said[] = {
        {1, 0.1, "learning rate to 0.1.\n"}, {0.3, 0.2, "learning rate to 0.06000000238418579.\n"}, {1, 1e-7, "learning rate to 1e-07.\n"}};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
        lc_error err = {0};
        char text[4096] = "";
        lc_net *net = small_net(0, "sgd");
        lc_callback reduce;
        const lc_reduce_on_plateau_options o = {
            .monitor = {.name = "loss", .mode = "min", .print = gather, .print_user = text}, .patience = 1, .factor = said[i].factor};
        GOES_WELL(lc_reduce_on_plateau(&o, &reduce, &err));
        GOES_WELL(lc_net_set_learning_rate(net, said[i].rate, &err));
        const lc_log log = {"loss", 1};
        lc_progress p = {.net = net, .logs = &log, .log_count = 1};
        GOES_WELL(reduce.on_train_begin(reduce.user, &p, &err));
        GOES_WELL(reduce.on_epoch_end(reduce.user, &p, &err));
        GOES_WELL(reduce.on_epoch_end(reduce.user, &p, &err));
        if (!strstr(text, said[i].says)) fail_msg("%s", text);
        lc_callback_deinit(&reduce);
        lc_net_destroy(net);
    }
}

static void test_checkpoints(void **state) {
    (void)state;
    lc_error err = {0};
    GOES_WELL(with_checkpoint("a-{epoch:02d}-{loss:.2f}-{accuracy:.3e}.keras", (lc_model_checkpoint_options){0}, 2, &err));
    expect_file("a-01-1.14-3.500e-01.keras", true);
    expect_file("a-02-1.12-3.000e-01.keras", true);
    GOES_WELL(with_checkpoint("b{epoch}.weights.h5", (lc_model_checkpoint_options){.save_weights_only = true}, 1, &err));
    expect_file("b1.weights.h5", true);
    GOES_WELL(with_checkpoint("sub/c-{epoch}-{batch}.h5", (lc_model_checkpoint_options){.save_freq = 3}, 2, &err));
    expect_file("sub/c-1-3.h5", true);
    expect_file("sub/c-2-1.h5", true);
    expect_file("sub/c-2-4.h5", true);
    char sub[128];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    assert_int_equal(rmdir(sub), 0);
    /* accuracy goes down in the second epoch */
    const lc_model_checkpoint_options best = {.monitor = {.name = "accuracy"}, .save_best_only = true};
    GOES_WELL(with_checkpoint("d-{epoch}.keras", best, 2, &err));
    expect_file("d-1.keras", true);
    expect_file("d-2.keras", false);
    const double threshold = 0.38;
    GOES_WELL(with_checkpoint(
        "e-{epoch}.keras",
        (lc_model_checkpoint_options){.monitor = {.name = "accuracy"}, .save_best_only = true, .initial_value_threshold = &threshold}, 3,
        &err));
    expect_file("e-1.keras", false);
    expect_file("e-3.keras", true);
    static const char *const wrong[] = {"{loss.keras", "{nothing}.keras", "{loss:99999999999f}.keras", "{loss:d}.keras", "{loss:s}.keras"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(with_checkpoint(wrong[i], (lc_model_checkpoint_options){0}, 1, &err), LC_ARGUMENT);
        assert_non_null(strstr(err.message, "cannot be filled in"));
    }
}

static void test_refused(void **state) {
    (void)state;
    lc_error err = {0};
    lc_callback c;
    assert_int_equal(lc_early_stopping(&(lc_early_stopping_options){.monitor.mode = "most"}, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_reduce_on_plateau(&(lc_reduce_on_plateau_options){.factor = 1}, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_learning_rate_scheduler(NULL, NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_csv_logger(NULL, NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_backup_and_restore("", NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_checkpoint("a.txt", NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_checkpoint("a.weights.h5", NULL, &c, &err), LC_ARGUMENT);
    lc_callback_deinit(&c);
    lc_callback_deinit(NULL);
    /* a name that nothing has: nobody knows which way is better */
    GOES_WELL(lc_early_stopping(&(lc_early_stopping_options){.monitor.name = "val_acuracy"}, &c, &err));
    assert_int_equal(fit(&(training){.o = {.callbacks = &c, .callback_count = 1}, .validated = true}, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "\"val_acuracy\", which is not measured; there are: accuracy, loss, val_accuracy, val_loss"));
    assert_string_equal(err.hint, "did you mean \"val_accuracy\"?");
    lc_callback_deinit(&c);
    /* a validation that is not there is said once */
    char text[4096] = "";
    GOES_WELL(lc_early_stopping(NULL, &c, &err));
    GOES_WELL(fit(&(training){.o = {.epochs = 3, .callbacks = &c, .callback_count = 1}, .text = text}, &err));
    const char *said = strstr(text, "note: a callback watches \"val_loss\", which is not measured; there are: accuracy, loss\n");
    assert_non_null(said);
    assert_null(strstr(said + 1, "note"));
    assert_non_null(strstr(text, "Epoch 3/3"));
    lc_callback_deinit(&c);
}

/* ---- rates ---------------------------------------------------------------------------------------------------------------- */

static double halve(void *user, uint32_t epoch, double rate) {
    ++*(int *)user;
    return epoch ? rate / 2 : rate;
}
static double nonsense(void *user, uint32_t epoch, double rate) {
    (void)user;
    (void)epoch;
    return -rate;
}

static void test_schedule(void **state) {
    (void)state;
    lc_error err = {0};
    lc_callback c;
    lc_history *h;
    int calls = 0;
    GOES_WELL(lc_learning_rate_scheduler(halve, &calls, &c, &err));
    GOES_WELL(fit(&(training){.o = {.epochs = 3, .callbacks = &c, .callback_count = 1}, .history = &h}, &err));
    assert_int_equal(calls, 3);
    const double *rates = lc_history_get(h, "learning_rate", NULL);
    assert_non_null(rates);
    assert_true(fabs(rates[0] - 0.1) < 1e-8 && fabs(rates[1] - 0.05) < 1e-8 && fabs(rates[2] - 0.025) < 1e-8);
    lc_history_destroy(h);
    lc_callback_deinit(&c);
    GOES_WELL(lc_learning_rate_scheduler(nonsense, NULL, &c, &err));
    assert_int_equal(fit(&(training){.o = {.callbacks = &c, .callback_count = 1}}, &err), LC_ARGUMENT);
    lc_callback_deinit(&c);
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static void read_text(const char *path, char *text, size_t room) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, room - 1, f)] = '\0';
    fclose(f);
}

static void test_csv(void **state) {
    (void)state;
    lc_error err = {0};
    char path[128], text[1024];
    lc_callback c;
    double a[2], b[2];
    snprintf(path, sizeof path, "%s/log.csv", folder);
    GOES_WELL(lc_csv_logger(path, NULL, &c, &err));
    GOES_WELL(fit(&(training){.o = {.epochs = 2, .callbacks = &c, .callback_count = 1}}, &err));
    read_text(path, text, sizeof text);
    assert_int_equal(
        sscanf(text, "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,%lf,%lf,NA,NA\r\n1,%lf,%lf,NA,NA\r\n", &a[0], &a[1], &b[0], &b[1]), 4);
    assert_true(fabs(a[1] - 1.14344692) < 1e-6 && fabs(b[1] - 1.12025523) < 1e-6);
    lc_callback_deinit(&c);
    const size_t size = strlen(text);
    GOES_WELL(lc_csv_logger(path, &(lc_csv_logger_options){.append = true, .separator = ';'}, &c, &err));
    GOES_WELL(fit(&(training){.o = {.callbacks = &c, .callback_count = 1}}, &err));
    read_text(path, text, sizeof text);
    assert_memory_equal(text + size, "0;0.35", 6);
    assert_int_equal(unlink(path), 0);
    lc_callback_deinit(&c);
}

/* A file system that is full: the backup that is there stays as it is. */
static void test_full(void **state) {
    (void)state;
    lc_error err = {0};
    char path[128];
    struct rlimit before;
    struct stat a, b;
    lc_callback c;
    snprintf(path, sizeof path, "%s/backup.keras", folder);
    GOES_WELL(lc_backup_and_restore(folder, &(lc_backup_options){.keep = true}, &c, &err));
    GOES_WELL(fit(&(training){.o = {.callbacks = &c, .callback_count = 1}}, &err));
    assert_int_equal(stat(path, &a), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {1000, before.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    const lc_status status = fit(&(training){.o = {.epochs = 3, .callbacks = &c, .callback_count = 1}}, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, LC_IO);
    assert_int_equal(stat(path, &b), 0);
    assert_true(a.st_ino == b.st_ino && a.st_size == b.st_size && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
    GOES_WELL(fit(&(training){.o = {.epochs = 3, .callbacks = &c, .callback_count = 1}}, &err));
    lc_callback_deinit(&c);
    /* any of its bytes may be wrong: a message, or training goes on; never more than that */
    for (long at = 0; at < a.st_size; at += 97) {
        FILE *f = fopen(path, "r+b");
        assert_non_null(f);
        fseek(f, at, SEEK_SET);
        const int byte = fgetc(f);
        fseek(f, at, SEEK_SET);
        fputc(byte ^ 0x15, f);
        fclose(f);
        GOES_WELL(lc_backup_and_restore(folder, &(lc_backup_options){.keep = true}, &c, &err));
        err = (lc_error){0};
        if (fit(&(training){.o = {.epochs = 3, .callbacks = &c, .callback_count = 1}}, &err) != LC_OK) assert_true(err.message[0]);
        lc_callback_deinit(&c);
        f = fopen(path, "r+b");
        assert_non_null(f);
        fseek(f, at, SEEK_SET);
        fputc(byte, f);
        fclose(f);
    }
    lc_backup_discard(folder);
    assert_int_equal(stat(path, &b), -1);
}

/* A backup whose state is cut or has another byte, under a checksum that is right. */
static void test_hostile(void **state) {
    (void)state;
    lc_error err = {0};
    char path[128];
    lc_callback c;
    lc_map map;
    lc_budget budget;
    lc_arena arena = {0};
    lc_zip zip;
    const uint8_t *data;
    size_t size;
    const lc_early_stopping_options keeps = {.monitor.name = "loss", .restore_best_weights = true};
    snprintf(path, sizeof path, "%s/backup.keras", folder);
    lc_net *net = small_net(0, "sgd");
    lc_pipeline *order = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    for (size_t at = 0, n = 1; at < n + 8; at++) {
        lc_callback both[2];
        GOES_WELL(lc_early_stopping(&keeps, &both[0], &err));
        GOES_WELL(lc_backup_and_restore(folder, &(lc_backup_options){.keep = true, .save_freq = 4}, &c, &err));
        both[1] = c;
        err = (lc_error){0};
        if (at == 0) { /* ends in the second epoch */
            lc_fit(net, order, &(lc_fit_options){.epochs = 1, .callbacks = both, .callback_count = 2}, NULL, &err);
            GOES_WELL(lc_map_open(&map, path, NULL, &err));
            lc_budget_init(&budget, NULL);
            GOES_WELL(lc_zip_open(&map, &budget, &arena, &zip, &err));
            const lc_zip_member *member = lc_zip_find(&zip, LC_KERAS_MORE);
            assert_non_null(member);
            GOES_WELL(lc_zip_read(&zip, member, &budget, &arena, &data, &size, &err));
            n = size;
        } else {
            const bool cut = at >= n; /* the last ones: cut here and there */
            uint8_t *other = malloc(n);
            assert_non_null(other);
            memcpy(other, data, n);
            other[at % n] ^= (uint8_t)(1 + at * 37 % 255);
            const size_t length = cut ? (at - n) * n / 8 : n;
            GOES_WELL(lc_net_save_more(net, path, NULL, (lc_str){(const char *)other, length}, &err));
            free(other);
            const lc_status status = lc_fit(
                net, order, &(lc_fit_options){.epochs = 2, .steps_per_epoch = 5, .callbacks = both, .callback_count = 2}, NULL, &err);
            if (cut) assert_true(status == LC_INVALID || status == LC_ARGUMENT);
            if (status != LC_OK) assert_true(err.message[0]);
        }
        lc_callback_deinit(&both[0]);
        lc_callback_deinit(&both[1]);
    }
    lc_arena_deinit(&arena);
    lc_map_close(&map);
    lc_backup_discard(folder);
    lc_pipeline_close(order);
    lc_net_destroy(net);
}

static void test_tensorboard(void **state) {
    (void)state;
    lc_error err = {0};
    char command[512];
    lc_callback c;
    GOES_WELL(lc_tensorboard(folder, &(lc_tensorboard_options){.histogram_freq = 1}, &c, &err));
    GOES_WELL(fit(&(training){.o = {.epochs = 2, .callbacks = &c, .callback_count = 1}, .validated = true}, &err));
    lc_callback_deinit(&c);
    static const char *const words[][2] = {{"train", "epoch_loss"},          {"train", "epoch_accuracy"},
                                           {"train", "epoch_learning_rate"}, {"train", "dense/kernel/histogram"},
                                           {"validation", "epoch_loss"},     {"validation", "evaluation_loss_vs_iterations"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        snprintf(command, sizeof command, "grep -q '%s' %s/%s/events.*", words[i][1], folder, words[i][0]);
        if (system(command) != 0) fail_msg("no %s in %s", words[i][1], words[i][0]);
    }
    snprintf(command, sizeof command, "rm -r %s/train %s/validation", folder, folder);
    assert_int_equal(system(command), 0);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------- */

static lc_status all_of_them(void *arg, lc_error *err) {
    const char *path = arg;
    lc_callback c[6] = {{0}};
    const lc_monitor loss = {.name = "loss"};
    const lc_pipeline_options order = {.batch = 16, .shuffle = true, .seed = 1, .threads = 1};
    lc_net *net = lc_sequential("small");
    if (!net) return lc_fail_memory(err, "a model");
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_DENSE(3, .activation = "softmax"));
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options how = {.loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics};
    lc_array x = {.type = LC_FLOAT32, .rank = 2, .dims = {SAMPLES, 4}, .data = small_x, .size = sizeof small_x};
    lc_array y = {.type = LC_INT32, .rank = 1, .dims = {SAMPLES}, .data = small_classes, .size = sizeof small_classes};
    const lc_pipeline_arrays arrays = {.x = &x, .y = &y, .x_count = 1, .y_count = 1};
    lc_pipeline *data = NULL;
    lc_history *h = NULL;
    lc_status status = lc_compile(net, &how, err);
    if (status == LC_OK) status = lc_pipeline_from_arrays(&arrays, &order, &data, err);
    if (status == LC_OK)
        status = lc_early_stopping(&(lc_early_stopping_options){.monitor = loss, .restore_best_weights = true, .patience = 1}, &c[0], err);
    if (status == LC_OK) status = lc_reduce_on_plateau(&(lc_reduce_on_plateau_options){.monitor = loss}, &c[1], err);
    if (status == LC_OK)
        status = lc_model_checkpoint(path, &(lc_model_checkpoint_options){.monitor = loss, .save_best_only = true}, &c[2], err);
    char log[128], backup[128];
    snprintf(log, sizeof log, "%s.csv", path);
    snprintf(backup, sizeof backup, "%s.backup", path);
    if (status == LC_OK) status = lc_csv_logger(log, NULL, &c[3], err);
    if (status == LC_OK) status = lc_tensorboard(folder, NULL, &c[4], err);
    if (status == LC_OK) status = lc_backup_and_restore(backup, &(lc_backup_options){.keep = true}, &c[5], err);
    /* twice: the second goes on from the backup, and has nothing to do but its last epoch */
    for (uint32_t epochs = 1; epochs <= 2 && status == LC_OK; epochs++) {
        lc_history_destroy(h);
        status = lc_fit(net, data, &(lc_fit_options){.epochs = epochs, .threads = 1, .callbacks = c, .callback_count = 6}, &h, err);
    }
    for (int i = 0; i < 6; i++) lc_callback_deinit(&c[i]);
    lc_backup_discard(backup);
    lc_history_destroy(h);
    lc_pipeline_close(data);
    lc_net_destroy(net);
    return status;
}

static void test_memory(void **state) {
    (void)state;
    char path[128], command[512];
    snprintf(path, sizeof path, "%s/best.keras", folder);
    fault_check(all_of_them, path, &(fault_options){.step = 29});
    snprintf(command, sizeof command, "rm -rf %s/*", folder);
    assert_int_equal(system(command), 0);
}

int main(void) {
    small_data();
    snprintf(folder, sizeof folder, "/tmp/litec-callbacks-XXXXXX");
    if (!mkdtemp(folder)) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watching), cmocka_unit_test(test_what_plateau_says), cmocka_unit_test(test_checkpoints),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_schedule),          cmocka_unit_test(test_csv),
        cmocka_unit_test(test_full),     cmocka_unit_test(test_tensorboard),       cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_memory),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) == 0 ? failed : 1;
}
