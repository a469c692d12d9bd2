/*
 * Models between litec, Keras 2 and TensorFlow 1: what a file of Keras 2 has of its optimizer is read, training goes on as it would there, and the
 * model is saved so that it goes on there; checkpoints of TensorFlow 1 know every variable by a name of its own, and the optimizer's state.
 * The files and what Keras 2 made of them: tests/oracle/make_keras2.py.
 */
#include "api/net.h"
#include "source/checkpoint.h"
#include "source/keras_state.h"
#include "support/ckpt_files.h"
#include "support/small_net.h"

static lc_error err;

/* ---- files of Keras 2 --------------------------------------------------------------------------------------------------------- */

static void step(lc_net *net) {
    static float x[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, y[6] = {0, 1, 2, 3, 4, 5};
    const lc_array ax = {.type = LC_FLOAT32, .rank = 2, .dims = {3, 3}, .data = x, .size = sizeof x},
                   ay = {.type = LC_FLOAT32, .rank = 2, .dims = {3, 2}, .data = y, .size = sizeof y};
    const lc_batch batch = {.rows = 3, .x = &ax, .y = &ay};
    double loss;
    GOES_WELL(lc_train_on_batch(net, &batch, &loss, &err));
}

static lc_net *opened(const char *path) {
    lc_net *net;
    GOES_WELL(lc_net_open(path, NULL, &net, &err));
    return net;
}

static void has(lc_net *net, const float *weights, const char *what) {
    size_t at = 0;
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        for (size_t k = 0; k < v.count; k++, at++)
            if (!(fabsf(v.value[k] - weights[at]) < 1e-5f)) fail_msg("%s: %s[%zu] %g", what, v.path, k, (double)v.value[k]);
    }
    assert_int_equal(at, 8);
}

/* Two steps from the file on; also when it was saved again in between, in either form. */
static void goes_on(const char *name, const float *weights) {
    static const char *const forms[] = {"once.keras", "once.h5"};
    char path[300];
    snprintf(path, sizeof path, LC_TEST_DIR "/data/keras/keras2/%s", name);
    lc_net *net = opened(path);
    step(net);
    step(net);
    has(net, weights, name);
    lc_net_destroy(net);
    for (size_t i = 0; i < 2; i++) {
        const char *between = ckpt_folder_path(&ckpt_test_folder, forms[i]);
        net = opened(path);
        step(net);
        GOES_WELL(lc_net_save(net, between, NULL, &err));
        lc_net_destroy(net);
        net = opened(between);
        assert_true(lc_net_is_keras2(net));
        step(net);
        has(net, weights, forms[i]);
        lc_net_destroy(net);
    }
}

static void test_goes_on(void **state) {
    (void)state;
    FILE *f = fopen(LC_TEST_DIR "/data/keras/keras2/after.txt", "r");
    char name[100];
    float w[8];
    int files = 0;
    assert_non_null(f);
    while (fscanf(f, "%99s %f %f %f %f %f %f %f %f", name, &w[0], &w[1], &w[2], &w[3], &w[4], &w[5], &w[6], &w[7]) == 9) {
        goes_on(name, w);
        files++;
    }
    fclose(f);
    assert_int_equal(files, 4);
}

static const char *string_of(const lc_json *v, const char *a, const char *b) {
    const lc_json *in = lc_json_get(v, a);
    const char *s = lc_json_str(in, b, NULL);
    return s ? s : "";
}

/* What is saved says what Keras 2 says. */
static void test_words(void **state) {
    (void)state;
    lc_arena arena = {0};
    lc_keras_state s;
    const char *zip = ckpt_folder_path(&ckpt_test_folder, "w.keras"), *h5 = ckpt_folder_path(&ckpt_test_folder, "w.h5");
    lc_net *net = opened(LC_TEST_DIR "/data/keras/keras2/adam.h5");
    GOES_WELL(lc_net_set_learning_rate(net, 0.5, &err));
    GOES_WELL(lc_net_save(net, zip, NULL, &err));
    GOES_WELL(lc_net_save(net, h5, NULL, &err));
    lc_net_destroy(net);
    GOES_WELL(lc_keras_state_read(zip, NULL, &arena, &s, &err));
    assert_string_equal(lc_json_str(s.config, "module", ""), "keras");
    assert_string_equal(lc_json_str(lc_json_at(lc_json_get(lc_json_get(s.config, "config"), "layers"), 1), "module", ""), "keras.layers");
    assert_string_equal(string_of(s.compile_config, "optimizer", "class_name"), "Adam");
    const lc_json *config = lc_json_get(lc_json_get(s.compile_config, "optimizer"), "config");
    assert_true(lc_json_get(config, "learning_rate")->real == 0.5);
    assert_false(lc_json_get(config, "is_legacy_optimizer")->boolean);
    assert_int_equal(s.optimizer_count, 5); /* no learning rate among them */
    GOES_WELL(lc_keras_state_read(h5, NULL, &arena, &s, &err));
    assert_null(lc_json_get(s.config, "module"));
    assert_string_equal(string_of(s.compile_config, "optimizer", "class_name"), "Custom>Adam");
    assert_string_equal(s.optimizer[0].name, "iteration:0");
    assert_string_equal(s.optimizer[1].name, "m/d/kernel:0");
    lc_arena_deinit(&arena);
}

/* ---- state that fits, and that does not ----------------------------------------------------------------------------------------- */

static void test_state(void **state) {
    (void)state;
    lc_net *net = small_net(0, "adam");
    int64_t iteration = 7;
    static float numbers[20];
    lc_keras_weight w[9] = {{.name = "iter:0", .type = LC_INT64, .data = &iteration, .size = 8}};
    static const char *const names[] = {"dense/kernel/m:0", "dense/bias/m:0", "dense_1/kernel/m:0", "dense_1/bias/m:0",
                                        "dense/kernel/v:0", "dense/bias/v:0", "dense_1/kernel/v:0", "dense_1/bias/v:0"};
    static const int32_t shapes[][2] = {{4, 5}, {5, 0}, {5, 3}, {3, 0}};
    for (int i = 0; i < 8; i++) {
        const int32_t *d = shapes[i % 4];
        w[i + 1] = (lc_keras_weight){.name = names[i], .type = LC_FLOAT32, .rank = d[1] ? 2 : 1, .dims = {d[0], d[1]}, .data = numbers};
        w[i + 1].size = (size_t)d[0] * (size_t)(d[1] ? d[1] : 1) * sizeof(float);
    }
    for (int i = 0; i < 20; i++) numbers[i] = (float)i;
    float rate = 0.25f;
    const lc_keras_weight fresh[2] = {{.name = "0", .type = LC_INT64, .data = &iteration, .size = 8},
                                      {.name = "1", .type = LC_FLOAT32, .data = &rate, .size = 4}};
    lc_keras_state s = {.optimizer = fresh, .optimizer_count = 2};
    const char *why;
    GOES_WELL(lc_net_take_slots(net, &s, &why, &err)); /* compiled, not yet trained: no arrays */
    assert_null(why);
    assert_true(lc_net_learning_rate(net) == 0.25);
    s = (lc_keras_state){.optimizer = w, .optimizer_count = 9};
    GOES_WELL(lc_net_take_slots(net, &s, &why, &err));
    assert_null(why);
    assert_int_equal(lc_optimizer_iteration(net->optimizer), 7);
    uint32_t n;
    const lc_slot *slots = lc_optimizer_slots(net->optimizer, &n);
    for (uint32_t i = 2; i < n; i++) assert_memory_equal(slots[i].data, numbers, slots[i].n * sizeof(float));
    /* a kind is missing, an array has another's place, something is more than there is */
    iteration = 8;
    s.optimizer_count = 5;
    GOES_WELL(lc_net_take_slots(net, &s, &why, &err));
    assert_non_null(strstr(why, "'velocity'"));
    s.optimizer_count = 9;
    w[1].name = "dense/bias/m:0";
    GOES_WELL(lc_net_take_slots(net, &s, &why, &err));
    assert_non_null(strstr(why, "'dense/bias/m:0'"));
    w[1].name = names[0];
    w[8].name = "dense_1/bias/vhat:0";
    GOES_WELL(lc_net_take_slots(net, &s, &why, &err));
    assert_non_null(strstr(why, "'velocity'"));
    assert_int_equal(lc_optimizer_iteration(net->optimizer), 7); /* all or nothing */
    lc_net_destroy(net);
}

/* ---- normalisation ---------------------------------------------------------------------------------------------------------------- */

/* The moving variance after one step at momentum 0: Keras 2 divides by one less than the number of values in pictures. */
static double moved(const char *version, const char *shape) {
    char json[2000];
    lc_net *net;
    static float x[16], y[16];
    for (int i = 0; i < 16; i++) x[i] = (float)(i * i);
    snprintf(json, sizeof json,
             "{\"class_name\": \"Sequential\", \"keras_version\": \"%s\", \"config\": {\"name\": \"n\", \"layers\": ["
             "{\"class_name\": \"InputLayer\", \"config\": {\"name\": \"i\", \"batch_input_shape\": [null, %s]}}, "
             "{\"class_name\": \"BatchNormalization\", \"config\": {\"name\": \"b\", \"axis\": [%d], \"momentum\": 0.0}}]}}",
             version, shape, shape[1] ? 3 : 1);
    GOES_WELL(lc_net_from_json(json, strlen(json), NULL, &net, &err));
    GOES_WELL(lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.1), .loss = {.class_name = "mse"}}, &err));
    const bool picture = shape[1];
    const lc_array a = {
        .type = LC_FLOAT32, .rank = picture ? 4 : 2, .dims = {picture ? 4 : 16, picture ? 2 : 1, 2, 1}, .data = x, .size = sizeof x};
    lc_array b = a;
    b.data = y;
    const lc_batch batch = {.rows = (uint32_t)a.dims[0], .x = &a, .y = &b};
    double loss;
    GOES_WELL(lc_train_on_batch(net, &batch, &loss, &err));
    const double v = (double)lc_net_variable_find(net, "b/moving_variance").value[0];
    lc_net_destroy(net);
    return v;
}

static void test_moving_variance(void **state) {
    (void)state;
    const double plain = moved("3.0.0", "2, 2, 1"), sample = moved("2.15.0", "2, 2, 1"), rows = moved("2.15.0", "1");
    assert_true(fabs(sample / plain - 16.0 / 15) < 1e-6);
    assert_true(fabs(rows / plain - 1) < 1e-6);
}

/* ---- checkpoints ------------------------------------------------------------------------------------------------------------------ */

static lc_net *two_ways(void) {
    lc_net *net = lc_sequential("two");
    lc_add(net, LC_INPUT({4, 3}));
    lc_add(net, LC_BIDIRECTIONAL(LC_LSTM(2)));
    lc_add(net, LC_DENSE(3, .activation = "softmax"));
    GOES_WELL(lc_net_build(net, &err));
    return net;
}

/* Both directions have names of their own, in a checkpoint and in a SavedModel. */
static void test_names(void **state) {
    (void)state;
    lc_net *net = two_ways();
    lc_arena arena = {0};
    lc_budget budget;
    lc_ckpt *c;
    const lc_ckpt_entry *e;
    const char *path = ckpt_folder_path(&ckpt_test_folder, "two.ckpt");
    GOES_WELL(lc_net_save(net, path, NULL, &err));
    lc_budget_init(&budget, NULL);
    GOES_WELL(lc_ckpt_open(path, &budget, &arena, &c, &err));
    assert_int_equal(lc_ckpt_count(c), 8);
    GOES_WELL(lc_ckpt_get(c, LC_STR("bidirectional/forward_lstm/lstm_cell/kernel"), &e, &err));
    GOES_WELL(lc_ckpt_get(c, LC_STR("bidirectional/backward_lstm/lstm_cell/kernel"), &e, &err));
    lc_ckpt_close(c);
    lc_arena_deinit(&arena);
    lc_net_destroy(net);
}

/* The optimizer's state is in the checkpoint under TensorFlow's names, and comes back with the weights: training goes on. */
static void test_slots(void **state) {
    static const struct {
        const char *optimizer, *slot;
        size_t variables;
    } cases[] = {{"adam", "dense/kernel/Adam_1", 15},    {"rmsprop", "dense/kernel/RMSProp_1", 13},
                 {"adagrad", "dense_1/bias/Adagrad", 9}, {"adadelta", "dense/bias/Adadelta_1", 13},
                 {"ftrl", "dense/bias/Ftrl_1", 13},      {"nadam", "dense/bias/Nadam", 15},
                 {"lion", "dense/bias/Lion", 9},         {"sgd", "dense/kernel", 5}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = ckpt_folder_path(&ckpt_test_folder, "slots.ckpt");
        lc_net *net = small_net(0, cases[i].optimizer), *other = small_net(0, cases[i].optimizer);
        lc_pipeline *data = small_pipeline(0, SAMPLES, false, false, (lc_pipeline_options){.batch = BATCH});
        GOES_WELL(lc_fit(net, data, &(lc_fit_options){.epochs = 2}, NULL, &err));
        GOES_WELL(lc_net_save(net, path, NULL, &err));
        lc_arena arena = {0};
        lc_budget budget;
        lc_ckpt *c;
        const lc_ckpt_entry *e;
        lc_budget_init(&budget, NULL);
        GOES_WELL(lc_ckpt_open(path, &budget, &arena, &c, &err));
        GOES_WELL(lc_ckpt_get(c, lc_str_of(cases[i].slot), &e, &err));
        GOES_WELL(lc_ckpt_get(c, LC_STR("global_step"), &e, &err));
        if (lc_ckpt_count(c) != cases[i].variables) fail_msg("%s: %zu variables", cases[i].optimizer, lc_ckpt_count(c));
        lc_ckpt_close(c);
        lc_arena_deinit(&arena);
        GOES_WELL(lc_net_load_weights(other, path, &err));
        GOES_WELL(lc_fit(net, data, &(lc_fit_options){.epochs = 1}, NULL, &err));
        GOES_WELL(lc_fit(other, data, &(lc_fit_options){.epochs = 1}, NULL, &err));
        for (size_t k = 0; k < lc_net_variable_count(net); k++) {
            const lc_net_variable a = lc_net_variable_at(net, k), b = lc_net_variable_at(other, k);
            assert_memory_equal(a.value, b.value, a.count * sizeof(float));
        }
        lc_pipeline_close(data);
        lc_net_destroy(net);
        lc_net_destroy(other);
    }
}

/* Another model's checkpoint changes nothing. */
static void test_other(void **state) {
    (void)state;
    const char *path = ckpt_folder_path(&ckpt_test_folder, "other.ckpt");
    lc_net *net = small_net(0, "sgd"), *two = two_ways();
    GOES_WELL(lc_net_save(net, path, NULL, &err));
    assert_int_equal(lc_net_load_weights(two, path, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "no variable that could be \"bidirectional/forward_lstm/lstm_cell/kernel\""));
    lc_net_destroy(net);
    lc_net_destroy(two);
}

int main(void) {
    small_data();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_goes_on, ckpt_test_folder_make, ckpt_test_folder_clean),
        cmocka_unit_test_setup_teardown(test_words, ckpt_test_folder_make, ckpt_test_folder_clean),
        cmocka_unit_test(test_state),
        cmocka_unit_test(test_moving_variance),
        cmocka_unit_test_setup_teardown(test_names, ckpt_test_folder_make, ckpt_test_folder_clean),
        cmocka_unit_test_setup_teardown(test_slots, ckpt_test_folder_make, ckpt_test_folder_clean),
        cmocka_unit_test_setup_teardown(test_other, ckpt_test_folder_make, ckpt_test_folder_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
