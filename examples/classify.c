/*
 * classify.c: what is in this picture? The four steps of every program that uses a model: load model, transform data,
 * run inference, interpret output.
 *
 *     classify MODEL.tflite PICTURE.png LABELS.txt
 */
#include "litec/litec.h"

#include <stdio.h>
#include <string.h>

static int failed(const lc_error *err) {
    fprintf(stderr, "error: %s\nhint: %s\n", err->message, err->hint);
    return 1;
}

/* Line number `wanted` of a text file. */
static void read_label(const char *path, size_t wanted, char *text, size_t size) {
    FILE *f = fopen(path, "r");
    snprintf(text, size, "class %zu", wanted);
    char line[256];
    for (size_t i = 0; f && fgets(line, sizeof line, f); i++) {
        if (i != wanted) continue;
        line[strcspn(line, "\r\n")] = 0;
        snprintf(text, size, "%s", line);
    }
    if (f) fclose(f);
}

/* An input is [batch, height, width] or [batch, height, width, channels]. */
static lc_status load_picture(const char *path, const lc_tensor_view *input, lc_array *scaled, lc_error *err) {
    lc_array picture;
    lc_status status = lc_array_load(path, NULL, &picture, err);
    if (status) return status;
    const int32_t channels = input->rank == 4 ? input->dims[3] : 1;
    status = lc_image_to_input(&picture, input->dims[1], input->dims[2], channels, NULL, scaled, err);
    lc_array_deinit(&picture);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: %s MODEL.tflite PICTURE LABELS.txt\n", argv[0]);
        return 2;
    }
    lc_error err;

    /* 1. Load model: map the file, check it, plan its memory. */
    lc_model *model;
    lc_session *session;
    if (lc_model_open(argv[1], NULL, &model, &err)) return failed(&err);
    const lc_status created = lc_session_create(model, NULL, &session, &err);
    lc_model_destroy(model); /* the session keeps it alive */
    if (created) return failed(&err);

    /* 2. Transform data: the picture in the input's size, as numbers from 0 to 1. */
    const lc_tensor_view input = lc_session_input(session, 0);
    lc_array scaled;
    if (input.type != LC_FLOAT32 || input.rank < 3 || input.rank > 4 || lc_session_output(session, 0).type != LC_FLOAT32) {
        fprintf(stderr, "error: the model does not take one picture\nhint: use an image classifier\n");
        lc_session_destroy(session);
        return 1;
    }
    if (load_picture(argv[2], &input, &scaled, &err)) {
        lc_session_destroy(session);
        return failed(&err);
    }
    memcpy(input.data, scaled.data, scaled.size < input.size ? scaled.size : input.size);
    lc_array_deinit(&scaled);

    /* 3. Run inference. */
    if (lc_session_run(session, &err)) {
        lc_session_destroy(session);
        return failed(&err);
    }

    /* 4. Interpret output: one score a class; the largest is the answer. */
    const lc_tensor_view output = lc_session_output(session, 0);
    const float *scores = output.data;
    const size_t classes = output.size / sizeof *scores;
    size_t best = 0;
    for (size_t i = 1; i < classes; i++)
        if (scores[i] > scores[best]) best = i;
    char label[256];
    read_label(argv[3], best, label, sizeof label);
    printf("%s: %s (%.1f %%)\n", argv[2], label, 100.0 * (double)scores[best]);
    lc_session_destroy(session);
    return 0;
}
