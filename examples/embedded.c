/*
 * embedded.c: a classifier on a small device: the runtime alone, without the converter. Reads one input of the model from standard input,
 * a byte a number (a grey picture), and prints the class with the highest score.
 *
 *     embedded MODEL.tflite < picture.raw
 *
 * A model that lies in flash needs no file: lc_model_from_memory(bytes, size, ...) uses it where it is. docs/embedding.md builds this
 * program with only the operators that its model has.
 */
#include "litec/runtime.h"

#include <stdio.h>

static int failed(const lc_error *err) {
    fprintf(stderr, "error: %s\n", err->message);
    return 1;
}

int main(int argc, char **argv) {
    lc_model *model;
    lc_session *session;
    lc_error err;
    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL.tflite < picture.raw\n", argv[0]);
        return 2;
    }
    if (lc_model_open(argv[1], NULL, &model, &err)) return failed(&err);
    const lc_status status = lc_session_create(model, NULL, &session, &err);
    lc_model_destroy(model); /* the session keeps it alive */
    if (status) return failed(&err);

    const lc_tensor_view in = lc_session_input(session, 0);
    if (in.type != LC_FLOAT32) {
        fprintf(stderr, "error: the model does not take float32\n");
        return 1;
    }
    for (size_t i = 0; i < in.size / sizeof(float); i++) {
        const int byte = getchar();
        if (byte == EOF) {
            fprintf(stderr, "error: the input ends after %zu bytes, the model takes %zu\n", i, in.size / sizeof(float));
            return 1;
        }
        ((float *)in.data)[i] = (float)byte / 255;
    }
    if (lc_session_run(session, &err)) return failed(&err);

    const lc_tensor_view out = lc_session_output(session, 0);
    const float *scores = out.data;
    size_t best = 0;
    for (size_t i = 1; i < out.size / sizeof(float); i++)
        if (scores[i] > scores[best]) best = i;
    printf("class %zu, %.1f %%\n", best, (double)scores[best] * 100);
    lc_session_destroy(session);
    return 0;
}
