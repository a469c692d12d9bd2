/*
 * table_op.c: HASHTABLE gives the handle of a table; HASHTABLE_IMPORT fills it, once; HASHTABLE_FIND looks keys up; HASHTABLE_SIZE counts.
 * A table goes from int64 to string or from string to int64. (HASHTABLE_LOOKUP is another thing: see its family.)
 */
#include "ops/infer.h"

static lc_status check_types(lc_infer_ctx *ctx, lc_dtype key, lc_dtype value) {
    if ((key == LC_INT64 && value == LC_STRING) || (key == LC_STRING && value == LC_INT64)) return LC_OK;
    return LC_OP_UNSUPPORTED(ctx, "a table from %s to %s; tables go from int64 to string or from string to int64", lc_dtype_name(key),
                             lc_dtype_name(value));
}

lc_status lc_infer_HASHTABLE(lc_infer_ctx *ctx) {
    const lc_HashtableOptions *o = LC_OP_ATTRS(ctx->node, HashtableOptions);
    LC_TRY(check_types(ctx, (lc_dtype)o->key_dtype, (lc_dtype)o->value_dtype));
    if (ctx->out[0].type != LC_RESOURCE) return LC_OP_FAIL(ctx, "gives a resource, its output is %s", lc_dtype_name(ctx->out[0].type));
    ctx->out[0].shape = (lc_shape){.rank = 1, .dims = {1}};
    return LC_OK;
}

lc_status lc_infer_HASHTABLE_IMPORT(lc_infer_ctx *ctx) {
    const lc_shape *keys = &ctx->in[1].shape, *values = &ctx->in[2].shape;
    char a[LC_SHAPE_TEXT], b[LC_SHAPE_TEXT];
    LC_TRY(lc_infer_handle(ctx, 0));
    LC_TRY(check_types(ctx, ctx->in[1].type, ctx->in[2].type));
    bool same = keys->rank == values->rank;
    for (int32_t d = 0; same && d < keys->rank; d++) same = keys->dims[d] < 0 || values->dims[d] < 0 || keys->dims[d] == values->dims[d];
    return same ? LC_OK : LC_OP_FAIL(ctx, "keys of shape %s have values of shape %s", lc_shape_text(keys, a), lc_shape_text(values, b));
}

lc_status lc_infer_HASHTABLE_FIND(lc_infer_ctx *ctx) {
    uint64_t n;
    LC_TRY(lc_infer_handle(ctx, 0));
    LC_TRY(check_types(ctx, ctx->in[1].type, ctx->in[2].type));
    if (lc_shape_elements(&ctx->in[2].shape, &n) && n == 0) return LC_OP_FAIL(ctx, "its default value is empty");
    return lc_infer_give(ctx, ctx->in[2].type, &ctx->in[1].shape);
}

lc_status lc_infer_HASHTABLE_SIZE(lc_infer_ctx *ctx) {
    LC_TRY(lc_infer_handle(ctx, 0));
    return lc_infer_give(ctx, LC_INT64, &(lc_shape){.rank = 1, .dims = {1}});
}
