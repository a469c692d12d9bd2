/*
 * test_callbacks.c: the callbacks of Keras, driven epoch by epoch with made-up numbers: where they stop, what they reduce, what they write. The
 * sequences were worked out by hand from the rules of Keras's documentation; the last test lets lc_fit call them.
 */
#include "litec/train.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char heard[2048];
static void hear(void *user, const char *text) {
    (void)user;
    strncat(heard, text, sizeof heard - strlen(heard) - 1);
}

/* One layer: y = w x + b, compiled with SGD of rate 0.5 and a metric that is better when it is lower. */
static lc_net *make_net(void) {
    lc_error err;
    lc_net *net = lc_sequential("line");
    lc_add(net, LC_INPUT({1}));
    lc_add(net, LC_DENSE(1));
    const lc_object metrics[] = {{"mae", NULL, NULL}, {"accuracy", NULL, NULL}, {NULL, NULL, NULL}};
    const lc_compile_options o = {.optimizer = LC_SGD(0.5), .loss = {"mse", NULL, NULL}, .metrics = metrics};
    if (lc_compile(net, &o, &err) != LC_OK) fail_msg("%s", err.message);
    return net;
}

/* Ends epochs with these values of `name`; returns in which one training was stopped, or their number. */
static uint32_t drive(const lc_callback *c, lc_net *net, const char *name, const double *values, uint32_t n, float weight) {
    lc_error err;
    lc_progress p = {.net = net, .epochs = n};
    if (c->on_train_begin) assert_int_equal(c->on_train_begin(c->user, &p, &err), LC_OK);
    for (; p.epoch < n && !p.stop; p.epoch++) {
        const lc_log logs[] = {{"loss", 0.25}, {name, values[p.epoch]}};
        p.logs = logs;
        p.log_count = isnan(values[p.epoch]) ? 1 : 2;
        if (net && weight != 0) lc_net_variable_at(net, 0).value[0] = weight * (float)p.epoch;
        if (c->on_epoch_end(c->user, &p, &err) != LC_OK) fail_msg("epoch %u: %s", p.epoch, err.message);
    }
    if (c->on_train_end) assert_int_equal(c->on_train_end(c->user, &p, &err), LC_OK);
    return p.stop ? p.epoch - 1 : p.epoch;
}

static void test_stopping(void **state) {
    (void)state;
    const double falls[] = {5, 4, 4.5, 4.2, 3.9, 4, 4, 4}, rises[] = {1, 2, 3, 2.95, 2.9, 2, 2, 2}, flat[] = {1, 1, 1, 1, 1, 1, 1, 1};
    const double some[] = {3, NAN, NAN, 4, NAN, NAN, 4, 4}, goal = 3.95;
    const struct {
        lc_early_stopping_options o;
        const double *values;
        uint32_t stops;
    } cases[] = {
        {{.patience = 3}, falls, 7},
        {{.patience = 2}, falls, 3},
        {{.patience = 0}, falls, 2},
        {{.patience = 0}, flat, 1},
        {{.patience = 5}, flat, 5},
        {{.monitor = {.mode = "max"}, .patience = 2}, rises, 4},
        {{.patience = 2}, rises, 2},
        {{.monitor = {.min_delta = 0.5}, .patience = 3}, falls, 4},
        {{.start_from_epoch = 4}, flat, 5},
        {{.patience = 2}, some, 6}, /* epochs that did not measure it do not count */
        {{.patience = 3, .baseline = &goal}, falls, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_callback c;
        assert_int_equal(lc_early_stopping(&cases[i].o, &c, NULL), LC_OK);
        for (int again = 0; again < 2; again++) { /* each training begins anew */
            const uint32_t stops = drive(&c, NULL, "val_loss", cases[i].values, 8, 0);
            if (stops != cases[i].stops) fail_msg("case %zu: stopped in epoch %u, not %u", i, stops, cases[i].stops);
        }
        lc_callback_deinit(&c);
    }
}

static void test_restore(void **state) {
    (void)state;
    const double values[] = {5, 3, 4, 4, 4};
    lc_net *net = make_net();
    lc_callback c;
    heard[0] = '\0';
    const lc_early_stopping_options o = {.monitor = {.name = "val_mae", .print = hear}, .patience = 2, .restore_best_weights = true};
    assert_int_equal(lc_early_stopping(&o, &c, NULL), LC_OK);
    assert_int_equal(drive(&c, net, "val_mae", values, 5, 10), 3);
    assert_true(lc_net_variable_at(net, 0).value[0] == 10); /* of epoch 1 */
    assert_string_equal(heard, "Epoch 4: early stopping\nRestoring model weights from the end of the best epoch: 2.\n");
    lc_callback_deinit(&c);
    lc_net_destroy(net);
}

static void test_plateau(void **state) {
    (void)state;
    const double values[] = {2, 2, 2, 2, 2, 2, 2, 1.99995, 1, 1};
    lc_net *net = make_net();
    lc_callback c;
    heard[0] = '\0';
    const lc_reduce_on_plateau_options o = {
        .monitor = {.name = "loss_of_all", .mode = "min", .print = hear}, .factor = 0.5, .patience = 2, .cooldown = 1, .min_lr = 0.1};
    assert_int_equal(lc_reduce_on_plateau(&o, &c, NULL), LC_OK);
    drive(&c, net, "loss_of_all", values, 10, 0);
    /* epoch 0 is the best; 1, 2: 0.25; 3 cools down, and counts itself again: 3, 4: 0.125 ... 0.1 is the least; 1.99995 is no improvement */
    assert_true(fabs(lc_net_learning_rate(net) - 0.1) < 1e-7);
    assert_non_null(strstr(heard, "Epoch 3: ReduceLROnPlateau reducing learning rate to 0.25."));
    assert_non_null(strstr(heard, "Epoch 5: ReduceLROnPlateau reducing learning rate to 0.125."));
    assert_non_null(strstr(heard, "Epoch 7: ReduceLROnPlateau reducing learning rate to 0.1"));
    assert_null(strstr(heard, "Epoch 9"));
    lc_callback_deinit(&c);
    assert_int_equal(lc_reduce_on_plateau(&(lc_reduce_on_plateau_options){.factor = 1}, &c, NULL), LC_ARGUMENT);
    lc_net_destroy(net);
}

static double halve(void *user, uint32_t epoch, double rate) {
    (void)user;
    return epoch == 3 ? (double)NAN : epoch ? rate / 2 : rate;
}

static void test_scheduler(void **state) {
    (void)state;
    lc_net *net = make_net();
    lc_callback c;
    lc_error err;
    assert_int_equal(lc_learning_rate_scheduler(NULL, NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_learning_rate_scheduler(halve, NULL, &c, &err), LC_OK);
    lc_progress p = {.net = net};
    for (; p.epoch < 3; p.epoch++) assert_int_equal(c.on_epoch_begin(c.user, &p, &err), LC_OK);
    assert_true(lc_net_learning_rate(net) == 0.125);
    assert_int_equal(c.on_epoch_begin(c.user, &p, &err), LC_ARGUMENT);
    assert_string_equal(err.message, "epoch 4: the scheduler gives a learning rate of nan");
    lc_callback_deinit(&c);
    lc_net_destroy(net);
}

/* ---- files --------------------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/litec-callbacks-XXXXXX"; /* made by setup */

static int setup(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static const char *path_of(const char *name) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *name) { return access(path_of(name), F_OK) == 0; }

static int teardown(void **state) {
    (void)state;
    static const char *const names[] = {
        "log.csv", "a-01-0.50.keras", "a-03-0.25.keras", "a-02-0.75.keras", "deep/b2.weights.h5", "deep/b4.weights.h5", "deep"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (remove(path_of(names[i])) != 0) continue;
    return rmdir(folder);
}

static void expect_file(const char *name, const char *want) {
    char text[1024] = "";
    FILE *f = fopen(path_of(name), "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(text, want);
}

static void test_csv(void **state) {
    (void)state;
    const double values[] = {0.1, 1e-5, 3}, none[] = {NAN};
    lc_callback c;
    assert_int_equal(lc_csv_logger(path_of("log.csv"), NULL, &c, NULL), LC_OK);
    drive(&c, NULL, "accuracy", values, 3, 0);
    expect_file("log.csv", "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,0.1,0.25,NA,NA\r\n1,1e-05,0.25,NA,NA\r\n2,3.0,0.25,NA,NA\r\n");
    lc_callback_deinit(&c);
    assert_int_equal(lc_csv_logger(path_of("log.csv"), &(lc_csv_logger_options){.separator = ';'}, &c, NULL), LC_OK);
    drive(&c, NULL, "val_loss", values, 1, 0);
    expect_file("log.csv", "epoch;loss;val_loss\r\n0;0.25;0.1\r\n");
    lc_callback_deinit(&c);
    assert_int_equal(lc_csv_logger(path_of("log.csv"), &(lc_csv_logger_options){.separator = ';', .append = true}, &c, NULL), LC_OK);
    drive(&c, NULL, "val_loss", values, 1, 0);
    expect_file("log.csv", "epoch;loss;val_loss\r\n0;0.25;0.1\r\n0;0.25;0.1\r\n");
    drive(&c, NULL, "val_loss", none, 1, 0);
    lc_callback_deinit(&c);
}

static void test_checkpoint(void **state) {
    (void)state;
    const double values[] = {0.5, 0.75, 0.25, 0.3};
    lc_net *net = make_net();
    lc_callback c;
    lc_error err;
    heard[0] = '\0';
    const lc_model_checkpoint_options best = {.monitor = {.print = hear}, .save_best_only = true};
    assert_int_equal(lc_model_checkpoint(path_of("a-{epoch:02d}-{val_loss:.2f}.keras"), &best, &c, &err), LC_OK);
    drive(&c, net, "val_loss", values, 4, 1);
    assert_true(exists("a-01-0.50.keras") && !exists("a-02-0.75.keras") && exists("a-03-0.25.keras"));
    assert_non_null(strstr(heard, "Epoch 2: val_loss did not improve from 0.50000"));
    lc_callback_deinit(&c);
    /* every second batch, weights alone, in a folder that is made */
    const lc_model_checkpoint_options often = {.save_weights_only = true, .save_freq = 2};
    assert_int_equal(lc_model_checkpoint(path_of("deep/b{batch}.weights.h5"), &often, &c, &err), LC_OK);
    lc_progress p = {.net = net};
    for (; p.step < 5; p.step++)
        if (c.on_batch_end(c.user, &p, &err) != LC_OK) fail_msg("%s", err.message);
    assert_true(exists("deep/b2.weights.h5") && exists("deep/b4.weights.h5") && !exists("deep/b3.weights.h5"));
    lc_callback_deinit(&c);
    static const char *const wrong[] = {"x{epoch", "x{epoc}", "x{epoch:s}", "x{epoch:02x}", "x{val_loss:d}", "x{epoch:.2d}"};
    const lc_log log = {"val_loss", 1};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.keras", wrong[i]);
        assert_int_equal(lc_model_checkpoint(name, NULL, &c, &err), LC_OK);
        lc_progress q = {.net = net, .logs = &log, .log_count = 1};
        assert_int_equal(c.on_epoch_end(c.user, &q, &err), LC_ARGUMENT);
        assert_non_null(strstr(err.message, "cannot be filled in"));
        lc_callback_deinit(&c);
    }
    assert_int_equal(lc_model_checkpoint("a.txt", NULL, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_checkpoint("a.keras", &often, &c, &err), LC_ARGUMENT);
    assert_int_equal(lc_model_checkpoint("a.weights.h5", NULL, &c, &err), LC_ARGUMENT);
    lc_net_destroy(net);
}

/* ---- what is refused ----------------------------------------------------------------------------------------------------- */

static void test_not_measured(void **state) {
    (void)state;
    lc_net *net = make_net();
    const lc_log logs[] = {{"accuracy", 1}, {"loss", 1}, {"other", 1}};
    lc_progress p = {.net = net, .logs = logs, .log_count = 3};
    lc_error err;
    lc_callback c;
    assert_int_equal(lc_early_stopping(&(lc_early_stopping_options){.monitor.mode = "most"}, &c, &err), LC_ARGUMENT);
    assert_null(c.user);
    assert_int_equal(lc_early_stopping(&(lc_early_stopping_options){.monitor.name = "acuracy"}, &c, &err), LC_OK);
    assert_int_equal(c.on_epoch_end(c.user, &p, &err), LC_ARGUMENT);
    assert_string_equal(err.message, "a callback watches \"acuracy\", which is not measured");
    assert_string_equal(err.hint, "did you mean \"accuracy\"?");
    lc_callback_deinit(&c);
    assert_int_equal(lc_early_stopping(&(lc_early_stopping_options){.monitor.name = "other"}, &c, &err), LC_OK);
    assert_int_equal(c.on_epoch_end(c.user, &p, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "nobody knows which way is better"));
    lc_callback_deinit(&c);
    /* without a validation it is told at the end */
    assert_int_equal(lc_early_stopping(NULL, &c, &err), LC_OK);
    assert_int_equal(c.on_epoch_end(c.user, &p, &err), LC_OK);
    assert_int_equal(c.on_train_end(c.user, &p, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.hint, "lc_fit_options.validation"));
    lc_callback_deinit(&c);
    lc_callback_deinit(&c);
    lc_callback_deinit(NULL);
    lc_net_destroy(net);
}

static lc_status life(void *arg, lc_error *err) {
    (void)arg;
    const lc_log logs[] = {{"loss", 1}, {"val_loss", 1}};
    lc_progress p = {.logs = logs, .log_count = 2};
    lc_callback c[4] = {{0}};
    lc_status status = lc_early_stopping(NULL, &c[0], err);
    if (status == LC_OK) status = lc_reduce_on_plateau(NULL, &c[1], err);
    if (status == LC_OK) status = lc_model_checkpoint("x.keras", NULL, &c[2], err);
    if (status == LC_OK) status = lc_csv_logger(path_of("log.csv"), &(lc_csv_logger_options){.append = true}, &c[3], err);
    if (status == LC_OK) status = c[3].on_train_begin(c[3].user, &p, err);
    if (status == LC_OK) status = c[3].on_epoch_end(c[3].user, &p, err);
    for (int i = 0; i < 4; i++) lc_callback_deinit(&c[i]);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    remove(path_of("log.csv"));
    fault_check(life, NULL, NULL);
}

/* In a real training: y = 2 x is found in a few epochs, then nothing gets better. */
static void test_fit(void **state) {
    (void)state;
    float x[8], y[8];
    for (int i = 0; i < 8; i++) y[i] = 2 * (x[i] = (float)i / 8);
    const lc_array ax = {.type = LC_FLOAT32, .rank = 2, .dims = {8, 1}, .data = x, .size = sizeof x};
    const lc_array ay = {.type = LC_FLOAT32, .rank = 2, .dims = {8, 1}, .data = y, .size = sizeof y};
    lc_net *net = make_net();
    lc_pipeline *data;
    lc_error err;
    assert_int_equal(lc_pipeline_from_arrays(&(lc_pipeline_arrays){.x = &ax, .y = &ay, .x_count = 1, .y_count = 1}, NULL, &data, &err),
                     LC_OK);
    lc_callback c[2];
    assert_int_equal(lc_early_stopping(&(lc_early_stopping_options){.monitor.name = "loss", .patience = 2}, &c[0], &err), LC_OK);
    assert_int_equal(lc_csv_logger(path_of("log.csv"), NULL, &c[1], &err), LC_OK);
    lc_history *history;
    if (lc_fit(net, data, &(lc_fit_options){.epochs = 5000, .callbacks = c, .callback_count = 2}, &history, &err) != LC_OK)
        fail_msg("%s", err.message);
    size_t epochs;
    const double *loss = lc_history_get(history, "loss", &epochs);
    assert_true(epochs > 10 && epochs < 5000);
    assert_true(loss[epochs - 1] < 1e-6);
    lc_history_destroy(history);
    lc_callback_deinit(&c[0]);
    lc_callback_deinit(&c[1]);
    lc_pipeline_close(data);
    lc_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopping),     cmocka_unit_test(test_restore),   cmocka_unit_test(test_plateau),
        cmocka_unit_test(test_scheduler),    cmocka_unit_test(test_csv),       cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_not_measured), cmocka_unit_test(test_no_memory), cmocka_unit_test(test_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
