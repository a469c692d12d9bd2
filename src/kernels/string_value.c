/*
 * string_value.c: see string_value.h.
 */
#include "kernels/string_value.h"

lc_status lc_strings_open(lc_kernel_ctx *ctx, const lc_value *v, const char *what, lc_strings *strings) {
    uint64_t n;
    *strings = (lc_strings){0};
    if (v->type != LC_STRING) return lc_fail(ctx->err, LC_INVALID, "%s is %s, needs string", what, lc_dtype_name(v->type));
    if (!lc_shape_elements(&v->shape, &n)) return lc_fail(ctx->err, LC_INVALID, "%s has an open shape", what);
    if (!v->data && n == 0) return LC_OK;
    const char *wrong = v->data ? lc_strings_check(v->data, v->size, n) : "was never set";
    if (wrong) return lc_fail(ctx->err, LC_INVALID, "%s: its string buffer %s", what, wrong);
    *strings = (lc_strings){v->data, (size_t)n};
    return LC_OK;
}

lc_status lc_strings_put(lc_kernel_ctx *ctx, uint32_t out, const lc_shape *shape, const lc_str *strings, size_t count) {
    size_t bytes;
    uint64_t n;
    if (!lc_shape_elements(shape, &n) || n != count) return lc_fail(ctx->err, LC_INVALID, "%zu strings for another shape", count);
    if (!lc_strings_size(strings, count, &bytes)) return lc_fail(ctx->err, LC_LIMIT, "the strings are larger than 2 GiB");
    LC_TRY(lc_kernel_resize(ctx, out, shape, bytes));
    lc_strings_write(strings, count, ctx->out[out]->data);
    return LC_OK;
}
