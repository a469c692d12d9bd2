/*
 * train_transfer.c: transfer learning: a model that reads digits learns to tell even from odd ones. Its last layer is cut off, a new head learns
 * on what the rest gives, which is worked out once; then both are one model and are tuned together.
 *
 *     train_transfer MODEL.keras LAYER examples/mnist        e.g. examples/models/keras3_cnn.keras dropout
 */
#include "training.h"

/* The target: 1 for even digits. */
static lc_status even(void *user, lc_sample *sample, lc_error *e) {
    (void)user;
    (void)e;
    const lc_array label = lc_sample_get(sample, 1);
    const float is_even = *(const int32_t *)label.data % 2 == 0;
    const int32_t one = 1;
    float *y = lc_sample_set(sample, 1, LC_FLOAT32, &one, 1);
    if (y) *y = is_even;
    return y ? LC_OK : LC_NO_MEMORY;
}

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: %s MODEL LAYER MNIST_FOLDER\n", argv[0]), 2;
    const lc_transform map[] = {LC_MAP_SCALE(1 / 255.0), LC_MAP_RESHAPE(28, 28, 1), LC_MAP_CALL(even, NULL), {0}};
    lc_pipeline *train = digits(argv[3], 0, 1000, 32, map), *test = digits(argv[3], 8000, 2000, 100, map);
    lc_net *model, *base, *head = lc_sequential("head"), *net = lc_sequential("even");
    MUST(lc_net_open(argv[1], NULL, &model, &err));
    MUST(lc_net_cut(model, argv[2], &base, &err));

    /* The head alone, on what the base gives. */
    lc_features *features;
    lc_pipeline *cached;
    MUST(lc_features_of_net(base, train, NULL, &features, &err));
    const lc_pipeline_arrays arrays = lc_features_arrays(features);
    MUST(lc_pipeline_from_arrays(&arrays, &(lc_pipeline_options){.shuffle = true}, &cached, &err));
    printf("the base gives %d numbers for each of %d digits\n", arrays.x[0].dims[1], arrays.x[0].dims[0]);
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    lc_compile_options how = {.optimizer = {.class_name = "adam"}, .loss = {.class_name = "binary_crossentropy"}, .metrics = metrics};
    lc_add(head, LC_INPUT({arrays.x[0].dims[1]}));
    lc_add(head, LC_DENSE(1, .activation = "sigmoid"));
    MUST(lc_compile(head, &how, &err));
    MUST(lc_fit(head, cached, &(lc_fit_options){.epochs = 10, .verbose = 2}, NULL, &err));

    /* Both as one model, first as they are, then tuned with a small rate. */
    lc_add(net, LC_INPUT({28, 28, 1}));
    lc_add_model(net, base);
    lc_add_model(net, head);
    how.optimizer = LC_ADAM(.learning_rate = 1e-4);
    MUST(lc_compile(net, &how, &err));
    report(net, test);
    MUST(lc_fit(net, train, &(lc_fit_options){.epochs = 1, .verbose = 2, .print = show}, NULL, &err));
    report(net, test);

    lc_net_destroy(net);
    lc_net_destroy(head);
    lc_net_destroy(base);
    lc_net_destroy(model);
    lc_pipeline_close(cached);
    lc_features_destroy(features);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
