/*
 * reduce_window_ref.c: REDUCE_WINDOW: each output is the window's elements, folded one after the other onto the initial value, row by row.
 * The sums are of the element's own type, as LiteRT's: integers wrap, floats round at every step.
 */
#include "kernels/ref.h"

typedef struct plan {
    lc_nd window; /* operand 1: input */
    lc_nd places; /* operand 0: output, 1: where its window begins in the input */
} plan;

typedef void (*fold_fn)(const plan *p, void *out, const void *in, const void *init);

/* f and g: acc and x to the new acc */
#define FOLD(name, T, U, f) \
    static void name(const plan *p, void *out, const void *in, const void *init) { \
        for (lc_nd_walk o = lc_nd_begin(&p->places); !o.done; lc_nd_next(&p->places, &o)) \
            for (int64_t i = 0; i < lc_nd_row(&p->places); i++) { \
                const T *from = (const T *)in + o.at[1] + i * lc_nd_step(&p->places, 1); \
                T acc = *(const T *)init; \
                for (lc_nd_walk w = lc_nd_begin(&p->window); !w.done; lc_nd_next(&p->window, &w)) \
                    for (int64_t k = 0; k < lc_nd_row(&p->window); k++) { \
                        const T x = from[w.at[1] + k * lc_nd_step(&p->window, 1)]; \
                        acc = (T)(f); \
                    } \
                ((T *)out)[o.at[0] + i * lc_nd_step(&p->places, 0)] = acc; \
            } \
    }
#define FOLDS(T, U, suffix) \
    FOLD(add_##suffix, T, U, (U)acc + (U)x) \
    FOLD(mul_##suffix, T, U, (U)acc *(U)x) \
    FOLD(min_##suffix, T, U, acc <= x ? acc : x) \
    FOLD(max_##suffix, T, U, acc >= x ? acc : x) \
    FOLD(all_##suffix, T, U, acc &&x) \
    FOLD(any_##suffix, T, U, acc || x)
FOLDS(int8_t, uint32_t, i8)
FOLDS(uint8_t, uint32_t, u8)
FOLDS(int16_t, uint32_t, i16)
FOLDS(int32_t, uint32_t, i32)
FOLDS(int64_t, uint64_t, i64)
FOLDS(float, float, f32)
FOLDS(double, double, f64)

static fold_fn fold_of(int32_t function, lc_dtype type) {
#define ROW(suffix) \
    { NULL, add_##suffix, mul_##suffix, min_##suffix, max_##suffix, all_##suffix, any_##suffix }
    static const struct {
        lc_dtype type;
        fold_fn fn[7];
    } rows[] = {{LC_BOOL, ROW(i8)},   {LC_INT8, ROW(i8)},   {LC_UINT8, ROW(u8)},    {LC_INT16, ROW(i16)},
                {LC_INT32, ROW(i32)}, {LC_INT64, ROW(i64)}, {LC_FLOAT32, ROW(f32)}, {LC_FLOAT64, ROW(f64)}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].type == type && function >= 0 && function < 7) return rows[i].fn[function];
    return NULL;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const int32_t function = LC_OP_ATTRS(ctx->node, ReduceWindowOptions)->reduce_function;
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T_WHOLE));
    if (!fold_of(1, ctx->in[0]->type)) return lc_ref_refuse(ctx, ctx->in[0]->type);
    if (!fold_of(function, ctx->in[0]->type))
        return lc_fail(ctx->err, LC_UNSUPPORTED, "REDUCE_WINDOW: reduce_function %d is none of the schema's", function);
    return LC_OK;
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_shape *in = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    int64_t v[3][LC_MAX_RANK], in_stride = 1, out_stride = 1;
    plan p;
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t n = LC_MAX_RANK;
        if (!lc_ref_ints(ctx->in[i + 2], v[i], &n) || n != (uint32_t)in->rank) return lc_ref_changed(ctx);
    }
    lc_nd_init(&p.places, out);
    lc_nd_init(&p.window, in);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        if (v[0][d] < 1 || v[1][d] < 1 || v[2][d] < 1 || v[0][d] > INT32_MAX || v[2][d] > INT32_MAX ||
            (out->dims[d] > 0 && (out->dims[d] - 1) * v[1][d] + (v[0][d] - 1) * v[2][d] >= in->dims[d]))
            return lc_ref_changed(ctx);
        p.window.dims[d] = v[0][d];
        p.window.stride[1][d] = in_stride * v[2][d];
        p.places.stride[0][d] = out_stride;
        p.places.stride[1][d] = in_stride * v[1][d];
        in_stride *= in->dims[d];
        out_stride *= out->dims[d];
    }
    lc_nd_simplify(&p.window);
    lc_nd_simplify(&p.places);
    if (out_stride)
        fold_of(LC_OP_ATTRS(ctx->node, ReduceWindowOptions)->reduce_function, ctx->in[0]->type)(&p, ctx->out[0]->data, ctx->in[0]->data,
                                                                                                ctx->in[1]->data);
    return LC_OK;
}

const lc_kernel lc_kernel_REDUCE_WINDOW = {.prepare = prepare, .run = run};
