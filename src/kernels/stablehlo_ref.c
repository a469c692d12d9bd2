/*
 * stablehlo_ref.c: StableHLO ADD, MULTIPLY, MAXIMUM, MINIMUM, AND, SHIFT_LEFT and PAD. Numbers are added as they are, quantised or not:
 * these operators know no scales. Integers wrap around; of two bools ADD and MAXIMUM give "or", MULTIPLY and MINIMUM "and". A shift by less
 * than 0 or by the width or more gives 0, as the StableHLO specification has it.
 */
#include "kernels/stablehlo.h"

#include <string.h>

/* ---- functions of two numbers ------------------------------------------------------------------------------------ */

#define LOOP(name, T, READ, WRITE, EXPR) \
    static void name(void *out, int64_t out_step, const void *a, int64_t a_step, const void *b, int64_t b_step, int64_t n) { \
        for (int64_t i = 0; i < n; i++) { \
            const T x = READ(a, i * a_step), y = READ(b, i * b_step); \
            WRITE(out, i *out_step, EXPR); \
        } \
    }
#define HALF_READ(p, i) lc_half_to_float(((const uint16_t *)(p))[i])
#define HALF_WRITE(p, i, v) ((uint16_t *)(p))[i] = lc_float_to_half(v)
#define AS_FLOAT(p, i) ((const float *)(p))[i]
#define PUT_FLOAT(p, i, v) ((float *)(p))[i] = (v)
#define AS_DOUBLE(p, i) ((const double *)(p))[i]
#define PUT_DOUBLE(p, i, v) ((double *)(p))[i] = (v)
#define AS_BOOL(p, i) (((const uint8_t *)(p))[i] != 0)
#define PUT_BOOL(p, i, v) ((uint8_t *)(p))[i] = (v) ? 1 : 0
#define AS_INT8(p, i) ((const int8_t *)(p))[i]
#define PUT_INT8(p, i, v) ((int8_t *)(p))[i] = (int8_t)(v)
#define AS_INT16(p, i) ((const int16_t *)(p))[i]
#define PUT_INT16(p, i, v) ((int16_t *)(p))[i] = (int16_t)(v)
#define AS_INT32(p, i) ((const int32_t *)(p))[i]
#define PUT_INT32(p, i, v) ((int32_t *)(p))[i] = (int32_t)(v)
#define AS_INT64(p, i) ((const int64_t *)(p))[i]
#define PUT_INT64(p, i, v) ((int64_t *)(p))[i] = (int64_t)(v)
#define AS_UINT8(p, i) ((const uint8_t *)(p))[i]
#define PUT_UINT8(p, i, v) ((uint8_t *)(p))[i] = (uint8_t)(v)
#define AS_UINT16(p, i) ((const uint16_t *)(p))[i]
#define PUT_UINT16(p, i, v) ((uint16_t *)(p))[i] = (uint16_t)(v)
#define AS_UINT32(p, i) ((const uint32_t *)(p))[i]
#define PUT_UINT32(p, i, v) ((uint32_t *)(p))[i] = (uint32_t)(v)
#define AS_UINT64(p, i) ((const uint64_t *)(p))[i]
#define PUT_UINT64(p, i, v) ((uint64_t *)(p))[i] = (uint64_t)(v)

/* clang-format off */
/* X(suffix, type, C type, read, write): all reals; all integers */
#define REALS(X) \
    X(f16, FLOAT16, float, HALF_READ, HALF_WRITE) X(f32, FLOAT32, float, AS_FLOAT, PUT_FLOAT) X(f64, FLOAT64, double, AS_DOUBLE, PUT_DOUBLE)
#define INTEGERS(X) \
    X(i8, INT8, int8_t, AS_INT8, PUT_INT8) \
    X(i16, INT16, int16_t, AS_INT16, PUT_INT16) \
    X(i32, INT32, int32_t, AS_INT32, PUT_INT32) \
    X(i64, INT64, int64_t, AS_INT64, PUT_INT64) \
    X(u8, UINT8, uint8_t, AS_UINT8, PUT_UINT8) \
    X(u16, UINT16, uint16_t, AS_UINT16, PUT_UINT16) \
    X(u32, UINT32, uint32_t, AS_UINT32, PUT_UINT32) \
    X(u64, UINT64, uint64_t, AS_UINT64, PUT_UINT64)
#define BOOLS(X) X(truth, BOOL, bool, AS_BOOL, PUT_BOOL)

#define COMMON(s, type, T, R, W) \
    LOOP(second_##s, T, R, W, ((void)x, y)) \
    LOOP(maximum_##s, T, R, W, x < y ? y : x) \
    LOOP(minimum_##s, T, R, W, y < x ? y : x) \
    LOOP(largest_##s, T, R, W, x >= y ? x : y) \
    LOOP(smallest_##s, T, R, W, x <= y ? x : y) \
    LOOP(all_##s, T, R, W, (T)(x && y)) \
    LOOP(any_##s, T, R, W, (T)(x || y))
#define OF_REALS(s, type, T, R, W) COMMON(s, type, T, R, W) LOOP(add_##s, T, R, W, x + y) LOOP(multiply_##s, T, R, W, x *y)
#define OF_INTEGERS(s, type, T, R, W) \
    COMMON(s, type, T, R, W) \
    LOOP(add_##s, T, R, W, (uint64_t)x + (uint64_t)y) LOOP(multiply_##s, T, R, W, (uint64_t)x *(uint64_t)y) LOOP(and_##s, T, R, W, x &y)
#define OF_BOOLS(s, type, T, R, W) \
    COMMON(s, type, T, R, W) LOOP(add_##s, T, R, W, x || y) LOOP(multiply_##s, T, R, W, x &&y) LOOP(and_##s, T, R, W, x &&y)
REALS(OF_REALS)
INTEGERS(OF_INTEGERS)
BOOLS(OF_BOOLS)
/* clang-format on */

#define ENTRIES(s, type, T, R, W) \
    [LC_HLO_SECOND][LC_##type] = second_##s, [LC_HLO_ADD][LC_##type] = add_##s, [LC_HLO_MULTIPLY][LC_##type] = multiply_##s, \
    [LC_HLO_MAXIMUM][LC_##type] = maximum_##s, [LC_HLO_MINIMUM][LC_##type] = minimum_##s, [LC_HLO_ALL][LC_##type] = all_##s, \
    [LC_HLO_ANY][LC_##type] = any_##s, [LC_HLO_LARGEST][LC_##type] = largest_##s, [LC_HLO_SMALLEST][LC_##type] = smallest_##s,
#define BIT_ENTRY(s, type, T, R, W) [LC_HLO_AND][LC_##type] = and_##s,

lc_hlo_loop lc_hlo_loop_of(lc_hlo_function f, lc_dtype type) {
    static const lc_hlo_loop loops[LC_HLO_FUNCTIONS][LC_DTYPE_COUNT] = {REALS(ENTRIES) INTEGERS(ENTRIES) BOOLS(ENTRIES) INTEGERS(BIT_ENTRY)
                                                                            BOOLS(BIT_ENTRY)};
    return (unsigned)f < LC_HLO_FUNCTIONS && (unsigned)type < LC_DTYPE_COUNT ? loops[f][type] : NULL;
}

lc_status lc_hlo_region(lc_kernel_ctx *ctx, int32_t index, const lc_graph **graph) {
    const lc_model *model = ctx->owner;
    if (!model) return lc_fail(ctx->err, LC_UNSUPPORTED, "its region is a graph of the model, which needs a session");
    if (index < 0 || (size_t)index >= model->graph_count) return lc_fail(ctx->err, LC_INVALID, "graph %d does not exist", index);
    *graph = model->graphs[index];
    return LC_OK;
}

/* ---- element by element ------------------------------------------------------------------------------------------- */

static lc_status prepare_pair(lc_kernel_ctx *ctx, lc_hlo_function f) {
    lc_hlo_loop *loop = lc_kernel_state(ctx, sizeof *loop);
    if (!loop) return LC_NO_MEMORY;
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T_WHOLE));
    *loop = lc_hlo_loop_of(f, ctx->in[0]->type);
    return *loop ? LC_OK : lc_ref_refuse(ctx, ctx->in[0]->type);
}

static lc_status prepare_add(lc_kernel_ctx *ctx) { return prepare_pair(ctx, LC_HLO_ADD); }
static lc_status prepare_multiply(lc_kernel_ctx *ctx) { return prepare_pair(ctx, LC_HLO_MULTIPLY); }
static lc_status prepare_maximum(lc_kernel_ctx *ctx) { return prepare_pair(ctx, LC_HLO_MAXIMUM); }
static lc_status prepare_minimum(lc_kernel_ctx *ctx) { return prepare_pair(ctx, LC_HLO_MINIMUM); }
static lc_status prepare_and(lc_kernel_ctx *ctx) { return prepare_pair(ctx, LC_HLO_AND); }

static lc_status run_pair(lc_kernel_ctx *ctx) {
    lc_hlo_loop loop;
    memcpy(&loop, ctx->state, sizeof loop);
    loop(ctx->out[0]->data, 1, ctx->in[0]->data, 1, ctx->in[1]->data, 1, lc_ref_elements(ctx->out[0]));
    return LC_OK;
}

static lc_status prepare_shift(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T(INT8) | LC_T(INT16) | LC_T(INT32)); }

static lc_status run_shift(lc_kernel_ctx *ctx) {
    const lc_value *a = ctx->in[0], *b = ctx->in[1], *out = ctx->out[0];
    const int64_t n = lc_ref_elements(out);
    const int32_t width = (int32_t)lc_dtype_bits(a->type);
#define SHIFT(T) \
    for (int64_t i = 0; i < n; i++) { \
        const T by = ((const T *)b->data)[i]; \
        ((T *)out->data)[i] = by < 0 || by >= width ? 0 : (T)((uint32_t)((const T *)a->data)[i] << by); \
    }
    if (a->type == LC_INT8) SHIFT(int8_t)
    else if (a->type == LC_INT16) SHIFT(int16_t)
    else SHIFT(int32_t)
    return LC_OK;
}

/* ---- pad ---------------------------------------------------------------------------------------------------------- */

void lc_hlo_pad_walk(const lc_shape *in, const int64_t *low, const int64_t *step, const lc_shape *out, lc_nd *nd) {
    int64_t in_stride = 1, out_stride = 1;
    lc_nd_init(nd, in);
    for (int32_t d = in->rank - 1; d >= 0; d--) {
        /* element i goes to low + i * step, which must lie in the output */
        const int64_t first = low[d] < 0 ? (-low[d] + step[d] - 1) / step[d] : 0;
        const int64_t room = (int64_t)out->dims[d] - 1 - low[d];
        const int64_t last = room < 0 ? -1 : room / step[d];
        const int64_t end = last + 1 < in->dims[d] ? last + 1 : in->dims[d];
        nd->dims[d] = end > first ? end - first : 0;
        nd->stride[0][d] = step[d] * out_stride;
        nd->stride[1][d] = in_stride;
        if (nd->dims[d]) {
            nd->base[0] += (low[d] + first * step[d]) * out_stride;
            nd->base[1] += first * in_stride;
        }
        in_stride *= in->dims[d];
        out_stride *= out->dims[d];
    }
}

static lc_status prepare_pad(lc_kernel_ctx *ctx) { return lc_ref_inputs(ctx, 0, LC_T_WHOLE); }

static lc_status run_pad(lc_kernel_ctx *ctx) {
    const lc_StablehloPadOptions *o = LC_OP_ATTRS(ctx->node, StablehloPadOptions);
    const lc_value *in = ctx->in[0], *out = ctx->out[0];
    int64_t low[LC_MAX_RANK], step[LC_MAX_RANK];
    lc_nd nd;
    for (int32_t d = 0; d < in->shape.rank; d++) {
        low[d] = o->edge_padding_low.n ? o->edge_padding_low.data[d] : 0;
        step[d] = 1 + (o->interior_padding.n ? o->interior_padding.data[d] : 0);
    }
    lc_copy_elements(out->data, 1, ctx->in[1]->data, 0, lc_ref_elements(out), lc_ref_width(in));
    lc_hlo_pad_walk(&in->shape, low, step, &out->shape, &nd);
    lc_nd_copy(&nd, out->data, in->data, lc_ref_width(in));
    return LC_OK;
}

const lc_kernel lc_kernel_STABLEHLO_ADD = {.prepare = prepare_add, .run = run_pair},
                lc_kernel_STABLEHLO_MULTIPLY = {.prepare = prepare_multiply, .run = run_pair},
                lc_kernel_STABLEHLO_MAXIMUM = {.prepare = prepare_maximum, .run = run_pair},
                lc_kernel_STABLEHLO_MINIMUM = {.prepare = prepare_minimum, .run = run_pair},
                lc_kernel_STABLEHLO_AND = {.prepare = prepare_and, .run = run_pair},
                lc_kernel_STABLEHLO_SHIFT_LEFT = {.prepare = prepare_shift, .run = run_shift},
                lc_kernel_STABLEHLO_PAD = {.prepare = prepare_pad, .run = run_pad};
