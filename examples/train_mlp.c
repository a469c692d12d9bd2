/*
 * train_mlp.c: the first tutorial of TensorFlow: a sequential model learns digits, is saved for Keras and for devices.
 *
 *     train_mlp examples/mnist OUT.keras OUT.tflite
 */
#include "training.h"

int main(int argc, char **argv) {
    if (argc != 4) return fprintf(stderr, "usage: %s MNIST_FOLDER OUT.keras OUT.tflite\n", argv[0]), 2;
    lc_pipeline *train = digits(argv[1], 0, 8000, 32, NULL), *test = digits(argv[1], 8000, 2000, 100, NULL);

    lc_net *net = lc_sequential("digits");
    lc_add(net, LC_INPUT({28, 28}));
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(128, .activation = "relu"));
    lc_add(net, LC_DROPOUT(0.2));
    lc_add(net, LC_DENSE(10, .activation = "softmax"));

    char *summary;
    MUST(lc_net_summary(net, &summary, &err));
    fputs(summary, stdout);
    lc_free(summary);

    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    MUST(lc_compile(net,
                    &(lc_compile_options){
                        .optimizer = {.class_name = "adam"}, .loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics},
                    &err));
    MUST(lc_fit(net, train, &(lc_fit_options){.epochs = 3, .verbose = 2, .print = show}, NULL, &err));
    report(net, test);
    MUST(lc_net_save(net, argv[2], NULL, &err));
    MUST(lc_net_save(net, argv[3], NULL, &err));

    lc_net_destroy(net);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
