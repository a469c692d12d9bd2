/*
 * Free form (litec/module.h): functions are traced once for types and shapes, gradients and assignments work, and what is saved runs: softmax
 * regression as TensorFlow 1's tutorial has it, beside the same steps computed here.
 */
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

enum { ROWS = 6, IN = 4, OUT = 3 };
static float x[ROWS][IN], labels[ROWS][OUT], start[IN][OUT];
static int traced;

static void fill(void) {
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < IN; k++) x[i][k] = sinf((float)(i * IN + k));
    for (int i = 0; i < ROWS; i++) labels[i][i % OUT] = 1;
    for (int k = 0; k < IN; k++)
        for (int j = 0; j < OUT; j++) start[k][j] = 0.1f * cosf((float)(k * OUT + j));
}

static void step(void *user, lc_trace *t, const int32_t *in, uint32_t n) {
    (void)user;
    (void)n;
    traced++;
    const int32_t w = lc_trace_variable(t, "w"), b = lc_trace_variable(t, "b");
    const int32_t z = lc_add_to(t, lc_matmul(t, in[0], w), b);
    const int32_t loss = lc_softmax_cross_entropy(t, z, in[1]);
    int32_t g[2];
    lc_gradients(t, loss, (const int32_t[]){w, b}, 2, g);
    lc_assign_sub(t, w, lc_times(t, g[0], 0.5f));
    lc_assign_sub(t, b, lc_times(t, g[1], 0.5f));
    lc_trace_output(t, "loss", loss);
    lc_trace_output(t, "accuracy", lc_same_largest(t, z, in[1]));
}

static void predict(void *user, lc_trace *t, const int32_t *in, uint32_t n) {
    (void)user;
    (void)n;
    traced++;
    const int32_t z = lc_add_to(t, lc_matmul(t, in[0], lc_trace_variable(t, "w")), lc_trace_variable(t, "b"));
    lc_trace_output(t, "y", lc_unary(t, "SOFTMAX", z));
}

static lc_module *make(void) {
    lc_error err = {0};
    lc_module *m;
    assert_int_equal(lc_module_create(NULL, &m, &err), LC_OK);
    assert_int_equal(lc_module_variable(m, "w", (const int32_t[]){IN, OUT}, 2, &start[0][0], true, &err), LC_OK);
    assert_int_equal(lc_module_variable(m, "b", (const int32_t[]){OUT}, 1, NULL, true, &err), LC_OK);
    assert_int_equal(lc_module_function(m, "step", step, NULL, &err), LC_OK);
    assert_int_equal(lc_module_function(m, "predict", predict, NULL, &err), LC_OK);
    return m;
}

static const lc_array batch[2] = {
    {.type = LC_FLOAT32, .rank = 2, .dims = {ROWS, IN}, .data = x, .size = sizeof x},
    {.type = LC_FLOAT32, .rank = 2, .dims = {ROWS, OUT}, .data = labels, .size = sizeof labels},
};

/* The same step in plain C. Returns the loss before it. */
static double by_hand(float w[IN][OUT], float b[OUT]) {
    double dw[IN][OUT] = {{0}}, db[OUT] = {0}, loss = 0;
    for (int i = 0; i < ROWS; i++) {
        double z[OUT], sum = 0;
        for (int j = 0; j < OUT; j++) {
            z[j] = (double)b[j];
            for (int k = 0; k < IN; k++) z[j] += (double)x[i][k] * (double)w[k][j];
            sum += exp(z[j]);
        }
        for (int j = 0; j < OUT; j++) {
            const double d = (exp(z[j]) / sum - (double)labels[i][j]) / ROWS;
            if (labels[i][j] > 0) loss -= (z[j] - log(sum)) / ROWS;
            db[j] += d;
            for (int k = 0; k < IN; k++) dw[k][j] += d * (double)x[i][k];
        }
    }
    for (int j = 0; j < OUT; j++) {
        b[j] -= (float)(0.5 * db[j]);
        for (int k = 0; k < IN; k++) w[k][j] -= (float)(0.5 * dw[k][j]);
    }
    return loss;
}

static void steps_by_hand_are_the_same(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_module *m = make();
    lc_array out[2];
    float w[IN][OUT], b[OUT] = {0};
    memcpy(w, start, sizeof w);
    traced = 0;
    for (int i = 0; i < 20; i++) {
        const double loss = by_hand(w, b);
        if (lc_module_call(m, "step", batch, 2, out, 2, &err)) fail_msg("%s | %s", err.message, err.hint);
        assert_true(fabs(loss - (double)*(float *)out[0].data) < 1e-5);
        lc_array_deinit(&out[0]);
        lc_array_deinit(&out[1]);
    }
    size_t n;
    const float *now = lc_module_get(m, "w", &n);
    assert_int_equal(n, IN * OUT);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(now[i] - ((float *)w)[i]) < 1e-5f);
    assert_int_equal(traced, 1); /* once for all calls */
    lc_array half = batch[0];
    half.dims[0] = ROWS / 2, half.size /= 2;
    assert_int_equal(lc_module_call(m, "predict", batch, 1, out, 1, &err), LC_OK);
    lc_array_deinit(&out[0]);
    assert_int_equal(lc_module_call(m, "predict", &half, 1, out, 1, &err), LC_OK);
    lc_array_deinit(&out[0]);
    assert_int_equal(traced, 3); /* once for each shape */
    assert_int_equal(lc_module_concrete_count(m), 3);
    assert_string_equal(lc_module_concrete_name(m, 0), "step");
    assert_string_equal(lc_module_concrete_name(m, 2), "predict_1");
    assert_int_equal(lc_module_concrete_input(m, 2, 0).dims[0], ROWS / 2);
    lc_module_destroy(m);
}

static void what_is_saved_goes_on(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_module *m = make();
    lc_array out[2];
    const char *path = ckpt_folder_path(&ckpt_test_folder, "m.tflite");
    assert_int_equal(lc_module_call(m, "step", batch, 2, out, 2, &err), LC_OK);
    lc_array_deinit(&out[0]);
    lc_array_deinit(&out[1]);
    assert_int_equal(lc_module_trace(m, "predict", batch, 1, &err), LC_OK);
    if (lc_module_save(m, path, &err)) fail_msg("%s | %s", err.message, err.hint);
    lc_model *model;
    lc_session *train, *use;
    assert_int_equal(lc_model_open(path, NULL, &model, &err), LC_OK);
    assert_int_equal(lc_session_create(model, &(lc_session_options){.signature = "step"}, &train, &err), LC_OK);
    assert_int_equal(lc_session_create(model, &(lc_session_options){.signature = "predict", .share = train}, &use, &err), LC_OK);
    for (int i = 0; i < 5; i++) {
        memcpy(lc_session_input(train, 0).data, x, sizeof x);
        memcpy(lc_session_input(train, 1).data, labels, sizeof labels);
        assert_int_equal(lc_session_run(train, &err), LC_OK);
        assert_int_equal(lc_module_call(m, "step", batch, 2, out, 2, &err), LC_OK);
        assert_true(fabsf(*(float *)out[0].data - *(float *)lc_session_output(train, 0).data) < 1e-6f);
        lc_array_deinit(&out[0]);
        lc_array_deinit(&out[1]);
    }
    memcpy(lc_session_input(use, 0).data, x, sizeof x);
    assert_int_equal(lc_session_run(use, &err), LC_OK);
    assert_int_equal(lc_module_call(m, "predict", batch, 1, out, 1, &err), LC_OK);
    for (int i = 0; i < ROWS * OUT; i++)
        assert_true(fabsf(((float *)out[0].data)[i] - ((float *)lc_session_output(use, 0).data)[i]) < 1e-6f);
    lc_array_deinit(&out[0]);
    lc_session_destroy(use);
    lc_session_destroy(train);
    lc_model_destroy(model);
    /* TensorFlow's files: read back by our own readers */
    const char *const files[] = {"saved", "tf1.ckpt"};
    for (int k = 0; k < 2; k++) {
        const char *to = ckpt_folder_path(&ckpt_test_folder, files[k]);
        if (lc_module_save(m, to, &err)) fail_msg("%s: %s | %s", files[k], err.message, err.hint);
        if (k) { /* a prefix: its graph is beside it */
            static char meta[4096];
            snprintf(meta, sizeof meta, "%s.meta", to);
            to = meta;
        }
        if (lc_convert(to, NULL, &model, &err)) fail_msg("%s: %s | %s", files[k], err.message, err.hint);
        lc_session *s;
        assert_int_equal(lc_session_create(model, NULL, &s, &err), LC_OK);
        const int32_t dims[2] = {ROWS, IN};
        assert_int_equal(lc_session_resize_input(s, 0, dims, 2, &err), LC_OK);
        memcpy(lc_session_input(s, 0).data, x, sizeof x);
        assert_int_equal(lc_session_run(s, &err), LC_OK);
        assert_int_equal(lc_module_call(m, "predict", batch, 1, out, 1, &err), LC_OK);
        for (int i = 0; i < ROWS * OUT; i++)
            assert_true(fabsf(((float *)out[0].data)[i] - ((float *)lc_session_output(s, 0).data)[i]) < 1e-6f);
        lc_array_deinit(&out[0]);
        lc_session_destroy(s);
        lc_model_destroy(model);
    }
    lc_module_destroy(m);
}

static void wrong(void *user, lc_trace *t, const int32_t *in, uint32_t n) {
    (void)n;
    const int which = *(int *)user;
    if (which == 0) lc_trace_variable(t, "nobody");
    if (which == 1) lc_trace_output(t, "y", lc_matmul(t, in[0], in[0]));
    if (which == 2) lc_assign(t, lc_trace_variable(t, "w"), in[0]);
    if (which == 4) lc_gradients(t, in[0], in, 1, (int32_t[1]){0});
    if (which == 5) lc_trace_output(t, "y", lc_unary(t, "RELUU", in[0]));
    if (which == 6) lc_trace_output(t, "y", 77777);
    if (which == 7) lc_trace_fail(t, "no more");
    if (which == 8) lc_trace_output(t, "y", in[0]), lc_trace_output(t, "y", in[0]);
    if (which == 9) lc_assign(t, in[0], in[0]);
}

static void mistakes_are_told(void **unused) {
    (void)unused;
    static const char *const says[] = {
        "nobody",     "BATCH_MATMUL", "\"w\"", "no output", "one number", "RELUU", "77777", "no more", "two outputs are called \"y\"",
        "no variable"};
    for (int which = 0; which < 10; which++) {
        lc_error err = {0};
        lc_module *m = make();
        assert_int_equal(lc_module_function(m, "wrong", wrong, &which, &err), LC_OK);
        assert_int_not_equal(lc_module_call(m, "wrong", batch, 1, NULL, 0, &err), LC_OK);
        if (!strstr(err.message, says[which]) || (which != 1 && !strstr(err.message, "wrong"))) fail_msg("case %d: %s", which, err.message);
        assert_int_equal(lc_module_call(m, "none", batch, 1, NULL, 0, &err), LC_NOT_FOUND);
        assert_int_equal(lc_module_save(m, ckpt_folder_path(&ckpt_test_folder, "none.tflite"), &err), LC_ARGUMENT);
        assert_int_equal(lc_module_variable(m, "w", NULL, 0, NULL, true, &err), LC_ARGUMENT);
        lc_module_destroy(m);
    }
}

/* b1 and b2 change places; w is assigned three times, and read before, between and after. */
static void assignments(void *user, lc_trace *t, const int32_t *in, uint32_t n) {
    (void)user;
    (void)n;
    const int32_t one = lc_trace_variable(t, "b1"), two = lc_trace_variable(t, "b2"), w = lc_trace_variable(t, "v");
    lc_assign(t, one, two);
    lc_assign(t, two, one);
    lc_trace_output(t, "before", w);
    lc_assign(t, w, in[0]);
    const int32_t between = lc_trace_variable(t, "v");
    lc_assign_sub(t, w, lc_number(t, 2));
    lc_assign_sub(t, between, lc_trace_variable(t, "v"));
    lc_trace_output(t, "between", between);
    lc_trace_output(t, "after", lc_add_to(t, lc_trace_variable(t, "v"), lc_number(t, 10)));
    lc_trace_output(t, "b2", lc_trace_variable(t, "b2"));
    lc_trace_output(t, NULL, w);
}

static void assignments_see_each_other(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_module *m;
    const float one = 1, two = 2, five = 5;
    float given = 5;
    assert_int_equal(lc_module_create(NULL, &m, &err), LC_OK);
    assert_int_equal(lc_module_variable(m, "b1", NULL, 0, &one, true, &err), LC_OK);
    assert_int_equal(lc_module_variable(m, "b2", NULL, 0, &two, true, &err), LC_OK);
    assert_int_equal(lc_module_variable(m, "v", NULL, 0, &five, true, &err), LC_OK);
    assert_int_equal(lc_module_function(m, "f", assignments, NULL, &err), LC_OK);
    static const float wanted[2][8] = {{2, 1, 0, 5, 7, 10, 1, 5}, {1, 2, 0, 0, 8, 10, 2, 0}}; /* b1, b2, v; before, between, after, b2, v */
    for (int k = 0; k < 2; k++) {
        lc_array out[5];
        given = k ? 8 : 7;
        const lc_array in = {.type = LC_FLOAT32, .data = &given, .size = sizeof given};
        if (lc_module_call(m, "f", &in, 1, out, 5, &err)) fail_msg("%s", err.message);
        static const char *const names[] = {"b1", "b2", "v"};
        for (int i = 0; i < 8; i++) {
            const float got = i < 3 ? *lc_module_get(m, names[i], NULL) : *(float *)out[i - 3].data;
            if (got != wanted[k][i]) fail_msg("call %d, number %d: %g, not %g", k, i, (double)got, (double)wanted[k][i]);
        }
        for (int i = 0; i < 5; i++) lc_array_deinit(&out[i]);
    }
    /* the same from a file */
    const char *path = ckpt_folder_path(&ckpt_test_folder, "assigned.tflite");
    lc_model *model;
    lc_session *s = NULL;
    if (lc_module_save(m, path, &err) || lc_model_open(path, NULL, &model, &err) || lc_session_create(model, NULL, &s, &err))
        fail_msg("%s", err.message);
    *(float *)lc_session_input(s, 0).data = 3;
    if (lc_session_run(s, &err)) fail_msg("%s", err.message);
    static const float of_file[] = {0, 3, 10, 1, 0};
    for (size_t i = 0; i < 5; i++) {
        const float got = *(const float *)lc_session_output(s, i).data;
        if (got != of_file[i]) fail_msg("output %zu of the file: %g, not %g", i, (double)got, (double)of_file[i]);
    }
    lc_session_destroy(s);
    lc_model_destroy(model);
    lc_module_destroy(m);
}

static void a_trace_with_an_open_batch_serves_all(void **unused) {
    (void)unused;
    lc_error err = {0};
    lc_module *m = make();
    lc_array open = {.type = LC_FLOAT32, .rank = 2, .dims = {-1, IN}};
    if (lc_module_trace(m, "predict", &open, 1, &err)) fail_msg("%s", err.message);
    for (int32_t rows = 1; rows <= 3; rows++) {
        lc_array y[2];
        const lc_array some = {
            .type = LC_FLOAT32, .rank = 2, .dims = {4 - rows, IN}, .data = x, .size = sizeof(float) * (size_t)((4 - rows) * IN)};
        if (lc_module_call(m, "predict", &some, 1, y, 1, &err)) fail_msg("%s", err.message);
        assert_int_equal(y[0].dims[0], 4 - rows);
        float sum = 0;
        for (int i = 0; i < OUT; i++) sum += ((const float *)y[0].data)[(3 - rows) * OUT + i];
        assert_true(fabsf(sum - 1) < 1e-5f);
        lc_array_deinit(&y[0]);
    }
    assert_int_equal(lc_module_concrete_count(m), 1);
    open.dims[0] = 2; /* one of its own is only made for what does not fit, or when it comes first */
    if (lc_module_trace(m, "predict", &open, 1, &err)) fail_msg("%s", err.message);
    assert_int_equal(lc_module_concrete_count(m), 1);
    lc_module_destroy(m);
}

static lc_status trace_and_save(void *arg, lc_error *err) {
    lc_module *m;
    lc_status status = lc_module_create(NULL, &m, err);
    if (status) return status;
    status = lc_module_variable(m, "w", (const int32_t[]){IN, OUT}, 2, &start[0][0], true, err);
    if (!status) status = lc_module_variable(m, "b", (const int32_t[]){OUT}, 1, NULL, true, err);
    if (!status) status = lc_module_function(m, "step", step, NULL, err);
    if (!status) status = lc_module_trace(m, "step", batch, 2, err);
    if (!status) status = lc_module_save(m, arg, err);
    lc_module_destroy(m);
    return status;
}

static void every_allocation_may_fail(void **unused) {
    (void)unused;
    static char path[4096];
    snprintf(path, sizeof path, "%s", ckpt_folder_path(&ckpt_test_folder, "fault.tflite"));
    fault_check(trace_and_save, path, &(fault_options){0});
}

int main(void) {
    fill();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_by_hand_are_the_same),
        cmocka_unit_test(what_is_saved_goes_on),
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(assignments_see_each_other),
        cmocka_unit_test(a_trace_with_an_open_batch_serves_all),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, ckpt_test_folder_make, ckpt_test_folder_clean);
}
