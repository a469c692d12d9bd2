/*
 * transfer_tool.c: transfer_tool MODEL LAYER X.npy Y.npy: what check_transfer.py compares with Keras. The model is cut at LAYER ("-": as it is),
 * gets a head of zeros, and takes ten steps of SGD with the model frozen, then ten with all of it. Prints the variables.
 */
#include "litec/train.h"

#include <stdio.h>
#include <string.h>

#define MUST(call) \
    do { \
        if ((call) != LC_OK) return fprintf(stderr, "%s\n%s\n", err.message, err.hint), 1; \
    } while (0)

static lc_status steps(lc_net *net, lc_pipeline *data, const char *frozen, lc_error *err) {
    const lc_compile_options how = {.optimizer = {.class_name = "sgd", .config = "{\"learning_rate\": 0.2}"},
                                    .loss = {.class_name = "sparse_categorical_crossentropy"}};
    lc_status status = lc_net_set_trainable(net, NULL, true, err);
    if (status == LC_OK && frozen) status = lc_net_set_trainable(net, frozen, false, err);
    if (status == LC_OK) status = lc_compile(net, &how, err);
    return status == LC_OK ? lc_fit(net, data, &(lc_fit_options){.epochs = 10}, NULL, err) : status;
}

int main(int argc, char **argv) {
    lc_error err = {0};
    lc_net *model, *base, *net = lc_sequential("whole");
    lc_pipeline *data;
    if (argc != 5) return 2;
    const char *const x[] = {argv[3], NULL}, *const y[] = {argv[4], NULL};
    const lc_pipeline_files files = {.x = x, .y = y};
    MUST(lc_pipeline_from_files(&files, &(lc_pipeline_options){.batch = 16}, &data, &err));
    MUST(lc_net_open(argv[1], NULL, &model, &err));
    const bool cut = strcmp(argv[2], "-") != 0;
    if (cut) MUST(lc_net_cut(model, argv[2], &base, &err));
    lc_add_model(net, cut ? base : model);
    lc_add(net, LC_DENSE(4, .activation = "softmax", .kernel_initializer = {.class_name = "zeros"}, .name = "head"));
    if (cut) lc_net_destroy(base);
    lc_net_destroy(model);
    MUST(lc_net_build(net, &err));
    const char *first = lc_net_variable_at(net, 0).path, *slash = strchr(first, '/');
    char name[200];
    snprintf(name, sizeof name, "%.*s", (int)(slash - first), first);
    MUST(steps(net, data, name, &err));
    MUST(steps(net, data, NULL, &err));
    for (size_t i = 0; i < lc_net_variable_count(net); i++) {
        const lc_net_variable v = lc_net_variable_at(net, i);
        printf("%s\t%d\t", v.path, v.trainable);
        for (int32_t d = 0; d < v.rank; d++) printf("%d ", v.dims[d]);
        printf("\t");
        for (size_t k = 0; k < v.count; k++) printf("%.9g ", (double)v.value[k]);
        printf("\n");
    }
    lc_net_destroy(net);
    lc_pipeline_close(data);
    return 0;
}
