/*
 * test_session.c: running a model. A run allocates nothing; resizing changes all or nothing; one model serves many threads; the
 * same bits come out whatever the threads, and close ones whatever the instruction set; the arena is near its bound.
 */
#include "runtime/session.h"

#include "ops/build.h"
#include "support/fault.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NONE LC_ActivationFunctionType_NONE

static float value(size_t i) { return (float)((uint32_t)(i * 2654435761u) >> 16) / 65536.0f - 0.5f; }

static int32_t constant(lc_builder *b, const char *name, const int32_t *dims, int32_t rank) {
    size_t n = 1;
    for (int32_t d = 0; d < rank; d++) n *= (size_t)dims[d];
    float *data = lc_build_data(b, n * sizeof *data);
    for (size_t i = 0; data && i < n; i++) data[i] = value(i + (size_t)name[0]);
    return data ? lc_build_const(b, name, LC_FLOAT32, dims, rank, data, n * sizeof *data, true) : -1;
}

static int32_t conv(lc_builder *b, int32_t x, int32_t in, int32_t out, int32_t stride) {
    const lc_Conv2DOptions o = {.padding = LC_Padding_SAME,
                                .stride_w = stride,
                                .stride_h = stride,
                                .dilation_w_factor = 1,
                                .dilation_h_factor = 1,
                                .fused_activation_function = LC_ActivationFunctionType_RELU};
    const int32_t inputs[] = {x, constant(b, "filter", (int32_t[]){out, 3, 3, in}, 4), constant(b, "bias", &out, 1)};
    return lc_build_op(b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, inputs, 3);
}

/* image -> conv -> conv with a residual -> pool -> flatten -> dense -> softmax; a second output before the softmax. */
static lc_model *make_model(void) {
    lc_error err;
    lc_model *model;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "image", LC_FLOAT32, (int32_t[]){-1, 12, 10, 3}, 4);
    const int32_t y = conv(&b, x, 3, 8, 2);
    const int32_t z = lc_build_binary(&b, LC_OP_ADD, conv(&b, y, 8, 8, 1), y, LC_ActivationFunctionType_RELU6);
    const lc_Pool2DOptions pool = {.padding = LC_Padding_VALID, .stride_w = 2, .stride_h = 2, .filter_width = 2, .filter_height = 2};
    int32_t p = lc_build_op(&b, LC_OP_MAX_POOL_2D, LC_TABLE_Pool2DOptions, &pool, &z, 1);
    p = lc_build_reshape(&b, p, (int32_t[]){-1, 48}, 2);
    const int32_t inputs[] = {p, constant(&b, "kernel", (int32_t[]){5, 48}, 2)};
    const int32_t logits = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, inputs, 2);
    const int32_t scores = lc_build_op(&b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1.0f}, &logits, 1);
    lc_build_rename(&b, logits, "logits");
    lc_build_rename(&b, scores, "scores");
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, scores, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, logits, &err), LC_OK);
    return model;
}

static lc_session *make_session(lc_model *model, const lc_session_options *options, int32_t batch) {
    lc_error err;
    lc_session *s;
    if (lc_session_create(model, options, &s, &err) != LC_OK) fail_msg("%s", err.message);
    if (lc_session_resize_input(s, 0, (int32_t[]){batch, 12, 10, 3}, 4, &err) != LC_OK) fail_msg("%s", err.message);
    const lc_tensor_view in = lc_session_input(s, 0);
    for (size_t i = 0; i < in.size / sizeof(float); i++) ((float *)in.data)[i] = value(i);
    return s;
}

static void run(lc_session *s) {
    lc_error err;
    if (lc_session_run(s, &err) != LC_OK) fail_msg("%s", err.message);
}

static void test_run(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    lc_session *s = make_session(model, NULL, 1);
    assert_int_equal(lc_session_input_count(s), 1);
    assert_int_equal(lc_session_output_count(s), 2);
    assert_int_equal(lc_session_find_output(s, "logits"), 1);
    assert_int_equal(lc_session_find_output(s, "nothing"), -1);
    assert_null(lc_session_input(s, 1).name);
    run(s);
    const lc_tensor_view y = lc_session_output(s, 0);
    assert_string_equal(y.name, "scores");
    assert_int_equal(y.rank, 2);
    assert_int_equal(y.dims[1], 5);
    assert_int_equal(y.signature[0], -1);
    float sum = 0;
    for (int i = 0; i < 5; i++) sum += ((const float *)y.data)[i];
    assert_float_equal(sum, 1.0f, 1e-5);
    /* The input still holds what was put in: a second run gives the same bits. */
    float first[5];
    memcpy(first, y.data, sizeof first);
    run(s);
    assert_memory_equal(first, lc_session_output(s, 0).data, sizeof first);
    lc_session_destroy(s);
    lc_model_destroy(model);
}

static void test_model_outlives_nothing(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    lc_session *s = make_session(model, NULL, 1);
    lc_model_destroy(model); /* the session still holds it */
    run(s);
    lc_session_destroy(s);
}

static void test_run_allocates_nothing(void **unused) {
    (void)unused;
    fault_install();
    static const char *const isas[] = {"ref", "portable", NULL};
    for (size_t i = 0; i < 3; i++) {
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            lc_model *model = make_model();
            lc_session *s = make_session(model, &(lc_session_options){.isa = isas[i], .threads = threads, .profile = true}, 3);
            fault_fail_at(0, false);
            run(s);
            run(s);
            assert_int_equal(fault_count(), 0);
            lc_session_destroy(s);
            lc_model_destroy(model);
        }
    }
    assert_int_equal(fault_live(), 0);
    fault_remove();
}

static void test_resize(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *model = make_model();
    lc_session *one = make_session(model, NULL, 1), *many = make_session(model, NULL, 7);
    run(one);
    run(many);
    assert_int_equal(lc_session_output(many, 0).dims[0], 7);
    for (int i = 0; i < 5; i++)
        assert_float_equal(((const float *)lc_session_output(one, 0).data)[i], ((const float *)lc_session_output(many, 0).data)[i], 1e-6);
    /* Shapes the model cannot take: an error that says so, and the session goes on as before. */
    assert_int_not_equal(lc_session_resize_input(many, 0, (int32_t[]){7, 12, 10, 4}, 4, &err), LC_OK);
    assert_non_null(strstr(err.message, "CONV_2D"));
    assert_int_equal(lc_session_resize_input(many, 0, (int32_t[]){7, 12, 10, -3}, 4, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_resize_input(many, 0, NULL, 99, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_resize_input(many, 5, NULL, 0, &err), LC_ARGUMENT);
    run(many);
    assert_int_equal(lc_session_output(many, 0).dims[0], 7);
    /* A huge batch meets the memory limit before anything is allocated. */
    assert_int_not_equal(lc_session_resize_input(one, 0, (int32_t[]){2000000000, 12, 10, 3}, 4, &err), LC_OK);
    run(one);
    lc_session_destroy(one);
    lc_session_destroy(many);
    lc_model_destroy(model);
}

/* No images at all are a batch too, and a session comes back from it. */
static void test_batch_of_none(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    static const char *const isas[] = {"ref", "portable", NULL};
    for (size_t i = 0; i < 3; i++) {
        lc_session *s = make_session(model, &(lc_session_options){.isa = isas[i], .threads = 2}, 2);
        float want[5];
        run(s);
        memcpy(want, lc_session_output(s, 0).data, sizeof want);
        assert_int_equal(lc_session_resize_input(s, 0, (int32_t[]){0, 12, 10, 3}, 4, NULL), LC_OK);
        run(s);
        assert_int_equal(lc_session_output(s, 0).dims[0], 0);
        assert_int_equal(lc_session_output(s, 0).size, 0);
        assert_int_equal(lc_session_resize_input(s, 0, (int32_t[]){1, 12, 10, 3}, 4, NULL), LC_OK);
        const lc_tensor_view in = lc_session_input(s, 0);
        for (size_t k = 0; k < in.size / sizeof(float); k++) ((float *)in.data)[k] = value(k);
        run(s);
        for (int k = 0; k < 5; k++) assert_float_equal(((const float *)lc_session_output(s, 0).data)[k], want[k], 1e-6);
        lc_session_destroy(s);
    }
    lc_model_destroy(model);
}

/* A run that fails says where, and the next one is as if it had not been. */
static void test_failed_run(void **unused) {
    (void)unused;
    lc_error err;
    lc_model *model;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_INT32, (int32_t[]){-1}, 1),
                  y = lc_build_placeholder(&b, "y", LC_INT32, (int32_t[]){-1}, 1);
    const int32_t sum = lc_build_binary(&b, LC_OP_ADD, x, y, NONE), q = lc_build_binary(&b, LC_OP_DIV, sum, y, NONE);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_input(b.graph, y, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, q, &err), LC_OK);
    lc_session *s;
    assert_int_equal(lc_session_create(model, NULL, &s, &err), LC_OK);
    for (int round = 0; round < 3; round++) {
        const int32_t n[] = {3 + round};
        assert_int_equal(lc_session_resize_inputs(s, (const int32_t *const[]){n, n}, (int32_t[]){1, 1}, &err), LC_OK);
        int32_t *a = lc_session_input(s, 0).data, *d = lc_session_input(s, 1).data;
        for (int32_t i = 0; i < n[0]; i++) a[i] = 10 * i, d[i] = i;
        assert_int_equal(lc_session_run(s, &err), LC_INVALID);
        assert_non_null(strstr(err.message, "node 1 DIV"));
        assert_non_null(strstr(err.message, "by zero (element 0)"));
        assert_int_equal(lc_session_run(s, NULL), LC_INVALID);
        d[0] = 1;
        assert_int_equal(lc_session_run(s, &err), LC_OK);
        for (int32_t i = 0; i < n[0]; i++) assert_int_equal(((const int32_t *)lc_session_output(s, 0).data)[i], i ? 11 : 1);
    }
    lc_session_destroy(s);
    lc_model_destroy(model);
}

static void test_isas_and_threads_agree(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    lc_session *ref = make_session(model, &(lc_session_options){.isa = "ref"}, 5);
    run(ref);
    const float *want = lc_session_output(ref, 1).data;
    static const char *const isas[] = {"portable", "avx2", "avx512", "neon"};
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        const struct lc_simd *simd;
        if (lc_simd_get(isas[i], &simd, NULL) != LC_OK) continue;
        float first[25];
        for (int32_t threads = 1; threads <= 4; threads++) {
            lc_session *s = make_session(model, &(lc_session_options){.isa = isas[i], .threads = threads}, 5);
            run(s);
            const lc_tensor_view y = lc_session_output(s, 1);
            assert_string_equal(lc_session_isa(s), isas[i]);
            for (int k = 0; k < 25; k++) assert_true(fabsf(((const float *)y.data)[k] - want[k]) <= 1e-5f * (1 + fabsf(want[k])));
            if (threads == 1) memcpy(first, y.data, sizeof first);
            else assert_memory_equal(first, y.data, sizeof first);
            lc_session_destroy(s);
        }
    }
    lc_session_destroy(ref);
    lc_model_destroy(model);
}

typedef struct seen {
    uint32_t inputs, outputs, views;
    float last[5];
} seen;

static void watch(void *user, const lc_watched *tensor) {
    seen *s = user;
    assert_int_equal(tensor->graph, 0);
    if (tensor->node == LC_NO_NODE) {
        assert_string_equal(tensor->op, "");
        s->inputs++;
        return;
    }
    assert_int_equal(tensor->node, s->outputs);
    s->outputs++;
    s->views += strcmp(tensor->op, "RESHAPE") == 0;
    if (tensor->view.size >= sizeof s->last) memcpy(s->last, tensor->view.data, sizeof s->last);
}

static void test_watch(void **unused) {
    (void)unused;
    seen all = {0};
    lc_model *model = make_model();
    lc_session *s = make_session(model, &(lc_session_options){.watch = watch, .watch_user = &all}, 1);
    run(s);
    assert_int_equal(all.inputs, 1);
    assert_int_equal(all.outputs, 7);
    assert_int_equal(all.views, 1);
    assert_memory_equal(all.last, lc_session_output(s, 0).data, sizeof all.last);
    lc_session_destroy(s);
    lc_model_destroy(model);
}

static void *thread_main(void *model) {
    float *out = lc_malloc(5 * sizeof *out);
    lc_error err;
    for (int i = 0; i < 20 && out; i++) {
        lc_session *s = NULL;
        if (lc_session_create(model, NULL, &s, &err) == LC_OK) {
            const lc_tensor_view in = lc_session_input(s, 0);
            for (size_t k = 0; k < in.size / sizeof(float); k++) ((float *)in.data)[k] = value(k);
            if (lc_session_run(s, &err) == LC_OK) memcpy(out, lc_session_output(s, 0).data, 5 * sizeof *out);
        }
        lc_session_destroy(s);
    }
    return out;
}

static void test_many_threads_one_model(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    pthread_t threads[8];
    float *results[8];
    for (int i = 0; i < 8; i++) assert_int_equal(pthread_create(&threads[i], NULL, thread_main, model), 0);
    for (int i = 0; i < 8; i++) {
        void *r;
        pthread_join(threads[i], &r);
        results[i] = r;
        assert_non_null(r);
        assert_memory_equal(results[0], results[i], 5 * sizeof(float));
    }
    for (int i = 0; i < 8; i++) lc_free(results[i]);
    lc_model_destroy(model);
}

static void test_memory_and_profile(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    lc_session *s = make_session(model, &(lc_session_options){.profile = true}, 1);
    run(s);
    const lc_memory_stats m = lc_session_memory(s);
    assert_true(m.arena >= m.arena_bound);
    assert_true(m.arena <= m.arena_bound + m.arena_bound / 20);
    assert_true(m.constants > 0);
    assert_int_equal(lc_session_profile_count(s), 7);
    assert_string_equal(lc_session_profile(s, 0).op, "CONV_2D");
    assert_int_equal(lc_session_profile(s, 0).macs, 6 * 5 * 8 * 27);
    lc_session *three = make_session(model, NULL, 3); /* counted at the shapes of the session, not of the file */
    assert_int_equal(lc_session_profile(three, 0).macs, 3 * 6 * 5 * 8 * 27);
    lc_session_destroy(three);
    assert_true(lc_session_profile(s, 0).nanoseconds > 0);
    assert_string_equal(lc_session_profile(s, 4).kernel, "view"); /* the flatten costs nothing */
    assert_null(lc_session_profile(s, 99).op);
    lc_session_destroy(s);
    lc_model_destroy(model);
}

/* Outputs without elements are nobody's work: a kernel's loops over the other dimensions can be 2^31 long. */
static void test_nothing_to_write(void **unused) {
    (void)unused;
    lc_model *model = make_model();
    lc_session *s = make_session(model, NULL, 0);
    for (size_t i = 0; i < lc_session_profile_count(s); i++) assert_string_equal(lc_session_profile(s, i).kernel, "view");
    run(s);
    assert_int_equal(lc_session_output(s, 0).size, 0);
    lc_session_destroy(s);
    lc_model_destroy(model);
}

/* A few bytes that stand for many are left for the run: looking at a model must not cost what the model says. */
static void test_large_known_value(void **unused) {
    (void)unused;
    static const struct {
        int32_t n;
        size_t steps;
    } cases[] = {{1000, 0}, {6000000, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const float seven = 7;
        lc_error err;
        lc_model *model;
        lc_builder b;
        lc_session *s;
        assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
        lc_builder_init(&b, model, model->graphs[0], &err);
        const int32_t in[] = {lc_build_const(&b, "dims", LC_INT32, (int32_t[]){1}, 1, &cases[i].n, sizeof cases[i].n, false),
                              lc_build_const(&b, "value", LC_FLOAT32, NULL, 0, &seven, sizeof seven, false)};
        const int32_t y = lc_build_op(&b, LC_OP_FILL, LC_TABLE_FillOptions, NULL, in, 2);
        if (b.status != LC_OK) fail_msg("%s", err.message);
        assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
        if (lc_session_create(model, NULL, &s, &err) != LC_OK) fail_msg("%s", err.message);
        assert_int_equal(lc_session_profile_count(s), cases[i].steps);
        run(s);
        const lc_tensor_view out = lc_session_output(s, 0);
        assert_int_equal(out.size, (size_t)cases[i].n * sizeof(float));
        assert_true(((const float *)out.data)[cases[i].n - 1] == 7);
        lc_session_destroy(s);
        lc_model_destroy(model);
    }
}

static void test_arguments(void **unused) {
    (void)unused;
    lc_error err;
    lc_session *s;
    lc_model *model = make_model();
    assert_int_equal(lc_session_create(model, &(lc_session_options){.isa = "mmx"}, &s, &err), LC_ARGUMENT);
    assert_null(s);
    assert_int_equal(lc_session_create(model, &(lc_session_options){.threads = -1}, &s, &err), LC_ARGUMENT);
    assert_int_equal(lc_session_create(model, &(lc_session_options){.signature = "train"}, &s, &err), LC_NOT_FOUND);
    assert_int_equal(lc_session_create(model, &(lc_session_options){.max_memory = 100}, &s, &err), LC_LIMIT);
    lc_model_destroy(model);
}

static lc_status one_life(void *model, lc_error *err) {
    lc_session *s;
    LC_TRY(lc_session_create(model, NULL, &s, err));
    lc_status status = lc_session_resize_input(s, 0, (int32_t[]){2, 12, 10, 3}, 4, err);
    if (status == LC_OK) status = lc_session_run(s, err);
    lc_session_destroy(s);
    return status;
}

static lc_status whole_life(void *unused, lc_error *err) {
    (void)unused;
    lc_model *model;
    lc_builder b;
    LC_TRY(lc_model_new(NULL, &model, err));
    lc_builder_init(&b, model, model->graphs[0], err);
    const int32_t x = lc_build_placeholder(&b, "image", LC_FLOAT32, (int32_t[]){-1, 12, 10, 3}, 4);
    const int32_t y = conv(&b, x, 3, 8, 2);
    lc_status status = b.status;
    if (status == LC_OK) status = lc_graph_add_input(b.graph, x, err);
    if (status == LC_OK) status = lc_graph_add_output(b.graph, y, err);
    if (status == LC_OK) status = one_life(model, err);
    lc_model_destroy(model);
    return status;
}

static void test_allocation_failures(void **unused) {
    (void)unused;
    fault_check(whole_life, NULL, NULL);
}

/* Height and width are open and saved as 1, where a VALID window of 3 does not fit: the session waits for real sizes. */
static void test_open_image(void **state) {
    (void)state;
    lc_model *m;
    lc_builder b;
    lc_session *s;
    lc_error err;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t open[] = {-1, -1, -1, 1}, filter[] = {1, 3, 3, 1}, image[] = {1, 4, 5, 1};
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, open, 4);
    const lc_Conv2DOptions o = {.padding = LC_Padding_VALID, .stride_w = 1, .stride_h = 1, .dilation_w_factor = 1, .dilation_h_factor = 1};
    float *ones = lc_build_data(&b, 9 * sizeof *ones);
    for (int i = 0; i < 9; i++) ones[i] = 1;
    const int32_t in[] = {x, lc_build_const(&b, "w", LC_FLOAT32, filter, 4, ones, 9 * sizeof *ones, true), LC_ABSENT};
    const int32_t y = lc_build_op(&b, LC_OP_CONV_2D, LC_TABLE_Conv2DOptions, &o, in, 3);
    assert_int_equal(b.status, LC_OK);
    assert_int_equal(lc_graph_add_input(m->graphs[0], x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(m->graphs[0], y, &err), LC_OK);
    assert_int_equal(lc_session_create(m, NULL, &s, &err), LC_OK);
    lc_tensor_view view = lc_session_input(s, 0);
    assert_true(view.rank == 4 && view.signature[1] == -1 && !view.data);
    assert_int_equal(lc_session_output(s, 0).rank, -1);
    assert_int_equal(lc_session_profile_count(s), 0);
    lc_session_reset(s);
    assert_int_equal(lc_session_run(s, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "at the shapes its inputs have now"));
    assert_non_null(strstr(err.hint, "lc_session_resize_input"));
    assert_int_not_equal(lc_session_resize_input(s, 0, view.dims, 4, &err), LC_OK); /* what it has is no shape to run with */
    assert_int_equal(lc_session_resize_input(s, 0, image, 4, &err), LC_OK);
    view = lc_session_input(s, 0);
    for (int i = 0; i < 20; i++) ((float *)view.data)[i] = (float)i;
    assert_int_equal(lc_session_run(s, &err), LC_OK);
    view = lc_session_output(s, 0);
    assert_true(view.dims[1] == 2 && view.dims[2] == 3 && ((float *)view.data)[0] == 54);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_open_image),
                                       cmocka_unit_test(test_run),
                                       cmocka_unit_test(test_model_outlives_nothing),
                                       cmocka_unit_test(test_run_allocates_nothing),
                                       cmocka_unit_test(test_resize),
                                       cmocka_unit_test(test_batch_of_none),
                                       cmocka_unit_test(test_failed_run),
                                       cmocka_unit_test(test_isas_and_threads_agree),
                                       cmocka_unit_test(test_many_threads_one_model),
                                       cmocka_unit_test(test_nothing_to_write),
                                       cmocka_unit_test(test_large_known_value),
                                       cmocka_unit_test(test_memory_and_profile),
                                       cmocka_unit_test(test_watch),
                                       cmocka_unit_test(test_arguments),
                                       cmocka_unit_test(test_allocation_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
