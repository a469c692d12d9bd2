/*
 * preprocess.c: how the models of keras.applications want their pixels (preprocess.def), by the name of the module in Keras. The numbers are
 * those of keras/src/applications/imagenet_utils.py.
 */
#include "litec/litec.h"

#include "base/base.h"

#include <string.h>

typedef enum mode { NONE, UNIT, TF, TORCH, CAFFE } mode;

static const struct {
    const char *name;
    mode mode;
} rows[] = {
#define LC_PREPROCESS(module, mode) {#module, mode},
#include "source/preprocess.def"
};
#define ROWS (sizeof rows / sizeof *rows)

static const lc_preprocess modes[] = {
    [NONE] = {.scale = 1},
    [UNIT] = {.scale = 1 / 255.0f},
    [TF] = {.scale = 1 / 127.5f, .mean = {1, 1, 1}},
    [TORCH] = {.mean = {0.485f, 0.456f, 0.406f}, .std = {0.229f, 0.224f, 0.225f}},
    [CAFFE] = {.scale = 1, .mean = {123.68f, 116.779f, 103.939f}, .bgr = true},
};

lc_status lc_preprocess_named(const char *name, lc_preprocess *preprocess, lc_error *err) {
    lc_error_clear(err);
    if (!name || !preprocess) return lc_fail(err, LC_ARGUMENT, "lc_preprocess_named needs a name and a place");
    lc_text all = {0};
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            lc_text_deinit(&all);
            *preprocess = modes[rows[i].mode];
            return LC_OK;
        }
        lc_text_add(&all, i ? ", " : "");
        lc_text_add(&all, rows[i].name);
    }
    lc_fail(err, LC_NOT_FOUND, "keras.applications has no module \"%.100s\" with a preprocess_input", name);
    lc_error_hint(err, "one of %s", all.data ? all.data : "those of keras.applications");
    lc_text_deinit(&all);
    return LC_NOT_FOUND;
}
