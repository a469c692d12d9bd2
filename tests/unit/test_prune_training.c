/*
 * test_prune_training.c: pruning while a model trains: the sparsity of each step is that of tfmot's schedules, what is masked is zero after each
 * step, a pattern of neighbours holds along the inputs, and what cannot be is refused.
 */
#include "litec/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 64, IN = 12, STEPS = 40 };

static lc_net *make_net(void) {
    lc_error err;
    lc_net *net = lc_sequential("net");
    lc_add(net, LC_INPUT({IN}));
    lc_add(net, LC_DENSE(20, .activation = "relu", .name = "first"));
    lc_add(net, LC_DENSE(1, .name = "last"));
    if (lc_compile(net, &(lc_compile_options){.optimizer = LC_SGD(0.01, .momentum = 0.9), .loss = {"mse", NULL, NULL}}, &err))
        fail_msg("%s", err.message);
    return net;
}

/* Zeros of the first kernel after each step. */
typedef struct watched {
    size_t zeros[STEPS], n;
} watched;

static lc_status watch(void *user, lc_progress *p, lc_error *err) {
    watched *w = user;
    const lc_net_variable v = lc_net_variable_find(p->net, "first/kernel");
    (void)err;
    assert_true(w->n < STEPS);
    for (size_t i = 0; i < v.count; i++) w->zeros[w->n] += v.value[i] == 0;
    w->n++;
    return LC_OK;
}

static lc_status train(lc_net *net, const lc_callback *prune, watched *w, lc_error *err) {
    static float x[ROWS * IN], y[ROWS];
    for (int i = 0; i < ROWS * IN; i++) x[i] = sinf((float)i * 1.3f);
    for (int i = 0; i < ROWS; i++) y[i] = x[i * IN] - 2 * x[i * IN + 3];
    const lc_array xs = {.type = LC_FLOAT32, .rank = 2, .dims = {ROWS, IN}, .data = x, .size = sizeof x},
                   ys = {.type = LC_FLOAT32, .rank = 2, .dims = {ROWS, 1}, .data = y, .size = sizeof y};
    const lc_pipeline_arrays arrays = {.x = &xs, .x_count = 1, .y = &ys, .y_count = 1};
    lc_pipeline *data;
    *w = (watched){0};
    const lc_callback callbacks[] = {*prune, {.on_batch_end = watch, .user = w}};
    if (lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.batch = 8}, &data, err)) fail_msg("%s", err->message);
    const lc_status status =
        lc_fit(net, data, &(lc_fit_options){.epochs = STEPS * 8 / ROWS, .callbacks = callbacks, .callback_count = 2}, NULL, err);
    lc_pipeline_close(data);
    return status;
}

/* As many of n as tfmot masks. */
static size_t masked(double sparsity, size_t n) { return n - (size_t)fmax(nearbyint((double)n * (1 - sparsity)), 1); }

static void schedules(void **state) {
    (void)state;
    static const lc_prune_low_magnitude_options options[] = {
        {.sparsity = "0.75", .frequency = 1},
        {.sparsity = "80%", .begin_step = 10, .frequency = 7},
        {.sparsity = "0.9", .polynomial = true, .initial_sparsity = 0.2, .begin_step = 5, .end_step = 30, .frequency = 5},
        {.sparsity = "0.5", .polynomial = true, .end_step = 20, .frequency = 2, .power = 1},
    };
    for (size_t k = 0; k < sizeof options / sizeof *options; k++) {
        const lc_prune_low_magnitude_options *o = &options[k];
        const double goal = atof(o->sparsity) / (strchr(o->sparsity, '%') ? 100 : 1), power = o->power != 0 ? o->power : 3;
        lc_error err;
        lc_callback prune;
        watched w;
        lc_net *net = make_net();
        assert_int_equal(lc_prune_low_magnitude(o, &prune, &err), LC_OK);
        if (train(net, &prune, &w, &err)) fail_msg("%s", err.message);
        assert_int_equal(w.n, STEPS);
        size_t wanted = 0;
        for (uint64_t step = 0; step <= STEPS; step++) { /* what step t begins with is seen after step t - 1 */
            const bool due = step >= o->begin_step && (!o->end_step || step <= o->end_step) && (step - o->begin_step) % o->frequency == 0;
            const double part = o->polynomial ? (double)(step - o->begin_step) / (double)(o->end_step - o->begin_step) : 1;
            if (due) wanted = masked(goal + (o->initial_sparsity - goal) * pow(1 - part, power), IN * 20);
            if (step && w.zeros[step - 1] != wanted)
                fail_msg("schedule %zu, step %d: %zu zeros, not %zu", k, (int)step, w.zeros[step - 1], wanted);
        }
        lc_callback_deinit(&prune);
        lc_net_destroy(net);
    }
}

static void neighbours(void **state) {
    (void)state;
    lc_error err;
    lc_callback prune;
    watched w;
    lc_net *net = make_net();
    assert_int_equal(
        lc_prune_low_magnitude(&(lc_prune_low_magnitude_options){.sparsity = "2:4", .layers = "f*", .frequency = 3}, &prune, &err), LC_OK);
    assert_int_equal(train(net, &prune, &w, &err), LC_OK);
    const lc_net_variable v = lc_net_variable_find(net, "first/kernel"), other = lc_net_variable_find(net, "last/kernel");
    for (int32_t c = 0; c < v.dims[1]; c++)
        for (int32_t i = 0; i < v.dims[0]; i += 4) {
            int stay = 0;
            for (int32_t k = 0; k < 4; k++) stay += v.value[(i + k) * v.dims[1] + c] != 0;
            assert_int_equal(stay, 2);
        }
    for (size_t i = 0; i < other.count; i++) assert_true(other.value[i] != 0);
    lc_callback_deinit(&prune);
    lc_net_destroy(net);
}

static void refused(void **state) {
    (void)state;
    static const lc_prune_low_magnitude_options bad[] = {
        {0},
        {.sparsity = "1.5"},
        {.sparsity = "0.5", .initial_sparsity = -1},
        {.sparsity = "0.5", .polynomial = true},
        {.sparsity = "0.5", .begin_step = 10, .end_step = 5},
        {.sparsity = "2:4", .polynomial = true, .end_step = 100},
    };
    lc_error err;
    lc_callback prune;
    watched w;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(lc_prune_low_magnitude(&bad[i], &prune, &err), LC_ARGUMENT);
        assert_true(err.message[0] && !prune.user);
    }
    lc_net *net = make_net();
    assert_int_equal(lc_prune_low_magnitude(&(lc_prune_low_magnitude_options){.sparsity = "0.5", .layers = "conv*"}, &prune, &err), LC_OK);
    assert_int_equal(train(net, &prune, &w, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "conv*"));
    lc_callback_deinit(&prune);
    lc_net_destroy(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(schedules), cmocka_unit_test(neighbours), cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
