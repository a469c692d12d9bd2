/*
 * fuzz_array.c: a data file (.npy, IDX, PNG, JPEG, each also gzipped) becomes an array. What loads must be dense and of known
 * size, an image must scale to a small input, and each string must be there.
 */
#include "fuzz/fuzz.h"

#include "litec/litec.h"
#include "support/memfile.h"

#include <stdlib.h>
#include <string.h>

static void check_strings(const lc_array *a) {
    lc_tensor_view v = {.type = a->type, .rank = a->rank, .data = a->data, .size = a->size};
    size_t n = 1, length, bytes = 0;
    for (int32_t i = 0; i < a->rank; i++) n *= (size_t)(v.dims[i] = a->dims[i]);
    for (size_t i = 0; i < n; i++) {
        if (!lc_tensor_string(&v, i, &length)) abort();
        bytes += length;
    }
    if (bytes + 4 * (n + 2) != a->size) abort();
}

static void check_sound(const lc_array *a) {
    if (a->type == LC_STRING) {
        check_strings(a);
        return;
    }
    if (a->rank < 0 || a->rank > LC_MAX_RANK || lc_dtype_bits(a->type) == 0) abort();
    uint64_t bits = lc_dtype_bits(a->type);
    for (int32_t i = 0; i < a->rank; i++) {
        if (a->dims[i] < 0) abort();
        bits *= (uint64_t)a->dims[i];
    }
    if ((bits + 7) / 8 != a->size || (a->size && !a->data)) abort();
    unsigned sum = 0; /* every byte is there to be read */
    for (size_t i = 0; i < a->size; i++) sum += ((const unsigned char *)a->data)[i];
    if (sum == 1u << 31) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const lc_limits limits = {.max_memory = 4 << 20};
    lc_array a, b;
    lc_error err;
    const char *path = memfile_open(data, size);
    if (!path) return 0;
    lc_status status = lc_array_load(path, &limits, &a, &err);
    memfile_close();
    if (status != LC_OK) {
        if (a.data || err.status != status || !err.message[0]) abort();
        return 0;
    }
    check_sound(&a);
    if (a.type == LC_UINT8 && a.rank == 3 && lc_image_to_input(&a, 8, 6, size & 1 ? 3 : 1, &(lc_preprocess){.mean = {0.5f}, .bgr = size & 2}, &b, &err) == LC_OK) {
        if (b.rank != 4 || b.type != LC_FLOAT32) abort();
        check_sound(&b);
        lc_array_deinit(&b);
    }
    lc_array_deinit(&a);
    return 0;
}
