/*
 * quantize.c: a trained model becomes an integer one: ranges from sample pictures, the first layer kept in float, and what it cost.
 *
 *     quantize MODEL SAMPLES OUT.tflite
 *
 * SAMPLES is anything lc_data_open reads: .npy, .npz, IDX, CSV, a folder of pictures.
 */
#include "litec/litec.h"

#include <stdio.h>

int main(int argc, char **argv) {
    lc_model *model = NULL, *small = NULL;
    lc_data *samples = NULL;
    lc_quantize_report *report = NULL;
    lc_error err;
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL SAMPLES OUT.tflite\n", argv[0]);
        return 2;
    }
    const char *files[] = {argv[2], NULL};
    lc_status status = lc_convert(argv[1], NULL, &model, &err);
    if (!status) status = lc_data_open(model, files, &(lc_data_options){.most = 100}, &samples, &err);

    const lc_quantize_options how = {.scheme = LC_SCHEME_INT8,
                                     .data = &samples,
                                     .data_count = 1,
                                     .recipe = "conv2d=float", /* the layer of that name; patterns with * and ? are fine */
                                     .input_type = LC_FLOAT32,
                                     .report = &report};
    if (!status) status = lc_model_quantize(model, &how, &small, &err);
    if (!status) status = lc_model_save(small, argv[3], NULL, &err);
    if (!status) fputs(lc_quantize_report_text(report), stdout);
    else fprintf(stderr, "error: %s\nhint: %s\n", err.message, err.hint);

    lc_quantize_report_destroy(report);
    lc_data_close(samples);
    lc_model_destroy(small);
    lc_model_destroy(model);
    return status ? 1 : 0;
}
