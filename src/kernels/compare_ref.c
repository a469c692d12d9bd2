/*
 * compare_ref.c: EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL of two tensors that broadcast; a bool (one byte, 0 or 1)
 * for each element. Quantised tensors are in compare_quant.c: their numbers compare only after scaling. Strings are equal or not, byte by
 * byte.
 */
#include "kernels/elementwise.h"
#include "kernels/string_value.h"
#include <string.h>

typedef void (*row_fn)(uint8_t *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n);

#define ROW(name, T, op) \
    static void name##_##T(uint8_t *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n) { \
        for (int64_t i = 0; i < n; i++) out[i] = ((const T *)a)[i * sa] op((const T *)b)[i * sb]; \
    }
#define TYPE(T) ROW(equal, T, ==) ROW(not_equal, T, !=) ROW(less, T, <) ROW(less_equal, T, <=) ROW(greater, T, >) ROW(greater_equal, T, >=)
TYPE(float)
TYPE(int32_t)
TYPE(int64_t)
TYPE(uint8_t)
TYPE(int8_t)
TYPE(int16_t)
/* A 16-bit float. */
#define ROW16(name, KIND, op) \
    static void name##_##KIND(uint8_t *out, const void *a, int64_t sa, const void *b, int64_t sb, int64_t n) { \
        for (int64_t i = 0; i < n; i++) \
            out[i] = lc_##KIND##_to_float(((const uint16_t *)a)[i * sa]) op lc_##KIND##_to_float(((const uint16_t *)b)[i * sb]); \
    }
#define TYPE16(KIND) \
    ROW16(equal, KIND, ==) \
    ROW16(not_equal, KIND, !=) ROW16(less, KIND, <) ROW16(less_equal, KIND, <=) ROW16(greater, KIND, >) ROW16(greater_equal, KIND, >=)
TYPE16(half)
TYPE16(bfloat)

static const struct {
    int32_t op;
    lc_dtype type;
    row_fn row;
} rows[] = {
#define OP(ID, name) \
    {LC_OP_##ID, LC_FLOAT32, name##_float}, {LC_OP_##ID, LC_INT32, name##_int32_t}, {LC_OP_##ID, LC_INT64, name##_int64_t}, \
        {LC_OP_##ID, LC_UINT8, name##_uint8_t}, {LC_OP_##ID, LC_INT8, name##_int8_t}, {LC_OP_##ID, LC_INT16, name##_int16_t}, \
        {LC_OP_##ID, LC_FLOAT16, name##_half}, { \
        LC_OP_##ID, LC_BFLOAT16, name##_bfloat \
    }
    OP(EQUAL, equal),
    OP(NOT_EQUAL, not_equal),
    OP(LESS, less),
    OP(LESS_EQUAL, less_equal),
    OP(GREATER, greater),
    OP(GREATER_EQUAL, greater_equal),
    {LC_OP_EQUAL, LC_BOOL, equal_uint8_t},
    {LC_OP_NOT_EQUAL, LC_BOOL, not_equal_uint8_t},
};

static row_fn find(const lc_kernel_ctx *ctx) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) return rows[i].row;
    return NULL;
}

static lc_status prepare(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, 1u << ctx->in[0]->type); }

static void walk(lc_nd *nd, const lc_kernel_ctx *ctx) {
    lc_nd_init(nd, &ctx->out[0]->shape);
    lc_nd_operand(nd, 0, &ctx->out[0]->shape);
    lc_nd_operand(nd, 1, &ctx->in[0]->shape);
    lc_nd_operand(nd, 2, &ctx->in[1]->shape);
    lc_nd_simplify(nd);
}

static lc_status run(lc_kernel_ctx *ctx) {
    row_fn row = find(ctx);
    size_t width = lc_ref_width(ctx->in[0]);
    lc_nd nd;
    walk(&nd, ctx);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        row((uint8_t *)ctx->out[0]->data + w.at[0], (const char *)ctx->in[0]->data + (size_t)w.at[1] * width, lc_nd_step(&nd, 1),
            (const char *)ctx->in[1]->data + (size_t)w.at[2] * width, lc_nd_step(&nd, 2), lc_nd_row(&nd));
    return LC_OK;
}

static lc_status run_strings(lc_kernel_ctx *ctx) {
    lc_strings a, b;
    lc_nd nd;
    LC_TRY(lc_strings_open(ctx, ctx->in[0], "input 0", &a));
    LC_TRY(lc_strings_open(ctx, ctx->in[1], "input 1", &b));
    walk(&nd, ctx);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t i = 0; i < lc_nd_row(&nd); i++) {
            const lc_str x = lc_strings_at(&a, (size_t)(w.at[1] + i * lc_nd_step(&nd, 1))),
                         y = lc_strings_at(&b, (size_t)(w.at[2] + i * lc_nd_step(&nd, 2)));
            const bool equal = x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
            ((uint8_t *)ctx->out[0]->data)[w.at[0] + i] = equal == (ctx->node->op == LC_OP_EQUAL);
        }
    return LC_OK;
}

static const lc_kernel plain = {.prepare = prepare, .run = run}, strings = {.run = run_strings};

/* Integers of up to 16 bits are scaled when they have scales; LESS and its like of int16 compare the numbers as they are (LiteRT). */
static const lc_kernel *choose(const lc_kernel_ctx *ctx) {
    const lc_dtype type = ctx->in[0]->type;
    const bool equality = ctx->node->op == LC_OP_EQUAL || ctx->node->op == LC_OP_NOT_EQUAL;
    if (type == LC_STRING) return equality && ctx->in[1]->type == LC_STRING ? &strings : NULL;
    const bool scaled = lc_quant_has(ctx->in[0]) || lc_quant_has(ctx->in[1]);
    if (scaled && (type == LC_INT8 || type == LC_UINT8 || (type == LC_INT16 && equality))) return &lc_compare_quant;
    return find(ctx) ? &plain : NULL;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {.choose = choose};
KERNEL(EQUAL)
KERNEL(NOT_EQUAL)
KERNEL(LESS)
KERNEL(LESS_EQUAL)
KERNEL(GREATER)
KERNEL(GREATER_EQUAL)
