/*
 * train_pruned.c: a model that loses four fifths of its weights while it learns, as tfmot's prune_low_magnitude does it, and becomes integer.
 *
 *     train_pruned examples/mnist OUT.tflite
 */
#include "training.h"

static double zeros(const lc_net *net, const char *path) {
    const lc_net_variable v = lc_net_variable_find(net, path);
    size_t n = 0;
    for (size_t i = 0; i < v.count; i++) n += v.value[i] == 0;
    return (double)n / (double)v.count;
}

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: %s MNIST_FOLDER OUT.tflite\n", argv[0]), 2;
    lc_pipeline *train = digits(argv[1], 0, 8000, 32, NULL), *test = digits(argv[1], 8000, 2000, 100, NULL);
    lc_net *net = lc_sequential("pruned");
    lc_add(net, LC_INPUT({28, 28}));
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(128, .activation = "relu", .name = "wide"));
    lc_add(net, LC_DENSE(10, .activation = "softmax"));
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    MUST(lc_compile(net,
                    &(lc_compile_options){
                        .optimizer = {.class_name = "adam"}, .loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics},
                    &err));

    /* From half to four fifths over the first two of three epochs of 250 steps. */
    lc_callback prune;
    const lc_prune_low_magnitude_options how = {
        .sparsity = "80%", .layers = "wide", .polynomial = true, .initial_sparsity = 0.5, .end_step = 500, .frequency = 25};
    MUST(lc_prune_low_magnitude(&how, &prune, &err));
    MUST(lc_fit(net, train, &(lc_fit_options){.epochs = 3, .callbacks = &prune, .callback_count = 1, .verbose = 2, .print = show}, NULL,
                &err));
    lc_callback_deinit(&prune);
    printf("zeros: %.3f of wide/kernel\n", zeros(net, "wide/kernel"));
    report(net, test);
    MUST(lc_net_save(net, argv[2], NULL, &err));

    lc_net_destroy(net);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
