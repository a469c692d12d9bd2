/*
 * train_softmax.c: the road of TensorFlow 1: softmax regression by 1000 steps of gradient descent, 100 digits each; a checkpoint with its graph;
 * the graph frozen; the frozen graph as .tflite.
 *
 *     train_softmax examples/mnist OUT_FOLDER        softmax.ckpt.*, frozen.pb and softmax.tflite in it
 */
#include "training.h"

int main(int argc, char **argv) {
    if (argc != 3) return fprintf(stderr, "usage: %s MNIST_FOLDER OUT_FOLDER\n", argv[0]), 2;
    lc_pipeline *train = digits(argv[1], 0, 8000, 100, NULL), *test = digits(argv[1], 8000, 2000, 100, NULL);
    char checkpoint[1024], graph[1100], frozen[1024], tflite[1024];
    snprintf(checkpoint, sizeof checkpoint, "%s/softmax.ckpt", argv[2]);
    snprintf(graph, sizeof graph, "%s.meta", checkpoint);
    snprintf(frozen, sizeof frozen, "%s/frozen.pb", argv[2]);
    snprintf(tflite, sizeof tflite, "%s/softmax.tflite", argv[2]);

    lc_net *net = lc_sequential("softmax_regression");
    lc_add(net, LC_INPUT({28, 28}, .name = "x"));
    lc_add(net, LC_FLATTEN());
    lc_add(net, LC_DENSE(10, .kernel_initializer = {.class_name = "zeros"}, .activation = "softmax", .name = "y"));
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options how = {
        .optimizer = LC_SGD(.learning_rate = 0.5), .loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics};
    MUST(lc_compile(net, &how, &err));

    for (int step = 0; step < 1000; step++) { /* by hand, as the tutorial does it */
        lc_batch batch;
        double loss;
        MUST(lc_pipeline_next(train, &batch, &err));
        if (!batch.rows) MUST(lc_pipeline_next(train, &batch, &err)); /* the next epoch */
        MUST(lc_train_on_batch(net, &batch, &loss, &err));
        if (step % 250 == 0) printf("step %d: loss %.4f\n", step, loss);
    }
    report(net, test);

    lc_freeze_stats stats;
    lc_model *model;
    MUST(lc_net_save(net, checkpoint, NULL, &err));
    MUST(lc_freeze(graph, frozen, &(lc_freeze_options){.output_nodes = "y", .stats = &stats}, &err));
    printf("frozen.pb: %u nodes, %u variables are constants\n", stats.nodes, stats.variables);
    MUST(lc_convert(frozen, NULL, &model, &err));
    MUST(lc_model_save(model, tflite, NULL, &err));
    lc_model_destroy(model);

    lc_net_destroy(net);
    lc_pipeline_close(train);
    lc_pipeline_close(test);
    return 0;
}
