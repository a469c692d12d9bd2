/*
 * fuzz_quantize.c: a .tflite file that loads and runs is quantised: its last bytes are the options, the recipe and the samples. Whatever
 * comes out is a right model: it is checked, written and read again, and makes a session or says why it cannot.
 */
#include "fuzz/fuzz.h"
#include "fuzz/work.h"

#include "litec/litec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL = 48, SAMPLES = 3, RECIPE = 32 };

static const lc_open_options open_options = {.limits = {.max_memory = 8 << 20, .max_tables = 20000, .max_nodes = 5000}};

static void must_say(lc_status status, const lc_error *err) {
    if (status && (!err->message[0] || err->status != status)) abort();
}

/* Whether a run is short: quantising makes a few. */
static bool runs(lc_model *model) {
    const lc_session_options options = {.max_memory = 8 << 20, .max_loops = 20};
    lc_session *s;
    lc_error err;
    if (lc_session_create(model, &options, &s, &err)) return false;
    const bool runs = fuzz_work(model, s) < 2000000 && lc_session_run(s, &err) == LC_OK;
    lc_session_destroy(s);
    return runs;
}

static float value(uint8_t kind, uint64_t i) {
    static const float reach[] = {1, 0, 1e-30f, 1e30f, 255, 1e-3f, 6, 3e38f};
    const float part = (float)((i * 2654435761u >> 7) % 2001) / 1000 - 1;
    return kind == 255 && i % 7 == 6 ? NAN : kind == 254 && i % 7 == 6 ? INFINITY : part * reach[kind % 8];
}

static lc_status fill(void *user, uint64_t index, lc_session *session, bool *end, lc_error *err) {
    const uint8_t *tail = user;
    (void)err;
    *end = index >= (uint64_t)(tail[0] % (SAMPLES + 1));
    for (size_t k = 0; !*end && k < lc_session_input_count(session); k++) {
        const lc_tensor_view in = lc_session_input(session, k);
        if (!in.data) continue;
        if (in.type != LC_FLOAT32) memset(in.data, tail[1] % 3, in.size);
        for (size_t i = 0; in.type == LC_FLOAT32 && i < in.size / sizeof(float); i++)
            ((float *)in.data)[i] = value(tail[1], i + index * 31);
    }
    return LC_OK;
}

/* A few patterns that fit, and sometimes bytes as they are. */
static const char *recipe(const uint8_t *tail, char text[RECIPE + 1]) {
    static const char *const known[] = {NULL,           "",
                                        "*=int8",       "op:*=float;op:CONV_2D=int8",
                                        "*=int16x8",    "op:ADD=float",
                                        "*a*=dynamic",  "op:FULLY_CONNECTED=int4;op:CONV_2D=float16",
                                        "op:*=float16", "?=float;*=int8"};
    const size_t n = sizeof known / sizeof *known;
    if (tail[2] % 12 < n) return known[tail[2] % 12];
    memcpy(text, tail + TAIL - RECIPE, RECIPE);
    text[RECIPE] = 0;
    return text;
}

static void use(const lc_model *q) {
    lc_model *again;
    lc_session *s;
    lc_error err;
    void *bytes;
    size_t size;
    if (lc_model_check(q, &err) || lc_model_to_memory(q, &bytes, &size, &err)) abort();
    if (lc_model_from_memory(bytes, size, NULL, &again, &err)) abort(); /* what we write we read */
    must_say(lc_session_create(again, NULL, &s, &err), &err);
    if (s) must_say(lc_session_run(s, &err), &err);
    lc_session_destroy(s);
    lc_model_destroy(again);
    lc_free(bytes);
}

static void quantize(lc_model *model, uint8_t *tail) {
    static const lc_dtype types[] = {LC_FLOAT32, LC_FLOAT32, LC_INT8, LC_UINT8, LC_INT16, LC_INT32};
    static const uint32_t blocks[] = {0, 0, 32, 64, 33}, targets[] = {0, 0, 20100, 20800};
    char text[RECIPE + 1];
    lc_error err;
    lc_data *data;
    lc_model *q;
    lc_quantize_report *report = NULL;
    must_say(lc_data_from(fill, tail, &data, &err), &err);
    const lc_quantize_options how = {.scheme = (lc_scheme)(tail[3] % 7),
                                     .recipe = recipe(tail, text),
                                     .data = &data,
                                     .data_count = tail[0] % 9 != 8,
                                     .input_type = types[tail[4] % 6],
                                     .output_type = types[tail[5] % 6],
                                     .only_integer = tail[6] & 1,
                                     .per_tensor = tail[6] & 2,
                                     .weights_only = tail[6] & 4,
                                     .equalize = tail[6] & 8,
                                     .correct_bias = tail[6] & 16,
                                     .block = blocks[tail[7] % 5],
                                     .min_weights = tail[7] & 64 ? 0 : 1,
                                     .target_runtime = targets[tail[8] % 4],
                                     .calibration = (lc_calibration)(tail[9] % 5),
                                     .threads = 1,
                                     .report = &report};
    lc_error_clear(&err);
    const lc_status status = lc_model_quantize(model, &how, &q, &err);
    must_say(status, &err);
    if (status == LC_OK) {
        if (!lc_quantize_report_text(report)[0] || !lc_quantize_report_json(report)[0]) abort();
        lc_quantize_report_destroy(report);
        use(q);
        lc_model_destroy(q);
    } else if (q || report) abort();
    lc_data_close(data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t tail[TAIL] = {0};
    lc_model *model;
    lc_error err;
    if (lc_model_from_memory(data, size, &open_options, &model, &err)) return 0;
    memcpy(tail, data + size - (size < TAIL ? size : TAIL), size < TAIL ? size : TAIL);
    if (runs(model)) {
        quantize(model, tail);
        for (int k = 0; k < TAIL; k++) tail[k] = (uint8_t)(tail[k] * 5 + size + (size_t)k); /* and otherwise */
        tail[0] |= 3;
        quantize(model, tail);
    }
    lc_model_destroy(model);
    return 0;
}
