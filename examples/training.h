/*
 * training.h: what the training examples share: the digits of MNIST in two pipelines, and errors that end the program.
 *
 * The folder has the 10,000 test digits (examples/mnist): 8,000 to learn from, 2,000 to test on. The larger set is one name away:
 * .x = {"mnist:train"} instead of the files (litec dataset fetch mnist).
 */
#ifndef EXAMPLES_TRAINING_H
#define EXAMPLES_TRAINING_H

#include "litec/train.h"

#include <stdio.h>
#include <stdlib.h>

static lc_error err;

/* The call, or its message and the end of the program. */
#define MUST(call) \
    do { \
        if (call) { \
            fprintf(stderr, "error: %s\nhint: %s\n", err.message, err.hint); \
            exit(1); \
        } \
    } while (0)

/* Digits first to first + count of the folder's files, as float32 [28, 28] from 0 to 1; map NULL: that alone. */
static inline lc_pipeline *digits(const char *folder, uint64_t first, uint64_t count, uint32_t batch, const lc_transform *map) {
    static const lc_transform scale[] = {LC_MAP_SCALE(1 / 255.0), {0}};
    char images[1024], labels[1024];
    snprintf(images, sizeof images, "%s/t10k-images-idx3-ubyte.gz", folder);
    snprintf(labels, sizeof labels, "%s/t10k-labels-idx1-ubyte.gz", folder);
    const lc_pipeline_files files = {.x = (const char *[]){images, NULL}, .y = (const char *[]){labels, NULL}};
    const lc_pipeline_options options = {
        .batch = batch, .shuffle = true, .seed = 1, .map = map ? map : scale, .classes = 10, .skip = first, .take = count};
    lc_pipeline *data;
    MUST(lc_pipeline_from_files(&files, &options, &data, &err));
    return data;
}

/* Prints what fit prints. */
static inline void show(void *user, const char *text) {
    (void)user;
    fputs(text, stdout);
}

/* Prints the loss and the metrics over the data. */
static inline void report(lc_net *net, lc_pipeline *data) {
    const lc_log *logs;
    size_t n;
    MUST(lc_evaluate(net, data, NULL, &logs, &n, &err));
    printf("test:");
    for (size_t i = 0; i < n; i++) printf(" %s %.4f", logs[i].name, logs[i].value);
    printf("\n");
}

#endif
