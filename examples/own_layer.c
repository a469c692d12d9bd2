/*
 * own_layer.c: a Keras model with a layer of somebody's own is converted all the same: this program writes the operators that the layer
 * stands for, and litec does the rest.
 *
 *     own_layer own_layer.keras
 *
 * The layer is Gate of tests/oracle/make_own_layer.py: x sigmoid(sharpness x scale), sharpness in its configuration, scale among its weights.
 */
#include "litec/litec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A number of the configuration. A program with a JSON library would use that. */
static float number(const char *config, const char *key, float otherwise) {
    const char *at = strstr(config, key), *colon = at ? strchr(at, ':') : NULL;
    return colon ? strtof(colon + 1, NULL) : otherwise;
}

static lc_status gate(void *user, lc_layer_builder *b, const lc_layer *layer) {
    (void)user;
    if (strcmp(layer->class_name, "Gate") != 0) return LC_UNSUPPORTED; /* somebody else's */
    if (layer->input_count != 1 || layer->weight_count != 1) return lc_layer_fail(b, LC_INVALID, "a Gate has one input and one weight");
    const float sharpness = number(layer->config, "\"sharpness\"", 1);
    const int32_t x = layer->inputs[0], scale = lc_layer_weight(b, 0);
    const int32_t factor = lc_layer_constant(b, "sharpness", LC_FLOAT32, NULL, 0, &sharpness);
    /* No call needs a check: after a failure they do nothing, and lc_convert says what it was. */
    const int32_t sharp = lc_layer_op(b, "MUL", NULL, (int32_t[]){x, factor}, 2);
    const int32_t scaled = lc_layer_op(b, "MUL", "{\"fused_activation_function\": \"NONE\"}", (int32_t[]){sharp, scale}, 2);
    const int32_t open = lc_layer_op(b, "LOGISTIC", NULL, &scaled, 1);
    lc_layer_output(b, 0, lc_layer_op(b, "MUL", NULL, (int32_t[]){x, open}, 2));
    return LC_OK;
}

int main(int argc, char **argv) {
    static const float x[4] = {1, 2, -1, 0.5f};
    lc_model *model;
    lc_session *session;
    lc_error err;
    if (argc != 2) {
        fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return 2;
    }
    if (lc_convert(argv[1], LC_CONVERT(.layer = gate), &model, &err)) goto failed;
    if (lc_session_create(model, NULL, &session, &err)) {
        lc_model_destroy(model);
        goto failed;
    }
    memcpy(lc_session_input(session, 0).data, x, sizeof x);
    const lc_status status = lc_session_run(session, &err);
    const float *y = lc_session_output(session, 0).data;
    if (!status) printf("%.5f %.5f\n", y[0], y[1]);
    lc_session_destroy(session);
    lc_model_destroy(model);
    if (!status) return 0;

failed:
    fprintf(stderr, "error: %s\nhint: %s\n", err.message, err.hint);
    return 1;
}
