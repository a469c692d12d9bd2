/*
 * test_keras_quantised.c: weights that a LoRA is added to (src/lower/lower_quantised.c), as .h5 files keep them apart, and what is refused.
 * Quantised layers and LoRA as .keras files have them, with Keras's own results: test_keras_models.c, family image.
 */
#include "support/keras_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A layer on x [2, 4] with weights of these names. */
static lc_model *make(fixture *f, const char *class_name, const char *config, const char *weights, const char *const *names,
                      lc_error *err) {
    fixture_begin(f, "3.9.0");
    const int x = fixture_input(f, "x", "[null, 4]"), d = fixture_layer(f, class_name, "d", config, weights, 1, (int[]){x});
    for (uint32_t i = 0; i < f->layers[d].weight_count; i++) f->layers[d].weights[i].name = names[i];
    fixture_output(f, d);
    return fixture_lower(f, NULL, err);
}

/* x (kernel + a b alpha / rank) + bias; Keras can train bias, a and b and puts them first. */
static void test_sum(void **state) {
    (void)state;
    static const char *const names[] = {"d/bias", "d/lora_kernel_a", "d/lora_kernel_b", "d/kernel"};
    fixture f;
    lc_error err;
    float out[6];
    size_t n = 6;
    int32_t dims[LC_MAX_RANK], rank;
    lc_model *m = make(&f, "Dense", "{\"units\": 3, \"lora_rank\": 2, \"lora_alpha\": 5}", "3 4x2 2x3 4x3", names, &err);
    if (!m) fail_msg("%s", err.message);
    fixture_run(m, 1, out, &n, dims, &rank);
    assert_int_equal(n, 6);
    const float *bias = fixture_weight(&f, 1, 0), *a = fixture_weight(&f, 1, 1), *b = fixture_weight(&f, 1, 2),
                *w = fixture_weight(&f, 1, 3);
    for (size_t r = 0; r < 2; r++)
        for (size_t i = 0; i < 3; i++) {
            double y = bias[i];
            for (size_t k = 0; k < 4; k++)
                y += fixture_value(100, r * 4 + k) * (w[k * 3 + i] + 2.5 * (a[k * 2] * b[i] + a[k * 2 + 1] * b[3 + i]));
            if (fabs(y - out[r * 3 + i]) > 1e-5) fail_msg("[%zu, %zu] is %g, should be %g", r, i, (double)out[r * 3 + i], y);
        }
    lc_model_destroy(m);
    fixture_end(&f);
}

static void refuse(const char *class_name, const char *config, const char *weights, const char *const *names, const char *word) {
    fixture f;
    lc_error err;
    lc_model *m = make(&f, class_name, config, weights, names, &err);
    if (m) fail_msg("%s is taken", config);
    if (!strstr(err.message, word) || !err.hint[0]) fail_msg("%s: \"%s\" (hint \"%s\")", config, err.message, err.hint);
    fixture_end(&f);
}

static void test_refused(void **state) {
    (void)state;
    static const char *const dense[] = {"d/bias", "d/lora_kernel_a", "d/lora_kernel_b", "d/kernel", "d/kernel_scale"};
    static const char *const alone[] = {"d/bias", "d/lora_kernel_a", "d/kernel"};
    static const char *const rows[] = {"d/lora_embeddings_a", "d/lora_embeddings_b", "d/embeddings"};
    static const char *const table[] = {"d/embeddings", "d/embeddings_scale"};
    refuse("Dense", "{\"units\": 3, \"lora_rank\": 3}", "3 4x2 2x3 4x3", dense, "lora_kernel_a");
    refuse("Dense", "{\"units\": 3, \"lora_rank\": 0}", "3 4x2 2x3 4x3", dense, "lora_rank");
    refuse("Dense", "{\"units\": 3}", "3 4x2 2x3 4x3", dense, "lora_rank");
    refuse("Dense", "{\"units\": 3, \"lora_rank\": 2}", "3 4x2 4x3", alone, "lora_kernel_b");
    refuse("Dense", "{\"units\": 3, \"lora_rank\": 2, \"dtype\": \"int8_from_float32\"}", "3 4x2 2x3 4x3 3", dense, "kept apart");
    refuse("Embedding", "{\"input_dim\": 9, \"output_dim\": 3, \"lora_rank\": 2}", "9x2 2x4 9x3", rows, "lora_embeddings_b");
    refuse("Embedding", "{\"input_dim\": 9, \"output_dim\": 3, \"dtype\": \"int8_from_float32\"}", "9x3 9", table, "embeddings");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sum), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
