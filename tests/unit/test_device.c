/*
 * A .tflite file that goes on learning (lc_net_save_trainable): its signature `train` makes the steps that lc_train_on_batch makes, `infer` gives
 * what the net gives, `save` and `restore` turn it back. The judge of the same files in LiteRT is tests/oracle/check_device.py.
 */
#include "base/arena.h"
#include "litec/train.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 8, CLASSES = 3, SIDE = 6, STEPS = 6 };

static float x[ROWS][SIDE][SIDE][2];
static int32_t y[ROWS];
static float rows[ROWS][CLASSES]; /* y as one-hot rows */

static void fill(void) {
    for (size_t i = 0; i < sizeof x / sizeof(float); i++) ((float *)x)[i] = sinf((float)i * 0.7f) + 0.01f * (float)(i % 7);
    for (int i = 0; i < ROWS; i++) {
        y[i] = (i * 5) % CLASSES;
        rows[i][y[i]] = 1;
    }
}

enum { MOST_LAYERS = 6 };

/* A model of pictures of SIDE x SIDE x 2 in CLASSES classes: these layers, then Flatten and Dense. */
typedef struct learner {
    const char *what;
    lc_object layers[MOST_LAYERS];
    lc_object optimizer, loss; /* none: SGD, sparse_categorical_crossentropy */
    lc_object head;            /* none: Dense with softmax */
} learner;

static lc_net *make(const learner *l) {
    lc_error err = {0};
    lc_net *net = lc_sequential("device");
    lc_add(net, LC_INPUT({SIDE, SIDE, 2}));
    for (int i = 0; i < MOST_LAYERS && l->layers[i].class_name; i++) lc_add(net, l->layers[i]);
    lc_add(net, LC_FLATTEN());
    lc_add(net, l->head.class_name ? l->head : LC_DENSE(CLASSES, .activation = "softmax"));
    const lc_compile_options o = {.optimizer = l->optimizer.class_name ? l->optimizer : LC_SGD(0.1),
                                  .loss = l->loss.class_name ? l->loss : (lc_object){.class_name = "sparse_categorical_crossentropy"}};
    if (lc_compile(net, &o, &err)) fail_msg("%s: %s", l->what, err.message);
    return net;
}

static lc_session *open(lc_model *model, const char *signature, lc_session *share) {
    lc_error err = {0};
    lc_session *s;
    if (lc_session_create(model, &(lc_session_options){.signature = signature, .share = share}, &s, &err))
        fail_msg("%s: %s", signature, err.message);
    return s;
}

static void run(lc_session *s) {
    lc_error err = {0};
    if (lc_session_run(s, &err)) fail_msg("%s", err.message);
}

/* A step of the file, whose inputs are set, and one of the net on the same batch: their losses agree (relative: to tolerance times the loss where
 * it is over 1). The net's loss. */
static double step_beside(lc_session *train, lc_net *net, const lc_batch *batch, const char *what, int step, double tolerance,
                          bool relative) {
    lc_error err = {0};
    double loss;
    run(train);
    assert_int_equal(lc_train_on_batch(net, batch, &loss, &err), LC_OK);
    const float got = *(const float *)lc_session_output(train, 0).data;
    if (!(fabs((double)got - loss) <= tolerance * (relative ? fmax(1, fabs(loss)) : 1)))
        fail_msg("%s, step %d: loss %g, the net says %g", what, step, (double)got, loss);
    return loss;
}

static void infer(lc_session *s, float out[ROWS][CLASSES]) {
    lc_error err = {0};
    const int32_t dims[4] = {ROWS, SIDE, SIDE, 2};
    assert_int_equal(lc_session_resize_input(s, 0, dims, 4, &err), LC_OK);
    memcpy(lc_session_input(s, 0).data, x, sizeof x);
    run(s);
    memcpy(out, lc_session_output(s, 0).data, sizeof(float) * ROWS * CLASSES);
}

static float apart(const float *a, const float *b, size_t n) {
    float most = 0;
    for (size_t i = 0; i < n; i++) most = fmaxf(most, fabsf(a[i] - b[i]));
    return most;
}

/* What the loss of this learner takes: classes, or a row for each. */
static bool takes_classes(const learner *l) { return !l->loss.class_name || strstr(l->loss.class_name, "parse"); }

static void steps_are_those_of_the_net(const learner *l) {
    lc_error err = {0};
    lc_model *model;
    lc_net *net = make(l);
    const char *path = ckpt_folder_path(&ckpt_test_folder, "device.tflite");
    if (lc_net_save_trainable(net, path, ROWS, &err)) fail_msg("%s: %s | %s", l->what, err.message, err.hint);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    lc_session *train = open(model, "train", NULL), *use = open(model, "infer", train), *save = open(model, "save", train),
               *restore = open(model, "restore", train);
    static float before[ROWS][CLASSES], after[ROWS][CLASSES], back[ROWS][CLASSES];
    infer(use, before);
    run(save);
    assert_int_equal(lc_session_output_count(save), lc_session_input_count(restore));
    for (size_t i = 0; i < lc_session_output_count(save); i++) { /* as it begins */
        const lc_tensor_view from = lc_session_output(save, i);
        const int32_t to = lc_session_find_input(restore, from.name);
        assert_true(to >= 0 || from.name);
        memcpy(lc_session_input(restore, i).data, from.data, from.size);
    }
    const bool classes = takes_classes(l);
    const void *targets = classes ? (const void *)y : rows;
    const lc_array ax = {.type = LC_FLOAT32, .rank = 4, .dims = {ROWS, SIDE, SIDE, 2}, .data = x, .size = sizeof x},
                   ay = {.type = classes ? LC_INT32 : LC_FLOAT32,
                         .rank = classes ? 1 : 2,
                         .dims = {ROWS, CLASSES},
                         .data = (void *)(uintptr_t)targets,
                         .size = classes ? sizeof y : sizeof rows};
    const lc_batch batch = {.rows = ROWS, .x = &ax, .y = &ay};
    double loss = 0, first = 0;
    for (int i = 0; i < STEPS; i++) {
        memcpy(lc_session_input(train, 0).data, x, sizeof x);
        memcpy(lc_session_input(train, 1).data, targets, ay.size);
        loss = step_beside(train, net, &batch, l->what, i, 2e-5, true);
        if (i == 0) first = loss;
    }
    if (!(fabs(loss - first) > 1e-6)) fail_msg("%s: nothing is learned, loss %g", l->what, loss);
    infer(use, after);
    if (!(apart(&before[0][0], &after[0][0], ROWS * CLASSES) > 1e-5f)) fail_msg("%s: it did not move", l->what);
    lc_model *now;
    lc_session *judge;
    assert_int_equal(lc_net_convert(net, NULL, &now, &err), LC_OK);
    assert_int_equal(lc_session_create(now, NULL, &judge, &err), LC_OK);
    static float wanted[ROWS][CLASSES];
    infer(judge, wanted);
    const float gap = apart(&wanted[0][0], &after[0][0], ROWS * CLASSES);
    if (!(gap < 2e-5f)) fail_msg("%s: after %d steps %g apart", l->what, STEPS, (double)gap);
    run(restore);
    assert_int_equal(*(const int32_t *)lc_session_output(restore, 0).data, (int32_t)lc_session_input_count(restore));
    infer(use, back);
    assert_true(apart(&before[0][0], &back[0][0], ROWS * CLASSES) == 0);
    lc_session_destroy(judge);
    lc_model_destroy(now);
    lc_session_destroy(restore);
    lc_session_destroy(save);
    lc_session_destroy(use);
    lc_session_destroy(train);
    lc_model_destroy(model);
    lc_net_destroy(net);
}

/* Without further layers, and with the default for what is not said. */
#define LEARNS(...) steps_are_those_of_the_net(&(const learner){.what = #__VA_ARGS__, __VA_ARGS__})
#define CONV LC_CONV2D(4, {3, 3}, .padding = "same", .activation = "tanh")

static void with_each_optimizer(void **unused) {
    (void)unused;
    LEARNS(.layers = {CONV}, .optimizer = LC_SGD(0.1));
    LEARNS(.layers = {CONV, LC_BATCH_NORMALIZATION(.momentum = 0.5)}, .optimizer = LC_SGD(0.1, .momentum = 0.9));
    LEARNS(.optimizer = LC_SGD(0.1, .momentum = 0.9, .nesterov = true));
    LEARNS(.layers = {CONV, LC_BATCH_NORMALIZATION()}, .optimizer = LC_ADAM(0.01));
    LEARNS(.optimizer = LC_ADAM(0.01, .amsgrad = true));
    LEARNS(.optimizer = LC_ADAMW(0.01, .weight_decay = 0.1));
    LEARNS(.optimizer = LC_ADAMAX(0.01));
    LEARNS(.optimizer = LC_NADAM(0.01));
    LEARNS(.optimizer = LC_RMSPROP(0.01));
    LEARNS(.optimizer = LC_RMSPROP(0.01, .momentum = 0.5, .centered = true));
    LEARNS(.optimizer = LC_ADAGRAD(0.1));
    LEARNS(.optimizer = LC_ADADELTA(1));
    LEARNS(.optimizer = LC_FTRL(0.1));
    LEARNS(.optimizer = LC_FTRL(0.1, .l1_regularization_strength = 0.01, .l2_regularization_strength = 0.01, .beta = 0.1,
                                .l2_shrinkage_regularization_strength = 0.01, .learning_rate_power = -0.6));
    LEARNS(.optimizer = LC_LION(0.003));
}

static void with_what_optimizers_have_in_common(void **unused) {
    (void)unused;
    LEARNS(.optimizer = LC_SGD(0.1, .clipnorm = 0.1));
    LEARNS(.optimizer = LC_SGD(0.1, .global_clipnorm = 0.1));
    LEARNS(.optimizer = LC_SGD(0.1, .clipvalue = 0.01));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_EXPONENTIAL_DECAY(0.1, 2, 0.5)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_EXPONENTIAL_DECAY(0.1, 2, 0.5, .staircase = true)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_INVERSE_TIME_DECAY(0.1, 2, 0.5)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_PIECEWISE_CONSTANT_DECAY({1, 3}, {0.1, 0.05, 0.2})));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_POLYNOMIAL_DECAY(0.1, 4, .power = 2)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_POLYNOMIAL_DECAY(0.1, 2, .cycle = true)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_COSINE_DECAY(0.1, 4, .alpha = 0.1)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_COSINE_DECAY(0.01, 4, .warmup_target = 0.1, .warmup_steps = 3)));
    LEARNS(.optimizer = LC_SGD(.schedule = LC_COSINE_DECAY_RESTARTS(0.1, 2, .t_mul = 1.5, .m_mul = 0.8)));
    LEARNS(.layers = {LC_CONV2D(4, {3, 3}, .kernel_regularizer = LC_L1L2(.l1 = 0.01, .l2 = 0.02), .activity_regularizer = LC_L2(0.01))});
    LEARNS(.layers = {LC_CONV2D(4, {3, 3}, .kernel_constraint = LC_MAX_NORM(0.3, .axes = {0, 1, 2}))});
    LEARNS(.layers = {LC_CONV2D(4, {3, 3}, .kernel_constraint = LC_UNIT_NORM(.axes = {0, 1, 2}))});
    LEARNS(.layers = {LC_CONV2D(4, {3, 3}, .kernel_constraint = LC_MIN_MAX_NORM(0.1, 0.2, .rate = 0.5),
                                .bias_constraint = {.class_name = "NonNeg"})});
}

#define LOSS(name) \
    { .class_name = name }
static void with_each_loss(void **unused) {
    (void)unused;
    const lc_object plain = LC_DENSE(CLASSES), sigmoid = LC_DENSE(CLASSES, .activation = "sigmoid"),
                    soft = LC_DENSE(CLASSES, .activation = "softmax"), tanh = LC_DENSE(CLASSES, .activation = "tanh");
    LEARNS(.loss = LOSS("categorical_crossentropy"));
    LEARNS(.loss = LC_CATEGORICAL_CROSSENTROPY(.label_smoothing = 0.1));
    LEARNS(.loss = LC_CATEGORICAL_CROSSENTROPY(.from_logits = true), .head = plain);
    LEARNS(.loss = LOSS("categorical_crossentropy"), .head = sigmoid);
    LEARNS(.loss = LOSS("sparse_categorical_crossentropy"), .head = sigmoid);
    LEARNS(.loss = LC_SPARSE_CATEGORICAL_CROSSENTROPY(.from_logits = true, .ignore_class = 1), .head = plain);
    LEARNS(.loss = LC_SPARSE_CATEGORICAL_CROSSENTROPY(.reduction = "sum"), .optimizer = LC_SGD(0.01));
    LEARNS(.loss = LOSS("binary_crossentropy"), .head = sigmoid);
    LEARNS(.loss = LC_BINARY_CROSSENTROPY(.label_smoothing = 0.2), .head = soft);
    LEARNS(.loss = LC_BINARY_FOCAL_CROSSENTROPY(.apply_class_balancing = true), .head = sigmoid);
    LEARNS(.loss = LC_CATEGORICAL_FOCAL_CROSSENTROPY(.gamma = 1.5));
    LEARNS(.loss = LC_CATEGORICAL_FOCAL_CROSSENTROPY(.from_logits = true), .head = plain);
    LEARNS(.loss = LOSS("mse"), .head = plain);
    LEARNS(.loss = LOSS("mae"), .head = plain);
    LEARNS(.loss = LOSS("mape"), .head = plain, .optimizer = LC_SGD(1e-8));
    LEARNS(.loss = LOSS("msle"), .head = sigmoid);
    LEARNS(.loss = LC_HUBER(.delta = 0.3), .head = plain);
    LEARNS(.loss = LOSS("log_cosh"), .head = plain);
    LEARNS(.loss = LOSS("poisson"), .head = sigmoid);
    LEARNS(.loss = LOSS("hinge"), .head = tanh);
    LEARNS(.loss = LOSS("squared_hinge"), .head = tanh);
    LEARNS(.loss = LOSS("categorical_hinge"), .head = plain);
    LEARNS(.loss = LOSS("kl_divergence"), .head = soft);
    LEARNS(.loss = LOSS("cosine_similarity"), .head = plain);
    LEARNS(.loss = LOSS("dice"), .head = sigmoid);
    LEARNS(.loss = LC_TVERSKY(0.3, 0.7), .head = sigmoid);
}

/* What comes before them learns through them. */
static void through_layers(void **unused) {
    (void)unused;
    LEARNS(.layers = {CONV, LC_MAX_POOLING2D()});
    LEARNS(.layers = {CONV, LC_MAX_POOLING2D({3, 3}, .strides = {2, 2})});
    LEARNS(.layers = {CONV, LC_MAX_POOLING2D({3, 3}, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_MAX_POOLING2D({3, 2}, .strides = {1, 3}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_MAX_POOLING2D({1, 1}, .strides = {2, 2})});
    LEARNS(.layers = {LC_CONV2D(4, {3, 3}, .activation = "relu"), LC_MAX_POOLING2D({3, 3}, .strides = {1, 1})});
    LEARNS(.layers = {CONV, LC_AVERAGE_POOLING2D()});
    LEARNS(.layers = {CONV, LC_AVERAGE_POOLING2D({3, 3}, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_AVERAGE_POOLING2D({3, 2}, .strides = {1, 2})});
    LEARNS(.layers = {CONV, LC_DEPTHWISE_CONV2D({2, 2}, .activation = "tanh")});
    LEARNS(.layers = {CONV, LC_DEPTHWISE_CONV2D({3, 3}, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_DEPTHWISE_CONV2D({3, 3}, .strides = {2, 2})});
    LEARNS(.layers = {CONV, LC_DEPTHWISE_CONV2D({3, 3}, .depth_multiplier = 3, .strides = {2, 2})});
    LEARNS(.layers = {CONV, LC_DEPTHWISE_CONV2D({2, 2}, .dilation_rate = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_CONV2D(3, {3, 3}, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_CONV2D(3, {2, 2}, .dilation_rate = {2, 2})});
    LEARNS(.layers = {CONV, LC_CONV2D(3, {3, 3}, .dilation_rate = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_CONV2D(6, {3, 3}, .groups = 2)});
    LEARNS(.layers = {CONV, LC_CONV2D(4, {3, 3}, .groups = 4, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_CONV2D_TRANSPOSE(3, {3, 3}, .strides = {2, 2})});
    LEARNS(.layers = {CONV, LC_SEPARABLE_CONV2D(3, {3, 3}, .strides = {2, 2}, .padding = "same")});
    LEARNS(.layers = {CONV, LC_UP_SAMPLING2D({2, 2})});
    LEARNS(.layers = {CONV, LC_UP_SAMPLING2D({2, 3}, .interpolation = "bilinear")});
    LEARNS(.layers = {CONV, LC_RESIZING(4, 9)});
    LEARNS(.layers = {CONV, LC_CROPPING2D({{1, 0}, {0, 2}}), LC_ZERO_PADDING2D({{1, 1}, {0, 1}})});
    LEARNS(.layers = {CONV, LC_LAYER_NORMALIZATION(), LC_GLOBAL_AVERAGE_POOLING2D()});
    LEARNS(.layers = {CONV, LC_RESHAPE({SIDE, SIDE * 4}), LC_LSTM(5)});
    LEARNS(.layers = {CONV, LC_RESHAPE({SIDE, SIDE * 4}), LC_GRU(5)});
}

static void several_outputs(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_net *net = lc_functional("two");
    lc_symbol in = lc_input(net, LC_INPUT({SIDE, SIDE, 2})), f = lc_call(net, LC_FLATTEN(), in);
    const lc_symbol out[2] = {lc_call(net, LC_DENSE(CLASSES, .activation = "softmax", .name = "kind"), f),
                              lc_call(net, LC_DENSE(1, .name = "size"), f)};
    lc_outputs(net, out, 2);
    const lc_object losses[2] = {{.class_name = "sparse_categorical_crossentropy"}, {.class_name = "mse"}};
    const double weights[2] = {1, 0.5};
    assert_int_equal(lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.01), .losses = losses, .loss_weights = weights}, &err),
                     LC_OK);
    const char *path = ckpt_folder_path(&ckpt_test_folder, "two.tflite");
    lc_model *model;
    if (lc_net_save_trainable(net, path, ROWS, &err)) fail_msg("%s | %s", err.message, err.hint);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    lc_session *train = open(model, "train", NULL);
    const int32_t kind = lc_session_find_input(train, "y_kind"), size = lc_session_find_input(train, "y_size");
    assert_true(kind >= 0 && size >= 0);
    static float sizes[ROWS];
    for (int i = 0; i < ROWS; i++) sizes[i] = 0.3f * (float)i;
    const lc_array ax = {.type = LC_FLOAT32, .rank = 4, .dims = {ROWS, SIDE, SIDE, 2}, .data = x, .size = sizeof x},
                   ay[2] = {{.type = LC_INT32, .rank = 1, .dims = {ROWS}, .data = y, .size = sizeof y},
                            {.type = LC_FLOAT32, .rank = 2, .dims = {ROWS, 1}, .data = sizes, .size = sizeof sizes}};
    const lc_batch batch = {.rows = ROWS, .x = &ax, .y = ay};
    for (int i = 0; i < STEPS; i++) {
        memcpy(lc_session_input(train, 0).data, x, sizeof x);
        memcpy(lc_session_input(train, (size_t)kind).data, y, sizeof y);
        memcpy(lc_session_input(train, (size_t)size).data, sizes, sizeof sizes);
        step_beside(train, net, &batch, "several outputs", i, 1e-5, false);
    }
    lc_session_destroy(train);
    lc_model_destroy(model);
    lc_net_destroy(net);
}

/* The optimizer's state goes along: after steps here, the file goes on as the net does. */
static void goes_on_from_here(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_net *net = make(&(const learner){.what = "Nadam", .layers = {CONV}, .optimizer = LC_NADAM(0.01)});
    const lc_array ax = {.type = LC_FLOAT32, .rank = 4, .dims = {ROWS, SIDE, SIDE, 2}, .data = x, .size = sizeof x},
                   ay = {.type = LC_INT32, .rank = 1, .dims = {ROWS}, .data = y, .size = sizeof y};
    const lc_batch batch = {.rows = ROWS, .x = &ax, .y = &ay};
    const char *path = ckpt_folder_path(&ckpt_test_folder, "later.tflite");
    lc_model *model;
    double loss;
    for (int i = 0; i < 3; i++) assert_int_equal(lc_train_on_batch(net, &batch, &loss, &err), LC_OK);
    assert_int_equal(lc_net_save_trainable(net, path, ROWS, &err), LC_OK);
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    lc_session *train = open(model, "train", NULL);
    for (int i = 0; i < 3; i++) {
        memcpy(lc_session_input(train, 0).data, x, sizeof x);
        memcpy(lc_session_input(train, 1).data, y, sizeof y);
        step_beside(train, net, &batch, "later", i, 1e-5, false);
    }
    lc_session_destroy(train);
    lc_model_destroy(model);
    lc_net_destroy(net);
}

static void what_it_cannot_do_is_said(void **unused) {
    (void)unused;
    const struct {
        learner l;
        const char *said;
    } cases[] = {
        {{.what = "average", .optimizer = LC_SGD(0.1, .use_ema = true)}, "use_ema"},
        {{.what = "accumulation", .optimizer = LC_SGD(0.1, .gradient_accumulation_steps = 2)}, "gradient_accumulation_steps"},
        {{.what = "orthogonal", .head = LC_DENSE(CLASSES, .kernel_regularizer = LC_ORTHOGONAL_REGULARIZER())}, "orthogonal"},
        {{.what = "turning", .layers = {CONV, LC_RANDOM_ROTATION({0.1})}}, "random_rotation"},
    };
    lc_error err = {0};
    const char *path = ckpt_folder_path(&ckpt_test_folder, "none.tflite");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_net *net = make(&cases[i].l);
        assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_UNSUPPORTED);
        if (!strstr(err.message, cases[i].said) || !err.hint[0]) fail_msg("%s: %s | %s", cases[i].l.what, err.message, err.hint);
        FILE *file = fopen(path, "rb"); /* nothing half written */
        assert_null(file);
        lc_net_destroy(net);
    }
    lc_net *net = lc_sequential("new");
    lc_add(net, LC_INPUT({2}));
    lc_add(net, LC_DENSE(1));
    assert_int_equal(lc_net_save_trainable(net, path, 4, &err), LC_ARGUMENT); /* not compiled */
    lc_net_destroy(net);
}

typedef struct saving {
    lc_net *net;
    const char *path;
} saving;

static lc_status save_it(void *arg, lc_error *err) {
    const saving *s = arg;
    return lc_net_save_trainable(s->net, s->path, 4, err);
}

static void every_allocation_may_fail(void **unused) {
    (void)unused;
    static char path[4096];
    snprintf(path, sizeof path, "%s", ckpt_folder_path(&ckpt_test_folder, "fault.tflite"));
    lc_net *net = make(&(const learner){.what = "faults", .layers = {CONV, LC_MAX_POOLING2D()}, .optimizer = LC_ADAM(0.01)});
    saving s = {net, path};
    fault_check(save_it, &s, &(fault_options){0});
    lc_net_destroy(net);
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_each_optimizer),
        cmocka_unit_test(with_what_optimizers_have_in_common),
        cmocka_unit_test(with_each_loss),
        cmocka_unit_test(through_layers),
        cmocka_unit_test(several_outputs),
        cmocka_unit_test(goes_on_from_here),
        cmocka_unit_test(what_it_cannot_do_is_said),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, ckpt_test_folder_make, ckpt_test_folder_clean);
}
