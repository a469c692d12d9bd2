/*
 * fuzz_tflite.c: a .tflite file in memory is loaded; what loads must be a sound model, be written, load again and be equal. A
 * second load starts at an odd address, which takes the way of copies.
 */
#include "fuzz/fuzz.h"

#include "emit/emit.h"
#include "runtime/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    uint8_t *data;
    size_t size, capacity;
} bytes;

static lc_status append(void *user, const void *data, size_t size, lc_error *err) {
    bytes *b = user;
    if (b->size + size > b->capacity) {
        size_t capacity = (b->size + size) * 2;
        uint8_t *p = realloc(b->data, capacity);
        if (!p) return lc_fail_memory(err, "output");
        b->data = p;
        b->capacity = capacity;
    }
    if (size) memcpy(b->data + b->size, data, size);
    b->size += size;
    return LC_OK;
}

static void stop(const char *what, const lc_error *err) {
    fprintf(stderr, "%s: %s %s\n", what, err->rule, err->message);
    abort();
}

static void round_trip(const lc_model *m) {
    bytes b = {0};
    const lc_sink sink = {.write = append, .user = &b};
    uint64_t size;
    lc_error err;
    lc_model *again;
    lc_status status = lc_emit_tflite(m, &sink, &size, &err);
    if (m->unknown_table) { /* a field of a schema to come: it may run, and must not be written without it */
        if (status != LC_UNSUPPORTED || b.data) stop("written without a field that it has", &err);
        return;
    }
    if (status != LC_OK) stop("what was read cannot be written", &err);
    if (size != b.size) abort();
    const lc_limits wide = {.max_memory = UINT64_C(1) << 32};
    if (lc_tflite_load(b.data, b.size, &wide, &again, &err) != LC_OK) stop("what was written does not load", &err);
    if (!lc_model_equal(m, again, &err)) stop("what was written is another model", &err);
    lc_model_destroy(again);
    free(b.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 16 << 20, .max_tables = 20000, .max_nodes = 5000};
    lc_model *m;
    lc_error err;
    (void)lc_tflite_probe(data, size);
    lc_status status = lc_tflite_load(data, size, &limits, &m, &err);
    if (status != LC_OK) {
        if (m || !err.message[0] || status != err.status) abort();
        return 0;
    }
    round_trip(m);
    uint8_t *odd = malloc(size + 1);
    if (odd) {
        lc_model *other;
        memcpy(odd + 1, data, size);
        if (lc_tflite_load(odd + 1, size, &limits, &other, &err) == LC_OK) {
            if (!lc_model_equal(m, other, &err)) stop("another model at an odd address", &err);
            lc_model_destroy(other);
        } else if (err.status != LC_LIMIT) { /* the copies may be the drop that is too much */
            stop("does not load at an odd address", &err);
        }
        free(odd);
    }
    lc_model_destroy(m);
    return 0;
}
