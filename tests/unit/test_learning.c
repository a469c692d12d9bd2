/*
 * test_learning.c: optimizers, schedules, losses, metrics, regularisers and constraints against what Keras made of the same arrays
 * (tests/oracle/make_learning.py wrote the file); an optimizer that is saved and loaded; the same bits with several threads.
 */
#include "base/pool.h"
#include "support/learning.h"
#include "train/loss.h"
#include "train/metric.h"
#include "train/optimizer.h"
#include "train/schedule.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

static parsed file;

static int setup(void **state) {
    (void)state;
    static char text[1 << 20];
    gzFile z = gzopen(LC_TEST_DIR "/data/learning/learning.json.gz", "rb");
    assert_non_null(z);
    const int n = gzread(z, text, sizeof text);
    gzclose(z);
    assert_true(n > 0 && n < (int)sizeof text);
    parse(&file, text, (size_t)n);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lc_arena_deinit(&file.arena);
    return 0;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

static double number(const lc_json *v) {
    if (lc_json_is(v, LC_JSON_STRING))
        return strcmp(v->string, "nan") == 0 ? (double)NAN : strcmp(v->string, "inf") == 0 ? (double)INFINITY : -(double)INFINITY;
    assert_true(lc_json_is(v, LC_JSON_REAL) || lc_json_is(v, LC_JSON_INT));
    return v->real;
}

static void check(const char *what, const lc_json *object, const float *got, const lc_json *want, double tolerance) {
    char buffer[64];
    const char *class = lc_json_is(object, LC_JSON_STRING) ? object->string : lc_json_str(object, "class_name", "");
    snprintf(buffer, sizeof buffer, "%s of %s", what, class);
    for (uint32_t i = 0; i < want->count; i++)
        if (!close_to((double)got[i], number(&want->items[i]), tolerance))
            fail_msg("%s, case %td: element %u is %.9g, Keras has %.9g", buffer, object - file.root, i, (double)got[i],
                     number(&want->items[i]));
}

/* ---- optimizers ------------------------------------------------------------------------------------------------------ */

static void train(trained *t, lc_optimizer *o, numbers *r, int first, int steps, lc_pool *pool) {
    for (int step = first; step < first + steps; step++) {
        for (int k = 0; k < 3; k++) {
            const lc_variable *v = &t->variables[k];
            take(r, v->grad, v->n);
            for (size_t i = 0; i < v->n; i++) v->grad[i] *= 2;
            v->grad[step % 4] = 0;
        }
        assert_null(lc_optimizer_not_finite(o, pool));
        lc_optimizer_step(o, pool);
    }
}

static void test_optimizers(void **state) {
    (void)state;
    const lc_json *cases = lc_json_get(file.root, "optimizers");
    assert_true(cases->count > 30);
    for (uint32_t c = 0; c < cases->count; c++) {
        const lc_json *one = &cases->items[c], *slots = lc_json_get(one, "slots"), *sums = lc_json_get(one, "sums");
        trained t;
        numbers r = {1};
        make_variables(&t, &r);
        lc_optimizer *o;
        lc_error err;
        if (lc_optimizer_create(lc_json_get(one, "object"), t.variables, 3, &o, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
        lc_optimizer_exclude_from_weight_decay(o, lc_json_str(one, "exclude", NULL));
        train(&t, o, &r, 0, 10, NULL);
        char what[40];
        snprintf(what, sizeof what, "optimizer %u: values", c);
        check(what, lc_json_get(one, "object"), t.value, lc_json_get(one, "values"), 2e-6);
        uint32_t n;
        const lc_slot *slot = lc_optimizer_slots(o, &n);
        assert_int_equal(n, slots->count);
        for (uint32_t i = 0; i < n; i++) {
            if (strcmp(slots->items[i].string, "variable") != 0 && strncmp(slots->items[i].string, "variable_", 9) != 0)
                assert_string_equal(slot[i].name, slots->items[i].string);
            double sum = 0;
            for (size_t k = 0; k < slot[i].n; k++)
                sum += slot[i].type == LC_INT64 ? (double)((int64_t *)slot[i].data)[k] : (double)((float *)slot[i].data)[k];
            if (!close_to(sum, number(&sums->items[i]), 1e-5))
                fail_msg("optimizer %u: slot %s sums to %.9g, Keras has %.9g", c, slot[i].name, sum, number(&sums->items[i]));
        }
        lc_optimizer_destroy(o);
    }
}

/* State written out after five steps and read into a new optimizer goes on as if nothing had been. */
static void test_resume(void **state) {
    (void)state;
    const lc_json *cases = lc_json_get(file.root, "optimizers");
    for (uint32_t c = 0; c < cases->count; c++) {
        const lc_json *one = &cases->items[c], *object = lc_json_get(one, "object");
        if (lc_json_str(one, "exclude", NULL)) continue;
        trained t;
        numbers r = {1};
        make_variables(&t, &r);
        lc_optimizer *o, *again;
        assert_int_equal(lc_optimizer_create(object, t.variables, 3, &o, NULL), LC_OK);
        train(&t, o, &r, 0, 5, NULL);
        assert_int_equal(lc_optimizer_create(object, t.variables, 3, &again, NULL), LC_OK);
        uint32_t n, m;
        const lc_slot *from = lc_optimizer_slots(o, &n), *to = lc_optimizer_slots(again, &m);
        assert_int_equal(n, m);
        for (uint32_t i = 0; i < n; i++) memcpy(to[i].data, from[i].data, from[i].n * (from[i].type == LC_INT64 ? 8 : 4));
        lc_optimizer_destroy(o);
        train(&t, again, &r, 5, 5, NULL);
        check("resumed values", object, t.value, lc_json_get(one, "values"), 2e-6);
        lc_optimizer_destroy(again);
    }
}

/* A variable of many pieces: the same bits with one thread and with three. */
static void test_threads(void **state) {
    (void)state;
    const size_t n = 100001;
    float *value[2], *grad[2];
    lc_pool *pools[2] = {NULL, NULL};
    assert_int_equal(lc_pool_create(3, &pools[1], NULL), LC_OK);
    for (int k = 0; k < 2; k++) {
        value[k] = malloc(n * sizeof(float));
        grad[k] = malloc(n * sizeof(float));
        const lc_variable v[2] = {
            {.path = "a/kernel", .value = value[k], .grad = grad[k], .n = n - 1, .rank = 1, .dims = {(int32_t)n - 1}, .trainable = true},
            {.path = "b/kernel", .value = value[k] + n - 1, .grad = grad[k] + n - 1, .n = 1, .rank = 1, .dims = {1}, .trainable = true}};
        numbers r = {7};
        take(&r, value[k], n);
        parsed p;
        const char *text = "{\"class_name\": \"Adam\", \"config\": {\"global_clipnorm\": 0.5, \"use_ema\": true}}";
        const lc_json *object = parse(&p, text, strlen(text));
        lc_optimizer *o;
        assert_int_equal(lc_optimizer_create(object, v, 2, &o, NULL), LC_OK);
        for (int step = 0; step < 3; step++) {
            take(&r, grad[k], n);
            lc_optimizer_step(o, pools[k]);
        }
        grad[k][n / 2] = NAN;
        assert_string_equal(lc_optimizer_not_finite(o, pools[k])->path, "a/kernel");
        grad[k][n / 2] = 0;
        grad[k][n - 1] = INFINITY;
        assert_string_equal(lc_optimizer_not_finite(o, pools[k])->path, "b/kernel");
        lc_optimizer_finalize(o);
        lc_optimizer_destroy(o);
        lc_arena_deinit(&p.arena);
    }
    assert_memory_equal(value[0], value[1], n * sizeof(float));
    for (int k = 0; k < 2; k++) {
        free(value[k]);
        free(grad[k]);
    }
    lc_pool_destroy(pools[1]);
}

static void test_schedules(void **state) {
    (void)state;
    static const int64_t steps[] = {0, 1, 2, 5, 9, 10, 11, 25, 99};
    const lc_json *cases = lc_json_get(file.root, "schedules");
    assert_int_equal(cases->count, 12);
    for (uint32_t c = 0; c < cases->count; c++) {
        const lc_json *one = &cases->items[c];
        lc_schedule s;
        lc_error err;
        if (lc_schedule_read(lc_json_get(one, "object"), &s, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
        float rates[9];
        for (int i = 0; i < 9; i++) rates[i] = lc_schedule_rate(&s, steps[i]);
        check("rates", lc_json_get(one, "object"), rates, lc_json_get(one, "rates"), 2e-7);
    }
}

/* ---- losses and metrics ---------------------------------------------------------------------------------------------- */

static lc_array array_of(const char *name, float *buffer) {
    const lc_json *a = lc_json_get(lc_json_get(file.root, "arrays"), name), *shape = lc_json_get(a, "shape"),
                  *data = lc_json_get(a, "data");
    assert_non_null(data);
    lc_array out = {.type = LC_FLOAT32, .rank = (int32_t)shape->count, .data = buffer, .size = data->count * sizeof(float)};
    for (uint32_t i = 0; i < shape->count; i++) out.dims[i] = (int32_t)shape->items[i].integer;
    for (uint32_t i = 0; i < data->count; i++) buffer[i] = (float)number(&data->items[i]);
    return out;
}

typedef struct batch {
    float a[16], b[16], w[16];
    lc_array y_true, y_pred;
    lc_target target;
} batch;

static void make_batch(batch *b, const lc_json *one, bool weighted) {
    b->y_true = array_of(lc_json_str(one, "true", ""), b->a);
    b->y_pred = array_of(lc_json_str(one, "pred", ""), b->b);
    array_of("weights", b->w);
    b->target =
        (lc_target){.y_true = &b->y_true, .y_pred = &b->y_pred, .weights = weighted ? b->w : NULL, .weight_count = weighted ? 5 : 0};
}

static void test_losses(void **state) {
    (void)state;
    const lc_json *cases = lc_json_get(file.root, "losses");
    assert_true(cases->count > 60);
    for (uint32_t c = 0; c < cases->count; c++) {
        const lc_json *one = &cases->items[c], *object = lc_json_get(one, "object");
        batch b;
        make_batch(&b, one, lc_json_str(one, "weights", NULL) != NULL);
        lc_loss *loss;
        lc_error err;
        if (lc_loss_create(object, NULL, NULL, &loss, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
        double value;
        float gradient[16];
        if (lc_loss_run(loss, &b.target, 1, NULL, &value, gradient, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
        if (!close_to(value, number(lc_json_get(one, "value")), 3e-6))
            fail_msg("loss %u, %s: %.9g, Keras has %.9g", c, lc_json_str(object, "class_name", ""), value,
                     number(lc_json_get(one, "value")));
        char what[40];
        snprintf(what, sizeof what, "loss %u: gradient", c);
        check(what, object, gradient, lc_json_get(one, "grad"), 1e-5);
        lc_loss_destroy(loss);
    }
}

/* A loss of whole samples, an alpha for each class: what does not fit is told. */
static void test_shapes_of_losses(void **state) {
    (void)state;
    static const struct {
        const char *json, *says;
        int32_t rank;
        size_t weights, mask;
    } cases[] = {
        {"{\"class_name\": \"Dice\", \"config\": {\"axis\": [1, 2]}}", NULL, 3, 2, 0},
        {"{\"class_name\": \"Dice\", \"config\": {\"axis\": [-1, 1]}}", NULL, 3, 0, 0},
        {"{\"class_name\": \"Dice\", \"config\": {\"axis\": [1, 2]}}", "weights of steps", 3, 6, 0},
        {"{\"class_name\": \"Dice\", \"config\": {\"axis\": [1, 2]}}", "a mask or weights", 3, 0, 6},
        {"{\"class_name\": \"Dice\", \"config\": {\"axis\": [1]}}", "all of the output's dimensions but the batch", 3, 0, 0},
        {"{\"class_name\": \"Tversky\", \"config\": {\"axis\": [0, 1]}}", "all of the output's dimensions but the batch", 2, 0, 0},
        {"{\"class_name\": \"CategoricalFocalCrossentropy\", \"config\": {\"alpha\": [1, 2]}}", "alpha has 2 numbers", 3, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsed p;
        lc_loss *loss;
        lc_error err = {0};
        float some[24] = {0.5f, 0.25f}, gradient[24], weights[6] = {1, 1, 1, 1, 1, 1};
        const uint8_t mask[6] = {1, 1, 0, 1, 0, 0};
        double value;
        const lc_array a = {.type = LC_FLOAT32,
                            .rank = cases[i].rank,
                            .dims = {2, 3, 4},
                            .data = some,
                            .size = sizeof(float) * (cases[i].rank == 3 ? 24 : 6)};
        const lc_target t = {.y_true = &a,
                             .y_pred = &a,
                             .weights = cases[i].weights ? weights : NULL,
                             .weight_count = cases[i].weights,
                             .mask = {cases[i].mask ? mask : NULL, cases[i].mask}};
        assert_int_equal(lc_loss_create(parse(&p, cases[i].json, strlen(cases[i].json)), NULL, NULL, &loss, &err), LC_OK);
        const lc_status status = lc_loss_run(loss, &t, 1, NULL, &value, gradient, &err);
        if ((status == LC_OK) != !cases[i].says || (status != LC_OK && !strstr(err.message, cases[i].says)))
            fail_msg("case %zu: %s", i, status == LC_OK ? "it fits" : err.message);
        lc_loss_destroy(loss);
        lc_arena_deinit(&p.arena);
    }
}

static void test_metrics(void **state) {
    (void)state;
    const lc_json *cases = lc_json_get(file.root, "metrics");
    assert_true(cases->count > 40);
    for (uint32_t c = 0; c < cases->count; c++) {
        const lc_json *one = &cases->items[c], *object = lc_json_get(one, "object");
        lc_metric *metric;
        lc_error err;
        if (lc_metric_create(object, NULL, NULL, &metric, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
        assert_string_equal(lc_metric_name(metric), lc_json_str(lc_json_get(object, "config"), "name", ""));
        float results[2];
        for (int round = 0; round < 2; round++) { /* the second after a reset */
            for (int k = 0; k < 2; k++) {
                batch b;
                make_batch(&b, one, k == 0);
                if (lc_metric_update(metric, &b.target, NULL, &err) != LC_OK) fail_msg("case %u: %s", c, err.message);
                results[k] = (float)lc_metric_result(metric);
            }
            char what[40];
            snprintf(what, sizeof what, "metric %u", c);
            check(what, object, results, lc_json_get(one, "results"), 2e-6);
            lc_metric_reset(metric);
        }
        lc_metric_destroy(metric);
    }
}

/* ---- regularisers, constraints --------------------------------------------------------------------------------------- */

static void test_variables(void **state) {
    (void)state;
    const lc_json *all = lc_json_get(file.root, "variables"), *regularizers = lc_json_get(all, "regularizers");
    const lc_json *constraints = lc_json_get(all, "constraints");
    float value[24], grad[24], kernel[24];
    numbers r = {3};
    float matrix[12];
    take(&r, matrix, 12);
    take(&r, kernel, 24);
    lc_error err;
    for (uint32_t i = 0; i < regularizers->count; i++) {
        const lc_json *one = &regularizers->items[i];
        lc_variable v = {.path = "k", .value = matrix, .grad = grad, .n = 12, .rank = 2, .dims = {3, 4}};
        memset(grad, 0, sizeof grad);
        assert_int_equal(lc_regularizer_read(lc_json_get(one, "object"), &v.regularizer, &err), LC_OK);
        assert_int_equal(lc_variable_check(&v, &err), LC_OK);
        double sum;
        assert_int_equal(lc_regularizer_run(&v, 1, &sum, &err), LC_OK);
        assert_true(close_to(sum, number(lc_json_get(one, "value")), 1e-6));
        check("regularizer", lc_json_get(one, "object"), grad, lc_json_get(one, "grad"), 1e-6);
    }
    for (uint32_t i = 0; i < constraints->count; i++) {
        const lc_json *one = &constraints->items[i];
        const bool flat = strcmp(lc_json_str(one, "of", ""), "matrix") == 0;
        lc_variable v = {.path = "k", .value = value, .n = flat ? 12 : 24, .rank = flat ? 2 : 4, .dims = {2, 2, 2, 3}};
        if (flat) memcpy(v.dims, (int32_t[]){3, 4}, sizeof(int32_t[2]));
        memcpy(value, flat ? matrix : kernel, v.n * sizeof(float));
        assert_int_equal(lc_constraint_read(lc_json_get(one, "object"), &v.constraint, &err), LC_OK);
        assert_int_equal(lc_variable_check(&v, &err), LC_OK);
        lc_constraint_run(&v);
        check("constraint", lc_json_get(one, "object"), value, lc_json_get(one, "values"), 1e-6);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimizers), cmocka_unit_test(test_resume),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_schedules),  cmocka_unit_test(test_losses),    cmocka_unit_test(test_shapes_of_losses),
        cmocka_unit_test(test_metrics),    cmocka_unit_test(test_variables),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
