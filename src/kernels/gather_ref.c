/*
 * gather_ref.c: GATHER, GATHER_ND, EMBEDDING_LOOKUP, ONE_HOT. Elements are moved, not looked at: any type of whole bytes. An index outside
 * its dimension ends the run with an error, before anything is read.
 */
#include "kernels/move.h"
#include "kernels/variants.h"
#include <string.h>

static int64_t index_at(const lc_value *v, int64_t i) {
    if (v->type == LC_INT64) return ((const int64_t *)v->data)[i];
    if (v->type == LC_INT16) return ((const int16_t *)v->data)[i];
    return ((const int32_t *)v->data)[i];
}

static lc_status outside(lc_kernel_ctx *ctx, int64_t index, int64_t size) {
    return lc_fail(ctx->err, LC_INVALID, "%s: index %lld is outside [0, %lld)", lc_op_name(ctx->node->op), (long long)index,
                   (long long)size);
}

static int64_t product(const lc_shape *s, int32_t from, int32_t to) {
    int64_t n = 1;
    for (int32_t i = from; i < to; i++) n *= s->dims[i];
    return n;
}

#define INDEX (LC_T(INT16) | LC_T(INT32) | LC_T(INT64))

static lc_status prepare(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T_WHOLE));
    return lc_ref_input(ctx, 1, INDEX);
}

static lc_status run_gather(lc_kernel_ctx *ctx) {
    const lc_GatherOptions *o = LC_OP_ATTRS(ctx->node, GatherOptions);
    const lc_value *p = ctx->in[0], *x = ctx->in[1];
    int32_t axis = o->axis < 0 ? o->axis + p->shape.rank : o->axis;
    int32_t batch = o->batch_dims < 0 ? o->batch_dims + x->shape.rank : o->batch_dims;
    int64_t batches = product(&p->shape, 0, batch), outer = product(&p->shape, batch, axis), size = p->shape.dims[axis];
    int64_t count = product(&x->shape, batch, x->shape.rank);
    size_t run = (size_t)product(&p->shape, axis + 1, p->shape.rank) * lc_ref_width(p);
    char *to = ctx->out[0]->data;
    for (int64_t b = 0; b < batches; b++)
        for (int64_t u = 0; u < outer; u++)
            for (int64_t i = 0; i < count; i++, to += run) {
                int64_t k = index_at(x, b * count + i);
                if (k < 0 || k >= size) return outside(ctx, k, size);
                if (run) memcpy(to, (const char *)p->data + (size_t)((b * outer + u) * size + k) * run, run);
            }
    return LC_OK;
}

static lc_status run_gather_nd(lc_kernel_ctx *ctx) {
    const lc_value *p = ctx->in[0], *x = ctx->in[1];
    int32_t depth = x->shape.dims[x->shape.rank - 1];
    int64_t count = product(&x->shape, 0, x->shape.rank - 1);
    size_t run = (size_t)product(&p->shape, depth, p->shape.rank) * lc_ref_width(p);
    char *to = ctx->out[0]->data;
    for (int64_t i = 0; i < count; i++, to += run) {
        int64_t at = 0;
        for (int32_t d = 0; d < depth; d++) {
            int64_t k = index_at(x, i * depth + d);
            if (k < 0 || k >= p->shape.dims[d]) return outside(ctx, k, p->shape.dims[d]);
            at = at * p->shape.dims[d] + k;
        }
        if (run) memcpy(to, (const char *)p->data + (size_t)at * run, run);
    }
    return LC_OK;
}

static lc_status prepare_lookup(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, LC_T(INT32)));
    return lc_ref_input(ctx, 1, LC_T_WHOLE);
}

static lc_status run_lookup(lc_kernel_ctx *ctx) {
    const lc_value *x = ctx->in[0], *table = ctx->in[1];
    size_t run = (size_t)product(&table->shape, 1, table->shape.rank) * lc_ref_width(table);
    char *to = ctx->out[0]->data;
    for (int64_t i = 0; i < x->shape.dims[0]; i++, to += run) {
        int64_t k = index_at(x, i);
        if (k < 0 || k >= table->shape.dims[0]) return outside(ctx, k, table->shape.dims[0]);
        if (run) memcpy(to, (const char *)table->data + (size_t)k * run, run);
    }
    return LC_OK;
}

static lc_status prepare_one_hot(lc_kernel_ctx *ctx) {
    LC_TRY(lc_ref_input(ctx, 0, INDEX));
    LC_TRY(lc_ref_input(ctx, 1, LC_T(INT32) | LC_T(INT64)));
    return lc_ref_inputs(ctx, 2, LC_T_WHOLE);
}

static lc_status run_one_hot(lc_kernel_ctx *ctx) {
    const lc_value *x = ctx->in[0], *out = ctx->out[0];
    int32_t axis = LC_OP_ATTRS(ctx->node, OneHotOptions)->axis;
    if (axis == -1) axis = x->shape.rank;
    int64_t outer = product(&x->shape, 0, axis), inner = product(&x->shape, axis, x->shape.rank), depth = out->shape.dims[axis], asked;
    uint32_t one = 1;
    if (!lc_ref_ints(ctx->in[1], &asked, &one) || asked != depth) return lc_ref_changed(ctx);
    size_t width = lc_ref_width(out);
    char *to = out->data;
    for (int64_t u = 0; u < outer; u++)
        for (int64_t d = 0; d < depth; d++)
            for (int64_t i = 0; i < inner; i++, to += width)
                lc_copy_elements(to, 1, ctx->in[index_at(x, u * inner + i) == d ? 2 : 3]->data, 1, 1, width);
    return LC_OK;
}

static const lc_kernel gather = {.prepare = prepare, .run = run_gather};
static const lc_kernel gather_nd = {.prepare = prepare, .run = run_gather_nd};
static const lc_kernel lookup = {.prepare = prepare_lookup, .run = run_lookup};
LC_MOVER(GATHER, gather, LC_MOVES(0))
LC_MOVER(GATHER_ND, gather_nd, LC_MOVES(0))

static lc_status prepare_odd_lookup(lc_kernel_ctx *ctx) { return lc_move_prepare(ctx, &lookup, LC_MOVES(1)); }
static lc_status run_odd_lookup(lc_kernel_ctx *ctx) { return lc_move_run(ctx, LC_MOVES(1)); }
static const lc_kernel odd_lookup = {.prepare = prepare_odd_lookup, .run = run_odd_lookup};

/* A table of integers gives floats by its scales; into an output of its own type rows are moved as they are. */
static const lc_kernel *choose_lookup(const lc_kernel_ctx *ctx) {
    const lc_dtype table = ctx->in[1]->type, out = ctx->out[0]->type;
    if (table != out) return out == LC_FLOAT32 || out == LC_FLOAT16 ? &lc_gather_hybrid_lookup : NULL;
    return lc_move_is_odd(ctx, LC_MOVES(1)) ? &odd_lookup : &lookup;
}

const lc_kernel lc_kernel_EMBEDDING_LOOKUP = {.choose = choose_lookup};
const lc_kernel lc_kernel_ONE_HOT = {.prepare = prepare_one_hot, .run = run_one_hot};
