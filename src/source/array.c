/*
 * array.c: lc_array, the form in which data files reach a model: read by content, made within a budget, written as .npy.
 */
#include "source/array.h"

#include <string.h>

lc_status lc_array_elements(const int32_t *dims, int32_t rank, uint64_t *elements, lc_error *err) {
    uint64_t n = 1;
    if (rank < 0 || rank > LC_MAX_RANK)
        return lc_fail(err, LC_UNSUPPORTED, "the array has %d dimensions; litec takes up to %d", (int)rank, LC_MAX_RANK);
    for (int32_t d = 0; d < rank; d++)
        if (dims[d] < 0 || !lc_mul_u64(n, (uint64_t)dims[d], &n)) return lc_fail(err, LC_INVALID, "the array's shape overflows");
    *elements = n;
    return LC_OK;
}

lc_status lc_array_make(lc_array *array, lc_dtype type, const int32_t *dims, int32_t rank, lc_budget *budget, lc_error *err) {
    uint64_t n, bytes;
    size_t size;
    LC_TRY(lc_array_elements(dims, rank, &n, err));
    if (!lc_mul_u64(n, lc_dtype_bits(type) / 8, &bytes) || !lc_u64_to_size(bytes, &size))
        return lc_fail(err, LC_INVALID, "the array's shape overflows");
    LC_TRY(lc_budget_memory(budget, bytes, "the array", err));
    void *data = NULL;
    if (size && !(data = lc_calloc(1, size))) return lc_fail_memory(err, "array");
    *array = (lc_array){.type = type, .rank = rank, .data = data, .size = size};
    if (rank) memcpy(array->dims, dims, (size_t)rank * sizeof *dims);
    return LC_OK;
}

void lc_array_deinit(lc_array *array) {
    if (!array) return;
    lc_free(array->data);
    *array = (lc_array){0};
}

typedef struct kind {
    const char *magic;
    size_t length;
    lc_status (*read)(const void *data, size_t size, lc_budget *budget, lc_array *array, lc_error *err);
} kind;

static const kind kinds[] = {
    {"\x93NUMPY", 6, lc_array_read_npy},     {"\x89PNG\r\n\x1a\n", 8, lc_array_read_png},
    {"\xff\xd8\xff", 3, lc_array_read_jpeg}, {"\x1f\x8b", 2, lc_array_read_gzip},
    {"\0\0", 2, lc_array_read_idx},
};

lc_status lc_array_read(const void *data, size_t size, bool allow_gzip, lc_budget *budget, lc_array *array, lc_error *err) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (size < kinds[i].length || memcmp(data, kinds[i].magic, kinds[i].length) != 0) continue;
        if (kinds[i].read == lc_array_read_gzip && !allow_gzip) break;
        return kinds[i].read(data, size, budget, array, err);
    }
    lc_status status = lc_fail(err, LC_INVALID, "not a data file that litec reads");
    if (size >= 4 && memcmp(data, "PK\3\4", 4) == 0) {
        lc_error_hint(err, "if it is a .npz, save the array in it by itself: numpy.save('x.npy', numpy.load('x.npz')['x'])");
        return status;
    }
    lc_error_hint(err, "give a .npy, .png, .jpg or IDX file (IDX and .npy also as .gz)");
    return status;
}

lc_status lc_array_load(const char *path, const lc_limits *limits, lc_array *array, lc_error *err) {
    *array = (lc_array){0};
    lc_map map;
    LC_TRY(lc_map_open(&map, path, limits, err));
    lc_budget budget;
    lc_budget_init(&budget, limits);
    lc_status status = lc_array_read(map.data, map.size, true, &budget, array, err);
    lc_map_close(&map);
    if (status != LC_OK) lc_error_prefix(err, "%s", path);
    return status;
}
