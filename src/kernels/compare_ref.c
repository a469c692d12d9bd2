/*
 * compare_ref.c: EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL of two tensors that broadcast; a bool (one byte, 0 or 1)
 * for each element. Quantised tensors are refused: their numbers compare only after scaling.
 */
#include "kernels/ref.h"

typedef void (*row_fn)(uint8_t *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n);

#define ROW(name, T, op) \
    static void name##_##T(uint8_t *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n) { \
        for (int64_t i = 0; i < n; i++) out[i] = ((const T *)a)[i * sa] op ((const T *)b)[i * sb]; \
    }
#define TYPE(T) \
    ROW(equal, T, ==) ROW(not_equal, T, !=) ROW(less, T, <) ROW(less_equal, T, <=) ROW(greater, T, >) ROW(greater_equal, T, >=)
TYPE(float)
TYPE(int32_t)
TYPE(int64_t)
TYPE(uint8_t)
TYPE(int8_t)

static const struct {
    int32_t op;
    lc_dtype type;
    row_fn row;
} rows[] = {
#define OP(ID, name) \
    {LC_OP_##ID, LC_FLOAT32, name##_float}, {LC_OP_##ID, LC_INT32, name##_int32_t}, {LC_OP_##ID, LC_INT64, name##_int64_t}, \
    {LC_OP_##ID, LC_UINT8, name##_uint8_t}, {LC_OP_##ID, LC_INT8, name##_int8_t}
    OP(EQUAL, equal), OP(NOT_EQUAL, not_equal), OP(LESS, less), OP(LESS_EQUAL, less_equal), OP(GREATER, greater),
    OP(GREATER_EQUAL, greater_equal), {LC_OP_EQUAL, LC_BOOL, equal_uint8_t}, {LC_OP_NOT_EQUAL, LC_BOOL, not_equal_uint8_t},
};

static row_fn find(const lc_kernel_ctx *ctx) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) return rows[i].row;
    return NULL;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    if (!find(ctx)) return lc_ref_refuse(ctx, ctx->in[0]->type);
    for (uint32_t i = 0; i < 2; i++)
        if (ctx->in[i]->def && ctx->in[i]->def->quant && ctx->in[i]->def->quant->scale.n)
            return lc_ref_refuse(ctx, ctx->in[i]->type);
    return lc_ref_inputs(ctx, 0, 1u << ctx->in[0]->type);
}

static lc_status run(lc_kernel_ctx *ctx) {
    row_fn row = find(ctx);
    size_t width = lc_ref_width(ctx->in[0]);
    lc_nd nd;
    lc_nd_init(&nd, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(&nd, 1, &ctx->in[0]->shape);
    lc_nd_operand(&nd, 2, &ctx->in[1]->shape);
    lc_nd_simplify(&nd);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        row((uint8_t *)ctx->out[0]->data + w.at[0], (const char *)ctx->in[0]->data + (size_t)w.at[1] * width,
            lc_nd_step(&nd, 1), (const char *)ctx->in[1]->data + (size_t)w.at[2] * width, lc_nd_step(&nd, 2), lc_nd_row(&nd));
    return LC_OK;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {prepare, run};
KERNEL(EQUAL)
KERNEL(NOT_EQUAL)
KERNEL(LESS)
KERNEL(LESS_EQUAL)
KERNEL(GREATER)
KERNEL(GREATER_EQUAL)
