/*
 * reduce_ref.c: MEAN, SUM, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL. The walk goes over the input; the output
 * stands still (stride 0) along the axes that go. Float sums are kept in double, one output at a time: the loop nest is split into
 * the dimensions that stay (outer) and those that go (inner).
 *
 * Over nothing the result is the operation's neutral element; the mean of nothing is 0 / 0.
 */
#include "kernels/ref.h"
#include <math.h>

typedef struct state {
    lc_nd stay, gone; /* operand 0: out, 1: in */
    int64_t count;    /* elements of one reduction */
} state;

static lc_status split(lc_kernel_ctx *ctx, state *s) {
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
REDUCE(prod_f32, float, double, 1, acc * x, acc)
REDUCE(max_f32, float, float, -INFINITY, x > acc ? x : acc, acc)
REDUCE(min_f32, float, float, INFINITY, x < acc ? x : acc, acc)
#define U(x) ((uint64_t)(x))
#define INTEGER(T, suffix, LOW, HIGH) \
    REDUCE(mean_##suffix, T, int64_t, 0, (int64_t)(U(acc) + U(x)), count ? acc / count : 0) \
    REDUCE(sum_##suffix, T, int64_t, 0, (int64_t)(U(acc) + U(x)), acc) \
    REDUCE(prod_##suffix, T, int64_t, 1, (int64_t)(U(acc) * U(x)), acc) \
    REDUCE(max_##suffix, T, T, LOW, x > acc ? x : acc, acc) \
    REDUCE(min_##suffix, T, T, HIGH, x < acc ? x : acc, acc)
INTEGER(int32_t, i32, INT32_MIN, INT32_MAX)
INTEGER(int64_t, i64, INT64_MIN, INT64_MAX)
REDUCE(any_bool, uint8_t, bool, false, acc || x, acc)
REDUCE(all_bool, uint8_t, bool, true, acc && x, acc)

static const struct {
    int32_t op;
    lc_dtype type;
    void (*reduce)(const state *s, void *out, const void *in);
} rows[] = {
#define OP(ID, name)                                                                                                           \
    {LC_OP_##ID, LC_FLOAT32, name##_f32}, {LC_OP_##ID, LC_INT32, name##_i32}, {                                                \
        LC_OP_##ID, LC_INT64, name##_i64                                                                                       \
    }
    OP(MEAN, mean),
    OP(SUM, sum),
    OP(REDUCE_PROD, prod),
    OP(REDUCE_MAX, max),
    OP(REDUCE_MIN, min),
    {LC_OP_REDUCE_ANY, LC_BOOL, any_bool},
    {LC_OP_REDUCE_ALL, LC_BOOL, all_bool},
};

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type) return lc_ref_input(ctx, 0, 1u << rows[i].type);
    return lc_ref_refuse(ctx, ctx->in[0]->type);
}

static lc_status run(lc_kernel_ctx *ctx) {
    state s;
    LC_TRY(split(ctx, &s));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].op == ctx->node->op && rows[i].type == ctx->in[0]->type)
            rows[i].reduce(&s, ctx->out[0]->data, ctx->in[0]->data);
    return LC_OK;
}

#define KERNEL(ID) const lc_kernel lc_kernel_##ID = {prepare, run};
KERNEL(MEAN)
KERNEL(SUM)
KERNEL(REDUCE_PROD)
KERNEL(REDUCE_MAX)
KERNEL(REDUCE_MIN)
KERNEL(REDUCE_ANY)
KERNEL(REDUCE_ALL)
