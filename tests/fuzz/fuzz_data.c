/*
 * fuzz_data.c: a file as a data set. The first byte says for which inputs, and whether the same bytes are the labels or the classes too; what
 * opens is read to its end, twice, and must be the same both times, and as many samples as it said.
 */
#include "fuzz/fuzz.h"

#include "litec/litec.h"
#include "ops/build.h"
#include "support/memfile.h"

#include <stdlib.h>
#include <string.h>

typedef struct input {
    const char *name;
    lc_dtype type;
    int32_t rank, dims[4];
} input;

enum { MODELS = 8 };
static const input inputs[MODELS][2] = {
    {{"image", LC_FLOAT32, 4, {-1, 4, 3, 1}}},
    {{"x", LC_FLOAT32, 2, {-1, 3}}},
    {{"x", LC_INT32, 2, {-1, 3}}},
    {{"a", LC_FLOAT32, 2, {-1, 2}}, {"b", LC_UINT8, 1, {-1}}},
    {{"words", LC_STRING, 1, {-1}}},
    {{"x", LC_FLOAT32, 3, {-1, -1, 2}}},
    {{"x", LC_FLOAT32, 0, {0}}},
    {{"x", LC_FLOAT32, 4, {-1, -1, -1, -1}}},
};

static lc_model *make_model(const input *in) {
    lc_model *model;
    lc_builder b;
    if (lc_model_new(NULL, &model, NULL)) abort();
    lc_builder_init(&b, model, model->graphs[0], NULL);
    for (size_t i = 0; i < 2 && in[i].name; i++) {
        const int32_t x = lc_build_placeholder(&b, in[i].name, in[i].type, in[i].dims, in[i].rank);
        if (b.status || lc_graph_add_input(b.graph, x, NULL) || lc_graph_add_output(b.graph, x, NULL)) abort();
    }
    return model;
}

static uint64_t sum_inputs(const lc_session *s, uint64_t sum) {
    for (size_t i = 0; i < lc_session_input_count(s); i++) {
        const lc_tensor_view v = lc_session_input(s, i);
        if (v.type != LC_STRING && v.size) sum = lc_hash(v.data, v.size, sum);
    }
    return sum;
}

/* All batches; false when one could not be read. */
static bool read_all(lc_data *d, lc_session *s, uint64_t *sum, uint64_t *count) {
    uint32_t n = 1;
    lc_error err;
    *sum = *count = 0;
    while (n && *count < 1000) {
        const lc_status status = lc_data_next(d, s, &n, &err);
        if (status) {
            if (err.status != status || !err.message[0]) abort();
            return false;
        }
        const int64_t *labels = lc_data_labels(d);
        for (uint32_t i = 0; i < n && labels; i++) {
            const char *name = lc_data_class(d, labels[i]);
            *sum += (uint64_t)labels[i] + (name ? strlen(name) : 0);
        }
        *sum = sum_inputs(s, *sum);
        *count += n;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static lc_model *models[MODELS];
    if (size < 2) return 0;
    const uint8_t how = data[0];
    lc_model **model = &models[how % MODELS];
    if (!*model) *model = make_model(inputs[how % MODELS]);
    const char *path = memfile_open(data + 1, size - 1);
    if (!path) return 0;
    const lc_preprocess pixels = {.scale = 1};
    const lc_data_options o = {.limits = {.max_memory = 4 << 20},
                               .pixels = how & 8 ? &pixels : NULL,
                               .labels = how & 16 ? path : NULL,
                               .classes = how & 32 ? path : NULL,
                               .batch = how & 64 ? 3 : 0};
    lc_data *d;
    lc_session *s;
    lc_error err;
    const lc_status status = lc_data_open(*model, (const char *const[]){path, NULL}, &o, &d, &err);
    if (status && (d || err.status != status || !err.message[0])) abort();
    if (status == LC_OK && lc_session_create(*model, &(lc_session_options){.max_memory = 16 << 20}, &s, &err) == LC_OK) {
        uint64_t sum, again, count, count_again;
        const bool good = read_all(d, s, &sum, &count);
        if (good && count < 1000 && count != lc_data_count(d)) abort();
        if (good && lc_data_rewind(d, &err) == LC_OK && read_all(d, s, &again, &count_again) && (sum != again || count != count_again))
            abort();
        lc_session_destroy(s);
    }
    lc_data_close(d);
    memfile_close();
    return 0;
}
