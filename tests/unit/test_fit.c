/*
 * test_fit.c: fit: what is followed beside what Keras follows (validation, weights of classes and samples, several outputs); equal bits for any
 * number of threads, in a second run, and when a training goes on from a backup; what is printed.
 */
#include "support/small_net.h"

#include <sys/stat.h>
#include <unistd.h>

/* ---- beside Keras ------------------------------------------------------------------------------------------------------- */

typedef struct series {
    const char *training, *name;
    double values[3];
} series;
static const series keras[] = {
#define TRAININGS
#include "support/keras_fit.inc"
#undef TRAININGS
};

static void compare(const char *training, lc_net *net, lc_pipeline *data, lc_fit_options o) {
    lc_error err = {0};
    lc_history *h;
    size_t epochs, count = 0;
    o.epochs = 3;
    GOES_WELL(lc_fit(net, data, &o, &h, &err));
    for (size_t i = 0; i < sizeof keras / sizeof *keras; i++) {
        if (strcmp(keras[i].training, training) != 0) continue;
        const double *values = lc_history_get(h, keras[i].name, &epochs);
        assert_non_null(values);
        assert_int_equal(epochs, 3);
        for (int k = 0; k < 3; k++)
            if (!(fabs(values[k] - keras[i].values[k]) < 2e-6))
                fail_msg("%s, %s of epoch %d: %.9g, Keras %.9g", training, keras[i].name, k + 1, values[k], keras[i].values[k]);
        count++;
    }
    assert_int_equal(count, lc_history_count(h));
    lc_history_destroy(h);
    lc_pipeline_close(data);
    lc_pipeline_close(o.validation);
    lc_net_destroy(net);
}

static void test_keras(void **state) {
    (void)state;
    const lc_pipeline_options in_order = {.batch = BATCH}, uneven = {.batch = 12};
    lc_pipeline_options training = in_order, validation = in_order;
    training.split = LC_SPLIT_TRAINING;
    validation.split = LC_SPLIT_VALIDATION;
    training.validation_split = validation.validation_split = 0.25;
    const double by_class[] = {1, 2.5, 0.5};
    compare("plain", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, false, in_order), (lc_fit_options){0});
    compare("uneven", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, false, uneven), (lc_fit_options){0});
    compare("split", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, false, training),
            (lc_fit_options){.validation = small_pipeline(0, SAMPLES, false, false, validation)});
    compare("classes", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, false, in_order),
            (lc_fit_options){.class_weight = by_class, .class_count = 3});
    compare("samples", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, true, in_order), (lc_fit_options){0});
}

/* As small_net, but for how it learns. */
static lc_net *learning(lc_compile_options o) {
    lc_error err = {0};
    lc_net *net = small_net(0, "sgd");
    GOES_WELL(lc_compile(net, &o, &err));
    return net;
}

static void test_compiled(void **state) {
    (void)state;
    const lc_pipeline_options in_order = {.batch = BATCH};
    const lc_object once[] = {{.class_name = "accuracy"}, {0}}, *each[] = {once};
    const lc_object sgd = {.class_name = "sgd", .config = "{\"learning_rate\": 0.1}"},
                    loss = {.class_name = "sparse_categorical_crossentropy"};
    compare(
        "weighted",
        learning((lc_compile_options){.optimizer = sgd, .loss = loss, .metrics = once, .output_metrics = each, .weighted_metrics = once}),
        small_pipeline(0, SAMPLES, false, true, in_order), (lc_fit_options){0});
    compare("scaled", learning((lc_compile_options){.optimizer = LC_SGD(0.1, .loss_scale_factor = 8), .loss = loss, .metrics = once}),
            small_pipeline(0, SAMPLES, false, false, in_order), (lc_fit_options){0});
    compare("cut", small_net(0, "sgd"), small_pipeline(0, SAMPLES, false, false, in_order), (lc_fit_options){.steps_per_epoch = 2});
}

/* Steps that Keras masks neither count in the loss nor in metrics that are means. */
static void test_masked(void **state) {
    (void)state;
    static int32_t codes[SAMPLES][4], classes[SAMPLES][4];
    lc_error err = {0};
    lc_pipeline *p, *first;
    lc_net *net = lc_sequential("masked");
    lc_add(net, LC_INPUT({4}, .dtype = "int32"));
    lc_add(net, LC_EMBEDDING(5, 3, .mask_zero = true));
    lc_add(net, LC_DENSE(3, .activation = "softmax"));
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options o = {.optimizer = LC_SGD(0.1), .loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics};
    GOES_WELL(lc_compile(net, &o, &err));
    small_fill(net);
    for (int i = 0; i < SAMPLES; i++)
        for (int j = 0; j < 4; j++) {
            codes[i][j] = j < 2 + i % 3 ? (i * 7 + j * 3) % 5 : 0;
            classes[i][j] = (i + j * j) % 3;
        }
    const lc_array x = {.type = LC_INT32, .rank = 2, .dims = {SAMPLES, 4}, .data = codes, .size = sizeof codes},
                   y = {.type = LC_INT32, .rank = 2, .dims = {SAMPLES, 4}, .data = classes, .size = sizeof classes};
    const lc_pipeline_arrays arrays = {.x = &x, .y = &y, .x_count = 1, .y_count = 1};
    GOES_WELL(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = BATCH}, &p, &err));
    GOES_WELL(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = BATCH, .take = 16}, &first, &err));
    compare("masked", net, p, (lc_fit_options){.validation = first});
}

/* A cross entropy reads what went into softmax or sigmoid, whichever it is. */
static void test_behind(void **state) {
    (void)state;
    static float rows[SAMPLES][3];
    lc_error err = {0};
    lc_pipeline *p;
    for (int i = 0; i < SAMPLES; i++) rows[i][small_classes[i]] = 1;
    for (int k = 0; k < 2; k++) {
        lc_net *net = lc_sequential("behind");
        lc_add(net, LC_INPUT({4}));
        lc_add(net, LC_DENSE(3, .activation = k ? "softmax" : "sigmoid"));
        const lc_compile_options o = {.optimizer = LC_SGD(0.1),
                                      .loss = {.class_name = k ? "binary_crossentropy" : "sparse_categorical_crossentropy"}};
        GOES_WELL(lc_compile(net, &o, &err));
        small_fill(net);
        const lc_array x = {.type = LC_FLOAT32, .rank = 2, .dims = {SAMPLES, 4}, .data = small_x, .size = sizeof small_x},
                       y = {.type = LC_FLOAT32, .rank = 2, .dims = {SAMPLES, 3}, .data = rows, .size = sizeof rows};
        const lc_pipeline_arrays arrays = {.x = &x, .y = &y, .x_count = 1, .y_count = 1};
        if (k) GOES_WELL(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = BATCH}, &p, &err));
        else p = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
        compare(k ? "softmax" : "sigmoid", net, p, (lc_fit_options){0});
    }
}

static void test_added_late(void **state) {
    (void)state;
    lc_error err = {0};
    lc_net *net = small_net(0, "sgd");
    lc_add(net, LC_DENSE(2));
    assert_int_equal(lc_compile(net, NULL, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "built already"));
    lc_net_destroy(net);
}

static lc_net *two_outputs(void) {
    lc_error err = {0};
    lc_net *net = lc_functional("two");
    const lc_symbol start = lc_input(net, LC_INPUT({4}));
    const lc_symbol ends[] = {lc_call(net, LC_DENSE(2, .name = "a"), start),
                              lc_call(net, LC_DENSE(3, .activation = "softmax", .name = "b"), start)};
    lc_outputs(net, ends, 2);
    const lc_object losses[] = {{.class_name = "mse"}, {.class_name = "sparse_categorical_crossentropy"}};
    const lc_compile_options o = {.optimizer = {.class_name = "sgd", .config = "{\"learning_rate\": 0.1}"},
                                  .losses = losses,
                                  .loss_weights = (const double[]){0.5, 2}};
    GOES_WELL(lc_compile(net, &o, &err));
    small_fill(net);
    return net;
}

static void test_outputs(void **state) {
    (void)state;
    lc_net *net = two_outputs();
    const lc_pipeline_options in_order = {.batch = BATCH}, all = {.batch = 32};
    compare("two", net, small_pipeline(0, SAMPLES, true, false, in_order),
            (lc_fit_options){.validation = small_pipeline(0, 16, true, false, all)});
    net = two_outputs();
    const lc_object losses[] = {{0}, {.class_name = "sparse_categorical_crossentropy"}}; /* nothing is learned from the first */
    lc_error err = {0};
    GOES_WELL(lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .losses = losses}, &err));
    compare("one of two", net, small_pipeline(0, SAMPLES, false, false, in_order), (lc_fit_options){0});
    net = two_outputs();
    compare("two uneven", net, small_pipeline(0, SAMPLES, true, false, (lc_pipeline_options){.batch = 12}), (lc_fit_options){0});
}

/* Weights of classes where they cannot be; a gradient that is no number. */
static lc_status big_batch(void *user, lc_progress *p, lc_error *err) {
    (void)err;
    const lc_net_variable v = lc_net_variable_at(p->net, 0);
    if (p->step == 1) memcpy(user, v.value, v.count * sizeof(float));
    if (p->step == 1) lc_net_variable_at(p->net, 2).value[0] = INFINITY;
    return LC_OK;
}

static void test_refused(void **state) {
    (void)state;
    lc_error err = {0};
    const double by_class[] = {1, 2};
    float before[20];
    lc_net *net = small_net(0, "sgd");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    const lc_callback c = {.on_batch_end = big_batch, .user = before};
    assert_int_equal(lc_fit(net, data, &(lc_fit_options){.callbacks = &c, .callback_count = 1, .epochs = 2}, NULL, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "epoch 1, step 3: the loss is NaN; the first gradient that is not finite: that of "));
    assert_memory_equal(before, lc_net_variable_at(net, 0).value, sizeof before);
    lc_pipeline_close(data);
    lc_net_destroy(net);
    net = lc_functional("two");
    const lc_symbol start = lc_input(net, LC_INPUT({4}));
    const lc_symbol ends[] = {lc_call(net, LC_DENSE(2, .name = "a"), start), lc_call(net, LC_DENSE(2, .name = "b"), start)};
    lc_outputs(net, ends, 2);
    GOES_WELL(lc_compile(net, &(lc_compile_options){.loss = {.class_name = "mse"}}, &err));
    data = small_pipeline(0, SAMPLES, true, false, (lc_pipeline_options){.batch = BATCH});
    assert_int_equal(lc_fit(net, data, &(lc_fit_options){.class_weight = by_class, .class_count = 2}, NULL, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "need a model with one output"));
    lc_pipeline_close(data);
    lc_net_destroy(net);
}

static uint32_t bits_of(lc_net *net) {
    uint32_t h = 1;
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        for (size_t k = 0; k < v.count; k++) {
            uint32_t bits;
            memcpy(&bits, &v.value[k], sizeof bits);
            h = (h ^ bits) * 16777619u;
        }
    }
    return h;
}

static lc_net *opened(const char *path) {
    lc_error err = {0};
    lc_net *net;
    GOES_WELL(lc_net_open(path, NULL, &net, &err));
    return net;
}

static uint32_t one_more_epoch(lc_net *net) {
    lc_error err = {0};
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    GOES_WELL(lc_fit(net, data, NULL, NULL, &err));
    const uint32_t bits = bits_of(net);
    lc_pipeline_close(data);
    lc_net_destroy(net);
    return bits;
}

/* What is not given stays, with the state of the optimizer. */
static void test_keep(void **state) {
    (void)state;
    lc_error err = {0};
    char path[] = "/tmp/litec-keep-XXXXXX.keras";
    close(mkstemps(path, 6));
    lc_net *net = small_net(0, "adam");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    GOES_WELL(lc_fit(net, data, NULL, NULL, &err));
    GOES_WELL(lc_net_save(net, path, NULL, &err));
    lc_pipeline_close(data);
    lc_net_destroy(net);
    const uint32_t wanted = one_more_epoch(opened(path));
    const lc_object metrics[] = {{.class_name = "sparse_top_k_categorical_accuracy"}, {0}};
    const lc_compile_options kept[] = {
        {.keep = true}, {.keep = true, .metrics = metrics}, {.keep = true, .loss = {.class_name = "sparse_categorical_crossentropy"}}};
    for (size_t i = 0; i < 3; i++) {
        net = opened(path);
        GOES_WELL(lc_compile(net, &kept[i], &err));
        assert_true(fabs(lc_net_learning_rate(net) - 0.1) < 1e-8);
        assert_int_equal(one_more_epoch(net), wanted);
    }
    net = opened(path);
    GOES_WELL(lc_compile(net, &(lc_compile_options){.keep = true, .optimizer = {.class_name = "sgd"}}, &err));
    assert_int_not_equal(one_more_epoch(net), wanted);
    unlink(path);
    net = lc_sequential(NULL);
    lc_add(net, LC_INPUT({4}));
    lc_add(net, LC_DENSE(3));
    assert_int_equal(lc_compile(net, &kept[1], &err), LC_ARGUMENT);
    lc_net_destroy(net);
}

/* Halves are cast as Keras casts them. */
static void test_halves(void **state) {
    (void)state;
    lc_error err = {0};
    const uint16_t half[8] = {0x3c00, 0xc000, 0x3800, 0, 0x4000, 0xbc00, 0x3400, 0x3c00}, classes[2] = {0x4000, 0x3c00};
    const float real[8] = {1, -2, 0.5f, 0, 2, -1, 0.25f, 1}, real_classes[2] = {2, 1};
    const lc_array x[2] = {{.type = LC_FLOAT16, .rank = 2, .dims = {2, 4}, .data = (void *)(uintptr_t)half, .size = sizeof half},
                           {.type = LC_FLOAT32, .rank = 2, .dims = {2, 4}, .data = (void *)(uintptr_t)real, .size = sizeof real}};
    const lc_array y[2] = {
        {.type = LC_FLOAT16, .rank = 1, .dims = {2}, .data = (void *)(uintptr_t)classes, .size = sizeof classes},
        {.type = LC_FLOAT32, .rank = 1, .dims = {2}, .data = (void *)(uintptr_t)real_classes, .size = sizeof real_classes}};
    uint32_t bits[2];
    for (int i = 0; i < 2; i++) {
        lc_net *net = small_net(0, "sgd");
        GOES_WELL(lc_train_on_batch(net, &(lc_batch){.rows = 2, .x = &x[i], .y = &y[i]}, NULL, &err));
        bits[i] = bits_of(net);
        lc_net_destroy(net);
    }
    assert_int_equal(bits[0], bits[1]);
}

/* ---- equal bits ----------------------------------------------------------------------------------------------------------- */

static const lc_pipeline_options shuffled = {.batch = 7, .shuffle = true, .seed = 3, .prefetch = 2};

static uint32_t train(lc_fit_options o, lc_history **h) {
    lc_error err = {0};
    lc_net *net = small_net(0.3, "adam");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, true, shuffled);
    o.epochs = 4;
    GOES_WELL(lc_fit(net, data, &o, h, &err));
    const uint32_t bits = bits_of(net);
    lc_pipeline_close(data);
    lc_net_destroy(net);
    return bits;
}

static void test_equal(void **state) {
    (void)state;
    const uint32_t bits = train((lc_fit_options){.threads = 1}, NULL);
    for (int32_t threads = 1; threads <= 4; threads++) assert_int_equal(train((lc_fit_options){.threads = threads}, NULL), bits);
}

/* Ends the training with an error after so many steps, as a kill does. */
typedef struct killer {
    int steps;
} killer;

static lc_status kill_batch(void *user, lc_progress *p, lc_error *err) {
    (void)p;
    if (((killer *)user)->steps-- > 0) return LC_OK;
    snprintf(err->message, sizeof err->message, "killed");
    return LC_INVALID;
}

static char folder[64];
static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/litec-fit-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

/* Stopped after any number of steps and gone on from the backup, the end is the same; so is the history. */
static void test_resume(void **state) {
    (void)state;
    lc_error err = {0};
    lc_history *whole;
    const uint32_t bits = train((lc_fit_options){0}, &whole);
    for (uint64_t every = 0; every <= 4; every += 2)
        for (int steps = 0; steps < 24; steps += every ? 5 : 6) {
            killer k = {steps};
            lc_history *h = NULL;
            size_t epochs;
            for (int i = 0; i < 2; i++) {
                lc_callback c[2] = {{.on_batch_end = i == 0 ? kill_batch : NULL, .user = &k}};
                GOES_WELL(lc_backup_and_restore(folder, &(lc_backup_options){.save_freq = every}, &c[1], &err));
                lc_net *net = small_net(0.3, "adam");
                lc_pipeline *data = small_pipeline(0, SAMPLES, false, true, shuffled);
                const lc_fit_options o = {.epochs = 4, .callbacks = c, .callback_count = 2};
                const lc_status status = lc_fit(net, data, &o, &h, &err);
                if (i == 0) assert_string_equal(err.message, "killed");
                else {
                    if (status != LC_OK) fail_msg("%s", err.message);
                    assert_int_equal(bits_of(net), bits);
                    assert_int_equal(lc_history_count(h), 2);
                    for (size_t n = 0; n < 2; n++) {
                        const double *values = lc_history_get(h, lc_history_name(whole, n), &epochs);
                        assert_non_null(values);
                        assert_int_equal(epochs, 4);
                        assert_memory_equal(values, lc_history_get(whole, lc_history_name(whole, n), NULL), 4 * sizeof *values);
                    }
                }
                lc_callback_deinit(&c[1]);
                lc_pipeline_close(data);
                lc_net_destroy(net);
            }
            lc_history_destroy(h);
        }
    lc_history_destroy(whole);
    assert_int_equal(rmdir(folder), 0); /* the backup went when training was over */
}

/* ---- what is printed -------------------------------------------------------------------------------------------------------- */

static void gather(void *user, const char *text) {
    char *all = user;
    const size_t n = strlen(all);
    snprintf(all + n, 8192 - n, "%s", text);
}

static void expect_printed(lc_fit_options o, const char *const *parts) {
    lc_error err = {0};
    char *text = calloc(1, 8192);
    lc_net *net = small_net(0, "sgd");
    lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
    assert_non_null(text);
    o.print = gather;
    o.print_user = text;
    GOES_WELL(lc_fit(net, data, &o, NULL, &err));
    const char *at = text;
    for (; *parts; parts++) {
        const char *found = strstr(at, *parts);
        if (!found) fail_msg("\"%s\" is not in \"%s\"", *parts, at);
        at = found + strlen(*parts);
    }
    free(text);
    lc_pipeline_close(data);
    lc_net_destroy(net);
}

static lc_status show_rate(void *user, lc_progress *p, lc_error *err) {
    (void)user;
    (void)err;
    p->show_learning_rate = true;
    return LC_OK;
}

static void test_print(void **state) {
    (void)state;
    expect_printed((lc_fit_options){.verbose = 2, .epochs = 2},
                   (const char *const[]){"Epoch 1/2\n5/5 - 0s - ", "s/step - accuracy: 0.3500 - loss: 1.1434\nEpoch 2/2\n5/5 - 0s - ",
                                         "s/step - accuracy: 0.3000 - loss: 1.1203\n", NULL});
    expect_printed((lc_fit_options){.verbose = 1}, (const char *const[]){"\r1/5 ━━━━────────────────", "\r5/5 ━━━━━━━━━━━━━━━━━━━━ 0s ",
                                                                         "s/step - accuracy: 0.3500 - loss: 1.1434", "\n", NULL});
    expect_printed((lc_fit_options){.verbose = 1, .color = true},
                   (const char *const[]){"\r\033[1m1/5\033[0m \033[32m━━━━\033[0m\033[37m━━━━━━━━━━━━━━━━\033[0m \033[1m",
                                         "\r\033[1m5/5\033[0m \033[32m━━━━━━━━━━━━━━━━━━━━\033[0m\033[37m\033[0m \033[1m0s\033[0m ", NULL});
    const lc_callback rate = {.on_train_begin = show_rate};
    expect_printed((lc_fit_options){.verbose = 2, .callbacks = &rate, .callback_count = 1},
                   (const char *const[]){"5/5 - 0s - ", " - loss: 1.1434 - learning_rate: 0.1000\n", NULL});
}

int main(void) {
    small_data();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keras),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_compiled),
        cmocka_unit_test(test_masked),
        cmocka_unit_test(test_behind),
        cmocka_unit_test(test_added_late),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_equal),
        cmocka_unit_test_setup(test_resume, make_folder),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
