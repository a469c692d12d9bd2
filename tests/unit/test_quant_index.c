/*
 * test_quant_index.c: integer inputs whose values are indices: each is still the same row of the table, whatever way it goes there; what the type
 * has too few values for is refused; what is no index keeps steps over its range.
 */
#include "ir/ir.h"
#include "litec/litec.h"
#include "ops/build.h"
#include "ops/op.h"
#include "support/fault.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS = 6, WIDE = 4, SAMPLES = 8 };

static lc_error err;
static float reach; /* samples go from 0 to this; a fraction: in fractions */

static float word(uint64_t sample, int i) {
    const double at = (double)(sample * WORDS + (uint64_t)i) / (SAMPLES * WORDS - 1) * (double)reach;
    return (float)(floorf(reach) == reach ? floor(at) : at);
}

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *e) {
    (void)user;
    (void)e;
    *end = index >= SAMPLES;
    for (int i = 0; !*end && i < WORDS; i++) ((float *)lc_session_input(session, 0).data)[i] = word(index, i);
    return LC_OK;
}

/* moved: through a RESHAPE in front of the CAST. compared: NOT_EQUAL reads the words as well. counted: a sum does. rows 0: no table, CAST
 * back to floats. */
typedef struct how {
    int32_t rows;
    bool moved, compared, counted;
} how;

static lc_model *make(how h) {
    lc_model *m;
    lc_builder b;
    assert_int_equal(lc_model_new(NULL, &m, &err), LC_OK);
    lc_builder_init(&b, m, m->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, WORDS}, 2), flat = WORDS;
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    int32_t words = h.moved ? lc_build_reshape(&b, x, &flat, 1) : x, y;
    words = lc_build_cast(&b, words, LC_INT32);
    if (h.rows) {
        float *table = lc_build_data(&b, (size_t)h.rows * WIDE * sizeof *table);
        assert_non_null(table);
        for (int32_t i = 0; i < h.rows * WIDE; i++) table[i] = sinf((float)i) * 4;
        const int32_t dims[] = {h.rows, WIDE};
        const int32_t t = lc_build_const(&b, "table", LC_FLOAT32, dims, 2, table, (size_t)h.rows * WIDE * sizeof *table, true);
        const lc_GatherOptions o = {.axis = 0};
        y = lc_build_op(&b, LC_OP_GATHER, LC_TABLE_GatherOptions, &o, (int32_t[]){t, words}, 2);
    } else {
        y = lc_build_cast(&b, words, LC_FLOAT32);
    }
    if (b.status) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    if (h.compared) {
        const int32_t in[] = {x, lc_build_scalar(&b, "none", 0)};
        assert_int_equal(lc_graph_add_output(b.graph, lc_build_op(&b, LC_OP_NOT_EQUAL, LC_TABLE_NONE, NULL, in, 2), &err), LC_OK);
    }
    if (h.counted)
        assert_int_equal(lc_graph_add_output(b.graph, lc_build_binary(&b, LC_OP_ADD, x, x, LC_ActivationFunctionType_NONE), &err), LC_OK);
    if (b.status) fail_msg("%s", err.message);
    return m;
}

static lc_status quantise(lc_model *m, lc_dtype type, lc_model **q, lc_error *e) {
    lc_data *data;
    *q = NULL;
    LC_TRY(lc_data_from(fill, NULL, &data, e));
    const lc_quantize_options o = {.scheme = type == LC_INT16 ? LC_SCHEME_INT16X8 : LC_SCHEME_INT8,
                                   .input_type = type,
                                   .output_type = LC_FLOAT32,
                                   .data = &data,
                                   .data_count = 1};
    const lc_status status = lc_model_quantize(m, &o, q, e);
    lc_data_close(data);
    return status;
}

static lc_model *quantised(lc_model *m, lc_dtype type) {
    lc_model *q;
    if (quantise(m, type, &q, &err)) fail_msg("%s: %s", err.message, err.hint);
    assert_int_equal(lc_model_check(q, &err), LC_OK);
    return q;
}

static void put(const lc_tensor_view *to, int i, long value) {
    if (to->type == LC_INT8) ((int8_t *)to->data)[i] = (int8_t)value;
    else if (to->type == LC_UINT8) ((uint8_t *)to->data)[i] = (uint8_t)value;
    else ((int16_t *)to->data)[i] = (int16_t)value;
}

/* Both give the same rows for the same words. */
static void expect_rows(lc_model *m, lc_model *q, int32_t zero) {
    lc_session *a, *b;
    assert_int_equal(lc_session_create(m, NULL, &a, &err) | lc_session_create(q, NULL, &b, &err), LC_OK);
    const lc_tensor_view in = lc_session_input(b, 0);
    assert_true(in.scale == 1 && in.zero_point == zero);
    for (uint64_t k = 0; k < SAMPLES; k++) {
        bool end;
        fill(NULL, k, a, &end, &err);
        for (int i = 0; i < WORDS; i++) put(&in, i, lrintf(word(k, i)) + zero);
        assert_int_equal(lc_session_run(a, &err) | lc_session_run(b, &err), LC_OK);
        const float *x = lc_session_output(a, 0).data, *y = lc_session_output(b, 0).data;
        for (int i = 0; i < WORDS * WIDE; i++)
            if (!(fabsf(x[i] - y[i]) <= 4.0f / 127)) fail_msg("sample %d: %g, wanted %g", (int)k, (double)y[i], (double)x[i]);
    }
    lc_session_destroy(a);
    lc_session_destroy(b);
}

static void test_words(void **unused) {
    (void)unused;
    static const struct {
        how h;
        lc_dtype type;
        int32_t zero;
    } cases[] = {
        {{100, false, false, false}, LC_INT8, 0},   {{128, true, false, false}, LC_INT8, 0},   {{200, false, true, false}, LC_INT8, -128},
        {{256, true, true, false}, LC_INT8, -128},  {{100, false, false, false}, LC_UINT8, 0}, {{256, false, true, false}, LC_UINT8, 0},
        {{3000, false, false, false}, LC_INT16, 0}, {{100, false, false, true}, LC_INT8, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int few = 0; few < 2; few++) { /* few: the samples do not ask for all rows */
            reach = few ? 50 : (float)(cases[i].h.rows - 1);
            lc_model *m = make(cases[i].h), *q = quantised(m, cases[i].type);
            expect_rows(m, q, cases[i].zero);
            lc_model_destroy(q);
            lc_model_destroy(m);
        }
}

static void test_too_many(void **unused) {
    (void)unused;
    lc_model *q;
    static const lc_dtype types[] = {LC_INT8, LC_UINT8, LC_INT16};
    for (int i = 0; i < 3; i++) {
        lc_model *m = make((how){.rows = types[i] == LC_INT16 ? 40000 : 257, .moved = true});
        reach = 90;
        assert_int_equal(quantise(m, types[i], &q, &err), LC_ARGUMENT);
        assert_null(q);
        if (!strstr(err.message, "input \"x\"") || !strstr(err.message, lc_dtype_name(types[i])) || !strstr(err.hint, "float32"))
            fail_msg("%s: %s", err.message, err.hint);
        q = quantised(m, LC_FLOAT32);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

/* Without a table it is the values that tell: whole ones become integers as they are; what something calculates with has its own steps. */
static void test_no_index(void **unused) {
    (void)unused;
    static const struct {
        how h;
        float reach;
        bool one;
    } cases[] = {{{0, true, false, false}, 40, true}, {{0, false, false, false}, 0.7f, false}, {{0, false, false, true}, 40, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        reach = cases[i].reach;
        how h = cases[i].h;
        h.compared = true; /* so that there is an integer operator */
        lc_model *m = make(h), *q = quantised(m, LC_INT8);
        const lc_tensor_view in = lc_model_input(q, 0);
        assert_int_equal(in.type, LC_INT8);
        if ((in.scale == 1) != cases[i].one) fail_msg("case %zu: a scale of %g", i, (double)in.scale);
        lc_model_destroy(q);
        lc_model_destroy(m);
    }
}

static lc_status work(void *arg, lc_error *e) {
    lc_model *q;
    const lc_status status = quantise(arg, LC_INT8, &q, e);
    lc_model_destroy(q);
    return status;
}

static void test_memory(void **unused) {
    (void)unused;
    reach = 99;
    lc_model *m = make((how){.rows = 100, .moved = true, .compared = true});
    fault_check(work, m, NULL);
    lc_model_destroy(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_too_many), cmocka_unit_test(test_no_index),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
