/*
 * reduce_ref.c: MEAN, SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL. The walk goes over the input; the output
 * stands still (stride 0) along the axes that go. Float sums are kept in double, one output at a time: the loop nest is split into
 * the dimensions that stay (outer) and those that go (inner).
 *
 * Over nothing the result is the operation's neutral element; the mean of nothing is 0 / 0. The largest and the smallest start from the
 * lowest and highest finite number (LiteRT): a row of -infinity alone, a mask, has a finite largest.
 */
#include "kernels/reduce.h"
#include "kernels/variants.h"
#include <float.h>

typedef lc_reduction state;

lc_status lc_reduction_of(lc_kernel_ctx *ctx, lc_reduction *s) {
    const lc_shape *in = &ctx->in[0]->shape;
    int64_t axes[64], stride = 1, out_stride = 1;
    uint32_t n = 64;
    bool gone[LC_MAX_RANK] = {false};
    if (!lc_ref_ints(ctx->in[1], axes, &n)) return lc_ref_changed(ctx);
    for (uint32_t i = 0; in->rank && i < n; i++) {
        int64_t a = axes[i] < 0 ? axes[i] + in->rank : axes[i];
        if (a < 0 || a >= in->rank) return lc_ref_changed(ctx);
        gone[a] = true;
    }
    lc_nd_init(&s->stay, in);
    lc_nd_init(&s->gone, in);
    s->count = 1;
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        s->stay.stride[1][d] = s->gone.stride[1][d] = stride;
        stride *= in->dims[d];
        if (gone[d]) {
            s->stay.dims[d] = 1;
            s->count *= in->dims[d];
        } else {
            s->gone.dims[d] = 1;
            s->stay.stride[0][d] = out_stride;
            out_stride *= in->dims[d];
        }
    }
    if (out_stride != lc_ref_elements(ctx->out[0])) return lc_ref_changed(ctx);
    lc_nd_simplify(&s->stay);
    lc_nd_simplify(&s->gone);
    return LC_OK;
}

/* name, element type, accumulator type, start, step (acc, x), finish (acc, count) */
#define REDUCE(name, T, A, start, step, finish) \
    static void name(const state *s, void *out_, const void *in_) { \
        for (lc_nd_walk o = lc_nd_begin(&s->stay); !o.done; lc_nd_next(&s->stay, &o)) \
            for (int64_t i = 0; i < lc_nd_row(&s->stay); i++) { \
                const T *in = (const T *)in_ + o.at[1] + i * lc_nd_step(&s->stay, 1); \
                A acc = (start); \
                int64_t count = s->count; \
                for (lc_nd_walk w = lc_nd_begin(&s->gone); !w.done; lc_nd_next(&s->gone, &w)) \
                    for (int64_t k = 0; k < lc_nd_row(&s->gone); k++) { \
                        T x = in[w.at[1] + k * lc_nd_step(&s->gone, 1)]; \
                        acc = (step); \
                    } \
                (void)count; \
                ((T *)out_)[o.at[0] + i * lc_nd_step(&s->stay, 0)] = (T)(finish); \
            } \
    }
REDUCE(mean_f32, float, double, 0, acc + x, acc / (double)count)
REDUCE(sum_f32, float, double, 0, acc + x, acc)
REDUCE(prod_f32, float, double, 1, acc *x, acc)
REDUCE(max_f32, float, float, -FLT_MAX, x > acc ? x : acc, acc)
REDUCE(min_f32, float, float, FLT_MAX, x < acc ? x : acc, acc)
#define U(x) ((uint64_t)(x))
#define INTEGER(T, suffix, LOW, HIGH) \
    REDUCE(mean_##suffix, T, int64_t, 0, (int64_t)(U(acc) + U(x)), count ? acc / count : 0) \
    REDUCE(sum_##suffix, T, int64_t, 0, (int64_t)(U(acc) + U(x)), acc) \
    REDUCE(prod_##suffix, T, int64_t, 1, (int64_t)(U(acc) * U(x)), acc) \
    REDUCE(max_##suffix, T, T, LOW, x > acc ? x : acc, acc) \
    REDUCE(min_##suffix, T, T, HIGH, x < acc ? x : acc, acc)
INTEGER(int32_t, i32, INT32_MIN, INT32_MAX)
INTEGER(int64_t, i64, INT64_MIN, INT64_MAX)
INTEGER(int16_t, i16, INT16_MIN, INT16_MAX)
INTEGER(int8_t, i8, INT8_MIN, INT8_MAX)
INTEGER(uint8_t, u8, 0, UINT8_MAX)
REDUCE(any_bool, uint8_t, bool, false, acc || x, acc)
REDUCE(all_bool, uint8_t, bool, true, acc &&x, acc)

static const struct {
    int32_t op;
    lc_dtype type;
    void (*reduce)(const state *s, void *out, const void *in);
} rows[] = {
#define OP(ID, name) \
    {LC_OP_##ID, LC_FLOAT32, name##_f32}, {LC_OP_##ID, LC_INT32, name##_i32}, {LC_OP_##ID, LC_INT64, name##_i64}, \
        {LC_OP_##ID, LC_INT16, name##_i16}, {LC_OP_##ID, LC_INT8, name##_i8}, { \
        LC_OP_##ID, LC_UINT8, name##_u8 \
    }
    OP(MEAN, mean),
    OP(SUM, sum),
    OP(REDUCE_PROD, prod),
    OP(REDUCE_MAX, max),
    OP(REDUCE_MIN, min),
    {LC_OP_REDUCE_ANY, LC_BOOL, any_bool},
    {LC_OP_REDUCE_ALL, LC_BOOL, all_bool},
    {LC_OP_SUM, LC_BOOL, any_bool}, /* of truth values: 1 + 1 is true */
    {LC_OP_REDUCE_MAX, LC_BOOL, any_bool},
    {LC_OP_REDUCE_PROD, LC_BOOL, all_bool},
    {LC_OP_REDUCE_MIN, LC_BOOL, all_bool},
};

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) return lc_ref_input(ctx, 0, 1u << rows[i].type);
    return lc_ref_refuse(ctx, ctx->in[0]->type);
}

static lc_status run(lc_kernel_ctx *ctx) {
    state s;
    LC_TRY(lc_reduction_of(ctx, &s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) rows[i].reduce(&s, ctx->out[0]->data, ctx->in[0]->data);
    return LC_OK;
}

static const lc_kernel plain = {.prepare = prepare, .run = run};

/* Means and sums of int8, uint8 and int16 are of the numbers they stand for; the others move or compare. A product without a scale is of
 * the bare numbers. */
static const lc_kernel *choose_mean(const lc_kernel_ctx *ctx) {
    return lc_is_quant_type(ctx->in[0]->type) ? &lc_reduce_quant_mean : &plain;
}
static const lc_kernel *choose_sum(const lc_kernel_ctx *ctx) { return lc_is_quant_type(ctx->in[0]->type) ? &lc_reduce_quant_sum : &plain; }
static const lc_kernel *choose_prod(const lc_kernel_ctx *ctx) {
    return lc_is_quant_type(ctx->in[0]->type) && lc_quant_has(ctx->in[0]) ? &lc_reduce_quant_prod : &plain;
}

const lc_kernel lc_kernel_MEAN = {.choose = choose_mean};
const lc_kernel lc_kernel_SUM = {.choose = choose_sum};
const lc_kernel lc_kernel_REDUCE_PROD = {.choose = choose_prod};
const lc_kernel lc_kernel_REDUCE_MAX = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_REDUCE_MIN = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_REDUCE_ANY = {.prepare = prepare, .run = run};
const lc_kernel lc_kernel_REDUCE_ALL = {.prepare = prepare, .run = run};
