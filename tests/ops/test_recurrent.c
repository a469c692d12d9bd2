/*
 * State that outlives a run: LSTM, RNN and SVDF models of tests/data/runs whose second run depends on the first. test_runs checks what they
 * answer run by run; here a session that is reset, and a second session of the same model, must answer as a new one does.
 */
#include "runs.h"

static lc_error err;
static uint32_t cases, moved; /* `moved`: another answer to the same input, so there is state */

static void feed(lc_session *s, const uint8_t *const *inputs, const uint32_t *sizes, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        const lc_tensor_view v = lc_session_input(s, i);
        assert_int_equal(v.size, sizes[i]);
        if (sizes[i]) memcpy(v.data, inputs[i], sizes[i]);
    }
}

/* Runs and copies output 0, or compares with it. */
static bool run_is(lc_session *s, uint8_t *answer, bool first) {
    assert_int_equal(lc_session_run(s, &err), LC_OK);
    const lc_tensor_view v = lc_session_output(s, 0);
    assert_true(v.size <= 4096);
    if (first) memcpy(answer, v.data, v.size);
    return memcmp(answer, v.data, v.size) == 0;
}

static void check_case(const char *path, const runs_case *c) {
    const uint8_t *inputs[4];
    uint32_t sizes[4];
    uint8_t answer[4096];
    runs_reader at = c->first;
    lc_model *m = NULL;
    lc_session *a = NULL, *b = NULL;
    (void)path;
    if (strstr(c->name, "from float16")) return; /* it starts from other values than 0 and is reset to 0 */
    const uint32_t n = runs_u32(&at);
    assert_true(n <= 4);
    for (uint32_t i = 0; i < n; i++) {
        const runs_tensor t = runs_take(&at);
        inputs[i] = t.data;
        sizes[i] = t.size;
    }
    assert_int_equal(lc_model_from_memory(c->model, c->model_size, NULL, &m, &err), LC_OK);
    assert_int_equal(lc_session_create(m, NULL, &a, &err), LC_OK);
    assert_int_equal(lc_session_create(m, NULL, &b, &err), LC_OK);
    feed(a, inputs, sizes, n);
    feed(b, inputs, sizes, n);
    run_is(a, answer, true);
    moved += !run_is(a, answer, false);
    if (!run_is(b, answer, false)) fail_msg("%s: the second session answers otherwise", c->name);
    lc_session_reset(a);
    if (!run_is(a, answer, false)) fail_msg("%s: answers otherwise after a reset", c->name);
    cases++;
    lc_session_destroy(b);
    lc_session_destroy(a);
    lc_model_destroy(m);
}

static void test_reset(void **state) {
    static const char *const families[] = {"lstm", "rnn", "svdf"};
    (void)state;
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) runs_for_all(families[i], check_case);
    assert_true(cases > 100);
    assert_true(moved > cases / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reset)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
