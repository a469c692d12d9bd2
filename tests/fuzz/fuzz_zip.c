/*
 * fuzz_zip.c: a zip archive is read whole, every member; then as a .keras file.
 */
#include "fuzz/fuzz_keras.inc"

#include "source/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 16u << 20, .max_tables = 20000};
    lc_map map = {.data = data, .size = size};
    lc_budget budget;
    lc_arena arena = {0};
    lc_error err;
    lc_zip zip;
    lc_budget_init(&budget, &limits);
    lc_error_clear(&err);
    (void)lc_zip_probe(data, size);
    if (lc_zip_open(&map, &budget, &arena, &zip, &err) == LC_OK) {
        for (size_t i = 0; i < zip.count; i++) {
            const uint8_t *p;
            size_t n;
            if (lc_zip_read(&zip, &zip.members[i], &budget, &arena, &p, &n, &err) != LC_OK) continue;
            if (n != zip.members[i].size) abort();
            for (size_t k = 0; k < n; k += 64) touched += p[k];
        }
    } else if (!err.message[0]) {
        abort();
    }
    lc_arena_deinit(&arena);
    return read_keras(lc_keras_read_zip, data, size);
}
