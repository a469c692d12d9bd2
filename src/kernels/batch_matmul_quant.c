/*
 * batch_matmul_quant.c: BATCH_MATMUL in integers: int8 to int8, int16 with int16 or int8 (all zero points count; one scale each), int8 to
 * int32 (the plain sums, no zero points), and float32 times int8 (hybrid: each row of x is quantised, symmetrically or not as the option
 * says; one scale for y or one a column).
 *
 * Both operands are centred; y is turned so that its columns lie in one piece.
 */
#include "kernels/integer.h"

#include "base/checked.h"

#include <string.h>

typedef struct state {
    lc_int_output output;
    size_t matrix_at, sums_at, scale_at; /* in scratch; the centred x comes first */
} state;

/* The sizes of one product: m rows of x, n columns of y, depth. */
typedef struct sizes {
    int64_t m, n, depth;
} sizes;

static sizes sizes_of(const lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const lc_shape *x = &ctx->in[0]->shape, *out = &ctx->out[0]->shape;
    return (sizes){out->dims[out->rank - 2], out->dims[out->rank - 1], x->dims[x->rank - (o->adj_x ? 2 : 1)]};
}

static bool add(size_t *total, int64_t elements, size_t width) {
    size_t bytes;
    return lc_mul_size((size_t)elements, width, &bytes) && lc_add_size(bytes, 63, &bytes) &&
           lc_add_size(*total, bytes & ~(size_t)63, total);
}

/* One matrix of each operand is centred at a time. */
static lc_status plan(lc_kernel_ctx *ctx, state *s) {
    const sizes z = sizes_of(ctx);
    size_t scratch = 0;
    bool fits = add(&scratch, z.m * z.depth, sizeof(int16_t));
    s->matrix_at = scratch;
    fits = fits && add(&scratch, z.n * z.depth, sizeof(int16_t));
    s->sums_at = scratch;
    fits = fits && add(&scratch, z.m, sizeof(int64_t));
    s->scale_at = scratch;
    fits = fits && add(&scratch, z.m, sizeof(float));
    /* a hybrid x that comes transposed is turned first */
    fits = fits && add(&scratch, ctx->in[0]->type == LC_FLOAT32 ? z.m * z.depth : 0, sizeof(float));
    if (!fits) return lc_fail(ctx->err, LC_LIMIT, "its scratch memory is too large");
    ctx->scratch_size = scratch;
    ctx->label = ctx->in[0]->type == LC_FLOAT32 ? "hybrid" : "integer";
    return LC_OK;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *x = ctx->in[0], *y = ctx->in[1];
    const bool hybrid = x->type == LC_FLOAT32;
    /* y's scales may be one a column: then its dimension of columns */
    const int32_t columns = y->shape.rank - (LC_OP_ATTRS(ctx->node, BatchMatMulOptions)->adj_y ? 2 : 1);
    const lc_int_spec spec = {
        .in = 0, .filter = 1, .bias = LC_ABSENT, .axis = columns, .sum_type = LC_INT64, .use_filter_zero = !hybrid, .float_product = true};
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(hybrid ? lc_int_hybrid_prepare(ctx, &spec, &s->output) : lc_int_output_prepare(ctx, &spec, &s->output));
    return plan(ctx, s);
}

/* int8 to int32: LiteRT looks at no quantisation. */
static lc_status prepare_sum(lc_kernel_ctx *ctx) {
    state *s = lc_kernel_state(ctx, sizeof *s);
    if (!s) return LC_NO_MEMORY;
    LC_TRY(lc_ref_inputs(ctx, 0, LC_T(INT8)));
    s->output = (lc_int_output){.rounding = LC_INT_ROUND_NONE, .bias = LC_ABSENT, .channels = 1, .type = LC_INT32};
    return plan(ctx, s);
}

/* Rows of `depth` from a matrix of integers at element `at`; turned: it is [depth][rows]. */
static void centre_matrix(const lc_simd *simd, const lc_value *v, int64_t at, int64_t rows, int64_t depth, bool turned, int32_t zero,
                          int16_t *to) {
    if (!turned) {
        lc_int_centre(simd, v->data, v->type, at, rows * depth, zero, to);
        return;
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < depth; k++) to[r * depth + k] = (int16_t)(lc_int_at(v->data, v->type, at + k * rows + r) - zero);
}

static void quantise_matrix(const lc_kernel_ctx *ctx, int64_t at, sizes z, int16_t *to, float *scales, float *turned) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const float *x = (const float *)ctx->in[0]->data + at;
    for (int64_t i = 0; o->adj_x && i < z.m; i++)
        for (int64_t k = 0; k < z.depth; k++) turned[i * z.depth + k] = x[k * z.m + i];
    if (o->adj_x) x = turned;
    for (int64_t i = 0; i < z.m; i++) scales[i] = lc_hybrid_row(o->asymmetric_quantize_inputs, x + i * z.depth, z.depth, to + i * z.depth);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const lc_BatchMatMulOptions *o = LC_OP_ATTRS(ctx->node, BatchMatMulOptions);
    const state *s = ctx->state;
    const sizes z = sizes_of(ctx);
    lc_shape x = ctx->in[0]->shape, y = ctx->in[1]->shape, out = ctx->out[0]->shape;
    unsigned char *scratch = ctx->scratch;
    int16_t *a = ctx->scratch, *b = (int16_t *)(void *)(scratch + s->matrix_at);
    int64_t *sums = (int64_t *)(void *)(scratch + s->sums_at), last_x = -1, last_y = -1;
    float *scales = (float *)(void *)(scratch + s->scale_at), *turned = scales + ((size_t)z.m + 15) / 16 * 16;
    const int64_t limit = ctx->in[0]->type != LC_INT16 ? 255 * 255 : (int64_t)32768 * (ctx->in[1]->type == LC_INT16 ? 32768 : 255);
    lc_int_output output = s->output;
    lc_nd nd; /* over batches: strides count matrices */
    lc_int_output_begin(ctx, &output);
    x.rank -= 2;
    y.rank -= 2;
    out.rank -= 2;
    lc_nd_init(&nd, &out);
    lc_nd_operand(&nd, 0, &out);
    lc_nd_operand(&nd, 1, &x);
    lc_nd_operand(&nd, 2, &y);
    for (lc_nd_walk w = lc_nd_begin(&nd); !w.done; lc_nd_next(&nd, &w))
        for (int64_t r = 0; r < lc_nd_row(&nd); r++) {
            const int64_t to = w.at[0] + r * lc_nd_step(&nd, 0), from_x = w.at[1] + r * lc_nd_step(&nd, 1),
                          from_y = w.at[2] + r * lc_nd_step(&nd, 2);
            if (from_x != last_x && output.rounding == LC_INT_FLOAT) quantise_matrix(ctx, from_x * z.m * z.depth, z, a, scales, turned);
            else if (from_x != last_x)
                centre_matrix(ctx->simd, ctx->in[0], from_x * z.m * z.depth, z.m, z.depth, o->adj_x, output.in_zero, a);
            if (from_y != last_y)
                centre_matrix(ctx->simd, ctx->in[1], from_y * z.n * z.depth, z.n, z.depth, !o->adj_y, output.filter_zero, b);
            last_x = from_x;
            last_y = from_y;
            for (int64_t j = 0; j < z.n; j++) {
                lc_int_dots(ctx->simd, b + j * z.depth, a, z.depth, z.depth, z.m, limit, sums);
                for (int64_t i = 0; i < z.m; i++)
                    lc_int_store(&output, sums[i], j, output.rounding == LC_INT_FLOAT ? scales[i] : 0, (to * z.m + i) * z.n + j);
            }
        }
    return LC_OK;
}

const lc_kernel lc_batch_matmul_quant = {.prepare = prepare, .run = run};
const lc_kernel lc_batch_matmul_sum = {.prepare = prepare_sum, .run = run};
