/*
 * train_cnn.c: a convolutional network with batch normalisation, a schedule for the learning rate, and a callback that keeps the best model.
 *
 *     train_cnn examples/mnist BEST.keras
 */
#include "training.h"

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: %s MNIST_FOLDER BEST.keras\n", argv[0]), 2;
    const lc_transform map[] = {LC_MAP_SCALE(1 / 255.0), LC_MAP_RESHAPE(28, 28, 1), {0}};
    lc_pipeline *train = digits(argv[1], 0, 4000, 50, map), *test = digits(argv[1], 8000, 2000, 100, map);

    lc_net *net = lc_sequential("cnn");
    lc_add(net, LC_INPUT({28, 28, 1}));
    lc_add(net, LC_CONV2D(16, {3}, .no_bias = true));
    lc_add(net, LC_BATCH_NORMALIZATION());
    lc_add(net, LC_RELU());
    lc_add(net, LC_MAX_POOLING2D());
    lc_add(net, LC_CONV2D(32, {3}, .activation = "relu"));
    lc_add(net, LC_MAX_POOLING2D());
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(10, .activation = "softmax"));

    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options how = {.optimizer = LC_ADAM(.schedule = LC_COSINE_DECAY(0.003, 160)),
                                    .loss = {.class_name = "sparse_categorical_crossentropy"},
                                    .metrics = metrics};
    MUST(lc_compile(net, &how, &err));

    lc_callback best;
    MUST(lc_model_checkpoint(argv[2], &(lc_model_checkpoint_options){.save_best_only = true}, &best, &err));
    const lc_fit_options fit = {.epochs = 2, .validation = test, .callbacks = &best, .callback_count = 1, .verbose = 2, .print = show};
    MUST(lc_fit(net, train, &fit, NULL, &err));
    lc_callback_deinit(&best);
    lc_net_destroy(net);

    MUST(lc_net_open(argv[2], NULL, &net, &err)); /* compiled as it was saved */
    report(net, test);
    lc_net_destroy(net);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
