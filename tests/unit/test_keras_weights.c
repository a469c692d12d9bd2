/*
 * test_keras_weights.c: weights in a file of their own, for an architecture in JSON or in place of a model's own. The files of
 * tests/data/keras/weights (tests/oracle/make_keras_weights.py) hold one model: Dense first_1, Dropout drop, Dense last_3; weight k of layer
 * <something>_<N> is filled with 10 N + k. Also: indices of shards that lie, files that are something else, failing allocations.
 */
#include "litec/litec.h"
#include "source/keras_read.h"
#include "support/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DATA LC_TEST_DIR "/data/keras/weights/"

typedef struct reading {
    lc_map map;
    lc_keras_maps maps;
    lc_zip_check check;
    lc_budget budget;
    lc_arena arena, data;
    lc_keras_model *model;
    lc_error err;
} reading;

static lc_status begin(reading *r, const char *model, const char *weights) {
    *r = (reading){0};
    lc_budget_init(&r->budget, &(lc_limits){.max_memory = 64u << 20});
    lc_error_clear(&r->err);
    lc_status status = lc_map_open(&r->map, model, NULL, &r->err);
    if (status) return status;
    lc_keras_reading how = {&r->map, &r->budget, &r->arena, &r->data, &r->check, weights, &r->maps};
    if (lc_zip_probe(r->map.data, r->map.size)) status = lc_keras_read_zip(&how, &r->model, &r->err);
    else if (lc_h5_probe(r->map.data, r->map.size)) status = lc_keras_read_h5(&how, &r->model, &r->err);
    else status = lc_keras_read_json(&how, &r->model, &r->err);
    const lc_status checked = lc_zip_check_end(&r->check, &r->err);
    return checked ? checked : status;
}

static void end(reading *r) {
    lc_arena_deinit(&r->arena);
    lc_arena_deinit(&r->data);
    lc_keras_maps_close(&r->maps);
    lc_map_close(&r->map);
}

/* Every weight of the model is the one its layer's name says; gives how many there are. */
static uint32_t check(const lc_keras_model *m) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < m->layer_count; i++)
        for (uint32_t k = 0; k < m->layers[i].weight_count; k++, n++) {
            const lc_keras_weight *w = &m->layers[i].weights[k];
            const char *number = strrchr(m->layers[i].name, '_');
            float first;
            assert_non_null(number);
            assert_int_equal(w->rank, k ? 1 : 2);
            memcpy(&first, w->data, sizeof first);
            assert_int_equal((int)first, 10 * atoi(number + 1) + (int)k);
        }
    return n;
}

static void test_forms(void **state) {
    (void)state;
    static const char *const good[][2] = {
        {"seq.json", "seq.h5"},      {"seq.json", "seq.weights.h5"}, {"seq.json", "shards.weights.json"}, {"seq.json", "sharded.keras"},
        {"seq.json", "renamed.h5"},  {"seq.json", "with_input.h5"},  {"string.json", "seq.weights.h5"},   {"k1.json", "k1.h5"},
        {"sharded.keras", "seq.h5"}, {"sharded.keras", NULL},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        reading r;
        char model[400], weights[400];
        snprintf(model, sizeof model, "%s%s", DATA, good[i][0]);
        snprintf(weights, sizeof weights, "%s%s", DATA, good[i][1] ? good[i][1] : "");
        const lc_status status = begin(&r, model, good[i][1] ? weights : NULL);
        if (status) print_error("%s + %s: %s\n", good[i][0], good[i][1] ? good[i][1] : "", r.err.message);
        assert_int_equal(status, LC_OK);
        assert_int_equal(check(r.model), 4);
        end(&r);
    }
}

/* By name where all names are there, whatever is in them: the lowering sees the shapes. */
static void test_names_first(void **state) {
    (void)state;
    lc_model *m;
    lc_error err;
    assert_int_equal(lc_convert(DATA "seq.json", LC_CONVERT(.weights = DATA "swapped.h5"), &m, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "\"first_1\""));
    assert_non_null(strstr(err.message, "[3, 2]"));
}

static void test_errors(void **state) {
    (void)state;
    static const struct {
        const char *model, *weights, *text;
    } bad[] = {
        {"seq.json", "bad_outside.weights.json", "a shard '../weights/seq.weights.h5', which is no plain file name"},
        {"seq.json", "bad_missing.weights.json", "shard 'none_00000.weights.h5': "},
        {"seq.json", "bad_lies.weights.json", "'/layers/dense_1/vars' is in shard 'shards_00000.weights.h5', which does not have it"},
        {"seq.json", "bad_number.weights.json", "which is no plain file name"},
        {"seq.json", "bad_other.weights.json", "shard 'seq.json': "},
        {"seq.json", "bad_empty.weights.json", "without a weight_map"},
        {"seq.json", "seq.json", "without a weight_map"},
        {"seq.json", "too_many.h5", "lists 5 layers, others than the 3 of model 'seq'"},
        {"seq.json", "../../bad/README.md", NULL},
        {"seq.json", "there_is_none.h5", "there_is_none.h5"},
        {"bad_shard.keras", NULL, "the archive has no member 'shards_00001.weights.h5'"},
        {"tfjs.json", NULL, "TensorFlow.js"},
        {"shards.weights.json", NULL, "the index of weights in shards"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reading r;
        char model[400], weights[400];
        snprintf(model, sizeof model, "%s%s", DATA, bad[i].model);
        snprintf(weights, sizeof weights, "%s%s", DATA, bad[i].weights ? bad[i].weights : "");
        assert_int_not_equal(begin(&r, model, bad[i].weights ? weights : NULL), LC_OK);
        if (bad[i].text && !strstr(r.err.message, bad[i].text)) fail_msg("'%s' for '%s'", r.err.message, bad[i].text);
        end(&r);
    }
}

static void test_convert(void **state) {
    (void)state;
    lc_model *m = NULL;
    lc_error err;
    lc_convert_stats stats;
    char *summary = NULL;
    assert_int_equal(lc_convert(DATA "seq.json", LC_CONVERT(.weights = DATA "shards.weights.json", .stats = &stats), &m, &err), LC_OK);
    assert_string_equal(stats.format, "keras-json");
    assert_int_equal(stats.parameters, 23);
    lc_model_destroy(m);
    assert_int_equal(lc_convert(DATA "seq.json", NULL, &m, &err), LC_INVALID);
    assert_non_null(strstr(err.message, "without its weights"));
    assert_non_null(strstr(err.hint, "--weights"));
    assert_int_equal(lc_convert(DATA "seq.weights.h5", NULL, &m, &err), LC_INVALID);
    assert_non_null(strstr(err.hint, "--weights"));
    assert_int_equal(lc_convert(LC_TEST_DIR "/data/keras/k3_sequential.keras", LC_CONVERT(.weights = DATA "too_many.h5"), &m, &err),
                     LC_INVALID);
    assert_int_equal(lc_verify_file(DATA "seq.json", NULL, &summary, &err), LC_OK);
    assert_non_null(strstr(summary, "without weights"));
    lc_free(summary);
}

/* A model of another kind has its own. */
static void test_argument(void **state) {
    (void)state;
    lc_model *m = NULL;
    lc_error err;
    void *data;
    size_t size;
    assert_int_equal(lc_convert(DATA "seq.json", LC_CONVERT(.weights = DATA "seq.h5"), &m, &err), LC_OK);
    assert_int_equal(lc_model_to_memory(m, &data, &size, &err), LC_OK);
    lc_model_destroy(m);
    char path[] = "/tmp/litec_weights_XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
    lc_free(data);
    assert_int_equal(lc_convert(path, LC_CONVERT(.weights = DATA "seq.h5"), &m, &err), LC_ARGUMENT);
    assert_non_null(strstr(err.message, "goes with a Keras model"));
    remove(path);
}

static lc_status work(void *arg, lc_error *err) {
    reading r;
    const lc_status status = begin(&r, DATA "seq.json", arg);
    *err = r.err;
    end(&r);
    return status;
}

static void test_no_memory(void **state) {
    (void)state;
    static const char *const weights[] = {DATA "seq.h5", DATA "shards.weights.json", DATA "sharded.keras", DATA "renamed.h5"};
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) fault_check(work, (void *)(uintptr_t)weights[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),   cmocka_unit_test(test_names_first), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_convert), cmocka_unit_test(test_argument),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
