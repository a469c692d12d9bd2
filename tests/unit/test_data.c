/*
 * test_data.c: data sets: what each kind of file gives to inputs of each kind, batch by batch, and what is refused. Files are made here, byte
 * by byte, in a temporary folder.
 */
#include "litec/litec.h"

#include "ops/build.h"
#include "support/data_files.h"
#include "support/fault.h"
#include "support/records.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* ---- models -------------------------------------------------------------------------------------------------------------- */

/* Inputs of a model, which gives them back as they are. */
typedef struct input {
    const char *name;
    lc_dtype type;
    int32_t rank, dims[4];
    float scale;
    int64_t zero;
} input;

static lc_model *make_model(const input *inputs, size_t count) {
    lc_error err;
    lc_model *model;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    for (size_t i = 0; i < count; i++) {
        const int32_t x = lc_build_placeholder(&b, inputs[i].name, inputs[i].type, inputs[i].dims, inputs[i].rank);
        if (b.status) fail_msg("%s", err.message);
        if (inputs[i].scale > 0) {
            lc_QuantizationParameters *q = lc_arena_alloc(&model->arena, sizeof *q);
            float *scale = lc_arena_data(&model->arena, sizeof *scale);
            int64_t *zero = lc_arena_data(&model->arena, sizeof *zero);
            *scale = inputs[i].scale;
            *zero = inputs[i].zero;
            q->scale.data = scale;
            q->zero_point.data = zero;
            q->scale.n = q->zero_point.n = 1;
            model->graphs[0]->tensors[x].quant = q;
        }
        assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
        assert_int_equal(lc_graph_add_output(b.graph, x, &err), LC_OK);
    }
    return model;
}

static lc_session *make_session(lc_model *model) {
    lc_error err;
    lc_session *s;
    if (lc_session_create(model, NULL, &s, &err)) fail_msg("%s", err.message);
    return s;
}

/* ---- what comes out ------------------------------------------------------------------------------------------------------------ */

/* The real numbers that an input holds. */
static double value_of(const lc_tensor_view *v, size_t i) {
    switch (v->type) {
    case LC_FLOAT32: return (double)((const float *)v->data)[i];
    case LC_INT8: return ((const int8_t *)v->data)[i];
    case LC_UINT8:
    case LC_BOOL: return ((const uint8_t *)v->data)[i];
    case LC_INT16: return ((const int16_t *)v->data)[i];
    case LC_INT32: return ((const int32_t *)v->data)[i];
    case LC_INT64: return (double)((const int64_t *)v->data)[i];
    default: fail_msg("type %d", (int)v->type);
    }
    return 0;
}

static size_t count_of(const lc_tensor_view *v) { return v->size / (lc_dtype_bits(v->type) / 8); }

static void expect_input(const lc_session *s, size_t index, const char *what, const double *values, size_t count) {
    const lc_tensor_view v = lc_session_input(s, index);
    if (count_of(&v) != count) fail_msg("%s: %zu elements, not %zu", what, count_of(&v), count);
    for (size_t i = 0; i < count; i++)
        if (fabs(value_of(&v, i) - values[i]) > 1e-6) fail_msg("%s: element %zu is %g, not %g", what, i, value_of(&v, i), values[i]);
}

static lc_data *open_files(const lc_model *m, const lc_data_options *o, const char *a, const char *b) {
    lc_error err;
    lc_data *d;
    if (lc_data_open(m, (const char *const[]){a, b, NULL}, o, &d, &err)) fail_msg("%s (%s)", err.message, err.hint);
    return d;
}

static void next(lc_data *d, lc_session *s, uint32_t want) {
    lc_error err;
    uint32_t n;
    if (lc_data_next(d, s, &n, &err)) fail_msg("%s (%s)", err.message, err.hint);
    assert_int_equal(n, want);
}

/* Opening, or reading all of it, fails: message and hint hold these texts. */
static void expect_failure(const input *inputs, size_t count, const lc_data_options *o, const char *a, const char *b, lc_status status,
                           const char *message, const char *hint) {
    lc_model *m = make_model(inputs, count);
    lc_session *s = make_session(m);
    lc_error err = {0};
    lc_data *d;
    uint32_t n = 1;
    lc_status got = lc_data_open(m, (const char *const[]){a, b, NULL}, o, &d, &err);
    if (got) assert_null(d);
    while (got == LC_OK && n) got = lc_data_next(d, s, &n, &err);
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
    if (got != status || !strstr(err.message, message) || !strstr(err.hint, hint) || !err.hint[0])
        fail_msg("wanted %s, \"%s\", \"%s\"; got %s, \"%s\", \"%s\"", lc_status_name(status), message, hint, lc_status_name(got),
                 err.message, err.hint);
}

/* One model with one input, a file, and what the first batch must hold. */
static void expect_batch(const input *in, const lc_data_options *o, const char *path, uint32_t samples, const double *values,
                         size_t count) {
    lc_model *m = make_model(in, 1);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, o, path, NULL);
    lc_error err;
    for (int round = 0; round < 2; round++) { /* the same after a rewind */
        next(d, s, samples);
        expect_input(s, 0, path, values, count);
        assert_int_equal(lc_data_rewind(d, &err), LC_OK);
    }
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

#define LIST(...) (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)

static const input image = {"image", LC_FLOAT32, 4, {-1, 2, 3, 1}, 0, 0}, row = {"x", LC_FLOAT32, 2, {-1, 3}, 0, 0};
static const lc_data_options two = {.batch = 2};

/* ---- arrays ---------------------------------------------------------------------------------------------------------------------- */

static void test_npy(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const uint8_t bytes[] = {0, 1, 255, 3, 4, 5};
    const double wide[] = {-1, 0.5, 1e3};
    const char *three = write_npy("three.npy", "<f4", "3, 3", f, sizeof f);
    expect_batch(&row, &two, three, 2, LIST(1, 2, 3, 4, 5, 6));
    expect_batch(&row, NULL, three, 1, LIST(1, 2, 3));
    expect_batch(&row, &two, write_npy("bytes.npy", "|u1", "2, 3", bytes, 6), 2, LIST(0, 1, 255, 3, 4, 5));  /* as they stand */
    expect_batch(&row, NULL, write_npy("wide.npy", "<f8", "3,", wide, sizeof wide), 1, LIST(-1, 0.5, 1000)); /* one sample, no batch */
    /* dimensions of 1, and flat */
    expect_batch(&image, NULL, write_npy("ones.npy", "|u1", "1, 1, 2, 3", bytes, 6), 1, LIST(0, 1, 255, 3, 4, 5));
    expect_batch(&image, NULL, write_npy("flat.npy", "|u1", "1, 6", bytes, 6), 1, LIST(0, 1, 255, 3, 4, 5));
    expect_batch(&(input){"x", LC_FLOAT32, 2, {-1, 6}, 0, 0}, NULL, write_npy("deep.npy", "|u1", "1, 2, 3", bytes, 6), 1,
                 LIST(0, 1, 255, 3, 4, 5));
    /* an open dimension, a whole input, a scalar */
    expect_batch(&(input){"x", LC_FLOAT32, 3, {-1, -1, 3}, 0, 0}, NULL, ckpt_folder_path(&ckpt_test_folder, "deep.npy"), 1,
                 LIST(0, 1, 255, 3, 4, 5));
    expect_batch(&(input){"x", LC_FLOAT32, 4, {-1, -1, -1, 1}, 0, 0}, NULL, ckpt_folder_path(&ckpt_test_folder, "deep.npy"), 1,
                 LIST(0, 1, 255, 3, 4, 5));
    expect_batch(&(input){"x", LC_FLOAT32, 1, {3}, 0, 0}, &two, three, 1, LIST(1, 2, 3));
    expect_batch(&(input){"x", LC_FLOAT32, 0, {0}, 0, 0}, &two, ckpt_folder_path(&ckpt_test_folder, "wide.npy"), 1, LIST(-1));
}

/* Fortran order and packed files give the same samples. */
static void test_forms(void **state) {
    (void)state;
    const float c[] = {1, 2, 3, 4, 5, 6}, fortran[] = {1, 4, 2, 5, 3, 6};
    lc_text t = {0}, u = {0};
    npy_bytes(&t, "<f4", "2, 3", true, fortran, sizeof fortran);
    expect_batch(&row, &two, write_text("fortran.npy", &t), 2, LIST(1, 2, 3, 4, 5, 6));
    expect_batch(&row, NULL, write_gzip("fortran.npy.gz", t.data, t.size), 1, LIST(1, 2, 3));
    npy_bytes(&u, "<f4", "2, 3", false, c, sizeof c);
    expect_batch(&row, &two, write_gzip("plain.npy.gz", u.data, u.size), 2, LIST(1, 2, 3, 4, 5, 6));
    for (int deflated = 0; deflated < 2; deflated++) {
        zip_maker z = {0};
        zip_add(&z, "x.npy", &u, deflated);
        expect_batch(&(input){"serving_default_x:0", LC_FLOAT32, 2, {-1, 3}, 0, 0}, &two, zip_write(&z, "x.npz"), 2,
                     LIST(1, 2, 3, 4, 5, 6));
    }
    lc_text_deinit(&t);
    lc_text_deinit(&u);
}

/* IDX files of bytes are pictures: scaled to 0 ... 1, whatever the form of the input. */
static void test_idx(void **state) {
    (void)state;
    lc_text t = {0};
    idx_bytes(&t, 3);
    const char *plain = write_text("p.idx", &t), *packed = write_gzip("p.idx.gz", t.data, t.size);
    const double first[] = {0, 5 / 255., 10 / 255., 15 / 255., 20 / 255., 25 / 255.};
    const input forms[] = {image,
                           {"x", LC_FLOAT32, 3, {-1, 2, 3}, 0, 0},
                           {"x", LC_FLOAT32, 2, {-1, 6}, 0, 0},
                           {"x", LC_FLOAT32, 4, {-1, -1, -1, 1}, 0, 0},
                           {"x", LC_FLOAT32, 4, {1, 2, 3, 1}, 0, 0}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        expect_batch(&forms[i], NULL, plain, 1, first, 6);
        expect_batch(&forms[i], NULL, packed, 1, first, 6);
    }
    /* quantised: steps; bytes without a scale: pixels */
    expect_batch(&(input){"x", LC_INT8, 3, {-1, 2, 3}, 1 / 255.f, -128}, NULL, packed, 1, LIST(-128, -123, -118, -113, -108, -103));
    expect_batch(&(input){"x", LC_UINT8, 3, {-1, 2, 3}, 0, 0}, NULL, packed, 1, LIST(0, 5, 10, 15, 20, 25));
    /* as the caller says, which makes pictures of any bytes */
    const lc_preprocess raw = {.scale = 1};
    expect_batch(&image, &(lc_data_options){.pixels = &raw}, packed, 1, LIST(0, 5, 10, 15, 20, 25));
    const uint8_t bytes[] = {0, 51, 102, 153, 204, 255};
    const lc_preprocess one = {.scale = 1 / 255.f};
    expect_batch(&image, &(lc_data_options){.pixels = &one}, write_npy("u.npy", "|u1", "1, 2, 3", bytes, 6), 1, LIST(0, .2, .4, .6, .8, 1));
    lc_text_deinit(&t);
}

/* The same batch in forms of the model: real numbers and steps agree. */
static void test_again(void **state) {
    (void)state;
    const int8_t steps[] = {-128, 0, 127};
    const float real[] = {-10, 0.26f, 10};
    const input quantised = {"x", LC_INT8, 2, {-1, 3}, 0.5f, 1}, other = {"other", LC_INT16, 2, {-1, 3}, 0.25f, 0};
    lc_model *f = make_model(&row, 1), *q = make_model(&quantised, 1), *o = make_model(&other, 1);
    lc_session *sf = make_session(f), *sq = make_session(q), *so = make_session(o);
    lc_error err;
    lc_data *d = open_files(q, NULL, write_npy("steps.npy", "|i1", "1, 3", steps, 3), NULL);
    next(d, sq, 1);
    expect_input(sq, 0, "steps", LIST(-128, 0, 127));
    assert_int_equal(lc_data_again(d, sf, &err), LC_OK);
    expect_input(sf, 0, "real", LIST(-64.5, -0.5, 63));
    assert_int_equal(lc_data_again(d, so, &err), LC_OK);
    expect_input(so, 0, "int16", LIST(-258, -2, 252));
    lc_data_close(d);
    const int32_t i32[] = {-1000, 0, 1 << 30};
    expect_batch(&(input){"x", LC_INT32, 2, {-1, 3}, 0.5f, 1}, NULL, write_npy("wide.npy", "<i4", "1, 3", i32, sizeof i32), 1,
                 LIST(-1000, 0, 1 << 30));
    d = open_files(f, NULL, write_npy("real.npy", "<f4", "1, 3", real, sizeof real), NULL);
    next(d, sf, 1);
    assert_int_equal(lc_data_again(d, sq, &err), LC_OK);
    expect_input(sq, 0, "nearest", LIST(-19, 2, 21));
    next(d, sf, 0);
    assert_int_equal(lc_data_again(d, sq, &err), LC_ARGUMENT);
    lc_data_close(d);
    lc_session_destroy(sf), lc_session_destroy(sq), lc_session_destroy(so);
    lc_model_destroy(f), lc_model_destroy(q), lc_model_destroy(o);
}

static void test_batches(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const uint8_t y[] = {3, 1, 2, 0, 4};
    lc_model *m = make_model(&row, 1);
    lc_session *s = make_session(m);
    const char *labels = write_npy("y.npy", "|u1", "5", y, 5);
    lc_data *d = open_files(m, &(lc_data_options){.batch = 2, .labels = labels}, write_npy("five.npy", "<f4", "5, 3", f, sizeof f), NULL);
    assert_int_equal(lc_data_count(d), 5);
    assert_null(lc_data_labels(d));
    next(d, s, 2);
    assert_int_equal(lc_data_labels(d)[1], 1);
    next(d, s, 2);
    assert_int_equal(lc_data_labels(d)[0], 2);
    next(d, s, 1);
    expect_input(s, 0, "the last", LIST(13, 14, 15));
    assert_int_equal(lc_data_labels(d)[0], 4);
    next(d, s, 0);
    assert_null(lc_data_class(d, 0));
    lc_data_close(d);
    d = open_files(m, &(lc_data_options){.batch = 2, .most = 3}, ckpt_folder_path(&ckpt_test_folder, "five.npy"), NULL);
    assert_int_equal(lc_data_count(d), 3);
    next(d, s, 2);
    next(d, s, 1);
    next(d, s, 0);
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* A model made for two samples, which cannot take one, gets the last sample twice. */
static void test_fixed_batch(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    lc_error err;
    lc_builder b;
    lc_model *m;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){2, 3}, 2), y = lc_build_reshape(&b, x, (int32_t[]){3, 2}, 2);
    if (b.status) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, NULL, write_npy("three.npy", "<f4", "3, 3", f, sizeof f), NULL);
    next(d, s, 2);
    next(d, s, 1);
    expect_input(s, 0, "filled up", LIST(7, 8, 9, 7, 8, 9));
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

static void test_several_inputs(void **state) {
    (void)state;
    const input inputs[] = {{"a", LC_FLOAT32, 2, {-1, 2}, 0, 0}, {"b", LC_INT32, 1, {-1}, 0, 0}};
    const float a[] = {1, 2, 3, 4};
    const int64_t b[] = {7, 8};
    lc_model *m = make_model(inputs, 2);
    lc_session *s = make_session(m);
    lc_text ta = {0}, tb = {0};
    npy_bytes(&ta, "<f4", "2, 2", false, a, sizeof a);
    npy_bytes(&tb, "<i8", "2", false, b, sizeof b);
    zip_maker z = {0};
    zip_add(&z, "b.npy", &tb, true);
    zip_add(&z, "a.npy", &ta, false);
    zip_add(&z, "y.npy", &tb, false);
    char b_by_name[300];
    snprintf(b_by_name, sizeof b_by_name, "b=%s", write_text("b.npy", &tb));
    const char *pairs[][2] = {{zip_write(&z, "ab.npz"), NULL},
                              {write_text("a.npy", &ta), ckpt_folder_path(&ckpt_test_folder, "b.npy")},
                              {b_by_name, ckpt_folder_path(&ckpt_test_folder, "a.npy")},
                              {b_by_name, ckpt_folder_path(&ckpt_test_folder, "ab.npz")},
                              {write_string("ab.csv", "b,a[1],a[0]\n7,2,1\n8,4,3\n"), NULL}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lc_data *d = open_files(m, &two, pairs[i][0], pairs[i][1]);
        next(d, s, 2);
        expect_input(s, 0, pairs[i][0], LIST(1, 2, 3, 4));
        expect_input(s, 1, pairs[i][0], LIST(7, 8));
        if (i == 0) assert_int_equal(lc_data_labels(d)[1], 8);
        lc_data_close(d);
    }
    lc_session_destroy(s);
    lc_model_destroy(m);
    lc_text_deinit(&ta);
    lc_text_deinit(&tb);
}

static void test_strings(void **state) {
    (void)state;
    const input words = {"words", LC_STRING, 1, {-1}, 0, 0};
    lc_model *m = make_model(&words, 1);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, &two, write_npy("words.npy", "|S3", "3", "onetwo\0\0x", 9), NULL);
    next(d, s, 2);
    next(d, s, 1);
    lc_error err;
    assert_int_equal(lc_session_run(s, &err), LC_OK);
    const lc_tensor_view v = lc_session_output(s, 0);
    size_t n;
    const char *text = lc_tensor_string(&v, 0, &n);
    assert_int_equal(n, 3);
    assert_memory_equal(text, "\0\0x", 3);
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------ */

static void test_csv(void **state) {
    (void)state;
    const struct {
        const char *text;
        int64_t labels[2];
        const char *first_class;
    } cases[] = {
        {"1,2.5,-3e1\n4,5,6\n", {-1, -1}, NULL},
        {"label,p,q,r\n1,1,2.5,-30\n0,4,5,6\n", {1, 0}, NULL},
        {"\xef\xbb\xbf\"a \"\"b\"\"\",b,c,Class\r\n\r\n 1 , 2.5,\"-30\",dog\r\n4,5,6,\"cat\"", {1, 0}, "cat"},
        {"1,2.5,-30,dog\n4,5,6,ant\n", {1, 0}, "ant"},
        {"1;2.5;-30\n4;5;6\n", {-1, -1}, NULL},
        {"1\t2.5\t-30\n4\t5\t6\n", {-1, -1}, NULL},
        {",p,q,r,y\n0,1,2.5,-30,3\n1,4,5,6,7.0\n", {3, 7}, NULL},
        {"x[2],x[0],x[1],target\n-30,1,2.5,1\n6,4,5,2\n", {1, 2}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_model *m = make_model(&row, 1);
        lc_session *s = make_session(m);
        const char *path = i % 2 ? write_gzip("t.csv.gz", cases[i].text, strlen(cases[i].text)) : write_string("t.csv", cases[i].text);
        lc_data *d = open_files(m, &two, path, NULL);
        next(d, s, 2);
        /* the only input takes the columns in order, whatever their names */
        if (i == 7) expect_input(s, 0, cases[i].text, LIST(-30, 1, 2.5, 6, 4, 5));
        else expect_input(s, 0, cases[i].text, LIST(1, 2.5, -30, 4, 5, 6));
        const int64_t *labels = lc_data_labels(d);
        if ((labels != NULL) != (cases[i].labels[0] >= 0)) fail_msg("%s: labels", cases[i].text);
        for (int k = 0; labels && k < 2; k++) assert_int_equal(labels[k], cases[i].labels[k]);
        const char *name = lc_data_class(d, 0);
        if (cases[i].first_class) assert_string_equal(name, cases[i].first_class);
        else assert_null(name);
        lc_data_close(d);
        lc_session_destroy(s);
        lc_model_destroy(m);
    }
    /* integers of an integer input, and a table that is longer than a window */
    expect_batch(&(input){"x", LC_INT32, 2, {-1, 3}, 0, 0}, &two, write_string("i.csv", "1,2,3\n4,5,-2147483648\n"), 2,
                 LIST(1, 2, 3, 4, 5, -2147483648.));
    lc_text t = {0};
    for (int i = 0; i < 30000; i++) lc_text_printf(&t, "%d,%d,%d\n", i, i + 1, i + 2);
    lc_model *m = make_model(&row, 1);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, &(lc_data_options){.batch = 29999}, write_gzip("long.csv.gz", t.data, t.size), NULL);
    assert_int_equal(lc_data_count(d), 30000);
    next(d, s, 29999);
    next(d, s, 1);
    expect_input(s, 0, "the last row", LIST(29999, 30000, 30001));
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
    lc_text_deinit(&t);
}

/* ---- pictures ------------------------------------------------------------------------------------------------------------------------ */

#define SEVEN LC_TEST_DIR "/../examples/digits/seven.png"

static void test_pictures(void **state) {
    (void)state;
    const input digits = {"x", LC_FLOAT32, 4, {-1, 28, 28, 1}, 0, 0};
    const char *names[] = {"b/2.png", "b/1.PNG", "a/x.png", "c/y.jpg"};
    const char *top = ckpt_folder_path(&ckpt_test_folder, "");
    for (size_t i = 0; i < 4; i++) {
        const char *path = ckpt_folder_path(&ckpt_test_folder, names[i]);
        char directory[300];
        snprintf(directory, sizeof directory, "%s", path);
        *strrchr(directory, '/') = 0;
        mkdir(directory, 0700);
        copy_file(i == 3 ? LC_TEST_DIR "/data/cli/grey.jpg" : SEVEN, path);
    }
    write_string("notes.txt", "no picture");
    lc_model *m = make_model(&digits, 1);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, &(lc_data_options){.batch = 3}, top, NULL);
    assert_int_equal(lc_data_count(d), 4);
    next(d, s, 3);
    assert_int_equal(lc_data_labels(d)[0], 0);
    assert_int_equal(lc_data_labels(d)[1], 1);
    assert_string_equal(lc_data_class(d, 2), "c");
    assert_null(lc_data_class(d, 3));
    const lc_tensor_view v = lc_session_input(s, 0);
    assert_memory_equal(v.data, (const float *)v.data + 784, 784 * sizeof(float));
    next(d, s, 1);
    lc_data_close(d);
    /* one of its folders, one picture */
    d = open_files(m, NULL, ckpt_folder_path(&ckpt_test_folder, "b"), NULL);
    assert_int_equal(lc_data_count(d), 2);
    next(d, s, 1);
    assert_null(lc_data_labels(d));
    lc_data_close(d);
    d = open_files(m, NULL, SEVEN, NULL);
    next(d, s, 1);
    next(d, s, 0);
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
    /* what is wrong with folders */
    mkdir(ckpt_folder_path(&ckpt_test_folder, "none"), 0700);
    expect_failure(&digits, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "none"), NULL, LC_INVALID, "no pictures", "folder for each class");
    copy_file(SEVEN, ckpt_folder_path(&ckpt_test_folder, "stray.png"));
    expect_failure(&digits, 1, NULL, top, NULL, LC_INVALID, "pictures and folders", "folder for each class");
    write_string("none/cut.png", "\x89PNG\r\n\x1a\n");
    expect_failure(&digits, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "none"), NULL, LC_INVALID, "cut.png", "viewer");
    write_string("none/z.gif", "GIF89a");
    expect_failure(&digits, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "none"), NULL, LC_UNSUPPORTED, "z.gif", ".png");
    expect_failure(&(input){"x", LC_FLOAT32, 4, {-1, -1, -1, 1}, 0, 0}, 1, &(lc_data_options){.pixels = &(lc_preprocess){0}},
                   write_npy("f.npy", "<f4", "1, 1, 1, 1", "abcd", 4), NULL, LC_ARGUMENT, "pixels", "scale the array");
}

/* ---- labels ------------------------------------------------------------------------------------------------------------------------------ */

static void test_labels(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, 5, 6}, hot[] = {0, 0, 1, 0, 1, 0};
    const double whole[] = {2, 1};
    lc_model *m = make_model(&row, 1);
    lc_session *s = make_session(m);
    const char *x = write_npy("x.npy", "<f4", "2, 3", f, sizeof f);
    const char *files[] = {write_string("l1", "2\n1\n"), write_string("l2", "\xef\xbb\xbfzebra\r\n\r\nbee\r\n"),
                           write_npy("l3", "<f4", "2, 3", hot, sizeof hot), write_npy("l4", "<f8", "2, 1", whole, sizeof whole),
                           write_npy("l5", "|S5", "2", "zebrabee\0\0", 10)};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        lc_data *d = open_files(m, &(lc_data_options){.batch = 2, .labels = files[i]}, x, NULL);
        const bool named = i == 1 || i == 4;
        next(d, s, 2);
        if (lc_data_labels(d)[0] != (named ? 1 : 2)) fail_msg("file %zu", i);
        if (lc_data_labels(d)[1] != (named ? 0 : 1)) fail_msg("file %zu", i);
        if (named) assert_string_equal(lc_data_class(d, 1), "zebra");
        lc_data_close(d);
    }
    lc_data_options o = {.batch = 2, .labels = files[1], .classes = write_string("c1", "zebra\nfly\nbee\n")};
    lc_data *d = open_files(m, &o, x, NULL);
    next(d, s, 2);
    assert_int_equal(lc_data_labels(d)[0], 0);
    assert_int_equal(lc_data_labels(d)[1], 2);
    assert_string_equal(lc_data_class(d, 1), "fly");
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
    o.classes = write_string("c2", "zebra\nfly\n");
    expect_failure(&row, 1, &o, x, NULL, LC_INVALID, "c2 has no class \"bee\"", "letter by letter");
    o.classes = write_string("c3", "zebra\nzebra\n");
    expect_failure(&row, 1, &o, x, NULL, LC_INVALID, "two classes have one name", "line of its own");
    const float half[] = {0.5f, 1};
    expect_failure(&row, 1, &(lc_data_options){.labels = write_string("l6", "1\n2\n3\n")}, x, NULL, LC_INVALID,
                   "3 labels for the 2 samples", "");
    expect_failure(&row, 1, &(lc_data_options){.labels = write_string("l7", "1.5\n2\n")}, x, NULL, LC_INVALID, "1.5", "counted from 0");
    expect_failure(&row, 1, &(lc_data_options){.labels = write_npy("l8", "<f4", "2", half, sizeof half)}, x, NULL, LC_INVALID, "0.5", "");
    expect_failure(&row, 1, &(lc_data_options){.labels = "/no/such/file"}, x, NULL, LC_NOT_FOUND, "/no/such/file", "");
}

/* ---- functions of the caller -------------------------------------------------------------------------------------------------------------- */

static lc_status fill(void *user, uint64_t index, lc_session *s, bool *end, lc_error *err) {
    if (index == 2) return *end = true, LC_OK;
    LC_TRY(lc_session_resize_input(s, 0, (int32_t[]){2, 3}, 2, err));
    const lc_tensor_view v = lc_session_input(s, 0);
    for (size_t i = 0; i < 6; i++) ((float *)v.data)[i] = (float)(i + 10 * index);
    ++*(int *)user;
    return LC_OK;
}

static lc_status wordless(void *user, uint64_t index, lc_session *s, bool *end, lc_error *err) {
    (void)user, (void)s, (void)end, (void)err;
    return index == 1 ? LC_IO : LC_OK;
}

static void test_function(void **state) {
    (void)state;
    int calls = 0;
    lc_error err;
    lc_data *d;
    lc_model *m = make_model(&row, 1), *q = make_model(&(input){"x", LC_INT8, 2, {-1, 3}, 0.5f, 1}, 1);
    lc_session *s = make_session(m), *sq = make_session(q);
    assert_int_equal(lc_data_from(fill, &calls, &d, &err), LC_OK);
    assert_true(lc_data_count(d) == UINT64_MAX);
    for (int round = 0; round < 2; round++) {
        next(d, s, 1);
        assert_int_equal(lc_data_again(d, sq, &err), LC_OK);
        expect_input(sq, 0, "steps", LIST(1, 3, 5, 7, 9, 11));
        next(d, s, 1);
        expect_input(s, 0, "second", LIST(10, 11, 12, 13, 14, 15));
        next(d, s, 0);
        assert_int_equal(lc_data_rewind(d, &err), LC_OK);
    }
    assert_int_equal(calls, 4);
    lc_data_close(d);
    assert_int_equal(lc_data_from(wordless, NULL, &d, &err), LC_OK);
    next(d, s, 1);
    uint32_t samples;
    assert_int_equal(lc_data_next(d, s, &samples, &err), LC_IO);
    assert_non_null(strstr(err.message, "at sample 1"));
    lc_data_close(d);
    lc_session_destroy(s), lc_session_destroy(sq);
    lc_model_destroy(m), lc_model_destroy(q);
}

/* ---- what is refused -------------------------------------------------------------------------------------------------------------------------- */

static void test_refused(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, NAN, 6}, half[] = {1, 2.5f, 3};
    const int32_t i32[] = {1, 300, 3};
    const char *nan_file = write_npy("nan.npy", "<f4", "2, 3", f, sizeof f), *bytes = write_npy("i.npy", "<i4", "1, 3", i32, sizeof i32);
    const input inputs[] = {{"a", LC_FLOAT32, 2, {-1, 3}, 0, 0}, {"b", LC_FLOAT32, 2, {-1, 3}, 0, 0}};
    expect_failure(&row, 1, NULL, nan_file, NULL, LC_INVALID, "element 1 of sample 1 is nan", "counted from 0");
    expect_failure(&(input){"x", LC_INT8, 2, {-1, 3}, 0.1f, 0}, 1, &two, nan_file, NULL, LC_INVALID, "element 1 of sample 1", "isfinite");
    expect_failure(&(input){"x", LC_UINT8, 2, {-1, 3}, 0, 0}, 1, NULL, bytes, NULL, LC_INVALID, "element 1 of sample 0 is 300", "range");
    expect_failure(&(input){"x", LC_INT64, 2, {-1, 3}, 0, 0}, 1, NULL, write_npy("h.npy", "<f4", "1, 3", half, sizeof half), NULL,
                   LC_INVALID, "is 2.5", "whole numbers");
    expect_failure(&row, 1, NULL, write_npy("four.npy", "<f4", "1, 4", f, 16), NULL, LC_INVALID,
                   "holds float32[1,4], input x wants float32[?,3]", "input's shape");
    expect_failure(&(input){"x", LC_FLOAT32, 4, {-1, 2, 3, 1}, 0, 0}, 1, NULL, write_npy("turned.npy", "<f4", "1, 1, 3, 2", f, 24), NULL,
                   LC_INVALID, "float32[1,1,3,2]", "");
    expect_failure(&row, 1, NULL, write_npy("empty.npy", "<f4", "0, 3", f, 0), NULL, LC_INVALID, "empty", "at least one");
    expect_failure(&row, 1, NULL, "nobody=x.npy", NULL, LC_ARGUMENT, "no input named nobody", "are: x");
    expect_failure(&row, 1, NULL, nan_file, bytes, LC_ARGUMENT, "already", "one file an input");
    expect_failure(inputs, 2, NULL, nan_file, NULL, LC_ARGUMENT, "no data for input b", "b=FILE");
    expect_failure(inputs, 2, NULL, nan_file, bytes, LC_INVALID, "has 2 samples for input a", "equally many");
    expect_failure(&(input){"w", LC_STRING, 1, {-1}, 0, 0}, 1, NULL, write_npy("n.npy", "<f4", "3", half, sizeof half), NULL,
                   LC_UNSUPPORTED, "holds float32", "astype('U')");
    expect_failure(&row, 1, NULL, write_npy("cut.npy", "<f4", "9, 3", f, sizeof f), NULL, LC_INVALID, "cut short", "again");
    expect_failure(&row, 1, &(lc_data_options){.signature = "s"}, nan_file, NULL, LC_NOT_FOUND, "no signature \"s\"", "inspect");
    expect_failure(&row, 1, &(lc_data_options){.limits = {.max_memory = 1 << 16}, .batch = 1 << 20},
                   write_npy("bomb.npy", "<f4", "1000000, 3", f, sizeof f), NULL, LC_INVALID, "cut short", "");
    /* tables */
    const struct {
        const char *text, *message, *hint;
    } tables[] = {
        {"1,2\n", "2 columns of numbers", "a column for each number"},
        {"1,2,3,4\n", "4 columns of numbers", "name it \"label\""},
        {"1,2,3\n4,5\n", "line 2 has 2 fields, the first has 3", "quotes"},
        {"p,q,r\n1,2,3\n4,x1,6\n", "line 3, column 2 q: \"x1\" is no number", "1e-3"},
        {"p,q,r\n1,2,0x10\n", "\"0x10\"", ""},
        {"p,q,r\n1,nan,3\n", "element 1 of sample 0 is nan", ""},
        {"p,q,r\n1,2,\n", "\"\" is no number", ""},
        {"p,q,r\n", "empty", ""},
        {",,\n1,2,3\n", "2 columns of numbers", ""},
        {"label,y,q,r,s\n1,2,3,4,5\n", "several columns", "all but one"},
        {"label,q,r,s\n,2,3,4\n", "\"\" is no number", ""},
        {"label,q,r,s\n0.5,2,3,4\n", "0.5", "counted from 0"},
        {"\"1,2,3\n", "does not end", "twice"},
        {"1,2,cat,dog\n", "is no number", ""},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        expect_failure(&row, 1, NULL, write_string("bad.csv", tables[i].text), NULL, LC_INVALID, tables[i].message, tables[i].hint);
    expect_failure(inputs, 2, NULL, write_string("bad.csv", "a[0],a[1],a[3],b\n1,2,3,4\n"), NULL, LC_INVALID, "not each of [0] to [2]",
                   "from 0");
    expect_failure(inputs, 2, NULL, write_string("bad.csv", "a[0],a[1],a[2],c\n1,2,3,4\n"), NULL, LC_INVALID, "no column for it",
                   "x[0], x[1]");
    /* packed files */
    lc_text t = {0};
    idx_bytes(&t, 3);
    const char *path = write_gzip("cut.idx.gz", t.data, t.size - 1);
    expect_failure(&image, 1, NULL, path, NULL, LC_INVALID, "cut short", "again");
    path = write_gzip("bad.idx.gz", t.data, t.size);
    FILE *file = fopen(path, "r+b");
    fseek(file, -6, SEEK_END);
    fputc('!', file);
    fclose(file);
    expect_failure(&image, 1, NULL, path, NULL, LC_INVALID, "gzip data is damaged", "");
    lc_text_deinit(&t);
}

/* ---- every allocation fails ------------------------------------------------------------------------------------------------------------------ */

typedef struct life {
    lc_model *model;
    const char *path, *labels;
} life;

static lc_status live(void *arg, lc_error *err) {
    const life *l = arg;
    lc_session *session = NULL;
    lc_data *d;
    uint32_t n = 1;
    LC_TRY(lc_data_open(l->model, (const char *const[]){l->path, NULL}, &(lc_data_options){.batch = 2, .labels = l->labels}, &d, err));
    lc_status status = lc_session_create(l->model, NULL, &session, err);
    while (status == LC_OK && n) status = lc_data_next(d, session, &n, err);
    if (status == LC_OK) status = lc_data_rewind(d, err);
    if (status == LC_OK) status = lc_data_next(d, session, &n, err);
    lc_data_close(d);
    lc_session_destroy(session);
    return status;
}

/* ---- records, CIFAR, several files ------------------------------------------------------------------------------------------- */

static const input floats = {"x", LC_FLOAT32, 2, {-1, 3}, 0, 0};

static void expect_labels(const input *in, const char *path, const int64_t *labels, uint32_t count, const char *first) {
    lc_model *m = make_model(in, 1);
    lc_session *s = make_session(m);
    lc_data *d = open_files(m, &(lc_data_options){.batch = count}, path, NULL);
    next(d, s, count);
    assert_memory_equal(lc_data_labels(d), labels, count * sizeof *labels);
    if (first) assert_string_equal(lc_data_class(d, labels[0]), first);
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
}

static const char *write_zlib(const char *name, const lc_text *t) {
    uint8_t packed[4096];
    uLongf size = sizeof packed;
    assert_int_equal(compress(packed, &size, (const Bytef *)t->data, (uLong)t->size), Z_OK);
    ckpt_folder_write(&ckpt_test_folder, name, packed, size);
    return ckpt_folder_path(&ckpt_test_folder, name);
}

static void test_records(void **state) {
    (void)state;
    lc_text t = {0}, u = {0};
    record_example(&t, RECORD_FLOATS("x", 1, 2, 3), RECORD_INTS("label", 7));
    record_example(&t, RECORD_FLOATS("x", 4, 5, 6), RECORD_INTS("label", 2));
    const char *plain = write_text("a.tfrecord", &t);
    expect_batch(&floats, &two, plain, 2, LIST(1, 2, 3, 4, 5, 6));
    expect_batch(&floats, &two, write_gzip("a.gz", t.data, t.size), 2, LIST(1, 2, 3, 4, 5, 6));
    expect_batch(&floats, &two, write_zlib("a.z", &t), 2, LIST(1, 2, 3, 4, 5, 6));
    expect_batch(&(input){"serving_default_x:0", LC_FLOAT32, 2, {-1, 3}, 0, 0}, &two, plain, 2, LIST(1, 2, 3, 4, 5, 6));
    expect_labels(&floats, plain, (const int64_t[]){7, 2}, 2, NULL);
    /* bytes of the picture's size are pixels; texts are names of classes */
    text_clear(&t);
    record_example(&t, RECORD_BYTES("image_raw", "\x00\x33\x66\x99\xcc\xff", 6), RECORD_BYTES("image/class/label", "dog", 3));
    record_example(&t, RECORD_BYTES("image_raw", "\xff\x33\x66\x99\xcc\xff", 6), RECORD_BYTES("image/class/label", "cat", 3));
    const input pixels = {"p", LC_FLOAT32, 4, {-1, 2, 3, 1}, 0, 0};
    plain = write_text("b.tfrecord", &t);
    expect_batch(&pixels, &two, plain, 2, LIST(0, .2, .4, .6, .8, 1, 1, .2, .4, .6, .8, 1));
    expect_labels(&pixels, plain, (const int64_t[]){1, 0}, 2, "dog");
    /* integers; a row with a 1 at the class; the second feature by its name */
    text_clear(&t);
    record_example(&t, RECORD_INTS("a", -1, 2), RECORD_FLOATS("y", 0, 0, 1));
    plain = write_text("c.tfrecord", &t);
    expect_batch(&(input){"a", LC_INT32, 2, {-1, 2}, 0, 0}, NULL, plain, 1, LIST(-1, 2));
    expect_labels(&(input){"other", LC_FLOAT32, 2, {-1, 2}, 0, 0}, plain, (const int64_t[]){2}, 1, NULL);
    /* two files as one set */
    text_clear(&t);
    record_example(&t, RECORD_FLOATS("x", 1, 2, 3), RECORD_INTS("label", 1));
    record_example(&u, RECORD_FLOATS("x", 4, 5, 6), RECORD_INTS("label", 0));
    write_text("set-00000-of-00002", &t);
    const char *one = write_text("set-00001-of-00002", &u), *both = ckpt_folder_path(&ckpt_test_folder, "set-*");
    expect_batch(&floats, &two, both, 2, LIST(1, 2, 3, 4, 5, 6));
    expect_labels(&floats, both, (const int64_t[]){1, 0}, 2, NULL);
    expect_batch(&floats, NULL, one, 1, LIST(4, 5, 6));
    /* what is refused */
    expect_failure(&floats, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "none-*"), NULL, LC_NOT_FOUND, "no file has a name like this",
                   "letters");
    expect_failure(&floats, 1, NULL, ckpt_test_folder.path, NULL, LC_INVALID, "files of several sets", "give a pattern");
    unlink(one);
    expect_failure(&floats, 1, NULL, both, NULL, LC_INVALID, "1 of the 2 parts", "copy or download the others");
    u.data[14] ^= 1;
    expect_failure(&floats, 1, NULL, write_text("crc", &u), NULL, LC_INVALID, "record 0 has a wrong checksum", "again");
    u.data[14] ^= 1;
    expect_failure(&floats, 1, NULL, write_gzip("cut.gz", u.data, u.size - 5), NULL, LC_INVALID, "record 0 is cut short", "again");
    record_add(&t, "\xff\xff\xff", 3);
    expect_failure(&floats, 1, NULL, write_text("junk", &t), NULL, LC_INVALID, "record 1", "tf.train.Example");
    record_example(&u, RECORD_INTS("x", 4, 5, 6), RECORD_INTS("label", 0));
    expect_failure(&floats, 1, NULL, write_text("form", &u), NULL, LC_INVALID, "another form than in the first record", "one form");
    text_clear(&u);
    record_example(&u, RECORD_INTS("p", 4), RECORD_INTS("q", 0));
    expect_failure(&floats, 1, NULL, write_text("name", &u), NULL, LC_NOT_FOUND, "no feature \"x\"", "p, q");
    text_clear(&u);
    record_example(&u, RECORD_NONE, RECORD_NONE);
    expect_failure(&floats, 1, NULL, write_text("none", &u), NULL, LC_NOT_FOUND, "no feature", "none");
    /* a length that is there, with its checksum, and nothing else */
    text_clear(&u);
    record_number(&u, (uint64_t)1 << 62, 8);
    record_number(&u, lc_crc32c_mask(lc_crc32c(0, u.data, 8)), 4);
    expect_failure(&floats, 1, NULL, write_text("long", &u), NULL, LC_LIMIT, "a record", "");
    lc_text_deinit(&t);
    lc_text_deinit(&u);
}

static void test_cifar(void **state) {
    (void)state;
    static uint8_t rows[2 * 3074];
    const input colours = {"x", LC_FLOAT32, 4, {-1, 32, 32, 3}, 0, 0};
    lc_model *m = make_model(&colours, 1);
    lc_session *s = make_session(m);
    rows[0] = 9, rows[3073] = 3;
    rows[1] = 255, rows[1 + 1024 + 1] = 51, rows[3073 + 3072] = 102; /* red of the first pixel, green of the second, blue of the last */
    ckpt_folder_write(&ckpt_test_folder, "data_batch_1.bin", rows, 2 * 3073);
    ckpt_folder_write(&ckpt_test_folder, "data_batch_2.bin", rows + 3073, 3073);
    lc_data *d = open_files(m, &(lc_data_options){.batch = 3}, ckpt_folder_path(&ckpt_test_folder, "data_batch_*.bin"), NULL);
    next(d, s, 3);
    const lc_tensor_view v = lc_session_input(s, 0);
    assert_memory_equal(lc_data_labels(d), ((const int64_t[]){9, 3, 3}), 3 * sizeof(int64_t));
    for (size_t i = 0; i < 3 * 3072; i++) {
        const double want = i == 0 ? 1 : i == 4 ? .2 : i == 2 * 3072 - 1 || i == 3 * 3072 - 1 ? .4 : 0;
        if (fabs(value_of(&v, i) - want) > 1e-6) fail_msg("element %zu is %g, not %g", i, value_of(&v, i), want);
    }
    lc_data_close(d);
    lc_session_destroy(s);
    lc_model_destroy(m);
    memset(rows, 0, sizeof rows);
    rows[0] = 19, rows[1] = 99;
    ckpt_folder_write(&ckpt_test_folder, "train.bin", rows, 2 * 3074); /* CIFAR-100 */
    expect_labels(&colours, ckpt_folder_path(&ckpt_test_folder, "train.bin"), (const int64_t[]){99, 0}, 2, NULL);
    rows[1] = 100;
    ckpt_folder_write(&ckpt_test_folder, "train.bin", rows, 2 * 3074);
    expect_failure(&colours, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "train.bin"), NULL, LC_INVALID, "a class is none", "again");
    ckpt_folder_write(&ckpt_test_folder, "test_batch.bin", rows, 3000);
    expect_failure(&colours, 1, NULL, ckpt_folder_path(&ckpt_test_folder, "test_batch.bin"), NULL, LC_INVALID, "no multiple", "again");
}

static void test_faults(void **state) {
    (void)state;
    const float f[] = {1, 2, 3, 4, 5, 6};
    lc_text t = {0}, npy = {0}, records = {0};
    record_example(&records, RECORD_FLOATS("x", 1, 2, 3), RECORD_BYTES("label", "a", 1));
    record_example(&records, RECORD_FLOATS("x", 4, 5, 6), RECORD_BYTES("label", "b", 1));
    idx_bytes(&t, 2);
    npy_bytes(&npy, "<f4", "2, 3", true, f, sizeof f);
    zip_maker z = {0};
    zip_add(&z, "x.npy", &npy, true);
    mkdir(ckpt_folder_path(&ckpt_test_folder, "cats"), 0700);
    mkdir(ckpt_folder_path(&ckpt_test_folder, "cats/a"), 0700);
    copy_file(SEVEN, ckpt_folder_path(&ckpt_test_folder, "cats/a/1.png"));
    copy_file(SEVEN, ckpt_folder_path(&ckpt_test_folder, "cats/a/2.png"));
    const char *labels = write_string("names", "dog\ncat\n");
    const struct {
        const input *in;
        const char *path, *labels;
    } cases[] = {{&image, write_gzip("f.idx.gz", t.data, t.size), labels},
                 {&row, zip_write(&z, "f.npz"), NULL},
                 {&row, write_string("f.csv", "p,q,r,label\n1,2,3,dog\n4,5,6,cat\n"), NULL},
                 {&image, ckpt_folder_path(&ckpt_test_folder, "cats"), NULL},
                 {&floats, write_gzip("set-00000-of-00001", records.data, records.size), NULL},
                 {&floats, ckpt_folder_path(&ckpt_test_folder, "set-*"), NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lc_model *m = make_model(cases[i].in, 1);
        lc_session_destroy(make_session(m)); /* what a model makes once is made */
        fault_check(live, &(life){m, cases[i].path, cases[i].labels}, NULL);
        lc_model_destroy(m);
    }
    unlink(ckpt_folder_path(&ckpt_test_folder, "cats/a/1.png"));
    unlink(ckpt_folder_path(&ckpt_test_folder, "cats/a/2.png"));
    rmdir(ckpt_folder_path(&ckpt_test_folder, "cats/a"));
    lc_text_deinit(&t);
    lc_text_deinit(&records);
    lc_text_deinit(&npy);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, ckpt_test_folder_make, ckpt_test_folder_clean)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(test_npy),         CASE(test_forms),          CASE(test_idx),     CASE(test_again),  CASE(test_batches),
        CASE(test_fixed_batch), CASE(test_several_inputs), CASE(test_strings), CASE(test_csv),    CASE(test_pictures),
        CASE(test_labels),      CASE(test_function),       CASE(test_refused), CASE(test_faults), CASE(test_records),
        CASE(test_cifar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
