/*
 * convert.c: a trained Keras model becomes a .tflite file, in two calls.
 *
 *     convert MODEL OUT.tflite
 */
#include "litec/litec.h"

#include <stdio.h>

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL OUT.tflite\n", argv[0]);
        return 2;
    }
    lc_convert_stats stats;
    lc_model *model;
    lc_error err;
    uint64_t bytes;

    /* The format is found by content: .h5, .keras or .tflite. Options are named arguments; NULL would do as well. */
    if (lc_convert(argv[1], LC_CONVERT(.stats = &stats), &model, &err)) goto failed;
    printf("%s holds %u layers and %llu parameters\n", stats.format, stats.layers, (unsigned long long)stats.parameters);

    const lc_status status = lc_model_save(model, argv[2], &bytes, &err);
    lc_model_destroy(model);
    if (status) goto failed;
    printf("%s holds %u operators in %llu bytes\n", argv[2], stats.operators, (unsigned long long)bytes);
    return 0;

failed:
    fprintf(stderr, "error: %s\nhint: %s\n", err.message, err.hint);
    return 1;
}
