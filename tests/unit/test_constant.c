/*
 * Tests of deferred constants (ir/constant.h): whatever way they are asked for, their bytes are those of the matrix transposed
 * and scaled; equal ones are found equal whether made or not; a model writes the same file before and after they are made; the
 * writer passes on a failure in the middle of one.
 */
#include "emit/emit.h"
#include "emit/tflite_stream.h"
#include "ir/constant.h"
#include "ops/build.h"
#include "runtime/load.h"
#include "support/fault.h"
#include "support/tflite_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static lc_error err;

static void must(lc_status status) {
    if (status != LC_OK) fail_msg("%s: %s", lc_status_name(status), err.message);
}

/* A matrix of numbers that are exact in float32, and where each belongs. */
static float *matrix(size_t rows, size_t cols) {
    float *m = malloc(rows * cols * sizeof *m + 1);
    assert_non_null(m);
    for (size_t i = 0; i < rows * cols; i++) m[i] = (float)((i * 2654435761u) % 65536);
    return m;
}

static void test_fill(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {1, 200}, {200, 1}, {63, 17}, {64, 64}, {65, 65}, {130, 100}, {128, 192}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int scaled = 0; scaled < 2; scaled++) {
            const size_t rows = sizes[k][0], cols = sizes[k][1];
            float *m = matrix(rows, cols), *scale = matrix(cols, 1), *out = matrix(cols, rows);
            const lc_deferred d = {.type = LC_FLOAT32, .data = m, .rows = rows, .cols = cols, .scale = scaled ? scale : NULL};
            for (size_t first = 0; first < cols; first += 1 + cols / 3) {
                const size_t n = cols - first < 1 + cols / 3 ? cols - first : 1 + cols / 3;
                lc_deferred_fill(&d, first, n, out + first * rows);
            }
            for (size_t i = 0; i < rows * cols; i++) {
                const size_t c = i / rows, r = i % rows;
                float one;
                assert_true(out[i] == m[r * cols + c] * (scaled ? scale[c] : 1.0f));
                lc_deferred_read(&d, i, 1, &one);
                assert_true(one == out[i]);
            }
            const lc_constant made = {NULL, out, rows * cols * sizeof *out}, still = {&d, NULL, rows * cols * sizeof *out};
            assert_true(lc_constant_key(made) == lc_constant_key(still));
            assert_true(lc_constant_equal(made, still) && lc_constant_equal(still, made) && lc_constant_equal(still, still));
            out[rows * cols - 1] = -1;
            assert_false(lc_constant_equal(made, still));
            free(m);
            free(scale);
            free(out);
        }
}

/* Two matrices of the same numbers are one constant; another scale makes another. */
static void test_equal(void **state) {
    (void)state;
    float *a = matrix(70, 90), *b = matrix(70, 90), scale[90], other[90];
    for (int i = 0; i < 90; i++) scale[i] = other[i] = (float)i;
    lc_deferred x = {.type = LC_FLOAT32, .data = a, .rows = 70, .cols = 90, .scale = scale}, y = x;
    const lc_constant p = {&x, NULL, 70 * 90 * sizeof *a}, q = {&y, NULL, 70 * 90 * sizeof *a};
    y.data = b;
    y.scale = other;
    assert_true(lc_constant_key(p) == lc_constant_key(q) && lc_constant_equal(p, q));
    other[89] = 7;
    assert_false(lc_constant_equal(p, q));
    y.scale = NULL;
    assert_false(lc_constant_equal(p, q));
    x.scale = NULL;
    assert_true(lc_constant_equal(p, q));
    b[70 * 90 - 1] += 1;
    assert_false(lc_constant_equal(p, q));
    free(a);
    free(b);
}

/* FULLY_CONNECTED with a weight of several pieces, and a second one that is equal but made from another copy of the matrix. */
enum { ROWS = 1500, COLS = 700 };

static lc_model *model_of(const float *m, const float *copy) {
    lc_model *model;
    lc_builder b;
    must(lc_model_new(NULL, &model, &err));
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t in_dims[2] = {-1, ROWS}, dims[2] = {COLS, ROWS};
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, in_dims, 2);
    must(lc_graph_add_input(model->graphs[0], x, &err));
    for (int i = 0; i < 2; i++) {
        const lc_deferred d = {.type = LC_FLOAT32, .data = i ? copy : m, .rows = ROWS, .cols = COLS};
        const int32_t in[3] = {x, lc_build_deferred(&b, i ? "second" : "first", dims, 2, &d), LC_ABSENT};
        const int32_t y = lc_build_op(&b, LC_OP_FULLY_CONNECTED, LC_TABLE_FullyConnectedOptions, NULL, in, 3);
        must(b.status);
        must(lc_graph_add_output(model->graphs[0], y, &err));
    }
    return model;
}

static tflite_bytes emit(const lc_model *m) {
    tflite_bytes b = {0};
    const lc_sink sink = {.write = tflite_bytes_write, .user = &b};
    must(lc_emit_tflite(m, &sink, NULL, &err));
    return b;
}

static void test_write(void **state) {
    (void)state;
    float *m = matrix(ROWS, COLS), *copy = matrix(ROWS, COLS);
    lc_model *model = model_of(m, copy), *again;
    const tflite_bytes before = emit(model);
    assert_true(before.size > ROWS * COLS * sizeof *m && before.size < ROWS * COLS * sizeof *m * 2); /* one of them is written */
    must(lc_tflite_load(before.data, before.size, NULL, &again, &err));
    const lc_graph *g = again->graphs[0];
    const float *w = g->tensors[g->nodes[1].inputs[1]].data;
    for (size_t c = 0; c < COLS; c++)
        for (size_t r = 0; r < ROWS; r++) assert_true(w[c * ROWS + r] == m[r * COLS + c]);
    lc_model_destroy(again);

    lc_session *s; /* makes them all; the model writes itself as before */
    must(lc_session_create(model, NULL, &s, &err));
    for (size_t t = 0; t < model->graphs[0]->tensor_count; t++)
        assert_true(!model->graphs[0]->tensors[t].deferred || model->graphs[0]->tensors[t].data);
    const tflite_bytes after = emit(model);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    lc_session_destroy(s);
    lc_free(before.data);
    lc_free(after.data);
    lc_model_destroy(model);
    free(m);
    free(copy);
}

static size_t room;
static lc_status full(void *user, const void *data, size_t size, lc_error *e) {
    (void)user;
    (void)data;
    if (size > room) return lc_fail(e, LC_IO, "full");
    room -= size;
    return LC_OK;
}

/* The thread that makes constants ahead goes by their numbers. Files over 2 GB are written in another order: the bytes are still
 * those of the constant that is asked for. */
static void test_other_order(void **state) {
    (void)state;
    enum { HIGH = 500, WIDE = 600, COUNT = 3 };
    static const size_t order[COUNT] = {1, 0, 2};
    const size_t n = (size_t)HIGH * WIDE, size = n * sizeof(float);
    lc_deferred made[COUNT];
    float *matrices[COUNT], *want = matrix(HIGH, WIDE);
    for (size_t i = 0; i < COUNT; i++) {
        matrices[i] = matrix(HIGH, WIDE);
        matrices[i][i] = -1;
        made[i] = (lc_deferred){.type = LC_FLOAT32, .data = matrices[i], .rows = HIGH, .cols = WIDE};
    }
    tflite_bytes bytes = {0};
    const lc_emit_tables tables = {.made = made, .made_count = COUNT};
    const lc_model no_model = {0};
    const lc_sink out = {.write = tflite_bytes_write, .user = &bytes};
    lc_emit_stream stream;
    must(lc_emit_stream_init(&stream, &tables, &no_model, &out, &err));
    const lc_sink sink = lc_emit_stream_sink(&stream);
    for (size_t i = 0; i < COUNT; i++) must(sink.write_buffer(sink.user, &made[order[i]], size, &err));
    lc_emit_stream_deinit(&stream);
    assert_int_equal(bytes.size, COUNT * size);
    for (size_t i = 0; i < COUNT; i++) {
        lc_deferred_fill(&made[order[i]], 0, WIDE, want);
        assert_memory_equal(bytes.data + i * size, want, size);
    }
    lc_free(bytes.data);
    for (size_t i = 0; i < COUNT; i++) free(matrices[i]);
    free(want);
}

static void test_full(void **state) {
    (void)state;
    float *m = matrix(ROWS, COLS);
    lc_model *model = model_of(m, m);
    const lc_sink sink = {.write = full};
    for (size_t bytes = 1000; bytes < ROWS * COLS * sizeof *m; bytes += 700000) {
        room = bytes;
        assert_int_equal(lc_emit_tflite(model, &sink, NULL, &err), LC_IO);
        assert_string_equal(err.message, "full");
    }
    room = SIZE_MAX;
    must(lc_emit_tflite(model, &sink, NULL, &err));
    lc_model_destroy(model);
    free(m);
}

static lc_status emit_once(void *model, lc_error *e) {
    const lc_sink sink = {.write = full};
    room = SIZE_MAX;
    return lc_emit_tflite(model, &sink, NULL, e);
}

static void test_no_memory(void **state) {
    (void)state;
    float *m = matrix(ROWS, COLS);
    lc_model *model = model_of(m, m);
    fault_check(emit_once, model, NULL);
    lc_model_destroy(model);
    free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fill),        cmocka_unit_test(test_equal), cmocka_unit_test(test_write),
                                       cmocka_unit_test(test_other_order), cmocka_unit_test(test_full),  cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
