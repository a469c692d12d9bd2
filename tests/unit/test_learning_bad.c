/*
 * test_learning_bad.c: losses, metrics and optimizers beyond what Keras was asked (test_learning.c): gradients against differences, threads,
 * masks, what "accuracy" and "crossentropy" are, and what must be refused, with its message.
 */
#include "base/pool.h"
#include "support/fault.h"
#include "support/learning.h"
#include "train/initializer.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/object.h"
#include "train/optimizer.h"
#include "train/schedule.h"

static lc_json named(const char *name) { return (lc_json){.kind = LC_JSON_STRING, .string = name}; }

static lc_loss *loss_named(const char *name) {
    const lc_json object = named(name);
    lc_loss *loss;
    assert_int_equal(lc_loss_create(&object, NULL, NULL, &loss, NULL), LC_OK);
    return loss;
}

static lc_array array(lc_dtype type, void *data, int32_t rank, const int32_t *dims) {
    lc_array a = {.type = type, .rank = rank, .data = data};
    memcpy(a.dims, dims, (size_t)rank * sizeof *dims);
    return a;
}
#define ARRAY(type, data, ...) \
    array(type, data, (int32_t)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), (const int32_t[]){__VA_ARGS__})

/* Gradients against central differences, at places where nothing is cut: wide rows, several of them to a sample, weights, classes of int64. */
static void test_differences(void **state) {
    (void)state;
    static const char *const names[] = {"mse",
                                        "msle",
                                        "huber",
                                        "log_cosh",
                                        "squared_hinge",
                                        "kld",
                                        "poisson",
                                        "categorical_crossentropy",
                                        "binary_crossentropy",
                                        "cosine_similarity",
                                        "binary_focal_crossentropy",
                                        "categorical_focal_crossentropy",
                                        "sparse_categorical_crossentropy"};
    enum { ROWS = 6, WIDTH = 17 };
    float pred[ROWS * WIDTH], labels[ROWS * WIDTH], gradient[ROWS * WIDTH];
    int64_t classes[ROWS];
    const float weights[2] = {1, 0.25f};
    numbers r = {11};
    take(&r, pred, ROWS * WIDTH);
    take(&r, labels, ROWS * WIDTH);
    for (int i = 0; i < ROWS * WIDTH; i++) {
        pred[i] = 0.5f + 0.4f * pred[i];
        labels[i] = 0.5f + 0.4f * labels[i];
    }
    for (int i = 0; i < ROWS; i++) classes[i] = (5 * i + 3) % WIDTH;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        const bool sparse = strncmp(names[k], "sparse", 6) == 0;
        const lc_array y = sparse ? ARRAY(LC_INT64, classes, 2, 3) : ARRAY(LC_FLOAT32, labels, 2, 3, WIDTH),
                       p = ARRAY(LC_FLOAT32, pred, 2, 3, WIDTH);
        const lc_target target = {.y_true = &y, .y_pred = &p, .weights = weights, .weight_count = 2};
        lc_loss *loss = loss_named(names[k]);
        double value, up, down;
        assert_int_equal(lc_loss_run(loss, &target, 2, NULL, &value, gradient, NULL), LC_OK);
        for (int i = 0; i < ROWS * WIDTH; i += 5) {
            const float kept = pred[i], step = 1.0f / 256;
            pred[i] = kept + step;
            assert_int_equal(lc_loss_run(loss, &target, 2, NULL, &up, NULL, NULL), LC_OK);
            pred[i] = kept - step;
            assert_int_equal(lc_loss_run(loss, &target, 2, NULL, &down, NULL, NULL), LC_OK);
            pred[i] = kept;
            const double slope = (up - down) / (2 * (double)step);
            if (!close_to((double)gradient[i], slope, 1e-3))
                fail_msg("%s: element %d: %g, by difference %g", names[k], i, (double)gradient[i], slope);
        }
        lc_loss_destroy(loss);
    }
}

/* The same bits whatever the number of threads. */
static void test_loss_threads(void **state) {
    (void)state;
    enum { ROWS = 3000, WIDTH = 10 };
    float *pred = malloc(ROWS * WIDTH * sizeof *pred), *gradient[2];
    int32_t *labels = malloc(ROWS * sizeof *labels);
    numbers r = {5};
    take(&r, pred, ROWS * WIDTH);
    for (int i = 0; i < ROWS; i++) labels[i] = i % WIDTH;
    const lc_array y = ARRAY(LC_INT32, labels, ROWS), p = ARRAY(LC_FLOAT32, pred, ROWS, WIDTH);
    const lc_target target = {.y_true = &y, .y_pred = &p};
    double total[2];
    for (int k = 0; k < 2; k++) {
        lc_pool *pool;
        lc_loss *loss = loss_named("sparse_categorical_crossentropy");
        gradient[k] = malloc(ROWS * WIDTH * sizeof(float));
        assert_int_equal(lc_pool_create(k ? 4 : 1, &pool, NULL), LC_OK);
        assert_string_equal(lc_loss_activation(loss), "softmax");
        lc_loss_take_logits(loss);
        assert_int_equal(lc_loss_run(loss, &target, 1, pool, &total[k], gradient[k], NULL), LC_OK);
        lc_loss_destroy(loss);
        lc_pool_destroy(pool);
    }
    assert_memory_equal(&total[0], &total[1], sizeof total[0]);
    assert_memory_equal(gradient[0], gradient[1], ROWS * WIDTH * sizeof(float));
    free(pred);
    free(labels);
    free(gradient[0]);
    free(gradient[1]);
}

/* No loss hides a NaN. */
static void test_nan(void **state) {
    (void)state;
    static const char *const names[] = {"mse",
                                        "mae",
                                        "mape",
                                        "msle",
                                        "huber",
                                        "log_cosh",
                                        "hinge",
                                        "squared_hinge",
                                        "categorical_hinge",
                                        "kld",
                                        "poisson",
                                        "categorical_crossentropy",
                                        "binary_crossentropy",
                                        "cosine_similarity",
                                        "binary_focal_crossentropy",
                                        "categorical_focal_crossentropy",
                                        "dice",
                                        "tversky",
                                        "sparse_categorical_crossentropy"};
    float pred[6] = {0.25f, NAN, 0.25f, 0.25f, 0.5f, 0.25f}, labels[6] = {0, 1, 0, 0, 0, 1}, gradient[6];
    int8_t classes[2] = {0, 2};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        const bool sparse = strncmp(names[k], "sparse", 6) == 0;
        const lc_array y = sparse ? ARRAY(LC_INT8, classes, 2) : ARRAY(LC_FLOAT32, labels, 2, 3), p = ARRAY(LC_FLOAT32, pred, 2, 3);
        const lc_target target = {.y_true = &y, .y_pred = &p};
        for (int logits = 0; logits < 2; logits++) {
            lc_loss *loss = loss_named(names[k]);
            double value;
            if (logits) lc_loss_take_logits(loss);
            assert_int_equal(lc_loss_run(loss, &target, 1, NULL, &value, gradient, NULL), LC_OK);
            if (!isnan(value)) fail_msg("%s: %g", names[k], value);
            lc_loss_destroy(loss);
        }
    }
}

/* Rows that are masked neither count nor pull; a mean is over the others. */
static void test_mask(void **state) {
    (void)state;
    float pred[4] = {1, 2, 3, NAN}, labels[4] = {0, 0, 0, 0}, gradient[4];
    const uint8_t mask[4] = {1, 0, 1, 0};
    const lc_array y = ARRAY(LC_FLOAT32, labels, 4, 1), p = ARRAY(LC_FLOAT32, pred, 4, 1);
    const lc_target target = {.y_true = &y, .y_pred = &p, .mask = {mask, sizeof mask}};
    lc_loss *loss = loss_named("mse");
    double value;
    assert_int_equal(lc_loss_run(loss, &target, 1, NULL, &value, gradient, NULL), LC_OK);
    assert_true(value == 5); /* (1 + 9) / 2 */
    assert_memory_equal(gradient, ((float[4]){1, 0, 3, 0}), sizeof gradient);
    lc_loss_destroy(loss);
    lc_metric *metric;
    const lc_json object = named("mse");
    assert_int_equal(lc_metric_create(&object, NULL, NULL, &metric, NULL), LC_OK);
    assert_true(lc_metric_result(metric) == 0);
    assert_int_equal(lc_metric_update(metric, &target, NULL, NULL), LC_OK);
    assert_true(lc_metric_result(metric) == 5);
    assert_string_equal(lc_metric_name(metric), "mse");
    assert_false(lc_metric_is_better_high(metric));
    lc_metric_destroy(metric);
}

/* "accuracy" and "crossentropy" by the shapes. */
static void test_chosen(void **state) {
    (void)state;
    float pred[6] = {0.2f, 0.5f, 0.3f, 0.1f, 0.2f, 0.7f}, onehot[6] = {0, 1, 0, 1, 0, 0}, yes[6] = {1, 1, 0, 0, 0, 1};
    uint8_t classes[2] = {1, 0};
    const struct {
        lc_array y, p;
        double accuracy;
        bool sparse;
    } cases[] = {
        {ARRAY(LC_UINT8, classes, 2), ARRAY(LC_FLOAT32, pred, 2, 3), 0.5, true},
        {ARRAY(LC_UINT8, classes, 2, 1), ARRAY(LC_FLOAT32, pred, 2, 3), 0.5, true},
        {ARRAY(LC_FLOAT32, onehot, 2, 3), ARRAY(LC_FLOAT32, pred, 2, 3), 0.5, false},
        {ARRAY(LC_FLOAT32, yes, 6), ARRAY(LC_FLOAT32, pred, 6, 1), 4.0 / 6, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const lc_target target = {.y_true = &cases[i].y, .y_pred = &cases[i].p};
        const lc_json accuracy = named(i % 2 ? "acc" : "accuracy"), ce = named("crossentropy");
        lc_metric *metric;
        lc_loss *loss = loss_named("ce"), *known;
        double value;
        assert_int_equal(lc_metric_create(&accuracy, NULL, NULL, &metric, NULL), LC_OK);
        assert_int_equal(lc_metric_update(metric, &target, NULL, NULL), LC_OK);
        assert_true(fabs(lc_metric_result(metric) - cases[i].accuracy) < 1e-12);
        assert_string_equal(lc_metric_name(metric), accuracy.string);
        lc_metric_destroy(metric);
        assert_null(lc_loss_activation(loss)); /* not known yet */
        assert_int_equal(lc_loss_run(loss, &target, 1, NULL, &value, NULL, NULL), LC_OK);
        assert_int_equal(lc_loss_is_sparse(loss), cases[i].sparse);
        assert_null(lc_loss_activation(loss)); /* too late to ask for logits */
        assert_int_equal(lc_loss_create(&ce, &cases[i].y, &cases[i].p, &known, NULL), LC_OK);
        assert_string_equal(lc_loss_activation(known), i == 3 ? "sigmoid" : "softmax");
        lc_loss_destroy(known);
        lc_loss_destroy(loss);
    }
}

/* What is written in C becomes the configuration that is read here. */
static const char *written(lc_class_kind kind, lc_object object, lc_text *text) {
    lc_error err;
    lc_text_deinit(text);
    if (lc_object_write(kind, &object, text, &err) != LC_OK) fail_msg("%s", err.message);
    return text->data;
}

static void test_written(void **state) {
    (void)state;
    lc_text text = {0};
    parsed p;
    lc_error err;
    trained t;
    numbers r = {1};
    make_variables(&t, &r);
    /* a schedule counts before a number; -0.0 is zero; an argument that is not given is Keras's default */
    const char *json =
        written(LC_CLASS_OPTIMIZER, LC_SGD(.learning_rate = 1, .schedule = LC_PIECEWISE_CONSTANT_DECAY({1, 2}, {0.5, -0.0, 0.25})), &text);
    assert_non_null(
        strstr(json, "\"config\": {\"boundaries\": [1.0, 2.0], \"values\": [0.5, 0.0, 0.25], \"name\": \"PiecewiseConstant\"}"));
    lc_optimizer *o;
    assert_int_equal(lc_optimizer_create(parse(&p, json, strlen(json)), t.variables, 3, &o, &err), LC_OK);
    for (int step = 0; step < 4; step++, lc_optimizer_step(o, NULL))
        assert_true(lc_optimizer_learning_rate(o) == ((float[]){0.5f, 0.5f, 0, 0.25f})[step]);
    lc_optimizer_destroy(o);
    lc_arena_deinit(&p.arena);
    assert_non_null(strstr(written(LC_CLASS_OPTIMIZER, LC_ADAM(), &text), "\"learning_rate\": 0.001, \"beta_1\": 0.9"));
    assert_non_null(strstr(written(LC_CLASS_OPTIMIZER, LC_ADAMW(.weight_decay = -0.0), &text), "\"weight_decay\": 0.0"));
    assert_string_equal(
        written(LC_CLASS_LOSS, LC_SPARSE_CATEGORICAL_CROSSENTROPY(.from_logits = true, .ignore_class = -0.0), &text),
        "{\"module\": \"keras.losses\", \"class_name\": \"SparseCategoricalCrossentropy\", \"config\": {\"from_logits\": true, "
        "\"ignore_class\": 0, \"axis\": -1, \"reduction\": \"sum_over_batch_size\", \"name\": \"sparse_categorical_crossentropy\"}, "
        "\"registered_name\": null}");
    assert_non_null(strstr(written(LC_CLASS_METRIC, LC_AUC(.name = "pr", .curve = "PR"), &text), "\"name\": \"pr\""));
    assert_non_null(strstr(written(LC_CLASS_METRIC, LC_PRECISION(.thresholds = {0.25, 0.5}), &text), "\"thresholds\": [0.25, 0.5]"));
    assert_non_null(
        strstr(written(LC_CLASS_CONSTRAINT, LC_MAX_NORM(3, .axes = {0, 1, 2}), &text), "{\"max_value\": 3.0, \"axis\": [0, 1, 2]}"));
    assert_non_null(strstr(written(LC_CLASS_CONSTRAINT, LC_UNIT_NORM(.axes = {-1}), &text), "\"axis\": -1}"));
    assert_non_null(strstr(written(LC_CLASS_INITIALIZER, LC_HE_NORMAL(.seed = 7), &text), "{\"seed\": 7"));
    /* a name is left as it is: which "accuracy" it is, the labels will say */
    assert_string_equal(written(LC_CLASS_METRIC, (lc_object){"acc", NULL, NULL}, &text), "\"acc\"");
    assert_string_equal(written(LC_CLASS_LOSS, (lc_object){"mse", NULL, NULL}, &text), "\"mse\"");
    lc_text_deinit(&text);
}

/* ---- what is refused ------------------------------------------------------------------------------------------------- */

typedef enum what { OPTIMIZER, LOSS, METRIC, SCHEDULE, REGULARIZER, CONSTRAINT } what;

static lc_status create(what kind, const lc_json *object, lc_error *err) {
    lc_optimizer *o = NULL;
    lc_loss *l = NULL;
    lc_metric *m = NULL;
    lc_schedule s;
    lc_regularizer r;
    lc_constraint c;
    trained t;
    numbers n = {1};
    make_variables(&t, &n);
    lc_status status = LC_OK;
    switch (kind) {
    case OPTIMIZER: status = lc_optimizer_create(object, t.variables, 3, &o, err); break;
    case LOSS: status = lc_loss_create(object, NULL, NULL, &l, err); break;
    case METRIC: status = lc_metric_create(object, NULL, NULL, &m, err); break;
    case SCHEDULE: status = lc_schedule_read(object, &s, err); break;
    case REGULARIZER: status = lc_regularizer_read(object, &r, err); break;
    case CONSTRAINT: status = lc_constraint_read(object, &c, err); break;
    }
    lc_optimizer_destroy(o);
    lc_loss_destroy(l);
    lc_metric_destroy(m);
    return status;
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        what kind;
        const char *class, *config, *message;
    } cases[] = {
        {OPTIMIZER, "adamm", "{}", "there is no optimizer \"adamm\""},
        {OPTIMIZER, "Adam", "{\"learning_rat\": 1}", "optimizer Adam: there is no argument \"learning_rat\""},
        {OPTIMIZER, "Adam", "{\"learning_rate\": \"fast\"}", "optimizer Adam: learning_rate is not a number"},
        {OPTIMIZER, "Adam", "{\"learning_rate\": NaN}", "optimizer Adam: learning_rate is not a finite number"},
        {OPTIMIZER, "Adam", "[]", "optimizer Adam: its configuration is not an object of JSON"},
        {OPTIMIZER, "Adam", "{\"amsgrad\": 1}", "optimizer Adam: amsgrad is neither true nor false"},
        {OPTIMIZER, "Adam", "{\"clipnorm\": 1, \"clipvalue\": 1}", "only one of clipnorm"},
        {OPTIMIZER, "Adam", "{\"gradient_accumulation_steps\": 1}", "gradient_accumulation_steps is 1, at least 2"},
        {OPTIMIZER, "Adam", "{\"gradient_accumulation_steps\": 2.5}", "a whole number is wanted"},
        {OPTIMIZER, "Adam", "{\"use_ema\": true, \"ema_momentum\": 2}", "ema_momentum is 2, at most 1"},
        {OPTIMIZER, "AdamW", "{\"weight_decay\": null}", "weight_decay must be a number"},
        {OPTIMIZER, "SGD", "{\"momentum\": -1}", "momentum is -1, at least 0"},
        {OPTIMIZER, "SGD", "{\"learning_rate\": {\"class_name\": \"CosineDcay\"}}", "there is no schedule \"CosineDcay\""},
        {OPTIMIZER, "Ftrl", "{\"learning_rate_power\": 1}", "learning_rate_power is 1, at most 0"},
        {OPTIMIZER, "Lion", "{\"beta_1\": 0}", "beta_1 is 0"},
        {SCHEDULE, "CosineDecay", "{\"initial_learning_rate\": 0.1}", "decay_steps is 0"},
        {SCHEDULE, "PiecewiseConstantDecay", "{\"boundaries\": [1], \"values\": [1]}", "1 boundaries and 1 values"},
        {SCHEDULE, "PiecewiseConstantDecay", "{\"boundaries\": [2, 1], \"values\": [1, 2, 3]}", "do not grow"},
        {SCHEDULE, "PiecewiseConstantDecay", "{\"boundaries\": [null], \"values\": [1, 2]}", "not a finite number"},
        {LOSS, "msee", "{}", "there is no loss"},
        {LOSS, "Huber", "{\"reduction\": \"summ\"}", "reduction is \"summ\""},
        {LOSS, "BinaryCrossentropy", "{\"label_smoothing\": 2}", "label_smoothing is 2, at most 1"},
        {METRIC, "accurracy", "{}", "there is no metric"},
        {METRIC, "AUC", "{\"num_thresholds\": 1}", "num_thresholds is 1"},
        {METRIC, "AUC", "{\"num_thresholds\": 1000000000}", "num_thresholds is 1000000000"},
        {METRIC, "AUC", "{\"curve\": \"ROK\"}", "curve is \"ROK\""},
        {METRIC, "AUC", "{\"thresholds\": [2]}", "a threshold of 2"},
        {METRIC, "AUC", "{\"label_weights\": [-1]}", "a weight of -1"},
        {METRIC, "AUC", "{\"curves\": \"PR\"}", "there is no argument \"curves\""},
        {METRIC, "IoU", "{\"num_classes\": 3}", "needs target_class_ids"},
        {METRIC, "IoU", "{\"num_classes\": 3, \"target_class_ids\": [3]}", "3 is none of its 3 classes"},
        {METRIC, "BinaryIoU", "{\"target_class_ids\": [0.5]}", "0.5 is none of its 2 classes"},
        {METRIC, "R2Score", "{\"num_regressors\": -1}", "num_regressors is -1"},
        {METRIC, "PearsonCorrelation", "{\"axis\": 0}", "last axis"},
        {LOSS, "CategoricalGeneralizedCrossEntropy", "{\"q\": 1.5}", "q is 1.5"},
        {LOSS, "CategoricalFocalCrossentropy", "{\"alpha\": [\"a\"]}", "alpha has a value"},
        {LOSS, "Dice", "{\"axis\": [0.5]}", "axis 0.5"},
        {METRIC, "Precision", "{\"top_k\": -1}", "top_k is -1"},
        {METRIC, "PrecisionAtRecall", "{\"recall\": 2}", "recall is 2, at most 1"},
        {METRIC, "F1Score", "{\"threshold\": 2}", "threshold is 2"},
        {METRIC, "FBetaScore", "{\"beta\": -1}", "beta is -1"},
        {METRIC, "MeanIoU", "{}", "num_classes is 0"},
        {REGULARIZER, "L2", "{\"l2\": -1}", "l2 is -1, at least 0"},
        {REGULARIZER, "OrthogonalRegularizer", "{\"mode\": \"row\"}", "mode is \"row\""},
        {CONSTRAINT, "MaxNorm", "{\"axis\": 9}", "axis 9"},
        {CONSTRAINT, "MaxNorm", "{\"axis\": [0, -1]}", "axis -1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"class_name\": \"%s\", \"config\": %s}", cases[i].class, cases[i].config);
        parsed p;
        lc_error err;
        lc_error_clear(&err);
        const lc_status status = create(cases[i].kind, parse(&p, text, strlen(text)), &err);
        if (status != LC_ARGUMENT || !strstr(err.message, cases[i].message))
            fail_msg("%s: %s, \"%s\" instead of \"%s\"", text, lc_status_name(status), err.message, cases[i].message);
        lc_arena_deinit(&p.arena);
    }
    lc_error err;
    const lc_json number = {.kind = LC_JSON_INT}, good = named("Adam_w"), near = named("adm");
    assert_int_equal(create(LOSS, NULL, &err), LC_ARGUMENT);
    assert_int_equal(create(METRIC, &number, &err), LC_ARGUMENT);
    assert_int_equal(create(CONSTRAINT, NULL, &err), LC_OK); /* none */
    assert_int_equal(create(OPTIMIZER, &good, &err), LC_OK);
    assert_int_equal(create(OPTIMIZER, &near, &err), LC_ARGUMENT);
    assert_string_equal(err.hint, "did you mean \"Adam\"?");
}

static void test_wrong_targets(void **state) {
    (void)state;
    float values[12] = {0};
    int32_t classes[4] = {0, 2, 3, 1};
    const lc_array sparse = ARRAY(LC_INT32, classes, 4), dense = ARRAY(LC_FLOAT32, values, 4, 3), one = ARRAY(LC_FLOAT32, values, 4, 1);
    const lc_array turned = ARRAY(LC_FLOAT32, values, 3, 4), text = ARRAY(LC_STRING, classes, 4);
    const struct {
        const char *loss;
        const lc_array *y, *p;
        size_t weights;
        lc_status status;
        const char *message;
    } cases[] = {
        {"sparse_categorical_crossentropy", &sparse, &dense, 0, LC_ARGUMENT,
         "label 3 of row 2 of the batch is none of the 3 classes, 0 to 2"},
        {"sparse_categorical_crossentropy", &dense, &dense, 0, LC_ARGUMENT, "targets of shape [4, 3] do not fit an output of shape [4, 3]"},
        {"categorical_crossentropy", &sparse, &dense, 0, LC_ARGUMENT, "targets of shape [4] do not fit an output of shape [4, 3]"},
        {"mse", &turned, &dense, 0, LC_ARGUMENT, "targets of shape [3, 4] do not fit"},
        {"mse", &one, &dense, 0, LC_ARGUMENT, "targets of shape [4, 1] do not fit"},
        {"mse", &dense, &dense, 3, LC_ARGUMENT, "3 weights do not fit"},
        {"mse", &dense, &sparse, 0, LC_UNSUPPORTED, "an output of type int32"},
        {"sparse_categorical_crossentropy", &text, &dense, 0, LC_UNSUPPORTED, "targets of type string"},
    };
    lc_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const size_t weights = cases[i].weights;
        const lc_target target = {.y_true = cases[i].y, .y_pred = cases[i].p, .weights = weights ? values : NULL, .weight_count = weights};
        lc_loss *loss = loss_named(cases[i].loss);
        double value;
        assert_int_equal(lc_loss_run(loss, &target, 1, NULL, &value, NULL, &err), cases[i].status);
        if (!strstr(err.message, cases[i].message)) fail_msg("\"%s\" instead of \"%s\"", err.message, cases[i].message);
        lc_loss_destroy(loss);
    }
    /* variables and what is said of them */
    const lc_json sgd = named("sgd");
    lc_variable v = {.path = "dense/bias", .rank = 1, .dims = {4}, .constraint = {.kind = LC_MAXIMAL_NORM, .axes = 2}, .trainable = true};
    lc_optimizer *o;
    assert_int_equal(lc_optimizer_create(&sgd, &v, 1, &o, &err), LC_ARGUMENT);
    assert_string_equal(err.message, "variable dense/bias: its constraint is over an axis that it does not have; it has 1");
    v = (lc_variable){.path = "dense/bias", .rank = 1, .dims = {4}, .regularizer = {.orthogonal = 1}};
    assert_int_equal(lc_variable_check(&v, &err), LC_ARGUMENT);
}

/* ---- optimizers: the learning rate, frozen variables, no gradient ------------------------------------------------------ */

static void test_frozen(void **state) {
    (void)state;
    trained t;
    numbers r = {1};
    make_variables(&t, &r);
    t.variables[0].trainable = false;
    t.variables[2].grad = NULL;
    float before[24];
    memcpy(before, t.value, sizeof before);
    lc_optimizer *o;
    lc_error err;
    const lc_json sgd = named("sgd");
    assert_int_equal(lc_optimizer_create(&sgd, t.variables, 3, &o, &err), LC_OK);
    assert_int_equal(lc_optimizer_set_learning_rate(o, 0.5f, &err), LC_OK);
    assert_true(lc_optimizer_learning_rate(o) == 0.5f);
    for (int i = 0; i < 24; i++) t.grad[i] = 1;
    lc_optimizer_step(o, NULL);
    assert_int_equal(lc_optimizer_iteration(o), 1);
    for (int i = 0; i < 24; i++) assert_true(t.value[i] == before[i] - (i >= 12 && i < 16 ? 0.5f : 0));
    lc_optimizer_destroy(o);
    parsed p;
    const char *text = "{\"class_name\": \"SGD\", \"config\": {\"learning_rate\": {\"class_name\": \"CosineDecay\", \"config\": "
                       "{\"initial_learning_rate\": 1, \"decay_steps\": 4}}}}";
    assert_int_equal(lc_optimizer_create(parse(&p, text, strlen(text)), t.variables, 3, &o, &err), LC_OK);
    assert_int_equal(lc_optimizer_set_learning_rate(o, 0.5f, &err), LC_ARGUMENT);
    assert_true(lc_optimizer_learning_rate(o) == 1);
    lc_optimizer_step(o, NULL);
    assert_true(lc_optimizer_learning_rate(o) < 0.9f);
    lc_optimizer_destroy(o);
    lc_arena_deinit(&p.arena);
}

/* ---- no memory ------------------------------------------------------------------------------------------------------- */

static lc_status measure(const lc_target *sparse, const lc_target *dense, lc_error *err) {
    static const char *const names[] = {"auc", "f1_score", "mse", "sparse_categorical_accuracy"};
    const lc_json object = named("sparse_categorical_crossentropy");
    lc_loss *loss = NULL;
    double value;
    LC_TRY(lc_loss_create(&object, NULL, NULL, &loss, err));
    lc_status status = lc_loss_run(loss, sparse, 1, NULL, &value, NULL, err);
    lc_loss_destroy(loss);
    for (int i = 0; i < 4 && status == LC_OK; i++) {
        const lc_json one = named(names[i]);
        lc_metric *metric = NULL;
        status = lc_metric_create(&one, NULL, NULL, &metric, err);
        if (status == LC_OK) status = lc_metric_update(metric, i == 3 ? sparse : dense, NULL, err);
        lc_metric_destroy(metric);
    }
    return status;
}

static lc_status whole_life(void *arg, lc_error *err) {
    (void)arg;
    trained t;
    numbers r = {1};
    make_variables(&t, &r);
    t.variables[0].regularizer.orthogonal = 1;
    const lc_json adam = named("adam"), orthogonal = named("orthogonal");
    lc_optimizer *o = NULL;
    double value;
    LC_TRY(lc_optimizer_create(&adam, t.variables, 3, &o, err));
    lc_optimizer_step(o, NULL);
    lc_optimizer_destroy(o);
    LC_TRY(lc_regularizer_run(&t.variables[0], 1, &value, err));
    const int32_t dims[2] = {3, 4};
    LC_TRY(lc_initializer_fill(&orthogonal, dims, 2, 0, 1, 1, t.value, err));
    int32_t classes[4] = {0, 1, 1, 0};
    float pred[8] = {0.5f, 0.5f, 0.1f, 0.9f, 0.3f, 0.7f, 1, 0}, yes[8] = {1, 0, 0, 1, 0, 1, 1, 0};
    const lc_array y = ARRAY(LC_INT32, classes, 4), p = ARRAY(LC_FLOAT32, pred, 4, 2), one = ARRAY(LC_FLOAT32, yes, 4, 2);
    return measure(&(lc_target){.y_true = &y, .y_pred = &p}, &(lc_target){.y_true = &one, .y_pred = &p}, err);
}

static void test_no_memory(void **state) {
    (void)state;
    assert_true(fault_check(whole_life, NULL, NULL) > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences), cmocka_unit_test(test_loss_threads),  cmocka_unit_test(test_mask),
        cmocka_unit_test(test_nan),         cmocka_unit_test(test_chosen),        cmocka_unit_test(test_written),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_wrong_targets), cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
