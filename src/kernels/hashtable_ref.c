/*
 * hashtable_ref.c: HASHTABLE_LOOKUP: row i of the output is the row of values whose key is lookup[i], and hits[i] is 1; zeros (an empty
 * string) and 0 when there is none. Keys are in rising order; if they are not, a lookup ends where the halving ends, as in LiteRT.
 */
#include "kernels/ref.h"
#include "kernels/string_value.h"

#include <string.h>

enum { LOOKUP, KEYS, VALUES };

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, LOOKUP, LC_T(INT32)));
    LC_TRY(lc_ref_input(ctx, KEYS, LC_T(INT32)));
    return ctx->in[VALUES]->type == LC_STRING ? LC_OK : lc_ref_input(ctx, VALUES, LC_T_WHOLE);
}

/* -1: there is none. */
static int64_t find(const int32_t *keys, int64_t n, int32_t key) {
    int64_t low = 0, high = n;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (keys[middle] == key) return middle;
        if (key < keys[middle]) high = middle;
        else low = middle + 1;
    }
    return -1;
}

static lc_status put_strings(lc_kernel_ctx *ctx) {
    const int32_t *lookup = ctx->in[LOOKUP]->data, *keys = ctx->in[KEYS]->data;
    const int64_t n = ctx->in[LOOKUP]->shape.dims[0], rows = ctx->in[KEYS]->shape.dims[0];
    lc_strings values;
    LC_TRY(lc_strings_open(ctx, ctx->in[VALUES], "values", &values));
    if (values.count != (size_t)rows) return lc_fail(ctx->err, LC_INVALID, "has %lld keys for %zu values", (long long)rows, values.count);
    lc_str *found = lc_calloc(n ? (size_t)n : 1, sizeof *found);
    if (!found) return lc_fail_memory(ctx->err, "strings");
    for (int64_t i = 0; i < n; i++) {
        const int64_t at = find(keys, rows, lookup[i]);
        if (at >= 0) found[i] = lc_strings_at(&values, (size_t)at);
        ((uint8_t *)ctx->out[1]->data)[i] = at >= 0;
    }
    const lc_shape shape = {1, {(int32_t)n}};
    const lc_status status = lc_strings_put(ctx, 0, &shape, found, (size_t)n);
    lc_free(found);
    return status;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_value *values = ctx->in[VALUES];
    if (values->type == LC_STRING) return put_strings(ctx);
    const int32_t *lookup = ctx->in[LOOKUP]->data, *keys = ctx->in[KEYS]->data;
    const int64_t n = ctx->in[LOOKUP]->shape.dims[0], rows = ctx->in[KEYS]->shape.dims[0];
    const size_t bytes = (size_t)(lc_ref_elements(values) / rows) * lc_ref_width(values);
    char *out = ctx->out[0]->data;
    for (int64_t i = 0; i < n; i++, out += bytes) {
        const int64_t at = find(keys, rows, lookup[i]);
        if (at >= 0) memcpy(out, (const char *)values->data + (size_t)at * bytes, bytes);
        else memset(out, 0, bytes);
        ((uint8_t *)ctx->out[1]->data)[i] = at >= 0;
    }
    return LC_OK;
}

const lc_kernel lc_kernel_HASHTABLE_LOOKUP = {.prepare = prepare, .run = run};
