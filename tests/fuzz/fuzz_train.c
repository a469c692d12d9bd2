/*
 * fuzz_train.c: text is read as a model (train/model_text.h), built, compiled, and given one step of two samples: whatever a model states, making
 * its variables, its training graph and its gradients ends in a step or in an error that says something. A step that would take long is not made.
 */
#include "fuzz/fuzz.h"

#include "api/net.h"

#include <stdlib.h>
#include <string.h>

#define MOST_NUMBERS 20000 /* in the inputs, and of variables: what a fuzzer can wait for */

/* A step of zeros and ones; targets of the outputs' shapes. */
static void one_step(lc_net *net, lc_error *err) {
    static float zeros[2 * MOST_NUMBERS];
    lc_array x[4], y[4];
    uint64_t numbers = 0;
    if (net->keras->input_count > 4 || net->keras->output_count > 4) return;
    for (uint32_t i = 0; i < net->variable_count; i++) numbers += net->variables[i].n;
    if (numbers > MOST_NUMBERS) return;
    lc_model *now;
    if (lc_net_convert(net, NULL, &now, err) != LC_OK) return;
    bool fits = lc_model_input_count(now) == net->keras->input_count && lc_model_output_count(now) == net->keras->output_count;
    for (uint32_t side = 0; side < 2; side++) {
        const size_t count = side ? lc_model_output_count(now) : lc_model_input_count(now);
        for (size_t i = 0; i < count && i < 4; i++) {
            const lc_tensor_view v = side ? lc_model_output(now, i) : lc_model_input(now, i);
            lc_array *a = side ? &y[i] : &x[i];
            uint64_t n = 2;
            *a = (lc_array){.type = LC_FLOAT32, .rank = v.rank, .data = zeros};
            for (int32_t d = 0; d < v.rank; d++) a->dims[d] = d == 0 ? 2 : v.signature[d] < 0 ? 3 : v.dims[d];
            for (int32_t d = 1; d < v.rank; d++) n = n > MOST_NUMBERS ? n : n * (uint64_t)a->dims[d];
            fits = fits && v.rank >= 1 && n <= MOST_NUMBERS && (side || v.type == LC_FLOAT32 || v.type == LC_INT32);
            a->size = (size_t)n * sizeof(float);
        }
    }
    lc_model_destroy(now);
    const lc_batch batch = {.rows = 2, .x = x, .y = y};
    double loss;
    if (fits && lc_train_on_batch(net, &batch, &loss, err) != LC_OK && !err->message[0]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_nodes = 2000, .max_depth = 16};
    lc_error err;
    lc_net *net;
    lc_error_clear(&err);
    if (size > 2000) return 0;
    if (lc_net_from_text((const char *)data, size, &limits, &net, &err) != LC_OK) return 0;
    const lc_compile_options o = {.optimizer = {.class_name = "sgd"}, .loss = {.class_name = "mse"}};
    lc_status status = lc_compile(net, &o, &err);
    if (status == LC_OK) one_step(net, &err);
    else if (!err.message[0]) abort();
    lc_net_destroy(net);
    return 0;
}
