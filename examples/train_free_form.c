/*
 * train_free_form.c: a model as functions of C: variables, a training step and a prediction, traced into graphs when they are first called. What
 * is saved has both as signatures: the .tflite file goes on learning wherever it runs.
 *
 *     train_free_form examples/mnist OUT.tflite
 */
#include "training.h"

#include <string.h>

enum { BATCH = 100, HIDDEN = 64 };

static int32_t network(lc_trace *t, int32_t x) {
    const int32_t flat = lc_reshape(t, x, (const int32_t[]){-1, 784}, 2);
    const int32_t h = lc_unary(t, "RELU", lc_add_to(t, lc_matmul(t, flat, lc_trace_variable(t, "w1")), lc_trace_variable(t, "b1")));
    return lc_add_to(t, lc_matmul(t, h, lc_trace_variable(t, "w2")), lc_trace_variable(t, "b2"));
}

/* in: digits [batch, 28, 28], labels [batch, 10] */
static void step(void *rate, lc_trace *t, const int32_t *in, uint32_t n) {
    static const char *const names[] = {"w1", "b1", "w2", "b2"};
    int32_t variables[4], gradients[4];
    (void)n;
    const int32_t logits = network(t, in[0]), loss = lc_softmax_cross_entropy(t, logits, in[1]);
    for (int i = 0; i < 4; i++) variables[i] = lc_trace_variable(t, names[i]);
    lc_gradients(t, loss, variables, 4, gradients);
    for (int i = 0; i < 4; i++) lc_assign_sub(t, variables[i], lc_times(t, gradients[i], *(const float *)rate));
    lc_trace_output(t, "loss", loss);
    lc_trace_output(t, "accuracy", lc_same_largest(t, logits, in[1]));
}

static void predict(void *user, lc_trace *t, const int32_t *in, uint32_t n) {
    (void)user, (void)n;
    lc_trace_output(t, "digit", lc_unary(t, "SOFTMAX", network(t, in[0])));
}

static void variable(lc_module *m, const char *name, int32_t rows, int32_t cols) {
    static float values[784 * HIDDEN];
    for (int32_t i = 0; i < rows * cols; i++) values[i] = ((float)(rand() % 2001) / 1000 - 1) * 0.08f; /* the same in every run */
    MUST(lc_module_variable(m, name, cols ? (const int32_t[]){rows, cols} : (const int32_t[]){rows}, cols ? 2 : 1, cols ? values : NULL,
                            true, &err));
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: %s MNIST_FOLDER OUT.tflite\n", argv[0]), 2;
    static float rate = 0.3f;
    const lc_transform map[] = {LC_MAP_SCALE(1 / 255.0), LC_MAP_ONE_HOT(10), {0}};
    lc_pipeline *train = digits(argv[1], 0, 8000, BATCH, map), *test = digits(argv[1], 8000, 2000, BATCH, map);
    lc_module *m;
    lc_batch batch;
    lc_array out[2];
    MUST(lc_module_create(NULL, &m, &err));
    variable(m, "w1", 784, HIDDEN);
    variable(m, "b1", HIDDEN, 0);
    variable(m, "w2", HIDDEN, 10);
    variable(m, "b2", 10, 0);
    MUST(lc_module_function(m, "step", step, &rate, &err));
    MUST(lc_module_function(m, "predict", predict, NULL, &err));

    for (int i = 0; i < 400; i++) {
        MUST(lc_pipeline_next(train, &batch, &err));
        if (!batch.rows) MUST(lc_pipeline_next(train, &batch, &err)); /* the next epoch */
        MUST(lc_module_call(m, "step", (const lc_array[]){batch.x[0], batch.y[0]}, 2, out, 2, &err));
        if (i % 100 == 0) printf("step %d: loss %.4f accuracy %.2f\n", i, (double)*(float *)out[0].data, (double)*(float *)out[1].data);
        lc_array_deinit(&out[0]);
        lc_array_deinit(&out[1]);
    }

    int right = 0, seen = 0;
    for (;;) {
        MUST(lc_pipeline_next(test, &batch, &err));
        if (!batch.rows) break;
        MUST(lc_module_call(m, "predict", batch.x, 1, out, 1, &err));
        for (uint32_t r = 0; r < batch.rows; r++, seen++) {
            const float *p = (const float *)out[0].data + r * 10, *y = (const float *)batch.y[0].data + r * 10;
            int best = 0;
            for (int k = 1; k < 10; k++)
                if (p[k] > p[best]) best = k;
            right += y[best] > 0;
        }
        lc_array_deinit(&out[0]);
    }
    printf("test: %d of %d right\n", right, seen);
    MUST(lc_module_save(m, argv[2], &err));
    for (size_t i = 0; i < lc_module_concrete_count(m); i++) printf("signature %s\n", lc_module_concrete_name(m, i));
    lc_module_destroy(m);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
