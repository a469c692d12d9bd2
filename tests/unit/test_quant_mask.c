/*
 * test_quant_mask.c: attention masks of -1e9 leave the scores their steps; large values that are no masks keep their range.
 */
#include "quant/quant.h"

#include "ops/build.h"
#include "support/ranges.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { N = 16, SAMPLES = 10 };

static float noise(uint32_t i) { return (float)((i * 2654435761u + 12345u) * 2246822519u >> 8) / 16777216.0f; }

/* How the mask comes: added as (1 - m) * value; taken away as (1 - m) * -value; a constant that is added; chosen; not at all, but the scores
 * themselves are as large. */
enum { ADDED, TAKEN, CONSTANT, CHOSEN, LARGE, FORMS };

static lc_model *make_model(int form, float value) {
    static lc_error err;
    lc_model *model;
    lc_builder b;
    const int8_t none = LC_ActivationFunctionType_NONE;
    assert_int_equal(lc_model_new(NULL, &model, &err), LC_OK);
    lc_builder_init(&b, model, model->graphs[0], &err);
    const int32_t x = lc_build_placeholder(&b, "x", LC_FLOAT32, (int32_t[]){1, N}, 2);
    const int32_t m = lc_build_placeholder(&b, "m", LC_FLOAT32, (int32_t[]){1, N}, 2);
    int32_t scores = lc_build_binary(&b, LC_OP_MUL, x, lc_build_scalar(&b, "scale", form == LARGE ? 20000 : 4), none);
    const int32_t left = lc_build_binary(&b, LC_OP_SUB, lc_build_scalar(&b, "one", 1), m, none);
    lc_build_rename(&b, scores, "scores");
    if (form == ADDED || form == TAKEN) {
        const int32_t mask = lc_build_binary(&b, LC_OP_MUL, left, lc_build_scalar(&b, "least", form == ADDED ? value : -value), none);
        lc_build_rename(&b, mask, "mask");
        scores = lc_build_binary(&b, form == ADDED ? LC_OP_ADD : LC_OP_SUB, scores, mask, none);
    } else if (form == CONSTANT) {
        float values[N];
        for (int i = 0; i < N; i++) values[i] = i < 10 ? 0 : value;
        scores = lc_build_binary(&b, LC_OP_ADD, scores, lc_build_floats(&b, "mask", values, N), none);
    } else if (form == CHOSEN) {
        const int32_t inputs[] = {m, lc_build_scalar(&b, "half", 0.5f)};
        const int32_t on = lc_build_op(&b, LC_OP_GREATER, LC_TABLE_GreaterOptions, NULL, inputs, 2);
        scores = lc_build_select(&b, on, scores, lc_build_scalar(&b, "least", value));
    }
    lc_build_rename(&b, scores, "masked");
    const int32_t y = lc_build_op(&b, LC_OP_SOFTMAX, LC_TABLE_SoftmaxOptions, &(lc_SoftmaxOptions){.beta = 1}, &scores, 1);
    if (b.status != LC_OK) fail_msg("%s", err.message);
    assert_int_equal(lc_graph_add_input(b.graph, x, &err), LC_OK);
    assert_int_equal(lc_graph_add_input(b.graph, m, &err), LC_OK);
    assert_int_equal(lc_graph_add_output(b.graph, y, &err), LC_OK);
    return model;
}

static void fill(lc_session *s, uint32_t sample) {
    float *x = lc_session_input(s, 0).data, *m = lc_session_input(s, 1).data;
    for (uint32_t i = 0; i < N; i++) {
        x[i] = 2 * noise(sample * N + i) - 1;
        m[i] = i < 4 + sample;
    }
}

static float largest_error(lc_model *a, lc_model *b) {
    lc_error err;
    lc_session *s[2];
    lc_model *models[] = {a, b};
    float most = 0;
    for (int i = 0; i < 2; i++)
        if (lc_session_create(models[i], NULL, &s[i], &err) != LC_OK) fail_msg("%s", err.message);
    for (uint32_t k = 0; k < SAMPLES; k++) {
        for (int i = 0; i < 2; i++) {
            fill(s[i], k);
            if (lc_session_run(s[i], &err) != LC_OK) fail_msg("%s", err.message);
        }
        const float *x = lc_session_output(s[0], 0).data, *y = lc_session_output(s[1], 0).data;
        for (int i = 0; i < N; i++) most = fmaxf(most, fabsf(x[i] - y[i]));
    }
    for (int i = 0; i < 2; i++) lc_session_destroy(s[i]);
    return most;
}

static void test_masks(void **unused) {
    (void)unused;
    static const float values[] = {-1e9f, -10000, -3.4e38f};
    for (int form = 0; form < FORMS; form++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            lc_error err;
            lc_ranges ranges;
            lc_quant_report report = {0};
            lc_recipe *recipe;
            lc_model *model = make_model(form, values[v]), *integer;
            counted source = {fill, SAMPLES, 1, 0};
            const lc_quantize_options o = {
                .scheme = LC_SCHEME_INT8, .calibration = v ? LC_CALIBRATE_ENTROPY : LC_CALIBRATE_MINMAX, .threads = 2};
            const lc_feed feed = counted_feed(&source);
            assert_int_equal(lc_ranges_init(model, &ranges, &err), LC_OK);
            if (lc_calibrate(model, &feed, 1, &o, &ranges, NULL, &err) != LC_OK) fail_msg("%s", err.message);
            const lc_range masked = range_named(&ranges, "masked"), scores = form == LARGE ? masked : range_named(&ranges, "scores");
            if (form == LARGE) {
                assert_true(masked.low < -15000 && masked.high > 15000);
            } else {
                assert_true(scores.low > -4 && scores.high < 4);
                assert_true(masked.low < scores.low - 7 && masked.low > scores.low - 9 && masked.high <= scores.high);
            }
            if (form == ADDED)
                assert_true(range_named(&ranges, "mask").low <= masked.low - masked.high && range_named(&ranges, "mask").low > -30);
            if (form == TAKEN)
                assert_true(range_named(&ranges, "mask").high >= masked.high - masked.low && range_named(&ranges, "mask").high < 30);
            if (form == CONSTANT) assert_true(range_named(&ranges, "mask").seen && range_named(&ranges, "mask").low > -30);
            assert_int_equal(lc_recipe_read(NULL, &report.arena, &recipe, &err), LC_OK);
            assert_int_equal(lc_model_fork(model, &integer, &err), LC_OK);
            lc_quant_job job = {.model = integer, .options = &o, .ranges = &ranges, .recipe = recipe, .report = &report, .err = &err};
            if (lc_quant_integer(&job) != LC_OK) fail_msg("%s", err.message);
            assert_int_equal(report.floats.count, 0);
            const float error = largest_error(model, integer);
            if (form != LARGE && !(error < 0.02f)) fail_msg("form %d, %g: %g", form, (double)values[v], (double)error);
            lc_model_destroy(integer);
            lc_ranges_deinit(&ranges);
            lc_arena_deinit(&report.arena);
            lc_model_destroy(model);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_masks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
