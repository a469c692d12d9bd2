/*
 * run_model.c: a program of somebody else that runs a classifier through the device runtime alone. It is compiled as C and as
 * C++ against an installed litec, linked in each way there is (install_test.sh).
 *
 *     run_model MODEL.tflite       exit 0 and "sum 1.000" when the model loads, runs and its outputs add up to 1
 */
#include <litec/runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int die(const char *what, const lc_error *err) {
    fprintf(stderr, "%s: %s (%s)\n", what, err->message, err->hint);
    return 1;
}

int main(int argc, char **argv) {
    lc_model *model = NULL;
    lc_session *session = NULL;
    lc_error err;
    if (argc != 2 || strcmp(lc_version(), LC_VERSION) != 0) return 2;
    if (lc_model_open(argv[1], NULL, &model, &err) != LC_OK) return die("open", &err);
    if (lc_session_create(model, NULL, &session, &err) != LC_OK) return die("session", &err);
    lc_tensor_view in = lc_session_input(session, 0);
    if (in.type != LC_FLOAT32 || !in.data) return 2;
    for (size_t i = 0; i < in.size / sizeof(float); i++) ((float *)in.data)[i] = (float)(i % 7) / 7.0f;
    if (lc_session_run(session, &err) != LC_OK) return die("run", &err);
    lc_tensor_view out = lc_session_output(session, 0);
    const float *p = (const float *)out.data;
    double sum = 0;
    for (size_t i = 0; i < out.size / sizeof(float); i++) sum += (double)p[i];
    printf("sum %.3f of %d outputs, version %s\n", sum, (int)(out.size / sizeof(float)), lc_version());
    lc_session_destroy(session);
    lc_model_destroy(model);
    return fabs(sum - 1.0) < 1e-4 ? 0 : 1;
}
