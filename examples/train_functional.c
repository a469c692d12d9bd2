/*
 * train_functional.c: a model with two inputs and two outputs: the upper and the lower half of a digit go through the same layers, and what comes
 * out is which digit it is and whether it is even. The samples are arrays that the program makes.
 *
 *     train_functional examples/mnist
 */
#include "training.h"

enum { SIDE = 28, HALF = SIDE / 2 * SIDE };

int main(int argc, char **argv) {
    if (argc != 2) return fprintf(stderr, "usage: %s MNIST_FOLDER\n", argv[0]), 2;
    char path[1024];
    lc_array images, labels;
    snprintf(path, sizeof path, "%s/t10k-images-idx3-ubyte.gz", argv[1]);
    MUST(lc_array_load(path, NULL, &images, &err));
    snprintf(path, sizeof path, "%s/t10k-labels-idx1-ubyte.gz", argv[1]);
    MUST(lc_array_load(path, NULL, &labels, &err));

    const int n = labels.dims[0];
    const unsigned char *pixels = images.data, *classes = labels.data;
    float *halves[2] = {malloc(sizeof(float) * HALF * (size_t)n), malloc(sizeof(float) * HALF * (size_t)n)};
    float *even = malloc(sizeof(float) * (size_t)n);
    if (!halves[0] || !halves[1] || !even) return 1;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < 2 * HALF; k++) halves[k / HALF][i * HALF + k % HALF] = (float)pixels[i * 2 * HALF + k] / 255;
        even[i] = classes[i] % 2 == 0;
    }
    const size_t bytes = sizeof(float) * HALF * (size_t)n;
    const lc_array x[2] = {{.type = LC_FLOAT32, .rank = 3, .dims = {n, SIDE / 2, SIDE}, .data = halves[0], .size = bytes},
                           {.type = LC_FLOAT32, .rank = 3, .dims = {n, SIDE / 2, SIDE}, .data = halves[1], .size = bytes}};
    const lc_array y[2] = {labels, {.type = LC_FLOAT32, .rank = 2, .dims = {n, 1}, .data = even, .size = sizeof(float) * (size_t)n}};
    const lc_pipeline_arrays arrays = {.x = x, .y = y, .x_count = 2, .y_count = 2};
    lc_pipeline_options options = {.batch = 32, .shuffle = true, .take = 8000};
    lc_pipeline *train, *test;
    MUST(lc_pipeline_from_arrays(&arrays, &options, &train, &err));
    options.skip = 8000;
    MUST(lc_pipeline_from_arrays(&arrays, &options, &test, &err));

    lc_net *net = lc_functional("halves");
    const lc_symbol upper = lc_input(net, LC_INPUT({SIDE / 2, SIDE}, .name = "upper")),
                    lower = lc_input(net, LC_INPUT({SIDE / 2, SIDE}, .name = "lower"));
    const int32_t flat = lc_layer_make(net, LC_FLATTEN()), look = lc_layer_make(net, LC_DENSE(64, .activation = "relu"));
    const lc_symbol a = lc_apply(net, flat, &upper, 1), b = lc_apply(net, flat, &lower, 1);
    const lc_symbol both[2] = {lc_apply(net, look, &a, 1), lc_apply(net, look, &b, 1)}; /* the same weights for both */
    const lc_symbol h = lc_call(net, LC_DENSE(64, .activation = "relu"), lc_call_many(net, LC_CONCATENATE(), both, 2));
    const lc_symbol ends[2] = {lc_call(net, LC_DENSE(10, .activation = "softmax", .name = "digit"), h),
                               lc_call(net, LC_DENSE(1, .activation = "sigmoid", .name = "even"), h)};
    lc_outputs(net, ends, 2);

    const lc_object losses[] = {{.class_name = "sparse_categorical_crossentropy"}, {.class_name = "binary_crossentropy"}},
                    metrics[] = {{.class_name = "accuracy"}, {0}};
    MUST(lc_compile(net, &(lc_compile_options){.optimizer = {.class_name = "adam"}, .losses = losses, .metrics = metrics}, &err));
    MUST(lc_fit(net, train, &(lc_fit_options){.epochs = 3, .verbose = 2, .print = show}, NULL, &err));
    report(net, test);

    lc_net_destroy(net);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    lc_array_deinit(&images);
    lc_array_deinit(&labels);
    for (int i = 0; i < 2; i++) free(halves[i]);
    free(even);
    return 0;
}
