/*
 * fuzz_model_text.c: text is read as a model (train/model_text.h); what can be read must come out as JSON that is read as a configuration.
 */
#include "fuzz/fuzz.h"

#include "base/budget.h"
#include "source/keras_read.h"
#include "train/model_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 64u << 20, .max_nodes = 30000};
    lc_budget budget;
    lc_description d;
    lc_text text = {0};
    lc_error err;
    lc_error_clear(&err);
    lc_budget_init(&budget, &limits);
    (void)lc_model_text_probe((const char *)data, size);
    lc_status status = lc_model_text_read((const char *)data, size, &budget, &d, &err);
    if (status == LC_OK) {
        lc_arena arena = {0};
        const lc_json *root;
        lc_keras_model *model;
        lc_budget_init(&budget, NULL);
        if (lc_describe_json(&d, NULL, &text, &err) != LC_OK) abort();
        if (lc_json_parse(text.data, text.size, &budget, &arena, &root, &err) != LC_OK) abort();
        /* A sequential model may leave its input to the data; only then it is no whole configuration. */
        const bool whole = !d.sequential || d.layers[0].is_input;
        if (lc_keras_config(root, "3.15.0", &budget, &arena, &model, &err) != LC_OK && whole) abort();
        lc_arena_deinit(&arena);
    } else if (!err.message[0]) {
        abort();
    }
    lc_describe_end(&d);
    lc_text_deinit(&text);
    return 0;
}
