/*
 * train_resnet.c: a network of keras.applications, made for small pictures and ten classes, learns from the beginning. A few steps here; an epoch
 * of the 60,000 digits of MNIST ends above 97 %.
 *
 *     train_resnet examples/mnist STEPS
 */
#include "training.h"

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: %s MNIST_FOLDER STEPS\n", argv[0]), 2;
    const lc_transform map[] = {LC_MAP_RESHAPE(28, 28, 1), LC_MAP_RESIZE(32, 32), LC_MAP_SCALE(1 / 127.5, .offset = -1), {0}};
    lc_pipeline *train = digits(argv[1], 0, 8000, 16, map);

    lc_net *net;
    MUST(lc_application("ResNet50V2", &(lc_application_options){.input_shape = {32, 32, 1}, .classes = 10}, &net, &err));
    MUST(lc_compile(net,
                    &(lc_compile_options){.optimizer = LC_SGD(.learning_rate = 0.01, .momentum = 0.9),
                                          .loss = {.class_name = "sparse_categorical_crossentropy"}},
                    &err));
    size_t parameters = 0;
    for (size_t i = 0; i < lc_net_variable_count(net); i++) parameters += lc_net_variable_at(net, i).count;
    printf("%zu variables, %zu parameters\n", lc_net_variable_count(net), parameters);

    const uint64_t steps = strtoull(argv[2], NULL, 10);
    MUST(lc_fit(net, train, &(lc_fit_options){.steps_per_epoch = steps ? steps : 1, .verbose = 2, .print = show}, NULL, &err));
    lc_net_destroy(net);
    lc_pipeline_close(train);
    return 0;
}
