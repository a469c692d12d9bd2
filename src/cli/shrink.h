/*
 * shrink.h: options of `litec convert` that make the model smaller or integer, and doing it.
 */
#ifndef LC_CLI_SHRINK_H
#define LC_CLI_SHRINK_H

#include "cli/budget.h"
#include "cli/prune.h"

#define LC_CLI_STATS_MAX 64

typedef struct lc_cli_shrink {
    const char *scheme, *recipe, *input_type, *output_type, *calibration, *preprocess, *target_runtime;
    lc_cli_list data, layers;
    bool int8_only, per_tensor, weights_only, equalize, correct_bias;
    int32_t block, samples, threads;
    float percentile;
    float means[LC_CLI_STATS_MAX], stds[LC_CLI_STATS_MAX], range[2]; /* of inputs, of tensors without a range; tflite_convert's */
    int32_t stats;
    lc_cli_budget budget;
    lc_cli_prune prune; /* done before */
} lc_cli_shrink;

/* Rows of an option table: T is the command's struct, `field` its lc_cli_shrink. */
#define LC_CLI_SHRINK_OPTIONS(T, field) \
    {"quantize", 0, LC_CLI_STRING, offsetof(T, field.scheme), "SCHEME", "dynamic, float16, int8, int16x8 or int4", 0, 0}, \
        {"representative", \
         0, \
         LC_CLI_LIST, \
         offsetof(T, field.data), \
         "[SIG:][NAME=]DATA", \
         "samples that say what values occur: .npy, .npz, IDX, .csv, pictures", \
         0, \
         0}, \
        {"samples", 0, LC_CLI_COUNT, offsetof(T, field.samples), "N", "of these samples the first N (all)", 1, INT32_MAX}, \
        {"preprocess", \
         0, \
         LC_CLI_STRING, \
         offsetof(T, field.preprocess), \
         "MODEL", \
         "pictures as this model of keras.applications wants them", \
         0, \
         0}, \
        {"input-type", \
         0, \
         LC_CLI_STRING, \
         offsetof(T, field.input_type), \
         "TYPE", \
         "of the inputs: float32, int8, uint8, int16 (float32)", \
         0, \
         0}, \
        {"output-type", 0, LC_CLI_STRING, offsetof(T, field.output_type), "TYPE", "of the outputs, alike", 0, 0}, \
        {"int8-only", 0, LC_CLI_FLAG, offsetof(T, field.int8_only), NULL, "fail where an operator would stay float", 0, 0}, \
        {"layer", \
         0, \
         LC_CLI_LIST, \
         offsetof(T, field.layers), \
         "PATTERN=SCHEME", \
         "another scheme, or float, for layers of this name (op:NAME: operators)", \
         0, \
         0}, \
        {"recipe", 0, LC_CLI_STRING, offsetof(T, field.recipe), "FILE", "such choices from a JSON file", 0, 0}, \
        {"per-tensor", 0, LC_CLI_FLAG, offsetof(T, field.per_tensor), NULL, "one scale for all channels of a weight", 0, 0}, \
        {"weights-only", \
         0, \
         LC_CLI_FLAG, \
         offsetof(T, field.weights_only), \
         NULL, \
         "dynamic, int4: small in the file, floats when it runs", \
         0, \
         0}, \
        {"block", 0,  LC_CLI_COUNT, offsetof(T, field.block), "N", "int4: weights that share a scale, 32, 64, 128 or 256 (a channel)", \
         32,      256}, \
        {"calibration", \
         0, \
         LC_CLI_STRING, \
         offsetof(T, field.calibration), \
         "METHOD", \
         "minmax, average, percentile, entropy or mse (minmax)", \
         0, \
         0}, \
        {"percentile", 0, LC_CLI_NUMBER, offsetof(T, field.percentile), "P", "of --calibration percentile (99.99)", 51, 100}, \
        {"equalize", 0, LC_CLI_FLAG, offsetof(T, field.equalize), NULL, "make the channels of neighbouring layers alike first", 0, 0}, \
        {"correct-bias", \
         0, \
         LC_CLI_FLAG, \
         offsetof(T, field.correct_bias), \
         NULL, \
         "take the mean error of rounded weights off the bias", \
         0, \
         0}, \
        {"target-runtime", \
         0, \
         LC_CLI_STRING, \
         offsetof(T, field.target_runtime), \
         "VERSION", \
         "only what the runtime of this TensorFlow has, 2.8", \
         0, \
         0}, \
    { \
        "threads", 0, LC_CLI_COUNT, offsetof(T, field.threads), "N", "samples run at the same time (one a processor)", 1, 256 \
    }

/* What the options asked for, done: *model is the smaller form, the former one is let go. *report: to be destroyed by the caller, NULL when
 * nothing was asked for; *tradeoff, alike, is empty without a budget. Exit code. */
int lc_cli_shrink_model(const lc_cli_shrink *shrink, lc_model **model, bool quiet, lc_quantize_report **report, lc_tradeoff *tradeoff);

#endif
