/*
 * gather_hybrid.c: EMBEDDING_LOOKUP into a table of integers of 8, 4 or 2 bits with floats (or halfs) as the answer: number times scale.
 * There is one scale, one a row, or one (a half) for each block of a row. The numbers are symmetric: all zero points are 0. A table of type
 * uint8 holds signed bytes: so wrote the first converters, and LiteRT reads it so.
 */
#include "kernels/quant.h"
#include "kernels/ref.h"
#include "kernels/variants.h"

#include <string.h>

typedef struct plan {
    lc_dtype type; /* of the table's numbers */
    int64_t columns;
    const float *scales; /* one, or a row each; NULL: blocks */
    int32_t scale_count;
    const uint16_t *halfs; /* [rows, columns / block] */
    int64_t block;
} plan;

static lc_status prepare_blocks(lc_kernel_ctx *ctx, plan *p) {
    const lc_value *table = ctx->in[1];
    const lc_BlockwiseQuantization *q = table->def->quant->details.value;
    p->block = q->block_size;
    if (table->shape.rank != 2 || (table->type != LC_INT4 && table->type != LC_INT2))
        return lc_fail(ctx->err, LC_UNSUPPORTED,
                       "EMBEDDING_LOOKUP: a table in blocks has 2 dimensions of int4 or int2, this one has %d of %s", table->shape.rank,
                       lc_dtype_name(table->type));
    if (p->block < 1 || p->columns % p->block)
        return lc_fail(ctx->err, LC_INVALID, "EMBEDDING_LOOKUP: blocks of %lld do not divide rows of %lld", (long long)p->block,
                       (long long)p->columns);
    const uint64_t blocks = (uint64_t)table->shape.dims[0] * (uint64_t)(p->columns / p->block);
    const lc_tensor *scales = lc_quant_tensor(ctx, q->scales);
    if (!scales || scales->type != LC_FLOAT16 || !scales->data || scales->size / sizeof(uint16_t) < blocks)
        return lc_fail(ctx->err, LC_INVALID, "EMBEDDING_LOOKUP: the table's scales (tensor %d) are not a float16 constant of %llu elements",
                       (int)q->scales, (unsigned long long)blocks);
    p->halfs = scales->data;
    return LC_OK;
}

static lc_status prepare(lc_kernel_ctx *ctx) {
    const lc_value *table = ctx->in[1];
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32)));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT8) | LC_T(UINT8) | LC_T(INT4) | LC_T(INT2)));
    plan *p = lc_kernel_state(ctx, sizeof *p);
    if (!p) return LC_NO_MEMORY;
    p->type = table->type == LC_UINT8 ? LC_INT8 : table->type;
    p->columns = 1;
    for (int32_t d = 1; d < table->shape.rank; d++) p->columns *= table->shape.dims[d];
    ctx->label = "hybrid";
    if (table->def && table->def->quant && table->def->quant->details.type == LC_QuantizationDetails_BlockwiseQuantization &&
        table->def->quant->details.value)
        return prepare_blocks(ctx, p);
    return lc_quant_channels(ctx, table, "the table", 0, true, &p->scales, &p->scale_count);
}

static float scale_at(const plan *p, int64_t row, int64_t column) {
    if (p->scales) return p->scales[p->scale_count > 1 ? row : 0];
    uint16_t half; /* a constant of a file lies where it lies */
    memcpy(&half, (const char *)p->halfs + (size_t)(row * (p->columns / p->block) + column / p->block) * sizeof half, sizeof half);
    return lc_half_to_float(half);
}

static lc_status run(lc_kernel_ctx *ctx) {
    const plan *p = ctx->state;
    const int32_t rows = ctx->in[1]->shape.dims[0], *wanted = ctx->in[0]->data;
    int64_t to = 0;
    for (int64_t i = 0; i < ctx->in[0]->shape.dims[0]; i++) {
        const int64_t row = wanted[i];
        if (row < 0 || row >= rows)
            return lc_fail(ctx->err, LC_INVALID, "EMBEDDING_LOOKUP: index %lld is outside [0, %d)", (long long)row, rows);
        for (int64_t c = 0; c < p->columns; c++, to++) {
            const float x = (float)lc_int_at(ctx->in[1]->data, p->type, row * p->columns + c) * scale_at(p, row, c);
            if (ctx->out[0]->type == LC_FLOAT16) ((uint16_t *)ctx->out[0]->data)[to] = lc_float_to_half(x);
            else ((float *)ctx->out[0]->data)[to] = x;
        }
    }
    return LC_OK;
}

const lc_kernel lc_gather_hybrid_lookup = {.prepare = prepare, .run = run};
