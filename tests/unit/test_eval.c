/*
 * test_eval.c: what lc_eval_models counts. The models give back their inputs, so that a table of numbers is a table of outputs.
 */
#include "litec/litec.h"

#include "ops/build.h"
#include "support/ckpt_files.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* float32[?,classes] as it is, or NEG of it. */
static lc_model *make_model(int32_t classes, bool negative) {
    lc_error err;
    lc_model *model;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, classes}, 2);
    const int32_t y = negative ? lc_build_unary(&b, LC_OP_NEG, x) : x;
    if (b.status) fail_msg("%s", err.message);
    lc_build_rename(&b, y, negative ? "minus" : "x");
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    return model;
}

static const char *write_table(const char *text) {
    ckpt_folder_write(&ckpt_test_folder, "t.csv", text, strlen(text));
    return ckpt_folder_path(&ckpt_test_folder, "t.csv");
}

static lc_data *open_table(const lc_model *m, const char *text, uint32_t batch) {
    lc_error err;
    lc_data *d;
    if (lc_data_open(m, (const char *const[]){write_table(text), NULL}, &(lc_data_options){.batch = batch}, &d, &err))
        fail_msg("%s", err.message);
    return d;
}

static lc_eval evaluate(const char *text, int32_t classes, uint32_t batch, int32_t threads, bool both) {
    lc_model *models[] = {make_model(classes, false), make_model(classes, true)};
    lc_data *d = open_table(models[0], text, batch);
    lc_eval e;
    lc_error err;
    if (lc_eval_models(models, both ? 2 : 1, d, &(lc_eval_options){.threads = threads, .confusion = true}, &e, &err))
        fail_msg("%s", err.message);
    lc_data_close(d);
    lc_model_destroy(models[0]);
    lc_model_destroy(models[1]);
    return e;
}

#define NEAR(a, b) (fabs((a) - (b)) < 1e-6)

static void test_probabilities(void **state) {
    (void)state;
    /* right, wrong (the label is the second largest), right by the order of equal ones, right */
    const char *text = "a,b,c,label\n0.7,0.2,0.1,cat\n0.3,0.6,0.1,cat\n0,0.5,0.5,dog\n0,0,1,fly\n";
    lc_eval e = evaluate(text, 3, 2, 1, false);
    const lc_eval_model *m = e.models;
    assert_int_equal(e.samples, 4);
    assert_int_equal(e.classes, 3);
    assert_int_equal(m->right, 3);
    assert_true(m->probabilities);
    assert_true(m->top5.value == 0);
    /* Wilson's interval of 3 of 4, and the losses -ln 0.7, -ln 0.3, -ln 0.5, 0 */
    assert_true(NEAR(m->top1.value, 0.75) && NEAR(m->top1.low, 0.3006418) && NEAR(m->top1.high, 0.9544127));
    const double losses[] = {-log(0.7), -log(0.3), -log(0.5), 0};
    double mean = 0, squares = 0;
    for (int i = 0; i < 4; i++) mean += losses[i] / 4;
    for (int i = 0; i < 4; i++) squares += (losses[i] - mean) * (losses[i] - mean);
    assert_true(NEAR(m->loss, mean) && NEAR(m->loss_error, sqrt(squares / 3 / 4)));
    assert_string_equal(m->of_class[0].name, "cat");
    assert_int_equal(m->of_class[0].samples, 2);
    assert_int_equal(m->of_class[0].right, 1);
    assert_int_equal(m->of_class[1].predicted, 2);
    const uint64_t confusion[] = {1, 1, 0, 0, 1, 0, 0, 0, 1};
    assert_memory_equal(m->confusion, confusion, sizeof confusion);
    lc_eval_deinit(&e);
    assert_null(e.models);
}

static void test_logits(void **state) {
    (void)state;
    lc_eval e = evaluate("a,b,c,d,e,f,label\n9,1,2,3,4,5,0\n9,1,2,3,4,5,1\n", 6, 1, 1, true);
    assert_false(e.models[0].probabilities);
    assert_int_equal(e.models[0].right, 1);
    assert_int_equal(e.models[0].right_of_5, 1);
    const double all = log(exp(9) + exp(1) + exp(2) + exp(3) + exp(4) + exp(5));
    assert_true(NEAR(e.models[0].loss, all - 5));
    /* the other model has the other one right */
    assert_int_equal(e.models[1].right, 1);
    assert_int_equal(e.models[1].agree, 0);
    assert_int_equal(e.models[1].only_this, 1);
    assert_int_equal(e.models[1].only_first, 1);
    assert_true(NEAR(e.models[1].difference, 0) && NEAR(e.models[1].difference_error, 1.959963984 * sqrt(2) / 2));
    lc_eval_deinit(&e);
}

static void test_two_classes(void **state) {
    (void)state;
    lc_eval e = evaluate("p,label\n0.9,1\n0.5,1\n0.4,1\n0.1,0\n", 1, 3, 1, false);
    assert_int_equal(e.classes, 2);
    assert_int_equal(e.models[0].right, 3);
    assert_true(e.models[0].probabilities);
    assert_true(NEAR(e.models[0].loss, -(log(0.9) + log(0.5) + log(0.4) + log(0.9)) / 4));
    lc_eval_deinit(&e);
    e = evaluate("p,label\n3,1\n0.4,1\n-2,0\n0.2,0\n", 1, 3, 1, false);
    assert_int_equal(e.models[0].right, 3);
    assert_false(e.models[0].probabilities);
    assert_true(NEAR(e.models[0].loss, (log1p(exp(-3)) + log1p(exp(-0.4)) + log1p(exp(-2)) + log1p(exp(0.2))) / 4));
    lc_eval_deinit(&e);
}

/* Neither threads nor batches change a bit. */
static void test_same_with_threads(void **state) {
    (void)state;
    lc_text t = {0};
    lc_text_add(&t, "a,b,c,label\n");
    for (uint32_t i = 0; i < 500; i++)
        lc_text_printf(&t, "%u,%u,%u,%u\n", i * 2654435761u >> 20, i * 40503u >> 4 & 4095, i * 97u & 4095, i % 3);
    lc_eval a = evaluate(t.data, 3, 1, 1, true), b = evaluate(t.data, 3, 7, 4, true);
    for (size_t m = 0; m < 2; m++) {
        assert_true(a.models[m].right > 100 && a.models[m].right < 300);
        assert_int_equal(a.models[m].right, b.models[m].right);
        assert_memory_equal(&a.models[m].loss, &b.models[m].loss, sizeof(double));
        assert_memory_equal(a.models[m].confusion, b.models[m].confusion, 9 * sizeof(uint64_t));
    }
    lc_eval_deinit(&a);
    lc_eval_deinit(&b);
    lc_text_deinit(&t);
}

/* A model whose outputs are NaN is never right, and says so. */
static void test_nan(void **state) {
    (void)state;
    lc_error err;
    lc_builder b;
    lc_model *m;
    lc_eval e;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 2}, 2), y = lc_build_unary(&b, LC_OP_SQRT, x);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    lc_data *d = open_table(m, "a,b,label\n0.25,0.25,0\n-1,1,0\n", 2);
    if (lc_eval_models((lc_model *[]){m, m}, 2, d, NULL, &e, &err)) fail_msg("%s", err.message);
    assert_int_equal(e.models[0].broken, 1);
    assert_int_equal(e.models[1].agree, 1); /* no class is none that two could have in common */
    assert_int_equal(e.models[0].right, 1);
    assert_true(NEAR(e.models[0].loss, log(2)));
    assert_null(e.models[0].confusion);
    lc_eval_deinit(&e);
    lc_data_close(d);
    lc_model_destroy(m);
}

static void expect_failure(lc_model *const *models, size_t count, const char *text, const char *output, lc_status status,
                           const char *message, const char *hint) {
    lc_data *d = open_table(models[0], text, 2);
    lc_error err;
    lc_eval e;
    const lc_status got = lc_eval_models(models, count, d, &(lc_eval_options){.output = output}, &e, &err);
    if (got != status || !strstr(err.message, message) || !strstr(err.hint, hint))
        fail_msg("wanted %s, \"%s\", \"%s\"; got %s, \"%s\", \"%s\"", lc_status_name(status), message, hint, lc_status_name(got),
                 err.message, err.hint);
    assert_null(e.models);
    lc_data_close(d);
}

static lc_status fill(void *user, uint64_t index, lc_session *s, bool *end, lc_error *err) {
    (void)user, (void)index, (void)s, (void)err;
    *end = true;
    return LC_OK;
}

static void test_refused(void **state) {
    (void)state;
    lc_model *models[] = {make_model(3, false), make_model(2, false)};
    lc_error err;
    lc_data *d;
    lc_eval e;
    expect_failure(models, 1, "1,2,3\n", NULL, LC_ARGUMENT, "no labels", "--labels");
    expect_failure(models, 1, "a,b,c,label\n1,2,3,0\n1,2,3,1\n1,2,3,3\n", NULL, LC_INVALID, "sample 2 is 3, but the model has 3 classes",
                   "counted from 1");
    expect_failure(models, 1, "a,b,c,label\n1,2,3,-1\n", NULL, LC_INVALID, "sample 0 is -1", "counted from 0");
    expect_failure(models, 1, "a,b,c,label\n1,2,3,0\n", "y", LC_NOT_FOUND, "no output named y", "are: x");
    expect_failure(models, 2, "a,b,c,label\n1,2,3,0\n", NULL, LC_INVALID, "input x wants float32[?,2]", "input's shape");
    lc_builder b;
    lc_model *deep;
    assert_int_equal(lc_model_new(NULL, &deep, &err), LC_OK);
    lc_builder_init(&b, deep, deep->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){-1, 2, 3}, 3);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, x, &err), LC_OK);
    expect_failure(&deep, 1, "a,b,c,d,e,f,label\n1,2,3,4,5,6,0\n", NULL, LC_INVALID, "gives no numbers for classes", "--output");
    lc_model_destroy(deep);
    assert_int_equal(lc_data_from(fill, NULL, &d, &err), LC_OK);
    assert_int_equal(lc_eval_models(models, 1, d, NULL, &e, &err), LC_ARGUMENT);
    lc_data_close(d);
    lc_model_destroy(models[0]);
    lc_model_destroy(models[1]);
}

typedef struct life {
    lc_model *models[2];
    const char *path;
} life;

static lc_status live(void *arg, lc_error *err) {
    const life *l = arg;
    lc_data *data;
    lc_eval e;
    LC_TRY(lc_data_open(l->models[0], (const char *const[]){l->path, NULL}, NULL, &data, err));
    const lc_status status = lc_eval_models(l->models, 2, data, &(lc_eval_options){.confusion = true}, &e, err);
    lc_eval_deinit(&e);
    lc_data_close(data);
    return status;
}

static void test_faults(void **state) {
    (void)state;
    life l = {.models = {make_model(2, false), make_model(2, true)}};
    lc_error err;
    l.path = write_table("a,b,label\n0.25,0.75,cat\n1,0,dog\n");
    assert_int_equal(live(&l, &err), LC_OK); /* what models make once is made */
    fault_check(live, &l, NULL);
    lc_model_destroy(l.models[0]);
    lc_model_destroy(l.models[1]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, ckpt_test_folder_make, ckpt_test_folder_clean)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_probabilities), CASE(test_logits),  CASE(test_two_classes), CASE(test_same_with_threads),
        CASE(test_nan),           CASE(test_refused), CASE(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
