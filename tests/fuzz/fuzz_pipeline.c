/*
 * fuzz_pipeline.c: a file as samples to train on. The first byte says how. What opens is read for two epochs, of which the second must give the
 * samples of the first, and again as it lies in a cache, which must give the same once more.
 */
#include "fuzz/fuzz.h"

#include "base/base.h"
#include "litec/pipeline.h"
#include "support/memfile.h"

#include <stdlib.h>
#include <string.h>

/* A sum over the samples of an epoch, whatever their order; false when it failed. */
static bool sum_epoch(lc_pipeline *p, uint64_t *sum) {
    lc_batch b;
    lc_error err;
    *sum = 0;
    for (int i = 0; i < 1000; i++) {
        const lc_status status = lc_pipeline_next(p, &b, &err);
        if (status && (err.status != status || !err.message[0])) abort();
        if (status) return false;
        if (!b.rows) return true;
        for (uint32_t part = 0; part < lc_pipeline_x_count(p) + lc_pipeline_y_count(p); part++) {
            const lc_array *a = &b.x[part]; /* the targets lie behind the inputs */
            const size_t each = a->size / b.rows;
            for (uint32_t r = 0; r < b.rows && each; r++) *sum += lc_hash((const uint8_t *)a->data + r * each, each, b.of[r] * 64 + part);
        }
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    const uint8_t how = data[0];
    const char *path = memfile_open(data + 1, size - 1);
    char target[300];
    if (!path) return 0;
    snprintf(target, sizeof target, "b=%s", path);
    const lc_pipeline_files files = {.x = (const char *const[]){path, NULL},
                                     .y = how & 1 ? (const char *const[]){how & 2 ? target : path, NULL} : NULL,
                                     .weights = how & 4 ? path : NULL,
                                     .height = 3,
                                     .width = 2,
                                     .channels = how & 8 ? 1 : 3};
    lc_pipeline_options o = {.batch = 3,
                             .shuffle = (how & 16) != 0,
                             .buffer = how & 16 ? 2 : 0,
                             .skip_corrupt = (how & 32) != 0,
                             .allow_nan = (how & 64) != 0,
                             .threads = 1,
                             .limits = {.max_memory = 4 << 20}};
    uint64_t first, second;
    bool good = false;
    for (int cache = 0; cache < 2; cache++) {
        lc_pipeline *p;
        lc_error err;
        o.cache = cache;
        const lc_status status = lc_pipeline_from_files(&files, &o, &p, &err);
        if (status && (p || err.status != status || !err.message[0])) abort();
        if (status) break;
        if (!cache) good = sum_epoch(p, &first);
        for (int epoch = 0; epoch < 2 && good; epoch++)
            if (sum_epoch(p, &second) && second != first) abort();
        lc_pipeline_close(p);
    }
    memfile_close();
    return 0;
}
