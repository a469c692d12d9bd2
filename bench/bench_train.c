/*
 * bench_train.c: steps of training, for train_vs_keras.py, which says how many and when.
 *
 *     bench_train MODEL BATCH OPTIMIZER
 *
 * MODEL: mlp, cnn, lstm, or the name of a network of keras.applications with a colon and the side of its pictures ("ResNet50V2:32"). Prints
 * "ready N" (the parameters), then reads from standard input numbers of steps, and answers each with the milliseconds that every step took;
 * at the end of the input the most memory it has held, in kB.
 */
#include "litec/train.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { CLASSES = 10 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int fail(const lc_error *err) {
    fprintf(stderr, "bench_train: %s\n", err->message);
    return 1;
}

static lc_net *make(const char *model, lc_array *x, lc_error *err) {
    const char *colon = strchr(model, ':');
    if (colon) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(colon - model), model);
        const int32_t side = atoi(colon + 1);
        lc_net *net = NULL;
        *x = (lc_array){.rank = 4, .dims = {0, side, side, 3}};
        lc_application(name, &(lc_application_options){.input_shape = {side, side, 3}, .classes = CLASSES}, &net, err);
        return net;
    }
    lc_net *net = lc_sequential(model);
    if (strcmp(model, "cnn") == 0) {
        *x = (lc_array){.rank = 4, .dims = {0, 28, 28, 1}};
        lc_add(net, LC_INPUT({28, 28, 1}));
        lc_add(net, LC_CONV2D(32, {3, 3}, .activation = "relu"));
        lc_add(net, LC_MAX_POOLING2D());
        lc_add(net, LC_CONV2D(64, {3, 3}, .activation = "relu"));
        lc_add(net, LC_MAX_POOLING2D());
        lc_add(net, LC_FLATTEN());
        lc_add(net, LC_DROPOUT(0.5));
    } else {
        *x = (lc_array){.rank = 3, .dims = {0, 28, 28}};
        lc_add(net, LC_INPUT({28, 28}));
        if (strcmp(model, "lstm") == 0) {
            lc_add(net, LC_LSTM(128));
        } else {
            lc_add(net, LC_FLATTEN());
            lc_add(net, LC_DENSE(128, .activation = "relu"));
            lc_add(net, LC_DROPOUT(0.2));
        }
    }
    lc_add(net, LC_DENSE(CLASSES, .activation = "softmax"));
    return net;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: bench_train MODEL BATCH OPTIMIZER\n");
        return 2;
    }
    lc_error err = {0};
    lc_array x, y = {.type = LC_INT32, .rank = 1};
    lc_net *net = make(argv[1], &x, &err);
    const lc_object metrics[] = {{.class_name = "accuracy"}, {0}};
    const lc_compile_options compile = {
        .optimizer = {.class_name = argv[3]}, .loss = {.class_name = "sparse_categorical_crossentropy"}, .metrics = metrics};
    if (!net || lc_compile(net, &compile, &err)) return fail(&err);
    x.type = LC_FLOAT32;
    x.dims[0] = y.dims[0] = atoi(argv[2]);
    size_t n = 1, parameters = 0;
    for (int32_t i = 0; i < x.rank; i++) n *= (size_t)x.dims[i];
    for (size_t i = 0; i < lc_net_variable_count(net); i++) parameters += lc_net_variable_at(net, i).count;
    x.size = n * sizeof(float);
    y.size = (size_t)y.dims[0] * sizeof(int32_t);
    float *pixels = x.data = malloc(x.size);
    int32_t *labels = y.data = malloc(y.size);
    if (!pixels || !labels) return 1;
    for (size_t i = 0; i < n; i++) pixels[i] = (float)(rand() % 256) / 255;
    for (int32_t i = 0; i < y.dims[0]; i++) labels[i] = rand() % CLASSES;
    const lc_batch batch = {.rows = (uint32_t)y.dims[0], .x = &x, .y = &y};
    printf("ready %zu\n", parameters);
    fflush(stdout);
    for (int steps; scanf("%d", &steps) == 1; fflush(stdout)) {
        for (; steps > 0; steps--) {
            double loss, t = now();
            if (lc_train_on_batch(net, &batch, &loss, &err)) return fail(&err);
            printf("%.4f%c", now() - t, steps > 1 ? ' ' : '\n');
        }
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld\n", usage.ru_maxrss);
    free(pixels);
    free(labels);
    lc_net_destroy(net);
    return 0;
}
