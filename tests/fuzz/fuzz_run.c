/*
 * fuzz_run.c: a .tflite file that loads is run, with the plain kernels and with the fast ones. Whatever the file says, kernels
 * stay inside their tensors; a session that cannot be made says why. Inputs are filled with a pattern, so that index tensors
 * given as inputs hold wrong indices too. Models that would work for long are left alone: time is not what is looked for here.
 */
#include "fuzz/fuzz.h"
#include "fuzz/work.h"

#include "litec/runtime.h"

#include <stdlib.h>
#include <string.h>

static void run(lc_model *model, const char *isa, uint8_t pattern) {
    const lc_session_options options = {.isa = isa, .max_memory = 8 << 20, .threads = 1, .max_loops = 200};
    lc_session *s;
    lc_error err;
    lc_status status = lc_session_create(model, &options, &s, &err);
    if (status != LC_OK) {
        if (s || err.status != status || !err.message[0]) abort();
        return;
    }
    const uint64_t macs = fuzz_work(model, s);
    for (size_t i = 0; i < lc_session_input_count(s); i++) {
        lc_tensor_view in = lc_session_input(s, i);
        if (in.data) memset(in.data, pattern, in.size);
    }
    if (macs < 20000000 && lc_session_run(s, &err) == LC_OK) {
        unsigned sum = 0;                                                   /* every output byte is there to be read */
        for (size_t i = 0; i < lc_session_output_count(s) && i < 16; i++) { /* thousands may be one tensor */
            lc_tensor_view out = lc_session_output(s, i);
            for (size_t k = 0; k < out.size; k++) sum += ((const unsigned char *)out.data)[k];
        }
        if (sum == 1u << 31) abort();
    }
    lc_session_destroy(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_open_options options = {.limits = {.max_memory = 8 << 20, .max_tables = 20000, .max_nodes = 5000}};
    lc_model *model;
    lc_error err;
    lc_status status = lc_model_from_memory(data, size, &options, &model, &err);
    if (status != LC_OK) {
        if (model || err.status != status || !err.message[0]) abort();
        return 0;
    }
    run(model, "ref", 0x3F);
    run(model, NULL, 0xFF);
    lc_model_destroy(model);
    return 0;
}
